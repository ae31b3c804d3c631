"""Accept an envelope: announced, handed over in pieces, checked, kept, logged, signed for.

    announce   record, its proof and the age header; all checked before a byte is stored
    append     the payload's bytes, in any pieces, again after any break
    finish     whole and hashed → durable → entered → logged → answered

Each step may be repeated; after a crash the same steps run again. What was delivered once is
answered alike ever after. Deliveries do not wait for each other.

Spec: docs/3-protocol.md §13.
"""

import asyncio
import hashlib
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from weakref import WeakValueDictionary

from safeconduct.errors import (
    MalformedError,
    RefusedError,
    SafeconductError,
    UnavailableError,
    UnverifiedError,
)
from safeconduct.parties.intake.commits import Commits
from safeconduct.parties.intake.definition import Definition
from safeconduct.parties.intake.spool import Spools
from safeconduct.parties.intake.statistics import Days
from safeconduct.parties.intake.store import Announced, Delivered, Store
from safeconduct.parties.intake.ticket import Tickets
from safeconduct.plumbing.logs import GazetteView, log_record, read_gazette
from safeconduct.plumbing.programme import Programme
from safeconduct.plumbing.turns import Turns
from safeconduct.protocol.canonical import parse_base64, parse_json
from safeconduct.protocol.envelope import check_contribution, check_header
from safeconduct.protocol.gazette import Epoch, GazetteState
from safeconduct.protocol.receipt import verify_receipt
from safeconduct.protocol.record import (
    Record,
    make_record,
    parse_record,
    record_hash,
    sign_record,
)
from safeconduct.protocol.statute.instant import format_instant
from safeconduct.protocol.tlog.note import SigningKey

PIECE_BYTES_MAX = 2 << 20
ANNOUNCEMENT_BYTES_MAX = 64 << 10
PAYLOAD_BYTES_MAX = 72 << 30
DAY_SECONDS = 86_400
GAZETTE_SECONDS = 5  # how old a reading of the Gazette may be
GAZETTE_STALE_SECONDS = 600  # how old it may be while the log is away
GAZETTE_FAILED_SECONDS = 1  # how long a failed one is told again instead of tried again
SEALINGS_AT_ONCE = 3  # of small tips
LARGE_SEALINGS_AT_ONCE = 2  # beside them: each holds some 20 MiB of what it reads and hashes
READINGS_AT_ONCE = 2  # of mailboxes: stretching words costs memory
DATINGS_AT_ONCE = 20  # that wait for the log in a thread; pages have the other half of them
LOOKS_AT_ONCE = 2  # into what somebody uploaded: each may take a minute
_ANNOUNCEMENT_FIELDS = frozenset({"header", "proof", "record"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Intake:
    """The door at work: its programme, its key, its store and its clock.

    Visitors wait for their turn in `reading`, `looking`, `sealing` and `sealing_large`, so that
    strangers cannot take all the memory, nor all the threads from deliveries and desk; and in
    `dating`, so that a log that is slow takes none from the pages.
    What is to be dated goes to the log through `commits`; what visitors have handed in and not
    sent yet lies in `spools`.
    """

    programme: Programme
    key: SigningKey
    store: Store
    seconds: Callable[[], int]
    random_bytes: Callable[[int], bytes]
    gazette: Callable[[], GazetteView]
    commits: Commits
    spools: Spools
    reading: Turns = field(default_factory=lambda: Turns(READINGS_AT_ONCE))
    dating: Turns = field(default_factory=lambda: Turns(DATINGS_AT_ONCE))
    looking: Turns = field(default_factory=lambda: Turns(LOOKS_AT_ONCE))
    sealing: Turns = field(default_factory=lambda: Turns(SEALINGS_AT_ONCE))
    sealing_large: Turns = field(default_factory=lambda: Turns(LARGE_SEALINGS_AT_ONCE))
    sends: WeakValueDictionary[bytes, asyncio.Lock] = field(default_factory=WeakValueDictionary)
    tickets: Tickets = field(default_factory=Tickets)
    definition: Definition = field(default_factory=Definition)
    days: Days = field(default_factory=Days)


def cached_gazette(
    programme: Programme, seconds: Callable[[], int]
) -> Callable[[], GazetteView]:
    """A reader of the Gazette that asks the log again after a few seconds.

    One thread asks. The others take what was read last while it does, and so does everybody for
    some minutes if the log is away: if each visitor waited for it, they would soon hold all
    threads, and with them the deliveries and pages that need no Gazette. After that it is told
    as `UnavailableError`, whatever it was: no visitor is at fault for the Gazette.
    """
    lock = threading.Lock()
    held = _Held()

    def read() -> GazetteView:
        known = held.view_at(seconds(), GAZETTE_SECONDS)
        if known is not None:
            return known
        known = held.view_at(seconds(), GAZETTE_STALE_SECONDS)
        if not lock.acquire(blocking=known is None):
            assert known is not None
            return known
        try:
            return held.read(programme, seconds)
        finally:
            lock.release()

    return read


@dataclass(slots=True)
class _Held:
    """What was read of the Gazette last, and why it could not be read since."""

    good: tuple[int, GazetteView] | None = None
    failed: tuple[int, SafeconductError] | None = None

    def view_at(self, now: int, age_seconds: int) -> GazetteView | None:
        """The last view, if it is not older."""
        good = self.good
        return good[1] if good is not None and 0 <= now - good[0] < age_seconds else None

    def read(self, programme: Programme, seconds: Callable[[], int]) -> GazetteView:
        """Ask, unless somebody just has; one thread at a time calls this."""
        began = seconds()
        if (known := self.view_at(began, GAZETTE_SECONDS)) is not None:
            return known
        if self.failed is None or not 0 <= began - self.failed[0] < GAZETTE_FAILED_SECONDS:
            found = _gazette_or_error(programme, began)
            if not isinstance(found, SafeconductError):
                self.good, self.failed = (began, found), None
                return found
            self.failed = seconds(), found
        if (known := self.view_at(seconds(), GAZETTE_STALE_SECONDS)) is not None:
            return known
        error = self.failed[1]
        raise UnavailableError(error.message, hint=error.hint, told=error.told)


def _gazette_or_error(programme: Programme, at: int) -> GazetteView | SafeconductError:
    try:
        return read_gazette(programme, at=at)
    except SafeconductError as error:
        return error


def commit(intake: Intake, leaf: bytes) -> bytes:
    """Have 32 bytes dated by log and witnesses; the door learns nothing but that it happened.

    Raises:
        MalformedError: not 32 bytes.
        UnavailableError: no quorum for too long; asking again is safe.
    """
    return intake.commits.commit_now(leaf)


def announce(intake: Intake, body: bytes) -> int:
    """Begin a delivery; returns how many payload bytes are held already.

    Raises:
        MalformedError: not an announcement, a bad record or header, or too large.
        UnverifiedError: the record is not dated by this programme's log.
        RefusedError: its delivery window is over, or its desk key was not open at its date.
        UnavailableError: the log is away, or the disk is nearly full.
    """
    value = parse_json(body, "announcement", bytes_max=ANNOUNCEMENT_BYTES_MAX)
    if not isinstance(value, dict) or value.keys() != _ANNOUNCEMENT_FIELDS:
        raise MalformedError("announcement: needs exactly header, proof and record")
    record, proof, header = value["record"], value["proof"], value["header"]
    if not (isinstance(record, str) and isinstance(proof, str) and isinstance(header, str)):
        raise MalformedError("announcement: its fields must be text")
    announced = Announced(
        record=record.encode("utf-8"),
        proof=proof.encode("utf-8"),
        header=parse_base64(header, "announcement: header"),
    )
    digest = record_hash(announced.record)
    if intake.store.delivered(digest) is not None:  # whatever has ended since
        return intake.store.payloads.held_bytes(digest)
    intake.store.drop_late(intake.seconds())
    return intake.store.announce(announced, check_announced(intake, announced))


def check_announced(intake: Intake, announced: Announced) -> int:
    """The end of the delivery window, after checking all that can be before the payload comes.

    Raises:
        MalformedError, UnverifiedError, RefusedError: as `announce`.
        UnavailableError: the log is away.
    """
    record = parse_record(announced.record, "contribution")
    check_contribution(record)
    if record.hash("programme") != intake.programme.hash:
        raise UnverifiedError("the contribution is for another programme")
    if record.number("size") > PAYLOAD_BYTES_MAX:
        raise MalformedError(f"the envelope is larger than {PAYLOAD_BYTES_MAX} bytes")
    check_header(announced.header, record)
    return check_dated(intake, record, _first_logged(intake, announced))


def check_dated(intake: Intake, record: Record, logged_by: int) -> int:
    """The end of the delivery window of a contribution that was first logged by `logged_by`.

    Raises:
        UnverifiedError: it names another desk certificate than the Gazette.
        RefusedError: its window is over, or its desk key was not open at its date.
        UnavailableError: the log is away.
    """
    state = intake.gazette().state
    _check_address(state, record, logged_by)
    until = logged_by + state.programme.number("delivery-window")
    _check_window(intake, until)
    return until


def _first_logged(intake: Intake, announced: Announced) -> int:
    """The earliest time by which the record was logged, whichever proof was brought.

    Anybody can make a proof of an old entry under a checkpoint of today. If that one counted,
    no window would ever close: the log itself is asked for its first.
    """
    shown = verify_receipt(
        announced.record,
        announced.proof,
        intake.programme.policy,
        intake.programme.ledger_origin,
    )
    _, first = log_record(intake.programme, announced.record)
    return min(shown.logged_by, first.logged_by)


def _check_address(state: GazetteState, record: Record, logged_by: int) -> None:
    """Check that statute and desk key are those of the Gazette, and the key's epoch was open.

    Tips that are dated outside their epoch might meet a desk that has destroyed the keys.
    """
    state.statute(record.hash("statute"))
    epoch = state.epoch(record.number("epoch"))
    if epoch.hash != record.hash("certificate"):
        raise UnverifiedError(
            "the contribution names another desk certificate than the Gazette"
        )
    retired = state.retired(epoch.number) is not None
    if retired or not epoch.opens <= logged_by < epoch.closes:
        raise RefusedError(_wrong_epoch(epoch, logged_by, retired=retired), hint=_SEND_AGAIN)


_SEND_AGAIN = "send the tip again: it is sealed to the key that is open now, and dated anew"


def _wrong_epoch(epoch: Epoch, logged_by: int, *, retired: bool) -> str:
    """Which desk key it was, when it was open, and whether anybody could still use it."""
    fate = "its keys are destroyed" if retired else "its keys are not destroyed yet"
    dated = "open at" if epoch.opens <= logged_by < epoch.closes else "not open at"
    return (
        f"this is sealed to desk epoch {epoch.number}, which was {dated} its date "
        f"{format_instant(logged_by)}: it opened {format_instant(epoch.opens)} and closed "
        f"{format_instant(epoch.closes)}; {fate}"
    )


def _check_window(intake: Intake, until: int) -> None:
    if intake.seconds() > until:
        raise RefusedError(
            f"the delivery window of this commitment is over since {format_instant(until)}",
            hint=_SEND_AGAIN,
        )


def held_header(intake: Intake, digest: bytes) -> bytes:
    """The header that is announced for a delivery, or was when it was signed for.

    Raises:
        RefusedError: no such delivery was announced.
    """
    delivered = intake.store.delivered(digest)
    return (delivered or intake.store.announced(digest)[0]).header


def append(intake: Intake, digest: bytes, offset: int, piece: bytes) -> int:
    """Take payload bytes; returns how many are held now, all of them synced.

    Raises:
        RefusedError: no such delivery was announced, or its delivery window is over.
        ConflictError: bytes before `offset` are missing, or others are held there.
        MalformedError: more bytes than the record says.
        UnavailableError: the disk is nearly full.
    """
    announced, until = intake.store.announced(digest)
    size = parse_record(announced.record).number("size")
    if offset + len(piece) > size:
        raise MalformedError(f"the payload is longer than its record says: {size} bytes")
    with intake.store.payloads.turn(digest):
        if intake.store.delivered(digest) is not None:
            return size
        _check_window(intake, until)
        return intake.store.append(digest, offset, piece)


def finish(intake: Intake, digest: bytes) -> bytes:
    """Check, keep, log and sign for an envelope; the answer is the signed delivery record.

    Raises:
        RefusedError: no such delivery was announced, or its delivery window is over.
        UnverifiedError: incomplete, or the payload is another than the record commits to.
        UnavailableError: the log is away, or the payload is still being checked after a
            restart; the envelope is kept, and asking again is safe.
    """
    with intake.store.payloads.turn(digest):
        kept = intake.store.delivered(digest) or _keep(intake, digest)
    if not kept.delivery_proof:
        proof, _ = log_record(intake.programme, kept.delivery)
        intake.store.enter_proof(digest, proof)
    return kept.delivery


def _keep(intake: Intake, digest: bytes) -> Delivered:
    announced, until = intake.store.announced(digest)
    # An announcement may be old: without this, many guesses could be announced in time, and
    # the one that came true be handed over a year later.
    _check_window(intake, until)
    record = parse_record(announced.record)
    _check_payload(intake, digest, record)
    kept = intake.store.keep(announced, signed_delivery(intake, digest, announced.header))
    intake.days.count(f"delivered-{record.word('sealed-by')}", intake.seconds())
    return kept


def signed_delivery(intake: Intake, digest: bytes, header: bytes) -> bytes:
    """The door's signed word that it holds an envelope whole, under this header, today."""
    delivery = make_record(
        "delivery",
        programme=intake.programme.hash,
        record=digest,
        header=hashlib.sha256(header).digest(),
        delivered=intake.seconds() // DAY_SECONDS * DAY_SECONDS,  # a day is fine enough
    )
    return sign_record(delivery, [intake.key])


def _check_payload(intake: Intake, digest: bytes, record: Record) -> None:
    held = intake.store.payloads.held_bytes(digest)
    if held != record.number("size"):
        raise UnverifiedError(
            f"the payload is held up to byte {held} only", hint="send the rest"
        )
    if intake.store.payloads.sha256(digest) != record.hash("payload"):
        intake.store.payloads.discard(digest)
        raise UnverifiedError(
            "the payload is not the one its record commits to", hint="send it again from byte 0"
        )
