"""Appeals: heard by others, decided with votes, and nothing is published before."""

from collections.abc import Callable

import pytest
from tests.parties.registry.appealing import (
    PANEL,
    WHY,
    contested,
    docket,
    panel_act,
    ruled,
    settled,
    voted,
    votes_on,
    with_panel,
)
from tests.parties.registry.register_world import (
    NOTHING_FOUND,
    World,
    appeal_of,
    object_of,
    state_of,
    words_of,
)
from tests.protocol import builders
from tests.protocol.builders import MEMBERS, POLICY

from safeconduct.errors import (
    ConflictError,
    MalformedError,
    RefusedError,
    SafeconductError,
    UnverifiedError,
)
from safeconduct.parties.board.sign import sign_all
from safeconduct.parties.registry import appeals, decide
from safeconduct.protocol.decision import Rechecked, recheck
from safeconduct.protocol.record import Record
from safeconduct.protocol.votes import Vote

STANDS = "registration_stands"


def publish(world: World, claim: bytes) -> Record:
    """Draft and enter the publication that is due now."""
    record = decide.finalise(world.registry, claim)
    assert record is not None
    decide.enter_publication(world.registry, claim, builders.by_board(record))
    return record


def checked(world: World, record: Record) -> Rechecked:
    data = world.registry.store.object(record.hash("object"))
    return recheck(data, record, world.state(), POLICY)


# Departures of the board.


def test_a_board_departs_by_votes_and_with_a_reason(world: World) -> None:
    claim = world.filed()
    decide.propose_decision(world.registry, claim, NOTHING_FOUND)
    _, served = voted(world, claim, "acquitted", WHY)
    assert served.record.word("outcome") == "acquitted"
    letter = words_of(served.letter)
    assert WHY in letter
    assert "You are acquitted" in letter
    world.now = served.last_appeal_at + 1
    found = checked(world, publish(world, claim))
    assert (found.outcome, found.yielded, found.departure) == ("acquitted", STANDS, WHY)
    assert found.tally is not None
    assert found.tally.in_favour == tuple(key.name for key in MEMBERS[:2])


def test_dissent_and_conflicts_are_published_with_their_reasons(world: World) -> None:
    claim = world.filed()
    world.proposed(claim)
    out = Vote(member=MEMBERS[2].name, vote="abstain", conflict="my neighbour")
    signed, votes = settled(docket(world, claim), "acquitted", others=[out])
    served = decide.enter(world.registry, claim, signed, votes=votes)
    world.now = served.last_appeal_at + 1
    found = checked(world, publish(world, claim))
    assert found.tally is not None
    assert found.tally.conflicted == (MEMBERS[2].name,)


WRONGLY_VOTED: dict[str, tuple[type[SafeconductError], Callable[[World, bytes], object]]] = {
    "without a reason": (UnverifiedError, lambda world, claim: voted(world, claim, STANDS)),
    "to an outcome that no law has": (
        UnverifiedError,
        lambda world, claim: voted(world, claim, "banished", WHY),
    ),
    "with a reason that is none": (
        MalformedError,
        lambda world, claim: voted(world, claim, STANDS, " "),
    ),
}


@pytest.mark.parametrize("what", WRONGLY_VOTED)
def test_no_board_departs(world: World, what: str) -> None:
    family, act = WRONGLY_VOTED[what]
    claim = world.filed()
    world.proposed(claim)
    before = world.held()
    with pytest.raises(family):
        act(world, claim)
    assert world.held() == before


def test_nobody_signs_without_a_vote_for_it(world: World) -> None:
    claim = world.filed()
    world.proposed(claim)
    signed, votes = settled(docket(world, claim), "acquitted")
    text = signed.decode().split("\n\n")[0] + "\n"
    others = sign_all(text.encode(), MEMBERS[1:])
    with pytest.raises(UnverifiedError, match="signed without a vote"):
        decide.enter(world.registry, claim, others, votes=votes)


def test_a_departure_without_votes_is_refused(world: World) -> None:
    claim = world.filed()
    signed = sign_all(world.proposed(claim).record, MEMBERS[:2])
    with pytest.raises(RefusedError, match="needs recorded votes"):
        decide.enter(world.registry, claim, signed, departure=WHY)


def test_other_votes_than_were_signed_for_are_refused(world: World) -> None:
    claim = world.filed()
    world.proposed(claim)
    found = docket(world, claim)
    signed, _ = settled(found, "acquitted")
    with pytest.raises(ConflictError, match="not the one that these votes settle"):
        decide.enter(world.registry, claim, signed, votes=votes_on(found, "acquitted", MEMBERS))


# What a panel does.


def test_an_appeal_is_admitted_by_letter(world: World) -> None:
    claim = world.filed()
    signed, served = world.decided(claim)
    decide.appeal(world.registry, claim, appeal_of(signed))
    letter = served.letter.with_name(f"{claim.hex()}.appeal.txt").read_text(encoding="utf-8")
    assert "it is admitted" in letter
    assert "suspended" in letter


def test_a_late_appeal_is_told_why_it_is_not_admitted(world: World) -> None:
    claim = world.filed()
    signed, served = world.decided(claim)
    world.now = served.last_appeal_at + 1
    with pytest.raises(RefusedError, match="period is over"):
        decide.appeal(world.registry, claim, appeal_of(signed))
    letter = served.letter.with_name(f"{claim.hex()}.appeal.txt").read_text(encoding="utf-8")
    assert "not admitted" in letter
    assert state_of(world, claim) == "decided"


def test_new_evidence_replaces_the_decision(world: World) -> None:
    claim = contested(with_panel(world))
    assert decide.finalise(world.registry, claim) is None
    _, served = ruled(world, claim, "acquitted")
    assert served.record.word("result") == "replace"
    letter = words_of(served.letter)
    assert "takes the place of the first one" in letter
    assert "Last day for an appeal" not in letter
    world.now += 1
    record = publish(world, claim)
    assert record.word("standing") == "acquitted"
    found = checked(world, record)
    assert found.result == "replace"
    assert found.appeal is not None
    assert (found.appeal.ground, found.appeal.in_time) == ("fact", True)
    assert found.appeal.first.outcome == STANDS
    assert set(found.signers).isdisjoint(found.appeal.first.signers)


def test_a_panel_upholds_against_what_the_law_yields_only_with_a_reason(world: World) -> None:
    claim = contested(with_panel(world))
    with pytest.raises(UnverifiedError, match="gave no reason"):
        ruled(world, claim, STANDS)
    _, served = ruled(world, claim, STANDS, WHY)
    assert served.record.word("result") == "uphold"
    world.now += 1
    assert checked(world, publish(world, claim)).result == "uphold"


def test_a_quashed_decision_falls_and_the_claim_may_be_filed_anew(world: World) -> None:
    claim = contested(with_panel(world))
    _, served = ruled(world, claim, "quash", WHY)
    assert served.record.word("result") == "quash"
    assert "may file your claim anew" in words_of(served.letter)
    assert state_of(world, claim) == "quashed"
    world.now += 365 * builders.DAY
    assert decide.finalise(world.registry, claim) is None
    world.now -= 365 * builders.DAY
    assert world.filed() != claim


def test_a_remitted_case_goes_back_to_others_of_the_board(world: World) -> None:
    claim = contested(with_panel(world))
    ruled(world, claim, "remit", WHY)
    assert state_of(world, claim) == "remitted"
    with pytest.raises(RefusedError, match="no decision was proposed"):
        decide.read_draft(world.registry, claim)
    world.proposed(claim)
    signed, served = voted(world, claim, "acquitted")
    assert served.record.word("result") == "first"
    assert state_of(world, claim) == "decided"
    decide.appeal(world.registry, claim, appeal_of(signed))
    assert state_of(world, claim) == "suspended"


def test_the_panels_decision_again_is_no_error(world: World) -> None:
    claim = contested(with_panel(world))
    signed, votes = settled(docket(world, claim), "remit", WHY, PANEL[:2])
    first = appeals.enter_appeal(world.registry, claim, signed, votes, WHY)
    held = world.held()
    assert appeals.enter_appeal(world.registry, claim, signed, votes, WHY) == first
    assert world.held() == held
    other, others = settled_again(world, signed, votes)
    with pytest.raises(ConflictError, match="entered already"):
        appeals.enter_appeal(world.registry, claim, other, others, WHY)


def settled_again(world: World, signed: bytes, votes: bytes) -> tuple[bytes, bytes]:
    text = signed.decode().split("\n\n")[0] + "\n"
    return sign_all(text.encode(), PANEL), votes


def test_nobody_is_worse_off_for_an_appeal(world: World) -> None:
    with_panel(world)
    claim = world.filed()
    signed, _ = world.decided(claim)
    decide.appeal(world.registry, claim, appeal_of(signed))
    fields = builders.helped_fields()
    pair = (fields["assessment"].encode(), fields["assessment_proof"].encode())
    found = NOTHING_FOUND | {"grave_crime_proven": True}
    appeals.propose_appeal(world.registry, claim, found, pair)
    for outcome in (STANDS, "quash", "remit"):
        with pytest.raises(UnverifiedError, match="loses what the first"):
            ruled(world, claim, outcome, "" if outcome == STANDS else WHY)
    _, served = ruled(world, claim, "acquitted", WHY)
    assert served.record.word("result") == "uphold"


def test_there_is_nothing_to_propose_without_a_panel_or_an_appeal(world: World) -> None:
    claim = world.filed()
    signed, _ = world.decided(claim)
    with pytest.raises(RefusedError):
        appeals.propose_appeal(world.registry, claim, NOTHING_FOUND)
    decide.appeal(world.registry, claim, appeal_of(signed))
    with pytest.raises(UnverifiedError, match="no appeal panel"):
        appeals.propose_appeal(world.registry, claim, NOTHING_FOUND)


def test_the_board_cannot_decide_on_appeal(world: World) -> None:
    claim = contested(with_panel(world))
    signed, votes = settled(docket(world, claim), "acquitted", "", PANEL[:2])
    text = signed.decode().split("\n\n")[0] + "\n"
    before = world.held()
    with pytest.raises(UnverifiedError, match="no say here"):
        appeals.enter_appeal(world.registry, claim, sign_all(text.encode(), MEMBERS[:2]), votes)
    with pytest.raises(UnverifiedError, match="no say here"):
        decide.enter(world.registry, claim, signed, votes=votes)
    assert world.held() == before


def test_the_gazette_takes_no_panel_of_board_members(world: World) -> None:
    act = panel_act((*PANEL[:2], MEMBERS[0]))
    with pytest.raises(MalformedError, match="cannot be of the board and of an appeal panel"):
        world.log_notice(world.registry.programme, builders.by_board(act))


def test_the_letter_of_the_panel_is_in_the_published_object(world: World) -> None:
    claim = contested(with_panel(world))
    _, served = ruled(world, claim, "acquitted")
    world.now += 1
    value = object_of(publish(world, claim), world)
    assert words_of(served.letter).startswith(str(value["letter"]))
