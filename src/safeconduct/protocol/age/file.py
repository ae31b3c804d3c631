"""A whole age file: seal it, open it, or give it to another reader by a new header.

The payload never depends on who may read it. Rewrapping its file key is all it takes to pass
a file on, and a payload that was committed to stays as it is.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

from safeconduct.errors import MalformedError, UnverifiedError
from safeconduct.protocol.age.file_key import FILE_KEY_BYTES, RandomBytes
from safeconduct.protocol.age.header import (
    Header,
    Stanza,
    format_header,
    make_header,
    split_header,
)
from safeconduct.protocol.age.recipients import (
    Identity,
    Recipient,
    check_mix,
    unwrap,
    wrap,
)
from safeconduct.protocol.age.stream import NONCE_BYTES, open_stream, seal_stream
from safeconduct.protocol.age.x25519 import X25519Recipient


def seal(
    recipients: Sequence[Recipient], chunks: Iterable[bytes], random_bytes: RandomBytes
) -> Iterator[bytes]:
    """An age file of `chunks` under a fresh file key, for `recipients` of one kind.

    Raises:
        MalformedError: a recipient's public key is invalid. Nothing has been sealed then.
        ValueError: no recipient, or a mix that is not allowed.
    """
    file_key = random_bytes(FILE_KEY_BYTES)
    header = seal_header(file_key, recipients, random_bytes)
    return chain([header], seal_stream(file_key, random_bytes(NONCE_BYTES), chunks))


def open_(identities: Iterable[Identity], chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The content of an age file; the header is checked before this returns.

    The content counts only once the iterator has ended: see `open_stream` for its errors.

    Raises:
        MalformedError: the header is malformed.
        NoIdentityMatchError: it is not for any of `identities`.
        HeaderMacError: it has been changed.
    """
    header, payload = split_header(chunks)
    return open_stream(unwrap(header, identities), payload)


def seal_header(
    file_key: bytes, recipients: Sequence[Recipient], random_bytes: RandomBytes
) -> bytes:
    """The header that lets `recipients` of one kind open the payload under `file_key`.

    Raises:
        MalformedError: a recipient's public key is invalid.
        ValueError: no recipient, or a mix that is not allowed.
    """
    check_mix(recipients)
    stanzas = [wrap(file_key, recipient, random_bytes) for recipient in recipients]
    return format_header(make_header(stanzas, file_key))


def seal_provable_header(file_key: bytes, recipient: X25519Recipient) -> bytes:
    """The one header for `recipient` alone that follows from the 16-byte `file_key`.

    Raises:
        MalformedError: the recipient's public key is invalid.

    Spec: docs/3-protocol.md §7.4.
    """
    return format_header(make_header([recipient.wrap_provably(file_key)], file_key))


def verify_provable_header(header: bytes, file_key: bytes, recipient: X25519Recipient) -> None:
    """Check, with the file key, that `recipient` was given this very key, and by no other way.

    Raises:
        UnverifiedError: `header` is not the one that `seal_provable_header` makes.
    """
    if header != seal_provable_header(file_key, recipient):
        raise UnverifiedError("age header does not follow from the file key and its recipient")


def swapped(
    identity: Identity,
    recipient: Recipient,
    chunks: Iterable[bytes],
    random_bytes: RandomBytes,
) -> Iterator[bytes]:
    """An age file with a header for `recipient` alone, over the same payload as it stands.

    The header is checked before this returns. The payload is passed on without a look into
    it: a damaged one stays damaged.

    Raises:
        MalformedError, NoIdentityMatchError, HeaderMacError: as `swap_header`.
    """
    header, payload = split_header(chunks)
    return chain([swap_header(header, identity, recipient, random_bytes)], payload)


def swap_header(
    header: Header, identity: Identity, recipient: Recipient, random_bytes: RandomBytes
) -> bytes:
    """A header for `recipient` alone, in place of one that `identity` opens; same payload.

    Raises:
        MalformedError: the old header or the new recipient is malformed.
        NoIdentityMatchError: `identity` does not open the old header.
        HeaderMacError: the old header has been changed.
    """
    return seal_header(unwrap(header, [identity]), [recipient], random_bytes)


def single_stanza(header: Header) -> Stanza:
    """The one stanza of `header`.

    Several stanzas may wrap several keys, so that two readers of one file read two contents.

    Raises:
        MalformedError: there are more.
    """
    if len(header.stanzas) != 1:
        raise MalformedError(f"header has {len(header.stanzas)} stanzas where one is allowed")
    return header.stanzas[0]
