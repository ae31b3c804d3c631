"""HTML forms: read wholly in memory, or with files that stream through to where they belong.

The one door to python-multipart. Strict where browsers are exact: UTF-8, a name for each part,
a closing boundary; a field given twice is refused unless the caller asks for all its values.

    parse_form    fields and files in memory; nothing that is posted touches a disk
    stream_form   fields in memory, files handed on in pieces while they come in:

        network ──chunks──▶ gathered to 512 KiB ─thread──▶ parser ──▶ sink of the file
                            (the next is gathered meanwhile; more than that waits outside)

A form that ends early, or is refused in the middle, leaves its last file aborted.

Spec: RFC 7578; WHATWG URL §5 (application/x-www-form-urlencoded).
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias
from urllib.parse import parse_qsl

from python_multipart import MultipartParser
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import parse_options_header

from safeconduct.errors import MalformedError, SafeconductError

BATCH_BYTES = 1 << 19
DRAINED_BYTES_MAX = 64 << 20
"""How much of a refused form is still read: whoever is hung up on sees no page at all."""
_PARTS_MAX = 256
_HEADER_BYTES_MAX = 8_192  # of one part; a file name has 255 at most
_URLENCODED = b"application/x-www-form-urlencoded"
_MULTIPART = b"multipart/form-data"

# It warns of each malformed body, with a byte of it: that would be a line on standard error,
# and in the system's journal with its time, whenever a stranger likes.
logging.getLogger("python_multipart").setLevel(logging.CRITICAL + 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class FormFile:
    """A file as it was uploaded; `name` is whatever the browser claims."""

    name: str
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """The fields and files of one posted form, in the order in which they stood."""

    fields: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    files: tuple[tuple[str, FormFile], ...] = ()

    def text(self, name: str, default: str | None = None) -> str:
        """The value of the field `name`, with line ends as LF.

        Raises:
            MalformedError: it stands there twice, or is absent and there is no default.
        """
        values = self.texts(name)
        if len(values) > 1:
            raise MalformedError(f"form: {name} is given {len(values)} times")
        if values:
            return values[0]
        if default is None:
            raise MalformedError(f"form: {name} is missing")
        return default

    def texts(self, name: str) -> list[str]:
        """All values of the fields called `name`, with line ends as LF."""
        return [value.replace("\r\n", "\n") for key, value in self.fields if key == name]

    def uploads(self, name: str) -> list[FormFile]:
        """The files of the field `name`; a file box left empty counts as none."""
        return [file for key, file in self.files if key == name and (file.name or file.data)]


def parse_form(content_type: str, body: bytes) -> Form:
    """The form that a browser posted as `body`.

    Raises:
        MalformedError: another content type, cut short, not UTF-8, or too many parts.
    """
    kind, options = parse_options_header(content_type)
    if kind == _URLENCODED:
        return _parse_urlencoded(body)
    if kind == _MULTIPART and options.get(b"boundary"):
        return _parse_multipart(options[b"boundary"], body)
    error = MalformedError("form: neither urlencoded nor multipart")
    error.http_status = 415
    raise error


class Sink(Protocol):
    """Where one file goes. It is called from one thread at a time, and never again after `end`
    or `abort`; any error it raises ends the form.
    """

    def write(self, piece: bytes, /) -> object:
        """Take more bytes."""

    def end(self) -> object:
        """All of it has come."""

    def abort(self) -> object:
        """The rest will not come: leave nothing behind."""


OnFile: TypeAlias = Callable[[Form, str], Sink]
"""Gives the sink of a file by the fields that stood before it and the name it claims."""


class Posted(Protocol):
    """A request, as far as a form is concerned."""

    @property
    def headers(self) -> Mapping[str, str]:
        """The request's headers, by lower-case name."""
        ...

    def stream(self) -> AsyncIterator[bytes]:
        """The body's bytes as they come."""
        ...


async def stream_form(request: Posted, on_file: OnFile, *, fields_bytes_max: int) -> Form:
    """The form's fields, once each of its files has gone through a sink of its own.

    Only multipart forms can be read this way. A file box that was left empty asks for no sink.
    Memory is bounded by `fields_bytes_max` and a few batches, whatever comes.

    Raises:
        MalformedError: another content type, cut short, not UTF-8, too many parts, or fields
            that are too long.
    """
    kind, options = parse_options_header(request.headers.get("content-type", ""))
    if kind != _MULTIPART or not options.get(b"boundary"):
        error = MalformedError("form: not multipart")
        error.http_status = 415
        raise error
    reader = _Reader(options[b"boundary"], on_file, fields_bytes_max)
    chunks = request.stream()
    try:
        await _feed(chunks, reader)
        return await asyncio.to_thread(reader.end)
    except BaseException as error:
        await asyncio.to_thread(reader.abort)
        if isinstance(error, SafeconductError):
            await _drain(chunks)
        raise


async def _feed(chunks: AsyncIterator[bytes], reader: "_Reader") -> None:
    """Parse in a thread what has come, while the loop takes what comes."""
    batch, size = list[bytes](), 0
    working: asyncio.Task[None] | None = None
    try:
        async for chunk in chunks:
            batch.append(chunk)
            size += len(chunk)
            if size >= BATCH_BYTES:
                if working is not None:
                    await working
                working = asyncio.create_task(asyncio.to_thread(reader.write, b"".join(batch)))
                batch, size = [], 0
    finally:
        if working is not None:
            await working
    await asyncio.to_thread(reader.write, b"".join(batch))


async def _drain(chunks: AsyncIterator[bytes]) -> None:
    left = DRAINED_BYTES_MAX
    with suppress(Exception):  # whoever leaves now has no answer to wait for
        async for chunk in chunks:
            left -= len(chunk)
            if left < 0:
                return


class _Reader:
    """A multipart body as it comes in: fields are held, files go to their sinks."""

    def __init__(self, boundary: bytes, on_file: OnFile, fields_bytes_max: int) -> None:
        self._on_file, self._room = on_file, fields_bytes_max
        self._fields: list[tuple[str, str]] = []
        self._part: _Part | None = None
        self._sink: Sink | None = None
        self._parts, self._ended = 0, False
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._begin,
                "on_header_field": lambda data, a, b: self._header(data[a:b], name=True),
                "on_header_value": lambda data, a, b: self._header(data[a:b], name=False),
                "on_header_end": lambda: self._now().end_header(),
                "on_headers_finished": self._headers_end,
                "on_part_data": lambda data, a, b: self._data(data[a:b]),
                "on_part_end": self._end_part,
                "on_end": self._note_end,
            },
        )

    def write(self, data: bytes) -> None:
        """Parse more of the body; it is in thread hands only while this runs."""
        try:
            self._parser.write(data)
        except FormParserError as error:
            raise MalformedError("form: not a multipart body") from error

    def end(self) -> Form:
        """The fields of a whole body."""
        if not self._ended:
            raise MalformedError("form: cut short, the closing boundary is missing")
        return self._form()

    def abort(self) -> None:
        """Give up the file that was coming in."""
        sink, self._sink = self._sink, None
        if sink is not None:
            sink.abort()

    def _form(self) -> Form:
        return Form(fields=tuple(self._fields))

    def _now(self) -> "_Part":
        if self._part is None:
            raise MalformedError("form: bytes outside of its parts")
        return self._part

    def _begin(self) -> None:
        self._parts += 1
        if self._parts > _PARTS_MAX:
            raise MalformedError(f"form: more than {_PARTS_MAX} parts")
        self._part = _Part()

    def _header(self, data: bytes, *, name: bool) -> None:
        part = self._now()
        (part.header_name if name else part.header_value).extend(data)
        part.header_bytes += len(data)
        if part.header_bytes > _HEADER_BYTES_MAX:
            raise MalformedError("form: the head of a part is too long")

    def _headers_end(self) -> None:
        part = self._now()
        part.name()  # each part has one
        part.streams = part.is_file()
        if part.streams and part.file().name:
            self._sink = self._on_file(self._form(), part.file().name)

    def _data(self, data: bytes) -> None:
        part = self._now()
        if part.streams:
            if self._sink is None:
                self._sink = self._on_file(self._form(), "")
            self._sink.write(data)
            return
        self._room -= len(data)
        if self._room < 0:
            error = MalformedError("form: its fields are too long")
            error.http_status = 413
            raise error
        part.data.extend(data)

    def _end_part(self) -> None:
        part, self._part = self._now(), None
        if not part.streams:
            self._fields.append((part.name(), _utf8(bytes(part.data))))
        elif self._sink is not None:
            sink = self._sink
            sink.end()
            self._sink = None

    def _note_end(self) -> None:
        self._ended = True


def _parse_urlencoded(body: bytes) -> Form:
    try:
        pairs = parse_qsl(
            body.decode("ascii"),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=_PARTS_MAX,
        )
    except ValueError as error:
        raise MalformedError("form: not urlencoded UTF-8, or too many fields") from error
    return Form(fields=tuple(pairs))


def _parse_multipart(boundary: bytes, body: bytes) -> Form:
    parts: list[_Part] = []
    ended: list[bool] = []
    try:
        _parser(boundary, parts, ended).write(body)
    except FormParserError as error:
        raise MalformedError("form: not a multipart body") from error
    if not ended:
        raise MalformedError("form: cut short, the closing boundary is missing")
    return Form(
        fields=tuple((p.name(), _utf8(bytes(p.data))) for p in parts if not p.is_file()),
        files=tuple((p.name(), p.file()) for p in parts if p.is_file()),
    )


@dataclass(slots=True)
class _Part:
    """One part while it is read; `headers` are in lower case."""

    header_name: bytearray = field(default_factory=bytearray)
    header_value: bytearray = field(default_factory=bytearray)
    headers: dict[bytes, bytes] = field(default_factory=dict)
    data: bytearray = field(default_factory=bytearray)
    header_bytes: int = 0
    streams: bool = False

    def end_header(self) -> None:
        self.headers[bytes(self.header_name).lower()] = bytes(self.header_value)
        self.header_name.clear()
        self.header_value.clear()

    def _options(self) -> dict[bytes, bytes]:
        disposition = self.headers.get(b"content-disposition", b"")
        return parse_options_header(disposition)[1]

    def is_file(self) -> bool:
        return b"filename" in self._options()

    def name(self) -> str:
        if not self._options().get(b"name"):
            raise MalformedError("form: a part has no name")
        return _utf8(self._options()[b"name"])

    def file(self) -> FormFile:
        return FormFile(name=_utf8(self._options()[b"filename"]), data=bytes(self.data))


def _parser(boundary: bytes, parts: list[_Part], ended: list[bool]) -> MultipartParser:
    """A parser that fills `parts`; it hands over slices of its buffer as (data, start, end)."""

    def begin() -> None:
        if len(parts) == _PARTS_MAX:
            raise MalformedError(f"form: more than {_PARTS_MAX} parts")
        parts.append(_Part())

    return MultipartParser(
        boundary,
        {
            "on_part_begin": begin,
            "on_header_field": lambda data, a, b: parts[-1].header_name.extend(data[a:b]),
            "on_header_value": lambda data, a, b: parts[-1].header_value.extend(data[a:b]),
            "on_header_end": lambda: parts[-1].end_header(),
            "on_part_data": lambda data, a, b: parts[-1].data.extend(data[a:b]),
            "on_end": lambda: ended.append(True),
        },
    )


def _utf8(data: bytes) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise MalformedError("form: not UTF-8") from error
