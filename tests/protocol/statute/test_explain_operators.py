"""Letters about every operator, outcome and standing, in every language; and what they hide."""

import json
from typing import Any

import pytest
from tests.protocol.statute.laws import AS_OF, GOOD_TIP, example, judge
from tests.protocol.statute.wide import PARAMETERS, judged, wide_document, wide_law

from safeconduct.errors import MalformedError
from safeconduct.protocol.canonical import format_json
from safeconduct.protocol.statute import Judgement, Statute, read_statute
from safeconduct.protocol.statute.explain import (
    letter,
    public_form,
    reasons,
    receipt_form,
    remedy,
)
from safeconduct.protocol.statute.steps import STATES, StepState, owed_steps
from safeconduct.protocol.statute.text import with_struck
from safeconduct.protocol.statute.wording import LANGUAGES, speak

SALT = bytes(range(32))
DAY = 86_400
GOOD: Any = {"is": ["good", True]}
SERVED_AT = 2_000_000_000

SENTENCES: dict[str, tuple[Any, str]] = {
    "is": ({"is": ["c", "theft"]}, "a fact: theft"),
    "in, a list of the law": ({"in": ["c", "grave"]}, "a fact: one of fraud, murder"),
    "absent": ({"absent": "t"}, "a fact: known not to exist"),
    "known": ({"known": "t"}, "a fact: found out"),
    "at-least": ({"at-least": ["n", "three"]}, "a fact: at least 3"),
    "less": ({"less": ["n", 2]}, "a fact: less than 2"),
    "before a date": ({"before": ["t", "date"]}, "a fact: before 1 January 1970, 00:16:40 UTC"),
    "before a day": ({"before": ["t", "the_day"]}, "a fact: before 11 January 1970"),
    "by": ({"by": ["t", "the_day"]}, "a fact: no later than 11 January 1970"),
    "during": (
        {"during": ["t", "rule_time"]},
        "a fact: within 1 February 1970 – 28 February 1970",
    ),
    "inside": (
        {"inside": ["s", "rule_time"]},
        "a fact: wholly within 1 February 1970 – 28 February 1970",
    ),
    "touch": ({"touch": ["s", "r"]}, "a fact: at least in part during a fact"),
    "as_of": ({"before": ["t", "as_of"]}, "a fact: before the day of this judgement"),
    "begin and end": (
        {"before": [{"begin": "s"}, {"end": "r"}]},
        "a fact (beginning): before a fact (end)",
    ),
    "add": (
        {"by": ["t", {"add": ["u", "month"]}]},
        "a fact: no later than a fact plus 1 month",
    ),
    "later": (
        {"before": ["t", {"later": ["u", "v"]}]},
        "a fact: before the latest of (a fact; a fact)",
    ),
    "earlier": (
        {"before": ["t", {"earlier": ["u", "date"]}]},
        "a fact: before the earliest of (a fact; 1 January 1970, 00:16:40 UTC)",
    ),
    "when": (
        {"before": ["t", {"when": [{"is": ["x", True]}, "u", "date"]}]},
        "a fact: before a fact, if this holds (a fact: yes), otherwise"
        " 1 January 1970, 00:16:40 UTC",
    ),
    "count": (
        {"at-least": [{"count": ["acts", GOOD]}, 2]},
        "number of items of the list acts for which this holds (a fact: yes): at least 2",
    ),
    "total": (
        {"at-least": [{"total": ["acts", GOOD, "held"]}, 30]},
        "days in all of “a fact” in the list acts, for which this holds (a fact: yes): at",
    ),
    "rank": (
        {"less": [{"rank": ["acts", {"is": ["mine", True]}, GOOD, "when"]}, 3]},
        "place in the list acts, by time (a fact), among those for which this holds (a fact:"
        " yes): less than 3",
    ),
    "some of nothing": ({"some": ["acts", GOOD]}, "nothing stands in the list acts"),
    "all of nothing": ({"all": ["acts", GOOD]}, "nothing stands in the list acts"),
}


@pytest.mark.parametrize("name", SENTENCES)
def test_every_operator_is_said_in_words(name: str) -> None:
    condition, sentence = SENTENCES[name]
    statute = wide_law(condition)
    assert f" — {sentence}" in reasons(statute, judged(statute))


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_says_every_operator_and_its_opposite(language: str) -> None:
    for condition, _ in SENTENCES.values():
        for whole in (condition, {"not": condition}):
            statute = wide_law(whole)
            given = judged(statute, {"x": True, "t": 5, "n": 1, "c": "theft"})
            told = letter(statute, given, SERVED_AT, language)
            assert "{" not in told
            assert told.endswith("\n")


def test_the_letter_shows_what_was_found() -> None:
    statute = wide_law({"and": [{"before": ["t", "date"]}, {"at-least": ["n", 3]}]})
    told = reasons(statute, judged(statute, {"t": [5, 9], "n": 2}))
    between = "between 1 January 1970, 00:00:05 UTC and 1 January 1970, 00:00:09 UTC"
    assert f" — the witnesses dated yours: {between}\n" in told
    assert "✗ not met — a fact: at least 3 — found: 2\n" in told


def test_a_number_that_is_not_certain_is_shown_with_its_range() -> None:
    statute = wide_law({"at-least": [{"count": ["acts", GOOD]}, 2]})
    acts: Any = [{"good": True}, {"good": "unknown"}, {"good": False}]
    assert ": at least 2 — found: between 1 and 2\n" in reasons(
        statute, judged(statute, acts=acts)
    )


def test_a_line_in_arabic_runs_rightward_even_if_it_begins_with_a_word_of_the_law() -> None:
    told = reasons(example(), judge([GOOD_TIP | {"grade": "unknown"}]), "ar")
    assert "  - \u200f\u2068grade of the tip\u2069" in told
    assert "\u200f" not in reasons(example(), judge([GOOD_TIP]), "de")


# Outcomes with more to them.


def law_of_items(**more: Any) -> Statute:
    """Amnesty for each act that is good, conditional until x, revoked by y."""
    document = wide_document({"is": ["good", True]})
    document["sections"][0]["of"] = "acts"
    for number, rule, name in (("2", "final", "x"), ("3", "broken", "y")):
        document["sections"].append(
            {"number": number, "text": {"en": f"If {name}."}, "rule": rule}
            | {"if": {"is": [name, True]}}
        )
    document["outcomes"][0] |= {"each": "acts", "favours": "person"} | more
    return read_statute(document)


def test_each_item_gets_its_own_outcome_and_its_own_reasons() -> None:
    statute = law_of_items()
    told = reasons(statute, judged(statute, acts=[{"good": True}, {"good": False}]))
    assert (
        "For each one by itself:\n  - no. 1 of the list acts: Granted. (1)\n"
        "  - no. 2 of the list acts: Refused. (1)\n" in told
    )
    assert (
        "  ✓ Section 1 for no. 1 of the list acts applies: One.\n      ✓ met — a fact: yes"
        in told
    )
    assert (
        "  ✗ Section 1 for no. 2 of the list acts does not apply: One.\n      ✗ not met" in told
    )


def test_a_hundred_items_are_not_all_told() -> None:
    statute = law_of_items()
    told = reasons(statute, judged(statute, acts=[{"good": True}] * 100))
    assert told.count("… +40") == 2


def small(**more: Any) -> Statute:
    document = wide_document({"is": ["x", True]})
    document["sections"].append(
        {
            "number": "2",
            "text": {"en": "It was kept."},
            "rule": "kept",
            "if": {"is": ["y", True]},
        }
    )
    document["outcomes"][0] |= more
    return read_statute(document)


def test_an_amount_stands_below_the_outcome() -> None:
    statute = small(amount={"least": 30, "most": 50, "unit": "percent"})
    assert reasons(statute, judged(statute, {"x": True})).startswith(
        "Granted.\nAmount: 30 to 50 percent\nThis is in your favour, and it stands."
    )


def test_a_conditional_outcome_says_what_makes_it_final() -> None:
    statute = small(final_when="kept")
    told = reasons(statute, judged(statute, {"x": True, "y": False}))
    assert "final once section 2 applies: It was kept." in told
    assert "conditional" not in reasons(statute, judged(statute, {"x": True, "y": True}))


def test_a_revoked_outcome_is_named_with_the_rule_that_took_it() -> None:
    statute = small(revoked_when="kept")
    told = reasons(statute, judged(statute, {"x": True, "y": True}))
    assert told.startswith("Refused.\nRevoked: “Granted.”, because section 2 applies:")
    held = reasons(statute, judged(statute, {"x": True, "y": False}))
    assert "It can be revoked if section 2 applies: It was kept." in held


def test_a_struck_section_is_said_to_be_annulled() -> None:
    statute = with_struck(wide_law({"is": ["x", True]}), ["1"])
    told = reasons(statute, judged(statute, {"x": True}))
    assert "      ✗ not met — annulled, so not applied\n" in told


def test_the_result_of_another_version_is_told_with_why_it_was_not_taken() -> None:
    mine, other = wide_law({"is": ["x", True]}), wide_law({"is": ["y", True]})
    given = judged(mine, {"x": True, "y": False})
    worse = reasons(mine, given, competing=(other, judged(other, {"x": True, "y": False})))
    assert "Result there: Refused.\nThe result above was taken because it is better" in worse
    alike = reasons(mine, given, competing=(other, judged(other, {"x": True, "y": True})))
    assert "Both versions lead to the same result." in alike


def test_a_departure_names_both_outcomes_and_its_reason_on_one_line() -> None:
    told = reasons(
        example(),
        judge([GOOD_TIP | {"grade": "worthless"}]),
        departure="illness\n\nRemedy: section 9",
        decided="acquitted",
    )
    assert told.startswith(
        "You are acquitted from the registration.\n"
        "The board departed from what the rules yield. Its reason: illness Remedy: section 9\n"
        "By the rules alone, the result would be: The registration stands.\n"
        "This is in your favour, and it stands. You need not do anything to keep it.\n\n"
    )


def step(**more: Any) -> Any:
    return {
        "name": "answer",
        "text": {"en": "The body answers."},
        "section": "1",
        "owed_by": "board",
        "from": "t",
        "within": "term",
        "done": "u",
    } | more


@pytest.mark.parametrize(
    ("facts", "told"),
    [
        ({"t": 0}, "not done; overdue since 2 January 1970, 00:00 UTC, by "),
        ({"t": 0, "u": 5}, "done in time"),
        ({"t": 0, "u": 3 * DAY}, "done, but late by 2 days"),
        ({"t": SERVED_AT}, "open until 19 May 2033, 03:33:20 UTC"),
    ],
)
def test_steps_owed_to_the_person_are_told_with_their_breach(facts: Any, told: str) -> None:
    document = wide_document({"is": ["x", True]})
    document["procedure"]["steps"] = [step()]
    statute = read_statute(document)
    if "u" not in facts:
        facts = facts | {"u": "absent"}
    given = judged(statute, {"x": True, **facts}, as_of=SERVED_AT)
    lines = reasons(statute, given, steps=owed_steps(statute, given.given, SERVED_AT))
    assert f"  - The body answers. (section 1), owed by: board: {told}" in lines


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_state_of_a_step_has_words(language: str) -> None:
    document = wide_document({"is": ["x", True]})
    document["procedure"]["steps"] = [step()]
    statute = read_statute(document)
    states = STATES
    owed = [
        StepState(
            name="answer",
            state=state,
            due_at=5,
            latest_due_at=5,
            owed_by="board",
            section="1",
            breached_by=7,
        )
        for state in states
    ]
    told = reasons(statute, judged(statute), language, steps=owed)
    lines = told.strip().split("\n")[-len(states) - 1 :]
    assert speak(language, "steps") in lines[0]
    assert len(set(lines)) == len(states) + 1


def test_a_letter_in_no_language_of_letters_is_refused_in_words() -> None:
    statute = wide_law({"is": ["x", True]})
    with pytest.raises(MalformedError, match=r"letters are written in en, de, .*, not in cs"):
        reasons(statute, judged(statute), "cs")


def test_a_law_in_another_language_is_told_in_its_own_texts() -> None:
    document = wide_document({"is": ["x", True]})
    document["statute"]["languages"] = ["cs"]
    document["outcomes"][0]["text"] = {"cs": "Vyhovuje se."}
    statute = read_statute(document)
    told = reasons(statute, judged(statute, {"x": True}), "de")
    assert told.startswith("Vyhovuje se.\n")
    assert "\nAngewandtes Gesetz: " in told


def rivals(**more: Any) -> Statute:
    """A law in which the applicant must have come first; what is said of acts is not told."""
    ranked = {"rank": ["acts", {"is": ["mine", True]}, {"less": ["size", 70707]}, "when"]}
    document = wide_document({"and": [{"less": [ranked, 2]}, {"is": ["x", True]}]})
    kept = ("acts.size", "acts.when")
    document["facts"] = {
        name: each | {"shown": name not in kept} | more
        for name, each in document["facts"].items()
    }
    return read_statute(document)


def test_what_the_law_does_not_show_is_left_out_of_the_letter() -> None:
    statute = rivals()
    acts = [
        {"mine": True, "size": 31313, "when": 1_000_000},
        {"mine": False, "size": 42424, "when": 2_000_000},
    ]
    judgement = judged(statute, {"x": True}, acts)
    told = reasons(statute, judgement)
    for secret in ("31313", "42424", "acts[1].size", "acts[1].when", "24 January 1970"):
        assert secret not in told
    assert "      ✓ met — place in the list acts" in told
    assert "— found: yes" in told
    assert "42424" in json.dumps(judgement.given.document)


def test_what_is_not_shown_is_waited_for_without_naming_whose_it_is() -> None:
    statute = rivals()
    acts = [{"mine": True, "size": 1, "when": 9}, {"mine": False, "size": 2}]
    told = reasons(statute, judged(statute, {"x": True}, acts))
    assert "  - a fact, owed by: board\n" in told
    assert "acts[1].when" not in told


def test_a_question_whose_answer_is_not_shown_is_not_told() -> None:
    document = wide_document({"is": ["x", True]})
    question = {"question": {"en": "Was all told?"}, "shown": False}
    document["facts"] = document["facts"] | {"x": document["facts"]["x"] | question}
    document["sections"].append(
        {"number": "2", "text": {"en": "2"}, "about": "judgement", "asks": "x"}
    )
    statute = read_statute(document)
    told = reasons(statute, judged(statute, {"x": True}))
    assert "Was all told?" not in told
    assert "found:" not in told


def test_what_a_human_judged_is_told_and_what_nobody_was_asked_is_not() -> None:
    document = wide_document({"is": ["x", True]})
    document["facts"] = document["facts"] | {
        "x": document["facts"]["x"] | {"question": {"en": "Was all told?"}}
    }
    document["sections"].append(
        {"number": "7", "text": {"en": "All must be told."}, "about": "judgement", "asks": "x"}
    )
    statute = read_statute(document)
    assert "  - Section 7: Was all told? — yes\n" in reasons(
        statute, judged(statute, {"x": True})
    )
    assert "Was all told? — still open\n" in reasons(statute, judged(statute))
    assert "Section 8" not in reasons(example(), judge([GOOD_TIP]))


def test_the_last_day_of_an_appeal_is_told_in_the_laws_own_calendar() -> None:
    document = wide_document({"is": ["x", True]})
    document["parameters"] = PARAMETERS | {"term": PARAMETERS["until"]}
    told = remedy(read_statute(document), SERVED_AT)
    assert (
        "Last day for an appeal: Friday, 20 May 2033 (somewhere), up to"
        " 20 May 2033, 22:59:59 UTC" in told
    )


# What everybody may see.


def text_of(form: Any) -> str:
    return format_json(form).decode("utf-8")


def shown(statute: Statute, judgement: Judgement) -> str:
    return text_of(public_form(statute, judgement, SALT))


HIDDEN: dict[str, tuple[Any, list[Any], list[Any]]] = {
    "how many items": (
        {"some": ["acts", GOOD]},
        [{"good": True}],
        [{"good": True}, {"good": True}],
    ),
    "the range of a count": (
        {"at-least": [{"count": ["acts", GOOD]}, 1]},
        [{"good": True}],
        [{"good": True}, {"good": True}, {"good": "unknown"}],
    ),
    "a number of days": (
        {"less": [{"total": ["acts", GOOD, "held"]}, 30]},
        [{"good": True, "held": {"begin": 0, "end": 5 * DAY}}],
        [{"good": True, "held": {"begin": 0, "end": 9 * DAY}}],
    ),
    "a place among several": (
        {"less": [{"rank": ["acts", {"is": ["mine", True]}, GOOD, "when"]}, 5]},
        [{"mine": True, "good": True, "when": 9}],
        [{"mine": True, "good": True, "when": 9}, {"mine": False, "good": True, "when": 5}],
    ),
    "every one of them": ({"all": ["acts", GOOD]}, [], [{"good": True}]),
}


def without_commitments(form: Any) -> str:
    for node in form["nodes"]:
        node.pop("commitment", None)
    return text_of(form | {"judgement": ""})


@pytest.mark.parametrize("name", HIDDEN)
def test_two_cases_that_differ_only_in_what_is_hidden_look_alike(name: str) -> None:
    condition, one, two = HIDDEN[name]
    statute = wide_law(condition)
    forms: list[Any] = [public_form(statute, judged(statute, acts=a), SALT) for a in (one, two)]
    assert without_commitments(forms[0]) == without_commitments(forms[1])


def test_outcomes_by_item_are_hidden_with_their_list() -> None:
    statute = law_of_items(revoked_when="broken")
    one: Any = public_form(statute, judged(statute, {"y": False}, [{"good": True}]), SALT)
    two: Any = public_form(statute, judged(statute, {"y": False}, [{"good": True}] * 3), SALT)
    assert "items" not in one
    assert "acts[" not in text_of(one)
    assert without_commitments(one) == without_commitments(two)


def test_outcomes_by_item_of_an_open_list_are_shown() -> None:
    document = json.loads(json.dumps(wide_document({"is": ["good", True]})))
    document["sections"][0]["of"] = "acts"
    document["outcomes"][0]["each"] = "acts"
    for name, declared in document["facts"].items():
        if name.startswith("acts."):
            declared["confidential"] = False
    statute = read_statute(document)
    form: Any = public_form(statute, judged(statute, acts=[{"good": True}]), SALT)
    assert form["items"] == [{"item": "acts[0]", "outcome": "granted", "sections": ["1"]}]


def test_a_time_that_hangs_on_a_secret_is_sealed_whichever_way_it_went() -> None:
    document = json.loads(
        json.dumps(
            wide_document({"before": ["t", {"when": [{"is": ["x", True]}, "u", "date"]}]})
        )
    )
    for name in ("t", "u"):
        document["facts"][name]["confidential"] = False
    statute = read_statute(document)
    for secret in (True, False):
        given = judged(statute, {"x": secret, "t": 5, "u": 9})
        assert '"facts"' not in shown(statute, given)
        assert '"op":"before"' not in shown(statute, given)


def test_a_receipt_pins_everything_and_tells_no_fact() -> None:
    statute = wide_law({"some": ["acts", GOOD]})
    given = judged(statute, acts=[{"good": True}])
    receipt: Any = receipt_form(statute, given, SALT, day="claim", competing=given)
    assert receipt["statute"] == statute.sha256.hex()
    assert receipt["governs"] == {"day": "claim", "favourable": False}
    assert len(receipt["calendar"]) == 64
    public: Any = public_form(statute, given, SALT)
    assert receipt["tree"] == public["judgement"]
    assert given.facts.hex() not in text_of(receipt)
    assert receipt == receipt_form(statute, given, SALT, day="claim", competing=given)


def test_a_receipt_of_other_facts_is_another() -> None:
    mine, other = judge([GOOD_TIP]), judge([GOOD_TIP | {"logged": AS_OF - 10**8}])
    one: Any = receipt_form(example(), mine, SALT)
    two: Any = receipt_form(example(), other, SALT)
    assert one["outcome"] == two["outcome"]
    assert one["facts"] != two["facts"]
    assert one["tree"] != two["tree"]
    assert one["calendar"] == ""
    with pytest.raises(ValueError, match="32 bytes"):
        receipt_form(example(), mine, b"")
