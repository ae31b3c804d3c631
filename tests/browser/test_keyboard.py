"""Tab alone: it reaches everything, in the order in which the page is read, and is seen."""

from itertools import pairwise
from typing import Any

import pytest
from tests.browser.browsers import CHROMIUM, FIREFOX, Visitor, visiting
from tests.browser.conftest import Launch
from tests.browser.looks import STOP, STOPS
from tests.browser.pages import Replay

WINDOW = (1024, 1400)
ROW_PX = 12  # boxes of one line overlap by this much at least
LANGUAGES = ("en", "ar")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("browser", [CHROMIUM, FIREFOX])
def test_tab_reaches_all_in_reading_order_and_is_seen(
    browser: str, language: str, browsers: Launch, replay: Replay
) -> None:
    found: dict[str, list[str]] = {}
    with visiting(browsers(browser, True), size=WINDOW) as visitor:
        for name in replay.pages[language]:
            visitor.open(replay.address(language, name))
            found[name] = _against(visitor, leftwards=language == "ar")
    assert {name: faults for name, faults in found.items() if faults} == {}


def _against(visitor: Visitor, *, leftwards: bool) -> list[str]:
    """What is wrong with the way of the focus through a page."""
    wanted: int = visitor.ask(STOPS)
    stops = _tabbed(visitor, wanted)
    unseen = [f"not seen: {stop['what']}" for stop in stops if not stop["seen"]]
    bare = [f"no ring: {stop['what']}" for stop in stops if not stop["ring"]]
    back = [
        f"{after['what']} after {before['what']}"
        for before, after in pairwise(stops[1:])  # the first skips to the content
        if not _follows(before, after, leftwards)
    ]
    different = len({stop["place"] for stop in stops})
    missed = [] if different == wanted else [f"{different} stops of {wanted}"]
    return [*unseen, *bare, *back, *missed]


def _tabbed(visitor: Visitor, times: int) -> list[dict[str, Any]]:
    """The stops of Tab; one more would leave the page for the browser's own buttons."""
    stops: list[dict[str, Any]] = []
    for _ in range(times):
        visitor.page.keyboard.press("Tab")
        stop = visitor.ask(STOP)
        if stop is None:
            break
        stops.append(stop)
    return stops


def _follows(before: dict[str, Any], after: dict[str, Any], leftwards: bool) -> bool:
    """Whether `after` comes later where people read: below, or further along the line."""
    if after["top"] >= before["bottom"] - ROW_PX:
        return True
    if before["inline"] and after["inline"]:  # a sentence may run either way
        return True
    same_line = after["bottom"] > before["top"] + ROW_PX
    along = before["left"] - after["left"] if leftwards else after["left"] - before["left"]
    return bool(same_line and along >= -1)


@pytest.mark.parametrize("browser", [CHROMIUM, FIREFOX])
def test_the_first_stop_skips_to_the_content(
    browser: str, browsers: Launch, replay: Replay
) -> None:
    with visiting(browsers(browser, True), size=WINDOW) as visitor:
        visitor.open(replay.address("en", "law"))
        visitor.page.keyboard.press("Tab")
        visitor.page.keyboard.press("Enter")
        assert visitor.ask("() => document.activeElement.id") == "content"
