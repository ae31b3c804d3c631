"""The register that most tests begin with: four persons listed, nobody has claimed."""

from pathlib import Path

import pytest
from tests.parties.registry.register_world import World, open_world


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    world = open_world(tmp_path, monkeypatch)
    for subject in ("r-0001", "r-0002"):
        world.listed(subject)
    return world
