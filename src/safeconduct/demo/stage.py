"""The stage: server processes on loopback, kept up as a service manager would keep them.

A server that dies is started again on the same port, and the play goes on: whatever a server
has acknowledged must survive that.
"""

import itertools
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from safeconduct.errors import UnavailableError
from safeconduct.plumbing import clock, fetch

START_SECONDS = 240.0
STOP_SECONDS = 10.0
_POLL_SECONDS = 0.1
_ANSWER_BYTES_MAX = 1 << 20
HOST = "127.0.0.1"
_PORTS = range(10_240, 32_768)
"""Below what the system gives to whoever asks for any port, so that nobody is given the port of
a server of ours that died and is about to start again."""
_PORTS_EACH = 64
_ports = itertools.count(os.getpid() * _PORTS_EACH)


@dataclass(slots=True, kw_only=True)
class Server:
    """One server process: its command, the port it serves, and how often it was started."""

    name: str
    arguments: Sequence[str]
    port: int
    process: subprocess.Popen[bytes]
    starts: int = 1

    @property
    def url(self) -> str:
        """Where it is found."""
        return f"http://{HOST}:{self.port}"


class Stage:
    """All servers of one play. Use as a context manager: leaving it ends every process."""

    def __init__(self, folder: Path) -> None:
        self._diagnostics = folder / "diagnostics"
        self._diagnostics.mkdir(parents=True, exist_ok=True)
        self._servers: dict[str, Server] = {}
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._keeper = threading.Thread(target=self._keep_up, daemon=True)

    def __enter__(self) -> "Stage":
        self._keeper.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        with self._lock:
            for server in self._servers.values():
                server.process.send_signal(signal.SIGTERM)
            for server in self._servers.values():
                _end(server.process)

    def start(self, name: str, port: int, arguments: Sequence[str]) -> Server:
        """Start `safeconduct <arguments>` as the server `name`; does not wait for it."""
        with self._lock:
            server = Server(
                name=name, arguments=arguments, port=port, process=self._spawn(name, arguments)
            )
            self._servers[name] = server
        return server

    def wait_for(self, *names: str, path: str = "/") -> None:
        """Return once each of these servers answers HTTP at all.

        Raises:
            UnavailableError: one does not, for four minutes.
        """
        for name in names:
            ask = partial(fetch.request, "GET", self._servers[name].url + path)
            fetch.patiently(partial(ask, bytes_max=_ANSWER_BYTES_MAX), seconds=START_SECONDS)

    def kill(self, name: str) -> None:
        """End a server the hard way (`kill -9`); the keeper will notice and start it again."""
        self._servers[name].process.kill()

    def names(self) -> list[str]:
        """All servers, in the order they were started."""
        return list(self._servers)

    def starts(self, name: str) -> int:
        """How often a server has been started."""
        return self._servers[name].starts

    def memory_kib(self) -> int:
        """The proportional memory of all servers and of this process, in KiB."""
        pids = [os.getpid(), *(server.process.pid for server in self._servers.values())]
        return sum(_proportional_kib(pid) for pid in pids)

    def _keep_up(self) -> None:
        while not self._ended.wait(_POLL_SECONDS):
            with self._lock:
                if self._ended.is_set():
                    return
                for server in self._servers.values():
                    if server.process.poll() is not None:
                        server.process = self._spawn(server.name, server.arguments)
                        server.starts += 1

    def _spawn(self, name: str, arguments: Sequence[str]) -> subprocess.Popen[bytes]:
        with open(self._diagnostics / f"{name}.txt", "ab") as output:
            return subprocess.Popen(
                [sys.executable, "-m", "safeconduct", *arguments],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,  # Ctrl-C reaches us alone; we end them in order
            )


def free_port() -> int:
    """A port on loopback that is free now, and that this process was not given before.

    Two processes that play at once count from different places.
    """
    while True:
        port = _PORTS[next(_ports) % len(_PORTS)]
        with socket.socket() as probe, suppress(OSError):
            probe.bind((HOST, port))
            return port


def wait_until(at: int) -> None:
    """Let real time pass until the POSIX second `at` has begun."""
    while clock.seconds() < at:
        clock.sleep(_POLL_SECONDS)


def check_memory(stage: Stage, kib_max: int) -> int:
    """The play's memory now.

    Raises:
        UnavailableError: more than `kib_max`.
    """
    used = stage.memory_kib()
    if used > kib_max:
        raise UnavailableError(f"the play uses {used} KiB of memory, more than {kib_max}")
    return used


def _end(process: subprocess.Popen[bytes]) -> None:
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _proportional_kib(pid: int) -> int:
    """Pss of one process: shared pages are counted once among those who share them."""
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0
    return sum(int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:"))
