"""Files that survive a power cut, read and written with a bound.

A write is visible whole or not at all, and when it returns it is on the medium. These are the
system calls of `write_file`, in this order:

    openat(folder/.name.<random>.tmp, O_CREAT|O_EXCL|O_NOFOLLOW)   a name nobody else has
    write … ; fsync(file)                                          the bytes are on the medium
    rename(.name.<random>.tmp, name)                               all readers see old or new
    fsync(folder)                                                  the new name is on the medium

An error from fsync is final: the kernel may have dropped the pages, so asking again would lie.
The caller gets an `UnavailableError` that names the path, and must stop writing.
"""

import errno
import fcntl
import os
import secrets
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import FileIO
from pathlib import Path
from typing import BinaryIO

from safeconduct.errors import MalformedError, UnavailableError

_TEMPORARY_SUFFIX = ".tmp"
_TOLD = "the server cannot use its disk now; what it acknowledged before is safe"
_FILES_MAX = 1_000_000

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
    temporary = path.parent / f".{path.name}.{secrets.token_hex(6)}{_TEMPORARY_SUFFIX}"
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


def make_folder(path: Path, *, mode: int = 0o755) -> None:
    """Ensure that the folder `path` and its parents exist, durably."""
    if path.is_dir():
        return
    make_folder(path.parent, mode=mode)
    with naming(path):
        with suppress(FileExistsError):
            os.mkdir(path, mode)
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


def open_appending(path: Path) -> BinaryIO:
    """The file at `path`, made if it is absent, for `append_synced`; its name is durable."""
    with naming(path):
        file = FileIO(path, "ab")
        _sync_folder(path.parent)
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


def remove_folder(path: Path) -> None:
    """Delete a folder with all that is in it, if it is there: for what can be made again."""
    with naming(path), suppress(FileNotFoundError):
        shutil.rmtree(path)


def remove_temporaries(folder: Path) -> None:
    """Delete what writers killed in the middle left below `folder`. Only for its one writer."""
    with naming(folder):
        for parent, _, files in os.walk(folder):
            for name in filter(_is_temporary, files):
                os.unlink(Path(parent, name))


def _write_new(path: Path, data: bytes, mode: int) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    with os.fdopen(os.open(path, flags, mode), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


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
