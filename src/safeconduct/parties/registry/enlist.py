"""Enlist: take somebody's listing from a first file to a notice that the Ledger has dated.

    propose    the file: who, why, on what, with which effects
    notify     the registry signs the notice; the Ledger dates it; a letter names a private page

`enlist_decide` and `enlist_final` go on from there. Each step may be done again: a crash
between any two leaves nothing that the same command does not make good.

    subject: r-0001                 their number, for ever
    name: Anton Weller
    assessment:                     what it says of this one person; no two fields the same
      ground: section 1 of the act
      role, conduct, harm, time_since, weight: …
    identity: what shows that this is the person meant
    evidence: [what the assessment rests on, …]
    proposer: the official who answers for it
    effects: [no_office]            left out: all that the law gives; never more
    source: whom the data came from, if not from the person; may be left out
    language: de                    in which the person is written to; left out: en

Spec: docs/3-protocol.md §16.1.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from safeconduct.errors import MalformedError, RefusedError
from safeconduct.parties.registry.duties import law_of, listings_of, standing
from safeconduct.parties.registry.receive import Registry, stands_in_favour
from safeconduct.parties.registry.registrations import PAGE_BYTES, Listed
from safeconduct.parties.registry.told import keep_told, notice_told
from safeconduct.plumbing.logs import log_record
from safeconduct.protocol.canonical import Json, format_json
from safeconduct.protocol.decision.governing import in_force
from safeconduct.protocol.gazette import GazetteState
from safeconduct.protocol.listing import (
    ASSESSMENT_FIELDS,
    REGISTERED,
    SALT_BYTES,
    check_listing,
    listing_object,
    publication_record,
)
from safeconduct.protocol.listing.dossier import (
    DEFAULT_LANGUAGE,
    Dossier,
    format_dossier,
    parse_dossier,
)
from safeconduct.protocol.listing.hearing import notice_record
from safeconduct.protocol.record import Record, sign_record
from safeconduct.protocol.registration import Event, check_individual, dossier_of, terms_of
from safeconduct.protocol.statute.instant import add
from safeconduct.protocol.statute.text import Statute

_TEXTS = ("subject", "name", "listed_on", "review_on", "ends_on")
_FILE_FIELDS = frozenset({"assessment", "evidence", "identity", "name", "proposer", "subject"})
_FILE_OPTIONS = frozenset({"effects", "language", "source"})
_UNDER_WAY = frozenset({"proposed", "notified", "replied"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Notified:
    """A notice that is dated: where its letter lies, and until when a reply counts."""

    listed: Listed
    logged_by: int
    last_reply_at: int
    letter: Path


def propose(registry: Registry, document: Json) -> Listed:
    """Enter a file about one person; the same one again changes nothing.

    Where a listing of this number is under way, the new file takes the place of the old one,
    and the person is heard anew.

    Raises:
        MalformedError: a field is missing, or not what it must be.
        RefusedError: the law does not say how anybody is listed, gives no such effect, or was
            applied in this person's favour.
        ConflictError: a listing of this number was decided already.
    """
    state = registry.gazette().state
    law = law_in_force(state, registry.seconds())
    fields = _file_fields(document)
    effects = _effects(fields, law)
    dossier = Dossier(
        subject=_text(fields, "subject"),
        name=_text(fields, "name"),
        statute=law.sha256,
        assessment=_texts(_table(fields, "assessment")),
        effects=effects,
        salt=registry.random_bytes(SALT_BYTES),
        identity=_text(fields, "identity"),
        evidence=_lines(fields, "evidence"),
        proposer=_text(fields, "proposer"),
        source=_text(fields, "source") if "source" in fields else "",
        private_salt=registry.random_bytes(SALT_BYTES),
        language=_text(fields, "language") if "language" in fields else DEFAULT_LANGUAGE,
    )
    return enter_dossier(registry, state, dossier)


def enter_dossier(registry: Registry, state: GazetteState, dossier: Dossier) -> Listed:
    """Enter a file as the beginning of a listing, or in place of one not decided on yet.

    Raises:
        MalformedError, RefusedError, ConflictError: as `propose`.
    """
    data = format_dossier(dossier)
    parse_dossier(data)
    if stands_in_favour(state, dossier.subject):
        raise RefusedError(f"the law was applied in favour of {dossier.subject}")
    kept = listings_of(registry)
    event = Event(kind="proposed", at=registry.seconds(), data=data)
    for listed in reversed(kept.about(dossier.subject)):
        course = kept.course(listed.number)
        if course.state in _UNDER_WAY:
            if not _same(dossier_of(course), dossier):
                kept.append(listed.number, event)
            return listed
    return kept.open(dossier.subject, registry.random_bytes(PAGE_BYTES), [event])


def _same(one: Dossier, other: Dossier) -> bool:
    """Whether two files say the same; their salts do not count."""
    unsalted = bytes(SALT_BYTES)
    plain = [replace(each, salt=unsalted, private_salt=unsalted) for each in (one, other)]
    return format_dossier(plain[0]) == format_dossier(plain[1])


def law_in_force(state: GazetteState, at: int) -> Statute:
    """The law under which somebody may be listed at `at` (POSIX seconds).

    Raises:
        RefusedError: there is none, or it does not say how.
    """
    law = in_force(state, at) if state.statutes else None
    if law is None:
        raise RefusedError("there is no law in force to list anybody under")
    terms_of(law)
    return law


def notify(registry: Registry, number: int) -> Notified:
    """Sign the notice, have it dated, and write the letter with the address of the page.

    Done again, it writes the same letter again.

    Raises:
        RefusedError: no such listing, or a file that says too little about this person.
    """
    kept, state = listings_of(registry), registry.gazette().state
    listed, course = kept.listed(number), kept.course(number)
    if course.state == "proposed":
        dossier = check_individual(course)
        law = law_of(state, course)
        _check_law(state, law, registry.seconds())
        terms = terms_of(law)
        until = add(registry.seconds(), terms.listing.reply_period, terms.calendar)
        record = notice_record(registry.programme.hash, dossier, until)
        signed = sign_record(record, [registry.key])
        proof, receipt = log_record(registry.programme, signed)
        _check_law(state, law, receipt.logged_by)
        data = format_json(
            {
                "notice": signed.decode("utf-8"),
                "proof": proof.decode("utf-8"),
                "reply_until": until,
            }
        )
        event = Event(kind="notified", at=receipt.logged_by, data=data)
        course = kept.append(number, event, seen=course)
    if "notified" not in course.latest:
        raise RefusedError(f"a listing that is {course.state} cannot be notified")
    found = standing(registry, state, course)
    assert found.last_reply_at is not None
    letter = notice_told(registry, listed, course, found, law_of(state, course))
    return Notified(
        listed=listed,
        logged_by=course.latest["notified"].at,
        last_reply_at=found.last_reply_at,
        letter=keep_told(registry, number, "notice", letter),
    )


def _check_law(state: GazetteState, law: Statute, at: int) -> None:
    now = law_in_force(state, at)
    if now.sha256 != law.sha256:
        raise RefusedError(
            f"the file was proposed under version {law.version.number} of the law, and version "
            f"{now.version.number} is in force",
            hint="propose it again",
        )


def _file_fields(document: Json) -> dict[str, Json]:
    if not isinstance(document, dict) or document.keys() - _FILE_OPTIONS != _FILE_FIELDS:
        raise MalformedError(
            f"file: needs exactly {', '.join(sorted(_FILE_FIELDS))}, "
            f"and may have {', '.join(sorted(_FILE_OPTIONS))}"
        )
    return document


def _effects(fields: Mapping[str, Json], law: Statute) -> tuple[str, ...]:
    given = terms_of(law).listing.effects
    effects = _lines(fields, "effects") if "effects" in fields else given
    beyond = sorted(set(effects) - set(given))
    if beyond:
        raise RefusedError(
            f"the law does not give: {', '.join(beyond)}",
            hint=f"a listing may have: {', '.join(given) or 'no effect at all'}",
        )
    return tuple(effect for effect in given if effect in effects)


def _text(fields: Mapping[str, Json], name: str) -> str:
    value = fields[name]
    if not isinstance(value, str):
        raise MalformedError(f"file: {name} must be text")
    return value


def _table(fields: Mapping[str, Json], name: str) -> dict[str, Json]:
    value = fields[name]
    if not isinstance(value, dict) or not value.keys() <= ASSESSMENT_FIELDS:
        raise MalformedError(
            f"file: {name} speaks of {', '.join(sorted(ASSESSMENT_FIELDS))}, each in words"
        )
    return value


def _lines(fields: Mapping[str, Json], name: str) -> tuple[str, ...]:
    value = fields[name]
    if not isinstance(value, list):
        raise MalformedError(f"file: {name} must be a list of texts")
    return tuple(_text({name: each}, name) for each in value)


# Under a law that does not say how anybody is listed.


def draft_listing(registry: Registry, document: Json) -> Record:
    """The publication for the board to sign; keeps the object that it names.

    Raises:
        MalformedError: a field is missing, empty or not text.
        RefusedError: there is no law yet to list anybody under, or it says how somebody is
            heard before.
    """
    if not isinstance(document, dict) or document.keys() != {*_TEXTS, "assessment"}:
        raise MalformedError(f"listing: needs exactly {', '.join(_TEXTS)} and assessment")
    texts = _texts({name: document[name] for name in _TEXTS})
    assessment = document["assessment"]
    data = listing_object(
        texts["subject"],
        texts["name"],
        _texts(assessment if isinstance(assessment, dict) else {}),
        listed_on=texts["listed_on"],
        review_on=texts["review_on"],
        ends_on=texts["ends_on"],
        salt=registry.random_bytes(SALT_BYTES),
    )
    view = registry.gazette()
    state = view.state
    law = in_force(state, view.cosigned.vouched_at) if state.statutes else None
    if law is None:
        raise RefusedError("there is no law in force to list anybody under")
    if law.procedure.listing is not None:
        raise RefusedError(
            "the law says that nobody is listed unheard",
            hint="begin with: safeconduct register list propose FILE",
        )
    sha256 = hashlib.sha256(data).digest()
    record = publication_record(
        registry.programme.hash,
        len(state.publications) + 1,
        statute=law.sha256,
        subject=texts["subject"],
        standing=REGISTERED,
        object_sha256=sha256,
        final_at=view.cosigned.vouched_at,
    )
    check_listing(data, record)
    registry.store.keep_object(sha256, texts["subject"], data)
    return record


def _texts(table: dict[str, Json]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, text in table.items():
        if not isinstance(text, str) or not text.strip() or not text.isprintable():
            raise MalformedError(f"listing: {name} must be a line of text")
        found[name] = text
    return found
