"""What happened to a listing, in order, and the state that follows from that alone.

Which event may follow which is one table. An event that comes in is checked for what it says
(`take`); one that was checked before is only counted (`step`), so that a history of any length
is folded fast.

Spec: docs/3-protocol.md §16.1.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

from safeconduct.errors import MalformedError, RefusedError
from safeconduct.protocol.canonical import Json, parse_json
from safeconduct.protocol.listing.dossier import Dossier, check_dossier, parse_dossier
from safeconduct.protocol.listing.published import REGISTERED as REGISTERED
from safeconduct.protocol.statute.instant import format_instant

EVENT_BYTES_MAX = 1 << 20
RESULTS = {"uphold": "final", "quash": "ended", "replace": "ended", "remit": "replied"}
"""What an appeal panel may find, and the state that it leads to."""
CAUSES = frozenset({"acquitted", "dropped", "expired", "quashed", "replaced", "withdrawn"})
"""Why a listing ended. `dropped` is what never became effective, and nobody ever saw;
`withdrawn` says no more than that: so ends an entry whose person keeps the reason secret."""
JUDGEMENTS = frozenset({"same", "different", "unsure"})

# What may follow what, where that is all there is to say; everything else is refused.
STEPS: dict[tuple[str, str], str] = {
    ("new", "proposed"): "proposed",
    ("proposed", "proposed"): "proposed",
    ("proposed", "notified"): "notified",
    ("notified", "proposed"): "proposed",  # another file: the person is heard anew
    ("replied", "proposed"): "proposed",
    ("notified", "replied"): "replied",
    ("replied", "replied"): "replied",
    ("notified", "drafted"): "notified",  # for the board to sign
    ("replied", "drafted"): "replied",
    ("suspended", "drafted"): "suspended",  # for the appeal panel to sign
    ("notified", "decided"): "decided",
    ("replied", "decided"): "decided",
    ("decided", "appealed"): "suspended",
    ("final", "appealed"): "suspended",  # dated in time, while the register was away
    ("suspended", "appeal_decided"): "final",  # or by its result: `RESULTS`
    ("decided", "final"): "final",
    ("final", "effective"): "effective",
    ("effective", "reviewed"): "effective",
    ("ended", "end_published"): "ended",
}
# Who may be meant, and whether a file is wrong, may come up at any time after the beginning.
_ANY_TIME = frozenset({"identity", "corrected"})
_ENDS = {
    "proposed": {"dropped"},
    "notified": {"dropped"},
    "replied": {"dropped"},
    "decided": {"dropped", "quashed"},
    "suspended": {"dropped", "quashed"},
    "final": {"dropped", "quashed"},
    "effective": {"acquitted", "expired", "quashed", "replaced", "withdrawn"},
}

_OF_ONE_FILE = frozenset({"notified", "replied", "drafted"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One thing that happened to a listing.

    `at` is in POSIX seconds: the logged-by time of what the Ledger dates, else the registry's
    own note. `data` is canonical JSON, an object.
    """

    kind: str
    at: int
    data: bytes = b"{}"

    def table(self) -> dict[str, Json]:
        """The data as an object.

        Raises:
            MalformedError: it is none.
        """
        value = parse_json(self.data, "event", bytes_max=EVENT_BYTES_MAX)
        if not isinstance(value, dict):
            raise MalformedError(f"event {self.kind}: not an object")
        return value

    def word(self, name: str) -> str:
        """One text of the data, empty if there is none."""
        value = self.table().get(name, "")
        return value if isinstance(value, str) else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """What events alone make of a listing, whatever the law and the day."""

    state: str = "new"
    cause: str = ""
    ended_at: int | None = None
    entered_at: int = 0
    appealed: bool = False  # the decision that stands was appealed already
    since_remit: int | None = None
    latest: Mapping[str, Event] = field(default_factory=dict)  # the newest of each kind
    reviews: tuple[Event, ...] = ()
    identities: tuple[Event, ...] = ()
    corrections: tuple[Event, ...] = ()
    dossier: Dossier | None = None  # as it was proposed last, where it was read


def next_state(course: Course, event: Event) -> str:
    """The state after an event.

    Raises:
        RefusedError: it may not happen now; the message says what may.
    """
    kind, state = event.kind, course.state
    if kind in _ANY_TIME and state != "new":
        return state
    if kind == "ended" and event.word("cause") in _ENDS.get(state, ()):
        return "ended"
    if kind == "tombstoned" and state in {"effective", "ended"}:
        return state
    if (state, kind) not in STEPS or (kind == "appealed" and course.appealed):
        possible = [step for before, step in STEPS if before == state]
        raise RefusedError(
            f"a listing that is {state} cannot be {kind}",
            hint=f"what may happen now: {', '.join(possible)}" if possible else "nothing more",
        )
    return STEPS[state, kind]


def take(course: Course, event: Event) -> Course:
    """The course after one more event, which nobody has looked at yet.

    Raises:
        RefusedError: it may not follow what happened so far.
        MalformedError: its data do not say what such an event must say.
    """
    taken = step(course, event)
    check = _CHECKS.get(event.kind)
    return check(taken, event) if check else taken


def step(course: Course, event: Event) -> Course:
    """The course after an event whose data were checked as it came in.

    Raises:
        RefusedError: it may not follow what happened so far.
    """
    state = next_state(course, event)
    changed = replace(course, state=state, latest={**course.latest, event.kind: event})
    special = _TAKE.get(event.kind)
    return special(changed, event) if special else changed


def fold_course(events: Iterable[Event], *, checked: bool = False) -> Course:
    """The course after all `events`, in order; `checked` says that `take` took each before.

    Raises:
        RefusedError, MalformedError: as `take`.
    """
    course, follow = Course(), step if checked else take
    for event in events:
        course = follow(course, event)
    return course


def _proposed(course: Course, event: Event) -> Course:
    again = "notified" in course.latest
    # Another file than the one that was told: what was said about that one is of no use now.
    kept = {kind: at for kind, at in course.latest.items() if kind not in _OF_ONE_FILE}
    entered_at = event.at if again or not course.entered_at else course.entered_at
    return replace(course, entered_at=entered_at, latest=kept, dossier=None)


def _read(course: Course, event: Event) -> Course:
    return replace(course, dossier=parse_dossier(event.data))


def _heard(course: Course, _: Event) -> Course:
    check_individual(course)
    return course


def _waited(course: Course, event: Event) -> Course:
    """A decision: on a whole file, and once the time that the notice gives was over."""
    until = course.latest["notified"].table().get("reply_until")
    if isinstance(until, int) and event.at <= until:
        raise RefusedError(
            f"decided by {format_instant(event.at)}, and the notice gives time to reply until "
            f"{format_instant(until)}"
        )
    return _heard(course, event)


def check_individual(course: Course) -> Dossier:
    """The file, once it says enough about this one person to be told to them and decided on.

    Raises:
        RefusedError: a field of the assessment is empty or a formula, what shows that this is
            the person meant is missing, or somebody judged that it may be another.
    """
    dossier = dossier_of(course)
    check_dossier(dossier)
    judged = course.identities[-1].word("judgement") if course.identities else "same"
    if judged != "same":
        raise RefusedError(
            f"whether this is the person meant was judged: {judged}",
            hint="nobody is listed in the place of another; judge the identity again",
        )
    return dossier


def dossier_of(course: Course) -> Dossier:
    """The file as it was proposed last."""
    return course.dossier or parse_dossier(course.latest["proposed"].data)


def _decided(course: Course, event: Event) -> Course:
    dropped = event.word("outcome") != REGISTERED
    return replace(
        course,
        state="ended" if dropped else course.state,
        cause="dropped" if dropped else "",
        ended_at=event.at if dropped else None,
        appealed=False,
    )


def _appeal_decided(course: Course, event: Event) -> Course:
    result = event.word("result")
    if result not in RESULTS:
        raise MalformedError(f"an appeal is decided by one of: {', '.join(sorted(RESULTS))}")
    state = RESULTS[result]
    return replace(
        course,
        state=state,
        cause={"quash": "quashed", "replace": "replaced"}.get(result, ""),
        ended_at=event.at if state == "ended" else None,
        since_remit=event.at if result == "remit" else course.since_remit,
    )


def _ended(course: Course, event: Event) -> Course:
    return replace(course, cause=event.word("cause"), ended_at=event.at)


def _check_identity(course: Course, event: Event) -> Course:
    if event.word("judgement") not in JUDGEMENTS or not event.word("evidence"):
        raise MalformedError(
            f"an identity is judged {', '.join(sorted(JUDGEMENTS))}, and on evidence"
        )
    return course


def _identity(course: Course, event: Event) -> Course:
    return replace(course, identities=(*course.identities, event))


def _check_correction(course: Course, event: Event) -> Course:
    if not all(map(event.word, ("field", "was", "is", "evidence"))):
        raise MalformedError("a correction says field, was, is and evidence")
    return course


def _corrected(course: Course, event: Event) -> Course:
    return replace(course, corrections=(*course.corrections, event))


def _appealed(course: Course, _: Event) -> Course:
    return replace(course, appealed=True)


def _reviewed(course: Course, event: Event) -> Course:
    return replace(course, reviews=(*course.reviews, event))


_TAKE: dict[str, Callable[[Course, Event], Course]] = {
    "proposed": _proposed,
    "decided": _decided,
    "appealed": _appealed,
    "appeal_decided": _appeal_decided,
    "ended": _ended,
    "identity": _identity,
    "corrected": _corrected,
    "reviewed": _reviewed,
}
# What an event must say that only now comes in.
_CHECKS: dict[str, Callable[[Course, Event], Course]] = {
    "proposed": _read,
    "notified": _heard,
    "decided": _waited,
    "identity": _check_identity,
    "corrected": _check_correction,
}
