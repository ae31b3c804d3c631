"""Publications that are due, each a file for the board to sign."""

from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

from safeconduct.plumbing import terminal
from safeconduct.plumbing.durable import make_folder, write_file
from safeconduct.protocol.record import Record, format_record


class Finalise(Protocol):
    """Drafts one publication if it is due; `ahead` is how many others go before it."""

    def __call__(self, *, ahead: int) -> Record | None:
        """The draft, or None."""


def write_due(folder: Path, cases: Iterable[tuple[str, Finalise]]) -> None:
    """Write what is due of `cases` to `folder`, each by its name, and tell where each lies.

    Raises:
        SafeconductError: as the case that is drafted; what was written before stays.
    """
    make_folder(folder)
    drafted = 0
    for name, finalise in cases:
        record = finalise(ahead=drafted)
        if record is None:
            continue
        drafted += 1
        path = folder / f"{name}.record"
        write_file(path, format_record(record))
        terminal.say(str(path))
    if not drafted:
        terminal.note("no publication is due")
