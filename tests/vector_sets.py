"""Where the published test vectors lie. They are other people's work, kept out of our tree."""

import os
from pathlib import Path

import pytest

VARIABLE = "SAFECONDUCT_VECTORS"


def vector_folder(name: str) -> Path:
    """The folder of the vector set `name`; skips the calling module or test without it."""
    beside = Path(__file__).resolve().parents[2] / "shared" / "vectors"
    folder = Path(os.environ.get(VARIABLE, beside)) / name
    if not folder.is_dir():
        # A fresh clone has no vectors. The reason is printed: nobody takes it for a pass.
        pytest.skip(
            f"NOT TESTED: no vector set {name!r} at {folder}; set {VARIABLE}",
            allow_module_level=True,
        )
    return folder
