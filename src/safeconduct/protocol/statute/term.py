"""Times and periods of a case: what a law's terms come to, and between which seconds.

A time is an interval, a period is four seconds: the earliest and latest at which it can have
begun, and at which it can have ended. Each term is made into a function of the case once, when
the statute is first applied. `seen` collects what it was made of: the ids of the facts that
were read, and the proofs of the tests that it hung on.

A term of which an open fact is part is open. What is absent makes a sum absent; `later` and
`earlier` pass it over. A `when` that hangs on an open fact lies somewhere between its times.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from safeconduct.errors import MalformedError
from safeconduct.protocol.statute.calendar import Calendar, Interval
from safeconduct.protocol.statute.compare import Bounds
from safeconduct.protocol.statute.condition import AS_OF
from safeconduct.protocol.statute.condition import read_span as read_span
from safeconduct.protocol.statute.condition import read_term as read_term
from safeconduct.protocol.statute.facts import Item, Missing, Reading, Span
from safeconduct.protocol.statute.instant import add_to
from safeconduct.protocol.statute.proof import Node, flatten
from safeconduct.protocol.statute.text import (
    Condition,
    Day,
    Instant,
    Parameter,
    Period,
    Stretch,
    Term,
)

EVER = -(1 << 62)  # POSIX seconds before all others: nothing bounds it from below
ALWAYS = 1 << 62  # POSIX seconds after all others: nothing bounds it from above
READ_MAX = 250_000  # facts read for times that hang on conditions, in one judgement


@dataclass(slots=True)
class Run:
    """One case being judged, and the rules that are proven of it so far."""

    values: Mapping[str, Reading]
    lists: Mapping[str, tuple[Item, ...]]
    as_of: int
    proven: dict[object, Node] = field(default_factory=dict)
    read: int = 0  # facts read for `when`

    def count(self, facts: int) -> None:
        """Ensure that times hang on no more than 250,000 facts.

        Raises:
            MalformedError: they do.
        """
        self.read += facts
        if self.read > READ_MAX:
            raise MalformedError(
                f"facts: judging so many items takes more than {READ_MAX} steps"
            )


@dataclass(slots=True)
class Seen:
    """What times were made of: ids of facts, and proofs of the tests that they hung on."""

    facts: list[str] = field(default_factory=list)
    tests: list[Node] = field(default_factory=list)


Prove: TypeAlias = Callable[[Run, Item | None], Node]
Moment: TypeAlias = Callable[[Run, Item | None, Seen], Interval | Missing]
Stay: TypeAlias = Callable[[Run, Item | None, Seen], Bounds | Missing]


@dataclass(frozen=True, slots=True, kw_only=True)
class Law:
    """What terms are made from; `prove` makes the function that proves a condition."""

    parameters: Mapping[str, Parameter]
    calendar: Calendar | None
    prove: Callable[[Condition, bool], Prove]


# What a date of the law stands for, by where it is used.

POINT = "point"  # by itself, and where something is added to it: its own second, a day's first
LIMIT = "limit"  # after `before`: the first second that is no longer before it
LAST = "last"  # in front of `by` and `before`: a day counts whole
WHOLE = "whole"  # after `by`: the last second that is not later

_INSTANT: dict[str, Callable[[Any], int]] = {
    POINT: lambda instant: instant.at,
    LIMIT: lambda instant: instant.limit_at,
    LAST: lambda instant: instant.at,
    WHOLE: lambda instant: instant.limit_at - 1,
}
_DAY: dict[str, Callable[[Any], int]] = {
    POINT: lambda day: day.begins_at,
    LIMIT: lambda day: day.begins_at,
    LAST: lambda day: day.last_at,
    WHOLE: lambda day: day.last_at,
}


def read(name: str, run: Run, item: Item | None, seen: Seen) -> Reading:
    """The reading of a declared fact, of the item if it is a field; `seen` gets its id."""
    if "." not in name:
        seen.facts.append(name)
        return run.values[name]
    assert item is not None  # the loader lets fields stand only where there is an item
    seen.facts.append(f"{item.id}.{name.partition('.')[2]}")
    return item.values[name]


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """Where a time stands; `low` if an earlier one helps the person, None if either may."""

    as_date: str = POINT
    low: bool | None = None


ALONE = Use()


def moment(term: Term, law: Law, use: Use = ALONE) -> Moment:
    """The function that finds the time of `term` in a case."""
    return _MOMENTS[term.operator](term, law, use)


def _fact(term: Term, law: Law, use: Use) -> Moment:
    name = term.name

    def find(run: Run, item: Item | None, seen: Seen) -> Interval | Missing:
        reading = read(name, run, item, seen)
        assert isinstance(reading, Interval | Missing)
        return reading

    return find


def _parameter(term: Term, law: Law, use: Use) -> Moment:
    parameter = law.parameters[term.name]
    assert isinstance(parameter, Instant | Day)
    table = _INSTANT if isinstance(parameter, Instant) else _DAY
    at = table[use.as_date](parameter)
    fixed = Interval(earliest=at, latest=at)
    return lambda run, item, seen: fixed


def _as_of(term: Term, law: Law, use: Use) -> Moment:
    return lambda run, item, seen: Interval(earliest=run.as_of, latest=run.as_of)


def _side(term: Term, law: Law, use: Use) -> Moment:
    parameter, begins = law.parameters.get(term.name), term.operator == "begin"
    if isinstance(parameter, Stretch):
        at = parameter.first_at if begins else parameter.last_at
        fixed = Interval(earliest=at, latest=at)
        return lambda run, item, seen: fixed
    name = term.name

    def find(run: Run, item: Item | None, seen: Seen) -> Interval | Missing:
        reading = read(name, run, item, seen)
        assert isinstance(reading, Span | Missing)
        if isinstance(reading, Missing):
            return reading
        return reading.begin if begins else reading.end

    return find


def _sum(term: Term, law: Law, use: Use) -> Moment:
    parameter, base = law.parameters[term.name], moment(term.terms[0], law, Use(low=use.low))
    assert isinstance(parameter, Period)
    duration, calendar = parameter.duration, law.calendar

    def find(run: Run, item: Item | None, seen: Seen) -> Interval | Missing:
        found = base(run, item, seen)
        return found if isinstance(found, Missing) else add_to(found, duration, calendar)

    return find


def _one_of(term: Term, law: Law, use: Use) -> Moment:
    times = [moment(each, law, use) for each in term.terms]
    choose = latest_of if term.operator == "later" else earliest_of

    def find(run: Run, item: Item | None, seen: Seen) -> Interval | Missing:
        return _chosen([time(run, item, seen) for time in times], choose)

    return find


def _chosen(
    found: list[Interval | Missing], choose: Callable[[list[Interval]], Interval]
) -> Interval | Missing:
    for doubt in (Missing.UNKNOWN, Missing.IN_FAVOUR):
        if doubt in found:
            return doubt
    there = [each for each in found if isinstance(each, Interval)]
    if there:
        return choose(there)
    return Missing.UNPROVEN if Missing.UNPROVEN in found else Missing.ABSENT


def latest_of(times: list[Interval]) -> Interval:
    """When the last of some things happened; at least one is needed."""
    bounded = [each.earliest for each in times if each.earliest is not None]
    return Interval(
        earliest=max(bounded) if bounded else None, latest=max(each.latest for each in times)
    )


def earliest_of(times: list[Interval]) -> Interval:
    """When the first of some things happened; at least one is needed."""
    return Interval(
        earliest=_least([each.earliest for each in times]),
        latest=min(each.latest for each in times),
    )


def hull(times: list[Interval]) -> Interval:
    """When something happened that was at one of these times."""
    return Interval(
        earliest=_least([each.earliest for each in times]),
        latest=max(each.latest for each in times),
    )


def _least(bounds: list[int | None]) -> int | None:
    return None if None in bounds else min(each for each in bounds if each is not None)


def _deemed(term: Term, law: Law, use: Use) -> Moment:
    if_so, if_not = (law.prove(term.tests[0], favour) for favour in (True, False))
    then, otherwise = (moment(each, law, use) for each in term.terms)

    def find(run: Run, item: Item | None, seen: Seen) -> Interval | Missing:
        node, contrary = if_so(run, item), if_not(run, item)
        _note(node, run, seen)
        if node.value is contrary.value and node.value is not None:
            return (then if node.value else otherwise)(run, item, seen)
        times = then(run, item, seen), otherwise(run, item, seen)
        return _doubted(times, None if None in (node.value, contrary.value) else use.low)

    return find


def _note(node: Node, run: Run, seen: Seen) -> None:
    facts = [fact for each in flatten((node,))[0] for fact in each.facts]
    run.count(len(facts))
    seen.facts.extend(facts)
    seen.tests.append(node)


def _doubted(
    times: tuple[Interval | Missing, Interval | Missing], low: bool | None
) -> Interval | Missing:
    """One of two times: the one that helps the person, if the doubt is settled for them."""
    first, second = times
    if first == second:
        return first
    if isinstance(first, Interval) and isinstance(second, Interval):
        both = [first, second]
        return hull(both) if low is None else earliest_of(both) if low else latest_of(both)
    if low is None or Missing.UNKNOWN in times:
        return Missing.UNKNOWN
    return Missing.IN_FAVOUR


_MOMENTS: dict[str, Callable[[Term, Law, Use], Moment]] = {
    "fact": _fact,
    "parameter": _parameter,
    AS_OF: _as_of,
    "begin": _side,
    "end": _side,
    "add": _sum,
    "later": _one_of,
    "earlier": _one_of,
    "when": _deemed,
}


# Periods.


def stay(term: Term, law: Law) -> Stay:
    """The function that finds the four bounds of the period `term` in a case."""
    name, parameter = term.name, law.parameters.get(term.name)
    if isinstance(parameter, Stretch):
        fixed = (parameter.first_at, parameter.first_at, parameter.last_at, parameter.last_at)
        return lambda run, item, seen: fixed

    def find(run: Run, item: Item | None, seen: Seen) -> Bounds | Missing:
        reading = read(name, run, item, seen)
        assert isinstance(reading, Span | Missing)
        return reading if isinstance(reading, Missing) else bounds(reading)

    return find


def bounds(span: Span, still_until: int = ALWAYS) -> Bounds:
    """The four bounds of a span; one that still goes on ends at `still_until`."""
    begin, latest_begin = _bounds(span.begin, EVER)
    earliest_end, end = _bounds(span.end, still_until)
    return begin, min(latest_begin, end), max(earliest_end, begin), end


def _bounds(side: Interval | Missing, absent: int) -> tuple[int, int]:
    if side is Missing.ABSENT:
        return absent, absent
    if isinstance(side, Missing):
        return EVER, ALWAYS
    return EVER if side.earliest is None else side.earliest, side.latest
