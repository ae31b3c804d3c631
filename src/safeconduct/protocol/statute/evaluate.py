"""A judgement: the statute applied to the facts of one case, with its proof as the result.

Truth has three values (Kleene): true, false, and None for unknown. A node's children are what
it was computed from, so the tree explains itself; a rule is computed once and shared. As
canonical JSON, the nodes stand in one list in which children come before their parents:

    {"as_of": 1780000000, "evaluator": "1", "facts": "5a0c…", "statute": "77e1…",
     "nodes": [{"facts": ["tips[0].logged"], "op": "before", "place": "…", "value": "true"},
               {"children": [0, 1], "op": "and", "place": "…", "value": "true"}, …],
     "roots": [12], "outcome": "acquitted", "sections": ["3(1)", "4(1)"], "open": []}

so whoever replays it needs one loop and the tables above. `tree_hash` is SHA-256 over it.
Three more keys stand where a law gives rise to them: `items` (outcomes found item by item),
`amount`, and `standing` (of an outcome that can be revoked, or is conditional until final).

*Before D* is true if the latest possible time is before D, false if the earliest is not, else
unknown. A doubt that the statute settles in the person's favour is settled test by test:
where a test counts for the person it holds, and where it counts against them it does not.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from safeconduct.errors import MalformedError, RefusedError
from safeconduct.protocol.canonical import Json, format_json
from safeconduct.protocol.statute.compiled import Plan, plan_of
from safeconduct.protocol.statute.facts import Facts, Interval, Missing, Reading, Span
from safeconduct.protocol.statute.instant import format_instant
from safeconduct.protocol.statute.proof import (
    FINAL,
    Node,
    flatten,
    node_document,
    resting_sections,
    supporting,
)
from safeconduct.protocol.statute.quantity import in_whole_days
from safeconduct.protocol.statute.term import Run
from safeconduct.protocol.statute.text import (
    UNDETERMINED,
    Amount,
    Outcome,
    Provision,
    Statute,
    all_parts,
    with_parts,
)

EVALUATOR = "1"
NODES_MAX = 250_000  # of one proof; computed before the first test is made
GRANTED, CONDITIONAL, REVOKED = "granted", "conditional", "revoked"


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenFact:
    """A fact that the outcome waits for."""

    fact: str
    owed_by: str
    section: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemOutcome:
    """What follows for one item, such as one offence of several."""

    item: str  # such as `offences[0]`
    outcome: str
    sections: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What the law says about a case at `as_of`; `roots` holds one proof per outcome."""

    statute: bytes  # SHA-256
    given: Facts = field(repr=False)
    as_of: int  # POSIX seconds
    outcome: str
    sections: tuple[str, ...]  # that the outcome rests on, in the order of the proof
    open_facts: tuple[OpenFact, ...]
    roots: tuple[Node, ...]
    items: tuple[ItemOutcome, ...] = ()  # of the lists that outcomes are found for one by one
    amount: Amount | None = None
    standing: str = ""  # granted, conditional or revoked, where the outcome can be taken away

    @property
    def facts(self) -> bytes:
        """SHA-256 of the canonical facts document."""
        return self.given.sha256

    @property
    def decided(self) -> bool:
        """Whether there is an outcome, for each item too, and no fact still to be found."""
        return self.outcome != UNDETERMINED and not any(
            each.outcome == UNDETERMINED for each in self.items
        )


def evaluate(statute: Statute, facts: Facts, as_of: int) -> Judgement:
    """What `statute` says about `facts` at `as_of` (POSIX seconds).

    Requires facts read against this statute's declarations.

    Raises:
        RefusedError: the statute is not yet in force at `as_of`.
        MalformedError: the proof would pass 250,000 nodes, or a deadline is counted into a
            year of which the calendar lists no holidays.
    """
    if as_of < statute.version.in_force_from:
        begins = format_instant(statute.version.in_force_from)
        raise RefusedError(f"the statute is not in force before {begins}")
    plan = plan_of(statute)
    check_cost(plan, facts)
    run = Run(facts.values, facts.lists, as_of)
    roots = tuple([prove(run, None) for prove in plan.roots])
    return _judgement(statute, plan, facts, as_of, roots)


def check_cost(plan: Plan, facts: Facts) -> None:
    """Ensure that applying a statute to `facts` makes no proof of more than 250,000 nodes.

    Raises:
        MalformedError: it would.
    """
    if 2 * plan.cost.of(facts.lists) > NODES_MAX:
        raise MalformedError(f"facts: judging so many items takes more than {NODES_MAX} steps")


@dataclass(slots=True)
class _Found:
    """One outcome among those that a law offers, and the proofs it rests on."""

    outcome: Outcome | None  # None while it is open
    carrying: tuple[Node, ...]
    standing: str

    def value(self) -> str:
        return UNDETERMINED if self.outcome is None else self.outcome.value


def _judgement(
    statute: Statute, plan: Plan, facts: Facts, as_of: int, roots: tuple[Node, ...]
) -> Judgement:
    tried = [(statute.outcomes[n], roots[n]) for n in plan.order]
    grounds = _grounds(roots) if plan.each_lists else roots
    found = _first_that_holds(tried, grounds, statute.default)
    waiting = () if found.outcome is not None else found.carrying
    items: tuple[ItemOutcome, ...] = ()
    if plan.each_lists:
        items, more = _items(statute, plan, facts, roots)
        waiting = (*waiting, *more)
    return Judgement(
        statute=statute.sha256,
        given=facts,
        as_of=as_of,
        outcome=found.value(),
        sections=resting_sections(found.carrying),
        open_facts=_open_facts(statute, facts, waiting) if waiting else (),
        roots=roots,
        items=items,
        amount=None if found.outcome is None else found.outcome.amount,
        standing=found.standing,
    )


def _grounds(roots: tuple[Node, ...]) -> tuple[Node, ...]:
    """What the default rests on: an empty list is a ground only where there is no other."""
    return tuple([r for r in roots if r.children or r.operator != "each"]) or roots


def _first_that_holds(
    tried: Sequence[tuple[Outcome, Node]], grounds: tuple[Node, ...], default: Outcome
) -> _Found:
    """The outcome among those tried, in turn; the default, on these grounds, if none holds."""
    revoked: tuple[Node, ...] = ()
    for outcome, proof in tried:
        if proof.value is None:
            return _Found(None, (*revoked, proof), REVOKED if revoked else "")
        if proof.value:
            standing = REVOKED if revoked else _standing(proof)
            return _Found(outcome, (*revoked, proof), standing)
        if _standing(proof) == REVOKED:
            revoked = (*revoked, proof)
    return _Found(default, grounds, REVOKED if revoked else "")


def _standing(proof: Node) -> str:
    """What became of an outcome that can be revoked, or is conditional until it is final."""
    if proof.operator == "each":
        standings = {_standing(child) for child in proof.children}
        return next((s for s in _STANDINGS[proof.value is True] if s in standings), "")
    if proof.operator != "outcome":
        return ""
    if proof.value is False:
        return REVOKED if proof.children[0].value else ""
    waits = [child for child in proof.children if child.operator == FINAL and not child.value]
    return CONDITIONAL if waits else GRANTED


_STANDINGS = {True: (GRANTED, CONDITIONAL), False: (REVOKED,)}


def _items(
    statute: Statute, plan: Plan, facts: Facts, roots: tuple[Node, ...]
) -> tuple[tuple[ItemOutcome, ...], tuple[Node, ...]]:
    """The outcome of each item, and the proofs that those still open wait for.

    An item has only what is found item by item. What follows for the whole case is the case's.
    """
    found: list[ItemOutcome] = []
    waiting: list[Node] = []
    for name in plan.each_lists:
        own = [
            (outcome, root)
            for outcome, root in zip(statute.outcomes, roots, strict=True)
            if outcome.each == name
        ]
        for index, item in enumerate(facts.lists[name]):
            proofs = tuple([root.children[index] for _, root in own])
            tried = [(outcome, proof) for (outcome, _), proof in zip(own, proofs, strict=True)]
            result = _first_that_holds(tried, proofs, statute.default)
            sections = resting_sections(result.carrying)
            found.append(ItemOutcome(item=item.id, outcome=result.value(), sections=sections))
            waiting.extend(result.carrying if result.outcome is None else ())
    return tuple(found), tuple(waiting)


def _open_facts(
    statute: Statute, facts: Facts, waiting: tuple[Node, ...]
) -> tuple[OpenFact, ...]:
    found: dict[str, OpenFact] = {}
    for node, section in supporting(waiting):
        for fact in _doubtful(node, facts, statute) if node.value is None else ():
            owed_by = statute.facts[declared_name(fact)].asserted_by
            found.setdefault(fact, OpenFact(fact=fact, owed_by=owed_by, section=section))
    return tuple(found.values())


def _doubtful(node: Node, facts: Facts, statute: Statute) -> Iterable[str]:
    """The facts that leave a test open, and none that is certain."""
    if len(node.facts) == 1 and not node.measured:
        return node.facts
    readings = {each: reading_of(facts, each) for each in node.facts}
    if node.measured and _is_total(node, statute):
        readings = {each: _as_counted(found, statute) for each, found in readings.items()}
    doubted = [each for each, found in readings.items() if not _is_certain(found)]
    return doubted or (() if node.children and node.measured else node.facts)


def _is_total(node: Node, statute: Statute) -> bool:
    return any(
        condition.place == node.place
        for part in all_parts(statute.sections)
        if isinstance(part, Provision)
        for condition in with_parts(part.condition)
        if condition.quantity is not None and condition.quantity.operator == "total"
    )


def _as_counted(reading: Reading, statute: Statute) -> Reading:
    if isinstance(reading, Span):
        return in_whole_days(reading, statute.calendar)
    return reading


def _is_certain(reading: Reading) -> bool:
    if isinstance(reading, Span):
        return _is_certain(reading.begin) and _is_certain(reading.end)
    if isinstance(reading, Interval):
        return reading.earliest == reading.latest
    return reading is not Missing.UNKNOWN


def reading_of(facts: Facts, fact_id: str) -> Reading:
    """The reading behind a fact's id, such as `tips[0].logged`.

    Raises:
        KeyError: there is no such fact.
    """
    name = declared_name(fact_id)
    if "[" not in fact_id:
        return facts.values[name]
    list_name, _, rest = fact_id.partition("[")
    return facts.lists[list_name][int(rest.partition("]")[0])].values[name]


def declared_name(fact_id: str) -> str:
    """The declared name behind a fact's id: `tips.logged` for `tips[0].logged`."""
    name, bracket, rest = fact_id.partition("[")
    return name + rest.partition("]")[2] if bracket else name


# The one byte form.


def judgement_document(judgement: Judgement) -> Json:
    """The judgement as the JSON value drawn at the head of this module."""
    nodes, numbers = flatten(judgement.roots)
    document: dict[str, Json] = {
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
    return document | _where_there_is_more(judgement)


def _where_there_is_more(judgement: Judgement) -> dict[str, Json]:
    """What only some laws have: outcomes by item, amounts, outcomes that can be revoked."""
    document: dict[str, Json] = {}
    if judgement.items:
        document["items"] = [
            {"item": each.item, "outcome": each.outcome, "sections": list(each.sections)}
            for each in judgement.items
        ]
    if judgement.amount is not None:
        document["amount"] = amount_document(judgement.amount)
    if judgement.standing:
        document["standing"] = judgement.standing
    return document


def amount_document(amount: Amount) -> Json:
    """An amount as a JSON value."""
    return {"least": amount.least, "most": amount.most, "unit": amount.unit}


def format_judgement(judgement: Judgement) -> bytes:
    """The judgement as canonical JSON: the same bytes wherever it is recomputed."""
    return format_json(judgement_document(judgement))


def tree_hash(judgement: Judgement) -> bytes:
    """SHA-256 over the canonical JSON of the judgement, 32 bytes.

    Facts are few and easily guessed, so whoever holds this hash can test guesses against it:
    it is for those who may see the file. `explain.public_form` carries a salted one.
    """
    return hashlib.sha256(format_judgement(judgement)).digest()
