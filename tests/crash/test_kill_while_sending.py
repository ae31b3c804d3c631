"""Servers are killed hard while sources send: each tip arrives once, and keeps its one date."""

import hashlib
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from tests.world import Played, ledger_entries, rows

from safeconduct.parties.desk.desk import open_desk
from safeconduct.parties.desk.pull import pull
from safeconduct.parties.desk.unseal import unseal_all
from safeconduct.parties.source.door import Door
from safeconduct.parties.source.inbox import read_inbox
from safeconduct.parties.source.send import Sent, commit, send
from safeconduct.plumbing import clock, dice
from safeconduct.plumbing.logs import log_leaf
from safeconduct.protocol.envelope import MESSAGE_NAME, Source
from safeconduct.protocol.record import parse_record, record_hash
from safeconduct.protocol.tlog.policy import verify_proof

TEXT = "Three of the forged stamps lie in the harbour office, behind the tide tables.\n"
PIECE_BYTES = 1 << 18
PIECES = 12
PASSES_BEFORE_SENDING = 2  # measured, sealed: then read once more and sent
ADDED_LEAVES = 48
ADDERS = 4
KILLED_AT = (8, 30)  # the log is killed when these leaves are about to be added


@dataclass(slots=True)
class Large:
    """A file of 3 MB that runs `act` when half of it has gone out to the door."""

    act: Callable[[], None]
    piece: bytes = field(default_factory=lambda: dice.random_bytes(PIECE_BYTES))
    passes: int = 0

    def __call__(self) -> Iterator[bytes]:
        self.passes += 1
        for number in range(PIECES):
            if self.passes > PASSES_BEFORE_SENDING and number == PIECES // 2:
                self.act()
            yield self.piece


@dataclass(frozen=True, slots=True, kw_only=True)
class Torn:
    """A source whose sending is cut: `at` is what it was just told, or "half sent"."""

    player: str
    at: str
    kills: tuple[str, ...]


TORN = (
    Torn(player="torn-door", at="half sent", kills=("door",)),
    Torn(player="torn-log", at="sealed here", kills=("log",)),
    Torn(player="torn-quorum", at="committed", kills=("east", "north")),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Storm:
    """What was acknowledged while servers were killed: tips by player, and bare leaves."""

    sent: dict[str, Sent]
    added: dict[bytes, bytes]  # leaf → the proof that the log answered with
    struck: tuple[str, ...]
    restarts: dict[str, int]


@pytest.fixture(scope="module")
def storm(played: Played) -> Storm:
    """Three sources send, others fill the log, and six times a server is killed meanwhile."""
    struck: list[str] = []
    before = {name: played.stage.starts(name) for name in played.stage.names()}

    def strike(torn: Torn) -> None:
        struck.append(torn.at)
        for name in torn.kills:
            played.stage.kill(name)

    def add(number: int) -> tuple[bytes, bytes]:
        if number in KILLED_AT:
            played.stage.kill("log")
        leaf = dice.random_bytes(32)
        return leaf, log_leaf(played.programme, leaf)

    with ThreadPoolExecutor(len(TORN) + ADDERS) as pool:
        sending = {torn.player: pool.submit(_send, played, torn, strike) for torn in TORN}
        added = dict(pool.map(add, range(ADDED_LEAVES)))
        sent = {player: future.result() for player, future in sending.items()}
    played.stage.wait_for(*played.stage.names())
    restarts = {name: played.stage.starts(name) - count for name, count in before.items()}
    return Storm(sent=sent, added=added, struck=tuple(struck), restarts=restarts)


def _send(played: Played, torn: Torn, strike: Callable[[Torn], None]) -> Sent:
    once = threading.Lock()

    def at(place: str) -> None:
        if place.startswith(torn.at) and once.acquire(blocking=False):
            strike(torn)

    words = played.world.words.setdefault(torn.player, dice.random_bytes(16))
    large = Large(act=lambda: at("half sent"))
    return send(
        played.programme,
        words,
        [
            Source(name=MESSAGE_NAME, read=lambda: [TEXT.encode(), torn.player.encode()]),
            Source(name="stamps.bin", read=large),
        ],
        at=clock.seconds(),
        random_bytes=dice.random_bytes,
        report=at,
    )


PLAYERS = [torn.player for torn in TORN]


def test_every_kill_struck_while_its_source_was_sending(storm: Storm) -> None:
    assert sorted(storm.struck) == sorted(torn.at for torn in TORN)
    killed = {"log", *(name for torn in TORN for name in torn.kills)}
    assert {name for name, count in storm.restarts.items() if count} == killed


@pytest.mark.parametrize("player", PLAYERS)
def test_asking_again_brings_the_same_receipt(
    played: Played, storm: Storm, player: str
) -> None:
    sent = storm.sent[player]
    proof, receipt = commit(played.programme, Door(played.programme.door), sent.record)
    assert receipt.logged.index == sent.receipt.logged.index
    assert receipt.logged_by == sent.receipt.logged_by
    assert proof == sent.proof


@pytest.mark.parametrize("player", PLAYERS)
def test_a_torn_tip_is_delivered_exactly_once(
    played: Played, storm: Storm, player: str
) -> None:
    digest = record_hash(storm.sent[player].record)
    delivered = [row for row in _deliveries(played.folder) if row[1] == digest]
    assert len(delivered) == 1
    answer = Door(played.programme.door).finish_delivery(storm.sent[player].record)
    assert answer == delivered[0][5]
    assert not list((played.folder / "door" / "tips" / "staged").iterdir())


@pytest.mark.parametrize("player", PLAYERS)
def test_the_payload_that_is_kept_is_the_one_committed_to(
    played: Played, storm: Storm, player: str
) -> None:
    record = parse_record(storm.sent[player].record)
    digest = record_hash(storm.sent[player].record).hex()
    [payload] = (played.folder / "door" / "tips" / "kept").glob(f"{digest}*")
    assert hashlib.sha256(payload.read_bytes()).digest() == record.hash("payload")


@pytest.mark.parametrize("player", PLAYERS)
def test_the_words_alone_find_the_one_contribution(
    played: Played, storm: Storm, player: str
) -> None:
    [contribution] = read_inbox(played.programme, played.world.words[player])
    assert contribution.receipt is not None
    assert contribution.receipt.logged_by == storm.sent[player].receipt.logged_by


def test_all_that_was_acknowledged_stands_in_the_ledger_once(
    played: Played, storm: Storm
) -> None:
    due = [*storm.added, *(record_hash(sent.record) for sent in storm.sent.values())]
    due += [record_hash(bytes_of(row[5])) for row in _deliveries(played.folder)]
    counted = Counter(ledger_entries(played.programme))
    assert len(due) >= ADDED_LEAVES + 2 * len(TORN)
    assert {counted[leaf] for leaf in due} == {1}


def test_each_leaf_stands_where_its_proof_says(played: Played, storm: Storm) -> None:
    entries = ledger_entries(played.programme)
    for leaf, proof in storm.added.items():
        logged = verify_proof(
            proof, leaf, played.programme.policy, played.programme.ledger_origin
        )
        assert entries[logged.index] == leaf


def test_the_desk_opens_every_torn_tip(played: Played, storm: Storm) -> None:
    desk = open_desk(played.folder / "desk")
    pull(desk)
    unseal_all(desk)
    for sent in storm.sent.values():
        acknowledged = desk.store.acknowledged(record_hash(sent.record))
        assert acknowledged is not None
        assert acknowledged.status == "ok"
    desk.store.close()


def _deliveries(folder: Path) -> Sequence[tuple[object, ...]]:
    return rows(folder / "door" / "door.sqlite", "deliveries")


def bytes_of(value: object) -> bytes:
    """A column that holds bytes."""
    assert isinstance(value, bytes)
    return value
