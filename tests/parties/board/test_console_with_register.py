"""A console and a real register, over HTTP: a claim is filed, voted on, signed, and entered."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.parties.board.console_register import at_register, proposed
from tests.parties.board.console_world import (
    ANNA,
    BORIS,
    Browser,
    ConsoleWorld,
    served,
)
from tests.parties.registry.register_world import World, state_of
from tests.protocol.builders import MEMBERS

Both = tuple[World, ConsoleWorld]


@pytest.fixture
def both(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Both]:
    with at_register(tmp_path, monkeypatch) as opened:
        yield opened


def _decide(people: list[Browser], world: ConsoleWorld, where: str) -> None:
    for one in people:
        one.act(f"{where}/vote", vote="agree", after="0")
    people[0].act(f"{where}/draft", outcome="acquitted", without="yes")
    for one, key in zip(people, MEMBERS, strict=False):
        one.upload(f"{where}/signed", world.signed(key))


def test_a_register_that_knows_no_console_gives_it_nothing(both: Both) -> None:
    register, world = both
    register.proposed(register.filed())
    world.pull()
    assert "has no console" in world.console.memory.trouble
    assert world.console.store.dockets() == ()


def test_what_members_decide_on_the_console_is_entered_and_served(both: Both) -> None:
    register, world = both
    claim = proposed(register, world)
    where = f"/dockets/{world.file().kept.hash.hex()}"
    with served(world) as browser:
        people = [browser(name) for name in (ANNA, BORIS)]
        _decide(people, world, where)
        world.pull()
        assert state_of(register, claim) == "decided"
        seen = people[0].get(where).text
        assert "The register acknowledged it" in seen
        assert "Last second for an appeal" in seen
        world.pull()
        assert "1 settled" in people[0].get("/").text
    assert [path.suffix for path in sorted(register.folder.glob("letters/*"))]


def test_a_case_that_was_decided_elsewhere_takes_no_more_votes(both: Both) -> None:
    register, world = both
    claim = proposed(register, world)
    where = f"/dockets/{world.file().kept.hash.hex()}"
    with served(world) as browser:
        anna = browser(ANNA)
        register.decided(claim)
        world.pull()
        seen = anna.act(f"{where}/vote", vote="agree", after="0")
        assert (seen.status, "does not offer" in seen.text) == (403, True)
