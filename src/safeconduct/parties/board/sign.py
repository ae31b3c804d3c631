"""Sign: add one member's line to a record, on that member's own machine.

Spec: docs/3-protocol.md §5.3; C2SP signed-note.
"""

from collections.abc import Iterable

from safeconduct.errors import MalformedError, RefusedError
from safeconduct.protocol.canonical import decode_text
from safeconduct.protocol.kinds import UNSIGNED_KINDS
from safeconduct.protocol.record import (
    RECORD_BYTES_MAX,
    Record,
    parse_record,
    parse_signed,
    verify_signers,
)
from safeconduct.protocol.tlog.note import Note, SigningKey, format_note, sign_note


def read_draft(data: bytes) -> tuple[Record, Note]:
    """The record in `data` and the signatures it carries so far, perhaps none.

    Raises:
        MalformedError: neither a record nor a signed one, or of a kind nobody signs.
    """
    if len(data) > RECORD_BYTES_MAX:
        raise MalformedError(f"draft: longer than {RECORD_BYTES_MAX} bytes")
    text = decode_text(data, "draft")
    if "\n\n" in text:
        signed = parse_signed(data)
        return signed.record, signed.note
    record = parse_record(data)
    if record.kind in UNSIGNED_KINDS:
        raise MalformedError(f"{record.kind} records are not signed")
    return record, Note(text=text, signatures=())


def add_signature(data: bytes, key: SigningKey) -> bytes:
    """The record in `data` with this member's line after those it has.

    Raises:
        MalformedError: not a draft.
        RefusedError: this member has signed it already.
    """
    _, note = read_draft(data)
    line = sign_note(note.text, key)
    if any((one.name, one.key_id) == (line.name, line.key_id) for one in note.signatures):
        raise RefusedError(f"{key.name} has signed this already")
    return format_note(Note(text=note.text, signatures=(*note.signatures, line)))


def sign_all(data: bytes, keys: Iterable[SigningKey]) -> bytes:
    """The record in `data` with a line by each of `keys`, one after the other."""
    for key in keys:
        data = add_signature(data, key)
    return data


def check_signed(data: bytes, keys: Iterable[SigningKey], threshold: int) -> tuple[str, ...]:
    """The names under a signed record, all of them verified. For a member who checks a copy."""
    known = [key.verifier() for key in keys]
    return verify_signers(parse_signed(data), known, threshold)
