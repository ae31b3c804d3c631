"""Blobs come in by pieces, survive a break at any byte, and never change once they are kept."""

import hashlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from safeconduct.errors import ConflictError, UnavailableError
from safeconduct.plumbing.blobs import DAY_SECONDS, Blobs

NAME = bytes(range(32))


def test_a_blob_comes_back_as_it_came(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path)
    assert blobs.append(NAME, 0, b"first ") == 6
    assert blobs.append(NAME, 6, b"second") == 12
    assert blobs.sha256(NAME) == hashlib.sha256(b"first second").digest()
    blobs.keep(NAME)
    assert b"".join(blobs.pieces(NAME)) == b"first second"


@settings(max_examples=40, deadline=None)
@given(cuts=st.lists(st.integers(min_value=0, max_value=300), max_size=6))
def test_resuming_from_any_byte_gives_the_same_blob(
    tmp_path_factory: pytest.TempPathFactory, cuts: list[int]
) -> None:
    blobs, whole = Blobs(tmp_path_factory.mktemp("blobs")), bytes(range(256)) + bytes(44)
    for cut in cuts:
        start = min(cut, blobs.held_bytes(NAME))
        blobs.append(NAME, start, whole[start:cut] if cut > start else b"")
    blobs.append(NAME, blobs.held_bytes(NAME), whole[blobs.held_bytes(NAME) :])
    blobs.keep(NAME)
    assert b"".join(blobs.pieces(NAME)) == whole


def test_a_gap_is_refused_and_nothing_changes(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path)
    blobs.append(NAME, 0, b"abc")
    with pytest.raises(ConflictError, match="up to byte 3"):
        blobs.append(NAME, 5, b"f")
    assert blobs.held_bytes(NAME) == 3


def test_keeping_twice_is_harmless(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path)
    blobs.append(NAME, 0, b"abc")
    blobs.keep(NAME)
    blobs.keep(NAME)
    blobs.discard(NAME)
    assert blobs.held_bytes(NAME) == 3


def test_what_was_never_kept_cannot_be_read(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path)
    blobs.append(NAME, 0, b"abc")
    with pytest.raises(UnavailableError):
        next(blobs.pieces(NAME))


def test_a_disk_without_room_says_so(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError, match="nearly full"):
        Blobs(tmp_path).check_room(0, 1 << 62)


# Blobs that this process makes itself.


def test_what_is_made_here_is_kept_under_the_name_it_turned_out_to_have(
    tmp_path: Path,
) -> None:
    blobs = Blobs(tmp_path)
    made = blobs.incoming()
    for _ in range(20):
        made.write(bytes(1 << 20))
    made.sync()
    blobs.keep_incoming(NAME, made)
    assert blobs.held_bytes(NAME) == 20 << 20
    assert b"".join(blobs.pieces(NAME)) == bytes(20 << 20)
    assert list((tmp_path / "staged").iterdir()) == []


def test_what_was_half_made_is_gone_after_a_new_start(tmp_path: Path) -> None:
    Blobs(tmp_path).incoming().write(b"half")
    Blobs(tmp_path)
    assert list((tmp_path / "staged").iterdir()) == []


def test_a_kept_blob_stays_when_the_same_is_made_again(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path)
    for data in (b"first", b"other"):
        made = blobs.incoming()
        made.write(data)
        made.sync()
        blobs.keep_incoming(NAME, made)
    assert b"".join(blobs.pieces(NAME)) == b"first"
    assert list((tmp_path / "staged").iterdir()) == []


def test_an_aborted_blob_leaves_nothing(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path)
    made = blobs.incoming()
    made.write(b"x")
    made.abort()
    made.abort()
    assert list((tmp_path / "staged").iterdir()) == []


def test_kept_blobs_say_no_more_than_the_day_they_came(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path)
    blobs.append(NAME, 0, b"x")
    blobs.keep(NAME)
    made = blobs.incoming()
    made.sync()
    blobs.keep_incoming(bytes(32), made)
    times = [path.stat().st_mtime for path in (tmp_path / "kept").iterdir()]
    assert [at % DAY_SECONDS for at in times] == [0, 0]
