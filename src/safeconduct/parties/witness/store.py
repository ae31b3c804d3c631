"""What a witness remembers: the largest tree per log, and evidence of forks."""

from collections.abc import Iterable
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from safeconduct.plumbing.database import Database, open_database
from safeconduct.protocol.tlog.merkle import EMPTY_ROOT, Tree

_CONFLICTS_MAX = 1_000  # per log; each one is already proof enough


@dataclass(frozen=True, slots=True, kw_only=True)
class Latest:
    """The largest tree of a log that was cosigned; `checkpoint` is empty before the first."""

    tree: Tree
    cosigned_at: int
    checkpoint: bytes


class Store:
    """The witness's database; safe between threads and between processes."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def latest(self, origin: str) -> Latest:
        """What is known of a log that the store was opened with."""
        (row,) = self._database.read("SELECT * FROM logs WHERE origin = ?", (origin,))
        return Latest(
            tree=Tree(size=row["tree_size"], root_hash=row["root_hash"]),
            cosigned_at=row["cosigned_at"],
            checkpoint=row["checkpoint"],
        )

    def advance(self, origin: str, old: Latest, new: Latest) -> bool:
        """Replace `old` by `new`, durably; False, and no change, if it is `old` no more.

        The comparison stands in the statement itself, so that it holds whatever other threads
        or processes do between the check of a proof and this write.
        """
        with self._database.write() as tx:
            changed = tx.execute(
                "UPDATE logs SET tree_size = ?, root_hash = ?, cosigned_at = ?, checkpoint = ?"
                " WHERE origin = ? AND tree_size = ? AND root_hash = ? AND cosigned_at <= ?",
                (
                    new.tree.size,
                    new.tree.root_hash,
                    new.cosigned_at,
                    new.checkpoint,
                    origin,
                    old.tree.size,
                    old.tree.root_hash,
                    new.cosigned_at,
                ),
            )
        return changed == 1

    def keep_conflict(
        self, origin: str, known: bytes, other: bytes, tree: Tree, at: int
    ) -> None:
        """Keep two notes that the log signed for one size; `tree` is the other's."""
        with self._database.write() as tx:
            tx.execute(
                "INSERT OR IGNORE INTO conflicts SELECT ?, ?, ?, ?, ?, ?"
                " WHERE (SELECT count(*) FROM conflicts WHERE origin = ?) < ?",
                (
                    *(origin, tree.size, tree.root_hash, at, known, other),
                    *(origin, _CONFLICTS_MAX),
                ),
            )

    def conflicts(self, origin: str) -> list[tuple[bytes, bytes]]:
        """(known, other) notes of every fork that was seen, oldest first."""
        rows = self._database.read(
            "SELECT known, other FROM conflicts WHERE origin = ? ORDER BY seen_at", (origin,)
        )
        return [(row["known"], row["other"]) for row in rows]

    def close(self) -> None:
        """Close the database."""
        self._database.close()


def open_store(path: Path, origins: Iterable[str]) -> Store:
    """The store at `path`, with a row for each log; a new log begins as an empty tree.

    Raises:
        UnavailableError: the database cannot be opened.
    """
    schema = resources.files(__package__).joinpath("schema.sql").read_text(encoding="utf-8")
    database = open_database(path, schema)
    with database.write() as tx:
        for origin in origins:
            tx.execute(
                "INSERT OR IGNORE INTO logs VALUES (?, 0, ?, 0, ?)", (origin, EMPTY_ROOT, b"")
            )
    return Store(database)
