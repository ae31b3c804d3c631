"""What sealing leaves to chance, names, refuses to let out, and holds in memory."""

import hashlib
import tracemalloc
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import pytest
from tests.protocol.age.chance import dice, in_pieces
from tests.protocol.builders import (
    CLASSIC_DESK,
    DESK_IDENTITIES,
    FILES,
    address,
    seal,
    sealed,
    source_keys,
    sources,
)

from safeconduct.errors import MalformedError
from safeconduct.protocol import age
from safeconduct.protocol.envelope import Envelope, Source, open_envelope, seal_envelope
from safeconduct.protocol.keys import file_key
from safeconduct.protocol.record import format_record
from safeconduct.protocol.tip import (
    ContainerReader,
    Manifest,
    TipFile,
    check_follows,
    container_chunks,
)


def payload_of(envelope: Envelope) -> bytes:
    return b"".join(envelope.payload())


def opened(envelope: Envelope) -> tuple[Manifest, list[tuple[str, bytes]]]:
    files: dict[str, bytes] = {}

    def sink(file: TipFile, chunk: bytes) -> None:
        files[file.name] = files.get(file.name, b"") + chunk

    manifest = open_envelope(
        envelope.record, envelope.header, envelope.payload, DESK_IDENTITIES, sink
    )
    return manifest, list(files.items())


# Burned, and follow-ups.


def test_the_key_of_a_burned_envelope_is_not_to_be_had_from_the_words() -> None:
    burned = seal_envelope(sources(), address(), source_keys(), dice(), burn=True)
    assert burned.burned
    assert not sealed().burned
    assert burned.file_key != file_key(source_keys(), burned.nonce)
    manifest, files = opened(burned)
    assert files == list(FILES.items())
    assert manifest == opened(sealed())[0]


def test_a_burned_envelope_keeps_author_and_commitments_and_shares_no_other_value() -> None:
    one, other = (
        seal_envelope(sources(), address(), source_keys(), dice(chance), burn=True)
        for chance in (b"one", b"other")
    )
    for name in ("author", "content", "identity"):
        assert one.record.hash(name) == other.record.hash(name) == sealed().record.hash(name)
    assert len({each.nonce for each in (one, other, sealed())}) == 3
    assert len({each.file_key for each in (one, other, sealed())}) == 3
    assert len({each.record.hash("payload") for each in (one, other, sealed())}) == 3


def test_a_burned_envelope_is_delivered_again_with_the_same_bytes() -> None:
    burned = seal_envelope(sources(), address(), source_keys(), dice(), burn=True)
    assert payload_of(burned) == payload_of(burned)


def test_a_follow_up_names_the_earlier_tip_to_the_desk_alone() -> None:
    earlier, tag_key = b"\7" * 32, source_keys().tag_key()
    later = seal_envelope(
        sources(), address(), source_keys(1), dice(), follows=(earlier, tag_key)
    )
    manifest, _ = opened(later)
    assert check_follows(manifest, tag_key) == earlier
    plain = seal(number=1)
    assert plain.nonce != later.nonce
    assert plain.file_key != later.file_key
    assert earlier.hex() not in format_record(later.record).decode()


# A file that changes between sealing and delivery.


@dataclass
class Changing:
    """A file that its owner goes on editing."""

    data: bytes

    def read(self) -> Iterator[bytes]:
        return in_pieces(self.data, 10_000)


CHUNK = 1 << 16
BIG = bytes(range(256)) * 1024  # four chunks
CHANGES: dict[str, tuple[Callable[[bytes], bytes], int]] = {
    # How the file changes, and how many of the payload's chunks are as they were sealed. The
    # container's head, less than 4 KiB, stands before the file.
    "its first byte": (lambda data: b"\xff" + data[1:], 0),
    "a byte in its middle": (
        lambda data: data[: 2 * CHUNK] + b"\xff" + data[2 * CHUNK + 1 :],
        2,
    ),
    "its last byte": (lambda data: data[:-1] + b"\0", 4),
    "cut short": (lambda data: data[: 3 * CHUNK], 3),
    "emptied": (lambda _: b"", 0),
    "made longer": (lambda data: data + b"more", 4),
    "a byte put before": (lambda data: b"\xff" + data, 0),
}


def taken(payload: Iterator[bytes], into: bytearray) -> None:
    for piece in payload:
        into += piece


@pytest.mark.parametrize(("change", "same"), CHANGES.values(), ids=CHANGES)
def test_of_a_file_that_changed_since_it_was_sealed_nothing_new_leaves(
    change: Callable[[bytes], bytes], same: int
) -> None:
    """[9] Two contents under one key and nonce would show their difference to everybody."""
    file = Changing(BIG)
    envelope = seal_envelope(
        [Source(name="a", read=file.read)], address(), source_keys(), dice()
    )
    whole, sent = payload_of(envelope), bytearray()
    file.data = change(BIG)
    with pytest.raises(MalformedError, match="a file changed"):
        taken(envelope.payload(), sent)
    assert whole.startswith(sent)
    assert len(sent) <= 16 + same * (CHUNK + 16)


def test_a_change_is_noticed_before_the_chunk_that_holds_it_leaves() -> None:
    """Not only at the end of the file, where its hash is known."""
    file = Changing(BIG)
    envelope = seal_envelope(
        [Source(name="a", read=file.read)], address(), source_keys(), dice()
    )
    file.data = b"\xff" + BIG[1:]
    payload = envelope.payload()
    assert next(payload) == envelope.nonce
    with pytest.raises(MalformedError, match="after it was sealed"):
        next(payload)


def test_a_file_that_is_put_back_as_it_was_is_delivered() -> None:
    file = Changing(BIG)
    envelope = seal_envelope(
        [Source(name="a", read=file.read)], address(), source_keys(), dice()
    )
    whole, file.data = payload_of(envelope), b""
    with pytest.raises(MalformedError):
        payload_of(envelope)
    file.data = BIG
    assert payload_of(envelope) == whole


# The header of the classic profile.


def test_a_classic_header_follows_from_the_file_key_so_that_an_opening_proves_it() -> None:
    one = seal(profile="x25519")
    again = seal_envelope(sources(), address("x25519"), source_keys(), dice(b"other chance"))
    assert one.header == again.header
    age.verify_provable_header(one.header, one.file_key, CLASSIC_DESK.recipient())


# A container is written and read in constant memory.


def test_a_container_is_read_in_constant_memory() -> None:
    block, blocks = b"x" * (1 << 20), 40
    digest = hashlib.sha256(block * blocks).digest()
    file = TipFile(name="a", size=blocks << 20, sha256=digest, salt=bytes(32))
    manifest = replace(opened(sealed())[0], files=(file,))
    handed_out = 0

    def sink(_: TipFile, chunk: bytes) -> None:
        nonlocal handed_out
        handed_out += len(chunk)

    def read() -> list[bytes]:
        return [block] * blocks

    tracemalloc.start()
    try:
        reader = ContainerReader(sink)
        for piece in container_chunks(manifest, [read]):
            reader.feed(piece)
        assert reader.close() == manifest
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert handed_out == blocks << 20
    assert peak < 8 << 20


def test_a_container_is_fed_as_windows_too() -> None:
    """`age` hands out windows on larger pieces; what reaches the sink is bytes of its own."""
    handed_out: list[bytes] = []
    reader = ContainerReader(lambda _, chunk: handed_out.append(chunk))
    container = b"".join(age.open_stream(sealed().file_key, sealed().payload()))
    reader.feed(memoryview(container))
    reader.close()
    assert all(type(chunk) is bytes for chunk in handed_out)
