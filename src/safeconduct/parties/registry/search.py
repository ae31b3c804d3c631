"""Looking somebody up in the register: by number, or by name in any script and spelling.

Names are indexed in two parts, a large one and what was published since; the small one is made
anew with each publication, the large one only when the small one has grown. Whoever looks for a
name leaves no trace of it here: it is written nowhere.

Who is no longer listed is found by name only as long as their name may be shown.
"""

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from safeconduct.errors import SafeconductError
from safeconduct.parties.registry.book import Book, Reader
from safeconduct.parties.registry.standing import Standing, standings
from safeconduct.plumbing.names import QUERY_CHARACTERS_MAX, Hit, NameIndex

__all__ = ["QUERY_CHARACTERS_MAX", "Found", "Searcher"]

HITS_SHOWN_MAX = 20
_HITS_LOOKED_AT = 40  # some of them may not be shown
RECENT_MAX = 1_000  # names that are indexed anew with each publication
_RECENT_SHARE = 8  # or an eighth of all names, if that is more
_SURE = 0.9
_BY_NUMBER = 1.0


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
class _Indexed:
    """An index, and the publications whose names are in it."""

    numbers: frozenset[int]
    index: NameIndex


_NOTHING = _Indexed(numbers=frozenset(), index=NameIndex(()))


class Searcher:
    """The register's search; one for the whole site, safe between threads."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._lock = threading.Lock()
        self._count = 0  # of publications that were looked at
        self._all, self._recent = _NOTHING, _NOTHING

    def look_up(self, query: str) -> tuple[list[Found], str]:
        """What was found, the likest first, and else why nothing was looked for.

        Raises:
            UnverifiedError, UnavailableError: the Gazette cannot be read or proven.
        """
        book, registry = self._reader.book(), self._reader.registry
        number = query.strip().lower()
        if book.about(number):
            stands = standings(registry, book, (number,))[number]
            return [Found(standing=stands, name=stands.name, likeness=_BY_NUMBER)], ""
        try:
            hits = self._hits(book, query)
        except SafeconductError as error:
            return [], error.message
        known = standings(registry, book, (hit.key for hit in hits))
        return list(_showable(hits, known))[:HITS_SHOWN_MAX], ""

    def _hits(self, book: Book, query: str) -> list[Hit]:
        """The likest names of both parts, each person once."""
        best: dict[str, Hit] = {}
        for part in self._parts(book):
            for hit in part.index.search(query, _HITS_LOOKED_AT):
                if hit.key not in best or best[hit.key].likeness < hit.likeness:
                    best[hit.key] = hit
        return sorted(best.values(), key=lambda hit: (-hit.likeness, hit.name, hit.key))

    def _parts(self, book: Book) -> tuple[_Indexed, _Indexed]:
        with self._lock:
            if self._count != len(book.entries) or not book.is_whole:
                self._index(book)
                self._count = len(book.entries)
            return self._all, self._recent

    def _index(self, book: Book) -> None:
        """Index what is new; publications are only ever added, and never change."""
        named = {
            entry.record.number("number"): (entry.subject, (entry.name,))
            for entry in book.entries
            if entry.name
        }
        new = [number for number in named if number not in self._all.numbers]
        if len(new) > max(RECENT_MAX, len(named) // _RECENT_SHARE):
            self._all, self._recent = _indexed(named, named), _NOTHING
        elif frozenset(new) != self._recent.numbers:
            self._recent = _indexed(named, new)


def _indexed(
    named: Mapping[int, tuple[str, tuple[str, ...]]], numbers: Iterable[int]
) -> _Indexed:
    kept = frozenset(numbers)
    return _Indexed(numbers=kept, index=NameIndex(named[number] for number in sorted(kept)))


def _showable(hits: Iterable[Hit], known: Mapping[str, Standing]) -> Iterable[Found]:
    for hit in hits:
        if hit.name in known[hit.key].names:
            yield Found(standing=known[hit.key], name=hit.name, likeness=hit.likeness)
