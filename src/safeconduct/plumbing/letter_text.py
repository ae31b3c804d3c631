"""A letter's text as paragraphs and lists, so that a page can show it as what it is.

Nothing can be decided yet.                    p       a paragraph; a blank line parts them
  ✓ Section 3 applies: …                       dl dt   a section, and its text as dd
      ✓ met — grade of the tip: useful         dl dd   a test, below the section it stands in
  - one more item …                            ul li   one of several
"""

from dataclasses import dataclass
from itertools import groupby


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A stretch of a letter that reads as one: the element it is, and its rows."""

    element: str  # p, ul or dl
    rows: tuple[tuple[str, str], ...]  # element and text of each


# How a line of a letter begins, the block it belongs to, and what it is there.
_BEGINNINGS = (
    ("      ", "dl", "dd"),
    ("  - ", "ul", "li"),
    ("- ", "ul", "li"),
    ("  ", "dl", "dt"),
    ("", "p", "span"),
)


def blocks(text: str) -> tuple[Block, ...]:
    """The blocks of a letter, in their order."""
    found: list[Block] = []
    for part in text.strip("\n").split("\n\n"):
        rows = [row for line in part.split("\n") for row in _rows(line)]
        for element, group in groupby(rows, key=lambda row: row[0]):
            found.append(Block(element=element, rows=tuple(row[1:] for row in group)))
    return tuple(found)


def _rows(line: str) -> list[tuple[str, str, str]]:
    beginning, block, element = next(one for one in _BEGINNINGS if line.startswith(one[0]))
    text = line.removeprefix(beginning).strip()
    if element != "dt":
        return [(block, element, text)]
    verdict, _, section = text.partition(": ")
    return [(block, "dt", verdict.rstrip()), (block, "dd", section)]
