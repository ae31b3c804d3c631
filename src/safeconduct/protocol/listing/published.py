"""What the public register prints, and the listings behind it.

    {"number": 3, "object": "9f…", "standing": "acquitted", "statute": "1c…", "subject":
    "r-0002"}

The newest publication about a subject decides its standing. Registry and auditor fold alike, so
the book can always be recomputed from the Gazette.

Three kinds of object stand behind a publication: a decision (§15.4), a listing, and the end of
a listing. A listing shows how its person was heard, where its law says how (`hearing`).

Spec: docs/3-protocol.md §16, §16.1.
"""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import date

from safeconduct.errors import MalformedError
from safeconduct.protocol.canonical import Json, format_json, parse_json
from safeconduct.protocol.listing.dossier import ASSESSMENT_FIELDS
from safeconduct.protocol.record import Record, make_record

REGISTERED = "registered"
OBJECT_BYTES_MAX = 1 << 20
_LISTING_FIELDS = frozenset(
    {"assessment", "ends_on", "listed_on", "name", "review_on", "salt", "subject", "type"}
)
HEARD_FIELDS = frozenset({"effects", "hearing", "private"})
END_CAUSES = frozenset({"expired", "quashed", "replaced", "withdrawn"})
"""How a listing may end other than by an outcome of the law; also the standing then shown."""
_END_FIELDS = frozenset({"cause", "ended_on", "listing", "reasons", "salt", "subject", "type"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One subject's standing, and the publication that it rests on."""

    subject: str
    standing: str
    number: int
    statute: bytes
    object: bytes


def fold_register(publications: Iterable[Record]) -> tuple[Line, ...]:
    """The register's lines by subject, after all publications in order."""
    lines = {
        record.word("subject"): Line(
            subject=record.word("subject"),
            standing=record.word("standing"),
            number=record.number("number"),
            statute=record.hash("statute"),
            object=record.hash("object"),
        )
        for record in publications
    }
    return tuple(lines[subject] for subject in sorted(lines))


def format_register(lines: Iterable[Line]) -> bytes:
    """`register.json`: canonical JSON of the lines."""
    table: list[Json] = [
        {
            "number": line.number,
            "object": line.object.hex(),
            "standing": line.standing,
            "statute": line.statute.hex(),
            "subject": line.subject,
        }
        for line in lines
    ]
    return format_json({"lines": table})


def listing_object(
    subject: str,
    name: str,
    assessment: dict[str, str],
    *,
    listed_on: str,
    review_on: str,
    ends_on: str,
    salt: bytes,
) -> bytes:
    """The object behind a `registered` publication; the salt keeps its hash from being guessed.

    Raises:
        MalformedError: a field of the individual assessment is missing or empty.
    """
    if assessment.keys() != ASSESSMENT_FIELDS or not all(assessment.values()):
        raise MalformedError(f"a listing needs each of: {', '.join(sorted(ASSESSMENT_FIELDS))}")
    return format_json(
        {
            "assessment": dict(assessment),
            "ends_on": ends_on,
            "listed_on": listed_on,
            "name": name,
            "review_on": review_on,
            "salt": salt.hex(),
            "subject": subject,
            "type": "listing",
        }
    )


def check_listing(data: bytes, publication: Record) -> dict[str, Json]:
    """The listing in `data`, once it is complete and belongs to its publication.

    Raises:
        MalformedError: not canonical, incomplete, or of another subject.
    """
    value = parse_json(data, "listing", bytes_max=OBJECT_BYTES_MAX)
    if not isinstance(value, dict) or value.keys() - HEARD_FIELDS != _LISTING_FIELDS:
        raise MalformedError("listing: not the fields a listing has")
    if value.keys() & HEARD_FIELDS not in (HEARD_FIELDS, frozenset()):
        raise MalformedError("listing: its hearing is shown in part")
    assessment = value["assessment"]
    if not isinstance(assessment, dict) or assessment.keys() != ASSESSMENT_FIELDS:
        raise MalformedError("listing: the individual assessment is incomplete")
    if not all(isinstance(text, str) and text for text in assessment.values()):
        raise MalformedError("listing: a field of the individual assessment says nothing")
    if value["subject"] != publication.word("subject") or value["type"] != "listing":
        raise MalformedError("listing: belongs to another publication")
    for name in ("listed_on", "review_on", "ends_on"):
        _check_day(value[name], f"listing: {name}")
    return value


def _check_day(value: Json, what: str) -> None:
    """Check that this is a day; programs that read the register count on it."""
    with suppress(ValueError):
        if isinstance(value, str) and date.fromisoformat(value).isoformat() == value:
            return
    raise MalformedError(f"{what} is no day such as 2027-06-01")


def listing_end(
    publication: Record, cause: str, reasons: str, *, ended_on: str, salt: bytes
) -> bytes:
    """The object that ends a published listing, on a day such as 2027-06-01.

    Raises:
        MalformedError: the cause is none of `END_CAUSES`, or no reasons are given.
    """
    data = format_json(
        {
            "cause": cause,
            "ended_on": ended_on,
            "listing": publication.hash("object").hex(),
            "reasons": reasons,
            "salt": salt.hex(),
            "subject": publication.word("subject"),
            "type": "listing-end",
        }
    )
    check_end(data, publication.word("subject"), cause)
    return data


def check_end(data: bytes, subject: str, standing: str) -> dict[str, Json]:
    """The end of a listing in `data`, once it belongs to what is published.

    Raises:
        MalformedError: not canonical, incomplete, of another subject or another standing.
    """
    value = parse_json(data, "listing's end", bytes_max=OBJECT_BYTES_MAX)
    if not isinstance(value, dict) or value.keys() != _END_FIELDS:
        raise MalformedError("listing's end: not the fields it has")
    if not all(isinstance(text, str) and text for text in value.values()):
        raise MalformedError("listing's end: a field says nothing")
    _check_day(value["ended_on"], "listing's end: ended_on")
    if value["cause"] not in END_CAUSES or value["cause"] != standing:
        raise MalformedError("listing's end: another cause than is published")
    if value["subject"] != subject or value["type"] != "listing-end":
        raise MalformedError("listing's end: belongs to another publication")
    return value


def publication_record(
    programme: bytes,
    number: int,
    *,
    statute: bytes,
    subject: str,
    standing: str,
    object_sha256: bytes,
    final_at: int,
) -> Record:
    """A publication, for the board to sign and the Gazette to take."""
    return make_record(
        "publication",
        programme=programme,
        number=number,
        statute=statute,
        subject=subject,
        standing=standing,
        object=object_sha256,
        final=final_at,
    )
