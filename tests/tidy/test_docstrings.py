"""Whatever others may call says in a sentence what it gives or ensures."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.tidy.source_files import python_files, tree_of

FLOORS = ("src/safeconduct/protocol", "src/safeconduct/plumbing", "src/safeconduct/errors.py")

Documented = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def public(
    tree: ast.Module | ast.ClassDef, prefix: str = ""
) -> Iterator[tuple[str, Documented]]:
    """The public functions, classes and methods, by their dotted names."""
    for node in tree.body:
        if not isinstance(node, Documented) or node.name.startswith("_"):
            continue
        yield prefix + node.name, node
        if isinstance(node, ast.ClassDef):
            yield from public(node, f"{prefix}{node.name}.")


def faults(tree: ast.Module) -> list[str]:
    found = []
    for name, node in public(tree):
        text = ast.get_docstring(node)
        if text is None:
            found.append(f"{node.lineno} {name}: no docstring")
        elif not text.rstrip().endswith("."):
            found.append(f"{node.lineno} {name}: does not end with a full stop")
        elif not text.split("\n\n")[0].rstrip().endswith((".", ":")):
            found.append(f"{node.lineno} {name}: its first sentence has no end")
    return found


@pytest.mark.parametrize("path", python_files(*FLOORS), ids=str)
def test_everything_public_says_what_it_does(path: Path) -> None:
    assert faults(tree_of(path)) == []


@pytest.mark.parametrize("path", python_files("src"), ids=str)
def test_every_module_opens_with_what_it_is(path: Path) -> None:
    text = ast.get_docstring(tree_of(path))
    assert text
    assert text.split("\n\n")[0].rstrip().endswith((".", ":")), text.split("\n\n")[0]


BAD = {
    "no docstring": "def f(): pass",
    "no full stop": 'def f():\n    "Returns it"',
    "a method without one": 'class C:\n    "It is."\n    def f(self): pass',
}


@pytest.mark.parametrize("text", BAD.values(), ids=BAD)
def test_a_fault_would_be_found(text: str) -> None:
    assert faults(ast.parse(text))


def test_what_is_private_may_speak_for_itself() -> None:
    assert faults(ast.parse("def _f(): pass\nclass _C:\n    def f(self): pass")) == []
