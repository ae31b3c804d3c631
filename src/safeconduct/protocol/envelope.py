"""The envelope: a tip sealed to the desk as a stock age v1 file, and committed to beforehand.

    header    one stanza to the desk's epoch key; a wrapper that may be replaced
    payload   nonce ‖ STREAM chunks: what the record commits to, for ever

Key and nonce follow from the source's seed and the manifest, which holds the hash of each file:
the same content gives the same bytes, so a retry is no second tip; other content gives another
key and nonce. The record commits to payload, file key, content and author, so an envelope has
one reading and one author.

    pass 1   measure: size, SHA-256 and a fast fingerprint    -> manifest, nonce, file key
    pass 2   fingerprint again, seal, hash, keep each chunk's 16-byte tag        -> record
    pass 3   seal again for delivery; a chunk with another tag than before stays here

Spec: docs/3-protocol.md §7; C2SP age.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol, TypeAlias

from safeconduct.errors import MalformedError
from safeconduct.protocol import age
from safeconduct.protocol.address import PROFILES, Address
from safeconduct.protocol.age.stream import TAG_BYTES, content_bytes
from safeconduct.protocol.keys import (
    FINGERPRINT_KEY_BYTES,
    ContributionKeys,
    attempt_tag,
    file_key,
    fingerprint,
    follow_mac,
    key_commitment,
    payload_nonce,
)
from safeconduct.protocol.opened import open_with_key
from safeconduct.protocol.record import NO_HASH, Record, make_record
from safeconduct.protocol.tip import (
    Follows,
    Manifest,
    TipFile,
    check_file_name,
    container_chunks,
    container_size,
    format_manifest,
    padded_size,
)

HEADER_BYTES_MAX = 4_096
SEALERS = frozenset({"source", "server"})
STATUSES = frozenset({"ok", "mismatch", "unreadable", "duplicate"})
MESSAGE_NAME = "message.txt"
ANSWERS_NAME = "answers.json"  # see `answered`

Reader = Callable[[], Iterable[bytes]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One file to seal. `read` yields its bytes anew each time it is called."""

    name: str
    read: Reader


class Digest(Protocol):
    """A hash in the making, as those of `hashlib`; `update` may return before it has hashed."""

    def update(self, data: bytes, /) -> None:
        """Add bytes."""

    def digest(self) -> bytes:
        """The hash of all bytes so far."""


NewDigest: TypeAlias = Callable[[], Digest]
"""Begins a SHA-256: `hashlib.sha256`, or one that works on another core."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """A sealed contribution; `payload()` yields the payload's bytes anew each time.

    It raises MalformedError, before anything else leaves, if a file changed since the sealing:
    two contents under one key and nonce would betray both.
    """

    record: Record
    header: bytes
    payload: Callable[[], Iterator[bytes]] = field(repr=False)
    keys: ContributionKeys
    pre: bytes
    nonce: bytes
    """The payload's first 16 bytes: with it the words give the file key, unless `burned`."""
    burned: bool = False
    file_key: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Measured:
    """What the first reading of a file found; `mark` stays in memory, and is secret."""

    name: str
    size: int
    sha256: bytes
    mark: bytes = field(repr=False)
    read: Reader


def seal_envelope(
    sources: Sequence[Source],
    address: Address,
    keys: ContributionKeys,
    random_bytes: Callable[[int], bytes],
    *,
    sealed_by: str = "source",
    follows: tuple[bytes, bytes] | None = None,
    burn: bool = False,
    sha256: NewDigest = hashlib.sha256,
) -> Envelope:
    """Seal files to the desk: two passes over them here, a third when the payload is sent.

    Nothing is kept in memory but one chunk, and 16 bytes for each 64 KiB. Only the header may
    depend on chance; record and payload are the same each time.

    `follows` names an earlier contribution of the same source by its record hash and tag key.
    With `burn` nonce and file key are drawn by chance and stand in this object alone: once it
    is gone nobody but the desk can open the payload, whoever has the words, and another sealing
    of the same files is another contribution. Authorship, date and the commitments to the
    files stay provable.

    `sha256` makes the payload's hash, and may put another core to work meanwhile.

    Raises:
        MalformedError: a file name that cannot be used, a file that changes meanwhile, or a
            recipient that does not parse.
    """
    recipient = age.parse_recipient(address.recipient)
    mark_key = random_bytes(FINGERPRINT_KEY_BYTES)
    measured = [_measure(source, mark_key) for source in sources]
    manifest = _manifest(measured, address, keys, follows)
    nonce, envelope_key = _drawn(random_bytes) if burn else _derived(keys, manifest)
    readers = [partial(_as_measured, each, mark_key) for each in measured]

    def seal() -> Iterator[bytes]:
        return age.seal_stream(envelope_key, nonce, container_chunks(manifest, readers))

    payload, tags = _digest_and_tags(seal(), sha256())
    record = _record(manifest, address, keys, sealed_by, payload, (nonce, envelope_key))
    return Envelope(
        record=record,
        header=_header(envelope_key, recipient, random_bytes),
        payload=lambda: _unchanged_since(seal(), tags),
        keys=keys,
        pre=manifest.pre,
        nonce=nonce,
        burned=burn,
        file_key=envelope_key,
    )


def _record(
    manifest: Manifest,
    address: Address,
    keys: ContributionKeys,
    sealed_by: str,
    payload_sha256: bytes,
    nonce_and_key: tuple[bytes, bytes],
) -> Record:
    return make_record(
        "contribution",
        programme=address.programme,
        statute=address.statute,
        epoch=address.epoch,
        certificate=address.certificate,
        profile=address.profile,
        sealed_by=sealed_by,
        size=age.sealed_bytes(container_size(manifest)),
        payload=payload_sha256,
        keycommit=key_commitment(*nonce_and_key),
        content=manifest.content(),
        author=manifest.author,
        identity=keys.derive("identity"),
    )


def _derived(keys: ContributionKeys, manifest: Manifest) -> tuple[bytes, bytes]:
    nonce = payload_nonce(keys, hashlib.sha256(format_manifest(manifest)).digest())
    return nonce, file_key(keys, nonce)


def _drawn(random_bytes: Callable[[int], bytes]) -> tuple[bytes, bytes]:
    return random_bytes(age.NONCE_BYTES), random_bytes(age.FILE_KEY_BYTES)


def _header(
    envelope_key: bytes, recipient: age.PublicRecipient, random_bytes: Callable[[int], bytes]
) -> bytes:
    if isinstance(recipient, age.X25519Recipient):
        return age.seal_provable_header(envelope_key, recipient)
    return age.seal_header(envelope_key, [recipient], random_bytes)


def _digest_and_tags(payload: Iterable[bytes], digest: Digest) -> tuple[bytes, bytes]:
    """The payload's hash, and the last 16 bytes of each of its pieces: nonce, then tags."""
    tags = bytearray()
    for piece in payload:
        digest.update(piece)
        tags += piece[-TAG_BYTES:]
    return digest.digest(), bytes(tags)


def _unchanged_since(payload: Iterable[bytes], tags: bytes) -> Iterator[bytes]:
    """The pieces of a payload as long as they end as they did before.

    A tag authenticates its whole chunk, so other content that has the same tag is as hard to
    find as a forgery, even for who changes the file.
    """
    for place, piece in enumerate(payload):
        if piece[-TAG_BYTES:] != tags[place * TAG_BYTES : (place + 1) * TAG_BYTES]:
            raise MalformedError("a file changed after it was sealed", hint="send it again")
        yield piece


def _manifest(
    measured: Sequence[_Measured],
    address: Address,
    keys: ContributionKeys,
    follows: tuple[bytes, bytes] | None,
) -> Manifest:
    pre = attempt_tag(keys, [(each.name, each.size, each.sha256) for each in measured])
    author = keys.author(pre)
    files = tuple(
        TipFile(
            name=each.name, size=each.size, sha256=each.sha256, salt=keys.item_salt(pre, place)
        )
        for place, each in enumerate(measured, start=1)
    )
    reply = age.hybrid_identity(keys.reply_seed()).recipient()
    return Manifest(
        programme=address.programme,
        statute=address.statute,
        certificate=address.certificate,
        author=author,
        pre=pre,
        reply=age.format_recipient(reply),
        tag_key=keys.tag_key(),
        files=files,
        follows=_follows(follows, author, pre) if follows else None,
    )


def _follows(earlier: tuple[bytes, bytes], author: bytes, pre: bytes) -> Follows:
    record, tag_key = earlier
    return Follows(record=record, mac=follow_mac(tag_key, author, pre))


def _measure(source: Source, mark_key: bytes) -> _Measured:
    size, digest, mark = 0, hashlib.sha256(), fingerprint(mark_key)
    for chunk in source.read():
        size += len(chunk)
        digest.update(chunk)
        mark.update(chunk)
    return _Measured(
        name=check_file_name(source.name),
        size=size,
        sha256=digest.digest(),
        mark=mark.finalize(),
        read=source.read,
    )


def _as_measured(file: _Measured, mark_key: bytes) -> Iterator[bytes]:
    """The file's bytes once more; an error at their end if they are not those measured."""
    mark = fingerprint(mark_key)
    for chunk in file.read():
        mark.update(chunk)
        yield chunk
    if mark.finalize() != file.mark:
        raise MalformedError("a file changed while it was being sealed", hint="send it again")


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
    container = content_bytes(size)
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
