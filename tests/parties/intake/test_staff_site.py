"""The staff site: it shows how the door is, per day what came, and never acts."""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import httpx
import pytest
from tests.parties.intake.door_world import World, ask, open_world
from tests.parties.intake.test_definition import TEXTS
from tests.protocol import builders

from safeconduct.parties.intake import health
from safeconduct.parties.intake.accept import Intake
from safeconduct.parties.intake.definition import TEXTS_FILE, load_definition
from safeconduct.parties.intake.health import health_word, signs
from safeconduct.parties.intake.staff_site import make_staff_site, routes
from safeconduct.parties.intake.statistics import DAY_SECONDS
from safeconduct.parties.intake.store import DISK_RESERVE_BYTES
from safeconduct.plumbing import web
from safeconduct.plumbing.remote import RemoteLog
from safeconduct.protocol.tlog.merkle import Frontier, leaf_hash
from safeconduct.protocol.tlog.note import format_note


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with open_world(tmp_path) as made:
        yield made


def page(intake: Intake, path: str) -> httpx.Response:
    with web.running(make_staff_site(intake)) as url:
        return httpx.get(url + path, trust_env=False, timeout=30)


@pytest.mark.parametrize(
    ("host", "status"),
    {
        "127.0.0.1": 200,
        "localhost": 200,
        "abc.onion": 200,
        "evil.example": 403,
        "onion": 403,
    }.items(),
)
def test_a_page_of_elsewhere_cannot_reach_it_by_another_name(
    host: str, status: int, world: World
) -> None:
    with web.running(make_staff_site(world.intake)) as url:
        answer = httpx.get(url, headers={"host": host}, trust_env=False, timeout=30)
    assert answer.status_code == status


def words(world: World) -> dict[str, str]:
    return {sign.name: sign.word for sign in signs(world.intake)}


def test_every_part_of_the_door_is_looked_at(world: World) -> None:
    found = words(world)
    assert {"Disk", "Queue", "Tor", "Gazette", "Desk key", "Next date", "Ledger"} <= set(found)
    assert found["Disk"] == "ok"
    assert found["Desk key"] in {"ok", "wait"}
    assert found["Ledger"] == "bad", "this Ledger serves no checkpoint"


def test_each_witness_is_shown_by_what_it_signed_last(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    frontier, _ = Frontier.empty().extend([leaf_hash(b"entry")])
    note = builders.checkpoint_note(frontier, world.now, builders.LEDGER)
    monkeypatch.setattr(RemoteLog, "checkpoint", lambda _: format_note(note))
    found = words(world)
    assert found["Ledger"] == "ok"
    witnesses = {name: word for name, word in found.items() if name.startswith("Witness ")}
    assert len(witnesses) == len(builders.POLICY.witnesses)
    assert "ok" in witnesses.values()
    world.now += health.LATE_SECONDS + 60
    assert "ok" not in {words(world)[name] for name in witnesses}


def test_a_gazette_that_is_away_is_told_and_the_rest_still_shown(world: World) -> None:
    world.gazette_away = True
    assert words(world)["Gazette"] == "bad"
    answer = page(world.intake, "/")
    assert answer.status_code == 200
    assert "The door needs you" in answer.text


def test_no_open_desk_key_is_bad(world: World) -> None:
    world.now += 100 * 365 * DAY_SECONDS
    assert words(world)["Desk key"] == "bad"


def test_the_public_page_says_one_word(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    assert ask(world, "GET", "/health").text == "ok"
    monkeypatch.setattr(health, "free_bytes", lambda _: DISK_RESERVE_BYTES)
    assert ask(world, "GET", "/health").text == "no room"
    monkeypatch.undo()
    monkeypatch.setattr(world.intake.commits, "_trip_seconds", 60.0)
    assert health_word(world.intake) == "slow"


def test_statistics_are_a_table_and_a_drawing_of_the_same_numbers(world: World) -> None:
    days = world.intake.days
    for _ in range(12):
        days.count("delivered-server", world.now)
    days.count("delivered-source", world.now)
    world.now += DAY_SECONDS
    text = page(world.intake, "/statistics").text
    assert '<td class="num">12</td>' in text
    assert '<td class="num">1 to 9</td>' in text
    drawing = re.search(r"<svg.*?</svg>", text, re.DOTALL)
    assert drawing is not None
    tree = ElementTree.fromstring(drawing[0])
    assert tree.attrib["role"] == "img"
    assert {"chart-title", "chart-told"} <= {part.attrib.get("id") for part in tree}
    [bar] = tree.iter("rect")
    assert "12 messages sealed here" in "".join(bar.itertext())


def test_today_is_not_shown(world: World) -> None:
    world.intake.days.count("commits", world.now)
    assert "No day is over yet" in page(world.intake, "/statistics").text


def test_texts_are_shown_as_sources_see_them_and_changes_are_told(world: World) -> None:
    (world.folder / TEXTS_FILE).write_text(TEXTS)
    intake = replace(world.intake, definition=load_definition(world.folder))
    text = page(intake, "/texts/en").text
    assert "The port" in text
    assert "there is no text in English" in text
    assert "have changed" not in text
    (world.folder / TEXTS_FILE).write_text("titel: {en: x}\n")
    text = page(intake, "/texts").text
    assert "have changed since the door started" in text
    assert "titel" in text


def test_hostile_texts_stay_texts(world: World) -> None:
    (world.folder / TEXTS_FILE).write_text('title: {en: "<script>alert(1)</script>"}\n')
    intake = replace(world.intake, definition=load_definition(world.folder))
    assert "<script>" not in page(intake, "/texts").text


def test_nothing_on_the_staff_site_acts(world: World) -> None:
    assert {route.method for route in routes(world.intake)} == {"GET"}
    for path in ("/", "/statistics", "/texts", "/texts/ar"):
        text = page(world.intake, path).text
        assert "<form" not in text
        assert "<button" not in text


def test_an_unknown_language_is_not_found(world: World) -> None:
    assert page(world.intake, "/texts/tlh").status_code == 404


def test_the_public_site_shows_nothing_of_it(world: World) -> None:
    for path in ("/statistics", "/texts", "/staff"):
        assert ask(world, "GET", path).status_code == 404
