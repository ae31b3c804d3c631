"""What is owed in time: by whom, until when, and whether it was done.

    not_begun   what it counts from has not happened, or lies ahead
    open        not done yet, and in time
    met         done in time
    late        done, but after its last second
    breached    not done, and its last second is over
    unknown     facts still open decide which

A last second that is uncertain is a range; a step is late or breached only when the whole of
it is over. All is worked out from the statute, the facts and the day it is asked on: nothing
about a step is stored.
"""

from dataclasses import dataclass
from typing import TypeAlias

from safeconduct.protocol.statute.calendar import Interval
from safeconduct.protocol.statute.compiled import Plan, plan_of
from safeconduct.protocol.statute.evaluate import check_cost
from safeconduct.protocol.statute.facts import Facts, Missing
from safeconduct.protocol.statute.instant import add_to
from safeconduct.protocol.statute.proof import Truth
from safeconduct.protocol.statute.term import Run, hull, moment
from safeconduct.protocol.statute.text import Outcome, Statute, Step, Term

STATES = ("not_begun", "open", "met", "late", "breached", "unknown")
PERSON = frozenset({"person", "claimant"})  # as `owed_by` names whom a doubt helps


@dataclass(frozen=True, slots=True, kw_only=True)
class StepState:
    """How one step stands; `due_at` to `latest_due_at` is when its last second can be."""

    name: str
    state: str
    due_at: int | None  # POSIX seconds; None while nothing is due
    latest_due_at: int | None
    owed_by: str
    section: str
    breached_by: int | None  # seconds over the last second, at least


_Standing: TypeAlias = tuple[str, int | None]


def owed_steps(statute: Statute, facts: Facts, as_of: int) -> tuple[StepState, ...]:
    """How every step of the statute's procedure stands at `as_of` (POSIX seconds).

    Raises:
        MalformedError: more than 250,000 tests would be needed, or working days are counted
            into a year of which the calendar lists no holidays.
    """
    plan = plan_of(statute)
    check_cost(plan, facts)
    run = Run(facts.values, facts.lists, as_of)
    return tuple(_state(step, plan, run) for step in statute.procedure.steps)


def time_of(statute: Statute, term: Term, facts: Facts, as_of: int) -> Interval | Missing:
    """When a term of the statute about the whole case is, or why there is no such time."""
    plan = plan_of(statute)
    check_cost(plan, facts)
    return moment(term, plan.law)(Run(facts.values, facts.lists, as_of), None, [])


def unsealed_at(
    statute: Statute, outcome: Outcome, facts: Facts, as_of: int
) -> Interval | Missing:
    """When what an outcome sealed may be shown; ABSENT if the law opens it at no time."""
    if outcome.unseal is None:
        return Missing.ABSENT
    return time_of(statute, outcome.unseal, facts, as_of)


def _state(step: Step, plan: Plan, run: Run) -> StepState:
    anchor = moment(step.anchor, plan.law)(run, None, [])
    due = _due(step, anchor, plan, run) if isinstance(anchor, Interval) else None
    state, over = _standing(step, anchor, due, run)
    return StepState(
        name=step.name,
        state=state,
        due_at=None if due is None or due.earliest is None else due.earliest,
        latest_due_at=None if due is None else due.latest,
        owed_by=step.owed_by,
        section=step.section,
        breached_by=over,
    )


def _due(step: Step, anchor: Interval, plan: Plan, run: Run) -> Interval:
    """The step's last second; an extension nobody can tell of yet may count or not."""
    usual = add_to(anchor, step.within, plan.law.calendar)
    extended = _extended(step, plan, run)
    if extended is False or step.extension is None:
        return usual
    longer = add_to(anchor, step.extension, plan.law.calendar)
    return longer if extended else hull([usual, longer])


def _extended(step: Step, plan: Plan, run: Run) -> Truth:
    if not step.extended:
        return False
    return plan.rule(step.extended, step.owed_by in PERSON)(run, None).value


def _standing(
    step: Step, anchor: Interval | Missing, due: Interval | None, run: Run
) -> _Standing:
    if not isinstance(anchor, Interval) or due is None:
        unbegun = anchor in (Missing.ABSENT, Missing.UNPROVEN)
        return ("not_begun" if unbegun else "unknown"), None
    if anchor.earliest is not None and anchor.earliest > run.as_of:
        return "not_begun", None
    done = run.values[step.done]
    if isinstance(done, Interval):
        return _done(done, due)
    return _not_done(step, done, due, run.as_of)


def _done(done: Interval, due: Interval) -> _Standing:
    if due.earliest is not None and done.latest <= due.earliest:
        return "met", None
    if done.earliest is not None and done.earliest > due.latest:
        return "late", done.earliest - due.latest
    return "unknown", None


def _not_done(step: Step, done: object, due: Interval, as_of: int) -> _Standing:
    if due.earliest is not None and as_of <= due.earliest:
        return "open", None
    if done is Missing.IN_FAVOUR and step.owed_by in PERSON:
        return "met", None
    if as_of <= due.latest or done is Missing.UNKNOWN:
        return "unknown", None
    return "breached", as_of - due.latest
