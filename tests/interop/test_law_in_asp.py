"""A second reading of the law, in another logic and by another solver, comes out the same."""

from random import Random
from typing import Any

import pytest
from tests.interop.law_in_asp import solve
from tests.interop.random_laws import LIMITS, case, law

from safeconduct.protocol.statute import evaluate, read_facts, read_statute
from safeconduct.protocol.statute.proof import flatten
from safeconduct.protocol.statute.text import with_struck

LAWS_PER_ROUND, CASES_PER_LAW = 20, 125
ROUNDS = 8  # 20,000 cases in all
TOLD = {True: "t", False: "f", None: "u"}


@pytest.mark.parametrize("round_number", range(ROUNDS))
def test_clingo_finds_the_same_in_twenty_thousand_random_cases(round_number: int) -> None:
    chance = Random(round_number)
    seen: set[str] = set()
    for number in range(LAWS_PER_ROUND):
        document = law(chance)
        struck = some_sections(Random(1_000 * round_number + number), document)
        statute = with_struck(read_statute(document), struck)
        cases = [case(chance) for _ in range(CASES_PER_LAW)]
        theirs = solve(document | {"limits": LIMITS, "struck": struck}, cases)
        for facts, expected in zip(cases, theirs, strict=True):
            judged = evaluate(statute, read_facts(facts, statute.facts), 0)
            found = [TOLD[root.value] for root in judged.roots]
            assert found == expected, (
                document["sections"],
                document["outcomes"],
                struck,
                facts,
            )
            seen |= {node.operator for node in flatten(judged.roots)[0]} | set(found)
    # All that the logic has came up, and each truth value.
    assert {"and", "or", "not", "some", "all", "in", "before", "absent", "known"} <= seen
    assert {"at-least", "less", "section", "struck", "t", "f", "u"} <= seen


def some_sections(chance: Random, document: Any) -> set[str]:
    """The numbers of up to two sections or exceptions, in one law of three of none."""
    waiting, numbers = [*document["sections"]], list[str]()
    while waiting:
        part = waiting.pop()
        numbers.append(part["number"])
        waiting += part.get("unless", ())
    return set(chance.sample(sorted(numbers), min(len(numbers), chance.randint(0, 2))))


def test_a_section_that_a_court_struck_changes_what_is_found() -> None:
    chance = Random(2)
    document = law(chance)
    cases = [case(chance) for _ in range(50)]
    whole = document | {"limits": LIMITS}
    [number] = [
        part["number"]
        for part in document["sections"]
        if part.get("rule") == document["outcomes"][0]["when"]
    ]
    without = solve(whole | {"struck": {number}}, cases)
    assert {each[0] for each in without} == {"f"}
    assert solve(whole, cases) != without


def test_the_comparison_can_fail() -> None:
    chance = Random(1)
    document = law(chance)
    cases = [case(chance) for _ in range(200)]
    moved = document | {"limits": {name: at - 86_400 for name, at in LIMITS.items()}}
    turned = [section | {"if": {"not": section["if"]}} for section in document["sections"]]
    assert solve(document | {"limits": LIMITS}, cases) != solve(
        moved | {"sections": turned}, cases
    )
