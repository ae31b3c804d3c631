"""Changes of a law's document, named by the place where the law would say it.

put("parameters.last_day.value", "2023-02-29")     drop("procedure.listing.ends_after")
add("sections", {"number": "2", …})                all give what changes a document in place
"""

import copy
import re
from collections.abc import Callable
from typing import Any, TypeAlias

Break: TypeAlias = Callable[[Any], Any]

_STEP = re.compile(r"\[([0-9]+)\]|\.?([^.\[]+)")


def put(place: str, value: Any) -> Break:
    """Set what stands at a place, or what is not there yet."""
    *above, last = _steps(place)

    def change(document: Any) -> None:
        at(document, above)[last] = copy.deepcopy(value)

    return change


def drop(place: str) -> Break:
    """Take away what stands at a place."""
    *above, last = _steps(place)

    def change(document: Any) -> None:
        at(document, above).pop(last)

    return change


def add(place: str, value: Any) -> Break:
    """Put one more at the end of the list at a place."""

    def change(document: Any) -> None:
        at(document, _steps(place)).append(copy.deepcopy(value))

    return change


def at(document: Any, steps: list[str | int]) -> Any:
    """What stands at the end of these steps."""
    found = document
    for step in steps:
        found = found[step]
    return found


def _steps(place: str) -> list[str | int]:
    steps: list[str | int] = []
    for index, name in _STEP.findall(place):
        steps.append(int(index) if index else name)
    return steps
