"""Notices to staff: at fixed times, once each, and the same whether or not anything came."""

import os
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from tests.parties.intake.door_world import World, open_world
from tests.plumbing.mail_house import open_house

from safeconduct.errors import MalformedError, RefusedError, UnavailableError
from safeconduct.parties.intake.notices import (
    LATE_SECONDS,
    NOTICES_FILE,
    SECRET_FILE,
    Notices,
    keep_notices,
    last_due,
    letter,
    load_notices,
    read_last,
    read_notices,
    serve_due,
)
from safeconduct.plumbing.mail import Letter, MailServer

FILE = """\
zone = "Europe/Berlin"
times = ["08:00", "17:00"]
from = "door@example.org"
to = ["desk@example.org"]

[smtp]
host = "127.0.0.1"
port = 25
tls = "none"
"""
HOUR = 3_600


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with open_world(tmp_path) as made:
        made.now = at("2027-05-03T10:00:00")
        yield made


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


def notices(folder: Path, text: str = FILE) -> Notices:
    (folder / NOTICES_FILE).write_text(text)
    found = load_notices(folder)
    assert found is not None
    return found


class Post:
    """Takes letters in place of a mail server."""

    def __init__(self) -> None:
        self.letters: list[Letter] = []
        self.away = False

    def __call__(self, _: MailServer, sent: Letter) -> None:
        if self.away:
            raise UnavailableError("the mail server is away")
        self.letters.append(sent)


def test_without_a_file_nothing_is_sent(world: World) -> None:
    assert load_notices(world.folder) is None
    keep_notices(world.intake, threading.Event(), round_seconds=0)


def test_a_mistake_in_the_file_is_told_and_keeps_the_door_from_nothing(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    (world.folder / NOTICES_FILE).write_text("times = []\n")
    keep_notices(world.intake, threading.Event(), round_seconds=0)
    assert "no notices to staff will be sent: notices.toml" in capsys.readouterr().err


def test_each_time_is_served_once_and_the_first_start_waits_for_the_next(world: World) -> None:
    orders, post = notices(world.folder), Post()
    assert not serve_due(world.intake, orders, post)
    world.now = at("2027-05-03T15:00:00")  # 17:00 in Berlin
    assert serve_due(world.intake, orders, post)
    assert not serve_due(world.intake, orders, post)
    world.now = at("2027-05-04T06:00:30")
    assert serve_due(world.intake, orders, post)
    assert len(post.letters) == 2


def test_a_restart_neither_doubles_nor_forgets_one(world: World) -> None:
    orders, post = notices(world.folder), Post()
    serve_due(world.intake, orders, post)
    world.now = at("2027-05-03T15:00:10")
    serve_due(world.intake, orders, post)
    again = replace(world.intake)  # what the next process knows is in the folder
    assert not serve_due(again, orders, post)
    assert len(post.letters) == 1


def test_a_mail_server_that_is_away_is_tried_again_for_an_hour_and_no_longer(
    world: World,
) -> None:
    orders, post = notices(world.folder), Post()
    serve_due(world.intake, orders, post)
    post.away, world.now = True, at("2027-05-03T15:00:10")
    with pytest.raises(UnavailableError):
        serve_due(world.intake, orders, post)
    post.away, world.now = False, world.now + LATE_SECONDS - 20
    assert serve_due(world.intake, orders, post)
    post.away, world.now = True, at("2027-05-04T06:00:10")
    with pytest.raises(UnavailableError):
        serve_due(world.intake, orders, post)
    post.away, world.now = False, world.now + LATE_SECONDS
    assert not serve_due(world.intake, orders, post), "a mail at an odd time says something"
    assert len(post.letters) == 1


def test_a_clock_that_is_set_back_sends_nothing_twice(world: World) -> None:
    orders, post = notices(world.folder), Post()
    serve_due(world.intake, orders, post)
    world.now = at("2027-05-03T15:00:10")
    serve_due(world.intake, orders, post)
    world.now -= HOUR
    assert not serve_due(world.intake, orders, post)
    world.now += HOUR
    assert not serve_due(world.intake, orders, post)
    assert len(post.letters) == 1


def test_a_clock_that_was_years_ahead_silences_nothing(world: World) -> None:
    orders, post = notices(world.folder), Post()
    world.now = at("2031-01-01T10:00:00")
    serve_due(world.intake, orders, post)
    world.now = at("2027-05-03T15:00:10")
    serve_due(world.intake, orders, post)
    world.now = at("2027-05-04T06:00:10")
    assert serve_due(world.intake, orders, post)


BERLIN_2027 = {
    "winter": ("2027-01-10T07:00:00", "08:00", "2027-01-10T07:00:00"),
    "summer": ("2027-07-10T06:00:00", "08:00", "2027-07-10T06:00:00"),
    "an hour that is left out": ("2027-03-28T01:30:00", "02:30", "2027-03-28T01:30:00"),
    "an hour that comes twice, the first time": (
        "2027-10-31T00:30:00",
        "02:30",
        "2027-10-31T00:30:00",
    ),
    "an hour that comes twice, the second time": (
        "2027-10-31T01:30:00",
        "02:30",
        "2027-10-31T00:30:00",
    ),
    "before the first of a day": ("2027-01-10T06:59:59", "08:00", "2027-01-09T07:00:00"),
}


@pytest.mark.parametrize("name", BERLIN_2027)
def test_times_are_those_of_the_zone_when_clocks_change(tmp_path: Path, name: str) -> None:
    now, hour, due = BERLIN_2027[name]
    orders = notices(tmp_path, FILE.replace('["08:00", "17:00"]', f'["{hour}"]'))
    assert orders.zone == ZoneInfo("Europe/Berlin")
    assert last_due(orders, at(now)) == at(due)


def test_the_text_is_the_same_whether_or_not_anything_came(world: World) -> None:
    orders = notices(world.folder)
    assert letter(world.intake, orders, 0) == letter(world.intake, orders, -1)


def test_if_the_body_wants_it_the_text_says_yes_or_no_and_not_how_much(world: World) -> None:
    orders = notices(world.folder, "tell = true\n" + FILE)
    quiet, busy = (letter(world.intake, orders, since).text for since in (0, -7))
    assert "Came since the last notice: no" in quiet
    assert quiet.replace(": no", ": yes") == busy


def test_the_job_sends_through_a_real_server_and_ends_when_told(world: World) -> None:
    stop = threading.Event()
    with open_house() as house:
        orders = FILE.replace("port = 25", f"port = {house.port}")
        (world.folder / NOTICES_FILE).write_text(orders)
        job = threading.Thread(
            target=keep_notices, args=(world.intake, stop), kwargs={"round_seconds": 0.01}
        )
        job.start()
        while read_last(world.folder) is None:
            stop.wait(0.01)
        world.now = at("2027-05-03T15:00:10")
        while not house.letters:
            stop.wait(0.01)
        stop.set()
        job.join()
    assert len(house.letters) == 1
    assert house.to == [["desk@example.org"]]


WRONG: dict[str, tuple[tuple[str, str], str]] = {
    "an unknown zone": (('"Europe/Berlin"', '"Europe/Nowhere"'), "zone"),
    "a zone that is a path": (('"Europe/Berlin"', '"/etc/localtime"'), "zone"),
    "a time that is none": (('"08:00"', '"8am"'), "times"),
    "a time twice": (('"17:00"', '"08:00"'), "times"),
    "no times": (('["08:00", "17:00"]', "[]"), "times"),
    "two headers in an address": (('"door@example.org"', '"a@b\\nBcc: c@d"'), "from"),
    "nobody": (('["desk@example.org"]', "[]"), "to"),
    "an unknown key": (("zone =", "time-zone ="), "time-zone"),
    "an unknown key of the server": (("host =", "hosts ="), "smtp.hosts"),
    "a port in words": (("port = 25", 'port = "smtp"'), "smtp.port"),
    "an unknown kind of TLS": (('tls = "none"', 'tls = "perhaps"'), "smtp.tls"),
    "no TLS to elsewhere": (('"127.0.0.1"', '"mail.example.org"'), "smtp.tls"),
    "not TOML": (("zone =", "zone"), "the file"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_fault_in_the_file_is_told_with_its_place(tmp_path: Path, name: str) -> None:
    (before, after), place = WRONG[name]
    assert before in FILE
    (tmp_path / NOTICES_FILE).write_text(FILE.replace(before, after))
    found, complaints = read_notices(tmp_path)
    assert found is None
    assert place in [complaint.place for complaint in complaints]
    with pytest.raises(MalformedError, match=r"notices\.toml"):
        load_notices(tmp_path)


def test_a_password_that_others_can_read_is_not_used(tmp_path: Path) -> None:
    text = FILE.replace('tls = "none"', 'tls = "starttls"\nuser = "door"')
    (tmp_path / SECRET_FILE).write_text("secret\n")
    os.chmod(tmp_path / SECRET_FILE, 0o644)
    with pytest.raises(RefusedError, match="other users can read"):
        notices(tmp_path, text)
    os.chmod(tmp_path / SECRET_FILE, 0o600)
    found: Any = notices(tmp_path, text)
    assert found.server.password == "secret"
    assert "secret" not in repr(found)
