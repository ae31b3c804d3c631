"""Decisions, appeals, listings and the console: each durable step fails, and is taken again.

Nothing acknowledged is lost, nothing is logged twice, no letter tells what is not decided, and
nothing becomes public early.
"""

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.crash.board_rig import Journey, Rig, fails_everywhere, prepared
from tests.crash.disk import WAYS
from tests.parties.registry import credit_world
from tests.parties.registry.appealing import PANEL, WHY, docket, settled, with_panel
from tests.parties.registry.register_world import (
    APPEAL_SECONDS,
    NOTHING_FOUND,
    World,
    appeal_of,
    open_world,
)
from tests.parties.registry.test_kinds_of_claims import ASSESSED, JUDGED, mixed
from tests.protocol import builders, credited
from tests.protocol.builders import MEMBERS

from safeconduct.parties.board.sign import sign_all
from safeconduct.parties.registry import appeals, decide
from safeconduct.protocol.record import Record

STANDS = "registration_stands"


def claim_of(rig: Rig) -> bytes:
    return rig.world.registry.store.cases()[0].claim


# A decision, from the proposal to the Gazette.


def propose(rig: Rig) -> object:
    decide.propose_decision(rig.world.registry, claim_of(rig), NOTHING_FOUND, ASSESSED)
    return settled(docket(rig.world, claim_of(rig)), "acquitted")


def enter(rig: Rig) -> object:
    signed, votes = rig.done["propose"]
    return decide.enter(rig.world.registry, claim_of(rig), signed, votes=votes)


def wait(rig: Rig) -> object:
    rig.world.now += APPEAL_SECONDS + 1
    return True


def finalise(rig: Rig) -> bytes:
    record = decide.finalise(rig.world.registry, claim_of(rig))
    assert isinstance(record, Record)
    return builders.by_board(record)


def publish(rig: Rig) -> object:
    signed = rig.done["finalise"]
    decide.enter_publication(rig.world.registry, claim_of(rig), signed)
    return True


PUBLISHED: Journey = {"wait": wait, "finalise": finalise, "publish": publish}
DECIDED: Journey = {"propose": propose, "enter": enter, **PUBLISHED}


def listed(folder: Path, patch: pytest.MonkeyPatch) -> World:
    world = open_world(folder, patch)
    world.listed("r-0001")
    return with_panel(world)


def filed(folder: Path, patch: pytest.MonkeyPatch) -> World:
    world = listed(folder, patch)
    world.filed()
    return world


# Two claims decided together.


def propose_both(rig: Rig) -> object:
    lead, other = (one.claim for one in rig.world.registry.store.cases())
    draft = decide.propose_decision(rig.world.registry, lead, JUDGED, ASSESSED, joined=[other])
    return sign_all(draft.record, MEMBERS[:2]), b""


def filed_two(folder: Path, patch: pytest.MonkeyPatch) -> World:
    world = listed(folder, patch)
    mixed(world)
    return world


# A credit that a decision uses up.


def propose_on_credit(rig: Rig) -> object:
    return credit_world.drafted(rig.world, claim_of(rig)), b""


def filed_credit(folder: Path, patch: pytest.MonkeyPatch) -> World:
    world = credit_world.begin(open_world(folder, patch, credited.entries()))
    credit_world.filed(world)
    return world


# An appeal, and each thing that a panel may find.


def appealed(rig: Rig) -> object:
    signed = decide.decided_record(rig.world.registry, claim_of(rig))
    assert signed is not None
    decide.appeal(rig.world.registry, claim_of(rig), appeal_of(signed))
    return True


def before_panel(outcome: str, departure: str) -> Callable[[Rig], object]:
    def proposed(rig: Rig) -> object:
        claim = claim_of(rig)
        appeals.propose_appeal(rig.world.registry, claim, NOTHING_FOUND, ASSESSED)
        return settled(docket(rig.world, claim), outcome, departure, PANEL[:2])

    return proposed


def ruled(departure: str) -> Callable[[Rig], object]:
    def entered(rig: Rig) -> object:
        signed, votes = rig.done["before panel"]
        return appeals.enter_appeal(rig.world.registry, claim_of(rig), signed, votes, departure)

    return entered


def found(outcome: str, departure: str, after: Journey) -> Journey:
    return {
        "appeal": appealed,
        "before panel": before_panel(outcome, departure),
        "ruled": ruled(departure),
        **after,
    }


def refused(folder: Path, patch: pytest.MonkeyPatch) -> World:
    """A claim that was refused for want of an assessment."""
    world = filed(folder, patch)
    claim = world.registry.store.cases()[0].claim
    draft = decide.propose_decision(world.registry, claim, NOTHING_FOUND)
    decide.enter(world.registry, claim, sign_all(draft.record, MEMBERS[:2]))
    return world


JOURNEYS: dict[str, tuple[Callable[[Path, pytest.MonkeyPatch], World], Journey]] = {
    "a decision with votes": (filed, DECIDED),
    "two claims at once": (filed_two, {**DECIDED, "propose": propose_both}),
    "a credit": (filed_credit, {**DECIDED, "propose": propose_on_credit}),
    "an appeal, upheld": (refused, found(STANDS, WHY, PUBLISHED)),
    "an appeal, replaced": (refused, found("acquitted", "", PUBLISHED)),
    "an appeal, quashed": (refused, found("quash", WHY, {})),
    "an appeal, remitted": (
        refused,
        found("remit", WHY, DECIDED),
    ),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("what", JOURNEYS)
def test_whatever_step_fails_a_case_goes_on_as_if_it_had_not(
    tmp_path: Path, what: str, way: str
) -> None:
    begin, journey = JOURNEYS[what]
    (tmp_path / "start").mkdir()
    with pytest.MonkeyPatch.context() as patch:
        start = prepared(begin(tmp_path / "start", patch), journey)
    assert fails_everywhere(start, tmp_path, way) > 15
