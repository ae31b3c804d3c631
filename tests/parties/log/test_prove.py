from pathlib import Path

import pytest
from tests.parties.log.log_world import World, hash_entry, make_world

from safeconduct.protocol.tlog.policy import verify_proof
from safeconduct.protocol.tlog.proof import format_proof, parse_proof


@pytest.mark.parametrize("size", [1, 2, 255, 256, 257, 700])
def test_proofs_made_together_are_those_made_alone(size: int, tmp_path: Path) -> None:
    with make_world(tmp_path) as world, world.open() as log:
        log.append([hash_entry(number) for number in range(size)])
        log.round()
        indexes = [*range(0, size, 7), size - 1]
        together = log.proofs(indexes, log.published())
        assert together == [log.proof(index) for index in indexes]
        for index, proof in zip(indexes, together, strict=True):
            assert format_proof(parse_proof(proof)) == proof
            check(world, proof, index)


def check(world: World, proof: bytes, index: int) -> None:
    """An outsider accepts it, at its place."""
    assert verify_proof(proof, hash_entry(index), world.policy).index == index
