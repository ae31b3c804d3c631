"""Withdrawals: an author takes a tip back, as far as it can be taken back.

    withdrawal   programme, record hash of the contribution, ed25519, mldsa65, blind
                 signed twice (dual), by the keys that the contribution commits to

It dates the wish and binds who honours it. It undoes neither the date of the tip, nor its entry
in the Ledger, nor what the desk has read.

Spec: docs/3-protocol.md §28.
"""

from dataclasses import dataclass

from safeconduct.errors import UnverifiedError
from safeconduct.protocol.dual import open_dual, opened_author, sign_dual
from safeconduct.protocol.keys import ContributionKeys
from safeconduct.protocol.record import Record, make_record, parse_record, record_hash

WITHDRAWAL = "withdrawal"


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawal:
    """A withdrawal by the author of the contribution whose record hash is `contribution`.

    `hash` is what the Ledger holds of it.
    """

    programme: bytes
    contribution: bytes
    hash: bytes


def sign_withdrawal(
    keys: ContributionKeys, pre: bytes, *, programme: bytes, record: bytes
) -> bytes:
    """The author's signed withdrawal of the contribution with this record hash."""
    ed25519, mldsa65 = keys.author_public()
    made = make_record(
        WITHDRAWAL,
        programme=programme,
        record=record,
        ed25519=ed25519,
        mldsa65=mldsa65,
        blind=keys.blind(pre),
    )
    return sign_dual(made, keys.derive("author-ed25519"), keys.derive("author-mldsa65"))


def open_withdrawal(signed: bytes) -> Record:
    """The withdrawal record, once both of its own keys have signed it.

    Whether they are the author's is for `verify_withdrawal`, which needs the contribution.

    Raises:
        MalformedError: not a withdrawal, or its Ed25519 key is of low order.
        UnverifiedError: a signature missing, added or bad.
    """
    return open_dual(signed, {WITHDRAWAL})


def verify_withdrawal(signed: bytes, contribution: bytes) -> Withdrawal:
    """The withdrawal, once it is by the author of `contribution`, a record's bytes.

    Raises:
        MalformedError: one of the two does not parse.
        UnverifiedError: a bad signature; another programme, contribution or author.
    """
    record, of = open_withdrawal(signed), parse_record(contribution, "contribution")
    if record.hash("programme") != of.hash("programme"):
        raise UnverifiedError("the withdrawal belongs to another programme")
    if record.hash("record") != record_hash(contribution):
        raise UnverifiedError("the withdrawal names another contribution")
    if opened_author(record) != of.hash("author"):
        raise UnverifiedError("the withdrawal is not by the contribution's author")
    return Withdrawal(
        programme=record.hash("programme"),
        contribution=record.hash("record"),
        hash=record_hash(signed),
    )
