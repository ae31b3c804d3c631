import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.parties.servers import Server, run, start
from tests.parties.witness.witness_requests import LOG_KEY, ORIGIN, SmallLog, honest

from safeconduct.plumbing import fetch
from safeconduct.protocol.tlog.cosignature import verify_cosignature
from safeconduct.protocol.tlog.note import COSIGNATURE, format_vkey, parse_note, parse_vkey

WITNESS = "safeconduct.parties.witness.command"
BYTES_MAX = 10_000
LOG = SmallLog(20)


@pytest.fixture(scope="module")
def vkey_and_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Server]]:
    folder = tmp_path_factory.mktemp("witness")
    made = run(WITNESS, "new", "--dir", str(folder), "--name", "witness.example")
    server = start(
        WITNESS,
        *("serve", "--dir", str(folder), "--listen", "127.0.0.1:0"),
        *("--log", format_vkey(LOG_KEY.verifier())),
    )
    yield made.stdout.strip(), server
    assert server.stop() == 0


def test_a_checkpoint_is_cosigned_and_shown_over_http(
    vkey_and_server: tuple[str, Server],
) -> None:
    vkey, server = vkey_and_server
    answer = fetch.post(f"{server.url}/add-checkpoint", honest(LOG, 0, 10), bytes_max=BYTES_MAX)
    assert (answer.status, answer.body[:4]) == (200, "— ".encode())
    shown = fetch.get(
        f"{server.url}/{hashlib.sha256(ORIGIN.encode()).hexdigest()}/checkpoint",
        bytes_max=BYTES_MAX,
    )
    key = parse_vkey(vkey)
    assert key.algorithm == COSIGNATURE
    assert verify_cosignature(parse_note(shown), key) > 0

    conflict = fetch.post(
        f"{server.url}/add-checkpoint", honest(LOG, 5, 12), bytes_max=BYTES_MAX
    )
    assert (conflict.status, conflict.body) == (409, b"10\n")
    assert conflict.headers["content-type"] == "text/x.tlog.size"


STATUSES: dict[str, tuple[str, str, bytes, int]] = {
    "an empty body": ("POST", "/add-checkpoint", b"", 400),
    "a body of 70,000 bytes": ("POST", "/add-checkpoint", b"x" * 70_000, 413),
    "no UTF-8": ("POST", "/add-checkpoint", b"old \xff\n\n\xff", 400),
    "a checkpoint of an unknown log": ("GET", "/" + "0" * 64 + "/checkpoint", b"", 404),
    "another address": ("GET", "/else", b"", 404),
    "another method": ("GET", "/add-checkpoint", b"", 405),
}


@pytest.mark.parametrize("case", STATUSES)
def test_what_is_no_request_gets_one_clear_error(
    case: str, vkey_and_server: tuple[str, Server]
) -> None:
    method, path, body, status = STATUSES[case]
    url = vkey_and_server[1].url + path
    answer = fetch.request(method, url, body, bytes_max=BYTES_MAX)
    assert answer.status == status
    assert answer.body.startswith(b"error: ")
    assert "server" not in answer.headers


def test_a_key_is_made_only_once(tmp_path: Path) -> None:
    arguments = ("new", "--dir", str(tmp_path), "--name", "witness.example")
    assert run(WITNESS, *arguments).returncode == 0
    again = run(WITNESS, *arguments)
    assert again.returncode != 0
    assert "already exists" in again.stderr
    assert (tmp_path / "key").stat().st_mode & 0o777 == 0o600
