"""From twelve words to every key of a source: one tree, no state, no server's parameters.

    entropy (16 bytes, the words) ── Argon2id ── master ── seed_0, seed_1, … one per
    contribution seed_i ── siv · author keys · blind · item salts · reply · tags · slot ·
    capsule

The seeds of two contributions have nothing in common that anybody without the words can see.

Spec: docs/3-protocol.md §6; RFC 9106 for Argon2id.
"""

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from cryptography.hazmat.primitives.poly1305 import Poly1305

from safeconduct.protocol.canonical import derive_key, tagged_hash, u32, u64
from safeconduct.protocol.signature import ed25519_public, mldsa65_public

ENTROPY_BYTES = 16
NONCE_BYTES = 16
FILE_KEY_BYTES = 16
PRE_BYTES = 16
SLOT_BYTES = 16
TAG_BYTES = 16
FINGERPRINT_KEY_BYTES = 32

# Constants of version 1, never sent by a server. The 128 random bits of the words carry the
# security; the stretching slows guessing where some of the words have leaked.
ARGON2_PASSES = 2
ARGON2_MEMORY_KIB = 19_456
ARGON2_LANES = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class ContributionKeys:
    """All that a source derives for its contribution number `number`."""

    number: int
    seed: bytes = field(repr=False)

    def derive(self, name: str, context: bytes = b"", length: int = 32) -> bytes:
        """`K(seed_i, name, context, length)`."""
        return derive_key(self.seed, name, context, length)

    def author_public(self) -> tuple[bytes, bytes]:
        """The Ed25519 and ML-DSA-65 public keys; secret until the source claims."""
        return (
            ed25519_public(self.derive("author-ed25519")),
            mldsa65_public(self.derive("author-mldsa65")),
        )

    def author(self, pre: bytes) -> bytes:
        """The commitment to both author keys that stands in the record and in the manifest."""
        ed25519, mldsa65 = self.author_public()
        return author_commitment(ed25519, mldsa65, self.blind(pre))

    def blind(self, pre: bytes) -> bytes:
        """16 bytes that hide the author keys until a claim."""
        return self.derive("blind", pre, 16)

    def item_salt(self, pre: bytes, place: int) -> bytes:
        """The salt of the file at `place` (counted from 1) in the content commitment."""
        return self.derive("item-salt", pre + u32(place))

    def slot(self) -> bytes:
        """The 16-byte name of this contribution's capsule."""
        return self.derive("slot", b"", SLOT_BYTES)

    def reply_seed(self) -> bytes:
        """The seed of the age identity that replies are encrypted to."""
        return self.derive("reply")

    def tag_key(self) -> bytes:
        """The key that names and authenticates the blocks of the body's replies."""
        return self.derive("reply-tag")

    def redemption(self, serial: bytes) -> "ContributionKeys":
        """The keys that redeem the credit with this 16-byte serial; nothing ties them to ours.

        They claim as a contribution's own keys do, with `blind(serial)`.
        """
        return ContributionKeys(number=self.number, seed=self.derive("redeem", serial))


def programme_hash(name: str) -> bytes:
    """The 32 bytes that stand for the programme in every record."""
    return tagged_hash("programme", name.encode("ascii"))


def kdf_salt(programme: bytes) -> bytes:
    """The 16-byte salt of the words' stretching: one per programme, so no account is needed."""
    return tagged_hash("kdf-salt", programme)[:16]


def master_key(entropy: bytes, programme: bytes) -> bytes:
    """The 32-byte root of a source's keys. Requires 16 random bytes, never a chosen phrase."""
    if len(entropy) != ENTROPY_BYTES:
        raise ValueError("entropy is 16 bytes")
    stretcher = Argon2id(
        salt=kdf_salt(programme),
        length=32,
        iterations=ARGON2_PASSES,
        lanes=ARGON2_LANES,
        memory_cost=ARGON2_MEMORY_KIB,
    )
    return stretcher.derive(entropy)


def contribution_keys(master: bytes, number: int) -> ContributionKeys:
    """The keys of contribution `number`, counted from 0."""
    return ContributionKeys(number=number, seed=derive_key(master, "contribution", u32(number)))


def author_commitment(ed25519: bytes, mldsa65: bytes, blind: bytes) -> bytes:
    """`author` of the contribution record. Spec: docs/3-protocol.md §7.3."""
    return tagged_hash("author", ed25519, mldsa65, blind)


def attempt_tag(seed_keys: ContributionKeys, files: Sequence[tuple[str, int, bytes]]) -> bytes:
    """`pre`: 16 bytes fixed by the files (name, size in bytes, SHA-256) before the manifest."""
    parts: list[bytes] = []
    for name, size, digest in files:
        parts += [name.encode("utf-8"), u64(size), digest]
    message = tagged_hash("files", *parts)
    return hmac.digest(seed_keys.derive("pre"), message, "sha256")[:PRE_BYTES]


def payload_nonce(seed_keys: ContributionKeys, manifest_sha256: bytes) -> bytes:
    """The age payload's nonce: the same content gives the same bytes, other content others.

    The manifest says all about the content, down to the SHA-256 of each file.
    """
    return hmac.digest(seed_keys.derive("siv"), manifest_sha256, "sha256")[:NONCE_BYTES]


def file_key(seed_keys: ContributionKeys, nonce: bytes) -> bytes:
    """The age file key that goes with `nonce`; revealing it opens this one envelope only."""
    return seed_keys.derive("file-key", nonce, FILE_KEY_BYTES)


def key_commitment(nonce: bytes, envelope_key: bytes) -> bytes:
    """`keycommit`: without it one payload could be given two valid readings."""
    return tagged_hash("key-commit", nonce, envelope_key)


def fingerprint(key: bytes) -> Poly1305:
    """Begins a fingerprint of one reading of a file: `update` it, then `finalize` to 16 bytes.

    Two readings that differ have other fingerprints but with a chance below 2^-70, at a tenth
    of SHA-256's cost; as long as nobody else has seen the 32-byte key or any fingerprint.
    """
    return Poly1305(key)


def follow_mac(tag_key: bytes, author: bytes, pre: bytes) -> bytes:
    """What ties a follow-up to an earlier tip, for its two ends: a MAC, so that either could
    have made it. `tag_key` is the earlier tip's; `author` and `pre` are the follow-up's own.
    """
    return hmac.digest(derive_key(tag_key, "follow"), author + pre, "sha256")


def reply_tag(tag_key: bytes, counter: int) -> bytes:
    """The name on the bulletin of reply block `counter`; random to all but the two ends."""
    return hmac.digest(derive_key(tag_key, "tag"), u32(counter), "sha256")[:TAG_BYTES]


def reply_mac(tag_key: bytes, counter: int, body: bytes) -> bytes:
    """What authenticates a reply: a MAC, so that either end could have made it."""
    key = derive_key(tag_key, "mac")
    return hmac.digest(key, u32(counter) + hashlib.sha256(body).digest(), "sha256")
