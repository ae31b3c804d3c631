"""Recover: from the journal, everything a writer needs; run at every start, crash or not.

The journal may run ahead of what was signed, by the batch that a crash interrupted: it is kept
and signed next. It may never be behind: then entries that were signed are gone.
"""

from dataclasses import dataclass

from safeconduct.errors import MalformedError, UnavailableError, UnverifiedError
from safeconduct.parties.log.admission import Admit
from safeconduct.parties.log.config import LogFolder
from safeconduct.parties.log.journal import Frame, read_frames
from safeconduct.parties.log.store import Published
from safeconduct.parties.log.tiles import TileWriter, tile_reader
from safeconduct.plumbing import durable
from safeconduct.protocol.tlog.checkpoint import CHECKPOINT_BYTES_MAX, parse_checkpoint
from safeconduct.protocol.tlog.merkle import Frontier, Tree, leaf_hash, root
from safeconduct.protocol.tlog.note import VerifierKey, parse_note, verify_note

_START_NO_OTHER = "put the newest journal back; if it is lost, retire this log for good"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovered:
    """The state of a log as its files tell it; `indexes` is keyed by leaf hash."""

    signed: Tree
    frontier: Frontier
    indexes: dict[bytes, int]
    last_frame: Frame | None
    published: Published | None


def recover(
    paths: LogFolder, key: VerifierKey, signed: Tree, admit: Admit, tiles: TileWriter
) -> Recovered:
    """The state of the log, after checking it against `signed` and mending its tiles.

    Raises:
        UnavailableError: the journal does not hold what was signed, or the disk is at fault.
    """
    durable.remove_temporaries(paths.public)
    _check_journal(paths, signed)
    frontier, indexes, last = Frontier.empty(), dict[bytes, int](), None
    for frame in read_frames(paths.journal):
        leaf_hashes = [leaf_hash(entry) for entry in frame.entries]
        for entry in frame.entries:
            admit(entry)
        for index, leaf in enumerate(leaf_hashes, frontier.size):
            indexes.setdefault(leaf, index)
        frontier, filled = frontier.extend(leaf_hashes)
        tiles.extend(frame.entries, filled)
        last = frame
    tiles.write_edge()
    return Recovered(
        signed=signed,
        frontier=frontier,
        indexes=indexes,
        last_frame=last,
        published=_read_published(paths, key, frontier.size),
    )


def _check_journal(paths: LogFolder, signed: Tree) -> None:
    """Only reads: nothing is mended on the word of a journal that does not hold."""
    frontier = Frontier.empty()
    found = frontier.tree() == signed
    for frame in read_frames(paths.journal):
        frontier, _ = frontier.extend([leaf_hash(entry) for entry in frame.entries])
        found = found or frontier.tree() == signed
    if frontier.size < signed.size:
        raise UnavailableError(
            f"{paths.journal}: good for {frontier.size} entries, but {signed.size} were signed",
            hint=_START_NO_OTHER,
        )
    if not found:
        raise UnavailableError(
            f"{paths.journal}: its entries are not those that were signed", hint=_START_NO_OTHER
        )


def _read_published(paths: LogFolder, key: VerifierKey, size: int) -> Published | None:
    """The public checkpoint, if there is a usable one; it is made anew otherwise."""
    if not paths.checkpoint.exists():
        return None
    try:
        data = durable.read_file(paths.checkpoint, bytes_max=CHECKPOINT_BYTES_MAX)
        note = parse_note(data)
        verify_note(note, key)
        tree = parse_checkpoint(note.text).tree
    except (MalformedError, UnverifiedError):
        return None
    if tree.size > size or tree.root_hash != root(tree.size, tile_reader(paths.public, size)):
        raise UnavailableError(
            f"{paths.checkpoint}: the public has a tree that this folder does not hold",
            hint=_START_NO_OTHER,
        )
    return Published(tree=tree, checkpoint=data)
