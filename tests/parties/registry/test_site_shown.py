"""What the register's site shows of people, laws and decisions, and what it never shows."""

import html
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest
from tests.parties.registry.listing_world import ASSESSMENT, Listings, open_listings
from tests.parties.registry.register_world import World, open_world
from tests.parties.registry.site_world import (
    APPEALED,
    DISSENT,
    LISTED,
    OPEN,
    OPEN_NAME,
    QUASHED,
    QUASHED_NAME,
    SEALED,
    UPHELD,
    UPHELD_NAME,
    Lived,
    live,
    striking_law,
)
from tests.protocol import builders

from safeconduct.parties.registry import pages, search
from safeconduct.parties.registry.book import BOOK_SECONDS, Reader
from safeconduct.parties.registry.decide import finalise
from safeconduct.parties.registry.site import make_site
from safeconduct.plumbing import web
from safeconduct.plumbing.statute_form import FORM_BYTES_MAX

NEVER_DECIDED = "ab" * 32


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lived]:
    with pytest.MonkeyPatch.context() as patch:
        search.prepare()
        yield live(tmp_path_factory.mktemp("register"), patch)


@pytest.fixture(scope="module")
def site(lived: Lived) -> Iterator[httpx.Client]:
    with (
        web.running(make_site(lived.world.registry)) as url,
        httpx.Client(base_url=url, timeout=300, trust_env=False) as client,
    ):
        yield client


def text(site: httpx.Client, path: str) -> str:
    answer = site.get(path)
    assert answer.status_code == 200, answer.text
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", answer.text)).split())


# Search.

QUERIES = {
    "a number": ("r-0006", "r-0006"),
    "a number in capitals": (" R-0006 ", "r-0006"),
    "a Cyrillic name in Latin letters": ("Vladimir Petrov", "r-0006"),
    "a Cyrillic name in German letters": ("Wladimir Petrow", "r-0006"),
    "a Cyrillic name as it is": ("Владимир Петров", "r-0006"),
    "an Arabic name in Latin letters": ("Muhammad al-Ahmad", "r-0007"),
    "an Arabic name as it is": ("محمد الأحمد", "r-0007"),
    "a Greek name in Latin letters": ("Alexandros Papadopoulos", "r-0008"),
    "a Latin name without its marks": ("Nguyen Van Duc", "r-0009"),
    "a Latin name in Cyrillic": ("Володимир Петренко", UPHELD),
}


@pytest.mark.parametrize(("query", "subject"), QUERIES.values(), ids=QUERIES)
def test_a_person_is_found(site: httpx.Client, query: str, subject: str) -> None:
    assert f'href="/person/{subject}"' in site.get("/search", params={"q": query}).text


HOSTILE = {
    "ten kilobytes": ("x" * 10_000, 400),
    "text that turns round": ("\u202e\u2066 \u200b", 400),
    "a script": ("<script>alert(1)</script>", 200),
    "a null": ("\0", 400),
    "a null within": ("Petrov\0<b>", 200),
    "braces": ("{{ 7*7 }}", 200),
    "a quotation mark": ('" autofocus onfocus=alert(1) x="', 200),
    "a percent sign": ("%' OR 1=1 --", 200),
    "no text at all": ("\udfff".encode("utf-8", "surrogatepass").decode("latin-1"), 200),
    "marks on marks": ("Z" + "\u0300" * 190, 200),
}


@pytest.mark.parametrize(("query", "status"), HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_query_gets_one_plain_answer(
    site: httpx.Client, query: str, status: int
) -> None:
    answer = site.get(f"/search?q={quote(query)}")
    assert answer.status_code == status
    assert answer.text.count('role="status"') <= 1
    assert "<script" not in answer.text
    assert 'onfocus=alert(1) x=""' not in answer.text
    assert "\0" not in answer.text
    assert "\u202e" not in answer.text
    assert ">49<" not in answer.text
    assert len(answer.text) < 20_000


def test_who_is_no_longer_listed_is_found_by_number_and_not_by_name(site: httpx.Client) -> None:
    assert QUASHED_NAME not in text(site, f"/search?q={QUASHED}")
    assert f"/person/{QUASHED}" not in site.get("/search", params={"q": QUASHED_NAME}).text
    assert "Ended" in text(site, f"/search?q={QUASHED}")


def test_a_name_published_later_is_found_as_well(lived: Lived) -> None:
    searcher = search.Searcher(Reader(lived.world.registry))
    assert searcher.look_up("Hovhannes Terian").found == ()
    lived.world.listed("r-0099", "Հովհաննես Տերյան")
    lived.world.now += BOOK_SECONDS
    assert [one.standing.subject for one in searcher.look_up("Hovhannes Terian").found] == [
        "r-0099"
    ]
    assert [one.standing.subject for one in searcher.look_up(OPEN_NAME).found][:1] == [OPEN]


# People.


def test_a_person_who_was_heard_has_the_whole_course_of_it(site: httpx.Client) -> None:
    shown = text(site, f"/person/{UPHELD}")
    decided = ("Appeal decided", "Appealed", "Decided")
    told = ("Ends", "Review", "Registered", *decided, "Replied", "Told of")
    places = [shown.index(f" {each} ", shown.index("History")) for each in told]
    assert places == sorted(places), "the newest stands first"
    assert "let the decision stand. By panel.example/dora, panel.example/emil." in shown
    assert "The ground of the appeal: fact." in shown
    assert "How the board voted" in shown
    assert "Against the entry The papers do not show it." in shown
    assert "How the appeal panel voted" in shown
    assert "by itself" in shown
    assert "exclusion from public office ; exclusion from public contracts" in shown


def test_a_tombstone_has_a_number_and_days_and_nothing_of_the_person(
    site: httpx.Client,
) -> None:
    shown = site.get(f"/person/{QUASHED}").text
    assert "This person is not listed" in shown
    assert 'class="status-none">Ended' in shown
    for secret in (QUASHED_NAME, "by a court", *ASSESSMENT.values()):
        assert secret not in shown
    assert "Registered</strong>" in shown, "that somebody was, and until when, stays"


def test_a_listing_ends_by_the_day_with_nobody_doing_anything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    listings = open_listings(tmp_path / "register", monkeypatch)
    listings.effective()
    registry = listings.registry
    with (
        web.running(make_site(registry)) as url,
        httpx.Client(base_url=url, timeout=300) as site,
    ):
        assert "Registered" in site.get("/person/r-0042").text
        assert "not listed" not in site.get("/person/r-0042").text
        listings.pass_time(6 * 366 * builders.DAY)
        shown = site.get("/person/r-0042").text
        assert "This person is not listed" in shown
        assert "Ended by time" in shown
        assert 'status-none">Ended' in site.get("/").text
        assert "how to claim" not in shown


def test_what_is_under_way_or_under_appeal_shows_nowhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    listings: Listings = open_listings(tmp_path / "register", monkeypatch)
    listings.decided()
    with (
        web.running(make_site(listings.registry)) as url,
        httpx.Client(base_url=url, timeout=300) as site,
    ):
        known, unknown = site.get("/person/r-0042"), site.get("/person/r-0043")
        assert (known.status_code, known.content) == (404, unknown.content)
        shown = site.get("/search?q=r-0042").text
        asked = shown.replace("/search?q=r-0042", "")  # the same search in another language
        assert asked.count("r-0042") == 2, "only as the question"


# The law.


def test_every_version_says_whether_it_is_in_force_and_what_was_struck(
    site: httpx.Client,
) -> None:
    shown = text(site, "/law")
    assert "In force" in shown
    assert "No longer in force" in shown
    assert "§ 5(2) , from 25 January 2027" in shown
    assert "by the version in force on the day when the public log dated the claim" in shown
    assert "§ 5(2) of this version was struck" in text(site, "/law/1")


def test_the_laws_own_cases_stand_beside_it(site: httpx.Client) -> None:
    shown = text(site, "/law/1")
    assert "a useful tip logged one second before the date acquits" in shown
    assert "Tips[0]: grade of the tip useful" in shown
    assert "This rests on § 3, 4(1)" in shown


def test_two_versions_stand_side_by_side_with_what_changes_for_whom(site: httpx.Client) -> None:
    shown = site.get("/law/compare?from=1&to=2").text
    assert "<ins>open,</ins>" in shown
    assert "Parameter, appeal period" in shown
    assert "For whom" in shown
    assert site.get("/law/compare?from=1&to=3").status_code == 404
    assert site.get("/law/compare").status_code == 400


def test_a_published_law_is_tried_and_nothing_is_kept(site: httpx.Client, lived: Lived) -> None:
    before = lived.world.held()
    filled = site.post("/law/2/try", data={"case": "0", "do": "fill"}).text
    names = re.findall(r'<select[^>]* name="([^"]+)"', filled)
    assert "f.grave_crime_proven" in names
    form = {
        "n.tips": "1",
        "l.tips.0.logged": "2027-05-01T00:00:00Z",
        "l.tips.0.author_proven": "true",
        "l.tips.0.acknowledged": "ok",
        "l.tips.0.grade": "useful",
        "do": "judge",
    }
    judged = site.post("/law/2/try", data=form).text
    assert "You are acquitted from the registration." in judged
    assert "<svg" in judged
    assert 'aria-label="Places"' in judged, "in the frame of this site"
    assert lived.world.held() == before


TRIALS: dict[str, tuple[dict[str, str], int]] = {
    "a value of another type": ({"f.grave_crime_proven": "perhaps", "do": "judge"}, 400),
    "a day before the law": ({"as_of": "1990-01-01T00:00:00Z", "do": "judge"}, 403),
    "a field that is too long": ({"as_of": "9" * 1_000, "do": "judge"}, 400),
    "a thousand items": ({"n.tips": "1000", "do": "judge"}, 400),
    "a form that is too long": ({"x": "y" * (FORM_BYTES_MAX + 1)}, 413),
    "a case that is none": ({"case": "900", "do": "fill"}, 400),
}


@pytest.mark.parametrize(("form", "status"), TRIALS.values(), ids=TRIALS)
def test_a_trial_that_cannot_be_judged_is_told_on_a_page(
    site: httpx.Client, form: dict[str, str], status: int
) -> None:
    answer = site.post("/law/2/try", data=form)
    assert answer.status_code == status
    assert 'href="/style.css"' in answer.text
    assert site.post("/law/9/try", data={"do": "judge"}).status_code == 404


# Decisions.


def test_a_decision_shows_votes_dissent_and_the_other_versions_result(
    site: httpx.Client, lived: Lived
) -> None:
    shown = text(site, f"/decision/{lived.decisions[OPEN]}")
    assert "board.example/clara For another outcome" in shown
    assert DISSENT in shown
    assert "version 2 , was applied to the same facts as well" in shown
    assert "What the claimant was told Decision 1" in shown
    assert "annulled, so not applied" in shown


def test_a_decision_on_appeal_shows_both_decisions_and_who_made_them(
    site: httpx.Client, lived: Lived
) -> None:
    shown = text(site, f"/decision/{lived.decisions[APPEALED]}")
    assert "The appeal panel replaced the first decision" in shown
    assert "First decision 27 March 2027" in shown
    assert "Appealed, on this ground: fact" in shown
    assert "panel.example/dora, panel.example/emil" in shown


def test_of_a_sealed_decision_no_confidential_fact_is_drawn(
    site: httpx.Client, lived: Lived
) -> None:
    answer = site.get(f"/decision/{lived.decisions[SEALED]}").text
    assert "what was read here is sealed" in answer
    assert "<svg" not in answer
    shown = text(site, f"/decision/{lived.decisions[SEALED]}")
    before_the_record = shown[: shown.index("The signed decision")]
    for secret in ("tips[0]", "grade of the tip", "acknowledgement", "grave crime proven: "):
        assert secret not in before_the_record
    assert "Confidential facts sealed" in shown
    assert "<svg" in site.get(f"/decision/{lived.decisions[OPEN]}").text


LAWS: dict[str, tuple[tuple[bytes, ...], str]] = {
    "one version": ((), ""),
    "a section struck": (
        (striking_law(),),
        "§ 5(2), by Constitutional Court, 12/27",
    ),
}


@pytest.mark.parametrize("name", LAWS)
def test_the_command_on_the_page_prints_the_hash_on_the_page(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    more, told = LAWS[name]
    entries = (*builders.gazette_entries(), *more)
    world = open_world(tmp_path / "register", monkeypatch, entries)
    world.listed("r-0001")
    claim = world.filed()
    world.now += 11 * builders.DAY if more else 0
    world.decided(claim)
    world.finished(claim)
    record = world.state().publications[-1]
    assert record.hash("statute") == world.state().statutes[0].sha256
    with (
        web.running(make_site(world.registry)) as url,
        httpx.Client(base_url=url, timeout=300) as site,
    ):
        shown = site.get(f"/decision/{record.hash('object').hex()}").text
        assert "could not be computed" not in shown
        assert told in shown
        for path, kept in re.findall(r'href="(/[^"]+)" download="([^"]+)"', shown):
            (tmp_path / kept).write_bytes(site.get(path).content)
    found = re.search(r'<code id="command">safeconduct ([^<]*)</code>', shown)
    assert found is not None
    command = [sys.executable, "-m", "safeconduct", *found[1].split()]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    tree = re.search(r'id="tree">([0-9a-f]{64})<', shown)
    assert tree is not None
    assert f"tree hash {tree[1]}" in run.stdout.splitlines(), run.stderr
    assert ("annulled: version 1, section 5(2)" in run.stdout) is bool(told)
    assert json.loads((tmp_path / "object.json").read_bytes())["type"] == "decision"


def test_a_decision_that_is_not_published_answers_like_one_that_never_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world: World = open_world(tmp_path / "register", monkeypatch)
    world.listed("r-0001")
    claim = world.filed()
    world.decided(claim)
    world.now += 31 * builders.DAY
    record = finalise(world.registry, claim)
    assert record is not None
    drafted = record.hash("object").hex()
    assert world.registry.store.object(record.hash("object")), "it is kept, and not published"
    with (
        web.running(make_site(world.registry)) as url,
        httpx.Client(base_url=url, timeout=300) as site,
    ):
        for path in ("/decision/{}", "/decision/{}/facts.json", "/decision/{}/object.json"):
            kept, never = (site.get(path.format(one)) for one in (drafted, NEVER_DECIDED))
            assert (kept.status_code, kept.content) == (404, never.content)
            assert dict(kept.headers) | {"date": ""} == dict(never.headers) | {"date": ""}


# Pages, errors, feeds.


def test_the_register_is_turned_page_by_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "LINES_SHOWN", 2)
    world = open_world(tmp_path / "register", monkeypatch)
    for number in range(1, 6):
        world.listed(f"r-000{number}")
    with (
        web.running(make_site(world.registry)) as url,
        httpx.Client(base_url=url, timeout=300) as site,
    ):
        for page, subjects in ((1, (1, 2)), (2, (3, 4)), (3, (5,))):
            shown = re.findall(r'<th scope="row"><a href="/person/r-000(\d)', _get(site, page))
            assert shown == [str(each) for each in subjects]
        assert 'rel="prev"' in _get(site, 3)
        assert 'rel="next"' not in _get(site, 3)
        for wrong in ("0", "4", "01", "-1", "x", "9" * 30, ""):
            assert site.get("/", params={"page": wrong}).status_code in (400, 404)


def _get(site: httpx.Client, page: int) -> str:
    return site.get("/", params={"page": str(page)}).text


LOST = {
    "nothing there": ("GET", "/nothing/there", 404),
    "a page that takes no form": ("POST", "/law", 405),
    "an address for forms": ("GET", "/claims", 405),
    "a person who is none": ("GET", "/person/nobody", 404),
    "a decision that is none": ("GET", "/decision/xyz", 404),
    "a law that is none": ("GET", "/law/99999999999999", 404),
}


@pytest.mark.parametrize(("method", "path", "status"), LOST.values(), ids=LOST)
def test_every_error_is_a_page_like_the_others(
    site: httpx.Client, method: str, path: str, status: int
) -> None:
    answer = site.request(method, path)
    assert answer.status_code == status
    assert 'href="/style.css"' in answer.text
    assert 'aria-label="Places"' in answer.text
    assert "To the register" in answer.text


def test_the_feeds_are_linked_from_every_page_and_explained(site: httpx.Client) -> None:
    shown = site.get("/feeds").text
    for path in ("/feeds/register.json", "/feeds/register.ftm.jsonl", "/feeds/register.csv"):
        assert f'href="{path}"' in shown
        assert f'href="{path}"' in site.get(f"/person/{OPEN}").text
        assert site.get(path).status_code == 200
    [delta] = re.findall(r'href="(/feeds/delta[^"]*)"', shown)
    assert site.get(delta).json()["add"] == []


def test_names_in_four_scripts_are_isolated_and_their_owners_direction_is_kept(
    site: httpx.Client,
) -> None:
    shown = site.get("/").text
    for name in (*LISTED.values(), UPHELD_NAME):
        assert f"<bdi>{name}</bdi>" in shown
    assert f'<h1 dir="auto">{LISTED["r-0007"]}</h1>' in site.get("/person/r-0007").text
