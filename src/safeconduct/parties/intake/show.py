"""What the door's pages show, as values: everything a template needs, worked out beforehand.

A page makes no claim that these functions have not checked: the date comes from the statute as
the Gazette proves it, and an acknowledgement is shown only if the desk's certified key signed
it for that very contribution.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from safeconduct.errors import SafeconductError
from safeconduct.parties.intake.accept import Intake
from safeconduct.parties.intake.tell import Mail, receipt_text
from safeconduct.plumbing.logs import GazetteView
from safeconduct.protocol.gazette import Epoch, StatuteVersion
from safeconduct.protocol.receipt import verify_acknowledgement
from safeconduct.protocol.record import record_hash
from safeconduct.protocol.reply import Reply
from safeconduct.protocol.statute.load import load_statute
from safeconduct.protocol.statute.text import (
    Condition,
    Instant,
    Outcome,
    Passage,
    Provision,
    Statute,
    Words,
    all_conditions,
)

LAW_PAGE_CHARS = 9_000  # of statute text, so that a page stays below 30 kB
MAIL_PAGE_CHARS = 8_000  # of reply text, likewise
DEFAULT_LANGUAGE = "en"

_UNITS = (("day", 86_400), ("hour", 3_600), ("minute", 60))


@dataclass(frozen=True, slots=True, kw_only=True)
class Deadline:
    """A date of the law as a reader needs it: `at` is the first second that is too late."""

    name: str
    section: str
    written: str
    zone: str
    at: int
    passed: bool
    distance: str  # from now, in words


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One reply; `opened` is the desk's signed word on the tip, or empty."""

    text: str
    opened: str
    downloads: tuple[str, str] | None  # acknowledgement and proof as `data:` addresses
    doubt: str  # why an acknowledgement that came along is not believed


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """One contribution and how far it has come; the steps build on one another."""

    number: int
    dated_at: int | None
    received: bool
    deliver_until: int | None
    answers: tuple[Answer, ...]
    downloads: tuple[str, str] | None
    shown: bool  # False: the page is full, only the steps are shown

    @property
    def opened(self) -> str:
        """The desk's word on the tip: ok if it ever said so, else its newest, or empty."""
        words = [answer.opened for answer in self.answers if answer.opened]
        return "ok" if "ok" in words else "".join(words[-1:])

    @property
    def replies(self) -> int:
        """How many replies hold something to read."""
        return sum(1 for answer in self.answers if answer.text)


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
    dates = [_deadline(each, now) for each in deciding_dates(statute)]
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


def deciding_dates(statute: Statute) -> list[Instant]:
    """The instants that some rule compares an act with, earliest first."""
    provisions = [part for part in statute.sections if isinstance(part, Provision)]
    conditions = [each for part in provisions for each in all_conditions(part)]
    named = {each.name for each in conditions if _is_time_test(each)}
    dates = [each for each in statute.parameters.values() if isinstance(each, Instant)]
    return sorted(
        (each for each in dates if each.name in named), key=lambda each: each.limit_at
    )


def _is_time_test(condition: Condition) -> bool:
    return condition.operator == "before"


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
        distance=duration(abs(date.limit_at - now)),
    )


def duration(seconds: int) -> str:
    """A stretch of time in words, its two largest units: `190 days and 7 hours`."""
    parts: list[str] = []
    for name, length in _UNITS:
        count, seconds = divmod(seconds, length)
        if count or parts:
            parts.append(f"{count} {name}{'' if count == 1 else 's'}")
    told = [part for part in parts[:2] if not part.startswith("0 ")]
    return " and ".join(told) if told else "less than a minute"


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


def letters(intake: Intake, mails: tuple[Mail, ...]) -> list[Letter]:
    """The contributions, newest first; replies are shown in full until the page is full."""
    room = MAIL_PAGE_CHARS
    found: list[Letter] = []
    for mail in reversed(mails):
        size = sum(len(reply.text) for reply in mail.replies)
        found.append(_letter(intake, mail, shown=not found or size <= room))
        room -= size
    return found


def _letter(intake: Intake, mail: Mail, *, shown: bool) -> Letter:
    digest = record_hash(mail.capsule.record)
    window = intake.gazette().state.programme.number("delivery-window")
    dated_at = mail.receipt.logged_by if mail.receipt else None
    return Letter(
        number=mail.number,
        dated_at=dated_at,
        received=intake.store.delivered(digest) is not None,
        deliver_until=None if dated_at is None else dated_at + window,
        answers=tuple(_answer(intake, reply, digest) for reply in mail.replies),
        downloads=receipt_text(mail.capsule.record, mail.capsule.proof)
        if mail.receipt
        else None,
        shown=shown,
    )


def _answer(intake: Intake, reply: Reply, digest: bytes) -> Answer:
    opened = doubt = ""
    if reply.acknowledgement:
        try:
            opened = _acknowledged(intake, reply, digest)
        except SafeconductError as error:
            doubt = error.message
    carried = bool(reply.acknowledgement)
    return Answer(
        text=reply.text,
        opened=opened,
        downloads=receipt_text(reply.acknowledgement, reply.proof) if carried else None,
        doubt=doubt,
    )


def _acknowledged(intake: Intake, reply: Reply, digest: bytes) -> str:
    """The status that the desk signed and the Ledger dated for this contribution."""
    receipt = verify_acknowledgement(
        reply.acknowledgement,
        reply.proof,
        digest,
        intake.gazette().state,
        intake.programme.policy,
        intake.programme.ledger_origin,
    )
    return receipt.record.word("status")
