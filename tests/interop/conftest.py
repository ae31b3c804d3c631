from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.interop.go_peer import Peer, build
from tests.interop.node_peer import NodePeer, install
from tests.interop.real_log import RealLog, real_log


@pytest.fixture(scope="session")
def peer(tmp_path_factory: pytest.TempPathFactory) -> Peer:
    """golang.org/x/mod, as Debian packages it."""
    return build(tmp_path_factory.mktemp("go"))


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealLog]:
    """A log of the real program with three real witnesses; tests let it grow."""
    folder: Path = tmp_path_factory.mktemp("log")
    with real_log(folder) as opened:
        yield opened


@pytest.fixture(scope="session")
def node(tmp_path_factory: pytest.TempPathFactory) -> NodePeer:
    """npm's `age-encryption`, at the version and hashes of its lock file."""
    return install(tmp_path_factory.mktemp("node"))
