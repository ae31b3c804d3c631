"""Findings: what a look at all pieces together yields about one item, in plain words.

    circular        every piece that seems to bear the item out comes from the item's own origin
    independent     so many independent origins bear it out
    contradiction   a claim and its denial, side by side
    mutual-framing  A accuses B, and B accuses A

A finding names the pieces it rests on and decides nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from safeconduct.errors import MalformedError
from safeconduct.protocol.assessment.origin import Origin, Piece, origins
from safeconduct.protocol.canonical import Json, format_json, tagged_hash
from safeconduct.protocol.evidence.names import normal_name

FindingKind = Literal["circular", "independent", "contradiction", "mutual-framing"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One finding: `about` an item or two persons, `because` of these piece ids."""

    kind: FindingKind
    about: str
    because: tuple[str, ...]
    words: str


def findings(item: str, pieces: Sequence[Piece]) -> tuple[Finding, ...]:
    """The findings about the piece whose id is `item`, among all `pieces`.

    Raises:
        MalformedError: no piece is the item, or see `origins`.
    """
    if all(piece.id != item for piece in pieces):
        raise MalformedError("the item is not among the pieces")
    grouped = origins(pieces)
    return (
        *_support(item, pieces, grouped),
        *_contradictions(item, pieces),
        *_mutual_framing(pieces),
    )


def independent_origins(item: str, pieces: Sequence[Piece]) -> int:
    """How many origins other than the item's own bear it out."""
    return len(_others(item, _supporting(item, pieces), origins(pieces)))


def contradicting_origins(item: str, pieces: Sequence[Piece]) -> int:
    """How many origins other than the item's own deny it, those of the accused not counted.

    Whoever is accused may deny, and that is heard; it is not an independent origin.
    """
    accused = {normal_name(name) for p in pieces if p.id == item for name in p.accuses}
    theirs = {piece.id for piece in pieces if piece.by and normal_name(piece.by) in accused}
    denying = _others(item, _denying(item, pieces), origins(pieces))
    return sum(1 for origin in denying if theirs.isdisjoint(origin.pieces))


def findings_json(found: Sequence[Finding]) -> bytes:
    """The findings as canonical JSON, for the file that the accused and the board are given."""
    listed: list[Json] = [
        {
            "kind": finding.kind,
            "about": finding.about,
            "because": list(finding.because),
            "words": finding.words,
        }
        for finding in found
    ]
    return format_json(listed)


def findings_hash(found: Sequence[Finding]) -> bytes:
    """The 32 bytes that stand for the findings in the assessment record."""
    return tagged_hash("findings", findings_json(found))


def _supporting(item: str, pieces: Sequence[Piece]) -> tuple[str, ...]:
    return tuple(p.id for p in pieces if p.claims_support_for == item and p.id != item)


def _denying(item: str, pieces: Sequence[Piece]) -> tuple[str, ...]:
    return tuple(p.id for p in pieces if p.denies == item and p.id != item)


def _others(item: str, ids: tuple[str, ...], grouped: Sequence[Origin]) -> list[Origin]:
    """The origins that hold one of `ids` and not the item."""
    wanted = set(ids)
    return [o for o in grouped if item not in o.pieces and wanted.intersection(o.pieces)]


def _support(
    item: str, pieces: Sequence[Piece], grouped: Sequence[Origin]
) -> tuple[Finding, ...]:
    supporting = _supporting(item, pieces)
    if not supporting:
        return ()
    others = _others(item, supporting, grouped)
    if not others:
        count = _counted(len(supporting), "piece")
        words = f"Its only corroboration is itself: {count} of support, all of its own origin."
        return (Finding(kind="circular", about=item, because=supporting, words=words),)
    outside = {piece for origin in others for piece in origin.pieces}
    because = tuple(piece for piece in supporting if piece in outside)
    words = f"Borne out by {_counted(len(others), 'origin')} independent of it."
    return (Finding(kind="independent", about=item, because=because, words=words),)


def _contradictions(item: str, pieces: Sequence[Piece]) -> tuple[Finding, ...]:
    by = {piece.id: piece.by for piece in pieces}
    claimed = f"{by[item] or 'One piece'} claims it"
    return tuple(
        Finding(
            kind="contradiction",
            about=item,
            because=(item, denial),
            words=f"{claimed}, and {by[denial] or 'another'} denies it.",
        )
        for denial in _denying(item, pieces)
    )


def _mutual_framing(pieces: Sequence[Piece]) -> tuple[Finding, ...]:
    accusations: dict[tuple[tuple[str, ...], tuple[str, ...]], list[str]] = {}
    names: dict[tuple[str, ...], str] = {}
    for piece in pieces:
        for accused in piece.accuses:
            pair = (normal_name(piece.by), normal_name(accused))
            names |= {pair[0]: piece.by, pair[1]: accused}
            accusations.setdefault(pair, []).append(piece.id)
    return tuple(
        _mutual(names[a], names[b], [*accusations[a, b], *accusations[b, a]])
        for a, b in accusations
        if a and b and a < b and (b, a) in accusations
    )


def _mutual(a: str, b: str, because: list[str]) -> Finding:
    words = f"{a} accuses {b}, and {b} accuses {a}: neither word bears out the other."
    ids = tuple(dict.fromkeys(because))
    return Finding(kind="mutual-framing", about=f"{a} / {b}", because=ids, words=words)


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
