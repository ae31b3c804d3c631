"""Files come in streamed and sealed, are looked into, and go where the visitor decides."""

import re
import socket
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from tests.parties.intake.door_world import NOW, World, open_world
from tests.protocol import builders

from safeconduct.parties.intake import looking
from safeconduct.parties.intake.spool import FILES_MAX
from safeconduct.parties.intake.ticket import Ticket
from safeconduct.plumbing import metadata, pages

PLAIN = b"The minister signed it on the second of May.\n"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with open_world(tmp_path) as made:
        yield made


@pytest.fixture
def ticket(world: World) -> Ticket:
    spool, key = world.intake.spools.begin(world.intake.random_bytes)
    return Ticket(
        opened_at=world.intake.tickets.seconds(),
        entropy=builders.ENTROPY,
        spool=spool,
        spool_key=key,
    )


def chunk(kind: bytes, data: bytes) -> bytes:
    sum_bytes = zlib.crc32(kind + data).to_bytes(4, "big")
    return len(data).to_bytes(4, "big") + kind + data + sum_bytes


def png(author: str = "Ada Example") -> bytes:
    """A picture of two by two points whose author has written a name into it."""
    head = b"\0\0\0\2\0\0\0\2\x08\2\0\0\0"
    points = zlib.compress((b"\0" + b"\1" * 6) * 2)
    texts = chunk(b"tEXt", b"Author\0" + author.encode()) if author else b""
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + texts
        + chunk(b"IDAT", points)
        + chunk(b"IEND", b"")
    )


def post(
    world: World,
    ticket: Ticket,
    files: list[tuple[str, bytes]] | None = None,
    choices: dict[str, str] | None = None,
    *,
    go: bool = False,
) -> httpx.Response:
    parts = [("file", pair) for pair in (files or [("", b"")])]
    return httpx.post(
        f"{world.url}/en/tell/files",
        data={
            "ticket": world.intake.tickets.seal(ticket),
            **(choices or {}),
            **({"go": "1"} if go else {}),
        },
        files=parts,
        timeout=60,
        trust_env=False,
    )


def held(world: World, ticket: Ticket) -> dict[str, bytes]:
    spools, spool, key = world.intake.spools, ticket.spool, ticket.spool_key
    return {
        name: b"".join(spools.read(spool, key, item)) for name, item in spools.named(spool, key)
    }


def test_several_files_come_in_at_once_and_are_shown_with_their_sizes(
    world: World, ticket: Ticket
) -> None:
    answer = post(world, ticket, [("a.txt", PLAIN), ("b.bin", bytes(2 << 20))])
    assert answer.status_code == 200
    assert held(world, ticket) == {"a.txt": PLAIN, "b.bin": bytes(2 << 20)}
    assert "a.txt" in answer.text
    assert "Nothing hidden was found" in answer.text
    assert "This kind of file cannot be checked here" in answer.text
    assert len(answer.content) < 30_000


def test_what_is_hidden_in_a_picture_is_told_and_has_to_be_decided(
    world: World, ticket: Ticket
) -> None:
    answer = post(world, ticket, [("me.png", png())])
    assert "Name of a person or organisation" in answer.text
    assert "Ada Example" in answer.text
    again = post(world, ticket, go=True)
    assert again.status_code == 422
    assert "Decide what happens" in again.text


def test_hidden_data_is_removed_when_that_is_chosen(world: World, ticket: Ticket) -> None:
    post(world, ticket, [("me.png", png())])
    [item] = world.intake.spools.items(ticket.spool, ticket.spool_key)[:1]
    answer = post(world, ticket, None, {f"file-{item.place}": "clean"}, go=True)
    assert answer.status_code == 200
    assert "Look once more" in answer.text
    cleaned = held(world, ticket)["me.png"]
    assert cleaned.startswith(b"\x89PNG")
    assert b"Ada Example" not in cleaned


def test_a_file_can_be_kept_as_it_is_or_left_out(world: World, ticket: Ticket) -> None:
    post(world, ticket, [("me.png", png()), ("a.txt", PLAIN)])
    places = {
        item.name: item.place
        for item in world.intake.spools.items(ticket.spool, ticket.spool_key)
    }
    choices = {f"file-{places['me.png']}": "keep", f"file-{places['a.txt']}": "drop"}
    answer = post(world, ticket, None, choices, go=True)
    assert "Look once more" in answer.text
    assert held(world, ticket) == {"me.png": png()}


def test_what_cannot_be_cleaned_is_said_and_stays_to_be_decided(
    world: World, ticket: Ticket, monkeypatch: pytest.MonkeyPatch
) -> None:
    post(world, ticket, [("me.png", png())])
    monkeypatch.setattr(metadata, "PYTHON", "/nonexistent/python3")
    [item] = world.intake.spools.items(ticket.spool, ticket.spool_key)[:1]
    answer = post(world, ticket, None, {f"file-{item.place}": "clean"}, go=True)
    assert answer.status_code == 422
    assert held(world, ticket) == {"me.png": png()}


def test_without_a_tool_the_page_says_so(
    world: World, ticket: Ticket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(metadata, "available", lambda: False)
    answer = post(world, ticket, [("me.png", png())])
    assert "no tool to look for hidden data" in answer.text
    assert "This service has no tool to check files" in answer.text


def test_the_same_file_twice_is_one_file(world: World, ticket: Ticket) -> None:
    for _ in range(2):
        post(world, ticket, [("a.txt", PLAIN)])
    assert list(held(world, ticket)) == ["a.txt"]


def test_two_files_of_one_name_are_both_kept(world: World, ticket: Ticket) -> None:
    post(world, ticket, [("a.txt", PLAIN), ("a.txt", b"other")])
    assert held(world, ticket) == {"a.txt": PLAIN, "a (2).txt": b"other"}


@pytest.mark.parametrize(
    ("claimed", "name"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\ada\\plan.pdf", "plan.pdf"),
        ("..", "file"),
        ("a\u202eb.txt", "ab.txt"),
        ("x" * 400 + ".pdf", "x" * 251 + ".pdf"),
        ("message.txt", "message.txt"),
    ],
)
def test_a_name_is_never_a_path(world: World, ticket: Ticket, claimed: str, name: str) -> None:
    post(world, ticket, [(claimed, PLAIN)])
    assert held(world, ticket) == {name: PLAIN}


def test_nothing_chosen_is_said(world: World, ticket: Ticket) -> None:
    answer = post(world, ticket)
    assert answer.status_code == 422
    assert "No file was chosen" in answer.text


def test_more_files_than_there_may_be_leave_none_of_them(world: World, ticket: Ticket) -> None:
    post(world, ticket, [("first.txt", PLAIN)])
    many = [(f"{number}.txt", b"%d" % number) for number in range(FILES_MAX)]
    answer = post(world, ticket, many)
    assert answer.status_code == 413
    assert "too large or too many" in answer.text
    assert list(held(world, ticket)) == ["first.txt"]


@pytest.mark.parametrize("change", ["asked", "words", "spool"])
def test_a_ticket_that_is_not_that_far_takes_no_files(
    world: World, ticket: Ticket, change: str
) -> None:
    other = {
        "asked": replace(ticket, asked=(1, 2, 3)),
        "words": replace(ticket, entropy=b""),
        "spool": replace(ticket, spool=b"", spool_key=b""),
    }[change]
    answer = post(world, other, [("a.txt", PLAIN)])
    assert answer.status_code == 403
    assert world.intake.spools.items(ticket.spool, ticket.spool_key) == ()


def test_a_void_ticket_says_so_and_keeps_nothing(world: World, ticket: Ticket) -> None:
    old = replace(ticket, opened_at=ticket.opened_at - 10_000)
    answer = post(world, old, [("a.txt", PLAIN)])
    assert answer.status_code == 403
    assert "open for too long" in answer.text


def test_a_form_cut_short_leaves_nothing(world: World, ticket: Ticket) -> None:
    sealed = world.intake.tickets.seal(ticket)
    body = (
        f'--XX\r\nContent-Disposition: form-data; name="ticket"\r\n\r\n{sealed}\r\n'
        '--XX\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\nwhole\r\n'
        '--XX\r\nContent-Disposition: form-data; name="file"; filename="b.txt"\r\n\r\nhalf'
    )
    answer = httpx.post(
        f"{world.url}/en/tell/files",
        content=body.encode(),
        headers={"content-type": "multipart/form-data; boundary=XX"},
        timeout=30,
        trust_env=False,
    )
    assert answer.status_code == 400
    assert "did not arrive whole" in answer.text
    assert world.intake.spools.items(ticket.spool, ticket.spool_key) == ()
    [folder] = world.intake.spools.folder.iterdir()
    assert {path.name for path in folder.iterdir()} <= {"index"}


def test_markup_in_a_name_or_in_hidden_data_is_text_on_the_page(
    world: World, ticket: Ticket
) -> None:
    answer = post(world, ticket, [("<b>x.png", png("<script>alert(1)</script>"))])
    assert "<script" not in answer.text
    assert "&lt;script&gt;" in answer.text
    assert "<b>x" not in answer.text


@pytest.mark.parametrize("language", ["en", "uk", "fa"])
def test_the_look_page_stays_small_with_as_many_files_as_there_may_be(
    world: World, ticket: Ticket, language: str
) -> None:
    spools, spool, key = world.intake.spools, ticket.spool, ticket.spool_key
    fields = tuple((f"Author{number}", "Ada Example " * 9) for number in range(40))
    for number in range(FILES_MAX):
        writer = spools.writer(spool, key, f"{number:03} holiday in the mountains.jpg")
        writer.write(b"%d" % number)
        found = metadata.Findings(fields=fields, more=4)
        looking._note(world.intake, ticket, writer.end(), found, "")
    page = looking.look_page(world.intake, language, ticket)
    assert len(page.body) + len(pages.style()) <= 30_000, len(page.body)
    assert len(set(re.findall(r'name="file-[0-9]+"', bytes(page.body).decode()))) == FILES_MAX


def test_every_field_has_plain_words() -> None:
    words = {
        name: looking._line(name, "1777716900", "en")[0]
        for name in ("GPSPosition", "dc:creator", "Make", "CreateDate", "producer", "Xyzzy")
    }
    assert words == {
        "GPSPosition": "Place",
        "dc:creator": "Name of a person or organisation",
        "Make": "Camera or device",
        "CreateDate": "Date and time",
        "producer": "Program",
        "Xyzzy": "Other hidden data",
    }
    assert NOW


def test_nothing_plain_is_on_the_disk_while_an_upload_is_in_flight(
    world: World, ticket: Ticket
) -> None:
    sealed = world.intake.tickets.seal(ticket)
    head = (
        f'--XX\r\nContent-Disposition: form-data; name="ticket"\r\n\r\n{sealed}\r\n'
        '--XX\r\nContent-Disposition: form-data; name="file"; filename="plan.txt"\r\n\r\n'
    ).encode()
    host, port = world.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as connection:
        connection.sendall(
            b"POST /en/tell/files HTTP/1.1\r\nhost: x\r\ncontent-length: 99000000\r\n"
            b"content-type: multipart/form-data; boundary=XX\r\n\r\n" + head
        )
        for _ in range(100):
            connection.sendall(PLAIN * 1_000)
        coming = wait_for(lambda: [each for each in on_disk(world) if len(each) > 1 << 20])
        assert coming
        assert not any(part in data for data in on_disk(world) for part in SECRETS)
    assert wait_for(lambda: all(len(each) < 1 << 20 for each in spooled(world)))
    assert world.intake.spools.items(ticket.spool, ticket.spool_key) == ()


SECRETS = (PLAIN[:20], b"plan.txt")


def on_disk(world: World) -> list[bytes]:
    """Whatever lies in the door's folder now."""
    paths = [path for path in world.folder.rglob("*") if path.is_file()]
    return [path.read_bytes() for path in paths if path.exists()]


def spooled(world: World) -> list[bytes]:
    paths = [path for path in world.intake.spools.folder.rglob("*") if path.is_file()]
    return [path.read_bytes() for path in paths if path.exists()]


def wait_for(look: Callable[[], object]) -> bool:
    """Whether it came true within a few seconds."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        if look():
            return True
        time.sleep(0.02)
    return False
