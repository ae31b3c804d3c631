"""Tor as a child: what it is told, how it is kept up, what is said when it is not there."""

import os
import signal
import stat
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from safeconduct.errors import MalformedError, RefusedError, SafeconductError, UnavailableError
from safeconduct.plumbing import tor

NAME = "a" * 56 + ".onion"
KEY = "A" * 52
WAIT_SECONDS = 60

# A stand-in that notes how it was started and which signals it gets.
ACTOR = """#!/bin/sh
case "$*" in
*--list-modules*) echo "pow: {pow}"; exit 0;;
*--verify-config*) echo "Jan 01 [warn] Unknown option 'Nonsense'."; exit {verified};;
esac
trap 'echo hup >> {folder}/life' HUP
trap 'echo term >> {folder}/life; exit 0' TERM
echo "start $$ $*" >> {folder}/life
while :; do sleep 0.05; done
"""


@pytest.fixture
def actor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Puts a program on the path that answers as `tor` does; gives what it notes."""

    def make(pow: str = "yes", verified: int = 0) -> Path:
        program = tmp_path / "bin" / "tor"
        program.parent.mkdir(exist_ok=True)
        # Its environment is ours to choose, and has no PATH in it: the shell has its own.
        program.write_text(ACTOR.format(pow=pow, verified=verified, folder=tmp_path))
        program.chmod(0o755)
        monkeypatch.setenv("PATH", str(program.parent))
        return tmp_path / "life"

    return make


def lines(life: Path) -> list[str]:
    return life.read_text().splitlines() if life.exists() else []


def wait_for(life: Path, true: Callable[[list[str]], bool]) -> list[str]:
    until = time.monotonic() + WAIT_SECONDS
    while not true(lines(life)):
        assert time.monotonic() < until, lines(life)
        time.sleep(0.02)
    return lines(life)


def test_a_torrc_serves_onions_and_nothing_else(tmp_path: Path) -> None:
    public = tor.Onion(
        folder=tmp_path / "a b",
        ports={8081: "127.0.0.1:9001", 80: f"unix:{tmp_path}/door.sock"},
    )
    staff = tor.Onion(folder=tmp_path / "staff", ports={80: "127.0.0.1:8002"}, public=False)
    torrc = tor.format_torrc(tmp_path / "data", [public, staff], "TestingTorNetwork 1\n")
    assert torrc.splitlines() == [
        "TestingTorNetwork 1",
        "SocksPort 0",
        f'DataDirectory "{tmp_path}/data"',
        "RunAsDaemon 0",
        "SafeLogging 1",
        "Log err stderr",
        f'HiddenServiceDir "{tmp_path}/a b"',
        "HiddenServiceVersion 3",
        f'HiddenServicePort 80 unix:"{tmp_path}/door.sock"',
        "HiddenServicePort 8081 127.0.0.1:9001",
        "HiddenServicePoWDefensesEnabled 1",
        "HiddenServicePoWQueueRate 250",
        "HiddenServicePoWQueueBurst 2500",
        "HiddenServiceMaxStreams 128",
        "HiddenServiceMaxStreamsCloseCircuit 1",
        "HiddenServiceExportCircuitID haproxy",
        f'HiddenServiceDir "{tmp_path}/staff"',
        "HiddenServiceVersion 3",
        "HiddenServicePort 80 127.0.0.1:8002",
    ]


@pytest.mark.parametrize("name", ['a"b', "a\\b", "a\nSocksPort 9050", "a\x7fb"])
def test_a_path_cannot_say_anything_to_tor(tmp_path: Path, name: str) -> None:
    with pytest.raises(MalformedError, match="quotes"):
        tor.format_torrc(tmp_path / name, [])


def test_without_tor_there_is_one_clear_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    for ask in (tor.check_torrc, lambda path: tor.keep_tor(path, threading.Event())):
        with pytest.raises(UnavailableError, match="not there") as caught:
            ask(tmp_path / "torrc")
        assert "apt install tor" in caught.value.hint


def test_a_tor_without_proof_of_work_will_not_do(
    actor: Callable[..., Path], tmp_path: Path
) -> None:
    actor(pow="no")
    with pytest.raises(UnavailableError, match="without proof of work"):
        tor.check_torrc(tmp_path / "torrc")


def test_what_tor_says_against_its_torrc_is_passed_on(
    actor: Callable[..., Path], tmp_path: Path
) -> None:
    actor(verified=1)
    with pytest.raises(MalformedError, match=r"Unknown option 'Nonsense'\.$"):
        tor.check_torrc(tmp_path / "torrc")
    actor(verified=0)
    tor.check_torrc(tmp_path / "torrc")


def test_tor_is_started_again_and_told_of_changes_until_the_end(
    actor: Callable[..., Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(tor, "_WAIT_SECONDS", 0.1)
    life, watched, stop = actor(), tmp_path / "clients", threading.Event()
    watched.mkdir()
    pids: list[int] = []
    keeping = threading.Thread(
        target=tor.keep_tor,
        args=(tmp_path / "torrc", stop),
        kwargs={"watched": [watched], "started": pids.append},
    )
    keeping.start()
    [first] = wait_for(life, lambda told: len(told) == 1)
    assert first.split()[1] == str(pids[0])
    assert first.endswith(f"--__OwningControllerProcess {os.getpid()}")
    time.sleep(2)  # so that the folder was looked at before
    (watched / "anna.auth").touch()
    wait_for(life, lambda told: told[-1] == "hup")
    os.kill(pids[0], signal.SIGKILL)
    wait_for(life, lambda told: told[-1].startswith("start") and len(told) == 3)
    stop.set()
    keeping.join(WAIT_SECONDS)
    assert lines(life)[-1] == "term"
    assert len(set(pids)) == 2
    assert capsys.readouterr().err == "tor ended; it is started again in 0.1 s\n"


def test_a_name_is_read_once_tor_has_given_it(tmp_path: Path) -> None:
    assert tor.read_hostname(tmp_path) is None
    (tmp_path / "hostname").write_text(NAME + "\n")
    assert tor.read_hostname(tmp_path) == NAME
    for wrong in ("", "example.org\n", NAME.replace("a", "1"), NAME + "x"):
        (tmp_path / "hostname").write_text(wrong)
        with pytest.raises(MalformedError, match="not the name"):
            tor.read_hostname(tmp_path)


def test_a_client_is_authorised_once_and_for_the_owner_alone(tmp_path: Path) -> None:
    tor.authorise(tmp_path, "anna-2", KEY)
    file = tor.clients(tmp_path) / "anna-2.auth"
    assert file.read_text() == f"descriptor:x25519:{KEY}\n"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    with pytest.raises(RefusedError, match="already exists"):
        tor.authorise(tmp_path, "anna-2", KEY)


UNAUTHORISED: dict[str, tuple[str, str]] = {
    "no name": ("", KEY),
    "a way out": ("../anna", KEY),
    "a hidden file": (".anna", KEY),
    "a long name": ("a" * 33, KEY),
    "no key": ("anna", ""),
    "a short key": ("anna", KEY[1:]),
    "another line": ("anna", KEY[:-2] + "\n:"),
    "small letters": ("anna", KEY.lower()),
}


@pytest.mark.parametrize("case", UNAUTHORISED)
def test_what_is_no_client_is_not_authorised(tmp_path: Path, case: str) -> None:
    with pytest.raises(SafeconductError):
        tor.authorise(tmp_path, *UNAUTHORISED[case])
    assert list(tmp_path.rglob("*.auth")) == []


def test_a_folder_that_others_can_read_is_refused(tmp_path: Path) -> None:
    open_to_all = tmp_path / "onion"
    open_to_all.mkdir(mode=0o755)
    open_to_all.chmod(0o755)
    with pytest.raises(RefusedError, match="others can look"):
        tor.make_private(open_to_all)
