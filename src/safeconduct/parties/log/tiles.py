"""The public files of a tree: tiles of hashes and bundles of entries.

They hold nothing that the journal does not, so after a crash the function that wrote them
writes them again: what is missing or differs is replaced, what is right is left alone.

Spec: c2sp.org/tlog-tiles.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path

from safeconduct.errors import SafeconductError
from safeconduct.plumbing import durable
from safeconduct.protocol.tlog.merkle import ReadHashes, Subtree
from safeconduct.protocol.tlog.tile import (
    BUNDLE_BYTES_MAX,
    ENTRIES,
    TILE_BYTES,
    TILE_HEIGHT,
    TILE_WIDTH,
    Tile,
    format_bundle,
    hash_reader,
    tile_path,
)

_CACHED_TILES_MAX = 512  # 4 MiB of full tiles


class TileWriter:
    """The right edge of the tree in files: the row of each level that is not full yet."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._rows: dict[int, list[bytes]] = {}
        self._counts: dict[int, int] = {}

    def extend(self, entries: Sequence[bytes], filled: Mapping[Subtree, bytes]) -> None:
        """Take up a batch and the subtrees that it filled; writes all tiles it completed.

        The partial tiles follow with `write_edge`, once, after the last batch.

        Raises:
            UnavailableError: the disk refused.
        """
        self._take(ENTRIES, entries)
        for level in sorted({level for level, _ in filled}):
            if level % TILE_HEIGHT == 0:
                row = sorted(index for at, index in filled if at == level)
                self._take(level // TILE_HEIGHT, [filled[level, index] for index in row])

    def write_edge(self) -> None:
        """Write the partial tiles of the present tree.

        Raises:
            UnavailableError: the disk refused.
        """
        for level, row in self._rows.items():
            if row:
                self._write(Tile(level=level, index=self._counts[level], width=len(row)), row)

    def _take(self, level: int, items: Sequence[bytes]) -> None:
        row = self._rows.setdefault(level, [])
        self._counts.setdefault(level, 0)
        row.extend(items)
        while len(row) >= TILE_WIDTH:
            tile = Tile(level=level, index=self._counts[level], width=TILE_WIDTH)
            self._write(tile, row[:TILE_WIDTH])
            self._remove_partials(tile)
            del row[:TILE_WIDTH]
            self._counts[level] += 1

    def _write(self, tile: Tile, row: Sequence[bytes]) -> None:
        path = self._folder / tile_path(tile)
        data = format_bundle(row) if tile.level == ENTRIES else b"".join(row)
        if not _holds(path, data):
            durable.make_folder(path.parent)
            durable.write_file(path, data)

    def _remove_partials(self, full: Tile) -> None:
        """Readers fall back to the full tile, and partial ones would soon fill the disk."""
        durable.remove_folder(self._folder / (tile_path(full) + ".p"))


def tile_reader(folder: Path, tree_size: int) -> ReadHashes:
    """A reader of the stored hashes of a tree of which all tiles were written."""
    return hash_reader(tree_size, lambda tile: _read_tile(folder, tile))


@lru_cache(maxsize=_CACHED_TILES_MAX)
def _read_tile(folder: Path, tile: Tile) -> bytes:
    """A tile never changes; a partial one that is gone is the beginning of the full one."""
    partial, full = folder / tile_path(tile), Tile(level=tile.level, index=tile.index)
    path = partial if partial.exists() else folder / tile_path(full)
    return durable.read_file(path, bytes_max=TILE_BYTES)


def _holds(path: Path, data: bytes) -> bool:
    try:
        return durable.read_file(path, bytes_max=BUNDLE_BYTES_MAX) == data
    except SafeconductError:
        return False
