import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.parties.log.guard_folders import copy, entries, found, grow, running
from tests.parties.log.guard_world import ORIGIN

from safeconduct.errors import UnavailableError
from safeconduct.parties.log.config import LogFolder
from safeconduct.parties.log.fsck import FINDINGS_MAX, Report, check_log
from safeconduct.plumbing import clock

SIZE = 700  # two full bundles and one of 188


@pytest.fixture(scope="module")
def settled(tmp_path_factory: pytest.TempPathFactory) -> LogFolder:
    """A log that was stopped cleanly."""
    paths = found(tmp_path_factory.mktemp("settled"))
    grow(paths, [entries(0, 300), entries(300, 650), entries(650, SIZE)])
    return paths


@pytest.fixture(scope="module")
def crashed(settled: LogFolder, tmp_path_factory: pytest.TempPathFactory) -> LogFolder:
    """The same log later, as it was on the disk while it ran."""
    later = copy(settled, tmp_path_factory.mktemp("later"))
    with running(later) as log:
        log.append(entries(SIZE, 800))
        log.append(entries(800, 1100))
        log.round()
        return copy(later, tmp_path_factory.mktemp("crashed"))


def check(paths: LogFolder) -> Report:
    return check_log(paths.path, lambda text: None)


def test_a_log_that_was_stopped_cleanly_holds(settled: LogFolder) -> None:
    report = check(settled)
    assert report.findings == []
    assert (report.signed_size, report.settled_size, report.published_size) == (SIZE,) * 3


def test_a_log_that_was_cut_off_holds_by_its_journal(crashed: LogFolder) -> None:
    report = check(crashed)
    assert report.findings == []
    assert (report.signed_size, report.settled_size) == (1100, SIZE)


def test_a_new_log_holds(tmp_path: Path) -> None:
    report = check(found(tmp_path))
    assert report.holds
    assert report.signed_size == 0


def test_nothing_is_written_not_even_by_the_database(crashed: LogFolder) -> None:
    def state() -> dict[str, tuple[bytes, int, int]]:
        files = [path for path in crashed.path.rglob("*") if path.is_file()]
        return {
            str(path): (path.read_bytes(), path.stat().st_mtime_ns, path.stat().st_mode)
            for path in files
        }

    before = state()
    check(crashed)
    assert state() == before


def flip(path: Path, at: int = -1) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    mode = path.stat().st_mode
    path.chmod(0o644)
    path.write_bytes(data)
    path.chmod(mode)


def replace(folder: Path, name: str, other: str) -> None:
    (folder / name).unlink()
    shutil.copy2(folder / other, folder / name)


DAMAGE: dict[str, tuple[Callable[[LogFolder], object], str, str]] = {
    "a flipped bit in a full bundle": (
        lambda paths: flip(paths.public / "tile/entries/001", 700),
        "public/tile/entries/001",
        "not those signed",
    ),
    "a flipped length in a full bundle": (
        lambda paths: flip(paths.public / "tile/entries/000", 1),
        "public/tile/entries/000",
        "",
    ),
    "a bundle cut short": (
        lambda paths: os.truncate(paths.public / "tile/entries/001", 100),
        "public/tile/entries/001",
        "cut short",
    ),
    "a bundle gone": (
        lambda paths: (paths.public / "tile/entries/000").unlink(),
        "public/tile/entries/000",
        "no such file",
    ),
    "a flipped bit in the last bundle": (
        lambda paths: flip(paths.public / "tile/entries/002.p/188"),
        "public/tile/entries/002.p/188",
        "not those signed",
    ),
    "a flipped bit in a full tile": (
        lambda paths: flip(paths.public / "tile/0/001"),
        "public/tile/0/001",
        "not those of the entries",
    ),
    "a full tile gone": (
        lambda paths: (paths.public / "tile/0/000").unlink(),
        "public/tile/0/000",
        "no such file",
    ),
    "a tile that is too long": (
        lambda paths: (paths.public / "tile/0/002.p/188").write_bytes(bytes(189 * 32)),
        "public/tile/0/002.p/188",
        "not those of the entries",
    ),
    "a flipped bit in the last tile": (
        lambda paths: flip(paths.public / "tile/0/002.p/188"),
        "public/tile/0/002.p/188",
        "not those of the entries",
    ),
    "a flipped bit in the upper tile": (
        lambda paths: flip(paths.public / "tile/1/000.p/2"),
        "public/tile/1/000.p/2",
        "not those of the entries",
    ),
    "another bundle in the place of one": (
        lambda paths: replace(paths.public, "tile/entries/001", "tile/entries/000"),
        "public/tile/entries/001",
        "not those signed",
    ),
    "a checkpoint that we did not sign": (
        lambda paths: flip(paths.checkpoint, len(ORIGIN) + 8),
        "public/checkpoint",
        "",
    ),
    "another log's checkpoint": (
        lambda paths: paths.checkpoint.write_bytes(b"other\n" + paths.checkpoint.read_bytes()),
        "public/checkpoint",
        "",
    ),
    "a stray file": (
        lambda paths: (paths.public / "tile/notes.txt").write_bytes(b""),
        "public/tile/notes.txt",
        "does not belong",
    ),
    "a tile beyond the tree": (
        lambda paths: (paths.public / "tile/0/003").write_bytes(bytes(8192)),
        "public/tile/0/003",
        "does not belong",
    ),
    "a stray file in the journal": (
        lambda paths: (paths.journal / "old").write_bytes(b""),
        "journal/old",
        "does not belong",
    ),
    "a key that others can read": (
        lambda paths: paths.key.chmod(0o644),
        ".",
        "can read this key",
    ),
    "the other key that others can read": (
        lambda paths: paths.second_key.chmod(0o640),
        ".",
        "can read this key",
    ),
    "a lock store that others can write": (
        lambda paths: paths.lock_store.chmod(0o622),
        "signed.db",
        "write to it",
    ),
    "a tile that others can write": (
        lambda paths: (paths.public / "tile/0/000").chmod(0o664),
        "public/tile/0/000",
        "never changes",
    ),
    "a full bundle that can be written": (
        lambda paths: (paths.public / "tile/entries/000").chmod(0o644),
        "public/tile/entries/000",
        "never changes",
    ),
    "another log's key": (
        lambda paths: paths.key.write_bytes(found(paths.path / "x").key.read_bytes()),
        "signed.db",
        "not signed by",
    ),
    "a lock store that is none": (
        lambda paths: paths.lock_store.write_bytes(b"x" * 5000),
        "signed.db",
        "",
    ),
    "no lock store": (lambda paths: paths.lock_store.unlink(), "signed.db", "is gone"),
    "no config": (lambda paths: paths.config.unlink(), ".", "no such file"),
}


@pytest.mark.parametrize("case", DAMAGE)
def test_the_file_at_fault_is_named_and_no_other(
    case: str, settled: LogFolder, tmp_path: Path
) -> None:
    damage, file, what = DAMAGE[case]
    paths = copy(settled, tmp_path)
    damage(paths)
    report = check(paths)
    assert not report.holds
    assert [finding.file for finding in report.findings] == [file]
    assert what in report.findings[0].what
    assert report.findings[0].do


def test_a_bundle_and_its_tile_damaged_alike_are_found_by_the_root(
    settled: LogFolder, tmp_path: Path
) -> None:
    paths = copy(settled, tmp_path)
    flip(paths.public / "tile/entries/001")
    flip(paths.public / "tile/0/001")
    report = check(paths)
    assert not report.holds
    assert "public/tile/0/001" in {finding.file for finding in report.findings}


def test_a_tree_of_other_entries_that_hangs_together_is_not_the_signed_one(
    settled: LogFolder, tmp_path: Path
) -> None:
    paths = copy(settled, tmp_path)
    other = found(tmp_path / "other")
    grow(other, [entries(0, SIZE, kind=1)])
    shutil.rmtree(paths.public / "tile")
    shutil.copytree(other.public / "tile", paths.public / "tile")
    findings = check(paths).findings
    assert [(finding.file, finding.mends) for finding in findings] == [("public", False)]
    assert "do not lead to the root hash" in findings[0].what


def test_a_published_tree_that_is_not_the_beginning_of_ours_is_found(
    settled: LogFolder, tmp_path: Path
) -> None:
    backup = copy(settled, tmp_path / "backup")
    forked = copy(settled, tmp_path / "forked")
    grow(backup, [entries(SIZE, 710)])
    grow(forked, [entries(SIZE, 720, kind=1)])
    shutil.copyfile(backup.checkpoint, forked.checkpoint)
    findings = check(forked).findings
    assert [finding.file for finding in findings] == ["public/checkpoint"]
    assert "no beginning" in findings[0].what


def test_a_published_tree_that_is_larger_than_ours_is_found(
    settled: LogFolder, tmp_path: Path
) -> None:
    later = copy(settled, tmp_path / "later")
    grow(later, [entries(SIZE, 710)])
    backup = copy(settled, tmp_path / "backup")
    shutil.copyfile(later.checkpoint, backup.checkpoint)
    findings = check(backup).findings
    assert [finding.file for finding in findings] == ["public/checkpoint"]
    assert "the public has 710 entries" in findings[0].what


MENDED: dict[str, tuple[Callable[[LogFolder], object], str]] = {
    "the last bundle gone": (
        lambda paths: (paths.public / "tile/entries/004.p/76").unlink(),
        "public/tile/entries/004.p/76",
    ),
    "a torn bundle that straddles what is settled": (
        lambda paths: os.truncate(paths.public / "tile/entries/002", 3000),
        "public/tile/entries/002",
    ),
    "a torn full bundle of the journal's": (
        lambda paths: os.truncate(paths.public / "tile/entries/003", 0),
        "public/tile/entries/003",
    ),
    "zeros in a bundle of the journal's": (
        lambda paths: (paths.public / "tile/entries/003").write_bytes(bytes(256 * 34)),
        "public/tile/entries/003",
    ),
    "a torn tile of the journal's": (
        lambda paths: os.truncate(paths.public / "tile/0/003", 100),
        "public/tile/0/003",
    ),
    "the last tile gone": (
        lambda paths: (paths.public / "tile/0/004.p/76").unlink(),
        "public/tile/0/004.p/76",
    ),
}


@pytest.mark.parametrize("case", MENDED)
def test_what_a_power_cut_leaves_is_told_and_mended_by_the_next_start(
    case: str, crashed: LogFolder, tmp_path: Path
) -> None:
    damage, file = MENDED[case]
    paths = copy(crashed, tmp_path)
    damage(paths)
    report = check(paths)
    assert report.holds
    assert {(finding.file, finding.mends) for finding in report.findings} == {(file, True)}
    with running(paths) as log:
        log.round()
    assert check(paths).findings == []


def test_the_same_damage_in_what_is_settled_is_not_mended(
    crashed: LogFolder, tmp_path: Path
) -> None:
    paths = copy(crashed, tmp_path)
    flip(paths.public / "tile/entries/001")
    report = check(paths)
    assert not report.holds
    assert [finding.file for finding in report.findings] == ["public/tile/entries/001"]


JOURNAL: dict[str, Callable[[Path], object]] = {
    "a flipped bit": lambda segment: flip(segment, 40),
    "cut": lambda segment: os.truncate(segment, 2000),
    "gone": lambda segment: segment.unlink(),
    "emptied": lambda segment: os.truncate(segment, 0),
    "its beginning flipped": lambda segment: flip(segment, 0),
}


@pytest.mark.parametrize("case", JOURNAL)
def test_a_journal_that_does_not_reach_what_was_signed_is_found(
    case: str, crashed: LogFolder, tmp_path: Path
) -> None:
    paths = copy(crashed, tmp_path)
    (segment,) = (path for path in paths.journal.iterdir() if path.name.isdecimal())
    JOURNAL[case](segment)
    report = check(paths)
    assert not report.holds
    assert report.findings[0].file.startswith("journal")


def test_a_running_log_is_left_alone(settled: LogFolder, tmp_path: Path) -> None:
    paths = copy(settled, tmp_path)
    with running(paths), pytest.raises(UnavailableError, match="another process writes here"):
        check(paths)


def test_findings_are_bounded(settled: LogFolder, tmp_path: Path) -> None:
    paths = copy(settled, tmp_path)
    for number in range(FINDINGS_MAX + 5):
        (paths.public / f"stray-{number}").write_bytes(b"")
    report = check(paths)
    assert (len(report.findings), report.more) == (FINDINGS_MAX, 5)


def test_what_takes_longer_than_a_second_says_how_far_it_is(
    settled: LogFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    check_log(settled.path, told.append)
    assert told == []
    seconds = iter(range(0, 1000, 2))
    monkeypatch.setattr(clock, "monotonic", lambda: float(next(seconds)))
    check_log(settled.path, told.append)
    assert told == [f"ledger: checked: {done} of 700 entries" for done in (256, 512, 700)]
