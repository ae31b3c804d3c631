"""What the registry keeps: challenges, cases, their events, and objects to publish."""

from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from safeconduct.errors import ConflictError, RefusedError
from safeconduct.plumbing.database import Transaction, open_database
from safeconduct.plumbing.durable import make_folder
from safeconduct.protocol.case import Case, Event, fold_case, next_state

CHALLENGE_SECONDS = 86_400
CHALLENGES_MAX = 100_000
EVENT_BYTES_MAX = 2 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Filed:
    """One case by its number and the hash of its claim."""

    number: int
    claim: bytes


class Store:
    """The registry's database."""

    def __init__(self, folder: Path) -> None:
        make_folder(folder)
        schema = resources.files(__package__).joinpath("schema.sql").read_text()
        self._database = open_database(folder / "registry.sqlite", schema)

    def issue(self, challenge: bytes, at: int) -> None:
        """Remember a challenge handed out at `at`.

        Raises:
            RefusedError: too many are open.
        """
        with self._database.write() as transaction:
            [(count,)] = transaction.read(
                "SELECT count(*) FROM challenges WHERE issued_at > ?", (at - CHALLENGE_SECONDS,)
            )
            if count >= CHALLENGES_MAX:
                raise RefusedError("too many challenges are open", hint="come back tomorrow")
            transaction.execute("INSERT INTO challenges VALUES (?, ?)", (challenge, at))

    def open_case(self, claim: bytes, challenge: bytes, event: Event) -> Filed:
        """Enter a new case with its first event; the same claim again finds its case.

        Raises:
            RefusedError: the challenge was never issued here, or too long ago.
            ConflictError: the challenge was used for another claim.
        """
        with self._database.write() as transaction:
            held = transaction.read("SELECT number FROM cases WHERE claim = ?", (claim,))
            if held:
                return Filed(number=held[0]["number"], claim=claim)
            issued = transaction.read(
                "SELECT issued_at FROM challenges WHERE challenge = ?", (challenge,)
            )
            if not issued or event.at > issued[0]["issued_at"] + CHALLENGE_SECONDS:
                raise RefusedError(
                    "the claim answers no open challenge of this registry",
                    hint="ask for a new challenge and sign again",
                )
            used = transaction.read("SELECT 1 FROM cases WHERE challenge = ?", (challenge,))
            if used:
                raise ConflictError("the challenge was used for another claim")
            [(number,)] = transaction.read(
                "INSERT INTO cases (claim, challenge) VALUES (?, ?) RETURNING number",
                (claim, challenge),
            )
            _append(transaction, claim, event)
        return Filed(number=number, claim=claim)

    def append(self, claim: bytes, event: Event) -> None:
        """Add an event to a case, if it may follow what happened so far.

        Raises:
            RefusedError: no such case, or a step out of order.
        """
        with self._database.write() as transaction:
            rows = transaction.read(
                "SELECT kind, at, data FROM events WHERE claim = ? ORDER BY number", (claim,)
            )
            case = fold_case(Event(kind=kind, at=at, data=data) for kind, at, data in rows)
            next_state(case.state, event.kind)
            _append(transaction, claim, event)

    def case(self, claim: bytes) -> Case:
        """The case of a claim, folded from its events.

        Raises:
            RefusedError: no such case.
        """
        rows = self._database.read(
            "SELECT kind, at, data FROM events WHERE claim = ? ORDER BY number", (claim,)
        )
        if not rows:
            raise RefusedError("no such case", hint="list the cases with: register cases")
        return fold_case(Event(kind=kind, at=at, data=data) for kind, at, data in rows)

    def cases(self) -> list[Filed]:
        """All cases in the order of filing."""
        rows = self._database.read("SELECT number, claim FROM cases ORDER BY number")
        return [Filed(number=row["number"], claim=row["claim"]) for row in rows]

    def keep_object(self, sha256: bytes, subject: str, data: bytes) -> None:
        """Keep an object that a publication names; the same one again is no error."""
        with self._database.write() as transaction:
            transaction.execute(
                "INSERT INTO objects (sha256, subject, data) VALUES (?, ?, ?)"
                " ON CONFLICT (sha256) DO NOTHING",
                (sha256, subject, data),
            )

    def object(self, sha256: bytes) -> bytes:
        """The kept object with this hash.

        Raises:
            RefusedError: there is none.
        """
        rows = self._database.read("SELECT data FROM objects WHERE sha256 = ?", (sha256,))
        if not rows:
            raise RefusedError("the registry does not hold this object")
        data: bytes = rows[0]["data"]
        return data


def _append(transaction: Transaction, claim: bytes, event: Event) -> None:
    if len(event.data) > EVENT_BYTES_MAX:
        raise RefusedError(f"a case's event is longer than {EVENT_BYTES_MAX} bytes")
    transaction.execute(
        "INSERT INTO events (claim, kind, at, data) VALUES (?, ?, ?, ?)",
        (claim, event.kind, event.at, event.data),
    )
