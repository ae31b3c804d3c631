"""A log small enough to hold in a test, and the requests it sends to witnesses."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from safeconduct.errors import SafeconductError
from safeconduct.parties.witness.cosign import Keys, Witness
from safeconduct.parties.witness.logs import Log, logs_of
from safeconduct.parties.witness.memory import open_memory
from safeconduct.protocol.canonical import format_base64
from safeconduct.protocol.tlog.checkpoint import Checkpoint, format_checkpoint
from safeconduct.protocol.tlog.cosignature import sign_as_log
from safeconduct.protocol.tlog.merkle import (
    Frontier,
    Subtree,
    Tree,
    consistency_proof,
    leaf_hash,
    node_hash,
)
from safeconduct.protocol.tlog.note import MLDSA44, Note, SigningKey, format_note

ORIGIN = "log.example/ledger"
LOG_KEY = SigningKey(name=ORIGIN, seed=b"L" * 32)
OTHER_KEY = SigningKey(name=ORIGIN, seed=b"O" * 32)
MLDSA44_LOG_KEY = SigningKey(name=ORIGIN, seed=b"l" * 32, algorithm=MLDSA44)
OWN = SigningKey(name="witness.example", seed=b"W" * 32)
MLDSA44_OWN = SigningKey(name="witness.example", seed=b"w" * 32, algorithm=MLDSA44)
NOW = 1_800_000_000


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


def signed(
    tree: Tree,
    *keys: SigningKey,
    origin: str = ORIGIN,
    extensions: tuple[str, ...] = (),
) -> bytes:
    """The checkpoint of `tree` under the log's signature, or under those of `keys`."""
    checkpoint = Checkpoint(origin=origin, tree=tree, extensions=extensions)
    text = format_checkpoint(checkpoint)
    lines = tuple(sign_as_log(text, key, NOW) for key in keys or (LOG_KEY,))
    return format_note(Note(text=text, signatures=lines))


def request(old_size: int | str, proof: Sequence[bytes], checkpoint: bytes) -> bytes:
    """The body of add-checkpoint."""
    lines = [f"old {old_size}", *map(format_base64, proof), "", ""]
    return "\n".join(lines).encode() + checkpoint


def honest(log: SmallLog, old_size: int, size: int) -> bytes:
    """What an honest log sends to a witness that knows `old_size` entries."""
    return request(old_size, log.proof(old_size, size), signed(log.tree(size)))


@contextmanager
def witness_in(
    folder: Path,
    *log_keys: SigningKey,
    own: Sequence[SigningKey] = (OWN,),
    logs: dict[str, Log] | None = None,
) -> Iterator[Witness]:
    """A witness at work in `folder`, for the log of LOG_KEY unless told otherwise."""
    served = logs or logs_of(key.verifier() for key in log_keys or (LOG_KEY,))
    memory = open_memory(folder, served)
    try:
        yield Witness(keys=Keys(own=own, logs=served), memory=memory)
    finally:
        memory.store.close()


def status_of(body: bytes, witness: Witness, now: int = NOW) -> int:
    """The HTTP status of a request, as an answer or as an error."""
    try:
        return witness.cosign(body, now).status
    except SafeconductError as error:
        return error.http_status
