"""Loading: every fault is one `MalformedError` that names its place."""

from typing import Any

import pytest
from tests.protocol.statute.changing import Break, add, drop, put
from tests.protocol.statute.laws import example, example_document, fact, small_law, yesno

from safeconduct.errors import MalformedError
from safeconduct.protocol.canonical import format_json
from safeconduct.protocol.statute import (
    load_statute,
    read_facts,
    read_statute,
    with_parameters,
    with_version,
)
from safeconduct.protocol.statute.condition import OPERATORS

X: Any = {"is": ["x", True]}


def nested(depth: int) -> Any:
    condition = X
    for _ in range(depth - 1):
        condition = {"not": condition}
    return condition


def rules(**conditions: Any) -> Any:
    return [
        {"number": name, "text": {"en": name}, "rule": name, "if": condition}
        for name, condition in conditions.items()
    ]


CONDITIONS: dict[str, tuple[Any, str]] = {
    "no map": ([X], "sections[0].if: must be a map"),
    "no operator": ({}, "sections[0].if: a condition is a map with one operator"),
    "two operators": (X | {"not": X}, "sections[0].if: a condition is a map with one"),
    "an unknown operator": ({"xor": [X, X]}, "sections[0].if.xor: unknown operator"),
    "an operator of another language": (
        {"__import__": "os"},
        "sections[0].if.'__import__': unknown operator",
    ),
    "and of nothing": ({"and": []}, "sections[0].if.and: must have 1 to 100 items"),
    "or of no list": ({"or": X}, "sections[0].if.or: must be a list"),
    "a fault deep inside": (
        {"and": [X, {"or": [X, {"not": {"is": ["z", True]}}]}]},
        "sections[0].if.and[1].or[1].not.is[0]: no fact is called z here",
    ),
    "is of one operand": ({"is": ["x"]}, "sections[0].if.is: must be a list of two operands"),
    "a word where true belongs": ({"is": ["x", "yes"]}, "sections[0].if.is[1]: not a value"),
    "a number where true belongs": ({"is": ["x", 1]}, "sections[0].if.is[1]: not a value"),
    "true where a number belongs": (
        {"is": ["n", True]},
        "sections[0].if.is[1]: must be a whole",
    ),
    "is of a time": ({"is": ["t", 5]}, "sections[0].if.is[0]: t is of type time"),
    "in with a value twice": ({"in": ["n", [1, 1]]}, "sections[0].if.in[1]: 1 stands twice"),
    "in of yes and no": ({"in": ["x", [True]]}, "sections[0].if.in[0]: x is of type yesno"),
    "before of no time": ({"before": ["x", "day"]}, "sections[0].if.before[0]: x is of type"),
    "before an unknown date": ({"before": ["t", "z"]}, "sections[0].if.before[1]: no fact is"),
    "before a period": ({"before": ["t", "term"]}, "sections[0].if.before[1]: the parameter"),
    "before a bare date": (
        {"before": ["t", "2027-06-01"]},
        "sections[0].if.before[1]: no fact is called 2027-06-01 here",
    ),
    "at-least of a word": ({"at-least": ["x", 1]}, "sections[0].if.at-least[0]: x is of type"),
    "at-least a date": (
        {"at-least": ["n", "day"]},
        "sections[0].if.at-least[1]: must be a whole",
    ),
    "some of no list": ({"some": ["x", X]}, "sections[0].if.some[0]: no list is called so"),
    "some inside some": (
        {"some": ["acts", {"some": ["acts", X]}]},
        "sections[0].if.some[1].some: cannot stand inside another",
    ),
    "a field outside its list": (
        {"is": ["acts.good", True]},
        "sections[0].if.is[0]: no fact is called acts.good here",
    ),
    "count by itself": ({"count": ["acts", X]}, "sections[0].if.count: is a number"),
    "count with another key": (
        {"at-least": [{"count": ["acts", X], "z": 1}, 1]},
        "sections[0].if.at-least[0]: must be a fact or",
    ),
    "a rule that is not there": ({"rule": "z"}, "sections[0].if.rule: there is no rule z"),
    "a rule that is itself": ({"rule": "one"}, "sections[0]: the rules lead in a circle: one"),
    "deeper than 24": (nested(25), "sections[0]: conditions lie deeper than 24"),
}


@pytest.mark.parametrize("name", CONDITIONS)
def test_a_condition_is_refused_with_its_place(name: str) -> None:
    condition, message = CONDITIONS[name]
    with pytest.raises(MalformedError) as caught:
        read_statute(small_law(condition))
    assert caught.value.message.startswith(message)


def test_sixteen_operators_deep_is_not_too_deep() -> None:
    assert read_statute(small_law(nested(16))).rules["one"].condition.operator == "not"


def test_the_operators_are_these_and_no_others() -> None:
    logic, facts = "and or not rule", "is in absent known"
    lists, numbers = "some all", "at-least less count total rank"
    tests, times = "before by during inside touch", "begin end add later earlier when"
    named = f"{logic} {facts} {lists} {numbers} {tests} {times}"
    assert sorted(OPERATORS) == sorted(named.split())


DOCUMENTS: dict[str, tuple[Break, str]] = {
    "a part is missing": (drop("cases"), "cases: is missing"),
    "a part too many": (put("more", 1), "more: means nothing here"),
    "a part that hides in quotes": (
        lambda d: d.update({"A\nb": 1}),
        "'A\\nb': means nothing here",
    ),
    "another schema": (
        put("statute.schema", "2"),
        "statute.schema: must be one",
    ),
    "no language": (
        put("statute.languages", []),
        "statute.languages: must have 1 to 24",
    ),
    "a title of no text": (
        put("statute.title", {"en": 5}),
        "statute.title.en: must be text",
    ),
    "a title with a control character": (
        put("statute.title", {"en": "a\x7f"}),
        "statute.title.en: holds a control character",
    ),
    "a date without its offset": (
        put("version.published", "2020-01-01T00:00:00"),
        "version.published: not a date like",
    ),
    "a day that does not exist": (
        put("version.published", "2023-02-29T00:00:00Z"),
        "version.published: there is no such date",
    ),
    "a date as a number": (
        put("version.published", 5),
        "version.published: must be text",
    ),
    "a second version that follows nothing": (
        put("version.number", 2),
        "version.supersedes: stands in every version but the first",
    ),
    "a version number that is true": (
        put("version.number", True),
        "version.number: must be a whole number",
    ),
    "a parameter of no type": (
        drop("parameters.day.type"),
        "parameters.day.type: must be one of",
    ),
    "a date without its zone": (
        drop("parameters.day.zone"),
        "parameters.day.zone: is missing",
    ),
    "a date neither inclusive nor exclusive": (
        put("parameters.day.bound", "maybe"),
        "parameters.day.bound: must be one of",
    ),
    "months without rounding": (
        put("parameters.term.unit", "months"),
        "parameters.term.rounding: must be one of down, up",
    ),
    "days with rounding": (
        put("parameters.term.rounding", "down"),
        "parameters.term.rounding: only months and years are rounded",
    ),
    "a parameter of a section that is not there": (
        put("parameters.day.section", "7"),
        "parameters.day.section: there is no section 7",
    ),
    "a fact nobody may assert": (
        drop("facts.x.asserted_by"),
        "facts.x.asserted_by: is missing",
    ),
    "a fact without a rule for doubts": (
        drop("facts.x.unknown_at_end"),
        "facts.x.unknown_at_end: is missing",
    ),
    "a choice without values": (
        put("facts.c", fact("choice")),
        "facts.c.values: stands with type choice",
    ),
    "a choice that could be called unknown": (
        put("facts.c", fact("choice", values=["unknown", "b"])),
        "facts.c.values: absent and unknown have a meaning",
    ),
    "a time without its proof": (
        drop("facts.t.proof"),
        "facts.t.proof: stands with type time",
    ),
    "a fact named like a parameter": (
        put("facts.day", yesno()),
        "facts.day: the name day is already taken",
    ),
    "a field named like a fact": (
        lambda d: d["facts"].update({"acts.x": yesno()}),
        "facts.acts.x: the name x is already taken",
    ),
    "a section number twice": (
        add("sections", {"number": "1", "text": {"en": "a"}, "about": "a"}),
        "sections: 1 stands twice",
    ),
    "a rule twice": (
        lambda d: d["sections"].append(d["sections"][0] | {"number": "2"}),
        "sections: one stands twice",
    ),
    "a section without text": (
        put("sections[0].text", {}),
        "sections[0].text: needs a text",
    ),
    "a section number that YAML made a number": (
        put("sections[0].number", 1),
        "sections[0].number: must be text (in YAML: put it in quotes)",
    ),
    "an exception with a rule": (
        lambda d: d["sections"][0].update(unless=[d["sections"][0] | {"number": "2"}]),
        "sections[0].unless[0].rule: means nothing here",
    ),
    "rules in a circle": (
        lambda d: d["sections"].extend(rules(a={"rule": "b"}, b={"rule": "a"})),
        "sections[1]: the rules lead in a circle: a → b → a",
    ),
    "a circle through an exception": (
        put(
            "sections[0].unless", [{"number": "2", "text": {"en": "2"}, "if": {"rule": "one"}}]
        ),
        "sections[0]: the rules lead in a circle: one → one",
    ),
    "201 sections": (
        lambda d: d["sections"].extend(rules(**{f"r{n}": X for n in range(200)})),
        "sections: must have 1 to 200 items",
    ),
    "an outcome of no rule": (
        put("outcomes[0].when", "z"),
        "outcomes[0].when: must be one of one",
    ),
    "an outcome called undetermined": (
        put("outcomes[0].value", "undetermined"),
        "outcomes: undetermined has a meaning",
    ),
    "the default as an outcome": (
        put("outcomes[0].value", "refused"),
        "outcomes: refused stands twice",
    ),
    "an appeal without a period": (
        put("procedure.appeal_period", "day"),
        "procedure.appeal_period: must name a parameter of type duration",
    ),
    "a case with an undeclared fact": (
        add(
            "cases",
            {"name": "a", "facts": {"facts": {"z": 1}}, "outcome": "refused", "sections": []},
        ),
        "cases[0].facts.facts.z: means nothing here",
    ),
    "a case of an unknown section": (
        add("cases", {"name": "a", "facts": {}, "outcome": "refused", "sections": ["7"]}),
        "cases[0].sections[0]: must be one of 1",
    ),
    "a case at a date that is none": (
        add(
            "cases",
            {
                "name": "a",
                "facts": {"facts": {"t": {"parameter": "term", "seconds": 0}}},
                "outcome": "refused",
                "sections": [],
            },
        ),
        "cases[0].facts.facts.t.parameter: must name a parameter of type instant",
    ),
}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_document_is_refused_with_its_place(name: str) -> None:
    breaks, message = DOCUMENTS[name]
    document = small_law(X)
    read_statute(document)
    breaks(document)
    with pytest.raises(MalformedError) as caught:
        read_statute(document)
    assert caught.value.message.startswith(message)


BYTES: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", "statute: not JSON"),
    "a list": (b"[]", "document: must be a map"),
    "a blank in between": (b'{"a": 1}', "statute: JSON is not in canonical form"),
    "a newline at the end": (b"{}\n", "statute: JSON is not in canonical form"),
    "a key twice": (b'{"a":1,"a":1}', "statute: not JSON"),
    "a fraction": (b'{"a":1.5}', "statute: JSON has no place for a float"),
    "not a number": (b'{"a":NaN}', "statute: JSON has no place for a float"),
    "forty lists deep": (b"[" * 40 + b"]" * 40, "statute: JSON is nested deeper than 32"),
    "a hundred thousand lists deep": (b"[" * 29_000 + b"]" * 29_000, "statute: "),
    "60,001 bytes": (b'"' + b"a" * 59_999 + b'"', "statute: longer than 60000 bytes"),
    "not UTF-8": (b'{"a":"\xff"}', "statute: not JSON"),
}


@pytest.mark.parametrize("name", BYTES)
def test_bytes_are_refused(name: str) -> None:
    data, message = BYTES[name]
    with pytest.raises(MalformedError) as caught:
        load_statute(data)
    assert caught.value.message.startswith(message)


def test_a_document_longer_than_a_log_entry_is_refused_unserialised_too() -> None:
    law = small_law(X)
    law["statute"]["title"] = {f"l{n}": "a" * 4000 for n in range(20)}
    with pytest.raises(MalformedError, match="longer than 60000 bytes"):
        read_statute(law)


def test_loading_ends_where_reading_does() -> None:
    assert load_statute(format_json(example_document())) == example()


FACTS: dict[str, tuple[Any, str]] = {
    "no map": ([], "document: must be a map"),
    "an unknown part": ({"fact": {}}, "fact: means nothing here"),
    "an unknown fact": ({"facts": {"z": True}}, "facts.z: means nothing here"),
    "an unknown list": ({"lists": {"z": []}}, "lists.z: means nothing here"),
    "an unknown field": ({"lists": {"acts": [{"z": 1}]}}, "lists.acts[0].z: means nothing"),
    "a list that is none": ({"lists": {"acts": {}}}, "lists.acts: must be a list"),
    "an item that is none": ({"lists": {"acts": [{}, 5]}}, "lists.acts[1]: must be a map"),
    "1,001 items": ({"lists": {"acts": [{}] * 1001}}, "lists.acts: must have 0 to 1000"),
    "a field as a fact": ({"facts": {"acts.good": True}}, "facts.acts.good: means nothing"),
    "yes as a word": ({"facts": {"x": "yes"}}, "facts.x: must be true or false"),
    "yes as a number": ({"facts": {"x": 1}}, "facts.x: must be true or false"),
    "null": ({"facts": {"x": None}}, "facts.x: must be true or false"),
    "true as a number": ({"facts": {"n": True}}, "facts.n: must be a whole number"),
    "a fraction": ({"facts": {"n": 1.5}}, "facts.n: must be a whole number"),
    "a time as a date": ({"facts": {"t": "2027-06-01"}}, "facts.t: a day, month or"),
    "a time of three": ({"facts": {"t": [1, 2, 3]}}, "facts.t: must be an instant or a pair"),
    "a time without end": ({"facts": {"t": [1, None]}}, "facts.t[1]: must be an instant"),
    "a time turned around": ({"facts": {"t": [2, 1]}}, "facts.t: ends before it begins"),
    "a time in milliseconds": ({"facts": {"t": 1780000000000}}, "facts.t: must be an instant"),
    "a log that proves an earliest time": (
        {"facts": {"logged": [1, 2]}},
        "facts.logged[0]: a log proves no earliest time",
    ),
}


@pytest.mark.parametrize("name", FACTS)
def test_a_facts_document_is_refused_with_its_place(name: str) -> None:
    document, message = FACTS[name]
    law = small_law(X)
    law["facts"]["logged"] = fact("time", proof="log")
    with pytest.raises(MalformedError) as caught:
        read_facts(document, read_statute(law).facts)
    assert caught.value.message.startswith(message)


def test_a_body_sets_its_own_date_and_period() -> None:
    values: Any = {
        "the_date": "2030-01-01T00:00:00+02:00",
        "appeal_period": {"amount": 2, "unit": "months", "rounding": "down"},
    }
    document = with_parameters(example_document(), values)
    document = with_version(
        document,
        number=2,
        published="2029-01-01T00:00:00Z",
        in_force_from="2029-02-01T00:00:00Z",
        supersedes=example().sha256,
    )
    statute = load_statute(format_json(document))
    date = statute.parameters["the_date"]
    assert (getattr(date, "at", None), date.section) == (1_893_448_800, "2")
    assert statute.procedure.appeal_period.amount == 2
    assert statute.version.supersedes == example().sha256


SETTINGS: dict[str, tuple[dict[str, Any], str]] = {
    "of no such name": ({"a_date": "x"}, "parameters.a_date: the statute has no such"),
    "a date that is none": ({"the_date": "soon"}, "parameters.the_date.value: not a date"),
    "a date as a number": ({"the_date": 1780000000}, "parameters.the_date.value: must be text"),
    "a period as a number": ({"appeal_period": 30}, "parameters.appeal_period: must be a map"),
    "a period with more": (
        {"appeal_period": {"amount": 1, "unit": "days", "may_change": "any"}},
        "parameters.appeal_period.may_change: means nothing here",
    ),
}


@pytest.mark.parametrize("name", SETTINGS)
def test_a_parameter_is_not_set(name: str) -> None:
    values, message = SETTINGS[name]
    with pytest.raises(MalformedError) as caught:
        with_parameters(example_document(), values)
    assert caught.value.message.startswith(message)


def test_setting_parameters_leaves_the_given_document_alone() -> None:
    document = example_document()
    with_parameters(document, {"the_date": "2030-01-01T00:00:00Z"})
    assert document == example_document()
