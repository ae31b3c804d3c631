"""Seal on a machine that no network reaches; send from one that never sees the words.

    gazette   online, by anybody      the proven Gazette in one file
    prepare   offline, with words     FOLDER/contribution.record  what will be dated
                                      FOLDER/envelope.age         header ‖ payload, as age reads
                                      FOLDER/capsule              8,192 bytes for the shelf
                                      FOLDER/slot                 where: 32 hex digits LF
    send      online, without words   shelve, commit, deliver

`prepare --file` makes one file of the four instead, a parcel (protocol/parcel.py), which a door
takes from any browser; `send` takes it too.

Nothing in the folder is secret to whoever holds the desk's key, and none of it holds words. But
whoever finds it knows that something was sealed to this desk.

Spec: docs/3-protocol.md §13.1.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from safeconduct.errors import MalformedError, RefusedError, UnverifiedError
from safeconduct.parties.source.door import Door
from safeconduct.parties.source.send import (
    Parcel,
    Report,
    Wait,
    commit,
    deliver,
    first_capsule,
    no_wait,
)
from safeconduct.plumbing.circuits import DIRECT, Circuits
from safeconduct.plumbing.durable import naming, read_file, write_secret, write_stream
from safeconduct.plumbing.handover import handing_over
from safeconduct.plumbing.hashing import Sha256Behind
from safeconduct.plumbing.logs import GazetteView, is_stale, read_gazette
from safeconduct.plumbing.programme import Programme
from safeconduct.protocol import age
from safeconduct.protocol.address import DEFAULT_PROFILE
from safeconduct.protocol.canonical import decode_text, parse_hex
from safeconduct.protocol.capsule import CAPSULE_BYTES, GAP_LIMIT, seal_capsule
from safeconduct.protocol.envelope import (
    HEADER_BYTES_MAX,
    Envelope,
    Source,
    check_contribution,
    check_header,
    seal_envelope,
)
from safeconduct.protocol.gazette import GazetteState, address_at
from safeconduct.protocol.keys import SLOT_BYTES, contribution_keys, master_key
from safeconduct.protocol.parcel import HEAD_BYTES_MAX, ParcelHead, format_head, parse_head
from safeconduct.protocol.receipt import Receipt
from safeconduct.protocol.record import Record, format_record, parse_record
from safeconduct.protocol.statute.instant import format_instant

RECORD_FILE, ENVELOPE_FILE = "contribution.record", "envelope.age"
CAPSULE_FILE, SLOT_FILE = "capsule", "slot"
RECORD_BYTES_MAX = 8_192
SLOT_FILE_BYTES = 2 * SLOT_BYTES + 1
READ_BYTES = 1 << 18

FAR = (
    "warning: your words find number {number} again only if they have sent {least} or more "
    "before. Give --number 0 if they have sent nothing"
)
STALE = (
    "warning: this Gazette is more than a day old. Statute and desk key may have been replaced "
    "since, and the door will not take what is sealed to a closed one. Fetch it anew if you can"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A sealed contribution on the disk, checked as far as it can be without the desk.

    Its payload begins at byte `payload_at` of `file`.
    """

    file: Path
    payload_at: int
    record: Record
    header: bytes
    capsule: bytes
    slot: bytes

    def payload(self, offset: int) -> Iterator[bytes]:
        """The payload's bytes from byte `offset` on."""
        with naming(self.file), open(self.file, "rb") as file:
            file.seek(self.payload_at + offset)
            while piece := file.read(READ_BYTES):
                yield piece


@dataclass(frozen=True, slots=True, kw_only=True)
class SentPrepared:
    """A prepared tip that is dated and delivered; all of it is public data."""

    record: bytes
    proof: bytes
    receipt: Receipt


def prepare(
    programme: Programme,
    view: GazetteView,
    entropy: bytes,
    sources: Sequence[Source],
    out: Path,
    *,
    number: int,
    at: int,
    random_bytes: Callable[[int], bytes],
    report: Report,
    profile: str = DEFAULT_PROFILE,
    burn: bool = False,
    as_file: bool = False,
) -> Envelope:
    """Seal `sources` as contribution `number` of these words, into a new folder or one file.

    Asks nobody anything: `number` has to be one that these words have not used. A Gazette that
    is old is warned of and used, since nothing newer can be had here.

    Raises:
        RefusedError: no desk key is open at `at`, or `out` is there already.
        UnavailableError: the disk refused.
    """
    if is_stale(view.cosigned, at):
        report(STALE)
    address = address_at(view.state, at, profile)
    if number >= GAP_LIMIT:
        report(FAR.format(number=number, least=number - GAP_LIMIT + 1))
    keys = contribution_keys(master_key(entropy, programme.hash), number)
    envelope = seal_envelope(
        sources, address, keys, random_bytes, burn=burn, sha256=Sha256Behind
    )
    capsule = seal_capsule(first_capsule(envelope), keys, random_bytes)
    (_write_parcel if as_file else _write_folder)(out, envelope, keys.slot(), capsule)
    closes = format_instant(view.state.epoch(address.epoch).closes)
    report(f"sealed to desk epoch {address.epoch}: it must be committed before {closes}")
    return envelope


def _write_folder(folder: Path, envelope: Envelope, slot: bytes, capsule: bytes) -> None:
    with handing_over(folder) as filling:
        write_secret(filling / RECORD_FILE, format_record(envelope.record))
        write_secret(filling / CAPSULE_FILE, capsule)
        write_secret(filling / SLOT_FILE, f"{slot.hex()}\n".encode())
        write_stream(filling / ENVELOPE_FILE, _envelope_pieces(envelope))


def _write_parcel(file: Path, envelope: Envelope, slot: bytes, capsule: bytes) -> None:
    if file.exists() or file.is_symlink():
        raise RefusedError(f"{file} is there already", hint="give another name")
    head = ParcelHead(
        record=format_record(envelope.record),
        header=envelope.header,
        slot=slot,
        capsule=capsule,
    )
    write_stream(file, chain([format_head(head)], envelope.payload()))


def _envelope_pieces(envelope: Envelope) -> Iterator[bytes]:
    yield envelope.header
    yield from envelope.payload()


def load_prepared(path: Path) -> Prepared:
    """What lies in the folder or the one file, if its parts belong to each other.

    Raises:
        MalformedError: one of them does not parse, or the header is of another profile.
        UnverifiedError: the payload is not the one that the record commits to.
        UnavailableError: one of them is missing.
    """
    prepared = _load_folder(path) if path.is_dir() else _load_parcel(path)
    _check_payload(prepared)
    return prepared


def _load_parcel(file: Path) -> Prepared:
    parsed = parse_head(_beginning(file, HEAD_BYTES_MAX))
    if parsed is None:
        raise MalformedError(f"{file}: a sealed envelope that was cut short")
    head, end = parsed
    return Prepared(
        file=file,
        payload_at=end,
        record=parse_record(head.record, "contribution"),
        header=head.header,
        capsule=head.capsule,
        slot=head.slot,
    )


def _load_folder(folder: Path) -> Prepared:
    record = parse_record(
        read_file(folder / RECORD_FILE, bytes_max=RECORD_BYTES_MAX), "contribution"
    )
    check_contribution(record)
    header = _read_header(folder / ENVELOPE_FILE, record)
    return Prepared(
        file=folder / ENVELOPE_FILE,
        payload_at=len(header),
        record=record,
        header=header,
        capsule=read_file(folder / CAPSULE_FILE, bytes_max=CAPSULE_BYTES),
        slot=_parse_slot(read_file(folder / SLOT_FILE, bytes_max=SLOT_FILE_BYTES)),
    )


def _beginning(path: Path, bytes_max: int) -> bytes:
    with naming(path):
        # A pipe in its place would have us wait for whoever writes to it.
        if path.is_symlink() or (path.exists() and not path.is_file()):
            raise MalformedError(f"{path}: not a regular file")
        with open(path, "rb") as file:
            return file.read(bytes_max)


def _read_header(path: Path, record: Record) -> bytes:
    head = _beginning(path, HEADER_BYTES_MAX)
    _, end = age.parse_header(head)
    check_header(head[:end], record)
    return head[:end]


def _parse_slot(data: bytes) -> bytes:
    return parse_hex(decode_text(data, "slot").removesuffix("\n"), SLOT_BYTES, "slot")


def _check_payload(prepared: Prepared) -> None:
    digest, size = hashlib.sha256(), 0
    for piece in prepared.payload(0):
        digest.update(piece)
        size += len(piece)
    committed = (prepared.record.hash("payload"), prepared.record.number("size"))
    if (digest.digest(), size) != committed:
        raise UnverifiedError(
            f"{prepared.file}: not the payload that the record commits to",
            hint="copy it again, whole",
        )


def send_prepared(
    programme: Programme,
    path: Path,
    *,
    at: int,
    report: Report,
    wait: Wait = no_wait,
    circuits: Circuits | None = None,
) -> SentPrepared:
    """Shelve, commit and deliver what was prepared; whatever breaks off, it is gone on with.

    Raises:
        RefusedError: its desk key is not open, or its slot holds something else.
        UnverifiedError: the Gazette, the folder, a proof or the door's answer does not hold.
        UnavailableError: a server stayed away for too long; trying again is safe.
    """
    ways = circuits or DIRECT
    prepared = load_prepared(path)
    state = read_gazette(programme, at=at, circuit=ways.of("gazette")).state
    record = format_record(prepared.record)
    door = Door(programme.door, ways, report)
    if not _is_shelved(door, prepared):
        _check_open(state, prepared.record, at)
        door.shelve(prepared.slot, prepared.capsule)
    proof, receipt = commit(programme, door, record)
    report("committed 32 bytes: the date is fixed, and nobody has read anything")
    wait("deliver")
    parcel = Parcel(
        record=record,
        header=prepared.header,
        payload=prepared.payload,
        headers=[hashlib.sha256(prepared.header).digest()],
    )
    deliver(door, parcel, proof, state)
    report("delivered; the door has signed for it")
    return SentPrepared(record=record, proof=proof, receipt=receipt)


def _is_shelved(door: Door, prepared: Prepared) -> bool:
    """Whether the capsule is on the shelf; in a slot that holds others, it must not go."""
    held = door.versions(prepared.slot)
    if held and prepared.capsule not in held:
        raise RefusedError(
            "these words have used this contribution's number before",
            hint="prepare it again with a higher --number",
        )
    return bool(held)


def _check_open(state: GazetteState, record: Record, at: int) -> None:
    """Refuse, before it is dated, what no desk would take."""
    epoch = state.epoch(record.number("epoch"))
    state.statute(record.hash("statute"))
    if epoch.hash != record.hash("certificate"):
        raise UnverifiedError("prepared under another desk certificate than the Gazette's")
    if not epoch.opens <= at < epoch.closes:
        raise RefusedError(
            f"sealed to desk epoch {epoch.number}, which closed {format_instant(epoch.closes)}",
            hint="fetch the Gazette again, and prepare it again with the same --number",
        )
