"""The door hands out a client only if it is the one that the Gazette names, byte for byte."""

import hashlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from tests.parties.intake.door_world import World, open_world
from tests.protocol import builders
from tests.protocol.builders import by_board

from safeconduct.parties.intake.client import offered, routes
from safeconduct.plumbing import web
from safeconduct.protocol.record import Value, make_record

FILE = b"#!/usr/bin/env python3.11\n" + bytes(range(256)) * 4_000
PLATFORM = "linux-x86_64-cp311"


def client_entry(data: bytes = FILE, number: int = 1, **changes: Value) -> bytes:
    fields: dict[str, Value] = {
        "programme": builders.PROGRAMME,
        "number": number,
        "platform": PLATFORM,
        "version": "0.1.0",
        "size": len(data),
        "sha256": hashlib.sha256(data).digest(),
    }
    return by_board(make_record("client", **fields | changes))


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with open_world(tmp_path) as world:
        world.entries = (*builders.gazette_entries(), client_entry())
        yield world


@pytest.fixture
def url(world: World) -> Iterator[str]:
    with web.running(web.make_app(routes(world.intake))) as url:
        yield url


def place(world: World, data: bytes = FILE, name: str = PLATFORM) -> Path:
    path = world.folder / "client" / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(data)
    return path


def get(url: str, path: str = PLATFORM) -> httpx.Response:
    return httpx.get(f"{url}/client/{path}", trust_env=False)


def test_the_gazette_s_client_is_handed_out_and_offered(world: World, url: str) -> None:
    place(world)
    answer = get(url)
    assert answer.content == FILE
    assert answer.headers["content-length"] == str(len(FILE))
    disposition = 'attachment; filename="safeconduct-source-0.1.0-linux-x86_64-cp311.pyz"'
    assert answer.headers["content-disposition"] == disposition
    [one] = offered(world.intake)
    assert (one.platform, one.version, one.size) == (PLATFORM, "0.1.0", len(FILE))
    assert one.sha256 == hashlib.sha256(FILE).digest()


def folder_instead(world: World) -> None:
    (world.folder / "client" / PLATFORM).mkdir(parents=True)


def link_instead(world: World) -> None:
    aside = place(world, name="aside")
    os.symlink(aside, aside.with_name(PLATFORM))


def pipe_instead(world: World) -> None:
    (world.folder / "client").mkdir()
    os.mkfifo(world.folder / "client" / PLATFORM)


NOT_IT: dict[str, tuple[Callable[[World], object], str]] = {
    "there is none": (lambda world: None, "does not lie here"),
    "one byte is another": (
        lambda world: place(world, FILE[:-1] + b"!"),
        "not the one that the Gazette names",
    ),
    "one byte is missing": (
        lambda world: place(world, FILE[:-1]),
        "not the one that the Gazette names",
    ),
    "a folder lies there": (folder_instead, "does not lie here"),
    "a link leads there": (link_instead, "does not lie here"),
    "a pipe lies there": (pipe_instead, "does not lie here"),
}


@pytest.mark.parametrize(("lay", "reason"), NOT_IT.values(), ids=NOT_IT)
def test_nothing_else_is_handed_out(
    lay: Callable[[World], object], reason: str, world: World, url: str
) -> None:
    lay(world)
    answer = get(url)
    assert answer.status_code == 404
    assert reason in answer.text
    assert offered(world.intake) == []


@pytest.mark.parametrize(
    "path",
    ["windows", "..", "%2e%2e%2fserver.key", "../door.sqlite", "client%00", "a%2fb", "."],
)
def test_no_name_leads_anywhere_else(path: str, world: World, url: str) -> None:
    place(world)
    assert get(url, path).status_code == 404


def test_a_file_that_is_changed_while_the_door_runs_is_noticed(world: World, url: str) -> None:
    path = place(world)
    assert get(url).status_code == 200
    os.utime(path, ns=(1, 1))
    path.write_bytes(FILE[::-1])
    assert get(url).status_code == 404
    path.write_bytes(FILE)
    assert get(url).status_code == 200


def test_a_newer_record_takes_the_old_file_away(world: World, url: str) -> None:
    place(world)
    assert get(url).status_code == 200
    world.entries = (*world.entries, client_entry(b"newer", 2, version="0.2.0"))
    assert get(url).status_code == 404
    place(world, b"newer")
    assert get(url).content == b"newer"


def test_it_is_hashed_once_and_not_for_each_visitor(
    world: World, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    place(world)
    real, count = hashlib.file_digest, []

    def counted(file: object, name: str) -> object:
        count.append(name)
        return real(file, name)  # type: ignore[arg-type]  # as it was handed to us

    monkeypatch.setattr("hashlib.file_digest", counted)
    assert [get(url).status_code for _ in range(3)] == [200] * 3
    assert len(count) == 1


def test_without_the_gazette_none_is_offered(world: World) -> None:
    place(world)
    world.gazette_away = True
    assert offered(world.intake) == []
