"""Signatures, with one rule of acceptance for everybody.

Ed25519 is verified with libsodium's strict rule (canonical encodings, no low-order points), so
that two honest outsiders never disagree about a signature. The door to PyNaCl's signing and to
ML-DSA.

Spec: docs/3-protocol.md §4; RFC 8032; FIPS 204.
"""

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.mldsa import (
    MLDSA44PrivateKey,
    MLDSA44PublicKey,
    MLDSA65PrivateKey,
    MLDSA65PublicKey,
)
from nacl import bindings
from nacl.exceptions import BadSignatureError, CryptoError

from safeconduct.errors import MalformedError, UnverifiedError

ED25519_SEED_BYTES = 32
ED25519_PUBLIC_BYTES = 32
ED25519_SIGNATURE_BYTES = 64
MLDSA44_SEED_BYTES = 32
MLDSA44_PUBLIC_BYTES = 1312
MLDSA44_SIGNATURE_BYTES = 2420
MLDSA65_SEED_BYTES = 32
MLDSA65_PUBLIC_BYTES = 1952
MLDSA65_SIGNATURE_BYTES = 3309


def ed25519_public(seed: bytes) -> bytes:
    """The 32-byte public key of a 32-byte seed."""
    public, _ = bindings.crypto_sign_seed_keypair(seed)
    return public


def sign_ed25519(seed: bytes, message: bytes) -> bytes:
    """The 64-byte deterministic signature of `message`. Spec: RFC 8032 §5.1.6."""
    _, secret = bindings.crypto_sign_seed_keypair(seed)
    return bindings.crypto_sign(message, secret)[:ED25519_SIGNATURE_BYTES]


def verify_ed25519(public: bytes, message: bytes, signature: bytes) -> None:
    """Check `signature` over `message` by libsodium's strict rule.

    Raises:
        UnverifiedError: wrong sizes, a low-order or non-canonical key or point, or a bad
        signature.
    """
    if len(public) != ED25519_PUBLIC_BYTES or len(signature) != ED25519_SIGNATURE_BYTES:
        raise UnverifiedError("Ed25519 key or signature has the wrong size")
    try:
        bindings.crypto_sign_open(signature + message, public)
    except (BadSignatureError, CryptoError) as error:
        raise UnverifiedError("Ed25519 signature does not verify") from error


def check_ed25519_public(public: bytes) -> None:
    """Refuse a public key that is no point of the prime-order group: asked at enrolment.

    Raises:
        MalformedError: wrong size, not canonical, off the curve, or of low or mixed order.
    """
    if len(public) != ED25519_PUBLIC_BYTES or not bindings.crypto_core_ed25519_is_valid_point(
        public
    ):
        raise MalformedError("Ed25519 public key is not a point of the prime-order group")


def mldsa44_public(seed: bytes) -> bytes:
    """The 1,312-byte public key of a 32-byte seed. Spec: FIPS 204 §5.1."""
    return MLDSA44PrivateKey.from_seed_bytes(seed).public_key().public_bytes_raw()


def sign_mldsa44(seed: bytes, message: bytes) -> bytes:
    """A 2,420-byte hedged signature of `message`, under the empty context.

    Spec: FIPS 204 §5.2, pure ML-DSA.
    """
    return MLDSA44PrivateKey.from_seed_bytes(seed).sign(message)


def verify_mldsa44(public: bytes, message: bytes, signature: bytes) -> None:
    """Check an ML-DSA-44 signature made under the empty context.

    Raises:
        UnverifiedError: wrong sizes or a signature that does not hold.
    """
    if len(public) != MLDSA44_PUBLIC_BYTES or len(signature) != MLDSA44_SIGNATURE_BYTES:
        raise UnverifiedError("ML-DSA-44 key or signature has the wrong size")
    try:
        MLDSA44PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError) as error:
        raise UnverifiedError("ML-DSA-44 signature does not verify") from error


def mldsa65_public(seed: bytes) -> bytes:
    """The 1,952-byte public key of a 32-byte seed. Spec: FIPS 204 §5.1."""
    return MLDSA65PrivateKey.from_seed_bytes(seed).public_key().public_bytes_raw()


def sign_mldsa65(seed: bytes, message: bytes, context: bytes) -> bytes:
    """A 3,309-byte hedged signature of `message` under `context`. Spec: FIPS 204 §5.2."""
    return MLDSA65PrivateKey.from_seed_bytes(seed).sign(message, context)


def verify_mldsa65(public: bytes, message: bytes, signature: bytes, context: bytes) -> None:
    """Check an ML-DSA-65 signature.

    Raises:
        UnverifiedError: wrong sizes or a signature that does not hold.
    """
    if len(public) != MLDSA65_PUBLIC_BYTES or len(signature) != MLDSA65_SIGNATURE_BYTES:
        raise UnverifiedError("ML-DSA-65 key or signature has the wrong size")
    try:
        MLDSA65PublicKey.from_public_bytes(public).verify(signature, message, context)
    except (InvalidSignature, ValueError) as error:
        raise UnverifiedError("ML-DSA-65 signature does not verify") from error
