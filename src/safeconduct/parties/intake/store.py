"""What the door keeps: payloads as blobs, everything else in one database.

A payload comes in by pieces, and is kept for good when it is whole, hashed and synced; only
then is it entered, so that an entry always has its payload.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from safeconduct.errors import ConflictError, RefusedError, UnavailableError
from safeconduct.plumbing.blobs import Blobs
from safeconduct.plumbing.database import open_database
from safeconduct.protocol.capsule import SHELF_ENTRY_BYTES
from safeconduct.protocol.record import record_hash, upload_name
from safeconduct.protocol.reply import BLOCK_BYTES

CAPSULES_PER_SLOT_MAX = 4
SHELF_BYTES_MAX = 1 << 30
BULLETIN_BYTES_MAX = 1 << 30
DISK_RESERVE_BYTES = 256 << 20  # below this the door takes commits, but no more envelopes
DROP_SECONDS = 3_600
DROPPED_MAX = 1_000  # deliveries that are forgotten at once, while somebody waits
_PAGE_ROWS = 256
_SCHEMA_VERSION = 2

_SELECT_ONE = """
SELECT number, hash, record, proof, header, delivery, delivery_proof FROM deliveries
WHERE hash = ?
"""
_SELECT_AFTER = """
SELECT number, hash, record, proof, header, delivery, delivery_proof FROM deliveries
WHERE number > ? AND delivery_proof IS NOT NULL
AND NOT EXISTS (SELECT 1 FROM withdrawals WHERE withdrawals.hash = deliveries.hash)
ORDER BY number LIMIT ?
"""
_ANNOUNCE = """
INSERT INTO announced (hash, upload, record, proof, header, until) VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT (hash) DO UPDATE SET header = excluded.header, until = min(until, excluded.until)
WHERE NOT EXISTS (SELECT 1 FROM deliveries WHERE deliveries.hash = excluded.hash)
"""
_TAKE_IN = """
INSERT INTO deliveries (hash, record, proof, header, delivery, delivery_proof)
VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT (hash) DO UPDATE SET
delivery_proof = CASE WHEN deliveries.delivery = excluded.delivery
    THEN coalesce(deliveries.delivery_proof, excluded.delivery_proof)
    ELSE deliveries.delivery_proof END
"""
_WITHDRAWN = """
SELECT w.number, w.hash, w.record, w.signed, w.proof, h.whole,
d.hash IS NOT NULL AS delivered FROM withdrawals AS w
LEFT JOIN handed AS h USING (hash) LEFT JOIN deliveries AS d USING (hash)
"""
_SELECT_LATE = """
SELECT hash FROM announced WHERE until < ?
AND NOT EXISTS (SELECT 1 FROM deliveries WHERE deliveries.hash = announced.hash) LIMIT ?
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Announced:
    """An envelope whose delivery has begun."""

    record: bytes
    proof: bytes
    header: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered:
    """An envelope that is held whole; `delivery_proof` is empty until the Ledger has it."""

    number: int
    hash: bytes
    record: bytes
    proof: bytes
    header: bytes
    delivery: bytes
    delivery_proof: bytes


NOT_DELIVERED, UNREAD, IN_PART, READ = "not delivered", "unread", "in part", "read"


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawn:
    """A tip that its author took back; `proof` is empty until the Ledger has the withdrawal.

    `handed` says what the desk was given before: the tip was not delivered, unread, given in
    part, or read, which stands for given as a whole.
    """

    number: int
    hash: bytes
    record: bytes
    signed: bytes
    proof: bytes
    handed: str


class Store:
    """The door's folder. One process writes to it; any thread may call."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.payloads = Blobs(folder / "tips")
        schema = resources.files(__package__).joinpath("schema.sql").read_text()
        self._database = open_database(folder / "door.sqlite", schema, version=_SCHEMA_VERSION)
        self._dropped_at = 0

    def announce(self, announced: Announced, until: int) -> int:
        """Enter the beginning of a delivery; returns how many payload bytes are held.

        Until the envelope is delivered, the header announced last counts: whoever tries again
        from nothing has sealed the file key anew. `until` is the end of the delivery window in
        POSIX seconds; of several, the earliest counts.

        Raises:
            RefusedError: the tip was withdrawn.
            UnavailableError: the disk is nearly full.
        """
        self._check_room(0)
        digest, upload = record_hash(announced.record), upload_name(announced.record)
        self._check_not_withdrawn(digest)
        with self._database.write() as transaction:
            transaction.execute(
                _ANNOUNCE,
                (digest, upload, announced.record, announced.proof, announced.header, until),
            )
        return self.payloads.held_bytes(digest)

    def drop_late(self, now: int) -> None:
        """Once an hour, forget deliveries that did not end in their window, before `now`.

        Else whoever begins deliveries and ends none could fill the disk for good, with payloads
        or with announcements. `now` is in POSIX seconds.
        """
        if 0 <= now - self._dropped_at < DROP_SECONDS:
            return
        self._dropped_at = now
        for (digest,) in self._database.read(_SELECT_LATE, (now, DROPPED_MAX)):
            with self.payloads.turn(digest):
                if self.delivered(digest) is None:  # it may just have ended
                    self.payloads.discard(digest)
                    with self._database.write() as transaction:
                        transaction.execute("DELETE FROM announced WHERE hash = ?", (digest,))

    def _check_room(self, size: int) -> None:
        try:
            self.payloads.check_room(size, DISK_RESERVE_BYTES)
        except UnavailableError as error:
            raise UnavailableError(
                "the door has no room for envelopes now",
                hint="your date is safe: commit now, and deliver within the delivery window",
            ) from error

    def digest_of(self, upload: bytes) -> bytes:
        """The record hash of the delivery that was begun under this upload name.

        Raises:
            RefusedError: none was.
        """
        rows = self._database.read("SELECT hash FROM announced WHERE upload = ?", (upload,))
        if not rows:
            raise RefusedError(
                "no delivery was begun under this name", hint="announce it first"
            )
        digest: bytes = rows[0]["hash"]
        return digest

    def announced(self, digest: bytes) -> tuple[Announced, int]:
        """The delivery that was begun for this record hash, and the end of its window.

        Raises:
            RefusedError: none was.
        """
        rows = self._database.read(
            "SELECT record, proof, header, until FROM announced WHERE hash = ?", (digest,)
        )
        if not rows:
            raise RefusedError(
                "no delivery was begun for this record", hint="announce it first"
            )
        record, proof, header, until = rows[0]
        return Announced(record=record, proof=proof, header=header), until

    def append(self, digest: bytes, offset: int, piece: bytes) -> int:
        """Add the payload's bytes at `offset`, in this delivery's turn; see `Blobs.append`.

        Raises:
            ConflictError: bytes before `offset` are missing, or others are held there.
            UnavailableError: the disk refused, or is nearly full.
        """
        self._check_room(len(piece))
        try:
            return self.payloads.append(digest, offset, piece)
        except UnavailableError:
            self._check_room(len(piece))  # somebody else may have filled the disk meanwhile
            raise

    def keep(self, announced: Announced, delivery: bytes) -> Delivered:
        """Keep the payload and enter it; from then on the door answers for it.

        What is entered is `announced` as it was signed for, whatever was announced since.

        Raises:
            RefusedError: the tip was withdrawn.
        """
        digest = record_hash(announced.record)
        self._check_not_withdrawn(digest)
        self.payloads.keep(digest)
        with self._database.write() as transaction:
            transaction.execute(
                "INSERT INTO deliveries (hash, record, proof, header, delivery)"
                " VALUES (?, ?, ?, ?, ?) ON CONFLICT (hash) DO NOTHING",
                (digest, announced.record, announced.proof, announced.header, delivery),
            )
        kept = self.delivered(digest)
        assert kept is not None
        return kept

    def take_in(
        self, announced: Announced, until: int, delivery: bytes, delivery_proof: bytes
    ) -> None:
        """Enter an envelope that the door sealed itself, whose payload is kept already.

        Raises:
            RefusedError: the tip was withdrawn.
        """
        digest, upload = record_hash(announced.record), upload_name(announced.record)
        self._check_not_withdrawn(digest)
        brought = (announced.record, announced.proof, announced.header)
        with self._database.write() as transaction:
            transaction.execute(_ANNOUNCE, (digest, upload, *brought, until))
            transaction.execute(_TAKE_IN, (digest, *brought, delivery, delivery_proof))

    def enter_proof(self, digest: bytes, proof: bytes) -> None:
        """Note that the Ledger has the delivery record."""
        with self._database.write() as transaction:
            transaction.execute(
                "UPDATE deliveries SET delivery_proof = ? WHERE hash = ?", (proof, digest)
            )

    def delivered(self, digest: bytes) -> Delivered | None:
        """The envelope with this record hash, if it is held whole."""
        found = self._deliveries(_SELECT_ONE, (digest,))
        return found[0] if found else None

    def deliveries_after(self, number: int, limit: int) -> list[Delivered]:
        """Up to `limit` envelopes after `number`, in order; only those the Ledger knows of."""
        return self._deliveries(_SELECT_AFTER, (number, limit))

    def last_number(self) -> int:
        """The number of the last envelope that was taken in; 0 for none."""
        [row] = self._database.read("SELECT coalesce(max(number), 0) AS last FROM deliveries")
        last: int = row["last"]
        return last

    def _deliveries(self, select: str, parameters: tuple[int | bytes, ...]) -> list[Delivered]:
        rows = self._database.read(select, parameters)
        return [
            Delivered(
                number=row["number"],
                hash=row["hash"],
                record=row["record"],
                proof=row["proof"],
                header=row["header"],
                delivery=row["delivery"],
                delivery_proof=row["delivery_proof"] or b"",
            )
            for row in rows
        ]

    # Withdrawals.

    def contribution(self, digest: bytes) -> bytes | None:
        """The record of an envelope that is held, or is or was coming in."""
        rows = self._database.read(
            "SELECT record FROM deliveries WHERE hash = ? UNION ALL"
            " SELECT record FROM announced WHERE hash = ? LIMIT 1",
            (digest, digest),
        )
        return rows[0]["record"] if rows else None

    def mark_handed(self, digest: bytes, *, whole: bool) -> None:
        """Note that the desk was given some of a payload, or all; all stays all."""
        with self._database.write() as transaction:
            transaction.execute(
                "INSERT INTO handed (hash, whole) VALUES (?, ?) ON CONFLICT (hash)"
                " DO UPDATE SET whole = max(whole, excluded.whole)",
                (digest, int(whole)),
            )

    def withdraw(self, digest: bytes, record: bytes, signed: bytes) -> Withdrawn:
        """Enter a withdrawal and erase what is held of the payload; the first one stands."""
        with self.payloads.turn(digest):
            with self._database.write() as transaction:
                transaction.execute(
                    "INSERT INTO withdrawals (hash, record, signed) VALUES (?, ?, ?)"
                    " ON CONFLICT (hash) DO NOTHING",
                    (digest, record, signed),
                )
            self.payloads.erase(digest)
        found = self.withdrawn(digest)
        assert found is not None
        return found

    def enter_withdrawal_proof(self, digest: bytes, proof: bytes) -> None:
        """Note that the Ledger has the withdrawal."""
        with self._database.write() as transaction:
            transaction.execute(
                "UPDATE withdrawals SET proof = ? WHERE hash = ? AND proof IS NULL",
                (proof, digest),
            )

    def withdrawn(self, digest: bytes) -> Withdrawn | None:
        """The withdrawal of the tip with this record hash, if there is one."""
        found = self._withdrawals(f"{_WITHDRAWN} WHERE w.hash = ?", (digest,))
        return found[0] if found else None

    def withdrawals_after(self, number: int, limit: int) -> list[Withdrawn]:
        """Up to `limit` withdrawals after `number`, in order; only those the Ledger has."""
        return self._withdrawals(
            f"{_WITHDRAWN} WHERE w.number > ? AND w.proof IS NOT NULL"
            " ORDER BY w.number LIMIT ?",
            (number, limit),
        )

    def _withdrawals(self, select: str, parameters: tuple[int | bytes, ...]) -> list[Withdrawn]:
        return [
            Withdrawn(
                number=row["number"],
                hash=row["hash"],
                record=row["record"],
                signed=row["signed"],
                proof=row["proof"] or b"",
                handed=_handed(row["delivered"], row["whole"]),
            )
            for row in self._database.read(select, parameters)
        ]

    def _check_not_withdrawn(self, digest: bytes) -> None:
        if self._database.read("SELECT 1 FROM withdrawals WHERE hash = ?", (digest,)):
            raise RefusedError("this tip was withdrawn", hint="what you send anew is a new tip")

    # Gates.

    def keep_before(self, limit_at: int, checkpoint: bytes) -> None:
        """Keep the newest checkpoint that was dated before a limit (POSIX seconds)."""
        with self._database.write() as transaction:
            transaction.execute(
                "INSERT INTO before_limits (limit_at, checkpoint) VALUES (?, ?)"
                " ON CONFLICT (limit_at) DO UPDATE SET checkpoint = excluded.checkpoint",
                (limit_at, checkpoint),
            )

    def before(self, limit_at: int) -> bytes:
        """The newest checkpoint seen that was dated before a limit; empty for none."""
        rows = self._database.read(
            "SELECT checkpoint FROM before_limits WHERE limit_at = ?", (limit_at,)
        )
        return rows[0]["checkpoint"] if rows else b""

    def keep_gate(self, statute: bytes, name: str, signed: bytes) -> bytes:
        """Keep a gate before it is logged; returns the one that stands, which is the first."""
        with self._database.write() as transaction:
            transaction.execute(
                "INSERT INTO gates (statute, name, signed) VALUES (?, ?, ?)"
                " ON CONFLICT (statute, name) DO NOTHING",
                (statute, name, signed),
            )
        return self.gate(statute, name)

    def gate(self, statute: bytes, name: str) -> bytes:
        """The gate that was signed for a date of a law; empty for none."""
        rows = self._database.read(
            "SELECT signed FROM gates WHERE statute = ? AND name = ?", (statute, name)
        )
        return rows[0]["signed"] if rows else b""

    def forget_gate(self, statute: bytes, name: str) -> None:
        """Drop a gate that can never be admitted, so that it is made anew."""
        with self._database.write() as transaction:
            transaction.execute(
                "DELETE FROM gates WHERE statute = ? AND name = ?", (statute, name)
            )

    # What strangers leave and read.

    def shelve(self, slot: bytes, blob: bytes, *, own: bool = False) -> None:
        """Keep one more version of a capsule; a quarter of the shelf is for our own ones.

        Strangers' capsules cost them nothing. However many they leave, the form stays open.

        Raises:
            RefusedError: the slot holds four versions.
            UnavailableError: the shelf is full.
        """
        with self._database.write() as transaction:
            held = transaction.read("SELECT blob FROM capsules WHERE slot = ?", (slot,))
            if any(row["blob"] == blob for row in held):
                return
            if len(held) >= CAPSULES_PER_SLOT_MAX:
                raise RefusedError("this slot holds all the versions it may")
            [(count,)] = transaction.read("SELECT count(*) FROM capsules")
            # A shelf longer than what its readers take would be of no use to anybody.
            room = SHELF_BYTES_MAX if own else SHELF_BYTES_MAX // 4 * 3
            if (count + 1) * SHELF_ENTRY_BYTES > room:
                raise UnavailableError("the shelf is full")
            transaction.execute("INSERT INTO capsules (slot, blob) VALUES (?, ?)", (slot, blob))

    def versions(self, slot: bytes) -> list[bytes]:
        """The capsules of one slot, in the order they came."""
        rows = self._database.read(
            "SELECT blob FROM capsules WHERE slot = ? ORDER BY number", (slot,)
        )
        return [row["blob"] for row in rows]

    def shelf(self) -> Iterator[bytes]:
        """All capsules, `slot ‖ capsule` each, in the order they came."""
        return self._pages("SELECT number, slot, blob FROM capsules")

    def post_reply(self, tag: bytes, block: bytes) -> None:
        """Put a block on the bulletin; the same block again is no error.

        Raises:
            ConflictError: another block stands under this tag.
            UnavailableError: the bulletin is full.
        """
        with self._database.write() as transaction:
            held = transaction.read("SELECT block FROM replies WHERE tag = ?", (tag,))
            if held and held[0]["block"] != block:
                raise ConflictError("another reply stands under this tag")
            if held:
                return
            [(count,)] = transaction.read("SELECT count(*) FROM replies")
            if (count + 1) * BLOCK_BYTES > BULLETIN_BYTES_MAX:
                raise UnavailableError("the bulletin is full")
            transaction.execute("INSERT INTO replies (tag, block) VALUES (?, ?)", (tag, block))

    def block(self, tag: bytes) -> bytes | None:
        """The reply block under a tag, if there is one."""
        rows = self._database.read("SELECT block FROM replies WHERE tag = ?", (tag,))
        return rows[0]["block"] if rows else None

    def bulletin(self) -> Iterator[bytes]:
        """All reply blocks, in the order they came."""
        return self._pages("SELECT number, block FROM replies")

    def _pages(self, select: str) -> Iterator[bytes]:
        last = 0
        while True:
            # `select` is one of two fixed texts, never an input.
            rows = self._database.read(
                f"{select} WHERE number > ? ORDER BY number LIMIT ?", (last, _PAGE_ROWS)
            )
            if not rows:
                return
            yield b"".join(part for row in rows for part in row[1:])
            last = rows[-1][0]


def _handed(delivered: int, whole: int | None) -> str:
    if not delivered:
        return NOT_DELIVERED
    return UNREAD if whole is None else READ if whole else IN_PART
