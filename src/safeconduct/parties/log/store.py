"""The lock store: the checkpoint signed last, replaced only by compare-and-swap."""

from importlib import resources
from pathlib import Path

from safeconduct.errors import ConflictError, UnavailableError
from safeconduct.plumbing.database import Database, open_database
from safeconduct.protocol.tlog.merkle import Tree


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
