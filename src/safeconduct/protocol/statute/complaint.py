"""What a check of a law finds: one reason against publishing it, and the place it concerns."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from safeconduct.protocol.statute.text import Statute


@dataclass(frozen=True, slots=True, kw_only=True)
class Complaint:
    """One reason against publishing, and the place it concerns."""

    place: str
    message: str

    def __str__(self) -> str:
        return f"{self.place}: {self.message}"


Check: TypeAlias = Callable[[Statute], Iterator[Complaint]]
CheckOfChange: TypeAlias = Callable[[Statute, Statute], Iterator[Complaint]]


def complain(place: str, message: str) -> Complaint:
    """The complaint about what stands at `place`."""
    return Complaint(place=place, message=message)
