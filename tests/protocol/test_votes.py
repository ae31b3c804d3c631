"""Votes: who may vote, what carries an outcome, and what a document of them must look like."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.protocol.decided import STATUTE

from safeconduct.errors import MalformedError, UnverifiedError
from safeconduct.protocol.canonical import Json, format_json, parse_json
from safeconduct.protocol.votes import (
    VOTES_BYTES_MAX,
    Tally,
    Vote,
    check_signers,
    check_votes,
    format_votes,
    parse_votes,
    votes_document,
)

ON = bytes(range(32))
ANNA, BORIS, CLARA = "board/anna", "board/boris", "board/clara"
MEMBERS = (ANNA, BORIS, CLARA)
YIELDED, OTHER = "acquitted", "registration_stands"


def agree(member: str) -> Vote:
    return Vote(member=member, vote="agree", outcome=YIELDED)


def depart(member: str, outcome: str = OTHER) -> Vote:
    return Vote(member=member, vote="depart", outcome=outcome, reasons="I read it otherwise.")


def abstained(member: str) -> Vote:
    return Vote(member=member, vote="abstain")


def conflicted(member: str) -> Vote:
    return Vote(member=member, vote="abstain", conflict="a cousin of the claimant")


def counted(*votes: Vote, outcome: str = YIELDED, threshold: int = 2) -> Tally:
    return check_votes(
        votes_document(ON, MEMBERS, votes),
        MEMBERS,
        threshold,
        STATUTE.procedure,
        outcome,
        yielded=YIELDED,
        on=ON,
    )


def test_votes_that_carry_an_outcome_are_counted_by_name() -> None:
    found = counted(agree(ANNA), agree(BORIS), depart(CLARA))
    assert found.in_favour == (ANNA, BORIS)
    assert found.against == (CLARA,)
    assert not found.departing


def test_votes_to_depart_carry_another_outcome() -> None:
    found = counted(depart(ANNA), depart(BORIS), conflicted(CLARA), outcome=OTHER)
    assert found.departing
    assert found.conflicted == (CLARA,)


def test_who_did_not_vote_is_told_apart_from_who_abstained() -> None:
    found = counted(agree(ANNA), agree(BORIS))
    assert (found.absent, found.abstained) == ((CLARA,), ())


NOT_CARRIED: dict[str, tuple[Callable[[], object], str]] = {
    "one vote where two are needed": (lambda: counted(agree(ANNA)), "1 for acquitted, and 2"),
    "votes for another outcome": (
        lambda: counted(agree(ANNA), agree(BORIS), outcome=OTHER),
        "0 for registration_stands",
    ),
    "agreement with what the statute does not yield": (
        lambda: counted(replace(agree(ANNA), outcome=OTHER), agree(BORIS)),
        "votes agree for registration_stands",
    ),
    "a departure to what the statute yields": (
        lambda: counted(depart(ANNA, YIELDED), agree(BORIS)),
        "votes depart for acquitted",
    ),
    "a board of three where five of them must sign": (
        lambda: counted(agree(ANNA), agree(BORIS), threshold=5),
        "5 are needed",
    ),
    "a body smaller than the law's": (
        lambda: check_votes(
            votes_document(ON, MEMBERS, [agree(ANNA), agree(BORIS)]),
            MEMBERS,
            2,
            replace(STATUTE.procedure, members=5),
            YIELDED,
        ),
        "the statute asks for 5",
    ),
    "fewer votes than the law wants": (
        lambda: check_votes(
            votes_document(ON, MEMBERS, [agree(ANNA), agree(BORIS)]),
            MEMBERS,
            2,
            replace(STATUTE.procedure, votes=3),
            YIELDED,
        ),
        "3 are needed",
    ),
    "another body's members": (
        lambda: check_votes(
            votes_document(ON, MEMBERS[:2], [agree(ANNA), agree(BORIS)]),
            MEMBERS,
            2,
            STATUTE.procedure,
            YIELDED,
        ),
        "not of the members who decide",
    ),
    "votes on another judgement": (
        lambda: check_votes(
            votes_document(ON, MEMBERS, [agree(ANNA), agree(BORIS)]),
            MEMBERS,
            2,
            STATUTE.procedure,
            YIELDED,
            on=bytes(32),
        ),
        "cast on another judgement",
    ),
}


@pytest.mark.parametrize(("make", "reason"), NOT_CARRIED.values(), ids=NOT_CARRIED)
def test_what_votes_do_not_carry_is_no_outcome(make: Callable[[], object], reason: str) -> None:
    with pytest.raises(UnverifiedError, match=reason):
        make()


SIGNERS: dict[str, tuple[tuple[str, ...], str]] = {
    "with a conflict": ((ANNA, CLARA), "declared a conflict of interest, and signed"),
    "without a vote for it": ((ANNA, "board/dora"), "signed without a vote"),
}


@pytest.mark.parametrize(("signers", "reason"), SIGNERS.values(), ids=SIGNERS)
def test_nobody_signs(signers: tuple[str, ...], reason: str) -> None:
    found = counted(agree(ANNA), agree(BORIS), conflicted(CLARA))
    check_signers(found, (ANNA, BORIS))
    with pytest.raises(UnverifiedError, match=reason):
        check_signers(found, signers)


IMPOSSIBLE: dict[str, tuple[Vote, str]] = {
    "a conflict and a vote": (replace(agree(ANNA), conflict="a cousin"), "has no vote"),
    "a departure without reasons": (replace(depart(ANNA), reasons=" "), "needs reasons"),
    "an abstention for an outcome": (
        Vote(member=ANNA, vote="abstain", outcome=YIELDED),
        "names no outcome",
    ),
    "a vote for nothing": (Vote(member=ANNA, vote="agree"), "names one"),
    "another kind of vote": (replace(agree(ANNA), vote="maybe"), "a vote is one of"),
    "a stranger's vote": (agree("board/zoe"), "without being a member"),
    "reasons that turn around what is read": (
        replace(depart(ANNA), reasons="\u202eno"),
        "cannot be shown",
    ),
    "reasons of two lines": (replace(depart(ANNA), reasons="a\nb"), "cannot be shown"),
    "endless reasons": (replace(depart(ANNA), reasons="a" * 4_001), "longer than 4000"),
}


@pytest.mark.parametrize(("vote", "reason"), IMPOSSIBLE.values(), ids=IMPOSSIBLE)
def test_an_impossible_vote_is_refused(vote: Vote, reason: str) -> None:
    with pytest.raises(MalformedError, match=reason):
        votes_document(ON, MEMBERS, [vote])


def test_reasons_may_be_persian() -> None:
    text = "این را جور دیگری می\u200cخوانم."
    votes_document(ON, MEMBERS, [replace(depart(ANNA), reasons=text)])


def changed(change: Callable[[dict[str, Json]], object]) -> bytes:
    value = parse_json(votes_document(ON, MEMBERS, [agree(ANNA), agree(BORIS)]), "votes")
    assert isinstance(value, dict)
    change(value)
    return format_json(value)


def twice(value: dict[str, Json]) -> None:
    votes = value["votes"]
    assert isinstance(votes, list)
    value["votes"] = [votes[0], votes[0]]


def turned(value: dict[str, Json]) -> None:
    votes = value["votes"]
    assert isinstance(votes, list)
    value["votes"] = list(reversed(votes))


MALFORMED: dict[str, Callable[[], bytes]] = {
    "empty": lambda: b"",
    "no JSON": lambda: b"{",
    "not canonical": lambda: votes_document(ON, MEMBERS, []) + b"\n",
    "too long": lambda: b" " * (VOTES_BYTES_MAX + 1),
    "a list": lambda: b"[]",
    "a field too many": lambda: changed(lambda value: value.update(more=1)),
    "a field missing": lambda: changed(lambda value: value.pop("on")),
    "a member twice": lambda: changed(twice),
    "votes out of order": lambda: changed(turned),
    "members out of order": lambda: changed(
        lambda value: value.update(members=[BORIS, ANNA, CLARA])
    ),
    "no members": lambda: changed(lambda value: value.update(members=[], votes=[])),
    "33 members": lambda: changed(
        lambda value: value.update(members=[f"m{n:02}" for n in range(33)], votes=[])
    ),
    "a number for a name": lambda: changed(lambda value: value.update(members=[1])),
    "a hash in capitals": lambda: changed(lambda value: value.update(on="AB" * 32)),
    "votes that are no list": lambda: changed(lambda value: value.update(votes={})),
    "a vote that is text": lambda: changed(lambda value: value.update(votes=["agree"])),
}


@pytest.mark.parametrize("make", MALFORMED.values(), ids=MALFORMED)
def test_what_is_no_document_of_votes_is_refused(make: Callable[[], bytes]) -> None:
    with pytest.raises(MalformedError):
        parse_votes(make())


@settings(max_examples=60, deadline=None)
@given(
    kinds=st.lists(st.sampled_from(["agree", "depart", "abstain", "conflict"]), max_size=3),
)
def test_reading_votes_is_the_inverse_of_writing_them(kinds: list[str]) -> None:
    made = {
        "agree": agree,
        "depart": depart,
        "conflict": conflicted,
        "abstain": abstained,
    }
    votes = [made[kind](member) for kind, member in zip(kinds, MEMBERS, strict=False)]
    document = votes_document(ON, MEMBERS, votes)
    assert format_votes(parse_votes(document)) == document
    assert parse_votes(document).votes == tuple(votes)
