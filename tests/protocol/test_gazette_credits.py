"""The Gazette's entries on credits: one key for each group, and counts that only grow."""

from collections.abc import Callable

import pytest
from tests.protocol import credited
from tests.protocol.builders import by_board, gazette_entries, statute_act

from safeconduct.errors import MalformedError, UnverifiedError
from safeconduct.protocol.blind import format_public_key
from safeconduct.protocol.gazette import fold, fold_all
from safeconduct.protocol.record import Record, Value

BLIND = credited.state("blind")
OTHER_KEY = format_public_key(credited.issuing_key(1))


def issuing(**changes: Value) -> Record:
    fields: dict[str, Value] = {"number": 2, "class": "corroborated", "key": OTHER_KEY}
    return credited.issuing_key_act(BLIND, **fields | changes)


def counted(**changes: Value) -> Record:
    return credited.credit_count_act(BLIND, **changes)


def test_a_group_has_one_key_and_a_key_one_group() -> None:
    assert BLIND.issuing_key(credited.group("blind")).key == credited.issuing_key()
    with pytest.raises(UnverifiedError, match="no key for these credits"):
        BLIND.issuing_key(credited.group("blind", "corroborated"))
    state = fold(BLIND, by_board(issuing()))
    found = state.issuing_key(credited.group("blind", "corroborated"))
    assert found.key == credited.issuing_key(1)


ISSUING_REFUSED: dict[str, tuple[Callable[[], Record], str]] = {
    "a second key for a group": (lambda: issuing(**{"class": "useful"}), "group has a key"),
    "one key for two groups": (
        lambda: issuing(key=format_public_key(credited.issuing_key())),
        "the key a group",
    ),
    "a key out of sequence": (lambda: issuing(number=3), "number 2 is due"),
    "a key for a class without credits": (
        lambda: issuing(**{"class": "worthless"}),
        "no credits of this class",
    ),
    "a key for a period before the first": (lambda: issuing(period=0), "no such period"),
    "a key for a period after the last": (lambda: issuing(period=2), "no such period"),
    "a key under a law that never was": (lambda: issuing(statute=bytes(32)), "never published"),
    "a key that is none": (lambda: issuing(key="age1archive"), "issuing key"),
    "a count out of sequence": (lambda: counted(number=2), "number 1 is due"),
    "a count of a class without credits": (
        lambda: counted(**{"class": "false"}),
        "no credits of this class",
    ),
    "a count of a period without credits": (lambda: counted(period=2), "no such period"),
}


@pytest.mark.parametrize(("act", "reason"), ISSUING_REFUSED.values(), ids=ISSUING_REFUSED)
def test_the_board_cannot_enter_about_credits(act: Callable[[], Record], reason: str) -> None:
    with pytest.raises((MalformedError, UnverifiedError), match=reason):
        fold(BLIND, by_board(act()))


def test_plain_credits_have_no_issuing_key() -> None:
    with pytest.raises(MalformedError, match="not blind"):
        fold(credited.state(), by_board(credited.issuing_key_act(credited.state())))


def test_blind_credits_with_a_small_crowd_are_no_law() -> None:
    law = credited.credited_law().replace(b'"scheme":"plain"', b'"scheme":"blind"')
    with pytest.raises(MalformedError, match="hide nobody"):
        fold(fold_all(gazette_entries()[:1]), by_board(statute_act(law=law)))


def test_counts_of_credits_only_grow_group_by_group() -> None:
    group = credited.group("blind")
    assert (BLIND.credit_count(group).issued, BLIND.credit_count(group).redeemed) == (0, 0)
    state = fold(BLIND, by_board(counted(issued=20, redeemed=3)))
    other = counted(number=2, issued=1, **{"class": "corroborated"})
    state = fold(state, by_board(other))
    assert (state.credit_count(group).issued, state.credit_count(group).redeemed) == (20, 3)
    for fewer in ({"issued": 19, "redeemed": 3}, {"issued": 30, "redeemed": 2}):
        with pytest.raises(MalformedError, match="less than was counted before"):
            fold(state, by_board(counted(number=3, **fewer)))


def test_more_redeemed_than_issued_is_taken_because_it_must_show() -> None:
    state = fold(BLIND, by_board(counted(issued=1, redeemed=2)))
    assert state.credit_count(credited.group("blind")).redeemed == 2
