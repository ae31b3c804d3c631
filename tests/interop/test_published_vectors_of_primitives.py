"""Published vectors for the primitives, where how we call them is ours to get wrong.

The files come with `cryptography-vectors`: RFC 9106, RFC 9180 with its post-quantum suites,
FIPS 203 and FIPS 204. Which seed, context, half or parameter goes where is our code's choice.
"""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import cryptography_vectors
import pytest
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from safeconduct.errors import UnverifiedError
from safeconduct.protocol import age
from safeconduct.protocol.age import hybrid
from safeconduct.protocol.keys import (
    ARGON2_LANES,
    ARGON2_MEMORY_KIB,
    ARGON2_PASSES,
    kdf_salt,
    master_key,
    programme_hash,
)
from safeconduct.protocol.signature import (
    mldsa44_public,
    mldsa65_public,
    verify_mldsa44,
    verify_mldsa65,
)

FOLDER = Path(cryptography_vectors.__file__).parent
XWING, HKDF_SHA256, CHACHA20_POLY1305 = 0x647A, 1, 3
CASES = 25  # of each file: enough to see a swapped argument, few enough to be quick


def cases(path: str) -> Iterator[dict[str, bytes]]:
    """The first cases of a NIST response file; a case begins with its count."""
    case: dict[str, bytes] = {}
    seen = 0
    for line in (FOLDER / path).read_text().splitlines():
        name, _, value = line.partition(" = ")
        if name == "count":
            if case:
                yield case
            case, seen = {}, seen + 1
            if seen > CASES:
                return
        elif name and not name.endswith("len"):
            case[name] = bytes.fromhex(value)
    yield case


def test_ml_dsa_65_verifies_under_the_context_of_the_vector_and_no_other() -> None:
    for case in cases("asymmetric/MLDSA/kat_MLDSA_65_det_pure.rsp"):
        assert mldsa65_public(case["xi"]) == case["pk"]
        signature = case["sm"][: -len(case["msg"])]
        verify_mldsa65(case["pk"], case["msg"], signature, case["ctx"])
        with pytest.raises(UnverifiedError):
            verify_mldsa65(case["pk"], case["msg"], signature, case["ctx"][:-1] + b"\x00\xff")


def test_ml_dsa_44_draws_the_public_key_of_the_vector_and_takes_no_context_but_none() -> None:
    for case in cases("asymmetric/MLDSA/kat_MLDSA_44_det_pure.rsp"):
        assert mldsa44_public(case["xi"]) == case["pk"]
        signature = case["sm"][: -len(case["msg"])]
        with pytest.raises(UnverifiedError):  # it was made under a context
            verify_mldsa44(case["pk"], case["msg"], signature)


def test_ml_kem_768_takes_its_seed_as_d_then_z() -> None:
    """The order in which `hybrid` cuts what SHAKE-256 draws."""
    for case in cases("asymmetric/MLKEM/kat_MLKEM_768.rsp"):
        secret = MLKEM768PrivateKey.from_seed_bytes(case["d"] + case["z"])
        assert secret.public_key().public_bytes_raw() == case["pk"]
        assert secret.decapsulate(case["ct"]) == case["ss"]


def test_a_hybrid_identity_has_the_keys_of_the_hpke_vector() -> None:
    """HPKE's own vector for our suite: from the same 32-byte seed the same public key, and
    from both halves of the share the same secret, joined as X-Wing joins them.
    """
    [vector] = [
        one
        for one in json.loads((FOLDER / "HPKE/hpke-pq-test-vectors.json").read_text())
        if (one["kem_id"], one["kdf_id"], one["aead_id"])
        == (XWING, HKDF_SHA256, CHACHA20_POLY1305)
    ]
    identity = age.hybrid_identity(bytes.fromhex(vector["skRm"]))
    public, share = bytes.fromhex(vector["pkRm"]), bytes.fromhex(vector["enc"])

    assert identity.recipient().public == public
    mlkem, x25519 = hybrid._secret_keys(identity.seed)
    cut = hybrid.MLKEM_CIPHERTEXT_BYTES
    ours = X25519PrivateKey.from_private_bytes(x25519)
    theirs = X25519PublicKey.from_public_bytes(share[cut:])
    joined = hashlib.sha3_256(
        mlkem.decapsulate(share[:cut])
        + ours.exchange(theirs)
        + share[cut:]
        + public[hybrid.MLKEM_PUBLIC_BYTES :]
        + b"\\.//^\\"
    ).digest()
    assert joined == bytes.fromhex(vector["shared_secret"])


def test_the_argon2_that_is_locked_is_the_one_of_the_rfc() -> None:
    vector = (FOLDER / "KDF/argon2id.txt").read_text().split("\n\n")[1]
    case = dict(line.partition(" = ")[::2] for line in vector.splitlines())
    made = Argon2id(
        salt=bytes.fromhex(case["salt"]),
        length=int(case["length"]),
        iterations=int(case["iter"]),
        lanes=int(case["lanes"]),
        memory_cost=int(case["memcost"]),
        ad=bytes.fromhex(case["ad"]),
        secret=bytes.fromhex(case["secret"]),
    ).derive(bytes.fromhex(case["pass"]))

    assert made == bytes.fromhex(case["output"])


def test_the_words_are_stretched_with_two_passes_over_19_mib() -> None:
    """The constants of version 1, in the library's own terms: no server can lower them."""
    programme = programme_hash("example-acb-2027")
    direct = Argon2id(
        salt=kdf_salt(programme), length=32, iterations=2, lanes=1, memory_cost=19_456
    ).derive(bytes(range(16)))

    assert (ARGON2_PASSES, ARGON2_MEMORY_KIB, ARGON2_LANES) == (2, 19_456, 1)
    assert master_key(bytes(range(16)), programme) == direct
    assert direct.hex() == "32d4d796f901f7c45d250a08cf864f67b4673c87ca8c7300ad94e7eac422dc3e"
