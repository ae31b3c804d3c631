"""A receipt: a record and a C2SP tlog proof that the record's hash stood in a log by some time.

Both are public data and prove nothing about who holds them. The time is the least T for which
the cosignatures timestamped up to T already satisfy the policy's quorum; no party's own clock
counts.

Spec: docs/3-protocol.md §9; C2SP tlog-proof, tlog-policy.
"""

from contextlib import suppress
from dataclasses import dataclass, replace

from safeconduct.errors import UnverifiedError
from safeconduct.protocol.gazette import Epoch, GazetteState
from safeconduct.protocol.record import (
    Record,
    parse_any,
    parse_signed,
    record_hash,
    verify_signer,
)
from safeconduct.protocol.statute.instant import format_instant
from safeconduct.protocol.tlog.note import format_note, parse_note
from safeconduct.protocol.tlog.policy import Logged, Policy, verify_proof
from safeconduct.protocol.tlog.proof import format_proof, parse_proof

STATEMENT_GRACE_SECONDS = 30 * 86_400
"""How long after an epoch has closed its desk may still have statements about tips logged."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """A record whose date holds under a policy."""

    record: Record
    record_hash: bytes
    logged: Logged

    @property
    def logged_by(self) -> int:
        """POSIX seconds: the record existed by then, says the quorum."""
        return self.logged.logged_by


def verify_receipt(
    record: bytes, proof: bytes, policy: Policy, origin: str | None = None
) -> Receipt:
    """The receipt, once the record parses and its hash is proven to stand in the log.

    Without `origin`, any log that the policy lists will do. A signed record's own signatures
    are not verified here: the reader who relies on them knows whose they must be.

    Raises:
        MalformedError: the record or the proof does not parse.
        UnverifiedError: the proof is of another entry, or lacks the log's signature or a
        quorum.
    """
    parsed = parse_any(record)
    digest = record_hash(record)
    logged = verify_proof(proof, digest, policy, origin)
    return Receipt(record=parsed, record_hash=digest, logged=logged)


def slim_proof(record: bytes, proof: bytes, policy: Policy, origin: str | None = None) -> bytes:
    """The proof without the signatures that its date under `policy` can do without.

    The longest go first. For where a whole proof has no room: a witness's ML-DSA-44 line alone
    is 3 kB. Whoever has the record can have the whole proof from the log again.

    Raises:
        MalformedError, UnverifiedError: as `verify_receipt`.
    """
    date = verify_receipt(record, proof, policy, origin).logged_by
    slim, parsed = proof, parse_proof(proof)
    note = parse_note(parsed.checkpoint)
    for line in sorted(note.signatures, key=lambda each: len(each.blob), reverse=True):
        kept = tuple(each for each in note.signatures if each != line)
        if not kept:
            break
        fewer = replace(note, signatures=kept)
        candidate = format_proof(replace(parsed, checkpoint=format_note(fewer)))
        with suppress(UnverifiedError):
            if verify_receipt(record, candidate, policy, origin).logged_by == date:
                slim, note = candidate, fewer
    return slim


def verify_acknowledgement(
    signed: bytes,
    proof: bytes,
    contribution: bytes,
    state: GazetteState,
    policy: Policy,
    origin: str,
) -> Receipt:
    """The receipt of the desk's signed word on the tip whose record hash is `contribution`.

    Its `record` is then an acknowledgement of this programme and tip, signed with the statement
    key that the Gazette certifies for the epoch it names, and logged in the log `origin` while
    that key could make statements.

    Raises:
        MalformedError: the acknowledgement or its proof does not parse, or is another kind.
        UnverifiedError: any of this does not hold.
    """
    parsed = parse_signed(signed, "acknowledgement")
    epoch = state.epoch(parsed.record.number("epoch"))
    record = verify_signer(parsed, epoch.statement)
    if record.hash("programme") != state.programme_hash:
        raise UnverifiedError("the acknowledgement belongs to another programme")
    if record.hash("record") != contribution:
        raise UnverifiedError("the acknowledgement is for another tip")
    receipt = verify_receipt(signed, proof, policy, origin)
    check_in_epoch(epoch, receipt.logged_by)
    return receipt


def check_before(receipt: Receipt, date: int) -> None:
    """Check that the receipt's time lies before `date`, in POSIX seconds.

    Raises:
        UnverifiedError: logged at that second or later.
    """
    if receipt.logged_by >= date:
        raise UnverifiedError(
            f"logged by {format_instant(receipt.logged_by)}, not before {format_instant(date)}",
            hint="the date counts from the witnesses' cosignatures, from no clock of yours",
        )


def check_in_epoch(epoch: Epoch, logged_by: int) -> None:
    """Check that what the desk signed with an epoch's key was logged while it could be.

    Whoever steals the key of an epoch long closed makes no statements with it.

    Raises:
        UnverifiedError: logged before the epoch opened, or more than
            `STATEMENT_GRACE_SECONDS` after it closed.
    """
    if logged_by < epoch.opens:
        raise UnverifiedError(f"it was logged before desk epoch {epoch.number} opened")
    if logged_by > epoch.closes + STATEMENT_GRACE_SECONDS:
        raise UnverifiedError(f"it was logged long after desk epoch {epoch.number} had closed")
