"""Send a tip: prepare it here, have its date fixed, and only then hand it over.

    prepare   verify statute and desk key in the Gazette; seal; nothing has left this machine
    commit    32 bytes go out and come back dated by the quorum; nobody has read anything
    deliver   header, payload and record follow, in pieces that can be resumed

Whatever is killed at whatever byte: the same words and files go on from there, to the same
contribution. Only a burned one cannot be gone on with, since its key is nobody's.

Spec: docs/3-protocol.md §7, §9, §11, §13.
"""

import hashlib
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from safeconduct.errors import ConflictError, RefusedError, UnverifiedError
from safeconduct.parties.source.door import Door
from safeconduct.plumbing.circuits import DIRECT, Circuits
from safeconduct.plumbing.hashing import Sha256Behind
from safeconduct.plumbing.logs import read_gazette
from safeconduct.plumbing.programme import Programme
from safeconduct.protocol.address import DEFAULT_PROFILE, Address
from safeconduct.protocol.capsule import (
    GAP_LIMIT,
    HEADERS_MAX,
    Capsule,
    Found,
    seal_capsule,
    with_proof,
)
from safeconduct.protocol.envelope import Envelope, Source, seal_envelope
from safeconduct.protocol.gazette import GazetteState, address_at, address_of
from safeconduct.protocol.keys import (
    ContributionKeys,
    attempt_tag,
    contribution_keys,
    master_key,
)
from safeconduct.protocol.receipt import Receipt, slim_proof, verify_receipt
from safeconduct.protocol.record import (
    format_record,
    parse_record,
    parse_signed,
    record_hash,
    verify_signer,
)

PIECE_BYTES = 1 << 20
DELIVERIES_MAX = 3  # attempts, if the door says that it was sent contradicting bytes

Report = Callable[[str], None]
Wait = Callable[[str], None]
"""Called with "capsule" or "deliver" before each contact with the door after the commitment."""


def no_wait(_: str) -> None:
    """Go on at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A tip that is dated and delivered; all of it is public data."""

    number: int
    record: bytes
    proof: bytes
    receipt: Receipt


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """What is delivered: `payload(n)` yields the payload's bytes from byte n on, each time.

    `headers` are the SHA-256 of all headers by which the door may have taken it in.
    """

    record: bytes
    header: bytes
    payload: Callable[[int], Iterator[bytes]]
    headers: Collection[bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Way:
    """What all steps of one sending share."""

    programme: Programme
    door: Door
    state: GazetteState
    address: Address
    seal: Callable[[ContributionKeys, Address], Envelope]
    burn: bool
    random_bytes: Callable[[int], bytes]
    report: Report
    wait: Wait


def send(
    programme: Programme,
    entropy: bytes,
    sources: Sequence[Source],
    *,
    at: int,
    random_bytes: Callable[[int], bytes],
    report: Report,
    number: int = 0,
    profile: str = DEFAULT_PROFILE,
    burn: bool = False,
    follows: tuple[bytes, bytes] | None = None,
    keys: ContributionKeys | None = None,
    wait: Wait = no_wait,
    circuits: Circuits | None = None,
) -> Sent:
    """Seal, commit and deliver `sources` as the next contribution of these words.

    Returns only after the door has answered, signed, that it holds the whole envelope. A
    contribution of the same files that was begun is gone on with; one that was delivered is not
    sent again. `number` is the least number to use, for words that sent more than the door's
    shelf shows. `burn` and `follows` are those of `seal_envelope`. With `keys` it is sealed
    with these, anew each time, and has no number of its own: so is what is no tip.

    Raises:
        UnverifiedError: the Gazette, a proof or the door's answer does not hold.
        RefusedError: there is no open desk key.
        UnavailableError: a server stayed away for too long, or the Gazette it shows is stale;
            trying again is safe.
    """
    ways = circuits or DIRECT
    state = read_gazette(programme, at=at, circuit=ways.of("gazette")).state
    address = address_at(state, at, profile)
    report("statute and desk key are proven by the Gazette")
    way = _Way(
        programme=programme,
        door=Door(programme.door, ways, report),
        state=state,
        address=address,
        seal=lambda keys, to: seal_envelope(
            sources,
            to,
            keys,
            random_bytes,
            burn=burn,
            follows=follows,
            sha256=Sha256Behind,
        ),
        burn=burn,
        random_bytes=random_bytes,
        report=report,
        wait=wait,
    )
    if keys is not None:
        return _send(way, way.seal(keys, address))
    found, free = _numbers(way, entropy, number)
    report(_sent_before(len(found)))
    begun = _begun(way, [item for item in found if item.keys.number >= number], sources)
    sent = _go_on(way, *begun) if begun else None
    return sent or _send(way, way.seal(free, address))


def _sent_before(count: int) -> str:
    """So that a person who knows better notices a door that hides some of them."""
    return f"these words have sent {count} contribution{'' if count == 1 else 's'} before"


def _numbers(
    way: _Way, entropy: bytes, number: int
) -> tuple[tuple[Found, ...], ContributionKeys]:
    """What these words have sent by the door's shelf, and the keys for the next, from `number`.

    The shelf is the door's word. One that shows less than there is would have us use a number
    again, and so show to door and desk that both contributions are by one source.

    Raises:
        RefusedError: no later search for these words would go as far as `number`.
    """
    master = master_key(entropy, way.programme.hash)
    found, free = way.door.search(lambda place: contribution_keys(master, place))
    if number >= free.number + GAP_LIMIT:
        raise RefusedError(
            f"by the shelf the next number is {free.number}: with {number} you would not find"
            " your tip again",
            hint="give a lower --number; if you have sent that many, this door hides them: use"
            " fresh words",
        )
    return found, contribution_keys(master, max(free.number, number))


# What was begun before.


def _begun(
    way: _Way, found: Sequence[Found], sources: Sequence[Source]
) -> tuple[Envelope, Capsule] | None:
    """The contribution of these very files that was begun or delivered, sealed again."""
    if not found:
        return None
    measured = [_measure(source) for source in sources]
    for item in found:
        if attempt_tag(item.keys, measured) == item.capsule.pre:
            if way.burn or not item.capsule.nonce:
                way.report(_burned(item.keys.number))
                continue
            envelope = _sealed_again(way, item)
            if envelope is not None:
                return envelope, item.capsule
    return None


def _burned(number: int) -> str:
    return (
        f"contribution {number} is of the same files, but burning draws a new key each time: "
        "it cannot be gone on with, and the next number is used"
    )


def _measure(source: Source) -> tuple[str, int, bytes]:
    size, digest = 0, hashlib.sha256()
    for chunk in source.read():
        size += len(chunk)
        digest.update(chunk)
    return source.name, size, digest.digest()


def _sealed_again(way: _Way, item: Found) -> Envelope | None:
    """The envelope under its number: once dated, to the desk key that it was dated with.

    None if what is sealed now would be another contribution than the dated one.
    """
    if not item.capsule.proof:
        return way.seal(item.keys, way.address)
    try:
        address = address_of(way.state, parse_record(item.capsule.record, "contribution"))
    except UnverifiedError:
        return None  # of a Gazette that never was, or one that hides an epoch from us
    envelope = way.seal(item.keys, address)
    return envelope if format_record(envelope.record) == item.capsule.record else None


def _go_on(way: _Way, envelope: Envelope, shelved: Capsule) -> Sent | None:
    """Send what was begun before; None if it can only be sent as a new contribution.

    So it is if its date is too old by now, its slot is full, or the door signed for a header
    that its capsule does not name, which we cannot check.
    """
    try:
        return _send(way, _with_held_header(way, envelope, shelved), shelved)
    except (RefusedError, UnverifiedError) as error:
        number = envelope.keys.number
        way.report(f"contribution {number} cannot be gone on with: {error.message}")
        return None


def _with_held_header(way: _Way, envelope: Envelope, shelved: Capsule) -> Envelope:
    """The envelope with the header that the door holds, if it is one of ours.

    A header depends on chance, so we have made another by now. With the one that was announced
    nothing new has to be noted in the capsule.
    """
    if not shelved.proof or shelved.record != format_record(envelope.record):
        return envelope  # nothing was announced yet
    way.wait("deliver")
    held = way.door.held_header(shelved.record)
    if held is not None and hashlib.sha256(held).digest() in shelved.headers:
        return replace(envelope, header=held)
    return envelope


# The way itself.


def _send(way: _Way, envelope: Envelope, shelved: Capsule | None = None) -> Sent:
    """Commit and deliver; `shelved` is what the envelope's slot holds already."""
    number, record = envelope.keys.number, format_record(envelope.record)
    way.report(f"sealed here: {envelope.record.number('size')} bytes, all padding included")
    begun, on_shelf = _capsule(envelope, shelved), shelved
    # Other headers alone may wait until there is a date: none is announced before.
    if shelved is None or (begun.record, begun.nonce) != (shelved.record, shelved.nonce):
        _shelve(way, envelope.keys, begun)
        on_shelf = begun
    proof, receipt = _dated(way, record, begun.proof)
    dated = _with_proof(way.programme, begun, proof)
    if dated != on_shelf:
        way.wait("capsule")
        with suppress(RefusedError):  # somebody filled our slot: the record is in it, and that
            # is enough, since the proof can be had from the log or any mirror of it
            _shelve(way, envelope.keys, dated)
    if dated != on_shelf or not begun.proof:  # else we have just come from asking the door
        way.wait("deliver")
    parcel = Parcel(
        record=record,
        header=envelope.header,
        payload=lambda offset: from_byte(envelope.payload(), offset),
        headers=begun.headers,
    )
    deliver(way.door, parcel, proof, way.state)
    way.report("delivered; the door has signed for it")
    return Sent(number=number, record=record, proof=proof, receipt=receipt)


def first_capsule(envelope: Envelope) -> Capsule:
    """What is shelved before the commitment: all that words cannot derive from themselves."""
    return Capsule(
        record=format_record(envelope.record),
        pre=envelope.pre,
        nonce=b"" if envelope.burned else envelope.nonce,
        headers=(hashlib.sha256(envelope.header).digest(),),
    )


def _capsule(envelope: Envelope, shelved: Capsule | None) -> Capsule:
    """The capsule of an envelope, with the date and the headers it has had so far."""
    capsule = first_capsule(envelope)
    if shelved is None or shelved.record != capsule.record:
        return capsule
    headers, [own] = shelved.headers, capsule.headers
    if own not in headers:
        headers = (*headers, own)[-HEADERS_MAX:]
    return replace(capsule, proof=shelved.proof, headers=headers)


def _with_proof(programme: Programme, capsule: Capsule, proof: bytes) -> Capsule:
    """The capsule with its proof; with a slim one, if the whole has no room."""
    dated = with_proof(capsule, proof)
    if dated.proof:
        return dated
    slim = slim_proof(capsule.record, proof, programme.policy, programme.ledger_origin)
    return with_proof(capsule, slim)


def _shelve(way: _Way, keys: ContributionKeys, capsule: Capsule) -> None:
    way.door.shelve(keys.slot(), seal_capsule(capsule, keys, way.random_bytes))


def _dated(way: _Way, record: bytes, proof: bytes) -> tuple[bytes, Receipt]:
    """The proof and receipt of a record: those it has already, or else of a commitment now."""
    if proof:
        receipt = verify_receipt(
            record, proof, way.programme.policy, way.programme.ledger_origin
        )
        return proof, receipt
    dated = commit(way.programme, way.door, record)
    way.report("committed 32 bytes: the date is fixed, and nobody has read anything")
    return dated


def commit(programme: Programme, door: Door, record: bytes) -> tuple[bytes, Receipt]:
    """Have the record dated through the door; returns the proof and the verified receipt."""
    proof = door.commit(record_hash(record))
    receipt = verify_receipt(record, proof, programme.policy, programme.ledger_origin)
    return proof, receipt


def deliver(door: Door, parcel: Parcel, proof: bytes, state: GazetteState) -> bytes:
    """Hand over header and payload, from where the door says it stopped; returns its receipt.

    The header is not committed to, so only the door's signature binds it: whoever could put
    another in its place would make a good tip unreadable.

    Raises:
        UnverifiedError: the door's signed answer speaks of something else.
        ConflictError: the door keeps saying that it was sent other bytes.
    """
    answer = _handed_over(door, parcel, proof)
    signed = parse_signed(answer, "delivery")
    delivery = verify_signer(signed, state.programme.key("server"))
    ours = {
        "programme": (state.programme_hash,),
        "record": (record_hash(parcel.record),),
        "header": parcel.headers,
    }
    for field, due in ours.items():
        if delivery.hash(field) not in due:
            raise UnverifiedError(f"the door signed for another {field} than ours")
    return answer


def _handed_over(door: Door, parcel: Parcel, proof: bytes) -> bytes:
    """The door's answer to the whole payload.

    A door that was sent other bytes before, by a damaged file or disk, drops what it holds and
    says so; then all is sent again from the beginning.
    """
    for attempt in range(DELIVERIES_MAX):
        offset = door.open_delivery(parcel.record, proof, parcel.header)
        try:
            if offset < parse_record(parcel.record).number("size"):
                for piece in _pieces(parcel.payload(offset)):
                    door.append(parcel.record, offset, piece)
                    offset += len(piece)
            return door.finish_delivery(parcel.record)
        except (ConflictError, UnverifiedError):
            if attempt == DELIVERIES_MAX - 1:
                raise
    raise AssertionError("the last attempt returns or raises")


def from_byte(chunks: Iterator[bytes], offset: int) -> Iterator[bytes]:
    """The chunks from byte `offset` on."""
    for chunk in chunks:
        if len(chunk) > offset:
            yield chunk[offset:]
        offset = max(0, offset - len(chunk))


def _pieces(chunks: Iterator[bytes]) -> Iterator[bytes]:
    buffer = bytearray()
    for chunk in chunks:
        buffer += chunk
        if len(buffer) >= PIECE_BYTES:
            yield bytes(buffer)
            buffer.clear()
    if buffer:
        yield bytes(buffer)
