"""The log and three witnesses as processes, killed and restarted as machines are."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from tests.parties.log.log_world import hash_entry
from tests.parties.servers import Server, run, start

from safeconduct.demo.stage import free_port
from safeconduct.errors import SafeconductError
from safeconduct.plumbing import fetch
from safeconduct.protocol.canonical import parse_json
from safeconduct.protocol.tlog.cosignature import verify_log
from safeconduct.protocol.tlog.merkle import leaf_hash
from safeconduct.protocol.tlog.note import ED25519, MLDSA44, parse_note, parse_vkey
from safeconduct.protocol.tlog.policy import Policy, open_checkpoint, parse_policy, verify_proof
from safeconduct.protocol.tlog.tile import bundle_path, bundles_of, parse_bundle

LOG = "safeconduct.parties.log.command"
WITNESS = "safeconduct.parties.witness.command"
ORIGINS = {"gazette": "log.example/gazette", "ledger": "log.example/ledger"}
NAMES = ("anna", "boris", "clara")
BYTES_MAX = 20_000
EVERY = "0.1"


@dataclass
class Programme:
    """Two logs in one process, and three witnesses of which two are a quorum."""

    folder: Path
    servers: dict[str, Server] = field(default_factory=dict)
    log_keys: list[str] = field(default_factory=list)
    witness_keys: dict[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return self.servers["log"].url

    @property
    def policy(self) -> Policy:
        return parse_policy((self.folder / "policy.txt").read_bytes())

    def make(self) -> None:
        for name, origin in ORIGINS.items():
            made = run(
                LOG,
                *("new", "--dir", str(self.folder), "--name", name, "--kind", name),
                *("--origin", origin),
            )
            self.log_keys += made.stdout.split()
        for name in NAMES:
            made = run(WITNESS, "new", "--dir", str(self.folder / name), "--name", name)
            self.witness_keys[name] = made.stdout.split()[0]
            self.start_witness(name)
        self._write_policy()
        self.start_log()

    def start_witness(self, name: str) -> None:
        logs = [word for key in self.log_keys for word in ("--log", key)]
        self.servers[name] = start(
            WITNESS,
            *("serve", "--dir", str(self.folder / name), "--listen", self._listen(name)),
            *logs,
        )

    def start_log(self) -> None:
        self.servers["log"] = start(LOG, *self.serve_arguments(self._listen("log")))

    def serve_arguments(self, listen: str) -> list[str]:
        return [
            *("serve", "--dir", str(self.folder), "--listen", listen, "--every", EVERY),
            *("--policy", str(self.folder / "policy.txt")),
        ]

    def proof(self, entry: bytes) -> bytes:
        """The Ledger's proof of an entry that it has published."""
        query = f"entry-hash={leaf_hash(entry).hex()}"
        return fetch.get(f"{self.url}/ledger/proof?{query}", bytes_max=BYTES_MAX)

    def index(self, proof: bytes, entry: bytes) -> int:
        """The index of `entry`, which an outsider believes."""
        return verify_proof(proof, entry, self.policy, ORIGINS["ledger"]).index

    def _listen(self, name: str) -> str:
        port = self.servers[name].port if name in self.servers else free_port()
        return f"127.0.0.1:{port}"

    def _write_policy(self) -> None:
        lines = [f"log {key}" for key in self.log_keys]
        for name in NAMES:
            url = self.servers[name].url
            lines.append(f"witness {name} {self.witness_keys[name]} {url}")
        lines += [f"group two 2 {' '.join(NAMES)}", "quorum two", ""]
        (self.folder / "policy.txt").write_text("\n".join(lines), encoding="utf-8")


@pytest.fixture(scope="module")
def programme(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Programme]:
    made = Programme(folder=tmp_path_factory.mktemp("programme"))
    try:
        made.make()
        yield made
    finally:
        for server in made.servers.values():
            server.kill()


def add(programme: Programme, entry: bytes, log: str = "ledger") -> fetch.Response:
    return fetch.post(f"{programme.url}/{log}/add", entry, bytes_max=BYTES_MAX)


def acknowledged(programme: Programme, entry: bytes) -> bytes:
    """The proof with which the log answers, however long it is away."""

    def attempt() -> bytes:
        response = add(programme, entry)
        fetch.raise_for(response)
        return response.body

    return fetch.patiently(attempt, seconds=100)


def test_an_answer_is_a_proof_under_the_quorum(programme: Programme) -> None:
    entry = hash_entry(1)
    first = acknowledged(programme, entry)
    index = programme.index(first, entry)
    assert programme.index(acknowledged(programme, entry), entry) == index
    assert programme.index(programme.proof(entry), entry) == index
    by_index = fetch.get(f"{programme.url}/ledger/proof?index={index}", bytes_max=BYTES_MAX)
    assert programme.index(by_index, entry) == index


def test_a_stranger_can_rebuild_the_tree_from_its_files(programme: Programme) -> None:
    acknowledged(programme, hash_entry(2))
    url = f"{programme.url}/ledger"
    response = fetch.request("GET", f"{url}/checkpoint", bytes_max=BYTES_MAX)
    assert response.headers["cache-control"] == "public, max-age=1"
    tree = open_checkpoint(response.body, programme.policy).checkpoint.tree
    entries: list[bytes] = []
    for index, width in bundles_of(tree.size):
        data = fetch.request("GET", f"{url}/{bundle_path(index, width)}", bytes_max=BYTES_MAX)
        assert "immutable" in data.headers["cache-control"]
        entries += parse_bundle(data.body, width)
    assert hash_entry(2) in entries
    assert len(entries) % 8 == 0


REQUESTS: dict[str, tuple[str, str, bytes, int]] = {
    "an empty entry": ("POST", "/ledger/add", b"", 400),
    "33 bytes for the Ledger": ("POST", "/ledger/add", b"x" * 33, 400),
    "70,000 bytes": ("POST", "/gazette/add", b"x" * 70_000, 413),
    "an empty text for the Gazette": ("POST", "/gazette/add", b"", 400),
    "bytes that are not UTF-8": ("POST", "/gazette/add", b"\xff\xfe\x00", 400),
    "a record cut short": ("POST", "/gazette/add", b"safeconduct/v1/programme", 400),
    "another kind of record": ("POST", "/gazette/add", b"safeconduct/v1/other\n", 400),
    "a hash for the Gazette": ("POST", "/gazette/add", hash_entry(1), 400),
    "a log that is not here": ("POST", "/other/add", hash_entry(1), 404),
    "a GET of add": ("GET", "/ledger/add", b"", 405),
    "an index beyond the tree": ("GET", "/ledger/proof?index=999999", b"", 404),
    "an index with a sign": ("GET", "/ledger/proof?index=-1", b"", 400),
    "no question": ("GET", "/ledger/proof", b"", 400),
    "two questions": ("GET", "/ledger/proof?index=0&entry-hash=00", b"", 400),
    "a hash never seen": ("GET", f"/ledger/proof?entry-hash={'0' * 64}", b"", 404),
    "a hash in capitals": ("GET", f"/ledger/proof?entry-hash={'A' * 64}", b"", 400),
    "a tile beyond the tree": ("GET", "/ledger/tile/0/x001/000", b"", 404),
    "a tile of width 0": ("GET", "/ledger/tile/0/000.p/0", b"", 400),
    "the health of a log that is not here": ("GET", "/nowhere/health", b"", 404),
    "a path that climbs": ("GET", "/ledger/tile/%2e%2e/%2e%2e/key", b"", 400),
}


@pytest.mark.parametrize("case", REQUESTS)
def test_what_cannot_be_served_gets_one_clear_error(case: str, programme: Programme) -> None:
    before = fetch.get(f"{programme.url}/gazette/checkpoint", bytes_max=BYTES_MAX)
    method, path, body, status = REQUESTS[case]
    answer = fetch.request(method, programme.url + path, body, bytes_max=BYTES_MAX)
    assert (answer.status, answer.body[:7]) == (status, b"error: ")
    assert answer.body.count(b"error: ") == 1
    after = fetch.get(f"{programme.url}/gazette/checkpoint", bytes_max=BYTES_MAX)
    assert after.split(b"\n")[:3] == before.split(b"\n")[:3]


def test_a_stranger_can_see_how_the_log_is(programme: Programme) -> None:
    acknowledged(programme, hash_entry(4))
    data = fetch.get(f"{programme.url}/ledger/health", bytes_max=BYTES_MAX)
    health = parse_json(data, "health")
    assert isinstance(health, dict)
    assert (health["accepting"], health["reason"]) == (True, "")
    sizes = [health[name] for name in ("published_size", "tree_size", "free_bytes")]
    assert all(isinstance(size, int) and size > 0 for size in sizes)
    ages = [health[name] for name in ("signed_age_seconds", "published_age_seconds")]
    assert all(isinstance(age, int) and 0 <= age < 60 for age in ages)


def test_both_keys_of_the_log_sign_what_is_published(programme: Programme) -> None:
    shown = fetch.get(f"{programme.url}/", bytes_max=BYTES_MAX).decode().splitlines()
    acknowledged(programme, hash_entry(5))
    data = fetch.get(f"{programme.url}/ledger/checkpoint", bytes_max=BYTES_MAX)
    keys = [parse_vkey(line.partition(" ")[2]) for line in shown if line.startswith("ledger ")]
    assert [key.algorithm for key in keys] == [ED25519, MLDSA44]
    for key in keys:
        verify_log(parse_note(data), key)


def test_a_lost_quorum_holds_up_the_answer_until_it_is_back(programme: Programme) -> None:
    for name in ("anna", "boris"):
        programme.servers[name].kill()
    entry = hash_entry(3)
    proofs: list[bytes] = []
    asking = threading.Thread(
        target=lambda: proofs.append(acknowledged(programme, entry)), daemon=True
    )
    asking.start()
    asking.join(1.0)
    assert proofs == []
    with pytest.raises(SafeconductError):
        programme.proof(entry)
    for name in ("anna", "boris"):
        programme.start_witness(name)
    asking.join(100)
    assert programme.index(proofs[0], entry) >= 0


def test_a_second_process_on_the_same_folder_stops_with_the_reason(
    programme: Programme,
) -> None:
    second = run(LOG, *programme.serve_arguments("127.0.0.1:0"))
    assert second.returncode != 0
    assert "another process writes here" in second.stderr


def test_killed_under_load_the_log_keeps_all_that_it_acknowledged(
    programme: Programme,
) -> None:
    proofs: dict[bytes, bytes] = {}
    done = threading.Event()

    def keep_sending(sender: int) -> None:
        number = sender << 32
        while not done.is_set():
            number += 1
            entry = hash_entry(number)
            try:
                proofs[entry] = acknowledged(programme, entry)
            except SafeconductError:
                continue  # never acknowledged, so nothing was promised

    senders = [threading.Thread(target=keep_sending, args=(i,), daemon=True) for i in (1, 2, 3)]
    for sender in senders:
        sender.start()
    for number, pause in enumerate((0.5, 0.8, 0.65, 0.7), start=1):
        done.wait(pause)
        for _ in range(1_000):  # a machine that is busy takes longer
            if len(proofs) > 3 * number:
                break
            done.wait(0.1)
        programme.servers["log"].kill()
        programme.start_log()
    done.wait(0.5)
    done.set()
    for sender in senders:
        sender.join(100)
    assert len(proofs) > 10
    indexes = set()
    for entry, proof in proofs.items():
        index = programme.index(proof, entry)
        assert programme.index(programme.proof(entry), entry) == index
        indexes.add(index)
    assert len(indexes) == len(proofs)


def test_the_log_stops_cleanly_when_told(programme: Programme) -> None:
    assert programme.servers["log"].stop() == 0
    programme.start_log()
    assert programme.proof(hash_entry(1))
