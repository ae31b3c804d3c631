"""Blind signatures for credits: RSABSSA-SHA384-PSS-Randomized over RSA-4096.

    holder   prefix ‖ message → PSS-encoded → blinded ──▶ signer   raw RSA
    holder   unblinded, verified as plain RSASSA-PSS  ◀── signer

Whoever signs sees numbers that tell nothing about the message, and cannot recognise the
signature later. The private operation is not here: it needs constant time, and is the signer's.
What is random is an argument, so that a holder can derive it from words and do it all again.

Spec: RFC 9474; RFC 8017 §8.1 and §9.1 for PSS.
"""

import hashlib
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, PSS
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey, RSAPublicNumbers
from cryptography.hazmat.primitives.hashes import SHA384
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_public_key,
)

from safeconduct.errors import MalformedError, UnverifiedError
from safeconduct.protocol.canonical import format_base64, parse_base64

MODULUS_BITS = 4096
SIGNATURE_BYTES = MODULUS_BITS // 8
EXPONENT = 65_537
HASH_BYTES = 48
SALT_BYTES = 48
PREFIX_BYTES = 32
FACTOR_BYTES = SIGNATURE_BYTES + 16
"""So many random bytes, taken modulo n, are uniform but for less than 2^-128."""

_ENCODED_BITS = MODULUS_BITS - 1
_MASKED_BYTES = SIGNATURE_BYTES - HASH_BYTES - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicKey:
    """An issuing key: the modulus, and the canonical DER of its SubjectPublicKeyInfo."""

    modulus: int
    der: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Blinded:
    """What goes to the signer, 512 bytes, and what takes the blinding off again."""

    message: bytes
    inverse: int = field(repr=False)


def parse_public_key(token: str) -> PublicKey:
    """The issuing key in base64 of its DER, as an `issuing-key` record names it.

    Raises:
        MalformedError: not canonical, not RSA of 4,096 bits, or with another exponent.
    """
    der = parse_base64(token, "issuing key")
    try:
        key = load_der_public_key(der)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise MalformedError("issuing key: not a public key in DER") from error
    if not isinstance(key, RSAPublicKey):
        raise MalformedError("issuing key: not an RSA key")
    numbers = key.public_numbers()
    if key.key_size != MODULUS_BITS or numbers.e != EXPONENT:
        raise MalformedError(
            f"issuing key: not RSA of {MODULUS_BITS} bits with exponent {EXPONENT}"
        )
    if key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo) != der:
        raise MalformedError("issuing key: its DER is not canonical")
    return PublicKey(modulus=numbers.n, der=der)


def format_public_key(key: PublicKey) -> str:
    """The token that `parse_public_key` reads."""
    return format_base64(key.der)


def prepare(message: bytes, prefix: bytes) -> bytes:
    """The message with its prefix of 32 random bytes, which a token shows. Spec: RFC 9474 §4.1.

    Without a prefix a signer who chose the key wickedly could learn of a guessable message.
    """
    return prefix + message


def encode(prepared: bytes, salt: bytes) -> bytes:
    """EMSA-PSS-ENCODE with SHA-384 and MGF1-SHA-384: 512 bytes, the first bit zero.

    ```
    padding string, 01, salt  ⊕  mask from H  │ H (48)  │ bc
    ```

    The protocol's salt has 48 bytes; other lengths are there for other variants' vectors.
    Spec: RFC 8017 §9.1.1.
    """
    digest = hashlib.sha384(bytes(8) + hashlib.sha384(prepared).digest() + salt).digest()
    block = (b"\x01" + salt).rjust(_MASKED_BYTES, b"\x00")
    masked = bytearray(a ^ b for a, b in zip(block, _mask(digest), strict=True))
    masked[0] &= 0xFF >> (8 * SIGNATURE_BYTES - _ENCODED_BITS)
    return bytes(masked) + digest + b"\xbc"


def _mask(seed: bytes) -> bytes:
    """MGF1. Spec: RFC 8017 §B.2.1."""
    blocks = range(-(-_MASKED_BYTES // HASH_BYTES))
    mask = b"".join(hashlib.sha384(seed + n.to_bytes(4, "big")).digest() for n in blocks)
    return mask[:_MASKED_BYTES]


def blinding_factor(key: PublicKey, chance: bytes) -> int:
    """A number from 1 to n - 1, uniform if the 528 bytes of `chance` are."""
    if len(chance) != FACTOR_BYTES:
        raise ValueError(f"a blinding factor is made of {FACTOR_BYTES} bytes")
    return 1 + int.from_bytes(chance, "big") % (key.modulus - 1)


def blind(key: PublicKey, prepared: bytes, salt: bytes, factor: int) -> Blinded:
    """The prepared message as the signer may see it. Spec: RFC 9474 §4.2.

    Under a key that can sign, every number prime to n is some factor's blinding of every
    message: what the signer sees says nothing. Requires 0 < factor < n. It takes a time that
    depends on its numbers, and is for the holder's own machine.

    Raises:
        MalformedError: message or factor share a divisor with n (nobody meets such by chance).
    """
    if not 0 < factor < key.modulus:
        raise ValueError("a blinding factor lies between 0 and n")
    encoded = int.from_bytes(encode(prepared, salt), "big")
    try:
        pow(encoded, -1, key.modulus)
        inverse = pow(factor, -1, key.modulus)
    except ValueError as error:
        raise MalformedError("blinding: a number has no inverse under this key") from error
    blinded = encoded * pow(factor, EXPONENT, key.modulus) % key.modulus
    return Blinded(message=blinded.to_bytes(SIGNATURE_BYTES, "big"), inverse=inverse)


def check_blinded(key: PublicKey, message: bytes) -> None:
    """Return if `message` is one that the key's holder may apply the raw operation to.

    Raises:
        MalformedError: not 512 bytes, or no number from 2 to n - 2.
    """
    _in_range(key, message, "blinded message")


def verify_blind_signature(key: PublicKey, message: bytes, signature: bytes) -> None:
    """Check that `signature`^e is the blinded message: what a faulted operation fails.

    One wrong result of the private operation, seen beside its input, can give away the key.

    Raises:
        MalformedError: not 512 bytes, or out of range.
        UnverifiedError: it is not.
    """
    expected = _in_range(key, message, "blinded message")
    found = _in_range(key, signature, "blind signature")
    if pow(found, EXPONENT, key.modulus) != expected:
        raise UnverifiedError("blind signature: not one over what was asked for")


def finalize(
    key: PublicKey,
    prepared: bytes,
    blind_signature: bytes,
    inverse: int,
    *,
    salt_bytes: int = SALT_BYTES,
) -> bytes:
    """The signature of `prepared`, 512 bytes, once the blinding is off. Spec: RFC 9474 §4.4.

    Raises:
        MalformedError: the blind signature is not 512 bytes, or out of range.
        UnverifiedError: what comes out does not verify.
    """
    number = _in_range(key, blind_signature, "blind signature")
    signature = (number * inverse % key.modulus).to_bytes(SIGNATURE_BYTES, "big")
    verify(key, prepared, signature, salt_bytes=salt_bytes)
    return signature


def verify(
    key: PublicKey, prepared: bytes, signature: bytes, *, salt_bytes: int = SALT_BYTES
) -> None:
    """Check an RSASSA-PSS signature, as every stock tool does. Spec: RFC 8017 §8.1.2.

    Raises:
        MalformedError: not 512 bytes, or no number below n.
        UnverifiedError: it is not one of `prepared` by this key.
    """
    _in_range(key, signature, "signature")
    public = RSAPublicNumbers(e=EXPONENT, n=key.modulus).public_key()
    padding = PSS(mgf=MGF1(SHA384()), salt_length=salt_bytes)
    try:
        public.verify(signature, prepared, padding, SHA384())
    except InvalidSignature as error:
        raise UnverifiedError("signature: does not verify under the issuing key") from error


def _in_range(key: PublicKey, data: bytes, what: str) -> int:
    if len(data) != SIGNATURE_BYTES:
        raise MalformedError(f"{what}: not {SIGNATURE_BYTES} bytes")
    number = int.from_bytes(data, "big")
    if not 1 < number < key.modulus - 1:
        raise MalformedError(f"{what}: no number that the issuing key works on")
    return number
