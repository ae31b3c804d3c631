"""Circuits: names go to the proxy, credentials keep them apart, and nothing goes past them."""

import contextlib
import socket
import time
from collections.abc import Callable, Iterator
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.plumbing.socks_peer import listening, relaying

from safeconduct.demo.stage import free_port
from safeconduct.errors import MalformedError, RefusedError, UnavailableError
from safeconduct.plumbing import dice, fetch, web
from safeconduct.plumbing.circuits import (
    DIRECT,
    PURPOSES,
    Circuit,
    Circuits,
    connect_through,
    draw_circuits,
    is_onion,
)

BYTES_MAX = 10_000
ONION = "http://sc7dk6v2wq3fexampleonionaddress.onion"
NAME = "http://door.example"


def echo(request: web.Request) -> web.Response:
    return web.text(f"{request.method} {request.headers['host']}")


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """A server that says by which name it was asked."""
    routes = [web.Route(method, "/", echo) for method in ("GET", "POST", "PUT", "PATCH")]
    routes.append(web.Route("GET", "/pieces", lambda _: web.streaming(iter([b"a", b"b"]))))
    with web.running(web.make_app(routes)) as url:
        yield int(url.rpartition(":")[2])


@pytest.fixture
def lookups(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Which names this machine looked up; none leads anywhere."""
    asked: list[str] = []
    plain = socket.getaddrinfo

    def getaddrinfo(host: str, *rest: object, **more: object) -> object:
        asked.append(host)
        if host != "127.0.0.1":
            raise socket.gaierror(f"{host} was looked up here")
        return plain(host, *rest, **more)  # type: ignore[arg-type]  # passed on as it came

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return asked


def circuit_at(port: int, name: bytes = b"name") -> Circuit:
    return Circuit(host="127.0.0.1", port=port, name=name, password=b"password")


METHODS: dict[str, Callable[[Circuit], bytes]] = {
    "GET": lambda circuit: fetch.get(NAME, bytes_max=BYTES_MAX, circuit=circuit),
    "POST": lambda circuit: fetch.post(NAME, b"", bytes_max=BYTES_MAX, circuit=circuit).body,
    "PUT": lambda circuit: fetch.put(NAME, b"", bytes_max=BYTES_MAX, circuit=circuit).body,
    "PATCH": lambda circuit: fetch.patch(NAME, b"", bytes_max=BYTES_MAX, circuit=circuit).body,
}


@pytest.mark.parametrize("method", METHODS)
def test_a_name_is_looked_up_by_the_proxy_alone(
    method: str, port: int, lookups: list[str]
) -> None:
    with relaying(lambda _: port) as proxy:
        answer = METHODS[method](circuit_at(proxy.port))
    assert answer == f"{method} door.example".encode()
    assert proxy.hosts == [(b"name:password", "door.example", 80)]
    assert set(lookups) <= {"127.0.0.1"}


def test_pieces_and_heads_go_through_it_too(port: int, lookups: list[str]) -> None:
    with relaying(lambda _: port) as proxy:
        circuit = circuit_at(proxy.port)
        got = fetch.pieces(f"{NAME}/pieces", bytes_max=BYTES_MAX, circuit=circuit)
        assert b"".join(got) == b"ab"
        assert fetch.head(f"{NAME}/", circuit=circuit).status == 200
    assert {host for _, host, _ in proxy.hosts} == {"door.example"}
    assert set(lookups) <= {"127.0.0.1"}


HOSTS = {
    "http://127.0.0.9:81": ("127.0.0.9", 81),
    "http://[2001:db8::7]": ("2001:db8::7", 80),
    "http://bücher.example": ("xn--bcher-kva.example", 80),
    ONION: (ONION.removeprefix("http://"), 80),
}


@pytest.mark.parametrize("url", HOSTS)
def test_addresses_and_names_of_all_kinds_are_passed_on(
    url: str, port: int, lookups: list[str]
) -> None:
    with relaying(lambda _: port) as proxy:
        fetch.get(url, bytes_max=BYTES_MAX, circuit=circuit_at(proxy.port))
    [(_, host, asked_port)] = proxy.hosts
    assert (host, asked_port) == HOSTS[url]
    assert set(lookups) <= {"127.0.0.1"}


def test_a_proxy_that_answers_byte_by_byte_is_understood(port: int) -> None:
    with relaying(lambda _: port, slowly=True) as proxy:
        got = fetch.get(NAME, bytes_max=BYTES_MAX, circuit=circuit_at(proxy.port))
    assert got == b"GET door.example"


def test_connections_are_kept_within_a_circuit_and_shared_with_none(port: int) -> None:
    with relaying(lambda _: port) as proxy:
        one, other = circuit_at(proxy.port, b"one"), circuit_at(proxy.port, b"other")
        for circuit in (one, other, one, other):
            fetch.get(NAME, bytes_max=BYTES_MAX, circuit=circuit)
    assert [name for name, *_ in proxy.hosts] == [b"one:password", b"other:password"]


# One per purpose and run.


def test_each_purpose_of_each_run_has_a_circuit_of_its_own() -> None:
    runs = [draw_circuits("127.0.0.1:9050", dice.random_bytes) for _ in range(2)]
    drawn = [run.of(purpose) for run in runs for purpose in PURPOSES]
    names = {circuit.name for circuit in drawn if circuit}
    passwords = {circuit.password for circuit in drawn if circuit}
    assert len(names) == len(passwords) == len(drawn) == 2 * len(PURPOSES)
    assert runs[0].of("commit") == runs[0].of("commit")
    assert not any(each.decode() in repr(runs) for each in names | passwords)


def test_a_purpose_that_nobody_named_has_no_circuit() -> None:
    for circuits in (DIRECT, draw_circuits("127.0.0.1:9050", dice.random_bytes)):
        with pytest.raises(ValueError, match="purpose"):
            circuits.of("elsewhere")
    assert {DIRECT.of(purpose) for purpose in PURPOSES} == {None}


PROXIES = {
    "127.0.0.1:9050": ("127.0.0.1", 9050),
    "[::1]:9150": ("::1", 9150),
    "socks5h://tor.example:1/": ("tor.example", 1),
}


@pytest.mark.parametrize("text", PROXIES)
def test_a_proxy_is_a_host_and_a_port(text: str) -> None:
    circuit = draw_circuits(text, dice.random_bytes).of("commit")
    assert circuit is not None
    assert (circuit.host, circuit.port) == PROXIES[text]


@pytest.mark.parametrize(
    "text",
    ["", "9050", ":9050", "127.0.0.1", "a:0", "a:65536", "a:b", "a:-1", "a:1٠", "a:999999"],
)
def test_what_is_no_proxy_is_malformed(text: str) -> None:
    with pytest.raises(MalformedError, match="--socks"):
        draw_circuits(text, dice.random_bytes)


# Nothing goes directly.


@pytest.mark.parametrize("host", ["a.onion", "A.ONION", "b.a.onion."])
def test_an_onion_service_is_refused_without_tor_before_anything_is_looked_up(
    host: str, lookups: list[str]
) -> None:
    assert is_onion(host)
    for ask in (fetch.get, lambda *a, **k: list(fetch.pieces(*a, **k))):
        with pytest.raises(RefusedError, match="needs Tor") as caught:
            ask(f"http://{host}/shelf", bytes_max=BYTES_MAX)
        assert caught.value.hint == "--socks 127.0.0.1:9050"
    assert lookups == []


def test_where_circuits_are_due_nothing_goes_without_one(lookups: list[str]) -> None:
    with fetch.circuits_only():
        with pytest.raises(RefusedError, match="without the proxy"):
            fetch.get("http://127.0.0.1:9/", bytes_max=BYTES_MAX)
        assert lookups == []
    with pytest.raises(UnavailableError):
        fetch.get("http://127.0.0.1:9/", bytes_max=BYTES_MAX)


def test_a_proxy_that_is_not_there_is_said_and_never_passed_by(
    port: int, lookups: list[str]
) -> None:
    gone = free_port()
    circuits = draw_circuits(f"127.0.0.1:{gone}", dice.random_bytes)
    asked = (
        circuits.check,
        lambda: fetch.get(
            f"http://127.0.0.1:{port}/", bytes_max=BYTES_MAX, circuit=circuits.of("shelf")
        ),
    )
    for ask in asked:
        with pytest.raises(
            UnavailableError, match=f"SOCKS5 proxy at 127.0.0.1:{gone}"
        ) as caught:
            ask()
        assert "start Tor" in caught.value.hint
    assert set(lookups) == {"127.0.0.1"}


def test_a_proxy_that_is_there_passes_the_check_and_none_is_asked_for_nothing(
    port: int,
) -> None:
    with relaying(lambda _: port) as proxy:
        draw_circuits(proxy.address, dice.random_bytes).check()
    assert proxy.hosts == []
    DIRECT.check()
    Circuits().check()


# Proxies that mean no good.

GREETED, KNOWN = b"\x05\x02", b"\x01\x00"
HOSTILE: dict[str, tuple[list[bytes], str]] = {
    "closes at once": ([], "it broke off"),
    "talks SOCKS4": ([b"\x00\x5a" + bytes(6)], "does not talk SOCKS5"),
    "talks HTTP": ([b"HTTP/1.1 400 Bad Request\r\n\r\n"], "does not talk SOCKS5"),
    "wants no names": ([b"\x05\x00"], "keeps no circuits apart"),
    "takes no method": ([b"\x05\xff"], "keeps no circuits apart"),
    "half a greeting": ([b"\x05"], "it broke off"),
    "refuses the name": ([GREETED, b"\x01\x01"], "no names but its own"),
    "closes on the name": ([GREETED], "it broke off"),
    "refuses": ([GREETED, KNOWN, b"\x05\x05\x00\x01" + bytes(6)], "connection was refused"),
    "knows no such onion": ([GREETED, KNOWN, b"\x05\xf0\x00\x01" + bytes(6)], "onion service"),
    "an error of its own": ([GREETED, KNOWN, b"\x05\x99\x00\x01" + bytes(6)], "answer was 153"),
    "another version": ([GREETED, KNOWN, b"\x04\x00\x00\x01" + bytes(6)], "not talk SOCKS5"),
    "an odd address": ([GREETED, KNOWN, b"\x05\x00\x00\x09" + bytes(6)], "not talk SOCKS5"),
    "half an answer": ([GREETED, KNOWN, b"\x05\x00\x00\x01\x7f"], "it broke off"),
    "closes when through": (
        [GREETED, KNOWN, b"\x05\x00\x00\x01" + bytes(6)],
        "cannot be reached",
    ),
}


def following(script: list[bytes], endless: bytes = b"") -> Callable[[socket.socket], None]:
    """Answer each thing that is said with the next of `script`; then perhaps for ever."""

    def serve(end: socket.socket) -> None:
        for part in script:
            if not end.recv(4096):
                return
            end.sendall(part)
        end.settimeout(2)
        for _ in count():
            if not endless:
                return
            end.sendall(endless)
            time.sleep(0.01)

    return serve


@pytest.mark.parametrize("case", HOSTILE)
def test_a_hostile_proxy_is_one_clear_error(case: str) -> None:
    script, complaint = HOSTILE[case]
    with (
        listening(following(script)) as port,
        pytest.raises(UnavailableError, match=complaint) as caught,
    ):
        fetch.get(f"{NAME}/secret-path", bytes_max=BYTES_MAX, circuit=circuit_at(port))
    assert "\n" not in caught.value.message
    assert "secret-path" not in caught.value.message


ENDLESS = {
    "its address": [GREETED, KNOWN, b"\x05\x00\x00\x03\xff"],
    "what comes after": [GREETED, KNOWN, b"\x05\x00\x00\x01" + bytes(6)],
    "its greeting": [b"\x05"],
}


@pytest.mark.parametrize("case", ENDLESS)
@pytest.mark.parametrize("endless", [b"", b"\x05" * 4096])
def test_a_proxy_without_end_holds_nobody_beyond_the_time_for_the_whole(
    case: str, endless: bytes
) -> None:
    def silent(end: socket.socket) -> None:
        following(ENDLESS[case], endless)(end)
        with contextlib.suppress(TimeoutError):
            end.recv(1)

    began = time.monotonic()
    with listening(silent) as port, pytest.raises(UnavailableError):
        fetch.get(NAME, bytes_max=BYTES_MAX, circuit=circuit_at(port), seconds=0.4)
    assert time.monotonic() - began < 60


@settings(max_examples=200, deadline=None)
@given(
    said=st.binary(max_size=40) | st.binary(max_size=300).map(GREETED.__add__), cut=st.data()
)
def test_whatever_a_proxy_says_it_is_through_or_of_no_use(
    said: bytes, cut: st.DataObject
) -> None:
    rest = said

    def read(length: int) -> bytes:
        nonlocal rest
        taken = rest[: cut.draw(st.integers(1, length))]
        rest = rest[len(taken) :]
        return taken

    sent: list[bytes] = []
    with contextlib.suppress(UnavailableError):
        connect_through(circuit_at(9050), "door.example", 80, read, sent.append)
        assert b"".join(sent).endswith(b"\x03\x0cdoor.example\x00\x50")
    assert len(sent) <= 3
