"""PyPI's `sigstore`, the client of Rekor, opens our checkpoint and verifies our proof.

Its verifiers take whole Rekor entries: ours are dressed up as such, with the log's entry as the
body. They look for the log's line by key ID alone, and pass over the witnesses' lines.
"""

from dataclasses import replace
from hashlib import sha256

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from sigstore._internal.merkle import verify_merkle_inclusion
from sigstore._internal.rekor.checkpoint import SignedCheckpoint, verify_checkpoint
from sigstore._internal.trust import Keyring, RekorKeyring
from sigstore.errors import VerificationError
from sigstore.models import TransparencyLogEntry
from sigstore_models.common import v1 as common
from sigstore_models.rekor import v1 as rekor
from tests.interop.real_log import RealLog
from tests.parties.log.log_world import hash_entry

from safeconduct.protocol.canonical import format_base64
from safeconduct.protocol.tlog.checkpoint import parse_checkpoint
from safeconduct.protocol.tlog.note import VerifierKey, parse_note
from safeconduct.protocol.tlog.proof import TlogProof, parse_proof

SIZES = (1, 2, 255, 256, 257, 1000)


def keyring(key: VerifierKey) -> RekorKeyring:
    """sigstore's trust in one log."""
    public = Ed25519PublicKey.from_public_bytes(key.public)
    der = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    listed = common.PublicKey(
        raw_bytes=format_base64(der).encode(),
        key_details=common.PublicKeyDetails.PKIX_ED25519,
    )
    return RekorKeyring(Keyring([listed]))


def log_id(key: VerifierKey) -> bytes:
    """The whole hash that a note's key ID begins, which is how sigstore names logs."""
    return sha256(f"{key.name}\n".encode() + bytes([key.algorithm]) + key.public).digest()


def rekor_entry(proof: TlogProof, entry: bytes, key: VerifierKey) -> TransparencyLogEntry:
    """A proof of ours in the only form that sigstore's verifiers take."""
    tree = parse_checkpoint(parse_note(proof.checkpoint).text).tree
    inner = rekor.TransparencyLogEntry.model_validate(
        {
            "log_index": str(proof.index),
            "log_id": {"key_id": format_base64(log_id(key))},
            "kind_version": {"kind": "safeconduct", "version": "1"},
            "inclusion_proof": {
                "log_index": str(proof.index),
                "root_hash": format_base64(tree.root_hash),
                "tree_size": str(tree.size),
                "hashes": list(map(format_base64, proof.hashes)),
                "checkpoint": {"envelope": proof.checkpoint.decode()},
            },
            "canonicalized_body": format_base64(entry),
        }
    )
    return TransparencyLogEntry(inner)


@pytest.mark.parametrize("size", SIZES)
def test_sigstore_opens_our_checkpoint_and_verifies_our_proofs(size: int, log: RealLog) -> None:
    log.grow(size)
    key = log.world.log_key
    opened = SignedCheckpoint.from_text(log.checkpoint.decode()).checkpoint
    assert (opened.origin, opened.log_size) == (key.name, size)
    assert opened.log_hash == log.tree.root_hash.hex()
    for index in {0, size // 3, size - 1}:
        proof = parse_proof(log.log.proof(index))
        entry = rekor_entry(proof, hash_entry(index), key)
        verify_checkpoint(keyring(key), entry)
        verify_merkle_inclusion(entry)


def test_sigstore_refuses_what_is_not_ours(log: RealLog) -> None:
    key = log.world.log_key
    proof = parse_proof(log.log.proof(1))
    foreign = VerifierKey(name=key.name, algorithm=key.algorithm, public=bytes([2] * 32))
    with pytest.raises(VerificationError, match="invalid signature"):
        verify_checkpoint(keyring(foreign), rekor_entry(proof, hash_entry(1), key))
    with pytest.raises(VerificationError, match="not found"):
        verify_checkpoint(keyring(key), rekor_entry(proof, hash_entry(1), foreign))
    with pytest.raises(VerificationError, match="invalid root hash"):
        verify_merkle_inclusion(rekor_entry(proof, hash_entry(2), key))
    shorter = replace(proof, hashes=proof.hashes[:-1])
    with pytest.raises(VerificationError, match="wrong size"):
        verify_merkle_inclusion(rekor_entry(shorter, hash_entry(1), key))
