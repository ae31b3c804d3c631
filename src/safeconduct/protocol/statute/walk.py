"""Every condition and every time in a law, wherever it stands.

A condition is made of parts, of a quantity measured over a list, and of times, which may hang
on conditions of their own (`when`). Checks that must miss nothing walk here.
"""

from collections.abc import Iterable, Iterator

from safeconduct.protocol.statute.text import (
    Condition,
    Provision,
    Statute,
    Term,
    all_terms,
    direct_parts,
    with_terms,
)

_QUANTIFIERS = frozenset({"some", "all"})


def below(condition: Condition) -> list[Condition]:
    """The conditions that `condition` is directly made of, in the order of the text."""
    return list(direct_parts(condition))


def terms_of(condition: Condition) -> list[Term]:
    """Every time and span that stands directly in `condition`, outermost first."""
    return all_terms(condition)


def flat_terms(terms: Iterable[Term]) -> list[Term]:
    """The terms and all terms they are made of, outermost first."""
    return [each for term in terms for each in with_terms(term)]


def seen_in(provision: Provision) -> Iterator[tuple[Condition, str]]:
    """Every condition of a provision and its exceptions, with the list whose item is meant."""
    yield from _all(provision.condition, provision.of)
    for exception in provision.exceptions:
        for condition, within in seen_in(exception):
            yield condition, within or provision.of


def all_seen(statute: Statute) -> list[tuple[Condition, str]]:
    """Every condition of the law, rules, outcomes and procedure alike, with its list."""
    found = [seen for rule in statute.rules.values() for seen in seen_in(rule)]
    for test in loose_tests(statute):
        found.extend(_all(test, ""))
    return found


def loose_terms(statute: Statute) -> list[Term]:
    """The times that stand outside all rules: when to unseal, and what steps count from."""
    outcomes = (*statute.outcomes, statute.default)
    unsealed = [each.unseal for each in outcomes if each.unseal is not None]
    anchors = [step.anchor for step in statute.procedure.steps]
    return flat_terms((*unsealed, *anchors))


def loose_tests(statute: Statute) -> list[Condition]:
    """The conditions that such times hang on."""
    return [test for term in loose_terms(statute) for test in term.tests]


def terms_in(statute: Statute) -> list[Term]:
    """Every time and span of the law, wherever it stands."""
    inside = [term for condition, _ in all_seen(statute) for term in terms_of(condition)]
    return [*inside, *loose_terms(statute)]


def names_read(statute: Statute) -> set[str]:
    """The facts, lists, rules and parameters that the law's conditions and times name."""
    found = {step.done for step in statute.procedure.steps}
    for condition, _ in all_seen(statute):
        found |= names_in(condition)
    return (found | {term.name for term in loose_terms(statute)}) - {""}


def reached_rules(names: Iterable[str], statute: Statute) -> set[str]:
    """The rules that the rules in `names` lead to, themselves among them."""
    reached: set[str] = set()
    waiting = [name for name in names if name]
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached.add(name)
            waiting.extend(_referred(statute.rules[name]))
    return reached


def _referred(provision: Provision) -> list[str]:
    return [each.name for each, _ in seen_in(provision) if each.operator == "rule"]


def facts_behind(provision: Provision, statute: Statute) -> set[str]:
    """The facts that a provision reads, itself or through the rules it refers to."""
    return facts_of_tests((condition for condition, _ in seen_in(provision)), statute)


def facts_of_tests(conditions: Iterable[Condition], statute: Statute) -> set[str]:
    """The facts that conditions read, themselves or through the rules they refer to."""
    return names_behind(conditions, statute) & statute.facts.keys()


def names_behind(conditions: Iterable[Condition], statute: Statute) -> set[str]:
    """The facts, lists and parameters that conditions name, or the rules they refer to."""
    tests = [test for each in conditions for test, _ in _all(each, "")]
    named = [test.name for test in tests if test.operator == "rule"]
    for name in reached_rules(named, statute):
        tests.extend(test for test, _ in seen_in(statute.rules[name]))
    stated = [test for test in tests if test.operator != "rule"]
    return {name for test in stated for name in names_in(test)}


def names_in(condition: Condition) -> set[str]:
    """The facts, lists, rules and parameters that a condition itself names."""
    found = {condition.fact, condition.name, condition.measure}
    if condition.quantity is not None:
        found.add(condition.quantity.field)
    return (found | {term.name for term in terms_of(condition)}) - {""}


def _all(condition: Condition, within: str) -> Iterator[tuple[Condition, str]]:
    yield condition, within
    for part, inner in _below(condition, within):
        yield from _all(part, inner)


def _below(condition: Condition, within: str) -> Iterator[tuple[Condition, str]]:
    measured = condition.quantity
    inner = measured.name if measured is not None else ""
    if condition.operator in _QUANTIFIERS:
        inner = condition.name
    for part in condition.parts:  # those of a quantity are its tests
        yield part, inner or within
    for term in terms_of(condition):
        for test in term.tests:
            yield test, inner or within
