"""A folder that one person hands to another: it comes to be whole, or not at all.

    .NAME.<random>.tmp/    0700; filled, each file synced
    NAME/                  renamed in one step, once all of it is right

Whoever is handed such a folder reads it without following a link: what lies in it was put there
by somebody else.
"""

import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from safeconduct.errors import MalformedError, RefusedError
from safeconduct.plumbing.durable import make_folder, naming, remove_folder, sync_folder

READ_BYTES = 1 << 20
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK


@contextmanager
def handing_over(folder: Path) -> Iterator[Path]:
    """A new folder to fill, which gets the name `folder` only if the block ends well.

    Raises:
        RefusedError: something of that name is there already; nothing is ever added to it.
        UnavailableError: the disk refused.
    """
    if os.path.lexists(folder):
        raise RefusedError(f"{folder}: is there already", hint="name a folder that is not")
    folder = folder.absolute()
    filling = folder.parent / f".{folder.name}.{secrets.token_hex(6)}.tmp"
    make_folder(folder.parent)
    with naming(folder):
        os.mkdir(filling, 0o700)
    try:
        yield filling
        sync_folder(filling)
        with naming(folder):
            os.rename(filling, folder)
        sync_folder(folder.parent)
    except BaseException:
        remove_folder(filling)
        raise


def file_pieces(path: Path, *, bytes_max: int) -> Iterator[bytes]:
    """The bytes of a regular file of at most `bytes_max` bytes, in pieces.

    Raises:
        MalformedError: a symbolic link, no regular file, or too long.
        UnavailableError: absent, or the disk refused.
    """
    with naming(path):
        handle = os.open(path, _READ)
    try:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise MalformedError(f"{path}: not a regular file")
        left = bytes_max
        while piece := _read(handle, path):
            left -= len(piece)
            if left < 0:
                raise MalformedError(f"{path}: longer than {bytes_max} bytes")
            yield piece
    finally:
        os.close(handle)


def check_folder(path: Path) -> Path:
    """`path`, if it is a folder itself and no link to one.

    Raises:
        MalformedError: something else lies there.
        UnavailableError: nothing does.
    """
    with naming(path):
        mode = os.lstat(path).st_mode
    if not stat.S_ISDIR(mode):
        raise MalformedError(f"{path}: not a folder, or a symbolic link to one")
    return path


def _read(handle: int, path: Path) -> bytes:
    with naming(path):
        return os.read(handle, READ_BYTES)
