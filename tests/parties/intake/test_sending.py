"""The end of the form: the look, the receipt, and the way out."""

import base64
from collections.abc import Iterator
from dataclasses import replace
from html import unescape
from pathlib import Path

import httpx
import pytest
from tests.parties.intake.door_world import NOW, TEXT, World, open_world
from tests.parties.intake.page_rules import check_page
from tests.parties.intake.walking import Visitor, heading, seen, tell_by_form
from tests.protocol import builders

from safeconduct.parties.intake import sending
from safeconduct.parties.intake.tell import Told
from safeconduct.parties.intake.ticket import Ticket
from safeconduct.plumbing import logs
from safeconduct.plumbing.pages import style, utc
from safeconduct.protocol.receipt import verify_receipt


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with open_world(tmp_path) as opened:
        yield opened


@pytest.fixture
def visitor(world: World) -> Visitor:
    return Visitor(world)


def saved(page: str, name: str) -> bytes:
    address = next(
        str(each["href"]) for each in seen(page).all("a") if each.get("download") == name
    )
    return base64.b64decode(address.removeprefix("data:application/octet-stream;base64,"))


def test_a_sent_text_is_dated_and_its_receipt_can_be_saved_without_script(
    world: World,
) -> None:
    answer = tell_by_form(world, TEXT)
    assert answer.status_code == 200
    assert heading(answer) == "Received and dated"
    record = saved(answer.text, "receipt.record")
    proof = saved(answer.text, "receipt.tlog-proof")
    receipt = verify_receipt(record, proof, builders.POLICY, builders.LEDGER.name)
    assert receipt.logged_by == NOW
    assert receipt.record.word("sealed-by") == "server"
    assert record.decode() in unescape(answer.text)
    kept = world.intake.store.delivered(receipt.record_hash)
    assert kept is not None
    assert TEXT.encode() not in b"".join(world.intake.store.payloads.pieces(kept.hash))


def test_pressing_twice_sends_once_and_shows_the_same_receipt(visitor: Visitor) -> None:
    visitor.come_back()
    visitor.press("/tell/text", text=TEXT)
    visitor.press("/tell/send")
    pressed = visitor.ticket
    first = visitor.press("/tell/send", ticket=pressed, sure="1")
    again = visitor.press("/tell/send", ticket=pressed, sure="1")
    look = visitor.press("/tell/send", ticket=pressed)
    stopped = visitor.press("/tell/stop", ticket=pressed)
    assert first.text == again.text == look.text == stopped.text
    assert len(visitor.world.intake.store.deliveries_after(0, 10)) == 1


def test_back_to_an_earlier_page_after_sending_writes_another_message(
    visitor: Visitor,
) -> None:
    visitor.come_back()
    before = visitor.ticket
    for text in (TEXT, "Another one."):
        visitor.press("/tell/text", ticket=before, text=text)
        assert heading(visitor.press("/tell/send", sure="1")) == "Received and dated"
    assert len(visitor.world.intake.store.deliveries_after(0, 10)) == 2


def test_when_the_log_is_away_all_is_still_there_and_trying_again_works(
    visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    visitor.world.ledger.away = True
    visitor.come_back()
    visitor.press("/tell/text", text=TEXT)
    with monkeypatch.context() as patched:
        patched.setattr(logs, "PATIENCE_SECONDS", 0.1)
        answer = visitor.press("/tell/send", sure="1")
    assert answer.status_code == 503
    assert heading(answer) == "Look once more, then send"
    assert "Trying again is safe" in answer.text
    check_page(answer)
    visitor.world.ledger.away = False
    assert heading(visitor.press("/tell/send", sure="1")) == "Received and dated"


def test_without_an_open_desk_key_nothing_is_sent_and_the_page_stays(visitor: Visitor) -> None:
    visitor.come_back()
    visitor.press("/tell/text", text=TEXT)
    visitor.world.now = NOW + 30 * builders.DAY
    answer = visitor.press("/tell/send", sure="1")
    assert answer.status_code == 403
    assert "no desk key is open now" in answer.text
    check_page(answer)


def shown_for(world: World, told: Told, *, kept: bool = True) -> httpx.Response:
    """The receipt page for `told` as a browser gets it."""
    known = Ticket(opened_at=NOW, entropy=builders.ENTROPY, kept=kept)
    made = sending.told_page(world.intake, "en", known, told)
    return httpx.Response(200, content=bytes(made.body), headers=dict(made.headers))


def told_of(answer: httpx.Response) -> Told:
    record = saved(answer.text, "receipt.record")
    proof = saved(answer.text, "receipt.tlog-proof")
    receipt = verify_receipt(record, proof, builders.POLICY, builders.LEDGER.name)
    return Told(record=record, proof=proof, receipt=receipt)


def test_a_dated_message_that_found_no_room_says_until_when_to_send_it_again(
    world: World,
) -> None:
    told = replace(told_of(tell_by_form(world, TEXT)), delivered=False)
    answer = shown_for(world, told)
    window = builders.gazette_state().programme.number("delivery-window")
    assert heading(answer) == "Dated, but not received yet"
    assert f"Come back before {utc(NOW + window)}" in answer.text
    assert "Received and dated" not in answer.text


@pytest.mark.parametrize("proof_bytes", [4_400, 4_600, 8_800])
def test_a_long_receipt_is_still_a_small_page(proof_bytes: int, world: World) -> None:
    told = told_of(tell_by_form(world, TEXT))
    answer = shown_for(world, replace(told, proof=b"x" * proof_bytes))
    fits = len(told.record) + proof_bytes <= sending.RECEIPT_CHARS_MAX
    assert ("Show the receipt as text" in answer.text) == fits
    assert saved(answer.text, "receipt.tlog-proof") == b"x" * proof_bytes
    assert len(answer.content) + len(style()) <= 28_000  # other scripts need more room


def test_several_parts_each_have_a_receipt_of_their_own(world: World) -> None:
    one = told_of(tell_by_form(world, TEXT))
    answer = shown_for(world, replace(one, parts=(one, one)))
    names = {each.get("download") for each in seen(answer.text).all("a")} - {None}
    assert names == {
        "receipt-1.record",
        "receipt-1.tlog-proof",
        "receipt-2.record",
        "receipt-2.tlog-proof",
    }
    assert "dated first and by itself" in answer.text


def test_stopping_forgets_all_that_was_handed_in(visitor: Visitor) -> None:
    visitor.come_back()
    visitor.press("/tell/text", text=TEXT)
    held = visitor.ticket
    known = visitor.world.intake.tickets.open(held)
    answer = visitor.press("/tell/stop")
    assert "was not sent" in answer.text
    assert not visitor.world.intake.spools.is_there(known.spool)
    assert visitor.press("/tell/stop", ticket=held).text == answer.text
    assert visitor.press("/tell/stop", ticket="nonsense").text == answer.text
