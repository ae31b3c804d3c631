"""Bech32: the text form of age keys.

    age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj
    ^^^^'----------------------------------------------------''----'
    prefix and "1"   data, five bits a character         six of checksum

Unlike Bitcoin's use, age sets no length limit on the data; we set one far above the longest
key. A text is all lower or all upper case, and the checksum is that of the lower case.

Spec: BIP 173; C2SP age, "Conventions".
"""

import base64
from collections.abc import Iterable

from safeconduct.errors import MalformedError

TEXT_BYTES_MAX = 4096

_ALPHABET = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_VALUES = {character: value for value, character in enumerate(_ALPHABET)}
# The same groups of five bits, as RFC 4648 writes them: the library's C does the regrouping.
_BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_FROM_BASE32 = str.maketrans(_BASE32, _ALPHABET)
_TO_BASE32 = str.maketrans(_ALPHABET, _BASE32)
_GENERATOR = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
_CHECKSUM_LENGTH = 6


def format_bech32(prefix: str, data: bytes) -> str:
    """`prefix`, "1", `data` and checksum, in lower case."""
    prefix = prefix.lower()
    body = _to_text(data)
    values = [*_spread(prefix), *_values(body), *[0] * _CHECKSUM_LENGTH]
    remainder = _checksum(values) ^ 1
    places = [remainder >> 5 * (5 - place) & 31 for place in range(_CHECKSUM_LENGTH)]
    return prefix + "1" + body + "".join(_ALPHABET[value] for value in places)


def parse_bech32(text: str) -> tuple[str, bytes]:
    """The prefix, in the case it was written in, and the data.

    Raises:
        MalformedError: mixed case, a foreign character, a wrong checksum, or stray bits. The
            message never repeats the text, which may be a secret key.
    """
    if len(text) > TEXT_BYTES_MAX or not text.isascii():
        raise MalformedError("key text is too long or not ASCII")
    if text not in (text.lower(), text.upper()):
        raise MalformedError("key text mixes upper and lower case")
    prefix, one, body = text.rpartition("1")
    if not one or not prefix or not all("!" <= character <= "~" for character in prefix):
        raise MalformedError("key text has no valid prefix")
    body = body.lower()
    values = _values(body)
    if len(values) < _CHECKSUM_LENGTH or _checksum([*_spread(prefix.lower()), *values]) != 1:
        raise MalformedError("key text fails its checksum", hint="Look for a typing slip.")
    return prefix, _from_text(body[:-_CHECKSUM_LENGTH])


def _values(body: str) -> list[int]:
    try:
        return [_VALUES[character] for character in body]
    except KeyError:
        # The error is cut off from its cause, which would name a character of a secret.
        raise MalformedError("key text has a character outside the alphabet") from None


def _spread(prefix: str) -> list[int]:
    codes = prefix.encode("ascii")
    return [code >> 5 for code in codes] + [0] + [code & 31 for code in codes]


def _remainder_of(top: int) -> int:
    """What five bits that are shifted out leave behind."""
    remainder = 0
    for place, term in enumerate(_GENERATOR):
        remainder ^= term if top >> place & 1 else 0
    return remainder


_REMAINDERS = [_remainder_of(top) for top in range(32)]


def _checksum(values: Iterable[int]) -> int:
    """The remainder of `values` as a polynomial over GF(32). Spec: BIP 173, "Checksum"."""
    remainder = 1
    for value in values:
        remainder = (remainder & 0x1FFFFFF) << 5 ^ value ^ _REMAINDERS[remainder >> 25]
    return remainder


def _to_text(data: bytes) -> str:
    """Groups of five bits as characters, the last filled with zero bits."""
    return base64.b32encode(data).decode("ascii").rstrip("=").translate(_FROM_BASE32)


def _from_text(body: str) -> bytes:
    padded = body.translate(_TO_BASE32) + "=" * (-len(body) % 8)
    try:
        data = base64.b32decode(padded)
    except ValueError:
        data = b""  # no bytes end in so many groups
    if _to_text(data) != body:
        raise MalformedError("key text has stray bits after its data")
    return data
