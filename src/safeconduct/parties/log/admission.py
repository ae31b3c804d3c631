"""What a log admits: the Ledger bare hashes, the Gazette what continues its own story."""

from collections.abc import Callable
from typing import TypeAlias

from safeconduct.errors import MalformedError
from safeconduct.parties.log.config import GAZETTE, HASH_ENTRY_BYTES, LEDGER

Admit: TypeAlias = Callable[[bytes], None]
"""Takes the next entry in order, or raises the error that its sender is told."""


def admit_hash(entry: bytes) -> None:
    """Admit 32 bytes, which say nothing to anybody.

    Raises:
        MalformedError: any other length.
    """
    if len(entry) != HASH_ENTRY_BYTES:
        raise MalformedError(f"a Ledger entry is {HASH_ENTRY_BYTES} bytes, not {len(entry)}")


def gazette_gate() -> Admit:
    """A gate that admits an entry if it may follow all that it has admitted before."""
    # Imported here: a process that serves Ledgers alone loads none of the law's code.
    from safeconduct.protocol.gazette import GazetteState, fold

    state: GazetteState | None = None

    def admit(entry: bytes) -> None:
        nonlocal state
        state = fold(state, entry)

    return admit


GATES: dict[str, Callable[[], Admit]] = {LEDGER: lambda: admit_hash, GAZETTE: gazette_gate}
"""A fresh gate for each kind of log."""
