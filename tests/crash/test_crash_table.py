"""Each write of a log × {lost, kept but reported failed, torn}: then it is started again.

No acknowledged entry is missing, and no two trees that left the log contradict each other.
"""

from pathlib import Path

import pytest
from tests.crash.disk import WAYS, FailingDisk
from tests.crash.log_rig import BATCHES, make_rig

from safeconduct.parties.log import journal
from safeconduct.parties.log.fsck import check_log

SMALL_SEGMENT_BYTES = 8 << 10
RUNS_APART = 8  # the table is cut into as many tests, so that a failure is found quickly


@pytest.fixture(autouse=True)
def _small_segments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "SEGMENT_BYTES", SMALL_SEGMENT_BYTES)


def steps_of_a_faultless_run(folder: Path) -> int:
    disk = FailingDisk(folder=folder)
    rig = make_rig(folder)
    rig.play(disk)
    assert len(rig.acknowledged) == BATCHES[-1][1], "everything is acknowledged"
    rig.check()
    return disk.steps


def test_a_run_has_many_steps_to_fail_at(tmp_path: Path) -> None:
    assert steps_of_a_faultless_run(tmp_path) > 100


@pytest.mark.parametrize("part", range(RUNS_APART))
@pytest.mark.parametrize("way", WAYS)
def test_a_write_fails_and_nothing_is_lost_or_forked(
    way: str, part: int, tmp_path: Path
) -> None:
    steps = steps_of_a_faultless_run(tmp_path / "faultless")
    for fails_at in range(1 + part, steps + 1, RUNS_APART):
        folder = tmp_path / str(fails_at)
        rig, disk = make_rig(folder), FailingDisk(folder=folder, fails_at=fails_at, way=way)
        rig.play(disk)
        rig.check()
        report = check_log(rig.paths.path, lambda _: None)
        assert report.holds, f"step {fails_at} ({disk.failed_in}) {way}: {report}"
