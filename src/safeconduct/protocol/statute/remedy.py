"""What would have to be different: the smallest set of findings that turns an outcome around.

The proof is searched from its root. A test costs less while it is open than once it has come
out the other way; among equally small sets, the first in the order of the law is named. What
is measured over a list, and what times are made of, is turned around as a whole.
"""

from dataclasses import dataclass

from safeconduct.protocol.statute.evaluate import Judgement
from safeconduct.protocol.statute.proof import FINAL, REVOKED, Node
from safeconduct.protocol.statute.text import (
    UNDETERMINED,
    Condition,
    Outcome,
    Provision,
    Statute,
    all_conditions,
)

_OPEN_COST = 2
_CONTRARY_COST = 3
_NEW_ITEM_COST = 3
_NEW_ITEMS_MAX = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A test that would have to come out as `value`, or a `new_item` in the list named."""

    place: str = ""
    value: bool = True
    fact: str = ""  # empty for a test of a new item
    new_item: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Way:
    cost: int
    changes: tuple[Change, ...]


_NOTHING = _Way(cost=0, changes=())


def changes(statute: Statute, judgement: Judgement) -> tuple[Change, ...] | None:
    """The smallest set of findings that would change a decided outcome; None if none would.

    From the default outcome, towards the nearest other one; from any other, away from it.
    """
    search = _Search(statute)
    ways = [
        search.way(root, judgement.outcome == statute.default.value)
        for declared, root in zip(statute.outcomes, judgement.roots, strict=True)
        if judgement.outcome in (statute.default.value, declared.value)
    ]
    best = _cheapest(ways)
    return best.changes if best is not None and best.changes else None


def item_changes(
    statute: Statute, judgement: Judgement
) -> tuple[tuple[str, tuple[Change, ...]], ...]:
    """For each item that was refused: the smallest set of findings that would help it.

    Nothing, if every item shares the outcome of the case: then `changes` has said it.
    """
    if all(each.outcome == judgement.outcome for each in judgement.items):
        return ()
    search, found = _Search(statute), []
    for each in judgement.items:
        if each.outcome != UNDETERMINED and not _helps(statute.outcome(each.outcome)):
            way = _cheapest(search.ways_of(each.item, judgement.roots))
            if way is not None and way.changes:
                found.append((each.item, way.changes))
    return tuple(found)


def _helps(outcome: Outcome) -> bool:
    return outcome.favours == "person"


def _cheapest(ways: list[_Way | None]) -> _Way | None:
    return min((way for way in ways if way is not None), key=lambda way: way.cost, default=None)


def _together(ways: list[_Way | None]) -> _Way | None:
    found = [way for way in ways if way is not None]
    if len(found) < len(ways):
        return None
    merged = dict.fromkeys(change for way in found for change in way.changes)
    return _Way(cost=sum(way.cost for way in found), changes=tuple(merged))


class _Search:
    """Ways through one proof; each node is searched once for each truth value."""

    def __init__(self, statute: Statute) -> None:
        self._rules = statute.rules
        self._declared = statute.outcomes
        self._outcomes = {f"outcomes[{n}].when": o for n, o in enumerate(statute.outcomes)}
        self._conditions: dict[str, Condition] = {
            each.place: each for rule in self._rules.values() for each in all_conditions(rule)
        }
        self._found: dict[tuple[int, bool], _Way | None] = {}

    def ways_of(self, item: str, roots: tuple[Node, ...]) -> list[_Way | None]:
        """The ways to each outcome that helps an item: it holds, and none before it does."""
        name, _, rest = item.partition("[")
        index = int(rest.partition("]")[0])
        before: list[_Way | None] = []
        found = []
        for outcome, root in zip(self._declared, roots, strict=True):
            if outcome.each == name:
                proof = root.children[index]
                if _helps(outcome):
                    found.append(_together([*before, self.way(proof, True)]))
                before.append(self.way(proof, False))
        return found

    def way(self, node: Node, target: bool) -> _Way | None:
        """The cheapest set of changes that makes `node` come out as `target`."""
        key = (id(node), target)
        if key not in self._found:
            same = node.value is target
            self._found[key] = _NOTHING if same else self._search(node, target)
        return self._found[key]

    def _search(self, node: Node, target: bool) -> _Way | None:
        if node.measured:
            return self._measured(node, target)
        if node.facts:
            return _turned(node, target)
        if node.operator in _PASSING:
            return self.way(node.children[0], target is not (node.operator == "not"))
        if node.operator in ("section", "outcome"):
            return self._guarded(node, target)
        if node.operator in ("and", "or"):
            ways = [self.way(child, target) for child in node.children]
            return _together(ways) if target is (node.operator == "and") else _cheapest(ways)
        if node.operator == "all":
            return self._every(node, target)
        if node.operator in _COUNTING:
            return self._counted(node, target is not (node.operator == "less"))
        return None  # a date against a date, or what a court has struck

    def _guarded(self, node: Node, target: bool) -> _Way | None:
        """A rule that holds unless something does; whether it is final yet changes nothing."""
        rule, *more = [each for each in node.children if each.operator != FINAL]
        ways = [self.way(rule, target), *(self.way(each, not target) for each in more)]
        return _together(ways) if target else _cheapest(ways)

    def _measured(self, node: Node, target: bool) -> _Way | None:
        if node.facts:
            return _turned(node, target)
        added = _Way(cost=_NEW_ITEM_COST, changes=(Change(new_item=node.name),))
        shown = _Way(cost=_OPEN_COST, changes=(Change(place=node.place, value=target),))
        return _together([added, shown])

    def _every(self, node: Node, target: bool) -> _Way | None:
        ways = [self.way(child, target) for child in node.children]
        if target:
            return _together(ways)
        return _cheapest([*ways, self._new_item(node, False)])

    def _counted(self, node: Node, enough: bool) -> _Way | None:
        """The way to have enough items, or too few of them."""
        bound = 1 if node.operator in ("some", "each") else node.bound
        assert bound is not None
        ways = [self.way(child, enough) for child in node.children]
        needed = bound if enough else len(ways) - bound + 1
        if enough:
            ways += [self._new_item(node, True)] * max(0, min(bound, _NEW_ITEMS_MAX))
        possible = sorted((way for way in ways if way is not None), key=lambda way: way.cost)
        if len(possible) < needed:
            return None
        return _together([*possible[: max(0, needed)]])

    def _new_item(self, node: Node, target: bool) -> _Way | None:
        added = _Way(cost=_NEW_ITEM_COST, changes=(Change(new_item=node.name),))
        if node.operator == "each":
            body = self._wished_rule(self._rules[self._outcomes[node.place].rule], target)
        else:
            body = self._wished(self._conditions[node.place].parts[0], target)
        return _together([added, body])

    def _wished(self, condition: Condition, target: bool) -> _Way | None:
        """What an item not yet there would have to show."""
        if condition.fact or condition.terms:
            change = Change(place=condition.place, value=target)
            return _Way(cost=_OPEN_COST, changes=(change,))
        if condition.operator == "not":
            return self._wished(condition.parts[0], not target)
        if condition.operator == "rule":
            rule = self._rules[condition.name]
            # A rule about the whole case is not a matter of one item.
            return self._wished_rule(rule, target) if rule.of else None
        if condition.operator not in ("and", "or"):
            return None
        ways = [self._wished(part, target) for part in condition.parts]
        return _together(ways) if target is (condition.operator == "and") else _cheapest(ways)

    def _wished_rule(self, provision: Provision, target: bool) -> _Way | None:
        ways = [self._wished(provision.condition, target)]
        ways += [self._wished_rule(each, not target) for each in provision.exceptions]
        return _together(ways) if target else _cheapest(ways)


_PASSING = frozenset({"not", "rule", REVOKED})
_COUNTING = frozenset({"some", "each", "at-least", "less"})


def _turned(node: Node, target: bool) -> _Way:
    cost = _OPEN_COST if node.value is None else _CONTRARY_COST
    change = Change(place=node.place, value=target, fact=node.facts[0])
    return _Way(cost=cost, changes=(change,))
