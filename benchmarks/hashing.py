"""SHA-256 alone: the calls that a tree cannot do without, and the same bytes in one call."""

from collections.abc import Sequence
from hashlib import sha256


def leaf_calls(batch: Sequence[bytes]) -> list[bytes]:
    """One call for each leaf."""
    return [sha256(b"\0" + entry).digest() for entry in batch]


def tree_calls(batch: Sequence[bytes]) -> bytes:
    """One call for each leaf, and one for each node above them."""
    row = leaf_calls(batch)
    while len(row) > 1:
        row += row[-1:] if len(row) & 1 else []
        row = [
            sha256(b"\1" + left + right).digest()
            for left, right in zip(row[::2], row[1::2], strict=True)
        ]
    return row[0]


def bulk_call(batch: Sequence[bytes]) -> bytes:
    """One call for all bytes; joining them is no part of it where one entry is given."""
    return sha256(batch[0] if len(batch) == 1 else b"".join(batch)).digest()
