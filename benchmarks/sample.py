"""A log as a sample: its entries, keys and policy, and its public files."""

from pathlib import Path

from safeconduct.plumbing import clock
from safeconduct.protocol.tlog.checkpoint import Checkpoint, format_checkpoint
from safeconduct.protocol.tlog.cosignature import cosign
from safeconduct.protocol.tlog.merkle import Frontier, Subtree, leaf_hash
from safeconduct.protocol.tlog.note import (
    Note,
    SigningKey,
    VerifierKey,
    format_note,
    sign_note,
)
from safeconduct.protocol.tlog.policy import GroupLine, LogLine, Policy, WitnessLine
from safeconduct.protocol.tlog.tile import (
    TILE_HEIGHT,
    TILE_WIDTH,
    Tile,
    bundle_path,
    format_bundle,
    tile_path,
)

ORIGIN = "log.example/bench"
LOG = SigningKey(name=ORIGIN, seed=b"log".ljust(32, b"-"))
WITNESSES = {
    name: SigningKey(name=f"{name}.example", seed=name.encode().ljust(32, b"-"))
    for name in ("anna", "boris")
}
ENTRY_BYTES = 200
HASH_BYTES = 32


def entries(first: int, count: int, size_bytes: int = ENTRY_BYTES) -> list[bytes]:
    """Entries that differ from each other."""
    return [number.to_bytes(size_bytes, "big") for number in range(first, first + count)]


def policy(log: VerifierKey) -> Policy:
    """Both witnesses are asked; the addresses are made up."""
    return Policy(
        logs=(LogLine(key=log),),
        witnesses=tuple(
            WitnessLine(name=name, key=key.cosigner(), url=f"http://{name}")
            for name, key in WITNESSES.items()
        ),
        groups=(GroupLine(name="both", threshold=2, members=tuple(WITNESSES)),),
        quorum="both",
    )


def write_public(folder: Path, tree_size: int) -> Policy:
    """Bundles, tiles and cosigned checkpoint of so many entries, written without any log."""
    frontier, stored = Frontier.empty(), dict[Subtree, bytes]()
    for first in range(0, tree_size, TILE_WIDTH):
        batch = entries(first, min(TILE_WIDTH, tree_size - first))
        index = first // TILE_WIDTH
        _write(folder / bundle_path(index, len(batch)), format_bundle(batch))
        leaves = [leaf_hash(entry) for entry in batch]
        _write(
            folder / tile_path(Tile(level=0, index=index, width=len(batch))), b"".join(leaves)
        )
        frontier, filled = frontier.extend(leaves)
        stored |= {
            subtree: filled[subtree]
            for subtree in filled
            if subtree[0] and subtree[0] % TILE_HEIGHT == 0
        }
    _write_upper_tiles(folder, tree_size, stored)
    text = format_checkpoint(Checkpoint(origin=ORIGIN, tree=frontier.tree()))
    lines = [cosign(text, key, clock.seconds()) for key in WITNESSES.values()]
    note = Note(text=text, signatures=(sign_note(text, LOG), *lines))
    _write(folder / "checkpoint", format_note(note))
    return policy(LOG.verifier())


def _write_upper_tiles(folder: Path, tree_size: int, stored: dict[Subtree, bytes]) -> None:
    level = 1
    while count := tree_size >> (TILE_HEIGHT * level):
        row = [stored[TILE_HEIGHT * level, index] for index in range(count)]
        for first in range(0, count, TILE_WIDTH):
            hashes = row[first : first + TILE_WIDTH]
            tile = Tile(level=level, index=first // TILE_WIDTH, width=len(hashes))
            _write(folder / tile_path(tile), b"".join(hashes))
        level += 1


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
