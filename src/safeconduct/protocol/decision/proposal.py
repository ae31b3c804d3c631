"""A proposal: what the law says about a claim, before any human has decided.

    claims ─ examine ─→ facts ─ those that the law speaks of ─→ judgement
                                     │
                  the claim's version of the law, and the one in force at the decision:
                  the person gets the better of the two, and the other is told as well

Where a fact's time may lie on either side of the law's date, and the law settles doubt about
that fact in the person's favour, the fact is taken as not found: so each test of it favours.

Spec: docs/3-protocol.md §15.1, §15.2.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from safeconduct.errors import RefusedError, UnverifiedError
from safeconduct.protocol.canonical import Json
from safeconduct.protocol.claim import (
    Bundle,
    Examined,
    credit_held,
    examine,
    joint_subjects,
    with_added,
)
from safeconduct.protocol.credit import Credit
from safeconduct.protocol.decision.governing import (
    apply_law,
    read_law,
    settle_doubts,
    spoken_of,
    versions_at,
)
from safeconduct.protocol.gazette import GazetteState
from safeconduct.protocol.reasons import FIRST, Told, write_reasons
from safeconduct.protocol.record import Record
from safeconduct.protocol.statute.evaluate import Judgement
from safeconduct.protocol.statute.text import Statute
from safeconduct.protocol.tlog.policy import Policy


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """What the statute says about a claim, before any human has decided.

    `competing` is the other version of the law that was applied as well, and its judgement.
    """

    statute: Statute
    facts: Json
    shortfalls: tuple[str, ...]
    judgement: Judgement
    competing: tuple[Statute, Judgement] | None = None


class OpenError(RefusedError):
    """Nothing can be decided yet; `proposal` holds what is open, and who owes it."""

    def __init__(self, message: str, *, hint: str, proposal: Proposal) -> None:
        super().__init__(message, hint=hint)
        self.proposal = proposal


def propose(
    bundle: Bundle,
    state: GazetteState,
    policy: Policy,
    judgements: Mapping[str, bool],
    as_of: int,
    *,
    joined: Sequence[Bundle] = (),
    claimed_at: int | None = None,
) -> Proposal:
    """Apply the law to what the evidence of a claim, and of those `joined` to it, proves.

    `claimed_at` is when the Ledger dated the claim, by which a version of the law is chosen;
    POSIX seconds, and `as_of` if it is left out.

    Raises:
        MalformedError: the judgements are not those that the limbs call for.
        RefusedError: no law was in force, or the claims may not be joined.
        UnverifiedError: the law that the claim names was never published.
        OpenError: facts are missing that somebody owes.
    """
    state.statute(bundle.record.hash("statute"))
    day = as_of if claimed_at is None else claimed_at
    facts, shortfalls = find_facts((bundle, *joined), state, policy, judgements, day, as_of)
    governed = apply_law(versions_at(state, as_of), facts, day, as_of)
    proposal = Proposal(
        statute=governed.statute,
        facts=facts,
        shortfalls=shortfalls,
        judgement=governed.judgement,
        competing=governed.competing,
    )
    _check_decided(proposal)
    return proposal


def find_facts(
    bundles: Sequence[Bundle],
    state: GazetteState,
    policy: Policy,
    judgements: Mapping[str, bool],
    claimed_at: int,
    as_of: int,
) -> tuple[Json, tuple[str, ...]]:
    """The facts that evidence and judgements come to, and in what they fell short, in words.

    Raises:
        MalformedError, RefusedError: as `propose`.
    """
    versions = versions_at(state, as_of)
    examined = examine(bundles[0], state, policy, judgements, bundles[1:])
    declared = declared_facts(examined, *versions)
    facts, doubts = settle_doubts(versions, declared, claimed_at, as_of)
    notes = (f"{fact} is in doubt, and the law then favours you" for fact in doubts)
    return facts, (*examined.shortfalls, *notes)


def _check_decided(proposal: Proposal) -> None:
    """Check that nothing is open; what could still favour the person goes before a burden."""
    waiting = proposal.judgement.open_facts
    if not proposal.judgement.decided:
        owed = ", ".join(f"{fact.fact} (owed by {fact.owed_by})" for fact in waiting)
        raise OpenError(
            f"nothing can be decided yet: {owed}",
            hint="find these facts first",
            proposal=proposal,
        )


def declared_facts(examined: Examined, *statutes: Statute) -> Json:
    """The examined facts that these statutes speak of; the others do not concern them."""
    return spoken_of(examined.facts, statutes)


def told(
    proposal: Proposal,
    bundles: Sequence[Bundle],
    number: int,
    *,
    outcome: str = "",
    departure: str = "",
    result: str = FIRST,
) -> bytes:
    """The reasons told to the person, whose SHA-256 the decision record holds."""
    return write_reasons(
        Told(
            statute=proposal.statute,
            judgement=proposal.judgement,
            bundles=bundles,
            number=number,
            shortfalls=proposal.shortfalls,
            competing=proposal.competing,
            outcome=outcome or proposal.judgement.outcome,
            departure=departure,
            result=result,
        )
    )


def check_claim_dated(claim: Record, logged_by: int) -> None:
    """Check that a claim was logged while it was still good.

    Raises:
        UnverifiedError: it had expired by then.
    """
    if logged_by > claim.number("expires"):
        raise UnverifiedError(
            "the claim had expired when it was logged", hint="sign and file it anew"
        )


def favours(statute: Statute, value: str) -> bool:
    """Whether the law calls this outcome one for the person."""
    outcomes = (*statute.outcomes, statute.default)
    return any(one.value == value and one.favours == "person" for one in outcomes)


def favours_person(record: Record, state: GazetteState) -> bool:
    """Whether a decision or publication gives what its law calls an outcome for the person."""
    given = record.word({"decision": "outcome", "publication": "standing"}[record.kind])
    return favours(read_law(state, record.hash("statute")), given)


def used_up(bundle: Bundle, decision: Record, state: GazetteState) -> Credit | None:
    """The credit that a decision uses up: the claimant's own, if it was decided for them.

    Who was refused may use it again, for the same person.
    """
    return credit_held(bundle, state) if favours_person(decision, state) else None


def shared_by(bundle: Bundle, state: GazetteState) -> tuple[str, ...]:
    """The register numbers that may each claim on the same tip, sorted.

    Empty unless the claim says who did it together and its law speaks of joint acts: else one
    tip helps one person.
    """
    law = read_law(state, bundle.record.hash("statute"))
    return joint_subjects(bundle) if "tips.joint" in law.facts else ()


def with_assessment(bundle: Bundle, assessment: bytes, proof: bytes) -> Bundle:
    """The bundle on the *helped* limb with the desk's assessment, which the registry adds."""
    if bundle.limb != "helped":
        return bundle
    return with_added(
        bundle,
        **{name: text for name, text in bundle.fields.items() if name.startswith("withdrawal")},
        assessment=assessment.decode("utf-8"),
        assessment_proof=proof.decode("utf-8"),
    )
