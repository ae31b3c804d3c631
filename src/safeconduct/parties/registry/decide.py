"""Decide: the statute proposes, named people sign, the Ledger dates it, the person is told.

    propose   evidence and the board's judgements → facts → the statute's proof → a draft
    enter     the draft comes back signed by t of n → logged → served as a letter
    redeem    if it was decided for the person on a credit: the credit is used up → logged
    appeal    within the statute's period, signed with the claim's own key → suspends
    final     the period is over and nobody appealed → a publication for the board to sign

That a period is over is read off the Gazette's cosigned checkpoint, from no clock of a clerk's.

Spec: docs/3-protocol.md §15.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from safeconduct.errors import ConflictError, MalformedError, RefusedError, UnverifiedError
from safeconduct.parties.registry.letter import Letter, write_letter, write_reasons
from safeconduct.parties.registry.receive import Registry, stands_in_favour
from safeconduct.parties.registry.store import UsedUp
from safeconduct.plumbing.durable import make_folder, write_file
from safeconduct.plumbing.logs import log_notice, log_record
from safeconduct.protocol.canonical import Json, format_json, parse_json
from safeconduct.protocol.case import Case, Event, next_state
from safeconduct.protocol.claim import GROUNDS, Bundle, parse_bundle, redemption_record
from safeconduct.protocol.credit import group_hash
from safeconduct.protocol.decision import (
    OBJECT_BYTES_MAX,
    Proposal,
    check_claim_dated,
    decision_object,
    decision_record,
    favours_person,
    propose,
    used_up,
    with_assessment,
)
from safeconduct.protocol.gazette import GazetteState
from safeconduct.protocol.listing import SALT_BYTES, publication_record
from safeconduct.protocol.receipt import Receipt, verify_receipt
from safeconduct.protocol.record import (
    Record,
    format_record,
    parse_record,
    parse_signed,
    record_hash,
    sign_record,
    verify_signer,
    verify_signers,
)
from safeconduct.protocol.statute.explain import appeal_last_at
from safeconduct.protocol.statute.instant import format_instant
from safeconduct.protocol.statute.load import load_statute
from safeconduct.protocol.statute.text import Outcome
from safeconduct.protocol.tlog.note import ED25519, VerifierKey

LETTERS_FOLDER = "letters"


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A decision record for the board to sign, and what it rests on."""

    record: bytes
    proposal: Proposal


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """A decision that is signed, dated and told to the person."""

    record: Record
    logged_by: int
    last_appeal_at: int
    letter: Path


def propose_decision(
    registry: Registry,
    claim: bytes,
    judgements: Mapping[str, bool],
    assessment: tuple[bytes, bytes] = (b"", b""),
) -> Draft:
    """Apply the law to a filed claim; `assessment` is the desk's signed record and its proof.

    Raises:
        RefusedError: no such case, already decided, facts are missing, or an assessment was
            given where a credit is shown.
        MalformedError: the judgements are not those the limb calls for.
        UnverifiedError: the claim had expired before the Ledger dated it.
    """
    case = registry.store.case(claim)
    filed = parse_bundle(case.latest["filed"].data)
    if filed.limb == "credited" and any(assessment):
        raise RefusedError(
            "a credit names no tip, so there is none to be assessed",
            hint="do not ask which tip it was",
        )
    bundle = with_assessment(filed, *assessment)
    now = registry.seconds()
    state = registry.gazette().state
    proposal = propose(bundle, state, registry.programme.policy, judgements, now)
    number = _number(registry, claim)
    told = write_reasons(proposal, bundle, number)
    record = decision_record(proposal, bundle, number, hashlib.sha256(told).digest())
    claim_proof, dated = log_record(registry.programme, bundle.claim)
    check_claim_dated(bundle.record, dated.logged_by)
    data = format_json(
        {
            "bundle": bundle.data.decode("utf-8"),
            "claim_proof": claim_proof.decode("utf-8"),
            "draft": format_record(record).decode("ascii"),
            "judgements": dict(judgements),
        }
    )
    registry.store.append(claim, Event(kind="proposed", at=now, data=data))
    return Draft(record=format_record(record), proposal=proposal)


def enter(registry: Registry, claim: bytes, signed: bytes) -> Served:
    """Take the board's signed decision: check, log, serve. The same one again is no error.

    Raises:
        UnverifiedError: not signed by enough of the board.
        ConflictError: it is not the draft that was proposed, or not the one entered before, or
            the credit was redeemed in another case meanwhile.
        RefusedError: the case is not at this step, or as many credits of the kind are redeemed
            as were issued.
    """
    case = registry.store.case(claim)
    state = registry.gazette().state
    decision = parse_signed(signed, "decision")
    verify_signers(decision, state.roster.members, state.roster.threshold)
    proposed = _proposed(case)
    if decision.note.text != proposed["draft"]:
        raise ConflictError("the decision signed is not the one that was proposed")
    bundle = parse_bundle(proposed["bundle"].encode("utf-8"))
    receipt = _date(registry, claim, case, signed, _redeems(bundle, decision.record, state))
    redeem(registry, claim)
    proposal = _repropose(registry, state, bundle, case, decision.record)
    told = write_reasons(proposal, bundle, decision.record.number("number"))
    letter = write_letter(told, proposal, bundle, signed, receipt.logged_by)
    return Served(
        record=decision.record,
        logged_by=receipt.logged_by,
        last_appeal_at=appeal_last_at(proposal.statute, receipt.logged_by),
        letter=_serve(registry, claim, letter),
    )


def _date(
    registry: Registry, claim: bytes, case: Case, signed: bytes, redeems: UsedUp | None
) -> Receipt:
    """The decision's date: settled once, because the appeal period is counted from it."""
    if "decided" not in case.latest:
        if redeems is not None:
            registry.store.check_usable(redeems, claim)
        proof, receipt = log_record(registry.programme, signed)
        data = format_json({"decision": signed.decode("utf-8"), "proof": proof.decode("utf-8")})
        event = Event(kind="decided", at=registry.seconds(), data=data)
        registry.store.append(claim, event, redeems=redeems)
        return receipt
    decided = _texts(case.latest["decided"].data)
    if decided["decision"].encode("utf-8") != signed:
        raise ConflictError("another signing of this decision was entered already")
    return _receipt(registry, decided)


def _redeems(bundle: Bundle, decision: Record, state: GazetteState) -> UsedUp | None:
    credit = used_up(bundle, decision, state)
    if credit is None:
        return None
    issued = state.credit_count(credit.group).issued
    return UsedUp(nullifier=credit.nullifier, kind=group_hash(credit.group), issued=issued)


def redeem(registry: Registry, claim: bytes) -> None:
    """Log the redemption of the credit that a decision has used up, and note it in the case.

    Nothing happens if there is none, if it was logged before, or while the case is suspended.
    """
    case = registry.store.case(claim)
    if "redeemed" in case.latest or case.state not in {"decided", "final"}:
        return
    bundle = parse_bundle(_proposed(case)["bundle"].encode("utf-8"))
    if bundle.limb != "credited":
        return
    decision = _texts(case.latest["decided"].data)["decision"].encode("utf-8")
    credit = used_up(bundle, parse_signed(decision).record, registry.gazette().state)
    if credit is None:
        return
    # Signed alike each time, so that a second attempt finds the first one's place in the log.
    signed = sign_record(redemption_record(bundle, credit), [registry.key])
    proof, _ = log_record(registry.programme, signed)
    data = format_json({"proof": proof.decode("utf-8"), "redemption": signed.decode("utf-8")})
    registry.store.append(claim, Event(kind="redeemed", at=registry.seconds(), data=data))


def appeal(registry: Registry, claim: bytes, signed: bytes) -> None:
    """Take an appeal signed with the claim's own key; it suspends every publication.

    The same one again is no error. In time is what came or was dated in time: a claimant who
    had the appeal logged does not lose by a register that was away.

    Raises:
        UnverifiedError: signed by somebody else, or about another decision.
        RefusedError: too late, or nothing to appeal.
    """
    case = registry.store.case(claim)
    if "decided" not in case.latest:
        raise RefusedError("there is no decision to appeal yet")
    decided = _texts(case.latest["decided"].data)
    bundle = parse_bundle(case.latest["filed"].data)
    parsed = parse_signed(signed, "appeal")
    key = VerifierKey(name="claimant", algorithm=ED25519, public=bundle.record.hash("ed25519"))
    record = verify_signer(parsed, key)
    if record.hash("decision") != record_hash(decided["decision"].encode("utf-8")):
        raise UnverifiedError("the appeal is about another decision")
    if record.word("ground") not in GROUNDS:
        raise MalformedError(f"an appeal's ground is one of: {', '.join(sorted(GROUNDS))}")
    if "appealed" not in case.latest:
        at, last = registry.seconds(), _last_appeal(registry, decided)
        if at > last:
            _, dated = log_record(registry.programme, signed)
            at = min(at, dated.logged_by)
        if at > last:
            raise RefusedError("the appeal period is over")
        # Kept before it is logged: a log that is away must not make an appeal late.
        registry.store.append(claim, Event(kind="appealed", at=at, data=signed))
    elif case.latest["appealed"].data != signed:
        raise RefusedError("this decision is under appeal already")
    log_record(registry.programme, signed)


def finalise(registry: Registry, claim: bytes, *, ahead: int = 0) -> Record | None:
    """The publication of a decision that has become final, for the board to sign; else None.

    None as well if the register may not show the decision (`_may_be_shown`). Keeps the object
    it names, so that nothing is published that could not be shown, and makes good a redemption
    that was not logged yet. `ahead` is how many other
    publications, drafted but not yet taken by the Gazette, go before it.
    """
    case = registry.store.case(claim)
    if case.state not in {"decided", "final"}:
        return None
    decided = _texts(case.latest["decided"].data)
    last = _last_appeal(registry, decided)
    view = registry.gazette()
    state, now = view.state, view.cosigned.vouched_at
    if now <= last:
        return None
    if case.state == "decided":
        registry.store.append(claim, Event(kind="final", at=now, data=b"{}"))
    redeem(registry, claim)
    signed = decided["decision"].encode("utf-8")
    record = parse_signed(signed).record
    bundle = parse_bundle(_proposed(case)["bundle"].encode("utf-8"))
    proposal = _repropose(registry, state, bundle, case, record)
    outcome = proposal.statute.outcome(record.word("outcome"))
    if not _may_be_shown(outcome, bundle, case) or _would_undo(registry, state, record):
        return None
    data = decision_object(
        proposal,
        bundle,
        _judgements(case),
        signed,
        decided["proof"].encode("utf-8"),
        _proposed(case)["claim_proof"].encode("utf-8"),
        registry.random_bytes(SALT_BYTES),
    )
    sha256 = hashlib.sha256(data).digest()
    registry.store.keep_object(sha256, record.word("subject"), data)
    return publication_record(
        registry.programme.hash,
        len(state.publications) + 1 + ahead,
        statute=record.hash("statute"),
        subject=record.word("subject"),
        standing=record.word("outcome"),
        object_sha256=sha256,
        final_at=last + 1,
    )


def _may_be_shown(outcome: Outcome, bundle: Bundle, case: Case) -> bool:
    """Whether the register may show a decision.

    Not without the consent that the law asks for; and a stranger's claim that failed says
    nothing about the person.
    """
    if outcome.publish == "never":
        return False
    if outcome.publish == "with_consent" and bundle.record.word("disclosure") != "open":
        return False
    return outcome.favours == "person" or _judgements(case)["claimant_is_subject"]


def _would_undo(registry: Registry, state: GazetteState, record: Record) -> bool:
    """Whether a decision or publication takes from its person what another decision gave."""
    if favours_person(record, state):
        return False
    subject = record.word("subject")
    cases = map(registry.store.case, registry.store.claims_about(subject))
    decisions = [
        parse_signed(_texts(case.latest["decided"].data)["decision"].encode("utf-8")).record
        for case in cases
        if "decided" in case.latest and case.state != "suspended"
    ]
    return stands_in_favour(state, subject) or any(
        favours_person(decision, state) for decision in decisions
    )


def enter_publication(registry: Registry, claim: bytes | None, signed: bytes) -> None:
    """Have a signed publication taken by the Gazette, and note it in its case, if it has one.

    The same one again is no error.

    Raises:
        MalformedError, UnverifiedError: the Gazette does not admit it.
        RefusedError: a decision without its case, one that is not final, or one that would
            undo a decision for the person.
    """
    data = registry.store.object(parse_signed(signed, "publication").record.hash("object"))
    entered = _check_place(registry, claim, data, signed)
    log_notice(registry.programme, signed)
    if claim is not None and not entered:
        event = Event(kind="published", at=registry.seconds(), data=signed)
        registry.store.append(claim, event)


def _check_place(registry: Registry, claim: bytes | None, data: bytes, signed: bytes) -> bool:
    """Whether the case has this publication already; refuses one that may not be made now."""
    value = parse_json(data, "object", bytes_max=OBJECT_BYTES_MAX)
    assert isinstance(value, dict)
    if claim is None:
        if value["type"] != "listing":
            raise RefusedError("a decision is published in its case", hint="name the claim")
        return False
    case = registry.store.case(claim)
    if "published" in case.latest and case.latest["published"].data == signed:
        return True
    next_state(case.state, "published")
    if value.get("decision") != _texts(case.latest["decided"].data)["decision"]:
        raise RefusedError("the publication is about another case")
    _check_now(registry, parse_signed(signed, "publication").record)
    return False


def _check_now(registry: Registry, publication: Record) -> None:
    view = registry.gazette()
    if publication.number("final") > view.cosigned.vouched_at:
        final = format_instant(publication.number("final"))
        raise RefusedError(
            f"the decision becomes final at {final}", hint="the witnesses have not dated that"
        )
    if _would_undo(registry, view.state, publication):
        raise RefusedError("another decision stands in favour of this person")


def count_record(registry: Registry) -> dict[str, int]:
    """How many claims were filed, decided, suspended and published: for a `count` record."""
    states = [registry.store.case(filed.claim).state for filed in registry.store.cases()]
    return {
        "claims": len(states),
        "decided": sum(
            state in {"decided", "suspended", "final", "published"} for state in states
        ),
        "suspended": states.count("suspended"),
        "published": states.count("published"),
    }


def _repropose(
    registry: Registry, state: GazetteState, bundle: Bundle, case: Case, record: Record
) -> Proposal:
    """The proposal behind a decision, computed again for the very second it was made for."""
    return propose(
        bundle, state, registry.programme.policy, _judgements(case), record.number("as-of")
    )


def _receipt(registry: Registry, decided: Mapping[str, str]) -> Receipt:
    return verify_receipt(
        decided["decision"].encode("utf-8"),
        decided["proof"].encode("utf-8"),
        registry.programme.policy,
        registry.programme.ledger_origin,
    )


def _last_appeal(registry: Registry, decided: Mapping[str, str]) -> int:
    receipt = _receipt(registry, decided)
    law = registry.gazette().state.statute(receipt.record.hash("statute")).law
    return appeal_last_at(load_statute(law), receipt.logged_by)


def _serve(registry: Registry, claim: bytes, letter: Letter) -> Path:
    folder = registry.folder / LETTERS_FOLDER
    make_folder(folder, mode=0o700)
    path = folder / f"{claim.hex()}.html"
    write_file(path, letter.html, mode=0o600)
    write_file(path.with_suffix(".txt"), letter.text, mode=0o600)
    return path


def _number(registry: Registry, claim: bytes) -> int:
    return next(filed.number for filed in registry.store.cases() if filed.claim == claim)


def _proposed(case: Case) -> dict[str, str]:
    if "proposed" not in case.latest:
        raise RefusedError("no decision was proposed in this case yet")
    return _texts(case.latest["proposed"].data)


def _judgements(case: Case) -> dict[str, bool]:
    value = parse_json(case.latest["proposed"].data, "event")
    assert isinstance(value, dict)
    judgements = value["judgements"]
    assert isinstance(judgements, dict)
    return {name: judged is True for name, judged in judgements.items()}


def _texts(data: bytes) -> dict[str, str]:
    value: Json = parse_json(data, "event")
    assert isinstance(value, dict)
    return {name: text for name, text in value.items() if isinstance(text, str)}


def decided_record(registry: Registry, claim: bytes) -> bytes | None:
    """The signed decision of a case, or None before it was entered."""
    case = registry.store.case(claim)
    if "decided" not in case.latest:
        return None
    return _texts(case.latest["decided"].data)["decision"].encode("utf-8")


def read_draft(registry: Registry, claim: bytes) -> Record:
    """The decision record that the board is asked to sign in this case."""
    return parse_record(_proposed(registry.store.case(claim))["draft"].encode("ascii"))
