"""Tiles, bundles and their paths."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.protocol.tlog.sample_log import entry, grown, reader

from safeconduct.errors import MalformedError, UnverifiedError
from safeconduct.protocol.tlog.merkle import (
    Frontier,
    Tree,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    root,
    verify_consistency,
    verify_inclusion,
)
from safeconduct.protocol.tlog.tile import (
    ENTRIES,
    ENTRY_BYTES_MAX,
    TILE_BYTES,
    Tile,
    bundle_path,
    bundles_of,
    format_bundle,
    hash_reader,
    new_bundles,
    new_tiles,
    parse_bundle,
    parse_tile,
    parse_tile_path,
    tile_path,
    tiles_of,
)

SIZE = 66_000
FRONTIER, STORED = grown(SIZE)


def tile_bytes(tile: Tile) -> bytes:
    first = tile.index * 256
    return b"".join(STORED[tile.level * 8, first + place] for place in range(tile.width))


PATHS = {
    "tile/0/000": Tile(level=0, index=0, width=256),
    "tile/0/x001/067.p/3": Tile(level=0, index=1067, width=3),
    "tile/3/x001/x234/067": Tile(level=3, index=1_234_067, width=256),
    "tile/1/999.p/255": Tile(level=1, index=999, width=255),
    "tile/7/000.p/1": Tile(level=7, index=0, width=1),
    "tile/entries/x273/000.p/112": Tile(level=ENTRIES, index=273_000, width=112),
}


@pytest.mark.parametrize(("path", "tile"), PATHS.items())
def test_a_path_names_its_tile_and_the_tile_its_path(path: str, tile: Tile) -> None:
    assert tile_path(tile) == path
    assert parse_tile_path(path) == tile


def test_a_bundle_has_the_path_of_a_tile_below_the_leaves() -> None:
    assert bundle_path(1067, 3) == "tile/entries/x001/067.p/3"
    assert bundle_path(5, 256) == "tile/entries/005"


MALFORMED_PATHS = {
    "nothing": "",
    "a leading slash": "/tile/0/000",
    "a trailing slash": "tile/0/000/",
    "a trailing newline": "tile/0/000\n",
    "going up": "tile/0/../000",
    "level with a leading zero": "tile/00/000",
    "level 64": "tile/64/000",
    "a level that no tree below 2^63 entries has": "tile/8/000.p/1",
    "negative level": "tile/-1/000",
    "another level name": "tile/data/000",
    "index of two digits": "tile/0/00",
    "index of four digits": "tile/0/1000",
    "a needless group of zeros": "tile/0/x000/001",
    "a group without its x": "tile/0/001/067",
    "the last group with an x": "tile/0/x001/x067",
    "an index beyond 2^63 entries": "tile/0/x999/x999/x999/x999/x999/x999/999",
    "an endless index": "tile/0/" + "x001/" * 1000 + "001",
    "width 0": "tile/0/000.p/0",
    "width with a leading zero": "tile/0/000.p/01",
    "width 256": "tile/0/000.p/256",
    "width 999": "tile/0/000.p/999",
    "no width": "tile/0/000.p/",
    "digits of another script": "tile/0/٠٠٠",
    "a plus": "tile/0/+00",
}


@pytest.mark.parametrize("path", MALFORMED_PATHS.values(), ids=MALFORMED_PATHS)
def test_a_malformed_path_is_refused(path: str) -> None:
    with pytest.raises(MalformedError):
        parse_tile_path(path)


@given(
    st.builds(
        Tile, level=st.integers(-1, 3), index=st.integers(0, 1 << 30), width=st.integers(1, 256)
    )
)
def test_every_tile_is_found_by_its_path(tile: Tile) -> None:
    assert parse_tile_path(tile_path(tile)) == tile


@given(st.text(alphabet="tile/entrsx0123456789.p", max_size=30))
def test_a_path_parses_in_one_spelling_or_not_at_all(path: str) -> None:
    try:
        tile = parse_tile_path(path)
    except MalformedError:
        return
    assert tile_path(tile) == path


def counts(tiles: list[Tile]) -> dict[tuple[int, int], int]:
    shapes = [(tile.level, tile.width) for tile in tiles]
    return {shape: shapes.count(shape) for shape in shapes}


def test_a_tree_of_70_000_has_the_tiles_of_the_standards_example() -> None:
    assert counts(tiles_of(70_000)) == {
        (0, 256): 273,
        (0, 112): 1,
        (1, 256): 1,
        (1, 17): 1,
        (2, 1): 1,
    }
    assert bundles_of(70_000)[-2:] == [(272, 256), (273, 112)]


def test_a_tree_of_256_has_a_full_tile_and_one_hash_above() -> None:
    assert tiles_of(256) == [Tile(level=0, index=0), Tile(level=1, index=0, width=1)]
    assert bundles_of(256) == [(0, 256)]


def test_an_empty_tree_has_no_files() -> None:
    assert tiles_of(0) == []
    assert bundles_of(0) == []


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 200_000), st.integers(0, 200_000))
def test_new_tiles_are_those_that_the_smaller_tree_lacks(one: int, other: int) -> None:
    old, new = sorted((one, other))
    before = set(tiles_of(old))
    assert new_tiles(old, new) == [tile for tile in tiles_of(new) if tile not in before]
    assert set(new_bundles(old, new)) == set(bundles_of(new)) - set(bundles_of(old))


def test_a_log_that_shrinks_has_no_new_tiles() -> None:
    with pytest.raises(ValueError, match="no tree grows"):
        new_tiles(5, 4)


@settings(max_examples=25, deadline=None)
@given(st.integers(1, SIZE), st.data())
def test_proofs_read_out_of_tiles_hold(size: int, data: st.DataObject) -> None:
    read = hash_reader(size, tile_bytes)
    tree = Tree(size=size, root_hash=root(size, read))
    assert tree.root_hash == root(size, reader(STORED))
    index = data.draw(st.integers(0, size - 1))
    proof = inclusion_proof(index, size, read)
    verify_inclusion(leaf_hash(entry(index)), index, proof, tree)
    old = Tree(size=index, root_hash=root(index, reader(STORED)))
    verify_consistency(old, tree, consistency_proof(index, size, read))


def test_every_hash_of_a_tree_is_read_from_its_tiles() -> None:
    stored = grown(600)[1]
    assert hash_reader(600, tile_bytes)(list(stored)) == list(stored.values())


def test_only_tiles_of_the_tree_are_fetched_and_each_once_a_batch() -> None:
    fetched: list[Tile] = []

    def fetch(tile: Tile) -> bytes:
        fetched.append(tile)
        return tile_bytes(tile)

    inclusion_proof(300, 65_700, hash_reader(65_700, fetch))
    assert len(fetched) == len(set(fetched))
    assert set(fetched) <= set(tiles_of(65_700))


def test_a_full_tile_may_stand_in_for_a_partial_one() -> None:
    def fetch(tile: Tile) -> bytes:
        return tile_bytes(Tile(level=tile.level, index=tile.index))

    assert root(100, hash_reader(100, fetch)) == root(100, reader(STORED))


def test_a_flipped_bit_in_a_tile_leads_away_from_the_root() -> None:
    def fetch(tile: Tile) -> bytes:
        data = bytearray(tile_bytes(tile))
        data[-1] ^= 1
        return bytes(data)

    read = hash_reader(1000, fetch)
    tree = Tree(size=1000, root_hash=root(1000, reader(STORED)))
    assert Frontier.read(1000, read).tree() != tree
    with pytest.raises(UnverifiedError):
        verify_inclusion(leaf_hash(entry(0)), 0, inclusion_proof(0, 1000, read), tree)


def test_a_tile_of_another_length_is_refused() -> None:
    for length in (0, 31, 32, 65, TILE_BYTES + 32):
        with pytest.raises(MalformedError):
            parse_tile(bytes(length), 2)
    with pytest.raises(MalformedError):
        root(2, hash_reader(2, lambda tile: b""))


def test_a_subtree_beyond_the_tree_is_a_mistake_of_ours() -> None:
    with pytest.raises(ValueError, match="no complete subtree"):
        hash_reader(3, tile_bytes)([(1, 1)])


MALFORMED_BUNDLES = {
    "nothing where an entry belongs": (b"", 1),
    "half a length": (b"\x00", 1),
    "an entry cut short": (b"\x00\x03ab", 1),
    "an entry fewer": (b"\x00\x01a", 2),
    "an entry more": (b"\x00\x01a\x00\x01b", 1),
    "a byte after the last entry": (b"\x00\x01a\x00", 1),
}


@pytest.mark.parametrize(("data", "width"), MALFORMED_BUNDLES.values(), ids=MALFORMED_BUNDLES)
def test_a_malformed_bundle_is_refused(data: bytes, width: int) -> None:
    with pytest.raises(MalformedError):
        parse_bundle(data, width)


@given(st.lists(st.binary(max_size=300), min_size=1, max_size=256))
def test_a_bundle_gives_its_entries_back(entries: list[bytes]) -> None:
    assert parse_bundle(format_bundle(entries), len(entries)) == entries


@given(st.binary(max_size=12), st.integers(1, 4))
def test_a_bundle_parses_in_one_spelling_or_not_at_all(data: bytes, width: int) -> None:
    try:
        entries = parse_bundle(data, width)
    except MalformedError:
        return
    assert len(entries) == width
    assert format_bundle(entries) == data


def test_a_bundle_of_wrong_measure_is_not_written() -> None:
    assert len(format_bundle([bytes(ENTRY_BYTES_MAX)])) == 2 + ENTRY_BYTES_MAX
    for entries in ([], [b""] * 257, [bytes(ENTRY_BYTES_MAX + 1)]):
        with pytest.raises(MalformedError):
            format_bundle(entries)
