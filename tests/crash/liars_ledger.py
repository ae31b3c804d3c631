"""The honest log of the liars' town: what it was sent, promised and signed, and its policy."""

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.crash.liars_books import EMPTY_BOOK, ORIGIN, Book, book_of
from tests.crash.liars_people import HONEST, LIAR
from tests.parties.log.guard_world import witness as witness_line

from safeconduct.errors import RefusedError, SafeconductError, UnavailableError
from safeconduct.parties.log.admission import admit_hash
from safeconduct.parties.log.config import LogFolder, load_config
from safeconduct.parties.log.sequence import Log, Pace, open_log
from safeconduct.parties.log.store import Published, open_store
from safeconduct.parties.log.tiles import forget_tiles
from safeconduct.plumbing.fetch import Response
from safeconduct.protocol.tlog.merkle import HASH_BYTES, Tree
from safeconduct.protocol.tlog.note import VerifierKey
from safeconduct.protocol.tlog.policy import GroupLine, LogLine, Policy
from safeconduct.protocol.tlog.tile import TILE_WIDTH

OUTSIDE, AMONG, FOURTH = (
    "the liar is outside",
    "the liar is among the three",
    "the liar is fourth",
)
QUORUMS: dict[str, tuple[int, tuple[str, ...]]] = {
    OUTSIDE: (2, HONEST),
    AMONG: (2, ("anna", "boris", LIAR)),
    FOURTH: (3, (*HONEST, LIAR)),
}
"""What a policy asks for. Two quorums share an honest witness in all but AMONG."""


@dataclass
class Ledger:
    """The honest log in its folder, what it has promised, and what it knows of its own end."""

    folder: Path
    policy: Policy
    ask: Callable[[str, bytes | None], Response]
    log: Log | None = None
    sent: int = 0
    promises: dict[bytes, "Future[int]"] = field(default_factory=dict)
    acknowledged: dict[bytes, int] = field(default_factory=dict)
    trouble: SafeconductError | None = None
    _stack: ExitStack = field(default_factory=ExitStack)

    @property
    def paths(self) -> LogFolder:
        return LogFolder(path=self.folder)

    def open(self) -> None:
        """Start the log's process, in which nothing that was read before is known."""
        forget_tiles()
        self._stack, self.trouble = ExitStack(), None
        config, pace = load_config(self.folder), Pace(reserve_bytes=0, republish_seconds=3)
        self.log = self._stack.enter_context(
            open_log(self.folder, config, self.policy, admit_hash, pace, ask=self.ask)
        )

    def close(self, error: BaseException | None = None) -> None:
        """Stop cleanly, or as a process that ends by `error` leaves it."""
        self.log = None
        self.promises.clear()
        self._stack.__exit__(type(error) if error else None, error, None)

    def send(self, count: int) -> None:
        """Send new entries; a log that takes nothing in now says so."""
        assert self.log is not None
        for _ in range(count):
            entry = (self.sent + 1).to_bytes(32, "big")
            try:
                self.promises[entry] = self.log.submit(entry)
            except UnavailableError:
                assert not self.log.health().accepting
                return
            self.sent += 1

    def collect(self) -> list[bytes]:
        """What was newly acknowledged."""
        kept = [e for e, p in self.promises.items() if p.done() and p.exception() is None]
        for entry in kept:
            self.acknowledged[entry] = self.promises.pop(entry).result()
        return kept

    def book(self, size: int) -> Book:
        """The first `size` entries, as the level-0 tile on the disk has them."""
        if not size:
            return EMPTY_BOOK
        assert size < TILE_WIDTH
        data = (self.paths.public / "tile" / "0" / "000.p" / str(size)).read_bytes()
        return book_of(tuple(data[i : i + HASH_BYTES] for i in range(0, len(data), HASH_BYTES)))

    def signed_tree(self) -> Tree:
        """What the log has signed last, as its lock store has it."""
        with closing(open_store(self.paths.lock_store, ORIGIN)) as store:
            return store.signed().tree

    @property
    def written(self) -> Book:
        """All entries that have their places; after a crash not all may be signed."""
        assert self.log is not None
        return self.book(self.log.health().tree_size)

    @property
    def published(self) -> Published | None:
        with suppress(RefusedError):
            return self.log.published() if self.log is not None else None
        return None


def make_policy(kind: str, log_keys: Sequence[VerifierKey]) -> Policy:
    threshold, names = QUORUMS[kind]
    return Policy(
        logs=tuple(LogLine(key=key) for key in log_keys),
        witnesses=tuple(map(witness_line, names)),
        groups=(GroupLine(name="enough", threshold=threshold, members=names),),
        quorum="enough",
    )
