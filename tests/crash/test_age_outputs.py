"""Age files on disks that fill up, that take a part, and under programs that are killed.

However it ends: what stands under the target's name opens, or nothing new stands there.
"""

import errno
import multiprocessing
import os
import resource
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from tests.protocol.age.chance import dice

from safeconduct.errors import UnavailableError
from safeconduct.plumbing import durable
from safeconduct.plumbing.agefile import open_file, seal_file, swap_file
from safeconduct.protocol import age

DISK_BYTES = 4 << 20
CLASSIC = age.x25519_identity(b"\x11" * 32)
ARCHIVE = age.x25519_identity(b"\x33" * 32)
CONTENT = dice(b"content")(5 << 19)
OLD = b"what stood there before"
WHOLE = "whole"
STEPS = ("open", "writev", "write", "posix_fadvise", "fsync", "close", "rename", "unlink")

Work = Callable[[Path, Path], None]
"""Makes a target file from a source file."""


def seal(source: Path, target: Path) -> None:
    seal_file(source, target, [CLASSIC.recipient()], dice())


def open_(source: Path, target: Path) -> None:
    open_file(source, target, [CLASSIC])


def swap(source: Path, target: Path) -> None:
    swap_file(source, target, CLASSIC, ARCHIVE.recipient(), dice())


def read_sealed(path: Path) -> bytes:
    return b"".join(age.open_([CLASSIC], [path.read_bytes()]))


def read_swapped(path: Path) -> bytes:
    return b"".join(age.open_([ARCHIVE], [path.read_bytes()]))


WORKS: dict[str, tuple[Work, Callable[[Path], bytes]]] = {
    "seal": (seal, read_sealed),
    "open": (open_, Path.read_bytes),
    "swap": (swap, read_swapped),
}


def source_of(work: Work, folder: Path) -> Path:
    """What `work` makes its target from."""
    plain = folder / "plain"
    plain.write_bytes(CONTENT)
    if work is seal:
        return plain
    seal(plain, folder / "sealed.age")
    return folder / "sealed.age"


def names(folder: Path) -> set[str]:
    return set(os.listdir(folder))


# A full disk.


def free_bytes(disk: Path) -> int:
    found = os.statvfs(disk)
    return found.f_bavail * found.f_frsize


def outcome(work: Work, source: Path, target: Path) -> str:
    try:
        work(source, target)
    except UnavailableError as error:
        return error.message
    return WHOLE


@pytest.mark.parametrize(("work", "read"), WORKS.values(), ids=WORKS)
def test_on_a_full_disk_a_target_is_whole_or_not_there(
    work: Work, read: Callable[[Path], bytes], small_disk: Path, tmp_path: Path
) -> None:
    """Also where all but the last few KiB fit, which other libraries lose in silence."""
    source, target = source_of(work, tmp_path), small_disk / "target"
    outcomes = set()
    for room in range(len(CONTENT) - (48 << 10), len(CONTENT) + (48 << 10), 4 << 10):
        ballast = small_disk / "ballast"
        ballast.write_bytes(bytes(free_bytes(small_disk) - room))
        outcomes.add(told := outcome(work, source, target))
        if told == WHOLE:
            assert read(target) == CONTENT
            target.unlink()
        assert names(small_disk) == {"ballast"}
        ballast.unlink()
    assert outcomes == {WHOLE, f"{target}: no space left on device"}


# A disk that takes a part of what it is given.


@contextmanager
def file_size_limit(size_bytes: int) -> Iterator[None]:
    """Let no file grow longer: a write beyond is cut, and the next one fails with EFBIG."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)


@pytest.mark.parametrize("short_bytes", [1, 16, 4_096, 65_552, 1 << 20, 5 << 19])
@pytest.mark.parametrize(("work", "read"), WORKS.values(), ids=WORKS)
def test_a_target_that_may_not_grow_so_long_is_not_there(
    work: Work, read: Callable[[Path], bytes], short_bytes: int, tmp_path: Path
) -> None:
    source, target = source_of(work, tmp_path), tmp_path / "target"
    work(source, target)
    whole = target.stat().st_size
    target.write_bytes(OLD)
    before = names(tmp_path)
    with (
        file_size_limit(max(0, whole - short_bytes)),
        pytest.raises(UnavailableError, match=os.strerror(errno.EFBIG).lower()),
    ):
        work(source, target)
    assert names(tmp_path) == before
    assert target.read_bytes() == OLD
    with file_size_limit(whole):
        work(source, target)
    assert read(target) == CONTENT


@pytest.mark.parametrize("most", [7_001, 65_552, 1 << 19])
@pytest.mark.parametrize(("work", "read"), WORKS.values(), ids=WORKS)
def test_writes_that_take_a_part_only_are_gone_on_with(
    work: Work,
    read: Callable[[Path], bytes],
    most: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    source, target = source_of(work, tmp_path), tmp_path / "target"
    real = os.write

    def write(handle: int, data: bytes) -> int:
        return real(handle, data[:most])

    def writev(handle: int, batch: Sequence[bytes]) -> int:
        return write(handle, b"".join(batch))

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", write)
        patch.setattr(os, "writev", writev)
        work(source, target)
    assert read(target) == CONTENT


# A program that is killed.


class Killing:
    """Stands in for `os` in `plumbing.durable`; the process is gone at its step `dies_at`.

    A write is half done then, or not at all.
    """

    def __init__(self, dies_at: int = 0, *, torn: bool = False) -> None:
        self.dies_at = dies_at
        self.torn = torn
        self.steps = 0

    def __getattr__(self, name: str) -> Any:
        real = getattr(os, name)
        return partial(self._step, name, real) if name in STEPS else real

    def _step(self, name: str, real: Callable[..., Any], *args: Any) -> Any:
        self.steps += 1
        if self.steps == self.dies_at:
            if self.torn and name == "writev":
                os.writev(args[0], args[1][: len(args[1]) // 2])
            os.kill(os.getpid(), signal.SIGKILL)
        return real(*args)


def count_steps(work: Work, source: Path, target: Path) -> int:
    disk = Killing()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(durable, "os", disk)
        work(source, target)
    return disk.steps


def die(work: Work, source: Path, target: Path, disk: Killing) -> None:
    """Run in a child of its own."""
    pytest.MonkeyPatch().setattr(durable, "os", disk)
    work(source, target)


@pytest.mark.parametrize("torn", [False, True], ids=["before a write", "within a write"])
@pytest.mark.parametrize(("work", "read"), WORKS.values(), ids=WORKS)
def test_killed_at_any_step_it_leaves_the_old_target_or_the_whole_new_one(
    work: Work, read: Callable[[Path], bytes], torn: bool, tmp_path: Path
) -> None:
    source, target = source_of(work, tmp_path), tmp_path / "target"
    steps = count_steps(work, source, target)
    assert steps >= 3 + 1 + 5, "three writes, the file's fsync, its names and folder"
    before, seen = names(tmp_path), set()
    for dies_at in range(1, steps + 1):
        target.write_bytes(OLD)
        disk = Killing(dies_at, torn=torn)
        context = multiprocessing.get_context("fork")
        child = context.Process(target=die, args=(work, source, target, disk))
        child.start()
        child.join()
        assert child.exitcode == -signal.SIGKILL
        seen.add("old" if target.read_bytes() == OLD else "new")
        assert target.read_bytes() == OLD or read(target) == CONTENT
        durable.remove_temporaries(tmp_path)
        assert names(tmp_path) == before
    assert seen == {"old", "new"}
