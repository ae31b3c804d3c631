"""A whole opening in one text, for a claim: the file key and all of a small payload.

    {"file_key": "…", "payload": "…"}      16 bytes in hex; up to 256 KiB in base64

Spec: docs/3-protocol.md §25.4.
"""

from safeconduct.errors import MalformedError
from safeconduct.protocol.canonical import (
    Json,
    format_base64,
    format_json,
    parse_base64,
    parse_hex,
    parse_json,
)
from safeconduct.protocol.keys import FILE_KEY_BYTES
from safeconduct.protocol.opened import open_with_key
from safeconduct.protocol.record import Record
from safeconduct.protocol.tip import TipFile

INLINE_PAYLOAD_BYTES_MAX = 256 << 10
INLINE_BYTES_MAX = 360 << 10  # the payload in base64, and the key


def format_inline(file_key: bytes, payload: bytes) -> str:
    """The text that `examine_inline` takes: a file key and all of a small payload.

    Raises:
        MalformedError: the payload is longer than `INLINE_PAYLOAD_BYTES_MAX`.
    """
    _check_size(payload)
    value: Json = {"file_key": file_key.hex(), "payload": format_base64(payload)}
    return format_json(value).decode("ascii")


def examine_inline(text: str, contribution: Record) -> None:
    """Check that the file key and payload in `text` open to what the contribution says.

    Who signed for it, and when it was dated, is for the claim around it to say.

    Raises:
        MalformedError: not the text of an opening, or it opens to no container.
        UnverifiedError: it does not open, or to something the record does not commit to.
    """
    data = text.encode("utf-8", "replace")
    value = parse_json(data, "inline opening", bytes_max=INLINE_BYTES_MAX)
    if not isinstance(value, dict) or value.keys() != {"file_key", "payload"}:
        raise MalformedError("inline opening: needs exactly file_key and payload")
    file_key, payload = value["file_key"], value["payload"]
    if not isinstance(file_key, str) or not isinstance(payload, str):
        raise MalformedError("inline opening: its fields must be text")
    key = parse_hex(file_key, FILE_KEY_BYTES, "inline opening: file_key")
    sealed = parse_base64(payload, "inline opening: payload")
    _check_size(sealed)
    open_with_key(contribution, key, lambda: [sealed], _nowhere)


def _nowhere(file: TipFile, chunk: bytes) -> None:
    """What is inside is checked, and not kept."""


def _check_size(payload: bytes) -> None:
    if len(payload) > INLINE_PAYLOAD_BYTES_MAX:
        raise MalformedError(
            f"inline opening: the payload is longer than {INLINE_PAYLOAD_BYTES_MAX} bytes",
            hint="too large for a claim: show the desk's acknowledgement instead",
        )
