"""An appeal against a decision: whose it is, and against what.

Of claims that were decided together any one's key is as good as another's: they are one
person's, and whoever drafts a decision chooses which of them leads.

Spec: docs/3-protocol.md §15.7.
"""

from collections.abc import Collection, Sequence

from safeconduct.errors import MalformedError, UnverifiedError
from safeconduct.protocol.claim import GROUNDS, Bundle
from safeconduct.protocol.record import Record, parse_signed, verify_signer
from safeconduct.protocol.tlog.note import ED25519, VerifierKey


def appellants(bundles: Sequence[Bundle]) -> frozenset[bytes]:
    """The Ed25519 public keys that may appeal what was decided on these claims together."""
    return frozenset(one.record.hash("ed25519") for one in bundles)


def open_appeal(data: bytes, keys: Collection[bytes] | None) -> Record:
    """The record of an appeal that is signed with the key it names, one of `keys`.

    `keys` is None where the claims are sealed: then whose key it is cannot be seen.

    Raises:
        MalformedError: no appeal.
        UnverifiedError: signed by somebody else.
    """
    signed = parse_signed(data, "appeal")
    public = signed.record.hash("ed25519")
    if keys is not None and public not in keys:
        raise UnverifiedError("appeal: not signed with the key of a claim that was decided")
    key = VerifierKey(name="claimant", algorithm=ED25519, public=public)
    return verify_signer(signed, key)


def check_appeal(appeal: Record, decision_hash: bytes) -> None:
    """Check that an appeal is against just this decision, on a ground there is.

    Raises:
        UnverifiedError: against another.
        MalformedError: on no such ground.
    """
    if appeal.hash("decision") != decision_hash:
        raise UnverifiedError("appeal: against another decision")
    if appeal.word("ground") not in GROUNDS:
        raise MalformedError(f"an appeal's ground is one of: {', '.join(sorted(GROUNDS))}")
