"""Catch up: bring a witness that is behind to the log's latest tree, without signing anything.

Nothing is believed on the way. Each checkpoint bears the log's signature, and the log's own
tiles must prove that every tree continues the one before, beginning with the one we know. The
dates that we have given are taken over, so that none after them is earlier. Where the proof
leads elsewhere, the log has two histories: that is kept as evidence, and there it ends.

Until the log asks again, the checkpoint shown to monitors is then without our signature.
"""

from collections.abc import Iterable

from safeconduct.errors import ConflictError, RefusedError, SafeconductError, UnverifiedError
from safeconduct.parties.witness.logs import Log
from safeconduct.parties.witness.memory import Memory
from safeconduct.parties.witness.rewind import Sighting
from safeconduct.parties.witness.store import Latest
from safeconduct.plumbing.remote import RemoteLog
from safeconduct.protocol.tlog.fork import fork_hashes
from safeconduct.protocol.tlog.merkle import (
    ReadHashes,
    Tree,
    consistency_proof,
    verify_consistency,
)


def catch_up(
    memory: Memory, log: Log, remote: RemoteLog, found: Iterable[Sighting], now: int
) -> tuple[Tree, Tree]:
    """The tree that was known, and the one that is known now.

    `found` are checkpoints of `log`, in any order; those smaller than ours are passed over.

    Raises:
        ConflictError: they, or they and our memory, are a fork; the proof is kept.
        RefusedError: the log is known to be forked, or its tiles do not lead there.
        UnavailableError: the log does not answer.
    """
    before = memory.store.latest(log.origin)
    steps = sorted(found, key=lambda one: (one.tree.size, one.own_at))
    ahead = [one for one in steps if one.tree.size >= before.tree.size]
    read = remote.hashes(max([before.tree.size, *(one.tree.size for one in ahead)]))
    for step in ahead:
        _step(memory, step, read, now)
    return before.tree, memory.store.latest(log.origin).tree


def _step(memory: Memory, step: Sighting, read: ReadHashes, now: int) -> None:
    """Move on to one checkpoint, if it continues what is known."""
    origin = step.log.origin
    latest = memory.store.latest(origin)
    if latest.forked:
        raise RefusedError(f"{origin} has signed two histories: there is nothing to follow")
    proof = consistency_proof(latest.tree.size, step.tree.size, read)
    try:
        verify_consistency(latest.tree, step.tree, proof)
    except UnverifiedError as error:
        raise _parted(memory, latest, step, read, now) from error
    if memory.evidence.look_at(step.log, step.note, now):
        raise _two_histories(step, f"of {step.tree.size} entries", latest)
    if not memory.store.advance(origin, latest, _moved(latest, step)):
        raise ConflictError(f"{origin}: somebody else moved this witness meanwhile")


def _moved(latest: Latest, step: Sighting) -> Latest:
    """What is known after a step; a note with a later date of ours is not given up."""
    is_better = step.tree.size > latest.tree.size or step.own_at > latest.cosigned_at
    return Latest(
        tree=step.tree,
        cosigned_at=max(latest.cosigned_at, step.own_at),
        checkpoint=step.note if is_better else latest.checkpoint,
    )


def _parted(
    memory: Memory, latest: Latest, step: Sighting, read: ReadHashes, now: int
) -> SafeconductError:
    """Why a checkpoint does not continue our tree: the log's doing, or that of its tiles."""
    sizes = f"from {latest.tree.size} to {step.tree.size} entries"
    hashes = fork_hashes(latest.tree.size, step.tree.size, read)
    if memory.evidence.keep_if_fork(step.log, latest.checkpoint, step.note, hashes, now):
        return _two_histories(step, sizes, latest)
    return RefusedError(
        f"the tiles of {step.log.origin} do not lead {sizes} ({step.where})",
        hint="give the address of a mirror that holds them",
    )


def _two_histories(step: Sighting, sizes: str, latest: Latest) -> ConflictError:
    return ConflictError(
        f"{step.log.origin} has signed two histories, {sizes} ({step.where})",
        evidence=(latest.checkpoint, step.note),
        hint="the proof lies in the witness's folder, below forks/",
    )
