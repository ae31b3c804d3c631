"""A disk that fails at one chosen step, in one chosen way, below the code that writes.

It stands in for the module `os` inside `plumbing.durable`, and around each transaction of
`plumbing.database`, so that every step by which a log changes its disk can be counted and lost:

    lost    the step did not happen, and the machine is off from here on
    torn    half of it happened, and the machine is off from here on
    kept    it happened, but was reported as failed; the process lives on and may try more

A power cut also takes what was never synced: `cut_power` empties or halves such files.
"""

import errno
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from safeconduct.plumbing import database, durable

LOST, KEPT, TORN = "lost", "kept", "torn"
WAYS = (LOST, KEPT, TORN)

STEPS = frozenset(
    {"write", "pwrite", "fsync", "fdatasync", "rename", "unlink", "mkdir", "rmdir"}
    | {"posix_fallocate", "fchmod", "chmod", "makedirs"}
)


@dataclass
class FailingDisk:
    """Counts steps; the one numbered `fails_at` fails, 0 never does."""

    folder: Path
    fails_at: int = 0
    way: str = LOST
    steps: int = 0
    failed_in: str = ""
    _unsynced: set[int] = field(default_factory=set)
    _last_write: tuple[int, int, int] | None = None  # handle, offset, length

    def __getattr__(self, name: str) -> Any:
        real = getattr(os, name)
        return partial(self._step, name, real) if name in STEPS else real

    @property
    def is_off(self) -> bool:
        return bool(self.failed_in) and self.way != KEPT

    def _step(self, name: str, real: Callable[..., Any], *args: Any, **more: Any) -> Any:
        if self._counts(name):
            if self.way == KEPT:
                real(*args, **more)
            else:
                self._spoil(name, args)
            raise _fault()
        result = real(*args, **more)
        self._note(name, args, result)
        return result

    def _counts(self, name: str) -> bool:
        """Count a step; True if this is the one that fails."""
        if self.is_off:
            raise _fault()
        self.steps += 1
        if self.steps != self.fails_at:
            return False
        self.failed_in = name
        return True

    def _spoil(self, name: str, args: tuple[Any, ...]) -> None:
        """Leave nothing of the failed step, or half of it."""
        if name in ("write", "pwrite") and self.way == TORN:
            half = bytes(args[1])[: len(args[1]) // 2]
            os.write(args[0], half) if name == "write" else os.pwrite(args[0], half, args[2])
        if name in ("fsync", "fdatasync"):
            self._take_back(args[0])

    def _take_back(self, handle: int) -> None:
        """What was not synced is not there, or not all of it."""
        share = 2 if self.way == TORN else 1
        if self._last_write is not None and self._last_write[0] == handle:
            _, offset, length = self._last_write
            kept = length - length // share
            os.pwrite(handle, bytes(length - kept), offset + kept)
        elif os.fstat(handle).st_ino in self._unsynced:
            os.ftruncate(handle, os.fstat(handle).st_size // 2 if self.way == TORN else 0)

    def _note(self, name: str, args: tuple[Any, ...], result: Any) -> None:
        if name == "pwrite":
            self._last_write = (args[0], args[2], result)
        if name == "write":
            self._unsynced.add(os.fstat(args[0]).st_ino)
        if name in ("fsync", "fdatasync"):
            self._unsynced.discard(os.fstat(args[0]).st_ino)
            self._last_write = None

    @contextmanager
    def transaction(self, real: Any) -> Iterator[Any]:
        """Around one transaction of a database below the folder; SQLite tears nothing."""
        fails = self._counts("commit")
        with real as tx:
            yield tx
            if fails and self.way != KEPT:
                raise sqlite3.OperationalError("disk I/O error")
        if fails:
            raise _fault()

    def cut_power(self) -> None:
        """Empty, or halve, each file whose last bytes were never synced."""
        for path in self.folder.rglob("*"):
            if path.is_file() and path.stat().st_ino in self._unsynced and self.is_off:
                size = path.stat().st_size
                path.chmod(0o644)
                os.truncate(path, size // 2 if self.way == TORN else 0)


@contextmanager
def failing(disk: FailingDisk) -> Iterator[None]:
    """Put `disk` below everything that writes into its folder."""
    real_write = database.Database.write

    @contextmanager
    def write(self: database.Database) -> Iterator[database.Transaction]:
        if disk.folder not in self._path.parents:
            with real_write(self) as tx:
                yield tx
            return
        with database._naming(self._path), disk.transaction(real_write(self)) as tx:
            yield tx

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(durable, "os", disk)
        patch.setattr(database.Database, "write", write)
        yield


def _fault() -> OSError:
    return OSError(errno.EIO, os.strerror(errno.EIO))
