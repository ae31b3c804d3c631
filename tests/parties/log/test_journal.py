from pathlib import Path

import pytest

from safeconduct.parties.log.journal import Frame, open_journal, read_frames

BATCHES = [[b"one", b""], [b"x" * 65_535], [b"three"]]


def last_of(path: Path) -> Frame | None:
    frames = list(read_frames(path))
    return frames[-1] if frames else None


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    """The path of a journal that holds `BATCHES`."""
    path = tmp_path / "journal"
    opened = open_journal(path, None)
    for batch in BATCHES:
        opened.append(batch)
    opened.close()
    return path


def test_what_was_appended_is_read_back_in_order(journal: Path) -> None:
    assert [frame.entries for frame in read_frames(journal)] == BATCHES


def test_a_journal_that_never_was_has_no_frames(tmp_path: Path) -> None:
    assert list(read_frames(tmp_path / "none")) == []


def test_every_torn_tail_leaves_the_frames_before_it(journal: Path) -> None:
    whole = journal.read_bytes()
    start = [frame.end_bytes for frame in read_frames(journal)][1]
    for end in range(start, len(whole)):
        journal.write_bytes(whole[:end])
        assert [frame.entries for frame in read_frames(journal)] == BATCHES[:2]


def test_every_flipped_byte_of_the_last_frame_is_noticed(journal: Path) -> None:
    whole = journal.read_bytes()
    start = [frame.end_bytes for frame in read_frames(journal)][1]
    for place in range(start, len(whole)):
        flipped = bytearray(whole)
        flipped[place] ^= 1
        journal.write_bytes(flipped)
        assert [frame.entries for frame in read_frames(journal)] == BATCHES[:2]


def test_two_frames_that_change_places_are_noticed(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    opened = open_journal(path, None)
    opened.append([b"first"])
    opened.append([b"other"])
    opened.close()
    data = path.read_bytes()
    half = len(data) // 2
    path.write_bytes(data[half:] + data[:half])
    assert list(read_frames(path)) == []


def test_appending_goes_on_behind_the_last_good_frame(journal: Path) -> None:
    with journal.open("ab") as file:
        file.write(b"\x00\x00\x00\x09torn")
    opened = open_journal(journal, last_of(journal))
    opened.append([b"four"])
    opened.close()
    assert [frame.entries for frame in read_frames(journal)] == [*BATCHES, [b"four"]]
