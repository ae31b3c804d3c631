"""What comes from an onion service for another server of ours, passed on byte for byte.

    Tor ── socket at a path ── circuit's line taken off ── HOST:PORT

Tor names the circuit on all ports of a service or on none. The door wants to be told; a log
would take that line for bad HTTP. So it is taken off here and forgotten.
"""

import asyncio
import socket
import threading
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field

from safeconduct.errors import MalformedError
from safeconduct.plumbing.circuit_line import LINE_BYTES_MAX, split_circuit_line
from safeconduct.plumbing.crowd import CONNECTIONS_MAX, HEAD_SECONDS
from safeconduct.plumbing.serving import listening

QUIET_SECONDS = 120.0
"""After so long without a byte in either direction a connection is ended."""

_READ_BYTES = 1 << 16
_POLL_SECONDS = 0.2


@dataclass(eq=False, slots=True, kw_only=True)
class _Passage:
    """One connection that is passed on; `at` is when a byte last went through."""

    task: "asyncio.Task[None] | None"
    at: float = field(default_factory=lambda: asyncio.get_running_loop().time())


def relay(
    listen: str,
    target: str,
    stop: threading.Event,
    *,
    quiet_seconds: float = QUIET_SECONDS,
    connections_max: int = CONNECTIONS_MAX,
) -> None:
    """Pass on all connections at `listen`, each with its circuit's line, to HOST:PORT.

    When there are `connections_max`, the one that was quiet for longest makes room. Returns
    after `stop`.

    Raises:
        UnavailableError: `listen` is taken or not ours.
        MalformedError: an address is none.
    """
    host, _, port = target.rpartition(":")
    if not host or not port.isdecimal():
        raise MalformedError(f"{target}: not HOST:PORT", hint="for example 127.0.0.1:8100")
    passages = _Passages(
        dial=lambda: asyncio.open_connection(host.strip("[]"), int(port)),
        quiet_seconds=quiet_seconds,
        connections_max=connections_max,
    )
    with listening(listen) as listener:
        asyncio.run(_serve(passages, listener, stop))


_Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass(slots=True, kw_only=True)
class _Passages:
    """All connections that are passed on to one server."""

    dial: Callable[[], Awaitable[_Streams]]
    quiet_seconds: float
    connections_max: int
    open: set[_Passage] = field(default_factory=set)

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Pass one connection on until either side ends it."""
        self._make_room()
        passage = _Passage(task=asyncio.current_task())
        self.open.add(passage)
        try:
            await self._pass_on(passage, reader, writer)
        except (OSError, MalformedError, TimeoutError, asyncio.CancelledError):
            pass  # whoever is at the ends sees that it is over; there is nobody else to tell
        finally:
            self.open.discard(passage)
            writer.transport.abort()

    def end_quiet(self) -> None:
        """End those through which nothing went for too long."""
        now = asyncio.get_running_loop().time()
        for passage in list(self.open):
            if now - passage.at > self.quiet_seconds and passage.task is not None:
                passage.task.cancel()

    def _make_room(self) -> None:
        if len(self.open) >= self.connections_max:
            quietest = min(self.open, key=lambda passage: passage.at)
            self.open.discard(quietest)
            if quietest.task is not None:
                quietest.task.cancel()

    async def _pass_on(
        self, passage: _Passage, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        first = await asyncio.wait_for(_after_line(reader), HEAD_SECONDS)
        far_reader, far_writer = await self.dial()
        try:
            far_writer.write(first)
            async with asyncio.TaskGroup() as both:
                both.create_task(_pump(passage, reader, far_writer))
                both.create_task(_pump(passage, far_reader, writer))
            # What is not written yet may still be; if nobody takes it, it is quiet here.
            for each in (far_writer, writer):
                each.close()
                await each.wait_closed()
        except* OSError:
            pass
        finally:
            far_writer.transport.abort()


async def _after_line(reader: asyncio.StreamReader) -> bytes:
    received = b""
    while True:
        piece = await reader.read(LINE_BYTES_MAX)
        received += piece
        split = split_circuit_line(received)
        if split is not None:
            return split[1]
        if not piece:
            raise MalformedError("it ended in the circuit's line")


async def _pump(
    passage: _Passage, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """Pass bytes on in one direction until they end, and say so at the other end."""
    while piece := await reader.read(_READ_BYTES):
        passage.at = asyncio.get_running_loop().time()
        writer.write(piece)
        await writer.drain()
    with suppress(OSError):
        writer.write_eof()


async def _serve(passages: _Passages, listener: socket.socket, stop: threading.Event) -> None:
    server = await asyncio.start_unix_server(passages.take, sock=listener)
    async with server:
        while not stop.is_set():
            await asyncio.sleep(_POLL_SECONDS)
            passages.end_quiet()
        for passage in list(passages.open):
            if passage.task is not None:
                passage.task.cancel()
