"""Door, log and a witness are killed hard in the middle of a surge that crosses the law's date.

Clients commit, others send, people with browsers tell. Nobody gives up, and nothing that was
acknowledged to anybody is lost, dated elsewhere or delivered in part.
"""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from hashlib import sha256

import pytest
from tests.crash.besieged_door import GATE_STEPS, NO_ROOM_FILE, TIP_STEPS
from tests.crash.door_town import RECEIVED, Person, Told, Town, open_town, wait_for
from tests.parties.servers import run
from tests.world import ledger_entries

from safeconduct.demo.stage import wait_until
from safeconduct.parties.desk.desk import Desk, open_desk
from safeconduct.parties.desk.pull import pull
from safeconduct.parties.desk.tray import OPENED
from safeconduct.parties.desk.unseal import unseal_all
from safeconduct.parties.source.send import Sent
from safeconduct.plumbing import clock, dice
from safeconduct.plumbing.logs import log_leaf, read_gazette
from safeconduct.protocol.gate import IN_TIME, LATE, Bounds, verify_gate
from safeconduct.protocol.receipt import verify_receipt
from safeconduct.protocol.record import parse_signed, record_hash
from safeconduct.protocol.tlog.policy import Logged, verify_proof

COMMITS, COMMITTERS = 240, 12
TIPS, TELLERS = 10, 4
DELIVERIES, SENDERS = 3, 2
WINDOW_SECONDS = 40
LATE_COMMITS = 10
KILLS = {20: "door", 70: "log", 130: "east", 190: "door"}
"""By how many were answered before: "east" is the one witness that no quorum can do without."""
SCAN = bytes(range(256)) * 8_192
VOID = "This page was open for too long."


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    folder = tmp_path_factory.mktemp("siege")
    with open_town(folder, window_seconds=WINDOW_SECONDS) as town:
        yield town


@dataclass(frozen=True, slots=True, kw_only=True)
class Surge:
    """What is left to look at: an old page, and what lay in the spool before the first kill."""

    left: Person
    spooled: frozenset[str]
    spooled_after: frozenset[str]


@pytest.fixture(scope="module")
def surge(town: Town) -> Surge:
    """The surge with its kills, and some who come after the date."""
    left = Person(url=town.url, entropy=dice.random_bytes(16))
    left.begin()
    left.press("/tell/text", text="This was never sent.")
    left.attach("half.bin", SCAN)
    spooled = _spooled(town)
    town.kills = KILLS
    town.dies_at(*GATE_STEPS)
    town.commit(_leaf(0))
    with ThreadPoolExecutor(COMMITTERS + TELLERS + SENDERS) as pool:
        works: list[Future[object]] = []
        for number in range(COMMITS):
            works.append(pool.submit(town.commit, _leaf(number)))
            if number < TIPS:
                works.append(pool.submit(town.tell, f"Letter {number}.", _scan(-1 - number)))
            if number < DELIVERIES:
                works.append(pool.submit(town.deliver, _scan(number)))
        for work in works:
            work.result()
    wait_until(town.world.date)
    for number in range(LATE_COMMITS):
        town.commit(_leaf(COMMITS + number))
    return Surge(left=left, spooled=spooled, spooled_after=_spooled(town))


def _leaf(number: int) -> bytes:
    return sha256(b"leaf %d" % number).digest()


def _scan(number: int) -> bytes:
    return SCAN + b"%d" % number


def _spooled(town: Town) -> frozenset[str]:
    return frozenset(path.name for path in (town.door_folder / "spool").iterdir())


@pytest.fixture(scope="module")
def entries(town: Town, surge: Surge) -> list[bytes]:
    return ledger_entries(town.world.programme)


@pytest.fixture(scope="module")
def desk(town: Town, surge: Surge) -> Iterator[Desk]:
    """The desk, with all that the door holds for it."""
    desk = open_desk(town.folder / "desk")
    pull(desk)
    unseal_all(desk)
    yield desk
    desk.store.close()


def test_every_kill_struck_during_the_surge(town: Town, surge: Surge) -> None:
    assert Counter(town.killed) == Counter(KILLS.values())
    assert all(town.stage.starts(name) > 1 for name in KILLS.values())


def test_every_commit_that_was_answered_stands_in_the_ledger_once(
    town: Town, surge: Surge, entries: list[bytes]
) -> None:
    assert len(town.committed) == COMMITS + LATE_COMMITS
    counted = Counter(entries)
    for leaf, proof in town.committed.items():
        assert entries[_logged(town, leaf, proof).index] == leaf
        assert counted[leaf] == 1


def test_asking_again_gives_the_same_place_and_date(town: Town, surge: Surge) -> None:
    for leaf, proof in list(town.committed.items())[::40]:
        again = _logged(town, leaf, log_leaf(town.world.programme, leaf))
        before = _logged(town, leaf, proof)
        assert (again.index, again.logged_by) == (before.index, before.logged_by)


def test_every_tip_with_a_receipt_reached_the_desk_whole(
    town: Town, surge: Surge, desk: Desk
) -> None:
    assert len(town.told) == TIPS
    for told in town.told:
        assert told.delivered
        _check_told(town, told)
        assert _opened_parts(desk, told) == {told.text.encode() + b"\n", told.file}


def test_every_delivery_that_was_signed_for_reached_the_desk_whole(
    town: Town, surge: Surge, desk: Desk
) -> None:
    assert len(town.sent) == DELIVERIES
    contents = [_opened(desk, record_hash(sent.record)) for sent in town.sent]
    assert {frozenset(each) for each in contents} == {
        frozenset({_scan(number)}) for number in range(DELIVERIES)
    }
    for sent in town.sent:
        _check_sent(town, sent)


def test_nothing_is_delivered_twice(town: Town, surge: Surge, desk: Desk) -> None:
    acknowledged = [made.status for made in desk.store.acknowledgements()]
    texts = [each for made in desk.store.acknowledgements() for each in _texts(desk, made.hash)]
    assert max(Counter(texts).values()) == 1
    assert set(acknowledged) == {"ok"}


def test_a_page_from_before_the_kill_is_answered_kindly(town: Town, surge: Surge) -> None:
    assert surge.spooled
    assert not surge.spooled & surge.spooled_after
    for path, fields in {
        "/tell/send": {"sure": "1"},
        "/tell/again": {"to": "text"},
        "/tell/text": {"text": "Written on the old page."},
    }.items():
        ticket = {"ticket": surge.left.ticket}
        status, page = surge.left.look("POST", path, data=ticket | fields)
        assert status == 403
        assert VOID in page or "Your text is still here" in page
    status, page = surge.left.look(
        "POST", "/tell/files", files=[("ticket", (None, b"x")), ("file", ("a", SCAN))]
    )
    assert (status, VOID in page) == (403, True)


def test_whoever_was_interrupted_saw_pages_and_no_fault(town: Town, surge: Surge) -> None:
    assert {status for status, _ in town.pages} <= {403, 503}
    assert all("<h1" in page for _, page in town.pages)
    for name in ("door", "log", "east"):
        told = town.diagnostics(name)
        assert "Traceback" not in told
        assert "internal fault" not in told


def test_one_gate_comes_of_a_door_that_dies_at_each_of_its_steps(
    town: Town, surge: Surge
) -> None:
    wait_for(lambda: not town.deaths_left() and bool(_gates(town)))
    [gate] = _gates(town)
    assert Counter(ledger_entries(town.world.programme))[record_hash(gate)] == 1


def test_every_receipt_agrees_with_the_gate(town: Town, surge: Surge) -> None:
    wait_for(lambda: bool(_gates(town)))
    [gate] = _gates(town)
    place = ledger_entries(town.world.programme).index(record_hash(gate))
    bounds, limit = _bounds(town), town.world.date
    receipts = [_logged(town, leaf, proof) for leaf, proof in town.committed.items()]
    receipts += [each for told in town.told for each in _logged_parts(town, told)]
    receipts += [sent.receipt.logged for sent in town.sent]
    standing = {each.index: bounds.standing(each.index, place) for each in receipts}
    for each in receipts:
        assert standing[each.index] != IN_TIME or each.logged_by < limit
        assert standing[each.index] != LATE or each.logged_by >= limit
    assert IN_TIME in standing.values()
    assert {each.logged_by < limit for each in receipts} == {True, False}


def test_a_tip_whose_door_dies_at_each_of_its_steps_is_one_tip(
    town: Town, surge: Surge, desk: Desk
) -> None:
    wait_for(lambda: bool(_gates(town)))
    town.dies_at(*TIP_STEPS)
    told = town.tell("Letter of five attempts.", SCAN + b"five")
    assert town.deaths_left() == []
    assert told.delivered
    [digest] = told.hashes
    assert Counter(ledger_entries(town.world.programme))[digest] == 1
    pull(desk)
    unseal_all(desk)
    of_these = [
        made.hash
        for made in desk.store.acknowledgements()
        if b"Letter of five attempts.\n" in _opened(desk, made.hash)
    ]
    assert of_these == [digest]
    staged = town.door_folder / "tips" / "staged"
    assert list(staged.iterdir()) == []


def test_a_tip_that_found_no_room_is_delivered_later_under_its_first_date(
    town: Town, surge: Surge
) -> None:
    words, scan = dice.random_bytes(16), SCAN + b"late"
    no_room = town.door_folder / NO_ROOM_FILE
    no_room.touch()
    dated = [town.tell("Dated first.", scan, words) for _ in range(3)]
    no_room.unlink()
    assert not any(told.delivered for told in dated)
    wait_until(dated[-1].ended_at + 2)
    told = town.tell("Dated first.", scan, words)
    assert told.delivered
    assert told.hashes == dated[0].hashes
    first = [(each.index, each.logged_by) for each in _logged_parts(town, dated[0])]
    assert [(each.index, each.logged_by) for each in _logged_parts(town, told)] == first


@pytest.mark.parametrize("back_seconds", [3_600, 86_400])
def test_a_clock_that_is_set_back_turns_nobody_away_and_dates_nothing(
    back_seconds: int, town: Town, surge: Surge, desk: Desk
) -> None:
    wait_for(lambda: bool(_gates(town)))
    before = Person(url=town.url, entropy=dice.random_bytes(16))
    before.begin()
    before.press("/tell/text", text=f"Begun before {back_seconds}.")
    starts = town.stage.starts("door")
    town.set_clock(-back_seconds)
    try:
        assert RECEIVED in before.finish()
        began_at = clock.seconds()
        logged = _logged(town, leaf := dice.random_bytes(32), town.commit(leaf))
        assert logged.logged_by >= began_at
        told = town.tell(f"Written {back_seconds} back.", _scan(-back_seconds))
        _check_told(town, told)
        sent = town.deliver(_scan(1_000 + back_seconds))
        assert sent.receipt.logged_by >= began_at
        pull(desk)
        unseal_all(desk)
        assert _opened_parts(desk, told) == {told.text.encode() + b"\n", told.file}
        assert _opened(desk, record_hash(sent.record)) == {_scan(1_000 + back_seconds)}
        assert len(_gates(town)) == 1
    finally:
        town.set_clock(0)
    assert town.stage.starts("door") == starts
    assert town.pages == [] or town.pages[-1][0] != 500


def test_a_second_door_on_the_folder_refuses_and_harms_nothing(
    town: Town, surge: Surge
) -> None:
    person = Person(url=town.url, entropy=dice.random_bytes(16))
    person.begin()
    person.press("/tell/text", text="Written while another door was started.")
    second = run(
        "safeconduct.parties.intake.command",
        *("--dir", str(town.door_folder), "--listen", "127.0.0.1:0"),
    )
    assert second.returncode != 0
    assert "another process" in second.stderr
    assert RECEIVED in person.finish()


# Looking.


def _logged(town: Town, leaf: bytes, proof: bytes) -> Logged:
    programme = town.world.programme
    return verify_proof(proof, leaf, programme.policy, programme.ledger_origin)


def _gates(town: Town) -> list[bytes]:
    entries = read_gazette(town.world.programme).entries
    return [each for each in entries if parse_signed(each).record.kind == "gate"]


def _bounds(town: Town) -> Bounds:
    programme = town.world.programme
    [gate] = read_gazette(programme).state.gates
    return verify_gate(gate, programme.policy, programme.ledger_origin)


def _logged_parts(town: Town, told: Told) -> list[Logged]:
    return [_logged(town, record_hash(record), proof) for record, proof in told.parts]


def _check_told(town: Town, told: Told) -> None:
    for logged in _logged_parts(town, told):
        assert told.began_at <= logged.logged_by <= told.ended_at


def _check_sent(town: Town, sent: Sent) -> None:
    programme = town.world.programme
    verify_receipt(sent.record, sent.proof, programme.policy, programme.ledger_origin)


def _opened(desk: Desk, digest: bytes) -> set[bytes]:
    """What the desk has in the tray of a tip."""
    folder = desk.store.tip_folder(digest) / OPENED
    return {path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def _texts(desk: Desk, digest: bytes) -> list[bytes]:
    return [each for each in _opened(desk, digest) if each.startswith(b"Letter ")]


def _opened_parts(desk: Desk, told: Told) -> set[bytes]:
    return set().union(*(_opened(desk, digest) for digest in told.hashes))
