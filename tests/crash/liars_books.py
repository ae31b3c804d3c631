"""What was really written and signed: the truth that nobody in the liars' town can see."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from safeconduct.errors import UnavailableError
from safeconduct.protocol.tlog.checkpoint import Checkpoint, format_checkpoint, parse_checkpoint
from safeconduct.protocol.tlog.cosignature import sign_as_log
from safeconduct.protocol.tlog.fork import fork_hashes
from safeconduct.protocol.tlog.merkle import (
    EMPTY_ROOT,
    Frontier,
    ReadHashes,
    Subtree,
    Tree,
    consistency_proof,
    root,
)
from safeconduct.protocol.tlog.note import Note, SigningKey, format_note, parse_note

ORIGIN = "log.example/ledger"


@dataclass(frozen=True)
class Book:
    """One history: its leaf hashes in order, and every tree that begins it."""

    leaves: tuple[bytes, ...]
    _filled: dict[Subtree, bytes] = field(repr=False, hash=False, compare=False)
    _trees: dict[int, Tree] = field(default_factory=dict, repr=False, hash=False, compare=False)

    def __len__(self) -> int:
        return len(self.leaves)

    def read(self, subtrees: Sequence[Subtree]) -> list[bytes]:
        return [self._filled[subtree] for subtree in subtrees]

    def tree(self, size: int | None = None) -> Tree:
        """The tree of its first `size` entries, or of all."""
        size = len(self.leaves) if size is None else size
        if size not in self._trees:
            self._trees[size] = Tree(size=size, root_hash=root(size, self.read))
        return self._trees[size]

    def has(self, tree: Tree) -> bool:
        """Whether the tree begins this book."""
        return tree.size <= len(self.leaves) and self.tree(tree.size) == tree

    def prove(self, old_size: int, new_size: int) -> list[bytes]:
        return consistency_proof(old_size, new_size, self.read)

    def fork_hashes(self, old_size: int, new_size: int) -> list[bytes]:
        return fork_hashes(old_size, new_size, self.read)

    def hashes(self, tree_size: int) -> ReadHashes:
        """What a server of this book's tiles gives to those who ask for so large a tree."""
        if tree_size > len(self.leaves):
            raise UnavailableError("no such tiles here")
        return self.read


@lru_cache(maxsize=4096)
def book_of(leaves: tuple[bytes, ...]) -> Book:
    _, filled = Frontier.empty().extend(leaves)
    return Book(leaves, filled)


EMPTY_BOOK = book_of(())


@dataclass
class Truth:
    """Every tree that the log's keys have signed, by whomever, and the book that it is of."""

    books: dict[Tree, Book] = field(default_factory=dict)
    is_one_history: bool = True

    def sign(self, tree: Tree, book: Book) -> None:
        """Take note of a tree. One without entries that is not empty is in no book at all."""
        if tree in self.books:
            return
        self.books[tree] = book
        self.is_one_history &= all(self.joined(tree, other) for other in self.books)

    def joined(self, one: Tree, other: Tree) -> bool:
        """Whether one of two signed trees begins the other."""
        old, new = sorted((one, other), key=lambda tree: tree.size)
        if old.size == new.size:
            return old == new
        if old.size == 0:
            return old.root_hash == EMPTY_ROOT
        return self.books[new].tree(old.size) == old

    def contradictions(self, tree: Tree, others: Iterable[Tree]) -> Iterator[Tree]:
        return (other for other in others if not self.joined(tree, other))


def signed_note(tree: Tree, keys: Iterable[SigningKey], at: int) -> bytes:
    """A checkpoint under a log's keys."""
    text = format_checkpoint(Checkpoint(origin=ORIGIN, tree=tree))
    return format_note(
        Note(text=text, signatures=tuple(sign_as_log(text, key, at) for key in keys))
    )


def tree_of(note: bytes) -> Tree:
    return parse_checkpoint(parse_note(note).text).tree
