"""`safeconduct source open`: show one tip to somebody, once told what that shows."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from safeconduct.errors import MalformedError, RefusedError
from safeconduct.parties.source.inbox import Contribution, read_inbox, with_receipt
from safeconduct.parties.source.inbox_command import contribution
from safeconduct.parties.source.open import Plan, hand_over, plan_items, plan_whole
from safeconduct.parties.source.options import Travel, add_common, ask_words, file_source
from safeconduct.plumbing import dice, terminal
from safeconduct.plumbing.logs import log_record, read_gazette
from safeconduct.plumbing.programme import Programme, load_programme
from safeconduct.plumbing.terminal import Verbs
from safeconduct.protocol.envelope import MESSAGE_NAME, Source
from safeconduct.protocol.opening import PURPOSES
from safeconduct.protocol.record import record_hash
from safeconduct.protocol.statute.instant import format_instant

CONFIRMATION = "yes"

_OPEN = """\
Makes a folder that proves to a judge, an auditor or a journalist what you sealed, and when. The
words are asked for, and then whether you mean it:

  $ safeconduct source open --programme programme/ --number 0 --purpose court --out opened

With --files the sealed bytes are made again and go into the folder; without, whoever reads it
must get them from the desk. With --item only these files of the tip are shown, in clear:

  $ safeconduct source open --programme programme/ --number 0 --purpose press --item 2 \\
        --message letter.txt --files ledger.xlsx --out opened

Give the files in the same order as when you sent them; a --message counts as the first.
`safeconduct opening verify` and `opening judge` read the folder.
"""

_SHOWS_ALL = """\
You are about to open contribution {number}, dated {dated}, for this purpose: {purpose}.
Whoever gets the folder {out}, and the sealed bytes, can then
  - read all of this tip: every file, and the names of the files
  - see which answers on the bulletin are for it, and which earlier tip it follows, if any
"""
_SHOWS_SOME = """\
You are about to show {count} of {total} files of contribution {number}, dated {dated}, for this
purpose: {purpose}. Whoever gets the folder {out} can then
  - read these files and their names, and see how many others there are, but not what they are
"""
_SHOWS_ALWAYS = """\
  - see the public keys of this contribution: a claim that you make with it, before or after,
    shows the same ones, so that who sees both knows them to be by one person
No other tip of yours is opened or tied to it, and your words are not in it.
What was shown cannot be taken back.
"""
_SHOWS_LOGGED = (
    "The fingerprint of the opening goes into the public Ledger; its content does not."
)
_SHOWS_UNLOGGED = "The opening goes into no log: nobody will be able to tell when it was made."


def add_verbs(verbs: Verbs) -> None:
    """Add `open` to the verbs of a source."""
    verb = terminal.add_verb(verbs, "open", "show one tip, or some of its files", _OPEN)
    add_common(verb)
    verb.add_argument("--number", type=int, required=True, metavar="N", help="from 0")
    verb.add_argument("--purpose", required=True, choices=sorted(PURPOSES))
    verb.add_argument("--message", type=Path, metavar="FILE", help="the message that was sent")
    verb.add_argument("--files", type=Path, nargs="*", default=[], metavar="FILE")
    verb.add_argument(
        "--item",
        type=int,
        action="append",
        default=[],
        metavar="K",
        help="show this file only, counted from 1; may be given again",
    )
    verb.add_argument("--out", type=Path, required=True, metavar="FOLDER", help="a new folder")
    verb.add_argument(
        "--do-not-log", action="store_true", help="keep that it was opened out of the Ledger"
    )
    verb.add_argument("--yes", action="store_true", help="do not ask whether you mean it")
    verb.set_defaults(run=_open)


def _open(options: argparse.Namespace) -> int:
    programme, circuits = load_programme(options.programme), options.travel.circuits
    sources = _sources(options.message, options.files)
    inbox = read_inbox(programme, ask_words(options), circuits)
    plan = _plan(programme, inbox, sources, options)
    terminal.note(_what_it_shows(plan, options))
    if not options.yes:
        _ask()

    def log(opening: bytes) -> bytes:
        options.travel.wait("ledger")
        return log_record(programme, opening, circuit=circuits.of("ledger"))[0]

    opening = hand_over(plan, options.purpose, options.out, None if options.do_not_log else log)
    if options.json:
        logged = not options.do_not_log
        terminal.print_json({"logged": logged, "opening": record_hash(opening).hex()})
    else:
        terminal.say(str(options.out))
    return 0


def _plan(
    programme: Programme,
    inbox: Sequence[Contribution],
    sources: Sequence[Source],
    options: argparse.Namespace,
) -> Plan:
    travel: Travel = options.travel
    item = with_receipt(programme, contribution(inbox, options.number), travel)
    if not options.item:
        state = read_gazette(programme, circuit=travel.circuits.of("gazette")).state
        return plan_whole(item, sources, state, inbox, dice.random_bytes)
    if not sources:
        raise MalformedError("--item needs the files of the tip", hint="--message, --files")
    return plan_items(item, sources, options.item)


def _sources(message: Path | None, files: Sequence[Path]) -> list[Source]:
    """The files of the tip, in the order in which they were sent; perhaps none."""
    attached = [file_source(path) for path in files]
    return attached if message is None else [file_source(message, MESSAGE_NAME), *attached]


def _what_it_shows(plan: Plan, options: argparse.Namespace) -> str:
    receipt = plan.contribution.receipt
    assert receipt is not None
    text = (_SHOWS_SOME if plan.places else _SHOWS_ALL) + _SHOWS_ALWAYS
    told = text.format(
        number=plan.contribution.keys.number,
        dated=format_instant(receipt.logged_by),
        purpose=options.purpose,
        out=options.out,
        count=len(plan.places),
        total=len(plan.bundle.items),
    )
    return told + (_SHOWS_UNLOGGED if options.do_not_log else _SHOWS_LOGGED)


def _ask() -> None:
    """Return if the person types yes.

    Raises:
        RefusedError: they type anything else.
    """
    terminal.note(f"Type {CONFIRMATION} to go on:")
    if sys.stdin.readline().strip() != CONFIRMATION:
        raise RefusedError("nothing was opened", hint=f"type {CONFIRMATION}, or give --yes")
