"""A log on a disk of four megabytes: it says when it is full, serves on, and loses nothing."""

import os
from contextlib import suppress
from pathlib import Path

import pytest
from tests.crash.log_rig import Rig, entry, make_rig
from tests.parties.log.guard_world import ORIGIN

from safeconduct.errors import UnavailableError
from safeconduct.parties.log import journal
from safeconduct.parties.log.fsck import check_log
from safeconduct.parties.log.sequence import Log
from safeconduct.protocol.tlog.policy import verify_proof

DISK_BYTES = 4 << 20
SEGMENT_BYTES = 64 << 10
RESERVE_BYTES = 512 << 10
PIECE_BYTES = 16 << 10
ROUNDS_MAX = 400


@pytest.fixture
def rig(small_disk: Path, monkeypatch: pytest.MonkeyPatch) -> Rig:
    monkeypatch.setattr(journal, "SEGMENT_BYTES", SEGMENT_BYTES)
    return make_rig(small_disk)


def fill(disk: Path, leave_bytes: int) -> Path:
    """Somebody else's file, which takes all but `leave_bytes` of the disk."""
    ballast = disk / "ballast"
    with ballast.open("ab", buffering=0) as file, suppress(OSError):
        while _free_bytes(disk) > leave_bytes:
            file.write(bytes(min(PIECE_BYTES, _free_bytes(disk) - leave_bytes)))
    return ballast


def _free_bytes(disk: Path) -> int:
    found = os.statvfs(disk)
    return found.f_bavail * found.f_frsize


def add(rig: Rig, log: Log, number: int) -> None:
    promise = log.submit(entry(number))
    log.round()
    rig.acknowledged[entry(number)] = promise.result(timeout=0)


def served(rig: Rig, log: Log) -> None:
    """Everything that was acknowledged can be proven, whatever the disk is like."""
    for each, index in rig.acknowledged.items():
        assert verify_proof(log.proof(index), each, rig.policy, ORIGIN).index == index


def test_below_the_reserve_the_log_refuses_serves_on_and_comes_back_by_itself(
    rig: Rig,
) -> None:
    with rig.open(reserve_bytes=RESERVE_BYTES) as log:
        for number in range(5):
            add(rig, log, number)
        ballast = fill(rig.folder, leave_bytes=RESERVE_BYTES)
        log.round()
        with pytest.raises(UnavailableError, match="disk nearly full"):
            log.submit(entry(99))
        assert not log.health().accepting
        served(rig, log)
        ballast.unlink()
        log.round()
        add(rig, log, 99)
        assert log.health().accepting
        served(rig, log)


def test_a_disk_that_fills_up_at_once_stops_the_log_and_loses_nothing(rig: Rig) -> None:
    with suppress(UnavailableError), rig.open() as log:
        add(rig, log, 0)
        ballast = fill(rig.folder, leave_bytes=0)
        for number in range(1, ROUNDS_MAX):
            try:
                add(rig, log, number)
            except UnavailableError:
                served(rig, log)
                break
        else:
            pytest.fail("the disk never filled up")
    ballast.unlink()
    rig.check()
    assert check_log(rig.paths.path, lambda _: None).holds
