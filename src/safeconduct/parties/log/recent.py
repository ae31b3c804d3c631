"""Recent: at which index an entry is that came not long ago, so that it may be sent again.

The newest entries are in a dictionary. Older ones are in sorted runs of one machine word each:

    bits 63…21   the first 43 bits of the leaf hash
    bits 20…0    the index, modulo 2^21

Runs double: two neighbours of a size are merged, up to 2^18 entries, and a run is dropped when
all of it is older than the window. What 43 bits find, the tile of leaf hashes confirms.
"""

import sys
from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from safeconduct.protocol.tlog.merkle import HASH_BYTES

RECENT_ENTRIES = 1 << 21
"""72 hours, which is how long a delivery is retried, of an idle Ledger that is padded to eight
entries a second. Older entries are found by those who keep the whole log: mirrors."""

NEWEST_ENTRIES_MAX = 1 << 15
RUN_ENTRIES_MAX = 1 << 18
_INDEX_BITS = 21
_INDEX_MASK = (1 << _INDEX_BITS) - 1
_HASH_WORDS = HASH_BYTES // 8

LeafAt: TypeAlias = Callable[[int], bytes]
"""The leaf hash of an entry, from its tile."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """The entries [first, end) in words, sorted."""

    first: int
    end: int
    words: "array[int]"


class Recent:
    """The indexes of the last `window` entries; for one thread at a time."""

    def __init__(
        self, leaf_at: LeafAt, *, first: int = 0, window: int = RECENT_ENTRIES
    ) -> None:
        """Begins with entry number `first`; the window is `RECENT_ENTRIES` at most."""
        self._leaf_at, self._window = leaf_at, min(window, RECENT_ENTRIES)
        self._newest: dict[bytes, int] = {}
        self._runs: list[Run] = []
        self._first = self._end = first

    def find(self, leaf: bytes) -> int | None:
        """The index of the entry with this leaf hash, if it is in the window.

        Raises:
            SafeconductError: the tile that has to confirm it cannot be read.
        """
        index = self._newest.get(leaf)
        if index is None:
            index = self._find_in_runs(leaf)
        in_window = index is not None and index >= self._end - self._window
        return index if in_window else None

    def add(self, leaves: Sequence[bytes]) -> None:
        """Take up the leaf hashes of the next entries of the log."""
        start, self._end = self._end, self._end + len(leaves)
        self._newest.update(zip(leaves, range(start, self._end), strict=True))
        if self._end - self._first >= NEWEST_ENTRIES_MAX:
            words = _words(b"".join(self._newest), self._newest.values())
            self._newest = {}
            self._add_run(words)

    def load(self, hashes: bytes) -> None:
        """Take up the leaf hashes of the next entries as they stand in tiles, at a start."""
        start, self._end = self._end, self._end + len(hashes) // HASH_BYTES
        self._add_run(_words(hashes, range(start, self._end)))

    def _add_run(self, words: list[int]) -> None:
        run = Run(first=self._first, end=self._end, words=array("Q", sorted(words)))
        self._first = self._end
        self._runs.append(run)
        while len(self._runs) > 1 and _may_merge(*self._runs[-2:]):
            self._runs[-2:] = [_merge(*self._runs[-2:])]
        while self._runs and self._runs[0].end <= self._end - self._window:
            del self._runs[0]

    def _find_in_runs(self, leaf: bytes) -> int | None:
        for run in reversed(self._runs):
            for index in _candidates(run, leaf):
                if self._leaf_at(index) == leaf:
                    return index
        return None


def _words(hashes: bytes, indexes: Iterable[int]) -> list[int]:
    """One word for each 32-byte hash, in the order of `indexes`, not sorted yet."""
    quarters = array("Q", hashes)
    if sys.byteorder == "little":
        quarters.byteswap()
    pairs = zip(quarters[::_HASH_WORDS], indexes, strict=True)
    return [first & ~_INDEX_MASK | index & _INDEX_MASK for first, index in pairs]


def _may_merge(older: Run, newer: Run) -> bool:
    old_count, new_count = len(older.words), len(newer.words)
    return old_count <= new_count and old_count + new_count <= RUN_ENTRIES_MAX


def _merge(older: Run, newer: Run) -> Run:
    # Two sorted halves are what the standard library's sort merges in one pass.
    words = array("Q", sorted([*older.words, *newer.words]))
    return Run(first=older.first, end=newer.end, words=words)


def _candidates(run: Run, leaf: bytes) -> Iterator[int]:
    """The indexes of the entries of a run whose leaf hash begins like this one."""
    [low] = _words(leaf, [0])
    place = bisect_left(run.words, low)
    while place < len(run.words) and run.words[place] & ~_INDEX_MASK == low:
        yield run.first + ((run.words[place] - run.first) & _INDEX_MASK)
        place += 1
