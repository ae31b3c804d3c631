"""What the disk and SQLite can do alone: the limits that durable programs are held against."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from safeconduct.plumbing.database import Database, open_database

_SCHEMA = """
CREATE TABLE locked (
    origin     TEXT PRIMARY KEY,
    tree_size  INTEGER NOT NULL,
    root_hash  BLOB NOT NULL,
    checkpoint BLOB NOT NULL
) STRICT, WITHOUT ROWID;
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncedFile:
    """A file that was given its blocks ahead, like a segment of the journal."""

    handle: int

    def append(self, data: bytes) -> None:
        """Write at the present end; on the medium when it returns."""
        os.write(self.handle, data)
        os.fdatasync(self.handle)

    def close(self) -> None:
        """Close it."""
        os.close(self.handle)


def open_synced(path: Path, size_bytes: int) -> SyncedFile:
    """A new file of `size_bytes` of zeros."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    os.posix_fallocate(handle, 0, size_bytes)
    os.fsync(handle)
    return SyncedFile(handle=handle)


@dataclass(frozen=True, slots=True, kw_only=True)
class LockRow:
    """One row that is replaced again and again, durably, as log and witness do it."""

    database: Database

    def swap(self, old_size: int, new_size: int, checkpoint: bytes) -> None:
        """Replace the row if it is the old one."""
        with self.database.write() as tx:
            changed = tx.execute(
                "UPDATE locked SET tree_size = ?, root_hash = ?, checkpoint = ?"
                " WHERE origin = ? AND tree_size = ?",
                (new_size, bytes(32), checkpoint, "bench", old_size),
            )
        assert changed == 1

    def close(self) -> None:
        """Close the database."""
        self.database.close()


def open_lock(path: Path) -> LockRow:
    """A new lock row of size 0."""
    database = open_database(path, _SCHEMA)
    with database.write() as tx:
        tx.execute("INSERT INTO locked VALUES (?, 0, ?, ?)", ("bench", bytes(32), b""))
    return LockRow(database=database)


def synced_appends(folder: Path, size_bytes: int, count: int) -> Callable[[], None]:
    """`count` appends of `size_bytes`, each synced, ready to be timed."""
    path = folder / f"appends-{size_bytes}-{len(list(folder.iterdir()))}"
    file, data = open_synced(path, size_bytes * count), b"x" * size_bytes

    def work() -> None:
        for _ in range(count):
            file.append(data)
        file.close()

    return work


def lock_swaps(folder: Path, size_bytes: int, count: int) -> Callable[[], None]:
    """`count` commits of the lock row with a note of `size_bytes`, ready to be timed."""
    lock = open_lock(folder / f"lock-{len(list(folder.iterdir()))}.db")
    checkpoint = b"x" * size_bytes

    def work() -> None:
        for size in range(count):
            lock.swap(size, size + 1, checkpoint)
        lock.close()

    return work
