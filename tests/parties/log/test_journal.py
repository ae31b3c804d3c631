from pathlib import Path

import pytest

from safeconduct.errors import UnavailableError
from safeconduct.parties.log import journal as journal_module
from safeconduct.parties.log.journal import Frame, Journal, list_segments, read_frames
from safeconduct.parties.log.store import NOTHING_SETTLED, Settled
from safeconduct.plumbing import durable
from safeconduct.protocol.tlog.tile import frame_entries

BATCHES = [[b"one", b""], [b"x" * 65_535], [b"three"]]
SMALL_BYTES = 1 << 10


class Opened:
    """A journal opened where it ends, and the segments it has handed over."""

    def __init__(self, folder: Path, settled: Settled = NOTHING_SETTLED) -> None:
        frames = list(read_frames(folder, settled))
        self.full: list[tuple[Path, Settled]] = []
        last = frames[-1] if frames else None
        self.journal = Journal(
            folder,
            last.place if last is not None else settled,
            last,
            full=lambda path, end: self.full.append((path, end)),
        )

    def add(self, *batches: list[bytes]) -> None:
        for batch in batches:
            self.journal.append(frame_entries(batch))


def read(folder: Path, settled: Settled = NOTHING_SETTLED) -> list[list[bytes]]:
    return [frame.entries for frame in read_frames(folder, settled)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of a journal that holds `BATCHES`, left as by a crash."""
    opened = Opened(tmp_path / "journal")
    opened.add(*BATCHES)
    return tmp_path / "journal"


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Segments of a kilobyte."""
    monkeypatch.setattr(journal_module, "SEGMENT_BYTES", SMALL_BYTES)


def only(folder: Path) -> Path:
    [segment] = list_segments(folder)
    return segment


def frames_of(folder: Path) -> list[Frame]:
    return list(read_frames(folder, NOTHING_SETTLED))


def test_what_was_appended_is_read_back_in_order(folder: Path) -> None:
    assert read(folder) == BATCHES
    assert [frame.first for frame in frames_of(folder)] == [0, 2, 3]


def test_a_journal_that_never_was_has_no_frames(tmp_path: Path) -> None:
    assert read(tmp_path / "none") == []


def test_a_segment_has_its_space_before_it_is_needed(folder: Path) -> None:
    assert only(folder).name == "0" * 20
    stat = only(folder).stat()
    assert stat.st_size == journal_module.SEGMENT_BYTES
    assert stat.st_blocks * 512 >= stat.st_size


def test_every_torn_tail_leaves_the_frames_before_it(folder: Path) -> None:
    segment, whole = only(folder), only(folder).read_bytes()
    _, second, third = frames_of(folder)
    for end in range(second.end_bytes, third.end_bytes):
        segment.write_bytes(whole[:end])
        assert read(folder) == BATCHES[:2]
        segment.write_bytes(whole[:end] + bytes(100))
        assert read(folder) == BATCHES[:2]


def test_every_flipped_byte_of_the_last_frame_is_noticed(folder: Path) -> None:
    segment, whole = only(folder), only(folder).read_bytes()
    _, second, third = frames_of(folder)
    for place in range(second.end_bytes, third.end_bytes):
        flipped = bytearray(whole[: third.end_bytes + 100])
        flipped[place] ^= 1
        segment.write_bytes(flipped)
        assert read(folder) == BATCHES[:2]


def test_two_frames_that_change_places_are_noticed(tmp_path: Path) -> None:
    Opened(tmp_path).add([b"first"], [b"other"])
    segment = only(tmp_path)
    [first, second] = frames_of(tmp_path)
    data = segment.read_bytes()
    one, two = data[32 : first.end_bytes], data[first.end_bytes : second.end_bytes]
    segment.write_bytes(data[:32] + two + one + data[second.end_bytes :])
    assert read(tmp_path) == []


def test_appending_goes_on_behind_the_last_good_frame(folder: Path) -> None:
    segment, end_bytes = only(folder), frames_of(folder)[-1].end_bytes
    length = segment.stat().st_size
    data = segment.read_bytes()
    segment.write_bytes(data[:end_bytes] + b"\x00\x00\x00\x09torn" + data[end_bytes + 8 :])
    Opened(folder).add([b"four"])
    assert read(folder) == [*BATCHES, [b"four"]]
    assert (b"torn" in segment.read_bytes(), segment.stat().st_size) == (False, length)


def test_a_full_segment_is_handed_over_and_the_next_goes_on(
    small: None, tmp_path: Path
) -> None:
    opened = Opened(tmp_path)
    batches = [[bytes([number]) * 100] * 3 for number in range(10)]
    opened.add(*batches)
    assert read(tmp_path) == batches
    segments = list_segments(tmp_path)
    assert [path for path, _ in opened.full] == segments[:-1] != []
    assert [int(path.name) for path in segments[1:]] == [
        end.tree_size for _, end in opened.full
    ]
    path, end = opened.full[0]
    path.unlink()
    assert read(tmp_path, end) == batches[end.tree_size // 3 :]


def test_a_batch_larger_than_a_segment_gets_one_of_its_own(small: None, tmp_path: Path) -> None:
    batches = [[b"small"], [b"x" * 5_000], [b"small again"]]
    Opened(tmp_path).add(*batches)
    assert read(tmp_path) == batches
    assert len(list_segments(tmp_path)) == 3


GAPS = {"first": 0, "middle": 1}


@pytest.mark.parametrize("gap", GAPS)
def test_a_segment_that_is_missing_is_noticed(gap: str, small: None, tmp_path: Path) -> None:
    opened = Opened(tmp_path)
    opened.add(*[[b"x" * 500] for _ in range(4)])
    opened.full[GAPS[gap]][0].unlink()
    with pytest.raises(UnavailableError, match="does not go on") as caught:
        read(tmp_path)
    assert "log fsck" in caught.value.hint


def test_segments_that_do_not_follow_what_is_settled_are_noticed(folder: Path) -> None:
    first = frames_of(folder)[0].place
    assert read(folder, first) == BATCHES[1:]
    with pytest.raises(UnavailableError, match="are settled"):
        read(folder, Settled(tree_size=first.tree_size, chain=b"f" * 32))


def test_after_a_failed_write_the_journal_is_never_used_again(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise UnavailableError("the disk is gone")

    opened = Opened(folder)
    with monkeypatch.context() as patch:
        patch.setattr(durable, "write_synced", fail)
        with pytest.raises(UnavailableError, match="disk is gone"):
            opened.add([b"four"])
    with pytest.raises(UnavailableError, match="has failed before"):
        opened.add([b"four"])
    opened.journal.finish()
    assert opened.full == []
    assert read(folder) == BATCHES


def test_the_next_segment_is_set_aside_and_given_back(small: None, tmp_path: Path) -> None:
    opened = Opened(tmp_path)
    opened.journal.reserve()
    assert (tmp_path / "spare").stat().st_blocks * 512 >= SMALL_BYTES
    opened.add([b"x"])
    assert not (tmp_path / "spare").exists()
    opened.journal.reserve()
    opened.journal.close()
    assert [path.name for path in tmp_path.iterdir()] == ["0" * 20]
