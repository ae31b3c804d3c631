"""The public register in Chromium and Firefox: every page, at a desk and on a phone.

No page has a script: they are opened where none may run, and judged by axe where one of ours
may. Pictures stay in build/screenshots.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache

import httpx
import pytest
from tests.browser.axe import judge
from tests.browser.browsers import CHROMIUM, FIREFOX, MODES, Visitor, visiting
from tests.browser.conftest import Launch
from tests.browser.judging import PICTURES
from tests.browser.looks import HEADINGS, OVERFLOW
from tests.parties.registry.site_world import Lived, addresses, live

from safeconduct.parties.registry.site import make_site
from safeconduct.plumbing import web

FIRST_SEARCH_SECONDS = 300
SIZES = {"wide": (1280, 900), "narrow": (360, 740)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A register that serves, and its pages by name."""

    url: str
    paths: Mapping[str, str]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with pytest.MonkeyPatch.context() as patch:
        lived = live(tmp_path_factory.mktemp("register"), patch)
        with web.running(make_site(lived.world.registry)) as url:
            # The first search loads the known forms of names, which takes seconds.
            httpx.get(f"{url}/search?q=Ada", timeout=FIRST_SEARCH_SECONDS, trust_env=False)
            yield Site(url=url, paths=_paths(lived))


def _paths(lived: Lived) -> dict[str, str]:
    [first, *_] = lived.world.registry.store.cases()
    paths = addresses(lived) | {
        "found, Arabic": "/search?q=muhammad+ahmad",
        "case": f"/case/{first.page.hex()}",
    }
    return paths | {f"{name}, in Arabic": f"/ar{paths[name]}" for name in IN_ARABIC}


IN_ARABIC = ("register", "listed", "decision", "law", "compare", "try", "case", "listing")
"""These are looked at from right to left too."""
STATUSES = {"lost": 404, "refused": 400}


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What was seen of one page; the lists are empty on a page as it should be."""

    status: int
    faults: tuple[str, ...]
    complaints: tuple[str, ...]
    headings: tuple[int, ...]


Looks = Callable[[str], Mapping[str, Look]]


@pytest.fixture(scope="module")
def looks(site: Site, browsers: Launch, axe: str) -> Looks:
    """Gives what was seen of each page in a browser; all are looked at once."""

    @cache
    def look(browser: str) -> Mapping[str, Look]:
        with visiting(browsers(browser, True)) as visitor:
            return {name: _look(visitor, site, name, axe) for name in site.paths}

    return look


def _look(visitor: Visitor, site: Site, name: str, axe: str) -> Look:
    visitor.complaints.clear()
    visitor.requests.clear()
    visitor.resize(*SIZES["wide"])
    status = visitor.open(site.url + site.paths[name])
    headings = tuple(visitor.ask(HEADINGS))
    faults: list[str] = []
    for size, (width, height) in SIZES.items():
        visitor.resize(width, height)
        _keep(visitor, f"{name}-{size}")
    for width, height in SIZES.values():
        visitor.resize(width, height)
        faults += visitor.ask(OVERFLOW)  # it unfolds what is folded
        faults += judge(visitor, axe)
    return Look(
        status=status,
        faults=tuple(faults),
        complaints=(*visitor.said(), *visitor.strayed(site.url)),
        headings=headings,
    )


def _keep(visitor: Visitor, name: str) -> None:
    folder = PICTURES / visitor.browser_name / "register"
    folder.mkdir(parents=True, exist_ok=True)
    picture = name.replace(", ", "-").replace(" ", "-")
    (folder / f"{picture}.png").write_bytes(visitor.picture())


by_browser = pytest.mark.parametrize("browser", [CHROMIUM, FIREFOX])


@by_browser
def test_every_page_fits_and_axe_is_content(looks: Looks, browser: str) -> None:
    assert {name: look.faults for name, look in looks(browser).items() if look.faults} == {}


@by_browser
def test_every_page_is_the_one_that_is_meant(looks: Looks, browser: str) -> None:
    seen = looks(browser)
    assert {name: look.status for name, look in seen.items()} == {
        name: STATUSES.get(name, 200) for name in seen
    }
    assert {name: look.complaints for name, look in seen.items() if look.complaints} == {}


@by_browser
def test_every_page_has_one_heading_at_its_top(looks: Looks, browser: str) -> None:
    for name, look in looks(browser).items():
        assert look.headings[0] == 1, name
        assert look.headings.count(1) == 1, name
        steps = zip(look.headings, look.headings[1:], strict=False)
        assert all(after - before <= 1 for before, after in steps), (name, look.headings)


@pytest.mark.parametrize(("browser", "scripts"), [mode for mode in MODES if not mode[1]])
def test_without_any_script_a_person_searches_reads_and_tries_the_law(
    site: Site, browsers: Launch, browser: str, scripts: bool
) -> None:
    launched = browsers(browser, scripts)
    with visiting(launched, scripts=scripts, size=SIZES["narrow"]) as visitor:
        visitor.open(f"{site.url}/")
        visitor.type("#q", "vladimir petrov")
        visitor.press("form[role=search] button")
        visitor.follow("/person/r-0006")
        assert "Владимир Петров" in visitor.text()
        visitor.open(f"{site.url}/law/2/try")
        visitor.button("/law/2/try", "do", "fill")
        visitor.button("/law/2/try", "do", "judge")
        assert "You are acquitted from the registration." in visitor.text()
        assert visitor.said() == []
        assert visitor.strayed(site.url) == []
