"""The payload of an age file: STREAM, chunks of 64 KiB that cannot be moved, cut or added.

    nonce, 16 bytes || chunk 0 || chunk 1 || ... || last chunk
    chunk = ChaCha20-Poly1305(payload key, u88 counter || u8 last?, up to 65,536 bytes)

Only the last chunk may be short, and it is empty only if the whole payload is. Both ways run
in constant memory, and opening releases nothing but a true prefix of what was sealed.

Spec: C2SP age, "Payload".
"""

from collections.abc import Iterable, Iterator

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from safeconduct.errors import MalformedError
from safeconduct.protocol.age.failures import PayloadError
from safeconduct.protocol.age.file_key import hkdf
from safeconduct.protocol.age.pieces import Piece, cut, mark_last, split_at

NONCE_BYTES = 16
CHUNK_BYTES = 1 << 16
TAG_BYTES = 16
SEALED_CHUNK_BYTES = CHUNK_BYTES + TAG_BYTES


def seal_stream(file_key: bytes, nonce: bytes, chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The payload: first `nonce`, then sealed chunks, whatever sizes `chunks` come in.

    One pair of `file_key` and 16-byte `nonce` must never seal two different contents.
    """
    assert len(nonce) == NONCE_BYTES
    cipher = _cipher(file_key, nonce)
    yield nonce
    for counter, (piece, last) in enumerate(mark_last(cut(chunks, CHUNK_BYTES))):
        yield cipher.encrypt(_chunk_nonce(counter, last=last), piece, None)


def open_stream(file_key: bytes, chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The content of a payload whose first 16 bytes are its nonce, whatever its pieces.

    What comes out is a true prefix at any time, and the whole once the iterator has ended
    without an error. Until then nothing may be acted upon.

    Raises:
        MalformedError: the payload ends within its nonce.
        PayloadError: a chunk does not open, the last one is missing, or more follows it.
    """
    nonce, rest = split_at(chunks, NONCE_BYTES)
    if len(nonce) < NONCE_BYTES:
        raise MalformedError("age file ends within its nonce")
    cipher = _cipher(file_key, nonce)
    last = False
    for counter, sealed in enumerate(cut(rest, SEALED_CHUNK_BYTES)):
        if last:
            raise PayloadError("age payload goes on after its last chunk")
        piece, last = _open_chunk(cipher, counter, sealed)
        yield piece
    if not last:
        raise PayloadError("age payload ends before its last chunk")


def sealed_bytes(content_bytes: int) -> int:
    """The size of the payload, nonce included, that `content_bytes` of content seal to."""
    chunks = max(1, -(-content_bytes // CHUNK_BYTES))
    return NONCE_BYTES + content_bytes + chunks * TAG_BYTES


def content_bytes(payload_bytes: int) -> int:
    """The size of the content in a payload of that size; below zero if there is none such."""
    inside = payload_bytes - NONCE_BYTES
    return inside - TAG_BYTES * -(-inside // SEALED_CHUNK_BYTES)


def _cipher(file_key: bytes, nonce: bytes) -> ChaCha20Poly1305:
    return ChaCha20Poly1305(hkdf(file_key, nonce, b"payload"))


def _chunk_nonce(counter: int, *, last: bool) -> bytes:
    return counter.to_bytes(11, "big") + bytes([last])


def _open_chunk(cipher: ChaCha20Poly1305, counter: int, sealed: Piece) -> tuple[bytes, bool]:
    """The piece in `sealed`, and whether its nonce says that it is the last."""
    # A short chunk can only be the last; of a full one, nothing but its nonce can tell.
    for last in (False, True) if len(sealed) == SEALED_CHUNK_BYTES else (True,):
        try:
            piece = cipher.decrypt(_chunk_nonce(counter, last=last), sealed, None)
        except InvalidTag:
            continue
        if not piece and counter:
            raise PayloadError("age payload ends with an empty chunk")
        return piece, last
    raise PayloadError(f"chunk {counter} of the age payload is damaged")
