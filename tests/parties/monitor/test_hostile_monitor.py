"""What the watched may try: to keep a monitor quiet, to make it cry wolf, to fill it.

All of them hold their true keys.
"""

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.parties.auditor.public_folder import (
    DAY_SECONDS,
    LEDGER,
    WITNESSES,
    checkpoint,
    count_entry,
    listing_of,
    publication,
)
from tests.parties.monitor.monitor_town import (
    AT,
    FOUNDED,
    HASHES,
    OTHERS,
    Town,
    as_json,
    origin_hash,
)
from tests.parties.monitor.test_watch_gazette import (
    CONTRIBUTION,
    DELIVERED,
    dated,
    delivery,
)

from safeconduct.errors import RefusedError
from safeconduct.parties.monitor import duties, places
from safeconduct.parties.monitor.finding import Exhibit, Finding
from safeconduct.parties.monitor.site import make_site
from safeconduct.parties.monitor.store import (
    EVIDENCE_BEGINNINGS_MAX,
    EVIDENCE_FILES_MAX,
    HAND_TRIES_MAX,
    Notice,
    Store,
    open_store,
)
from safeconduct.parties.monitor.tell import tell
from safeconduct.plumbing import fetch, web
from safeconduct.protocol.record import record_hash
from safeconduct.protocol.tlog.merkle import TREE_SIZE_END, Tree

PLACE = "log.example"
FOREVER = (1 << 63) - 1


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = open_store(tmp_path / "store")
    yield store
    store.close()


# Those who want it quiet.


def test_a_witness_that_dates_itself_beyond_all_dates_at_first_sight_spoils_nothing(
    town: Town,
) -> None:
    shown = {name: town.files.pop(f"{name}/checkpoint") for name in ("ledger", "gazette")}
    for name, data in shown.items():
        town.files[f"{name}/checkpoint"] = data
        town.redate(name, FOREVER)
        del town.files[f"{name}/checkpoint"]
    town.watch()
    store = open_store(town.folder)
    with web.running(make_site(store)) as url:
        assert b"2027" in fetch.get(url, bytes_max=1 << 20)
    assert store.cosigned_at(LEDGER.name, "w1", 0) <= AT + places.CLOCK_SECONDS_MAX
    store.close()


def test_a_log_that_keeps_growing_for_a_witness_and_never_for_us_is_found(town: Town) -> None:
    town.watch()
    for minute in range(1, 14):
        at = AT + 60 * minute
        ahead = town.show("ledger", HASHES[: 300 + minute], at)
        town.show_us("ledger", HASHES[:300], at)
        for witness in ("w1", "w2"):
            town.witnessed(witness, "ledger", ahead)
        town.redate("gazette", at)
        found = town.watch(at)
    assert "withheld" in found


def test_a_log_that_has_caught_up_is_not_said_to_withhold_any_more(town: Town) -> None:
    test_a_log_that_keeps_growing_for_a_witness_and_never_for_us_is_found(town)
    at = AT + 60 * 14
    town.show("ledger", HASHES[:320], at)
    town.redate("gazette", at)
    assert "withheld" not in town.watch(at)


def test_a_clock_that_was_once_years_ahead_silences_nobody_for_years(town: Town) -> None:
    for name in ("ledger", "gazette"):
        town.dated(name, AT, WITNESSES[:1])
        del town.files[f"w2/{origin_hash(name)}/checkpoint"]
    town.watch(AT + 900 * DAY_SECONDS)
    town.watch(AT)
    at = AT + 2 * 3600
    for name in ("ledger", "gazette"):
        town.dated(name, at, WITNESSES[:1])
    silent = town.watch(at)["witness-silent"]
    assert "The witness w2" in silent.sentence


def slow() -> Iterator[bytes]:
    for _ in range(600):
        time.sleep(0.1)
        yield b"x"


def test_a_log_that_dawdles_over_the_tiles_that_would_convict_it_blames_no_witness(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(places, "JOIN_SECONDS", 0.3)
    other = town.show("ledger", [*HASHES[:250], *OTHERS[:200]])
    town.show_us("ledger", HASHES[:300])
    for path in other.files:
        if path not in ("checkpoint",) and f"ledger/{path}" not in town.files:
            town.files[f"ledger/{path}"] = web.streaming(slow())
    found = town.watch(phase_seconds=30.0)
    assert "unreachable" not in found


def test_a_log_that_dawdles_over_its_own_tiles_is_compared_all_the_same(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(places, "LOOK_SECONDS", 0.3)
    town.show("ledger", HASHES[:300])
    town.show_us("ledger", [*HASHES[:250], *OTHERS[:50]])
    for path in town.files:
        if path.startswith("ledger/tile"):
            town.files[path] = web.streaming(slow())
    found = town.watch(phase_seconds=30.0)
    assert "forked" in found


def test_a_public_folder_that_dawdles_does_not_hide_what_the_gazette_shows(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dawdle(_: str) -> bytes:
        time.sleep(40)
        raise RefusedError("so late")

    listed = publication(1, "r-0001", "registered", listing_of("r-0001"), AT - 1)
    town.show("gazette", [*FOUNDED, listed, count_entry(2)])
    found = town.watch(public=dawdle, phase_seconds=8.0)
    assert "duty-missed" in found
    assert "public folder" in found["unreachable"].sentence


def test_ten_thousand_duties_hide_none_that_was_missed(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(duties, "DUTIES_MAX", 2)
    listed = [
        publication(number, f"r-000{number}", "registered", listing_of("r-0001"), AT - 1)
        for number in (1, 2, 3)
    ]
    town.show("gazette", [*FOUNDED, *listed, count_entry(2)])
    assert "duty-missed" in town.watch()


def finding(check: str, sentence: str = "It is.") -> Finding:
    return Finding(check=check, place=PLACE, subject="", sentence=sentence)


def test_an_alert_is_told_before_a_flood_of_notices(store: Store) -> None:
    flood = [Notice(id=f"n-{number}", place=PLACE, sentence="News.") for number in range(300)]
    store.add_gazette(0, [], flood, 1, 1)
    store.settle([finding("stale")], set(), 1, {PLACE})
    told = [news.message["state"] for news in store.news()]
    assert (told[0], len(told)) == ("new", 100)


def test_of_a_contradiction_the_command_is_told_until_it_takes_it(store: Store) -> None:
    store.settle([finding("forked"), finding("stale")], set(), 1, {PLACE})
    for _ in range(HAND_TRIES_MAX + 5):
        tell(store, lambda _: None, ["/nowhere/to/be/found"])
    assert [news.message["severity"] for news in store.news()] == ["contradiction"]


# Those who want it to cry wolf.


@pytest.fixture
def owed(tmp_path: Path) -> Path:
    folder = tmp_path / "owed"
    folder.mkdir()
    (folder / "letter.record").write_bytes(CONTRIBUTION)
    (folder / "letter.delivery").write_bytes(delivery())
    return folder


def test_a_log_that_shows_us_other_entries_makes_us_accuse_nobody_else(
    town: Town, owed: Path
) -> None:
    at = DELIVERED + 3 * DAY_SECONDS
    dated(town, [*HASHES[:100], record_hash(delivery()), *HASHES[101:600]], at)
    true = town.files["ledger/tile/entries/000"]
    assert isinstance(true, bytes)
    town.files["ledger/tile/entries/000"] = true.replace(record_hash(delivery()), OTHERS[0])
    assert set(town.watch(at, owed=owed)) == {"log-tiles"}
    town.files["ledger/tile/entries/000"] = true
    assert town.watch(at, owed=owed) == {}


@pytest.mark.parametrize("size", [1, 2, 255, 256, 257, 300, 511, 512, 513, 600])
def test_an_honest_ledger_of_any_size_is_searched_to_its_end(
    town: Town, owed: Path, size: int
) -> None:
    at = DELIVERED + 3 * DAY_SECONDS
    dated(town, HASHES[:size], at)
    assert set(town.watch(at, owed=owed)) == {"owed-unlogged"}


def test_a_ledger_of_absurd_size_is_not_searched_in_our_memory(town: Town, owed: Path) -> None:
    at = DELIVERED + 3 * DAY_SECONDS
    dated(town, HASHES[:300], at)
    tree = Tree(size=TREE_SIZE_END - 1, root_hash=HASHES[0])
    town.files["ledger/checkpoint"] = checkpoint(LEDGER, tree, at)
    began = time.monotonic()
    assert "log-tiles" in town.watch(at, owed=owed)
    assert time.monotonic() - began < 100


# Those who want to be obeyed by a terminal, or believed by a reader.


def test_what_a_server_says_reaches_no_page_or_program_with_its_controls(town: Town) -> None:
    evil = "error: \x1b[2J\u202egnihton\u2066 <script>\n"
    town.files["ledger/checkpoint"] = web.text(evil, status=403)
    [alert] = [one for one in town.watch().values() if "Ledger" in one.sentence]
    assert alert.sentence.isprintable()
    assert "\\u{202e}" in alert.sentence
    store = open_store(town.folder)
    with web.running(make_site(store)) as url:
        page = fetch.get(url, bytes_max=1 << 20).decode()
        standing = as_json(fetch.get(f"{url}/alerts", bytes_max=1 << 20))["standing"]
    store.close()
    assert "\x1b" not in page
    assert "\u202e" not in page
    assert "<script>" not in page
    assert all(one["sentence"].isprintable() for one in standing)


def test_a_notice_is_made_of_printable_characters(store: Store) -> None:
    notice = Notice(id="n", place=PLACE, sentence="Its keys: a\u202eb.")
    store.add_gazette(0, [], [notice], 1, 1)
    [news] = store.news()
    assert news.message["sentence"] == "Its keys: a\\u{202e}b."


def test_evidence_of_what_begins_again_is_kept_although_the_room_was_used_up_before(
    store: Store,
) -> None:
    def unsigned(number: int) -> Finding:
        exhibit = Exhibit(suffix=".checkpoint", data=b"%d" % number)
        return replace(finding("unsigned"), exhibits=(exhibit,))

    for number in range(EVIDENCE_FILES_MAX + 3):
        store.settle([unsigned(number)], set(), number, {PLACE})
    [full] = store.alerts()
    assert len(full.evidence) == EVIDENCE_FILES_MAX
    store.settle([], {full.id}, 50, {PLACE})
    store.settle([unsigned(1_000)], set(), 51, {PLACE})
    [again] = store.alerts()
    assert store.evidence(again.evidence[-1]) == b"1000"
    for number in range(2_000, 2_400):
        store.settle([], {full.id}, number, {PLACE})
        store.settle([unsigned(number)], set(), number, {PLACE})
    [bounded] = store.alerts()
    assert len(bounded.evidence) <= EVIDENCE_FILES_MAX * EVIDENCE_BEGINNINGS_MAX
