"""What a log signed against itself: found, written down, and told.

A fork proof holds two notes and the hashes that show that they do not join; anyone can check it
without us (`safeconduct fork verify`). A smaller tree than before that does begin ours proves
nothing against the log, for anybody can show an old checkpoint; it is kept and told as well.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from safeconduct.errors import ConflictError, SafeconductError, UnverifiedError
from safeconduct.parties.mirror.folder import Source
from safeconduct.parties.mirror.store import Seen
from safeconduct.parties.mirror.tiles import tile_reader
from safeconduct.plumbing import durable
from safeconduct.plumbing.remote import RemoteLog
from safeconduct.protocol.tlog.fork import find_fork, fork_hashes, format_fork
from safeconduct.protocol.tlog.merkle import root, verify_consistency
from safeconduct.protocol.tlog.note import VerifierKey

EVIDENCE_FILES_MAX = 1_000
"""Of one log and one kind: more of the same proves no more, and crowds out nothing else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """Which log, whose keys, what we hold of it, and where evidence goes."""

    folder: Path
    public: Path
    source: Source
    log_keys: tuple[VerifierKey, ...]


def contradiction(case: Case, known: Seen, seen: Seen) -> SafeconductError:
    """What to raise when a log shows another tree no larger than the one we hold."""
    held, size = known.tree.size, seen.tree.size
    if not known.note:
        return UnverifiedError(f"{case.source.origin}: an empty tree with another root hash")
    if size < held and seen.tree.root_hash == root(size, tile_reader(case.public, size, held)):
        return _shrunk(case, known, seen)
    hashes = fork_hashes(size, held, tile_reader(case.public, held))
    return _forked(case, known, seen, hashes)


def fork_ahead(case: Case, log: RemoteLog, known: Seen, seen: Seen) -> ConflictError | None:
    """What to raise if a larger tree is proven not to continue ours; None if it is not.

    The hashes come from the log itself: it may keep them back, but it cannot forge them.
    """
    sizes = known.tree.size, seen.tree.size
    with suppress(SafeconductError):
        hashes = fork_hashes(*sizes, log.hashes(seen.tree.size)) if known.tree.size else []
        if find_fork(known.note, seen.note, hashes, case.log_keys) is not None:
            return _forked(case, known, seen, hashes)
    return None


def unjoined(
    case: Case, log: RemoteLog, known: Seen, seen: Seen, error: UnverifiedError
) -> UnverifiedError:
    """What to raise if a larger tree cannot be reached, and no fork is proven.

    A log that keeps back the hashes which would convict it has signed all the same: what it
    signed is kept, unless its hashes show that it continues ours and only a bundle is bad.
    """
    if not known.note or _is_continued(log, known, seen):
        return error
    sizes = f"{seen.tree.size}-not-after-{known.tree.size}"
    digest = sha256(seen.note).digest()[:8].hex()
    kept = _kept(case, f"{case.source.name}-{sizes}-{digest}.checkpoint", seen.note)
    return UnverifiedError(f"{error.message}; {kept}", hint=error.hint)


def _forked(case: Case, known: Seen, seen: Seen, hashes: Sequence[bytes]) -> ConflictError:
    origin, sizes = case.source.origin, sorted([known.tree.size, seen.tree.size])
    fork = find_fork(known.note, seen.note, hashes, case.log_keys)
    told = f"{origin} signed two histories, of {sizes[0]} and {sizes[1]} entries"
    if fork is None:
        return ConflictError(told, evidence=(known.note, seen.note))
    data = format_fork(fork)
    name = f"{case.source.name}-{sizes[0]}-{sizes[1]}-{sha256(data).digest()[:8].hex()}.fork"
    return ConflictError(
        f"{told}; {_kept(case, name, data)}",
        evidence=(fork.old, fork.new),
        hint="check it with `safeconduct fork verify`, and publish it",
    )


def _shrunk(case: Case, known: Seen, seen: Seen) -> ConflictError:
    origin, held, size = case.source.origin, known.tree.size, seen.tree.size
    name = f"{case.source.name}-{size}-after-{held}.checkpoint"
    return ConflictError(
        f"{origin} shows {size} entries after {held}; {_kept(case, name, seen.note)}",
        evidence=(known.note, seen.note),
        hint="a log never shrinks: it was restored, or something shows old bytes for it",
    )


def _kept(case: Case, name: str, data: bytes) -> str:
    """Write a file of evidence and say where; a fork is told even if the disk refuses."""
    path = case.folder / name
    try:
        durable.make_folder(case.folder)
        if not path.exists():
            if _count_like(case, path.suffix) >= EVIDENCE_FILES_MAX:
                return f"{case.folder} holds {EVIDENCE_FILES_MAX} proofs already"
            durable.write_file(path, data)
    except SafeconductError as error:
        return f"not kept: {error.message}"
    return f"see {path}"


def _is_continued(log: RemoteLog, known: Seen, seen: Seen) -> bool:
    try:
        proof = log.consistency(known.tree.size, seen.tree.size)
        verify_consistency(known.tree, seen.tree, proof)
    except SafeconductError:
        return False
    return True


def _count_like(case: Case, suffix: str) -> int:
    """How much evidence of one kind there is against this log."""
    prefix = f"{case.source.name}-"
    names = durable.list_files(case.folder)
    return sum(name.startswith(prefix) and name.endswith(suffix) for name in names)
