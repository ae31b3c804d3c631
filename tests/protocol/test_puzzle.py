"""The hash puzzle: bound to its seed and its subject, and strict about its spelling."""

import contextlib
import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from safeconduct.errors import MalformedError
from safeconduct.protocol.canonical import tagged_hash, u64
from safeconduct.protocol.puzzle import (
    BITS_MAX,
    SEED_SECONDS,
    Puzzle,
    check_work,
    format_puzzle,
    format_work,
    held_seeds,
    parse_puzzle,
    solve,
    work_bits,
)

SEED, OTHER_SEED = bytes(range(16)), bytes(16)
LEAF, OTHER_LEAF = b"\x11" * 32, b"\x22" * 32
BITS = 8
PUZZLE = Puzzle(seed=SEED, bits=17, seconds=42)


def work() -> str:
    counter = solve(SEED, LEAF, BITS, itertools.count())
    assert counter is not None
    return format_work(SEED, counter)


def test_solved_work_is_counted_for_its_subject() -> None:
    assert check_work(work(), [OTHER_SEED, SEED], LEAF) >= BITS


def test_work_for_one_subject_is_none_for_another() -> None:
    assert check_work(work(), [SEED], OTHER_LEAF) < BITS


def test_work_under_a_seed_that_holds_no_longer_is_none() -> None:
    assert check_work(work(), [OTHER_SEED], LEAF) == 0


def test_no_header_is_no_work() -> None:
    assert check_work("", [SEED], LEAF) == 0


def test_the_bits_are_leading_zeros_of_the_tagged_hash() -> None:
    for counter in range(300):
        digest = tagged_hash("work", SEED, LEAF, u64(counter))
        spelled = "".join(f"{byte:08b}" for byte in digest)
        assert work_bits(SEED, LEAF, counter) == len(spelled) - len(spelled.lstrip("0"))


@settings(max_examples=30, deadline=None)
@given(st.binary(min_size=16, max_size=16), st.binary(max_size=80), st.integers(0, 7))
def test_the_solution_is_the_first_counter_with_so_many_bits(
    seed: bytes, subject: bytes, bits: int
) -> None:
    counter = solve(seed, subject, bits, itertools.count())
    assert counter is not None
    enough = (each for each in itertools.count() if work_bits(seed, subject, each) >= bits)
    assert counter == next(enough)


def test_whoever_gives_up_has_no_solution() -> None:
    assert solve(SEED, LEAF, 200, range(100)) is None


MALFORMED_HEADERS = {
    "no colon": SEED.hex() + "7",
    "two colons": f"{SEED.hex()}:7:7",
    "upper case": f"{SEED.hex().upper()}:7",
    "a short seed": f"{SEED.hex()[2:]}:7",
    "a leading zero": f"{SEED.hex()}:07",
    "a sign": f"{SEED.hex()}:+7",
    "no counter": f"{SEED.hex()}:",
    "a counter beyond 63 bits": f"{SEED.hex()}:{1 << 63}",
    "a blank": f"{SEED.hex()}: 7",
}


@pytest.mark.parametrize("header", MALFORMED_HEADERS.values(), ids=MALFORMED_HEADERS.keys())
def test_a_header_in_another_form_is_refused(header: str) -> None:
    with pytest.raises(MalformedError):
        check_work(header, [SEED], LEAF)


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=60))
def test_nothing_but_malformed_comes_out_of_any_header(header: str) -> None:
    with contextlib.suppress(MalformedError):
        assert check_work(header, [SEED], LEAF) >= 0


def test_a_seed_is_given_out_for_ten_minutes_and_holds_for_ten_more() -> None:
    begin = 1_000 * SEED_SECONDS
    now, before = held_seeds(b"key", begin)
    assert held_seeds(b"key", begin + SEED_SECONDS - 1) == (now, before)
    after, last = held_seeds(b"key", begin + SEED_SECONDS)
    assert (last, now in held_seeds(b"key", begin + 2 * SEED_SECONDS)) == (now, False)
    assert len({before, now, after, held_seeds(b"other key", begin)[0]}) == 4


def test_a_puzzle_comes_back_as_it_was() -> None:
    data = format_puzzle(PUZZLE)
    assert data == b'{"bits":17,"seconds":42,"seed":"%b"}' % SEED.hex().encode()
    assert parse_puzzle(data) == PUZZLE


MALFORMED_PUZZLES = {
    "no JSON": b"{",
    "a list": b"[]",
    "another field": b'{"bits":1,"more":1,"seconds":1,"seed":"%b"}' % (b"0" * 32),
    "no seed": b'{"bits":1,"seconds":1}',
    "a seed that is a number": b'{"bits":1,"seconds":1,"seed":1}',
    "a short seed": b'{"bits":1,"seconds":1,"seed":"00"}',
    "more bits than anybody does": b'{"bits":%d,"seconds":1,"seed":"%b"}'
    % (BITS_MAX + 1, b"0" * 32),
    "bits that are true": b'{"bits":true,"seconds":1,"seed":"%b"}' % (b"0" * 32),
    "a negative wait": b'{"bits":1,"seconds":-1,"seed":"%b"}' % (b"0" * 32),
    "another order": b'{"seed":"%b","bits":1,"seconds":1}' % (b"0" * 32),
}


@pytest.mark.parametrize("data", MALFORMED_PUZZLES.values(), ids=MALFORMED_PUZZLES.keys())
def test_a_puzzle_in_another_form_is_refused(data: bytes) -> None:
    with pytest.raises(MalformedError):
        parse_puzzle(data)
