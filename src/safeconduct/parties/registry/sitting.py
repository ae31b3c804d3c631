"""A sitting: a body that has a draft before it, votes, and signs what its votes settle."""

from collections.abc import Sequence
from dataclasses import dataclass

from safeconduct.errors import ConflictError
from safeconduct.protocol.claim import Bundle
from safeconduct.protocol.decision import FALLS, Body, Proposal, count_votes, final_draft
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
