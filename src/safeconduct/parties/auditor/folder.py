"""The published folder, walked strictly: regular files only, each under a name we know.

    manifest                         who signs for all of this
    SHA256SUMS                       <64 hex>  <name>, one line a file, sorted; not these two
    gazette/, ledger/                checkpoint, tile/<L>/<N>[.p/<W>], tile/entries/<N>[.p/<W>]
    statutes/<n>.json
    captures/<64 hex>/               public.json, capture.record, capture.tlog-proof
    register.json, listings/<64 hex>.json, decisions/<64 hex>.json
    unsealed/<64 hex>.json           by the decision that it opens
    redemptions/<64 hex>.record, redemptions/<64 hex>.tlog-proof      by nullifier

Names are ASCII and at most 200 characters long. Nothing else may lie there: a file that no
check looks at could say anything.

Spec: docs/3-protocol.md §16.
"""

import hashlib
import os
import re
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from safeconduct.errors import MalformedError, SafeconductError, UnavailableError
from safeconduct.plumbing.durable import read_file

MANIFEST = "manifest"
SUMS = "SHA256SUMS"
FOLDER_NAMES_MAX = 1_000_000
"""Names directly in one folder, which are sorted in memory. Tiles need at most 3,000."""
FILE_BYTES_MAX = 64 << 20
SUMS_BYTES_MAX = 16 << 30
NAME_CHARACTERS_MAX = 200

EMPTY_FOLDER = "a folder without files"
"""The fault of a folder that no file needs."""

# `publish` makes these even when nothing lies in them. Mirrors may drop empty folders.
MAY_BE_EMPTY = frozenset({"statutes", "listings", "decisions"})

_SUM_LINE = re.compile(rb"([0-9a-f]{64})  ([!-~]+)\n")
_SUM_LINE_BYTES_MAX = 2 * hashlib.sha256().digest_size + 2 + NAME_CHARACTERS_MAX + 1
_PIECE_BYTES = 1 << 20
_HASH = "[0-9a-f]{64}"
_NAME = re.compile(
    rf"{MANIFEST}|{SUMS}|register\.json"
    r"|(?:gazette|ledger)/checkpoint"
    r"|(?:gazette|ledger)/tile/(?:entries|[0-9]{1,2})"
    r"/(?:x[0-9]{3}/)*[0-9]{3}(?:\.p/[0-9]{1,3})?"
    r"|statutes/[1-9][0-9]*\.json"
    rf"|captures/{_HASH}/(?:public\.json|capture\.record|capture\.tlog-proof)"
    rf"|(?:listings|decisions|unsealed)/{_HASH}\.json"
    rf"|redemptions/{_HASH}\.(?:record|tlog-proof)",
    re.ASCII,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Something that lies in the folder; `fault` says what is wrong with it, if anything."""

    name: str
    fault: str = ""
    expected: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Digest:
    """A whole file: its SHA-256, its size in bytes and how many lines it has."""

    sha256: bytes
    size_bytes: int
    lines: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Folder:
    """The folder under audit; every name is relative to it."""

    root: Path

    def walk(
        self, below: str = "", *, known: "Callable[[str], bool] | None" = None
    ) -> Iterator[Found]:
        """Everything at every depth of the folder `below`, files sorted by their whole names.

        Files whose names are `known`, by default to `is_known_name`, have no fault; a folder
        without any of them comes when its end is reached. Symbolic links are not followed. In
        memory are the names of one folder and its parents, never those of all.

        Raises:
            MalformedError: a folder of more than `FOLDER_NAMES_MAX` names.
            UnavailableError: a folder cannot be listed.
        """
        if below and not self._is_folder(below):
            return
        used = [False]
        open_folders = [(below, iter(self._list(below)))]
        while open_folders:
            parent, names = open_folders[-1]
            name, mode = next(names, (None, 0))
            if name is None:
                open_folders.pop()
                if not used.pop() and parent and parent not in MAY_BE_EMPTY:
                    yield _empty_folder(parent)
            elif fault := _fault(name, mode, known or is_known_name):
                yield Found(name=_shown(name), fault=fault, expected=_ONLY_PUBLISHED)
            elif stat.S_ISDIR(mode):
                used.append(False)
                open_folders.append((name, iter(self._list(name))))
            else:
                used[:] = [True] * len(used)
                yield Found(name=name)

    def names(self, below: str) -> Iterator[str]:
        """The published files at every depth of the folder `below`, sorted; faults left out."""
        return (found.name for found in self.walk(below) if not found.fault)

    def holds(self, name: str) -> bool:
        """Whether a regular file of that name lies there, behind no symbolic link."""
        folder, _, _ = name.rpartition("/")
        return self._is_folder(folder) and stat.S_ISREG(self._mode(name))

    def read(self, name: str, *, bytes_max: int = FILE_BYTES_MAX) -> bytes:
        """The content of a file.

        Raises:
            MalformedError: not a regular file, or longer than `bytes_max`.
            UnavailableError: absent, or it cannot be read.
        """
        try:
            return read_file(self.root / name, bytes_max=bytes_max)
        except SafeconductError as error:
            # The report names files relative to the folder, wherever it lies.
            message = error.message.removeprefix(f"{self.root / name}: ")
            raise type(error)(f"{name}: {message}") from error

    def digest(self, name: str, *, bytes_max: int = FILE_BYTES_MAX) -> Digest:
        """The hash and the size of a file, read in pieces.

        Raises:
            MalformedError: not a regular file, or longer than `bytes_max`.
            UnavailableError: absent, or it cannot be read.
        """
        hashed, size_bytes, lines = hashlib.sha256(), 0, 0
        with self._open(name, bytes_max) as file:
            while piece := file.read(_PIECE_BYTES):
                hashed.update(piece)
                size_bytes += len(piece)
                if size_bytes > bytes_max:
                    raise MalformedError(f"{name}: it grew beyond {bytes_max} bytes")
                lines += piece.count(b"\n")
        return Digest(sha256=hashed.digest(), size_bytes=size_bytes, lines=lines)

    def sums(self) -> Iterator[tuple[str, bytes]]:
        """(name, SHA-256) of every line of `SHA256SUMS`, as `parse_sums`; read as it goes.

        Raises:
            MalformedError: another form, or longer than `SUMS_BYTES_MAX`.
            UnavailableError: absent, or it cannot be read.
        """
        with self._open(SUMS, SUMS_BYTES_MAX) as file:
            yield from parse_sums(iter(lambda: file.readline(_SUM_LINE_BYTES_MAX), b""))

    @contextmanager
    def _open(self, name: str, bytes_max: int) -> Iterator[BinaryIO]:
        try:
            handle = os.open(
                self.root / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
            )
            with os.fdopen(handle, "rb") as file:
                found = os.fstat(handle)
                if not stat.S_ISREG(found.st_mode) or found.st_size > bytes_max:
                    raise MalformedError(f"no regular file of at most {bytes_max} bytes")
                yield file
        except OSError as error:
            raise UnavailableError(_reason(error)) from error

    def _mode(self, name: str) -> int:
        """The mode of what lies there, a link standing for itself; 0 if nothing does."""
        try:
            return os.lstat(self.root / name).st_mode
        except OSError:
            return 0

    def _is_folder(self, name: str) -> bool:
        """Whether every part of `name` is a folder itself and no link to one."""
        parts = name.split("/") if name else []
        paths = ("/".join(parts[:depth]) for depth in range(1, len(parts) + 1))
        return all(stat.S_ISDIR(self._mode(path)) for path in paths)

    def _list(self, parent: str) -> list[tuple[str, int]]:
        """(name, mode) of all that lies directly in a folder; links stand for themselves.

        They are in such an order that a walk meets files sorted by their whole names: to the
        names of folders belongs the slash behind them.
        """
        prefix = f"{parent}/" if parent else ""
        listed: list[tuple[str, int]] = []
        try:
            with os.scandir(self.root / parent) as entries:
                for entry in entries:
                    mode = entry.stat(follow_symlinks=False).st_mode
                    listed.append((prefix + entry.name, mode))
                    if len(listed) > FOLDER_NAMES_MAX:
                        place = parent or "the folder"
                        raise MalformedError(f"{place}: more than {FOLDER_NAMES_MAX} names")
        except OSError as error:
            place = parent or str(self.root)
            raise UnavailableError(
                f"{place}: {_reason(error)}", hint="give the folder that the body published"
            ) from error
        return sorted(listed, key=_order)


def parse_sums(lines: Iterable[bytes]) -> Iterator[tuple[str, bytes]]:
    """(name, SHA-256) of each line of a `SHA256SUMS`, one after the other.

        90b2…  gazette/checkpoint

    Raises:
        MalformedError: another form, an unknown name, not sorted, or a name twice.
    """
    before = ""
    for number, line in enumerate(lines, start=1):
        parts = _SUM_LINE.fullmatch(line)
        name = parts[2].decode("ascii") if parts else ""
        if parts is None or not is_known_name(name) or name in (MANIFEST, SUMS):
            raise MalformedError(
                f"{SUMS} line {number}: not a hash, two blanks and a published name"
            )
        if name <= before:
            raise MalformedError(f"{SUMS} line {number}: not sorted, or a name stands twice")
        before = name
        yield name, bytes.fromhex(parts[1].decode("ascii"))


def format_sums(sums: Mapping[str, bytes]) -> bytes:
    """The `SHA256SUMS` that `parse_sums` gives back."""
    return "".join(f"{sums[name].hex()}  {name}\n" for name in sorted(sums)).encode("ascii")


def is_known_name(name: str) -> bool:
    """Whether this protocol puts a file of that name into the folder."""
    return len(name) <= NAME_CHARACTERS_MAX and _NAME.fullmatch(name) is not None


_ONLY_PUBLISHED = "only files that this protocol publishes"


def _empty_folder(name: str) -> Found:
    return Found(name=_shown(name), fault=EMPTY_FOLDER, expected="no such folder")


def _fault(name: str, mode: int, known: Callable[[str], bool]) -> str:
    """What is wrong with something that lies in the folder; empty if nothing is."""
    kind = _KINDS.get(stat.S_IFMT(mode), "a special file")
    if kind:
        return kind
    if stat.S_ISREG(mode) and not known(name):
        return "a file whose name means nothing here"
    # A folder's name needs no grammar: one that no known file lies below is found as empty.
    return "a path too long" if len(name) > NAME_CHARACTERS_MAX else ""


_KINDS = {stat.S_IFREG: "", stat.S_IFDIR: "", stat.S_IFLNK: "a symbolic link"}


def _order(listed: tuple[str, int]) -> str:
    name, mode = listed
    return f"{name}/" if stat.S_ISDIR(mode) else name


def _shown(name: str) -> str:
    """A name from the disk, on one line and without anything a terminal would obey."""
    return ascii(name)[1:-1]


def _reason(error: OSError) -> str:
    return (os.strerror(error.errno) if error.errno else "cannot be read").lower()
