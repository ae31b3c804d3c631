"""One door, one walk through its pages, one browser of each kind: for each file of tests.

Not for the whole run: an idle browser takes a tenth of a core from whatever comes after it.
"""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Playwright, sync_playwright
from tests.browser import axe as axe_of_npm
from tests.browser.browsers import launch
from tests.browser.door import Door, open_door
from tests.browser.pages import Replay, replayed

Launch = Callable[[str, bool], Browser]


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    """A door with a mailbox in which much has happened."""
    with open_door(tmp_path_factory.mktemp("door")) as opened:
        yield opened


@pytest.fixture(scope="module")
def replay(door: Door) -> Iterator[Replay]:
    """Every page in every language, to be looked at."""
    with replayed(door) as opened:
        yield opened


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="module")
def browsers(playwright: Playwright) -> Iterator[Launch]:
    """Gives a browser by its name and by whether scripts run in it; each starts once."""
    started: dict[tuple[str, bool], Browser] = {}

    def browser(name: str, scripts: bool) -> Browser:
        if (name, scripts) not in started:
            started[name, scripts] = launch(playwright, name, scripts=scripts)
        return started[name, scripts]

    yield browser
    for each in started.values():
        each.close()


@pytest.fixture(scope="module")
def axe(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The script of axe-core."""
    return axe_of_npm.install(tmp_path_factory.mktemp("axe"))
