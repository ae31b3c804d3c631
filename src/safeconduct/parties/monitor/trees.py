"""Two trees that one log signed: one begins the other, or it is proven that the log forked.

What a log shows to us, to a witness and to a mirror are three stories. Each comes under the
log's own signature, so two that no proof joins convict it, whoever brought them.

Spec: RFC 9162 §2.1.4; `protocol.tlog.fork` for the proof's file.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from safeconduct.errors import SafeconductError, UnverifiedError
from safeconduct.parties.monitor.finding import Exhibit
from safeconduct.protocol.tlog.checkpoint import parse_checkpoint
from safeconduct.protocol.tlog.cosignature import verify_log
from safeconduct.protocol.tlog.fork import ForkProof, find_fork, fork_hashes, format_fork
from safeconduct.protocol.tlog.merkle import (
    ReadHashes,
    Tree,
    consistency_proof,
    verify_consistency,
)
from safeconduct.protocol.tlog.note import Note, VerifierKey, parse_note, signatures_by

Tiles: TypeAlias = Callable[[int], ReadHashes]
"""The stored hashes of a tree of some size, as somebody serves them; not trusted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seat:
    """A log of the programme: what people call it, its origin, address and keys."""

    name: str
    origin: str
    url: str
    keys: tuple[VerifierKey, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """A tree under the log's own signature; `data` is the whole note."""

    tree: Tree
    data: bytes = field(repr=False)

    @property
    def exhibit(self) -> Exhibit:
        """The note as evidence."""
        return Exhibit(suffix=".checkpoint", data=self.data)


def read_signed(data: bytes, seat: Seat) -> Signed:
    """The tree in `data`, once a key of the log has signed it; cosignatures are not looked at.

    Raises:
        MalformedError: no note, or no checkpoint in it.
        UnverifiedError: of another log, not signed by a listed key, or badly by one.
    """
    note = parse_note(data)
    checkpoint = parse_checkpoint(note.text)
    if checkpoint.origin != seat.origin:
        raise UnverifiedError(f"a checkpoint of another log than {seat.origin}")
    _verify_any(note, seat)
    return Signed(tree=checkpoint.tree, data=data)


def _verify_any(note: Note, seat: Seat) -> None:
    signers = [key for key in seat.keys if signatures_by(note, key)]
    if not signers:
        raise UnverifiedError(f"not signed by {seat.origin}")
    for key in signers:
        verify_log(note, key)


def join(one: Signed, other: Signed, tiles: Sequence[Tiles], seat: Seat) -> ForkProof | None:
    """None if the smaller tree begins the larger one; the proof if that is proven impossible.

    `tiles` are asked in turn, until one of them settles it.

    Raises:
        UnverifiedError: nobody's tiles lead to the larger tree.
        SafeconductError: the last error met on the way.
    """
    old, new = sorted((one, other), key=lambda signed: signed.tree.size)
    if old.tree == new.tree:
        return None
    failure: SafeconductError = UnverifiedError("nobody shows the tiles that would join them")
    for hashes in tiles if 0 < old.tree.size < new.tree.size else [_no_tiles]:
        try:
            return _settle(old, new, hashes(new.tree.size), seat)
        except SafeconductError as error:
            failure = error
    raise failure


def _settle(old: Signed, new: Signed, read: ReadHashes, seat: Seat) -> ForkProof | None:
    sizes = old.tree.size, new.tree.size
    try:
        verify_consistency(old.tree, new.tree, consistency_proof(*sizes, read))
    except UnverifiedError:
        fork = find_fork(old.data, new.data, fork_hashes(*sizes, read), seat.keys)
        if fork is None:
            raise
        return fork
    return None


def _no_tiles(_tree_size: int) -> ReadHashes:
    """Equal sizes, and an empty old tree, need no hashes."""
    return lambda subtrees: []


def fork_exhibits(fork: ForkProof) -> tuple[Exhibit, ...]:
    """The proof, and both checkpoints by themselves."""
    return (
        Exhibit(suffix=".fork", data=format_fork(fork)),
        Exhibit(suffix=".checkpoint", data=fork.old),
        Exhibit(suffix=".checkpoint", data=fork.new),
    )
