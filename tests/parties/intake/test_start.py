"""The pages that a link leads to, in every language."""

import re
from collections.abc import Iterator
from html import unescape

import httpx
import pytest
from tests.parties.intake.door_world import NOW, World, ask, open_world
from tests.parties.intake.page_rules import check_page
from tests.parties.intake.walking import seen
from tests.protocol import builders

from safeconduct.parties.intake import client
from safeconduct.plumbing.languages import LANGUAGES, direction
from safeconduct.plumbing.pages import style

PATHS = ("/", "/protection", "/law", "/proof", "/ways", "/client", "/tell")


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with open_world(tmp_path_factory.mktemp("door")) as world:
        yield world


@pytest.fixture
def world(opened: World) -> Iterator[World]:
    """The one door of this module, put back as it was after each test."""
    yield opened
    opened.now, opened.entries = NOW, builders.gazette_entries()
    opened.gazette_away = opened.ledger.away = False


# What holds for every page.


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_page_is_small_marked_as_its_language_and_offered_in_all_others(
    language: str, path: str, world: World
) -> None:
    answer = ask(world, "GET", f"/{language}{path}")
    assert answer.status_code == 200
    check_page(answer)
    html = seen(answer.text).all("html")[0]
    assert (html["lang"], html["dir"]) == (language, direction(language))
    links = seen(answer.text).all("a")
    offered = {str(each["lang"]): each for each in links if each.get("hreflang")}
    assert set(offered) == set(LANGUAGES) - {language}
    assert all(each["href"] == f"/{code}{path}" for code, each in offered.items())


@pytest.mark.parametrize("language", ["en", "fa"])
def test_every_link_of_a_page_leads_to_a_page(language: str, world: World) -> None:
    for path in ("/", "/ways", "/proof"):
        links = seen(ask(world, "GET", f"/{language}{path}").text).all("a")
        inside = {str(each["href"]) for each in links if str(each["href"])[0] == "/"}
        gone = {link for link in inside if ask(world, "GET", link).status_code >= 400}
        assert not gone - {f"/{language}/sealed", f"/{language}/mail"}


BARE = {
    "/": ("fr", "/fr/"),
    "/law": ("ar-EG,ar;q=0.9", "/ar/law"),
    "/tell": ("fi,ru;q=0.5,en;q=0.2", "/ru/tell"),
    "/mail": ("xx", "/en/mail"),
}


@pytest.mark.parametrize("path", BARE)
def test_an_address_without_a_language_leads_to_the_one_asked_for(
    path: str, world: World
) -> None:
    accepted, place = BARE[path]
    answer = ask(world, "GET", path, headers={"accept-language": accepted})
    assert answer.status_code == 303
    assert answer.headers["location"] == place


@pytest.mark.parametrize("path", ["/xx/", "/en/nothing", "/en", "/EN/", "/%3Cscript%3E/"])
def test_an_address_of_no_page_is_refused_without_being_shown_again(
    path: str, world: World
) -> None:
    answer = ask(world, "GET", path)
    assert answer.status_code == 404
    assert "script" not in answer.text


# The first page.


def first_page(world: World, language: str = "en") -> str:
    return unescape(ask(world, "GET", f"/{language}/").text)


def test_the_first_page_shows_the_date_how_long_it_is_and_what_the_law_grants(
    world: World,
) -> None:
    page = first_page(world)
    assert "1 June 2027, 00:00:00 UTC" in page
    assert "Time left: 136 days 16 hours" in page
    assert "is acquitted from the registration. (§\xa03)" in page
    hrefs = [each["href"] for each in seen(page).all("a")]
    assert {"/en/ways", "/en/mail", "/en/protection", "/en/proof"} <= set(hrefs)


def test_after_the_date_the_first_page_says_that_it_has_passed(world: World) -> None:
    world.now = builders.THE_DATE
    page = first_page(world)
    assert "The law counted" in page
    assert "Time since then: 1 minute" in page


def test_without_an_open_desk_key_the_first_page_says_so(world: World) -> None:
    world.now = NOW + 30 * builders.DAY
    answer = ask(world, "GET", "/en/")
    assert "no key open now" in answer.text
    check_page(answer)


def test_before_any_law_the_first_page_says_that_nothing_can_be_sent(world: World) -> None:
    world.entries = builders.gazette_entries()[:1]
    answer = ask(world, "GET", "/en/")
    assert "No law has been published yet" in answer.text
    check_page(answer)
    for path in ("/en/law", "/en/proof"):
        missing = ask(world, "GET", path)
        assert missing.status_code == 404
        check_page(missing)


@pytest.mark.parametrize("language", LANGUAGES)
def test_when_the_gazette_is_away_the_page_asks_for_patience(
    language: str, world: World
) -> None:
    world.gazette_away = True
    answer = ask(world, "GET", f"/{language}/")
    assert answer.status_code == 503
    check_page(answer)
    assert f'href="/{language}/"' in answer.text


# The law and the proof.


LAW_LANGUAGES = {"en": "en", "de": "de", "fr": "en", "ar": "en", "fa": "en"}


@pytest.mark.parametrize("language", LAW_LANGUAGES)
def test_the_law_is_marked_as_the_language_that_it_is_shown_in(
    language: str, world: World
) -> None:
    written = LAW_LANGUAGES[language]
    for path in ("/", "/law"):
        made = seen(ask(world, "GET", f"/{language}{path}").text)
        marked = [each for each in made.all("ul", "h1", "dl", "span") if each.get("lang")]
        assert marked
        assert {(each["lang"], each["dir"]) for each in marked} == {(written, "ltr")}
    page = unescape(ask(world, "GET", f"/{language}/law").text)
    assert ("Gesetz über die Entlassung" in page) == (written == "de")
    assert 'id="s-2"' in page


def test_a_page_of_the_law_that_does_not_exist_is_a_page_that_says_so(world: World) -> None:
    for number, status in (("99", 404), ("0", 404), ("-1", 400), ("x", 400)):
        answer = ask(world, "GET", f"/en/law?page={number}")
        assert answer.status_code == status
        check_page(answer)


def test_the_proof_page_shows_the_values_of_the_gazette(world: World) -> None:
    page = unescape(ask(world, "GET", "/en/proof").text)
    view = world.gazette()
    for value in (
        view.state.statutes[0].sha256.hex(),
        view.state.epochs[0].hash.hex(),
        view.cosigned.checkpoint.tree.root_hash.hex(),
        view.checkpoint.decode(),
        "ours</bdi>, 15 January 2027",
        "theirs</bdi>, 15 January 2027",
    ):
        assert value in page


def test_the_ways_are_told_apart_before_there_is_anything_to_type(world: World) -> None:
    answer = ask(world, "GET", "/en/ways")
    made = seen(answer.text)
    assert not made.all("form", "input", "textarea")
    assert made.text.count("This server reads nothing") == 2
    assert "This server reads what you enter" in made.text


# The program.


OFFERED = client.Offered(
    platform="any-<b>", version='1.0"', sha256=bytes(range(32)), size=24_000_000
)


def test_an_offered_program_is_shown_with_its_hash_and_how_to_check_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "offered", lambda _: [OFFERED])
    answer = ask(world, "GET", "/en/client")
    check_page(answer)
    made = seen(answer.text)
    assert not made.all("b")
    assert bytes(range(32)).hex() in made.text
    assert "24 MB" in made.text
    assert f"sha256sum safeconduct-source-{OFFERED.version}-{OFFERED.platform}.pyz" in made.text


def test_without_an_offered_program_the_page_says_so(world: World) -> None:
    assert "No file is offered" in ask(world, "GET", "/en/client").text


# The style.


def test_the_style_fetches_nothing_and_uses_logical_properties_only() -> None:
    sheet = style().decode()
    assert len(sheet) <= 12_000
    assert not re.search(r"url\(|@import|@font-face|https?:", sheet)
    assert not re.search(r"\b(margin|padding|border|text-align:)[- ](left|right)", sheet)
    assert "prefers-color-scheme: dark" in sheet
    assert ":focus-visible" in sheet


def test_nothing_that_a_visitor_typed_or_must_keep_is_printed() -> None:
    printed = style().decode().partition("@media print")[2]
    hidden = re.search(r"([^{}]*)\{ display: none; \}", printed)
    assert hidden is not None
    kept_back = {each.strip() for each in hidden[1].replace("}", "").split(",")}
    assert {".words", "input", "textarea", "button", "nav"} <= kept_back


SCHEMES = {"light": r":root \{\n  color-scheme(.*?)\}", "dark": r"dark\) \{\n  :root \{(.*?)\}"}
READ_ON = [
    *((ink, "paper") for ink in ("ink", "soft", "mark", "bad", "good")),
    *((ink, "sheet") for ink in ("ink", "soft", "mark", "bad", "good")),
    *(("ink", ground) for ground in ("tint", "blush", "sand")),
    ("wait", "sand"),
    ("bad", "blush"),
    ("on-mark", "mark"),
]


def luminance(colour: str) -> float:
    digits = colour * 2 if len(colour) == 3 else colour
    parts = [int(digits[place : place + 2], 16) / 255 for place in (0, 2, 4)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("scheme", SCHEMES)
def test_every_text_stands_out_from_its_ground_as_wcag_2_2_asks(scheme: str) -> None:
    block = re.search(SCHEMES[scheme], style().decode(), re.S)
    assert block is not None
    colours = dict(re.findall(r"--([\w-]+): #([0-9a-f]{3,6});", block[1]))
    for ink, ground in READ_ON:
        lighter, darker = sorted((luminance(colours[ink]), luminance(colours[ground])))[::-1]
        assert (lighter + 0.05) / (darker + 0.05) >= 4.5, (scheme, ink, ground)


def test_the_style_is_served_as_one(world: World) -> None:
    answer: httpx.Response = ask(world, "GET", "/style.css")
    assert answer.headers["content-type"] == "text/css; charset=utf-8"
    assert answer.content == style()
