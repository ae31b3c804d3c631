"""Judging: three truth values, times as intervals, doubts, exceptions, the one byte form."""

import hashlib
import itertools
import json
from typing import Any

import pytest
from tests.protocol.statute.laws import (
    AS_OF,
    GOOD_STATEMENT,
    GOOD_TIP,
    THE_DATE,
    example,
    fact,
    judge,
    outcome_of,
    small_law,
    time,
    yesno,
)

from safeconduct.errors import MalformedError, RefusedError
from safeconduct.protocol.canonical import parse_json
from safeconduct.protocol.statute import (
    Judgement,
    evaluate,
    format_judgement,
    read_facts,
    read_statute,
    tree_hash,
)
from safeconduct.protocol.statute.lint import matches_case

LATE_TIP = GOOD_TIP | {"logged": [None, THE_DATE]}
STRADDLING = GOOD_STATEMENT | {"made": [THE_DATE - 10, THE_DATE + 10]}
UNBOUNDED = GOOD_STATEMENT | {"made": [None, THE_DATE + 10]}
UNGRADED = GOOD_TIP | {"grade": "unknown"}

EXAMPLES: dict[str, tuple[Judgement, str, tuple[str, ...]]] = {
    "a good tip acquits": (judge([GOOD_TIP]), "acquitted", ("3", "4(1)")),
    "a good statement acquits": (judge([], [GOOD_STATEMENT]), "acquitted", ("3", "4(2)")),
    "both acquit on both sections": (
        judge([GOOD_TIP], [GOOD_STATEMENT]),
        "acquitted",
        ("3", "4(1)", "4(2)"),
    ),
    "a tip logged at the date is late, not open": (
        judge([LATE_TIP]),
        "registration_stands",
        ("3", "4(1)", "4(2)"),
    ),
    "a statement around the date is open": (
        judge([], [STRADDLING]),
        "undetermined",
        ("3", "4(2)"),
    ),
    "a statement that nothing bounds from below is open": (
        judge([], [UNBOUNDED]),
        "undetermined",
        ("3", "4(2)"),
    ),
    "a good tip settles it, whatever else is open": (
        judge([GOOD_TIP, UNGRADED], [STRADDLING]),
        "acquitted",
        ("3", "4(1)"),
    ),
    "a grave crime defeats tip and statement": (
        judge([GOOD_TIP], [GOOD_STATEMENT], grave_crime_proven=True),
        "registration_stands",
        ("3", "5(1)"),
    ),
    "a grave crime settles it, whatever else is open": (
        judge([UNGRADED], grave_crime_proven=True),
        "registration_stands",
        ("3", "5(1)"),
    ),
    "a crime still under trial leaves it open": (
        judge([GOOD_TIP], grave_crime_proven="unknown"),
        "undetermined",
        ("3", "5(1)"),
    ),
    "without an act, the trial does not matter": (
        judge([LATE_TIP], grave_crime_proven="unknown"),
        "registration_stands",
        ("3", "4(1)", "4(2)"),
    ),
    "a withdrawal still being looked into leaves it open": (
        judge([], [GOOD_STATEMENT | {"withdrawn": "unknown"}]),
        "undetermined",
        ("3", "4(2)"),
    ),
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_example_act_judges(name: str) -> None:
    judgement, outcome, sections = EXAMPLES[name]
    assert (judgement.outcome, judgement.sections) == (outcome, sections)


@pytest.mark.parametrize("own", example().cases, ids=lambda own: own.name)
def test_each_case_of_the_example_act_comes_out_as_it_says(own: Any) -> None:
    assert matches_case(example(), own)


def test_an_open_outcome_says_who_owes_what() -> None:
    judgement = judge([UNGRADED], [STRADDLING], grave_crime_proven="unknown")
    assert [(o.fact, o.owed_by, o.section) for o in judgement.open_facts] == [
        ("tips[0].grade", "assessor", "4(1)"),
        ("statements[0].made", "claimant", "4(2)"),
        ("grave_crime_proven", "court", "5(1)"),
    ]


def test_a_decided_outcome_owes_nothing() -> None:
    assert judge([GOOD_TIP, UNGRADED]).open_facts == ()


X, U = {"is": ["x", True]}, {"is": ["y", True]}
TRUTHS: dict[str, Any] = {"true": True, "false": False, "unknown": "unknown"}
OUTCOMES = {True: "granted", False: "refused", None: "undetermined"}


@pytest.mark.parametrize("x", TRUTHS)
@pytest.mark.parametrize("y", TRUTHS)
def test_and_or_and_not_follow_kleenes_tables(x: str, y: str) -> None:
    rank = {"false": 0, "unknown": 1, "true": 2}
    facts = {"facts": {"x": TRUTHS[x], "y": TRUTHS[y]}}
    words = ["refused", "undetermined", "granted"]
    assert outcome_of(small_law({"and": [X, U]}), facts) == words[min(rank[x], rank[y])]
    assert outcome_of(small_law({"or": [X, U]}), facts) == words[max(rank[x], rank[y])]
    assert outcome_of(small_law({"not": X}), facts) == words[2 - rank[x]]


TESTS: dict[str, tuple[Any, Any, str]] = {
    "is, of an integer": ({"is": ["n", 5]}, {"n": 5}, "granted"),
    "is, of another integer": ({"is": ["n", 5]}, {"n": 6}, "refused"),
    "is, of something absent": ({"is": ["x", False]}, {"x": "absent"}, "refused"),
    "in, of an integer in it": ({"in": ["n", [1, 2]]}, {"n": 2}, "granted"),
    "in, of an integer not in it": ({"in": ["n", [1, 2]]}, {"n": 3}, "refused"),
    "at-least, on the line": ({"at-least": ["n", 3]}, {"n": 3}, "granted"),
    "at-least, below the line": ({"at-least": ["n", "three"]}, {"n": 2}, "refused"),
    "less, on the line": ({"less": ["n", 3]}, {"n": 3}, "refused"),
    "less, below the line": ({"less": ["n", "three"]}, {"n": 2}, "granted"),
    "less, of an unknown": ({"less": ["n", 3]}, {"n": "unknown"}, "undetermined"),
    "before, by one second": ({"before": ["t", "day"]}, {"t": 999}, "granted"),
    "before, at the very second": ({"before": ["t", "day"]}, {"t": 1000}, "refused"),
    "before, ending just before": ({"before": ["t", "day"]}, {"t": [None, 999]}, "granted"),
    "before, ending on the line": ({"before": ["t", "day"]}, {"t": [9, 1000]}, "undetermined"),
    "before, beginning on the line": ({"before": ["t", "day"]}, {"t": [1000, 1001]}, "refused"),
    "before another time": ({"before": ["t", "u"]}, {"t": [1, 5], "u": [6, 9]}, "granted"),
    "not before another time": ({"before": ["t", "u"]}, {"t": [9, 10], "u": [6, 9]}, "refused"),
    "overlapping another time": (
        {"before": ["t", "u"]},
        {"t": [1, 6], "u": [6, 9]},
        "undetermined",
    ),
    "before something absent": ({"before": ["t", "u"]}, {"t": 1, "u": "absent"}, "refused"),
    "before something unknown": ({"before": ["t", "u"]}, {"t": 1}, "undetermined"),
    "absent, and it is": ({"absent": "x"}, {"x": "absent"}, "granted"),
    "absent, and it is there": ({"absent": "x"}, {"x": False}, "refused"),
    "absent, and nobody knows": ({"absent": "x"}, {}, "undetermined"),
    "known, and it is": ({"known": "x"}, {"x": False}, "granted"),
    "known to be absent": ({"known": "x"}, {"x": "absent"}, "granted"),
    "known, and it is not": ({"known": "x"}, {}, "refused"),
}


@pytest.mark.parametrize("name", TESTS)
def test_an_operator(name: str) -> None:
    condition, facts, outcome = TESTS[name]
    assert outcome_of(small_law(condition), {"facts": facts}) == outcome


GOOD = {"is": ["good", True]}
COUNTS: dict[str, tuple[Any, list[Any], str]] = {
    "some of none": ({"some": ["acts", GOOD]}, [], "refused"),
    "some, one is enough": ({"some": ["acts", GOOD]}, [False, True], "granted"),
    "some, one may be": ({"some": ["acts", GOOD]}, [False, "unknown"], "undetermined"),
    "at least two": ({"at-least": [{"count": ["acts", GOOD]}, 2]}, [True, True], "granted"),
    "at least two, one may be": (
        {"at-least": [{"count": ["acts", GOOD]}, 2]},
        [True, "unknown"],
        "undetermined",
    ),
    "at least two, out of reach": (
        {"at-least": [{"count": ["acts", GOOD]}, 2]},
        [False, "unknown"],
        "refused",
    ),
    "less than two": ({"less": [{"count": ["acts", GOOD]}, 2]}, [True, False], "granted"),
    "less than two, one too many": (
        {"less": [{"count": ["acts", GOOD]}, 2]},
        [True, True, "unknown"],
        "refused",
    ),
    "less than two, one may be": (
        {"less": [{"count": ["acts", GOOD]}, 2]},
        [True, "unknown"],
        "undetermined",
    ),
    "at least none": ({"at-least": [{"count": ["acts", GOOD]}, 0]}, [], "granted"),
}


@pytest.mark.parametrize("name", COUNTS)
def test_a_count(name: str) -> None:
    condition, acts, outcome = COUNTS[name]
    facts = {"lists": {"acts": [{"good": good} for good in acts]}}
    assert outcome_of(small_law(condition), facts) == outcome


def test_an_inclusive_date_counts_its_own_second() -> None:
    law = small_law({"before": ["t", "day"]})
    law["parameters"]["day"]["bound"] = "inclusive"
    assert outcome_of(law, {"facts": {"t": 1000}}) == "granted"
    assert outcome_of(law, {"facts": {"t": 1001}}) == "refused"


def test_what_only_the_log_proves_is_dated_by_the_log() -> None:
    law = small_law({"before": ["t", "day"]}, facts={"t": time("person_bears", proof="log")})
    outcomes = [outcome_of(law, {"facts": {"t": [None, at]}}) for at in (999, 1000)]
    assert outcomes == ["granted", "refused"]
    assert outcome_of(law, {}) == "refused"


LEFT_OUT: dict[str, tuple[str, str, str]] = {
    "wait": ("wait", "undetermined", "undetermined"),
    "the body had to prove it": ("body_bears", "refused", "granted"),
    "the person had to prove it": ("person_bears", "refused", "granted"),
    "a doubt helps the person, both ways": ("favour_person", "granted", "granted"),
}


@pytest.mark.parametrize("name", LEFT_OUT)
def test_a_fact_that_nobody_asserted_is_settled_as_declared(name: str) -> None:
    rule, plain, negated = LEFT_OUT[name]
    facts = {"x": yesno(rule)}
    assert outcome_of(small_law(X, facts=facts), {}) == plain
    assert outcome_of(small_law({"not": X}, facts=facts), {}) == negated


def test_a_doubt_helps_the_person_where_a_rule_burdens_them() -> None:
    law = small_law(X, facts={"x": yesno("favour_person")})
    law["outcomes"][0]["favours"] = "body"
    assert outcome_of(law, {}) == "refused"


@pytest.mark.parametrize(
    "facts", list(itertools.product([True, False, "unknown"], repeat=2)), ids=str
)
def test_an_exception_to_an_exception_restores_the_rule(facts: tuple[Any, Any]) -> None:
    law = small_law({"at-least": ["n", 1]})
    inner = {"number": "1b", "text": {"en": "b"}, "if": U}
    law["sections"][0]["unless"] = [
        {"number": "1a", "text": {"en": "a"}, "if": X, "unless": [inner]}
    ]
    x, y = facts
    defeated = {
        (True, True): False,
        (True, False): True,
        (True, "unknown"): None,
        ("unknown", False): None,
        ("unknown", "unknown"): None,
    }.get((x, y), False)
    expected = OUTCOMES[None if defeated is None else not defeated]
    assert outcome_of(law, {"facts": {"n": 1, "x": x, "y": y}}) == expected


def test_the_first_outcome_that_holds_is_the_result_and_an_open_one_before_it_waits() -> None:
    law = small_law(X)
    law["sections"].append({"number": "2", "text": {"en": "2"}, "rule": "two", "if": U})
    law["outcomes"].append(law["outcomes"][0] | {"when": "two", "value": "reduced"})
    assert outcome_of(law, {"facts": {"x": True, "y": True}}) == "granted"
    assert outcome_of(law, {"facts": {"x": False, "y": True}}) == "reduced"
    assert outcome_of(law, {"facts": {"x": "unknown", "y": True}}) == "undetermined"


def test_a_law_is_silent_before_it_is_in_force() -> None:
    law = read_statute(small_law(X))
    begins = law.version.in_force_from
    facts = read_facts({}, law.facts)
    assert evaluate(law, facts, begins).as_of == begins
    with pytest.raises(RefusedError, match="not in force before 2020-01-01T00:00:00Z"):
        evaluate(law, facts, begins - 1)


def test_a_rule_named_twice_is_proven_once() -> None:
    rules = [{"number": "9", "text": {"en": "9"}, "rule": "r0", "if": X}]
    for index in range(1, 20):
        twice = {"and": [{"rule": f"r{index - 1}"}, {"rule": f"r{index - 1}"}]}
        number = str(9 + index)
        rules.append(
            {"number": number, "text": {"en": number}, "rule": f"r{index}", "if": twice}
        )
    chain = rules[:5]
    law = small_law({"rule": "r4"})
    law["sections"] += chain
    statute = read_statute(law)
    judgement = evaluate(statute, read_facts({"facts": {"x": True}}, statute.facts), AS_OF)
    nodes = json.loads(format_judgement(judgement))["nodes"]
    assert len(nodes) == 2 + 2 + 4 * 4
    law["sections"] += rules[5:]
    law["sections"][0]["if"] = {"rule": "r19"}
    with pytest.raises(MalformedError, match="deeper than 24"):
        read_statute(law)


def test_too_many_steps_are_refused_before_the_first() -> None:
    law = small_law({"some": ["acts", {"and": [{"or": [GOOD] * 20}] * 10}]})
    statute = read_statute(law)
    facts = read_facts({"lists": {"acts": [{}] * 1000}}, statute.facts)
    with pytest.raises(MalformedError, match="takes more than 250000 steps"):
        evaluate(statute, facts, AS_OF)


def test_the_judgements_bytes_are_canonical_and_its_hash_is_theirs() -> None:
    judgement = judge([GOOD_TIP])
    data = format_judgement(judgement)
    assert parse_json(data, "judgement") == json.loads(data)
    assert tree_hash(judgement) == hashlib.sha256(data).digest()


def test_the_nodes_of_a_judgement_are_known() -> None:
    law = small_law({"or": [X, {"some": ["acts", GOOD]}]})
    statute = read_statute(law)
    facts = read_facts(
        {"facts": {"x": False}, "lists": {"acts": [{"good": True}]}}, law_facts()
    )
    found = format_judgement(evaluate(statute, facts, AS_OF))
    where = "sections[0].if.or"
    assert json.loads(found)["nodes"] == [
        {"facts": ["x"], "op": "is", "place": f"{where}[0].is", "value": "false"},
        {
            "facts": ["acts[0].good"],
            "op": "is",
            "place": f"{where}[1].some[1].is",
            "value": "true",
        },
        {
            "children": [1],
            "name": "acts",
            "op": "some",
            "place": f"{where}[1].some",
            "value": "true",
        },
        {"children": [0, 2], "op": "or", "place": where, "value": "true"},
        {
            "children": [3],
            "name": "one",
            "op": "section",
            "place": "sections[0]",
            "section": "1",
            "value": "true",
        },
    ]


def law_facts() -> Any:
    return read_statute(small_law(X)).facts


def test_a_declared_fact_of_each_type_is_judged() -> None:
    facts = {"c": fact("choice", values=["red", "blue"])}
    law = small_law({"in": ["c", ["red"]]}, facts=facts)
    assert outcome_of(law, {"facts": {"c": "red"}}) == "granted"
    assert outcome_of(law, {"facts": {"c": "blue"}}) == "refused"
