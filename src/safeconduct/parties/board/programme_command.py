"""`safeconduct programme show`: what a programme's Gazette says, proven and in plain words."""

import argparse
from pathlib import Path

from safeconduct.plumbing import terminal
from safeconduct.plumbing.logs import GazetteView, read_gazette
from safeconduct.plumbing.programme import load_programme
from safeconduct.protocol.canonical import Json
from safeconduct.protocol.statute.instant import format_instant
from safeconduct.protocol.statute.load import load_statute
from safeconduct.protocol.statute.text import Instant

EXAMPLES = """\
example:
  safeconduct programme show --programme programme/

Reads the whole Gazette, checks log, witnesses and board signatures, and says what stands in it:
the board, the law and its dates, the desk's keys, the register's size.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verbs about a programme as a whole."""
    parser.epilog = EXAMPLES
    verbs = parser.add_subparsers(title="verbs", metavar="VERB", required=True)
    show = verbs.add_parser("show", help="what the Gazette says, after checking it")
    show.add_argument("--programme", type=Path, required=True, metavar="DIR")
    show.add_argument("--json", action="store_true", help="print JSON")
    show.set_defaults(run=_show)


def _show(options: argparse.Namespace) -> int:
    programme = load_programme(options.programme)
    summary = summarise(read_gazette(programme))
    if options.json:
        terminal.print_json(summary)
        return 0
    for name, value in summary.items():
        shown = ", ".join(map(str, value)) if isinstance(value, list) else value
        terminal.say(f"{name.replace('_', ' '):16} {shown}")
    return 0


def summarise(view: GazetteView) -> dict[str, Json]:
    """The state of a programme as a small table."""
    state = view.state
    board: list[Json] = [member.name for member in state.roster.members]
    statutes: list[Json] = []
    for version in state.statutes:
        statute = load_statute(version.law)
        dates = [
            f"{name} {format_instant(parameter.limit_at)}"
            for name, parameter in statute.parameters.items()
            if isinstance(parameter, Instant)
        ]
        statutes.append(f"{version.number} ({'; '.join(dates)}) {version.sha256.hex()}")
    epochs: list[Json] = [
        f"{epoch.number} until {format_instant(epoch.closes)}" for epoch in state.epochs
    ]
    return {
        "name": state.programme.word("name"),
        "board": board,
        "must_sign": state.roster.threshold,
        "statutes": statutes,
        "desk_epochs": epochs,
        "publications": len(state.publications),
        "entries": state.size,
        "as_of": format_instant(view.cosigned.logged_by),
        "cosigned_by": [name for name, _ in view.cosigned.cosignatures],
    }
