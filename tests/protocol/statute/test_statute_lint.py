"""Linting: what a statute must not be published with, and the mutation of the example act."""

import copy
from collections.abc import Iterator
from typing import Any

import pytest
from tests.protocol.statute.changing import Break, add, drop, put
from tests.protocol.statute.laws import example, example_document, small_law

from safeconduct.errors import MalformedError
from safeconduct.protocol.statute import (
    check,
    check_change,
    lint,
    lint_change,
    read_statute,
    with_parameters,
    with_version,
)

NEVER: Any = {
    "and": [{"is": ["grave_crime_proven", True]}, {"is": ["grave_crime_proven", False]}]
}


def test_nothing_speaks_against_the_example_act() -> None:
    assert lint(example()) == []
    check(example())


@pytest.mark.parametrize("date", ["1999-12-31T23:59:59-11:00", "2090-01-01T00:00:00Z"])
def test_nothing_speaks_against_it_with_another_date(date: str) -> None:
    values: Any = {"the_date": date, "appeal_period": {"amount": 1, "unit": "seconds"}}
    assert lint(read_statute(with_parameters(example_document(), values))) == []


def test_the_first_complaint_is_raised_with_the_number_of_others() -> None:
    with pytest.raises(
        MalformedError, match=r"^statute default: a burden .* \(and \d+ more\)$"
    ):
        check(read_statute(small_law({"is": ["x", True]})))


COMPLAINTS: dict[str, tuple[Break, str]] = {
    "effects before the appeal": (
        put("procedure.appeal_suspends", False),
        "procedure.appeal_suspends: effects would begin before an appeal ends",
    ),
    "a registration without end": (
        drop("default.review_after"),
        "default: a burden needs a review: add review_after",
    ),
    "antedated": (
        put("version.in_force_from", "2023-12-31T23:59:59Z"),
        "version.in_force_from: the law would begin before it is published",
    ),
    "two outcomes of one rule": (
        lambda d: d["outcomes"].append(d["outcomes"][0] | {"value": "spared"}),
        "outcomes[1].when: acquitted already has an outcome before it",
    ),
    "a text that is missing": (
        drop("sections[3].text.de"),
        "sections[3].text: has no text in de",
    ),
    "a text too many": (
        lambda d: d["facts"]["tips.grade"]["label"].update(fr="note"),
        "facts.tips.grade.label: fr is not a language of this statute",
    ),
    "a fact nobody asks for": (
        lambda d: d["facts"].update(more=d["facts"]["grave_crime_proven"]),
        "facts.more: no rule asks for this fact",
    ),
    "a date nobody asks for": (
        lambda d: d["parameters"].update(other=d["parameters"]["the_date"]),
        "parameters.other: no rule asks for this date",
    ),
    "a rule nobody reaches": (
        add(
            "sections",
            {"number": "9", "rule": "nine", "if": NEVER, "text": {"en": "9", "de": "9"}},
        ),
        "sections[7]: no outcome leads to the rule nine",
    ),
    "an effect without a translation": (
        drop("procedure.listing.effects[1].text.de"),
        "procedure.listing.effects[1].text: has no text in de",
    ),
    "an effect of an outcome in a language too many": (
        put(
            "outcomes[0].effects",
            ["gone", {"name": "free", "text": {"en": "a", "de": "b", "fr": "c"}}],
        ),
        "outcomes[0].effects[1].text: fr is not a language of this statute",
    ),
    "an effect of the default without a translation": (
        put("default.effects", [{"name": "stays", "text": {"en": "a"}}]),
        "default.effects[0].text: has no text in de",
    ),
    "an effect in letters that look alike": (
        put("procedure.listing.effects[0].text.en", "no \u043effice"),
        "procedure.listing.effects[0].text: the word “\u043effice” mixes letters that look "
        "alike",
    ),
    "an effect that is told otherwise where it hurts less": (
        put(
            "outcomes[0].effects",
            [{"name": "no_public_office", "text": {"en": "a letter", "de": "ein Brief"}}],
        ),
        "outcomes[0].effects[0].text: no_public_office is told in other words elsewhere in "
        "this statute",
    ),
    "a case that comes out otherwise": (
        put("cases[0].outcome", "registration_stands"),
        "cases[0]: “a useful tip logged one second before the date acquits” comes out as "
        "acquitted, not registration_stands",
    ),
    "a case that rests on other sections": (
        put("cases[0].sections", ["3"]),
        "cases[0]: “a useful tip logged one second before the date acquits” rests on "
        "3, 4(1), not on 3",
    ),
    "a case that waits for something else": (
        put("cases[7].open", []),
        "cases[7]: “a tip not yet assessed leaves the case open” waits for tips[0].grade",
    ),
    "a provision that no case meets": (
        drop("cases[16]"),
        "sections[2].unless[1].unless[0]: no case in which section 5(3) holds",
    ),
}


@pytest.mark.parametrize("name", COMPLAINTS)
def test_a_statute_draws_a_complaint(name: str) -> None:
    breaks, complaint = COMPLAINTS[name]
    document = example_document()
    breaks(document)
    assert complaint in [str(each) for each in lint(read_statute(document))]


def mutants(document: Any) -> Iterator[tuple[str, Any]]:
    """The example act with one rule emptied, or with one exception or operand taken away."""
    for index, section in enumerate(document["sections"]):
        if "rule" not in section:
            continue
        never = copy.deepcopy(document)
        never["sections"][index]["if"] = NEVER
        yield f"section {section['number']} never", never
        for path in [*exceptions(section), *operands(section)]:
            mutant = copy.deepcopy(document)
            *above, last = path
            del at(mutant["sections"][index], tuple(above))[last]
            yield f"section {section['number']} without {path}", mutant


def exceptions(section: Any) -> Iterator[tuple[Any, ...]]:
    """Paths to each list of exceptions, and to each exception in it."""
    if "unless" in section:
        yield ("unless",)
    for number, exception in enumerate(section.get("unless", [])):
        yield ("unless", number)
        for path in exceptions(exception):
            yield ("unless", number, *path)


def operands(section: Any) -> Iterator[tuple[Any, ...]]:
    """Paths to each operand that could be left out."""
    for path in lists_of_operands(section["if"], ("if",)):
        for number in range(len(at(section, path))):
            yield (*path, number)


def lists_of_operands(condition: Any, path: tuple[Any, ...]) -> Iterator[tuple[Any, ...]]:
    ((operator, operands),) = condition.items()
    if operator in ("and", "or"):
        yield (*path, operator)
        for number, each in enumerate(operands):
            yield from lists_of_operands(each, (*path, operator, number))
    if operator == "some":
        yield from lists_of_operands(operands[1], (*path, operator, 1))
    if operator == "in":
        yield (*path, operator, 1)


def at(value: Any, path: tuple[Any, ...]) -> Any:
    for step in path:
        value = value[step]
    return value


MUTANTS = dict(mutants(example_document()))


def test_there_are_enough_mutants() -> None:
    assert len(MUTANTS) >= 18


@pytest.mark.parametrize("name", MUTANTS)
def test_a_mutant_of_the_example_act_breaks_one_of_its_cases(name: str) -> None:
    assert any(complaint.startswith("cases[") for complaint in complaints(MUTANTS[name]))


def complaints(document: Any) -> list[str]:
    """What the linter says; or the loader, if a case names a section that is gone."""
    try:
        return [str(each) for each in lint(read_statute(document))]
    except MalformedError as error:
        return [error.message]


def next_version(**changes: Any) -> Any:
    document = with_version(
        example_document(),
        number=2,
        published="2025-01-01T00:00:00Z",
        in_force_from="2025-01-01T00:00:00Z",
        supersedes=example().sha256,
    )
    return with_parameters(document, changes)


def test_a_version_may_follow() -> None:
    longer = {"amount": 2, "unit": "months", "rounding": "down"}
    check_change(example(), read_statute(next_version(appeal_period=longer)))


CHANGES: dict[str, tuple[dict[str, Any], str]] = {
    "the date, moved later": (
        {"the_date": "2027-06-01T00:00:01Z"},
        "parameters.the_date: was moved, although it may change never",
    ),
    "the appeal, cut short": (
        {"appeal_period": {"amount": 29, "unit": "days"}},
        "parameters.appeal_period: was moved, although it may change later_only",
    ),
    "the appeal, perhaps cut short": (
        {"appeal_period": {"amount": 1, "unit": "months", "rounding": "down"}},
        "parameters.appeal_period: was moved, although it may change later_only",
    ),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_version_may_not_follow(name: str) -> None:
    changes, complaint = CHANGES[name]
    found = lint_change(example(), read_statute(next_version(**changes)))
    assert [str(each) for each in found] == [complaint]


SUCCESSIONS: dict[str, tuple[Break, str]] = {
    "another statute": (
        put("statute.id", "other"),
        "statute.id: is not example-acquittal, the statute it would follow",
    ),
    "a version left out": (
        put("version.number", 3),
        "version.number: must be 2",
    ),
    "another predecessor": (
        put("version.supersedes", "00" * 32),
        "version.supersedes: is not the SHA-256 of the version before",
    ),
    "the promise itself": (
        put("parameters.the_date.may_change", "any"),
        "parameters.the_date.may_change: the promise itself was changed",
    ),
}


@pytest.mark.parametrize("name", SUCCESSIONS)
def test_a_version_does_not_follow(name: str) -> None:
    breaks, complaint = SUCCESSIONS[name]
    document = next_version()
    breaks(document)
    found = lint_change(example(), read_statute(document))
    assert [str(each) for each in found] == [complaint]


def test_a_parameter_may_not_be_dropped() -> None:
    before, now = small_law({"is": ["x", True]}), small_law({"is": ["x", True]})
    del now["parameters"]["three"]
    found = [str(each) for each in lint_change(read_statute(before), read_statute(now))]
    assert "parameters.three: was dropped or became another type" in found


def test_a_date_that_may_move_later_may_not_move_earlier() -> None:
    law = small_law({"before": ["t", "day"]})
    law["parameters"]["day"]["may_change"] = "later_only"
    for value, moved in (("1970-01-01T00:16:39Z", True), ("1970-01-01T00:16:41Z", False)):
        now = with_parameters(law, {"day": value})
        found = [each.place for each in lint_change(read_statute(law), read_statute(now))]
        assert ("parameters.day" in found) is moved
