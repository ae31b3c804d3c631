"""`safeconduct board panel`: draft who decides on appeals, for the board to sign.

Spec: docs/3-protocol.md §5.2.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

from safeconduct.errors import RefusedError
from safeconduct.plumbing import terminal
from safeconduct.plumbing.durable import write_file
from safeconduct.plumbing.logs import read_gazette
from safeconduct.plumbing.programme import load_programme
from safeconduct.plumbing.terminal import Verbs, add_verb
from safeconduct.protocol.gazette import GazetteState
from safeconduct.protocol.record import NO_HASH, Record, format_record, make_record
from safeconduct.protocol.tlog.note import VerifierKey, parse_vkey

_PANEL = """\
Drafts the record that names the appeal panel: members who never sat on the board, and never
will. The board signs it, and it goes into the Gazette:

  $ safeconduct board panel --programme programme/ --member harbour/panel/1+… \\
        --member harbour/panel/2+… --member harbour/panel/3+… --threshold 2 --out panel.record
  $ safeconduct board sign panel.record --key member/key --out panel.signed
  $ safeconduct board notice panel.signed --programme programme/
"""


def add_verbs(verbs: Verbs) -> None:
    """Add the verb about the appeal panel to those of the board."""
    panel = add_verb(verbs, "panel", "draft who decides on appeals", _PANEL)
    panel.add_argument("--programme", type=Path, required=True, metavar="DIR")
    panel.add_argument("--member", action="append", required=True, metavar="VKEY")
    panel.add_argument("--threshold", type=int, required=True, help="how many must sign")
    panel.add_argument("--out", type=Path, required=True, help="the draft to sign")
    panel.set_defaults(run=_panel)


def panel_record(state: GazetteState, members: Sequence[VerifierKey], threshold: int) -> Record:
    """The next `panel` record, for the board to sign.

    Raises:
        MalformedError: a name or a key is not what its field allows.
        RefusedError: a key has sat on the board, or the threshold is not most of them.
    """
    seated = {key.public: key.name for roster in state.rosters for key in roster.members}
    for member in members:
        if member.public in seated:
            raise RefusedError(
                f"{member.name} has a key of the board, as {seated[member.public]}",
                hint="nobody decides on an appeal against a decision of their own",
            )
    if not len(members) / 2 < threshold <= len(members):
        raise RefusedError("the threshold must be more than half of the members, and not more")
    previous = state.panel
    return make_record(
        "panel",
        programme=state.programme_hash,
        number=1 if previous is None else previous.number + 1,
        previous=NO_HASH if previous is None else previous.hash,
        threshold=threshold,
        members=tuple(members),
    )


def _panel(options: argparse.Namespace) -> int:
    state = read_gazette(load_programme(options.programme)).state
    members = [parse_vkey(member) for member in options.member]
    write_file(options.out, format_record(panel_record(state, members, options.threshold)))
    terminal.say(
        f"{options.out}: {state.roster.threshold} of {len(state.roster.members)} of the board "
        "must sign"
    )
    return 0
