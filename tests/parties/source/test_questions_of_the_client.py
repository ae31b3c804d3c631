"""The body's questions at the terminal: the same answers as the door's page would give."""

import json
from typing import Any

import pytest
from tests.protocol.test_answered import QUESTIONS, questionnaire

from safeconduct.errors import MalformedError
from safeconduct.parties.source.questions import answers_from_file, ask_questions
from safeconduct.protocol.answered import parse_answers
from safeconduct.protocol.questions import format_questions

ASKED = format_questions(questionnaire())


class Person:
    """Types the given lines, and remembers what was shown."""

    def __init__(self, *lines: str) -> None:
        self.lines, self.shown = list(lines), list[str]()

    def __call__(self, text: str) -> str:
        self.shown.append(text)
        return self.lines.pop(0)


def given(data: bytes) -> dict[str, tuple[str, ...]]:
    return {answer.id: answer.answer for answer in parse_answers(data).answers}


def test_what_is_asked_follows_from_what_is_answered() -> None:
    person = Person("1", "2027-05", "", "a drawer")
    found = given(ask_questions(ASKED, person))
    assert found == {"how": ("saw",), "day": ("2027-05",), "sum": (), "more": ("a drawer",)}
    assert person.shown[0] == "How do you know?\n  1  I saw it\n  2  I heard it"
    assert person.lines == []


def test_an_answer_that_does_not_hold_is_asked_for_again() -> None:
    person = Person("", "seven", "2", "x" * 11, "my cousin", "ten", "10")
    found = given(ask_questions(ASKED, person))
    assert found == {"how": ("heard",), "who": ("my cousin",), "sum": ("10",)}
    told = [shown.splitlines()[0] for shown in person.shown if shown.startswith("!")]
    assert told == [
        "! please answer this question",
        "! choose among the numbers shown",
        "! this is too long",
        "! write a whole number, in digits only",
    ]


def test_questions_are_asked_in_the_language_wished_for() -> None:
    data = ask_questions(ASKED, Person("2", "", ""), language="de")
    assert parse_answers(data).answers[0].ask == "Woher wissen Sie es?"
    assert parse_answers(data).answers[0].said == ("Ich hörte es",)


def test_several_choices_and_a_plain_yes() -> None:
    choices = [{"id": value, "say": {"en": value}} for value in ("boss", "team", "all")]
    questions: list[Any] = [
        {"id": "who", "kind": "many", "ask": {"en": "Who?"}, "choices": choices},
        {"id": "paid", "kind": "yes-no", "ask": {"en": "Paid?"}},
    ]
    data = ask_questions(format_questions(questionnaire(questions)), Person("3, 1", "Y"))
    assert given(data) == {"who": ("boss", "all"), "paid": ("yes",)}


def test_nothing_is_asked_where_there_are_no_questions() -> None:
    empty = format_questions(questionnaire([]))
    assert ask_questions(empty, Person()) == b""
    assert answers_from_file(empty, b"{}") == b""


def test_a_file_of_answers_gives_what_typing_them_gives() -> None:
    answers = {"how": "saw", "day": "2027-05", "more": ["a drawer"]}
    assert answers_from_file(ASKED, json.dumps(answers).encode()) == ask_questions(
        ASKED, Person("1", "2027-05", "", "a drawer")
    )


REFUSED: dict[str, tuple[bytes, str]] = {
    "not JSON": (b"how: saw", "not JSON"),
    "a list": (b"[]", "needs a JSON object"),
    "a number": (b'{"how": "heard", "sum": 7}', "sum: must be a text"),
    "nothing": (b"{}", "how: please answer this question"),
    "a choice that is not there": (b'{"how": "dreamt"}', "how: choose among"),
    "an unknown question": (b'{"how": "heard", "colour": "red"}', "not asked .*: colour"),
    "a question that is not asked then": (
        b'{"how": "heard", "day": "2027"}',
        "not asked .*: day",
    ),
    "no text at all": (b"\xff", "not JSON"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_file_that_does_not_fit_is_refused_with_the_reason(name: str) -> None:
    data, told = REFUSED[name]
    with pytest.raises(MalformedError, match=told):
        answers_from_file(ASKED, data)


def test_the_questions_used_here_are_those_of_the_door() -> None:
    assert [question.id for question in questionnaire().questions] == [
        q["id"] for q in QUESTIONS
    ]
