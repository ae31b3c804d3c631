"""Votes on a listing, by themselves: what carries a decision, and which body it was."""

from dataclasses import replace

import pytest
from tests.parties.registry.appealing import PANEL
from tests.protocol import builders

from safeconduct.errors import UnverifiedError
from safeconduct.protocol.gazette import Roster
from safeconduct.protocol.listing.voting import (
    check_carried,
    deciders,
    verify_bench,
    voted_on,
)
from safeconduct.protocol.record import NO_HASH, Record, make_record, sign_record
from safeconduct.protocol.statute.load import load_statute
from safeconduct.protocol.statute.text import Procedure
from safeconduct.protocol.tlog.note import SigningKey
from safeconduct.protocol.votes import Vote, votes_document, votes_hash

NOTICE, REPLY, APPEAL = (bytes([number]) * 32 for number in (1, 2, 3))
NAMES = tuple(key.name for key in builders.MEMBERS)
BOARD = builders.gazette_state().roster
SEATED = replace(BOARD, members=builders.verifiers(PANEL))
PROCEDURE: Procedure = load_statute(builders.law()).procedure


def record(votes: bytes = NO_HASH, appeal: bytes = NO_HASH, result: str = "first") -> Record:
    return make_record(
        "listing-decision",
        programme=builders.PROGRAMME,
        number=1,
        statute=bytes(32),
        subject="r-0001",
        listing=bytes(32),
        notice=NOTICE,
        reply=REPLY,
        outcome="registered",
        reasons=bytes(32),
        votes=votes,
        appeal=appeal,
        result=result,
    )


def cast(*agreeing: str, on: bytes = voted_on(NOTICE, REPLY)) -> bytes:
    votes = [Vote(member=name, vote="agree", outcome="registered") for name in agreeing]
    return votes_document(on, NAMES, votes)


@pytest.mark.parametrize(("quorum", "votes"), [(3, 0), (1, 3)])
def test_without_votes_as_many_sign_as_the_law_wants_to_vote(quorum: int, votes: int) -> None:
    wanted = replace(PROCEDURE, decide_quorum=quorum, votes=votes)
    assert check_carried(record(), None, BOARD, NAMES, wanted) is None
    with pytest.raises(UnverifiedError, match="signed by 2, the statute asks for 3"):
        check_carried(record(), None, BOARD, NAMES[:2], wanted)


@pytest.mark.parametrize(("quorum", "votes"), [(3, 0), (1, 3)])
def test_with_votes_as_many_are_for_it_as_the_law_wants(quorum: int, votes: int) -> None:
    wanted = replace(PROCEDURE, decide_quorum=quorum, votes=votes)
    few, all_ = cast(*NAMES[:2]), cast(*NAMES)
    made = record(votes_hash(all_))
    assert check_carried(made, all_, BOARD, NAMES[:2], wanted) is not None
    with pytest.raises(UnverifiedError, match="2 for registered, and 3 are needed"):
        check_carried(record(votes_hash(few)), few, BOARD, NAMES[:2], wanted)


def test_a_board_smaller_than_the_law_wants_decides_nothing_by_votes() -> None:
    votes, wanted = cast(*NAMES), replace(PROCEDURE, members=5)
    with pytest.raises(UnverifiedError, match="3 members decide, the statute asks for 5"):
        check_carried(record(votes_hash(votes)), votes, BOARD, NAMES, wanted)


def test_of_a_panel_its_own_threshold_counts_whatever_the_law_wants_of_a_board() -> None:
    wanted = replace(PROCEDURE, members=9, votes=9, decide_quorum=9)
    names = [key.name for key in PANEL]
    agree = [Vote(member=name, vote="agree", outcome="uphold") for name in names[:2]]
    votes = votes_document(voted_on(NOTICE, REPLY, APPEAL), names, agree)
    made = record(votes_hash(votes), APPEAL, "uphold")
    counted = check_carried(made, votes, SEATED, names[:2], wanted)
    assert counted is not None
    assert counted.absent == (names[2],)


def test_votes_count_for_one_notice_one_reply_and_one_appeal() -> None:
    ons = {
        voted_on(NOTICE, REPLY),
        voted_on(REPLY, NOTICE),
        voted_on(NOTICE, NO_HASH),
        voted_on(NOTICE, REPLY, APPEAL),
    }
    assert len(ons) == 4
    votes = cast(*NAMES, on=voted_on(NOTICE, NO_HASH))
    with pytest.raises(UnverifiedError, match="cast on another judgement"):
        check_carried(record(votes_hash(votes)), votes, BOARD, NAMES, PROCEDURE)


def test_the_body_is_the_newest_that_signed_or_the_one_that_voted() -> None:
    anna, boris, clara = builders.MEMBERS
    later = roster(1, (boris, clara, builders.STRANGER))
    signed = sign_record(record(), (boris, clara))
    unvoted, _ = verify_bench(signed, (BOARD, later), None, "board")
    voted, signers = verify_bench(signed, (BOARD, later), cast(*NAMES), "board")
    assert (unvoted.number, voted.number) == (1, 0)
    assert signers == (boris.name, clara.name)
    with pytest.raises(UnverifiedError, match="not of the members of the board"):
        verify_bench(signed, (later,), cast(*NAMES), "board")
    with pytest.raises(UnverifiedError, match="names no appeal panel"):
        verify_bench(signed, (), None, "appeal panel")
    assert deciders(signed, None) == {boris.name, clara.name}
    assert deciders(signed, cast(anna.name)) == set(NAMES)


def roster(number: int, keys: tuple[SigningKey, ...]) -> Roster:
    return replace(BOARD, number=number, members=builders.verifiers(keys))
