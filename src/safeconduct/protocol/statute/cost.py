"""What applying a law takes, known before the first test is made.

    steps = Σ coefficient × items of one list, or of one list squared (a place among rivals)

Every condition is a step; what is said of the items of a list is a step for each of them.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from safeconduct.protocol.statute.facts import Item
from safeconduct.protocol.statute.text import (
    Condition,
    Period,
    Provision,
    Statute,
    Term,
    with_terms,
)

_LISTING = frozenset({"some", "all", "at-least", "less"})
_DAYS_A_STEP = 8  # working days counted in about the time of one test

Steps: TypeAlias = Counter[tuple[str, ...]]  # by the lists whose lengths are multiplied


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """The steps that a statute takes, as a sum over the lengths of lists."""

    steps: Mapping[tuple[str, ...], int]

    def of(self, lists: Mapping[str, tuple[Item, ...]]) -> int:
        """How many steps it takes with these items, for each of the two sides of a doubt."""
        total = 0
        for names, steps in self.steps.items():
            for name in names:
                steps *= len(lists[name])
            total += steps
        return total


def cost_of(statute: Statute) -> Cost:
    """The cost of every rule of the statute, and of the times its procedure counts from."""
    steps: Steps = Counter()
    for provision in statute.rules.values():
        own = _provision(provision, statute)
        steps += _times(own, provision.of) if provision.of else own
    for step in statute.procedure.steps:
        steps += _terms([step.anchor], statute)
    return Cost(steps=steps)


def _provision(provision: Provision, statute: Statute) -> Steps:
    steps = Counter({(): 1}) + _condition(provision.condition, statute)
    for exception in provision.exceptions:
        steps += _provision(exception, statute)
    return steps


def _condition(condition: Condition, statute: Statute) -> Steps:
    quantity, inner = condition.quantity, Counter[tuple[str, ...]]()
    for part in condition.parts:
        inner += _condition(part, statute)
    if quantity is not None and quantity.term is not None:
        inner += _terms([quantity.term], statute)
    if condition.parts and condition.operator in _LISTING:
        inner = _times(inner, condition.name)
    if quantity is not None and quantity.operator == "rank":
        inner[condition.name, condition.name] += 1
    return Counter({(): 1}) + inner + _terms(condition.terms, statute)


def _terms(terms: list[Term] | tuple[Term, ...], statute: Statute) -> Steps:
    steps: Steps = Counter()
    for term in (each for top in terms for each in with_terms(top)):
        steps[()] += 1 + _counted_days(term, statute) // _DAYS_A_STEP
        for test in term.tests:  # proven for both sides of a doubt
            steps += _condition(test, statute) + _condition(test, statute)
    return steps


def _counted_days(term: Term, statute: Statute) -> int:
    parameter = statute.parameters.get(term.name)
    if term.operator != "add" or not isinstance(parameter, Period):
        return 0
    return parameter.duration.amount if parameter.duration.unit == "working_days" else 0


def _times(steps: Steps, name: str) -> Steps:
    return Counter({(*names, name): each for names, each in steps.items()})
