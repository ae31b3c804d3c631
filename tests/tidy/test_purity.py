"""The pure floor asks nobody for anything: disk, terminal, clock and chance are arguments."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.tidy.source_files import python_files, tree_of

BANNED_NAMES = {
    "__import__",
    "breakpoint",
    "compile",
    "eval",
    "exec",
    "globals",
    "input",
    "open",
    "print",
}
BANNED_METHODS = {
    ("date", "today"),
    ("datetime", "now"),
    ("datetime", "today"),
    ("datetime", "utcnow"),
    ("uuid", "uuid4"),
}
PURE = python_files("src/safeconduct/protocol")


def called(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Line and name of each banned call; the name of a method is that of its last two parts."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        function = node.func
        if isinstance(function, ast.Name) and function.id in BANNED_NAMES:
            yield node.lineno, function.id
        if isinstance(function, ast.Attribute):
            owner = function.value
            name = owner.attr if isinstance(owner, ast.Attribute) else getattr(owner, "id", "")
            if (name, function.attr) in BANNED_METHODS:
                yield node.lineno, f"{name}.{function.attr}"


@pytest.mark.parametrize("path", PURE, ids=str)
def test_the_pure_floor_calls_nothing_impure(path: Path) -> None:
    assert list(called(tree_of(path))) == []


@pytest.mark.parametrize(
    "line",
    ["open('f')", "print(1)", "datetime.now()", "dt.datetime.now(tz)", "f(eval('1'))"],
)
def test_an_impure_call_would_be_found(line: str) -> None:
    assert list(called(ast.parse(line)))


@pytest.mark.parametrize("line", ["age.open_(x)", "archive.open(x)", "open_stream(x)"])
def test_a_pure_call_is_not_taken_for_one(line: str) -> None:
    assert not list(called(ast.parse(line)))


def test_no_pure_function_keeps_a_value_from_call_to_call() -> None:
    """A module-level variable that functions rebind would make the second call another one."""
    rebound = [
        f"{path}:{node.lineno}"
        for path in PURE
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Global)
    ]
    assert rebound == []
