"""A decision's end: final when the witnesses' time says so, public where the law allows it."""

from dataclasses import replace

import pytest
from tests.parties.registry.register_world import (
    APPEAL_SECONDS,
    NOTHING_FOUND,
    World,
    state_of,
)
from tests.protocol import builders

from safeconduct.errors import RefusedError
from safeconduct.parties.board.sign import sign_all
from safeconduct.parties.registry import decide
from safeconduct.protocol.decision import recheck
from safeconduct.protocol.record import Record, record_hash

STANDS = "registration_stands"


@pytest.mark.parametrize(("later", "due"), [(0, False), (1, True)])
def test_a_decision_is_final_when_the_last_second_for_an_appeal_is_over(
    world: World, later: int, due: bool
) -> None:
    claim = world.filed()
    _, served = world.decided(claim)
    world.now = served.last_appeal_at + later
    assert (decide.finalise(world.registry, claim) is not None) is due
    assert state_of(world, claim) == ("final" if due else "decided")


def test_a_clerk_who_turns_the_clock_makes_nothing_final(world: World) -> None:
    claim = world.filed()
    _, served = world.decided(claim)
    turned = replace(world.registry, seconds=lambda: served.last_appeal_at + 1)
    assert decide.finalise(turned, claim) is None
    assert state_of(world, claim) == "decided"


def test_a_publication_waits_until_the_gazette_is_dated_after_it_is_final(
    world: World,
) -> None:
    claim = world.filed()
    _, served = world.decided(claim)
    world.now = served.last_appeal_at + 1
    draft = decide.finalise(world.registry, claim)
    assert draft is not None
    world.now -= 1
    before = world.held()
    with pytest.raises(RefusedError, match="becomes final at"):
        decide.enter_publication(world.registry, claim, builders.by_board(draft))
    assert world.held() == before


def finished(world: World, claim: bytes) -> Record | None:
    """What is drafted once nobody can appeal any more."""
    world.decided(claim)
    world.now += APPEAL_SECONDS + 1
    return decide.finalise(world.registry, claim)


def test_an_acquittal_is_public_only_with_the_consent_that_the_law_asks_for(
    world: World,
) -> None:
    assert finished(world, world.filed(disclosure="sealed")) is None
    consented = world.filed(disclosure="open", expires=world.now + builders.DAY)
    assert finished(world, consented) is not None


def test_a_strangers_claim_about_somebody_is_decided_and_never_published(
    world: World,
) -> None:
    claim = world.filed(subject="r-0002")
    draft = decide.propose_decision(
        world.registry, claim, NOTHING_FOUND | {"claimant_is_subject": False}
    )
    assert draft.proposal.judgement.outcome == STANDS
    assert "not found to be the person" in " ".join(draft.proposal.shortfalls)
    decide.enter(world.registry, claim, sign_all(draft.record, builders.MEMBERS[:2]))
    world.now += APPEAL_SECONDS + 1
    assert decide.finalise(world.registry, claim) is None


@pytest.mark.parametrize("disclosure", ["open", "sealed"])
def test_a_claim_that_failed_takes_nothing_from_an_acquittal(
    world: World, disclosure: str
) -> None:
    failing = world.filed(keys=1)
    drafted = finished(world, failing)
    assert drafted is not None
    expires = world.now + builders.DAY
    world.decided(world.filed(disclosure=disclosure, expires=expires))
    with pytest.raises(RefusedError, match="stands in favour"):
        decide.enter_publication(world.registry, failing, builders.by_board(drafted))
    assert decide.finalise(world.registry, failing) is None


def test_what_is_published_comes_out_the_same_for_everybody(world: World) -> None:
    claim = world.filed()
    world.decided(claim)
    world.finished(claim)
    publication = world.state().publications[-1]
    data = world.registry.store.object(publication.hash("object"))
    found = recheck(data, publication, world.state(), builders.POLICY)
    assert (found.subject, found.outcome) == ("r-0001", "acquitted")
    assert found.evidence == "disclosed"
    assert state_of(world, claim) == "published"


def test_sealed_evidence_and_the_name_stay_out_of_the_published_object(world: World) -> None:
    claim = world.filed(disclosure="sealed", name="Only For The Clerk", keys=1)
    world.decided(claim)
    world.finished(claim)
    data = world.registry.store.object(world.state().publications[-1].hash("object"))
    assert b"Only For The Clerk" not in data
    assert record_hash(builders.statements().record).hex().encode() not in data


def test_several_decisions_due_together_are_numbered_one_after_the_other(world: World) -> None:
    claims = [world.filed(), world.filed(subject="r-0002", keys=1)]
    for claim in claims:
        world.decided(claim)
    world.now += APPEAL_SECONDS + 1
    drafts = [
        decide.finalise(world.registry, claim, ahead=ahead)
        for ahead, claim in enumerate(claims)
    ]
    for claim, draft in zip(claims, drafts, strict=True):
        assert draft is not None
        decide.enter_publication(world.registry, claim, builders.by_board(draft))
    assert [state_of(world, claim) for claim in claims] == ["published", "published"]


def test_entering_a_publication_again_is_no_error(world: World) -> None:
    claim = world.filed()
    world.decided(claim)
    world.finished(claim)
    before = world.held()
    decide.enter_publication(world.registry, claim, world.gazette.entries[-1])
    assert world.held() == before


def test_a_decision_is_published_in_its_own_case_only(world: World) -> None:
    first, second = world.filed(), world.filed(subject="r-0002", keys=1)
    world.decided(first)
    world.decided(second)
    world.now += APPEAL_SECONDS + 1
    draft = decide.finalise(world.registry, first)
    assert draft is not None
    decide.finalise(world.registry, second)
    before = world.held()
    places: list[tuple[bytes | None, str]] = [(second, "another case"), (None, "in its case")]
    for claim, wrong in places:
        with pytest.raises(RefusedError, match=wrong):
            decide.enter_publication(world.registry, claim, builders.by_board(draft))
    assert world.held() == before


def test_nothing_is_published_while_an_appeal_is_possible(world: World) -> None:
    first, second = world.filed(), world.filed()
    world.decided(first)
    world.now += APPEAL_SECONDS + 1
    draft = decide.finalise(world.registry, first)
    assert draft is not None
    world.decided(second)
    before = world.held()
    with pytest.raises(RefusedError, match="decided cannot be published"):
        decide.enter_publication(world.registry, second, builders.by_board(draft))
    assert world.held() == before


def test_a_publication_of_an_object_that_is_not_held_is_refused(world: World) -> None:
    act = builders.publication_act(number=len(world.state().publications) + 1)
    with pytest.raises(RefusedError, match="does not hold this object"):
        decide.enter_publication(world.registry, None, builders.by_board(act))
