"""What the console tells a member in a hurry: what is stuck, what failed, how far a case is."""

from collections.abc import Callable, Iterator
from html import unescape
from pathlib import Path

import pytest
from tests.parties.board.console_world import (
    ANNA,
    BORIS,
    CLARA,
    Browser,
    ConsoleWorld,
    served,
)

from safeconduct.protocol.canonical import Json

Browsers = Callable[..., Browser]
AGREE = {"vote": "agree", "after": "0"}


@pytest.fixture
def world(tmp_path: Path) -> ConsoleWorld:
    world = ConsoleWorld(folder=tmp_path)
    world.pull()
    return world


@pytest.fixture
def browser(world: ConsoleWorld) -> Iterator[Browsers]:
    with served(world) as browsers:
        yield browsers


def address(world: ConsoleWorld) -> str:
    return f"/dockets/{world.file().kept.hash.hex()}"


def test_a_case_that_the_register_cannot_offer_is_shown_with_what_to_do(
    world: ConsoleWorld, browser: Browsers
) -> None:
    reason, hint = "event: no <b>joined</b>", "the register's database is spoilt"
    world.register.trouble = [{"case": 3, "hint": hint, "reason": reason}]
    world.pull()
    seen = browser(ANNA).get("/").text
    assert "Case 7" in seen
    assert "<strong>Case 3</strong>: event: no &lt;b&gt;joined&lt;/b&gt;" in seen
    assert f"What to do: {unescape(hint)}" in unescape(seen)
    world.register.trouble = []
    world.pull()
    assert "Cannot be shown" not in browser(ANNA).get("/").text


NO_TROUBLE: dict[str, Json] = {
    "a word": "Case 3",
    "without a hint": {"case": 3, "reason": "spoilt"},
    "a number for a reason": {"case": 3, "hint": "", "reason": 7},
    "true for a case": {"case": True, "hint": "", "reason": ""},
}


@pytest.mark.parametrize("what", NO_TROUBLE)
def test_a_register_that_names_no_case_is_not_believed(world: ConsoleWorld, what: str) -> None:
    world.register.trouble = [NO_TROUBLE[what]]
    world.pull()
    assert "not the fields of a case in trouble" in world.console.memory.trouble
    assert world.console.memory.stuck == ()


def test_a_round_that_failed_says_what_to_do(world: ConsoleWorld, browser: Browsers) -> None:
    world.register.away = True
    world.pull()
    seen = browser(ANNA).get("/").text
    assert "the register does not answer" in seen
    assert "What to do: start it" in seen


def test_the_page_says_how_far_a_case_is_and_keeps_the_vote_to_be_changed(
    world: ConsoleWorld, browser: Browsers
) -> None:
    where, anna, boris = address(world), browser(ANNA), browser(BORIS)
    assert (
        "<strong>Votes</strong>: now<br>0 of 3 are in; 2 for one outcome"
        in anna.get(where).text
    )
    reasons = 'It says "so" & more.'
    anna.act(f"{where}/vote", vote="agree", after="0", reasons=reasons)
    seen = anna.get(where).text
    assert 'value="agree" required checked' in seen
    assert reasons in unescape(seen).partition('id="reasons"')[2].partition("</textarea>")[0]
    assert "<button>Change your vote</button>" in seen
    assert 'value="agree" required checked' not in boris.get(where).text
    listed = boris.get("/").text
    assert BORIS in listed.partition("not yet: ")[2].partition("</dd>")[0]
    assert ANNA not in listed.partition("not yet: ")[2].partition("</dd>")[0]
    boris.act(f"{where}/vote", **AGREE)
    assert "<strong>Draft</strong>: now" in boris.get(where).text
    clara = browser(CLARA)
    assert "<strong>Votes</strong>: now" in clara.get(where).text
    boris.act(f"{where}/draft", outcome="acquitted", without="yes")
    assert "<strong>Signatures</strong>: now<br>0 of 2 are here" in anna.get(where).text
