"""The monitor against our own log and witnesses, each a process of its own."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.parties import servers
from tests.parties.auditor.public_folder import GAZETTE, LEDGER, NAME, founding
from tests.parties.monitor.monitor_town import HASHES

from safeconduct.plumbing import fetch
from safeconduct.plumbing.programme import Programme, write_programme
from safeconduct.protocol.tlog.policy import parse_policy

LOG = "safeconduct.parties.log.command"
WITNESS = "safeconduct.parties.witness.command"
MONITOR = "safeconduct.parties.monitor.command"
ORIGINS = {"gazette": GAZETTE.name, "ledger": LEDGER.name}


@dataclass
class Live:
    """A running programme of two logs and two witnesses."""

    folder: Path
    programme: Path
    log: servers.Server
    witnesses: dict[str, servers.Server]

    def add(self, name: str, entry: bytes) -> None:
        fetch.raise_for(fetch.post(f"{self.log.url}/{name}/add", entry, bytes_max=1 << 16))

    def once(self) -> tuple[int, list[str]]:
        """A round's exit code, and the checks whose alerts stand."""
        done = servers.run(
            MONITOR,
            "run",
            *("--programme", str(self.programme), "--dir", str(self.folder / "watch")),
            *("--once", "--json"),
        )
        standing = json.loads(done.stdout)["standing"]
        return done.returncode, [one["id"].rpartition("-")[0] for one in standing]


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Live]:
    with ExitStack() as stack:
        yield start(tmp_path, stack)


def start(folder: Path, stack: ExitStack) -> Live:
    running: list[servers.Server] = []
    stack.enter_context(servers.stopped_at_the_end(running))
    logs = [line for name in ORIGINS for line in new_log(folder, name)]
    witnesses, lines = {}, []
    for name in ("w1", "w2"):
        here = folder / name
        vkeys = servers.run(WITNESS, "new", "--dir", str(here), "--name", f"{name}.example")
        keys = [word for vkey in logs for word in ("--log", vkey)]
        server = servers.start(
            WITNESS, "serve", "--dir", str(here), "--listen", "127.0.0.1:0", *keys
        )
        running.append(server)
        witnesses[name] = server
        lines.append(f"witness {name} {vkeys.stdout.split()[0]} {server.url}\n")
    text = "".join([*(f"log {vkey}\n" for vkey in logs), *lines])
    policy = f"{text}group both all w1 w2\nquorum both\n".encode()
    (folder / "policy.txt").write_bytes(policy)
    log = servers.start(
        LOG,
        "serve",
        *("--dir", str(folder / "logs"), "--listen", "127.0.0.1:0", "--every", "0.1"),
        *("--policy", str(folder / "policy.txt")),
    )
    running.append(log)
    (folder / "programme").mkdir()
    write_programme(folder / "programme", programme(log.url, policy))
    return Live(folder=folder, programme=folder / "programme", log=log, witnesses=witnesses)


def new_log(folder: Path, name: str) -> list[str]:
    done = servers.run(
        LOG,
        "new",
        *("--dir", str(folder / "logs"), "--name", name, "--kind", name),
        *("--origin", ORIGINS[name]),
    )
    return done.stdout.split()


def programme(log_url: str, policy: bytes) -> Programme:
    return Programme(
        name=NAME,
        gazette=f"{log_url}/gazette",
        gazette_origin=GAZETTE.name,
        ledger=f"{log_url}/ledger",
        ledger_origin=LEDGER.name,
        door=log_url,
        register=log_url,
        policy=parse_policy(policy),
        policy_text=policy,
    )


def test_our_own_log_and_witnesses_give_no_alert_until_one_is_gone(live: Live) -> None:
    live.add("gazette", founding())
    for number in range(3):
        live.add("ledger", HASHES[number])
        assert live.once() == (0, [])
    live.witnesses.pop("w2").kill()
    assert live.once() == (75, ["unreachable"])
    live.log.kill()
    code, checks = live.once()
    assert code == 75
    assert set(checks) == {"unreachable"}
