"""HTML forms, read wholly in memory: what a browser posts never touches a disk.

The one door to python-multipart. Strict where browsers are exact: UTF-8, a name for each part,
a closing boundary; a field given twice is refused unless the caller asks for all its values.

Spec: RFC 7578; WHATWG URL §5 (application/x-www-form-urlencoded).
"""

from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from python_multipart import MultipartParser
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import parse_options_header

from safeconduct.errors import MalformedError

_PARTS_MAX = 256
_URLENCODED = b"application/x-www-form-urlencoded"
_MULTIPART = b"multipart/form-data"


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
