"""The journey is played once per test run, by the very page that documents it."""

import os
import sys
from pathlib import Path

import pytest
from tests.journey.session import read_steps, run_steps

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "1-journey.md"


@pytest.fixture(scope="session")
def journey(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """The folder in which docs/1-journey.md was run as a session, and what went otherwise."""
    folder = tmp_path_factory.mktemp("journey")
    for name in ("statutes", "examples"):
        (folder / name).symlink_to(ROOT / name)
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    return folder, run_steps(read_steps(PAGE.read_text()), folder, path)


@pytest.fixture(scope="session")
def played(journey: tuple[Path, list[str]]) -> Path:
    """The folder of the play: public/, policy.txt, receipts/, letters/ and all parties."""
    return journey[0] / "demo"
