"""The project's own files, as the tidy tests look at them."""

import ast
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "safeconduct"

Function = ast.FunctionDef | ast.AsyncFunctionDef


@cache
def tracked() -> tuple[Path, ...]:
    """Every file that git keeps or would keep, relative to the project's root."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    names = sorted(set(listed.stdout.decode().split("\0")) - {""})
    return tuple(Path(name) for name in names if (ROOT / name).is_file())


def python_files(*folders: str) -> list[Path]:
    """The tracked Python files below `folders`, relative to the project's root."""
    return [
        path
        for path in tracked()
        if path.suffix == ".py" and any(path.is_relative_to(each) for each in folders)
    ]


@cache
def text_of(path: Path) -> str:
    """The text of a tracked file; bytes that are no UTF-8 are shown as such."""
    return (ROOT / path).read_text(encoding="utf-8", errors="backslashreplace")


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(text_of(path), str(path))


def functions(path: Path) -> Iterator[Function]:
    return (
        node
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )


def lines_of(function: Function) -> int:
    """How many lines a reader reads: decorators and docstring are not counted."""
    body = function.body
    if ast.get_docstring(function, clean=False) is not None:
        body = body[1:]
    if not body:
        return 1
    end = function.end_lineno
    assert end is not None
    return end - body[0].lineno + 1 + (body[0].lineno > function.lineno)
