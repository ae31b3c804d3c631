"""Where pieces come from: copies, quotations of each other and one author's pieces count once.

Ten reports of one rumour are one report. Two pieces share an origin when they share much of
their wording, when one names the other as its ground, when both name the same third, or when
one person made both. Only what is left apart can bear anything out.

    shingle      five consecutive words, without case, accents of quotes, and punctuation
    containment  shared shingles in per cent of the smaller piece's
    Jaccard      shared shingles in per cent of both pieces' together
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

from safeconduct.errors import MalformedError
from safeconduct.protocol.evidence.names import normal_name

SHINGLE_WORDS = 5
SHINGLES_MIN = 4  # eight words: below that, equal wording is chance
CONTAINMENT_PERCENT_MIN = 60  # an extract, or a copy with additions
JACCARD_PERCENT_MIN = 30  # a copy of about equal length, edited here and there
PIECES_MAX = 500
TEXT_CHARS_MAX = 1 << 20  # of all pieces together

_WORD = re.compile(r"\w+")
_APOSTROPHES = str.maketrans("", "", "'’‘ʼ`´\xad")

Shingles = frozenset[tuple[str, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A tip's text, an attachment's text, or a captured statement, as an assessor marked it.

    `by` is who made it, as far as known; `cites` are the ids of what it gives as its ground,
    among the pieces or not; `accuses` are names; `claims_support_for` and `denies` are ids.
    """

    id: str
    text: str
    by: str = ""
    cites: tuple[str, ...] = ()
    accuses: tuple[str, ...] = ()
    claims_support_for: str = ""
    denies: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tie:
    """Why two pieces share an origin; `percent` is the containment of a copy, else 0.

    `two` may be the id or name outside the pieces that ties `one` to others.
    """

    one: str
    two: str
    why: Literal["copy", "cites", "same author"]
    percent: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """All pieces that come from one place, in the order given, and the ties that join them."""

    pieces: tuple[str, ...]
    ties: tuple[Tie, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Likeness:
    """How much wording two texts share, in whole per cent rounded down."""

    containment_percent: int
    jaccard_percent: int

    @property
    def is_copy(self) -> bool:
        """Whether one text is taken from the other, by the named thresholds."""
        return (
            self.containment_percent >= CONTAINMENT_PERCENT_MIN
            or self.jaccard_percent >= JACCARD_PERCENT_MIN
        )


def shingles(text: str) -> Shingles:
    """The set of the text's runs of five words; empty if there are fewer than eight words."""
    plain = unicodedata.normalize("NFKC", text).casefold().translate(_APOSTROPHES)
    words = _WORD.findall(plain)
    count = len(words) - SHINGLE_WORDS + 1
    if count < SHINGLES_MIN:
        return frozenset()
    return frozenset(tuple(words[i : i + SHINGLE_WORDS]) for i in range(count))


def likeness(one: Shingles, two: Shingles) -> Likeness:
    """How much of their wording two shingle sets share; nothing if either is empty."""
    if not one or not two:
        return Likeness(containment_percent=0, jaccard_percent=0)
    shared = len(one & two)
    return Likeness(
        containment_percent=100 * shared // min(len(one), len(two)),
        jaccard_percent=100 * shared // (len(one) + len(two) - shared),
    )


def origins(pieces: Sequence[Piece]) -> tuple[Origin, ...]:
    """The pieces grouped by origin, in order of first appearance.

    Raises:
        MalformedError: more than 500 pieces, a mebi of characters, or an id twice.
    """
    _check(pieces)
    parents = {piece.id: piece.id for piece in pieces}
    ties = [tie for tie in [*_marked(pieces), *_authored(pieces)] if _join(parents, tie)]
    texts = [(piece.id, shingles(piece.text)) for piece in pieces]
    for (one, here), (two, there) in combinations(texts, 2):
        if _root(parents, one) == _root(parents, two):
            continue  # joined already: comparing the wording would add nothing
        alike = likeness(here, there)
        if alike.is_copy:
            tie = Tie(one=one, two=two, why="copy", percent=alike.containment_percent)
            _join(parents, tie)
            ties.append(tie)
    return _grouped(pieces, parents, ties)


def _check(pieces: Sequence[Piece]) -> None:
    if len(pieces) > PIECES_MAX:
        raise MalformedError(f"more than {PIECES_MAX} pieces to compare")
    if sum(len(piece.text) for piece in pieces) > TEXT_CHARS_MAX:
        raise MalformedError(f"more than {TEXT_CHARS_MAX} characters to compare")
    if len({piece.id for piece in pieces}) != len(pieces):
        raise MalformedError("two pieces have one id")


def _marked(pieces: Sequence[Piece]) -> list[Tie]:
    return [Tie(one=p.id, two=cited, why="cites") for p in pieces for cited in p.cites]


def _authored(pieces: Sequence[Piece]) -> list[Tie]:
    first: dict[tuple[str, ...], str] = {}
    ties = []
    for piece in pieces:
        author = normal_name(piece.by)
        if author and first.setdefault(author, piece.id) != piece.id:
            ties.append(Tie(one=first[author], two=piece.id, why="same author"))
    return ties


def _root(parents: dict[str, str], node: str) -> str:
    parents.setdefault(node, node)  # a cited id outside the pieces joins those who cite it
    while parents[node] != node:
        parents[node] = parents[parents[node]]
        node = parents[node]
    return node


def _join(parents: dict[str, str], tie: Tie) -> bool:
    one, two = _root(parents, tie.one), _root(parents, tie.two)
    parents[two] = one
    return one != two


def _grouped(
    pieces: Sequence[Piece], parents: dict[str, str], ties: list[Tie]
) -> tuple[Origin, ...]:
    groups: dict[str, list[str]] = {}
    for piece in pieces:
        groups.setdefault(_root(parents, piece.id), []).append(piece.id)
    return tuple(
        Origin(
            pieces=tuple(members),
            ties=tuple(tie for tie in ties if _root(parents, tie.one) == root),
        )
        for root, members in groups.items()
    )
