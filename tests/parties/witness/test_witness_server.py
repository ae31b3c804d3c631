from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from threading import Event, Thread
from urllib.parse import urlsplit

import pytest
from tests.parties.servers import Server, run, start
from tests.parties.witness.witness_requests import (
    LOG_KEY,
    ORIGIN,
    SmallLog,
    honest,
    request,
    signed,
    witness_in,
)

from safeconduct.parties.witness.cosign import Answer
from safeconduct.parties.witness.limits import IN_WORK_MAX, PushBackError
from safeconduct.parties.witness.published import origin_hash
from safeconduct.parties.witness.site import make_site
from safeconduct.plumbing import fetch, web
from safeconduct.protocol.tlog.cosignature import verify_cosignature
from safeconduct.protocol.tlog.fork import parse_fork, verify_fork
from safeconduct.protocol.tlog.note import (
    COSIGNATURE,
    MLDSA44,
    format_vkey,
    parse_note,
    parse_vkey,
)

WITNESS = "safeconduct.parties.witness.command"
BYTES_MAX = 20_000
LOG = SmallLog(20)
FORK = SmallLog(20, story="another ")
HASH = origin_hash(ORIGIN)


@pytest.fixture(scope="module")
def vkeys_and_server(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[list[str], Server]]:
    folder = tmp_path_factory.mktemp("witness")
    made = run(WITNESS, "new", "--dir", str(folder), "--name", "witness.example")
    server = start(
        WITNESS,
        *("serve", "--dir", str(folder), "--listen", "127.0.0.1:0"),
        *("--log", format_vkey(LOG_KEY.verifier())),
    )
    yield made.stdout.split(), server
    assert server.stop() == 0


def add(url: str, body: bytes) -> fetch.Response:
    return fetch.post(f"{url}/add-checkpoint", body, bytes_max=BYTES_MAX)


def test_a_checkpoint_is_cosigned_and_shown_over_http(
    vkeys_and_server: tuple[list[str], Server],
) -> None:
    vkeys, server = vkeys_and_server
    answer = add(server.url, honest(LOG, 0, 10))
    assert (answer.status, answer.body.count("— witness.example ".encode())) == (200, 2)
    shown = fetch.get(f"{server.url}/{HASH}/checkpoint", bytes_max=BYTES_MAX)
    keys = list(map(parse_vkey, vkeys))
    assert [key.algorithm for key in keys] == [COSIGNATURE, MLDSA44]
    for key in keys:
        assert verify_cosignature(parse_note(shown), key) > 0

    conflict = add(server.url, honest(LOG, 5, 12))
    assert (conflict.status, conflict.body) == (409, b"10\n")
    assert conflict.headers["content-type"] == "text/x.tlog.size"


def test_the_first_page_tells_whose_witness_this_is(
    vkeys_and_server: tuple[list[str], Server],
) -> None:
    vkeys, server = vkeys_and_server
    about = fetch.get(f"{server.url}/", bytes_max=BYTES_MAX).decode()
    assert about == "".join(f"witness {vkey}\n" for vkey in vkeys)


def test_one_connection_serves_many_requests(
    vkeys_and_server: tuple[list[str], Server],
) -> None:
    connection = HTTPConnection(urlsplit(vkeys_and_server[1].url).netloc, timeout=100)
    connection.connect()
    line = connection.sock
    for _ in range(3):
        connection.request("GET", "/")
        assert connection.getresponse().read().startswith(b"witness ")
        assert connection.sock is line
    connection.close()


STATUSES: dict[str, tuple[str, str, bytes, int]] = {
    "an empty body": ("POST", "/add-checkpoint", b"", 400),
    "a body of 70,000 bytes": ("POST", "/add-checkpoint", b"x" * 70_000, 413),
    "no UTF-8": ("POST", "/add-checkpoint", b"old \xff\n\n\xff", 400),
    "a checkpoint of an unknown log": ("GET", "/" + "0" * 64 + "/checkpoint", b"", 404),
    "the hash in capitals": ("GET", f"/{HASH.upper()}/checkpoint", b"", 404),
    "forks of an unknown log": ("GET", "/" + "0" * 64 + "/forks", b"", 404),
    "a fork of an unknown log": ("GET", "/" + "0" * 64 + "/forks/a.fork", b"", 404),
    "a fork that is not there": ("GET", f"/{HASH}/forks/a.fork", b"", 404),
    "a fork above the folder": ("GET", f"/{HASH}/forks/..%2f..%2fkey", b"", 404),
    "another address": ("GET", "/else", b"", 404),
    "another method": ("GET", "/add-checkpoint", b"", 405),
}


@pytest.mark.parametrize("case", STATUSES)
def test_what_is_no_request_gets_one_clear_error(
    case: str, vkeys_and_server: tuple[list[str], Server]
) -> None:
    method, path, body, status = STATUSES[case]
    url = vkeys_and_server[1].url + path
    answer = fetch.request(method, url, body, bytes_max=BYTES_MAX)
    assert answer.status == status
    assert answer.body.startswith(b"error: ")
    assert "server" not in answer.headers


def test_what_was_answered_is_remembered_after_a_kill(tmp_path: Path) -> None:
    folder = str(tmp_path)
    run(WITNESS, "new", "--dir", folder, "--name", "witness.example", "--classic")
    serve = ("serve", "--dir", folder, "--listen", "127.0.0.1:0")
    log = ("--log", format_vkey(LOG_KEY.verifier()))
    for size in range(3):
        server = start(WITNESS, *serve, *log)
        assert add(server.url, honest(LOG, size, size + 1)).status == 200
        server.kill()
    server = start(WITNESS, *serve, *log)
    assert add(server.url, honest(LOG, 0, 20)).body == b"3\n"
    assert server.stop() == 0


def test_a_fork_is_served_to_everyone(tmp_path: Path) -> None:
    with witness_in(tmp_path) as witness, web.running(make_site(witness)) as url:
        assert fetch.get(f"{url}/{HASH}/forks", bytes_max=BYTES_MAX) == b""
        assert add(url, honest(LOG, 0, 10)).status == 200
        assert add(url, request(10, [], signed(FORK.tree(10)))).status == 422
        [name] = fetch.get(f"{url}/{HASH}/forks", bytes_max=BYTES_MAX).decode().split()
        served = fetch.get(f"{url}/{HASH}/forks/{name}", bytes_max=BYTES_MAX)
        refused = add(url, honest(LOG, 10, 15))
    assert verify_fork(parse_fork(served), [LOG_KEY.verifier()]).new == FORK.tree(10)
    assert served == (tmp_path / "forks" / name).read_bytes()
    assert refused.status == 403
    assert f"hint: the proof is at /{HASH}/forks\n".encode() in refused.body


def test_a_log_that_asks_too_often_is_told_when_to_come_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with witness_in(tmp_path) as witness:

        def refuse(body: bytes, now: int) -> Answer:
            raise PushBackError("used up", retry_seconds=77)

        monkeypatch.setattr(witness, "cosign", refuse)
        with web.running(make_site(witness)) as url:
            answer = add(url, honest(LOG, 0, 10))
    assert (answer.status, answer.headers["retry-after"]) == (429, "77")
    assert answer.body == b"error: used up\nhint: come again later\n"


def test_too_many_requests_at_once_are_pushed_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    going, statuses = Event(), list[int]()

    def wait(body: bytes, now: int) -> Answer:
        assert going.wait(100)
        return Answer(status=200, body=b"")

    def ask(url: str) -> None:
        connection = HTTPConnection(urlsplit(url).netloc, timeout=100)
        connection.request("POST", "/add-checkpoint", b"x")
        answer = connection.getresponse()
        answer.read()
        statuses.append(answer.status)
        connection.close()
        if answer.status == 429:
            going.set()

    with witness_in(tmp_path) as witness:
        monkeypatch.setattr(witness, "cosign", wait)
        with web.running(make_site(witness)) as url:
            threads = [Thread(target=ask, args=(url,)) for _ in range(IN_WORK_MAX + 1)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
    assert sorted(statuses) == [200] * IN_WORK_MAX + [429]


def test_a_key_is_made_only_once(tmp_path: Path) -> None:
    arguments = ("new", "--dir", str(tmp_path), "--name", "witness.example")
    assert run(WITNESS, *arguments).returncode == 0
    again = run(WITNESS, *arguments)
    assert again.returncode != 0
    assert "already exists" in again.stderr
    for name in ("key", "key-mldsa44"):
        assert (tmp_path / name).stat().st_mode & 0o777 == 0o600
