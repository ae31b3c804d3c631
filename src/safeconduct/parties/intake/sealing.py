"""Seal what lies in a spool: read twice, sealed once, and on the disk when its hash is known.

    pass 1   measure                                              nonce, file key
    pass 2   seal, hash and write behind one another              record, payload

Which number of the words it gets is looked up here too, since the same content under the same
words has to give the same record again.

Spec: docs/3-protocol.md §7, §14.
"""

import hashlib
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeAlias

from safeconduct.errors import RefusedError, UnavailableError, UnverifiedError
from safeconduct.parties.intake.accept import Intake, check_dated, signed_delivery
from safeconduct.parties.intake.spool import Item
from safeconduct.parties.intake.store import DISK_RESERVE_BYTES, Delivered
from safeconduct.parties.intake.ticket import Ticket
from safeconduct.plumbing.blobs import Incoming
from safeconduct.plumbing.hashing import Sha256Behind
from safeconduct.protocol.address import Address
from safeconduct.protocol.capsule import (
    HEADERS_MAX,
    Capsule,
    Found,
    find_capsules,
    seal_capsule,
    with_proof,
)
from safeconduct.protocol.envelope import Envelope, Source, seal_envelope
from safeconduct.protocol.gazette import address_at, address_of
from safeconduct.protocol.keys import ContributionKeys, attempt_tag, contribution_keys
from safeconduct.protocol.receipt import Receipt, slim_proof, verify_receipt
from safeconduct.protocol.record import format_record, parse_record, record_hash
from safeconduct.protocol.tip import CONTAINER_BYTES_MIN

PIECE_BYTES = 1 << 20

Named: TypeAlias = list[tuple[str, Item]]
"""Items of a spool under the names that they get in the sealed tip."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealed:
    """A sealed tip before it is dated; `payload` is synced, or None if there was no room."""

    keys: ContributionKeys
    capsule: Capsule | None
    record: bytes
    header: bytes
    delivery: bytes
    payload: Incoming | None


def seal_next(
    intake: Intake, ticket: Ticket, master: bytes, items: Named
) -> Sealed | Delivered:
    """The next contribution of these words; or the same, if they have begun it before."""
    # Two sendings under the same words take two numbers, one after the other.
    with intake.store.payloads.turn(hashlib.sha256(master).digest()):
        found, free = _search(intake, ticket, master)
        begun = _begun(intake, found, items)
        if begun is not None:
            whole = _whole(intake, begun.capsule)
            if whole is not None:
                return whole
            again = _seal(intake, ticket, begun.keys, items, begun.capsule)
            if again is not None:
                return again
        sealed = _seal(intake, ticket, free, items, None)
        assert sealed is not None
        return sealed


def begun_before(
    intake: Intake, ticket: Ticket, master: bytes, wanted: Sequence[Named]
) -> list[Capsule | None]:
    """For each of these contents: what the words have begun of it, if that can go on."""
    found, _ = _search(intake, ticket, master)
    begun = [_begun(intake, found, items) for items in wanted]
    return [None if each is None else each.capsule for each in begun]


def _search(
    intake: Intake, ticket: Ticket, master: bytes
) -> tuple[tuple[Found, ...], ContributionKeys]:
    if not ticket.kept:  # nobody will ever look for it
        return (), contribution_keys(master, 0)
    return find_capsules(
        intake.store.versions, lambda number: contribution_keys(master, number)
    )


def _begun(intake: Intake, found: Sequence[Found], items: Named) -> Found | None:
    """The contribution of these very files, if it can still be gone on with."""
    files = [(name, item.size, item.sha256) for name, item in items]
    for each in found:
        same = each.capsule.nonce and attempt_tag(each.keys, files) == each.capsule.pre
        if same and not _is_over(intake, each.capsule):
            return each
    return None


def _is_over(intake: Intake, capsule: Capsule) -> bool:
    """Whether it was taken back, or is dated and can be delivered no more."""
    digest = record_hash(capsule.record)
    if intake.store.withdrawn(digest) is not None:
        return True
    if not capsule.proof or intake.store.delivered(digest) is not None:
        return False
    receipt = receipt_of(intake, capsule.record, capsule.proof)
    try:
        check_dated(intake, receipt.record, receipt.logged_by)
    except (RefusedError, UnverifiedError):
        return True
    return False


def _whole(intake: Intake, capsule: Capsule) -> Delivered | None:
    delivered = intake.store.delivered(record_hash(capsule.record))
    return delivered if delivered is not None and delivered.delivery_proof else None


def _seal(
    intake: Intake,
    ticket: Ticket,
    keys: ContributionKeys,
    items: Named,
    shelved: Capsule | None,
) -> Sealed | None:
    """Seal; None if what is shelved is dated, and sealing made another record than that."""
    tee = _Tee(intake, sum(item.size for _, item in items))
    try:
        envelope = seal_envelope(
            _sources(intake, ticket, items),
            _address(intake, shelved),
            keys,
            intake.random_bytes,
            sealed_by="server",
            sha256=lambda: tee,
        )
        record = format_record(envelope.record)
        if shelved is not None and shelved.proof and record != shelved.record:
            tee.abort()
            return None
        return _ready(intake, ticket, envelope, shelved, tee.kept())
    except BaseException:
        tee.abort()
        raise


def _sources(intake: Intake, ticket: Ticket, items: Named) -> list[Source]:
    read, spool, key = intake.spools.read, ticket.spool, ticket.spool_key
    return [Source(name=name, read=partial(read, spool, key, item)) for name, item in items]


def _address(intake: Intake, shelved: Capsule | None) -> Address:
    """Where it goes now; once it is dated, where it went then."""
    state = intake.gazette().state
    if shelved is not None and shelved.proof:
        return address_of(state, parse_record(shelved.record))
    return address_at(state, intake.seconds())


def _ready(
    intake: Intake,
    ticket: Ticket,
    envelope: Envelope,
    shelved: Capsule | None,
    payload: Incoming | None,
) -> Sealed:
    """Shelve what words cannot derive from themselves; from here on they can go on.

    What is shelved already is not shelved anew for another header: a slot holds few versions,
    and who tries again and again would have none left.
    """
    capsule, record = None, format_record(envelope.record)
    if ticket.kept:
        capsule = _capsule(envelope, shelved)
        if shelved is None or (record, capsule.nonce) != (shelved.record, shelved.nonce):
            shelve(intake, envelope.keys, capsule)
    return Sealed(
        keys=envelope.keys,
        capsule=capsule,
        record=record,
        header=envelope.header,
        delivery=signed_delivery(intake, record_hash(record), envelope.header),
        payload=payload,
    )


def _capsule(envelope: Envelope, shelved: Capsule | None) -> Capsule:
    """The capsule of an envelope, with the date and the headers it has had so far."""
    own = hashlib.sha256(envelope.header).digest()
    capsule = Capsule(
        record=format_record(envelope.record),
        pre=envelope.pre,
        nonce=envelope.nonce,
        headers=(own,),
    )
    if shelved is None or shelved.record != capsule.record:
        return capsule
    headers = tuple(dict.fromkeys((*shelved.headers, own)))[-HEADERS_MAX:]
    return replace(capsule, proof=shelved.proof, headers=headers)


class _Tee:
    """A SHA-256 that keeps on the disk what it hashes, as long as there is room for it.

    So the payload is sealed once, and not again for the disk after its hash is known.
    """

    def __init__(self, intake: Intake, content_bytes: int) -> None:
        self._digest, self._batch = Sha256Behind(), bytearray()
        self._out: Incoming | None = None
        store, size = intake.store, content_bytes * 9 // 8 + CONTAINER_BYTES_MIN
        with suppress(UnavailableError):
            store.payloads.check_room(size, DISK_RESERVE_BYTES)
            self._out = store.payloads.incoming()

    def update(self, data: bytes, /) -> None:
        """Hash and keep more of the payload."""
        self._digest.update(data)
        self._batch += data
        if len(self._batch) >= PIECE_BYTES:
            self._write()

    def digest(self) -> bytes:
        """The SHA-256 of all."""
        return self._digest.digest()

    def kept(self) -> Incoming | None:
        """The whole payload, synced; None if the disk had no room for it."""
        self._write()
        try:
            if self._out is not None:
                self._out.sync()
        except UnavailableError:
            self.abort()
        return self._out

    def abort(self) -> None:
        """Leave nothing of it on the disk."""
        if self._out is not None:
            self._out.abort()
            self._out = None

    def _write(self) -> None:
        try:
            if self._out is not None:
                self._out.write(bytes(self._batch))
        except UnavailableError:
            self.abort()
        self._batch = bytearray()


def shelve(intake: Intake, keys: ContributionKeys, capsule: Capsule) -> None:
    """Put one more version of a capsule on the shelf, where words find it.

    Raises:
        RefusedError: somebody has filled its slot.
        UnavailableError: the shelf is full.
    """
    sealed = seal_capsule(capsule, keys, intake.random_bytes)
    intake.store.shelve(keys.slot(), sealed, own=True)


def dated_capsule(intake: Intake, capsule: Capsule, proof: bytes) -> Capsule:
    """The capsule with its proof; with a slim one, if the whole has no room."""
    dated = with_proof(capsule, proof)
    if dated.proof:
        return dated
    policy, ledger = intake.programme.policy, intake.programme.ledger_origin
    return with_proof(capsule, slim_proof(capsule.record, proof, policy, ledger))


def receipt_of(intake: Intake, record: bytes, proof: bytes) -> Receipt:
    """The receipt of a record whose proof the Ledger gave.

    Raises:
        UnverifiedError: the proof does not hold.
    """
    policy, ledger = intake.programme.policy, intake.programme.ledger_origin
    return verify_receipt(record, proof, policy, ledger)
