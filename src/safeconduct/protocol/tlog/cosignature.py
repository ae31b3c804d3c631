"""Cosignatures: a witness says since when it knows a tree as the largest of its log.

    signature line:      key ID (4) ‖ u64 big-endian POSIX seconds ‖ signature (64 or 2,420)

    message, Ed25519:    cosignature/v1
    (type 0x04)          time 1679315147
                         the whole text of the checkpoint's note

    message, ML-DSA-44:  "subtree/v1" LF NUL            12 bytes, no string of C
    (type 0x06)          u8 length ‖ cosigner's name
                         u64 POSIX seconds, as in the line
                         u8 length ‖ origin
                         u64 start = 0 ‖ u64 end = tree size
                         root hash (32)

The Ed25519 message does not name the witness, so one raw key must never serve two witnesses.

The ML-DSA-44 message leaves the checkpoint's extension lines out: whoever carries the note
could write any there. Such a signature is therefore neither made nor accepted here on a
checkpoint that has extension lines, although the standard would let it vouch for the rest.

Logs sign their own checkpoints too: an Ed25519 key signs the text as a note (type 0x01), an
ML-DSA-44 key makes a cosignature under the log's own name. The standard lets a time of 0 say
"no claim that this is the largest tree". From a witness that is worth nothing and refused; from
a log any time is taken, for what counts is that it signed the tree. Ours write the true time.

Spec: c2sp.org/tlog-cosignature; c2sp.org/tlog-checkpoint, "Signatures"; FIPS 204, pure
ML-DSA-44 under the empty context.
"""

from safeconduct.errors import RefusedError, UnverifiedError
from safeconduct.protocol.canonical import u64
from safeconduct.protocol.signature import (
    ED25519_SIGNATURE_BYTES,
    MLDSA44_SIGNATURE_BYTES,
    sign_ed25519,
    sign_mldsa44,
    verify_ed25519,
    verify_mldsa44,
)
from safeconduct.protocol.tlog.checkpoint import Checkpoint, parse_checkpoint
from safeconduct.protocol.tlog.note import (
    COSIGNATURE,
    ED25519,
    MLDSA44,
    MLDSA44_NAME_BYTES_MAX,
    Note,
    SignatureLine,
    SigningKey,
    VerifierKey,
    sign_note,
    signatures_by,
    verify_note,
)

TIME_BYTES = 8
TIME_END = 1 << 63
"""POSIX seconds; the standard ends one second earlier."""
BLOB_BYTES = TIME_BYTES + ED25519_SIGNATURE_BYTES
MLDSA44_BLOB_BYTES = TIME_BYTES + MLDSA44_SIGNATURE_BYTES
COSIGNERS = (COSIGNATURE, MLDSA44)
"""Types of the keys that witnesses cosign with."""
LOG_SIGNERS = (ED25519, MLDSA44)
"""Types of the keys that logs sign their own checkpoints with."""

_SUBTREE_LABEL = b"subtree/v1\n\0"
_SIGN = {ED25519: sign_ed25519, MLDSA44: sign_mldsa44}
_VERIFY = {COSIGNATURE: verify_ed25519, MLDSA44: verify_mldsa44}
_BLOB_BYTES = {COSIGNATURE: BLOB_BYTES, MLDSA44: MLDSA44_BLOB_BYTES}


def cosign(text: str, key: SigningKey, at: int) -> SignatureLine:
    """The cosignature of a checkpoint's text at `at` POSIX seconds, 0 < at < 2^63.

    Of type COSIGNATURE by an Ed25519 key, of type MLDSA44 by an ML-DSA-44 key.

    Raises:
        MalformedError: the text is no checkpoint; nothing else may carry this signature.
        RefusedError: it has extension lines, which an ML-DSA-44 key would not cover.
    """
    checkpoint = parse_checkpoint(text)
    if not 0 < at < TIME_END:
        raise ValueError("a cosignature's time is in (0, 2^63) seconds")
    cosigner = key.cosigner()
    if cosigner.algorithm == MLDSA44 and checkpoint.extensions:
        raise RefusedError(f"checkpoint: {_NOT_COVERED}")
    message = _MESSAGES[cosigner.algorithm](text, checkpoint, cosigner.name, at)
    blob = u64(at) + _SIGN[key.algorithm](key.seed, message)
    return SignatureLine(name=cosigner.name, key_id=cosigner.key_id, blob=blob)


def verify_cosignature(note: Note, key: VerifierKey) -> int:
    """The POSIX seconds at which `key`, of type COSIGNATURE or MLDSA44, cosigned the note.

    Raises:
        MalformedError: the note's text is no checkpoint.
        UnverifiedError: no line by `key`, two of them, no time in it, a bad signature, or
            extension lines that an ML-DSA-44 key does not cover.
    """
    if key.algorithm not in COSIGNERS:
        raise ValueError("verify_cosignature takes a key of type COSIGNATURE or MLDSA44")
    lines = signatures_by(note, key)
    if not lines:
        raise UnverifiedError(f"cosignature: none by {key.name}")
    if len(lines) > 1:
        # A witness signs a tree once per request. Two lines would be two dates to choose from,
        # and whoever carries the note could choose by leaving one out.
        raise UnverifiedError(f"cosignature: more than one by {key.name}")
    at = _verify_line(note.text, lines[0], key)
    if at == 0:
        raise UnverifiedError(f"cosignature: no usable time by {key.name}")
    return at


def sign_as_log(text: str, key: SigningKey, at: int) -> SignatureLine:
    """A log's signature of its own checkpoint, made at `at` POSIX seconds, 0 < at < 2^63.

    A note signature without a time by an Ed25519 key, a cosignature by an ML-DSA-44 key.

    Raises:
        MalformedError: the text is no checkpoint.
        RefusedError: it has extension lines, which an ML-DSA-44 key would not cover.
    """
    parse_checkpoint(text)
    return sign_note(text, key) if key.algorithm == ED25519 else cosign(text, key, at)


def verify_log(note: Note, key: VerifierKey) -> None:
    """Ensure that the log's `key`, of type ED25519 or MLDSA44, signed the checkpoint.

    That the checkpoint is of the log so called is for the caller to compare.

    Raises:
        MalformedError: the note's text is no checkpoint.
        UnverifiedError: no line by `key`, any that does not verify, or extension lines that
            an ML-DSA-44 key does not cover.
    """
    if key.algorithm not in LOG_SIGNERS:
        raise ValueError("verify_log takes a key of type ED25519 or MLDSA44")
    parse_checkpoint(note.text)
    if key.algorithm == ED25519:
        verify_note(note, key)
        return
    lines = signatures_by(note, key)
    if not lines:
        raise UnverifiedError(f"checkpoint: no signature by {key.name}")
    for line in lines:
        _verify_line(note.text, line, key)


def _verify_line(text: str, line: SignatureLine, key: VerifierKey) -> int:
    """The time in a line that holds; it may be 0."""
    checkpoint = parse_checkpoint(text)
    if len(line.blob) != _BLOB_BYTES[key.algorithm]:
        raise UnverifiedError(f"cosignature: wrong size by {key.name}")
    if key.algorithm == MLDSA44 and checkpoint.extensions:
        raise UnverifiedError(f"cosignature by {key.name}: {_NOT_COVERED}")
    at = int.from_bytes(line.blob[:TIME_BYTES], "big")
    if at >= TIME_END:
        raise UnverifiedError(f"cosignature: no usable time by {key.name}")
    message = _MESSAGES[key.algorithm](text, checkpoint, key.name, at)
    try:
        _VERIFY[key.algorithm](key.public, message, line.blob[TIME_BYTES:])
    except UnverifiedError as error:
        raise UnverifiedError(f"cosignature: bad signature by {key.name}") from error
    return at


def _text_message(text: str, checkpoint: Checkpoint, name: str, at: int) -> bytes:
    """What Ed25519 keys sign: the text, whoever signs it."""
    return f"cosignature/v1\ntime {at}\n{text}".encode()


def _tree_message(text: str, checkpoint: Checkpoint, name: str, at: int) -> bytes:
    """What ML-DSA-44 keys sign: who, when, and the tree."""
    tree = checkpoint.tree
    head = _SUBTREE_LABEL + _short(name) + u64(at) + _short(checkpoint.origin)
    return head + u64(0) + u64(tree.size) + tree.root_hash


def _short(name: str) -> bytes:
    """A u8 length and the name's 1 to 255 bytes."""
    data = name.encode()
    if not 0 < len(data) <= MLDSA44_NAME_BYTES_MAX:
        raise ValueError(f"a name is 1 to {MLDSA44_NAME_BYTES_MAX} bytes")
    return bytes([len(data)]) + data


_MESSAGES = {COSIGNATURE: _text_message, MLDSA44: _tree_message}
_NOT_COVERED = "ML-DSA-44 does not cover its extension lines"
