"""Random bytes that a test can repeat, and streams cut in pieces."""

import hashlib
from collections.abc import Callable, Iterator


def dice(seed: bytes = b"") -> Callable[[int], bytes]:
    """A `random_bytes` that never repeats itself and that draws alike for equal seeds."""
    drawn = 0

    def draw(length: int) -> bytes:
        nonlocal drawn
        drawn += 1
        return hashlib.shake_256(seed + drawn.to_bytes(8, "big")).digest(length)

    return draw


def in_pieces(data: bytes, size: int) -> Iterator[bytes]:
    """`data` in pieces of `size` bytes."""
    return (data[start : start + size] for start in range(0, len(data), size))
