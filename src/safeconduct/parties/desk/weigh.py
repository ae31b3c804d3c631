"""Weigh: what the desk's own pieces, taken together, say about one tip.

    tip-7             its message                 tip-7/f0002       an attachment of it
    statement-09af…   what somebody said in public

An attachment came by the same hand as its message, so of itself it bears nothing out. Nor does
a follow-up: tips of one thread are one origin, however many they are. Another piece bears a tip
out if every assessor says so; it denies it if one does. A piece that repeats the tip's wording
looks like support and is an echo: it is tied to the tip, so that its only corroboration is seen
to be itself. A source that repeats itself in a follow-up pretends to nothing, and is no echo.

Spec: docs/3-protocol.md, chapter on assessment.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from safeconduct.parties.desk.follow import threads
from safeconduct.parties.desk.store import Acknowledged, Store, Tip
from safeconduct.parties.desk.tray import opened_path, read_text
from safeconduct.parties.desk.vote import Ballot, open_votes
from safeconduct.protocol.assessment.finding import (
    Finding,
    contradicting_origins,
    findings,
    independent_origins,
)
from safeconduct.protocol.assessment.grade import Combined, StatuteGrade, statute_grade
from safeconduct.protocol.assessment.origin import Piece, likeness, shingles
from safeconduct.protocol.envelope import MESSAGE_NAME
from safeconduct.protocol.tip import member_name, parse_manifest

PIECES_MAX = 200
PIECE_CHARS_MAX = 100_000  # what is compared of one piece
ALL_CHARS_MAX = 1_000_000  # what is compared in all

# What echoes only itself proves nothing, however sure the assessors are.
_CIRCULAR: dict[StatuteGrade, StatuteGrade] = {"corroborated": "unproven", "useful": "unproven"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """One piece the desk holds; `of` is the id of the tip it came with, `thread` of the first
    tip that its source sent in the same thread.
    """

    id: str
    of: str
    thread: str
    text: str
    by: str = ""
    accuses: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighed:
    """What was found about a tip, and the grade in the statute's words."""

    findings: tuple[Finding, ...]
    grade: StatuteGrade


def tip_id(tip: Tip) -> str:
    """How findings and assessors name a tip."""
    return f"tip-{tip.number}"


def weigh(store: Store, tip: Tip, ballots: Sequence[Ballot], combined: Combined) -> Weighed:
    """The findings about a tip whose votes are open, and its grade.

    A circular tip is never `corroborated` nor `useful`.
    """
    item = tip_id(tip)
    pieces = _pieces(item, list(_material(store)), ballots)
    found = tuple(
        finding
        for finding in findings(item, pieces)
        if finding.about == item or item in finding.because
    )
    word = statute_grade(
        combined,
        independent_origins=independent_origins(item, pieces),
        contradicting_origins=contradicting_origins(item, pieces),
    )
    if any(finding.kind == "circular" for finding in found):
        word = _CIRCULAR.get(word, word)
    return Weighed(findings=found, grade=word)


def _pieces(item: str, material: Sequence[Material], ballots: Sequence[Ballot]) -> list[Piece]:
    """The tip first, then what bears on it, as far as there is room to compare."""
    own = next(piece for piece in material if piece.id == item)
    supporting = set.intersection(*(set(ballot.supported_by) for ballot in ballots))
    denying = {name for ballot in ballots for name in ballot.denied_by}
    echoes = _echoes(own, material)
    others = [piece for piece in material if piece.id != item]
    ranked = sorted(others, key=lambda p: p.id not in supporting | denying | echoes)
    bearing = supporting | echoes
    begun = () if own.thread == item else (own.thread,)
    pieces = [Piece(id=item, text=own.text, by=own.by, accuses=own.accuses, cites=begun)]
    room = ALL_CHARS_MAX - len(own.text)
    for other in ranked[: PIECES_MAX - 1]:
        text = other.text if len(other.text) <= room else ""
        room -= len(text)
        pieces.append(
            Piece(
                id=other.id,
                text=text,
                by=other.by,
                accuses=other.accuses,
                cites=tuple(_grounds(own, other, echoes, supporting)),
                claims_support_for=item if other.id in bearing - denying else "",
                denies=item if other.id in denying else "",
            )
        )
    return pieces


def _grounds(
    own: Material, other: Material, echoes: set[str], supporting: set[str]
) -> Iterator[str]:
    """What a piece is known to come from: the tip it echoes, and the thread it came in.

    Only the assessors, all of them, can say that an attachment in this very thread stands
    apart: it may be a document of somebody else's.
    """
    if other.id in echoes:
        yield own.id
    attached = other.of != other.id and other.thread == own.thread
    apart = attached and other.id in supporting
    if other.thread != other.id and not apart:
        yield other.thread


def _echoes(own: Material, material: Sequence[Material]) -> set[str]:
    """The pieces that repeat the tip's wording, or that it repeats."""
    wording = shingles(own.text)
    return {
        other.id
        for other in material
        if not _is_message_of(own, other) and likeness(wording, shingles(other.text)).is_copy
    }


def _is_message_of(own: Material, other: Material) -> bool:
    """Whether the piece is the tip's message, or that of another tip in its thread."""
    return other.of == other.id and other.thread == own.thread


def _material(store: Store) -> Iterator[Material]:
    """All texts the desk holds: of readable tips, no duplicates, and captured statements."""
    firsts = threads(store)
    for made in store.acknowledgements():
        if made.status == "ok":
            first = store.tip(firsts[made.hash])
            yield from _tip_material(store, store.tip(made.hash), made, tip_id(first))
    for kept in store.statements():
        text = kept.text[:PIECE_CHARS_MAX]
        name = kept.name
        yield Material(id=name, of=name, thread=name, text=text, by=kept.speaker)


def _tip_material(
    store: Store, tip: Tip, made: Acknowledged, thread: str
) -> Iterator[Material]:
    """The tip's message, though it may be empty, and each attachment that is a text."""
    item, folder = tip_id(tip), store.tip_folder(tip.hash)
    files = parse_manifest(made.manifest).files
    texts = {
        place: text[:PIECE_CHARS_MAX]
        for place in range(1, len(files) + 1)
        if (text := read_text(opened_path(folder, place))) is not None
    }
    named = (place for place in texts if files[place - 1].name == MESSAGE_NAME)
    message = next(named, next(iter(texts), 0))
    opened = open_votes(store, tip.hash)
    ballots = opened.ballots if opened else ()
    yield Material(
        id=item,
        of=item,
        thread=thread,
        text=texts.pop(message, ""),
        by=_agreed([ballot.by for ballot in ballots]),
        accuses=tuple(dict.fromkeys(name for ballot in ballots for name in ballot.accuses)),
    )
    for place, text in texts.items():
        name = f"{item}/{member_name(place)}"
        yield Material(id=name, of=item, thread=thread, text=text)


def _agreed(names: Sequence[str]) -> str:
    """The one name that all who gave one gave."""
    given = {" ".join(name.split()) for name in names if name}
    return given.pop() if len(given) == 1 else ""
