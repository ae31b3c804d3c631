"""Blind signatures for credits: RSABSSA-SHA384-PSS-Randomized over RSA-4096.

    holder   prefix ‖ message → PSS-encoded → blinded ──▶ signer   raw RSA
    holder   unblinded, verified as plain RSASSA-PSS  ◀── signer

Whoever signs sees numbers that tell nothing about the message, and cannot recognise the
signature later. The private operation is not here: it needs constant time, and is the signer's.

Spec: RFC 9474; RFC 8017 §8.1 for PSS.
"""

from dataclasses import dataclass

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_public_key,
)

from safeconduct.errors import MalformedError
from safeconduct.protocol.canonical import format_base64, parse_base64

MODULUS_BITS = 4096
SIGNATURE_BYTES = MODULUS_BITS // 8
EXPONENT = 65_537


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicKey:
    """An issuing key: the modulus, and the canonical DER of its SubjectPublicKeyInfo."""

    modulus: int
    der: bytes


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
