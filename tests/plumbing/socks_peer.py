"""A SOCKS5 proxy (RFC 1928, RFC 1929) that relays names to this machine, and notes who asks.

It stands in for Tor: names that only it can look up, and a circuit for each name and password.
"""

import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

_REQUEST = re.compile(rb"(?:GET|POST|PUT|PATCH|HEAD) (\S+) HTTP/1\.1\r\n")
_ACCEPT_SECONDS = 0.1


@dataclass
class Proxy:
    """Which circuit (name, password) asked for which host, and by it for which paths."""

    port: int = 0
    hosts: list[tuple[bytes, str, int]] = field(default_factory=list)
    paths: list[tuple[bytes, str]] = field(default_factory=list)
    raw: list[bytes] = field(default_factory=list)

    @property
    def address(self) -> str:
        """Where it listens, as a person gives it."""
        return f"127.0.0.1:{self.port}"

    def circuits(self, beginning: str) -> set[bytes]:
        """The circuits by which paths with this beginning were asked for."""
        return {circuit for circuit, path in self.paths if path.startswith(beginning)}


def exactly(end: socket.socket, length: int) -> bytes:
    received = b""
    while len(received) < length:
        piece = end.recv(length - len(received))
        if not piece:
            raise OSError("closed")
        received += piece
    return received


@contextmanager
def listening(serve: Callable[[socket.socket], None]) -> Iterator[int]:
    """A port at which each connection is served in a thread of its own."""
    over = threading.Event()
    threads: list[threading.Thread] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(_ACCEPT_SECONDS)

        def one(end: socket.socket) -> None:
            with end, suppress(OSError):
                serve(end)

        def accept() -> None:
            while not over.is_set():
                with suppress(TimeoutError):
                    end, _ = listener.accept()
                    threads.append(threading.Thread(target=one, args=[end], daemon=True))
                    threads[-1].start()

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            over.set()
            thread.join(5)


@contextmanager
def relaying(to: Callable[[str], int], slowly: bool = False) -> Iterator[Proxy]:
    """A proxy by which a host's name leads to the port `to(name)` of this machine.

    If `slowly`, each of its answers comes byte by byte.
    """
    proxy = Proxy()

    def answer(end: socket.socket, data: bytes) -> None:
        for piece in [data[i : i + 1] for i in range(len(data))] if slowly else [data]:
            end.sendall(piece)

    def serve(end: socket.socket) -> None:
        version, methods = exactly(end, 2)
        assert (version, exactly(end, methods)) == (5, b"\x02")
        answer(end, b"\x05\x02")
        assert exactly(end, 1) == b"\x01"
        name = exactly(end, exactly(end, 1)[0])
        circuit = name + b":" + exactly(end, exactly(end, 1)[0])
        answer(end, b"\x01\x00")
        if end.recv(4, socket.MSG_PEEK) == b"":
            return  # it only wanted to know whether we are there
        assert exactly(end, 3) == b"\x05\x01\x00"
        host, port = _read_address(end)
        proxy.hosts.append((circuit, host, port))
        with socket.create_connection(("127.0.0.1", to(host))) as far:
            answer(end, b"\x05\x00\x00\x03\x05proxy\x00\x50" if slowly else _GRANTED)
            back = threading.Thread(target=_copy, args=[far, end, None], daemon=True)
            back.start()
            _copy(end, far, lambda data: _note(proxy, circuit, data))
            back.join(5)

    with listening(serve) as port:
        proxy.port = port
        yield proxy


_GRANTED = b"\x05\x00\x00\x01\x7f\x00\x00\x01\x00\x50"


def _read_address(end: socket.socket) -> tuple[str, int]:
    kind = exactly(end, 1)[0]
    if kind == 3:
        host = exactly(end, exactly(end, 1)[0]).decode("ascii")
    else:
        family, length = {1: (socket.AF_INET, 4), 4: (socket.AF_INET6, 16)}[kind]
        host = socket.inet_ntop(family, exactly(end, length))
    return host, int.from_bytes(exactly(end, 2), "big")


def _copy(
    one: socket.socket, other: socket.socket, note: Callable[[bytes], None] | None
) -> None:
    with suppress(OSError):
        while data := one.recv(1 << 16):
            if note is not None:
                note(data)
            other.sendall(data)
    with suppress(OSError):
        other.shutdown(socket.SHUT_WR)


def _note(proxy: Proxy, circuit: bytes, data: bytes) -> None:
    proxy.raw.append(data)
    for path in _REQUEST.findall(data):
        proxy.paths.append((circuit, path.decode("ascii")))
