"""What a listing does is told in the words of the law: in letters and on pages."""

import html
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from tests.parties.registry.listing_world import SUBJECT, Listings, open_listings

from safeconduct.parties.registry.site import make_site
from safeconduct.plumbing import web

ENGLISH = "exclusion from public office; exclusion from public contracts"
GERMAN = "Ausschluss von öffentlichen Ämtern; Ausschluss von öffentlichen Aufträgen"


@pytest.fixture
def listings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Listings:
    return open_listings(tmp_path, monkeypatch)


@pytest.fixture
def site(listings: Listings) -> Iterator[httpx.Client]:
    with (
        web.running(make_site(listings.registry)) as url,
        httpx.Client(base_url=url, timeout=300, trust_env=False) as client,
    ):
        yield client


# The law speaks English and German: who reads neither is told in its first language.
LETTERS = {"en": ENGLISH, "de": GERMAN, "uk": ENGLISH}


@pytest.mark.parametrize("language", LETTERS)
def test_the_notice_tells_the_effects_in_the_words_of_the_law(
    listings: Listings, language: str
) -> None:
    listings.proposed(language=language)
    letter = listings.notified().letter.with_suffix(".txt").read_text(encoding="utf-8")
    assert LETTERS[language] in letter
    assert "no_public" not in letter


def test_the_page_of_the_listing_and_that_of_the_person_tell_them_too(
    listings: Listings, site: httpx.Client
) -> None:
    listings.effective()
    for path, told in (
        (f"/listing/{listings.page().hex()}", ENGLISH),
        (f"/de/listing/{listings.page().hex()}", GERMAN),
        (f"/person/{SUBJECT}", ENGLISH),
        (f"/de/person/{SUBJECT}", GERMAN),
    ):
        shown = html.unescape(site.get(path).text).replace("<bdi>", "").replace("</bdi>", "")
        assert told in shown, path


def test_of_several_effects_only_those_of_the_file_are_told(listings: Listings) -> None:
    listings.proposed(effects=["no_public_contract"])
    letter = listings.notified().letter.with_suffix(".txt").read_text(encoding="utf-8")
    assert "exclusion from public contracts" in letter
    assert "public office" not in letter
