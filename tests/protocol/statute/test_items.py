"""Outcomes found item by item, amounts, outcomes that become final or are taken away, and law
that a court has struck."""

import json
from typing import Any

import pytest
from tests.protocol.statute.wide import AS_OF, judged, truth, wide_document

from safeconduct.errors import MalformedError
from safeconduct.protocol.statute import (
    Judgement,
    Statute,
    evaluate,
    format_judgement,
    read_facts,
    read_statute,
)
from safeconduct.protocol.statute.explain import public_form, reasons
from safeconduct.protocol.statute.picture import picture
from safeconduct.protocol.statute.proof import flatten
from safeconduct.protocol.statute.remedy import Change, changes, item_changes
from safeconduct.protocol.statute.text import Amount, with_struck

X, Y = {"is": ["x", True]}, {"is": ["y", True]}
GOOD = {"is": ["good", True]}


def section(number: str, rule: str, condition: Any, **more: Any) -> Any:
    return {"number": number, "text": {"en": number}, "rule": rule, "if": condition} | more


def outcome(value: str, rule: str, **more: Any) -> Any:
    return {
        "when": rule,
        "value": value,
        "text": {"en": value},
        "favours": "person",
        "publish": "never",
    } | more


def per_offence() -> Any:
    """A law that leaves out the whole person, or spares or reduces each act by itself."""
    document = wide_document({"rule": "spared"})
    unless = [{"number": "2a", "text": {"en": "2a"}, "if": {"in": ["kind", "grave"]}}]
    document["sections"] = [
        section("1", "excluded", X),
        section("2", "spared", GOOD, of="acts", unless=unless),
        section("3", "reduced", {"rule": "known_kind"}, of="acts"),
        section("4", "known_kind", {"known": "kind"}, of="acts"),
    ]
    document["outcomes"] = [
        outcome(
            "excluded", "excluded", favours="body", review_after={"amount": 9, "unit": "days"}
        ),
        outcome("spared", "spared", each="acts"),
        outcome(
            "reduced",
            "reduced",
            each="acts",
            amount={"least": 30, "most": 50, "unit": "percent"},
        ),
    ]
    return document


def act(good: Any, kind: Any = "theft") -> Any:
    return {"good": good, "kind": kind}


# The fact x, the acts; the outcome, and that of each act.
ITEMS: dict[str, tuple[Any, list[Any], str, list[str]]] = {
    "each act has its own": (
        False,
        [act(True), act(True, "murder"), act(False, "unknown")],
        "spared",
        ["spared", "reduced", "refused"],
    ),
    "what excludes the person is no outcome of an act": (
        True,
        [act(True), act(False, "unknown")],
        "excluded",
        ["spared", "refused"],
    ),
    "while it is open, only the acts are settled": (
        "unknown",
        [act(True)],
        "undetermined",
        ["spared"],
    ),
    "one act may be open beside another": (
        False,
        [act(True), act("unknown")],
        "spared",
        ["spared", "undetermined"],
    ),
    "no act, no outcome but the default": (False, [], "refused", []),
}


@pytest.mark.parametrize("name", ITEMS)
def test_the_outcome_of_each_item(name: str) -> None:
    x, acts, expected, of_each = ITEMS[name]
    judgement = judged(read_statute(per_offence()), {"x": x}, acts)
    assert judgement.outcome == expected
    assert [each.outcome for each in judgement.items] == of_each
    assert [each.item for each in judgement.items] == [f"acts[{n}]" for n in range(len(acts))]


def test_each_item_rests_on_its_own_sections() -> None:
    acts = [act(True), act(True, "murder"), act(False, "unknown")]
    judgement = judged(read_statute(per_offence()), {"x": False}, acts)
    assert [each.sections for each in judgement.items] == [
        ("2",),
        ("3", "4"),
        ("2", "3", "4"),
    ]


# What is said of the whole case goes before what is said of single items, however they stand
# in the law: the fact x, the acts; the outcome, its sections and its amount's most.
WHOLE: dict[str, tuple[Any, list[Any], str, tuple[str, ...], int | None]] = {
    "the whole case, though an act is spared": (True, [act(True)], "excluded", ("1",), None),
    "open, though an act is spared": ("unknown", [act(True)], "undetermined", ("1",), None),
    "the first act, since nothing is said of the whole": (
        False,
        [act(False), act(True)],
        "spared",
        ("2",),
        None,
    ),
    "an amount of an act": (False, [act(False)], "reduced", ("3", "4"), 50),
    "nothing at all": (
        False,
        [act(False, "unknown")],
        "refused",
        ("2", "3", "4", "1"),
        None,
    ),
    "no act, which is no ground beside another": (False, [], "refused", ("1",), None),
}


@pytest.mark.parametrize("name", WHOLE)
def test_the_whole_case_goes_before_its_items(name: str) -> None:
    x, acts, expected, sections, most = WHOLE[name]
    document = per_offence()
    document["outcomes"].append(document["outcomes"].pop(0))
    judgement = judged(read_statute(document), {"x": x}, acts)
    assert (judgement.outcome, judgement.sections) == (expected, sections)
    assert (judgement.amount.most if judgement.amount else None) == most


def only_items() -> Any:
    """The law that knows nothing but acts."""
    document = per_offence()
    document["outcomes"] = document["outcomes"][1:]
    document["sections"] = document["sections"][1:]
    document["parameters"] = {
        name: each | {"section": "2"} for name, each in document["parameters"].items()
    }
    return document


def test_where_no_item_is_shown_the_result_rests_on_the_rules_about_items() -> None:
    law = read_statute(only_items())
    judgement = judged(law)
    assert (judgement.outcome, judgement.sections) == ("refused", ("2", "3"))
    told = reasons(law, judgement)
    assert "This rests on: 2, 3" in told
    assert (
        "  ✗ Section 2 does not apply: 2\n"
        "      ✗ not met — nothing stands in the list acts\n" in told
    )
    assert picture(law, judgement).endswith("</svg>\n")
    assert public_form(law, judgement, bytes(32))


def test_what_would_help_each_item_that_was_refused_is_told() -> None:
    law = read_statute(only_items())
    acts = [act(True), act(False, "unknown"), act(True, "murder")]
    judgement = judged(law, {}, acts)
    assert [each.outcome for each in judgement.items] == ["spared", "refused", "reduced"]
    assert item_changes(law, judgement) == (
        ("acts[1]", (Change(place="sections[2].if.known", value=True, fact="acts[1].kind"),)),
    )
    told = reasons(law, judgement)
    assert "\nThis would change for no. 2 of the list acts if:\n  - " in told
    assert "for no. 1 of the list acts if" not in told
    assert "for no. 3 of the list acts if" not in told


def test_items_that_all_share_the_cases_outcome_are_helped_by_what_helps_the_case() -> None:
    law = read_statute(only_items())
    judgement = judged(law, {}, [act(False, "unknown"), act(False, "unknown")])
    assert item_changes(law, judgement) == ()


def test_a_case_is_not_decided_while_an_item_is_open() -> None:
    judgement = judged(read_statute(per_offence()), {"x": False}, [act(True), act("unknown")])
    assert not judgement.decided
    assert [each.fact for each in judgement.open_facts] == ["acts[1].good"]
    settled = judged(read_statute(per_offence()), {"x": False}, [act(True), act(False)])
    assert settled.decided
    assert settled.open_facts == ()


def test_items_and_amounts_stand_in_the_document_only_where_there_are_some() -> None:
    judgement = judged(read_statute(per_offence()), {"x": False}, [act(False)])
    document = json.loads(format_judgement(judgement))
    assert document["items"] == [
        {"item": "acts[0]", "outcome": "reduced", "sections": ["3", "4"]}
    ]
    assert document["amount"] == {"least": 30, "most": 50, "unit": "percent"}
    plain = judged(read_statute(wide_document(X)))
    assert not {"items", "amount", "standing"} & json.loads(format_judgement(plain)).keys()


def test_the_order_of_items_changes_no_items_outcome() -> None:
    law = read_statute(per_offence())
    acts = [act(True), act(True, "murder"), act(False), act("unknown", "fraud")]
    one, other = judged(law, {"x": False}, acts), judged(law, {"x": False}, acts[::-1])
    assert one.outcome == other.outcome
    assert [i.outcome for i in one.items] == [i.outcome for i in other.items][::-1]


def test_a_rule_about_one_item_is_proven_once_for_it() -> None:
    document = per_offence()
    document["sections"][1]["if"] = {"and": [{"rule": "known_kind"}, {"rule": "known_kind"}]}
    judgement = judged(read_statute(document), {"x": False}, [act(True), act(True)])
    proven = [node for node in flatten(judgement.roots)[0] if node.section == "4"]
    assert len(proven) == 2


def test_some_may_refer_to_a_rule_about_one_item() -> None:
    document = wide_document({"some": ["acts", {"rule": "sound"}]})
    document["sections"].append(section("2", "sound", {"and": [GOOD, Y]}, of="acts"))
    law = read_statute(document)
    assert judged(law, {"y": True}, [act(False), act(True)]).sections == ("1", "2")
    assert judged(law, {"y": False}, [act(True)]).outcome == "refused"


def test_what_would_change_is_found_through_rules_about_one_item() -> None:
    document = per_offence()
    document["outcomes"] = document["outcomes"][1:2]
    document["sections"] = document["sections"][:2]
    law = read_statute(document)
    worst = judged(law, {}, [act(False)])
    assert changes(law, worst) == (
        Change(place="sections[1].if.is", value=True, fact="acts[0].good"),
    )
    assert changes(law, judged(law)) == (
        Change(new_item="acts"),
        Change(place="sections[1].if.is", value=True),
        Change(place="sections[1].unless[0].if.in", value=False),
    )


# Outcomes that can be taken away, or are not yet final.


def conditional() -> Any:
    """A law that grants on x, finally once y, unless n is three; and reduces on x otherwise."""
    document = wide_document(X)
    document["sections"] += [
        section("2", "final", Y),
        section("3", "lied", {"is": ["n", 3]}),
        section("4", "fallback", {"is": ["c", "theft"]}),
    ]
    document["outcomes"] = [
        outcome("granted", "one", final_when="final", revoked_when="lied"),
        outcome("reduced", "fallback", amount={"least": 1, "most": 2, "unit": "years"}),
    ]
    return document


# The facts; the outcome, how it stands, and the sections.
STANDINGS: dict[str, tuple[Any, str, str, tuple[str, ...]]] = {
    "granted": ({"x": True, "y": True, "n": 0}, "granted", "granted", ("1", "2")),
    "conditional": ({"x": True, "y": False, "n": 0}, "granted", "conditional", ("1", "2")),
    "conditional while nobody knows": ({"x": True}, "granted", "conditional", ("1", "2")),
    "revoked": (
        {"x": True, "y": True, "n": 3, "c": "fraud"},
        "refused",
        "revoked",
        ("1", "3", "4"),
    ),
    "revoked, with another instead": (
        {"x": True, "y": True, "n": 3, "c": "theft"},
        "reduced",
        "revoked",
        ("1", "3", "4"),
    ),
    "revoked, with another open": (
        {"x": True, "n": 3},
        "undetermined",
        "revoked",
        ("1", "3", "4"),
    ),
    "never granted": ({"x": False, "n": 3, "c": "fraud"}, "refused", "", ("1", "4")),
    "open, though it could not be kept": ({"n": 3, "c": "fraud"}, "refused", "", ("1", "4")),
    "open": ({"n": 0}, "undetermined", "", ("1",)),
    "another, which cannot be revoked": ({"x": False, "c": "theft"}, "reduced", "", ("4",)),
}


@pytest.mark.parametrize("name", STANDINGS)
def test_how_an_outcome_stands(name: str) -> None:
    facts, expected, standing, sections = STANDINGS[name]
    judgement = judged(read_statute(conditional()), facts)
    assert (judgement.outcome, judgement.standing) == (expected, standing)
    assert judgement.sections == sections


def test_the_amount_is_that_of_the_outcome_that_is_left() -> None:
    law = read_statute(conditional())
    judgement = judged(law, {"x": True, "n": 3, "c": "theft"})
    assert judgement.amount == Amount(least=1, most=2, unit="years")
    assert judged(law, {"x": True}).amount is None


def test_a_revocation_that_nobody_has_found_revokes_nothing() -> None:
    law = read_statute(conditional())
    assert judged(law, {"x": True, "y": True, "n": "unknown"}).standing == "granted"
    assert judged(law, {"x": True, "y": True, "n": "absent"}).standing == "granted"


def test_what_would_change_a_revoked_outcome_is_its_revocation() -> None:
    law = read_statute(conditional())
    judgement = judged(law, {"x": True, "y": True, "n": 3, "c": "fraud"})
    assert changes(law, judgement) == (
        Change(place="sections[2].if.is", value=False, fact="n"),
    )


def test_one_act_may_lose_what_another_keeps() -> None:
    document = per_offence()
    document["sections"].append(section("5", "lied_about", {"is": ["mine", True]}, of="acts"))
    document["outcomes"][1] |= {"revoked_when": "lied_about"}
    acts = [act(True) | {"mine": False}, act(True) | {"mine": True}]
    judgement = judged(read_statute(document), {"x": False}, acts)
    assert [each.outcome for each in judgement.items] == ["spared", "reduced"]
    assert (judgement.outcome, judgement.standing) == ("spared", "granted")
    assert judgement.items[1].sections == ("2", "5", "3", "4")


# Struck sections.


def struck(*numbers: str) -> Statute:
    document = wide_document({"or": [{"rule": "two"}, X]})
    unless = [
        {
            "number": "2a",
            "text": {"en": "2a"},
            "if": {"at-least": ["n", 3]},
            "unless": [{"number": "2b", "text": {"en": "2b"}, "if": {"less": ["n", 9]}}],
        }
    ]
    document["sections"].append(section("2", "two", Y, unless=unless))
    return with_struck(read_statute(document), numbers)


STRUCK: dict[str, tuple[tuple[str, ...], Any, str]] = {
    "nothing is struck": ((), {"y": True, "n": 9}, "refused"),
    "a rule that is struck does not hold": (("2",), {"y": True, "n": 0}, "refused"),
    "what else leads there still does": (("2",), {"x": True}, "granted"),
    "an exception that is struck spares nobody": (("2a",), {"y": True, "n": 9}, "granted"),
    "an exception to an exception": (("2b",), {"y": True, "n": 5}, "refused"),
    "it would have held otherwise": ((), {"y": True, "n": 5}, "granted"),
}


@pytest.mark.parametrize("name", STRUCK)
def test_what_a_court_has_struck_never_holds(name: str) -> None:
    numbers, facts, expected = STRUCK[name]
    assert judged(struck(*numbers), {"x": False} | facts).outcome == expected


def test_struck_law_is_the_same_text_and_says_so_in_the_proof() -> None:
    law = struck("2")
    assert law.sha256 == struck().sha256
    nodes = json.loads(format_judgement(judged(law, {"x": True})))["nodes"]
    assert {"op": "struck", "place": "sections[1].if", "value": "false"} in nodes
    assert changes(law, judged(law, {"x": False})) == (
        Change(place="sections[0].if.or[1].is", value=True, fact="x"),
    )


def test_only_a_section_with_a_rule_can_be_struck() -> None:
    with pytest.raises(MalformedError, match="no section 9"):
        struck("9")


# What is worked out once for a statute must never leak into another.


def test_a_changed_copy_of_a_statute_is_judged_by_itself() -> None:
    document = wide_document(X)
    law = read_statute(document)
    before = judged(law, {"x": True})
    assert judged(with_struck(law, ["1"]), {"x": True}).outcome == "refused"
    assert judged(law, {"x": True}) == before


def test_the_facts_hash_is_taken_over_the_facts() -> None:
    law = read_statute(wide_document(X))
    one, other = judged(law, {"x": True}), judged(law, {"x": False})
    assert len(one.facts) == 32
    assert one.facts != other.facts


def test_a_test_made_of_every_item_is_a_step_for_each() -> None:
    law = read_statute(wide_document({"or": [X, {"some": ["acts", {"or": [X, GOOD]}]}]}))
    acts = [act(True), act(False)]
    first, second = (judged(law, {"x": False}, acts) for _ in range(2))
    assert format_judgement(first) == format_judgement(second)
    nodes = json.loads(format_judgement(first))["nodes"]
    assert len([node for node in nodes if node.get("facts") == ["x"]]) == 3


def test_truth_needs_no_facts_where_there_are_none() -> None:
    assert truth({"all": ["acts", GOOD]}) is True
    law = read_statute(wide_document(X))
    judgement: Judgement = evaluate(law, read_facts({}, law.facts), AS_OF)
    assert judgement.outcome == "undetermined"
