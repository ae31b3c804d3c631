"""Claim: give a name, show the evidence, and sign with keys that only the words can make.

Spec: docs/3-protocol.md §10.
"""

from safeconduct.parties.source.inbox import Contribution
from safeconduct.protocol.claim.make import (
    Acknowledged,
    Opening,
    RandomBytes,
    Terms,
    claim_credited,
    claim_denounced,
    claimant_keys,
    make_helped,
    redemption_keys,
)

__all__ = [
    "Opening",
    "Terms",
    "claim_credited",
    "claim_denounced",
    "claim_helped",
    "claimant_keys",
    "redemption_keys",
]


def claim_helped(
    contribution: Contribution,
    terms: Terms,
    random_bytes: RandomBytes,
    opening: Opening | None = None,
) -> bytes:
    """A bundle that claims on the *helped* limb with one of the words' own contributions.

    Raises:
        RefusedError: the contribution is not dated yet.
    """
    reply = contribution.acknowledgement
    answer = (
        Acknowledged(record=reply.acknowledgement, proof=reply.proof)
        if reply
        else Acknowledged()
    )
    capsule = contribution.capsule
    return make_helped(contribution.keys, capsule, answer, terms, random_bytes, opening)
