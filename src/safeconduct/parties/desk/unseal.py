"""Unseal: open each tip, say what it is, sign that, have it logged, and tell the source.

    what the envelope turns out to be                    acknowledged as
    all inside is what the record says outside           ok
    the same content as a tip acknowledged before        duplicate, naming that one
    it opens, but to something the record does not say   mismatch
    it is dated outside its desk epoch, or came late     mismatch
    it cannot be opened, or not read                     unreadable

Every tip is answered, the bad ones too: silence would look like a body that drops tips. No
answer is given for what may be our own fault — a missing key, a damaged disk, another policy —
unless the Gazette itself says that the epoch's keys are destroyed: then no answer could follow.

    archive header → decided and signed → stored → logged → reply sealed → stored → posted

Spec: docs/3-protocol.md §7, §12, §26.
"""

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial

from safeconduct.errors import (
    MalformedError,
    SafeconductError,
    UnavailableError,
    UnverifiedError,
)
from safeconduct.parties.desk.archive import keep_header
from safeconduct.parties.desk.desk import Desk, statement_key
from safeconduct.parties.desk.keys import EpochKeys
from safeconduct.parties.desk.pull import LOCK_FILE, is_whole
from safeconduct.parties.desk.reply import among_dummies, is_owed, post, seal_first
from safeconduct.parties.desk.store import Acknowledged, Tip
from safeconduct.parties.desk.tray import file_chunks, filling
from safeconduct.plumbing.durable import sole_writer
from safeconduct.protocol.age.failures import (
    HeaderMacError,
    NoIdentityMatchError,
    PayloadError,
)
from safeconduct.protocol.envelope import acknowledgement, open_envelope
from safeconduct.protocol.gazette import GazetteState
from safeconduct.protocol.receipt import verify_receipt
from safeconduct.protocol.record import NO_HASH, Record, parse_record, sign_record
from safeconduct.protocol.tip import Manifest, format_manifest

DELIVERY_GRACE_SECONDS = 86_400  # between the end of the window and the logged delivery

_Act = Callable[[Desk, GazetteState, Tip], None]

_CANNOT_BE_READ = (MalformedError, NoIdentityMatchError, HeaderMacError, PayloadError)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """How far one tip has come now; `trouble` says what stops it, and is empty if nothing."""

    hash: bytes
    status: str
    trouble: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What an envelope turned out to be; the manifest is there if it could be opened."""

    status: str
    reason: str = ""
    other: bytes = NO_HASH
    manifest: Manifest | None = None


def unseal_all(desk: Desk) -> list[Step]:
    """Bring every tip as far as it will go: opened, acknowledged, logged, answered.

    A tip that is stuck stops no other; its step says why, and the next call tries it again.
    Steps are returned for tips with which something was done, or should have been.

    Raises:
        UnavailableError: Gazette, Ledger or door stay away, or another process is at it; what
            was decided is stored, and calling again is safe.
    """
    with sole_writer(desk.folder / LOCK_FILE):
        state = desk.gazette()
        opened = [_try(desk, state, _acknowledge, tip) for tip in desk.store.unacknowledged()]
        unfinished = _unfinished(desk)
        with among_dummies(desk, state) if unfinished else nullcontext():
            finished = [_try(desk, state, _finish, tip) for tip in unfinished]
    return [step for step in opened if step.trouble] + finished


def _try(desk: Desk, state: GazetteState, act: _Act, tip: Tip) -> Step:
    trouble = ""
    try:
        act(desk, state, tip)
    except SafeconductError as error:
        if act is _finish and isinstance(error, UnavailableError):
            raise  # the network is away: it would be for the next tip too
        trouble = error.message
    made = desk.store.acknowledged(tip.hash)
    return Step(hash=tip.hash, status=made.status if made else "", trouble=trouble)


def _unfinished(desk: Desk) -> list[Tip]:
    """Tips whose answer was decided but is not logged, or has not reached the source."""
    unposted = {sent.hash for sent in desk.store.unposted()}
    return [
        desk.store.tip(made.hash)
        for made in desk.store.acknowledgements()
        if not made.proof or made.hash in unposted or is_owed(desk, made)
    ]


def _acknowledge(desk: Desk, state: GazetteState, tip: Tip) -> None:
    """Open the tip, decide, sign, store: from then on the answer stands."""
    found = unseal(desk, state, tip)
    keep_header(desk, state, tip)
    record = parse_record(tip.record)
    epoch, key = statement_key(desk, state)
    answer = acknowledgement(
        desk.programme.hash, tip.hash, found.status, epoch, other=found.other
    )
    desk.store.enter_acknowledgement(
        Acknowledged(
            hash=tip.hash,
            status=found.status,
            other=found.other,
            content=record.hash("content"),
            reason=found.reason,
            manifest=format_manifest(found.manifest) if found.manifest else b"",
            record=sign_record(answer, [key]),
        )
    )


def _finish(desk: Desk, state: GazetteState, tip: Tip) -> None:
    """Have the answer logged and the source told; each step only if it is still due."""
    made = _decided(desk, tip)
    if not made.proof:
        desk.store.enter_acknowledgement_proof(tip.hash, desk.log(made.record))
    seal_first(desk, _decided(desk, tip))
    post(desk, state, tip.hash)


def _decided(desk: Desk, tip: Tip) -> Acknowledged:
    made = desk.store.acknowledged(tip.hash)
    assert made is not None
    return made


def unseal(desk: Desk, state: GazetteState, tip: Tip) -> Found:
    """What the tip's envelope is, by the table above; its files are in the tray if it opened.

    Raises:
        UnavailableError: our own fault: the epoch's keys are not here, or the payload or the
            delivery on our disk is not the one that came in.
    """
    record = parse_record(tip.record, "contribution")
    try:
        _check_window(desk, state, tip)
        keys = _keys_of(desk, state, tip, record)
        manifest = _open(desk, tip, record, keys)
    except _CANNOT_BE_READ as error:
        _check_disk(desk, tip, record)
        return Found(status="unreadable", reason=error.message)
    except UnverifiedError as error:
        _check_disk(desk, tip, record)
        return Found(status="mismatch", reason=error.message)
    first = desk.store.first_of_content(record.hash("content"))
    if first is not None and first != tip.hash:
        reason = "the same content was acknowledged before"
        return Found(status="duplicate", reason=reason, other=first, manifest=manifest)
    return Found(status="ok", manifest=manifest)


def _check_window(desk: Desk, state: GazetteState, tip: Tip) -> None:
    """Check that the tip was handed over in time, by the quorum's times on both ends.

    The door's own word on the day does not count: in league with a source, it could let it wait
    and see which of many guesses comes true. An honest door has a day to have its word logged.
    """
    last = tip.logged_by + state.programme.number("delivery-window") + DELIVERY_GRACE_SECONDS
    if _delivered_by(desk, tip) > last:
        raise UnverifiedError("the tip was delivered after its delivery window")


def _delivered_by(desk: Desk, tip: Tip) -> int:
    policy, ledger = desk.programme.policy, desk.programme.ledger_origin
    try:
        return verify_receipt(tip.delivery, tip.delivery_proof, policy, ledger).logged_by
    except SafeconductError as error:
        # It held when it came in: if it does not now, the source is not to blame.
        raise UnavailableError(
            f"the delivery's proof does not hold any more: {error.message}",
            hint="has the policy been changed?",
        ) from error


def _keys_of(desk: Desk, state: GazetteState, tip: Tip, record: Record) -> EpochKeys:
    """The keys of the epoch that the record names as the Gazette certifies it."""
    state.statute(record.hash("statute"))
    epoch = state.epoch(record.number("epoch"))
    if epoch.hash != record.hash("certificate"):
        raise UnverifiedError("the record names another desk certificate than the Gazette")
    if not epoch.opens <= tip.logged_by < epoch.closes:
        raise UnverifiedError("the tip is dated outside the epoch that it is sealed to")
    if epoch.number not in desk.keys.numbers() and state.retired(epoch.number) is not None:
        raise MalformedError(
            f"the tip is sealed to desk epoch {epoch.number}, whose keys are destroyed"
        )
    return desk.keys.epoch(epoch.number)


def _check_disk(desk: Desk, tip: Tip, record: Record) -> None:
    # The payload was whole when it came in; if it is not now, the source is not to blame. A
    # tip that opens needs no such pass: opening hashes the payload first.
    path = desk.store.payload_path(tip.hash)
    if not is_whole(path, record):
        raise UnavailableError(
            f"{path}: damaged since it came in",
            hint="the next `pull` fetches it anew",
        )


def _open(desk: Desk, tip: Tip, record: Record, keys: EpochKeys) -> Manifest:
    payload = partial(file_chunks, desk.store.payload_path(tip.hash))
    with filling(desk.store.tip_folder(tip.hash)) as tray:
        return open_envelope(record, tip.header, payload, keys.identities, tray.sink)
