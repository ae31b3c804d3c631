"""One word, one meaning: docs/5-glossary.md says which; these are the ones it replaces."""

import re

import pytest
from tests.tidy.source_files import text_of, tracked

# What is never written in the source, and what is written instead.
INSTEAD = {
    r"utils?": "a name that says what it does",
    r"helpers?": "a name that says what it does",
    r"whistle-?blowers?": "source",
    r"informants?": "source",
    r"black-?lists?": "register, or the refused",
    r"white-?lists?": "the allowed",
    r"screen-?shots?": "capture",
    r"scores?": "grade",
    r"STH|tree heads?": "checkpoint",
    r"reorgs?": "fork",
    r"rule engines?": "statute",
    r"sanity": "what is checked",
    r"slaves?": "copy",
    r"mail-?box(es)? of a user": "bulletin",
    r"man-in-the-middle": "who stands between",
    r"TODO|FIXME|XXX|HACK": "the thing done, or a known limitation in the documents",
}
LIBRARY = "# the library's word"
FILES = [
    path
    for path in tracked()
    if path.parts[0] == "src" and path.suffix in {".py", ".html", ".sql", ".css", ".toml"}
]


def uses(pattern: str, text: str) -> list[str]:
    """The places where a banned word stands, alone or as a part of a name."""
    flags = re.NOFLAG if pattern.isupper() or "TODO" in pattern else re.IGNORECASE
    word = re.compile(rf"(?<![A-Za-z])(?:{pattern})(?![a-z])", flags)
    return [
        f"line {number}: {line.strip()}"
        for number, line in enumerate(text.splitlines(), start=1)
        if word.search(line) and LIBRARY not in line
    ]


@pytest.mark.parametrize("pattern", INSTEAD)
def test_a_word_that_the_glossary_replaces_stands_nowhere(pattern: str) -> None:
    found = {str(path): at for path in FILES if (at := uses(pattern, text_of(path)))}
    assert found == {}, f"write {INSTEAD[pattern]} instead"


@pytest.mark.parametrize(
    ("pattern", "line"),
    [
        ("utils?", "from x import utils"),
        ("utils?", "def date_util():"),
        ("TODO|FIXME|XXX|HACK", "x = 1  # TODO"),
        ("scores?", "Score: 3"),
    ],
)
def test_a_banned_word_would_be_found(pattern: str, line: str) -> None:
    assert uses(pattern, line)


@pytest.mark.parametrize(
    ("pattern", "line"), [("scores?", "underscore"), ("utils?", "futile"), ("sanity", "ok")]
)
def test_a_part_of_another_word_is_not_taken_for_one(pattern: str, line: str) -> None:
    assert not uses(pattern, line)
