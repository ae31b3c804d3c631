"""What the desk keeps of credits: offers, requests, links, and which way each tip went.

    credits.sqlite     readable by the desk's own account only, like all of its folder

Here alone stands which tip a credit was given for: whoever is to know the tips and not this is
given the desk's other files. Rows only come to be and get their missing parts.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from safeconduct.plumbing.database import Database, Row, Value, open_database
from safeconduct.protocol.gazette import CreditGroup

CREDITS_FILE = "credits.sqlite"
CLAIMED, CREDITED = "claimed", "credited"

_TAKE_WAY = "INSERT INTO ways (hash, way) VALUES (?, ?) ON CONFLICT (hash) DO NOTHING"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A verified request; `hash` is the tip's it is for, `follow_up` the tip's it came with."""

    hash: bytes
    group: CreditGroup
    follow_up: bytes
    request: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """The board's link from a tip to its credit, and how far it has come; see the schema."""

    hash: bytes
    group: CreditGroup
    link: bytes
    credit: bytes
    proof: bytes = b""
    answer: bytes = b""


class CreditStore:
    """The desk's database of credits; any thread and process may call."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def claim(self, digest: bytes) -> str:
        """Which way the tip goes, now that it is claimed with: the first ever taken."""
        with self._database.write() as transaction:
            transaction.execute(_TAKE_WAY, (digest, CLAIMED))
        return self.way(digest)

    def way(self, digest: bytes) -> str:
        """`claimed` or `credited`; empty as long as neither has happened."""
        rows = self._read("SELECT way FROM ways WHERE hash = ?", (digest,))
        return str(rows[0]["way"]) if rows else ""

    def enter_offer(self, digest: bytes, group: CreditGroup, record: bytes) -> bytes:
        """The signed offer of this group that stands: the first one entered."""
        with self._database.write() as transaction:
            transaction.execute(
                "INSERT INTO offers (hash, statute, class, period, record)"
                " VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
                (*_key(digest, group), record),
            )
        standing = self.offer(digest, group)
        assert standing is not None
        return standing

    def offer(self, digest: bytes, group: CreditGroup) -> bytes | None:
        """The signed offer of a credit of this group for this tip."""
        rows = self._read(
            "SELECT record FROM offers"
            " WHERE hash = ? AND statute = ? AND class = ? AND period = ?",
            _key(digest, group),
        )
        return bytes(rows[0]["record"]) if rows else None

    def is_offered(self, digest: bytes) -> bool:
        """Whether the tip was offered a credit of any group."""
        return bool(self._read("SELECT 1 FROM offers WHERE hash = ? LIMIT 1", (digest,)))

    def enter_request(self, kept: Kept) -> Kept:
        """The request of this tip and group that stands: the first one entered."""
        with self._database.write() as transaction:
            transaction.execute(
                "INSERT INTO requests (hash, statute, class, period, follow_up, request)"
                " VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
                (*_key(kept.hash, kept.group), kept.follow_up, kept.request),
            )
        return next(one for one in self.requests_for(kept.hash) if one.group == kept.group)

    def requests_for(self, digest: bytes) -> list[Kept]:
        """The requests of one tip, at most one for each group, in the order they came."""
        sql = "SELECT * FROM requests WHERE hash = ? ORDER BY rowid"
        return [_kept(row) for row in self._read(sql, (digest,))]

    def requests(self) -> list[Kept]:
        """All requests, in the order they came."""
        return [_kept(row) for row in self._read("SELECT * FROM requests ORDER BY rowid")]

    def enter_link(self, made: Link) -> Link | None:
        """The tip's link that stands: the first one entered; None if it was claimed with."""
        with self._database.write() as transaction:
            transaction.execute(_TAKE_WAY, (made.hash, CREDITED))
            transaction.execute(
                "INSERT INTO links (hash, statute, class, period, link, credit)"
                " SELECT ?, ?, ?, ?, ?, ? FROM ways WHERE hash = ? AND way = 'credited'"
                " ON CONFLICT (hash) DO NOTHING",
                (*_key(made.hash, made.group), made.link, made.credit or None, made.hash),
            )
        return self.link(made.hash)

    def link(self, digest: bytes) -> Link | None:
        """The link of a tip, if it has one."""
        rows = self._read("SELECT * FROM links WHERE hash = ?", (digest,))
        return _link(rows[0]) if rows else None

    def enter_proof(self, digest: bytes, proof: bytes) -> None:
        """Note that the Ledger has the link."""
        with self._database.write() as transaction:
            transaction.execute(
                "UPDATE links SET proof = ? WHERE hash = ? AND proof IS NULL", (proof, digest)
            )

    def enter_answer(self, digest: bytes, answer: bytes) -> None:
        """Keep what is handed to the source: from now on it is this, and counts as issued."""
        with self._database.write() as transaction:
            transaction.execute(
                "UPDATE links SET answer = ? WHERE hash = ? AND answer IS NULL",
                (answer, digest),
            )

    def issued(self) -> dict[CreditGroup, int]:
        """How many credits of each group were issued."""
        rows = self._read(
            "SELECT statute, class, period, count(*) AS issued FROM links"
            " WHERE answer IS NOT NULL GROUP BY statute, class, period"
            " ORDER BY statute, class, period"
        )
        return {_group(row): int(row["issued"]) for row in rows}

    def _read(self, sql: str, values: tuple[Value, ...] = ()) -> list[Row]:
        return self._database.read(sql, values)


@contextmanager
def open_credits(folder: Path) -> Iterator[CreditStore]:
    """The credits of the desk in `folder`, closed at the end of the block."""
    schema = resources.files(__package__).joinpath("credits.sql").read_text()
    database = open_database(folder / CREDITS_FILE, schema)
    try:
        yield CreditStore(database)
    finally:
        database.close()


def _key(digest: bytes, group: CreditGroup) -> tuple[Value, ...]:
    return (digest, group.statute, group.word, group.period)


def _group(row: Row) -> CreditGroup:
    return CreditGroup(statute=row["statute"], word=row["class"], period=row["period"])


def _kept(row: Row) -> Kept:
    return Kept(
        hash=row["hash"],
        group=_group(row),
        follow_up=row["follow_up"],
        request=row["request"],
    )


def _link(row: Row) -> Link:
    return Link(
        hash=row["hash"],
        group=_group(row),
        link=row["link"],
        credit=row["credit"] or b"",
        proof=row["proof"] or b"",
        answer=row["answer"] or b"",
    )
