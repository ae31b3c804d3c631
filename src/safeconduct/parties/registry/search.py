"""Looking somebody up in the register: by number, or by name in any script and spelling.

The index of names is made anew when the book has changed, beside the old one, so that nobody
waits for it twice. Whoever looks for a name leaves no trace of it here: it is written nowhere.
"""

import threading
from dataclasses import dataclass

from safeconduct.errors import SafeconductError
from safeconduct.parties.registry.book import Book, Entry, Reader
from safeconduct.plumbing.names import QUERY_CHARACTERS_MAX, NameIndex

__all__ = ["QUERY_CHARACTERS_MAX", "Found", "Searcher"]

HITS_SHOWN_MAX = 20
_SURE = 0.9
_NUMBER_SCORE = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One line of the register that was found, under which name, and how like it is."""

    entry: Entry
    name: str
    score: float

    @property
    def close(self) -> bool:
        """Whether the name is the one looked for, perhaps in another script or spelling."""
        return self.score >= _SURE


class Searcher:
    """The register's search; one for the whole site, safe between threads."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._lock = threading.Lock()
        self._held: tuple[int, NameIndex] | None = None

    def look_up(self, query: str) -> tuple[list[Found], str]:
        """What was found, the likest first, and else why nothing was looked for.

        Raises:
            UnverifiedError, UnavailableError: the Gazette cannot be read or proven.
        """
        book = self._reader.book()
        lines = {entry.subject: entry for entry in book.lines()}
        names = book.names()
        number = query.strip().lower()
        if number in lines:
            name = names.get(number, "")
            return [Found(entry=lines[number], name=name, score=_NUMBER_SCORE)], ""
        try:
            hits = self._index(book).search(query, HITS_SHOWN_MAX)
        except SafeconductError as error:
            return [], error.message
        return [
            Found(entry=lines[hit.key], name=hit.name, score=hit.score)
            for hit in hits
            if hit.key in lines
        ], ""

    def _index(self, book: Book) -> NameIndex:
        """The index of this book's names; names are only ever added, with publications."""
        with self._lock:
            if self._held is None or self._held[0] != len(book.entries):
                names = [(entry.subject, [entry.name]) for entry in book.entries if entry.name]
                self._held = len(book.entries), NameIndex(names)
            return self._held[1]
