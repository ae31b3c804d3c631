"""Merkle trees against published cases and against the RFC's own recursive definitions."""

import base64
import json
from collections.abc import Iterator
from functools import cache
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.protocol.tlog.sample_log import entry, grown, reader
from tests.vector_sets import vector_folder

from safeconduct.errors import UnverifiedError
from safeconduct.protocol.tlog.merkle import (
    EMPTY_ROOT,
    TREE_SIZE_END,
    Frontier,
    Subtree,
    Tree,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    node_hash,
    root,
    verify_consistency,
    verify_inclusion,
)

SIZE_MAX = 130

EMPTY_OLD_TREE = {
    "additional/size1-is-zero-and-size2-is-not-zero.json": "accepted here",
    "additional/size1-is-zero-and-does-not-equal-size2.json": "not the empty tree's root hash",
    "additional/sizes-are-equal-zero-and-proof-is-empty.json": "not the empty tree's root hash",
}
"""Published as errors on the ground that an empty old tree proves nothing. The rule of
c2sp.org/tlog-witness accepts it, provided that its root hash is that of an empty tree."""


# The definitions of RFC 6962 §2.1, word for word: slow, recursive and obvious.


@cache
def slow_root(start: int, end: int) -> bytes:
    if start == end:
        return sha256(b"").digest()
    if end - start == 1:
        return sha256(b"\x00" + entry(start)).digest()
    middle = start + largest_power_of_two_below(end - start)
    return sha256(b"\x01" + slow_root(start, middle) + slow_root(middle, end)).digest()


def slow_path(index: int, start: int, end: int) -> list[bytes]:
    if end - start == 1:
        return []
    middle = start + largest_power_of_two_below(end - start)
    if index < middle:
        return [*slow_path(index, start, middle), slow_root(middle, end)]
    return [*slow_path(index, middle, end), slow_root(start, middle)]


def slow_subproof(old: int, start: int, end: int, whole: bool) -> list[bytes]:
    if old == end:
        return [] if whole else [slow_root(start, end)]
    middle = start + largest_power_of_two_below(end - start)
    if old <= middle:
        return [*slow_subproof(old, start, middle, whole), slow_root(middle, end)]
    return [*slow_subproof(old, middle, end, False), slow_root(start, middle)]


@cache
def largest_power_of_two_below(number: int) -> int:
    power = 1
    while 2 * power < number:
        power *= 2
    return power


def tree_of(size: int) -> Tree:
    return Tree(size=size, root_hash=slow_root(0, size))


def test_hashes_of_leaves_nodes_and_nothing_are_as_the_rfc_defines_them() -> None:
    assert sha256(b"").digest() == EMPTY_ROOT
    assert leaf_hash(b"") == sha256(b"\x00").digest()
    assert leaf_hash(b"x") == sha256(b"\x00x").digest()
    assert node_hash(b"l" * 32, b"r" * 32) == sha256(b"\x01" + b"l" * 32 + b"r" * 32).digest()


def test_every_root_and_every_inclusion_proof_is_the_rfcs() -> None:
    read = reader(grown(SIZE_MAX)[1])
    for size in range(SIZE_MAX + 1):
        assert root(size, read) == slow_root(0, size)
        for index in range(size):
            proof = inclusion_proof(index, size, read)
            assert proof == slow_path(index, 0, size)
            verify_inclusion(leaf_hash(entry(index)), index, proof, tree_of(size))


def test_every_consistency_proof_is_the_rfcs() -> None:
    read = reader(grown(SIZE_MAX)[1])
    for size in range(SIZE_MAX + 1):
        for old in range(size + 1):
            proof = consistency_proof(old, size, read)
            assert proof == (slow_subproof(old, 0, size, True) if old else [])
            verify_consistency(tree_of(old), tree_of(size), proof)


def test_an_index_never_verifies_at_another_place_of_the_same_tree() -> None:
    read = reader(grown(13)[1])
    for index in range(13):
        proof = inclusion_proof(index, 13, read)
        for other in set(range(-1, 15)) - {index}:
            with pytest.raises(UnverifiedError):
                verify_inclusion(leaf_hash(entry(index)), other, proof, tree_of(13))


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_a_tampered_inclusion_proof_is_refused(data: st.DataObject) -> None:
    size = data.draw(st.integers(2, SIZE_MAX))
    index = data.draw(st.integers(0, size - 1))
    proof = data.draw(tampered(slow_path(index, 0, size)))
    with pytest.raises(UnverifiedError):
        verify_inclusion(leaf_hash(entry(index)), index, proof, tree_of(size))


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_a_tampered_consistency_proof_is_refused(data: st.DataObject) -> None:
    size = data.draw(st.integers(2, SIZE_MAX))
    old = data.draw(st.integers(1, size - 1))
    proof = data.draw(tampered(slow_subproof(old, 0, size, True)))
    with pytest.raises(UnverifiedError):
        verify_consistency(tree_of(old), tree_of(size), proof)


@st.composite
def tampered(draw: st.DrawFn, proof: list[bytes]) -> list[bytes]:
    place = draw(st.integers(0, len(proof) - 1))
    hash_, bit = proof[place], draw(st.integers(0, 255))
    flipped = (int.from_bytes(hash_, "big") ^ 1 << bit).to_bytes(32, "big")
    changes = {
        "flip a bit": [flipped],
        "drop a hash": [],
        "repeat a hash": [hash_, hash_],
        "cut a hash short": [hash_[:-1]],
        "lengthen a hash": [hash_ + b"\0"],
    }
    put = changes[draw(st.sampled_from(sorted(changes)))]
    return proof[:place] + put + proof[place + 1 :]


INCONSISTENT = {
    "the tree shrinks": (tree_of(5), tree_of(4), []),
    "same size, two root hashes": (tree_of(5), Tree(size=5, root_hash=slow_root(0, 4)), []),
    "same tree, a needless hash": (tree_of(5), tree_of(5), [slow_root(0, 5)]),
    "from nothing, a needless hash": (tree_of(0), tree_of(5), [slow_root(0, 5)]),
    "from an empty tree with a root of its own": (
        Tree(size=0, root_hash=slow_root(0, 1)),
        tree_of(5),
        [],
    ),
    "both empty, both wrong": (
        Tree(size=0, root_hash=slow_root(0, 1)),
        Tree(size=0, root_hash=slow_root(0, 1)),
        [],
    ),
    "no proof at all": (tree_of(4), tree_of(5), []),
    "2^63 entries": (tree_of(0), Tree(size=TREE_SIZE_END, root_hash=EMPTY_ROOT), []),
    "fewer than no entries": (Tree(size=-1, root_hash=EMPTY_ROOT), tree_of(5), []),
}


@pytest.mark.parametrize(("old", "new", "proof"), INCONSISTENT.values(), ids=INCONSISTENT)
def test_an_inconsistent_pair_is_refused(old: Tree, new: Tree, proof: list[bytes]) -> None:
    with pytest.raises(UnverifiedError):
        verify_consistency(old, new, proof)


def test_an_empty_old_tree_is_consistent_with_everything() -> None:
    verify_consistency(tree_of(0), tree_of(9), [])
    verify_consistency(tree_of(0), tree_of(0), [])


def test_nothing_is_included_in_an_empty_tree() -> None:
    with pytest.raises(UnverifiedError):
        verify_inclusion(EMPTY_ROOT, 0, [], tree_of(0))


def test_proofs_of_the_largest_tree_come_from_one_batch_of_few_hashes() -> None:
    asked: list[int] = []

    def read(subtrees: object) -> list[bytes]:
        assert isinstance(subtrees, list)
        asked.append(len(subtrees))
        return [bytes(32)] * len(subtrees)

    proof = inclusion_proof(TREE_SIZE_END // 2 - 1, TREE_SIZE_END - 1, read)
    assert len(proof) == 63
    assert asked == [62 + 62]


def test_a_prover_asked_for_what_cannot_be_is_a_mistake_of_ours() -> None:
    read = reader(grown(4)[1])
    with pytest.raises(ValueError, match="no entry 4"):
        inclusion_proof(4, 4, read)
    with pytest.raises(ValueError, match="cannot begin"):
        consistency_proof(5, 4, read)
    with pytest.raises(ValueError, match="not in"):
        root(TREE_SIZE_END, read)
    with pytest.raises(ValueError, match="gave 0 hashes"):
        root(4, lambda subtrees: [])


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 40), max_size=6))
def test_a_frontier_grown_in_any_batches_is_the_same(batches: list[int]) -> None:
    frontier, stored, size = Frontier.empty(), dict[Subtree, bytes](), 0
    for batch in batches:
        leaves = [leaf_hash(entry(index)) for index in range(size, size + batch)]
        frontier, new = frontier.extend(leaves)
        assert not stored.keys() & new.keys()
        stored, size = stored | new, size + batch
        assert frontier.tree() == tree_of(size)
    assert (frontier, stored) == grown(size)
    assert Frontier.read(size, reader(stored)) == frontier


def test_the_new_hashes_are_exactly_the_complete_subtrees() -> None:
    stored = grown(77)[1]
    for (level, index), hash_ in stored.items():
        assert hash_ == slow_root(index << level, (index + 1) << level)
    assert len(stored) == 77 + 38 + 19 + 9 + 4 + 2 + 1


def test_appending_leaves_the_old_frontier_as_it_was() -> None:
    three = grown(3)[0]
    four = three.append(leaf_hash(entry(3)))
    assert (three.tree(), four.tree()) == (tree_of(3), tree_of(4))
    assert four.hashes == (slow_root(0, 4),)


# Published cases.


def cases(kind: str) -> Iterator[tuple[str, dict[str, Any]]]:
    folder = vector_folder("merkle") / kind
    for file in sorted(folder.rglob("*.json")):
        yield str(file.relative_to(folder)), json.loads(file.read_bytes())


def hashes(encoded: list[str] | None) -> list[bytes]:
    return [base64.b64decode(text) for text in encoded or []]


def test_the_98_published_inclusion_cases_come_out_as_published() -> None:
    outcomes = {}
    for name, case in cases("inclusion"):
        leaf, root_hash = hashes([case["leafHash"], case["root"]])
        tree = Tree(size=case["treeSize"], root_hash=root_hash)
        try:
            verify_inclusion(leaf, case["leafIdx"], hashes(case["proof"]), tree)
            outcomes[name] = (False, case["wantErr"])
        except UnverifiedError:
            outcomes[name] = (True, case["wantErr"])
    assert len(outcomes) == 98
    assert [name for name, (got, want) in outcomes.items() if got != want] == []


def test_the_98_published_consistency_cases_come_out_as_published_but_for_an_empty_tree() -> (
    None
):
    outcomes = {}
    for name, case in cases("consistency"):
        old, new = consistency_trees(case)
        try:
            verify_consistency(old, new, hashes(case["proof"]))
            outcomes[name] = (False, case["wantErr"])
        except UnverifiedError:
            outcomes[name] = (True, case["wantErr"])
    assert len(outcomes) == 98
    different = [name for name, (got, want) in outcomes.items() if got != want]
    assert different == [name for name, why in EMPTY_OLD_TREE.items() if "accepted" in why]


def test_published_errors_with_an_empty_old_tree_depend_on_its_root_hash_here() -> None:
    found = {name: case for name, case in cases("consistency") if name in EMPTY_OLD_TREE}
    assert found.keys() == EMPTY_OLD_TREE.keys()
    for case in found.values():
        old, new = consistency_trees(case)
        assert (old.size, hashes(case["proof"])) == (0, [])
        verify_consistency(tree_of(0), tree_of(new.size), [])
        if old.root_hash != EMPTY_ROOT:
            with pytest.raises(UnverifiedError, match="empty tree"):
                verify_consistency(old, new, [])


def consistency_trees(case: dict[str, Any]) -> tuple[Tree, Tree]:
    old_root, new_root = hashes([case["root1"], case["root2"]])
    return (
        Tree(size=case["size1"], root_hash=old_root),
        Tree(size=case["size2"], root_hash=new_root),
    )


# All sizes up to 300: beyond a full tile, so that every shape of a right edge occurs.

ALL_SIZES_MAX = 300


@cache
def slow_paths(start: int, end: int) -> tuple[list[bytes], ...]:
    """The paths of all entries under one node, leaf's sibling first."""
    if end - start == 1:
        return ([],)
    middle = start + largest_power_of_two_below(end - start)
    left, right = slow_root(start, middle), slow_root(middle, end)
    return (
        *([*path, right] for path in slow_paths(start, middle)),
        *([*path, left] for path in slow_paths(middle, end)),
    )


def test_all_inclusion_proofs_of_all_sizes_up_to_300_are_the_rfcs() -> None:
    read = reader(grown(ALL_SIZES_MAX)[1])
    leaves = [leaf_hash(entry(index)) for index in range(ALL_SIZES_MAX)]
    for size in range(1, ALL_SIZES_MAX + 1):
        tree, paths = tree_of(size), slow_paths(0, size)
        for index in range(size):
            assert inclusion_proof(index, size, read) == paths[index]
            verify_inclusion(leaves[index], index, paths[index], tree)


def test_all_consistency_proofs_of_all_pairs_up_to_300_are_the_rfcs() -> None:
    read = reader(grown(ALL_SIZES_MAX)[1])
    trees = [tree_of(size) for size in range(ALL_SIZES_MAX + 1)]
    for size in range(ALL_SIZES_MAX + 1):
        assert root(size, read) == trees[size].root_hash
        for old in range(size + 1):
            proof = consistency_proof(old, size, read)
            assert proof == (slow_subproof(old, 0, size, True) if old else [])
            verify_consistency(trees[old], trees[size], proof)


def test_no_consistency_proof_of_any_pair_up_to_300_serves_a_forged_old_tree() -> None:
    read = reader(grown(ALL_SIZES_MAX)[1])
    for size in range(2, ALL_SIZES_MAX + 1, 7):
        for old in range(1, size):
            proof = consistency_proof(old, size, read)
            forged = Tree(size=old, root_hash=slow_root(1, old + 1))
            with pytest.raises(UnverifiedError):
                verify_consistency(forged, tree_of(size), proof)
