"""Those who are attacked here, each with everything real but the network."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.parties.desk.desk_world import World as DeskWorld
from tests.parties.desk.desk_world import make_world
from tests.parties.intake import door_world
from tests.parties.registry import credit_world, register_world
from tests.parties.source.conftest import network
from tests.protocol import credited

__all__ = ["network"]


@pytest.fixture
def desk(tmp_path: Path) -> DeskWorld:
    """A desk, with the Ledger and the door that it reads from."""
    return make_world(tmp_path / "desk")


@pytest.fixture
def door(tmp_path: Path) -> Iterator[door_world.World]:
    """A door that serves on a port."""
    with door_world.open_world(tmp_path / "door") as opened:
        yield opened


@pytest.fixture
def register(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> register_world.World:
    """A register with two persons in it."""
    world = register_world.open_world(tmp_path / "register", monkeypatch)
    for subject in ("r-0001", "r-0002"):
        world.listed(subject)
    return world


@pytest.fixture
def crediting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> register_world.World:
    """The same under a law with plain credits, of which the board has counted three."""
    opened = register_world.open_world(tmp_path / "register", monkeypatch, credited.entries())
    return credit_world.begin(opened)
