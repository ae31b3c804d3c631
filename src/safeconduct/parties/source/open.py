"""Open one tip to somebody: whole with its file key, or some of its files.

    words ── nonce in the capsule ── file key        the whole tip, without its files at hand
    words and the same files                         the sealed bytes made again, beside it
    words and the same files                         some of them, each in clear

What is handed over is a folder. Nothing in it opens any other tip of these words.

Spec: docs/3-protocol.md §25.
"""

import hashlib
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from safeconduct.errors import RefusedError
from safeconduct.parties.source.inbox import Contribution
from safeconduct.plumbing.durable import make_folder, write_secret, write_stream
from safeconduct.plumbing.handover import handing_over
from safeconduct.plumbing.hashing import Sha256Behind
from safeconduct.protocol.address import Address
from safeconduct.protocol.envelope import Envelope, Source, seal_envelope
from safeconduct.protocol.gazette import GazetteState
from safeconduct.protocol.keys import file_key, key_commitment
from safeconduct.protocol.opening import (
    ITEMS_FOLDER,
    OPENING_FILE,
    PAYLOAD_FILE,
    OpeningBundle,
    ShownItem,
    format_opening,
    select_items,
    sign_source_opening,
)
from safeconduct.protocol.record import Record, parse_record, record_hash
from safeconduct.protocol.tip import TipFile, content_commitment, member_name

RandomBytes = Callable[[int], bytes]
Log = Callable[[bytes], bytes]
"""Has a signed record logged in the Ledger; returns its tlog proof."""

_OTHER_FILES = "give the same files in the same order, and the same --message"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """An opening that can be made; nothing was signed or written for it yet.

    `envelope` is the tip sealed again, to write its payload; `sources` are the files, of which
    those at `places` are shown. Without places the whole tip is.
    """

    contribution: Contribution
    bundle: OpeningBundle
    places: tuple[int, ...] = ()
    sources: tuple[Source, ...] = ()
    envelope: Envelope | None = None


def plan_whole(
    contribution: Contribution,
    sources: Sequence[Source],
    state: GazetteState,
    others: Sequence[Contribution],
    random_bytes: RandomBytes,
) -> Plan:
    """How the whole tip is opened; with its files at hand the payload is made again.

    `others` are these words' contributions: the tip may be one that follows one of them.

    Raises:
        RefusedError: it was burned, is not dated yet, or was sealed from other files.
    """
    bundle = _bundle(contribution)
    record, nonce = parse_record(bundle.record), contribution.capsule.nonce
    key = file_key(contribution.keys, nonce) if nonce else b""
    if key_commitment(nonce, key) != record.hash("keycommit"):
        raise RefusedError(
            "this tip was burned as it was sealed: nobody kept the key that opens it whole",
            hint="with the files at hand, show some of them or all: --item K --files …",
        )
    envelope = None
    if sources:
        envelope = _sealed_again(contribution, record, sources, state, others, random_bytes)
    return Plan(
        contribution=contribution, bundle=replace(bundle, file_key=key), envelope=envelope
    )


def plan_items(
    contribution: Contribution, sources: Sequence[Source], places: Collection[int]
) -> Plan:
    """How the files at `places`, counted from 1, are opened, and no others.

    Raises:
        RefusedError: the desk has not said `ok`, or the tip was sealed from other files.
        MalformedError: no such place.
    """
    if contribution.status != "ok":
        raise RefusedError(
            "single files prove nothing before the desk has acknowledged the tip as ok",
            hint="wait for its answer, or open the whole tip",
        )
    bundle = _bundle(contribution)
    files = _measure(contribution, sources)
    if content_commitment(files) != parse_record(bundle.record).hash("content"):
        raise RefusedError("these are not the files that the tip holds", hint=_OTHER_FILES)
    return Plan(
        contribution=contribution,
        bundle=replace(bundle, items=select_items(files, places)),
        places=tuple(sorted(set(places))),
        sources=tuple(sources),
    )


def hand_over(plan: Plan, purpose: str, out: Path, log: Log | None) -> bytes:
    """Sign the opening, have it logged, and write the folder `out`, whole or not at all.

    Returns the signed opening. Without `log` it stands in no log.

    Raises:
        RefusedError: `out` is there already, or a file changed meanwhile.
        UnavailableError: log or disk stay away.
    """
    contribution = plan.contribution
    record = parse_record(plan.bundle.record)
    with handing_over(out) as folder:
        opening = sign_source_opening(
            contribution.keys,
            contribution.capsule.pre,
            programme=record.hash("programme"),
            record=record_hash(plan.bundle.record),
            purpose=purpose,
            places=plan.places,
        )
        if plan.envelope is not None:
            write_stream(folder / PAYLOAD_FILE, plan.envelope.payload())
        _write_items(folder, plan)
        proof = log(opening) if log else b""
        bundle = replace(plan.bundle, opening=opening, opening_proof=proof)
        write_secret(folder / OPENING_FILE, format_opening(bundle))
    return opening


def _bundle(contribution: Contribution) -> OpeningBundle:
    """What every opening of the tip begins with."""
    capsule, answer = contribution.capsule, contribution.acknowledgement
    if contribution.receipt is None:
        raise RefusedError("this tip has no date yet", hint="wait and ask again")
    return OpeningBundle(
        opening=b"",
        opening_proof=b"",
        record=capsule.record,
        proof=capsule.proof,
        acknowledgement=answer.acknowledgement if answer else b"",
        acknowledgement_proof=answer.proof if answer else b"",
    )


def _measure(contribution: Contribution, sources: Sequence[Source]) -> tuple[TipFile, ...]:
    keys, pre = contribution.keys, contribution.capsule.pre
    return tuple(
        _file(source, keys.item_salt(pre, place))
        for place, source in enumerate(sources, start=1)
    )


def _file(source: Source, salt: bytes) -> TipFile:
    size, digest = 0, hashlib.sha256()
    for chunk in source.read():
        size += len(chunk)
        digest.update(chunk)
    return TipFile(name=source.name, size=size, sha256=digest.digest(), salt=salt)


def _sealed_again(
    contribution: Contribution,
    record: Record,
    sources: Sequence[Source],
    state: GazetteState,
    others: Sequence[Contribution],
    random_bytes: RandomBytes,
) -> Envelope:
    """The tip as it was sealed; whether it followed an earlier one stands in no capsule."""
    earlier = [
        (record_hash(other.capsule.record), other.keys.tag_key())
        for other in others
        if other.keys != contribution.keys
    ]
    for follows in (None, *earlier):
        envelope = seal_envelope(
            sources,
            _address(record, state),
            contribution.keys,
            random_bytes,
            sealed_by=record.word("sealed-by"),
            follows=follows,
            sha256=Sha256Behind,
        )
        if envelope.record == record:
            return envelope
        if envelope.pre != contribution.capsule.pre:
            break
    raise RefusedError(
        "these are not the files that the tip was sealed from", hint=_OTHER_FILES
    )


def _address(record: Record, state: GazetteState) -> Address:
    epoch, profile = state.epoch(record.number("epoch")), record.word("profile")
    return Address(
        programme=record.hash("programme"),
        statute=record.hash("statute"),
        epoch=epoch.number,
        certificate=epoch.hash,
        profile=profile,
        recipient=epoch.recipient(profile),
    )


def _write_items(folder: Path, plan: Plan) -> None:
    if not plan.places:
        return
    make_folder(folder / ITEMS_FOLDER, mode=0o700)
    for item in plan.bundle.items:
        if isinstance(item, ShownItem):
            path = folder / ITEMS_FOLDER / member_name(item.place)
            write_stream(path, _unchanged(plan.sources[item.place - 1], item.file))


def _unchanged(source: Source, file: TipFile) -> Iterator[bytes]:
    digest = hashlib.sha256()
    for chunk in source.read():
        digest.update(chunk)
        yield chunk
    if digest.digest() != file.sha256:
        raise RefusedError("a file changed while it was being shown", hint="open it again")
