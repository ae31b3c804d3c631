"""Copy the door's shelf: all capsules of everybody, so that words find theirs without the door.

What lies in a capsule nobody but its owner can tell, so only sizes are checked, and nothing is
ever taken away: a door that drops a capsule, or fills its shelf with junk, hides none.
"""

from collections.abc import Iterator

from safeconduct.errors import MalformedError
from safeconduct.parties.mirror.store import SHELF_BYTES_MAX, Shelf
from safeconduct.plumbing import fetch
from safeconduct.protocol.capsule import SHELF_ENTRY_BYTES


def copy_shelf(shelf: Shelf, door: str) -> None:
    """Keep every capsule that the door shows now.

    Raises:
        MalformedError: not a whole number of capsules, or more than a shelf may hold.
        UnavailableError: the door is away, the copy is full, or (with `told`) the disk refused.
    """
    shelf.add(_entries(fetch.get(f"{door}/capsules", bytes_max=SHELF_BYTES_MAX)))


def _entries(data: bytes) -> Iterator[bytes]:
    if len(data) % SHELF_ENTRY_BYTES:
        raise MalformedError("shelf: not a whole number of capsules")
    for start in range(0, len(data), SHELF_ENTRY_BYTES):
        yield data[start : start + SHELF_ENTRY_BYTES]
