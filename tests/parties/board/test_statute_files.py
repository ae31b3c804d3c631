"""Laws in files and folders: versions in order, faults at their line, one version chosen."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.parties.board.test_statute_command import run
from tests.protocol.statute.grown import grown
from tests.protocol.statute.test_statute_checks import clean

from safeconduct.errors import MalformedError
from safeconduct.parties.board.statute_files import read_law, read_laws, read_versions


def write(path: Path, document: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    text = yaml.safe_dump(document, default_style=None, sort_keys=False, allow_unicode=True)
    path.write_text(text, encoding="utf-8")
    return path


def second(**parameters: Any) -> Any:
    document = clean()
    document["version"] |= {
        "number": 2,
        "supersedes": "previous",
        "published": "2024-07-01T00:00:00Z",
        "in_force_from": "2024-07-01T00:00:00Z",
    }
    document["statute"]["governs"] |= {"day": "claim"}
    for name, values in parameters.items():
        document["parameters"][name] |= values
    return document


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A law with two versions; the second moves the last day from June to July."""
    first = clean()
    first["statute"]["governs"] |= {"day": "claim"}
    write(tmp_path / "law/1.yaml", first)
    later = second(last_day={"value": "2024-07-31"})
    later["cases"][1]["facts"]["facts"]["confessed"] = "2024-08-01"
    write(tmp_path / "law/2.yaml", later)
    (tmp_path / "law/README.md").write_text("# Law\n")
    return tmp_path / "law"


def facts(folder: Path) -> Path:
    return write(
        folder.parent / "facts.yaml", {"facts": {"confessed": "2024-07-15", "full": True}}
    )


def test_a_folder_holds_the_versions_of_a_law(folder: Path) -> None:
    first, later = read_versions(folder)
    assert later.statute.version.supersedes == first.statute.sha256
    assert read_law(folder / "2.yaml").statute == later.statute
    assert [len(each) for each in read_laws(folder.parent)] == [2]
    assert run("lint", folder.parent) == 0
    assert run("test", folder) == 0


def test_the_version_that_governs_is_told_with_the_other_result(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    days = ("--claim", "2024-06-15", "--as-of", "2024-08-15")
    assert run("eval", folder, facts(folder), *days) == 0
    out, _ = capsys.readouterr()
    assert out.startswith("spared ")
    assert "version 2, in force at the decision, is better for the person" in out
    assert "competing: version 1: nothing" in out
    assert run("eval", folder, facts(folder), *days, "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert document["outcome"] == "spared"
    assert (document["amount"]["most"], document["standing"]) == (50, "granted")
    assert document["steps"][0]["state"] in ("not_begun", "unknown")
    governed = document["governed"]
    assert (governed["version"], governed["basis"]) == (2, "favourable")
    assert governed["competing"]["judgement"]["outcome"] == "nothing"


def test_days_choose_a_version_only_in_a_folder(folder: Path) -> None:
    with pytest.raises(MalformedError, match="give the law's folder"):
        run("eval", folder / "1.yaml", facts(folder), "--act", "2024-06-15")


def test_what_a_version_changes_is_told_for_files_and_folders(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("diff", folder) == 0
    words = (
        "parameters.last_day: moves from 2024-06-30 17:00 to 2024-07-31 17:00, 31 days later"
    )
    assert words in capsys.readouterr().out
    mine = facts(folder)
    files = (folder / "1.yaml", folder / "2.yaml")
    assert run("diff", *files, "--facts", mine, "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert {each["kind"] for each in document["changes"]} == {"version", "parameter"}
    effects = {each["name"]: each["effect"] for each in document["cases"]}
    assert effects[str(mine)] == "better"
    assert document["broken"] == []


def test_a_broken_promise_is_shown_by_lint_and_diff(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(folder / "2.yaml", second(last_day={"value": "2024-06-01"}))
    assert run("lint", folder) == 65
    out, _ = capsys.readouterr()
    words = "parameters.last_day: was moved, although it may change later_only"
    assert any(
        line.startswith(f"{folder}/2.yaml:") and words in line for line in out.splitlines()
    )
    assert run("diff", folder) == 0
    assert f"! {folder}/2.yaml:" in capsys.readouterr().out


def test_complaints_are_shown_at_their_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    document = clean()
    document["procedure"]["appeal_suspends"] = False
    path = write(tmp_path / "1.yaml", document)
    line = next(
        number
        for number, text in enumerate(path.read_text().splitlines(), 1)
        if "appeal_suspends" in text
    )
    assert run("lint", path) == 65
    shown = f"{path}:{line}:3: procedure.appeal_suspends: effects would begin before"
    assert capsys.readouterr().out.startswith(shown)
    assert run("lint", path, "--json") == 65
    (complaint,) = json.loads(capsys.readouterr().out)
    assert (complaint["line"], complaint["column"]) == (line, 3)
    assert complaint["place"] == "procedure.appeal_suspends"


def test_a_fault_in_a_law_is_shown_at_its_line(tmp_path: Path) -> None:
    document = grown()
    document["sections"][0]["if"] = {"by": ["confessed", "z"]}
    path = write(tmp_path / "1.yaml", document)
    with pytest.raises(MalformedError) as caught:
        run("test", path)
    name, line, column, rest = caught.value.message.split(":", 3)
    assert name == str(path)
    assert path.read_text().splitlines()[int(line) - 1][int(column) - 1 :] == "- z"[2:]
    assert rest.startswith(" sections[0].if.by[1]: no fact is called z here")


FOLDERS: dict[str, tuple[list[str], str]] = {
    "a version left out": (["1.yaml", "3.yaml"], "law: there is no 2.yaml"),
    "no first version": (["2.yaml"], "law: there is no 1.yaml"),
    "two of one number": (["1.json", "1.yaml"], "law/1.yaml: version 1 stands in two files"),
    "no version": (["README.md"], "law: no law here"),
}


@pytest.mark.parametrize("name", FOLDERS)
def test_a_folder_is_refused(tmp_path: Path, name: str) -> None:
    files, message = FOLDERS[name]
    for file in files:
        write(tmp_path / "law" / file, clean())
    with pytest.raises(MalformedError) as caught:
        read_versions(tmp_path / "law")
    assert caught.value.message.startswith(f"{tmp_path}/{message}")


def test_previous_is_only_known_by_the_name_of_the_file(tmp_path: Path) -> None:
    for name in ("statute.yaml", "1.yaml"):
        path = write(tmp_path / name, second())
        with pytest.raises(MalformedError, match="`previous` is found by the file's name"):
            read_law(path)


def test_an_annulment_of_what_is_not_there_is_shown_in_its_file(tmp_path: Path) -> None:
    write(tmp_path / "1.yaml", clean())
    later = second()
    later["version"]["annuls"] = [
        {"version": 1, "from": "2024-07-01", "sections": ["77"], "by": "the court"}
    ]
    path = write(tmp_path / "2.yaml", later)
    with pytest.raises(MalformedError) as caught:
        read_versions(tmp_path)
    assert caught.value.message.startswith(f"{path}:")
    assert "version.annuls[0].sections[0]: version 1 states no rule in section 77" in str(
        caught.value
    )


def test_the_schema_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("schema") == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["$schema"] == "https://json-schema.org/draft/2020-12/schema"


def test_a_calendar_that_ends_too_soon_is_blamed_on_the_law(tmp_path: Path) -> None:
    law = write(tmp_path / "1.yaml", clean())
    late: Any = {"facts": {"confessed": "2024-06-01", "full": True, "received": "2030-05-06"}}
    path = write(tmp_path / "facts.yaml", late)
    with pytest.raises(MalformedError) as caught:
        run("eval", law, path, "--as-of", "2030-06-01")
    assert caught.value.message.startswith(f"{law}:")
    assert "calendar.holidays: the year 2030 is missing" in caught.value.message


def test_the_day_of_the_act_must_be_given_where_it_chooses(tmp_path: Path) -> None:
    write(tmp_path / "law/1.yaml", clean())
    with pytest.raises(MalformedError, match="the day of the act chooses the version"):
        run("eval", tmp_path / "law", facts(tmp_path / "law"), "--as-of", "2024-08-01")
