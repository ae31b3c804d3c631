"""Copy one log: never believe it, never go back, and never show what could still be lost.

The order of one step; whatever breaks off in between is done again by the next:

    1. the log's checkpoint, its signature and its quorum            nothing is written
    2. every bundle up to it, hashed onto our own right edge         bundles and tiles, synced
                                                                     index: how far it has come
    3. the root so reached is the signed one                         else: back to the last tree
    4. the checkpoint is kept, in one transaction                    the copy has moved
    5. the checkpoint is published, with our own cosignatures        readers see it

A consistency proof is never asked for: the new root is computed from the entries we hold and
the new ones, which is the same thing and more. Only where that fails is the log asked for
hashes, to prove that it forked. Memory: one bundle, the open rows, and one batch of hashes.
"""

import shutil
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TypeVar

from safeconduct.errors import (
    ConflictError,
    MalformedError,
    RefusedError,
    UnavailableError,
    UnverifiedError,
)
from safeconduct.parties.mirror.evidence import Case, contradiction, fork_ahead, unjoined
from safeconduct.parties.mirror.folder import Plan, Source
from safeconduct.parties.mirror.store import Checkpoints, Index, Seen
from safeconduct.parties.mirror.tiles import TileWriter, read_bundle, tile_reader
from safeconduct.plumbing import clock, durable
from safeconduct.plumbing.remote import RemoteLog
from safeconduct.protocol.tlog.checkpoint import CHECKPOINT_BYTES_MAX
from safeconduct.protocol.tlog.cosignature import cosign, verify_cosignature
from safeconduct.protocol.tlog.merkle import (
    EMPTY_ROOT,
    Frontier,
    Tree,
    inclusion_proof,
    leaf_hash,
    verify_inclusion,
)
from safeconduct.protocol.tlog.note import (
    SIGNATURES_MAX,
    Note,
    SignatureLine,
    SigningKey,
    format_note,
    parse_note,
    signatures_by,
)
from safeconduct.protocol.tlog.policy import format_policy, open_checkpoint
from safeconduct.protocol.tlog.proof import TlogProof, format_proof
from safeconduct.protocol.tlog.tile import TILE_WIDTH

BATCH_BUNDLES = 64
"""Bundles, of up to 256 entries, between two records of how far copying has come."""
RESERVE_BYTES = 256 << 20
"""Left free on the disk: a full one would harm whatever else lives there."""
CHECKPOINT_FILE_BYTES_MAX = CHECKPOINT_BYTES_MAX + (1 << 16)
_SET_BACK_SECONDS_MAX = 2
_TOLD = "this mirror's copy cannot be used now"

NOTHING = Seen(tree=Tree(size=0, root_hash=EMPTY_ROOT), logged_by=0, note=b"")
ReadBundle = Callable[[int, int], list[bytes]]
"""(number, width) of a bundle to its entries."""
Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """What readers see: a checkpoint, and with it all of its tree."""

    tree: Tree
    logged_by: int
    checkpoint: bytes


@dataclass(slots=True, kw_only=True)
class Copy:
    """One log's copy. One thread makes it grow; any may read what is published."""

    folder: Path
    evidence: Path
    source: Source
    plan: Plan
    own_keys: tuple[SigningKey, ...]
    checkpoints: Checkpoints
    index: Index
    published: Published | None = None

    @property
    def public(self) -> Path:
        """The folder of what is served."""
        return self.folder / "public"

    def known(self) -> Seen:
        """The largest tree of which everything is here."""
        return self.checkpoints.latest() or NOTHING

    def proof(self, index: int) -> bytes | None:
        """The tlog-proof of entry `index` with the best date we have; None if not copied yet.

        Raises:
            UnavailableError: the copy is damaged, or the disk refused.
        """
        seen, published = self.checkpoints.covering(index), self.published
        if seen is None or published is None or seen.tree.size > published.tree.size:
            return None
        read = tile_reader(self.public, seen.tree.size, published.tree.size)
        try:
            hashes = tuple(inclusion_proof(index, seen.tree.size, read))
            verify_inclusion(read([(0, index)])[0], index, hashes, seen.tree)
        except (MalformedError, UnverifiedError) as error:
            raise _damaged(self) from error
        return format_proof(TlogProof(index=index, hashes=hashes, checkpoint=seen.note))

    def close(self) -> None:
        """Close the databases."""
        self.checkpoints.close()
        self.index.close()


def never() -> bool:
    """For copying that nobody interrupts."""
    return False


def open_copy(home: Path, source: Source, plan: Plan, own_keys: tuple[SigningKey, ...]) -> Copy:
    """The copy of one log in a mirror's folder `home`, brought into order after any crash.

    Only for the one process that writes there.

    Raises:
        UnavailableError: the copy is damaged, or the disk refused.
    """
    folder = home / source.name
    durable.make_folder(folder / "public")
    durable.remove_temporaries(folder)
    copy = Copy(
        folder=folder,
        evidence=home / "evidence",
        source=source,
        plan=plan,
        own_keys=own_keys,
        checkpoints=Checkpoints(folder / "checkpoints.db"),
        index=Index(folder / "index.db"),
    )
    try:
        copy.checkpoints.judge(
            sha256(format_policy(plan.policy)).digest(), lambda note: _date(copy, note)
        )
        _recover(copy)
    except BaseException:
        copy.close()
        raise
    return copy


def advance(copy: Copy, log: RemoteLog, ending: Callable[[], bool] = never) -> None:
    """Bring the copy up to the log's present checkpoint, unless `ending` says to stop.

    Raises:
        ConflictError: the log shows fewer entries than before, or others; the proof is kept.
        UnverifiedError: no signature, no quorum, or the entries do not hash to the root.
        MalformedError: what the log sends does not parse.
        RefusedError: the log does not have what it signed.
        UnavailableError: the log is away; or, with `told`, our own disk is at fault.
    """
    seen, known = _open(copy, _asked(log.checkpoint)), copy.known()
    if seen.tree.size < known.tree.size or (
        seen.tree.size == known.tree.size and seen.tree != known.tree
    ):
        raise contradiction(_case(copy), known, seen)
    if seen.tree.size > known.tree.size and not _grow(copy, log, known, seen, ending):
        return
    best = copy.checkpoints.covering(seen.tree.size - 1)
    if best is None or seen.logged_by < best.logged_by:
        copy.checkpoints.keep(seen)
    shown = copy.published
    if shown is None or _rank(shown) < _rank(seen):
        _publish(copy, seen)


def _case(copy: Copy) -> Case:
    return Case(
        folder=copy.evidence,
        public=copy.public,
        source=copy.source,
        log_keys=copy.plan.log_keys(copy.source.origin),
    )


def _rank(shown: Published | Seen) -> tuple[int, int]:
    """Of two checkpoints, readers see the larger tree, then the fresher cosignatures."""
    return shown.tree.size, shown.logged_by


def _open(copy: Copy, data: bytes) -> Seen:
    """A checkpoint under the policy, without the signatures of those nobody knows."""
    policy = copy.plan.policy
    cosigned = open_checkpoint(data, policy, copy.source.origin)
    note = parse_note(data)
    keys = [log.key for log in policy.logs] + [witness.key for witness in policy.witnesses]
    lines = tuple(line for key in keys for line in signatures_by(note, key)[:1])
    return Seen(
        tree=cosigned.checkpoint.tree,
        logged_by=cosigned.logged_by,
        note=format_note(Note(text=note.text, signatures=lines)),
    )


def _date(copy: Copy, note: bytes) -> int | None:
    """By when a kept note dates its tree under the present policy; None if it does not."""
    try:
        return _open(copy, note).logged_by
    except (MalformedError, UnverifiedError):
        return None


def _grow(
    copy: Copy, log: RemoteLog, known: Seen, seen: Seen, ending: Callable[[], bool]
) -> bool:
    """Copy up to `seen`, or prove that it is no continuation of `known`; False if ended."""
    if copy.index.size() > seen.tree.size:
        copy.index.cut(known.tree.size)
    left_over = copy.index.size() > known.tree.size
    try:
        return _fill(copy, _reader(log), seen.tree, ending)
    except UnverifiedError as error:
        copy.index.cut(known.tree.size)
        if left_over:
            # What an earlier visit left may be what was wrong; nothing of it is now used.
            return _grow(copy, log, known, seen, ending)
        case = _case(copy)
        fork = fork_ahead(case, log, known, seen)
        raise fork or unjoined(case, log, known, seen, error) from None


def _fill(
    copy: Copy, read_bundle: ReadBundle, target: Tree, ending: Callable[[], bool] = never
) -> bool:
    """Take up bundles until the tree is `target`; False if ended before.

    Raises:
        UnverifiedError: that is not where they lead.
    """
    size = copy.index.size()
    frontier = Frontier.read(size, tile_reader(copy.public, size))
    writer, batch = TileWriter(copy.public, size), list[bytes]()
    for number in range(size // TILE_WIDTH, -(-target.size // TILE_WIDTH)):
        if ending():
            return False
        entries = read_bundle(number, min(TILE_WIDTH, target.size - number * TILE_WIDTH))
        held = len(writer.entries)
        if entries[:held] != writer.entries:
            raise UnverifiedError(f"entry bundle {number}: not what it was before")
        leaves = [leaf_hash(entry) for entry in entries[held:]]
        frontier, filled = frontier.extend(leaves)
        writer.extend(entries[held:], filled)
        batch += leaves
        if number % BATCH_BUNDLES == BATCH_BUNDLES - 1:
            _record(copy, writer, batch)
            batch = []
    _record(copy, writer, batch)
    if frontier.tree() != target:
        raise UnverifiedError(
            f"{copy.source.origin}: the entries do not hash to the root that the log signed"
        )
    return True


def _record(copy: Copy, writer: TileWriter, leaf_hashes: list[bytes]) -> None:
    """Remember how far copying has come, once all of it is on the disk."""
    writer.write_edge()
    copy.index.extend(leaf_hashes)
    if shutil.disk_usage(copy.folder).free < RESERVE_BYTES:
        raise UnavailableError(
            f"{copy.folder}: the disk is nearly full", hint="free some space", told=_TOLD
        )


def _reader(log: RemoteLog) -> ReadBundle:
    return lambda number, width: _asked(lambda: log.bundle(number, width))


def _asked(call: Callable[[], Answer]) -> Answer:
    """What the log answers. It cannot tell us that something is proven: that we see ourselves.

    Raises:
        UnavailableError: it is away, or says something is unverified or in conflict.
        MalformedError, RefusedError: as for any request.
    """
    try:
        return call()
    except (UnverifiedError, ConflictError) as error:
        raise UnavailableError(f"the log answered: {error.message}") from error


def _publish(copy: Copy, seen: Seen) -> None:
    """Show readers a checkpoint of which everything is here, with our own word for that."""
    note = parse_note(seen.note)
    signatures = (*note.signatures, *_own_lines(copy, note))
    if len(signatures) > SIGNATURES_MAX:
        signatures = note.signatures
    data = format_note(Note(text=note.text, signatures=signatures))
    durable.write_file(copy.public / "checkpoint", data)
    copy.published = Published(tree=seen.tree, logged_by=seen.logged_by, checkpoint=data)


def _own_lines(copy: Copy, note: Note) -> list[SignatureLine]:
    """Our cosignatures; none while the clock is behind what we signed before.

    Spec: c2sp.org/tlog-mirror: only what is durable, under a name that no witness has.
    """
    lines: list[SignatureLine] = []
    now, last = clock.seconds(), copy.checkpoints.cosigned_at()
    if not copy.own_keys or last - now > _SET_BACK_SECONDS_MAX:
        return lines
    at = max(now, last)
    copy.checkpoints.will_cosign(at)
    for key in copy.own_keys:
        # An ML-DSA-44 key does not cover extension lines, and then says nothing.
        with suppress(RefusedError):
            lines.append(cosign(note.text, key, at))
    return lines


def _own_date(copy: Copy, note: Note) -> int:
    """When we cosigned a note, in POSIX seconds; 0 if we did not."""
    keys = [key.cosigner() for key in copy.own_keys]
    signed = [verify_cosignature(note, key) for key in keys if signatures_by(note, key)]
    return max(signed, default=0)


def _recover(copy: Copy) -> None:
    """Bring files, index and checkpoints together; what can be made again is made again."""
    shown = _shown(copy)
    known = copy.checkpoints.latest() or (shown[0] if shown else None)
    if known is None:
        return
    try:
        if copy.index.size() < known.tree.size:
            _fill(copy, _own_reader(copy, known.tree.size), known.tree)
        edge = Frontier.read(known.tree.size, tile_reader(copy.public, known.tree.size))
    except (MalformedError, UnverifiedError) as error:
        raise _damaged(copy) from error
    if edge.tree() != known.tree:
        raise _damaged(copy)
    if copy.checkpoints.latest() is None:
        copy.checkpoints.keep(known)
    if shown is not None and shown[0].tree == known.tree:
        copy.published = shown[1]
    else:
        _publish(copy, known)


def _shown(copy: Copy) -> tuple[Seen, Published] | None:
    """The checkpoint that was published last, if it is one under the present policy."""
    path = copy.public / "checkpoint"
    if not path.exists():
        return None
    data = durable.read_file(path, bytes_max=CHECKPOINT_FILE_BYTES_MAX)
    try:
        seen = _open(copy, data)
        copy.checkpoints.will_cosign(_own_date(copy, parse_note(data)))
    except (MalformedError, UnverifiedError):
        return None
    return seen, Published(tree=seen.tree, logged_by=seen.logged_by, checkpoint=data)


def _own_reader(copy: Copy, tree_size: int) -> ReadBundle:
    return lambda number, width: read_bundle(copy.public, number, width, tree_size)


def _damaged(copy: Copy) -> UnavailableError:
    return UnavailableError(
        f"{copy.folder}: the copy is damaged",
        hint="move that folder away: it is copied anew",
        told=_TOLD,
    )
