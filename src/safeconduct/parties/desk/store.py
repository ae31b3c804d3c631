"""What the desk keeps: rows in one database, payloads and opened files in a folder per tip.

    desk.sqlite
    tips/<record hash>/payload        ciphertext, as the door handed it over
    tips/<record hash>/opened/f0001…  its files in clear, 0600 in a folder 0700

Rows only ever come to be and get their missing parts; nothing that was said is changed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from safeconduct.errors import RefusedError
from safeconduct.plumbing.database import Row, Value, open_database
from safeconduct.plumbing.durable import make_folder

_SCHEMA_VERSION = 3
_SET_ASIDE = "INSERT INTO aside (hash) VALUES (?) ON CONFLICT (hash) DO NOTHING"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tip:
    """A tip whose date and delivery are proven; `logged_by` is in POSIX seconds."""

    number: int
    place: int
    hash: bytes
    record: bytes
    proof: bytes
    header: bytes
    delivery: bytes
    delivery_proof: bytes
    logged_by: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldBack:
    """What the door offered and the desk cannot take, with the reason in words."""

    place: int
    offer: bytes
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenBack:
    """An author's withdrawal of a tip; `place` is the door's number of it."""

    place: int
    hash: bytes
    signed: bytes
    proof: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledged:
    """The desk's answer to a tip; `proof` is empty until the Ledger has it."""

    hash: bytes
    status: str
    other: bytes
    content: bytes
    reason: str
    manifest: bytes
    record: bytes
    proof: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Destroyed:
    """The desk's word that an epoch's keys are destroyed; `proof` is empty until logged."""

    epoch: int
    record: bytes
    proof: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """One reply, sealed once and for all; `mailbox` and `counter` name its block."""

    mailbox: bytes
    counter: int
    hash: bytes
    text: str
    block: bytes
    posted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CastVote:
    """One assessor's vote as canonical JSON, and the seal that it was handed in under."""

    voter: str
    assessor: str
    seal: bytes
    vote: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptStatement:
    """What somebody said in public; `speaker` is empty if it is not known."""

    name: str
    speaker: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessed:
    """One version of a tip's assessment; `proof` is empty until the Ledger has it."""

    number: int
    hash: bytes
    grade: str
    votes: bytes
    findings: bytes
    record: bytes
    proof: bytes = b""


class Store:
    """The desk's folder; any thread may call."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        make_folder(folder / "tips", mode=0o700)
        schema = resources.files(__package__).joinpath("schema.sql").read_text()
        self._database = open_database(folder / "desk.sqlite", schema, version=_SCHEMA_VERSION)

    def close(self) -> None:
        """Close the database; the object is of no use afterwards."""
        self._database.close()

    def tip_folder(self, digest: bytes) -> Path:
        """The folder of one tip; its name is the record hash, never anything a source chose."""
        return self._folder / "tips" / digest.hex()

    def payload_path(self, digest: bytes) -> Path:
        """The file that holds a tip's ciphertext."""
        return self.tip_folder(digest) / "payload"

    # Tips, as they come from the door.

    def enter_tip(self, tip: Tip) -> None:
        """Enter a tip whose payload is on the disk; the same tip again is no error."""
        with self._database.write() as transaction:
            transaction.execute(
                "INSERT INTO tips"
                " (place, hash, record, proof, header, delivery, delivery_proof, logged_by)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (hash) DO NOTHING",
                (
                    tip.place,
                    tip.hash,
                    tip.record,
                    tip.proof,
                    tip.header,
                    tip.delivery,
                    tip.delivery_proof,
                    tip.logged_by,
                ),
            )
            transaction.execute("DELETE FROM held_back WHERE place = ?", (tip.place,))

    def hold_back(self, held: HeldBack) -> None:
        """Keep what cannot be taken, with the newest reason."""
        with self._database.write() as transaction:
            transaction.execute(
                "INSERT INTO held_back (place, offer, reason) VALUES (?, ?, ?)"
                " ON CONFLICT (place) DO UPDATE SET offer = excluded.offer,"
                " reason = excluded.reason",
                (held.place, held.offer, held.reason),
            )

    def held_back(self) -> list[HeldBack]:
        """What waits for the door to do better, in the door's order."""
        rows = self._read("SELECT place, offer, reason FROM held_back ORDER BY place")
        return [HeldBack(**_fields(row)) for row in rows]

    def last_place(self) -> int:
        """The door's number of the last offer that was taken or held back; 0 for none."""
        [row] = self._read(
            "SELECT max((SELECT coalesce(max(place), 0) FROM tips),"
            " (SELECT coalesce(max(place), 0) FROM held_back)) AS last"
        )
        last: int = row["last"]
        return last

    def tips(self) -> list[Tip]:
        """All tips, in the order they came."""
        return [Tip(**_fields(row)) for row in self._read("SELECT * FROM tips ORDER BY number")]

    def tip(self, digest: bytes) -> Tip:
        """The tip with this record hash.

        Raises:
            RefusedError: there is none.
        """
        rows = self._read("SELECT * FROM tips WHERE hash = ?", (digest,))
        if not rows:
            error = RefusedError(
                "the desk holds no such tip", hint="`list` shows those it holds"
            )
            error.http_status = 404
            raise error
        return Tip(**_fields(rows[0]))

    def set_aside(self, digest: bytes, *, back: bool = False) -> None:
        """Take a tip out of the list, or put it back; nothing else about it changes."""
        sql = "DELETE FROM aside WHERE hash = ?" if back else _SET_ASIDE
        with self._database.write() as transaction:
            transaction.execute(sql, (digest,))

    def is_aside(self, digest: bytes) -> bool:
        """Whether a tip was set aside."""
        return bool(self._read("SELECT 1 FROM aside WHERE hash = ?", (digest,)))

    # Withdrawals.

    def enter_withdrawal(self, made: TakenBack) -> None:
        """Enter a verified withdrawal; the same place again is no error."""
        with self._database.write() as transaction:
            transaction.execute(
                "INSERT INTO withdrawals (place, hash, signed, proof) VALUES (?, ?, ?, ?)"
                " ON CONFLICT (place) DO NOTHING",
                (made.place, made.hash, made.signed, made.proof),
            )

    def drop_held_back(self, place: int) -> None:
        """Forget an offer that was held back, for it is not made any more."""
        with self._database.write() as transaction:
            transaction.execute("DELETE FROM held_back WHERE place = ?", (place,))

    def last_withdrawal(self) -> int:
        """The door's number of the last withdrawal; 0 for none."""
        [row] = self._read("SELECT coalesce(max(place), 0) AS last FROM withdrawals")
        last: int = row["last"]
        return last

    def taken_back(self, digest: bytes) -> TakenBack | None:
        """The withdrawal of a tip, if its author took it back."""
        rows = self._read(
            "SELECT * FROM withdrawals WHERE hash = ? ORDER BY place LIMIT 1", (digest,)
        )
        return TakenBack(**_fields(rows[0])) if rows else None

    # Acknowledgements.

    def unacknowledged(self) -> list[Tip]:
        """Tips that nobody has opened yet and may still open, in order."""
        rows = self._read(
            "SELECT * FROM tips WHERE hash NOT IN (SELECT hash FROM acknowledgements)"
            " AND hash NOT IN (SELECT hash FROM withdrawals) ORDER BY number"
        )
        return [Tip(**_fields(row)) for row in rows]

    def enter_acknowledgement(self, made: Acknowledged) -> None:
        """Enter the answer to a tip; the first one entered counts for ever.

        Raises:
            ConflictError: another tip of the same content was acknowledged as new meanwhile.
        """
        with self._database.write() as transaction:
            transaction.execute(
                "INSERT INTO acknowledgements"
                " (hash, status, other, content, reason, manifest, record)"
                " VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (hash) DO NOTHING",
                (
                    made.hash,
                    made.status,
                    made.other,
                    made.content,
                    made.reason,
                    made.manifest or None,
                    made.record,
                ),
            )

    def acknowledged(self, digest: bytes) -> Acknowledged | None:
        """The answer to a tip, if it was opened."""
        found = self._acknowledgements(
            "SELECT * FROM acknowledgements WHERE hash = ?", (digest,)
        )
        return found[0] if found else None

    def acknowledgements(self) -> list[Acknowledged]:
        """All answers, in the order of their tips."""
        return self._acknowledgements(
            "SELECT a.* FROM acknowledgements AS a JOIN tips USING (hash) ORDER BY number"
        )

    def first_of_content(self, content: bytes) -> bytes | None:
        """The record hash of the tip that was acknowledged as new with this content root."""
        found = self._acknowledgements(
            "SELECT * FROM acknowledgements WHERE content = ? AND status = 'ok'", (content,)
        )
        return found[0].hash if found else None

    def enter_acknowledgement_proof(self, digest: bytes, proof: bytes) -> None:
        """Note that the Ledger has the acknowledgement."""
        with self._database.write() as transaction:
            transaction.execute(
                "UPDATE acknowledgements SET proof = ? WHERE hash = ? AND proof IS NULL",
                (proof, digest),
            )

    def _acknowledgements(self, sql: str, values: Sequence[Value] = ()) -> list[Acknowledged]:
        return [Acknowledged(**_fields(row)) for row in self._read(sql, values)]

    # The archive, and the end of an epoch's keys.

    def enter_archive_header(self, digest: bytes, archive: bytes, header: bytes) -> None:
        """Keep a tip's header for the archive with this record hash; the first counts."""
        with self._database.write() as transaction:
            transaction.execute(
                "INSERT INTO archive_headers (hash, archive, header) VALUES (?, ?, ?)"
                " ON CONFLICT (hash, archive) DO NOTHING",
                (digest, archive, header),
            )

    def archive_header(self, digest: bytes, archive: bytes) -> bytes:
        """A tip's header for that archive; empty if it has none."""
        rows = self._read(
            "SELECT header FROM archive_headers WHERE hash = ? AND archive = ?",
            (digest, archive),
        )
        return bytes(rows[0]["header"]) if rows else b""

    def archived_in(self, digest: bytes) -> list[bytes]:
        """The record hashes of the archives that a tip has a header for, oldest first."""
        rows = self._read(
            "SELECT archive FROM archive_headers WHERE hash = ? ORDER BY rowid", (digest,)
        )
        return [bytes(row["archive"]) for row in rows]

    def enter_destruction(self, made: Destroyed) -> None:
        """Keep what is to be said about an epoch's keys; the first word on each counts."""
        with self._database.write() as transaction:
            transaction.execute(
                "INSERT INTO destructions (epoch, record) VALUES (?, ?)"
                " ON CONFLICT (epoch) DO NOTHING",
                (made.epoch, made.record),
            )

    def enter_destruction_proof(self, epoch: int, proof: bytes) -> None:
        """Note that the Ledger has it."""
        with self._database.write() as transaction:
            transaction.execute(
                "UPDATE destructions SET proof = ? WHERE epoch = ? AND proof IS NULL",
                (proof, epoch),
            )

    def destruction(self, epoch: int) -> Destroyed | None:
        """What was said about the keys of an epoch, if anything."""
        rows = self._read("SELECT * FROM destructions WHERE epoch = ?", (epoch,))
        return Destroyed(**_fields(rows[0])) if rows else None

    # Replies.

    def enter_reply(self, sent: Sent) -> bool:
        """Enter a sealed reply before it is posted; False if its counter is taken."""
        with self._database.write() as transaction:
            changed = transaction.execute(
                "INSERT INTO replies (mailbox, counter, hash, text, block)"
                " VALUES (?, ?, ?, ?, ?) ON CONFLICT (mailbox, counter) DO NOTHING",
                (sent.mailbox, sent.counter, sent.hash, sent.text, sent.block),
            )
        return changed == 1

    def next_counter(self, mailbox: bytes) -> int:
        """The counter after the last reply to this mailbox."""
        [row] = self._read(
            "SELECT coalesce(max(counter) + 1, 0) AS next FROM replies WHERE mailbox = ?",
            (mailbox,),
        )
        counter: int = row["next"]
        return counter

    def mark_posted(self, sent: Sent) -> None:
        """Note that the door has the block."""
        with self._database.write() as transaction:
            transaction.execute(
                "UPDATE replies SET posted = 1 WHERE mailbox = ? AND counter = ?",
                (sent.mailbox, sent.counter),
            )

    def posted_count(self) -> int:
        """How many replies the door has."""
        [row] = self._read("SELECT count(*) AS posted FROM replies WHERE posted = 1")
        count: int = row["posted"]
        return count

    def replies(self, digest: bytes) -> list[Sent]:
        """The replies to a tip, in order."""
        rows = self._read("SELECT * FROM replies WHERE hash = ? ORDER BY counter", (digest,))
        return [_sent(row) for row in rows]

    def unposted(self) -> list[Sent]:
        """Replies that the door does not have yet, to any tip."""
        rows = self._read("SELECT * FROM replies WHERE posted = 0 ORDER BY rowid")
        return [_sent(row) for row in rows]

    # Votes and assessments.

    def cast(self, digest: bytes, cast: CastVote, votes_max: int) -> CastVote | None:
        """Enter a vote unless this voter has one; returns the voter's vote that stands.

        None if `votes_max` votes stood already: they are open, and this one came too late.
        """
        with self._database.write() as transaction:
            transaction.execute(
                "INSERT INTO votes (hash, voter, assessor, seal, vote) SELECT ?, ?, ?, ?, ?"
                " WHERE (SELECT count(*) FROM votes WHERE hash = ?) < ?"
                " ON CONFLICT (hash, voter) DO NOTHING",
                (
                    digest,
                    cast.voter,
                    cast.assessor,
                    cast.seal,
                    cast.vote,
                    digest,
                    votes_max,
                ),
            )
        own = [vote for vote in self.votes(digest) if vote.voter == cast.voter]
        return own[0] if own else None

    def votes(self, digest: bytes) -> list[CastVote]:
        """All votes on a tip, by voter. Whether they may be shown is for `vote` to say."""
        rows = self._read(
            "SELECT voter, assessor, seal, vote FROM votes WHERE hash = ? ORDER BY voter",
            (digest,),
        )
        return [CastVote(**_fields(row)) for row in rows]

    def keep_statement(self, kept: KeptStatement) -> None:
        """Keep a captured statement; the same text again is no error."""
        with self._database.write() as transaction:
            transaction.execute(
                "INSERT INTO statements (name, speaker, text) VALUES (?, ?, ?)"
                " ON CONFLICT (name) DO NOTHING",
                (kept.name, kept.speaker, kept.text),
            )

    def statements(self) -> list[KeptStatement]:
        """All captured statements, by name."""
        rows = self._read("SELECT * FROM statements ORDER BY name")
        return [KeptStatement(**_fields(row)) for row in rows]

    def enter_assessment(self, made: Assessed) -> None:
        """Enter one more version of a tip's assessment."""
        with self._database.write() as transaction:
            transaction.execute(
                "INSERT INTO assessments (hash, grade, votes, findings, record)"
                " VALUES (?, ?, ?, ?, ?)",
                (made.hash, made.grade, made.votes, made.findings, made.record),
            )

    def enter_assessment_proof(self, number: int, proof: bytes) -> None:
        """Note that the Ledger has this version."""
        with self._database.write() as transaction:
            transaction.execute(
                "UPDATE assessments SET proof = ? WHERE number = ? AND proof IS NULL",
                (proof, number),
            )

    def assessments(self, digest: bytes) -> list[Assessed]:
        """All versions of a tip's assessment, oldest first."""
        rows = self._read("SELECT * FROM assessments WHERE hash = ? ORDER BY number", (digest,))
        return [Assessed(**_fields(row)) for row in rows]

    def _read(self, sql: str, parameters: Sequence[Value] = ()) -> list[Row]:
        return self._database.read(sql, parameters)


def _fields(row: Row) -> dict[str, Any]:
    """The row as keyword arguments; what is not there yet is empty."""
    return {
        name: b"" if value is None else value
        for name, value in zip(row.keys(), row, strict=True)
    }


def _sent(row: Row) -> Sent:
    return Sent(**(_fields(row) | {"posted": row["posted"] == 1}))
