"""Crashes, damage and full disks: the next run makes good what the last one left."""

import shutil
from pathlib import Path

import pytest
from tests.parties.mirror.ledger_steps import (
    advance_ledger,
    check_whole,
    copy_ledger,
    files,
    ledger,
    ledger_alone,
    lie,
)
from tests.parties.mirror.mirror_world import (
    KilledError,
    Killer,
    World,
    entry,
    serving,
)
from tests.protocol import builders

from safeconduct.errors import (
    UnavailableError,
)
from safeconduct.parties.mirror import copy as copying
from safeconduct.parties.mirror.store import Checkpoints, Index, Seen
from safeconduct.parties.mirror.tiles import tile_reader
from safeconduct.plumbing import durable
from safeconduct.protocol.tlog.merkle import leaf_hash


def arm(monkeypatch: pytest.MonkeyPatch, killer: Killer) -> None:
    """Let `killer` see every step that changes the disk."""
    places: list[tuple[object, str]] = [
        (durable, "write_file"),
        (durable, "remove_folder"),
        (Index, "extend"),
        (Index, "cut"),
        (Checkpoints, "keep"),
    ]
    for owner, name in places:
        monkeypatch.setattr(owner, name, killer.around(name, getattr(owner, name)))


STEPS = (3, 260)


def copy_in_two_steps(world: World) -> None:
    """What is interrupted: a copy of a part of a bundle, then of more than a bundle."""
    for size in STEPS:
        show(world, size)
        copy_ledger(world)


def copy_the_rest(world: World) -> None:
    """The next run: a log only ever grows, so it shows what it showed, or more."""
    with ledger_alone(world) as copy:
        done = copy.known().tree.size
    for size in STEPS:
        if size > done:
            show(world, size)
            copy_ledger(world)


def show(world: World, size: int) -> None:
    world.ledger.size, world.ledger.at = size, builders.NOON + size


def state(world: World) -> tuple[dict[str, bytes], list[bytes]]:
    """All files that are served, and a proof for each entry."""
    with ledger_alone(world) as copy:
        places = [copy.index.find(leaf_hash(entry(number))) for number in range(0, 600, 20)]
        proofs = [copy.proof(place) for place in places if place is not None]
        return files(copy.public), [proof for proof in proofs if proof is not None]


def test_a_kill_at_any_step_is_made_good_by_the_next_run(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(copying, "BATCH_BUNDLES", 1)
    world.ledger.grow(260)
    with ledger_alone(world):
        pass  # the databases are made once
    shutil.copytree(world.mirror, world.folder / "empty")
    seen = Killer()
    with monkeypatch.context() as patch:
        arm(patch, seen)
        copy_in_two_steps(world)
    expected = state(world)
    assert len(expected[1]) == 13
    assert {"write_file", "remove_folder", "extend", "keep"} <= set(seen.steps)
    for step in range(len(seen.steps)):
        for after in (False, True):
            shutil.rmtree(world.mirror)
            shutil.copytree(world.folder / "empty", world.mirror)
            with monkeypatch.context() as patch:
                arm(patch, Killer(step=step, after=after))
                with pytest.raises(KilledError):
                    copy_in_two_steps(world)
            copy_the_rest(world)
            assert state(world) == expected, f"killed at {step}: {seen.steps[step]}"


def test_nothing_is_published_before_all_of_it_is_on_the_disk(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.ledger.grow(300)
    steps: list[str] = []
    write, extend, keep = durable.write_file, Index.extend, Checkpoints.keep

    def write_file(path: Path, data: bytes, *, mode: int = 0o644) -> None:
        steps.append("checkpoint" if path.name == "checkpoint" else "tile")
        write(path, data, mode=mode)

    monkeypatch.setattr(durable, "write_file", write_file)

    def extend_index(index: Index, leaf_hashes: list[bytes]) -> None:
        steps.append("index")
        extend(index, leaf_hashes)

    def keep_checkpoint(checkpoints: Checkpoints, seen: Seen) -> None:
        steps.append("keep")
        keep(checkpoints, seen)

    monkeypatch.setattr(Index, "extend", extend_index)
    monkeypatch.setattr(Checkpoints, "keep", keep_checkpoint)
    copy_ledger(world)
    assert list(dict.fromkeys(steps)) == ["tile", "index", "keep", "checkpoint"]
    assert steps.count("checkpoint") == 1


def test_a_deleted_index_is_made_again_without_the_log(world: World) -> None:
    for _ in range(3):
        world.ledger.grow(200)
        copy_ledger(world)
    before = state(world)
    world.ledger.away = True
    for file in (world.mirror / "ledger").glob("index.db*"):
        file.unlink()
    assert state(world) == before


def test_without_its_databases_a_copy_still_knows_what_it_published(world: World) -> None:
    world.ledger.grow(300)
    copy_ledger(world)
    before = state(world)
    world.ledger.away = True
    for file in (world.mirror / "ledger").glob("*.db*"):
        file.unlink()
    assert state(world) == before


DAMAGE = {
    "the edge's hashes": "tile/0/001.p/44",
    "the hashes above": "tile/1/000.p/1",
}


@pytest.mark.parametrize("case", DAMAGE)
def test_a_damaged_edge_is_noticed_at_the_start(world: World, case: str) -> None:
    world.ledger.grow(300)
    copy_ledger(world)
    path = world.mirror / "ledger" / "public" / DAMAGE[case]
    data = path.read_bytes()
    path.write_bytes(bytes([data[0] ^ 1]) + data[1:])
    with pytest.raises(UnavailableError, match="damaged"), world.open():
        pass


def test_a_proof_from_a_damaged_tile_is_not_given(world: World) -> None:
    world.ledger.grow(300)
    copy_ledger(world)
    path = world.mirror / "ledger" / "public" / "tile/0/000"
    data = path.read_bytes()
    path.write_bytes(bytes([data[0] ^ 1]) + data[1:])
    with world.open() as mirror:
        with pytest.raises(UnavailableError, match="damaged"):
            ledger(mirror).proof(1)
        assert ledger(mirror).proof(299) is not None


def test_a_nearly_full_disk_stops_copying_and_shows_what_was_there(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.ledger.grow(10)
    with world.open() as mirror, serving(mirror) as url:
        advance_ledger(world, mirror)
        world.ledger.grow(10)
        monkeypatch.setattr(copying, "RESERVE_BYTES", 1 << 60)
        lie(world, mirror, UnavailableError, "nearly full")
        check_whole(world, url, 10)


def test_two_processes_do_not_copy_into_one_folder(world: World) -> None:
    with world.open(), pytest.raises(UnavailableError, match="another process"), world.open():
        pass


def test_a_tile_is_never_read_beyond_the_tree_that_holds_it(world: World) -> None:
    world.ledger.grow(3)
    with world.open() as mirror:
        advance_ledger(world, mirror)
        with pytest.raises(AssertionError, match="no such tile"):
            tile_reader(ledger(mirror).public, 4, 3)([(0, 3)])
