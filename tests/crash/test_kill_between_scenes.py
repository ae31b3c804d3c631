"""Every server is killed hard between scenes, and the play ends as if nothing had been."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from tests.world import KILLED_AFTER, Played, ledger_entries

from safeconduct.parties.auditor.check import audit
from safeconduct.parties.auditor.folder import Folder
from safeconduct.protocol.receipt import verify_receipt
from safeconduct.protocol.record import record_hash

FOUNDED = ("north", "south", "east", "log", "door", "desk", "register")
SERVERS = (*FOUNDED, "mirror")  # which starts in the last scene
IN_RECEIPTS = ("clerk", "engineer", "rival", "visitor", "late")
END_SECONDS = 120
ENDING = (signal.SIGTERM, signal.SIGINT)


def test_the_table_of_kills_names_every_server_and_every_pause(played: Played) -> None:
    killed = {name for names in KILLED_AFTER.values() for name in names}
    assert killed == set(SERVERS) == set(played.stage.names())
    assert played.scenes == tuple(KILLED_AFTER)


@pytest.mark.parametrize("server", SERVERS)
def test_a_killed_server_was_started_again_each_time(played: Played, server: str) -> None:
    kills = sum(server in names for names in KILLED_AFTER.values())
    assert kills >= (2 if server in FOUNDED else 1)
    assert played.stage.starts(server) == 1 + kills


def test_the_play_went_on_to_its_end_with_all_checks_green(played: Played) -> None:
    assert re.search(r"All \d+ checks hold", played.told)
    outcome = audit(Folder(root=played.folder / "public"), played.programme.policy)
    assert outcome.holds


@pytest.mark.parametrize("player", IN_RECEIPTS)
def test_a_receipt_from_before_the_kills_names_its_place_in_the_ledger(
    played: Played, player: str
) -> None:
    folder = played.folder / "receipts"
    record = (folder / f"{player}.record").read_bytes()
    proof = (folder / f"{player}.tlog-proof").read_bytes()
    receipt = verify_receipt(record, proof, played.programme.policy)
    entries = ledger_entries(played.programme)
    assert entries[receipt.logged.index] == record_hash(record)
    assert entries.count(record_hash(record)) == 1


@pytest.fixture(scope="module")
def demos(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[dict[int, tuple[int, set[int]]]]:
    """By signal: the exit status of a demo that got it, and the servers it left behind."""
    folder = tmp_path_factory.mktemp("ended")
    with ExitStack() as stack:
        started = {number: _start(stack, folder / number.name) for number in ENDING}
        for number, process in started.items():
            _read_until_founded(process)
            assert len(_processes(folder / number.name)) > len(FOUNDED)
            process.send_signal(number)
        yield {
            number: (process.wait(END_SECONDS), _processes(folder / number.name))
            for number, process in started.items()
        }


@pytest.mark.parametrize("number", ENDING, ids=lambda number: str(number.name))
def test_a_signal_ends_the_demo_with_all_its_servers(
    demos: dict[int, tuple[int, set[int]]], number: int
) -> None:
    status, left = demos[number]
    assert status == 130
    assert not left


def _start(stack: ExitStack, folder: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "safeconduct", "demo", "--dir", str(folder)]
    process = stack.enter_context(
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    )
    stack.callback(_end_all, folder)
    return process


def _end_all(folder: Path) -> None:
    """After a test that failed, nothing of it goes on running."""
    for pid in _processes(folder):
        os.kill(pid, signal.SIGKILL)


def _read_until_founded(process: subprocess.Popen[str]) -> None:
    assert process.stdout is not None
    told = ""
    for line in process.stdout:
        told += line
        if "run as separate processes" in line:
            return
    pytest.fail(f"the demo ended before its servers were up:\n{told}")


def _processes(folder: Path) -> set[int]:
    """The processes on this machine whose command line names `folder`."""
    found = set()
    for entry in Path("/proc").iterdir():
        if not entry.name.isdecimal():
            continue
        try:
            command = (entry / "cmdline").read_bytes()
        except OSError:  # it ended while we looked
            continue
        if os.fsencode(folder) in command:
            found.add(int(entry.name))
    return found
