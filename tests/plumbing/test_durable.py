import errno
import os
from pathlib import Path

import pytest

from safeconduct.errors import MalformedError, UnavailableError
from safeconduct.plumbing import durable


def test_a_written_file_replaces_the_old_one_whole(tmp_path: Path) -> None:
    path = tmp_path / "file"
    durable.write_file(path, b"old and long")
    durable.write_file(path, b"new")
    assert path.read_bytes() == b"new"
    assert durable.list_files(tmp_path) == ["file"]


def test_a_secret_is_its_owners_alone(tmp_path: Path) -> None:
    durable.write_secret(tmp_path / "key", b"s")
    assert (tmp_path / "key").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("call", ["fsync", "rename"])
def test_a_write_that_fails_leaves_the_old_file_and_no_rest(
    call: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file"
    durable.write_file(path, b"old")

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "no space")

    with monkeypatch.context() as patch:
        patch.setattr(os, call, full)
        with pytest.raises(UnavailableError, match="file: no space left") as caught:
            durable.write_file(path, b"new")
    assert "free some space" in caught.value.hint
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["file"]


def test_the_file_is_on_the_medium_before_its_name_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []
    real_fsync, real_rename = os.fsync, os.rename

    def fsync(handle: int) -> None:
        calls.append("fsync folder" if Path(f"/proc/self/fd/{handle}").is_dir() else "fsync")
        real_fsync(handle)

    def rename(old: Path, new: Path) -> None:
        calls.append("rename")
        real_rename(old, new)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(os, "rename", rename)
    durable.write_file(tmp_path / "file", b"data")
    assert calls == ["fsync", "rename", "fsync folder"]


def test_what_is_no_plain_short_file_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "long").write_bytes(b"12345")
    (tmp_path / "link").symlink_to(tmp_path / "long")
    os.mkfifo(tmp_path / "pipe")
    assert durable.read_file(tmp_path / "long", bytes_max=5) == b"12345"
    with pytest.raises(MalformedError, match="longer than 4 bytes"):
        durable.read_file(tmp_path / "long", bytes_max=4)
    with pytest.raises(MalformedError, match="symbolic link"):
        durable.read_file(tmp_path / "link", bytes_max=5)
    with pytest.raises(MalformedError, match="not a regular file"):
        durable.read_file(tmp_path / "pipe", bytes_max=5)
    with pytest.raises(UnavailableError, match="no such file"):
        durable.read_file(tmp_path / "none", bytes_max=5)


def test_appending_adds_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    for part in (b"one", b"two"):
        with durable.open_appending(path) as file:
            durable.append_synced(file, part)
    assert path.read_bytes() == b"onetwo"
    durable.cut_file(path, 4)
    assert path.read_bytes() == b"onet"


def test_an_append_that_cannot_be_synced_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: int) -> None:
        raise OSError(errno.EIO, "input/output error")

    monkeypatch.setattr(os, "fdatasync", broken)
    with (
        durable.open_appending(tmp_path / "journal") as file,
        pytest.raises(UnavailableError, match="journal: input/output error"),
    ):
        durable.append_synced(file, b"x")


def test_only_one_writer_at_a_time(tmp_path: Path) -> None:
    lock = tmp_path / "writer"
    with (
        durable.sole_writer(lock),
        pytest.raises(UnavailableError, match="another process"),
        durable.sole_writer(lock),
    ):
        pass
    with durable.sole_writer(lock):
        pass


def test_files_are_listed_without_links_and_rests(tmp_path: Path) -> None:
    durable.make_folder(tmp_path / "a" / "b")
    (tmp_path / "a" / "b" / "file").write_bytes(b"")
    (tmp_path / "a" / ".file.0123.tmp").write_bytes(b"")
    (tmp_path / "link").symlink_to(tmp_path)
    assert durable.list_files(tmp_path) == ["a/b/file"]
    durable.remove_temporaries(tmp_path)
    assert os.listdir(tmp_path / "a") == ["b"]
    durable.remove_folder(tmp_path / "a")
    durable.remove_folder(tmp_path / "a")
    assert os.listdir(tmp_path) == ["link"]
    with pytest.raises(UnavailableError):
        durable.list_files(tmp_path / "a")
