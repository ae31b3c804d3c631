"""Versions: which one governs, what courts struck from it, and whose result is better."""

from dataclasses import replace
from typing import Any

import pytest
from tests.protocol.statute.grown import grown

from safeconduct.errors import MalformedError, RefusedError
from safeconduct.protocol.statute import (
    Statute,
    evaluate,
    lint_change,
    parse_instant,
    read_facts,
    read_statute,
)
from safeconduct.protocol.statute.govern import (
    Days,
    better,
    explained,
    govern,
    governing,
    judged,
    series,
)
from safeconduct.protocol.statute.load import resolve_previous
from safeconduct.protocol.statute.text import Amount

CONFESSED: Any = {"facts": {"confessed": "2024-07-15", "full": True}}


def at(text: str) -> int:
    return parse_instant(f"{text}T12:00:00Z", "test")


def law(governs: Any, *changes: Any) -> list[Statute]:
    """Three versions: the last day is in June, in July, and in May; each half a year apart."""
    versions: list[Statute] = []
    plan = [("2024-06-30", "01-02"), ("2024-07-31", "07-01"), ("2024-05-31", "10-01")]
    for number, (last_day, begins) in enumerate(plan, 1):
        document = grown()
        document["cases"] = []
        if governs is None:
            del document["statute"]["governs"]
        else:
            document["statute"]["governs"] |= governs
        document["parameters"]["last_day"] |= {"value": last_day}
        version = document["version"]
        version |= {"number": number, "in_force_from": f"2024-{begins}T00:00:00Z"}
        if versions:
            version["supersedes"] = "previous"
        if number <= len(changes) and changes[number - 1]:
            changes[number - 1](document)
        previous = versions[-1] if versions else None
        versions.append(read_statute(resolve_previous(document, previous)))
    return versions


def days(act: str | None, claim: str, decision: str) -> Days:
    return Days(act=None if act is None else at(act), claim=at(claim), decision=at(decision))


GOVERNED: dict[str, tuple[Any, Days, str, int, str, str]] = {
    # governs, days, outcome, version, basis, what the competing result is
    "the claim's day, if nothing is said": (
        None, days(None, "2024-08-01", "2024-08-02"), "spared", 2, "claim", ""
    ),
    "the version at the decision, if it is better": (
        None, days(None, "2024-06-30", "2024-08-02"), "spared", 2, "favourable", "1 nothing"
    ),
    "the version at the claim, if the other is worse": (
        None, days(None, "2024-08-01", "2024-11-01"), "spared", 2, "claim", "3 nothing"
    ),
    "the worse one, where the law is not favourable": (
        {"day": "claim", "favourable": False},
        days(None, "2024-06-30", "2024-08-02"), "nothing", 1, "claim", "2 spared"
    ),
    "the day of the decision": (
        {"day": "decision", "favourable": True},
        days(None, "2024-06-30", "2024-11-01"), "nothing", 3, "decision", ""
    ),
    "the day of the act": (
        {"day": "act", "favourable": False},
        days("2024-07-15", "2024-11-01", "2024-11-02"), "spared", 2, "act", "3 nothing"
    ),
    "an act before all law": (
        {"day": "act", "favourable": False},
        days("1990-01-01", "2024-11-01", "2024-11-02"), "nothing", 1, "act", "3 nothing"
    ),
    "a law that has lapsed by the decision": (
        None, days(None, "2024-08-01", "2025-02-01"), "spared", 2, "claim", ""
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", GOVERNED)
def test_the_version_is_chosen_by(name: str) -> None:
    governs, when, outcome, version, basis, competing = GOVERNED[name]
    found = govern(law(governs), CONFESSED, when)
    told = ""
    if found.competing is not None:
        told = f"{found.competing[0].version.number} {found.competing[1].outcome}"
    shown = (found.judgement.outcome, found.statute.version.number, found.basis, told)
    assert shown == (outcome, version, basis, competing)
    assert found.judgement.statute == found.statute.sha256
    assert str(version) in explained(found)


def test_the_day_of_the_act_must_be_known_where_it_decides() -> None:
    with pytest.raises(MalformedError, match=r"^section 9: the day of the act chooses"):
        govern(law({"day": "act"}), CONFESSED, days(None, "2024-11-01", "2024-11-02"))


@pytest.mark.parametrize("day", ["2023-12-31", "2025-01-02"])
def test_before_and_after_the_law_no_version_governs(day: str) -> None:
    with pytest.raises(RefusedError, match="in force"):
        governing(law(None), at(day))


def strike(sections: list[str] | None, version: int = 1) -> Any:
    annulment: Any = {"version": version, "from": "2024-07-01", "by": "the court"}
    if sections is not None:
        annulment["sections"] = sections
    return lambda document: document["version"].update(annuls=[annulment])


STRUCK: dict[str, tuple[Any, str, str]] = {
    "the section, from the day on": (["1"], "2024-07-15", "nothing"),
    "the section, before that day": (["1"], "2024-06-30", "spared"),
    "another section": (["3"], "2024-07-15", "spared"),
    "all of it": (None, "2024-07-15", "nothing"),
}


@pytest.mark.parametrize("name", STRUCK)
def test_a_court_struck(name: str) -> None:
    sections, decision, outcome = STRUCK[name]
    versions = law({"day": "claim", "favourable": False}, None, strike(sections))
    facts: Any = {"facts": {"confessed": "2024-06-01", "full": True}}
    found = govern(versions, facts, days(None, "2024-06-15", decision))
    assert found.judgement.outcome == outcome
    struck = decision > "2024-07-01"
    assert bool(found.annulled) is struck
    assert all("version 1, " in words and "the court" in words for words in found.annulled)


SERIES: dict[str, tuple[list[int], str]] = {
    "no version": ([], "statute: there is no version"),
    "one left out": ([0, 2], "version.number: must be 2"),
    "two turned around": ([1, 0], "version.number: must be 3"),
}


@pytest.mark.parametrize("name", SERIES)
def test_versions_that_do_not_follow_one_another_are_refused(name: str) -> None:
    chosen, message = SERIES[name]
    versions = law(None)
    assert series(versions) == tuple(versions)
    with pytest.raises(MalformedError, match=f"^{message}"):
        series([versions[index] for index in chosen])


def test_a_version_of_another_past_or_law_does_not_follow() -> None:
    versions, others = law(None), law({"day": "claim"})
    with pytest.raises(MalformedError, match=r"^version\.supersedes: is not the SHA-256"):
        series([versions[0], others[1]])
    with pytest.raises(MalformedError, match=r"^version\.annuls\[0\]\.sections\[0\]: "):
        series(law(None, None, strike(["7"])))


def test_what_waits_for_a_struck_rule_would_wait_for_ever() -> None:
    first, second, _ = law(None, None, strike(["3", "2"]))
    [found] = [str(each) for each in lint_change(first, second) if "annuls" in each.place]
    assert found == (
        "version.annuls[0].sections[1]: without section 2, spared stays conditional for ever"
    )


def test_one_version_is_judged_without_what_was_struck_by_then() -> None:
    versions = law(None, None, strike(["1"]))
    for moment, outcome in (("2024-06-20", "spared"), ("2024-07-15", "nothing")):
        applied_then, judgement = judged(
            versions,
            versions[0],
            {"facts": {"confessed": "2024-06-01", "full": True}},
            at(moment),
        )
        assert (applied_then.sha256, judgement.outcome) == (versions[0].sha256, outcome)


def test_what_a_version_does_not_know_is_left_out_and_named() -> None:
    facts: Any = {
        "facts": {"confessed": "2024-06-01", "full": True, "z": 1},
        "lists": {"acts": [{"kind": "theft", "y": True}], "deeds": []},
    }
    found = govern(law(None), facts, days(None, "2024-03-01", "2024-03-02"))
    assert found.left_out == ("z", "deeds", "acts.y")
    assert found.judgement.outcome == "spared"


def knows_arson(document: Any) -> None:
    document["facts"]["acts.kind"]["values"].append("arson")


def test_a_word_that_only_a_later_version_knows_is_left_out_and_named() -> None:
    acts: Any = [{"kind": "arson", "done": "1990"}, {"kind": "unknown", "done": "absent"}]
    facts: Any = {"facts": {"confessed": "2024-06-01", "full": True}, "lists": {"acts": acts}}
    versions = law(None, None, knows_arson)
    before = govern(versions, facts, days(None, "2024-03-01", "2024-03-02"))
    assert before.left_out == ("acts.kind",)
    assert before.judgement.outcome == "spared"
    assert before.judgement.given.document == {
        "facts": facts["facts"],
        "lists": {"acts": [{"done": "1990"}, acts[1]]},
    }
    after = govern(versions, facts, days(None, "2024-08-01", "2024-08-02"))
    assert (after.left_out, after.judgement.given.document) == ((), facts)


def test_a_word_that_no_version_knows_is_refused_as_a_mistake() -> None:
    facts: Any = {"lists": {"acts": [{"kind": "arsno"}]}}
    with pytest.raises(MalformedError, match=r"^lists\.acts\[0\]\.kind: must be one of"):
        govern(law(None, None, knows_arson), facts, days(None, "2024-03-01", "2024-03-02"))


# Whom the outcome favours, two amounts, and which is better: 0 if neither.
WORTHS: dict[str, tuple[str, tuple[int, int], tuple[int, int], int]] = {
    "a benefit that is never small": ("spared", (10, 30), (30, 30), 2),
    "a benefit that may be larger": ("spared", (30, 30), (0, 40), 2),
    "a burden that may be lighter": ("listed", (10, 10), (3, 10), 2),
    "a burden that is never as heavy": ("listed", (3, 10), (5, 9), 2),
    "two burdens alike": ("listed", (3, 10), (3, 10), 0),
}


@pytest.mark.parametrize("name", WORTHS)
def test_of_two_amounts_better_is(name: str) -> None:
    outcome, one, other, expected = WORTHS[name]
    (statute, *_) = law(None)
    read = read_facts(CONFESSED, statute.facts, calendar=statute.calendar)
    judgement = replace(evaluate(statute, read, at("2024-08-01")), outcome=outcome)
    first, second = (
        (statute, replace(judgement, amount=Amount(least=least, most=most, unit="percent")))
        for least, most in (one, other)
    )
    assert better(first, second) is (second if expected else first)
    assert better(second, first) is second


def test_the_larger_amount_is_better_and_of_two_alike_the_first() -> None:
    def larger(document: Any) -> None:
        document["outcomes"][0]["amount"] |= {"most": 60}

    versions = law(None, larger)
    facts: Any = {"facts": {"confessed": "2024-06-01", "full": True}}

    def result(statute: Statute) -> Any:
        read = read_facts(facts, statute.facts, calendar=statute.calendar)
        return statute, evaluate(statute, read, at("2024-08-01"))

    first, second = result(versions[0]), result(versions[1])
    assert better(first, second) is first
    assert better(second, first) is first
    assert better(second, second) is second
    waiting = govern(
        versions, {"facts": {"full": True}}, days(None, "2024-03-01", "2024-03-02")
    )
    assert waiting.judgement.outcome == "undetermined"
    assert better((versions[0], waiting.judgement), second) is second
