"""`safeconduct door new`, `lint`, `preview` and `notice`, as they are typed."""

import argparse
import json
import re
from pathlib import Path

import httpx
import pytest
from tests.plumbing.mail_house import open_house
from tests.protocol import builders

from safeconduct.errors import MalformedError, RefusedError
from safeconduct.parties.intake import staff_site
from safeconduct.parties.intake.command import (
    JOBS,
    KEY_FILE,
    STAFF,
    add_arguments,
    open_intake,
)
from safeconduct.parties.intake.definition import (
    QUESTIONS_FILE,
    TEXTS_FILE,
    Definition,
    load_definition,
)
from safeconduct.parties.intake.definition_command import EXAMPLES, add_verbs, lint
from safeconduct.parties.intake.notices import NOTICES_FILE
from safeconduct.parties.intake.preview import PAGE_BYTES_MAX, preview
from safeconduct.parties.intake.site import make_site
from safeconduct.parties.intake.statistics import DAYS_FILE
from safeconduct.plumbing import keys, web
from safeconduct.plumbing.programme import Programme, write_programme
from safeconduct.protocol.tlog.note import format_vkey


def run(*words: str) -> int:
    parser = argparse.ArgumentParser(prog="safeconduct door")
    add_verbs(parser.add_subparsers())
    options = parser.parse_args(words)
    code: int = options.run(options)
    return code


def in_use(folder: Path) -> Path:
    """The examples with their "#" taken away, as a body would do it."""
    run("new", "--dir", str(folder))
    for name in (TEXTS_FILE, QUESTIONS_FILE):
        text = (folder / name).read_text().replace("questions: []\n", "")
        (folder / name).write_text(re.sub(r"(?m)^#(?=$|[^ ]|  )", "", text))
    (folder / "notices.example.toml").rename(folder / NOTICES_FILE)
    return folder


def test_new_makes_the_doors_key_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "door"
    run("new", "--dir", str(folder), "--name", "harbour/door")
    key = keys.load_signing_key(folder / KEY_FILE)
    assert capsys.readouterr().out.startswith(format_vkey(key.verifier()) + "\n")
    with pytest.raises(RefusedError, match="already exists"):
        run("new", "--dir", str(folder), "--name", "harbour/door")
    assert keys.load_signing_key(folder / KEY_FILE) == key


def test_new_writes_examples_that_put_nothing_in_use(tmp_path: Path) -> None:
    run("new", "--dir", str(tmp_path / "door"))
    assert {path.name for path in (tmp_path / "door").iterdir()} == set(EXAMPLES)
    definition = load_definition(tmp_path / "door")
    assert (definition.texts, definition.questionnaire.questions) == ({}, ())
    assert run("lint", "--dir", str(tmp_path / "door")) == 0


def test_new_overwrites_nothing(tmp_path: Path) -> None:
    (tmp_path / TEXTS_FILE).write_text("mine")
    run("new", "--dir", str(tmp_path))
    assert (tmp_path / TEXTS_FILE).read_text() == "mine"


def test_the_examples_hold_when_they_are_used(tmp_path: Path) -> None:
    assert [str(remark) for remark in lint(in_use(tmp_path))] == []
    definition = load_definition(tmp_path)
    assert len(definition.questionnaire.questions) == 5
    assert definition.text("about", "de") is not None


def test_lint_tells_all_files_and_ends_with_65(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / TEXTS_FILE).write_text('titel: {en: "x"}\n')
    (tmp_path / QUESTIONS_FILE).write_text("questions: [{id: a}]\n")
    (tmp_path / NOTICES_FILE).write_text("times = []\n")
    assert run("lint", "--dir", str(tmp_path)) == 65
    told = capsys.readouterr().out
    assert {line.split(":")[0] for line in told.splitlines()} == {
        TEXTS_FILE,
        QUESTIONS_FILE,
        NOTICES_FILE,
    }


def test_lint_tells_other_programs_the_same(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / TEXTS_FILE).write_text('lead: {en: "See https://example.org"}\n')
    assert run("lint", "--dir", str(tmp_path), "--json") == 0, "a warning stops nobody"
    [remark] = json.loads(capsys.readouterr().out)
    assert (remark["file"], remark["place"], remark["warning"]) == (
        TEXTS_FILE,
        "lead: en",
        True,
    )


def test_questions_that_make_the_page_too_large_are_told(tmp_path: Path) -> None:
    asked = [f'{{id: q{n}, kind: line, ask: {{en: "{"x" * 299}"}}}}' for n in range(60)]
    (tmp_path / QUESTIONS_FILE).write_text(f"questions: [{', '.join(asked)}]\n")
    told = [str(remark) for remark in lint(tmp_path)]
    assert any(f"but {PAGE_BYTES_MAX} are the most" in line for line in told), told


def test_lint_of_no_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match="no such folder"):
        run("lint", "--dir", str(tmp_path / "nowhere"))


def test_a_preview_is_marked_and_shows_the_texts_in_every_language(tmp_path: Path) -> None:
    definition = load_definition(in_use(tmp_path))
    with preview(definition) as intake, web.running(make_site(intake)) as url:
        for language, title in (
            ("en", "Tell us about"),
            ("de", "Sagen Sie uns"),
            ("fa", "Tell"),
        ):
            answer = httpx.get(f"{url}/{language}/", trust_env=False, timeout=30)
            assert answer.status_code == 200
            assert "PREVIEW" in answer.text
            assert title in answer.text
        assert httpx.post(url + "/commit", content=b"c" * 31, trust_env=False).is_error


def test_a_preview_leaves_nothing_behind() -> None:
    with preview(Definition()) as intake:
        folder = intake.store.folder
        assert folder.is_dir()
    assert not folder.exists()


def test_a_preview_is_for_this_machine_only(tmp_path: Path) -> None:
    for listen in ("0.0.0.0:8009", ":8009", "door.example:80"):
        with pytest.raises(RefusedError, match="on this machine only"):
            run("preview", "--dir", str(tmp_path), "--listen", listen)


def test_a_notice_can_be_sent_as_a_test(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = in_use(tmp_path)
    write_programme(folder, programme())
    with open_house() as house:
        text = (folder / NOTICES_FILE).read_text().replace("port = 25", f"port = {house.port}")
        (folder / NOTICES_FILE).write_text(text)
        run("notice", "--now", "--dir", str(folder))
    [letter] = house.letters
    assert "as a test" in str(letter.get_payload())
    assert "sent to 1" in capsys.readouterr().out


def programme() -> Programme:
    return Programme(
        name=builders.NAME,
        gazette="http://log.example/gazette",
        gazette_origin=builders.GAZETTE.name,
        ledger="http://log.example/ledger",
        ledger_origin=builders.LEDGER.name,
        door="http://door.example",
        register="http://register.example",
        policy=builders.POLICY,
        policy_text=builders.POLICY_TEXT.encode(),
    )


def test_a_door_starts_with_its_files_and_not_with_broken_ones(tmp_path: Path) -> None:
    folder = in_use(tmp_path)
    write_programme(folder, programme())
    keys.new_signing_key(folder / KEY_FILE, "door.example")
    intake = open_intake(folder)
    assert len(intake.definition.questionnaire.questions) == 5
    assert (folder / DAYS_FILE).exists()
    (folder / TEXTS_FILE).write_text('titel: {en: "x"}\n')
    with pytest.raises(MalformedError, match=r"texts\.yaml: titel") as caught:
        open_intake(folder)
    assert "door lint" in caught.value.hint


def test_the_verbs_and_jobs_are_the_doors() -> None:
    parser = argparse.ArgumentParser(prog="safeconduct door")
    add_arguments(parser)
    assert parser.parse_args(["lint", "--dir", "x"]).dir == Path("x")
    assert {"notices", "statistics"} <= set(JOBS)
    assert staff_site.routes in STAFF
