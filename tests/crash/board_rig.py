"""A register whose disk and logs fail at one chosen step of somebody's work, and then go on.

A journey is what clerks, claimants and boards do, step by step. It is broken off at each step
on the disk and at each answer of a log, in each way of `disk`, and then the same step is taken
again by whoever has had no answer. A log that is asked at the step that fails

    lost    never heard of it, and the register's machine is off
    torn    took it, and the machine is off
    kept    took it, and its answer is lost; the process lives on
"""

import shutil
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest
from tests.crash.disk import KEPT, LOST, WAYS, FailingDisk, failing
from tests.parties.registry.register_world import MemoryLog, World, open_world

from safeconduct.errors import SafeconductError, UnavailableError
from safeconduct.parties.registry.duties import listings_of
from safeconduct.parties.registry.registrations import Listed
from safeconduct.parties.registry.store import Filed, Store
from safeconduct.plumbing import database
from safeconduct.protocol.record import parse_any

Step = Callable[["Rig"], object]
Journey = Mapping[str, Step]
Open = Callable[[Path, pytest.MonkeyPatch, tuple[bytes, ...]], World]

OF_LETTERS = 4

# Drafts: made again by whoever was told of none, the newest counts.
AGAIN = frozenset({"proposed", "appeal_proposed", "asked", "drafted"})


@dataclass
class BoardDisk(FailingDisk):
    """Also loses what is committed and not acknowledged, and what logs are asked."""

    names: list[str] = field(default_factory=list)

    def _step(self, name: str, real: Callable[..., Any], *args: Any, **more: Any) -> Any:
        # This disk keeps what it has: only the order of the steps counts, so none takes time.
        quick = (lambda _: None) if name in {"fsync", "fdatasync"} else real
        return super()._step(name, quick, *args, **more)

    def _counts(self, name: str) -> bool:
        fails = super()._counts(name)
        self.names.append(name)
        return fails

    @contextmanager
    def transaction(self, real: Any) -> Iterator[Any]:
        fails = self._counts("commit")
        with real as transaction:
            yield transaction
            if fails and self.way == LOST:
                raise sqlite3.OperationalError("disk I/O error")
        if fails:
            raise sqlite3.OperationalError("disk I/O error")

    def asked(self, add: Callable[[], bytes]) -> bytes:
        """A log's answer."""
        try:
            fails = self._counts("log")
        except OSError as error:
            raise UnavailableError("the machine is off") from error
        if fails and self.way == LOST:
            raise UnavailableError("the log does not answer")
        answer = add()
        if fails:
            raise UnavailableError("the log's answer was lost")
        return answer


@dataclass
class MortalLog(MemoryLog):
    """A log at the other end of a line that breaks."""

    disk: BoardDisk | None = None

    def add(self, entry: bytes, at: int) -> bytes:
        if self.disk is None:
            return super().add(entry, at)
        return self.disk.asked(lambda: MemoryLog.add(self, entry, at))


@dataclass
class Rig:
    """A register at work, and which steps of a journey were acknowledged with what."""

    world: World
    journey: Journey
    done: dict[str, Any] = field(default_factory=dict)
    beside: Callable[["Rig"], object] = lambda _: None
    """What others keep beside the register, after checking it."""

    def play(self) -> None:
        """Go on with the first step that was not acknowledged."""
        for name, step in self.journey.items():
            if name not in self.done:
                self.done[name] = step(self)

    def restart(self) -> None:
        """The register's program is started anew."""
        with suppress(SafeconductError):
            self.world.registry.store.database.close()
        registry = self.world.registry
        self.world.registry = replace(registry, store=Store(registry.folder))

    def copy(self, folder: Path, patch: pytest.MonkeyPatch, opened: Open = open_world) -> "Rig":
        """The same register in another folder, with logs of its own."""
        old = self.world
        patch.setattr(database, "_PRAGMAS", (*database._PRAGMAS, "synchronous = OFF"))
        shutil.copytree(old.folder, folder)
        world = opened(folder, patch, old.founded)
        world.now, world.gazette, world.ledger = old.now, old.gazette, old.ledger
        rig = Rig(world=world, journey=self.journey, done=dict(self.done), beside=self.beside)
        rig.mortal()
        return rig

    def logs(self) -> tuple[MortalLog, MortalLog]:
        """The two logs as they can fail."""
        gazette, ledger = self.world.gazette, self.world.ledger
        assert isinstance(gazette, MortalLog)
        assert isinstance(ledger, MortalLog)
        return gazette, ledger

    def mortal(self) -> None:
        """Let its logs be such as can fail."""
        self.world.gazette, self.world.ledger = map(
            _copy, (self.world.gazette, self.world.ledger)
        )

    # What is so.

    def cases(self) -> dict[Filed, list[str]]:
        """Of each case the kinds of its events, in order; a draft made again counts once."""
        store = self.world.registry.store
        for one in store.cases():
            store.case(one.claim)  # its history holds
        return {
            one: _kinds(event.kind for event in store.events(one.claim))
            for one in store.cases()
        }

    def listings(self) -> dict[Listed, list[str]]:
        """Of each listing the same."""
        kept = listings_of(self.world.registry)
        for one in kept.all():
            kept.course(one.number)
        return {
            one: _kinds(event.kind for event in kept.events(one.number)) for one in kept.all()
        }

    def outcome(self) -> tuple[object, ...]:
        """What two runs must have in common: histories, letters, and how much was logged."""
        letters = sorted(path.suffixes for path in self.letters())
        sizes = len(self.world.gazette.entries), len(self.world.ledger.entries)
        kinds = [*self.cases().values(), *self.listings().values()]
        return kinds, letters, sizes, self.beside(self)

    def letters(self) -> list[Path]:
        """All letters that are there: the text of each."""
        return sorted((self.world.folder / "letters").glob("[!.]*.txt"))

    def check(self) -> None:
        """Nothing false is claimed: no letter on what is not so, nothing public too early."""
        cases, listings = self.cases(), self.listings()
        told = {one.claim.hex(): set(kinds) for one, kinds in cases.items()}
        told |= {f"listing-{one.number}": set(kinds) for one, kinds in listings.items()}
        for path in self.letters():
            stem, _, _ = path.name.rpartition(".")
            about, due = _due(stem)
            assert told[about] & due, (path.name, told[about])
        self._check_public(cases, listings)
        self.beside(self)

    def _check_public(
        self, cases: dict[Filed, list[str]], listings: dict[Listed, list[str]]
    ) -> None:
        due = sum("final" in kinds for kinds in cases.values())
        for kinds in listings.values():
            due += not {"final", "appeal_decided"}.isdisjoint(kinds)
            due += "ended" in kinds
        published = Counter(
            parse_any(entry).kind
            for entry in self.world.gazette.entries[len(self.world.founded) :]
        )["publication"]
        before = self.done.get("published before", 0)
        assert published - before <= due


_LETTERS = {
    "": {"decided"},
    ".open": {"asked"},
    ".appeal": {"appealed"},
    ".panel": {"appeal_decided"},
    "-notice": {"notified"},
    "-decision": {"decided"},
    "-appeal": {"appealed"},
    "-panel": {"appeal_decided"},
    "-end": {"ended"},
}


def _due(stem: str) -> tuple[str, set[str]]:
    """Whom a letter is about, and what must have happened for it to be there."""
    for ending, kinds in _LETTERS.items():
        if ending and stem.endswith(ending):
            return stem.removesuffix(ending), kinds
    return stem, _LETTERS[""]


def _kinds(kinds: Iterator[str] | Any) -> list[str]:
    found: list[str] = []
    for kind, several in groupby(kinds):
        found += [kind] if kind in AGAIN else list(several)
    return found


def _copy(log: MemoryLog) -> MortalLog:
    return MortalLog(key=log.key, entries=list(log.entries), proofs=dict(log.proofs))


def started(world: World, journey: Journey) -> Rig:
    """A register that stands at the beginning of a journey."""
    published = [parse_any(one).kind for one in world.gazette.entries[len(world.founded) :]]
    rig = Rig(world=world, journey=journey)
    rig.done["published before"] = published.count("publication")
    rig.mortal()
    return rig


def prepared(world: World, journey: Journey) -> Rig:
    """The same, to be copied."""
    world.registry.store.database.close()
    return started(world, journey)


@contextmanager
def broken(rig: Rig, disk: BoardDisk) -> Iterator[None]:
    """Put `disk` below the register, and at its end of the lines to the logs."""
    for log in rig.logs():
        log.disk = disk
    with failing(disk):
        yield
    for log in rig.logs():
        log.disk = None


def faultless(start: Rig, folder: Path, opened: Open = open_world) -> tuple[Rig, list[str]]:
    """A run in which nothing fails, and the names of the steps that it takes."""
    with pytest.MonkeyPatch.context() as patch:
        rig = start.copy(folder, patch, opened)
        disk = BoardDisk(folder=folder)
        with broken(rig, disk):
            rig.play()
        rig.check()
    return rig, disk.names


def fails_everywhere(start: Rig, folder: Path, way: str, opened: Open = open_world) -> int:
    """Break a journey off at each step, look at what is left, and go on; how many there are.

    At every commit and every answer of a log; of the many steps by which a letter is written,
    one in `OF_LETTERS`, and in each way another one.
    """
    whole, names = faultless(start, folder / "whole", opened)
    due = whole.outcome()
    for number, name in enumerate(names, start=1):
        if name not in {"commit", "log"} and number % OF_LETTERS != WAYS.index(way):
            continue
        with pytest.MonkeyPatch.context() as patch:
            rig = start.copy(folder / str(number), patch, opened)
            disk = BoardDisk(folder=folder / str(number), fails_at=number, way=way)
            with broken(rig, disk), suppress(SafeconductError, OSError):
                rig.play()
            assert disk.failed_in == name, number
            if way != KEPT:
                rig.restart()
            rig.check()
            rig.play()
            rig.check()
            assert rig.outcome() == due, (number, way, name)
            rig.world.registry.store.database.close()
    return len(names)
