"""The forms cost the door little: no copy of the shelf, whoever writes and however many."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.parties.intake.door_world import TEXT, WORDS, World, open_world, post_form
from tests.parties.intake.walking import tell_by_form

from safeconduct.parties.intake.store import Store
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
    for text in (TEXT, "Another tip."):
        assert tell_by_form(fresh, text).status_code == 200
    assert post_form(fresh, "/en/mail", {"words": WORDS}).status_code == 200
    numbers = [each.number for each in fresh.intake.store.deliveries_after(0, 10)]
    assert numbers == [1, 2]


def test_a_slot_gives_its_versions_in_the_order_they_came(fresh: World) -> None:
    kept, slot = fresh.intake.store, bytes(16)
    blobs = [bytes([number]) * (SHELF_ENTRY_BYTES - 16) for number in (9, 1, 5)]
    for blob in blobs:
        kept.shelve(slot, blob)
    kept.shelve(b"\1" * 16, blobs[0])
    assert kept.versions(slot) == blobs
    assert kept.versions(b"\2" * 16) == []
    assert kept.block(slot) is None
