"""A door's leaves at a real log, which is killed and comes back while they are away."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

import pytest
from tests.parties.log.log_world import ORIGIN, World, hash_entry, make_world
from tests.protocol import builders

from safeconduct.demo.stage import free_port
from safeconduct.errors import UnavailableError
from safeconduct.parties.intake.commits import Commits, Limits
from safeconduct.parties.log.sequence import Log, Pace, writing
from safeconduct.parties.log.site import make_site
from safeconduct.plumbing import web
from safeconduct.plumbing.logs import log_leaves
from safeconduct.plumbing.programme import Programme
from safeconduct.protocol.tlog.policy import verify_proof

QUICK = Pace(every_seconds=0.05)
LEAVES = [hash_entry(number) for number in range(60)]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with make_world(tmp_path) as made:
        yield made


@contextmanager
def serving(
    world: World, listen: str, *, rounds: bool, crash: bool = False
) -> Iterator[tuple[Log, str]]:
    """The log at an address; it makes no `rounds`, so publishes nothing, or does."""
    with world.open(pace=QUICK, crash=crash) as log, ExitStack() as stack:
        url = stack.enter_context(web.running(make_site([log]), listen))
        if rounds:
            stack.enter_context(writing(log))
        yield log, url


def programme(world: World, url: str) -> Programme:
    return Programme(
        name=builders.NAME,
        gazette="http://127.0.0.1:9",
        gazette_origin="log.example/gazette",
        ledger=f"{url}/ledger",
        ledger_origin=ORIGIN,
        door="http://127.0.0.1:9",
        register="http://127.0.0.1:9",
        policy=world.policy,
        policy_text=b"",
    )


def indexes(world: World, proofs: list[bytes]) -> list[int]:
    """The place of each leaf, as an outsider believes it."""
    pairs = zip(proofs, LEAVES, strict=True)
    return [verify_proof(proof, leaf, world.policy, ORIGIN).index for proof, leaf in pairs]


async def _commit(commits: Commits) -> list[bytes]:
    return await asyncio.gather(
        *(commits.commit(leaf, flow=str(number % 7)) for number, leaf in enumerate(LEAVES))
    )


def test_each_visitor_has_a_proof_that_an_outsider_believes(world: World) -> None:
    with serving(world, "127.0.0.1:0", rounds=True) as (_, url):
        commits = Commits(partial(log_leaves, programme(world, url)))
        assert sorted(indexes(world, asyncio.run(_commit(commits)))) == list(range(60))


@pytest.mark.parametrize("sequenced", [False, True])
def test_a_log_that_is_killed_while_a_batch_is_away_loses_nobody(
    world: World, sequenced: bool
) -> None:
    """In its pool the leaves are lost with it, in its tree they are not: both times the door
    sends them again, and each has one place.
    """
    proofs: list[bytes] = []
    # A port that nobody is given while the log is away.
    with serving(world, f"127.0.0.1:{free_port()}", rounds=False, crash=True) as (log, url):
        limits = Limits(leaves=16, gather_seconds=0.01)
        commits = Commits(partial(log_leaves, programme(world, url)), limits)
        visitors = threading.Thread(target=lambda: proofs.extend(asyncio.run(_commit(commits))))
        visitors.start()
        while len(log._pool.entries()) < len(LEAVES):
            threading.Event().wait(0.01)
        if sequenced:
            for name in ("anna", "boris", "clara"):
                world.stop_witness(name)
            log.round()
            for name in ("anna", "boris", "clara"):
                world.start_witness(name)
        assert proofs == []
        log._stop(UnavailableError("killed"))  # else its server waits for those who wait
    assert proofs == []
    with serving(world, url.removeprefix("http://"), rounds=True):
        visitors.join(100)
        assert sorted(indexes(world, proofs)) == list(range(60))
