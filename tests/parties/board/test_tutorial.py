"""docs/8-tutorial.md is a session that can be pasted: it runs here, word for word."""

import os
import sys
from pathlib import Path

from tests.journey.session import read_steps, run_steps

ROOT = Path(__file__).resolve().parents[3]
PAGE = ROOT / "docs" / "8-tutorial.md"
CASES_MIN = 8  # that a law of the tutorial shows


def test_every_command_of_the_tutorial_prints_what_the_page_says(tmp_path: Path) -> None:
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    steps = read_steps(PAGE.read_text())
    assert len(steps) > 15
    assert not run_steps(steps, tmp_path, path)


def test_the_law_of_the_tutorial_has_enough_cases() -> None:
    for name in ("1.yaml", "2.yaml"):
        law = (ROOT / "examples" / "tutorial" / "overdue-books" / name).read_text()
        assert law.partition("\ncases:\n")[2].count("- name:") >= CASES_MIN
