"""Sockets in: the one door to uvicorn, and to llhttp below it.

    visitor ── listener ── [circuit line] ── llhttp ── application
                  └── crowd: who may stay, and for how long

Nothing about a visitor is written anywhere. The parser keeps whatever it is fed until a head
is complete, so bytes are counted before.

Spec: RFC 9110, RFC 9112; PROXY protocol version 1.
"""

import asyncio
import ipaddress
import os
import resource
import signal
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import Any, cast

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from safeconduct.errors import MalformedError, UnavailableError
from safeconduct.plumbing.circuit_line import split_circuit_line
from safeconduct.plumbing.crowd import LIMITS, Crowd, Limits

GRACE_SECONDS = 10
HEADER_BYTES_MAX = 16_384

_BACKLOG = 512
_FILES_PER_CONNECTION = 3  # its socket, what its handler has open, and one that waits
_FILES_OF_OURS = 256
_PORT_MAX = 65_535
_UNIX = "unix:"
_UNIX_PATH_BYTES_MAX = 107
_OWNER_ALONE = 0o600
_FORWARDED = b"x-forwarded-for"
_TOO_SLOW_TEXT = b"error: the request did not advance\nhint: send it again\n"
_TOO_SLOW = (
    b"HTTP/1.1 408 Request Timeout\r\ncontent-type: text/plain; charset=utf-8\r\n"
    b"x-error-family: unavailable\r\nconnection: close\r\ncontent-length: %d\r\n\r\n%b"
    % (len(_TOO_SLOW_TEXT), _TOO_SLOW_TEXT)
)

# Starlette's type for an application; uvicorn takes no other, and says so at run time.
App = Callable[..., Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """One application at one address: HOST:PORT, or `unix:` and a path.

    With `circuits`, each connection must begin with a circuit's line, as Tor sends it. With
    `trusted_proxy`, the last address of X-Forwarded-For stands for the visitor; nothing else
    of such headers is used.
    """

    app: App
    listen: str
    circuits: bool = False
    trusted_proxy: bool = False
    limits: Limits = LIMITS


def serve(
    app: App,
    listen: str,
    *,
    ready: Callable[[str], None] | None = None,
    circuits: bool = False,
    trusted_proxy: bool = False,
    limits: Limits = LIMITS,
) -> None:
    """Serve `app` at `listen` until SIGTERM or SIGINT, then let running requests finish.

    Port 0 takes a free one. `ready` is called with the base address once connections are
    accepted. For the rest see `Site`.

    Raises:
        UnavailableError: the address is taken or not ours.
        MalformedError: `listen` is no address.
    """
    site = Site(
        app=app, listen=listen, circuits=circuits, trusted_proxy=trusted_proxy, limits=limits
    )
    serve_all([site], ready=None if ready is None else lambda addresses: ready(addresses[0]))


def serve_all(
    sites: Sequence[Site], *, ready: Callable[[Sequence[str]], None] | None = None
) -> None:
    """Serve several sites from this process, as `serve` does one; `ready` gets all addresses.

    Each has its own crowd. The lifespan of an application runs once for each of its sites.

    Raises:
        UnavailableError, MalformedError: as `serve`.
    """
    with ExitStack() as stack:
        listeners = [stack.enter_context(listening(site.listen)) for site in sites]
        servers = [_server(site) for site in sites]
        stack.enter_context(_signals_end(servers))
        if ready is not None:
            ready([_base_url(listener) for listener in listeners])
        asyncio.run(_serve(servers, listeners))


@contextmanager
def running(
    app: App,
    listen: str = "127.0.0.1:0",
    *,
    circuits: bool = False,
    trusted_proxy: bool = False,
    limits: Limits = LIMITS,
) -> Iterator[str]:
    """Serve `app` from a thread of this process during the block; gives its base address."""
    site = Site(
        app=app, listen=listen, circuits=circuits, trusted_proxy=trusted_proxy, limits=limits
    )
    with listening(listen) as listener:
        server = _server(site)
        thread = threading.Thread(
            target=lambda: asyncio.run(_serve([server], [listener])), daemon=True
        )
        thread.start()
        try:
            yield _base_url(listener)
        finally:
            server.should_exit = True
            thread.join(GRACE_SECONDS)


class _Connection(HttpToolsProtocol):
    """One visitor's connection: HTTP by llhttp, within our bounds, as a guest of the crowd."""

    def __init__(self, site: Site, crowd: Crowd, **given: Any) -> None:
        super().__init__(**given)
        self._site = site
        self._crowd = crowd
        self._line: bytes | None = b"" if site.circuits else None  # None: no line is awaited
        self._in_head = True
        self._head_bytes = 0
        self._body_bytes = 0
        self._drained = 0
        self._origin = ""

    # What the event loop calls.

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        # The type is ignored as in uvicorn: the loop gives a transport that reads and writes.
        super().connection_made(transport)
        self._crowd.enter(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._crowd.leave(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        data = self._after_line(data)
        if not data:
            return
        super().data_received(data)
        if self._in_head:
            self._head_bytes += len(data)
            if self._head_bytes > HEADER_BYTES_MAX and not self.transport.is_closing():
                self.send_400_response("The head of the request is too long.")

    def resume_writing(self) -> None:
        self._drained += 1
        super().resume_writing()

    # What the parser calls; what is raised here is answered with 400.

    def on_message_begin(self) -> None:
        self._in_head, self._head_bytes, self._body_bytes = True, 0, 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._in_head = False
        read_bytes = len(self.url) + sum(len(name) + len(value) for name, value in self.headers)
        if read_bytes > HEADER_BYTES_MAX:
            raise ValueError("the head of the request is too long")
        hosts = sum(name == b"host" for name, _ in self.headers)
        if hosts > 1 or (not hosts and self.parser.get_http_version() == "1.1"):
            raise ValueError("the request names no host, or several")
        if self._site.trusted_proxy:
            self._believe_proxy()
        self._crowd.begin(self)
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._body_bytes += len(body)
        super().on_body(body)

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self.is_answered():
            self._crowd.rest(self)

    # What the crowd asks and decides.

    def origin(self) -> str:
        """Whose it is: a circuit or an address."""
        return self._origin or (self.client[0] if self.client else "")

    def received_bytes(self) -> int:
        """How much of the request's body has come in."""
        return self._body_bytes

    def unsent_bytes(self) -> int:
        """How much waits for the visitor to take it."""
        return self.transport.get_write_buffer_size()

    def drained_times(self) -> int:
        """How often what waited was taken."""
        return self._drained

    def owes_body(self) -> bool:
        """Whether we wait for the visitor, who announced a body that is not all there."""
        cycle = self.cycle
        if cycle is None or cycle.response_complete or not cycle.more_body:
            return False
        # Or do we wait for ourselves: to take what is there, to say that it may be sent, to
        # answer what came before?
        ours = self.flow.read_paused or cycle.waiting_for_100_continue or self.pipeline
        return not ours

    def is_answered(self) -> bool:
        """Whether nothing that it asked for is still to be written."""
        return self.cycle is None or (self.cycle.response_complete and not self.pipeline)

    def hold(self) -> None:
        """Read nothing from it for now."""
        self.flow.pause_reading()

    def go_on(self) -> None:
        """Read from it again."""
        self.flow.resume_reading()

    def close(self) -> None:
        """Close once it has taken what was written."""
        self.transport.close()

    def end(self) -> None:
        """Close at once."""
        self.transport.abort()

    def end_slow(self) -> None:
        """Say that it took too long, and close."""
        if self.cycle.response_started:
            self.transport.abort()
        else:
            self.transport.write(_TOO_SLOW)
            self.transport.close()
        # What waits for the body learns now that there is none.
        self.cycle.disconnected = True
        self.cycle.message_event.set()

    # Ours alone.

    def _after_line(self, data: bytes) -> bytes:
        """What follows the circuit's line, if one is awaited; without one, it is the end."""
        if self._line is None:
            return data
        try:
            split = split_circuit_line(self._line + data)
        except MalformedError:
            self.transport.abort()
            return b""
        if split is None:
            self._line += data
            return b""
        circuit, data = split
        self._line, self.client = None, (circuit, 0)
        return data

    def _believe_proxy(self) -> None:
        """The visitor is whom the proxy names last; what stands before may be invented."""
        named = [value for name, value in self.headers if name == _FORWARDED]
        last = b",".join(named).rpartition(b",")[2].strip().decode("latin-1")
        with suppress(ValueError):
            self._origin = str(ipaddress.ip_address(last))
            self.scope["client"] = (self._origin, 0)


class _Server(uvicorn.Server):
    """uvicorn's server, which leaves signals to whoever runs several of them."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _server(site: Site) -> uvicorn.Server:
    protocol = partial(_Connection, site, Crowd(limits=site.limits))
    config = uvicorn.Config(
        site.app,
        loop="asyncio",
        # uvicorn calls it, as it would call a class; its annotation knows of classes only.
        http=cast("type[asyncio.Protocol]", protocol),
        ws="none",
        lifespan="on",
        log_config=None,
        log_level="critical",  # a line per malformed request would let strangers fill the disk
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=site.limits.keep_alive_seconds,
        timeout_graceful_shutdown=GRACE_SECONDS,
        backlog=_BACKLOG,
    )
    _allow_files(_FILES_PER_CONNECTION * site.limits.connections_max + _FILES_OF_OURS)
    return _Server(config)


async def _serve(servers: Sequence[uvicorn.Server], listeners: Sequence[socket.socket]) -> None:
    pairs = zip(servers, listeners, strict=True)
    await asyncio.gather(*(server.serve(sockets=[listener]) for server, listener in pairs))


def _allow_files(number: int) -> None:
    """As many open files as connections need, as far as the machine lets us."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < number:
        wanted = number if hard == resource.RLIM_INFINITY else min(number, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))


@contextmanager
def listening(listen: str) -> Iterator[socket.socket]:
    """A socket that listens at HOST:PORT, or `unix:` and a path, during the block.

    Raises:
        UnavailableError: the address is taken or not ours.
        MalformedError: it is no address.
    """
    if listen.startswith(_UNIX):
        with _listening_at(listen.removeprefix(_UNIX)) as listener:
            yield listener
        return
    host, _, port = listen.rpartition(":")
    if not host or not port.isdecimal() or int(port) > _PORT_MAX:
        raise MalformedError(f"{listen}: not HOST:PORT", hint="for example 127.0.0.1:8000")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol is named, else asyncio takes it for something other than TCP and leaves
    # Nagle's algorithm on, which makes each answer on a kept connection wait for 40 ms.
    with socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        _bind(listener, (host.strip("[]"), int(port)), listen)
        yield listener


@contextmanager
def _listening_at(path: str) -> Iterator[socket.socket]:
    """A listener that its owner alone may connect to; a dead one at the path is replaced."""
    if len(os.fsencode(path)) > _UNIX_PATH_BYTES_MAX:
        raise MalformedError(f"{path}: too long for the path of a socket", hint="move it up")
    with suppress(FileNotFoundError):
        os.unlink(path)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        # Linux gives the path the mode that the socket has. The umask would be everybody's.
        os.fchmod(listener.fileno(), _OWNER_ALONE)
        _bind(listener, path, path)
        yield listener


def _bind(listener: socket.socket, place: tuple[str, int] | str, shown: str) -> None:
    try:
        listener.bind(place)
        listener.listen(_BACKLOG)
    except OSError as error:
        raise UnavailableError(f"cannot listen on {shown}: {error.strerror}") from error


def _base_url(listener: socket.socket) -> str:
    if listener.family == socket.AF_UNIX:
        return _UNIX + str(listener.getsockname())
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


@contextmanager
def _signals_end(servers: Sequence[uvicorn.Server]) -> Iterator[None]:
    """The first signal lets running requests finish; the second does not wait for them."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def end(*_: object) -> None:
        for server in servers:
            server.force_exit = server.should_exit
            server.should_exit = True

    ending = (signal.SIGTERM, signal.SIGINT)
    before = {number: signal.signal(number, end) for number in ending}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
