"""A hash puzzle: work that buys a place further ahead in a queue, and nothing else.

A busy door publishes a seed and how much work is worth while. Whoever likes seeks a counter

    H("work"; seed, subject, u64 counter)      with as many leading zero bits as it takes

for the subject that the request is about (the 32-byte leaf or record hash), and sends it along:

    x-safeconduct-work: <seed, 32 lower-case hex digits>:<counter, decimal>

Work counts for its subject alone, and only while its seed holds: nothing can be bought with it
twice, nor stored up for the last hour. It is never demanded.

Spec: docs/3-protocol.md §30.
"""

import hmac
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256

from safeconduct.errors import MalformedError
from safeconduct.protocol.canonical import (
    format_json,
    length_prefixed,
    parse_decimal,
    parse_hex,
    parse_json,
    tag,
    tagged_hash,
    u64,
)

WORK_HEADER = "x-safeconduct-work"
SEED_BYTES = 16
SEED_SECONDS = 600
BITS_MAX = 22
"""More than this no door asks for and no client does: four million hashes, a few seconds."""

PUZZLE_BYTES_MAX = 1_024
_COUNTER_BYTES = 8
_HASH_BITS = 256
_SECONDS_MAX = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Puzzle:
    """What a door answers to `GET /work`.

    `bits` of work are worth while now, 0 on a quiet day; without any, a request would wait for
    about so many `seconds`.
    """

    seed: bytes
    bits: int
    seconds: int


def format_puzzle(puzzle: Puzzle) -> bytes:
    """Canonical JSON: {"bits", "seconds", "seed"}. Spec: docs/3-protocol.md §30."""
    return format_json(
        {"bits": puzzle.bits, "seconds": puzzle.seconds, "seed": puzzle.seed.hex()}
    )


def parse_puzzle(data: bytes) -> Puzzle:
    """The puzzle in a door's answer. Spec: docs/3-protocol.md §30.

    Raises:
        MalformedError: another form, more than 22 bits or more than a day.
    """
    value = parse_json(data, "puzzle", bytes_max=PUZZLE_BYTES_MAX)
    if not isinstance(value, dict) or value.keys() != {"bits", "seconds", "seed"}:
        raise MalformedError("puzzle: needs exactly bits, seconds and seed")
    seed = value["seed"]
    if not isinstance(seed, str):
        raise MalformedError("puzzle: its seed must be text")
    return Puzzle(
        seed=parse_hex(seed, SEED_BYTES, "puzzle: seed"),
        bits=_number(value["bits"], BITS_MAX),
        seconds=_number(value["seconds"], _SECONDS_MAX),
    )


def _number(value: object, most: int) -> int:
    if type(value) is not int or not 0 <= value <= most:
        raise MalformedError(f"puzzle: a number is not between 0 and {most}")
    return value


def held_seeds(key: bytes, at: int) -> tuple[bytes, bytes]:
    """The seed that a door with this secret key gives out at `at`, and the one before it.

    A seed is given out for ten minutes and holds for ten more.
    """
    number = at // SEED_SECONDS
    return _seed(key, number), _seed(key, max(0, number - 1))


def _seed(key: bytes, number: int) -> bytes:
    return hmac.digest(key, tag("work-seed") + u64(number), "sha256")[:SEED_BYTES]


def work_bits(seed: bytes, subject: bytes, counter: int) -> int:
    """The leading zero bits of H("work"; seed, subject, u64 counter).

    Spec: docs/3-protocol.md §30.
    """
    digest = tagged_hash("work", seed, subject, u64(counter))
    return _HASH_BITS - int.from_bytes(digest, "big").bit_length()


def check_work(header: str, seeds: Sequence[bytes], subject: bytes) -> int:
    """How many bits of work a request brings for its subject; 0 if the seed holds no longer.

    An empty header is no work.

    Raises:
        MalformedError: the header has another form.

    Spec: docs/3-protocol.md §30.
    """
    if not header:
        return 0
    seed_text, colon, counter_text = header.partition(":")
    if not colon:
        raise MalformedError(f"{WORK_HEADER}: not SEED:COUNTER")
    seed = parse_hex(seed_text, SEED_BYTES, f"{WORK_HEADER}: seed")
    counter = parse_decimal(counter_text, f"{WORK_HEADER}: counter")
    return work_bits(seed, subject, counter) if seed in seeds else 0


def format_work(seed: bytes, counter: int) -> str:
    """The header's value. Spec: docs/3-protocol.md §30."""
    return f"{seed.hex()}:{counter}"


def solve(seed: bytes, subject: bytes, bits: int, counters: Iterable[int]) -> int | None:
    """The first of `counters` that is at least `bits` of work; None if none of them is.

    About 2^bits counters must be tried; requires 0 <= bits <= 255.

    Spec: docs/3-protocol.md §30.
    """
    # `work_bits` with all but the counter joined beforehand: it is done millions of times.
    label = tag("work")
    head = bytes([len(label)]) + label + length_prefixed(seed) + length_prefixed(subject)
    head += _COUNTER_BYTES.to_bytes(4, "big")
    least = (1 << (_HASH_BITS - bits)) - 1
    bound = least.to_bytes(_HASH_BITS // 8, "big")
    for counter in counters:
        if sha256(head + counter.to_bytes(_COUNTER_BYTES, "big")).digest() <= bound:
            return counter
    return None
