"""Four laws with dates that moved: which version governs, when seals end, and what their own
cases would notice.
"""

from collections.abc import Iterator
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from safeconduct.errors import MalformedError
from safeconduct.plumbing.authored import parse_authored
from safeconduct.protocol.canonical import Json
from safeconduct.protocol.statute.calendar import Interval
from safeconduct.protocol.statute.facts import Missing, read_facts
from safeconduct.protocol.statute.govern import Days, Governed, govern, series
from safeconduct.protocol.statute.load import read_statute, resolve_previous
from safeconduct.protocol.statute.steps import owed_steps, unsealed_at
from safeconduct.protocol.statute.text import Statute
from safeconduct.protocol.statute.trial import matches_case

LAWS = Path(__file__).parents[2] / "statutes"
LITHUANIA = "lithuania/confession-1999"
SOUTH_AFRICA = "south-africa/reconciliation-1995"
ESTONIA = "estonia/disclosure-1995"
NORTHERN_IRELAND = "northern-ireland/legacy-2023"
ALL = (LITHUANIA, SOUTH_AFRICA, ESTONIA, NORTHERN_IRELAND)


@cache
def documents(law: str) -> tuple[Json, ...]:
    found: list[Json] = []
    previous: Statute | None = None
    for file in sorted((LAWS / law).glob("*.yaml")):
        found.append(resolve_previous(parse_authored(file.read_bytes(), file.name), previous))
        previous = read_statute(found[-1])
    return tuple(found)


@cache
def versions(law: str) -> tuple[Statute, ...]:
    return series([read_statute(each) for each in documents(law)])


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp())


def governed(law: str, facts: Json, claim: str, decision: str) -> Governed:
    return govern(versions(law), facts, Days(act=None, claim=at(claim), decision=at(decision)))


# South Africa: the cut-off moved by five months, the last day to apply by nine and a half.


def bomb(committed: str, applied: str) -> Json:
    weighed = ("motive", "context", "gravity", "target", "orders", "proportion")
    return {
        "facts": {"applied_at": applied, "form_complete": True},
        "lists": {
            "acts": [
                {
                    "committed": committed,
                    "offence_or_delict": True,
                    "capacity": "movement_member",
                    "bona_fide": True,
                    **dict.fromkeys(weighed, "neutral"),
                    "political_objective": True,
                    "full_disclosure": True,
                    "gross_violation": True,
                    "heard_in_public": True,
                }
            ]
        },
    }


@pytest.mark.parametrize(
    ("decision", "version", "outcome"),
    [
        ("1996-10-01T12:00:00+02:00", 1, "amnesty_refused"),
        ("1997-03-03T12:00:00+02:00", 2, "amnesty_refused"),
        ("1997-08-27T23:59:59+02:00", 3, "amnesty_refused"),
        ("1997-08-28T00:00:00+02:00", 4, "amnesty_granted"),
        ("1998-06-01T12:00:00+02:00", 4, "amnesty_granted"),
    ],
)
def test_a_bomb_of_april_1994_is_judged_by_the_cut_off_of_the_day_of_decision(
    decision: str, version: int, outcome: str
) -> None:
    facts = bomb("1994-04-24", "1996-05-10")
    found = governed(SOUTH_AFRICA, facts, "1996-05-10T12:00:00+02:00", decision)
    assert found.basis == "decision"
    assert (found.statute.version.number, found.judgement.outcome) == (version, outcome)


@pytest.mark.parametrize(
    ("applied", "decision", "outcome"),
    [
        ("1996-12-14T23:59:59+02:00", "1996-12-12T00:00:00+02:00", "amnesty_granted"),
        ("1996-12-15T00:00:00+02:00", "1996-12-12T00:00:00+02:00", "amnesty_refused"),
        ("1996-12-15T00:00:00+02:00", "1996-12-20T00:00:00+02:00", "amnesty_granted"),
        ("1997-05-11T00:00:00+02:00", "1997-06-02T00:00:00+02:00", "amnesty_refused"),
        ("1997-05-11T00:00:00+02:00", "1997-07-01T00:00:00+02:00", "amnesty_granted"),
        ("1997-10-01T00:00:00+02:00", "1998-07-01T00:00:00+02:00", "amnesty_refused"),
    ],
)
def test_who_applied_too_late_is_in_time_once_the_last_day_has_moved(
    applied: str, decision: str, outcome: str
) -> None:
    found = governed(SOUTH_AFRICA, bomb("1992-06", applied), decision, decision)
    assert found.judgement.outcome == outcome


# Lithuania: admissions of the 1990s, and a seal that grew from 15 to 75 years.

ADMITTED: Json = {
    "facts": {
        "collaborated": True,
        "reception_announced": "2000-02-01",
        "admitted_earlier_at": "1991-06",
    }
}


@pytest.mark.parametrize(
    ("decision", "outcome"),
    [
        ("2001-06-01T00:00:00+02:00", "published"),
        ("2011-06-01T00:00:00+03:00", "entered_and_sealed"),
        ("2016-06-01T00:00:00+03:00", "entered_and_sealed"),
    ],
)
def test_an_admission_of_1991_counts_since_2010(decision: str, outcome: str) -> None:
    found = governed(LITHUANIA, ADMITTED, "2000-03-01T00:00:00+02:00", decision)
    assert found.judgement.outcome == outcome


def test_a_version_without_a_fact_says_that_it_leaves_it_out() -> None:
    day = "2001-06-01T00:00:00+02:00"
    assert governed(LITHUANIA, ADMITTED, day, day).left_out == ("admitted_earlier_at",)


def sealed_until(statute: Statute, facts: Json) -> Interval | Missing:
    read = read_facts(facts, statute.facts, calendar=statute.calendar)
    as_of = statute.version.in_force_from
    return unsealed_at(statute, statute.outcomes[0], read, as_of)


@pytest.mark.parametrize(
    ("number", "end"),
    [
        (1, "2015-09-04T23:59:59+03:00"),
        (2, "2015-09-04T23:59:59+03:00"),
        (3, "2075-09-04T23:59:59+02:00"),
    ],
)
def test_a_confession_of_2000_is_unsealed_after_the_term_of_the_version(
    number: int, end: str
) -> None:
    statute = versions(LITHUANIA)[number - 1]
    found = sealed_until(statute, {"facts": {"entered_at": "2000-09-04"}})
    assert found == Interval(earliest=at(end), latest=at(end))


# Estonia: the later of two days.


@pytest.mark.parametrize(
    ("died", "end"),
    [
        ("2001-03-04", "2045-11-14T23:59:59+02:00"),
        ("2030-03-04", "2050-03-04T23:59:59+02:00"),
    ],
)
def test_an_estonian_confession_is_unsealed_on_the_later_of_two_days(
    died: str, end: str
) -> None:
    facts: Json = {"facts": {"confessed_at": "1995-11-14", "died_at": died}}
    assert sealed_until(versions(ESTONIA)[1], facts) == Interval(
        earliest=at(end), latest=at(end)
    )


def test_nobody_can_compute_the_day_while_the_person_lives() -> None:
    facts: Json = {"facts": {"confessed_at": "1995-11-14"}}
    assert sealed_until(versions(ESTONIA)[1], facts) is Missing.UNKNOWN


def test_the_first_version_knows_no_day() -> None:
    facts: Json = {"facts": {"confessed_at": "1995-11-14"}}
    assert sealed_until(versions(ESTONIA)[0], facts) is Missing.ABSENT


def test_the_last_day_to_contest_is_the_last_of_the_shorter_month() -> None:
    statute = versions(ESTONIA)[1]
    facts: Json = {"facts": {"notice_received_at": "2000-01-31"}}
    read = read_facts(facts, statute.facts, calendar=statute.calendar)
    (step,) = owed_steps(statute, read, at("2000-02-10T00:00:00+02:00"))
    assert (step.state, step.due_at) == ("open", at("2000-02-29T23:59:59+02:00"))


# Northern Ireland: enacted, never begun, disapplied.

REQUEST: dict[str, Any] = {
    "section_19_began_at": "2023-12-01T00:00:00+00:00",
    "requested_at": "2024-01-10",
    "account_given": True,
    "account_true": True,
}
OFFENCE: Json = {
    "conduct": {"begin": "1974-03-05", "end": "1974-03-05"},
    "northern_ireland_affairs": True,
    "kind": "serious",
    "exposes": True,
}


def immunity(decision: str, **more: str) -> Governed:
    facts: Json = {"facts": {**REQUEST, **more}, "lists": {"offences": [OFFENCE]}}
    return governed(NORTHERN_IRELAND, facts, "2024-01-10T12:00:00+00:00", decision)


def test_supposing_that_it_had_begun_the_section_applied_until_the_court_struck_it() -> None:
    before = immunity("2024-02-27T23:59:59+00:00")
    after = immunity("2024-02-28T00:00:00+00:00")
    assert (before.judgement.outcome, before.annulled) == ("immunity_granted", ())
    assert after.judgement.outcome == "no_immunity"
    assert "[2024] NIKB 11" in after.annulled[0]


def test_an_order_set_aside_gives_the_section_back_through_the_later_version() -> None:
    found = immunity("2026-06-01T00:00:00+01:00", disapplication_ended_at="2025-11-03")
    assert (found.basis, found.statute.version.number) == ("favourable", 2)
    assert found.judgement.outcome == "immunity_granted"


def test_what_was_never_begun_grants_nothing_at_any_time() -> None:
    for decision in ("2024-02-01T00:00:00+00:00", "2026-06-01T00:00:00+01:00"):
        found = immunity(decision, section_19_began_at="absent")
        assert found.judgement.outcome == "no_immunity"


# Whatever is taken from a rule, one of the law's own cases notices.


@pytest.mark.parametrize("law", ALL)
def test_every_condition_taken_from_a_rule_breaks_a_case(law: str) -> None:
    document = documents(law)[-1]
    assert isinstance(document, dict)
    kept = [place for place, less in _lessened(document) if _still_passes(less)]
    assert kept == []


def _still_passes(document: Json) -> bool:
    try:
        statute = read_statute(document)
    except MalformedError:
        return False  # what is left is no statute
    return all(matches_case(statute, case) for case in statute.cases)


def _lessened(document: dict[str, Json]) -> Iterator[tuple[str, Json]]:
    """The statute once for each part of an `and` or `or`, and each exception, without it."""
    sections = document["sections"]
    for where, less in _without_one(sections, "sections"):
        yield where, {**document, "sections": less}


def _without_one(value: Json, place: str) -> Iterator[tuple[str, Json]]:
    if isinstance(value, list):
        for index, each in enumerate(value):
            for where, less in _without_one(each, f"{place}[{index}]"):
                yield where, [*value[:index], less, *value[index + 1 :]]
    if isinstance(value, dict):
        for key, each in value.items():
            if key in ("and", "or", "unless") and isinstance(each, list):
                for index in range(len(each) if key == "unless" or len(each) > 1 else 0):
                    less = [*each[:index], *each[index + 1 :]]
                    yield f"{place}.{key}[{index}]", {**value, key: less}
            for where, changed in _without_one(each, f"{place}.{key}"):
                yield where, {**value, key: changed}
