"""A door in front of a Ledger and its witnesses, each a process of its own, for benchmarks."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from shutil import which

from benchmarks.servers import Served, Server, serving, serving_ledger
from safeconduct.plumbing.keys import new_signing_key
from safeconduct.plumbing.programme import Programme, write_programme
from safeconduct.protocol.tlog.policy import format_policy

_SCRIPT = Path(__file__).with_name("commits.lua")
_NAME = "bench-2027"
_DOOR_ORIGIN = "door.example"


@dataclass(frozen=True, slots=True, kw_only=True)
class Doors:
    """A door at `url`, and what is behind it."""

    url: str
    door: Server
    ledger: Served


@dataclass(frozen=True, slots=True, kw_only=True)
class Posted:
    """What a run of `wrk` counted; times in seconds, `cpu` in milliseconds of one server."""

    answers: int
    per_second: float
    half: float
    most: float
    worst: float
    cpu: float


@contextmanager
def serving_door(folder: Path, *, every: float) -> Iterator[Doors]:
    """A fresh Ledger that publishes every so many seconds, with a door in front of it."""
    with serving_ledger(folder / "far", every=every) as ledger:
        own = folder / "door"
        own.mkdir()
        new_signing_key(own / "server.key", _DOOR_ORIGIN)
        write_programme(own, _programme(ledger))
        with serving("door", "--dir", str(own), "--listen", "127.0.0.1:0") as door:
            yield Doors(url=door.url, door=door, ledger=ledger)


def _programme(ledger: Served) -> Programme:
    return Programme(
        name=_NAME,
        gazette=ledger.url,  # never read: commits need no Gazette
        gazette_origin="log.example/gazette",
        ledger=ledger.url,
        ledger_origin=ledger.policy.logs[0].key.name,
        door="http://127.0.0.1:9",
        register="http://127.0.0.1:9",
        policy=ledger.policy,
        policy_text=format_policy(ledger.policy),
    )


def post_leaves(server: Server, url: str, clients: int, seconds: int, seed: int) -> Posted:
    """Post another 32 bytes with every request, from so many connections; all must succeed."""
    program = which("wrk")
    if program is None:
        raise SystemExit("no `wrk` on PATH; install the package wrk")
    cpu_before = server.cpu_seconds()
    told = subprocess.run(
        [
            *(program, "-t1", f"-c{clients}", f"-d{seconds}s", "--timeout", "60s"),
            *("-s", str(_SCRIPT), url, str(seed)),
        ],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    cpu = server.cpu_seconds() - cpu_before
    counted = json.loads(told.splitlines()[-1])
    if counted["refused"] or counted["broken"]:
        raise RuntimeError(f"not every request was answered: {counted}")
    return Posted(
        answers=counted["answers"],
        per_second=counted["answers"] / counted["microseconds"] * 1e6,
        half=counted["p50"] / 1e6,
        most=counted["p99"] / 1e6,
        worst=counted["worst"] / 1e6,
        cpu=cpu / counted["answers"] * 1e3,
    )
