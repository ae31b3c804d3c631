"""Answers to a body's questions: checked in one place, kept in one form.

A file `answers.json` of a contribution, canonical JSON; `said` are the chosen words, so that
whoever reads it needs no questionnaire:

    {"language": "en",
     "questions": [{"id": "how", "ask": "How do you know?", "answer": ["saw"],
                    "said": ["I saw it"]}]}

Whatever a form or a client claims, which questions are asked follows from the answers alone.

Spec: docs/3-protocol.md §14.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from safeconduct.errors import MalformedError
from safeconduct.protocol.canonical import Json, format_json, parse_json
from safeconduct.protocol.questions import (
    LONG_CHARS_MAX,
    QUESTIONS_MAX,
    Condition,
    Question,
    Questionnaire,
    spoken,
)

ANSWERS_BYTES_MAX = 1 << 20
SHOWN_CHARS_MAX = 1_000  # of a question, an id or a chosen word in a file of unknown origin
VALUES_MAX = 64
FAULTS = ("required", "length", "choice", "date", "number")
"""Why an answer is not taken."""

_SPACES = re.compile(r"\s+")
_NUMBER = re.compile(r"-?[0-9]{1,15}")
_DATE = re.compile(r"([0-9]{4})(?:-([0-9]{2}))?(?:-([0-9]{2}))?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """What follows from what was typed: the questions to ask, sound answers, and faults.

    `asked` are in order; a fault is one of `FAULTS`. An answer of no values was not given.
    """

    asked: tuple[Question, ...]
    answers: Mapping[str, tuple[str, ...]]
    faults: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One question as it was shown, and the values that were given, if any."""

    id: str
    ask: str
    answer: tuple[str, ...]
    said: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """All answers of one contribution, in the order and language of the questions."""

    language: str
    answers: tuple[Answer, ...]


def settle(questionnaire: Questionnaire, typed: Mapping[str, Sequence[str]]) -> Settled:
    """Which questions are to be asked after what was typed, and what is sound of it.

    An answer with a fault counts as none for the questions that depend on it.
    """
    asked: list[Question] = []
    answers: dict[str, tuple[str, ...]] = {}
    faults: dict[str, str] = {}
    for question in questionnaire.questions:
        if not all(_holds(condition, answers) for condition in question.when):
            continue
        asked.append(question)
        values, fault = check_answer(question, typed.get(question.id, ()))
        answers[question.id] = () if fault else values
        if fault:
            faults[question.id] = fault
    return Settled(asked=tuple(asked), answers=answers, faults=faults)


def _holds(condition: Condition, answers: Mapping[str, tuple[str, ...]]) -> bool:
    given = answers.get(condition.question, ())
    if condition.test == "answered":
        return bool(given) == (condition.value == "yes")
    if condition.test == "is-not":
        return bool(given) and condition.value not in given
    return condition.value in given


def check_answer(question: Question, typed: Sequence[str]) -> tuple[tuple[str, ...], str]:
    """The values of an answer as they are kept, and the fault in it or an empty text."""
    values = tuple(value for text in typed if (value := _tidy(question, text)))
    if not values:
        return (), "required" if question.required else ""
    if question.values:
        return _chosen(question, values)
    value, fault = values[0], "length" if len(values[0]) > question.length else ""
    if question.kind == "date":
        fault = "" if _is_date(value) else "date"
    if question.kind == "number":
        fault = "" if _NUMBER.fullmatch(value) else "number"
    return (value,), fault


def _chosen(question: Question, values: tuple[str, ...]) -> tuple[tuple[str, ...], str]:
    known = all(value in question.values for value in values)
    if not known or (len(values) > 1 and question.kind != "many"):
        return (), "choice"
    return tuple(value for value in question.values if value in values), ""


def _tidy(question: Question, text: str) -> str:
    """What was typed without what nobody meant: spaces at the ends, control characters."""
    if question.kind == "long":
        return "".join(c for c in text if c == "\n" or not _is_control(c)).strip()
    line = "".join(c for c in _SPACES.sub(" ", text) if not _is_control(c)).strip()
    if question.kind in {"number", "date"}:
        return "".join(_digit(c) for c in line if not c.isspace())
    return line


def _is_control(character: str) -> bool:
    return unicodedata.category(character) == "Cc"


def _digit(character: str) -> str:
    """The digit in our spelling, whatever the script; anything else as it is."""
    value = unicodedata.decimal(character, None)
    if value is not None:
        return str(value)
    return "-" if character in "−–‐‑" else character


def _is_date(text: str) -> bool:
    """A day, a month or a year, as exactly as it is known."""
    found = _DATE.fullmatch(text)
    if not found:
        return False
    year, month, day = (int(part or 1) for part in found.groups())
    try:
        date(year, month, day)
    except ValueError:
        return False
    return True


def format_answers(questionnaire: Questionnaire, language: str, settled: Settled) -> bytes:
    """The bytes of `answers.json`; each question in the language it was shown in."""
    questions: list[Json] = [
        {
            "id": question.id,
            "ask": spoken(question.ask, language, questionnaire.default)[0],
            "answer": list(settled.answers.get(question.id, ())),
            "said": list(_said(question, settled, language, questionnaire.default)),
        }
        for question in settled.asked
    ]
    return format_json({"language": language, "questions": questions})


def _said(question: Question, settled: Settled, language: str, default: str) -> tuple[str, ...]:
    chosen = settled.answers.get(question.id, ())
    return tuple(
        spoken(choice.say, language, default)[0]
        for choice in question.choices
        if choice.id in chosen
    )


def parse_answers(data: bytes) -> Answered:
    """The answers in a file that a source sent; nothing in it is to be believed.

    Raises:
        MalformedError: not canonical JSON of this form, or out of bounds.
    """
    value = parse_json(data, "answers", bytes_max=ANSWERS_BYTES_MAX)
    if not isinstance(value, dict) or value.keys() != {"language", "questions"}:
        raise MalformedError("answers: needs exactly language and questions")
    listed = value["questions"]
    if not isinstance(listed, list) or len(listed) > QUESTIONS_MAX:
        raise MalformedError(f"answers: questions must be a list, at most {QUESTIONS_MAX}")
    return Answered(
        language=_text(value["language"], 8), answers=tuple(_answer(item) for item in listed)
    )


def _answer(value: Json) -> Answer:
    if not isinstance(value, dict) or value.keys() != {"id", "ask", "answer", "said"}:
        raise MalformedError("answers: each needs exactly answer, ask, id and said")
    return Answer(
        id=_text(value["id"], SHOWN_CHARS_MAX),
        ask=_text(value["ask"], SHOWN_CHARS_MAX),
        answer=_values(value["answer"], LONG_CHARS_MAX),
        said=_values(value["said"], SHOWN_CHARS_MAX),
    )


def _values(value: Json, chars_max: int) -> tuple[str, ...]:
    if not isinstance(value, list) or len(value) > VALUES_MAX:
        raise MalformedError(f"answers: values must be a list, at most {VALUES_MAX}")
    return tuple(_text(item, chars_max) for item in value)


def _text(value: Json, chars_max: int) -> str:
    if not isinstance(value, str) or len(value) > chars_max:
        raise MalformedError(f"answers: texts have at most {chars_max} characters")
    return value
