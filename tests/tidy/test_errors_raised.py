"""An error that nobody raises, or that belongs to no family, would mislead a reader."""

import ast

import pytest
from tests.tidy.source_files import python_files, tree_of

from safeconduct import errors
from safeconduct.errors import SafeconductError

FILES = python_files("src")
FAMILIES = {"MalformedError", "UnverifiedError", "ConflictError", "RefusedError"} | {
    "UnavailableError"
}


def error_classes() -> dict[str, list[str]]:
    """Each class whose name ends in Error, with the names of its bases."""
    return {
        node.name: [base.id for base in node.bases if isinstance(base, ast.Name)]
        for path in FILES
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.ClassDef) and node.name.endswith("Error")
    }


def raised() -> set[str]:
    found = set()
    for path in FILES:
        for node in ast.walk(tree_of(path)):
            # A table may choose the class, so a mention outside an import and `except` counts.
            if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
                function = node.exc.func
                found.add(getattr(function, "id", getattr(function, "attr", "")))
    return found


def test_there_are_five_families() -> None:
    direct = {kind.__name__ for kind in SafeconductError.__subclasses__()}
    assert direct == FAMILIES
    assert {name for name in vars(errors) if name.endswith("Error")} == FAMILIES | {
        "SafeconductError"
    }


@pytest.mark.parametrize("name", sorted(error_classes().keys() - {"SafeconductError"}))
def test_every_error_is_raised_somewhere(name: str) -> None:
    assert name in raised()


def test_every_error_belongs_to_a_family() -> None:
    classes = error_classes()
    outside = {
        name
        for name, bases in classes.items()
        if name not in FAMILIES | {"SafeconductError"} and not FAMILIES & set(bases)
    }
    assert outside == set()


@pytest.mark.parametrize("name", sorted(FAMILIES))
def test_every_family_has_its_own_exit_code(name: str) -> None:
    codes = {kind.exit_code for kind in SafeconductError.__subclasses__()}
    assert len(codes) == len(FAMILIES)
    assert getattr(errors, name).exit_code not in {0, SafeconductError.exit_code}
