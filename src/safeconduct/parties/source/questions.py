"""The body's questions, asked at the terminal or answered by a file; checked as the door does.

    {"how": "saw", "who": ["boss", "team"], "when": "2027-05"}     what `--answers FILE` holds

Nothing is sent from here: the answers become the file `answers.json` of the contribution, and
are sealed with it.

Spec: docs/3-protocol.md §14.
"""

import json
from collections.abc import Callable, Sequence
from typing import Any

from safeconduct.errors import MalformedError
from safeconduct.protocol.answered import Settled, format_answers, settle
from safeconduct.protocol.questions import (
    Question,
    Questionnaire,
    parse_questions,
    spoken,
)

FILE_BYTES_MAX = 1 << 20
_YES_NO = {"y": "yes", "n": "no"}
_TOLD = {
    "required": "please answer this question",
    "length": "this is too long",
    "choice": "choose among the numbers shown",
    "date": "write a year, a month or a day: 2027, 2027-05 or 2027-05-31",
    "number": "write a whole number, in digits only",
}

Ask = Callable[[str], str]
"""Shows a text of a few lines and gives the line that is typed below it."""


def ask_questions(definition_json: bytes, ask: Ask, *, language: str = "en") -> bytes:
    """The bytes of `answers.json`, after asking one question after another; empty if none.

    `definition_json` is what the door's `/questions.json` answers. A question is asked again
    until its answer holds; what is asked next follows from the answers so far.

    Raises:
        MalformedError: the questions are not sound.
    """
    questionnaire = parse_questions(definition_json)
    if not questionnaire.questions:
        return b""
    typed: dict[str, Sequence[str]] = {}
    while True:
        settled = settle(questionnaire, typed)
        due = _next(settled, typed)
        if due is None:
            return format_answers(questionnaire, language, settled)
        fault = settled.faults.get(due.id, "") if due.id in typed else ""
        shown = _prompt(questionnaire, due, language, fault)
        typed[due.id] = _typed(due, ask(shown))


def answers_from_file(definition_json: bytes, data: bytes, *, language: str = "en") -> bytes:
    """The bytes of `answers.json` for the answers in a file; empty if nothing is asked.

    Raises:
        MalformedError: the file is no JSON object of this form, answers what is not asked, or
            an answer is missing or does not hold; says which.
    """
    questionnaire = parse_questions(definition_json)
    if not questionnaire.questions:
        return b""
    typed = _read(data)
    settled = settle(questionnaire, typed)
    asked = {question.id for question in settled.asked}
    if unasked := sorted(set(typed) - asked):
        raise MalformedError(
            f"answers: not asked after the other answers: {', '.join(unasked)}"
        )
    for name, fault in settled.faults.items():
        raise MalformedError(f"answers: {name}: {_TOLD[fault]}")
    return format_answers(questionnaire, language, settled)


def _read(data: bytes) -> dict[str, list[str]]:
    if len(data) > FILE_BYTES_MAX:
        raise MalformedError(f"answers: longer than {FILE_BYTES_MAX} bytes")
    try:
        value: Any = json.loads(data.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise MalformedError("answers: not JSON") from error
    if not isinstance(value, dict):
        raise MalformedError('answers: needs a JSON object, such as {"how": "saw"}')
    return {name: _texts(name, given) for name, given in value.items()}


def _texts(name: str, given: object) -> list[str]:
    listed = given if isinstance(given, list) else [given]
    values = [value for value in listed if isinstance(value, str)]
    if len(values) < len(listed):
        raise MalformedError(f"answers: {name}: must be a text or a list of texts")
    return values


def _next(settled: Settled, typed: dict[str, Sequence[str]]) -> Question | None:
    return next(
        (
            question
            for question in settled.asked
            if question.id not in typed or question.id in settled.faults
        ),
        None,
    )


def _prompt(questionnaire: Questionnaire, question: Question, language: str, fault: str) -> str:
    default = questionnaire.default
    lines = [f"! {_TOLD[fault]}"] if fault else []
    need = "" if question.required else " (optional: press Enter to leave it out)"
    lines.append(spoken(question.ask, language, default)[0] + need)
    if question.hint:
        lines.append(f"  {spoken(question.hint, language, default)[0]}")
    for place, choice in enumerate(question.choices, start=1):
        lines.append(f"  {place}  {spoken(choice.say, language, default)[0]}")
    if question.kind == "many":
        lines.append("  several numbers with spaces between them")
    if question.kind == "yes-no":
        lines.append("  yes or no")
    return "\n".join(lines)


def _typed(question: Question, line: str) -> list[str]:
    """What a line at the terminal means: choices by number or by name."""
    if question.kind == "yes-no":
        word = line.strip().lower()
        return [_YES_NO.get(word, word)]
    if not question.choices:
        return [line]
    numbers = {str(place): value for place, value in enumerate(question.values, start=1)}
    return [numbers.get(word, word) for word in line.replace(",", " ").split()]
