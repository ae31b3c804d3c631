"""The audit of listings: each heard as the law says, and a changed one named."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.parties.registry.listing_world import (
    APPEAL_SECONDS,
    DAY,
    SUBJECT,
    Listings,
    open_listings,
)
from tests.protocol import builders

from safeconduct.errors import SafeconductError
from safeconduct.parties.auditor.check import audit
from safeconduct.parties.auditor.finding import Audit
from safeconduct.parties.auditor.folder import Folder
from safeconduct.parties.auditor.listings import LISTED_UNHEARD
from safeconduct.parties.registry import enlist_final, hearing
from safeconduct.parties.registry.publish import publish
from safeconduct.protocol.canonical import format_json, parse_json
from safeconduct.protocol.listing import listing_object
from safeconduct.protocol.listing.hearing import recheck_listing
from safeconduct.protocol.record import Record, parse_signed, record_hash, sign_record


@pytest.fixture
def listings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Listings:
    return open_listings(tmp_path / "register", monkeypatch)


def audited(listings: Listings, folder: Path) -> Audit:
    publish(listings.registry, folder, None)
    return audit(Folder(root=folder), builders.POLICY)


def failures(found: Audit) -> list[str]:
    return [f"{each.found} | {each.expected}" for one in found.results for each in one.failures]


def test_a_listing_an_appeal_and_an_end_are_found_true(
    listings: Listings, tmp_path: Path
) -> None:
    listings.decided()
    hearing.appeal(listings.registry, listings.page(), "fact", "No.")
    listings.judged("uphold")
    listings.pass_time(APPEAL_SECONDS + 1)
    listings.published()
    found = audited(listings, tmp_path / "public")
    assert failures(found) == []
    record = enlist_final.end(listings.registry, 1, "quashed", "by the court")
    assert record is not None
    enlist_final.publish_end(listings.registry, 1, builders.by_board(record))
    listings.pass_time(1)
    found = audited(listings, tmp_path / "public")
    assert failures(found) == []
    [told] = [one for one in found.results if one.name == "listings"]
    assert "computed again: 1" in told.computed_from[0]
    assert "ended: 1" in told.computed_from[0]


def test_a_listing_without_a_hearing_is_evidence_against_the_board(
    listings: Listings, tmp_path: Path
) -> None:
    data = listing_object(
        SUBJECT,
        "Anton Weller",
        dict.fromkeys(("conduct", "ground", "harm", "role", "time_since", "weight"), "x"),
        listed_on="2027-01-10",
        review_on="2028-01-10",
        ends_on="2030-01-10",
        salt=bytes(16),
    )
    listings.world.published(SUBJECT, "registered", data)
    found = audited(listings, tmp_path / "public")
    [failed] = [each for one in found.results for each in one.failures]
    assert failed.proves == LISTED_UNHEARD
    assert "without the hearing" in failed.found


def resigned(text: str, **changes: Any) -> str:
    """A signed record with other values, signed again by two of the board."""
    record = parse_signed(text.encode()).record
    values = {**record.values, **{name.replace("_", "-"): at for name, at in changes.items()}}
    return sign_record(replace(record, values=values), builders.MEMBERS[:2]).decode()


def proven(value: dict[str, Any], name: str, at: int) -> None:
    entry = record_hash(value["hearing"][name].encode())
    value["hearing"][f"{name}_proof"] = builders.prove(entry, at).decode()


def decided_early(value: dict[str, Any]) -> None:
    proven(value, "decision", builders.NOON + 4 * DAY)


def by_one_member(value: dict[str, Any]) -> None:
    record = parse_signed(value["hearing"]["decision"].encode()).record
    value["hearing"]["decision"] = sign_record(record, builders.MEMBERS[:1]).decode()
    proven(value, "decision", builders.NOON + 40 * DAY)


def declined(value: dict[str, Any]) -> None:
    signed = resigned(value["hearing"]["decision"], outcome="not_registered")
    value["hearing"]["decision"] = signed
    proven(value, "decision", builders.NOON + 40 * DAY)


LIES: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "another conduct": (
        lambda value: value["assessment"].update(conduct="something worse"),
        "another listing",
    ),
    "one effect more": (
        lambda value: value["effects"].append("no_bank_account"),
        "effect that its law does not give",
    ),
    "one effect less": (lambda value: value["effects"].pop(), "another listing"),
    "another name": (lambda value: value.update(name="Anna Weller"), "another listing"),
    "a later end": (lambda value: value.update(ends_on="2099-01-01"), "ends_on should be"),
    "a later review": (lambda value: value.update(review_on="2099-01-01"), "review_on"),
    "another letter": (lambda value: value["hearing"].update(letter="So."), "the letter"),
    "votes that nobody signed": (lambda value: value["hearing"].update(votes={}), "votes"),
    "a reply that nobody sent": (
        lambda value: value["hearing"].update(reply={"hash": "00" * 32, "proof": "x"}),
        "another reply is shown",
    ),
    "a decision before the time for a reply was over": (decided_early, "a reply was due"),
    "a decision of one member": (by_one_member, "1 of 2 signatures"),
    "a decision not to list": (declined, "did not decide to list"),
    "no hearing": (lambda value: value.pop("hearing"), "in part"),
    "a hearing with a field missing": (lambda value: value["hearing"].pop("votes"), "fields"),
}


@pytest.mark.parametrize(("change", "told"), LIES.values(), ids=LIES)
def test_a_changed_listing_is_named(
    listings: Listings, change: Callable[[dict[str, Any]], object], told: str
) -> None:
    record = listings.effective()
    data = listings.registry.store.object(record.hash("object"))
    value: Any = parse_json(data, "listing")
    recheck(listings, value, record)
    change(value)
    with pytest.raises(SafeconductError, match=told):
        recheck(listings, value, record)


def recheck(listings: Listings, value: dict[str, Any], record: Record) -> None:
    recheck_listing(format_json(value), record, listings.world.state(), builders.POLICY)


def test_a_publication_before_the_time_for_an_appeal_is_over_is_named(
    listings: Listings,
) -> None:
    record = listings.effective()
    data = listings.registry.store.object(record.hash("object"))
    early = replace(record, values={**record.values, "final": record.number("final") - 1})
    with pytest.raises(SafeconductError, match="before its appeal period"):
        recheck_listing(data, early, listings.world.state(), builders.POLICY)
