"""Writer: the steps by which a batch becomes signed, and a signed tree public.

Every effect on the disk happens here, in the order that `sequence` states, by one thread at a
time. What goes wrong is raised; the log then never calls any of this again.
"""

from collections.abc import Sequence

from safeconduct.errors import UnavailableError
from safeconduct.parties.log.config import sign_tree, with_second_line
from safeconduct.parties.log.parts import Parts
from safeconduct.parties.log.recover import Recovered
from safeconduct.parties.log.store import Published, Signed
from safeconduct.parties.log.tiles import tile_reader, verify_edge
from safeconduct.plumbing import clock, durable
from safeconduct.protocol.tlog.merkle import Tree, consistency_proof, leaf_hashes
from safeconduct.protocol.tlog.note import Note, format_note, parse_note
from safeconduct.protocol.tlog.tile import frame_entries

_TICK_SECONDS = 0.0005
_TICKS_MAX = 20  # the clock moves on within 10 ms, or it does not move


class Writer:
    """The right edge of the log, what was signed last, and the tree that the public has."""

    def __init__(self, parts: Parts, recovered: Recovered, signed: Signed) -> None:
        self._parts, self._public = parts, parts.paths.public
        self.frontier, self.signed = recovered.frontier, signed
        self._published = None if recovered.published is None else recovered.published.tree
        self._published_on_clock = float("-inf")
        self._note: Note | None = None
        self._confirmed = False
        self.silence = ""
        """Why the last attempt to publish has failed: who is silent, and who refuses."""

    def find_time(self) -> int | None:
        """POSIX milliseconds later than the last signature's, if the clock goes on."""
        for _ in range(_TICKS_MAX):
            at_ms = clock.milliseconds()
            if at_ms > self.signed.signed_at_ms:
                return at_ms
            clock.sleep(_TICK_SECONDS)
        return None

    def confirm(self) -> None:
        """Ensure, once, that enough witnesses know no more of this log than it does.

        Raises:
            ConflictError: one knows more; this folder must not sign again.
            UnavailableError: too few have answered.
        """
        if not self._confirmed:
            self._parts.lookout.confirm(self.signed.tree)
            self._confirmed = True

    def sequence(self, batch: Sequence[bytes], at_ms: int) -> list[bytes]:
        """The leaf hashes of a batch that is now in journal, signed tree and tiles.

        An empty batch signs what a crash left unsigned, if there is anything.

        Raises:
            SafeconductError: the disk is at fault, or somebody else has signed.
        """
        before = self.frontier.tree()
        if not batch and before == self.signed.tree:
            return []
        verify_edge(self._public, before)
        framed, leaves = frame_entries(batch), leaf_hashes(batch)
        grown, rows = self.frontier.grow(leaves)
        if batch:
            self._parts.journal.append(framed)
        self.frontier = grown
        self._sign(self.frontier.tree(), at_ms)
        self._parts.tiles.extend(framed, rows)
        return leaves

    def is_due(self) -> bool:
        """Whether there is a tree to be published, or one to be cosigned afresh."""
        idle_seconds = clock.monotonic() - self._published_on_clock
        behind = self._published != self.signed.tree
        return behind or idle_seconds >= self._parts.pace.republish_seconds

    def ask_quorum(self, at_ms: int) -> Published | None:
        """The tree signed last under enough cosignatures; None if too few came.

        Raises:
            ConflictError: a witness knows more of this log than it does.
            UnavailableError: the disk is at fault.
        """
        note = self._note_to_publish(at_ms)
        try:
            checkpoint = self._parts.quorum.cosigned(note, self.signed.tree, self._prove)
        except UnavailableError as error:
            self.silence = error.message
            return None
        return Published(tree=self.signed.tree, checkpoint=checkpoint)

    def publish(self, published: Published) -> None:
        """Make a cosigned tree public, durably.

        Raises:
            UnavailableError: the disk is at fault.
        """
        self._parts.store.keep_published(published)
        self._parts.tiles.keep_published(published.tree.size)
        durable.write_file(self._parts.paths.checkpoint, published.checkpoint)
        self._published = published.tree
        self._published_on_clock = clock.monotonic()

    def finish(self) -> None:
        """Have all that is signed settled; nothing is written afterwards."""
        if self.frontier.tree() == self.signed.tree:
            self._parts.journal.finish()

    def _sign(self, tree: Tree, at_ms: int) -> None:
        checkpoint = format_note(sign_tree(tree, self._parts.keys.first))
        # Compared with what this writer signed last, never with what it finds there now.
        self._parts.store.swap(self.signed.tree, tree, checkpoint, at_ms)
        self.signed = Signed(tree=tree, checkpoint=checkpoint, signed_at_ms=at_ms)
        self._note = None

    def _note_to_publish(self, at_ms: int) -> Note:
        """The note of the tree signed last; signed afresh if the public has that tree."""
        if self._published == self.signed.tree or self.signed.signed_at_ms == 0:
            verify_edge(self._public, self.signed.tree)
            self._sign(self.signed.tree, at_ms)
        if self._note is None:
            verify_edge(self._public, self.signed.tree)
            note, at = parse_note(self.signed.checkpoint), self.signed.signed_at_ms // 1000
            self._note = with_second_line(note, self._parts.keys.second, at)
        return self._note

    def _prove(self, old_size: int, new_size: int) -> list[bytes]:
        return consistency_proof(old_size, new_size, tile_reader(self._public, new_size))
