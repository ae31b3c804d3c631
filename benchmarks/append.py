"""How many entries a log makes durable per second, and how much disk each one takes.

`Log.append` goes the whole way: journal, signatures, lock store, tiles. Beside it, on the same
disk and in turns with it, run three loops that do less on purpose:

    bare       the same bytes of a journal frame written and synced, the same lock row committed
    hashing    that, and the SHA-256 calls that the tree demands: each leaf and each node
    files      that, and as many files made, written and renamed as a batch has new tiles

The first is what the disk allows, the second what Python's SHA-256 calls allow on top of it,
the third what is left to a writer that does nothing but what the standard's layout demands.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

from benchmarks import disk, hashing, real_log, sample
from benchmarks.measure import (
    Course,
    Figure,
    Ratio,
    Report,
    at_least,
    at_most,
    figure,
    main,
    seconds,
)
from safeconduct.protocol.tlog.tile import bundle_path, new_bundles, new_tiles, tile_path

RUNS = 5
_BATCHES = {1: 200, 256: 60, 1024: 30}
"""Entries of a batch, and how many batches one run has."""
_WANTED = {256: 16_000, 1024: 30_000}
_WANTED_OF_BARE = 0.7
_SYNCS, _SLOWER_SECONDS = 2, 0.002
"""Synced writes of a batch: the journal's and the lock store's; and what a disk may take."""
_NOTE_BYTES = 3_600  # a checkpoint under both keys of the log
_STORED_ENTRIES = 200_000
_STORED_BATCH = 1_024
_STORED_BYTES_MAX = 1.1 * sample.ENTRY_BYTES + 40
_BARE_BYTES = 256 << 20

Work = Callable[[list[bytes]], object]
"""Makes one batch of entries durable."""


def benchmark(course: Course) -> Report:
    """Entries per second by batch size, beside the two loops; bytes on disk for each entry."""
    figures: list[Figure] = []
    ratios: list[Ratio] = []
    for batch, count in _BATCHES.items():
        four = _in_turns(course, batch, course.scaled(count, quick=10))
        figures += four
        ratios += _ratios(batch, *(each.value for each in four))
    stored, content = _storage(course)
    figures += [stored, content]
    ratios.append(at_most("bytes on disk per entry", stored.value, _STORED_BYTES_MAX, " B"))
    return Report(
        name="append",
        title=f"Append: entries of {sample.ENTRY_BYTES} bytes, durable; {RUNS} runs in turns",
        figures=tuple(figures),
        ratios=tuple(ratios),
        bound="batch 1: synced writes and the log's two signatures; larger batches: the files "
        "of the tiles, which the file system makes one by one, then Python's one core",
        elsewhere=(
            "Tessera's POSIX writer, measured earlier on another machine of two cores: "
            "5,400-10,700/s at batch 256, 7,800-12,300/s at batch 1,024",
        ),
    )


def _ratios(
    batch: int, ours: float, bare: float, hashed: float, filed: float
) -> Iterator[Ratio]:
    title = f"batch {batch}: append"
    if batch in _WANTED:
        yield at_least(title, ours, _WANTED[batch], "/s")
    yield at_least(f"{title} / bare", ours / bare, _WANTED_OF_BARE)
    slower = _SYNCS * _SLOWER_SECONDS
    yield Ratio(
        what=f"{title} / bare, were a sync {1000 * _SLOWER_SECONDS:g} ms longer (computed)",
        value=(batch / bare + slower) / (batch / ours + slower),
    )
    yield Ratio(what=f"{title} / hashing", value=ours / hashed)
    yield Ratio(what=f"{title} / files", value=ours / filed)
    yield Ratio(what=f"batch {batch}: files / bare", value=filed / bare)


def _in_turns(course: Course, batch: int, count: int) -> list[Figure]:
    folder = course.folder / f"batch-{batch}"
    founded = real_log.found(folder)
    with founded.open() as log, ExitStack() as stack:
        works: dict[str, Work] = {
            "append": log.append,
            "bare": stack.enter_context(_bare_loop(folder / "bare")),
            "hashing": stack.enter_context(_hashing_loop(folder / "hashing")),
            "files": stack.enter_context(_files_loop(folder / "files")),
        }
        for work in works.values():
            work(sample.entries(0, batch))  # whatever is made at first use is made now
        rates: dict[str, list[float]] = {what: [] for what in works}
        for run in range(1, RUNS + 1):
            first = run * batch * count
            batches = [sample.entries(first + batch * at, batch) for at in range(count)]
            turns = [*works.items()]
            # Another one begins each time: what one leaves to the disk, the next one pays for.
            for what, work in turns[run % len(turns) :] + turns[: run % len(turns)]:
                rates[what].append(batch * count / seconds(partial(_each, work, batches)))
    return [figure(f"batch {batch}: {what}", "entries/s", rates[what]) for what in rates]


def _each(work: Work, batches: list[list[bytes]]) -> None:
    for batch in batches:
        work(batch)


@contextmanager
def _bare_loop(folder: Path) -> Iterator[Work]:
    """What is left of an append when nothing is computed: two durable writes."""
    folder.mkdir()
    lock = disk.open_lock(folder / "lock.db")
    file = disk.open_synced(folder / "frames", _BARE_BYTES)
    checkpoint, size = bytes(_NOTE_BYTES), 0

    def work(batch: list[bytes]) -> None:
        nonlocal size
        file.append(_frame(batch))
        lock.swap(size, size + len(batch), checkpoint)
        size += len(batch)

    try:
        yield work
    finally:
        file.close()
        lock.close()


@contextmanager
def _hashing_loop(folder: Path) -> Iterator[Work]:
    """The bare loop, and the tree's SHA-256 calls, of which nothing is kept."""
    with _bare_loop(folder) as bare:

        def work(batch: list[bytes]) -> None:
            hashing.tree_calls(batch)
            bare(batch)

        yield work


@contextmanager
def _files_loop(folder: Path) -> Iterator[Work]:
    """The hashing loop, and the tiles' files, of the right size and number, unsynced."""
    with _hashing_loop(folder) as hashing_too:
        size, temporary = 0, folder / "temporary"

        def work(batch: list[bytes]) -> None:
            nonlocal size
            hashing_too(batch)
            old_size, size = size, size + len(batch)
            for index, width in new_bundles(old_size, size):
                _place(folder / bundle_path(index, width), bytes(width * 202), temporary)
            for tile in new_tiles(old_size, size):
                _place(folder / tile_path(tile), bytes(tile.width * 32), temporary)

        yield work


def _place(path: Path, data: bytes, temporary: Path) -> None:
    if not path.parent.is_dir():
        path.parent.mkdir(parents=True)
    temporary.write_bytes(data)
    temporary.rename(path)


def _frame(batch: list[bytes]) -> bytes:
    """As many bytes as the journal writes for a batch."""
    payload = b"".join(len(entry).to_bytes(2, "big") + entry for entry in batch)
    return len(payload).to_bytes(4, "big") + bytes(32) + payload


def _storage(course: Course) -> list[Figure]:
    """Bytes on disk per entry after a clean stop: blocks that are taken up, and contents."""
    count = course.scaled(_STORED_ENTRIES, quick=20_000)
    founded = real_log.found(course.folder / "stored")
    with founded.open() as log:
        for first in range(0, count, _STORED_BATCH):
            log.append(sample.entries(first, min(_STORED_BATCH, count - first)))
        log.round()
    used, content = real_log.used_bytes(founded.folder), real_log.content_bytes(founded.folder)
    return [
        figure(f"{count} entries: disk blocks", "B/entry", [used / count]),
        figure(f"{count} entries: contents of all files", "B/entry", [content / count]),
    ]


if __name__ == "__main__":
    main("append", benchmark)
