"""A claim's case: what happened, in order, and the state that follows from it.

    filed → proposed → decided → final → published
                          └────────┴→ appealed (suspended: nothing about it is made public)

Where a credit was used up by the decision, its redemption is an event too, `redeemed`, which
changes nothing of the state.

The state is derived by folding the events and is stored nowhere, so no list can disagree with
its own history.

Spec: docs/3-protocol.md §15.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from safeconduct.errors import RefusedError

# What may follow what; everything else is refused.
STEPS: dict[tuple[str, str], str] = {
    ("new", "filed"): "filed",
    ("filed", "proposed"): "proposed",
    ("proposed", "proposed"): "proposed",  # new evidence: the board has signed nothing yet
    ("proposed", "decided"): "decided",
    ("decided", "appealed"): "suspended",
    ("decided", "final"): "final",
    ("final", "appealed"): "suspended",  # dated in time, while the register was away
    ("final", "published"): "published",
    ("decided", "redeemed"): "decided",
    ("final", "redeemed"): "final",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One thing that happened to a case; `at` in POSIX seconds is the registry's own note."""

    kind: str
    at: int
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A case as its events leave it; `latest` holds the newest event of each kind."""

    state: str
    latest: dict[str, Event]


def fold_case(events: Iterable[Event]) -> Case:
    """The case after `events`, in order.

    Raises:
        RefusedError: an event that may not follow the ones before it.
    """
    state = "new"
    latest: dict[str, Event] = {}
    for event in events:
        state = next_state(state, event.kind)
        latest[event.kind] = event
    return Case(state=state, latest=latest)


def next_state(state: str, kind: str) -> str:
    """The state after an event of `kind`.

    Raises:
        RefusedError: it may not happen now; the message says what may.
    """
    if (state, kind) not in STEPS:
        possible = [step for before, step in STEPS if before == state]
        raise RefusedError(
            f"a case that is {state} cannot be {kind}",
            hint=f"what may happen now: {', '.join(possible)}" if possible else "nothing more",
        )
    return STEPS[state, kind]
