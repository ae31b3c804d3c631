"""Evidence against logs: a signed checkpoint compared with all that this log ever showed us.

A log that signs two histories is caught here in three ways: two roots for one size; a larger
tree whose own proof leads to another beginning than the one we know; and either of these
against an older checkpoint that is still kept, or one that nothing has explained so far.

What is found is a fork proof that stands by itself. It is kept in the database, served to
everyone, and written out for people to take as

    forks/<SHA-256 of the origin>-<old size>-<new size>-<16 digits of its own SHA-256>.fork

The log is never cosigned again: whichever of its histories we went on with, we would vouch for
a liar. Nobody can bring this upon an honest log, for both halves bear the log's own signature.

Not every fork can be proven from what a request holds. A consistency proof leaves out the old
tree's last subtree where that is the whole old tree (sizes 1, 2, 4, 8 …), and a log that lies
may send any hashes at all. Then the note is kept as unexplained, the answer is 422, and
whatever the log signs for that size later is compared with it.
"""

from collections.abc import Callable, Iterator, Sequence
from hashlib import sha256
from pathlib import Path

from safeconduct.parties.witness.logs import Log
from safeconduct.parties.witness.published import origin_hash
from safeconduct.parties.witness.request import AddCheckpoint
from safeconduct.parties.witness.store import Latest, Store
from safeconduct.plumbing import durable
from safeconduct.protocol.tlog.checkpoint import parse_checkpoint
from safeconduct.protocol.tlog.fork import ForkProof, find_fork, format_fork
from safeconduct.protocol.tlog.merkle import Tree
from safeconduct.protocol.tlog.note import parse_note

FORK_SUFFIX = ".fork"
_NAME_DIGITS = 16


class Evidence:
    """The proofs that a store holds, and the folder where they lie for people to take."""

    def __init__(self, store: Store, folder: Path) -> None:
        self._store = store
        self._folder = folder
        durable.make_folder(folder)
        # The process may have died between the database and the file.
        for name, fork in store.forks().items():
            self._write_out(name, fork)

    def look(
        self,
        log: Log,
        latest: Latest,
        request: AddCheckpoint,
        note: Callable[[], bytes],
        *,
        holds: bool,
        now: int,
    ) -> bool:
        """Whether a request, whose `note` the log has signed, contradicts a note that is kept.

        `holds` says that its proof leads from the latest tree to the checkpoint's. What is
        found is kept, and the log marked.
        """
        suspects = self._suspects(log.origin, latest, request, holds=holds)
        return any(
            self.keep_if_fork(log, known, note(), request.proof, now) for known in suspects
        )

    def look_at(self, log: Log, note: bytes, now: int) -> bool:
        """Whether a note that the log has signed contradicts a kept one of the same size."""
        tree = tree_of(note)
        kept = self._store.checkpoints_at(log.origin, tree.size)
        others = [known for known in kept if tree_of(known) != tree]
        return any(self.keep_if_fork(log, known, note, (), now) for known in others)

    def keep_if_fork(
        self, log: Log, known: bytes, other: bytes, hashes: Sequence[bytes], now: int
    ) -> bool:
        """Whether two signed notes and the hashes between them are a fork; then it is kept."""
        fork = find_fork(known, other, hashes, log.keys)
        if fork is None:
            return False
        data = format_fork(fork)
        name = _name(log.origin, fork, data)
        self._store.keep_fork(log.origin, name, data, now)
        self._write_out(name, data)
        return True

    def _suspects(
        self, origin: str, latest: Latest, request: AddCheckpoint, *, holds: bool
    ) -> Iterator[bytes]:
        """Kept notes that may contradict the request's; none of an honest log."""
        tree = request.checkpoint.tree
        if tree == latest.tree:
            return
        comparable = latest.tree.size in (request.old_size, tree.size) or tree.size == 0
        if latest.checkpoint and comparable and not holds:
            yield latest.checkpoint
        for note in self._store.checkpoints_at(origin, tree.size):
            if tree_of(note) != tree:
                yield note
        if request.proof and request.old_size != latest.tree.size:
            yield from self._store.checkpoints_at(origin, request.old_size)

    def _write_out(self, name: str, fork: bytes) -> None:
        path = self._folder / name
        if not path.exists():
            durable.write_file(path, fork)


def tree_of(note: bytes) -> Tree:
    """The tree that a checkpoint's note tells of; its signatures are not looked at."""
    return parse_checkpoint(parse_note(note).text).tree


def _name(origin: str, fork: ForkProof, data: bytes) -> str:
    sizes = f"{tree_of(fork.old).size}-{tree_of(fork.new).size}"
    digits = sha256(data).hexdigest()[:_NAME_DIGITS]
    return f"{origin_hash(origin)}-{sizes}-{digits}{FORK_SUFFIX}"
