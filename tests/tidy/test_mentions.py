"""The project stands on its own: it names no place that a reader does not have."""

from pathlib import Path

import pytest
from tests.tidy.source_files import text_of, tracked

# Written in two parts, so that this file does not mention them either.
ELSEWHERE = [
    "../" + "shared",
    "pypi" + ".org",
    "python" + "hosted",
    "registry." + "npmjs",
    "deb.debian" + ".org",
    "/work" + "/",
    "/ro" + "ot/",
    "/tmp/bash" + "_jobs",
]
# Tests that need other people's files say where these may lie.
MAY_LOOK_ELSEWHERE = {Path("tests/vector_sets.py"), Path("tests/seed_texts.py")}


@pytest.mark.parametrize("place", ELSEWHERE)
def test_no_file_mentions_a_place_outside_the_project(place: str) -> None:
    found = [
        str(path)
        for path in tracked()
        if path not in MAY_LOOK_ELSEWHERE and place in text_of(path)
    ]
    assert found == []


def test_no_file_is_empty_by_accident() -> None:
    empty = [path for path in tracked() if not text_of(path)]
    assert [str(path) for path in empty if path.name not in {"__init__.py", "py.typed"}] == [
        "tests/protocol/malformed_records/empty.record"
    ]


def test_text_files_end_with_a_line_feed_and_have_no_blanks_before_one() -> None:
    kinds = {".py", ".md", ".html", ".css", ".sql", ".toml", ".yaml"}
    found = [
        str(path)
        for path in tracked()
        if path.suffix in kinds
        and (text := text_of(path))
        and (not text.endswith("\n") or text.endswith("\n\n") or " \n" in text or "\t" in text)
    ]
    assert found == []
