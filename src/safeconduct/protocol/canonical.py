"""One byte form per value: tagged hashes, derived keys, canonical JSON, strict text forms.

Everything that two parties must compute alike starts here. `H` and `K` carry the protocol's
name and version in every call, so that no hash or key made for one purpose can serve another.

Spec: docs/3-protocol.md §3; RFC 8785 for JSON; RFC 5869 §2.3 for `expand`.
"""

import base64
import binascii
import hashlib
import hmac
import json
import re
from typing import Any, TypeAlias

import rfc8785

from safeconduct.errors import MalformedError

Json: TypeAlias = "bool | int | str | list[Json] | dict[str, Json] | None"

PREFIX = "safeconduct/v1/"
TAG_BYTES_MAX = 255
JSON_BYTES_MAX = 1 << 20
JSON_DEPTH_MAX = 32

_DECIMAL = re.compile(r"0|[1-9][0-9]{0,18}")
_HEX = re.compile(r"[0-9a-f]*")
_CONTROL = re.compile("[\x00-\x09\x0b-\x1f\x7f\ufeff]")


def tag(name: str) -> bytes:
    """`T(x)` of the specification: the protocol's prefix and `name`, as ASCII."""
    return (PREFIX + name).encode("ascii")


def length_prefixed(part: bytes) -> bytes:
    """`LP(b)`: a big-endian u32 length, then the bytes."""
    return len(part).to_bytes(4, "big") + part


def tagged_hash(name: str, *parts: bytes) -> bytes:
    """`H(name; parts)`: 32 bytes that no other purpose and no other split can produce.

    Spec: docs/3-protocol.md §3.1.
    """
    label = tag(name)
    digest = hashlib.sha256(bytes([len(label)]) + label)
    for part in parts:
        digest.update(length_prefixed(part))
    return digest.digest()


def derive_key(key: bytes, name: str, context: bytes = b"", length: int = 32) -> bytes:
    """`K(key, name, context, length)`: HKDF-Expand-SHA256 under info = T(name) 0x00 context.

    Requires 1 <= length <= 8160 bytes. Spec: RFC 5869 §2.3.
    """
    return expand(key, tag(name) + b"\x00" + context, length)


def expand(key: bytes, info: bytes, length: int) -> bytes:
    """HKDF-Expand with SHA-256. Spec: RFC 5869 §2.3."""
    assert 1 <= length <= 255 * 32
    output, block = b"", b""
    for counter in range(1, -(-length // 32) + 1):
        block = hmac.digest(key, block + info + bytes([counter]), "sha256")
        output += block
    return output[:length]


def u32(number: int) -> bytes:
    """Big-endian, 4 bytes."""
    return number.to_bytes(4, "big")


def u64(number: int) -> bytes:
    """Big-endian, 8 bytes."""
    return number.to_bytes(8, "big")


def parse_decimal(text: str, what: str) -> int:
    """The non-negative integer that `text` is the one canonical decimal form of, < 2^63.

    Raises:
        MalformedError: signs, blanks, leading zeros, other digits, or too large.
    """
    if not _DECIMAL.fullmatch(text) or int(text) >= 1 << 63:
        raise MalformedError(f"{what}: not a canonical decimal number")
    return int(text)


def parse_hex(text: str, length: int, what: str) -> bytes:
    """The `length` bytes that `text` spells in lower-case hex.

    Raises:
        MalformedError: another length, upper case or another character.
    """
    if len(text) != 2 * length or not _HEX.fullmatch(text):
        raise MalformedError(f"{what}: not {2 * length} lower-case hex digits")
    return bytes.fromhex(text)


def parse_base64(text: str, what: str) -> bytes:
    """The bytes that `text` encodes in standard padded base64, and in no other spelling.

    Raises:
        MalformedError: not canonical base64.
    """
    try:
        decoded = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise MalformedError(f"{what}: not base64") from error
    if format_base64(decoded) != text:
        raise MalformedError(f"{what}: base64 is not canonical")
    return decoded


def format_base64(data: bytes) -> str:
    """Standard padded base64, one line."""
    return base64.b64encode(data).decode("ascii")


def decode_text(data: bytes, what: str) -> str:
    """`data` as UTF-8 text without carriage returns, byte-order mark or other controls.

    Raises:
        MalformedError: not UTF-8, or a control character other than LF.
    """
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise MalformedError(f"{what}: not UTF-8 at byte {error.start}") from error
    control = _CONTROL.search(text)
    if control is not None:
        raise MalformedError(f"{what}: control character at position {control.start()}")
    return text


def format_json(value: Json) -> bytes:
    """RFC 8785 canonical JSON of a value made of dicts, lists, strings, integers, booleans.

    Floats are refused: nothing in this protocol counts in fractions.

    Raises:
        MalformedError: a float, a key that is not a string, or an integer beyond 2^53 - 1.
    """
    _refuse_floats(value, 0)
    try:
        return rfc8785.dumps(value)
    except rfc8785.CanonicalizationError as error:
        raise MalformedError(f"value has no canonical JSON form: {error}") from error
    except UnicodeEncodeError as error:
        raise MalformedError("value has no canonical JSON form: lone surrogate") from error


def parse_json(data: bytes, what: str, *, bytes_max: int = JSON_BYTES_MAX) -> Json:
    """The value of a canonical JSON document; any other spelling of it is refused.

    Raises:
        MalformedError: too long, not JSON, a repeated key, a float, too deep, or not canonical.
    """
    if len(data) > bytes_max:
        raise MalformedError(f"{what}: longer than {bytes_max} bytes")
    try:
        value: Json = json.loads(data.decode("utf-8"), object_pairs_hook=_unique_pairs)
    except (ValueError, RecursionError) as error:
        raise MalformedError(f"{what}: not JSON") from error
    if format_json(value) != data:
        raise MalformedError(f"{what}: JSON is not in canonical form (RFC 8785)")
    return value


def parse_written_json(data: bytes, name: str, *, bytes_max: int = JSON_BYTES_MAX) -> Json:
    """The value of a JSON document that a person wrote: in any spelling, blanks included.

    What it holds is what a canonical one may hold; it has no hash of its own.

    Raises:
        MalformedError: too long, not JSON, a repeated key, a float, or too deep; begins with
            `name`, and with line and column where the JSON ends to be JSON.
    """
    if len(data) > bytes_max:
        raise MalformedError(f"{name}: longer than {bytes_max} bytes")
    try:
        value: Json = json.loads(data.decode("utf-8"), object_pairs_hook=_unique_pairs)
        format_json(value)
    except json.JSONDecodeError as error:
        place = f"{name}:{error.lineno}:{error.colno}"
        raise MalformedError(f"{place}: not JSON: {error.msg}") from error
    except UnicodeDecodeError as error:
        raise MalformedError(f"{name}: not UTF-8 at byte {error.start}") from error
    except (ValueError, RecursionError) as error:
        raise MalformedError(f"{name}: not JSON: {error}") from error
    except MalformedError as error:
        raise MalformedError(f"{name}: {error.message}") from error
    return value


def _unique_pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    keys = dict(pairs)
    if len(keys) != len(pairs):
        raise ValueError("repeated key")
    return keys


def _refuse_floats(value: object, depth: int) -> None:
    if depth > JSON_DEPTH_MAX:
        raise MalformedError(f"JSON is nested deeper than {JSON_DEPTH_MAX}")
    if isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, str):
                raise MalformedError("JSON key is not a string")
            _refuse_floats(item, depth + 1)
    elif isinstance(value, list):
        for item in value:
            _refuse_floats(item, depth + 1)
    elif not (value is None or isinstance(value, bool | int | str)):
        raise MalformedError(f"JSON has no place for a {type(value).__name__}")
