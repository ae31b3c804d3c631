"""Gates: the passing of a law's date, marked in both logs so that nobody can reopen it.

    Ledger   0 … before ┃ before … g-1 ┃ g ┃ g+1 …        g: the gate's own place
             in time      each receipt   ┃   late
                          tells          the gate's hash

Entries below the size of `before` are in time: a quorum dated that tree before the limit. The
gate's hash covers the quorum's signatures of the limit or later in `after`, so no tree that
holds place g can have been signed before them: whatever comes later in the Ledger is late, by
the order of the log and by no clock. In between, an entry's own receipt tells, as always.

Spec: docs/3-protocol.md §8.3.
"""

from dataclasses import dataclass, replace

from safeconduct.errors import MalformedError, UnverifiedError
from safeconduct.protocol.gazette import GazetteState, StatuteVersion
from safeconduct.protocol.kinds import NOTE_FIELD_BYTES_MAX
from safeconduct.protocol.notice import Gate, deciding_dates, in_force_from
from safeconduct.protocol.record import Record, make_record
from safeconduct.protocol.statute.text import Instant
from safeconduct.protocol.tlog.note import format_note, parse_note
from safeconduct.protocol.tlog.policy import Cosigned, Policy, open_checkpoint

GATE_SECONDS = 3_600
"""How long after a date has passed its gate may be missing."""

IN_TIME, LATE, BETWEEN = "in time", "late", "between"


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """A date of a law for which a gate is to be made; `limit` in POSIX seconds."""

    statute: bytes
    name: str
    limit: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What a gate's checkpoints prove; `before` is None where the door saw no tree in time."""

    gate: Gate
    before: Cosigned | None
    after: Cosigned

    @property
    def in_time_below(self) -> int:
        """The entries of the Ledger with a lower index are in time."""
        return self.before.checkpoint.tree.size if self.before else 0

    def standing(self, index: int, place: int) -> str:
        """How an entry stands to the limit, with the gate at `place` in the Ledger."""
        if index < self.in_time_below:
            return IN_TIME
        return LATE if index > place else BETWEEN


def due_gates(state: GazetteState, cosigned_at: int) -> tuple[Due, ...]:
    """The dates that have passed by `cosigned_at` and have no gate, earliest first.

    `cosigned_at` is the Gazette's cosigned time in POSIX seconds, not a clock of one's own.
    """
    return tuple(due for due in _all_due(state) if due.limit <= cosigned_at)


def next_limit(state: GazetteState, cosigned_at: int) -> int | None:
    """The next limit after `cosigned_at` that will need a gate, in POSIX seconds."""
    return min((due.limit for due in _all_due(state) if due.limit > cosigned_at), default=None)


def _all_due(state: GazetteState) -> list[Due]:
    found = [
        Due(statute=version.sha256, name=date.name, limit=date.limit_at)
        for version in state.statutes
        for date in deciding_dates(version.law)
        if _decides(state, version, date) and state.gate(version.sha256, date.name) is None
    ]
    return sorted(found, key=lambda due: due.limit)


def _decides(state: GazetteState, version: StatuteVersion, date: Instant) -> bool:
    """Whether no later version of the law was in force already when the date passed."""
    later = state.statutes[version.number :]
    return not any(in_force_from(each.law) < date.limit_at for each in later)


def draft_gate(state: GazetteState, due: Due, before: bytes, after: bytes) -> Record:
    """The `gate` record for the door to sign; `before` is empty if it saw no tree in time.

    Raises:
        MalformedError: a checkpoint is longer than a record's field.
    """
    return make_record(
        "gate",
        programme=state.programme_hash,
        number=len(state.gates) + 1,
        statute=due.statute,
        name=due.name,
        limit=due.limit,
        before=before,
        after=after,
    )


def is_before(seen: Cosigned, limit: int) -> bool:
    """Whether every entry of the tree is in time: a quorum dated it before the limit."""
    return seen.logged_by < limit


def is_after(seen: Cosigned, limit: int) -> bool:
    """Whether a whole quorum signed for the tree at the limit or later.

    Its logged-by time would not do: one witness ahead of time could move that, and so have a
    gate made before the limit.
    """
    return seen.vouched_at >= limit


def verify_gate(gate: Gate, policy: Policy, ledger: str) -> Bounds:
    """What a gate that stands in the Gazette proves, once its two checkpoints hold.

    That it stands in the Ledger too, after both trees and on them, is for who has the Ledger.

    Raises:
        MalformedError: a checkpoint does not parse.
        UnverifiedError: one lacks the log's signature or a quorum, or is dated on the wrong
            side of the limit.
    """
    after = open_checkpoint(gate.after, policy, ledger)
    if not is_after(after, gate.limit):
        raise UnverifiedError("gate: no quorum signed its later tree at the limit or after")
    before = open_checkpoint(gate.before, policy, ledger) if gate.before else None
    if before is not None and not is_before(before, gate.limit):
        raise UnverifiedError("gate: its earlier tree is not dated before the limit")
    return Bounds(gate=gate, before=before, after=after)


def slim_checkpoint(data: bytes, policy: Policy, origin: str) -> bytes:
    """The checkpoint without the signatures that its times under `policy` can do without.

    The longest go first, and none if it is short enough for a record as it is.

    Raises:
        MalformedError: it is too long even so.
        UnverifiedError: it does not hold under the policy.
    """
    due = _times(open_checkpoint(data, policy, origin))
    note = parse_note(data)
    for line in sorted(note.signatures, key=lambda each: len(each.blob), reverse=True):
        if len(data) <= NOTE_FIELD_BYTES_MAX:
            return data
        kept = tuple(each for each in note.signatures if each != line)
        if not kept:
            break
        fewer = replace(note, signatures=kept)
        candidate = format_note(fewer)
        try:
            same = _times(open_checkpoint(candidate, policy, origin)) == due
        except UnverifiedError:
            continue
        if same:
            data, note = candidate, fewer
    if len(data) > NOTE_FIELD_BYTES_MAX:
        raise MalformedError(
            f"checkpoint: needs more than {NOTE_FIELD_BYTES_MAX} bytes of signatures"
        )
    return data


def _times(seen: Cosigned) -> tuple[int, int]:
    return seen.logged_by, seen.vouched_at
