"""One Ledger on a disk that may fail, three honest witnesses in memory, and what both know."""

from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.crash.disk import FailingDisk, failing
from tests.parties.log.guard_world import NAMES, ORIGIN, Town, witness

from safeconduct.errors import SafeconductError
from safeconduct.parties.log.admission import admit_hash
from safeconduct.parties.log.config import LogConfig, LogFolder, load_config, load_keys, new_log
from safeconduct.parties.log.sequence import Log, Pace, open_log
from safeconduct.protocol.tlog.checkpoint import parse_checkpoint
from safeconduct.protocol.tlog.merkle import Frontier, Tree, leaf_hash
from safeconduct.protocol.tlog.note import parse_note
from safeconduct.protocol.tlog.policy import GroupLine, LogLine, Policy, verify_proof
from safeconduct.protocol.tlog.tile import TILE_WIDTH, parse_bundle

BATCHES = ((0, 3), (3, 200), (200, 201), (201, 262), (262, 530), (530, 531))
"""Entries [first, end) of each round: they cross tiles, and fill small segments."""


def entry(number: int) -> bytes:
    """A Ledger entry that is easy to tell from others."""
    return number.to_bytes(32, "big")


@dataclass
class Rig:
    """What must hold whatever the disk did is checked in `check`."""

    folder: Path
    town: Town = field(default_factory=Town)
    acknowledged: dict[bytes, int] = field(default_factory=dict)

    @property
    def paths(self) -> LogFolder:
        return LogFolder(path=self.folder / "ledger")

    @property
    def policy(self) -> Policy:
        return Policy(
            logs=tuple(LogLine(key=key) for key in load_keys(self.paths).verifiers),
            witnesses=tuple(map(witness, NAMES)),
            groups=(GroupLine(name="two", threshold=2, members=NAMES),),
            quorum="two",
        )

    @contextmanager
    def open(self, reserve_bytes: int = 0) -> Iterator[Log]:
        config = load_config(self.paths.path)
        pace = Pace(reserve_bytes=reserve_bytes)
        with open_log(
            self.paths.path, config, self.policy, admit_hash, pace, ask=self.town.ask
        ) as log:
            yield log

    def play(self, disk: FailingDisk, batches: Sequence[tuple[int, int]] = BATCHES) -> None:
        """Add the batches until the disk fails; what was acknowledged is written down."""
        with failing(disk):
            try:
                with self.open() as log:
                    for first, end in batches:
                        self._round(log, first, end)
            except (SafeconductError, OSError):
                assert disk.failed_in, "nothing but the disk can be at fault"
        disk.cut_power()

    def _round(self, log: Log, first: int, end: int) -> None:
        entries = [entry(number) for number in range(first, end)]
        promises = [(each, log.submit(each)) for each in entries]
        try:
            log.round()
        finally:
            self.acknowledged |= {
                each: promise.result() for each, promise in promises if _is_kept(promise)
            }

    def check(self) -> None:
        """Start again on a good disk: nothing that was acknowledged is lost, nothing forked."""
        with self.open() as log:
            self._round(log, 900, 905)
            policy = self.policy
            for number, (each, index) in enumerate(self.acknowledged.items()):
                assert log.index_of(leaf_hash(each)) == index
                if number % 20 == 0:  # the tree that `_check_history` goes through has them all
                    assert verify_proof(log.proof(index), each, policy, ORIGIN).index == index
            assert log.health().accepting
        self._check_history()

    def _check_history(self) -> None:
        """Every tree that any witness was ever shown is a beginning of the tree there is."""
        trees, frontier = {0: Frontier.empty().tree()}, Frontier.empty()
        for each in self.entries():
            frontier = frontier.append(leaf_hash(each))
            trees[frontier.size] = frontier.tree()
        shown = self.shown()
        assert shown, "the witnesses were asked"
        for tree in shown:
            assert trees[tree.size] == tree

    def entries(self) -> list[bytes]:
        """The whole log, out of its bundles."""
        size = max(tree.size for tree in self.shown())
        found = []
        for index in range(-(-size // TILE_WIDTH)):
            width = min(TILE_WIDTH, size - index * TILE_WIDTH)
            path = self.paths.public / "tile" / "entries" / f"{index:03}"
            file = path if width == TILE_WIDTH else Path(f"{path}.p") / str(width)
            found += parse_bundle(file.read_bytes(), width)
        return found

    def shown(self) -> set[Tree]:
        """Every tree under a checkpoint that left the log."""
        bodies = [body for _, _, body in self.town.requests if body is not None]
        notes = [body.partition(b"\n\n")[2] for body in bodies]
        return {parse_checkpoint(parse_note(note).text).tree for note in notes}


def make_rig(folder: Path) -> Rig:
    """A founded Ledger without padding, and its witnesses."""
    new_log(folder, LogConfig(name="ledger", origin=ORIGIN, kind="ledger", pad=0))
    return Rig(folder=folder)


def _is_kept(promise: Future[int]) -> bool:
    return promise.done() and promise.exception() is None
