"""Witnesses that lie about dates, and those who carry notes and choose among the lines."""

from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.protocol.tlog.sample_log import (
    LOG_VKEY,
    NOON,
    TWO_SIDES,
    VKEYS,
    cosigned,
)

from safeconduct.errors import UnverifiedError
from safeconduct.protocol.tlog.note import format_note
from safeconduct.protocol.tlog.policy import Cosigned, open_checkpoint, parse_policy

YEAR_SECONDS = 365 * 86_400
TWO_OF_THREE = parse_policy(
    "".join(
        [
            f"log {LOG_VKEY}\n",
            *(f"witness {name} {VKEYS[name]}\n" for name in ("W1", "W2", "W3")),
            "group two 2 W1 W2 W3\nquorum two\n",
        ]
    ).encode()
)


def opened(times: dict[str, int]) -> Cosigned:
    return open_checkpoint(format_note(cosigned(times)), TWO_OF_THREE)


def test_one_witness_cannot_make_an_old_tree_look_fresh() -> None:
    """It dates today, or in a hundred years, what the honest ones have dated long ago."""
    for lie in (NOON + YEAR_SECONDS, NOON + 100 * YEAR_SECONDS):
        found = opened({"W1": NOON, "W2": lie})
        assert found.logged_by == lie  # which is why nothing is fresh by this time
        assert found.vouched_at == NOON


def test_a_tree_is_vouched_for_as_late_as_a_quorum_says() -> None:
    assert opened({"W1": NOON, "W2": NOON + 5, "W3": NOON + 9}).vouched_at == NOON + 5
    assert opened({"W1": NOON, "W2": NOON}).vouched_at == NOON


@settings(max_examples=25, deadline=None)
@given(
    honest=st.lists(st.integers(1, 1_000), min_size=1, max_size=2),
    lie=st.integers(1, 2**63 - 1),
)
def test_leaving_out_lines_or_one_lie_never_makes_a_tree_fresher(
    honest: list[int], lie: int
) -> None:
    times = dict(zip(("W1", "W2"), honest, strict=False)) | {"W3": lie}
    for count in (2, 3):
        for names in combinations(times, count):
            if len(names) <= len(times):
                assert opened({name: times[name] for name in names}).vouched_at <= max(honest)


def test_both_sides_of_a_policy_must_vouch() -> None:
    policy = parse_policy(TWO_SIDES.encode())
    times = {"W1": NOON, "W2": NOON + 60, "W3": NOON + 70, "W4": NOON + 10, "W5": NOON + 20}
    found = open_checkpoint(format_note(cosigned(times)), policy)
    assert (found.logged_by, found.vouched_at) == (NOON + 60, NOON + 20)


def test_without_a_quorum_nothing_is_vouched_for() -> None:
    with pytest.raises(UnverifiedError, match="do not reach"):
        opened({"W3": NOON})
