"""`safeconduct fork`: what a fork proof proves, told to somebody who trusts nobody."""

import argparse
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from tests.parties.auditor import public_folder as made

from safeconduct.errors import MalformedError, UnverifiedError
from safeconduct.parties.auditor import command
from safeconduct.protocol.tlog.fork import ForkProof, find_fork, fork_hashes, format_fork
from safeconduct.protocol.tlog.note import format_vkey
from safeconduct.protocol.tlog.tile import hash_reader, tile_path

KEYS = [log.key for log in made.POLICY.logs]
ENTRIES = [place.to_bytes(4, "big") for place in range(300)]
OLD = made.make_log(made.LEDGER, ENTRIES[:200])
NEW = made.make_log(made.LEDGER, [*ENTRIES[:100], b"a lie", *ENTRIES[101:]])
HONEST = made.make_log(made.LEDGER, ENTRIES)


def hashes(log: made.Log, old_size: int) -> tuple[bytes, ...]:
    size = len(log.entries)
    read = hash_reader(size, lambda tile: log.files[tile_path(tile)])
    return tuple(fork_hashes(old_size, size, read))


def make_proof() -> ForkProof:
    proof = find_fork(OLD.checkpoint, NEW.checkpoint, hashes(NEW, 200), KEYS)
    assert proof is not None
    return proof


PROOF = make_proof()


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    (tmp_path / "policy.txt").write_bytes(made.POLICY_TEXT)
    (tmp_path / "ledger.fork").write_bytes(format_fork(PROOF))
    return tmp_path


def run(*words: str) -> int:
    parser = argparse.ArgumentParser()
    command.add_fork_arguments(parser)
    options = parser.parse_args(words)
    code: int = options.run(options)
    return code


def verify(desk: Path, *options: str) -> int:
    trusted: Sequence[str] = options or ("--policy", str(desk / "policy.txt"))
    return run("verify", str(desk / "ledger.fork"), *trusted)


def test_a_fork_is_told_with_both_trees_and_what_it_does_not_prove(
    desk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert verify(desk) == 0
    told = capsys.readouterr().out
    assert "The log log.example/ledger has forked" in told
    assert "tree         200 entries under root hash" in told
    assert "tree         300 entries under root hash" in told
    assert "cosigned by  W1 at 2027-01-15T08:00:00Z" in told
    assert "The witness W1 cosigned both, which no honest witness does." in told
    assert "Not proven: which of the two trees is the right one" in told


def test_the_logs_key_is_enough_and_then_nothing_is_said_of_witnesses(
    desk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert verify(desk, "--log", format_vkey(made.LEDGER.verifier())) == 0
    told = capsys.readouterr().out
    assert "has forked" in told
    assert "cosigned" not in told


def test_a_fork_comes_as_json(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert verify(desk, "--policy", str(desk / "policy.txt"), "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["cosigned_both"] == ["W1", "W2"]
    assert (told["old"]["size"], told["new"]["size"]) == (200, 300)
    assert told["origin"] == "log.example/ledger"


def drop_line(note: bytes, place: int) -> bytes:
    head, _, lines = note.partition(b"\n\n")
    kept = lines.splitlines(keepends=True)
    del kept[place]
    return head + b"\n\n" + b"".join(kept)


def test_a_witness_that_cosigned_one_tree_is_not_said_to_have_cosigned_both(
    desk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    once = replace(PROOF, old=drop_line(PROOF.old, 1))
    (desk / "ledger.fork").write_bytes(format_fork(once))
    assert verify(desk) == 0
    told = capsys.readouterr().out
    assert "W1 cosigned both" not in told
    assert "W2 cosigned both" in told


NO_PROOFS = {
    "an honest log": ForkProof(
        old=OLD.checkpoint, new=HONEST.checkpoint, hashes=hashes(HONEST, 200)
    ),
    "hashes of another tree": replace(PROOF, hashes=hashes(HONEST, 200)),
    "one tree twice": ForkProof(old=OLD.checkpoint, new=OLD.checkpoint),
    "a tree that the log did not sign": replace(PROOF, new=drop_line(PROOF.new, 0)),
}


@pytest.mark.parametrize("proof", NO_PROOFS.values(), ids=NO_PROOFS)
def test_a_file_that_proves_nothing_is_not_verified(desk: Path, proof: ForkProof) -> None:
    (desk / "ledger.fork").write_bytes(format_fork(proof))
    with pytest.raises(UnverifiedError):
        verify(desk)


def test_a_fork_of_a_log_that_the_reader_did_not_name_is_not_verified(desk: Path) -> None:
    with pytest.raises(UnverifiedError):
        verify(desk, "--log", format_vkey(made.GAZETTE.verifier()))


def test_a_file_cut_short_is_malformed(desk: Path) -> None:
    (desk / "ledger.fork").write_bytes(format_fork(PROOF)[:-1])
    with pytest.raises(MalformedError):
        verify(desk)


def test_show_tells_what_stands_in_it_and_that_nothing_is_verified(
    desk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("show", str(desk / "ledger.fork")) == 0
    told = capsys.readouterr().out
    assert "of log.example/ledger: 200 entries under root hash" in told
    assert "Nothing here is verified yet" in told
