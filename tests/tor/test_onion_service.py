"""The door behind a real onion service, on a real Tor network that lies on this machine."""

import json
import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.tor.conftest import LOGS_PORT, Town, answers, asked
from tests.tor.descriptor import read_descriptor
from tests.tor.network import Client, Network, wait_until

from safeconduct.plumbing import dice, fetch, tor, web
from safeconduct.plumbing.circuit_line import CIRCUIT_PREFIX
from safeconduct.plumbing.circuits import Circuit, draw_circuits
from safeconduct.plumbing.words import format_words

TEXT = "The keys to the cold store hang behind the tide tables."
ANSWER = "Which of the two cold stores?"
DEATH_SECONDS = 120


def source(town: Town, client: Client, verb: str, words: str, *more: str) -> str:
    programme = ("--programme", str(town.folder / "source"))
    way = ("--socks", client.socks, "--wait", "0")
    return town.run("source", verb, *programme, *way, *more, typed=f"{words}\n").stdout


def test_a_source_goes_the_whole_way_through_tor(town: Town, client: Client) -> None:
    asked(client, f"http://{town.onion}/health")
    words = format_words(dice.random_bytes(16))
    letter, reply, own = (town.folder / name for name in ("letter", "reply", "own"))
    letter.write_text(TEXT)
    reply.write_text(ANSWER)
    source(town, client, "send", words, "--message", str(letter))

    desk = ("--dir", str(town.world.path("desk")))
    town.run("desk", "pull", *desk)
    [tip] = json.loads(town.run("desk", "list", "--json", *desk).stdout)
    town.run("desk", "reply", tip["hash"], *desk, "--text-file", str(reply))

    assert ANSWER in source(town, client, "inbox", words)
    source(town, client, "receipt", words, "--number", "0", "--out", str(own))
    policy = ("--policy", str(town.folder / "policy.txt"))
    receipt = ("receipt", "verify", f"{own}.tlog-proof", "--record", f"{own}.record")
    assert "logged" in town.run(*receipt, *policy).stdout


@pytest.mark.parametrize("log", ["gazette", "ledger"])
def test_the_logs_are_reached_through_the_same_onion(
    town: Town, client: Client, log: str
) -> None:
    checkpoint = asked(client, f"http://{town.onion}:{LOGS_PORT}/{log}/checkpoint")
    assert checkpoint.startswith(getattr(town.world.programme, f"{log}_origin").encode())


def test_the_public_service_asks_for_work_and_the_client_can_tell(
    town: Town, client: Client
) -> None:
    asked(client, f"http://{town.onion}/health")
    lines = read_descriptor(client, town.onion).splitlines()
    assert [line for line in lines if line.startswith("pow-params v1 ")]


def test_staff_pages_want_a_key_and_only_then_answer(
    town: Town, network: Network, client: Client, tmp_path: Path
) -> None:
    asked(client, f"http://{town.onion}/health")
    assert not answers(client, f"http://{town.staff}/health")
    line = town.run("door", "staff-key", "anna", "--dir", str(town.door)).stdout
    keys = tmp_path / "keys"
    keys.mkdir(mode=0o700)
    (keys / "anna.auth_private").write_text(line)
    anna = network.client("anna", keys=keys)
    assert asked(anna, f"http://{town.staff}/health") == b"ok"
    assert not answers(client, f"http://{town.staff}/health")


def test_all_that_tor_keeps_is_the_doors_alone(town: Town) -> None:
    kept = list((town.door / "onion").rglob("*"))
    assert any(path.name == "hs_ed25519_secret_key" for path in kept)
    modes = {path.name: path.stat().st_mode & 0o077 for path in kept}
    assert {name for name, mode in modes.items() if mode} == set()


def test_a_tor_that_dies_comes_back(town: Town, network: Network, client: Client) -> None:
    asked(client, f"http://{town.onion}/health")
    killed = town.tor_process
    os.kill(killed, signal.SIGKILL)
    wait_until(lambda: town.tor_process not in {0, killed}, "another tor", DEATH_SECONDS)
    # Whoever knew the dead one tries its ways first, for as long as Tor likes; others do not.
    assert asked(network.client("late"), f"http://{town.onion}/health")


def test_a_door_that_is_killed_takes_tor_along_and_both_come_back(
    town: Town, client: Client
) -> None:
    before = town.tor_process
    town.world.stage.kill("door")
    assert asked(client, f"http://{town.onion}/health")  # for a while by the Tor that is left
    wait_until(
        lambda: town.tor_process not in {0, before}, "a tor of the new door", DEATH_SECONDS
    )
    wait_until(lambda: not Path(f"/proc/{before}").exists(), "the old one's end", DEATH_SECONDS)
    assert asked(town.network.client("later"), f"http://{town.onion}/health")


@pytest.fixture
def mirror_of_flows(network: Network, tmp_path: Path) -> Iterator[str]:
    """An onion service that tells each visitor by which flow it came."""
    app = web.make_app([web.Route("GET", "/", lambda request: web.text(web.flow_of(request)))])
    onion = tor.Onion(folder=tmp_path / "onion", ports={80: f"unix:{tmp_path / 'sock'}"})
    for folder in (onion.folder, tmp_path / "data"):
        tor.make_private(folder)
    torrc = tmp_path / "torrc"
    torrc.write_text(tor.format_torrc(tmp_path / "data", [onion], network.lines))
    tor.check_torrc(torrc)
    stop = threading.Event()
    keeping = threading.Thread(target=tor.keep_tor, args=(torrc, stop))
    with web.running(app, onion.ports[80], circuits=True):
        keeping.start()
        try:
            wait_until(lambda: tor.read_hostname(onion.folder) is not None, "its name", 120)
            yield f"http://{tor.read_hostname(onion.folder)}"
        finally:
            stop.set()
            keeping.join()


def test_the_door_tells_circuits_apart(mirror_of_flows: str, client: Client) -> None:
    asked(client, mirror_of_flows)
    first, second = (draw_circuits(client.socks, dice.random_bytes) for _ in range(2))

    def flow(circuit: Circuit | None) -> bytes:
        return fetch.patiently(
            lambda: fetch.get(mirror_of_flows, bytes_max=100, circuit=circuit), seconds=240
        )

    flows = [
        flow(each.of(purpose)) for each in (first, second) for purpose in ("commit", "shelf")
    ]
    assert len(set(flows)) == len(flows)
    assert all(each.startswith(CIRCUIT_PREFIX.encode()) for each in flows)
    assert flow(first.of("commit")) == flows[0]
