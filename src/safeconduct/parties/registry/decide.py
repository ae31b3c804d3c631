"""Decide: the statute proposes, named people sign, the Ledger dates it, the person is told.

    propose   evidence and the board's judgements → facts → the statute's proof → a draft
    enter     the draft comes back signed by t of n → logged → served as a letter
    redeem    if it was decided for the person on a credit: the credit is used up → logged

Then it may be appealed (`appeals`), or it becomes final (`final`).

Spec: docs/3-protocol.md §15.
"""

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
    check_one_person,
    gather,
    joined_to,
    leading,
    proposal_for,
)
from safeconduct.parties.registry.letter import write_open
from safeconduct.parties.registry.receive import Registry
from safeconduct.parties.registry.redeeming import redeem as redeem
from safeconduct.parties.registry.redeeming import redeems
from safeconduct.parties.registry.sitting import Sitting, check_settled, date_once, letter_about
from safeconduct.parties.registry.store import UsedUp
from safeconduct.protocol.case import Case, Event, next_state
from safeconduct.protocol.claim import Bundle
from safeconduct.protocol.decision import (
    Body,
    OpenError,
    Proposal,
    check_enough,
    draft_record,
    told,
)
from safeconduct.protocol.docket import deciding_body
from safeconduct.protocol.gazette import GazetteState
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
    check_one_person(joined, judgements)
    case = registry.store.case(claim)
    next_state(case.state, "proposed")
    state = registry.gazette().state
    added = Added(assessment=assessment, withdrawal=withdrawal)
    # What ended with this case in a decision that fell is decided anew with it.
    others = dict.fromkeys((*joined, *joined_to(registry, claim)))
    gathered = gather(registry, claim, added, state, tuple(others))
    now, number = registry.seconds(), case_number(registry, claim)
    try:
        proposal = proposal_for(registry, gathered, state, judgements, now)
    except OpenError as error:
        _ask(registry, gathered.bundle, told(error.proposal, gathered.bundles, number), now)
        raise
    record = draft_record(proposal, gathered.bundles, number)
    proposed = Proposed(
        bundle=gathered.bundle,
        claim_proof=gathered.claim_proof,
        draft=record,
        judgements=judgements,
        joined=gathered.joined,
    )
    registry.store.append(claim, Event(kind="proposed", at=now, data=format_proposed(proposed)))
    return Draft(record=format_record(record), proposal=proposal)


def _ask(registry: Registry, bundle: Bundle, reasons: bytes, now: int) -> None:
    """Tell the person which facts are still open, and who owes them."""
    registry.store.append(bundle.claim_hash, Event(kind="asked", at=now, data=reasons))
    letter = write_open(reasons, bundle, registry.programme.register)
    serve(registry, bundle.claim_hash, letter, "open")


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
    entered = Entered(decision=signed, proof=b"", votes=votes, departure=departure)
    proposed = read_proposed(case)
    proposal = repropose(registry, state, proposed, proposed.draft)
    if not _is_entered(case, entered):
        _check_fresh(state, case, proposed, proposal, entered)
    using = redeems(proposed, decision.record, state)
    receipt = _date(registry, case, proposed, entered, using)
    redeem(registry, claim)
    return _tell(registry, proposed, proposal, entered, receipt)


def _is_entered(case: Case, entered: Entered) -> bool:
    """Whether just this was entered before: then it is taken again, whoever is in office."""
    return "decided" in case.latest and replace(read_entered(case), proof=b"") == entered


def _check_fresh(
    state: GazetteState, case: Case, proposed: Proposed, proposal: Proposal, entered: Entered
) -> None:
    """Check a decision that comes in for the first time: it is for the board in office.

    An earlier board's decision stands, and is rechecked as its own; but whoever left the board
    decides nothing new.
    """
    decision = parse_signed(entered.decision, "decision")
    signers = verify_signers(decision, state.roster.members, state.roster.threshold)
    body = deciding_body(state, appealed=False, excluded=excluded_from(case))
    if entered.votes:
        sitting = Sitting(
            draft=proposed.draft, proposal=proposal, bundles=proposed.bundles, body=body
        )
        check_settled(sitting, decision, signers, entered.votes, entered.departure)
        return
    _check_unvoted(proposal, body, signers, entered.departure)
    if decision.note.text.encode("utf-8") != format_record(proposed.draft):
        raise ConflictError("the decision signed is not the one that was proposed")


def _tell(
    registry: Registry,
    proposed: Proposed,
    proposal: Proposal,
    entered: Entered,
    receipt: Receipt,
) -> Served:
    """Serve the letter about a decision: the same, however often it is made."""
    register = registry.programme.register
    letter = letter_about(proposed, proposal, entered, receipt.logged_by, register)
    return Served(
        record=entered.record,
        logged_by=receipt.logged_by,
        last_appeal_at=appeal_last_at(proposal.statute, receipt.logged_by),
        letter=serve(registry, proposed.bundle.claim_hash, letter),
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
    case: Case,
    proposed: Proposed,
    entered: Entered,
    using: UsedUp | None,
) -> Receipt:
    """The decision's date: settled once, because the appeal period is counted from it."""
    if "decided" not in case.latest:
        next_state(case.state, "decided")
        return date_once(registry, case, proposed, entered, using, _decided)[1]
    before = read_entered(case)
    if replace(before, proof=b"") != entered:
        raise ConflictError("another signing of this decision was entered already")
    return receipt_of(registry, before)


def _decided(logged: Entered, at: int) -> tuple[Event, ...]:
    return (Event(kind="decided", at=at, data=format_entered(logged)),)


def decided_record(registry: Registry, claim: bytes) -> bytes | None:
    """The signed decision on a claim, which an appeal names, or None before it was entered.

    Claims that were decided together have one decision.
    """
    case = registry.store.case(leading(registry, claim))
    return read_entered(case).decision if "decided" in case.latest else None


def read_draft(registry: Registry, claim: bytes) -> Record:
    """The decision record that the board, or the appeal panel, is asked to sign now."""
    case = registry.store.case(claim)
    kind = "appeal_proposed" if "appeal_proposed" in case.latest else "proposed"
    return read_proposed(case, kind).draft
