"""Turns: who goes next, where more want something than can be served at once.

Start-time fair queueing. Each request belongs to a flow (a connection, a circuit) and has a
cost. It gets two tags when it comes,

    start  = max(virtual time, finish of the flow's request before)
    finish = start + cost

and of all that wait the one with the least start goes next; virtual time is the start of the
one that went last. So a flow that sends five hundred requests waits behind its own, not others
behind them. Whoever has done work for a request (`protocol.puzzle`) pays less: among equal
starts the cheaper goes first, and the flow's next request starts the earlier. Nobody is refused
and nobody waits for ever: behind a request that waits, only so many flows can come before it.

Spec: P. Goyal, H. M. Vin, H. Cheng, Start-time Fair Queueing, SIGCOMM 1996, section 2.
"""

import asyncio
import heapq
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Generic, TypeAlias, TypeVar

Item = TypeVar("Item")
_Flow: TypeAlias = "str | tuple[int, int]"

WEIGHT_MAX = 1 << 20
"""A request of this weight costs next to nothing; one without work has weight 1."""

FLOWS_MAX = 4_096
SHARED_FLOWS = 64  # of each cost, for those who come when there are too many flows
_GONE_MAX = 64
_LULL = 1 << 32  # a place is the number of the lull before it, and the virtual time since
_LULLS = 1 << 20


class FairQueue(Generic[Item]):
    """What waits, in fair order; not safe for threads by itself.

    It remembers no more than `flows_max` flows that were ahead of virtual time, and some that
    the rest share. Else whoever invents a flow for every request would keep virtual time, and
    with it everybody's second request, standing still.
    """

    def __init__(self, *, flows_max: int = FLOWS_MAX) -> None:
        self._flows_max = flows_max
        # Start, cost, number, item: numbers differ, so no two items are ever compared.
        self._heap: list[tuple[int, int, int, Item]] = []
        self._finish: dict[_Flow, int] = {}
        self._now = self._forgotten_at = self._count = self._lull = 0

    def __len__(self) -> int:
        return len(self._heap)

    def place(self) -> int:
        """A place in the queue as of now, for somebody who comes later to claim it.

        It costs nothing to hold: who holds a hundred of them waits behind their own.
        """
        return self._lull * _LULL + min(self._now // WEIGHT_MAX, _LULL - 1)

    def push(
        self, item: Item, *, flow: str = "", weight: int = 1, place: int | None = None
    ) -> None:
        """Let `item` wait; its cost is 1/weight of one without work (1 <= weight <= 2^20).

        With a `place` it waits as if it had come when that was given out.
        """
        cost = WEIGHT_MAX // min(max(weight, 1), WEIGHT_MAX)
        known = self._known(flow, cost)
        came = self._now if place is None else self._held_since(place)
        start = max(came, self._finish.get(known, 0))
        self._finish[known] = start + cost
        self._count += 1
        heapq.heappush(self._heap, (start, cost, self._count, item))

    def pop(self) -> Item:
        """The item whose turn it is; there must be one."""
        self._now, _, _, item = heapq.heappop(self._heap)
        if not self._heap:
            # Nobody is behind anybody any more: what was served before counts no longer.
            self._finish.clear()
            self._now = self._forgotten_at = self._count = 0
            self._lull = (self._lull + 1) % _LULLS
        return item

    def keep(self, is_wanted: Callable[[Item], bool]) -> None:
        """Drop all items that are not wanted any more."""
        self._heap = [each for each in self._heap if is_wanted(each[3])]
        heapq.heapify(self._heap)

    def flows(self) -> int:
        """How many flows are remembered."""
        return len(self._finish)

    def _held_since(self, place: int) -> int:
        """The virtual time at which a place was given out; 0 if nobody waited in between."""
        lull, now = divmod(place, _LULL)
        return min(self._now, now * WEIGHT_MAX) if lull == self._lull else 0

    def _known(self, flow: str, cost: int) -> _Flow:
        """The name under which a flow is remembered."""
        if flow in self._finish:
            return flow
        if len(self._finish) >= self._flows_max and self._now > self._forgotten_at:
            # Who is not ahead of virtual time is as good as new.
            self._finish = {name: end for name, end in self._finish.items() if end > self._now}
            self._forgotten_at = self._now
        if len(self._finish) < self._flows_max:
            return flow
        # Work is not thrown in with what had none: who does it still overtakes.
        return hash(flow) % SHARED_FLOWS, cost.bit_length()


class Turns:
    """A number of places, given out in fair order; for one event loop.

        async with turns.turn(flow=flow_of(request), weight=2**bits):
            ...

    Nobody waits while there is a free place.
    """

    def __init__(self, places: int, *, flows_max: int = FLOWS_MAX) -> None:
        self._free = self.places = places
        self._queue: FairQueue[asyncio.Future[None]] = FairQueue(flows_max=flows_max)
        self._waiting = 0

    @property
    def waiting(self) -> int:
        """How many wait for a place now."""
        return self._waiting

    def place(self) -> int:
        """A place in the queue as of now; see `FairQueue.place`."""
        return self._queue.place()

    @asynccontextmanager
    async def turn(
        self, *, flow: str = "", weight: int = 1, place: int | None = None
    ) -> AsyncIterator[None]:
        """Be served during the block, once it is this flow's turn; `place` as in `push`."""
        await self._come(flow, weight, place)
        try:
            yield
        finally:
            self._leave()

    async def _come(self, flow: str, weight: int, held: int | None) -> None:
        if self._free:
            self._free -= 1
            return
        place = asyncio.get_running_loop().create_future()
        self._queue.push(place, flow=flow, weight=weight, place=held)
        self._waiting += 1
        try:
            await place
        except asyncio.CancelledError:
            if place.cancelled():
                self._waiting -= 1
                self._forget_gone()
            else:  # the place was given before the news came that nobody wants it
                self._leave()
            raise

    def _forget_gone(self) -> None:
        """Those who left take no memory from those who stay, however many they are."""
        if len(self._queue) > 2 * self._waiting + _GONE_MAX:
            self._queue.keep(lambda place: not place.done())

    def _leave(self) -> None:
        while self._queue:
            place = self._queue.pop()
            if not place.done():
                self._waiting -= 1
                place.set_result(None)
                return
        self._free += 1
