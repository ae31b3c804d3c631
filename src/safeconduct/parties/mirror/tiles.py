"""The copy's public files: tiles of hashes and bundles of entries, as the log has them.

Tiles are computed here from the entries, never fetched. Files beyond the last checkpoint are
not served, and are compared and replaced where they differ when copying comes there again; so
whatever a crash or a lie left behind does no harm.

Spec: c2sp.org/tlog-tiles.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from safeconduct.errors import SafeconductError, UnavailableError
from safeconduct.plumbing import durable
from safeconduct.protocol.tlog.merkle import HASH_BYTES, ReadHashes, Subtree
from safeconduct.protocol.tlog.tile import (
    BUNDLE_BYTES_MAX,
    ENTRIES,
    TILE_HEIGHT,
    TILE_WIDTH,
    Tile,
    format_bundle,
    hash_reader,
    parse_bundle,
    parse_tile,
    tile_path,
)

_FULL_MODE, _PARTIAL_MODE = 0o444, 0o644
_LEVELS = 8  # 256^8 entries are more than any tree has


class TileWriter:
    """The rows of the right edge that are not full yet: all that growing a tree needs.

    At most 255 hashes a level and 255 entries, whatever the size of the log.
    """

    def __init__(self, folder: Path, tree_size: int) -> None:
        self._folder = folder
        self._counts = {level: tree_size >> _height(level) for level in range(ENTRIES, _LEVELS)}
        self._rows = {level: self._read_row(level) for level in self._counts}

    @property
    def entries(self) -> list[bytes]:
        """The entries of the last bundle, if it is not full."""
        return self._rows[ENTRIES]

    def extend(self, entries: Sequence[bytes], filled: Mapping[Subtree, bytes]) -> None:
        """Take up entries, and the subtrees they filled; writes the tiles that got full.

        Raises:
            UnavailableError: the disk refused.
        """
        self._take(ENTRIES, entries)
        for level in sorted({level for level, _ in filled if level % TILE_HEIGHT == 0}):
            places = sorted(place for at, place in filled if at == level)
            self._take(level // TILE_HEIGHT, [filled[level, place] for place in places])

    def write_edge(self) -> None:
        """Write the partial tiles of the present tree.

        Raises:
            UnavailableError: the disk refused.
        """
        for level, row in self._rows.items():
            if row:
                self._write(Tile(level=level, index=self._number(level), width=len(row)), row)

    def _take(self, level: int, items: Sequence[bytes]) -> None:
        row = self._rows[level]
        for item in items:
            row.append(item)
            self._counts[level] += 1
            if len(row) == TILE_WIDTH:
                full = Tile(level=level, index=self._number(level) - 1)
                self._write(full, row)
                # Readers fall back to the full tile; 255 partial ones would fill the disk.
                durable.remove_folder(self._folder / (tile_path(full) + ".p"))
                row.clear()

    def _write(self, tile: Tile, row: Sequence[bytes]) -> None:
        path = self._folder / tile_path(tile)
        data = format_bundle(row) if tile.level == ENTRIES else b"".join(row)
        if not _holds(path, data):
            durable.make_folder(path.parent)
            mode = _FULL_MODE if tile.width == TILE_WIDTH else _PARTIAL_MODE
            durable.write_file(path, data, mode=mode)

    def _read_row(self, level: int) -> list[bytes]:
        width = self._counts[level] % TILE_WIDTH
        if width == 0:
            return []
        tile = Tile(level=level, index=self._number(level), width=width)
        data = read_tile(self._folder, tile, self._counts[level] << _height(level))
        return parse_bundle(data, width) if level == ENTRIES else parse_tile(data, width)

    def _number(self, level: int) -> int:
        """The number of the tile that holds the next hash."""
        return self._counts[level] // TILE_WIDTH


def read_tile(folder: Path, tile: Tile, tree_size: int) -> bytes:
    """The bytes of a tile or bundle of a copy of `tree_size` entries, which must hold it.

    Each narrower tile is cut from the one that this very tree has: a partial file of another
    width may be what a lie or a crash left behind. When the full file has taken its place, that
    begins alike.

    Raises:
        UnavailableError: the copy is damaged, or the disk refused.
        MalformedError: the copy is damaged.
    """
    count = (tree_size >> _height(tile.level)) - tile.index * TILE_WIDTH
    held = min(count, TILE_WIDTH)
    assert 0 < tile.width <= held, "no such tile in a tree of this size"
    try:
        data = _read(folder, replace(tile, width=held))
    except UnavailableError:
        if held == TILE_WIDTH:
            raise
        held, data = TILE_WIDTH, _read(folder, replace(tile, width=TILE_WIDTH))
    if held == tile.width:
        return data
    if tile.level == ENTRIES:
        return format_bundle(parse_bundle(data, held)[: tile.width])
    return data[: tile.width * HASH_BYTES]


def read_bundle(folder: Path, index: int, width: int, tree_size: int) -> list[bytes]:
    """The first `width` entries of a bundle of a copy of `tree_size` entries.

    Raises:
        UnavailableError, MalformedError: as for `read_tile`.
    """
    tile = Tile(level=ENTRIES, index=index, width=width)
    return parse_bundle(read_tile(folder, tile, tree_size), width)


def tile_reader(folder: Path, tree_size: int, held_size: int | None = None) -> ReadHashes:
    """A reader of the stored hashes of a tree that begins a copy of `held_size` entries."""
    held = tree_size if held_size is None else held_size
    return hash_reader(tree_size, lambda tile: read_tile(folder, tile, held))


def tile_end(tile: Tile) -> int:
    """How many entries a tree must have for `tile` to be one of its own."""
    return (tile.index * TILE_WIDTH + tile.width) << _height(tile.level)


def _read(folder: Path, tile: Tile) -> bytes:
    return durable.read_file(folder / tile_path(tile), bytes_max=BUNDLE_BYTES_MAX)


def _holds(path: Path, data: bytes) -> bool:
    try:
        return durable.read_file(path, bytes_max=BUNDLE_BYTES_MAX) == data
    except SafeconductError:
        return False


def _height(level: int) -> int:
    """Tree levels between the leaves and a tile's row; entries lie on the leaves' height."""
    return TILE_HEIGHT * max(level, 0)
