"""Chance: the operating system's generator, and nothing else."""

import secrets
from collections.abc import Iterable
from typing import TypeVar

Item = TypeVar("Item")


def random_bytes(length: int) -> bytes:
    """`length` bytes that nobody can predict."""
    return secrets.token_bytes(length)


def shuffled(items: Iterable[Item]) -> list[Item]:
    """The same items in an order that nobody can predict."""
    mixed = list(items)
    secrets.SystemRandom().shuffle(mixed)
    return mixed
