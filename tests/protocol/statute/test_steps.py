"""What is owed in time: begun or not, open, met, late, breached; extensions; unsealing."""

from typing import Any

import pytest
from tests.protocol.statute.wide import AS_OF, DAY, FACTS, PARAMETERS, parameter, wide_document

from safeconduct.errors import MalformedError
from safeconduct.protocol.statute import Statute, evaluate, read_facts, read_statute
from safeconduct.protocol.statute.explain import reasons
from safeconduct.protocol.statute.facts import Interval, Missing
from safeconduct.protocol.statute.steps import STATES, StepState, owed_steps, unsealed_at

SEEN: set[str] = set()


def document(owed_by: str = "desk", done_at_end: str = "body_bears", more: Any = None) -> Any:
    """A law by which, within a day of t, the desk does v; within three if x."""
    law = wide_document(
        {"is": ["y", True]},
        facts=FACTS | {"v": FACTS["v"] | {"unknown_at_end": done_at_end}},
        parameters=PARAMETERS | {"longer": parameter("duration", amount=3, unit="days")},
    )
    law["sections"].append(
        {"number": "2", "text": {"en": "2"}, "rule": "hard", "if": {"is": ["x", True]}}
    )
    law["procedure"]["steps"] = [
        {
            "name": "acknowledge",
            "text": {"en": "The desk acknowledges."},
            "section": "2",
            "owed_by": owed_by,
            "from": "t",
            "within": "term",
            "done": "v",
            "extended": "hard",
            "extension": "longer",
        }
        | (more or {})
    ]
    return law


def step(law: Any, facts: Any, as_of: int) -> StepState:
    statute: Statute = read_statute(law)
    given = read_facts(
        {"facts": {"x": False} | facts}, statute.facts, calendar=statute.calendar
    )
    (found,) = owed_steps(statute, given, as_of)
    SEEN.add(found.state)
    return found


T = 100 * DAY
# The facts, the day it is asked on; the state, from when to when it is due, seconds over.
STEPS: dict[str, tuple[Any, int, str, int | None, int | None, int | None]] = {
    "nothing has happened": ({"t": "absent"}, T, "not_begun", None, None, None),
    "nobody knows whether": ({"t": "unknown"}, T, "unknown", None, None, None),
    "it lies ahead": ({"t": T}, T - 1, "not_begun", T + DAY, T + DAY, None),
    "in its last second": ({"t": T}, T + DAY, "open", T + DAY, T + DAY, None),
    "a second later": ({"t": T}, T + DAY + 1, "breached", T + DAY, T + DAY, 1),
    "known not to be done": (
        {"t": T, "v": "absent"},
        T + 2 * DAY,
        "breached",
        T + DAY,
        T + DAY,
        DAY,
    ),
    "done in the last second": (
        {"t": T, "v": T + DAY},
        T + 9 * DAY,
        "met",
        T + DAY,
        T + DAY,
        None,
    ),
    "done a second late": (
        {"t": T, "v": T + DAY + 1},
        T + 9 * DAY,
        "late",
        T + DAY,
        T + DAY,
        1,
    ),
    "done, perhaps late": (
        {"t": T, "v": [T, T + DAY + 1]},
        T + 9 * DAY,
        "unknown",
        T + DAY,
        T + DAY,
        None,
    ),
    "still being found out, in time": (
        {"t": T, "v": "unknown"},
        T + 1,
        "open",
        T + DAY,
        T + DAY,
        None,
    ),
    "still being found out, too late": (
        {"t": T, "v": "unknown"},
        T + 2 * DAY,
        "unknown",
        T + DAY,
        T + DAY,
        None,
    ),
    "extended": ({"t": T, "x": True}, T + 2 * DAY, "open", T + 3 * DAY, T + 3 * DAY, None),
    "extended, and over": (
        {"t": T, "x": True},
        T + 4 * DAY,
        "breached",
        T + 3 * DAY,
        T + 3 * DAY,
        DAY,
    ),
    "perhaps extended": (
        {"t": T, "x": "unknown"},
        T + 2 * DAY,
        "unknown",
        T + DAY,
        T + 3 * DAY,
        None,
    ),
    "perhaps extended, and over either way": (
        {"t": T, "x": "unknown"},
        T + 3 * DAY + 5,
        "breached",
        T + DAY,
        T + 3 * DAY,
        5,
    ),
    "begun on some second of a day": (
        {"t": [T, T + DAY - 1]},
        T + DAY,
        "open",
        T + DAY,
        T + 2 * DAY - 1,
        None,
    ),
    "begun on some second of a day, perhaps over": (
        {"t": [T, T + DAY - 1]},
        T + DAY + 1,
        "unknown",
        T + DAY,
        T + 2 * DAY - 1,
        None,
    ),
    "begun nobody knows how long ago": ({"t": [None, T]}, T, "unknown", None, T + DAY, None),
}


@pytest.mark.parametrize("name", STEPS)
def test_a_step(name: str) -> None:
    facts, as_of, state, due_at, latest_due_at, over = STEPS[name]
    found = step(document(), facts, as_of)
    assert (found.state, found.due_at, found.latest_due_at, found.breached_by) == (
        state,
        due_at,
        latest_due_at,
        over,
    )
    assert (found.name, found.owed_by, found.section) == ("acknowledge", "desk", "2")


def test_every_state_is_one_of_those_that_there_are() -> None:
    for facts, as_of, state, *_ in STEPS.values():
        assert step(document(), facts, as_of).state == state
    assert step(document(more={"owed_when": "hard"}), {"t": T}, T).state == "not_owed"
    assert set(STATES) == SEEN


# x and the state without it; then how a step stands that is owed only if x.
OWED: dict[str, tuple[Any, Any, int, str, int | None]] = {
    "not owed, though it would be over": (False, {}, T + 9 * DAY, "not_owed", None),
    "not owed, though nothing began": (False, {"t": "absent"}, T, "not_owed", None),
    "owed, and over": (True, {}, T + DAY + 1, "breached", T + DAY),
    "perhaps owed, and over": ("unknown", {}, T + DAY + 1, "unknown", T + DAY),
    "perhaps owed, and in time": ("unknown", {}, T + 1, "unknown", T + DAY),
    "perhaps owed, and done": ("unknown", {"v": T + 1}, T + 9 * DAY, "met", T + DAY),
    "perhaps owed, not begun": ("unknown", {"t": "absent"}, T, "not_begun", None),
}


@pytest.mark.parametrize("name", OWED)
def test_a_step_that_is_owed_only_under_a_rule(name: str) -> None:
    x, facts, as_of, state, due_at = OWED[name]
    law = document(more={"owed_when": "hard"})
    for key in ("extended", "extension"):
        law["procedure"]["steps"][0].pop(key)
    found = step(law, {"t": T, "x": x} | facts, as_of)
    assert (found.state, found.due_at) == (state, due_at)
    assert [(proof.section, proof.name) for proof in found.proofs] == [("2", "hard")]


def test_the_letter_says_that_a_step_is_not_owed_and_by_which_section() -> None:
    statute = read_statute(document(more={"owed_when": "hard"}))
    given = read_facts({"facts": {"x": False, "y": True}}, statute.facts)
    judgement = evaluate(statute, given, AS_OF)
    told = reasons(statute, judgement, steps=owed_steps(statute, given, AS_OF))
    assert "owed by: desk: nothing is owed here" in told
    assert "  ✗ Section 2 does not apply: 2\n      ✗ not met — " in told


def test_a_step_is_owed_only_under_a_rule_of_the_law() -> None:
    with pytest.raises(MalformedError, match=r"procedure.steps\[0\].owed_when: must be one of"):
        read_statute(document(more={"owed_when": "soft"}))


@pytest.mark.parametrize(("owed_by", "state"), [("claimant", "met"), ("desk", "breached")])
def test_a_doubt_whether_it_was_done_helps_the_person(owed_by: str, state: str) -> None:
    law = document(owed_by, "favour_person")
    assert step(law, {"t": T}, T + 2 * DAY).state == state
    assert step(law, {"t": T}, T).state == "open"


def test_a_step_may_count_from_another_steps_missed_deadline() -> None:
    law = document(more={"from": {"add": [{"later": ["t", "u"]}, "term"]}})
    found = step(law, {"t": T, "u": "absent"}, T + DAY + 1)
    assert (found.state, found.due_at) == ("open", T + 2 * DAY)


def test_a_deadline_in_working_days_needs_the_holidays_of_its_year() -> None:
    law = document()
    law["calendar"] |= {"weekend": [6, 7], "holidays": {"1970": ["1970-04-14"]}}
    law["parameters"] = PARAMETERS | {
        "longer": parameter("duration", amount=3, unit="working_days", ends="end_of_day")
    }
    law["procedure"]["steps"][0] |= {"within": "longer"}
    found = step(law, {"t": "1970-04-10"}, T)  # a Friday; the 14th is a holiday
    assert found.latest_due_at == 106 * DAY - 3600 - 1
    with pytest.raises(MalformedError, match="the year 1971 is missing"):
        step(law, {"t": "1970-12-30"}, T)


def test_sealed_data_open_when_the_law_says() -> None:
    law = document()
    law["outcomes"][0]["unseal"] = {"later": [{"add": ["t", "term"]}, "u"]}
    statute = read_statute(law)
    outcome = statute.outcomes[0]

    def opened(facts: Any) -> Interval | Missing:
        return unsealed_at(statute, outcome, read_facts({"facts": facts}, statute.facts), T)

    assert opened({"t": T, "u": 5}) == Interval(earliest=T + DAY, latest=T + DAY)
    assert opened({"t": T}) is Missing.UNKNOWN
    assert opened({"t": "absent", "u": 5}) == Interval(earliest=5, latest=5)
    assert (
        unsealed_at(statute, statute.default, read_facts({}, statute.facts), T)
        is Missing.ABSENT
    )
