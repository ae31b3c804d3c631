"""An honest published folder, and copies of it to spoil."""

import shutil
from pathlib import Path

import pytest
from tests.parties.auditor.audited import WORLD


@pytest.fixture(scope="session")
def honest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("honest") / "public"
    WORLD.write(folder)
    return folder


@pytest.fixture
def public(honest: Path, tmp_path: Path) -> Path:
    """A copy that a test may spoil."""
    return Path(shutil.copytree(honest, tmp_path / "public"))
