"""One log's copy in the folder: its checkpoint, its entries, and proofs out of its tiles.

Whether the tiles are what the entries make them is looked at in `recompute`.

Spec: c2sp.org/tlog-tiles, c2sp.org/tlog-checkpoint, c2sp.org/tlog-policy.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import takewhile

from safeconduct.errors import ConflictError, MalformedError, UnverifiedError
from safeconduct.parties.auditor.folder import Folder
from safeconduct.protocol.tlog.checkpoint import parse_checkpoint
from safeconduct.protocol.tlog.merkle import (
    ReadHashes,
    Tree,
    inclusion_proof,
    leaf_hash,
    root,
    verify_inclusion,
)
from safeconduct.protocol.tlog.note import format_note, parse_note
from safeconduct.protocol.tlog.policy import Cosigned, Logged, Policy, open_checkpoint
from safeconduct.protocol.tlog.proof import parse_proof
from safeconduct.protocol.tlog.tile import (
    BUNDLE_BYTES_MAX,
    ENTRIES,
    TILE_BYTES,
    TILE_HEIGHT,
    TILE_WIDTH,
    Tile,
    bundle_path,
    hash_reader,
    parse_bundle,
    tile_path,
)

CHECKPOINT_BYTES_MAX = 64 << 10
LEDGER_ENTRY_BYTES = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class LogCopy:
    """A log's files below `name`, or in the folder itself if that is empty.

    Its checkpoint was read once, so that what is verified is what everything else is held
    against; origin and tree are as it says, and nobody's signature was looked at yet.
    """

    folder: Folder
    name: str
    checkpoint: bytes
    origin: str
    tree: Tree

    def path(self, relative: str) -> str:
        """The name in the folder of one of the copy's files."""
        return _below(self.name, relative)

    def width(self, level: int, index: int) -> int:
        """How many hashes, or entries at level `ENTRIES`, that tile has; 0 or less if none."""
        count = self.tree.size >> TILE_HEIGHT * max(level, 0)
        return min(TILE_WIDTH, count - index * TILE_WIDTH)

    def bundles(self, first: int = 0) -> Iterator[tuple[int, int]]:
        """(index, width) of all entry bundles from number `first` on."""
        for index in range(first, -(-self.tree.size // TILE_WIDTH)):
            yield index, self.width(ENTRIES, index)

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
        for index, width in self.bundles():
            yield from self.bundle(index, width)

    def entry(self, index: int) -> bytes:
        """The entry at `index`.

        Raises:
            UnverifiedError: the copy ends before it.
            MalformedError, UnavailableError: as `bundle`.
        """
        if not 0 <= index < self.tree.size:
            raise UnverifiedError(
                f"entry {index} lies beyond this copy of {self.origin}: "
                f"{self.tree.size} entries"
            )
        number, place = divmod(index, TILE_WIDTH)
        return self.bundle(number, self.width(ENTRIES, number))[place]

    def bundle_file(self, index: int) -> str:
        """The file that holds the entry at `index`, which lies in the tree."""
        number = index // TILE_WIDTH
        return self.path(bundle_path(number, self.width(ENTRIES, number)))

    def reader(self) -> ReadHashes:
        """The stored hashes, as the tiles give them."""
        return hash_reader(self.tree.size, self.tile)

    def tile(self, tile: Tile) -> bytes:
        """The bytes of a tile of hashes.

        Raises:
            MalformedError: too long.
            UnavailableError: the file is not there.
        """
        return self.folder.read(self.path(tile_path(tile)), bytes_max=TILE_BYTES)


def read_copy(folder: Folder, name: str) -> LogCopy:
    """The copy whose checkpoint parses; nobody's signature is looked at yet.

    Raises:
        MalformedError: no checkpoint.
        UnavailableError: the file is not there.
    """
    path = _below(name, "checkpoint")
    data = folder.read(path, bytes_max=CHECKPOINT_BYTES_MAX)
    if not folder.holds(path):
        raise MalformedError(f"{path}: lies behind a symbolic link")
    parsed = parse_checkpoint(parse_note(data).text)
    return LogCopy(
        folder=folder, name=name, checkpoint=data, origin=parsed.origin, tree=parsed.tree
    )


def verify_checkpoint(copy: LogCopy, policy: Policy, *, strangers: bool = False) -> Cosigned:
    """The copy's checkpoint, cosigned by the quorum and holding nobody else's lines.

    The log's own lines come first, one for each of its keys at most, then at most one line of
    each of the policy's witnesses' keys: a line that no key of ours covers could be changed
    without anybody noticing. Where nobody signed for the file as a whole, the lines of
    `strangers` may stand in it, as those of a mirror do; they say nothing.

    Raises:
        MalformedError: not a checkpoint, or not in its one form.
        UnverifiedError: a signature or the quorum does not hold, or a stranger's line.
    """
    cosigned = open_checkpoint(copy.checkpoint, policy, copy.origin)
    if not strangers:
        check_lines(copy.checkpoint, copy.origin, policy)
    return cosigned


def check_lines(checkpoint: bytes, origin: str, policy: Policy) -> None:
    """Check that a signed checkpoint holds the log's lines, then only witnesses' lines, once.

    Raises:
        MalformedError: not in its one form.
        UnverifiedError: another order, a stranger's line, or a line twice.
    """
    note = parse_note(checkpoint)
    if format_note(note) != checkpoint:
        raise MalformedError("checkpoint: not in canonical form")
    places = [(line.name, line.key_id) for line in note.signatures]
    keys = [log.key for log in policy.logs if log.key.name == origin]
    logs = {(key.name, key.key_id) for key in keys}
    witnesses = {(one.key.name, one.key.key_id) for one in policy.witnesses}
    own = len(list(takewhile(logs.__contains__, places)))
    if not own:
        raise UnverifiedError("checkpoint: its first line is not the log's own")
    for place in places[own:]:
        if place not in witnesses:
            raise UnverifiedError(
                f"checkpoint: a line by {place[0]}, who is no witness of this policy"
            )
    if len(set(places)) != len(places):
        raise UnverifiedError("checkpoint: somebody's line stands twice")


def check_nothing_unsigned(proof: bytes, origin: str, policy: Policy) -> None:
    """Check that a published receipt carries only what somebody's signature covers.

    Raises:
        MalformedError: not a proof, or its checkpoint is not in its one form.
        UnverifiedError: extra bytes, or lines that are not the log's or a witness's.
    """
    parsed = parse_proof(proof)
    if parsed.extra is not None:
        raise UnverifiedError("the receipt carries extra bytes that nobody has signed")
    check_lines(parsed.checkpoint, origin, policy)


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


def _below(name: str, relative: str) -> str:
    return f"{name}/{relative}" if name else relative
