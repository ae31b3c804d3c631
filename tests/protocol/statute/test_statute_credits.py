"""A statute's part on credits: what it may say, and how it may change."""

import copy
from collections.abc import Callable
from typing import Any

import pytest
from tests.protocol.credited import document
from tests.protocol.statute.changing import drop, put
from tests.protocol.statute.laws import (
    AS_OF,
    GOOD_TIP,
    THE_DATE,
    attempt,
    example,
    example_document,
)

from safeconduct.protocol.statute import (
    Judgement,
    Statute,
    check,
    evaluate,
    lint,
    lint_change,
    read_facts,
    read_statute,
    with_parameters,
    with_version,
)
from safeconduct.protocol.statute.diff import diff
from safeconduct.protocol.statute.explain import letter
from safeconduct.protocol.statute.text import Credits

EARLIER = "2027-01-01T00:00:00Z"
EARLIER_AT = 1_798_761_600


def law(**credits: Any) -> Statute:
    return read_statute(document(**credits))


def complaints(statute: Statute) -> list[str]:
    return [str(each) for each in lint(statute)]


def test_the_example_grants_plain_credits_and_nothing_speaks_against_it() -> None:
    assert law().credits == Credits(
        scheme="plain",
        classes=("corroborated", "useful"),
        periods=(THE_DATE,),
        minimum_issued=3,
        section="7",
    )
    check(law())


def test_without_the_part_a_law_grants_none_and_keeps_its_hash() -> None:
    assert example().credits is None
    assert example_document().keys() == document().keys() - {"credits"}


def test_a_period_ends_at_an_instant_or_at_a_date_of_the_law() -> None:
    terms = law(periods=[EARLIER, "2027-05-31T23:59:59Z", "the_date"]).credits
    assert terms is not None
    assert terms.periods == (EARLIER_AT, THE_DATE - 1, THE_DATE)


def test_the_end_of_a_period_moves_with_the_date_and_an_inclusive_date_belongs_to_it() -> None:
    moved: Any = with_parameters(document(), {"the_date": "2028-01-01T00:00:00Z"})
    moved["parameters"]["the_date"]["bound"] = "inclusive"
    terms = read_statute(moved).credits
    assert terms is not None
    assert terms.periods == (1_830_297_600 + 1,)


BREAKS: dict[str, tuple[Callable[[Any], object], str]] = {
    "no scheme": (drop("credits.scheme"), "credits.scheme: is missing"),
    "another scheme": (
        put("credits.scheme", "clerk"),
        "credits.scheme: must be one of blind, plain",
    ),
    "a word too many": (
        put("credits.more", 1),
        "credits.more: means nothing here",
    ),
    "no class": (
        put("credits.classes", []),
        "credits.classes: must have 1 to 50 items",
    ),
    "a class that is no grade": (
        put("credits.classes", ["useful", "splendid"]),
        "credits.classes[1]: must be one of corroborated, false, unproven, useful, worthless",
    ),
    "a class twice": (
        put("credits.classes", ["useful", "useful"]),
        "credits.classes: useful stands twice",
    ),
    "no period": (
        put("credits.periods", []),
        "credits.periods: must have 1 to 100 items",
    ),
    "a period out of order": (
        put("credits.periods", ["the_date", EARLIER]),
        "credits.periods[1]: a period must end after the one before it",
    ),
    "a period without length": (
        put("credits.periods", ["the_date", "2027-06-01T00:00:00Z"]),
        "credits.periods[1]: a period must end after the one before it",
    ),
    "a period that ends at no date": (
        put("credits.periods", ["appeal_period"]),
        "credits.periods[0]: not a date like",
    ),
    "a period in numbers": (
        put("credits.periods", [THE_DATE]),
        "credits.periods[0]: must be text (in YAML: put it in quotes)",
    ),
    "a minimum of none": (
        put("credits.minimum_issued", 0),
        "credits.minimum_issued: must be a whole number from 1",
    ),
    "a minimum that is true": (
        put("credits.minimum_issued", True),
        "credits.minimum_issued: must be a whole number from 1",
    ),
    "a section that is not there": (
        put("credits.section", "70"),
        "credits.section: must be one of",
    ),
    "no list": (put("credits", []), "credits: must be a map"),
}


@pytest.mark.parametrize("name", BREAKS)
def test_a_law_is_not_read_with(name: str) -> None:
    broken, reason = BREAKS[name]
    value = copy.deepcopy(document())
    broken(value)
    found, said = attempt(read_statute, value)
    assert found is None
    assert said.startswith(reason)


def test_credits_need_the_facts_that_a_credit_proves() -> None:
    value = copy.deepcopy(document())
    value["facts"]["tips.acknowledged"] |= {"type": "yesno"}
    del value["facts"]["tips.acknowledged"]["values"]
    value["sections"][3]["if"]["some"][1]["and"][2] = {"is": ["acknowledged", True]}
    value["cases"] = []
    _, said = attempt(read_statute, value)
    assert said == "credits: needs the fact tips.acknowledged, of type choice"


# What speaks against publishing.


def test_a_small_crowd_is_enough_for_plain_credits_and_not_for_blind_ones() -> None:
    assert complaints(law(minimum_issued=1)) == []
    assert complaints(law(scheme="blind", minimum_issued=20)) == []
    assert complaints(law(scheme="blind", minimum_issued=19)) == [
        "credits.minimum_issued: fewer than 20 blind credits hide nobody"
    ]


def test_a_period_that_ends_after_the_date_is_useless() -> None:
    assert complaints(law(periods=[EARLIER, "2027-06-01T00:00:01Z"])) == [
        "credits.periods[1]: ends after every date that a tip must come before"
    ]


def test_a_rule_that_counts_ungraded_tips_would_count_credited_ones_too() -> None:
    value = copy.deepcopy(document())
    [rule] = [part for part in value["sections"] if part.get("rule") == "helped"]
    conditions = rule["if"]["some"][1]["and"]
    conditions.remove(next(each for each in conditions if "in" in each))
    said = complaints(read_statute(value))
    assert any("counts tips without a grade, credited ones too" in each for each in said)


ADMITS_UNGRADED: dict[str, Callable[[Any], Any]] = {
    "unproven among the grades": lambda test: {
        "in": [test["in"][0], [*test["in"][1], "unproven"]]
    },
    "any grade but one": lambda test: {"not": {"is": ["grade", "false"]}},
    "a grade, or none at all": lambda test: {"or": [test, {"is": ["acknowledged", "ok"]}]},
}


@pytest.mark.parametrize("how", ADMITS_UNGRADED)
def test_a_rule_that_names_a_grade_and_needs_none_counts_credited_tips_too(how: str) -> None:
    value = copy.deepcopy(document())
    [rule] = [part for part in value["sections"] if part.get("rule") == "helped"]
    conditions = rule["if"]["some"][1]["and"]
    place = next(place for place, each in enumerate(conditions) if "in" in each)
    conditions[place] = ADMITS_UNGRADED[how](conditions[place])
    said = complaints(read_statute(value))
    assert any("counts tips without a grade, credited ones too" in each for each in said)


def test_a_date_that_only_ends_a_period_is_used() -> None:
    value = copy.deepcopy(document(periods=["spring", "the_date"]))
    value["parameters"]["spring"] = value["parameters"]["the_date"] | {"value": EARLIER}
    assert complaints(read_statute(value)) == []
    value["credits"]["periods"] = ["the_date"]
    assert complaints(read_statute(value)) == ["parameters.spring: no rule asks for this date"]


# From one version to the next.


def following(before: Statute, **credits: Any) -> Statute:
    value: Any = with_version(
        document(**credits),
        number=2,
        published=EARLIER,
        in_force_from=EARLIER,
        supersedes=before.sha256,
    )
    if credits.get("classes") == "dropped":
        del value["credits"]
    return read_statute(value)


CHANGES: dict[str, tuple[dict[str, Any], list[str]]] = {
    "nothing": ({}, []),
    "a class added": ({"classes": ["useful", "corroborated", "unproven"]}, []),
    "a class dropped": (
        {"classes": ["corroborated"]},
        ["credits.classes: useful was dropped"],
    ),
    "a period added": ({"periods": [EARLIER, "2027-02-01T00:00:00Z", "the_date"]}, []),
    "a period moved": (
        {"periods": ["2027-01-01T00:00:01Z", "2027-02-01T00:00:00Z"]},
        ["credits.periods: a period was moved or dropped"],
    ),
    "a period put before": (
        {"periods": ["2026-12-01T00:00:00Z", EARLIER, "2027-02-01T00:00:00Z"]},
        ["credits.periods: a period was moved or dropped"],
    ),
    "a period dropped": (
        {"periods": [EARLIER]},
        ["credits.periods: a period was moved or dropped"],
    ),
    "the scheme": (
        {"scheme": "blind", "minimum_issued": 20},
        ["credits.scheme: was plain, and stays so"],
    ),
    "the minimum": ({"minimum_issued": 1}, []),
    "all of it dropped": ({"classes": "dropped"}, ["credits: were dropped"]),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_version_may_change_of_its_credits(name: str) -> None:
    changes, expected = CHANGES[name]
    periods: dict[str, Any] = {"periods": [EARLIER, "2027-02-01T00:00:00Z"]}
    before = law(**periods)
    found = lint_change(before, following(before, **periods | changes))
    assert [str(each) for each in found] == expected


def test_credits_may_come_with_a_later_version() -> None:
    value = copy.deepcopy(document())
    del value["credits"]
    before = read_statute(value)
    assert lint_change(before, following(before)) == []


# The letter.


def judged() -> Judgement:
    tips: Any = [GOOD_TIP]
    facts = read_facts({"facts": {}, "lists": {"tips": tips}}, law().facts)
    return evaluate(law(), facts, AS_OF)


LETTERS = {
    "en": "Help was shown by a credit (section 7): it stands for a tip graded useful that was "
    "logged before 1 June 2027, 00:00 UTC, and names none.",
    "de": "Die Hilfe ist durch eine Gutschrift belegt (Abschnitt 7): Sie steht für einen "
    "Hinweis der Bewertung nützlich, der vor dem 1. Juni 2027, 00:00 UTC protokolliert "
    "wurde, und nennt keinen.",
}


@pytest.mark.parametrize("language", LETTERS)
def test_a_letter_says_that_a_credit_was_used(language: str) -> None:
    told = letter(law(), judged(), AS_OF, language, credited=("useful", 1))
    assert LETTERS[language] in told.splitlines()
    silent = letter(law(), judged(), AS_OF, language)
    assert told.replace(LETTERS[language] + "\n\n", "") == silent


SAID: dict[str, tuple[dict[str, Any], str]] = {
    "a period added": (
        {"periods": [EARLIER, "2027-02-01T00:00:00Z", "the_date"]},
        "credits.periods: end 2027-01-01T00:00:00Z, 2027-02-01T00:00:00Z, "
        "2027-06-01T00:00:00Z, and no longer 2027-01-01T00:00:00Z, 2027-02-01T00:00:00Z",
    ),
    "all of it dropped": (
        {"classes": "dropped"},
        "credits.periods: end never, and no longer 2027-01-01T00:00:00Z, 2027-02-01T00:00:00Z",
    ),
    "a class added": (
        {"classes": ["useful", "corroborated", "unproven"]},
        "credits.classes: corroborated, useful → useful, corroborated, unproven",
    ),
}


@pytest.mark.parametrize("name", SAID)
def test_a_change_of_credits_is_said_in_words(name: str) -> None:
    changes, words = SAID[name]
    periods: dict[str, Any] = {"periods": [EARLIER, "2027-02-01T00:00:00Z"]}
    before = law(**periods)
    assert words in [str(each) for each in diff(before, following(before, **periods | changes))]


def test_the_ends_of_periods_are_told_by_the_clocks_of_the_place() -> None:
    def placed(periods: list[str]) -> Statute:
        offsets = [{"from": "1900-01-01T00:00:00Z", "offset": "+02:00"}]
        calendar: Any = {"zone": "Europe/Kyiv", "offsets": offsets}
        return read_statute({**document(periods=periods), "calendar": calendar})

    before, now = placed([EARLIER]), placed([EARLIER, "2027-01-31T22:00:00Z"])
    [told] = [each.text for each in diff(before, now) if each.kind == "credits"]
    earlier = "2027-01-01 02:00:00 (Europe/Kyiv)"
    assert told == f"end {earlier}, 2027-02-01, and no longer {earlier}"
