"""A Ledger of the real program, with real witnesses, that is let grow to chosen sizes."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.parties.log.log_world import World, hash_entry, kept, make_world

from safeconduct.parties.log.sequence import Log
from safeconduct.plumbing.durable import read_file
from safeconduct.protocol.canonical import format_base64
from safeconduct.protocol.tlog.merkle import ReadHashes, Tree, consistency_proof
from safeconduct.protocol.tlog.note import format_vkey
from safeconduct.protocol.tlog.tile import TILE_BYTES, Tile, hash_reader, tile_path

_ROUND_ENTRIES = 4_096  # more may not wait at once


@dataclass
class RealLog:
    """The open log, its world, and the sizes at which it has been published."""

    world: World
    log: Log
    sizes: list[int] = field(default_factory=list)

    @property
    def vkey(self) -> str:
        """The log's Ed25519 key, as policies hold it."""
        return format_vkey(self.world.log_key)

    @property
    def public(self) -> Path:
        """The files that the log shows to everybody."""
        return self.world.paths.public

    @property
    def checkpoint(self) -> bytes:
        return self.log.published().checkpoint

    @property
    def tree(self) -> Tree:
        return self.log.published().tree

    def grow(self, size: int) -> None:
        """Have it log entries, and publish, until it has exactly `size`."""
        for start in range(self.sizes[-1] if self.sizes else 0, size, _ROUND_ENTRIES):
            numbers = range(start, min(size, start + _ROUND_ENTRIES))
            promises = [self.log.submit(hash_entry(number)) for number in numbers]
            self.log.round()
            assert [kept(promise) for promise in promises] == list(numbers)
        self.sizes.append(size)

    def growth(self, old_size: int) -> bytes:
        """What it would send to a witness that knows `old_size` entries."""
        proof = consistency_proof(old_size, self.tree.size, self._hashes())
        lines = [f"old {old_size}", *map(format_base64, proof), "", ""]
        return "\n".join(lines).encode() + self.checkpoint

    def _hashes(self) -> ReadHashes:
        def fetch(tile: Tile) -> bytes:
            return read_file(self.public / tile_path(tile), bytes_max=TILE_BYTES)

        return hash_reader(self.tree.size, fetch)


@contextmanager
def real_log(folder: Path) -> Iterator[RealLog]:
    """A founded log, open for writing, with its witnesses served over HTTP."""
    with make_world(folder) as world, world.open() as log:
        yield RealLog(world=world, log=log)
