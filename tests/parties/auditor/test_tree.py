"""A log's copy on disk: recomputed for every shape of tree, and held against receipts."""

from pathlib import Path

import pytest
from tests.parties.auditor import public_folder as made

from safeconduct.errors import ConflictError, MalformedError, SafeconductError, UnverifiedError
from safeconduct.parties.auditor.folder import Folder
from safeconduct.parties.auditor.tree import (
    TREE_SIZE_MAX,
    Fault,
    LogCopy,
    check_stands,
    find_faults,
    prove_entry,
    read_copy,
    verify_checkpoint,
)
from safeconduct.protocol.tlog.merkle import EMPTY_ROOT, Tree
from safeconduct.protocol.tlog.policy import verify_proof

SIZES = [1, 2, 3, 255, 256, 257, 300, 512, 700]


def entry(index: int) -> bytes:
    return index.to_bytes(32, "big")


def entries(size: int) -> list[bytes]:
    return [entry(index) for index in range(size)]


def put_log(folder: Path, log: made.Log) -> LogCopy:
    for path, data in log.files.items():
        made.put(folder / "ledger" / path, data)
    return read_copy(Folder(root=folder), "ledger")


def faults(copy: LogCopy) -> list[Fault]:
    return list(find_faults(copy, copy.folder.walk(), entry_bytes=32))


@pytest.mark.parametrize("size", SIZES)
def test_a_whole_copy_of_any_size_has_no_fault(tmp_path: Path, size: int) -> None:
    log = made.make_log(made.LEDGER, entries(size))
    copy = put_log(tmp_path, log)
    assert faults(copy) == []
    assert list(copy.entries()) == entries(size)
    assert verify_checkpoint(copy, made.POLICY).checkpoint.tree == copy.tree


@pytest.mark.parametrize("size", SIZES)
def test_every_file_of_a_copy_counts(tmp_path: Path, size: int) -> None:
    log = made.make_log(made.LEDGER, entries(size))
    copy = put_log(tmp_path, log)
    for path in log.files.keys() - {"checkpoint"}:
        file = tmp_path / "ledger" / path
        data = file.read_bytes()
        file.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
        assert faults(copy) != [], path
        file.unlink()
        assert copy.path(path) in {fault.file for fault in faults(copy)}
        file.write_bytes(data)


def test_an_empty_log_is_a_checkpoint_and_no_tile(tmp_path: Path) -> None:
    data = made.checkpoint(made.LEDGER, Tree(size=0, root_hash=EMPTY_ROOT))
    made.put(tmp_path / "ledger/checkpoint", data)
    copy = read_copy(Folder(root=tmp_path), "ledger")
    assert faults(copy) == []
    with pytest.raises(UnverifiedError, match="lies beyond"):
        copy.entry(0)


def test_a_tree_larger_than_any_folder_is_refused_before_it_is_walked(tmp_path: Path) -> None:
    tree = Tree(size=TREE_SIZE_MAX + 1, root_hash=bytes(32))
    made.put(tmp_path / "ledger/checkpoint", made.checkpoint(made.LEDGER, tree))
    with pytest.raises(MalformedError, match="more than"):
        read_copy(Folder(root=tmp_path), "ledger")


@pytest.mark.parametrize("index", [0, 1, 255, 256, 299])
def test_an_entry_is_proven_through_the_tiles(tmp_path: Path, index: int) -> None:
    copy = put_log(tmp_path, made.make_log(made.LEDGER, entries(300)))
    assert prove_entry(copy, index, made.POLICY) == entry(index)


def test_an_entry_is_not_proven_past_a_wrong_tile(tmp_path: Path) -> None:
    copy = put_log(tmp_path, made.make_log(made.LEDGER, entries(300)))
    (tmp_path / "ledger/tile/0/001.p/44").write_bytes(bytes(44 * 32))
    with pytest.raises(SafeconductError):
        prove_entry(copy, 0, made.POLICY)


@pytest.mark.parametrize("size", [4, 256, 290, 300])
def test_what_a_smaller_tree_proved_stands_in_a_later_copy(tmp_path: Path, size: int) -> None:
    copy = put_log(tmp_path, made.make_log(made.LEDGER, entries(300)))
    proof = made.make_log(made.LEDGER, entries(size)).proof(3)
    logged = verify_proof(proof, entry(3), made.POLICY)
    check_stands(copy, logged, entry(3))
    with pytest.raises(UnverifiedError, match="is another"):
        check_stands(copy, logged, entry(4))


def test_what_a_larger_tree_proved_does_not_stand_in_an_earlier_copy(tmp_path: Path) -> None:
    copy = put_log(tmp_path, made.make_log(made.LEDGER, entries(299)))
    logged = verify_proof(
        made.make_log(made.LEDGER, entries(300)).proof(3), entry(3), made.POLICY
    )
    with pytest.raises(UnverifiedError, match="only 299"):
        check_stands(copy, logged, entry(3))


def test_what_a_forked_tree_proved_contradicts_the_copy(tmp_path: Path) -> None:
    copy = put_log(tmp_path, made.make_log(made.LEDGER, entries(300)))
    forked = made.make_log(made.LEDGER, [*entries(20), bytes(32)])
    logged = verify_proof(forked.proof(3), entry(3), made.POLICY)
    with pytest.raises(ConflictError, match="another tree of 21 entries"):
        check_stands(copy, logged, entry(3))


def test_an_entry_of_another_length_is_named_by_its_bundle(tmp_path: Path) -> None:
    copy = put_log(tmp_path, made.make_log(made.LEDGER, [*entries(300), b"a name"]))
    assert [fault.file for fault in faults(copy)] == ["ledger/tile/entries/001.p/45"]
