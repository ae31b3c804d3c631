"""The forms cost the door little: no copy of the shelf, and only a few at once."""

import asyncio
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from tests.parties.intake.door_world import (
    TEXT,
    WORDS,
    World,
    ask,
    open_world,
    post_form,
    told,
)
from tests.protocol import builders

from safeconduct.errors import RefusedError
from safeconduct.parties.intake import accept, pages, site, store
from safeconduct.parties.intake import tell as telling
from safeconduct.parties.intake.accept import FORMS_AT_ONCE, Intake
from safeconduct.parties.intake.store import Store
from safeconduct.parties.intake.tell import Mail, Told, read_mail, tell
from safeconduct.protocol.capsule import CAPSULE_BYTES, SHELF_ENTRY_BYTES
from safeconduct.protocol.keys import SLOT_BYTES
from safeconduct.protocol.record import record_hash


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
    kept, slot = fresh.intake.store, bytes(16)
    blobs = [bytes([number]) * (SHELF_ENTRY_BYTES - 16) for number in (9, 1, 5)]
    for blob in blobs:
        kept.shelve(slot, blob)
    kept.shelve(b"\1" * 16, blobs[0])
    assert kept.versions(slot) == blobs
    assert kept.versions(b"\2" * 16) == []
    assert kept.block(slot) is None


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


def test_a_tip_is_kept_though_a_stranger_has_filled_its_slot(
    fresh: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The shelf is everybody's to see: who watches it fills each new slot before the date."""
    dated = accept.commit

    def commit(intake: Intake, leaf: bytes) -> bytes:
        slot = b"".join(intake.store.shelf())[:SLOT_BYTES]
        for number in range(1, store.CAPSULES_PER_SLOT_MAX):
            intake.store.shelve(slot, bytes([number]) * CAPSULE_BYTES)
        return dated(intake, leaf)

    monkeypatch.setattr(telling, "commit", commit)
    told = tell(fresh.intake, builders.ENTROPY, TEXT, [])
    assert fresh.intake.store.delivered(record_hash(told.record)) is not None


def test_long_forms_share_what_memory_there_is_and_short_ones_are_always_taken(
    fresh: World,
) -> None:
    """A thousand visitors, each with 24 MB of files, would else take all that the door has."""
    fresh.intake.form_room.left_bytes = 1 << 20
    typed = {"words": WORDS, "text": TEXT}
    answer = post_form(fresh, "/tell", typed, {"film.mp4": bytes(2 << 20)})
    assert answer.status_code == 503
    assert WORDS in answer.text
    assert TEXT in answer.text
    assert post_form(fresh, "/tell", typed, {"a.pdf": bytes(1 << 20)}).status_code == 200
    assert fresh.intake.form_room.left_bytes == 1 << 20
    fresh.intake.form_room.left_bytes = 0
    assert told(fresh).status_code == 200


def test_words_that_are_good_in_two_languages_do_not_cost_the_text(
    fresh: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def parse_words(_: str) -> bytes:
        raise RefusedError("these are good words in more than one language")

    monkeypatch.setattr(pages, "parse_words", parse_words)
    answer = told(fresh)
    assert answer.status_code == 403
    assert "more than one language" in answer.text
    assert TEXT in answer.text


def test_commits_that_wait_for_the_log_leave_room_for_everything_else(
    fresh: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Thirty-two bytes of nonsense from each of fifty strangers held all threads otherwise."""
    crowd, statuses = Crowd(), list[int]()

    def crowded(_: Intake, leaf: bytes) -> bytes:
        crowd()
        return leaf

    monkeypatch.setattr(site, "commit", crowded)

    def visit() -> None:
        statuses.append(ask(fresh, "POST", "/commit", bytes(32)).status_code)

    visitors = [threading.Thread(target=visit) for _ in range(50)]
    for visitor in visitors:
        visitor.start()
    for _ in range(accept.COMMITS_AT_ONCE):
        assert crowd.arrived.acquire(timeout=20)
    assert ask(fresh, "GET", "/health").text == "ok"
    crowd.go.set()
    for visitor in visitors:
        visitor.join(30)
    assert crowd.most == accept.COMMITS_AT_ONCE
    assert statuses == [200] * len(visitors)
