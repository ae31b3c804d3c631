"""The town that most tests begin with: all is well in it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.parties.monitor.monitor_town import Town, open_town


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    with open_town(tmp_path) as town:
        yield town
