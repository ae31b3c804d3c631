"""Strict reading of JSON values: each reader returns the one shape it stands for, or refuses.

A place is a path such as `sections[3].if.before[0]`; every `MalformedError` begins with it.
"""

import re
from collections.abc import Callable, Collection
from typing import NoReturn, TypeVar

from safeconduct.errors import MalformedError
from safeconduct.protocol.canonical import Json

TEXT_CHARACTERS_MAX = 4_000
WHOLE_MAX = (1 << 53) - 1

_NAME = re.compile(r"[a-z][a-z0-9_-]{0,63}")
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\ufeff\u2028\u2029]")
# Marks that turn text around or that nobody sees: with them a law reads otherwise than it is
# stored. U+200C and U+200D stay allowed, since Persian cannot be written without them.
_UNSEEN = re.compile(
    "[\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufff9-\ufffb"
    "\U000e0000-\U000e007f]"
)

Value = TypeVar("Value")


def refuse(place: str, message: str) -> NoReturn:
    """Raise the one `MalformedError` for a fault at `place`."""
    raise MalformedError(f"{place or 'document'}: {message}")


def as_map(
    value: Json, place: str, required: Collection[str], optional: Collection[str] = ()
) -> dict[str, Json]:
    """A map with all `required` keys and no others than those and the `optional` ones."""
    table = as_table(value, place)
    for key in sorted(table):
        if key not in required and key not in optional:
            refuse(inside(place, key), "means nothing here")
    for key in sorted(required):
        if key not in table:
            refuse(inside(place, key), "is missing")
    return table


def as_table(value: Json, place: str) -> dict[str, Json]:
    """A map with any keys."""
    if not isinstance(value, dict):
        refuse(place, "must be a map")
    return value


def as_list(
    value: Json, place: str, length_max: int, item: Callable[[Json, str], Value], least: int = 0
) -> tuple[Value, ...]:
    """A list of `least` to `length_max` items, each read by `item` at its own place."""
    if not isinstance(value, list):
        refuse(place, "must be a list")
    if not least <= len(value) <= length_max:
        refuse(place, f"must have {least} to {length_max} items")
    return tuple(item(each, f"{place}[{index}]") for index, each in enumerate(value))


def as_text(value: Json, place: str) -> str:
    """A text that is not empty, not over-long, free of controls but LF and of unseen marks."""
    if not isinstance(value, str):
        refuse(place, "must be text (in YAML: put it in quotes)")
    if not value.strip() or len(value) > TEXT_CHARACTERS_MAX:
        refuse(place, f"must be a text of 1 to {TEXT_CHARACTERS_MAX} characters")
    if _CONTROL.search(value):
        refuse(place, "holds a control character")
    unseen = _UNSEEN.search(value)
    if unseen is not None:
        refuse(place, f"holds U+{ord(unseen.group()):04X}, which nobody sees")
    return value


def as_name(value: Json, place: str) -> str:
    """A lower-case name of at most 64 letters, digits, `_` and `-`."""
    text = as_text(value, place)
    if not _NAME.fullmatch(text):
        refuse(place, "must be a lower-case name")
    return text


def as_words(value: Json, place: str) -> dict[str, str]:
    """A text by language, in at least one."""
    table = as_table(value, place)
    if not table:
        refuse(place, "needs a text in at least one language")
    return {
        as_name(language, place): as_text(text, inside(place, language))
        for language, text in table.items()
    }


def as_choice(value: Json, place: str, allowed: Collection[str]) -> str:
    """One of the `allowed` words."""
    if not isinstance(value, str) or value not in allowed:
        refuse(place, f"must be one of {', '.join(sorted(allowed))}")
    return value


def as_whole(value: Json, place: str, least: int = 0, most: int = WHOLE_MAX) -> int:
    """A whole number between `least` and `most`; true and false are none."""
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        refuse(place, f"must be a whole number from {least} to {most}")
    return value


def as_yesno(value: Json, place: str) -> bool:
    """true or false."""
    if not isinstance(value, bool):
        refuse(place, "must be true or false")
    return value


def inside(place: str, key: str) -> str:
    """The place of `key` in the map at `place`."""
    shown = key if _NAME.fullmatch(key.replace(".", "_")) else repr(key[:64])
    return f"{place}.{shown}" if place else shown


def unique(values: Collection[str], place: str) -> None:
    """Refuse a value that stands twice."""
    seen: set[str] = set()
    for value in values:
        if value in seen:
            refuse(place, f"{value} stands twice")
        seen.add(value)
