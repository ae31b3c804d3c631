"""Fsck: whether the files of a log hold together, without a network and without a change.

    keys            there, and nobody else's to read
    signed.db       what was signed last, and that this log's own key signed it
    journal/        its chain, and that a batch of it ends where the last signature is
    public/tile/    every bundle and tile, recomputed from the entries up to that signature
    public/         the checkpoint is ours and begins the signed tree; nothing else lies there

The tree is read once from left to right and kept nowhere, so memory does not grow with it. A
file is told from its neighbours by the hash that the tile above has of it.

What a crash leaves, the log's next start mends by itself from the journal; such findings are
told, but the log holds.
"""

import os
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass, field
from pathlib import Path

from safeconduct.errors import MalformedError, SafeconductError, UnverifiedError
from safeconduct.parties.log.config import LogFolder, LogKeys, load_config, load_keys
from safeconduct.parties.log.journal import list_segments, read_frames
from safeconduct.parties.log.proven import ProvenTiles, local_tiles
from safeconduct.parties.log.store import (
    NOTHING_SETTLED,
    LockStore,
    Settled,
    Signed,
    open_store,
)
from safeconduct.plumbing import clock, durable
from safeconduct.protocol.tlog.checkpoint import (
    Checkpoint,
    parse_checkpoint,
)
from safeconduct.protocol.tlog.cosignature import verify_log
from safeconduct.protocol.tlog.merkle import HASH_BYTES, Frontier, Tree, leaf_hashes
from safeconduct.protocol.tlog.note import (
    NOTE_BYTES_MAX,
    VerifierKey,
    parse_note,
    signatures_by,
)
from safeconduct.protocol.tlog.tile import (
    BUNDLE_BYTES_MAX,
    ENTRIES,
    TILE_HEIGHT,
    TILE_WIDTH,
    Tile,
    format_bundle,
    parse_bundle,
    parse_tile_path,
    tile_path,
)

FINDINGS_MAX = 1_000
_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH
_ANYBODY_WRITES = _OTHERS_WRITE | stat.S_IWUSR
_QUIET_SECONDS = 1.0
_SPARE = "spare"

REPAIR = "safeconduct log repair --from-mirror URL"
_START = "nothing: the next start of the log mends it"

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What is wrong with one file, by its path in the log's folder, and what to do about it.

    `mends` says that the log's next start does it.
    """

    file: str
    what: str
    do: str
    mends: bool = False


@dataclass(slots=True, kw_only=True)
class Report:
    """What was found in a log's folder; sizes are in entries."""

    folder: Path
    signed_size: int = 0
    settled_size: int = 0
    published_size: int = 0
    findings: list[Finding] = field(default_factory=list)
    more: int = 0

    @property
    def holds(self) -> bool:
        """Whether the log may start, and will serve nothing but what it has signed."""
        return not self.more and all(finding.mends for finding in self.findings)

    def add(self, file: Path, what: str, do: str = REPAIR, *, mends: bool = False) -> None:
        """Note one more finding; beyond `FINDINGS_MAX` they are only counted."""
        if len(self.findings) >= FINDINGS_MAX:
            self.more += 1
            return
        name = file.relative_to(self.folder).as_posix()
        do = _START if mends else do
        self.findings.append(Finding(file=name, what=what, do=do, mends=mends))


class Progress:
    """Says how far a long task is: nothing in the first second, then once a second."""

    def __init__(self, tell: Tell, what: str, total: int) -> None:
        self._tell, self._what, self._total = tell, what, total
        self._told_at = clock.monotonic()

    def at(self, done: int) -> None:
        """So many of all have been done."""
        now = clock.monotonic()
        if now - self._told_at >= _QUIET_SECONDS:
            self._told_at = now
            self._tell(f"{self._what}: {done:,} of {self._total:,} entries")


def check_log(folder: Path, tell: Tell) -> Report:
    """What is wrong in the log's folder, if anything; nothing in it is changed.

    Raises:
        UnavailableError: a process writes this log now.
    """
    paths, report = LogFolder(path=folder), Report(folder=folder)
    with held(paths):
        keys = _check_keys(paths, report)
        signed, settled = _check_store(paths, keys, report)
        if keys is not None and signed is not None:
            published = _check_published(paths, keys, signed, report)
            tail = _read_tail(paths, signed.tree, settled, report)
            walk = Walk(paths, signed.tree, settled, tail, report)
            walk.run(published, Progress(tell, f"{folder.name}: checked", signed.tree.size))
            _check_strays(paths, report)
    return report


def held(paths: LogFolder) -> AbstractContextManager[None]:
    """Keep the log from starting meanwhile; a folder where none has ever run is not touched.

    Raises:
        UnavailableError: it runs.
    """
    return durable.sole_writer(paths.writer) if paths.writer.exists() else nullcontext()


def verify_ours(data: bytes, keys: tuple[VerifierKey, ...]) -> Checkpoint:
    """The checkpoint in a note that this log has signed with any of its keys.

    Raises:
        MalformedError: no note, or no checkpoint.
        UnverifiedError: another log's, not signed by this one, or a bad line by its keys.
    """
    note = parse_note(data)
    checkpoint = parse_checkpoint(note.text)
    signers = [key for key in keys if signatures_by(note, key)]
    if checkpoint.origin != keys[0].name or not signers:
        raise UnverifiedError(f"not signed by {keys[0].name}")
    for key in signers:
        verify_log(note, key)
    return checkpoint


def _check_keys(paths: LogFolder, report: Report) -> LogKeys | None:
    try:
        config, keys = load_config(paths.path), load_keys(paths)
    except SafeconductError as error:
        do = error.hint or "restore log.json and the keys from your backup"
        report.add(paths.path, error.message, do)
        return None
    if {key.name for key in keys.verifiers} != {config.origin}:
        report.add(paths.key, f"is not a key of {config.origin}", "restore the log's own key")
        return None
    return keys


def _check_store(
    paths: LogFolder, keys: LogKeys | None, report: Report
) -> tuple[Signed | None, Settled]:
    if keys is None:
        return None, NOTHING_SETTLED
    try:
        signed, settled = _read_store(paths, keys.first.name)
        tree = verify_ours(signed.checkpoint, keys.verifiers).tree
    except SafeconductError as error:
        report.add(paths.lock_store, _reason(error))
        return None, NOTHING_SETTLED
    report.signed_size, report.settled_size = signed.tree.size, settled.tree_size
    if paths.lock_store.stat().st_mode & _OTHERS_WRITE:
        report.add(paths.lock_store, "others may write to it", f"chmod 600 {paths.lock_store}")
    if tree != signed.tree:
        report.add(paths.lock_store, "the signed note is of another tree than its row")
    if settled.tree_size > signed.tree.size:
        report.add(paths.lock_store, "more entries are settled than signed")
        settled = NOTHING_SETTLED
    return signed, settled


def _read_store(paths: LogFolder, origin: str) -> tuple[Signed, Settled]:
    """From a copy: SQLite writes to whatever it opens."""
    with tempfile.TemporaryDirectory() as scratch:
        for name in (paths.lock_store.name, f"{paths.lock_store.name}-wal"):
            source = paths.path / name
            if source.exists():
                with durable.naming(source):
                    shutil.copyfile(source, Path(scratch, name))
        store: LockStore = open_store(Path(scratch, paths.lock_store.name), origin)
        try:
            return store.signed(), store.settled()
        finally:
            store.close()


def _check_published(
    paths: LogFolder, keys: LogKeys, signed: Signed, report: Report
) -> Tree | None:
    if not paths.checkpoint.exists():
        return None
    try:
        data = durable.read_file(paths.checkpoint, bytes_max=NOTE_BYTES_MAX)
        tree = verify_ours(data, keys.verifiers).tree
    except SafeconductError as error:
        # A start would write another one over it. Yet whoever put it there can do more.
        report.add(paths.checkpoint, error.message, "find out who wrote it; then delete it")
        return None
    report.published_size = tree.size
    if tree.size > signed.tree.size:
        report.add(
            paths.checkpoint,
            f"the public has {tree.size} entries, but only {signed.tree.size} are signed here",
        )
        return None
    return tree


@dataclass(slots=True, kw_only=True)
class Tail:
    """The leaf hashes of the journal's entries, one after the other, from entry `first` on."""

    first: int
    hashes: bytearray = field(default_factory=bytearray)

    def get(self, start: int, end: int) -> list[bytes] | None:
        """Those of the entries [start, end), if all of them are there."""
        place, stop = (start - self.first) * HASH_BYTES, (end - self.first) * HASH_BYTES
        if place < 0 or stop > len(self.hashes):
            return None
        return [
            bytes(self.hashes[at : at + HASH_BYTES]) for at in range(place, stop, HASH_BYTES)
        ]


def _read_tail(paths: LogFolder, signed: Tree, settled: Settled, report: Report) -> Tail:
    tail, boundaries = Tail(first=settled.tree_size), {settled.tree_size}
    end = settled.tree_size
    try:
        for frame in read_frames(paths.journal, settled):
            tail.hashes += b"".join(leaf_hashes(frame.entries))
            end = frame.place.tree_size
            boundaries &= {signed.size}
            boundaries.add(end)
    except SafeconductError as error:
        report.add(paths.journal, error.message)
        return tail
    if end < signed.size:
        report.add(paths.journal, f"good for {end} entries, but {signed.size} were signed")
    elif signed.size not in boundaries:
        report.add(paths.journal, f"no batch of it ends at the {signed.size} entries signed")
    elif end > signed.size:
        ahead = end - signed.size
        report.add(paths.journal, f"{ahead} entries are not signed yet", mends=True)
    return tail


class Walk:
    """The whole tree from left to right, and its files compared with what they should be."""

    def __init__(
        self, paths: LogFolder, signed: Tree, settled: Settled, tail: Tail, report: Report
    ) -> None:
        self._public, self._signed, self._report = paths.public, signed, report
        self._fetch = local_tiles(paths.public)
        self._settled_size, self._tail = settled.tree_size, tail
        self._frontier, self._rows = Frontier.empty(), dict[int, list[bytes]]()
        self._proven: ProvenTiles | None = None
        # Where that fails, the file at fault is found by what the entries lead to.
        with suppress(SafeconductError):
            self._proven = ProvenTiles(signed, self._fetch)

    def run(self, published: Tree | None, progress: Progress) -> None:
        """Check every bundle and tile of the signed tree, and whether it begins `published`."""
        marked = -1 if published is None else published.size
        begins = published is None or published == self._frontier.tree()
        for index in range(-(-self._signed.size // TILE_WIDTH)):
            leaves = self._check_bundle(index)
            before = self._frontier
            if before.size < marked <= before.size + len(leaves):
                part, _ = before.grow(leaves[: marked - before.size])
                begins = part.tree() == published
            self._frontier, rows = before.grow(leaves)
            for level, row in enumerate(rows[::TILE_HEIGHT]):
                self._take(level, row)
            progress.at(self._frontier.size)
        for level, row in self._rows.items():
            self._check_tiles(level, row)
        if self._frontier.tree() != self._signed:
            self._add(self._public, "its entries do not lead to the root hash signed last")
        elif not begins:
            self._add(self._public / "checkpoint", "is no beginning of the tree signed last")

    def _check_bundle(self, index: int) -> list[bytes]:
        """The leaf hashes of a bundle: as they should be where that is known."""
        start = index * TILE_WIDTH
        end = min(start + TILE_WIDTH, self._signed.size)
        tile = Tile(level=ENTRIES, index=index, width=end - start)
        mends = end > self._settled_size
        known = self._known(index, start, end)
        try:
            entries = parse_bundle(self._fetch(tile), tile.width)
            leaves = leaf_hashes(entries)
        except SafeconductError as error:
            self._add(self._path(tile), _reason(error), mends=mends and known is not None)
            return known or [bytes(HASH_BYTES)] * tile.width
        if known is not None and known != leaves:
            self._add(self._path(tile), "its entries are not those signed", mends=mends)
            return known
        self._check_mode(tile, end)
        self._check_narrower(tile, entries)
        return leaves

    def _known(self, index: int, start: int, end: int) -> list[bytes] | None:
        """The leaf hashes of a bundle by other files: the journal, or proven tiles."""
        middle = min(max(start, self._settled_size), end)
        try:
            if middle == end:
                return None if self._proven is None else self._proven.row(0, index)
            narrow = Tile(level=ENTRIES, index=index, width=middle - start)
            head = parse_bundle(self._fetch(narrow), narrow.width) if narrow.width else []
        except SafeconductError:
            return None
        rest = self._tail.get(middle, end)
        return None if rest is None else [*leaf_hashes(head), *rest]

    def _take(self, level: int, row: list[bytes]) -> None:
        waiting = self._rows.setdefault(level, [])
        waiting.extend(row)
        if len(waiting) >= TILE_WIDTH:
            self._check_tiles(level, waiting)

    def _check_tiles(self, level: int, row: list[bytes]) -> None:
        """The tile whose hashes are the first of `row`, which are taken from it."""
        count = self._frontier.size >> TILE_HEIGHT * level
        hashes, row[:] = row[:TILE_WIDTH], row[TILE_WIDTH:]
        if not hashes:
            return
        index = (count - len(row) - 1) // TILE_WIDTH
        tile = Tile(level=level, index=index, width=len(hashes))
        end = (index * TILE_WIDTH + len(hashes)) << TILE_HEIGHT * level
        try:
            holds = self._fetch(tile) == b"".join(hashes) or self._is_proven(tile)
            reason = "its hashes are not those of the entries"
        except SafeconductError as error:
            holds, reason = False, _reason(error)
        if holds:
            self._check_mode(tile, end)
            self._check_narrower(tile, hashes)
        else:
            self._add(self._path(tile), reason, mends=end > self._settled_size)

    def _is_proven(self, tile: Tile) -> bool:
        """Whether it is right although the entries below it are not."""
        try:
            return self._proven is not None and bool(self._proven.row(tile.level, tile.index))
        except SafeconductError:
            return False

    def _check_narrower(self, tile: Tile, row: list[bytes]) -> None:
        """The partial tiles that are still there for readers of older checkpoints."""
        folder = self._path(Tile(level=tile.level, index=tile.index, width=1)).parent
        for path in sorted(folder.iterdir()) if folder.is_dir() else ():
            width = int(path.name) if path.name.isdecimal() else 0
            if not 0 < width < tile.width:
                continue  # the tile itself, or a stray
            part = row[:width]
            data = format_bundle(part) if tile.level == ENTRIES else b"".join(part)
            if not _holds(path, data):
                self._add(path, "is no beginning of the wider one", f"rm {path}")

    def _check_mode(self, tile: Tile, end: int) -> None:
        path = self._path(tile)
        if not path.exists():
            return  # cut from a wider one
        mode = path.stat().st_mode
        full = tile.width == TILE_WIDTH and end <= self._settled_size
        if mode & (_ANYBODY_WRITES if full else _OTHERS_WRITE):
            right = "444" if full else "644"
            self._add(path, "may be written to, but never changes", f"chmod {right} {path}")

    def _path(self, tile: Tile) -> Path:
        return self._public / tile_path(tile)

    def _add(self, path: Path, what: str, do: str = REPAIR, *, mends: bool = False) -> None:
        self._report.add(path, what, do, mends=mends)


def _check_strays(paths: LogFolder, report: Report) -> None:
    """Files that belong to no tree of this log, or to a larger one."""
    for path in _walk(paths.public):
        name = path.relative_to(paths.public).as_posix()
        if path.is_symlink() or not (path == paths.checkpoint or _is_within(name, report)):
            report.add(path, "does not belong here", "look at it, then delete it")
    for path in sorted(paths.journal.iterdir()) if paths.journal.is_dir() else ():
        if path.name != _SPARE and path not in list_segments(paths.journal):
            report.add(path, "does not belong here", "look at it, then delete it")


def _is_within(name: str, report: Report) -> bool:
    """Whether a tile of the signed tree is called so."""
    try:
        tile = parse_tile_path(name)
    except MalformedError:
        return False
    height = TILE_HEIGHT * max(tile.level, 0)
    return (tile.index * TILE_WIDTH + tile.width) << height <= report.signed_size


def _walk(folder: Path) -> Iterator[Path]:
    for parent, folders, files in os.walk(folder):
        folders.sort()
        for name in sorted(files):
            yield Path(parent, name)


def _reason(error: SafeconductError) -> str:
    """What is wrong with a file, without its path, which stands before it."""
    return error.message.rpartition(": ")[2]


def _holds(path: Path, data: bytes) -> bool:
    try:
        return durable.read_file(path, bytes_max=BUNDLE_BYTES_MAX) == data
    except SafeconductError:
        return False
