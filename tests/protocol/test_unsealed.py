"""Unsealing a decision: what is handed over opens what the board published, or nothing."""

import hashlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

import pytest
from tests.protocol.builders import DAY, POLICY, REGISTRY, THE_DATE, claimed, helped_bundle, law
from tests.protocol.decided import (
    NOTHING_FOUND,
    STATE,
    STATUTE,
    Published,
    bundle_of,
    decided,
    honest,
    honest_sealed,
    publish,
)

from safeconduct.errors import MalformedError, UnverifiedError
from safeconduct.protocol.canonical import Json, format_json, parse_json
from safeconduct.protocol.claim import Bundle, parse_bundle, relied_on, with_added
from safeconduct.protocol.decision import (
    Opened,
    Rechecked,
    Unsealed,
    UnsealingError,
    evidence_commitment,
    format_unsealed,
    make_unsealed,
    opens_at,
    parse_unsealed,
    recheck,
)
from safeconduct.protocol.record import Value
from safeconduct.protocol.statute.load import load_statute


def table(data: bytes) -> dict[str, Json]:
    value = parse_json(data, "object")
    assert isinstance(value, dict)
    return value


def unsealing(data: bytes, bundle: Bundle | None = None) -> Unsealed:
    """What the registry hands over for a decision object."""
    sha256 = hashlib.sha256(data).digest()
    bundles = [bundle or bundle_of("sealed")]
    return make_unsealed(table(data), sha256, bundles, (), REGISTRY.seed)


def opened(made: Published, unsealed: Unsealed) -> Rechecked:
    return recheck(made.data, made.publication, STATE, POLICY, unsealed)


def test_an_opened_decision_is_computed_again_from_its_evidence() -> None:
    made = publish(honest_sealed())
    found = opened(made, parse_unsealed(format_unsealed(unsealing(made.data))))
    assert (found.outcome, found.evidence) == ("acquitted", "unsealed")
    assert found.relied_on == relied_on(bundle_of("sealed"))
    assert made.recheck().relied_on is None


def test_nobody_can_try_what_a_seal_may_hide_without_its_secret_salt() -> None:
    """Whoever holds the whole bundle still lacks the salt, which only the registry makes."""
    value, bundle = table(honest_sealed()), bundle_of("sealed")
    evidence, salt = value["evidence"], value["salt"]
    assert isinstance(evidence, dict)
    assert isinstance(salt, str)
    secret = unsealing(honest_sealed()).claims[0].salt
    assert evidence["commitment"] == evidence_commitment(bundle.data, secret).hex()
    assert evidence["commitment"] != evidence_commitment(bundle.data, bytes.fromhex(salt)).hex()
    assert secret.hex().encode() not in honest_sealed()


def another_bundle() -> Bundle:
    return parse_bundle(helped_bundle(claim=claimed(disclosure="sealed", challenge=bytes(32))))


def first_claim(**changes: bytes) -> Callable[[Unsealed], Unsealed]:
    def change(unsealed: Unsealed) -> Unsealed:
        first, *rest = unsealed.claims
        return replace(unsealed, claims=(replace(first, **changes), *rest))

    return change


FALSE: dict[str, tuple[Callable[[Unsealed], Unsealed], str]] = {
    "another claim's bundle": (first_claim(bundle=another_bundle().data), "commitment stands"),
    "the same claim, left open": (first_claim(bundle=bundle_of().data), "commitment stands"),
    "another salt": (first_claim(salt=bytes(32)), "commitment stands"),
    "the salt that stands in the object": (first_claim(salt=bytes(16)), "commitment stands"),
    "another decision": (lambda one: replace(one, decision=bytes(32)), "another decision"),
    "a claim too many": (lambda one: replace(one, claims=one.claims * 2), "opens claims: 2"),
    "no claim": (lambda one: replace(one, claims=()), "opens claims: 0"),
    "a first decision too many": (lambda one: replace(one, first=one.claims), "none was"),
}


@pytest.mark.parametrize(("change", "reason"), FALSE.values(), ids=FALSE)
def test_a_false_unsealing_opens_nothing_and_accuses_nobody(
    change: Callable[[Unsealed], Unsealed], reason: str
) -> None:
    made = publish(honest_sealed())
    with pytest.raises(UnsealingError, match=reason):
        opened(made, change(unsealing(made.data)))


def test_an_open_decision_has_nothing_to_open() -> None:
    made = publish(honest())
    claim = Opened(bundle=bundle_of().data, salt=bytes(32))
    unsealed = Unsealed(decision=hashlib.sha256(made.data).digest(), claims=(claim,))
    with pytest.raises(UnsealingError, match="seals nothing"):
        opened(made, unsealed)


# What a board can sign as long as it stays sealed, and what shows it.


def test_facts_that_sealed_evidence_does_not_show_are_found_when_it_is_opened() -> None:
    """The board asserts a grade, and commits to a bundle in which no desk gave one."""
    ungraded = with_added(bundle_of("sealed"))
    value = table(honest_sealed())
    secret = unsealing(honest_sealed()).claims[0].salt
    commitment = evidence_commitment(ungraded.data, secret)
    made = publish(format_json({**value, "evidence": {"commitment": commitment.hex()}}))
    assert made.recheck().outcome == "acquitted"
    with pytest.raises(UnverifiedError, match="proves other facts") as caught:
        opened(made, unsealing(made.data, ungraded))
    assert not isinstance(caught.value, UnsealingError)


LIES: dict[str, tuple[dict[str, Value], str]] = {
    "a letter that told something else": ({"reasons": bytes(32)}, "not the one the board"),
}


@pytest.mark.parametrize(("changes", "reason"), LIES.values(), ids=LIES)
def test_what_was_signed_under_seal_is_checked_when_it_is_opened(
    changes: dict[str, Value], reason: str
) -> None:
    made = publish(decided(bundle_of("sealed"), NOTHING_FOUND, changes))
    assert made.recheck().evidence == "committed"
    with pytest.raises(UnverifiedError, match=reason) as caught:
        opened(made, unsealing(made.data))
    assert not isinstance(caught.value, UnsealingError)


def test_a_claim_whose_claimant_wanted_it_open_cannot_hide_behind_a_seal() -> None:
    value = table(honest_sealed())
    secret = unsealing(honest_sealed()).claims[0].salt
    commitment = evidence_commitment(bundle_of().data, secret)
    value["evidence"] = {"commitment": commitment.hex()}
    made = publish(format_json(value))
    claim = Opened(bundle=bundle_of().data, salt=secret)
    unsealed = Unsealed(decision=hashlib.sha256(made.data).digest(), claims=(claim,))
    with pytest.raises(UnverifiedError, match="asked that it be open"):
        opened(made, unsealed)


# The form.


def put(name: str, value: Json) -> Callable[[dict[str, Json]], object]:
    return lambda found: found.update({name: value})


SPOILT: dict[str, Callable[[dict[str, Json]], object]] = {
    "another type": put("type", "decision"),
    "a field too many": put("note", ""),
    "a field too few": lambda found: found.pop("first"),
    "claims that are no list": put("claims", {}),
    "no claims": put("claims", []),
    "too many claims": put("claims", [{"bundle": {}, "salt": "00" * 32}] * 5),
    "a claim that is no object": put("claims", ["4be0"]),
    "a claim without its salt": put("claims", [{"bundle": {}}]),
    "a salt that is too short": put("claims", [{"bundle": {}, "salt": "00" * 16}]),
    "a salt that is a number": put("claims", [{"bundle": {}, "salt": 7}]),
    "a bundle that is text": put("claims", [{"bundle": "{}", "salt": "00" * 32}]),
    "a bundle that is too long": put(
        "claims", [{"bundle": {"name": "x" * (513 << 10)}, "salt": "00" * 32}]
    ),
    "a decision that is no hash": put("decision", "4be0"),
    "a decision that is a number": put("decision", 7),
    "a first decision that is null": put("first", None),
}


@pytest.mark.parametrize("change", SPOILT.values(), ids=SPOILT)
def test_what_is_no_unsealing_is_malformed(change: Callable[[dict[str, Json]], object]) -> None:
    value = table(format_unsealed(unsealing(honest_sealed())))
    change(value)
    with pytest.raises(MalformedError, match="unsealing"):
        parse_unsealed(format_json(value))


@pytest.mark.parametrize("data", [b"", b"{}", b"[]", b'{"type":"unsealed"} '])
def test_what_is_not_even_a_table_is_no_unsealing(data: bytes) -> None:
    with pytest.raises(MalformedError):
        parse_unsealed(data)


def test_an_unsealing_has_one_byte_form() -> None:
    data = format_unsealed(unsealing(honest_sealed()))
    assert format_unsealed(parse_unsealed(data)) == data


# The day.


def test_the_day_is_counted_from_the_law_and_the_facts_that_everybody_sees() -> None:
    value = table(law())
    outcomes = value["outcomes"]
    assert isinstance(outcomes, list)
    assert isinstance(outcomes[0], dict)
    outcomes[0]["unseal"] = {"add": ["the_date", "appeal_period"]}
    sealing = load_statute(format_json(value))
    decision = table(honest_sealed())
    assert opens_at(decision, STATUTE) is None
    assert opens_at(decision, sealing) == THE_DATE + 30 * DAY


# Facts on sealed evidence are whatever the board signed: nothing else has read them before.
NO_FACTS: dict[str, Json] = {
    "nothing at all": {},
    "no table": [],
    "no lists": {"facts": {}},
    "lists that are none": {"facts": {}, "lists": 5},
    "an act at no time": {"facts": {}, "lists": {"tips": [{"logged": []}]}},
    "an act at half a time": {"facts": {}, "lists": {"tips": [{"logged": [1]}]}},
    "single facts that are none": {"facts": 5, "lists": {}},
}


@pytest.mark.parametrize("facts", NO_FACTS.values(), ids=NO_FACTS)
def test_facts_that_are_none_are_refused_whoever_signed_them(facts: Json) -> None:
    digest = hashlib.sha256(format_json(facts)).digest()
    value = table(decided(bundle_of("sealed"), changes={"facts": digest}))
    data = format_json({**value, "facts": facts})
    with pytest.raises((MalformedError, UnverifiedError)):
        publish(data).recheck()
    with suppress(MalformedError):
        opens_at({**value, "facts": facts}, STATUTE)
