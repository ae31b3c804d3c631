"""A parcel: one sealed contribution in one file, for a browser to hand in.

    "safeconduct envelope v1" LF
    u32 length ‖ contribution record        what is dated; at most 8,192 bytes
    u32 length ‖ age header                 one stanza to the desk; at most 4,096 bytes
    slot, 16 bytes ‖ capsule, 8,192 bytes   what words bring back, and where it is shelved
    payload                                 as many bytes as the record says, to the end

Nothing in it is secret to the desk, none of it holds words, and nobody else can open it. What
is before the payload is small, so a door has the record dated while the payload comes in.

Spec: docs/3-protocol.md §13.
"""

from dataclasses import dataclass, field

from safeconduct.errors import MalformedError
from safeconduct.protocol.canonical import length_prefixed
from safeconduct.protocol.capsule import CAPSULE_BYTES
from safeconduct.protocol.envelope import HEADER_BYTES_MAX, check_contribution, check_header
from safeconduct.protocol.keys import SLOT_BYTES
from safeconduct.protocol.record import parse_record

MAGIC = b"safeconduct envelope v1\n"
RECORD_BYTES_MAX = 8_192
LENGTH_BYTES = 4
HEAD_BYTES_MAX = (
    len(MAGIC)
    + 2 * LENGTH_BYTES
    + RECORD_BYTES_MAX
    + HEADER_BYTES_MAX
    + SLOT_BYTES
    + CAPSULE_BYTES
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ParcelHead:
    """All of a parcel but its payload, whose size in bytes the record says."""

    record: bytes
    header: bytes
    slot: bytes
    capsule: bytes = field(repr=False)

    @property
    def payload_bytes(self) -> int:
        """How many bytes follow."""
        return parse_record(self.record, "contribution").number("size")


def format_head(head: ParcelHead) -> bytes:
    """The bytes before the payload."""
    parts = (length_prefixed(head.record), length_prefixed(head.header))
    return b"".join((MAGIC, *parts, head.slot, head.capsule))


def parse_head(data: bytes) -> tuple[ParcelHead, int] | None:
    """The head at the beginning of `data`, and where the payload begins; None if it goes on.

    Raises:
        MalformedError: this is not, or will never be, a parcel; or its record or header is not
            one of a contribution.
    """
    if not data.startswith(MAGIC[: len(data)]):
        raise MalformedError("not a sealed envelope of this kind")
    record, place = _field(data, len(MAGIC), RECORD_BYTES_MAX, "record")
    header, place = _field(data, place, HEADER_BYTES_MAX, "header")
    end = place + SLOT_BYTES + CAPSULE_BYTES
    if record is None or header is None or len(data) < end:
        return None
    parsed = parse_record(record, "contribution")
    check_contribution(parsed)
    check_header(header, parsed)
    middle = place + SLOT_BYTES
    head = ParcelHead(
        record=record, header=header, slot=data[place:middle], capsule=data[middle:end]
    )
    return head, end


def _field(data: bytes, place: int, bytes_max: int, what: str) -> tuple[bytes | None, int]:
    """A length-prefixed field and where it ends; None if it is not all there."""
    start = place + LENGTH_BYTES
    if len(data) < start:
        return None, len(data)
    length = int.from_bytes(data[place:start], "big")
    if not 0 < length <= bytes_max:
        raise MalformedError(f"sealed envelope: the {what} is not of 1 to {bytes_max} bytes")
    end = start + length
    return (data[start:end], end) if len(data) >= end else (None, len(data))
