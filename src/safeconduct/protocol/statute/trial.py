"""A law tried on its own cases: each must come out as it says, and together they must show
every provision once holding and once not.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import date

from safeconduct.errors import SafeconductError
from safeconduct.protocol.statute.calendar import Interval, day_of
from safeconduct.protocol.statute.complaint import Check, Complaint, complain
from safeconduct.protocol.statute.evaluate import Judgement, evaluate
from safeconduct.protocol.statute.phrase import amount_words
from safeconduct.protocol.statute.proof import Node, flatten
from safeconduct.protocol.statute.steps import owed_steps, proofs_beside, unsealed_at
from safeconduct.protocol.statute.text import (
    UNDETERMINED,
    Case,
    Provision,
    Statute,
    all_parts,
)


def matches_case(statute: Statute, case: Case) -> bool:
    """Whether the case comes out as it says, in everything that it states."""
    return not list(case_faults(statute, case))


def judge_case(statute: Statute, case: Case) -> Judgement:
    """What the statute says about one of its own cases, at its day or the first in force.

    Raises:
        SafeconductError: the case lies outside what can be judged, such as before the law.
    """
    return evaluate(statute, case.facts, case_day(statute, case))


def case_day(statute: Statute, case: Case) -> int:
    """POSIX seconds at which a case is judged."""
    return statute.version.in_force_from if case.as_of is None else case.as_of


def case_faults(statute: Statute, case: Case) -> Iterator[str]:
    """In words, everything in which the case comes out otherwise than it says."""
    try:
        found = judge_case(statute, case)
        yield from _faults(statute, case, found)
    except SafeconductError as error:
        yield f"cannot be judged: {error.message}"


def _faults(statute: Statute, case: Case, found: Judgement) -> Iterator[str]:
    if found.outcome != case.outcome:
        yield f"comes out as {found.outcome}, not {case.outcome}"
    elif found.sections != case.sections:
        stated, rests = ", ".join(case.sections), ", ".join(found.sections)
        yield f"rests on {rests}, not on {stated}"
    elif not _waits_as_stated(case, found):
        waits = ", ".join(each.fact for each in found.open_facts) or "nothing"
        yield f"waits for {waits}"
    if case.standing and found.standing != case.standing:
        yield f"stands as {found.standing or 'nothing'}, not {case.standing}"
    if case.amount is not None and found.amount != case.amount:
        worth = "nothing" if found.amount is None else amount_words(found.amount)
        yield f"is worth {worth}, not {amount_words(case.amount)}"
    yield from _item_faults(case, found)
    yield from _step_faults(statute, case)
    yield from _seal_faults(statute, case, found)


def _waits_as_stated(case: Case, found: Judgement) -> bool:
    stated = case.open_facts
    return stated is None or stated == tuple(each.fact for each in found.open_facts)


def _item_faults(case: Case, found: Judgement) -> Iterator[str]:
    if not case.items:
        return
    reached = {each.item: each.outcome for each in found.items}
    for item, outcome in case.items.items():
        if item not in reached:
            yield f"has no outcome for {item}"
        elif reached[item] != outcome:
            yield f"comes out as {reached[item]} for {item}, not {outcome}"


def _step_faults(statute: Statute, case: Case) -> Iterator[str]:
    if not case.steps:
        return
    as_of = case_day(statute, case)
    states = {each.name: each.state for each in owed_steps(statute, case.facts, as_of)}
    for name, state in case.steps.items():
        if states[name] != state:
            yield f"finds the step {name} {states[name]}, not {state}"


def _seal_faults(statute: Statute, case: Case, found: Judgement) -> Iterator[str]:
    if case.unsealed:
        days = _unsealing_days(statute, case, found)
        if days != (case.unsealed, case.unsealed):
            told = " to ".join(dict.fromkeys(days)) or "at no time that can be told"
            yield f"is unsealed {told}, not {case.unsealed}"


def _unsealing_days(statute: Statute, case: Case, found: Judgement) -> tuple[str, ...]:
    """The first and the last day on which what was sealed may first be shown."""
    if found.outcome == UNDETERMINED or statute.calendar is None:
        return ()
    outcome = statute.outcome(found.outcome)
    opened = unsealed_at(statute, outcome, case.facts, case_day(statute, case))
    if not isinstance(opened, Interval) or opened.earliest is None:
        return ()
    days = (day_of(at, statute.calendar) for at in (opened.earliest, opened.latest))
    return tuple(date.fromordinal(day).isoformat() for day in days)


def _failing_cases(statute: Statute) -> Iterator[Complaint]:
    for case in statute.cases:
        for fault in case_faults(statute, case):
            yield complain(case.place, f"“{case.name}” {fault}")


def _unproven_sections(statute: Statute) -> Iterator[Complaint]:
    """Every provision needs a case in which it holds, and one in which it does not."""
    seen: dict[str, set[bool | None]] = {}
    for case in statute.cases:
        for section, value in _sections_proven(statute, case):
            seen.setdefault(section, set()).add(value)
    for part in all_parts(statute.sections):
        if isinstance(part, Provision):
            for value, verb in ((True, "holds"), (False, "does not hold")):
                if value not in seen.get(part.number, set()):
                    yield complain(part.place, f"no case in which section {part.number} {verb}")


def _sections_proven(statute: Statute, case: Case) -> Iterator[tuple[str, bool | None]]:
    proofs = [
        *_proofs(lambda: judge_case(statute, case).roots),
        *_proofs(lambda: proofs_beside(statute, case.facts, case_day(statute, case))),
    ]
    for node in flatten(tuple(proofs))[0]:
        if node.section and node.operator != "each":  # of an empty list nothing was proven
            yield node.section, node.value


def _proofs(prove: Callable[[], Iterable[Node]]) -> Iterable[Node]:
    try:
        return prove()
    except SafeconductError:
        return ()  # `_failing_cases` says why


CHECKS_OF_CASES: tuple[Check, ...] = (_failing_cases, _unproven_sections)
