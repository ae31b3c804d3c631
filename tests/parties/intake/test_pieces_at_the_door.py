"""Pieces in every order, twice, at once, across restarts: one payload, and one answer."""

import hashlib
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import BinaryIO

import httpx
import pytest
from tests.parties.intake.door_world import NOW, World, ask, open_world
from tests.protocol import builders

from safeconduct.errors import UnavailableError
from safeconduct.parties.intake import accept, store
from safeconduct.parties.intake.site import make_site
from safeconduct.plumbing import blobs, web
from safeconduct.plumbing.blobs import Blobs
from safeconduct.plumbing.durable import append_synced
from safeconduct.protocol.canonical import format_base64, format_json
from safeconduct.protocol.envelope import Envelope
from safeconduct.protocol.record import (
    Record,
    format_record,
    make_record,
    parse_signed,
    record_hash,
    upload_name,
)

SEALED = builders.sealed()
PAYLOAD = b"".join(SEALED.payload())
SIZE = len(PAYLOAD)
OTHER = bytes(byte ^ 1 for byte in PAYLOAD)
DIGEST = record_hash(format_record(SEALED.record))
UPLOAD = f"/deliver/{upload_name(format_record(SEALED.record)).hex()}"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with open_world(tmp_path) as opened:
        yield opened


def announce(world: World, sealed: Envelope = SEALED, **changes: str) -> httpx.Response:
    record = format_record(sealed.record)
    fields = {
        "record": record.decode(),
        "proof": builders.prove(record_hash(record), world.ledger.at).decode(),
        "header": format_base64(sealed.header),
    }
    return ask(world, "POST", "/deliver", format_json({**fields, **changes}))


def patch(world: World, start: int, piece: bytes, upload: str = UPLOAD) -> tuple[int, str]:
    answer = ask(world, "PATCH", f"{upload}?offset={start}", piece)
    return answer.status_code, answer.text.splitlines()[0].removeprefix("error: ")


def finish(world: World, upload: str = UPLOAD) -> httpx.Response:
    return ask(world, "POST", f"{upload}/finish")


def delivered(world: World) -> Record:
    answer = finish(world)
    assert answer.status_code == 200, answer.text
    return parse_signed(answer.content, "delivery").record


# One client.

MANNERS: dict[str, tuple[list[tuple[int, int]], list[tuple[int, str]]]] = {
    "in order": ([(0, 100), (100, SIZE)], [(200, "100"), (200, str(SIZE))]),
    "the later one first": (
        [(100, SIZE), (0, 100), (100, SIZE)],
        [(409, "the payload is held up to byte 0, not to 100"), (200, "100"), (200, str(SIZE))],
    ),
    "overlapping": ([(0, 100), (40, SIZE)], [(200, "100"), (200, str(SIZE))]),
    "repeated": ([(0, 100), (0, 100), (0, 60)], [(200, "100")] * 3),
    "the whole once more": ([(0, SIZE), (0, SIZE)], [(200, str(SIZE))] * 2),
    "with a gap": (
        [(0, 100), (101, SIZE)],
        [(200, "100"), (409, "the payload is held up to byte 100, not to 101")],
    ),
    "empty": ([(0, 0), (0, 100), (100, 100), (50, 50)], [(200, "0"), *[(200, "100")] * 3]),
    "empty after a gap": (
        [(7, 7)],
        [(409, "the payload is held up to byte 0, not to 7")],
    ),
}


@pytest.mark.parametrize("manner", MANNERS)
def test_pieces_are_answered_alike_in_every_manner(manner: str, world: World) -> None:
    spans, answers = MANNERS[manner]
    announce(world)
    assert [patch(world, start, PAYLOAD[start:end]) for start, end in spans] == answers
    held = int(announce(world).text)
    assert patch(world, held, PAYLOAD[held:]) == (200, str(SIZE))
    assert delivered(world).hash("record") == DIGEST


TOO_LONG = f"the payload is longer than its record says: {SIZE} bytes"


@pytest.mark.parametrize(
    ("start", "piece"), [(0, PAYLOAD + b"x"), (SIZE, b"x"), (SIZE + 1, b""), (1 << 62, b"x")]
)
def test_more_than_the_record_says_is_refused_before_and_after(
    start: int, piece: bytes, world: World
) -> None:
    announce(world)
    assert patch(world, start, piece) == (400, TOO_LONG)
    assert announce(world).text == "0"
    patch(world, 0, PAYLOAD)
    delivered(world)
    assert patch(world, start, piece) == (400, TOO_LONG)


OTHERS = "these bytes are not those that were sent before; none are held now"


def test_a_piece_that_contradicts_what_is_held_drops_both(world: World) -> None:
    announce(world)
    patch(world, 0, OTHER[:100])
    assert patch(world, 50, PAYLOAD[50:200]) == (409, OTHERS)
    assert announce(world).text == "0"
    patch(world, 0, PAYLOAD)
    assert delivered(world).hash("record") == DIGEST


def test_other_bytes_of_the_right_size_are_found_at_the_end_and_dropped(world: World) -> None:
    announce(world)
    patch(world, 0, OTHER)
    answer = finish(world)
    assert answer.status_code == 403
    assert "not the one its record commits to" in answer.text
    assert "from byte 0" in answer.text
    assert announce(world).text == "0"
    patch(world, 0, PAYLOAD)
    assert delivered(world).hash("record") == DIGEST


@pytest.mark.parametrize("held", [0, 1, SIZE - 1])
def test_a_payload_that_is_too_short_is_no_delivery(held: int, world: World) -> None:
    announce(world)
    patch(world, 0, PAYLOAD[:held])
    answer = finish(world)
    assert answer.status_code == 403
    assert f"held up to byte {held} only" in answer.text
    assert patch(world, held, PAYLOAD[held:]) == (200, str(SIZE))
    assert delivered(world).hash("record") == DIGEST


def test_another_records_payload_under_this_name_is_no_delivery(world: World) -> None:
    """Both are announced and of one size; each name takes its own bytes only."""
    other = builders.seal({"message.txt": b"Something else.\n"})
    assert other.record.number("size") == SIZE
    announce(world)
    announce(world, other)
    patch(world, 0, b"".join(other.payload()))
    assert finish(world).status_code == 403
    patch(world, 0, PAYLOAD)
    assert delivered(world).hash("record") == DIGEST
    name = upload_name(format_record(other.record)).hex()
    assert finish(world, f"/deliver/{name}").status_code == 403


def test_the_header_that_is_held_can_be_had_under_the_upload_name_only(world: World) -> None:
    assert ask(world, "GET", UPLOAD).status_code == 403
    announce(world)
    assert ask(world, "GET", UPLOAD).content == SEALED.header
    unknown, leaf = (
        ask(world, "GET", f"/deliver/{name}") for name in ("5e" * 32, DIGEST.hex())
    )
    assert (unknown.status_code, unknown.text) == (leaf.status_code, leaf.text)
    patch(world, 0, PAYLOAD)
    delivered(world)
    assert ask(world, "GET", UPLOAD).content == SEALED.header


# Two clients at once.


def together(world: World, payloads: list[bytes]) -> list[list[tuple[int, str]]]:
    """Clients who each send 40 pieces at once, going on from wherever the door says."""

    def client(payload: bytes) -> list[tuple[int, str]]:
        answers = []
        for start in range(0, SIZE, SIZE // 40):
            answers.append(patch(world, start, payload[start : start + SIZE // 40]))
        return answers

    with ThreadPoolExecutor(len(payloads)) as pool:
        return list(pool.map(client, payloads))


def test_two_clients_with_the_same_bytes_do_not_disturb_each_other(world: World) -> None:
    announce(world)
    for answers in together(world, [PAYLOAD, PAYLOAD]):
        assert {status for status, _ in answers} == {200}
    assert delivered(world).hash("record") == DIGEST


def test_two_clients_with_other_bytes_are_told_and_the_right_one_can_begin_again(
    world: World,
) -> None:
    announce(world)
    for answers in together(world, [PAYLOAD, OTHER]):
        told = {text for status, text in answers if status != 200}
        assert all(text == OTHERS or "is held up to byte" in text for text in told)
    held = int(announce(world).text)
    if patch(world, 0, PAYLOAD)[0] == 409:  # the other one's bytes were held
        assert held > 0
        patch(world, 0, PAYLOAD)
    assert delivered(world).hash("record") == DIGEST


def test_many_who_finish_at_once_are_given_the_same_answer(world: World) -> None:
    announce(world)
    patch(world, 0, PAYLOAD)
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: finish(world).content, range(6)))
    assert len(set(answers)) == 1
    assert len(world.intake.store.deliveries_after(0, 10)) == 1


def test_a_delivery_does_not_wait_for_another(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = builders.seal({"message.txt": b"Something else.\n"})
    name = upload_name(format_record(other.record)).hex()
    inside, go = threading.Event(), threading.Event()
    hashed = Blobs.sha256

    def slowly(self: Blobs, digest: bytes) -> bytes:
        if digest == DIGEST:
            inside.set()
            assert go.wait(100)
        return hashed(self, digest)

    monkeypatch.setattr(Blobs, "sha256", slowly)
    announce(world)
    patch(world, 0, PAYLOAD)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(finish, world)
        assert inside.wait(100)
        announce(world, other)
        assert patch(world, 0, b"".join(other.payload()), f"/deliver/{name}")[0] == 200
        assert finish(world, f"/deliver/{name}").status_code == 200
        assert not first.done()
        go.set()
        assert first.result().status_code == 200


def test_a_payload_that_is_kept_but_not_entered_yet_is_not_changed(world: World) -> None:
    """As after a crash, or a full disk, between the move of the file and its entry."""
    announce(world)
    patch(world, 0, PAYLOAD)
    world.intake.store.payloads.keep(DIGEST)
    assert announce(world).text == str(SIZE)
    for piece in (PAYLOAD[:100], OTHER[:100]):
        assert patch(world, 0, piece) == (200, str(SIZE))
    assert delivered(world).hash("record") == DIGEST


# A door that starts again.


def test_after_a_restart_the_payload_is_checked_by_and_by(
    tmp_path: Path, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    announce(world)
    patch(world, 0, PAYLOAD)
    monkeypatch.setattr(blobs, "HASH_AT_ONCE_BYTES_MAX", 20_000)
    world.intake.store.payloads._hashed.clear()
    answers = [finish(world) for _ in range(5)]
    assert [answer.status_code for answer in answers] == [503, 503, 503, 200, 200]
    assert f"still checking: {SIZE - 20_000} bytes to go" in answers[0].text


def test_a_payload_is_hashed_as_it_comes_so_that_the_end_is_quick(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blobs, "HASH_AT_ONCE_BYTES_MAX", 0)
    announce(world)
    for start in range(0, SIZE, 9_000):
        patch(world, start, PAYLOAD[start : start + 9_000])
    assert finish(world).status_code == 200


def test_progress_that_was_dropped_costs_time_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blobs, "HASHES_MAX", 2)
    held = Blobs(tmp_path)
    names = [bytes([number]) * 32 for number in range(5)]
    for piece in (b"first ", b"second"):
        for name in names:
            held.append(name, held.held_bytes(name), piece + name)
    assert len(held._hashed) == 2
    for name in names:
        whole = b"first " + name + b"second" + name
        assert held.sha256(name) == hashlib.sha256(whole).digest()
    assert held._turns == {}


def test_small_blobs_cannot_cost_a_large_one_its_progress(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who keeps hundreds of small uploads alive would else have a large one hashed for ever."""
    monkeypatch.setattr(blobs, "HASHES_MAX", 2)
    held, large = Blobs(tmp_path), b"\xff" * 32
    held.append(large, 0, PAYLOAD)
    for number in range(5):
        held.append(bytes([number]) * 32, 0, b"small")
    monkeypatch.setattr(blobs, "HASH_AT_ONCE_BYTES_MAX", 0)
    assert held.sha256(large) == hashlib.sha256(PAYLOAD).digest()


def test_a_delivery_goes_on_at_another_process_on_the_same_folder(
    tmp_path: Path, world: World
) -> None:
    announce(world)
    patch(world, 0, PAYLOAD[:30_000])
    again = World(folder=tmp_path, ledger=world.ledger, ledger_url=world.ledger_url)
    with web.running(make_site(again.intake)) as again.url:
        assert announce(again).text == "30000"
        assert patch(again, 30_000, PAYLOAD[30_000:]) == (200, str(SIZE))
        assert delivered(again).hash("record") == DIGEST


# Windows and proofs.

EPOCH = builders.gazette_state().epochs[0]
WINDOW = builders.gazette_state().programme.number("delivery-window")


def test_an_epoch_that_closed_is_named_with_its_end_and_what_to_do(world: World) -> None:
    world.now = world.ledger.at = EPOCH.closes
    answer = announce(world)
    assert answer.status_code == 403
    assert "desk epoch 1, which was not open at its date" in answer.text
    assert "closed 2027-01-21T08:00:00Z; its keys are not destroyed yet" in answer.text
    assert "hint: send the tip again" in answer.text


def test_an_epoch_whose_keys_are_destroyed_takes_nothing_whatever_its_date(
    world: World,
) -> None:
    retirement = make_record(
        "retirement",
        programme=builders.PROGRAMME,
        number=1,
        epoch=1,
        certificate=EPOCH.hash,
        destruction=bytes(32),
    )
    world.entries = (*world.entries, builders.by_board(retirement))
    answer = announce(world)
    assert answer.status_code == 403
    assert "desk epoch 1, which was open at its date" in answer.text
    assert "its keys are destroyed" in answer.text


def test_a_late_piece_is_refused_before_it_is_stored(world: World) -> None:
    announce(world)
    patch(world, 0, PAYLOAD[:100])
    world.now = NOW + WINDOW + 1
    status, told = patch(world, 100, PAYLOAD[100:])
    assert status == 403
    assert told == "the delivery window of this commitment is over since 2027-01-18T08:00:00Z"
    assert world.intake.store.payloads.held_bytes(DIGEST) == 100


def test_what_was_begun_and_never_ended_does_not_lie_there_for_good(world: World) -> None:
    announce(world)
    patch(world, 0, PAYLOAD[:100])
    other = builders.seal({"message.txt": b"Something else.\n"})
    world.ledger.at = world.now = NOW + WINDOW
    announce(world, other)
    assert world.intake.store.payloads.staged() == [DIGEST]
    world.now += store.DROP_SECONDS
    announce(world, other)
    assert world.intake.store.payloads.staged() == []


YEARS = 9 * 365 * builders.DAY


def test_what_was_delivered_is_answered_alike_after_years(world: World) -> None:
    announce(world)
    patch(world, 0, PAYLOAD)
    first = finish(world).content
    world.now, world.gazette_away, world.ledger.away = NOW + YEARS, True, True
    assert announce(world).text == str(SIZE)
    assert patch(world, 0, OTHER) == (200, str(SIZE))
    assert finish(world).content == first
    assert len(world.intake.store.deliveries_after(0, 10)) == 1


def test_a_leaf_that_is_in_no_log_begins_no_delivery(world: World) -> None:
    forged = builders.prove(DIGEST, NOW, builders.STRANGER).decode()
    unwitnessed = builders.prove(DIGEST, NOW, witnesses=[builders.OUR_WITNESS]).decode()
    for proof in (forged, unwitnessed):
        assert announce(world, proof=proof).status_code == 403
    assert finish(world).status_code == 403
    assert world.ledger.added == []


def test_somebody_elses_proof_begins_no_delivery(world: World) -> None:
    other = builders.seal({"message.txt": b"Something else.\n"})
    theirs = builders.prove(record_hash(format_record(other.record))).decode()
    answer = announce(world, proof=theirs)
    assert answer.status_code == 403
    assert "does not lead to the root" in answer.text
    assert world.ledger.added == []


def test_a_disk_that_fills_up_while_a_piece_is_written_leaves_none_of_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    announce(world)
    patch(world, 0, PAYLOAD[:100])

    def refuse(file: BinaryIO, data: bytes) -> None:
        append_synced(file, data[:50])
        raise UnavailableError("no space", told="no space")

    monkeypatch.setattr("safeconduct.plumbing.blobs.append_synced", refuse)
    assert patch(world, 100, PAYLOAD[100:])[0] == 503
    assert announce(world).text == "100"
    monkeypatch.undo()
    assert patch(world, 100, PAYLOAD[100:]) == (200, str(SIZE))
    assert delivered(world).hash("record") == DIGEST


def test_pieces_are_bounded(world: World) -> None:
    announce(world)
    assert patch(world, 0, bytes(accept.PIECE_BYTES_MAX + 1))[0] == 413
