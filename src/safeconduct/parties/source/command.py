"""`safeconduct source …`: the insider's own tool. Words come from a prompt or a pipe, never
from an argument, and nothing is stored unless a file is asked for.
"""

import argparse
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from safeconduct.errors import MalformedError, RefusedError, UnavailableError, UnverifiedError
from safeconduct.parties.source.appeal import file_appeal, make_appeal
from safeconduct.parties.source.claim import (
    Terms,
    claim_denounced,
    claim_helped,
    claimant_keys,
)
from safeconduct.parties.source.inbox import Contribution, read_inbox
from safeconduct.parties.source.register import RegisterDoor
from safeconduct.parties.source.restore import Restored, restore
from safeconduct.parties.source.send import send
from safeconduct.plumbing import clock, dice, terminal
from safeconduct.plumbing.durable import make_folder, read_file, write_secret
from safeconduct.plumbing.programme import Programme, load_programme
from safeconduct.plumbing.words import format_words, parse_words
from safeconduct.protocol.canonical import Json, decode_text, parse_hex
from safeconduct.protocol.claim import GROUNDS
from safeconduct.protocol.envelope import MESSAGE_NAME, Source
from safeconduct.protocol.evidence.capture import check_capture, public_hash
from safeconduct.protocol.keys import contribution_keys, master_key
from safeconduct.protocol.receipt import verify_receipt
from safeconduct.protocol.record import parse_record, parse_signed, record_hash
from safeconduct.protocol.statute.instant import format_instant

MESSAGE_BYTES_MAX = 1 << 20
EVIDENCE_BYTES_MAX = 256 << 10
READ_BYTES = 1 << 18
NUMBER_MAX = 1_000_000
HASH_BYTES = 32

EXAMPLES = """\
examples:
  safeconduct source new
  safeconduct source send --programme programme/ --message letter.txt ledger.xlsx
  safeconduct source inbox --programme programme/
  safeconduct source receipt --programme programme/ --number 0 --out mine
  safeconduct source restore --programme programme/ --mirror https://mirror.example
  safeconduct source claim --programme programme/ --subject r-0001 --name 'your legal name'

The folder given with --programme holds programme.toml and policy.txt. Take the policy from
somebody you trust: it says which log and which witnesses count.
The twelve words are asked for, or read as the first line of standard input.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verbs of a source."""
    parser.epilog = EXAMPLES
    verbs = parser.add_subparsers(title="verbs", metavar="VERB", required=True)
    new = verbs.add_parser(
        "new", help="twelve fresh words; write them down, they are all there is"
    )
    new.set_defaults(run=_new)
    _add_send(verbs.add_parser("send", help="seal files here, have them dated, deliver them"))
    inbox = verbs.add_parser("inbox", help="what was sent and answered, from the words alone")
    _add_common(inbox)
    inbox.set_defaults(run=_inbox)
    status = verbs.add_parser("status", help="the same as inbox")
    _add_common(status)
    status.set_defaults(run=_inbox)
    receipt = verbs.add_parser("receipt", help="write a receipt to two files")
    _add_common(receipt)
    receipt.add_argument("--number", type=int, default=0, help="which contribution, from 0")
    receipt.add_argument(
        "--out", type=Path, required=True, help="writes OUT.tlog-proof, OUT.record"
    )
    receipt.set_defaults(run=_receipt)
    _add_restore(
        verbs.add_parser(
            "restore", help="get receipts back from a mirror, without door and log"
        )
    )
    _add_claim(verbs.add_parser("claim", help="give a name and ask for what the law grants"))
    _add_appeal(verbs.add_parser("appeal", help="appeal the decision on a claim"))


def _add_common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--programme",
        type=Path,
        required=True,
        metavar="DIR",
        help="programme.toml, policy.txt",
    )
    parser.add_argument("--json", action="store_true", help="print JSON")


def _add_send(parser: argparse.ArgumentParser) -> None:
    _add_common(parser)
    parser.add_argument("--message", type=Path, help="a text file with what you want to say")
    parser.add_argument("files", nargs="*", type=Path, metavar="FILE", help="files to attach")
    parser.add_argument(
        "--number",
        type=int,
        default=0,
        metavar="N",
        help="use no number below N: how many contributions you know to have sent, if the door"
        " shows fewer",
    )
    parser.set_defaults(run=_send)


def _add_restore(parser: argparse.ArgumentParser) -> None:
    _add_common(parser)
    parser.add_argument("--mirror", required=True, metavar="URL", help="any mirror you reach")
    parser.add_argument(
        "--out", type=Path, metavar="DIR", help="writes DIR/N.record and DIR/N.tlog-proof"
    )
    parser.add_argument(
        "--compare",
        action="store_true",
        help="ask for every proof and take the earlier date; the mirror learns which are yours",
    )
    parser.set_defaults(run=_restore)


def _add_claim(parser: argparse.ArgumentParser) -> None:
    _add_common(parser)
    parser.add_argument("--subject", required=True, help="your number in the register")
    parser.add_argument("--name", required=True, help="your legal name")
    parser.add_argument("--number", type=int, default=0, help="the contribution relied on")
    parser.add_argument(
        "--capture", type=Path, metavar="DIR", help="claim as denouncer, with this capture"
    )
    parser.add_argument(
        "--statement", type=int, default=0, help="which statement of the capture"
    )
    parser.add_argument(
        "--sealed", action="store_true", help="ask that the evidence stay unpublished"
    )
    parser.set_defaults(run=_claim)


def _add_appeal(parser: argparse.ArgumentParser) -> None:
    _add_common(parser)
    parser.add_argument(
        "--page", required=True, metavar="HEX", help="the end of your case's private address"
    )
    parser.add_argument("--ground", required=True, choices=sorted(GROUNDS))
    parser.add_argument(
        "--reasons",
        type=Path,
        required=True,
        metavar="FILE",
        help="you keep it; its hash is sent",
    )
    parser.add_argument("--number", type=int, default=0, help="the contribution claimed with")
    parser.add_argument(
        "--denouncer", action="store_true", help="the claim was made with a capture"
    )
    parser.set_defaults(run=_appeal)


def ask_words() -> bytes:
    """The sixteen bytes of the words a person types or pipes in."""
    return parse_words(terminal.ask_secret("your twelve words: "))


def file_source(path: Path, name: str | None = None) -> Source:
    """A file to seal, read in pieces each time it is needed.

    Raises:
        UnavailableError: it cannot be read.
    """

    def read() -> Iterator[bytes]:
        with open(path, "rb") as file:
            while piece := file.read(READ_BYTES):
                yield piece

    if not path.is_file():
        raise UnavailableError(f"{path}: no such file")
    return Source(name=name or path.name, read=read)


def _new(options: argparse.Namespace) -> int:
    terminal.note("Write these down and keep nothing else. Whoever has them is you.")
    terminal.say(format_words(dice.random_bytes(16)))
    return 0


def _send(options: argparse.Namespace) -> int:
    programme = load_programme(options.programme)
    sources = [file_source(path) for path in options.files]
    if options.message is not None:
        sources.insert(0, file_source(options.message, MESSAGE_NAME))
    if not sources:
        raise RefusedError("nothing to send", hint="give --message FILE, or files")
    if not 0 <= options.number <= NUMBER_MAX:
        raise MalformedError(f"--number: not between 0 and {NUMBER_MAX}")
    sent = send(
        programme,
        ask_words(),
        sources,
        at=clock.seconds(),
        random_bytes=dice.random_bytes,
        report=terminal.note,
        number=options.number,
    )
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


def _inbox(options: argparse.Namespace) -> int:
    contributions = read_inbox(load_programme(options.programme), ask_words())
    if options.json:
        terminal.print_json([_summary(item) for item in contributions])
        return 0
    if not contributions:
        terminal.say("empty mailbox — wrong words?")
    for item in contributions:
        dated = format_instant(item.receipt.logged_by) if item.receipt else "not dated yet"
        terminal.say(f"contribution {item.keys.number}: {dated}")
        if item.status:
            terminal.say(f"  acknowledged: {item.status}")
        for doubt in item.doubts:
            terminal.say(f"  an acknowledgement came that does not hold: {doubt}")
        for reply in item.replies:
            terminal.say(f"  answer: {reply.text}")
    return 0


def _summary(item: Contribution) -> Json:
    return {
        "number": item.keys.number,
        "logged_by": format_instant(item.receipt.logged_by) if item.receipt else None,
        "acknowledged": item.acknowledgement is not None,
        "status": item.status,
        "replies": [reply.text for reply in item.replies],
    }


def _receipt(options: argparse.Namespace) -> int:
    item = _contribution(load_programme(options.programme), ask_words(), options.number)
    if not item.capsule.proof:
        raise RefusedError("this contribution has no receipt yet", hint="wait and ask again")
    for suffix, data in (("tlog-proof", item.capsule.proof), ("record", item.capsule.record)):
        path = options.out.with_name(f"{options.out.name}.{suffix}")
        write_secret(path, data)
        terminal.say(str(path))
    return 0


def _restore(options: argparse.Namespace) -> int:
    programme = load_programme(options.programme)
    found = restore(programme, ask_words(), options.mirror, compare=options.compare)
    if options.out is not None and found:
        _write_restored(options.out, found)
    if options.json:
        terminal.print_json([_restored_summary(item) for item in found])
    elif not found:
        terminal.say("empty mailbox — wrong words?")
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


_ON_DEMAND = (
    "  another mirror may hold a newer capsule; --compare asks this one for the proof, "
    "and tells it that this entry is yours"
)


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


def _contribution(programme: Programme, entropy: bytes, number: int) -> Contribution:
    for item in read_inbox(programme, entropy):
        if item.keys.number == number:
            return item
    raise RefusedError(
        f"these words have no contribution {number}", hint="empty mailbox — wrong words?"
    )


def _claim(options: argparse.Namespace) -> int:
    programme = load_programme(options.programme)
    make = _claim_maker(programme, ask_words(), options)
    register = RegisterDoor(programme.register)
    audience, challenge = register.challenge()
    terms = Terms(
        programme=programme.hash,
        audience=audience,
        challenge=challenge,
        subject=options.subject,
        name=options.name,
        at=clock.seconds(),
        disclosure="sealed" if options.sealed else "open",
    )
    filed = register.file(make(terms))
    if options.json:
        terminal.print_json(
            {"case": filed.number, "claim": filed.claim.hex(), "page": filed.page.hex()}
        )
    else:
        page = register.page(filed.page)
        terminal.say(f"filed as case {filed.number}; its private page: {page}")
    return 0


def _claim_maker(
    programme: Programme, entropy: bytes, options: argparse.Namespace
) -> Callable[[Terms], bytes]:
    """What makes the bundle; what it rests on is checked before anybody is asked."""
    if options.capture is None:
        item = _contribution(programme, entropy, options.number)
        return lambda terms: claim_helped(item, terms, dice.random_bytes)
    evidence = _captured(programme, options.capture, options.statement)
    master = master_key(entropy, programme.hash)
    statute = RegisterDoor(programme.register).statute()
    return lambda terms: claim_denounced(master, evidence, statute, terms, dice.random_bytes)


def _captured(programme: Programme, folder: Path, statement: int) -> dict[str, str]:
    """The texts of a capture, as a claim carries them.

    Raises:
        MalformedError, UnverifiedError: the register would not believe it.
        RefusedError: it has no such statement.
    """
    record, proof, public = (
        read_file(folder / name, bytes_max=EVIDENCE_BYTES_MAX)
        for name in ("capture.record", "capture.tlog-proof", "public.json")
    )
    if parse_record(record, "capture").hash("programme") != programme.hash:
        raise MalformedError("the capture belongs to another programme")
    receipt = verify_receipt(record, proof, programme.policy, programme.ledger_origin)
    if receipt.record.hash("public") != public_hash(public):
        raise UnverifiedError("the capture's public part is not the one in its record")
    if not 0 <= statement < len(check_capture(public).statements):
        raise RefusedError(
            f"the capture has no statement {statement}", hint="`press show` numbers them"
        )
    texts = {"record": record, "proof": proof, "capture": public}
    shown = {name: data.decode("utf-8") for name, data in texts.items()}
    return shown | {"statement": str(statement)}


def _appeal(options: argparse.Namespace) -> int:
    programme = load_programme(options.programme)
    page = parse_hex(options.page, HASH_BYTES, "--page")
    reasons = read_file(options.reasons, bytes_max=MESSAGE_BYTES_MAX)
    master = master_key(ask_words(), programme.hash)
    keys = (
        claimant_keys(master)
        if options.denouncer
        else contribution_keys(master, options.number)
    )
    decision = RegisterDoor(programme.register).decision(page)
    signed = make_appeal(
        programme.hash, decision, options.ground, decode_text(reasons, "reasons"), keys
    )
    claim = parse_signed(decision, "decision").record.hash("claim")
    receipt = file_appeal(programme, claim, signed)
    terminal.say(f"appeal filed, and dated {format_instant(receipt.logged_by)}")
    return 0
