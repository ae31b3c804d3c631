"""A judgement: the statute applied to the facts of one case, with its proof as the result.

Truth has three values (Kleene): true, false, and None for unknown. A node's children are what
it was computed from, so the tree explains itself; a rule is computed once and shared. As
canonical JSON, the nodes stand in one list in which children come before their parents:

    {"as_of": 1780000000, "evaluator": "1", "facts": "5a0c…", "statute": "77e1…",
     "nodes": [{"facts": ["tips[0].logged"], "op": "before", "place": "…", "value": "true"},
               {"children": [0, 1], "op": "and", "place": "…", "value": "true"}, …],
     "roots": [12], "outcome": "acquitted", "sections": ["3(1)", "4(1)"], "open": []}

so whoever replays it needs one loop and the tables above. `tree_hash` is SHA-256 over it.

*Before D* is true if the latest possible time is before D, false if the earliest is not, else
unknown. A doubt that the statute settles in the person's favour is settled test by test:
where a test counts for the person it holds, and where it counts against them it does not.
"""

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from safeconduct.errors import MalformedError, RefusedError
from safeconduct.protocol.canonical import Json, format_json
from safeconduct.protocol.statute.facts import Facts, Interval, Item, Missing, Reading, Value
from safeconduct.protocol.statute.instant import format_instant
from safeconduct.protocol.statute.proof import (
    Node,
    Truth,
    all_of,
    any_of,
    flatten,
    negated,
    node_document,
    reaches,
    supporting,
)
from safeconduct.protocol.statute.text import (
    UNDETERMINED,
    Condition,
    Instant,
    Provision,
    Statute,
)

EVALUATOR = "1"
NODES_MAX = 250_000  # of one proof; computed before the first test is made


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenFact:
    """A fact that the outcome waits for."""

    fact: str
    owed_by: str
    section: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What the law says about a case at `as_of`; `roots` holds one proof per outcome."""

    statute: bytes  # SHA-256
    facts: bytes  # SHA-256 of the canonical facts document
    as_of: int  # POSIX seconds
    outcome: str
    sections: tuple[str, ...]  # that the outcome rests on, in the order of the proof
    open_facts: tuple[OpenFact, ...]
    roots: tuple[Node, ...]

    @property
    def decided(self) -> bool:
        """Whether there is an outcome, rather than facts still to be found."""
        return self.outcome != UNDETERMINED


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    statute: Statute
    rules: dict[str, Provision]
    facts: Facts
    proven: dict[tuple[str, bool], Node] = field(default_factory=dict)


def evaluate(statute: Statute, facts: Facts, as_of: int) -> Judgement:
    """What `statute` says about `facts` at `as_of` (POSIX seconds).

    Requires facts read against this statute's declarations.

    Raises:
        RefusedError: the statute is not yet in force at `as_of`.
        MalformedError: the proof would pass 250,000 nodes.
    """
    if as_of < statute.version.in_force_from:
        begins = format_instant(statute.version.in_force_from)
        raise RefusedError(f"the statute is not in force before {begins}")
    case = _Case(statute=statute, rules=statute.rules, facts=facts)
    _check_cost(case)
    roots = tuple(_rule(each.rule, case, each.favours == "person") for each in statute.outcomes)
    return _judgement(statute, facts, as_of, roots)


def _judgement(
    statute: Statute, facts: Facts, as_of: int, roots: tuple[Node, ...]
) -> Judgement:
    outcome, carrying = statute.default.value, roots
    for declared, root in zip(statute.outcomes, roots, strict=True):
        if root.value is not False:
            outcome = declared.value if root.value else UNDETERMINED
            carrying = (root,)
            break
    steps = list(supporting(carrying))
    return Judgement(
        statute=statute.sha256,
        facts=hashlib.sha256(format_json(facts.document)).digest(),
        as_of=as_of,
        outcome=outcome,
        sections=tuple(dict.fromkeys(node.section for node, _ in steps if node.section)),
        open_facts=_open_facts(statute, steps) if outcome == UNDETERMINED else (),
        roots=roots,
    )


def _check_cost(case: _Case) -> None:
    cost = 2 * sum(_provision_cost(each, case.facts) for each in case.rules.values())
    if cost > NODES_MAX:
        raise MalformedError(f"facts: judging so many items takes more than {NODES_MAX} steps")


def _provision_cost(provision: Provision, facts: Facts) -> int:
    exceptions = sum(_provision_cost(each, facts) for each in provision.exceptions)
    return 1 + _cost(provision.condition, facts) + exceptions


def _cost(condition: Condition, facts: Facts) -> int:
    parts = sum(_cost(part, facts) for part in condition.parts)
    return (
        1 + parts * len(facts.lists.get(condition.name, ()))
        if _counts(condition)
        else 1 + parts
    )


def _counts(condition: Condition) -> bool:
    return bool(condition.parts) and condition.operator in ("some", "at-least", "less")


# The operators. `favour` is true where a test that holds helps the person.


def _prove(condition: Condition, case: _Case, item: Item | None, favour: bool) -> Node:
    return _OPERATORS[condition.operator](condition, case, item, favour)


def _rule(name: str, case: _Case, favour: bool) -> Node:
    key = (name, favour)
    if key not in case.proven:
        case.proven[key] = _provision(case.rules[name], case, favour)
    return case.proven[key]


def _provision(provision: Provision, case: _Case, favour: bool) -> Node:
    condition = _prove(provision.condition, case, None, favour)
    exceptions = tuple(_provision(each, case, not favour) for each in provision.exceptions)
    spared = negated(any_of(each.value for each in exceptions))
    return Node(
        operator="section",
        place=provision.place,
        value=all_of((condition.value, spared)),
        section=provision.number,
        name=provision.rule,
        children=(condition, *exceptions),
    )


def _and(condition: Condition, case: _Case, item: Item | None, favour: bool) -> Node:
    return _joined(
        condition, tuple(_prove(p, case, item, favour) for p in condition.parts), all_of
    )


def _or(condition: Condition, case: _Case, item: Item | None, favour: bool) -> Node:
    return _joined(
        condition, tuple(_prove(p, case, item, favour) for p in condition.parts), any_of
    )


def _not(condition: Condition, case: _Case, item: Item | None, favour: bool) -> Node:
    child = _prove(condition.parts[0], case, item, not favour)
    return _joined(condition, (child,), lambda values: negated(next(iter(values))))


def _reference(condition: Condition, case: _Case, item: Item | None, favour: bool) -> Node:
    child = _rule(condition.name, case, favour)
    return _joined(condition, (child,), all_of)


def _some(condition: Condition, case: _Case, item: Item | None, favour: bool) -> Node:
    return _joined(condition, _each_item(condition, case, favour), any_of)


def _at_least(condition: Condition, case: _Case, item: Item | None, favour: bool) -> Node:
    if not condition.parts:
        return _leaf(condition, case, item, favour, _reaches_bound)
    children = _each_item(condition, case, favour)
    return _joined(condition, children, lambda values: reaches(values, condition.bound))


def _less(condition: Condition, case: _Case, item: Item | None, favour: bool) -> Node:
    if not condition.parts:
        return _leaf(
            condition, case, item, favour, lambda value, test: not _reaches_bound(value, test)
        )
    children = _each_item(condition, case, not favour)
    return _joined(
        condition, children, lambda values: negated(reaches(values, condition.bound))
    )


def _reaches_bound(value: Value, condition: Condition) -> Truth:
    assert isinstance(value, int)
    return value >= condition.bound


def _is(condition: Condition, case: _Case, item: Item | None, favour: bool) -> Node:
    return _leaf(condition, case, item, favour, lambda value, test: value in test.values)


def _before(condition: Condition, case: _Case, item: Item | None, favour: bool) -> Node:
    parameter = case.statute.parameters.get(condition.name)
    if isinstance(parameter, Instant):
        limit = Interval(earliest=parameter.limit_at, latest=parameter.limit_at)
        return _leaf(condition, case, item, favour, lambda value, _: _precedes(value, limit))
    first_id, first = _reading(condition.fact, case, item)
    second_id, second = _reading(condition.name, case, item)
    for missing in (m for m in Missing if m in (first, second)):
        return _without(condition, (first_id, second_id), missing, favour)
    return _tested(condition, (first_id, second_id), _precedes(first, second))


def _absent(condition: Condition, case: _Case, item: Item | None, favour: bool) -> Node:
    fact_id, reading = _reading(condition.fact, case, item)
    if reading is Missing.UNKNOWN or reading is Missing.IN_FAVOUR:
        return _without(condition, (fact_id,), reading, favour)
    return _tested(condition, (fact_id,), reading is Missing.ABSENT)


def _known(condition: Condition, case: _Case, item: Item | None, favour: bool) -> Node:
    """The one test that asks about knowledge itself, so finding out can turn it around."""
    fact_id, reading = _reading(condition.fact, case, item)
    found = not isinstance(reading, Missing) or reading is Missing.ABSENT
    return _tested(condition, (fact_id,), found)


_OPERATORS: dict[str, Callable[[Condition, _Case, Item | None, bool], Node]] = {
    "and": _and,
    "or": _or,
    "not": _not,
    "is": _is,
    "in": _is,
    "before": _before,
    "at-least": _at_least,
    "less": _less,
    "some": _some,
    "absent": _absent,
    "known": _known,
    "rule": _reference,
}


def _each_item(condition: Condition, case: _Case, favour: bool) -> tuple[Node, ...]:
    items = case.facts.lists[condition.name]
    return tuple(_prove(condition.parts[0], case, item, favour) for item in items)


def _joined(
    condition: Condition, children: tuple[Node, ...], join: Callable[[Iterable[Truth]], Truth]
) -> Node:
    return Node(
        operator=condition.operator,
        place=condition.place,
        value=join(child.value for child in children),
        name=condition.name,
        bound=condition.bound if condition.operator in ("at-least", "less") else None,
        children=children,
    )


def _reading(name: str, case: _Case, item: Item | None) -> tuple[str, Reading]:
    if "." not in name:
        return name, case.facts.values[name]
    assert item is not None  # the loader lets fields stand only where there is an item
    return f"{item.id}.{name.partition('.')[2]}", item.values[name]


def _leaf(
    condition: Condition,
    case: _Case,
    item: Item | None,
    favour: bool,
    holds: Callable[[Value, Condition], Truth],
) -> Node:
    fact_id, reading = _reading(condition.fact, case, item)
    if isinstance(reading, Missing):
        return _without(condition, (fact_id,), reading, favour)
    return _tested(condition, (fact_id,), holds(reading, condition))


def _tested(condition: Condition, facts: tuple[str, ...], value: Truth) -> Node:
    return Node(operator=condition.operator, place=condition.place, value=value, facts=facts)


def _without(
    condition: Condition, facts: tuple[str, ...], missing: Missing, favour: bool
) -> Node:
    return Node(
        operator=condition.operator,
        place=condition.place,
        value=favour if missing is Missing.IN_FAVOUR else _MISSING_VALUE[missing],
        facts=facts,
        state=missing.value,
    )


_MISSING_VALUE: dict[Missing, Truth] = {
    Missing.UNKNOWN: None,
    Missing.ABSENT: False,
    Missing.UNPROVEN: False,
}


def _precedes(value: Reading, limit: Reading) -> Truth:
    assert isinstance(value, Interval)
    assert isinstance(limit, Interval)
    if limit.earliest is not None and value.latest < limit.earliest:
        return True
    if value.earliest is not None and value.earliest >= limit.latest:
        return False
    return None


def _open_facts(statute: Statute, steps: list[tuple[Node, str]]) -> tuple[OpenFact, ...]:
    found: dict[str, OpenFact] = {}
    for node, section in steps:
        for fact in node.facts if node.value is None else ():
            owed_by = statute.facts[declared_name(fact)].asserted_by
            found.setdefault(fact, OpenFact(fact=fact, owed_by=owed_by, section=section))
    return tuple(found.values())


def declared_name(fact_id: str) -> str:
    """The declared name behind a fact's id: `tips.logged` for `tips[0].logged`."""
    name, bracket, rest = fact_id.partition("[")
    return name + rest.partition("]")[2] if bracket else name


# The one byte form.


def judgement_document(judgement: Judgement) -> Json:
    """The judgement as the JSON value drawn at the head of this module."""
    nodes, numbers = flatten(judgement.roots)
    return {
        "as_of": judgement.as_of,
        "evaluator": EVALUATOR,
        "facts": judgement.facts.hex(),
        "nodes": [node_document(node, numbers) for node in nodes],
        "open": [
            {"fact": each.fact, "owed_by": each.owed_by, "section": each.section}
            for each in judgement.open_facts
        ],
        "outcome": judgement.outcome,
        "roots": [numbers[id(root)] for root in judgement.roots],
        "sections": list(judgement.sections),
        "statute": judgement.statute.hex(),
    }


def format_judgement(judgement: Judgement) -> bytes:
    """The judgement as canonical JSON: the same bytes wherever it is recomputed."""
    return format_json(judgement_document(judgement))


def tree_hash(judgement: Judgement) -> bytes:
    """SHA-256 over the canonical JSON of the judgement, 32 bytes.

    Facts are few and easily guessed, so whoever holds this hash can test guesses against it:
    it is for those who may see the file. `explain.public_form` carries a salted one.
    """
    return hashlib.sha256(format_judgement(judgement)).digest()
