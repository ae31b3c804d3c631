import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from safeconduct.errors import MalformedError
from safeconduct.plumbing.forms import Form, FormFile, parse_form, stream_form

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


# Forms whose files stream through.


class Posted:
    """A request whose body comes in given pieces, and may break off."""

    def __init__(
        self, body: bytes, kind: str = MULTIPART, step: int = 7, breaks: bool = False
    ) -> None:
        self.headers = {"content-type": kind}
        self._pieces = [body[start : start + step] for start in range(0, len(body), step)]
        self._breaks = breaks
        self.read = 0

    async def stream(self) -> AsyncIterator[bytes]:
        for piece in self._pieces:
            self.read += len(piece)
            yield piece
        if self._breaks:
            raise ConnectionError


class Kept:
    """A sink that notes what becomes of its file."""

    def __init__(self, name: str, fields: Form) -> None:
        self.name, self.data, self.state, self.fields = name, b"", "open", fields

    def write(self, piece: bytes) -> None:
        self.data += piece
        if self.data.startswith(b"!"):
            raise MalformedError("too bad")

    def end(self) -> None:
        self.state = "ended"

    def abort(self) -> None:
        self.state = "aborted"


def streamed(posted: Posted, fields_bytes_max: int = 1_000) -> tuple[Form, list[Kept]]:
    sinks: list[Kept] = []
    return asyncio.run(_streamed(posted, sinks, fields_bytes_max)), sinks


async def _streamed(posted: Posted, sinks: list[Kept], fields_bytes_max: int) -> Form:
    def on_file(fields: Form, name: str) -> Kept:
        sinks.append(Kept(name, fields))
        return sinks[-1]

    return await stream_form(posted, on_file, fields_bytes_max=fields_bytes_max)


@pytest.mark.parametrize("step", [1, 3, 64, 1_000, 1 << 20])
def test_files_stream_to_their_sinks_and_fields_are_held(step: int) -> None:
    form, [sink] = streamed(Posted(BODY, step=step))
    assert form.text("words") == "one\ntwo"
    assert (sink.name, sink.data, sink.state) == ("ré.txt", b"\x00\xff", "ended")
    assert sink.fields.text("words") == "one\ntwo"  # what stood before it is known already


def part(name: str, data: bytes, filename: str | None = None) -> bytes:
    file = "" if filename is None else f'; filename="{filename}"'
    head = f'--XX\r\nContent-Disposition: form-data; name="{name}"{file}\r\n\r\n'
    return head.encode() + data + b"\r\n"


def test_a_large_file_streams_in_constant_pieces_and_arrives_whole() -> None:
    data = bytes(range(256)) * 20_000
    body = part("file", data, "a") + part("file", b"", "empty") + b"--XX--\r\n"
    _, sinks = streamed(Posted(body, step=65_536))
    assert [(sink.name, sink.data, sink.state) for sink in sinks] == [
        ("a", data, "ended"),
        ("empty", b"", "ended"),
    ]


def test_an_empty_file_box_asks_for_no_sink_but_a_nameless_file_does() -> None:
    body = part("file", b"", "") + part("file", b"x", "") + b"--XX--\r\n"
    _, [sink] = streamed(Posted(body))
    assert (sink.name, sink.data) == ("", b"x")


def test_what_streams_reads_a_form_as_what_holds_it_does() -> None:
    whole = parse_form(MULTIPART, BODY)
    form, sinks = streamed(Posted(BODY))
    assert form.fields == whole.fields
    assert [sink.data for sink in sinks] == [file.data for file in whole.uploads("file")]


CUT = part("a", b"1") + part("file", b"half of it" * 100, "f")

BAD_STREAMS = {
    "cut short in a file": Posted(CUT[:-40]),
    "cut short after a file": Posted(CUT),
    "not multipart inside": Posted(b"hello" * 100),
    "urlencoded": Posted(b"a=1", kind=URLENCODED),
    "no boundary": Posted(BODY, kind="multipart/form-data"),
    "a part without a name": Posted(b"--XX\r\nA: b\r\n\r\nx\r\n--XX--\r\n"),
    "a field that is not UTF-8": Posted(part("a", b"\xff") + b"--XX--\r\n"),
    "fields that are too long": Posted(part("a", bytes(1_001)) + b"--XX--\r\n"),
    "a head that is too long": Posted(part("a" * 9_000, b"x") + b"--XX--\r\n"),
    "more than 256 parts": Posted(part("a", b"") * 257 + b"--XX--\r\n"),
    "more than 256 files": Posted(part("file", b"", "f") * 257 + b"--XX--\r\n"),
}


@pytest.mark.parametrize("form", BAD_STREAMS)
def test_a_form_that_is_not_whole_or_sound_is_refused_while_it_streams(form: str) -> None:
    sinks: list[Kept] = []
    with pytest.raises(MalformedError):
        asyncio.run(_streamed(BAD_STREAMS[form], sinks, 1_000))
    assert all(sink.state in {"ended", "aborted"} for sink in sinks)


def test_a_connection_that_breaks_aborts_the_file() -> None:
    body = part("file", bytes(2 << 20), "f")
    sinks: list[Kept] = []
    with pytest.raises(ConnectionError):
        asyncio.run(_streamed(Posted(body, step=65_536, breaks=True), sinks, 1_000))
    assert [sink.state for sink in sinks] == ["aborted"]


def test_a_sink_that_refuses_ends_the_form_and_the_rest_is_read_for_the_answer() -> None:
    body = part("file", b"!" + bytes(3 << 20), "f") + b"--XX--\r\n"
    posted, sinks = Posted(body, step=65_536), list[Kept]()
    with pytest.raises(MalformedError, match="too bad"):
        asyncio.run(_streamed(posted, sinks, 1_000))
    assert [sink.state for sink in sinks] == ["aborted"]
    assert posted.read == len(body)


@settings(deadline=None, max_examples=50)
@given(data=st.binary(max_size=300), step=st.integers(1, 50))
def test_random_bytes_never_break_a_streamed_form_otherwise(data: bytes, step: int) -> None:
    with contextlib.suppress(MalformedError):
        streamed(Posted(b"--XX\r\n" + data, step=step))
