import shutil
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from pathlib import Path

import pytest
from tests.parties.log.log_world import ORIGIN, World, hash_entry, kept, make_world

from safeconduct.errors import (
    ConflictError,
    MalformedError,
    RefusedError,
    SafeconductError,
    UnavailableError,
)
from safeconduct.parties.log.config import LogConfig, new_log
from safeconduct.parties.log.sequence import Log, Pace, writing
from safeconduct.parties.log.store import LockStore, open_store
from safeconduct.plumbing import durable
from safeconduct.protocol.tlog.merkle import Tree, leaf_hash
from safeconduct.protocol.tlog.policy import open_checkpoint, verify_proof


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with make_world(tmp_path) as made:
        yield made


def add(log: Log, *numbers: int) -> list[int | None]:
    """Submit entries, make one round, and say which indexes were promised."""
    promises = [log.submit(hash_entry(number)) for number in numbers]
    log.round()
    return [kept(promise) for promise in promises]


def test_an_outsider_accepts_the_proof_of_each_entry(world: World) -> None:
    with world.open() as log:
        assert add(log, 1, 2) == [0, 1]
        assert add(log, 3) == [2]
        for index in range(3):
            assert world.verify(log, hash_entry(index + 1), index).tree.size == 3


def test_the_same_entry_keeps_its_index(world: World) -> None:
    with world.open() as log:
        twice = [log.submit(hash_entry(7)) for _ in range(2)]
        log.round()
        assert [kept(promise) for promise in twice] == [0, 0]
        add(log, 8)
        assert kept(log.submit(hash_entry(7))) == 0
    with world.open() as log:
        assert kept(log.submit(hash_entry(7))) == 0
        assert log.index_of(leaf_hash(hash_entry(8))) == 1


def test_an_entry_sent_again_keeps_the_date_of_its_first_cosignatures(world: World) -> None:
    with world.open() as log:
        add(log, 1)
        first = log.first_proof(0)
        add(log, 2)
        assert log.proof(0) != first == log.first_proof(0)
        assert verify_proof(first, hash_entry(1), world.policy, ORIGIN).tree.size == 1
    with world.open() as log:
        log.round()
        assert log.first_proof(0) == first
        assert log.first_proof(1) != first


def test_after_a_change_of_policy_old_cosignatures_are_not_handed_out(world: World) -> None:
    world.stop_witness("clara")
    with world.open() as log:
        add(log, 1)
    world.start_witness("clara")
    world.quorum = "clara"
    with world.open() as log:
        add(log, 2)
        proof = log.first_proof(0)
        assert verify_proof(proof, hash_entry(1), world.policy, ORIGIN).tree.size == 2


def test_old_checkpoints_are_forgotten_but_not_their_entries(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("safeconduct.parties.log.store.PUBLISHED_KEPT_MAX", 1)
    with world.open() as log:
        for number in (1, 2, 3):
            add(log, number)
        proof = log.first_proof(0)
        assert verify_proof(proof, hash_entry(1), world.policy, ORIGIN).tree.size == 3


def test_a_padded_ledger_grows_by_the_pad_whatever_comes(tmp_path: Path) -> None:
    with make_world(tmp_path, pad=8) as world, world.open() as log:
        sizes = []
        for numbers in ([], [1], [*range(10, 18)], [*range(20, 29)]):
            indexes = add(log, *numbers)
            sizes.append(log.published().tree.size)
            for number, index in zip(numbers, indexes, strict=True):
                assert index is not None
                world.verify(log, hash_entry(number), index)
        assert sizes == [8, 16, 24, 40]


def test_an_idle_log_without_pad_does_not_grow_but_is_cosigned_afresh(world: World) -> None:
    with world.open(pace=Pace(republish_seconds=0.0)) as log:
        add(log, 1)
        before = world.paths.checkpoint.stat().st_ino
        log.round()
        assert log.published().tree.size == 1
        assert world.paths.checkpoint.stat().st_ino != before, "a new file took its place"


def test_what_the_kind_does_not_admit_changes_nothing(world: World) -> None:
    with world.open() as log:
        for entry in (b"", b"x" * 31, b"x" * 33):
            with pytest.raises(MalformedError, match="32 bytes"):
                log.submit(entry)
        log.round()
        assert log.published().tree.size == 0


def test_entries_are_admitted_once_and_in_order_also_after_a_restart(world: World) -> None:
    def gate() -> tuple[list[bytes], Callable[[bytes], None]]:
        seen: list[bytes] = []

        def admit(entry: bytes) -> None:
            if seen and entry <= seen[-1]:
                raise RefusedError("entries only go up")
            seen.append(entry)

        return seen, admit

    seen, admit = gate()
    with world.open(admit) as log:
        log.submit(hash_entry(2))
        with pytest.raises(RefusedError):
            log.submit(hash_entry(1))
        log.submit(hash_entry(2))
        log.round()
        assert add(log, 3) == [1]
    again, admit = gate()
    with world.open(admit) as log, pytest.raises(RefusedError):
        log.submit(hash_entry(1))
    assert seen == again == [hash_entry(2), hash_entry(3)]


def test_without_a_quorum_nothing_is_published_and_nothing_is_lost(world: World) -> None:
    with world.open() as log:
        add(log, 1)
        before = world.paths.checkpoint.read_bytes()
        world.stop_witness("anna")
        assert add(log, 2) == [1]
        world.stop_witness("boris")
        waiting = log.submit(hash_entry(3))
        log.round()
        log.round()
        assert kept(waiting) is None
        assert log.published().tree.size == 2
        with pytest.raises(RefusedError):
            log.index_of(leaf_hash(hash_entry(3)))
        world.start_witness("anna")
        log.round()
        assert kept(waiting) == 2
        assert world.paths.checkpoint.read_bytes() != before
        world.verify(log, hash_entry(3), 2)


def test_an_entry_outlives_a_restart_without_quorum(world: World) -> None:
    with world.open() as log:
        add(log, 0)
        world.stop_witness("anna")
        world.stop_witness("boris")
        assert add(log, 1) == [None]
    world.start_witness("anna")
    with world.open() as log:
        log.round()
        assert kept(log.submit(hash_entry(1))) == 1


def test_a_witness_that_missed_much_is_proven_to_from_its_size(world: World) -> None:
    with world.open() as log:
        add(log, 1, 2, 3)
        world.stop_witness("clara")
        add(log, 4)
        add(log, 5, 6)
        world.start_witness("clara")
        world.stop_witness("anna")
        assert add(log, 7) == [6]
        names = {
            n for n, _ in open_checkpoint(log.published().checkpoint, world.policy).cosignatures
        }
        assert names == {"boris", "clara"}


WRITES = {
    "journal": (durable, "write_synced"),
    "lock store": (LockStore, "swap"),
    "first tile": (durable, "place_file"),
    "history": (LockStore, "keep_published"),
    "checkpoint": (durable, "write_file"),
}


def break_write(monkeypatch: pytest.MonkeyPatch, write: str, persisted: bool) -> None:
    """Make one kind of write fail once, before or after it has happened."""
    broken = threading.Event()

    target, name = WRITES[write]
    real: Callable[..., object] = getattr(target, name)

    def attempt(*arguments: object, **options: object) -> object:
        if broken.is_set():
            return real(*arguments, **options)
        broken.set()
        if persisted:
            real(*arguments, **options)
        raise UnavailableError("the disk is gone")

    monkeypatch.setattr(target, name, attempt)


@pytest.mark.parametrize("persisted", [False, True], ids=["lost", "kept but reported lost"])
@pytest.mark.parametrize("write", WRITES)
def test_any_one_write_may_fail_and_nothing_acknowledged_is_lost(
    write: str, persisted: bool, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    with world.open() as log:
        add(log, 1, 2)
        with monkeypatch.context() as patch:
            break_write(patch, write, persisted)
            promise = log.submit(hash_entry(3))
            with pytest.raises(UnavailableError, match="disk is gone"):
                log.round()
        with pytest.raises(UnavailableError, match="has stopped: the disk is gone"):
            promise.result(timeout=0)
        with pytest.raises(UnavailableError, match="has stopped"):
            log.round()
    with world.open() as log:
        log.round()
        for number in (1, 2):
            assert kept(log.submit(hash_entry(number))) == number - 1
        assert add(log, 3) == [2]
        assert add(log, 4) == [3]
        for index in range(4):
            world.verify(log, hash_entry(index + 1), index)
    assert not list(world.paths.public.rglob(".*"))
    assert not world.paths.scratch.exists()


def test_after_a_disk_fault_nothing_is_taken_in_but_reads_go_on(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    with world.open(pace=Pace(every_seconds=0.05)) as log:
        add(log, 1)
        break_write(monkeypatch, "journal", persisted=False)
        with writing(log):
            promise = log.submit(hash_entry(2))
            with pytest.raises(UnavailableError, match="disk is gone"):
                promise.result(timeout=100)
            with pytest.raises(UnavailableError, match="stopped"):
                log.submit(hash_entry(3))
            assert kept(log.submit(hash_entry(1))) == 0
            world.verify(log, hash_entry(1), 0)


def test_those_who_wait_are_told_when_the_log_is_stopped(world: World) -> None:
    world.stop_witness("anna")
    world.stop_witness("boris")
    with world.open(pace=Pace(every_seconds=0.05)) as log:
        with writing(log):
            promise: Future[int] = log.submit(hash_entry(1))
        with pytest.raises(UnavailableError, match="stopped"):
            promise.result(timeout=100)


def segment(world: World) -> Path:
    """The one segment of a journal that a crash has left."""
    [path] = [path for path in world.paths.journal.iterdir() if path.name != "spare"]
    return path


def replaced(path: Path, start: int, data: bytes) -> None:
    whole = path.read_bytes()
    path.write_bytes(whole[:start] + data + whole[start + len(data) :])


FRAME_BYTES = 36 + 2 * 34  # of two hashes
FIRST_FRAME = 32


def test_a_torn_tail_that_nothing_rests_on_is_dropped(world: World) -> None:
    with world.open(crash=True) as log:
        add(log, 1, 2)
    path, length = segment(world), segment(world).stat().st_size
    replaced(path, FIRST_FRAME + FRAME_BYTES, b"\x00\x00\x01\x00 torn in the middle")
    with world.open(crash=True) as log:
        assert (path.stat().st_size, b"torn" in path.read_bytes()) == (length, False)
        assert add(log, 3) == [2]
    with world.open() as log:
        assert log.index_of(leaf_hash(hash_entry(3))) == 2


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "cut": lambda data: data[: FIRST_FRAME + FRAME_BYTES - 1],
    "an entry flipped": lambda data: data[:100] + bytes([data[100] ^ 1]) + data[101:],
    "the length flipped": lambda data: data[:35] + bytes([data[35] ^ 1]) + data[36:],
    "zeros": lambda data: data[:FIRST_FRAME] + bytes(len(data) - FIRST_FRAME),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_journal_without_what_was_signed_is_not_opened(damage: str, world: World) -> None:
    with world.open(crash=True) as log:
        add(log, 1, 2)
    path = segment(world)
    path.write_bytes(DAMAGES[damage](path.read_bytes()))
    kept_data = path.read_bytes()
    with pytest.raises(UnavailableError, match="2 were signed") as caught, world.open():
        pass
    assert "log fsck" in caught.value.hint
    assert "log repair --from-mirror" in caught.value.hint
    assert path.read_bytes() == kept_data


def test_a_journal_that_is_gone_is_not_made_anew(world: World) -> None:
    with world.open(crash=True) as log:
        add(log, 1, 2)
    segment(world).unlink()
    with pytest.raises(UnavailableError, match="good for 0 entries, but 2"), world.open():
        pass


def test_a_journal_of_an_earlier_release_is_told_so(world: World) -> None:
    world.paths.journal.write_bytes(b"one file")
    with pytest.raises(UnavailableError, match="earlier release"), world.open():
        pass


def test_a_journal_with_other_entries_is_not_opened(world: World, tmp_path: Path) -> None:
    with world.open(crash=True) as log:
        add(log, 1, 2)
    with make_world(tmp_path / "other") as other:
        with other.open(crash=True) as log:
            add(log, 3, 4)
        segment(world).write_bytes(segment(other).read_bytes())
    with pytest.raises(UnavailableError, match="not the 2 entries that were"), world.open():
        pass


def test_a_lock_store_is_never_made_anew(world: World) -> None:
    with world.open() as log:
        add(log, 1)
    world.paths.lock_store.unlink()
    with pytest.raises(UnavailableError, match="lock store is gone"), world.open():
        pass


def test_a_log_restored_from_a_backup_is_stopped_by_its_own_public_checkpoint(
    world: World, tmp_path: Path
) -> None:
    with world.open() as log:
        add(log, 1)
    shutil.copytree(world.paths.path, tmp_path / "backup")
    with world.open() as log:
        add(log, 2)
    newest = world.paths.checkpoint.read_bytes()
    shutil.rmtree(world.paths.path)
    shutil.copytree(tmp_path / "backup", world.paths.path)
    world.paths.checkpoint.write_bytes(newest)
    with pytest.raises(UnavailableError, match="the public has a tree"), world.open():
        pass


def test_a_log_restored_whole_is_stopped_by_its_witnesses(
    world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with world.open() as log:
        add(log, 1)
    shutil.copytree(world.paths.path, tmp_path / "backup")
    with world.open() as log:
        add(log, 2, 3)
    shutil.rmtree(world.paths.path)
    shutil.copytree(tmp_path / "backup", world.paths.path)
    with world.open() as log:
        with pytest.raises(ConflictError, match="shows 3 entries under this log's own"):
            add(log, 9)
        with pytest.raises(UnavailableError, match="has stopped"):
            log.submit(hash_entry(10))
        assert log.published().tree.size == 1
        assert not log.health().accepting
    assert "restored from a backup" in capsys.readouterr().err


def test_a_second_writer_stops_with_the_reason(world: World) -> None:
    with (
        world.open(),
        pytest.raises(UnavailableError, match="another process writes here"),
        world.open(),
    ):
        pass


def test_the_lock_store_stops_a_second_writer_that_the_file_lock_missed(world: World) -> None:
    with world.open() as log:
        add(log, 1)
        store = open_store(world.paths.lock_store, ORIGIN)
        signed = store.signed()
        other = Tree(size=5, root_hash=b"f" * 32)
        store.swap(signed.tree, other, signed.checkpoint, signed.signed_at_ms)
        store.close()
        with pytest.raises(SafeconductError, match="another writer has signed"):
            add(log, 2)


def test_too_many_waiting_entries_are_refused_not_dropped(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("safeconduct.parties.log.pool.POOL_ENTRIES_MAX", 2)
    with world.open() as log:
        promises = [log.submit(hash_entry(number)) for number in (1, 2)]
        with pytest.raises(UnavailableError, match="too many"):
            log.submit(hash_entry(3))
        log.round()
        assert [kept(promise) for promise in promises] == [0, 1]


@pytest.mark.parametrize(
    ("name", "kind", "pad"),
    [("Gazette", "gazette", 0), ("../x", "gazette", 0), ("a", "other", 0), ("a", "gazette", 8)],
)
def test_a_log_that_makes_no_sense_is_not_founded(
    name: str, kind: str, pad: int, tmp_path: Path
) -> None:
    with pytest.raises(MalformedError):
        new_log(tmp_path, LogConfig(name=name, origin=ORIGIN, kind=kind, pad=pad))
    assert list(tmp_path.iterdir()) == []


def test_an_origin_that_cannot_name_a_key_is_refused(tmp_path: Path) -> None:
    config = LogConfig(name="a", origin="two words", kind="gazette", pad=0)
    with pytest.raises(MalformedError):
        new_log(tmp_path, config)
    assert list(tmp_path.iterdir()) == []
