"""Numbers worked out from a list: how many, how long in all, in which place.

A number that open facts bear on lies between a least and a most, and a test of it is open
while its bound lies between them. `maybe_absent` says that there may be no such number at all:
whoever does not qualify has no place, and tests of it are false.

Days are those of the place. Its clocks count, so the day on which they are put forward is no
shorter than others; and an end that is written as a day, as in {"begin": "2010-03-01",
"end": "2011-02-28"}, belongs whole, so that this is 365 days.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise
from typing import TypeAlias

from safeconduct.protocol.statute.calendar import (
    DAY_SECONDS,
    Calendar,
    Interval,
    begin_of_day,
    day_of,
    end_of_day,
    local_midnight,
    local_of,
)
from safeconduct.protocol.statute.compare import Bounds
from safeconduct.protocol.statute.facts import Item, Missing, Span
from safeconduct.protocol.statute.proof import Node, Truth, all_of
from safeconduct.protocol.statute.term import (
    ALWAYS,
    EVER,
    Law,
    Run,
    Seen,
    bounds,
    moment,
    read,
)
from safeconduct.protocol.statute.text import Quantity

DAYS_MAX = 3_652_059  # from the year 1 to the year 9999; what always was counts as much


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """What a quantity came to, and the proof of each item that it was worked out from."""

    least: int
    most: int | None  # None if nothing bounds it
    children: tuple[Node, ...]
    facts: tuple[str, ...]
    maybe_absent: bool = False
    absent: bool = False

    def reaches(self, bound: int) -> Truth:
        """Whether it is at least `bound`; not known where there may be no such number."""
        if self.absent or (self.most is not None and self.most < bound):
            return False
        return True if self.least >= bound and not self.maybe_absent else None

    def stays_below(self, bound: int) -> Truth:
        """Whether it is less than `bound`."""
        if self.absent or self.least >= bound:
            return False
        below = self.most is not None and self.most < bound
        return True if below and not self.maybe_absent else None


Measurer: TypeAlias = Callable[[Run], Measure]


def measurer(quantity: Quantity, law: Law, favour: bool, high: bool) -> Measurer:
    """The function that measures a total or rank; `high` if a high number helps the person."""
    return {"total": _total, "rank": _rank}[quantity.operator](quantity, law, favour, high)


# Days in a union of spans.


def _total(quantity: Quantity, law: Law, favour: bool, high: bool) -> Measurer:
    counts = law.prove(quantity.tests[0], high)
    stretch, clock = _stretches(quantity.field, law.calendar, high), _clock(law.calendar)

    def measure(run: Run) -> Measure:
        seen = Seen()
        children, certain, possible = [], [], []
        for item in run.lists[quantity.name]:
            child = counts(run, item)
            children.append(child)
            begin, latest_begin, earliest_end, end = stretch(run, item, seen)
            if child.value is not False and begin <= end:
                possible.append((begin, end))
                if child.value and latest_begin <= earliest_end:
                    certain.append((latest_begin, earliest_end))
        most = _seconds(possible, clock)
        return Measure(
            least=min(DAYS_MAX, _seconds(certain, clock) // DAY_SECONDS),
            most=None if most > ALWAYS // 2 else most // DAY_SECONDS,
            children=tuple(children),
            facts=tuple(seen.facts),
        )

    return measure


_NEVER = (ALWAYS, ALWAYS, EVER, EVER)
_FOR_EVER = (EVER, EVER, ALWAYS // 2, ALWAYS // 2)


def _stretches(
    name: str, calendar: Calendar | None, high: bool
) -> Callable[[Run, Item, Seen], Bounds]:
    def find(run: Run, item: Item, seen: Seen) -> Bounds:
        reading = read(name, run, item, seen)
        if isinstance(reading, Span):
            return bounds(in_whole_days(reading, calendar), run.as_of)
        if reading is Missing.UNKNOWN:
            return EVER, ALWAYS, EVER, ALWAYS
        return _FOR_EVER if reading is Missing.IN_FAVOUR and high else _NEVER

    return find


def in_whole_days(span: Span, calendar: Calendar | None) -> Span:
    """The span as a total counts it: of an end that is written as a day the day belongs whole.

    Of a month or a year, which day it was stays open, but not at what hour.
    """
    begin, end = span.begin, span.end
    if calendar is not None and isinstance(begin, Interval) and _in_days(begin, calendar):
        last = day_of(begin.latest, calendar)
        begin = replace(begin, latest=begin_of_day(last, calendar))
    if calendar is not None and isinstance(end, Interval) and _in_days(end, calendar):
        first = None if end.earliest is None else day_of(end.earliest, calendar)
        end = replace(end, earliest=None if first is None else end_of_day(first, calendar))
    return Span(begin=begin, end=end)


def _in_days(time: Interval, calendar: Calendar) -> bool:
    first, last = time.earliest, time.latest
    begins = first is None or first == begin_of_day(day_of(first, calendar), calendar)
    return begins and last == end_of_day(day_of(last, calendar), calendar)


Clock: TypeAlias = Callable[[int], int]


def _clock(calendar: Calendar | None) -> Clock:
    """How far the clocks of the place have come when a second begins, counted in seconds.

    What they pass over when they are put forward counts as gone through, and what they show
    twice when they are put back counts once, so from midnight to midnight it is always a day.
    """
    if calendar is None or len(calendar.offsets) == 1:
        return lambda at: at
    begins = [begins_at for begins_at, _ in calendar.offsets]
    ends = (at + offset for (_, offset), (at, _) in pairwise(calendar.offsets))
    furthest = [EVER, *accumulate(ends, max)]  # that they had come before each offset began

    def read_clock(at: int) -> int:
        day = day_of(at, calendar)
        if at == begin_of_day(day, calendar):
            return local_midnight(day)
        index = max(0, bisect_right(begins, at - 1) - 1)
        return max(local_of(at - 1, calendar) + 1, furthest[index])

    return read_clock


def _seconds(stretches: Iterable[tuple[int, int]], clock: Clock) -> int:
    """How many seconds lie in at least one of the stretches, both ends included."""
    total, covered = 0, EVER - 1
    for first, last in sorted(stretches):
        if last > covered:
            total += clock(last + 1) - clock(max(first, covered + 1))
            covered = last
    return total


# The place among those who qualify.


@dataclass(frozen=True, slots=True, kw_only=True)
class _Runner:
    here: Truth  # whether it qualifies and has a time
    asked: Truth  # whether it is the one whose place is asked for, and is here
    time: Interval | Missing


def _rank(quantity: Quantity, law: Law, favour: bool, high: bool) -> Measurer:
    """Own tests count as the person would have them, and those of rivals too."""
    assert quantity.term is not None
    asked, qualifies = (law.prove(each, favour) for each in quantity.tests)
    rival = law.prove(quantity.tests[1], high)
    time = moment(quantity.term, law)

    def measure(run: Run) -> Measure:
        seen = Seen()
        children: list[Node] = []
        runners: list[_Runner] = []
        for item in run.lists[quantity.name]:
            who = asked(run, item)
            fit = (rival if who.value is False else qualifies)(run, item)
            found = time(run, item, seen)
            here = all_of((fit.value, _THERE.get(found, True)))
            children += [who, fit]
            runners.append(_Runner(here=here, asked=all_of((who.value, here)), time=found))
        return _placed(runners, (*children, *seen.tests), tuple(seen.facts), high)

    return measure


_THERE: dict[object, Truth] = {
    Missing.ABSENT: False,
    Missing.UNPROVEN: False,
    Missing.UNKNOWN: None,
}


def _placed(
    runners: list[_Runner], children: tuple[Node, ...], facts: tuple[str, ...], high: bool
) -> Measure:
    possible = [each for each in runners if each.asked is not False]
    if not possible:
        return Measure(least=0, most=0, children=children, facts=facts, absent=True)
    places = [(each, *_place(each, runners, high)) for each in possible]
    certain = [most for each, _, most in places if each.asked]
    return Measure(
        least=min(least for _, least, _ in places),
        most=min(certain) if certain else max(most for _, _, most in places),
        children=children,
        facts=facts,
        maybe_absent=not certain,
    )


def _place(one: _Runner, runners: list[_Runner], high: bool) -> tuple[int, int]:
    """The best and the worst place that `one` can have; equal times share a place."""
    first, last = _window(one.time, high)
    least = most = 1
    for other in runners:
        if other is one or other.here is False:
            continue
        begin, end = _window(other.time, not high)
        least += bool(other.here) and end < first
        most += begin < last
    return least, most


def _window(time: Interval | Missing, late: bool) -> tuple[int, int]:
    """From when to when; if a doubt helps the person, all the way to where they need it."""
    if isinstance(time, Interval):
        return EVER if time.earliest is None else time.earliest, time.latest
    if time is Missing.IN_FAVOUR:
        return (ALWAYS, ALWAYS) if late else (EVER, EVER)
    return EVER, ALWAYS


def below(measure: Measure, bound: int, operator: str) -> Truth:
    """What `at-least` or `less` of the measure comes to."""
    return measure.stays_below(bound) if operator == "less" else measure.reaches(bound)
