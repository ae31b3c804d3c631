from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from safeconduct.parties.log import recent as recent_module
from safeconduct.parties.log.recent import Recent


def leaf(index: int) -> bytes:
    return sha256(b"%d" % index).digest()


def leaves(start: int, count: int) -> list[bytes]:
    return [leaf(index) for index in range(start, start + count)]


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs begin at 8 entries and end at 64."""
    monkeypatch.setattr(recent_module, "NEWEST_ENTRIES_MAX", 8)
    monkeypatch.setattr(recent_module, "RUN_ENTRIES_MAX", 64)


def test_every_entry_of_the_window_is_found_and_none_before_it(small: None) -> None:
    recent, window = Recent(leaf, window=200), 200
    for start in range(0, 1000, 5):
        recent.add(leaves(start, 5))
    found = [recent.find(leaf(index)) for index in range(1000)]
    assert found == [None] * (1000 - window) + list(range(1000 - window, 1000))
    assert recent.find(leaf(1000)) is None


def test_what_is_kept_is_bounded_by_the_window(small: None) -> None:
    recent = Recent(leaf, window=200)
    for start in range(0, 5000, 5):
        recent.add(leaves(start, 5))
        assert sum(len(run.words) for run in recent._runs) <= 200 + 64 + 8
        assert len(recent._runs) <= 200 // 32 + 4


@settings(max_examples=30, deadline=None)
@given(first=st.integers(0, 1 << 40), counts=st.lists(st.integers(1, 70_000), max_size=3))
def test_indexes_of_any_size_come_back_whole(first: int, counts: list[int]) -> None:
    recent = Recent(leaf, first=first)
    end = first
    for count in counts:
        hashes = leaves(end, min(count, 600)) + [bytes(32)] * max(0, count - 600)
        recent.load(b"".join(hashes))
        end += count
    recent.add(leaves(end, 3))
    start = first
    for count in counts:
        for index in (start, start + min(count, 600) - 1):
            assert recent.find(leaf(index)) == index
        start += count
    assert recent.find(leaf(end + 2)) == end + 2


def test_a_hash_that_only_begins_alike_is_not_taken_for_the_entry(small: None) -> None:
    recent = Recent(leaf)
    recent.add(leaves(0, 8))
    alike = leaf(3)[:8] + bytes(24)
    assert recent.find(alike) is None
    assert recent.find(leaf(3)) == 3


def test_eight_bytes_an_entry_are_enough() -> None:
    recent = Recent(leaf)
    for start in range(0, 1 << 17, 1 << 15):
        recent.add(leaves(start, 1 << 15))
    [run] = recent._runs
    assert run.words.itemsize * len(run.words) == 8 << 17
