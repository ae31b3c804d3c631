"""Large bytes under a name: the one door to where envelopes lie.

A blob comes in in pieces under `staged/`, may be resumed after any break, and is kept under
`kept/` once it is whole; a kept blob never changes. Files on this machine's disk today; an
object store can take their place without a party noticing, since a party knows names only.

Each append is on the medium when it returns; `keep` may be repeated after a crash.
"""

import hashlib
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from safeconduct.errors import ConflictError, UnavailableError
from safeconduct.plumbing.durable import append_synced, make_folder, move_durably, naming

READ_BYTES = 1 << 20
_NAME = re.compile(r"[0-9a-f]{64}")


class Blobs:
    """The blobs in one folder, named by 32 bytes each. One process writes to it."""

    def __init__(self, folder: Path) -> None:
        self._staged = folder / "staged"
        self._kept = folder / "kept"
        make_folder(self._staged, mode=0o700)
        make_folder(self._kept, mode=0o700)

    def check_room(self, size: int, reserve: int) -> None:
        """Return if `size` bytes fit and `reserve` bytes of the disk stay free.

        Raises:
            UnavailableError: they do not.
        """
        if shutil.disk_usage(self._staged).free < reserve + size:
            raise UnavailableError("the disk is nearly full", hint="free some space")

    def append(self, name: bytes, offset: int, piece: bytes) -> int:
        """Add bytes at `offset` of a staged blob; what is held already is passed over.

        Returns how many bytes are held now.

        Raises:
            ConflictError: bytes before `offset` are missing.
            UnavailableError: the disk refused.
        """
        path = _path(self._staged, name)
        with naming(path), open(path, "ab", buffering=0) as file:
            held = os.fstat(file.fileno()).st_size
            if offset > held:
                raise ConflictError(f"the payload is held up to byte {held}, not to {offset}")
            fresh = piece[held - offset :]
            if fresh:
                append_synced(file, fresh)
            return held + len(fresh)

    def held_bytes(self, name: bytes) -> int:
        """How many bytes are held of a blob, staged or kept; 0 if there is none."""
        try:
            return self._held(name).stat().st_size
        except FileNotFoundError:
            return 0

    def sha256(self, name: bytes) -> bytes:
        """The SHA-256 of what is held of a blob.

        Raises:
            UnavailableError: nothing is, or the disk refused.
        """
        path = self._held(name)
        with naming(path), open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").digest()

    def discard(self, name: bytes) -> None:
        """Forget a staged blob; a kept one stays."""
        _path(self._staged, name).unlink(missing_ok=True)

    def keep(self, name: bytes) -> None:
        """Make a staged blob a kept one, durably; one that is kept already stays as it is.

        Raises:
            UnavailableError: there is none, or the disk refused.
        """
        move_durably(_path(self._staged, name), _path(self._kept, name))

    def pieces(self, name: bytes) -> Iterator[bytes]:
        """A kept blob's bytes, in order.

        Raises:
            UnavailableError: there is none, or the disk refused.
        """
        path = _path(self._kept, name)
        with naming(path), open(path, "rb") as file:
            while piece := file.read(READ_BYTES):
                yield piece

    def _held(self, name: bytes) -> Path:
        staged = _path(self._staged, name)
        return staged if staged.exists() else _path(self._kept, name)


def _path(folder: Path, name: bytes) -> Path:
    assert _NAME.fullmatch(name.hex())  # 32 bytes: never a path from outside
    return folder / name.hex()
