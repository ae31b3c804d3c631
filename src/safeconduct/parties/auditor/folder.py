"""The published folder, walked strictly: regular files only, each under a name we know.

    manifest                         who signs for all of this
    SHA256SUMS                       <64 hex>  <name>, one line a file, sorted; not these two
    gazette/, ledger/                checkpoint, tile/<L>/<N>[.p/<W>], tile/entries/<N>[.p/<W>]
    statutes/<n>.json
    captures/<64 hex>/               public.json, capture.record, capture.tlog-proof
    register.json, listings/<64 hex>.json, decisions/<64 hex>.json

Names are ASCII and at most 200 characters long. Nothing else may lie there: a file that no
check looks at could say anything.

Spec: docs/3-protocol.md §16.
"""

import hashlib
import os
import re
import stat
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from safeconduct.errors import MalformedError, SafeconductError, UnavailableError
from safeconduct.plumbing.durable import read_file
from safeconduct.protocol.canonical import decode_text, parse_hex

MANIFEST = "manifest"
SUMS = "SHA256SUMS"
FILES_MAX = 1_000_000
FILE_BYTES_MAX = 64 << 20
SUMS_BYTES_MAX = 256 << 20
NAME_CHARACTERS_MAX = 200

# `publish` makes these even when nothing lies in them. Mirrors may drop empty folders.
MAY_BE_EMPTY = frozenset({"statutes", "listings", "decisions"})

_SUM_CHARACTERS = 2 * hashlib.sha256().digest_size
_HASH = "[0-9a-f]{64}"
_NAME = re.compile(
    rf"{MANIFEST}|{SUMS}|register\.json"
    r"|(?:gazette|ledger)/checkpoint"
    r"|(?:gazette|ledger)/tile/(?:entries|[0-9]{1,2})"
    r"/(?:x[0-9]{3}/)*[0-9]{3}(?:\.p/[0-9]{1,3})?"
    r"|statutes/[1-9][0-9]*\.json"
    rf"|captures/{_HASH}/(?:public\.json|capture\.record|capture\.tlog-proof)"
    rf"|(?:listings|decisions)/{_HASH}\.json",
    re.ASCII,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """What a walk found: names with slashes; `strangers` say what is wrong with each."""

    files: frozenset[str]
    folders: frozenset[str]
    strangers: Mapping[str, str]

    def below(self, prefix: str) -> frozenset[str]:
        """The files whose names begin with `prefix`."""
        return frozenset(name for name in self.files if name.startswith(prefix))

    def empty_folders(self) -> list[str]:
        """Folders that no file needs and that `publish` does not make, sorted."""
        needed = {str(parent) for name in self.files for parent in _parents(name)}
        return sorted(self.folders - needed - MAY_BE_EMPTY)


@dataclass(frozen=True, slots=True, kw_only=True)
class Folder:
    """The folder under audit; every name is relative to it."""

    root: Path

    def walk(self) -> Contents:
        """Everything that lies in the folder, at every depth; symbolic links are not followed.

        Raises:
            MalformedError: more than `FILES_MAX` things.
            UnavailableError: a folder cannot be listed.
        """
        files, folders, strangers = set[str](), set[str](), dict[str, str]()
        waiting = [""]
        while waiting:
            for name, mode in self._list(waiting.pop()):
                fault = _fault(name, mode)
                if fault:
                    strangers[ascii(name)[1:-1]] = fault
                elif stat.S_ISDIR(mode):
                    folders.add(name)
                    waiting.append(name)
                else:
                    files.add(name)
            if len(files) + len(folders) + len(strangers) > FILES_MAX:
                raise MalformedError(f"more than {FILES_MAX} files and folders")
        return Contents(files=frozenset(files), folders=frozenset(folders), strangers=strangers)

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

    def sha256(self, name: str) -> tuple[bytes, int]:
        """The hash and the size in bytes of a file, read in pieces.

        Raises:
            MalformedError: not a regular file, or longer than `FILE_BYTES_MAX`.
            UnavailableError: absent, or it cannot be read.
        """
        try:
            handle = os.open(
                self.root / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
            )
            with os.fdopen(handle, "rb") as file:
                found = os.fstat(handle)
                if not stat.S_ISREG(found.st_mode) or found.st_size > FILE_BYTES_MAX:
                    raise MalformedError(f"no regular file of at most {FILE_BYTES_MAX} bytes")
                return hashlib.file_digest(file, "sha256").digest(), found.st_size
        except OSError as error:
            raise UnavailableError(_reason(error)) from error

    def _list(self, parent: str) -> list[tuple[str, int]]:
        """(name, mode) of everything directly in a folder; links stand for themselves."""
        prefix = f"{parent}/" if parent else ""
        try:
            with os.scandir(self.root / parent) as entries:
                return [
                    (prefix + entry.name, entry.stat(follow_symlinks=False).st_mode)
                    for entry in entries
                ]
        except OSError as error:
            place = parent or str(self.root)
            raise UnavailableError(
                f"{place}: {_reason(error)}", hint="give the folder that the body published"
            ) from error


def parse_sums(data: bytes) -> dict[str, bytes]:
    """The SHA-256 of each file that a `SHA256SUMS` lists, in its order.

        90b2…  gazette/checkpoint

    Raises:
        MalformedError: another form, an unknown name, not sorted, or a name twice.
    """
    *lines, rest = decode_text(data, SUMS).split("\n")
    if rest:
        raise MalformedError(f"{SUMS}: last line cut short")
    sums: dict[str, bytes] = {}
    for number, line in enumerate(lines, start=1):
        digest, blanks, name = (
            line[:_SUM_CHARACTERS],
            line[_SUM_CHARACTERS : _SUM_CHARACTERS + 2],
            line[_SUM_CHARACTERS + 2 :],
        )
        what = f"{SUMS} line {number}"
        if blanks != "  " or not is_known_name(name) or name in (MANIFEST, SUMS):
            raise MalformedError(f"{what}: not a hash, two blanks and a published name")
        sums[name] = parse_hex(digest, hashlib.sha256().digest_size, what)
    if format_sums(sums) != data:
        raise MalformedError(f"{SUMS}: not sorted, or a name stands twice")
    return sums


def format_sums(sums: Mapping[str, bytes]) -> bytes:
    """The `SHA256SUMS` that `parse_sums` gives back."""
    return "".join(f"{sums[name].hex()}  {name}\n" for name in sorted(sums)).encode("ascii")


def is_known_name(name: str) -> bool:
    """Whether this protocol puts a file of that name into the folder."""
    return len(name) <= NAME_CHARACTERS_MAX and _NAME.fullmatch(name) is not None


def _fault(name: str, mode: int) -> str:
    """What is wrong with something that lies in the folder; empty if nothing is."""
    kind = _KINDS.get(stat.S_IFMT(mode), "a special file")
    if kind:
        return kind
    if stat.S_ISREG(mode) and not is_known_name(name):
        return "a file whose name means nothing here"
    # A folder's name needs no grammar: one that no known file lies below is found as empty.
    return "a path too long" if len(name) > NAME_CHARACTERS_MAX else ""


_KINDS = {stat.S_IFREG: "", stat.S_IFDIR: "", stat.S_IFLNK: "a symbolic link"}


def _parents(name: str) -> Iterable[str]:
    parts = name.split("/")[:-1]
    return ("/".join(parts[: depth + 1]) for depth in range(len(parts)))


def _reason(error: OSError) -> str:
    return (os.strerror(error.errno) if error.errno else "cannot be read").lower()
