"""Grades: sealed first, combined by a stated rule, never corroborated by nothing."""

from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from safeconduct.errors import MalformedError, RefusedError, UnverifiedError
from safeconduct.protocol.assessment.grade import (
    CREDIBILITY,
    RELIABILITY,
    Combined,
    Grade,
    Vote,
    combine,
    format_grade,
    open_vote,
    parse_grade,
    seal_vote,
    statute_grade,
    votes_hash,
)

ITEM = b"\x01" * 32
BLIND = b"\x02" * 16
ALL_GRADES = [r + str(c) for r in RELIABILITY for c in CREDIBILITY]


def _votes(*grades: str) -> list[Vote]:
    return [
        Vote(item=ITEM, assessor=f"assessor-{number}", grade=parse_grade(grade))
        for number, grade in enumerate(grades)
    ]


def test_every_grade_survives_its_spelling() -> None:
    assert len(ALL_GRADES) == 36
    assert [format_grade(parse_grade(grade)) for grade in ALL_GRADES] == ALL_GRADES


@pytest.mark.parametrize("text", ["", "B", "G1", "A0", "A7", "b2", "B2 ", "B22", "B\u0662"])
def test_another_spelling_of_a_grade_is_refused(text: str) -> None:
    with pytest.raises(MalformedError):
        parse_grade(text)


def test_a_sealed_vote_opens_to_itself() -> None:
    grade = parse_grade("B2")
    sealed = seal_vote(grade, BLIND, item=ITEM, assessor="one")
    assert open_vote(sealed, grade, BLIND, item=ITEM, assessor="one").grade == grade


OTHER_OPENINGS: dict[str, tuple[str, bytes, bytes, str]] = {
    "another grade": ("B3", BLIND, ITEM, "one"),
    "another blind": ("B2", b"\x03" * 16, ITEM, "one"),
    "another item": ("B2", BLIND, b"\x04" * 32, "one"),
    "another assessor, who copied the commitment": ("B2", BLIND, ITEM, "two"),
}


@pytest.mark.parametrize(
    ("grade", "blind", "item", "assessor"), OTHER_OPENINGS.values(), ids=OTHER_OPENINGS
)
def test_a_sealed_vote_opens_to_nothing_else(
    grade: str, blind: bytes, item: bytes, assessor: str
) -> None:
    sealed = seal_vote(parse_grade("B2"), BLIND, item=ITEM, assessor="one")
    with pytest.raises(UnverifiedError):
        open_vote(sealed, parse_grade(grade), blind, item=item, assessor=assessor)


def test_a_blind_of_another_length_is_malformed() -> None:
    with pytest.raises(MalformedError):
        open_vote(b"", parse_grade("B2"), b"short", item=ITEM, assessor="one")


COMBINED = {
    "both alike": (["B2", "B2"], "agree", "B2"),
    "one step apart in credibility": (["B2", "B3"], "differ by one", "B3"),
    "one step apart on both axes": (["A3", "B2"], "differ by one", "B3"),
    "two steps apart": (["A2", "C2"], "conflict", None),
    "judged against not judged": (["B2", "F2"], "conflict", None),
    "doubtful against not judged is no step": (["B5", "B6"], "conflict", None),
    "both cannot judge": (["F6", "F6"], "agree", "F6"),
    "a third one in the middle": (["A1", "E5", "C3"], "middle", "C3"),
    "an outlier moves nothing": (["B2", "B2", "E5"], "middle", "B2"),
    "two of three cannot judge": (["F6", "F6", "A1"], "middle", "F6"),
    "one of three cannot judge: the more cautious of two": (["F6", "B2", "D4"], "middle", "D4"),
    "four: the more cautious of two middle ones": (["A1", "B2", "C3", "D4"], "middle", "C3"),
}


@pytest.mark.parametrize(("grades", "rule", "grade"), COMBINED.values(), ids=COMBINED.keys())
def test_votes_combine_by_a_stated_rule(
    grades: list[str], rule: str, grade: str | None
) -> None:
    for order in permutations(_votes(*grades)):
        combined = combine(order)
        assert combined.rule == rule
        assert combined.grade == (parse_grade(grade) if grade else None)


def test_who_is_far_from_the_middle_is_named_as_dissent() -> None:
    assert combine(_votes("B2", "B2", "E5")).dissent == ("assessor-2",)


def test_too_few_votes_or_two_by_one_assessor_are_refused() -> None:
    one = _votes("B2")[0]
    other = Vote(item=b"\x09" * 32, assessor="assessor-9", grade=one.grade)
    for votes in ([], [one], [one, one], [one, other], _votes(*["B2"] * 17)):
        with pytest.raises(RefusedError):
            combine(votes)


@given(st.lists(st.sampled_from(ALL_GRADES), min_size=2, max_size=6))
@settings(max_examples=100)
def test_a_combined_grade_is_never_better_than_every_vote(grades: list[str]) -> None:
    combined = combine(_votes(*grades))
    if combined.grade is not None:
        assert combined.grade.reliability >= min(grade[0] for grade in grades)
        assert combined.grade.credibility >= min(int(grade[1]) for grade in grades)


STATUTE = {
    "confirmed, borne out by one": ("A1", 1, 0, "corroborated"),
    "confirmed, but by its own echo": ("A1", 0, 0, "useful"),
    "probable": ("B2", 0, 0, "useful"),
    "probable is not corroborated by a crowd": ("B2", 9, 0, "useful"),
    "possible, from an unreliable source": ("E3", 0, 0, "unproven"),
    "doubtful": ("A4", 0, 0, "unproven"),
    "nobody can judge": ("F6", 3, 0, "unproven"),
    "improbable": ("C5", 0, 0, "worthless"),
    "improbable and contradicted": ("C5", 0, 1, "false"),
    "probable and contradicted is not false": ("B2", 0, 1, "useful"),
}


@pytest.mark.parametrize(
    ("grade", "origins", "against", "found"), STATUTE.values(), ids=STATUTE
)
def test_the_grade_in_the_statutes_words(
    grade: str, origins: int, against: int, found: str
) -> None:
    combined = combine(_votes(grade, grade))
    assert (
        statute_grade(combined, independent_origins=origins, contradicting_origins=against)
        == found
    )


@pytest.mark.parametrize("grade", ALL_GRADES)
def test_nothing_is_corroborated_without_an_independent_origin(grade: str) -> None:
    assert statute_grade(combine(_votes(grade, grade)), independent_origins=0) != "corroborated"


def test_nothing_is_proven_while_assessors_conflict() -> None:
    conflict = combine(_votes("A1", "E5"))
    assert isinstance(conflict, Combined)
    assert statute_grade(conflict, independent_origins=5) == "unproven"


def test_the_hash_of_the_votes_does_not_depend_on_their_order() -> None:
    votes = _votes("B2", "C3")
    assert votes_hash(votes) == votes_hash(votes[::-1])
    assert votes_hash(votes) != votes_hash(_votes("C3", "B2"))
    assert Grade(reliability="B", credibility=2) == votes[0].grade
