"""Tiles that have led to a signed root hash, whoever kept them: the disk, or a mirror.

A tree's partial tiles fold to its root hash. The hash of every full tile is in the tile above
it. So from the root downwards each file is proven by itself, wherever one starts, and a file
that does not hold is told from its neighbours.

Spec: c2sp.org/tlog-tiles.
"""

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

from safeconduct.errors import UnverifiedError
from safeconduct.parties.log.tiles import partial_edge, read_tile
from safeconduct.plumbing import durable
from safeconduct.protocol.tlog.merkle import Frontier, ReadHashes, Tree, parents
from safeconduct.protocol.tlog.tile import (
    BUNDLE_BYTES_MAX,
    ENTRIES,
    TILE_HEIGHT,
    TILE_WIDTH,
    Tile,
    hash_reader,
    parse_tile,
    tile_path,
)

Fetch = Callable[[Tile], bytes]
"""The bytes of a tile, not verified; of a partial one, perhaps the full tile's."""
_CACHED_ROWS_MAX = 64  # some 1 MiB


class ProvenTiles:
    """The tiles of hashes of one signed tree, each believed once it has led to the root."""

    def __init__(self, tree: Tree, fetch: Fetch) -> None:
        """Read the partial tiles and lead them to the root.

        Raises:
            UnverifiedError: they lead to another one.
            SafeconductError: one of them cannot be read.
        """
        self._tree, self._fetch = tree, fetch
        self._edge = {
            tile.level: parse_tile(fetch(tile), tile.width)
            for tile in partial_edge(tree.size)
            if tile.level != ENTRIES
        }
        # The right edge of a tree is in its partial tiles alone.
        found = Frontier.read(
            tree.size, hash_reader(tree.size, lambda tile: b"".join(self._edge[tile.level]))
        )
        if found.tree() != tree:
            raise UnverifiedError("the tiles at the right edge do not lead to the signed root")
        self._full = lru_cache(maxsize=_CACHED_ROWS_MAX)(self._prove_full)

    def row(self, level: int, index: int) -> list[bytes]:
        """The hashes of a tile, 256 or as many as the tree has there.

        Raises:
            UnverifiedError: it, or one above it, does not lead to the root.
            SafeconductError: one of them cannot be read.
        """
        count = self._tree.size >> TILE_HEIGHT * level
        full = (index + 1) * TILE_WIDTH <= count
        return self._full(level, index) if full else self._edge[level]

    def hashes(self) -> ReadHashes:
        """A reader of the stored hashes, all of them proven."""
        return hash_reader(
            self._tree.size, lambda tile: b"".join(self.row(tile.level, tile.index))
        )

    def edge(self) -> Frontier:
        """The right edge, from which the tree grows on."""
        return Frontier.read(self._tree.size, self.hashes())

    def _prove_full(self, level: int, index: int) -> list[bytes]:
        tile = Tile(level=level, index=index)
        row = parse_tile(self._fetch(tile), TILE_WIDTH)
        above = self.row(level + 1, index // TILE_WIDTH)
        if _top(row) != above[index % TILE_WIDTH]:
            raise UnverifiedError(f"{tile_path(tile)} does not lead to the signed root")
        return row


def local_tiles(public: Path) -> Fetch:
    """The files below `public` as the disk holds them now, with nothing from any cache."""

    def fetch(tile: Tile) -> bytes:
        if tile.width < TILE_WIDTH:
            return read_tile(public, tile)
        return durable.read_file(public / tile_path(tile), bytes_max=BUNDLE_BYTES_MAX)

    return fetch


def _top(row: list[bytes]) -> bytes:
    while len(row) > 1:
        row = parents(row)
    return row[0]
