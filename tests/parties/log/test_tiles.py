from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from safeconduct.parties.log.tiles import TileWriter, tile_reader
from safeconduct.plumbing.durable import list_files
from safeconduct.protocol.tlog.merkle import Frontier, Tree, leaf_hash, root
from safeconduct.protocol.tlog.tile import (
    bundle_path,
    bundles_of,
    parse_bundle,
    tile_path,
    tiles_of,
)


def entries_from(start: int, count: int) -> list[bytes]:
    return [b"entry %d" % number for number in range(start, start + count)]


def write(folder: Path, batches: list[int]) -> Tree:
    """Write a tree of these batch sizes, as the log's writer does."""
    writer, frontier = TileWriter(folder), Frontier.empty()
    for count in batches:
        batch = entries_from(frontier.size, count)
        frontier, filled = frontier.extend([leaf_hash(entry) for entry in batch])
        writer.extend(batch, filled)
        writer.write_edge()
    return frontier.tree()


def check(folder: Path, tree: Tree) -> None:
    """All files that a reader of `tree` needs are there, and lead to its root hash."""
    there = set(list_files(folder))
    assert {tile_path(tile) for tile in tiles_of(tree.size)} <= there
    read: list[bytes] = []
    for index, width in bundles_of(tree.size):
        read += parse_bundle((folder / bundle_path(index, width)).read_bytes(), width)
    assert read == entries_from(0, tree.size)
    assert root(tree.size, tile_reader(folder, tree.size)) == tree.root_hash


@pytest.mark.parametrize(
    "batches", [[1], [255, 1], [256], [257], [1, 2, 3], [600, 1], [300] * 3]
)
def test_the_files_of_a_tree_are_complete(batches: list[int], tmp_path: Path) -> None:
    check(tmp_path, write(tmp_path, batches))


@settings(max_examples=10, deadline=None)
@given(batches=st.lists(st.integers(1, 300), min_size=1, max_size=4))
def test_any_batches_make_the_same_full_tiles(
    batches: list[int], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder, once = tmp_path_factory.mktemp("tiles"), tmp_path_factory.mktemp("once")
    tree = write(folder, batches)
    check(folder, tree)
    assert write(once, [sum(batches)]) == tree
    for name in list_files(once):
        assert (folder / name).read_bytes() == (once / name).read_bytes()


def test_partial_tiles_go_when_the_full_one_is_there(tmp_path: Path) -> None:
    write(tmp_path, [100, 100, 56])
    assert [name for name in list_files(tmp_path) if "/000.p/" in name] == ["tile/1/000.p/1"]


def test_lost_and_flipped_files_are_mended_and_right_ones_left_alone(tmp_path: Path) -> None:
    tree = write(tmp_path, [300])
    lost, flipped, right = (
        tmp_path / f"tile/{name}" for name in ("0/000", "0/001.p/44", "1/000.p/1")
    )
    lost.unlink()
    flipped.write_bytes(bytes(44 * 32))
    before = right.stat().st_mtime_ns
    assert write(tmp_path, [300]) == tree
    check(tmp_path, tree)
    assert right.stat().st_mtime_ns == before
