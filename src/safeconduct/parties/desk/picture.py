"""A picture of what was found: the tip, the pieces that bear on it, and where each comes from.

    ┌───────┐ ←────────── ┌─────────────┐   supports: an origin of its own
    │ tip-7 │ ←╌╌╌╌╌╌╌╌╌╌ │ statement-… │   denies
    └───────┘ ⟲           └─────────────┘   echo: it leads back to the tip, a circle

Only geometry is made here; the page's template draws and escapes it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from types import MappingProxyType

from safeconduct.parties.desk.view import Page

ROWS_MAX = 40
ROW_HEIGHT = 56
BOX_HEIGHT = 36
TIP_X, TIP_WIDTH = 16, 120
PIECE_X, PIECE_WIDTH = 320, 300
LABEL_CHARS_MAX = 34
WIDTH = PIECE_X + PIECE_WIDTH + 16
_TOP = 40

GEOMETRY = MappingProxyType(
    {
        "BOX_HEIGHT": BOX_HEIGHT,
        "PIECE_WIDTH": PIECE_WIDTH,
        "PIECE_X": PIECE_X,
        "TIP_WIDTH": TIP_WIDTH,
        "TIP_X": TIP_X,
        "WIDTH": WIDTH,
    }
)
"""What the template needs to draw, in SVG units."""

_RELATIONS = {"circular": "echo", "independent": "supports", "contradiction": "denies"}
_WORDS = {
    "echo": "of its own origin",
    "supports": "bears it out",
    "denies": "denies it",
    "part": "came with the tip",
    "thread": "by the same source",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One piece; `y` is the middle of its box, lengths in SVG units."""

    id: str
    label: str
    relation: str
    words: str
    y: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Ring:
    """The circle through the tip and its echoes: centre and radii, in SVG units."""

    x: int
    y: int
    x_radius: int
    y_radius: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """The tip at the left, its rows at the right; a ring if nothing but itself bears it out."""

    tip: str
    y: int
    height: int
    rows: tuple[Row, ...]
    more: int
    ring: Ring | None
    words: str


def draw(page: Page) -> Picture | None:
    """The picture of a page's findings and files, or None if there is nothing to relate."""
    relations = _relations(page)
    if not relations:
        return None
    names = {f"{page.summary.id}/{file.member}": file.name for file in page.files}
    ordered = sorted(relations.items(), key=lambda pair: list(_WORDS).index(pair[1]))
    shown = ordered[:ROWS_MAX]
    rows = tuple(
        Row(
            id=piece,
            label=_label(names.get(piece, piece)),
            relation=relation,
            words=_WORDS[relation],
            y=_TOP + place * ROW_HEIGHT,
        )
        for place, (piece, relation) in enumerate(shown)
    )
    ring = _ring(rows)
    return Picture(
        tip=page.summary.id,
        y=ring.y if ring else (rows[0].y + rows[-1].y) // 2,
        height=2 * _TOP + (len(rows) - 1) * ROW_HEIGHT,
        rows=rows,
        more=len(relations) - len(rows),
        ring=ring,
        words=_sentence(page.summary.id, rows, circular=ring is not None),
    )


def _ring(rows: Sequence[Row]) -> Ring | None:
    """The ring, if there are echoes; they come first, and exclude any true support."""
    echoes = [row.y for row in rows if row.relation == "echo"]
    if not echoes:
        return None
    left, right = TIP_X + TIP_WIDTH // 2, PIECE_X + PIECE_WIDTH // 4
    return Ring(
        x=(left + right) // 2,
        y=(echoes[0] + echoes[-1]) // 2,
        x_radius=(right - left) // 2,
        y_radius=(echoes[-1] - echoes[0]) // 2 + _TOP - 6,
    )


def _relations(page: Page) -> dict[str, str]:
    """What each piece is to the tip: findings first, then its own files and follow-ups."""
    tip = page.summary.id
    found = {
        piece: _RELATIONS[finding.kind]
        for finding in page.findings
        if finding.kind in _RELATIONS
        for piece in finding.because
        if piece != tip
    }
    parts = {f"{tip}/{file.member}": "part" for file in page.files[1:]}
    thread = [page.before, *page.after] if page.before else [*page.after]
    ours = parts | {linked.id: "thread" for linked in thread}
    return found | {piece: word for piece, word in ours.items() if piece not in found}


def _label(text: str) -> str:
    return text if len(text) <= LABEL_CHARS_MAX else f"{text[: LABEL_CHARS_MAX - 1]}…"


def _sentence(tip: str, rows: Sequence[Row], *, circular: bool) -> str:
    """The picture in words, for those who cannot see it."""
    told = "; ".join(f"{row.label} {row.words}" for row in rows)
    end = f" Only {tip} itself bears {tip} out." if circular else ""
    return f"{tip}: {told}.{end}"
