"""A body that wants somebody listed: sooner, longer, under another law, or under a name that a
program takes for somebody else's.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from followthemoney import model
from tests.hostile.attacks.mutations import Place, unnoticed
from tests.parties.registry.listing_world import (
    APPEAL_SECONDS,
    ASSESSMENT,
    DAY,
    FILE,
    REPLY_SECONDS,
    SUBJECT,
    Listings,
    founded,
    law,
    open_listings,
)
from tests.protocol import builders

from safeconduct.errors import MalformedError, RefusedError, UnverifiedError
from safeconduct.parties.registry import enlist, hearing
from safeconduct.parties.registry.book import read_book
from safeconduct.parties.registry.feeds import format_csv, format_feed, format_ftm, read_feed
from safeconduct.parties.registry.site import make_site
from safeconduct.plumbing import web
from safeconduct.protocol.canonical import format_json, parse_json
from safeconduct.protocol.gazette import fold
from safeconduct.protocol.listing import check_listing, listing_end, listing_object
from safeconduct.protocol.listing.hearing import recheck_listing, reply_hash
from safeconduct.protocol.receipt import verify_receipt
from safeconduct.protocol.record import Record
from safeconduct.protocol.statute.instant import format_instant
from safeconduct.protocol.statute.load import load_statute
from safeconduct.protocol.tlog.policy import verify_proof

CHANGES_AT = builders.NOON + 10 * DAY


@pytest.fixture
def listings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Listings:
    return open_listings(tmp_path / "register", monkeypatch)


# Any field of any listing.


def _unanswered(listings: Listings) -> Record:
    return listings.effective()


def _answered(listings: Listings) -> Record:
    listings.proposed()
    listings.notified()
    hearing.reply(listings.registry, listings.page(), "Not I.")
    listings.pass_time(REPLY_SECONDS + 1)
    listings.entered(listings.drafted(votes=listings.voted()))
    listings.pass_time(APPEAL_SECONDS + 1)
    return listings.published()


def _appealed(listings: Listings) -> Record:
    listings.decided()
    hearing.appeal(listings.registry, listings.page(), "fact", "No.")
    listings.judged("uphold")
    listings.pass_time(APPEAL_SECONDS + 1)
    return listings.published()


UNBOUND: dict[str, tuple[Callable[[Listings], Record], frozenset[Place]]] = {
    "nobody replied": (_unanswered, frozenset()),
    "a reply": (_answered, frozenset()),
    # That there was an appeal can be kept quiet: the person holds the registry's own record.
    "an appeal": (_appealed, frozenset({("hearing", "appeal")})),
}


@pytest.mark.parametrize(("play", "unbound"), UNBOUND.values(), ids=UNBOUND)
def test_no_field_of_a_listing_can_be_changed_unnoticed(
    listings: Listings, play: Callable[[Listings], Record], unbound: frozenset[Place]
) -> None:
    record = play(listings)
    data = listings.registry.store.object(record.hash("object"))

    def check(changed: bytes) -> object:
        return recheck_listing(changed, record, listings.world.state(), builders.POLICY)

    check(data)
    assert unnoticed(data, check) == unbound


# Under which law.


def second_law(change: Callable[[Any], object], **version: str) -> bytes:
    """The statute record of a second version of the example law, in force at `CHANGES_AT`."""
    document: Any = parse_json(law(), "statute")
    change(document)
    document["version"] |= {
        "number": 2,
        "published": format_instant(builders.NOON),
        "in_force_from": format_instant(CHANGES_AT),
        "supersedes": load_statute(law()).sha256.hex(),
    } | version
    act = builders.statute_act(
        number=2, previous=load_statute(law()).sha256, law=format_json(document)
    )
    return builders.by_board(act)


def _longer_review(document: Any) -> None:
    document["procedure"]["listing"]["review_after"]["amount"] += 1


def test_nobody_is_listed_under_a_law_that_is_not_in_force_yet(listings: Listings) -> None:
    listings.world.gazette.entries.append(second_law(_longer_review))
    listings.proposed()
    listings.notified()
    state = listings.world.state()
    listings.pass_time(REPLY_SECONDS + 1)
    listings.entered(listings.drafted())
    listings.pass_time(APPEAL_SECONDS + 1)
    assert listings.published().hash("statute") == state.statutes[0].sha256


def test_a_file_is_not_kept_for_the_law_that_it_was_made_under(listings: Listings) -> None:
    listings.proposed()
    listings.world.gazette.entries.append(second_law(_longer_review))
    listings.world.now = CHANGES_AT + DAY
    with pytest.raises(RefusedError, match="version 2 is in force"):
        listings.notified()
    enlist.propose(listings.registry, FILE | {"proposer": "clerk eight"})
    assert listings.notified().logged_by == CHANGES_AT + DAY


def test_a_register_that_chooses_the_law_is_found_out(
    listings: Listings, monkeypatch: pytest.MonkeyPatch
) -> None:
    listings.proposed()
    listings.world.gazette.entries.append(second_law(_longer_review))
    listings.world.now = CHANGES_AT + DAY
    monkeypatch.setattr(enlist, "_check_law", lambda *_: None)
    listings.notified()
    listings.pass_time(REPLY_SECONDS + 1)
    listings.entered(listings.drafted())
    listings.pass_time(APPEAL_SECONDS + 1)
    with pytest.raises(UnverifiedError, match="under version 1 of the law; version 2"):
        listings.finalised()


BACKDATED = {
    "published before the version that it follows": (
        {"published": "2001-01-01T00:00:00Z"},
        "lies before the version before was published",
    ),
    "in force before it": (
        {"published": "2001-01-01T00:00:00Z", "in_force_from": "2001-01-02T00:00:00Z"},
        "lies before",
    ),
}


@pytest.mark.parametrize(("version", "told"), BACKDATED.values(), ids=BACKDATED)
def test_no_version_of_the_law_takes_the_place_of_the_one_before_it_in_the_past(
    version: dict[str, str], told: str
) -> None:
    state = None
    for entry in founded():
        state = fold(state, entry)
    assert fold(state, second_law(_longer_review)).statutes[1].number == 2
    with pytest.raises(MalformedError, match=told):
        fold(state, second_law(_longer_review, **version))


def test_no_version_begins_before_what_the_gazette_holds_already() -> None:
    """Nobody is judged in hindsight: what became final before it shows that it is younger."""
    state = None
    for entry in founded():
        state = fold(state, entry)
    sha256 = load_statute(law()).sha256
    for final, may in ((CHANGES_AT, True), (CHANGES_AT + 1, False)):
        act = builders.publication_act(
            number=1, statute=sha256, standing="registered", final=final
        )
        later = fold(state, builders.by_board(act))
        if may:
            assert len(fold(later, second_law(_longer_review)).statutes) == 2
            continue
        with pytest.raises(MalformedError, match="begins before what was published"):
            fold(later, second_law(_longer_review))


# In the feeds.


def _told(listings: Listings) -> tuple[Any, list[Any], bytes]:
    feed = read_feed(listings.registry, read_book(listings.registry), listings.world.now)
    ftm = [json.loads(line) for line in format_ftm(feed).splitlines()]
    return parse_json(format_feed(feed), "feed"), ftm, format_csv(feed)


def test_who_is_listed_is_told_as_listed_in_no_feed_after_the_last_day(
    listings: Listings,
) -> None:
    record = listings.effective()
    object_ = listings.registry.store.object(record.hash("object"))
    value: Any = parse_json(object_, "listing")
    feed, ftm, table = _told(listings)
    assert feed["entries"][0]["status"] == "active"
    assert ftm[0]["properties"]["topics"] == ["reg.action"]
    ends_at = listings.now().ends_at
    assert ends_at is not None
    listings.world.now = ends_at + DAY
    assert value["ends_on"] <= format_instant(listings.world.now)[:10]
    feed, ftm, table = _told(listings)
    assert [one["status"] for one in feed["entries"]] == ["ended"]
    assert "topics" not in ftm[0]["properties"]
    assert b",active," not in table


NEIGHBOURS = ("r-1", "r-1-2", "r-1-p1", "r.1", "r/1", "r_1", "r-1-1")


def test_no_two_things_of_a_feed_have_one_id_and_every_id_is_one(listings: Listings) -> None:
    for number, subject in enumerate(NEIGHBOURS, 1):
        listings.proposed(subject=subject)
        listings.notified(number)
    listings.pass_time(REPLY_SECONDS + 1)
    for number in range(1, len(NEIGHBOURS) + 1):
        listings.entered(listings.drafted(number), number)
    listings.pass_time(APPEAL_SECONDS + 1)
    for number in range(1, len(NEIGHBOURS) + 1):
        listings.published(number)
    _, ftm, _ = _told(listings)
    ids = [one["id"] for one in ftm]
    assert len(ids) == 2 * len(NEIGHBOURS) == len(set(ids))
    for one in ftm:
        proxy = model.get_proxy(one, cleaned=False)
        for prop, value in proxy.itervalues():
            assert prop.type.validate(value), (prop.name, value)
        assert model.get_proxy(one, cleaned=True).id == one["id"]


# Guessing.


def test_a_file_that_nobody_was_told_of_is_at_no_address(listings: Listings) -> None:
    listings.proposed()
    said = set()
    for page in (listings.page(), bytes(32)):
        with pytest.raises(RefusedError) as refused:
            hearing.read_hearing(listings.registry, page)
        said.add(type(refused.value))
    assert said == {RefusedError}
    assert SUBJECT not in str(refused.value)


# Too much, and out of form.


def test_a_wish_is_not_changed_for_ever(listings: Listings) -> None:
    listings.effective()
    for turn in range(hearing.WISHES_MAX):
        hearing.consent(listings.registry, listings.page(), shown=turn % 2 == 0)
    with pytest.raises(RefusedError, match="times already"):
        hearing.consent(listings.registry, listings.page(), shown=True)
    hearing.consent(listings.registry, listings.page(), shown=False)  # what holds now


NO_DAYS = ("soon", "20270110", "2027-W02-7", "2027-02-30", "10 January 2027", "2027-01-10T00Z")


@pytest.mark.parametrize("day", NO_DAYS)
def test_a_day_that_is_none_stops_no_feed(day: str) -> None:
    """A publication is for ever: what a program cannot read in it, it could never read."""
    data = listing_object(
        SUBJECT,
        "Anton Weller",
        dict.fromkeys(ASSESSMENT, "looked at one by one"),
        listed_on="2027-01-10",
        review_on="2028-01-10",
        ends_on=day,
        salt=bytes(16),
    )
    act = builders.publication_act(subject=SUBJECT, standing="registered")
    with pytest.raises(MalformedError, match="ends_on is no day"):
        check_listing(data, act)
    with pytest.raises(MalformedError, match="ended_on is no day"):
        listing_end(act, "quashed", "by the court", ended_on=day, salt=bytes(16))


def test_the_person_holds_dated_proof_of_their_reply_and_of_their_appeal(
    listings: Listings,
) -> None:
    """What a register drops, or does not show, stands in the Ledger in the person's hand."""
    ledger, policy = builders.LEDGER.name, builders.POLICY
    app = make_site(listings.registry)
    listings.proposed()
    listings.notified()
    path = f"/listing/{listings.page().hex()}"
    with web.running(app) as url, httpx.Client(base_url=url, timeout=60) as site:
        assert site.get(f"{path}/reply.tlog-proof").status_code == 404
        replied_at = listings.world.now
        site.post(f"{path}/reply", data={"text": "Not I."})
        notice = site.get(f"{path}/notice.record").content
        said = site.get(f"{path}/reply.json").json()
        opened = reply_hash(notice, bytes.fromhex(said["salt"]), said["text"])
        listings.pass_time(DAY)
        proof = site.get(f"{path}/reply.tlog-proof").content
        assert verify_proof(proof, opened, policy, ledger).logged_by == replied_at
        listings.pass_time(REPLY_SECONDS)
        listings.entered(listings.drafted())
        site.post(f"{path}/appeal", data={"ground": "fact", "text": "No."})
        listings.pass_time(DAY)
        appealed = site.get(f"{path}/appeal.record").content
        proof = site.get(f"{path}/appeal.tlog-proof").content
        dated = verify_receipt(appealed, proof, policy, ledger)
        assert dated.logged_by == listings.world.now - DAY
        for name in ("reply.json", "reply.tlog-proof", "appeal.tlog-proof"):
            assert f"{path}/{name}" in site.get(path).text


def test_a_listing_goes_back_to_the_board_once_and_not_for_ever(listings: Listings) -> None:
    listings.decided()
    hearing.appeal(listings.registry, listings.page(), "fact", "No.")
    listings.judged("remit")
    listings.entered(listings.drafted())
    hearing.appeal(listings.registry, listings.page(), "fact", "No, again.")
    with pytest.raises(RefusedError, match="once already"):
        listings.judged("remit")
    listings.judged("quash")
    assert listings.now().cause == "quashed"
