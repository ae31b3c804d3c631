"""Dates with their offset, and periods added to them."""

import pytest

from safeconduct.errors import MalformedError
from safeconduct.protocol.statute import format_instant, parse_instant
from safeconduct.protocol.statute.instant import Duration, add

ADDED: dict[str, tuple[str, Duration, str]] = {
    "thirty days over a leap day": (
        "2024-02-01T12:00:00Z",
        Duration(amount=30, unit="days"),
        "2024-03-02T12:00:00Z",
    ),
    "a month from the 31st, down": (
        "2023-01-31T12:00:00Z",
        Duration(amount=1, unit="months", rounding="down"),
        "2023-02-28T12:00:00Z",
    ),
    "a month from the 31st, up": (
        "2023-01-31T12:00:00Z",
        Duration(amount=1, unit="months", rounding="up"),
        "2023-03-01T12:00:00Z",
    ),
    "a year from a leap day, down": (
        "2024-02-29T00:00:00Z",
        Duration(amount=12, unit="months", rounding="down"),
        "2025-02-28T00:00:00Z",
    ),
    "a year from a leap day, up": (
        "2024-02-29T00:00:00Z",
        Duration(amount=12, unit="months", rounding="up"),
        "2025-03-01T00:00:00Z",
    ),
    "a month that needs no rounding": (
        "2023-12-15T00:00:00Z",
        Duration(amount=1, unit="months", rounding="up"),
        "2024-01-15T00:00:00Z",
    ),
    "one second over the year": (
        "2023-12-31T23:59:59Z",
        Duration(amount=1, unit="seconds"),
        "2024-01-01T00:00:00Z",
    ),
}


@pytest.mark.parametrize("name", ADDED)
def test_adding(name: str) -> None:
    start, duration, end = ADDED[name]
    assert format_instant(add(parse_instant(start, "start"), duration)) == end


def test_an_offset_counts() -> None:
    assert parse_instant("1970-01-01T02:00:00+02:00", "a") == 0
    assert parse_instant("1969-12-31T19:00:00-05:00", "a") == 0


@pytest.mark.parametrize(
    "text",
    [
        "2027-06-01",
        "2027-06-01T00:00:00",
        "2027-06-01 00:00:00Z",
        "2027-06-01T00:00:00z",
        "2027-06-01T00:00:00.0Z",
        "2027-06-01T24:00:00Z",
        "2027-06-01T23:59:60Z",
        "2027-02-30T00:00:00Z",
        "2027-06-01T00:00:00+99:00",
        "２027-06-01T00:00:00Z",
    ],
)
def test_another_spelling_is_refused(text: str) -> None:
    with pytest.raises(MalformedError, match=r"^there:"):
        parse_instant(text, "there")


def test_a_sum_beyond_the_last_year_is_refused() -> None:
    start = parse_instant("9999-12-01T00:00:00Z", "start")
    for duration in (
        Duration(amount=31, unit="days"),
        Duration(amount=1, unit="months", rounding="down"),
    ):
        with pytest.raises(MalformedError, match="beyond the year 9999"):
            add(start, duration)
