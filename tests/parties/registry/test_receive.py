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
from safeconduct.parties.registry.receive import CHALLENGE_SECONDS, challenge, receive
from safeconduct.protocol.canonical import format_json
from safeconduct.protocol.case import Event
from safeconduct.protocol.claim import BUNDLE_BYTES_MAX, parse_bundle
from safeconduct.protocol.record import record_hash


def test_a_claim_on_an_open_challenge_becomes_a_case_and_is_dated(world: World) -> None:
    bundle = helped(challenge=challenge(world.registry))
    filed = receive(world.registry, bundle)
    assert filed.number == 1
    assert world.registry.store.claim_at(filed.page) == filed.claim
    assert filed.page == parse_bundle(bundle).page_key != filed.claim
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


def test_any_number_of_challenges_leaves_room_for_the_next_claimant(world: World) -> None:
    before = world.held()
    first = challenge(world.registry)
    asked = {challenge(world.registry) for _ in range(500)}
    assert len(asked) == 500
    assert world.held() == before
    receive(world.registry, helped(challenge=first))


@pytest.mark.parametrize("place", [0, 7, 8, 15, 16, 31])
def test_a_challenge_changed_anywhere_was_never_given(world: World, place: int) -> None:
    fresh = bytearray(challenge(world.registry))
    fresh[place] ^= 1
    with pytest.raises(RefusedError, match="no open challenge"):
        receive(world.registry, helped(challenge=bytes(fresh)))


def test_a_claim_is_found_again_when_its_challenge_is_long_over(world: World) -> None:
    bundle = helped(challenge=challenge(world.registry))
    filed = receive(world.registry, bundle)
    world.now += 2 * CHALLENGE_SECONDS
    assert receive(world.registry, bundle) == filed


# One contribution, one person; one claim, one bundle of evidence.


def test_a_contribution_is_claimed_under_one_number_however_often(world: World) -> None:
    world.filed()
    world.filed()
    before = world.held()
    with pytest.raises(ConflictError, match="claimed under another number"):
        world.filed(subject="r-0002")
    assert world.held() == before


def test_who_cannot_open_a_contribution_takes_it_from_nobody(world: World) -> None:
    world.filed(keys=1, subject="r-0002")
    world.filed(subject="r-0001")


def test_who_forwards_a_claim_can_leave_no_evidence_out(world: World) -> None:
    honest = helped(challenge=challenge(world.registry))
    fields = dict(parse_bundle(honest).fields)
    stripped = fields | {"acknowledgement": "", "acknowledgement_proof": ""}
    with pytest.raises(UnverifiedError, match="not what the claimant signed for"):
        receive(world.registry, format_json({**stripped}))
    filed = receive(world.registry, honest)
    assert world.registry.store.case(filed.claim).latest["filed"].data == honest


def test_who_forwards_a_claim_adds_no_word_of_the_desks(world: World) -> None:
    honest = helped(challenge=challenge(world.registry))
    added = format_json({**parse_bundle(honest).fields, "assessment": "useful, says I"})
    assert receive(world.registry, added) == receive(world.registry, honest)


def test_a_claim_never_has_two_bundles(world: World) -> None:
    filed = receive(world.registry, helped(challenge=challenge(world.registry)))
    with pytest.raises(ConflictError, match="with other evidence"):
        world.registry.store.open_case(
            filed.claim,
            challenge=bytes(32),
            page=bytes(32),
            subject="r-0001",
            event=Event(kind="filed", at=world.now, data=b"{}"),
            relied_on=None,
        )


def test_nothing_is_claimed_about_a_person_for_whom_a_decision_stands(world: World) -> None:
    claim = world.filed()
    world.decided(claim)
    world.finished(claim)
    with pytest.raises(RefusedError, match="in favour of r-0001 already"):
        world.filed(keys=1, expires=world.now + builders.DAY)
    world.filed(keys=1, subject="r-0002", expires=world.now + builders.DAY)


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
