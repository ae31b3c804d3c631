"""A private Tor network and a programme whose door is an onion service on it."""

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from tests.tor.network import Client, Network, private_network, wait_until

from safeconduct.demo.founding import found
from safeconduct.demo.stage import HOST, Stage, free_port
from safeconduct.demo.world import World
from safeconduct.errors import SafeconductError
from safeconduct.plumbing import dice, fetch
from safeconduct.plumbing.circuits import draw_circuits
from safeconduct.plumbing.programme import write_programme

LOGS_PORT, REGISTER_PORT = 8081, 8082
SERVICE_SECONDS = 240  # to publish a description, and to be found by it
ATTEMPT_SECONDS = 15
BYTES_MAX = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Town:
    """A programme at work, and how it is found through Tor."""

    world: World
    folder: Path
    network: Network
    onion: str
    staff: str

    @property
    def door(self) -> Path:
        """The door's folder."""
        return self.world.path("door")

    @property
    def tor_process(self) -> int:
        """The number of the Tor process that the door keeps; 0 while there is none."""
        path = self.folder / "tor.pid"
        return int(path.read_text() or 0) if path.exists() else 0

    def run(
        self, *words: str, typed: str = "", status: int = 0
    ) -> "subprocess.CompletedProcess[str]":
        """Run `safeconduct`, which must end with that status."""
        done = subprocess.run(
            [sys.executable, "-m", "safeconduct", *words],
            input=typed,
            capture_output=True,
            text=True,
            timeout=SERVICE_SECONDS,
        )
        assert done.returncode == status, done.stderr
        return done


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    """A network of Tor's own on this machine."""
    with private_network(tmp_path_factory.mktemp("tor")) as network:
        yield network


@pytest.fixture(scope="module")
def client(network: Network) -> Client:
    """Somebody's Tor."""
    return network.client("client")


@pytest.fixture(scope="module")
def town(network: Network, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """A programme of the demonstration, its door behind an onion service."""
    folder = tmp_path_factory.mktemp("town")
    with Stage(folder) as stage:
        world = found(folder, stage)
        _move_behind_onion(world, folder, network)
        services = world.path("door", "onion")
        names = [services / each / "hostname" for each in ("public", "staff")]
        wait_until(lambda: all(name.exists() for name in names), "the onion's name", 120)
        onion, staff = (name.read_text().strip() for name in names)
        stage.wait_for("door", path="/health")
        _write_programme(world, folder, onion)
        yield Town(world=world, folder=folder, network=network, onion=onion, staff=staff)


def asked(client: Client, url: str) -> bytes:
    """What a service answers through a fresh circuit, within the time it takes to be found."""

    def ask() -> bytes:
        circuit = draw_circuits(client.socks, dice.random_bytes).of("commit")
        answer = fetch.request(
            "GET", url, bytes_max=BYTES_MAX, circuit=circuit, seconds=ATTEMPT_SECONDS
        )
        fetch.raise_for(answer)
        return answer.body

    return fetch.patiently(ask, seconds=SERVICE_SECONDS)


def answers(client: Client, url: str) -> bool:
    """Whether there is an answer to one attempt."""
    circuit = draw_circuits(client.socks, dice.random_bytes).of("commit")
    try:
        fetch.get(url, bytes_max=BYTES_MAX, circuit=circuit)
    except SafeconductError:
        return False
    return True


def _move_behind_onion(world: World, folder: Path, network: Network) -> None:
    """Start the door again as a body would run it; the stage offers no other way in."""
    more = folder / "more-torrc"
    more.write_text(f"{network.lines}PidFile {folder}/tor.pid\n")
    logs = world.programme.ledger.split("/")[2]
    register = world.programme.register.split("/")[2]
    door = world.stage._servers["door"]
    door.arguments = [
        *door.arguments,
        *("--onion", "--torrc", str(more), "--staff", f"{HOST}:{free_port()}"),
        *("--onion-port", f"{LOGS_PORT}={logs}", "--onion-port", f"{REGISTER_PORT}={register}"),
    ]
    world.stage.kill("door")


def _write_programme(world: World, folder: Path, onion: str) -> None:
    """The public files as a source has them: no address but the onion service's."""
    place = folder / "source"
    place.mkdir()
    found_at = replace(
        world.programme,
        door=f"http://{onion}",
        gazette=f"http://{onion}:{LOGS_PORT}/gazette",
        ledger=f"http://{onion}:{LOGS_PORT}/ledger",
        register=f"http://{onion}:{REGISTER_PORT}",
    )
    write_programme(place, found_at)
