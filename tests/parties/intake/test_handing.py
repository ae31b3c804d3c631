"""An envelope sealed elsewhere comes in as one file, and keeps the date on which it began."""

import hashlib
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from tests.parties.intake.door_world import World, open_world
from tests.protocol import builders

from safeconduct.errors import UnavailableError
from safeconduct.protocol.capsule import Capsule, seal_capsule
from safeconduct.protocol.envelope import Envelope
from safeconduct.protocol.parcel import HEAD_BYTES_MAX, MAGIC, ParcelHead, format_head
from safeconduct.protocol.record import format_record, record_hash


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with open_world(tmp_path) as made:
        yield made


@pytest.fixture(scope="module")
def envelope() -> Envelope:
    return builders.sealed()


@pytest.fixture(scope="module")
def head(envelope: Envelope) -> ParcelHead:
    record = format_record(envelope.record)
    capsule = Capsule(
        record=record,
        pre=envelope.pre,
        nonce=envelope.nonce,
        headers=(hashlib.sha256(envelope.header).digest(),),
    )
    return ParcelHead(
        record=record,
        header=envelope.header,
        slot=envelope.keys.slot(),
        capsule=seal_capsule(capsule, envelope.keys, lambda length: bytes(length)),
    )


@pytest.fixture(scope="module")
def parcel(head: ParcelHead, envelope: Envelope) -> bytes:
    return format_head(head) + b"".join(envelope.payload())


def post(world: World, data: bytes, name: str = "envelope.sealed") -> httpx.Response:
    return httpx.post(
        f"{world.url}/en/sealed", files={"file": (name, data)}, timeout=30, trust_env=False
    )


def test_the_page_says_what_to_bring_and_can_be_had_in_other_languages(world: World) -> None:
    answer = httpx.get(f"{world.url}/en/sealed", trust_env=False)
    assert answer.status_code == 200
    assert 'enctype="multipart/form-data"' in answer.text
    assert "/de/sealed" in answer.text
    assert len(answer.content) < 30_000


def test_a_parcel_is_dated_kept_and_answered_with_a_receipt(
    world: World, parcel: bytes, head: ParcelHead, envelope: Envelope
) -> None:
    answer = post(world, parcel)
    assert answer.status_code == 200
    assert "Received and dated" in answer.text
    digest = record_hash(head.record)
    delivered = world.intake.store.delivered(digest)
    assert delivered is not None
    assert delivered.delivery_proof
    assert delivered.header == envelope.header
    kept = b"".join(world.intake.store.payloads.pieces(digest))
    assert kept == b"".join(envelope.payload())
    assert world.intake.store.versions(head.slot) == [head.capsule]


def test_the_same_parcel_again_gives_a_receipt_and_is_no_second_tip(
    world: World, parcel: bytes
) -> None:
    assert [post(world, parcel).status_code for _ in range(2)] == [200, 200]
    assert len(world.intake.store.deliveries_after(0, 10)) == 1


def test_the_date_is_fixed_though_the_rest_never_comes(
    world: World, parcel: bytes, head: ParcelHead
) -> None:
    answer = post(world, parcel[:-1])
    assert answer.status_code == 400
    assert "did not arrive as it was sealed" in answer.text
    until = time.monotonic() + 60
    while not world.ledger.added and time.monotonic() < until:
        time.sleep(0.01)
    assert world.ledger.added == [record_hash(head.record)]
    assert world.intake.store.deliveries_after(0, 10) == []
    assert list((world.folder / "tips" / "staged").iterdir()) == []
    assert post(world, parcel).status_code == 200


def test_a_full_disk_dates_it_and_says_so(
    world: World, parcel: bytes, head: ParcelHead, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise UnavailableError("the disk is nearly full")

    monkeypatch.setattr(world.intake.store.payloads, "check_room", full)
    answer = post(world, parcel)
    assert "Dated, but not received yet" in answer.text
    assert world.ledger.added == [record_hash(head.record)]


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        ("nothing", "No file was chosen"),
        ("another file", "not a sealed envelope"),
        ("an age file", "not a sealed envelope"),
        ("a head cut short", "not a sealed envelope"),
        ("an endless record", "not a sealed envelope"),
        ("a changed payload", "did not arrive as it was sealed"),
        ("more behind it", "did not arrive as it was sealed"),
        ("a taken slot", "cannot be taken"),
    ],
)
def test_what_is_not_whole_is_refused_and_not_kept(
    world: World, parcel: bytes, head: ParcelHead, damage: str, told: str
) -> None:
    if damage == "a taken slot":
        world.intake.store.shelve(head.slot, bytes(len(head.capsule)))
    sent = {
        "nothing": b"",
        "another file": b"%PDF-1.7" + bytes(100_000),
        "an age file": b"age-encryption.org/v1\n" + bytes(1_000),
        "a head cut short": parcel[: len(MAGIC) + 100],
        "an endless record": MAGIC + b"\xff\xff\xff\xff" + bytes(HEAD_BYTES_MAX),
        "a changed payload": parcel[:-1] + bytes([parcel[-1] ^ 1]),
        "more behind it": parcel + b"\0",
        "a taken slot": parcel,
    }[damage]
    answer = post(world, sent, "" if damage == "nothing" else "a")
    assert answer.status_code >= 400
    assert told in answer.text
    assert world.intake.store.deliveries_after(0, 10) == []
    assert list((world.folder / "tips" / "staged").iterdir()) == []


def test_a_parcel_for_another_programme_is_not_dated(
    world: World, head: ParcelHead, envelope: Envelope
) -> None:
    record = head.record.replace(builders.PROGRAMME.hex().encode(), b"00" * 32)
    other = replace(head, record=record)
    answer = post(world, format_head(other) + b"".join(envelope.payload()))
    assert answer.status_code >= 400
    assert world.ledger.added == []


def test_two_files_at_once_are_refused(world: World, parcel: bytes) -> None:
    answer = httpx.post(
        f"{world.url}/en/sealed",
        files=[("file", ("a", parcel)), ("file", ("b", parcel))],
        timeout=30,
        trust_env=False,
    )
    assert answer.status_code == 400
    assert world.intake.store.deliveries_after(0, 10) == []
