"""Byte streams cut to measure, so that nothing depends on how a network or disk cut them."""

from collections.abc import Iterable, Iterator
from itertools import chain


def cut(chunks: Iterable[bytes], size: int) -> Iterator[bytes]:
    """Pieces of exactly `size` bytes; the last may be shorter, and is never empty.

    Holds `size` bytes and one input chunk at a time.
    """
    buffer = bytearray()
    for chunk in chunks:
        buffer += chunk
        while len(buffer) >= size:
            yield bytes(buffer[:size])
            del buffer[:size]
    if buffer:
        yield bytes(buffer)


def split_at(chunks: Iterable[bytes], size: int) -> tuple[bytes, Iterator[bytes]]:
    """The first `size` bytes (fewer if the stream ends before), and all that follow them."""
    source = iter(chunks)
    head = bytearray()
    while len(head) < size and (chunk := next(source, None)) is not None:
        head += chunk
    return bytes(head[:size]), chain([bytes(head[size:])], source)


def mark_last(pieces: Iterable[bytes]) -> Iterator[tuple[bytes, bool]]:
    """Each piece with whether it is the last; no pieces at all count as one empty piece."""
    source = iter(pieces)
    held = next(source, b"")
    for piece in source:
        yield held, False
        held = piece
    yield held, True
