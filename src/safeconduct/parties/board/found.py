"""Found a programme: its first record names the board, and all members sign it.

Spec: docs/3-protocol.md §8.1.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from safeconduct.errors import MalformedError
from safeconduct.protocol.gazette import GazetteState
from safeconduct.protocol.keys import programme_hash
from safeconduct.protocol.record import NO_HASH, Record, make_record
from safeconduct.protocol.tlog.note import VerifierKey

DELIVERY_WINDOW_SECONDS = 72 * 3600
LEDGER_PAD = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Founding:
    """What a body settles once: names, keys, and how many of the board must sign."""

    name: str
    founded: int
    gazette_origin: str
    ledger_origin: str
    server: VerifierKey
    registry: VerifierKey
    members: Sequence[VerifierKey]
    threshold: int
    delivery_window_seconds: int = DELIVERY_WINDOW_SECONDS
    ledger_pad: int = LEDGER_PAD


def founding_record(founding: Founding) -> Record:
    """Entry 0 of the Gazette, to be signed by every member.

    Raises:
        MalformedError: a name or a key is not what its field allows.
    """
    if not founding.name.isascii():
        raise MalformedError("a programme's name is of ASCII characters")
    return make_record(
        "programme",
        programme=programme_hash(founding.name),
        name=founding.name,
        founded=founding.founded,
        gazette=founding.gazette_origin,
        ledger=founding.ledger_origin,
        delivery_window=founding.delivery_window_seconds,
        ledger_pad=founding.ledger_pad,
        server=founding.server,
        registry=founding.registry,
        threshold=founding.threshold,
        members=tuple(founding.members),
    )


def statute_record(state: GazetteState, law: bytes) -> Record:
    """The next version of the statute, as a record for the board to sign."""
    return make_record(
        "statute",
        programme=state.programme_hash,
        number=len(state.statutes) + 1,
        previous=state.statutes[-1].sha256 if state.statutes else NO_HASH,
        law=law,
    )
