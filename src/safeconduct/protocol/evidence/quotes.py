"""Where a paragraph quotes: curly, straight, angle and single marks, opened or closed or both.

    It’s just Russians,” and they are “going to succeed”
    ^------ closed only -^            ^---- both -----^

A closing mark without an opening one quotes from the paragraph's start; an opening mark that is
never closed quotes to the paragraph's end, as papers do where a quotation runs over paragraphs.
"""

from dataclasses import dataclass

MASK = "\ufffc"  # stands for quoted text while the words around it are read

_CLOSERS = {"“": "”", "”": "”", "„": "“”", "«": "»", '"': '"', "‘": "’", "'": "'"}
_SINGLE = "‘'"
_STRAY_CLOSERS = "”»"
_BEFORE_OPENER = " ([{—–-:;\u00a0"
_AFTER_CLOSER = " .,;:!?)]}—–-"
_BEFORE_SINGLE_CLOSER = ".,!?…"
_SENTENCE_ENDS = ".!?…"


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """One quoted span of a paragraph: outer bounds with marks, inner bounds without them."""

    start: int
    end: int
    inner_start: int
    inner_end: int


def find_quotes(paragraph: str) -> tuple[Quote, ...]:
    """The quoted spans of `paragraph`, in order, not overlapping. Nested marks stay inside."""
    quotes: list[Quote] = []
    place = 0
    singles_left = True  # once no single closing mark was found, none lies further on either
    while place < len(paragraph):
        mark = paragraph[place]
        quote = None
        if mark in _CLOSERS and _opens(paragraph, place):
            if mark not in _SINGLE:
                quote = _opened(paragraph, place)
            elif singles_left:
                quote = _single(paragraph, place)
                singles_left = quote is not None
        elif mark in _STRAY_CLOSERS and not quotes and paragraph[:place].strip():
            quote = Quote(start=0, end=place + 1, inner_start=0, inner_end=place)
        if quote:
            quotes.append(quote)
        place = quote.end if quote else place + 1
    return tuple(quotes)


def mask_quotes(paragraph: str, quotes: tuple[Quote, ...]) -> str:
    """`paragraph` at the same length with each quote blotted out.

    The last place of a quote that ends a sentence shows a full stop, so that sentences can
    still be told apart.
    """
    pieces, place = [], 0
    for quote in quotes:
        inner = paragraph[quote.inner_start : quote.inner_end].rstrip()
        last = "." if inner.endswith(tuple(_SENTENCE_ENDS)) else MASK
        pieces += [paragraph[place : quote.start], MASK * (quote.end - quote.start - 1), last]
        place = quote.end
    return "".join([*pieces, paragraph[place:]])


def _opens(paragraph: str, place: int) -> bool:
    """Whether the mark at `place` can open: a blank or bracket before it, none after it."""
    before = paragraph[place - 1] if place else " "
    after = paragraph[place + 1 : place + 2]
    return (paragraph[place] in "“„«" or before in _BEFORE_OPENER) and bool(after.strip())


def _opened(paragraph: str, place: int) -> Quote:
    closers = _CLOSERS[paragraph[place]]
    ends = [end for end in (paragraph.find(c, place + 1) for c in closers) if end >= 0]
    inner_end = min(ends, default=len(paragraph))
    end = min(inner_end + 1, len(paragraph))
    return Quote(start=place, end=end, inner_start=place + 1, inner_end=inner_end)


def _single(paragraph: str, place: int) -> Quote | None:
    """A quote in single marks; apostrophes do not close it, for no punctuation stands there."""
    closer = _CLOSERS[paragraph[place]]
    end = paragraph.find(closer, place + 1)
    while end >= 0:
        after = paragraph[end + 1 : end + 2] or " "
        if paragraph[end - 1] in _BEFORE_SINGLE_CLOSER and after in _AFTER_CLOSER:
            return Quote(start=place, end=end + 1, inner_start=place + 1, inner_end=end)
        end = paragraph.find(closer, end + 1)
    return None
