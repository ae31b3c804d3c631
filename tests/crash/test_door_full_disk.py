"""A door on a disk of four megabytes: it dates on, says that it is full, and goes on later."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.crash.test_full_disk import fill
from tests.parties.intake.door_world import World, ask, open_world
from tests.protocol import builders

from safeconduct.parties.intake import store
from safeconduct.plumbing.blobs import Blobs
from safeconduct.protocol.canonical import format_base64, format_json
from safeconduct.protocol.receipt import verify_receipt
from safeconduct.protocol.record import format_record, parse_signed, record_hash, upload_name

DISK_BYTES = 4 << 20
RESERVE_BYTES = 1 << 20
SEALED = builders.seal({"scan.bin": bytes(900_000)})
RECORD = format_record(SEALED.record)
DIGEST = record_hash(RECORD)
PAYLOAD = b"".join(SEALED.payload())
UPLOAD = f"/deliver/{upload_name(RECORD).hex()}"
NO_ROOM = "the door has no room for envelopes now"
YOUR_DATE_IS_SAFE = "your date is safe"


@pytest.fixture
def world(small_disk: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.setattr(store, "DISK_RESERVE_BYTES", RESERVE_BYTES)
    with open_world(small_disk) as opened:
        yield opened


def announce(world: World) -> tuple[int, str]:
    body = format_json(
        {
            "record": RECORD.decode(),
            "proof": builders.prove(DIGEST).decode(),
            "header": format_base64(SEALED.header),
        }
    )
    answer = ask(world, "POST", "/deliver", body)
    return answer.status_code, answer.text


def patch(world: World, start: int, end: int) -> tuple[int, str]:
    answer = ask(world, "PATCH", f"{UPLOAD}?offset={start}", PAYLOAD[start:end])
    return answer.status_code, answer.text


def commit(world: World) -> int:
    proof = ask(world, "POST", "/commit", DIGEST).content
    return verify_receipt(RECORD, proof, builders.POLICY, builders.LEDGER.name).logged_by


def delivered(world: World) -> None:
    """What is held is gone on with, to a delivery that is signed for once."""
    status, held = announce(world)
    assert status == 200
    assert patch(world, int(held), len(PAYLOAD))[0] == 200
    answer = ask(world, "POST", f"{UPLOAD}/finish")
    assert parse_signed(answer.content, "delivery").record.hash("record") == DIGEST
    assert b"".join(world.intake.store.payloads.pieces(DIGEST)) == PAYLOAD


def test_below_the_reserve_the_door_dates_and_says_that_it_has_no_room(world: World) -> None:
    assert announce(world) == (200, "0")
    assert patch(world, 0, 300_000) == (200, "300000")
    ballast = fill(world.folder, leave_bytes=RESERVE_BYTES - 1)
    for status, told in (announce(world), patch(world, 300_000, 400_000)):
        assert status == 503
        assert NO_ROOM in told
        assert YOUR_DATE_IS_SAFE in told
    assert commit(world) == world.now
    assert ask(world, "POST", f"{UPLOAD}/finish").status_code == 403  # incomplete
    ballast.unlink()
    assert announce(world) == (200, "300000")
    delivered(world)


def test_a_disk_that_is_full_to_the_last_byte_keeps_what_was_acknowledged(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "DISK_RESERVE_BYTES", 0)
    assert announce(world) == (200, "0")
    assert patch(world, 0, 300_000) == (200, "300000")
    ballast = fill(world.folder, leave_bytes=100_000)
    monkeypatch.setattr(Blobs, "check_room", lambda *_: None)
    assert patch(world, 300_000, 900_000)[0] == 503
    assert world.intake.store.payloads.held_bytes(DIGEST) == 300_000
    assert commit(world) == world.now
    ballast.unlink()
    delivered(world)


def test_a_door_that_cannot_enter_a_delivery_has_not_signed_for_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All pieces have come; then somebody else fills the disk."""
    monkeypatch.setattr(store, "DISK_RESERVE_BYTES", 0)
    announce(world)
    patch(world, 0, len(PAYLOAD))
    ballast = fill(world.folder, leave_bytes=0)
    answers = [ask(world, "POST", f"{UPLOAD}/finish") for _ in range(2)]
    assert {answer.status_code for answer in answers} == {503}
    assert all("safeconduct/v1" not in answer.text for answer in answers)
    assert world.intake.store.delivered(DIGEST) is None
    ballast.unlink()
    delivered(world)
