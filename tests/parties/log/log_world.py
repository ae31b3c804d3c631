"""One log and three witnesses in this process, talking over real HTTP on loopback."""

import contextlib
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from safeconduct.demo.stage import free_port
from safeconduct.parties.log.admission import Admit, admit_hash
from safeconduct.parties.log.config import LogConfig, LogFolder, load_config, new_log
from safeconduct.parties.log.sequence import Log, Pace, open_log
from safeconduct.parties.witness.cosign import Keys, Witness
from safeconduct.parties.witness.logs import logs_of
from safeconduct.parties.witness.memory import open_memory
from safeconduct.parties.witness.site import make_site
from safeconduct.plumbing import web
from safeconduct.protocol.tlog.note import COSIGNATURE, SigningKey, VerifierKey
from safeconduct.protocol.tlog.policy import (
    GroupLine,
    Logged,
    LogLine,
    Policy,
    WitnessLine,
    verify_proof,
)

ORIGIN = "log.example/ledger"
NAMES = ("anna", "boris", "clara")


class CrashError(Exception):
    """What a test does to a log."""


def hash_entry(number: int) -> bytes:
    """A Ledger entry that is easy to tell from others."""
    return number.to_bytes(32, "big")


@dataclass
class World:
    """Two of the three witnesses make a quorum; each can be taken down and up again."""

    folder: Path
    log_key: VerifierKey
    quorum: str = "two"
    urls: dict[str, str] = field(default_factory=dict)
    up: dict[str, ExitStack] = field(default_factory=dict)

    @property
    def paths(self) -> LogFolder:
        return LogFolder(path=self.folder / "ledger")

    @property
    def policy(self) -> Policy:
        return Policy(
            logs=(LogLine(key=self.log_key),),
            witnesses=tuple(
                WitnessLine(
                    name=name, key=_key(name).verifier(COSIGNATURE), url=self.urls[name]
                )
                for name in NAMES
            ),
            groups=(GroupLine(name="two", threshold=2, members=NAMES),),
            quorum=self.quorum,
        )

    def start_witness(self, name: str) -> None:
        """Serve a witness, with what it remembers, at the address it had before."""
        self.up[name] = stack = ExitStack()
        memory = open_memory(self.folder / name, [ORIGIN])
        stack.callback(memory.store.close)
        keys = Keys(own=[_key(name)], logs=logs_of([self.log_key]))
        site = make_site(Witness(keys=keys, memory=memory))
        # Nobody else is given its port while it is stopped.
        listen = self.urls.get(name, f"127.0.0.1:{free_port()}").removeprefix("http://")
        self.urls[name] = stack.enter_context(web.running(site, listen))

    def stop_witness(self, name: str) -> None:
        self.up.pop(name).close()

    @contextmanager
    def open(
        self, admit: Admit = admit_hash, pace: Pace | None = None, *, crash: bool = False
    ) -> Iterator[Log]:
        """The log, opened as at a start of the process; rounds are made by the test.

        Closed at the end of the block, or left as a process that crashes there leaves it.
        """
        config, paths = load_config(self.paths.path), self.paths
        with (
            contextlib.suppress(CrashError),
            open_log(paths.path, config, self.policy, admit, pace or Pace()) as log,
        ):
            yield log
            if crash:
                raise CrashError

    def verify(self, log: Log, entry: bytes, index: int) -> Logged:
        """Ensure that an outsider accepts the log's proof of `entry`."""
        logged = verify_proof(log.proof(index), entry, self.policy, ORIGIN)
        assert logged.index == index
        return logged


@contextmanager
def make_world(folder: Path, pad: int = 0) -> Iterator[World]:
    """A founded Ledger and its running witnesses."""
    config = LogConfig(name="ledger", origin=ORIGIN, kind="ledger", pad=pad)
    log_key = new_log(folder, config)
    world = World(folder=folder, log_key=log_key)
    for name in NAMES:
        world.start_witness(name)
    try:
        yield world
    finally:
        with ThreadPoolExecutor() as threads:
            list(threads.map(world.stop_witness, list(world.up)))


def kept(promise: Future[int]) -> int | None:
    """The index that was promised, or None as long as nothing was published."""
    with contextlib.suppress(TimeoutError):
        return promise.result(timeout=0)
    return None


def _key(name: str) -> SigningKey:
    return SigningKey(name=f"{name}.example", seed=name.encode().ljust(32, b"-"))
