"""Duties: what a listing is today, what the body owes about it, and until when.

Events and law are folded anew each time. That somebody was acquitted is read off the Gazette,
where the board published it: no clerk has to remember to end the listing.

Spec: docs/3-protocol.md §16.1.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from safeconduct.parties.registry.receive import Registry
from safeconduct.parties.registry.registrations import Listed, Registrations
from safeconduct.protocol.canonical import format_json
from safeconduct.protocol.decision import favours_person
from safeconduct.protocol.gazette import GazetteState
from safeconduct.protocol.listing import REGISTERED
from safeconduct.protocol.record import Record
from safeconduct.protocol.registration import (
    Course,
    Duty,
    Event,
    Registration,
    dossier_of,
    registration_of,
    take,
    terms_of,
)
from safeconduct.protocol.statute.load import load_statute
from safeconduct.protocol.statute.text import Statute

_LAWS_KEPT = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Owed:
    """One duty about one listing."""

    listed: Listed
    duty: Duty


def listings_of(registry: Registry) -> Registrations:
    """The listings that this registry keeps."""
    return Registrations(registry.store.database)


def law_of(state: GazetteState, course: Course) -> Statute:
    """The law that a listing is made under.

    Raises:
        UnverifiedError: it was never published.
    """
    return _law(state.statute(dossier_of(course).statute).law)


@lru_cache(maxsize=_LAWS_KEPT)
def _law(law: bytes) -> Statute:
    return load_statute(law)


def registration(
    registry: Registry, state: GazetteState, number: int, as_of: int | None = None
) -> Registration:
    """One listing as it stands at `as_of` (POSIX seconds; by default now).

    Raises:
        RefusedError: no such listing.
    """
    course = listings_of(registry).course(number)
    return standing(registry, state, course, as_of)


def standing(
    registry: Registry, state: GazetteState, course: Course, as_of: int | None = None
) -> Registration:
    """What a course comes to at `as_of`, with what the Gazette says of the same person."""
    at = registry.seconds() if as_of is None else as_of
    terms = terms_of(law_of(state, course))
    return registration_of(_with_acquittal(course, state), terms, at)


def _with_acquittal(course: Course, state: GazetteState) -> Course:
    """The course, ended where a publication in the person's favour has followed the listing."""
    if course.state != "effective":
        return course
    entered = course.latest["effective"].table().get("publication")
    later = [
        one
        for one in state.publications
        if one.word("subject") == dossier_of(course).subject and one.number("number") != entered
    ]
    for one in reversed(later):
        if _follows(one, entered) and favours_person(one, state):
            data = format_json({"cause": "acquitted", "publication": one.number("number")})
            return take(course, Event(kind="ended", at=one.number("final"), data=data))
    return course


def _follows(publication: Record, entered: object) -> bool:
    later = isinstance(entered, int) and publication.number("number") > entered
    return later and publication.word("standing") != REGISTERED


def owed(registry: Registry, as_of: int | None = None) -> Iterator[Owed]:
    """Every duty about every listing, done or not, by listing."""
    state = registry.gazette().state
    kept = listings_of(registry)
    listed = {one.number: one for one in kept.all()}
    for number, course in kept.courses():
        for duty in standing(registry, state, course, as_of).due:
            yield Owed(listed=listed[number], duty=duty)


def outstanding(registry: Registry, as_of: int | None = None) -> list[Owed]:
    """What is still to be done, the most urgent first."""
    undone = [one for one in owed(registry, as_of) if one.duty.done_at is None]
    return sorted(undone, key=lambda one: (one.duty.due_at, one.listed.number))


def breaches(registry: Registry, as_of: int | None = None) -> list[Owed]:
    """What was not done in time, also where it was done later."""
    return [one for one in owed(registry, as_of) if one.duty.breached]
