"""Facts as they are written: partial dates, spans, what a log proves, what is refused."""

from typing import Any

import pytest
from tests.protocol.statute.laws import attempt, small_law, time
from tests.protocol.statute.wide import DAY, calendar_of, wide_law

from safeconduct.protocol.canonical import format_json
from safeconduct.protocol.statute import load_facts, read_facts, read_statute
from safeconduct.protocol.statute.facts import Facts, Interval, Missing, Reading, Span

LAW = wide_law({"is": ["x", True]})


def at(earliest: int | None, latest: int) -> Interval:
    return Interval(earliest=earliest, latest=latest)


def read(name: str, value: Any) -> Reading:
    facts = read_facts({"facts": {name: value}}, LAW.facts, calendar=LAW.calendar)
    return facts.values[name]


WRITTEN: dict[str, tuple[str, Any, Reading]] = {
    "a second": ("t", 5, at(5, 5)),
    "an interval": ("t", [5, 9], at(5, 9)),
    "an interval without a beginning": ("t", [None, 9], at(None, 9)),
    "a day": ("t", "1970-01-02", at(DAY - 3600, 2 * DAY - 3601)),
    "a month": ("t", "1970-02", at(31 * DAY - 3600, 59 * DAY - 3601)),
    "a year": ("t", "1971", at(365 * DAY - 3600, 730 * DAY - 3601)),
    "a date with its offset": ("t", "1970-01-01T01:00:05+01:00", at(5, 5)),
    "from a day to a month": ("t", ["1970-01-02", "1970-02"], at(DAY - 3600, 59 * DAY - 3601)),
    "a span": ("s", {"begin": 1, "end": 2}, Span(begin=at(1, 1), end=at(2, 2))),
    "a span in days": (
        "s",
        {"begin": "1970-01-02", "end": [None, 9 * DAY]},
        Span(begin=at(DAY - 3600, 2 * DAY - 3601), end=at(None, 9 * DAY)),
    ),
    "a span that goes on": (
        "s",
        {"begin": "unknown", "end": "absent"},
        Span(begin=Missing.UNKNOWN, end=Missing.ABSENT),
    ),
    "a span that is absent": ("s", "absent", Missing.ABSENT),
}


@pytest.mark.parametrize("name", WRITTEN)
def test_a_fact(name: str) -> None:
    fact_name, value, expected = WRITTEN[name]
    assert read(fact_name, value) == expected


REFUSED: dict[str, tuple[str, Any, str]] = {
    "no such day": ("t", "1970-02-30", "facts.t: there is no such date"),
    "another spelling": ("t", "2.1.1970", "facts.t: not a date like"),
    "an interval that ends first": (
        "t",
        ["1970-02", "1970-01"],
        "facts.t: ends before it begins",
    ),
    "a span of one time": ("s", 5, "facts.s: must be a map"),
    "a span without an end": ("s", {"begin": 1}, "facts.s.end: is missing"),
    "a span that ends first": ("s", {"begin": 2, "end": 1}, "facts.s: ends before it begins"),
    "a span with more": ("s", {"begin": 1, "end": 2, "x": 3}, "facts.s.x: means nothing here"),
    "half a second": ("t", 1.5, "facts.t: must be an instant"),
    "a bad side": ("s", {"begin": 1, "end": "soon"}, "facts.s.end: not a date like"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_is_refused(name: str) -> None:
    fact_name, value, message = REFUSED[name]
    _, complaint = attempt(read, fact_name, value)
    assert complaint.startswith(message)


def test_a_day_needs_a_calendar_and_an_instant_none() -> None:
    bare = read_statute(small_law({"is": ["x", True]}))
    _, complaint = attempt(read_facts, {"facts": {"t": "1994"}}, bare.facts)
    assert complaint == (
        "facts.t: a day, month or year needs a calendar, and the statute has none"
    )
    facts = read_facts({"facts": {"t": "1970-01-01T00:00:05Z"}}, bare.facts)
    assert facts.values["t"] == at(5, 5)


def test_what_only_a_log_proves_lies_at_its_latest_second() -> None:
    declared = read_statute(small_law({"known": "t"}, facts={"t": time(proof="log")})).facts
    calendar = calendar_of(LAW)

    def logged(name: str, value: Any) -> Reading:
        return read_facts({"facts": {name: value}}, declared, calendar=calendar).values[name]

    assert logged("t", [None, 9]) == at(9, 9)
    assert logged("t", "1970-01-02") == at(2 * DAY - 3601, 2 * DAY - 3601)
    _, complaint = attempt(logged, "t", [1, 9])
    assert complaint == "facts.t[0]: a log proves no earliest time, so it must be null"


def test_facts_are_loaded_with_the_calendar() -> None:
    data = format_json({"facts": {"t": "1970"}, "lists": {"acts": [{"when": "1970-01"}]}})
    facts = load_facts(data, LAW.facts, LAW.calendar)
    assert facts.lists["acts"][0].values["acts.when"] == at(-3600, 31 * DAY - 3601)


def test_the_hash_of_facts_is_that_of_their_canonical_form() -> None:
    one: Facts = read_facts({"facts": {"x": True, "y": False}}, LAW.facts)
    other = read_facts({"facts": {"y": False, "x": True}}, LAW.facts)
    assert one.sha256 == one.sha256 == other.sha256
    assert one == other
