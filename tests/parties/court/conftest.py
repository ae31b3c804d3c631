from pathlib import Path

import pytest
from tests.parties.court.court_folders import Desktop, make_desktop


@pytest.fixture
def desktop(tmp_path: Path) -> Desktop:
    """A clerk's folder."""
    return make_desktop(tmp_path)
