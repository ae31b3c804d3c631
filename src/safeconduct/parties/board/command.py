"""`safeconduct board …`: a member's key, and what the board founds, drafts and signs."""

import argparse
from pathlib import Path

from safeconduct.parties.board.console_command import add_verbs as add_console_verbs
from safeconduct.parties.board.found import Founding, founding_record
from safeconduct.parties.board.issuing_command import add_verbs as add_issuing_verbs
from safeconduct.parties.board.panel_command import add_verbs as add_panel_verbs
from safeconduct.parties.board.sign import add_signature, read_draft
from safeconduct.parties.board.statute_publish import add_publish_options
from safeconduct.plumbing import clock, terminal
from safeconduct.plumbing.durable import read_file, write_file
from safeconduct.plumbing.keys import load_signing_key, new_signing_key
from safeconduct.plumbing.logs import log_notice
from safeconduct.plumbing.programme import load_programme
from safeconduct.protocol.record import RECORD_BYTES_MAX, format_record
from safeconduct.protocol.tlog.note import format_vkey, parse_vkey

EXAMPLES = """\
examples:
  safeconduct board new --dir member/ --name harbour/board/1
  safeconduct board sign draft.record --key member/key --out draft.signed
  safeconduct board show draft.signed
  safeconduct board notice draft.signed --programme programme/
  safeconduct board new-issuing-key --programme programme/ --statute-hash 5e1c… \\
      --class useful --period 1 --key issuing.pem > issuing-key.record

A draft goes from member to member; each adds a line on a machine of their own. When enough have
signed, anybody may send it to the Gazette, which takes nothing else.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verbs of the board."""
    parser.epilog = EXAMPLES
    verbs = parser.add_subparsers(title="verbs", metavar="VERB", required=True)
    new = verbs.add_parser("new", help="make a member's key; prints its public half")
    new.add_argument("--dir", type=Path, required=True, help="the member's own folder")
    new.add_argument("--name", required=True, help="the name under every signature")
    new.set_defaults(run=_new)
    _add_found(verbs.add_parser("found", help="draft a programme's founding record"))
    statute = verbs.add_parser("statute", help="as `safeconduct statute publish`")
    statute.add_argument("--law", type=Path, required=True, help="statute, YAML or JSON")
    add_publish_options(statute)
    sign = verbs.add_parser("sign", help="add one member's signature to a draft")
    sign.add_argument("draft", type=Path)
    sign.add_argument("--key", type=Path, required=True, help="the member's key file")
    sign.add_argument("--out", type=Path, help="where to write (default: over the draft)")
    sign.set_defaults(run=_sign)
    show = verbs.add_parser("show", help="what a draft says and who has signed it so far")
    show.add_argument("draft", type=Path)
    show.add_argument("--json", action="store_true", help="print JSON")
    show.set_defaults(run=_show)
    add_issuing_verbs(verbs)
    add_panel_verbs(verbs)
    add_console_verbs(verbs)
    notice = verbs.add_parser("notice", help="send a signed record to the Gazette")
    notice.add_argument("signed", type=Path)
    notice.add_argument("--programme", type=Path, required=True, metavar="DIR")
    notice.set_defaults(run=_notice)


def _add_found(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--name", required=True, help="the programme's name, for ever")
    parser.add_argument("--gazette", required=True, metavar="ORIGIN")
    parser.add_argument("--ledger", required=True, metavar="ORIGIN")
    parser.add_argument("--server", required=True, metavar="VKEY", help="the door's key")
    parser.add_argument("--registry", required=True, metavar="VKEY", help="the registry's key")
    parser.add_argument("--member", action="append", required=True, metavar="VKEY")
    parser.add_argument("--threshold", type=int, required=True, help="how many must sign")
    parser.add_argument("--out", type=Path, required=True, help="the draft; all must sign it")
    parser.set_defaults(run=_found)


def _new(options: argparse.Namespace) -> int:
    key = new_signing_key(options.dir / "key", options.name)
    terminal.say(format_vkey(key.verifier()))
    return 0


def _found(options: argparse.Namespace) -> int:
    record = founding_record(
        Founding(
            name=options.name,
            founded=clock.seconds(),
            gazette_origin=options.gazette,
            ledger_origin=options.ledger,
            server=parse_vkey(options.server),
            registry=parse_vkey(options.registry),
            members=[parse_vkey(member) for member in options.member],
            threshold=options.threshold,
        )
    )
    write_file(options.out, format_record(record))
    terminal.say(f"{options.out}: to be signed by all {len(options.member)} members")
    return 0


def _sign(options: argparse.Namespace) -> int:
    draft = read_file(options.draft, bytes_max=RECORD_BYTES_MAX)
    key = load_signing_key(options.key)
    write_file(options.out or options.draft, add_signature(draft, key))
    record, note = read_draft(
        read_file(options.out or options.draft, bytes_max=RECORD_BYTES_MAX)
    )
    terminal.say(f"{record.kind}: {len(note.signatures)} signatures now")
    return 0


def _show(options: argparse.Namespace) -> int:
    record, note = read_draft(read_file(options.draft, bytes_max=RECORD_BYTES_MAX))
    signers = [line.name for line in note.signatures]
    if options.json:
        terminal.print_json({"kind": record.kind, "text": note.text, "signers": signers})
        return 0
    terminal.say(note.text.rstrip("\n"))
    terminal.say("")
    terminal.say(f"signed by: {', '.join(signers) or 'nobody yet'}")
    return 0


def _notice(options: argparse.Namespace) -> int:
    signed = read_file(options.signed, bytes_max=RECORD_BYTES_MAX)
    log_notice(load_programme(options.programme), signed)
    terminal.say("in the Gazette, cosigned by the quorum")
    return 0
