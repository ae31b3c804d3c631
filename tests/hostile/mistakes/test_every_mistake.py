"""None of the 24 known mistakes is left without an attack that is played here."""

import ast
import re
from collections import Counter
from pathlib import Path

MISTAKES = range(1, 25)
_NAMED = re.compile(r"Mistake (\d+): \S")


def played() -> Counter[int]:
    """How many tests say in the first words of their docstring which mistake they play."""
    found: Counter[int] = Counter()
    for path in Path(__file__).parent.glob("test_mistakes_*.py"):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                named = _NAMED.match(ast.get_docstring(node) or "")
                assert named, f"{path.name}: {node.name} does not say which mistake it plays"
                found[int(named[1])] += 1
    return found


def test_every_known_mistake_is_played() -> None:
    assert sorted(played()) == list(MISTAKES)


def test_a_module_plays_what_its_name_says() -> None:
    for path in Path(__file__).parent.glob("test_mistakes_*.py"):
        first, last = (int(part) for part in path.stem.split("_")[2:4])
        named = {
            int(each) for each in re.findall(r'"""Mistake (\d+):', path.read_text("utf-8"))
        }
        assert named == set(range(first, last + 1)), path.name
