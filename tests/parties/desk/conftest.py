"""The world that each test of the desk starts from."""

from pathlib import Path

import pytest
from tests.parties.desk.credit_town import Town, make_town
from tests.parties.desk.desk_world import World, make_world
from tests.system_tools import need_tool

from safeconduct.parties.desk import door


@pytest.fixture
def world(tmp_path: Path) -> World:
    return make_world(tmp_path)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A door that is away is asked once."""
    monkeypatch.setattr(door, "PATIENCE_SECONDS", 0.0)


@pytest.fixture(params=["plain", "blind"])
def town(world: World, tmp_path: Path, request: pytest.FixtureRequest, impatient: None) -> Town:
    """A desk whose law grants credits, in each scheme."""
    if request.param == "blind":
        need_tool("openssl", "openssl")
    return make_town(world, tmp_path, request.param)


@pytest.fixture
def plain(world: World, tmp_path: Path) -> Town:
    """A desk whose law grants plain credits."""
    return make_town(world, tmp_path, "plain")


@pytest.fixture
def blind(world: World, tmp_path: Path) -> Town:
    """A desk whose law grants blind credits."""
    need_tool("openssl", "openssl")
    return make_town(world, tmp_path, "blind")
