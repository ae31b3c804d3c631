"""A statute made ready to be applied: every condition as a function that proves it of a case.

A law is read once and applied to many cases, so whatever does not depend on the case is settled
here: which facts a test reads, which second a date stands for, whom a doubt helps. Rules are
proven once in a case, or once for each item if they are about one, and shared.

`favour` is true where a test that holds helps the person.
"""

from collections.abc import Callable
from typing import Any, TypeAlias

from safeconduct.errors import MalformedError
from safeconduct.protocol.statute.calendar import Interval
from safeconduct.protocol.statute.compare import (
    falls_in,
    lies_in,
    not_later,
    precedes,
    touches,
)
from safeconduct.protocol.statute.cost import cost_of
from safeconduct.protocol.statute.facts import Item, Missing, Reading
from safeconduct.protocol.statute.proof import (
    FINAL,
    REVOKED,
    Node,
    Truth,
    all_of,
    any_of,
    negated,
    reaches,
)
from safeconduct.protocol.statute.quantity import below, measurer
from safeconduct.protocol.statute.term import (
    LAST,
    LIMIT,
    WHOLE,
    Law,
    Prove,
    Run,
    Seen,
    Use,
    moment,
    stay,
)
from safeconduct.protocol.statute.text import (
    STRUCK,
    Condition,
    Instant,
    Outcome,
    Provision,
    Statute,
    Term,
)

Holds: TypeAlias = Callable[[Any], Truth]


class Plan:
    """One statute, ready to be applied; what it makes is made when it is first asked for."""

    def __init__(self, statute: Statute) -> None:
        self._rules = statute.rules
        self._made: dict[tuple[str, bool], Prove] = {}
        self._making: set[str] = set()
        self.cost = cost_of(statute)
        self.law = Law(
            parameters=statute.parameters, calendar=statute.calendar, prove=self.condition
        )
        outcomes = statute.outcomes
        self.each_lists = tuple(dict.fromkeys(o.each for o in outcomes if o.each))
        # What is said of the whole case goes before what is said of single items.
        self.order = sorted(range(len(outcomes)), key=lambda n: bool(outcomes[n].each))
        self.roots = [_root(each, n, self) for n, each in enumerate(outcomes)]

    def rule(self, name: str, favour: bool) -> Prove:
        """The function that proves the rule `name`, of the item given if it is about one.

        Raises:
            MalformedError: the rules lead in a circle.
        """
        key = (name, favour)
        if key not in self._made:
            if name in self._making:
                raise MalformedError(f"the rules lead in a circle: {name}")
            self._making.add(name)
            provision = self._rules[name]
            prove = self._provision(provision, favour)
            self._made[key] = _once_an_item(prove) if provision.of else _once(prove)
            self._making.discard(name)
        return self._made[key]

    def number(self, rule: str) -> str:
        """The number of the section that states a rule."""
        return self._rules[rule].number

    def condition(self, condition: Condition, favour: bool) -> Prove:
        """The function that proves `condition`."""
        return _OPERATORS[condition.operator](condition, favour, self)

    def _provision(self, provision: Provision, favour: bool) -> Prove:
        condition = self.condition(provision.condition, favour)
        exceptions = [self._provision(each, not favour) for each in provision.exceptions]
        number, name, place = provision.number, provision.rule, provision.place

        def prove(run: Run, item: Item | None) -> Node:
            first = condition(run, item)
            if not exceptions:
                return Node("section", place, first.value, number, name, (), "", None, (first,))
            found = [each(run, item) for each in exceptions]
            value = all_of((first.value, negated(any_of([each.value for each in found]))))
            children = (first, *found)
            return Node("section", place, value, number, name, (), "", None, children)

        return prove


def plan_of(statute: Statute) -> Plan:
    """The plan of this statute, made when it is first asked for and kept with it."""
    kept = statute.compiled
    if not kept:
        kept.append(Plan(statute))
    plan = kept[0]
    assert isinstance(plan, Plan)
    return plan


def _once(prove: Prove) -> Prove:
    key = object()

    def proven(run: Run, item: Item | None) -> Node:
        node = run.proven.get(key)
        if node is None:
            node = run.proven[key] = prove(run, None)
        return node

    return proven


def _once_an_item(prove: Prove) -> Prove:
    shared = object()

    def proven(run: Run, item: Item | None) -> Node:
        assert item is not None  # such a rule is referred to only where there is an item
        key = (shared, item.id)
        node = run.proven.get(key)
        if node is None:
            node = run.proven[key] = prove(run, item)
        return node

    return proven


# Outcomes.


def _root(outcome: Outcome, index: int, plan: Plan) -> Prove:
    """The function that proves an outcome, of every item if it is found one by one."""
    prove = _outcome(outcome, f"outcomes[{index}]", plan)
    if not outcome.each:
        return prove
    name, place, ground = outcome.each, f"outcomes[{index}].when", plan.number(outcome.rule)

    def prove_each(run: Run, item: Item | None) -> Node:
        children = tuple([prove(run, each) for each in run.lists[name]])
        if not children:  # then nothing was tried that could name the section
            return Node("each", place, False, ground, name)
        value = any_of([child.value for child in children])
        return Node("each", place, value, "", name, (), "", None, children)

    return prove_each


def _outcome(outcome: Outcome, place: str, plan: Plan) -> Prove:
    """Only what is known to revoke an outcome does; only what is known makes it final."""
    helps = outcome.favours == "person"
    rule = plan.rule(outcome.rule, helps)
    more = [
        (operator, name, plan.rule(name, favour))
        for operator, name, favour in (
            (REVOKED, outcome.revoked_when, not helps),
            (FINAL, outcome.final_when, helps),
        )
        if name
    ]
    if not more:
        return rule

    def prove(run: Run, item: Item | None) -> Node:
        first = rule(run, item)
        children, value = [first], first.value
        for operator, name, effect in more:
            found = effect(run, item)
            at = f"{place}.{operator}"
            children.append(Node(operator, at, found.value, name=name, children=(found,)))
            if operator == REVOKED and found.value:
                value = False
        return Node("outcome", place, value, name=outcome.value, children=tuple(children))

    return prove


# Logic.


def _and(condition: Condition, favour: bool, plan: Plan) -> Prove:
    place, parts = condition.place, [plan.condition(each, favour) for each in condition.parts]

    def prove(run: Run, item: Item | None) -> Node:
        children = tuple([part(run, item) for part in parts])
        value: Truth = True
        for child in children:
            if child.value is False:
                value = False
                break
            if child.value is None:
                value = None
        return Node("and", place, value, "", "", (), "", None, children)

    return prove


def _or(condition: Condition, favour: bool, plan: Plan) -> Prove:
    place, parts = condition.place, [plan.condition(each, favour) for each in condition.parts]

    def prove(run: Run, item: Item | None) -> Node:
        children = tuple([part(run, item) for part in parts])
        value = any_of([child.value for child in children])
        return Node("or", place, value, "", "", (), "", None, children)

    return prove


def _not(condition: Condition, favour: bool, plan: Plan) -> Prove:
    place, part = condition.place, plan.condition(condition.parts[0], not favour)

    def prove(run: Run, item: Item | None) -> Node:
        child = part(run, item)
        return Node("not", place, negated(child.value), "", "", (), "", None, (child,))

    return prove


def _reference(condition: Condition, favour: bool, plan: Plan) -> Prove:
    place, name, rule = condition.place, condition.name, plan.rule(condition.name, favour)

    def prove(run: Run, item: Item | None) -> Node:
        child = rule(run, item)
        return Node("rule", place, child.value, "", name, (), "", None, (child,))

    return prove


def _struck(condition: Condition, favour: bool, plan: Plan) -> Prove:
    return lambda run, item: Node(STRUCK, condition.place, False)


# Lists.


def _some(condition: Condition, favour: bool, plan: Plan) -> Prove:
    return _of_items(condition, plan.condition(condition.parts[0], favour), any_of, None)


def _all(condition: Condition, favour: bool, plan: Plan) -> Prove:
    return _of_items(condition, plan.condition(condition.parts[0], favour), all_of, None)


def _threshold(condition: Condition, favour: bool, plan: Plan) -> Prove:
    at_least, bound = condition.operator == "at-least", condition.bound
    if not condition.parts:
        if at_least:
            return _leaf(condition, favour, lambda value: value >= bound)
        return _leaf(condition, favour, lambda value: value < bound)
    if condition.quantity is not None and condition.quantity.operator != "count":
        return _measured(condition, favour, plan)
    body = plan.condition(condition.parts[0], favour is at_least)

    def enough(values: list[Truth]) -> Truth:
        return reaches(values, bound) if at_least else negated(reaches(values, bound))

    return _of_items(condition, body, enough, bound)


def _of_items(
    condition: Condition,
    body: Prove,
    join: Callable[[list[Truth]], Truth],
    bound: int | None,
) -> Prove:
    operator, place, name = condition.operator, condition.place, condition.name

    def prove(run: Run, item: Item | None) -> Node:
        children = tuple([body(run, each) for each in run.lists[name]])
        value = join([child.value for child in children])
        return Node(operator, place, value, "", name, (), "", bound, children)

    return prove


def _measured(condition: Condition, favour: bool, plan: Plan) -> Prove:
    assert condition.quantity is not None
    operator, place, bound = condition.operator, condition.place, condition.bound
    high = favour is (operator == "at-least")
    measure = measurer(condition.quantity, plan.law, favour, high)

    def prove(run: Run, item: Item | None) -> Node:
        found = measure(run)
        return Node(
            operator,
            place,
            below(found, bound, operator),
            name=condition.name,
            facts=found.facts,
            state=Missing.ABSENT.value if found.absent else "",
            bound=bound,
            children=found.children,
            least=None if found.absent else found.least,
            most=None if found.absent else found.most,
        )

    return prove


# Tests of one fact.


def _leaf(condition: Condition, favour: bool, holds: Holds) -> Prove:
    """A test of a value; a fact without one is settled by why it has none."""

    def settled(reading: Reading) -> tuple[Truth, str]:
        if isinstance(reading, Missing):
            return _without(reading, favour), reading.value
        return holds(reading), ""

    return _test_of(condition, settled)


def _test_of(condition: Condition, settle: Callable[[Reading], tuple[Truth, str]]) -> Prove:
    operator, place, name = condition.operator, condition.place, condition.fact
    field = name.partition(".")[2]

    def prove_of_item(run: Run, item: Item | None) -> Node:
        assert item is not None  # the loader lets fields stand only where there is an item
        value, state = settle(item.values[name])
        return Node(operator, place, value, "", "", (f"{item.id}.{field}",), state)

    facts = (name,)

    def prove(run: Run, item: Item | None) -> Node:
        value, state = settle(run.values[name])
        return Node(operator, place, value, "", "", facts, state)

    return prove_of_item if field else prove


def _without(missing: Missing, favour: bool) -> Truth:
    return favour if missing is Missing.IN_FAVOUR else _MISSING_VALUE[missing]


_MISSING_VALUE: dict[Missing, Truth] = {
    Missing.UNKNOWN: None,
    Missing.ABSENT: False,
    Missing.UNPROVEN: False,
}


def _is(condition: Condition, favour: bool, plan: Plan) -> Prove:
    values = condition.values
    return _leaf(condition, favour, lambda value: value in values)


def _absent(condition: Condition, favour: bool, plan: Plan) -> Prove:
    def settle(reading: Reading) -> tuple[Truth, str]:
        if reading is Missing.UNKNOWN or reading is Missing.IN_FAVOUR:
            return _without(reading, favour), reading.value
        return reading is Missing.ABSENT, ""

    return _test_of(condition, settle)


def _known(condition: Condition, favour: bool, plan: Plan) -> Prove:
    """The one test that asks about knowledge itself, so finding out can turn it around."""

    def settle(reading: Reading) -> tuple[Truth, str]:
        return not isinstance(reading, Missing) or reading is Missing.ABSENT, ""

    return _test_of(condition, settle)


# Tests of times and periods.


def _before(condition: Condition, favour: bool, plan: Plan) -> Prove:
    parameter = plan.law.parameters.get(condition.name)
    if isinstance(parameter, Instant):
        limit = Interval(earliest=parameter.limit_at, latest=parameter.limit_at)
        return _leaf(condition, favour, lambda value: precedes(value, limit))
    return _order(condition, favour, plan, (LAST, LIMIT), precedes)


def _by(condition: Condition, favour: bool, plan: Plan) -> Prove:
    return _order(condition, favour, plan, (LAST, WHOLE), not_later)


def _order(
    condition: Condition,
    favour: bool,
    plan: Plan,
    dates: tuple[str, str],
    compare: Callable[[Interval, Interval], Truth],
) -> Prove:
    first, second = _compared(condition, plan)
    return _pair(
        condition,
        favour,
        moment(first, plan.law, Use(as_date=dates[0], low=favour)),
        moment(second, plan.law, Use(as_date=dates[1], low=not favour)),
        compare,
    )


def _during(condition: Condition, favour: bool, plan: Plan) -> Prove:
    first, second = _compared(condition, plan)
    return _pair(condition, favour, moment(first, plan.law), stay(second, plan.law), falls_in)


def _inside(condition: Condition, favour: bool, plan: Plan) -> Prove:
    first, second = _compared(condition, plan)
    return _pair(condition, favour, stay(first, plan.law), stay(second, plan.law), lies_in)


def _touch(condition: Condition, favour: bool, plan: Plan) -> Prove:
    first, second = _compared(condition, plan)
    return _pair(condition, favour, stay(first, plan.law), stay(second, plan.law), touches)


def _compared(condition: Condition, plan: Plan) -> tuple[Term, Term]:
    """The two operands of a test; plain names stand in the condition itself."""
    if condition.terms:
        first, second = condition.terms
        return first, second
    fixed = condition.name in plan.law.parameters
    return (
        Term(operator="fact", place=condition.place, name=condition.fact),
        Term(
            operator="parameter" if fixed else "fact",
            place=condition.place,
            name=condition.name,
        ),
    )


def _pair(
    condition: Condition,
    favour: bool,
    first: Callable[[Run, Item | None, Seen], Any],
    second: Callable[[Run, Item | None, Seen], Any],
    compare: Callable[[Any, Any], Truth],
) -> Prove:
    operator, place = condition.operator, condition.place

    def prove(run: Run, item: Item | None) -> Node:
        seen = Seen()
        values = first(run, item, seen), second(run, item, seen)
        facts = tuple(dict.fromkeys(seen.facts) if condition.terms else seen.facts)
        tests = tuple(seen.tests)
        for missing in Missing:
            if missing in values:
                value, state = _without(missing, favour), missing.value
                return Node(operator, place, value, "", "", facts, state, None, tests)
        return Node(operator, place, compare(*values), "", "", facts, "", None, tests)

    return prove


_OPERATORS: dict[str, Callable[[Condition, bool, Plan], Prove]] = {
    "and": _and,
    "or": _or,
    "not": _not,
    "rule": _reference,
    "is": _is,
    "in": _is,
    "absent": _absent,
    "known": _known,
    "some": _some,
    "all": _all,
    "at-least": _threshold,
    "less": _threshold,
    "before": _before,
    "by": _by,
    "during": _during,
    "inside": _inside,
    "touch": _touch,
    STRUCK: _struck,
}
