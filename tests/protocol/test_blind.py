"""Blind signatures: RFC 9474's four vectors, what stock verifiers say, what is refused."""

import hashlib
from functools import cache
from math import gcd

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, PSS
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey, RSAPublicNumbers
from cryptography.hazmat.primitives.hashes import SHA384
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_public_key,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.protocol.credited import (
    VECTORS,
    issuing_key,
    issuing_primes,
    public_key,
    sign_blindly,
    vector,
)

from safeconduct.errors import MalformedError, UnverifiedError
from safeconduct.protocol import blind
from safeconduct.protocol.canonical import format_base64

KEY = issuing_key()
SALT = bytes(range(48))
PREFIX = hashlib.sha256(b"prefix").digest()
NAMES = sorted(path.stem for path in VECTORS.glob("*.json"))


# The vectors of RFC 9474, appendix A.


def test_all_four_variants_of_the_rfc_have_a_vector_here() -> None:
    assert [
        f"{salt}-{prefix}"
        for salt in ("pss", "psszero")
        for prefix in ("deterministic", "randomized")
    ] == NAMES


def given_bytes(name: str, field: str) -> bytes:
    return bytes.fromhex(vector(name)[field])


@pytest.mark.parametrize("name", NAMES)
def test_every_step_of_the_rfcs_vector_comes_out(name: str) -> None:
    key = public_key(int(vector(name)["n"], 16))
    inverse = int(vector(name)["inv"], 16)
    salt = given_bytes(name, "salt")
    prepared = blind.prepare(given_bytes(name, "msg"), given_bytes(name, "msg_prefix"))
    assert blind.encode(prepared, salt) == given_bytes(name, "encoded_msg")

    blinded = blind.blind(key, prepared, salt, pow(inverse, -1, key.modulus))
    assert blinded.message == given_bytes(name, "blinded_msg")
    assert blinded.inverse == inverse

    blind_signature = given_bytes(name, "blind_sig")
    assert sign_blindly(blinded.message) == blind_signature
    blind.verify_blind_signature(key, blinded.message, blind_signature)

    signature = blind.finalize(
        key, prepared, blind_signature, blinded.inverse, salt_bytes=len(salt)
    )
    assert signature == given_bytes(name, "sig")


def test_the_vectors_own_numbers_belong_together() -> None:
    for name in NAMES:
        fields = {part: int(vector(name)[part], 16) for part in ("p", "q", "n", "e", "d")}
        assert fields["p"] * fields["q"] == fields["n"]
        assert (fields["p"], fields["q"]) == issuing_primes()
        assert pow(pow(2, fields["d"], fields["n"]), fields["e"], fields["n"]) == 2


# Our variant: SHA-384, a salt of 48 bytes, a prefix of 32.


@cache
def signed(message: bytes = b"message", salt: bytes = SALT, factor: int = 3**99) -> bytes:
    prepared = blind.prepare(message, PREFIX)
    blinded = blind.blind(KEY, prepared, salt, factor)
    return blind.finalize(KEY, prepared, sign_blindly(blinded.message), blinded.inverse)


def test_the_signature_is_a_plain_one_to_every_stock_verifier() -> None:
    stock = load_der_public_key(KEY.der)
    assert isinstance(stock, RSAPublicKey)
    padding = PSS(mgf=MGF1(SHA384()), salt_length=48)
    stock.verify(signed(), PREFIX + b"message", padding, SHA384())
    with pytest.raises(InvalidSignature):
        stock.verify(signed(), PREFIX + b"massage", padding, SHA384())


def test_the_signature_does_not_depend_on_the_blinding() -> None:
    assert signed(factor=5) == signed(factor=7**500) == signed()
    assert signed(salt=bytes(48)) != signed()


@settings(max_examples=20, deadline=None)
@given(message=st.binary(max_size=200), chance=st.binary(min_size=528, max_size=528))
def test_what_goes_in_blinded_comes_out_signed(message: bytes, chance: bytes) -> None:
    factor = blind.blinding_factor(KEY, chance)
    assert 0 < factor < KEY.modulus
    prepared = blind.prepare(message, PREFIX)
    blinded = blind.blind(KEY, prepared, SALT, factor)
    assert (blinded.message == blind.encode(prepared, SALT)) is (factor == 1)
    blind_signature = sign_blindly(blinded.message)
    signature = blind.finalize(KEY, prepared, blind_signature, blinded.inverse)
    blind.verify(KEY, prepared, signature)


def test_for_what_a_signer_saw_every_token_has_a_blinding_factor_that_explains_it() -> None:
    """The signer keeps all it saw, meets the tokens later, and still can tell nothing."""
    messages = [b"token %d" % number for number in range(3)]
    seen = [
        blind.blind(KEY, blind.prepare(message, PREFIX), SALT, 11**number).message
        for number, message in enumerate(messages, 40)
    ]
    for block in seen:
        for message in messages:
            prepared = blind.prepare(message, PREFIX)
            signature = signed(message)
            # The signer looks for the factor that ties this block to this token, and finds one.
            factor = (
                int.from_bytes(sign_blindly(block), "big")
                * pow(int.from_bytes(signature, "big"), -1, KEY.modulus)
                % KEY.modulus
            )
            again = blind.blind(KEY, prepared, SALT, factor)
            assert again.message == block
            assert (
                blind.finalize(KEY, prepared, sign_blindly(block), again.inverse) == signature
            )


def test_nothing_secret_shows_when_a_blinding_is_printed() -> None:
    blinded = blind.blind(KEY, b"m", SALT, 12345)
    assert str(blinded.inverse) not in repr(blinded)


# What is refused.

ONE, P = 1, issuing_primes()[0]
BLOCKS: dict[str, bytes] = {
    "nothing": b"",
    "a byte short": bytes(510) + b"\x05",
    "a byte long": bytes(512) + b"\x05",
    "zero": bytes(512),
    "one, whose signature is one": bytes(511) + b"\x01",
    "n - 1, whose signature is n - 1": (KEY.modulus - 1).to_bytes(512, "big"),
    "n": KEY.modulus.to_bytes(512, "big"),
    "above n": (KEY.modulus + 5).to_bytes(512, "big"),
    "the largest": b"\xff" * 512,
}


@pytest.mark.parametrize("block", BLOCKS.values(), ids=BLOCKS)
def test_a_signer_does_not_sign(block: bytes) -> None:
    with pytest.raises(MalformedError, match="blinded message"):
        blind.check_blinded(KEY, block)


@pytest.mark.parametrize("block", BLOCKS.values(), ids=BLOCKS)
def test_a_holder_does_not_take_for_a_signature(block: bytes) -> None:
    with pytest.raises(MalformedError, match="signature"):
        blind.finalize(KEY, PREFIX + b"message", block, 1)
    with pytest.raises(MalformedError, match="signature"):
        blind.verify(KEY, PREFIX + b"message", block)


def flipped(data: bytes, bit: int) -> bytes:
    number = int.from_bytes(data, "big") ^ (1 << bit)
    return number.to_bytes(len(data), "big")


@pytest.mark.parametrize("bit", [0, 7, 2048, 4090])
def test_one_wrong_bit_from_the_signer_shows(bit: int) -> None:
    prepared = blind.prepare(b"message", PREFIX)
    blinded = blind.blind(KEY, prepared, SALT, 99)
    wrong = flipped(sign_blindly(blinded.message), bit)
    with pytest.raises((UnverifiedError, MalformedError)):
        blind.verify_blind_signature(KEY, blinded.message, wrong)
    with pytest.raises((UnverifiedError, MalformedError)):
        blind.finalize(KEY, prepared, wrong, blinded.inverse)


def test_a_signature_is_of_its_own_message_prefix_salt_length_and_key_only() -> None:
    blind.verify(KEY, PREFIX + b"message", signed())
    for prepared in (PREFIX + b"massage", b"message", bytes(32) + b"message"):
        with pytest.raises(UnverifiedError):
            blind.verify(KEY, prepared, signed())
    with pytest.raises(UnverifiedError):
        blind.verify(KEY, PREFIX + b"message", signed(), salt_bytes=0)
    with pytest.raises(UnverifiedError):
        blind.verify(issuing_key(1), PREFIX + b"message", signed())


def test_a_factor_without_inverse_is_refused() -> None:
    assert gcd(P, KEY.modulus) == P
    with pytest.raises(MalformedError, match="no inverse"):
        blind.blind(KEY, b"m", SALT, P)


def test_wrong_use_by_our_own_code_is_no_malformed_input() -> None:
    for factor in (0, KEY.modulus, -1):
        with pytest.raises(ValueError, match="factor"):
            blind.blind(KEY, b"m", SALT, factor)
    with pytest.raises(ValueError, match="528"):
        blind.blinding_factor(KEY, bytes(512))


# Issuing keys.


def rsa_der(modulus: int, exponent: int = 65_537) -> bytes:
    numbers = RSAPublicNumbers(e=exponent, n=modulus)
    return numbers.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def long_form(der: bytes) -> bytes:
    """The same key with an unneeded byte in its outermost length."""
    assert der[:2] == b"\x30\x82"
    return b"\x30\x83\x00" + der[2:]


KEYS: dict[str, bytes] = {
    "nothing": b"",
    "no DER": b"key",
    "an Ed25519 key": ed25519.Ed25519PrivateKey.from_private_bytes(bytes(32))
    .public_key()
    .public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
    "RSA of 2,048 bits": rsa_der(P),
    "RSA of 4,095 bits": rsa_der(KEY.modulus >> 1 | 1),
    "the exponent 3": rsa_der(KEY.modulus, 3),
    "a length in long form": long_form(KEY.der),
    "a byte after it": KEY.der + b"\x00",
    "cut short": KEY.der[:-1],
}


@pytest.mark.parametrize("der", KEYS.values(), ids=KEYS)
def test_an_issuing_key_is_not(der: bytes) -> None:
    with pytest.raises(MalformedError, match="issuing key"):
        blind.parse_public_key(format_base64(der))


def test_an_issuing_key_is_read_as_it_was_written() -> None:
    assert blind.parse_public_key(blind.format_public_key(KEY)) == KEY
    with pytest.raises(MalformedError):
        blind.parse_public_key(blind.format_public_key(KEY) + "\n")
