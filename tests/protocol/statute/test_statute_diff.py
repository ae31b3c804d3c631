"""What a version changes, in words, and whose case comes out differently."""

from collections.abc import Callable
from typing import Any

import pytest
from tests.protocol.statute.changing import add, drop, put
from tests.protocol.statute.grown import grown, parameter, section
from tests.protocol.statute.laws import yesno

from safeconduct.protocol.statute import Statute, parse_instant, read_statute
from safeconduct.protocol.statute.diff import diff
from safeconduct.protocol.statute.load import resolve_previous
from safeconduct.protocol.statute.whom import Pattern, for_whom


def follow(change: Callable[[Any], Any]) -> tuple[Statute, Statute]:
    """The grown law and its second version, changed."""
    first = read_statute(grown())
    document = grown()
    document["version"] |= {"number": 2, "supersedes": "previous"}
    change(document)
    return first, read_statute(resolve_previous(document, first))


def effect(name: str, text: str) -> Any:
    return {"name": name, "text": {"en": text}}


def instant(value: str) -> Any:
    return parameter("instant", value=value, zone="UTC", bound="exclusive")


def move_last_day(value: str) -> Callable[[Any], Any]:
    def move(document: Any) -> None:
        document["parameters"]["last_day"] |= {"value": value}
        document["cases"] = []

    return move


CHANGES: dict[str, tuple[Callable[[Any], Any], str]] = {
    "a day moved later": (
        move_last_day("2024-07-02"),
        "parameters.last_day: moves from 2024-06-30 17:00 to 2024-07-02 17:00, 2 days later",
    ),
    "a day moved earlier, over the case there is": (
        move_last_day("2024-06-29"),
        "parameters.last_day: moves from 2024-06-30 17:00 to 2024-06-29 17:00, 1 day earlier; "
        "of 1 cases 1 come out worse for the person",
    ),
    "a duration": (
        lambda d: d["parameters"]["appeal"].update(amount=30, ends="same_time"),
        "parameters.appeal: changes from 15 days, to the end of the day to 30 days",
    ),
    "a number": (
        put("parameters.three.value", 4),
        "parameters.three: changes from 3 to 4",
    ),
    "a list": (
        put("parameters.grave.values", ["murder", "theft"]),
        "parameters.grave: gains theft; loses torture",
    ),
    "a period": (
        put("parameters.conflict.to", "1992-01-01"),
        "parameters.conflict: moves from 1989-01-01 … 1991-12-31 to 1989-01-01 … 1992-01-01, "
        "its end 1 day later",
    ),
    "both ends of a period": (
        lambda d: d["parameters"]["conflict"].update(
            {"from": "1988-12-30", "to": "1992-01-01"}
        ),
        "parameters.conflict: moves from 1989-01-01 … 1991-12-31 to 1988-12-30 … "
        "1992-01-01, its beginning 2 days earlier, its end 1 day later",
    ),
    "an instant, as the clocks of the place show it": (
        put("parameters.noon", instant("2024-07-01T10:00:00Z")),
        "parameters.noon: is new: 2024-07-01 12:00:00 (Europe/Prague) (exclusive)",
    ),
    "an instant that is a midnight there": (
        put("parameters.night", instant("2024-06-30T22:00:00Z")),
        "parameters.night: is new: 2024-07-01 (exclusive)",
    ),
    "a promise": (
        put("parameters.last_day.may_change", "any"),
        "parameters.last_day.may_change: may change any, and no longer later_only",
    ),
    "a new parameter": (
        put("parameters.four", parameter("integer", value=4)),
        "parameters.four: is new: 4",
    ),
    "a fact dropped": (
        lambda d: (d["facts"].pop("answered"), d["procedure"].pop("steps"), d.update(cases=[])),
        "facts.answered: is dropped; it was time, asserted by board",
    ),
    "what a doubt means": (
        put("facts.lied.unknown_at_end", "favour_person"),
        "facts.lied.unknown_at_end: body_bears → favour_person",
    ),
    "a section reworded": (
        put("sections[0].text", {"en": "One."}),
        "sections[0].text.en: section 1 is reworded: “1” → “One.”",
    ),
    "a section with another rule": (
        put("sections[0].if", {"before": ["confessed", "last_day"]}),
        "sections[0]: section 1 states another rule: before(confessed, last_day) instead of "
        "by(confessed, last_day)",
    ),
    "an exception more": (
        lambda d: (
            d["sections"][0].update(unless=[section("1a", "x", {"is": ["lied", True]})])
            or d["sections"][0]["unless"][0].pop("rule")
        ),
        "sections[0].unless[0]: section 1a is new: “1a”",
    ),
    "a section repealed": (
        lambda d: (d["sections"].pop(5), d["outcomes"].pop(2)),
        "section 6: section 6 is repealed: “6”",
    ),
    "an outcome gone": (
        drop("outcomes[2]"),
        "outcome listed: is dropped; it was listed",
    ),
    "an outcome worth more": (
        put("outcomes[0].amount.most", 60),
        "outcomes[0].amount: 30 to 50 percent → 30 to 60 percent",
    ),
    "an unsealing": (
        put("outcomes[0].unseal", {"begin": "service"}),
        "outcomes[0].unseal: is unsealed begin(service), and no longer "
        "add(end(service), longer)",
    ),
    "outcomes in another order": (
        lambda d: d["outcomes"].reverse(),
        "outcomes: are looked at in another order: listed, act_spared, spared, nothing",
    ),
    "the quorum": (
        put("procedure.decide_quorum", 3),
        "procedure.decide_quorum: 2 → 3",
    ),
    "a step owed by another": (
        put("procedure.steps[0].owed_by", "board"),
        "procedure.steps.answer.owed_by: desk → board",
    ),
    "a step counted from elsewhere": (
        put("procedure.steps[0].from", {"begin": "service"}),
        "procedure.steps.answer.from: counts from begin(service)",
    ),
    "a listing that ends sooner": (
        put("procedure.listing.ends_after.amount", 4),
        "procedure.listing.ends_after: 5 years, rounded down → 4 years, rounded down",
    ),
    "another effect": (
        add("procedure.listing.effects", "exiled"),
        "procedure.listing.effects: barred → barred, exiled",
    ),
    "an effect in other words": (
        put("procedure.listing.effects", [effect("barred", "Barred.")]),
        "procedure.listing.effects.barred.en: is reworded: “” → “Barred.”",
    ),
    "an effect more, of an outcome": (
        put("outcomes[0].effects", [effect("free", "Free.")]),
        "outcomes[0].effects: nothing → free",
    ),
    "the holidays of a year": (
        put("calendar.holidays.2026", []),
        "calendar.holidays.2026: the holidays of 2026 are listed",
    ),
    "a holiday more, and one that moves": (
        lambda d: d["calendar"]["holidays"].update(
            {"2024": [*d["calendar"]["holidays"]["2024"], "2024-12-30"]}
        ),
        "calendar.holidays.2024: the holidays of 2024 are changed: gains 2024-12-30",
    ),
    "the holidays of a year no longer": (
        drop("calendar.holidays.2024"),
        "calendar.holidays.2024: the holidays of 2024 are listed no longer",
    ),
    "summer time": (
        add("calendar.offsets", {"from": "2040-01-01T00:00:00Z", "offset": "-03:30"}),
        "calendar.offsets: gains -03:30 from 2040-01-01T00:00:00Z",
    ),
    "a duration of a day": (
        lambda d: d["parameters"]["appeal"].update(amount=1, ends="same_time"),
        "parameters.appeal: changes from 15 days, to the end of the day to 1 day",
    ),
    "a duration in seconds": (
        put("parameters.wait", parameter("duration", amount=30 * 86_400, unit="seconds")),
        "parameters.wait: is new: 30 days of 24 hours",
    ),
    "a duration of odd seconds": (
        put("parameters.wait", parameter("duration", amount=90_061, unit="seconds")),
        "parameters.wait: is new: 1 day, 1 hour, 1 minute and 1 second",
    ),
    "which day governs": (
        put("statute.governs.day", "claim"),
        "statute.governs.day: act → claim",
    ),
    "a court": (
        put(
            "version.annuls",
            [{"version": 1, "from": "2024-05-01", "sections": ["3"], "by": "the court"}],
        ),
        "version.annuls[0]: section 3 of version 1: struck from 2024-05-01 by the court",
    ),
    "a court, and what comes of it": (
        put(
            "version.annuls",
            [{"version": 1, "from": "2024-05-01", "sections": ["1"], "by": "the court"}],
        ),
        "version.annuls[0]: section 1 of version 1: struck from 2024-05-01 by the court; "
        "of 1 cases 1 come out worse for the person",
    ),
    "the end of the law": (
        drop("version.in_force_to"),
        "version.in_force_to: in force without end",
    ),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_is_said_in_words(name: str) -> None:
    change, words = CHANGES[name]
    assert words in [str(each) for each in diff(*follow(change))]


def test_a_version_that_changes_nothing_says_only_that_it_follows() -> None:
    found = [str(each) for each in diff(*follow(lambda d: None))]
    assert found == [
        "version: version 2 follows version 1, in force from 2024-01-02 01:00:00 "
        "(Europe/Prague): the first"
    ]
    assert for_whom(*follow(lambda d: None)) == ()


def test_sections_that_only_move_are_no_change() -> None:
    before, now = follow(lambda d: d["sections"].insert(0, d["sections"].pop()))
    assert [each.kind for each in diff(before, now)] == ["version"]


def test_whose_case_comes_out_differently_is_said_with_the_effect() -> None:
    shorter, longer = move_last_day("2024-06-29"), move_last_day("2024-07-31")
    (worse,) = for_whom(*follow(shorter))
    assert str(worse) == (
        "version 1, “a confession on the last day, told in full”: "
        "spared, granted, 30 to 50 percent → nothing (worse)"
    )
    facts: Any = {"facts": {"confessed": "2024-07-15", "full": False}}
    at = parse_instant("2024-08-01T00:00:00Z", "test")
    (better,) = for_whom(*follow(longer), [Pattern(name="mine", facts=facts, as_of=at)])
    assert (better.name, better.before, better.effect) == ("mine", "nothing", "better")
    assert better.now == "spared, conditional, 30 to 50 percent"


def test_facts_that_one_version_does_not_know_are_tried_without_them() -> None:
    def change(document: Any) -> None:
        document["facts"]["more"] = yesno()

    facts: Any = {"facts": {"more": True, "confessed": "2024-06-01", "full": True}}
    assert for_whom(*follow(change), [Pattern(name="mine", facts=facts)]) == ()


def test_a_word_that_one_version_does_not_know_is_left_out_of_it() -> None:
    def change(document: Any) -> None:
        document["facts"]["acts.kind"]["values"].append("arson")

    facts: Any = {"lists": {"acts": [{"kind": "arson"}]}}
    assert for_whom(*follow(change), [Pattern(name="mine", facts=facts)]) == ()


def test_a_burden_that_may_be_lighter_is_better() -> None:
    def burden(least: int) -> Any:
        document = grown()
        amount = {"least": least, "most": 10, "unit": "years"}
        document["outcomes"][0] |= {"favours": "body", "amount": amount}
        document["cases"][0]["amount"] = amount
        return document

    fixed, band = burden(10), burden(3)
    first = read_statute(fixed)
    band["version"] |= {"number": 2, "supersedes": "previous"}
    (found,) = for_whom(first, read_statute(resolve_previous(band, first)))
    assert (found.before, found.now, found.effect) == (
        "spared, granted, 10 years",
        "spared, granted, 3 to 10 years",
        "better",
    )


def test_facts_that_fit_neither_version_are_told_apart_by_what_is_wrong() -> None:
    def change(document: Any) -> None:
        document["facts"]["acts.kind"]["values"].append("arson")

    facts: Any = {"lists": {"acts": [{"kind": "burglary"}]}}
    (found,) = for_whom(*follow(change), [Pattern(name="mine", facts=facts)])
    assert found.before.startswith("not judged, lists.acts[0].kind: must be one of")
    assert "arson" in found.now
    assert found.effect == "other"
