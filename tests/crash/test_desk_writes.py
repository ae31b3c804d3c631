"""The desk's disk fails at every step it takes: nothing ever claims what is not so.

One journey: a payload comes in, is opened, archived, answered, exported, and its epoch's keys
are destroyed. It is broken off at each step on the disk, in each way, and then run again.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from tests.crash import disk as broken_disk
from tests.crash.disk import KEPT, TORN, WAYS, FailingDisk, failing
from tests.parties.desk.desk_world import NOW, World, make_world

from safeconduct.errors import SafeconductError, UnavailableError
from safeconduct.parties.desk import pull as pulling
from safeconduct.parties.desk import tray
from safeconduct.parties.desk.archive import fill_archive, hand_over, new_archive, recombine
from safeconduct.parties.desk.archive import share_lines as lines_of
from safeconduct.parties.desk.desk import Desk
from safeconduct.parties.desk.epoch import rotate, standings
from safeconduct.parties.desk.export import export
from safeconduct.parties.desk.keys import Keyring
from safeconduct.parties.desk.pull import is_whole, pull
from safeconduct.parties.desk.retire import retire
from safeconduct.parties.desk.store import Store
from safeconduct.parties.desk.unseal import DELIVERY_GRACE_SECONDS, unseal_all
from safeconduct.protocol import age
from safeconduct.protocol.record import parse_record

FILES = {"message.txt": b"the ledger of May is attached\n", "scan.bin": bytes(range(256))}
READER = age.x25519_identity(b"\x0c" * 32)
DUE = NOW + 1_000 + 86_400 + DELIVERY_GRACE_SECONDS + 1
DISK_BYTES = 6 << 20
LARGE = {"scan.bin": bytes(1 << 20)}


class DeskDisk(FailingDisk):
    """Also fails where many pieces are written at once."""

    def _spoil(self, name: str, args: tuple[Any, ...]) -> None:
        if name == "writev" and self.way == TORN:
            data = b"".join(args[1])
            os.write(args[0], data[: len(data) // 2])
        super()._spoil(name, args)

    def _note(self, name: str, args: tuple[Any, ...], result: Any) -> None:
        super()._note("write" if name == "writev" else name, args, result)


@dataclass
class Rig:
    """A world whose tip waits at the door, with an archive in its Gazette and two epochs."""

    world: World
    digest: bytes

    @property
    def out(self) -> Path:
        return self.world.folder / "tip.age"

    def opened_again(self) -> Desk:
        """The desk after a restart."""
        with suppress(SafeconductError):
            self.world.desk.store.close()
        folder = self.world.folder
        return replace(self.world.desk, store=Store(folder), keys=Keyring(folder))

    def run(self) -> None:
        """The whole journey; what was done before is not done again."""
        desk = self.opened_again()
        try:
            pull(desk)
            for step in unseal_all(desk):
                if step.trouble:
                    raise UnavailableError(step.trouble)
            fill_archive(desk)
            late = replace(desk, seconds=lambda: DUE)
            if not self.out.exists():
                export(desk, self.digest, [READER.recipient()], self.out)
            retire(late, 1)
        finally:
            desk.store.close()


def _rig(folder: Path) -> Rig:
    world = make_world(folder)
    world.archive()
    digest = world.send(0, FILES)
    world.certify(rotate(world.desk, DUE + 1_000, opens=NOW - 5))
    world.desk.store.close()
    return Rig(world=world, digest=digest)


@contextmanager
def _failing(disk: DeskDisk) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(broken_disk, "STEPS", broken_disk.STEPS | {"writev"})
        patch.setattr(tray, "os", disk)
        with failing(disk):
            yield


def _check_claims(rig: Rig) -> None:
    """Each row and each name stands for something that is whole."""
    desk = rig.opened_again()
    try:
        for tip in desk.store.tips():
            assert is_whole(desk.store.payload_path(tip.hash), parse_record(tip.record))
            made = desk.store.acknowledged(tip.hash)
            if made is not None:
                assert made.status == "ok"
                assert desk.store.archived_in(tip.hash)
                assert _opened(desk, tip.hash) == list(FILES.values())
        destroyed = desk.store.destruction(1)
        if not _keys_are_whole(desk):
            assert destroyed is not None
            assert destroyed.proof
            assert standings(desk)[0].word in {"half-destroyed", "destroyed-not-announced"}
    finally:
        desk.store.close()
    if rig.out.exists():
        _check_export(rig)


def _opened(desk: Desk, digest: bytes) -> list[bytes]:
    folder = desk.store.tip_folder(digest) / "opened"
    return [path.read_bytes() for path in sorted(folder.iterdir())]


def _keys_are_whole(desk: Desk) -> bool:
    try:
        desk.keys.epoch(1)
    except UnavailableError:
        return False
    return True


def _check_export(rig: Rig) -> None:
    header, payload = age.split_header([rig.out.read_bytes()])
    content = b"".join(age.open_stream(age.unwrap(header, [READER]), payload))
    assert all(data in content for data in FILES.values())


def _steps(folder: Path) -> int:
    """How many steps on the disk the whole journey takes."""
    disk = DeskDisk(folder=folder)
    rig = _rig(folder)
    with _failing(disk):
        rig.run()
    return disk.steps


@pytest.mark.parametrize("way", WAYS)
def test_whatever_step_fails_nothing_false_is_claimed_and_running_again_finishes(
    tmp_path: Path, way: str
) -> None:
    total = _steps(tmp_path / "whole")
    assert total > 30
    for number in range(1, total + 1):
        rig = _rig(tmp_path / str(number))
        disk = DeskDisk(folder=rig.world.folder, fails_at=number, way=way)
        with _failing(disk), suppress(SafeconductError, OSError):
            rig.run()
        assert disk.failed_in, number
        disk.cut_power()
        _check_claims(rig)
        rig.run()
        _check_finished(rig)


def _check_finished(rig: Rig) -> None:
    _check_claims(rig)
    _check_export(rig)
    assert rig.world.desk.keys.found().keys() == {2}
    for kept in ("keys", "tips"):  # the export's own folder is not the desk's to tidy
        assert list((rig.world.folder / kept).rglob("*.tmp")) == []
    assert len(set(rig.world.ledger.asked)) == 3  # the tip, its answer, the destruction


@pytest.mark.parametrize("way", WAYS)
def test_shares_of_an_archive_are_all_there_or_none_is(tmp_path: Path, way: str) -> None:
    def make(folder: Path) -> str:
        return new_archive(folder, 2, 3, lambda length: bytes(range(length)))

    whole = DeskDisk(folder=tmp_path)
    with _failing(whole):
        make(tmp_path / "whole")
    for number in range(1, whole.steps + 1):
        folder, recipient = tmp_path / str(number), ""
        disk = DeskDisk(folder=tmp_path, fails_at=number, way=way)
        with _failing(disk), suppress(SafeconductError, OSError):
            recipient = make(folder)
        assert not recipient
        disk.cut_power()
        if way == KEPT:
            assert not list(folder.glob("share-*"))  # it had the chance to take them back
        again = make(tmp_path / f"{number}-again")
        paths = sorted((tmp_path / f"{number}-again").iterdir())
        assert recombine([lines_of(path.read_text())[0] for path in paths[:2]], again)


@contextmanager
def _full(disk: Path, leave_bytes: int) -> Iterator[None]:
    """Somebody else's file takes all but `leave_bytes` during the block."""
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file, suppress(OSError):
        while (free := os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize) > leave_bytes:
            file.write(bytes(min(1 << 14, free - leave_bytes)))
    try:
        yield
    finally:
        ballast.unlink()


def _files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_a_full_disk_stops_each_step_with_one_error_and_leaves_no_half_file(
    small_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pulling, "DISK_RESERVE_BYTES", -DISK_BYTES)
    world = make_world(small_disk / "desk")
    world.archive()
    digest = world.send(0, LARGE)
    out = small_disk / "tip.age"
    payload = world.desk.store.payload_path(digest)

    with _full(small_disk, 300_000), pytest.raises(UnavailableError, match="no space left"):
        pull(world.desk)
    assert not payload.parent.exists()
    assert pull(world.desk) == [digest]

    with _full(small_disk, 300_000):
        [step] = unseal_all(world.desk)
    assert "no space left" in step.trouble
    assert world.desk.store.acknowledged(digest) is None
    assert [path.name for path in payload.parent.iterdir()] == ["payload"]
    [step] = unseal_all(world.desk)
    assert step.status == "ok"

    before = _files(small_disk)
    with _full(small_disk, 300_000):
        for write in (
            lambda: export(world.desk, digest, [READER.recipient()], out),
            lambda: hand_over(world.desk, digest, out),
        ):
            with pytest.raises(UnavailableError, match="no space left"):
                write()
    with _full(small_disk, 4_096), pytest.raises(UnavailableError, match="no space left"):
        new_archive(small_disk / "shares", 3, 5, lambda length: bytes(length))
    assert _files(small_disk) == before
    world.desk.store.close()


def test_below_its_reserve_the_desk_takes_no_payload_and_says_so(small_disk: Path) -> None:
    world = make_world(small_disk / "desk")
    digest = world.send(0, FILES)
    with pytest.raises(UnavailableError, match="no room for the next tip"):
        pull(world.desk)
    assert world.desk.store.held_back() == []
    assert not world.desk.store.tip_folder(digest).exists()
    world.desk.store.close()
