"""A listing on one day: what its course comes to under the law, and what the body owes.

Spec: docs/3-protocol.md §16.1.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from safeconduct.errors import MalformedError, RefusedError
from safeconduct.protocol.registration.course import Course, Event, dossier_of, fold_course
from safeconduct.protocol.statute.calendar import Calendar, Interval
from safeconduct.protocol.statute.facts import Facts
from safeconduct.protocol.statute.instant import INSTANT_AT_MAX, Duration, add, format_instant
from safeconduct.protocol.statute.steps import unsealed_at
from safeconduct.protocol.statute.text import Listing, Statute

_MONTH = Duration(amount=1, unit="months", rounding="down")
_SEASON = Duration(amount=3, unit="months", rounding="down")
_YEAR = Duration(amount=12, unit="months", rounding="down")
WITHIN: dict[str, Duration] = {
    "listing_notice": _MONTH,
    "listing_decision": _SEASON,
    "listing_appeal": _SEASON,
    "listing_end": _MONTH,
    "listing_review": _YEAR,
}
"""What is owed where the law names no step of this name: notice within a month of entry, a
decision within three of the end of the time for a reply, an answer to an appeal within three,
the end told within one; and no review later than a year after the last, whatever the law
says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What a law says about listings; `within` are its own limits for the body's duties."""

    listing: Listing
    appeal_period: Duration
    within: Mapping[str, Duration]
    calendar: Calendar | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Duty:
    """Something the body owes by `due_at`; late or left undone it stays breached."""

    name: str
    owed_by: str
    due_at: int  # POSIX seconds, the last one in time
    done_at: int | None
    breached: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """A listing on one day: `course` is what happened, the rest what follows from the law."""

    course: Course
    state: str
    cause: str
    ended_at: int | None
    last_reply_at: int | None
    last_appeal_at: int | None
    review_at: int | None
    ends_at: int | None  # the first second after its end
    effects: tuple[str, ...]  # that it has now; none before it is effective, none after its end
    due: tuple[Duty, ...]

    @property
    def is_public(self) -> bool:
        """Whether the outside may know of it at all: it is, or was, effective."""
        return "effective" in self.course.latest

    @property
    def review_on(self) -> int | None:
        """POSIX seconds by which it is to be looked at again; None unless it has effects."""
        return self.review_at if self.state == "effective" else None


def terms_of(statute: Statute) -> Terms:
    """What a law says about listings.

    Raises:
        RefusedError: nothing.
    """
    listing = statute.procedure.listing
    if listing is None:
        raise RefusedError(
            "this law does not say how anybody is listed",
            hint="it needs procedure.listing: a reply period, a review and an end",
        )
    own = {step.name: step.within for step in statute.procedure.steps}
    return Terms(
        listing=listing,
        appeal_period=statute.procedure.appeal_period,
        within={name: own.get(name, default) for name, default in WITHIN.items()},
        calendar=statute.calendar,
    )


def fold_registration(events: Iterable[Event], terms: Terms, as_of: int) -> Registration:
    """The listing on the day `as_of` (POSIX seconds), after `events` in order.

    Raises:
        RefusedError: an event that may not follow the ones before it.
        MalformedError: an event that does not say what it must, or a period beyond 9999.
    """
    return registration_of(fold_course(events), terms, as_of)


def registration_of(course: Course, terms: Terms, as_of: int) -> Registration:
    """What a course comes to under the law on the day `as_of` (POSIX seconds).

    Raises:
        MalformedError: a period ends beyond the year 9999.
    """
    decided = course.latest.get("decided")
    ends_at = add(decided.at, terms.listing.ends_after, terms.calendar) if decided else None
    state, cause, ended_at = course.state, course.cause, course.ended_at
    if state == "effective" and ends_at is not None and as_of >= ends_at:
        state, cause, ended_at = "ended", "expired", ends_at
    found = Registration(
        course=course,
        state=state,
        cause=cause,
        ended_at=ended_at,
        last_reply_at=_last_reply(course, terms),
        last_appeal_at=add(decided.at, terms.appeal_period, terms.calendar)
        if decided
        else None,
        review_at=_review_at(course, terms),
        ends_at=ends_at,
        effects=dossier_of(course).effects if state == "effective" else (),
        due=(),
    )
    return replace(found, due=_duties(found, terms, as_of))


def reply_last_at(notified_at: int, reply_until: int, terms: Terms) -> int:
    """The last second for a reply: what the notice says, but never less than the law gives."""
    return max(reply_until, add(notified_at, terms.listing.reply_period, terms.calendar))


def check_reply_over(found: Registration, at: int) -> None:
    """Return if at `at` (POSIX seconds) the listing may be decided on.

    It waits for the last second for a reply, whether or not one came: else a registry that
    invents a reply could cut the time for the true one.

    Raises:
        RefusedError: a reply may still come in; the message says until when.
    """
    last = found.last_reply_at
    if last is not None and at <= last:
        raise RefusedError(
            f"a reply may come in until {format_instant(last)}",
            hint="a reply that came cuts nothing short: the person may add to it until then",
        )


def _last_reply(course: Course, terms: Terms) -> int | None:
    notified = course.latest.get("notified")
    if notified is None:
        return None
    until = notified.table().get("reply_until")
    return reply_last_at(notified.at, until if isinstance(until, int) else 0, terms)


def _review_at(course: Course, terms: Terms) -> int | None:
    seen = course.reviews[-1:] or tuple(
        course.latest[kind] for kind in ("decided",) if kind in course.latest
    )
    return _next_review(seen[-1].at, terms) if seen else None


def _next_review(at: int, terms: Terms) -> int:
    periods = (terms.listing.review_after, terms.within["listing_review"])
    return min(add(at, period, terms.calendar) for period in periods)


def _duties(found: Registration, terms: Terms, as_of: int) -> tuple[Duty, ...]:
    """All that was and is owed, in the order of a listing's course."""
    course, latest = found.course, found.course.latest
    due: list[Duty] = []

    def owe(name: str, owed_by: str, from_at: int, done: Event | None) -> None:
        due_at = add(from_at, terms.within[f"listing_{name}"], terms.calendar)
        due.append(_duty(name, owed_by, due_at, done.at if done else None, as_of))

    if course.entered_at and course.cause != "dropped":
        owe("notice", "registry", course.entered_at, latest.get("notified"))
    started = _decision_due_from(found, as_of)
    if started is not None:
        owe("decision", "board", started, latest.get("decided"))
    if "appealed" in latest:
        owe("appeal", "panel", latest["appealed"].at, latest.get("appeal_decided"))
    due += _reviews(found, terms, as_of)
    if found.is_public and found.ended_at is not None:
        told = latest.get("end_published")
        acquitted = latest["ended"] if found.cause == "acquitted" else None
        owe("end", "registry", found.ended_at, told or acquitted)
    return tuple(due)


def _decision_due_from(found: Registration, as_of: int) -> int | None:
    """From when a decision is owed: the end of the time for a reply, or a remittal.

    A reply puts nothing off: else a registry that invents one could give itself more time.
    """
    course = found.course
    if course.since_remit is not None:
        return course.since_remit
    if found.last_reply_at is None or course.state == "proposed":
        return None
    waited = "decided" in course.latest or as_of > found.last_reply_at
    return found.last_reply_at if waited else None


def _reviews(found: Registration, terms: Terms, as_of: int) -> list[Duty]:
    decided = found.course.latest.get("decided")
    if decided is None or not found.is_public:
        return []
    starts = [decided.at, *(review.at for review in found.course.reviews)]
    done: list[int | None] = [*(review.at for review in found.course.reviews), None]
    due = [
        _duty("review", "board", _next_review(start, terms), end, as_of)
        for start, end in zip(starts, done, strict=True)
    ]
    # No review is owed of what had ended before it was due.
    ended_at = found.ended_at
    if ended_at is not None and due[-1].due_at >= ended_at:
        due.pop()
    return due


def _duty(name: str, owed_by: str, due_at: int, done_at: int | None, as_of: int) -> Duty:
    breached = (as_of if done_at is None else done_at) > due_at
    return Duty(name=name, owed_by=owed_by, due_at=due_at, done_at=done_at, breached=breached)


def unsealed_from(statute: Statute, standing: str, facts: Facts, as_of: int) -> int | None:
    """POSIX seconds from which what an outcome sealed may be shown, as its law computes it.

    None where the law opens it at no time, or nobody can say when yet: then it stays sealed. Of
    an uncertain time the latest counts.

    Raises:
        MalformedError: the statute has no such outcome, or its periods cannot be counted.
    """
    outcomes = {one.value: one for one in (*statute.outcomes, statute.default)}
    if standing not in outcomes:
        raise MalformedError(f"the statute has no outcome {standing}")
    found = unsealed_at(statute, outcomes[standing], facts, as_of)
    if not isinstance(found, Interval) or found.latest > INSTANT_AT_MAX:
        return None
    return found.latest


def tombstone_is_public(found: Registration, statute: Statute, standing: str = "") -> bool:
    """Whether the outside may still see that somebody was listed; the person always may.

    By the publication rule of the outcome that ended it: of an acquittal that is `standing`;
    where the time alone ended it, what the law says of its default. What was quashed should
    never have stood there, so it shows only if the person wishes it.
    """
    if not found.is_public:
        return False
    rule = statute.default.publish
    if found.cause == "acquitted" and standing:
        rule = statute.outcome(standing).publish
    if found.cause in {"quashed", "withdrawn"}:
        rule = "with_consent"
    told = found.course.latest.get("tombstoned")
    consents = told is not None and told.table().get("consent") is True
    return {"always": True, "never": False, "with_consent": consents}[rule]
