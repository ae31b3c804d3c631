"""Records that their author signs twice: Ed25519 and ML-DSA-65, with keys the record names.

    safeconduct/v1/claim-helped        fields end on, or hold: ed25519 …, mldsa65 …, blind …
    …

    — claimant <key id><Ed25519 signature>
    — claimant <key id><ML-DSA-65 signature, with the record's kind as its context>

A later quantum computer forges the first and not the second; a flaw in the younger scheme
leaves the first. That the keys are the author's of some contribution is a matter of its
commitment, which the same three fields open.

Spec: docs/3-protocol.md §4, §10.1.
"""

from collections.abc import Collection

from safeconduct.errors import MalformedError, UnverifiedError
from safeconduct.protocol.canonical import tag
from safeconduct.protocol.keys import author_commitment
from safeconduct.protocol.record import Record, format_record, parse_signed
from safeconduct.protocol.signature import (
    check_ed25519_public,
    ed25519_public,
    sign_ed25519,
    sign_mldsa65,
    verify_ed25519,
    verify_mldsa65,
)
from safeconduct.protocol.tlog.note import (
    ED25519,
    OTHER,
    Note,
    SignatureLine,
    VerifierKey,
    format_note,
)

_SIGNER = "claimant"
_MLDSA65_ALGORITHM = b"safeconduct/v1/mldsa65\n"  # follows type byte 0xff in the key id


def sign_dual(record: Record, ed25519_seed: bytes, mldsa65_seed: bytes) -> bytes:
    """The record as a signed note with an Ed25519 and an ML-DSA-65 line.

    Raises:
        ValueError: the record names another Ed25519 key than the seed's.
    """
    text = format_record(record).decode("ascii")
    message = text.encode("utf-8")
    ed25519, mldsa65 = _keys(record)
    if ed25519_public(ed25519_seed) != ed25519.public:
        raise ValueError("the record names another key than the one that signs it")
    lines = (
        SignatureLine(
            name=_SIGNER, key_id=ed25519.key_id, blob=sign_ed25519(ed25519_seed, message)
        ),
        SignatureLine(
            name=_SIGNER,
            key_id=mldsa65.key_id,
            blob=sign_mldsa65(mldsa65_seed, message, tag(record.kind)),
        ),
    )
    return format_note(Note(text=text, signatures=lines))


def open_dual(data: bytes, kinds: Collection[str]) -> Record:
    """The record of one of `kinds`, after checking both signatures against the keys it names.

    Raises:
        MalformedError: not a record of these kinds, or its Ed25519 key is of low order.
        UnverifiedError: a signature missing, added or bad.
    """
    signed = parse_signed(data)
    record = signed.record
    if record.kind not in kinds:
        raise MalformedError(f"{record.kind} record: not {' or '.join(sorted(kinds))}")
    check_ed25519_public(record.hash("ed25519"))
    lines = signed.note.signatures
    keys = _keys(record)
    if [(line.name, line.key_id) for line in lines] != [(k.name, k.key_id) for k in keys]:
        raise UnverifiedError(
            f"{record.kind}: needs one Ed25519 and one ML-DSA-65 line of its own keys"
        )
    message = signed.note.text.encode("utf-8")
    verify_ed25519(record.hash("ed25519"), message, lines[0].blob)
    verify_mldsa65(record.hash("mldsa65"), message, lines[1].blob, tag(record.kind))
    return record


def opened_author(record: Record) -> bytes:
    """The author commitment that the keys and the blind of a dual record open.

    It is the author's if it equals `author` of a contribution, or `key` of a credit.
    """
    return author_commitment(
        record.hash("ed25519"), record.hash("mldsa65"), record.hash("blind")
    )


def _keys(record: Record) -> tuple[VerifierKey, VerifierKey]:
    return (
        VerifierKey(name=_SIGNER, algorithm=ED25519, public=record.hash("ed25519")),
        VerifierKey(
            name=_SIGNER, algorithm=OTHER, public=_MLDSA65_ALGORITHM + record.hash("mldsa65")
        ),
    )
