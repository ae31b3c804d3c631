"""A log small enough to hold in a test, and the requests it sends to witnesses."""

from collections.abc import Sequence

from safeconduct.protocol.canonical import format_base64
from safeconduct.protocol.tlog.checkpoint import Checkpoint, format_checkpoint
from safeconduct.protocol.tlog.merkle import (
    Frontier,
    Subtree,
    Tree,
    consistency_proof,
    leaf_hash,
    node_hash,
)
from safeconduct.protocol.tlog.note import Note, SigningKey, format_note, sign_note

ORIGIN = "log.example/ledger"
LOG_KEY = SigningKey(name=ORIGIN, seed=b"L" * 32)
OTHER_KEY = SigningKey(name=ORIGIN, seed=b"O" * 32)


class SmallLog:
    """`size` entries whose text begins with `story`; another story is another tree."""

    def __init__(self, size: int, story: str = "") -> None:
        self.leaves = [leaf_hash(f"{story}{index}".encode()) for index in range(size)]

    def tree(self, size: int) -> Tree:
        return Frontier.empty().extend(self.leaves[:size])[0].tree()

    def proof(self, old_size: int, size: int) -> list[bytes]:
        return consistency_proof(old_size, size, self._read)

    def _read(self, subtrees: Sequence[Subtree]) -> list[bytes]:
        return [self._hash(level, index) for level, index in subtrees]

    def _hash(self, level: int, index: int) -> bytes:
        if level == 0:
            return self.leaves[index]
        return node_hash(self._hash(level - 1, 2 * index), self._hash(level - 1, 2 * index + 1))


def signed(tree: Tree, key: SigningKey = LOG_KEY, origin: str = ORIGIN) -> bytes:
    """The checkpoint of `tree` under one signature."""
    text = format_checkpoint(Checkpoint(origin=origin, tree=tree))
    return format_note(Note(text=text, signatures=(sign_note(text, key),)))


def request(old_size: int | str, proof: Sequence[bytes], checkpoint: bytes) -> bytes:
    """The body of add-checkpoint."""
    lines = [f"old {old_size}", *map(format_base64, proof), "", ""]
    return "\n".join(lines).encode() + checkpoint


def honest(log: SmallLog, old_size: int, size: int) -> bytes:
    """What an honest log sends to a witness that knows `old_size` entries."""
    return request(old_size, log.proof(old_size, size), signed(log.tree(size)))
