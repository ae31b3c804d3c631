"""Dockets: those who decide compute a case again, and take nothing on the register's word."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from tests.protocol.builders import MEMBERS, POLICY, prove, signing_key, verifiers
from tests.protocol.decided import (
    AS_OF,
    NOTHING_FOUND,
    STATE,
    altered,
    bundle_of,
    inside,
    put,
)

from safeconduct.errors import MalformedError, RefusedError, UnverifiedError
from safeconduct.protocol.canonical import Json, format_json, parse_json
from safeconduct.protocol.decision import final_draft, propose
from safeconduct.protocol.docket import (
    DOCKET_BYTES_MAX,
    Docket,
    check_docket,
    deciding_body,
    make_docket,
)
from safeconduct.protocol.gazette import Roster
from safeconduct.protocol.statute.evaluate import tree_hash
from safeconduct.protocol.votes import Vote, votes_document, votes_hash

Change = Callable[[dict[str, Json]], object]
NAMES = tuple(key.name for key in MEMBERS)
WHY = "Section 4(1) is read otherwise."
STANDS = "registration_stands"


def docket() -> bytes:
    bundle = bundle_of()
    proposal = propose(bundle, STATE, POLICY, NOTHING_FOUND, AS_OF)
    return make_docket(
        case=3,
        number=3,
        bundle=bundle,
        claim_proof=prove(bundle.claim_hash, AS_OF),
        judgements=NOTHING_FOUND,
        proposal=proposal,
    )


def checked(data: bytes | None = None) -> Docket:
    return check_docket(docket() if data is None else data, STATE, POLICY)


def test_a_docket_comes_out_the_same() -> None:
    found = checked()
    assert found.proposal.judgement.outcome == "acquitted"
    assert (found.case, found.number, found.language) == (3, 3, "en")
    assert found.body.members == NAMES
    assert found.reasons.startswith(b"Decision 3\nTo: Ada Example")
    assert found.draft.hash("votes") == bytes(32)
    assert found.hearing is None


def draft_line(old: str, new: str) -> Change:
    def rewrite(value: dict[str, Json]) -> None:
        assert old in str(value["draft"])
        value["draft"] = str(value["draft"]).replace(old, new)

    return rewrite


ALTERED: dict[str, tuple[Change, str]] = {
    "another case's claim": (put("claim", "00" * 32), "not the one named"),
    "facts": (put("facts", {"facts": {}, "lists": {}}), "give another facts"),
    "a judgement": (put("judgement", {}), "give another judgement"),
    "a rival": (put("competing", {}), "give another competing"),
    "shortfalls": (put("shortfalls", ["nothing"]), "give another shortfalls"),
    "a language": (put("language", "de"), "give another language"),
    "what the board judged": (
        inside("judgements", put("grave_crime_proven", True)),
        "give another facts",
    ),
    "the evidence": (inside("bundle", put("proof", "")), "not what the claimant signed for"),
    "the claim's receipt": (put("claim_proof", prove(bytes(32)).decode()), "root"),
    "the draft's outcome": (draft_line("outcome acquitted", "outcome other"), "draft is not"),
    "the draft's letter": (draft_line("\nreasons ", "\nreasons 00"), "hex"),
    "another time": (put("as_of", AS_OF + 1), "give another"),
    "a negative time": (put("as_of", -1), "no whole number"),
    "a number that is true": (put("case", True), "no whole number"),
    "a field too many": (put("more", 1), "not the fields"),
    "another type": (put("type", "decision"), "not the fields"),
    "claims joined that are none": (put("joined", [1]), "joined claim"),
    "four claims joined": (put("joined", [{}, {}, {}, {}]), "more than 3"),
    "an appeal that is none": (put("appeal", {}), "fields of an appeal"),
    "too many kept out": (put("excluded", ["x"] * 33), "more than 32"),
}


@pytest.mark.parametrize("what", ALTERED)
def test_what_the_register_altered_is_named(what: str) -> None:
    change, reason = ALTERED[what]
    with pytest.raises((MalformedError, UnverifiedError), match=reason):
        checked(altered(docket(), change))


@pytest.mark.parametrize("data", [b"", b"{}", b"[]", b"{ }", b"\xff"])
def test_what_is_no_docket_is_refused(data: bytes) -> None:
    with pytest.raises(MalformedError):
        checked(data)


def test_a_docket_that_is_too_long_is_not_read() -> None:
    with pytest.raises(MalformedError, match="longer than"):
        checked(b" " * (DOCKET_BYTES_MAX + 1))


def votes(outcome: str, kind: str = "agree", reasons: str = "") -> bytes:
    on = tree_hash(checked().proposal.judgement)
    cast = [
        Vote(member=name, vote=kind, outcome=outcome, reasons=reasons) for name in NAMES[:2]
    ]
    return votes_document(on, NAMES, cast)


def test_agreement_changes_only_the_votes_of_the_draft() -> None:
    found = checked()
    document = votes("acquitted")
    final = final_draft(found, document, "acquitted")
    assert final.hash("votes") == votes_hash(document)
    changed = {name for name in final.values if final.values[name] != found.draft.values[name]}
    assert changed == {"votes"}


def test_a_departure_changes_outcome_reasons_and_letter() -> None:
    found = checked()
    final = final_draft(found, votes(STANDS, "depart", WHY), STANDS, WHY)
    changed = {name for name in final.values if final.values[name] != found.draft.values[name]}
    assert changed == {"departure", "outcome", "reasons", "votes"}


def test_a_word_of_appeals_is_no_first_outcome() -> None:
    with pytest.raises(UnverifiedError, match="no outcome quash"):
        final_draft(checked(), votes("quash", "depart", WHY), "quash", WHY)


def test_who_decided_before_keeps_out_while_others_are_enough() -> None:
    five = verifiers([signing_key(f"board.example/{place}") for place in range(5)])
    roster = Roster(number=1, threshold=3, members=five, hash=bytes(32))
    state = replace(STATE, rosters=(*STATE.rosters, roster))
    two = frozenset(key.name for key in five[:2])
    assert deciding_body(state, appealed=False, excluded=two).excluded == two
    three = frozenset(key.name for key in five[:3])
    assert not deciding_body(state, appealed=False, excluded=three).excluded


def test_who_is_kept_out_cannot_vote() -> None:
    found = checked()
    body = replace(found.body, excluded=frozenset(NAMES[:1]))
    with pytest.raises(UnverifiedError, match="decided this case before"):
        final_draft(replace(found, body=body), votes("acquitted"), "acquitted")


def test_without_a_panel_there_is_nobody_to_hear_an_appeal() -> None:
    with pytest.raises(UnverifiedError, match="no appeal panel"):
        deciding_body(STATE, appealed=True)


def test_a_docket_says_the_same_to_everybody() -> None:
    value = parse_json(docket(), "docket")
    assert format_json(value) == docket()
    assert isinstance(checked(), Docket)
    with pytest.raises((MalformedError, RefusedError)):
        checked(altered(docket(), inside("judgements", lambda table: table.clear())))
