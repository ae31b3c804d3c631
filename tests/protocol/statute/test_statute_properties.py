"""Properties of any case under the example act, and of any law made of the operators."""

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.protocol.statute.laws import (
    AS_OF,
    GOOD_STATEMENT,
    GOOD_TIP,
    THE_DATE,
    attempt,
    example,
    example_document,
    outcome_of,
    small_law,
)

from safeconduct.protocol.canonical import format_json
from safeconduct.protocol.statute import (
    Statute,
    evaluate,
    format_instant,
    format_judgement,
    load_facts,
    load_statute,
    read_facts,
    read_statute,
    tree_hash,
    with_parameters,
)
from safeconduct.protocol.statute.remedy import changes

FEW = settings(max_examples=120, deadline=None)


def optional(fields: dict[str, Any]) -> Any:
    """Maps in which each field has a value, is unknown, is absent or is left out."""
    waiting = st.sampled_from(["unknown", "absent"])
    each = {name: st.one_of(values, waiting) for name, values in fields.items()}
    return st.fixed_dictionaries({}, optional=each)


YESNO = st.booleans()
NEAR = st.integers(THE_DATE - 3, THE_DATE + 3)
INTERVAL = st.one_of(
    NEAR,
    st.tuples(NEAR, NEAR).map(sorted),
    NEAR.map(lambda at: [None, at]),
)
TIPS = optional(
    {
        "logged": NEAR.map(lambda at: [None, at]),
        "author_proven": YESNO,
        "acknowledged": st.sampled_from(["ok", "mismatch", "none"]),
        "grade": st.sampled_from(["corroborated", "useful", "worthless"]),
    }
)
STATEMENTS = optional(
    {
        "made": INTERVAL,
        "speaker_is_claimant": YESNO,
        "denounces": YESNO,
        "withdrawn": YESNO,
    }
)
FINDINGS = optional(
    {
        "grave_crime_proven": YESNO,
        "knowing_falsehood_found": YESNO,
        "falsehood_under_duress": YESNO,
    }
)
CASES = st.fixed_dictionaries(
    {
        "facts": FINDINGS,
        "lists": st.fixed_dictionaries(
            {
                "tips": st.lists(TIPS, max_size=3),
                "statements": st.lists(STATEMENTS, max_size=3),
            }
        ),
    }
)
RANK = {"registration_stands": 0, "undetermined": 1, "acquitted": 2}


def rank(document: Any, statute: Statute | None = None) -> int:
    law = statute or example()
    return RANK[evaluate(law, read_facts(document, law.facts), AS_OF).outcome]


@FEW
@given(CASES, st.sampled_from([("tips", GOOD_TIP), ("statements", GOOD_STATEMENT)]))
def test_one_more_act_never_harms(document: Any, more: tuple[str, Any]) -> None:
    name, item = more
    lists = document["lists"] | {name: [*document["lists"][name], item]}
    assert rank(document | {"lists": lists}) >= rank(document)


ANY_ACT = st.one_of(
    st.tuples(st.just("tips"), TIPS), st.tuples(st.just("statements"), STATEMENTS)
)


@FEW
@given(CASES, ANY_ACT)
def test_no_act_of_any_kind_harms(document: Any, more: tuple[str, Any]) -> None:
    name, item = more
    lists = document["lists"] | {name: [*document["lists"][name], item]}
    assert rank(document | {"lists": lists}) >= rank(document)


@FEW
@given(CASES, st.integers(0, 8))
def test_a_later_date_never_undoes_an_acquittal(document: Any, later: int) -> None:
    moved = with_parameters(example_document(), {"the_date": format_instant(THE_DATE + later)})
    assert rank(document, read_statute(moved)) >= rank(document)


@FEW
@given(CASES, st.randoms(use_true_random=False))
def test_the_order_of_items_does_not_matter(document: Any, chance: Any) -> None:
    shuffled = json.loads(json.dumps(document))
    for items in shuffled["lists"].values():
        chance.shuffle(items)
    one, other = (
        evaluate(example(), read_facts(each, example().facts), AS_OF)
        for each in (document, shuffled)
    )
    assert (one.outcome, one.sections) == (other.outcome, other.sections)


@FEW
@given(CASES, st.data())
def test_finding_out_moves_only_what_was_open(document: Any, data: st.DataObject) -> None:
    before = rank(document)
    known = found_out(document, data)
    if before != RANK["undetermined"]:
        assert rank(known) == before


def found_out(document: Any, data: st.DataObject) -> Any:
    """The case with some of its unknown facts found to be this or that."""
    values: dict[str, Any] = {
        "logged": NEAR,
        "made": INTERVAL,
        "acknowledged": st.sampled_from(["ok", "mismatch"]),
        "grade": st.sampled_from(["useful", "worthless"]),
    }

    def replaced(fields: Any) -> Any:
        return {
            name: data.draw(values.get(name, YESNO)) if value == "unknown" else value
            for name, value in fields.items()
        }

    lists = document["lists"].items()
    return {
        "facts": replaced(document["facts"]),
        "lists": {name: [replaced(item) for item in items] for name, items in lists},
    }


@FEW
@given(CASES)
def test_an_open_outcome_names_facts_and_a_decided_one_names_none(document: Any) -> None:
    judgement = evaluate(example(), read_facts(document, example().facts), AS_OF)
    assert bool(judgement.open_facts) is not judgement.decided
    for each in judgement.open_facts:
        assert each.owed_by
        assert each.section in judgement.sections


@FEW
@given(CASES, st.randoms(use_true_random=False))
def test_the_same_bytes_come_out_whatever_order_the_keys_came_in(
    document: Any, chance: Any
) -> None:
    law = load_statute(format_json(example_document()))
    mixed_law = read_statute(mixed(example_document(), chance))
    mixed_facts = read_facts(mixed(document, chance), mixed_law.facts)
    facts = load_facts(format_json(document), law.facts)
    one, other = evaluate(law, facts, AS_OF), evaluate(mixed_law, mixed_facts, AS_OF)
    assert format_judgement(one) == format_judgement(other)
    assert tree_hash(one) == tree_hash(other)


def mixed(value: Any, chance: Any) -> Any:
    """The same value with the keys of every map in another order."""
    if isinstance(value, list):
        return [mixed(each, chance) for each in value]
    if not isinstance(value, dict):
        return value
    keys = list(value)
    chance.shuffle(keys)
    return {key: mixed(value[key], chance) for key in keys}


@FEW
@given(st.integers(-3, 3))
def test_the_line_runs_at_the_second(offset: int) -> None:
    tip = GOOD_TIP | {"logged": [None, THE_DATE + offset]}
    expected = "acquitted" if offset < 0 else "registration_stands"
    document: Any = {"lists": {"tips": [tip]}}
    facts = read_facts(document, example().facts)
    assert evaluate(example(), facts, AS_OF).outcome == expected


def conditions() -> Any:
    """Conditions over two facts, three-valued, of any shape up to a depth."""
    tests = st.sampled_from(["x", "y"]).map(lambda name: {"is": [name, True]})
    return st.recursive(
        tests,
        lambda inner: st.one_of(
            inner.map(lambda each: {"not": each}),
            st.lists(inner, min_size=1, max_size=3).map(lambda each: {"and": each}),
            st.lists(inner, min_size=1, max_size=3).map(lambda each: {"or": each}),
        ),
        max_leaves=8,
    )


def plain(condition: Any, facts: Any) -> int:
    """A slow and obvious reading: 0 false, 1 unknown, 2 true."""
    ((operator, operands),) = condition.items()
    if operator == "is":
        return {False: 0, "unknown": 1, True: 2}[facts[operands[0]]]
    if operator == "not":
        return 2 - plain(operands, facts)
    join = {"and": min, "or": max}[operator]
    return int(join(plain(each, facts) for each in operands))


VALUES = st.sampled_from([True, False, "unknown"])


@FEW
@given(conditions(), VALUES, VALUES)
def test_any_condition_means_what_a_slow_reading_says(condition: Any, x: Any, y: Any) -> None:
    facts = {"x": x, "y": y}
    found, complaint = attempt(outcome_of, small_law(condition), {"facts": facts})
    expected = ["refused", "undetermined", "granted"][plain(condition, facts)]
    assert found == expected or "deeper than 24" in complaint


@FEW
@given(CASES)
def test_making_the_changes_named_changes_the_outcome(document: Any) -> None:
    """Holds for every case of the example act that a finding about present items can turn."""
    judgement = evaluate(example(), read_facts(document, example().facts), AS_OF)
    wanted = changes(example(), judgement) if judgement.decided else None
    if wanted is None or any(each.new_item or not each.fact for each in wanted):
        return
    for change in wanted:
        make(document, change.fact, change.value)
    assert rank(document) != RANK[judgement.outcome]


TO_MAKE: dict[str, Any] = {
    "logged": {True: THE_DATE - 1, False: THE_DATE},
    "made": {True: THE_DATE - 1, False: THE_DATE},
    "acknowledged": {True: "ok", False: "mismatch"},
    "grade": {True: "useful", False: "worthless"},
    "withdrawn": {True: False, False: True},
}


def make(document: Any, fact: str, value: bool) -> None:
    """Set the fact so that the example act's test of it comes out as `value`."""
    name, bracket, rest = fact.partition("[")
    if not bracket:
        document["facts"][fact] = value
        return
    index, field = rest.split("].")
    document["lists"][name][int(index)][field] = TO_MAKE.get(field, {True: True, False: False})[
        value
    ]


JSON = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-5, 5),
        st.sampled_from(["", "x", "t", "day", "acts", "one", "rule", "true"]),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(["and", "or", "not", "is", "in", "before", "some", "rule", "less"]),
            inner,
            max_size=2,
        ),
    ),
    max_leaves=10,
)


@FEW
@given(JSON)
def test_any_value_as_a_condition_is_a_law_or_malformed(condition: Any) -> None:
    statute, complaint = attempt(read_statute, small_law(condition))
    if complaint:
        assert complaint.startswith("sections[0]")
    else:
        assert evaluate(statute, read_facts({}, statute.facts), AS_OF).roots


@FEW
@given(JSON, st.sampled_from(sorted(small_law({"is": ["x", True]}))))
def test_any_value_in_any_part_is_a_law_or_malformed(value: Any, part: str) -> None:
    document = small_law({"is": ["x", True]})
    document[part] = value
    statute, complaint = attempt(read_statute, document)
    # A part may be sound by itself and leave another without the names it uses.
    assert statute or complaint.startswith((part, "parameters", "sections", "procedure"))


@FEW
@given(JSON)
def test_any_value_as_facts_is_facts_or_malformed(value: Any) -> None:
    declarations = read_statute(small_law({"is": ["x", True]})).facts
    for place, document in (("facts", {"facts": value}), ("lists", {"lists": value})):
        facts, complaint = attempt(read_facts, document, declarations)
        assert facts or complaint.startswith(place)


@FEW
@given(st.binary(max_size=200))
def test_any_bytes_are_a_law_or_malformed(data: bytes) -> None:
    statute, complaint = attempt(load_statute, data)
    assert statute or complaint
