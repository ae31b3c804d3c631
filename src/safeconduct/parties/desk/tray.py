"""The tray: one tip's files in clear, under names of our own.

    tips/<record hash>/opening/f0001 …   while the envelope is being read; counts for nothing
    tips/<record hash>/opened/f0001  …   renamed in one step, once all of it has held

A source's file names stand in the manifest and on the page, never on the disk. Nothing is
unpacked, run, previewed or converted here.
"""

import hashlib
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from safeconduct.errors import MalformedError, UnavailableError
from safeconduct.plumbing.durable import naming, read_file, read_stream
from safeconduct.protocol.tip import TipFile, member_name

TEXT_BYTES_MAX = 1 << 20  # a longer text is listed, but neither shown nor compared
OPENED = "opened"
_OPENING = "opening"
_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


class Tray:
    """Takes the files of one envelope as they are read, in order.

    `sink` knows a new file by its being another object: two files of a hostile manifest may be
    equal in every value.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._place = 0
        self._current: TipFile | None = None
        self._handle: int | None = None

    def sink(self, file: TipFile, chunk: bytes) -> None:
        """Take the next bytes of `file`.

        Raises:
            UnavailableError: the disk refused.
        """
        with naming(self._folder):
            if file is not self._current:
                self._next(file)
            assert self._handle is not None
            _write_all(self._handle, chunk)

    def close(self) -> None:
        """Sync and close the last file; may be called again."""
        with naming(self._folder):
            handle, self._handle = self._handle, None
            if handle is not None:
                _sync_and_close(handle)

    def _next(self, file: TipFile) -> None:
        self.close()
        self._place += 1
        path = self._folder / member_name(self._place)
        self._handle = os.open(path, _NEW_FILE, 0o600)
        self._current = file


@contextmanager
def filling(folder: Path) -> Iterator[Tray]:
    """A tray below `folder`; its files come to `opened/` only if the block ends well.

    Whatever an interrupted reading left is removed first, so that it may be repeated.
    """
    opening, opened = folder / _OPENING, folder / OPENED
    empty_tray(folder)
    with naming(opening):
        os.mkdir(opening, 0o700)
    tray = Tray(opening)
    try:
        yield tray
        tray.close()
        with naming(folder):
            # Each file is on the medium already; now their names are, then their folder's.
            _sync_folder(opening)
            os.rename(opening, opened)
            _sync_folder(folder)
    except BaseException:
        with suppress(UnavailableError):
            tray.close()
        empty_tray(folder)
        raise


def empty_tray(folder: Path) -> None:
    """Remove what was opened below `folder`, or half opened."""
    for name in (_OPENING, OPENED):
        shutil.rmtree(folder / name, ignore_errors=True)


def opened_path(folder: Path, place: int) -> Path:
    """The file at `place`, counted from 1."""
    return folder / OPENED / member_name(place)


def read_text(path: Path) -> str | None:
    """The file's content if it is plain text of at most 1 MiB, else None; line ends are LF.

    None also for what was cleared away when its epoch's keys were destroyed.
    """
    if not path.parent.exists():
        return None
    try:
        text = read_file(path, bytes_max=TEXT_BYTES_MAX).decode("utf-8-sig")
    except (MalformedError, UnicodeDecodeError):
        return None
    controls = (character for character in text if character < " ")
    if any(character not in "\t\n\r\f" for character in controls):
        return None
    return text.replace("\r\n", "\n").replace("\r", "\n")


def file_chunks(path: Path) -> Iterable[bytes]:
    """The bytes of a file, in pieces.

    Raises:
        UnavailableError: it is not there, or the disk refused.
    """
    return read_stream(path)


def file_sha256(path: Path) -> bytes:
    """The SHA-256 of a file's bytes.

    Raises:
        UnavailableError: it is not there, or the disk refused.
    """
    digest = hashlib.sha256()
    for chunk in file_chunks(path):
        digest.update(chunk)
    return digest.digest()


def _write_all(handle: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(handle, view) :]


def _sync_and_close(handle: int) -> None:
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _sync_folder(folder: Path) -> None:
    _sync_and_close(os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC))
