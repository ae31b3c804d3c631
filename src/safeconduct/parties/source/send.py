"""Send a tip: prepare it here, have its date fixed, and only then hand it over.

    prepare   verify statute and desk key in the Gazette; seal; nothing has left this machine
    commit    32 bytes go out and come back dated by the quorum; nobody has read anything
    deliver   header, payload and record follow, in pieces that can be resumed

Spec: docs/3-protocol.md §7, §9, §13.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from safeconduct.errors import RefusedError, UnverifiedError
from safeconduct.parties.source.door import Door
from safeconduct.plumbing.logs import read_gazette
from safeconduct.plumbing.programme import Programme
from safeconduct.protocol.capsule import (
    Capsule,
    Found,
    find_capsules,
    seal_capsule,
    split_shelf,
)
from safeconduct.protocol.envelope import Envelope, Source, seal_envelope
from safeconduct.protocol.gazette import GazetteState, address_at
from safeconduct.protocol.keys import ContributionKeys, contribution_keys, master_key
from safeconduct.protocol.receipt import Receipt, verify_receipt
from safeconduct.protocol.record import format_record, parse_signed, record_hash, verify_signer

PIECE_BYTES = 1 << 20

Report = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A tip that is dated and delivered; all of it is public data."""

    number: int
    record: bytes
    proof: bytes
    receipt: Receipt


@dataclass(frozen=True, slots=True, kw_only=True)
class _Way:
    """What all steps of one sending share."""

    programme: Programme
    door: Door
    state: GazetteState
    seal: Callable[[ContributionKeys], Envelope]
    random_bytes: Callable[[int], bytes]
    report: Report


def send(
    programme: Programme,
    entropy: bytes,
    sources: Sequence[Source],
    *,
    at: int,
    random_bytes: Callable[[int], bytes],
    report: Report,
    number: int = 0,
) -> Sent:
    """Seal, commit and deliver `sources` as the next contribution of these words.

    Returns only after the door has answered, signed, that it holds the whole envelope. A
    contribution of the same files that was begun and never dated is gone on with. `number` is
    the least number to use, for words that sent more than the door's shelf shows.

    Raises:
        UnverifiedError: the Gazette, a proof or the door's answer does not hold.
        RefusedError: there is no open desk key.
        UnavailableError: a server stayed away for too long, or the Gazette it shows is stale;
            trying again is safe.
    """
    state = read_gazette(programme, at=at).state
    address = address_at(state, at)
    report("statute and desk key are proven by the Gazette")
    way = _Way(
        programme=programme,
        door=Door(programme.door),
        state=state,
        seal=lambda keys: seal_envelope(sources, address, keys, random_bytes),
        random_bytes=random_bytes,
        report=report,
    )
    found, free = _numbers(way, entropy, number)
    report(_sent_before(len(found)))
    begun = _begun(way, [item for item in found if item.keys.number >= number])
    sent = _go_on(way, *begun) if begun else None
    return sent or _send(way, way.seal(free))


def _sent_before(count: int) -> str:
    """So that a person who knows better notices a door that hides some of them."""
    return f"these words have sent {count} contribution{'' if count == 1 else 's'} before"


def _numbers(
    way: _Way, entropy: bytes, number: int
) -> tuple[tuple[Found, ...], ContributionKeys]:
    """What these words have sent by the door's shelf, and the keys for the next, from `number`.

    The shelf is the door's word. One that shows less than there is would have us use a number
    again, and so show to door and desk that both contributions are by one source.
    """
    master = master_key(entropy, way.programme.hash)
    shelf = split_shelf(way.door.shelf())
    found, free = find_capsules(
        lambda slot: shelf.get(slot, ()), lambda place: contribution_keys(master, place)
    )
    return found, contribution_keys(master, max(free.number, number))


def _begun(way: _Way, found: Sequence[Found]) -> tuple[Envelope, Capsule] | None:
    """The contribution of these very files that was begun and has no date yet, sealed again."""
    for item in found:
        if not item.capsule.proof:
            envelope = way.seal(item.keys)
            if envelope.pre == item.capsule.pre:
                return envelope, item.capsule
    return None


def _go_on(way: _Way, envelope: Envelope, shelved: Capsule) -> Sent | None:
    """Send what was begun before; None if it can only be sent as a new contribution.

    So it is if its date is too old by now, its slot is full, or the door holds it already and
    signed for the header of a process that is gone, which we cannot check any more.
    """
    try:
        return _send(way, envelope, shelved)
    except (RefusedError, UnverifiedError) as error:
        number = envelope.keys.number
        way.report(f"contribution {number} cannot be gone on with: {error.message}")
        return None


def _send(way: _Way, envelope: Envelope, shelved: Capsule | None = None) -> Sent:
    """Commit and deliver; `shelved` is what the envelope's slot holds already."""
    keys, record = envelope.keys, format_record(envelope.record)
    way.report(f"sealed here: {envelope.record.number('size')} bytes, all padding included")
    capsule = Capsule(record=record, pre=envelope.pre)
    if capsule != shelved:
        way.door.shelve(keys.slot(), seal_capsule(capsule, keys, way.random_bytes))
    proof, receipt = commit(way.programme, way.door, record)
    way.report("committed 32 bytes: the date is fixed, and nobody has read anything")
    dated = replace(capsule, proof=proof)
    with suppress(RefusedError):  # somebody filled our slot: the record is in it, and that is
        # enough, since the proof can be had from the log or any mirror of it
        way.door.shelve(keys.slot(), seal_capsule(dated, keys, way.random_bytes))
    deliver(way.door, envelope, record, proof, way.state)
    way.report("delivered; the door has signed for it")
    return Sent(number=keys.number, record=record, proof=proof, receipt=receipt)


def commit(programme: Programme, door: Door, record: bytes) -> tuple[bytes, Receipt]:
    """Have the record dated through the door; returns the proof and the verified receipt."""
    proof = door.commit(record_hash(record))
    receipt = verify_receipt(record, proof, programme.policy, programme.ledger_origin)
    return proof, receipt


def deliver(
    door: Door, envelope: Envelope, record: bytes, proof: bytes, state: GazetteState
) -> bytes:
    """Hand over header and payload, from where the door says it stopped; returns its receipt.

    The header is not committed to, so only the door's signature binds it: whoever could put
    another in its place would make a good tip unreadable.

    Raises:
        UnverifiedError: the door's signed answer speaks of something else.
    """
    offset = door.open_delivery(record, proof, envelope.header)
    position = 0
    for piece in _pieces(envelope.payload()):
        if position + len(piece) > offset:
            door.append(record, max(position, offset), piece[max(0, offset - position) :])
        position += len(piece)
    answer = door.finish_delivery(record)
    signed = parse_signed(answer, "delivery")
    delivery = verify_signer(signed, state.programme.key("server"))
    ours = {
        "programme": state.programme_hash,
        "record": record_hash(record),
        "header": hashlib.sha256(envelope.header).digest(),
    }
    for field, due in ours.items():
        if delivery.hash(field) != due:
            raise UnverifiedError(f"the door signed for another {field} than ours")
    return answer


def _pieces(chunks: Iterator[bytes]) -> Iterator[bytes]:
    buffer = bytearray()
    for chunk in chunks:
        buffer += chunk
        if len(buffer) >= PIECE_BYTES:
            yield bytes(buffer)
            buffer.clear()
    if buffer:
        yield bytes(buffer)
