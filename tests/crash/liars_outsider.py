"""An outsider: keeps all that anybody may read, and tries to join it into one story."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.crash.liars_books import ORIGIN, Book, Truth

from safeconduct.errors import MalformedError, SafeconductError, UnverifiedError
from safeconduct.parties.monitor import trees
from safeconduct.parties.monitor.trees import Seat, Signed, read_signed
from safeconduct.protocol.tlog.fork import find_fork, format_fork, parse_fork, verify_fork
from safeconduct.protocol.tlog.merkle import Tree
from safeconduct.protocol.tlog.note import VerifierKey
from safeconduct.protocol.tlog.policy import Cosigned, Policy, open_checkpoint

NEWEST = 8
"""Each new note is compared with so many, and with all that readers have accepted."""
SLANDERS = 3
"""For so many of them it is tried to make up a fork that is none."""


@dataclass
class Outsider:
    """Holds notes, the books whose tiles were shown to it, and what it could prove."""

    keys: tuple[VerifierKey, ...]
    policy: Policy
    truth: Truth
    counts: Counter[str]
    notes: dict[Tree, Signed] = field(default_factory=dict)
    books: dict[Book, None] = field(default_factory=dict)
    accepted: dict[Tree, None] = field(default_factory=dict)
    forks: set[bytes] = field(default_factory=set)
    unexplained: dict[tuple[Tree, Tree], None] = field(default_factory=dict)
    _looked_at: set[bytes] = field(default_factory=set)

    @property
    def seat(self) -> Seat:
        return Seat(name="Ledger", origin=ORIGIN, url="http://log", keys=self.keys)

    def read(self, book: Book) -> None:
        """Copy the tiles of a book, as a mirror does; what was doubtful may be clear now."""
        if book in self.books or not len(book):
            return
        self.books[book] = None
        for old, new in list(self.unexplained):
            if book.has(new):
                self._join(self.notes[old], self.notes[new])

    def see(self, data: bytes) -> None:
        """Look at a note; if the log signed it, compare it with what is known."""
        if data in self._looked_at:
            return
        self._looked_at.add(data)
        try:
            seen = read_signed(data, self.seat)
        except (MalformedError, UnverifiedError):
            self.counts["nonsense seen through"] += 1
            return
        if seen.tree in self.notes:
            return
        newest = list(self.notes)[-NEWEST:]
        for known in dict.fromkeys([*self.accepted, *newest]):
            self._join(seen, self.notes[known])
        self._slander(seen)
        self.notes[seen.tree] = seen

    def take(self, fork: bytes) -> None:
        """Check a fork proof that somebody hands over, from its bytes alone."""
        if fork in self.forks:
            return
        proven = verify_fork(parse_fork(fork), self.keys)
        assert not self.truth.joined(proven.old, proven.new), "an honest log was slandered"
        self.forks.add(fork)
        self.counts["forks proven"] += 1

    def accept(self, data: bytes) -> Cosigned | None:
        """What a reader with this policy believes of a note, if anything."""
        try:
            opened = open_checkpoint(data, self.policy, ORIGIN)
        except UnverifiedError:
            return None
        self.see(data)
        self.accepted[opened.checkpoint.tree] = None
        return opened

    def can_read(self, tree: Tree) -> bool:
        """Whether tiles were shown that lead to this tree, or to another one of its size."""
        return any(len(book) >= tree.size for book in self.books)

    def _join(self, one: Signed, other: Signed) -> None:
        old, new = sorted((one, other), key=lambda signed: signed.tree.size)
        pair = old.tree, new.tree
        is_true = self.truth.joined(*pair)
        shown = [book for book in self.books if book.has(new.tree)]
        # What leads elsewhere must not be taken for an answer either.
        tiles = [book.hashes for book in [*list(self.books)[-1:], *shown]]
        try:
            fork = trees.join(old, new, tiles, self.seat)
        except SafeconductError:
            # Said aloud, never passed over: the tiles that would settle it were not shown.
            assert not shown, "the tiles were there, and nothing came of it"
            self.counts["doubts raised"] += pair not in self.unexplained
            self.unexplained[pair] = None
            return
        self.unexplained.pop(pair, None)
        assert (fork is None) == is_true, f"{pair} joined wrongly"
        if fork is not None:
            self.take(format_fork(fork))

    def _slander(self, seen: Signed) -> None:
        """Try to make a fork proof out of two notes that contradict each other in nothing."""
        for known in list(self.notes.values())[-SLANDERS:]:
            if self.truth.joined(seen.tree, known.tree):
                for hashes in self._hashes(seen.tree, known.tree):
                    made = find_fork(known.data, seen.data, hashes, self.keys)
                    assert made is None, "an honest log was slandered"
                    self.counts["slanders failed"] += 1

    def _hashes(self, one: Tree, other: Tree) -> list[Sequence[bytes]]:
        """The true hashes between two trees, and some false ones."""
        old, new = sorted((one, other), key=lambda tree: tree.size)
        book = self.truth.books[new]
        if not 0 < old.size < new.size:
            return [(), (old.root_hash,), (new.root_hash, old.root_hash)]
        true = book.fork_hashes(old.size, new.size)
        return [true, true[1:], [old.root_hash, *true]]
