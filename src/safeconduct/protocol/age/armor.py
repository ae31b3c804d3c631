"""ASCII armor: an age file as strict PEM, for channels that carry text only.

    -----BEGIN AGE ENCRYPTED FILE-----
    YWdlLWVuY3J5cHRpb24ub3JnL3YxCi0+IFgyNTUxOSBURWlGMHlwcXIrYnB2Y3FY     lines of 64
    yPC8DpksHoMx+2Y=                                                     the last may be short
    -----END AGE ENCRYPTED FILE-----

Lines end in LF or CRLF. Blank space is allowed before and after the block, never within.

Spec: C2SP age, "ASCII armor"; RFC 7468 §3, figure 3.
"""

import binascii
from collections.abc import Iterable, Iterator
from itertools import chain

from safeconduct.errors import MalformedError
from safeconduct.protocol.age.failures import ArmorError
from safeconduct.protocol.age.pieces import Piece, cut, split_at
from safeconduct.protocol.canonical import parse_base64

SPACE_BYTES_MAX = 1024

_BEGIN = b"-----BEGIN AGE ENCRYPTED FILE-----"
_END = b"-----END AGE ENCRYPTED FILE-----"
_LINE_BYTES = 48
_COLUMNS = 64
_LINES_AT_ONCE = 1024


def armored(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The armored form of an age file, some lines at a time, ending in LF."""
    yield _BEGIN + b"\n"
    for piece in cut(chunks, _LINES_AT_ONCE * _LINE_BYTES):
        yield _encode_lines(piece)
    yield _END + b"\n"


def unarmored(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """An age file as it is, or the one in an armored file: where its BEGIN line comes first.

    Raises:
        ArmorError: as `dearmored`.
    """
    head, rest = split_at(chunks, SPACE_BYTES_MAX + len(_BEGIN))
    whole = chain([head], rest)
    return dearmored(whole) if head.lstrip().startswith(_BEGIN) else whole


def dearmored(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The age file in an armored one.

    Raises:
        ArmorError: no strict PEM block, or more than blank space around it.
    """
    lines = _lines(chunks)
    if _skip_space(lines) != _BEGIN:
        raise ArmorError("armor has no BEGIN line")
    yield from _body(lines)
    if _skip_space(lines) is not None:
        raise ArmorError("armor has text after its END line")


def _encode_lines(piece: Piece) -> bytes:
    text = binascii.b2a_base64(piece, newline=False)
    starts = range(0, len(text), _COLUMNS)
    return b"".join(text[start : start + _COLUMNS] + b"\n" for start in starts)


def _body(lines: Iterator[bytes]) -> Iterator[bytes]:
    full = True
    for line in lines:
        if line == _END:
            return
        if not full:
            raise ArmorError("armor has a short line before the last")
        piece = _decode_line(line)
        full = len(piece) == _LINE_BYTES
        yield piece
    raise ArmorError("armor has no END line")


def _decode_line(line: bytes) -> bytes:
    if not 0 < len(line) <= _COLUMNS or not line.isascii():
        raise ArmorError(f"armor has a line that is not 1 to {_COLUMNS} ASCII characters")
    try:
        return parse_base64(line.decode("ascii"), "armor")
    except MalformedError as error:
        raise ArmorError(error.message) from error


def _skip_space(lines: Iterator[bytes]) -> bytes | None:
    """The next line that is not blank, or None at the end."""
    skipped = 0
    for line in lines:
        if line.strip():
            return line
        skipped += len(line) + 1
        if skipped > SPACE_BYTES_MAX:
            raise ArmorError(f"armor stands in more than {SPACE_BYTES_MAX} bytes of space")
    return None


def _lines(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Lines without their LF or CRLF, read one at a time and never longer than the limit."""
    held = b""
    for chunk in chunks:
        *complete, held = (held + chunk).split(b"\n")
        for line in complete:
            yield line.removesuffix(b"\r")
        if len(held) > SPACE_BYTES_MAX:
            raise ArmorError("armor has an overlong line")
    if held:
        yield held.removesuffix(b"\r")
