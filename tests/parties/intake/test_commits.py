"""Leaves on their way to the log: together, in fair order, and none of them lost."""

import asyncio
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from tests.parties.intake.door_world import World, ask, open_world
from tests.protocol import builders

from safeconduct.errors import MalformedError, RefusedError, UnavailableError
from safeconduct.parties.intake import work
from safeconduct.parties.intake.commits import Commits, Limits
from safeconduct.plumbing import logs, web
from safeconduct.protocol.canonical import length_prefixed
from safeconduct.protocol.puzzle import WORK_HEADER, format_work, parse_puzzle, solve

PATIENT = Limits(gather_seconds=0.3)
"""So long that all who come meanwhile, on however busy a machine, go together."""

ONE_BY_ONE = Limits(leaves=64, batches_away=1, leaves_away=64, gather_seconds=0.001)


def leaf(number: int) -> bytes:
    return number.to_bytes(32, "big")


def proof(of: bytes) -> bytes:
    return b"proof of " + of


@dataclass
class Log:
    """Answers each batch with a proof for each leaf, or as `trouble` has it, in turn."""

    trouble: list[Callable[[list[bytes]], list[bytes]]] = field(default_factory=list)
    batches: list[list[bytes]] = field(default_factory=list)
    publish: threading.Semaphore | None = None
    asked: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))

    def __call__(self, leaves: Sequence[bytes]) -> list[bytes]:
        self.batches.append(list(leaves))
        self.asked.release()
        if self.publish is not None:
            assert self.publish.acquire(timeout=100)
        answer = self.trouble.pop(0) if self.trouble else _proofs
        return answer(list(leaves))


def _proofs(leaves: list[bytes]) -> list[bytes]:
    return [proof(each) for each in leaves]


def _away(_: list[bytes]) -> list[bytes]:
    raise UnavailableError("the log cannot be reached")


def _refused(_: list[bytes]) -> list[bytes]:
    raise RefusedError("no such address")


def _garbage(_: list[bytes]) -> list[bytes]:
    raise MalformedError("the log did not answer with one proof for each leaf")


def _none(leaves: list[bytes]) -> list[bytes]:
    return [b""] * len(leaves)


def _all_but_one(leaves: list[bytes]) -> list[bytes]:
    return [b"" if each == leaf(1) else proof(each) for each in leaves]


def _fault(_: list[bytes]) -> list[bytes]:
    raise KeyError("a fault of our own")


async def together(commits: Commits, leaves: Sequence[bytes], flow: str = "") -> list[bytes]:
    return await asyncio.gather(*(commits.commit(each, flow=flow) for each in leaves))


def test_all_who_wait_go_together_and_each_gets_its_own_proof() -> None:
    log, leaves = Log(), [leaf(number) for number in range(500)]
    assert asyncio.run(together(Commits(log, PATIENT), leaves)) == _proofs(leaves)
    assert len(log.batches) == 1


def test_threads_wait_as_event_loops_do() -> None:
    log = Log()
    commits = Commits(log)
    assert commits.commit_now(leaf(7)) == proof(leaf(7))
    assert asyncio.run(commits.commit(leaf(8))) == proof(leaf(8))


TROUBLES: dict[str, Callable[[list[bytes]], list[bytes]]] = {
    "it is away": _away,
    "it refuses": _refused,
    "it answers garbage": _garbage,
    "it proves none": _none,
    "it proves all but one": _all_but_one,
}


@pytest.mark.parametrize("trouble", TROUBLES.values(), ids=TROUBLES.keys())
def test_after_a_log_had_trouble_everybody_is_answered(
    trouble: Callable[[list[bytes]], list[bytes]],
) -> None:
    log, leaves = Log(trouble=[trouble]), [leaf(number) for number in range(20)]
    assert asyncio.run(together(Commits(log, PATIENT), leaves)) == _proofs(leaves)
    assert log.batches[0] == leaves
    assert log.batches[1] == ([leaf(1)] if trouble is _all_but_one else leaves)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_after_a_fault_of_our_own_nobody_is_forgotten() -> None:
    log = Log(trouble=[_fault])
    commits = Commits(log)

    async def play() -> list[bytes]:
        first = asyncio.create_task(commits.commit(leaf(1)))
        while not log.batches:
            await asyncio.sleep(0.005)
        return [await first, await commits.commit(leaf(2))]

    assert asyncio.run(play()) == _proofs([leaf(1), leaf(2)])


@pytest.mark.parametrize(
    ("trouble", "told"),
    {_away: "cannot be reached", _garbage: "did not answer", _none: "not cosigned"}.items(),
)
def test_patience_ends_and_says_what_was_wrong(
    monkeypatch: pytest.MonkeyPatch,
    trouble: Callable[[list[bytes]], list[bytes]],
    told: str,
) -> None:
    monkeypatch.setattr(logs, "PATIENCE_SECONDS", 2.0)
    commits = Commits(Log(trouble=[trouble] * 1_000))
    with pytest.raises(UnavailableError, match=told) as caught:
        asyncio.run(commits.commit(leaf(1)))
    assert "nothing is lost" in caught.value.hint
    with pytest.raises(UnavailableError, match=told):
        commits.commit_now(leaf(2))


def test_nobody_goes_on_for_one_who_has_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "PATIENCE_SECONDS", 0.1)
    log = Log(trouble=[_away] * 6)  # which takes more than two seconds
    commits = Commits(log)
    with pytest.raises(UnavailableError):
        asyncio.run(commits.commit(leaf(1)))
    monkeypatch.setattr(logs, "PATIENCE_SECONDS", 60.0)
    assert commits.commit_now(leaf(2)) == proof(leaf(2))
    assert log.batches[-1] == [leaf(2)]
    assert commits.backlog == 0


def test_a_flood_of_one_flow_lets_another_into_the_next_publication() -> None:
    """Five hundred of one, and one of another: of the next batch it is the first or second."""
    log = Log(publish=threading.Semaphore(0))
    commits = Commits(log, ONE_BY_ONE)

    async def play() -> None:
        flood = [leaf(number) for number in range(500)]
        flooding = asyncio.create_task(together(commits, flood, "flood"))
        assert await asyncio.to_thread(log.asked.acquire, timeout=100)
        other = asyncio.create_task(commits.commit(leaf(1_000), flow="other"))
        await asyncio.sleep(0.02)
        assert log.publish is not None
        log.publish.release(2)
        assert await asyncio.wait_for(other, 60) == proof(leaf(1_000))
        assert not flooding.done()
        log.publish.release(100)
        assert await flooding == _proofs(flood)

    asyncio.run(play())
    assert leaf(1_000) in log.batches[1][:2]
    assert max(map(len, log.batches)) == ONE_BY_ONE.leaves


def test_who_did_work_goes_before_a_crowd_of_strangers() -> None:
    log = Log(publish=threading.Semaphore(0))
    commits = Commits(log, ONE_BY_ONE)

    async def play() -> None:
        crowd = [
            asyncio.create_task(commits.commit(leaf(number), flow=str(number)))
            for number in range(300)
        ]
        assert await asyncio.to_thread(log.asked.acquire, timeout=100)
        worked = asyncio.create_task(commits.commit(leaf(999), flow="999", work_bits=16))
        await asyncio.sleep(0.02)
        assert log.publish is not None
        log.publish.release(100)
        await asyncio.gather(worked, *crowd)

    asyncio.run(play())
    assert log.batches[1][0] == leaf(999)


def test_the_same_leaf_many_times_takes_one_place() -> None:
    log = Log()
    same = [leaf(5)] * 50
    assert asyncio.run(together(Commits(log, PATIENT), same)) == _proofs(same)
    assert log.batches == [[leaf(5)]]


def test_no_more_batches_are_away_than_permitted_and_none_is_longer() -> None:
    limits = Limits(leaves=10, batches_away=3, leaves_away=25, gather_seconds=0.3)
    log, leaves = Log(publish=threading.Semaphore(0)), [leaf(number) for number in range(90)]
    commits = Commits(log, limits)

    async def play() -> list[bytes]:
        waiting = asyncio.create_task(together(commits, leaves))
        while len(log.batches) < 3:
            await asyncio.sleep(0.02)
        await asyncio.sleep(0.3)
        assert [len(batch) for batch in log.batches] == [10, 10, 5]
        assert (commits.backlog, commits.trips) == (65, 2)
        assert log.publish is not None
        log.publish.release(1_000)
        return await waiting

    assert asyncio.run(play()) == _proofs(leaves)


@pytest.mark.parametrize("length", [0, 31, 33])
def test_nothing_but_32_bytes_is_taken(length: int) -> None:
    with pytest.raises(MalformedError):
        Commits(Log()).commit_now(bytes(length))


def test_visitors_who_left_are_not_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "PATIENCE_SECONDS", 0.05)
    commits = Commits(Log(trouble=[_away] * 10_000), ONE_BY_ONE)

    async def play() -> None:
        leaves = [leaf(number) for number in range(400)]
        waiting = (commits.commit(each) for each in leaves)
        done = await asyncio.gather(*waiting, return_exceptions=True)
        assert {type(each) for each in done} == {UnavailableError}

    asyncio.run(play())
    for _ in range(1_000):
        if not commits.backlog:
            break
        threading.Event().wait(0.05)
    assert commits.backlog == 0


# The same through the door, over HTTP.


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with open_world(tmp_path) as opened:
        yield opened


def test_a_visitor_gets_the_proof_that_the_log_gave(world: World) -> None:
    answer = ask(world, "POST", "/commit", leaf(1))
    assert answer.status_code == 200
    assert answer.content == builders.prove(leaf(1), world.now)
    assert answer.headers["content-type"].startswith("text/plain")


@pytest.mark.parametrize("length", [0, 31, 33])
def test_a_visitor_with_other_than_32_bytes_is_refused(world: World, length: int) -> None:
    assert ask(world, "POST", "/commit", bytes(length)).status_code in (400, 413)
    assert world.ledger.added == []


def test_fifty_who_wait_for_the_log_hold_no_thread(world: World) -> None:
    """Thirty-two bytes of nonsense from each of fifty strangers held all threads otherwise."""
    log = Log(publish=threading.Semaphore(0))
    before = threading.active_count()
    with web.running(web.make_app(_commit_routes(world, log))) as url:
        statuses = list[int]()

        def visit(number: int) -> None:
            door = World.__new__(World)
            door.url = url
            statuses.append(ask(door, "POST", "/commit", leaf(number)).status_code)

        visitors = [threading.Thread(target=visit, args=(number,)) for number in range(50)]
        for visitor in visitors:
            visitor.start()
        while sum(map(len, log.batches)) < len(visitors):
            assert log.asked.acquire(timeout=100)
        assert threading.active_count() - before < len(visitors) + 20
        assert log.publish is not None
        log.publish.release(100)
        for visitor in visitors:
            visitor.join(60)
    assert statuses == [200] * len(visitors)


def _commit_routes(world: World, log: Log) -> list[web.Route]:
    from dataclasses import replace

    return work.routes(replace(world.intake, commits=Commits(log)))


def test_on_a_quiet_day_no_work_is_worth_while(world: World) -> None:
    ask(world, "POST", "/commit", leaf(1))
    answer = ask(world, "GET", "/work")
    assert answer.headers["content-type"] == "application/json"
    puzzle = parse_puzzle(answer.content)
    assert puzzle.bits == 0
    assert puzzle.seconds <= 5


def test_work_is_welcome_and_taken_but_malformed_work_is_told(world: World) -> None:
    seed = parse_puzzle(ask(world, "GET", "/work").content).seed
    counter = solve(seed, leaf(1), 8, range(1 << 16))
    assert counter is not None
    headers = {WORK_HEADER: format_work(seed, counter)}
    assert ask(world, "POST", "/commit", leaf(1), headers).status_code == 200
    assert ask(world, "POST", "/commit", leaf(2), {WORK_HEADER: "much"}).status_code == 400
    assert world.ledger.added == [leaf(1)]


def test_the_same_work_counts_once_and_for_its_leaf_alone(world: World) -> None:
    office = work.Office(world.intake)
    seed = office.puzzle().seed
    counter = solve(seed, leaf(1), 8, range(1 << 16))
    assert counter is not None
    header = format_work(seed, counter)
    assert office.bits(header, leaf(2)) < 8
    assert office.bits(header, leaf(1)) >= 8
    assert office.bits(header, leaf(1)) == 0


def test_what_was_spent_is_remembered_within_bounds(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(work, "SPENT_MAX", 10)
    office = work.Office(world.intake)
    header = format_work(office.puzzle().seed, 0)
    for number in range(200):
        office.bits(header, leaf(number))
    assert len(office._spent) <= 10


def test_the_answer_of_a_log_is_read_strictly() -> None:
    answers = {
        b"": False,
        length_prefixed(b"proof"): False,
        length_prefixed(b"proof") + length_prefixed(b""): True,
        length_prefixed(b"proof") + length_prefixed(b"") + b"\0": False,
        length_prefixed(b"proof") + b"\0\0\0": False,
        length_prefixed(b"proof") + b"\0\0\0\x02x": False,
        length_prefixed(b"proof") * 3: False,
        length_prefixed(bytes(logs.PROOF_BYTES_MAX + 1)) * 2: False,
    }
    for data, is_one in answers.items():
        if is_one:
            assert logs._parse_proofs(data, 2) == [b"proof", b""]
        else:
            with pytest.raises(MalformedError):
                logs._parse_proofs(data, 2)
