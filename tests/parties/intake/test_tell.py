"""What a visitor handed in becomes a tip: dated once, kept whole, the same when repeated."""

import asyncio
import hashlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.parties.intake.door_world import NOW, TEXT, World, open_world
from tests.protocol import builders

from safeconduct.errors import MalformedError, RefusedError, UnavailableError
from safeconduct.parties.intake import tell as telling
from safeconduct.parties.intake.spool import ANSWERS, ANSWERS_NAME, MESSAGE
from safeconduct.parties.intake.tell import Told, send_tip
from safeconduct.parties.intake.ticket import Ticket
from safeconduct.protocol.capsule import find_capsules
from safeconduct.protocol.envelope import MESSAGE_NAME, open_envelope
from safeconduct.protocol.keys import contribution_keys, master_key
from safeconduct.protocol.record import parse_record, record_hash
from safeconduct.protocol.tip import Manifest, TipFile

PICTURE = bytes(range(256)) * 9_000


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with open_world(tmp_path) as made:
        yield made


def ticket_of(world: World, *, kept: bool = True, entropy: bytes = builders.ENTROPY) -> Ticket:
    spool, key = world.intake.spools.begin(world.intake.random_bytes)
    return Ticket(opened_at=NOW, entropy=entropy, kept=kept, spool=spool, spool_key=key)


def hand_in(world: World, ticket: Ticket, text: str = TEXT, **files: bytes) -> None:
    spool, key = ticket.spool, ticket.spool_key
    if text:
        world.intake.spools.put(spool, key, MESSAGE, MESSAGE_NAME, text.encode())
    for name, data in files.items():
        writer = world.intake.spools.writer(spool, key, name)
        writer.write(data)
        writer.end()


def sent(world: World, ticket: Ticket) -> Told:
    return asyncio.run(send_tip(world.intake, ticket, flow="a"))


def opened(world: World, told: Told) -> tuple[Manifest, dict[str, bytes]]:
    """What the desk reads in it."""
    files: dict[str, bytes] = {}

    def sink(file: TipFile, piece: bytes) -> None:
        files[file.name] = files.get(file.name, b"") + piece

    digest = record_hash(told.record)
    delivered = world.intake.store.delivered(digest)
    assert delivered is not None
    manifest = open_envelope(
        parse_record(told.record),
        delivered.header,
        lambda: world.intake.store.payloads.pieces(digest),
        [builders.HYBRID_DESK],
        sink,
    )
    return manifest, files


def test_text_answers_and_files_reach_the_desk_as_one_tip(world: World) -> None:
    ticket = ticket_of(world)
    hand_in(world, ticket, picture=PICTURE)
    spools = world.intake.spools
    spools.put(ticket.spool, ticket.spool_key, ANSWERS, ANSWERS_NAME, b"{}")
    told = sent(world, ticket)
    _, files = opened(world, told)
    assert files == {MESSAGE_NAME: TEXT.encode(), ANSWERS_NAME: b"{}", "picture": PICTURE}
    assert told.delivered
    assert told.parts == ()
    assert told.receipt.logged_by == NOW


def test_one_publication_dates_the_tip_and_the_doors_word(world: World) -> None:
    ticket = ticket_of(world)
    hand_in(world, ticket)
    told = sent(world, ticket)
    delivered = world.intake.store.delivered(record_hash(told.record))
    assert delivered is not None
    assert set(world.ledger.added) == {
        record_hash(told.record),
        record_hash(delivered.delivery),
    }
    assert delivered.delivery_proof
    assert world.intake.store.deliveries_after(0, 10) == [delivered]


def test_pressing_twice_gives_the_same_receipt_and_one_tip(world: World) -> None:
    ticket = ticket_of(world)
    hand_in(world, ticket)
    assert sent(world, ticket) == sent(world, ticket)
    assert len(world.ledger.added) == 2


def test_pressing_twice_at_once_gives_the_same_receipt_and_one_tip(world: World) -> None:
    ticket = ticket_of(world)
    hand_in(world, ticket)

    async def both() -> list[Told]:
        return await asyncio.gather(*(send_tip(world.intake, ticket) for _ in range(2)))

    first, second = asyncio.run(both())
    assert first == second
    assert len(world.intake.store.deliveries_after(0, 10)) == 1


def test_after_sending_the_spool_holds_nothing_to_send(world: World) -> None:
    ticket = ticket_of(world)
    hand_in(world, ticket, picture=PICTURE)
    sent(world, ticket)
    assert world.intake.spools.named(ticket.spool, ticket.spool_key) == []
    [folder] = world.intake.spools.folder.iterdir()
    assert sum(file.stat().st_size for file in folder.iterdir()) < len(PICTURE)


def test_what_is_added_after_sending_is_another_tip_under_the_next_number(world: World) -> None:
    ticket = ticket_of(world)
    hand_in(world, ticket)
    first = sent(world, ticket)
    hand_in(world, ticket, "And one thing more.")
    second = sent(world, ticket)
    assert first.record != second.record
    assert numbers(world) == [0, 1]


def numbers(world: World) -> list[int]:
    master = master_key(builders.ENTROPY, world.intake.programme.hash)
    found, _ = find_capsules(
        world.intake.store.versions, lambda number: contribution_keys(master, number)
    )
    return [each.keys.number for each in found]


def test_the_same_words_and_content_from_another_page_are_the_same_tip(world: World) -> None:
    first, second = ticket_of(world), ticket_of(world)
    hand_in(world, first, picture=PICTURE)
    hand_in(world, second, picture=PICTURE)
    assert sent(world, first) == sent(world, second)
    assert numbers(world) == [0]


def test_a_log_that_is_away_loses_nothing_and_sending_again_goes_on(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticket = ticket_of(world)
    hand_in(world, ticket, picture=PICTURE)
    world.ledger.away = True
    with monkeypatch.context() as patched:
        patched.setattr("safeconduct.plumbing.logs.PATIENCE_SECONDS", 0.3)
        with pytest.raises(UnavailableError):
            sent(world, ticket)
    assert world.intake.store.deliveries_after(0, 10) == []
    assert list((world.folder / "tips" / "staged").iterdir()) == []
    world.ledger.away = False
    told = sent(world, ticket)
    assert opened(world, told)[1]["picture"] == PICTURE
    assert numbers(world) == [0]


def test_a_crash_after_the_log_has_it_is_completed_by_words_and_content(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticket = ticket_of(world)
    hand_in(world, ticket)

    def crash(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr(telling, "_enter", crash)
        with pytest.raises(KeyboardInterrupt):
            sent(world, ticket)
    logged = list(world.ledger.added)
    again = ticket_of(world)
    hand_in(world, again)
    told = sent(world, again)
    assert record_hash(told.record) in logged
    assert numbers(world) == [0]


def test_words_that_nobody_keeps_leave_no_capsule(world: World) -> None:
    ticket = ticket_of(world, kept=False)
    hand_in(world, ticket)
    told = sent(world, ticket)
    assert b"".join(world.intake.store.shelf()) == b""
    assert opened(world, told)[1] == {MESSAGE_NAME: TEXT.encode()}


def test_what_somebody_sends_who_keeps_nothing_cannot_be_linked(world: World) -> None:
    ticket = ticket_of(world, kept=False)
    seen = []
    for text in ("One thing.", "Another."):
        hand_in(world, ticket, text)
        record = parse_record(sent(world, ticket).record)
        seen += [record.hash(name) for name in ("identity", "author", "keycommit", "content")]
    assert len(set(seen)) == len(seen)


def test_a_full_disk_dates_the_tip_and_says_that_it_is_not_delivered(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticket = ticket_of(world)
    hand_in(world, ticket)

    def full(*_: object) -> None:
        raise UnavailableError("the disk is nearly full")

    with monkeypatch.context() as small:
        small.setattr(world.intake.store.payloads, "check_room", full)
        told = sent(world, ticket)
    assert not told.delivered
    assert world.ledger.added == [record_hash(told.record)]
    assert world.intake.store.delivered(record_hash(told.record)) is None
    later = sent(world, ticket)
    assert later.delivered
    assert later.record == told.record


@pytest.mark.parametrize(
    ("seconds", "is_last"), [(-3_601, False), (-3_600, True), (-1, True), (0, False)]
)
def test_the_last_hour_ends_with_the_date(world: World, seconds: int, is_last: bool) -> None:
    world.now = builders.THE_DATE + seconds
    assert telling.is_last_hour(world.intake) is is_last


def test_in_the_last_hour_the_text_is_dated_before_files_are_sealed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(telling, "is_last_hour", lambda _: True)
    ticket = ticket_of(world)
    hand_in(world, ticket, picture=PICTURE)
    told = sent(world, ticket)
    text, files = told.parts
    assert text.record == told.record
    assert opened(world, text)[1] == {MESSAGE_NAME: TEXT.encode()}
    assert opened(world, files)[1] == {"picture": PICTURE}
    assert world.ledger.added[0] in {record_hash(text.record), leaf_of(world, text)}
    assert sent(world, ticket) == told


def leaf_of(world: World, told: Told) -> bytes:
    delivered = world.intake.store.delivered(record_hash(told.record))
    assert delivered is not None
    return record_hash(delivered.delivery)


def test_nothing_handed_in_is_nothing_to_send(world: World) -> None:
    with pytest.raises(MalformedError, match="nothing was written"):
        sent(world, ticket_of(world))
    with pytest.raises(MalformedError, match="nothing was written"):
        sent(world, replace(ticket_of(world), spool=b"", spool_key=b""))


def test_words_that_were_not_confirmed_send_nothing(world: World) -> None:
    ticket = replace(ticket_of(world), asked=(1, 5, 9))
    hand_in(world, ticket)
    with pytest.raises(RefusedError, match="not confirmed"):
        sent(world, ticket)


def test_two_pages_of_the_same_words_take_two_numbers(world: World) -> None:
    tickets = [ticket_of(world) for _ in range(3)]
    for number, ticket in enumerate(tickets):
        hand_in(world, ticket, f"Message {number}.")

    async def all_at_once() -> list[Told]:
        return await asyncio.gather(*(send_tip(world.intake, each) for each in tickets))

    told = asyncio.run(all_at_once())
    assert len({each.record for each in told}) == 3
    assert numbers(world) == [0, 1, 2]


def test_the_payload_on_disk_is_what_the_record_commits_to(world: World) -> None:
    ticket = ticket_of(world)
    hand_in(world, ticket, picture=PICTURE)
    told = sent(world, ticket)
    path = world.folder / "tips" / "kept" / record_hash(told.record).hex()
    digest = hashlib.sha256(path.read_bytes()).digest()
    assert digest == parse_record(told.record).hash("payload")
    assert path.stat().st_mtime % 86_400 == 0
