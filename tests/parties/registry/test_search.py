"""The register's search keeps up with what is published, and shows what may be shown today."""

import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from tests.parties.registry.listing_world import NAME, SUBJECT, Listings, open_listings
from tests.parties.registry.register_world import World, open_world
from tests.protocol import builders

from safeconduct.errors import UnavailableError
from safeconduct.parties.registry import command, enlist_final, hearing, search
from safeconduct.parties.registry.book import BOOK_SECONDS, Reader
from safeconduct.parties.registry.search import Searcher
from safeconduct.parties.registry.standing import standings
from safeconduct.plumbing import web


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    return open_world(tmp_path / "register", monkeypatch)


@pytest.fixture
def listings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Listings:
    return open_listings(tmp_path / "register", monkeypatch)


def subjects(searcher: Searcher, query: str) -> list[str]:
    return [one.standing.subject for one in searcher.look_up(query).found]


def quash(listings: Listings) -> None:
    record = enlist_final.end(listings.registry, 1, "quashed", "by the court")
    assert record is not None
    enlist_final.publish_end(listings.registry, 1, builders.by_board(record))
    listings.pass_time(BOOK_SECONDS)


def test_a_name_that_must_vanish_is_not_found_by_an_index_that_still_holds_it(
    listings: Listings,
) -> None:
    listings.effective()
    searcher = Searcher(Reader(listings.registry))
    assert subjects(searcher, NAME) == [SUBJECT]
    quash(listings)
    assert [hit.key for hit in searcher._index.hits(NAME)] == [SUBJECT], "the index is stale"
    assert subjects(searcher, NAME) == []
    hearing.consent(listings.registry, listings.page(), shown=True)
    assert subjects(searcher, NAME) == [SUBJECT], "they wish to be seen"
    hearing.consent(listings.registry, listings.page(), shown=False)
    assert subjects(searcher, NAME) == [], "at once, with nothing published"


def test_those_who_may_not_be_shown_keep_nobody_else_from_being_found(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "_HITS_AT_ONCE", 2)
    for number in range(5):
        world.listed(f"r-{number:04}", "Anton Weller")
    world.listed("r-0100", "Anton Wellner")
    searcher = Searcher(Reader(world.registry))

    def hidden(*arguments: Any) -> Any:
        return {key: one for key, one in standings(*arguments).items() if key == "r-0100"}

    monkeypatch.setattr(search, "standings", hidden)
    assert subjects(searcher, "Anton Weller") == ["r-0100"]


def test_a_publication_adds_its_name_and_indexes_no_other_one_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.listed("r-0001", "Anton Weller")
    searcher = Searcher(Reader(world.registry))
    assert subjects(searcher, "Anton Weller") == ["r-0001"]
    added: list[str] = []
    add = searcher._index.add

    def noted(key: str, names: Sequence[str]) -> None:
        added.append(key)
        add(key, names)

    monkeypatch.setattr(searcher._index, "add", noted)
    world.listed("r-0002", "Berta Wiesel")
    world.now += BOOK_SECONDS
    assert subjects(searcher, "Berta Wiesel") == ["r-0002"]
    assert subjects(searcher, "Anton Weller") == ["r-0001"]
    assert added == ["r-0002"]


def test_many_names_are_taken_in_beside_while_the_page_says_so(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "AT_ONCE_MAX", 1)
    go_on = threading.Event()
    monkeypatch.setattr(search, "time", type("Time", (), {"sleep": lambda _: go_on.wait(60)}))
    monkeypatch.setattr(search, "_TURN", 1)
    for number, name in enumerate(("Anton Weller", "Berta Wiesel", "Carla Orlova")):
        world.listed(f"r-{number:04}", name)
    searcher = Searcher(Reader(world.registry))
    seen: list[tuple[int, int]] = []
    searcher.keep_up(searcher.reader.book(), lambda *told: seen.append(told))
    worker = searcher._worker
    assert worker is not None
    waiting = searcher.look_up("Carla Orlova")
    assert (waiting.found, waiting.refused) == ((), "")
    assert waiting.missing > 0
    go_on.set()
    worker.join(60)
    assert seen == [(1, 3), (2, 3), (3, 3)]
    after = searcher.look_up("Carla Orlova")
    assert ([one.standing.subject for one in after.found], after.missing) == (["r-0002"], 0)


def test_names_are_loaded_once_the_register_listens_and_not_before(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    listening, prepared = threading.Event(), threading.Event()

    def serve(*_: object, ready: Callable[[str], None]) -> None:
        assert not prepared.is_set()
        listening.set()
        ready("http://127.0.0.1:1")

    def prepare(_: Searcher) -> None:
        assert listening.is_set()
        prepared.set()

    monkeypatch.setattr(command, "open_registry", lambda _: world.registry)
    monkeypatch.setattr(command, "_prepare_search", prepare)
    monkeypatch.setattr(web, "serve", serve)
    options: Any = type("Options", (), {"dir": world.folder, "listen": "127.0.0.1:0"})
    assert command._serve(options) == 0
    assert prepared.wait(60)


def test_preparing_tells_how_far_it_is_and_a_lost_log_is_no_fault(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(search, "AT_ONCE_MAX", 0)
    for number in range(3):
        world.listed(f"r-{number:04}", "Anton Weller")
    searcher = Searcher(Reader(world.registry))
    command._prepare_search(searcher)
    worker = searcher._worker
    if worker is not None:
        worker.join(60)
    assert "preparing the search over 3 names: 3 …" in capsys.readouterr().err
    monkeypatch.setattr(searcher, "reader", Lost())
    command._prepare_search(searcher)
    assert not capsys.readouterr().err


class Lost:
    """A reader whose log is away."""

    def book(self) -> None:
        raise UnavailableError("the log is away")
