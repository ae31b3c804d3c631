"""Totals and ranks: whole days in a union of spans, the place among those who qualify."""

import itertools
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.protocol.statute.laws import yesno
from tests.protocol.statute.wide import (
    AS_OF,
    DAY,
    FACTS,
    PARAMETERS,
    PLACE,
    judged,
    truth,
    wide_document,
    wide_law,
)

from safeconduct.errors import MalformedError
from safeconduct.protocol.statute import format_judgement, read_statute
from safeconduct.protocol.statute.evaluate import judgement_document
from safeconduct.protocol.statute.proof import Node
from safeconduct.protocol.statute.remedy import Change, changes

GOOD, MINE = {"is": ["good", True]}, {"is": ["mine", True]}
TOTAL = {"total": ["acts", GOOD, "held"]}
RANK = {"rank": ["acts", MINE, GOOD, "when"]}


def measured(quantity: Any, acts: list[Any], bound: int = 1) -> Node:
    """The node of a test of the quantity."""
    return judged(wide_law({"at-least": [quantity, bound]}), acts=acts).roots[0].children[0]


def held(begin: Any, end: Any, good: Any = True) -> Any:
    return {"good": good, "held": {"begin": begin, "end": end}}


def days(first: int, last: int, good: Any = True) -> Any:
    """Held from the beginning of one day to the end of another, to the second."""
    return held(first * DAY, (last + 1) * DAY - 1, good)


TOTALS: dict[str, tuple[list[Any], int, int | None]] = {
    "nothing": ([], 0, 0),
    "one day": ([days(0, 0)], 1, 1),
    "a second less than a day": ([held(0, DAY - 2)], 0, 0),
    "two apart": ([days(0, 1), days(5, 6)], 4, 4),
    "two that overlap": ([days(0, 4), days(3, 6)], 7, 7),
    "one within another": ([days(0, 9), days(3, 4)], 10, 10),
    "two halves of a day": (
        [held(0, DAY // 2 - 1), held(9 * DAY, 9 * DAY + DAY // 2 - 1)],
        1,
        1,
    ),
    "two that meet": ([held(0, DAY // 2 - 1), held(DAY // 2, DAY - 1)], 1, 1),
    "only those that count": ([days(0, 4), days(10, 14, good=False)], 5, 5),
    "one that may count": ([days(0, 4), days(10, 14, good="unknown")], 5, 10),
    "one that still goes on, until the day of judgement": (
        [held(AS_OF - 3 * DAY + 1, "absent")],
        3,
        3,
    ),
    "one that goes on, and began later": ([held(AS_OF + DAY, "absent")], 0, 0),
    "an uncertain end": ([held(0, [DAY - 1, 3 * DAY - 1])], 1, 3),
    "an uncertain beginning": ([held([None, 0], DAY - 1)], 1, None),
    "an end that nobody knows": ([held(0, "unknown")], 0, None),
    "a span that nobody knows": ([{"good": True, "held": "unknown"}], 0, None),
    "a span that never was": ([{"good": True, "held": "absent"}], 0, 0),
    "days of a calendar, which belong whole": ([held("1994-04-24", "1994-04-26")], 3, 3),
    "a year of days": ([held("2010-03-01", "2011-02-28")], 365, 365),
    "days that adjoin": (
        [held("2010-03-01", "2010-08-31"), held("2010-09-01", "2011-02-28")],
        365,
        365,
    ),
    "from a day to a second, which ends it early": (
        [held("1994-04-24", "1994-04-26T23:59:58+01:00")],
        2,
        2,
    ),
    "months, of which any day may be meant": ([held("1994-04", "1994-06")], 33, 91),
    "from some day until a day": ([held([None, "1994-04-24"], "1994-04-26")], 3, None),
    "some hours of a day stay some hours": (
        [held(["1994-04-24", "1994-04-24T12:00:00+01:00"], "1994-04-25")],
        1,
        2,
    ),
}


@pytest.mark.parametrize("name", TOTALS)
def test_a_total(name: str) -> None:
    acts, least, most = TOTALS[name]
    node = measured(TOTAL, acts)
    assert (node.least, node.most) == (least, most)


# Clocks are put forward at two in the morning of 28 March and back at three on 31 October.
SUMMER: Any = [
    {"from": "1900-01-01T00:00:00Z", "offset": "+01:00"},
    {"from": "2010-03-28T01:00:00Z", "offset": "+02:00"},
    {"from": "2010-10-31T01:00:00Z", "offset": "+01:00"},
]
# There they are put forward at midnight: the day begins at one.
MIDNIGHT: Any = [
    {"from": "1900-01-01T00:00:00Z", "offset": "-05:00"},
    {"from": "2010-03-28T05:00:00Z", "offset": "-04:00"},
    {"from": "2010-10-31T04:00:00Z", "offset": "-05:00"},
]
LOCAL_TOTALS: dict[str, tuple[Any, list[tuple[Any, Any]], int]] = {
    "to the second, into summer": (
        SUMMER,
        [("2010-03-01T00:00:00+01:00", "2010-06-30T23:59:59+02:00")],
        122,
    ),
    "in days, into summer": (SUMMER, [("2010-03-01", "2010-06-30")], 122),
    "in days, out of summer": (SUMMER, [("2010-10-01", "2010-11-30")], 61),
    "the shorter day": (SUMMER, [("2010-03-28", "2010-03-28")], 1),
    "the longer day": (SUMMER, [("2010-10-31", "2010-10-31")], 1),
    "a second less than the shorter day": (
        SUMMER,
        [("2010-03-28T00:00:00+01:00", "2010-03-28T23:59:58+02:00")],
        0,
    ),
    "a second less than the longer day": (
        SUMMER,
        [("2010-10-31T00:00:00+02:00", "2010-10-31T23:59:58+01:00")],
        0,
    ),
    "from noon to noon, as the clocks show it": (
        SUMMER,
        [("2010-03-27T12:00:00+01:00", "2010-03-28T11:59:59+02:00")],
        1,
    ),
    "two that meet where the clocks are put forward": (
        SUMMER,
        [
            ("2010-03-28", "2010-03-28T01:59:59+01:00"),
            ("2010-03-28T03:00:00+02:00", "2010-03-28"),
        ],
        1,
    ),
    "two within the hour that comes twice": (
        SUMMER,
        [
            ("2010-10-31T00:00:00+02:00", "2010-10-31T02:59:59+02:00"),
            ("2010-10-31T02:00:00+01:00", "2010-10-31T23:59:59+01:00"),
        ],
        1,
    ),
    "a day that begins at one": (MIDNIGHT, [("2010-03-28", "2010-03-28")], 1),
    "days that adjoin there": (
        MIDNIGHT,
        [("2010-03-20", "2010-03-27"), ("2010-03-28", "2010-04-02")],
        14,
    ),
    "the day before, which ends twice": (MIDNIGHT, [("2010-10-30", "2010-10-30")], 1),
}


@pytest.mark.parametrize("name", LOCAL_TOTALS)
def test_a_total_counts_the_days_of_the_place(name: str) -> None:
    offsets, spans, expected = LOCAL_TOTALS[name]
    document = wide_document({"at-least": [TOTAL, 1]}, calendar=PLACE | {"offsets": offsets})
    judgement = judged(read_statute(document), acts=[held(*each) for each in spans])
    node = judgement.roots[0].children[0]
    assert (node.least, node.most) == (expected, expected)


LOCAL_SPANS = st.lists(
    st.tuples(st.integers(0, 9), st.integers(0, 9)).map(sorted), min_size=1, max_size=4
)


@settings(max_examples=60, deadline=None)
@given(LOCAL_SPANS, st.sampled_from([SUMMER, MIDNIGHT]), st.sampled_from([(3, 24), (10, 26)]))
def test_a_total_in_days_counts_each_day_of_the_place_once(
    spans: Any, offsets: Any, month_day: Any
) -> None:
    first = date(2010, *month_day)
    document = wide_document({"at-least": [TOTAL, 1]}, calendar=PLACE | {"offsets": offsets})
    acts = [held(*(str(first + timedelta(days=n)) for n in span)) for span in spans]
    node = judged(read_statute(document), acts=acts).roots[0].children[0]
    covered = {day for begin, end in spans for day in range(begin, end + 1)}
    assert (node.least, node.most) == (len(covered), len(covered))


def test_without_a_calendar_a_day_is_so_many_seconds() -> None:
    document = wide_document({"at-least": [TOTAL, 1]})
    del document["calendar"]
    document["parameters"] = {"term": PARAMETERS["term"]}
    node = judged(read_statute(document), acts=[days(0, 4)]).roots[0].children[0]
    assert (node.least, node.most) == (5, 5)


BOUNDS: dict[str, tuple[str, int, bool | None]] = {
    "at least the least": ("at-least", 5, True),
    "at least more than the least": ("at-least", 6, None),
    "at least the most": ("at-least", 10, None),
    "at least more than the most": ("at-least", 11, False),
    "less than the least": ("less", 5, False),
    "less than more": ("less", 6, None),
    "less than the most": ("less", 10, None),
    "less than more than the most": ("less", 11, True),
}


@pytest.mark.parametrize("name", BOUNDS)
def test_a_bound_within_the_range_leaves_it_open(name: str) -> None:
    operator, bound, expected = BOUNDS[name]
    acts = [days(0, 4), days(10, 14, good="unknown")]
    assert truth({operator: [TOTAL, bound]}, acts=acts) is expected


def test_an_open_total_waits_for_what_bears_on_it() -> None:
    acts = [days(0, 4), days(10, 14, good="unknown"), held(0, [DAY, 9 * DAY]), days(1, 2)]
    judgement = judged(wide_law({"at-least": [TOTAL, 7]}), acts=acts)
    assert [each.fact for each in judgement.open_facts] == ["acts[2].held", "acts[1].good"]


def test_a_span_written_in_days_leaves_no_total_open() -> None:
    acts = [held("1994-04-24", "1994-04-26"), held("1995-01-01", "1995-01-09", good="unknown")]
    judgement = judged(wide_law({"at-least": [TOTAL, 7]}), acts=acts)
    assert [each.fact for each in judgement.open_facts] == ["acts[1].good"]
    acts[0]["held"] = {"begin": "1994-04", "end": "1994-05"}
    judgement = judged(wide_law({"at-least": [TOTAL, 7]}), acts=acts)
    assert [each.fact for each in judgement.open_facts] == ["acts[0].held", "acts[1].good"]


def came(when: Any, *, mine: Any = False, good: Any = True) -> Any:
    return {"when": when, "mine": mine, "good": good}


# The acts, and the range of places; None if there is no place.
RANKS: dict[str, tuple[list[Any], tuple[int, int] | None]] = {
    "first": ([came(1, mine=True), came(2)], (1, 1)),
    "second": ([came(3, mine=True), came(2)], (2, 2)),
    "equal times share a place": ([came(2, mine=True), came(2), came(1)], (2, 2)),
    "whoever does not qualify does not count": (
        [came(3, mine=True), came(2, good=False)],
        (1, 1),
    ),
    "a rival who may qualify": ([came(3, mine=True), came(2, good="unknown")], (1, 2)),
    "times that overlap": ([came([1, 4], mine=True), came([3, 5]), came([0, 2])], (1, 3)),
    "a rival whose time nobody knows": ([came(3, mine=True), came("unknown")], (1, 2)),
    "a rival without a time": ([came(3, mine=True), came("absent")], (1, 1)),
    "no place for one who does not qualify": ([came(1, mine=True, good=False), came(2)], None),
    "no place without a time": ([came("absent", mine=True), came(2)], None),
    "no place for nobody": ([came(1), came(2)], None),
    "the best place of several": ([came(5, mine=True), came(2, mine=True), came(1)], (2, 2)),
    "one who may be meant": ([came(5, mine=True), came(2, mine="unknown"), came(1)], (2, 3)),
}


@pytest.mark.parametrize("name", RANKS)
def test_a_place(name: str) -> None:
    acts, places = RANKS[name]
    node = measured(RANK, acts)
    if places is None:
        assert (node.least, node.most, node.state) == (None, None, "absent")
        assert truth({"at-least": [RANK, 1]}, acts=acts) is False
        assert truth({"less": [RANK, 9]}, acts=acts) is False
    else:
        assert (node.least, node.most, node.state) == (*places, "")


def test_whoever_may_not_qualify_is_not_known_to_have_a_place() -> None:
    acts = [came(1, mine=True, good="unknown"), came(2)]
    assert truth({"less": [RANK, 2]}, acts=acts) is None
    assert truth({"at-least": [RANK, 2]}, acts=acts) is False
    assert truth({"less": [RANK, 1]}, acts=acts) is False


def test_a_marker_holds_a_place_if_it_is_perfected_in_time() -> None:
    deemed = {"when": [GOOD, {"begin": "held"}, "when"]}
    rank = {"rank": ["acts", MINE, {"known": "when"}, deemed]}
    marker = came(9, mine=True) | {"held": {"begin": 1, "end": 5}}
    assert truth({"less": [rank, 2]}, acts=[marker, came(3) | {"held": {"begin": 3, "end": 3}}])
    lapsed = marker | {"good": False}
    rival = came(3) | {"held": {"begin": 3, "end": 3}}
    assert truth({"less": [rank, 2]}, acts=[lapsed, rival]) is False


WORLD = st.lists(
    st.fixed_dictionaries(
        {
            "when": st.tuples(st.integers(0, 3), st.integers(0, 3)).map(sorted),
            "mine": st.sampled_from([True, False, "unknown"]),
            "good": st.sampled_from([True, False, "unknown"]),
        }
    ),
    max_size=3,
)


@settings(max_examples=80, deadline=None)
@given(WORLD, st.integers(0, 4), st.sampled_from(["at-least", "less"]))
def test_a_decided_place_is_that_of_every_world(acts: Any, bound: int, operator: str) -> None:
    found = truth({operator: [RANK, bound]}, acts=acts)
    if found is not None:
        assert {_plainly(world, operator, bound) for world in _worlds(acts)} == {found}


def _worlds(acts: Any) -> Any:
    """Every way in which what is open can come out."""
    choices = [
        [
            (when, mine, good)
            for when in range(act["when"][0], act["when"][1] + 1)
            for mine in _sides(act["mine"])
            for good in _sides(act["good"])
        ]
        for act in acts
    ]
    return itertools.product(*choices)


def _sides(value: Any) -> tuple[bool, ...]:
    return (True, False) if value == "unknown" else (value,)


def _plainly(world: Any, operator: str, bound: int) -> bool:
    """A slow and obvious place among those who qualify."""
    qualified = [(when, mine) for when, mine, good in world if good]
    places = [
        1 + sum(other < when for other, _ in qualified) for when, mine in qualified if mine
    ]
    if not places:
        return False
    return bool(min(places) >= bound if operator == "at-least" else min(places) < bound)


SPANS = st.lists(
    st.tuples(st.integers(0, 8), st.integers(0, 8), st.booleans()).map(
        lambda t: days(min(t[:2]), max(t[:2]), good=t[2])
    ),
    max_size=5,
)


@settings(max_examples=80, deadline=None)
@given(SPANS)
def test_a_total_counts_each_day_once(acts: Any) -> None:
    covered = {
        day
        for act in acts
        if act["good"]
        for day in range(act["held"]["begin"] // DAY, act["held"]["end"] // DAY + 1)
    }
    node = measured(TOTAL, acts)
    assert (node.least, node.most) == (len(covered), len(covered))


@pytest.mark.parametrize("operator", ["at-least", "less"])
@pytest.mark.parametrize("favours", ["person", "body"])
def test_a_doubt_about_a_span_or_a_time_helps_the_person(operator: str, favours: str) -> None:
    doubted = {name: each | {"unknown_at_end": "favour_person"} for name, each in FACTS.items()}
    for quantity in (TOTAL, RANK):
        document = wide_document({operator: [quantity, 2]}, facts=doubted)
        document["outcomes"][0]["favours"] = favours
        acts = [{"good": True, "mine": True}, {"good": True, "mine": False, "when": 5}]
        judgement = judged(read_statute(document), acts=acts)
        assert judgement.roots[0].value is (favours == "person")


def test_a_quantity_of_facts_never_shown_counts_nothing() -> None:
    bare = FACTS | {"acts.good": yesno("person_bears")}
    law = read_statute(wide_document({"at-least": [TOTAL, 1]}, facts=bare))
    node = judged(law, acts=[{"held": {"begin": 0, "end": 5 * DAY}}]).roots[0].children[0]
    assert (node.value, node.least, node.most) == (False, 0, 0)


def test_the_range_stands_in_the_judgements_nodes() -> None:
    judgement = judged(wide_law({"at-least": [TOTAL, 7]}), acts=[held(0, "unknown")])
    document: Any = judgement_document(judgement)
    node = document["nodes"][1]
    assert (node["least"], node["bound"], "most" in node) == (0, 7, False)
    assert b'"least":0' in format_judgement(judgement)


def test_a_rank_among_too_many_is_refused_before_the_first_step() -> None:
    law = wide_law({"less": [RANK, 2]})
    with pytest.raises(MalformedError, match="takes more than 250000 steps"):
        judged(law, acts=[{}] * 500)
    assert judged(law, acts=[{}] * 300).roots


def test_what_would_change_a_quantity_is_the_quantity_as_a_whole() -> None:
    law = wide_law({"at-least": [TOTAL, 7]})
    place = "sections[0].if.at-least"
    found = changes(law, judged(law, acts=[days(0, 1)]))
    assert found == (Change(place=place, value=True, fact="acts[0].held"),)
    assert changes(law, judged(law)) == (
        Change(new_item="acts"),
        Change(place=place, value=True),
    )


def test_what_would_change_a_test_of_all_or_of_times_is_found() -> None:
    every = wide_law({"not": {"all": ["acts", GOOD]}})
    place = "sections[0].if.not.all[1].is"
    assert changes(every, judged(every, acts=[{"good": True}])) == (
        Change(place=place, value=False, fact="acts[0].good"),
    )
    assert changes(every, judged(every)) == (
        Change(new_item="acts"),
        Change(place=place, value=False),
    )
    late = wide_law({"by": [{"later": ["t", "u"]}, "date"]})
    assert changes(late, judged(late, {"t": 1, "u": 2000})) == (
        Change(place="sections[0].if.by", value=True, fact="t"),
    )


def test_no_finding_moves_the_day_of_judgement() -> None:
    law = wide_law({"before": ["as_of", "date"]})
    assert changes(law, judged(law)) is None
