"""A body that wants a decision to look like another one: no field of it goes unwatched."""

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.hostile.attacks.mutations import Place, unnoticed
from tests.parties.registry.appealing import (
    PANEL,
    WHY,
    contested,
    docket,
    ruled,
    settled,
    voted,
    with_panel,
)
from tests.parties.registry.register_world import (
    NOTHING_FOUND,
    World,
    appeal_of,
    open_world,
    state_of,
)
from tests.parties.registry.test_governing_law import CHANGES_AT, second_law
from tests.protocol import builders
from tests.protocol.builders import DAY, MEMBERS, POLICY, prove
from tests.protocol.decided import (
    AS_OF,
    DECIDED,
    FINAL,
    STATE,
    altered,
    bundle_of,
    decided,
    honest,
    honest_sealed,
    inside,
    publish,
    put,
)

from safeconduct.errors import MalformedError, RefusedError, SafeconductError, UnverifiedError
from safeconduct.parties.board.sign import sign_all
from safeconduct.parties.registry import appeals, decide, sitting
from safeconduct.protocol.canonical import Json
from safeconduct.protocol.decision import recheck
from safeconduct.protocol.gazette import GazetteState

# Any field of any published decision.

CHANCE: frozenset[Place] = frozenset({("salt",)})
"""16 random bytes that say nothing, whatever they are."""
OF_THE_SEALED = frozenset({("evidence", "commitment"), ("shortfalls",)}) | {
    ("judgements",),
    ("judgements", "claimant_is_subject"),
}
"""What stands for evidence that nobody sees: the board's word, which the audit says."""


def _by_votes(folder: Path, patch: pytest.MonkeyPatch) -> tuple[World, bytes]:
    world = open_world(folder, patch)
    for subject in ("r-0001", "r-0002"):
        world.listed(subject)
    claim = with_panel(world).filed()
    decide.propose_decision(world.registry, claim, NOTHING_FOUND)
    voted(world, claim, "acquitted", WHY)
    return world, claim


def _on_appeal(folder: Path, patch: pytest.MonkeyPatch) -> tuple[World, bytes]:
    world = open_world(folder, patch)
    world.listed("r-0001")
    claim = contested(with_panel(world))
    ruled(world, claim, "acquitted")
    return world, claim


PLAYED = {"a departure by votes": _by_votes, "an appeal": _on_appeal}


@pytest.mark.parametrize("play", PLAYED.values(), ids=PLAYED)
def test_no_field_of_a_decision_can_be_changed_unnoticed(
    play: Callable[[Path, pytest.MonkeyPatch], tuple[World, bytes]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world, claim = play(tmp_path, monkeypatch)
    world.now += 31 * DAY
    record = decide.finalise(world.registry, claim)
    assert record is not None
    data = world.registry.store.object(record.hash("object"))
    check = _published(world.state(), record.number("final"))
    check(data)
    # The decision appealed against is checked like any other, and named by its hash.
    found = unnoticed(data, check, {("appeal", "first"): 1})
    nothing_shown: set[Place] = {
        ("evidence", "bundle", "assessment_proof")
    }  # and no assessment
    assert found - CHANCE <= nothing_shown


@pytest.mark.parametrize(
    ("made", "unbound"), [(honest, frozenset()), (honest_sealed, OF_THE_SEALED)]
)
def test_no_field_of_open_or_sealed_decisions_either(
    made: Callable[[], bytes], unbound: frozenset[Place]
) -> None:
    check = _published(STATE, FINAL)
    check(made())
    assert unnoticed(made(), check) - CHANCE <= unbound


def _published(state: GazetteState, final: int) -> Callable[[bytes], object]:
    """A board that publishes whatever it is given, and an auditor who computes it again."""

    def check(data: bytes) -> object:
        made = publish(data, final=final)
        return recheck(made.data, made.publication, state, POLICY)

    return check


SMUGGLED: dict[str, tuple[Callable[[dict[str, Json]], object], str]] = {
    "a text in place of chance": (put("salt", "she has two daughters"), "salt"),
    "a judgement that nobody makes": (
        inside("judgements", put("is_a_traitor", True)),
        "no board makes",
    ),
    "a judgement of a tenth statement": (
        inside("judgements", put("denounces.9", True)),
        "no board makes",
    ),
    "a judgement against the facts": (
        inside("judgements", put("grave_crime_proven", True)),
        "otherwise than the facts say",
    ),
    "a shortfall that is a table": (put("shortfalls", [{"so": 1}]), "shortfall"),
}


@pytest.mark.parametrize(("change", "told"), SMUGGLED.values(), ids=SMUGGLED)
def test_nothing_is_smuggled_into_a_sealed_decision(
    change: Callable[[dict[str, Json]], object], told: str
) -> None:
    made = publish(altered(honest_sealed(), change))
    with pytest.raises((MalformedError, UnverifiedError), match=told):
        made.recheck()


# The moment as of which a case is judged.


def test_a_case_is_not_judged_as_of_a_moment_before_its_claim() -> None:
    data = decided(bundle_of(), claim_at=AS_OF + DAY // 2)
    with pytest.raises(UnverifiedError, match="moment that is not its own"):
        publish(data).recheck()


def test_a_case_is_not_judged_as_of_a_moment_after_its_decision() -> None:
    data = decided(
        bundle_of(), logged=lambda entry: prove(entry, AS_OF - DAY), claim_at=AS_OF - 2 * DAY
    )
    with pytest.raises(UnverifiedError, match="moment that is not its own"):
        publish(data).recheck()
    assert publish(decided(bundle_of(), claim_at=AS_OF + 60)).recheck().logged.logged_by == (
        DECIDED
    ), "clocks may differ a little"


@pytest.fixture
def changing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """A register whose law asks for less from `CHANGES_AT` on."""
    better = second_law(["corroborated", "useful", "unproven"])
    world = open_world(tmp_path, monkeypatch, (*builders.gazette_entries(), better))
    world.listed("r-0001")
    return world


def _held_back(world: World) -> tuple[bytes, bytes]:
    """A refusal under the old law, signed late: under the new one it were an acquittal."""
    claim = world.filed()
    draft = decide.propose_decision(world.registry, claim, NOTHING_FOUND)
    assert draft.proposal.judgement.outcome == "registration_stands"
    world.now = CHANGES_AT + DAY
    return claim, sign_all(draft.record, MEMBERS[:2])


def test_a_draft_is_not_held_back_until_its_law_has_become_better(changing: World) -> None:
    claim, signed = _held_back(changing)
    before = changing.held()
    with pytest.raises(UnverifiedError, match="the law changed"):
        decide.enter(changing.registry, claim, signed)
    assert changing.held() == before
    again = decide.propose_decision(changing.registry, claim, NOTHING_FOUND)
    assert again.proposal.judgement.outcome == "acquitted"


def test_a_register_that_enters_it_all_the_same_is_found_out(
    changing: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    claim, signed = _held_back(changing)
    monkeypatch.setattr(sitting, "check_in_time", lambda *_: None)
    decide.enter(changing.registry, claim, signed)
    changing.now += 31 * DAY
    record = decide.finalise(changing.registry, claim)
    assert record is not None
    data = changing.registry.store.object(record.hash("object"))
    with pytest.raises(UnverifiedError, match="the law changed"):
        recheck(data, record, changing.state(), POLICY)


# A case that never ends.


def test_a_case_goes_back_to_the_board_once_and_not_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = open_world(tmp_path, monkeypatch)
    world.listed("r-0001")
    claim = contested(with_panel(world))
    ruled(world, claim, "remit", WHY)
    draft = decide.propose_decision(world.registry, claim, NOTHING_FOUND)
    found = docket(world, claim)
    others = [key for key in MEMBERS if key.name not in found.body.excluded] or list(MEMBERS)
    signed = sign_all(draft.record, others[:2])
    decide.enter(world.registry, claim, signed)
    decide.appeal(world.registry, claim, appeal_of(signed))
    appeals.propose_appeal(world.registry, claim, NOTHING_FOUND)
    again, votes = settled(docket(world, claim), "remit", WHY, PANEL[:2])
    with pytest.raises(RefusedError, match="once already"):
        appeals.enter_appeal(world.registry, claim, again, votes, WHY)
    assert state_of(world, claim) == "suspended"
    ruled(world, claim, "quash", WHY)
    assert state_of(world, claim) == "quashed"


# Who asks about cases.


def test_whoever_is_not_the_claimant_learns_nothing_of_a_case_by_appealing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = open_world(tmp_path, monkeypatch)
    world.listed("r-0001")
    claim = world.filed()
    stranger = builders.signing_key("stranger.example")

    def told(entry: bytes) -> tuple[type[SafeconductError], str]:
        signed = appeal_of(b"some decision", key=stranger)
        with pytest.raises(SafeconductError) as refused:
            decide.appeal(world.registry, entry, signed)
        return type(refused.value), str(refused.value)

    nothing = told(bytes(32))
    assert told(claim) == nothing, "filed"
    world.decided(claim)
    assert told(claim) == nothing, "decided"
    world.finished(claim)
    assert told(claim) == nothing, "published"
