"""Durable, cosigned commits per second through the door, beside the log's own and bare HTTP.

A door, a Ledger and three witnesses run as five processes; `wrk` posts 32-byte leaves to the
door from many connections, which sends them to the log many at a time. Each answer is a proof
under a checkpoint that two of the witnesses have cosigned. In the same run the same program
posts to the log itself, one entry a request, and to a server that does nothing.
"""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass

from benchmarks.doors import Doors, Posted, post_leaves, serving_door
from benchmarks.measure import (
    Course,
    Figure,
    Ratio,
    Report,
    at_least,
    at_most,
    beside,
    figure,
    main,
)
from benchmarks.servers import Server, serving_module
from safeconduct.plumbing import fetch
from safeconduct.protocol.tlog.checkpoint import parse_checkpoint
from safeconduct.protocol.tlog.note import parse_note
from safeconduct.protocol.tlog.policy import verify_proof

RUNS = 3
EVERY_SECONDS = 0.25
CLIENTS = 512
_WANTED_PER_SECOND = 1_000
_WANTED_CPU_MS = 0.35
_BYTES_MAX = 64 << 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """A server that leaves are posted to."""

    what: str
    server: Server
    url: str


def benchmark(course: Course) -> Report:
    """Commits per second through the door, in turns with the log's own and with bare HTTP."""
    duration = course.scaled(10, quick=3)
    with ExitStack() as stack:
        doors = stack.enter_context(serving_door(course.folder, every=EVERY_SECONDS))
        answer_bytes = len(_verified_commit(doors, bytes(32)))
        bare = stack.enter_context(serving_module("benchmarks.bare_http", str(answer_bytes)))
        log = doors.ledger
        ways = {
            "door": Way(what="POST /commit", server=doors.door, url=f"{doors.url}/commit"),
            "log": Way(what="the log's add", server=log.log, url=f"{log.url}/add"),
            "bare": Way(what="bare HTTP, same bytes", server=bare, url=f"{bare.url}/"),
        }
        runs = _in_turns(doors, ways, duration)
    figures = {name: _figures(ways[name].what, runs[name]) for name in ways}
    return Report(
        name="door_commits",
        title=f"Commits through the door: {CLIENTS} clients, {duration} s, {RUNS} times; "
        f"--every {EVERY_SECONDS:g}, quorum 2 of 3 witnesses",
        figures=tuple(each for of_way in figures.values() for each in of_way),
        ratios=_ratios(figures),
        bound="two cores for seven busy processes: about half a core is the door's HTTP, a "
        "third of one the log's, and the load generator's the rest",
    )


def _ratios(figures: dict[str, list[Figure]]) -> tuple[Ratio, ...]:
    rate, _, most, _, cpu = figures["door"]
    limit = 2 * EVERY_SECONDS + CLIENTS / _WANTED_PER_SECOND
    return (
        at_least("commits/s through the door", rate.value, _WANTED_PER_SECOND, "/s"),
        at_most("processor time of the door, ms a commit", cpu.value, _WANTED_CPU_MS, " ms"),
        at_most("p99, seconds", most.value, limit, " s"),
        beside(rate, figures["log"][0]),
        beside(rate, figures["bare"][0]),
    )


def _in_turns(doors: Doors, ways: dict[str, Way], duration: int) -> dict[str, list[Posted]]:
    """All ways, each once before any is again; every acknowledged leaf must be published."""
    runs: dict[str, list[Posted]] = {name: [] for name in ways}
    for number in range(RUNS):
        for place, (name, way) in enumerate(ways.items()):
            before = _size(doors)
            seed = 1 + number * len(ways) + place
            done = post_leaves(way.server, way.url, CLIENTS, duration, seed)
            if name != "bare" and _size(doors) - before < done.answers:
                raise RuntimeError("fewer entries are published than were acknowledged")
            _verified_commit(doors, b"%032d" % seed)
            runs[name].append(done)
    return runs


def _figures(what: str, done: list[Posted]) -> list[Figure]:
    columns: dict[str, tuple[str, Callable[[Posted], float]]] = {
        "requests": ("/s", lambda run: run.per_second),
        "p50": ("s", lambda run: run.half),
        "p99": ("s", lambda run: run.most),
        "worst": ("s", lambda run: run.worst),
        "its processor time": ("ms/request", lambda run: run.cpu),
    }
    return [
        figure(f"{what}: {name}", unit, [value(run) for run in done])
        for name, (unit, value) in columns.items()
    ]


def _verified_commit(doors: Doors, leaf: bytes) -> bytes:
    answer = fetch.post(f"{doors.url}/commit", leaf, bytes_max=_BYTES_MAX)
    fetch.raise_for(answer)
    verify_proof(answer.body, leaf, doors.ledger.policy)
    return answer.body


def _size(doors: Doors) -> int:
    data = fetch.get(f"{doors.ledger.url}/checkpoint", bytes_max=_BYTES_MAX)
    return parse_checkpoint(parse_note(data).text).tree.size


if __name__ == "__main__":
    main("door_commits", benchmark)
