"""What everybody needs stays of use, whatever strangers fill and keep waiting."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import pytest
from tests.parties.intake.door_world import World, ask, open_world
from tests.parties.intake.test_pieces_at_the_door import (
    PAYLOAD,
    SEALED,
    WINDOW,
    announce,
    delivered,
    finish,
    patch,
)
from tests.protocol import builders

from safeconduct.errors import RefusedError, UnavailableError
from safeconduct.parties.intake import accept, store
from safeconduct.plumbing import logs
from safeconduct.plumbing.logs import GazetteView
from safeconduct.protocol.capsule import CAPSULE_BYTES, SHELF_ENTRY_BYTES
from safeconduct.protocol.record import format_record, record_hash
from safeconduct.protocol.reply import BLOCK_BYTES


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with open_world(tmp_path) as opened:
        yield opened


def test_announcements_that_ended_nowhere_are_forgotten_and_those_that_ended_are_not(
    world: World,
) -> None:
    other = builders.seal({"message.txt": b"Another letter.\n"}, number=1)
    for sealed in (SEALED, other):
        assert announce(world, sealed).status_code == 200
    patch(world, 0, PAYLOAD)
    delivered(world)
    world.now += WINDOW + 1
    world.intake.store.drop_late(world.now)
    digest = record_hash(format_record(other.record))
    with pytest.raises(RefusedError):
        world.intake.store.announced(digest)
    assert announce(world, other).status_code == 403
    assert finish(world).status_code == 200


def test_a_full_shelf_is_not_longer_than_its_readers_take(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "SHELF_BYTES_MAX", 3 * SHELF_ENTRY_BYTES - 1)
    statuses = [
        ask(world, "PUT", f"/capsules/{number:032x}", bytes(CAPSULE_BYTES)).status_code
        for number in range(3)
    ]
    assert statuses == [200, 200, 503]
    assert len(ask(world, "GET", "/capsules").content) <= store.SHELF_BYTES_MAX


def test_a_full_bulletin_is_not_longer_than_its_readers_take(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "BULLETIN_BYTES_MAX", 2 * BLOCK_BYTES - 1)
    kept = world.intake.store
    block, other = bytes(BLOCK_BYTES), b"\x01" * BLOCK_BYTES
    kept.post_reply(block[:16], block)
    kept.post_reply(block[:16], block)
    with pytest.raises(UnavailableError, match="full"):
        kept.post_reply(other[:16], other)
    assert b"".join(kept.bulletin()) == block


def test_a_gazette_that_is_away_does_not_hold_one_visitor_after_the_other(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each would wait for it as long as the first, and together they hold all threads."""
    asked = []

    def away(_: object, *, at: int) -> NoReturn:
        asked.append(at)
        world.now += 40
        raise UnavailableError("the log is away", hint="wait")

    monkeypatch.setattr(accept, "read_gazette", away)
    read = accept.cached_gazette(world.intake.programme, lambda: world.now)
    for _ in range(3):
        with pytest.raises(UnavailableError, match="the log is away") as caught:
            read()
        assert caught.value.hint == "wait"
    assert len(asked) == 1
    world.now += accept.GAZETTE_SECONDS
    with pytest.raises(UnavailableError):
        read()
    assert len(asked) == 2


def test_while_one_waits_for_the_gazette_the_others_take_what_was_read_last(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first visitor's thread is enough to wait for a log that is away, and only so long."""
    asked, gate = threading.Event(), threading.Event()
    view = world.gazette()

    def there(_: object, *, at: int) -> GazetteView:
        return view

    def away(_: object, *, at: int) -> NoReturn:
        asked.set()
        gate.wait(100)
        raise UnavailableError("the log is away")

    read = accept.cached_gazette(world.intake.programme, lambda: world.now)
    monkeypatch.setattr(accept, "read_gazette", there)
    assert read() is view
    monkeypatch.setattr(accept, "read_gazette", away)
    world.now += accept.GAZETTE_SECONDS
    first = threading.Thread(target=read)
    first.start()
    assert asked.wait(100)
    assert read() is view
    gate.set()
    first.join()
    assert read() is view
    world.now += accept.GAZETTE_STALE_SECONDS
    with pytest.raises(UnavailableError, match="the log is away"):
        read()


def test_a_log_that_is_away_takes_no_threads_from_the_pages(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One envelope is enough to ask sixty times that its delivery be logged."""
    monkeypatch.setattr(logs, "PATIENCE_SECONDS", 20.0)
    assert announce(world, SEALED).status_code == 200
    patch(world, 0, PAYLOAD)
    world.ledger.away = True
    crowd = [threading.Thread(target=finish, args=(world,)) for _ in range(60)]
    for each in crowd:
        each.start()
    time.sleep(0.5)
    began = time.monotonic()
    assert ask(world, "GET", "/health").status_code == 200
    assert ask(world, "GET", "/en/tell").status_code == 200
    assert time.monotonic() - began < 15
    world.ledger.away = False
    for each in crowd:
        each.join()
