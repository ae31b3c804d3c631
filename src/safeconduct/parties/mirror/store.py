"""What a mirror knows besides the logs' files: checkpoints, the place of each entry, the shelf.

Three databases, for three fates: the checkpoints cannot be had again, the index can be made
again from the files, and the shelf only ever grows.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from importlib import resources
from itertools import islice
from pathlib import Path

from safeconduct.errors import UnavailableError
from safeconduct.plumbing.database import Database, Row, Transaction, open_database
from safeconduct.protocol.capsule import SHELF_ENTRY_BYTES
from safeconduct.protocol.tlog.merkle import Tree

CHECKPOINTS_MAX = 100_000
"""Checkpoints kept per log; beyond, those go whose dates lie closest to the next."""
CHECKPOINTS_THINNED = 1_000
SHELF_BYTES_MAX = 1 << 30
"""As large as the door's shelf may be: what a source is ready to fetch."""
_PAGE_ROWS = 256

# No two neighbours go at once, so each entry's date moves by one small step at most.
_THIN = """
DELETE FROM checkpoints WHERE tree_size IN (
    SELECT tree_size FROM (
        SELECT tree_size, row_number() OVER sizes AS row,
            lead(logged_by) OVER sizes - logged_by AS gap
        FROM checkpoints WINDOW sizes AS (ORDER BY tree_size)
    ) WHERE gap IS NOT NULL AND row % 2 = 0 ORDER BY gap LIMIT ?
)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A tree whose date was verified: the quorum knew it by `logged_by`, in POSIX seconds."""

    tree: Tree
    logged_by: int
    note: bytes


class Checkpoints:
    """The checkpoints of one log up to which everything was copied and verified."""

    def __init__(self, path: Path, most: int = CHECKPOINTS_MAX) -> None:
        self._database = _open(path, "checkpoints.sql")
        self._most = most

    def keep(self, seen: Seen) -> None:
        """Add a checkpoint, durably: from here on its tree is the mirror's.

        Smaller trees that are dated no earlier say nothing more, and go.
        """
        with self._database.write() as tx:
            tx.execute(
                "DELETE FROM checkpoints WHERE counts AND tree_size <= ? AND logged_by >= ?",
                (seen.tree.size, seen.logged_by),
            )
            tx.execute(
                "INSERT INTO checkpoints VALUES (?, ?, ?, ?, 1) ON CONFLICT DO UPDATE"
                " SET logged_by = excluded.logged_by, note = excluded.note, counts = 1,"
                " root_hash = excluded.root_hash WHERE NOT counts",
                (seen.tree.size, seen.tree.root_hash, seen.logged_by, seen.note),
            )
            [(count,)] = tx.read("SELECT count(*) FROM checkpoints")
            if count > self._most:
                tx.execute(_THIN, (CHECKPOINTS_THINNED,))

    def judge(self, policy: bytes, date_of: Callable[[bytes], int | None]) -> None:
        """Date all notes again, unless they were dated under this very policy.

        `policy` is its hash; `date_of` gives a note's date under it, or None if it has none.
        """
        [(judged,)] = self._database.read("SELECT policy FROM judged")
        if judged == policy:
            return
        sizes = self._database.read("SELECT tree_size FROM checkpoints ORDER BY tree_size DESC")
        earliest: int | None = None
        with self._database.write() as tx:
            for (size,) in sizes:
                [(note,)] = tx.read("SELECT note FROM checkpoints WHERE tree_size = ?", (size,))
                at = date_of(note)
                counts = at is not None and (earliest is None or at < earliest)
                earliest = at if counts else earliest
                tx.execute(
                    "UPDATE checkpoints SET counts = ?, logged_by = ifnull(?, logged_by)"
                    " WHERE tree_size = ?",
                    (int(counts), at, size),
                )
            tx.execute("UPDATE judged SET policy = ?", (policy,))

    def latest(self) -> Seen | None:
        """The largest tree that was copied; None before the first."""
        return self._one("SELECT * FROM checkpoints ORDER BY tree_size DESC LIMIT 1", ())

    def covering(self, index: int) -> Seen | None:
        """The checkpoint that dates entry `index` best; None if it is not copied yet.

        The smallest tree that holds it: dates grow with the trees.
        """
        return self._one(
            "SELECT * FROM checkpoints WHERE counts AND tree_size > ?"
            " ORDER BY tree_size LIMIT 1",
            (index,),
        )

    def cosigned_at(self) -> int:
        """The date of our last cosignature, in POSIX seconds; 0 if there is none."""
        [(at,)] = self._database.read("SELECT at FROM cosigned")
        assert isinstance(at, int)
        return at

    def will_cosign(self, at: int) -> None:
        """Remember, durably, a date before it is signed; never an earlier one."""
        with self._database.write() as tx:
            tx.execute("UPDATE cosigned SET at = max(at, ?)", (at,))

    def close(self) -> None:
        """Close the database."""
        self._database.close()

    def _one(self, select: str, parameters: tuple[int, ...]) -> Seen | None:
        rows = self._database.read(select, parameters)
        return _seen(rows[0]) if rows else None


class Index:
    """Where each entry of one log stands, and how far copying has come."""

    def __init__(self, path: Path) -> None:
        self._database = _open(path, "index.sql")

    def size(self) -> int:
        """How many entries were taken up."""
        [(size,)] = self._database.read("SELECT tree_size FROM progress")
        assert isinstance(size, int)
        return size

    def extend(self, leaf_hashes: Sequence[bytes]) -> None:
        """Take up the next entries, durably; their files must be on the disk already."""
        with self._database.write() as tx:
            [(size,)] = tx.read("SELECT tree_size FROM progress")
            for place, leaf in enumerate(leaf_hashes, size):
                tx.execute("INSERT OR IGNORE INTO leaves VALUES (?, ?)", (leaf, place))
            tx.execute("UPDATE progress SET tree_size = ?", (size + len(leaf_hashes),))

    def cut(self, tree_size: int) -> None:
        """Forget all entries from number `tree_size` on."""
        with self._database.write() as tx:
            tx.execute("DELETE FROM leaves WHERE place >= ?", (tree_size,))
            tx.execute("UPDATE progress SET tree_size = min(tree_size, ?)", (tree_size,))

    def find(self, leaf_hash: bytes) -> int | None:
        """The first place of an entry; None if it was never seen."""
        rows = self._database.read("SELECT place FROM leaves WHERE leaf = ?", (leaf_hash,))
        return rows[0]["place"] if rows else None

    def close(self) -> None:
        """Close the database."""
        self._database.close()


class Shelf:
    """The capsules of everybody, `slot ‖ capsule` each; any thread may call."""

    def __init__(self, path: Path, bytes_max: int = SHELF_BYTES_MAX) -> None:
        self._database = _open(path, "shelf.sql")
        self._most = bytes_max // SHELF_ENTRY_BYTES

    def add(self, entries: Iterable[bytes]) -> None:
        """Keep all entries that are not kept yet, durably.

        Raises:
            UnavailableError: the shelf is full, or the disk refused.
        """
        left = iter(entries)
        while page := list(islice(left, _PAGE_ROWS)):
            if not self._add_page(page):
                raise UnavailableError("the copy of the shelf is full")

    def _add_page(self, page: Sequence[bytes]) -> bool:
        """False if there was no room for all that is new."""
        with self._database.write() as tx:
            for entry in page:
                tx.execute(
                    "INSERT OR IGNORE INTO capsules (hash, entry) SELECT ?, ?"
                    " WHERE (SELECT ifnull(max(number), 0) FROM capsules) < ?",
                    (sha256(entry).digest(), entry, self._most),
                )
            last = tx.read("SELECT 1 FROM capsules WHERE number = ?", (self._most,))
            return not last or all(_is_held(tx, entry) for entry in page)

    def pieces(self) -> Iterator[bytes]:
        """The whole shelf, in the order it came."""
        last = 0
        while rows := self._database.read(
            "SELECT number, entry FROM capsules WHERE number > ? ORDER BY number LIMIT ?",
            (last, _PAGE_ROWS),
        ):
            yield b"".join(row["entry"] for row in rows)
            last = rows[-1]["number"]

    def close(self) -> None:
        """Close the database."""
        self._database.close()


def _is_held(tx: Transaction, entry: bytes) -> bool:
    digest = sha256(entry).digest()
    return bool(tx.read("SELECT 1 FROM capsules WHERE hash = ?", (digest,)))


def _seen(row: Row) -> Seen:
    tree = Tree(size=row["tree_size"], root_hash=row["root_hash"])
    return Seen(tree=tree, logged_by=row["logged_by"], note=row["note"])


def _open(path: Path, schema: str) -> Database:
    text = resources.files(__package__).joinpath(schema).read_text(encoding="utf-8")
    return open_database(path, text)
