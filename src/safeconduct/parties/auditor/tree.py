"""One log's copy in the folder: its checkpoint, and every tile recomputed from the entries.

    entries ── leaf hashes ──┬── level 0 tiles        each compared with the file, byte for byte
                             ├── level 1, 2, … tiles
                             └── root hash            compared with the cosigned checkpoint

The copy is read bundle by bundle; what is kept in memory is one open row of hashes per level.

Spec: c2sp.org/tlog-tiles, c2sp.org/tlog-checkpoint, c2sp.org/tlog-policy.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256

from safeconduct.errors import ConflictError, MalformedError, SafeconductError, UnverifiedError
from safeconduct.parties.auditor.folder import FILES_MAX, Contents, Folder
from safeconduct.protocol.tlog.checkpoint import parse_checkpoint
from safeconduct.protocol.tlog.merkle import (
    Frontier,
    ReadHashes,
    Tree,
    inclusion_proof,
    leaf_hash,
    root,
    verify_inclusion,
)
from safeconduct.protocol.tlog.note import format_note, parse_note
from safeconduct.protocol.tlog.policy import Cosigned, Logged, Policy, open_checkpoint
from safeconduct.protocol.tlog.tile import (
    BUNDLE_BYTES_MAX,
    TILE_BYTES,
    TILE_HEIGHT,
    TILE_WIDTH,
    Tile,
    bundle_path,
    bundles_of,
    hash_reader,
    parse_bundle,
    tile_path,
    tiles_of,
)

CHECKPOINT_BYTES_MAX = 64 << 10
LEDGER_ENTRY_BYTES = 32
TREE_SIZE_MAX = FILES_MAX * TILE_WIDTH
"""Entries: beyond it the bundles alone would be more files than a folder may hold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A file of the copy that is not what it must be; `file` stands below the folder."""

    file: str
    found: str
    expected: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LogCopy:
    """A log's files under `name`; origin and tree as its checkpoint says, not yet verified."""

    folder: Folder
    name: str
    origin: str
    tree: Tree

    def path(self, relative: str) -> str:
        """The name in the folder of one of the copy's files."""
        return f"{self.name}/{relative}"

    def bundle(self, index: int, width: int) -> list[bytes]:
        """The entries of one bundle.

        Raises:
            MalformedError: not exactly `width` entries.
            UnavailableError: the file is not there.
        """
        path = self.path(bundle_path(index, width))
        return parse_bundle(self.folder.read(path, bytes_max=BUNDLE_BYTES_MAX), width)

    def entries(self) -> Iterator[bytes]:
        """All entries in order.

        Raises:
            MalformedError, UnavailableError: as `bundle`.
        """
        for index, width in bundles_of(self.tree.size):
            yield from self.bundle(index, width)

    def entry(self, index: int) -> bytes:
        """The entry at `index`.

        Raises:
            UnverifiedError: the copy ends before it.
            MalformedError, UnavailableError: as `bundle`.
        """
        if not 0 <= index < self.tree.size:
            raise UnverifiedError(
                f"entry {index} lies beyond the {self.name} copy of {self.tree.size} entries"
            )
        number, place = divmod(index, TILE_WIDTH)
        return self.bundle(number, min(TILE_WIDTH, self.tree.size - number * TILE_WIDTH))[place]

    def bundle_file(self, index: int) -> str:
        """The file that holds the entry at `index`, which lies in the tree."""
        number = index // TILE_WIDTH
        width = min(TILE_WIDTH, self.tree.size - number * TILE_WIDTH)
        return self.path(bundle_path(number, width))

    def reader(self) -> ReadHashes:
        """The stored hashes, as the tiles give them."""
        return hash_reader(self.tree.size, self._fetch)

    def _fetch(self, tile: Tile) -> bytes:
        return self.folder.read(self.path(tile_path(tile)), bytes_max=TILE_BYTES)


def read_copy(folder: Folder, name: str) -> LogCopy:
    """The copy whose checkpoint parses; nobody's signature is looked at yet.

    Raises:
        MalformedError: no checkpoint, or a tree larger than a folder can hold.
        UnavailableError: the file is not there.
    """
    data = folder.read(f"{name}/checkpoint", bytes_max=CHECKPOINT_BYTES_MAX)
    checkpoint = parse_checkpoint(parse_note(data).text)
    if checkpoint.tree.size > TREE_SIZE_MAX:
        raise MalformedError(f"checkpoint: more than {TREE_SIZE_MAX} entries")
    return LogCopy(folder=folder, name=name, origin=checkpoint.origin, tree=checkpoint.tree)


def verify_checkpoint(copy: LogCopy, policy: Policy) -> Cosigned:
    """The copy's checkpoint, cosigned by the quorum and holding nobody else's lines.

    The log's own line comes first, then at most one line of each of the policy's witnesses:
    a line that no key of ours covers could be changed without anybody noticing.

    Raises:
        MalformedError: not a checkpoint, or not in its one form.
        UnverifiedError: a signature or the quorum does not hold, or a stranger's line.
    """
    data = copy.folder.read(copy.path("checkpoint"), bytes_max=CHECKPOINT_BYTES_MAX)
    cosigned = open_checkpoint(data, policy, copy.origin)
    check_lines(data, copy.origin, policy)
    return cosigned


def check_lines(checkpoint: bytes, origin: str, policy: Policy) -> None:
    """Check that a signed checkpoint holds the log's line, then only witnesses' lines, once.

    Raises:
        MalformedError: not in its one form.
        UnverifiedError: another order, a stranger's line, or a line twice.
    """
    note = parse_note(checkpoint)
    if format_note(note) != checkpoint:
        raise MalformedError("checkpoint: not in canonical form")
    places = [(line.name, line.key_id) for line in note.signatures]
    logs = [(log.key.name, log.key.key_id) for log in policy.logs]
    witnesses = {(one.key.name, one.key.key_id) for one in policy.witnesses}
    if places[0][0] != origin or places[0] not in logs:
        raise UnverifiedError("checkpoint: its first line is not the log's own")
    for place in places[1:]:
        if place not in witnesses:
            raise UnverifiedError(
                f"checkpoint: a line by {place[0]}, who is no witness of this policy"
            )
    if len(set(places)) != len(places):
        raise UnverifiedError("checkpoint: somebody's line stands twice")


def prove_entry(copy: LogCopy, index: int, policy: Policy) -> bytes:
    """The entry at `index`, once the copy's tiles lead from it to the cosigned root hash.

    Raises:
        SafeconductError: a file on the way is missing or wrong, or no quorum cosigned the root.
    """
    tree = verify_checkpoint(copy, policy).checkpoint.tree
    entry = copy.entry(index)
    proof = inclusion_proof(index, tree.size, copy.reader())
    verify_inclusion(leaf_hash(entry), index, proof, tree)
    return entry


def check_stands(copy: LogCopy, logged: Logged, entry: bytes) -> None:
    """Check that what a receipt proves to be logged stands at its place in a verified copy.

    Raises:
        UnverifiedError: the copy ends before it, or holds something else there.
        ConflictError: the log signed two trees of which neither begins the other.
    """
    if logged.tree.size > copy.tree.size:
        raise UnverifiedError(
            f"the receipt's tree has {logged.tree.size} entries, "
            f"this {copy.name} copy only {copy.tree.size}"
        )
    if root(logged.tree.size, copy.reader()) != logged.tree.root_hash:
        raise ConflictError(
            f"the log signed another tree of {logged.tree.size} entries for this receipt "
            f"than the one its {copy.name} begins with"
        )
    if copy.entry(logged.index) != entry:
        raise UnverifiedError(f"entry {logged.index} of this {copy.name} copy is another")


def find_faults(
    copy: LogCopy, contents: Contents, *, entry_bytes: int | None
) -> Iterator[Fault]:
    """Every file of the copy that is not what its entries make it; none when it holds.

    `entry_bytes` is the size each entry must have, if the log has a rule about that.
    """
    yield from _extra_files(copy, contents)
    rows = _Rows(copy=copy)
    frontier = Frontier.empty()
    for index, width in bundles_of(copy.tree.size):
        path = copy.path(bundle_path(index, width))
        try:
            entries = copy.bundle(index, width)
        except SafeconductError as error:
            # Without these entries no later tile can be recomputed.
            yield Fault(file=path, found=error.message, expected=f"{width} entries")
            return
        if entry_bytes is not None and any(len(entry) != entry_bytes for entry in entries):
            yield Fault(
                file=path,
                found="an entry of another length",
                expected=f"entries of {entry_bytes} bytes",
            )
        frontier, filled = frontier.extend([leaf_hash(entry) for entry in entries])
        for level, place in sorted(filled):
            if level % TILE_HEIGHT == 0:
                yield from rows.take(level // TILE_HEIGHT, filled[level, place])
    yield from rows.finish()
    yield from _root_fault(copy, frontier.tree())


def _extra_files(copy: LogCopy, contents: Contents) -> Iterator[Fault]:
    """Files that no tree of this size has; missing ones are found when they are read."""
    size = copy.tree.size
    needed = {copy.path("checkpoint")}
    needed |= {copy.path(tile_path(tile)) for tile in tiles_of(size)}
    needed |= {copy.path(bundle_path(*bundle)) for bundle in bundles_of(size)}
    for name in sorted(contents.below(f"{copy.name}/") - needed):
        yield Fault(
            file=name, found="a file", expected=f"none: a tree of {size} entries has no such"
        )


def _root_fault(copy: LogCopy, computed: Tree) -> Iterator[Fault]:
    if computed.root_hash != copy.tree.root_hash:
        yield Fault(
            file=copy.path("checkpoint"),
            found=f"root hash {copy.tree.root_hash.hex()} for {copy.tree.size} entries",
            expected=f"{computed.root_hash.hex()}, which these entries give",
        )


@dataclass(slots=True, kw_only=True)
class _Rows:
    """The open row of hashes of each tile level, compared with its file once it is full."""

    copy: LogCopy
    rows: dict[int, list[bytes]] = field(default_factory=dict)
    counts: dict[int, int] = field(default_factory=dict)

    def take(self, level: int, stored: bytes) -> Iterator[Fault]:
        row = self.rows.setdefault(level, [])
        row.append(stored)
        if len(row) == TILE_WIDTH:
            yield from self._compare(level)

    def finish(self) -> Iterator[Fault]:
        for level in [level for level, row in self.rows.items() if row]:
            yield from self._compare(level)

    def _compare(self, level: int) -> Iterator[Fault]:
        row, index = self.rows[level], self.counts.get(level, 0)
        tile = Tile(level=level, index=index, width=len(row))
        self.rows[level], self.counts[level] = [], index + 1
        path, computed = self.copy.path(tile_path(tile)), b"".join(row)
        try:
            found = self.copy.folder.read(path, bytes_max=TILE_BYTES)
        except SafeconductError as error:
            yield Fault(file=path, found=error.message, expected=f"a tile of {len(row)} hashes")
            return
        if found != computed:
            bundle = self.copy.path(bundle_path(index, len(row)))
            below = bundle if level == 0 else "the level below"
            yield Fault(
                file=path,
                found=f"SHA-256 {sha256(found).hexdigest()}",
                expected=f"{sha256(computed).hexdigest()}, computed from {below}",
            )
