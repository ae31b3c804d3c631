"""The door's command: onion services, staff keys, what runs beside the site."""

import argparse
import base64
import re
import stat
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.parties import servers
from tests.parties.intake.door_world import World, open_world
from tests.protocol import builders
from tests.system_tools import need_tool

from safeconduct.errors import (
    MalformedError,
    RefusedError,
    SafeconductError,
    UnavailableError,
)
from safeconduct.parties.intake import command, onion
from safeconduct.plumbing import dice, fetch, tor
from safeconduct.plumbing.durable import write_secret
from safeconduct.plumbing.programme import write_programme
from safeconduct.protocol.age.x25519 import public_key
from safeconduct.protocol.tlog.note import format_skey

MODULE = "safeconduct.parties.intake.command"
NAME = "a" * 56
PORTS = {
    "8081=127.0.0.1:9001": (8081, "127.0.0.1:9001"),
    "1=[::1]:65535": (1, "[::1]:65535"),
}
NO_PORTS = (
    "",
    "8081",
    "80=127.0.0.1:1",
    "0=h:1",
    "08=h:1",
    "65536=h:1",
    "8=h",
    "8=:1",
    "8=h:x",
)


def parsed(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    return parser.parse_args(words)


@pytest.mark.parametrize("text", PORTS)
def test_a_port_leads_to_another_server(text: str) -> None:
    assert onion.parse_onion_port(text) == PORTS[text]


@pytest.mark.parametrize("text", NO_PORTS)
def test_what_is_no_port_and_server_is_refused(text: str) -> None:
    with pytest.raises(MalformedError):
        onion.parse_onion_port(text)


@pytest.fixture
def staffed(tmp_path: Path) -> Path:
    """A door's folder whose staff service has got its name."""
    staff = tmp_path / "onion" / "staff"
    for folder in (tmp_path / "onion", staff):
        tor.make_private(folder)
    (staff / "hostname").write_text(f"{NAME}.onion\n")
    return tmp_path


def test_a_staff_key_is_shown_once_and_its_public_half_is_kept(
    staffed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = parsed("staff-key", "anna", "--dir", str(staffed))
    assert options.run(options) == 0
    match = re.fullmatch(
        rf"{NAME}:descriptor:x25519:([A-Z2-7]{{52}})\n", capsys.readouterr().out
    )
    assert match is not None
    public = public_key(base64.b32decode(match[1] + "===="))
    kept = (staffed / "onion" / "staff" / "authorized_clients" / "anna.auth").read_text()
    assert kept == f"descriptor:x25519:{base64.b32encode(public).decode().rstrip('=')}\n"
    with pytest.raises(RefusedError, match="already exists"):
        options.run(options)


def test_without_a_staff_service_there_is_no_staff_key(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError, match="no staff onion service yet") as caught:
        onion.new_staff_key(tmp_path, "anna", dice.random_bytes)
    assert "--staff" in caught.value.hint


def test_tor_itself_takes_what_is_prepared_and_staff_pages_begin_closed(tmp_path: Path) -> None:
    need_tool("tor", "tor")
    onions = onion.Onions(folder=tmp_path, staff="127.0.0.1:8002", ports={8081: "127.0.0.1:1"})
    for _ in range(2):
        onion.prepare(onions, dice.random_bytes)
    root = tmp_path / "onion"
    assert [path.name for path in (root / "staff" / "authorized_clients").iterdir()] == [
        "nobody.auth"
    ]
    for path in (root, *root.rglob("*")):
        assert not stat.S_IMODE(path.stat().st_mode) & 0o077
    assert set(onion.jobs(onions)) == {"tor", "names", "relay 8081"}


def test_lines_that_tor_does_not_take_are_refused_before_the_door_opens(tmp_path: Path) -> None:
    need_tool("tor", "tor")
    with pytest.raises(MalformedError, match="Nonsense"):
        onion.prepare(onion.Onions(folder=tmp_path, more="Nonsense 1"), dice.random_bytes)


def test_names_are_told_when_tor_has_given_them(
    staffed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    onions = onion.Onions(folder=staffed, staff="127.0.0.1:8002")
    telling = threading.Thread(target=onion.tell_names, args=(onions, threading.Event()))
    telling.start()
    public = staffed / "onion" / "public"
    tor.make_private(public)
    (public / "made").write_text(f"{'b' * 56}.onion\n")
    (public / "made").rename(public / "hostname")  # at once, as Tor does it
    telling.join(100)
    assert capsys.readouterr().out == (
        f"onion service http://{'b' * 56}.onion\nstaff onion service http://{NAME}.onion\n"
    )


def test_a_door_without_a_folder_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    options = parsed("--listen", "127.0.0.1:0")
    with pytest.raises(SystemExit) as caught:
        options.run(options)
    assert caught.value.code == 2
    assert "--dir" in capsys.readouterr().err


@pytest.mark.parametrize("words", [["--onion-port", "8=h:1"], ["--torrc", "x"]])
def test_what_belongs_to_an_onion_service_is_refused_without_one(
    tmp_path: Path, words: list[str]
) -> None:
    options = parsed("--dir", str(tmp_path), *words)
    with pytest.raises(RefusedError, match="without --onion"):
        options.run(options)


def failing(
    times: int, error: Exception
) -> tuple[Callable[[threading.Event], None], list[int]]:
    calls: list[int] = []

    def job(_: threading.Event) -> None:
        calls.append(len(calls))
        if len(calls) <= times:
            raise error

    return job, calls


@pytest.mark.parametrize("error", [UnavailableError("the log is away"), KeyError("a secret")])
def test_a_job_that_fails_is_begun_again_and_tells_no_values(
    error: Exception, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command, "_AGAIN_SECONDS", 0.01)
    job, calls = failing(2, error)
    command._work("gate", job, threading.Event())
    assert calls == [0, 1, 2]
    told = capsys.readouterr().err
    assert "a secret" not in told
    shown = error.message if isinstance(error, SafeconductError) else "internal fault: KeyError"
    assert told.count(f"gate: {shown}\n") == 2


def test_a_job_that_fails_ends_with_the_door(monkeypatch: pytest.MonkeyPatch) -> None:
    job, calls = failing(99, UnavailableError("away"))
    with command._working({"gate": job}):
        pass
    assert calls in ([], [0])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """What a door needs to begin: its key and the public files of a programme."""
    with open_world(tmp_path / "world") as world:
        return prepared(world, tmp_path / "door")


def prepared(world: World, folder: Path) -> Path:
    folder.mkdir()
    write_programme(folder, world.intake.programme)
    write_secret(folder / command.KEY_FILE, format_skey(builders.SERVER).encode() + b"\n")
    return folder


def test_the_door_and_its_staff_pages_are_two_sites_of_one_process(folder: Path) -> None:
    listen = ("--dir", str(folder), "--listen", "127.0.0.1:0", "--staff", "127.0.0.1:0")
    server = servers.start(MODULE, *listen)
    with servers.stopped_at_the_end([server]):
        assert server.process.stdout is not None
        line = server.process.stdout.readline()
        staff = line.removeprefix("staff pages on ").strip()
        assert fetch.get(f"{staff}/health", bytes_max=100).startswith(b"ok")
        assert fetch.get(f"{server.url}/health", bytes_max=100)
        with pytest.raises(SafeconductError):
            fetch.get(f"{staff}/programme.toml", bytes_max=1 << 16)
        server.process.terminate()
        assert server.process.wait(100) == 0
