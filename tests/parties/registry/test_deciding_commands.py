"""The clerk's verbs for votes, appeals and the board's console."""

import argparse
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.parties.registry.appealing import PANEL, WHY, settled, with_panel
from tests.parties.registry.register_world import World, appeal_of, state_of
from tests.parties.registry.test_register_command import JUDGED, desk_files
from tests.protocol.builders import MEMBERS, POLICY, signing_key

from safeconduct.errors import MalformedError, RefusedError, SafeconductError
from safeconduct.parties.board.sign import sign_all
from safeconduct.parties.registry import command, decide, deciding_command
from safeconduct.protocol.docket import check_docket
from safeconduct.protocol.tlog.note import format_vkey

STANDS = "registration_stands"


@pytest.fixture(autouse=True)
def _the_register(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (command, deciding_command):
        monkeypatch.setattr(module, "open_registry", lambda _: world.registry)


def run(world: World, *arguments: str) -> int:
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    options = parser.parse_args([*arguments, "--dir", str(world.folder)])
    code: int = options.run(options)
    return code


def put(folder: Path, name: str, data: bytes) -> str:
    path = folder / name
    path.write_bytes(data)
    return str(path)


def test_a_case_goes_from_a_docket_to_a_panels_decision(
    world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    claim = world.filed()
    run(world, "propose", "1", *JUDGED, "--out", str(tmp_path / "draft"))
    run(world, "docket", "1", "--out", str(tmp_path / "docket"))
    found = check_docket((tmp_path / "docket").read_bytes(), world.state(), POLICY)
    signed, votes = settled(found, STANDS)
    files = put(tmp_path, "signed", signed), put(tmp_path, "votes", votes)
    run(world, "enter", "1", files[0], "--votes", files[1])
    assert state_of(world, claim) == "decided"

    with_panel(world)
    decide.appeal(world.registry, claim, appeal_of(signed))
    evidence = desk_files(tmp_path)
    out = str(tmp_path / "appeal")
    run(world, "appeal-propose", "1", *JUDGED, *evidence, "--out", out)
    assert "acquitted: sign" in capsys.readouterr().out
    run(world, "docket", "1", "--out", str(tmp_path / "docket"))
    heard = check_docket((tmp_path / "docket").read_bytes(), world.state(), POLICY)
    signed, votes = settled(heard, "remit", WHY, PANEL[:2])
    files = put(tmp_path, "signed", signed), put(tmp_path, "votes", votes)
    why = put(tmp_path, "why", f"{WHY}\n".encode())
    run(world, "appeal-enter", "1", files[0], "--votes", files[1], "--departure", why)
    assert f"remit: {STANDS}" in capsys.readouterr().out
    assert state_of(world, claim) == "remitted"


def test_the_consoles_key_is_kept(world: World) -> None:
    vkey = format_vkey(signing_key("console.example").verifier())
    run(world, "console-key", vkey)
    assert (world.folder / "console.vkey").read_text() == f"{vkey}\n"


WRONG: dict[str, tuple[type[SafeconductError], Callable[[Path], list[str]]]] = {
    "a docket of a case that nobody votes on": (
        RefusedError,
        lambda folder: ["docket", "1", "--out", str(folder / "out")],
    ),
    "an appeal that nobody made": (
        RefusedError,
        lambda folder: ["appeal-propose", "1", *JUDGED, "--out", str(folder / "out")],
    ),
    "a case joined with itself": (
        RefusedError,
        lambda folder: ["propose", "1", "--with", "1", *JUDGED, "--out", str(folder / "out")],
    ),
    "a case joined with none": (
        RefusedError,
        lambda folder: ["propose", "1", "--with", "9", *JUDGED, "--out", str(folder / "out")],
    ),
    "a withdrawal without its proof": (
        MalformedError,
        lambda folder: [
            *("propose", "1", "--withdrawal", put(folder, "w", b"x")),
            *JUDGED,
            *("--out", str(folder / "out")),
        ],
    ),
    "a console without a key": (MalformedError, lambda _: ["console-key", "no key"]),
}


@pytest.mark.parametrize("what", WRONG)
def test_a_wrong_verb_is_one_error_and_changes_nothing(
    world: World, tmp_path: Path, what: str
) -> None:
    family, arguments = WRONG[what]
    world.filed()
    before = world.held()
    with pytest.raises(family):
        run(world, *arguments(tmp_path))
    assert world.held() == before
    assert not (tmp_path / "out").exists()


def test_votes_that_are_none_are_refused(world: World, tmp_path: Path) -> None:
    claim = world.filed()
    signed = sign_all(world.proposed(claim).record, MEMBERS[:2])
    files = put(tmp_path, "signed", signed), put(tmp_path, "votes", b"[]")
    with pytest.raises(MalformedError):
        run(world, "enter", "1", files[0], "--votes", files[1])
    assert state_of(world, claim) == "proposed"
