"""Space: whether there is enough of it to promise anything to those who send entries."""

from pathlib import Path

from safeconduct.errors import UnavailableError
from safeconduct.parties.log import journal
from safeconduct.plumbing import durable

RESERVE_BYTES = 64 << 20


def find_fullness(folder: Path, reserve_bytes: int) -> UnavailableError | None:
    """What to tell those who send entries if the disk of `folder` is nearly full, else None.

    Kept back are `reserve_bytes`, for tiles and the lock store, and a segment of the journal.

    Raises:
        UnavailableError: the disk does not say.
    """
    if durable.free_bytes(folder) >= reserve_bytes + journal.SEGMENT_BYTES:
        return None
    return UnavailableError(
        "disk nearly full: the log takes no entries until there is space",
        hint="nothing is lost: send the same entry again later",
    )
