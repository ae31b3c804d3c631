"""The age v1 file format, as far as sealed tips and replies need it.

    header  | who may open it: the 16-byte file key, wrapped once per recipient
    nonce   | 16 bytes
    payload | STREAM of 64 KiB chunks under a key from file key and nonce

Written here rather than borrowed, because file keys as arguments, single-stanza headers,
header swaps and post-quantum recipients are what the envelope is about, and no Python library
offers them. Everything is pure: chance comes in as `random_bytes(n)`, content as iterables of
bytes of any size. It reads and writes what the `age` tool does, in the binary and in the
armored form.

`seal` and `open_` make and read whole files; `seal_header`, `seal_stream`, `unwrap` and
`open_stream` are their halves, for a caller that brings its own file key; `swap_header` gives
a sealed payload to another reader. The narrow errors stand in `failures`.

Spec: C2SP age (https://age-encryption.org/v1), without plugins and tagged recipients.
"""

from safeconduct.protocol.age.armor import armored, dearmored, unarmored
from safeconduct.protocol.age.file import (
    open_,
    seal,
    seal_header,
    seal_provable_header,
    single_stanza,
    swap_header,
    swapped,
    verify_provable_header,
)
from safeconduct.protocol.age.file_key import FILE_KEY_BYTES, RandomBytes
from safeconduct.protocol.age.header import (
    HEADER_BYTES_MAX,
    Header,
    Stanza,
    format_header,
    parse_header,
    split_header,
)
from safeconduct.protocol.age.hybrid import HybridIdentity, HybridRecipient, hybrid_identity
from safeconduct.protocol.age.recipients import (
    Identity,
    PublicRecipient,
    Recipient,
    SecretIdentity,
    format_identity,
    format_recipient,
    parse_identity,
    parse_recipient,
    unwrap,
    wrap,
)
from safeconduct.protocol.age.scrypt import ScryptIdentity, ScryptRecipient
from safeconduct.protocol.age.stream import NONCE_BYTES, open_stream, seal_stream, sealed_bytes
from safeconduct.protocol.age.x25519 import X25519Identity, X25519Recipient, x25519_identity

__all__ = [
    "FILE_KEY_BYTES",
    "HEADER_BYTES_MAX",
    "NONCE_BYTES",
    "Header",
    "HybridIdentity",
    "HybridRecipient",
    "Identity",
    "PublicRecipient",
    "RandomBytes",
    "Recipient",
    "ScryptIdentity",
    "ScryptRecipient",
    "SecretIdentity",
    "Stanza",
    "X25519Identity",
    "X25519Recipient",
    "armored",
    "dearmored",
    "format_header",
    "format_identity",
    "format_recipient",
    "hybrid_identity",
    "open_",
    "open_stream",
    "parse_header",
    "parse_identity",
    "parse_recipient",
    "seal",
    "seal_header",
    "seal_provable_header",
    "seal_stream",
    "sealed_bytes",
    "single_stanza",
    "split_header",
    "swap_header",
    "swapped",
    "unarmored",
    "unwrap",
    "verify_provable_header",
    "wrap",
    "x25519_identity",
]
