"""Counters per day: no content, nothing finer than a day, and small numbers not told apart."""

import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from tests.parties.intake.door_world import World, ask, open_world

from safeconduct.errors import UnavailableError
from safeconduct.parties.intake.statistics import (
    COUNTED,
    DAY_SECONDS,
    FEW_MAX,
    KEPT_DAYS,
    Days,
    counted,
    keep_days,
    shown,
)
from safeconduct.plumbing import web

NOW = 20_000 * DAY_SECONDS + 12_345


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with open_world(tmp_path) as made:
        yield made


def counts(days: Days, now: int) -> list[dict[str, int]]:
    return [{name: n for name, n in day.counts.items() if n} for day in days.days(now)]


def test_a_day_is_shown_once_it_is_over_and_not_before() -> None:
    days = Days()
    days.count("commits", NOW)
    assert days.days(NOW) == ()
    assert days.days(NOW + DAY_SECONDS)[0].at == 20_000 * DAY_SECONDS
    assert counts(days, NOW + DAY_SECONDS) == [{"commits": 1}]


def test_a_day_on_which_nothing_came_is_no_gap() -> None:
    days = Days()
    days.count("commits", NOW)
    assert counts(days, NOW + 3 * DAY_SECONDS) == [{}, {}, {"commits": 1}]


def test_what_was_written_is_there_after_a_restart_and_added_to(tmp_path: Path) -> None:
    path = tmp_path / "days.sqlite"
    for _ in range(2):
        days = Days(path)
        days.count("replies", NOW)
        days.flush(NOW)
        days.count("replies", NOW)
        days.flush(NOW)
    assert counts(Days(path), NOW + DAY_SECONDS) == [{"replies": 4}]


def test_the_database_holds_days_names_and_numbers_and_nothing_else(tmp_path: Path) -> None:
    days = Days(tmp_path / "days.sqlite")
    days.count("commits", NOW)
    days.flush(NOW)
    with sqlite3.connect(tmp_path / "days.sqlite") as connection:
        assert connection.execute("SELECT * FROM days").fetchall() == [(20_000, "commits", 1)]
        tables = connection.execute("SELECT name FROM sqlite_master").fetchall()
    connection.close()
    assert [name for (name,) in tables if not name.startswith("sqlite_")] == ["days"]


def test_old_days_are_forgotten(tmp_path: Path) -> None:
    days = Days(tmp_path / "days.sqlite")
    days.count("commits", NOW)
    later = NOW + (KEPT_DAYS + 1) * DAY_SECONDS
    days.flush(later)
    assert days.days(later) == ()


def test_what_could_not_be_written_is_counted_still(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    days = Days(tmp_path / "days.sqlite")
    days.count("commits", NOW)

    def refuse(*_: object) -> None:
        raise UnavailableError("the disk is full")

    monkeypatch.setattr(days._database, "write", refuse)
    with pytest.raises(UnavailableError):
        days.flush(NOW)
    monkeypatch.undo()
    days.flush(NOW)
    assert counts(days, NOW + DAY_SECONDS) == [{"commits": 1}]


def test_the_job_writes_once_more_when_it_ends(tmp_path: Path) -> None:
    days, stop = Days(tmp_path / "days.sqlite"), threading.Event()
    days.count("commits", NOW)
    stop.set()
    keep_days(days, lambda: NOW, stop)
    assert counts(Days(tmp_path / "days.sqlite"), NOW + DAY_SECONDS) == [{"commits": 1}]


def test_small_numbers_are_not_told_apart() -> None:
    few = {shown(count) for count in range(1, FEW_MAX + 1)}
    assert few == {"1 to 9"}
    assert (shown(0), shown(10)) == ("0", "10")


def test_the_door_counts_what_it_takes_and_what_it_refuses(world: World) -> None:
    ask(world, "POST", "/commit", b"c" * 32)
    ask(world, "POST", "/commit", b"short")
    ask(world, "POST", "/deliver", b"{}")
    ask(world, "POST", "/desk/replies", b"")
    ask(world, "GET", "/nowhere")
    found = counts(world.intake.days, world.now + DAY_SECONDS)
    assert found == [{"commits": 1, "refused-malformed": 3}]


def test_a_visit_to_a_mailbox_is_never_counted(world: World) -> None:
    for words in ("", "not twelve words", "abandon " * 11 + "about"):
        httpx.post(f"{world.url}/en/mail", data={"words": words}, trust_env=False, timeout=60)
    httpx.post(f"{world.url}/en/mail/receipt", content=b"x", trust_env=False)
    for path in ("/en/", "/en/mail", "/en/tell", "/bulletin", "/capsules"):
        ask(world, "GET", path)
    assert counts(world.intake.days, world.now + DAY_SECONDS) == []


def test_a_fault_of_ours_is_counted_as_one() -> None:
    def broken(_: web.Request) -> web.Response:
        raise ZeroDivisionError

    days = Days()
    app = counted(web.make_app([web.Route("POST", "/x", broken)]), days, lambda: NOW)
    with web.running(app) as url:
        assert httpx.post(url + "/x", trust_env=False).status_code == 500
    assert counts(days, NOW + DAY_SECONDS) == [{"refused-fault": 1}]


def test_no_counter_could_name_a_person() -> None:
    for name in COUNTED:
        assert not {"mail", "visit", "language", "size", "page"} & set(name.split("-"))
