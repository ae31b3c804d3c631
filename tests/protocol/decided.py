"""Decisions as a board makes them, rightly and wrongly, and as they are published."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache

from tests.protocol.builders import (
    DAY,
    MEMBERS,
    NOON,
    POLICY,
    REGISTRY,
    claimed,
    gazette_state,
    helped_bundle,
    law,
    prove,
    publication_act,
)

from safeconduct.protocol.canonical import Json, format_json, parse_json
from safeconduct.protocol.claim import Bundle, parse_bundle
from safeconduct.protocol.decision import (
    Proposal,
    Rechecked,
    decision_object,
    decision_record,
    departure_hash,
    propose,
    recheck,
    told,
)
from safeconduct.protocol.record import Record, Value, record_hash, sign_record
from safeconduct.protocol.statute.evaluate import tree_hash
from safeconduct.protocol.statute.explain import appeal_last_at
from safeconduct.protocol.statute.load import load_statute
from safeconduct.protocol.tlog.note import SigningKey
from safeconduct.protocol.votes import Vote, votes_document, votes_hash

STATE = gazette_state()
STATUTE = load_statute(law())
NOTHING_FOUND = {
    "claimant_is_subject": True,
    "grave_crime_proven": False,
    "knowing_falsehood_found": False,
}
SPEAKS = NOTHING_FOUND | {"speaker_is_claimant": True, "denounces": True, "withdrawn": False}
AS_OF = NOON + 3 * DAY
DECIDED = NOON + 4 * DAY
FINAL = appeal_last_at(STATUTE, DECIDED) + 1
TWO = MEMBERS[:2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """A decision object, and the publication that names it."""

    data: bytes
    publication: Record

    def recheck(self) -> Rechecked:
        return recheck(self.data, self.publication, STATE, POLICY)


def publish(data: bytes, **changes: Value) -> Published:
    """Publish whatever `data` is, so that only a look inside tells."""
    fields: dict[str, Value] = {
        "standing": "acquitted",
        "object": hashlib.sha256(data).digest(),
        "final": FINAL,
    }
    return Published(data=data, publication=publication_act(**fields | changes))


@cache
def bundle_of(disclosure: str = "open") -> Bundle:
    return parse_bundle(helped_bundle(claim=claimed(disclosure=disclosure)))


def decided(
    bundle: Bundle,
    judgements: Mapping[str, bool] = NOTHING_FOUND,
    changes: Mapping[str, Value] | None = None,
    *,
    signers: Sequence[SigningKey] = TWO,
    logged: Callable[[bytes], bytes] = lambda entry: prove(entry, DECIDED),
    claim_at: int = AS_OF,
    departure: str = "",
    voted: Sequence[Vote] | None = None,
) -> bytes:
    """The object of a decision whose record says what the board made it say.

    Where it departs, the signers voted for that, unless it is said how all `voted`.
    """
    proposal = propose(bundle, STATE, POLICY, judgements, AS_OF)
    said = dict(changes or {})
    outcome = str(said.get("outcome", proposal.judgement.outcome))
    votes = b""
    if departure or voted is not None:
        cast = votes_of(proposal, outcome, signers) if voted is None else voted
        votes = votes_document(
            tree_hash(proposal.judgement), (key.name for key in MEMBERS), cast
        )
        said = {"votes": votes_hash(votes), **said}
    letter = reasons_of(proposal, bundle, outcome, departure)
    record = decision_record(proposal, bundle, 1, hashlib.sha256(letter).digest())
    said = {"departure": departure_hash(departure), **said}
    signed = sign_record(replace(record, values={**record.values, **said}), signers)
    proof = logged(record_hash(signed))
    claim_proof = prove(bundle.claim_hash, claim_at)
    return decision_object(
        proposal,
        bundle,
        judgements,
        signed,
        proof,
        claim_proof,
        bytes(16),
        departure,
        votes=votes,
        seed=REGISTRY.seed,
    )


def votes_of(proposal: Proposal, outcome: str, voters: Sequence[SigningKey]) -> list[Vote]:
    """A vote for the outcome by each of these, with a reason where it departs."""
    departs = outcome != proposal.judgement.outcome
    return [
        Vote(
            member=key.name,
            vote="depart" if departs else "agree",
            outcome=outcome,
            reasons="I read it so." if departs else "",
        )
        for key in voters
    ]


def reasons_of(proposal: Proposal, bundle: Bundle, outcome: str, departure: str) -> bytes:
    """The letter's reasons; of an outcome that no law has, those of what the law yields."""
    values = [each.value for each in (*proposal.statute.outcomes, proposal.statute.default)]
    given = outcome if outcome in values else proposal.judgement.outcome
    return told(proposal, [bundle], 1, outcome=given, departure=departure)


@cache
def honest() -> bytes:
    return decided(bundle_of())


@cache
def honest_sealed() -> bytes:
    return decided(bundle_of("sealed"))


# What somebody alters.


def altered(data: bytes, change: Callable[[dict[str, Json]], object]) -> bytes:
    value = parse_json(data, "object")
    assert isinstance(value, dict)
    change(value)
    return format_json(value)


def put(name: str, value: Json) -> Callable[[dict[str, Json]], object]:
    return lambda table: table.update({name: value})


def inside(name: str, change: Callable[[dict[str, Json]], object]) -> Callable[..., object]:
    def look(table: dict[str, Json]) -> None:
        inner = table[name]
        assert isinstance(inner, dict)
        change(inner)

    return look
