"""Days of a place: when they begin and end, partial dates, working days, sums on a calendar."""

import calendar as months
import datetime as dt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from safeconduct.errors import MalformedError
from safeconduct.protocol.statute import format_instant, parse_instant
from safeconduct.protocol.statute.calendar import (
    DAY_SECONDS,
    UTC_CALENDAR,
    Calendar,
    Interval,
    add_working_days,
    begin_of_day,
    covers,
    day_of,
    end_of_day,
    first_at,
    is_working_day,
    last_before,
    local_of,
    next_working_day,
    parse_clock,
    parse_day,
    parse_ordinal,
    parse_partial,
)
from safeconduct.protocol.statute.instant import Duration, add, add_to


def at(text: str) -> int:
    return parse_instant(text, "at")


# A place whose clocks go forward on 1994-03-27 and back on 1994-09-25, at 01:00 UTC.
SUMMER = Calendar(
    zone="somewhere",
    offsets=(
        (at("1900-01-01T00:00:00Z"), 3600),
        (at("1994-03-27T01:00:00Z"), 7200),
        (at("1994-09-25T01:00:00Z"), 3600),
    ),
    weekend=(6, 7),
    holidays={
        1993: (),
        1994: tuple(
            parse_ordinal(day, "day") for day in ("1994-04-01", "1994-04-04", "1994-05-01")
        ),
    },
)
PLAIN = Calendar(zone="east", offsets=((0, 3600),))

PARTIAL: dict[str, tuple[str, str, str]] = {
    "a year": ("1994", "1993-12-31T23:00:00Z", "1994-12-31T22:59:59Z"),
    "a month in summer": ("1994-04", "1994-03-31T22:00:00Z", "1994-04-30T21:59:59Z"),
    "a month in which the clocks change": (
        "1994-03",
        "1994-02-28T23:00:00Z",
        "1994-03-31T21:59:59Z",
    ),
    "december": ("1994-12", "1994-11-30T23:00:00Z", "1994-12-31T22:59:59Z"),
    "a leap month": ("1992-02", "1992-01-31T23:00:00Z", "1992-02-29T22:59:59Z"),
    "a day": ("1994-04-24", "1994-04-23T22:00:00Z", "1994-04-24T21:59:59Z"),
    "a short day": ("1994-03-27", "1994-03-26T23:00:00Z", "1994-03-27T21:59:59Z"),
    "a long day": ("1994-09-25", "1994-09-24T22:00:00Z", "1994-09-25T22:59:59Z"),
}


@pytest.mark.parametrize("name", PARTIAL)
def test_a_partial_date_is_all_of_its_seconds(name: str) -> None:
    text, first, last = PARTIAL[name]
    found = parse_partial(text, SUMMER)
    assert found.earliest is not None
    assert (format_instant(found.earliest), format_instant(found.latest)) == (first, last)


@pytest.mark.parametrize(
    "text",
    ["", "94", "1994-4", "1994-13", "1994-02-30", "1994-04-24T00", "0000", "1994-00", "１994"],
)
def test_another_date_is_refused(text: str) -> None:
    with pytest.raises(MalformedError, match=r"^there:"):
        parse_partial(text, SUMMER, "there")


def test_the_first_and_the_last_year_end_where_instants_do() -> None:
    west = Calendar(zone="west", offsets=((0, -3600),))
    first, last = parse_partial("0001", SUMMER), parse_partial("9999", west)
    assert first.earliest == at("0001-01-01T00:00:00Z")
    assert last.latest == at("9999-12-31T23:59:59Z")
    assert parse_day("9999-12-31", west).latest == last.latest


@pytest.mark.parametrize("text", ["1994", "1994-04", "1994-04-31", "24.4.1994"])
def test_a_day_is_written_whole(text: str) -> None:
    with pytest.raises(MalformedError, match=r"^there:"):
        parse_day(text, SUMMER, "there")


def test_a_day_may_end_when_an_office_closes() -> None:
    day = parse_day("1994-04-24", SUMMER, ends="17:00")
    assert format_instant(day.latest) == "1994-04-24T14:59:59Z"


@pytest.mark.parametrize("text", ["24:01", "25:00", "00:00", "7:00", "17:60", "17:00:00"])
def test_another_time_of_day_is_refused(text: str) -> None:
    assert parse_clock("17:00", "there") == "17:00"
    with pytest.raises(MalformedError, match=r"^there:"):
        parse_clock(text, "there")


# Small offsets and days of 86,400 seconds, so that every second around a change can be tried.
STEPS = st.lists(st.tuples(st.integers(1, 60), st.integers(-20, 20)), min_size=0, max_size=4)


def small(steps: list[tuple[int, int]], first: int) -> Calendar:
    offsets, moment = [(-1000, first)], 0
    for gap, offset in steps:
        moment += gap
        offsets.append((moment, offset))
    return Calendar(zone="small", offsets=tuple(offsets))


@settings(max_examples=200, deadline=None)
@given(STEPS, st.integers(-20, 20), st.integers(-40, 300))
def test_local_time_is_turned_back_as_a_search_of_every_second_would(
    steps: list[tuple[int, int]], first: int, local: int
) -> None:
    place = small(steps, first)
    seconds = range(-200, 600)
    assert first_at(local, place) == min(t for t in seconds if local_of(t, place) >= local)
    assert last_before(local, place) == max(t for t in seconds if local_of(t, place) < local)


@settings(max_examples=200, deadline=None)
@given(st.integers(at("1994-03-20T00:00:00Z"), at("1994-10-10T00:00:00Z")))
def test_an_instant_lies_in_its_day(moment: int) -> None:
    day = day_of(moment, SUMMER)
    assert begin_of_day(day, SUMMER) <= moment <= end_of_day(day, SUMMER)
    assert end_of_day(day, SUMMER) + 1 == begin_of_day(day + 1, SUMMER)
    shown = dt.datetime.fromtimestamp(moment, dt.timezone(dt.timedelta(hours=_hours(moment))))
    assert day == shown.date().toordinal()


def _hours(moment: int) -> int:
    summer = at("1994-03-27T01:00:00Z") <= moment < at("1994-09-25T01:00:00Z")
    return 2 if summer else 1


@settings(max_examples=100, deadline=None)
@given(st.dates(dt.date(1, 1, 2), dt.date(9999, 12, 30)))
def test_a_day_in_utc_is_pythons(day: dt.date) -> None:
    midnight = dt.datetime(day.year, day.month, day.day, tzinfo=dt.UTC)
    begins = (midnight - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)) // dt.timedelta(seconds=1)
    found = parse_day(day.isoformat(), UTC_CALENDAR)
    assert found == Interval(earliest=begins, latest=begins + DAY_SECONDS - 1)


# Working days.


def day(text: str) -> int:
    return parse_ordinal(text, "day")


WORKED: dict[str, tuple[str, int, str]] = {
    "the next day": ("1994-04-26", 1, "1994-04-27"),
    "over a weekend": ("1994-04-29", 1, "1994-05-02"),
    "over Easter": ("1994-03-31", 1, "1994-04-05"),
    "from a Saturday": ("1994-04-23", 1, "1994-04-25"),
    "from a Sunday": ("1994-04-24", 1, "1994-04-25"),
    "five days are a week": ("1994-04-20", 5, "1994-04-27"),
    "none is the day itself": ("1994-04-24", 0, "1994-04-24"),
    "over the year's end": ("1993-12-31", 1, "1994-01-03"),
}


@pytest.mark.parametrize("name", WORKED)
def test_working_days(name: str) -> None:
    start, amount, end = WORKED[name]
    assert add_working_days(day(start), amount, SUMMER) == day(end)


@settings(max_examples=100, deadline=None)
@given(st.integers(day("1994-01-01"), day("1994-09-01")), st.integers(0, 60))
def test_working_days_are_those_that_a_list_of_all_days_shows(start: int, amount: int) -> None:
    worked = [each for each in range(start + 1, start + 120) if _is_worked(each)]
    end = add_working_days(start, amount, SUMMER)
    assert end == (worked[amount - 1] if amount else start)
    assert next_working_day(start, SUMMER) == next(
        each for each in range(start, start + 10) if _is_worked(each)
    )


def _is_worked(number: int) -> bool:
    date = dt.date.fromordinal(number)
    closed = {dt.date(1994, 4, 1), dt.date(1994, 4, 4), dt.date(1994, 5, 1)}
    return date.weekday() < 5 and date not in closed


def test_a_year_without_listed_holidays_is_refused_by_its_number() -> None:
    assert covers(1994, SUMMER)
    assert not covers(1995, SUMMER)
    assert is_working_day(day("1994-12-30"), SUMMER)
    with pytest.raises(MalformedError, match=r"calendar\.holidays: the year 1995 is missing"):
        add_working_days(day("1994-12-30"), 1, SUMMER)
    rolled = Duration(amount=1, unit="days", roll="next_working_day")
    with pytest.raises(MalformedError, match="the year 1995"):
        add(at("1994-12-31T12:00:00Z"), rolled, SUMMER)


# Sums on a calendar.

SUMS: dict[str, tuple[str, Duration, str]] = {
    "a day over a change of the clocks keeps the local time": (
        "1994-03-26T12:00:00+01:00",
        Duration(amount=1, unit="days"),
        "1994-03-27T12:00:00+02:00",
    ),
    "a day of seconds does not": (
        "1994-03-26T12:00:00+01:00",
        Duration(amount=86_400, unit="seconds"),
        "1994-03-27T13:00:00+02:00",
    ),
    "a local time that is left out becomes the first after it": (
        "1994-03-26T02:30:00+01:00",
        Duration(amount=1, unit="days"),
        "1994-03-27T03:00:00+02:00",
    ),
    "a local time that comes twice is taken the first time": (
        "1994-09-24T02:30:00+02:00",
        Duration(amount=1, unit="days"),
        "1994-09-25T02:30:00+02:00",
    ),
    "a month is counted on local days": (
        "1994-01-31T23:30:00Z",  # 1 February, half past midnight there
        Duration(amount=1, unit="months", rounding="down"),
        "1994-02-28T23:30:00Z",
    ),
    "three years": (
        "1994-02-28T12:00:00+01:00",
        Duration(amount=3, unit="years", rounding="down"),
        "1997-02-28T12:00:00+01:00",
    ),
    "a year from a leap day, down": (
        "1992-02-29T12:00:00+01:00",
        Duration(amount=1, unit="years", rounding="down"),
        "1993-02-28T12:00:00+01:00",
    ),
    "a year from a leap day, up": (
        "1992-02-29T12:00:00+01:00",
        Duration(amount=1, unit="years", rounding="up"),
        "1993-03-01T12:00:00+01:00",
    ),
    "to the end of the day": (
        "1994-04-24T09:00:00+02:00",
        Duration(amount=30, unit="days", ends="end_of_day"),
        "1994-05-24T23:59:59+02:00",
    ),
    "to the end of the day, from its last second": (
        "1994-04-24T23:59:59+02:00",
        Duration(amount=30, unit="days", ends="end_of_day"),
        "1994-05-24T23:59:59+02:00",
    ),
    "off a Sunday": (
        "1994-04-17T09:00:00+02:00",
        Duration(amount=7, unit="days", ends="end_of_day", roll="next_working_day"),
        "1994-04-25T23:59:59+02:00",
    ),
    "off Easter, at the same time": (
        "1994-03-25T09:00:00+01:00",
        Duration(amount=7, unit="days", roll="next_working_day"),
        "1994-04-05T09:00:00+02:00",
    ),
    "working days keep the time": (
        "1994-04-29T09:00:00+02:00",
        Duration(amount=2, unit="working_days"),
        "1994-05-03T09:00:00+02:00",
    ),
    "seconds to the end of the day they reach": (
        "1994-04-24T23:00:00+02:00",
        Duration(amount=3600, unit="seconds", ends="end_of_day"),
        "1994-04-25T23:59:59+02:00",
    ),
}


@pytest.mark.parametrize("name", SUMS)
def test_a_sum(name: str) -> None:
    start, duration, end = SUMS[name]
    assert format_instant(add(at(start), duration, SUMMER)) == format_instant(at(end))


# Month additions that are ambiguous: start, months, rounded down, rounded up.
AMBIGUOUS = [
    ("2023-01-29", 1, "2023-02-28", "2023-03-01"),
    ("2023-01-30", 1, "2023-02-28", "2023-03-01"),
    ("2023-01-31", 1, "2023-02-28", "2023-03-01"),
    ("2024-01-29", 1, "2024-02-29", "2024-02-29"),
    ("2024-01-30", 1, "2024-02-29", "2024-03-01"),
    ("2024-01-31", 1, "2024-02-29", "2024-03-01"),
    ("2023-03-31", 1, "2023-04-30", "2023-05-01"),
    ("2023-05-31", 1, "2023-06-30", "2023-07-01"),
    ("2023-07-31", 1, "2023-08-31", "2023-08-31"),
    ("2023-08-31", 1, "2023-09-30", "2023-10-01"),
    ("2023-12-31", 2, "2024-02-29", "2024-03-01"),
    ("2022-12-31", 2, "2023-02-28", "2023-03-01"),
    ("2023-10-31", 13, "2024-11-30", "2024-12-01"),
    ("2024-02-29", 12, "2025-02-28", "2025-03-01"),
    ("2024-02-29", 48, "2028-02-29", "2028-02-29"),
    ("2096-02-29", 48, "2100-02-28", "2100-03-01"),
    ("1996-02-29", 48, "2000-02-29", "2000-02-29"),
    ("2023-02-28", 1, "2023-03-28", "2023-03-28"),
    ("2023-04-30", 1, "2023-05-30", "2023-05-30"),
]


@pytest.mark.parametrize(("start", "amount", "down", "up"), AMBIGUOUS)
def test_an_ambiguous_month_is_rounded_as_the_law_says(
    start: str, amount: int, down: str, up: str
) -> None:
    for clock in ("00:00:00", "12:34:56", "23:59:59"):
        for rounding, end in (("down", down), ("up", up)):
            duration = Duration(amount=amount, unit="months", rounding=rounding)
            for place in (None, SUMMER):
                begin = at(f"{start}T{clock}+01:00" if place else f"{start}T{clock}Z")
                wanted = at(f"{end}T{clock}+01:00" if place else f"{end}T{clock}Z")
                assert add(begin, duration, place) == wanted


UNITS = st.sampled_from(
    [
        Duration(amount=a, unit=unit, rounding=rounding, ends=ends)
        for a in (1, 2, 11, 100)
        for unit, rounding in (
            ("seconds", ""),
            ("days", ""),
            ("months", "down"),
            ("months", "up"),
            ("years", "down"),
            ("years", "up"),
        )
        for ends in ("same_time", "end_of_day")
    ]
)


def slow(moment: dt.datetime, duration: Duration) -> dt.datetime:
    """The obvious sum, a day at a time, in one offset."""
    if duration.unit == "seconds":
        moved = moment + dt.timedelta(seconds=duration.amount)
    elif duration.unit == "days":
        moved = moment + dt.timedelta(days=duration.amount)
    else:
        many = duration.amount * (12 if duration.unit == "years" else 1)
        month = moment.month - 1 + many
        year, month = moment.year + month // 12, month % 12 + 1
        last = months.monthrange(year, month)[1]
        moved = moment.replace(year=year, month=month, day=min(moment.day, last))
        if moment.day > last and duration.rounding == "up":
            moved += dt.timedelta(days=1)
    return (
        moved.replace(hour=23, minute=59, second=59) if duration.ends == "end_of_day" else moved
    )


@settings(max_examples=300, deadline=None)
@given(st.integers(at("1900-01-02T00:00:00Z"), at("2150-01-01T00:00:00Z")), UNITS)
def test_a_sum_is_what_a_slow_reading_says(moment: int, duration: Duration) -> None:
    local = dt.datetime.fromtimestamp(moment, dt.timezone(dt.timedelta(hours=1)))
    found = add(int(local.timestamp()), duration, PLAIN)
    assert found == int(slow(local, duration).timestamp())


STARTS = st.integers(at("1994-01-20T00:00:00Z"), at("1994-10-30T00:00:00Z"))


@settings(max_examples=300, deadline=None)
@given(STARTS, st.integers(0, 40 * DAY_SECONDS), st.data())
def test_no_sum_of_a_time_lies_outside_the_sum_of_its_interval(
    first: int, length: int, data: st.DataObject
) -> None:
    duration = data.draw(st.one_of(UNITS, WORKING))
    span = Interval(earliest=first, latest=first + length)
    found = add_to(span, duration, LISTED)
    for moment in (first, first + length, data.draw(st.integers(first, first + length))):
        reached = add(moment, duration, LISTED)
        assert found.earliest is not None
        assert found.earliest <= reached <= found.latest
    unbounded = add_to(Interval(earliest=None, latest=first + length), duration, LISTED)
    assert unbounded.earliest is None
    assert unbounded.latest >= found.latest


LISTED = Calendar(
    zone=SUMMER.zone,
    offsets=SUMMER.offsets,
    weekend=(6, 7),
    holidays=dict.fromkeys(range(1993, 2100), ()),
)
WORKING = st.sampled_from(
    [
        Duration(amount=3, unit="working_days"),
        Duration(amount=10, unit="working_days", ends="end_of_day"),
        Duration(amount=30, unit="days", roll="next_working_day"),
        Duration(amount=1, unit="months", rounding="up", roll="next_working_day"),
    ]
)


def test_sums_of_an_uncertain_day_reach_further_than_the_sums_of_its_ends() -> None:
    span = Interval(earliest=at("2023-01-30T10:00:00Z"), latest=at("2023-01-31T09:00:00Z"))
    month = Duration(amount=1, unit="months", rounding="down")
    assert add_to(span, month) == Interval(
        earliest=at("2023-02-28T00:00:00Z"), latest=at("2023-02-28T23:59:59Z")
    )


def test_an_uncertain_sum_stops_at_the_last_year() -> None:
    late = Interval(earliest=0, latest=at("9999-12-31T23:59:59Z"))
    for duration in (
        Duration(amount=1, unit="years", rounding="up"),
        Duration(amount=9, unit="days"),
    ):
        assert add_to(late, duration).latest == at("9999-12-31T23:59:59Z")
