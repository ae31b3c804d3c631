"""Byte streams cut to measure, so that nothing depends on how a network or disk cut them."""

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import TypeAlias

Piece: TypeAlias = bytes | memoryview
"""Bytes, or a window on bytes that were handed in: valid as long as nobody changes those."""


def cut(chunks: Iterable[Piece], size: int) -> Iterator[Piece]:
    """Pieces of exactly `size` bytes; the last may be shorter, and is never empty.

    What lies whole within one input chunk is not copied. Holds `size` bytes and one chunk.
    """
    held = bytearray()
    for chunk in chunks:
        view, start = memoryview(chunk), 0
        if held:
            start = size - len(held)
            held += view[:start]
            if len(held) < size:
                continue
            yield bytes(held)
            held.clear()
        whole = start + (len(view) - start) // size * size
        for place in range(start, whole, size):
            yield view[place : place + size]
        held += view[whole:]
    if held:
        yield bytes(held)


def split_at(chunks: Iterable[bytes], size: int) -> tuple[bytes, Iterator[bytes]]:
    """The first `size` bytes (fewer if the stream ends before), and all that follow them."""
    source = iter(chunks)
    head = bytearray()
    while len(head) < size and (chunk := next(source, None)) is not None:
        head += chunk
    return bytes(head[:size]), chain([bytes(head[size:])], source)


def mark_last(pieces: Iterable[Piece]) -> Iterator[tuple[Piece, bool]]:
    """Each piece with whether it is the last; no pieces at all count as one empty piece."""
    source = iter(pieces)
    held = next(source, b"")
    for piece in source:
        yield held, False
        held = piece
    yield held, True
