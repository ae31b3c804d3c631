"""The lying log: it holds the log's true keys, and shows everybody what suits it best."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from tests.crash.liars_books import EMPTY_BOOK, ORIGIN, Book, book_of, signed_note, tree_of
from tests.crash.liars_people import House
from tests.crash.liars_town import Town

from safeconduct.plumbing.fetch import Response
from safeconduct.protocol.canonical import format_base64
from safeconduct.protocol.tlog.merkle import Tree, leaf_hash
from safeconduct.protocol.tlog.note import SigningKey, parse_note

Leaves = tuple[bytes, ...]
JUNK = b"J" * 32


@dataclass(frozen=True)
class Draft:
    """What a lie is made of: what the victim knows, a place in it, and entries to add."""

    known: Leaves
    place: int
    fresh: Leaves


def _changed(draft: Draft) -> Leaves:
    at = draft.place % len(draft.known)
    return (*draft.known[:at], draft.fresh[0], *draft.known[at + 1 :])


def _dropped(draft: Draft) -> Leaves:
    at = draft.place % len(draft.known)
    return (*draft.known[:at], *draft.known[at + 1 :], *draft.fresh)


def _cut(draft: Draft) -> Leaves:
    return draft.known[: draft.place % len(draft.known)]


STORIES: dict[str, Callable[[Draft], Leaves]] = {
    "same size, other root": _changed,
    "longer, one changed": lambda draft: (*_changed(draft), *draft.fresh),
    "longer, one dropped": _dropped,
    "shrunken": _cut,
    "shrunken and grown again": lambda draft: (*_cut(draft), *draft.fresh, *draft.fresh),
    "ahead of the log": lambda draft: (*draft.known, *draft.fresh),
}
"""What the lying log says that it holds. Two more are told by `Forger`."""
GOES_ON, WRONG_EMPTY = "one of its stories goes on", "empty, with a root of its own"
ALL_STORIES = (*STORIES, GOES_ON, WRONG_EMPTY)


def _own(book: Book, known_size: int, _: int) -> tuple[int, list[bytes]]:
    grows = known_size <= len(book)
    return known_size, book.prove(known_size, len(book)) if grows else []


def _reaching(book: Book, known_size: int, _: int) -> tuple[int, list[bytes]]:
    grows = known_size <= len(book)
    return known_size, book.fork_hashes(known_size, len(book)) if grows else []


def _older(book: Book, known_size: int, place: int) -> tuple[int, list[bytes]]:
    old_size = place % (min(known_size, len(book)) + 1)
    return old_size, book.prove(old_size, len(book))


PROOFS: dict[str, Callable[[Book, int, int], tuple[int, list[bytes]]]] = {
    "its own": _own,
    "reaching its own root": _reaching,
    "junk": lambda book, size, at: (size, [JUNK] * len(_own(book, size, at)[1])),
    "one hash too few": lambda book, size, at: (size, _own(book, size, at)[1][1:]),
    "one hash too many": lambda book, size, at: (size, [*_own(book, size, at)[1], JUNK]),
    "none": lambda book, size, at: (size, []),
    "as if never seen": lambda book, size, at: (0, []),
    "from an older size": _older,
}
"""(book, the size that the victim knows, a number) to an old size and the hashes sent."""


@dataclass(frozen=True)
class Lie:
    """One story with one kind of proof; numbers choose the place and the length."""

    story: str
    proof: str
    place: int
    more: int


@dataclass
class Forger:
    """Whoever has the log's keys and no honesty; its stories may be gone on with later."""

    town: Town
    counts: Counter[str]
    books: list[Book] = field(default_factory=list)
    written: int = 0
    told: int = 0

    def next_lie(self, stories: Sequence[str], place: int, more: int) -> Lie:
        """Each time another story and another proof, so that all of them are told."""
        self.told += 1
        story = stories[(self.told + place) % len(stories)]
        proof = list(PROOFS)[(self.told // len(stories) + self.told + more) % len(PROOFS)]
        return Lie(story, proof, place, more)

    def tell(
        self, lie: Lie, victims: Sequence[House], *, shows: bool, colludes: bool
    ) -> Tree | None:
        """Offer one tree to some witnesses; with enough lines on it, to a reader as well.

        `shows` says whether the reader may have the tiles too.
        """
        reachable = [house for house in victims if house.is_up and house.latest is not None]
        if not reachable:
            return None
        book = self.make(lie, self._known(reachable[0]))
        tree = Tree(size=0, root_hash=JUNK) if lie.story == WRONG_EMPTY else book.tree()
        self.town.truth.sign(tree, book)
        note = signed_note(tree, self.town.keys, self.town.clock.seconds())
        lines = b""
        for house in reachable:
            known = house.latest
            assert known is not None
            old_size, proof = PROOFS[lie.proof](book, known.tree.size, lie.place)
            answer = self.offer(house, note, old_size, proof)
            lines += answer.body if answer.status == 200 else b""
        self.counts[f"story: {lie.story}"] += 1
        self.counts[f"proof: {lie.proof}"] += 1
        if colludes:
            at = self.town.clock.seconds() - lie.place * 100
            lines += self.town.liar.line(parse_note(note).text, at)
            self.town.liar.notes.append(note)
        if self.town.accept(note + lines):
            self.counts["lies accepted"] += 1
        if shows:
            self.town.outsider.read(book)
            self.town.outsider.see(note)
        return tree

    def race(self, house: House, first: Lie, second: Lie) -> None:
        """Two offers to one witness: one comes between the check of the other and its write."""
        stalled = house.stalled
        if stalled is None or not house.is_up:
            return
        stalled.meanwhile = lambda: self.tell(second, [house], shows=True, colludes=False)
        self.tell(first, [house], shows=True, colludes=False)
        self.counts["races"] += stalled.meanwhile is None
        stalled.meanwhile = None

    def replay(self, house: House, number: int, proof: str) -> None:
        """Offer a note again that the log has signed, proven well or not."""
        notes = list(self.town.outsider.notes.values())
        if not notes or not house.is_up or house.latest is None:
            return
        note = notes[number % len(notes)]
        book = self.town.truth.books[note.tree]
        book = book_of(book.leaves[: note.tree.size])
        old_size, hashes = PROOFS[proof](book, house.latest.tree.size, number)
        self.offer(house, note.data, old_size, hashes)
        self.counts["notes replayed"] += 1

    def forge(self, house: House, more: int) -> None:
        """Offer a tree under a key of the log's name that is not the log's."""
        if not house.is_up or house.latest is None:
            return
        key = SigningKey(name=ORIGIN, seed=JUNK)
        known = self._known(house)
        book = book_of((*known, *(self._fresh() for _ in range(more))))
        note = signed_note(book.tree(), [key], self.town.clock.seconds())
        answer = self.offer(house, note, *PROOFS["its own"](book, len(known), 0))
        assert answer.status == 403, "cosigned what the log did not sign"
        self.town.outsider.see(note)
        self.counts["signatures forged"] += 1

    def make(self, lie: Lie, known: Leaves) -> Book:
        """The book of a lie, which is kept to go on with."""
        fresh = tuple(self._fresh() for _ in range(lie.more))
        known = known or (self._fresh(), *self.town.book.leaves)
        if lie.story == WRONG_EMPTY:
            return EMPTY_BOOK
        if lie.story == GOES_ON:
            basis = self.books[lie.place % len(self.books)].leaves if self.books else known
            leaves = (*basis, *fresh)
        else:
            leaves = STORIES[lie.story](Draft(known, lie.place, fresh))
        book = book_of(leaves)
        self.books.append(book)
        return book

    def offer(
        self, house: House, note: bytes, old_size: int, proof: Sequence[bytes]
    ) -> Response:
        """One request, and what must follow whatever it says."""
        lines = [f"old {old_size}", *map(format_base64, proof), "", ""]
        before, known = house.latest, house.last
        answer = self.town.ask(
            f"http://{house.name}/add-checkpoint", "\n".join(lines).encode() + note
        )
        after = house.latest
        assert before is not None
        assert after is not None
        if answer.status == 200:
            assert not before.forked, "cosigned for a proven liar"
        elif house.stalled is not None and house.last == known:
            assert after.tree == before.tree, "moved without signing"
        self._must_convict(house, note)
        return answer

    def _must_convict(self, house: House, note: bytes) -> None:
        """Two roots of one size that a witness has cosigned before are a proof at once."""
        tree, latest = tree_of(note), house.latest
        assert latest is not None
        if house.has_forgotten:
            return
        for other in house.cosigned:
            if other.size == tree.size and other != tree:
                assert latest.forked, f"{house.name} saw two roots of one size and kept none"

    def _known(self, house: House) -> Leaves:
        latest = house.latest
        assert latest is not None
        return self.town.truth.books[latest.tree].leaves[: latest.tree.size]

    def _fresh(self) -> bytes:
        self.written += 1
        return leaf_hash(f"lie {self.written}".encode())
