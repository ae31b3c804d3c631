"""`safeconduct statute`: its verbs, their output and their exit codes."""

import argparse
import json
from pathlib import Path
from typing import Any

import pytest
from tests.protocol.statute.laws import EXAMPLE, GOOD_TIP, example, example_document

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


BROKEN = {
    "facts.json": ('{"facts":{"z":1}}', "facts.json: facts.z: means nothing here"),
    "blank.json": ('{"facts": {}}', "blank.json: JSON is not in canonical form"),
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
