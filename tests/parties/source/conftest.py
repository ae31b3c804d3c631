import pytest
from tests.parties.source.network import Network

from safeconduct.parties.source import door
from safeconduct.plumbing import clock, fetch, logs, register


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch) -> Network:
    """The far end of the network, in place of any that there is."""
    network = Network()
    monkeypatch.setattr(fetch, "request", network.request)
    monkeypatch.setattr(fetch, "pieces", network.pieces)
    monkeypatch.setattr(clock, "seconds", lambda: network.now)
    for module in (door, register, logs):
        monkeypatch.setattr(module, "PATIENCE_SECONDS", 0.0)
    return network
