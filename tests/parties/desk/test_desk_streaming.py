"""Payloads of any size, from a door that may send anything: whole and hashed, or not there."""

import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from tests.parties.desk.desk_world import NOW, World

from safeconduct.errors import UnavailableError
from safeconduct.parties.desk import door as desk_door
from safeconduct.parties.desk.desk import Stream
from safeconduct.parties.desk.pull import pull
from safeconduct.parties.desk.unseal import unseal_all
from safeconduct.plumbing import fetch

FILES = {"message.txt": b"the ledger of May is attached\n", "scan.bin": bytes(200_000)}


def _other_bytes(payload: bytes) -> list[bytes]:
    return [payload[:-1], bytes([payload[-1] ^ 1])]


def _short(payload: bytes) -> list[bytes]:
    return [payload[:70_000]]


def _endless(payload: bytes) -> Iterator[bytes]:
    yield payload
    while True:
        yield bytes(1_000)


def _nothing(payload: bytes) -> list[bytes]:
    return []


def _sent(world: World, send: Callable[[bytes], object]) -> Stream:
    def stream(
        url: str, body: bytes, headers: Mapping[str, str], bytes_max: int, seconds: float
    ) -> Iterator[bytes]:
        yield from send(world.door.payloads[body])  # type: ignore[misc]

    return stream


@pytest.mark.parametrize(
    ("send", "reason"),
    [
        pytest.param(_other_bytes, "not the one its record commits to", id="other bytes"),
        pytest.param(_short, "ends after 70000 of", id="too few"),
        pytest.param(_endless, "not the one its record commits to", id="without end"),
        pytest.param(_nothing, "ends after 0 of", id="none"),
    ],
)
def test_a_payload_that_is_not_the_one_leaves_one_reason_and_no_file(
    world: World, send: Callable[[bytes], object], reason: str
) -> None:
    digest = world.send(0, FILES)
    assert pull(replace(world.desk, stream=_sent(world, send))) == []
    [held] = world.desk.store.held_back()
    assert reason in held.reason
    assert not world.desk.store.tip_folder(digest).exists()
    assert pull(world.desk) == [digest]


def test_a_break_ends_the_pull_and_leaves_nothing_half(world: World) -> None:
    digest = world.send(0, FILES)

    def stream(*asked: object) -> Iterator[bytes]:
        yield world.door.payloads[digest][:70_000]
        raise UnavailableError("broken off")

    with pytest.raises(UnavailableError, match="broken off"):
        pull(replace(world.desk, stream=stream))
    assert world.desk.store.held_back() == []
    assert not world.desk.store.tip_folder(digest).exists()
    assert pull(world.desk) == [digest]


def test_a_payload_that_is_here_already_is_not_asked_for_again(world: World) -> None:
    digest = world.send(0, FILES)
    path = world.desk.store.payload_path(digest)
    path.parent.mkdir(parents=True)
    path.write_bytes(world.door.payloads[digest])

    def stream(*asked: object) -> Iterator[bytes]:
        raise AssertionError("asked again")

    assert pull(replace(world.desk, stream=stream)) == [digest]
    [step] = unseal_all(world.desk)
    assert step.status == "ok"


def test_long_payloads_tell_how_far_they_are(world: World) -> None:
    world.send(0, FILES)
    clock = iter(range(NOW, NOW + 1_000))
    told: list[str] = []
    pull(replace(world.desk, seconds=lambda: next(clock)), told.append)
    assert 1 < len(told) < 10
    assert all(" of 0 MiB" in line for line in told)


# A door of our own writing, over a true connection.

HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/octet-stream\r\n"


@contextmanager
def _serving(answers: Iterator[bytes]) -> Iterator[str]:
    """One connection that is given `answers` after its request, then closed."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(65_536)
            try:
                for piece in answers:
                    connection.sendall(piece)
                connection.shutdown(socket.SHUT_WR)
                while connection.recv(65_536):
                    pass  # to close on unread bytes would break the connection off
            except OSError:
                return  # the desk has heard enough

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        listener.close()
        thread.join(10)


def _slowly() -> Iterator[bytes]:
    yield HEAD + b"content-length: 1000\r\n\r\n"
    pause = threading.Event()
    while not pause.wait(0.05):
        yield b"x"


def _without_end() -> Iterator[bytes]:
    yield HEAD + b"transfer-encoding: chunked\r\n\r\n"
    while True:
        yield b"400\r\n" + bytes(1_024) + b"\r\n"


@pytest.mark.parametrize(
    ("answers", "message"),
    [
        pytest.param(
            lambda: iter([HEAD + b"content-length: 1000\r\n\r\nshort"]),
            "cannot be reached",
            id="closes early",
        ),
        pytest.param(_without_end, "longer than 5000 bytes", id="never ends"),
        pytest.param(_slowly, "timed out|takes too long", id="a byte now and then"),
        pytest.param(
            lambda: iter([b"HTTP/1.1 404 Not Found\r\nconnection: close\r\n\r\n"]),
            "answered 404",
            id="has none",
        ),
    ],
)
def test_a_hostile_answer_ends_in_one_clear_error(
    answers: Callable[[], Iterator[bytes]], message: str
) -> None:
    with _serving(answers()) as url, pytest.raises(Exception, match=message):
        for _ in fetch.post_pieces(f"{url}/p", b"", bytes_max=5_000, seconds=4.0):
            pass


def test_what_the_door_sends_comes_out_in_pieces_as_it_was(tmp_path: Path) -> None:
    body = bytes(range(256)) * 2_000
    answer = HEAD + b"content-length: %d\r\n\r\n" % len(body) + body
    with _serving(iter([answer])) as url:
        pieces = list(fetch.post_pieces(f"{url}/p", b"ask", bytes_max=len(body)))
    assert b"".join(pieces) == body
    assert max(map(len, pieces)) < len(body)


def test_the_time_for_a_payload_grows_with_its_size(world: World) -> None:
    world.send(0, FILES)
    given: list[float] = []

    def stream(*asked: object) -> Iterator[bytes]:
        given.append(float(str(asked[-1])))
        return world.door.stream(*asked)  # type: ignore[arg-type]

    pull(replace(world.desk, stream=stream))
    size = 262_144  # about what the files are padded to
    extra = size / desk_door.SLOWEST_BYTES_PER_SECOND
    assert fetch.WHOLE_SECONDS + extra / 2 < given[0] < fetch.WHOLE_SECONDS + 2 * extra
