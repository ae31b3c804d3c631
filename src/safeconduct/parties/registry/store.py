"""What the registry keeps: cases, their events, and objects to publish."""

from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from safeconduct.errors import ConflictError, RefusedError
from safeconduct.plumbing.database import Transaction, open_database
from safeconduct.plumbing.durable import make_folder
from safeconduct.protocol.case import Case, Event, fold_case, next_state

EVENT_BYTES_MAX = 2 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Filed:
    """One case by its number, the hash of its claim, and the address of its private page."""

    number: int
    claim: bytes
    page: bytes


class Store:
    """The registry's database."""

    def __init__(self, folder: Path) -> None:
        make_folder(folder)
        schema = resources.files(__package__).joinpath("schema.sql").read_text()
        self._database = open_database(folder / "registry.sqlite", schema)

    def open_case(
        self,
        claim: bytes,
        *,
        challenge: bytes,
        page: bytes,
        subject: str,
        event: Event,
        relied_on: bytes | None,
    ) -> Filed:
        """Enter a new case with its first event; the same claim again finds its case.

        `relied_on` is the record hash of the contribution that the claimant proves to have
        made: it helps one `subject`, however many know its words.

        Raises:
            ConflictError: the challenge was used for another claim, the claim came with other
                evidence, or the contribution was claimed under another number.
        """
        with self._database.write() as transaction:
            held = transaction.read("SELECT number, page FROM cases WHERE claim = ?", (claim,))
            if held:
                _check_same(transaction, claim, event)
                return Filed(number=held[0]["number"], claim=claim, page=held[0]["page"])
            used = transaction.read("SELECT 1 FROM cases WHERE challenge = ?", (challenge,))
            if used:
                raise ConflictError("the challenge was used for another claim")
            if relied_on is not None:
                _rely(transaction, relied_on, subject)
            [(number,)] = transaction.read(
                "INSERT INTO cases (claim, challenge, page, subject) VALUES (?, ?, ?, ?)"
                " RETURNING number",
                (claim, challenge, page, subject),
            )
            _append(transaction, claim, event)
        return Filed(number=number, claim=claim, page=page)

    def holds(self, claim: bytes) -> bool:
        """Whether this claim has a case."""
        return bool(self._database.read("SELECT 1 FROM cases WHERE claim = ?", (claim,)))

    def claim_at(self, page: bytes) -> bytes:
        """The claim of the case whose private page has this address.

        Raises:
            RefusedError: there is none.
        """
        rows = self._database.read("SELECT claim FROM cases WHERE page = ?", (page,))
        if not rows:
            raise RefusedError("no such case", hint="check the address to the last letter")
        claim: bytes = rows[0]["claim"]
        return claim

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
        rows = self._database.read("SELECT number, claim, page FROM cases ORDER BY number")
        return [Filed(number=number, claim=claim, page=page) for number, claim, page in rows]

    def claims_about(self, subject: str) -> list[bytes]:
        """Every claim about one register number, in the order of filing."""
        rows = self._database.read(
            "SELECT claim FROM cases WHERE subject = ? ORDER BY number", (subject,)
        )
        return [row["claim"] for row in rows]

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


def _check_same(transaction: Transaction, claim: bytes, event: Event) -> None:
    [(data,)] = transaction.read(
        "SELECT data FROM events WHERE claim = ? ORDER BY number LIMIT 1", (claim,)
    )
    if data != event.data:
        raise ConflictError("this claim was filed with other evidence")


def _rely(transaction: Transaction, record: bytes, subject: str) -> None:
    held = transaction.read("SELECT subject FROM relied WHERE record = ?", (record,))
    if not held:
        transaction.execute("INSERT INTO relied VALUES (?, ?)", (record, subject))
    elif held[0]["subject"] != subject:
        raise ConflictError("this contribution was claimed under another number")


def _append(transaction: Transaction, claim: bytes, event: Event) -> None:
    if len(event.data) > EVENT_BYTES_MAX:
        raise RefusedError(f"a case's event is longer than {EVENT_BYTES_MAX} bytes")
    transaction.execute(
        "INSERT INTO events (claim, kind, at, data) VALUES (?, ?, ?, ?)",
        (claim, event.kind, event.at, event.data),
    )
