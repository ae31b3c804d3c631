"""The log is killed hard under load, again and again: acknowledged is present, for ever.

30 rounds here; `make crash` makes 500 of them.
"""

import os
import random
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from tests.parties import servers
from tests.parties.log.log_world import ORIGIN, World, make_world
from tests.parties.servers import Server

from safeconduct.errors import SafeconductError, UnavailableError
from safeconduct.parties.log.fsck import check_log
from safeconduct.plumbing import dice, fetch
from safeconduct.protocol.tlog.merkle import leaf_hash
from safeconduct.protocol.tlog.policy import format_policy, verify_proof
from safeconduct.protocol.tlog.proof import PROOF_BYTES_MAX

ROUNDS = int(os.environ.get("SAFECONDUCT_CRASH_ROUNDS", "30"))
SENDERS = 6
EVERY = "0.05"
LOAD_SECONDS = (0.15, 0.5)
EACH_MIN = 10  # entries, so that the load is real
PATIENCE_SECONDS = 100
ENTRIES_CHECKED = 400  # of each round, newest first; all of them at the end


@dataclass
class Load:
    """Senders who write down each proof that the log answered with."""

    url: str
    acknowledged: dict[bytes, bytes] = field(default_factory=dict)
    ended: threading.Event = field(default_factory=threading.Event)

    def send(self) -> None:
        while not self.ended.is_set():
            entry = dice.random_bytes(32)
            with suppress(UnavailableError):  # killed in the middle: nothing was promised
                answer = fetch.post(f"{self.url}/ledger/add", entry, bytes_max=PROOF_BYTES_MAX)
                fetch.raise_for(answer)
                self.acknowledged[entry] = answer.body

    def run(self, server: Server, seconds: float) -> None:
        """Load the server for a while, then kill it while the load goes on."""
        threads = [threading.Thread(target=self.send) for _ in range(SENDERS)]
        for thread in threads:
            thread.start()
        time.sleep(seconds)
        until = time.monotonic() + PATIENCE_SECONDS
        while len(self.acknowledged) <= EACH_MIN and time.monotonic() < until:
            time.sleep(0.01)  # a machine that is busy takes longer
        server.kill()
        self.ended.set()
        for thread in threads:
            thread.join()


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with make_world(tmp_path, pad=4) as made:
        (tmp_path / "policy.txt").write_bytes(format_policy(made.policy))
        yield made


def start(world: World) -> Server:
    return servers.start(
        "safeconduct.parties.log.command",
        *("serve", "--dir", str(world.folder), "--listen", "127.0.0.1:0"),
        *("--policy", str(world.folder / "policy.txt"), "--every", EVERY),
    )


def check(world: World, url: str, entries: dict[bytes, bytes]) -> None:
    """Each entry stands where its proof said, in the log as it is now."""
    for entry, proof in entries.items():
        promised = verify_proof(proof, entry, world.policy, ORIGIN)
        query = f"entry-hash={leaf_hash(entry).hex()}"
        found = fetch.get(f"{url}/ledger/proof?{query}", bytes_max=PROOF_BYTES_MAX)
        assert verify_proof(found, entry, world.policy, ORIGIN).index == promised.index


def wait_until_published(url: str) -> None:
    def ask() -> bytes:
        try:
            return fetch.get(f"{url}/ledger/checkpoint", bytes_max=PROOF_BYTES_MAX)
        except SafeconductError as error:
            raise UnavailableError(error.message) from error

    fetch.patiently(ask, seconds=100)


@pytest.mark.timeout(60 + 30 * ROUNDS)
def test_what_was_acknowledged_before_a_kill_is_there_after_it(world: World) -> None:
    chance = random.Random(20261122)
    everything: dict[bytes, bytes] = {}
    for _ in range(ROUNDS):
        with ExitStack() as running:
            server = start(world)
            running.callback(server.kill)
            wait_until_published(server.url)
            check(world, server.url, dict(list(everything.items())[-ENTRIES_CHECKED:]))
            load = Load(url=server.url)
            load.run(server, chance.uniform(*LOAD_SECONDS))
            everything |= load.acknowledged
    assert len(everything) > EACH_MIN * ROUNDS, "the load was real"
    with ExitStack() as running:
        server = start(world)
        running.callback(server.kill)
        wait_until_published(server.url)
        check(world, server.url, everything)
    report = check_log(world.paths.path, lambda _: None)
    assert report.holds, report
