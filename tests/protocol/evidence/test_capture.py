"""The public part of a capture: one byte form, and everything in it follows from its text."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from safeconduct.errors import MalformedError, UnverifiedError
from safeconduct.protocol.canonical import Json, format_json, parse_json
from safeconduct.protocol.evidence.capture import (
    PUBLIC_BYTES_MAX,
    Capture,
    Claimed,
    check_capture,
    format_capture,
    make_capture,
    parse_capture,
)
from safeconduct.protocol.evidence.page_text import strip_boilerplate

TEXT = "The book\n\nAnton Weller, a clerk, said: “I denounce it.”\n\nLeave a Reply"


def _capture(text: str = TEXT, claimed: Claimed | None = None) -> Capture:
    return make_capture(
        strip_boilerplate(text),
        address="https://courier.example/book",
        captured_at=1_790_000_000,
        media_type="text/plain",
        raw=text.encode(),
        warc=b"a warc",
        extractor=("plain", "1"),
        claimed=claimed,
    )


@pytest.mark.parametrize(
    "claimed", [None, Claimed(earliest_on="2026-05-12", latest_on="2026-05-13")]
)
def test_a_capture_survives_its_bytes(claimed: Claimed | None) -> None:
    capture = _capture(claimed=claimed)
    assert check_capture(format_capture(capture)) == capture
    assert capture.statements[0].speaker == "Anton Weller"
    assert [piece.reason for piece in capture.dropped] == ["comment form"]


def test_the_public_part_does_not_hold_what_was_dropped() -> None:
    assert b"Leave a Reply" not in format_capture(_capture())


def _said_otherwise(capture: Capture) -> Capture:
    statement = replace(capture.statements[0], speaker="Maria Lund")
    return replace(capture, statements=(statement,))


LIES: dict[str, Callable[[Capture], Capture]] = {
    "another speaker": _said_otherwise,
    "a statement left out": lambda capture: replace(capture, statements=()),
    "another title": lambda capture: replace(capture, title="Another book"),
    "boilerplate put back": lambda capture: replace(
        capture, text=capture.text + "\n\nLeave a Reply"
    ),
    "a word of the text changed": lambda capture: replace(
        capture, text=capture.text.replace("denounce", "support")
    ),
    "rules of another version": lambda capture: replace(capture, finder_version=99),
}


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES.keys())
def test_a_public_part_that_does_not_follow_from_its_text_is_refused(
    lie: Callable[[Capture], Capture],
) -> None:
    with pytest.raises(UnverifiedError):
        check_capture(format_capture(lie(_capture())))


BAD_FIELDS: dict[str, tuple[str, Json]] = {
    "a blank in the address": ("address", "https://a b"),
    "an upper-case media type": ("media_type", "Text/Plain"),
    "a negative time": ("captured_at", -1),
    "a truth value for a time": ("captured_at", True),
    "an unknown kind": ("kind", "safeconduct/v1/other"),
    "days in the wrong order": (
        "claimed",
        {"earliest_on": "2026-05-13", "latest_on": "2026-05-12"},
    ),
    "a day that does not exist": (
        "claimed",
        {"earliest_on": "2026-02-30", "latest_on": "2026-03-01"},
    ),
    "no list of statements": ("statements", None),
}


@pytest.mark.parametrize(("field", "value"), BAD_FIELDS.values(), ids=BAD_FIELDS.keys())
def test_a_field_out_of_bounds_is_refused(field: str, value: Json) -> None:
    fields = parse_json(format_capture(_capture()), "capture")
    assert isinstance(fields, dict)
    with pytest.raises(MalformedError):
        parse_capture(format_json(fields | {field: value}))


def test_a_field_missing_or_unknown_is_refused() -> None:
    fields = parse_json(format_capture(_capture()), "capture")
    assert isinstance(fields, dict)
    with pytest.raises(MalformedError):
        parse_capture(format_json(fields | {"note": "x"}))
    del fields["title"]
    with pytest.raises(MalformedError):
        parse_capture(format_json(fields))


def test_an_article_too_long_for_a_claim_is_refused_by_name() -> None:
    with pytest.raises(MalformedError, match=str(PUBLIC_BYTES_MAX)):
        _capture("The book was open. " * (PUBLIC_BYTES_MAX // 19 + 1))


@given(st.binary(max_size=200))
@settings(max_examples=100)
def test_any_bytes_are_a_capture_or_malformed(data: bytes) -> None:
    with pytest.raises(MalformedError):
        parse_capture(data)


@given(st.text(max_size=300))
@settings(max_examples=100)
def test_the_capture_of_any_text_can_be_checked(text: str) -> None:
    page = strip_boilerplate(text)
    capture = replace(_capture(), title=page.title, text=page.text)
    remade = _capture(text)
    assert check_capture(format_capture(remade)).text == capture.text
