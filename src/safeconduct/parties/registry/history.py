"""All that may be told of somebody's time in the register, step by step, the newest first.

Only what was published and became final is told, and what stands in the published objects: how
somebody was heard, what was decided, what became of an appeal. What is under way shows nowhere.
Of a listing that has ended and may not be seen any more, its days are left.

Spec: docs/3-protocol.md §16.1, §16.2.
"""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass

from safeconduct.errors import SafeconductError
from safeconduct.parties.registry.book import Book, Entry
from safeconduct.parties.registry.duties import listings_of
from safeconduct.parties.registry.feeds import FeedEntry
from safeconduct.parties.registry.receive import Registry
from safeconduct.parties.registry.standing import Standing
from safeconduct.parties.registry.tongue import speaks, titled, word
from safeconduct.plumbing.languages import DEFAULT, marked
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


def history(
    registry: Registry, book: Book, stands: Standing, language: str = DEFAULT
) -> tuple[Mark, ...]:
    """What happened to one subject, the newest first, below what is to come."""
    teller = _Teller(registry, book, stands, language)
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
    """Tells each publication about one subject, in one language."""

    def __init__(self, registry: Registry, book: Book, stands: Standing, language: str) -> None:
        self._registry, self._book, self._stands = registry, book, stands
        self._language, self._say = language, speaks(language)
        self._shown = {each.publication: each for each in stands.listings}

    def ahead(self) -> Iterator[Mark]:
        """The end and the review of a listing that has effects."""
        _ = self._say
        for each in self._stands.listings:
            if each.active:
                yield Mark(title=_("Ends"), day=each.ends_on, status="now", text=_(_BY_ITSELF))
                yield Mark(title=_("Review"), day=each.review_on, status="now", text=_(_AGAIN))

    def told(self, entry: Entry) -> Iterator[Mark]:
        """What one publication tells."""
        _ = self._say
        if entry.type == "decision":
            yield from self._decision(entry)
        listed = self._shown.get(entry.record.number("number"))
        if entry.type == "listing" and listed is not None:
            yield from self._listing(entry, listed)
        title = titled(
            "ended" if entry.type == "listing-end" else entry.standing, self._language
        )
        text = entry.fault and _("What this rests on cannot be shown now:") + f" {entry.fault}"
        if entry.type == "listing-end":
            text = "".join(
                f"{titled(each.end_cause, self._language)}: {each.end_reason}"
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
        _ = self._say
        if listed.assessment:
            heard = self._heard(entry)
            if heard is not None:
                yield from _heard_marks(heard, entry, self._language)
            yield from self._noted(entry.record)
        if listed.ended_on and listed.ended_on == listed.ends_on:
            title, text = _("Ended by time"), _(_BY_ITSELF)
            yield Mark(title=title, day=listed.ended_on, text=text, status="done")

    def _heard(self, entry: Entry) -> Heard | None:
        with suppress(SafeconductError):
            policy = self._registry.programme.policy
            return recheck_listing(entry.data, entry.record, self._book.view.state, policy)
        return None

    def _noted(self, publication: Record) -> Iterator[Mark]:
        """What the registry noted since: reviews, and what was wrong and could be seen."""
        course, _ = self._course(publication), self._say
        if course is None:
            return
        for event in course.reviews:
            yield Mark(title=_("Reviewed"), at=event.at, text=_(_REVIEWED), status="done")
        for event in course.corrections:
            if event.word("field") in _CORRECTED and event.at >= publication.number("final"):
                text = _("%(field)s: it was “%(was)s” and is “%(now)s”.") % {
                    "field": titled(event.word("field"), self._language),
                    "was": event.word("was"),
                    "now": event.word("is"),
                }
                yield Mark(title=_("Corrected"), at=event.at, text=text, status="done")

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
            yield from _decided_marks(found, self._language)


_BY_ITSELF = marked("The law ends the listing on this day by itself.")
_REVIEWED = marked("The body looked at it again, and it stays.")
_AGAIN = marked("By this day the body has to look at it again.")
_NO_REPLY = marked("The time for a reply was over, and none had come.")
_RESULTS = {
    "uphold": marked("The appeal panel let the decision stand."),
    "replace": marked("The appeal panel replaced the decision."),
}


def _heard_marks(heard: Heard, entry: Entry, language: str) -> Iterator[Mark]:
    """Notice, reply, decision and appeal, as the public log dates them."""
    _ = speaks(language)
    told = {
        "notice": (
            _("Told of the file"),
            _("A notice with the whole file, and time to reply."),
        ),
        "reply": (_("Replied"), _("The reply is not public; the log holds its hash.")),
        "decision": (_("Decided"), _by(heard.signers, language)),
        "appeal": (_("Appealed"), _appealed_on(entry, language)),
        "appeal decision": (_("Appeal decided"), _upheld(heard, language)),
    }
    replied = any(what == "reply" for what, _logged, _proof in heard.logged)
    for what, logged, _proof in heard.logged:
        title, text = told[what]
        if what == "decision" and not replied:
            text += f" {_(_NO_REPLY)}"
        yield Mark(title=title, at=logged.logged_by, text=text, status="done")


def _upheld(heard: Heard, language: str) -> str:
    """That the appeal panel let the decision stand, and who of it."""
    _ = speaks(language)
    by = _by(heard.appeal.signers, language) if heard.appeal is not None else ""
    return f"{_(_RESULTS['uphold'])} {by}".strip()


def _by(signers: Iterable[str], language: str) -> str:
    """Who decided, in a sentence."""
    _ = speaks(language)
    return _("By %(names)s.") % {"names": ", ".join(signers)}


def _on(ground: str, language: str) -> str:
    """On what ground an appeal was made, in a sentence."""
    _ = speaks(language)
    return _("The ground of the appeal: %(ground)s.") % {"ground": word(ground, language)}


def _appealed_on(entry: Entry, language: str) -> str:
    """On what ground a listing was appealed."""
    hearing = entry.value["hearing"]
    appeal = hearing["appeal"] if isinstance(hearing, dict) else None
    if not isinstance(appeal, dict):
        return ""
    record = parse_signed(str(appeal["appeal"]).encode("utf-8"), "appeal").record
    return _on(record.word("ground"), language)


def _decided_marks(found: Rechecked, language: str) -> Iterator[Mark]:
    """The first decision, and what became of an appeal against it."""
    _ = speaks(language)
    first = found.appeal.first if found.appeal is not None else found
    yield Mark(title=_("Claimed"), at=found.claim_logged.logged_by, text="", status="done")
    text = _by(first.signers, language)
    yield Mark(title=_("Decided"), at=first.logged.logged_by, text=text, status="done")
    if found.appeal is None or found.result == FIRST:
        return
    on = _on(found.appeal.ground, language)
    yield Mark(title=_("Appealed"), at=found.appeal.logged.logged_by, text=on, status="done")
    result = _(_RESULTS[found.result]) if found.result in _RESULTS else ""
    text = f"{result} {_by(found.signers, language)}".strip()
    yield Mark(title=_("Appeal decided"), at=found.logged.logged_by, text=text, status="done")
