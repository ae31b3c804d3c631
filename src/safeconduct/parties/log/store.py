"""The lock store: the checkpoint signed last, replaced only by compare-and-swap.

Beside it, the first cosigned checkpoint of each size, for those who ask again.
"""

from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from safeconduct.errors import ConflictError, UnavailableError
from safeconduct.plumbing.database import Database, open_database
from safeconduct.protocol.tlog.merkle import Tree

PUBLISHED_KEPT_MAX = 300_000  # three days and more at one a second; some 200 MB


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

    def signed(self) -> tuple[Tree, bytes]:
        """The tree signed last, and its note.

        Raises:
            UnavailableError: the store was made for another log.
        """
        rows = self._database.read("SELECT * FROM signed WHERE origin = ?", (self._origin,))
        if not rows:
            raise UnavailableError(f"the lock store holds no log called {self._origin}")
        tree = Tree(size=rows[0]["tree_size"], root_hash=rows[0]["root_hash"])
        return tree, rows[0]["checkpoint"]

    def swap(self, old: Tree, new: Tree, checkpoint: bytes) -> None:
        """Replace `old` by `new`, durably.

        Raises:
            ConflictError: another writer has signed a different tree meanwhile.
        """
        with self._database.write() as tx:
            changed = tx.execute(
                "UPDATE signed SET tree_size = ?, root_hash = ?, checkpoint = ?"
                " WHERE origin = ? AND tree_size = ? AND root_hash = ?",
                (
                    *(new.size, new.root_hash, checkpoint),
                    *(self._origin, old.size, old.root_hash),
                ),
            )
        if changed != 1:
            raise ConflictError(
                f"{self._origin}: another writer has signed since {old.size} entries",
                hint="stop one of the two processes",
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


def create_store(path: Path, origin: str, tree: Tree, checkpoint: bytes) -> None:
    """Make the lock store of a new log, whose signed empty tree is `tree`."""
    database = open_database(path, _schema())
    with database.write() as tx:
        tx.execute(
            "INSERT INTO signed VALUES (?, ?, ?, ?)",
            (origin, tree.size, tree.root_hash, checkpoint),
        )
    database.close()


def open_store(path: Path, origin: str) -> LockStore:
    """The lock store of an existing log.

    Raises:
        UnavailableError: it is gone; it is never made anew, for that would permit a fork.
    """
    if not path.exists():
        raise UnavailableError(
            f"{path}: the lock store is gone",
            hint="find it again; without it, retire this log and found a new one",
        )
    return LockStore(open_database(path, _schema()), origin)


def _schema() -> str:
    return resources.files(__package__).joinpath("schema.sql").read_text(encoding="utf-8")
