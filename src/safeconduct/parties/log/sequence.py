"""Sequence: entries into the tree, on a fixed clock, without ever taking anything back.

Each round of the writer:

    1. take the pool, pad it                 in memory; a crash loses what nobody was promised
    2. check the right edge on the disk      it leads to what was signed last, or all stops
    3. journal: one synced append            the entries have their places
    4. lock store: compare-and-swap          the log has signed this tree and no other
    5. tiles, each written atomically        anyone could check it
    6. all witnesses, until the quorum       fails closed: without it, stop here, try again
    7. `checkpoint`, written atomically      the public sees the tree
    8. answer those who wait                 with proofs under the cosigned checkpoint

After a crash between any two, `recover` and the first round end in the same state. Nothing is
signed while the clock stands still or goes back, nor before enough witnesses have said that
they know no more of this log than it does. An error from the disk is final: the log takes
nothing in any more, and goes on serving what is published until it is started again.
"""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from safeconduct.errors import SafeconductError, UnavailableError, UnverifiedError
from safeconduct.parties.log.admission import Admit
from safeconduct.parties.log.ahead import Ask, Lookout, ask_over_http
from safeconduct.parties.log.config import (
    HASH_ENTRY_BYTES,
    LogConfig,
    LogFolder,
    load_keys,
)
from safeconduct.parties.log.journal import Journal, list_segments
from safeconduct.parties.log.parts import EVERY_SECONDS as EVERY_SECONDS
from safeconduct.parties.log.parts import EVERY_SECONDS_MAX as EVERY_SECONDS_MAX
from safeconduct.parties.log.parts import EVERY_SECONDS_MIN as EVERY_SECONDS_MIN
from safeconduct.parties.log.parts import Health, Parts
from safeconduct.parties.log.parts import Pace as Pace
from safeconduct.parties.log.pool import POOL_ENTRIES_MAX as POOL_ENTRIES_MAX
from safeconduct.parties.log.pool import Listener, Pool
from safeconduct.parties.log.prove import prove
from safeconduct.parties.log.quorum import GRACE_SECONDS, Quorum
from safeconduct.parties.log.recover import Recovered, recover
from safeconduct.parties.log.settle import Settler
from safeconduct.parties.log.space import find_fullness
from safeconduct.parties.log.store import Published, Signed, open_store
from safeconduct.parties.log.tiles import TileWriter, tile_reader
from safeconduct.parties.log.writer import Writer
from safeconduct.plumbing import clock, dice, durable, terminal, web
from safeconduct.protocol.tlog.merkle import (
    leaf_hash,
    root,
)
from safeconduct.protocol.tlog.note import parse_note
from safeconduct.protocol.tlog.policy import Policy, logged_by

_INTAKE, _PUBLICATION = "takes entries again", "published again"
_STOP_SECONDS = 15.0


class Log:
    """One running log; everything public may be called from any thread."""

    def __init__(
        self, parts: Parts, recovered: Recovered, signed: Signed, published_at: int
    ) -> None:
        self.config = parts.config
        self.key = parts.keys.first.verifier()
        self.keys = parts.keys.verifiers
        self.public_folder = parts.paths.public
        self._parts = parts
        # Whoever holds this lock may use the writer.
        self._writing = threading.RLock()
        self._writer = Writer(parts, recovered, signed)
        # Touched under the lock.
        self._lock = threading.Lock()
        self._pool = Pool()
        self._recent = recovered.recent
        self._listeners: list[Listener] = []
        self._published = recovered.published
        self._published_at = published_at
        self._stopped: UnavailableError | None = None
        self._paused: UnavailableError | None = None
        self._failed = False
        self._troubles = {_INTAKE: "", _PUBLICATION: ""}

    def enter(self, entry: bytes) -> int | None:
        """The index of an entry that is published; else it is taken in, and listeners hear.

        The same entry has the same index, however often it is sent within the window of
        recent entries.

        Raises:
            SafeconductError: the log does not admit the entry.
            UnavailableError: the log takes nothing in now; the message says why.
        """
        with self._lock:
            return self._enter(leaf_hash(entry), entry)

    def submit(self, entry: bytes) -> Future[int]:
        """A promise of the entry's index, kept once a quorum has cosigned a tree that holds it.

        Raises:
            As `enter`.
        """
        leaf = leaf_hash(entry)
        with self._lock:
            index = self._enter(leaf, entry)
            if index is None:
                return self._pool.wait(leaf)
        promise: Future[int] = Future()
        promise.set_result(index)
        return promise

    def append(self, entries: Sequence[bytes]) -> range:
        """The indexes of entries that are now in the journal, the signed tree and the tiles.

        For many at once: nothing is padded, looked up or published here. What waits in the pool
        goes in first.

        Raises:
            SafeconductError: an entry is not admitted; those before it are in.
            UnavailableError: the log takes nothing in now; the message says why.
        """
        with self._writing:
            with self._final():
                at_ms = self._find_time()
            if at_ms is None or self._paused is not None:
                raise _again(self._paused or UnavailableError(self._troubles[_PUBLICATION]))
            with self._final():
                with self._lock:
                    waiting = self._pool.entries()
                    admitted, refusal = self._admit_all(entries)
                first = self._writer.frontier.size + len(waiting)
                self._sequence([*waiting.values(), *admitted], waiting, at_ms)
        if refusal is not None:
            raise refusal
        return range(first, first + len(admitted))

    def listen(self, listener: Listener) -> None:
        """Have `listener` told of all that is published from now on."""
        with self._lock:
            self._listeners.append(listener)

    def proof(self, index: int) -> bytes:
        """The tlog-proof of entry `index` under the latest published checkpoint.

        Raises:
            RefusedError: 404: no such entry is published.
            UnavailableError: the log's tiles are damaged.
        """
        return self._proof(index, self.published())

    def proofs(self, indexes: Sequence[int], published: Published) -> list[bytes]:
        """The tlog-proofs of entries of a published tree, made in one pass.

        Raises:
            UnavailableError: the log's tiles are damaged.
        """
        return prove(self.public_folder, indexes, published)

    def first_proof(self, index: int) -> bytes:
        """The tlog-proof under the earliest checkpoint that is kept, so with the best date.

        Raises:
            RefusedError: 404: no such entry is published.
            UnavailableError: the log's tiles are damaged.
        """
        first = self._parts.store.first_covering(index)
        # Perhaps forgotten, or cosigned by witnesses whom the policy has replaced since.
        if first is not None and self._parts.quorum.is_reached_by(first.checkpoint):
            with suppress(UnavailableError):  # what was kept of it may be damaged
                return self._proof(index, first)
        return self._proof(index, self.published())

    def index_of(self, leaf: bytes) -> int:
        """The index of the recent published entry with this leaf hash.

        Raises:
            RefusedError: 404: there is none.
        """
        with self._lock:
            index = self._recent.find(leaf)
            if index is None or not self._is_published(index):
                raise web.missing(
                    "no recent published entry has this hash",
                    hint="a mirror knows older ones",
                )
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

    def health(self) -> Health:
        """How the log is at this moment.

        Raises:
            UnavailableError: the disk does not say how much space it has.
        """
        trouble, published = self._stopped or self._paused, self._published
        return Health(
            accepting=trouble is None,
            reason="" if trouble is None else trouble.told or trouble.message,
            tree_size=self._writer.frontier.size,
            published_size=0 if published is None else published.tree.size,
            free_bytes=durable.free_bytes(self._parts.paths.path),
            signed_at=self._writer.signed.signed_at_ms // 1000,
            published_at=self._published_at,
        )

    def write_until(self, stopping: threading.Event) -> None:
        """Make rounds on the fixed clock until told to stop, or until the disk fails."""
        every_seconds, due = self._parts.pace.every_seconds, clock.monotonic()
        try:
            while not stopping.wait(max(0.0, due - clock.monotonic())):
                self.round()
                late = max(0.0, clock.monotonic() - due)
                due += every_seconds * (1 + late // every_seconds)
        except SafeconductError:
            return  # it was said where it happened
        self._stop(UnavailableError("the log is being stopped", hint="try again later"))

    def round(self) -> None:
        """Sequence what has come in, then publish what is sequenced: steps 1 to 8.

        Raises:
            SafeconductError: the disk or the lock failed; the log must be opened anew.
        """
        with self._writing, self._final():
            at_ms = self._find_time()
            if at_ms is not None:
                self._sequence(*self._take_pool(), at_ms)
                if self._writer.is_due():
                    self._publish(at_ms)

    def finish(self) -> None:
        """Settle all that is signed; nothing can be written afterwards."""
        with self._writing:
            if not self._failed:
                self._writer.finish()
            self._fail(UnavailableError("the log is closed"))

    def _enter(self, leaf: bytes, entry: bytes) -> int | None:
        index = self._recent.find(leaf)
        if index is not None and self._is_published(index):
            return index
        if self._stopped is not None:
            raise _again(self._stopped)
        if index is not None:
            self._pool.place({leaf: index})
        elif leaf not in self._pool:
            if self._paused is not None:
                raise _again(self._paused)
            self._pool.check_room(entry)
            # Under the lock: entries are admitted in the order in which they are sequenced.
            self._parts.admit(entry)
            self._pool.put(leaf, entry)
        return None

    def _admit_all(
        self, entries: Sequence[bytes]
    ) -> tuple[Sequence[bytes], SafeconductError | None]:
        for count, entry in enumerate(entries):
            try:
                self._parts.admit(entry)
            except SafeconductError as refusal:
                return entries[:count], refusal
        return entries, None

    def _proof(self, index: int, published: Published) -> bytes:
        if not 0 <= index < published.tree.size:
            raise web.missing(f"no entry {index} is published")
        return self.proofs([index], published)[0]

    def _find_time(self) -> int | None:
        """The instant to sign at, in POSIX milliseconds; None if nothing may be signed now."""
        self._parts.settler.check()
        at_ms = self._writer.find_time()
        full = find_fullness(self._parts.paths.path, self._parts.pace.reserve_bytes)
        stands = _clock_stands(self._writer.signed.signed_at_ms)
        self._paused = stands if at_ms is None else full
        self._tell(_INTAKE, "" if self._paused is None else self._paused.message)
        try:
            self._writer.confirm()
        except UnavailableError as error:
            self._tell(_PUBLICATION, error.message)
            return None
        return at_ms

    def _take_pool(self) -> tuple[list[bytes], dict[bytes, bytes]]:
        """The next batch, padded and, where that is permitted, in any order; and who waits.

        While the disk is nearly full, dummies do not fill it up.
        """
        with self._lock:
            waiting = self._pool.entries()
        batch, pad = list(waiting.values()), self.config.pad
        if pad and (batch or self._paused is None):
            missing = -len(batch) % pad if batch else pad
            batch += [dice.random_bytes(HASH_ENTRY_BYTES) for _ in range(missing)]
            # Else a receipt's index would tell how many real entries came before it.
            batch = dice.shuffled(batch)
        return batch, waiting

    def _sequence(
        self, batch: Sequence[bytes], waiting: Mapping[bytes, bytes], at_ms: int
    ) -> None:
        first = self._writer.frontier.size
        leaves = self._writer.sequence(batch, at_ms)
        indexes = enumerate(leaves, first) if waiting else ()
        places = {leaf: index for index, leaf in indexes if leaf in waiting}
        with self._lock:
            self._recent.add(leaves)
            self._pool.place(places)

    def _publish(self, at_ms: int) -> None:
        published = self._writer.ask_quorum(at_ms)
        if published is None:
            self._tell(_PUBLICATION, self._writer.silence)
            return
        self._writer.publish(published)
        self._tell(_PUBLICATION, "")
        self._answer(published)

    def _answer(self, published: Published) -> None:
        with self._lock:
            self._published, self._published_at = published, clock.seconds()
            places, kept = self._pool.take_published(published.tree.size)
            listeners = list(self._listeners)
        for listener in listeners:
            listener.published(published, places)
        for promise, index in kept:
            if promise.set_running_or_notify_cancel():
                promise.set_result(index)

    def _is_published(self, index: int) -> bool:
        return self._published is not None and index < self._published.tree.size

    @contextmanager
    def _final(self) -> Iterator[None]:
        """Whatever goes wrong inside stops the writer for good."""
        if self._failed and self._stopped is not None:
            raise _again(self._stopped)
        try:
            yield
        except SafeconductError as error:
            self._tell(_INTAKE, f"stopped: {error.message}")
            self._fail(
                UnavailableError(
                    f"the log has stopped: {error.message}",
                    hint=error.hint,
                    told="this log has stopped; what it has published can still be read",
                )
            )
            raise
        except BaseException:
            self._fail(UnavailableError("the log has stopped: internal fault"))
            raise

    def _fail(self, reason: UnavailableError) -> None:
        self._failed = True
        self._stop(reason)

    def _stop(self, reason: UnavailableError) -> None:
        """Take nothing in any more; what is published can still be read."""
        with self._lock:
            self._stopped = self._stopped or reason
            waiting, listeners = self._pool.take_waiting(), list(self._listeners)
        for listener in listeners:
            listener.stopped(reason)
        for promise in waiting:
            if promise.set_running_or_notify_cancel():
                promise.set_exception(reason)

    def _tell(self, what: str, trouble: str) -> None:
        """Say it on standard error when the state of the log changes, not every second."""
        if trouble != self._troubles[what]:
            terminal.note(f"{self.config.name}: {trouble or what}")
        self._troubles[what] = trouble


@contextmanager
def open_log(
    folder: Path,
    config: LogConfig,
    policy: Policy,
    admit: Admit,
    pace: Pace,
    *,
    ask: Ask = ask_over_http,
) -> Iterator[Log]:
    """The log in `folder`, recovered and held for this process alone, not yet written to.

    Raises:
        UnavailableError: another process writes it, or its files do not hold together.
        RefusedError: the policy's quorum can never be reached.
    """
    paths = LogFolder(path=folder)
    with ExitStack() as stack:
        stack.enter_context(durable.sole_writer(paths.writer))
        keys = load_keys(paths)
        list_segments(paths.journal)  # a journal of an earlier release is told first
        # A fast log waits less for those who are not needed.
        grace_seconds = min(GRACE_SECONDS, pace.every_seconds / 4)
        quorum = Quorum(policy, ask=ask, keys=keys.verifiers, grace_seconds=grace_seconds)
        stack.callback(quorum.close)
        store = open_store(paths.lock_store, config.origin)
        stack.callback(store.close)
        tiles, settled, signed = TileWriter(paths), store.settled(), store.signed()
        recovered = recover(paths, keys.first.verifier(), signed.tree, settled, admit, tiles)
        settler = Settler(paths.public, store, tiles, settled)
        journal = Journal(
            paths.journal, recovered.place, recovered.last_frame, full=settler.take
        )
        stack.callback(journal.close)
        stack.enter_context(settler.working(journal.reserve, recovered.full))
        lookout = Lookout(policy, keys.verifiers, ask, prefix=_prefix(paths, recovered))
        log = Log(
            Parts(
                config=config,
                paths=paths,
                keys=keys,
                store=store,
                journal=journal,
                settler=settler,
                tiles=tiles,
                quorum=quorum,
                lookout=lookout,
                admit=admit,
                pace=pace,
            ),
            recovered,
            signed,
            _cosigned_at(recovered.published, policy),
        )
        yield log
        # Not after an error: then only a restart finds out what is on the disk.
        log.finish()


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


def _prefix(paths: LogFolder, recovered: Recovered) -> Callable[[int], bytes]:
    """The root hash of any beginning of the log as it was recovered."""
    read = tile_reader(paths.public, recovered.frontier.size)
    return lambda tree_size: root(tree_size, read)


def _cosigned_at(published: Published | None, policy: Policy) -> int:
    """When the policy's quorum cosigned the public tree, in POSIX seconds; 0 if it did not."""
    if published is None:
        return 0
    try:
        return logged_by(parse_note(published.checkpoint), policy)
    except UnverifiedError:
        return 0


def _clock_stands(signed_at_ms: int) -> UnavailableError:
    return UnavailableError(
        f"the clock has not passed {signed_at_ms // 1000} s, when the log last signed",
        hint="nothing is lost: send the same entry again when the clock is right",
    )


def _again(error: UnavailableError) -> UnavailableError:
    """The same error afresh: one that is raised often gathers every place where it was."""
    return UnavailableError(error.message, hint=error.hint, told=error.told)
