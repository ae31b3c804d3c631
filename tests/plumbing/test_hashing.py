"""SHA-256 on another core gives what SHA-256 gives."""

import hashlib
import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from safeconduct.plumbing import hashing
from safeconduct.plumbing.hashing import Sha256Behind

SIZES = st.lists(st.integers(0, 400_000), max_size=30)


@settings(max_examples=30, deadline=None)
@given(SIZES)
def test_it_is_the_same_hash_whatever_the_pieces(sizes: list[int]) -> None:
    pieces = [bytes([number]) * size for number, size in enumerate(sizes)]
    digest = Sha256Behind()
    for piece in pieces:
        digest.update(piece)
    assert digest.digest() == hashlib.sha256(b"".join(pieces)).digest()


def test_it_may_be_asked_in_between(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hashing, "_BATCH_BYTES", 3)
    digest, same = Sha256Behind(), hashlib.sha256()
    for piece in (b"ab", b"cd", b"", b"efg", b"h"):
        digest.update(piece)
        same.update(piece)
        assert digest.digest() == same.digest()


def test_one_that_is_given_up_leaves_no_thread_behind() -> None:
    before = threading.active_count()
    digest = Sha256Behind()
    for _ in range(8):
        digest.update(bytes(1 << 20))
    assert threading.active_count() <= before + 1
    digest.digest()
    assert threading.active_count() == before


def test_little_is_hashed_without_a_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hashing, "Thread", None)
    digest = Sha256Behind()
    digest.update(b"tip")
    assert digest.digest() == hashlib.sha256(b"tip").digest()
