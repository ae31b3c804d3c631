"""Real server processes for tests: start on a free port, kill hard, start again."""

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

SOURCES = Path(__file__).parents[2] / "src"
START_SECONDS = 120

_PROGRAM = """
import argparse, importlib, sys
command = importlib.import_module(sys.argv[1])
parser = argparse.ArgumentParser()
command.add_arguments(parser)
arguments = parser.parse_args(sys.argv[2:])
from safeconduct.errors import SafeconductError
try:
    sys.exit(arguments.run(arguments))
except SafeconductError as error:
    sys.exit(f"error: {error.message}")
"""


@dataclass
class Server:
    """A process that serves; `url` is its base address."""

    process: subprocess.Popen[str]
    url: str

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    def kill(self) -> None:
        """SIGKILL: nothing is flushed, nobody says goodbye."""
        self.process.kill()
        self._wait()

    def stop(self) -> int:
        """SIGTERM; returns the exit status."""
        self.process.terminate()
        return self._wait()

    def _wait(self) -> int:
        status = self.process.wait(START_SECONDS)
        assert self.process.stdout is not None
        self.process.stdout.close()
        return status


def run(module: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run one verb to its end."""
    return subprocess.run(
        _command(module, arguments),
        env=_environment(),
        capture_output=True,
        text=True,
        timeout=START_SECONDS,
    )


def start(module: str, *arguments: str) -> Server:
    """Start a serving verb; returns when it listens."""
    process = subprocess.Popen(
        _command(module, arguments),
        env=_environment(),
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line.startswith("listening on "), "did not start; standard error says why"
    return Server(process=process, url=line.removeprefix("listening on ").strip())


@contextmanager
def stopped_at_the_end(servers: list[Server]) -> Iterator[None]:
    """Kill whatever still runs when the block ends."""
    try:
        yield
    finally:
        for server in servers:
            server.kill()


def _command(module: str, arguments: Sequence[str]) -> list[str]:
    return [sys.executable, "-W", "error", "-c", _PROGRAM, module, *arguments]


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(SOURCES), "PYTHONUNBUFFERED": "1"}
