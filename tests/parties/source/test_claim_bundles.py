"""Bundles as a source's client makes them: with a credit, or with the tip opened."""

from dataclasses import replace

import pytest
from tests.protocol import builders, credited
from tests.protocol.age.chance import dice
from tests.protocol.claiming import CHALLENGE, delivery, inline
from tests.protocol.test_claim_evidence import NOTHING_FOUND, item

from safeconduct.errors import MalformedError, RefusedError
from safeconduct.parties.source.claim import Opening, Terms, claim_credited, claim_helped
from safeconduct.parties.source.inbox import Contribution
from safeconduct.protocol.capsule import Capsule
from safeconduct.protocol.claim import examine, parse_bundle, relied_on
from safeconduct.protocol.credit import nullifier
from safeconduct.protocol.record import parse_any, record_hash

TERMS = Terms(
    programme=builders.PROGRAMME,
    audience=builders.REGISTRY.name,
    challenge=CHALLENGE,
    subject="r-0001",
    name=builders.PERSON,
    at=builders.NOON,
)
each_scheme = pytest.mark.parametrize("scheme", ["plain", "blind"])


@each_scheme
def test_words_and_a_credit_make_a_claim_that_names_no_tip(scheme: str) -> None:
    shown = credited.held(scheme)
    data = claim_credited(shown, builders.source_keys(), TERMS, dice())
    bundle = parse_bundle(data)
    found = examine(bundle, credited.state(scheme), builders.POLICY, NOTHING_FOUND)
    assert found.shortfalls == ()
    assert item(found, "tips")["author_proven"] is True
    assert relied_on(bundle) == nullifier(parse_any(shown).hash("key"))
    assert credited.tip_hash(scheme).hex().encode() not in data


@each_scheme
def test_other_words_make_no_claim_of_it(scheme: str) -> None:
    with pytest.raises(RefusedError, match="not made for these words"):
        claim_credited(credited.held(scheme), builders.source_keys(1), TERMS, dice())


def test_another_record_is_no_credit() -> None:
    with pytest.raises(MalformedError, match="not a credit"):
        claim_credited(builders.statements().record, builders.source_keys(), TERMS, dice())


def contribution() -> Contribution:
    """Our one sealed contribution as the inbox has it, dated and never acknowledged."""
    record = builders.statements().record
    proof = builders.prove(record_hash(record))
    capsule = Capsule(record=record, pre=builders.sealed().pre, proof=proof)
    keys = builders.source_keys()
    return Contribution(keys=keys, capsule=capsule, receipt=None, replies=())


def test_a_tip_that_nobody_acknowledged_is_claimed_on_by_opening_it() -> None:
    signed = delivery()
    proof = builders.prove(record_hash(signed), builders.NOON + builders.DAY)
    opening = Opening(text=inline(), delivery=signed, delivery_proof=proof)
    terms = replace(TERMS, disclosure="sealed")
    bundle = parse_bundle(claim_helped(contribution(), terms, dice(), opening))
    state = builders.gazette_state()
    found = examine(bundle, state, builders.POLICY, NOTHING_FOUND)
    assert item(found, "tips")["acknowledged"] == "ok"
    assert item(found, "tips")["logged"] == [None, builders.NOON]


def test_a_claim_without_an_opening_has_no_place_for_one() -> None:
    bundle = parse_bundle(claim_helped(contribution(), TERMS, dice()))
    assert "opening" not in bundle.fields
    found = examine(bundle, builders.gazette_state(), builders.POLICY, NOTHING_FOUND)
    assert item(found, "tips")["acknowledged"] == "none"
