"""The forms cost the door little: no copy of the shelf, and only a few at once."""

import asyncio
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from tests.parties.intake.door_world import TEXT, WORDS, World, open_world, post_form, told
from tests.protocol import builders

from safeconduct.parties.intake import pages
from safeconduct.parties.intake.accept import FORMS_AT_ONCE, Intake
from safeconduct.parties.intake.store import Store
from safeconduct.parties.intake.tell import Mail, Told, read_mail, tell
from safeconduct.protocol.capsule import SHELF_ENTRY_BYTES


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[World]:
    with open_world(tmp_path) as world:
        yield world


def test_slots_and_tags_are_looked_up_without_copying_the_shelf(
    fresh: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def copied(_: Store) -> Iterator[bytes]:
        raise AssertionError("all of it was read")

    monkeypatch.setattr(Store, "shelf", copied)
    monkeypatch.setattr(Store, "bulletin", copied)
    for _ in range(2):
        assert told(fresh).status_code == 200
    assert [mail.number for mail in read_mail(fresh.intake, builders.ENTROPY)] == [0, 1]
    assert read_mail(fresh.intake, bytes(16)) == ()


def test_a_slot_gives_its_versions_in_the_order_they_came(fresh: World) -> None:
    store, slot = fresh.intake.store, bytes(16)
    blobs = [bytes([number]) * (SHELF_ENTRY_BYTES - 16) for number in (9, 1, 5)]
    for blob in blobs:
        store.shelve(slot, blob)
    store.shelve(b"\1" * 16, blobs[0])
    assert store.versions(slot) == blobs
    assert store.versions(b"\2" * 16) == []
    assert store.block(slot) is None


class Crowd:
    """Counts how many threads are inside at once, and keeps them until they are let go."""

    def __init__(self) -> None:
        self.inside, self.most, self.arrived = 0, 0, threading.Semaphore(0)
        self.go, self._lock = threading.Event(), threading.Lock()

    def __call__(self) -> None:
        with self._lock:
            self.inside += 1
            self.most = max(self.most, self.inside)
        self.arrived.release()
        assert self.go.wait(20)
        with self._lock:
            self.inside -= 1


@pytest.mark.parametrize("path", ["/tell", "/mail"])
def test_few_forms_are_worked_on_at_once_and_all_are_answered(
    path: str, fresh: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    crowd, statuses = Crowd(), list[int]()

    def crowded_tell(
        intake: Intake, entropy: bytes, text: str, files: Iterable[tuple[str, bytes]]
    ) -> Told:
        crowd()
        return tell(intake, entropy, text, files)

    def crowded_mail(intake: Intake, entropy: bytes) -> tuple[Mail, ...]:
        crowd()
        return read_mail(intake, entropy)

    monkeypatch.setattr(pages, "tell", crowded_tell)
    monkeypatch.setattr(pages, "read_mail", crowded_mail)

    def visit() -> None:
        answer = post_form(fresh, path, {"words": WORDS, "text": TEXT})
        statuses.append(answer.status_code)

    visitors = [threading.Thread(target=visit) for _ in range(FORMS_AT_ONCE + 3)]
    for visitor in visitors:
        visitor.start()
    for _ in range(FORMS_AT_ONCE):
        assert crowd.arrived.acquire(timeout=20)
    assert not crowd.arrived.acquire(timeout=0.3)
    crowd.go.set()
    for visitor in visitors:
        visitor.join(30)
    assert crowd.most == FORMS_AT_ONCE
    assert statuses == [200] * len(visitors)


def test_telling_does_not_make_readers_wait(fresh: World) -> None:
    assert fresh.intake.telling is not fresh.intake.reading
    assert isinstance(fresh.intake.reading, asyncio.Semaphore)
