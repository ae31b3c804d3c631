"""Feeds are made once for everybody, cost a poller nothing, and are never out of date."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.parties.registry.listing_world import DAY, NAME, Listings, open_listings
from tests.protocol import builders

from safeconduct.errors import UnavailableError
from safeconduct.parties.registry import enlist_final, feed_files, feeds_site, hearing
from safeconduct.parties.registry.book import BOOK_SECONDS, Book, Reader, read_book
from safeconduct.parties.registry.feed_files import KEPT_MAX, FeedFiles
from safeconduct.parties.registry.feeds import (
    format_csv,
    format_delta,
    format_feed,
    format_ftm,
    read_feed,
)
from safeconduct.parties.registry.site import make_site
from safeconduct.plumbing import web
from safeconduct.protocol.canonical import parse_json

FORMS = {
    "register.json": format_feed,
    "register.ftm.jsonl": format_ftm,
    "register.csv": format_csv,
}
LONG_AGO = "Mon, 01 Jan 2001 00:00:00 GMT"


@pytest.fixture
def listings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Listings:
    listings = open_listings(tmp_path / "register", monkeypatch)
    listings.effective()
    return listings


@pytest.fixture
def site(listings: Listings) -> Iterator[httpx.Client]:
    app = make_site(listings.registry)
    with web.running(app) as url, httpx.Client(base_url=url, timeout=60) as client:
        yield client


def quash(listings: Listings) -> None:
    record = enlist_final.end(listings.registry, 1, "quashed", "by the court")
    assert record is not None
    enlist_final.publish_end(listings.registry, 1, builders.by_board(record))
    listings.pass_time(BOOK_SECONDS)


@pytest.mark.parametrize("name", FORMS)
def test_what_is_sent_is_the_feed_and_who_has_it_gets_nothing(
    listings: Listings, site: httpx.Client, name: str
) -> None:
    answer = site.get(f"/feeds/{name}")
    feed = read_feed(listings.registry, read_book(listings.registry))
    assert answer.content == FORMS[name](feed)
    assert answer.headers["content-length"] == str(len(answer.content))
    assert answer.headers["cache-control"] == "public, no-cache"
    tag, date = answer.headers["etag"], answer.headers["last-modified"]
    for asked in (
        {"if-none-match": tag},
        {"if-none-match": f'"other", W/{tag}'},
        {"if-none-match": "*"},
        {"if-modified-since": date},
    ):
        again = site.get(f"/feeds/{name}", headers=asked)
        assert (again.status_code, again.content) == (304, b""), asked
        assert again.headers["etag"] == tag
    for asked in (
        {"if-none-match": '"other"'},
        {"if-none-match": '"other"', "if-modified-since": date},
        {"if-modified-since": LONG_AGO},
        {"if-modified-since": "yesterday"},
        {"if-modified-since": "Mon, 01 Jan 99999 00:00:00 GMT"},
    ):
        assert site.get(f"/feeds/{name}", headers=asked).status_code == 200, asked


def test_nothing_is_made_again_while_nothing_has_changed(
    listings: Listings, site: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[Book] = []

    def counted(registry: Any, book: Book) -> Any:
        made.append(book)
        return read_feed(registry, book)

    monkeypatch.setattr(feeds_site, "read_feed", counted)
    first = site.get("/feeds/register.json")
    listings.pass_time(60 + BOOK_SECONDS)  # the log has itself cosigned anew
    assert site.get("/feeds/register.json").content == first.content
    assert len(made) == 1


def test_a_name_that_must_vanish_is_gone_from_the_next_answer(
    listings: Listings, site: httpx.Client
) -> None:
    def asked(tag: str) -> httpx.Response:
        return site.get("/feeds/register.csv", headers={"if-none-match": tag})

    answer = site.get("/feeds/register.csv")
    assert NAME in answer.text
    quash(listings)
    answer = asked(answer.headers["etag"])
    assert (answer.status_code, NAME in answer.text) == (200, False)
    hearing.consent(listings.registry, listings.page(), shown=True)
    answer = asked(answer.headers["etag"])
    assert (answer.status_code, NAME in answer.text) == (200, True)
    hearing.consent(listings.registry, listings.page(), shown=False)
    date = answer.headers["last-modified"]
    answer = site.get("/feeds/register.csv", headers={"if-modified-since": date})
    assert (answer.status_code, NAME in answer.text) == (200, False), "in the same second"


def test_what_ends_by_time_ends_in_the_feed_that_was_kept(
    listings: Listings, site: httpx.Client
) -> None:
    tag = site.get("/feeds/register.json").headers["etag"]
    listings.pass_time(6 * 366 * DAY)
    answer = site.get("/feeds/register.json", headers={"if-none-match": tag})
    assert answer.json()["entries"][0]["status"] == "ended"


def test_a_delta_tells_that_a_person_does_not_wish_to_be_seen_any_more(
    listings: Listings,
) -> None:
    registry = listings.registry
    quash(listings)
    hearing.consent(registry, listings.page(), shown=True)
    size = len(listings.world.gazette.entries)
    listings.pass_time(60)
    held_at = listings.world.now

    def names() -> list[str]:
        delta: Any = parse_json(
            format_delta(registry, read_book(registry), size, held_at), "delta"
        )
        return [one["name"] for one in delta["modify"]]

    assert names() == []
    listings.pass_time(60)
    hearing.consent(registry, listings.page(), shown=False)
    assert names() == [""]


def test_a_delta_is_kept_as_well_and_only_a_few_are(
    listings: Listings, site: httpx.Client
) -> None:
    answer = site.get("/feeds/delta.json?since=1")
    tag = {"if-none-match": answer.headers["etag"]}
    assert site.get("/feeds/delta.json?since=1", headers=tag).status_code == 304
    assert site.get("/feeds/delta.json?since=2", headers=tag).status_code == 200
    reader = Reader(listings.registry)
    files = FeedFiles(reader)
    for number in range(KEPT_MAX + 5):
        files.made(f"feed {number}", lambda _: iter([b"abc"]))
    assert len(files._kept) == KEPT_MAX


def test_asking_for_many_deltas_neither_moves_time_ahead_nor_puts_a_feed_out(
    listings: Listings, site: httpx.Client
) -> None:
    first = site.get("/feeds/register.csv")
    for number in range(KEPT_MAX + 5):
        latest = site.get(f"/feeds/delta.json?since=1&at={number}")
        assert latest.headers["last-modified"] == first.headers["last-modified"]
    again = site.get("/feeds/register.csv", headers={"if-none-match": first.headers["etag"]})
    assert again.status_code == 304


def test_a_date_ahead_of_a_clock_that_was_wrong_keeps_no_name_alive(
    listings: Listings, site: httpx.Client
) -> None:
    dates = ("Fri, 01 Jan 2100 00:00:00 GMT", "Thu, 31 Dec 9999 23:59:59 GMT")
    for date in dates:
        answer = site.get("/feeds/register.csv", headers={"if-modified-since": date})
        assert answer.status_code == 200, date


@contextmanager
def being_made(files: FeedFiles) -> Iterator[None]:
    """While this lasts, the feed called slow is being made."""
    begun, go_on = threading.Event(), threading.Event()

    def slow(_: Book) -> Iterator[bytes]:
        begun.set()
        assert go_on.wait(60)
        yield b"abc"

    worker = threading.Thread(target=files.made, args=("slow", slow))
    worker.start()
    assert begun.wait(60)
    try:
        yield
    finally:
        go_on.set()
        worker.join(60)


def test_no_more_visitors_wait_for_a_feed_than_leave_threads_for_the_pages(
    listings: Listings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed_files, "WAITING_MAX", 1)
    files = FeedFiles(Reader(listings.registry))
    with being_made(files), pytest.raises(UnavailableError, match="other feeds are being made"):
        files.made("other", lambda _: iter([b"abc"]))
    assert files.made("other", lambda _: iter([b"abc"])).content.length_bytes == 3


def test_slow_readers_of_many_deltas_do_not_fill_the_disk(listings: Listings) -> None:
    files = FeedFiles(Reader(listings.registry))
    sent = [
        files.made(f"delta {number}", lambda _: iter([b"abc"]))
        for number in range(feed_files.ALIVE_MAX)
    ]
    with pytest.raises(UnavailableError):
        files.made("one more", lambda _: iter([b"abc"]))
    sent.clear()
    assert files.made("one more", lambda _: iter([b"abc"])).content.length_bytes == 3


def test_who_waits_too_long_for_others_is_told(
    listings: Listings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed_files, "WAIT_SECONDS_MAX", 0.01)
    files = FeedFiles(Reader(listings.registry))
    with being_made(files), pytest.raises(UnavailableError):
        files.made("other", lambda _: iter([b"abc"]))
    made = files.made("slow", lambda _: iter([b"made anew"]))
    assert b"".join(made.content.read()) == b"abc"


def test_a_feed_leaves_no_file_in_the_registers_folder(
    listings: Listings, site: httpx.Client
) -> None:
    before = sorted(path.name for path in listings.registry.folder.iterdir())
    site.get("/feeds/register.json")
    assert sorted(path.name for path in listings.registry.folder.iterdir()) == before
