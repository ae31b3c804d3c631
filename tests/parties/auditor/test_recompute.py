"""The recomputing of a copy: the same hashes as `merkle`, and flat memory for any size."""

import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.parties.auditor import public_folder as made

from safeconduct.errors import SafeconductError, UnverifiedError
from safeconduct.parties.auditor.folder import Folder, parse_sums
from safeconduct.parties.auditor.recompute import (
    Fault,
    Later,
    Rows,
    find_faults,
    find_strangers,
    find_strays,
    leaf_hashes,
    read_rows,
    top_hash,
)
from safeconduct.parties.auditor.tree import LogCopy, read_copy
from safeconduct.protocol.tlog.merkle import Frontier, leaf_hash, node_hash
from safeconduct.protocol.tlog.tile import (
    TILE_WIDTH,
    Tile,
    bundle_path,
    format_bundle,
    tile_path,
)

KIB = 1 << 10


@given(entries=st.lists(st.binary(max_size=40), max_size=20))
def test_leaf_hashes_are_those_of_merkle(entries: list[bytes]) -> None:
    assert leaf_hashes(entries) == [leaf_hash(entry) for entry in entries]


@given(height=st.integers(0, 8), seed=st.binary(max_size=8))
def test_the_hash_over_a_row_is_that_of_merkle(height: int, seed: bytes) -> None:
    row = [leaf_hash(seed + bytes([place])) for place in range(1 << height)]
    while len(row) > 1:
        computed = top_hash(row)
        row = [node_hash(row[at], row[at + 1]) for at in range(0, len(row), 2)]
        assert top_hash(row) == computed


def put_log(folder: Path, size: int) -> LogCopy:
    log = made.make_log(made.LEDGER, [place.to_bytes(4, "big") for place in range(size)])
    for path, data in log.files.items():
        made.put(folder / path, data)
    return read_copy(Folder(root=folder), "")


@pytest.mark.parametrize("size", [1, 255, 256, 257, 511, 512, 769, 1023])
def test_the_rows_end_with_the_edge_of_merkle(tmp_path: Path, size: int) -> None:
    copy, rows = put_log(tmp_path, size), Rows()
    assert list(find_faults(copy, rows=rows)) == []
    leaves = [leaf_hash(place.to_bytes(4, "big")) for place in range(size)]
    assert rows.edge() == Frontier.empty().extend(leaves)[0]
    assert read_rows(copy, rows.edge()) == rows


@pytest.mark.parametrize("size", [0, 256, 768])
def test_a_recomputing_goes_on_from_rows_read_from_the_tiles(tmp_path: Path, size: int) -> None:
    copy = put_log(tmp_path, 1000)
    leaves = [leaf_hash(place.to_bytes(4, "big")) for place in range(size)]
    edge = Frontier.empty().extend(leaves)[0]
    for index in range(size // TILE_WIDTH):
        (tmp_path / bundle_path(index)).unlink()
    assert list(find_faults(copy, rows=read_rows(copy, edge))) == []


def test_rows_that_the_tiles_do_not_lead_to_are_refused(tmp_path: Path) -> None:
    copy = put_log(tmp_path, 1000)
    leaves = [leaf_hash(place.to_bytes(4, "big")) for place in range(768)]
    edge = Frontier.empty().extend(leaves)[0]
    other = Frontier(size=768, hashes=(edge.hashes[0], bytes(32)))
    with pytest.raises(UnverifiedError, match="another tree of 768"):
        read_rows(copy, other)
    with pytest.raises(UnverifiedError, match="ends before"):
        read_rows(copy, Frontier(size=1024, hashes=(bytes(32),)))
    (tmp_path / "tile/1/000.p/3").unlink()
    with pytest.raises(SafeconductError):
        read_rows(copy, edge)


def put_older(folder: Path) -> None:
    """What a log of 300 entries leaves behind of its tree of 20 and of 290."""
    full, last = (folder / "tile/0/000").read_bytes(), (folder / "tile/0/001.p/44").read_bytes()
    made.put(folder / "tile/0/000.p/20", full[: 20 * 32])
    made.put(folder / "tile/0/001.p/34", last[: 34 * 32])
    entries = [place.to_bytes(4, "big") for place in range(20)]
    made.put(folder / "tile/entries/000.p/20", format_bundle(entries))


def test_the_partial_tiles_of_smaller_trees_may_stay_in_a_copy_that_stands_alone(
    tmp_path: Path,
) -> None:
    copy = put_log(tmp_path, 300)
    put_older(tmp_path)
    assert list(find_strangers(copy, Later())) == []
    assert len(list(find_strays(copy))) == 3  # none of which a published folder may hold


OLDER = ["tile/0/000.p/20", "tile/0/001.p/34", "tile/entries/000.p/20"]


@pytest.mark.parametrize("name", OLDER)
def test_a_partial_tile_that_is_not_how_the_full_one_begins_is_named(
    tmp_path: Path, name: str
) -> None:
    copy = put_log(tmp_path, 300)
    put_older(tmp_path)
    data = (tmp_path / name).read_bytes()
    for spoilt in (data[:-1] + bytes([data[-1] ^ 1]), data[:-1], data + b"\0", b""):
        (tmp_path / name).write_bytes(spoilt)
        assert [fault.file for fault in find_strangers(copy, Later())] == [name]


def test_tiles_of_larger_trees_are_counted_and_not_believed(tmp_path: Path) -> None:
    copy = put_log(tmp_path, 300)
    made.put(tmp_path / "tile/0/001.p/45", bytes(45 * 32))
    made.put(tmp_path / "tile/entries/002", b"x")
    later = Later()
    assert list(find_strangers(copy, later)) == []
    assert later.files == 2


STRANGERS = [
    "index.html",
    "key",
    "tile/0/01",
    "tile/0/000.p/0",
    "tile/8/000.tmp",
    "tile/64/000",
]


@pytest.mark.parametrize("name", STRANGERS)
def test_a_file_that_no_log_has_is_named(tmp_path: Path, name: str) -> None:
    copy = put_log(tmp_path, 300)
    made.put(tmp_path / name, b"x")
    assert [fault.file for fault in find_strangers(copy, Later())] == [name]


def test_a_symbolic_link_in_a_log_is_named_and_not_followed(tmp_path: Path) -> None:
    copy = put_log(tmp_path, 300)
    (tmp_path / "tile/7").symlink_to(tmp_path)
    (fault,) = find_strangers(copy, Later())
    assert (fault.file, fault.found) == ("tile/7", "a symbolic link")


def peak_bytes(run: Callable[[], object]) -> int:
    run()  # what is loaded once is not counted
    tracemalloc.start()
    run()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak


def put_uniform_log(folder: Path, size: int) -> LogCopy:
    """A log of `size` times the same entry of one byte: quick to make."""
    files, levels, each, count = dict[str, bytes](), list[list[bytes]](), leaf_hash(b"x"), size
    while count:
        full, rest = divmod(count, TILE_WIDTH)
        for index in range(full):
            files[tile_path(Tile(level=len(levels), index=index))] = each * TILE_WIDTH
        if rest:
            files[tile_path(Tile(level=len(levels), index=full, width=rest))] = each * rest
        levels.append([each] * rest)
        each, count = top_hash([each] * TILE_WIDTH), full
    for index in range(size // TILE_WIDTH):
        files[bundle_path(index)] = format_bundle([b"x"] * TILE_WIDTH)
    if levels[0]:
        files[bundle_path(size // TILE_WIDTH, len(levels[0]))] = format_bundle(
            [b"x"] * len(levels[0])
        )
    tree = Rows(size=size, levels=levels).edge().tree()
    for path, data in (files | {"checkpoint": made.checkpoint(made.LEDGER, tree)}).items():
        made.put(folder / path, data)
    return read_copy(Folder(root=folder), "")


def faults(copy: LogCopy) -> list[Fault]:
    return list(find_faults(copy))


def test_ten_times_the_entries_need_no_more_memory(tmp_path: Path) -> None:
    small = put_uniform_log(tmp_path / "small", 20_000)
    large = put_uniform_log(tmp_path / "large", 200_000)
    assert faults(small) == faults(large) == []
    growth = peak_bytes(lambda: faults(large)) - peak_bytes(lambda: faults(small))
    assert growth < 64 * KIB  # a hash kept per entry would be 180,000 * 65 bytes


def put_many(folder: Path, groups: int) -> Folder:
    for group in range(groups):
        parent = folder / f"ledger/tile/0/x{group:03}"
        parent.mkdir(parents=True)
        for place in range(100):
            (parent / f"{place:03}").touch()
    return Folder(root=folder)


def count(items: Iterator[object]) -> int:
    return sum(1 for _ in items)


def test_a_walk_over_more_folders_needs_no_more_memory(tmp_path: Path) -> None:
    few, many = put_many(tmp_path / "few", 5), put_many(tmp_path / "many", 30)
    assert (count(few.walk()), count(many.walk())) == (500, 3_000)
    growth = peak_bytes(lambda: count(many.walk())) - peak_bytes(lambda: count(few.walk()))
    assert growth < 16 * KIB


def sum_lines(lines: int) -> Iterator[bytes]:
    for place in range(lines):
        group, name = divmod(place, 1000)
        yield b"%064x  ledger/tile/0/x%03d/%03d\n" % (place, group, name)


def test_a_longer_list_needs_no_more_memory() -> None:
    def parsed(lines: int) -> int:
        return peak_bytes(lambda: count(parse_sums(sum_lines(lines))))

    assert parsed(20_000) - parsed(1_000) < 16 * KIB


def test_a_walk_meets_files_in_the_order_of_their_whole_names(tmp_path: Path) -> None:
    names = ["tile/0/000", "tile/0/000.p/3", "tile/0/x001/000", "tile/0/x001/x002/007"]
    for name in [*names, "checkpoint", "tile/10/000", "tile/1/000", "tile/entries/000"]:
        made.put(tmp_path / "ledger" / name, b"")
    found = [each.name for each in Folder(root=tmp_path).walk() if not each.fault]
    assert len(found) == 8
    assert found == sorted(found)
