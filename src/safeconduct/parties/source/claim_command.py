"""`safeconduct source claim | appeal`: give a name, and ask for what the law grants."""

import argparse
from collections.abc import Callable
from pathlib import Path

from safeconduct.errors import MalformedError, RefusedError, UnverifiedError
from safeconduct.parties.source.appeal import file_appeal, make_appeal
from safeconduct.parties.source.claim import (
    Opening,
    Terms,
    claim_credited,
    claim_denounced,
    claim_helped,
    claimant_keys,
    redemption_keys,
)
from safeconduct.parties.source.door import Door
from safeconduct.parties.source.inbox import Contribution, read_inbox, with_receipt
from safeconduct.parties.source.inbox_command import contribution
from safeconduct.parties.source.open import plan_whole
from safeconduct.parties.source.options import (
    Travel,
    add_common,
    add_files,
    add_travel,
    ask_words,
    check_number,
    read_sources,
)
from safeconduct.plumbing import clock, dice, terminal
from safeconduct.plumbing.circuits import Circuits
from safeconduct.plumbing.durable import read_file
from safeconduct.plumbing.logs import log_record, read_gazette
from safeconduct.plumbing.programme import Programme, load_programme
from safeconduct.plumbing.register import RegisterDoor
from safeconduct.plumbing.terminal import Verbs
from safeconduct.protocol.canonical import decode_text, parse_hex
from safeconduct.protocol.claim import GROUNDS, JOINT_MAX, LANGUAGES
from safeconduct.protocol.claim.make import check_name
from safeconduct.protocol.envelope import Source
from safeconduct.protocol.evidence.capture import check_capture, public_hash
from safeconduct.protocol.gazette import credit_group, credit_terms
from safeconduct.protocol.keys import ContributionKeys, contribution_keys, master_key
from safeconduct.protocol.opening import INLINE_PAYLOAD_BYTES_MAX, format_inline
from safeconduct.protocol.receipt import verify_receipt
from safeconduct.protocol.record import parse_any, parse_record, parse_signed
from safeconduct.protocol.statute.instant import format_instant

REASONS_BYTES_MAX = 1 << 20
EVIDENCE_BYTES_MAX = 256 << 10
HASH_BYTES = 32
DEFAULT_LANGUAGE = "en"

Make = Callable[[Terms], bytes]

CLAIM_EXAMPLES = """\
examples:
  safeconduct source claim --programme programme/ --subject r-0001 --name 'your legal name'
  safeconduct source claim --programme programme/ --subject r-0001 --name … --credit --number 0
  safeconduct source claim --programme programme/ --subject r-0001 --name … --opening \\
      --message letter.txt ledger.xlsx
  safeconduct source claim --programme programme/ --subject r-0001 --name … --capture capture/

With --credit the register learns which class of help you gave, and no tip. With --opening it
learns all of the tip: only for a desk that does not answer. Without, it learns which tip it is.
Who gave a tip together names the others with --joint; each claims, and each names the same.
"""

APPEAL_EXAMPLES = """\
examples:
  safeconduct source appeal --programme programme/ --page HEX --ground fact --reasons why.txt

The page is the last part of your case's private address. Your words sign the appeal.
"""


def add_verbs(verbs: Verbs) -> None:
    """Add the verbs that speak with the register."""
    verb = terminal.add_verb(
        verbs, "claim", "give a name and ask for what the law grants", CLAIM_EXAMPLES
    )
    add_common(verb)
    verb.add_argument("--subject", required=True, help="your number in the register")
    verb.add_argument("--name", required=True, help="your legal name")
    verb.add_argument("--number", type=int, default=0, help="the contribution relied on")
    verb.add_argument(
        "--sealed", action="store_true", help="ask that the evidence stay unpublished"
    )
    basis = verb.add_mutually_exclusive_group()
    basis.add_argument("--credit", action="store_true", help="claim with the tip's credit")
    basis.add_argument(
        "--opening", action="store_true", help="show the tip itself, of which the files follow"
    )
    basis.add_argument(
        "--capture", type=Path, metavar="DIR", help="claim as denouncer, with this capture"
    )
    verb.add_argument("--statement", type=int, default=0, help="which statement of the capture")
    verb.add_argument(
        "--letter-language",
        choices=sorted(LANGUAGES),
        default=DEFAULT_LANGUAGE,
        help="in which you want to be written to (en)",
    )
    verb.add_argument(
        "--joint",
        action="append",
        default=[],
        metavar="NUMBER",
        help="somebody who gave this tip together with you; once for each",
    )
    add_files(verb)
    verb.set_defaults(run=_claim)
    add_travel(verb)
    _add_appeal(
        terminal.add_verb(verbs, "appeal", "appeal the decision on a claim", APPEAL_EXAMPLES)
    )


def _add_appeal(verb: argparse.ArgumentParser) -> None:
    add_common(verb)
    verb.add_argument(
        "--page", required=True, metavar="HEX", help="the end of your case's private address"
    )
    verb.add_argument("--ground", required=True, choices=sorted(GROUNDS))
    verb.add_argument(
        "--reasons",
        type=Path,
        required=True,
        metavar="FILE",
        help="you keep it; its hash is sent",
    )
    verb.add_argument("--number", type=int, default=0, help="the contribution claimed with")
    basis = verb.add_mutually_exclusive_group()
    basis.add_argument("--credit", action="store_true", help="the claim was made with a credit")
    basis.add_argument(
        "--denouncer", action="store_true", help="the claim was made with a capture"
    )
    verb.set_defaults(run=_appeal)
    add_travel(verb)


def _joint(options: argparse.Namespace) -> tuple[str, ...]:
    """All who gave the tip together, the claimant among them; nobody if one gave it alone."""
    if not options.joint:
        return ()
    if options.credit or options.capture:
        raise RefusedError("only a tip is claimed jointly", hint="leave --joint out")
    together = tuple(sorted({options.subject, *options.joint}))
    if not 1 < len(together) <= JOINT_MAX:
        raise RefusedError(f"--joint names 1 to {JOINT_MAX - 1} others")
    return together


def _claim(options: argparse.Namespace) -> int:
    programme, travel = load_programme(options.programme), options.travel
    check_name(options.name)
    sources = _files_to_show(options)
    _joint(options)
    make = _claim_maker(programme, ask_words(options), sources, options)
    if options.capture is None:
        travel.wait("register")
    register = RegisterDoor(programme.register, travel.circuits)
    audience, challenge = register.challenge()
    language = options.letter_language
    terms = Terms(
        programme=programme.hash,
        audience=audience,
        challenge=challenge,
        subject=options.subject,
        name=options.name,
        at=clock.seconds(),
        disclosure="sealed" if options.sealed else "open",
        language=language if language != DEFAULT_LANGUAGE else "",
        joint=_joint(options),
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


def _files_to_show(options: argparse.Namespace) -> list[Source]:
    """The tip's files, which only a claim by opening shows.

    Raises:
        RefusedError: they were given without --opening, or it without them.
    """
    if options.opening:
        return read_sources(options)
    if options.files or options.message is not None:
        raise RefusedError("files are shown with --opening only", hint="leave them out")
    return []


def _claim_maker(
    programme: Programme, entropy: bytes, sources: list[Source], options: argparse.Namespace
) -> Make:
    """What makes the bundle; what it rests on is checked before the register is asked."""
    circuits = options.travel.circuits
    if options.capture is not None:
        evidence = _captured(programme, options.capture, options.statement)
        master = master_key(entropy, programme.hash)
        statute = RegisterDoor(programme.register, circuits).statute()
        return lambda terms: claim_denounced(
            master, evidence, statute, terms, dice.random_bytes
        )
    inbox = read_inbox(programme, entropy, circuits)
    item = contribution(inbox, options.number)
    if options.credit:
        return _credit_maker(programme, item, circuits)
    if item.status or sources:  # else it may never have been sent, and is not dated by this
        item = with_receipt(programme, item, options.travel)
    opening = _open(programme, item, inbox, sources, options.travel) if sources else None
    return lambda terms: claim_helped(item, terms, dice.random_bytes, opening)


def _credit_maker(programme: Programme, item: Contribution, circuits: Circuits) -> Make:
    """What makes a claim with a credit, once there are others for it to hide among.

    The register would refuse it otherwise, but only after it has seen name and credit.
    """
    _check_held(item)
    state = read_gazette(programme, circuit=circuits.of("gazette")).state
    group = credit_group(parse_any(item.credit))
    issued, needed = state.credit_count(group).issued, credit_terms(state, group).minimum_issued
    if issued < needed:
        raise RefusedError(
            f"{issued} credits of this kind are counted as issued, and {needed} are needed",
            hint="keep the words, and claim when the board has counted enough of them",
        )
    return lambda terms: claim_credited(item.credit, item.keys, terms, dice.random_bytes)


def _check_held(item: Contribution) -> None:
    if not item.credit:
        raise RefusedError(
            "no credit came for this contribution", hint="`source credit` asks for one"
        )


def _open(
    programme: Programme,
    item: Contribution,
    inbox: tuple[Contribution, ...],
    sources: list[Source],
    travel: Travel,
) -> Opening:
    """The tip itself, with the door's word of when it was delivered.

    Raises:
        RefusedError: it is too long for a claim, was burned, or was sealed from other files.
    """
    assert item.receipt is not None
    if item.receipt.record.number("size") > INLINE_PAYLOAD_BYTES_MAX:
        raise RefusedError(
            f"a claim shows no tip of more than {INLINE_PAYLOAD_BYTES_MAX} bytes",
            hint="`source open` writes a folder for a judge",
        )
    circuits = travel.circuits
    state = read_gazette(programme, circuit=circuits.of("gazette")).state
    plan = plan_whole(item, sources, state, inbox, dice.random_bytes)
    assert plan.envelope is not None
    travel.wait("ledger")
    delivery = Door(programme.door, circuits).finish_delivery(item.capsule.record)
    proof, _ = log_record(programme, delivery, circuit=circuits.of("ledger"))
    text = format_inline(plan.bundle.file_key, b"".join(plan.envelope.payload()))
    return Opening(text=text, delivery=delivery, delivery_proof=proof)


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


def _appellant(
    programme: Programme, entropy: bytes, options: argparse.Namespace
) -> ContributionKeys:
    """The keys that the claim was signed with, by what it rested on."""
    if options.credit:
        inbox = read_inbox(programme, entropy, options.travel.circuits)
        item = contribution(inbox, options.number)
        _check_held(item)
        options.travel.wait("register")
        return redemption_keys(item.credit, item.keys)[0]
    master = master_key(entropy, programme.hash)
    if options.denouncer:
        return claimant_keys(master)
    return contribution_keys(master, options.number)


def _appeal(options: argparse.Namespace) -> int:
    programme, circuits = load_programme(options.programme), options.travel.circuits
    page = parse_hex(options.page, HASH_BYTES, "--page")
    check_number(options.number)
    reasons = read_file(options.reasons, bytes_max=REASONS_BYTES_MAX)
    keys = _appellant(programme, ask_words(options), options)
    decision = RegisterDoor(programme.register, circuits).decision(page)
    signed = make_appeal(
        programme.hash, decision, options.ground, decode_text(reasons, "reasons"), keys
    )
    claim = parse_signed(decision, "decision").record.hash("claim")
    receipt = file_appeal(programme, claim, signed, circuits)
    dated = format_instant(receipt.logged_by)
    if options.json:
        terminal.print_json({"claim": claim.hex(), "logged_by": dated})
    else:
        terminal.say(f"appeal filed, and dated {dated}")
    return 0
