"""The line is cut, door or source is killed hard, after any byte: the delivery is the same."""

import hashlib
from collections.abc import Iterator
from itertools import chain

import pytest
from tests.crash.door_rig import DOWN, PIECE_BYTES, UP, Rig, open_rig
from tests.protocol import builders

from safeconduct.parties.source import send as sending
from safeconduct.parties.source.door import Door
from safeconduct.parties.source.send import Parcel, commit, deliver
from safeconduct.plumbing import fetch
from safeconduct.protocol.capsule import find_capsules
from safeconduct.protocol.envelope import Envelope
from safeconduct.protocol.keys import contribution_keys, master_key
from safeconduct.protocol.record import format_record, parse_record, parse_signed, record_hash

HEAD_BYTES = 200  # of each request, and of each answer, every single byte
STRIDES = (300, 500, 700, 901, 1_300, 2_003, 2_900, 4_095, 8_191, 20_001, 40_000, 65_000)
REQUESTS = 6  # capsule, commitment, capsule, announcement, piece, finish

PIECES = 4
LARGE = bytes(150_000)  # is padded to four chunks, each sent as a piece


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    with open_rig(tmp_path_factory.mktemp("door")) as opened:
        yield opened


@pytest.fixture(autouse=True)
def _hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing to be gained from waiting: what was cut is there again at once."""
    monkeypatch.setattr(fetch, "_BACK_OFF_FIRST_SECONDS", 0.001)
    monkeypatch.setattr(fetch, "_BACK_OFF_LAST_SECONDS", 0.02)


def envelope(content: bytes, number: int = 0) -> Envelope:
    return builders.seal({"message.txt": content}, number)


def hand_in(rig: Rig, sealed: Envelope) -> bytes:
    """All that a source does at the door; returns what the door signed."""
    door, record = Door(rig.line.url), format_record(sealed.record)
    door.shelve(hashlib.sha256(record).digest()[:16], bytes(8_192))
    proof, _ = commit(rig.programme, door, record)
    door.shelve(hashlib.sha256(record).digest()[:16], b"\1" * 8_192)
    parcel = Parcel(
        record=record,
        header=sealed.header,
        payload=lambda offset: sending.from_byte(sealed.payload(), offset),
        headers=[hashlib.sha256(sealed.header).digest()],
    )
    return deliver(door, parcel, proof, builders.gazette_state())


def check(rig: Rig, record: bytes, answer: bytes) -> None:
    """The one delivery of this record is the answer, and the payload is the committed one."""
    store, digest = rig.world.intake.store, record_hash(record)
    kept = store.delivered(digest)
    assert kept is not None
    assert (kept.record, kept.delivery) == (record, answer)
    payload = b"".join(store.payloads.pieces(digest))
    assert hashlib.sha256(payload).digest() == parse_record(record).hash("payload")
    assert not (rig.door.folder / "tips" / "staged" / digest.hex()).exists()
    assert rig.ledger.added.count(digest) >= 1


@pytest.mark.parametrize("way", [UP, DOWN])
def test_a_line_that_is_cut_after_any_byte_of_any_request_costs_nothing(
    way: str, rig: Rig
) -> None:
    rig.line.strike = lambda: None
    struck = 0
    for after in chain(range(HEAD_BYTES), STRIDES):
        sealed = envelope(f"{way} {after}".encode())
        rig.line.aim(way, after)
        answer = hand_in(rig, sealed)
        struck += rig.line.strikes
        assert rig.line.strikes == REQUESTS or after >= HEAD_BYTES
        rig.line.rest()
        if after % 10 == 0:
            assert hand_in(rig, sealed) == answer
        check(rig, format_record(sealed.record), answer)
    assert struck > REQUESTS * HEAD_BYTES


KILLS = {
    "before a byte of the request": (UP, 0),
    "in the request's head": (UP, 120),
    "in the body": (UP, 9_000),
    "before a byte of the answer": (DOWN, 0),
    "in the answer's head": (DOWN, 77),
}


@pytest.mark.parametrize("case", KILLS)
def test_a_door_that_is_killed_in_each_request_signs_for_one_whole_delivery(
    case: str, rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "PIECE_BYTES", PIECE_BYTES)
    rig.line.strike, starts = rig.door.kill_and_start, rig.door.starts
    rig.line.aim(*KILLS[case])
    sealed = envelope(case.encode() + LARGE)
    answer = hand_in(rig, sealed)
    rig.line.rest()
    killed = rig.door.starts - starts
    assert killed == (PIECES if case == "in the body" else REQUESTS + PIECES - 1)
    assert hand_in(rig, sealed) == answer
    check(rig, format_record(sealed.record), answer)


def words(name: str) -> bytes:
    return hashlib.sha256(name.encode()).digest()[:16]


SENDING = 7 + PIECES - 1  # the shelf, and then as above
KILLED_SOURCES = [
    (request, way, after)
    for request in range(1, SENDING + 1)
    for way, after in ((UP, 100), (DOWN, 0))
]


@pytest.mark.parametrize(("number", "way", "after"), KILLED_SOURCES)
def test_a_source_that_is_killed_goes_on_to_the_same_contribution(
    number: int, way: str, after: int, rig: Rig
) -> None:
    name = f"killed in request {number} {way} after {after}"
    rig.line.aim(way, after, only=number)
    assert rig.send_in_process(words(name), name.encode() + LARGE) is None
    assert rig.line.strikes == 1
    rig.line.rest()
    assert rig.send_in_process(words(name), name.encode() + LARGE) == 0
    check_only(rig, name)


def test_a_source_that_is_killed_again_and_again_goes_on(rig: Rig) -> None:
    name = "killed again and again"
    for number in range(2, SENDING + 1):
        rig.line.aim(DOWN, 0, only=number)
        if rig.send_in_process(words(name), name.encode() + LARGE) == 0:
            break
    rig.line.rest()
    assert rig.send_in_process(words(name), name.encode() + LARGE) == 0
    check_only(rig, name)


def check_only(rig: Rig, name: str) -> None:
    """These words have one contribution, and it was delivered once."""
    master = master_key(words(name), builders.PROGRAMME)
    [found], _ = find_capsules(
        rig.world.intake.store.versions, lambda number: contribution_keys(master, number)
    )
    answer = Door(rig.line.url).finish_delivery(found.capsule.record)
    assert found.capsule.proof
    assert parse_signed(answer).record.hash("header") in found.capsule.headers
    check(rig, found.capsule.record, answer)
