"""What the registry keeps of listings: each one's events, in order, and nothing derived.

One event at a time is checked against all before it, in the transaction that appends it. An
import appends in batches: each listing's events are folded once, as they come in.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from safeconduct.errors import ConflictError, RefusedError
from safeconduct.plumbing.database import Database, Row, Transaction, Value
from safeconduct.protocol.listing.dossier import Dossier, check_texts, format_dossier
from safeconduct.protocol.registration import (
    EVENT_BYTES_MAX,
    Course,
    Event,
    fold_course,
    step,
    take,
)

PAGE_BYTES = 32
_ROWS_AT_ONCE = 4_096
_NUMBER_MAX = (1 << 63) - 1  # SQLite's largest


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """One listing by its number, the register number it is about, and its private page."""

    number: int
    subject: str
    page: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A new listing to be entered in bulk: the file it begins with, and what followed."""

    dossier: Dossier
    at: int  # POSIX seconds
    later: tuple[Event, ...] = ()

    def begun(self) -> list[Event]:
        """Its events, after checking that a listing may begin like that.

        Raises:
            RefusedError, MalformedError: it may not begin like that.
        """
        check_texts(self.dossier)
        first = Event(kind="proposed", at=self.at, data=format_dossier(self.dossier))
        course = replace(step(Course(), first), dossier=self.dossier)
        for event in self.later:
            course = take(course, event)
        return [first, *self.later]


class Registrations:
    """The listings in the registry's database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def open(self, subject: str, page: bytes, events: Sequence[Event]) -> Listed:
        """Enter a new listing with its first events, all of them or none.

        Raises:
            ConflictError: a listing of this number is under way or has effects; the `evidence`
                is its number.
            RefusedError, MalformedError: the events may not begin a listing.
        """
        fold_course(events)
        with self._database.write() as transaction:
            _check_free(transaction, subject)
            return _enter(transaction, subject, page, events)

    def enter_all(
        self, entries: Iterable[Entry], random_bytes: Callable[[int], bytes]
    ) -> list[Listed]:
        """Enter many new listings in one transaction: all of them, or none.

        Raises:
            ConflictError, RefusedError, MalformedError: as `open`, of any of them.
        """
        with self._database.write() as transaction:
            entered: list[Listed] = []
            for entry in entries:
                _check_free(transaction, entry.dossier.subject)
                page = random_bytes(PAGE_BYTES)
                subject, events = entry.dossier.subject, entry.begun()
                entered.append(_enter(transaction, subject, page, events))
            return entered

    def append(self, number: int, *events: Event, seen: Course | None = None) -> Course:
        """Add events to a listing, if they may follow what happened; returns its course.

        `seen` is its `course` as it was when they were weighed, where that counts.

        Raises:
            RefusedError: no such listing, or a step out of order.
            MalformedError: an event that does not say what it must.
            ConflictError: the listing is not as it was `seen` any more.
        """
        with self._database.write() as transaction:
            course = _fold(transaction.read, number)
            if seen is not None and course != seen:
                raise ConflictError(
                    "something else happened to this listing meanwhile",
                    hint="look at what stands there now, and do it again if it is still right",
                )
            for event in events:
                course = take(course, event)
                _append(transaction, number, event)
            return course

    def append_all(
        self,
        events: Iterable[tuple[int, Event]],
        check: Callable[[int, Course], None] = lambda *_: None,
    ) -> int:
        """Add many events, each with the number of its listing, in one transaction.

        Returns how many. Each listing's earlier events are read once, however many are added,
        and `check` is given what they come to: if it raises, nothing is added.

        Raises:
            RefusedError, MalformedError: as `append`, of any of them; then none is added.
        """
        count = 0
        with self._database.write() as transaction:
            for number, group in groupby(events, key=lambda each: each[0]):
                course = _fold(transaction.read, number)
                check(number, course)
                for _, event in group:
                    course = take(course, event)
                    _append(transaction, number, event)
                    count += 1
        return count

    def course(self, number: int) -> Course:
        """What has happened to a listing so far.

        Raises:
            RefusedError: no such listing.
        """
        return _fold(self._database.read, number)

    def events(self, number: int) -> list[Event]:
        """Every event of a listing, in order."""
        return _events(self._database.read, number)

    def at_page(self, page: bytes) -> Listed:
        """The listing whose private page has this address.

        Raises:
            RefusedError: there is none.
        """
        rows = self._database.read(
            "SELECT number, subject, page FROM listings WHERE page = ?", (page,)
        )
        if not rows:
            raise RefusedError("no such page", hint="check the address to the last letter")
        return _listed(rows[0])

    def listed(self, number: int) -> Listed:
        """The listing with this number.

        Raises:
            RefusedError: there is none.
        """
        if not 0 < number <= _NUMBER_MAX:
            raise _unknown(number)
        rows = self._database.read(
            "SELECT number, subject, page FROM listings WHERE number = ?", (number,)
        )
        if not rows:
            raise _unknown(number)
        return _listed(rows[0])

    def all(self) -> list[Listed]:
        """Every listing in the order of proposing."""
        rows = self._database.read("SELECT number, subject, page FROM listings ORDER BY number")
        return [_listed(row) for row in rows]

    def about(self, subject: str) -> list[Listed]:
        """Every listing about one register number, the newest last."""
        rows = self._database.read(
            "SELECT number, subject, page FROM listings WHERE subject = ? ORDER BY number",
            (subject,),
        )
        return [_listed(row) for row in rows]

    def courses(self) -> Iterator[tuple[int, Course]]:
        """Every listing's number and course, by number, read in pieces."""
        for number, group in groupby(self._rows(), key=lambda row: int(row["listing"])):
            yield number, fold_course(map(_event, group), checked=True)

    def newest_event(self) -> int:
        """The number of the event that was entered last, or 0; it grows with each."""
        [row] = self._database.read("SELECT max(number) AS newest FROM listing_events")
        return int(row["newest"] or 0)

    def _rows(self) -> Iterator[Row]:
        """All events, by listing, each listing's in order."""
        return _rows(self._database.read)


_Read = Callable[[str, Sequence[Value]], list[Row]]


def _rows(read: _Read) -> Iterator[Row]:
    after: tuple[int, int] = (0, 0)
    while rows := read(
        "SELECT listing, number, kind, at, data FROM listing_events"
        " WHERE (listing, number) > (?, ?) ORDER BY listing, number LIMIT ?",
        (*after, _ROWS_AT_ONCE),
    ):
        yield from rows
        after = int(rows[-1]["listing"]), int(rows[-1]["number"])


def _event(row: Row) -> Event:
    return Event(kind=row["kind"], at=row["at"], data=row["data"])


def _events(read: _Read, number: int) -> list[Event]:
    rows = read(
        "SELECT kind, at, data FROM listing_events WHERE listing = ? ORDER BY number", (number,)
    )
    return [_event(row) for row in rows]


def _fold(read: _Read, number: int) -> Course:
    events = _events(read, number) if 0 < number <= _NUMBER_MAX else []
    if not events:
        raise _unknown(number)
    return fold_course(events, checked=True)


def _unknown(number: int) -> RefusedError:
    shown = str(number) if 0 < number <= _NUMBER_MAX else "of that number"
    return RefusedError(
        f"there is no listing {shown}",
        hint="list them with: safeconduct register list all",
    )


def _listed(row: Row) -> Listed:
    return Listed(number=row["number"], subject=row["subject"], page=row["page"])


def _check_free(transaction: Transaction, subject: str) -> None:
    rows = transaction.read("SELECT number FROM listings WHERE subject = ?", (subject,))
    for row in rows:
        if _fold(transaction.read, row["number"]).state != "ended":
            raise _taken(subject, row["number"])


def _taken(subject: str, number: int) -> ConflictError:
    return ConflictError(
        f"{subject} has a listing that has not ended, number {number}",
        hint="propose that one again, or end it first",
        evidence=(str(number).encode("ascii"),),
    )


def _enter(
    transaction: Transaction, subject: str, page: bytes, events: Sequence[Event]
) -> Listed:
    [(number,)] = transaction.read(
        "INSERT INTO listings (subject, page) VALUES (?, ?) RETURNING number", (subject, page)
    )
    for event in events:
        _append(transaction, number, event)
    return Listed(number=number, subject=subject, page=page)


def _append(transaction: Transaction, number: int, event: Event) -> None:
    if len(event.data) > EVENT_BYTES_MAX:
        raise RefusedError(f"a listing's event is longer than {EVENT_BYTES_MAX} bytes")
    transaction.execute(
        "INSERT INTO listing_events (listing, kind, at, data) VALUES (?, ?, ?, ?)",
        (number, event.kind, event.at, event.data),
    )
