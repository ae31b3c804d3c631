"""Small damage to a file: what a disk, a network or somebody with an editor does to it."""

import json
import re
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

DAMAGES_MAX = 3
_STRETCH_MAX = 40

# Bytes that parsers have fallen over.
TOKENS = [
    b"\n",
    b"\n\n",
    b"\r\n",
    b"\r",
    b" ",
    b"\t",
    b"\0",
    b"+",
    b"-",
    b"=",
    b"==",
    b"0",
    b"00",
    b"1_0",
    b"9223372036854775808",
    b"18446744073709551616",
    b"9" * 60,
    b"\xff",
    b"\xff\xff",
    b"\xc2\x85",
    b"\xc2\xa0",
    b"\xe2\x80\xa8",
    b"\xef\xbb\xbf",
    b"\xed\xa0\x80",
    "—".encode(),
    "— ".encode(),
    "٣".encode(),
    b"#",
    b"old ",
    b"index ",
    b"extra ",
    b"quorum none\n",
    b"x000/",
    b".p/",
    b"AAAA",
    b"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",
]
_NUMBER = re.compile(rb"(?<![\w+/=])[0-9]+(?![\w+/=])")
_ARABIC = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")


def damaged(random: Random, seeds: Sequence[bytes]) -> bytes:
    """One of `seeds` after one to three kinds of damage."""
    data = random.choice(seeds)
    for _ in range(random.randint(1, DAMAGES_MAX)):
        data = random.choice(_DAMAGES)(random, data, random.choice(seeds))
    return data


# Values that stand where another was meant to; all of them have a canonical spelling.
VALUES: list[Any] = [
    None,
    True,
    False,
    0,
    -1,
    1,
    2**53 - 1,
    "",
    "0",
    "00" * 16,
    "00" * 32,
    "AB" * 16,
    "a\nb",
    "\u0000",
    "\u202e",
    "..",
    "ü" * 300,
    [],
    [[]],
    {},
    {"": ""},
]


def damaged_json(random: Random, seeds: Sequence[bytes]) -> bytes:
    """One of `seeds`, JSON, with one to three values changed, and still canonical.

    Damage to its bytes seldom gets past the parser of JSON; this does, always.
    """
    value = json.loads(random.choice(seeds))
    for _ in range(random.randint(1, DAMAGES_MAX)):
        value = _changed(random, value)
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()


def _changed(random: Random, value: Any) -> Any:
    """Go down to some value of a document, and change that one."""
    if isinstance(value, dict) and value and random.random() < 0.9:
        return _changed_object(random, dict(value))
    if isinstance(value, list) and value and random.random() < 0.9:
        place = random.randrange(len(value))
        put = random.choice([[], [_changed(random, value[place])], [value[place]] * 2])
        return [*value[:place], *put, *value[place + 1 :]]
    if isinstance(value, str) and value and random.random() < 0.6:
        return damaged(random, [value.encode()]).decode("utf-8", "replace")
    return random.choice([*VALUES, [value]])


def _changed_object(random: Random, value: dict[str, Any]) -> dict[str, Any]:
    name = random.choice(sorted(value))
    kind = random.random()
    if kind < 0.08:
        del value[name]
    elif kind < 0.16:
        value[random.choice(["", "at", name + "s"])] = random.choice(VALUES)
    elif kind < 0.24:
        value[name] = value[random.choice(sorted(value))]
    else:
        value[name] = _changed(random, value[name])
    return value


def _flip(random: Random, data: bytes, other: bytes) -> bytes:
    if not data:
        return data
    place = random.randrange(len(data))
    changed = data[place] ^ 1 << random.randrange(8)
    return data[:place] + bytes([changed]) + data[place + 1 :]


def _overwrite(random: Random, data: bytes, other: bytes) -> bytes:
    place = random.randint(0, len(data))
    put = bytes(random.randrange(256) for _ in range(random.randint(1, 4)))
    return data[:place] + put + data[place + len(put) :]


def _insert(random: Random, data: bytes, other: bytes) -> bytes:
    place = random.randint(0, len(data))
    return data[:place] + random.choice(TOKENS) + data[place:]


def _delete(random: Random, data: bytes, other: bytes) -> bytes:
    start = random.randint(0, len(data))
    return data[:start] + data[start + random.randint(1, _STRETCH_MAX) :]


def _cut(random: Random, data: bytes, other: bytes) -> bytes:
    return data[: random.randint(0, len(data))]


def _repeat(random: Random, data: bytes, other: bytes) -> bytes:
    start = random.randint(0, len(data))
    end = start + random.randint(1, _STRETCH_MAX)
    return data[:end] + data[start:end] + data[end:]


def _splice(random: Random, data: bytes, other: bytes) -> bytes:
    return data[: random.randint(0, len(data))] + other[random.randint(0, len(other)) :]


def _swap_lines(random: Random, data: bytes, other: bytes) -> bytes:
    lines = data.splitlines(keepends=True)
    if len(lines) < 2:
        return data
    one, two = random.randrange(len(lines)), random.randrange(len(lines))
    lines[one], lines[two] = lines[two], lines[one]
    return b"".join(lines)


def _repeat_line(random: Random, data: bytes, other: bytes) -> bytes:
    lines = data.splitlines(keepends=True) or [b"\n"]
    place = random.randrange(len(lines))
    times = random.choice([2, 3, 70])
    return b"".join([*lines[:place], *[lines[place]] * times, *lines[place + 1 :]])


def _drop_line(random: Random, data: bytes, other: bytes) -> bytes:
    lines = data.splitlines(keepends=True) or [b""]
    place = random.randrange(len(lines))
    return b"".join(lines[:place] + lines[place + 1 :])


def _take_line(random: Random, data: bytes, other: bytes) -> bytes:
    """A line of another file, put between two of this one."""
    lines, others = data.splitlines(keepends=True), other.splitlines(keepends=True)
    place = random.randint(0, len(lines))
    return b"".join([*lines[:place], random.choice(others or [b"\n"]), *lines[place:]])


def _respell(random: Random, data: bytes, other: bytes) -> bytes:
    """A number that stands by itself, written as some reader might take it, too."""
    numbers = list(_NUMBER.finditer(data))
    if not numbers:
        return data
    found = random.choice(numbers)
    digits = found[0].decode()
    spellings = [
        f"0{digits}",
        f"+{digits}",
        f"-{digits}",
        f" {digits}",
        f"{digits} ",
        f"{digits[0]}_{digits}",
        f"{digits}.0",
        f"0x{int(digits):x}",
        digits.translate(_ARABIC),
        str(int(digits) + 2**64),
        str(int(digits) + 1),
        "0",
        str(2**63 - 1),
        str(2**63),
        "",
    ]
    return data[: found.start()] + random.choice(spellings).encode() + data[found.end() :]


def _dress_line(random: Random, data: bytes, other: bytes) -> bytes:
    """Something before or behind one line."""
    lines = data.split(b"\n")
    place = random.randrange(len(lines))
    token = random.choice(TOKENS)
    lines[place] = random.choice([token + lines[place], lines[place] + token])
    return b"\n".join(lines)


def _respell_base64(random: Random, data: bytes, other: bytes) -> bytes:
    """Other bits beyond the end, another padding, another alphabet."""
    old, new = random.choice(
        [
            (b"=\n", b"\n"),
            (b"=\n", b"==\n"),
            (b"A=", b"B="),
            (b"E=", b"F="),
            (b"I=", b"J="),
            (b"c=", b"d="),
            (b"=", b""),
            (b"/", b"_"),
            (b"+", b"-"),
        ]
    )
    return data.replace(old, new, random.choice([1, -1]))


_DAMAGES: list[Callable[[Random, bytes, bytes], bytes]] = [
    _flip,
    _overwrite,
    _insert,
    _delete,
    _cut,
    _repeat,
    _splice,
    _swap_lines,
    _repeat_line,
    _drop_line,
    _take_line,
    _respell,
    _respell,
    _dress_line,
    _respell_base64,
]
