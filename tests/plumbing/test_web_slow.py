"""A server among slow and hostile visitors: they are ended, and honest ones get through."""

import contextlib
import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safeconduct.errors import MalformedError
from safeconduct.plumbing import fetch, web
from safeconduct.plumbing.circuit_line import (
    CIRCUIT_PREFIX,
    LINE_BYTES_MAX,
    split_circuit_line,
)
from safeconduct.plumbing.crowd import LIMITS, Limits

# Seconds in these tests are a tenth and less of those that are served in earnest.
HASTY = Limits(head_seconds=1.5, progress_seconds=1.0, bytes_per_second_min=1_000)
PATIENT_SECONDS = 60  # nothing here takes so long on any machine, unless it never ends
BODY_BYTES_MAX = 1 << 20
LARGE_BYTES = 32 << 20  # more than the kernel's own buffers take
CROWD = 200

GET = b"GET / HTTP/1.1\r\nhost: here\r\n\r\n"
POST = b"POST /count HTTP/1.1\r\nhost: here\r\ncontent-length: %d\r\n\r\n"


async def count(request: web.Request) -> web.Response:
    return web.text(str(len(await web.read_body(request, bytes_max=BODY_BYTES_MAX))))


def slowly(_: web.Request) -> web.Response:
    time.sleep(3 * HASTY.progress_seconds)
    return web.text("at last")


APP = web.make_app(
    [
        web.Route("GET", "/", lambda _: web.text("here")),
        web.Route("GET", "/slowly", slowly),
        web.Route("GET", "/whose", lambda request: web.text(web.flow_of(request))),
        web.Route("GET", "/large", lambda _: web.data(bytes(LARGE_BYTES))),
        web.Route("GET", "/pieces", lambda _: web.streaming(iter([bytes(1 << 16)] * 512))),
        web.Route("POST", "/count", count),
    ]
)


@contextmanager
def connected(url: str) -> Iterator[socket.socket]:
    host, port = url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=PATIENT_SECONDS) as end:
        yield end


def all_from(end: socket.socket) -> bytes:
    """What comes until the other side closes, however it does so."""
    received = b""
    with contextlib.suppress(ConnectionError):
        while piece := end.recv(1 << 16):
            received += piece
    return received


def drip(end: socket.socket, drop: bytes, seconds: float) -> None:
    """Send a drop again and again for so long, or until the other side has had enough."""
    if not drop:
        return
    until = time.monotonic() + seconds
    with contextlib.suppress(OSError):
        while time.monotonic() < until:
            end.sendall(drop)
            time.sleep(0.05)


HEADS = {
    "nothing at all": (b"", b""),
    "empty lines": (b"", b"\r\n"),
    "a head that grows": (b"GET /", b"x"),
    "a head that stops": (GET[:-2], b""),
}


@pytest.mark.parametrize("case", HEADS)
def test_a_head_that_is_not_complete_in_time_ends_the_connection(case: str) -> None:
    with web.running(APP, limits=HASTY) as url, connected(url) as end:
        began = time.monotonic()
        begin, drop = HEADS[case]
        end.sendall(begin)
        drip(end, drop, seconds=PATIENT_SECONDS)
        assert all_from(end) == b""
        assert time.monotonic() - began < PATIENT_SECONDS
        assert fetch.get(url, bytes_max=10) == b"here"


def test_a_second_head_on_a_connection_has_no_more_time_than_the_first() -> None:
    with web.running(APP, limits=HASTY) as url, connected(url) as end:
        end.sendall(GET + GET[:5])
        assert all_from(end).endswith(b"here")


def test_time_that_the_handler_takes_is_not_the_visitors() -> None:
    with web.running(APP, limits=HASTY) as url:
        assert fetch.get(url + "/slowly", bytes_max=10) == b"at last"


@pytest.mark.parametrize("drop", [b"", b"x"])
def test_a_body_that_does_not_advance_is_ended_with_408(drop: bytes) -> None:
    with web.running(APP, limits=HASTY) as url, connected(url) as end:
        end.sendall(POST % 10_000)
        feeding = threading.Thread(target=drip, args=(end, drop, PATIENT_SECONDS))
        feeding.start()
        answer = all_from(end)
        feeding.join()
        assert answer.startswith(b"HTTP/1.1 408 ")
        assert answer.endswith(b"error: the request did not advance\nhint: send it again\n")
        assert fetch.get(url, bytes_max=10) == b"here"


def test_a_body_that_advances_slowly_arrives() -> None:
    limits = Limits(progress_seconds=2.5, bytes_per_second_min=40)
    with web.running(APP, limits=limits) as url, connected(url) as end:
        end.sendall(b"POST /count HTTP/1.0\r\ncontent-length: 3000\r\n\r\n")
        for _ in range(10):
            end.sendall(bytes(300))
            time.sleep(0.6)  # ten times the slowest pace, and two windows long
        assert all_from(end).endswith(b"3000")


@pytest.mark.parametrize("path", ["/large", "/pieces"])
def test_an_answer_that_nobody_takes_does_not_keep_the_connection(path: str) -> None:
    with web.running(APP, limits=HASTY) as url, connected(url) as end:
        end.sendall(b"GET %b HTTP/1.1\r\nhost: here\r\n\r\n" % path.encode())
        time.sleep(5 * HASTY.progress_seconds)
        assert len(all_from(end)) < LARGE_BYTES


def test_an_answer_that_is_taken_slowly_arrives_whole() -> None:
    limits = Limits(head_seconds=1.5, progress_seconds=2.5)
    with web.running(APP, limits=limits) as url, connected(url) as end:
        end.sendall(b"GET /large HTTP/1.0\r\n\r\n")
        received = 0
        for _ in range(8):  # longer than the head had, and than an answer may stand still
            time.sleep(0.5)
            received += len(end.recv(4 << 20, socket.MSG_WAITALL))
        assert received + len(all_from(end)) > LARGE_BYTES


def held_open(url: str, number: int, sent: bytes, stack: ExitStack) -> list[socket.socket]:
    ends = [stack.enter_context(connected(url)) for _ in range(number)]
    for end in ends:
        end.sendall(sent)
    return ends


def ended(end: socket.socket) -> bool:
    """Whether the other side has closed, whatever it said before."""
    end.settimeout(PATIENT_SECONDS)
    try:
        all_from(end)
    except TimeoutError:
        return False
    return True


HOLDING = {"silent": b"", "in the middle of a head": GET[:20], "kept after an answer": GET}


@pytest.mark.parametrize("case", HOLDING)
def test_connections_that_are_held_open_make_room_for_honest_visitors(case: str) -> None:
    limits = Limits(connections_max=CROWD)
    with web.running(APP, limits=limits) as url, ExitStack() as stack:
        ends = held_open(url, CROWD + 50, HOLDING[case], stack)
        time.sleep(1)
        assert fetch.get(url, bytes_max=10) == b"here"
        ends[-1].sendall(GET[20:] if HOLDING[case] == GET[:20] else GET)
        assert ends[-1].recv(9) == b"HTTP/1.1 "  # who came last is still there
        assert ended(ends[0])  # and who held on for longest is not


def test_a_thousand_connections_lock_nobody_out_of_a_server_in_earnest() -> None:
    assert LIMITS.connections_max == 1_000
    with web.running(APP) as url, ExitStack() as stack:
        held_open(url, LIMITS.connections_max + 5, b"GET / HT", stack)
        for _ in range(5):
            assert fetch.get(url, bytes_max=10) == b"here"


def test_among_uploads_the_slowest_goes_first() -> None:
    limits = Limits(connections_max=4)
    with web.running(APP, limits=limits) as url, ExitStack() as stack:
        ends = held_open(url, 4, POST % 50_000, stack)
        for end in ends[:3]:
            end.sendall(bytes(40_000))
        time.sleep(1)
        assert fetch.get(url, bytes_max=10) == b"here"
        assert ended(ends[3])
        for end in ends[:3]:
            end.sendall(bytes(10_000))
            assert end.recv(9) == b"HTTP/1.1 "


def test_who_holds_many_connections_makes_room_before_who_holds_one() -> None:
    limits = Limits(connections_max=5)
    crowd, alone = LINE, LINE.replace(b"2f", b"30")
    with web.running(APP, circuits=True, limits=limits) as url, ExitStack() as stack:
        [oldest] = held_open(url, 1, alone, stack)
        time.sleep(1)
        held_open(url, 20, crowd, stack)
        time.sleep(0.1)
        oldest.sendall(GET)
        assert oldest.recv(9) == b"HTTP/1.1 "


def test_when_all_wait_for_us_newcomers_wait_and_only_then_go() -> None:
    limits = Limits(connections_max=2)
    with web.running(APP, limits=limits) as url, ExitStack() as stack:
        ends = []
        for _ in range(4):
            ends += held_open(url, 1, b"GET /slowly HTTP/1.0\r\n\r\n", stack)
            time.sleep(0.2)
        with connected(url) as late:
            assert all_from(late) == b""
        assert [all_from(end)[-7:] for end in ends] == [b"at last"] * 4


def test_who_waits_and_leaves_is_forgotten() -> None:
    limits = Limits(connections_max=1)
    with web.running(APP, limits=limits) as url, ExitStack() as stack:
        [end] = held_open(url, 1, b"GET /slowly HTTP/1.0\r\n\r\n", stack)
        time.sleep(0.5)
        with connected(url) as impatient:
            impatient.sendall(GET)
        assert all_from(end)[-7:] == b"at last"
        assert fetch.get(url, bytes_max=10) == b"here"


LINE = b"PROXY TCP6 fc00:dead:beef:4dad::0:2f ::1 47 80\r\n"
WHOSE = b"GET /whose HTTP/1.0\r\n\r\n"
CIRCUIT = CIRCUIT_PREFIX + "0:2f"


@pytest.mark.parametrize("pieces", [1, 2, 7, len(LINE + WHOSE)])
def test_a_circuits_line_names_the_flow_however_it_arrives(pieces: int) -> None:
    sent = LINE + WHOSE
    step = -(-len(sent) // pieces)
    with web.running(APP, circuits=True) as url, connected(url) as end:
        end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for at in range(0, len(sent), step):
            end.sendall(sent[at : at + step])
            time.sleep(0.002)
        assert all_from(end).endswith(b"\r\n\r\n" + CIRCUIT.encode())


BAD_LINES = {
    "none": b"",
    "another family": b"PROXY TCP4 127.0.0.1 127.0.0.1 47 80\r\n",
    "an unknown family": b"PROXY UNKNOWN\r\n",
    "another network": LINE.replace(b"fc00:dead", b"fd00:dead"),
    "another end": LINE.replace(b"::1", b"::2"),
    "no port": LINE.replace(b" 80", b""),
    "a sign": LINE.replace(b" 80", b" +80"),
    "capitals": LINE.replace(b"2f", b"2F"),
    "leading zeros": LINE.replace(b"2f", b"002f"),
    "two spaces": LINE.replace(b" ::1", b"  ::1"),
    "a line that ends early": LINE.replace(b"\r\n", b"\n"),
    "more than there is": LINE.replace(b"80\r\n", b"80 1\r\n"),
    "no end": LINE[:-2] + b"0" * LINE_BYTES_MAX,
    "the second version": b"\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c" + bytes(12),
}


@pytest.mark.parametrize("case", BAD_LINES)
def test_without_a_good_circuits_line_nothing_is_answered(case: str) -> None:
    with web.running(APP, circuits=True) as url, connected(url) as end:
        end.sendall(BAD_LINES[case] + WHOSE)
        assert all_from(end) == b""


def test_a_circuits_line_that_never_ends_is_waited_for_as_long_as_a_head() -> None:
    with web.running(APP, circuits=True, limits=HASTY) as url, connected(url) as end:
        end.sendall(LINE[:-1])
        assert all_from(end) == b""


def test_the_line_is_nothing_to_a_server_that_awaits_none() -> None:
    with web.running(APP) as url, connected(url) as end:
        end.sendall(LINE + WHOSE)
        assert all_from(end).startswith(b"HTTP/1.1 400 ")


@given(st.binary(max_size=2 * LINE_BYTES_MAX), st.integers(0, len(LINE)))
def test_any_bytes_are_a_line_or_the_beginning_of_one_or_refused(end: bytes, kept: int) -> None:
    received = LINE[:kept] + end
    try:
        split = split_circuit_line(received)
    except MalformedError:
        return
    if split is None:
        assert len(received) < LINE_BYTES_MAX
    else:
        assert split[0].startswith(CIRCUIT_PREFIX)
        assert received.endswith(b"\r\n" + split[1])


def whose(url: str, headers: dict[str, str]) -> bytes:
    answer = fetch.request("GET", url + "/whose", bytes_max=100, headers=headers)
    return answer.body


FORWARDED = {
    "nothing": ({}, b"127.0.0.1"),
    "one address": ({"x-forwarded-for": "192.0.2.1"}, b"192.0.2.1"),
    "an invented one before it": ({"x-forwarded-for": "198.51.100.7, 192.0.2.1"}, b"192.0.2.1"),
    "a network": ({"x-forwarded-for": "2001:db8:1:2:3::4"}, b"2001:db8:1:2::/64"),
    "no address": ({"x-forwarded-for": "192.0.2.1, unknown"}, b"127.0.0.1"),
    "an invented host": ({"x-forwarded-host": "evil.example"}, b"127.0.0.1"),
}


@pytest.mark.parametrize("case", FORWARDED)
def test_behind_a_proxy_the_last_address_is_the_flow(case: str) -> None:
    headers, flow = FORWARDED[case]
    with web.running(APP, trusted_proxy=True) as url:
        assert whose(url, headers) == flow
    with web.running(APP) as url:
        assert whose(url, headers) == b"127.0.0.1"


def test_a_server_at_a_path_is_its_owners_alone_and_replaces_a_dead_one(tmp_path: Path) -> None:
    path = tmp_path / "door.sock"
    for _ in range(2):
        with web.running(APP, f"unix:{path}", circuits=True) as url:
            assert url == f"unix:{path}"
            assert path.stat().st_mode & 0o777 == 0o600
            with socket.socket(socket.AF_UNIX) as end:
                end.connect(str(path))
                end.sendall(LINE + WHOSE)
                assert all_from(end).endswith(CIRCUIT.encode())


def test_a_path_too_long_for_a_socket_is_malformed(tmp_path: Path) -> None:
    path = f"unix:{tmp_path}{os.sep}{'x' * 108}"
    with pytest.raises(MalformedError, match="too long"), web.running(APP, path):
        pass


def test_a_request_names_one_host() -> None:
    for heads in (b"", b"host: a\r\nhost: b\r\n"):
        with web.running(APP) as url, connected(url) as end:
            end.sendall(b"GET / HTTP/1.1\r\n" + heads + b"\r\n")
            assert all_from(end).startswith(b"HTTP/1.1 400 ")
