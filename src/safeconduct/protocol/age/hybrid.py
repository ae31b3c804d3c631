"""The hybrid recipient: ML-KEM-768 and X25519 together, so that one of them may fall.

    -> mlkem768x25519 base64(ML-KEM ciphertext, 1088 bytes || X25519 share, 32 bytes)
    base64(file key, HPKE-sealed, 32 bytes)

A secret key is a 32-byte seed, from which SHAKE-256 draws both secret keys:

    seed -> SHAKE-256 -> ML-KEM-768 seed (d || z), 64 bytes || X25519 secret, 32 bytes

Spec: C2SP age, "The MLKEM768-X25519 hybrid post-quantum recipient type"; RFC 9180 §6.1;
draft-ietf-hpke-pq-03; FIPS 203.
"""

import hashlib
from dataclasses import dataclass, field
from typing import ClassVar

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hpke
from cryptography.hazmat.primitives.asymmetric.mlkem import (
    MLKEM768PrivateKey,
    MLKEM768PublicKey,
)
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from safeconduct.errors import MalformedError
from safeconduct.protocol.age import x25519
from safeconduct.protocol.age.file_key import FILE_KEY_BYTES, RandomBytes
from safeconduct.protocol.age.header import Stanza, check_shape, format_unpadded, parse_unpadded

SEED_BYTES = 32
MLKEM_PUBLIC_BYTES = 1184
PUBLIC_BYTES = MLKEM_PUBLIC_BYTES + 32
MLKEM_CIPHERTEXT_BYTES = 1088
ENCAPSULATED_BYTES = MLKEM_CIPHERTEXT_BYTES + 32

_INFO = b"age-encryption.org/mlkem768x25519"
_SUITE = hpke.Suite(hpke.KEM.MLKEM768_X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.CHACHA20_POLY1305)


@dataclass(frozen=True, slots=True, kw_only=True)
class HybridRecipient:
    """A public key of 1,216 bytes (ML-KEM-768, then X25519), written `age1pq1...`."""

    kind: ClassVar[str] = "mlkem768x25519"
    prefix: ClassVar[str] = "age1pq"
    public: bytes = field(repr=False)

    def wrap(self, file_key: bytes, random_bytes: RandomBytes) -> Stanza:
        """A stanza that this recipient alone can open.

        Raises:
            MalformedError: one half of the public key is invalid.
        """
        # Here alone chance is no argument: the library draws the encapsulation's randomness
        # from the operating system itself and offers no other way. Hence `random_bytes` stays
        # unused, and sealing twice to this recipient gives two different stanzas.
        del random_bytes
        assert len(file_key) == FILE_KEY_BYTES
        sealed = _SUITE.encrypt(file_key, _public_key(self.public), _INFO)
        encapsulated, body = sealed[:ENCAPSULATED_BYTES], sealed[ENCAPSULATED_BYTES:]
        return Stanza(kind=self.kind, arguments=(format_unpadded(encapsulated),), body=body)


@dataclass(frozen=True, slots=True, kw_only=True)
class HybridIdentity:
    """A seed of 32 bytes, written `AGE-SECRET-KEY-PQ-1...`; its repr does not show it."""

    kind: ClassVar[str] = HybridRecipient.kind
    prefix: ClassVar[str] = "AGE-SECRET-KEY-PQ-"
    seed: bytes = field(repr=False)

    def recipient(self) -> HybridRecipient:
        """The public half."""
        mlkem, secret = _secret_keys(self.seed)
        mlkem_public = mlkem.public_key().public_bytes_raw()
        return HybridRecipient(public=mlkem_public + x25519.public_key(secret))

    def unwrap(self, stanza: Stanza) -> bytes | None:
        """The file key, or None if this hybrid stanza is meant for somebody else.

        Raises:
            MalformedError: wrong shape, not canonical, or an X25519 share of low order.
        """
        check_shape(stanza, arguments=1)
        encapsulated = parse_unpadded(stanza.arguments[0], ENCAPSULATED_BYTES, "hybrid share")
        mlkem, secret = _secret_keys(self.seed)
        # HPKE reports a share of low order like a failed tag. It is no accident, so we say so.
        x25519.exchange(secret, encapsulated[MLKEM_CIPHERTEXT_BYTES:])
        pair = hpke.MLKEM768X25519PrivateKey(mlkem, X25519PrivateKey.from_private_bytes(secret))
        try:
            return _SUITE.decrypt(encapsulated + stanza.body, pair, _INFO)
        except InvalidTag:
            return None


def hybrid_identity(seed: bytes) -> HybridIdentity:
    """The identity of `seed`, 32 bytes of full entropy."""
    assert len(seed) == SEED_BYTES
    return HybridIdentity(seed=seed)


def check_public(public: bytes) -> None:
    """Refuse 1,216 bytes that no seed could have made.

    Raises:
        MalformedError: wrong size, ML-KEM half fails FIPS 203 §7.2, X25519 half of low order.
    """
    _public_key(public)


def _secret_keys(seed: bytes) -> tuple[MLKEM768PrivateKey, bytes]:
    """The ML-KEM-768 key and the 32-byte X25519 secret that `seed` expands to."""
    drawn = hashlib.shake_256(seed).digest(64 + 32)
    return MLKEM768PrivateKey.from_seed_bytes(drawn[:64]), drawn[64:]


def _public_key(public: bytes) -> hpke.MLKEM768X25519PublicKey:
    if len(public) != PUBLIC_BYTES:
        raise MalformedError(f"hybrid public key is not {PUBLIC_BYTES} bytes")
    share = public[MLKEM_PUBLIC_BYTES:]
    x25519.check_public(share)
    try:
        mlkem = MLKEM768PublicKey.from_public_bytes(public[:MLKEM_PUBLIC_BYTES])
    except ValueError as error:
        raise MalformedError("hybrid public key has an invalid ML-KEM-768 half") from error
    return hpke.MLKEM768X25519PublicKey(mlkem, X25519PublicKey.from_public_bytes(share))
