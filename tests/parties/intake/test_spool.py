"""What waits to be sent lies on the disk unreadable, bounded, and not for long."""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.protocol.age.chance import dice

from safeconduct.errors import (
    MalformedError,
    RefusedError,
    SafeconductError,
    UnavailableError,
    UnverifiedError,
)
from safeconduct.parties.intake import spool as spooling
from safeconduct.parties.intake.spool import (
    FILE,
    FILES_MAX,
    MESSAGE,
    PIECE_BYTES,
    SPOOL_SECONDS,
    Item,
    Spools,
)

SECRET = b"The minister signed it on the second of May."
NOW = 1_800_000_000


@pytest.fixture
def now() -> list[int]:
    return [NOW]


@pytest.fixture
def spools(tmp_path: Path, now: list[int]) -> Spools:
    return Spools(tmp_path / "spool", seconds=lambda: now[0])


@pytest.fixture
def held(spools: Spools) -> tuple[bytes, bytes]:
    return spools.begin(dice())


def add(spools: Spools, held: tuple[bytes, bytes], name: str, data: bytes) -> Item:
    writer = spools.writer(*held, name)
    writer.write(data)
    return writer.end()


def on_disk(spools: Spools) -> bytes:
    files = (path for path in spools.folder.rglob("*") if path.is_file())
    return b"".join(path.read_bytes() for path in files)


SIZES = (0, 1, PIECE_BYTES - 1, PIECE_BYTES, PIECE_BYTES + 1, 3 * PIECE_BYTES)


@pytest.mark.parametrize("size", SIZES)
def test_a_file_of_any_size_comes_back_whole(
    spools: Spools, held: tuple[bytes, bytes], size: int
) -> None:
    data = bytes(number % 251 for number in range(size))
    item = add(spools, held, "a.bin", data)
    assert b"".join(spools.read(*held, item)) == data
    assert (item.size, item.sha256) == (size, hashlib.sha256(data).digest())


@settings(max_examples=20, deadline=None)
@given(sizes=st.lists(st.integers(0, 400_000), max_size=8))
def test_the_pieces_in_which_a_file_comes_do_not_matter(
    tmp_path_factory: pytest.TempPathFactory, sizes: list[int]
) -> None:
    spools = Spools(tmp_path_factory.mktemp("spool"))
    held = spools.begin(dice())
    writer = spools.writer(*held, "a")
    for number, size in enumerate(sizes):
        writer.write(bytes([number]) * size)
    item = writer.end()
    whole = b"".join(bytes([number]) * size for number, size in enumerate(sizes))
    assert b"".join(spools.read(*held, item)) == whole


def test_nothing_plain_is_on_the_disk_at_any_moment(
    spools: Spools, held: tuple[bytes, bytes]
) -> None:
    writer = spools.writer(*held, "plan of the minister.pdf")
    for _ in range(60_000):
        writer.write(SECRET)
    assert SECRET[:12] not in on_disk(spools)  # while it comes in
    writer.end()
    spools.put(*held, MESSAGE, "message.txt", SECRET)
    seen = on_disk(spools)
    # Each of so many letters that they stand nowhere in megabytes of noise.
    kinds = [f'"{kind}","{name}'.encode() for kind, name in ((MESSAGE, "mes"), (FILE, "plan"))]
    for plain in (SECRET[:12], b"minister.pdf", b"message.txt", *kinds):
        assert plain not in seen


def test_files_on_the_disk_do_not_say_when_they_came(
    spools: Spools, held: tuple[bytes, bytes]
) -> None:
    add(spools, held, "a", SECRET)
    [file] = [
        path for path in spools.folder.rglob("*") if len(path.name) == 32 and path.is_file()
    ]
    assert (file.stat().st_mtime, file.parent.stat().st_mtime) == (0, 0)
    assert file.stat().st_mode & 0o077 == 0


def test_a_message_takes_the_place_of_the_one_before(
    spools: Spools, held: tuple[bytes, bytes]
) -> None:
    for text in (b"one", b"two"):
        spools.put(*held, MESSAGE, "message.txt", text)
    [item] = spools.items(*held)
    assert spools.read_small(*held, item) == b"two"


def test_text_and_answers_stand_before_the_files(
    spools: Spools, held: tuple[bytes, bytes]
) -> None:
    add(spools, held, "b.pdf", b"b")
    add(spools, held, "a.pdf", b"a")
    spools.put(*held, spooling.ANSWERS, "answers.json", b"{}")
    spools.put(*held, MESSAGE, "message.txt", b"hi")
    names = [source.name for source in spools.sources(*held)]
    assert names == ["message.txt", "answers.json", "b.pdf", "a.pdf"]


def test_a_file_called_as_the_message_gets_another_name(
    spools: Spools, held: tuple[bytes, bytes]
) -> None:
    spools.put(*held, MESSAGE, "message.txt", b"hi")
    add(spools, held, "message.txt", b"other")
    names = [source.name for source in spools.sources(*held)]
    assert names == ["message.txt", "message (2).txt"]


OTHERS: dict[str, Callable[[bytes, bytes], tuple[bytes, bytes]]] = {
    "another key": lambda spool, key: (spool, bytes(32)),
    "another spool": lambda spool, key: (bytes(16), key),
}


@pytest.mark.parametrize("other", OTHERS)
def test_only_its_own_ticket_opens_a_spool(
    spools: Spools, held: tuple[bytes, bytes], other: str
) -> None:
    add(spools, held, "a", SECRET)
    with pytest.raises(RefusedError):
        spools.items(*OTHERS[other](*held))


def test_a_new_start_leaves_nothing_of_the_old(
    spools: Spools, held: tuple[bytes, bytes]
) -> None:
    add(spools, held, "a", SECRET)
    again = Spools(spools.folder)
    assert list(again.folder.iterdir()) == []
    with pytest.raises(RefusedError):
        again.items(*held)


def test_an_aborted_file_leaves_nothing(spools: Spools, held: tuple[bytes, bytes]) -> None:
    writer = spools.writer(*held, "a")
    writer.write(bytes(3 * PIECE_BYTES))
    writer.abort()
    assert on_disk(spools) == b""
    assert spools.items(*held) == ()


@pytest.mark.parametrize("damage", ["changed", "cut short", "swapped"])
def test_what_was_damaged_on_the_disk_is_not_read(
    spools: Spools, held: tuple[bytes, bytes], damage: str
) -> None:
    item = add(spools, held, "a", bytes(2 * PIECE_BYTES + 5))
    [path] = [each for each in spools.folder.rglob("*") if each.stat().st_size > PIECE_BYTES]
    data = path.read_bytes()
    sealed = len(data) // 2
    path.write_bytes(
        {
            "changed": data[:-1] + bytes([data[-1] ^ 1]),
            "cut short": data[:-1],
            "swapped": data[sealed : 2 * sealed] + data[:sealed] + data[2 * sealed :],
        }[damage]
    )
    with pytest.raises(UnverifiedError):
        list(spools.read(*held, item))


def test_a_spool_that_nobody_touches_is_swept_and_one_in_use_is_not(
    spools: Spools, held: tuple[bytes, bytes], now: list[int]
) -> None:
    other = spools.begin(os.urandom)
    writer = spools.writer(*held, "a")
    now[0] += SPOOL_SECONDS - 1
    writer.write(bytes(2 * PIECE_BYTES))
    now[0] += 100
    spools.sweep()
    assert spools.is_there(held[0])
    assert not spools.is_there(other[0])
    now[0] += SPOOL_SECONDS
    spools.sweep(now[0])
    assert list(spools.folder.iterdir()) == []
    with pytest.raises(SafeconductError):
        writer.write(bytes(2 * PIECE_BYTES))


def test_a_clock_that_was_set_back_sweeps_rather_than_keeps(
    spools: Spools, held: tuple[bytes, bytes], now: list[int]
) -> None:
    now[0] -= 100_000
    spools.sweep()
    assert not spools.is_there(held[0])


def test_a_file_and_all_files_have_a_largest_size(
    spools: Spools, held: tuple[bytes, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spooling, "FILE_BYTES_MAX", 2 * PIECE_BYTES)
    writer = spools.writer(*held, "a")
    with pytest.raises(MalformedError, match="too large") as refused:
        writer.write(bytes(2 * PIECE_BYTES + 1))
    assert refused.value.http_status == 413
    writer.abort()
    monkeypatch.setattr(spooling, "SPOOL_BYTES_MAX", 3 * PIECE_BYTES)
    add(spools, held, "b", bytes(2 * PIECE_BYTES))
    writer = spools.writer(*held, "c")
    writer.write(bytes(PIECE_BYTES + 1))
    with pytest.raises(MalformedError, match="together"):
        writer.end()
    writer.abort()


def test_there_are_no_more_files_than_there_may_be(
    spools: Spools, held: tuple[bytes, bytes]
) -> None:
    items = [add(spools, held, f"{number}", b"%d" % number) for number in range(FILES_MAX - 1)]
    coming = spools.writer(*held, "last")
    with pytest.raises(MalformedError, match="more than"):
        spools.writer(*held, "one more")
    coming.abort()
    spools.remove(*held, items[0])
    add(spools, held, "again", b"x")


def test_a_nearly_full_disk_takes_no_files_but_still_a_text(
    spools: Spools, held: tuple[bytes, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spooling, "free_bytes", lambda _: spooling.SMALL_RESERVE_BYTES * 2)
    writer = spools.writer(*held, "a")
    with pytest.raises(UnavailableError):
        writer.write(bytes(2 * PIECE_BYTES))
    writer.abort()
    spools.put(*held, MESSAGE, "message.txt", SECRET)
    monkeypatch.setattr(spooling, "free_bytes", lambda _: 1)
    with pytest.raises(UnavailableError):
        spools.put(*held, MESSAGE, "message.txt", SECRET)


def test_no_more_spools_than_there_may_be(
    spools: Spools, held: tuple[bytes, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spooling, "SPOOLS_MAX", 2)
    spools.put(*held, MESSAGE, "message.txt", SECRET)
    empty, _ = spools.begin(os.urandom)
    written = spools.begin(os.urandom)
    assert not spools.is_there(empty)
    assert spools.is_there(held[0])
    spools.put(*written, MESSAGE, "message.txt", SECRET)
    writer = spools.writer(*held, "a")
    spools.begin(os.urandom)
    assert spools.is_there(held[0])
    assert not spools.is_there(written[0])
    writer.abort()


def test_no_name_or_key_shows_in_a_repr(spools: Spools, held: tuple[bytes, bytes]) -> None:
    item = add(spools, held, "plan of the minister.pdf", SECRET)
    assert "minister" not in repr(item)
