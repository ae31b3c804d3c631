"""Forms at a door on a disk of six megabytes: dated, said honestly, and nothing half kept."""

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from html import unescape
from pathlib import Path
from types import SimpleNamespace

import pytest
from tests.crash.door_town import DATED_ONLY, RECEIVED, SAVED, Person
from tests.crash.test_full_disk import fill
from tests.parties.intake.door_world import World, ask, open_world
from tests.protocol import builders

from safeconduct.parties.intake import handing, health, sealing, spool, store, tell
from safeconduct.plumbing import dice
from safeconduct.protocol.receipt import verify_receipt
from safeconduct.protocol.record import record_hash
from safeconduct.protocol.tlog.policy import verify_proof

DISK_BYTES = 6 << 20
RESERVE_BYTES = 2 << 20
TEXT_RESERVE_BYTES = 1 << 20
TEXT = "The ledger of the harbour is kept twice."
SCAN = bytes(range(256)) * 4_000


@pytest.fixture
def world(small_disk: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    for module in (store, sealing, handing, health):
        monkeypatch.setattr(module, "DISK_RESERVE_BYTES", RESERVE_BYTES)
    monkeypatch.setattr(spool, "RESERVE_BYTES", RESERVE_BYTES)
    monkeypatch.setattr(spool, "SMALL_RESERVE_BYTES", TEXT_RESERVE_BYTES)
    with open_world(small_disk) as opened:
        yield opened


@contextmanager
def filled(world: World, *, leave_bytes: int) -> Iterator[None]:
    ballast = fill(world.folder, leave_bytes=leave_bytes)
    try:
        yield
    finally:
        ballast.unlink()


def at_the_text(world: World, entropy: bytes = builders.ENTROPY) -> Person:
    person = Person(url=world.url, entropy=entropy)
    person.begin()
    return person


def record_and_date(page: str) -> tuple[bytes, int]:
    proof, record = (base64.b64decode(unescape(each)) for each in SAVED.findall(page)[:2])
    receipt = verify_receipt(record, proof, builders.POLICY, builders.LEDGER.name)
    return record, receipt.logged_by


def commits(world: World) -> bool:
    leaf = dice.random_bytes(32)
    proof = ask(world, "POST", "/commit", leaf).content
    return verify_proof(proof, leaf, builders.POLICY, builders.LEDGER.name).logged_by > 0


def kept(world: World) -> list[str]:
    """What lies where envelopes and spools are, but for the small index of a spool."""
    files = [path for path in world.folder.rglob("*") if path.is_file()]
    return sorted(
        str(path.relative_to(world.folder))
        for path in files
        if path.parts[-2] in {"staged", "kept"} or path.stat().st_size > len(SCAN) // 2
        if "sqlite" not in path.name and "ballast" not in path.name
    )


def test_a_form_is_dated_and_says_that_it_is_not_delivered_until_it_is(world: World) -> None:
    assert ask(world, "GET", "/health").text == "ok"
    with filled(world, leave_bytes=RESERVE_BYTES - 100_000):
        assert ask(world, "GET", "/health").text == "no room"
        person = at_the_text(world)
        person.press("/tell/text", text=TEXT)
        page = person.finish()
        assert DATED_ONLY in page
        assert RECEIVED not in page
        assert "there is no room for your message now" in page
        record, logged_by = record_and_date(page)
        digest = record_hash(record)
        assert world.intake.store.delivered(digest) is None
        assert kept(world) == []
        assert commits(world)
        for _ in range(3):  # people try again
            again = at_the_text(world)
            again.press("/tell/text", text=TEXT)
            assert DATED_ONLY in again.finish()
            assert record_and_date(again.page) == (record, logged_by)
    later = at_the_text(world)
    later.press("/tell/text", text=TEXT)
    page = later.finish()
    assert RECEIVED in page
    assert record_and_date(page) == (record, logged_by)
    assert world.intake.store.delivered(digest) is not None
    assert world.ledger.added.count(digest) >= 1
    assert ask(world, "GET", "/health").text == "ok"


@pytest.mark.parametrize("begun_in_the_last_hour", [True, False])
def test_what_was_dated_before_the_date_is_delivered_after_it_under_that_date(
    begun_in_the_last_hour: bool, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the last hour text and file go apart; whoever comes back does as was done then."""
    date = builders.NOON + 8_000  # the desk's key is closed by the law's own date
    monkeypatch.setattr(tell, "deciding_dates", lambda _: [SimpleNamespace(limit_at=date)])
    last_hour = date - 600
    began, again = (
        (last_hour, date + 60) if begun_in_the_last_hour else (date - 7_200, last_hour)
    )
    world.now = world.ledger.at = began
    person = with_file(world)
    with filled(world, leave_bytes=RESERVE_BYTES - 100_000):
        dated = saved(person.finish())
        assert DATED_ONLY in person.page
    assert len(dated) == (2 if begun_in_the_last_hour else 1)
    world.now = again
    later = with_file(world)
    assert saved(later.finish()) == dated
    assert RECEIVED in later.page
    assert all(world.intake.store.delivered(record_hash(each)) for each in dated)


def with_file(world: World) -> Person:
    person = at_the_text(world)
    person.press("/tell/text", text=TEXT)
    person.attach("scan.bin", SCAN[:100_000])
    return person


def saved(page: str) -> list[bytes]:
    """The records on a receipt's page."""
    return [base64.b64decode(unescape(each)) for each in SAVED.findall(page)[1::2]]


def test_a_file_that_finds_no_room_is_refused_with_a_page_and_leaves_nothing(
    world: World,
) -> None:
    person = at_the_text(world)
    person.press("/tell/text", text=TEXT)
    with filled(world, leave_bytes=RESERVE_BYTES + len(SCAN) // 2):
        before = kept(world)
        status, page = upload(person)
        assert status == 503
        assert "There is no room for these files now." in page
        assert "You can go on without them" in page
        assert kept(world) == before
    status, page = upload(person)
    assert status == 200
    assert RECEIVED in person.finish()


def upload(person: Person) -> tuple[int, str]:
    parts = [("ticket", (None, person.ticket.encode())), ("file", ("scan.bin", SCAN))]
    return person.look("POST", "/tell/files", files=parts)


def test_a_disk_without_room_for_a_text_gives_it_back_and_still_dates_for_clients(
    world: World,
) -> None:
    person = at_the_text(world)
    with filled(world, leave_bytes=TEXT_RESERVE_BYTES - 100_000):
        status, page = text(person)
        assert status == 503
        assert TEXT in unescape(page)
        assert "Nothing of yours is lost." in page
        assert commits(world)
    status, page = text(person)
    assert status == 200
    assert RECEIVED in person.finish()


def text(person: Person) -> tuple[int, str]:
    return person.look("POST", "/tell/text", data={"ticket": person.ticket, "text": TEXT})


def test_on_a_disk_that_is_full_to_the_last_byte_every_answer_is_a_page(world: World) -> None:
    ready = at_the_text(world)
    ready.press("/tell/text", text=TEXT)
    with filled(world, leave_bytes=0):
        assert commits(world)
        fresh = Person(url=world.url, entropy=dice.random_bytes(16))
        assert fresh.look("GET", "/tell")[0] == 200
        fresh.ask("GET", "/tell")
        for status, page in (
            fresh.look("POST", "/tell/words", data={"ticket": fresh.ticket, "words": "x"}),
            text(ready),
            upload(ready),
            ready.look("POST", "/tell/send", data={"ticket": ready.ticket, "sure": "1"}),
        ):
            assert status in {200, 422, 503}
            assert "<h1" in page
            assert RECEIVED not in page
    ready.press("/tell/text", text=TEXT)
    assert RECEIVED in ready.finish()
    assert len(world.intake.store.deliveries_after(0, 10)) == 1
