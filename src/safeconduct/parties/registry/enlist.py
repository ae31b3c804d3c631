"""Enlist: draft the publication that enters a person, after an individual assessment.

    subject: r-0001                 their number, for ever
    name: Anton Weller
    listed_on: "2026-01-15"         and review_on, ends_on
    assessment:                     each of these must say something
      ground: section 1 of the act
      role, conduct, harm, time_since, weight: …

Spec: docs/3-protocol.md §15.4.
"""

import hashlib

from safeconduct.errors import MalformedError, RefusedError
from safeconduct.parties.registry.receive import Registry
from safeconduct.protocol.canonical import Json
from safeconduct.protocol.listing import (
    REGISTERED,
    SALT_BYTES,
    check_listing,
    listing_object,
    publication_record,
)
from safeconduct.protocol.record import Record

_TEXTS = ("subject", "name", "listed_on", "review_on", "ends_on")


def draft_listing(registry: Registry, document: Json) -> Record:
    """The publication for the board to sign; keeps the object that it names.

    Raises:
        MalformedError: a field is missing, empty or not text.
        RefusedError: there is no law yet to list anybody under.
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
    if not state.statutes:
        raise RefusedError("there is no law yet to list anybody under")
    sha256 = hashlib.sha256(data).digest()
    record = publication_record(
        registry.programme.hash,
        len(state.publications) + 1,
        statute=state.statutes[-1].sha256,
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
