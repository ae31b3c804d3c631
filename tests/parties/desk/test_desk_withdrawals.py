"""What its author took back is neither opened nor used, and nobody else can take it back."""

from collections.abc import Callable

import pytest
from tests.parties.desk.desk_world import NOW, PROGRAMME, World

from safeconduct.errors import MalformedError, RefusedError, SafeconductError, UnverifiedError
from safeconduct.parties.desk.assess import assess, assessment_for
from safeconduct.parties.desk.command import _line
from safeconduct.parties.desk.pull import pull
from safeconduct.parties.desk.unseal import unseal_all
from safeconduct.parties.desk.view import show, summarise
from safeconduct.parties.desk.vote import grade
from safeconduct.protocol.canonical import Json
from safeconduct.protocol.envelope import Envelope
from safeconduct.protocol.record import format_record, record_hash
from safeconduct.protocol.withdrawal import sign_withdrawal

FILES = {"message.txt": b"It was May."}


def sent(world: World, number: int = 0) -> Envelope:
    envelope = world.seal(number, FILES | {"number": b"%d" % number})
    payload = b"".join(envelope.payload())
    world.door.deliver(format_record(envelope.record), envelope.header, payload)
    return envelope


def signed(world: World, envelope: Envelope, number: int = 0) -> bytes:
    digest = record_hash(format_record(envelope.record))
    return sign_withdrawal(world.keys(number), envelope.pre, programme=PROGRAMME, record=digest)


def taken_back(world: World, envelope: Envelope, number: int = 0) -> bytes:
    record = format_record(envelope.record)
    world.door.withdraw(record, signed(world, envelope, number))
    return record_hash(record)


def test_a_tip_that_was_withdrawn_before_it_was_fetched_never_comes(world: World) -> None:
    digest = taken_back(world, sent(world))
    other = record_hash(format_record(sent(world, 1).record))
    assert pull(world.desk) == [other]
    assert world.desk.store.taken_back(digest) is not None
    assert not world.desk.store.payload_path(digest).exists()


def test_a_tip_that_was_withdrawn_before_it_was_opened_stays_sealed(world: World) -> None:
    envelope = sent(world)
    [digest] = pull(world.desk)
    assert world.desk.store.payload_path(digest).exists()
    taken_back(world, envelope)
    assert pull(world.desk) == []
    assert not world.desk.store.payload_path(digest).exists()
    assert unseal_all(world.desk) == []
    assert world.desk.store.acknowledged(digest) is None
    assert pull(world.desk) == []


def test_a_tip_that_was_opened_is_marked_and_must_not_be_used(world: World) -> None:
    envelope = sent(world)
    world.run()
    digest = taken_back(world, envelope)
    world.run()
    tip = world.desk.store.tip(digest)
    assert summarise(world.desk, tip).withdrawn_at == NOW
    assert "WITHDRAWN 2027-01-15T08:00:00Z" in _line(show(world.desk, tip).summary)
    uses: list[Callable[[], object]] = [
        lambda: grade(world.desk.store, "Anna", digest, "B", 2, [], "It fits."),
        lambda: assess(world.desk, digest),
        lambda: assessment_for(world.desk, digest),
    ]
    for use in uses:
        with pytest.raises(RefusedError, match="withdrawn by its author"):
            use()


def test_a_tip_that_nobody_took_back_is_not_marked(world: World) -> None:
    sent(world)
    world.run()
    [tip] = world.desk.store.tips()
    assert summarise(world.desk, tip).withdrawn_at is None
    assert "WITHDRAWN" not in _line(summarise(world.desk, tip))


def test_an_offer_that_was_held_back_is_forgotten_with_its_tip(world: World) -> None:
    envelope = sent(world)
    world.door.forged[1] = {"delivery": "not signed"}
    assert pull(world.desk) == []
    assert len(world.desk.store.held_back()) == 1
    taken_back(world, envelope)
    assert pull(world.desk) == []
    assert world.desk.store.held_back() == []


def test_many_withdrawals_are_read_to_the_end_and_once(world: World) -> None:
    digests = [taken_back(world, sent(world, number), number) for number in range(7)]
    for _ in range(2):
        assert pull(world.desk) == []
        assert world.desk.store.last_withdrawal() == 7
    assert all(world.desk.store.taken_back(digest) for digest in digests)


FORGED: dict[str, tuple[Callable[[World, dict[str, Json]], dict[str, Json]], str]] = {
    "by another source": (
        lambda world, item: item | {"withdrawal": signed(world, sent(world), 1).decode()},
        "not by the contribution's author",
    ),
    "of another tip": (
        lambda world, item: (
            item | {"contribution": format_record(sent(world, 1).record).decode()}
        ),
        "another contribution",
    ),
    "with no proof": (lambda _, item: item | {"proof": ""}, "proof"),
    "with another's proof": (
        lambda world, item: item | {"proof": world.ledger.proof(bytes(32)).decode()},
        "inclusion|entry|proof",
    ),
    "with a field more": (lambda _, item: item | {"reason": "none"}, "needs exactly"),
    "with a field less": (
        lambda _, item: {name: item[name] for name in item if name != "proof"},
        "needs exactly",
    ),
    "with a number that is none": (lambda _, item: item | {"number": "1"}, "not positive"),
    "with a number of zero": (lambda _, item: item | {"number": 0}, "not positive"),
    "with a truth for a number": (lambda _, item: item | {"number": True}, "not positive"),
    "with bytes that are no text": (lambda _, item: item | {"proof": 1}, "not text"),
}


@pytest.mark.parametrize(("forge", "reason"), FORGED.values(), ids=FORGED)
def test_a_door_cannot_withdraw_a_tip_itself(
    world: World,
    forge: Callable[[World, dict[str, Json]], dict[str, Json]],
    reason: str,
) -> None:
    envelope = sent(world)
    digest = taken_back(world, envelope)
    world.door.withdrawals[0] = forge(world, world.door.withdrawals[0])
    with pytest.raises((MalformedError, UnverifiedError), match=reason):
        pull(world.desk)
    assert world.desk.store.taken_back(digest) is None


def test_withdrawals_out_of_order_end_the_reading(world: World) -> None:
    taken_back(world, sent(world))
    taken_back(world, sent(world, 1), 1)
    world.door.withdrawals.reverse()
    with pytest.raises(SafeconductError, match="not in order"):
        pull(world.desk)
