"""Send a tip: prepare it here, have its date fixed, and only then hand it over.

    prepare   verify statute and desk key in the Gazette; seal; nothing has left this machine
    commit    32 bytes go out and come back dated by the quorum; nobody has read anything
    deliver   header, payload and record follow, in pieces that can be resumed

Spec: docs/3-protocol.md §7, §9, §13.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from safeconduct.errors import RefusedError, UnverifiedError
from safeconduct.parties.source.door import Door
from safeconduct.plumbing.logs import read_gazette
from safeconduct.plumbing.programme import Programme
from safeconduct.protocol.capsule import Capsule, find_capsules, seal_capsule, split_shelf
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


def send(
    programme: Programme,
    entropy: bytes,
    sources: Sequence[Source],
    *,
    at: int,
    random_bytes: Callable[[int], bytes],
    report: Report,
) -> Sent:
    """Seal, commit and deliver `sources` as the next contribution of these words.

    Returns only after the door has answered, signed, that it holds the whole envelope.

    Raises:
        UnverifiedError: the Gazette, a proof or the door's answer does not hold.
        RefusedError: there is no open desk key.
        UnavailableError: a server stayed away for too long; trying again is safe.
    """
    door = Door(programme.door)
    state = read_gazette(programme).state
    address = address_at(state, at)
    report("statute and desk key are proven by the Gazette")
    keys = _next_keys(programme, entropy, door)
    envelope = seal_envelope(sources, address, keys, random_bytes)
    record = format_record(envelope.record)
    report(f"sealed here: {envelope.record.number('size')} bytes, all padding included")
    capsule = Capsule(record=record, pre=envelope.pre)
    door.shelve(keys.slot(), seal_capsule(capsule, keys, random_bytes))
    proof, receipt = commit(programme, door, record)
    report("committed 32 bytes: the date is fixed, and nobody has read anything")
    dated = replace(capsule, proof=proof)
    with suppress(RefusedError):  # somebody filled our slot: the record is in it, and that is
        # enough, since the proof can be had from the log or any mirror of it
        door.shelve(keys.slot(), seal_capsule(dated, keys, random_bytes))
    deliver(door, envelope, record, proof, state)
    report("delivered; the door has signed for it")
    return Sent(number=keys.number, record=record, proof=proof, receipt=receipt)


def _next_keys(programme: Programme, entropy: bytes, door: Door) -> ContributionKeys:
    master = master_key(entropy, programme.hash)
    shelf = split_shelf(door.shelf())
    _, free = find_capsules(shelf, lambda number: contribution_keys(master, number))
    return free


def commit(programme: Programme, door: Door, record: bytes) -> tuple[bytes, Receipt]:
    """Have the record dated through the door; returns the proof and the verified receipt."""
    proof = door.commit(record_hash(record))
    receipt = verify_receipt(record, proof, programme.policy, programme.ledger_origin)
    return proof, receipt


def deliver(
    door: Door, envelope: Envelope, record: bytes, proof: bytes, state: GazetteState
) -> bytes:
    """Hand over header and payload, from where the door says it stopped; returns its receipt.

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
    if delivery.hash("record") != record_hash(record):
        raise UnverifiedError("the door signed for another tip")
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
