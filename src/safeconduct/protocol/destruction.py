"""Destruction: the desk's signed word that an epoch's keys are gone, and what bears it out.

    desk    `destruction` record, signed with the key it speaks of  → its hash into the Ledger
    board   `retirement` record, naming that hash                   → in full into the Gazette

Together they prove when the desk said so and that t of n members vouch for it, and which tips
the desk had of that epoch by then. No log can prove that bytes are nowhere any more.

Spec: docs/3-protocol.md §26.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from safeconduct.errors import UnverifiedError
from safeconduct.protocol.canonical import tagged_hash
from safeconduct.protocol.gazette import Archive, Epoch, GazetteState, Retirement
from safeconduct.protocol.record import (
    NO_HASH,
    Record,
    make_record,
    parse_signed,
    record_hash,
    verify_signer,
)

_DAY_SECONDS = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Destruction:
    """A destruction that desk and board agree on; `archive` is None if there was none."""

    record: Record
    epoch: Epoch
    archive: Archive | None
    retirement: Retirement


def tips_root(tips: Iterable[bytes]) -> bytes:
    """`root` of a destruction record, over an epoch's tips (record hashes, in any order)."""
    return tagged_hash("destroyed-epoch", *sorted(tips))


def draft_destruction(
    programme: bytes, epoch: Epoch, archive: Archive | None, tips: Iterable[bytes], at: int
) -> Record:
    """The `destruction` record to sign, dated to the beginning of the day of `at`, UTC."""
    held = list(tips)
    return make_record(
        "destruction",
        programme=programme,
        epoch=epoch.number,
        certificate=epoch.hash,
        archive=archive.hash if archive else NO_HASH,
        tips=len(held),
        root=tips_root(held),
        destroyed=at - at % _DAY_SECONDS,
    )


def draft_retirement(state: GazetteState, epoch: Epoch, destruction: bytes) -> Record:
    """The `retirement` record for the board, about the signed record in `destruction`."""
    return make_record(
        "retirement",
        programme=state.programme_hash,
        number=len(state.retirements) + 1,
        epoch=epoch.number,
        certificate=epoch.hash,
        destruction=record_hash(destruction),
    )


def verify_destruction(signed: bytes, state: GazetteState) -> Destruction:
    """The destruction, once desk and board are seen to say the same about the same keys.

    That it stood in the Ledger, and when, is for `verify_receipt` to say.

    Raises:
        MalformedError: not a signed destruction record.
        UnverifiedError: of another programme, epoch or archive than the Gazette certifies; not
            signed with that epoch's statement key; said before the epoch had closed; or the
            board has retired the epoch over another record, or not at all.
    """
    parsed = parse_signed(signed, "destruction")
    epoch = state.epoch(parsed.record.number("epoch"))
    record = verify_signer(parsed, epoch.statement)
    if record.hash("programme") != state.programme_hash:
        raise UnverifiedError("the destruction belongs to another programme")
    if record.hash("certificate") != epoch.hash:
        raise UnverifiedError("the destruction names another certificate of its epoch")
    if record.number("destroyed") < epoch.closes:
        raise UnverifiedError("the destruction is dated before its epoch had closed")
    return Destruction(
        record=record,
        epoch=epoch,
        archive=_archive(record, state),
        retirement=_retirement(epoch, state, record_hash(signed)),
    )


def _archive(record: Record, state: GazetteState) -> Archive | None:
    named = record.hash("archive")
    for archive in state.archives:
        if archive.hash == named:
            return archive
    if named != NO_HASH:
        raise UnverifiedError("the destruction names an archive that the Gazette does not")
    return None


def _retirement(epoch: Epoch, state: GazetteState, digest: bytes) -> Retirement:
    retirement = state.retired(epoch.number)
    if retirement is None:
        raise UnverifiedError(
            f"the board has not retired desk epoch {epoch.number}", hint="ask it to"
        )
    if retirement.destruction != digest:
        raise UnverifiedError("the board has retired the epoch over another record")
    return retirement
