"""`safeconduct source send | reply`: seal files here, have them dated, deliver them."""

import argparse
from pathlib import Path

from safeconduct.errors import RefusedError
from safeconduct.parties.source.answering import add_answers, fetch_questions, with_answers
from safeconduct.parties.source.follow import follow
from safeconduct.parties.source.hidden import without_hidden_data
from safeconduct.parties.source.options import (
    add_common,
    add_files,
    add_travel,
    ask_words,
    check_number,
    check_receipt_path,
    read_sources,
)
from safeconduct.parties.source.prepare_command import PROFILE_NAMES, run_send_prepared
from safeconduct.parties.source.send import Sent, send
from safeconduct.plumbing import clock, dice, terminal
from safeconduct.plumbing.durable import write_secret
from safeconduct.plumbing.programme import load_programme
from safeconduct.plumbing.terminal import Verbs
from safeconduct.protocol.statute.instant import format_instant

SEND_EXAMPLES = """\
examples:
  safeconduct source send --programme programme/ --message letter.txt ledger.xlsx
  safeconduct source send --programme programme/ --socks 127.0.0.1:9050 --message letter.txt
  safeconduct source send --programme programme/ --answers answers.json --message letter.txt
  safeconduct source send --programme programme/ --prepared parcel

Whatever breaks off, the same command goes on with the same contribution. Names and contents of
the files are sealed, but files may say inside who wrote them: where mat2 is installed you are
told what they say, and --clean sends copies without it.
With --burn not even your words open it again: it can be claimed with, but never shown.
"""

REPLY_EXAMPLES = """\
examples:
  safeconduct source reply --programme programme/ --number 0 --message answer.txt

The desk sees that it is by whoever sent contribution 0. Nobody else does.
"""


def add_verbs(verbs: Verbs) -> None:
    """Add `send` and `reply` to the verbs of a source."""
    verb = terminal.add_verb(
        verbs, "send", "seal files here, have them dated, deliver them", SEND_EXAMPLES
    )
    _add_sealing(verb)
    verb.add_argument(
        "--number",
        type=int,
        default=0,
        metavar="N",
        help="use no number below N: how many contributions you know to have sent, if the door"
        " shows fewer",
    )
    verb.add_argument(
        "--prepared", type=Path, metavar="PATH", help="send what `prepare` has sealed"
    )
    add_answers(verb)
    verb.set_defaults(run=_send)
    add_travel(verb)
    verb = terminal.add_verb(
        verbs, "reply", "answer the desk, or say more, as the same source", REPLY_EXAMPLES
    )
    _add_sealing(verb)
    verb.add_argument(
        "--number", type=int, required=True, metavar="N", help="which contribution it continues"
    )
    verb.set_defaults(run=_reply)
    add_travel(verb)


def _add_sealing(verb: argparse.ArgumentParser) -> None:
    add_common(verb)
    add_files(verb)
    verb.add_argument(
        "--burn", action="store_true", help="keep no key: your words will never open it again"
    )
    verb.add_argument(
        "--profile",
        choices=sorted(PROFILE_NAMES),
        default="hybrid",
        help="hybrid withstands a later quantum computer; classic is for stock tools",
    )
    verb.add_argument(
        "--clean",
        action="store_true",
        help="send copies of the files without hidden data; needs mat2",
    )
    verb.add_argument(
        "--receipt", type=Path, metavar="OUT", help="writes OUT.tlog-proof, OUT.record"
    )


def _send(options: argparse.Namespace) -> int:
    travel = options.travel
    if options.prepared is not None:
        _check_prepared_alone(options)
        return run_send_prepared(options, wait=travel.wait, circuits=travel.circuits)
    programme = load_programme(options.programme)
    sources = without_hidden_data(options, read_sources(options))
    check_number(options.number)
    check_receipt_path(options.receipt)
    asked = fetch_questions(programme.door, travel.circuits)
    sources = with_answers(options, asked, sources)
    sent = send(
        programme,
        ask_words(options),
        sources,
        at=clock.seconds(),
        random_bytes=dice.random_bytes,
        report=terminal.note,
        number=options.number,
        profile=PROFILE_NAMES[options.profile],
        burn=options.burn,
        wait=travel.wait,
        circuits=travel.circuits,
    )
    return _tell(sent, options)


def _check_prepared_alone(options: argparse.Namespace) -> None:
    """Refuse what would be left out, while the person believes that it went along."""
    answers = options.answers is not None or options.no_answers
    own = options.files or options.message is not None or answers
    if own or options.burn or options.number:
        raise RefusedError(
            "--prepared sends the folder as it is, and nothing else with it",
            hint="leave files, --message, --answers, --burn and --number to `prepare`",
        )


def _reply(options: argparse.Namespace) -> int:
    programme = load_programme(options.programme)
    sources = without_hidden_data(options, read_sources(options))
    check_number(options.number)
    check_receipt_path(options.receipt)
    sent = follow(
        programme,
        ask_words(options),
        options.number,
        sources,
        at=clock.seconds(),
        random_bytes=dice.random_bytes,
        report=terminal.note,
        profile=PROFILE_NAMES[options.profile],
        burn=options.burn,
        wait=options.travel.wait,
        circuits=options.travel.circuits,
    )
    return _tell(sent, options)


def _tell(sent: Sent, options: argparse.Namespace) -> int:
    if options.receipt is not None:
        write_receipt(options.receipt, sent.record, sent.proof)
    dated = format_instant(sent.receipt.logged_by)
    if options.json:
        terminal.print_json(
            {
                "number": sent.number,
                "logged_by": dated,
                "index": sent.receipt.logged.index,
                "record_hash": sent.receipt.record_hash.hex(),
            }
        )
    else:
        terminal.say(f"contribution {sent.number}: received, and dated {dated}")
    return 0


def write_receipt(out: Path, record: bytes, proof: bytes) -> tuple[Path, Path]:
    """Write the two files of a receipt, for their owner alone; returns where they are.

    Raises:
        MalformedError: `out` has no name, or lies in no folder.
        UnavailableError: the disk refused.
    """
    check_receipt_path(out)
    paths = (
        out.with_name(f"{out.name}.tlog-proof"),
        out.with_name(f"{out.name}.record"),
    )
    for path, data in zip(paths, (proof, record), strict=True):
        write_secret(path, data)
    return paths
