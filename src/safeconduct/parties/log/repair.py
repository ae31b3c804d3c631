"""Repair: take up from a mirror what this log has signed in public and does not have any more.

For a log that was restored from a backup, lost its disk, or whose files are damaged. The mirror
is believed in nothing: its checkpoint must bear this log's own signature, every file must lead
to that root hash, and what was signed here last must begin, or end, the mirror's tree.

    1. compare: two signed trees of which neither begins the other are a fork: refuse, keep it
    2. public/tile/   place each missing or damaged file, once its bytes lead to the root
    3. public/tile/   sync them all
    4. signed.db      forward to the mirror's tree, by comparison
    5. journal/       leave it if it leads to that tree; else set it aside
    6. signed.db      all of the mirror's tree is settled in its tiles

After a crash between any two the log refuses to start, or is as it was, and the same command
goes on. A mirror that is behind what was signed here mends the files of its own range only.
"""

from collections.abc import Iterator, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from safeconduct.errors import (
    ConflictError,
    MalformedError,
    RefusedError,
    SafeconductError,
    UnavailableError,
    UnverifiedError,
)
from safeconduct.parties.log.config import LogFolder, LogKeys, load_config, load_keys
from safeconduct.parties.log.fsck import Progress, Tell, verify_ours
from safeconduct.parties.log.journal import Frame, list_segments, read_frames
from safeconduct.parties.log.proven import ProvenTiles, local_tiles
from safeconduct.parties.log.settle import sync_range
from safeconduct.parties.log.store import (
    FIRST_CHAIN,
    NOTHING_SETTLED,
    Published,
    Settled,
    Signed,
    create_store,
    open_store,
)
from safeconduct.parties.log.tiles import forget_tiles
from safeconduct.plumbing import clock, durable
from safeconduct.plumbing.remote import RemoteLog
from safeconduct.protocol.tlog.checkpoint import (
    Checkpoint,
    format_checkpoint,
)
from safeconduct.protocol.tlog.fork import find_fork, fork_hashes, format_fork
from safeconduct.protocol.tlog.merkle import (
    EMPTY_ROOT,
    ReadHashes,
    Tree,
    consistency_proof,
    leaf_hashes,
    verify_consistency,
)
from safeconduct.protocol.tlog.note import (
    NOTE_BYTES_MAX,
    Note,
    SigningKey,
    VerifierKey,
    format_note,
    parse_note,
    sign_note,
    signatures_by,
)
from safeconduct.protocol.tlog.policy import Policy, open_checkpoint
from safeconduct.protocol.tlog.tile import (
    BUNDLE_BYTES_MAX,
    ENTRIES,
    TILE_HEIGHT,
    TILE_WIDTH,
    Tile,
    format_bundle,
    parse_bundle,
    tile_path,
)

_NOTHING_SIGNED = Signed(
    tree=Tree(size=0, root_hash=EMPTY_ROOT), checkpoint=b"", signed_at_ms=0
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Repaired:
    """What a repair did; sizes are in entries.

    `lost` entries are in no tree: they were in a journal that does not lead to the mirror's
    tree, which now lies at `set_aside`. `missing` entries were signed here and are beyond the
    mirror's tree, so nothing was done about them.
    """

    mirror_size: int
    signed_before: int
    files: int
    lost: int = 0
    set_aside: Path | None = None
    missing: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Source:
    """The mirror, and the tree of ours that it holds."""

    remote: RemoteLog
    note: bytes
    tree: Tree
    tiles: ProvenTiles


def repair_log(folder: Path, url: str, tell: Tell, *, policy: Policy | None = None) -> Repaired:
    """Bring the log in `folder` to where the mirror at `url` has it.

    With a `policy`, the mirror's checkpoint must carry its quorum, and is published again.

    Raises:
        ConflictError: what was signed here contradicts the mirror's tree; a fork proof is kept.
        UnverifiedError: the mirror shows what this log has not signed, or wrong files.
        RefusedError: the mirror has less than a lost lock store must have said.
        UnavailableError: the mirror or the disk is away, or the log runs.
    """
    paths = LogFolder(path=folder)
    config, keys = load_config(folder), load_keys(paths)
    # The file is made if it is lost too: nobody may start the log in between.
    with durable.sole_writer(paths.writer):
        source = _open_source(url, keys.verifiers)
        if policy is not None:
            open_checkpoint(source.note, policy, config.origin)
            source = replace(source, note=_known(source.note, keys, policy))
        signed, settled = _read_store(paths, config.origin)
        published = _read_published(paths, keys.verifiers)
        _check_enough(signed, settled, published, source)
        _check_joined(paths, keys.verifiers, signed, published, source)
        placed = _mend_files(paths, signed.tree, source, tell)
        lost, set_aside = 0, None
        if signed.tree.size > source.tree.size:
            _sync(placed)
        else:
            sync_range(paths.public, 0, source.tree.size)
            lost, set_aside = _move_on(paths, keys.first, signed, settled, source, tell)
            if policy is not None:
                _publish(paths, config.origin, published, source)
    known = [signed.tree.size, published.tree.size if published is not None else 0]
    return Repaired(
        mirror_size=source.tree.size,
        signed_before=signed.tree.size,
        files=len(placed),
        lost=lost,
        set_aside=set_aside,
        missing=max(0, max(known) - source.tree.size),
    )


def _open_source(url: str, keys: tuple[VerifierKey, ...]) -> _Source:
    remote = RemoteLog(url)
    note = remote.checkpoint()
    try:
        tree = verify_ours(note, keys).tree
        return _Source(
            remote=remote, note=note, tree=tree, tiles=ProvenTiles(tree, remote.tile)
        )
    except (MalformedError, UnverifiedError) as error:
        raise UnverifiedError(
            f"{url}: {error.message}", hint="nothing was changed; try another mirror"
        ) from error


def _known(data: bytes, keys: LogKeys, policy: Policy) -> bytes:
    """A note with the lines only of keys that were verified, the log's Ed25519 line among them.

    What else a mirror has written there would be published under this log's name, and a line
    by a witness of somebody else's policy would spoil the checkpoint for those people. What it
    has left out of ours would be missed by those who know that key alone.
    """
    note = parse_note(data)
    others = [*keys.verifiers[1:], *(witness.key for witness in policy.witnesses)]
    lines = (line for key in others for line in signatures_by(note, key)[:1])
    return format_note(replace(note, signatures=(sign_note(note.text, keys.first), *lines)))


def _read_store(paths: LogFolder, origin: str) -> tuple[Signed, Settled]:
    """What was signed last, or nothing if the lock store is gone, and what is settled."""
    if not paths.lock_store.exists():
        return _NOTHING_SIGNED, _later_place(paths.journal, NOTHING_SETTLED)
    try:
        with closing(open_store(paths.lock_store, origin)) as store:
            signed, settled = store.signed(), store.settled()
    except UnavailableError as error:
        name = paths.lock_store
        raise UnavailableError(
            error.message, hint=f"if it is damaged: mv {name} {name}.damaged; then again"
        ) from error
    return signed, _later_place(paths.journal, settled)


def _later_place(journal: Path, settled: Settled) -> Settled:
    """Where the journal begins, if the lock store is too old to know it; else `settled`."""
    with suppress(SafeconductError):
        for segment in list_segments(journal)[:1]:
            with durable.naming(segment), segment.open("rb") as file:
                chain = file.read(len(FIRST_CHAIN))
            if int(segment.name) > settled.tree_size and len(chain) == len(FIRST_CHAIN):
                return Settled(tree_size=int(segment.name), chain=chain)
    return settled


def _check_enough(
    signed: Signed, settled: Settled, published: Published | None, source: _Source
) -> None:
    """Ensure that a lock store that is gone or old moves no less far than the log had come.

    Else a mirror that holds back the newest would have a journal set aside that has it.
    """
    known = max(settled.tree_size, published.tree.size if published is not None else 0)
    if known > max(signed.tree.size, source.tree.size):
        lost = "behind" if signed.checkpoint else "gone"
        raise RefusedError(
            f"the lock store is {lost}, and this log had signed {known} entries or more: "
            f"the mirror has {source.tree.size} of them",
            hint="nothing was changed; find a mirror that has them all",
        )


def _check_joined(
    paths: LogFolder,
    keys: tuple[VerifierKey, ...],
    signed: Signed,
    published: Published | None,
    source: _Source,
) -> None:
    """Ensure that what this folder says was signed, and the mirror's tree, are one history."""
    if signed.tree.size > source.tree.size:
        _check_behind(paths, keys, signed, source)
    elif signed.checkpoint:
        _check_pair(paths, keys, signed.checkpoint, source, source.tiles.hashes())
    if published is not None and published.tree.size <= source.tree.size:
        _check_pair(paths, keys, published.checkpoint, source, source.tiles.hashes())


def _check_behind(
    paths: LogFolder, keys: tuple[VerifierKey, ...], signed: Signed, source: _Source
) -> None:
    """The same for a mirror with a smaller tree than ours, whose files may be damaged."""
    try:
        read = ProvenTiles(signed.tree, local_tiles(paths.public)).hashes()
        consistency_proof(source.tree.size, signed.tree.size, read)
    except SafeconductError as error:
        _check_grown(paths, signed.tree, source, error)
    else:
        _check_pair(paths, keys, signed.checkpoint, source, read)


def _check_grown(
    paths: LogFolder, signed: Tree, source: _Source, reason: SafeconductError
) -> None:
    """Ensure that the mirror's tree grows into ours by the entries that follow it here."""
    grown = source.tiles.edge()
    with suppress(SafeconductError):  # judged by where it ends
        for leaves in _local_leaves(paths.public, grown.size, signed.size):
            grown, _ = grown.grow(leaves)
    if grown.tree() != signed:
        raise UnverifiedError(
            f"the mirror has {source.tree.size} of the {signed.size} entries that were signed, "
            f"and what follows them here is damaged too: {reason.message}",
            hint="nothing was changed; find a mirror that has them all",
        ) from reason


def _check_pair(
    paths: LogFolder,
    keys: tuple[VerifierKey, ...],
    note: bytes,
    source: _Source,
    read: ReadHashes,
) -> None:
    old, new = sorted((verify_ours(note, keys).tree, source.tree), key=lambda tree: tree.size)
    try:
        verify_consistency(old, new, consistency_proof(old.size, new.size, read))
    except UnverifiedError as error:
        hashes = fork_hashes(old.size, new.size, read)
        fork = find_fork(note, source.note, hashes, keys)
        if fork is None:
            raise
        path = paths.path / f"{old.size}-{new.size}.fork"
        durable.write_file(path, format_fork(fork))
        raise ConflictError(
            f"this log has signed {old.size} and {new.size} entries of two histories, "
            f"as {path} proves to anyone",
            evidence=(note, source.note),
            hint="it must never sign again: tell its users, and found a new log",
        ) from error


def _mend_files(
    paths: LogFolder, signed: Tree, source: _Source, tell: Tell
) -> dict[Path, Tile]:
    """Place every missing or damaged file in the mirror's range, and return which."""
    placed, target_size = dict[Path, Tile](), max(signed.size, source.tree.size)
    progress = Progress(tell, f"{paths.path.name}: compared", source.tree.size)
    for tile in _files(target_size, source.tree.size):
        path = paths.public / tile_path(tile)
        row = source.tiles.row(max(tile.level, 0), tile.index)[: tile.width]
        if tile.level == ENTRIES:
            data = _wanted_bundle(path, tile, row, source)
            progress.at(tile.index * TILE_WIDTH)
        else:
            data = None if _read(path) == b"".join(row) else b"".join(row)
        if data is not None:
            durable.place_file(path, data, scratch=paths.scratch)
            placed[path] = tile
    forget_tiles()
    return placed


def _sync(placed: Mapping[Path, Tile]) -> None:
    for path, tile in placed.items():
        durable.sync_file(path, mode=0o444 if tile.width == TILE_WIDTH else 0o644)
    for folder in {path.parent for path in placed}:
        durable.sync_folder(folder)


def _files(target_size: int, source_size: int) -> Iterator[Tile]:
    """The files of a tree of `target_size` that hold nothing beyond `source_size` entries."""
    level = ENTRIES
    while (count := target_size >> _height(level)) > 0:
        for index in range(-(-count // TILE_WIDTH)):
            width = min(TILE_WIDTH, count - index * TILE_WIDTH)
            if (index * TILE_WIDTH + width) << _height(level) > source_size:
                break
            yield Tile(level=level, index=index, width=width)
        level += 1


def _wanted_bundle(path: Path, tile: Tile, row: list[bytes], source: _Source) -> bytes | None:
    """The bundle whose leaf hashes are `row`; None if that is what is there."""
    with suppress(MalformedError):
        if leaf_hashes(parse_bundle(_read(path), tile.width)) == row:
            return None
    entries = source.remote.bundle(tile.index, tile.width)
    if leaf_hashes(entries) != row:
        raise UnverifiedError(
            f"{source.remote.url}: {tile_path(tile)} does not lead to the signed root",
            hint="try another mirror; what was placed so far is right and stays",
        )
    return format_bundle(entries)


def _move_on(
    paths: LogFolder,
    key: SigningKey,
    signed: Signed,
    settled: Settled,
    source: _Source,
    tell: Tell,
) -> tuple[int, Path | None]:
    """Steps 4 to 6; returns how many entries are lost, and where their journal is now."""
    joins, lost = _read_journal(paths, settled, source)
    if lost:  # said before it is done: afterwards this may have no voice any more
        tell(f"{lost:,} entries of the journal are in no tree of the mirror's: set aside")
    _sign(paths, key, signed, source.tree)
    set_aside = None
    if not joins:
        set_aside = _set_aside(paths.journal)
        settled = Settled(tree_size=source.tree.size, chain=FIRST_CHAIN)
    with closing(open_store(paths.lock_store, key.name)) as store:
        store.settle(settled)
    return lost, set_aside


def _read_journal(paths: LogFolder, settled: Settled, source: _Source) -> tuple[bool, int]:
    """Whether the journal leads to the mirror's tree; if not, how many entries only it has."""
    end, size, lost = settled.tree_size, source.tree.size, 0
    joins = end == size
    for frame in _frames(paths.journal, settled):
        if frame is None:
            return False, lost
        for index, leaf in enumerate(leaf_hashes(frame.entries), frame.first):
            lost += _is_elsewhere(index, leaf, source)
        end = frame.place.tree_size
        joins = joins or (end == size and not lost)
    return joins, 0 if joins else lost


def _frames(journal: Path, settled: Settled) -> Iterator[Frame | None]:
    """The frames, and None at last if a segment is missing or none, so that no log starts."""
    try:
        yield from read_frames(journal, settled)
    except (UnavailableError, MalformedError):
        yield None


def _is_elsewhere(index: int, leaf: bytes, source: _Source) -> bool:
    """Whether the mirror's tree does not have this leaf in this place."""
    if index >= source.tree.size:
        return True
    return source.tiles.row(0, index // TILE_WIDTH)[index % TILE_WIDTH] != leaf


def _sign(paths: LogFolder, key: SigningKey, signed: Signed, tree: Tree) -> None:
    """Move the lock store forward to a tree that this log has signed before."""
    text = format_checkpoint(Checkpoint(origin=key.name, tree=tree))
    note = format_note(Note(text=text, signatures=(sign_note(text, key),)))
    at_ms = max(signed.signed_at_ms, clock.milliseconds())
    if not paths.lock_store.exists():
        create_store(paths.lock_store, key.name, tree, note, at_ms)
    elif tree != signed.tree:
        with closing(open_store(paths.lock_store, key.name)) as store:
            store.swap(signed.tree, tree, note, at_ms)


def _set_aside(journal: Path) -> Path | None:
    """Make the journal's folder empty; what was in it is kept beside it, if anything was."""
    kept = None
    if journal.exists() and (journal.is_file() or list_segments(journal)):
        kept = journal.with_name(f"{journal.name}-set-aside-{clock.seconds()}")
        durable.rename_durably(journal, kept)
    durable.make_folder(journal)
    return kept


def _publish(
    paths: LogFolder, origin: str, published: Published | None, source: _Source
) -> None:
    """Show the mirror's cosigned checkpoint again, unless a newer one is shown."""
    new = Published(tree=source.tree, checkpoint=source.note)
    with closing(open_store(paths.lock_store, origin)) as store:
        store.keep_published(new)
    if published is None or published.tree.size < new.tree.size:
        durable.make_folder(paths.public)
        durable.write_file(paths.checkpoint, source.note)


def _read_published(paths: LogFolder, keys: tuple[VerifierKey, ...]) -> Published | None:
    """The public checkpoint, if it is ours."""
    with suppress(SafeconductError):
        data = durable.read_file(paths.checkpoint, bytes_max=NOTE_BYTES_MAX)
        return Published(tree=verify_ours(data, keys).tree, checkpoint=data)
    return None


def _local_leaves(public: Path, start: int, end: int) -> Iterator[list[bytes]]:
    """The leaf hashes of the entries [start, end), as this folder has them."""
    read = local_tiles(public)
    for index in range(start // TILE_WIDTH, -(-end // TILE_WIDTH)):
        width = min(TILE_WIDTH, end - index * TILE_WIDTH)
        data = read(Tile(level=ENTRIES, index=index, width=width))
        entries = parse_bundle(data, width)
        yield leaf_hashes(entries[max(0, start - index * TILE_WIDTH) :])


def _read(path: Path) -> bytes:
    """A file's bytes; none where it cannot be read."""
    with suppress(SafeconductError):
        return durable.read_file(path, bytes_max=BUNDLE_BYTES_MAX)
    return b""


def _height(level: int) -> int:
    return TILE_HEIGHT * max(level, 0)
