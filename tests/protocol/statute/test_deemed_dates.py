"""Rules that only a date hangs on: they are drawn, named in the letter and rested upon."""

from typing import Any

import pytest
from tests.protocol.statute.wide import judged, wide_document

from safeconduct.protocol.statute import Judgement, read_statute
from safeconduct.protocol.statute.explain import public_form, reasons
from safeconduct.protocol.statute.proof import flatten

X = {"is": ["x", True]}


def deemed_by_a_rule(facts: Any) -> Judgement:
    """One date if section 2 applies, and it has an exception, else another."""
    document = wide_document({"by": [{"when": [{"rule": "two"}, "t", "u"]}, "v"]})
    spared = {"number": "2a", "text": {"en": "2a"}, "if": {"is": ["y", True]}}
    document["sections"].append(
        {"number": "2", "text": {"en": "2"}, "rule": "two", "if": X, "unless": [spared]}
    )
    return judged(read_statute(document), {"t": 1, "u": 9, "v": 5} | facts)


# What x and y are; whether the date is in time, and the sections that this rests on.
DRAWN: dict[str, tuple[Any, bool | None, tuple[str, ...]]] = {
    "the rule holds": ({"x": True, "y": False}, True, ("1", "2")),
    "its exception holds": ({"x": True, "y": True}, False, ("1", "2", "2a")),
    "nobody knows": ({"y": False}, None, ("1", "2")),
}


@pytest.mark.parametrize("name", DRAWN)
def test_a_rule_that_only_a_date_hangs_on_is_part_of_the_proof(name: str) -> None:
    facts, expected, sections = DRAWN[name]
    judgement = deemed_by_a_rule(facts)
    assert judgement.roots[0].value is expected
    assert judgement.sections == sections
    assert {"1", "2", "2a"} == {n.section for n in flatten(judgement.roots)[0]} - {""}


def test_the_letter_names_the_section_that_a_date_hangs_on() -> None:
    document = wide_document({"by": [{"when": [{"rule": "two"}, "t", "u"]}, "v"]})
    document["sections"].append(
        {"number": "2", "text": {"en": "A deemed date."}, "rule": "two", "if": X}
    )
    law = read_statute(document)
    told = reasons(law, judged(law, {"x": True, "t": 1, "u": 9, "v": 5}))
    assert "This rests on: 1, 2\n" in told
    assert "  ✓ Section 2 applies: A deemed date.\n      ✓ met — " in told


def test_a_rule_that_a_place_among_rivals_hangs_on_is_part_of_the_proof() -> None:
    dated = {"when": [{"rule": "two"}, "when", "t"]}
    ranked = {"rank": ["acts", {"is": ["mine", True]}, {"is": ["good", True]}, dated]}
    document = wide_document({"less": [ranked, 2]})
    document["sections"].append(
        {"number": "2", "text": {"en": "2"}, "rule": "two", "of": "acts", "if": X}
    )
    acts = [{"mine": True, "good": True, "when": 1}, {"mine": False, "good": True, "when": 2}]
    judgement = judged(read_statute(document), {"x": True, "t": 0}, acts)
    assert judgement.outcome == "granted"
    assert [n.section for n in flatten(judgement.roots)[0]].count("2") == 2
    assert judgement.sections == ("1", "2")


@pytest.mark.parametrize("x", [True, False])
def test_a_date_that_hangs_on_a_secret_rule_is_sealed_whichever_way_it_went(x: bool) -> None:
    document = wide_document({"by": [{"when": [{"rule": "two"}, "t", "u"]}, "v"]})
    secret = {"some": ["acts", {"is": ["good", True]}]}
    document["sections"].append(
        {"number": "2", "text": {"en": "2"}, "rule": "two", "if": secret}
    )
    document["facts"] = {
        name: each | {"confidential": name == "acts.good"}
        for name, each in document["facts"].items()
    }
    law = read_statute(document)
    judgement = judged(law, {"t": 1, "u": 2, "v": 5}, [{"good": True}] if x else [])
    form: Any = public_form(law, judgement, bytes(32))
    assert [node["place"] for node in form["nodes"] if "commitment" in node] == [
        "sections[0].if.by"
    ]
    assert "2" not in {node.get("section") for node in form["nodes"]}
