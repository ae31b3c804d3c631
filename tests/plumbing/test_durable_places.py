import errno
import os
from pathlib import Path

import pytest

from safeconduct.errors import UnavailableError
from safeconduct.plumbing import durable


def test_a_placed_file_is_whole_or_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, scratch = tmp_path / "a/b/tile", tmp_path / "scratch"
    durable.place_file(path, b"old", scratch=scratch)
    durable.place_file(path, b"new", scratch=scratch)
    assert (path.read_bytes(), scratch.exists()) == (b"new", False)

    def fail(*_: object) -> int:
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(os, "write", fail)
    with pytest.raises(UnavailableError, match="no space left"):
        durable.place_file(path, b"newer", scratch=scratch)
    assert path.read_bytes() == b"new"


def test_a_reserved_file_is_zeros_that_take_their_space(tmp_path: Path) -> None:
    path = tmp_path / "spare"
    path.write_bytes(b"something else, and longer than what is asked for")
    durable.reserve_file(path, 8192)
    assert path.read_bytes() == bytes(8192)
    assert path.stat().st_blocks * 512 >= 8192
    durable.extend_file(path, 16_384)
    durable.extend_file(path, 4096)
    assert path.stat().st_size == 16_384


def test_what_is_written_at_a_place_leaves_the_rest_alone(tmp_path: Path) -> None:
    path = tmp_path / "segment"
    durable.reserve_file(path, 16)
    handle = durable.open_writing(path)
    durable.write_synced(handle, b"abc", 4, path)
    durable.close(handle)
    assert path.read_bytes() == bytes(4) + b"abc" + bytes(9)


SYNCS = ("fdatasync", "fsync")


@pytest.mark.parametrize("sync", SYNCS)
def test_a_sync_that_fails_is_an_error_that_names_the_file(
    sync: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "segment"
    durable.reserve_file(path, 16)
    handle = durable.open_writing(path)

    def fail(_: int) -> None:
        raise OSError(errno.EIO, "fault")

    monkeypatch.setattr(os, sync, fail)
    attempts = {
        "fdatasync": lambda: durable.write_synced(handle, b"x", 0, path),
        "fsync": lambda: durable.sync_file(path, mode=0o444),
    }
    with pytest.raises(UnavailableError, match="segment: input/output error") as caught:
        attempts[sync]()
    assert "segment" not in caught.value.told
    durable.close(handle)


def test_a_synced_file_has_its_mode(tmp_path: Path) -> None:
    path = tmp_path / "tile"
    path.write_bytes(b"x")
    durable.sync_file(path, mode=0o444)
    assert path.stat().st_mode & 0o777 == 0o444


def test_only_an_empty_folder_is_removed(tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full/x").touch()
    (tmp_path / "empty").mkdir()
    for name in ("full", "empty", "absent"):
        durable.remove_empty_folder(tmp_path / name)
    assert [path.name for path in tmp_path.iterdir()] == ["full"]


def test_temporaries_below_are_left_where_there_can_be_none(tmp_path: Path) -> None:
    (tmp_path / "tile").mkdir()
    rests = [tmp_path / ".checkpoint.0a.tmp", tmp_path / "tile/.x.0a.tmp"]
    for rest in rests:
        rest.touch()
    durable.remove_temporaries(tmp_path, below=False)
    assert [rest.exists() for rest in rests] == [False, True]
    durable.remove_temporaries(tmp_path)
    assert not rests[1].exists()
