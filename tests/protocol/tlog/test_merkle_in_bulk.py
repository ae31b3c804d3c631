"""What the writer uses for many entries at once gives what the plain functions give."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from safeconduct.errors import MalformedError
from safeconduct.protocol.tlog.merkle import (
    Frontier,
    Subtree,
    inclusion_proof,
    inclusion_proofs,
    leaf_hash,
    leaf_hashes,
    node_hash,
    parents,
)
from safeconduct.protocol.tlog.tile import (
    ENTRY_BYTES_MAX,
    Tile,
    format_bundle,
    frame_entries,
    hash_reader,
    tile_path,
)

ENTRIES = [b"entry %d" % number for number in range(800)]


def test_hashes_of_many_are_the_hashes_of_each() -> None:
    assert leaf_hashes(ENTRIES) == [leaf_hash(entry) for entry in ENTRIES]
    row = leaf_hashes(ENTRIES)
    assert parents(row) == [node_hash(row[i], row[i + 1]) for i in range(0, len(row), 2)]
    with pytest.raises(ValueError, match="zip"):
        parents(row[:3])


@settings(max_examples=60, deadline=None)
@given(counts=st.lists(st.integers(0, 70), max_size=6))
def test_rows_hold_what_a_tree_has_filled_and_where(counts: list[int]) -> None:
    grown = Frontier.empty()
    for count in counts:
        batch = leaf_hashes(ENTRIES[grown.size : grown.size + count])
        extended, filled = grown.extend(batch)
        first, (grown, rows) = grown.size, grown.grow(batch)
        assert grown == extended
        placed: dict[Subtree, bytes] = {}
        for level, row in enumerate(rows):
            placed |= {(level, (first >> level) + i): each for i, each in enumerate(row)}
        assert placed == filled


@settings(max_examples=40, deadline=None)
@given(size=st.integers(1, 800), indexes=st.lists(st.integers(0, 799), max_size=20))
def test_proofs_in_one_pass_are_the_proofs_one_by_one(size: int, indexes: list[int]) -> None:
    _, filled = Frontier.empty().extend(leaf_hashes(ENTRIES[:size]))
    asked: list[int] = []

    def read(subtrees: object) -> list[bytes]:
        assert isinstance(subtrees, list)
        asked.append(len(subtrees))
        return [filled[subtree] for subtree in subtrees]

    within = [index % size for index in indexes]
    proofs = inclusion_proofs(within, size, read)
    assert len(asked) == 1, "one batch for all"
    assert proofs == [inclusion_proof(index, size, read) for index in within]


def test_a_tile_is_fetched_once_for_all_proofs() -> None:
    _, filled = Frontier.empty().extend(leaf_hashes(ENTRIES))
    fetched: list[str] = []

    def fetch(tile: Tile) -> bytes:
        fetched.append(tile_path(tile))
        first = tile.index * 256
        return b"".join(filled[tile.level * 8, first + i] for i in range(tile.width))

    inclusion_proofs(range(500, 800), 800, hash_reader(800, fetch))
    assert len(fetched) == len(set(fetched)) <= 5


def test_framed_entries_make_the_bundle() -> None:
    assert b"".join(frame_entries(ENTRIES[:256])) == format_bundle(ENTRIES[:256])
    with pytest.raises(MalformedError, match="longer than"):
        frame_entries([bytes(ENTRY_BYTES_MAX + 1)])
