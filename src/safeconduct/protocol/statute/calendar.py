"""The days of a place: which day an instant falls on, when a day begins and ends, which work.

    1994          1994-04          1994-04-24          the whole local year, month or day

A statute brings its calendar along: the offsets from UTC over the years, the weekend, and the
holidays of each year that a count of working days may reach. No zone database is asked, since
an outsider in twenty years must find the same second. Days are numbered as in
`datetime.date.toordinal`: 1 is the first day of the year 1.

Where clocks are put forward, a local time may be missing: the first second after the gap
stands for it. Where they are put back, it may come twice: a day begins with the first second
that shows it, and ends with the last.
"""

import re
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import NoReturn

from safeconduct.errors import MalformedError

DAY_SECONDS = 86_400
INSTANT_AT_MAX = 253_402_300_799  # 9999-12-31T23:59:59Z
INSTANT_AT_MIN = -62_135_596_800  # 0001-01-01T00:00:00Z
DAY_END = "24:00"

_EPOCH_DAY = date(1970, 1, 1).toordinal()
_DAY_MAX = date.max.toordinal()
_PARTIAL = re.compile(r"[0-9]{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12][0-9]|3[01]))?)?")
_CLOCK = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])|24:00")


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """When something happened, in POSIX seconds; `earliest` is None if nothing bounds it."""

    earliest: int | None
    latest: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """The days of a place: its offsets from UTC over the years, its weekends and holidays."""

    zone: str  # its name, for the reader; the offsets decide
    offsets: tuple[tuple[int, int], ...]  # (from POSIX seconds, seconds east), by time
    weekend: tuple[int, ...] = ()  # ISO: 1 is Monday, 7 is Sunday
    holidays: Mapping[int, tuple[int, ...]] = field(default_factory=dict)  # year to days


UTC_CALENDAR = Calendar(zone="UTC", offsets=((INSTANT_AT_MIN, 0),))


# Seconds and local time. A local time is counted in seconds as if its offset were zero.


def local_of(at: int, calendar: Calendar) -> int:
    """What the clocks of the place show at `at`; its first offset holds before it began too."""
    offsets = calendar.offsets
    if len(offsets) == 1:
        return at + offsets[0][1]
    index = bisect_right(offsets, at, key=lambda each: each[0]) - 1
    return at + offsets[max(0, index)][1]


def first_at(local: int, calendar: Calendar) -> int:
    """POSIX seconds: the first second at which the clocks show `local` or later."""
    offsets = calendar.offsets
    for index, (begins_at, offset) in enumerate(offsets):
        at = local - offset
        if index + 1 == len(offsets) or at < offsets[index + 1][0]:
            return max(at, begins_at) if index else at
    raise AssertionError("a calendar has at least one offset")


def last_before(local: int, calendar: Calendar) -> int:
    """POSIX seconds: the last second at which the clocks show less than `local`."""
    offsets = calendar.offsets
    for index in range(len(offsets) - 1, -1, -1):
        at = local - offsets[index][1] - 1
        if index == 0 or at >= offsets[index][0]:
            return at if index + 1 == len(offsets) else min(at, offsets[index + 1][0] - 1)
    raise AssertionError("a calendar has at least one offset")


# Days.


def day_of(at: int, calendar: Calendar) -> int:
    """The number of the local day on which `at` falls."""
    return local_of(at, calendar) // DAY_SECONDS + _EPOCH_DAY


def local_midnight(day: int) -> int:
    """The local time at which a day begins."""
    return (day - _EPOCH_DAY) * DAY_SECONDS


def begin_of_day(day: int, calendar: Calendar) -> int:
    """POSIX seconds of the first second of a day."""
    return first_at(local_midnight(day), calendar)


def end_of_day(day: int, calendar: Calendar, ends: str = DAY_END) -> int:
    """POSIX seconds of the last second of a day, or of the last before it `ends`, as 17:00."""
    hours, minutes = ends.split(":")
    return last_before(local_midnight(day) + int(hours) * 3600 + int(minutes) * 60, calendar)


def parse_clock(text: str, what: str) -> str:
    """A local time at which a day ends, from 00:00 to 24:00.

    Raises:
        MalformedError: another form, or no such time.
    """
    if not _CLOCK.fullmatch(text) or text == "00:00":
        raise MalformedError(f"{what}: not a time of day like 17:00 or 24:00")
    return text


def parse_ordinal(text: str, what: str) -> int:
    """The number of the day written as 1994-04-24.

    Raises:
        MalformedError: another form, or no such day.
    """
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        raise MalformedError(f"{what}: not a day like 1994-04-24")
    return _first_day(text, what)


def parse_day(
    text: str, calendar: Calendar, what: str = "day", ends: str = DAY_END
) -> Interval:
    """The seconds of a whole day, or those until it `ends`.

    Raises:
        MalformedError: another form, or no such day.
    """
    day = parse_ordinal(text, what)
    return _between(begin_of_day(day, calendar), end_of_day(day, calendar, ends))


def parse_partial(text: str, calendar: Calendar, what: str = "date") -> Interval:
    """All seconds of a year, a month or a day.

    Raises:
        MalformedError: another form, or no such date.
    """
    if not _PARTIAL.fullmatch(text):
        raise MalformedError(f"{what}: not a date like 1994, 1994-04 or 1994-04-24")
    first, last = _first_day(text, what), _last_day(text, what)
    return _between(begin_of_day(first, calendar), end_of_day(last, calendar))


def _between(first: int, last: int) -> Interval:
    """The seconds from one to another, as far as they lie in the years 1 to 9999 of UTC."""
    return Interval(earliest=max(first, INSTANT_AT_MIN), latest=min(last, INSTANT_AT_MAX))


def is_partial(text: str) -> bool:
    """Whether a text is written as a year, a month or a day."""
    return _PARTIAL.fullmatch(text) is not None


def _first_day(text: str, what: str) -> int:
    year, month, day = _numbers(text)
    try:
        return date(year, month or 1, day or 1).toordinal()
    except ValueError as error:
        raise MalformedError(f"{what}: there is no such date") from error


def _last_day(text: str, what: str) -> int:
    year, month, day = _numbers(text)
    if day:
        return _first_day(text, what)
    if not month or month == 12:
        return date(year, 12, 31).toordinal()
    return date(year, month + 1, 1).toordinal() - 1


def _numbers(text: str) -> tuple[int, int, int]:
    year, month, day, *_ = [*(int(part) for part in text.split("-")), 0, 0]
    return year, month, day


# Working days.


def covers(year: int, calendar: Calendar) -> bool:
    """Whether the calendar lists the holidays of `year`, so that its working days are known."""
    return year in calendar.holidays


def is_working_day(day: int, calendar: Calendar) -> bool:
    """Whether people work on that day.

    Raises:
        MalformedError: the calendar lists no holidays of its year; names the year.
    """
    if not 1 <= day <= _DAY_MAX:
        raise MalformedError("the period ends beyond the year 9999")
    found = date.fromordinal(day)
    holidays = calendar.holidays.get(found.year)
    if holidays is None:
        _uncovered(found.year)
    return day not in holidays and found.isoweekday() not in calendar.weekend


def next_working_day(day: int, calendar: Calendar) -> int:
    """The day itself, if people work on it, or the next on which they do."""
    while not is_working_day(day, calendar):
        day += 1
    return day


def add_working_days(day: int, amount: int, calendar: Calendar) -> int:
    """The `amount`-th working day after `day`, which itself is not counted.

    Raises:
        MalformedError: the count reaches a year of which no holidays are listed.
    """
    for _ in range(amount):
        day = next_working_day(day + 1, calendar)
    return day


def _uncovered(year: int) -> NoReturn:
    raise MalformedError(
        f"calendar.holidays: the year {year} is missing, and a deadline reaches it"
    )
