"""Cases: what may happen after what, and nothing else."""

import pytest

from safeconduct.errors import RefusedError
from safeconduct.protocol.case import STEPS, Event, fold_case, next_state

KINDS = ("filed", "proposed", "decided", "redeemed", "appealed", "final", "published")
STATES = ("new", "filed", "proposed", "decided", "suspended", "final", "published")


def events(*kinds: str) -> list[Event]:
    return [Event(kind=kind, at=at, data=b"%d" % at) for at, kind in enumerate(kinds)]


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
    assert [state for state in STATES if (state, "final") in STEPS] == ["decided"]


def test_an_appeal_suspends_everything() -> None:
    assert not [step for step in STEPS if step[0] == "suspended"]


def test_a_refusal_says_what_may_happen_instead() -> None:
    with pytest.raises(RefusedError) as caught:
        next_state("decided", "published")
    assert caught.value.hint == "what may happen now: appealed, final, redeemed"
