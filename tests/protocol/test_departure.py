"""Departures from the statute, and the claim behind a decision: neither can be invented."""

from collections.abc import Callable

import pytest
from tests.protocol.builders import (
    PROGRAMME,
    claimed,
    helped_bundle,
    prove,
)
from tests.protocol.decided import (
    AS_OF,
    DECIDED,
    altered,
    bundle_of,
    decided,
    honest,
    honest_sealed,
    publish,
    put,
)

from safeconduct.errors import MalformedError, UnverifiedError
from safeconduct.protocol.claim import parse_bundle
from safeconduct.protocol.record import Value

REASON = "The board holds that section 5(1) reaches further."
DEPARTED: dict[str, Value] = {"outcome": "registration_stands"}


def test_a_departure_with_a_reason_stands_and_is_told() -> None:
    data = decided(bundle_of(), changes=DEPARTED, departure=REASON)
    again = publish(data, standing="registration_stands").recheck()
    assert again.departed
    assert (again.outcome, again.yielded) == ("registration_stands", "acquitted")
    assert again.departure == REASON
    assert not publish(honest()).recheck().departed


WRONG_DEPARTURES: dict[str, tuple[Callable[[], bytes], str, str]] = {
    "a hash without its reasons": (
        lambda: decided(bundle_of(), changes=DEPARTED | {"departure": b"\1" * 32}),
        "registration_stands",
        "reasons to depart are not those",
    ),
    "other reasons than the board signed for": (
        lambda: altered(
            decided(bundle_of(), changes=DEPARTED, departure=REASON), put("departure", "x")
        ),
        "registration_stands",
        "reasons to depart are not those",
    ),
    "reasons hidden": (
        lambda: altered(
            decided(bundle_of(), changes=DEPARTED, departure=REASON), put("departure", "")
        ),
        "registration_stands",
        "reasons to depart are not those",
    ),
    "an outcome that no law has": (
        lambda: decided(bundle_of(), changes={"outcome": "banished"}, departure=REASON),
        "banished",
        "has no outcome banished",
    ),
    "reasons to depart, and no departure": (
        lambda: decided(bundle_of(), departure=REASON),
        "acquitted",
        "a departure that is none",
    ),
    "reasons that cannot be shown": (
        lambda: decided(bundle_of(), changes=DEPARTED, departure="\x1b[2J"),
        "registration_stands",
        "cannot be shown",
    ),
    "endless reasons": (
        lambda: decided(bundle_of(), changes=DEPARTED, departure="a" * 4_001),
        "registration_stands",
        "longer than 4000",
    ),
}


@pytest.mark.parametrize(
    ("make", "standing", "reason"), WRONG_DEPARTURES.values(), ids=WRONG_DEPARTURES
)
def test_a_departure_made_wrongly_is_named(
    make: Callable[[], bytes], standing: str, reason: str
) -> None:
    with pytest.raises((MalformedError, UnverifiedError), match=reason):
        publish(make(), standing=standing).recheck()


# The claim behind it.

SEALED_OR_OPEN = ("open", "sealed")


@pytest.mark.parametrize("disclosure", SEALED_OR_OPEN)
def test_a_decision_shows_when_its_claim_was_logged(disclosure: str) -> None:
    again = publish(decided(bundle_of(disclosure))).recheck()
    assert again.claim_hash == bundle_of(disclosure).claim_hash
    assert again.claim_logged.logged_by == AS_OF


@pytest.mark.parametrize("disclosure", SEALED_OR_OPEN)
def test_a_claim_that_was_never_logged_was_never_made(disclosure: str) -> None:
    made = decided(bundle_of(disclosure))
    elsewhere = prove(bytes(32), AS_OF).decode()
    with pytest.raises(UnverifiedError, match="does not lead to the root"):
        publish(altered(made, put("claim_proof", elsewhere))).recheck()


@pytest.mark.parametrize("disclosure", SEALED_OR_OPEN)
def test_no_decision_is_logged_before_its_claim(disclosure: str) -> None:
    with pytest.raises(UnverifiedError, match="before the claim"):
        publish(decided(bundle_of(disclosure), claim_at=DECIDED + 1)).recheck()


def claim_of(**terms: Value) -> Callable[[], bytes]:
    return lambda: decided(
        parse_bundle(helped_bundle(claim=claimed(0, "claim-helped", **terms))),
        changes={"programme": PROGRAMME},
    )


MEANT_ELSEWHERE: dict[str, tuple[Callable[[], bytes], str]] = {
    "in another programme": (claim_of(programme=bytes(32)), "in another programme"),
    "for another registry": (claim_of(audience="register.elsewhere"), "another registry"),
    "and expired before it was logged": (claim_of(expires=AS_OF - 1), "had expired"),
}


@pytest.mark.parametrize(("make", "reason"), MEANT_ELSEWHERE.values(), ids=MEANT_ELSEWHERE)
def test_nothing_is_decided_on_a_claim_made(make: Callable[[], bytes], reason: str) -> None:
    with pytest.raises(UnverifiedError, match=reason):
        publish(make()).recheck()


def test_the_contribution_relied_on_is_told_where_the_evidence_is_open() -> None:
    record = bundle_of().record.hash("record")
    assert publish(honest()).recheck().relied_on == record
    assert publish(honest_sealed()).recheck().relied_on is None
