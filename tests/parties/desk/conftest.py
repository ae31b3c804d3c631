"""The world that each test of the desk starts from."""

from pathlib import Path

import pytest
from tests.parties.desk.desk_world import World, make_world


@pytest.fixture
def world(tmp_path: Path) -> World:
    return make_world(tmp_path)
