"""A door among many who mean it no good: honest ones get through, and nothing is left."""

import socket
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path

import pytest
from tests.crash import door_rig
from tests.crash.door_rig import Rig, open_rig
from tests.crash.door_town import Person, wait_for
from tests.parties.intake.door_world import NOW, FakeLedger, World

from safeconduct.parties.intake.site import make_site
from safeconduct.parties.source.door import Door
from safeconduct.parties.source.send import send
from safeconduct.plumbing import dice, web
from safeconduct.plumbing.crowd import Limits
from safeconduct.protocol.envelope import Source
from safeconduct.protocol.record import record_hash

EACH = 40  # of five kinds: two hundred connections
FORMS, CLIENTS, COMMITS = 4, 2, 20
UPLOAD_BYTES = 100 << 20
SENT_BYTES = 3 << 20  # of an upload that stops: more than the door holds in memory
MEMORY_KIB_MAX = 160 << 10  # beyond what the door takes among honest ones alone
SPARE_FILES = 8  # threads that have come since have databases open
HASTY = Limits(head_seconds=8.0, progress_seconds=8.0)
PHOTO = bytes(range(256)) * 2_000
BOUNDARY = "half"


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    with open_rig(tmp_path_factory.mktemp("crowd")) as rig:
        yield rig


def url(rig: Rig) -> str:
    return "http://{}:{}".format(*rig.line.target)


def open_files(rig: Rig) -> int:
    return len(list(Path(f"/proc/{pid(rig)}/fd").iterdir()))


def pid(rig: Rig) -> int:
    assert rig.door.process is not None
    assert rig.door.process.pid is not None
    return rig.door.process.pid


def memory_kib(rig: Rig) -> int:
    lines = Path(f"/proc/{pid(rig)}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:"))


def half_uploads(rig: Rig) -> list[Path]:
    files = (rig.door.folder / "spool").rglob("*")
    found = []
    for path in files:
        with suppress(FileNotFoundError):
            found += [path] if path.is_file() and path.stat().st_size > SENT_BYTES // 2 else []
    return found


# Honest ones.


def honest(rig: Rig) -> None:
    """Forms, clients and commits, each at its first attempt; who is refused fails the test."""
    with ThreadPoolExecutor(FORMS + CLIENTS + COMMITS) as pool:
        works = [pool.submit(tell, rig) for _ in range(FORMS)]
        works += [pool.submit(deliver, rig) for _ in range(CLIENTS)]
        works += [pool.submit(commit, rig) for _ in range(COMMITS)]
        for work in works:
            work.result()


def tell(rig: Rig) -> None:
    person = Person(url=url(rig), entropy=dice.random_bytes(16))
    told = person.tell("The crane was signed for by nobody.", PHOTO + dice.random_bytes(16))
    assert told.delivered
    assert all(rig.world.intake.store.delivered(digest) for digest in told.hashes)


def deliver(rig: Rig) -> None:
    content = dice.random_bytes(1 << 20)
    sent = send(
        replace(rig.programme, door=url(rig)),
        dice.random_bytes(16),
        [Source(name="scan.bin", read=lambda: [content])],
        at=NOW,
        random_bytes=dice.random_bytes,
        report=lambda _: None,
    )
    assert rig.world.intake.store.delivered(record_hash(sent.record)) is not None


def commit(rig: Rig) -> None:
    assert Door(url(rig)).commit(dice.random_bytes(32))


# The others.


Begin = Callable[[Rig, socket.socket], None]


def nothing(rig: Rig, end: socket.socket) -> None:
    """Only connected."""


def half_a_head(rig: Rig, end: socket.socket) -> None:
    end.sendall(b"GET /en/tell HTTP/1.1\r\nhost: door\r\nx-long: ")


def half_a_body(rig: Rig, end: socket.socket) -> None:
    end.sendall(post("/commit", 32, "application/octet-stream") + bytes(16))


def half_a_form(rig: Rig, end: socket.socket) -> None:
    begun = begin(rig)
    body = b"text=" + b"A" * 1_000
    kind = "application/x-www-form-urlencoded"
    end.sendall(post("/en/tell/text", len(begun) + 100_000, kind) + body)


def half_an_upload(rig: Rig, end: socket.socket) -> None:
    head = (
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="ticket"\r\n\r\n{begin(rig)}\r\n'
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="a.bin"\r\n\r\n'
    ).encode()
    kind = f"multipart/form-data; boundary={BOUNDARY}"
    end.sendall(post("/en/tell/files", UPLOAD_BYTES, kind) + head + bytes(SENT_BYTES))


def begin(rig: Rig) -> str:
    person = Person(url=url(rig), entropy=dice.random_bytes(16))
    person.begin()
    return person.ticket


def post(path: str, length: int, kind: str) -> bytes:
    return (
        f"POST {path} HTTP/1.1\r\nhost: door\r\ncontent-type: {kind}\r\n"
        f"content-length: {length}\r\n\r\n"
    ).encode()


KINDS: Sequence[Begin] = (nothing, half_a_head, half_a_body, half_a_form, half_an_upload)


@contextmanager
def held_open(rig: Rig, each: int) -> Iterator[list[socket.socket]]:
    with ExitStack() as stack:
        ends = []
        for begun in KINDS:
            for _ in range(each):
                end = stack.enter_context(socket.create_connection(rig.line.target))
                begun(rig, end)
                ends.append(end)
        yield ends


def test_among_two_hundred_held_connections_honest_ones_are_served_at_once(rig: Rig) -> None:
    honest(rig)
    files, memory = open_files(rig), memory_kib(rig)
    with held_open(rig, EACH):
        wait_for(lambda: len(half_uploads(rig)) == EACH)
        assert open_files(rig) >= files + EACH * len(KINDS) // 2
        honest(rig)
        honest(rig)
        assert memory_kib(rig) - memory < MEMORY_KIB_MAX
    wait_for(lambda: half_uploads(rig) == [])
    wait_for(lambda: open_files(rig) <= files + SPARE_FILES)
    assert memory_kib(rig) - memory < MEMORY_KIB_MAX
    honest(rig)


def test_uploads_that_stop_again_and_again_leave_no_file_open(rig: Rig) -> None:
    honest(rig)
    files = open_files(rig)
    for _ in range(3):
        with held_open(rig, 5):
            wait_for(lambda: len(half_uploads(rig)) == 5)
        wait_for(lambda: half_uploads(rig) == [])
    wait_for(lambda: open_files(rig) <= files + SPARE_FILES)


def _serve_hastily(folder: Path, ledger_url: str, ready: Connection) -> None:
    world = World(folder=folder, ledger=FakeLedger(), ledger_url=ledger_url)
    web.serve(make_site(world.intake), "127.0.0.1:0", ready=ready.send, limits=HASTY)


def test_whoever_stops_halfway_is_let_go_and_what_came_is_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Here nobody leaves: the door ends it."""
    monkeypatch.setattr(door_rig, "_serve_door", _serve_hastily)
    with open_rig(tmp_path) as rig:
        honest(rig)
        files = open_files(rig)
        with held_open(rig, 8) as ends:
            honest(rig)
            for end in ends:
                end.settimeout(60)
                with suppress(ConnectionError):
                    while end.recv(1 << 16):
                        pass
            wait_for(lambda: half_uploads(rig) == [])
            wait_for(lambda: open_files(rig) <= files + SPARE_FILES)
            honest(rig)
