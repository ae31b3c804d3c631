"""Accept an envelope: announced, handed over in pieces, checked, kept, logged, signed for.

    announce   record, its proof and the age header; all checked before a byte is stored
    append     the payload's bytes, in any pieces, again after any break
    finish     whole and hashed → durable → entered → logged → answered

Each step may be repeated; after a crash the same steps run again.

Spec: docs/3-protocol.md §13.
"""

import asyncio
import hashlib
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from safeconduct.errors import MalformedError, RefusedError, UnverifiedError
from safeconduct.parties.intake.store import Announced, Delivered, Store
from safeconduct.plumbing.logs import GazetteView, log_leaf, log_record, read_gazette
from safeconduct.plumbing.programme import Programme
from safeconduct.protocol.canonical import parse_base64, parse_json
from safeconduct.protocol.envelope import check_contribution, check_header
from safeconduct.protocol.gazette import GazetteState
from safeconduct.protocol.receipt import verify_receipt
from safeconduct.protocol.record import Record, make_record, parse_record, sign_record
from safeconduct.protocol.tlog.note import SigningKey

LEAF_BYTES = 32
PIECE_BYTES_MAX = 2 << 20
ANNOUNCEMENT_BYTES_MAX = 64 << 10
PAYLOAD_BYTES_MAX = 9 << 30
DAY_SECONDS = 86_400
GAZETTE_SECONDS = 5  # how old a reading of the Gazette may be
FORMS_AT_ONCE = 2  # of each kind: stretching words and sealing cost memory
_ANNOUNCEMENT_FIELDS = frozenset({"header", "proof", "record"})


def _turns() -> asyncio.Semaphore:
    return asyncio.Semaphore(FORMS_AT_ONCE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Intake:
    """The door at work: its programme, its key, its store and its clock.

    Forms wait for their turn in `telling` and `reading`, so that they cannot take all the
    memory, nor all the threads from clients and desk.
    """

    programme: Programme
    key: SigningKey
    store: Store
    seconds: Callable[[], int]
    random_bytes: Callable[[int], bytes]
    gazette: Callable[[], GazetteView]
    finishing: threading.Lock
    telling: asyncio.Semaphore = field(default_factory=_turns)
    reading: asyncio.Semaphore = field(default_factory=_turns)


def cached_gazette(
    programme: Programme, seconds: Callable[[], int]
) -> Callable[[], GazetteView]:
    """A reader of the Gazette that asks the log again after a few seconds."""
    lock = threading.Lock()
    held: list[tuple[int, GazetteView]] = []

    def read() -> GazetteView:
        with lock:
            if not held or not 0 <= seconds() - held[0][0] < GAZETTE_SECONDS:
                held[:] = [(seconds(), read_gazette(programme, at=seconds()))]
            return held[0][1]

    return read


def commit(intake: Intake, leaf: bytes) -> bytes:
    """Have 32 bytes dated by log and witnesses; the door learns nothing but that it happened.

    Raises:
        MalformedError: not 32 bytes.
        UnavailableError: no quorum for too long; asking again is safe.
    """
    if len(leaf) != LEAF_BYTES:
        raise MalformedError(f"commit: a leaf is {LEAF_BYTES} bytes")
    return log_leaf(intake.programme, leaf)


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
    logged_by = _first_logged(intake, announced)
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
    if not epoch.opens <= logged_by < epoch.closes:
        raise RefusedError(
            "the desk key that this is sealed to was not open at its date",
            hint="send the tip again: it is sealed to the key that is open now",
        )


def _check_window(intake: Intake, until: int) -> None:
    if intake.seconds() > until:
        raise RefusedError(
            "the delivery window of this commitment is over",
            hint="send the tip again: it is dated anew",
        )


def append(intake: Intake, digest: bytes, offset: int, piece: bytes) -> int:
    """Take payload bytes; returns how many are held now, all of them synced.

    Raises:
        RefusedError: no such delivery was announced.
        ConflictError: bytes before `offset` are missing.
        MalformedError: more bytes than the record says.
    """
    if intake.store.delivered(digest) is not None:
        return intake.store.payloads.held_bytes(digest)
    record = parse_record(intake.store.announced(digest)[0].record)
    if offset + len(piece) > record.number("size"):
        raise MalformedError("the payload is longer than its record says")
    with intake.finishing:
        return intake.store.append(digest, offset, piece)


def finish(intake: Intake, digest: bytes) -> bytes:
    """Check, keep, log and sign for an envelope; the answer is the signed delivery record.

    Raises:
        RefusedError: no such delivery was announced, or its delivery window is over.
        UnverifiedError: incomplete, or the payload is another than the record commits to.
        UnavailableError: the log is away; the envelope is kept, and asking again is safe.
    """
    with intake.finishing:
        kept = intake.store.delivered(digest) or _keep(intake, digest)
    if not kept.delivery_proof:
        proof, _ = log_record(intake.programme, kept.delivery)
        intake.store.enter_proof(digest, proof)
    return kept.delivery


def _keep(intake: Intake, digest: bytes) -> Delivered:
    announced, until = intake.store.announced(digest)
    record = parse_record(announced.record)
    # An announcement may be old: without this, many guesses could be announced in time, and
    # the one that came true be handed over a year later.
    _check_window(intake, until)
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
    delivery = make_record(
        "delivery",
        programme=intake.programme.hash,
        record=digest,
        header=hashlib.sha256(announced.header).digest(),
        delivered=intake.seconds() // DAY_SECONDS * DAY_SECONDS,  # a day is fine enough
    )
    signed = sign_record(delivery, [intake.key])
    return intake.store.keep(announced, signed)
