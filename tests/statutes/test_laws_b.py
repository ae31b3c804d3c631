"""Four laws of co-operation and of clearance: places in a queue, bands, deadlines that the
authority itself missed, an end that moved twice, and a ground that a court struck.
"""

from datetime import datetime
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from safeconduct.errors import RefusedError
from safeconduct.plumbing.authored import parse_authored
from safeconduct.protocol.canonical import Json
from safeconduct.protocol.statute.evaluate import Judgement, evaluate
from safeconduct.protocol.statute.facts import read_facts
from safeconduct.protocol.statute.govern import Days, fitting, govern, governing, series
from safeconduct.protocol.statute.load import read_statute, resolve_previous
from safeconduct.protocol.statute.steps import StepState, owed_steps
from safeconduct.protocol.statute.text import Statute, with_struck
from safeconduct.protocol.statute.whom import for_whom

LAWS = Path(__file__).parents[2] / "statutes"
LENIENCY = "european-union/leniency-2006"
WHISTLEBLOWER = "european-union/whistleblower-2019"
UNITED_STATES = "united-states/leniency-2022"
CZECHIA = "czechia/lustration-1991"
HOUR_SECONDS, DAY_SECONDS = 3_600, 86_400


@cache
def versions(law: str) -> tuple[Statute, ...]:
    found: list[Statute] = []
    for file in sorted((LAWS / law).glob("*.yaml")):
        document = parse_authored(file.read_bytes(), file.name)
        found.append(read_statute(resolve_previous(document, found[-1] if found else None)))
    return series(found)


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp())


def judged(statute: Statute, facts: Json, as_of: str) -> Judgement:
    document, _ = fitting(facts, statute)
    read = read_facts(document, statute.facts, calendar=statute.calendar)
    return evaluate(statute, read, at(as_of))


# Leniency: who is first, and by which day.

FIRST = at("2008-01-10T09:00:00+01:00")
EVIDENCE: dict[str, Json] = {
    "enables_inspection": True,
    "enables_finding": False,
    "added_value": True,
}


def cartel(*applications: dict[str, Json]) -> Json:
    return {
        "facts": {
            "objections_issued": "absent",
            "cooperates": True,
            "decision_adopted": "absent",
        },
        "lists": {"applications": [{**EVIDENCE, **each} for each in applications]},
    }


@pytest.mark.parametrize(
    ("version", "outcome"), [(1, "reduction_second"), (2, "immunity_inspection")]
)
def test_a_marker_counts_from_its_grant_by_the_notice_and_from_its_request_by_the_directive(
    version: int, outcome: str
) -> None:
    asked = at("2021-06-01T09:00:00+01:00")
    facts = cartel(
        {"own": False, "received": asked + DAY_SECONDS},
        {
            "own": True,
            "marker_asked": asked,
            "marker_granted": asked + 2 * DAY_SECONDS,
            "marker_due": asked + 30 * DAY_SECONDS,
            "received": asked + 20 * DAY_SECONDS,
        },
    )
    statute = versions(LENIENCY)[version - 1]
    assert judged(statute, facts, "2022-01-01T00:00:00+01:00").outcome == outcome


@given(st.integers(-40 * DAY_SECONDS, 40 * DAY_SECONDS))
@settings(max_examples=60, deadline=None)
def test_a_marker_is_kept_to_its_last_second_and_not_a_second_longer(late: int) -> None:
    due = FIRST + 60 * DAY_SECONDS
    facts = cartel(
        {"own": False, "received": FIRST},
        {
            "own": True,
            "marker_granted": FIRST - 1,
            "marker_due": due,
            "received": due + late,
        },
    )
    found = judged(versions(LENIENCY)[0], facts, "2009-01-01T00:00:00+01:00")
    assert found.outcome == ("immunity_inspection" if late <= 0 else "reduction_second")


def test_places_go_to_those_who_qualify_and_bands_follow_the_place() -> None:
    notice = versions(LENIENCY)[0]
    plain: dict[str, Json] = {"enables_inspection": False, "enables_finding": False}
    bands = []
    for before in range(5):
        others: list[dict[str, Json]] = [
            {"own": False, "received": FIRST + n, **plain} for n in range(before)
        ]
        useless: dict[str, Json] = {
            "own": False,
            "received": FIRST - 1,
            **plain,
            "added_value": False,
        }
        own: dict[str, Json] = {"own": True, "received": FIRST + HOUR_SECONDS, **plain}
        found = judged(notice, cartel(*others, useless, own), "2009-01-01T00:00:00+01:00")
        assert found.amount is not None
        bands.append((found.amount.least, found.amount.most))
    assert bands == [(30, 50), (20, 30), (0, 20), (0, 20), (0, 20)]


def test_two_applications_of_the_same_second_are_both_first() -> None:
    facts = cartel({"own": False, "received": FIRST}, {"own": True, "received": FIRST})
    found = judged(versions(LENIENCY)[0], facts, "2009-01-01T00:00:00+01:00")
    assert found.outcome == "immunity_inspection"


def test_a_doubt_about_a_rival_is_not_settled_for_the_one_who_profits() -> None:
    """Nobody said that the rival coerced or destroyed anything, so it keeps its place."""
    facts = cartel({"own": False, "received": FIRST - 1}, {"own": True, "received": FIRST})
    found = judged(versions(LENIENCY)[0], facts, "2009-01-01T00:00:00+01:00")
    assert found.outcome == "reduction_second"


# The United States: what 2022 added.


def test_the_policy_of_2022_asks_more_of_corporations_and_the_same_of_individuals() -> None:
    before, now = versions(UNITED_STATES)
    changed = {each.name for each in for_whom(before, now)}
    assert "version 1, “a corporation that reports what nobody knew of”" in changed
    assert not [name for name in changed if "an individual who" in name]


# The lustration act: an end that moved, and a ground that was struck.

CANDIDATE: Json = {
    "facts": {
        "certificate_delivered": "1992-02-20",
        "declaration": "given",
        "born": "1950-05-05",
    },
    "lists": {
        "records": [
            {
                "category": "candidate",
                "kept": {"begin": "1983-01-15", "end": "1987"},
                "knew": True,
                "passed": True,
            }
        ]
    },
}


@pytest.mark.parametrize(
    ("decision", "version", "outcome"),
    [
        ("1992-12-13T23:59:59+01:00", 1, "may_not_hold_office"),
        ("1992-12-14T00:00:00+01:00", 2, "may_hold_office"),
        ("1996-06-01T00:00:00+01:00", 3, "may_hold_office"),
        ("1997-01-01T00:00:00+01:00", 3, "may_hold_office"),
        ("2002-06-01T00:00:00+01:00", 4, "may_hold_office"),
    ],
)
def test_a_candidate_on_file_is_judged_by_the_day_of_decision(
    decision: str, version: int, outcome: str
) -> None:
    days = Days(act=None, claim=at("1992-03-01T00:00:00+01:00"), decision=at(decision))
    found = govern(versions(CZECHIA), CANDIDATE, days)
    assert (found.statute.version.number, found.judgement.outcome) == (version, outcome)


def test_the_first_version_without_its_struck_ground_bars_no_candidate() -> None:
    """Consolidated texts showed the ground for years after it was gone."""
    first, second = versions(CZECHIA)[:2]
    (annulment,) = second.version.annuls
    shown = judged(first, CANDIDATE, "1994-06-01T00:00:00+01:00")
    struck = with_struck(first, set(annulment.sections))
    assert shown.outcome == "may_not_hold_office"
    assert judged(struck, CANDIDATE, "1994-06-01T00:00:00+01:00").outcome == "may_hold_office"


def test_without_the_amendments_the_act_would_have_ended_with_1996_and_with_2000() -> None:
    laws = versions(CZECHIA)
    for known, last in ((2, "1996-12-31T23:59:59+01:00"), (3, "2000-12-31T23:59:59+01:00")):
        assert governing(laws[:known], at(last)) is laws[known - 1]
        with pytest.raises(RefusedError):
            governing(laws[:known], at(last) + 1)
        assert governing(laws, at(last) + 1) is not laws[known - 1] or known == 2


def test_the_court_freed_candidates_and_moving_the_end_freed_nobody() -> None:
    laws = versions(CZECHIA)[:3]
    changed = [{each.name for each in for_whom(before, now)} for before, now in pairwise(laws)]
    assert changed[0] == {"version 1, “a candidate who knew and passed things on”"}
    assert changed[1] == set()


def test_nothing_of_the_lustration_act_is_published_without_consent() -> None:
    for law in versions(CZECHIA):
        assert {each.publish for each in (*law.outcomes, law.default)} == {"with_consent"}


# Whistleblowers: a deadline counted from a deadline that was missed.


def owed(facts: dict[str, Json], as_of: str) -> dict[str, StepState]:
    (law,) = versions(WHISTLEBLOWER)
    read = read_facts({"facts": facts}, law.facts, calendar=law.calendar)
    return {each.name: each for each in owed_steps(law, read, at(as_of))}


@pytest.mark.parametrize(
    ("acknowledged", "due"),
    [
        ("2022-03-01T10:00:00+01:00", "2022-06-01T23:59:59+01:00"),
        ("2022-03-08T23:59:59+01:00", "2022-06-08T23:59:59+01:00"),
        ("2022-03-09T00:00:00+01:00", "2022-06-08T23:59:59+01:00"),
        ("2022-05-31T10:00:00+01:00", "2022-06-08T23:59:59+01:00"),
        ("absent", "2022-06-08T23:59:59+01:00"),
        (None, "2022-06-08T23:59:59+01:00"),
    ],
)
def test_feedback_is_due_three_months_from_the_acknowledgement_or_from_when_it_was_due(
    acknowledged: str | None, due: str
) -> None:
    facts: dict[str, Json] = {"internal_received": "2022-03-01T10:00:00+01:00"}
    if acknowledged is not None:
        facts["internal_acknowledged"] = acknowledged
    last = at(due)
    on_time = owed(facts | {"internal_feedback": last}, "2022-12-01T00:00:00+01:00")
    too_late = owed(facts | {"internal_feedback": last + 1}, "2022-12-01T00:00:00+01:00")
    assert on_time["internal_feedback"].due_at == last
    assert on_time["internal_feedback"].state == "met"
    assert (too_late["internal_feedback"].state, too_late["internal_feedback"].breached_by) == (
        "late",
        1,
    )


def test_a_month_without_that_day_ends_with_its_last() -> None:
    facts: dict[str, Json] = {
        "internal_received": "2022-11-28T10:00:00+01:00",
        "internal_acknowledged": "2022-11-30T10:00:00+01:00",
    }
    found = owed(facts, "2023-01-01T00:00:00+01:00")
    assert found["internal_feedback"].due_at == at("2023-02-28T23:59:59+01:00")


def test_nothing_is_owed_on_a_report_that_nobody_made() -> None:
    found = owed({"internal_received": "absent"}, "2023-01-01T00:00:00+01:00")
    assert {each.state for each in found.values()} == {"not_begun"}
