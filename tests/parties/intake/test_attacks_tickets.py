"""Tickets and spools in the wrong hands: forged, changed, old, swapped, counted through."""

import base64
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.parties.intake.door_world import TEXT, World, open_world, post_form
from tests.parties.intake.walking import Visitor, heading

from safeconduct.errors import RefusedError, SafeconductError, UnverifiedError
from safeconduct.parties.intake.spool import MESSAGE, PIECE_BYTES, Spools
from safeconduct.parties.intake.ticket import TICKET_CHARS_MAX, TICKET_SECONDS, Ticket, Tickets

SECRET = b"what nobody but its visitor may read " * 50
NAME = "plan of the minister.pdf"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with open_world(tmp_path) as made:
        yield made


@pytest.fixture
def spools(tmp_path: Path) -> Spools:
    return Spools(tmp_path / "spools")


# Tickets.


def flipped(text: str) -> str:
    data = bytearray(base64.b64decode(text))
    data[len(data) // 2] ^= 1
    return base64.b64encode(bytes(data)).decode()


FORGED: dict[str, Callable[[str], str]] = {
    "nothing": lambda _: "",
    "one changed bit": flipped,
    "cut short": lambda ticket: ticket[: len(ticket) // 2],
    "something added": lambda ticket: ticket + "AAAA",
    "twice": lambda ticket: ticket + ticket,
    "of another process": lambda _: Tickets().seal(Ticket(opened_at=0, entropy=bytes(16))),
    "far too long": lambda _: "A" * (TICKET_CHARS_MAX + 4),
    "another alphabet": lambda ticket: ticket.replace("+", "-").replace("/", "_") + "\u0661",
    "plain": lambda _: base64.b64encode(b'{"words":"00"}').decode(),
}
STEPS = (
    *("/tell/check", "/tell/confirm", "/tell/words", "/tell/nothing", "/tell/answers"),
    *("/tell/again", "/tell/send", "/mail/message", "/mail/receipt", "/mail/more"),
    *("/mail/withdraw", "/mail/withdrawn", "/mail/claim", "/mail/claim/made"),
)


@pytest.mark.parametrize("forge", FORGED.values(), ids=FORGED)
def test_a_forged_ticket_opens_no_step_and_leaves_nothing(
    forge: Callable[[str], str], world: World
) -> None:
    visitor = Visitor(world)
    visitor.come_back()
    ticket = forge(visitor.ticket)
    before, places = world.held(), len(list((world.folder / "spool").iterdir()))
    for path in STEPS:
        answer = post_form(world, f"/en{path}", {"ticket": ticket, "number": "0", "sure": "1"})
        assert answer.status_code == 403, path
        assert "textarea" not in answer.text or path.startswith("/mail"), path
    upload = post_form(world, "/en/tell/files", {"ticket": ticket}, {"a.txt": SECRET})
    assert upload.status_code == 403
    assert world.held() == before
    assert len(list((world.folder / "spool").iterdir())) == places


def test_an_old_ticket_is_void_and_one_from_the_future_too(world: World) -> None:
    visitor = Visitor(world)
    visitor.come_back()
    opened = world.intake.tickets.open(visitor.ticket)
    now = world.intake.tickets.seconds()
    for age in (TICKET_SECONDS + 1, -1):
        ticket = world.intake.tickets.seal(replace(opened, opened_at=now - age))
        with pytest.raises(RefusedError):
            world.intake.tickets.open(ticket)


def test_an_unconfirmed_ticket_gets_nothing_sent(world: World) -> None:
    """Whoever presses on past the question for three words is back at the words."""
    visitor = Visitor(world)
    visitor.open()
    for path in ("/tell/text", "/tell/send", "/tell/answers"):
        answer = visitor.press(path, text=TEXT, sure="1")
        assert answer.status_code == 200
        assert visitor.words(), path
    visitor.press("/tell/check")
    skipped = visitor.press("/tell/files", files={"a.txt": SECRET})
    assert skipped.status_code == 403
    assert world.ledger.added == []


@given(st.binary(max_size=200))
def test_no_bytes_but_our_own_are_a_ticket(data: bytes) -> None:
    with pytest.raises(RefusedError):
        Tickets().open(base64.b64encode(data).decode())


def test_two_visitors_never_meet(world: World) -> None:
    """What one hands in under the very same words, the other's ticket does not show."""
    one, other = Visitor(world), Visitor(world)
    one.come_back()
    other.come_back()
    one.press("/tell/text", text=TEXT)
    one.press("/tell/files", files={NAME: SECRET})
    assert NAME in one.answer.text
    other.press("/tell/again", to="files")
    assert NAME not in other.answer.text
    other.press("/tell/again", to="text")
    assert TEXT not in other.answer.text


def test_a_ticket_says_nothing_to_who_sees_it(world: World) -> None:
    visitor = Visitor(world)
    words = visitor.with_new_words()
    sealed = base64.b64decode(visitor.ticket)
    ticket = world.intake.tickets.open(visitor.ticket)
    two_words = " ".join(words[:2]).encode()  # one alone may be three letters, there by chance
    for secret in (ticket.entropy, ticket.spool, ticket.spool_key, two_words):
        assert secret not in sealed
        assert secret.hex().encode() not in sealed
    assert visitor.press("/tell/again", to="text").text.count(visitor.ticket) <= 6


def test_nothing_handed_out_can_be_counted_through(world: World) -> None:
    """IDs of spools, their files and tickets are of no order, and no page has a number."""
    tickets, spools = set(), set()
    for _ in range(8):
        visitor = Visitor(world)
        visitor.with_new_words()
        opened = world.intake.tickets.open(visitor.ticket)
        tickets.add(visitor.ticket[:32])
        spools.add(opened.spool)
    assert len(tickets) == len(spools) == 8
    folders = [path.name for path in (world.folder / "spool").iterdir()]
    assert all(re.fullmatch("[0-9a-f]{32}", name) for name in folders)
    apart = sorted(int(name, 16) for name in folders)
    gaps = [high - low for low, high in pairwise(apart)]
    assert min(gaps) > 1 << 64


# Spools on a disk in hostile hands.


def filled(
    spools: Spools, name: str = NAME, size: int = 3 * PIECE_BYTES
) -> tuple[bytes, bytes]:
    held = spools.begin(os.urandom)
    writer = spools.writer(*held, name)
    writer.write(os.urandom(size))
    writer.end()
    return held


def whole(spools: Spools, held: tuple[bytes, bytes]) -> bytes:
    [item] = spools.items(*held)
    return b"".join(spools.read(*held, item))


def file_of(spools: Spools, held: tuple[bytes, bytes]) -> Path:
    folder = spools.folder / held[0].hex()
    [file] = [path for path in folder.iterdir() if path.name != "index"]
    return file


def _swapped(data: bytes) -> bytes:
    size = (len(data) + 2) // 3
    return data[size : 2 * size] + data[:size] + data[2 * size :]


SPOILT: dict[str, Callable[[bytes], bytes]] = {
    "two pieces swapped": _swapped,
    "one piece twice": lambda data: data[: len(data) // 3 + 16] * 2 + data[-100:],
    "the first piece left out": lambda data: data[len(data) // 3 + 16 :],
    "the last piece left out": lambda data: data[: 2 * (len(data) // 3)],
    "one bit changed": lambda data: data[:-1] + bytes([data[-1] ^ 1]),
    "cut short": lambda data: data[:-1],
    "nothing": lambda _: b"",
}


@pytest.mark.parametrize("spoil", SPOILT.values(), ids=SPOILT)
def test_no_piece_on_the_disk_can_be_moved_or_changed(
    spoil: Callable[[bytes], bytes], spools: Spools
) -> None:
    held = filled(spools)
    file = file_of(spools, held)
    file.write_bytes(spoil(file.read_bytes()))
    with pytest.raises(UnverifiedError):
        whole(spools, held)


def test_one_visitor_s_file_in_another_s_place_is_noticed(spools: Spools) -> None:
    one, other = filled(spools), filled(spools)
    mine, theirs = file_of(spools, one), file_of(spools, other)
    mine.write_bytes(theirs.read_bytes())
    with pytest.raises(UnverifiedError):
        whole(spools, one)


def test_an_index_of_another_spool_opens_with_no_key_of_ours(spools: Spools) -> None:
    one, other = filled(spools), filled(spools)
    index = spools.folder / one[0].hex() / "index"
    index.write_bytes((spools.folder / other[0].hex() / "index").read_bytes())
    with pytest.raises(RefusedError):
        spools.items(*one)


def test_another_key_opens_nothing(spools: Spools) -> None:
    held = filled(spools)
    for key in (bytes(32), filled(spools)[1]):
        with pytest.raises(RefusedError):
            spools.items(held[0], key)


def test_the_disk_holds_neither_words_nor_names(world: World) -> None:
    visitor = Visitor(world)
    words = visitor.with_new_words()
    visitor.press("/tell/text", text=TEXT)
    visitor.press("/tell/files", files={NAME: SECRET})
    kept = [path for path in (world.folder / "spool").rglob("*") if path.is_file()]
    assert len(kept) >= 3
    held = b"".join(path.read_bytes() for path in kept)
    for plain in (TEXT, NAME, words[0] + " " + words[1]):
        assert plain.encode() not in held
    assert SECRET[:40] not in held
    assert {path.stat().st_mtime for path in kept} == {0}


def test_thousands_who_open_the_form_do_not_close_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("safeconduct.parties.intake.spool.SPOOLS_MAX", 5)
    honest = Visitor(world)
    honest.with_new_words()
    honest.press("/tell/text", text=TEXT)
    for _ in range(20):
        assert Visitor(world).come_back().status_code == 200
    assert heading(honest.press("/tell/send", sure="1")) != ""
    assert honest.answer.status_code == 200
    assert len(list((world.folder / "spool").iterdir())) <= 5


def test_a_visitor_whose_place_was_needed_is_told_and_loses_no_page(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("safeconduct.parties.intake.spool.SPOOLS_MAX", 1)
    late = Visitor(world)
    late.come_back()
    Visitor(world).come_back()
    kept = late.press("/tell/text", text=TEXT)
    assert kept.status_code == 200
    assert late.press("/tell/send", sure="1").status_code == 200


def test_what_is_put_in_a_spool_that_is_gone_is_refused(spools: Spools) -> None:
    held = spools.begin(os.urandom)
    spools.drop(held[0])
    with pytest.raises(SafeconductError):
        spools.put(*held, MESSAGE, "message.txt", SECRET)
    assert not (spools.folder / held[0].hex()).exists()
