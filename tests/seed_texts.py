"""Finds the two real news texts outside the repository, or skips the test and says why."""

import os
from pathlib import Path

import pytest

PLACE_VARIABLE = "SAFECONDUCT_SEEDS"
INSIDERS = "000_1eb80aabf345170f.txt"
INTERVIEW = "001_cbb57ed38ebe000d.txt"


def seed_text(name: str) -> str:
    """The text of that name; the calling test is skipped where the texts are absent."""
    beside = Path(__file__).resolve().parents[1] / "../shared/seeds"
    path = Path(os.environ.get(PLACE_VARIABLE, beside)) / name
    if not path.is_file():
        pytest.skip(f"{name} is absent: set {PLACE_VARIABLE} to the folder of the seed texts")
    return path.read_text(encoding="utf-8")
