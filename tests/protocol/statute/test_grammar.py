"""All of the grammar: what each part is read into, and what is refused at which place."""

from collections.abc import Callable
from typing import Any

import pytest
from tests.protocol.statute.grown import grown, section
from tests.protocol.statute.laws import attempt

from safeconduct.errors import MalformedError
from safeconduct.protocol.statute import parse_instant, read_statute
from safeconduct.protocol.statute.instant import Duration
from safeconduct.protocol.statute.load import resolve_previous, with_parameters
from safeconduct.protocol.statute.text import (
    Amount,
    Day,
    Governs,
    Passage,
    Period,
    Stretch,
    WordList,
)


def at(text: str) -> int:
    return parse_instant(text, "test")


def test_days_and_periods_are_whole_days_of_the_calendar() -> None:
    parameters = read_statute(grown()).parameters
    day, conflict = parameters["last_day"], parameters["conflict"]
    assert isinstance(day, Day)
    assert day.begins_at == at("2024-06-30T00:00:00+02:00")
    assert day.last_at == at("2024-06-30T16:59:59+02:00")
    assert isinstance(conflict, Stretch)
    assert conflict.first_at == at("1989-01-01T00:00:00+01:00")
    assert conflict.last_at == at("1991-12-31T23:59:59+01:00")


def test_durations_keep_how_they_round_end_and_roll() -> None:
    document = grown()
    document["parameters"]["answer"]["roll"] = "next_working_day"
    parameters = read_statute(document).parameters
    answer, longer = parameters["answer"], parameters["longer"]
    assert isinstance(answer, Period)
    assert answer.duration == Duration(
        amount=5, unit="working_days", ends="end_of_day", roll="next_working_day"
    )
    assert isinstance(longer, Period)
    assert longer.duration == Duration(amount=1, unit="years", rounding="down")
    assert isinstance(parameters["grave"], WordList)


def test_the_rest_is_read_as_it_is_written() -> None:
    statute = read_statute(grown())
    assert statute.citation == "Act 1 of no year"
    assert statute.governs == Governs(day="act", favourable=True, section="9")
    assert (statute.version.in_force_to, statute.version.note) == (1735689600, "the first")
    assert statute.facts["full"].question == {"en": "Was everything told?"}
    passage = statute.sections[6]
    assert isinstance(passage, Passage)
    assert passage.asks == "full"
    assert statute.rules["small"].of == "acts"
    spared, each, _ = statute.outcomes
    assert spared.amount == Amount(least=30, most=50, unit="percent")
    assert (spared.final_when, spared.revoked_when, each.each) == ("whole", "lied", "acts")
    assert spared.unseal is not None
    assert (spared.unseal.operator, spared.unseal.name) == ("add", "longer")
    procedure = statute.procedure
    assert (procedure.members, procedure.votes) == (5, 3)
    assert procedure.steps[0].extension == Duration(amount=1, unit="years", rounding="down")
    assert procedure.listing is not None
    assert procedure.listing.effects == ("barred",)
    case = statute.cases[0]
    assert case.as_of == at("2024-08-01T00:00:00+02:00")
    assert (case.steps, case.standing) == ({"answer": "met"}, "granted")
    assert case.amount == spared.amount


def test_the_word_previous_stands_for_the_version_before() -> None:
    first = read_statute(grown())
    second = grown()
    second["version"] |= {"number": 2, "supersedes": "previous"}
    assert read_statute(resolve_previous(second, first)).version.supersedes == first.sha256
    assert resolve_previous(grown(), None) == grown()
    for call in (lambda: read_statute(second), lambda: resolve_previous(second, None)):
        with pytest.raises(MalformedError, match=r"^version\.supersedes: "):
            call()


def test_parameters_of_all_types_can_be_set() -> None:
    values: Any = {
        "last_day": "2025-02-28",
        "conflict": {"from": "1990-01-01", "to": "1990-12-31"},
        "three": 4,
        "grave": ["murder"],
        "longer": {"amount": 2, "unit": "days"},
    }
    changed: Any = with_parameters(grown(), values)
    assert changed["parameters"]["last_day"]["ends"] == "17:00"
    assert changed["parameters"]["grave"]["values"] == ["murder"]
    assert changed["parameters"]["longer"]["ends"] == "same_time"
    with pytest.raises(MalformedError, match=r"^parameters\.conflict\.to: lies before"):
        with_parameters(grown(), {"conflict": {"from": "1992-01-01", "to": "1990-12-31"}})


Break = Callable[[Any], Any]


def first_step(document: Any) -> Any:
    return document["procedure"]["steps"][0]


BROKEN: dict[str, tuple[Break, str]] = {
    "a day without a calendar": (
        lambda d: d.pop("calendar"),
        "parameters.last_day.value: a day needs the statute's `calendar`",
    ),
    "a day that does not exist": (
        lambda d: d["parameters"]["last_day"].update(value="2023-02-29"),
        "parameters.last_day.value: there is no such date",
    ),
    "a day that ends at 25": (
        lambda d: d["parameters"]["last_day"].update(ends="25:00"),
        "parameters.last_day.ends: not a time of day",
    ),
    "a period of a day and an instant": (
        lambda d: d["parameters"]["conflict"].update(to="1991-12-31T00:00:00Z"),
        "parameters.conflict: from and to must both be days",
    ),
    "years without rounding": (
        lambda d: d["parameters"]["longer"].pop("rounding"),
        "parameters.longer.rounding: must be one of down, up",
    ),
    "a duration that ends somehow": (
        lambda d: d["parameters"]["appeal"].update(ends="soon"),
        "parameters.appeal.ends: must be one of end_of_day, same_time",
    ),
    "an empty list": (
        lambda d: d["parameters"]["grave"].update(values=[]),
        "parameters.grave.values: must have 1 to 100 items",
    ),
    "an offset that is none": (
        lambda d: d["calendar"]["offsets"][0].update(offset="1:00"),
        "calendar.offsets[0].offset: not an offset like",
    ),
    "offsets out of order": (
        lambda d: d["calendar"]["offsets"].reverse(),
        "calendar.offsets[1].from: must lie after the one before it",
    ),
    "an eighth day of the week": (
        lambda d: d["calendar"].update(weekend=[8]),
        "calendar.weekend[0]: must be a whole number from 1 to 7",
    ),
    "holidays of no year": (
        lambda d: d["calendar"]["holidays"].update(soon=[]),
        "calendar.holidays.soon: must be a year",
    ),
    "a holiday of another year": (
        lambda d: d["calendar"]["holidays"]["2024"].append("2025-12-25"),
        "calendar.holidays.'2024'[2]: does not lie in 2024",
    ),
    "a fact called as_of": (
        lambda d: d["facts"].update(as_of=d["facts"]["lied"]),
        "facts.as_of: this name means the day of judgement",
    ),
    "a span that a log proves": (
        lambda d: d["facts"]["service"].update(proof="log"),
        "facts.service.proof: a log dates a moment",
    ),
    "a section of no list": (
        lambda d: d["sections"][3].update(of="deeds"),
        "sections[3].of: must be one of acts",
    ),
    "a rule of one item in the whole case": (
        lambda d: d["sections"].append(section("8", "lost", {"rule": "small"})),
        "sections[8].if.rule: small speaks of one of acts",
    ),
    "a question without judgement": (
        lambda d: d["sections"][6].update(about="date"),
        "sections[6].asks: stands with `about: judgement`",
    ),
    "a question for a fact that is not there": (
        lambda d: d["sections"][6].update(asks="z"),
        "sections[6].asks: must be one of",
    ),
    "an outcome of a rule about items": (
        lambda d: d["outcomes"][1].pop("each"),
        "outcomes[1].when: small speaks of the items of acts; the outcome needs `each: acts`",
    ),
    "an outcome for each, of a rule about the case": (
        lambda d: d["outcomes"][1].update(when="hard"),
        "outcomes[1].when: hard speaks of the whole case",
    ),
    "an amount turned around": (
        lambda d: d["outcomes"][0]["amount"].update(most=20),
        "outcomes[0].amount.most: must be a whole number from 30",
    ),
    "an unsealing by a rule that is not there": (
        lambda d: d["outcomes"][0].update(
            unseal={"when": [{"rule": "z"}, "received", "answered"]}
        ),
        "outcomes[0].unseal.when[0].rule: there is no rule z",
    ),
    "a default with a rule": (
        lambda d: d["default"].update(when="hard"),
        "default.when: means nothing here",
    ),
    "more votes than members": (
        lambda d: d["procedure"].update(votes=6),
        "procedure.votes: must be a whole number from 1 to 5",
    ),
    "a quorum larger than the body": (
        lambda d: d["procedure"].update(decide_quorum=6),
        "procedure.decide_quorum: must be a whole number from 1 to 5",
    ),
    "a step twice": (
        lambda d: d["procedure"]["steps"].append(first_step(d)),
        "procedure.steps: answer stands twice",
    ),
    "a step within a number": (
        lambda d: first_step(d).update(within="three"),
        "procedure.steps[0].within: must name a parameter of type duration",
    ),
    "a step done by a word": (
        lambda d: first_step(d).update(done="lied"),
        "procedure.steps[0].done: lied is of type yesno",
    ),
    "an extension without its rule": (
        lambda d: first_step(d).pop("extended"),
        "procedure.steps[0]: `extended` and `extension` stand together",
    ),
    "a step of a section that is not there": (
        lambda d: first_step(d).update(section="99"),
        "procedure.steps[0].section: there is no section 99",
    ),
    "a listing without end": (
        lambda d: d["procedure"]["listing"].pop("ends_after"),
        "procedure.listing.ends_after: is missing",
    ),
    "a version that ends before it begins": (
        lambda d: d["version"].update(in_force_to="2024-01-02T00:00:00Z"),
        "version.in_force_to: must lie after in_force_from",
    ),
    "a version of no cause": (
        lambda d: d["version"].update(cause="whim"),
        "version.cause: must be one of",
    ),
    "a first version that annuls": (
        lambda d: d["version"].update(annuls=[{"version": 1, "from": "2024-01-01", "by": "c"}]),
        "version.annuls[0].version: must be a version before this one",
    ),
    "governed by no day": (
        lambda d: d["statute"]["governs"].update(day="birth"),
        "statute.governs.day: must be one of act, claim, decision",
    ),
    "a case on no day": (
        lambda d: d["cases"][0].update(as_of="July"),
        "cases[0].as_of: not a date like",
    ),
    "a case of an item that is none": (
        lambda d: d["cases"][0].update(items={"deeds[0]": "nothing"}),
        "cases[0].items.'deeds[0]': names no item",
    ),
    "a case of a step that is none": (
        lambda d: d["cases"][0].update(steps={"z": "met"}),
        "cases[0].steps.z: means nothing here",
    ),
    "a case with a standing of its own": (
        lambda d: d["cases"][0].update(standing="final"),
        "cases[0].standing: must be one of conditional, granted, revoked",
    ),
    "a case in a unit of its own": (
        lambda d: d["cases"][0]["amount"].update(unit="years"),
        "cases[0].amount.unit: must be one of percent",
    ),
    "a case worth at least more than at most": (
        lambda d: d["cases"][0]["amount"].update(least=51),
        "cases[0].amount.most: must ",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_fault_is_named_by_its_place(name: str) -> None:
    breaks, message = BROKEN[name]
    document = grown()
    breaks(document)
    _, complaint = attempt(read_statute, document)
    assert complaint[: len(message)] == message
