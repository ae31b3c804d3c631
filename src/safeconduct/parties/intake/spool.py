"""Spools: what a visitor has handed in and not sent yet, on the door's disk and unreadable.

    <folder>/<id>/index     box: who lies where; names, kinds, sizes and hashes are secrets too
    <folder>/<id>/<random>  an item: pieces of 1 MiB, each sealed and bound to its place

    piece p of an item: age STREAM( item key, nonce = u120 p || u8 last?, up to 1 MiB )

The key of a spool stands in its visitor's ticket and nowhere else, and tickets can be read by
the process that made them only. So a restart leaves bytes that nobody can open, and the next
start removes them. Nothing plain is ever on the disk, and nothing has to be durable: whoever
was not answered sends again.

Spec: docs/3-protocol.md §14.
"""

import hashlib
import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from safeconduct.errors import MalformedError, RefusedError, UnavailableError, UnverifiedError
from safeconduct.plumbing import clock, dice
from safeconduct.plumbing.durable import (
    forget_when,
    free_bytes,
    make_folder,
    naming,
    place_file,
    read_file,
    remove_file,
    remove_folder,
)
from safeconduct.protocol import age
from safeconduct.protocol.box import KEY_BYTES, NONCE_BYTES, open_box, seal_box
from safeconduct.protocol.canonical import derive_key, format_json, parse_json
from safeconduct.protocol.envelope import Source
from safeconduct.protocol.tip import NAME_BYTES_MAX, check_file_name

SPOOL_ID_BYTES = 16
SPOOL_SECONDS = 2_400  # since it was last touched: longer than a ticket lives
PIECE_BYTES = 1 << 19
FILE_BYTES_MAX = 10_000_000_000
FILES_MAX = 50
SPOOL_BYTES_MAX = 64 << 30
SPOOLS_MAX = 20_000
RESERVE_BYTES = 1 << 30  # of the disk, which no file that waits may take
SMALL_RESERVE_BYTES = 64 << 20  # and no text either: near full, it still can be dated
ANSWERS_NAME = "answers.json"
MESSAGE, ANSWERS, FILE = "message", "answers", "file"
SENT = "sent"
_INDEX = "index"
_INDEX_BYTES_MAX = 256 << 10
_PURPOSE = "spool-index"
_SWEEP_SECONDS = 60
_ORDER = {MESSAGE: 0, ANSWERS: 1, FILE: 2}
_STAND_IN = "file"
_CREATING = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One thing in a spool; `place` names it there and is never given twice."""

    place: int
    kind: str
    name: str = field(repr=False)
    size: int
    sha256: bytes = field(repr=False)
    _file: str = field(repr=False)


@dataclass(slots=True)
class _Known:
    """What the process remembers of a spool; no key and no name."""

    touched_at: int
    size_bytes: int = 0
    writing: int = 0


class Writer:
    """An item on its way in: encrypted piece by piece, entered by `end`, gone after `abort`.

    One thread at a time may call; what is written is held up to 1 MiB before it is sealed.
    """

    def __init__(self, spools: "Spools", spool: bytes, key: bytes, name: str) -> None:
        self._spools, self._spool, self._key = spools, spool, key
        self._name, self._file = _plain_name(name), dice.random_bytes(16).hex()
        self._path = spools.folder / spool.hex() / self._file
        self._item_key = _item_key(key, self._file)
        self._held, self._pieces, self._size, self._counted = bytearray(), 0, 0, 0
        self._digest = hashlib.sha256()  # there is one core per upload at best
        self._out = -1
        self._reserve = RESERVE_BYTES

    def write(self, piece: bytes) -> None:
        """Take more bytes.

        Raises:
            MalformedError: the file, or all files together, are too large (HTTP 413).
            UnavailableError: the disk is nearly full, or refused.
            RefusedError: the spool was swept away.
        """
        self._size += len(piece)
        if self._size > FILE_BYTES_MAX:
            raise too_large("this file is too large")
        self._held += piece
        while len(self._held) > PIECE_BYTES:  # the last one waits for `end`, which marks it
            self._seal(bytes(self._held[:PIECE_BYTES]), last=False)
            del self._held[:PIECE_BYTES]

    def end(self) -> Item:
        """Enter the item, which is readable from then on.

        The same file under the same name is no second one: a page that is loaded again sends
        it again.
        """
        self._seal(bytes(self._held), last=True)
        self._close()
        self._spools._count(self._spool, -1)
        return self._spools._enter(self._spool, self._key, self._item(FILE))

    def abort(self) -> None:
        """Leave nothing of it behind."""
        self._close()
        self._spools._count(self._spool, -1)
        remove_file(self._path)
        forget_when(self._path.parent)
        self._spools._shrink(self._spool, self._counted)

    def _item(self, kind: str) -> Item:
        return Item(
            place=0,
            kind=kind,
            name=self._name,
            size=self._size,
            sha256=self._digest.digest(),
            _file=self._file,
        )

    def _seal(self, piece: bytes, *, last: bool) -> None:
        self._spools._grow(self._spool, len(piece), self._reserve)
        self._counted += len(piece)
        self._digest.update(piece)
        nonce = _piece_nonce(self._pieces, last=last)
        sealed = b"".join(age.seal_stream(self._item_key, nonce, [piece]))
        self._pieces += 1
        with naming(self._path):
            if self._out < 0:
                self._out = os.open(self._path, _CREATING, 0o600)
            view = memoryview(sealed)
            while view:
                view = view[os.write(self._out, view) :]

    def _close(self) -> None:
        if self._out >= 0:
            os.utime(self._out, (0, 0))
            os.close(self._out)
            self._out = -1


class Spools:
    """All spools of one door process, in a folder of its own; any thread may call.

    They are emptied when this object is made. `seconds` measures how long they lie.
    """

    def __init__(self, folder: Path, seconds: Callable[[], int] = clock.steady_seconds) -> None:
        remove_folder(folder)
        make_folder(folder, mode=0o700)
        self.folder = folder
        self._seconds = seconds
        self._lock = threading.RLock()
        self._known: dict[bytes, _Known] = {}
        self._swept_at = seconds()

    def begin(self, random_bytes: Callable[[int], bytes]) -> tuple[bytes, bytes]:
        """A new empty spool: its 16-byte ID and 32-byte key, both for the ticket.

        If there are far too many, another one goes for it.

        Raises:
            UnavailableError: the disk refused.
        """
        self.sweep()
        spool, key = random_bytes(SPOOL_ID_BYTES), random_bytes(KEY_BYTES)
        with self._lock:
            if len(self._known) >= SPOOLS_MAX:
                self.drop(self._least_missed())
            self._known[spool] = _Known(touched_at=self._seconds())
        with naming(self._path(spool)):
            os.mkdir(self._path(spool), 0o700)
        forget_when(self._path(spool))
        return spool, key

    def _least_missed(self) -> bytes:
        """An empty one, if there is any; else that which was left alone for longest.

        Else whoever opens thousands would close the form to everybody.
        """
        known = [(spool, each) for spool, each in self._known.items() if not each.writing]
        if not known:
            raise UnavailableError("too many visitors write at once")
        return min(known, key=lambda each: (each[1].size_bytes > 0, each[1].touched_at))[0]

    def put(self, spool: bytes, key: bytes, kind: str, name: str, data: bytes) -> Item:
        """Put something small under `kind`, in place of what lies there of this kind.

        Raises:
            RefusedError: the spool is gone.
            UnavailableError: the disk is full, or refused.
        """
        before = [item for item in self.items(spool, key) if item.kind == kind]
        writer = Writer(self, spool, key, name)
        self._count(spool, 1)
        writer._reserve = SMALL_RESERVE_BYTES
        try:
            writer.write(data)
            writer._seal(bytes(writer._held), last=True)
            writer._close()
        except BaseException:
            writer.abort()
            raise
        self._count(spool, -1)
        return self._enter(spool, key, writer._item(kind), instead=before)

    def writer(
        self, spool: bytes, key: bytes, name: str, *, instead: Item | None = None
    ) -> Writer:
        """Where a file is written to that comes in now; `name` is what the browser says.

        It counts as one more, unless it comes `instead` of one that will be removed.

        Raises:
            RefusedError: the spool is gone, or not opened by this key.
            MalformedError: it holds as many files as it may.
        """
        held = [
            item for item in self.items(spool, key) if item.kind == FILE and item != instead
        ]
        with self._lock:
            known = self._at(spool)
            if len(held) + known.writing >= FILES_MAX:
                raise too_large(f"more than {FILES_MAX} files")
            known.writing += 1
        return Writer(self, spool, key, name)

    def items(self, spool: bytes, key: bytes) -> tuple[Item, ...]:
        """What lies there: message, answers, then the files as they came.

        Raises:
            RefusedError: the spool is gone, or this key does not open it.
        """
        with self._lock:
            self._touch(spool)
            found = self._index(spool, key)
        return tuple(sorted(found, key=lambda item: (_ORDER.get(item.kind, 9), item.place)))

    def item(self, spool: bytes, key: bytes, kind: str) -> Item | None:
        """The one item of a kind other than `file`, if there is one."""
        return next((item for item in self.items(spool, key) if item.kind == kind), None)

    def read(self, spool: bytes, key: bytes, item: Item) -> Iterator[bytes]:
        """The item's bytes, in pieces of up to 1 MiB.

        Raises:
            RefusedError: the spool is gone.
            UnverifiedError: what lies on the disk is not what was written.
        """
        self._touch(spool)
        item_key, left, place = _item_key(key, item._file), item.size, 0
        try:
            with open(self._path(spool) / item._file, "rb", buffering=0) as file:
                while True:
                    last = left <= PIECE_BYTES
                    sealed = file.read(age.sealed_bytes(min(left, PIECE_BYTES)))
                    yield _open_piece(item_key, place, sealed, last=last)
                    left, place = left - PIECE_BYTES, place + 1
                    if last:
                        return
                    self._touch(spool)
        except FileNotFoundError:
            raise _gone() from None

    def read_small(self, spool: bytes, key: bytes, item: Item) -> bytes:
        """The whole of a message or of answers."""
        return b"".join(self.read(spool, key, item))

    def remove(self, spool: bytes, key: bytes, item: Item) -> None:
        """Take an item out; nothing happens if it is gone already."""
        with self._lock:
            self._touch(spool)
            left = [each for each in self._index(spool, key) if each.place != item.place]
            self._write_index(spool, key, left)
        self._forget(spool, item)

    def sources(self, spool: bytes, key: bytes) -> list[Source]:
        """What is there to seal, under names that differ: message, answers, files."""
        return [
            Source(name=name, read=partial(self.read, spool, key, item))
            for name, item in self.named(spool, key)
        ]

    def named(self, spool: bytes, key: bytes) -> list[tuple[str, Item]]:
        """The items to seal under the names that they get in the sealed tip."""
        taken: set[str] = set()
        named = []
        for item in self.items(spool, key):
            if item.kind in _ORDER:
                named.append((_unlike(item.name, taken), item))
        return named

    def drop(self, spool: bytes) -> None:
        """Forget a spool with all that is in it."""
        with self._lock:
            self._known.pop(spool, None)
        remove_folder(self._path(spool))

    def sweep(self, now: int | None = None) -> None:
        """Once a minute, drop what was not touched for 40 minutes before `now`."""
        at = self._seconds() if now is None else now
        with self._lock:
            if 0 <= at - self._swept_at < _SWEEP_SECONDS:
                return
            self._swept_at = at
            late = [
                spool
                for spool, known in self._known.items()
                if not 0 <= at - known.touched_at <= SPOOL_SECONDS
            ]
        for spool in late:
            self.drop(spool)

    def is_there(self, spool: bytes) -> bool:
        """Whether a ticket's spool is still there."""
        with self._lock:
            return spool in self._known

    def _path(self, spool: bytes) -> Path:
        assert len(spool) == SPOOL_ID_BYTES
        return self.folder / spool.hex()

    def _at(self, spool: bytes) -> _Known:
        known = self._known.get(spool)
        if known is None:
            raise _gone()
        return known

    def _touch(self, spool: bytes) -> None:
        with self._lock:
            self._at(spool).touched_at = self._seconds()

    def _grow(self, spool: bytes, size: int, reserve: int) -> None:
        """Count bytes that are about to be written.

        Raises:
            MalformedError, UnavailableError, RefusedError: as `Writer.write`.
        """
        if free_bytes(self.folder) < reserve + size:
            raise UnavailableError("the disk is nearly full", hint="free some space")
        with self._lock:
            known = self._at(spool)
            if known.size_bytes + size > SPOOL_BYTES_MAX:
                raise too_large("these files are too large together")
            known.size_bytes += size
            known.touched_at = self._seconds()

    def _shrink(self, spool: bytes, size: int) -> None:
        with self._lock:
            known = self._known.get(spool)
            if known is not None:
                known.size_bytes = max(0, known.size_bytes - size)

    def _enter(
        self, spool: bytes, key: bytes, item: Item, instead: tuple[Item, ...] | list[Item] = ()
    ) -> Item:
        """Enter a written item, in the place of others if there are any."""
        gone = {each.place for each in instead}
        with self._lock:
            self._touch(spool)
            held = self._index(spool, key)
            same = [each for each in held if _is_same(each, item)]
            if same:
                self._forget(spool, item)
                return same[0]
            place = 1 + max((each.place for each in held), default=0)
            entered = replace(item, place=place)
            kept = [each for each in held if each.place not in gone]
            self._write_index(spool, key, [*kept, entered])
        for each in instead:
            self._forget(spool, each)
        return entered

    def _count(self, spool: bytes, change: int) -> None:
        with self._lock:
            known = self._known.get(spool)
            if known is not None:
                known.writing = max(0, known.writing + change)

    def _forget(self, spool: bytes, item: Item) -> None:
        remove_file(self._path(spool) / item._file)
        forget_when(self._path(spool))
        self._shrink(spool, item.size)

    def _index(self, spool: bytes, key: bytes) -> list[Item]:
        path = self._path(spool) / _INDEX
        if not path.exists():
            return []
        boxed = read_file(path, bytes_max=_INDEX_BYTES_MAX)
        try:
            entries: Any = parse_json(open_box(key, _PURPOSE, boxed), "spool index")
        except UnverifiedError:
            raise _gone() from None
        return [_parse_item(entry) for entry in entries]

    def _write_index(self, spool: bytes, key: bytes, items: list[Item]) -> None:
        plain = format_json([_format_item(item) for item in items])
        boxed = seal_box(key, _PURPOSE, plain, dice.random_bytes(NONCE_BYTES))
        path = self._path(spool) / _INDEX
        place_file(path, boxed, scratch=path.with_suffix(".new"))
        forget_when(path)
        forget_when(path.parent)


def too_large(message: str) -> MalformedError:
    """The error for a file, or a number of files, that no door takes (HTTP 413)."""
    error = MalformedError(message)
    error.http_status = 413
    return error


def _gone() -> RefusedError:
    return RefusedError("what was handed in so far is gone", hint="start again")


def _item_key(key: bytes, file: str) -> bytes:
    return derive_key(key, "spool-item", bytes.fromhex(file), age.FILE_KEY_BYTES)


def _piece_nonce(place: int, *, last: bool) -> bytes:
    return place.to_bytes(15, "big") + bytes([last])


def _open_piece(item_key: bytes, place: int, sealed: bytes, *, last: bool) -> bytes:
    if not sealed.startswith(_piece_nonce(place, last=last)):
        raise UnverifiedError("spool: a piece is missing, or in another's place")
    try:
        return b"".join(age.open_stream(item_key, [sealed]))
    except (MalformedError, UnverifiedError):
        raise UnverifiedError("spool: a piece is damaged") from None


def _is_same(held: Item, item: Item) -> bool:
    """Whether a file was handed in before."""
    return held.kind == item.kind == FILE and (held.name, held.sha256, held.size) == (
        item.name,
        item.sha256,
        item.size,
    )


def _format_item(item: Item) -> list[Any]:
    return [item.place, item.kind, item.name, item.size, item.sha256.hex(), item._file]


def _parse_item(entry: list[Any]) -> Item:
    place, kind, name, size, digest, file = entry  # only this process can have written it
    return Item(
        place=place, kind=kind, name=name, size=size, sha256=bytes.fromhex(digest), _file=file
    )


def _plain_name(name: str) -> str:
    """A name that a sealed tip may carry, as near as possible to what the browser says."""
    last = name.replace("\\", "/").rpartition("/")[2]
    shown = "".join(character for character in last if character.isprintable()).strip()
    while len(shown.encode("utf-8", "replace")) > NAME_BYTES_MAX:
        stem, dot, ending = shown.rpartition(".")
        shown = f"{stem[:-1]}.{ending}" if dot and len(ending) <= 8 and stem else shown[:-1]
    try:
        return check_file_name(shown)
    except MalformedError:
        return _STAND_IN


def _unlike(name: str, taken: set[str]) -> str:
    """`name`, or one like it that is not taken; takes it."""
    stem, _, ending = name.rpartition(".")
    count, fresh = 1, name
    while fresh in taken:
        count += 1
        fresh = _plain_name(f"{stem} ({count}).{ending}" if stem else f"{name} ({count})")
    taken.add(fresh)
    return fresh
