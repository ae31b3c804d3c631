"""Many entries in one request: the same promises as one by one, and none spoils the others."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.parties.log.log_world import ORIGIN, World, hash_entry, make_world

from safeconduct.errors import MalformedError
from safeconduct.parties.log import counter, pool, site
from safeconduct.parties.log.admission import admit_hash
from safeconduct.parties.log.sequence import Log, Pace, writing
from safeconduct.parties.log.site import ADD_ALL_MAX, make_site
from safeconduct.plumbing import fetch, web
from safeconduct.plumbing.logs import LEAVES_MAX, _parse_proofs
from safeconduct.protocol.tlog.policy import verify_proof

QUICK = Pace(every_seconds=0.05)
BYTES_MAX = 64 << 20
UNWELCOME = hash_entry(666)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with make_world(tmp_path) as made:
        yield made


@dataclass
class Site:
    """A Ledger that is served; entries are sent to it many at a time."""

    world: World
    log: Log
    url: str

    def post(self, body: bytes) -> fetch.Response:
        return fetch.post(f"{self.url}/ledger/add-all", body, bytes_max=BYTES_MAX)

    def proofs(self, *entries: bytes) -> list[bytes]:
        answer = self.post(b"".join(entries))
        fetch.raise_for(answer)
        return _parse_proofs(answer.body, len(entries))

    def indexes(self, *entries: bytes) -> list[int]:
        """Of each entry, which an outsider believes."""
        proofs = zip(self.proofs(*entries), entries, strict=True)
        policy = self.world.policy
        return [verify_proof(proof, entry, policy, ORIGIN).index for proof, entry in proofs]


@contextmanager
def served(world: World, *, rounds: bool = True, welcome: bool = False) -> Iterator[Site]:
    """The world's log at an address; `welcome` refuses one certain entry."""

    def admit(entry: bytes) -> None:
        admit_hash(entry)
        if welcome and entry == UNWELCOME:
            raise MalformedError("not this one")

    with world.open(admit, QUICK) as log, web.running(make_site([log])) as url:
        if not rounds:
            yield Site(world, log, url)
            return
        with writing(log):
            yield Site(world, log, url)


def entries(first: int, count: int) -> list[bytes]:
    return [hash_entry(number) for number in range(first, first + count)]


def test_every_entry_has_its_own_proof_in_order(world: World) -> None:
    with served(world) as site:
        assert site.indexes(*entries(0, 300)) == list(range(300))


def test_as_many_as_can_be_go_in_one_request(world: World) -> None:
    assert ADD_ALL_MAX == LEAVES_MAX
    with served(world) as site:
        assert site.indexes(*entries(0, ADD_ALL_MAX)) == list(range(ADD_ALL_MAX))
        answer = site.post(bytes(32 * (ADD_ALL_MAX + 1)))
        assert answer.status == 413


def test_an_entry_that_is_there_already_keeps_its_place(world: World) -> None:
    with served(world) as site:
        first = site.proofs(hash_entry(1), hash_entry(2))
        again = site.proofs(hash_entry(3), hash_entry(2), hash_entry(1), hash_entry(1))
        assert again[1:] == [first[1], first[0], first[0]]
        assert site.indexes(hash_entry(3)) == [2]


def test_one_that_is_refused_spoils_none_of_the_others(world: World) -> None:
    with served(world, welcome=True) as site:
        proofs = site.proofs(hash_entry(1), UNWELCOME, hash_entry(2))
        assert [bool(proof) for proof in proofs] == [True, False, True]
        refused = site.post(UNWELCOME)
        assert (refused.status, b"not this one" in refused.body) == (400, True)


def test_all_have_one_checkpoint_when_they_came_together(world: World) -> None:
    with served(world) as site:
        proofs = site.proofs(*entries(0, 50))
        assert len({proof.partition(b"\n\n")[2] for proof in proofs}) == 1


BODIES = {
    "nothing": (b"", 400),
    "one byte too few": (bytes(31), 400),
    "one byte too many": (bytes(33), 400),
    "an entry and a half": (bytes(48), 400),
    "far too much": (bytes(32 * ADD_ALL_MAX + 1), 413),
}


@pytest.mark.parametrize(("body", "status"), BODIES.values(), ids=BODIES.keys())
def test_what_is_no_row_of_entries_is_refused(world: World, body: bytes, status: int) -> None:
    with served(world) as site:
        assert site.post(body).status == status


def test_another_log_than_a_ledger_has_no_such_address(world: World) -> None:
    with world.open() as log:
        gazette = make_site([_as_gazette(log)])
        with web.running(gazette) as url:
            answer = fetch.post(f"{url}/ledger/add-all", bytes(32), bytes_max=BYTES_MAX)
            assert answer.status == 404
            other = fetch.post(f"{url}/other/add-all", bytes(32), bytes_max=BYTES_MAX)
            assert other.status == 404


def _as_gazette(log: Log) -> Log:
    from dataclasses import replace

    log.config = replace(log.config, kind="gazette")
    return log


def test_while_the_pool_is_full_many_wait_and_none_is_refused(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "POOL_ENTRIES_MAX", 8)
    with served(world) as site, ThreadPoolExecutor() as threads:
        groups = [entries(100 * number, 40) for number in range(4)]
        found = [threads.submit(site.indexes, *group) for group in groups]
        indexes = sorted(index for each in found for index in each.result(timeout=100))
        assert indexes == list(range(160))


def test_without_its_quorum_the_log_says_so_and_loses_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(site, "WAIT_SECONDS", 4.0)
    with served(world) as at:
        assert at.indexes(hash_entry(1)) == [0]
        for name in ("anna", "boris"):
            world.stop_witness(name)
        answer = at.post(b"".join(entries(2, 3)))
        assert (answer.status, b"not cosigned in time" in answer.body) == (503, True)
        for name in ("anna", "boris"):
            world.start_witness(name)

        def attempt() -> list[int]:
            return at.indexes(*entries(2, 3))

        assert fetch.patiently(attempt, seconds=100) == [1, 2, 3]


def test_those_that_are_too_late_are_empty_beside_those_that_are_not(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(site, "WAIT_SECONDS", 2.0)
    with served(world, rounds=False) as at:
        at.log.submit(hash_entry(1))
        at.log.round()
        proofs = at.proofs(hash_entry(1), hash_entry(2))
        assert [bool(proof) for proof in proofs] == [True, False]


def test_a_slow_witness_delays_nobody_beyond_the_quorum(world: World) -> None:
    world.stop_witness("clara")
    with served(world) as site:
        assert site.indexes(*entries(0, 20)) == list(range(20))


def test_a_log_that_stops_tells_all_who_wait(world: World) -> None:
    with served(world, rounds=False) as site, ThreadPoolExecutor() as threads:
        answer = threads.submit(site.post, b"".join(entries(0, 10)))
        while len(site.log._pool.entries()) < 10:
            threading.Event().wait(0.01)
        site.log.finish()
        assert answer.result(timeout=100).status == 503
        assert site.post(hash_entry(11)).status == 503


def test_nobody_is_remembered_who_has_been_answered(world: World) -> None:
    counters: list[counter.Counter] = []
    kept = counter.Counter.__init__

    def remember(self: counter.Counter, log: Log, wait_seconds: float) -> None:
        kept(self, log, wait_seconds)
        counters.append(self)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(counter.Counter, "__init__", remember)
        with served(world, welcome=True) as site:
            site.proofs(*entries(0, 30), UNWELCOME)
            assert counters[0]._waiting == {}
