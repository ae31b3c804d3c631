"""Real server processes for benchmarks: a log and witnesses, run as their operators do."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from safeconduct.protocol.tlog.note import (
    COSIGNATURE,
    MLDSA44,
    VerifierKey,
    format_vkey,
    parse_vkey,
)
from safeconduct.protocol.tlog.policy import (
    GroupLine,
    LogLine,
    Policy,
    WitnessLine,
    format_policy,
)

_STOP_SECONDS = 20


def run_verb(*arguments: str) -> str:
    """What a verb of `safeconduct` prints."""
    done = subprocess.run(
        _command(arguments), capture_output=True, text=True, check=True, timeout=60
    )
    return done.stdout


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A process that serves at the base address `url`."""

    url: str
    pid: int

    def cpu_seconds(self) -> float:
        """The processor time that it has used so far, in user and kernel mode."""
        fields = Path(f"/proc/{self.pid}/stat").read_text(encoding="utf-8").rpartition(")")[2]
        user, kernel = fields.split()[11:13]
        return (int(user) + int(kernel)) / os.sysconf("SC_CLK_TCK")


@contextmanager
def serving(*arguments: str) -> Iterator[Server]:
    """A serving verb in a process of its own during the block."""
    with serving_module("safeconduct", *arguments) as server:
        yield server


@contextmanager
def serving_module(module: str, *arguments: str) -> Iterator[Server]:
    """A module that serves, and says where, in a process of its own during the block."""
    process = subprocess.Popen(
        [sys.executable, "-m", module, *arguments], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line.startswith("listening on "):
            raise RuntimeError(f"{' '.join((module, *arguments)[:3])} did not start")
        url = line.removeprefix("listening on ").strip()
        yield Server(url=url, pid=process.pid)
    finally:
        process.terminate()
        process.wait(_STOP_SECONDS)


def new_witness(folder: Path, name: str) -> list[VerifierKey]:
    """The keys of a fresh witness, of every type that it signs with."""
    told = run_verb("witness", "new", "--dir", str(folder), "--name", name)
    keys = [parse_vkey(word) for word in told.split() if word.startswith(f"{name}+")]
    return [key for key in keys if key.algorithm in (COSIGNATURE, MLDSA44)]


@contextmanager
def serving_witness(folder: Path, log_keys: list[VerifierKey]) -> Iterator[str]:
    """The witness of `folder`, serving the logs of these keys; gives its base address."""
    logs = [word for key in log_keys for word in ("--log", format_vkey(key))]
    with serving(
        *("witness", "serve", "--dir", str(folder), "--listen", "127.0.0.1:0"), *logs
    ) as server:
        yield server.url


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """A Ledger and three witnesses, all processes of their own; two are a quorum."""

    url: str
    log: Server
    policy: Policy


@contextmanager
def serving_ledger(folder: Path, *, every: float) -> Iterator[Served]:
    """A fresh Ledger that publishes every so many seconds, and its witnesses."""
    log_keys = _new_ledger(folder / "logs")
    with ExitStack() as stack:
        witnesses = []
        for name in ("anna", "boris", "clara"):
            keys = new_witness(folder / name, f"{name}.example")
            url = stack.enter_context(serving_witness(folder / name, log_keys))
            dated = next(key for key in keys if key.algorithm == COSIGNATURE)
            witnesses.append(WitnessLine(name=name, key=dated, url=url))
        policy = _two_of(log_keys, witnesses)
        (folder / "policy").write_bytes(format_policy(policy))
        log = stack.enter_context(
            serving(
                *("log", "serve", "--dir", str(folder / "logs"), "--listen", "127.0.0.1:0"),
                *("--policy", str(folder / "policy"), "--every", str(every)),
            )
        )
        yield Served(url=f"{log.url}/ledger", log=log, policy=policy)


def _new_ledger(folder: Path) -> list[VerifierKey]:
    told = run_verb(
        *("log", "new", "--dir", str(folder), "--name", "ledger", "--kind", "ledger"),
        *("--origin", "log.example/ledger"),
    )
    return [parse_vkey(word) for word in told.split() if word.startswith("log.example/")]


def _two_of(log_keys: list[VerifierKey], witnesses: list[WitnessLine]) -> Policy:
    names = tuple(witness.name for witness in witnesses)
    return Policy(
        logs=tuple(LogLine(key=key) for key in log_keys),
        witnesses=tuple(witnesses),
        groups=(GroupLine(name="two", threshold=2, members=names),),
        quorum="two",
    )


def _command(arguments: tuple[str, ...]) -> list[str]:
    return [sys.executable, "-m", "safeconduct", *arguments]
