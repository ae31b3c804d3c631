"""A sitting: a body that has a draft before it, votes, and signs what its votes settle.

What was signed is dated once, and told in a letter that comes out the same however often it is
made: by the board and by the appeal panel alike.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from safeconduct.errors import ConflictError
from safeconduct.parties.registry.casefile import Entered, Proposed, check_in_time
from safeconduct.parties.registry.joining import ending_with
from safeconduct.parties.registry.letter import Letter, write_letter
from safeconduct.parties.registry.receive import Registry
from safeconduct.parties.registry.store import UsedUp
from safeconduct.plumbing.logs import log_record
from safeconduct.protocol.case import Case, Event
from safeconduct.protocol.claim import Bundle
from safeconduct.protocol.decision import FALLS, Body, Proposal, count_votes, final_draft
from safeconduct.protocol.decision.shown import letter_of
from safeconduct.protocol.receipt import Receipt
from safeconduct.protocol.record import Record, SignedRecord, format_record
from safeconduct.protocol.votes import check_signers


@dataclass(frozen=True, slots=True, kw_only=True)
class Sitting:
    """What `final_draft` needs; `first` is the decision appealed against, on appeal."""

    draft: Record
    proposal: Proposal
    bundles: Sequence[Bundle]
    body: Body
    first: Record | None = None


def check_settled(
    sitting: Sitting,
    signed: SignedRecord,
    signers: Sequence[str],
    votes: bytes,
    departure: str,
) -> None:
    """Check that these votes settle just what was signed, and that its signers voted for it.

    Raises:
        MalformedError: votes or departure are out of form.
        UnverifiedError: the votes do not carry it, or somebody signed who did not vote for it.
        ConflictError: another record than the votes settle.
    """
    record = signed.record
    fallen = record.word("result") in FALLS
    voted = record.word("result") if fallen else record.word("outcome")
    due = final_draft(sitting, votes, voted, departure)
    if signed.note.text.encode("utf-8") != format_record(due):
        raise ConflictError("the decision signed is not the one that these votes settle")
    appealed = sitting.first is not None
    check_signers(
        count_votes(sitting.proposal, sitting.body, votes, voted, appealed=appealed), signers
    )


def date_once(
    registry: Registry,
    case: Case,
    proposed: Proposed,
    entered: Entered,
    using: UsedUp | None,
    events: Callable[[Entered, int], Sequence[Event]],
) -> tuple[Entered, Receipt]:
    """Have a decision logged, and note it with all that follows on it: all at once, or nothing.

    `case` is as it was when the decision was weighed; `using` is the credit that it uses up.
    `events` says what to note of the logged decision, at the registry's second.

    Raises:
        ConflictError: something else happened in the case meanwhile, or the credit was used up.
        RefusedError: a joined claim was decided meanwhile, or no credit of the kind is left.
        UnverifiedError: the law has changed since it was proposed.
    """
    claim = proposed.bundle.claim_hash
    if using is not None:
        registry.store.check_usable(using, claim)
    now, state = registry.seconds(), registry.gazette().state
    others = ending_with(registry, claim, proposed.joined, now)
    check_in_time(registry, state, proposed, now)
    proof, receipt = log_record(registry.programme, entered.decision)
    check_in_time(registry, state, proposed, receipt.logged_by)
    logged = replace(entered, proof=proof)
    noted = events(logged, now)
    registry.store.append(claim, *noted, seen=case, redeems=using, others=others)
    return logged, receipt


def letter_about(
    proposed: Proposed,
    proposal: Proposal,
    entered: Entered,
    logged_by: int,
    register: str,
    *,
    final: bool = False,
) -> Letter:
    """The letter about a decision; of a `final` one there is no remedy.

    `register` is the address of the register's site.
    """
    reasons = letter_of(proposal, proposed.bundles, entered.record, entered.departure)
    return write_letter(
        reasons,
        proposal,
        proposed.bundle,
        entered.decision,
        logged_by,
        register,
        final=final,
    )
