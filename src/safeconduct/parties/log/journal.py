"""The journal: every entry in order, in one file that is only ever appended to.

One batch is one frame:

    u32 big-endian payload length ‖ chain (32 bytes) ‖ payload
    payload = for each entry: u16 big-endian length ‖ entry
    chain   = SHA-256( chain of the frame before, or 32 zero bytes ‖ payload )

The chain finds torn, flipped and swapped frames. A frame that does not hold can only be the
last one, torn by a crash before anything rested on it; whether that is so is for the caller to
judge, who knows how many entries have been signed.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from safeconduct.errors import MalformedError
from safeconduct.plumbing import durable
from safeconduct.protocol.tlog.tile import ENTRY_BYTES_MAX

_CHAIN_BYTES = 32
_HEAD_BYTES = 4 + _CHAIN_BYTES
PAYLOAD_BYTES_MAX = 1 << 28
_FIRST_CHAIN = bytes(_CHAIN_BYTES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """One batch as it was read back; `end_bytes` is where it ends in the file."""

    entries: list[bytes]
    chain: bytes
    end_bytes: int


class Journal:
    """The open journal of the log's one writer."""

    def __init__(self, file: BinaryIO, chain: bytes) -> None:
        self._file = file
        self._chain = chain

    def append(self, entries: Sequence[bytes]) -> None:
        """Add one batch; it is on the medium when this returns.

        Raises:
            UnavailableError: the disk refused; the journal must be reopened before use.
        """
        payload = _join(entries)
        chain = _next_chain(self._chain, payload)
        durable.append_synced(self._file, len(payload).to_bytes(4, "big") + chain + payload)
        self._chain = chain

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def open_journal(path: Path, last: Frame | None) -> Journal:
    """The journal at `path`, cut to the end of its `last` good frame and ready to append."""
    file = durable.open_appending(path)
    end_bytes = last.end_bytes if last is not None else 0
    if path.stat().st_size > end_bytes:
        durable.cut_file(path, end_bytes)
    return Journal(file, last.chain if last is not None else _FIRST_CHAIN)


def read_frames(path: Path) -> Iterator[Frame]:
    """All good frames from the beginning; stops before the first one that does not hold."""
    if not path.exists():
        return
    chain, end_bytes = _FIRST_CHAIN, 0
    with path.open("rb") as file:
        while (payload := _read_payload(file, chain)) is not None:
            chain = _next_chain(chain, payload)
            end_bytes += _HEAD_BYTES + len(payload)
            yield Frame(entries=_split(payload), chain=chain, end_bytes=end_bytes)


def _read_payload(file: BinaryIO, chain: bytes) -> bytes | None:
    """The next payload, or nothing at the end of the file or of its good part."""
    head = file.read(_HEAD_BYTES)
    length = int.from_bytes(head[:4], "big")
    if len(head) < _HEAD_BYTES or length > PAYLOAD_BYTES_MAX:
        return None
    payload = file.read(length)
    holds = len(payload) == length and head[4:] == _next_chain(chain, payload)
    return payload if holds else None


def _next_chain(chain: bytes, payload: bytes) -> bytes:
    return hashlib.sha256(chain + payload).digest()


def _join(entries: Sequence[bytes]) -> bytes:
    assert all(len(entry) <= ENTRY_BYTES_MAX for entry in entries)
    return b"".join(len(entry).to_bytes(2, "big") + entry for entry in entries)


def _split(payload: bytes) -> list[bytes]:
    entries, place = list[bytes](), 0
    while place < len(payload):
        start = place + 2
        place = start + int.from_bytes(payload[place:start], "big")
        entries.append(payload[start:place])
    if place != len(payload):
        raise MalformedError("journal: a frame's checksum holds, but its entries do not")
    return entries
