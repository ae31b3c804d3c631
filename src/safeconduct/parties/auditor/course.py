"""Course: the way of an audit through one log's copy, told while it goes and kept for the next.

A place that an earlier audit kept is taken up only if this copy's own tiles lead to it: to the
root hash of the whole tree that was audited then, and to the edge from which to go on. Else the
audit begins at entry 0, and says why. Where the earlier tree was another one, and this copy is
whole, the log has forked: both signed checkpoints are then written out as the proof.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from safeconduct.errors import SafeconductError, UnavailableError, UnverifiedError
from safeconduct.parties.auditor.finding import show_instant
from safeconduct.parties.auditor.place import Place, Places
from safeconduct.parties.auditor.progress import Progress
from safeconduct.parties.auditor.recompute import Rows, read_rows
from safeconduct.parties.auditor.tree import LogCopy
from safeconduct.plumbing import clock
from safeconduct.plumbing.durable import write_file
from safeconduct.protocol.tlog.fork import find_fork, fork_hashes, format_fork
from safeconduct.protocol.tlog.merkle import root
from safeconduct.protocol.tlog.policy import Policy
from safeconduct.protocol.tlog.tile import TILE_WIDTH

KEEP_SECONDS = 10.0
"""Between two places kept on the way."""


@dataclass(slots=True, kw_only=True)
class Leg:
    """One copy's recomputing: where it begins, why so, and whether its place may be kept.

    `earlier` is the place that it goes on from; `misfit` says why the one kept was of no use.
    """

    copy: LogCopy
    entry_bytes: int | None
    rows: Rows = field(default_factory=Rows)
    earlier: Place | None = None
    misfit: str = ""
    failed: bool = False
    started_at: int

    def place(self, at: int) -> Place:
        """How far it has come, back to the end of a whole bundle."""
        first, *above = self.rows.levels or [[]]
        odd = len(first)
        aligned = Rows(size=self.rows.size - odd, levels=[[], *above])
        return Place(
            edge=aligned.edge(),
            checkpoint=self.copy.checkpoint,
            entry_bytes=self.entry_bytes,
            first_at=self.earlier.first_at if self.earlier else self.started_at,
            last_at=at,
        )


@dataclass(slots=True, kw_only=True)
class Course:
    """Where progress is told and where places are kept; by default neither is."""

    progress: Progress = field(default_factory=Progress)
    places: Places | None = None
    seconds: Callable[[], int] = clock.seconds
    monotonic: Callable[[], float] = clock.monotonic
    fault: str = field(default="", init=False)
    """Why places are not kept any more, though they should be."""
    _next_keep: float = field(default=0.0, init=False)

    def enter(
        self, copy: LogCopy, *, entry_bytes: int | None, vouched: bool, whole: bool
    ) -> Leg:
        """The way through `copy`, begun where an earlier audit of this log has ended.

        Where log and witnesses have not `vouched` for the checkpoint, no place is used. An
        audit of the `whole` begins at entry 0, and only holds the copy against the place.
        """
        self._next_keep = self.monotonic() + KEEP_SECONDS
        self.progress.begin(copy.name or copy.origin)
        leg = Leg(
            copy=copy,
            entry_bytes=entry_bytes,
            started_at=self.seconds(),
            failed=not vouched,
        )
        if self.places is not None and vouched:
            self._take_up(leg, self.places, whole=whole)
        return leg

    def watch(self, leg: Leg, rows: Rows) -> None:
        """Tell how far a leg has come, and keep it every `KEEP_SECONDS` if nothing failed."""
        since = leg.earlier.edge.size if leg.earlier else 0
        self.progress.tick(rows.size, leg.copy.tree.size, "entries", since=since)
        if self.places is None or leg.failed or rows.size % TILE_WIDTH:
            return
        # What did not fit may be evidence: it is not written over before the end is known.
        evidence = leg.misfit and leg.copy.origin in self.places.by_origin
        if not evidence and self.monotonic() >= self._next_keep:
            self._next_keep = self.monotonic() + KEEP_SECONDS
            self._keep(leg, self.places)

    def leave(self, leg: Leg, policy: Policy) -> str | None:
        """Keep the place of a leg that held to its end.

        Where the log has forked since the place that was kept, that one stays; the answer
        says where the proof is.
        """
        if self.places is None or leg.failed:
            return None
        kept = self.places.by_origin.get(leg.copy.origin)
        if kept is not None and leg.misfit:
            if kept.tree.size > leg.copy.tree.size:
                return None  # An older copy says nothing about the newer one's place.
            proof = _fork_proof(leg.copy, kept, policy)
            if proof is not None:
                return _write_proof(self.places.path, proof)
        self._keep(leg, self.places)
        return None

    def _keep(self, leg: Leg, places: Places) -> None:
        try:
            places.keep(leg.copy.origin, leg.place(self.seconds()))
        except UnavailableError as error:
            # It is the auditor's own disk that fails: the audit goes on, without a memory.
            self.fault, self.places = error.message, None

    def _take_up(self, leg: Leg, places: Places, *, whole: bool) -> None:
        place = places.by_origin.get(leg.copy.origin)
        if place is None:
            leg.misfit = places.fault
        else:
            try:
                rows = _fit(leg, place)
            except SafeconductError as error:
                leg.misfit = error.message
            else:
                leg.rows, leg.earlier = (Rows(), None) if whole else (rows, place)
        if leg.misfit:
            where = leg.copy.name or leg.copy.origin
            self.progress.say(f"{where}: begun at entry 0, because {leg.misfit}")


def _fit(leg: Leg, place: Place) -> Rows:
    """The rows to go on with.

    Raises:
        SafeconductError: the place does not fit this copy; the message says why.
    """
    copy, tree = leg.copy, place.tree
    when = show_instant(place.last_at)
    if leg.entry_bytes not in (None, place.entry_bytes):
        raise UnverifiedError("the place was kept without the rule on the entries' length")
    if tree.size > copy.tree.size:
        raise UnverifiedError(f"the copy audited at {when} was newer: {tree.size} entries")
    if root(tree.size, copy.reader()) != tree.root_hash:
        raise UnverifiedError(f"the copy audited at {when} does not begin this one")
    return read_rows(copy, place.edge)


def _fork_proof(copy: LogCopy, kept: Place, policy: Policy) -> bytes | None:
    """The proof that the log signed two trees; None where the place misfits otherwise."""
    hashes = fork_hashes(kept.tree.size, copy.tree.size, copy.reader())
    keys = [log.key for log in policy.logs]
    proof = find_fork(kept.checkpoint, copy.checkpoint, hashes, keys)
    return None if proof is None else format_fork(proof)


def _write_proof(places: Path, proof: bytes) -> str:
    path = places.with_name(f"{places.name}.fork")
    if path.exists():
        # It may be the proof against another log, or an earlier one against this.
        path = places.with_name(f"{places.name}.{sha256(proof).hexdigest()[:16]}.fork")
    try:
        write_file(path, proof)
    except UnavailableError as error:
        return f"the first is kept in {places}, and the proof could not be: {error.message}"
    return f"{path} proves it"
