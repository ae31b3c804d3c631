"""Recheck: a published decision computed again from its own bytes and the Gazette's state.

Anybody gets the same facts, the same tree, the same letter and the same count of votes, or is
told the place where they do not. Of a `sealed` decision law, votes and outcome are recomputed;
the facts themselves can only be taken as the board asserts them, and that is said.

Spec: docs/3-protocol.md §15.4, §15.6, §15.7.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from safeconduct.errors import MalformedError, UnverifiedError
from safeconduct.protocol.canonical import Json, format_json, parse_hex
from safeconduct.protocol.claim import Bundle, is_judgement
from safeconduct.protocol.credit import Credit
from safeconduct.protocol.decision.appealing import appellants, check_appeal, open_appeal
from safeconduct.protocol.decision.behind import Claimed, read_claims, verify_body
from safeconduct.protocol.decision.draft import (
    FALLS,
    Body,
    check_departure,
    check_enough,
    check_result,
    count_votes,
    departure_hash,
)
from safeconduct.protocol.decision.governing import (
    apply_law,
    check_moment,
    read_law,
    versions_at,
)
from safeconduct.protocol.decision.proposal import (
    Proposal,
    find_facts,
)
from safeconduct.protocol.decision.shown import (
    check_fields,
    competing_document,
    letter_of,
    list_of,
    read_object,
    table_of,
    text_of,
)
from safeconduct.protocol.decision.unsealed import Unsealed, UnsealingError
from safeconduct.protocol.gazette import GazetteState
from safeconduct.protocol.reasons import FIRST
from safeconduct.protocol.receipt import Receipt, verify_receipt
from safeconduct.protocol.record import (
    NO_HASH,
    Record,
    SignedRecord,
    parse_signed,
    record_hash,
)
from safeconduct.protocol.statute.evaluate import format_judgement, tree_hash
from safeconduct.protocol.statute.explain import appeal_last_at
from safeconduct.protocol.tlog.policy import Logged, Policy
from safeconduct.protocol.votes import Tally, check_signers

_SALT_BYTES = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Contested:
    """The appeal behind a panel's decision; `first` is what was appealed against."""

    ground: str
    logged: Logged
    record_hash: bytes
    in_time: bool  # by the Ledger's date; otherwise it is the registry's word that it came so
    first: "Rechecked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rechecked:
    """A published decision that came out the same when it was computed again."""

    subject: str
    outcome: str
    yielded: str  # what the statute gives; another than the outcome if the board departed
    departure: str  # why it did; empty if it did not
    sections: tuple[str, ...]
    evidence: str  # "disclosed", "unsealed", or "committed": then facts are the board's word
    relied_on: bytes | None  # see `claim.relied_on`; None where not disclosed
    credit: Credit | None  # that the claimant holds, where disclosed
    signers: tuple[str, ...]
    record_hash: bytes
    logged: Logged
    claim_hash: bytes
    claim_logged: Logged
    result: str = FIRST  # or what the appeal panel made of it
    competing: str = ""  # what the other version of the law yields, if one was applied
    tally: Tally | None = None  # None where the board recorded no votes
    joined: tuple[Claimed, ...] = ()
    joint: tuple[str, ...] = ()
    appeal: Contested | None = None

    @property
    def claims(self) -> frozenset[bytes]:
        """The record hashes of all claims that were decided together."""
        return frozenset((self.claim_hash, *(each.claim_hash for each in self.joined)))

    @property
    def departed(self) -> bool:
        """Whether the board decided otherwise than the statute yields."""
        return self.outcome != self.yielded


@dataclass(frozen=True, slots=True, kw_only=True)
class _Made:
    """A decision that is being computed again, and all that it is computed from."""

    value: dict[str, Json]
    record: Record
    receipt: Receipt
    bundles: tuple[Bundle, ...]  # none where the evidence stays sealed
    claims: tuple[Claimed, ...]
    state: GazetteState
    policy: Policy

    @property
    def claimed_at(self) -> int:
        """When the claim that leads was logged, POSIX seconds."""
        return self.claims[0].logged.logged_by


def recheck(
    data: bytes,
    publication: Record,
    state: GazetteState,
    policy: Policy,
    unsealed: Unsealed | None = None,
) -> Rechecked:
    """Compute a published decision again, from its own bytes and the Gazette's state.

    With `unsealed` what it sealed is computed again as well, and stands for nothing else.

    Raises:
        MalformedError: not the form of a decision object.
        UnsealingError: what is handed over in `unsealed` does not open this decision.
        UnverifiedError: a signature or a receipt does not hold, or something came out
            differently; the message says what.
    """
    value = read_object(data)
    if hashlib.sha256(data).digest() != publication.hash("object"):
        raise UnverifiedError("decision: not the object that the publication names")
    if unsealed is not None and unsealed.decision != publication.hash("object"):
        raise UnsealingError("unsealing: made for another decision")
    found = recompute(value, state, policy, unsealed)
    record = _signed(value).record
    _check_publication(value, record, publication)
    if found.result in FALLS:
        raise UnverifiedError("decision: published, though the appeal panel made it fall")
    final = publication.number("final")
    if found.appeal is not None and final <= found.logged.logged_by:
        raise UnverifiedError("decision: published before the appeal was decided")
    last = appeal_last_at(read_law(state, record.hash("statute")), found.logged.logged_by)
    if found.appeal is None and final <= last:
        raise UnverifiedError("decision: published before its appeal period was over")
    return found


def recompute(
    value: dict[str, Json],
    state: GazetteState,
    policy: Policy,
    unsealed: Unsealed | None = None,
) -> Rechecked:
    """All of a decision object but its publication. Raises as `recheck`."""
    signed = _signed(value)
    record = signed.record
    if record.hash("programme") != state.programme_hash:
        raise UnverifiedError("decision: made in another programme")
    state.statute(record.hash("statute"))
    body, signers = verify_body(signed, state, value["votes"])
    receipt = _receipt(value, signed, state, policy)
    opened = unsealed.claims if unsealed is not None else None
    bundles, claims = read_claims(value, record, receipt, state, policy, opened)
    made = _Made(
        value=value,
        record=record,
        receipt=receipt,
        bundles=bundles,
        claims=claims,
        state=state,
        policy=policy,
    )
    check_moment(state, record.number("as-of"), made.claimed_at, receipt.logged_by)
    parse_hex(text_of(value, "salt"), _SALT_BYTES, "decision object: salt")
    proposal = _proposal(made)
    contested = _contested(made, unsealed)
    if contested is not None:
        check_disjoint(contested.first, body)
    departure = _check_outcome(made, proposal, contested)
    counted = _check_votes(made, proposal, body, signers, contested)
    _check_letter(made, proposal, departure)
    first = claims[0]
    rival = proposal.competing[1].outcome if proposal.competing else ""
    return Rechecked(
        subject=record.word("subject"),
        outcome=record.word("outcome"),
        yielded=proposal.judgement.outcome,
        departure=departure,
        sections=proposal.judgement.sections,
        evidence="unsealed" if opened else "disclosed" if bundles else "committed",
        relied_on=first.relied_on,
        credit=first.credit,
        signers=signers,
        record_hash=receipt.record_hash,
        logged=receipt.logged,
        claim_hash=first.claim_hash,
        claim_logged=first.logged,
        result=record.word("result"),
        competing=rival,
        tally=counted,
        joined=claims[1:],
        joint=first.joint,
        appeal=contested,
    )


def _signed(value: Mapping[str, Json]) -> SignedRecord:
    return parse_signed(text_of(value, "decision").encode("utf-8"), "decision")


def _receipt(
    value: Mapping[str, Json], signed: SignedRecord, state: GazetteState, policy: Policy
) -> Receipt:
    proof = text_of(value, "decision_proof").encode("utf-8")
    return verify_receipt(signed.data, proof, policy, state.programme.word("ledger"))


# What it rests on.


def _proposal(made: _Made) -> Proposal:
    """What evidence and law give, once it is what is shown and what the board signed."""
    value, record, state, claimed_at = made.value, made.record, made.state, made.claimed_at
    facts, shortfalls = value["facts"], list_of(value, "shortfalls")
    if hashlib.sha256(format_json(facts)).digest() != record.hash("facts"):
        raise UnverifiedError("decision: the facts shown are not those the board signed")
    as_of = record.number("as-of")
    if made.bundles:
        judgements = judgements_of(value)
        found, fell = find_facts(
            made.bundles, state, made.policy, judgements, claimed_at, as_of
        )
        if format_json(found) != format_json(facts):
            raise UnverifiedError(
                "decision: the evidence shown proves other facts than those stated"
            )
        if list(fell) != shortfalls:
            raise UnverifiedError("decision: the evidence fell short in other ways than stated")
    else:
        _check_stated(facts, judgements_of(value), shortfalls)
    governed = apply_law(versions_at(state, as_of), facts, claimed_at, as_of)
    if governed.statute.sha256 != record.hash("statute"):
        raise UnverifiedError(
            "decision: made under another statute than the one that governs this claim"
        )
    proposal = Proposal(
        statute=governed.statute,
        facts=facts,
        shortfalls=tuple(str(each) for each in shortfalls),
        judgement=governed.judgement,
        competing=governed.competing,
    )
    _check_judgement(value, record, proposal)
    return proposal


def _check_stated(
    facts: Json, judgements: Mapping[str, bool], shortfalls: Sequence[Json]
) -> None:
    """Check what is said beside sealed evidence: nothing else than the facts that were signed.

    Nothing can be computed here; but what would stand here unchecked could say anything.
    """
    single = facts.get("facts") if isinstance(facts, dict) else None
    for name, judged in judgements.items():
        if not is_judgement(name):
            raise MalformedError("decision object: a judgement that no board makes")
        if isinstance(single, dict) and single.get(name, judged) is not judged:
            raise UnverifiedError(f"decision: {name} was judged otherwise than the facts say")
    if not all(isinstance(each, str) for each in shortfalls):
        raise MalformedError("decision object: a shortfall that is no text")


def judgements_of(value: Mapping[str, Json]) -> dict[str, bool]:
    """What the board judged, as a decision object or a docket says it.

    Raises:
        MalformedError: something that is neither true nor false.
    """
    found: dict[str, bool] = {}
    for name, judged in table_of(value, "judgements").items():
        if not isinstance(judged, bool):
            raise MalformedError("decision object: a judgement must be true or false")
        found[name] = judged
    return found


def _check_judgement(value: dict[str, Json], record: Record, proposal: Proposal) -> None:
    if format_json(value["judgement"]) != format_judgement(proposal.judgement):
        raise UnverifiedError("decision: the statute yields another proof than the one shown")
    if tree_hash(proposal.judgement) != record.hash("judgement"):
        raise UnverifiedError(
            "decision: the statute yields another proof than the board signed"
        )
    if format_json(value["competing"]) != format_json(competing_document(proposal.competing)):
        raise UnverifiedError(
            "decision: the other version of the law yields another result than the one shown"
        )


# What was decided, and by which votes.


def _check_outcome(made: _Made, proposal: Proposal, contested: Contested | None) -> str:
    """The reasons to depart from the statute; empty where the outcome is what it yields."""
    value, record = made.value, made.record
    departure, outcome = text_of(value, "departure"), record.word("outcome")
    check_departure(departure)
    if departure_hash(departure) != record.hash("departure"):
        raise UnverifiedError(
            "decision: the reasons to depart are not those the board signed for"
        )
    statute = proposal.statute
    if outcome not in {each.value for each in (*statute.outcomes, statute.default)}:
        raise UnverifiedError(f"decision: the statute has no outcome {outcome}")
    first = None
    if contested is not None:
        first = _signed(_first(value)).record
        _check_against(record, first)
    check_result(proposal, record.word("result"), outcome, departure, first)
    if outcome != proposal.judgement.outcome and value["votes"] is None:
        raise UnverifiedError("decision: departs from the statute without recorded votes")
    return departure


def _check_against(record: Record, first: Record) -> None:
    """Check that the result called so is what it is, measured against the first decision."""
    same = record.word("outcome") == first.word("outcome")
    if same != (record.word("result") in {"uphold"} | FALLS):
        raise UnverifiedError(f"decision: to {record.word('result')} is something else")
    for name in ("claim", "subject"):
        if record.values[name] != first.values[name]:
            raise UnverifiedError(f"decision: on appeal about another {name}")


def _check_votes(
    made: _Made,
    proposal: Proposal,
    body: Body,
    signers: tuple[str, ...],
    contested: Contested | None,
) -> Tally | None:
    """The tally of the votes that the decision rests on; None where none were recorded."""
    value, record = made.value, made.record
    if value["votes"] is None:
        if record.hash("votes") != NO_HASH:
            raise UnverifiedError("decision: the votes that the board signed for are not shown")
        if contested is not None:
            raise UnverifiedError("decision: on appeal without recorded votes")
        check_enough(proposal.statute, signers)
        return None
    document = format_json(value["votes"])
    if hashlib.sha256(document).digest() != record.hash("votes"):
        raise UnverifiedError("decision: the votes shown are not those the board signed for")
    result = record.word("result")
    voted = result if result in FALLS else record.word("outcome")
    counted = count_votes(proposal, body, document, voted, appealed=contested is not None)
    check_signers(counted, signers)
    return counted


def _check_letter(made: _Made, proposal: Proposal, departure: str) -> None:
    value, record = made.value, made.record
    is_open = record.word("disclosure") == "open"
    if not is_open and value["letter"] is not None:
        raise UnverifiedError("decision: shows the letter of a sealed claim")
    if not made.bundles:
        return
    letter = letter_of(proposal, made.bundles, record, departure)
    if is_open and text_of(value, "letter").encode("utf-8") != letter:
        raise UnverifiedError("decision: the letter shown tells other reasons than these")
    if hashlib.sha256(letter).digest() != record.hash("reasons"):
        raise UnverifiedError("decision: the letter shown is not the one the board signed for")


# The appeal.


def _first(value: Mapping[str, Json]) -> dict[str, Json]:
    return _first_of(table_of(value, "appeal"))


def _first_of(appeal: Mapping[str, Json]) -> dict[str, Json]:
    return check_fields(appeal["first"])


def _contested(made: _Made, unsealed: Unsealed | None) -> Contested | None:
    """The appeal that this decision decides, and the decision appealed against, all of it."""
    value, record = made.value, made.record
    if value["appeal"] is None:
        if record.word("result") != FIRST:
            raise UnverifiedError("decision: on appeal, and the appeal is not shown")
        if unsealed is not None and unsealed.first:
            raise UnsealingError("unsealing: opens a decision appealed against, and none was")
        return None
    shown = table_of(value, "appeal")
    if record.word("result") == FIRST:
        raise UnverifiedError("decision: a first one shows an appeal")
    if shown.keys() != {"decision", "first", "record", "record_proof"}:
        raise MalformedError("decision object: not the fields of an appeal")
    first = check_fields(shown["first"])
    if first["appeal"] is not None:
        raise MalformedError("decision object: an appeal against a decision on appeal")
    if hashlib.sha256(format_json(first)).hexdigest() != shown["decision"]:
        raise UnverifiedError("decision: the first decision shown is not the one named")
    earlier = replace(unsealed, claims=unsealed.first, first=()) if unsealed else None
    before = recompute(first, made.state, made.policy, earlier)
    if not before.claims <= {each.claim_hash for each in made.claims}:
        raise UnverifiedError("decision: on appeal without a claim that was decided first")
    return _appealed(made, shown, before)


def _appealed(made: _Made, shown: Mapping[str, Json], before: Rechecked) -> Contested:
    """The appeal: against just that decision, by whoever had claimed, between the two."""
    data, state = text_of(shown, "record").encode("utf-8"), made.state
    decided = [one for one in made.bundles if one.claim_hash in before.claims]
    appeal = open_appeal(data, appellants(decided) if made.bundles else None)
    if record_hash(data) != made.record.hash("appeal"):
        raise UnverifiedError("decision: the appeal shown is not the one decided")
    check_appeal(appeal, before.record_hash)
    proof = text_of(shown, "record_proof").encode("utf-8")
    logged = verify_receipt(data, proof, made.policy, state.programme.word("ledger"))
    if not before.logged.logged_by <= logged.logged_by <= made.receipt.logged_by:
        raise UnverifiedError("decision: its appeal was not logged between the two decisions")
    statute = read_law(state, _signed(_first_of(shown)).record.hash("statute"))
    return Contested(
        ground=appeal.word("ground"),
        logged=logged.logged,
        record_hash=logged.record_hash,
        in_time=logged.logged_by <= appeal_last_at(statute, before.logged.logged_by),
        first=before,
    )


def check_disjoint(first: Rechecked, panel: Body) -> None:
    """Check that nobody on the appeal panel had a hand in the first decision.

    Raises:
        UnverifiedError: somebody had.
    """
    cast = first.tally
    deciders = set(first.signers)
    if cast is not None:
        deciders |= {*cast.in_favour, *cast.against, *cast.abstained, *cast.absent}
    both = deciders.intersection(panel.members)
    if both:
        raise UnverifiedError(
            f"decision: {', '.join(sorted(both))} decided first and on appeal as well"
        )


def _check_publication(value: dict[str, Json], record: Record, publication: Record) -> None:
    for name, stated in (
        ("subject", value["subject"]),
        ("subject", record.word("subject")),
        ("standing", record.word("outcome")),
    ):
        if publication.word(name) != stated:
            raise UnverifiedError(f"decision: its {name} is not the one published")
    if publication.hash("statute") != record.hash("statute"):
        raise UnverifiedError("decision: published under another statute")
