"""One byte form per value: every other spelling is refused."""

import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safeconduct.errors import MalformedError
from safeconduct.protocol.canonical import (
    Json,
    decode_text,
    derive_key,
    expand,
    format_base64,
    format_json,
    parse_base64,
    parse_decimal,
    parse_hex,
    parse_json,
    parse_written_json,
    tagged_hash,
)

WHOLE = st.integers(-(2**53) + 1, 2**53 - 1)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
JSON: st.SearchStrategy[Json] = st.recursive(
    st.none() | st.booleans() | WHOLE | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)


def test_a_tagged_hash_is_what_the_specification_spells_out() -> None:
    label = b"safeconduct/v1/item"
    spelled = bytes([len(label)]) + label + b"\x00\x00\x00\x02ab" + b"\x00\x00\x00\x00"
    assert tagged_hash("item", b"ab", b"") == hashlib.sha256(spelled).digest()


@given(st.lists(st.binary(max_size=4), max_size=4), st.lists(st.binary(max_size=4), max_size=4))
def test_no_two_splits_of_the_same_bytes_hash_alike(one: list[bytes], two: list[bytes]) -> None:
    assert (tagged_hash("files", *one) == tagged_hash("files", *two)) == (one == two)


def test_no_two_purposes_share_a_hash_or_a_key() -> None:
    assert tagged_hash("item", b"x") != tagged_hash("items", b"x")
    assert derive_key(bytes(32), "slot") != derive_key(bytes(32), "siv")
    assert derive_key(bytes(32), "slot", b"s") != derive_key(bytes(32), "slots")


def test_a_key_expands_as_in_the_rfc() -> None:
    # RFC 5869, test case 1: from the pseudorandom key to 42 bytes.
    pseudorandom = hmac.digest(bytes(range(13)), b"\x0b" * 22, "sha256")
    info = bytes(range(0xF0, 0xFA))
    assert expand(pseudorandom, info, 42).hex() == (
        "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"
    )


def test_a_derived_key_separates_its_purpose_from_its_context_by_a_zero_byte() -> None:
    key = bytes(range(32))
    expected = expand(key, b"safeconduct/v1/item-salt\x00context", 16)
    assert derive_key(key, "item-salt", b"context", 16) == expected


@given(st.integers(0, 2**63 - 1))
def test_every_number_has_one_decimal_form(number: int) -> None:
    assert parse_decimal(str(number), "size") == number


NOT_DECIMAL = {
    "nothing": "",
    "a leading zero": "05",
    "two zeros": "00",
    "a plus": "+5",
    "a minus": "-5",
    "a blank before": " 5",
    "a line feed after": "5\n",
    "an underscore": "1_0",
    "other digits": "٥",
    "a superscript": "5²",
    "a fraction": "5.0",
    "two to the 63rd": str(2**63),
    "far too long": "9" * 5_000,
}


@pytest.mark.parametrize("text", NOT_DECIMAL.values(), ids=NOT_DECIMAL)
def test_no_other_spelling_of_a_number_is_taken(text: str) -> None:
    with pytest.raises(MalformedError, match="size"):
        parse_decimal(text, "size")


NOT_HEX = {
    "upper case": "00FF",
    "one digit too few": "00f",
    "two digits too many": "00ff00",
    "a prefix": "0x00ff",
    "a blank between": "00 f",
    "a line feed after": "00f\n",
    "other digits": "0٠ff",
    "another letter": "00fg",
}


@pytest.mark.parametrize("text", NOT_HEX.values(), ids=NOT_HEX)
def test_no_other_spelling_of_bytes_in_hex_is_taken(text: str) -> None:
    assert parse_hex("00ff", 2, "hash") == b"\x00\xff"
    with pytest.raises(MalformedError, match="hash"):
        parse_hex(text, 2, "hash")


@given(st.binary(max_size=40))
def test_every_byte_string_has_one_base64_form(data: bytes) -> None:
    assert parse_base64(format_base64(data), "hash") == data


NOT_BASE64 = {
    "no padding": "AA",
    "too much padding": "AA====",
    "bits left over": "AB==",
    "the other alphabet": "_-==",
    "a line feed within": "AA\n==",
    "a line feed after": "AA==\n",
    "other characters": "ÄÄ==",
    "padding first": "==AA",
}


@pytest.mark.parametrize("text", NOT_BASE64.values(), ids=NOT_BASE64)
def test_no_other_spelling_of_bytes_in_base64_is_taken(text: str) -> None:
    with pytest.raises(MalformedError, match="hash"):
        parse_base64(text, "hash")


NOT_TEXT = {
    "a carriage return": b"a\r\n",
    "a byte-order mark": "\ufeffa".encode(),
    "a byte-order mark within": "a\ufeff".encode(),
    "a tab": b"a\tb",
    "a null": b"a\0",
    "a delete": b"a\x7f",
    "an escape": b"a\x1b[2J",
    "Latin-1": "ä".encode("latin-1"),
    "an overlong form": b"\xc0\x80",
    "half a surrogate pair": b"\xed\xa0\x80",
    "cut short": "ä".encode()[:1],
}


@pytest.mark.parametrize("data", NOT_TEXT.values(), ids=NOT_TEXT)
def test_text_holds_no_byte_that_a_reader_would_not_see(data: bytes) -> None:
    with pytest.raises(MalformedError, match="note"):
        decode_text(data, "note")


def test_text_may_hold_lines_and_any_script() -> None:
    assert decode_text("Привет, 世界\n\n—\n".encode(), "note") == "Привет, 世界\n\n—\n"


@given(JSON)
def test_canonical_json_is_read_back_as_it_was(value: Json) -> None:
    assert parse_json(format_json(value), "object") == value


NOT_CANONICAL = {
    "a blank": b'{"a": 1}',
    "a line feed after": b'{"a":1}\n',
    "keys out of order": b'{"b":1,"a":2}',
    "a key twice": b'{"a":1,"a":1}',
    "an escape where none is needed": b'{"\\u0061":1}',
    "a fraction": b"1.5",
    "a whole number as a fraction": b"1.0",
    "an exponent": b"1e2",
    "minus nothing": b"-0",
    "not a number": b"NaN",
    "without end": b"Infinity",
    "too large a number": b"9007199254740993",
    "a lone surrogate": b'"\\ud800"',
    "Latin-1": '"ä"'.encode("latin-1"),
    "a byte-order mark": '\ufeff"a"'.encode(),
    "another encoding": '"a"'.encode("utf-16"),
    "nothing": b"",
    "cut short": b'{"a":1',
    "a value too many": b"1 2",
    "nested too deep": b"[" * 40 + b"]" * 40,
    "nested beyond the parser": b"[" * 100_000 + b"]" * 100_000,
    "too long": b'"' + b"a" * 200_000 + b'"',
    "a number of very many digits": b"1" * 5_000,
}


@pytest.mark.parametrize("data", NOT_CANONICAL.values(), ids=NOT_CANONICAL)
def test_no_other_spelling_of_json_is_taken(data: bytes) -> None:
    with pytest.raises(MalformedError):
        parse_json(data, "object", bytes_max=200_001)


@given(st.binary(max_size=30))
def test_any_bytes_are_canonical_json_or_malformed(data: bytes) -> None:
    try:
        value = parse_json(data, "object")
    except MalformedError:
        return
    assert format_json(value) == data


@given(st.binary(max_size=30))
def test_any_bytes_are_json_that_has_a_canonical_form_or_malformed(data: bytes) -> None:
    try:
        value = parse_written_json(data, "object")
    except MalformedError:
        return
    assert parse_json(format_json(value), "object") == value


NOT_JSON = {
    "object:2:5: not JSON: ": b'{"a":\n "b": 1}',
    "object: not JSON: repeated key": b'{"a": 1, "a": 1}',
    "object: not UTF-8 at byte 1": b'"\xff"',
    "object: JSON has no place for a float": b"[1.0]",
    "object: JSON is nested deeper than": b"[" * 40 + b"]" * 40,
    "object: not JSON": b"[" * 100_000,
    "object: longer than 200001 bytes": b" " * 200_002,
}


@pytest.mark.parametrize("message", NOT_JSON)
def test_json_that_somebody_wrote_is_refused_with_its_place(message: str) -> None:
    with pytest.raises(MalformedError) as caught:
        parse_written_json(NOT_JSON[message], "object", bytes_max=200_001)
    assert caught.value.message.startswith(message)


@pytest.mark.parametrize(
    "value", [1.5, {1: "a"}, {"a": b"bytes"}, 2**53, "\ud800", {"\ud800": 1}, {1, 2}]
)
def test_what_has_no_canonical_form_is_not_formatted(value: Json) -> None:
    with pytest.raises(MalformedError):
        format_json(value)
