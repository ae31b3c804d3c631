"""All that may be told of somebody's time in the register, step by step, the newest first.

Only what was published and became final is told, and what stands in the published objects: how
somebody was heard, what was decided, what became of an appeal. What is under way shows nowhere.
Of a listing that has ended and may not be seen any more, its days are left.

Spec: docs/3-protocol.md §16.1, §16.2.
"""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

from safeconduct.errors import SafeconductError
from safeconduct.parties.registry.book import Book, Entry
from safeconduct.parties.registry.duties import listings_of
from safeconduct.parties.registry.feeds import FeedEntry
from safeconduct.parties.registry.receive import Registry
from safeconduct.parties.registry.standing import Standing
from safeconduct.protocol.decision import FIRST, Rechecked, recheck
from safeconduct.protocol.listing import ASSESSMENT_FIELDS
from safeconduct.protocol.listing.hearing import Heard, recheck_listing
from safeconduct.protocol.record import Record, parse_signed
from safeconduct.protocol.registration import Course
from safeconduct.protocol.statute.instant import DAY_SECONDS, parse_instant

_CORRECTED = ASSESSMENT_FIELDS | {"name"}  # the fields of a file that anybody may see


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """One thing that happened, or is to come; `at` in POSIX seconds, or only a `day`."""

    title: str
    at: int | None = None
    day: str = ""
    text: str = ""
    entry: Entry | None = None  # the publication that it is, if it is one
    status: str = ""  # done, or now for what is to come


def history(registry: Registry, book: Book, stands: Standing) -> tuple[Mark, ...]:
    """What happened to one subject, the newest first, below what is to come."""
    teller = _Teller(registry, book, stands)
    marks = [
        mark
        for entry in reversed(book.about(stands.subject))
        for mark in sorted(teller.told(entry), key=_moment)
    ]
    return (*teller.ahead(), *reversed(marks))


def _moment(mark: Mark) -> int:
    if mark.at is not None:
        return mark.at
    return parse_instant(f"{mark.day}T00:00:00Z", "day") + DAY_SECONDS - 1


class _Teller:
    """Tells each publication about one subject."""

    def __init__(self, registry: Registry, book: Book, stands: Standing) -> None:
        self._registry, self._book, self._stands = registry, book, stands
        self._shown = {each.publication: each for each in stands.listings}

    def ahead(self) -> Iterator[Mark]:
        """The end and the review of a listing that has effects."""
        for each in self._stands.listings:
            if each.active:
                yield Mark(title="Ends", day=each.ends_on, status="now", text=_BY_ITSELF)
                yield Mark(title="Review", day=each.review_on, status="now", text=_AGAIN)

    def told(self, entry: Entry) -> Iterator[Mark]:
        """What one publication tells."""
        if entry.type == "decision":
            yield from self._decision(entry)
        listed = self._shown.get(entry.record.number("number"))
        if entry.type == "listing" and listed is not None:
            yield from self._listing(entry, listed)
        title = "Ended" if entry.type == "listing-end" else entry.standing.capitalize()
        text = entry.fault and f"What this rests on cannot be shown now: {entry.fault}"
        if entry.type == "listing-end":
            text = "".join(
                f"{each.end_cause.capitalize()}: {each.end_reason}"
                for each in self._stands.listings[-1:]
                if each.end_reason
            )
        yield Mark(
            title=title,
            at=entry.record.number("final"),
            text=text,
            entry=entry,
            status="done",
        )

    def _listing(self, entry: Entry, listed: FeedEntry) -> Iterator[Mark]:
        if listed.assessment:
            heard = self._heard(entry)
            if heard is not None:
                yield from _heard_marks(heard, entry)
            yield from self._noted(entry.record)
        if listed.ended_on and listed.ended_on == listed.ends_on:
            yield Mark(
                title="Ended by time", day=listed.ended_on, text=_BY_ITSELF, status="done"
            )

    def _heard(self, entry: Entry) -> Heard | None:
        with suppress(SafeconductError):
            policy = self._registry.programme.policy
            return recheck_listing(entry.data, entry.record, self._book.view.state, policy)
        return None

    def _noted(self, publication: Record) -> Iterator[Mark]:
        """What the registry noted since: reviews, and what was wrong and could be seen."""
        course = self._course(publication)
        if course is None:
            return
        for event in course.reviews:
            yield Mark(title="Reviewed", at=event.at, text=_REVIEWED, status="done")
        for event in course.corrections:
            if event.word("field") in _CORRECTED and event.at >= publication.number("final"):
                what = event.word("field").replace("_", " ")
                text = f"The {what} was “{event.word('was')}” and is “{event.word('is')}”."
                yield Mark(title="Corrected", at=event.at, text=text, status="done")

    def _course(self, publication: Record) -> Course | None:
        """What the registry keeps of the listing with this publication."""
        kept = listings_of(self._registry)
        for listed in kept.about(publication.word("subject")):
            course = kept.course(listed.number)
            entered = course.latest.get("effective")
            number = publication.number("number")
            if entered is not None and entered.table().get("publication") == number:
                return course
        return None

    def _decision(self, entry: Entry) -> Iterator[Mark]:
        with suppress(SafeconductError):
            policy = self._registry.programme.policy
            found = recheck(entry.data, entry.record, self._book.view.state, policy)
            yield from _decided_marks(found)


_BY_ITSELF = "The law ends the listing on this day by itself."
_REVIEWED = "The body looked at it again, and it stays."
_AGAIN = "By this day the body has to look at it again."
_RESULTS = {
    "uphold": "The appeal panel let the decision stand.",
    "replace": "The appeal panel replaced the decision.",
}


def _heard_marks(heard: Heard, entry: Entry) -> Iterator[Mark]:
    """Notice, reply, decision and appeal, as the public log dates them."""
    told = {
        "notice": ("Told of the file", "A notice with the whole file, and time to reply."),
        "reply": ("Replied", "The reply is not public; the log holds its hash."),
        "decision": ("Decided", f"By {', '.join(heard.signers)}."),
        "appeal decision": ("Appeal decided", _RESULTS["uphold"]),
    }
    replied = any(what == "reply" for what, _, _ in heard.logged)
    for what, logged, _ in heard.logged:
        title, text = told[what]
        if what == "decision" and not replied:
            text += " The time for a reply was over, and none had come."
        if what == "appeal decision":
            text += _ground(entry)
        yield Mark(title=title, at=logged.logged_by, text=text, status="done")


def _ground(entry: Entry) -> str:
    """On what ground a listing was appealed."""
    hearing = entry.value["hearing"]
    appeal = hearing["appeal"] if isinstance(hearing, dict) else None
    if not isinstance(appeal, dict):
        return ""
    record = parse_signed(str(appeal["appeal"]).encode("utf-8"), "appeal").record
    return f" The appeal was made on {record.word('ground')}."


def _decided_marks(found: Rechecked) -> Iterator[Mark]:
    """The first decision, and what became of an appeal against it."""
    first = found.appeal.first if found.appeal is not None else found
    yield Mark(title="Claimed", at=found.claim_logged.logged_by, text="", status="done")
    text = f"By {', '.join(first.signers)}."
    yield Mark(title="Decided", at=first.logged.logged_by, text=text, status="done")
    if found.appeal is None or found.result == FIRST:
        return
    on = f"On {found.appeal.ground}."
    yield Mark(title="Appealed", at=found.appeal.logged.logged_by, text=on, status="done")
    text = f"{_RESULTS.get(found.result, '')} By {', '.join(found.signers)}."
    yield Mark(title="Appeal decided", at=found.logged.logged_by, text=text, status="done")
