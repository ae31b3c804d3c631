"""The last notes that this witness has cosigned per log, in files beside the database.

    published/<SHA-256 of the origin, hex>.0 and .1      written in turn

They serve one purpose: a database that was restored from a backup, or put back by hand, is
behind them, and then the witness does not start. So they are written after each commit, without
waiting for the disk: a file that is lost, old or torn proves nothing, and only one that is
ahead ever counts. Two take turns, so that a power cut in the middle of a write leaves the one
before. They are written over, because to make and rename a file costs as much as the commit.
"""

import os
import threading
from collections import Counter
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

from safeconduct.plumbing import durable
from safeconduct.protocol.tlog.note import NOTE_BYTES_MAX

_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
_FILES_PER_LOG = 2


def origin_hash(origin: str) -> str:
    """The 64 hex digits that stand for a log in addresses and file names."""
    return sha256(origin.encode()).hexdigest()


class Published:
    """The folder of these files; safe between threads."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._turns = Counter[str]()
        durable.make_folder(folder)

    def put(self, origin: str, note: bytes) -> None:
        """Write a log's note over the last but one.

        Raises:
            UnavailableError: the disk refused.
        """
        with self._lock:
            self._turns[origin] += 1
            turn = self._turns[origin] % _FILES_PER_LOG
            path = self._folder / f"{origin_hash(origin)}.{turn}"
            with durable.naming(path):
                _write_over(path, note)

    def notes(self) -> Iterator[tuple[str, bytes]]:
        """(path, note) of every file; whether it is ours is for the reader to verify."""
        for name in durable.list_files(self._folder):
            path = self._folder / name
            yield str(path), durable.read_file(path, bytes_max=NOTE_BYTES_MAX)


def _write_over(path: Path, data: bytes) -> None:
    handle = os.open(path, _FLAGS, 0o644)
    try:
        written = os.pwrite(handle, data, 0)
        os.ftruncate(handle, written)
    finally:
        os.close(handle)
