"""Envelopes: one reading, one author; the same content gives the same bytes, other content not.

The numbers in brackets are places where a naive build goes wrong.
"""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import ChaCha20
from tests.protocol.age.chance import dice
from tests.protocol.builders import (
    CLASSIC_DESK,
    DESK_IDENTITIES,
    FILES,
    PROGRAMME,
    address,
    nowhere,
    seal,
    sealed,
    source_keys,
    sources,
)

from safeconduct.errors import MalformedError, SafeconductError, UnverifiedError
from safeconduct.plumbing.hashing import Sha256Behind
from safeconduct.protocol import age
from safeconduct.protocol.address import Address
from safeconduct.protocol.age.file_key import hkdf
from safeconduct.protocol.envelope import (
    HEADER_BYTES_MAX,
    Envelope,
    Source,
    acknowledgement,
    check_contribution,
    check_header,
    open_envelope,
    seal_envelope,
)
from safeconduct.protocol.keys import file_key, key_commitment, payload_nonce
from safeconduct.protocol.opened import open_with_key
from safeconduct.protocol.record import Record, Value
from safeconduct.protocol.tip import Manifest, TipFile, format_manifest

PROFILES = ("mlkem768x25519", "x25519")


def payload_of(envelope: Envelope) -> bytes:
    return b"".join(envelope.payload())


def changed(record: Record, **changes: Value) -> Record:
    return replace(record, values={**record.values, **changes})


def opened(
    record: Record, header: bytes, payload: bytes
) -> tuple[Manifest, list[tuple[str, bytes]]]:
    files: dict[str, bytes] = {}

    def sink(file: TipFile, chunk: bytes) -> None:
        files[file.name] = files.get(file.name, b"") + chunk

    manifest = open_envelope(record, header, lambda: [payload], DESK_IDENTITIES, sink)
    return manifest, list(files.items())


@pytest.mark.parametrize("profile", PROFILES)
def test_the_desk_reads_what_the_source_sealed(profile: str) -> None:
    envelope = seal(profile=profile)
    check_contribution(envelope.record)
    check_header(envelope.header, envelope.record)
    manifest, files = opened(envelope.record, envelope.header, payload_of(envelope))
    assert files == list(FILES.items())
    assert manifest.author == envelope.record.hash("author")
    assert manifest.pre == envelope.pre


def test_the_payload_is_as_long_as_the_record_says() -> None:
    assert len(payload_of(sealed())) == sealed().record.number("size")


def test_the_same_content_gives_the_same_record_and_payload() -> None:
    """A retry after a crash is no second tip, and the payload can be made again from words."""
    again = seal_envelope(sources(), address(), source_keys(), dice(b"other chance"))
    assert again.record == sealed().record
    assert payload_of(again) == payload_of(sealed())


EDITS: dict[str, dict[str, bytes]] = {
    "a letter": {**FILES, "message.txt": FILES["message.txt"].replace(b"May", b"Mai")},
    "a name": {name.replace("message", "Message"): data for name, data in FILES.items()},
    "one file less": {name: data for name, data in FILES.items() if data},
    "the order": dict(reversed(list(FILES.items()))),
    "nothing left": {},
}


@pytest.mark.parametrize("files", EDITS.values(), ids=EDITS)
def test_an_edit_gives_another_nonce_key_and_author(files: dict[str, bytes]) -> None:
    """[9] A file key from the contribution's number alone would use one keystream twice."""
    one, other = sealed(), seal(files)
    assert payload_of(one)[:16] != payload_of(other)[:16]
    assert one.file_key != other.file_key
    differing = {"payload", "keycommit", "author"}
    assert {n for n in differing if one.record.hash(n) != other.record.hash(n)} == differing


def test_the_nonce_is_drawn_from_the_manifest() -> None:
    """It holds the hash of each file, so no pass over the files is needed for it."""
    manifest, _ = opened(sealed().record, sealed().header, payload_of(sealed()))
    digest = hashlib.sha256(format_manifest(manifest)).digest()
    nonce = payload_nonce(source_keys(), digest)
    assert sealed().nonce == payload_of(sealed())[:16] == nonce
    assert file_key(source_keys(), nonce) == sealed().file_key


ADDRESSES = {
    "another statute": replace(address(), statute=bytes(32)),
    "another epoch": replace(address(), certificate=bytes(32)),
}


@pytest.mark.parametrize("moved", ADDRESSES.values(), ids=ADDRESSES)
def test_the_same_files_to_another_address_get_another_nonce_and_key(moved: Address) -> None:
    other = seal_envelope(sources(), moved, source_keys(), dice())
    assert other.nonce != sealed().nonce
    assert other.file_key != sealed().file_key


def test_files_are_read_twice_to_seal_and_once_to_deliver() -> None:
    readings = 0

    def read() -> Iterator[bytes]:
        nonlocal readings
        readings += 1
        yield b"tip"

    envelope = seal_envelope([Source(name="a", read=read)], address(), source_keys(), dice())
    assert readings == 2
    payload_of(envelope)
    assert readings == 3


def test_another_core_may_make_the_hashes() -> None:
    same = seal_envelope(sources(), address(), source_keys(), dice(), sha256=Sha256Behind)
    assert same.record == sealed().record


def test_two_contributions_of_the_same_files_have_nothing_in_common() -> None:
    one, other = sealed().record, seal(number=1).record
    for name in ("payload", "keycommit", "content", "author", "identity"):
        assert one.hash(name) != other.hash(name)


def test_no_secret_is_shown_by_printing_an_envelope() -> None:
    assert repr(sealed().file_key) not in repr(sealed())
    assert repr(sealed().keys.seed) not in repr(sealed())


def test_a_judge_reads_it_with_nothing_but_the_file_key() -> None:
    record, payload = sealed().record, payload_of(sealed())
    manifest = open_with_key(record, sealed().file_key, lambda: [payload], nowhere)
    assert [file.name for file in manifest.files] == list(FILES)


def test_a_judge_reads_it_with_a_new_header_to_a_key_of_their_own() -> None:
    judge = age.x25519_identity(bytes(range(32)))
    header = age.seal_header(sealed().file_key, [judge.recipient()], dice(b"judge"))
    content = b"".join(age.open_([judge], [header, *sealed().payload()]))
    assert FILES["message.txt"] in content


# What is refused.


def header_to(*identities: age.SecretIdentity, file_key: bytes | None = None) -> bytes:
    recipients = [identity.recipient() for identity in identities]
    return age.seal_header(file_key or sealed().file_key, recipients, dice(b"header"))


def test_a_header_with_two_stanzas_is_refused() -> None:
    """[6] Two readers of one file could be given two contents."""
    other = age.x25519_identity(bytes(range(32)))
    record = changed(sealed().record, profile="x25519")
    check_header(header_to(CLASSIC_DESK), record)
    with pytest.raises(MalformedError, match="2 stanzas"):
        opened(record, header_to(CLASSIC_DESK, other), payload_of(sealed()))


def test_a_header_of_another_profile_than_the_records_is_refused() -> None:
    with pytest.raises(MalformedError, match="profile"):
        check_header(header_to(CLASSIC_DESK), sealed().record)


BAD_HEADERS: dict[str, Callable[[bytes], bytes]] = {
    "no header": lambda _: b"",
    "bytes after its end": lambda header: header + b"\0",
    "cut short": lambda header: header[:-1],
    "no age file": lambda header: b"x" + header,
    "a longer one than any": lambda header: header + b"-" * HEADER_BYTES_MAX,
    "two headers": lambda header: header + header,
}


@pytest.mark.parametrize("change", BAD_HEADERS.values(), ids=BAD_HEADERS)
def test_a_malformed_header_is_refused_before_anything_is_opened(
    change: Callable[[bytes], bytes],
) -> None:
    with pytest.raises(MalformedError):
        check_header(change(sealed().header), sealed().record)


def test_an_envelope_for_another_desk_does_not_open() -> None:
    stranger = age.hybrid_identity(bytes(range(32)))
    with pytest.raises(UnverifiedError):
        open_envelope(sealed().record, sealed().header, sealed().payload, [stranger], nowhere)


PAYLOADS: dict[str, Callable[[bytes], bytes]] = {
    "cut short": lambda payload: payload[:-1],
    "without its last chunk": lambda payload: payload[: 16 + 65_552],
    "one byte longer": lambda payload: payload + b"\0",
    "another nonce": lambda payload: bytes([payload[0] ^ 1]) + payload[1:],
    "a bit changed": lambda payload: payload[:-1] + bytes([payload[-1] ^ 1]),
    "nothing": lambda _: b"",
    "somebody else's": lambda _: payload_of(seal(number=1)),
}


@pytest.mark.parametrize("change", PAYLOADS.values(), ids=PAYLOADS)
def test_another_payload_than_the_one_committed_to_is_refused(
    change: Callable[[bytes], bytes],
) -> None:
    big = seal({"message.txt": b"x" * 70_000})
    payload = change(payload_of(big))
    with pytest.raises(UnverifiedError, match="payload"):
        opened(big.record, big.header, payload)


def test_a_payload_cut_short_is_refused_even_where_the_record_says_so() -> None:
    big = seal({"message.txt": b"x" * 70_000})
    cut = payload_of(big)[: 16 + 65_552]
    record = changed(big.record, payload=hashlib.sha256(cut).digest(), size=len(cut))
    with pytest.raises(UnverifiedError, match="ends before its last chunk"):
        opened(record, big.header, cut)


def test_a_wrong_file_key_is_refused_by_the_commitment() -> None:
    with pytest.raises(UnverifiedError, match="file key"):
        open_with_key(sealed().record, bytes(16), sealed().payload, nowhere)


@pytest.mark.parametrize("name", ["author", "content", "statute", "certificate", "programme"])
def test_what_stands_outside_must_stand_inside(name: str) -> None:
    """[2] A server that puts its own author on somebody's ciphertext gains nothing."""
    record = changed(sealed().record, **{name: bytes(32)})
    with pytest.raises(UnverifiedError, match=f"the {name} inside"):
        opened(record, sealed().header, payload_of(sealed()))


def test_a_committed_payload_that_holds_no_tip_is_malformed() -> None:
    key, nonce = bytes(16), bytes(16)
    payload = b"".join(age.seal_stream(key, nonce, [bytes(65_536)]))
    record = changed(
        sealed().record,
        payload=hashlib.sha256(payload).digest(),
        size=len(payload),
        keycommit=key_commitment(nonce, key),
    )
    with pytest.raises(MalformedError, match="manifest"):
        open_with_key(record, key, lambda: [payload], nowhere)


# One ciphertext, two readings.

PRIME = (1 << 130) - 5
BLOCK = 1 << 128


def poly1305_key(file_key: bytes, nonce: bytes) -> tuple[int, int]:
    """`r` and `s` for the payload's first and last chunk. Spec: RFC 8439 §2.6."""
    chunk_nonce = bytes(11) + b"\1"
    cipher = Cipher(ChaCha20(hkdf(file_key, nonce, b"payload"), bytes(4) + chunk_nonce), None)
    drawn = cipher.encryptor().update(bytes(32))
    r = int.from_bytes(drawn[:16], "little") & 0x0FFFFFFC0FFFFFFC0FFFFFFC0FFFFFFF
    return r, int.from_bytes(drawn[16:], "little")


def two_readings(one: bytes, other: bytes, nonce: bytes) -> bytes:
    """A payload of one chunk of zeros but for two blocks, whose tag is right under both keys.

    The tag is linear in each block; two free blocks solve two equations. Each solution fits
    its block with a chance of one in four, so a few tags are tried.
    """
    lengths = BLOCK + (65_536 << 64)
    (r1, s1), (r2, s2) = poly1305_key(one, nonce), poly1305_key(other, nonce)

    def fixed(r: int) -> int:
        zeros = sum(BLOCK * pow(r, power, PRIME) for power in range(2, 4096))
        return (zeros + lengths * r) % PRIME

    fixed1, fixed2 = fixed(r1), fixed(r2)
    a1, b1, a2, b2 = (pow(r, power, PRIME) for r in (r1, r2) for power in (4097, 4096))
    inverse = pow(a1 * b2 - a2 * b1, -1, PRIME)
    for tag in range(10_000):
        t1, t2 = (tag - s1) % BLOCK - fixed1, (tag - s2) % BLOCK - fixed2
        x, y = (t1 * b2 - t2 * b1) * inverse % PRIME, (a1 * t2 - a2 * t1) * inverse % PRIME
        if BLOCK <= x < 2 * BLOCK and BLOCK <= y < 2 * BLOCK:
            blocks = [(each - BLOCK).to_bytes(16, "little") for each in (x, y)]
            return nonce + b"".join(blocks) + bytes(65_504) + tag.to_bytes(16, "little")
    raise AssertionError("no tag fits")


def test_of_two_readings_of_one_payload_the_commitment_leaves_one() -> None:
    """[1] The hash of a ciphertext does not bind its content: age opens this with two keys."""
    one, other, nonce = b"\1" * 16, b"\2" * 16, bytes(16)
    payload = two_readings(one, other, nonce)
    readings = {b"".join(age.open_stream(key, [payload])) for key in (one, other)}
    assert len(readings) == 2
    record = changed(
        sealed().record,
        payload=hashlib.sha256(payload).digest(),
        size=len(payload),
        keycommit=key_commitment(nonce, one),
    )
    with pytest.raises(MalformedError, match="manifest"):  # it opens; there is no tip inside
        open_with_key(record, one, lambda: [payload], nowhere)
    with pytest.raises(UnverifiedError, match="not the one committed to"):
        open_with_key(record, other, lambda: [payload], nowhere)


# What a record may say, and what a source may send.

MISFITS: dict[str, dict[str, Value]] = {
    "an unknown profile": {"profile": "scrypt"},
    "an unknown sealer": {"sealed-by": "nobody"},
    "no size": {"size": 0},
    "smaller than any envelope": {"size": 65_567},
    "a byte more than a size class": {"size": 65_569},
    "not padded": {"size": age.sealed_bytes(100_000)},
    "not padded, though whole blocks": {"size": age.sealed_bytes(65_536 + 512)},
    "an empty container": {"size": age.sealed_bytes(0)},
}


@pytest.mark.parametrize("changes", MISFITS.values(), ids=MISFITS)
def test_a_record_says_only_what_an_envelope_can_be(changes: dict[str, Value]) -> None:
    with pytest.raises(MalformedError, match="contribution record"):
        check_contribution(changed(sealed().record, **changes))


@pytest.mark.parametrize("size", [65_536, 131_072, 1 << 20, 1_081_344, 100_663_296])
def test_a_record_may_say_every_size_class(size: int) -> None:
    check_contribution(changed(sealed().record, size=age.sealed_bytes(size)))


def test_a_tip_sealed_by_the_door_says_so() -> None:
    envelope = seal_envelope(sources(), address(), source_keys(), dice(), sealed_by="server")
    assert envelope.record.word("sealed-by") == "server"
    check_contribution(envelope.record)


def test_a_file_that_changes_between_two_readings_is_not_sealed() -> None:
    reading = iter([b"one", b"two", b"three", b"four"])

    def read() -> Iterator[bytes]:
        yield next(reading)

    with pytest.raises(MalformedError, match="changed while"):
        seal_envelope([Source(name="a.txt", read=read)], address(), source_keys(), dice())


@pytest.mark.parametrize("recipient", ["", "age1nonsense", "AGE-SECRET-KEY-1"])
def test_nothing_is_sealed_to_a_recipient_that_does_not_parse(recipient: str) -> None:
    with pytest.raises(SafeconductError):
        seal_envelope(sources(), replace(address(), recipient=recipient), source_keys(), dice())


def test_an_acknowledgement_has_one_of_four_outcomes() -> None:
    for status in ("ok", "mismatch", "unreadable", "duplicate"):
        assert acknowledgement(PROGRAMME, bytes(32), status, 1).word("status") == status
    with pytest.raises(AssertionError):
        acknowledgement(PROGRAMME, bytes(32), "lost", 1)
