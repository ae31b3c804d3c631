"""The envelope: a tip sealed to the desk as a stock age v1 file, and committed to beforehand.

    header    one stanza to the desk's epoch key; a wrapper that may be replaced
    payload   nonce ‖ STREAM chunks: what the record commits to, for ever

Key and nonce follow from the source's seed and the content: the same content gives the same
bytes, so a retry is no second tip; other content gives another key and nonce. The record
commits to payload, file key, content and author, so an envelope has one reading and one author.

Spec: docs/3-protocol.md §7; C2SP age.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from safeconduct.errors import MalformedError, UnverifiedError
from safeconduct.protocol import age
from safeconduct.protocol.address import PROFILES, Address
from safeconduct.protocol.age.stream import SEALED_CHUNK_BYTES, TAG_BYTES
from safeconduct.protocol.keys import (
    ContributionKeys,
    attempt_tag,
    file_key,
    key_commitment,
    payload_nonce,
)
from safeconduct.protocol.record import NO_HASH, Record, make_record
from safeconduct.protocol.tip import (
    ContainerReader,
    Manifest,
    TipFile,
    check_file_name,
    container_chunks,
    container_size,
    padded_size,
)

HEADER_BYTES_MAX = 4_096
SEALERS = frozenset({"source", "server"})
STATUSES = frozenset({"ok", "mismatch", "unreadable", "duplicate"})
MESSAGE_NAME = "message.txt"

Reader = Callable[[], Iterable[bytes]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One file to seal. `read` yields its bytes anew each time it is called."""

    name: str
    read: Reader


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """A sealed contribution; `payload()` yields the payload's bytes anew each time."""

    record: Record
    header: bytes
    payload: Callable[[], Iterator[bytes]]
    keys: ContributionKeys
    pre: bytes
    file_key: bytes = field(repr=False)


def seal_envelope(
    sources: Sequence[Source],
    address: Address,
    keys: ContributionKeys,
    random_bytes: Callable[[int], bytes],
    *,
    sealed_by: str = "source",
) -> Envelope:
    """Seal files to the desk: three passes over them here, a fourth when the payload is sent.

    Nothing is kept in memory but one chunk. Only the header depends on chance; record and
    payload are the same each time.

    Raises:
        MalformedError: a file name that cannot be used, a file that changes meanwhile, or a
            recipient that does not parse.
    """
    manifest = _manifest(sources, address, keys)
    readers = [source.read for source in sources]
    digest = hashlib.sha256()
    for chunk in container_chunks(manifest, readers):
        digest.update(chunk)
    nonce = payload_nonce(keys, digest.digest())
    envelope_key = file_key(keys, nonce)

    def payload() -> Iterator[bytes]:
        return age.seal_stream(envelope_key, nonce, container_chunks(manifest, readers))

    payload_digest = hashlib.sha256()
    for chunk in payload():
        payload_digest.update(chunk)
    record = make_record(
        "contribution",
        programme=address.programme,
        statute=address.statute,
        epoch=address.epoch,
        certificate=address.certificate,
        profile=address.profile,
        sealed_by=sealed_by,
        size=age.sealed_bytes(container_size(manifest)),
        payload=payload_digest.digest(),
        keycommit=key_commitment(nonce, envelope_key),
        content=manifest.content(),
        author=manifest.author,
        identity=keys.derive("identity"),
    )
    recipient = age.parse_recipient(address.recipient)
    header = age.seal_header(envelope_key, [recipient], random_bytes)
    return Envelope(
        record=record,
        header=header,
        payload=payload,
        keys=keys,
        pre=manifest.pre,
        file_key=envelope_key,
    )


def _manifest(sources: Sequence[Source], address: Address, keys: ContributionKeys) -> Manifest:
    measured = [_measure(source) for source in sources]
    pre = attempt_tag(keys, measured)
    files = tuple(
        TipFile(name=name, size=size, sha256=sha256, salt=keys.item_salt(pre, place))
        for place, (name, size, sha256) in enumerate(measured, start=1)
    )
    reply = age.hybrid_identity(keys.reply_seed()).recipient()
    return Manifest(
        programme=address.programme,
        statute=address.statute,
        certificate=address.certificate,
        author=keys.author(pre),
        pre=pre,
        reply=age.format_recipient(reply),
        tag_key=keys.tag_key(),
        files=files,
    )


def _measure(source: Source) -> tuple[str, int, bytes]:
    size, digest = 0, hashlib.sha256()
    for chunk in source.read():
        size += len(chunk)
        digest.update(chunk)
    return check_file_name(source.name), size, digest.digest()


def check_header(header: bytes, record: Record) -> None:
    """Check a delivered header from outside: one stanza, of the profile that the record names.

    Raises:
        MalformedError: too long, several stanzas, trailing bytes, or another kind of stanza.
    """
    if len(header) > HEADER_BYTES_MAX:
        raise MalformedError(f"envelope header: longer than {HEADER_BYTES_MAX} bytes")
    parsed, end = age.parse_header(header)
    if end != len(header):
        raise MalformedError("envelope header: bytes after its end")
    kind = age.single_stanza(parsed).kind
    if kind.lower() != record.word("profile"):
        raise MalformedError(f"envelope header: not of profile {record.word('profile')}")


def check_contribution(record: Record) -> None:
    """Check the words and sizes of a contribution record that are fixed by this protocol.

    Raises:
        MalformedError: an unknown profile or sealer, or a size no container is padded to.
    """
    if record.word("profile") not in PROFILES or record.word("sealed-by") not in SEALERS:
        raise MalformedError("contribution record: unknown profile or sealer")
    size = record.number("size")
    inside = size - age.NONCE_BYTES
    container = inside - TAG_BYTES * -(-inside // SEALED_CHUNK_BYTES)
    if container <= 0 or age.sealed_bytes(padded_size(container)) != size:
        raise MalformedError("contribution record: no container is padded to its size")


def open_envelope(
    record: Record,
    header: bytes,
    payload: Callable[[], Iterable[bytes]],
    identities: Sequence[age.SecretIdentity],
    sink: Callable[[TipFile, bytes], None],
) -> Manifest:
    """The manifest of an envelope that is, inside and outside, what its record says.

    `payload()` yields the payload's bytes and is asked for twice: hashed first, opened then.
    Nothing handed to `sink` counts before this returns.

    Raises:
        MalformedError: the header, the payload or the container does not parse.
        UnverifiedError: none of `identities` opens it, or it opens to something other than the
            record commits to (another payload, key, author, content, statute or epoch).
    """
    check_header(header, record)
    parsed, _ = age.parse_header(header)
    return open_with_key(record, age.unwrap(parsed, identities), payload, sink)


def open_with_key(
    record: Record,
    envelope_key: bytes,
    payload: Callable[[], Iterable[bytes]],
    sink: Callable[[TipFile, bytes], None],
) -> Manifest:
    """As `open_envelope`, for somebody to whom the 16-byte file key was revealed.

    Raises:
        MalformedError, UnverifiedError: as `open_envelope`.
    """
    nonce = _check_payload(record, payload())
    if key_commitment(nonce, envelope_key) != record.hash("keycommit"):
        raise UnverifiedError("envelope: the file key is not the one committed to")
    reader = ContainerReader(sink)
    for chunk in age.open_stream(envelope_key, payload()):
        reader.feed(chunk)
    manifest = reader.close()
    _check_inside(record, manifest)
    return manifest


def _check_payload(record: Record, chunks: Iterable[bytes]) -> bytes:
    """The payload's nonce, after checking the payload's hash and size."""
    digest, size, head = hashlib.sha256(), 0, b""
    for chunk in chunks:
        digest.update(chunk)
        size += len(chunk)
        if len(head) < age.NONCE_BYTES:
            head += chunk[: age.NONCE_BYTES - len(head)]
    if digest.digest() != record.hash("payload") or size != record.number("size"):
        raise UnverifiedError("envelope: the payload is not the one committed to")
    return head


def _check_inside(record: Record, manifest: Manifest) -> None:
    inside = {
        "author": manifest.author,
        "content": manifest.content(),
        "statute": manifest.statute,
        "certificate": manifest.certificate,
        "programme": manifest.programme,
    }
    for name, value in inside.items():
        if value != record.hash(name):
            raise UnverifiedError(f"envelope: the {name} inside is not the one outside")


def acknowledgement(
    programme: bytes, record: bytes, status: str, epoch: int, other: bytes = NO_HASH
) -> Record:
    """The desk's answer to a contribution; `other` names the tip it duplicates, if any."""
    assert status in STATUSES
    return make_record(
        "acknowledgement",
        programme=programme,
        record=record,
        status=status,
        other=other,
        epoch=epoch,
    )
