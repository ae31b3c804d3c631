"""Armor that only has one spelling, apart from line ends and blank space around it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.protocol.age.chance import in_pieces

from safeconduct.protocol import age
from safeconduct.protocol.age.failures import ArmorError

BEGIN = b"-----BEGIN AGE ENCRYPTED FILE-----\n"
END = b"-----END AGE ENCRYPTED FILE-----\n"
FULL = b"QUFB" * 16 + b"\n"


def dearmored(text: bytes, piece_bytes: int = 1 << 20) -> bytes:
    return b"".join(age.dearmored(in_pieces(text, piece_bytes)))


@given(st.binary(max_size=300), st.integers(1, 99), st.integers(1, 99))
def test_bytes_survive_armor_however_they_are_cut(data: bytes, into: int, out_of: int) -> None:
    text = b"".join(age.armored(in_pieces(data, into)))

    assert text.isascii()
    assert max(map(len, text.splitlines())) <= 64
    assert dearmored(text, out_of) == data


@given(st.binary(max_size=200), st.data())
def test_a_cut_armor_is_refused(data: bytes, draw: st.DataObject) -> None:
    text = b"".join(age.armored([data])).rstrip(b"\n")
    length = draw.draw(st.integers(0, len(text) - 1))

    with pytest.raises(ArmorError):
        dearmored(text[:length])


ACCEPTED = {
    "LF": BEGIN + FULL + b"QUE=\n" + END,
    "CRLF": (BEGIN + FULL + b"QUE=\n" + END).replace(b"\n", b"\r\n"),
    "no line end at the end": (BEGIN + FULL + b"QUE=\n" + END).rstrip(),
    "blank lines around": b" \n\r\n\t\n" + BEGIN + FULL + b"QUE=\n" + END + b"\n \r\n ",
}
REFUSED = {
    "nothing": b"",
    "blank space only": b" \n",
    "text before": b"dear desk\n" + BEGIN + FULL + END,
    "text after": BEGIN + FULL + END + b"regards\n",
    "a blank before BEGIN": b" " + BEGIN + FULL + END,
    "a blank after END": BEGIN + FULL + END.rstrip() + b" \n",
    "an indented line": BEGIN + b" QUE=\n" + END,
    "an empty line": BEGIN + FULL + b"\n" + END,
    "a line after a short one": BEGIN + b"QUE=\nQUE=\n" + END,
    "a line after a padded line of full width": BEGIN + b"QUFB" * 15 + b"QUE=\nQUE=\n" + END,
    "a line of 68 columns": BEGIN + FULL.rstrip() + b"QUFB\n" + END,
    "no padding": BEGIN + b"QUE\n" + END,
    "stray bits": BEGIN + b"QUF=\n" + END,
    "a foreign character": BEGIN + b"QU-=\n" + END,
    "a byte outside ASCII": BEGIN + b"QU\xc3\xa9\n" + END,
    "a lone carriage return": BEGIN + b"QUFB\rQUFB\n" + END,
    "two blocks": (BEGIN + FULL + END) * 2,
    "no END": BEGIN + FULL,
    "an endless line": BEGIN + b"QUFB" * 10_000 + b"\n" + END,
    "endless space before": b"\n" * 1025 + BEGIN + FULL + END,
    "endless space after": BEGIN + FULL + END + b" " * 1025,
}


@pytest.mark.parametrize("text", ACCEPTED.values(), ids=ACCEPTED)
@pytest.mark.parametrize("piece_bytes", [1, 1 << 20])
def test_armor_is_read(text: bytes, piece_bytes: int) -> None:
    assert dearmored(text, piece_bytes) == b"A" * (48 + 2)


@pytest.mark.parametrize("text", REFUSED.values(), ids=REFUSED)
@pytest.mark.parametrize("piece_bytes", [1, 1 << 20])
def test_armor_that_is_not_strict_is_refused(text: bytes, piece_bytes: int) -> None:
    with pytest.raises(ArmorError):
        dearmored(text, piece_bytes)
