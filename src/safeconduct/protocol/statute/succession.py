"""Checks of the change from one version of a law to the next: whether it follows, and whether
it keeps the promises of the version before.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace

from safeconduct.protocol.statute.calendar import Calendar
from safeconduct.protocol.statute.complaint import CheckOfChange, Complaint, complain
from safeconduct.protocol.statute.instant import DAY_SECONDS
from safeconduct.protocol.statute.text import (
    Day,
    Instant,
    Number,
    Parameter,
    Period,
    Provision,
    Statute,
    Stretch,
    WordList,
    all_parts,
)
from safeconduct.protocol.statute.walk import names_in, seen_in


def _succession(previous: Statute, statute: Statute) -> Iterator[Complaint]:
    if statute.id != previous.id:
        yield complain("statute.id", f"is not {previous.id}, the statute it would follow")
    if statute.version.number != previous.version.number + 1:
        yield complain("version.number", f"must be {previous.version.number + 1}")
    if statute.version.supersedes != previous.sha256:
        yield complain("version.supersedes", "is not the SHA-256 of the version before")


def _backdated(previous: Statute, statute: Statute) -> Iterator[Complaint]:
    """A version that began before the one before it would take its place in the past."""
    now, before = statute.version, previous.version
    if now.published_at < before.published_at:
        yield complain("version.published", "lies before the version before was published")
    if now.in_force_from < before.in_force_from:
        yield complain(
            "version.in_force_from", "lies before the version before came into force"
        )


def _moved_parameters(previous: Statute, statute: Statute) -> Iterator[Complaint]:
    for name, before in previous.parameters.items():
        now, place = statute.parameters.get(name), f"parameters.{name}"
        if type(now) is not type(before) or now is None:
            yield complain(place, "was dropped or became another type")
            continue
        if now.may_change != before.may_change:
            yield complain(f"{place}.may_change", "the promise itself was changed")
        if not _ALLOWED[before.may_change](before, now):
            yield complain(place, f"was moved, although it may change {before.may_change}")


def _evaded_parameters(previous: Statute, statute: Statute) -> Iterator[Complaint]:
    """A promise about a date is worth nothing once its sections read another date instead."""
    before, now = _sections_reading(previous), _sections_reading(statute)
    old, new = ({p.number for p in all_parts(law.sections)} for law in (previous, statute))
    for name, parameter in previous.parameters.items():
        was, still = before.get(name, set()), now.get(name, set())
        gone = was - still
        if parameter.may_change == "any" or not gone:
            continue
        # A section may be repealed; it may not come back under another number without it.
        if gone & new or (len(still) < len(was) and new - old):
            told = ", ".join(sorted(gone))
            yield complain(
                f"parameters.{name}",
                f"section {told} no longer holds to it, although it may change "
                f"{parameter.may_change}",
            )


def _sections_reading(statute: Statute) -> dict[str, set[str]]:
    """By name of a parameter, the numbers of the sections whose own rules read it."""
    found: dict[str, set[str]] = {}
    for part in all_parts(statute.sections):
        if not isinstance(part, Provision):
            continue
        own = replace(part, exceptions=())  # which are parts of their own
        for condition, _ in seen_in(own):
            for name in names_in(condition) & statute.parameters.keys():
                found.setdefault(name, set()).add(part.number)
    return found


def _moved_calendar(previous: Statute, statute: Statute) -> Iterator[Complaint]:
    """Working days are counted by the calendar: a holiday less is a deadline sooner."""
    before, now = previous.calendar, statute.calendar
    for name, parameter in previous.parameters.items():
        counted = isinstance(parameter, Period) and (
            parameter.duration.unit == "working_days" or parameter.duration.roll
        )
        if not counted or before is None or now is None:
            continue
        old, new = _days_off(before, before), _days_off(now, before)
        if not _DAYS_OFF[parameter.may_change](old, new):
            yield complain(
                "calendar",
                f"other days are free, and by them the period {name}, which may change "
                f"{parameter.may_change}",
            )


def _days_off(calendar: Calendar, years: Calendar) -> set[tuple[int, int]]:
    """Weekdays, as (0, day), and holidays, of the years that the other calendar covers."""
    weekdays = {(0, day) for day in calendar.weekend}
    holidays = calendar.holidays
    return weekdays | {(year, day) for year in years.holidays for day in holidays.get(year, ())}


def _taken_credits(previous: Statute, statute: Statute) -> Iterator[Complaint]:
    """Classes and periods may be added; those there are stay as a source relied on them."""
    before, now = previous.credits, statute.credits
    if before is None:
        return
    if now is None:
        yield complain("credits", "were dropped")
        return
    if now.scheme != before.scheme:
        yield complain("credits.scheme", f"was {before.scheme}, and stays so")
    for word in before.classes:
        if word not in now.classes:
            yield complain("credits.classes", f"{word} was dropped")
    if now.periods[: len(before.periods)] != before.periods:
        yield complain("credits.periods", "a period was moved or dropped")


def _never_final(previous: Statute, statute: Statute) -> Iterator[Complaint]:
    """What waits for a rule that a court struck would stay conditional for ever."""
    waited = {
        previous.rules[each.final_when].number: each.value
        for each in previous.outcomes
        if each.final_when
    }
    for index, annulment in enumerate(statute.version.annuls):
        for place, number in enumerate(annulment.sections):
            if annulment.version == previous.version.number and number in waited:
                yield complain(
                    f"version.annuls[{index}].sections[{place}]",
                    f"without section {number}, {waited[number]} stays conditional for ever",
                )


CHECKS_OF_CHANGE: tuple[CheckOfChange, ...] = (
    _succession,
    _backdated,
    _moved_parameters,
    _moved_calendar,
    _evaded_parameters,
    _taken_credits,
    _never_final,
)


# How far a parameter moved. Each is a few numbers; all of them must keep the promise.


def same(one: Parameter, other: Parameter) -> bool:
    """Whether both parameters come to the same, whatever else is said about them."""
    if isinstance(one, WordList) and isinstance(other, WordList):
        return set(one.values) == set(other.values)
    return _spans(one) == _spans(other) and _unit(one) == _unit(other)


def not_less(one: Parameter, other: Parameter) -> bool:
    """Whether `other` is surely no earlier, shorter or smaller than `one`.

    A list only grows; a period keeps its beginning or begins later, and so for its end.
    """
    if isinstance(one, WordList) and isinstance(other, WordList):
        return set(one.values) <= set(other.values)
    pairs = zip(_spans(one), _spans(other), strict=True)
    if _counted_alike(one, other):
        return all(before <= now for before, now in pairs)
    return all(before[1] <= now[0] for before, now in pairs)


def _spans(parameter: Parameter) -> tuple[tuple[int, int], ...]:
    """The least and the most that each side of a parameter can come to; some units vary."""
    return _SPANS[type(parameter)](parameter)


def _exactly(*values: int) -> tuple[tuple[int, int], ...]:
    return tuple((value, value) for value in values)


def _span_of_period(parameter: Parameter) -> tuple[tuple[int, int], ...]:
    assert isinstance(parameter, Period)
    shortest, longest = _UNIT_SECONDS[parameter.duration.unit]
    later = DAY_SECONDS - 1 if parameter.duration.ends == "end_of_day" else 0
    later += _ROLL_SECONDS_MAX if parameter.duration.roll else 0
    amount = parameter.duration.amount
    return ((amount * shortest, amount * longest + later),)


_ROLL_SECONDS_MAX = 366 * DAY_SECONDS


_SPANS: dict[type, Callable[..., tuple[tuple[int, int], ...]]] = {
    Instant: lambda p: _exactly(p.limit_at),
    Day: lambda p: _exactly(p.begins_at, p.last_at),
    Stretch: lambda p: _exactly(p.first_at, p.last_at),
    Number: lambda p: _exactly(p.value),
    Period: _span_of_period,
}


def _counted_alike(one: Parameter, other: Parameter) -> bool:
    """Whether both are counted in one way; that a last day may roll on only makes it later."""
    before, now = _unit(one), _unit(other)
    return before[:3] == now[:3] and before[3:] in ((), ("",), now[3:])


def _unit(parameter: Parameter) -> tuple[str, ...]:
    if isinstance(parameter, Period):
        measure = parameter.duration
        return measure.unit, measure.rounding, measure.ends, measure.roll
    return ()


_UNIT_SECONDS = {
    "seconds": (1, 1),
    "days": (DAY_SECONDS, DAY_SECONDS),
    "months": (28 * DAY_SECONDS, 31 * DAY_SECONDS),
    "years": (365 * DAY_SECONDS, 366 * DAY_SECONDS),
    "working_days": (DAY_SECONDS, 1 << 40),
}

_ALLOWED: dict[str, Callable[[Parameter, Parameter], bool]] = {
    "never": same,
    "later_only": not_less,
    "earlier_only": lambda before, now: not_less(now, before),
    "any": lambda before, now: True,
}


_DAYS_OFF: dict[str, Callable[[set[tuple[int, int]], set[tuple[int, int]]], bool]] = {
    "never": lambda before, now: before == now,
    "later_only": lambda before, now: before <= now,
    "earlier_only": lambda before, now: before >= now,
    "any": lambda before, now: True,
}
