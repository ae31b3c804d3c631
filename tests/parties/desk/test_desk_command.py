"""The verbs of `safeconduct desk`, as they are typed."""

import argparse
import json
from pathlib import Path

import pytest
from tests.parties.desk.desk_world import World

from safeconduct.errors import MalformedError, RefusedError
from safeconduct.parties.desk.assess import assess
from safeconduct.parties.desk.command import add_arguments
from safeconduct.plumbing.programme import write_programme


@pytest.fixture
def folder(world: World) -> Path:
    write_programme(world.folder, world.desk.programme)
    return world.folder


def _run(folder: Path, verb: str, *words: str) -> int:
    parser = argparse.ArgumentParser(prog="safeconduct desk")
    add_arguments(parser)
    arguments = parser.parse_args([verb, "--dir", str(folder), *words])
    code: int = arguments.run(arguments)
    return code


def test_new_epoch_prints_the_same_record_each_time(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ("--number", "2", "--previous", "11" * 32)
    times = ("--opens", "2027-01-01T00:00:00Z", "--closes", "2027-07-01T00:00:00Z")
    for _ in range(2):
        assert _run(folder, "new-epoch", *asked, *times) == 0
    first, second = capsys.readouterr().out.split("safeconduct/v1/epoch\n")[1:]
    assert first == second
    assert "number 2\n" in first
    assert f"previous {'11' * 32}\n" in first


def test_an_epoch_that_closes_before_it_opens_is_refused(folder: Path) -> None:
    times = ("--opens", "2027-07-01T00:00:00Z", "--closes", "2027-01-01T00:00:00Z")
    with pytest.raises(RefusedError):
        _run(folder, "new-epoch", "--number", "2", *times)
    assert not (folder / "keys" / "epoch-2.statement").exists()


def test_tips_are_listed_shown_and_graded_by_the_first_digits_of_their_hash(
    world: World, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    digest = world.tip(0, "the ledger \u202eof May").hex()
    vote = ("--reliability", "B", "--credibility", "2", "--reasons", "it fits")
    for name in ("Anna", "Boris"):
        _run(folder, "grade", digest[:12], "--assessor", name, *vote, "--accuses", "I. B.")
    assess(world.desk, bytes.fromhex(digest))
    capsys.readouterr()
    _run(folder, "list")
    assert capsys.readouterr().out == (f"tip-1  2027-01-15T08:00:00Z  ok  useful  {digest}\n")
    _run(folder, "list", "--json")
    [listed] = json.loads(capsys.readouterr().out)
    assert (listed["hash"], listed["status"], listed["grade"]) == (digest, "ok", "useful")
    _run(folder, "show", digest[:8], "--json")
    shown = json.loads(capsys.readouterr().out)
    assert [vote["accuses"] for vote in shown["votes"]] == [["I. B."], ["I. B."]]
    _run(folder, "show", digest)
    said = capsys.readouterr().out
    assert "\u202e" not in said
    assert "the ledger \\u{202e}of May" in said


def test_digits_of_no_tip_or_of_several_are_refused(world: World, folder: Path) -> None:
    world.tip(0, "one")
    world.tip(1, "two")
    for digits, reason in (("", "no tip"), ("0", "no tip"), ("zzzz", "record hash")):
        with pytest.raises(RefusedError, match=reason):
            _run(folder, "show", digits)


def test_a_statement_is_kept_from_a_text_file_only(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = folder / "speech.txt"
    text.write_text("I was abroad in May.")
    for _ in range(2):
        _run(folder, "keep-statement", "--text-file", str(text), "--speaker", "Igor Balan")
    first, second = capsys.readouterr().out.split()
    assert first == second
    text.write_bytes(b"\xff\xfe")
    with pytest.raises(MalformedError, match="not UTF-8"):
        _run(folder, "keep-statement", "--text-file", str(text))


@pytest.mark.parametrize(
    "listen", ["0.0.0.0:8400", "192.0.2.1:8400", ":8400", "desk.example:1"]
)
def test_the_console_is_never_shown_to_the_network(folder: Path, listen: str) -> None:
    with pytest.raises(RefusedError, match="this machine only"):
        _run(folder, "serve", "--listen", listen)


@pytest.mark.parametrize(
    "verb",
    [
        "new-epoch",
        "rotate",
        "epochs",
        "retire",
        "export",
        "archive",
        "archive new",
        "archive draft",
        "archive check",
        "archive combine",
        "archive fill",
        "archive give",
        "pull",
        "list",
        "show",
        "grade",
        "assess",
        "serve",
    ],
)
def test_each_verb_shows_an_example(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    parser = argparse.ArgumentParser(prog="safeconduct desk")
    add_arguments(parser)
    with pytest.raises(SystemExit, match="0"):
        parser.parse_args([*verb.split(), "--help"])
    assert f"$ safeconduct desk {verb}" in capsys.readouterr().out
