"""What a listed person is told: notice, decision, end; each a letter in their own language.

    notice     that the body proposes to enter them: the whole file, how to reply until when
    decision   the board's, and how to appeal until when      panel    the appeal panel's
    end        that the listing has ended, and why

A letter lies in the registry's folder until somebody serves it, and on the person's private
page. Whoever holds it holds the address of that page, so it is for the person alone.
"""

from collections.abc import Iterable
from datetime import date
from pathlib import Path

from safeconduct.parties.registry.letter import Letter, make_letter, sealed
from safeconduct.parties.registry.letter_files import LETTERS_FOLDER, keep_letter
from safeconduct.parties.registry.letter_words import day, moment, said
from safeconduct.parties.registry.receive import Registry
from safeconduct.parties.registry.registrations import Listed
from safeconduct.protocol.decision import REMIT
from safeconduct.protocol.listing.dossier import Dossier
from safeconduct.protocol.listing.hearing import days_of
from safeconduct.protocol.registration import REGISTERED, Course, Registration, dossier_of
from safeconduct.protocol.statute.text import Statute
from safeconduct.protocol.statute.wording import one_line
from safeconduct.protocol.statute.wording.voice import voice

_ASSESSED = ("ground", "role", "conduct", "harm", "time_since", "weight")


def told_stem(number: int, kind: str) -> str:
    """Under which name the letter of a `kind` about listing `number` is kept."""
    return f"listing-{number}-{kind}"


def keep_told(registry: Registry, number: int, kind: str, letter: Letter) -> Path:
    """Keep a letter, for its person alone; returns where its page lies."""
    return keep_letter(registry.folder / LETTERS_FOLDER, told_stem(number, kind), letter)


def page_address(registry: Registry, listed: Listed) -> str:
    """The address of a person's private page."""
    return f"{registry.programme.register}/listing/{listed.page.hex()}"


def notice_told(
    registry: Registry, listed: Listed, course: Course, found: Registration, law: Statute
) -> Letter:
    """The notice in words: the whole file, and how to reply until when."""
    dossier = dossier_of(course)
    language = dossier.language
    assert found.last_reply_at is not None
    until = said(language, "reply until", moment=moment(language, found.last_reply_at))
    assessed, effects, background = file_told(dossier, law, language)
    lines = [
        said(language, "notice", name=dossier.name, subject=dossier.subject),
        "",
        said(language, "proposes"),
        "",
        until,
        said(language, "replying"),
        *_page(registry, listed, language),
        "",
        said(language, "file"),
        *(f"- {line}" for line in assessed),
        "",
        *effects,
        _law(law, language),
        "",
        said(language, "background"),
        *(f"- {line}" for line in background),
    ]
    return make_letter("\n".join(lines) + "\n", language, strong=(until,))


def _page(registry: Registry, listed: Listed, language: str) -> list[str]:
    address = page_address(registry, listed)
    return [said(language, "page", address=address), said(language, "secret")]


def _law(law: Statute, language: str) -> str:
    terms = law.procedure.listing
    assert terms is not None  # a law without them lists nobody like this
    title = voice(law, language).words(law.title)
    return said(language, "law", title=title, number=law.version.number, section=terms.section)


def file_told(
    dossier: Dossier, law: Statute, language: str = "en"
) -> tuple[tuple[str, ...], ...]:
    """The whole file in words: what the person is shown is what the board decides on."""
    assessed = [
        said(language, field, text=dossier.assessment.get(field, "")) for field in _ASSESSED
    ]
    background = [
        said(language, "identified", text=dossier.identity),
        *(said(language, "rests", text=each) for each in dossier.evidence),
        said(language, "proposer", text=dossier.proposer),
    ]
    if dossier.source:
        background.append(said(language, "source", text=dossier.source))
    effects = said(language, "effects", effects=_effects(dossier, law, language))
    return tuple(assessed), (effects,), tuple(background)


def _effects(dossier: Dossier, law: Statute, language: str) -> str:
    named = "; ".join(voice(law, language).effect(effect) for effect in dossier.effects)
    return named or said(language, "none")


def reasons_told(
    dossier: Dossier,
    law: Statute,
    outcome: str,
    *,
    replied: bool,
    remitted_at: int | None = None,
) -> str:
    """The reasons that a decision binds by their hash; the same whenever they are made."""
    language, entered = dossier.language, outcome == REGISTERED
    verdict = "entered" if entered else "not entered"
    lines = [
        said(language, verdict, name=dossier.name, subject=dossier.subject),
        _law(law, language),
        said(language, "read" if replied else "unread"),
    ]
    if remitted_at is not None:
        lines.append(said(language, "again", moment=moment(language, remitted_at)))
    if entered:
        assessed, _, _ = file_told(dossier, law, language)
        lines += ["", said(language, "why"), *(f"- {line}" for line in assessed)]
        lines += ["", said(language, "given", effects=_effects(dossier, law, language))]
    return "\n".join(lines) + "\n"


def decision_told(
    registry: Registry,
    listed: Listed,
    course: Course,
    kind: str,
    signers: Iterable[str],
    last_appeal_at: int | None,
    law: Statute,
) -> Letter:
    """A decision as it is served: the one that the event `kind` of the course holds.

    `last_appeal_at` is POSIX seconds, None where nobody can appeal.
    """
    language, event = dossier_of(course).language, course.latest[kind]
    titled = "panel" if kind == "appeal_decided" else "decision"
    lines = [said(language, titled, number=listed.number), ""]
    if kind == "appeal_decided":
        lines += [said(language, event.word("result")), "", said(language, "because")]
        lines += [f"- {one_line(line)}" for line in event.word("letter").splitlines()]
    else:
        lines += event.word("letter").rstrip("\n").split("\n")
    lines += ["", *sealed(signers, event.at, language), ""]
    until = ""
    if last_appeal_at is not None:
        section, at = law.procedure.appeal_section, moment(language, last_appeal_at)
        until = said(language, "you may", section=section, moment=at)
        lines += [*_days(event.at, law, language), "", until, said(language, "meanwhile")]
    elif event.word("outcome") != REGISTERED:
        lines.append(said(language, "nothing"))
    elif kind == "appeal_decided" and event.word("result") != REMIT:
        lines.append(said(language, "last word"))
    lines += [*_page(registry, listed, language), said(language, "check listed")]
    return make_letter("\n".join(lines) + "\n", language, strong=(until, lines[2]))


def _days(decided_at: int, law: Statute, language: str) -> list[str]:
    """When a listing is reviewed and when it ends, if it comes into effect."""
    terms = law.procedure.listing
    assert terms is not None
    days = days_of(decided_at, law, terms)
    named = {"reviewed": days.review_on, "ends": days.ends_on}
    return [
        said(language, key, day=day(language, date.fromisoformat(on).toordinal()))
        for key, on in named.items()
    ]


def end_told(registry: Registry, listed: Listed, course: Course, law: Statute) -> Letter:
    """That a listing has ended, when and why. Requires that it has."""
    dossier, ended = dossier_of(course), course.latest["ended"]
    language, cause = dossier.language, ended.word("cause")
    seen = "effective" in course.latest
    outcome = said(language, "over" if seen else "unseen")
    lines = [
        said(language, "end", number=listed.number),
        said(language, "to", name=dossier.name, subject=dossier.subject),
        "",
        outcome,
        said(language, cause),
        said(language, "reasons", text=ended.word("reasons")),
        said(language, "ended on", moment=moment(language, ended.at)),
        _law(law, language),
        "",
        *_page(registry, listed, language),
    ]
    return make_letter("\n".join(lines) + "\n", language, strong=(outcome,))
