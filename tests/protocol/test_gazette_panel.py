"""Appeal panels in the Gazette: apart from every board, before and after."""

from collections.abc import Callable

import pytest
from tests.parties.registry.appealing import PANEL, panel_act
from tests.protocol.builders import MEMBERS, PROGRAMME, by_board, gazette_state, verifiers
from tests.protocol.builders import signing_key as key_of

from safeconduct.errors import MalformedError, UnverifiedError
from safeconduct.protocol.gazette import GazetteState, fold
from safeconduct.protocol.record import Record, make_record, sign_record
from safeconduct.protocol.tlog.note import SigningKey

STATE = gazette_state()


def with_panel() -> GazetteState:
    return fold(STATE, by_board(panel_act()))


def roster_act(state: GazetteState, members: tuple[SigningKey, ...]) -> Record:
    return make_record(
        "roster",
        programme=PROGRAMME,
        number=len(state.rosters),
        previous=state.roster.hash,
        threshold=2,
        members=verifiers(members),
    )


def test_a_board_sets_up_a_panel_and_replaces_it() -> None:
    assert STATE.panel is None
    first = with_panel()
    assert first.panel is not None
    assert first.panel.members == verifiers(PANEL)
    newer = tuple(key_of(f"panel.example/new-{place}") for place in range(3))
    second = fold(first, by_board(panel_act(newer, number=2, previous=first.panel.hash)))
    assert [panel.number for panel in second.panels] == [1, 2]
    assert second.panel is not None
    assert second.panel.members == verifiers(newer)


def renamed(key: SigningKey, name: str) -> SigningKey:
    return SigningKey(name=name, seed=key.seed)


WRONG: dict[str, tuple[Callable[[], Record], str]] = {
    "with a member of the board": (
        lambda: panel_act((*PANEL[:2], MEMBERS[0])),
        "cannot be of the board and of an appeal panel",
    ),
    "with a board member's key under another name": (
        lambda: panel_act((*PANEL[:2], renamed(MEMBERS[0], "panel.example/other"))),
        "cannot be of the board and of an appeal panel",
    ),
    "with a board member's name": (
        lambda: panel_act((*PANEL[:2], renamed(PANEL[2], MEMBERS[0].name))),
        "cannot be of the board and of an appeal panel",
    ),
    "without a majority": (lambda: panel_act(threshold=1), "more than half"),
    "of too few": (lambda: panel_act(threshold=4), "between 1 and"),
    "out of sequence": (lambda: panel_act(number=2), "number 1 is due"),
    "that follows another": (lambda: panel_act(previous=bytes([1]) * 32), "the one before it"),
}


@pytest.mark.parametrize(("make", "reason"), WRONG.values(), ids=WRONG)
def test_no_panel_is_taken(make: Callable[[], Record], reason: str) -> None:
    with pytest.raises(MalformedError, match=reason):
        fold(STATE, by_board(make()))


def test_a_panel_does_not_set_up_itself() -> None:
    with pytest.raises(UnverifiedError, match="no say here"):
        fold(STATE, sign_record(panel_act(), PANEL[:2]))


def test_no_later_board_takes_one_of_a_panel() -> None:
    state = with_panel()
    with pytest.raises(MalformedError, match="cannot be of the board"):
        fold(state, by_board(roster_act(state, (*MEMBERS[:2], PANEL[0]))))
    fold(state, by_board(roster_act(state, MEMBERS[:2])))


def test_a_panel_takes_nobody_who_ever_was_of_the_board() -> None:
    newer = tuple(key_of(f"board.example/new-{place}") for place in range(3))
    state = fold(STATE, by_board(roster_act(STATE, newer)))
    act = panel_act((*PANEL[:2], MEMBERS[0]))
    with pytest.raises(MalformedError, match="cannot be of the board"):
        fold(state, sign_record(act, newer[:2]))
