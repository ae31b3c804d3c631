"""Recompute: every tile and the root hash of a log's copy, out of nothing but its entries.

    bundle ── 256 leaf hashes ─┬─ a tile of level 0        compared with the file, every byte
                               └─ one hash ─ row of level 1 ─┬─ a tile of level 1
                                                             └─ one hash ─ row of level 2 …

In memory is one open row a level, at most 255 hashes of 32 bytes each, for logs of any size.
The two hashes of the tree stand here in loops of their own: calls of `merkle.node_hash`, one
by one, would cost more than SHA-256 itself. The tests hold both to the functions in `merkle`.

Spec: RFC 6962 §2.1; c2sp.org/tlog-tiles.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TypeAlias

from safeconduct.errors import MalformedError, SafeconductError, UnverifiedError
from safeconduct.parties.auditor.folder import EMPTY_FOLDER, Found, is_known_name
from safeconduct.parties.auditor.tree import LogCopy
from safeconduct.protocol.tlog.merkle import Frontier, Tree
from safeconduct.protocol.tlog.tile import (
    BUNDLE_BYTES_MAX,
    ENTRIES,
    TILE_HEIGHT,
    TILE_WIDTH,
    Tile,
    bundle_path,
    format_bundle,
    parse_tile,
    parse_tile_path,
    tile_path,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A file of the copy that is not what it must be; `file` stands below the folder."""

    file: str
    found: str
    expected: str


@dataclass(slots=True, kw_only=True)
class Rows:
    """What has been recomputed of the first `size` entries and stands in no full tile yet.

        size = 66,051 = 1 * 65,536 + 2 * 256 + 3:     levels = [3 hashes, 2 hashes, 1 hash]

    The hashes of `levels[n]` are the row of the open tile at level n, left to right.
    """

    size: int = 0
    levels: list[list[bytes]] = field(default_factory=list)

    def edge(self) -> Frontier:
        """The right edge of the tree so far: the same entries, at most 63 hashes."""
        hashes = [each for row in reversed(self.levels) for each in _subtrees(row)]
        return Frontier(size=self.size, hashes=tuple(hashes))


Watch: TypeAlias = Callable[[Rows], None]
"""Is shown the rows after each bundle that has been taken in."""


def _unwatched(rows: Rows) -> None:
    pass


def read_rows(copy: LogCopy, edge: Frontier) -> Rows:
    """The rows that lead to `edge`, read from the copy's own tiles and held against it.

    Raises:
        UnverifiedError: the copy's tiles give another edge, or end before it.
        MalformedError, UnavailableError: a tile that cannot be read.
    """
    if edge.size > copy.tree.size:
        raise UnverifiedError(f"the copy ends before entry {edge.size}")
    levels = [_open_row(copy, level, edge.size) for level in range(_level_count(edge.size))]
    rows = Rows(size=edge.size, levels=levels)
    if rows.edge() != edge:
        raise UnverifiedError(f"the copy's tiles give another tree of {edge.size} entries")
    return rows


def _open_row(copy: LogCopy, level: int, size: int) -> list[bytes]:
    index, width = divmod(size >> TILE_HEIGHT * level, TILE_WIDTH)
    if not width:
        return []
    tile = Tile(level=level, index=index, width=copy.width(level, index))
    return parse_tile(copy.tile(tile), tile.width)[:width]


def _level_count(size: int) -> int:
    return -(-size.bit_length() // TILE_HEIGHT)


def find_faults(
    copy: LogCopy,
    *,
    entry_bytes: int | None = None,
    rows: Rows | None = None,
    watch: Watch = _unwatched,
) -> Iterator[Fault]:
    """Every file of the copy that is not what its entries make it; none when it holds.

    `entry_bytes` is the size each entry must have, if the log has a rule about that. With
    `rows`, which end with a whole bundle, what they cover has been recomputed before.
    """
    rows = rows or Rows()
    for index, width in copy.bundles(rows.size // TILE_WIDTH):
        path = copy.path(bundle_path(index, width))
        try:
            entries = copy.bundle(index, width)
        except SafeconductError as error:
            # Without these entries no later tile can be recomputed.
            yield Fault(file=path, found=error.message, expected=f"{width} entries")
            return
        if entry_bytes is not None and set(map(len, entries)) != {entry_bytes}:
            yield Fault(
                file=path,
                found="an entry of another length",
                expected=f"entries of {entry_bytes} bytes",
            )
        yield from _take(copy, rows, leaf_hashes(entries))
        watch(rows)
    for level, row in enumerate(rows.levels):
        if row:
            yield from _compare(copy, level, rows.size >> TILE_HEIGHT * level, row)
    yield from _root_fault(copy, rows.edge().tree())


def leaf_hashes(entries: Sequence[bytes]) -> list[bytes]:
    """`merkle.leaf_hash` of each entry."""
    return [sha256(b"\x00" + entry).digest() for entry in entries]


def top_hash(row: Sequence[bytes]) -> bytes:
    """The hash of the complete subtree over a row of 1, 2, 4, … 256 hashes."""
    while len(row) > 1:
        pairs = zip(row[::2], row[1::2], strict=True)
        row = [sha256(b"\x01" + left + right).digest() for left, right in pairs]
    return row[0]


def _take(copy: LogCopy, rows: Rows, leaves: list[bytes]) -> Iterator[Fault]:
    """Add a bundle's leaf hashes, and compare each tile that is full with them."""
    rows.size += len(leaves)
    level, row = 0, leaves
    while True:
        if level == len(rows.levels):
            rows.levels.append([])
        row = rows.levels[level] = rows.levels[level] + row
        if len(row) < TILE_WIDTH:
            return
        yield from _compare(copy, level, rows.size >> TILE_HEIGHT * level, row)
        rows.levels[level] = []
        level, row = level + 1, [top_hash(row)]


def _compare(copy: LogCopy, level: int, count: int, row: list[bytes]) -> Iterator[Fault]:
    """Hold the tile at `level` that ends with hash number `count` against its own row."""
    index = (count - 1) // TILE_WIDTH
    tile = Tile(level=level, index=index, width=len(row))
    path, computed = copy.path(tile_path(tile)), b"".join(row)
    try:
        found = copy.tile(tile)
    except SafeconductError as error:
        yield Fault(file=path, found=error.message, expected=f"a tile of {len(row)} hashes")
        return
    if found != computed:
        bundle = copy.path(bundle_path(index, len(row)))
        below = bundle if level == 0 else "the level below"
        yield Fault(
            file=path,
            found=f"SHA-256 {sha256(found).hexdigest()}",
            expected=f"{sha256(computed).hexdigest()}, computed from {below}",
        )


def _root_fault(copy: LogCopy, computed: Tree) -> Iterator[Fault]:
    if computed.root_hash != copy.tree.root_hash:
        yield Fault(
            file=copy.path("checkpoint"),
            found=f"root hash {copy.tree.root_hash.hex()} for {copy.tree.size} entries",
            expected=f"{computed.root_hash.hex()}, which these entries give",
        )


def _subtrees(row: list[bytes]) -> Iterator[bytes]:
    """The hashes of the complete subtrees that a row of at most 255 is made of, left first."""
    start = 0
    for height in reversed(range(TILE_HEIGHT)):
        if len(row) >> height & 1:
            end = start + (1 << height)
            yield top_hash(row[start:end])
            start = end


@dataclass(slots=True, kw_only=True)
class Later:
    """How many files of a copy belong to larger trees than its own, and how many to that."""

    files: int = 0
    own: int = 0


def count_files(tree_size: int) -> int:
    """How many tiles and bundles a tree has."""
    count = -(-tree_size // TILE_WIDTH)
    while tree_size:
        count += -(-tree_size // TILE_WIDTH)
        tree_size >>= TILE_HEIGHT
    return count


def find_strays(copy: LogCopy, later: Later | None = None) -> Iterator[Fault]:
    """Files that no tree of this size has; missing ones are found when they are read.

    What is no log's file at all is passed over: the walk of the whole folder names it.
    """
    for found, _ in _strays(copy, later or Later()):
        if not found.fault:
            yield _stray(copy, found.name)


def find_strangers(copy: LogCopy, later: Later) -> Iterator[Fault]:
    """What lies in a copy that stands alone, without a list of its files, and must not.

    A log that grows leaves behind the partial tiles of its smaller trees, and writes the tiles
    of its next ones before it publishes them. The first must be the beginnings of the full
    ones. The second are of no tree that anybody has signed: they are counted, and not read.
    """
    for found, tile in _strays(copy, later):
        if found.fault:
            yield Fault(file=found.name, found=found.fault, expected="only a log's files")
        elif tile is None:
            yield _stray(copy, found.name)
        elif tile.width < copy.width(tile.level, tile.index):
            yield from _older_fault(copy, found.name, tile)
        else:
            later.files += 1


def is_log_name(name: str) -> bool:
    """Whether a log's copy, in a folder of its own, holds a file of that name."""
    return name == "checkpoint" or is_known_name(f"ledger/{name}")


def _stray(copy: LogCopy, name: str) -> Fault:
    due = f"none: a tree of {copy.tree.size} entries has no such"
    return Fault(file=name, found="a file", expected=due)


def _strays(copy: LogCopy, later: Later) -> Iterator[tuple[Found, Tile | None]]:
    """Each thing that the tree does not need, and which tile it says it is, if any."""
    checkpoint, prefix = copy.path("checkpoint"), copy.path("")
    for found in copy.folder.walk(copy.name, known=None if copy.name else is_log_name):
        if found.fault == EMPTY_FOLDER or found.name == checkpoint:
            continue
        try:
            tile = None if found.fault else parse_tile_path(found.name.removeprefix(prefix))
        except MalformedError:
            tile = None
        if tile is None or tile.width != copy.width(tile.level, tile.index):
            yield found, tile
        else:
            later.own += 1


def _older_fault(copy: LogCopy, name: str, tile: Tile) -> Iterator[Fault]:
    """Hold a partial tile of an earlier tree against the one that has taken its place."""
    due = Tile(level=tile.level, index=tile.index, width=copy.width(tile.level, tile.index))
    expected = f"the beginning of {copy.path(tile_path(due))}"
    try:
        found = copy.folder.read(name, bytes_max=BUNDLE_BYTES_MAX)
        if found != _beginning(copy, due, tile.width):
            yield Fault(file=name, found="something else", expected=expected)
    except SafeconductError as error:
        yield Fault(file=name, found=error.message, expected=expected)


def _beginning(copy: LogCopy, tile: Tile, width: int) -> bytes:
    """The partial tile or bundle of `width` that a later one begins with."""
    if tile.level == ENTRIES:
        return format_bundle(copy.bundle(tile.index, tile.width)[:width])
    return b"".join(parse_tile(copy.tile(tile), tile.width)[:width])
