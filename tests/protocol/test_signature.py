"""One rule of acceptance for signatures: published edge cases, and every way to be wrong."""

import json
from functools import cache
from hashlib import sha256
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey
from tests.vector_sets import vector_folder

from safeconduct.errors import MalformedError, UnverifiedError
from safeconduct.protocol.signature import (
    MLDSA44_PUBLIC_BYTES,
    MLDSA44_SIGNATURE_BYTES,
    MLDSA65_PUBLIC_BYTES,
    MLDSA65_SIGNATURE_BYTES,
    check_ed25519_public,
    ed25519_public,
    mldsa44_public,
    mldsa65_public,
    sign_ed25519,
    sign_mldsa44,
    sign_mldsa65,
    verify_ed25519,
    verify_mldsa44,
    verify_mldsa65,
)

SEED = bytes(range(32))
ORDER = 2**252 + 27742317777372353535851937790883648493
"""Of the prime-order group."""

# RFC 8032 §7.1: seed, public key, message, signature.
RFC_8032 = {
    "test 1, an empty message": (
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
        "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    "test 2, one byte": (
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
        "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
    "test 3, two bytes": (
        "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
        "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ),
}


@pytest.mark.parametrize("case", RFC_8032.values(), ids=RFC_8032)
def test_ed25519_signs_as_the_rfc_does(case: tuple[str, str, str, str]) -> None:
    seed, public, message, signature = map(bytes.fromhex, case)
    assert ed25519_public(seed) == public
    assert sign_ed25519(seed, message) == signature
    verify_ed25519(public, message, signature)
    check_ed25519_public(public)


@cache
def edge_cases() -> list[dict[str, Any]]:
    file = vector_folder("ed25519") / "ed25519vectors.json"
    found: list[dict[str, Any]] = json.loads(file.read_bytes())
    return found


def accepted(case: dict[str, Any]) -> bool:
    public, signature = bytes.fromhex(case["key"]), bytes.fromhex(case["sig"])
    try:
        verify_ed25519(public, case["msg"].encode(), signature)
    except UnverifiedError:
        return False
    return True


def enrolled(case: dict[str, Any]) -> bool:
    try:
        check_ed25519_public(bytes.fromhex(case["key"]))
    except MalformedError:
        return False
    return True


def flags(case: dict[str, Any]) -> set[str]:
    return set(case["flags"] or [])


def test_of_914_published_edge_cases_43_are_accepted() -> None:
    assert len(edge_cases()) == 914
    assert sum(map(accepted, edge_cases())) == 43


def test_nothing_accepted_has_a_low_order_or_non_canonical_point() -> None:
    refused = {"low_order_A", "low_order_R", "non_canonical_A", "non_canonical_R"}
    assert [case for case in edge_cases() if accepted(case) and flags(case) & refused] == []
    for flag in refused:
        assert any(flag in flags(case) for case in edge_cases()), flag


def test_no_key_with_a_low_order_component_is_enrolled() -> None:
    tainted = {"low_order_A", "low_order_component_A", "non_canonical_A"}
    assert [case for case in edge_cases() if enrolled(case) and flags(case) & tainted] == []
    assert any(enrolled(case) for case in edge_cases())


def test_what_an_enrolled_key_signed_leaves_nothing_to_disagree_about() -> None:
    # Verifiers of the RFC differ over residues of low order. Here, none is left.
    sound = [case for case in edge_cases() if accepted(case) and enrolled(case)]
    assert sound
    assert not any("low_order_residue" in flags(case) for case in sound)


def test_the_second_number_of_a_signature_has_one_spelling() -> None:
    signature = sign_ed25519(SEED, b"message")
    number = int.from_bytes(signature[32:], "little")
    other = signature[:32] + (number + ORDER).to_bytes(32, "little")
    verify_ed25519(ed25519_public(SEED), b"message", signature)
    with pytest.raises(UnverifiedError):
        verify_ed25519(ed25519_public(SEED), b"message", other)


def test_an_ed25519_signature_with_any_bit_flipped_is_refused() -> None:
    public, signature = ed25519_public(SEED), sign_ed25519(SEED, b"message")
    for bit in range(8 * len(signature)):
        flipped = bytearray(signature)
        flipped[bit // 8] ^= 1 << bit % 8
        with pytest.raises(UnverifiedError):
            verify_ed25519(public, b"message", bytes(flipped))


WRONG_ED25519 = {
    "another message": (ed25519_public(SEED), b"massage", sign_ed25519(SEED, b"message")),
    "another key": (ed25519_public(bytes(32)), b"message", sign_ed25519(SEED, b"message")),
    "a key too short": (ed25519_public(SEED)[:-1], b"message", sign_ed25519(SEED, b"message")),
    "no key": (b"", b"message", sign_ed25519(SEED, b"message")),
    "a signature too short": (ed25519_public(SEED), b"message", bytes(63)),
    # libsodium joins signature and message: a longer one must not eat into the text.
    "the message's first byte moved into the signature": (
        ed25519_public(SEED),
        b"essage",
        sign_ed25519(SEED, b"message") + b"m",
    ),
    "no signature": (ed25519_public(SEED), b"message", b""),
}


@pytest.mark.parametrize("case", WRONG_ED25519.values(), ids=WRONG_ED25519)
def test_a_wrong_ed25519_signature_is_refused(case: tuple[bytes, bytes, bytes]) -> None:
    with pytest.raises(UnverifiedError):
        verify_ed25519(*case)


@pytest.mark.parametrize("size", [0, 31, 33])
def test_a_public_key_of_another_size_is_not_enrolled(size: int) -> None:
    with pytest.raises(MalformedError):
        check_ed25519_public(bytes(size))


def test_an_mldsa65_signature_holds_for_its_message_and_context_only() -> None:
    public, signature = mldsa65_public(SEED), sign_mldsa65(SEED, b"message", b"context")
    assert (len(public), len(signature)) == (MLDSA65_PUBLIC_BYTES, MLDSA65_SIGNATURE_BYTES)
    verify_mldsa65(public, b"message", signature, b"context")
    for message, context in ((b"massage", b"context"), (b"message", b"")):
        with pytest.raises(UnverifiedError):
            verify_mldsa65(public, message, signature, context)


WRONG_MLDSA65 = {
    "another key": (mldsa65_public(bytes(32)), sign_mldsa65(SEED, b"m", b"")),
    "a key too short": (mldsa65_public(SEED)[:-1], sign_mldsa65(SEED, b"m", b"")),
    "a signature too short": (mldsa65_public(SEED), sign_mldsa65(SEED, b"m", b"")[:-1]),
    "a signature of zeros": (mldsa65_public(SEED), bytes(MLDSA65_SIGNATURE_BYTES)),
    "no signature": (mldsa65_public(SEED), b""),
}


@pytest.mark.parametrize(("public", "signature"), WRONG_MLDSA65.values(), ids=WRONG_MLDSA65)
def test_a_wrong_mldsa65_signature_is_refused(public: bytes, signature: bytes) -> None:
    with pytest.raises(UnverifiedError):
        verify_mldsa65(public, b"m", signature, b"")


def test_an_mldsa44_key_is_the_one_that_the_rfc_shows() -> None:
    # RFC 9881, appendix C, ML-DSA-44: the seed 00 01 ... 1f and how its public key begins.
    public = mldsa44_public(SEED)
    assert public[:16].hex() == "d7b2b47254aae0db45e7930d4a98d2c9"
    assert sha256(public).hexdigest() == (
        "9f107644c1084526af3bc8098680b05499a2325a644e388fb4f970e058d19d46"
    )


def test_an_mldsa44_signature_holds_for_its_message_only() -> None:
    public, signature = mldsa44_public(SEED), sign_mldsa44(SEED, b"message")
    assert (len(public), len(signature)) == (MLDSA44_PUBLIC_BYTES, MLDSA44_SIGNATURE_BYTES)
    verify_mldsa44(public, b"message", signature)
    for message in (b"massage", b"", b"message\0"):
        with pytest.raises(UnverifiedError):
            verify_mldsa44(public, message, signature)


def test_mldsa44_signatures_are_hedged_and_all_of_them_hold() -> None:
    first, second = sign_mldsa44(SEED, b"message"), sign_mldsa44(SEED, b"message")
    assert first != second
    for signature in (first, second):
        verify_mldsa44(mldsa44_public(SEED), b"message", signature)


def test_an_mldsa44_signature_under_a_context_is_no_signature_here() -> None:
    signature = MLDSA44PrivateKey.from_seed_bytes(SEED).sign(b"message", b"context")
    with pytest.raises(UnverifiedError):
        verify_mldsa44(mldsa44_public(SEED), b"message", signature)


@pytest.mark.parametrize("place", [0, 31, 32, 1200, 2335, 2336, 2415, 2419])
def test_an_mldsa44_signature_with_a_bit_flipped_is_refused(place: int) -> None:
    # The challenge, the response, and the hint, whose spare bytes have to be zero.
    flipped = bytearray(sign_mldsa44(SEED, b"message"))
    flipped[place] ^= 1
    with pytest.raises(UnverifiedError):
        verify_mldsa44(mldsa44_public(SEED), b"message", bytes(flipped))


WRONG_MLDSA44 = {
    "another key": (mldsa44_public(bytes(32)), sign_mldsa44(SEED, b"m")),
    "a key too short": (mldsa44_public(SEED)[:-1], sign_mldsa44(SEED, b"m")),
    "a key too long": (mldsa44_public(SEED) + b"\0", sign_mldsa44(SEED, b"m")),
    "a key of ML-DSA-65": (mldsa65_public(SEED), sign_mldsa44(SEED, b"m")),
    "a signature of ML-DSA-65": (mldsa44_public(SEED), sign_mldsa65(SEED, b"m", b"")),
    "a signature too short": (mldsa44_public(SEED), sign_mldsa44(SEED, b"m")[:-1]),
    "a signature too long": (mldsa44_public(SEED), sign_mldsa44(SEED, b"m") + b"\0"),
    "a signature of zeros": (mldsa44_public(SEED), bytes(MLDSA44_SIGNATURE_BYTES)),
    "no signature": (mldsa44_public(SEED), b""),
}


@pytest.mark.parametrize(("public", "signature"), WRONG_MLDSA44.values(), ids=WRONG_MLDSA44)
def test_a_wrong_mldsa44_signature_is_refused(public: bytes, signature: bytes) -> None:
    with pytest.raises(UnverifiedError):
        verify_mldsa44(public, b"m", signature)
