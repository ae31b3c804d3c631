"""A backup, a twin and a repair, with real witnesses that remember more than the log does."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.parties.log.guard_folders import mirror
from tests.parties.log.log_world import World, hash_entry, make_world

from safeconduct.errors import ConflictError
from safeconduct.parties.log.fsck import check_log
from safeconduct.parties.log.repair import repair_log


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with make_world(tmp_path) as made:
        yield made


def publish(world: World, *numbers: int) -> int:
    """Start the log, add entries, publish them, stop it; returns the size published."""
    with world.open() as log:
        log.append([hash_entry(number) for number in numbers])
        log.round()
        return log.published().tree.size


def test_a_log_restored_from_a_backup_signs_nothing_until_a_mirror_has_repaired_it(
    world: World, tmp_path: Path
) -> None:
    publish(world, 1, 2)
    shutil.copytree(world.paths.path, tmp_path / "backup")
    publish(world, 3)
    shutil.move(world.paths.path, tmp_path / "lost")
    shutil.copytree(tmp_path / "backup", world.paths.path)
    for _ in range(2):
        with (
            pytest.raises(ConflictError, match=r"shows 3 entries .* signed only 2") as caught,
            world.open() as log,
        ):
            log.round()
        assert "log repair --from-mirror" in caught.value.hint
    with mirror(tmp_path / "lost/public") as url:
        repair_log(world.paths.path, url, lambda text: None, policy=world.policy)
    assert check_log(world.paths.path, lambda text: None).findings == []
    assert publish(world, 4) == 4


def test_a_backup_starts_no_earlier_than_enough_witnesses_are_back_to_say_no(
    world: World, tmp_path: Path
) -> None:
    publish(world, 1)
    shutil.copytree(world.paths.path, tmp_path / "backup")
    publish(world, 2)
    shutil.rmtree(world.paths.path)
    shutil.copytree(tmp_path / "backup", world.paths.path)
    for name in ("anna", "boris"):
        world.stop_witness(name)
    world.stop_witness("clara")
    with world.open() as log:
        log.submit(hash_entry(9))
        log.round()
        assert log.health().tree_size == 1
        world.start_witness("clara")
        with pytest.raises(ConflictError, match="clara shows 2 entries"):
            log.round()


def test_a_twin_of_a_running_log_stops_it_by_the_witnesses_evidence(
    world: World, tmp_path: Path
) -> None:
    publish(world, 1)
    twin = World(folder=tmp_path / "twin", log_key=world.log_key, urls=world.urls)
    with world.open() as log:
        log.round()
        shutil.copytree(world.paths.path, twin.paths.path)
        publish(twin, 2, 3)
        log.append([hash_entry(4)])
        with pytest.raises(ConflictError, match=r"shows 3 entries .* signed only 2"):
            log.round()
        assert not log.health().accepting
        assert log.published().tree.size == 1
