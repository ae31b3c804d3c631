"""Records: the only texts this programme hashes, signs and logs.

    safeconduct/v1/acknowledgement      the kind, which is also the domain of every signature
    programme 5e1c…                     one `name value` line per field, in the table's order
    record 90b2…
    status ok
    …

A record is ASCII lines (a statute's `law` line may hold UTF-8), each field exactly once, LF at
each end, nothing else. A signed record is a C2SP signed note whose text is the record. What is
logged is `record_hash`, taken over all bytes, signatures included: the log dates the signing.

Spec: docs/3-protocol.md §5; C2SP signed-note for the signature lines.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from safeconduct.errors import MalformedError, UnverifiedError
from safeconduct.protocol.canonical import PREFIX, decode_text, tagged_hash
from safeconduct.protocol.kinds import (
    KINDS,
    NO_HASH,
    RECORD_BYTES_MAX,
    UNSIGNED_KINDS,
    UTF8_FIELDS,
    Form,
    Value,
)
from safeconduct.protocol.tlog.note import (
    Note,
    SigningKey,
    VerifierKey,
    format_note,
    parse_note,
    sign_note,
    verify_note,
)

__all__ = [
    "NO_HASH",
    "RECORD_BYTES_MAX",
    "Record",
    "SignedRecord",
    "Value",
    "format_record",
    "make_record",
    "parse_any",
    "parse_record",
    "parse_signed",
    "record_hash",
    "sign_record",
    "upload_name",
    "verify_signer",
    "verify_signers",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One record's kind and field values; `text` is its only byte form."""

    kind: str
    values: Mapping[str, Value]

    def hash(self, name: str) -> bytes:
        """A field that holds bytes: a hash, a public key, a statute's text."""
        value = self.values[name]
        assert isinstance(value, bytes)
        return value

    def number(self, name: str) -> int:
        """A field that holds a count, a size or POSIX seconds."""
        value = self.values[name]
        assert isinstance(value, int)
        return value

    def word(self, name: str) -> str:
        """A field that holds a word or a token."""
        value = self.values[name]
        assert isinstance(value, str)
        return value

    def key(self, name: str) -> VerifierKey:
        """A field that holds one verifier key."""
        value = self.values[name]
        assert isinstance(value, VerifierKey)
        return value

    def keys(self, name: str) -> tuple[VerifierKey, ...]:
        """A field that holds a list of verifier keys."""
        value = self.values[name]
        assert isinstance(value, tuple)
        return value


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedRecord:
    """A record with its signature lines, as parsed; nothing about them is verified yet."""

    record: Record
    note: Note
    data: bytes


def make_record(kind: str, **fields: Value) -> Record:
    """A record of `kind`; field names are written with `_` for `-`.

    Every field of the kind is required, and each value must survive its own parser, so that a
    record which was made can always be read.

    Raises:
        MalformedError: a value is not what its field allows.
    """
    names = {name.replace("_", "-"): value for name, value in fields.items()}
    forms = KINDS[kind]
    if names.keys() != forms.keys():
        raise TypeError(f"record {kind} needs exactly the fields {', '.join(forms)}")
    record = Record(kind=kind, values={name: names[name] for name in forms})
    try:
        data = format_record(record)
    except UnicodeEncodeError:
        raise MalformedError(f"{kind} record: a value is not text") from None
    if parse_record(data) != record:
        raise MalformedError(f"{kind} record: a value has no canonical form")
    return record


def format_record(record: Record) -> bytes:
    """The record's bytes. Spec: docs/3-protocol.md §5.1."""
    forms = KINDS[record.kind]
    lines = [PREFIX + record.kind]
    lines += [f"{name} {forms[name].format(value)}" for name, value in record.values.items()]
    return ("\n".join(lines) + "\n").encode("utf-8")


def parse_record(data: bytes, kind: str | None = None) -> Record:
    """The record that `data` is the one byte form of; of `kind`, if that is given.

    Raises:
        MalformedError: too long, another kind, a field missing, repeated, out of order or not
            canonical, or anything after the last line.
    """
    if len(data) > RECORD_BYTES_MAX:
        raise MalformedError(f"record: longer than {RECORD_BYTES_MAX} bytes")
    lines = decode_text(data, "record").split("\n")
    found = lines[0].removeprefix(PREFIX)
    if lines[0] == found or found not in KINDS:
        raise MalformedError("record: the first line names no kind of this protocol")
    if kind is not None and found != kind:
        raise MalformedError(f"record: {found} where {kind} is due")
    forms = KINDS[found]
    if len(lines) != len(forms) + 2 or lines[-1]:
        raise MalformedError(f"{found} record: needs {len(forms)} fields, each on one line")
    pairs = zip(forms.items(), lines[1:-1], strict=True)
    values = {name: _parse_line(found, name, form, line) for (name, form), line in pairs}
    record = Record(kind=found, values=values)
    if format_record(record) != data:
        raise MalformedError(f"{found} record: not in canonical form")
    return record


def _parse_line(kind: str, name: str, form: Form, line: str) -> Value:
    what = f"{kind} record, field {name}"
    field, blank, text = line.partition(" ")
    if field != name or not blank:
        raise MalformedError(f"{what}: missing or out of order")
    if name not in UTF8_FIELDS and not text.isascii():
        raise MalformedError(f"{what}: not ASCII")
    return form.parse(text, what)


def record_hash(data: bytes) -> bytes:
    """The 32 bytes that stand in the Ledger for a record, signatures included."""
    return tagged_hash("record", data)


def sign_record(record: Record, keys: Sequence[SigningKey]) -> bytes:
    """The record as a signed note with one line per key, in the order given."""
    text = format_record(record).decode("utf-8")
    lines = tuple(sign_note(text, key) for key in keys)
    return format_note(Note(text=text, signatures=lines))


def parse_signed(data: bytes, kind: str | None = None) -> SignedRecord:
    """A signed record, not yet verified.

    Raises:
        MalformedError: not a signed note, or its text is not a record of `kind`.
    """
    if len(data) > RECORD_BYTES_MAX:
        raise MalformedError(f"record: longer than {RECORD_BYTES_MAX} bytes")
    note = parse_note(data)
    record = parse_record(note.text.encode("utf-8"), kind)
    return SignedRecord(record=record, note=note, data=data)


def parse_any(data: bytes) -> Record:
    """The record in `data`, whether its kind is signed or not. Signatures are not verified."""
    first = data[:64].split(b"\n", 1)[0].decode("ascii", "replace").removeprefix(PREFIX)
    return parse_record(data) if first in UNSIGNED_KINDS else parse_signed(data).record


def verify_signers(
    signed: SignedRecord, keys: Sequence[VerifierKey], threshold: int
) -> tuple[str, ...]:
    """The names of the signers, after checking that each line is by one of `keys`, once.

    Lines by strangers are refused, not ignored: nobody can grow a record after the fact.

    Raises:
        UnverifiedError: a stranger's line, a line twice, a bad signature, or fewer than
            `threshold` signers.
    """
    known = {(key.name, key.key_id): key for key in keys}
    places = [(line.name, line.key_id) for line in signed.note.signatures]
    if len(set(places)) != len(places):
        raise UnverifiedError(f"{signed.record.kind} record: somebody signed twice")
    for place in places:
        if place not in known:
            raise UnverifiedError(
                f"{signed.record.kind} record: signed by {place[0]}, who has no say here"
            )
        verify_note(signed.note, known[place])
    if len(places) < threshold:
        raise UnverifiedError(
            f"{signed.record.kind} record: {len(places)} of {threshold} signatures needed"
        )
    return tuple(name for name, _ in places)


def verify_signer(signed: SignedRecord, key: VerifierKey) -> Record:
    """The record, after checking that `key` and nobody else signed it.

    Raises:
        UnverifiedError: any other set of signatures.
    """
    verify_signers(signed, (key,), 1)
    return signed.record


def upload_name(data: bytes) -> bytes:
    """The 32 bytes under which a contribution's payload is handed over.

    Unlike `record_hash` they stand in no public log: only who has the record can name them.
    Spec: docs/3-protocol.md §13.
    """
    return tagged_hash("upload", data)
