"""Cosignatures: a witness says since when it knows a tree as the largest of its log.

    signature line:   key ID (4) ‖ u64 big-endian POSIX seconds ‖ Ed25519 signature (64)
    signed message:   cosignature/v1
                      time 1679315147
                      the whole text of the checkpoint's note

The message does not name the witness, so one raw key must never serve two witnesses.

Spec: c2sp.org/tlog-cosignature, Ed25519 (type 0x04). ML-DSA-44 cosignatures (type 0x06) are
read as signatures by unknown keys, hence ignored: no quorum of ours may rest on them until
`protocol.signature` verifies ML-DSA-44, and the public witness network does not use them yet.
"""

from safeconduct.errors import UnverifiedError
from safeconduct.protocol.canonical import u64
from safeconduct.protocol.signature import (
    ED25519_SIGNATURE_BYTES,
    sign_ed25519,
    verify_ed25519,
)
from safeconduct.protocol.tlog.checkpoint import parse_checkpoint
from safeconduct.protocol.tlog.note import (
    COSIGNATURE,
    Note,
    SignatureLine,
    SigningKey,
    VerifierKey,
    signatures_by,
)

TIME_BYTES = 8
TIME_END = 1 << 63
"""POSIX seconds; the standard ends one second earlier."""
BLOB_BYTES = TIME_BYTES + ED25519_SIGNATURE_BYTES


def cosign(text: str, key: SigningKey, at: int) -> SignatureLine:
    """The cosignature of a checkpoint's text at `at` POSIX seconds, 0 < at < 2^63.

    Raises:
        MalformedError: the text is no checkpoint; nothing else may carry this signature.
    """
    parse_checkpoint(text)
    if not 0 < at < TIME_END:
        raise ValueError("a cosignature's time is in (0, 2^63) seconds")
    signature = sign_ed25519(key.seed, _message(text, at))
    key_id = key.verifier(COSIGNATURE).key_id
    return SignatureLine(name=key.name, key_id=key_id, blob=u64(at) + signature)


def verify_cosignature(note: Note, key: VerifierKey) -> int:
    """The POSIX seconds at which `key`, of type COSIGNATURE, cosigned the note.

    Raises:
        UnverifiedError: no line by `key`, two of them, no time in it, or a bad signature.
    """
    if key.algorithm != COSIGNATURE:
        raise ValueError("verify_cosignature takes a key of type COSIGNATURE")
    lines = signatures_by(note, key)
    if not lines:
        raise UnverifiedError(f"cosignature: none by {key.name}")
    if len(lines) > 1:
        # A witness signs a tree once per request. Two lines would be two dates to choose from,
        # and whoever carries the note could choose by leaving one out.
        raise UnverifiedError(f"cosignature: more than one by {key.name}")
    return _verify_blob(note.text, lines[0].blob, key)


def _verify_blob(text: str, blob: bytes, key: VerifierKey) -> int:
    if len(blob) != BLOB_BYTES:
        raise UnverifiedError(f"cosignature: wrong size by {key.name}")
    at = int.from_bytes(blob[:TIME_BYTES], "big")
    if not 0 < at < TIME_END:
        raise UnverifiedError(f"cosignature: no usable time by {key.name}")
    try:
        verify_ed25519(key.public, _message(text, at), blob[TIME_BYTES:])
    except UnverifiedError as error:
        raise UnverifiedError(f"cosignature: bad signature by {key.name}") from error
    return at


def _message(text: str, at: int) -> bytes:
    return f"cosignature/v1\ntime {at}\n{text}".encode()
