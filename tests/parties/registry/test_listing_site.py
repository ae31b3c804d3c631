"""The person's page and the feeds: nothing outside before it is final, everything to them."""

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from followthemoney import model
from tests.parties.registry.listing_world import (
    APPEAL_SECONDS,
    ASSESSMENT,
    DAY,
    NAME,
    REPLY_SECONDS,
    SUBJECT,
    Listings,
    kept_out,
    open_listings,
)
from tests.protocol import builders

from safeconduct.parties.board.sign import sign_all
from safeconduct.parties.registry import enlist_decide, enlist_final, hearing, publish
from safeconduct.parties.registry.book import BOOK_SECONDS, read_book
from safeconduct.parties.registry.duties import listings_of
from safeconduct.parties.registry.feeds import (
    EXTENSION,
    format_csv,
    format_delta,
    format_feed,
    format_ftm,
    guarded,
    read_feed,
)
from safeconduct.parties.registry.search import prepare
from safeconduct.parties.registry.site import make_site
from safeconduct.plumbing import web
from safeconduct.protocol.canonical import parse_json

PUBLIC = (
    "/",
    f"/person/{SUBJECT}",
    "/law",
    "/law/1",
    f"/search?q={SUBJECT}",
    "/search?q=Quill",
    "/feeds/register.json",
    "/feeds/register.ftm.jsonl",
    "/feeds/register.csv",
    "/feeds/delta.json?since=1",
)


@pytest.fixture
def listings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Listings:
    return open_listings(tmp_path / "register", monkeypatch)


@pytest.fixture
def site(listings: Listings) -> Iterator[httpx.Client]:
    prepare()  # else the first search waits for it, on a slow machine longer than the client
    app = make_site(listings.registry)
    with web.running(app) as url, httpx.Client(base_url=url, timeout=60) as client:
        yield client


def everything_public(listings: Listings, site: httpx.Client, folder: Path) -> bytes:
    """All that an outsider can get: every page, feed and file of the public folder."""
    listings.pass_time(BOOK_SECONDS + 1)
    publish.publish(listings.registry, folder, None)
    files = [path.read_bytes() for path in folder.rglob("*") if path.is_file()]
    answers = [site.get(path) for path in PUBLIC]
    assert {answer.status_code for answer in answers} <= {200, 404}
    return b"\n".join([*(answer.content for answer in answers), *files])


def spoken_of(data: bytes) -> bool:
    """Whether anything tells of the person; what was looked for is shown again anyway."""
    text = data.decode("utf-8", "replace")
    told = (NAME, f"/person/{SUBJECT}", f'"subject":"{SUBJECT}"', ASSESSMENT["role"], "Zdzis")
    return any(each in text for each in told)


def test_nothing_is_visible_outside_before_it_is_final(
    listings: Listings, site: httpx.Client, tmp_path: Path
) -> None:
    def seen() -> bool:
        return spoken_of(everything_public(listings, site, tmp_path / "public"))

    listings.proposed()
    assert not seen()
    listings.notified()
    assert not seen()
    hearing.reply(listings.registry, listings.page(), "It was not me.")
    listings.pass_time(REPLY_SECONDS + 1)
    assert not seen()
    listings.entered(listings.drafted())
    assert not seen()
    hearing.appeal(listings.registry, listings.page(), "fact", "It was not me.")
    assert not seen()
    listings.judged("uphold")
    assert not seen()
    listings.pass_time(APPEAL_SECONDS)
    record = listings.finalised()
    assert not seen()
    enlist_final.publish_listing(listings.registry, 1, builders.by_board(record))
    assert seen(), "what is looked for can be found"


def test_the_person_reads_the_whole_file_replies_and_appeals_on_their_page(
    listings: Listings, site: httpx.Client
) -> None:
    listings.proposed()
    path = f"/listing/{listings.page().hex()}"
    assert site.get(path).status_code == 404, "they were not told yet"
    listings.notified()
    page = site.get(path).text
    for said in (NAME, *ASSESSMENT.values(), "shipping papers 11 to 19", "clerk seven"):
        assert said in page
    posted = site.post(f"{path}/reply", data={"text": "Not I.\r\nMy deputy."})
    assert (posted.status_code, posted.headers["location"]) == (303, path)
    assert "My deputy." in site.get(path).text
    assert site.get(f"{path}/file.json").json()["private"]["proposer"] == "clerk seven"
    listings.pass_time(REPLY_SECONDS + 1)
    votes = listings.voted(boris=kept_out(builders.MEMBERS[1]))
    signed = sign_all(listings.drafted(votes=votes), builders.MEMBERS[::2])
    enlist_decide.enter(listings.registry, 1, signed)
    assert "we share an office" in site.get(path).text
    assert "You may appeal until" in site.get(path).text
    assert site.get(f"{path}/decision.record").text.startswith(
        "safeconduct/v1/listing-decision"
    )
    refused = site.post(f"{path}/appeal", data={"ground": "spite", "text": "No."})
    assert refused.status_code == 400
    site.post(f"{path}/appeal", data={"ground": "fact", "text": "No."})
    assert "Your appeal is filed" in site.get(path).text
    assert listings.now().state == "suspended"


def test_the_pages_show_that_a_listing_has_ended(
    listings: Listings, site: httpx.Client
) -> None:
    listings.effective()
    record = enlist_final.end(listings.registry, 1, "quashed", "by the court <b>")
    assert record is not None
    enlist_final.publish_end(listings.registry, 1, builders.by_board(record))
    listings.pass_time(BOOK_SECONDS + 1)
    assert "ended" in site.get("/").text
    page = site.get(f"/person/{SUBJECT}").text
    assert "cannot be shown" not in page
    assert "by the court" not in page, "nothing is said of whoever did not wish it"
    hearing.consent(listings.registry, listings.page(), shown=True)
    assert "by the court &lt;b&gt;" in site.get(f"/person/{SUBJECT}").text


WRONG = {
    "another address": ("00" * 32, 404),
    "an address cut short": ("00" * 31, 404),
    "no address at all": ("../../etc/passwd", 404),
}


@pytest.mark.parametrize(("page", "status"), WRONG.values(), ids=WRONG)
def test_another_address_leads_nowhere(
    listings: Listings, site: httpx.Client, page: str, status: int
) -> None:
    listings.proposed()
    listings.notified()
    assert site.get(f"/listing/{page}").status_code == status
    assert site.post(f"/listing/{page}/reply", data={"text": "x"}).status_code == status


TOO_MUCH = {
    "nothing": "",
    "blanks": " \n ",
    "what turns the line round": "yes \u202e on",
    "more than a reply may have": "x" * (hearing.TEXT_CHARACTERS_MAX + 1),
}


@pytest.mark.parametrize("text", TOO_MUCH.values(), ids=TOO_MUCH)
def test_a_reply_that_cannot_be_read_is_refused_on_the_page(
    listings: Listings, site: httpx.Client, text: str
) -> None:
    listings.proposed()
    listings.notified()
    path = f"/listing/{listings.page().hex()}/reply"
    assert site.post(path, data={"text": text}).status_code == 400
    assert listings.now().state == "notified"


def feed_of(listings: Listings) -> Any:
    book = read_book(listings.registry)
    return parse_json(format_feed(read_feed(listings.registry, book)), "feed")


def test_the_feed_says_what_it_was_made_from(listings: Listings) -> None:
    listings.effective()
    feed = feed_of(listings)
    tree = listings.registry.gazette().cosigned.checkpoint.tree
    assert feed["gazette"]["size"] == tree.size
    assert feed["gazette"]["root"] == tree.root_hash.hex()
    [entry] = feed["entries"]
    assert (entry["status"], entry["name"], entry["end"]["on"]) == ("active", NAME, "")
    assert entry["effects"] == ["no_public_office", "no_public_contract"]
    assert entry["law"]["version"] == 1


def test_who_is_no_longer_listed_has_an_end_and_is_never_active(listings: Listings) -> None:
    listings.effective()
    listings.pass_time(6 * 366 * DAY)
    [entry] = feed_of(listings)["entries"]
    assert (entry["status"], entry["end"]["cause"]) == ("ended", "expired")
    assert entry["end"]["on"] == entry["ends_on"]
    assert entry["effects"] == []


def test_a_quashed_listing_keeps_its_days_and_loses_the_name_unless_the_person_wishes(
    listings: Listings,
) -> None:
    listings.effective()
    record = enlist_final.end(listings.registry, 1, "quashed", "by the court")
    assert record is not None
    enlist_final.publish_end(listings.registry, 1, builders.by_board(record))
    [entry] = feed_of(listings)["entries"]
    assert (entry["status"], entry["name"], entry["assessment"]) == ("ended", "", {})
    assert entry["end"]["on"]
    hearing.consent(listings.registry, listings.page(), shown=True)
    [entry] = feed_of(listings)["entries"]
    assert (entry["status"], entry["name"]) == ("ended", NAME)
    assert entry["end"]["cause"] == "quashed"


def test_a_delta_adds_what_is_new_and_modifies_what_has_ended(listings: Listings) -> None:
    before = len(listings.world.gazette.entries)
    listings.effective()
    registry = listings.registry
    held = len(listings.world.gazette.entries)

    def delta(since: int) -> Any:
        return parse_json(format_delta(registry, read_book(registry), since), "delta")

    assert [one["name"] for one in delta(before)["add"]] == [NAME]
    assert (delta(held)["add"], delta(held)["modify"]) == ([], [])
    record = enlist_final.end(registry, 1, "replaced", "by another file")
    assert record is not None
    enlist_final.publish_end(registry, 1, builders.by_board(record))
    [changed] = delta(held)["modify"]
    assert (changed["status"], changed["end"]["cause"]) == ("ended", "replaced")
    assert delta(held)["delete"] == []


def test_followthemoney_takes_the_feed_and_keeps_what_it_does_not_know(
    listings: Listings,
) -> None:
    listings.effective()
    feed = read_feed(listings.registry, read_book(listings.registry))
    lines = [json.loads(line) for line in format_ftm(feed).splitlines()]
    person, sanction = (model.get_proxy(line, cleaned=False) for line in lines)
    for proxy in (person, sanction):
        assert proxy.schema.validate({"properties": proxy.to_dict()["properties"]}) is None
        for prop, value in proxy.itervalues():
            assert prop.type.validate(value), (prop.name, value)
    assert person.schema.name == "Person"
    assert person.caption == NAME
    assert sanction.get("entity") == [person.id]
    carried = sanction.to_dict()
    assert carried[f"{EXTENSION}law"]["version"] == 1
    assert carried[f"{EXTENSION}appeal"]["section"] == "6"
    assert carried[f"{EXTENSION}removal"] == {"cause": "", "on": "", "reason": ""}
    assert carried[f"{EXTENSION}feed"]["gazette"]["size"] == feed.size


FORMULAS = {
    "=1+1": "'=1+1",
    "+49": "'+49",
    "-1": "'-1",
    "@SUM(A1)": "'@SUM(A1)",
    "\t=1": "'\t=1",
    " =1": "' =1",
    "＝1": "'＝1",
    "Anna-Maria": "Anna-Maria",
    "": "",
}


@pytest.mark.parametrize(("cell", "shown"), FORMULAS.items(), ids=FORMULAS)
def test_no_cell_of_the_csv_is_a_formula(cell: str, shown: str) -> None:
    assert guarded(cell) == shown


def test_the_csv_has_a_row_for_each_listing(listings: Listings) -> None:
    listings.proposed(name="=HYPERLINK(1)")
    listings.notified()
    listings.pass_time(REPLY_SECONDS + 1)
    listings.entered(listings.drafted())
    listings.pass_time(APPEAL_SECONDS + 1)
    listings.published()
    feed = read_feed(listings.registry, read_book(listings.registry))
    [row] = csv.DictReader(io.StringIO(format_csv(feed).decode("utf-8")))
    assert row["name"] == "'=HYPERLINK(1)"
    assert row["gazette_size"] == str(feed.size)


def test_a_register_of_nobody_has_feeds_too(listings: Listings, site: httpx.Client) -> None:
    for path in PUBLIC[-4:]:
        assert site.get(path).status_code == 200
    assert site.get("/feeds/delta.json").status_code == 400
    assert listings_of(listings.registry).all() == []
