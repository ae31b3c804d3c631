"""A second reading of the law, in another logic and by another solver, comes out the same."""

from random import Random

import pytest
from tests.interop.law_in_asp import solve
from tests.interop.random_laws import LIMITS, case, law

from safeconduct.protocol.statute import evaluate, read_facts, read_statute
from safeconduct.protocol.statute.proof import flatten

LAWS_PER_ROUND, CASES_PER_LAW = 20, 125
ROUNDS = 8  # 20,000 cases in all
TOLD = {True: "t", False: "f", None: "u"}


@pytest.mark.parametrize("round_number", range(ROUNDS))
def test_clingo_finds_the_same_in_twenty_thousand_random_cases(round_number: int) -> None:
    chance = Random(round_number)
    seen: set[str] = set()
    for _ in range(LAWS_PER_ROUND):
        document = law(chance)
        statute = read_statute(document)
        cases = [case(chance) for _ in range(CASES_PER_LAW)]
        theirs = solve(document | {"limits": LIMITS}, cases)
        for facts, expected in zip(cases, theirs, strict=True):
            judged = evaluate(statute, read_facts(facts, statute.facts), 0)
            found = [TOLD[root.value] for root in judged.roots]
            assert found == expected, (document["sections"], document["outcomes"], facts)
            seen |= {node.operator for node in flatten(judged.roots)[0]} | set(found)
    # All that the logic has came up, and each truth value.
    assert {"and", "or", "not", "some", "all", "in", "before", "absent", "known"} <= seen
    assert {"at-least", "less", "section", "t", "f", "u"} <= seen


def test_the_comparison_can_fail() -> None:
    chance = Random(1)
    document = law(chance)
    cases = [case(chance) for _ in range(200)]
    moved = document | {"limits": {name: at - 86_400 for name, at in LIMITS.items()}}
    turned = [section | {"if": {"not": section["if"]}} for section in document["sections"]]
    assert solve(document | {"limits": LIMITS}, cases) != solve(
        moved | {"sections": turned}, cases
    )
