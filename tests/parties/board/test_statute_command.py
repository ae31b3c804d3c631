"""`safeconduct statute`: its verbs, their output and their exit codes."""

import argparse
import json
from pathlib import Path
from typing import Any

import pytest
from tests.protocol.statute.laws import (
    EXAMPLE,
    GOOD_TIP,
    STATUTES,
    example,
    example_document,
)

from safeconduct.errors import MalformedError
from safeconduct.parties.board.statute_command import add_arguments
from safeconduct.protocol.canonical import format_json
from safeconduct.protocol.statute import load_statute

LATE = "2027-09-01T00:00:00Z"


def run(*words: str | Path) -> int:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    args = parser.parse_args([str(word) for word in words])
    return int(args.run(args))


def facts_file(folder: Path, *tips: Any) -> Path:
    path = folder / "facts.json"
    path.write_bytes(format_json({"lists": {"tips": list(tips)}}))
    return path


def test_the_example_act_lints_and_tests_clean(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("lint", EXAMPLE) == 0
    assert run("test", EXAMPLE) == 0
    out, err = capsys.readouterr()
    assert out.count("✓") == len(example().cases)
    assert "nothing to complain about" in err


def test_compiling_prints_the_bytes_that_are_hashed(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert run("compile", EXAMPLE) == 0
    data = capsys.readouterr().out.encode()
    assert load_statute(data).sha256 == example().sha256
    compiled = tmp_path / "statute.json"
    compiled.write_bytes(data)
    assert run("lint", compiled) == 0


def test_a_failing_case_fails_the_test(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    document = example_document()
    document["cases"][0]["outcome"] = "registration_stands"
    path = tmp_path / "statute.json"
    path.write_bytes(format_json(document))
    assert run("test", path) == 65
    assert run("lint", path) == 65
    out, err = capsys.readouterr()
    assert "✗ a useful tip logged one second before the date acquits" in out
    assert f"{path}: cases[0]: “a useful tip" in out
    assert f"{path}: cases[0]: “a useful tip" in err


def test_a_decided_case_exits_0(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert run("eval", EXAMPLE, facts_file(tmp_path, GOOD_TIP), "--as-of", LATE) == 0
    out, _ = capsys.readouterr()
    assert out.startswith("acquitted (3, 4(1))\n")
    assert "✓ before tips[0].logged" in out


def test_an_open_case_exits_3_and_names_who_owes_what(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    facts = facts_file(tmp_path, GOOD_TIP | {"grade": "unknown"})
    assert run("eval", EXAMPLE, facts, "--as-of", LATE, "--json") == 3
    out, err = capsys.readouterr()
    assert json.loads(out)["outcome"] == "undetermined"
    assert err == "open: tips[0].grade, owed by assessor, section 4(1)\n"


def test_facts_may_be_authored_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "facts.yaml"
    path.write_text("lists: {tips: [{logged: 5, acknowledged: ok}]}\n")
    assert run("eval", EXAMPLE, path) == 3
    assert "tips[0].author_proven, owed by claimant" in capsys.readouterr().err


CZECHIA = STATUTES / "czechia" / "lustration-1991"
CANDIDATE = """\
facts: {certificate_delivered: "1992-02-20", declaration: given}
lists:
  records:
    - {category: candidate, kept: {begin: "1983", end: "1987"}, knew: true, passed: true}
"""


def judged_beside(
    folder: Path, capsys: pytest.CaptureFixture[str], facts: str, *words: str | Path
) -> tuple[Any, str]:
    """What the first version of the Czech law says in 1994, and what is said beside it."""
    path = folder / "facts.yaml"
    path.write_text(facts)
    run("eval", CZECHIA / "1.yaml", path, "--as-of", "1994-06-01", "--json", *words)
    out, err = capsys.readouterr()
    return json.loads(out), err


def test_a_version_is_judged_without_what_those_beside_it_say_was_struck(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    beside = ("--beside", CZECHIA / "3.yaml", "--beside", CZECHIA / "2.yaml")
    alone, _ = judged_beside(tmp_path, capsys, CANDIDATE)
    struck, said = judged_beside(tmp_path, capsys, CANDIDATE, *beside)
    assert alone["outcome"] == "may_not_hold_office"
    assert (struck["outcome"], struck["statute"]) == ("may_hold_office", alone["statute"])
    assert "annulled" not in alone
    [annulled] = struck["annulled"]
    assert annulled.startswith("version 1, section 2(1)(c), 2(2): struck from 1992-12-13T23")
    assert (said, "left_out" in struck) == ("", False)


def test_a_fact_that_only_a_version_beside_knows_is_left_out_and_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    born = CANDIDATE.replace("given", 'given, born: "1950-05-05"')
    with pytest.raises(MalformedError, match=r"facts\.born: means nothing here$"):
        judged_beside(tmp_path, capsys, born)
    capsys.readouterr()
    found, _ = judged_beside(tmp_path, capsys, born, "--beside", CZECHIA / "4.yaml")
    without, _ = judged_beside(tmp_path, capsys, CANDIDATE)
    assert found["left_out"] == ["born"]
    assert {name: each for name, each in found.items() if name != "left_out"} == without


def test_the_version_and_those_beside_it_give_what_the_folder_gives(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    facts = tmp_path / "facts.yaml"
    facts.write_text(CANDIDATE)
    run("eval", CZECHIA, facts, "--claim", "1992-03-01", "--as-of", "1994-06-01")
    told = capsys.readouterr().out
    number = told[told.index("\nversion ") :].split()[1]
    assert number == "2"
    others = [path for path in sorted(CZECHIA.glob("*.yaml")) if path.stem != number]
    beside = [word for path in others for word in ("--beside", str(path))]
    run("eval", CZECHIA / "2.yaml", facts, "--as-of", "1994-06-01", *beside)
    [tree] = [line for line in told.splitlines() if line.startswith("tree hash")]
    assert tree in capsys.readouterr().out.splitlines()


NOT_BESIDE: dict[str, tuple[Path, tuple[Path, ...], str]] = {
    "the version itself": (CZECHIA / "1.yaml", (CZECHIA / "1.yaml",), "version 1 was given"),
    "one twice": (CZECHIA / "1.yaml", (CZECHIA / "2.yaml",) * 2, "version 2 was given"),
    "another law": (EXAMPLE, (CZECHIA / "1.yaml",), "is not example-acquittal"),
    "a folder": (CZECHIA, (CZECHIA / "1.yaml",), "--beside goes with one file"),
}


@pytest.mark.parametrize("name", NOT_BESIDE)
def test_what_cannot_stand_beside_a_version_is_refused(name: str, tmp_path: Path) -> None:
    law, others, message = NOT_BESIDE[name]
    beside = [word for path in others for word in ("--beside", path)]
    with pytest.raises(MalformedError, match=message):
        run("eval", law, facts_file(tmp_path), *beside)


BROKEN = {
    "facts.json": ('{"facts":{"z":1}}', "facts.json: facts.z: means nothing here"),
    "pretty.json": ('{\n  "facts": {"z": 1}\n}\n', "pretty.json: facts.z: means nothing here"),
    "open.json": ('{\n  "facts": {"z": 1\n', "open.json:3:1: not JSON"),
    "twice.json": ('{"facts": {}, "facts": {}}', "twice.json: not JSON: repeated key"),
    "half.json": ('{"facts": {"z": 0.5}}', "half.json: JSON has no place for a float"),
    "facts.yaml": ("facts:\n  a: no\n", "facts.yaml:2:6: 'no' can be read"),
    "more.yaml": ("facts:\n  z: 1\n", "more.yaml:2:3: facts.z: means nothing here"),
    "facts.txt": ("", "facts.txt: must end in .yaml or .json"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_malformed_facts_are_named_with_their_place(tmp_path: Path, name: str) -> None:
    text, message = BROKEN[name]
    (tmp_path / name).write_text(text)
    with pytest.raises(MalformedError) as caught:
        run("eval", EXAMPLE, tmp_path / name)
    assert caught.value.message.startswith(f"{tmp_path}/{message}")


def test_facts_are_the_same_in_any_spelling_of_json(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    canonical = facts_file(tmp_path)
    written = tmp_path / "written.json"
    written.write_text(json.dumps(json.loads(canonical.read_text()), indent=4) + "\n")
    told = []
    for path in (canonical, written):
        code = run("eval", EXAMPLE, path)
        told.append((code, capsys.readouterr().out))
    assert told[0] == told[1]
