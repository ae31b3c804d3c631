from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.parties.witness.witness_requests import (
    LOG_KEY,
    MLDSA44_LOG_KEY,
    NOW,
    ORIGIN,
    OTHER_KEY,
    SmallLog,
    honest,
    request,
    signed,
    status_of,
    witness_in,
)

from safeconduct.errors import RefusedError
from safeconduct.parties.witness.cosign import Witness
from safeconduct.parties.witness.published import origin_hash
from safeconduct.parties.witness.store import UNEXPLAINED_KEPT
from safeconduct.protocol.tlog.fork import Fork, parse_fork, verify_fork
from safeconduct.protocol.tlog.merkle import EMPTY_ROOT, Tree

LOG = SmallLog(20)
FORK = SmallLog(20, story="another ")
JUNK = [b"J" * 32]


@pytest.fixture
def witness(tmp_path: Path) -> Iterator[Witness]:
    """A witness that has cosigned trees of 6 and of 10 entries."""
    with witness_in(tmp_path) as opened:
        opened.cosign(honest(LOG, 0, 6), NOW)
        opened.cosign(honest(LOG, 6, 10), NOW)
        yield opened


def only_fork(folder: Path) -> Fork:
    """What the one `.fork` file proves, from its own bytes and the log's key alone."""
    [path] = (folder / "forks").iterdir()
    return verify_fork(parse_fork(path.read_bytes()), [LOG_KEY.verifier()])


FORKS: dict[str, tuple[bytes, int, Tree, Tree]] = {
    "another root for the size we know": (
        request(10, [], signed(FORK.tree(10))),
        422,
        LOG.tree(10),
        FORK.tree(10),
    ),
    "the same, with an old size that is not ours": (
        request(5, FORK.proof(5, 10), signed(FORK.tree(10))),
        409,
        LOG.tree(10),
        FORK.tree(10),
    ),
    "a larger tree whose proof has another beginning": (
        honest(FORK, 10, 15),
        422,
        LOG.tree(10),
        FORK.tree(15),
    ),
    "another root for a size that we knew before": (
        request(0, [], signed(FORK.tree(6))),
        409,
        LOG.tree(6),
        FORK.tree(6),
    ),
    "a larger tree that does not continue one we knew before": (
        honest(FORK, 6, 15),
        409,
        LOG.tree(6),
        FORK.tree(15),
    ),
    "the same, in a request that makes no sense": (
        request(10, [], signed(FORK.tree(6))),
        400,
        LOG.tree(6),
        FORK.tree(6),
    ),
    "an empty tree with a root of its own": (
        request(0, [], signed(Tree(size=0, root_hash=b"r" * 32))),
        409,
        Tree(size=0, root_hash=b"r" * 32),
        LOG.tree(10),
    ),
}


@pytest.mark.parametrize("case", FORKS)
def test_a_fork_is_written_out_for_anyone_to_check(
    case: str, witness: Witness, tmp_path: Path
) -> None:
    body, status, old, new = FORKS[case]
    assert status_of(body, witness) == status
    fork = only_fork(tmp_path)
    assert fork.origin == ORIGIN
    assert {fork.old, fork.new} == {old, new}


@pytest.mark.parametrize("case", FORKS)
def test_a_log_with_two_histories_is_never_cosigned_again(case: str, witness: Witness) -> None:
    status_of(FORKS[case][0], witness)
    with pytest.raises(RefusedError, match="two histories") as refused:
        witness.cosign(honest(LOG, 10, 15), NOW)
    assert refused.value.http_status == 403
    assert origin_hash(ORIGIN) in refused.value.hint
    assert status_of(honest(LOG, 10, 10), witness) == 403


def test_the_files_name_tells_the_log_and_the_sizes(witness: Witness, tmp_path: Path) -> None:
    status_of(honest(FORK, 10, 15), witness)
    [path] = (tmp_path / "forks").iterdir()
    assert path.name.startswith(f"{origin_hash(ORIGIN)}-10-15-")
    assert path.suffix == ".fork"


def test_a_fork_is_found_by_whatever_keys_the_log_has(tmp_path: Path) -> None:
    with witness_in(tmp_path, LOG_KEY, MLDSA44_LOG_KEY) as witness:
        witness.cosign(honest(LOG, 0, 10), NOW)
        body = request(10, FORK.proof(10, 15), signed(FORK.tree(15), MLDSA44_LOG_KEY))
        assert status_of(body, witness) == 422
        [data] = witness.store.forks(ORIGIN).values()
    keys = [LOG_KEY.verifier(), MLDSA44_LOG_KEY.verifier()]
    assert verify_fork(parse_fork(data), keys).new == FORK.tree(15)


def test_other_logs_are_cosigned_still(tmp_path: Path) -> None:
    other = type(LOG_KEY)(name="log.example/other", seed=b"o" * 32)
    with witness_in(tmp_path, LOG_KEY, other) as witness:
        witness.cosign(honest(LOG, 0, 10), NOW)
        status_of(request(10, [], signed(FORK.tree(10))), witness)
        body = request(0, [], signed(LOG.tree(3), other, origin=other.name))
        assert status_of(body, witness) == 200


def test_the_verdict_and_the_file_survive_a_restart(tmp_path: Path) -> None:
    with witness_in(tmp_path) as witness:
        witness.cosign(honest(LOG, 0, 10), NOW)
        status_of(request(10, [], signed(FORK.tree(10))), witness)
    [path] = (tmp_path / "forks").iterdir()
    path.unlink()
    with witness_in(tmp_path) as witness:
        assert status_of(honest(LOG, 10, 15), witness) == 403
    assert only_fork(tmp_path).new == FORK.tree(10)


HARMLESS: dict[str, tuple[bytes, int]] = {
    "a fork signed by a stranger": (request(10, [], signed(FORK.tree(10), OTHER_KEY)), 403),
    "a tree of the log with a proof of junk": (
        request(10, JUNK * 4, signed(LOG.tree(15))),
        422,
    ),
    "a tree of the log without a proof": (request(10, [], signed(LOG.tree(15))), 422),
    "a tree of the log with another log's proof": (
        request(10, FORK.proof(10, 15), signed(LOG.tree(15))),
        422,
    ),
    "a smaller tree of the log": (request(0, [], signed(LOG.tree(6))), 409),
    "a smaller tree that we never saw": (honest(LOG, 3, 5), 409),
    "the empty tree": (request(0, [], signed(Tree(size=0, root_hash=EMPTY_ROOT))), 409),
    "a larger tree from an older one of ours": (honest(LOG, 6, 15), 409),
    "our tree with a proof": (request(10, JUNK, signed(LOG.tree(10))), 422),
}


@pytest.mark.parametrize("case", HARMLESS)
def test_nobody_else_can_bring_it_upon_a_log(case: str, witness: Witness) -> None:
    body, status = HARMLESS[case]
    assert status_of(body, witness) == status
    assert witness.store.forks() == {}
    assert status_of(honest(LOG, 10, 15), witness) == 200


def test_a_lie_that_proved_nothing_is_proven_once_the_log_shows_the_truth(
    witness: Witness, tmp_path: Path
) -> None:
    lie = request(10, JUNK * 4, signed(FORK.tree(15)))
    assert status_of(lie, witness) == 422
    assert witness.store.forks() == {}
    assert status_of(honest(LOG, 10, 15), witness) == 403
    assert {only_fork(tmp_path).old, only_fork(tmp_path).new} == {FORK.tree(15), LOG.tree(15)}
    assert witness.store.latest(ORIGIN).tree == LOG.tree(10)


def test_a_fork_from_a_power_of_two_cannot_be_proven_by_its_proof_alone(
    tmp_path: Path,
) -> None:
    """The proof leaves the whole old tree out, so it shows no other beginning."""
    with witness_in(tmp_path) as witness:
        witness.cosign(honest(LOG, 0, 8), NOW)
        assert status_of(honest(FORK, 8, 15), witness) == 422
        assert witness.store.forks() == {}
        assert len(witness.store.checkpoints_at(ORIGIN, 15)) == 1


def test_what_the_log_explains_later_is_forgotten(witness: Witness) -> None:
    status_of(request(10, JUNK, signed(LOG.tree(15))), witness)
    assert len(witness.store.checkpoints_at(ORIGIN, 15)) == 1
    witness.cosign(honest(LOG, 10, 15), NOW)
    assert witness.store.checkpoints_at(ORIGIN, 15) == [witness.store.latest(ORIGIN).checkpoint]


def test_unexplained_checkpoints_are_kept_up_to_a_bound(witness: Witness) -> None:
    trees = [Tree(size=100 + number, root_hash=b"?" * 32) for number in range(70)]
    for tree in trees:
        assert status_of(request(10, JUNK, signed(tree)), witness) == 422
    kept = [tree for tree in trees if witness.store.checkpoints_at(ORIGIN, tree.size)]
    assert kept == trees[-UNEXPLAINED_KEPT:]
