"""Appeal a decision, with the very key that signed the claim.

Spec: docs/3-protocol.md §15.
"""

import hashlib

from safeconduct.plumbing.circuits import DIRECT, Circuits
from safeconduct.plumbing.logs import log_record
from safeconduct.plumbing.programme import Programme
from safeconduct.plumbing.register import RegisterDoor
from safeconduct.protocol.keys import ContributionKeys
from safeconduct.protocol.receipt import Receipt
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


def file_appeal(
    programme: Programme, claim: bytes, signed: bytes, circuits: Circuits = DIRECT
) -> Receipt:
    """Have an appeal dated, then file it in the claim's case; returns its receipt.

    In this order a register that is away cannot make it late. It may be done again.

    Raises:
        RefusedError: it was dated too late, or there is nothing to appeal.
        UnavailableError: the log or the register stayed away for too long.
    """
    _, receipt = log_record(programme, signed, circuit=circuits.of("ledger"))
    RegisterDoor(programme.register, circuits).appeal(claim, signed)
    return receipt
