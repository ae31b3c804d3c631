"""Chance: the operating system's generator, and nothing else."""

import secrets


def random_bytes(length: int) -> bytes:
    """`length` bytes that nobody can predict."""
    return secrets.token_bytes(length)
