"""Sequence: entries into the tree, on a fixed clock, without ever taking anything back.

Each round of the writer:

    1. take the pool, pad it                 in memory; a crash loses what nobody was promised
    2. journal: one synced append            the entries have their places
    3. lock store: compare-and-swap          the log has signed this tree and no other
    4. tiles, each written atomically        anyone could check it
    5. all witnesses, until the quorum       fails closed: without it, stop here, try again
    6. `checkpoint`, written atomically      the public sees the tree
    7. answer those who wait                 with proofs under the cosigned checkpoint

After a crash between any two, `recover` and the first round end in the same state.
"""

import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from safeconduct.errors import SafeconductError, UnavailableError
from safeconduct.parties.log.admission import Admit
from safeconduct.parties.log.config import (
    HASH_ENTRY_BYTES,
    LogConfig,
    LogFolder,
    sign_tree,
)
from safeconduct.parties.log.journal import Journal, open_journal
from safeconduct.parties.log.quorum import Quorum
from safeconduct.parties.log.recover import Recovered, recover
from safeconduct.parties.log.store import LockStore, Published, open_store
from safeconduct.parties.log.tiles import TileWriter, tile_reader
from safeconduct.plumbing import clock, dice, durable, keys, terminal, web
from safeconduct.protocol.tlog.merkle import (
    consistency_proof,
    inclusion_proof,
    leaf_hash,
)
from safeconduct.protocol.tlog.note import SigningKey, format_note
from safeconduct.protocol.tlog.policy import Policy
from safeconduct.protocol.tlog.proof import TlogProof, format_proof

POOL_ENTRIES_MAX = 4_096
POOL_BYTES_MAX = 64 << 20
EVERY_SECONDS = 1.0
EVERY_SECONDS_MAX = 10.0  # those who wait for a proof wait for at least one round
REPUBLISH_SECONDS = 60.0

_STOP_SECONDS = 15.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How often a batch is made, and how often an idle log is cosigned afresh."""

    every_seconds: float = EVERY_SECONDS
    republish_seconds: float = REPUBLISH_SECONDS


class Log:
    """One running log; everything public may be called from any thread."""

    def __init__(
        self,
        *,
        config: LogConfig,
        paths: LogFolder,
        key: SigningKey,
        store: LockStore,
        journal: Journal,
        tiles: TileWriter,
        quorum: Quorum,
        recovered: Recovered,
        admit: Admit,
        pace: Pace,
    ) -> None:
        self.config = config
        self.key = key.verifier()
        self.public_folder = paths.public
        self._paths, self._signing_key, self._pace = paths, key, pace
        # Written to by the writer alone.
        self._store, self._journal, self._tiles, self._quorum = store, journal, tiles, quorum
        self._frontier, self._signed = recovered.frontier, recovered.signed
        self._published_at = float("-inf")
        # Touched under the lock.
        self._lock = threading.Lock()
        self._admit = admit
        self._pool: dict[bytes, bytes] = {}
        self._pool_bytes = 0
        self._indexes = recovered.indexes
        self._waiting: dict[bytes, list[Future[int]]] = {}
        self._published = recovered.published
        self._stopped: UnavailableError | None = None
        self._trouble = ""

    def submit(self, entry: bytes) -> Future[int]:
        """A promise of the entry's index, kept once a quorum has cosigned a tree that holds it.

        The same entry has the same index for ever, however often it is submitted.

        Raises:
            SafeconductError: the log does not admit the entry.
            UnavailableError: too many entries are waiting, or the disk has failed.
        """
        leaf = leaf_hash(entry)
        promise: Future[int] = Future()
        with self._lock:
            index = self._indexes.get(leaf)
            if index is not None and self._is_published(index):
                promise.set_result(index)
                return promise
            if self._stopped is not None:
                raise self._stopped
            if index is None and leaf not in self._pool:
                self._take_in(leaf, entry)
            self._waiting.setdefault(leaf, []).append(promise)
        return promise

    def proof(self, index: int) -> bytes:
        """The tlog-proof of entry `index` under the latest published checkpoint.

        Raises:
            RefusedError: 404: no such entry is published.
        """
        return self._proof(index, self.published())

    def first_proof(self, index: int) -> bytes:
        """The tlog-proof under the earliest checkpoint that is kept, so with the best date.

        Raises:
            RefusedError: 404: no such entry is published.
        """
        first = self._store.first_covering(index)
        if first is None or not self._quorum.is_reached_by(first.checkpoint):
            # Forgotten, or cosigned by witnesses whom the policy has replaced since.
            first = self.published()
        return self._proof(index, first)

    def index_of(self, leaf: bytes) -> int:
        """The index of the published entry with this leaf hash.

        Raises:
            RefusedError: 404: there is none.
        """
        with self._lock:
            index = self._indexes.get(leaf)
            if index is None or not self._is_published(index):
                raise web.missing("no published entry has this hash")
            return index

    def published(self) -> Published:
        """The latest published tree.

        Raises:
            RefusedError: 404: nothing was published yet.
        """
        published = self._published
        if published is None:
            raise web.missing(
                "nothing is published yet", hint="the witnesses have not cosigned"
            )
        return published

    def write_until(self, stopping: threading.Event) -> None:
        """Make rounds on the fixed clock until told to stop, or until the disk fails."""
        try:
            due = clock.monotonic()
            while not stopping.wait(max(0.0, due - clock.monotonic())):
                self.round()
                late = max(0.0, clock.monotonic() - due)
                due += self._pace.every_seconds * (1 + late // self._pace.every_seconds)
            self._stop(UnavailableError("the log is being stopped", hint="try again later"))
        except SafeconductError as error:
            self._tell(f"stopped: {error.message}")
            self._stop(UnavailableError(f"the log has stopped: {error.message}"))
        except BaseException:
            self._stop(UnavailableError("the log has stopped: internal fault"))
            raise

    def round(self) -> None:
        """Sequence what has come in, then publish what is sequenced: steps 1 to 7.

        Raises:
            SafeconductError: the disk or the lock failed; the log must be opened anew.
        """
        self._sequence(self._take_pool())
        if self._is_due():
            self._publish()

    def _proof(self, index: int, published: Published) -> bytes:
        if not 0 <= index < published.tree.size:
            raise web.missing(f"no entry {index} is published")
        read = tile_reader(self._paths.public, published.tree.size)
        hashes = inclusion_proof(index, published.tree.size, read)
        return format_proof(
            TlogProof(index=index, hashes=tuple(hashes), checkpoint=published.checkpoint)
        )

    def _take_in(self, leaf: bytes, entry: bytes) -> None:
        full = self._pool_bytes + len(entry) > POOL_BYTES_MAX
        if full or len(self._pool) >= POOL_ENTRIES_MAX:
            raise UnavailableError("too many entries are waiting", hint="try again in a moment")
        # Under the lock: entries are admitted in the very order in which they are sequenced.
        self._admit(entry)
        self._pool[leaf] = entry
        self._pool_bytes += len(entry)

    def _take_pool(self) -> list[bytes]:
        """The entries of the next batch, padded and, where that is permitted, in any order."""
        with self._lock:
            batch = list(self._pool.values())
        pad = self.config.pad
        if pad:
            missing = -len(batch) % pad if batch else pad
            batch += [dice.random_bytes(HASH_ENTRY_BYTES) for _ in range(missing)]
            # Else a receipt's index would tell how many real entries came before it.
            batch = dice.shuffled(batch)
        return batch

    def _sequence(self, batch: list[bytes]) -> None:
        leaf_hashes, first = [leaf_hash(entry) for entry in batch], self._frontier.size
        if batch:
            self._journal.append(batch)
            self._frontier, filled = self._frontier.extend(leaf_hashes)
        tree = self._frontier.tree()
        if tree != self._signed:
            # Compared with what this writer signed last, never with what it finds there now.
            note = sign_tree(tree, self._signing_key)
            self._store.swap(self._signed, tree, format_note(note))
            self._signed = tree
        if batch:
            self._tiles.extend(batch, filled)
            self._tiles.write_edge()
            self._note_places(leaf_hashes, first)

    def _note_places(self, leaf_hashes: list[bytes], first: int) -> None:
        with self._lock:
            for offset, leaf in enumerate(leaf_hashes):
                self._indexes.setdefault(leaf, first + offset)
                entry = self._pool.pop(leaf, b"")
                self._pool_bytes -= len(entry)

    def _is_due(self) -> bool:
        published = self._published
        if published is None or published.tree.size != self._frontier.size:
            return True
        return clock.monotonic() - self._published_at >= self._pace.republish_seconds

    def _publish(self) -> None:
        tree = self._frontier.tree()
        note = sign_tree(tree, self._signing_key)
        try:
            checkpoint = self._quorum.cosigned(note, tree, self._prove)
        except UnavailableError as error:
            self._tell(error.message)
            return
        published = Published(tree=tree, checkpoint=checkpoint)
        self._store.keep_published(published)
        durable.write_file(self._paths.checkpoint, checkpoint)
        self._tell("")
        self._published_at = clock.monotonic()
        with self._lock:
            self._published = published
            kept = [(leaf, p) for leaf, p in self._waiting.items() if self._is_settled(leaf)]
            for leaf, _ in kept:
                del self._waiting[leaf]
        for leaf, promises in kept:
            _keep(promises, self._indexes[leaf])

    def _prove(self, old_size: int, new_size: int) -> list[bytes]:
        return consistency_proof(old_size, new_size, tile_reader(self._paths.public, new_size))

    def _is_published(self, index: int) -> bool:
        return self._published is not None and index < self._published.tree.size

    def _is_settled(self, leaf: bytes) -> bool:
        return leaf in self._indexes and self._is_published(self._indexes[leaf])

    def _stop(self, reason: UnavailableError) -> None:
        """Take nothing in any more; what is published can still be read."""
        with self._lock:
            self._stopped = reason
            waiting, self._waiting = self._waiting, {}
        for promise in [promise for promises in waiting.values() for promise in promises]:
            if promise.set_running_or_notify_cancel():
                promise.set_exception(reason)

    def _tell(self, trouble: str) -> None:
        """Say it on standard error when the state of publication changes, not every second."""
        if trouble != self._trouble:
            terminal.note(f"{self.config.name}: {trouble or 'published again'}")
        self._trouble = trouble


@contextmanager
def open_log(
    folder: Path, config: LogConfig, policy: Policy, admit: Admit, pace: Pace
) -> Iterator[Log]:
    """The log in `folder`, recovered and held for this process alone, not yet written to.

    Raises:
        UnavailableError: another process writes it, or its files do not hold together.
        RefusedError: the policy's quorum can never be reached.
    """
    paths = LogFolder(path=folder)
    with durable.sole_writer(paths.writer):
        key = keys.load_signing_key(paths.key)
        quorum = Quorum(policy)
        store = open_store(paths.lock_store, config.origin)
        tiles = TileWriter(paths.public)
        recovered = recover(paths, key.verifier(), store.signed()[0], admit, tiles)
        journal = open_journal(paths.journal, recovered.last_frame)
        try:
            yield Log(
                config=config,
                paths=paths,
                key=key,
                store=store,
                journal=journal,
                tiles=tiles,
                quorum=quorum,
                recovered=recovered,
                admit=admit,
                pace=pace,
            )
        finally:
            quorum.close()
            journal.close()
            store.close()


@contextmanager
def writing(log: Log) -> Iterator[None]:
    """Run the log's writer in a thread during the block."""
    stopping = threading.Event()
    thread = threading.Thread(
        target=log.write_until, args=(stopping,), name=log.config.name, daemon=True
    )
    thread.start()
    try:
        yield
    finally:
        stopping.set()
        thread.join(_STOP_SECONDS)


def _keep(promises: list[Future[int]], index: int) -> None:
    for promise in promises:
        if promise.set_running_or_notify_cancel():
            promise.set_result(index)
