"""Copy the door's shelf: all capsules of everybody, so that words find theirs without the door.

What lies in a capsule nobody but its owner can tell, so only sizes are checked, and nothing is
ever taken away: a door that drops a capsule, or fills its shelf with junk, hides none.
"""

from collections.abc import Iterable, Iterator

from safeconduct.errors import MalformedError
from safeconduct.parties.mirror.store import SHELF_BYTES_MAX, Shelf
from safeconduct.plumbing import fetch
from safeconduct.protocol.capsule import SHELF_ENTRY_BYTES


def copy_shelf(shelf: Shelf, door: str) -> None:
    """Keep every capsule that the door shows now, as they come.

    Raises:
        MalformedError: not a whole number of capsules, or more than a shelf may hold; all whole
            pages that came before are kept.
        UnavailableError: the door is away, the copy is full, or (with `told`) the disk refused.
    """
    shelf.add(_entries(fetch.pieces(f"{door}/capsules", bytes_max=SHELF_BYTES_MAX)))


def _entries(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The shelf's entries as they come; one at most, and a piece, are in memory."""
    held = bytearray()
    for piece in pieces:
        held += piece
        whole = len(held) - len(held) % SHELF_ENTRY_BYTES
        for start in range(0, whole, SHELF_ENTRY_BYTES):
            yield bytes(held[start : start + SHELF_ENTRY_BYTES])
        del held[:whole]
    if held:
        raise MalformedError("shelf: not a whole number of capsules")
