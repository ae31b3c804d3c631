"""What is owed in time: by whom, until when, and whether it was done.

    not_owed    the law asks for it only under a rule, and that does not hold
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

from dataclasses import dataclass, field
from typing import TypeAlias

from safeconduct.protocol.statute.calendar import Interval
from safeconduct.protocol.statute.compiled import Plan, plan_of
from safeconduct.protocol.statute.evaluate import check_cost
from safeconduct.protocol.statute.facts import Facts, Missing
from safeconduct.protocol.statute.instant import add_to
from safeconduct.protocol.statute.proof import Node
from safeconduct.protocol.statute.term import Run, Seen, hull, moment
from safeconduct.protocol.statute.text import Outcome, Statute, Step, Term

STATES = ("not_owed", "not_begun", "open", "met", "late", "breached", "unknown")
PERSON = frozenset({"person", "claimant"})  # as `owed_by` names whom a doubt helps


@dataclass(frozen=True, slots=True, kw_only=True)
class StepState:
    """How one step stands; `due_at` to `latest_due_at` is when its last second can be.

    `proofs` are those of the rules that it hung on.
    """

    name: str
    state: str
    due_at: int | None  # POSIX seconds; None while nothing is due
    latest_due_at: int | None
    owed_by: str
    section: str
    breached_by: int | None  # seconds over the last second, at least
    proofs: tuple[Node, ...] = field(default=(), compare=False, repr=False)


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
    return moment(term, plan.law)(Run(facts.values, facts.lists, as_of), None, Seen())


def proofs_beside(statute: Statute, facts: Facts, as_of: int) -> tuple[Node, ...]:
    """The proofs of what no outcome hangs on: rules of steps, tests that sealing hangs on.

    Raises:
        MalformedError: as `owed_steps` does.
    """
    plan = plan_of(statute)
    steps = owed_steps(statute, facts, as_of)
    run, seen = Run(facts.values, facts.lists, as_of), Seen()
    for outcome in (*statute.outcomes, statute.default):
        if outcome.unseal is not None:
            moment(outcome.unseal, plan.law)(run, None, seen)
    return (*(proof for step in steps for proof in step.proofs), *seen.tests)


def unsealed_at(
    statute: Statute, outcome: Outcome, facts: Facts, as_of: int
) -> Interval | Missing:
    """When what an outcome sealed may be shown; ABSENT if the law opens it at no time."""
    if outcome.unseal is None:
        return Missing.ABSENT
    return time_of(statute, outcome.unseal, facts, as_of)


def _state(step: Step, plan: Plan, run: Run) -> StepState:
    """Every rule is proven, also where the others settle the state: each is a reason."""
    seen = Seen()
    anchor = moment(step.anchor, plan.law)(run, None, seen)
    helps = step.owed_by in PERSON  # a doubt extends what the person owes, and spares them it
    extended = _proof(step.extended, helps, plan, run)
    owed = _proof(step.owed_when, not helps, plan, run)
    due = _due(step, anchor, extended, plan) if isinstance(anchor, Interval) else None
    state, over = _standing(step, anchor, due, run)
    if owed and owed[0].value is not True:
        state, over = _perhaps_owed(state, owed[0])
        due = None if state == "not_owed" else due
    return StepState(
        name=step.name,
        state=state,
        due_at=None if due is None or due.earliest is None else due.earliest,
        latest_due_at=None if due is None else due.latest,
        owed_by=step.owed_by,
        section=step.section,
        breached_by=over,
        proofs=(*owed, *extended, *seen.tests),
    )


def _proof(rule: str, favour: bool, plan: Plan, run: Run) -> tuple[Node, ...]:
    return (plan.rule(rule, favour)(run, None),) if rule else ()


def _perhaps_owed(state: str, owed: Node) -> _Standing:
    """How a step stands that is not owed, or of which nobody can tell yet whether it is."""
    if owed.value is False:
        return "not_owed", None
    return (state if state in ("not_begun", "met") else "unknown"), None


def _due(step: Step, anchor: Interval, extended: tuple[Node, ...], plan: Plan) -> Interval:
    """The step's last second; an extension nobody can tell of yet may count or not."""
    usual = add_to(anchor, step.within, plan.law.calendar)
    if step.extension is None or not extended or extended[0].value is False:
        return usual
    longer = add_to(anchor, step.extension, plan.law.calendar)
    return longer if extended[0].value else hull([usual, longer])


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
