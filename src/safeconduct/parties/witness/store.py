"""What a witness remembers: the largest tree per log, and what may be evidence one day.

Of each log it keeps the latest checkpoint, the last 256 that were cosigned, the first new one
of each day for ever, up to 64 signed checkpoints that nothing explains, and every proof of a
fork. That is at most 2 MB a log, and 2 MB more a year, with both kinds of signatures.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from safeconduct.plumbing.database import Database, Transaction, open_database
from safeconduct.protocol.tlog.merkle import EMPTY_ROOT, Tree

COSIGNED_KEPT = 256
"""Trees per log whose checkpoints stay, besides the first new one of each day."""
UNEXPLAINED_KEPT = 64
_SCHEMA_VERSION = 2
_DAY_SECONDS = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Latest:
    """The largest tree of a log that was cosigned; `checkpoint` is empty before the first."""

    tree: Tree
    cosigned_at: int
    checkpoint: bytes
    forked: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A log as the list that brought it described it; `requests_per_day` None is no limit."""

    origin: str
    vkeys: tuple[str, ...]
    requests_per_day: int | None = None


class Store:
    """The witness's database; safe between threads and between processes."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def latest(self, origin: str) -> Latest:
        """What is known of a log that the store was told to `remember`."""
        (row,) = self._database.read("SELECT * FROM logs WHERE origin = ?", (origin,))
        return Latest(
            tree=Tree(size=row["tree_size"], root_hash=row["root_hash"]),
            cosigned_at=row["cosigned_at"],
            checkpoint=row["checkpoint"],
            forked=bool(row["forked"]),
        )

    def remember(self, origins: Iterable[str]) -> None:
        """Have a row for each log; a new one begins as an empty tree, cosigned never."""
        with self._database.write() as tx:
            for origin in origins:
                tx.execute(
                    "INSERT OR IGNORE INTO logs VALUES (?, 0, ?, 0, 0, ?)",
                    (origin, EMPTY_ROOT, b""),
                )

    def advance(self, origin: str, old: Latest, new: Latest) -> bool:
        """Replace `old` by `new`, durably; False, and no change, if it is `old` no more.

        The comparison stands in the statement itself, so that it holds whatever other threads
        or processes do between the check of a proof and this write.
        """
        with self._database.write() as tx:
            changed = tx.execute(
                "UPDATE logs SET tree_size = ?, root_hash = ?, cosigned_at = ?, checkpoint = ?"
                " WHERE origin = ? AND tree_size = ? AND root_hash = ? AND cosigned_at <= ?"
                " AND forked = 0",
                (
                    *(new.tree.size, new.tree.root_hash, new.cosigned_at, new.checkpoint),
                    *(origin, old.tree.size, old.tree.root_hash, new.cosigned_at),
                ),
            )
            if changed and new.tree.size > old.tree.size:
                _keep_cosigned(tx, origin, old, new)
        return changed == 1

    def checkpoints_at(self, origin: str, tree_size: int) -> list[bytes]:
        """The notes of one size that are kept of a log, cosigned or unexplained."""
        rows = self._database.read(
            "SELECT checkpoint FROM cosigned WHERE origin = ?1 AND tree_size = ?2 UNION ALL "
            "SELECT checkpoint FROM unexplained WHERE origin = ?1 AND tree_size = ?2",
            (origin, tree_size),
        )
        return [row["checkpoint"] for row in rows]

    def keep_unexplained(self, origin: str, tree: Tree, checkpoint: bytes, at: int) -> None:
        """Keep a note that the log signed and nobody proved; the oldest of 64 gives way."""
        with self._database.write() as tx:
            added = tx.execute(
                "INSERT OR IGNORE INTO unexplained VALUES (?, ?, ?, ?, ?)",
                (origin, tree.size, tree.root_hash, at, checkpoint),
            )
            if added:
                tx.execute(
                    "DELETE FROM unexplained WHERE rowid IN (SELECT rowid FROM unexplained"
                    " WHERE origin = ? ORDER BY rowid DESC LIMIT -1 OFFSET ?)",
                    (origin, UNEXPLAINED_KEPT),
                )

    def keep_fork(self, origin: str, name: str, fork: bytes, at: int) -> None:
        """Keep a proof of two histories; from now on nothing `advance`s this log."""
        with self._database.write() as tx:
            tx.execute(
                "INSERT OR IGNORE INTO forks VALUES (?, ?, ?, ?)", (origin, name, at, fork)
            )
            tx.execute("UPDATE logs SET forked = 1 WHERE origin = ? AND NOT forked", (origin,))

    def forks(self, origin: str | None = None) -> dict[str, bytes]:
        """The proofs of forks by their file names, of one log or of all, oldest first."""
        rows = self._database.read(
            "SELECT name, fork FROM forks WHERE ?1 IS NULL OR origin = ?1 ORDER BY rowid",
            (origin,),
        )
        return {row["name"]: row["fork"] for row in rows}

    def add_listed(self, logs: Iterable[Listed]) -> None:
        """Keep the logs that no list has brought before; the others stay as they came."""
        with self._database.write() as tx:
            for log in logs:
                tx.execute(
                    "INSERT OR IGNORE INTO listed VALUES (?, ?, ?)",
                    (log.origin, "\n".join(log.vkeys), log.requests_per_day),
                )

    def listed(self) -> list[Listed]:
        """Every log that a list has brought."""
        rows = self._database.read("SELECT * FROM listed ORDER BY origin")
        return [
            Listed(
                origin=row["origin"],
                vkeys=tuple(row["vkeys"].split("\n")),
                requests_per_day=row["requests_per_day"],
            )
            for row in rows
        ]

    def close(self) -> None:
        """Close the database."""
        self._database.close()


def open_store(path: Path, origins: Iterable[str] = ()) -> Store:
    """The store at `path`, with a row for each log; a new log begins as an empty tree.

    Raises:
        UnavailableError: it cannot be opened, or another release wrote it.
    """
    schema = resources.files(__package__).joinpath("schema.sql").read_text(encoding="utf-8")
    store = Store(open_database(path, schema, version=_SCHEMA_VERSION))
    store.remember(origins)
    return store


def _keep_cosigned(tx: Transaction, origin: str, old: Latest, new: Latest) -> None:
    """Keep the note of a new tree, let go of the one 256 trees back, unless it began a day."""
    is_first = new.cosigned_at // _DAY_SECONDS > old.cosigned_at // _DAY_SECONDS
    size = new.tree.size
    tx.execute(
        "INSERT INTO cosigned VALUES (?, ?, ?, ?)", (origin, size, is_first, new.checkpoint)
    )
    # Trees only grow, so the order of sizes is the order of time.
    tx.execute(
        "DELETE FROM cosigned WHERE NOT first_of_day AND origin = ?1 AND tree_size ="
        " (SELECT tree_size FROM cosigned WHERE origin = ?1 ORDER BY tree_size DESC"
        " LIMIT 1 OFFSET ?2)",
        (origin, COSIGNED_KEPT),
    )
    tx.execute(
        "DELETE FROM unexplained WHERE origin = ? AND tree_size = ? AND root_hash = ?",
        (origin, size, new.tree.root_hash),
    )
