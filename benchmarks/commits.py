"""Durable, cosigned commits per second over HTTP, and how long each one waits.

A Ledger and three witnesses run as four processes; `wrk` posts 32-byte leaves to the Ledger's
`add` from many connections at once. Each answer is a proof under a checkpoint that two of the
witnesses have cosigned. Beside them one more client verifies in full every proof that it gets.
"""

import json
import subprocess
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from shutil import which

from benchmarks.measure import Course, Figure, Ratio, Report, at_least, at_most, figure, main
from benchmarks.servers import Served, serving_ledger
from safeconduct.plumbing import fetch
from safeconduct.protocol.tlog.checkpoint import parse_checkpoint
from safeconduct.protocol.tlog.note import parse_note
from safeconduct.protocol.tlog.policy import verify_proof

RUNS = 3
_SCRIPT = Path(__file__).with_suffix(".lua")
_WANTED_PER_SECOND = 1_500
_BEYOND_PERIOD_SECONDS = 0.1
_WARM_UP_SECONDS = 1.0
_BYTES_MAX = 64 << 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """So many clients, each posting its next leaf once it has the proof of the last."""

    every: float
    clients: int

    @property
    def title(self) -> str:
        return f"--every {self.every:g}, {self.clients} clients"


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What one run of `wrk` counted; times in seconds, `cpu` in milliseconds a commit."""

    per_second: float
    half: float
    most: float
    worst: float
    cpu: float
    checked: int


FAST = Load(every=0.035, clients=64)
SLOW = Load(every=1.0, clients=64)
CROWD = Load(every=1.0, clients=512)


def benchmark(course: Course) -> Report:
    """Commits per second and their latency, at several publication periods and loads."""
    duration = course.scaled(10, quick=3)
    runs = {load: _run(course, load, duration) for load in (FAST, SLOW, CROWD)}
    figures: list[Figure] = []
    ratios: list[Ratio] = []
    for load, done in runs.items():
        figures += _figures(load, done)
        most = figure("", "", [run.most for run in done]).value
        limit = load.every + _BEYOND_PERIOD_SECONDS
        ratios.append(at_most(f"{load.title}: p99, seconds", most, limit, " s"))
    fast = figures[0].value
    ratios.insert(0, at_least(f"{FAST.title}: commits/s", fast, _WANTED_PER_SECOND, "/s"))
    possible = {load: load.clients / load.every for load in runs}
    ratios += [
        Ratio(
            what=f"{load.title}: share of one commit a client and period",
            value=figure("", "", [run.per_second for run in done]).value / possible[load],
        )
        for load, done in runs.items()
    ]
    return Report(
        name="commits",
        title=f"Commits over HTTP: wrk for {duration} s, {RUNS} times; quorum 2 of 3 witnesses",
        figures=tuple(figures),
        ratios=tuple(ratios),
        bound="a commit waits for the rest of a round and for the next one; with six busy "
        "processes on few cores a round takes longer than its period; then the log's one core",
    )


def _figures(load: Load, done: list[Run]) -> list[Figure]:
    return [
        figure(f"{load.title}: commits", "/s", [run.per_second for run in done]),
        figure(f"{load.title}: p50", "s", [run.half for run in done]),
        figure(f"{load.title}: p99", "s", [run.most for run in done]),
        figure(f"{load.title}: worst", "s", [run.worst for run in done]),
        figure(
            f"{load.title}: the log's processor time", "ms/commit", [run.cpu for run in done]
        ),
        figure(f"{load.title}: proofs verified", "proofs", [run.checked for run in done]),
    ]


def _run(course: Course, load: Load, duration: int) -> list[Run]:
    folder = course.folder / load.title.replace(" ", "")
    with serving_ledger(folder, every=load.every) as served:
        _verified_commit(served, bytes(32))
        return [_wrk(served, load, duration, seed) for seed in range(1, RUNS + 1)]


def _wrk(served: Served, load: Load, duration: int, seed: int) -> Run:
    program = which("wrk")
    if program is None:
        raise SystemExit("commits: no `wrk` on PATH; install the package wrk")
    before, cpu_before = _size(served), served.log.cpu_seconds()
    with _Verifier(served, seed) as verifier:
        told = subprocess.run(
            [
                *(program, "-t1", f"-c{load.clients}", f"-d{duration}s", "--timeout", "25s"),
                *("-s", str(_SCRIPT), f"{served.url}/add", str(seed)),
            ],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
    cpu = served.log.cpu_seconds() - cpu_before
    counted = json.loads(told.splitlines()[-1])
    if counted["refused"] or counted["broken"]:
        raise RuntimeError(f"commits: not every request was answered: {counted}")
    if _size(served) - before < counted["answers"]:
        raise RuntimeError("commits: fewer entries are published than were acknowledged")
    return Run(
        per_second=counted["answers"] / counted["microseconds"] * 1e6,
        half=counted["p50"] / 1e6,
        most=counted["p99"] / 1e6,
        worst=counted["worst"] / 1e6,
        cpu=cpu / counted["answers"] * 1e3,
        checked=verifier.checked,
    )


class _Verifier:
    """One more client, in a thread, that believes no answer."""

    def __init__(self, served: Served, seed: int) -> None:
        self.checked = 0
        self._served, self._seed = served, seed
        self._ended = threading.Event()
        self._failed: BaseException | None = None
        self._thread = threading.Thread(target=self._work)

    def __enter__(self) -> "_Verifier":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()
        if self._failed is not None:
            raise self._failed

    def _work(self) -> None:
        try:
            time.sleep(_WARM_UP_SECONDS)
            while not self._ended.is_set():
                self.checked += 1
                _verified_commit(self._served, b"%016d%016d" % (self._seed, self.checked))
        except BaseException as error:
            self._failed = error


def _verified_commit(served: Served, leaf: bytes) -> None:
    answer = fetch.post(f"{served.url}/add", leaf, bytes_max=_BYTES_MAX)
    fetch.raise_for(answer)
    verify_proof(answer.body, leaf, served.policy)


def _size(served: Served) -> int:
    data = fetch.get(f"{served.url}/checkpoint", bytes_max=_BYTES_MAX)
    return parse_checkpoint(parse_note(data).text).tree.size


if __name__ == "__main__":
    main("commits", benchmark)
