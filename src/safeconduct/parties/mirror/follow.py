"""Keep all copies going, each at its own pace and in its own thread, and know how each is.

A log that is away, lies or dawdles holds up nobody else. An error of our own disk ends that
copy's growth until the process is started again: after a failed sync nothing can be relied on.
What is served stays served in every case.
"""

import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from safeconduct.errors import SafeconductError
from safeconduct.parties.mirror.copy import Copy, advance, never, open_copy
from safeconduct.parties.mirror.folder import load_keys, load_plan
from safeconduct.parties.mirror.shelf import copy_shelf
from safeconduct.parties.mirror.store import Shelf
from safeconduct.plumbing import clock, durable, terminal
from safeconduct.plumbing.remote import RemoteLog
from safeconduct.protocol.tlog.note import SigningKey

EVERY_SECONDS = 5.0
"""Between two looks at a log: also how much later than the log's our dates may be."""
LOOKS_PER_SHELF = 12
"""The shelf is fetched whole, and may be large: once for so many looks at a log."""
_END_SECONDS = 10.0
SHELF = "capsules"


@dataclass(slots=True)
class Health:
    """What ails each copy, and when it last went well in POSIX seconds; any thread may ask."""

    _troubles: dict[str, str] = field(default_factory=dict)
    _copied_at: dict[str, int] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def well(self, name: str) -> bool:
        """Note that a copy is up to date; whether it was not before."""
        with self._lock:
            self._copied_at[name] = clock.seconds()
            return self._troubles.pop(name, None) is not None

    def ill(self, name: str, error: SafeconductError) -> bool:
        """Note why a copy does not move; whether that is news."""
        with self._lock:
            known = self._troubles.get(name)
            self._troubles[name] = error.message
            return known != error.message

    def of(self, name: str) -> tuple[str, int]:
        """(what ails a copy or nothing, when it last went well or 0)."""
        with self._lock:
            return self._troubles.get(name, ""), self._copied_at.get(name, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """One thing to do again and again; `run` is told how to learn that it should end."""

    name: str
    every_seconds: float
    run: Callable[[Callable[[], bool]], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mirror:
    """An open mirror: its copies, the shelf if there is a door, and how all of them are."""

    copies: tuple[Copy, ...]
    shelf: Shelf | None
    door: str
    own_keys: tuple[SigningKey, ...]
    health: Health

    def works(self, every_seconds: float = EVERY_SECONDS) -> list[Work]:
        """All that has to be done."""
        works = [
            Work(
                name=copy.source.name,
                every_seconds=every_seconds,
                run=partial(_advance, copy),
            )
            for copy in self.copies
        ]
        shelf = self.shelf
        if shelf is not None:
            works.append(
                Work(
                    name=SHELF,
                    every_seconds=LOOKS_PER_SHELF * every_seconds,
                    run=lambda _: copy_shelf(shelf, self.door),
                )
            )
        return works


def _advance(copy: Copy, ending: Callable[[], bool]) -> None:
    # A new reader each time: what a log showed before must not hide what it shows now.
    advance(copy, RemoteLog(copy.source.url), ending)


@contextmanager
def open_mirror(folder: Path) -> Iterator[Mirror]:
    """The mirror in `folder`, for this process alone.

    Raises:
        UnavailableError: there is none, another process writes there, or a copy is damaged.
        MalformedError, RefusedError: its files do not parse, or do not go together.
    """
    plan = load_plan(folder)
    own_keys = load_keys(folder, plan)
    with ExitStack() as stack:
        stack.enter_context(durable.sole_writer(folder / "writer"))
        copies = []
        for source in plan.logs:
            copy = open_copy(folder, source, plan, own_keys)
            stack.callback(copy.close)
            copies.append(copy)
        shelf = Shelf(folder / "shelf.db") if plan.door else None
        if shelf is not None:
            stack.callback(shelf.close)
        yield Mirror(
            copies=tuple(copies),
            shelf=shelf,
            door=plan.door,
            own_keys=own_keys,
            health=Health(),
        )


def copy_once(mirror: Mirror) -> list[SafeconductError]:
    """Do everything once; returns what went wrong, for each copy that did."""
    errors: list[SafeconductError] = []
    for work in mirror.works():
        try:
            work.run(never)
            mirror.health.well(work.name)
        except SafeconductError as error:
            mirror.health.ill(work.name, error)
            errors.append(error)
    return errors


@contextmanager
def following(mirror: Mirror, every_seconds: float = EVERY_SECONDS) -> Iterator[None]:
    """Copy on and on during the block."""
    ending = threading.Event()
    threads = [
        threading.Thread(target=_repeat, args=(work, mirror.health, ending), daemon=True)
        for work in mirror.works(every_seconds)
    ]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        ending.set()
        for thread in threads:
            thread.join(_END_SECONDS)


def _repeat(work: Work, health: Health, ending: threading.Event) -> None:
    while not ending.is_set():
        try:
            work.run(ending.is_set)
        except SafeconductError as error:
            # Each trouble is told once, or a log could fill the disk with its lies.
            if health.ill(work.name, error):
                terminal.warn(f"{work.name}: {error.message}")
            # Only what is wrong with this machine has a second text, for strangers.
            if error.told:
                terminal.warn(f"{work.name}: copying has stopped; the copy is still served")
                return
        except Exception as error:
            # A hostile server may find a way that no error family foresees. It must not end
            # the copying, and least of all unseen; a message might quote what it sent.
            if health.ill(
                work.name, SafeconductError(f"internal fault: {type(error).__name__}")
            ):
                terminal.warn(f"{work.name}: internal fault: {type(error).__name__}")
                sys.stderr.write("".join(traceback.format_tb(error.__traceback__)))
        else:
            if health.well(work.name):
                terminal.note(f"{work.name}: well again")
        ending.wait(work.every_seconds)
