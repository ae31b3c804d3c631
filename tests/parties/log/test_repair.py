import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from tests.parties.log.guard_folders import copy, entries, found, grow, keys_of, mirror, running
from tests.parties.log.guard_world import ORIGIN, Town, two_of_three

from safeconduct.errors import (
    ConflictError,
    MalformedError,
    RefusedError,
    SafeconductError,
    UnavailableError,
    UnverifiedError,
)
from safeconduct.parties.log import repair as repair_module
from safeconduct.parties.log.config import LogFolder
from safeconduct.parties.log.fsck import check_log
from safeconduct.parties.log.repair import Repaired, repair_log
from safeconduct.parties.log.store import LockStore, open_store
from safeconduct.plumbing import durable
from safeconduct.protocol.tlog.fork import parse_fork, verify_fork
from safeconduct.protocol.tlog.policy import Policy
from safeconduct.protocol.tlog.tile import parse_bundle

OLD, NEW = 300, 1100


@pytest.fixture(scope="module")
def town() -> Town:
    """The witnesses, who have seen the newest log."""
    return Town()


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory, town: Town) -> LogFolder:
    paths = found(tmp_path_factory.mktemp("old"))
    grow(paths, [entries(0, 100), entries(100, OLD)], town)
    return paths


@pytest.fixture(scope="module")
def new(old: LogFolder, tmp_path_factory: pytest.TempPathFactory, town: Town) -> LogFolder:
    paths = copy(old, tmp_path_factory.mktemp("new"))
    grow(paths, [entries(OLD, 600), entries(600, NEW)], town)
    return paths


@pytest.fixture(scope="module")
def url(new: LogFolder) -> Iterator[str]:
    with mirror(new.public) as served:
        yield served


def repair(paths: LogFolder, url: str, policy: Policy | None = None) -> Repaired:
    return repair_log(paths.path, url, lambda text: None, policy=policy)


def quorum(paths: LogFolder) -> Policy:
    return two_of_three(keys_of(paths))


def files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def assert_whole(paths: LogFolder, size: int = NEW) -> None:
    """Everything is there, and says so."""
    report = check_log(paths.path, lambda text: None)
    assert report.findings == []
    assert report.signed_size == size


def goes_on(paths: LogFolder, town: Town) -> None:
    """The witnesses let the log start again, and cosign what it adds."""
    with running(paths, town) as log:
        before = log.health().tree_size
        log.append(entries(5000, 5010))
        log.round()
        assert log.published().tree.size == before + 10


def test_a_log_restored_from_a_backup_does_not_sign_before_it_is_repaired(
    old: LogFolder, url: str, town: Town, tmp_path: Path
) -> None:
    paths = copy(old, tmp_path)
    with (
        pytest.raises(ConflictError, match="signed only 300") as caught,
        running(paths, town) as log,
    ):
        log.round()
    assert "log repair --from-mirror" in caught.value.hint
    done = repair(paths, url)
    assert (done.signed_before, done.mirror_size, done.lost, done.missing) == (OLD, NEW, 0, 0)
    assert_whole(paths)
    goes_on(paths, Town())


def lose_all_but_the_keys(paths: LogFolder) -> None:
    shutil.rmtree(paths.public)
    shutil.rmtree(paths.journal, ignore_errors=True)
    for path in paths.path.glob("signed.db*"):
        path.unlink()


def write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    path.write_bytes(data)


LOSSES: dict[str, Callable[[LogFolder], object]] = {
    "nothing": lambda paths: None,
    "everything but the keys": lose_all_but_the_keys,
    "the lock store": lambda paths: list(map(os.unlink, paths.path.glob("signed.db*"))),
    "all tiles": lambda paths: shutil.rmtree(paths.public / "tile"),
    "all public files": lambda paths: shutil.rmtree(paths.public),
    "one bundle": lambda paths: (paths.public / "tile/entries/000").unlink(),
    "the bits of a bundle": lambda paths: write(paths.public / "tile/entries/000", bytes(8704)),
    "the bits of a tile": lambda paths: write(paths.public / "tile/0/002", bytes(8192)),
    "the bits of the last tile": lambda paths: write(
        paths.public / "tile/0/004.p/76", bytes(76 * 32)
    ),
    "the bits of the upper tile": lambda paths: write(
        paths.public / "tile/1/000.p/4", bytes(4 * 32)
    ),
}


@pytest.mark.parametrize("case", LOSSES)
@pytest.mark.parametrize("since", ["now", "a backup ago"])
def test_whatever_was_lost_comes_back(
    case: str, since: str, old: LogFolder, new: LogFolder, url: str, tmp_path: Path
) -> None:
    paths = copy(new if since == "now" else old, tmp_path)
    LOSSES[case](paths)
    done = repair(paths, url, quorum(paths))
    if (case, since) in (("nothing", "now"), ("the lock store", "now")):
        assert done.files == 0
    else:
        assert done.files > 0
    assert (done.lost, done.set_aside, done.missing) == (0, None, 0)
    assert_whole(paths)
    tiles = files(new.public)
    assert {name: files(paths.public)[name] for name in tiles} == tiles
    again = repair(paths, url, quorum(paths))
    assert again.files == 0
    assert_whole(paths)
    goes_on(paths, Town())


def test_a_repaired_log_serves_full_tiles_that_nobody_can_write(
    old: LogFolder, url: str, tmp_path: Path
) -> None:
    paths = copy(old, tmp_path)
    repair(paths, url)
    assert (paths.public / "tile/entries/003").stat().st_mode & 0o777 == 0o444
    with closing(open_store(paths.lock_store, ORIGIN)) as store:
        assert store.settled().tree_size == store.signed().tree.size == NEW


def cut_off(paths: LogFolder, folder: Path, batches: list[list[bytes]]) -> LogFolder:
    """The folder as it was on the disk while its log appended batches, all signed."""
    with running(paths) as log:
        for batch in batches:
            log.append(batch)
        return copy(paths, folder)


def test_entries_that_only_the_journal_has_are_kept_if_they_go_on_from_the_mirror(
    new: LogFolder, url: str, tmp_path: Path
) -> None:
    paths = cut_off(
        copy(new, tmp_path / "source"),
        tmp_path / "cut",
        [entries(NEW, 1150), entries(1150, 1200)],
    )
    for path in paths.path.glob("signed.db*"):
        path.unlink()
    done = repair(paths, url)
    assert (done.lost, done.set_aside) == (0, None)
    with running(paths) as log:
        log.round()
        assert log.published().tree.size == 1200
    last = parse_bundle((paths.public / "tile/entries/004.p/176").read_bytes(), 176)
    assert last[-100:] == entries(NEW, 1200)


def test_unsigned_entries_of_a_backup_that_are_elsewhere_in_the_mirror_are_told_and_kept(
    old: LogFolder, url: str, tmp_path: Path
) -> None:
    paths = copy(old, tmp_path)
    with running(paths) as log:
        # Journaled, but cut off before the signature: nobody was promised anything.
        log._parts.journal.append(
            [len(e).to_bytes(2, "big") + e for e in entries(0, 7, kind=9)]
        )
        cut = copy(paths, tmp_path / "cut")
    told: list[str] = []
    done = repair_log(cut.path, url, told.append)
    assert done.lost == 7
    assert done.set_aside is not None
    assert any(path.stat().st_size for path in done.set_aside.iterdir())
    assert [text for text in told if "7 entries" in text]
    assert_whole(cut)
    goes_on(cut, Town())


def test_a_journal_newer_than_the_lock_store_is_kept_if_it_goes_on_from_the_mirror(
    old: LogFolder, new: LogFolder, url: str, tmp_path: Path
) -> None:
    paths = cut_off(copy(new, tmp_path / "source"), tmp_path / "cut", [entries(NEW, 1150)])
    for path in paths.path.glob("signed.db*"):
        path.unlink()
    shutil.copyfile(old.lock_store, paths.lock_store)
    done = repair(paths, url)
    assert (done.signed_before, done.lost, done.set_aside) == (OLD, 0, None)
    with running(paths) as log:
        log.round()
        assert log.published().tree.size == 1150


@pytest.mark.parametrize("public", ["with its checkpoint", "without"])
def test_a_lost_lock_store_is_not_made_anew_by_a_mirror_that_is_behind(
    public: str, old: LogFolder, new: LogFolder, tmp_path: Path
) -> None:
    paths = cut_off(copy(new, tmp_path / "source"), tmp_path / "cut", [entries(NEW, 1150)])
    for path in paths.path.glob("signed.db*"):
        path.unlink()
    if public == "without":
        paths.checkpoint.unlink()
    with mirror(old.public) as behind, pytest.raises(RefusedError, match="had signed 1100"):
        repair(paths, behind)
    assert not paths.lock_store.exists()


FORKS = {"more entries": (OLD, 900), "as many entries": (OLD, NEW), "fewer": (OLD, 310)}


@pytest.mark.parametrize("case", FORKS)
def test_a_fork_is_proven_and_nothing_is_changed(
    case: str, old: LogFolder, url: str, tmp_path: Path
) -> None:
    start, end = FORKS[case]
    paths = copy(old, tmp_path)
    grow(paths, [entries(start, end, kind=3)])
    before = files(paths.path)
    with pytest.raises(ConflictError, match="two histories") as caught:
        repair(paths, url)
    (fork,) = paths.path.glob("*.fork")
    assert str(fork) in caught.value.message
    shown = verify_fork(parse_fork(fork.read_bytes()), keys_of(paths))
    assert {shown.old.size, shown.new.size} == {end, NEW}
    fork.unlink()
    after = files(paths.path)
    assert {name for name in before if after[name] != before[name]} <= {"signed.db-shm"}


def test_a_fork_with_a_mirror_that_is_behind_is_proven_too(
    old: LogFolder, new: LogFolder, tmp_path: Path
) -> None:
    forked = copy(old, tmp_path / "forked")
    grow(forked, [entries(OLD, 700, kind=3)])
    with mirror(forked.public) as behind, pytest.raises(ConflictError, match="two histories"):
        repair(copy(new, tmp_path), behind)


def test_a_public_checkpoint_here_that_the_mirror_contradicts_is_a_fork(
    old: LogFolder, url: str, tmp_path: Path
) -> None:
    forked = copy(old, tmp_path / "forked")
    grow(forked, [entries(OLD, 700, kind=3)])
    paths = copy(old, tmp_path)
    shutil.copyfile(forked.checkpoint, paths.checkpoint)
    with pytest.raises(ConflictError, match="two histories"):
        repair(paths, url)


def test_a_mirror_that_is_behind_mends_its_own_range_and_says_how_far_that_is(
    old: LogFolder, new: LogFolder, tmp_path: Path
) -> None:
    paths = copy(new, tmp_path)
    write(paths.public / "tile/entries/000", b"damaged")
    write(paths.public / "tile/0/000", bytes(8192))
    with mirror(old.public) as behind:
        done = repair(paths, behind)
        assert (done.files, done.missing) == (2, NEW - OLD)
        assert_whole(paths)
        write(paths.public / "tile/entries/003", b"damaged")
        done = repair(paths, behind)
    assert (done.files, done.missing) == (0, NEW - OLD)
    assert not check_log(paths.path, lambda text: None).holds


def test_a_mirror_that_is_behind_mends_files_by_the_entries_that_follow(
    old: LogFolder, new: LogFolder, tmp_path: Path
) -> None:
    paths = copy(new, tmp_path)
    write(paths.public / "tile/0/000", bytes(8192))
    write(paths.public / "tile/1/000.p/4", bytes(4 * 32))
    with mirror(old.public) as behind:
        assert repair(paths, behind).files == 1
        findings = check_log(paths.path, lambda text: None).findings
        assert [finding.file for finding in findings] == ["public/tile/1/000.p/4"]
        write(paths.public / "tile/entries/003", b"damaged")
        with pytest.raises(UnverifiedError, match="damaged too"):
            repair(paths, behind)


LIARS: dict[str, tuple[Callable[[Path], object], type[SafeconductError]]] = {
    "a bundle of other entries": (
        lambda public: write(public / "tile/entries/002", bytes(256 * 34)),
        SafeconductError,
    ),
    "a bundle of other entries, well formed": (
        lambda public: write(
            public / "tile/entries/002", (public / "tile/entries/001").read_bytes()
        ),
        UnverifiedError,
    ),
    "a bundle gone": (lambda public: (public / "tile/entries/003").unlink(), SafeconductError),
    "a tile of other hashes": (
        lambda public: write(public / "tile/0/002", bytes(8192)),
        UnverifiedError,
    ),
    "the last tile of other hashes": (
        lambda public: write(public / "tile/0/004.p/76", bytes(76 * 32)),
        UnverifiedError,
    ),
    "a tile of the wrong length": (
        lambda public: write(public / "tile/0/001", bytes(100)),
        MalformedError,
    ),
    "no checkpoint": (lambda public: (public / "checkpoint").unlink(), SafeconductError),
    "a checkpoint of its own": (
        lambda public: write(
            public / "checkpoint",
            (public / "checkpoint").read_bytes().replace(b"\n1100\n", b"\n1101\n"),
        ),
        UnverifiedError,
    ),
    "junk for a checkpoint": (
        lambda public: write(public / "checkpoint", b"<html>"),
        UnverifiedError,
    ),
}


@pytest.mark.parametrize("case", LIARS)
def test_a_lying_mirror_changes_nothing_that_is_signed_and_a_true_one_finishes(
    case: str, old: LogFolder, new: LogFolder, url: str, tmp_path: Path
) -> None:
    lie, error = LIARS[case]
    liar = copy(new, tmp_path / "liar").public
    lie(liar)
    paths = copy(old, tmp_path)
    with mirror(liar) as lying, pytest.raises(error):
        repair(paths, lying)
    assert_begins(paths, new)
    with running(paths) as log:
        assert log.health().tree_size == OLD
    assert repair(paths, url).mirror_size == NEW
    assert_whole(paths)


def assert_begins(paths: LogFolder, new: LogFolder) -> None:
    """Each full tile or bundle is the true log's, whatever came of the repair."""
    true = files(new.public / "tile")
    for name, data in files(paths.public / "tile").items():
        assert ".p/" in name or true[name] == data


def test_a_mirror_without_the_quorum_is_refused_where_a_policy_is_given(
    old: LogFolder, new: LogFolder, tmp_path: Path
) -> None:
    copied = copy(new, tmp_path / "mirror")
    text, lines = copied.checkpoint.read_bytes().split(b"\n\n")
    kept = [line for line in lines.splitlines(keepends=True) if b"example/ledger" in line]
    write(copied.checkpoint, text + b"\n\n" + b"".join(kept))
    paths = copy(old, tmp_path)
    with mirror(copied.public) as served:
        with pytest.raises(UnverifiedError, match="quorum"):
            repair(paths, served, quorum(paths))
        assert repair(paths, served).mirror_size == NEW


def test_with_a_policy_the_cosigned_checkpoint_is_published_again(
    old: LogFolder, new: LogFolder, url: str, tmp_path: Path
) -> None:
    paths = copy(old, tmp_path)
    repair(paths, url, quorum(paths))
    assert paths.checkpoint.read_bytes() == new.checkpoint.read_bytes()
    with running(paths) as log:
        assert log.published().checkpoint == new.checkpoint.read_bytes()


class KilledError(BaseException):
    """The process is gone."""


STEPS: tuple[tuple[object, tuple[str, ...]], ...] = (
    (durable, ("place_file", "rename_durably", "make_folder", "write_file")),
    (LockStore, ("swap", "settle", "keep_published")),
    (repair_module, ("create_store", "sync_range")),
)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> tuple[LogFolder, LogFolder]:
    """A backup, and the log as it is now, with one full bundle."""
    before = found(tmp_path_factory.mktemp("before"))
    grow(before, [entries(0, 5)])
    after = copy(before, tmp_path_factory.mktemp("after"))
    grow(after, [entries(5, 20), entries(20, 260)])
    return before, after


@pytest.mark.parametrize("loss", ["nothing", "everything but the keys", "the lock store"])
def test_killed_at_any_step_it_goes_on_when_it_is_run_again(
    loss: str,
    small: tuple[LogFolder, LogFolder],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    backup, after = small
    base = copy(backup, tmp_path / "base")
    LOSSES[loss](base)
    with mirror(after.public) as url:
        for kill_at in range(100):
            paths = copy(base, tmp_path / str(kill_at))
            with monkeypatch.context() as patched:
                patch_steps(patched, [kill_at])
                try:
                    repair(paths, url, quorum(paths))
                except KilledError:
                    pass
                else:
                    assert kill_at > 5
                    return
            assert_not_behind(paths)
            done = repair(paths, url, quorum(paths))
            assert (done.lost, done.set_aside) == (0, None)
            assert_whole(paths, 260)
    pytest.fail("it never came to an end")


def patch_steps(patched: pytest.MonkeyPatch, left: list[int]) -> None:
    """Have the process die at the step before which so many are `left`."""

    def step() -> None:
        left[0] -= 1
        if left[0] < 0:
            raise KilledError

    for owner, names in STEPS:
        for name in names:
            patched.setattr(owner, name, before(getattr(owner, name), step))


def before(call: Callable[..., object], step: Callable[[], None]) -> Callable[..., object]:
    """A call before which the process may die."""

    def stepped(*arguments: object, **named: object) -> object:
        step()
        return call(*arguments, **named)

    return stepped


def assert_not_behind(paths: LogFolder) -> None:
    """The log refuses to start from what a killed repair left, or is where it was, or whole."""
    try:
        with running(paths) as log:
            assert log.health().tree_size in (5, 260)
    except UnavailableError:
        return


def test_a_running_log_is_not_repaired(new: LogFolder, url: str, tmp_path: Path) -> None:
    paths = copy(new, tmp_path)
    with running(paths), pytest.raises(UnavailableError, match="another process writes"):
        repair(paths, url)


def test_a_damaged_lock_store_is_not_thrown_away_by_itself(
    new: LogFolder, url: str, tmp_path: Path
) -> None:
    paths = copy(new, tmp_path)
    write(paths.lock_store, b"x" * 5000)
    with pytest.raises(UnavailableError) as caught:
        repair(paths, url)
    assert "mv " in caught.value.hint
    assert paths.lock_store.read_bytes() == b"x" * 5000
