"""`safeconduct programme`: what a programme's Gazette says, proven and in plain words."""

import argparse
from pathlib import Path

from safeconduct.plumbing import terminal
from safeconduct.plumbing.durable import read_file
from safeconduct.plumbing.logs import PROOF_BYTES_MAX, GazetteView, read_gazette
from safeconduct.plumbing.programme import load_programme
from safeconduct.protocol.canonical import Json
from safeconduct.protocol.destruction import verify_destruction
from safeconduct.protocol.receipt import verify_receipt
from safeconduct.protocol.record import RECORD_BYTES_MAX
from safeconduct.protocol.statute.instant import format_instant
from safeconduct.protocol.statute.load import load_statute
from safeconduct.protocol.statute.text import Instant

EXAMPLES = """\
examples:
  safeconduct programme show --programme programme/
  safeconduct programme destruction destroyed-1.record --proof destroyed-1.tlog-proof \\
      --programme programme/

Reads the whole Gazette, checks log, witnesses and board signatures, and says what stands in it:
the board, the law and its dates, the desk's keys, the register's size. `destruction` checks the
desk's word that it destroyed the keys of an epoch: who said so, when, and that the board bears
it out.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verbs about a programme as a whole."""
    parser.epilog = EXAMPLES
    verbs = parser.add_subparsers(title="verbs", metavar="VERB", required=True)
    show = verbs.add_parser("show", help="what the Gazette says, after checking it")
    show.add_argument("--programme", type=Path, required=True, metavar="DIR")
    show.add_argument("--json", action="store_true", help="print JSON")
    show.set_defaults(run=_show)
    said = verbs.add_parser(
        "destruction", help="check that an epoch's keys were said destroyed"
    )
    said.add_argument("record", type=Path, help="the desk's signed record")
    said.add_argument("--proof", type=Path, required=True, help="its tlog-proof")
    said.add_argument("--programme", type=Path, required=True, metavar="DIR")
    said.add_argument("--json", action="store_true", help="print JSON")
    said.set_defaults(run=_destruction)


def _show(options: argparse.Namespace) -> int:
    programme = load_programme(options.programme)
    summary = summarise(read_gazette(programme))
    if options.json:
        terminal.print_json(summary)
        return 0
    for name, value in summary.items():
        shown = ", ".join(map(str, value)) if isinstance(value, list) else value or "none"
        terminal.say(f"{name.replace('_', ' '):16} {shown}")
    return 0


def _destruction(options: argparse.Namespace) -> int:
    programme = load_programme(options.programme)
    signed = read_file(options.record, bytes_max=RECORD_BYTES_MAX)
    proof = read_file(options.proof, bytes_max=PROOF_BYTES_MAX)
    said = verify_destruction(signed, read_gazette(programme).state)
    dated = verify_receipt(signed, proof, programme.policy, programme.ledger_origin)
    summary: dict[str, Json] = {
        "epoch": said.epoch.number,
        "closed": format_instant(said.epoch.closes),
        "said_by": format_instant(dated.logged_by),
        "tips": said.record.number("tips"),
        "archive": said.archive.recipient if said.archive else None,
        "gazette_entry": said.retirement.index,
    }
    if options.json:
        terminal.print_json(summary)
        return 0
    for name, value in summary.items():
        terminal.say(f"{name.replace('_', ' '):16} {'none' if value is None else value}")
    terminal.note("the desk signed this and the board bears it out; no log proves erasure")
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
        f"{epoch.number} until {format_instant(epoch.closes)}"
        + (", keys said destroyed" if state.retired(epoch.number) else "")
        for epoch in state.epochs
    ]
    return {
        "name": state.programme.word("name"),
        "board": board,
        "must_sign": state.roster.threshold,
        "statutes": statutes,
        "desk_epochs": epochs,
        "archive": state.archives[-1].recipient if state.archives else None,
        "credits": [
            f"{count.group.word}, period {count.group.period}: {count.issued} issued, "
            f"{count.redeemed} redeemed"
            for count in state.credit_counts
            if count is state.credit_count(count.group)
        ],
        "publications": len(state.publications),
        "entries": state.size,
        "as_of": format_instant(view.cosigned.logged_by),
        "cosigned_by": [name for name, _ in view.cosigned.cosignatures],
    }
