"""Answers: which questions follow from them, what is sound, and the file they are kept in."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from safeconduct.errors import MalformedError
from safeconduct.protocol.answered import format_answers, parse_answers, settle
from safeconduct.protocol.canonical import format_json
from safeconduct.protocol.questions import Questionnaire, read_questions

QUESTIONS: list[Any] = [
    {
        "id": "how",
        "kind": "choice",
        "ask": {"en": "How do you know?", "de": "Woher wissen Sie es?"},
        "required": True,
        "choices": [
            {"id": "saw", "say": {"en": "I saw it", "de": "Ich sah es"}},
            {"id": "heard", "say": {"en": "I heard it", "de": "Ich hörte es"}},
        ],
    },
    {
        "id": "day",
        "kind": "date",
        "ask": {"en": "When?"},
        "required": True,
        "if": {"question": "how", "is": "saw"},
    },
    {
        "id": "who",
        "kind": "line",
        "ask": {"en": "From whom?"},
        "length": 10,
        "if": {"question": "how", "is": "heard"},
    },
    {"id": "sum", "kind": "number", "ask": {"en": "How much?"}},
    {
        "id": "more",
        "kind": "long",
        "ask": {"en": "What else?"},
        "if": {"question": "day", "answered": True},
    },
]


def questionnaire(questions: list[Any] = QUESTIONS) -> Questionnaire:
    found, complaints = read_questions({"questions": list(questions)})
    assert [c for c in complaints if not c.warning] == []
    return found


def settled(**typed: str) -> tuple[list[str], dict[str, str]]:
    found = settle(questionnaire(), {name: [text] for name, text in typed.items()})
    return [question.id for question in found.asked], dict(found.faults)


FOLLOWING: dict[str, tuple[dict[str, str], list[str], dict[str, str]]] = {
    "nothing typed": ({}, ["how", "sum"], {"how": "required"}),
    "a choice that asks for more": ({"how": "saw"}, ["how", "day", "sum"], {"day": "required"}),
    "the other choice": ({"how": "heard"}, ["how", "who", "sum"], {}),
    "a choice that was never offered": ({"how": "x"}, ["how", "sum"], {"how": "choice"}),
    "an answer that leads on": (
        {"how": "saw", "day": "2027-05"},
        ["how", "day", "sum", "more"],
        {},
    ),
    "a fault that decides nothing": (
        {"how": "saw", "day": "in May"},
        ["how", "day", "sum"],
        {"day": "date"},
    ),
    "an answer to a question that is not asked": (
        {"how": "saw", "day": "2027", "who": "x" * 99},
        ["how", "day", "sum", "more"],
        {},
    ),
    "too long a line": (
        {"how": "heard", "who": "x" * 11},
        ["how", "who", "sum"],
        {"who": "length"},
    ),
    "words for a number": (
        {"how": "heard", "sum": "ten"},
        ["how", "who", "sum"],
        {"sum": "number"},
    ),
}


@pytest.mark.parametrize("name", FOLLOWING)
def test_what_is_asked_follows_from_the_answers(name: str) -> None:
    typed, asked, faults = FOLLOWING[name]
    assert settled(**typed) == (asked, faults)


NUMBERS = {"12 000": "12000", "\u0661\u0662": "12", "\u06f1\u06f2": "12", "−3": "-3", "0": "0"}


@pytest.mark.parametrize("typed", NUMBERS)
def test_digits_of_every_script_are_the_same_number(typed: str) -> None:
    found = settle(questionnaire(), {"how": ["heard"], "sum": [typed]})
    assert found.answers["sum"] == (NUMBERS[typed],)


@pytest.mark.parametrize("typed", ["2027-13", "2027-02-30", "27", "2027-5-1", "0000", "x"])
def test_a_date_that_is_none_is_not_taken(typed: str) -> None:
    assert settled(how="saw", day=typed)[1] == {"day": "date"}


def test_control_characters_are_dropped_and_a_line_stays_a_line() -> None:
    found = settle(questionnaire(), {"how": ["heard"], "who": [" a\x00\nb\x1b "]})
    assert found.answers["who"] == ("a b",)


def test_two_values_for_one_choice_are_not_taken() -> None:
    found = settle(questionnaire(), {"how": ["saw", "heard"]})
    assert found.faults == {"how": "choice"}


def test_the_file_holds_question_and_answer_in_the_language_shown() -> None:
    found = settle(questionnaire(), {"how": ["saw"], "day": ["2027-05-02"]})
    read = parse_answers(format_answers(questionnaire(), "de", found))
    assert read.language == "de"
    assert [(a.id, a.ask, a.answer, a.said) for a in read.answers] == [
        ("how", "Woher wissen Sie es?", ("saw",), ("Ich sah es",)),
        ("day", "When?", ("2027-05-02",), ()),
        ("sum", "How much?", (), ()),
        ("more", "What else?", (), ()),
    ]


ANSWER = {"id": "a", "ask": "A?", "answer": ["x"], "said": []}
REFUSED: dict[str, Any] = {
    "no table": [],
    "no language": {"questions": []},
    "more than it holds": {"language": "en", "questions": [], "x": 1},
    "an answer that is no list": {"language": "en", "questions": [ANSWER | {"answer": "x"}]},
    "an endless question": {"language": "en", "questions": [ANSWER | {"ask": "x" * 1_001}]},
    "far too many": {"language": "en", "questions": [ANSWER] * 61},
    "far too many values": {"language": "en", "questions": [ANSWER | {"answer": ["x"] * 65}]},
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_file_of_another_form_is_refused(name: str) -> None:
    with pytest.raises(MalformedError, match="answers: "):
        parse_answers(format_json(REFUSED[name]))


TYPED = st.dictionaries(
    st.sampled_from(["how", "day", "who", "sum", "more"]),
    st.lists(
        st.sampled_from(["saw", "heard", "2027", "7", ""]) | st.text(max_size=12), max_size=3
    ),
)


@settings(max_examples=200)
@given(typed=TYPED)
def test_sound_answers_are_settled_once_and_for_all(typed: dict[str, list[str]]) -> None:
    first = settle(questionnaire(), typed)
    again = settle(questionnaire(), first.answers)
    assert again.answers == first.answers
    assert [question.id for question in again.asked] == [q.id for q in first.asked]
    parse_answers(format_answers(questionnaire(), "en", first))
