"""Pull: fetch from the door what it has signed for, and take only what holds.

    offer ── record · date under the quorum · door's signature ── payload ── disk ── entered

An offer that does not hold is kept as evidence and asked for again at each pull; it stops no
other. The door cannot make the desk forget: it signed for every envelope it took.

Spec: docs/3-protocol.md §13.
"""

import hashlib
import shutil

from safeconduct.errors import (
    MalformedError,
    SafeconductError,
    UnavailableError,
    UnverifiedError,
)
from safeconduct.parties.desk.desk import Desk, statement_key
from safeconduct.parties.desk.door import Door, Offer, parse_offer
from safeconduct.parties.desk.store import HeldBack, Tip
from safeconduct.parties.desk.tray import file_sha256
from safeconduct.plumbing.durable import make_folder, sole_writer, write_secret
from safeconduct.protocol.envelope import check_contribution
from safeconduct.protocol.gazette import GazetteState
from safeconduct.protocol.receipt import Receipt, verify_receipt
from safeconduct.protocol.record import Record, parse_record, parse_signed, verify_signer

PAYLOAD_BYTES_MAX = 9 << 30
DISK_RESERVE_BYTES = 256 << 20  # below this the desk takes no more payloads
LOCK_FILE = "lock"


def pull(desk: Desk) -> list[bytes]:
    """The record hashes of the tips that came in now, each with its payload on the disk.

    Raises:
        UnavailableError: door or logs stay away, the disk is nearly full, or another
            process is pulling; what came in before stays, and pulling again is safe.
        MalformedError: the door's answer is no list of deliveries.
        UnverifiedError: the door gives another payload for a tip that it gave before.
    """
    with sole_writer(desk.folder / LOCK_FILE):
        state = desk.gazette()
        door = Door(desk=desk, key=statement_key(desk, state)[1])
        _restore(desk, door)
        after = desk.store.last_place()
        again = [parse_offer(held.offer) for held in desk.store.held_back()]
        taken = [_take(desk, door, state, offer) for offer in again]
        taken += [_take(desk, door, state, offer) for offer in door.offers_after(after)]
    return [digest for digest in taken if digest is not None]


def _restore(desk: Desk, door: Door) -> None:
    """Fetch anew the payloads of unopened tips that our own disk has lost or damaged."""
    for tip in desk.store.unacknowledged():
        record, path = parse_record(tip.record), desk.store.payload_path(tip.hash)
        if not path.exists() or file_sha256(path) != record.hash("payload"):
            payload = door.payload(tip.hash, record.number("size"))
            check_payload(record, payload)
            write_secret(path, payload)


def _take(desk: Desk, door: Door, state: GazetteState, offer: Offer) -> bytes | None:
    """The record hash of an offer that holds, entered; None if it is held back."""
    try:
        receipt = verify_offer(desk, state, offer)
        _check_room(desk, receipt.record)
        payload = door.payload(receipt.record_hash, receipt.record.number("size"))
        check_payload(receipt.record, payload)
        logged_by = _first_logged(desk, offer, receipt)
    except UnavailableError:
        raise
    except SafeconductError as error:
        held = HeldBack(place=offer.place, offer=offer.data, reason=error.message)
        desk.store.hold_back(held)
        return None
    _keep(desk, offer, receipt, payload, logged_by)
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


def check_payload(record: Record, payload: bytes) -> None:
    """Check that `payload` is the one that `record` commits to.

    Raises:
        UnverifiedError: another size or hash.
    """
    committed = (record.number("size"), record.hash("payload"))
    if (len(payload), hashlib.sha256(payload).digest()) != committed:
        raise UnverifiedError("the payload is not the one its record commits to")


def _check_room(desk: Desk, record: Record) -> None:
    # A payload is followed by its opened files, which are about as large again.
    if shutil.disk_usage(desk.folder).free < 2 * record.number("size") + DISK_RESERVE_BYTES:
        raise UnavailableError(
            "the desk's disk has no room for the next tip", hint="free some space, pull again"
        )


def _first_logged(desk: Desk, offer: Offer, receipt: Receipt) -> int:
    """The earliest time by which the tip was logged, whichever proof the door has brought.

    A proof of an old entry can be made under a checkpoint of today. If that one counted, a door
    and a source together could open any delivery window again: the log is asked for its first.
    """
    policy, ledger = desk.programme.policy, desk.programme.ledger_origin
    first = verify_receipt(offer.record, desk.log(offer.record), policy, ledger)
    return min(receipt.logged_by, first.logged_by)


def _keep(desk: Desk, offer: Offer, receipt: Receipt, payload: bytes, logged_by: int) -> None:
    """Disk first, entry second: an entered tip always has its payload."""
    make_folder(desk.store.tip_folder(receipt.record_hash), mode=0o700)
    write_secret(desk.store.payload_path(receipt.record_hash), payload)
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
