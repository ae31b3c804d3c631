"""Decide: the statute proposes, named people sign, the Ledger dates it, the person is told.

    propose   evidence and the board's judgements → facts → the statute's proof → a draft
    enter     the draft comes back signed by t of n → logged → served as a letter
    redeem    if it was decided for the person on a credit: the credit is used up → logged

Then it may be appealed (`appeals`), or it becomes final (`final`).

Spec: docs/3-protocol.md §15.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from safeconduct.errors import ConflictError, RefusedError, UnverifiedError
from safeconduct.parties.registry.appeals import appeal as appeal
from safeconduct.parties.registry.casefile import LETTERS_FOLDER as LETTERS_FOLDER
from safeconduct.parties.registry.casefile import (
    Entered,
    Proposed,
    case_number,
    check_in_time,
    filed_bundle,
    format_entered,
    format_proposed,
    read_entered,
    read_proposed,
    read_remitted,
    receipt_of,
    repropose,
    serve,
)
from safeconduct.parties.registry.final import count_record as count_record
from safeconduct.parties.registry.final import enter_publication as enter_publication
from safeconduct.parties.registry.final import finalise as finalise
from safeconduct.parties.registry.joining import (
    NOTHING,
    Added,
    complete,
    dated,
    ending_with,
    join,
)
from safeconduct.parties.registry.letter import write_letter, write_open
from safeconduct.parties.registry.receive import Registry
from safeconduct.parties.registry.redeeming import redeem as redeem
from safeconduct.parties.registry.redeeming import redeems
from safeconduct.parties.registry.sitting import Sitting, check_settled
from safeconduct.parties.registry.store import UsedUp
from safeconduct.plumbing.logs import log_record
from safeconduct.protocol.case import Case, Event, next_state
from safeconduct.protocol.claim import Bundle
from safeconduct.protocol.decision import (
    Body,
    OpenError,
    Proposal,
    check_enough,
    decision_record,
    propose,
    told,
)
from safeconduct.protocol.docket import deciding_body
from safeconduct.protocol.receipt import Receipt
from safeconduct.protocol.record import (
    Record,
    format_record,
    parse_signed,
    verify_signers,
)
from safeconduct.protocol.statute.explain import appeal_last_at


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
    assessment: tuple[bytes, bytes] = NOTHING,
    *,
    withdrawal: tuple[bytes, bytes] = NOTHING,
    joined: Sequence[bytes] = (),
) -> Draft:
    """Apply the law to a filed claim, and to those `joined` to it, given by their hashes.

    `assessment` is the desk's signed record and its proof, `withdrawal` the author's.

    Raises:
        RefusedError: no such case, already decided, facts are missing, a claim may not be
            joined, or an assessment was given where a credit is shown.
        MalformedError: the judgements are not those the limb calls for.
        UnverifiedError: the claim had expired before the Ledger dated it.
    """
    case = registry.store.case(claim)
    next_state(case.state, "proposed")
    state = registry.gazette().state
    added = Added(assessment=assessment, withdrawal=withdrawal)
    bundle = complete(registry, filed_bundle(case), added, state)
    others = join(registry, bundle, joined)
    proof, claimed_at = dated(registry, bundle)
    bundles = (bundle, *(one.bundle for one in others))
    now, number = registry.seconds(), case_number(registry, claim)
    try:
        proposal = propose(
            bundle,
            state,
            registry.programme.policy,
            judgements,
            now,
            joined=bundles[1:],
            claimed_at=claimed_at,
        )
    except OpenError as error:
        _ask(registry, bundle, told(error.proposal, bundles, number), now)
        raise
    reasons = told(proposal, bundles, number)
    record = decision_record(proposal, bundle, number, hashlib.sha256(reasons).digest())
    proposed = Proposed(
        bundle=bundle, claim_proof=proof, draft=record, judgements=judgements, joined=others
    )
    registry.store.append(claim, Event(kind="proposed", at=now, data=format_proposed(proposed)))
    return Draft(record=format_record(record), proposal=proposal)


def _ask(registry: Registry, bundle: Bundle, reasons: bytes, now: int) -> None:
    """Tell the person which facts are still open, and who owes them."""
    registry.store.append(bundle.claim_hash, Event(kind="asked", at=now, data=reasons))
    serve(registry, bundle.claim_hash, write_open(reasons, bundle), "open")


def enter(
    registry: Registry,
    claim: bytes,
    signed: bytes,
    *,
    votes: bytes = b"",
    departure: str = "",
) -> Served:
    """Take the board's signed decision: check, log, serve. The same one again is no error.

    Without `votes` it is the draft as it was proposed; with them, what they settle: then the
    outcome may be another than the statute yields, for the reasons in `departure`.

    Raises:
        UnverifiedError: not signed by enough of the board, by somebody who did not vote for
            it, or the votes do not carry it.
        ConflictError: it is not the draft that was proposed or that the votes settle, or not
            the one entered before, or the credit was redeemed in another case meanwhile.
        RefusedError: the case is not at this step, or as many credits of the kind are redeemed
            as were issued.
    """
    case = registry.store.case(claim)
    state = registry.gazette().state
    decision = parse_signed(signed, "decision")
    signers = verify_signers(decision, state.roster.members, state.roster.threshold)
    proposed = read_proposed(case)
    proposal = repropose(registry, state, proposed, proposed.draft)
    body = deciding_body(state, appealed=False, excluded=excluded_from(case))
    if votes:
        sitting = Sitting(
            draft=proposed.draft, proposal=proposal, bundles=proposed.bundles, body=body
        )
        check_settled(sitting, decision, signers, votes, departure)
    else:
        _check_unvoted(proposal, body, signers, departure)
        if decision.note.text.encode("utf-8") != format_record(proposed.draft):
            raise ConflictError("the decision signed is not the one that was proposed")
    entered = Entered(decision=signed, proof=b"", votes=votes, departure=departure)
    using = redeems(proposed, decision.record, state)
    receipt = _date(registry, claim, case, entered, using, proposed)
    redeem(registry, claim)
    return _tell(registry, proposed, proposal, entered, receipt)


def _tell(
    registry: Registry,
    proposed: Proposed,
    proposal: Proposal,
    entered: Entered,
    receipt: Receipt,
) -> Served:
    """Serve the letter about a decision: the same, however often it is made."""
    record, bundle = entered.record, proposed.bundle
    reasons = told(
        proposal,
        proposed.bundles,
        record.number("number"),
        outcome=record.word("outcome"),
        departure=entered.departure,
    )
    letter = write_letter(reasons, proposal, bundle, entered.decision, receipt.logged_by)
    return Served(
        record=record,
        logged_by=receipt.logged_by,
        last_appeal_at=appeal_last_at(proposal.statute, receipt.logged_by),
        letter=serve(registry, bundle.claim_hash, letter),
    )


def excluded_from(case: Case) -> frozenset[str]:
    """Who signed a decision in a case that came back to the board, and keeps out of it now."""
    if "remitted" not in case.latest:
        return frozenset()
    before, _ = read_remitted(case)
    return frozenset(line.name for line in parse_signed(before.decision).note.signatures)


def _check_unvoted(
    proposal: Proposal, body: Body, signers: Sequence[str], departure: str
) -> None:
    if departure:
        raise RefusedError("a departure from the statute needs recorded votes")
    check_enough(proposal.statute, signers)
    barred = body.excluded.intersection(signers)
    if barred:
        raise UnverifiedError(f"{', '.join(sorted(barred))} decided this case before")


def _date(
    registry: Registry,
    claim: bytes,
    case: Case,
    entered: Entered,
    using: UsedUp | None,
    proposed: Proposed,
) -> Receipt:
    """The decision's date: settled once, because the appeal period is counted from it."""
    if "decided" not in case.latest:
        next_state(case.state, "decided")
        if using is not None:
            registry.store.check_usable(using, claim)
        now, state = registry.seconds(), registry.gazette().state
        others = ending_with(registry, claim, proposed.joined, now)
        check_in_time(registry, state, proposed, now)
        proof, receipt = log_record(registry.programme, entered.decision)
        check_in_time(registry, state, proposed, receipt.logged_by)
        data = format_entered(replace(entered, proof=proof))
        registry.store.append(
            claim,
            Event(kind="decided", at=now, data=data),
            seen=case,
            redeems=using,
            others=others,
        )
        return receipt
    before = read_entered(case)
    if replace(before, proof=b"") != entered:
        raise ConflictError("another signing of this decision was entered already")
    return receipt_of(registry, before)


def decided_record(registry: Registry, claim: bytes) -> bytes | None:
    """The signed decision of a case, which an appeal names, or None before it was entered."""
    case = registry.store.case(claim)
    return read_entered(case).decision if "decided" in case.latest else None


def read_draft(registry: Registry, claim: bytes) -> Record:
    """The decision record that the board, or the appeal panel, is asked to sign now."""
    case = registry.store.case(claim)
    kind = "appeal_proposed" if "appeal_proposed" in case.latest else "proposed"
    return read_proposed(case, kind).draft
