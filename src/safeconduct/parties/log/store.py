"""The lock store: the checkpoint signed last, replaced only by compare-and-swap.

Beside it, how much of the log is settled in its tiles, and the first cosigned checkpoint of
each size, for those who ask again.
"""

from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from safeconduct.errors import ConflictError, UnavailableError
from safeconduct.plumbing.database import Database, open_database
from safeconduct.protocol.tlog.merkle import Tree

PUBLISHED_KEPT_MAX = 300_000  # three days and more at one a second
SCHEMA_VERSION = 2
FIRST_CHAIN = bytes(32)


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """The tree signed last, its note, and when that was, in POSIX milliseconds."""

    tree: Tree
    checkpoint: bytes
    signed_at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """The first `tree_size` entries and the journal's 32-byte `chain` at their end."""

    tree_size: int
    chain: bytes


NOTHING_SETTLED = Settled(tree_size=0, chain=FIRST_CHAIN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """A checkpoint that the public has: the tree, and the note with its cosignatures."""

    tree: Tree
    checkpoint: bytes


class LockStore:
    """The one row that says what this log has signed."""

    def __init__(self, database: Database, origin: str) -> None:
        self._database = database
        self._origin = origin

    def signed(self) -> Signed:
        """What was signed last.

        Raises:
            UnavailableError: the store was made for another log.
        """
        rows = self._database.read("SELECT * FROM signed WHERE origin = ?", (self._origin,))
        if not rows:
            raise UnavailableError(f"the lock store holds no log called {self._origin}")
        return Signed(
            tree=Tree(size=rows[0]["tree_size"], root_hash=rows[0]["root_hash"]),
            checkpoint=rows[0]["checkpoint"],
            signed_at_ms=rows[0]["signed_at_ms"],
        )

    def swap(self, old: Tree, new: Tree, checkpoint: bytes, at_ms: int) -> None:
        """Replace `old` by `new`, signed at `at_ms` POSIX milliseconds, durably.

        Raises:
            ConflictError: another writer has signed meanwhile, or later than this one.
        """
        with self._database.write() as tx:
            changed = tx.execute(
                "UPDATE signed SET tree_size = ?, root_hash = ?, checkpoint = ?,"
                " signed_at_ms = ? WHERE origin = ? AND tree_size = ? AND root_hash = ?"
                " AND signed_at_ms <= ?",
                (
                    *(new.size, new.root_hash, checkpoint, at_ms),
                    *(self._origin, old.size, old.root_hash, at_ms),
                ),
            )
        if changed != 1:
            raise ConflictError(
                f"{self._origin}: another writer has signed since {old.size} entries",
                hint="stop one of the two processes",
            )

    def settled(self) -> Settled:
        """How much of the log is in its tiles for good."""
        rows = self._database.read("SELECT * FROM settled WHERE origin = ?", (self._origin,))
        if not rows:
            return NOTHING_SETTLED
        return Settled(tree_size=rows[0]["tree_size"], chain=rows[0]["chain"])

    def settle(self, settled: Settled) -> None:
        """Record, durably, that the tiles of so many entries have been synced.

        Raises:
            ConflictError: more was settled before.
        """
        with self._database.write() as tx:
            tx.execute(
                "INSERT INTO settled VALUES (?, ?, ?) ON CONFLICT (origin) DO UPDATE"
                " SET tree_size = excluded.tree_size, chain = excluded.chain",
                (self._origin, settled.tree_size, settled.chain),
            )

    def keep_published(self, published: Published) -> None:
        """Keep the first cosigned checkpoint of a size, durably, and forget the oldest."""
        tree = published.tree
        with self._database.write() as tx:
            tx.execute(
                "INSERT INTO published (tree_size, root_hash, checkpoint) SELECT ?, ?, ?"
                " WHERE NOT EXISTS (SELECT 1 FROM published WHERE tree_size = ?)",
                (tree.size, tree.root_hash, published.checkpoint, tree.size),
            )
            tx.execute(
                "DELETE FROM published WHERE number <= (SELECT max(number) FROM published) - ?",
                (PUBLISHED_KEPT_MAX,),
            )

    def first_covering(self, index: int) -> Published | None:
        """The earliest checkpoint still kept that covers entry `index`."""
        rows = self._database.read(
            "SELECT * FROM published WHERE tree_size > ? ORDER BY tree_size LIMIT 1", (index,)
        )
        if not rows:
            return None
        tree = Tree(size=rows[0]["tree_size"], root_hash=rows[0]["root_hash"])
        return Published(tree=tree, checkpoint=rows[0]["checkpoint"])

    def close(self) -> None:
        """Close the database."""
        self._database.close()


def create_store(
    path: Path, origin: str, tree: Tree, checkpoint: bytes, at_ms: int = 0
) -> None:
    """Make the lock store of a log that has signed `tree` last: of a new one, the empty tree.

    Raises:
        ConflictError: it holds that log already.
    """
    database = open_database(path, _schema(), version=SCHEMA_VERSION)
    try:
        with database.write() as tx:
            tx.execute(
                "INSERT INTO signed VALUES (?, ?, ?, ?, ?)",
                (origin, tree.size, tree.root_hash, checkpoint, at_ms),
            )
    finally:
        database.close()


def open_store(path: Path, origin: str) -> LockStore:
    """The lock store of an existing log.

    Raises:
        UnavailableError: it is gone; it is never made anew, for that would permit a fork.
    """
    if not path.exists():
        raise UnavailableError(
            f"{path}: the lock store is gone",
            hint="find it again; without it: safeconduct log repair --from-mirror URL",
        )
    return LockStore(open_database(path, _schema(), version=SCHEMA_VERSION), origin)


def _schema() -> str:
    return resources.files(__package__).joinpath("schema.sql").read_text(encoding="utf-8")
