"""A tree as static files: tiles of up to 256 hashes, and bundles of up to 256 entries.

    tile/<L>/<N>[.p/<W>]         W hashes of 32 bytes, left to right; 256 where .p is absent
    tile/entries/<N>[.p/<W>]     W entries, each a big-endian u16 length and its bytes

Hash i of tile N at level L covers 256^L entries from (256 * N + i) * 256^L on. N is written in
groups of three digits, all but the last behind an x: 1234067 is x001/x234/067. A partial tile
is never hashed upwards, and a tile of width 0 does not exist.

Spec: c2sp.org/tlog-tiles.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from safeconduct.errors import MalformedError
from safeconduct.protocol.tlog.merkle import (
    HASH_BYTES,
    TREE_SIZE_END,
    ReadHashes,
    Subtree,
    parents,
)

TILE_WIDTH = 256
"""Hashes in a full tile, entries in a full bundle."""
TILE_HEIGHT = 8
TILE_BYTES = TILE_WIDTH * HASH_BYTES
ENTRIES = -1
"""The level of entry bundles, below the leaf hashes of level 0."""
ENTRY_BYTES_MAX = 65_535
BUNDLE_BYTES_MAX = TILE_WIDTH * (2 + ENTRY_BYTES_MAX)
PATH_CHARACTERS_MAX = 64

_PATH = re.compile(
    r"tile/(?P<level>entries|[0-9]|[1-5][0-9]|6[0-3])"
    r"/(?P<index>(?:x[0-9]{3}/)*[0-9]{3})"
    r"(?:\.p/(?P<width>[1-9][0-9]{0,2}))?",
    re.ASCII,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tile:
    """One file: level 0..7 (or `ENTRIES`), index within the level, width 1..256."""

    level: int
    index: int
    width: int = TILE_WIDTH


def tile_path(tile: Tile) -> str:
    """The path below the log's prefix, for instance `tile/0/x001/067.p/3`."""
    level = "entries" if tile.level == ENTRIES else str(tile.level)
    partial = "" if tile.width == TILE_WIDTH else f".p/{tile.width}"
    return f"tile/{level}/{_format_index(tile.index)}{partial}"


def bundle_path(index: int, width: int = TILE_WIDTH) -> str:
    """The path of an entry bundle, for instance `tile/entries/x001/067.p/3`."""
    return tile_path(Tile(level=ENTRIES, index=index, width=width))


def parse_tile_path(path: str) -> Tile:
    """The tile that `path` names, or the entry bundle as a tile of level `ENTRIES`.

    Raises:
        MalformedError: not the one spelling of a tile that a tree below 2^63 entries can have.
    """
    found = _PATH.fullmatch(path) if len(path) <= PATH_CHARACTERS_MAX else None
    if found is None:
        raise MalformedError("tile path: not tile/<L>/<N>[.p/<W>]")
    tile = Tile(
        level=ENTRIES if found["level"] == "entries" else int(found["level"]),
        index=int(found["index"].replace("x", "").replace("/", "")),
        width=int(found["width"] or TILE_WIDTH),
    )
    if (tile.index * TILE_WIDTH + tile.width) << _height(tile.level) >= TREE_SIZE_END:
        raise MalformedError("tile path: beyond every tree")
    # Refuses a group of zeros in front, and .p/256 and above: both would be second spellings.
    if tile_path(tile) != path or tile.width > TILE_WIDTH:
        raise MalformedError("tile path: not the canonical spelling")
    return tile


def tiles_of(tree_size: int) -> list[Tile]:
    """All tiles of a tree, full and partial, lowest level first, left to right."""
    return new_tiles(0, tree_size)


def new_tiles(old_size: int, new_size: int) -> list[Tile]:
    """The tiles, full and partial, of a tree of `new_size` that one of `old_size` lacks."""
    _check_growth(old_size, new_size)
    tiles, level = list[Tile](), 0
    while new_size >> _height(level):
        old_count, new_count = old_size >> _height(level), new_size >> _height(level)
        tiles += [
            Tile(level=level, index=index, width=width)
            for index, width in _new_rows(old_count, new_count)
        ]
        level += 1
    return tiles


def bundles_of(tree_size: int) -> list[tuple[int, int]]:
    """(index, width) of all entry bundles of a tree, left to right."""
    return new_bundles(0, tree_size)


def new_bundles(old_size: int, new_size: int) -> list[tuple[int, int]]:
    """(index, width) of the bundles that `new_size` entries have and `old_size` lack."""
    _check_growth(old_size, new_size)
    return _new_rows(old_size, new_size)


def format_bundle(entries: Sequence[bytes]) -> bytes:
    """The bundle of 1 to 256 entries: u16 length and bytes, one after the other.

    Raises:
        MalformedError: no entry, more than 256, or one longer than `ENTRY_BYTES_MAX`.
    """
    if not 1 <= len(entries) <= TILE_WIDTH:
        raise MalformedError(f"bundle: {len(entries)} entries are not 1 to {TILE_WIDTH}")
    return b"".join(frame_entries(entries))


def frame_entries(entries: Iterable[bytes]) -> list[bytes]:
    """Each entry as it stands in a bundle; 256 of these, joined, are a full bundle.

    Raises:
        MalformedError: one is longer than `ENTRY_BYTES_MAX`.
    """
    try:
        return [len(entry).to_bytes(2, "big") + entry for entry in entries]
    except OverflowError as error:
        raise MalformedError(f"an entry is longer than {ENTRY_BYTES_MAX} bytes") from error


def parse_bundle(data: bytes, width: int) -> list[bytes]:
    """The exactly `width` entries of a bundle.

    Raises:
        MalformedError: an entry is cut short, or bytes follow the last one.
    """
    entries, place = list[bytes](), 0
    for _ in range(width):
        start = place + 2
        place = start + int.from_bytes(data[place:start], "big")
        if len(data) < max(start, place):
            raise MalformedError(f"bundle: entry {len(entries)} of {width} is cut short")
        entries.append(data[start:place])
    if place != len(data):
        raise MalformedError(f"bundle: {len(data) - place} bytes after {width} entries")
    return entries


def parse_tile(data: bytes, width: int) -> list[bytes]:
    """The `width` hashes of a tile; a full tile may stand in for a partial one.

    Logs may delete a partial tile once the full one is there, and readers then fall back to it.

    Raises:
        MalformedError: neither `width` hashes nor a full tile.
    """
    if len(data) not in (width * HASH_BYTES, TILE_BYTES):
        raise MalformedError(f"tile: {len(data)} bytes are not {width} hashes")
    return [data[at : at + HASH_BYTES] for at in range(0, width * HASH_BYTES, HASH_BYTES)]


def hash_reader(tree_size: int, fetch: Callable[[Tile], bytes]) -> ReadHashes:
    """A reader of a tree's complete subtrees out of its tiles, each fetched once a batch.

    Seven of eight levels are not in any tile: they are computed from a tile's row of hashes.
    What it reads is as trustworthy as `fetch`, until it has led to a signed root hash.
    """

    def read(subtrees: Sequence[Subtree]) -> list[bytes]:
        places = [_locate(subtree, tree_size) for subtree in subtrees]
        wanted = dict.fromkeys(tile for tile, _, _ in places)
        tiles = {tile: [parse_tile(fetch(tile), tile.width)] for tile in wanted}
        return [_row(tiles[tile], height)[offset] for tile, height, offset in places]

    return read


def _locate(subtree: Subtree, tree_size: int) -> tuple[Tile, int, int]:
    """The tile of a tree that a subtree's hash is in: how high above its row, and where."""
    level, index = subtree
    tile_level, height = divmod(level, TILE_HEIGHT)
    start, end = index << height, (index + 1) << height
    count = tree_size >> _height(tile_level)
    if not 0 <= start < end <= count:
        raise ValueError(f"no complete subtree {subtree} in a tree of {tree_size}")
    tile_index, offset = divmod(start, TILE_WIDTH)
    width = min(TILE_WIDTH, count - tile_index * TILE_WIDTH)
    return Tile(level=tile_level, index=tile_index, width=width), height, offset >> height


def _row(rows: list[list[bytes]], height: int) -> list[bytes]:
    """The hashes of the complete subtrees `height` levels above a tile's row, rows[0].

    Rows that were computed stay in `rows`: 255 hashes at most for all that a tile is asked.
    """
    while len(rows) <= height:
        row = rows[-1]
        rows.append(parents(row[: len(row) & ~1]))
    return rows[height]


def _new_rows(old_count: int, new_count: int) -> list[tuple[int, int]]:
    """(index, width) of the groups of 256 that the growth from one count to another touches."""
    full, width = divmod(new_count, TILE_WIDTH)
    rows = [(index, TILE_WIDTH) for index in range(old_count // TILE_WIDTH, full)]
    if width and new_count != old_count:
        rows.append((full, width))
    return rows


def _height(level: int) -> int:
    """Tree levels between the leaves and a tile's row; entries lie on the leaves' height."""
    return TILE_HEIGHT * max(level, 0)


def _format_index(index: int) -> str:
    groups = f"{index:,}".split(",")
    return "/".join([f"x{group:0>3}" for group in groups[:-1]] + [f"{groups[-1]:0>3}"])


def _check_growth(old_size: int, new_size: int) -> None:
    if not 0 <= old_size <= new_size < TREE_SIZE_END:
        raise ValueError(f"no tree grows from {old_size} to {new_size} entries")
