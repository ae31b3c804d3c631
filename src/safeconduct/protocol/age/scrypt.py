"""The scrypt recipient: a passphrase. A stanza of this kind stands alone in its header.

    -> scrypt base64(salt, 16 bytes) 18                    18: 2^18 blocks of 1 KiB of memory
    base64(file key under the wrap key, 32 bytes)

Spec: C2SP age, "The scrypt recipient type"; RFC 7914.
"""

import re
from dataclasses import dataclass, field
from typing import ClassVar

from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from safeconduct.errors import MalformedError
from safeconduct.protocol.age.file_key import RandomBytes, open_file_key, seal_file_key
from safeconduct.protocol.age.header import Stanza, check_shape, format_unpadded, parse_unpadded

SALT_BYTES = 16
WORK_FACTOR = 18
WORK_FACTOR_MAX = 22

_LABEL = b"age-encryption.org/v1/scrypt"
_WORK_FACTOR = re.compile(r"[1-9][0-9]?")


@dataclass(frozen=True, slots=True, kw_only=True)
class ScryptRecipient:
    """A passphrase to seal with, and log2 of the work: 18 takes about 1 s and 256 MiB."""

    kind: ClassVar[str] = "scrypt"
    passphrase: str = field(repr=False)
    work_factor: int = WORK_FACTOR

    def wrap(self, file_key: bytes, random_bytes: RandomBytes) -> Stanza:
        """A stanza that the passphrase opens, from one draw of 16 random bytes of salt."""
        salt = random_bytes(SALT_BYTES)
        wrap_key = _wrap_key(self.passphrase, salt, self.work_factor)
        return Stanza(
            kind=self.kind,
            arguments=(format_unpadded(salt), str(self.work_factor)),
            body=seal_file_key(wrap_key, file_key),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ScryptIdentity:
    """A passphrase to open with, and the most work a header may ask of us (22: 4 GiB)."""

    kind: ClassVar[str] = ScryptRecipient.kind
    passphrase: str = field(repr=False)
    work_factor_max: int = WORK_FACTOR_MAX

    def unwrap(self, stanza: Stanza) -> bytes | None:
        """The file key, or None if the passphrase is another one.

        Raises:
            MalformedError: wrong shape, or a work factor not canonical or above the maximum.
        """
        check_shape(stanza, arguments=2)
        salt = parse_unpadded(stanza.arguments[0], SALT_BYTES, "scrypt salt")
        work_factor = _parse_work_factor(stanza.arguments[1], self.work_factor_max)
        return open_file_key(_wrap_key(self.passphrase, salt, work_factor), stanza.body)


def _parse_work_factor(text: str, most: int) -> int:
    if not _WORK_FACTOR.fullmatch(text) or int(text) > most:
        raise MalformedError(f"scrypt work factor is not a plain number from 1 to {most}")
    return int(text)


def _wrap_key(passphrase: str, salt: bytes, work_factor: int) -> bytes:
    scrypt = Scrypt(salt=_LABEL + salt, length=32, n=1 << work_factor, r=8, p=1)
    return scrypt.derive(passphrase.encode("utf-8"))
