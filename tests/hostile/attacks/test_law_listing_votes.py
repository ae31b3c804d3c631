"""A body that wants somebody listed against its own votes, or before its own time is over.

The auditor finds it in what is published; the register refuses it as it comes in.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.parties.registry.listing_world import (
    APPEAL_SECONDS,
    DAY,
    PANEL,
    REPLY_SECONDS,
    Listings,
    kept_out,
    open_listings,
    vote,
)
from tests.protocol import builders

from safeconduct.errors import (
    RefusedError,
    SafeconductError,
    UnavailableError,
    UnverifiedError,
)
from safeconduct.parties.board.sign import sign_all
from safeconduct.parties.registry import enlist_decide, enlist_final, hearing
from safeconduct.protocol.canonical import format_json, parse_json
from safeconduct.protocol.listing.hearing import Heard, recheck_listing
from safeconduct.protocol.record import (
    NO_HASH,
    Record,
    make_record,
    parse_signed,
    record_hash,
    sign_record,
)
from safeconduct.protocol.tlog.note import SigningKey
from safeconduct.protocol.votes import Vote, votes_document, votes_hash

ANNA, BORIS, CLARA = builders.MEMBERS
DORA, EMIL, FRITZ = PANEL
AGAINST = "not_registered"
Hearing = dict[str, Any]


@pytest.fixture
def listings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Listings:
    return open_listings(tmp_path / "register", monkeypatch)


def told(listings: Listings) -> None:
    """Somebody is told, and the time for a reply is over."""
    listings.proposed()
    listings.notified()
    listings.pass_time(REPLY_SECONDS + 1)


def split(listings: Listings) -> Record:
    """Listed by two votes against one, upheld by two against one."""
    told(listings)
    votes = listings.voted(clara=vote(CLARA, AGAINST))
    listings.entered(listings.drafted(votes=votes))
    hearing.appeal(listings.registry, listings.page(), "fact", "No.")
    votes = listings.voted("uphold", keys=PANEL, fritz=vote(FRITZ, "quash"))
    draft = listings.judgement(votes=votes)
    enlist_decide.enter(listings.registry, 1, sign_all(draft, PANEL[:2]))
    listings.pass_time(APPEAL_SECONDS + 1)
    return listings.published()


def recheck(listings: Listings, value: Any, record: Record) -> Heard | None:
    state = listings.world.state()
    return recheck_listing(format_json(value), record, state, builders.POLICY)


def published(listings: Listings) -> tuple[Record, Any]:
    record = split(listings)
    data = listings.registry.store.object(record.hash("object"))
    return record, parse_json(data, "listing")


def test_votes_and_dissent_are_counted_from_what_is_published(listings: Listings) -> None:
    record, value = published(listings)
    heard = recheck(listings, value, record)
    assert heard is not None
    assert heard.first.tally is not None
    assert heard.first.tally.in_favour == (ANNA.name, BORIS.name)
    assert heard.first.tally.against == (CLARA.name,)
    assert heard.appeal is not None
    assert heard.appeal.tally is not None
    assert heard.appeal.tally.against == (FRITZ.name,)
    order = ["notice", "decision", "appeal", "appeal decision"]
    assert [what for what, _, _ in heard.logged] == order


# What a body with its keys in hand may sign and date anew.


def cast(shown: Hearing, keys: tuple[SigningKey, ...], *votes: Vote) -> Any:
    """Other votes on the same thing."""
    document = votes_document(
        bytes.fromhex(shown["votes"]["on"]), [key.name for key in keys], votes
    )
    return parse_json(document, "votes")


def resigned(
    shown: Hearing, votes: Any, keys: tuple[SigningKey, ...], **changes: bytes | str
) -> None:
    """The same decision on other votes, signed and dated anew."""
    record = parse_signed(shown["decision"].encode()).record
    named = NO_HASH if votes is None else votes_hash(format_json(votes))
    record = replace(record, values={**record.values, "votes": named, **changes})
    signed = sign_record(record, keys)
    shown |= {"votes": votes, "decision": signed.decode()}
    redated(shown, builders.NOON + 31 * DAY)


def redated(shown: Hearing, at: int) -> None:
    entry = record_hash(shown["decision"].encode())
    shown["decision_proof"] = builders.prove(entry, at).decode()


def conflicted_signer(shown: Hearing) -> None:
    votes = cast(
        shown,
        builders.MEMBERS,
        vote(ANNA, "registered"),
        vote(BORIS, "registered"),
        kept_out(CLARA),
    )
    resigned(shown, votes, (ANNA, CLARA))


def signer_against(shown: Hearing) -> None:
    resigned(shown, shown["votes"], (ANNA, CLARA))


def one_vote_too_few(shown: Hearing) -> None:
    votes = cast(shown, builders.MEMBERS, vote(ANNA, "registered"))
    resigned(shown, votes, (ANNA, BORIS))


def votes_of_others(shown: Hearing) -> None:
    votes = cast(shown, PANEL, *(vote(key, "registered") for key in PANEL))
    resigned(shown, votes, (ANNA, BORIS))


def vote_with_a_conflict(shown: Hearing) -> None:
    votes: Any = shown["votes"]
    votes["votes"][0]["conflict"] = "we share an office"
    resigned(shown, votes, (ANNA, BORIS))


def departure_without_reasons(shown: Hearing) -> None:
    votes: Any = shown["votes"]
    votes["votes"][2]["reasons"] = ""
    resigned(shown, votes, (ANNA, BORIS))


def departure_called_agreement(shown: Hearing) -> None:
    votes: Any = shown["votes"]
    votes["votes"][2]["vote"] = "agree"
    resigned(shown, votes, (ANNA, BORIS))


def votes_on_another_file(shown: Hearing) -> None:
    shown["votes"]["on"] = "ab" * 32
    resigned(shown, shown["votes"], (ANNA, BORIS))


def forged(shown: Hearing) -> None:
    shown["votes"]["votes"][2] |= {"vote": "agree", "outcome": "registered", "reasons": ""}


FIRST: dict[str, tuple[Callable[[Hearing], object], str]] = {
    "a dissent turned round afterwards": (forged, "not those that were signed for"),
    "votes taken out": (lambda shown: shown.update(votes=None), "are not shown"),
    "a signer with a conflict": (conflicted_signer, "clara declared a conflict"),
    "a signer who voted against": (signer_against, "clara signed without a vote"),
    "one vote too few": (one_vote_too_few, "1 for registered, and 2 are needed"),
    "votes of people who do not decide": (votes_of_others, "not of the members of the board"),
    "a vote with a conflict": (vote_with_a_conflict, "has no vote"),
    "a departure without reasons": (departure_without_reasons, "needs reasons"),
    "a departure called agreement": (departure_called_agreement, "the statute yields"),
    "votes on another file": (votes_on_another_file, "cast on another judgement"),
}


@pytest.mark.parametrize(("change", "said"), FIRST.values(), ids=FIRST)
def test_a_listing_that_its_votes_do_not_carry_is_named(
    listings: Listings, change: Callable[[Hearing], object], said: str
) -> None:
    record, value = published(listings)
    value["hearing"]["appeal"] = None  # it is about the decision as it was
    recheck(listings, value, record)
    change(value["hearing"])
    with pytest.raises(SafeconductError, match=said):
        recheck(listings, value, record)


def panel_without_votes(shown: Hearing) -> None:
    resigned_by_panel(shown, None, (DORA, EMIL))


def panel_signer_against(shown: Hearing) -> None:
    resigned_by_panel(shown, shown["votes"], (DORA, FRITZ))


def panel_of_one_vote(shown: Hearing) -> None:
    votes = cast(shown, PANEL, vote(DORA, "uphold"))
    resigned_by_panel(shown, votes, (DORA, EMIL))


def panel_quashed(shown: Hearing) -> None:
    votes = cast(shown, PANEL, *(vote(key, "quash") for key in PANEL))
    resigned_by_panel(shown, votes, (DORA, EMIL), result="quash")


def panel_on_another_outcome(shown: Hearing) -> None:
    resigned_by_panel(shown, shown["votes"], (DORA, EMIL), outcome=AGAINST)


def panel_on_another_reply(shown: Hearing) -> None:
    resigned_by_panel(shown, shown["votes"], (DORA, EMIL), reply=bytes([7]) * 32)


def board_in_the_place_of_the_panel(shown: Hearing) -> None:
    votes = cast(shown, builders.MEMBERS, vote(ANNA, "uphold"), vote(BORIS, "uphold"))
    resigned_by_panel(shown, votes, (ANNA, BORIS))


def appealed_after_the_panel(shown: Hearing) -> None:
    entry = record_hash(shown["appeal"].encode())
    shown["appeal_proof"] = builders.prove(entry, builders.NOON + 90 * DAY).decode()


def resigned_by_panel(
    shown: Hearing, votes: Any, keys: tuple[SigningKey, ...], **changes: bytes | str
) -> None:
    resigned(shown, votes, keys, **changes)
    redated(shown, builders.NOON + 32 * DAY)


ON_APPEAL: dict[str, tuple[Callable[[Hearing], object], str]] = {
    "no votes": (panel_without_votes, "on appeal without recorded votes"),
    "votes taken out": (lambda shown: shown.update(votes=None), "are not shown"),
    "a signer who voted against": (panel_signer_against, "fritz signed without a vote"),
    "one vote too few": (panel_of_one_vote, "1 for uphold, and 2 are needed"),
    "a decision that it falls": (panel_quashed, "did not let the decision stand"),
    "another outcome than the first": (panel_on_another_outcome, "on another outcome"),
    "another reply than the first": (panel_on_another_reply, "on another reply"),
    "the board itself": (board_in_the_place_of_the_panel, "not of the members of the appeal"),
    "other reasons": (lambda shown: shown.update(letter="So."), "not the one that was signed"),
    "an appeal dated after its decision": (appealed_after_the_panel, "between the decisions"),
}


@pytest.mark.parametrize(("change", "said"), ON_APPEAL.values(), ids=ON_APPEAL)
def test_an_appeal_that_was_not_decided_so_is_named(
    listings: Listings, change: Callable[[Hearing], object], said: str
) -> None:
    record, value = published(listings)
    record = replace(record, values={**record.values, "final": builders.NOON + 99 * DAY})
    recheck(listings, value, record)
    change(value["hearing"]["appeal"])
    with pytest.raises(SafeconductError, match=said):
        recheck(listings, value, record)


def test_nobody_who_decided_first_decides_on_appeal(listings: Listings) -> None:
    """No Gazette seats such a panel; should one ever, the audit says so by itself."""
    record, value = published(listings)
    state = listings.world.state()
    mixed = replace(state.panels[0], members=builders.verifiers((DORA, EMIL, CLARA)))
    shown = value["hearing"]["appeal"]
    votes = cast(
        shown, (CLARA, DORA, EMIL), vote(DORA, "uphold"), vote(EMIL, "uphold"), kept_out(CLARA)
    )
    resigned_by_panel(shown, votes, (DORA, EMIL))
    seated = replace(state, panels=(mixed,))
    with pytest.raises(UnverifiedError, match="clara decided first and on appeal as well"):
        recheck_listing(format_json(value), record, seated, builders.POLICY)


# The time for a reply.


def test_a_registry_that_invents_a_reply_wins_no_time(
    listings: Listings, monkeypatch: pytest.MonkeyPatch
) -> None:
    listings.proposed()
    notice = listings.notified()
    hearing.reply(listings.registry, listings.page(), "I admit everything.")
    with pytest.raises(RefusedError, match="a reply may come in until 2027-02-17T08:00:00Z"):
        listings.drafted()
    listings.pass_time(DAY)
    monkeypatch.setattr(enlist_decide, "check_reply_over", lambda *_: None)
    with pytest.raises(RefusedError, match="the notice gives time to reply"):
        listings.entered(listings.drafted())
    assert listings.now().state == "replied"
    assert notice.last_reply_at == notice.logged_by + REPLY_SECONDS


@pytest.mark.parametrize(("seconds", "holds"), [(0, False), (1, True)])
def test_a_decision_in_the_last_second_for_a_reply_is_too_early(
    listings: Listings, seconds: int, holds: bool
) -> None:
    listings.proposed()
    until = listings.notified().last_reply_at
    listings.pass_time(DAY)
    hearing.reply(listings.registry, listings.page(), "Not I.")
    listings.pass_time(REPLY_SECONDS)
    listings.entered(listings.drafted())
    listings.pass_time(APPEAL_SECONDS + 1)
    record = listings.published()
    value: Any = parse_json(listings.registry.store.object(record.hash("object")), "listing")
    shown = value["hearing"]
    entry = bytes.fromhex(shown["reply"]["hash"])
    shown["reply"]["proof"] = builders.prove(entry, until - 1).decode()
    redated(shown, until + seconds)
    said = "listed_on should be" if holds else "and a reply was due until"
    with pytest.raises(UnverifiedError, match=said):  # a day later is another day
        recheck(listings, value, record)


# At the register.


REFUSED: dict[str, tuple[dict[str, Any], tuple[SigningKey, ...], str]] = {
    "a signer who voted against": (
        {"clara": vote(CLARA, AGAINST)},
        (ANNA, CLARA),
        "clara signed without a vote",
    ),
    "a signer with a conflict": ({"clara": kept_out(CLARA)}, (ANNA, CLARA), "clara declared"),
    "a signer who did not vote": (
        {"clara": Vote(member=CLARA.name, vote="abstain")},
        (BORIS, CLARA),
        "clara signed without a vote",
    ),
}


@pytest.mark.parametrize(("changed", "keys", "said"), REFUSED.values(), ids=REFUSED)
def test_what_the_audit_would_refuse_is_not_entered(
    listings: Listings, changed: dict[str, Any], keys: tuple[SigningKey, ...], said: str
) -> None:
    told(listings)
    draft = listings.drafted(votes=listings.voted(**changed))
    before = len(listings.world.ledger.entries)
    with pytest.raises(UnverifiedError, match=said):
        enlist_decide.enter(listings.registry, 1, sign_all(draft, keys))
    assert len(listings.world.ledger.entries) == before
    listings.entered(draft)


def test_nothing_is_drafted_that_its_votes_do_not_carry(listings: Listings) -> None:
    told(listings)
    against = listings.voted(AGAINST)
    with pytest.raises(UnverifiedError, match="0 for registered, and 2 are needed"):
        listings.drafted(votes=against)
    listings.drafted(outcome=AGAINST, votes=against)
    early = listings.voted()
    hearing.reply(listings.registry, listings.page(), "Not I.")
    with pytest.raises(UnverifiedError, match="cast on another judgement"):
        listings.drafted(votes=early)
    listings.drafted(votes=listings.voted())


def test_those_who_decided_before_keep_out_if_enough_others_can(listings: Listings) -> None:
    told(listings)
    decide(listings, (ANNA, BORIS), builders.MEMBERS)
    hearing.appeal(listings.registry, listings.page(), "law", "No.")
    listings.judged("remit")
    seat(listings, NEW, 2)
    with pytest.raises(UnverifiedError, match="boris decided this listing before"):
        listings.drafted(votes=listings.voted(keys=NEW))
    unvoted = sign_all(listings.drafted(), NEW[:2])
    with pytest.raises(UnverifiedError, match="boris decided this listing before"):
        enlist_decide.enter(listings.registry, 1, unvoted)
    votes = listings.voted(keys=NEW, boris=Vote(member=BORIS.name, vote="abstain"))
    signed = sign_all(listings.drafted(votes=votes), NEW[1:])
    enlist_decide.enter(listings.registry, 1, signed)
    assert listings.now().state == "decided"


def decide(
    listings: Listings, signers: tuple[SigningKey, ...], keys: tuple[SigningKey, ...]
) -> bytes:
    signed = sign_all(listings.drafted(votes=listings.voted(keys=keys)), signers)
    enlist_decide.enter(listings.registry, 1, signed)
    return signed


# A board that changes.


def seat(listings: Listings, keys: tuple[SigningKey, ...], threshold: int) -> None:
    """Another board, seated by the one before."""
    state = listings.world.state()
    record = make_record(
        "roster",
        programme=builders.PROGRAMME,
        number=len(state.rosters),
        previous=state.roster.hash,
        threshold=threshold,
        members=builders.verifiers(keys),
    )
    listings.world.gazette.entries.append(builders.by_board(record))


NEW = (BORIS, CLARA, builders.signing_key("board.example/dan"))


def test_what_was_entered_is_taken_again_after_the_board_has_changed(
    listings: Listings,
) -> None:
    told(listings)
    signed = decide(listings, (BORIS, CLARA), builders.MEMBERS)
    seat(listings, NEW, 2)
    again = enlist_decide.enter(listings.registry, 1, signed)
    assert again.letter.exists()
    listings.pass_time(APPEAL_SECONDS + 1)
    record = listings.finalised()
    signed = sign_record(record, (BORIS, CLARA))
    enlist_final.publish_listing(listings.registry, 1, signed)
    data = listings.registry.store.object(record.hash("object"))
    heard = recheck(listings, parse_json(data, "listing"), record)
    assert heard is not None
    assert heard.first.tally is not None
    assert ANNA.name in heard.first.tally.in_favour


def away(*_: object) -> bytes:
    raise UnavailableError("the log does not answer")


def test_what_was_signed_in_office_is_entered_though_the_log_was_away(
    listings: Listings, monkeypatch: pytest.MonkeyPatch
) -> None:
    told(listings)
    draft = listings.drafted(votes=listings.voted())
    signed = sign_all(draft, (ANNA, BORIS))
    with monkeypatch.context() as broken:
        broken.setattr(enlist_decide, "log_record", away)
        with pytest.raises(UnavailableError):
            enlist_decide.enter(listings.registry, 1, signed)
    seat(listings, NEW, 2)
    enlist_decide.enter(listings.registry, 1, signed)
    assert listings.now().state == "decided"


def test_a_board_that_has_left_decides_nothing_new(listings: Listings) -> None:
    told(listings)
    draft = listings.drafted(votes=listings.voted())
    seat(listings, NEW, 2)
    for keys in ((ANNA, BORIS), (BORIS, CLARA)):
        with pytest.raises(UnverifiedError, match="not of the members of the board"):
            enlist_decide.enter(listings.registry, 1, sign_all(draft, keys))
    unvoted = listings.drafted()
    with pytest.raises(UnverifiedError, match="has no say here"):
        enlist_decide.enter(listings.registry, 1, sign_all(unvoted, (ANNA, BORIS)))
    enlist_decide.enter(listings.registry, 1, sign_all(unvoted, (BORIS, CLARA)))
