"""Four laws that the language was not written for: what their own cases cannot say.

A case names an outcome and not its amount, and is judged by one version and not by the one
that governs.
"""

from collections.abc import Mapping
from datetime import datetime
from functools import cache
from pathlib import Path

import pytest

from safeconduct.plumbing.authored import parse_authored
from safeconduct.protocol.canonical import Json
from safeconduct.protocol.statute.evaluate import Judgement
from safeconduct.protocol.statute.govern import Days, govern, series
from safeconduct.protocol.statute.load import read_statute, resolve_previous
from safeconduct.protocol.statute.text import Statute

LAWS = Path(__file__).parents[2] / "statutes"
UKRAINE = "ukraine/cleansing-2014"
SEC = "united-states/whistleblower-rules-2011"
POLAND = "poland/lustration-2006"
PROSECUTORS = "united-kingdom/prosecutors-2005"


@cache
def versions(law: str) -> tuple[Statute, ...]:
    found: list[Statute] = []
    for file in sorted((LAWS / law).glob("*.yaml")):
        document = parse_authored(file.read_bytes(), file.name)
        found.append(read_statute(resolve_previous(document, found[-1] if found else None)))
    return series(found)


def judged(law: str, facts: Json, claim: str, decision: str) -> Judgement:
    claimed, decided = (
        int(datetime.fromisoformat(day).timestamp()) for day in (claim, decision)
    )
    days = Days(act=None, claim=claimed, decision=decided)
    return govern(versions(law), facts, days).judgement


def band(judgement: Judgement) -> tuple[int, int]:
    assert judgement.amount is not None
    return judgement.amount.least, judgement.amount.most


# Ukraine: a year in total, and ten years that end on one day for all.


def official(*posts: tuple[str, str]) -> Json:
    return {
        "facts": {"office": "covered", "application_filed_at": "2014-11-10"},
        "lists": {"posts": [governor(first, last) for first, last in posts]},
    }


def governor(first: str, last: str) -> Json:
    span: Json = {"begin": f"{first}T00:00:00+02:00", "end": f"{last}T23:59:59+02:00"}
    return {"kind": "governor", "held": span, "counted": span}


@pytest.mark.parametrize(
    ("posts", "outcome"),
    [
        ([("2010-03-01", "2011-02-28")], "barred"),
        ([("2010-03-01", "2011-02-27")], "not_barred"),
        ([("2010-03-01", "2010-08-31"), ("2010-09-01", "2011-02-28")], "barred"),
        ([("2010-03-01", "2010-09-30"), ("2010-09-01", "2011-02-27")], "not_barred"),
        ([("2010-03-01", "2010-03-31")] * 12, "not_barred"),
    ],
)
def test_ukraine_counts_each_day_once(posts: list[tuple[str, str]], outcome: str) -> None:
    day = "2014-12-01T12:00:00+02:00"
    assert judged(UKRAINE, official(*posts), day, day).outcome == outcome


@pytest.mark.parametrize(
    ("decision", "outcome"),
    [
        ("2014-10-16T00:00:00+02:00", "barred"),
        ("2024-10-16T23:59:59+02:00", "barred"),
        ("2024-10-17T00:00:00+02:00", "not_barred"),
    ],
)
def test_the_ukrainian_bar_ends_on_one_day_however_late_it_is_applied(
    decision: str, outcome: str
) -> None:
    facts = official(("2010-03-01", "2013-03-01"))
    assert judged(UKRAINE, facts, "2014-10-20T12:00:00+02:00", decision).outcome == outcome


# United States: the band of an award.


def tip(**more: Json) -> Json:
    absent = dict.fromkeys(("request_at", "known_at", "convicted_at"), "absent")
    facts: Mapping[str, Json] = {
        **absent,
        "individual": True,
        "submitted_at": "2013-03-04",
        "source": "independent_analysis",
        "led_to": "new_inquiry",
        "sanctions": 5_000_000,
        "false_statement": False,
        "notice_posted_at": "2015-06-01",
        "applied_at": "2015-07-15",
    }
    return {"facts": {**facts, **more}}


@pytest.mark.parametrize(
    ("decision", "largest", "expected"),
    [
        ("2016-09-01T12:00:00-05:00", 1_500_000, (10, 30)),
        ("2021-09-01T12:00:00-05:00", 1_500_000, (30, 30)),
        ("2021-09-01T12:00:00-05:00", 5_000_000, (30, 30)),
        ("2021-09-01T12:00:00-05:00", 5_000_001, (10, 30)),
    ],
)
def test_small_american_awards_are_the_largest_since_2020(
    decision: str, largest: int, expected: tuple[int, int]
) -> None:
    facts = tip(largest_award=largest, drawback=False)
    assert band(judged(SEC, facts, "2015-07-15T12:00:00-05:00", decision)) == expected


# Poland: ten years, then three to ten; and nothing before a final ruling.


def denial(**more: Json) -> Json:
    return {
        "facts": {
            "public_function": True,
            "born_at": "1955-04-12",
            "declared_at": "2007-03-20",
            "declaration": "no_link",
            **more,
        },
        "lists": {"links": [{"kind": "service", "lasted": {"begin": "1983", "end": "1986"}}]},
    }


@pytest.mark.parametrize(
    ("decision", "expected"),
    [("2007-08-01T12:00:00+01:00", (10, 10)), ("2008-08-01T12:00:00+01:00", (3, 10))],
)
def test_the_polish_ban_is_by_the_version_in_force_at_the_decision(
    decision: str, expected: tuple[int, int]
) -> None:
    facts = denial(ruling_final_at="2007-06-25")
    assert band(judged(POLAND, facts, "2007-03-20T12:00:00+01:00", decision)) == expected


@pytest.mark.parametrize("ruling", ["unknown", "absent", "2009-01-01", None])
def test_without_a_final_ruling_a_polish_denial_stands(ruling: str | None) -> None:
    facts = denial() if ruling is None else denial(ruling_final_at=ruling)
    found = judged(POLAND, facts, "2007-03-20T12:00:00+01:00", "2008-08-01T12:00:00+01:00")
    assert (found.outcome, found.open_facts) == ("declaration_stands", ())


# United Kingdom: the version on the day of the notice, and the end of a notice.


def notice(given_at: str, *failed_at: str) -> Json:
    return {
        "facts": {
            "notice_written": True,
            "notice_prosecutor": "director_of_public_prosecutions",
            "notice_given_at": given_at,
            "investigated": "summary",
            "in_crown_court": False,
        },
        "lists": {
            "offences": [{"described": True, "brought_in": "england_and_wales"}],
            "conditions": [{"failed_at": each} for each in failed_at],
        },
    }


@pytest.mark.parametrize(
    ("given_at", "outcome"),
    [("2010-04-05", "no_proceedings"), ("2010-04-06", "no_benefit")],
)
def test_an_english_notice_is_judged_by_the_law_of_its_day(given_at: str, outcome: str) -> None:
    claim, decision = f"{given_at}T12:00:00+00:00", "2012-06-04T12:00:00+00:00"
    assert judged(PROSECUTORS, notice(given_at), claim, decision).outcome == outcome


@pytest.mark.parametrize(
    ("failed_at", "standing"),
    [
        ((), "granted"),
        (("absent", "absent"), "granted"),
        (("absent", "unknown"), "granted"),
        (("unknown", "2007-10-02"), "revoked"),
        (("2012-06-05",), "granted"),
    ],
)
def test_an_english_notice_ends_with_the_first_condition_that_is_broken(
    failed_at: tuple[str, ...], standing: str
) -> None:
    claim, decision = "2007-02-12T12:00:00+00:00", "2012-06-04T12:00:00+00:00"
    found = judged(PROSECUTORS, notice("2007-02-12", *failed_at), claim, decision)
    assert found.standing == standing
