"""A claim's case: what happened, in order, and the state that follows from it.

    filed → proposed → decided → final → published
      │         │         └────────┴→ appealed: suspended, nothing about it is made public
      └─────────┴→ joined                │
                                  appeal_decided → final → published
                                         ├→ quashed    it falls; the claim may be filed anew
                                         └→ remitted → proposed → …    the board decides anew

Some events change nothing of the state: `asked` (the person was told what is still open),
`appeal_proposed` (the appeal panel has a draft), `redeemed` (a credit was used up). A case that
is `joined` is decided with another, and ends with it.

The state is derived by folding the events and is stored nowhere, so no list can disagree with
its own history. What was remitted is no decision any more: of the events before, only the
filing counts.

Spec: docs/3-protocol.md §15.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from safeconduct.errors import RefusedError

# What may follow what; everything else is refused.
STEPS: dict[tuple[str, str], str] = {
    ("new", "filed"): "filed",
    ("filed", "asked"): "filed",
    ("filed", "joined"): "joined",
    ("filed", "proposed"): "proposed",
    ("proposed", "asked"): "proposed",
    ("proposed", "joined"): "joined",
    ("proposed", "proposed"): "proposed",  # new evidence: the board has signed nothing yet
    ("proposed", "decided"): "decided",
    ("decided", "appealed"): "suspended",
    ("decided", "final"): "final",
    ("final", "appealed"): "suspended",  # dated in time, while the register was away
    ("final", "published"): "published",
    ("decided", "redeemed"): "decided",
    ("final", "redeemed"): "final",
    ("suspended", "appeal_proposed"): "suspended",
    ("suspended", "appeal_decided"): "appeal_decided",
    ("appeal_decided", "redeemed"): "appeal_decided",
    ("appeal_decided", "final"): "final",
    ("appeal_decided", "quashed"): "quashed",
    ("appeal_decided", "remitted"): "remitted",
    ("remitted", "asked"): "remitted",
    ("remitted", "proposed"): "proposed",
}
_ENDED = {"joined": "it is decided with another", "quashed": "file the claim anew"}


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
        if event.kind == "remitted":
            latest = {kind: held for kind, held in latest.items() if kind == "filed"}
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
            hint=f"what may happen now: {', '.join(possible)}"
            if possible
            else _ENDED.get(state, "nothing more"),
        )
    return STEPS[state, kind]
