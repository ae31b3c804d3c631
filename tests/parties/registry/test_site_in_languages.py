"""The register in other languages: no sentence is left in English, and every link keeps to it.

A language is made up in which every sentence of the register is its English in brackets,
⟦like this⟧; whatever letters a page then shows outside of them are data, and stand where data
may stand: isolated, so that they read right among words that run the other way.
"""

import html
import re
from collections.abc import Iterator, Mapping
from gettext import NullTranslations
from html.parser import HTMLParser
from io import BytesIO
from pathlib import Path

import httpx
import pytest
from babel.messages.pofile import read_po
from tests.parties.registry.site_world import Lived, addresses, live

from safeconduct.parties.registry import tongue
from safeconduct.parties.registry.site import make_site
from safeconduct.plumbing import languages, pages, tongues, web
from safeconduct.plumbing.languages import LANGUAGES, Catalogue

TEMPLATES = Path(str(tongue.__file__)).parent / "templates"
SENTENCES = TEMPLATES.parent / "locales" / "de.po"
MADE_UP = "pl"  # is spoken in brackets here, where a test says so
FIRST_SEARCH_SECONDS = 300

DATA_IN = frozenset({"bdi", "code", "pre", "time", "svg", "style", "title", "textarea"})
VOID = frozenset({"br", "input", "link", "meta", "img", "hr"})
NAMES_OF_THINGS = frozenset({"SHA-256", "JSON", "CSV", "FollowTheMoney"})


class Bracketed(NullTranslations):
    """Every sentence that translators are given as it is in English, in brackets."""

    known = frozenset(
        one.id for one in read_po(BytesIO(SENTENCES.read_bytes())) if isinstance(one.id, str)
    )

    def gettext(self, message: str) -> str:
        return f"⟦{message}⟧" if message in self.known else message

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return f"⟦{msgid1 if n == 1 else msgid2}⟧"


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lived]:
    with pytest.MonkeyPatch.context() as patch:
        yield live(tmp_path_factory.mktemp("register"), patch)


@pytest.fixture(scope="module")
def site(lived: Lived) -> Iterator[httpx.Client]:
    with (
        web.running(make_site(lived.world.registry)) as url,
        httpx.Client(base_url=url, timeout=FIRST_SEARCH_SECONDS, trust_env=False) as client,
    ):
        yield client


@pytest.fixture
def bracketed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """While it lasts, Polish is English in brackets."""
    real = languages.catalogue

    def catalogue(package: str, language: str) -> Catalogue:
        if (package, language) != (tongue.PACKAGE, MADE_UP):
            return real(package, language)
        return Catalogue(language=language, translations=Bracketed())

    for module in (pages, tongues):
        monkeypatch.setattr(module, "catalogue", catalogue)
    pages._environment.cache_clear()
    yield
    pages._environment.cache_clear()


def paths(lived: Lived) -> Mapping[str, str]:
    """Every page of this register, by name."""
    cases = lived.world.registry.store.cases()
    numbered = {f"case {one.number}": f"/case/{one.page.hex()}" for one in cases}
    more = {
        "found": "/search?q=petrow",
        "law, struck": "/law/2",
        "nobody": "/person/r-9999",
        "no law": "/law/99",
        "no case": f"/case/{'ab' * 32}",
    }
    return addresses(lived) | numbered | more


# No sentence is left in English.


class Plain(HTMLParser):
    """The text of a page outside of everything that holds data."""

    def __init__(self) -> None:
        super().__init__()
        self.text: list[str] = []
        self._open: list[tuple[str, bool]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag not in DATA_IN:
            self.text.append(given.get("aria-label") or "")
        if tag in VOID:
            return
        marked = {"dir", "lang"} & set(given) and tag != "html"
        hashed = given.get("class") in {"hash", "site"}
        self._open.append((tag, bool(marked or hashed or tag in DATA_IN)))

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        if not any(is_data for _, is_data in self._open):
            self.text.append(data)


def left_over(page: str) -> list[str]:
    """The words of a page that no catalogue knows, and that are no data."""
    plain = Plain()
    plain.feed(page)
    text = " ".join(plain.text)
    while (inner := re.sub(r"⟦[^⟦⟧]*⟧", " ", text)) != text:
        text = inner
    words = re.findall(r"[^\W\d_][\w-]*", text)
    return [word for word in words if word not in NAMES_OF_THINGS]


@pytest.mark.usefixtures("bracketed")
def test_no_page_shows_a_sentence_that_cannot_be_translated(
    lived: Lived, site: httpx.Client
) -> None:
    spoken_by_the_law = {"try"}  # its words are those of protocol/statute/wording
    left = {
        name: left_over(site.get(f"/{MADE_UP}{path}").text)
        for name, path in paths(lived).items()
        if name not in spoken_by_the_law
    }
    assert {name: words for name, words in left.items() if words} == {}


_SPOKEN = re.compile(
    r"\{#.*?#\}|\{% block width %\}wide|\{%-?\s*trans\b.*?endtrans\s*-?%\}|\{%.*?%\}"
    r"|\{\{.*?\}\}|<code.*?</code>",
    re.DOTALL,
)
_SHOWN = re.compile(r'(?:aria-label|placeholder|alt|title)="([^"]*)"|>([^<>]*)<')


@pytest.mark.parametrize(
    "template",
    sorted(one.name for one in TEMPLATES.glob("*.html") if one.name != "letter.html"),
)
def test_no_template_holds_a_sentence_that_cannot_be_translated(template: str) -> None:
    rest = _SPOKEN.sub(" ", (TEMPLATES / template).read_text())
    shown = " ".join(part for pair in _SHOWN.findall(f">{rest}<") for part in pair)
    words = re.findall(r"[^\W\d_][\w-]+", html.unescape(shown))
    known = {*NAMES_OF_THINGS, "json", "statute-", "facts", "object", "unsealed", "tlog-proof"}
    known |= {"register", "csv", "ftm", "jsonl", "delta", "statute"}  # of files
    assert [word for word in words if word not in known] == []


# The language is kept, and can be changed.


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_page_says_its_language_and_direction(
    lived: Lived, site: httpx.Client, language: str
) -> None:
    way = "rtl" if language in ("ar", "fa") else "ltr"
    for name, path in paths(lived).items():
        shown = site.get(path if language == "en" else f"/{language}{path}").text
        assert f'<html lang="{language}" dir="{way}">' in shown, name


def test_every_link_to_a_page_keeps_the_language(lived: Lived, site: httpx.Client) -> None:
    kept = re.compile(r"/(?:style\.css|feeds/\w|(?:case|listing|decision|law)/[^\"]*\.\w|en/)")
    for name, path in paths(lived).items():
        shown = re.sub(
            r'<nav class="tongues".*?</nav>', "", site.get(f"/de{path}").text, flags=re.S
        )
        found = re.findall(r'(?:href|action)="(/[^"]*)"', shown)
        strays = [
            one
            for one in found
            if not one.startswith("/de/") and not kept.match(one) and "-letter." not in one
        ]
        assert not strays, name


def test_every_page_links_to_itself_in_every_other_language(
    lived: Lived, site: httpx.Client
) -> None:
    for name, path in paths(lived).items():
        shown = html.unescape(site.get(f"/ar{path}").text)
        offered = re.findall(r'<li><a href="([^"]*)" lang="(\w+)" hreflang', shown)
        if name in {"nobody", "no law", "no case", "lost", "refused"}:
            assert offered == [], name
            continue
        wanted = [
            (path if code == "en" else f"/{code}{path}", code)
            for code in LANGUAGES
            if code != "ar"
        ]
        assert offered == wanted, name


def test_english_stays_at_the_plain_addresses(lived: Lived, site: httpx.Client) -> None:
    for name, path in paths(lived).items():
        links = re.findall(r'(?:href|action)="(/[^"]*)"', site.get(path).text)
        prefixed = [one for one in links if one[1:].partition("/")[0] in LANGUAGES]
        assert len(prefixed) in (0, len(LANGUAGES) - 1), name


@pytest.mark.parametrize(
    "path", ["/xx/", "/xx/search", "/en-US/law", "/DE/", "/de", "/de/de/", "/..%2f/law"]
)
def test_there_is_nothing_in_a_language_that_is_none_of_ours(
    site: httpx.Client, path: str
) -> None:
    assert site.get(path).status_code == 404


def test_an_address_cannot_make_the_switch_lead_elsewhere(site: httpx.Client) -> None:
    for path in ("/de//evil.example/", "/de/%2f%2fevil.example", "//evil.example/de/"):
        answer = site.get(f"{str(site.base_url).rstrip('/')}{path}")
        assert answer.status_code == 404
        assert "evil" not in answer.text


def test_no_page_sets_a_cookie_or_may_be_kept(lived: Lived, site: httpx.Client) -> None:
    for path in paths(lived).values():
        answer = site.get(f"/fr{path}")
        assert "set-cookie" not in answer.headers
        assert answer.headers["cache-control"] == "no-store"


def test_what_a_form_sends_keeps_the_language(lived: Lived, site: httpx.Client) -> None:
    page = lived.listings.page(1).hex()
    answer = site.post(f"/uk/listing/{page}/consent", data={"shown": "yes"})
    assert (answer.status_code, answer.headers["location"]) == (303, f"/uk/listing/{page}")
    refused = site.post(f"/uk/listing/{page}/appeal", data={"ground": "x", "text": "y"})
    assert (refused.status_code, '<html lang="uk"' in refused.text) == (400, True)
    tried = site.post("/uk/law/2/try", data={"do": "judge"})
    assert '<form method="post" action="/uk/law/2/try">' in tried.text
    assert 'class="tongues"' not in tried.text, "a form that was sent cannot be asked for again"


def test_a_form_to_a_language_that_is_none_of_ours_does_nothing(
    lived: Lived, site: httpx.Client
) -> None:
    page = lived.listings.page(1).hex()
    before = site.get(f"/listing/{page}").text
    answer = site.post(f"/xx/listing/{page}/reply", data={"text": "In no language of ours."})
    assert answer.status_code == 404
    assert site.get(f"/listing/{page}").text == before
