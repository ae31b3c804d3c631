"""Pool: entries that have no place yet, and people who wait for entries to be published.

Not safe for threads by itself: the log holds its lock around every call.
"""

from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from typing import TypeAlias

from safeconduct.errors import UnavailableError
from safeconduct.parties.log.store import Published

POOL_ENTRIES_MAX = 4_096
POOL_BYTES_MAX = 64 << 20

Places: TypeAlias = Mapping[bytes, int]
"""Leaf hash to index."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listener:
    """Who is told, in the writer's thread, what became of all entries that somebody sent.

    `published` gets each published tree with the places of the entries that it is the first to
    cover; `stopped` gets the reason when there will be no more.
    """

    published: Callable[[Published, Places], None]
    stopped: Callable[[UnavailableError], None]


class Pool:
    """What is between the sender and the public, keyed by leaf hash."""

    def __init__(self) -> None:
        self._entries: dict[bytes, bytes] = {}
        self._bytes = 0
        self._placed: dict[bytes, int] = {}
        self._waiting: dict[bytes, list[Future[int]]] = {}

    def __contains__(self, leaf: bytes) -> bool:
        return leaf in self._entries

    def check_room(self, entry: bytes) -> None:
        """Ensure that one more entry may be put in.

        Raises:
            UnavailableError: too many are waiting.
        """
        full = self._bytes + len(entry) > POOL_BYTES_MAX
        if full or len(self._entries) >= POOL_ENTRIES_MAX:
            raise UnavailableError("too many entries are waiting", hint="try again in a moment")

    def put(self, leaf: bytes, entry: bytes) -> None:
        """Put an entry in, behind all others."""
        self._entries[leaf] = entry
        self._bytes += len(entry)

    def entries(self) -> dict[bytes, bytes]:
        """All entries by leaf hash, in the order in which they came; they stay in."""
        return dict(self._entries)

    def place(self, places: Places) -> None:
        """Note that entries have their places, so are in the pool no more."""
        for leaf in places:
            self._bytes -= len(self._entries.pop(leaf, b""))
        self._placed |= places

    def wait(self, leaf: bytes) -> Future[int]:
        """A promise to be kept when the entry is published."""
        promise: Future[int] = Future()
        self._waiting.setdefault(leaf, []).append(promise)
        return promise

    def take_published(self, tree_size: int) -> tuple[Places, list[tuple[Future[int], int]]]:
        """What a tree of this size has published: all places, and the promises to keep."""
        found = {leaf: index for leaf, index in self._placed.items() if index < tree_size}
        kept = []
        for leaf, index in found.items():
            del self._placed[leaf]
            kept += [(promise, index) for promise in self._waiting.pop(leaf, ())]
        return found, kept

    def take_waiting(self) -> list[Future[int]]:
        """All promises that were not kept."""
        waiting, self._waiting = self._waiting, {}
        return [promise for promises in waiting.values() for promise in promises]
