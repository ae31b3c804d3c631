"""A box: a few bytes that only the holder of one key can read, and nobody can change unseen.

    nonce (24) ‖ XChaCha20-Poly1305( plaintext ), with a purpose as associated data

For what one process hands to strangers and wants back unread: a visitor's state in a page, or
a file on a disk that may be seized. Keys are random and live as long as the process at most.

Spec: draft-irtf-cfrg-xchacha-03 §2; docs/3-protocol.md §14.
"""

from nacl.bindings import (
    crypto_aead_xchacha20poly1305_ietf_decrypt,
    crypto_aead_xchacha20poly1305_ietf_encrypt,
)
from nacl.exceptions import CryptoError

from safeconduct.errors import UnverifiedError
from safeconduct.protocol.canonical import tag

KEY_BYTES = 32
NONCE_BYTES = 24
OVERHEAD_BYTES = NONCE_BYTES + 16


def seal_box(key: bytes, purpose: str, plain: bytes, nonce: bytes) -> bytes:
    """The boxed bytes; `nonce` is 24 random bytes, used once under this key."""
    return nonce + crypto_aead_xchacha20poly1305_ietf_encrypt(plain, tag(purpose), nonce, key)


def open_box(key: bytes, purpose: str, boxed: bytes) -> bytes:
    """What was boxed under this key for this purpose.

    Raises:
        UnverifiedError: it was not, or was changed since.
    """
    nonce, sealed = boxed[:NONCE_BYTES], boxed[NONCE_BYTES:]
    if len(boxed) < OVERHEAD_BYTES:
        raise UnverifiedError("box: too short to be one")
    try:
        return crypto_aead_xchacha20poly1305_ietf_decrypt(sealed, tag(purpose), nonce, key)
    except CryptoError as error:
        raise UnverifiedError("box: not sealed here, or changed since") from error
