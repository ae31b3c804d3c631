"""Instants of the law: written with their offset, counted in POSIX seconds, moved by periods.

    2027-06-01T00:00:00+03:00      RFC 3339, whole seconds, the offset always written

The offset decides, not a zone database: an outsider in twenty years must get the same second.
A month added has no one meaning on the 31st, so a period in months says how it rounds.

Spec: RFC 3339 §5.6, without fractions and leap seconds.
"""

import calendar
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from safeconduct.errors import MalformedError

DAY_SECONDS = 86_400
INSTANT_AT_MAX = 253_402_300_799  # 9999-12-31T23:59:59Z
INSTANT_AT_MIN = -62_135_596_800  # 0001-01-01T00:00:00Z
AMOUNT_MAX = {"seconds": 3_200_000_000, "days": 36_600, "months": 1_200}  # about a century

# Python's own reader grows more lenient with each version; this one must not.
_TIME = r"([01][0-9]|2[0-3]):[0-5][0-9]"
_INSTANT = re.compile(rf"[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}T{_TIME}:[0-5][0-9](Z|[+-]{_TIME})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Duration:
    """`amount` seconds, days of 86,400 seconds, or calendar months in UTC."""

    amount: int
    unit: str
    rounding: str = ""  # for months: `down` to the month's last day, or `up` to the next day


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
    """`at` in RFC 3339 and UTC, such as 2027-05-31T21:00:00Z."""
    return (_EPOCH + timedelta(seconds=at)).strftime("%Y-%m-%dT%H:%M:%SZ").rjust(20, "0")


def add(at: int, duration: Duration) -> int:
    """POSIX seconds of the instant one `duration` after `at`.

    Raises:
        MalformedError: the sum lies beyond the year 9999.
    """
    inside = INSTANT_AT_MIN <= at <= INSTANT_AT_MAX
    moved = _ADD[duration.unit](at, duration) if inside else at
    if not INSTANT_AT_MIN <= moved <= INSTANT_AT_MAX:
        raise MalformedError("the period ends beyond the year 9999")
    return moved


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _add_months(at: int, duration: Duration) -> int:
    start = _EPOCH + timedelta(seconds=at)
    year, month = divmod(start.year * 12 + start.month - 1 + duration.amount, 12)
    if year > 9999:
        return INSTANT_AT_MAX + 1
    last_day = calendar.monthrange(year, month + 1)[1]
    landed = start.replace(year=year, month=month + 1, day=min(start.day, last_day))
    moved = int((landed - _EPOCH) // timedelta(seconds=1))
    rounded_up = start.day > last_day and duration.rounding == "up"
    return moved + DAY_SECONDS if rounded_up else moved


_ADD: dict[str, Callable[[int, Duration], int]] = {
    "seconds": lambda at, duration: at + duration.amount,
    "days": lambda at, duration: at + duration.amount * DAY_SECONDS,
    "months": _add_months,
}
