"""A mirror that lies to the repair of a log, or tells less than it knows."""

from dataclasses import replace
from pathlib import Path

import pytest
from tests.parties.log.guard_folders import copy, entries, found, grow, keys_of, mirror, running
from tests.parties.log.guard_world import Town, key_of, two_of_three
from tests.parties.log.test_repair import lose_all_but_the_keys

from safeconduct.errors import ConflictError, RefusedError
from safeconduct.parties.log.config import LogFolder
from safeconduct.parties.log.fsck import check_log
from safeconduct.parties.log.repair import repair_log
from safeconduct.protocol.tlog.cosignature import cosign
from safeconduct.protocol.tlog.note import format_note, format_signature_line, parse_note
from safeconduct.protocol.tlog.policy import open_checkpoint


@pytest.fixture
def town() -> Town:
    return Town()


@pytest.fixture
def log(tmp_path: Path, town: Town) -> LogFolder:
    """A Ledger of 300 entries, which its witnesses have seen."""
    (tmp_path / "first").mkdir()
    paths = found(tmp_path / "first")
    grow(paths, [entries(0, 100), entries(100, 300)], town)
    return paths


def quiet(text: str) -> None:
    """Progress is for people."""


def test_what_a_mirror_adds_to_a_checkpoint_is_not_published(
    log: LogFolder, tmp_path: Path
) -> None:
    """A line by a witness of somebody else's policy, which for them would spoil the note."""
    (tmp_path / "mirror").mkdir()
    served = copy(log, tmp_path / "mirror")
    true = served.checkpoint.read_bytes()
    others = key_of("doris")
    wrong = parse_note(true).text.replace("\n300\n", "\n301\n")
    line = format_signature_line(cosign(wrong, others, 1_790_000_000))
    served.checkpoint.unlink()
    served.checkpoint.write_bytes(true + line.encode())
    (tmp_path / "lost").mkdir()
    lost = copy(log, tmp_path / "lost")
    lose_all_but_the_keys(lost)
    policy = two_of_three(keys_of(log))
    with mirror(served.public) as url:
        repair_log(lost.path, url, quiet, policy=policy)
    assert others.name not in lost.checkpoint.read_text()
    open_checkpoint(lost.checkpoint.read_bytes(), policy)


def test_a_mirror_that_leaves_out_our_ed25519_line_does_not_take_it_from_readers(
    log: LogFolder, tmp_path: Path
) -> None:
    """First proofs are kept for ever: one without it would be no receipt for most readers."""
    (tmp_path / "mirror").mkdir()
    served = copy(log, tmp_path / "mirror")
    note = parse_note(served.checkpoint.read_bytes())
    served.checkpoint.unlink()
    served.checkpoint.write_bytes(format_note(replace(note, signatures=note.signatures[1:])))
    (tmp_path / "lost").mkdir()
    lost = copy(log, tmp_path / "lost")
    lose_all_but_the_keys(lost)
    with mirror(served.public) as url:
        repair_log(lost.path, url, quiet, policy=two_of_three(keys_of(log)))
    open_checkpoint(lost.checkpoint.read_bytes(), two_of_three(keys_of(log)[:1]))
    assert lost.checkpoint.read_bytes() == log.checkpoint.read_bytes()


def test_a_mirror_that_holds_back_the_newest_makes_no_log_sign_another_history(
    log: LogFolder, town: Town, tmp_path: Path
) -> None:
    (tmp_path / "mirror").mkdir()
    stale = copy(log, tmp_path / "mirror")
    grow(log, [entries(300, 400)], town)
    lose_all_but_the_keys(log)
    with mirror(stale.public) as url:
        repair_log(log.path, url, quiet)
    with pytest.raises(ConflictError, match="signed only 300"), running(log, town) as started:
        started.append(entries(900, 901))
    assert check_log(log.path, quiet).signed_size == 300


def test_a_stale_mirror_takes_no_published_entry_away(
    log: LogFolder, town: Town, tmp_path: Path
) -> None:
    """The lock store is of a backup, the mirror is behind: the newest is in the journal."""
    (tmp_path / "mirror").mkdir()
    stale = copy(log, tmp_path / "mirror")
    (tmp_path / "backup").mkdir()
    backup = copy(log, tmp_path / "backup")
    grow(log, [entries(300, 400)], town)
    with running(log, town) as started:
        started.append(entries(400, 500))
        started.round()
        (tmp_path / "killed").mkdir()
        killed = copy(log, tmp_path / "killed")
        (tmp_path / "good").mkdir()
        good = copy(log, tmp_path / "good")
    for path in killed.path.glob("signed.db*"):
        path.unlink()
    killed.lock_store.write_bytes(backup.lock_store.read_bytes())
    with mirror(stale.public) as url, pytest.raises(RefusedError, match="had signed 500"):
        repair_log(killed.path, url, quiet)
    assert not list(killed.path.glob("journal-set-aside-*"))
    with mirror(good.public) as url:
        assert repair_log(killed.path, url, quiet).lost == 0
    with running(killed, town) as again:
        assert again.health().tree_size == 500
