"""One flooder and five honest ones; one person who presses twice, at once."""

import asyncio
import base64
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from html import unescape
from pathlib import Path

import httpx
import pytest
from tests.crash.door_town import RECEIVED, SAVED, Person, wait_for
from tests.parties.intake.door_world import FakeLedger, World
from tests.parties.intake.walking import Visitor

from safeconduct.parties.intake import tell
from safeconduct.parties.intake.accept import SEALINGS_AT_ONCE, Intake
from safeconduct.parties.intake.commits import Commits, Limits
from safeconduct.parties.intake.sealing import Named, Sealed
from safeconduct.parties.intake.site import make_site
from safeconduct.parties.intake.store import Delivered
from safeconduct.parties.intake.ticket import Ticket
from safeconduct.plumbing import dice, web
from safeconduct.plumbing.logs import log_leaves
from safeconduct.protocol.record import record_hash

FLOODER = "127.0.0.66"
HONEST = tuple(f"127.0.0.{number}" for number in range(11, 16))
FLOOD = 300
FLOOD_SENT = 30  # of three hundred forms that were opened
BATCH = 20


@dataclass
class Held:
    """Lets nobody on until it is opened, and knows in which order they went."""

    gate: threading.Event = field(default_factory=threading.Event)
    order: list[bytes] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def passes(self, *names: bytes) -> None:
        with self.lock:
            self.order += names
        assert self.gate.wait(120)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    ledger = FakeLedger()
    with web.running(ledger.app()) as ledger_url:
        world = World(folder=tmp_path, ledger=ledger, ledger_url=ledger_url)
        with web.running(make_site(world.intake)) as world.url:
            yield world


def client(address: str) -> httpx.Client:
    transport = httpx.HTTPTransport(
        local_address=address, limits=httpx.Limits(max_connections=FLOOD + 1)
    )
    return httpx.Client(transport=transport, timeout=120, trust_env=False)


@contextmanager
def clients() -> Iterator[tuple[httpx.Client, dict[str, httpx.Client]]]:
    """The flooder's, and those of the honest by their address."""
    with ExitStack() as stack:
        honest = {address: stack.enter_context(client(address)) for address in HONEST}
        yield stack.enter_context(client(FLOODER)), honest


@pytest.fixture
def slow_log(world: World) -> Held:
    """The log takes twenty leaves at a time, and answers none until it may."""
    held = Held()

    def ask(leaves: list[bytes]) -> list[bytes]:
        held.passes(*leaves)
        return log_leaves(world.intake.programme, leaves)

    limits = Limits(leaves=BATCH, batches_away=1, leaves_away=BATCH, gather_seconds=0)
    object.__setattr__(world.intake, "commits", Commits(partial(ask), limits))
    return held


def test_three_hundred_commits_of_one_address_wait_behind_five_of_others(
    world: World, slow_log: Held
) -> None:
    leaves = {address: dice.random_bytes(32) for address in HONEST}

    def commit(http: httpx.Client, leaf: bytes) -> int:
        return http.post(f"{world.url}/commit", content=leaf).status_code

    with clients() as (flooder, honest), ThreadPoolExecutor(FLOOD + len(HONEST)) as pool:
        works = [pool.submit(commit, flooder, dice.random_bytes(32)) for _ in range(FLOOD)]
        wait_for(lambda: world.intake.commits.backlog + len(slow_log.order) == FLOOD)
        for address, leaf in leaves.items():
            works.append(pool.submit(commit, honest[address], leaf))
        wait_for(
            lambda: world.intake.commits.backlog + len(slow_log.order) == FLOOD + len(HONEST)
        )
        slow_log.gate.set()
        assert {work.result() for work in works} == {200}
    served = [slow_log.order.index(leaf) for leaf in leaves.values()]
    # Those who were away already, then one of the flooder's for each of theirs at most.
    assert max(served) < BATCH + 2 * len(HONEST)


@pytest.fixture
def slow_sealing(monkeypatch: pytest.MonkeyPatch) -> Held:
    held, seal = Held(), tell._sealed

    def sealed(intake: Intake, ticket: Ticket, items: Named) -> Sealed | Delivered:
        held.passes(ticket.entropy)
        return seal(intake, ticket, items)

    monkeypatch.setattr(tell, "_sealed", sealed)
    return held


def opened(http: httpx.Client, world: World, text: str) -> tuple[bytes, str]:
    """The words and the ticket of somebody before the last button."""
    person = Person(url=world.url, entropy=dice.random_bytes(16), http=http)
    person.begin()
    person.press("/tell/text", text=text)
    return person.entropy, person.ticket


def test_three_hundred_forms_of_one_address_wait_behind_five_of_others(
    world: World, slow_sealing: Held
) -> None:
    def send(http: httpx.Client, ticket: str) -> str:
        form = {"ticket": ticket, "sure": "1"}
        return http.post(f"{world.url}/en/tell/send", data=form).text

    turns = world.intake.sealing
    with clients() as (flooder, honest), ThreadPoolExecutor(FLOOD_SENT + len(HONEST)) as pool:
        for _ in range(FLOOD - FLOOD_SENT):
            assert flooder.get(f"{world.url}/en/tell").status_code == 200
        flood = [opened(flooder, world, f"Flood {n}.") for n in range(FLOOD_SENT)]
        works = [pool.submit(send, flooder, ticket) for _, ticket in flood]
        wait_for(lambda: turns.waiting == FLOOD_SENT - SEALINGS_AT_ONCE)
        words = []
        for address, http in honest.items():
            entropy, ticket = opened(http, world, f"From {address}.")
            words.append(entropy)
            works.append(pool.submit(send, http, ticket))
        wait_for(lambda: turns.waiting == FLOOD_SENT - SEALINGS_AT_ONCE + len(HONEST))
        slow_sealing.gate.set()
        assert all(RECEIVED in work.result() for work in works)
    served = [slow_sealing.order.index(entropy) for entropy in words]
    assert max(served) < SEALINGS_AT_ONCE + 2 * len(HONEST)


# At once.


def deliveries(world: World) -> list[Delivered]:
    return world.intake.store.deliveries_after(0, 100)


def receipt(page: str) -> bytes:
    """The record that a receipt's page is about."""
    assert RECEIVED in page
    return base64.b64decode(unescape(SAVED.findall(page)[1]))


def test_one_page_that_is_sent_eight_times_at_once_is_one_tip(world: World) -> None:
    visitor = Visitor(world)
    visitor.come_back()
    visitor.press("/tell/text", text="Pressed in haste.")
    pages = at_once(world, [("/tell/send", visitor.ticket)] * 8)
    assert len({receipt(page) for page in pages}) == 1
    assert [each.hash for each in deliveries(world)] == [record_hash(receipt(pages[0]))]


def test_the_same_words_on_four_pages_at_once_are_four_tips(world: World) -> None:
    tickets = []
    for number in range(4):
        visitor = Visitor(world)
        visitor.come_back()
        visitor.press("/tell/text", text=f"Page {number}.")
        tickets.append(visitor.ticket)
    pages = at_once(world, [("/tell/send", ticket) for ticket in tickets])
    hashes = {record_hash(receipt(page)) for page in pages}
    assert len(hashes) == 4
    assert {each.hash for each in deliveries(world)} == hashes


def test_the_same_words_and_text_on_two_pages_at_once_are_one_date(world: World) -> None:
    """Nobody is refused, and no text is lost, whichever page comes first."""
    tickets = []
    for _ in range(2):
        visitor = Visitor(world)
        visitor.come_back()
        visitor.press("/tell/text", text="The same on both.")
        tickets.append(visitor.ticket)
    pages = at_once(world, [("/tell/send", ticket) for ticket in tickets])
    hashes = {record_hash(receipt(page)) for page in pages}
    assert hashes == {each.hash for each in deliveries(world)}
    staged = world.folder / "tips" / "staged"
    assert list(staged.iterdir()) == []


def at_once(world: World, posts: list[tuple[str, str]]) -> list[str]:
    async def all_of() -> list[str]:
        async with httpx.AsyncClient(timeout=120, trust_env=False) as http:
            answers = await asyncio.gather(
                *(
                    http.post(f"{world.url}/en{path}", data={"ticket": ticket, "sure": "1"})
                    for path, ticket in posts
                )
            )
        assert {answer.status_code for answer in answers} == {200}
        return [answer.text for answer in answers]

    return asyncio.run(all_of())
