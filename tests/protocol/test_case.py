"""Cases: what may happen after what, and nothing else."""

import pytest

from safeconduct.errors import RefusedError
from safeconduct.protocol.case import STEPS, Event, fold_case, next_state

KINDS = tuple(dict.fromkeys(kind for _, kind in STEPS))
STATES = tuple(dict.fromkeys(["new", *STEPS.values()]))


def events(*kinds: str) -> list[Event]:
    return [Event(kind=kind, at=at, data=b"%d" % at) for at, kind in enumerate(kinds)]


APPEALED = ("filed", "proposed", "decided", "appealed", "appeal_proposed")

STORIES = {
    "nothing yet": ((), "new"),
    "a claim": (("filed",), "filed"),
    "a proposal": (("filed", "proposed"), "proposed"),
    "a second proposal on new evidence": (("filed", "proposed", "proposed"), "proposed"),
    "a decision": (("filed", "proposed", "decided"), "decided"),
    "a credit redeemed": (("filed", "proposed", "decided", "redeemed"), "decided"),
    "a credit redeemed late": (
        ("filed", "proposed", "decided", "final", "redeemed", "published"),
        "published",
    ),
    "an appeal after a credit was redeemed": (
        ("filed", "proposed", "decided", "redeemed", "appealed"),
        "suspended",
    ),
    "an appeal": (("filed", "proposed", "decided", "appealed"), "suspended"),
    "an appeal dated in time that came late": (
        ("filed", "proposed", "decided", "final", "appealed"),
        "suspended",
    ),
    "no appeal": (("filed", "proposed", "decided", "final"), "final"),
    "a publication": (("filed", "proposed", "decided", "final", "published"), "published"),
    "a person told what is open": (("filed", "asked", "proposed", "asked"), "proposed"),
    "a claim decided with another": (("filed", "proposed", "joined"), "joined"),
    "an appeal upheld": ((*APPEALED, "appeal_decided", "final", "published"), "published"),
    "an appeal that made it fall": ((*APPEALED, "appeal_decided", "quashed"), "quashed"),
    "a case sent back": ((*APPEALED, "appeal_decided", "remitted"), "remitted"),
    "a case sent back and decided again": (
        (*APPEALED, "appeal_decided", "remitted", "proposed", "decided", "appealed"),
        "suspended",
    ),
}


@pytest.mark.parametrize(("kinds", "state"), STORIES.values(), ids=STORIES)
def test_a_case_is_what_its_events_make_it(kinds: tuple[str, ...], state: str) -> None:
    assert fold_case(events(*kinds)).state == state


def test_the_newest_event_of_each_kind_counts() -> None:
    case = fold_case(events("filed", "proposed", "proposed"))
    assert case.latest["proposed"].at == 2
    assert set(case.latest) == {"filed", "proposed"}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("state", STATES)
def test_every_other_step_is_refused(state: str, kind: str) -> None:
    if (state, kind) in STEPS:
        assert next_state(state, kind) in STATES
    else:
        with pytest.raises(RefusedError, match=f"{state} cannot be {kind}"):
            next_state(state, kind)


def test_nothing_is_published_before_it_is_final() -> None:
    before = [state for state in STATES if (state, "published") in STEPS]
    assert before == ["final"]
    final = {state for state in STATES if (state, "final") in STEPS}
    assert final == {"appeal_decided", "decided"}


def test_an_appeal_suspends_all_but_its_own_decision() -> None:
    steps = {step[1] for step in STEPS if step[0] == "suspended"}
    assert steps == {"appeal_proposed", "appeal_decided"}


def test_of_a_case_that_was_sent_back_only_the_filing_counts() -> None:
    case = fold_case(events(*APPEALED, "appeal_decided", "remitted"))
    assert set(case.latest) == {"filed", "remitted"}
    again = fold_case(events(*APPEALED, "appeal_decided", "remitted", "proposed", "decided"))
    assert set(again.latest) == {"filed", "remitted", "proposed", "decided"}


def test_what_ended_says_why_nothing_more_happens() -> None:
    with pytest.raises(RefusedError) as caught:
        next_state("joined", "proposed")
    assert caught.value.hint == "it is decided with another"


def test_a_refusal_says_what_may_happen_instead() -> None:
    with pytest.raises(RefusedError) as caught:
        next_state("decided", "published")
    assert caught.value.hint == "what may happen now: appealed, final, redeemed"
