"""The header of an age file: who can unwrap the file key, sealed by a MAC under that key.

    age-encryption.org/v1
    -> X25519 XEl0dJ6y3C7KZkgmgWUicg63EyXJiwBJW8PdYJ/cYBE        one stanza per recipient:
    qRS0AMjdjPvZ/WT08U2KL4G+PIooA3hy38SvLpvaC1E                  arguments, then a body whose
    --- HK2NmOBN9Dpq0Gw6xMCuhFcQlQLvZ/wQUi/2scLG75s              last line is below 64 columns

Parsing is strict, and every header has one spelling only. All base64 here is unpadded.

Spec: C2SP age, "Header" and "ABNF definition of file header".
"""

import hmac
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain

from safeconduct.errors import MalformedError
from safeconduct.protocol.age.failures import HeaderMacError
from safeconduct.protocol.age.file_key import WRAPPED_KEY_BYTES, hkdf
from safeconduct.protocol.canonical import format_base64, parse_base64

# It bounds the work as well: fewer than 700 stanzas that cost a key exchange fit in.
HEADER_BYTES_MAX = 1 << 16
MAC_BYTES = 32

_VERSION_LINE = "age-encryption.org/v1"
_COLUMNS = 64
_END_LINE = re.compile(rb"\n--- [A-Za-z0-9+/]{43}\n")
_END_LINE_BYTES = 49
_ARGUMENT = re.compile(r"[!-~]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stanza:
    """One wrapping of the file key. `kind` is the first argument, `arguments` the others."""

    kind: str
    arguments: tuple[str, ...]
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """One stanza or more, and the 32-byte MAC over them."""

    stanzas: tuple[Stanza, ...]
    mac: bytes


def make_header(stanzas: Iterable[Stanza], file_key: bytes) -> Header:
    """The header of `stanzas`, with its MAC under `file_key`."""
    stanzas = tuple(stanzas)
    return Header(stanzas=stanzas, mac=_mac(stanzas, file_key))


def verify_mac(header: Header, file_key: bytes) -> None:
    """Check that who knew `file_key` wrote exactly these stanzas.

    Raises:
        HeaderMacError: the MAC is not that of this header.

    Spec: C2SP age, "Header MAC".
    """
    if not hmac.compare_digest(header.mac, _mac(header.stanzas, file_key)):
        raise HeaderMacError("age header does not match its MAC")


def format_header(header: Header) -> bytes:
    """The bytes of `header`, ending where the payload's nonce begins."""
    return _format_stanzas(header.stanzas) + f" {format_unpadded(header.mac)}\n".encode()


def parse_header(data: bytes) -> tuple[Header, int]:
    """The header at the start of `data`, and the offset of the payload after it.

    Raises:
        MalformedError: no complete, canonical header within `HEADER_BYTES_MAX`.
    """
    end = _find_end(data)
    if end is None:
        raise MalformedError(f"age header has no end within {HEADER_BYTES_MAX} bytes")
    version, *lines, mac_line = _decode_ascii(data[:end]).split("\n")[:-1]
    if version != _VERSION_LINE:
        raise MalformedError("not an age v1 file")
    mac = parse_unpadded(mac_line.removeprefix("--- "), MAC_BYTES, "MAC")
    header = Header(stanzas=tuple(_parse_stanzas(lines)), mac=mac)
    if not header.stanzas or format_header(header) != data[:end]:
        raise MalformedError("age header has no stanza, or is not canonical")
    return header, end


def split_header(chunks: Iterable[bytes]) -> tuple[Header, Iterator[bytes]]:
    """The header of a stream, and the payload that follows it.

    Raises:
        MalformedError: as `parse_header`; at most the limit and one chunk have been read then.
    """
    source = iter(chunks)
    head, searched = bytearray(), 0
    while _find_end(head, searched) is None and len(head) < HEADER_BYTES_MAX:
        searched = max(0, len(head) - _END_LINE_BYTES)
        if (chunk := next(source, None)) is None:
            break
        head += chunk
    header, end = parse_header(bytes(head))
    return header, chain([bytes(head[end:])], source)


def check_shape(stanza: Stanza, *, arguments: int) -> None:
    """Refuse a stanza that its kind's grammar does not allow; `arguments` excludes the kind.

    The body's length is fixed before anything is decrypted: a longer one could be made to open
    under several keys (a partitioning oracle).

    Raises:
        MalformedError: another number of arguments, or a body that is no wrapped file key.
    """
    if len(stanza.arguments) != arguments:
        raise MalformedError(f"{stanza.kind} stanza must have {arguments + 1} arguments")
    if len(stanza.body) != WRAPPED_KEY_BYTES:
        raise MalformedError(f"{stanza.kind} stanza body is not {WRAPPED_KEY_BYTES} bytes")


def parse_unpadded(text: str, length: int | None, what: str) -> bytes:
    """The bytes, `length` of them unless None, of canonical base64 without `=`.

    Raises:
        MalformedError: padded, not canonical, or of another length.
    """
    if "=" in text:
        raise MalformedError(f"{what}: base64 is padded")
    decoded = parse_base64(text + "=" * (-len(text) % 4), what)
    if length is not None and len(decoded) != length:
        raise MalformedError(f"{what}: not {length} bytes")
    return decoded


def format_unpadded(data: bytes) -> str:
    """Base64 without `=`, one line."""
    return format_base64(data).rstrip("=")


def _find_end(data: bytes | bytearray, start: int = 0) -> int | None:
    found = _END_LINE.search(data, start, HEADER_BYTES_MAX)
    return found.end() if found else None


def _decode_ascii(data: bytes) -> str:
    try:
        return data.decode("ascii")
    except UnicodeDecodeError as error:
        raise MalformedError(f"age header is not ASCII at byte {error.start}") from error


def _parse_stanzas(lines: list[str]) -> Iterator[Stanza]:
    rest = iter(lines)
    for line in rest:
        arrow, *arguments = line.split(" ")
        if arrow != "->" or not arguments or not all(map(_ARGUMENT.fullmatch, arguments)):
            raise MalformedError("age header has a line that is neither stanza nor end")
        kind, *others = arguments
        yield Stanza(kind=kind, arguments=tuple(others), body=_parse_body(rest))


def _parse_body(lines: Iterator[str]) -> bytes:
    """The bytes of full lines up to and including the first short one, which may be empty."""
    body = b""
    for line in lines:
        if len(line) > _COLUMNS:
            raise MalformedError(f"stanza body has a line beyond {_COLUMNS} columns")
        body += parse_unpadded(line, None, "stanza body")
        if len(line) < _COLUMNS:
            return body
    raise MalformedError("stanza body does not end with a short line")


def _format_stanzas(stanzas: tuple[Stanza, ...]) -> bytes:
    """The header up to and including the `---` mark: what the MAC covers."""
    lines = [_VERSION_LINE, *chain.from_iterable(map(_stanza_lines, stanzas)), "---"]
    return "\n".join(lines).encode("ascii")


def _stanza_lines(stanza: Stanza) -> list[str]:
    body = format_unpadded(stanza.body)
    # The range runs to the length itself, so that a body of full lines gets an empty last one.
    lines = [body[start : start + _COLUMNS] for start in range(0, len(body) + 1, _COLUMNS)]
    return [" ".join(["->", stanza.kind, *stanza.arguments]), *lines]


def _mac(stanzas: tuple[Stanza, ...], file_key: bytes) -> bytes:
    return hmac.digest(hkdf(file_key, b"", b"header"), _format_stanzas(stanzas), "sha256")
