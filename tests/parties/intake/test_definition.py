"""A body's own files: what they may say, and that every complaint names its place."""

from pathlib import Path

import pytest

from safeconduct.errors import MalformedError
from safeconduct.parties.intake.definition import (
    PASSAGES,
    QUESTIONS_FILE,
    TEXTS_FILE,
    Definition,
    load_definition,
    read_definition,
)
from safeconduct.plumbing.authored import AUTHORED_BYTES_MAX

TEXTS = """\
default: de
title: {de: "Hafen", en: "The port"}
about:
  de: |
    Erster Absatz.

    Zweiter
    Absatz.
"""


def test_a_folder_without_files_is_an_empty_definition(tmp_path: Path) -> None:
    assert load_definition(tmp_path) == Definition()
    assert load_definition(tmp_path).text("title", "en") is None


def test_a_text_is_shown_in_the_visitors_language_else_marked_as_the_default_one(
    tmp_path: Path,
) -> None:
    (tmp_path / TEXTS_FILE).write_text(TEXTS)
    definition = load_definition(tmp_path)
    title = definition.text("title", "en")
    about = definition.text("about", "ar")
    assert title is not None
    assert about is not None
    assert (title.text, title.language, title.direction) == ("The port", "en", "ltr")
    assert (about.language, about.direction) == ("de", "ltr")
    assert about.paragraphs == ("Erster Absatz.", "Zweiter\nAbsatz.")
    assert definition.languages == ("en", "de")


FAULTS: dict[str, tuple[str, str, str]] = {
    "not YAML": (TEXTS_FILE, "title: [", "texts.yaml: line 1, column 9"),
    "a bare no": (TEXTS_FILE, "title: {no: x}", "texts.yaml: line 1, column 9"),
    "a list": (TEXTS_FILE, "- a", "texts.yaml: must be a table of passages"),
    "an unknown passage": (TEXTS_FILE, 'titel: {en: "x"}', "texts.yaml: titel: is not known"),
    "an unknown language": (TEXTS_FILE, 'title: {en: "x", tlh: "y"}', "texts.yaml: title: tlh"),
    "a text without language": (TEXTS_FILE, 'title: "x"', "texts.yaml: title: must be a table"),
    "no default language": (TEXTS_FILE, 'title: {de: "x"}', "lacks the default language, en"),
    "an unknown default": (TEXTS_FILE, 'default: "no"', "texts.yaml: default: must be one of"),
    "too long a title": (
        TEXTS_FILE,
        f'title: {{en: "{"x" * 81}"}}',
        "texts.yaml: title: en: 81 characters, but 80",
    ),
    "lines in a title": (TEXTS_FILE, "title:\n  en: |-\n    a\n    b\n", "U+000A"),
    "text that turns around": (TEXTS_FILE, 'title: {en: "a\\u202Eb"}', "U+202E"),
    "a question without kind": (
        QUESTIONS_FILE,
        'questions: [{id: a, ask: {en: "A?"}}]',
        "questions.yaml: question a: kind: must be one of",
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_told_with_its_file_and_place(tmp_path: Path, name: str) -> None:
    file, text, told = FAULTS[name]
    (tmp_path / file).write_text(text)
    with pytest.raises(MalformedError) as caught:
        load_definition(tmp_path)
    _, remarks = read_definition(tmp_path)
    assert any(told in str(remark) for remark in remarks), [str(r) for r in remarks]
    assert caught.value.message in [str(remark) for remark in remarks]


def test_all_faults_are_told_at_once(tmp_path: Path) -> None:
    (tmp_path / TEXTS_FILE).write_text('titel: {en: "x"}\nlead: {de: "y"}\n')
    (tmp_path / QUESTIONS_FILE).write_text("questions: [{}]\n")
    _, remarks = read_definition(tmp_path)
    assert {remark.file for remark in remarks} == {TEXTS_FILE, QUESTIONS_FILE}
    assert len(remarks) > 4


def test_a_language_that_is_there_only_in_places_is_a_warning(tmp_path: Path) -> None:
    (tmp_path / TEXTS_FILE).write_text('title: {en: "x", pl: "y"}\nlead: {en: "z"}\n')
    _, remarks = read_definition(tmp_path)
    assert [str(remark) for remark in remarks] == [
        "texts.yaml: lead: warning: is not there in pl; shown in en"
    ]
    load_definition(tmp_path)


def test_a_file_beyond_all_measure_is_refused(tmp_path: Path) -> None:
    (tmp_path / TEXTS_FILE).write_bytes(b"#" * (AUTHORED_BYTES_MAX + 1))
    with pytest.raises(MalformedError, match=r"texts\.yaml"):
        load_definition(tmp_path)


def test_every_passage_has_a_bound() -> None:
    assert all(0 < most <= 2_000 for most in PASSAGES.values())
