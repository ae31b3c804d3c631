"""Registers and a console as processes of their own, over logs that outlive all of them.

    python -m tests.crash.board_server cases    FOLDER PORT
    python -m tests.crash.board_server listings FOLDER PORT
    python -m tests.crash.board_server console  FOLDER PORT URL-OF-THE-REGISTER

Sites, stores and threads are those of `register serve` and `board console`; the logs are files
beside FOLDER, one line an entry, and each process makes the same proofs of them.
"""

import fcntl
import os
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from tests.parties.registry.listing_world import open_listings
from tests.parties.registry.register_world import MemoryLog, World, open_world

from safeconduct.parties.board import console_site
from safeconduct.parties.board.console import Console, make_console
from safeconduct.parties.board.console_command import ask
from safeconduct.parties.board.console_pull import pulling
from safeconduct.parties.registry import site
from safeconduct.plumbing import web
from safeconduct.plumbing.programme import Programme
from safeconduct.protocol.gazette import GazetteState
from safeconduct.protocol.tlog.merkle import Frontier, Subtree

PULL_SECONDS = 0.2


@dataclass
class FileLog(MemoryLog):
    """A log whose entries lie in a file, each on the disk before it is proven."""

    path: Path = Path()

    def grown(self) -> tuple[Frontier, dict[Subtree, bytes]]:
        self.read()
        return super().grown()

    def add(self, entry: bytes, at: int) -> bytes:
        with self.path.open("ab") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            self.read()
            if entry not in self.entries:
                file.write(entry.hex().encode() + b"\n")
                file.flush()
                os.fsync(file.fileno())
        return super().add(entry, at)

    def read(self) -> None:
        if self.path.exists():
            lines = self.path.read_bytes().splitlines()
            self.entries[:] = map(bytes.fromhex, map(bytes.decode, lines))


def with_files(world: World) -> World:
    """The register over logs that lie in files, which begin with what its own hold."""
    for name in ("gazette", "ledger"):
        old = getattr(world, name)
        log = FileLog(key=old.key, path=world.folder.parent / f"{name}.log")
        if not log.path.exists():
            lines = (entry.hex() + "\n" for entry in old.entries)
            log.path.write_text("".join(lines))
        log.read()
        setattr(world, name, log)
    world.registry = replace(world.registry, random_bytes=os.urandom)
    return world


def open_cases(folder: Path, patch: pytest.MonkeyPatch) -> World:
    """A register that takes claims."""
    return with_files(open_world(folder, patch))


def open_listed(folder: Path, patch: pytest.MonkeyPatch) -> World:
    """A register that lists people."""
    return with_files(open_listings(folder, patch).world)


def open_console(world: World, folder: Path, register: str, origin: str) -> Console:
    """The console in `folder`, at the register that `world` shows the logs of."""

    def read_state(_: Programme) -> GazetteState:
        return world.read_gazette(world.registry.programme).state

    return make_console(
        folder,
        replace(world.registry.programme, register=register),
        origin,
        seconds=lambda: world.now,
        random_bytes=os.urandom,
        read_state=read_state,
        ask=ask,
    )


def main(kind: str, folder: Path, port: str, *register: str) -> None:
    """Serve until killed."""
    patch = pytest.MonkeyPatch()
    if kind == "console":
        world = open_cases(folder.parent / "register", patch)
        console = open_console(world, folder, register[0], f"http://localhost:{port}")
        app = console_site.make_site(console, pulling(console, every_seconds=PULL_SECONDS))
    else:
        opened = {"cases": open_cases, "listings": open_listed}[kind]
        app = site.make_site(opened(folder, patch).registry)
    web.serve(
        app,
        f"127.0.0.1:{port}",
        ready=lambda url: print(f"listening on {url}", flush=True),
    )


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), sys.argv[3], *sys.argv[4:])
