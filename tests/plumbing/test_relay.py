"""Connections that Tor brings for another server arrive there without the circuit's line."""

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from safeconduct.demo.stage import free_port
from safeconduct.errors import MalformedError
from safeconduct.plumbing import web
from safeconduct.plumbing.relay import relay

LINE = b"PROXY TCP6 fc00:dead:beef:4dad::0:2f ::1 47 8081\r\n"
LARGE_BYTES = 8 << 20
WAIT_SECONDS = 60


async def swallow(request: web.Request) -> web.Response:
    return web.text(str(len(await web.read_body(request, bytes_max=LARGE_BYTES))))


APP = web.make_app(
    [
        web.Route("GET", "/", lambda request: web.text(web.flow_of(request))),
        web.Route("GET", "/large", lambda _: web.data(bytes(LARGE_BYTES))),
        web.Route("POST", "/", swallow),
    ]
)


@contextmanager
def relaying(path: Path, target: str, *, quiet: float = 60, most: int = 9) -> Iterator[Path]:
    stop = threading.Event()
    thread = threading.Thread(
        target=relay,
        args=(f"unix:{path}", target, stop),
        kwargs={"quiet_seconds": quiet, "connections_max": most},
    )
    thread.start()
    until = time.monotonic() + WAIT_SECONDS
    while not _listens(path) and time.monotonic() < until:
        time.sleep(0.01)
    try:
        yield path
    finally:
        stop.set()
        thread.join(WAIT_SECONDS)


def _listens(path: Path) -> bool:
    """Whether anybody does: not yet, when the path is there."""
    with socket.socket(socket.AF_UNIX) as end:
        return end.connect_ex(str(path)) == 0


@pytest.fixture
def path(tmp_path: Path) -> Iterator[Path]:
    with web.running(APP) as url, relaying(tmp_path / "s", url.removeprefix("http://")) as path:
        yield path


@contextmanager
def connected(path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX) as end:
        end.settimeout(WAIT_SECONDS)
        end.connect(str(path))
        yield end


def all_from(end: socket.socket) -> bytes:
    received = bytearray()
    with contextlib.suppress(ConnectionError):
        while piece := end.recv(1 << 20):
            received += piece
    return bytes(received)


def said(path: Path, *pieces: bytes) -> bytes:
    with connected(path) as end:
        for piece in pieces:
            end.sendall(piece)
            time.sleep(0.01)
        return all_from(end)


def test_the_line_is_taken_off_and_all_else_goes_through(path: Path) -> None:
    assert said(path, LINE + b"GET / HTTP/1.0\r\n\r\n").endswith(b"\r\n127.0.0.1")
    assert said(path, LINE[:9], LINE[9:] + b"GET / ", b"HTTP/1.0\r\n\r\n").endswith(
        b"127.0.0.1"
    )


def test_much_goes_through_in_both_directions(path: Path) -> None:
    answer = said(path, LINE + b"GET /large HTTP/1.0\r\n\r\n")
    assert answer.endswith(bytes(LARGE_BYTES))
    head = b"POST / HTTP/1.0\r\ncontent-length: %d\r\n\r\n" % LARGE_BYTES
    assert said(path, LINE + head, bytes(LARGE_BYTES)).endswith(b"%d" % LARGE_BYTES)


@pytest.mark.parametrize("begin", [b"", b"GET / HTTP/1.0\r\n\r\n", LINE.replace(b"fc", b"fd")])
def test_without_a_line_nothing_goes_through(path: Path, begin: bytes) -> None:
    with connected(path) as end:
        end.sendall(begin)
        end.shutdown(socket.SHUT_WR)
        assert all_from(end) == b""


def test_a_server_that_is_away_ends_the_connection(tmp_path: Path) -> None:
    with relaying(tmp_path / "s", f"127.0.0.1:{free_port()}") as path:
        assert said(path, LINE) == b""


def test_a_quiet_connection_is_ended(tmp_path: Path) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as silent,
        relaying(tmp_path / "s", f"127.0.0.1:{silent.getsockname()[1]}", quiet=0.3) as path,
    ):
        began = time.monotonic()
        assert said(path, LINE) == b""
        assert time.monotonic() - began < WAIT_SECONDS


def test_the_quietest_makes_room(tmp_path: Path) -> None:
    with (
        web.running(APP) as url,
        relaying(tmp_path / "s", url.removeprefix("http://"), most=3) as path,
        ExitStack() as stack,
    ):
        ends = [stack.enter_context(connected(path)) for _ in range(3)]
        time.sleep(0.5)
        assert said(path, LINE + b"GET / HTTP/1.0\r\n\r\n").endswith(b"127.0.0.1")
        assert all_from(ends[0]) == b""


@pytest.mark.parametrize("target", ["8081", ":8081", "127.0.0.1:", "127.0.0.1:x"])
def test_a_target_is_a_host_and_a_port(tmp_path: Path, target: str) -> None:
    with pytest.raises(MalformedError, match="HOST:PORT"):
        relay(f"unix:{tmp_path}/s", target, threading.Event())
