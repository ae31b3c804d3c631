"""Times and periods in a law: every operator, with dates of the law, facts, sums and doubts."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.protocol.statute.laws import attempt, fact, time, yesno
from tests.protocol.statute.wide import (
    DAY,
    DAY_BEGINS,
    FACTS,
    condition_of,
    judged,
    truth,
    wide_document,
    wide_law,
)

from safeconduct.protocol.statute import read_statute
from safeconduct.protocol.statute.text import all_terms, facts_of, with_parts

X = {"is": ["x", True]}
DEEMED = {"when": [X, "t", "u"]}

# A condition, the facts, and whether it holds.
TESTS: dict[str, tuple[Any, Any, bool | None]] = {
    "before a day, in its first second": (
        {"before": ["t", "the_day"]},
        {"t": DAY_BEGINS},
        False,
    ),
    "before a day, a second earlier": (
        {"before": ["t", "the_day"]},
        {"t": DAY_BEGINS - 1},
        True,
    ),
    "by a day, in its last second": (
        {"by": ["t", "the_day"]},
        {"t": DAY_BEGINS + DAY - 1},
        True,
    ),
    "by a day, a second later": ({"by": ["t", "the_day"]}, {"t": DAY_BEGINS + DAY}, False),
    "by a day, straddling its end": (
        {"by": ["t", "the_day"]},
        {"t": [0, DAY_BEGINS + DAY]},
        None,
    ),
    "by an inclusive date": ({"by": ["t", "last"]}, {"t": 1000}, True),
    "by an exclusive date": ({"by": ["t", "date"]}, {"t": 1000}, False),
    "by another time, the same second": ({"by": ["t", "u"]}, {"t": 5, "u": 5}, True),
    "before another time, the same second": ({"before": ["t", "u"]}, {"t": 5, "u": 5}, False),
    "the date before a fact": ({"before": ["date", "t"]}, {"t": 1001}, True),
    "the date not before its own second": ({"before": ["date", "t"]}, {"t": 1000}, False),
    "a day before a fact counts whole": (
        {"before": ["the_day", "t"]},
        {"t": DAY_BEGINS + DAY - 1},
        False,
    ),
    "a day before the first second after it": (
        {"before": ["the_day", "t"]},
        {"t": DAY_BEGINS + DAY},
        True,
    ),
    "a day before itself": ({"before": ["the_day", "the_day"]}, {}, False),
    "a day with something added before a fact": (
        {"before": [{"add": ["the_day", "term"]}, "t"]},
        {"t": DAY_BEGINS + DAY + 1},
        True,
    ),
    "a day by a fact counts whole": ({"by": ["the_day", "t"]}, {"t": DAY_BEGINS + 5}, False),
    "the day of judgement": ({"before": ["date", "as_of"]}, {}, True),
    "not before the day of judgement": ({"before": ["as_of", "date"]}, {}, False),
    "during a period, at its first second": (
        {"during": ["t", "rule_time"]},
        {"t": 31 * DAY - 3600},
        True,
    ),
    "during a period, at its last": (
        {"during": ["t", "rule_time"]},
        {"t": 59 * DAY - 3601},
        True,
    ),
    "after a period": ({"during": ["t", "rule_time"]}, {"t": 59 * DAY - 3600}, False),
    "a day that lies in a period": ({"during": ["t", "rule_time"]}, {"t": "1970-02-28"}, True),
    "a month of which some days lie in it": (
        {"during": ["t", "s"]},
        {"t": "1970-02", "s": {"begin": 0, "end": "1970-02-14"}},
        None,
    ),
    "a year that a period is part of": ({"during": ["t", "rule_time"]}, {"t": "1970"}, None),
    "during something that still goes on": (
        {"during": ["t", "s"]},
        {"t": 9, "s": {"begin": 1, "end": "absent"}},
        True,
    ),
    "during something whose end nobody knows": (
        {"during": ["t", "s"]},
        {"t": 9, "s": {"begin": 1, "end": "unknown"}},
        None,
    ),
    "before something whose end nobody knows": (
        {"during": ["t", "s"]},
        {"t": 0, "s": {"begin": 1, "end": "unknown"}},
        False,
    ),
    "during something absent": ({"during": ["t", "s"]}, {"t": 9, "s": "absent"}, False),
    "inside, ends included": (
        {"inside": ["s", "r"]},
        {"s": {"begin": 1, "end": 9}, "r": {"begin": 1, "end": 9}},
        True,
    ),
    "inside, a second too long": (
        {"inside": ["s", "r"]},
        {"s": {"begin": 1, "end": 10}, "r": {"begin": 1, "end": 9}},
        False,
    ),
    "inside a period, while it goes on": (
        {"inside": ["s", "rule_time"]},
        {"s": {"begin": "1970-02-03", "end": "absent"}},
        False,
    ),
    "inside, perhaps": (
        {"inside": ["s", "r"]},
        {"s": {"begin": [0, 2], "end": 5}, "r": {"begin": 1, "end": 9}},
        None,
    ),
    "touching in one second": (
        {"touch": ["s", "r"]},
        {"s": {"begin": 1, "end": 5}, "r": {"begin": 5, "end": 9}},
        True,
    ),
    "not touching": (
        {"touch": ["s", "r"]},
        {"s": {"begin": 1, "end": 4}, "r": {"begin": 5, "end": 9}},
        False,
    ),
    "touching, perhaps": (
        {"touch": ["s", "r"]},
        {"s": {"begin": 1, "end": [4, 5]}, "r": {"begin": 5, "end": 9}},
        None,
    ),
    "touching a period of the law": (
        {"touch": ["rule_time", "s"]},
        {"s": {"begin": "1970-02-28", "end": "1970-03-05"}},
        True,
    ),
    "a day after": ({"before": ["t", {"add": ["u", "term"]}]}, {"t": DAY - 1, "u": 0}, True),
    "a day after, too late": (
        {"before": ["t", {"add": ["u", "term"]}]},
        {"t": DAY, "u": 0},
        False,
    ),
    "by the end of the second day after": (
        {"by": ["t", {"add": ["u", "until"]}]},
        {"t": 3 * DAY - 3601, "u": 0},
        True,
    ),
    "a second past the end of the second day after": (
        {"by": ["t", {"add": ["u", "until"]}]},
        {"t": 3 * DAY - 3600, "u": 0},
        False,
    ),
    "a sum of something absent": (
        {"by": ["t", {"add": ["u", "term"]}]},
        {"t": 1, "u": "absent"},
        False,
    ),
    "a sum of something open": ({"by": ["t", {"add": ["u", "term"]}]}, {"t": 1}, None),
    "a sum beyond the last year stops there": (
        {"by": ["t", {"add": ["u", "term"]}]},
        {"t": 1, "u": "9999-12-31"},
        True,
    ),
    "a sum of the date": ({"by": ["t", {"add": ["last", "term"]}]}, {"t": DAY + 1000}, True),
    "the later of two": (
        {"before": [{"later": ["t", "u"]}, "date"]},
        {"t": 1, "u": 2000},
        False,
    ),
    "the earlier of two": (
        {"before": [{"earlier": ["t", "u"]}, "date"]},
        {"t": 1, "u": 2000},
        True,
    ),
    "the later passes over what is absent": (
        {"before": [{"later": ["t", "u"]}, "date"]},
        {"t": 1, "u": "absent"},
        True,
    ),
    "the later of nothing": (
        {"before": [{"later": ["t", "u"]}, "date"]},
        {"t": "absent", "u": "absent"},
        False,
    ),
    "the earlier of something open": (
        {"before": [{"earlier": ["t", "u"]}, "date"]},
        {"t": 1},
        None,
    ),
    "the later of two uncertain times": (
        {"before": [{"later": ["t", "u"]}, "date"]},
        {"t": [None, 5], "u": [3, 900]},
        True,
    ),
    "the beginning of a span": (
        {"before": [{"begin": "s"}, "date"]},
        {"s": {"begin": 1, "end": 2000}},
        True,
    ),
    "the end of a span": (
        {"before": [{"end": "s"}, "date"]},
        {"s": {"begin": 1, "end": 2000}},
        False,
    ),
    "the end of what still goes on": (
        {"before": [{"end": "s"}, "date"]},
        {"s": {"begin": 1, "end": "absent"}},
        False,
    ),
    "the end of a period of the law": (
        {"by": ["t", {"end": "rule_time"}]},
        {"t": 59 * DAY - 3601},
        True,
    ),
    "deemed, so": ({"before": [DEEMED, "date"]}, {"x": True, "t": 1, "u": 2000}, True),
    "deemed, not so": ({"before": [DEEMED, "date"]}, {"x": False, "t": 1, "u": 2000}, False),
    "deemed, nobody knows": ({"before": [DEEMED, "date"]}, {"t": 1, "u": 2000}, None),
    "deemed, nobody knows, but either would do": (
        {"before": [DEEMED, "date"]},
        {"t": 1, "u": 2},
        True,
    ),
    "deemed, nobody knows, and one time is absent": (
        {"before": [DEEMED, "date"]},
        {"t": 1, "u": "absent"},
        None,
    ),
    "in a list of the law": ({"in": ["c", "grave"]}, {"c": "murder"}, True),
    "not in a list of the law": ({"in": ["c", "grave"]}, {"c": "theft"}, False),
    "a span that is absent": ({"absent": "s"}, {"s": "absent"}, True),
    "a span that is known": ({"known": "s"}, {"s": {"begin": "unknown", "end": 1}}, True),
}


@pytest.mark.parametrize("name", TESTS)
def test_a_time(name: str) -> None:
    condition, facts, expected = TESTS[name]
    assert truth(condition, facts) is expected


OF_ITEMS: dict[str, tuple[Any, list[Any], bool | None]] = {
    "all of none": ({"all": ["acts", {"is": ["good", True]}]}, [], True),
    "all, one may not be": (
        {"all": ["acts", {"is": ["good", True]}]},
        [{"good": True}, {"good": "unknown"}],
        None,
    ),
    "all, one is not": (
        {"all": ["acts", {"is": ["good", True]}]},
        [{"good": "unknown"}, {"good": False}],
        False,
    ),
    "a sum of a field": (
        {"some": ["acts", {"by": [{"add": ["when", "term"]}, "the_day"]}]},
        [{"when": DAY_BEGINS}, {"when": DAY_BEGINS - 1}],
        True,
    ),
    "a span of an item": (
        {"some": ["acts", {"touch": ["held", "rule_time"]}]},
        [{"held": {"begin": "1969", "end": "absent"}}],
        True,
    ),
    "a field in a list of the law": (
        {"all": ["acts", {"not": {"in": ["kind", "grave"]}}]},
        [{"kind": "theft"}, {"kind": "fraud"}],
        False,
    ),
}


@pytest.mark.parametrize("name", OF_ITEMS)
def test_a_time_of_an_item(name: str) -> None:
    condition, acts, expected = OF_ITEMS[name]
    assert truth(condition, acts=acts) is expected


REFUSED: dict[str, tuple[Any, str]] = {
    "a fact that is no time": ({"by": ["t", "x"]}, r"x is of type yesno"),
    "a period of the law as a time": (
        {"by": ["t", "rule_time"]},
        "is not an instant, nor a day",
    ),
    "a date as a period": ({"during": ["t", "date"]}, "the parameter date is not a period"),
    "a time as a period": ({"during": ["t", "u"]}, "u is of type time"),
    "a sum with a number": ({"by": ["t", {"add": ["u", "three"]}]}, "of type duration"),
    "a sum of one": ({"by": ["t", {"add": ["u"]}]}, "two operands"),
    "later of one": ({"by": ["t", {"later": ["u"]}]}, "2 to 100"),
    "deemed without otherwise": ({"by": ["t", {"when": [X, "u"]}]}, "three operands"),
    "a time by itself": ({"later": ["t", "u"]}, "is a time"),
    "a number by itself": ({"total": ["acts", X, "held"]}, "is a number"),
    "an operator that there is not": (
        {"by": ["t", {"subtract": ["u", "term"]}]},
        "must be a time",
    ),
    "two operators": ({"by": ["t", {"add": ["u", "term"], "end": "s"}]}, "must be a time"),
    "a number for a time": ({"by": ["t", 5]}, "must be text"),
    "words that the fact cannot have": ({"in": ["n", "grave"]}, "must be a whole number"),
    "a parameter that is no list": ({"in": ["c", "three"]}, "must be a list"),
    "a quantifier in another": (
        {"some": ["acts", {"all": ["acts", X]}]},
        "cannot stand inside another",
    ),
    "a total of a fact that is no field": (
        {"at-least": [{"total": ["acts", X, "s"]}, 3]},
        "s is no field of acts",
    ),
    "a total of times": ({"at-least": [{"total": ["acts", X, "when"]}, 3]}, "of type time"),
    "a rank without a time": ({"less": [{"rank": ["acts", X, X]}, 3]}, "four operands"),
    "a rank by a word": ({"less": [{"rank": ["acts", X, X, "kind"]}, 3]}, "of type choice"),
    "two quantities at once": (
        {"less": [{"count": ["acts", X], "total": ["acts", X, "held"]}, 3]},
        "must be a fact or",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_is_refused(name: str) -> None:
    condition, message = REFUSED[name]
    _, complaint = attempt(read_statute, wide_document(condition))
    assert message in complaint
    assert complaint.startswith("sections[0].if.")


def test_times_nested_too_deep_are_refused() -> None:
    term: Any = "t"
    for _ in range(8):
        term = {"add": [term, "term"]}
    assert truth({"before": [term, "as_of"]}, {"t": 0}) is True
    _, complaint = attempt(
        read_statute, wide_document({"before": [{"add": [term, "term"]}, "as_of"]})
    )
    assert "deeper than 8" in complaint


def test_a_node_names_every_fact_that_a_time_was_made_of() -> None:
    condition = {"by": [{"when": [X, {"begin": "s"}, "u"]}, {"later": ["t", "v"]}]}
    node = judged(wide_law(condition), {"x": True, "s": {"begin": 1, "end": 2}}).roots[0]
    assert node.children[0].facts == ("x", "s", "t", "v")


OPEN: dict[str, tuple[str, Any, list[str]]] = {
    "the first": ("before", {"t": "unknown", "u": 1000}, ["t"]),
    "the second": ("before", {"t": 1000, "u": "unknown"}, ["u"]),
    "the first, a day on which the second lies": (
        "before",
        {"t": "1970-01-02", "u": DAY},
        ["t"],
    ),
    "both": ("before", {"t": "unknown", "u": [0, 1000]}, ["t", "u"]),
    "both, of the other test": ("by", {"t": "unknown", "u": [0, 1000]}, ["t", "u"]),
}


@pytest.mark.parametrize("name", OPEN)
def test_of_two_times_open_is(name: str) -> None:
    operator, facts, expected = OPEN[name]
    judgement = judged(wide_law({operator: ["t", "u"]}), facts)
    assert [each.fact for each in judgement.open_facts] == expected


def test_only_the_doubtful_facts_of_a_time_are_open() -> None:
    condition = {"by": [{"later": ["t", "u", "v"]}, "date"]}
    judgement = judged(wide_law(condition), {"t": 1, "u": [0, 2000], "v": "unknown"})
    assert [each.fact for each in judgement.open_facts] == ["u", "v"]


def test_what_a_condition_speaks_of_can_be_listed() -> None:
    law = wide_law({"less": [{"rank": ["acts", X, X, {"when": [X, "when", "t"]}]}, 3]})
    condition = condition_of(law)
    assert [term.operator for term in all_terms(condition)] == ["when", "fact", "fact"]
    assert facts_of(condition, law.facts) == ("acts.when", "t")
    assert [each.operator for each in with_parts(condition)] == ["less", "is", "is", "is"]
    plain = wide_law({"during": ["t", "s"]})
    assert facts_of(condition_of(plain), plain.facts) == ("t", "s")


def settled(condition: Any, favours: str, facts: Any = None) -> bool | None:
    """Whether a condition holds where a doubt about `x` and `t` helps the person."""
    declared = FACTS | {"x": yesno("favour_person"), "t": time("favour_person")}
    document = wide_document(condition, facts=declared)
    document["outcomes"][0]["favours"] = favours
    return judged(read_statute(document), facts).roots[0].value


@pytest.mark.parametrize("favours", ["person", "body"])
def test_a_doubt_about_a_deemed_date_helps_the_person(favours: str) -> None:
    condition = {"before": [{"when": [X, "u", "v"]}, "date"]}
    facts = {"u": 1, "v": 2000}
    assert settled(condition, favours, facts) is (favours == "person")
    assert settled({"not": condition}, favours, facts) is (favours == "person")
    assert settled(condition, favours, {"u": 1, "v": 2}) is True
    either = {"before": [{"when": [{"or": [X, {"is": ["y", True]}]}, "u", "v"]}, "date"]}
    assert settled(either, favours, facts | {"y": "unknown"}) is None
    assert settled(either, favours, facts | {"y": False}) is (favours == "person")
    assert settled(either, favours, facts | {"y": True}) is True


@pytest.mark.parametrize("favours", ["person", "body"])
def test_a_doubt_inside_a_sum_helps_the_person(favours: str) -> None:
    condition = {"by": [{"add": ["t", "term"]}, "date"]}
    assert settled(condition, favours) is (favours == "person")


def test_a_deemed_date_may_hang_on_a_rule() -> None:
    document = wide_document({"by": [{"when": [{"rule": "two"}, "t", "u"]}, "date"]})
    document["sections"].append(
        {"number": "2", "text": {"en": "2"}, "rule": "two", "if": {"is": ["y", True]}}
    )
    law = read_statute(document)
    judgement = judged(law, {"y": True, "t": 1, "u": 2000})
    assert judgement.outcome == "granted"
    assert judgement.roots[0].children[0].facts == ("y", "t")


def test_a_field_of_another_list_is_unknown_here() -> None:
    declared = FACTS | {"others.when": time(), "others.number": fact("integer")}
    document = wide_document({"some": ["others", {"during": ["when", "held"]}]}, facts=declared)
    _, complaint = attempt(read_statute, document)
    assert "no fact is called held here" in complaint


NEAR = st.integers(0, 6)


@settings(max_examples=150, deadline=None)
@given(st.tuples(NEAR, NEAR).map(sorted), st.tuples(NEAR, NEAR).map(sorted), st.data())
def test_an_uncertain_time_is_decided_only_where_every_second_of_it_agrees(
    one: list[int], other: list[int], data: st.DataObject
) -> None:
    operator = data.draw(st.sampled_from(["before", "by"]))
    compare = {"before": int.__lt__, "by": int.__le__}[operator]
    found = truth({operator: ["t", "u"]}, {"t": one, "u": other})
    worlds = {
        bool(compare(t, u))
        for t in range(one[0], one[1] + 1)
        for u in range(other[0], other[1] + 1)
    }
    assert found is (worlds.pop() if len(worlds) == 1 else None)


SIDES = st.tuples(NEAR, NEAR).map(sorted)


@settings(max_examples=150, deadline=None)
@given(st.lists(SIDES, min_size=4, max_size=4), st.sampled_from(["inside", "touch"]))
def test_uncertain_periods_are_decided_only_where_every_choice_agrees(
    sides: list[list[int]], operator: str
) -> None:
    (a, b), (c, d) = (sorted(sides[:2]), sorted(sides[2:]))
    choices = [
        (p, q, r, s)
        for p in range(a[0], a[1] + 1)
        for q in range(b[0], b[1] + 1)
        for r in range(c[0], c[1] + 1)
        for s in range(d[0], d[1] + 1)
        if p <= q and r <= s
    ]
    holds = {"inside": lambda p, q, r, s: r <= p and q <= s, "touch": _overlap}[operator]
    worlds = {holds(*choice) for choice in choices}
    facts = {"s": {"begin": a, "end": b}, "r": {"begin": c, "end": d}}
    found = truth({operator: ["s", "r"]}, facts)
    assert found is None or worlds == {found}


def _overlap(p: int, q: int, r: int, s: int) -> bool:
    return bool({*range(p, q + 1)} & {*range(r, s + 1)})
