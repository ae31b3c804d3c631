"""Proofs that a log forked: complete against liars, impossible against the honest."""

import base64
from collections.abc import Sequence
from dataclasses import replace
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.protocol.tlog.sample_log import (
    LOG,
    LOG_44,
    NOON,
    ORIGIN,
    WITNESSES,
    entry,
    near,
    reader,
)

from safeconduct.errors import MalformedError, UnverifiedError
from safeconduct.protocol.tlog.checkpoint import Checkpoint, format_checkpoint
from safeconduct.protocol.tlog.cosignature import cosign, sign_as_log
from safeconduct.protocol.tlog.fork import (
    Fork,
    ForkProof,
    find_fork,
    fork_hashes,
    format_fork,
    parse_fork,
    verify_fork,
)
from safeconduct.protocol.tlog.merkle import (
    EMPTY_ROOT,
    Frontier,
    Subtree,
    Tree,
    consistency_proof,
    leaf_hash,
)
from safeconduct.protocol.tlog.note import Note, SigningKey, format_note, parse_note

SIZE_MAX = 20
KEYS = [LOG.verifier(), LOG_44.verifier()]
STRANGER = SigningKey(name=ORIGIN, seed=b"\x66" * 32)


@cache
def history(size: int, forked_at: int | None) -> tuple[Frontier, dict[Subtree, bytes]]:
    """The first `size` entries, the one at `forked_at` replaced by another."""
    entries = [b"forged" if index == forked_at else entry(index) for index in range(size)]
    return Frontier.empty().extend([leaf_hash(one) for one in entries])


def tree(size: int, forked_at: int | None = None) -> Tree:
    return history(size, forked_at)[0].tree()


def signed(
    tree: Tree, *keys: SigningKey, origin: str = ORIGIN, extensions: tuple[str, ...] = ()
) -> bytes:
    text = format_checkpoint(Checkpoint(origin=origin, tree=tree, extensions=extensions))
    lines = tuple(sign_as_log(text, key, NOON) for key in keys or (LOG,))
    return format_note(Note(text=text, signatures=lines))


def between(old: int, new: int, forked_at: int | None = None) -> list[bytes]:
    return fork_hashes(old, new, reader(history(new, forked_at)[1]))


def proof(old: int = 5, new: int = 9, forked_at: int = 2) -> ForkProof:
    """The log dropped entry `forked_at` on its way from `old` to `new` entries."""
    return ForkProof(
        old=signed(tree(old)),
        new=signed(tree(new, forked_at)),
        hashes=tuple(between(old, new, forked_at)),
    )


def test_a_changed_entry_is_proven_whatever_the_sizes() -> None:
    for new in range(2, SIZE_MAX):
        for old in range(1, new):
            for forked_at in (0, old // 2, old - 1):
                fork = parse_fork(format_fork(proof(old, new, forked_at)))
                assert verify_fork(fork, KEYS) == Fork(
                    origin=ORIGIN, old=tree(old), new=tree(new, forked_at)
                )


def test_an_honest_history_is_never_a_fork() -> None:
    for new in range(SIZE_MAX):
        for old in range(new + 1):
            hashes = between(old, new) if old < new else []
            honest = ForkProof(
                old=signed(tree(old)), new=signed(tree(new)), hashes=tuple(hashes)
            )
            with pytest.raises(UnverifiedError):
                verify_fork(honest, KEYS)
            assert find_fork(honest.new, honest.old, hashes, KEYS) is None


def test_an_entry_changed_beyond_the_old_tree_is_no_fork() -> None:
    for old in range(1, 9):
        grown_otherwise = proof(old, 9, forked_at=old)
        with pytest.raises(UnverifiedError, match="beginning of the larger"):
            verify_fork(grown_otherwise, KEYS)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_nobody_can_slander_an_honest_log_with_other_hashes(data: st.DataObject) -> None:
    new = data.draw(st.integers(1, SIZE_MAX))
    old = data.draw(st.integers(0, new))
    known = [hash_ for size in (old, new) for hash_ in history(size, None)[1].values()]
    hashes = data.draw(st.lists(st.sampled_from([*known, EMPTY_ROOT, bytes(32)]), max_size=6))
    honest = between(old, new)
    if data.draw(st.booleans()) and honest:
        place = data.draw(st.integers(0, len(honest) - 1))
        hashes = [*honest[:place], *hashes[:1], *honest[place + 1 :]]
    slander = ForkProof(old=signed(tree(old)), new=signed(tree(new)), hashes=tuple(hashes))
    with pytest.raises(UnverifiedError):
        verify_fork(slander, KEYS)


def test_the_hashes_are_the_consistency_proof_and_what_it_leaves_out() -> None:
    read = reader(history(SIZE_MAX, None)[1])
    for new in range(1, SIZE_MAX):
        for old in range(1, new):
            seed = [tree(old).root_hash] if old & (old - 1) == 0 else []
            assert between(old, new) == seed + consistency_proof(old, new, read)


# One size, two trees.


def test_two_root_hashes_of_one_size_need_no_hashes() -> None:
    for old, new in ((tree(7), tree(7, 3)), (tree(7, 3), tree(7))):
        fork = ForkProof(old=signed(old), new=signed(new))
        assert verify_fork(fork, KEYS) == Fork(origin=ORIGIN, old=old, new=new)


LYING_EMPTY = Tree(size=0, root_hash=leaf_hash(b""))
EMPTY = Tree(size=0, root_hash=EMPTY_ROOT)
FORKS_OF_NOTHING = {
    "an empty tree of its own, then entries": (LYING_EMPTY, tree(5)),
    "an empty tree of its own, then an empty tree": (LYING_EMPTY, EMPTY),
    "an empty tree, then one of its own": (EMPTY, LYING_EMPTY),
    "two empty trees of their own": (LYING_EMPTY, Tree(size=0, root_hash=bytes(32))),
}


@pytest.mark.parametrize("trees", FORKS_OF_NOTHING.values(), ids=FORKS_OF_NOTHING)
def test_an_empty_tree_has_one_root_hash(trees: tuple[Tree, Tree]) -> None:
    fork = ForkProof(old=signed(trees[0]), new=signed(trees[1]))
    assert verify_fork(fork, KEYS).old == trees[0]


NO_FORKS: dict[str, ForkProof] = {
    "the same note twice": ForkProof(old=signed(tree(5)), new=signed(tree(5))),
    "one tree under two of the log's keys": ForkProof(
        old=signed(tree(5)), new=signed(tree(5), LOG_44)
    ),
    "one tree, with and without an extension line": ForkProof(
        old=signed(tree(5)), new=signed(tree(5), extensions=("more",))
    ),
    "an empty tree and a later one": ForkProof(old=signed(EMPTY), new=signed(tree(5))),
    "an empty tree of its own, twice": ForkProof(
        old=signed(LYING_EMPTY), new=signed(LYING_EMPTY)
    ),
    "the larger tree first": ForkProof(old=proof().new, new=proof().old, hashes=proof().hashes),
    "no hashes": replace(proof(), hashes=()),
    "a hash too few": replace(proof(), hashes=proof().hashes[:-1]),
    "a hash too many": replace(proof(), hashes=(*proof().hashes, bytes(32))),
    "a hash too short": replace(proof(), hashes=(proof().hashes[0][:-1], *proof().hashes[1:])),
    "a needless hash": ForkProof(
        old=signed(tree(7)), new=signed(tree(7, 3)), hashes=(bytes(32),)
    ),
    "the honest history's hashes": replace(proof(), hashes=tuple(between(5, 9))),
    "a consistency proof that leaves the old tree out": replace(
        proof(4, 9), hashes=proof(4, 9).hashes[1:]
    ),
    "the trees of two logs": replace(
        proof(),
        old=signed(
            tree(5),
            SigningKey(name="other.example", seed=LOG.seed),
            origin="other.example",
        ),
    ),
    "an old tree that a stranger signed": replace(proof(), old=signed(tree(5), STRANGER)),
    "a new tree that a stranger signed": replace(proof(), new=signed(tree(9, 2), STRANGER)),
    "a tree that only a witness signed": replace(
        proof(), new=signed(tree(9, 2), WITNESSES["W1"])
    ),
    "a listed log that signed under another origin": replace(
        proof(), new=signed(tree(9, 2), LOG, origin="log.example/gazette")
    ),
    "a signature of another tree": replace(
        proof(),
        new=format_note(
            replace(parse_note(proof().new), signatures=parse_note(proof().old).signatures)
        ),
    ),
}


@pytest.mark.parametrize("fork", NO_FORKS.values(), ids=NO_FORKS)
def test_what_is_no_fork_proves_nothing(fork: ForkProof) -> None:
    keys = [*KEYS, SigningKey(name="other.example", seed=LOG.seed).verifier()]
    with pytest.raises(UnverifiedError):
        verify_fork(fork, keys)


def test_without_the_logs_key_nothing_is_proven() -> None:
    with pytest.raises(UnverifiedError, match="no key of"):
        verify_fork(proof(), [])
    with pytest.raises(UnverifiedError, match="no key of"):
        verify_fork(proof(), [LOG_44.verifier()])


@pytest.mark.parametrize("old_key", [LOG, LOG_44])
@pytest.mark.parametrize("new_key", [LOG, LOG_44])
def test_either_key_of_the_log_convicts_it(old_key: SigningKey, new_key: SigningKey) -> None:
    fork = replace(proof(), old=signed(tree(5), old_key), new=signed(tree(9, 2), new_key))
    assert verify_fork(fork, KEYS).origin == ORIGIN


# Finding.


def found(old: bytes, new: bytes, hashes: Sequence[bytes] = proof().hashes) -> ForkProof:
    fork = find_fork(old, new, hashes, KEYS)
    assert fork is not None
    verify_fork(parse_fork(format_fork(fork)), KEYS)
    return fork


def test_a_fork_is_found_in_any_order_and_keeps_the_notes_as_they_were() -> None:
    line = cosign(parse_note(proof().old).text, WITNESSES["W1"], NOON)
    witnessed = parse_note(proof().old)
    old = format_note(replace(witnessed, signatures=(*witnessed.signatures, line)))
    assert found(old, proof().new) == found(proof().new, old) == replace(proof(), old=old)


def test_a_fork_of_one_size_is_found_without_the_hashes_given() -> None:
    assert found(signed(tree(7)), signed(tree(7, 3)), [bytes(32)]).hashes == ()


def test_a_log_cannot_escape_by_a_second_signature_that_is_bad() -> None:
    note = parse_note(signed(tree(9, 2), LOG, LOG_44))
    good, other = note.signatures
    bad = replace(other, blob=bytes(len(other.blob)))
    spoilt = format_note(replace(note, signatures=(good, bad)))
    with pytest.raises(UnverifiedError):
        verify_fork(replace(proof(), new=spoilt), KEYS)
    assert found(proof().old, spoilt) == proof()


def test_a_log_cannot_escape_by_extension_lines_that_ml_dsa_does_not_cover() -> None:
    note = parse_note(signed(tree(9, 2), LOG_44))
    extended = format_note(replace(note, text=note.text + "more\n"))
    with pytest.raises(UnverifiedError):
        verify_fork(replace(proof(), new=extended), KEYS)
    assert found(proof().old, extended).new == format_note(note)


def test_what_nobody_signed_is_not_found() -> None:
    stranger = signed(tree(9, 2), STRANGER)
    assert find_fork(proof().old, stranger, proof().hashes, KEYS) is None
    assert find_fork(proof().old, proof().new, [], KEYS) is None


def test_notes_that_are_no_checkpoints_are_malformed() -> None:
    for data in (b"", b"words\n", proof().old[:-1]):
        with pytest.raises(MalformedError):
            find_fork(data, proof().new, [], KEYS)


# The file.

HASH = base64.b64encode(bytes(32)).decode()
GOOD = format_fork(proof()).decode()
NOTES = (proof().old + proof().new).decode()
OLD_LINE, NEW_LINE = f"old {len(proof().old)}\n", f"new {len(proof().new)}\n"


def test_the_file_is_the_one_in_the_picture() -> None:
    hashes = [base64.b64encode(hash_).decode() + "\n" for hash_ in proof().hashes]
    head = "".join(["safeconduct/v1/fork\n", OLD_LINE, NEW_LINE, *hashes, "\n"])
    assert head + NOTES == GOOD
    assert parse_fork(GOOD.encode()) == proof()


MALFORMED = {
    "nothing": "",
    "another version": GOOD.replace("v1", "v2", 1),
    "no header": GOOD.removeprefix("safeconduct/v1/fork\n"),
    "no lengths": GOOD.replace(OLD_LINE, "").replace(NEW_LINE, ""),
    "no old length": GOOD.replace(OLD_LINE, ""),
    "no new length": GOOD.replace(NEW_LINE, ""),
    "the lengths swapped": GOOD.replace(OLD_LINE + NEW_LINE, NEW_LINE + OLD_LINE),
    "an old length one too long": GOOD.replace(OLD_LINE, f"old {len(proof().old) + 1}\n"),
    "a boundary one byte further": GOOD.replace(
        OLD_LINE + NEW_LINE, f"old {len(proof().old) + 1}\nnew {len(proof().new) - 1}\n"
    ),
    "a length with a plus": GOOD.replace("old ", "old +", 1),
    "a length with a leading zero": GOOD.replace("old ", "old 0", 1),
    "a length with two blanks": GOOD.replace("old ", "old  ", 1),
    "an empty old note": GOOD.replace(
        OLD_LINE + NEW_LINE, f"old 0\nnew {len(NOTES.encode())}\n"
    ),
    "a hash too short": GOOD.replace("\n\n", "\nAAAA\n\n", 1),
    "65 hashes": GOOD.replace("\n\n", "\n" + f"{HASH}\n" * 65 + "\n", 1),
    "no empty line": GOOD.replace("\n\n", "\n", 1),
    "two empty lines": GOOD.replace("\n\n", "\n\n\n", 1),
    "carriage returns": GOOD.replace("\n", "\r\n"),
    "a byte-order mark": "\ufeff" + GOOD,
    "cut short": GOOD[:-1],
    "a line at the end": GOOD + "more\n",
    "an empty line at the end": GOOD + "\n",
    "one note only": GOOD.removesuffix(proof().new.decode()),
    "a note that is no checkpoint": GOOD.replace(f"{ORIGIN}\n9\n", f"{ORIGIN}\n09\n"),
    "endless": "a" * (1 << 22),
}


@pytest.mark.parametrize("text", MALFORMED.values(), ids=MALFORMED)
def test_a_malformed_fork_proof_is_refused(text: str) -> None:
    assert text != GOOD
    with pytest.raises(MalformedError):
        parse_fork(text.encode())


@settings(max_examples=400)
@given(near(GOOD.encode()) | st.binary(max_size=60))
def test_a_fork_proof_parses_in_one_spelling_or_not_at_all(data: bytes) -> None:
    try:
        fork = parse_fork(data)
    except MalformedError:
        return
    assert format_fork(fork) == data


@settings(max_examples=60)
@given(st.lists(st.binary(min_size=32, max_size=32), max_size=64), st.integers(0, 9))
def test_a_fork_proof_is_read_back_as_it_was(hashes: list[bytes], size: int) -> None:
    fork = ForkProof(old=signed(tree(size)), new=proof().new, hashes=tuple(hashes))
    assert parse_fork(format_fork(fork)) == fork


def test_the_largest_trees_need_64_hashes() -> None:
    def read(subtrees: Sequence[Subtree]) -> list[bytes]:
        return [bytes(32)] * len(subtrees)

    hashes = fork_hashes(2**62 + 1, 2**63 - 1, read)
    assert len(hashes) == 64
    parse_fork(format_fork(replace(proof(), hashes=tuple(hashes))))


def test_a_fork_proof_that_could_not_be_read_is_not_written() -> None:
    for fork in (
        replace(proof(), old=b""),
        replace(proof(), hashes=(b"short",)),
        replace(proof(), hashes=(bytes(32),) * 65),
    ):
        with pytest.raises(MalformedError):
            format_fork(fork)
