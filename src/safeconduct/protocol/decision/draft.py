"""The decision record: as the law proposes it, and as a body that voted will sign it.

    draft   what the statute yields, without votes
    final   the same with the votes, and with the outcome, reasons and letter that they settle

On appeal the votes name one of the statute's outcomes, or one of two words that are no outcome:

    the first decision's outcome    uphold    it stands
    another outcome                 replace   the panel's decision takes its place
    quash                           quash     it falls, and the claim may be filed anew
    remit                           remit     it falls, and the board decides anew

Nobody is worse off for an appeal: what was decided for the person is only upheld or replaced by
another outcome for the person.

Spec: docs/3-protocol.md §15.3, §15.6, §15.7.
"""

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from safeconduct.errors import MalformedError, UnverifiedError
from safeconduct.protocol import votes as voting
from safeconduct.protocol.canonical import format_json
from safeconduct.protocol.claim import Bundle
from safeconduct.protocol.decision.proposal import Proposal, favours, told
from safeconduct.protocol.reasons import FIRST
from safeconduct.protocol.record import NO_HASH, Record, Value, make_record
from safeconduct.protocol.statute.evaluate import tree_hash
from safeconduct.protocol.statute.text import Procedure, Statute
from safeconduct.protocol.votes import Tally, check_text, check_votes, panel_rules, votes_hash

DEPARTURE_CHARACTERS_MAX = 4_000
UPHOLD, QUASH, REPLACE, REMIT = "uphold", "quash", "replace", "remit"
RESULTS = frozenset({FIRST, UPHOLD, QUASH, REPLACE, REMIT})
FALLS = frozenset({QUASH, REMIT})
"""Results after which nothing is decided, so that nothing is published."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """Who decides: the key names of a board or an appeal panel, and how many must sign.

    `excluded` may neither vote for an outcome nor sign.
    """

    members: tuple[str, ...]
    threshold: int
    excluded: frozenset[str] = frozenset()


class Drafted(Protocol):
    """What a final draft is made of; `docket.Docket` is one."""

    @property
    def draft(self) -> Record:
        """The decision record without votes."""

    @property
    def proposal(self) -> Proposal:
        """What the statute says."""

    @property
    def bundles(self) -> Sequence[Bundle]:
        """The claim, and those that are decided with it."""

    @property
    def body(self) -> Body:
        """Who decides."""

    @property
    def first(self) -> Record | None:
        """On appeal the decision appealed against."""


def decision_record(
    proposal: Proposal,
    bundle: Bundle,
    number: int,
    reasons: bytes,
    *,
    appeal: bytes = NO_HASH,
    result: str = FIRST,
) -> Record:
    """The record for the board to sign; `reasons` is the SHA-256 of the letter's reasons."""
    return make_record(
        "decision",
        programme=bundle.record.hash("programme"),
        number=number,
        statute=proposal.statute.sha256,
        subject=bundle.record.word("subject"),
        claim=bundle.claim_hash,
        outcome=proposal.judgement.outcome,
        facts=hashlib.sha256(format_json(proposal.facts)).digest(),
        judgement=tree_hash(proposal.judgement),
        as_of=proposal.judgement.as_of,
        reasons=reasons,
        departure=departure_hash(""),
        disclosure=bundle.record.word("disclosure"),
        votes=NO_HASH,
        appeal=appeal,
        result=result,
    )


def draft_record(
    proposal: Proposal,
    bundles: Sequence[Bundle],
    number: int,
    *,
    first: Record | None = None,
    appeal: bytes = NO_HASH,
) -> Record:
    """The decision record before any votes.

    On appeal `first` is the decision appealed against, `appeal` the record hash of the appeal.
    """
    result = proposed_result(proposal, first)
    reasons = told(proposal, bundles, number, result=result)
    digest = hashlib.sha256(reasons).digest()
    return decision_record(proposal, bundles[0], number, digest, appeal=appeal, result=result)


def departure_hash(departure: str) -> bytes:
    """What a decision record holds of the reasons to depart from the statute; zeros of none."""
    return hashlib.sha256(departure.encode("utf-8")).digest() if departure else NO_HASH


def final_draft(docket: Drafted, votes: bytes, outcome: str, departure: str = "") -> Record:
    """The decision record that these votes settle, for those to sign who voted for it.

    `votes` is a canonical votes document; `departure` are the reasons of the whole body for
    another outcome than the statute yields, or for a decision that falls.

    Raises:
        MalformedError: votes or departure are out of form.
        UnverifiedError: the votes do not carry the outcome, the statute has no such outcome,
            a departure without reasons or reasons without a departure, or on appeal an outcome
            that leaves the person worse off.
    """
    proposal, first = docket.proposal, docket.first
    count_votes(proposal, docket.body, votes, outcome, appealed=first is not None)
    result, given = settle_result(proposal.statute, outcome, first)
    check_departure(departure)
    check_result(proposal, result, given, departure, first)
    reasons = told(
        proposal,
        docket.bundles,
        docket.draft.number("number"),
        outcome=given,
        departure=departure,
        result=result,
    )
    settled: dict[str, Value] = {
        "outcome": given,
        "reasons": hashlib.sha256(reasons).digest(),
        "departure": departure_hash(departure),
        "votes": votes_hash(votes),
        "result": result,
    }
    return replace(docket.draft, values={**docket.draft.values, **settled})


def count_votes(
    proposal: Proposal, body: Body, votes: bytes, outcome: str, *, appealed: bool
) -> Tally:
    """The tally of the votes that carry `outcome`, cast on just this judgement.

    Raises:
        MalformedError, UnverifiedError: as `check_votes`; or somebody excluded voted for it.
    """
    counted = check_votes(
        votes,
        body.members,
        body.threshold,
        procedure_for(proposal.statute, body, appealed=appealed),
        outcome,
        yielded=proposal.judgement.outcome,
        on=tree_hash(proposal.judgement),
    )
    barred = body.excluded.intersection(counted.in_favour)
    if barred:
        raise UnverifiedError(
            f"votes: {', '.join(sorted(barred))} decided this case before",
            hint="let others decide it",
        )
    return counted


def procedure_for(statute: Statute, body: Body, *, appealed: bool) -> Procedure:
    """The statute's rules for votes; of an appeal panel its own threshold is the rule."""
    if not appealed:
        return statute.procedure
    return panel_rules(statute.procedure, body.threshold)


def check_enough(statute: Statute, signers: Collection[str]) -> None:
    """Check that where no votes were recorded, as many signed as the statute wants to vote.

    Raises:
        UnverifiedError: fewer.
    """
    voting.check_enough(statute.procedure, signers)


def proposed_result(proposal: Proposal, first: Record | None) -> str:
    """The draft's result, before the votes: on appeal, whether the law gives the same."""
    return settle_result(proposal.statute, proposal.judgement.outcome, first)[0]


def settle_result(statute: Statute, outcome: str, first: Record | None) -> tuple[str, str]:
    """What votes for `outcome` come to: the record's `result` and its `outcome`.

    Raises:
        UnverifiedError: the statute has no such outcome.
    """
    values = {each.value for each in (*statute.outcomes, statute.default)}
    if first is None:
        if outcome not in values:
            raise UnverifiedError(f"decision: the statute has no outcome {outcome}")
        return FIRST, outcome
    if outcome == first.word("outcome"):
        return UPHOLD, outcome
    if outcome in values:
        return REPLACE, outcome
    if outcome not in FALLS:
        raise UnverifiedError(f"decision: the statute has no outcome {outcome}")
    return outcome, first.word("outcome")


def check_departure(departure: str) -> None:
    """Check the form of reasons to depart: one line, of 4,000 characters at most.

    Raises:
        MalformedError: another form.
    """
    check_text(departure, "departure", characters_max=DEPARTURE_CHARACTERS_MAX)
    if departure and not departure.strip():
        raise MalformedError("departure: reasons that say nothing")


def check_result(
    proposal: Proposal, result: str, outcome: str, departure: str, first: Record | None
) -> None:
    """Check that reasons are given where they are due, and nowhere else.

    Raises:
        UnverifiedError: they are not; or an appeal would leave the person worse off.
    """
    yielded = proposal.judgement.outcome
    departs = outcome != yielded or result in FALLS
    if departs and not departure:
        raise UnverifiedError(
            f"decision: the statute yields {yielded}, "
            f"the board signed {outcome if result not in FALLS else result} and gave no reason"
        )
    if departure and not departs:
        raise UnverifiedError("decision: reasons for a departure that is none")
    if first is not None:
        check_not_worse(proposal.statute, result, outcome, first.word("outcome"))


def check_not_worse(statute: Statute, result: str, outcome: str, before: str) -> None:
    """Check that an appeal, which only the person makes, takes nothing from them.

    Raises:
        UnverifiedError: it would.
    """
    if not favours(statute, before) or result == UPHOLD:
        return
    if result in FALLS or not favours(statute, outcome):
        raise UnverifiedError(
            "decision: on appeal the person loses what the first decision gave",
            hint="nobody is worse off for an appeal: uphold it",
        )
