"""A door in a process of its own, a source that may be killed, and a line that is cut between.

    source ── Line ── door process        log and Gazette: in this process, never cut

`Line` is a TCP proxy that lets a number of bytes of a request or of its answer pass and then
strikes: it cuts the connection, or kills one of the two processes first.
"""

import multiprocessing
import os
import select
import signal
import socket
import struct
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess
from pathlib import Path

from tests.parties.intake.door_world import NOW, FakeLedger, World
from tests.protocol import builders

from safeconduct.parties.intake.site import make_site
from safeconduct.parties.source import send as sending
from safeconduct.parties.source.send import send
from safeconduct.plumbing import web
from safeconduct.plumbing.dice import random_bytes
from safeconduct.plumbing.programme import Programme
from safeconduct.protocol.envelope import Source
from safeconduct.protocol.tlog.merkle import Frontier, leaf_hash
from safeconduct.protocol.tlog.note import format_note
from safeconduct.protocol.tlog.tile import format_bundle

UP, DOWN = "up", "down"
STARTING_SECONDS = 120
PIECE_BYTES = 1 << 16  # each chunk is a piece
_processes = multiprocessing.get_context("forkserver")
_processes.set_forkserver_preload([__name__])


@dataclass
class Line:
    """The proxy. It strikes once in each request that has more than `after` bytes in `way`;
    the request after that, which is the same one again, always passes.

    `only` is the number of the one request to strike in, from 1; 0 means all.
    """

    target: tuple[str, int] = ("", 0)
    way: str = UP
    after: int = 0
    only: int = 0
    strike: Callable[[], None] = lambda: None
    strikes: int = 0
    requests: int = 0
    armed: bool = False
    url: str = ""
    _resting: bool = False

    def aim(self, way: str, after: int, only: int = 0) -> None:
        """Strike anew, after so many bytes, counting requests from now on."""
        self.way, self.after, self.only = way, after, only
        self.strikes = self.requests = 0
        self.armed, self._resting = True, False

    def rest(self) -> None:
        """Let everything pass from now on."""
        self.after = 1 << 62

    @contextmanager
    def listening(self) -> Iterator[None]:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            self.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
            threading.Thread(target=self._accept, args=[listener], daemon=True).start()
            yield

    def _accept(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                near, _ = listener.accept()
                threading.Thread(target=self._relay, args=[near], daemon=True).start()

    def _relay(self, near: socket.socket) -> None:
        with near, suppress(OSError), socket.create_connection(self.target) as far:
            for each in (near, far):
                each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._pass_on(near, far)

    def _pass_on(self, near: socket.socket, far: socket.socket) -> None:
        passed, before, striking = {UP: 0, DOWN: 0}, DOWN, False
        while True:
            for end in select.select([near, far], [], [])[0]:
                way, other = (UP, far) if end is near else (DOWN, near)
                data = end.recv(1 << 16)
                if not data:
                    return
                if (way, before) == (UP, DOWN):
                    passed, striking = {UP: 0, DOWN: 0}, self._begin()
                before = way
                if striking and way == self.way and passed[way] + len(data) > self.after:
                    other.sendall(data[: self.after - passed[way]])
                    self._cut(near, far)
                    return
                passed[way] += len(data)
                other.sendall(data)

    def _begin(self) -> bool:
        """Count a request; whether this is one to strike in."""
        if self._resting:
            self._resting = False
            return False
        self.requests += 1
        return self.armed and self.only in (0, self.requests)

    def _cut(self, near: socket.socket, far: socket.socket) -> None:
        self.strikes, self._resting = self.strikes + 1, True
        self.strike()
        if self.after % 2:  # a reset rather than an orderly end
            for end in (near, far):
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


# The door.


@dataclass
class DoorProcess:
    """A door that may be killed hard at any moment, and is started again on the same folder."""

    folder: Path
    ledger_url: str
    line: Line
    starts: int = 0
    process: ForkServerProcess | None = None

    def start(self) -> None:
        here, there = _processes.Pipe()
        self.process = _processes.Process(
            target=_serve_door, args=(self.folder, self.ledger_url, there), daemon=True
        )
        self.process.start()
        there.close()
        assert here.poll(STARTING_SECONDS)
        host, _, port = str(here.recv()).removeprefix("http://").rpartition(":")
        self.line.target = (host, int(port))
        self.starts += 1

    def kill(self) -> None:
        assert self.process is not None
        _kill(self.process)

    def kill_and_start(self) -> None:
        self.kill()
        self.start()


def _serve_door(folder: Path, ledger_url: str, ready: Connection) -> None:
    world = World(folder=folder, ledger=FakeLedger(), ledger_url=ledger_url)
    web.serve(make_site(world.intake), "127.0.0.1:0", ready=ready.send)


def _kill(process: ForkServerProcess) -> None:
    if process.pid is not None and process.is_alive():
        os.kill(process.pid, signal.SIGKILL)
    process.join(STARTING_SECONDS)


# The log, and whoever sends.


@dataclass
class Rig:
    """All of it; `world` reads the door's folder without serving it."""

    line: Line
    door: DoorProcess
    programme: Programme
    world: World
    ledger: FakeLedger = field(default_factory=FakeLedger)

    def send_in_process(self, entropy: bytes, content: bytes) -> int | None:
        """Send from a process that the line may kill; the contribution's number if it ended."""
        here, there = _processes.Pipe()
        process = _processes.Process(
            target=_send, args=(self.programme, entropy, content, there), daemon=True
        )
        self.line.strike = lambda: _kill(process)
        process.start()
        there.close()
        try:
            ended = here.recv()
            assert isinstance(ended, int)
            return ended
        except EOFError:
            return None
        finally:
            process.join(STARTING_SECONDS)


def _send(programme: Programme, entropy: bytes, content: bytes, told: Connection) -> None:
    sending.PIECE_BYTES = PIECE_BYTES
    sent = send(
        programme,
        entropy,
        [Source(name="scan.bin", read=lambda: [content])],
        at=NOW,
        random_bytes=random_bytes,
        report=lambda _: None,
    )
    told.send(sent.number)


@contextmanager
def open_rig(folder: Path) -> Iterator[Rig]:
    """A line to a running door, with the log behind it."""
    ledger, line = FakeLedger(), Line()
    with web.running(ledger.app()) as log_url, web.running(_gazette()) as gazette_url:
        door = DoorProcess(folder=folder, ledger_url=log_url, line=line)
        world = World(folder=folder, ledger=ledger, ledger_url=log_url)
        with line.listening():
            programme = replace(
                world.intake.programme, gazette=f"{gazette_url}/gazette", door=line.url
            )
            door.start()
            try:
                yield Rig(line=line, door=door, programme=programme, world=world, ledger=ledger)
            finally:
                door.kill()


def _gazette() -> web.App:
    entries: Sequence[bytes] = builders.gazette_entries()
    frontier, _ = Frontier.empty().extend([leaf_hash(entry) for entry in entries])
    note = format_note(builders.checkpoint_note(frontier, NOW, builders.GAZETTE))
    return web.make_app(
        [
            web.Route("GET", "/gazette/checkpoint", lambda _: web.data(note)),
            web.Route(
                "GET", "/gazette/{path:path}", lambda _: web.data(format_bundle(entries))
            ),
        ]
    )
