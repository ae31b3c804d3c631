"""A listing's path: nobody is listed unheard, and every step may be done again."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.parties.registry.listing_world import (
    APPEAL_SECONDS,
    ASSESSMENT,
    DAY,
    NAME,
    PANEL,
    REPLY_SECONDS,
    SUBJECT,
    Listings,
    open_listings,
)
from tests.protocol import builders

from safeconduct.errors import (
    ConflictError,
    MalformedError,
    RefusedError,
    SafeconductError,
    UnavailableError,
    UnverifiedError,
)
from safeconduct.parties.board.sign import sign_all
from safeconduct.parties.registry import enlist, enlist_decide, enlist_final, hearing
from safeconduct.parties.registry.duties import breaches, listings_of, outstanding
from safeconduct.protocol.canonical import parse_json
from safeconduct.protocol.listing import check_listing
from safeconduct.protocol.listing.hearing import recheck_listing


@pytest.fixture
def listings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Listings:
    return open_listings(tmp_path, monkeypatch)


def test_a_person_is_told_heard_decided_on_and_only_then_listed(listings: Listings) -> None:
    listings.proposed()
    notice = listings.notified()
    assert NAME in notice.letter.read_text(encoding="utf-8")
    assert ASSESSMENT["conduct"] in notice.letter.read_text(encoding="utf-8")
    assert listings.now().state == "notified"
    with pytest.raises(RefusedError, match="a reply may come in until"):
        listings.drafted()
    listings.pass_time(REPLY_SECONDS + 1)
    entered = listings.entered(listings.drafted())
    assert entered.last_appeal_at == entered.logged_by + APPEAL_SECONDS
    assert "You may appeal" in entered.letter.read_text(encoding="utf-8")
    assert enlist_final.finalise(listings.registry, 1) is None
    listings.pass_time(APPEAL_SECONDS + 1)
    record = listings.published()
    assert listings.now().state == "effective"
    assert listings.now().effects == ("no_public_office", "no_public_contract")
    data = listings.registry.store.object(record.hash("object"))
    assert check_listing(data, record)["name"] == NAME
    heard = recheck_listing(data, record, listings.world.state(), builders.POLICY)
    assert heard is not None
    assert [what for what, _, _ in heard.logged] == ["notice", "decision"]


def test_a_reply_is_bound_by_its_hash_and_cuts_no_time_short(
    listings: Listings,
) -> None:
    listings.proposed()
    listings.notified()
    listings.pass_time(DAY)
    said = hearing.reply(listings.registry, listings.page(), "It was my deputy, not me.")
    assert (
        hearing.reply(listings.registry, listings.page(), "It was my deputy, not me.") == said
    )
    assert said in listings.world.ledger.entries
    with pytest.raises(RefusedError, match="a reply may come in until 20"):
        listings.drafted()
    listings.pass_time(REPLY_SECONDS)
    listings.entered(listings.drafted())
    listings.pass_time(APPEAL_SECONDS + 1)
    record = listings.published()
    data = listings.registry.store.object(record.hash("object"))
    assert b"my deputy" not in data
    value: Any = parse_json(data, "listing")
    assert value["hearing"]["reply"]["hash"] == said.hex()


def test_a_reply_after_the_draft_makes_the_draft_void(listings: Listings) -> None:
    listings.proposed()
    listings.notified()
    listings.pass_time(REPLY_SECONDS + 1)
    draft = listings.drafted()
    hearing.reply(listings.registry, listings.page(), "Late, but here it is.")
    with pytest.raises(RefusedError, match="a reply came in since"):
        listings.entered(draft)
    listings.entered(listings.drafted())
    assert listings.now().state == "decided"


def test_an_appeal_suspends_and_what_the_panel_upholds_becomes_final(
    listings: Listings,
) -> None:
    listings.decided()
    listings.pass_time(DAY)
    at = hearing.appeal(listings.registry, listings.page(), "identity", "That is not me.")
    assert (
        hearing.appeal(listings.registry, listings.page(), "identity", "That is not me.") == at
    )
    listings.pass_time(APPEAL_SECONDS)
    assert listings.now().state == "suspended"
    assert enlist_final.finalise(listings.registry, 1) is None
    listings.judged("uphold")
    assert listings.now().state == "final"
    listings.pass_time(1)
    record = listings.published()
    assert listings.now().state == "effective"
    data = listings.registry.store.object(record.hash("object"))
    heard = recheck_listing(data, record, listings.world.state(), builders.POLICY)
    assert heard is not None
    assert heard.logged[-1][0] == "appeal decision"


@pytest.mark.parametrize(
    ("result", "state", "cause"),
    [("quash", "ended", "quashed"), ("replace", "ended", "replaced"), ("remit", "replied", "")],
)
def test_what_the_panel_does_not_uphold_is_never_shown(
    listings: Listings, result: str, state: str, cause: str
) -> None:
    listings.decided()
    hearing.appeal(listings.registry, listings.page(), "law", "The act is not that old.")
    listings.judged(result)
    assert (listings.now().state, listings.now().cause) == (state, cause)
    listings.pass_time(2 * APPEAL_SECONDS)
    assert enlist_final.finalise(listings.registry, 1) is None
    assert not listings.now().is_public


def test_after_a_remittal_the_board_decides_again_and_it_can_be_appealed_again(
    listings: Listings,
) -> None:
    listings.decided()
    hearing.appeal(listings.registry, listings.page(), "law", "No.")
    listings.judged("remit")
    listings.pass_time(DAY)
    listings.entered(listings.drafted())
    assert hearing.read_hearing(listings.registry, listings.page()).may_appeal
    listings.pass_time(APPEAL_SECONDS + 1)
    listings.published()
    assert listings.now().state == "effective"


def test_only_the_appeal_panel_decides_an_appeal(listings: Listings) -> None:
    listings.decided()
    hearing.appeal(listings.registry, listings.page(), "law", "No.")
    draft = listings.judgement()
    for keys in (builders.MEMBERS[:2], (PANEL[0], builders.MEMBERS[0]), PANEL[:1]):
        with pytest.raises(UnverifiedError):
            enlist_decide.enter(listings.registry, 1, sign_all(draft, keys))
    assert listings.now().state == "suspended"


def test_what_the_board_declines_ends_unseen(listings: Listings) -> None:
    listings.proposed()
    listings.notified()
    hearing.reply(listings.registry, listings.page(), "It was somebody else.")
    listings.pass_time(REPLY_SECONDS + 1)
    entered = listings.entered(listings.drafted(outcome="not_registered"))
    assert entered.last_appeal_at is None
    assert (listings.now().state, listings.now().cause) == ("ended", "dropped")
    assert listings.proposed() == 2


INCOMPLETE: dict[str, dict[str, Any]] = {
    "a field of the assessment is missing": {
        "assessment": {name: text for name, text in ASSESSMENT.items() if name != "harm"}
    },
    "only the ground is given: a class, not a person": {
        "assessment": {"ground": "was an officer"}
    },
    "two fields say the same, however they are written": {
        "assessment": ASSESSMENT | {"harm": " Signed off  shipments that NOBODY had inspected"}
    },
    "nothing shows that this is the person meant": {"identity": ""},
}


@pytest.mark.parametrize("changes", INCOMPLETE.values(), ids=INCOMPLETE)
def test_a_file_that_says_too_little_about_this_person_goes_no_further(
    listings: Listings, changes: dict[str, Any]
) -> None:
    listings.proposed(**changes)
    with pytest.raises(RefusedError, match=r"does not say|says the same"):
        listings.notified()
    assert listings.now().state == "proposed"
    assert len(listings.world.ledger.entries) == 1


def test_nobody_is_listed_who_may_be_another_person(listings: Listings) -> None:
    listings.proposed()
    enlist_final.judge_identity(listings.registry, 1, "unsure", "two men bear this name")
    with pytest.raises(RefusedError, match="judged: unsure"):
        listings.notified()
    enlist_final.judge_identity(listings.registry, 1, "same", "the passport was seen")
    listings.notified()
    assert [one.word("judgement") for one in listings.now().course.identities] == [
        "unsure",
        "same",
    ]


def test_another_file_is_heard_anew(listings: Listings) -> None:
    listings.proposed()
    listings.notified()
    hearing.reply(listings.registry, listings.page(), "Not true.")
    assert listings.proposed() == 1
    assert listings.now().state == "replied", "the same file again changes nothing"
    listings.proposed(evidence=["shipping papers 11 to 20"])
    assert listings.now().state == "proposed"
    with pytest.raises(RefusedError):
        hearing.reply(listings.registry, listings.page(), "And now?")
    listings.notified()
    with pytest.raises(RefusedError, match="a reply may come in until"):
        listings.drafted()


REFUSED: dict[str, tuple[Callable[[Listings], object], type[SafeconductError]]] = {
    "a file without a proposer": (
        lambda at: enlist.propose(at.registry, {"subject": SUBJECT}),
        MalformedError,
    ),
    "an effect that the law does not give": (
        lambda at: at.proposed(effects=["no_bank_account"]),
        RefusedError,
    ),
    "a name that turns the line round": (
        lambda at: at.proposed(name="Anton \u202eRelleW"),
        MalformedError,
    ),
    "a name with a letter of another script": (
        lambda at: at.proposed(name="Pаul Weller"),
        MalformedError,
    ),
    "a name of ten kilobytes": (lambda at: at.proposed(name="A" * 10_000), MalformedError),
    "a register number that is none": (
        lambda at: at.proposed(subject="R 42"),
        MalformedError,
    ),
    "a notice to nobody": (lambda at: at.notified(7), RefusedError),
    "a decision before any notice": (
        lambda at: (at.proposed(), at.drafted())[1],
        RefusedError,
    ),
}


@pytest.mark.parametrize(("step", "family"), REFUSED.values(), ids=REFUSED)
def test_a_step_is_refused_in_words(
    listings: Listings,
    step: Callable[[Listings], object],
    family: type[SafeconductError],
) -> None:
    with pytest.raises(family) as refused:
        step(listings)
    assert len(refused.value.message) < 300


def test_an_appeal_that_is_late_is_refused(listings: Listings) -> None:
    listings.decided()
    listings.pass_time(APPEAL_SECONDS + 1)
    with pytest.raises(RefusedError, match="over"):
        hearing.appeal(listings.registry, listings.page(), "law", "No.")


def test_a_signing_by_another_board_or_of_another_draft_is_refused(listings: Listings) -> None:
    listings.proposed()
    listings.notified()
    listings.pass_time(REPLY_SECONDS + 1)
    draft = listings.drafted()
    with pytest.raises(UnverifiedError):
        enlist_decide.enter(listings.registry, 1, sign_all(draft, builders.MEMBERS[:1]))
    other = listings.drafted(outcome="not_registered")
    with pytest.raises(UnverifiedError, match="not the one that was drafted last"):
        listings.entered(draft)
    assert other != draft


def test_each_step_done_twice_changes_nothing(listings: Listings) -> None:
    def twice(step: Callable[[], object]) -> None:
        step()
        held = listings_of(listings.registry).events(1)
        listings.pass_time(1)
        step()
        assert listings_of(listings.registry).events(1) == held

    twice(listings.proposed)
    twice(listings.notified)
    listings.pass_time(REPLY_SECONDS + 1)
    twice(listings.drafted)
    signed = sign_all(listings.drafted(), builders.MEMBERS[:2])
    twice(lambda: enlist_decide.enter(listings.registry, 1, signed))
    listings.pass_time(APPEAL_SECONDS + 1)
    twice(listings.finalised)
    published = builders.by_board(listings.finalised())
    twice(lambda: enlist_final.publish_listing(listings.registry, 1, published))
    other = sign_all(parse_draft(signed), builders.MEMBERS[1:])
    with pytest.raises(ConflictError):
        enlist_decide.enter(listings.registry, 1, other)


def parse_draft(signed: bytes) -> bytes:
    return signed.partition(b"\n\n")[0] + b"\n"


def test_a_log_that_is_away_makes_nobody_late_and_the_same_step_goes_on(
    listings: Listings, monkeypatch: pytest.MonkeyPatch
) -> None:
    listings.proposed()
    listings.notified()

    def away(*_: object) -> bytes:
        raise UnavailableError("the log does not answer")

    with monkeypatch.context() as broken:
        broken.setattr(hearing, "log_leaf", away)
        with pytest.raises(UnavailableError):
            hearing.reply(listings.registry, listings.page(), "In time.")
    said = hearing.reply(listings.registry, listings.page(), "In time.")
    assert said in listings.world.ledger.entries
    listings.pass_time(REPLY_SECONDS + 1)
    listings.entered(listings.drafted())
    with monkeypatch.context() as broken:
        broken.setattr(hearing, "log_record", away)
        with pytest.raises(UnavailableError):
            hearing.appeal(listings.registry, listings.page(), "law", "No.")
    listings.pass_time(2 * APPEAL_SECONDS)
    assert listings.now().state == "suspended"
    hearing.appeal(listings.registry, listings.page(), "law", "No.")


def test_the_end_is_published_and_a_new_listing_begins_from_nothing(
    listings: Listings,
) -> None:
    entered = listings.effective()
    assert listings.now().review_on is not None
    record = enlist_final.end(listings.registry, 1, "quashed", "by the administrative court")
    assert record is not None
    assert record == enlist_final.end(listings.registry, 1, "quashed", "by the court")
    assert record.word("standing") == "quashed"
    assert record.number("number") == entered.number("number") + 1
    [owed] = [one.duty for one in outstanding(listings.registry) if one.duty.name == "end"]
    assert not owed.breached
    enlist_final.publish_end(listings.registry, 1, builders.by_board(record))
    assert not outstanding(listings.registry)
    assert listings.proposed() == 2


def test_a_listing_ends_by_itself_when_its_time_is_over(listings: Listings) -> None:
    listings.effective()
    with pytest.raises(RefusedError, match="not over"):
        enlist_final.end(listings.registry, 1, "expired", "its time was over")
    listings.pass_time(5 * 366 * DAY)
    assert (listings.now().state, listings.now().cause) == ("ended", "expired")
    assert listings.now().effects == ()
    record = enlist_final.end(listings.registry, 1, "expired", "its time was over")
    assert record is not None


def test_what_the_body_owes_shows_when_it_is_late(listings: Listings) -> None:
    listings.proposed()
    [first] = [one.duty for one in outstanding(listings.registry)]
    assert (first.name, first.owed_by, first.breached) == ("notice", "registry", False)
    listings.pass_time(32 * DAY)
    listings.notified()
    [late] = breaches(listings.registry)
    assert late.duty.name == "notice"
    assert late.duty.done_at == listings.world.now
