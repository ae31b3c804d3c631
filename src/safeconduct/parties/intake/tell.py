"""The form without JavaScript: the door seals for the source, in memory, and forgets.

For that moment the door sees words and text; the record says `sealed-by server`, and the page
says so before anything is typed. Nothing else differs: date, receipt, replies and claims are
those of a tip that was sealed at home.

Spec: docs/3-protocol.md §14.
"""

import hashlib
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass

from safeconduct.errors import MalformedError, RefusedError
from safeconduct.parties.intake.accept import Intake, append, check_announced, commit, finish
from safeconduct.parties.intake.store import Announced
from safeconduct.protocol.canonical import format_base64
from safeconduct.protocol.capsule import (
    Capsule,
    Found,
    find_capsules,
    seal_capsule,
    with_proof,
)
from safeconduct.protocol.envelope import MESSAGE_NAME, Envelope, Source, seal_envelope
from safeconduct.protocol.gazette import address_at
from safeconduct.protocol.keys import ContributionKeys, contribution_keys, master_key
from safeconduct.protocol.receipt import Receipt, slim_proof, verify_receipt
from safeconduct.protocol.record import format_record, record_hash
from safeconduct.protocol.reply import Reply, find_replies

TEXT_CHARS_MAX = 100_000
FORM_BYTES_MAX = 24 << 20
PIECE_BYTES = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A server-sealed tip that is dated and held; all of it is public data."""

    record: bytes
    proof: bytes
    receipt: Receipt


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """One contribution of the words that were typed, and the replies to it."""

    number: int
    capsule: Capsule
    receipt: Receipt | None
    replies: tuple[Reply, ...]


def tell(intake: Intake, entropy: bytes, text: str, files: Iterable[tuple[str, bytes]]) -> Told:
    """Seal, date and keep what was typed and attached.

    Raises:
        MalformedError: nothing was written, or far too much.
        UnavailableError: the log or its quorum is away; trying again with the same words is
        safe.
    """
    sources = _sources(text, files)
    address = address_at(intake.gazette().state, intake.seconds())
    keys = _found(intake, entropy)[1]
    envelope = seal_envelope(sources, address, keys, intake.random_bytes, sealed_by="server")
    record = format_record(envelope.record)
    capsule = Capsule(
        record=record,
        pre=envelope.pre,
        nonce=envelope.nonce,
        headers=(hashlib.sha256(envelope.header).digest(),),
    )
    _shelve(intake, keys, capsule)
    proof = commit(intake, record_hash(record))
    receipt = verify_receipt(
        record, proof, intake.programme.policy, intake.programme.ledger_origin
    )
    with suppress(RefusedError):  # somebody filled the slot: the capsule is in it already, and
        # the log gives the proof again
        _shelve(intake, keys, _with_proof(intake, capsule, proof))
    _keep(intake, envelope, record, proof)
    return Told(record=record, proof=proof, receipt=receipt)


def _sources(text: str, files: Iterable[tuple[str, bytes]]) -> list[Source]:
    body = text.strip()
    attached = [_in_memory(name, data) for name, data in files]
    if not body and not attached:
        raise MalformedError("nothing was written", hint="write something, or add a file")
    if len(body) > TEXT_CHARS_MAX:
        raise MalformedError(f"the text is longer than {TEXT_CHARS_MAX} characters")
    message = (body + "\n").encode("utf-8")
    return [_in_memory(MESSAGE_NAME, message), *attached]


def _in_memory(name: str, data: bytes) -> Source:
    return Source(name=name, read=lambda: [data])


def _shelve(intake: Intake, keys: ContributionKeys, capsule: Capsule) -> None:
    intake.store.shelve(keys.slot(), seal_capsule(capsule, keys, intake.random_bytes))


def _with_proof(intake: Intake, capsule: Capsule, proof: bytes) -> Capsule:
    """The capsule with its proof; with a slim one, if the whole has no room."""
    dated = with_proof(capsule, proof)
    if dated.proof:
        return dated
    policy, ledger = intake.programme.policy, intake.programme.ledger_origin
    return with_proof(capsule, slim_proof(capsule.record, proof, policy, ledger))


def _keep(intake: Intake, envelope: Envelope, record: bytes, proof: bytes) -> None:
    """The same three steps as for an envelope that comes over the network."""
    announced = Announced(record=record, proof=proof, header=envelope.header)
    digest = record_hash(record)
    offset = intake.store.announce(announced, check_announced(intake, announced))
    position = 0
    for piece in _pieces(envelope):
        if position + len(piece) > offset:
            append(intake, digest, position, piece)
        position += len(piece)
    finish(intake, digest)


def _pieces(envelope: Envelope) -> Iterable[bytes]:
    buffer = bytearray()
    for chunk in envelope.payload():
        buffer += chunk
        if len(buffer) >= PIECE_BYTES:
            yield bytes(buffer)
            buffer.clear()
    yield bytes(buffer)


def read_mail(intake: Intake, entropy: bytes) -> tuple[Mail, ...]:
    """What these words sent and were answered; nothing for words that nobody used.

    Slots and tags are looked up one by one: this door was given the words, so fetching all
    would hide nothing from it, and cost a copy of the shelf for each visitor.
    """
    found, _ = _found(intake, entropy)
    replies = find_replies(intake.store.block, [item.keys for item in found])
    return tuple(
        Mail(
            number=item.keys.number,
            capsule=item.capsule,
            receipt=_receipt(intake, item.capsule),
            replies=tuple(reply for keys, _, reply in replies if keys == item.keys),
        )
        for item in found
    )


def _found(intake: Intake, entropy: bytes) -> tuple[tuple[Found, ...], ContributionKeys]:
    master = master_key(entropy, intake.programme.hash)
    return find_capsules(
        intake.store.versions, lambda number: contribution_keys(master, number)
    )


def _receipt(intake: Intake, capsule: Capsule) -> Receipt | None:
    if not capsule.proof:
        return None
    return verify_receipt(
        capsule.record, capsule.proof, intake.programme.policy, intake.programme.ledger_origin
    )


def receipt_text(record: bytes, proof: bytes) -> tuple[str, str]:
    """Record and proof as `data:` addresses, which a page without JavaScript can save."""
    return _data_address(record), _data_address(proof)


def _data_address(data: bytes) -> str:
    return f"data:application/octet-stream;base64,{format_base64(data)}"
