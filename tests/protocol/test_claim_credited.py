"""Claims on credits: what a credit proves, and who may use it, for whom, once."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.protocol import credited
from tests.protocol.builders import (
    DAY,
    MEMBERS,
    NOON,
    POLICY,
    PROGRAMME,
    REGISTRY,
    STRANGER,
    THE_DATE,
    author_seeds,
    by_board,
    helped_bundle,
    signing_key,
    source_keys,
    statements,
)
from tests.protocol.claiming import credited_bundle, redemption
from tests.protocol.test_claim_evidence import NOTHING_FOUND, item

from safeconduct.errors import MalformedError, SafeconductError, UnverifiedError
from safeconduct.protocol.canonical import Json, format_base64, format_json, parse_json
from safeconduct.protocol.claim import (
    Examined,
    check_terms,
    credit_held,
    examine,
    format_bundle,
    open_redemption,
    parse_bundle,
    redeemed_claim,
    redemption_record,
    relied_on,
    shown_credit,
)
from safeconduct.protocol.credit import nullifier, redemption_key, serial_of
from safeconduct.protocol.gazette import credit_group
from safeconduct.protocol.record import (
    Record,
    Value,
    format_record,
    make_record,
    parse_any,
    record_hash,
    sign_record,
)

each_scheme = pytest.mark.parametrize("scheme", ["plain", "blind"])
NOTHING: dict[str, Json] = {
    "acknowledged": "none",
    "author_proven": False,
    "grade": "unproven",
}


def examined(data: bytes, scheme: str = "plain") -> Examined:
    return examine(parse_bundle(data), credited.state(scheme), POLICY, NOTHING_FOUND)


def credit_act(**changes: Value) -> bytes:
    """A plain credit for our contribution, with these changes, as the board signs it."""
    return by_board(_credit(**changes))


def _credit(**changes: Value) -> Record:
    keys = source_keys()
    serial = serial_of(keys, credited.group())
    fields: dict[str, Value] = {
        "programme": PROGRAMME,
        "statute": credited.group().statute,
        "class": "useful",
        "period": 1,
        "serial": serial,
        "key": redemption_key(keys, serial),
    }
    return make_record("credit", **fields | changes)


# What holds.


@each_scheme
def test_a_credit_proves_a_tip_of_its_class_and_period_and_names_none(scheme: str) -> None:
    found = examined(credited_bundle(credited.held(scheme), 0, scheme), scheme)
    assert found.shortfalls == ()
    assert item(found, "tips") == {
        "acknowledged": "ok",
        "author_proven": True,
        "grade": "useful",
        "logged": [None, THE_DATE - 1],
    }


@each_scheme
def test_a_claim_on_a_credit_holds_nothing_that_its_tip_has(scheme: str) -> None:
    bundle = credited_bundle(credited.held(scheme), 0, scheme)
    tip = credited.tip(scheme)
    ed25519, mldsa65 = source_keys().author_public()
    for value in (credited.tip_hash(scheme), tip.record.hash("author"), ed25519, mldsa65):
        assert value.hex().encode() not in bundle
    assert tip.record.hash("content").hex().encode() not in bundle


@each_scheme
def test_whoever_holds_the_credit_relies_on_its_nullifier(scheme: str) -> None:
    bundle = parse_bundle(credited_bundle(credited.held(scheme), 0, scheme))
    key = parse_any(credited.held(scheme)).hash("key")
    assert relied_on(bundle) == nullifier(key)
    held = credit_held(bundle, credited.state(scheme))
    assert held is not None
    assert held.nullifier == nullifier(key)


def test_another_signing_of_the_same_credit_is_the_same_credit() -> None:
    first = credit_act()
    second = sign_record(_credit(), MEMBERS[1:])
    assert first != second
    bundles = [parse_bundle(credited_bundle(one)) for one in (first, second)]
    assert relied_on(bundles[0]) == relied_on(bundles[1]) is not None


def test_nobody_is_credited_for_a_person_they_are_not() -> None:
    bundle = parse_bundle(credited_bundle(credited.held()))
    judged = NOTHING_FOUND | {"claimant_is_subject": False}
    found = examine(bundle, credited.state(), POLICY, judged)
    assert item(found, "tips")["author_proven"] is False
    assert found.shortfalls == ("the claimant was not found to be the person of this number",)


# Credits that are none. Each becomes a reasoned fact.


def _outsiders() -> bytes:
    return sign_record(_credit(), (STRANGER, signing_key("board.example/dora")))


def _too_few() -> bytes:
    return sign_record(_credit(), MEMBERS[:1])


def _altered() -> bytes:
    return credit_act().replace(b"class useful", b"class corroborated")


def _token(**changes: Value) -> bytes:
    """Our token, with these fields changed by somebody without the issuing key."""
    record = parse_any(credited.held("blind"))
    return format_record(make_record("credit-token", **{**record.values, **changes}))


FORGED: dict[str, tuple[str, Callable[[], bytes], str]] = {
    "signed by too few of the board": ("plain", _too_few, "1 of 2 signatures needed"),
    "signed by outsiders": ("plain", _outsiders, "who has no say here"),
    "made a better class by its holder": ("plain", _altered, "signature"),
    "of a class the law has not": (
        "plain",
        lambda: credit_act(**{"class": "worthless"}),
        "no credits of this class",
    ),
    "of a period the law has not": ("plain", lambda: credit_act(period=2), "no such period"),
    "under a law nobody published": ("plain", lambda: credit_act(statute=bytes(32)), "never"),
    "of another programme": ("plain", lambda: credit_act(programme=bytes(32)), "another"),
    "blind where the law says plain": (
        "plain",
        lambda: _token(statute=credited.group().statute),
        "",
    ),
    "a token moved to a group without a key": (
        "blind",
        lambda: _token(**{"class": "corroborated"}),
        "no key for these credits",
    ),
    "a token for another key": ("blind", lambda: _token(key=bytes(32)), "signature"),
    "a token with another prefix": ("blind", lambda: _token(prefix=bytes(32)), "signature"),
    "a token with a number for a signature": (
        "blind",
        lambda: _token(signature=format_base64(bytes(511) + b"\1")),
        "signature",
    ),
    "another kind of record": (
        "plain",
        lambda: statements().record,
        "not a credit",
    ),
    "no record at all": ("plain", lambda: b"a credit, says I", ""),
    "nothing": ("plain", lambda: b"", ""),
}


@pytest.mark.parametrize("what", FORGED)
def test_what_is_no_credit_proves_nothing_and_says_why(what: str) -> None:
    scheme, make, reason = FORGED[what]
    found = examined(credited_bundle(make(), 0, scheme), scheme)
    assert item(found, "tips") == NOTHING
    [shortfall] = found.shortfalls
    assert shortfall.startswith("the credit does not hold: ")
    assert reason in shortfall


@pytest.mark.parametrize("what", FORGED)
def test_what_is_no_credit_is_used_up_by_no_decision(what: str) -> None:
    scheme, make, _ = FORGED[what]
    bundle = parse_bundle(credited_bundle(make(), 0, scheme))
    assert credit_held(bundle, credited.state(scheme)) is None


# Front-running: a credit is of use to its holder alone.


@each_scheme
def test_somebody_elses_credit_proves_nothing_of_the_claimant(scheme: str) -> None:
    found = examined(credited_bundle(credited.held(scheme), 1, scheme), scheme)
    assert item(found, "tips")["author_proven"] is False
    assert found.shortfalls == ("the claimant's keys are not those the credit was made for",)


@each_scheme
def test_who_does_not_hold_a_credit_takes_it_from_nobody(scheme: str) -> None:
    bundle = parse_bundle(credited_bundle(credited.held(scheme), 1, scheme))
    assert relied_on(bundle) is None
    assert credit_held(bundle, credited.state(scheme)) is None


def test_a_credit_swapped_for_another_after_signing_is_refused() -> None:
    fields = dict(parse_bundle(credited_bundle(credited.held())).fields)
    swapped = fields | {"record": credited.held(number=1).decode()}
    with pytest.raises(UnverifiedError, match="not what the claimant signed for"):
        parse_bundle(format_bundle("credited", swapped))


def test_a_claim_that_names_another_credit_than_it_shows_proves_nothing() -> None:
    found = examined(credited_bundle(credited.held(), record=record_hash(b"another")))
    assert item(found, "tips") == NOTHING
    assert found.shortfalls == (
        "the credit does not hold: it is not the one that the claim names",
    )


def test_a_credit_is_of_no_use_on_another_limb() -> None:
    bundle = parse_bundle(helped_bundle(record=credited.held().decode()))
    assert relied_on(bundle) is None
    found = examine(bundle, credited.state(), POLICY, NOTHING_FOUND)
    assert item(found, "tips") == NOTHING


def test_a_contribution_is_of_no_use_as_a_credit() -> None:
    assert relied_on(parse_bundle(credited_bundle(statements().record))) is None


# Replays.


TERMS: dict[str, dict[str, Value]] = {
    "for another audience": {"audience": "elsewhere.example"},
    "of another programme": {"programme": bytes(32)},
    "expired": {"expires": NOON - 1},
    "valid for years": {"expires": NOON + 400 * DAY},
    "with a disclosure nobody knows": {"disclosure": "perhaps"},
}


@pytest.mark.parametrize("what", TERMS)
def test_a_claim_on_a_credit_serves_nowhere_else(what: str) -> None:
    bundle = parse_bundle(credited_bundle(credited.held(), 0, "plain", **TERMS[what]))
    with pytest.raises(SafeconductError):
        check_terms(bundle.record, programme=PROGRAMME, audience=REGISTRY.name, at=NOON)


@pytest.mark.parametrize("field", ["audience", "subject", "expires", "challenge", "disclosure"])
def test_nothing_in_a_signed_claim_on_a_credit_can_be_changed(field: str) -> None:
    fields = dict(parse_bundle(credited_bundle(credited.held())).fields)
    lines = fields["claim"].split("\n")
    place = next(i for i, line in enumerate(lines) if line.startswith(f"{field} "))
    lines[place] = {
        "audience": "audience other.example",
        "subject": "subject r-0002",
        "expires": f"expires {NOON + 8 * DAY}",
        "challenge": f"challenge {bytes(32).hex()}",
        "disclosure": "disclosure sealed",
    }[field]
    with pytest.raises(UnverifiedError):
        parse_bundle(format_bundle("credited", fields | {"claim": "\n".join(lines)}))


# The form of the bundle.


def bundle_fields() -> dict[str, Json]:
    value = parse_json(credited_bundle(credited.held()), "bundle")
    assert isinstance(value, dict)
    return value


@pytest.mark.parametrize("extra", ["proof", "acknowledgement", "assessment", "opening"])
def test_a_claim_on_a_credit_has_no_room_for_a_tip(extra: str) -> None:
    with pytest.raises(MalformedError, match="not the fields of a claim on the credited limb"):
        parse_bundle(format_json({**bundle_fields(), extra: ""}))


def test_a_claim_on_a_credit_without_its_credit_is_refused() -> None:
    fields = bundle_fields()
    del fields["record"]
    with pytest.raises(MalformedError, match="not the fields"):
        parse_bundle(format_json(fields))


def test_the_page_can_tell_class_and_period_of_whatever_is_shown() -> None:
    shown = shown_credit(parse_bundle(credited_bundle(credited.held())))
    assert shown is not None
    assert (shown.word("class"), shown.number("period")) == ("useful", 1)
    assert shown_credit(parse_bundle(credited_bundle(b"nothing"))) is None
    assert shown_credit(parse_bundle(helped_bundle())) is None


# Redemptions.


def redeemed() -> bytes:
    bundle = parse_bundle(credited_bundle(credited.held()))
    held = credit_held(bundle, credited.state())
    assert held is not None
    return sign_record(redemption_record(bundle, held), [REGISTRY])


def test_a_redemption_says_which_credit_was_used_up_and_by_which_open_claim() -> None:
    bundle = parse_bundle(credited_bundle(credited.held()))
    held = credit_held(bundle, credited.state())
    assert held is not None
    signed = sign_record(redemption_record(bundle, held), [REGISTRY])
    record = open_redemption(signed, credited.state())
    assert record.hash("nullifier") == relied_on(bundle)
    assert record.hash("claim") == bundle.claim_hash
    assert credit_group(record) == credited.group()


def test_a_redemption_names_a_sealed_claim_to_its_two_ends_alone() -> None:
    bundle = parse_bundle(credited_bundle(credited.held(), disclosure="sealed"))
    assert redeemed_claim(bundle) not in (bundle.claim_hash, bundle.page_key)
    guessed = replace(bundle, fields={**bundle.fields, "name_salt": bytes([1] * 16).hex()})
    assert redeemed_claim(guessed) != redeemed_claim(bundle)


def test_a_redemption_by_anybody_but_the_registry_is_refused() -> None:
    record = open_redemption(redeemed(), credited.state())
    for keys in ([STRANGER], [REGISTRY, STRANGER], list(MEMBERS[:2])):
        with pytest.raises(UnverifiedError):
            open_redemption(sign_record(record, keys), credited.state())


@pytest.mark.parametrize(
    ("changes", "family"),
    [
        ({"programme": bytes(32)}, UnverifiedError),
        ({"class": "worthless"}, MalformedError),
        ({"period": 9}, MalformedError),
        ({"statute": bytes(32)}, UnverifiedError),
    ],
    ids=["another programme", "no such class", "no such period", "no such law"],
)
def test_a_redemption_of_what_no_law_grants_is_refused(
    changes: dict[str, Value], family: type[SafeconductError]
) -> None:
    record = open_redemption(redeemed(), credited.state())
    fields: dict[str, Value] = {**record.values, **changes}
    with pytest.raises(family):
        open_redemption(
            sign_record(make_record("redemption", **fields), [REGISTRY]), credited.state()
        )


def test_the_keys_that_redeem_are_others_than_those_of_the_tip() -> None:
    keys, _ = redemption()
    assert author_seeds(keys) != author_seeds(source_keys())


# Bits flipped on the way.


@settings(max_examples=60, deadline=None)
@given(place=st.integers(min_value=0), bit=st.integers(min_value=0, max_value=7))
def test_no_bit_of_a_redemption_can_be_flipped(place: int, bit: int) -> None:
    spoiled = bytearray(redeemed())
    spoiled[place % len(spoiled)] ^= 1 << bit
    with pytest.raises(SafeconductError):
        open_redemption(bytes(spoiled), credited.state())


@settings(max_examples=60, deadline=None)
@given(place=st.integers(min_value=0), bit=st.integers(min_value=0, max_value=7))
def test_no_bit_of_a_bundle_can_be_flipped(place: int, bit: int) -> None:
    spoiled = bytearray(credited_bundle(credited.held()))
    spoiled[place % len(spoiled)] ^= 1 << bit
    with pytest.raises(SafeconductError):
        parse_bundle(bytes(spoiled))
