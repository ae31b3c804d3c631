"""Feeds ready to be sent: each is made once from one state of the register, then only read.

A feed changes with the Gazette, with the day, since listings end by time, and with what a
person says about being seen. As long as none of these has changed, everybody gets the same
bytes, and whoever has them already gets none. They lie on the disk, so that a feed of a hundred
thousand people takes no more memory than one of ten.
"""

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from weakref import WeakSet

from safeconduct.errors import UnavailableError
from safeconduct.parties.registry.book import Book, Reader
from safeconduct.parties.registry.duties import listings_of
from safeconduct.plumbing.scratch import Scratch
from safeconduct.protocol.statute.instant import DAY_SECONDS

KEPT_MAX = 8  # feeds, or deltas; who asked last keeps theirs
ALIVE_MAX = 32  # contents on the disk, with those that are put out and still being sent
WAITING_MAX = 16  # visitors; each holds one of the 40 threads that pages need as well
WAIT_SECONDS_MAX = 20.0  # for another one that is being made

Pieces = Callable[[Book], Iterator[bytes]]


@dataclass(frozen=True, slots=True, kw_only=True)
class _State:
    """All that a feed is made from; `size` and `root` are the Gazette's."""

    size: int
    root: bytes
    day: int  # since 1970, of the Gazette's own time
    events: int  # the newest of the registry's own, among which are wishes to be seen
    faults: int  # publications that could not be read


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """One feed as everybody gets it: its bytes, their tag, and when they were made."""

    state: _State
    content: Scratch
    etag: str
    made_at: int  # POSIX seconds; later for each state that one is made from


class FeedFiles:
    """All feeds of one site, or all deltas; safe between threads."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._lock = threading.Lock()  # of what is kept
        self._making = threading.Lock()  # one at a time, and never the same one twice
        self._kept: OrderedDict[str, Made] = OrderedDict()
        self._waiting = threading.BoundedSemaphore(WAITING_MAX)
        self._alive: WeakSet[Scratch] = WeakSet()
        self._newest: _State | None = None
        self._made_at = 0

    def made(self, name: str, pieces: Pieces) -> Made:
        """The feed of this name as it is now; `pieces` make it, if it is not there yet.

        Raises:
            UnverifiedError: the Gazette cannot be proven.
            UnavailableError: it cannot be read, the disk refused, others take too long, too
                many wait for them, or too many are still being sent.
        """
        book = self._reader.book()
        state = self._state(book)
        held = self._held(name, state)
        if held is not None:
            return held
        if not self._waiting.acquire(blocking=False):
            raise _busy()
        try:
            if not self._making.acquire(timeout=WAIT_SECONDS_MAX):
                raise _busy()
            try:
                return self._held(name, state) or self._make(name, book, state, pieces)
            finally:
                self._making.release()
        finally:
            self._waiting.release()

    def _state(self, book: Book) -> _State:
        cosigned = book.view.cosigned
        return _State(
            size=cosigned.checkpoint.tree.size,
            root=cosigned.checkpoint.tree.root_hash,
            day=cosigned.vouched_at // DAY_SECONDS,
            events=listings_of(self._reader.registry).newest_event(),
            faults=0 if book.is_whole else sum(bool(entry.fault) for entry in book.entries),
        )

    def _held(self, name: str, state: _State) -> Made | None:
        with self._lock:
            held = self._kept.get(name)
            if held is None or held.state != state:
                return None
            self._kept.move_to_end(name)
            return held

    def _make(self, name: str, book: Book, state: _State, pieces: Pieces) -> Made:
        if len(self._alive) >= ALIVE_MAX:
            raise _busy()  # slow readers of many different ones must not fill the disk
        digest = hashlib.sha256()
        content = Scratch(self._reader.registry.folder, _hashed(pieces(book), digest.update))
        self._alive.add(content)
        with self._lock:
            # Two states within a second must differ by what a browser compares. Not every
            # feed counts: by asking for many anybody could move this beyond today.
            if state != self._newest:
                self._newest = state
                self._made_at = max(self._reader.registry.seconds(), self._made_at + 1)
            etag = f'"{digest.hexdigest()[:32]}"'
            made = Made(state=state, content=content, etag=etag, made_at=self._made_at)
            self._kept[name] = made
            self._kept.move_to_end(name)
            for other in [each for each, one in self._kept.items() if one.state != state]:
                del self._kept[other]
            while len(self._kept) > KEPT_MAX:
                self._kept.popitem(last=False)
        return made


def _busy() -> UnavailableError:
    return UnavailableError("other feeds are being made", hint="ask again in a minute")


def _hashed(pieces: Iterator[bytes], update: Callable[[bytes], None]) -> Iterator[bytes]:
    for piece in pieces:
        update(piece)
        yield piece
