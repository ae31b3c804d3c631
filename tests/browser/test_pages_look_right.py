"""Every page in every language, in both browsers: it fits, axe is content, nothing strays.

The pictures stay in build/screenshots, to be looked at by people.
"""

from collections.abc import Callable, Mapping
from functools import cache
from itertools import pairwise

import pytest
from tests.browser.browsers import CHROMIUM, FIREFOX
from tests.browser.conftest import Launch
from tests.browser.judging import PICTURES, Look, Thoroughly, look_at_all
from tests.browser.pages import REFUSED, Replay

from safeconduct.plumbing.languages import LANGUAGES
from safeconduct.plumbing.pages import style

Looks = Callable[[str, str], Mapping[str, Look]]

BOTH = (CHROMIUM, FIREFOX)
THOROUGH = {CHROMIUM: LANGUAGES, FIREFOX: ("en", "ar")}
"""By browser, the languages in which all is looked at: in Firefox, one for each direction."""
PAGE_BYTES_MAX = 30_000
WORDS_OF_A_SENTENCE = 4
LONG = {"text, too long"}  # it gives a text of 100,000 characters back


@pytest.fixture(scope="module")
def looks(browsers: Launch, replay: Replay, request: pytest.FixtureRequest) -> Looks:
    """Gives all that was seen of a language's pages in a browser; each is looked at once."""

    @cache
    def look(browser: str, language: str) -> Mapping[str, Look]:
        thoroughly = None
        if language in THOROUGH[browser]:
            thoroughly = Thoroughly(axe=request.getfixturevalue("axe"), pictures=PICTURES)
        return look_at_all(browsers(browser, True), replay, language, thoroughly)

    return look


def _against(looks: Mapping[str, Look], what: str) -> dict[str, object]:
    """By page, what is said against it."""
    found = {name: getattr(look, what) for name, look in looks.items()}
    return {name: each for name, each in found.items() if each}


by_language = pytest.mark.parametrize("language", LANGUAGES)
by_browser = pytest.mark.parametrize("browser", BOTH)


@by_language
def test_every_page_is_the_one_that_is_meant(replay: Replay, language: str) -> None:
    statuses = {name: page.status for name, page in replay.pages[language].items()}
    assert statuses == {name: REFUSED.get(name, 200) for name in statuses}
    assert statuses.keys() >= REFUSED.keys()


@by_language
def test_every_page_with_its_style_is_small(replay: Replay, language: str) -> None:
    sizes = {name: len(page.body) for name, page in replay.pages[language].items()}
    limit = PAGE_BYTES_MAX - len(style())
    assert {
        name: size for name, size in sizes.items() if size > limit and name not in LONG
    } == {}


@by_browser
@by_language
def test_nothing_reaches_over_the_edges(looks: Looks, browser: str, language: str) -> None:
    assert _against(looks(browser, language), "overflows") == {}


@pytest.mark.parametrize(
    ("browser", "language"),
    [(browser, language) for browser in BOTH for language in THOROUGH[browser]],
)
def test_axe_finds_nothing(looks: Looks, browser: str, language: str) -> None:
    assert _against(looks(browser, language), "violations") == {}


@by_browser
@by_language
def test_nothing_is_asked_of_anybody_else(looks: Looks, browser: str, language: str) -> None:
    assert _against(looks(browser, language), "strayed") == {}


@by_browser
@by_language
def test_the_browser_complains_about_nothing(looks: Looks, browser: str, language: str) -> None:
    assert _against(looks(browser, language), "complaints") == {}


@by_browser
@by_language
def test_nothing_is_left_in_the_browser(looks: Looks, browser: str, language: str) -> None:
    kept = {name: look.kept for name, look in looks(browser, language).items()}
    assert {name: each for name, each in kept.items() if each != ["", 0, 0]} == {}


@by_browser
def test_headings_are_an_outline(looks: Looks, browser: str) -> None:
    for name, look in looks(browser, "en").items():
        levels = look.headings
        assert levels.count(1) == 1, name
        assert levels[0] == 1, name
        assert all(after - before <= 1 for before, after in pairwise(levels)), (name, levels)


@pytest.mark.parametrize("language", [each for each in LANGUAGES if each != "en"])
def test_no_sentence_is_left_in_english(looks: Looks, language: str) -> None:
    english, translated = looks(CHROMIUM, "en"), looks(CHROMIUM, language)
    known = {each for look in english.values() for each in look.sentences if _is_sentence(each)}
    left = {name: sorted(look.sentences & known) for name, look in translated.items()}
    assert {name: each for name, each in left.items() if each} == {}


def _is_sentence(text: str) -> bool:
    words = [word for word in text.split() if any(map(str.isalpha, word))]
    return len(words) >= WORDS_OF_A_SENTENCE
