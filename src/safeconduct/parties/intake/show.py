"""What the door's pages show, as values: everything a template needs, worked out beforehand.

A page makes no claim that these functions have not checked: the date comes from the statute as
the Gazette proves it, and so does the desk's key.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from safeconduct.parties.intake import definition
from safeconduct.parties.intake.accept import Intake
from safeconduct.plumbing.logs import GazetteView
from safeconduct.protocol.gazette import Epoch, StatuteVersion
from safeconduct.protocol.notice import deciding_dates
from safeconduct.protocol.statute.load import load_statute
from safeconduct.protocol.statute.text import (
    Instant,
    Outcome,
    Passage,
    Provision,
    Statute,
    Words,
)

LAW_PAGE_CHARS = 9_000  # of statute text, so that a page stays below 30 kB
DEFAULT_LANGUAGE = "en"


@dataclass(frozen=True, slots=True, kw_only=True)
class Deadline:
    """A date of the law as a reader needs it: `at` is the first second that is too late."""

    name: str
    section: str
    written: str
    zone: str
    at: int
    passed: bool
    away: int  # seconds from now, or since it passed


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """The law in force at the door: what it grants, until when, and the desk key now open."""

    version: StatuteVersion
    statute: Statute
    grants: tuple[tuple[str, Words], ...]  # section and text of what a person can win
    otherwise: Words
    date: Deadline | None
    epoch: Epoch | None
    view: GazetteView

    @property
    def open(self) -> bool:
        """Whether a tip can be sealed now."""
        return self.epoch is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class LawPart:
    """One numbered sentence; `depth` counts the exceptions it stands under."""

    number: str
    text: Words
    depth: int


def law_language(statute: Statute, language: str) -> str:
    """The law's language for a reader of `language`: theirs, or English, or its first."""
    known = [each for each in (language, DEFAULT_LANGUAGE) if each in statute.languages]
    return [*known, *statute.languages][0]


def passages(intake: Intake, language: str) -> dict[str, definition.Passage | None]:
    """The texts of the body's own, by name; None where it wrote none."""
    return {name: intake.definition.text(name, language) for name in definition.PASSAGES}


def in_language(words: Words, language: str) -> str:
    """The text in `language`, or in English, or in whichever there is."""
    return words.get(language) or words.get(DEFAULT_LANGUAGE) or next(iter(words.values()))


def read_offer(intake: Intake) -> Offer | None:
    """What the door offers now; None while no statute has been published.

    Raises:
        UnverifiedError, UnavailableError: the Gazette cannot be read or proven.
    """
    view, now = intake.gazette(), intake.seconds()
    if not view.state.statutes:
        return None
    version = view.state.statutes[-1]
    statute = load_statute(version.law)
    open_epochs = [each for each in view.state.epochs if each.opens <= now < each.closes]
    dates = [_deadline(each, now) for each in deciding_dates(version.law)]
    ahead = [each for each in dates if not each.passed]
    nearest = ahead[:1] or dates[-1:]
    return Offer(
        version=version,
        statute=statute,
        grants=tuple(_grant(statute, each) for each in statute.outcomes if _for_person(each)),
        otherwise=statute.default.text,
        date=nearest[0] if nearest else None,
        epoch=open_epochs[-1] if open_epochs else None,
        view=view,
    )


def _for_person(outcome: Outcome) -> bool:
    return outcome.favours == "person"


def _grant(statute: Statute, outcome: Outcome) -> tuple[str, Words]:
    """The section that says when this outcome follows; without one, what follows."""
    rule = statute.rules.get(outcome.rule)
    return (rule.number, rule.text) if rule else ("", outcome.text)


def deadlines(statute: Statute, now: int) -> list[Deadline]:
    """Every date that the law fixes, earliest first."""
    dates = [each for each in statute.parameters.values() if isinstance(each, Instant)]
    return sorted((_deadline(each, now) for each in dates), key=lambda each: each.at)


def _deadline(date: Instant, now: int) -> Deadline:
    return Deadline(
        name=date.name.replace("_", " "),
        section=date.section,
        written=date.written,
        zone=date.zone,
        at=date.limit_at,
        passed=now >= date.limit_at,
        away=abs(date.limit_at - now),
    )


def law_pages(statute: Statute, language: str) -> list[list[LawPart]]:
    """The law's text in pages that are small enough for a slow line; never an empty list."""
    pages: list[list[LawPart]] = [[]]
    room = LAW_PAGE_CHARS
    for part in _law_parts(statute.sections, 0):
        room -= len(in_language(part.text, language))
        if room < 0 and pages[-1]:
            pages.append([])
            room = LAW_PAGE_CHARS - len(in_language(part.text, language))
        pages[-1].append(part)
    return pages


def _law_parts(parts: tuple[Provision | Passage, ...], depth: int) -> Iterator[LawPart]:
    for part in parts:
        yield LawPart(number=part.number, text=part.text, depth=depth)
        if isinstance(part, Provision):
            yield from _law_parts(part.exceptions, depth + 1)
