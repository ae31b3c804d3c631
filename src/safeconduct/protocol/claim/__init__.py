"""A claim: somebody gives a name and asks for what the law grants, on evidence they bring.

The claim is one record, signed by both author keys (Ed25519 and ML-DSA-65), bound to one
audience, one challenge and an expiry, so that a clerk cannot use it elsewhere, and to the
evidence, so that nobody who forwards it can leave some out. The evidence travels beside it in a
bundle, canonical JSON of texts:

    helped      the contribution record and its receipt; the desk's acknowledgement and
                assessment, each with its own receipt; perhaps an opening as well, with the
                door's receipt of what it delivered, for want of an acknowledgement
    credited    a credit: some contribution of this class helped, and nobody says which
    denounced   the capture record, its receipt, the capture's public part, and which of its
                statements is relied on

`examine` turns a bundle into the facts that a statute speaks of. Registry and auditor call the
same function, so no fact can be true for one and false for the other.

    bundle      the record, its signatures, the texts around it
    examine     what they prove
    redemption  the registry's word that a credit was used up

Spec: docs/3-protocol.md §10.
"""

from safeconduct.protocol.claim.bundle import (
    ADDED_LATER,
    BUNDLE_BYTES_MAX,
    CLAIM_SECONDS_MAX,
    GROUNDS,
    JOINT_MAX,
    LANGUAGES,
    LIMBS,
    NAME_BYTES_MAX,
    NAME_SALT_BYTES,
    Bundle,
    check_terms,
    evidence_hash,
    format_bundle,
    format_joint,
    joint_subjects,
    open_claim,
    parse_bundle,
    person_hash,
    relied_on,
    shown_credit,
    sign_claim,
    with_added,
)
from safeconduct.protocol.claim.examine import (
    DELIVERY_GRACE_SECONDS,
    JOINED_MAX,
    Examined,
    check_joinable,
    examine,
    is_judgement,
    needed_judgements,
)
from safeconduct.protocol.claim.redemption import (
    credit_held,
    open_redemption,
    redeemed_claim,
    redemption_record,
)

__all__ = [
    "ADDED_LATER",
    "BUNDLE_BYTES_MAX",
    "CLAIM_SECONDS_MAX",
    "DELIVERY_GRACE_SECONDS",
    "GROUNDS",
    "JOINED_MAX",
    "JOINT_MAX",
    "LANGUAGES",
    "LIMBS",
    "NAME_BYTES_MAX",
    "NAME_SALT_BYTES",
    "Bundle",
    "Examined",
    "check_joinable",
    "check_terms",
    "credit_held",
    "evidence_hash",
    "examine",
    "format_bundle",
    "format_joint",
    "is_judgement",
    "joint_subjects",
    "needed_judgements",
    "open_claim",
    "open_redemption",
    "parse_bundle",
    "person_hash",
    "redeemed_claim",
    "redemption_record",
    "relied_on",
    "shown_credit",
    "sign_claim",
    "with_added",
]
