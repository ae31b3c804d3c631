"""Bytes kept on the disk under no name: what can be made again, and is too long for memory.

The file has no name as soon as it is open, so that nothing is left of it after any end of the
process, and nobody can open it by mistake. Nothing is synced: it need not survive anything.
"""

import os
import tempfile
import weakref
from collections.abc import Iterable, Iterator
from pathlib import Path

from safeconduct.plumbing.durable import naming

_READ_BYTES = 1 << 18
_WRITE_BYTES = 1 << 18


class Scratch:
    """What `pieces` gave, to be read any number of times, by several threads at once.

    The space is free again when nobody holds this any more.
    """

    def __init__(self, folder: Path, pieces: Iterable[bytes]) -> None:
        """Write all pieces to a file without a name on the disk of `folder`.

        Raises:
            UnavailableError: the disk refused. What `pieces` raise passes through.
        """
        self._folder = folder
        self._handle = _nameless(folder)
        weakref.finalize(self, os.close, self._handle)
        self.length_bytes = 0
        held = bytearray()
        for piece in pieces:
            held += piece
            if len(held) >= _WRITE_BYTES:
                self._write(held)
        self._write(held)

    def _write(self, held: bytearray) -> None:
        with naming(self._folder):
            while held:
                written = os.write(self._handle, held)
                self.length_bytes += written
                del held[:written]

    def read(self) -> Iterator[bytes]:
        """All bytes from the first, in pieces of 256 KiB.

        Raises:
            UnavailableError: the disk refused.
        """
        at = 0
        while at < self.length_bytes:
            with naming(self._folder):
                piece = os.pread(self._handle, _READ_BYTES, at)
            at += len(piece)
            yield piece


def _nameless(folder: Path) -> int:
    with naming(folder):
        handle, path = tempfile.mkstemp(prefix=".", suffix=".tmp", dir=folder)
        os.unlink(path)
    return handle
