"""What the console keeps: one SQLite file, whose events are only ever added to.

    events        votes, conflicts, drafts, signature lines, what was posted; who came and went
    dockets       what the register handed over, by SHA-256 of its bytes
    invitations, passkeys, sessions, used_challenges       who may come in

Codes and cookies are kept as hashes: who reads the file cannot come in with it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path

from safeconduct.errors import ConflictError, RefusedError, UnavailableError
from safeconduct.plumbing.database import Database, Row, Transaction, open_database
from safeconduct.plumbing.durable import make_folder
from safeconduct.plumbing.passkeys import Passkey

DATABASE_FILE = "console.sqlite"
PASSKEYS_MAX = 8  # of one member
EVENTS_SHOWN_MAX = 500
DOCKETS_HELD_BYTES_MAX = 2 << 30
_KEYS_OF = (
    "SELECT * FROM passkeys WHERE member = ? AND removed_at IS NULL ORDER BY added_at, rowid"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One thing that happened; `number` is its place, 0 before it has one."""

    kind: str
    at: int
    member: str = ""
    claim: bytes = b""
    docket: bytes = b""
    data: bytes = field(default=b"", repr=False)
    number: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A docket's bytes, when they came first, and when the register offered them last."""

    hash: bytes
    claim: bytes
    data: bytes = field(repr=False)
    first_at: int
    last_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MembersKey:
    """A member's passkey, and when it was added, used last and removed."""

    member: str
    passkey: Passkey
    added_at: int
    used_at: int | None
    removed_at: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One session: whose, by which passkey, since when, and when it was seen last."""

    hash: bytes
    member: str
    credential_id: bytes
    began_at: int
    seen_at: int


class Store:
    """The console's database; safe to share between threads and processes."""

    def __init__(self, folder: Path) -> None:
        make_folder(folder, mode=0o700)
        schema = resources.files(__package__).joinpath("console.sql").read_text()
        self._database: Database = open_database(folder / DATABASE_FILE, schema)

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    @contextmanager
    def deciding(self) -> Iterator["Sitting"]:
        """A transaction: what is read in it stays true until what is added in it is kept."""
        with self._database.write() as transaction:
            yield Sitting(transaction)

    def add(self, event: Event) -> None:
        """Keep an event, durably."""
        with self._database.write() as transaction:
            add_event(transaction, event)

    def events(self, claim: bytes) -> tuple[Event, ...]:
        """All that happened in a case, in order."""
        rows = self._database.read(
            "SELECT * FROM events WHERE claim = ? ORDER BY number", [claim]
        )
        return tuple(map(_event, rows))

    def events_of(self, kind: str) -> tuple[Event, ...]:
        """All events of a kind, in order."""
        rows = self._database.read(
            "SELECT * FROM events WHERE kind = ? ORDER BY number", [kind]
        )
        return tuple(map(_event, rows))

    def latest(self, kind: str) -> Event | None:
        """The newest event of a kind."""
        rows = self._database.read(
            "SELECT * FROM events WHERE kind = ? ORDER BY number DESC LIMIT 1", [kind]
        )
        return _event(rows[0]) if rows else None

    def log(self, member: str) -> tuple[Event, ...]:
        """A member's own newest events, newest first."""
        rows = self._database.read(
            "SELECT * FROM events WHERE member = ? ORDER BY number DESC LIMIT ?",
            [member, EVENTS_SHOWN_MAX],
        )
        return tuple(map(_event, rows))

    # Dockets.

    def keep_docket(self, hash: bytes, claim: bytes, data: bytes, at: int) -> None:
        """Keep a docket as it came; the same one again only counts as offered again.

        Raises:
            UnavailableError: a register that never offers the same twice has used up the room.
        """
        with self._database.write() as transaction:
            known = transaction.read("SELECT 1 FROM dockets WHERE hash = ?", [hash])
            held = transaction.read("SELECT total(length(data)) AS held FROM dockets")
            if not known and held[0]["held"] + len(data) > DOCKETS_HELD_BYTES_MAX:
                raise UnavailableError(
                    "the register has offered more dockets than this console holds",
                    hint="look at what it offers; then set up a console in a new folder",
                )
            transaction.execute(
                "INSERT INTO dockets VALUES (?, ?, ?, ?, ?)"
                " ON CONFLICT (hash) DO UPDATE SET last_at = excluded.last_at",
                [hash, claim, data, at, at],
            )

    def dockets(self) -> tuple[Kept, ...]:
        """Every docket, the newest first."""
        rows = self._database.read("SELECT * FROM dockets ORDER BY first_at DESC, hash")
        return tuple(map(_kept, rows))

    def docket(self, hash: bytes) -> Kept | None:
        """The docket with this SHA-256."""
        rows = self._database.read("SELECT * FROM dockets WHERE hash = ?", [hash])
        return _kept(rows[0]) if rows else None

    def unposted(self) -> tuple[Kept, ...]:
        """The dockets whose decision is signed, and not acknowledged by the register."""
        rows = self._database.read(
            "SELECT * FROM dockets"
            " WHERE hash IN (SELECT docket FROM events WHERE kind = 'signed')"
            " AND hash NOT IN (SELECT docket FROM events WHERE kind = 'posted')"
        )
        return tuple(map(_kept, rows))

    # Who may come in.

    def invite(self, code_hash: bytes, member: str, expires_at: int, at: int) -> None:
        """Keep an invitation; earlier ones of the member that nobody used are void."""
        with self._database.write() as transaction:
            transaction.execute(
                "DELETE FROM invitations WHERE member = ? AND used_at IS NULL", [member]
            )
            transaction.execute(
                "INSERT INTO invitations VALUES (?, ?, ?, NULL)",
                [code_hash, member, expires_at],
            )
            add_event(transaction, Event(kind="invited", at=at, data=member.encode("utf-8")))

    def invited(self, code_hash: bytes, at: int) -> str | None:
        """Whose invitation a code is, if it still is one."""
        rows = self._database.read(
            "SELECT member FROM invitations"
            " WHERE code_hash = ? AND used_at IS NULL AND expires_at > ?",
            [code_hash, at],
        )
        return str(rows[0]["member"]) if rows else None

    def enrol(self, code_hash: bytes, challenge: bytes, passkey: Passkey, at: int) -> str:
        """Add a passkey for an invitation, which is used up by it; returns whose it is.

        Raises:
            RefusedError: the code or the challenge was used, or there are too many passkeys.
            ConflictError: this passkey is known already.
        """
        with self._database.write() as transaction:
            used = transaction.read(
                "UPDATE invitations SET used_at = ? WHERE code_hash = ? AND used_at IS NULL"
                " AND expires_at > ? RETURNING member",
                [at, code_hash, at],
            )
            if not used:
                raise RefusedError("this code was used meanwhile", hint="ask for another one")
            member = str(used[0]["member"])
            _use_up(transaction, challenge, at)
            if len(transaction.read(_KEYS_OF, [member])) >= PASSKEYS_MAX:
                raise RefusedError(
                    f"{member} has {PASSKEYS_MAX} passkeys", hint="remove one of them first"
                )
            if transaction.read(
                "SELECT 1 FROM passkeys WHERE credential_id = ?", [passkey.credential_id]
            ):
                raise ConflictError("this passkey is known here already")
            transaction.execute(
                "INSERT INTO passkeys VALUES (?, ?, ?, ?, ?, NULL, NULL)",
                [passkey.credential_id, member, passkey.public_key, passkey.sign_count, at],
            )
            add_event(
                transaction,
                Event(kind="enrolled", at=at, member=member, data=passkey.credential_id),
            )
        return member

    def passkeys(self, member: str) -> tuple[MembersKey, ...]:
        """A member's passkeys in use."""
        return tuple(map(_members_key, self._database.read(_KEYS_OF, [member])))

    def passkey(self, credential_id: bytes) -> MembersKey | None:
        """The passkey in use with this id."""
        rows = self._database.read(
            "SELECT * FROM passkeys WHERE credential_id = ? AND removed_at IS NULL",
            [credential_id],
        )
        return _members_key(rows[0]) if rows else None

    def remove(self, member: str, credential_id: bytes, at: int, *, by: str) -> None:
        """Remove a passkey, and end every session that it began.

        Raises:
            RefusedError: the member has no such passkey.
        """
        with self._database.write() as transaction:
            removed = transaction.execute(
                "UPDATE passkeys SET removed_at = ?"
                " WHERE credential_id = ? AND member = ? AND removed_at IS NULL",
                [at, credential_id, member],
            )
            if not removed:
                raise RefusedError(f"{member} has no such passkey")
            transaction.execute("DELETE FROM sessions WHERE credential_id = ?", [credential_id])
            event = Event(kind="removed", at=at, member=by, data=credential_id)
            add_event(transaction, event)

    # Sessions.

    def sign_in(
        self, visit: Visit, challenge: bytes, found: Passkey, sign_count: int, replaced: bytes
    ) -> None:
        """Begin a session, use the challenge up, and keep the authenticator's counter.

        The session `replaced` ends, so that no browser has two.

        Raises:
            RefusedError: the challenge, or the counter's state, was used meanwhile.
        """
        at = visit.began_at
        with self._database.write() as transaction:
            _use_up(transaction, challenge, at)
            counted = transaction.execute(
                "UPDATE passkeys SET sign_count = ?, used_at = ?"
                " WHERE credential_id = ? AND sign_count = ? AND removed_at IS NULL",
                [sign_count, at, found.credential_id, found.sign_count],
            )
            if not counted:
                raise RefusedError(
                    "this passkey was used elsewhere meanwhile", hint="try again"
                )
            transaction.execute("DELETE FROM sessions WHERE hash = ?", [replaced])
            transaction.execute(
                "INSERT INTO sessions VALUES (?, ?, ?, ?, ?)",
                [visit.hash, visit.member, visit.credential_id, at, at],
            )
            add_event(transaction, Event(kind="signed-in", at=at, member=visit.member))

    def visit(self, hash: bytes) -> Visit | None:
        """The session with this hash, however old."""
        rows = self._database.read("SELECT * FROM sessions WHERE hash = ?", [hash])
        return Visit(**dict(rows[0])) if rows else None

    def seen(self, hash: bytes, at: int) -> None:
        """Note that a session is in use."""
        with self._database.write() as transaction:
            transaction.execute("UPDATE sessions SET seen_at = ? WHERE hash = ?", [at, hash])

    def sign_out(self, visit: Visit, at: int, *, everywhere: bool = False) -> None:
        """End a session, or all sessions of its member."""
        with self._database.write() as transaction:
            transaction.execute("DELETE FROM sessions WHERE hash = ?", [visit.hash])
            if everywhere:
                transaction.execute("DELETE FROM sessions WHERE member = ?", [visit.member])
            add_event(transaction, Event(kind="signed-out", at=at, member=visit.member))

    def sweep(self, began_before: int, at: int) -> None:
        """Drop sessions that are over, and challenges that have expired by themselves."""
        with self._database.write() as transaction:
            transaction.execute("DELETE FROM sessions WHERE began_at < ?", [began_before])
            transaction.execute("DELETE FROM used_challenges WHERE expires_at < ?", [at])


@dataclass(frozen=True, slots=True)
class Sitting:
    """An open transaction in which a member's act is weighed and then kept."""

    transaction: Transaction

    def events(self, claim: bytes) -> tuple[Event, ...]:
        """All that happened in a case, in order."""
        return tuple(
            map(
                _event,
                self.transaction.read(
                    "SELECT * FROM events WHERE claim = ? ORDER BY number", [claim]
                ),
            )
        )

    def add(self, event: Event) -> None:
        """Add an event."""
        add_event(self.transaction, event)


def add_event(transaction: Transaction, event: Event) -> None:
    """Add an event within a transaction that does more."""
    transaction.execute(
        "INSERT INTO events (at, member, kind, claim, docket, data) VALUES (?, ?, ?, ?, ?, ?)",
        [event.at, event.member, event.kind, event.claim, event.docket, event.data],
    )


def _use_up(transaction: Transaction, challenge: bytes, at: int) -> None:
    """Note that a challenge was used; its first 8 bytes say when it expires anyway."""
    expires_at = int.from_bytes(challenge[:8], "big")
    if transaction.read("SELECT 1 FROM used_challenges WHERE hash = ?", [challenge]):
        raise RefusedError("this page was used already", hint="open it again")
    transaction.execute("INSERT INTO used_challenges VALUES (?, ?)", [challenge, expires_at])


def _event(row: Row) -> Event:
    return Event(**dict(row))


def _kept(row: Row) -> Kept:
    return Kept(**dict(row))


def _members_key(row: Row) -> MembersKey:
    return MembersKey(
        member=row["member"],
        passkey=Passkey(
            credential_id=row["credential_id"],
            public_key=row["public_key"],
            sign_count=row["sign_count"],
        ),
        added_at=row["added_at"],
        used_at=row["used_at"],
        removed_at=row["removed_at"],
    )
