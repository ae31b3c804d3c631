"""A parcel is read as it was written, from any number of its first bytes, or refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.protocol import builders

from safeconduct.errors import MalformedError
from safeconduct.protocol.capsule import CAPSULE_BYTES
from safeconduct.protocol.keys import SLOT_BYTES
from safeconduct.protocol.parcel import (
    HEAD_BYTES_MAX,
    MAGIC,
    RECORD_BYTES_MAX,
    ParcelHead,
    format_head,
    parse_head,
)
from safeconduct.protocol.record import format_record

ENVELOPE = builders.sealed()
HEAD = ParcelHead(
    record=format_record(ENVELOPE.record),
    header=ENVELOPE.header,
    slot=bytes(range(SLOT_BYTES)),
    capsule=bytes(CAPSULE_BYTES),
)
DATA = format_head(HEAD)


def test_a_head_comes_back_as_it_was_and_says_where_the_payload_begins() -> None:
    assert parse_head(DATA) == (HEAD, len(DATA))
    assert parse_head(DATA + b"payload") == (HEAD, len(DATA))
    assert HEAD.payload_bytes == ENVELOPE.record.number("size")
    assert len(DATA) <= HEAD_BYTES_MAX


@given(length=st.integers(0, len(DATA) - 1))
def test_a_beginning_of_a_head_asks_for_more(length: int) -> None:
    assert parse_head(DATA[:length]) is None


def length(value: int) -> bytes:
    return value.to_bytes(4, "big")


BAD = {
    "another first line": b"safeconduct envelope v2\n" + DATA[len(MAGIC) :],
    "a plain age file": b"age-encryption.org/v1\n",
    "an empty record": MAGIC + length(0),
    "an endless record": MAGIC + length(RECORD_BYTES_MAX + 1),
    "an endless header": MAGIC + length(len(HEAD.record)) + HEAD.record + length(5_000),
    "another record": DATA.replace(b"/contribution\n", b"/destruction_\n"),
    "a header that is none": DATA.replace(b"age-encryption", b"ege-encryption"),
    "a header of another profile": DATA.replace(b"-> mlkem768", b"-> mlkem769"),
}


@pytest.mark.parametrize("damage", BAD)
def test_what_is_no_parcel_is_refused(damage: str) -> None:
    with pytest.raises(MalformedError):
        parse_head(BAD[damage])


@given(data=st.binary(max_size=200))
def test_no_bytes_break_the_parser(data: bytes) -> None:
    for given_bytes in (data, MAGIC + data):
        try:
            parsed = parse_head(given_bytes)
        except MalformedError:
            continue
        assert parsed is None
