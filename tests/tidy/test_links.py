"""Every link in the documents leads somewhere, and every section that code cites exists."""

import re
from functools import cache
from pathlib import Path

import pytest
from tests.tidy.source_files import ROOT, text_of, tracked

DOCUMENTS = [
    path
    for path in tracked()
    if path.suffix == ".md" and (len(path.parts) == 1 or path.parts[0] in {"docs", "statutes"})
]

_CODE = re.compile(r"```.*?```|`[^`\n]*`", re.DOTALL)
_LINK = re.compile(r"\]\(([^)\s]+)\)|(?:src|href)=\"([^\"]+)\"")
_HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)
_NUMBER = re.compile(r"^#+ §?(\d+(?:\.\d+)*)\.?\s", re.MULTILINE)
_CITED_FILE = re.compile(r"\bdocs/[\w/-]+\.md\b")
_CITED = re.compile(r"\b(docs/[\w/-]+\.md)((?:,?\s§\d+(?:\.\d+)*)+)")


def links(path: Path) -> list[str]:
    """The relative links of a document, out of code, without their anchors being removed."""
    found = [one or other for one, other in _LINK.findall(_CODE.sub("", text_of(path)))]
    return [link for link in found if not re.match(r"[a-z][a-z0-9+.-]*:", link)]


@cache
def anchors(path: Path) -> set[str]:
    """The anchors of a document's headings, as forges make them."""
    text = _CODE.sub(lambda match: match[0].strip("`") if "\n" not in match[0] else "",
                     text_of(path))  # fmt: skip
    return {
        re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")
        for heading in _HEADING.findall(text)
    }


@cache
def sections(name: str) -> set[str]:
    """The numbered headings of a document."""
    return set(_NUMBER.findall((ROOT / name).read_text(encoding="utf-8")))


def test_the_documents_are_there() -> None:
    names = {str(path) for path in DOCUMENTS}
    assert {"README.md", "docs/3-protocol.md", "docs/5-glossary.md"} <= names
    assert len(text_of(Path("README.md"))) > 1_000


@pytest.mark.parametrize("path", DOCUMENTS, ids=str)
def test_every_relative_link_leads_to_a_file(path: Path) -> None:
    dead = []
    for link in links(path):
        name, _, anchor = link.partition("#")
        target = (ROOT / path.parent / name).resolve() if name else ROOT / path
        if (
            not target.exists()
            or not target.is_relative_to(ROOT)
            or (anchor and anchor not in anchors(target.relative_to(ROOT)))
        ):
            dead.append(link)
    assert dead == []


def cited() -> dict[tuple[str, str], list[str]]:
    """(document, section) to the files that cite it."""
    found: dict[tuple[str, str], list[str]] = {}
    for path in tracked():
        if path.suffix not in {".py", ".sql", ".html"}:
            continue
        for name, numbers in _CITED.findall(text_of(path)):
            for number in re.findall(r"§(\d+(?:\.\d+)*)", numbers):
                found.setdefault((name, number), []).append(str(path))
    return found


def test_every_section_that_code_cites_exists() -> None:
    missing = {
        f"{name} §{number}": sorted(set(where))
        for (name, number), where in cited().items()
        if not (ROOT / name).is_file() or number not in sections(name)
    }
    assert missing == {}


def test_code_cites_the_specification_often() -> None:
    assert sum(name == "docs/3-protocol.md" for name, _ in cited()) > 20


def test_every_document_that_a_file_names_exists() -> None:
    missing = {
        str(path): gone
        for path in tracked()
        if path.suffix in {".py", ".md", ".toml", ".sql", ".html"} or path.name == "Makefile"
        if (gone := [n for n in _CITED_FILE.findall(text_of(path)) if not (ROOT / n).exists()])
    }
    assert missing == {}
