"""What attackers make: one payload with two readings, keys that sign everything, false tars.

Their code uses the primitives directly. Nothing here is ours but the formats that it abuses.
"""

import hashlib
import tarfile
from collections.abc import Sequence
from dataclasses import replace

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import ChaCha20
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from safeconduct.protocol.record import Record, format_record
from safeconduct.protocol.tlog.note import Note, SignatureLine, format_note, parse_note

# One ciphertext under two keys.

PRIME = (1 << 130) - 5
BLOCK = 1 << 128
BLOCK_BYTES = 16
CHUNK_BYTES = 1 << 16
_BLOCKS = CHUNK_BYTES // BLOCK_BYTES
_FREE = (_BLOCKS - 2, _BLOCKS - 1)
_LAST_CHUNK = bytes(11) + b"\1"


def _stream(file_key: bytes, nonce: bytes) -> bytes:
    """The first block, which makes the tag's key, and then what hides the chunk."""
    key = HKDF(SHA256(), 32, salt=nonce, info=b"payload").derive(file_key)
    cipher = Cipher(ChaCha20(key, bytes(4) + _LAST_CHUNK), None)
    return cipher.encryptor().update(bytes(64 + CHUNK_BYTES))


def two_letters(keys: Sequence[bytes], nonce: bytes, letters: Sequence[bytes]) -> bytes:
    """A payload of one chunk that opens under both keys, and holds a letter for each.

    The first letter stands at the chunk's beginning, the second in its middle. The tag is
    linear in each block: two free blocks at the end solve for both keys at once, and each
    solution fits its block with a chance of one in four, so a few tags are tried.
    """
    streams = [_stream(key, nonce) for key in keys]
    sealed = bytearray(CHUNK_BYTES)
    for place, letter, stream in zip((0, CHUNK_BYTES // 2), letters, streams, strict=True):
        hidden = stream[64 + place :]
        sealed[place : place + len(letter)] = (
            a ^ b for a, b in zip(letter, hidden, strict=False)
        )
    r1, s1 = _poly1305_key(streams[0])
    r2, s2 = _poly1305_key(streams[1])
    fixed1, fixed2 = _sum(sealed, r1), _sum(sealed, r2)
    a1, b1, a2, b2 = (pow(r, _BLOCKS + 1 - place, PRIME) for r in (r1, r2) for place in _FREE)
    inverse = pow(a1 * b2 - a2 * b1, -1, PRIME)
    for tag in range(10_000):
        t1, t2 = (tag - s1) % BLOCK - fixed1, (tag - s2) % BLOCK - fixed2
        x, y = (t1 * b2 - t2 * b1) * inverse % PRIME, (a1 * t2 - a2 * t1) * inverse % PRIME
        if BLOCK <= x < 2 * BLOCK and BLOCK <= y < 2 * BLOCK:
            solved = b"".join((each - BLOCK).to_bytes(16, "little") for each in (x, y))
            sealed[-len(solved) :] = solved
            return nonce + bytes(sealed) + tag.to_bytes(16, "little")
    raise AssertionError("no tag fits")


def _poly1305_key(stream: bytes) -> tuple[int, int]:
    """`r` and `s`. Spec: RFC 8439 §2.5."""
    r = int.from_bytes(stream[:16], "little") & 0x0FFFFFFC0FFFFFFC0FFFFFFC0FFFFFFF
    return r, int.from_bytes(stream[16:32], "little")


def _sum(sealed: bytes | bytearray, r: int) -> int:
    """What all blocks but the two free ones, and the lengths, add to the tag."""
    total = 0
    for place in range(_BLOCKS):
        block = int.from_bytes(sealed[16 * place : 16 * place + 16], "little") + BLOCK
        total = (total + (0 if place in _FREE else block)) * r % PRIME
    lengths = BLOCK + (CHUNK_BYTES << 64)
    return (total + lengths) * r % PRIME


# Keys for which anybody can sign anything.

LOW_ORDER = {
    "the identity": "0100000000000000000000000000000000000000000000000000000000000000",
    "order 2": "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "order 4": "0000000000000000000000000000000000000000000000000000000000000000",
    "order 4, the other": "0000000000000000000000000000000000000000000000000000000000000080",
    "order 8": "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "order 8, another": "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "the identity, not canonical": (
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"
    ),
    "the identity with a sign": (
        "0100000000000000000000000000000000000000000000000000000000000080"
    ),
}
ANYTHING = bytes.fromhex(LOW_ORDER["the identity"]) + bytes(32)
"""A signature of every message under the identity: R is the identity, S is 0."""


# Signatures that were made for something else.


def with_lines(record: Record, lines: Sequence[SignatureLine]) -> bytes:
    """The record under signature lines that stood under another."""
    text = format_record(record).decode("utf-8")
    return format_note(Note(text=text, signatures=tuple(lines)))


def lines_of(signed: bytes) -> tuple[SignatureLine, ...]:
    """The signature lines of a signed record."""
    return parse_note(signed).signatures


def changed(record: Record, /, **fields: bytes | int | str) -> Record:
    """The record with other values; nothing is checked."""
    values = {name.replace("_", "-"): value for name, value in fields.items()}
    return replace(record, values={**record.values, **values})


# Containers that only a careless reader unpacks.


def tar_header(name: str, size: int = 0, **fields: object) -> bytes:
    """A ustar header with a right checksum, whatever it says."""
    info = tarfile.TarInfo(name)
    info.size, info.mode = size, 0o644
    for field, value in fields.items():
        setattr(info, field, value)
    return info.tobuf(format=tarfile.USTAR_FORMAT)


def sha256(data: bytes) -> bytes:
    """SHA-256."""
    return hashlib.sha256(data).digest()
