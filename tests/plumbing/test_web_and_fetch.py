"""The two ends of HTTP, tested against each other and against a badly behaved peer."""

import contextlib
import http.client
import socket
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path

import pytest

from safeconduct.demo.stage import free_port
from safeconduct.errors import (
    ConflictError,
    MalformedError,
    RefusedError,
    SafeconductError,
    UnavailableError,
    UnverifiedError,
)
from safeconduct.plumbing import fetch, web

BYTES_MAX = 10_000
FAMILIES = (MalformedError, UnverifiedError, ConflictError, RefusedError, UnavailableError)
SECRET = "twelve secret words"


async def count(request: web.Request) -> web.Response:
    return web.text(str(len(await web.read_body(request, bytes_max=1000))))


async def echo(request: web.Request) -> web.Response:
    form = await web.read_form(request, bytes_max=1000)
    return web.text(f"{form.text('a')} {[len(file.data) for file in form.uploads('f')]}")


def fail(request: web.Request) -> web.Response:
    family = FAMILIES[int(request.path_params["which"])]
    raise family("this & that", hint="try\nagain")


def crash(_: web.Request) -> web.Response:
    raise KeyError(SECRET)


def pieces(_: web.Request) -> web.Response:
    return web.streaming(iter([b"one", b"two"]))


def make_app() -> web.App:
    return web.make_app(
        [
            web.Route("POST", "/count", count),
            web.Route("POST", "/form", echo),
            web.Route("GET", "/fail/{which}", fail),
            web.Route("GET", "/page/{which}", fail, page=True),
            web.Route("GET", "/crash", crash),
            web.Route("GET", "/pieces", pieces),
            web.Route("GET", "/away", lambda _: web.redirect("/pieces")),
        ],
        hosts=["127.0.0.1"],
    )


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with web.running(make_app()) as base:
        yield base


@pytest.mark.parametrize("which", range(len(FAMILIES)), ids=[f.__name__ for f in FAMILIES])
def test_an_error_raised_there_is_raised_here(which: int, url: str) -> None:
    with pytest.raises(SafeconductError) as caught:
        fetch.get(f"{url}/fail/{which}", bytes_max=BYTES_MAX)
    assert type(caught.value) is FAMILIES[which]
    assert (caught.value.message, caught.value.hint) == ("this & that", "try again")
    assert caught.value.http_status == FAMILIES[which].http_status


def test_an_error_of_a_page_is_a_page(url: str) -> None:
    answer = fetch.request("GET", f"{url}/page/3", bytes_max=BYTES_MAX)
    assert answer.status == 403
    assert answer.headers["content-type"].startswith("text/html")
    assert b"<h1>this &amp; that</h1>" in answer.body


def test_a_fault_of_ours_tells_nothing(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    answer = fetch.request("GET", f"{url}/crash", bytes_max=BYTES_MAX)
    assert (answer.status, answer.body) == (500, b"error: internal fault\n")
    reported = capsys.readouterr().err
    assert "internal fault: KeyError" in reported
    assert "in crash" in reported
    assert "secret words" not in reported


ANSWERS = {
    "/pieces": 200,
    "/fail/0": 400,
    "/page/0": 400,
    "/crash": 500,
    "/nowhere": 404,
    "/count": 405,
    "/away": 303,
}


@pytest.mark.parametrize("path", ANSWERS)
def test_every_answer_carries_the_security_headers(path: str, url: str) -> None:
    answer = fetch.request("GET", url + path, bytes_max=BYTES_MAX)
    assert answer.status == ANSWERS[path]
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cache-control"] == "no-store"
    assert "server" not in answer.headers


def test_a_body_is_read_up_to_its_limit(url: str) -> None:
    assert fetch.post(f"{url}/count", b"x" * 1000, bytes_max=BYTES_MAX).body == b"1000"
    answer = fetch.post(f"{url}/count", b"x" * 1001, bytes_max=BYTES_MAX)
    assert (answer.status, answer.body) == (
        413,
        b"error: the request is longer than 1000 bytes\n",
    )


def test_a_body_of_unknown_length_is_cut_off_at_the_limit(url: str) -> None:
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=60)
    connection.request("POST", "/count", iter([b"x" * 600] * 2), encode_chunked=True)
    assert connection.getresponse().status == 413
    connection.close()


def test_a_form_is_read_from_the_wire(url: str) -> None:
    body = (
        b'--B\r\nContent-Disposition: form-data; name="a"\r\n\r\nv\r\n'
        b'--B\r\nContent-Disposition: form-data; name="f"; filename="x"\r\n\r\n12345\r\n'
        b"--B--\r\n"
    )
    kind = "multipart/form-data; boundary=B"
    answer = fetch.post(f"{url}/form", body, bytes_max=BYTES_MAX, content_type=kind)
    assert answer.body == b"v [5]"
    assert fetch.post(f"{url}/form", b"a=1", bytes_max=BYTES_MAX).status == 415


def test_another_host_name_is_refused(url: str) -> None:
    headers = {"host": "evil.example"}
    answer = fetch.request("GET", f"{url}/pieces", bytes_max=BYTES_MAX, headers=headers)
    assert answer.status == 403


def test_redirects_are_not_followed(url: str) -> None:
    answer = fetch.request("GET", f"{url}/away", bytes_max=BYTES_MAX)
    assert (answer.status, answer.headers["location"]) == (303, "/pieces")


def test_no_cookie_is_ever_sent_back() -> None:
    routes = [
        web.Route(
            "GET", "/set", lambda _: web.text("", headers={"set-cookie": "tag=1; Path=/"})
        ),
        web.Route(
            "GET", "/seen", lambda request: web.text(request.headers.get("cookie", "none"))
        ),
    ]
    with web.running(web.make_app(routes)) as place:
        fetch.get(f"{place}/set", bytes_max=BYTES_MAX)
        assert fetch.get(f"{place}/seen", bytes_max=BYTES_MAX) == b"none"


def test_an_answer_longer_than_expected_is_refused(url: str) -> None:
    assert fetch.get(f"{url}/pieces", bytes_max=6) == b"onetwo"
    with pytest.raises(MalformedError, match="longer than 5 bytes"):
        fetch.get(f"{url}/pieces", bytes_max=5)


def test_pieces_are_the_body_that_get_gives(url: str) -> None:
    assert b"".join(fetch.pieces(f"{url}/pieces", bytes_max=6)) == b"onetwo"


def test_pieces_end_at_the_limit(url: str) -> None:
    got = list[bytes]()
    with pytest.raises(MalformedError, match="longer than 5 bytes"):
        got.extend(fetch.pieces(f"{url}/pieces", bytes_max=5))
    assert len(b"".join(got)) <= 5


@pytest.mark.parametrize("which", range(len(FAMILIES)), ids=[f.__name__ for f in FAMILIES])
def test_an_error_instead_of_pieces_is_raised_here(which: int, url: str) -> None:
    with pytest.raises(SafeconductError) as caught:
        next(fetch.pieces(f"{url}/fail/{which}", bytes_max=BYTES_MAX))
    assert type(caught.value) is FAMILIES[which]
    assert (caught.value.message, caught.value.hint) == ("this & that", "try again")


def test_pieces_let_other_requests_pass_between(url: str) -> None:
    got = b""
    for piece in fetch.pieces(f"{url}/pieces", bytes_max=BYTES_MAX):
        got += piece
        assert fetch.get(f"{url}/pieces", bytes_max=BYTES_MAX) == b"onetwo"
    assert got == b"onetwo"


def test_pieces_that_nobody_reads_to_the_end_leave_no_connection_behind(url: str) -> None:
    for _ in range(40):  # more than there are connections
        given = fetch.pieces(f"{url}/pieces", bytes_max=BYTES_MAX)
        assert next(given).startswith(b"one")
        del given


def test_to_be_sent_elsewhere_is_no_answer(url: str) -> None:
    with pytest.raises(UnavailableError, match="303: it sends us to another address"):
        fetch.get(f"{url}/away", bytes_max=BYTES_MAX)
    with pytest.raises(UnavailableError, match="303"):
        next(fetch.pieces(f"{url}/away", bytes_max=BYTES_MAX))


@pytest.mark.parametrize("address", ["ftp://example.org/", "example.org", "http://a:b/", ""])
def test_what_is_no_web_address_is_malformed(address: str) -> None:
    with pytest.raises(MalformedError, match="not an http"):
        fetch.get(address, bytes_max=1)


def test_a_server_that_is_not_there_is_unavailable() -> None:
    port = free_port()
    with pytest.raises(UnavailableError, match=r"^http://127\.0\.0\.1:\d+: cannot be reached"):
        fetch.get(f"http://127.0.0.1:{port}/path?secret", bytes_max=1)


@contextmanager
def answering(answer: bytes) -> Iterator[str]:
    """A server that sends these bytes to its first visitor, and closes."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(answer)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        thread.join(5)


BAD_ANSWERS: dict[str, tuple[bytes, type[SafeconductError]]] = {
    "nothing": (b"", UnavailableError),
    "no HTTP": (b"hello\r\n\r\n", UnavailableError),
    "a body cut short": (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", UnavailableError),
    "a compressed body": (
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc",
        MalformedError,
    ),
    "an error without words": (
        b"HTTP/1.1 502 Bad\r\nContent-Length: 0\r\n\r\n",
        UnavailableError,
    ),
    "an error of an unknown family": (
        b"HTTP/1.1 409 No\r\nX-Error-Family: odd\r\nContent-Length: 0\r\n\r\n",
        ConflictError,
    ),
}


@pytest.mark.parametrize("case", BAD_ANSWERS)
def test_a_badly_behaved_server_is_one_of_our_errors(case: str) -> None:
    answer, family = BAD_ANSWERS[case]
    with answering(answer) as base, pytest.raises(family):
        fetch.get(base, bytes_max=BYTES_MAX)


@pytest.mark.parametrize("case", BAD_ANSWERS)
def test_a_badly_behaved_server_gives_no_pieces_but_one_of_our_errors(case: str) -> None:
    answer, family = BAD_ANSWERS[case]
    with answering(answer) as base, pytest.raises(family):
        list(fetch.pieces(base, bytes_max=BYTES_MAX))


@contextmanager
def dripping(head: bytes, drop: bytes) -> Iterator[str]:
    """A server that never comes to an end, and never makes anybody wait for long."""
    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection, suppress(OSError):
                connection.recv(4096)
                connection.sendall(head)
                while not over.wait(0.02):
                    connection.sendall(drop)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        over.set()
        thread.join(5)


ENDLESS = {
    "a head": (b"HTTP/1.1 200 OK\r\nX-Long: ", b"x"),
    "interim answers": (b"", b"HTTP/1.1 103 Early Hints\r\n\r\n" * 50),
    "a body": (b"HTTP/1.1 200 OK\r\nContent-Length: 9000\r\n\r\n", b"x"),
}


@pytest.mark.parametrize("case", ENDLESS)
def test_a_server_that_never_ends_holds_nobody_beyond_the_time_for_the_whole(
    case: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetch, "WHOLE_SECONDS", 0.3)
    for ask in (
        lambda base: fetch.request("GET", base, bytes_max=BYTES_MAX, seconds=0.3),
        lambda base: list(fetch.pieces(base, bytes_max=BYTES_MAX)),
    ):
        began = time.monotonic()
        with dripping(*ENDLESS[case]) as base, pytest.raises(UnavailableError):
            ask(base)
        assert time.monotonic() - began < 60


def failing_times(times: int, error: SafeconductError) -> Callable[[], int]:
    calls = iter(range(times))

    def call() -> int:
        if next(calls, None) is not None:
            raise error
        return 1

    return call


def test_patience_outlasts_what_is_unavailable_and_nothing_else() -> None:
    assert fetch.patiently(failing_times(2, UnavailableError("away")), seconds=60) == 1
    with pytest.raises(UnavailableError):
        fetch.patiently(failing_times(99, UnavailableError("away")), seconds=0.1)
    with pytest.raises(ConflictError):
        fetch.patiently(failing_times(1, ConflictError("no")), seconds=60)


def test_the_lifespan_surrounds_the_serving() -> None:
    events: list[str] = []

    @asynccontextmanager
    async def lifespan() -> AsyncIterator[None]:
        events.append("begin")
        yield
        events.append("end")

    route = web.Route("GET", "/", lambda _: web.text(",".join(events)))
    with web.running(web.make_app([route], lifespan=lifespan)) as base:
        assert fetch.get(base, bytes_max=100) == b"begin"
    assert events == ["begin", "end"]


@pytest.mark.parametrize(
    "listen", ["8000", "127.0.0.1", "127.0.0.1:x", "127.0.0.1:70000", ":1"]
)
def test_a_listen_address_is_host_and_port(listen: str) -> None:
    with pytest.raises(MalformedError, match="HOST:PORT"):
        web.serve(make_app(), listen)


def test_an_address_in_use_is_named(url: str) -> None:
    listen = url.removeprefix("http://")
    with pytest.raises(UnavailableError, match=listen):
        web.serve(make_app(), listen)


def said_to(url: str, sent: bytes) -> bytes:
    """What a server answers to bytes, until it closes the connection."""
    host, port = url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=60) as connection:
        with contextlib.suppress(ConnectionError):
            connection.sendall(sent)
        answer = b""
        with contextlib.suppress(ConnectionError):
            while piece := connection.recv(65_536):
                answer += piece
        return answer


HEAD = b"GET / HTTP/1.1\r\nhost: here\r\n"
BAD_HEADS: dict[str, bytes] = {
    "a header without an end": HEAD + b"x-long: " + b"a" * 400_000,
    "a header longer than all may be": HEAD + b"x-long: " + b"a" * 400_000 + b"\r\n\r\n",
    "too many headers": HEAD + b"x-more: 1\r\n" * 40_000 + b"\r\n",
    "an address without an end": b"GET /" + b"a" * 400_000,
    "no HTTP": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
    "two lengths": HEAD + b"content-length: 1\r\ncontent-length: 2\r\n\r\n",
}


@pytest.mark.parametrize("bad", BAD_HEADS)
def test_a_bad_head_is_refused_and_the_server_goes_on(bad: str) -> None:
    app = web.make_app([web.Route("GET", "/", lambda _: web.text("here\n"))])
    with web.running(app) as url:
        answer = said_to(url, BAD_HEADS[bad])
        assert not answer or answer.startswith(b"HTTP/1.1 400 ")
        assert fetch.get(url, bytes_max=100) == b"here\n"


def test_many_requests_on_one_connection_are_answered_in_order() -> None:
    app = web.make_app([web.Route("GET", "/{name}", lambda r: web.text(r.path_params["name"]))])
    sent = b"".join(
        b"GET /%d HTTP/1.1\r\nhost: here\r\nx-long: %b\r\n%b\r\n"
        % (number, b"a" * 9_000, b"connection: close\r\n" * (number == 3))
        for number in range(4)
    )
    with web.running(app) as url:
        parts = said_to(url, sent).split(b"HTTP/1.1 200 ")[1:]
    assert [part[-1:] for part in parts] == [b"0", b"1", b"2", b"3"]


def test_no_file_that_the_environment_names_is_given_the_keys_of_a_connection(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SSLKEYLOGFILE", str(tmp_path / "keys"))
    assert fetch._tls().keylog_filename is None
