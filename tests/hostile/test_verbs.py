"""Every verb is given malformed files: one `error:` line, and an exit code of the table."""

import argparse
import shutil
from collections.abc import Iterator

import pytest
from tests.hostile.console import (
    KINDS,
    ROOT,
    WORDS,
    Console,
    check_refused,
    spoil,
    still,
    too_large,
)
from tests.hostile.spoilt_bodies import OWN_OF_BODIES, SPOILT_BY_BODIES, WHOLE_OF_BODIES
from tests.hostile.spoilt_files import OWN, SPOILT, WHOLE, Case

from safeconduct.cli import VERBS, make_parser, run

IGNORED = {"public": None}
SPOILT_OWN = [
    pytest.param(command, folder, name, id=f"{command.partition(' --')[0]}: {name}")
    for command, (folder, names) in {**OWN, **OWN_OF_BODIES}.items()
    for name in names
]


@pytest.mark.parametrize("command", [*WHOLE, *WHOLE_OF_BODIES])
def test_the_same_verbs_work_when_the_files_are_whole(console: Console, command: str) -> None:
    assert console.run(command) == 0, console.said
    assert "error" not in console.said


@pytest.mark.parametrize(
    "case", [*SPOILT, *SPOILT_BY_BODIES], ids=lambda case: str(case.command)
)
def test_a_malformed_file_gets_one_clear_error_and_changes_nothing(
    console: Console, case: Case
) -> None:
    given = console.folder / case.valid
    valid = (given if given.exists() else ROOT / case.valid).read_bytes()
    before = console.held()
    for kind in case.kinds:
        spoil(console.folder / case.name, kind, valid)
        code = console.run(case.command)
        check_refused(console, f"{case.command} ({kind})", code)
    assert console.held() == before


@pytest.mark.parametrize(("command", "own", "name"), SPOILT_OWN)
def test_a_party_whose_own_file_is_spoilt_says_so_and_does_not_start(
    console: Console, command: str, own: str, name: str
) -> None:
    copy = console.folder / "own"
    before = console.held()
    # An empty database is a new one, and one with zeros behind it is whole.
    for kind in KINDS[3:] if name.endswith(("sqlite", ".db")) else KINDS:
        shutil.copytree(console.folder / own, copy, ignore=IGNORED.get(own, too_large))
        path = next(copy.glob(name))
        spoil(path, kind, path.read_bytes())
        spoilt = still(copy)
        code = console.run(command, WORDS)
        check_refused(console, f"{command} ({name} {kind})", code)
        assert still(copy) == spoilt
        assert not (copy / "made").exists()
        shutil.rmtree(copy)
    assert console.held() == before


@pytest.mark.parametrize("kind", ["empty", "truncated"])
def test_an_audit_whose_own_memory_is_spoilt_begins_anew_and_says_so(
    console: Console, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    command = "audit public --policy policy.txt --logs-only --resume places"
    assert console.run(command) == 0
    places = console.folder / "places"
    spoil(places, kind, places.read_bytes())
    capsys.readouterr()
    before = console.held()
    assert console.run(command) == 0
    assert "from entry 0" in capsys.readouterr().out
    assert not console.said
    assert console.held() == before


@pytest.mark.parametrize("name", ["policy.txt", "receipts/clerk.record", "board/member-1/key"])
def test_an_audit_never_writes_its_memory_over_another_file(
    console: Console, name: str
) -> None:
    given = console.folder / "given"
    given.write_bytes((console.folder / name).read_bytes())
    given.chmod(0o600)
    before = given.read_bytes()
    code = console.run("audit public --policy policy.txt --logs-only --resume given")
    check_refused(console, name, code)
    assert given.read_bytes() == before


@pytest.mark.parametrize("name", ["public.json", "capture.record", "capture.tlog-proof"])
def test_a_claim_with_a_spoilt_capture_is_refused_before_it_is_filed(
    console: Console, name: str
) -> None:
    before = console.held()
    capture = next((console.played.folder / "press" / "captures").iterdir())
    copy = console.folder / "own"
    command = "source claim --programme programme --subject r-0002 --name x --capture own"
    for kind in KINDS:
        shutil.copytree(capture, copy)
        spoil(copy / name, kind, (copy / name).read_bytes())
        code = console.run(command, WORDS)
        check_refused(console, f"{command} ({name} {kind})", code)
        shutil.rmtree(copy)
    assert console.held() == before


@pytest.mark.parametrize(
    "name", ["manifest", "SHA256SUMS", "register.json", "ledger/checkpoint"]
)
def test_an_audit_of_a_spoilt_folder_fails_and_tells_the_file(
    console: Console, name: str
) -> None:
    copy = console.folder / "own"
    for kind in KINDS:
        shutil.copytree(console.played.folder / "public", copy)
        spoil(copy / name, kind, (copy / name).read_bytes())
        assert console.run("audit own --policy policy.txt") == 10, kind
        assert "Traceback" not in console.said
        shutil.rmtree(copy)


def levels(parser: argparse.ArgumentParser) -> Iterator[list[str]]:
    """The words of every command below `parser`."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, child in action.choices.items():
                yield [name]
                yield from ([name, *words] for words in levels(child))


COMMANDS = [
    [],
    *([verb] for verb in VERBS),
    *(
        words
        for verb in VERBS
        for words in levels(make_parser([verb]))
        if words[0] == verb and words[1:]
    ),
]


@pytest.mark.parametrize("words", COMMANDS, ids=lambda words: " ".join(words) or "safeconduct")
def test_help_at_each_level_shows_an_example(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        run([*words, "--help"])
    assert ended.value.code == 0
    shown = capsys.readouterr().out
    verb = " ".join(["safeconduct", *(["door"] if words[:1] == ["serve"] else words[:1])])
    lines = [line.strip().removeprefix("$ ") for line in shown.split("\n")]
    assert shown.startswith("usage: ")
    assert any(line.startswith(f"{verb} ") for line in lines)
