"""Instants of the law: written with their offset, counted in POSIX seconds, moved by periods.

    2027-06-01T00:00:00+03:00      RFC 3339, whole seconds, the offset always written

The offset decides, not a zone database: an outsider in twenty years must get the same second.
A month added has no one meaning on the 31st, so a period in months or years says how it
rounds. Days, months and years are counted on the statute's calendar, in UTC where it has none.

Spec: RFC 3339 §5.6, without fractions and leap seconds.
"""

import calendar as months
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from safeconduct.errors import MalformedError
from safeconduct.protocol.statute.calendar import (
    DAY_SECONDS,
    INSTANT_AT_MAX,
    INSTANT_AT_MIN,
    UTC_CALENDAR,
    Calendar,
    Interval,
    add_working_days,
    begin_of_day,
    day_of,
    end_of_day,
    first_at,
    local_midnight,
    local_of,
    next_working_day,
)

__all__ = [
    "AMOUNT_MAX",
    "DAY_SECONDS",
    "INSTANT_AT_MAX",
    "INSTANT_AT_MIN",
    "Duration",
    "add",
    "add_to",
    "format_instant",
    "parse_instant",
]

AMOUNT_MAX = {  # about a century; ten years where each day is looked up
    "seconds": 3_200_000_000,
    "days": 36_600,
    "months": 1_200,
    "years": 100,
    "working_days": 2_600,
}
ROUNDED_UNITS = frozenset({"months", "years"})

# Python's own reader grows more lenient with each version; this one must not.
_TIME = r"([01][0-9]|2[0-3]):[0-5][0-9]"
_INSTANT = re.compile(rf"[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}T{_TIME}:[0-5][0-9](Z|[+-]{_TIME})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Duration:
    """`amount` seconds, or days, months, years or working days of the statute's calendar."""

    amount: int
    unit: str
    rounding: str = ""  # for months: `down` to the month's last day, or `up` to the next day
    ends: str = "same_time"  # or end_of_day: the last second of the local day it falls on
    roll: str = ""  # next_working_day: a last day without work is moved to the next with it


def parse_instant(text: str, what: str) -> int:
    """POSIX seconds of an RFC 3339 date and time with its offset.

    Raises:
        MalformedError: another form, no such day or time, or beyond the years 1 to 9999.
    """
    if not _INSTANT.fullmatch(text):
        raise MalformedError(f"{what}: not a date like 2027-06-01T00:00:00+03:00")
    try:
        moment = datetime.fromisoformat(text)
        return int((moment - _EPOCH) // timedelta(seconds=1))
    except (ValueError, OverflowError) as error:
        raise MalformedError(f"{what}: there is no such date and time") from error


def format_instant(at: int) -> str:
    """`at` in RFC 3339 and UTC, such as 2027-05-31T21:00:00Z.

    Raises:
        MalformedError: beyond the years 1 to 9999.
    """
    if not INSTANT_AT_MIN <= at <= INSTANT_AT_MAX:
        raise MalformedError("an instant lies beyond the years 1 to 9999")
    return (_EPOCH + timedelta(seconds=at)).strftime("%Y-%m-%dT%H:%M:%SZ").rjust(20, "0")


def add(at: int, duration: Duration, calendar: Calendar | None = None) -> int:
    """POSIX seconds of the instant one `duration` after `at`; days are UTC's without calendar.

    Raises:
        MalformedError: the sum lies beyond the year 9999, or working days are counted into a
            year of which the calendar lists no holidays.
    """
    inside = INSTANT_AT_MIN <= at <= INSTANT_AT_MAX
    moved = _add(at, duration, calendar or UTC_CALENDAR) if inside else at
    if not INSTANT_AT_MIN <= moved <= INSTANT_AT_MAX:
        raise MalformedError("the period ends beyond the year 9999")
    return moved


def add_to(span: Interval, duration: Duration, calendar: Calendar | None = None) -> Interval:
    """When something happens that follows something of uncertain time by one `duration`.

    The 30th and the 31st may both lead to the 28th, so an uncertain time of day makes the
    ends of the sum lie inside what they bound; the days next to them are looked at as well.
    Sums beyond the year 9999 stop there.

    Raises:
        MalformedError: working days are counted into a year without listed holidays.
    """
    reached = [_stopped(at, duration, calendar) for at in _turning_points(span, calendar)]
    return Interval(
        earliest=None if span.earliest is None else min(reached),
        latest=max(reached),
    )


def _stopped(at: int, duration: Duration, calendar: Calendar | None) -> int:
    return min(INSTANT_AT_MAX, _add(at, duration, calendar or UTC_CALENDAR))


def _turning_points(span: Interval, calendar: Calendar | None) -> set[int]:
    """The seconds between which a sum only grows, as far as they can bound it."""
    place = calendar or UTC_CALENDAR
    first, last = span.earliest, span.latest
    if first == last:
        return {last}
    points = {last, end_of_day(day_of(last, place) - 1, place)}
    if first is not None:
        points |= {first, begin_of_day(day_of(first, place) + 1, place)}
    for at, _ in place.offsets[1:]:
        points |= {at - 1, at}
    return {at for at in points if at <= last and (first is None or at >= first)}


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY_MAX = date.max.toordinal()


def _add(at: int, duration: Duration, calendar: Calendar) -> int:
    if duration.unit == "seconds":
        return _settled(at + duration.amount, duration, calendar)
    local = local_of(at, calendar)
    day = day_of(at, calendar)
    landed = _DAYS[duration.unit](day, duration, calendar)
    if landed == day:
        return _settled(at, duration, calendar)
    moved = local_midnight(landed) + local - local_midnight(day)
    return _settled(first_at(moved, calendar), duration, calendar)


def _settled(at: int, duration: Duration, calendar: Calendar) -> int:
    """The instant reached, rolled off a day without work and set to the end of its day."""
    if not duration.roll and duration.ends == "same_time":
        return at
    if at > INSTANT_AT_MAX:
        return at
    day = day_of(at, calendar)
    if duration.roll:
        worked = next_working_day(day, calendar)
        if worked != day:
            at = first_at(local_of(at, calendar) + (worked - day) * DAY_SECONDS, calendar)
    return at if duration.ends == "same_time" else end_of_day(day_of(at, calendar), calendar)


def _add_months(day: int, amount: int, duration: Duration) -> int:
    start = date.fromordinal(min(max(day, 1), _DAY_MAX))
    year, month = divmod(start.year * 12 + start.month - 1 + amount, 12)
    if year > 9999:
        return _DAY_MAX + 2
    last_day = months.monthrange(year, month + 1)[1]
    landed = start.replace(year=year, month=month + 1, day=min(start.day, last_day))
    return landed.toordinal() + (start.day > last_day and duration.rounding == "up")


_DAYS: dict[str, Callable[[int, Duration, Calendar], int]] = {
    "days": lambda day, duration, _: day + duration.amount,
    "months": lambda day, duration, _: _add_months(day, duration.amount, duration),
    "years": lambda day, duration, _: _add_months(day, 12 * duration.amount, duration),
    "working_days": lambda day, duration, place: add_working_days(day, duration.amount, place),
}
