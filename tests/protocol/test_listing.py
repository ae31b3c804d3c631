"""The register: folded from publications, one line a subject, nobody listed without reasons."""

from collections.abc import Callable

import pytest
from tests.protocol.builders import NOON, PROGRAMME, publication_act

from safeconduct.errors import MalformedError
from safeconduct.protocol.canonical import Json, format_json, parse_json
from safeconduct.protocol.listing import (
    ASSESSMENT_FIELDS,
    check_listing,
    fold_register,
    format_register,
    listing_object,
    publication_record,
)
from safeconduct.protocol.record import Record

ASSESSMENT = {field: f"about {field}" for field in ASSESSMENT_FIELDS}
PUBLICATION = publication_act()


def listing(assessment: dict[str, str] = ASSESSMENT, subject: str = "r-0001") -> bytes:
    return listing_object(
        subject,
        "Ada Example",
        assessment,
        listed_on="2026-01-01",
        review_on="2027-01-01",
        ends_on="2028-01-01",
        salt=bytes(16),
    )


def published(number: int, subject: str, standing: str) -> Record:
    return publication_act(number=number, subject=subject, standing=standing)


def test_the_newest_publication_decides_a_subjects_standing() -> None:
    lines = fold_register(
        [
            published(1, "r-0002", "registered"),
            published(2, "r-0001", "registered"),
            published(3, "r-0002", "acquitted"),
        ]
    )
    assert [(line.subject, line.standing, line.number) for line in lines] == [
        ("r-0001", "registered", 2),
        ("r-0002", "acquitted", 3),
    ]


def test_the_register_is_the_same_for_everybody() -> None:
    lines = fold_register([PUBLICATION])
    value = parse_json(format_register(lines), "register")
    assert value == {
        "lines": [
            {
                "number": 1,
                "object": "00" * 32,
                "standing": "registered",
                "statute": PUBLICATION.hash("statute").hex(),
                "subject": "r-0001",
            }
        ]
    }


def test_an_empty_register_is_a_register() -> None:
    assert format_register(fold_register([])) == b'{"lines":[]}'


def test_a_listing_is_checked_against_its_publication() -> None:
    value = check_listing(listing(), PUBLICATION)
    assert value["assessment"] == ASSESSMENT


@pytest.mark.parametrize("field", sorted(ASSESSMENT_FIELDS))
def test_nobody_is_listed_without_an_individual_assessment(field: str) -> None:
    missing = {name: text for name, text in ASSESSMENT.items() if name != field}
    for assessment in (missing, {**ASSESSMENT, field: ""}, {**ASSESSMENT, "more": "x"}):
        with pytest.raises(MalformedError, match="each of"):
            listing(assessment)


def edited(change: Callable[[dict[str, Json]], object]) -> bytes:
    value = parse_json(listing(), "listing")
    assert isinstance(value, dict)
    change(value)
    return format_json(value)


LISTINGS: dict[str, Callable[[], bytes]] = {
    "of another subject": lambda: listing(subject="r-0002"),
    "of another type": lambda: edited(lambda value: value.update(type="decision")),
    "with a field missing": lambda: edited(lambda value: value.pop("review_on")),
    "with a field too many": lambda: edited(lambda value: value.update(photo="")),
    "without an assessment": lambda: edited(lambda value: value.update(assessment={})),
    "with an assessment that says nothing": lambda: edited(
        lambda value: value.update(assessment={**dict.fromkeys(ASSESSMENT_FIELDS, "")})
    ),
    "with numbers for an assessment": lambda: edited(
        lambda value: value.update(assessment={**dict.fromkeys(ASSESSMENT_FIELDS, 1)})
    ),
    "that is a list": lambda: b"[]",
    "not canonical": lambda: listing() + b"\n",
}


@pytest.mark.parametrize("data", LISTINGS.values(), ids=LISTINGS)
def test_a_listing_is_refused(data: Callable[[], bytes]) -> None:
    with pytest.raises(MalformedError):
        check_listing(data(), PUBLICATION)


def test_a_publication_names_what_it_publishes() -> None:
    record = publication_record(
        PROGRAMME,
        1,
        statute=PUBLICATION.hash("statute"),
        subject="r-0001",
        standing="registered",
        object_sha256=bytes(32),
        final_at=NOON,
    )
    assert record == PUBLICATION
