"""Explaining: replayed proofs, letters, what would change, and what the public sees."""

import json
from typing import Any

import pytest
from tests.protocol.statute.laws import (
    AS_OF,
    GOOD_STATEMENT,
    GOOD_TIP,
    THE_DATE,
    example,
    example_document,
    judge,
    small_law,
)

from safeconduct.protocol.canonical import derive_key, format_json, tagged_hash, u32
from safeconduct.protocol.statute import (
    Judgement,
    Statute,
    appeal_last_at,
    draw,
    evaluate,
    format_judgement,
    letter,
    parse_instant,
    public_form,
    read_facts,
    read_statute,
    with_parameters,
)
from safeconduct.protocol.statute.remedy import changes

SERVED_AT = parse_instant("2027-09-10T08:00:00Z", "served")
SALT = bytes(range(32))


def replay(document: Any, statute: Statute) -> str:
    """The outcome that a judgement's nodes lead to: one loop, children first."""
    values: list[str] = []
    for node in document["nodes"]:
        below = [values[child] for child in node.get("children", [])]
        values.append(replayed(node, below))
        assert values[-1] == node["value"]
    for outcome, root in zip(statute.outcomes, document["roots"], strict=True):
        if values[root] != "false":
            return outcome.value if values[root] == "true" else "undetermined"
    return statute.default.value


def replayed(node: Any, below: list[str]) -> str:
    rank = ["false", "unknown", "true"]
    operator = node.get("op", "commitment")
    if "facts" in node or operator == "commitment":
        return str(node["value"])
    if operator in ("or", "some"):
        return max(below, key=rank.index, default="false")
    if operator in ("and", "rule"):
        return min(below, key=rank.index)
    if operator == "not":
        return rank[2 - rank.index(below[0])]
    if operator == "section":
        spared = [rank[2 - rank.index(each)] for each in below[1:]]
        return min([below[0], *spared], key=rank.index)
    most, least = len(below) - below.count("false"), below.count("true")
    enough = (
        "true" if least >= node["bound"] else "false" if most < node["bound"] else "unknown"
    )
    return enough if operator == "at-least" else rank[2 - rank.index(enough)]


JUDGEMENTS: dict[str, Judgement] = {
    own.name: evaluate(example(), own.facts, AS_OF) for own in example().cases
} | {
    "tips and statements": judge([GOOD_TIP, GOOD_TIP | {"grade": "unknown"}], [GOOD_STATEMENT]),
    "a crime under trial": judge([GOOD_TIP], grave_crime_proven="unknown"),
}


@pytest.mark.parametrize("name", JUDGEMENTS)
def test_the_proof_replayed_is_the_outcome(name: str) -> None:
    judgement = JUDGEMENTS[name]
    document = json.loads(format_judgement(judgement))
    assert replay(document, example()) == judgement.outcome


@pytest.mark.parametrize("name", JUDGEMENTS)
def test_the_public_form_replayed_is_the_outcome(name: str) -> None:
    judgement = JUDGEMENTS[name]
    document = json.loads(format_json(public_form(example(), judgement, SALT)))
    assert replay(document, example()) == judgement.outcome


def test_counts_replay_too() -> None:
    good = {"is": ["good", True]}
    for operator in ("at-least", "less"):
        statute = read_statute(small_law({operator: [{"count": ["acts", good]}, 2]}))
        for acts in ([], [True], [True, "unknown"], [True, True], [False, True, True]):
            facts: Any = {"lists": {"acts": [{"good": each} for each in acts]}}
            judgement = evaluate(statute, read_facts(facts, statute.facts), AS_OF)
            assert replay(json.loads(format_judgement(judgement)), statute) == judgement.outcome


def test_the_public_form_tells_no_confidential_fact_and_no_number_of_tips() -> None:
    one = format_json(public_form(example(), judge([GOOD_TIP]), SALT))
    two = format_json(public_form(example(), judge([GOOD_TIP, GOOD_TIP]), SALT))
    for word in (b"tips[", b"grade", b"useful", b"grave_crime_proven", b'"facts"'):
        assert word not in one
    assert len(one) == len(two)


def test_the_public_form_shows_facts_that_are_not_confidential() -> None:
    facts = {"statements.speaker_is_claimant": {"confidential": False}}
    document = example_document()
    for name, change in facts.items():
        document["facts"][name] |= change
    statute = read_statute(document)
    shown = format_json(public_form(statute, judge([], [GOOD_STATEMENT]), SALT))
    assert b"statements[0].denounces" in shown


def test_a_commitment_opens_with_its_salt_and_its_nodes() -> None:
    judgement = judge([], grave_crime_proven=True)
    public: Any = public_form(example(), judgement, SALT)
    index = next(n for n, each in enumerate(public["nodes"]) if "unless[0]" in each["place"])
    place = "sections[2].unless[0].if.is"
    node: Any = {"facts": ["grave_crime_proven"], "op": "is", "place": place, "value": "true"}
    key = derive_key(SALT, "fact-salt", u32(index))
    opened = tagged_hash("fact-commitment", key, format_json([node]))
    assert public["nodes"][index]["commitment"] == opened.hex()


def test_another_salt_makes_another_public_form() -> None:
    first = public_form(example(), judge([GOOD_TIP]), SALT)
    assert first != public_form(example(), judge([GOOD_TIP]), bytes(32))
    with pytest.raises(ValueError, match="32 bytes"):
        public_form(example(), judge([GOOD_TIP]), b"short")


def test_the_letter_names_outcome_law_sections_reasons_and_remedy() -> None:
    text = letter(example(), judge([GOOD_TIP], knowing_falsehood_found=True), SERVED_AT)
    for line in (
        "The registration stands.",
        "Law applied: Act on acquittal from the registration (example), version 1\n",
        "For whoever checks this again: version 1 of the law has the SHA-256 "
        f"{example().sha256.hex()}\n",
        "This rests on: 3, 5(2)",
        "  ✓ Section 4(1) applies: A person helped",
        "      ✓ met — grade of the tip: one of corroborated, useful",
        "  ✗ Section 5(1) does not apply:",
        "      ✗ not met — grave crime proven by a final finding: yes",
        "This would change if:\n  - knowing falsehood found finally: no — found: yes\n",
        "Remedy: section 6. The person may appeal",
        "Last day for an appeal: 10 October 2027, 08:00 UTC, for a decision served "
        "10 September 2027, 08:00 UTC.",
    ):
        assert line in text


def test_the_letter_speaks_german_too() -> None:
    text = letter(example(), judge([GOOD_TIP]), SERVED_AT, "de")
    assert text.startswith("Sie werden aus der Registrierung entlassen.\n")
    assert "Letzter Tag für eine Beschwerde: 10. Oktober 2027, 08:00 UTC" in text
    assert "Section" not in text


def test_the_letter_speaks_the_statutes_first_language_where_it_has_no_other() -> None:
    statute = read_statute(small_law({"is": ["x", True]}))
    judgement = evaluate(statute, read_facts({"facts": {"x": True}}, statute.facts), AS_OF)
    assert "Abschnitt 1 trifft zu: One." in letter(statute, judgement, SERVED_AT, "de")


def test_an_open_case_gets_no_remedy_but_a_list_of_who_owes_what() -> None:
    text = letter(example(), judge([GOOD_TIP | {"grade": "unknown"}]), SERVED_AT)
    assert text.startswith("Nothing can be decided yet.\n")
    assert "  - grade of the tip, owed by: assessor" in text
    assert "Remedy" not in text


def test_a_letter_about_a_hundred_tips_stays_readable() -> None:
    text = letter(example(), judge([GOOD_TIP] * 100), SERVED_AT)
    assert "      … +340\n" in text
    assert len(text) < 12_000


def test_the_last_day_follows_the_period_that_the_body_set() -> None:
    values: Any = {"appeal_period": {"amount": 90, "unit": "seconds"}}
    statute = read_statute(with_parameters(example_document(), values))
    assert appeal_last_at(statute, SERVED_AT) == SERVED_AT + 90


SMALLEST: dict[str, tuple[Judgement, list[tuple[str, str, bool]]]] = {
    "a bad grade": (
        judge([GOOD_TIP | {"grade": "worthless"}]),
        [("sections[3].if.some[1].and[3].in", "tips[0].grade", True)],
    ),
    "the nearer of two tips": (
        judge(
            [
                GOOD_TIP | {"grade": "false", "author_proven": False},
                GOOD_TIP | {"grade": "false"},
            ]
        ),
        [("sections[3].if.some[1].and[3].in", "tips[1].grade", True)],
    ),
    "a late denunciation": (
        judge([], [GOOD_STATEMENT | {"made": THE_DATE}]),
        [("sections[4].if.some[1].and[0].before", "statements[0].made", True)],
    ),
    "a crime, and no act": (
        judge([GOOD_TIP | {"grade": "false"}], grave_crime_proven=True),
        [
            ("sections[3].if.some[1].and[3].in", "tips[0].grade", True),
            ("sections[2].unless[0].if.is", "grave_crime_proven", False),
        ],
    ),
}


@pytest.mark.parametrize("name", SMALLEST)
def test_the_smallest_change_is_named(name: str) -> None:
    judgement, expected = SMALLEST[name]
    found = changes(example(), judgement)
    assert found is not None
    assert [(each.place, each.fact, each.value) for each in found] == expected


def test_who_did_nothing_is_told_what_one_more_item_would_need() -> None:
    text = letter(example(), judge(), SERVED_AT)
    assert (
        "This would change if:\n"
        "  - one more item in the list tips is added, with:\n"
        "  -   logging of the sealed tip: before 1 June 2027, 00:00 UTC\n"
    ) in text


def test_nothing_changes_what_no_finding_can_change() -> None:
    x: Any = {"some": ["acts", {"rule": "two"}]}
    law = small_law(x)
    never: Any = {"at-least": [{"count": ["acts", {"rule": "three"}]}, 1]}
    law["sections"] += [
        {"number": "2", "text": {"en": "2"}, "rule": "two", "if": never},
        {"number": "3", "text": {"en": "3"}, "rule": "three", "if": {"is": ["x", True]}},
    ]
    statute = read_statute(law)
    judgement = evaluate(statute, read_facts({}, statute.facts), AS_OF)
    assert "No finding about the facts would change it." in letter(statute, judgement, 0)


def test_the_drawing_shows_each_step_and_a_shared_rule_once() -> None:
    law = small_law({"and": [{"rule": "two"}, {"rule": "two"}]})
    law["sections"].append(
        {"number": "2", "text": {"en": "2"}, "rule": "two", "if": {"is": ["x", True]}}
    )
    statute = read_statute(law)
    drawn = draw(evaluate(statute, read_facts({}, statute.facts), AS_OF))
    assert drawn == (
        "undetermined (1, 2)\n"
        "  ? section 1 one\n"
        "    ? and\n"
        "      ? rule two\n"
        "        ? section 2 two\n"
        "          ? is x [unknown]\n"
        "      ? rule two\n"
        "        ? section 2 two (see above)\n"
    )
