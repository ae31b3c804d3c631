"""A body's questions: what may be written, what can never be asked, and one form for all."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from safeconduct.errors import MalformedError
from safeconduct.protocol.canonical import format_json
from safeconduct.protocol.questions import (
    QUESTIONS_MAX,
    format_questions,
    parse_questions,
    read_questions,
    text_complaints,
)


def ask(name: str, kind: str = "line", **more: Any) -> dict[str, Any]:
    return {"id": name, "kind": kind, "ask": {"en": f"What of {name}?"}} | more


def choice(name: str = "how", *, kind: str = "choice", **more: Any) -> dict[str, Any]:
    choices = [{"id": value, "say": {"en": value.title()}} for value in ("saw", "heard")]
    return ask(name, kind, choices=choices, **more)


def when(question: str, **test: Any) -> dict[str, Any]:
    return {"if": {"question": question, **test}}


def all_of(*conditions: dict[str, Any]) -> dict[str, Any]:
    return {"if": list(conditions)}


def complaints(*questions: dict[str, Any]) -> list[str]:
    _, found = read_questions({"questions": list(questions)})
    return [f"{complaint.place}: {complaint.words}" for complaint in found]


SOUND: dict[str, list[dict[str, Any]]] = {
    "nothing": [],
    "every kind": [ask(kind, kind) for kind in ("line", "long", "yes-no", "date", "number")]
    + [choice("one"), choice("some", kind="many")],
    "a condition on a choice": [choice(), ask("b", **when("how", **{"is": "saw"}))],
    "a condition on another choice": [choice(), ask("b", **when("how", **{"is-not": "saw"}))],
    "a condition on one of many": [
        choice(kind="many"),
        ask("b", **when("how", includes="saw")),
    ],
    "yes and no as words": [ask("a", "yes-no"), ask("b", **when("a", **{"is": "yes"}))],
    "yes and no as flags": [ask("a", "yes-no"), ask("b", **when("a", **{"is": False}))],
    "a condition on silence": [ask("a"), ask("b", **when("a", answered=False))],
    "two that agree": [
        choice(kind="many"),
        ask(
            "b",
            **all_of(
                {"question": "how", "includes": "saw"}, {"question": "how", "includes": "heard"}
            ),
        ),
    ],
}


@pytest.mark.parametrize("name", SOUND)
def test_sound_questions_have_no_complaint_and_come_back_from_json(name: str) -> None:
    assert complaints(*SOUND[name]) == []
    questionnaire, _ = read_questions({"questions": list(SOUND[name])})
    assert parse_questions(format_questions(questionnaire)) == questionnaire


UNSOUND: dict[str, tuple[list[dict[str, Any]], str]] = {
    "an unknown field": ([ask("a", colour="red")], "question 1: colour is not known"),
    "an unknown kind": ([ask("a", "essay")], "question a: kind: must be one of line"),
    "no id": ([{"kind": "line", "ask": {"en": "What?"}}], "question 1: id: an id is"),
    "an id in capitals": ([ask("Where")], "question 1: id: an id is"),
    "an id twice": ([ask("a"), ask("a")], "question a: the id stands twice"),
    "no text": ([ask("a", ask={})], "question a: ask: must be a table of languages"),
    "an empty text": ([ask("a", ask={"en": "  "})], "question a: ask: en: the text is empty"),
    "not the default language": ([ask("a", ask={"de": "Was?"})], "lacks the default language"),
    "too long a text": ([ask("a", ask={"en": "x" * 301})], "301 characters, but 300"),
    "text that turns around": (
        [ask("a", ask={"en": "a\u202eb"})],
        "turn the text around: U+202E",
    ),
    "a bell": ([ask("a", ask={"en": "a\x07b"})], "U+0007"),
    "choices of a line": ([ask("a", choices=[])], "kind line has no choices"),
    "one choice": (
        [ask("a", "choice", choices=[{"id": "b", "say": {"en": "B"}}])],
        "fewer than two",
    ),
    "a length of nothing": ([ask("a", length=0)], "must be a number from 1 to 300"),
    "a length beyond all": ([ask("a", "long", length=20_001)], "from 1 to 20000"),
    "required, in words": ([ask("a", required="yes")], "required: must be true or false"),
    "a condition on nothing": (
        [ask("a", **when("b", answered=True))],
        "there is no question b",
    ),
    "a condition on itself": ([ask("a", **when("a", answered=True))], "in a circle"),
    "a circle": (
        [ask("a", **when("b", answered=True)), ask("b", **when("a", answered=True))],
        "question a: if: b depend on each other in a circle",
    ),
    "a condition on a later one": (
        [ask("a", **when("b", answered=True)), ask("b")],
        "b is asked later",
    ),
    "a choice that is not there": (
        [choice(), ask("b", **when("how", **{"is": "dreamt"}))],
        "can never hold: how has no choice dreamt",
    ),
    "includes of a single choice": (
        [choice(), ask("b", **when("how", includes="saw"))],
        "use is or is-not",
    ),
    "is of many": ([choice(kind="many"), ask("b", **when("how", **{"is": "saw"}))], "includes"),
    "a value of a typed answer": (
        [ask("a"), ask("b", **when("a", **{"is": "x"}))],
        "only `answered`",
    ),
    "two tests at once": (
        [choice(), ask("b", **when("how", **{"is": "saw", "is-not": "heard"}))],
        "needs exactly one of",
    ),
    "conditions that contradict each other": (
        [
            choice(),
            ask(
                "b",
                **all_of({"question": "how", "is": "saw"}, {"question": "how", "is": "heard"}),
            ),
        ],
        "question b: if: can never be asked",
    ),
    "a contradiction two steps away": (
        [
            choice(),
            ask("b", "yes-no", **when("how", **{"is": "saw"})),
            ask(
                "c",
                **all_of({"question": "b", "is": "yes"}, {"question": "how", "is": "heard"}),
            ),
        ],
        "question c: if: can never be asked",
    ),
    "silence where an answer is required": (
        [ask("a", required=True), ask("b", **when("a", answered=False))],
        "question b: if: can never be asked",
    ),
    "far too many": ([ask(f"q{n}") for n in range(QUESTIONS_MAX + 1)], "61 items, but 60"),
}


@pytest.mark.parametrize("name", UNSOUND)
def test_it_is_complained_of(name: str) -> None:
    questions, words = UNSOUND[name]
    assert any(words in complaint for complaint in complaints(*questions)), complaints(
        *questions
    )
    with pytest.raises(MalformedError, match="questions: "):
        parse_questions(format_json({"questions": list(questions)}))


WARNED = {
    "an address": ("Write to us at https://example.org", True),
    "an onion": ("See abcdef.onion", True),
    "mail": ("Write to a.b@example.org", True),
    "a full stop": ("Nothing. At all", False),
}


@pytest.mark.parametrize("name", WARNED)
def test_what_looks_like_an_address_is_warned_of(name: str) -> None:
    text, warned = WARNED[name]
    found = text_complaints("here", text, 100, lines=False)
    assert [complaint.warning for complaint in found] == [True] * warned


def test_a_choice_that_lacks_a_language_is_a_warning_and_no_more() -> None:
    question = choice(ask={"en": "How?", "de": "Wie?"})
    _, found = read_questions({"questions": [question]})
    assert [complaint.warning for complaint in found] == [True, True]
    parse_questions(format_json({"questions": [question]}))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["id", "kind", "ask", "if", "choices", "questions", "en", "is", "question"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)


@settings(max_examples=200)
@given(value=JSON)
def test_whatever_is_written_is_either_sound_or_complained_of(value: Any) -> None:
    questionnaire, found = read_questions({"questions": value})
    if not found:
        assert parse_questions(format_questions(questionnaire)) == questionnaire
