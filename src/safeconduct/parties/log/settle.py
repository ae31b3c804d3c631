"""Settle: give entries their lasting home, then free the segment of the journal they came in.

For each full segment, in a thread of its own:

    1. sync its range of bundles and tiles, full ones read-only from now on, and their folders
    2. record in the lock store how far the log is settled
    3. remove the partial tiles that only the journal's old beginning needed
    4. delete the segment

A crash between any two leaves more than is needed, never less. Only so many segments may wait:
a disk that cannot keep up slows the log down instead of filling up.
"""

import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from safeconduct.errors import SafeconductError, UnavailableError
from safeconduct.parties.log.store import LockStore, Settled
from safeconduct.parties.log.tiles import TileWriter
from safeconduct.plumbing import durable
from safeconduct.protocol.tlog.tile import (
    TILE_WIDTH,
    bundle_path,
    new_bundles,
    new_tiles,
    tile_path,
)

SEGMENTS_WAITING_MAX = 4
_FULL_MODE, _PARTIAL_MODE = 0o444, 0o644
_CLOSE_SECONDS = 60.0


class Settler:
    """The queue of full segments, and the thread that works through it."""

    def __init__(
        self, public: Path, store: LockStore, tiles: TileWriter, settled: Settled
    ) -> None:
        self._public, self._store, self._tiles = public, store, tiles
        self._settled = settled
        self._queue: deque[tuple[Path, Settled]] = deque()
        self._changed = threading.Condition()
        self._failure: SafeconductError | None = None
        self._closing = False

    @contextmanager
    def working(
        self, reserve: Callable[[], None], full: Sequence[tuple[Path, Settled]] = ()
    ) -> Iterator[None]:
        """Settle segments during the block, first the `full` ones; at its end all that wait.

        `reserve` is called in the settler's thread at the start and after each segment.
        """
        self._queue.extend(full)
        thread = threading.Thread(
            target=self._work, args=(reserve,), name="settle", daemon=True
        )
        thread.start()
        try:
            yield
        finally:
            with self._changed:
                self._closing = True
                self._changed.notify_all()
            thread.join(_CLOSE_SECONDS)

    def take(self, segment: Path, end: Settled) -> None:
        """Have a segment settled, which ends there; waits while too many are in the queue.

        Raises:
            UnavailableError: the disk refused to settle an earlier one.
        """
        self._tiles.keep_settling(end.tree_size)
        with self._changed:
            while len(self._queue) >= SEGMENTS_WAITING_MAX and self._failure is None:
                self._changed.wait()
            self._check()
            self._queue.append((segment, end))
            self._changed.notify_all()

    def check(self) -> None:
        """Ensure that nothing has failed so far.

        Raises:
            UnavailableError: the disk refused.
        """
        with self._changed:
            self._check()

    def _check(self) -> None:
        if self._failure is not None:
            raise UnavailableError(self._failure.message, hint=self._failure.hint)

    def _work(self, reserve: Callable[[], None]) -> None:
        try:
            _attempt(reserve)
            while (task := self._next()) is not None:
                self._settle(*task)
                with self._changed:
                    self._queue.popleft()
                    self._changed.notify_all()
                    closing = self._closing
                if not closing:
                    _attempt(reserve)
        except SafeconductError as error:
            self._fail(error)
        except BaseException:
            self._fail(UnavailableError("the journal cannot be settled: internal fault"))
            raise

    def _fail(self, failure: SafeconductError) -> None:
        with self._changed:
            self._failure = failure
            self._changed.notify_all()

    def _next(self) -> tuple[Path, Settled] | None:
        """The oldest segment, which stays in the queue; None when there is no more to come."""
        with self._changed:
            while not self._queue and not self._closing:
                self._changed.wait()
            return self._queue[0] if self._queue else None

    def _settle(self, segment: Path, end: Settled) -> None:
        sync_range(self._public, self._settled.tree_size, end.tree_size)
        self._store.settle(end)
        self._settled = end
        self._tiles.settled(end.tree_size)
        durable.remove_file(segment)


def _attempt(reserve: Callable[[], None]) -> None:
    """Reserve if that is possible; where it is not, it is tried again when it is needed."""
    with suppress(UnavailableError):
        reserve()


def sync_range(public: Path, old_size: int, new_size: int) -> None:
    """Put the files that a tree of `new_size` adds to one of `old_size` on the medium.

    Raises:
        UnavailableError: a file is not there, or the disk refused.
    """
    bundles = new_bundles(old_size, new_size)
    files = [(public / bundle_path(index, width), width) for index, width in bundles]
    files += [(public / tile_path(tile), tile.width) for tile in new_tiles(old_size, new_size)]
    folders = set[Path]()
    for path, width in files:
        durable.sync_file(path, mode=_FULL_MODE if width == TILE_WIDTH else _PARTIAL_MODE)
        folders.update(path.parents[: len(path.relative_to(public).parts)])
    for folder in sorted(folders, reverse=True):
        durable.sync_folder(folder)
