"""Recipients and identities of all kinds: their text forms, and who opens which header.

Spec: C2SP age, "Native recipient types".
"""

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import TypeAlias

from safeconduct.errors import MalformedError
from safeconduct.protocol.age import hybrid, x25519
from safeconduct.protocol.age.bech32 import format_bech32, parse_bech32
from safeconduct.protocol.age.failures import NoIdentityMatchError
from safeconduct.protocol.age.file_key import RandomBytes
from safeconduct.protocol.age.header import Header, Stanza, verify_mac
from safeconduct.protocol.age.hybrid import HybridIdentity, HybridRecipient
from safeconduct.protocol.age.scrypt import ScryptIdentity, ScryptRecipient
from safeconduct.protocol.age.x25519 import X25519Identity, X25519Recipient

# A desk reads the recipient of one source several times over; checking a hybrid key takes as
# long as opening a small tip. Recipients are public, so what is kept tells nothing.
RECIPIENTS_KEPT = 16

PublicRecipient: TypeAlias = X25519Recipient | HybridRecipient
SecretIdentity: TypeAlias = X25519Identity | HybridIdentity
Recipient: TypeAlias = PublicRecipient | ScryptRecipient
Identity: TypeAlias = SecretIdentity | ScryptIdentity


def wrap(file_key: bytes, recipient: Recipient, random_bytes: RandomBytes) -> Stanza:
    """A stanza from which `recipient`, and nobody else, gets the 16-byte `file_key`.

    Raises:
        MalformedError: the recipient's public key is invalid.
    """
    return recipient.wrap(file_key, random_bytes)


def unwrap(header: Header, identities: Iterable[Identity]) -> bytes:
    """The 16-byte file key of a header whose MAC holds.

    Raises:
        MalformedError: a stanza of an identity's kind is malformed, or a scrypt stanza does
            not stand alone.
        NoIdentityMatchError: none of the identities opens any stanza.
        HeaderMacError: one does, but the header has been changed.
    """
    _check_scrypt_alone(header)
    for identity in identities:
        file_key = _first_opened(header, identity)
        if file_key is not None:
            verify_mac(header, file_key)
            return file_key
    raise NoIdentityMatchError("no identity at hand opens this age file")


def check_mix(recipients: Sequence[Recipient]) -> None:
    """Refuse a set of recipients that would undo what one of them stands for.

    One X25519 stanza next to a hybrid one gives up post-quantum secrecy, and a passphrase next
    to anything gives up that who knows it must have written the file.

    Raises:
        ValueError: none, several kinds, or several passphrases.
    """
    kinds = {recipient.kind for recipient in recipients}
    if len(kinds) != 1 or (ScryptRecipient.kind in kinds and len(recipients) > 1):
        raise ValueError("an age file needs recipients of one kind, or a single passphrase")


def format_recipient(recipient: PublicRecipient) -> str:
    """`age1...` or `age1pq1...`."""
    return format_bech32(recipient.prefix, recipient.public)


@lru_cache(maxsize=RECIPIENTS_KEPT)
def parse_recipient(text: str) -> PublicRecipient:
    """The recipient that `text` is the canonical form of.

    Raises:
        MalformedError: not Bech32, an unknown kind, or not a public key one can seal to.
    """
    prefix, public = parse_bech32(text)
    if prefix not in _RECIPIENTS:
        raise MalformedError("not an age1... or age1pq1... recipient")
    return _RECIPIENTS[prefix](public)


def format_identity(identity: SecretIdentity) -> str:
    """`AGE-SECRET-KEY-1...` or `AGE-SECRET-KEY-PQ-1...`: a secret, to be kept as one."""
    return format_bech32(identity.prefix, identity.seed).upper()


def parse_identity(text: str) -> SecretIdentity:
    """The identity that `text` is the canonical form of.

    Raises:
        MalformedError: not Bech32, an unknown kind, or not 32 bytes; never with the text in it.
    """
    prefix, seed = parse_bech32(text)
    if prefix not in _IDENTITIES:
        raise MalformedError("not an AGE-SECRET-KEY-1... or AGE-SECRET-KEY-PQ-1... identity")
    if len(seed) != hybrid.SEED_BYTES:
        raise MalformedError(f"age identity is not {hybrid.SEED_BYTES} bytes")
    return _IDENTITIES[prefix](seed)


def _first_opened(header: Header, identity: Identity) -> bytes | None:
    for stanza in header.stanzas:
        if stanza.kind == identity.kind:
            file_key = identity.unwrap(stanza)
            if file_key is not None:
                return file_key
    return None


def _check_scrypt_alone(header: Header) -> None:
    kinds = [stanza.kind for stanza in header.stanzas]
    if ScryptRecipient.kind in kinds and len(kinds) > 1:
        raise MalformedError("scrypt stanza must stand alone in its header")


def _x25519_recipient(public: bytes) -> X25519Recipient:
    x25519.check_public(public)
    return X25519Recipient(public=public)


def _hybrid_recipient(public: bytes) -> HybridRecipient:
    hybrid.check_public(public)
    return HybridRecipient(public=public)


_RECIPIENTS: dict[str, Callable[[bytes], PublicRecipient]] = {
    X25519Recipient.prefix: _x25519_recipient,
    HybridRecipient.prefix: _hybrid_recipient,
}
_IDENTITIES: dict[str, Callable[[bytes], SecretIdentity]] = {
    X25519Identity.prefix: x25519.x25519_identity,
    HybridIdentity.prefix: hybrid.hybrid_identity,
}
