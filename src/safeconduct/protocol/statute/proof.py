"""Proofs: what each step of a judgement was computed from, and what it came to.

Truth has three values (Kleene): true, false, and None for unknown. A node's children are what
it was computed from. A rule is proven once and shared, so a proof is a graph without circles
that reads like a tree; `flatten` lists it with children before their parents.

Spec: S. C. Kleene, Introduction to Metamathematics, §64, the strong tables.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple, TypeAlias

from safeconduct.protocol.canonical import Json

Truth: TypeAlias = bool | None

TRUTH_WORDS = {True: "true", False: "false", None: "unknown"}


class Node(NamedTuple):
    """One step of a proof; `place` is where the law says so.

    A tuple, because a judgement makes dozens and they must cost little.
    """

    operator: str  # of the condition, or `section` for a provision; see `compiled`
    place: str
    value: Truth
    section: str = ""
    name: str = ""  # the rule, list or outcome meant
    facts: tuple[str, ...] = ()  # such as `tips[0].logged`
    state: str = ""  # why a fact without a value had none: see `Missing`
    bound: int | None = None
    children: tuple["Node", ...] = ()
    least: int | None = None  # of a quantity that may lie between two numbers
    most: int | None = None

    @property
    def measured(self) -> bool:
        """Whether it tests a quantity other than a count of its children."""
        return self.least is not None or (self.bound is not None and bool(self.state))


LISTED = frozenset({"each", "some", "all", "at-least", "less"})  # they look at each item


def with_items(node: Node) -> Iterator[tuple[Node, str]]:
    """The children of a step, each with the item that it is about, such as `tips[0]`.

    Empty where a child is about none, and where a place or a total is worked out: what that
    is made of stands several to an item, and beside tests of no item.
    """
    by_item = node.operator in LISTED and bool(node.name) and not node.measured
    for index, child in enumerate(node.children):
        yield child, f"{node.name}[{index}]" if by_item else ""


# Kleene's tables.


def all_of(values: Iterable[Truth]) -> Truth:
    """True if all are true, false if one is false, else unknown."""
    seen = set(values)
    return False if False in seen else None if None in seen else True


def any_of(values: Iterable[Truth]) -> Truth:
    """True if one is true, false if all are false, else unknown."""
    seen = set(values)
    return True if True in seen else None if None in seen else False


def negated(value: Truth) -> Truth:
    """The opposite; the opposite of unknown is unknown."""
    return None if value is None else not value


def reaches(values: Iterable[Truth], bound: int) -> Truth:
    """Whether at least `bound` of the values are true; unknown if the unknown ones decide."""
    seen = list(values)
    certain, possible = seen.count(True), len(seen) - seen.count(False)
    return True if certain >= bound else False if possible < bound else None


# What a proof rests on.


def deciding(node: Node) -> tuple[Node, ...]:
    """The children that made `node` what it is; the others could have been otherwise."""
    if node.operator in _DECIDING:
        return _DECIDING[node.operator](node)
    if (node.operator, node.value) in _ALL_DECIDE:
        return node.children
    if node.measured:
        wanted = (None,) if node.value is None else (True, None)
        return tuple(child for child in node.children if child.value in wanted)
    decides = negated(node.value) if node.operator == "less" else node.value
    return tuple([child for child in node.children if child.value is decides])


_ALL_DECIDE = frozenset(
    {("not", value) for value in (True, False, None)}
    | {("and", True), ("all", True), ("or", False), ("some", False), ("each", False)}
    | {("at-least", False), ("less", True)}
)


def _deciding_outcome(node: Node) -> tuple[Node, ...]:
    """Of an outcome that can be revoked or become final: the rule, and what was made of it."""
    rule, *more = node.children
    if rule.value is not True:
        return (rule,)
    if node.value is False:
        return (rule, *(each for each in more if each.operator == REVOKED))
    return (rule, *(each for each in more if each.operator == FINAL))


REVOKED = "revoked_when"
FINAL = "final_when"


def _deciding_section(node: Node) -> tuple[Node, ...]:
    condition, *exceptions = node.children
    if node.value is None:
        return tuple(child for child in node.children if child.value is None)
    if condition.value is False:
        return (condition,)
    if node.value is False:
        return tuple(each for each in exceptions if each.value)
    # An exception that would have held, had it not been for its own exception, is a reason too.
    return (condition, *(each for each in exceptions if each.children[0].value))


def _deciding_times(node: Node) -> tuple[Node, ...]:
    """Of a test of times: all that these hang on, since each bears on what they are."""
    return node.children


_DECIDING = {
    "section": _deciding_section,
    "outcome": _deciding_outcome,
    **dict.fromkeys(("before", "by", "during", "inside", "touch"), _deciding_times),
}


def supporting(roots: tuple[Node, ...]) -> Iterator[tuple[Node, str]]:
    """Every node that the roots rest on, with the section it stands in, each once."""
    seen: set[int] = set()
    waiting = [(root, "") for root in reversed(roots)]
    while waiting:
        node, section = waiting.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        within = node.section or section
        yield node, within
        waiting.extend((child, within) for child in reversed(deciding(node)))


def resting_sections(roots: tuple[Node, ...]) -> tuple[str, ...]:
    """The sections that the roots rest on, in the order of `supporting`."""
    found: dict[str, None] = {}
    seen: set[int] = set()
    waiting = [*reversed(roots)]
    while waiting:
        node = waiting.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if node.section:
            found[node.section] = None
        for child in reversed(deciding(node)):
            if child.children:  # a test has no section of its own
                waiting.append(child)
    return tuple(found)


def flatten(roots: tuple[Node, ...]) -> tuple[list[Node], dict[int, int]]:
    """The nodes below `roots`, children first and each once, and their numbers by `id`."""
    nodes: list[Node] = []
    numbers: dict[int, int] = {}

    def visit(node: Node) -> None:
        if id(node) in numbers:
            return
        for child in node.children:
            visit(child)
        numbers[id(node)] = len(nodes)
        nodes.append(node)

    for root in roots:
        visit(root)
    return nodes, numbers


def node_document(node: Node, numbers: dict[int, int]) -> dict[str, Json]:
    """One entry of `nodes`; what is empty is left out."""
    document: dict[str, Json] = {
        "op": node.operator,
        "place": node.place,
        "value": TRUTH_WORDS[node.value],
    }
    optional: dict[str, Json] = {
        "section": node.section,
        "name": node.name,
        "facts": list(node.facts),
        "state": node.state,
        "children": [numbers[id(child)] for child in node.children],
    }
    document |= {key: value for key, value in optional.items() if value}
    for key, number in (("bound", node.bound), ("least", node.least), ("most", node.most)):
        if number is not None:
            document[key] = number
    return document
