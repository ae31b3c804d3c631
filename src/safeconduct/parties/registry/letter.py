"""The letter: what was decided, under which sections, why, and how to object until when.

Its reasons are settled before the board signs, and the decision record names their hash; the
date of service and the remedy follow once the Ledger has dated the decision.
"""

from dataclasses import dataclass
from itertools import groupby

from safeconduct.plumbing.pages import render
from safeconduct.protocol.claim import Bundle
from safeconduct.protocol.decision import Proposal
from safeconduct.protocol.reasons import ground as ground
from safeconduct.protocol.reasons import language_of
from safeconduct.protocol.record import Record, parse_signed
from safeconduct.protocol.statute.explain import remedy
from safeconduct.protocol.statute.instant import format_instant


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """One letter in two forms with the same words."""

    text: bytes
    html: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A stretch of a letter that reads as one: the element it is, and its rows."""

    element: str  # p, ul or dl
    rows: tuple[tuple[str, str], ...]  # element and text of each


# How a line of a letter begins, the block it belongs to, and what it is there.
_BEGINNINGS = (
    ("      ", "dl", "dd"),  # a test, below the section it stands in
    ("  - ", "ul", "li"),
    ("- ", "ul", "li"),
    ("  ", "dl", "dt"),  # a section
    ("", "p", "span"),
)


def blocks(text: str) -> tuple[Block, ...]:
    """The letter's text as paragraphs and lists, so that it reads well without any style."""
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
    return [(block, "dt", verdict), (block, "dd", section)]


def write_open(told: bytes, bundle: Bundle) -> Letter:
    """The letter that says what is still open and who owes it; it decides nothing."""
    text = told.decode("utf-8")
    return _letter(text, bundle.fields["name"], language_of(bundle))


def write_admitted(appeal: Record, bundle: Bundle, *, refused: str = "") -> Letter:
    """The letter about an appeal that came: that it is admitted, or why it is not."""
    head = (
        f"Your appeal\n"
        f"To: {bundle.fields['name']}, register number {bundle.record.word('subject')}\n"
        f"Ground: {appeal.word('ground')}\n\n"
    )
    text = head + (_REFUSED.format(reason=refused) if refused else _ADMITTED)
    return _letter(text, bundle.fields["name"], "en")


def _letter(text: str, claimant: str, language: str) -> Letter:
    """The text, and the same as a page; its first line is the title of both."""
    title, _, rest = text.partition("\n")
    html = render(
        __package__,
        "letter.html",
        blocks=blocks(rest),
        claimant=claimant,
        direction="rtl" if language in _RIGHT_TO_LEFT else "ltr",
        keep="Keep this letter. Whoever objects needs it.",
        language=language,
        title=title,
    )
    return Letter(text=text.encode("utf-8"), html=html.encode("utf-8"))


_RIGHT_TO_LEFT = frozenset({"ar", "fa"})
_ADMITTED = """\
It came in time, and it is admitted.

All effects of the decision are suspended. Nothing about your case is published until the appeal
panel has decided. Nobody decides there who decided before. You may hand in new evidence.
"""
_REFUSED = """\
It is not admitted. {reason}

The decision stands.
"""


def write_letter(
    told: bytes,
    proposal: Proposal,
    bundle: Bundle,
    signed: bytes,
    logged_by: int,
    *,
    final: bool = False,
) -> Letter:
    """The letter as it is served, with who signed, its date, and the remedy.

    A `final` one, of the appeal panel, names no remedy: there is none inside the programme.
    """
    decision = parse_signed(signed, "decision")
    signers = [line.name for line in decision.note.signatures]
    served = (
        f"Signed by: {', '.join(signers)}\n"
        f"Dated by the witnesses: {format_instant(logged_by)}\n"
    )
    if not final:
        served += "\n" + remedy(proposal.statute, logged_by, language_of(bundle))
    text = told.decode("utf-8") + "\n" + served
    return _letter(text, bundle.fields["name"], language_of(bundle))
