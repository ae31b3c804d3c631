"""Grades of a tip: how reliable the source, how credible the information, judged independently.

    B2      usually reliable, probably true          (after STANAG 2511 and the Admiralty code)

Assessors vote before they see each other's votes: each first hands in a commitment, and opens
it when all are in. It binds item and assessor, so that nobody can vote by copying another's.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hmac import compare_digest
from types import MappingProxyType
from typing import Literal, TypeVar

from safeconduct.errors import MalformedError, RefusedError, UnverifiedError
from safeconduct.protocol.canonical import format_json, tagged_hash

ASSESSORS_MIN = 2
ASSESSORS_MAX = 16
BLIND_BYTES = 16

RELIABILITY: Mapping[str, str] = MappingProxyType(
    {
        "A": "completely reliable: proven right each time so far, in a place to know",
        "B": "usually reliable: right most times, with small doubts",
        "C": "fairly reliable: right at times, with some doubts",
        "D": "not usually reliable: seldom right, with serious doubts",
        "E": "unreliable: proven wrong or dishonest before",
        "F": "cannot be judged: nothing is known to judge by",
    }
)
CREDIBILITY: Mapping[int, str] = MappingProxyType(
    {
        1: "confirmed by sources that are independent of each other",
        2: "probably true: fits what is known, not confirmed",
        3: "possibly true: fits in part, not confirmed",
        4: "doubtful: possible, but nothing speaks for it",
        5: "improbable: what is known speaks against it",
        6: "cannot be judged: nothing is known to judge by",
    }
)
_UNJUDGED_RELIABILITY = "F"
_UNJUDGED_CREDIBILITY = 6
_IMPROBABLE = 5
_GRADE = re.compile("[A-F][1-6]")

_Step = TypeVar("_Step", str, int)
StatuteGrade = Literal["corroborated", "useful", "unproven", "worthless", "false"]

# Rows: credibility 1 to 6. Columns: reliability A to F. What a corroborated tip lacks when no
# independent origin bears it out, and when a wrong one is false, `statute_grade` adds.
_STATUTE_GRADES: Mapping[int, tuple[StatuteGrade, ...]] = MappingProxyType(
    {
        1: ("corroborated",) * 6,
        2: ("useful", "useful", "useful", "useful", "unproven", "useful"),
        3: ("useful", "useful", "useful", "unproven", "unproven", "unproven"),
        4: ("unproven",) * 6,
        5: ("worthless",) * 6,
        6: ("unproven",) * 6,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Grade:
    """Reliability of the source, `A` to `F`, and credibility of the information, 1 to 6."""

    reliability: str
    credibility: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Vote:
    """One assessor's opened grade of one item."""

    item: bytes  # the tip's record hash
    assessor: str
    grade: Grade


@dataclass(frozen=True, slots=True, kw_only=True)
class Combined:
    """What the votes yield together: `grade` is absent while a third assessor is needed."""

    grade: Grade | None
    rule: Literal["agree", "differ by one", "conflict", "middle"]
    votes: tuple[Vote, ...]
    dissent: tuple[str, ...]  # assessors more than one step away from the grade
    words: str


def parse_grade(text: str) -> Grade:
    """The grade that two characters such as `B2` spell.

    Raises:
        MalformedError: anything else.
    """
    if not _GRADE.fullmatch(text):
        raise MalformedError("grade: not a letter from A to F and a digit from 1 to 6")
    return Grade(reliability=text[0], credibility=int(text[1]))


def format_grade(grade: Grade) -> str:
    """The grade as two characters."""
    return f"{grade.reliability}{grade.credibility}"


def seal_vote(grade: Grade, blind: bytes, *, item: bytes, assessor: str) -> bytes:
    """The 32-byte commitment an assessor hands in first; `blind` is 16 random bytes.

    H("vote"; item, assessor, grade, blind): without `blind`, 36 guesses would open it.
    """
    assert len(blind) == BLIND_BYTES
    spelt = format_grade(grade).encode("ascii")
    return tagged_hash("vote", item, assessor.encode("utf-8"), spelt, blind)


def open_vote(
    commitment: bytes, grade: Grade, blind: bytes, *, item: bytes, assessor: str
) -> Vote:
    """The vote, after checking that this is what the assessor committed to.

    Raises:
        MalformedError: `blind` is not 16 bytes.
        UnverifiedError: another grade, item, assessor or blind was sealed.
    """
    if len(blind) != BLIND_BYTES:
        raise MalformedError(f"vote: the blind is not {BLIND_BYTES} bytes")
    if not compare_digest(seal_vote(grade, blind, item=item, assessor=assessor), commitment):
        raise UnverifiedError(f"vote of {assessor}: not the one that was sealed")
    return Vote(item=item, assessor=assessor, grade=grade)


def combine(votes: Sequence[Vote]) -> Combined:
    """The grade that independent votes on one item yield, and by which rule.

    Two votes: equal ones stand; one step apart on an axis, the more cautious step stands;
    further apart, or judged against not judged, a third assessor is needed. Three votes or
    more: on each axis the middle vote stands, of two middle votes the more cautious; "cannot be
    judged" stands where at least half say so. The order of the votes does not matter.

    Raises:
        RefusedError: fewer than 2 votes, more than 16, two by one assessor, or several items.
    """
    _check(votes)
    ordered = tuple(sorted(votes, key=lambda vote: vote.assessor))
    if len(votes) > ASSESSORS_MIN:
        return _middle(ordered)
    one, two = ordered[0].grade, ordered[1].grade
    if one == two:
        words = f"Both assessors graded {format_grade(one)}."
        return Combined(grade=one, rule="agree", votes=ordered, dissent=(), words=words)
    if _steps(one, two) == 1:
        grade = _cautious(one, two)
        words = (
            f"The assessors differ by one step; the more cautious {format_grade(grade)} stands."
        )
        return Combined(
            grade=grade, rule="differ by one", votes=ordered, dissent=(), words=words
        )
    words = f"{format_grade(one)} against {format_grade(two)}: a third assessor is needed."
    return Combined(grade=None, rule="conflict", votes=ordered, dissent=(), words=words)


def statute_grade(
    combined: Combined, *, independent_origins: int, contradicting_origins: int = 0
) -> StatuteGrade:
    """The grade in the statute's words.

    `corroborated` needs an origin independent of the item; without one, confirmed information
    is `useful`. Improbable information is `false` only where an independent origin contradicts
    it, else `worthless`. While assessors conflict, nothing is proven. `false` says nothing
    about who knew: a knowing falsehood is the board's finding.
    """
    if combined.grade is None:
        return "unproven"
    column = list(RELIABILITY).index(combined.grade.reliability)
    found = _STATUTE_GRADES[combined.grade.credibility][column]
    if found == "corroborated" and independent_origins < 1:
        return "useful"
    if combined.grade.credibility == _IMPROBABLE and contradicting_origins > 0:
        return "false"
    return found


def votes_hash(votes: Sequence[Vote]) -> bytes:
    """The 32 bytes that stand for the opened votes in the assessment record."""
    listed = sorted(
        (vote.assessor, vote.item.hex(), format_grade(vote.grade)) for vote in votes
    )
    return tagged_hash("votes", format_json([list(vote) for vote in listed]))


def _check(votes: Sequence[Vote]) -> None:
    if not ASSESSORS_MIN <= len(votes) <= ASSESSORS_MAX:
        raise RefusedError(f"a grade needs {ASSESSORS_MIN} to {ASSESSORS_MAX} votes")
    if len({vote.assessor for vote in votes}) != len(votes):
        raise RefusedError("an assessor voted twice")
    if len({vote.item for vote in votes}) != 1:
        raise RefusedError("the votes are on different items")


def _steps(one: Grade, two: Grade) -> int:
    """The larger of the two axes' distances; not judged is far from any judgement."""
    reliability = _distance(
        "ABCDEF".index(one.reliability), "ABCDEF".index(two.reliability), unjudged=5
    )
    return max(reliability, _distance(one.credibility, two.credibility, unjudged=6))


def _distance(one: int, two: int, *, unjudged: int) -> int:
    far = unjudged in (one, two) and one != two
    return unjudged if far else abs(one - two)


def _cautious(one: Grade, two: Grade) -> Grade:
    return Grade(
        reliability=max(one.reliability, two.reliability),
        credibility=max(one.credibility, two.credibility),
    )


def _middle(votes: tuple[Vote, ...]) -> Combined:
    letters = _middle_of([vote.grade.reliability for vote in votes], _UNJUDGED_RELIABILITY)
    digits = _middle_of([vote.grade.credibility for vote in votes], _UNJUDGED_CREDIBILITY)
    grade = Grade(reliability=letters, credibility=digits)
    dissent = tuple(vote.assessor for vote in votes if _steps(vote.grade, grade) > 1)
    words = f"Of {len(votes)} votes the middle one on each axis stands: {format_grade(grade)}."
    return Combined(grade=grade, rule="middle", votes=votes, dissent=dissent, words=words)


def _middle_of(steps: list[_Step], unjudged: _Step) -> _Step:
    judged = sorted(step for step in steps if step != unjudged)
    if 2 * len(judged) <= len(steps):
        return unjudged
    return judged[len(judged) // 2]
