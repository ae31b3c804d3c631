"""Files that survive a power cut, read and written with a bound.

A write is visible whole or not at all, and when it returns it is on the medium. These are the
system calls of `write_file`, in this order:

    openat(folder/.name.<random>.tmp, O_CREAT|O_EXCL|O_NOFOLLOW)   a name nobody else has
    write … ; fsync(file)                                          the bytes are on the medium
    rename(.name.<random>.tmp, name)                               all readers see old or new
    fsync(folder)                                                  the new name is on the medium

An error from fsync is final: the kernel may have dropped the pages, so asking again would lie.
The caller gets an `UnavailableError` that names the path, and must stop writing.

What is too long for memory is written the same way by `write_stream`.

What can be made again from something durable is written faster with `place_file`: visible whole
or not at all, but on the medium only after `sync_file` and `sync_folder`.
"""

import errno
import fcntl
import os
import secrets
import shutil
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from io import FileIO
from pathlib import Path
from typing import BinaryIO

from safeconduct.errors import MalformedError, UnavailableError

_TEMPORARY_SUFFIX = ".tmp"
_TOLD = "the server cannot use its disk now; what it acknowledged before is safe"
_FILES_MAX = 1_000_000
_READ_BYTES = 1 << 20
_WRITE_BYTES = 1 << 20
_PIECES_MAX = 512  # that one system call writes; Linux takes 1,024
_WRITE_BACK_BYTES = 8 << 20
_PLACING = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
_CREATING = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_RESERVING = os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC

_WHAT_TO_DO = {
    errno.ENOSPC: "free some space, then start again",
    errno.EDQUOT: "the disk quota is used up: free some space, then start again",
    errno.EROFS: "the disk is mounted read-only",
    errno.EIO: "the disk reports a fault: copy the data off before anything else",
    errno.EACCES: "check the owner and the mode of the file and of its folder",
    errno.ENOENT: "check the spelling of the path",
}


def write_file(path: Path, data: bytes, *, mode: int = 0o644) -> None:
    """Replace the file at `path` by `data`, atomically and durably.

    Raises:
        UnavailableError: the disk refused any step; the old file is then still whole.
    """
    temporary = _temporary(path)
    with naming(path):
        try:
            _write_new(temporary, data, mode)
            os.rename(temporary, path)
        except BaseException:
            with suppress(OSError):
                os.unlink(temporary)
            raise
        _sync_folder(path.parent)


def write_secret(path: Path, data: bytes) -> None:
    """`write_file` with mode 0600: for keys, readable by their owner alone."""
    write_file(path, data, mode=0o600)


def write_stream(path: Path, chunks: Iterable[bytes], *, mode: int = 0o600) -> None:
    """Replace the file at `path` by what `chunks` give, atomically and durably.

    Holds 1 MiB of it at a time. Readers see the old file until all chunks were given without
    an error and are on the medium; after any error nothing new is there.

    Raises:
        UnavailableError: the disk refused any step. What `chunks` raise passes through.
    """
    temporary = _temporary(path)
    try:
        with naming(path):
            handle = os.open(temporary, _CREATING, mode)
        try:
            _write_chunks(handle, chunks, path)
        finally:
            with naming(path):
                os.close(handle)
        with naming(path):
            os.rename(temporary, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(temporary)
        raise
    with naming(path):
        _sync_folder(path.parent)


def read_stream(path: Path) -> Iterator[bytes]:
    """The bytes of a file of any size, in pieces of 1 MiB.

    Raises:
        UnavailableError: absent, or the disk refused; raised when the first piece is asked for.
    """
    with naming(path), FileIO(path) as file:
        while piece := file.read(_READ_BYTES):
            yield piece


def append_synced(file: BinaryIO, data: bytes) -> None:
    """Add `data` at the end of an open file; it is on the medium when this returns.

    Raises:
        UnavailableError: the disk refused; how much was written is unknown.
    """
    with naming(Path(str(file.name))):
        view = memoryview(data)
        while view:
            view = view[os.write(file.fileno(), view) :]
        os.fdatasync(file.fileno())


def write_synced(handle: int, data: bytes, offset_bytes: int, path: Path) -> None:
    """Write `data` at a place in the file open as `handle`; it is on the medium on return.

    Raises:
        UnavailableError: the disk refused; how much was written is unknown. Names `path`.
    """
    with naming(path):
        view = memoryview(data)
        while view:
            written = os.pwrite(handle, view, offset_bytes)
            view, offset_bytes = view[written:], offset_bytes + written
        os.fdatasync(handle)


def reserve_file(path: Path, length_bytes: int) -> None:
    """Make a file of zeros whose space is set aside on the medium, replacing any other.

    Raises:
        UnavailableError: there is not that much space, or the disk refused.
    """
    with naming(path):
        handle = os.open(path, _RESERVING, 0o644)
        try:
            os.posix_fallocate(handle, 0, length_bytes)
            os.fsync(handle)
        finally:
            os.close(handle)
        _sync_folder(path.parent)


def extend_file(path: Path, length_bytes: int) -> None:
    """Set aside space, read as zeros, up to a length that the file may have already."""
    with naming(path):
        handle = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            os.posix_fallocate(handle, 0, length_bytes)
            os.fsync(handle)
        finally:
            os.close(handle)


def open_writing(path: Path) -> int:
    """A handle for `write_synced` on the existing file at `path`; close it with `close`."""
    with naming(path):
        return os.open(path, os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC)


def close(handle: int) -> None:
    """Close a handle; what was synced through it stays."""
    os.close(handle)


def place_file(path: Path, data: bytes, *, scratch: Path) -> None:
    """Replace the file at `path` by `data`, atomically, but not durably: for derived files.

    It is written at `scratch`, which must be on the same disk and is nobody else's, so that a
    crash leaves nothing half-written beside `path`. Folders that are missing are made.

    Raises:
        UnavailableError: the disk refused; the old file is then still whole.
    """
    with naming(path):
        handle = os.open(scratch, _PLACING, 0o644)
        try:
            view = memoryview(data)
            while view:
                view = view[os.write(handle, view) :]
        finally:
            os.close(handle)
        try:
            os.rename(scratch, path)
        except FileNotFoundError:
            os.makedirs(path.parent, exist_ok=True)
            os.rename(scratch, path)


def sync_file(path: Path, *, mode: int) -> None:
    """Give a file its final mode; it and its bytes are on the medium when this returns."""
    with naming(path):
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            os.fchmod(handle, mode)
            os.fsync(handle)
        finally:
            os.close(handle)


def sync_folder(path: Path) -> None:
    """The names in the folder `path` are on the medium when this returns."""
    with naming(path):
        _sync_folder(path)


def rename_durably(source: Path, target: Path) -> None:
    """Give a durable file another name in the same folder; it has it when this returns."""
    with naming(target):
        os.rename(source, target)
        _sync_folder(target.parent)


def remove_file(path: Path) -> None:
    """Delete a file if it is there; after a power cut it may be back."""
    with naming(path), suppress(FileNotFoundError):
        os.unlink(path)


def remove_empty_folder(path: Path) -> None:
    """Delete a folder if it is there and there is nothing in it."""
    with suppress(OSError):
        os.rmdir(path)


def free_bytes(path: Path) -> int:
    """How much more the disk of `path` takes from this user."""
    with naming(path):
        found = os.statvfs(path)
        return found.f_bavail * found.f_frsize


def make_folder(path: Path, *, mode: int = 0o755) -> None:
    """Ensure that the folder `path` and its parents exist, durably."""
    if path.is_dir():
        return
    make_folder(path.parent, mode=mode)
    with naming(path):
        try:
            os.mkdir(path, mode)
        except FileExistsError:
            if not path.is_dir():
                raise
        _sync_folder(path.parent)


def read_file(path: Path, *, bytes_max: int) -> bytes:
    """The whole content of a regular file of at most `bytes_max` bytes.

    Raises:
        MalformedError: a symbolic link, no regular file, or too long.
        UnavailableError: absent, or the disk refused.
    """
    with naming(path):
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
        with os.fdopen(handle, "rb") as file:
            if not stat.S_ISREG(os.fstat(handle).st_mode):
                raise MalformedError(f"{path}: not a regular file")
            # Not `bytes_max` at once: a reader's buffer is as large as what it asks for.
            data = file.read(min(bytes_max, os.fstat(handle).st_size) + 1)
    if len(data) > bytes_max:
        raise MalformedError(f"{path}: longer than {bytes_max} bytes")
    return data


def move_durably(source: Path, target: Path) -> None:
    """Give a finished file its final place on the same disk; it is on the medium on return.

    A file that was moved already is left as it is, so that a crash in between can be repeated.

    Raises:
        UnavailableError: the disk refused.
    """
    with naming(target):
        if not source.exists() and target.exists():
            return
        handle = os.open(source, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
        os.rename(source, target)
        _sync_folder(target.parent)


@contextmanager
def sole_writer(path: Path) -> Iterator[None]:
    """Hold the lock file at `path` during the block; the kernel lets go if the process dies.

    Raises:
        UnavailableError: another process holds it.
    """
    with open_appending(path) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise UnavailableError(
                f"{path.parent}: another process writes here", hint="stop it first"
            ) from error
        yield


@contextmanager
def one_by_one(folder: Path) -> Iterator[None]:
    """Hold `folder` itself during the block, leaving nothing in it; others wait for their turn.

    For what is made once: who comes second finds what the first has made. The kernel lets go
    if the process dies.
    """
    with naming(folder):
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        with naming(folder):
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def open_appending(path: Path) -> BinaryIO:
    """The file at `path`, made if it is absent, for `append_synced`; its name is durable."""
    with naming(path):
        file = FileIO(path, "ab")
        try:
            _sync_folder(path.parent)
        except BaseException:
            file.close()
            raise
        return file


def cut_file(path: Path, length_bytes: int) -> None:
    """Keep only the first `length_bytes` of a file, durably."""
    with naming(path), open(path, "r+b") as file:
        file.truncate(length_bytes)
        os.fsync(file.fileno())


def list_files(folder: Path) -> list[str]:
    """Sorted relative names, with slashes, of all regular files below `folder`.

    Symbolic links and half-written temporaries are left out.

    Raises:
        MalformedError: more than a million files.
        UnavailableError: the folder cannot be read.
    """
    names: list[str] = []
    with naming(folder):
        for parent, _, files in os.walk(folder, onerror=_raise):
            for name in files:
                file = Path(parent, name)
                if not file.is_symlink() and not _is_temporary(name):
                    names.append(file.relative_to(folder).as_posix())
            if len(names) > _FILES_MAX:
                raise MalformedError(f"{folder}: more than {_FILES_MAX} files")
    return sorted(names)


def forget_when(path: Path) -> None:
    """Have a file or folder not say when it was changed; one that is gone says nothing.

    Raises:
        UnavailableError: the disk refused.
    """
    with naming(path), suppress(FileNotFoundError):
        os.utime(path, (0, 0))


def remove_folder(path: Path) -> None:
    """Delete a folder with all that is in it, if it is there: for what can be made again."""
    with naming(path), suppress(FileNotFoundError):
        shutil.rmtree(path)


def remove_temporaries(folder: Path, *, below: bool = True) -> None:
    """Delete what writers killed in the middle left in `folder`. Only for its one writer.

    Looks into the folders `below` as well, unless told that there can be none.
    """
    with naming(folder):
        for parent, folders, files in os.walk(folder):
            for name in filter(_is_temporary, files):
                os.unlink(Path(parent, name))
            if not below:
                folders.clear()


def _write_new(path: Path, data: bytes, mode: int) -> None:
    with os.fdopen(os.open(path, _CREATING, mode), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _write_chunks(handle: int, chunks: Iterable[bytes], path: Path) -> None:
    """Write all chunks from the file's beginning; they are on the medium on return."""
    written = asked = 0
    for batch in _batches(chunks):
        with naming(path):
            written += _write_all(handle, batch)
            if written - asked >= _WRITE_BACK_BYTES:
                # Not to forget pages, which are all still dirty, but to have the kernel begin
                # to write them: else the final fsync finds gigabytes to wait for.
                os.posix_fadvise(handle, asked, written - asked, os.POSIX_FADV_DONTNEED)
                asked = written
    with naming(path):
        os.fsync(handle)


def _batches(chunks: Iterable[bytes]) -> Iterator[list[bytes]]:
    """Chunks as many at a time as make a large write; their own errors pass through."""
    batch: list[bytes] = []
    size = 0
    for chunk in chunks:
        batch.append(chunk)
        size += len(chunk)
        if size >= _WRITE_BYTES or len(batch) == _PIECES_MAX:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _write_all(handle: int, batch: list[bytes]) -> int:
    """Write what may be accepted in parts only; returns how many bytes that was."""
    total = sum(map(len, batch))
    written = os.writev(handle, batch)
    if written < total:
        rest = memoryview(b"".join(batch))[written:]
        while rest:
            rest = rest[os.write(handle, rest) :]
    return total


def _temporary(path: Path) -> Path:
    return path.parent / f".{path.name}.{secrets.token_hex(6)}{_TEMPORARY_SUFFIX}"


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _is_temporary(name: str) -> bool:
    return name.startswith(".") and name.endswith(_TEMPORARY_SUFFIX)


def _raise(error: OSError) -> None:
    raise error


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Turn the operating system's refusals inside into one error that names the path.

    Raises:
        MalformedError: a symbolic link where a file is due.
        UnavailableError: any other refusal.
    """
    try:
        yield
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise MalformedError(f"{path}: is a symbolic link") from error
        reason = os.strerror(error.errno) if error.errno else "cannot be used"
        hint = _WHAT_TO_DO.get(error.errno or 0, "")
        raise UnavailableError(f"{path}: {reason.lower()}", hint=hint, told=_TOLD) from error
