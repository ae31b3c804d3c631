"""All of the grammar: what each part is read into, and what is refused at which place."""

from typing import Any

import pytest
from tests.protocol.statute.changing import Break, add, drop, put
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
from safeconduct.protocol.statute.wording.voice import voice


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


def test_an_effect_is_told_in_the_words_of_the_law_or_else_by_its_name() -> None:
    document = grown()
    text = {"en": "no public office", "de": "kein öffentliches Amt"}
    document["procedure"]["listing"]["effects"] = ["no_vote", {"name": "barred", "text": text}]
    document["outcomes"][0]["effects"] = [{"name": "free", "text": {"en": "set free"}}, "paid"]
    statute = read_statute(document)
    assert statute.procedure.listing is not None
    assert statute.procedure.listing.effects == ("no_vote", "barred")
    assert statute.outcomes[0].effects == ("free", "paid")
    told = {
        language: [voice(statute, language).effect(name) for name in ("barred", "free")]
        for language in ("en", "de", "uk")
    }
    assert told == {
        "en": ["no public office", "set free"],
        "de": ["kein öffentliches Amt", "set free"],
        "uk": ["no public office", "set free"],
    }
    named = [voice(statute, "de").effect(name) for name in ("no_vote", "paid", "unheard_of")]
    assert named == ["no vote", "paid", "unheard of"]


EFFECTS: dict[str, tuple[Any, str]] = {
    "a number": ([1], "procedure.listing.effects[0]: must be"),
    "no name": ([{"text": {"en": "x"}}], "procedure.listing.effects[0].name: is missing"),
    "no text": ([{"name": "a"}], "procedure.listing.effects[0].text: is missing"),
    "an empty text": (
        [{"name": "a", "text": {}}],
        "procedure.listing.effects[0].text: needs a text",
    ),
    "more": (
        [{"name": "a", "text": {"en": "x"}, "when": 1}],
        "procedure.listing.effects[0].when: means nothing here",
    ),
    "two of one name": (
        ["a", {"name": "a", "text": {"en": "x"}}],
        "procedure.listing.effects: a stands twice",
    ),
}


@pytest.mark.parametrize("name", EFFECTS)
def test_an_effect_is_refused_with_its_place(name: str) -> None:
    effects, message = EFFECTS[name]
    document = grown()
    document["procedure"]["listing"]["effects"] = effects
    with pytest.raises(MalformedError) as caught:
        read_statute(document)
    assert caught.value.message.startswith(message)


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


def first_step(document: Any) -> Any:
    return document["procedure"]["steps"][0]


BROKEN: dict[str, tuple[Break, str]] = {
    "a day without a calendar": (
        drop("calendar"),
        "parameters.last_day.value: a day needs the statute's `calendar`",
    ),
    "a day that does not exist": (
        put("parameters.last_day.value", "2023-02-29"),
        "parameters.last_day.value: there is no such date",
    ),
    "a day that ends at 25": (
        put("parameters.last_day.ends", "25:00"),
        "parameters.last_day.ends: not a time of day",
    ),
    "a period of a day and an instant": (
        put("parameters.conflict.to", "1991-12-31T00:00:00Z"),
        "parameters.conflict: from and to must both be days",
    ),
    "years without rounding": (
        drop("parameters.longer.rounding"),
        "parameters.longer.rounding: must be one of down, up",
    ),
    "a duration that ends somehow": (
        put("parameters.appeal.ends", "soon"),
        "parameters.appeal.ends: must be one of end_of_day, same_time",
    ),
    "an empty list": (
        put("parameters.grave.values", []),
        "parameters.grave.values: must have 1 to 100 items",
    ),
    "an offset that is none": (
        put("calendar.offsets[0].offset", "1:00"),
        "calendar.offsets[0].offset: not an offset like",
    ),
    "offsets out of order": (
        lambda d: d["calendar"]["offsets"].reverse(),
        "calendar.offsets[1].from: must lie after the one before it",
    ),
    "an eighth day of the week": (
        put("calendar.weekend", [8]),
        "calendar.weekend[0]: must be a whole number from 1 to 7",
    ),
    "holidays of no year": (
        put("calendar.holidays.soon", []),
        "calendar.holidays.soon: must be a year",
    ),
    "a holiday of another year": (
        add("calendar.holidays.2024", "2025-12-25"),
        "calendar.holidays.'2024'[2]: does not lie in 2024",
    ),
    "a fact called as_of": (
        lambda d: d["facts"].update(as_of=d["facts"]["lied"]),
        "facts.as_of: this name means the day of judgement",
    ),
    "a span that a log proves": (
        put("facts.service.proof", "log"),
        "facts.service.proof: a log dates a moment",
    ),
    "a section of no list": (
        put("sections[3].of", "deeds"),
        "sections[3].of: must be one of acts",
    ),
    "a rule of one item in the whole case": (
        add("sections", section("8", "lost", {"rule": "small"})),
        "sections[8].if.rule: small speaks of one of acts",
    ),
    "a question without judgement": (
        put("sections[6].about", "date"),
        "sections[6].asks: stands with `about: judgement`",
    ),
    "a question for a fact that is not there": (
        put("sections[6].asks", "z"),
        "sections[6].asks: must be one of",
    ),
    "an outcome of a rule about items": (
        drop("outcomes[1].each"),
        "outcomes[1].when: small speaks of the items of acts; the outcome needs `each: acts`",
    ),
    "an outcome for each, of a rule about the case": (
        put("outcomes[1].when", "hard"),
        "outcomes[1].when: hard speaks of the whole case",
    ),
    "an amount turned around": (
        put("outcomes[0].amount.most", 20),
        "outcomes[0].amount.most: must be a whole number from 30",
    ),
    "an unsealing by a rule that is not there": (
        put("outcomes[0].unseal", {"when": [{"rule": "z"}, "received", "answered"]}),
        "outcomes[0].unseal.when[0].rule: there is no rule z",
    ),
    "a default with a rule": (
        put("default.when", "hard"),
        "default.when: means nothing here",
    ),
    "more votes than members": (
        put("procedure.votes", 6),
        "procedure.votes: must be a whole number from 1 to 5",
    ),
    "a quorum larger than the body": (
        put("procedure.decide_quorum", 6),
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
        drop("procedure.listing.ends_after"),
        "procedure.listing.ends_after: is missing",
    ),
    "a version that ends before it begins": (
        put("version.in_force_to", "2024-01-02T00:00:00Z"),
        "version.in_force_to: must lie after in_force_from",
    ),
    "a version of no cause": (
        put("version.cause", "whim"),
        "version.cause: must be one of",
    ),
    "a first version that annuls": (
        put("version.annuls", [{"version": 1, "from": "2024-01-01", "by": "c"}]),
        "version.annuls[0].version: must be a version before this one",
    ),
    "governed by no day": (
        put("statute.governs.day", "birth"),
        "statute.governs.day: must be one of act, claim, decision",
    ),
    "a case on no day": (
        put("cases[0].as_of", "July"),
        "cases[0].as_of: not a date like",
    ),
    "a case of an item that is none": (
        put("cases[0].items", {"deeds[0]": "nothing"}),
        "cases[0].items.'deeds[0]': names no item",
    ),
    "a case of a step that is none": (
        put("cases[0].steps", {"z": "met"}),
        "cases[0].steps.z: means nothing here",
    ),
    "a case with a standing of its own": (
        put("cases[0].standing", "final"),
        "cases[0].standing: must be one of conditional, granted, revoked",
    ),
    "a case in a unit of its own": (
        put("cases[0].amount.unit", "years"),
        "cases[0].amount.unit: must be one of percent",
    ),
    "a case worth at least more than at most": (
        put("cases[0].amount.least", 51),
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
