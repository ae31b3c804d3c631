"""HTTP out: the one door to httpx. Bounded in bytes and seconds, no redirects.

No proxy but the one that a request names with its circuit. Connections are never shared between
circuits, nor is a request ever sent directly because its circuit is down.
"""

import atexit
import functools
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any, TypeVar

import httpcore
import httpx

from safeconduct.errors import MalformedError, RefusedError, UnavailableError
from safeconduct.plumbing.answers import ERROR_FAMILY_HEADER as ERROR_FAMILY_HEADER
from safeconduct.plumbing.answers import Response as Response
from safeconduct.plumbing.answers import raise_for as raise_for
from safeconduct.plumbing.circuits import Circuit, connect_through, is_onion, unusable

CONNECT_SECONDS = 5.0
CIRCUIT_SECONDS = 90.0  # Tor looks for an onion service's description and builds ways to it
READ_SECONDS = 30.0
WHOLE_SECONDS = 300.0
# Shorter than any server's patience, so that we never write into a closing connection.
_IDLE_SECONDS = 2.0
_CONNECTIONS_MAX = 32
_BACK_OFF_FIRST_SECONDS = 0.05
_BACK_OFF_LAST_SECONDS = 1.0
_ERROR_BYTES_MAX = 1 << 16
_BODY_KEPT_BYTES_MAX = 1 << 16

Answer = TypeVar("Answer")


def get(
    url: str,
    *,
    bytes_max: int,
    headers: Mapping[str, str] | None = None,
    seconds: float = WHOLE_SECONDS,
    circuit: Circuit | None = None,
) -> bytes:
    """The body of a successful GET.

    Raises:
        SafeconductError: the family that the server's error belongs to; `UnavailableError` if
            it cannot be reached, `MalformedError` if it sends more than `bytes_max` bytes.
    """
    response = request(
        "GET", url, bytes_max=bytes_max, headers=headers, seconds=seconds, circuit=circuit
    )
    raise_for(response)
    return response.body


def pieces(
    url: str,
    *,
    bytes_max: int,
    seconds: float | None = None,
    circuit: Circuit | None = None,
) -> Iterator[bytes]:
    """The body of a successful GET, piece by piece as it comes; never held as a whole.

    What was given out before an error was part of an answer that is not whole.

    Raises:
        SafeconductError: as for `get`.
    """
    whole_seconds = WHOLE_SECONDS if seconds is None else seconds
    return _pieces("GET", url, b"", None, bytes_max, whole_seconds, circuit)


def post_pieces(
    url: str,
    body: bytes,
    *,
    bytes_max: int,
    headers: Mapping[str, str] | None = None,
    seconds: float = WHOLE_SECONDS,
) -> Iterator[bytes]:
    """The body of the successful answer to a POST, piece by piece; never held as a whole.

    What was given out before an error was part of an answer that is not whole.

    Raises:
        SafeconductError: as for `get`.
    """
    return _pieces("POST", url, body, headers, bytes_max, seconds)


def _pieces(
    method: str,
    url: str,
    body: bytes,
    headers: Mapping[str, str] | None,
    bytes_max: int,
    seconds: float,
    circuit: Circuit | None = None,
) -> Iterator[bytes]:
    deadline = time.monotonic() + seconds
    with _naming(url):
        with _until(deadline):
            answer = _open(method, url, body, headers, seconds, circuit)
        try:
            with _until(deadline):
                _raise_for_stream(answer, url, deadline)
            received = _received(answer, url, bytes_max, deadline)
            while piece := _next(received, deadline):
                yield piece
        finally:
            answer.close()


def post(
    url: str,
    body: bytes,
    *,
    bytes_max: int,
    content_type: str = "application/octet-stream",
    headers: Mapping[str, str] | None = None,
    circuit: Circuit | None = None,
) -> Response:
    """The answer to a POST of `body`, whatever its status."""
    sent = {"content-type": content_type, **(headers or {})}
    return request("POST", url, body, bytes_max=bytes_max, headers=sent, circuit=circuit)


def put(
    url: str,
    body: bytes,
    *,
    bytes_max: int,
    headers: Mapping[str, str] | None = None,
    circuit: Circuit | None = None,
) -> Response:
    """The answer to a PUT of `body`, whatever its status."""
    return request("PUT", url, body, bytes_max=bytes_max, headers=headers, circuit=circuit)


def patch(
    url: str,
    body: bytes,
    *,
    bytes_max: int,
    headers: Mapping[str, str] | None = None,
    circuit: Circuit | None = None,
) -> Response:
    """The answer to a PATCH of `body`, whatever its status."""
    return request("PATCH", url, body, bytes_max=bytes_max, headers=headers, circuit=circuit)


def head(
    url: str, *, headers: Mapping[str, str] | None = None, circuit: Circuit | None = None
) -> Response:
    """The status and headers of a HEAD, whatever its status."""
    return request("HEAD", url, bytes_max=0, headers=headers, circuit=circuit)


def request(
    method: str,
    url: str,
    body: bytes = b"",
    *,
    bytes_max: int,
    headers: Mapping[str, str] | None = None,
    seconds: float = WHOLE_SECONDS,
    circuit: Circuit | None = None,
) -> Response:
    """The answer to any request, whatever its status, read up to `bytes_max` bytes.

    With a `circuit` it goes through its proxy, which also looks up the host's name.

    Raises:
        MalformedError: no http(s) address, a compressed answer, or one that is too long.
        RefusedError: an onion service without a circuit; any address without one, where
            `circuits_only` forbids that.
        UnavailableError: not reached, broken off, or not done within `seconds`.
    """
    deadline = time.monotonic() + seconds
    with _naming(url), _until(deadline):
        answer = _open(method, url, body, headers, seconds, circuit)
        try:
            return _response(answer, b"".join(_received(answer, url, bytes_max, deadline)))
        finally:
            answer.close()


def patiently(call: Callable[[], Answer], *, seconds: float) -> Answer:
    """The result of `call`, tried again while it is unavailable, for about `seconds`.

    Raises:
        SafeconductError: whatever `call` raised at last.
    """
    deadline = time.monotonic() + seconds
    pause = _BACK_OFF_FIRST_SECONDS
    while True:
        try:
            return call()
        except UnavailableError:
            if time.monotonic() + pause > deadline:
                raise
        time.sleep(pause)
        pause = min(2 * pause, _BACK_OFF_LAST_SECONDS)


_circuits_only: ContextVar[bool] = ContextVar("circuits_only", default=False)


@contextmanager
def circuits_only() -> Iterator[None]:
    """Refuse whatever this thread would send directly during the block.

    Each request names its circuit itself; this is for the one that forgot to.
    """
    before = _circuits_only.set(True)
    try:
        yield
    finally:
        _circuits_only.reset(before)


def _open(
    method: str,
    url: str,
    body: bytes,
    headers: Mapping[str, str] | None,
    seconds: float,
    circuit: Circuit | None,
) -> httpx.Response:
    """An answer of which the body is still to be read; whoever asked must close it."""
    client = _client(circuit)
    sent = dict(headers or {})
    if large := len(body) > _BODY_KEPT_BYTES_MAX:
        sent["content-length"] = str(len(body))
    asked = client.build_request(
        method,
        url,
        content=_let_go(body) if large else body,
        headers=sent,
        timeout=_timeout(seconds, circuit),
    )
    if circuit is None:
        _check_direct(asked.url)
    return client.send(asked, stream=True)


def _let_go(body: bytes) -> Iterator[bytes]:
    """The body, once. A request that was given bytes keeps them until it is collected, and
    requests stand in circles: an upload of many pieces would hold a dozen of them.
    """
    yield body


def _check_direct(url: httpx.URL) -> None:
    """Before anything looks its host up: even that would tell who is visited."""
    if is_onion(url.host):
        raise RefusedError(f"{url.host}: needs Tor", hint="--socks 127.0.0.1:9050")
    if _circuits_only.get():
        raise RefusedError(f"{url.host}: would be reached without the proxy")


def _response(answer: httpx.Response, body: bytes) -> Response:
    headers = {name.lower(): value for name, value in answer.headers.items()}
    return Response(status=answer.status_code, headers=headers, body=body)


def _raise_for_stream(answer: httpx.Response, url: str, deadline: float) -> None:
    """`raise_for`; only of an error the body is read, as far as it says something."""
    status = answer.status_code
    said = _received(answer, url, _ERROR_BYTES_MAX, deadline) if status >= 400 else ()
    raise_for(_response(answer, b"".join(said)))


def _received(
    answer: httpx.Response, url: str, bytes_max: int, deadline: float
) -> Iterator[bytes]:
    if answer.headers.get("content-encoding", "identity") != "identity":
        raise MalformedError(f"{_place(url)}: answered with a compressed body")
    received_bytes = 0
    for piece in answer.iter_raw():
        received_bytes += len(piece)
        if received_bytes > bytes_max:
            raise MalformedError(f"{_place(url)}: the answer is longer than {bytes_max} bytes")
        if time.monotonic() > deadline:
            raise UnavailableError(f"{_place(url)}: the answer takes too long")
        if piece:
            yield piece


def _next(received: Iterator[bytes], deadline: float) -> bytes:
    """The next piece, or nothing at the end."""
    with _until(deadline):
        return next(received, b"")


@contextmanager
def _naming(url: str) -> Iterator[None]:
    """Turn httpx's errors inside into ours."""
    try:
        yield
    except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
        raise MalformedError(f"{url}: not an http(s) address") from error
    except httpx.TransportError as error:
        reason = str(error) or type(error).__name__
        raise UnavailableError(
            f"{_place(url)}: cannot be reached ({reason})", hint="try again in a moment"
        ) from error


def _place(url: str) -> str:
    """Scheme, host and port only: a path may hold what the reader need not see."""
    parsed = httpx.URL(url)
    return f"{parsed.scheme}://{parsed.netloc.decode('ascii', 'replace')}"


def _timeout(seconds: float, circuit: Circuit | None) -> httpx.Timeout:
    """How long each step may take, never longer than the whole."""
    connect_seconds = CONNECT_SECONDS if circuit is None else CIRCUIT_SECONDS
    return httpx.Timeout(min(READ_SECONDS, seconds), connect=min(connect_seconds, seconds))


@functools.cache
def _client(circuit: Circuit | None) -> httpx.Client:
    """The one pool of this circuit's connections; httpx clients are safe between threads."""
    client = httpx.Client(
        transport=_transport(circuit),
        follow_redirects=False,
        trust_env=False,
        # No cookie is ever taken: one would tie a source's requests to each other.
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
        headers={"user-agent": "safeconduct", "accept-encoding": "identity"},
    )
    atexit.register(client.close)
    return client


# httpx bounds each single read only: a server that sends one byte of its head every few
# seconds, or interim answers without end, would hold us for ever. So each read and write asks
# how long the whole may still take. Requests run in the thread that makes them.

_running = threading.local()


@contextmanager
def _until(deadline: float) -> Iterator[None]:
    """End whatever this thread reads or writes during the block by `deadline`."""
    before = getattr(_running, "deadline", None)
    _running.deadline = deadline
    try:
        yield
    finally:
        _running.deadline = before


def _left(seconds: float | None) -> float | None:
    """How long a step may take that would take `seconds` by itself.

    Raises:
        httpcore.ReadTimeout: the whole has taken too long.
    """
    deadline = getattr(_running, "deadline", None)
    if deadline is None:
        return seconds
    left: float = deadline - time.monotonic()
    if left <= 0:
        raise httpcore.ReadTimeout("the answer takes too long")
    return left if seconds is None else min(seconds, left)


def _transport(circuit: Circuit | None) -> httpx.HTTPTransport:
    transport = httpx.HTTPTransport(trust_env=False)
    # httpx has no option for the network below its pool of connections; httpcore has.
    transport._pool = httpcore.ConnectionPool(
        ssl_context=_tls(),
        max_connections=_CONNECTIONS_MAX,
        keepalive_expiry=_IDLE_SECONDS,
        network_backend=_Network(circuit),
    )
    return transport


def _tls() -> ssl.SSLContext:
    context = httpx.create_ssl_context(trust_env=False)
    # Python would write each connection's keys to a file that the environment names.
    context.keylog_filename = None  # type: ignore[assignment]  # typeshed knows no None here
    return context


class _Network(httpcore.NetworkBackend):
    """What httpcore opens connections with: its own, but each with our deadline.

    Here and below is where it wants classes of ours.
    """

    def __init__(self, circuit: Circuit | None) -> None:
        self._plain = httpcore.SyncBackend()
        self._circuit = circuit

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        circuit = self._circuit
        to = (host, port) if circuit is None else (circuit.host, circuit.port)
        with _naming_proxy(circuit):
            stream = _Stream(
                self._plain.connect_tcp(*to, _left(timeout), local_address, socket_options)
            )
            if circuit is not None:
                _connect_through(circuit, host, port, stream)
        return stream

    def sleep(self, seconds: float) -> None:
        self._plain.sleep(seconds)


class _Stream(httpcore.NetworkStream):
    def __init__(self, plain: httpcore.NetworkStream) -> None:
        self._plain = plain

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._plain.read(max_bytes, _left(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._plain.write(buffer, _left(timeout))

    def close(self) -> None:
        self._plain.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        return _Stream(self._plain.start_tls(ssl_context, server_hostname, _left(timeout)))

    def get_extra_info(self, info: str) -> Any:
        return self._plain.get_extra_info(info)


def _connect_through(circuit: Circuit, host: str, port: int, stream: _Stream) -> None:
    """`connect_through` on a fresh stream, which is closed if that fails."""
    deadline = time.monotonic() + CIRCUIT_SECONDS

    def left() -> float:
        return max(deadline - time.monotonic(), 0.001)

    try:
        connect_through(
            circuit,
            host,
            port,
            read=lambda length: stream.read(length, left()),
            write=lambda data: stream.write(data, left()),
        )
    except BaseException:
        stream.close()
        raise


_PROXY_FAULTS: Mapping[type[Exception], str] = {
    httpcore.ConnectError: "it is not there",
    httpcore.ConnectTimeout: "it does not answer",
    httpcore.ReadTimeout: "it does not answer",
    httpcore.WriteTimeout: "it does not answer",
}


@contextmanager
def _naming_proxy(circuit: Circuit | None) -> Iterator[None]:
    """What fails on the way to and within a proxy is said of it, not of who is asked."""
    try:
        yield
    except (httpcore.NetworkError, httpcore.TimeoutException) as error:
        if circuit is None:
            raise
        raise unusable(circuit, _PROXY_FAULTS.get(type(error), "it broke off")) from error
