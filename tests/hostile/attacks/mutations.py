"""Every field of a published object, and what somebody could write there instead."""

import copy
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias

from safeconduct.errors import SafeconductError
from safeconduct.protocol.canonical import Json, format_json, parse_json

OBJECT_BYTES_MAX = 1 << 24
Place: TypeAlias = tuple[str | int, ...]


def places(value: Json, place: Place = ()) -> Iterator[tuple[Place, Json]]:
    """Every place in a JSON value, the whole first, with what stands there."""
    yield place, value
    inner: list[tuple[str | int, Json]] = []
    if isinstance(value, dict):
        inner = list(value.items())
    if isinstance(value, list):
        inner = list(enumerate(value))
    for name, one in inner:
        yield from places(one, (*place, name))


def instead(value: Json) -> list[Json]:
    """Other values of about the same form, and one of another form."""
    if isinstance(value, bool):
        return [not value, None]
    if isinstance(value, int):
        return [value + 1, value - 1]
    if isinstance(value, str):
        middle = len(value) // 2
        other = "a" if value[middle : middle + 1] != "a" else "b"
        return [f"{value}x", value[:middle] + other + value[middle + 1 :]]
    if isinstance(value, list):
        return [[*value, *(value[:1] or ["x"])], value[:-1] if value else None]
    if isinstance(value, dict):
        without: list[Json] = [{k: v for k, v in value.items() if k != name} for name in value]
        return [{**value, "zzz": 1}, None, *without]
    return ["x", {}]


def changed(value: Json, place: Place, new: Json) -> Json:
    """A copy with something else at one place."""
    if not place:
        return new
    whole: Any = copy.deepcopy(value)
    inner = whole
    for name in place[:-1]:
        inner = inner[name]
    inner[place[-1]] = new
    found: Json = whole
    return found


def unnoticed(
    data: bytes, check: Callable[[bytes], object], below: Mapping[Place, int] | None = None
) -> set[Place]:
    """The places of an object where a change is not noticed by `check`.

    `below` says of some places how many levels under them are still looked at.
    """
    value = parse_json(data, "object", bytes_max=OBJECT_BYTES_MAX)
    found: set[Place] = set()
    for place, held in places(value):
        if any(
            place[: len(top)] == top and len(place) > len(top) + depth
            for top, depth in (below or {}).items()
        ):
            continue
        for new in instead(held):
            try:
                check(format_json(changed(value, place, new)))
            except SafeconductError:
                continue
            found.add(place)
    return found
