"""The public files of a tree: tiles of hashes and bundles of entries.

The writer places them whole but does not sync them: until a segment of the journal is settled,
they hold nothing that it does not, and after a crash the function that wrote them writes them
again. So the files of the tree that is settled must stay until another is, and so must those
of the trees that readers may still hold a checkpoint of; all other partial tiles go at once.

Spec: c2sp.org/tlog-tiles.
"""

import os
import threading
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

from safeconduct.errors import MalformedError, SafeconductError, UnavailableError
from safeconduct.parties.log.config import LogFolder
from safeconduct.parties.log.journal import LOST_HINT
from safeconduct.plumbing import durable
from safeconduct.protocol.tlog.merkle import (
    HASH_BYTES,
    Frontier,
    ReadHashes,
    Tree,
    leaf_hashes,
    parents,
)
from safeconduct.protocol.tlog.tile import (
    BUNDLE_BYTES_MAX,
    ENTRIES,
    TILE_HEIGHT,
    TILE_WIDTH,
    Tile,
    format_bundle,
    frame_entries,
    hash_reader,
    parse_bundle,
    parse_tile,
    tile_path,
)

PUBLISHED_EDGES_KEPT = 8
"""Trees whose partial tiles stay for readers who have an older checkpoint than the newest."""
_CACHED_TILES_MAX = 512  # 4 MiB of full tiles
_ATTEMPTS = 3  # the writer may replace a partial tile by a wider one while we look


class TileWriter:
    """The right edge of the tree in files: the row of each level that is not full yet."""

    def __init__(self, paths: LogFolder) -> None:
        self._folder, self._scratch = paths.public, paths.scratch
        self.mending = False
        """Whether files that are right already are left alone, as they were after a crash."""
        self._rows: dict[int, list[bytes]] = {}
        self._counts: dict[int, int] = {}
        # Of the tile of each level that is not full: the width written last, and all others.
        self._newest: dict[int, int] = {}
        self._widths: dict[int, set[int]] = {}
        # The settler drops edges from its own thread.
        self._lock = threading.Lock()
        self._settling: dict[int, frozenset[Tile]] = {}
        self._published: deque[frozenset[Tile]] = deque(maxlen=PUBLISHED_EDGES_KEPT)

    def resume(self, tree_size: int) -> None:
        """Take up the edge of a tree of which all files are there and right.

        Raises:
            UnavailableError: a file is not there.
            MalformedError: a file has the wrong length.
        """
        for level in range(ENTRIES, _levels(tree_size)):
            self._counts[level] = (tree_size >> _height(level)) // TILE_WIDTH
        for tile in partial_edge(tree_size):
            self._rows[tile.level] = _read_row(self._folder, tile)
            self._newest[tile.level] = tile.width
            self._widths[tile.level] = _widths(self._folder, tile)
        self.keep_settling(tree_size)

    def extend(self, framed: Sequence[bytes], rows: Sequence[Sequence[bytes]]) -> None:
        """Take up a batch, as it stands in bundles, and the rows of hashes that it filled.

        Writes the tiles that it completed, and the partial tiles of the tree that results: the
        next signature is made only over what is found in them.

        Raises:
            UnavailableError: the disk refused.
        """
        self._take(ENTRIES, framed)
        for level, row in enumerate(rows[::TILE_HEIGHT]):
            self._take(level, row)
        self._write_edge()

    def keep_settling(self, tree_size: int) -> None:
        """Leave the files of this tree until a larger one is `settled`."""
        with self._lock:
            self._settling[tree_size] = frozenset(partial_edge(tree_size))

    def settled(self, tree_size: int) -> None:
        """Note that no restart needs a smaller tree. May be called from any thread.

        Raises:
            UnavailableError: the disk refused.
        """
        with self._lock:
            smaller = [size for size in self._settling if size < tree_size]
            dropped = {tile for size in smaller for tile in self._settling.pop(size)}
            gone = [tile for tile in dropped if not self._is_kept(tile)]
        for tile in gone:
            self._remove(tile)

    def keep_published(self, tree_size: int) -> None:
        """Leave the files of this tree for readers, as one of the last few that they know."""
        edge = frozenset(partial_edge(tree_size))
        with self._lock:
            if edge not in self._published:
                self._published.append(edge)

    def _take(self, level: int, items: Sequence[bytes]) -> None:
        row, start = self._rows.setdefault(level, []), 0
        self._counts.setdefault(level, 0)
        row.extend(items)
        while len(row) - start >= TILE_WIDTH:
            tile = Tile(level=level, index=self._counts[level])
            self._write(tile, row[start : start + TILE_WIDTH])
            self._counts[level] += 1
            self._remove_narrower(tile)
            start += TILE_WIDTH
        del row[:start]

    def _write_edge(self) -> None:
        for level, row in self._rows.items():
            width = len(row)
            if width and width != self._newest.get(level, 0):
                tile = Tile(level=level, index=self._counts[level], width=width)
                self._write(tile, row)
                self._remove_narrower(tile)
                self._newest[level] = width
                self._widths.setdefault(level, set()).add(width)

    def _write(self, tile: Tile, row: Sequence[bytes]) -> None:
        path, data = self._folder / tile_path(tile), b"".join(row)
        if not (self.mending and _holds(path, data)):
            durable.place_file(path, data, scratch=self._scratch)

    def _remove_narrower(self, wider: Tile) -> None:
        """Remove the partial tiles that begin `wider` and that nobody needs; they add up."""
        widths = self._widths.get(wider.level, set())
        narrower = [
            Tile(level=wider.level, index=wider.index, width=width)
            for width in widths
            if width < wider.width
        ]
        with self._lock:
            gone = [tile for tile in narrower if not self._is_kept(tile)]
        for tile in gone:
            self._remove(tile)
            widths.discard(tile.width)
        if wider.width == TILE_WIDTH:
            widths.clear()
            self._newest[wider.level] = 0

    def _is_kept(self, tile: Tile) -> bool:
        """Whether a restart needs it, or readers who cannot have the full one instead."""
        if any(tile in edge for edge in self._settling.values()):
            return True
        grows = tile.index == self._counts.get(tile.level)
        return grows and any(tile in edge for edge in self._published)

    def _remove(self, tile: Tile) -> None:
        path = self._folder / tile_path(tile)
        durable.remove_file(path)
        durable.remove_empty_folder(path.parent)


def partial_edge(tree_size: int) -> list[Tile]:
    """The partial tiles of a tree, entries first, then upwards."""
    found = []
    for level in range(ENTRIES, _levels(tree_size)):
        index, width = divmod(tree_size >> _height(level), TILE_WIDTH)
        if width:
            found.append(Tile(level=level, index=index, width=width))
    return found


def last_tiles(tree_size: int) -> list[Tile]:
    """The last tile of each level of a tree, full or partial, entries first, then upwards."""
    found = []
    for level in range(ENTRIES, _levels(tree_size)):
        index, offset = divmod((tree_size >> _height(level)) - 1, TILE_WIDTH)
        found.append(Tile(level=level, index=index, width=offset + 1))
    return found


def read_edge(folder: Path, tree_size: int) -> Frontier:
    """The right edge of a tree as the disk holds it now, with nothing from any cache.

    Whoever finds its `tree()` to be the one signed knows that the last bundle, the last tile of
    each level, and with them what the next tiles are computed from, are right.

    Raises:
        UnavailableError: the files are missing, or contradict each other.
    """
    if tree_size == 0:
        return Frontier.empty()
    try:
        rows = {tile: _read_row(folder, tile) for tile in last_tiles(tree_size)}
    except MalformedError as error:
        raise _wrong_edge(folder, tree_size) from error
    leaves = leaf_hashes(entry[2:] for entry in rows.pop(next(iter(rows))))
    expected = leaves
    for row in rows.values():
        # A full tile below leads to the last hash above; the last bundle to the whole row.
        if expected and row[-len(expected) :] != expected:
            raise _wrong_edge(folder, tree_size)
        expected = [_top(row)] if len(row) == TILE_WIDTH else []
    data = {tile: b"".join(row) for tile, row in rows.items()}
    return Frontier.read(tree_size, hash_reader(tree_size, data.__getitem__))


def verify_edge(folder: Path, tree: Tree) -> None:
    """Ensure that the disk holds, at its right edge, what leads to `tree`.

    Raises:
        UnavailableError: it does not.
    """
    if read_edge(folder, tree.size).tree() != tree:
        raise _wrong_edge(folder, tree.size)


def tile_reader(folder: Path, tree_size: int) -> ReadHashes:
    """A reader of the stored hashes of a tree of which all tiles were written."""
    return hash_reader(tree_size, lambda tile: read_tile(folder, tile))


def read_tile(folder: Path, tile: Tile) -> bytes:
    """A tile or bundle, cut from a wider one where it is gone.

    Raises:
        UnavailableError: neither it nor a wider one is there.
        MalformedError: the wider bundle does not hold so many entries.
    """
    path = folder / tile_path(tile)
    if tile.width == TILE_WIDTH:
        return _read(path) if tile.level == ENTRIES else _read_full(path)
    for _ in range(_ATTEMPTS):
        with suppress(UnavailableError):
            return _read(path)
        with suppress(UnavailableError):
            return _beginning(folder, tile)
    raise UnavailableError(f"{path}: neither it nor a wider one is there", hint=LOST_HINT)


def _beginning(folder: Path, tile: Tile) -> bytes:
    """A partial tile cut from a wider one, for which it was removed."""
    wider = min((width for width in _widths(folder, tile) if width > tile.width), default=0)
    source = Tile(level=tile.level, index=tile.index, width=wider or TILE_WIDTH)
    data = _read(folder / tile_path(source))
    if tile.level == ENTRIES:
        return format_bundle(parse_bundle(data, source.width)[: tile.width])
    return data[: tile.width * HASH_BYTES]


def forget_tiles() -> None:
    """Read full tiles from the disk again: one of them has led to a wrong root hash."""
    _read_full.cache_clear()


@lru_cache(maxsize=_CACHED_TILES_MAX)
def _read_full(path: Path) -> bytes:
    """A full tile of hashes never changes."""
    return _read(path)


def _read(path: Path) -> bytes:
    return durable.read_file(path, bytes_max=BUNDLE_BYTES_MAX)


def _read_row(folder: Path, tile: Tile) -> list[bytes]:
    """The hashes of a tile, or the entries of a bundle as they stand in it; not cached."""
    path = folder / tile_path(tile)
    data = _read(path) if path.exists() else read_tile(folder, tile)
    if tile.level == ENTRIES:
        return frame_entries(parse_bundle(data, tile.width))
    return parse_tile(data, tile.width)


def _widths(folder: Path, tile: Tile) -> set[int]:
    """The partial tiles that there are in a tile's place."""
    place = folder / tile_path(Tile(level=tile.level, index=tile.index, width=1))
    with suppress(FileNotFoundError):
        return {int(name) for name in os.listdir(place.parent) if name.isdecimal()}
    return set()


def _top(row: Sequence[bytes]) -> bytes:
    while len(row) > 1:
        row = parents(row)
    return row[0]


def _holds(path: Path, data: bytes) -> bool:
    try:
        return _read(path) == data
    except SafeconductError:
        return False


def _levels(tree_size: int) -> int:
    """How many levels of tiles a tree has; entries are not counted."""
    return -(-tree_size.bit_length() // TILE_HEIGHT)


def _height(level: int) -> int:
    return TILE_HEIGHT * max(level, 0)


def _wrong_edge(folder: Path, tree_size: int) -> UnavailableError:
    return UnavailableError(
        f"{folder}: the tiles at the end of {tree_size} entries do not lead to the signed root",
        hint=LOST_HINT,
        told="this log has found a fault in its own files",
    )
