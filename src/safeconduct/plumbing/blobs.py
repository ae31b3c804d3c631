"""Large bytes under a name: the one door to where envelopes lie.

A blob comes in in pieces under `staged/`, may be resumed after any break, and is kept under
`kept/` once it is whole; a kept blob never changes, but it can be erased. Files on this
machine's disk today; an object store can take their place without a party noticing, since a
party knows names only.

Each append is on the medium when it returns; `keep` may be repeated after a crash. A blob is
hashed right behind its writer, so that its hash is at hand when its last piece is; after a
restart the hashing catches up by a little at each call, and nobody waits for all of it.

What this process makes itself, and names by what it turned out to be, comes as an `Incoming`.

The files say no more than the day they came: their times are set back to its beginning.
"""

import hashlib
import os
import re
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from safeconduct.errors import ConflictError, UnavailableError
from safeconduct.plumbing import clock, dice
from safeconduct.plumbing.durable import (
    append_synced,
    make_folder,
    move_durably,
    naming,
    remove_temporaries,
    sync_folder,
)

READ_BYTES = 1 << 20
HASH_AT_APPEND_BYTES_MAX = 16 << 20  # how far the hashing catches up with each piece
HASH_AT_ONCE_BYTES_MAX = 512 << 20  # and when it is asked for: a few seconds on a slow disk
HASHES_MAX = 256  # that are kept on the way; one more costs the least its progress
DAY_SECONDS = 86_400
_WRITE_BACK_BYTES = 8 << 20  # how much may wait for the medium before the end
_NAME = re.compile(r"[0-9a-f]{64}")
_CREATING = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


@dataclass(slots=True)
class _Hashed:
    """How much of a blob was hashed so far."""

    size_bytes: int = 0
    digest: Any = field(default_factory=hashlib.sha256)  # its type has no public name


@dataclass(slots=True)
class _Turn:
    """A lock, and how many threads hold it or wait for it."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    threads: int = 0


class Incoming:
    """A blob in the making; a crash leaves nothing that the next start does not remove."""

    def __init__(self, path: Path) -> None:
        self.path, self.size_bytes = path, 0
        self._asked = 0
        with naming(path):
            self._handle = os.open(path, _CREATING, 0o600)

    def write(self, data: bytes) -> None:
        """Add bytes.

        Raises:
            UnavailableError: the disk refused.
        """
        view = memoryview(data)
        with naming(self.path):
            while view:
                view = view[os.write(self._handle, view) :]
            self.size_bytes += len(data)
            fresh = self.size_bytes - self._asked
            if fresh >= _WRITE_BACK_BYTES:
                # The kernel begins to write them, so that `sync` finds little to wait for.
                os.posix_fadvise(self._handle, self._asked, fresh, os.POSIX_FADV_DONTNEED)
                self._asked = self.size_bytes

    def sync(self) -> None:
        """End it; all of it is on the medium when this returns.

        Raises:
            UnavailableError: the disk refused.
        """
        with naming(self.path):
            try:
                _set_day(self._handle)
                os.fsync(self._handle)
            finally:
                self._close()

    def abort(self) -> None:
        """Leave nothing of it behind, if it was not kept."""
        self._close()
        self.path.unlink(missing_ok=True)

    def _close(self) -> None:
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1


class Blobs:
    """The blobs in one folder, named by 32 bytes each. One process writes to it.

    Threads that change one blob hold its `turn`; different blobs do not wait for each other.
    """

    def __init__(self, folder: Path) -> None:
        self._staged = folder / "staged"
        self._kept = folder / "kept"
        make_folder(self._staged, mode=0o700)
        make_folder(self._kept, mode=0o700)
        remove_temporaries(self._staged, below=False)
        self._guard = threading.Lock()
        self._turns: dict[bytes, _Turn] = {}
        self._hashed: dict[bytes, _Hashed] = {}

    @contextmanager
    def turn(self, name: bytes) -> Iterator[None]:
        """Keep every other thread from changing this blob during the block."""
        with self._guard:
            turn = self._turns.setdefault(name, _Turn())
            turn.threads += 1
        try:
            with turn.lock:
                yield
        finally:
            with self._guard:
                turn.threads -= 1
                if not turn.threads:
                    del self._turns[name]

    def incoming(self) -> Incoming:
        """A blob that has no name yet."""
        return Incoming(self._staged / f".{dice.random_bytes(16).hex()}.tmp")

    def keep_incoming(self, name: bytes, made: Incoming) -> None:
        """Keep what was made and synced under `name`, durably; a kept blob stays as it is.

        Raises:
            UnavailableError: the disk refused.
        """
        kept = _path(self._kept, name)
        if kept.exists():
            made.abort()
            return
        move_durably(made.path, kept)
        self.discard(name)

    def check_room(self, size: int, reserve: int) -> None:
        """Return if `size` bytes fit and `reserve` bytes of the disk stay free.

        Raises:
            UnavailableError: they do not.
        """
        if shutil.disk_usage(self._staged).free < reserve + size:
            raise UnavailableError("the disk is nearly full", hint="free some space")

    def append(self, name: bytes, offset: int, piece: bytes) -> int:
        """Add bytes at `offset` of a staged blob; returns how many are held now.

        What is held already must be the same, and is passed over. If it is not, one of the two
        is wrong, nobody can tell which, and none is held from then on. A piece that the disk
        refuses leaves nothing behind. A kept blob stays as it is, whatever comes.

        Raises:
            ConflictError: bytes before `offset` are missing, or others are held.
            UnavailableError: the disk refused.
        """
        path = _path(self._staged, name)
        if self._held(name) != path and self._held(name).exists():
            return self.held_bytes(name)
        held = self._check_piece(name, path, offset, piece)
        fresh = piece[held - offset :]
        if fresh:
            _append(path, held, fresh)
            self._hash_on(name, path, HASH_AT_APPEND_BYTES_MAX)
        return held + len(fresh)

    def _check_piece(self, name: bytes, path: Path, offset: int, piece: bytes) -> int:
        """How many bytes are held, if `piece` joins or repeats them."""
        held = self.held_bytes(name)
        if offset > held:
            raise ConflictError(
                f"the payload is held up to byte {held}, not to {offset}",
                hint=f"send from byte {held} on",
            )
        again = piece[: held - offset]
        if again and _read(path, offset, len(again)) != again:
            self.discard(name)
            raise ConflictError(
                "these bytes are not those that were sent before; none are held now",
                hint="send the payload again, from byte 0",
            )
        return held

    def held_bytes(self, name: bytes) -> int:
        """How many bytes are held of a blob, staged or kept; 0 if there is none."""
        try:
            return self._held(name).stat().st_size
        except FileNotFoundError:
            return 0

    def staged(self) -> list[bytes]:
        """The names of the blobs that are not kept yet."""
        with naming(self._staged):
            found = sorted(path.name for path in self._staged.iterdir())
        return [bytes.fromhex(name) for name in found if _NAME.fullmatch(name)]

    def sha256(self, name: bytes) -> bytes:
        """The SHA-256 of what is held of a blob.

        Raises:
            UnavailableError: much of it is still to be hashed, and asking again goes on with
                that; or nothing is held; or the disk refused.
        """
        path = self._held(name)
        left, digest = self._hash_on(name, path, HASH_AT_ONCE_BYTES_MAX)
        if left:
            raise UnavailableError(
                f"still checking: {left} bytes to go", hint="ask again in a moment"
            )
        return digest

    def _hash_on(self, name: bytes, path: Path, bytes_max: int) -> tuple[int, bytes]:
        """Hash up to `bytes_max` more bytes; how many are left, and the hash so far."""
        hashed = self._progress(name)
        with naming(path), open(path, "rb", buffering=0) as file:
            size = os.fstat(file.fileno()).st_size
            file.seek(hashed.size_bytes)
            end = min(size, hashed.size_bytes + bytes_max)
            while piece := file.read(min(READ_BYTES, end - hashed.size_bytes)):
                hashed.digest.update(piece)
                hashed.size_bytes += len(piece)
        return size - hashed.size_bytes, hashed.digest.digest()

    def _progress(self, name: bytes) -> _Hashed:
        with self._guard:
            hashed = self._hashed.setdefault(name, _Hashed())
            while len(self._hashed) > HASHES_MAX:
                del self._hashed[self._least_hashed_but(name)]
            return hashed

    def _least_hashed_but(self, name: bytes) -> bytes:
        # Not the one unused for longest: many small blobs that grow by a byte now and then
        # would keep a large one from ever being hashed to its end.
        others = (other for other in self._hashed if other != name)
        return min(others, key=lambda other: self._hashed[other].size_bytes)

    def _forget_progress(self, name: bytes) -> None:
        with self._guard:
            self._hashed.pop(name, None)

    def discard(self, name: bytes) -> None:
        """Forget a staged blob; a kept one stays."""
        self._forget_progress(name)
        _path(self._staged, name).unlink(missing_ok=True)

    def erase(self, name: bytes) -> None:
        """Remove a blob, staged or kept, durably; that there is none is no error.

        Raises:
            UnavailableError: the disk refused.
        """
        self.discard(name)
        path = _path(self._kept, name)
        with naming(path):
            path.unlink(missing_ok=True)
        sync_folder(self._kept)

    def keep(self, name: bytes) -> None:
        """Make a staged blob a kept one, durably; one that is kept already stays as it is.

        Raises:
            UnavailableError: there is none, or the disk refused.
        """
        staged = _path(self._staged, name)
        with suppress(FileNotFoundError):
            _set_day(staged)
        move_durably(staged, _path(self._kept, name))
        self._forget_progress(name)

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


def _append(path: Path, held: int, fresh: bytes) -> None:
    """Add `fresh` to the `held` bytes of a file, on the medium, or leave it as it was."""
    with naming(path), open(path, "ab", buffering=0) as file:
        try:
            append_synced(file, fresh)
        except UnavailableError:
            with suppress(OSError):  # what was not acknowledged must not be counted as held
                file.truncate(held)
            raise


def _set_day(file: Path | int) -> None:
    day = clock.seconds() // DAY_SECONDS * DAY_SECONDS
    os.utime(file, (day, day))


def _read(path: Path, offset: int, length: int) -> bytes:
    with naming(path), open(path, "rb") as file:
        file.seek(offset)
        return file.read(length)


def _path(folder: Path, name: bytes) -> Path:
    assert _NAME.fullmatch(name.hex())  # 32 bytes: never a path from outside
    return folder / name.hex()
