"""Scratch: bytes on the disk under no name, gone with whoever holds them."""

import gc
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from safeconduct.errors import UnavailableError
from safeconduct.plumbing.scratch import Scratch


def open_files(folder: Path) -> int:
    """How many files of the folder this process holds open, with a name or without."""
    held = 0
    for handle in os.listdir("/proc/self/fd"):
        with suppress(OSError):
            held += os.readlink(f"/proc/self/fd/{handle}").startswith(f"{folder}/")
    return held


def test_what_was_given_is_read_any_number_of_times(tmp_path: Path) -> None:
    pieces = [b"", b"a" * 300_000, b"b", b"c" * 700_000]
    kept = Scratch(tmp_path, pieces)
    assert kept.length_bytes == 1_000_001
    first, second = kept.read(), kept.read()
    assert next(first) == next(second)
    assert b"".join(kept.read()) == b"".join(pieces)
    assert b"".join(Scratch(tmp_path, []).read()) == b""


def test_nothing_is_to_be_seen_in_the_folder_and_nothing_stays_open(tmp_path: Path) -> None:
    kept = Scratch(tmp_path, [b"abc"])
    assert (open_files(tmp_path), list(tmp_path.iterdir())) == (1, [])
    reading = kept.read()
    del kept
    gc.collect()
    assert b"".join(reading) == b"abc", "whoever reads it holds it"
    del reading
    gc.collect()
    assert open_files(tmp_path) == 0


def test_what_the_pieces_raise_passes_and_nothing_is_left(tmp_path: Path) -> None:
    def pieces() -> Iterator[bytes]:
        yield b"abc"
        raise LookupError

    with pytest.raises(LookupError):
        Scratch(tmp_path, pieces())
    gc.collect()
    assert (open_files(tmp_path), list(tmp_path.iterdir())) == (0, [])


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError):
        Scratch(tmp_path / "gone", [b"abc"])
