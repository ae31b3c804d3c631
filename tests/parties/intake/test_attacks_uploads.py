"""Files, parcels and withdrawals that mean harm: what they reach, and who waits for them."""

import asyncio
import hashlib
import io
import logging
import os
import threading
import time
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from tests.parties.intake.door_world import TEXT, World, ask, open_world
from tests.parties.intake.test_attacks_browsers import at, every
from tests.parties.intake.test_handing import envelope, head, parcel, post
from tests.parties.intake.test_withdrawals_at_the_door import DIGEST, delivered, signed
from tests.parties.intake.walking import Visitor, tell_by_form
from tests.plumbing.test_metadata import docx, png
from tests.protocol import builders
from tests.protocol.builders import author_seeds, source_keys

from safeconduct.errors import MalformedError, RefusedError, UnavailableError
from safeconduct.parties.intake import tell
from safeconduct.parties.intake.accept import Intake
from safeconduct.parties.intake.sealing import Named, Sealed
from safeconduct.parties.intake.spool import MESSAGE
from safeconduct.parties.intake.store import Delivered
from safeconduct.parties.intake.tell import send_tip
from safeconduct.parties.intake.ticket import Ticket
from safeconduct.plumbing import metadata
from safeconduct.plumbing.forms import parse_form
from safeconduct.protocol.capsule import CAPSULE_BYTES, SHELF_ENTRY_BYTES
from safeconduct.protocol.dual import sign_dual
from safeconduct.protocol.envelope import Envelope, seal_envelope
from safeconduct.protocol.gazette import address_at
from safeconduct.protocol.parcel import ParcelHead, format_head
from safeconduct.protocol.record import make_record, record_hash

__all__ = ["envelope", "head", "parcel"]

MARK = b"<h1>marked-by-the-attacker</h1>"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with open_world(tmp_path) as made:
        yield made


# Polyglots: many kinds of file at once, and a content type that lies.


def zipped() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as packed:
        packed.writestr("../../server.key", MARK)
    return file.getvalue()


POLYGLOTS = {
    "a page": (b"<!doctype html><script>alert(1)</script>" + MARK, "index.html", "text/html"),
    "a page in a pdf in a zip": (b"%PDF-1.7\n" + MARK + zipped(), "a.pdf", "text/html"),
    "a picture with a page": (b"GIF89a/*" + MARK + b"*/=1;alert(1)", "a.gif", "image/svg+xml"),
    "a drawing with a script": (
        b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)">' + MARK + b"</svg>",
        "a.svg",
        "image/svg+xml",
    ),
    "a name with a way up": (MARK, "../../../server.key", "application/x-sh"),
    "a name that is a header": (MARK, "a.txt%0d%0aset-cookie: a=b", "text/plain"),
    "a type that is none": (MARK, "a.bin", "multipart/form-data; boundary=x"),
}


@pytest.mark.parametrize(("data", "name", "kind"), POLYGLOTS.values(), ids=POLYGLOTS)
def test_nothing_that_was_uploaded_is_served_to_anybody(
    data: bytes, name: str, kind: str, world: World
) -> None:
    visitor = Visitor(world)
    visitor.come_back()
    answers = [
        httpx.post(
            f"{world.url}/en/tell/files",
            data={"ticket": visitor.ticket},
            files={"file": (name, data, kind)},
            timeout=60,
            trust_env=False,
        )
    ]
    assert answers[0].status_code == 200
    sent = visitor.press("/tell/send", sure="1")
    assert sent.status_code == 200
    answers += [sent, *(ask(world, "GET", at(route.path)) for route in every(world, "GET"))]
    for answer in answers:
        assert b"marked-by-the-attacker" not in answer.content, answer.url
        assert "set-cookie" not in answer.headers, answer.url
    outside = [path for path in world.folder.rglob("*") if path.name == "server.key"]
    assert outside == []


LIES = {
    "a form as JSON": ("application/json", b"ticket=x", 415),
    "no type": ("", b"ticket=x", 415),
    "a boundary that never comes": ("multipart/form-data; boundary=x", b"ticket=x", 400),
    "no boundary": ("multipart/form-data", b"--x--", 415),
    "not UTF-8": ("application/x-www-form-urlencoded", b"ticket=%ff", 400),
    "not ASCII": ("application/x-www-form-urlencoded", "ticket=é".encode(), 400),
    "a thousand fields": ("application/x-www-form-urlencoded", b"a=1&" * 1_000, 400),
    "far too long": ("application/x-www-form-urlencoded", b"a=" + b"1" * 20_000, 413),
}


@pytest.mark.parametrize(("kind", "body", "status"), LIES.values(), ids=LIES)
def test_a_body_that_is_not_what_it_says_is_refused(
    kind: str, body: bytes, status: int, world: World
) -> None:
    headers = {"content-type": kind} if kind else {}
    for path in ("/en/tell/check", "/en/mail/message", "/en/tell/send"):
        answer = ask(world, "POST", path, body, headers)
        assert answer.status_code == status, path
        assert body[:100].decode("latin-1") not in answer.text or len(body) < 9


def test_a_malformed_body_makes_no_line_in_any_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Such lines would tell when a visitor came, and fill the disk."""
    kind = "multipart/form-data; boundary=b"
    bodies = (
        b"--c\r\n",
        b"--b\r\n:\0\r\n\r\n",
        b"--b\r\na: b\r\n\r\nx\r\n--b--\r\nrest",
        b"-x",
    )
    with caplog.at_level(logging.DEBUG):
        for body in bodies:
            with pytest.raises(MalformedError):
                parse_form(kind, body)
    assert [record for record in caplog.records if "multipart" in record.name] == []


# Parcels.


def test_a_copied_parcel_that_is_handed_in_first_gains_nothing(
    world: World, parcel: bytes, head: ParcelHead
) -> None:
    """The thief of a copy gets what is public anyway, and its owner the very same receipt."""
    stolen, own = post(world, parcel), post(world, parcel)
    assert stolen.status_code == own.status_code == 200
    assert b"The minister" not in stolen.content
    assert len(world.intake.store.deliveries_after(0, 10)) == 1
    assert world.intake.store.versions(head.slot) == [head.capsule]


def test_who_hands_in_a_copy_with_a_header_nobody_can_open_is_found_out(
    world: World, parcel: bytes, head: ParcelHead, envelope: Envelope
) -> None:
    """Else its owner would be told that it is received, and nobody could ever read it."""
    keys, address = source_keys(), address_at(world.gazette().state, builders.NOON)
    sources = builders.sources({"message.txt": b"something else"})
    other = seal_envelope(sources, address, keys, os.urandom).header
    assert other != head.header
    payload = b"".join(envelope.payload())
    assert post(world, format_head(replace(head, header=other)) + payload).status_code == 200
    own = post(world, parcel)
    assert own.status_code == 403
    assert "cannot be taken" in own.text
    assert "Received and dated" not in own.text


def test_a_head_and_a_payload_of_two_envelopes_are_no_parcel(
    world: World, parcel: bytes, head: ParcelHead
) -> None:
    other = builders.seal({"message.txt": b"Another letter.\n"}, number=1)
    payload = b"".join(other.payload())
    answer = post(world, format_head(head) + payload)
    assert answer.status_code in {400, 403}
    assert world.intake.store.deliveries_after(0, 10) == []
    assert list((world.folder / "tips" / "kept").iterdir()) == []


# Withdrawals.


def test_nobody_learns_from_withdrawals_which_entries_of_the_log_are_tips(
    world: World,
) -> None:
    """Hashes stand in the Ledger for all to see; that they are tips does not."""
    delivered(world)
    stranger = source_keys(7)
    ed25519, mldsa65 = stranger.author_public()
    told = []
    for digest in (DIGEST, hashlib.sha256(b"a dummy").digest()):
        made = make_record(
            "withdrawal",
            programme=builders.PROGRAMME,
            record=digest,
            ed25519=ed25519,
            mldsa65=mldsa65,
            blind=bytes(16),
        )
        answer = ask(world, "POST", "/withdraw", sign_dual(made, *author_seeds(stranger)))
        told.append((answer.status_code, answer.content, sorted(answer.headers)))
    assert told[0] == told[1]
    assert told[0][0] == 404
    assert ask(world, "POST", "/withdraw", signed()).status_code == 200


# Starving others.


def ticket_of(world: World, entropy: bytes, text: str) -> Ticket:
    spools = world.intake.spools
    spool, key = spools.begin(os.urandom)
    spools.put(spool, key, MESSAGE, "message.txt", text.encode())
    now = world.intake.tickets.seconds()
    return Ticket(opened_at=now, entropy=entropy, spool=spool, spool_key=key)


def test_sendings_under_one_set_of_words_keep_nobody_else_waiting(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They wait for each other; if they did so in everybody's turn, all would wait."""
    flooder, gate = os.urandom(16), threading.Event()
    sealed = tell._sealed

    def slow(intake: Intake, ticket: Ticket, items: Named) -> Sealed | Delivered:
        if ticket.entropy == flooder:
            gate.wait(120)
        return sealed(intake, ticket, items)

    monkeypatch.setattr(tell, "_sealed", slow)

    async def play() -> None:
        crowd = [
            asyncio.create_task(
                send_tip(world.intake, ticket_of(world, flooder, str(n)), flow=str(n))
            )
            for n in range(6)
        ]
        await asyncio.sleep(0.1)
        honest = ticket_of(world, os.urandom(16), TEXT)
        try:
            told = await asyncio.wait_for(send_tip(world.intake, honest, flow="honest"), 60)
        finally:
            gate.set()
        assert told.delivered
        assert len({told.record for told in await asyncio.gather(*crowd)}) == 6

    asyncio.run(play())


def test_files_that_take_long_to_look_into_do_not_hold_all_threads(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(metadata, "_SCRIPT", "import time; time.sleep(60)")
    monkeypatch.setattr(metadata, "SECONDS_MAX", 4.0)
    assert metadata.available()
    at_once: list[str] = []
    threads = [threading.Thread(target=_look, args=(at_once,)) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    looked_at = metadata.AT_ONCE + metadata.WAITING_MAX
    assert at_once == ["no room"] * (12 - looked_at) + [metadata.FAILED] * looked_at


def _look(told: list[str]) -> None:
    try:
        told.append(metadata.found("a.png", [png()]).why)
    except UnavailableError:
        told.append("no room")


def test_a_shelf_that_strangers_fill_leaves_room_for_the_form(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = "safeconduct.parties.intake.store.SHELF_BYTES_MAX"
    monkeypatch.setattr(name, 8 * SHELF_ENTRY_BYTES)
    puts = [ask(world, "PUT", f"/capsules/{n:032x}", bytes(CAPSULE_BYTES)) for n in range(8)]
    assert [put.status_code for put in puts] == [200] * 6 + [503] * 2
    assert "Received and dated" in tell_by_form(world, TEXT).text


# A tool that was taken over by the file it looks into.

TAKEN_OVER = {
    "a pipe for an answer": "os.unlink('/here/answer'); os.mkfifo('/here/answer')",
    "a link for an answer": "os.unlink('/here/answer'); os.symlink(KEY, '/here/answer')",
    "an endless answer": "os.unlink('/here/answer'); os.symlink('/dev/zero', '/here/answer')",
    "a pipe for a file": "os.mkfifo('/here/file.cleaned.png')",
    "a link for a file": "os.symlink(KEY, '/here/file.cleaned.png')",
    "a folder for a file": "os.mkdir('/here/file.cleaned.png')",
    "more than there is room for": "open('/scratch/x', 'wb').write(bytes(64 << 20))",
}


@pytest.mark.parametrize("deed", TAKEN_OVER.values(), ids=TAKEN_OVER)
def test_a_tool_that_obeys_the_file_reads_nothing_of_ours_and_holds_nobody(
    deed: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = tmp_path / "server.key"
    key.write_bytes(b'[["", "key", "PRIVATE"]]')
    monkeypatch.setattr(metadata, "_SCRIPT", f"import os\nKEY = {str(key)!r}\n{deed}")
    monkeypatch.setattr(metadata, "SCRATCH_BYTES_MAX", 16 << 20)
    began = time.monotonic()
    assert metadata.found("a.png", [png()]).why == metadata.FAILED
    with pytest.raises(RefusedError):
        list(metadata.cleaned("a.png", [png()]))
    assert time.monotonic() - began < metadata.SECONDS_MAX


def test_a_file_that_unpacks_to_very_much_is_not_looked_into(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(metadata, "SCRATCH_BYTES_MAX", 16 << 20)
    file = io.BytesIO(docx())
    with zipfile.ZipFile(file, "a", zipfile.ZIP_DEFLATED) as packed:
        for number in range(4):
            packed.writestr(f"word/media/image{number}.png", png() + bytes(8 << 20))
    assert metadata.found("a.docx", [docx()]).fields
    assert metadata.found("a.docx", [file.getvalue()]).why == metadata.FAILED


def test_without_a_wall_no_file_is_looked_into(monkeypatch: pytest.MonkeyPatch) -> None:
    metadata.available.cache_clear()
    monkeypatch.setattr(metadata, "_bubblewrap", lambda: False)
    try:
        assert metadata.found("a.png", [png()]).why == metadata.ABSENT
    finally:
        metadata.available.cache_clear()


def test_the_hash_of_a_record_opens_no_delivery(world: World, head: ParcelHead) -> None:
    """Uploads have names of their own: what stands in the Ledger leads to none."""
    delivered(world)
    for digest in (DIGEST.hex(), record_hash(head.record).hex(), "0" * 64):
        answer = ask(world, "GET", f"/deliver/{digest}")
        assert answer.status_code == 403
        assert ask(world, "PATCH", f"/deliver/{digest}?offset=0", b"x").status_code == 403
        assert ask(world, "POST", f"/deliver/{digest}/finish").status_code == 403
