import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safeconduct.errors import MalformedError
from safeconduct.plumbing.forms import Form, FormFile, parse_form

URLENCODED = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data; boundary=XX"
BODY = (
    b'--XX\r\nContent-Disposition: form-data; name="words"\r\n\r\none\r\ntwo\r\n'
    b'--XX\r\nContent-Disposition: form-data; name="file"; filename="r\xc3\xa9.txt"\r\n'
    b"Content-Type: text/plain\r\n\r\n\x00\xff\r\n"
    b'--XX\r\nContent-Disposition: form-data; name="file"; filename=""\r\n\r\n\r\n--XX--\r\n'
)


def test_a_multipart_form_gives_its_texts_and_files() -> None:
    form = parse_form(MULTIPART, BODY)
    assert form.text("words") == "one\ntwo"
    assert form.uploads("file") == [FormFile(name="ré.txt", data=b"\x00\xff")]


def test_an_urlencoded_form_gives_its_texts() -> None:
    form = parse_form(URLENCODED, b"a=%C3%A9+x&b=&c=1&c=2")
    assert (form.text("a"), form.text("b"), form.texts("c")) == ("é x", "", ["1", "2"])
    assert form.text("d", "none") == "none"


def test_a_field_that_is_missing_or_doubled_is_named() -> None:
    form = parse_form(URLENCODED, b"c=1&c=2")
    with pytest.raises(MalformedError, match="c is given 2 times"):
        form.text("c")
    with pytest.raises(MalformedError, match="d is missing"):
        form.text("d")


def test_what_was_written_is_not_in_the_repr() -> None:
    form = parse_form(MULTIPART, BODY)
    assert "one" not in repr(form)
    assert "xff" not in repr(form)


BAD: dict[str, tuple[str, bytes]] = {
    "no content type": ("", b"a=1"),
    "JSON": ("application/json", b"{}"),
    "no boundary": ("multipart/form-data", BODY),
    "another boundary": ("multipart/form-data; boundary=YY", BODY),
    "no UTF-8 in a field": (URLENCODED, b"a=%ff"),
    "no ASCII": (URLENCODED, b"a=\xff"),
    "too many fields": (URLENCODED, b"a=1&" * 300),
    "no UTF-8 in a part": (MULTIPART, BODY.replace(b"one", b"\xff")),
    "a part without a name": (MULTIPART, BODY.replace(b'name="words"', b'x="words"')),
    "too many parts": (
        MULTIPART,
        b'--XX\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n' * 300 + b"--XX--",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_what_is_no_form_is_refused(case: str) -> None:
    with pytest.raises(MalformedError, match="form: "):
        parse_form(*BAD[case])


def test_a_form_that_is_cut_short_anywhere_is_refused() -> None:
    for end in range(len(BODY) - len(b"--\r\n")):
        with pytest.raises(MalformedError):
            parse_form(MULTIPART, BODY[:end])


@given(kind=st.sampled_from([URLENCODED, MULTIPART]), noise=st.binary(max_size=60))
def test_whatever_is_sent_is_a_form_or_malformed(kind: str, noise: bytes) -> None:
    with contextlib.suppress(MalformedError):
        assert isinstance(parse_form(kind, BODY[:40] + noise + BODY[90:]), Form)
