"""`safeconduct board new-issuing-key`: the key of a group of blind credits, and its draft."""

import argparse
from pathlib import Path

from safeconduct.parties.board.issuing import check_wanted, issuing_key_record
from safeconduct.plumbing import openssl, terminal
from safeconduct.plumbing.logs import read_gazette
from safeconduct.plumbing.programme import load_programme
from safeconduct.protocol.canonical import parse_hex
from safeconduct.protocol.gazette import CreditGroup
from safeconduct.protocol.record import format_record

HELP = "make the key that signs the blind credits of one class and period; prints a draft"


def add_verbs(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the verbs about issuing keys to those of the board."""
    new = verbs.add_parser("new-issuing-key", help=HELP)
    new.add_argument("--programme", type=Path, required=True, metavar="DIR")
    new.add_argument("--statute-hash", required=True, metavar="HEX", help="its SHA-256")
    new.add_argument("--class", required=True, dest="word", metavar="CLASS", help="a grade")
    new.add_argument("--period", type=int, required=True, metavar="N", help="from 1")
    new.add_argument("--key", type=Path, required=True, help="the file to make, mode 0600")
    new.add_argument(
        "--existing", action="store_true", help="the key was made before; print its draft"
    )
    new.set_defaults(run=_new_issuing_key)


def _new_issuing_key(options: argparse.Namespace) -> int:
    state = read_gazette(load_programme(options.programme)).state
    group = CreditGroup(
        statute=parse_hex(options.statute_hash, 32, "--statute-hash"),
        word=options.word,
        period=options.period,
    )
    check_wanted(state, group)
    if not options.existing:
        openssl.new_rsa_key(options.key)
    draft = issuing_key_record(state, group, openssl.public_der(options.key))
    terminal.say(format_record(draft).decode("ascii").rstrip("\n"))
    terminal.note(
        f"{options.key}: keep it offline; whoever has it makes credits. "
        f"{state.roster.threshold} of {len(state.roster.members)} must sign the draft"
    )
    return 0
