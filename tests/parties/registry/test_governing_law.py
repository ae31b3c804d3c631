"""A law that changes between claim and decision: the person gets the better of the two."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.parties.registry.register_world import (
    NOTHING_FOUND,
    World,
    object_of,
    open_world,
    words_of,
)
from tests.protocol import builders
from tests.protocol.builders import DAY, MEMBERS, NOON, POLICY
from tests.protocol.decided import altered, publish, put

from safeconduct.errors import UnverifiedError
from safeconduct.parties.board.sign import sign_all
from safeconduct.parties.registry import decide
from safeconduct.protocol.canonical import Json, format_json, parse_json
from safeconduct.protocol.decision import Rechecked, recheck
from safeconduct.protocol.record import Record
from safeconduct.protocol.statute.instant import format_instant

STANDS = "registration_stands"
CHANGES_AT = NOON + 10 * DAY


def second_law(grades: list[Json]) -> bytes:
    """The statute record of a second version, which wants one of these grades."""
    document = parse_json(builders.law(), "statute")
    assert isinstance(document, dict)
    before = hashlib.sha256(builders.law()).digest()
    version = document["version"]
    assert isinstance(version, dict)
    version |= {
        "number": 2,
        "published": format_instant(NOON),
        "in_force_from": format_instant(CHANGES_AT),
        "supersedes": before.hex(),
    }
    text = format_json(document).decode()
    old = '["grade",["corroborated","useful"]]'
    assert old in text
    text = text.replace(old, format_json(["grade", grades]).decode())
    law = text.replace('"grade":"useful"', '"grade":"corroborated"').encode()
    act = builders.statute_act(number=2, previous=before, law=law)
    return builders.by_board(act)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., World]:
    def begun(*grades: str) -> World:
        entries = (*builders.gazette_entries(), second_law([*grades]))
        world = open_world(tmp_path, monkeypatch, entries)
        world.listed("r-0001")
        return world

    return begun


def decided(world: World, *, assessed: bool) -> tuple[bytes, decide.Served]:
    """File under the first version, and decide when the second is in force."""
    claim = world.filed()
    world.now = CHANGES_AT + DAY
    fields = builders.helped_fields()
    pair = (fields["assessment"].encode(), fields["assessment_proof"].encode())
    draft = decide.propose_decision(
        world.registry, claim, NOTHING_FOUND, pair if assessed else (b"", b"")
    )
    signed = sign_all(draft.record, MEMBERS[:2])
    return claim, decide.enter(world.registry, claim, signed)


def published(world: World, claim: bytes) -> tuple[Record, Rechecked]:
    world.now += 31 * DAY
    record = decide.finalise(world.registry, claim)
    assert record is not None
    data = world.registry.store.object(record.hash("object"))
    return record, recheck(data, record, world.state(), POLICY)


def test_a_later_law_that_is_better_for_the_person_is_applied(
    place: Callable[..., World],
) -> None:
    world = place("corroborated", "useful", "unproven")
    claim, served = decided(world, assessed=False)
    assert served.record.word("outcome") == "acquitted"
    assert served.record.hash("statute") == world.state().statutes[1].sha256
    assert "version 1" in words_of(served.letter)
    _, found = published(world, claim)
    assert (found.outcome, found.competing) == ("acquitted", STANDS)


def test_a_later_law_that_is_worse_takes_nothing_away(place: Callable[..., World]) -> None:
    world = place("corroborated")
    claim, served = decided(world, assessed=True)
    assert served.record.word("outcome") == "acquitted"
    assert served.record.hash("statute") == world.state().statutes[0].sha256
    _, found = published(world, claim)
    assert (found.outcome, found.competing) == ("acquitted", STANDS)


def test_both_results_are_shown_and_neither_can_be_hidden(place: Callable[..., World]) -> None:
    world = place("corroborated")
    claim, _ = decided(world, assessed=True)
    record, _ = published(world, claim)
    shown = object_of(record, world)["competing"]
    assert isinstance(shown, dict)
    assert shown["statute"] == world.state().statutes[1].sha256.hex()
    data = altered(world.registry.store.object(record.hash("object")), put("competing", None))
    hidden = publish(data, final=record.number("final"))
    with pytest.raises(UnverifiedError, match="other version of the law"):
        recheck(hidden.data, hidden.publication, world.state(), POLICY)


def test_a_law_published_after_the_decision_changes_nothing_of_it(
    place: Callable[..., World],
) -> None:
    world = place("corroborated", "useful", "unproven")
    claim = world.filed()
    draft = world.proposed(claim)
    assert draft.proposal.competing is None
    decide.enter(world.registry, claim, sign_all(draft.record, MEMBERS[:2]))
    record, found = published(world, claim)
    assert record.hash("statute") == world.state().statutes[0].sha256
    assert found.competing == ""
