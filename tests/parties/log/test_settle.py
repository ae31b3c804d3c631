import stat
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.parties.log.log_world import World, hash_entry, make_world

from safeconduct.errors import UnavailableError
from safeconduct.parties.log import journal as journal_module
from safeconduct.parties.log import settle as settle_module
from safeconduct.parties.log.journal import list_segments
from safeconduct.parties.log.sequence import Log
from safeconduct.parties.log.settle import SEGMENTS_WAITING_MAX
from safeconduct.parties.log.store import LockStore, Settled, open_store
from safeconduct.parties.log.tiles import TileWriter, verify_edge
from safeconduct.plumbing import durable
from safeconduct.plumbing.durable import list_files
from safeconduct.protocol.tlog.merkle import leaf_hash
from safeconduct.protocol.tlog.tile import TILE_WIDTH, parse_tile_path, tile_path, tiles_of

ENTRY_FRAME_BYTES = 36 + 34


@pytest.fixture(autouse=True)
def small_segments(monkeypatch: pytest.MonkeyPatch) -> None:
    """Segments of a page: some hundred entries each."""
    monkeypatch.setattr(journal_module, "SEGMENT_BYTES", 4096)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with make_world(tmp_path) as made:
        yield made


def append(log: Log, start: int, end: int, batch: int = 50) -> None:
    """Append entries, in batches."""
    for first in range(start, end, batch):
        assert log.append([hash_entry(n) for n in range(first, min(end, first + batch))])


def settled_size(world: World) -> int:
    store = open_store(world.paths.lock_store, "log.example/ledger")
    try:
        return store.settled().tree_size
    finally:
        store.close()


def check_whole(world: World, size: int) -> None:
    """The log can be opened, holds `size` entries, and an outsider believes all of it."""
    with world.open() as log:
        log.round()
        assert log.published().tree.size == size
        verify_edge(world.paths.public, log.published().tree)
        for number in {*range(0, size, 97), size - 1}:
            world.verify(log, hash_entry(number), number)
            assert log.index_of(leaf_hash(hash_entry(number))) == number


def test_a_log_that_was_closed_is_settled_whole_and_has_no_journal(world: World) -> None:
    with world.open() as log:
        append(log, 0, 700)
    assert settled_size(world) == 700
    assert list_segments(world.paths.journal) == []
    assert [path.name for path in world.paths.journal.iterdir()] == []
    check_whole(world, 700)


def test_full_tiles_and_bundles_can_be_written_by_nobody_when_settled(world: World) -> None:
    with world.open() as log:
        append(log, 0, 700)
    for name in list_files(world.paths.public):
        if name != "checkpoint":
            mode = stat.S_IMODE((world.paths.public / name).stat().st_mode)
            full = parse_tile_path(name).width == TILE_WIDTH
            assert (name, mode) == (name, 0o444 if full else 0o644)


def test_the_journal_is_bounded_while_the_log_grows(world: World) -> None:
    most = 0
    with world.open() as log:
        for start in range(0, 3000, 50):
            append(log, start, start + 50)
            most = max(most, len(list_segments(world.paths.journal)))
        size = log.health().tree_size
    assert size == 3000
    assert 1 < most <= SEGMENTS_WAITING_MAX + 2


def test_after_a_crash_the_segments_that_are_not_settled_are_replayed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(settle_module.Settler, "_settle", lambda *_: None)
        with world.open(crash=True) as log:
            append(log, 0, 300)
    assert settled_size(world) == 0
    assert len(list_segments(world.paths.journal)) > 2
    for name in list_files(world.paths.public):
        (world.paths.public / name).unlink()  # nothing of it was synced
    check_whole(world, 300)
    assert settled_size(world) == 300


def test_a_start_reads_the_edge_and_the_window_not_the_log(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    with world.open() as log:
        append(log, 0, 5000, batch=500)
    monkeypatch.setattr("safeconduct.parties.log.recover.RECENT_ENTRIES", 300)
    read: list[Path] = []
    real = durable.read_file

    def counting(path: Path, *, bytes_max: int) -> bytes:
        read.append(path.relative_to(world.paths.path))
        return real(path, bytes_max=bytes_max)

    monkeypatch.setattr(durable, "read_file", counting)
    with world.open():
        tiles = {path.as_posix() for path in read if "tile" in path.parts}
    edge = {"tile/entries/019.p/136", "tile/0/019.p/136", "tile/1/000.p/19"}
    assert tiles <= {f"public/{name}" for name in {*edge, "tile/0/018"}}


STEPS: dict[str, tuple[object, str]] = {
    "sync a file": (durable, "sync_file"),
    "sync a folder": (durable, "sync_folder"),
    "record": (LockStore, "settle"),
    "remove partial tiles": (TileWriter, "settled"),
    "remove the segment": (durable, "remove_file"),
}


def fail_once(
    monkeypatch: pytest.MonkeyPatch, step: str, persisted: bool, failed: threading.Event
) -> None:
    """Make a step of the settler fail, before or after it has happened."""
    target, name = STEPS[step]
    real: Callable[..., object] = getattr(target, name)

    def attempt(*arguments: object, **options: object) -> object:
        if threading.current_thread().name != "settle" or failed.is_set():
            return real(*arguments, **options)
        if persisted:
            real(*arguments, **options)
        failed.set()
        raise UnavailableError("the disk is gone")

    monkeypatch.setattr(target, name, attempt)


def append_slowly(log: Log, failed: threading.Event) -> None:
    """Append until the writer learns of the settler's failure."""
    for start in range(0, 3000, 50):
        append(log, start, start + 50)
        failed.wait(0.01)


@pytest.mark.parametrize("persisted", [False, True], ids=["lost", "kept but reported lost"])
@pytest.mark.parametrize("step", STEPS)
def test_settling_may_fail_at_any_step_and_nothing_is_lost(
    step: str, persisted: bool, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed = threading.Event()
    with monkeypatch.context() as patch, world.open(crash=True) as log:
        fail_once(patch, step, persisted, failed)
        with pytest.raises(UnavailableError, match="disk is gone"):
            append_slowly(log, failed)
        size = log.health().tree_size
        with pytest.raises(UnavailableError, match="has stopped"):
            log.submit(hash_entry(9999))
    assert failed.is_set()
    check_whole(world, size)
    assert list_segments(world.paths.journal) == []
    needed = {tile_path(tile) for tile in tiles_of(size)}
    there = {name for name in list_files(world.paths.public) if name.startswith("tile/0/")}
    assert there == {name for name in needed if name.startswith("tile/0/")}


def test_a_disk_that_cannot_keep_up_slows_the_log_down(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    going = threading.Event()
    real = settle_module.Settler._settle

    def slow(settler: settle_module.Settler, segment: Path, end: Settled) -> None:
        assert going.wait(100)
        real(settler, segment, end)

    monkeypatch.setattr(settle_module.Settler, "_settle", slow)
    with world.open() as log:
        thread = threading.Thread(target=append, args=(log, 0, 3000))
        thread.start()
        thread.join(0.7)
        assert thread.is_alive()
        assert len(list_segments(world.paths.journal)) <= SEGMENTS_WAITING_MAX + 2
        going.set()
        thread.join(100)
        assert log.health().tree_size == 3000
