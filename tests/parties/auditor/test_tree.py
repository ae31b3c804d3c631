"""A log's copy on disk: recomputed for every shape of tree, and held against receipts."""

import hashlib
from pathlib import Path

import pytest
from tests.parties.auditor import public_folder as made

from safeconduct.errors import ConflictError, SafeconductError, UnverifiedError
from safeconduct.parties.auditor.folder import Folder
from safeconduct.parties.auditor.recompute import Fault, find_faults, find_strays
from safeconduct.parties.auditor.tree import (
    LogCopy,
    check_lines,
    check_stands,
    prove_entry,
    read_copy,
    verify_checkpoint,
)
from safeconduct.protocol.tlog.cosignature import cosign, sign_as_log
from safeconduct.protocol.tlog.merkle import EMPTY_ROOT, Tree
from safeconduct.protocol.tlog.note import (
    MLDSA44,
    Note,
    SigningKey,
    format_note,
    format_vkey,
    parse_note,
)
from safeconduct.protocol.tlog.policy import parse_policy, verify_proof

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
    return [*find_strays(copy), *find_faults(copy, entry_bytes=32)]


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


def test_a_tree_larger_than_any_disk_ends_at_the_first_bundle_missing(tmp_path: Path) -> None:
    tree = Tree(size=(1 << 63) - 1, root_hash=bytes(32))
    made.put(tmp_path / "ledger/checkpoint", made.checkpoint(made.LEDGER, tree))
    copy = read_copy(Folder(root=tmp_path), "ledger")
    assert [fault.file for fault in faults(copy)] == ["ledger/tile/entries/000"]


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


def mldsa44(name: str) -> SigningKey:
    seed = hashlib.sha256(f"{name} 0x06".encode()).digest()
    return SigningKey(name=name, seed=seed, algorithm=MLDSA44)


LOG_06 = mldsa44(made.LEDGER.name)
WITNESS_06 = mldsa44(made.WITNESSES[0].name)
POLICY_06 = parse_policy(
    f"log {format_vkey(LOG_06.verifier())}\n".encode()
    + made.POLICY_TEXT.replace(
        b"group", f"witness W1-06 {format_vkey(WITNESS_06.verifier())}\ngroup".encode(), 1
    )
)
TEXT = parse_note(made.checkpoint(made.LEDGER, Tree(size=0, root_hash=EMPTY_ROOT))).text
LINES = {
    "log": sign_as_log(TEXT, made.LEDGER, made.LOGGED_AT),
    "log 0x06": sign_as_log(TEXT, LOG_06, made.LOGGED_AT),
    "w1": cosign(TEXT, made.WITNESSES[0], made.LOGGED_AT),
    "w1 0x06": cosign(TEXT, WITNESS_06, made.LOGGED_AT),
    "w2": cosign(TEXT, made.WITNESSES[1], made.LOGGED_AT),
    "other log": sign_as_log(TEXT, made.GAZETTE, made.LOGGED_AT),
    "stranger": cosign(TEXT, made.key("witness.example/stranger"), made.LOGGED_AT),
    "stranger 0x06": cosign(TEXT, mldsa44("witness.example/stranger"), made.LOGGED_AT),
}


def with_lines(names: str) -> bytes:
    lines = tuple(LINES[name] for name in names.split(", "))
    return format_note(Note(text=TEXT, signatures=lines))


ADMITTED = [
    "log, w1, w2",
    "log, log 0x06, w1, w2",
    "log 0x06, log, w2, w1 0x06, w1",
    "log 0x06, w1, w2",
]


@pytest.mark.parametrize("names", ADMITTED)
def test_the_lines_of_all_listed_keys_may_stand_in_a_checkpoint(
    tmp_path: Path, names: str
) -> None:
    check_lines(with_lines(names), made.LEDGER.name, POLICY_06)
    made.put(tmp_path / "ledger/checkpoint", with_lines(names))
    copy = read_copy(Folder(root=tmp_path), "ledger")
    cosigned = verify_checkpoint(copy, POLICY_06)
    assert {"W1", "W2"} <= {name for name, _ in cosigned.cosignatures}


REFUSED = {
    "a witness before the log": "w1, log, w2",
    "the log's second line behind a witness": "log, w1, log 0x06, w2",
    "a line twice": "log, log, w1, w2",
    "a cosignature twice": "log, w1, w1, w2",
    "no line of the log": "w1, w2",
    "another log's line": "log, other log, w1, w2",
    "another log's line first": "other log, log, w1, w2",
    "a stranger": "log, w1, w2, stranger",
    "a stranger of the other kind": "log, w1, w2, stranger 0x06",
}


@pytest.mark.parametrize("names", REFUSED.values(), ids=REFUSED)
def test_another_order_or_a_strangers_line_is_refused(names: str) -> None:
    with pytest.raises(UnverifiedError):
        check_lines(with_lines(names), made.LEDGER.name, POLICY_06)


def test_a_line_of_a_kind_of_key_that_the_policy_does_not_list_is_a_strangers() -> None:
    for names in ("log, log 0x06, w1, w2", "log, w1, w2, w1 0x06"):
        with pytest.raises(UnverifiedError, match="no witness of this policy"):
            check_lines(with_lines(names), made.LEDGER.name, made.POLICY)
