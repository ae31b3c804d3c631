"""The verbs of the console and of the appeal panel, and the rounds of a console that serves."""

import json
import time
from functools import partial
from pathlib import Path

import pytest
from tests.parties.board.console_world import (
    ANNA,
    BORIS,
    ORIGIN,
    PANEL,
    ConsoleWorld,
    served,
    state_with_panel,
)
from tests.protocol import builders

from safeconduct.cli import run as main
from safeconduct.errors import MalformedError, RefusedError
from safeconduct.parties.board import console_command, panel_command
from safeconduct.parties.board.console import Console
from safeconduct.parties.board.console_command import origin_of
from safeconduct.parties.board.console_pull import pulling
from safeconduct.parties.board.console_site import make_site
from safeconduct.parties.board.console_voting import cast, make_draft
from safeconduct.parties.board.panel_command import panel_record
from safeconduct.plumbing import clock, fetch, web
from safeconduct.plumbing.programme import Programme
from safeconduct.protocol.decision import final_draft
from safeconduct.protocol.gazette import fold
from safeconduct.protocol.record import sign_record
from safeconduct.protocol.tlog.note import format_vkey, parse_vkey
from safeconduct.protocol.votes import Vote

Said = pytest.CaptureFixture[str]
_WAIT_SECONDS = 100


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ConsoleWorld:
    """A console whose verbs reach the register of the tests."""
    world = ConsoleWorld(folder=tmp_path / "console")

    def opened(folder: Path, programme: Programme, origin: str) -> Console:
        world.start()
        return world.console

    monkeypatch.setattr(console_command, "open_console", opened)
    monkeypatch.setattr(console_command, "load_programme", lambda _: world.console.programme)
    monkeypatch.setattr(clock, "seconds", lambda: world.now)
    return world


def run(world: ConsoleWorld, *arguments: str) -> int:
    return main(["board", *arguments, "--dir", str(world.folder)])


def test_an_invitation_prints_a_code_that_enrols(world: ConsoleWorld, capsys: Said) -> None:
    world.pull()
    assert run(world, "invite", ANNA) == 0
    code = capsys.readouterr().out.strip()
    with served(world) as browser:
        assert "added" in browser().enrol(code).text


def test_an_invitation_is_for_members_only(world: ConsoleWorld, capsys: Said) -> None:
    assert run(world, "invite", ANNA) == RefusedError.exit_code
    assert "knows none yet" in capsys.readouterr().err
    world.pull()
    assert run(world, "invite", "nobody") == RefusedError.exit_code
    assert ANNA in capsys.readouterr().err


def test_an_invitation_makes_no_console(tmp_path: Path, capsys: Said) -> None:
    folder = tmp_path / "elsewhere"
    assert main(["board", "invite", ANNA, "--dir", str(folder)]) == RefusedError.exit_code
    assert not folder.exists()


NO_CONSOLE = {
    "pull": ("console-pull",),
    "list": ("console-list", "--member", ANNA),
    "put": ("console-put", __file__),
}


@pytest.mark.parametrize("verb", NO_CONSOLE)
def test_no_verb_makes_a_console_by_the_way(verb: str, tmp_path: Path, capsys: Said) -> None:
    folder = str(tmp_path / "elsewhere")
    arguments = ["board", *NO_CONSOLE[verb], "--dir", folder, "--programme", "x"]
    assert main(arguments) == RefusedError.exit_code
    assert "no console in this folder" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_nobody_lists_for_who_is_no_member(world: ConsoleWorld, capsys: Said) -> None:
    command = ("console-list", "--programme", "x", "--member", "nobody")
    assert run(world, *command) == RefusedError.exit_code


def test_the_consoles_key_stays_the_same(tmp_path: Path, capsys: Said) -> None:
    for _ in range(2):
        assert main(["board", "console-key", "--dir", str(tmp_path)]) == 0
    first, second = capsys.readouterr().out.split()
    assert parse_vkey(first) == parse_vkey(second)
    assert (tmp_path / "console.key").stat().st_mode & 0o777 == 0o600


def test_the_list_says_what_waits_for_whom(world: ConsoleWorld, capsys: Said) -> None:
    run(world, "console-list", "--programme", "x", "--member", ANNA)
    assert capsys.readouterr().out == "Case 7  r-0001  your vote  0 of 3\n"
    run(world, "console-list", "--programme", "x", "--member", ANNA, "--json")
    [case] = json.loads(capsys.readouterr().out)["cases"]
    assert (case["case"], case["waits_for"], case["yours"]) == ("Case 7", "your vote", True)
    run(world, "console-list", "--programme", "x", "--member", PANEL[0].name, "--json")
    assert json.loads(capsys.readouterr().out) == {"cases": [], "refused": []}


def test_a_register_that_is_away_fails_the_pull(world: ConsoleWorld, capsys: Said) -> None:
    assert run(world, "console-pull", "--programme", "x") == 0
    world.register.away = True
    assert run(world, "console-pull", "--programme", "x") != 0
    assert "does not answer" in capsys.readouterr().err


def test_a_signed_copy_can_be_put_from_a_file(
    world: ConsoleWorld, tmp_path: Path, capsys: Said
) -> None:
    world.pull()
    question, path = world.file().question, tmp_path / "decision.record"
    for member in (ANNA, BORIS):
        vote = Vote(member=member, vote="agree", outcome="acquitted")
        cast(world.console.store, question, member, vote, 0, world.now)
    final = partial(final_draft, world.file().docket)
    make_draft(
        world.console.store, question, ANNA, "acquitted", "", world.now, final, without_all=True
    )
    one, two = world.signed(builders.MEMBERS[0]), world.signed(*builders.MEMBERS[:2])
    for copy, said in ((one, "signed"), (one, "known"), (two, "settled")):
        path.write_bytes(copy)
        assert run(world, "console-put", str(path), "--programme", "x") == 0
        assert capsys.readouterr().out.endswith(f": {said}\n")
    path.write_bytes(sign_record(builders.statute_act(), builders.MEMBERS[:1]))
    assert run(world, "console-put", str(path), "--programme", "x") == 65


def test_a_console_that_serves_asks_by_itself(tmp_path: Path) -> None:
    world = ConsoleWorld(folder=tmp_path)
    site = make_site(world.console, pulling(world.console, every_seconds=0.05))
    with web.running(site) as url:
        deadline = time.monotonic() + _WAIT_SECONDS
        while not world.console.memory.pulled_at and time.monotonic() < deadline:
            time.sleep(0.02)
        headers = {"host": "localhost:8500"}
        health = fetch.get(f"{url}/health", bytes_max=100, headers=headers)
    assert health == f"ok {world.now}\n".encode()
    assert len(world.console.store.dockets()) == 1


ORIGINS = {
    ("127.0.0.1:8500", None): ORIGIN,
    ("localhost:80", None): "http://localhost",
    ("127.0.0.1:0", "https://board.example"): "https://board.example",
    ("0.0.0.0:8500", "https://board.example"): "https://board.example",
}


@pytest.mark.parametrize("given", ORIGINS)
def test_the_origin_follows_from_where_it_listens(given: tuple[str, str | None]) -> None:
    assert origin_of(*given) == ORIGINS[given]


def test_a_console_for_others_needs_an_origin_and_one_for_oneself_a_port() -> None:
    with pytest.raises(RefusedError, match="this machine only"):
        origin_of("0.0.0.0:8500", None)
    for listen in ("127.0.0.1:0", "127.0.0.1:x", "127.0.0.1:"):
        with pytest.raises(MalformedError, match="fixed"):
            origin_of(listen, None)
    with pytest.raises(MalformedError, match="https"):
        origin_of("127.0.0.1:8500", "http://board.example")


# The appeal panel.


def test_the_panel_that_is_drafted_is_taken_by_the_gazette() -> None:
    state = builders.gazette_state()
    for threshold in (2, 3):
        record = panel_record(state, builders.verifiers(PANEL), threshold)
        state = fold(state, builders.by_board(record))
    assert state.panel is not None
    assert (state.panel.threshold, len(state.panels)) == (3, 2)


def test_a_panel_has_no_key_of_the_board_and_decides_by_most() -> None:
    state = state_with_panel()
    mixed = builders.verifiers([*PANEL[:2], builders.MEMBERS[0]])
    with pytest.raises(RefusedError, match="key of the board"):
        panel_record(state, mixed, 2)
    for threshold in (0, 1, 4):
        with pytest.raises(RefusedError, match="more than half"):
            panel_record(state, builders.verifiers(PANEL), threshold)


def test_the_verb_writes_the_draft(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Said
) -> None:
    class View:
        state = builders.gazette_state()

    monkeypatch.setattr(panel_command, "read_gazette", lambda _: View)
    monkeypatch.setattr(panel_command, "load_programme", lambda _: None)
    members = [part for key in PANEL for part in ("--member", format_vkey(key.verifier()))]
    out = tmp_path / "panel.record"
    command = ["board", "panel", "--programme", "x", *members, "--threshold", "2"]
    assert main([*command, "--out", str(out)]) == 0
    assert out.read_bytes().startswith(b"safeconduct/v1/panel\n")
    assert "2 of 3 of the board must sign" in capsys.readouterr().out
