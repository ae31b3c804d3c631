"""A claim comes in: only for this register, on an open challenge, once."""

from collections.abc import Callable

import pytest
from tests.parties.registry.register_world import NOW, World, helped
from tests.protocol import builders

from safeconduct.errors import (
    ConflictError,
    MalformedError,
    RefusedError,
    SafeconductError,
    UnavailableError,
    UnverifiedError,
)
from safeconduct.parties.registry.receive import challenge, receive
from safeconduct.parties.registry.store import CHALLENGE_SECONDS
from safeconduct.protocol.canonical import format_json
from safeconduct.protocol.claim import BUNDLE_BYTES_MAX, parse_bundle
from safeconduct.protocol.record import record_hash


def test_a_claim_on_an_open_challenge_becomes_a_case_and_is_dated(world: World) -> None:
    bundle = helped(challenge=challenge(world.registry))
    filed = receive(world.registry, bundle)
    assert filed.number == 1
    assert filed.claim == record_hash(parse_bundle(bundle).claim)
    assert world.registry.store.case(filed.claim).state == "filed"
    assert record_hash(parse_bundle(bundle).claim) in world.ledger.entries


def test_the_same_bundle_again_finds_the_same_case_and_adds_nothing(world: World) -> None:
    bundle = helped(challenge=challenge(world.registry))
    first = receive(world.registry, bundle)
    before = world.held()
    assert receive(world.registry, bundle) == first
    assert world.held() == before


def test_a_claim_filed_while_the_log_is_away_is_kept_and_dated_later(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = helped(challenge=challenge(world.registry))

    def away(*_: object) -> None:
        raise UnavailableError("no quorum")

    with monkeypatch.context() as patch:
        patch.setattr("safeconduct.parties.registry.receive.log_record", away)
        with pytest.raises(UnavailableError):
            receive(world.registry, bundle)
    filed = receive(world.registry, bundle)
    assert filed.number == 1
    assert filed.claim in world.ledger.entries


def test_a_challenge_is_good_for_one_claim(world: World) -> None:
    fresh = challenge(world.registry)
    receive(world.registry, helped(challenge=fresh))
    before = world.held()
    with pytest.raises(ConflictError, match="used for another claim"):
        receive(world.registry, helped(challenge=fresh, subject="r-0002"))
    assert world.held() == before


@pytest.mark.parametrize(("late", "taken"), [(0, True), (1, False)])
def test_a_challenge_is_good_for_a_day(world: World, late: int, taken: bool) -> None:
    fresh = challenge(world.registry)
    world.now += CHALLENGE_SECONDS + late
    if taken:
        receive(world.registry, helped(challenge=fresh))
        return
    with pytest.raises(RefusedError, match="no open challenge"):
        receive(world.registry, helped(challenge=fresh))


def _renamed(fresh: bytes) -> bytes:
    fields = dict(parse_bundle(helped(challenge=fresh)).fields)
    return format_json({**fields, "name": "Somebody Else"})


def _resigned(fresh: bytes) -> bytes:
    """A claim for one person, made into one for another after it was signed."""
    fields = dict(parse_bundle(helped(challenge=fresh)).fields)
    changed = fields["claim"].replace("subject r-0001", "subject r-0002")
    return format_json({**fields, "claim": changed})


Make = Callable[[bytes], bytes]
REFUSED: dict[str, tuple[type[SafeconductError], Make]] = {
    "a challenge this register never gave": (
        RefusedError,
        lambda _: helped(challenge=bytes(32)),
    ),
    "a number that nobody has": (
        RefusedError,
        lambda fresh: helped(challenge=fresh, subject="r-9999"),
    ),
    "made for another register": (
        UnverifiedError,
        lambda fresh: helped(challenge=fresh, audience="elsewhere.example"),
    ),
    "of another programme": (
        UnverifiedError,
        lambda fresh: helped(challenge=fresh, programme=bytes(32)),
    ),
    "expired": (UnverifiedError, lambda fresh: helped(challenge=fresh, expires=NOW - 1)),
    "valid for years": (
        UnverifiedError,
        lambda fresh: helped(challenge=fresh, expires=NOW + 400 * builders.DAY),
    ),
    "under a law that was never published": (
        UnverifiedError,
        lambda fresh: helped(challenge=fresh, statute=bytes(32)),
    ),
    "with a disclosure nobody knows": (
        MalformedError,
        lambda fresh: helped(challenge=fresh, disclosure="maybe"),
    ),
    "in another name than it commits to": (UnverifiedError, _renamed),
    "changed after it was signed": (UnverifiedError, _resigned),
    "empty": (MalformedError, lambda _: b""),
    "cut short": (MalformedError, lambda fresh: helped(challenge=fresh)[:-1]),
    "with a byte after its end": (
        MalformedError,
        lambda fresh: helped(challenge=fresh) + b"\n",
    ),
    "not UTF-8": (MalformedError, lambda _: b'{"claim":"\xff"}'),
    "no object": (MalformedError, lambda _: b"[]"),
    "without evidence": (MalformedError, lambda _: b'{"claim":"x"}'),
    "far too long": (MalformedError, lambda _: b"[" * (BUNDLE_BYTES_MAX + 1)),
}


@pytest.mark.parametrize("what", REFUSED)
def test_a_claim_is_refused_and_changes_nothing(world: World, what: str) -> None:
    family, make = REFUSED[what]
    bundle, before = make(challenge(world.registry)), world.held()
    with pytest.raises(family) as caught:
        receive(world.registry, bundle)
    assert caught.value.message
    assert world.held() == before
