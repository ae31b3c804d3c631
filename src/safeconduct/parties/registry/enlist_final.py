"""Finish a listing: make it final and public; later review it, correct it, end it.

    finalise   the time for an appeal is over, or the panel upheld: a publication to be signed
    publish    the Gazette takes it: only now does anybody else see anything
    review     the board looked again, and says what it found
    end        by time, by a court, by another listing; the end is published as well

Spec: docs/3-protocol.md §16.1.
"""

import hashlib
from collections.abc import Mapping

from safeconduct.errors import MalformedError, RefusedError, UnverifiedError
from safeconduct.parties.registry.duties import law_of, listings_of, standing
from safeconduct.parties.registry.enlist_decide import appeal_of
from safeconduct.parties.registry.receive import Registry, stands_in_favour
from safeconduct.parties.registry.told import end_told, keep_told
from safeconduct.plumbing.logs import log_notice
from safeconduct.protocol.canonical import Json, format_json
from safeconduct.protocol.gazette import GazetteState
from safeconduct.protocol.listing import (
    END_CAUSES,
    REGISTERED,
    SALT_BYTES,
    listing_end,
    publication_record,
)
from safeconduct.protocol.listing.dossier import TEXT_CHARACTERS_MAX
from safeconduct.protocol.listing.hearing import (
    Contested,
    Hearing,
    days_of,
    heard_object,
    recheck_listing,
)
from safeconduct.protocol.record import Record, parse_signed
from safeconduct.protocol.registration import (
    Course,
    Event,
    check_individual,
    dossier_of,
    terms_of,
)
from safeconduct.protocol.statute.instant import format_instant


def finalise(registry: Registry, number: int, *, ahead: int = 0) -> Record | None:
    """The publication of a listing that has become final, for the board to sign; else None.

    Keeps the object it names. `ahead` is how many other publications, drafted but not yet taken
    by the Gazette, go before it.

    Raises:
        RefusedError: no such listing, or the law was applied in this person's favour.
        UnverifiedError: the hearing does not hold; then nothing may be published.
    """
    view, kept = registry.gazette(), listings_of(registry)
    course = kept.course(number)
    if course.state not in {"decided", "final"}:
        return None
    final_from = _final_from(registry, view.state, course)
    if view.cosigned.vouched_at <= final_from:
        return None
    dossier = check_individual(course)
    if stands_in_favour(view.state, dossier.subject):
        raise RefusedError(f"the law was applied in favour of {dossier.subject}")
    if course.state == "decided":
        kept.append(number, Event(kind="final", at=final_from + 1))
    law = law_of(view.state, course)
    days = days_of(course.latest["decided"].at, law, terms_of(law).listing)
    data = heard_object(dossier, days, hearing_of(course))
    sha256 = hashlib.sha256(data).digest()
    if any(one.hash("object") == sha256 for one in view.state.publications):
        return None  # the Gazette took it; to be entered again, if that was not noted
    record = publication_record(
        registry.programme.hash,
        len(view.state.publications) + 1 + ahead,
        statute=dossier.statute,
        subject=dossier.subject,
        standing=REGISTERED,
        object_sha256=sha256,
        final_at=final_from + 1,
    )
    recheck_listing(data, record, view.state, registry.programme.policy)
    registry.store.keep_object(sha256, dossier.subject, data)
    return record


def _final_from(registry: Registry, state: GazetteState, course: Course) -> int:
    """The last second in which the decision could still be appealed, or was under appeal."""
    last = standing(registry, state, course).last_appeal_at
    assert last is not None
    return max(last, course.latest["appeal_decided"].at) if _upheld(course) else last


def _upheld(course: Course) -> bool:
    """Whether the decision that stands was appealed, and stood."""
    decided = course.latest.get("appeal_decided")
    return course.appealed and decided is not None


def hearing_of(course: Course) -> Hearing:
    """How somebody was heard, as their published listing shows it."""
    notified, decided = course.latest["notified"], course.latest["decided"]
    record = parse_signed(_text(decided, "decision")).record
    proof = _text(decided, "reply_proof")
    appeal = None
    if _upheld(course):
        panel = course.latest["appeal_decided"]
        appeal = Contested(
            appeal=appeal_of(course),
            appeal_proof=_text(panel, "appeal_proof"),
            decision=_text(panel, "decision"),
            decision_proof=_text(panel, "proof"),
            letter=panel.word("letter"),
            votes=panel.table()["votes"],
        )
    return Hearing(
        notice=_text(notified, "notice"),
        notice_proof=_text(notified, "proof"),
        decision=_text(decided, "decision"),
        decision_proof=_text(decided, "proof"),
        letter=decided.word("letter"),
        reply=(record.hash("reply"), proof) if proof else None,
        votes=decided.table()["votes"],
        appeal=appeal,
    )


def _text(event: Event, name: str) -> bytes:
    return event.word(name).encode("utf-8")


def publish_listing(registry: Registry, number: int, signed: bytes) -> None:
    """Have a signed publication taken by the Gazette, and note it; the same one again is no
    error.

    Raises:
        MalformedError, UnverifiedError: the Gazette does not admit it, or it is another's.
        RefusedError: the listing is under appeal, or not final yet.
    """
    kept = listings_of(registry)
    course, record = kept.course(number), parse_signed(signed, "publication").record
    dossier = dossier_of(course)
    if record.word("subject") != dossier.subject or record.word("standing") != REGISTERED:
        raise UnverifiedError("the publication is about something else than this listing")
    data = registry.store.object(record.hash("object"))
    view = registry.gazette()
    recheck_listing(data, record, view.state, registry.programme.policy)
    if course.state != "effective":
        if course.state != "final":
            raise RefusedError(f"a listing that is {course.state} cannot be published")
        if record.number("final") > view.cosigned.vouched_at:
            final = format_instant(record.number("final"))
            raise RefusedError(f"the decision becomes final at {final}")
    log_notice(registry.programme, signed)
    if course.state == "final":
        noted: dict[str, Json] = {
            "object": record.hash("object").hex(),
            "publication": record.number("number"),
        }
        event = Event(kind="effective", at=registry.seconds(), data=format_json(noted))
        kept.append(number, event)


def review(registry: Registry, number: int, found: str) -> None:
    """Note that the board looked at a listing again, and what it found.

    Raises:
        MalformedError: it says nothing.
        RefusedError: the listing has no effects to be reviewed.
    """
    data = _words({"found": found})
    listings_of(registry).append(
        number, Event(kind="reviewed", at=registry.seconds(), data=data)
    )


def judge_identity(registry: Registry, number: int, judgement: str, evidence: str) -> None:
    """Note whether this is the person meant: same, different or unsure, and on what evidence.

    Each judgement stands beside those before it; the newest counts.

    Raises:
        MalformedError: another word, or no evidence.
        RefusedError: no such listing.
    """
    data = _words({"evidence": evidence, "judgement": judgement})
    listings_of(registry).append(
        number, Event(kind="identity", at=registry.seconds(), data=data)
    )


def correct(registry: Registry, number: int, field: str, change: Mapping[str, str]) -> None:
    """Note that a field of a file was wrong: what it `was`, what it `is`, on what `evidence`.

    Raises:
        MalformedError: one of these is missing.
        RefusedError: no such listing.
    """
    data = _words({"field": field, **change})
    listings_of(registry).append(
        number, Event(kind="corrected", at=registry.seconds(), data=data)
    )


def end(registry: Registry, number: int, cause: str, reasons: str) -> Record | None:
    """End a listing; returns the publication for the board to sign, if anybody ever saw it.

    Done again, it drafts the same end again.

    Raises:
        MalformedError: no reasons.
        RefusedError: it cannot end like that now, or its time is not over.
    """
    view, kept = registry.gazette(), listings_of(registry)
    course = kept.course(number)
    found = standing(registry, view.state, course)
    if course.state != "ended":
        if cause == "expired" and found.state != "ended":
            raise RefusedError("its time is not over", hint="quashed and replaced need none")
        at = found.ended_at if found.ended_at is not None else registry.seconds()
        salt = registry.random_bytes(SALT_BYTES)
        data = _words({"cause": cause, "reasons": reasons, "salt": salt.hex()})
        course = kept.append(number, Event(kind="ended", at=at, data=data))
    if "notified" in course.latest:  # whoever was told of the beginning is told of the end
        letter = end_told(registry, kept.listed(number), course, law_of(view.state, course))
        keep_told(registry, number, "end", letter)
    if "effective" not in course.latest or course.cause not in END_CAUSES:
        return None
    return _end_publication(registry, view.state, course)


def _end_publication(registry: Registry, state: GazetteState, course: Course) -> Record:
    ended, dossier = course.latest["ended"], dossier_of(course)
    entered = course.latest["effective"].table()["publication"]
    [published] = [one for one in state.publications if one.number("number") == entered]
    data = listing_end(
        published,
        course.cause,
        ended.word("reasons"),
        ended_on=format_instant(ended.at)[:10],
        salt=bytes.fromhex(ended.word("salt")),
    )
    sha256 = hashlib.sha256(data).digest()
    registry.store.keep_object(sha256, dossier.subject, data)
    return publication_record(
        registry.programme.hash,
        len(state.publications) + 1,
        statute=dossier.statute,
        subject=dossier.subject,
        standing=course.cause,
        object_sha256=sha256,
        final_at=ended.at,
    )


def publish_end(registry: Registry, number: int, signed: bytes) -> None:
    """Have the signed end of a listing taken by the Gazette; the same one again is no error.

    Raises:
        MalformedError, UnverifiedError: the Gazette does not admit it, or it is another's.
        RefusedError: the listing has not ended.
    """
    kept = listings_of(registry)
    course, record = kept.course(number), parse_signed(signed, "publication").record
    if course.state != "ended":
        raise RefusedError(f"a listing that is {course.state} has not ended")
    if (record.word("subject"), record.word("standing")) != (
        dossier_of(course).subject,
        course.cause,
    ):
        raise UnverifiedError("the publication is about something else than this listing's end")
    registry.store.object(record.hash("object"))
    log_notice(registry.programme, signed)
    if "end_published" not in course.latest:
        noted = format_json({"publication": record.number("number")})
        kept.append(number, Event(kind="end_published", at=registry.seconds(), data=noted))


def _words(table: Mapping[str, str]) -> bytes:
    for name, text in table.items():
        if not text.strip() or not text.isprintable():
            raise MalformedError(f"{name} must be a line of text")
        if len(text) > TEXT_CHARACTERS_MAX:
            raise MalformedError(f"{name} is longer than {TEXT_CHARACTERS_MAX} characters")
    return format_json(dict(table))
