"""Looking somebody up in the register: by number, or by name in any script and spelling.

One index holds every name that was ever published, and grows by each publication. A few new
names are taken in by whoever looks next; many, as after a start, in the background, while what
is in already is found and the page says how many names are still out. Whoever looks for a name
leaves no trace of it here: it is written nowhere.

The index says only whom a name might mean. Whether it may be shown is asked of the register as
it stands at that moment: who is no longer listed is found by name only as long as their name
may be shown, whatever the index holds.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from safeconduct.errors import SafeconductError
from safeconduct.parties.registry.book import Book, Reader
from safeconduct.parties.registry.standing import Standing, standings
from safeconduct.plumbing.names import QUERY_CHARACTERS_MAX, Hit, NameIndex, prepare

__all__ = ["QUERY_CHARACTERS_MAX", "Answer", "Found", "Searcher", "prepare"]

HITS_SHOWN_MAX = 20
_HITS_AT_ONCE = 40  # whose standing is looked up together
AT_ONCE_MAX = 500  # names that whoever looks next takes in: a tenth of a second
_TURN = 25  # names that are taken in before others have their turn: some milliseconds
_REST_SECONDS = 0.001
_SURE = 0.9
_BY_NUMBER = 1.0

Told = Callable[[int, int], None]
"""Is told how many names are in, of how many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Somebody who was found, under which name, and how like it is."""

    standing: Standing
    name: str
    likeness: float

    @property
    def close(self) -> bool:
        """Whether the name is the one looked for, perhaps in another script or spelling."""
        return self.likeness >= _SURE


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a search comes to; `missing` names could not be looked at yet."""

    found: Sequence[Found] = ()
    refused: str = ""  # why nothing was looked for
    missing: int = 0


class Searcher:
    """The register's search; one for the whole site, safe between threads."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self._index = NameIndex()
        self._lock = threading.Lock()  # of adding to the index, and of all that follows
        self._known: set[int] = set()  # publications whose names are in, or wait
        self._read = 0  # publications that were all looked at, from the first
        self._waiting: deque[tuple[str, str]] = deque()  # subjects and names
        self._worker: threading.Thread | None = None

    def look_up(self, query: str) -> Answer:
        """What was found, the likest first, and else why nothing was looked for.

        Raises:
            UnverifiedError, UnavailableError: the Gazette cannot be read or proven.
        """
        book, registry = self.reader.book(), self.reader.registry
        number = query.strip().lower()
        if book.about(number):
            stands = standings(registry, book, (number,))[number]
            one = Found(standing=stands, name=stands.name, likeness=_BY_NUMBER)
            return Answer(found=(one,))
        missing = self.keep_up(book)
        try:
            hits = self._index.hits(query)
        except SafeconductError as error:
            return Answer(refused=error.message)
        found = tuple(islice(self._showable(book, hits), HITS_SHOWN_MAX))
        return Answer(found=found, missing=missing)

    def _showable(self, book: Book, hits: Sequence[Hit]) -> Iterator[Found]:
        """Each person once, under the likest of their names that may be shown today."""
        given: set[str] = set()
        for place in range(0, len(hits), _HITS_AT_ONCE):
            some = hits[place : place + _HITS_AT_ONCE]
            known = standings(self.reader.registry, book, {hit.key for hit in some})
            for hit in some:
                stands = known.get(hit.key)
                if stands and hit.key not in given and hit.name in stands.names:
                    given.add(hit.key)
                    yield Found(standing=stands, name=hit.name, likeness=hit.likeness)

    def keep_up(self, book: Book, told: Told | None = None) -> int:
        """Take in the names that are new in `book`; returns how many are still out.

        Many are taken in by a thread of their own, which tells how far it is.
        """
        with self._lock:
            self._take_note(book)
            if self._worker is None and len(self._waiting) <= AT_ONCE_MAX:
                self._take_in(len(self._waiting))
            elif self._worker is None:
                self._worker = threading.Thread(target=self._work, args=(told,), daemon=True)
                self._worker.start()
            return len(self._waiting)

    def _take_note(self, book: Book) -> None:
        """Note what is to be taken in; publications are only ever added, and never change."""
        for entry in book.entries[self._read :]:
            number = entry.record.number("number")
            if entry.name and number not in self._known:
                self._known.add(number)
                self._waiting.append((entry.subject, entry.name))
        # What could not be read this time may be there the next.
        self._read = len(book.entries) if book.is_whole else 0

    def _take_in(self, count: int) -> None:
        for _ in range(count):
            subject, name = self._waiting[0]
            self._index.add(subject, (name,))
            self._waiting.popleft()

    def _work(self, told: Told | None) -> None:
        done = 0
        while True:
            with self._lock:
                turn = min(_TURN, len(self._waiting))
                self._take_in(turn)
                done, left = done + turn, len(self._waiting)
                if not left:
                    self._worker = None
            if told is not None:
                told(done, done + left)
            if not left:
                return
            time.sleep(_REST_SECONDS)
