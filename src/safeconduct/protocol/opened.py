"""An envelope's payload opened with its file key: by the desk, or by anybody it was shown to.

A file key opens one envelope and nothing else, so who holds it needs no identity and reads no
header. The auditor recomputes openings with this; keys that open envelopes stay out of reach.

    record ── payload hash, size ── key commitment ── STREAM ── container ── inside = outside

Spec: docs/3-protocol.md §7.4.
"""

import hashlib
from collections.abc import Callable, Iterable

from safeconduct.errors import UnverifiedError
from safeconduct.protocol.age.stream import NONCE_BYTES, open_stream
from safeconduct.protocol.keys import key_commitment
from safeconduct.protocol.record import Record
from safeconduct.protocol.tip import ContainerReader, Manifest, TipFile


def open_with_key(
    record: Record,
    envelope_key: bytes,
    payload: Callable[[], Iterable[bytes]],
    sink: Callable[[TipFile, bytes], None],
) -> Manifest:
    """The manifest of a payload that is, inside and outside, what its record says.

    `payload()` yields the payload's bytes, without a header, and is asked for twice: hashed
    first, opened then. Nothing handed to `sink` counts before this returns.

    Raises:
        MalformedError: the payload or the container does not parse.
        UnverifiedError: the payload or the 16-byte key is not the one that the record commits
            to, or it opens to another author, content, statute, certificate or programme.
    """
    nonce = _check_payload(record, payload())
    if key_commitment(nonce, envelope_key) != record.hash("keycommit"):
        raise UnverifiedError("envelope: the file key is not the one committed to")
    reader = ContainerReader(sink)
    for chunk in open_stream(envelope_key, payload()):
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
        if len(head) < NONCE_BYTES:
            head += chunk[: NONCE_BYTES - len(head)]
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
