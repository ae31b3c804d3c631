"""What the linter says about the parts of the grown law."""

import copy
from typing import Any

import pytest
from tests.protocol.statute.changing import Break, add, drop, put
from tests.protocol.statute.grown import grown, parameter, section
from tests.protocol.statute.laws import yesno

from safeconduct.protocol.statute import lint, lint_change, read_statute

SMALL_ACTS: Any = [
    {"kind": "theft", "done": "1990-05"},
    {"kind": "theft", "done": "1990-06"},
    {"kind": "theft", "done": "1990-07"},
]
CASES: list[Any] = [
    {
        "name": "too late, with a grave act and three small ones",
        "facts": {
            "facts": {
                "confessed": "2024-07-01",
                "full": False,
                "lied": True,
                "hard": True,
                "service": {"begin": "1990", "end": "1991"},
            },
            "lists": {
                "acts": [
                    *SMALL_ACTS,
                    {"kind": "murder", "done": "1990"},
                    {"kind": "theft", "done": "1995"},
                ]
            },
        },
        "outcome": "listed",
        "sections": ["6", "4"],
        "items": {"acts[0]": "act_spared", "acts[3]": "nothing"},
    },
]


def clean() -> Any:
    """The grown law with cases that show every section holding and not holding."""
    document = grown()
    document["cases"] += copy.deepcopy(CASES)
    return document


def complaints(document: Any) -> list[str]:
    return [str(each) for each in lint(read_statute(document))]


def test_nothing_speaks_against_the_grown_law_with_its_cases() -> None:
    assert complaints(clean()) == []


COMPLAINTS: dict[str, tuple[Break, str]] = {
    "a deadline that does not say how it ends": (
        drop("parameters.appeal.ends"),
        "parameters.appeal.ends: say how the last day ends: same_time or end_of_day",
    ),
    "a year without holidays that a deadline reaches": (
        drop("calendar.holidays.2025"),
        "calendar.holidays: a deadline can reach 2025: not listed there",
    ),
    "a listing that judges nobody": (
        put("procedure.listing.section", "9"),
        "procedure.listing.section: section 9 lists without an individual assessment: it must "
        "ask a human (about: judgement, asks), or be a rule that reads such a finding",
    ),
    "a judgement that finds nothing": (
        drop("sections[6].asks"),
        "sections[6].asks: say which fact a human finds by this section",
    ),
    "a judgement that is not put as a question": (
        drop("facts.full.question"),
        "facts.full.question: say what whoever applies section 7 is asked",
    ),
    "a question in no language of the law": (
        put("facts.full.question", {"de": "Alles?"}),
        "facts.full.question: has no text in en",
    ),
    "a number that nothing uses": (
        put("parameters.four", parameter("integer", value=4)),
        "parameters.four: no rule asks for this number",
    ),
    "a list that nothing uses": (
        put("parameters.mild", parameter("list", values=["theft"])),
        "parameters.mild: no rule asks for this list",
    ),
    "a period that nothing uses": (
        lambda d: d["parameters"].update(war=d["parameters"]["conflict"]),
        "parameters.war: no rule asks for this period",
    ),
    "a duration that nothing uses": (
        put("parameters.week", parameter("duration", amount=7, unit="days", ends="same_time")),
        "parameters.week: no rule asks for this duration",
    ),
    "a word in two alphabets": (
        put("sections[0].text", {"en": "the \u0430ct"}),
        "sections[0].text: the word “\u0430ct” mixes letters that look alike",
    ),
    "a section number in another alphabet": (
        put("sections[2].number", "8\u0430x"),
        "sections[2].number: the word “\u0430x” mixes letters that look alike",
    ),
    "a step that the case finds otherwise": (
        put("cases[0].steps", {"answer": "late"}),
        "cases[0]: “a confession on the last day, told in full” finds the step answer met, "
        "not late",
    ),
    "a standing that the case finds otherwise": (
        put("cases[0].standing", "conditional"),
        "cases[0]: “a confession on the last day, told in full” stands as granted, not "
        "conditional",
    ),
    "an amount that the case finds otherwise": (
        put("cases[0].amount", {"least": 30, "most": 51, "unit": "percent"}),
        "cases[0]: “a confession on the last day, told in full” is worth 30 to 50 percent, not "
        "30 to 51 percent",
    ),
    "an amount where the case finds none": (
        put("cases[1].amount", {"least": 0, "most": 0, "unit": "percent"}),
        "cases[1]: “too late, with a grave act and three small ones” is worth nothing, not "
        "0 percent",
    ),
    "an item that comes out otherwise": (
        lambda d: d["cases"][1]["items"].update({"acts[3]": "act_spared"}),
        "cases[1]: “too late, with a grave act and three small ones” comes out as nothing "
        "for acts[3], not act_spared",
    ),
    "an item that is not there": (
        lambda d: d["cases"][1]["items"].update({"acts[7]": "act_spared"}),
        "cases[1]: “too late, with a grave act and three small ones” has no outcome for "
        "acts[7]",
    ),
    "a case before the law": (
        put("cases[0].as_of", "2023-01-01"),
        "cases[0]: “a confession on the last day, told in full” cannot be judged: the statute "
        "is not in force before 2024-01-02T00:00:00Z",
    ),
    "a rule about items that holds for none": (
        add("sections", section("8", "never", {"absent": "kind"}, of="acts")),
        "sections[8]: no outcome leads to the rule never",
    ),
    "a seal that opens on another day": (
        put("cases[0].unsealed", "2025-01-01"),
        "cases[0]: “a confession on the last day, told in full” is unsealed at no time that "
        "can be told, not 2025-01-01",
    ),
    "a doubt about rivals that is settled for the person": (
        lambda d: rank_acts(d, "favour_person"),
        "facts.acts.done.unknown_at_end: settles doubts about rivals for the person: "
        "sections[2].if.less ranks by it; say wait, body_bears or person_bears",
    ),
    "a burden without an end": (
        drop("outcomes[2].review_after"),
        "outcomes[2]: a burden needs a review: add review_after",
    ),
}


def rank_acts(document: Any, at_end: str) -> None:
    """Section 3 asks for the place of a theft among the small acts."""
    document["facts"]["acts.done"]["unknown_at_end"] = at_end
    ranked: Any = ["acts", {"is": ["kind", "theft"]}, {"rule": "small"}, "done"]
    document["sections"][2]["if"] = {"less": [{"rank": ranked}, 2]}
    document["facts"].pop("lied")
    for case in document["cases"]:
        case["facts"]["facts"].pop("lied", None)


@pytest.mark.parametrize("name", COMPLAINTS)
def test_the_linter_complains_about(name: str) -> None:
    breaks, complaint = COMPLAINTS[name]
    document = clean()
    breaks(document)
    assert complaint in complaints(document)


def test_an_exception_for_items_needs_its_cases_too() -> None:
    document = clean()
    document["cases"][1]["facts"]["lists"]["acts"][3]["kind"] = "theft"
    document["cases"][1]["items"]["acts[3]"] = "act_spared"
    found = complaints(document)
    assert found == ["sections[3].unless[0]: no case in which section 4a holds"]


def test_a_rule_only_a_step_needs_is_proven_by_cases_all_the_same() -> None:
    document = clean()
    document["cases"][1]["facts"]["facts"]["hard"] = False
    assert complaints(document) == ["sections[4]: no case in which section 5 holds"]


def test_a_rival_of_whom_nobody_knows_is_waited_for() -> None:
    document = clean()
    rank_acts(document, "wait")
    assert not [each for each in complaints(document) if each.startswith("facts.")]


def test_a_rule_only_a_date_hangs_on_is_proven_by_cases_all_the_same() -> None:
    document = clean()
    document["facts"]["late"] = yesno()
    document["sections"].append(section("8", "late", {"is": ["late", True]}))
    deemed = {"when": [{"and": [{"rule": "late"}]}, "received", "confessed"]}
    document["sections"][0]["if"] = {"by": [deemed, "last_day"]}
    for case, late in zip(document["cases"], (False, True), strict=True):
        case["facts"]["facts"] |= {"late": late, "received": "2024-07-01"}
    document["cases"][0]["sections"] = ["1", "8", "2"]
    assert complaints(document) == []
    document["cases"][1]["facts"]["facts"]["late"] = False
    assert complaints(document) == ["sections[8]: no case in which section 8 holds"]


def test_a_rule_without_which_a_step_is_not_owed_needs_its_cases() -> None:
    document = clean()
    document["facts"]["asked"] = yesno("body_bears")
    document["sections"].append(section("8", "asked", {"is": ["asked", True]}))
    document["procedure"]["steps"][0]["owed_when"] = "asked"
    document["cases"][0]["facts"]["facts"]["asked"] = True
    assert complaints(document) == []
    document["cases"][0]["facts"]["facts"]["asked"] = False
    document["cases"][0]["steps"] = {"answer": "not_owed"}
    assert complaints(document) == ["sections[8]: no case in which section 8 holds"]


def test_a_case_proves_when_a_seal_opens() -> None:
    document = clean()
    first = document["cases"][0]
    first["facts"]["facts"]["service"] = {"begin": "1980", "end": "1990-12-31"}
    first["unsealed"] = "1991-12-31"
    assert complaints(document) == []
    first["unsealed"] = "1992-01-01"
    assert complaints(document) == [
        "cases[0]: “a confession on the last day, told in full” is unsealed 1991-12-31, not "
        "1992-01-01"
    ]
    first["facts"]["facts"]["service"]["end"] = "1990"
    assert "is unsealed 1991-01-01 to 1991-12-31, not 1992-01-01" in complaints(document)[0]


MOVES: dict[str, tuple[Any, bool]] = {
    "a day later": ({"last_day": {"value": "2024-07-01"}}, False),
    "a day earlier": ({"last_day": {"value": "2024-06-29"}}, True),
    "the same day, closing earlier": ({"last_day": {"ends": "16:00"}}, True),
    "the same day, open until midnight": ({"last_day": {"ends": "24:00"}}, False),
    "longer": ({"appeal": {"amount": 16}}, False),
    "shorter": ({"appeal": {"amount": 14}}, True),
    "the same days, rolled to a working day": ({"appeal": {"roll": "next_working_day"}}, False),
    "working days, which are never fewer days": ({"appeal": {"unit": "working_days"}}, True),
    "a list grown": ({"grave": {"values": ["torture", "murder", "theft"]}}, False),
    "a list cut": ({"grave": {"values": ["murder"]}}, True),
    "both ends of a period later": ({"conflict": {"from": "1989-01-02"}}, False),
    "one end earlier": ({"conflict": {"to": "1991-12-30"}}, True),
}


@pytest.mark.parametrize("name", MOVES)
def test_what_may_move_later_only_moves(name: str) -> None:
    changes, broken = MOVES[name]
    before, now = grown(), grown()
    for document in (before, now):
        for each in document["parameters"].values():
            each["may_change"] = "later_only"
    for parameter_name, values in changes.items():
        now["parameters"][parameter_name].update(values)
    (moved,) = changes
    found = [each.place for each in lint_change(read_statute(before), read_statute(now))]
    assert (f"parameters.{moved}" in found) is broken


def test_a_fact_that_only_shows_a_step_done_is_used() -> None:
    document = clean()
    document["facts"]["idle"] = yesno()
    assert complaints(document) == ["facts.idle: no rule asks for this fact"]
