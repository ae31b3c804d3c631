"""The letters to whoever claimed: what was decided, under which sections, why, until when.

The reasons are settled before the board signs, and the decision record names their hash; the
date of service and the remedy follow once the Ledger has dated the decision. All of a letter
is in the language that its person asked for, and it has the same words in each of its forms:

    Decision 7                            the title: the first line
    To: …                                 what `protocol.reasons` says, to the letter

    Signed by: …                          who, and when by the witnesses' word

    Remedy (section 6):                   how to object, and until when; or that one need not
    Last day for an appeal: Saturday, 17 July 2027, 23:59:59 UTC (2027-07-17T23:59:59Z)

    Your private page: …                  where all this stands, for the person alone
    You can have this checked …           by somebody else

    Keep this letter. …                   the last line of each
"""

import unicodedata
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from safeconduct.parties.registry.letter_words import day, moment, said
from safeconduct.plumbing.languages import NAMES
from safeconduct.plumbing.letter_text import Block
from safeconduct.plumbing.letter_text import blocks as blocks
from safeconduct.plumbing.pages import render
from safeconduct.protocol.claim import Bundle
from safeconduct.protocol.decision import Proposal, favours
from safeconduct.protocol.reasons import ground as ground
from safeconduct.protocol.reasons import language_of as language_of
from safeconduct.protocol.record import Record, parse_signed
from safeconduct.protocol.statute.calendar import day_of
from safeconduct.protocol.statute.explain import appeal_last_at
from safeconduct.protocol.statute.text import Statute
from safeconduct.protocol.statute.wording.voice import voice

_LISTS = frozenset({"dl", "ul"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """One letter in two forms with the same words; the third, PDF, is made of its page."""

    text: bytes
    html: bytes


def make_letter(text: str, language: str, *, strong: Collection[str] = ()) -> Letter:
    """The letter with these words, whose first line is its title; `strong` are lines of it.

    Requires a language of `letter_words.PHRASES`.
    """
    title, _, rest = text.partition("\n")
    keep = said(language, "keep")
    html = render(
        __package__,
        "letter.html",
        language=language,
        blocks=sections(rest),
        direction_of=direction_of,
        strong=strong,
        keep=keep,
        title=title,
    )
    return Letter(text=f"{text}\n{keep}\n".encode(), html=html.encode("utf-8"))


def sections(text: str) -> tuple[Block, ...]:
    """The letter's blocks; a line that ends with a colon above others is their heading."""
    found: list[Block] = []
    for block in blocks(text):
        if block.element in _LISTS and found and found[-1].element == "p":
            found += _parted(found.pop())
        found += _headed(block) if block.element == "p" else [block]
    return tuple(found)


def _headed(block: Block) -> list[Block]:
    """A paragraph, and its first line as a heading if it is one."""
    first, *rest = block.rows
    if not rest or not first[1].endswith(":"):
        return [block]
    return [Block(element="h2", rows=(first,)), Block(element="p", rows=tuple(rest))]


def _parted(block: Block) -> list[Block]:
    """A paragraph, and its last line as a heading if it is one."""
    *before, (element, last) = block.rows
    if not last.endswith(":"):
        return [block]
    heading = Block(element="h2", rows=((element, last),))
    return [Block(element="p", rows=tuple(before)), heading] if before else [heading]


def direction_of(line: str) -> str:
    """`ltr` or `rtl`: how a line runs; by what is isolated in it only if there is nothing else.

    Browsers could tell by themselves, but what makes PDFs cannot.
    """
    outside, inside = "", ""
    depth = 0
    for each in line:
        depth += (each == _ISOLATE) - (each == _POP)
        runs = _RUNS.get(unicodedata.bidirectional(each), "")
        if runs and depth == 0:
            outside = outside or runs
        inside = inside or runs
    return outside or inside or "ltr"


_ISOLATE, _POP = "\u2068", "\u2069"
_RUNS = {"L": "ltr", "R": "rtl", "AL": "rtl"}


def write_open(told: bytes, bundle: Bundle, register: str) -> Letter:
    """The letter that says what is still open and who owes it; it decides nothing.

    `register` is the address of the register's site, below which the person's page is.
    """
    language = language_of(bundle)
    lines = ["", said(language, "waiting"), "", *_page(bundle, register)]
    return make_letter(told.decode("utf-8") + "\n".join(lines) + "\n", language)


def write_admitted(
    appeal: Record, bundle: Bundle, register: str, *, ended_at: int | None = None
) -> Letter:
    """The letter about an appeal that came: that it is admitted, or too late, and since when.

    `ended_at` is POSIX seconds, the last in which it would have been in time.
    """
    language = language_of(bundle)
    subject, word = bundle.record.word("subject"), appeal.word("ground")
    objected = said(language, _GROUNDS.get(word, word))
    lines = [
        said(language, "your appeal"),
        said(language, "to", name=bundle.fields["name"], subject=subject),
        said(language, "on ground", ground=objected),
        "",
    ]
    if ended_at is None:
        lines += [said(language, "admitted"), ""]
        lines += [said(language, key) for key in ("suspended", "others decide")]
    else:
        ended = said(language, "ended at", moment=moment(language, ended_at))
        lines += [said(language, "refused"), ended, "", said(language, "stands")]
    lines += ["", *_page(bundle, register)]
    return make_letter("\n".join(lines) + "\n", language)


_GROUNDS = {"law": "legal"}  # called otherwise, where "law" is the one applied


def write_letter(
    told: bytes,
    proposal: Proposal,
    bundle: Bundle,
    signed: bytes,
    logged_by: int,
    register: str,
    *,
    final: bool = False,
) -> Letter:
    """The letter as it is served, with who signed, its date, and the remedy.

    `register` is the address of the register's site, below which the person's page is.

    A `final` one, of the appeal panel, names no remedy: there is none inside the programme.
    """
    language = language_of(bundle)
    statute, decision = proposal.statute, parse_signed(signed, "decision")
    until = moment(language, appeal_last_at(statute, logged_by))
    deadline = said(language, "until", moment=until)
    given = decision.record.word("outcome")
    remedy = _remedy(statute, logged_by, language, deadline, favours(statute, given))
    lines = [
        "",
        *sealed([line.name for line in decision.note.signatures], logged_by, language),
        "",
        *([said(language, "last word")] if final else remedy),
        "",
        *_page(bundle, register),
        said(language, "check"),
    ]
    if language not in statute.languages:
        lines += ["", said(language, "untranslated", name=_called(statute.languages[0]))]
    outcome = voice(statute, language).outcome(given)
    text = told.decode("utf-8") + "\n".join(lines) + "\n"
    return make_letter(text, language, strong=(outcome, deadline))


def sealed(signers: Iterable[str], logged_by: int, language: str) -> list[str]:
    """Who signed, and when that was dated, POSIX seconds."""
    return [
        said(language, "signed", names=", ".join(signers)),
        said(language, "dated", moment=moment(language, logged_by)),
    ]


def _called(language: str) -> str:
    """What a language is called by those who read it; its code, where no page speaks it."""
    return NAMES.get(language, language)


def _page(bundle: Bundle, register: str) -> list[str]:
    """Where the person's own page is, which nobody else knows."""
    language = language_of(bundle)
    address = f"{register}/case/{bundle.page_key.hex()}"
    return [said(language, "page", address=address), said(language, "secret")]


def _remedy(
    statute: Statute, logged_by: int, language: str, deadline: str, favourable: bool
) -> list[str]:
    """What the law says of an appeal, its last day, and what one does, or need not do."""
    section = statute.procedure.appeal_section
    provision = voice(statute, language).words(statute.section_text(section))
    lines = [said(language, "remedy", section=section), provision, deadline]
    if favourable:
        lines.append(said(language, "need not"))
    if statute.calendar is not None:
        ordinal = day_of(appeal_last_at(statute, logged_by), statute.calendar)
        zone = statute.calendar.zone
        lines.append(said(language, "local", day=day(language, ordinal), zone=zone))
    if statute.procedure.appeal_suspends:
        lines.append(said(language, "suspends"))
    return [*lines, said(language, "how")]
