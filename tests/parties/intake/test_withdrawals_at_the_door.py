"""A tip that its author took back goes from the door's disk, and to nobody any more."""

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from tests.parties.intake.door_world import World, ask, open_world
from tests.protocol import builders
from tests.protocol.builders import author_seeds, sealed, source_keys

from safeconduct.errors import RefusedError, SafeconductError, UnavailableError
from safeconduct.parties.intake import staff
from safeconduct.parties.intake.accept import finish
from safeconduct.parties.intake.store import IN_PART, NOT_DELIVERED, READ, UNREAD, Announced
from safeconduct.parties.intake.withdraw import (
    routes,
    withdraw,
    withdraw_own,
    withdrawal_of,
)
from safeconduct.plumbing import logs, web
from safeconduct.protocol.canonical import Json, format_base64, format_json, parse_json
from safeconduct.protocol.capsule import Capsule
from safeconduct.protocol.dual import sign_dual
from safeconduct.protocol.receipt import verify_receipt
from safeconduct.protocol.record import (
    Value,
    format_record,
    make_record,
    record_hash,
    sign_record,
)
from safeconduct.protocol.withdrawal import sign_withdrawal, verify_withdrawal

RECORD = format_record(sealed().record)
DIGEST = record_hash(RECORD)
PAYLOAD = b"".join(sealed().payload())
CAPSULE = Capsule(record=RECORD, pre=sealed().pre)


def signed(**changes: Value) -> bytes:
    keys = source_keys()
    ed25519, mldsa65 = keys.author_public()
    fields: dict[str, Value] = {
        "programme": builders.PROGRAMME,
        "record": DIGEST,
        "ed25519": ed25519,
        "mldsa65": mldsa65,
        "blind": keys.blind(sealed().pre),
    }
    return sign_dual(make_record("withdrawal", **fields | changes), *author_seeds(keys))


SIGNED = signed()


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with open_world(tmp_path) as world:
        yield world


@pytest.fixture
def url(world: World) -> Iterator[str]:
    """Where the routes of this module are served."""
    with web.running(web.make_app(routes(world.intake))) as url:
        yield url


def announced(world: World) -> None:
    proof = builders.prove(DIGEST)
    body: dict[str, Json] = {
        "record": RECORD.decode(),
        "proof": proof.decode(),
        "header": format_base64(sealed().header),
    }
    assert ask(world, "POST", "/deliver", format_json(body)).status_code == 200


def delivered(world: World) -> None:
    announced(world)
    world.intake.store.append(DIGEST, 0, PAYLOAD)
    finish(world.intake, DIGEST)


def kept(world: World) -> list[str]:
    return [path.name for path in (world.folder / "tips").rglob("*") if path.is_file()]


def test_a_tip_that_nobody_fetched_is_erased_and_its_withdrawal_logged(world: World) -> None:
    delivered(world)
    assert kept(world) == [DIGEST.hex()]
    proof = withdraw(world.intake, SIGNED)
    verify_receipt(SIGNED, proof, builders.POLICY, builders.LEDGER.name)
    assert kept(world) == []
    found = withdrawal_of(world.intake, source_keys(), CAPSULE)
    assert found is not None
    assert (found.handed, found.signed, found.proof) == (UNREAD, SIGNED, proof)
    assert world.intake.store.deliveries_after(0, 10) == []
    with pytest.raises(RefusedError, match="withdrawn by its author"):
        staff.read_payload(world.intake, DIGEST)


def test_a_tip_that_was_fetched_is_said_to_be_read(world: World) -> None:
    delivered(world)
    assert b"".join(staff.read_payload(world.intake, DIGEST)) == PAYLOAD
    assert withdraw_own(world.intake, source_keys(), CAPSULE).handed == READ
    assert kept(world) == []


def test_a_tip_of_which_some_was_fetched_is_said_to_be(world: World) -> None:
    delivered(world)
    pieces = staff.read_payload(world.intake, DIGEST)
    next(pieces)
    assert withdraw_own(world.intake, source_keys(), CAPSULE).handed == IN_PART
    list(pieces)  # what was on its way when the file went cannot be called back
    found = withdrawal_of(world.intake, source_keys(), CAPSULE)
    assert found is not None
    assert found.handed == READ


def test_a_tip_that_is_on_its_way_in_can_be_withdrawn_and_never_comes(world: World) -> None:
    announced(world)
    world.intake.store.append(DIGEST, 0, PAYLOAD[:100])
    assert withdraw_own(world.intake, source_keys(), CAPSULE).handed == NOT_DELIVERED
    assert kept(world) == []
    world.intake.store.append(DIGEST, 0, PAYLOAD)
    with pytest.raises(RefusedError, match="was withdrawn"):
        finish(world.intake, DIGEST)
    with pytest.raises(RefusedError, match="was withdrawn"):
        world.intake.store.announce(
            Announced(record=RECORD, proof=b"", header=sealed().header), world.now
        )


def test_the_first_withdrawal_stands_however_often_it_is_made(world: World) -> None:
    delivered(world)
    first = withdraw(world.intake, SIGNED)
    again = sign_withdrawal(
        source_keys(), sealed().pre, programme=builders.PROGRAMME, record=DIGEST
    )
    assert again != SIGNED
    assert withdraw(world.intake, again) == first
    assert world.ledger.added.count(record_hash(SIGNED)) == 1
    assert world.ledger.added.count(record_hash(again)) == 0


def test_a_tip_is_gone_at_once_and_logged_when_the_log_is_back(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    delivered(world)
    world.ledger.away = True
    with monkeypatch.context() as patched:
        patched.setattr(logs, "PATIENCE_SECONDS", 0.1)
        with pytest.raises(UnavailableError):
            withdraw(world.intake, SIGNED)
    assert kept(world) == []
    assert world.intake.store.withdrawals_after(0, 10) == []
    world.ledger.away = False
    assert withdraw(world.intake, SIGNED)
    assert [each.hash for each in world.intake.store.withdrawals_after(0, 10)] == [DIGEST]


def test_nothing_was_withdrawn_that_nobody_withdrew(world: World) -> None:
    delivered(world)
    assert withdrawal_of(world.intake, source_keys(), CAPSULE) is None
    assert world.intake.store.delivered(DIGEST) is not None


# Over the network.


def test_the_answer_holds_what_its_author_must_check(world: World, url: str) -> None:
    delivered(world)
    answer = httpx.post(f"{url}/withdraw", content=SIGNED, trust_env=False)
    assert answer.status_code == 200
    value = parse_json(answer.content, "answer")
    assert isinstance(value, dict)
    stands, proof = str(value["withdrawal"]).encode(), str(value["proof"]).encode()
    assert verify_withdrawal(stands, RECORD).contribution == DIGEST
    verify_receipt(stands, proof, builders.POLICY, builders.LEDGER.name)
    assert value["handed"] == UNREAD


REFUSED: dict[str, tuple[Callable[[], bytes], int]] = {
    "of another tip": (lambda: signed(record=bytes(32)), 404),
    "of another programme": (lambda: signed(programme=bytes(32)), 404),
    "with another blind": (lambda: signed(blind=bytes(16)), 404),
    "by the desk": (
        lambda: sign_record(make_record("withdrawal", **_fields()), [builders.DESK]),
        403,
    ),
    "of no kind": (lambda: RECORD, 400),
    "of nothing": (lambda: b"", 400),
    "far too long": (lambda: SIGNED + b"x" * 20_000, 413),
}


def _fields() -> dict[str, Value]:
    ed25519, mldsa65 = source_keys().author_public()
    return {
        "programme": builders.PROGRAMME,
        "record": DIGEST,
        "ed25519": ed25519,
        "mldsa65": mldsa65,
        "blind": source_keys().blind(sealed().pre),
    }


@pytest.mark.parametrize(("body", "status"), REFUSED.values(), ids=REFUSED)
def test_what_is_not_the_author_s_withdrawal_takes_nothing_away(
    body: Callable[[], bytes], status: int, world: World, url: str
) -> None:
    delivered(world)
    before = world.held()
    answer = httpx.post(f"{url}/withdraw", content=body(), trust_env=False)
    assert answer.status_code == status
    assert world.held() == before
    assert kept(world) == [DIGEST.hex()]


def request(world: World, body: bytes, action: str = "withdrawals") -> dict[str, str]:
    record = make_record(
        "request",
        programme=builders.PROGRAMME,
        action=action,
        body=hashlib.sha256(body).digest(),
        at=world.now,
    )
    return {staff.REQUEST_HEADER: format_base64(sign_record(record, [builders.DESK]))}


def test_the_desk_is_told_of_withdrawals_after_a_number(world: World, url: str) -> None:
    delivered(world)
    withdraw(world.intake, SIGNED)
    place = f"{url}/desk/withdrawals"
    told = httpx.post(place, content=b"0", headers=request(world, b"0"), trust_env=False)
    value = parse_json(told.content, "withdrawals")
    assert value == [
        {
            "number": 1,
            "contribution": RECORD.decode(),
            "withdrawal": SIGNED.decode(),
            "proof": world.intake.store.withdrawals_after(0, 1)[0].proof.decode(),
        }
    ]
    told = httpx.post(place, content=b"1", headers=request(world, b"1"), trust_env=False)
    assert told.content == b"[]"


STRANGERS: dict[str, Callable[[World], dict[str, str]]] = {
    "no request": lambda world: {},
    "a request for deliveries": lambda world: request(world, b"0", "deliveries"),
    "a request with another number": lambda world: request(world, b"1"),
}


@pytest.mark.parametrize("headers", STRANGERS.values(), ids=STRANGERS)
def test_nobody_else_is_told(
    headers: Callable[[World], dict[str, str]], world: World, url: str
) -> None:
    delivered(world)
    withdraw(world.intake, SIGNED)
    answer = httpx.post(
        f"{url}/desk/withdrawals", content=b"0", headers=headers(world), trust_env=False
    )
    assert answer.status_code in (400, 403)
    assert DIGEST.hex().encode() not in answer.content


def test_a_withdrawal_that_is_none_raises_one_of_our_errors(world: World) -> None:
    for data in (b"\xff" * 100, SIGNED[:-1], SIGNED + b"\n", b"safeconduct/v1/withdrawal\n"):
        with pytest.raises(SafeconductError):
            withdraw(world.intake, data)
