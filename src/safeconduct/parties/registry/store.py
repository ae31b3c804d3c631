"""What the registry keeps: cases, their events, and objects to publish."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from safeconduct.errors import ConflictError, RefusedError
from safeconduct.plumbing.database import Database, Row, Transaction, Value, open_database
from safeconduct.plumbing.durable import make_folder
from safeconduct.protocol.case import Case, Event, fold_case, next_state

_EVENTS = "SELECT kind, at, data FROM events WHERE claim = ? ORDER BY number"
EVENT_BYTES_MAX = 8 << 20  # four claims with their evidence
SCHEMA_VERSION = 3  # 1 knew no credits, 2 no joint acts


@dataclass(frozen=True, slots=True, kw_only=True)
class Filed:
    """One case by its number, the hash of its claim, and the address of its private page."""

    number: int
    claim: bytes
    page: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class UsedUp:
    """A credit that a decision uses up; `issued` credits of its `kind` are counted so far."""

    nullifier: bytes
    kind: bytes
    issued: int


class Store:
    """The registry's database."""

    def __init__(self, folder: Path) -> None:
        make_folder(folder)
        schema = resources.files(__package__).joinpath("schema.sql").read_text()
        path = folder / "registry.sqlite"
        self._database = open_database(path, schema, version=SCHEMA_VERSION)

    @property
    def database(self) -> Database:
        """The database, for what else the registry keeps in it."""
        return self._database

    def open_case(
        self,
        claim: bytes,
        *,
        challenge: bytes,
        page: bytes,
        subject: str,
        event: Event,
        relied_on: bytes | None,
        joint: str = "",
    ) -> Filed:
        """Enter a new case with its first event; the same claim again finds its case.

        `relied_on` is the record hash of the contribution that the claimant proves to have
        made, or the nullifier of their credit: it helps one `subject`, however many know its
        words, and a credit that was used up helps nobody again. Only who names the same `joint`
        list, as the first claim on it did, may claim on it under another number.

        Raises:
            ConflictError: the challenge was used for another claim, the claim came with other
                evidence, or what it relies on was claimed under another number or redeemed;
                the `evidence` is then the number of that case.
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
                _check_free(transaction, relied_on, subject, joint)
            [(number,)] = transaction.read(
                "INSERT INTO cases (claim, challenge, page, subject) VALUES (?, ?, ?, ?)"
                " RETURNING number",
                (claim, challenge, page, subject),
            )
            if relied_on is not None:
                transaction.execute(
                    "INSERT INTO relied VALUES (?, ?, ?, ?) ON CONFLICT (thing) DO NOTHING",
                    (relied_on, subject, number, joint),
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

    def append(
        self,
        claim: bytes,
        *events: Event,
        seen: Case | None = None,
        redeems: UsedUp | None = None,
        others: Sequence[tuple[bytes, Event]] = (),
    ) -> None:
        """Add events to a case, if they may follow what happened so far.

        `seen` is the case as it was when they were weighed, where that counts. With them the
        credit that they `redeem` is used up, and `others`, each a claim and an event of its own
        case, are added: all of it, or nothing.

        Raises:
            RefusedError: no such case, or a step out of order; or as many credits are used up
                as were issued.
            ConflictError: the case is not as it was `seen` any more, or the credit was used up
                in another case.
        """
        with self._database.write() as transaction:
            if seen is not None:
                _check_unchanged(transaction, claim, seen)
            if redeems is not None:
                _check_usable(transaction.read, redeems, claim)
            for at_claim, event in (*((claim, event) for event in events), *others):
                rows = transaction.read(_EVENTS, (at_claim,))
                case = fold_case(Event(kind=kind, at=at, data=data) for kind, at, data in rows)
                next_state(case.state, event.kind)
                _append(transaction, at_claim, event)
            if redeems is not None:
                transaction.execute(
                    "INSERT INTO redeemed VALUES (?, ?, ?) ON CONFLICT (nullifier) DO NOTHING",
                    (redeems.nullifier, redeems.kind, claim),
                )

    def check_usable(self, credit: UsedUp, claim: bytes) -> None:
        """Check that a decision on this claim may use up a credit.

        Raises:
            ConflictError: another claim has; the `evidence` is the number of its case.
            RefusedError: as many credits of its kind are used up as were issued.
        """
        _check_usable(self._database.read, credit, claim)

    def case(self, claim: bytes) -> Case:
        """The case of a claim, folded from its events.

        Raises:
            RefusedError: no such case.
        """
        rows = self._database.read(_EVENTS, (claim,))
        if not rows:
            raise RefusedError("no such case", hint="list the cases with: register cases")
        return fold_case(Event(kind=kind, at=at, data=data) for kind, at, data in rows)

    def events(self, claim: bytes) -> list[Event]:
        """Everything that happened to a case, in order; also what counts no more."""
        rows = self._database.read(_EVENTS, (claim,))
        return [Event(kind=kind, at=at, data=data) for kind, at, data in rows]

    def redeemed_by(self, nullifier: bytes) -> bytes | None:
        """The claim whose decision used this credit up, if one has."""
        rows = self._database.read(
            "SELECT claim FROM redeemed WHERE nullifier = ?", (nullifier,)
        )
        claim: bytes | None = rows[0]["claim"] if rows else None
        return claim

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


def _check_unchanged(transaction: Transaction, claim: bytes, seen: Case) -> None:
    rows = transaction.read(_EVENTS, (claim,))
    if fold_case(Event(kind=kind, at=at, data=data) for kind, at, data in rows) != seen:
        raise ConflictError(
            "something else happened in this case meanwhile",
            hint="look at what stands there now, and do it again if it is still right",
        )


_Read = Callable[[str, Sequence[Value]], list[Row]]


def _check_free(transaction: Transaction, thing: bytes, subject: str, joint: str) -> None:
    held = transaction.read(
        "SELECT subject, number, joint FROM relied WHERE thing = ?", (thing,)
    )
    together = bool(held and joint and held[0]["joint"] == joint)
    if held and held[0]["subject"] != subject and not together:
        raise _taken("what this claim relies on was claimed under another number", held[0])
    _check_unredeemed(transaction.read, thing, b"")


def _check_unredeemed(read: _Read, nullifier: bytes, claim: bytes) -> None:
    held = read(
        "SELECT cases.number, cases.claim FROM redeemed JOIN cases USING (claim)"
        " WHERE nullifier = ?",
        (nullifier,),
    )
    if held and held[0]["claim"] != claim:
        raise _taken("the credit was redeemed already", held[0])


def _check_usable(read: _Read, credit: UsedUp, claim: bytes) -> None:
    _check_unredeemed(read, credit.nullifier, claim)
    [(used,)] = read("SELECT count(*) FROM redeemed WHERE kind = ?", (credit.kind,))
    if used >= credit.issued:
        raise RefusedError(
            f"{used} of the {credit.issued} credits of this kind that the board has counted as "
            "issued are redeemed",
            hint="have the board count again; if its count is right, somebody makes credits",
        )


def _taken(reason: str, row: Row) -> ConflictError:
    number = row["number"]
    return ConflictError(f"{reason}, in case {number}", evidence=(str(number).encode("ascii"),))


def _append(transaction: Transaction, claim: bytes, event: Event) -> None:
    if len(event.data) > EVENT_BYTES_MAX:
        raise RefusedError(f"a case's event is longer than {EVENT_BYTES_MAX} bytes")
    transaction.execute(
        "INSERT INTO events (claim, kind, at, data) VALUES (?, ?, ?, ?)",
        (claim, event.kind, event.at, event.data),
    )
