"""Commits: where those wait who want 32 bytes dated, until the log has dated them.

All who wait at one moment go to the log together, as one `add-all`; while it is away and the
witnesses cosign, the next who come are gathered. So a crowd costs the door little more than one
visitor, and no thread waits for each of them.

    commit → waiting in fair order → gathered → away with others → proof, or back in front

Nothing is acknowledged before the log's proof is there: a door that dies loses nobody's date,
and whoever asks again with the same 32 bytes gets the same place in the log. A leaf that comes
back without its proof goes again, for as long as somebody waits for it.

Spec: docs/3-protocol.md §13.
"""

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeAlias

from safeconduct.errors import MalformedError, SafeconductError, UnavailableError
from safeconduct.plumbing import logs
from safeconduct.plumbing.turns import FairQueue

LEAF_BYTES = 32
BATCHES_AWAY_MAX = 16
LEAVES_AWAY_MAX = 4_096
"""As many as a log holds before it publishes; who comes later waits here, in fair order."""

GATHER_SECONDS = 0.01
"""How long a leaf waits for others; for each batch that is away already, so long once more.
While they are away for a second, sixteen batches are enough for all who come."""

PAUSE_FIRST_SECONDS = 0.05
PAUSE_LAST_SECONDS = 1.0
WORK_BITS_MAX = 20
"""More work than this counts no more."""

Ask: TypeAlias = Callable[[Sequence[bytes]], Sequence[bytes]]
"""Has leaves logged, in one attempt: for each its proof, or nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How many leaves go together, how many batches and leaves are away at once."""

    leaves: int = logs.LEAVES_MAX
    batches_away: int = BATCHES_AWAY_MAX
    leaves_away: int = LEAVES_AWAY_MAX
    gather_seconds: float = GATHER_SECONDS


@dataclass(frozen=True, slots=True, kw_only=True)
class _Promise:
    """One who waits: in an event loop, or in a thread, which has no loop."""

    loop: asyncio.AbstractEventLoop | None
    future: "asyncio.Future[bytes] | Future[bytes]"

    def keep(self, proof: bytes) -> None:
        """Give the proof; in the loop, if there is one."""
        future = self.future
        if isinstance(future, Future):
            if future.set_running_or_notify_cancel():
                future.set_result(proof)
        elif not future.done():
            future.set_result(proof)


class Commits:
    """The one way of all leaves to the log; safe for threads, and for any event loop."""

    def __init__(self, ask: Ask, limits: Limits | None = None) -> None:
        self._ask, self._limits = ask, limits or Limits()
        # Touched under the lock.
        self._lock = threading.Lock()
        self._queue: FairQueue[bytes] = FairQueue()
        self._again: deque[bytes] = deque()
        self._held: dict[bytes, list[_Promise]] = {}
        self._gathering = False
        self._batches_away = self._leaves_away = 0
        self._pause_seconds = self._trip_seconds = 0.0
        self._trouble: SafeconductError | None = None

    async def commit(self, leaf: bytes, *, flow: str = "", work_bits: int = 0) -> bytes:
        """The log's proof of 32 bytes, unverified, once a quorum has cosigned it.

        Leaves of one `flow` wait behind each other; `work_bits` of work let one wait less.

        Raises:
            MalformedError: not 32 bytes.
            UnavailableError: no quorum for too long; asking again is safe.
        """
        loop = asyncio.get_running_loop()
        waiting: asyncio.Future[bytes] = loop.create_future()
        self._put(leaf, _Promise(loop=loop, future=waiting), flow, work_bits)
        try:
            async with asyncio.timeout(logs.PATIENCE_SECONDS):
                return await waiting
        except TimeoutError as error:
            raise self._too_slow() from error

    def commit_now(self, leaf: bytes, *, flow: str = "", work_bits: int = 0) -> bytes:
        """As `commit`, for a thread, which waits.

        Raises:
            MalformedError, UnavailableError: as `commit`.
        """
        waiting: Future[bytes] = Future()
        self._put(leaf, _Promise(loop=None, future=waiting), flow, work_bits)
        try:
            return waiting.result(logs.PATIENCE_SECONDS)
        except TimeoutError as error:
            waiting.cancel()
            raise self._too_slow() from error

    @property
    def backlog(self) -> int:
        """How many leaves wait here because as many as the log takes at once are away."""
        return len(self._queue)

    @property
    def trips(self) -> int:
        """How many times the log must answer before a leaf that comes now can go."""
        return self.backlog // self._limits.leaves_away

    @property
    def seconds(self) -> int:
        """About how long one who comes now would wait for the proof."""
        return round(self._trip_seconds * (1 + self.trips))

    def _put(self, leaf: bytes, promise: _Promise, flow: str, work_bits: int) -> None:
        if len(leaf) != LEAF_BYTES:
            raise MalformedError(f"commit: a leaf is {LEAF_BYTES} bytes")
        with self._lock:
            waiting = self._held.get(leaf)
            if waiting is not None:
                # Who repeats a leaf, or its work, takes no second place.
                waiting.append(promise)
                return
            self._held[leaf] = [promise]
            self._queue.push(leaf, flow=flow, weight=1 << min(work_bits, WORK_BITS_MAX))
            self._wake()

    def _wake(self) -> None:
        """See to it that somebody gathers what waits; called under the lock."""
        is_room = (
            self._batches_away < self._limits.batches_away
            and self._leaves_away < self._limits.leaves_away
        )
        if is_room and not self._gathering and (self._again or self._queue):
            self._gathering = True
            threading.Thread(target=self._work, name="commits", daemon=True).start()

    def _work(self) -> None:
        """Gather a batch, wait for the log, tell those who wait; the whole life of a thread."""
        batch, proofs = self._gather(), list[bytes]()
        began = time.monotonic()
        try:
            proofs = self._answers(batch)
        finally:
            # Whatever happened, those without a proof are not forgotten.
            self._settle(batch, proofs, time.monotonic() - began)

    def _gather(self) -> list[bytes]:
        time.sleep(self._gather_seconds())
        with self._lock:
            room = self._limits.leaves_away - self._leaves_away
            batch = self._take(min(self._limits.leaves, room))
            self._batches_away += 1
            self._leaves_away += len(batch)
            self._gathering = False
            self._wake()
        return batch

    def _gather_seconds(self) -> float:
        is_full = len(self._queue) >= self._limits.leaves
        longer = 0 if is_full else self._limits.gather_seconds * (1 + self._batches_away)
        return max(self._pause_seconds, longer)

    def _take(self, count: int) -> list[bytes]:
        batch: list[bytes] = []
        while len(batch) < count and (self._again or self._queue):
            leaf = self._again.popleft() if self._again else self._queue.pop()
            if self._is_wanted(leaf):
                batch.append(leaf)
        return batch

    def _is_wanted(self, leaf: bytes) -> bool:
        """Whether somebody still waits for it; else it is forgotten."""
        staying = [each for each in self._held.pop(leaf) if not each.future.done()]
        if staying:
            self._held[leaf] = staying
        return bool(staying)

    def _answers(self, batch: Sequence[bytes]) -> list[bytes]:
        try:
            proofs = self._ask(batch) if batch else ()
        except SafeconductError as error:
            self._trouble = error
            return []
        self._trouble = None
        return list(proofs)

    def _settle(self, batch: list[bytes], proofs: list[bytes], seconds: float) -> None:
        """Give the proofs to those who wait; what has none is to go again."""
        proven, promises = dict(zip(batch, proofs, strict=False)), list[_Kept]()
        with self._lock:
            self._batches_away -= 1
            self._leaves_away -= len(batch)
            for leaf in batch:
                if proof := proven.get(leaf, b""):
                    promises += [(promise, proof) for promise in self._held.pop(leaf)]
                elif self._is_wanted(leaf):
                    self._again.append(leaf)
            self._pause(is_well=bool(promises) or not batch)
            if self._pause_seconds:
                self._queue.keep(self._is_wanted)  # of those who left, while nothing moves
            if promises:
                self._trip_seconds = seconds
            self._wake()
        _keep(promises)

    def _pause(self, *, is_well: bool) -> None:
        longer = min(max(PAUSE_FIRST_SECONDS, 2 * self._pause_seconds), PAUSE_LAST_SECONDS)
        self._pause_seconds = 0.0 if is_well else longer

    def _too_slow(self) -> UnavailableError:
        trouble = self._trouble
        if trouble is None:
            return UnavailableError("the witnesses have not cosigned in time", hint=_AGAIN)
        return UnavailableError(trouble.message, hint=_AGAIN, told=trouble.told)


_Kept: TypeAlias = tuple[_Promise, bytes]
_AGAIN = "nothing is lost: send the same 32 bytes again later"


def _keep(promises: Iterable[_Kept]) -> None:
    """Give everybody their proof; each event loop is called once for all who wait in it."""
    by_loop: dict[asyncio.AbstractEventLoop | None, list[_Kept]] = {}
    for promise, proof in promises:
        by_loop.setdefault(promise.loop, []).append((promise, proof))
    for loop, kept in by_loop.items():
        if loop is None:
            _give(kept)
        else:
            with suppress(RuntimeError):  # it is closed: nobody waits in it any more
                loop.call_soon_threadsafe(_give, kept)


def _give(kept: Iterable[_Kept]) -> None:
    for promise, proof in kept:
        promise.keep(proof)
