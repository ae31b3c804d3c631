"""`safeconduct source gazette | prepare`: sealing on a machine that no network reaches."""

import argparse
from pathlib import Path

from safeconduct.errors import RefusedError
from safeconduct.parties.source.answering import add_answers, with_answers
from safeconduct.parties.source.hidden import warn_of_hidden_data
from safeconduct.parties.source.options import (
    add_common,
    add_files,
    ask_words,
    check_number,
    check_receipt_path,
    read_sources,
)
from safeconduct.parties.source.prepare import prepare, send_prepared
from safeconduct.parties.source.send import Wait, no_wait
from safeconduct.plumbing import clock, dice, terminal
from safeconduct.plumbing.circuits import Circuits
from safeconduct.plumbing.durable import read_file, write_file, write_secret
from safeconduct.plumbing.logs import (
    GAZETTE_FILE_BYTES_MAX,
    format_gazette,
    parse_gazette,
    read_gazette,
)
from safeconduct.plumbing.programme import load_programme
from safeconduct.plumbing.terminal import Verbs
from safeconduct.protocol.address import PROFILES
from safeconduct.protocol.questions import QUESTIONS_BYTES_MAX
from safeconduct.protocol.record import format_record, record_hash
from safeconduct.protocol.statute.instant import format_instant

PROFILE_NAMES = {name: profile for profile, name in PROFILES.items()}

GAZETTE_EXAMPLE = """\
On any machine with a network; the file is public data, and proven before it is written:

  $ safeconduct source gazette --programme programme/ --out gazette.saved

Carry it to the machine that has none, and seal there within a day.
"""

PREPARE_EXAMPLE = """\
On a machine without a network; the words are asked for, or read from standard input:

  $ safeconduct source prepare --programme programme/ --gazette gazette.saved --number 0 \\
        --message letter.txt ledger.xlsx --out parcel

Carry the folder `parcel` to a machine with a network; it holds no words:

  $ safeconduct source send --programme programme/ --prepared parcel

Or have one file made, and hand it in with any browser on the door's page:

  $ safeconduct source prepare --programme programme/ --gazette gazette.saved --number 0 \\
        --message letter.txt ledger.xlsx --file envelope.sealed

The number is how many contributions these words have sent before: nobody can be asked for it
here. A number that was used is refused when the folder is sent.
"""


def add_verbs(verbs: Verbs) -> None:
    """Add `gazette` and `prepare` to the verbs of a source."""
    gazette = terminal.add_verb(
        verbs, "gazette", "save the proven Gazette for a machine without a network",
        GAZETTE_EXAMPLE,
    )  # fmt: skip
    add_common(gazette)
    gazette.add_argument("--out", type=Path, required=True, metavar="FILE")
    gazette.set_defaults(run=_gazette)
    _add_prepare(
        terminal.add_verb(verbs, "prepare", "seal files without a network", PREPARE_EXAMPLE)
    )


def _add_prepare(parser: argparse.ArgumentParser) -> None:
    add_common(parser)
    add_files(parser)
    parser.add_argument("--gazette", type=Path, required=True, metavar="FILE")
    parser.add_argument("--number", type=int, required=True, metavar="N")
    out = parser.add_mutually_exclusive_group(required=True)
    out.add_argument("--out", type=Path, metavar="FOLDER")
    out.add_argument(
        "--file",
        type=Path,
        metavar="FILE",
        help="one file instead of a folder, for the door's page in any browser",
    )
    parser.add_argument(
        "--burn", action="store_true", help="keep no key: the words will never open it again"
    )
    parser.add_argument(
        "--profile",
        choices=sorted(PROFILE_NAMES),
        default="hybrid",
        help="hybrid withstands a later quantum computer; classic is for stock tools",
    )
    parser.add_argument(
        "--questions",
        type=Path,
        metavar="FILE",
        help="what the door's /questions.json answered: asked here, or see --answers",
    )
    add_answers(parser)
    parser.set_defaults(run=_prepare)


def _gazette(options: argparse.Namespace) -> int:
    circuit = options.travel.circuits.of("gazette")
    view = read_gazette(load_programme(options.programme), circuit=circuit)
    write_file(options.out, format_gazette(view))
    vouched = format_instant(view.cosigned.vouched_at)
    if options.json:
        terminal.print_json({"entries": view.state.size, "vouched_at": vouched})
    else:
        terminal.say(f"{options.out}: {view.state.size} entries, vouched for at {vouched}")
    return 0


def _prepare(options: argparse.Namespace) -> int:
    programme = load_programme(options.programme)
    view = parse_gazette(
        programme, read_file(options.gazette, bytes_max=GAZETTE_FILE_BYTES_MAX)
    )
    sources = read_sources(options)
    check_number(options.number)
    out = options.file or options.out
    warn_of_hidden_data(options, sources)
    whole = with_answers(options, _questions(options), sources)
    envelope = prepare(
        programme,
        view,
        ask_words(options),
        whole,
        out,
        number=options.number,
        at=clock.seconds(),
        random_bytes=dice.random_bytes,
        report=terminal.note,
        profile=PROFILE_NAMES[options.profile],
        burn=options.burn,
        as_file=options.file is not None,
    )
    size = envelope.record.number("size")
    digest = record_hash(format_record(envelope.record)).hex()
    if options.json:
        terminal.print_json({"number": options.number, "size": size, "record_hash": digest})
    else:
        terminal.say(f"{out}: contribution {options.number}, {size} bytes sealed")
    return 0


def _questions(options: argparse.Namespace) -> bytes:
    """The questions in a file; empty if none was given."""
    if options.questions is None:
        if options.answers is not None:
            raise RefusedError(
                "--answers needs --questions",
                hint="save the door's page /questions.json, and bring it here",
            )
        return b""
    return read_file(options.questions, bytes_max=QUESTIONS_BYTES_MAX)


def run_send_prepared(
    options: argparse.Namespace, *, wait: Wait = no_wait, circuits: Circuits | None = None
) -> int:
    """`send --prepared PATH [--receipt OUT] [--json]`: no words are asked for."""
    check_receipt_path(options.receipt)
    sent = send_prepared(
        load_programme(options.programme),
        options.prepared,
        at=clock.seconds(),
        report=terminal.note,
        wait=wait,
        circuits=circuits,
    )
    dated = format_instant(sent.receipt.logged_by)
    if options.receipt is not None:
        for suffix, data in (("tlog-proof", sent.proof), ("record", sent.record)):
            write_secret(options.receipt.with_name(f"{options.receipt.name}.{suffix}"), data)
    else:
        terminal.note("words and log bring the receipt back: `source receipt --ask`")
    if options.json:
        terminal.print_json(
            {
                "logged_by": dated,
                "index": sent.receipt.logged.index,
                "record_hash": record_hash(sent.record).hex(),
            }
        )
    else:
        terminal.say(f"received, and dated {dated}")
    return 0
