"""Capsules: twelve words bring everything back, and nobody else's bytes do any harm."""

import tracemalloc
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import repeat

import pytest
from nacl.bindings import crypto_aead_xchacha20poly1305_ietf_encrypt
from tests.protocol.age.chance import dice
from tests.protocol.builders import ENTROPY, PROGRAMME, source_keys, statements

from safeconduct.errors import MalformedError
from safeconduct.protocol.canonical import Json, format_json, length_prefixed, tag
from safeconduct.protocol.capsule import (
    CAPSULE_BYTES,
    GAP_LIMIT,
    HEADERS_MAX,
    SHELF_ENTRY_BYTES,
    VERSIONS_MAX,
    Capsule,
    collect_capsules,
    find_capsules,
    open_capsule,
    seal_capsule,
    search_shelf,
    split_shelf,
    with_proof,
)
from safeconduct.protocol.keys import ContributionKeys, contribution_keys, master_key

HEADERS = tuple(bytes([number]) * 32 for number in range(HEADERS_MAX))
CAPSULE = Capsule(
    record=statements().record,
    pre=bytes(range(16)),
    proof="c2sp … —\n".encode(),
    nonce=bytes(range(16, 32)),
    headers=HEADERS,
)
EARLIER = Capsule(record=statements().record, pre=bytes(range(16)))


def blob(number: int, capsule: Capsule = CAPSULE, chance: bytes = b"") -> bytes:
    return seal_capsule(capsule, source_keys(number), dice(chance))


def shelf(*entries: tuple[int, bytes]) -> Callable[[bytes], Sequence[bytes]]:
    """A shelf on which `bytes` lie in the slot of our contribution `number`."""
    held = split_shelf(b"".join(source_keys(n).slot() + data for n, data in entries))
    return lambda slot: held.get(slot, ())


def numbers(keys: Iterable[ContributionKeys]) -> list[int]:
    return [each.number for each in keys]


def test_words_alone_bring_every_contribution_back() -> None:
    master = master_key(ENTROPY, PROGRAMME)  # on another device, from the words
    found, free = find_capsules(
        shelf((0, blob(0)), (1, blob(1)), (2, blob(2))),
        lambda number: contribution_keys(master, number),
    )
    assert [each.capsule for each in found] == [CAPSULE] * 3
    assert numbers(each.keys for each in found) == [0, 1, 2]
    assert free.number == 3


def test_other_words_find_an_empty_mailbox() -> None:
    other = master_key(bytes(16), PROGRAMME)
    found, free = find_capsules(
        shelf((0, blob(0))), lambda number: contribution_keys(other, number)
    )
    assert (found, free.number) == ((), 0)


def test_the_same_words_in_another_programme_find_an_empty_mailbox() -> None:
    other = master_key(ENTROPY, bytes(32))
    found, _ = find_capsules(
        shelf((0, blob(0))), lambda number: contribution_keys(other, number)
    )
    assert found == ()


def test_the_newest_version_that_opens_counts() -> None:
    versions = shelf((0, blob(0, EARLIER)), (0, blob(0, CAPSULE)), (0, bytes(CAPSULE_BYTES)))
    found, _ = find_capsules(versions, source_keys)
    assert [each.capsule for each in found] == [CAPSULE]


def test_a_shelf_in_another_order_cannot_hide_the_receipt() -> None:
    orders = [(EARLIER, CAPSULE), (CAPSULE, EARLIER), (CAPSULE, EARLIER, EARLIER)]
    for order in orders:
        versions = shelf(*((0, blob(0, each)) for each in order))
        found, _ = find_capsules(versions, source_keys)
        assert [each.capsule for each in found] == [CAPSULE]


def test_of_two_receipts_the_newer_counts() -> None:
    newer = replace(CAPSULE, proof=b"newer")
    for order in [(CAPSULE, newer), (CAPSULE, newer, EARLIER)]:
        versions = shelf(*((0, blob(0, each)) for each in order))
        found, _ = find_capsules(versions, source_keys)
        assert [each.capsule for each in found] == [newer]


def test_the_headers_of_all_versions_of_a_record_count_the_newest_of_them_last() -> None:
    """Two clients that send the same at once have made a header each."""
    first, second = (
        replace(CAPSULE, headers=HEADERS[:1]),
        replace(CAPSULE, headers=HEADERS[1:2]),
    )
    other = replace(CAPSULE, record=b"another\n", headers=(b"\xff" * 32,), proof=b"")
    many = replace(CAPSULE, headers=(b"\xee" * 32, *HEADERS[2:]))
    expected = {
        (first, second): HEADERS[:2],
        (second, replace(first, proof=b"")): (HEADERS[0], HEADERS[1]),
        (other, first): HEADERS[:1],
        (first, second, many): (HEADERS[1], b"\xee" * 32, *HEADERS[2:]),
    }
    for order, headers in expected.items():
        [item], _ = find_capsules(shelf(*((0, blob(0, each)) for each in order)), source_keys)
        assert item.capsule.headers == headers


def test_slots_are_asked_for_one_by_one_until_the_gap() -> None:
    asked: list[bytes] = []

    def versions_of(slot: bytes) -> Sequence[bytes]:
        asked.append(slot)
        return shelf((0, blob(0)))(slot)

    find_capsules(versions_of, source_keys)
    assert asked == [source_keys(number).slot() for number in range(GAP_LIMIT + 1)]


def test_junk_in_a_slot_only_costs_its_number() -> None:
    junk = bytes(CAPSULE_BYTES)
    found, free = find_capsules(shelf((0, junk), (1, blob(1)), (2, junk)), source_keys)
    assert numbers(each.keys for each in found) == [1]
    assert free.number == 3


def test_a_capsule_moved_to_another_slot_is_junk_there() -> None:
    found, free = find_capsules(shelf((1, blob(0))), source_keys)
    assert (found, free.number) == ((), 2)


def test_a_search_ends_after_a_gap_of_five() -> None:
    within, beyond = GAP_LIMIT - 1, GAP_LIMIT
    assert numbers(f.keys for f in find_capsules(shelf((within, blob(within))), source_keys)[0])
    assert not find_capsules(shelf((beyond, blob(beyond))), source_keys)[0]


def test_every_capsule_is_of_one_size_and_no_two_are_alike() -> None:
    full = Capsule(record=b"a" * 7_900, pre=bytes(16))
    blobs = [blob(0), blob(0, chance=b"other"), blob(0, EARLIER), blob(0, full)]
    assert {len(each) for each in blobs} == {CAPSULE_BYTES}
    assert len(set(blobs)) == len(blobs)


def test_a_capsule_that_was_touched_does_not_open() -> None:
    whole = blob(0)
    assert open_capsule(whole, source_keys(0)) == CAPSULE
    for place in range(0, CAPSULE_BYTES, 311):
        touched = bytearray(whole)
        touched[place] ^= 1
        assert open_capsule(bytes(touched), source_keys(0)) is None


GOOD: dict[str, Json] = {
    "headers": ["11" * 32],
    "nonce": "",
    "pre": "00" * 16,
    "proof": "",
    "record": "",
}


def body(**changes: Json) -> bytes:
    return length_prefixed(format_json({**GOOD, **changes}))


NO_CAPSULES = {
    "a length out of bounds": b"\xff" * 4,
    "no JSON": length_prefixed(b"hello"),
    "a list": length_prefixed(b"[]"),
    "a field missing": length_prefixed(
        format_json({name: value for name, value in GOOD.items() if name != "nonce"})
    ),
    "a field too many": body(words="never"),
    "a number for a text": body(proof=1),
    "bytes after its body": body() + b"x",
    "a tag too short": body(pre="00"),
    "a nonce too short": body(nonce="00"),
    "a nonce in capitals": body(nonce="AA" * 16),
    "a number for a nonce": body(nonce=0),
    "a text for headers": body(headers="11" * 32),
    "a header too short": body(headers=["11" * 31]),
    "a header that is a number": body(headers=[11]),
    "five headers": body(headers=["11" * 32] * 5),
    "a nested header": body(headers=[["11" * 32]]),
    "spaces": length_prefixed(format_json(GOOD).replace(b":", b": ")),
}


@pytest.mark.parametrize("framed", NO_CAPSULES.values(), ids=NO_CAPSULES)
def test_what_our_own_words_sealed_wrongly_is_malformed(framed: bytes) -> None:
    keys, nonce = source_keys(0), bytes(24)
    data = nonce + crypto_aead_xchacha20poly1305_ietf_encrypt(
        framed.ljust(CAPSULE_BYTES - 40, b"\0"), tag("capsule"), nonce, keys.derive("capsule")
    )
    with pytest.raises(MalformedError, match="capsule"):
        open_capsule(data, keys)


@pytest.mark.parametrize("size", [0, CAPSULE_BYTES - 1, CAPSULE_BYTES + 1])
def test_a_capsule_of_another_size_is_malformed(size: int) -> None:
    with pytest.raises(MalformedError, match="8192 bytes"):
        open_capsule(bytes(size), source_keys(0))


def test_what_does_not_fit_is_refused_rather_than_cut() -> None:
    with pytest.raises(MalformedError, match="more than"):
        blob(0, Capsule(record=b"a" * 8_200, pre=bytes(16)))


def test_a_shelf_cut_short_is_malformed() -> None:
    data = source_keys(0).slot() + blob(0)
    assert list(split_shelf(data + data)) == [source_keys(0).slot()]
    for cut in (data[:-1], data + b"\0"):
        with pytest.raises(MalformedError, match="whole number"):
            split_shelf(cut)


def test_the_good_body_is_one() -> None:
    keys, nonce = source_keys(0), bytes(24)
    data = nonce + crypto_aead_xchacha20poly1305_ietf_encrypt(
        body().ljust(CAPSULE_BYTES - 40, b"\0"), tag("capsule"), nonce, keys.derive("capsule")
    )
    assert open_capsule(data, keys) == Capsule(
        record=b"", pre=bytes(16), headers=(b"\x11" * 32,)
    )


def test_a_proof_too_long_for_a_capsule_is_left_to_the_log() -> None:
    assert with_proof(EARLIER, b"short").proof == b"short"
    assert with_proof(EARLIER, b"x" * 8_000) == EARLIER
    blob(0, with_proof(CAPSULE, b"x" * 6_900))


# A shelf that comes in pieces.


def pieces(data: bytes, size: int) -> Iterator[bytes]:
    return (data[at : at + size] for at in range(0, len(data), size))


SHELF = b"".join(
    slot + data
    for slot, data in [
        (bytes(16), bytes(CAPSULE_BYTES)),
        (source_keys(0).slot(), blob(0, EARLIER)),
        (source_keys(2).slot(), blob(2)),
        (b"\xff" * 16, b"\xff" * CAPSULE_BYTES),
        (source_keys(0).slot(), blob(0)),
    ]
)


@pytest.mark.parametrize("size", [1, 16, 17, 4_096, SHELF_ENTRY_BYTES, 10_000, len(SHELF)])
def test_pieces_of_any_size_bring_the_same_as_the_whole_shelf(size: int) -> None:
    whole = split_shelf(SHELF)
    wanted = [source_keys(0).slot(), source_keys(2).slot(), source_keys(7).slot()]
    held = collect_capsules(pieces(SHELF, size), wanted)
    assert held == {slot: whole[slot] for slot in wanted[:2]}
    found, free = search_shelf(lambda: pieces(SHELF, size), source_keys)
    assert [(each.keys.number, each.capsule) for each in found] == [(0, CAPSULE), (2, CAPSULE)]
    assert free.number == 3


def test_a_stream_that_ends_within_a_capsule_is_malformed() -> None:
    for cut in (1, 16, SHELF_ENTRY_BYTES - 1, SHELF_ENTRY_BYTES + 1):
        with pytest.raises(MalformedError, match="whole number"):
            collect_capsules(pieces(SHELF[:cut], 5_000), [source_keys(0).slot()])


def test_a_shelf_that_repeats_a_slot_without_end_fills_no_memory() -> None:
    slot = source_keys(0).slot()
    endless = (slot + bytes([n % 256]) * CAPSULE_BYTES for n in range(1_000))
    held = collect_capsules(endless, [slot])
    assert len(held[slot]) == VERSIONS_MAX


def test_a_large_shelf_takes_no_more_memory_than_what_is_ours() -> None:
    strange = b"\xee" * 16 + bytes(CAPSULE_BYTES)
    ours = source_keys(1).slot() + blob(1)

    def read() -> Iterator[bytes]:
        yield from repeat(strange * 8, 2_000)  # 130 MB
        yield ours

    tracemalloc.start()
    found, _ = search_shelf(read, source_keys)
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert [each.keys.number for each in found] == [1]
    assert peak_bytes < 4 << 20


def test_words_with_more_contributions_than_slots_ahead_find_them_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("safeconduct.protocol.capsule.SLOTS_AHEAD", 4)
    data = b"".join(source_keys(n).slot() + blob(n) for n in range(9))
    reads: list[None] = []

    def read() -> Iterator[bytes]:
        reads.append(None)
        return pieces(data, 20_000)

    found, free = search_shelf(read, source_keys)
    assert [each.keys.number for each in found] == list(range(9))
    assert (free.number, len(reads)) == (9, 3)
