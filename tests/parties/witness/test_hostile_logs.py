"""A log that lies under its own keys, and wants the proof of it never to be found."""

from pathlib import Path

import pytest
from tests.parties.witness.test_witness_rewind import (
    FORK,
    LOG,
    advance,
    catch_up,
    latest,
    log_served,
    serve,
)
from tests.parties.witness.test_witness_rewind import folder as folder
from tests.parties.witness.test_witness_rewind import (
    nothing_is_served as nothing_is_served,
)
from tests.parties.witness.witness_requests import (
    LOG_KEY,
    honest,
    request,
    signed,
    status_of,
    witness_in,
)

from safeconduct.errors import ConflictError
from safeconduct.parties.witness.memory import load_keys
from safeconduct.protocol.tlog.fork import parse_fork, verify_fork

JUNK = [b"J" * 32]


def lie(folder: Path, size: int) -> None:
    """The log sends a tree of its other history, with a proof that proves nothing."""
    with witness_in(folder, own=load_keys(folder)) as witness:
        assert status_of(request(10, JUNK, signed(FORK.tree(size))), witness) == 422


def proven_sizes(folder: Path) -> list[tuple[int, int]]:
    forks = [parse_fork(path.read_bytes()) for path in (folder / "forks").iterdir()]
    found = [verify_fork(fork, [LOG_KEY.verifier()]) for fork in forks]
    return [(fork.old.size, fork.new.size) for fork in found]


def test_a_lie_is_proven_also_when_the_witness_catches_up_to_the_truth(folder: Path) -> None:
    lie(folder, 15)
    with log_served(LOG, 15) as url, pytest.raises(ConflictError, match="of 15 entries"):
        catch_up(folder, url)
    assert latest(folder).forked
    assert proven_sizes(folder) == [(15, 15)]


def test_a_smaller_tree_shown_elsewhere_is_compared_with_what_was_cosigned(
    folder: Path,
) -> None:
    advance(folder, honest(LOG, 10, 15))
    with log_served(FORK, 10) as url:
        assert serve(folder, "--seen-at", f"{url}/checkpoint") == 0
    assert latest(folder).forked
    assert proven_sizes(folder) == [(10, 10)]


def test_a_smaller_tree_of_the_same_history_proves_nothing(folder: Path) -> None:
    advance(folder, honest(LOG, 10, 15))
    for size in (3, 10):
        with log_served(LOG, size) as url:
            assert serve(folder, "--seen-at", f"{url}/checkpoint") == 0
    assert not latest(folder).forked
