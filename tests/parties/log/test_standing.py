"""When the log must not go on: its clock, its disk, its files. It keeps serving and says so."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.parties.log.log_world import World, hash_entry, kept, make_world

from safeconduct.errors import RefusedError, SafeconductError, UnavailableError
from safeconduct.parties.log import journal as journal_module
from safeconduct.parties.log.sequence import Log, Pace
from safeconduct.parties.log.tiles import forget_tiles, last_tiles
from safeconduct.plumbing import clock, durable
from safeconduct.protocol.tlog.merkle import leaf_hash
from safeconduct.protocol.tlog.tile import tile_path

HOUR_MS = 3_600_000


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with make_world(tmp_path) as made:
        yield made


def add(log: Log, *numbers: int) -> list[int | None]:
    """Submit entries, make one round, and say which indexes were promised."""
    promises = [log.submit(hash_entry(number)) for number in numbers]
    log.round()
    return [kept(promise) for promise in promises]


def set_clock(monkeypatch: pytest.MonkeyPatch, at_ms: int) -> None:
    monkeypatch.setattr(clock, "milliseconds", lambda: at_ms)


@pytest.mark.parametrize(
    "back_ms", [0, 1, HOUR_MS], ids=["stands", "a bit back", "an hour back"]
)
def test_while_the_clock_does_not_pass_the_last_signature_nothing_is_signed(
    back_ms: int, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    with world.open(pace=Pace(republish_seconds=0)) as log:
        add(log, 1)
        waiting = log.submit(hash_entry(2))
        signed_at_ms = log._writer.signed.signed_at_ms
        before = world.paths.checkpoint.read_bytes()
        with monkeypatch.context() as patch:
            set_clock(patch, signed_at_ms - back_ms)
            log.round()
            assert (kept(waiting), log.health().tree_size) == (None, 1)
            with pytest.raises(UnavailableError, match="clock has not passed"):
                log.submit(hash_entry(3))
            with pytest.raises(UnavailableError, match="clock has not passed"):
                log.append([hash_entry(3)])
            assert "clock" in log.health().reason
            assert kept(log.submit(hash_entry(1))) == 0
            world.verify(log, hash_entry(1), 0)
            assert world.paths.checkpoint.read_bytes() == before
        log.round()
        assert kept(waiting) == 1
        assert log.health().accepting
        assert add(log, 3) == [2]


def test_a_clock_set_back_while_the_log_was_down_is_noticed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    now_ms = clock.milliseconds()
    with monkeypatch.context() as patch:
        set_clock(patch, now_ms + HOUR_MS)
        with world.open() as log:
            log.append([hash_entry(1)])
    with world.open() as log:
        log.round()
        assert not log.health().accepting
        set_clock(monkeypatch, now_ms + HOUR_MS + 1)
        assert add(log) == []
        assert log.published().tree.size == 1


def test_a_disk_nearly_full_takes_no_entries_until_there_is_space(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pace = Pace(reserve_bytes=1 << 20)
    with make_world(tmp_path, pad=4) as world, world.open(pace=pace) as log:
        add(log, 1)
        waiting = log.submit(hash_entry(2))
        with monkeypatch.context() as patch:
            needed = pace.reserve_bytes + journal_module.SEGMENT_BYTES
            patch.setattr(durable, "free_bytes", lambda _: needed - 1)
            log.round()
            assert kept(waiting) is not None, "what was in is published"
            size = log.published().tree.size
            log.round()
            assert log.published().tree.size == size, "no dummies fill the disk up"
            for refused in (log.submit, lambda entry: log.append([entry])):
                with pytest.raises(UnavailableError, match="disk nearly full"):
                    refused(hash_entry(3))
            assert (log.health().accepting, log.health().free_bytes) == (False, needed - 1)
            assert kept(log.submit(hash_entry(1))) is not None
        log.round()
        assert add(log, 3) != [None]


@pytest.mark.parametrize("size", [1, 200, 256, 300])
@pytest.mark.parametrize("level", [-1, 0])
def test_a_bit_flipped_at_the_edge_is_noticed_before_the_next_signature(
    level: int, size: int, world: World
) -> None:
    with world.open() as log:
        log.append([hash_entry(number) for number in range(size)])
        log.round()
        [tile] = [tile for tile in last_tiles(size) if tile.level == level]
        path = world.paths.public / tile_path(tile)
        data = path.read_bytes()
        path.write_bytes(bytes([data[0], data[1], data[2] ^ 1]) + data[3:])
        signed = log._writer.signed
        with pytest.raises(UnavailableError, match="do not lead to the signed root"):
            add(log, 9999)
        assert log._writer.signed == signed
        with pytest.raises(UnavailableError, match="has stopped"):
            log.submit(hash_entry(9998))
        assert log.published().tree == signed.tree, "it keeps serving"
    with world.open() as log:
        assert add(log, 9999) == [size], "the journal still has what mends it"
    path = world.paths.public / tile_path(last_tiles(size + 1)[level + 1])
    data = path.read_bytes()
    path.write_bytes(bytes([data[0], data[1], data[2] ^ 1]) + data[3:])
    with pytest.raises(UnavailableError, match="do not lead") as caught, world.open():
        pass
    assert "log repair --from-mirror" in caught.value.hint


def test_an_idle_log_notices_it_too_before_it_signs_afresh(world: World) -> None:
    with world.open(pace=Pace(republish_seconds=0)) as log:
        add(log, 1)
        path = world.paths.public / "tile/0/000.p/1"
        path.write_bytes(bytes(32))
        with pytest.raises(UnavailableError, match="do not lead to the signed root"):
            log.round()


def test_a_damaged_tile_gives_no_proof_rather_than_a_wrong_one(world: World) -> None:
    with world.open() as log:
        log.append([hash_entry(number) for number in range(600)])
        log.round()
        path = world.paths.public / "tile/0/000"
        data = path.read_bytes()
        world.verify(log, hash_entry(7), 7)
        path.write_bytes(data[:32] + bytes(32) + data[64:])
        forget_tiles()
        with pytest.raises(UnavailableError) as caught:
            log.proof(1)
        assert "log fsck" in caught.value.hint
        assert str(world.folder) not in caught.value.told != ""
        world.verify(log, hash_entry(599), 599)


def test_beyond_the_window_an_entry_is_no_longer_known(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("safeconduct.parties.log.recent.NEWEST_ENTRIES_MAX", 64)
    monkeypatch.setattr("safeconduct.parties.log.recover.RECENT_ENTRIES", 256)
    for _ in range(2):  # as it grows, and as it is read again at a start
        with world.open() as log:
            log._recent._window = 256
            start = log.health().tree_size
            for first in range(start, start + 512, 64):
                log.append([hash_entry(number) for number in range(first, first + 64)])
            log.round()
            end = start + 512
            assert log.index_of(leaf_hash(hash_entry(end - 256))) == end - 256
            with pytest.raises(RefusedError, match="no recent") as caught:
                log.index_of(leaf_hash(hash_entry(end - 257)))
            assert (caught.value.http_status, "mirror" in caught.value.hint) == (404, True)
            world.verify(log, hash_entry(0), 0)


def test_a_refused_entry_in_bulk_leaves_those_before_it(world: World) -> None:
    with world.open() as log:
        early = log.submit(hash_entry(0))
        with pytest.raises(SafeconductError, match="32 bytes"):
            log.append([hash_entry(1), hash_entry(2), b"short", hash_entry(3)])
        assert log.append([hash_entry(4)]) == range(3, 4)
        log.round()
        assert kept(early) == 0
        for index, number in enumerate((0, 1, 2, 4)):
            world.verify(log, hash_entry(number), index)
