"""`safeconduct source status | inbox | receipt | restore`: come back with the words alone."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from safeconduct.errors import MalformedError, RefusedError
from safeconduct.parties.source.inbox import Contribution, read_inbox, with_receipt
from safeconduct.parties.source.options import EMPTY, add_common, add_travel, ask_words
from safeconduct.parties.source.restore import Restored, restore
from safeconduct.parties.source.send_command import write_receipt
from safeconduct.parties.source.status import ANSWER_DAYS, as_json, in_words, standing
from safeconduct.plumbing import clock, terminal
from safeconduct.plumbing.durable import make_folder, write_secret
from safeconduct.plumbing.programme import load_programme
from safeconduct.plumbing.terminal import Verbs
from safeconduct.protocol.canonical import Json
from safeconduct.protocol.record import record_hash
from safeconduct.protocol.statute.instant import format_instant

ANSWER_DAYS_MAX = 3_650

STATUS_EXAMPLES = """\
examples:
  safeconduct source status --programme programme/
  safeconduct source status --programme programme/ --json

One line for each contribution. Words that have sent nothing, and wrong words, find an empty
mailbox: nobody can tell one from the other, nor can this program.
"""

INBOX_EXAMPLES = """\
examples:
  safeconduct source inbox --programme programme/
  safeconduct source inbox --programme programme/ --socks 127.0.0.1:9050

Everybody's answers are fetched, and yours found here: the door does not learn which they are.
"""

RECEIPT_EXAMPLES = """\
examples:
  safeconduct source receipt --programme programme/ --number 0 --out mine
  safeconduct receipt verify mine.tlog-proof --record mine.record --policy policy.txt

You need no files: your words bring the receipt back. Whoever finds them here knows you helped.
"""

RESTORE_EXAMPLES = """\
examples:
  safeconduct source restore --programme programme/ --mirror https://mirror.example

For when door, log and witnesses are gone, or not to be trusted. Any mirror will do.
"""

_ON_DEMAND = (
    "  another mirror may hold a newer capsule; --compare asks this one for the proof, "
    "and tells it that this entry is yours"
)

_NO_RECEIPT = "wait and look again; or if it was sent, have the log give it again: --ask"


def add_verbs(verbs: Verbs) -> None:
    """Add the verbs that read."""
    verb = terminal.add_verb(
        verbs, "status", "where each contribution stands, from the words alone", STATUS_EXAMPLES
    )
    add_common(verb)
    verb.add_argument(
        "--answer-days",
        type=int,
        default=ANSWER_DAYS,
        metavar="N",
        help=f"how long the desk may take to acknowledge (default {ANSWER_DAYS})",
    )
    verb.set_defaults(run=_status)
    add_travel(verb)
    verb = terminal.add_verb(
        verbs, "inbox", "what was sent and answered, from the words alone", INBOX_EXAMPLES
    )
    add_common(verb)
    verb.set_defaults(run=_inbox)
    add_travel(verb)
    verb = terminal.add_verb(verbs, "receipt", "write a receipt to two files", RECEIPT_EXAMPLES)
    add_common(verb)
    verb.add_argument("--number", type=int, default=0, help="which contribution, from 0")
    verb.add_argument(
        "--out", type=Path, required=True, help="writes OUT.tlog-proof, OUT.record"
    )
    verb.add_argument(
        "--ask",
        action="store_true",
        help="ask the log, if your capsule holds none; it learns that somebody wants this one",
    )
    verb.set_defaults(run=_receipt)
    add_travel(verb)
    _add_restore(
        terminal.add_verb(
            verbs,
            "restore",
            "get receipts back from a mirror, without door and log",
            RESTORE_EXAMPLES,
        )
    )


def _add_restore(verb: argparse.ArgumentParser) -> None:
    add_common(verb)
    verb.add_argument("--mirror", required=True, metavar="URL", help="any mirror you reach")
    verb.add_argument(
        "--out", type=Path, metavar="DIR", help="writes DIR/N.record and DIR/N.tlog-proof"
    )
    verb.add_argument(
        "--compare",
        action="store_true",
        help="ask for every proof and take the earlier date; the mirror learns which are yours",
    )
    verb.set_defaults(run=_restore)
    add_travel(verb)


def _read(options: argparse.Namespace) -> tuple[Contribution, ...]:
    programme = load_programme(options.programme)
    return read_inbox(programme, ask_words(options), options.travel.circuits)


def _status(options: argparse.Namespace) -> int:
    if not 0 < options.answer_days <= ANSWER_DAYS_MAX:
        raise MalformedError(f"--answer-days: not between 1 and {ANSWER_DAYS_MAX}")
    now = clock.seconds()
    stands = [standing(item, now, options.answer_days) for item in _read(options)]
    if options.json:
        terminal.print_json([as_json(stand) for stand in stands])
        return 0
    for line in [in_words(stand) for stand in stands] or [EMPTY]:
        terminal.say(line)
    return 0


def _inbox(options: argparse.Namespace) -> int:
    contributions = _read(options)
    if options.json:
        terminal.print_json([_summary(item) for item in contributions])
        return 0
    if not contributions:
        terminal.say(EMPTY)
    for item in contributions:
        dated = format_instant(item.receipt.logged_by) if item.receipt else "not dated yet"
        terminal.say(f"contribution {item.keys.number}: {dated}")
        if item.withdrawn:
            terminal.say("  withdrawn by you")
        if item.status:
            terminal.say(f"  acknowledged: {item.status}")
        for doubt in item.doubts:
            terminal.say(f"  an acknowledgement came that does not hold: {doubt}")
        for reply in item.replies:
            terminal.say(f"  answer: {_indented(reply.text)}")
        if item.credit:
            terminal.say("  a credit came: `source credit` shows it")
        elif item.offered:
            terminal.say("  a credit is offered: `source credit` asks for it")
    return 0


def _indented(text: str) -> str:
    """So that no line of an answer can pass for one of ours."""
    return "\n    ".join(text.split("\n"))


def _summary(item: Contribution) -> Json:
    return {
        "number": item.keys.number,
        "logged_by": format_instant(item.receipt.logged_by) if item.receipt else None,
        "acknowledged": item.acknowledgement is not None,
        "status": item.status,
        "withdrawn": item.withdrawn,
        "doubts": list(item.doubts),
        "replies": [reply.text for reply in item.replies],
        "credit": "held" if item.credit else "offered" if item.offered else "",
    }


def contribution(items: Sequence[Contribution], number: int) -> Contribution:
    """The one with this number.

    Raises:
        RefusedError: there is none.
    """
    for item in items:
        if item.keys.number == number:
            return item
    raise RefusedError(f"these words have no contribution {number}", hint=EMPTY)


def _receipt(options: argparse.Namespace) -> int:
    item = contribution(_read(options), options.number)
    if options.ask:
        item = with_receipt(load_programme(options.programme), item, options.travel)
    if item.receipt is None:
        raise RefusedError("this contribution has no receipt yet", hint=_NO_RECEIPT)
    paths = write_receipt(options.out, item.capsule.record, item.capsule.proof)
    if options.json:
        terminal.print_json([str(path) for path in paths])
        return 0
    for path in paths:
        terminal.say(str(path))
    return 0


def _restore(options: argparse.Namespace) -> int:
    programme, circuits = load_programme(options.programme), options.travel.circuits
    found = restore(
        programme,
        ask_words(options),
        options.mirror,
        compare=options.compare,
        circuits=circuits,
    )
    if options.out is not None and found:
        _write_restored(options.out, found)
    if options.json:
        terminal.print_json([_restored_summary(item) for item in found])
    elif not found:
        terminal.say(EMPTY)
    else:
        for item in found:
            _tell_restored(item, asked=options.compare)
    return 0


def _write_restored(folder: Path, found: Sequence[Restored]) -> None:
    terminal.warn("these files show that you have helped: keep them where only you look")
    make_folder(folder, mode=0o700)
    for item in found:
        write_secret(folder / f"{item.number}.record", item.capsule.record)
        if item.receipt is not None:
            write_secret(folder / f"{item.number}.tlog-proof", item.proof)


def _tell_restored(item: Restored, *, asked: bool) -> None:
    if item.receipt is None:
        terminal.say(f"contribution {item.number}: no date that holds ({item.doubt})")
        if not asked:
            terminal.say(_ON_DEMAND)
        return
    record = item.receipt.record
    terminal.say(f"contribution {item.number}: dated {format_instant(item.receipt.logged_by)}")
    terminal.say(
        f"  {record.number('size')} sealed bytes for the desk's epoch"
        f" {record.number('epoch')}; its receipt is from the {item.origin}"
    )


def _restored_summary(item: Restored) -> Json:
    receipt = item.receipt
    return {
        "number": item.number,
        "record_hash": record_hash(item.capsule.record).hex(),
        "kind": receipt.record.kind if receipt else None,
        "logged_by": format_instant(receipt.logged_by) if receipt else None,
        "index": receipt.logged.index if receipt else None,
        "from": item.origin,
        "doubt": item.doubt,
    }
