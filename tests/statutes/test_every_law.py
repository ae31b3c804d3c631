"""Every law that is shipped: clean, proven by cases of its own, each rule of it and each date.

A rule that could be turned around, or an exception that could be struck, without any case of
the law noticing is a rule that nobody has tested.
"""

import copy
import re
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from safeconduct.errors import MalformedError
from safeconduct.plumbing.authored import parse_authored
from safeconduct.protocol.statute import Statute, lint, lint_change, read_statute
from safeconduct.protocol.statute.condition import OPERATORS
from safeconduct.protocol.statute.lint import matches_case
from safeconduct.protocol.statute.load import resolve_previous

STATUTES = Path("statutes")
CASES_MIN = 8
FOLDERS = sorted({path.parent for path in STATUTES.glob("*/*/*.yaml")}, key=str)
REAL = [folder for folder in FOLDERS if folder.parent.name != "example"]
EXPECTED = {
    "czechia/lustration-1991",
    "estonia/disclosure-1995",
    "european-union/leniency-2006",
    "european-union/whistleblower-2019",
    "lithuania/confession-1999",
    "northern-ireland/legacy-2023",
    "poland/lustration-2006",
    "south-africa/reconciliation-1995",
    "ukraine/cleansing-2014",
    "united-kingdom/prosecutors-2005",
    "united-states/leniency-2022",
    "united-states/whistleblower-rules-2011",
}


@cache
def documents(folder: Path) -> tuple[Any, ...]:
    """The versions in a folder, in order, each naming the one before it."""
    found: list[Any] = []
    for path in sorted(folder.glob("*.yaml"), key=lambda path: (len(path.name), path.name)):
        document = parse_authored(path.read_bytes(), path.name)
        previous = read_statute(found[-1]) if found else None
        found.append(resolve_previous(document, previous))
    return tuple(found)


def versions(folder: Path) -> list[Statute]:
    return [read_statute(document) for document in documents(folder)]


def test_the_laws_that_the_readme_names_are_there() -> None:
    assert {str(folder.relative_to(STATUTES)) for folder in REAL} >= EXPECTED


@pytest.mark.parametrize("folder", FOLDERS, ids=str)
def test_a_law_is_clean_and_each_version_may_follow_the_one_before(folder: Path) -> None:
    laws = versions(folder)
    assert [str(each) for law in laws for each in lint(law)] == []
    for before, after in pairwise(laws):
        assert [str(each) for each in lint_change(before, after)] == []


@pytest.mark.parametrize("folder", FOLDERS, ids=str)
def test_a_law_has_cases_of_its_own_for_both_sides(folder: Path) -> None:
    newest = versions(folder)[-1]
    assert len(newest.cases) >= CASES_MIN
    assert len({case.outcome for case in newest.cases}) > 1


@pytest.mark.parametrize("folder", REAL, ids=str)
def test_a_real_law_says_where_it_is_from_and_what_was_simplified(folder: Path) -> None:
    told = (folder / "README.md").read_text(encoding="utf-8").lower()
    for wanted in ("legal advice", "simplified", "citation", "uncertain"):
        assert wanted in told, f"{folder}: says nothing of {wanted}"
    for law in versions(folder):
        assert law.citation
        assert all(case.why for case in law.cases)


def mutants(document: Any) -> Iterator[tuple[str, Any]]:
    """The law with one rule turned around, or without one exception."""
    for path, provision in provisions(document["sections"]):
        number = provision["number"]
        changed = copy.deepcopy(document)
        at(changed["sections"], path)["if"] = {"not": provision["if"]}
        yield f"section {number} turned around", changed
        for index, exception in enumerate(provision.get("unless", ())):
            changed = copy.deepcopy(document)
            del at(changed["sections"], path)["unless"][index]
            if not at(changed["sections"], path)["unless"]:
                del at(changed["sections"], path)["unless"]
            yield f"section {number} without {exception['number']}", changed


def provisions(sections: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, Any]]:
    for index, section in enumerate(sections):
        if "if" in section:
            yield (*path, index), section
            yield from provisions(section.get("unless", ()), (*path, index, "unless"))


def at(sections: Any, path: tuple[Any, ...]) -> Any:
    for step in path:
        sections = sections[step]
    return sections


@pytest.mark.parametrize("folder", FOLDERS, ids=str)
def test_each_rule_mutated_breaks_a_case(folder: Path) -> None:
    unnoticed = []
    for number, document in enumerate(documents(folder), 1):
        for what, mutant in mutants(document):
            try:
                law = read_statute(mutant)
            except MalformedError:
                continue  # noticed before any case was tried
            if all(matches_case(law, case) for case in law.cases):
                unnoticed.append(f"version {number}: {what}")
    assert unnoticed == []


def test_every_operator_is_used_by_some_law() -> None:
    text = "\n".join(path.read_text("utf-8") for path in STATUTES.glob("*/*/*.yaml"))
    used = {word for word in OPERATORS if re.search(rf"[{{\s-]{word}:", text)}
    assert set(OPERATORS) - used == set()
