"""The letter: what was decided, under which sections, why, and how to object until when.

Its reasons are settled before the board signs, and the decision record names their hash; the
date of service and the remedy follow once the Ledger has dated the decision.
"""

from dataclasses import dataclass
from itertools import groupby

from safeconduct.plumbing.pages import render
from safeconduct.protocol.claim import Bundle, shown_credit
from safeconduct.protocol.decision import Proposal
from safeconduct.protocol.record import parse_signed
from safeconduct.protocol.statute.explain import reasons, remedy
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


def write_reasons(proposal: Proposal, bundle: Bundle, number: int) -> bytes:
    """The part of the letter that the decision record commits to, UTF-8."""
    head = (
        f"Decision {number}\n"
        f"To: {bundle.fields['name']}, register number {bundle.record.word('subject')}\n"
        f"On your claim of having {ground(bundle)} before the date.\n\n"
    )
    body = reasons(proposal.statute, proposal.judgement)
    if proposal.shortfalls:
        body += "\nWhat your evidence did not show:\n"
        body += "".join(f"- {shortfall}\n" for shortfall in proposal.shortfalls)
    return (head + body).encode("utf-8")


def ground(bundle: Bundle) -> str:
    """What the claim says its person did; of a credit class and period, for no tip is known."""
    if bundle.limb != "credited":
        return bundle.limb
    credit = shown_credit(bundle)
    if credit is None:
        return "helped (no credit was shown)"
    return (
        f"helped (a credit of class {credit.word('class')}, period {credit.number('period')})"
    )


def write_letter(
    told: bytes, proposal: Proposal, bundle: Bundle, signed: bytes, logged_by: int
) -> Letter:
    """The letter as it is served, with who signed, its date, and the remedy."""
    decision = parse_signed(signed, "decision")
    signers = [line.name for line in decision.note.signatures]
    served = (
        f"Signed by: {', '.join(signers)}\n"
        f"Dated by the witnesses: {format_instant(logged_by)}\n\n"
        f"{remedy(proposal.statute, logged_by)}"
    )
    text = told.decode("utf-8") + "\n" + served
    html = render(
        __package__,
        "letter.html",
        site="Register",
        number=decision.record.number("number"),
        claimant=bundle.fields["name"],
        outcome=decision.record.word("outcome"),
        blocks=blocks(text),
    )
    return Letter(text=text.encode("utf-8"), html=html.encode("utf-8"))
