"""Fair turns: against a slow and obvious reference, and by what they promise."""

import asyncio
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from safeconduct.plumbing.turns import SHARED_FLOWS, WEIGHT_MAX, FairQueue, Turns

SMALL = settings(max_examples=100, deadline=None)
flows = st.sampled_from("abcde")
bits = st.integers(min_value=0, max_value=4)


@dataclass
class Reference:
    """Start-time fair queueing word by word: nothing is forgotten but an idle period."""

    waiting: list[tuple[Fraction, Fraction, int]] = field(default_factory=list)
    served: list[tuple[Fraction, Fraction, int]] = field(default_factory=list)
    ends: dict[str, Fraction] = field(default_factory=dict)
    now: Fraction = Fraction(0)

    def push(self, number: int, flow: str, weight: int) -> None:
        cost = Fraction(1, weight)
        start = max([self.now, *(end for name, end in self.ends.items() if name == flow)])
        self.ends[flow] = start + cost
        self.waiting.append((start, cost, number))

    def pop(self) -> int:
        first = sorted(self.waiting)[0]
        self.waiting.remove(first)
        self.now = first[0]
        if not self.waiting:
            self.ends, self.now = {}, Fraction(0)
        return first[2]


@SMALL
@given(st.lists(st.one_of(st.none(), st.tuples(flows, bits)), max_size=60))
def test_the_order_is_that_of_the_reference(steps: list[tuple[str, int] | None]) -> None:
    queue, reference = FairQueue[int](), Reference()
    for number, step in enumerate(steps):
        if step is not None:
            queue.push(number, flow=step[0], weight=1 << step[1])
            reference.push(number, step[0], 1 << step[1])
        elif queue:
            assert queue.pop() == reference.pop()
    while queue:
        assert queue.pop() == reference.pop()
    assert not reference.waiting


@SMALL
@given(st.lists(st.integers(min_value=3, max_value=12), min_size=1, max_size=6), st.data())
def test_flows_that_all_wait_are_never_more_than_one_request_apart(
    lengths: list[int], data: st.DataObject
) -> None:
    sent = [name for name, length in enumerate(lengths) for _ in range(length)]
    queue, left, served = FairQueue[int](), Counter(sent), Counter[int]()
    for name in data.draw(st.permutations(sent)):
        queue.push(name, flow=str(name))
    while min(left.values()) > 0:
        name = queue.pop()
        left[name] -= 1
        served[name] += 1
        counts = [served[each] for each in left]
        assert max(counts) - min(counts) <= 1


@SMALL
@given(
    st.lists(st.integers(min_value=1, max_value=40), min_size=1, max_size=8),
    st.integers(min_value=0, max_value=30),
)
def test_one_request_of_a_new_flow_is_next_after_one_of_each_other(
    lengths: list[int], before: int
) -> None:
    queue = FairQueue[str]()
    for name, length in enumerate(lengths):
        for _ in range(length):
            queue.push("crowd", flow=str(name))
    for _ in range(min(before, len(queue) - 1)):
        queue.pop()
    queue.push("one", flow="one")
    turns = 1
    while queue.pop() != "one":
        turns += 1
    assert turns <= len(lengths) + 1


@SMALL
@given(bits, bits)
def test_of_two_flows_that_wait_each_gets_its_share_by_its_work(one: int, other: int) -> None:
    queue, worked = FairQueue[int](), (1 << one, 1 << other)
    for _ in range(64):
        queue.push(0, flow="one", weight=worked[0])
        queue.push(1, flow="other", weight=worked[1])
    served = [0, 0]
    while max(served) < 64:
        served[queue.pop()] += 1
        shares = [Fraction(count, weight) for count, weight in zip(served, worked, strict=True)]
        assert abs(shares[0] - shares[1]) <= Fraction(1, worked[0]) + Fraction(1, worked[1])


def test_a_stranger_with_work_goes_before_a_crowd_of_strangers_without() -> None:
    queue = FairQueue[str]()
    for name in range(500):
        queue.push("crowd", flow=f"stranger {name}")
    queue.push("worked", flow="worked", weight=1 << 16)
    assert queue.pop() == "worked"


def test_who_invents_a_flow_for_every_request_keeps_nobody_waiting_for_ever() -> None:
    """Each of them alone would go before the second request of everybody else."""
    queue, flows_max = FairQueue[str](flows_max=50), 50
    for _ in range(3):
        queue.push("honest", flow="honest")
    waited, honest = 0, 0
    for number in range(4 * (flows_max + 3 * SHARED_FLOWS)):
        queue.push("invented", flow=f"flow {number}")
        honest += queue.pop() == "honest"
        waited += honest < 3
    assert honest == 3
    assert waited <= 3 * (flows_max + SHARED_FLOWS)


def test_what_is_remembered_of_flows_is_bounded() -> None:
    queue = FairQueue[int](flows_max=10)
    for number in range(5_000):
        queue.push(number, flow=f"flow {number}", weight=1 << number % 30)
    assert queue.flows() <= 10 + SHARED_FLOWS * WEIGHT_MAX.bit_length()
    while queue:
        queue.pop()
    assert queue.flows() == 0


def test_among_too_many_flows_work_still_overtakes() -> None:
    queue = FairQueue[str](flows_max=10)
    for number in range(2_000):
        queue.push("crowd", flow=f"flow {number}")
    queue.push("worked", flow="worked", weight=1 << 20)
    assert "worked" in [queue.pop() for _ in range(11)]


async def _visit(turns: Turns, order: list[str], name: str, held: asyncio.Event) -> None:
    async with turns.turn(flow=name[0]):
        order.append(name)
        await held.wait()
        held.clear()


async def _settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def _order(names: list[str], gone: tuple[str, ...] = ()) -> list[str]:
    """In what order these visitors, who came one after the other, have the only place."""
    turns, order, held = Turns(1), list[str](), asyncio.Event()
    tasks = {name: asyncio.create_task(_visit(turns, order, name, held)) for name in names}
    await _settle()
    assert turns.waiting == len(names) - 1
    for name in gone:
        tasks[name].cancel()
    await _settle()
    assert turns.waiting == len(names) - len(gone) - 1
    for _ in names:
        held.set()
        await _settle()
    for task in tasks.values():
        with suppress(asyncio.CancelledError):
            await task
    assert turns.waiting == 0
    return order


def test_a_flood_waits_behind_itself() -> None:
    order = asyncio.run(_order(["a1", "a2", "a3", "a4", "b1", "b2", "c1"]))
    assert order == ["a1", "a2", "b1", "c1", "a3", "b2", "a4"]


def test_who_leaves_the_queue_takes_nobodys_place() -> None:
    order = asyncio.run(_order(["a1", "a2", "a3", "b1", "c1"], gone=("a2", "b1")))
    assert order == ["a1", "c1", "a3"]


def test_a_place_is_free_again_whatever_happened_in_it() -> None:
    async def play() -> None:
        turns = Turns(1)
        with pytest.raises(ValueError, match="inside"):
            async with turns.turn():
                raise ValueError("inside")
        async with asyncio.timeout(60), turns.turn():
            pass

    asyncio.run(play())


def test_a_place_that_was_given_to_one_who_leaves_at_that_moment_is_passed_on() -> None:
    async def play() -> None:
        turns, order, held = Turns(1), list[str](), asyncio.Event()
        first, leaving, last = (
            asyncio.create_task(_visit(turns, order, name, held)) for name in ("a", "b", "c")
        )
        await _settle()
        held.set()
        await asyncio.sleep(0)  # the first one leaves, and the place goes to the second
        while not first.done():
            await asyncio.sleep(0)
        leaving.cancel()
        await _settle()
        held.set()
        await asyncio.wait_for(last, 60)
        assert order in (["a", "c"], ["a", "b", "c"])

    asyncio.run(play())


def test_a_crowd_that_comes_and_leaves_takes_no_memory() -> None:
    async def play() -> None:
        turns = Turns(1)
        async with turns.turn():
            for _ in range(30):
                crowd = [asyncio.create_task(turns.turn().__aenter__()) for _ in range(100)]
                await _settle()
                for task in crowd:
                    task.cancel()
                await asyncio.gather(*crowd, return_exceptions=True)
            assert len(turns._queue) <= 200
            assert turns.waiting == 0

    asyncio.run(play())


def test_as_many_as_there_are_places_go_at_once() -> None:
    async def play() -> None:
        turns, inside, most = Turns(3), 0, 0

        async def visit(name: int) -> None:
            nonlocal inside, most
            async with turns.turn(flow=str(name % 4)):
                inside += 1
                most = max(most, inside)
                await asyncio.sleep(0)
                inside -= 1

        await asyncio.gather(*(visit(name) for name in range(40)))
        assert most == 3

    asyncio.run(play())


def test_a_place_held_goes_before_those_who_came_later() -> None:
    queue: FairQueue[str] = FairQueue()
    queue.push("first", flow="a")
    held = queue.place()
    for number in range(5):
        queue.push(f"later {number}", flow=f"flow {number}")
    assert queue.pop() == "first"
    queue.push("second round", flow="a")
    queue.push("held", flow="quiet", place=held)
    order = [queue.pop() for _ in range(len(queue))]
    assert order.index("held") < order.index("second round")


def test_who_holds_many_places_waits_behind_their_own() -> None:
    queue: FairQueue[str] = FairQueue()
    places = [queue.place() for _ in range(50)]
    for place in places:
        queue.push("hoarder", flow="hoarder", place=place)
    queue.push("honest", flow="honest")
    assert "honest" in [queue.pop() for _ in range(2)]


def test_a_place_from_before_a_lull_is_a_place_at_the_front() -> None:
    queue: FairQueue[str] = FairQueue()
    for flow in "ab":
        queue.push(flow, flow=flow)
        queue.push(flow, flow=flow)
    for _ in range(3):
        queue.pop()
    held = queue.place()
    queue.pop()
    for number in range(3):
        queue.push(f"round {number}", flow="busy")
    queue.pop()
    queue.push("held", flow="quiet", place=held)
    assert queue.pop() == "held"
