"""The payload: nothing but a true prefix is ever released."""

import tracemalloc
from collections.abc import Iterable, Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.protocol.age.chance import dice, in_pieces

from safeconduct.errors import MalformedError
from safeconduct.protocol import age
from safeconduct.protocol.age.failures import PayloadError
from safeconduct.protocol.age.pieces import cut, mark_last, split_at
from safeconduct.protocol.age.stream import CHUNK_BYTES, SEALED_CHUNK_BYTES, content_bytes

FILE_KEY = b"YELLOW SUBMARINE"
NONCE = bytes(range(16))
SIZES = st.integers(0, 300) | st.builds(
    lambda chunks, more: chunks * CHUNK_BYTES + more, st.integers(1, 3), st.integers(-1, 1)
)


CUTS = st.lists(
    st.integers(0, 70)
    | st.integers(CHUNK_BYTES - 20, CHUNK_BYTES + 20)
    | st.integers(0, 200_000),
    max_size=8,
)
"""Lengths of pieces, some empty, some about a chunk, in any order."""


def content(size: int) -> bytes:
    return dice(b"content")(size)


def sealed(plain: bytes) -> bytes:
    return b"".join(age.seal_stream(FILE_KEY, NONCE, [plain]))


def released_before_failure(payload: Iterable[bytes]) -> bytes:
    released = bytearray()
    try:
        for piece in age.open_stream(FILE_KEY, payload):
            released += piece
    except (PayloadError, MalformedError):
        return bytes(released)
    raise AssertionError("a bad payload was read to its end")


@given(SIZES, st.integers(900, 300_000), st.integers(900, 300_000))
def test_content_survives_however_it_is_cut(size: int, into: int, out_of: int) -> None:
    plain = content(size)

    payload = b"".join(age.seal_stream(FILE_KEY, NONCE, in_pieces(plain, into)))

    assert payload == sealed(plain)
    assert len(payload) == age.sealed_bytes(size)
    assert b"".join(age.open_stream(FILE_KEY, in_pieces(payload, out_of))) == plain


def in_cuts(data: bytes, cuts: list[int]) -> Iterator[bytes]:
    """`data` in pieces of these lengths, and what is left."""
    for length in cuts:
        yield data[:length]
        data = data[length:]
    yield data


@settings(max_examples=60)
@given(SIZES, CUTS, CUTS)
def test_content_survives_pieces_of_many_sizes(
    size: int, into: list[int], out_of: list[int]
) -> None:
    plain = content(size)

    payload = b"".join(age.seal_stream(FILE_KEY, NONCE, in_cuts(plain, into)))

    assert payload == sealed(plain)
    assert b"".join(age.open_stream(FILE_KEY, in_cuts(payload, out_of))) == plain


@given(st.integers(0, 1 << 40))
def test_a_payloads_size_tells_its_contents_size(size: int) -> None:
    assert content_bytes(age.sealed_bytes(size)) == size


def test_what_lies_whole_within_a_piece_is_not_copied() -> None:
    whole = bytes(3 * CHUNK_BYTES + 1)

    pieces = list(cut([whole], CHUNK_BYTES))

    assert [isinstance(piece, memoryview) and piece.obj is whole for piece in pieces] == [
        *[True] * 3,
        False,
    ]


def test_a_payload_is_sealed_and_opened_in_constant_memory() -> None:
    def blocks() -> Iterator[bytes]:
        for _ in range(64):
            yield bytes(1 << 20)

    tracemalloc.start()
    try:
        payload = age.seal_stream(FILE_KEY, NONCE, blocks())
        total = sum(len(piece) for piece in age.open_stream(FILE_KEY, payload))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert total == 64 << 20
    assert peak < 4 << 20


@given(SIZES, st.data())
def test_a_cut_payload_is_refused_and_releases_a_prefix(size: int, data: st.DataObject) -> None:
    plain = content(size)
    payload = sealed(plain)
    length = data.draw(st.integers(0, len(payload) - 1))

    assert plain.startswith(released_before_failure([payload[:length]]))


@given(SIZES, st.data())
def test_a_flipped_bit_is_refused_and_releases_a_prefix(size: int, data: st.DataObject) -> None:
    plain = content(size)
    payload = bytearray(sealed(plain))
    bit = data.draw(st.integers(0, 8 * len(payload) - 1))
    payload[bit // 8] ^= 1 << bit % 8

    released = released_before_failure([bytes(payload)])

    assert plain.startswith(released)
    assert len(released) < len(plain) or not plain


@given(SIZES, st.binary(min_size=1, max_size=40))
def test_bytes_after_the_last_chunk_are_refused(size: int, more: bytes) -> None:
    plain = content(size)

    assert plain.startswith(released_before_failure([sealed(plain), more]))


def test_chunks_cannot_change_places() -> None:
    plain = content(3 * CHUNK_BYTES)
    payload = sealed(plain)
    nonce, rest = payload[:16], payload[16:]
    first, second, third = in_pieces(rest, SEALED_CHUNK_BYTES)

    assert released_before_failure([nonce, second, first, third]) == b""
    assert released_before_failure([nonce, first, third]) == plain[:CHUNK_BYTES]


def test_another_file_key_opens_nothing() -> None:
    with pytest.raises(PayloadError):
        list(age.open_stream(b"another key, 16B", [sealed(b"tip")]))


def test_content_is_released_while_more_is_still_to_come() -> None:
    def endless() -> Iterator[bytes]:
        while True:
            yield bytes(CHUNK_BYTES)

    payload = age.seal_stream(FILE_KEY, NONCE, endless())

    assert next(age.open_stream(FILE_KEY, payload)) == bytes(CHUNK_BYTES)


@given(st.lists(st.binary(max_size=9)), st.integers(1, 7))
def test_cutting_keeps_every_byte_in_full_pieces(chunks: list[bytes], size: int) -> None:
    pieces = list(cut(chunks, size))
    head, tail = split_at(chunks, size)

    assert b"".join(pieces) == b"".join(chunks) == head + b"".join(tail)
    assert all(len(piece) == size for piece in pieces[:-1])
    assert pieces == [] or 0 < len(pieces[-1]) <= size
    assert [last for _, last in mark_last(pieces)] == [False] * (len(pieces) - 1) + [True]
