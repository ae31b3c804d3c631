"""Appeal a decision, with the very key that signed the claim.

Spec: docs/3-protocol.md §15.
"""

import hashlib

from safeconduct.protocol.keys import ContributionKeys
from safeconduct.protocol.record import make_record, record_hash, sign_record
from safeconduct.protocol.tlog.note import SigningKey


def make_appeal(
    programme: bytes, decision: bytes, ground: str, reasons: str, keys: ContributionKeys
) -> bytes:
    """A signed appeal against `decision` (its signed bytes); `reasons` stay with the person.

    `keys` are those the claim was signed with. The record holds only the reasons' hash.
    """
    key = SigningKey(name="claimant", seed=keys.derive("author-ed25519"))
    record = make_record(
        "appeal",
        programme=programme,
        decision=record_hash(decision),
        ground=ground,
        reasons=hashlib.sha256(reasons.encode("utf-8")).digest(),
        ed25519=key.verifier().public,
    )
    return sign_record(record, [key])
