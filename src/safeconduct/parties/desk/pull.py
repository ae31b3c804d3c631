"""Pull: fetch from the door what it has signed for, and take only what holds.

    offer ── record · date under the quorum · door's signature ── payload ── disk ── entered

Withdrawals come first: what its author took back is neither fetched nor opened any more.

An offer that does not hold is kept as evidence and asked for again at each pull; it stops no
other. Nor does one for which there is no room, which waits in the same way. The door cannot
make the desk forget: it signed for every envelope it took.

A payload of any size passes through in pieces: hashed on its way into a temporary file, which
gets its name only if size and hash are those committed to.

Spec: docs/3-protocol.md §13.
"""

import hashlib
import shutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from safeconduct.errors import (
    MalformedError,
    RefusedError,
    SafeconductError,
    UnavailableError,
    UnverifiedError,
)
from safeconduct.parties.desk.desk import Desk, statement_key
from safeconduct.parties.desk.door import Door, Offer, parse_offer
from safeconduct.parties.desk.store import HeldBack, Tip
from safeconduct.parties.desk.tray import file_sha256
from safeconduct.parties.desk.withdraw import pull_withdrawals
from safeconduct.plumbing.durable import (
    make_folder,
    remove_empty_folder,
    remove_temporaries,
    sole_writer,
    write_stream,
)
from safeconduct.protocol.envelope import check_contribution
from safeconduct.protocol.gazette import GazetteState
from safeconduct.protocol.receipt import Receipt, verify_receipt
from safeconduct.protocol.record import Record, parse_record, parse_signed, verify_signer

PAYLOAD_BYTES_MAX = 72 << 30
DISK_RESERVE_BYTES = 256 << 20  # below this the desk takes no more payloads
TELL_SECONDS = 5  # between two words on a long payload
HELD_BACK_MAX = 1_000  # offers that do not hold, yet are kept: a door can make any number
LOCK_FILE = "lock"
NO_ROOM = "the desk's disk has no room for so large a tip: free some space, pull again"

Tell = Callable[[str], None]


def pull(desk: Desk, tell: Tell = lambda _: None) -> list[bytes]:
    """The record hashes of the tips that came in now, each with its payload on the disk.

    `tell` is given a line now and then while a large payload comes in.

    Raises:
        UnavailableError: door or logs stay away, the disk is nearly full, or another
            process is pulling; what came in before stays, and pulling again is safe.
        MalformedError: the door's answer is no list of deliveries.
        UnverifiedError: the door gives another payload for a tip that it gave before, far too
            many offers that do not hold, or a withdrawal that is not by its tip's author.
    """
    with sole_writer(desk.folder / LOCK_FILE):
        state = desk.gazette()
        door = Door(desk=desk, key=statement_key(desk, state)[1])
        inlet = _Inlet(desk=desk, door=door, tell=tell)
        pull_withdrawals(desk, door)
        _restore(inlet)
        after = desk.store.last_place()
        again = [parse_offer(held.offer) for held in desk.store.held_back()]
        taken = [_take(inlet, state, offer) for offer in again]
        held_back = taken.count(None)
        for offer in door.offers_after(after):
            taken.append(_take(inlet, state, offer))
            held_back += taken[-1] is None
            if held_back > HELD_BACK_MAX:
                raise UnverifiedError(
                    f"the door has more than {HELD_BACK_MAX} offers that do not hold",
                    hint="is it under this policy? else somebody else runs it",
                )
    return [digest for digest in taken if digest is not None]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Inlet:
    """Where payloads come in."""

    desk: Desk
    door: Door
    tell: Tell

    def receive(self, digest: bytes, record: Record) -> None:
        """The payload is on the disk when this returns, hashed, under its name.

        Raises:
            MalformedError, UnverifiedError: the door gives another one; nothing is kept.
            UnavailableError: door or disk gave up; nothing is kept.
        """
        folder = self.desk.store.tip_folder(digest)
        path = self.desk.store.payload_path(digest)
        if is_whole(path, record):
            return  # it came in before, and a crash kept it from being entered
        make_folder(folder, mode=0o700)
        remove_temporaries(folder, below=False)
        size = record.number("size")
        try:
            chunks = self._told(digest, size, self.door.payload(digest, size))
            write_stream(path, checked(record, chunks))
        except BaseException:
            remove_empty_folder(folder)
            raise

    def _told(self, digest: bytes, size: int, chunks: Iterable[bytes]) -> Iterator[bytes]:
        seconds = self.desk.seconds
        came, due = 0, seconds() + TELL_SECONDS
        for chunk in chunks:
            came += len(chunk)
            if seconds() >= due:
                self.tell(f"{digest.hex()[:12]}…: {came >> 20} of {size >> 20} MiB")
                due = seconds() + TELL_SECONDS
            yield chunk


def is_whole(path: Path, record: Record) -> bool:
    """Whether the file at `path` is the payload that `record` commits to."""
    return path.exists() and file_sha256(path) == record.hash("payload")


def checked(record: Record, chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The `chunks`, which end in an error unless they are what `record` commits to.

    Raises:
        UnverifiedError: another size or hash.
    """
    size, came, digest = record.number("size"), 0, hashlib.sha256()
    for chunk in chunks:
        came += len(chunk)
        if came > size:
            break
        digest.update(chunk)
        yield chunk
    if came < size:
        raise UnverifiedError(f"the payload ends after {came} of {size} bytes")
    if came > size or digest.digest() != record.hash("payload"):
        raise UnverifiedError("the payload is not the one its record commits to")


def _restore(inlet: _Inlet) -> None:
    """Fetch anew the payloads of unopened tips that our own disk has lost or damaged."""
    for tip in inlet.desk.store.unacknowledged():
        inlet.receive(tip.hash, parse_record(tip.record))


def _take(inlet: _Inlet, state: GazetteState, offer: Offer) -> bytes | None:
    """The record hash of an offer that holds, entered; None if it is held back."""
    desk = inlet.desk
    try:
        receipt = verify_offer(desk, state, offer)
        logged_by = _first_logged(desk, offer, receipt)
        _check_room(desk, receipt.record)
        inlet.receive(receipt.record_hash, receipt.record)
    except UnavailableError:
        raise
    except SafeconductError as error:
        held = HeldBack(place=offer.place, offer=offer.data, reason=error.message)
        desk.store.hold_back(held)
        return None
    _enter(desk, offer, receipt, logged_by)
    return receipt.record_hash


def verify_offer(desk: Desk, state: GazetteState, offer: Offer) -> Receipt:
    """The contribution's receipt, once all that the door says about it is proven.

    Raises:
        MalformedError: record, proof or delivery do not parse.
        UnverifiedError: no date under the quorum, another programme, or the door did not sign
            for exactly this record and header.
    """
    policy, ledger = desk.programme.policy, desk.programme.ledger_origin
    receipt = verify_receipt(offer.record, offer.proof, policy, ledger)
    _check_record(desk, receipt.record)
    verify_receipt(offer.delivery, offer.delivery_proof, policy, ledger)
    signed = parse_signed(offer.delivery, "delivery")
    delivery = verify_signer(signed, state.programme.key("server"))
    if delivery.hash("programme") != desk.programme.hash:
        raise UnverifiedError("the delivery belongs to another programme")
    if delivery.hash("record") != receipt.record_hash:
        raise UnverifiedError("the door signed for another tip")
    if delivery.hash("header") != hashlib.sha256(offer.header).digest():
        raise UnverifiedError("the door signed for another header")
    return receipt


def _check_record(desk: Desk, record: Record) -> None:
    if record.kind != "contribution":
        raise MalformedError(f"a {record.kind} record where a contribution is due")
    check_contribution(record)
    if record.hash("programme") != desk.programme.hash:
        raise UnverifiedError("the contribution is for another programme")
    if record.number("size") > PAYLOAD_BYTES_MAX:
        raise MalformedError(f"the envelope is larger than {PAYLOAD_BYTES_MAX} bytes")


def _check_room(desk: Desk, record: Record) -> None:
    free = shutil.disk_usage(desk.folder).free
    if free < DISK_RESERVE_BYTES:
        raise UnavailableError(
            "the desk's disk has no room for the next tip", hint="free some space, pull again"
        )
    # A payload is followed by its opened files, which are about as large again. Only this one
    # waits: else who sends a huge tip keeps all smaller ones after it from the desk.
    if free < 2 * record.number("size") + DISK_RESERVE_BYTES:
        raise RefusedError(NO_ROOM)


def _first_logged(desk: Desk, offer: Offer, receipt: Receipt) -> int:
    """The earliest time by which the tip was logged, whichever proof the door has brought.

    A proof of an old entry can be made under a checkpoint of today. If that one counted, a door
    and a source together could open any delivery window again: the log is asked for its first.
    """
    policy, ledger = desk.programme.policy, desk.programme.ledger_origin
    first = verify_receipt(offer.record, desk.log(offer.record), policy, ledger)
    return min(receipt.logged_by, first.logged_by)


def _enter(desk: Desk, offer: Offer, receipt: Receipt, logged_by: int) -> None:
    """Disk first, entry second: an entered tip always has its payload."""
    desk.store.enter_tip(
        Tip(
            number=0,  # counted by the store
            place=offer.place,
            hash=receipt.record_hash,
            record=offer.record,
            proof=offer.proof,
            header=offer.header,
            delivery=offer.delivery,
            delivery_proof=offer.delivery_proof,
            logged_by=logged_by,
        )
    )
