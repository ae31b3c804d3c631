"""The 16-byte file key: everything in one age file hangs on it, and nothing else does.

Spec: C2SP age, "File key"; RFC 5869; RFC 8439.
"""

import hmac
from collections.abc import Callable
from typing import TypeAlias

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from safeconduct.protocol.canonical import expand

RandomBytes: TypeAlias = Callable[[int], bytes]

FILE_KEY_BYTES = 16
WRAPPED_KEY_BYTES = FILE_KEY_BYTES + 16

# A wrap key is used once, so its nonce carries no information. Spec: C2SP age, "X25519".
_NONCE = bytes(12)


def hkdf(key_material: bytes, salt: bytes, info: bytes) -> bytes:
    """HKDF-SHA-256: 32 bytes. Spec: RFC 5869 §2."""
    return expand(hmac.digest(salt, key_material, "sha256"), info, 32)


def seal_file_key(wrap_key: bytes, file_key: bytes) -> bytes:
    """The 32-byte body of a stanza: `file_key` under a `wrap_key` that seals nothing else."""
    assert len(file_key) == FILE_KEY_BYTES
    return ChaCha20Poly1305(wrap_key).encrypt(_NONCE, file_key, None)


def open_file_key(wrap_key: bytes, body: bytes) -> bytes | None:
    """The file key in `body`, or None if it was sealed under another key."""
    assert len(body) == WRAPPED_KEY_BYTES
    try:
        return ChaCha20Poly1305(wrap_key).decrypt(_NONCE, body, None)
    except InvalidTag:
        return None
