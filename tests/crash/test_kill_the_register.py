"""Register and console as real processes, killed while people post to them.

Everybody sends again what was not answered. Whatever was answered is there afterwards, once.
"""

import hashlib
import os
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, cast

import httpx
import pytest
from tests.crash.board_server import open_cases, open_console, open_listed
from tests.parties.board.console_world import Browser, ConsoleWorld
from tests.parties.registry.listing_world import FILE
from tests.parties.registry.register_world import NOTHING_FOUND, World, appeal_of, state_of
from tests.parties.servers import SOURCES, START_SECONDS
from tests.protocol.builders import MEMBERS, source_keys

from safeconduct.demo.stage import free_port
from safeconduct.parties.board.console_pull import pull
from safeconduct.parties.board.console_sign_in import invite
from safeconduct.parties.board.sign import sign_all
from safeconduct.parties.registry import decide, enlist
from safeconduct.parties.registry.board_site import set_console_key
from safeconduct.parties.registry.duties import listings_of
from safeconduct.protocol.record import record_hash
from safeconduct.protocol.tlog.note import SigningKey, format_vkey

ROOT = Path(__file__).parents[2]
PATIENCE_SECONDS = 120
KILLS = 2
BETWEEN_SECONDS = 0.15
LISTINGS, REPLIES, CASES = 4, 6, 2


@dataclass
class Mortal:
    """A server that is killed and started again at the same address."""

    arguments: tuple[str, ...]
    port: int
    process: "subprocess.Popen[str] | None" = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it; `listening` returns when it can be asked."""
        kind, folder, *more = self.arguments
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-m", "tests.crash.board_server"),
                *(kind, folder, str(self.port), *more),
            ],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": f"{SOURCES}:{ROOT}"},
            stdout=subprocess.PIPE,
            text=True,
        )

    def listening(self) -> None:
        assert self.process is not None
        assert self.process.stdout is not None
        assert self.process.stdout.readline().startswith("listening on")

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait(START_SECONDS)
        assert self.process.stdout is not None
        self.process.stdout.close()


@contextmanager
def serving(*servers: Mortal) -> Iterator[None]:
    with ExitStack() as stack:
        for server in servers:
            server.start()
            stack.callback(server.kill)
        for server in servers:
            server.listening()
        yield


def answered(send: Callable[[], Any], *said: str) -> Any:
    """What came back, sent again until something did, and any of what is to be `said`."""
    until = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            answer = send()
            if not said or any(words in answer.text for words in said):
                return answer
        except httpx.TransportError:
            pass
        assert time.monotonic() < until, "nobody answers"
        time.sleep(0.05)


# What tells a member that their act is kept; the second is said when it was kept before.
VOTED = ("Your vote is kept", "in another window", "votes are closed")
DRAFTED = ("The draft is made",)
BROUGHT = (
    "signatures are kept",
    "were here already",
    "Enough have signed",
    "nough have signed",
)


@dataclass
class Crowd:
    """People at work at once, and what they were answered."""

    acts: list[Callable[[], object]] = field(default_factory=list)
    faults: list[BaseException] = field(default_factory=list)
    acknowledged: int = 0

    def _run(self, act: Callable[[], object]) -> None:
        try:
            act()
        except BaseException as error:  # shown by the test, not lost with its thread
            self.faults.append(error)

    def work(self, *servers: Mortal) -> None:
        """Begin, have each server killed some times, and wait for the last answer."""
        threads = [threading.Thread(target=self._run, args=(act,)) for act in self.acts]
        for thread in threads:
            thread.start()
        for number in range(KILLS):
            # One, then all of them.
            for some in (servers[number % len(servers)],), servers:
                time.sleep(BETWEEN_SECONDS)
                for server in some:
                    server.kill()
                for server in some:
                    server.start()
                for server in some:
                    server.listening()
        for thread in threads:
            thread.join(PATIENCE_SECONDS)
        assert not self.faults, self.faults
        assert not any(thread.is_alive() for thread in threads)


def plain() -> httpx.Client:
    limits = httpx.Limits(max_keepalive_connections=0)
    return httpx.Client(limits=limits, trust_env=False, timeout=PATIENCE_SECONDS)


# People who are to be listed.


def test_replies_to_a_register_that_is_killed_are_kept_once(tmp_path: Path) -> None:
    folder = tmp_path / "register"
    with pytest.MonkeyPatch.context() as patch:
        world = open_listed(folder, patch)
        for number in range(1, LISTINGS + 1):
            enlist.propose(world.registry, FILE | {"subject": f"r-{number}"})
            enlist.notify(world.registry, number)
        pages = [one.page for one in listings_of(world.registry).all()]
        server = Mortal(arguments=("listings", str(folder)), port=free_port())
        said: list[tuple[bytes, str]] = []

        def reply_to(page: bytes) -> None:
            with plain() as http:
                for number in range(REPLIES):
                    text = f"It was not me, number {number}."
                    url = f"{server.url}/listing/{page.hex()}/reply"
                    answer = answered(partial(http.post, url, data={"text": text}))
                    assert answer.status_code == 303, answer.text
                    said.append((page, text))

        crowd = Crowd(acts=[partial(reply_to, page) for page in pages])
        with serving(server):
            crowd.work(server)
        _check_replies(world, said)


def _check_replies(world: World, said: list[tuple[bytes, str]]) -> None:
    kept = listings_of(world.registry)
    world.ledger.grown()
    assert len(said) == LISTINGS * REPLIES
    for one in kept.all():
        events = [event for event in kept.events(one.number) if event.kind == "replied"]
        texts = [event.word("text") for event in events]
        assert texts == [text for page, text in said if page == one.page]
        for event in events:
            assert bytes.fromhex(event.word("hash")) in world.ledger.entries
        assert kept.course(one.number).state == "replied"
    assert max(Counter(world.ledger.entries).values()) == 1
    assert len(world.ledger.entries) == 1 + LISTINGS + len(said)


# Members of the board, and people who appeal.


@dataclass
class Board:
    """A register with a console, cases that wait for it, and cases that were decided."""

    world: World
    register: Mortal
    console: Mortal
    waiting: list[bytes]
    appeals: dict[bytes, bytes]  # claim → signed appeal against its decision

    @property
    def folder(self) -> Path:
        return Path(self.console.arguments[1])


def _board(folder: Path, patch: pytest.MonkeyPatch) -> Board:
    (folder / "register").mkdir()
    world = open_cases(folder / "register", patch)
    for number in range(1, 2 * CASES + 1):
        world.listed(f"r-{number}")
    claims = [world.filed(subject=f"r-{n}", keys=n - 1) for n in range(1, 2 * CASES + 1)]
    against = {}
    for number, claim in enumerate(claims):
        draft = decide.propose_decision(world.registry, claim, NOTHING_FOUND)
        if number < CASES:
            signed = sign_all(draft.record, MEMBERS[:2])
            decide.enter(world.registry, claim, signed)
            seed = source_keys(number).derive("author-ed25519")
            against[claim] = appeal_of(signed, key=SigningKey(name="claimant", seed=seed))
    ports = free_port(), free_port()
    register = Mortal(arguments=("cases", str(folder / "register")), port=ports[0])
    console = Mortal(
        arguments=("console", str(folder / "console"), register.url), port=ports[1]
    )
    return Board(
        world=world, register=register, console=console, waiting=claims[CASES:], appeals=against
    )


class Member(Browser):
    """A member whose browser sends again what was not answered."""

    def __init__(self, board: Board, name: str, origin: str) -> None:
        self.origin = origin
        self.people: list[Browser] = []  # as a world has
        super().__init__(cast(ConsoleWorld, self), board.console.url)
        self.http = httpx.Client(
            base_url=board.console.url,
            headers={"host": origin.removeprefix("http://")},
            limits=httpx.Limits(max_keepalive_connections=0),
            timeout=PATIENCE_SECONDS,
            trust_env=False,
        )
        self.passkey.credential_id = hashlib.sha256(name.encode()).digest()

    def sit(self, key: Any, cases: list[str], *, drafts: bool) -> None:
        """Vote, wait for the draft or make it, and bring a signature, in each case."""
        for where in cases:
            self._do(VOTED, partial(self.act, f"{where}/vote", **AGREE))
        for where in cases:
            if drafts:
                self._do(DRAFTED, partial(self.act, f"{where}/draft", **DRAFT))
            copy = sign_all(self._draft(where), [key])
            self._do(
                BROUGHT,
                partial(self.upload, f"{where}/signed", copy),
            )

    def _do(self, said: tuple[str, ...], act: Callable[[], object]) -> None:
        answered(act, *said)

    def _draft(self, where: str) -> bytes:
        """The record to sign, once it is made."""
        seen = answered(lambda: self.http.get(f"{where}/decision.record"), "v1/decision")
        data: bytes = seen.content
        return data


AGREE = {"vote": "agree", "after": "0"}
DRAFT = {"outcome": "registration_stands", "without": "yes"}


def test_votes_and_appeals_survive_the_deaths_of_register_and_console(tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        board = _board(tmp_path, patch)
        origin = f"http://localhost:{board.console.port}"
        console = open_console(board.world, board.folder, board.register.url, origin)
        set_console_key(board.world.folder, format_vkey(console.key.verifier()))
        with serving(board.register):
            pull(console)
        assert console.memory.trouble == ""
        cases = [f"/dockets/{one.hash.hex()}" for one in console.store.dockets()]
        assert len(cases) == CASES

        def object_to(claim: bytes, appeal: bytes) -> None:
            with plain() as http:
                url = f"{board.register.url}/appeals/{claim.hex()}"
                answer = answered(lambda: http.post(url, content=appeal))
                assert answer.status_code == 200, answer.text

        with serving(board.register, board.console):
            people = [Member(board, key.name, origin) for key in MEMBERS[:2]]
            for person, key in zip(people, MEMBERS, strict=False):
                code = invite(console.store, key.name, board.world.now, os.urandom, lost=False)
                assert person.enrol(code).status == 200
                assert person.sign_in().status == 200
            crowd = Crowd(
                acts=[
                    lambda: people[0].sit(MEMBERS[0], cases, drafts=True),
                    lambda: people[1].sit(MEMBERS[1], cases, drafts=False),
                    *(
                        partial(object_to, claim, appeal)
                        for claim, appeal in board.appeals.items()
                    ),
                ]
            )
            crowd.work(board.register, board.console)
            until = time.monotonic() + PATIENCE_SECONDS
            while console.store.unposted() and time.monotonic() < until:
                time.sleep(0.1)
        _check_board(board, console)
        console.store.close()


def _check_board(board: Board, console: Any) -> None:
    world = board.world
    world.ledger.grown()
    assert max(Counter(world.ledger.entries).values()) == 1
    for claim in board.waiting:
        kinds = Counter(event.kind for event in world.registry.store.events(claim))
        assert kinds["decided"] == 1
        letter = world.folder / "letters" / f"{claim.hex()}.txt"
        assert letter.is_file()
        counted = Counter(event.kind for event in console.store.events(claim))
        assert (counted["vote"], counted["line"], counted["signed"]) == (2, 2, 1), counted
        assert counted["posted"] == 1
    for claim in board.appeals:
        assert state_of(world, claim) == "suspended"
        appealed = world.registry.store.case(claim).latest["appealed"]
        assert record_hash(appealed.data) in world.ledger.entries
