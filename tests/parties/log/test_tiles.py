from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from safeconduct.errors import UnavailableError
from safeconduct.parties.log.config import LogFolder
from safeconduct.parties.log.tiles import (
    PUBLISHED_EDGES_KEPT,
    TileWriter,
    last_tiles,
    read_edge,
    read_tile,
    tile_reader,
    verify_edge,
)
from safeconduct.plumbing.durable import list_files
from safeconduct.protocol.tlog.merkle import Frontier, Tree, leaf_hashes, root
from safeconduct.protocol.tlog.tile import (
    ENTRIES,
    Tile,
    bundle_path,
    bundles_of,
    frame_entries,
    parse_bundle,
    tile_path,
    tiles_of,
)


def entries_from(start: int, count: int) -> list[bytes]:
    return [b"entry %d" % number for number in range(start, start + count)]


class Grown:
    """Tiles written below a folder, as the log's writer does."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        self.paths = LogFolder(path=folder)
        self.writer, self.frontier = TileWriter(self.paths), Frontier.empty()

    def add(self, *counts: int) -> Tree:
        """Add batches of these sizes."""
        for count in counts:
            batch = entries_from(self.frontier.size, count)
            self.frontier, rows = self.frontier.grow(leaf_hashes(batch))
            self.writer.extend(frame_entries(batch), rows)
        return self.frontier.tree()

    @property
    def names(self) -> list[str]:
        return list_files(self.paths.public)


def write(folder: Path, batches: list[int]) -> Tree:
    """Write a tree of these batch sizes."""
    return Grown(folder).add(*batches)


def check(folder: Path, tree: Tree) -> None:
    """All files that a reader of `tree` needs are there, and lead to its root hash."""
    folder = LogFolder(path=folder).public
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


def test_partial_tiles_go_when_a_wider_one_is_there(tmp_path: Path) -> None:
    grown = Grown(tmp_path)
    grown.add(100, 100)
    assert grown.names == ["tile/0/000.p/200", "tile/entries/000.p/200"]
    grown.add(56)
    assert grown.names == ["tile/0/000", "tile/1/000.p/1", "tile/entries/000"]


def test_partial_tiles_stay_for_readers_of_the_last_published_trees(tmp_path: Path) -> None:
    grown = Grown(tmp_path)
    for _ in range(PUBLISHED_EDGES_KEPT + 3):
        grown.writer.keep_published(grown.add(1).size)
    kept = range(3, PUBLISHED_EDGES_KEPT + 3)
    widths = {int(name.rpartition("/")[2]) for name in grown.names if "tile/0/" in name}
    assert widths == set(kept) | {PUBLISHED_EDGES_KEPT + 3}


def test_partial_tiles_that_a_restart_needs_stay_until_more_is_settled(tmp_path: Path) -> None:
    grown = Grown(tmp_path)
    grown.writer.keep_settling(grown.add(200).size)
    grown.add(100)
    assert "tile/0/000.p/200" in grown.names
    grown.writer.keep_settling(300)
    grown.add(1)
    grown.writer.settled(300)
    partial = [name for name in grown.names if "tile/0" in name and ".p/" in name]
    assert partial == ["tile/0/001.p/44", "tile/0/001.p/45"]


def test_a_width_that_was_removed_is_cut_from_a_wider_one(tmp_path: Path) -> None:
    grown = Grown(tmp_path)
    grown.add(3)
    read = {
        tile: read_tile(grown.paths.public, tile)
        for tile in (Tile(level=0, index=0, width=3), Tile(level=ENTRIES, index=0, width=3))
    }
    for more in (5, 300):
        grown.add(more)
        assert {tile: read_tile(grown.paths.public, tile) for tile in read} == read
    with pytest.raises(UnavailableError, match="neither it nor a wider one"):
        read_tile(grown.paths.public, Tile(level=0, index=7, width=3))


def test_lost_and_flipped_files_are_mended_and_right_ones_left_alone(tmp_path: Path) -> None:
    tree = write(tmp_path, [300])
    public = LogFolder(path=tmp_path).public
    lost, flipped, right = (
        public / f"tile/{name}" for name in ("0/000", "0/001.p/44", "1/000.p/1")
    )
    lost.unlink()
    flipped.write_bytes(bytes(44 * 32))
    before = right.stat().st_mtime_ns
    again = Grown(tmp_path)
    again.writer.mending = True
    assert again.add(300) == tree
    check(tmp_path, tree)
    assert right.stat().st_mtime_ns == before


@pytest.mark.parametrize("size", [1, 3, 255, 256, 257, 511, 512, 700, 65_536])
def test_a_writer_that_resumes_goes_on_where_another_ended(size: int, tmp_path: Path) -> None:
    tree = write(tmp_path, [size])
    verify_edge(LogFolder(path=tmp_path).public, tree)
    resumed = Grown(tmp_path)
    resumed.frontier = read_edge(resumed.paths.public, size)
    resumed.writer.resume(size)
    after = resumed.add(300)
    assert after == write(tmp_path / "once", [size, 300])
    check(tmp_path, after)


@pytest.mark.parametrize("size", [1, 100, 256, 300, 512, 65_536, 65_800])
def test_every_file_at_the_edge_is_looked_at_before_a_signature(
    size: int, tmp_path: Path
) -> None:
    tree = write(tmp_path, [size])
    public = LogFolder(path=tmp_path).public
    for tile in last_tiles(size):
        path = public / tile_path(tile)
        right = path.read_bytes()
        for wrong in (right[:-1] + bytes([right[-1] ^ 1]), right[:-1], b""):
            path.write_bytes(wrong)
            with pytest.raises(
                UnavailableError, match="do not lead to the signed root"
            ) as caught:
                verify_edge(public, tree)
            assert "log fsck" in caught.value.hint
        path.write_bytes(right)
    verify_edge(public, tree)
