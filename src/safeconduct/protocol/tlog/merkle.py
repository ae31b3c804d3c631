"""Merkle trees over entries: hashes, proofs, and the right edge that a log appends to.

A tree of n entries splits at the largest power of two below n, for ever downwards. Every node
is a range [start, end) of entries; a *complete subtree* (level, index) is the aligned range
[index * 2^level, (index + 1) * 2^level). Complete subtrees never change once they are filled,
so they are what a log stores, and what `ReadHashes` asks for, always in one batch.

Prover and verifier walk the same plan: the list of ranges whose hashes make up the proof.

Spec: RFC 6962 §2.1; RFC 9162 §2.1.3-2.1.4; c2sp.org/tlog-witness for an empty old tree.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import TypeAlias

from safeconduct.errors import UnverifiedError

HASH_BYTES = 32
TREE_SIZE_END = 1 << 63
"""Every tree size is below this number of entries."""
PROOF_HASHES_MAX = 63
EMPTY_ROOT = sha256(b"").digest()

Subtree: TypeAlias = tuple[int, int]
"""(level, index) of a complete subtree."""
ReadHashes: TypeAlias = Callable[[Sequence[Subtree]], list[bytes]]
"""Gives the hashes of complete subtrees, in the order asked for."""
Range: TypeAlias = tuple[int, int]
"""[start, end) of entries under one node of a tree."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    """`size` entries under the 32-byte `root_hash`."""

    size: int
    root_hash: bytes


def leaf_hash(entry: bytes) -> bytes:
    """The 32-byte hash of one entry. Spec: RFC 6962 §2.1."""
    return sha256(b"\x00" + entry).digest()


def leaf_hashes(entries: Iterable[bytes]) -> list[bytes]:
    """`leaf_hash` of each."""
    return [sha256(b"\x00" + entry).digest() for entry in entries]


def parents(row: Sequence[bytes]) -> list[bytes]:
    """The hashes above a row of an even number of hashes: half as many."""
    pairs = zip(row[::2], row[1::2], strict=True)
    return [sha256(b"\x01" + left + right).digest() for left, right in pairs]


def node_hash(left: bytes, right: bytes) -> bytes:
    """The 32-byte hash of two neighbours. Spec: RFC 6962 §2.1."""
    return sha256(b"\x01" + left + right).digest()


def root(tree_size: int, read: ReadHashes) -> bytes:
    """The root hash of the first `tree_size` entries, from at most 63 stored hashes."""
    _check_size(tree_size)
    if tree_size == 0:
        return EMPTY_ROOT
    return _fold(_read(_complete_subtrees((0, tree_size)), read))


def inclusion_proof(index: int, tree_size: int, read: ReadHashes) -> list[bytes]:
    """The siblings from the leaf at `index` up to the root: at most 63 hashes.

    Spec: RFC 6962 §2.1.1. Requires 0 <= index < tree_size.
    """
    return inclusion_proofs([index], tree_size, read)[0]


def inclusion_proofs(
    indexes: Sequence[int], tree_size: int, read: ReadHashes
) -> list[list[bytes]]:
    """The `inclusion_proof` of each index, read in one batch, with what they share made once.

    Requires 0 <= index < tree_size of all.
    """
    _check_size(tree_size)
    for index in indexes:
        if not 0 <= index < tree_size:
            raise ValueError(f"no entry {index} in a tree of {tree_size}")
    plans = [_inclusion_plan(index, tree_size) for index in indexes]
    nodes = list(dict.fromkeys(node for plan in plans for node in plan))
    hashes = dict(zip(nodes, _prove(nodes, read), strict=True))
    return [[hashes[node] for node in plan] for plan in plans]


def consistency_proof(old_size: int, tree_size: int, read: ReadHashes) -> list[bytes]:
    """The hashes showing that the first `old_size` entries still begin the tree.

    Empty when the old tree is empty or both are one. Requires 0 <= old_size <= tree_size.

    Spec: RFC 6962 §2.1.2; c2sp.org/tlog-witness.
    """
    _check_size(tree_size)
    if not 0 <= old_size <= tree_size:
        raise ValueError(f"a tree of {old_size} cannot begin one of {tree_size}")
    if old_size in (0, tree_size):
        return []
    return _prove(_consistency_plan(old_size, tree_size), read)


def verify_inclusion(leaf_hash: bytes, index: int, proof: Sequence[bytes], tree: Tree) -> None:
    """Ensure that the entry hashing to `leaf_hash` is number `index` of `tree`.

    Raises:
        UnverifiedError: the index lies outside, or the proof leads to another root.

    Spec: RFC 9162 §2.1.3.2.
    """
    if not 0 <= index < tree.size < TREE_SIZE_END:
        raise UnverifiedError(f"inclusion: no entry {index} in a tree of {tree.size}")
    plan = _inclusion_plan(index, tree.size)
    _check_proof("inclusion", proof, len(plan))
    if len(leaf_hash) != HASH_BYTES:
        raise UnverifiedError(f"inclusion: a leaf hash is not {HASH_BYTES} bytes")
    reached = leaf_hash
    for (start, _), sibling in zip(plan, proof, strict=True):
        on_the_right = start > index
        reached = node_hash(reached, sibling) if on_the_right else node_hash(sibling, reached)
    if reached != tree.root_hash:
        raise UnverifiedError(f"inclusion: entry {index} does not lead to the root hash")


def verify_consistency(old: Tree, new: Tree, proof: Sequence[bytes]) -> None:
    """Ensure that `old` is the beginning of `new`: nothing was dropped, changed or inserted.

    Raises:
        UnverifiedError: sizes shrink, a root hash is not reached, or the proof is too long.

    Spec: RFC 9162 §2.1.4.2; c2sp.org/tlog-witness for old.size = 0 and for equal sizes.
    """
    if not 0 <= old.size <= new.size < TREE_SIZE_END:
        raise UnverifiedError(f"consistency: {new.size} entries after {old.size}")
    _check_empty(old)
    _check_empty(new)
    if old.size in (0, new.size):
        _check_proof("consistency", proof, 0)
        if old.size == new.size and old.root_hash != new.root_hash:
            raise UnverifiedError(f"consistency: two root hashes for {new.size} entries")
        return
    _verify_growth(old, new, proof)


def _verify_growth(old: Tree, new: Tree, proof: Sequence[bytes]) -> None:
    plan = _consistency_plan(old.size, new.size)
    _check_proof("consistency", proof, len(plan))
    steps = list(zip(plan, proof, strict=True))
    # Both roots grow from the last subtree of the old tree. Where that is the whole old tree,
    # the verifier knows its hash already and the plan leaves it out.
    old_reached = new_reached = old.root_hash
    if plan[0][1] == old.size:
        old_reached = new_reached = steps.pop(0)[1]
    for (start, _), sibling in steps:
        if start >= old.size:
            new_reached = node_hash(new_reached, sibling)
        else:
            old_reached = node_hash(sibling, old_reached)
            new_reached = node_hash(sibling, new_reached)
    if (old_reached, new_reached) != (old.root_hash, new.root_hash):
        raise UnverifiedError(f"consistency: {old.size} to {new.size} misses a root hash")


def _check_empty(tree: Tree) -> None:
    if tree.size == 0 and tree.root_hash != EMPTY_ROOT:
        raise UnverifiedError("consistency: an empty tree has another root hash")


def _check_proof(what: str, proof: Sequence[bytes], count: int) -> None:
    if len(proof) != count:
        raise UnverifiedError(f"{what}: {len(proof)} proof hashes where {count} belong")
    if any(len(sibling) != HASH_BYTES for sibling in proof):
        raise UnverifiedError(f"{what}: a proof hash is not {HASH_BYTES} bytes")


def _check_size(tree_size: int) -> None:
    if not 0 <= tree_size < TREE_SIZE_END:
        raise ValueError(f"tree size {tree_size} is not in [0, 2^63)")


def _split(start: int, end: int) -> int:
    """Where the node over [start, end), two entries or more, parts into its children."""
    return start + (1 << ((end - start - 1).bit_length() - 1))


def _inclusion_plan(index: int, tree_size: int) -> list[Range]:
    """The ranges of the siblings from the leaf upwards."""
    start, end, plan = 0, tree_size, list[Range]()
    while end - start > 1:
        middle = _split(start, end)
        if index < middle:
            plan.append((middle, end))
            end = middle
        else:
            plan.append((start, middle))
            start = middle
    return plan[::-1]


def _consistency_plan(old_size: int, tree_size: int) -> list[Range]:
    """The old tree's last subtree unless it is the whole, then the siblings upwards."""
    start, end, plan = 0, tree_size, list[Range]()
    while end != old_size:
        middle = _split(start, end)
        if old_size <= middle:
            plan.append((middle, end))
            end = middle
        else:
            plan.append((start, middle))
            start = middle
    if start > 0:
        plan.append((start, end))
    return plan[::-1]


def _complete_subtrees(node: Range) -> list[Subtree]:
    """The stored hashes that a node's hash folds from, left to right, largest first."""
    start, end = node
    found = []
    while start < end:
        level = (end - start).bit_length() - 1
        found.append((level, start >> level))
        start += 1 << level
    return found


def _prove(plan: list[Range], read: ReadHashes) -> list[bytes]:
    parts = [_complete_subtrees(node) for node in plan]
    hashes = iter(_read([subtree for part in parts for subtree in part], read))
    return [_fold([next(hashes) for _ in part]) for part in parts]


def _read(subtrees: list[Subtree], read: ReadHashes) -> list[bytes]:
    hashes = read(subtrees)
    if len(hashes) != len(subtrees):
        raise ValueError(f"reader gave {len(hashes)} hashes for {len(subtrees)} subtrees")
    return hashes


def _fold(hashes: Sequence[bytes]) -> bytes:
    """The hash of the node made of complete subtrees, given left to right."""
    *rest, reached = hashes
    for left in reversed(rest):
        reached = node_hash(left, reached)
    return reached


@dataclass(frozen=True, slots=True, kw_only=True)
class Frontier:
    """The right edge of a tree: all that appending needs.

    size = 13 = 0b1101:   hashes = ( level 3 [0, 8) , level 2 [8, 12) , level 0 [12, 13) )

    One hash per complete subtree, largest first: as many as the size has binary ones.
    """

    size: int
    hashes: tuple[bytes, ...]

    @classmethod
    def empty(cls) -> "Frontier":
        """The edge of a tree without entries."""
        return cls(size=0, hashes=())

    @classmethod
    def read(cls, tree_size: int, read: ReadHashes) -> "Frontier":
        """The edge of the first `tree_size` stored entries; its `tree()` is not yet trusted."""
        _check_size(tree_size)
        hashes = _read(_complete_subtrees((0, tree_size)), read) if tree_size else []
        return cls(size=tree_size, hashes=tuple(hashes))

    def tree(self) -> Tree:
        """Size and root hash of the entries so far."""
        return Tree(size=self.size, root_hash=_fold(self.hashes) if self.size else EMPTY_ROOT)

    def append(self, leaf_hash: bytes) -> "Frontier":
        """The edge after one more entry."""
        return self.extend([leaf_hash])[0]

    def extend(
        self, leaf_hashes: Sequence[bytes]
    ) -> "tuple[Frontier, dict[tuple[int, int], bytes]]":
        """The edge after more entries, and every complete subtree that they filled.

        The new hashes are keyed (level, index), leaves included as level 0.
        """
        grown, rows = self.grow(leaf_hashes)
        filled: dict[Subtree, bytes] = {}
        for level, row in enumerate(rows):
            first = self.size >> level
            filled.update(zip(_subtrees_from(level, first, len(row)), row, strict=True))
        return grown, filled

    def grow(self, leaf_hashes: Sequence[bytes]) -> "tuple[Frontier, list[list[bytes]]]":
        """The edge after more entries, and a row of new hashes for each level, leaves first.

        The row of a level begins at index `size` >> level: what `extend` gives, for those who
        have many entries and want no keys.
        """
        _check_size(self.size + len(leaf_hashes))
        edge = dict(zip(self._levels(), self.hashes, strict=True))
        row, first, rows = list(leaf_hashes), self.size, list[list[bytes]]()
        while row:
            level = len(rows)
            rows.append(row)
            if first & 1:
                row = [edge.pop(level), *row]
            if len(row) & 1:
                edge[level] = row[-1]
            row = parents(row[: len(row) & ~1])
            first >>= 1
        hashes = tuple(edge[level] for level in sorted(edge, reverse=True))
        return Frontier(size=self.size + len(leaf_hashes), hashes=hashes), rows

    def _levels(self) -> list[int]:
        bits = range(self.size.bit_length())
        return [level for level in reversed(bits) if self.size >> level & 1]


def _subtrees_from(level: int, first: int, count: int) -> list[Subtree]:
    return [(level, index) for index in range(first, first + count)]
