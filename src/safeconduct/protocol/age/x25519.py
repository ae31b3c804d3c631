"""The X25519 recipient: every age tool reads it, but a quantum computer would too.

    -> X25519 base64(ephemeral share, 32 bytes)
    base64(file key under the wrap key, 32 bytes)

Spec: C2SP age, "The X25519 recipient type"; RFC 7748.
"""

from dataclasses import dataclass, field
from typing import ClassVar

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from safeconduct.errors import MalformedError
from safeconduct.protocol.age.file_key import RandomBytes, hkdf, open_file_key, seal_file_key
from safeconduct.protocol.age.header import Stanza, check_shape, format_unpadded, parse_unpadded
from safeconduct.protocol.canonical import tag

KEY_BYTES = 32

_INFO = b"age-encryption.org/v1/X25519"
_PROVABLE = tag("age-x25519-eph")


@dataclass(frozen=True, slots=True, kw_only=True)
class X25519Recipient:
    """A public key of 32 bytes, written `age1...`."""

    kind: ClassVar[str] = "X25519"
    prefix: ClassVar[str] = "age"
    public: bytes

    def wrap(self, file_key: bytes, random_bytes: RandomBytes) -> Stanza:
        """A stanza that this recipient alone can open, from one draw of 32 random bytes.

        Raises:
            MalformedError: the public key is a point of low order, which everybody can open.
        """
        return self._wrap_with(random_bytes(KEY_BYTES), file_key)

    def wrap_provably(self, file_key: bytes) -> Stanza:
        """The one stanza that follows from `file_key` and this recipient, without chance.

        Who is shown the file key later can make it again, and so see that it was well formed.
        `file_key` must be 16 bytes of full entropy: who guesses it can test the guess.

        Raises:
            MalformedError: the public key is a point of low order.

        Spec: docs/3-protocol.md §7.4.
        """
        return self._wrap_with(hkdf(file_key, self.public, _PROVABLE), file_key)

    def _wrap_with(self, ephemeral: bytes, file_key: bytes) -> Stanza:
        share = public_key(ephemeral)
        wrap_key = _wrap_key(exchange(ephemeral, self.public), share, self.public)
        return Stanza(
            kind=self.kind,
            arguments=(format_unpadded(share),),
            body=seal_file_key(wrap_key, file_key),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class X25519Identity:
    """A secret key of 32 bytes, written `AGE-SECRET-KEY-1...`; its repr does not show it."""

    kind: ClassVar[str] = X25519Recipient.kind
    prefix: ClassVar[str] = "AGE-SECRET-KEY-"
    seed: bytes = field(repr=False)

    def recipient(self) -> X25519Recipient:
        """The public half."""
        return X25519Recipient(public=public_key(self.seed))

    def unwrap(self, stanza: Stanza) -> bytes | None:
        """The file key, or None if this X25519 stanza is meant for somebody else.

        Raises:
            MalformedError: wrong shape, a share that is not canonical, or one of low order.
        """
        check_shape(stanza, arguments=1)
        share = parse_unpadded(stanza.arguments[0], KEY_BYTES, "X25519 share")
        shared = exchange(self.seed, share)
        return open_file_key(_wrap_key(shared, share, public_key(self.seed)), stanza.body)


def x25519_identity(seed: bytes) -> X25519Identity:
    """The identity whose secret is `seed`, 32 bytes of full entropy."""
    assert len(seed) == KEY_BYTES
    return X25519Identity(seed=seed)


def public_key(secret: bytes) -> bytes:
    """The 32-byte share of a 32-byte secret."""
    return X25519PrivateKey.from_private_bytes(secret).public_key().public_bytes_raw()


def exchange(secret: bytes, share: bytes) -> bytes:
    """The 32 bytes that `secret` and the owner of `share` have in common.

    Raises:
        MalformedError: `share` is of low order, so that the result would be all zeros.
    """
    try:
        other = X25519PublicKey.from_public_bytes(share)
        return X25519PrivateKey.from_private_bytes(secret).exchange(other)
    except ValueError as error:
        raise MalformedError("X25519 key or share is a point of low order") from error


def check_public(public: bytes) -> None:
    """Refuse 32 bytes to which nothing can be sealed.

    Raises:
        MalformedError: wrong size, or a point of low order.
    """
    if len(public) != KEY_BYTES:
        raise MalformedError(f"X25519 public key is not {KEY_BYTES} bytes")
    # Any secret will do: a point of low order gives zeros, and an error, with each of them.
    exchange(bytes(KEY_BYTES), public)


def _wrap_key(shared: bytes, share: bytes, recipient: bytes) -> bytes:
    return hkdf(shared, share + recipient, _INFO)
