"""Recover: from tiles and journal, all that a writer needs; run at every start, crash or not.

What is settled is read from its right edge alone, what came since from the journal, so a start
takes as long as the journal and the window of recent entries, however large the log is.

The journal may run ahead of what was signed, by the batch that a crash interrupted: it is kept
and signed next. It may never be behind: then entries that were signed are gone.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from safeconduct.errors import MalformedError, UnavailableError, UnverifiedError
from safeconduct.parties.log.admission import Admit, admit_hash
from safeconduct.parties.log.config import LogFolder
from safeconduct.parties.log.journal import LOST_HINT, Frame, list_segments, read_frames
from safeconduct.parties.log.prove import leaf_reader
from safeconduct.parties.log.recent import RECENT_ENTRIES, RUN_ENTRIES_MAX, Recent
from safeconduct.parties.log.store import Published, Settled
from safeconduct.parties.log.tiles import (
    TileWriter,
    read_edge,
    read_tile,
    tile_reader,
    verify_edge,
)
from safeconduct.plumbing import durable
from safeconduct.protocol.tlog.checkpoint import parse_checkpoint
from safeconduct.protocol.tlog.merkle import Frontier, Tree, leaf_hashes, root
from safeconduct.protocol.tlog.note import (
    NOTE_BYTES_MAX,
    VerifierKey,
    parse_note,
    verify_note,
)
from safeconduct.protocol.tlog.tile import (
    ENTRIES,
    TILE_WIDTH,
    Tile,
    bundles_of,
    parse_bundle,
)

_CHUNK_TILES = RUN_ENTRIES_MAX // TILE_WIDTH


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovered:
    """The state of a log as its files tell it; `full` are the segments still to be settled."""

    frontier: Frontier
    place: Settled
    last_frame: Frame | None
    full: list[tuple[Path, Settled]]
    recent: Recent
    published: Published | None


def recover(
    paths: LogFolder,
    key: VerifierKey,
    signed: Tree,
    settled: Settled,
    admit: Admit,
    tiles: TileWriter,
) -> Recovered:
    """The state of the log, after checking it against `signed` and mending its tiles.

    Raises:
        UnavailableError: tiles and journal do not hold what was signed, or the disk is at
            fault.
    """
    durable.remove_temporaries(paths.public, below=False)
    durable.remove_file(paths.scratch)
    edge = read_edge(paths.public, settled.tree_size)
    _check_journal(paths, edge, settled, signed)
    if admit is not admit_hash:  # which remembers nothing
        _feed(paths.public, edge, admit)
    tiles.resume(settled.tree_size)
    frontier, last, full = _replay(paths, edge, settled, admit, tiles)
    verify_edge(paths.public, frontier.tree())
    _remove_leftovers(paths, settled, last, full, tiles)
    return Recovered(
        frontier=frontier,
        place=last.place if last is not None else settled,
        last_frame=last,
        full=full,
        recent=_read_recent(paths.public, frontier.size),
        published=_read_published(paths, key, frontier.size),
    )


def _check_journal(paths: LogFolder, edge: Frontier, settled: Settled, signed: Tree) -> None:
    """Only reads: nothing is mended on the word of a journal that does not hold."""
    frontier, found = edge, edge.tree() == signed
    for frame in read_frames(paths.journal, settled):
        frontier, _ = frontier.grow(leaf_hashes(frame.entries))
        found = found or frontier.tree() == signed
    if frontier.size < signed.size:
        raise UnavailableError(
            f"{paths.journal}: good for {frontier.size} entries, but {signed.size} were signed",
            hint=LOST_HINT,
        )
    if not found:
        raise UnavailableError(
            f"{paths.path}: its tiles and its journal are not the {signed.size} entries"
            " that were signed",
            hint=LOST_HINT,
        )


def _feed(public: Path, edge: Frontier, admit: Admit) -> None:
    """Tell a gate with a memory all settled entries, once they are known to be the right ones.

    Raises:
        UnavailableError: a bundle is missing, or is not what the tiles say.
    """
    frontier = Frontier.empty()
    for entries in _bundles(public, edge.size):
        frontier, _ = frontier.grow(leaf_hashes(entries))
    if frontier != edge:
        raise UnavailableError(f"{public}: its bundles are not its tiles'", hint=LOST_HINT)
    for entries in _bundles(public, edge.size):
        for entry in entries:
            admit(entry)


def _bundles(public: Path, tree_size: int) -> Iterator[list[bytes]]:
    for index, width in bundles_of(tree_size):
        tile = Tile(level=ENTRIES, index=index, width=width)
        try:
            entries = parse_bundle(read_tile(public, tile), width)
        except MalformedError as error:
            raise UnavailableError(f"{public}: {error.message}", hint=LOST_HINT) from error
        yield entries


def _replay(
    paths: LogFolder, edge: Frontier, settled: Settled, admit: Admit, tiles: TileWriter
) -> tuple[Frontier, Frame | None, list[tuple[Path, Settled]]]:
    """Take up the journal's entries and mend the tiles that a crash left out."""
    frontier, last, full = edge, None, list[tuple[Path, Settled]]()
    tiles.mending = True
    for frame in read_frames(paths.journal, settled):
        if last is not None and last.segment != frame.segment:
            tiles.keep_settling(last.place.tree_size)
            full.append((last.segment, last.place))
        for entry in frame.entries:
            admit(entry)
        frontier, rows = frontier.grow(leaf_hashes(frame.entries))
        tiles.extend(frame.framed, rows)
        last = frame
    tiles.mending = False
    return frontier, last, full


def _remove_leftovers(
    paths: LogFolder,
    settled: Settled,
    last: Frame | None,
    full: list[tuple[Path, Settled]],
    tiles: TileWriter,
) -> None:
    """Finish what a crash interrupted: segments that are settled, and what only they needed."""
    needed = {segment for segment, _ in full} | ({last.segment} if last is not None else set())
    leftovers = [path for path in list_segments(paths.journal) if path not in needed]
    for segment in leftovers:
        tiles.keep_settling(min(int(segment.name), settled.tree_size))
    tiles.settled(settled.tree_size)
    for segment in leftovers:
        durable.remove_file(segment)


def _read_recent(public: Path, tree_size: int) -> Recent:
    """The window of recent entries, out of the tiles of their leaf hashes."""
    start = max(0, tree_size - RECENT_ENTRIES) // TILE_WIDTH
    recent = Recent(leaf_reader(public), first=start * TILE_WIDTH)
    row = [Tile(level=0, index=i, width=w) for i, w in bundles_of(tree_size)[start:]]
    for at in range(0, len(row), _CHUNK_TILES):
        chunk = row[at : at + _CHUNK_TILES]
        recent.load(b"".join(read_tile(public, tile) for tile in chunk))
    return recent


def _read_published(paths: LogFolder, key: VerifierKey, size: int) -> Published | None:
    """The public checkpoint, if there is a usable one; it is made anew otherwise."""
    if not paths.checkpoint.exists():
        return None
    try:
        data = durable.read_file(paths.checkpoint, bytes_max=NOTE_BYTES_MAX)
        note = parse_note(data)
        verify_note(note, key)
        tree = parse_checkpoint(note.text).tree
    except (MalformedError, UnverifiedError):
        return None
    if tree.size > size or tree.root_hash != root(tree.size, tile_reader(paths.public, size)):
        raise UnavailableError(
            f"{paths.checkpoint}: the public has a tree that this folder does not hold",
            hint=LOST_HINT,
        )
    return Published(tree=tree, checkpoint=data)
