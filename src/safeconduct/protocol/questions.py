"""The questions that a body asks sources: what may be asked, and on what condition.

    {"default": "en",
     "questions": [{"id": "how", "kind": "choice", "ask": {"en": "How do you know?"},
                    "required": true, "choices": [{"id": "saw", "say": {"en": "I saw it"}}]},
                   {"id": "when", "kind": "date", "ask": {"en": "When was it?"},
                    "if": {"question": "how", "is": "saw"}}]}

The same shape is written by people as YAML and handed to clients as canonical JSON. A condition
speaks of an earlier question only, so questions are asked in one pass and never in a circle.
A condition on a question that was not asked, or not answered, does not hold; only
`answered: false` does.

Spec: docs/3-protocol.md §14.
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from safeconduct.errors import MalformedError
from safeconduct.protocol.canonical import Json, format_json, parse_json

QUESTIONS_BYTES_MAX = 256 << 10
QUESTIONS_MAX = 60
CHOICES_MAX = 40
CONDITIONS_MAX = 8
ASK_CHARS_MAX = 300
HINT_CHARS_MAX = 600
SAY_CHARS_MAX = 200
LINE_CHARS = 300
LONG_CHARS = 5_000
LONG_CHARS_MAX = 20_000
YES_NO = ("yes", "no")
KINDS = ("line", "long", "choice", "many", "yes-no", "date", "number")
TESTS = ("is", "is-not", "includes", "answered")
_FIELDS = {"id", "kind", "ask", "hint", "required", "choices", "if", "length"}
_ID = re.compile(r"[a-z][a-z0-9-]{0,39}")
_LANGUAGE = re.compile(r"[a-z]{2,3}")
_JOINERS = "\u200c\u200d"  # Persian and emoji cannot be written without them
_LINK = re.compile(r"(?:https?://|www\.|mailto:|[\w.-]+@[\w-]+\.|[\w-]+\.onion\b)", re.I)

Texts: TypeAlias = Mapping[str, str]
"""One text in several languages."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Complaint:
    """What is wrong at a place of a file; with a `warning`, the file is used all the same."""

    place: str
    words: str
    warning: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One answer to choose."""

    id: str
    say: Texts


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """A test of an earlier answer: `is`, `is-not`, `includes` a value; `answered` yes or no."""

    question: str
    test: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One question; it is asked if all conditions in `when` hold. `length` in characters."""

    id: str
    kind: str
    ask: Texts
    hint: Texts = field(default_factory=dict)
    required: bool = False
    choices: tuple[Choice, ...] = ()
    when: tuple[Condition, ...] = ()
    length: int = LINE_CHARS

    @property
    def values(self) -> tuple[str, ...]:
        """What may be chosen; empty where the answer is typed."""
        if self.kind == "yes-no":
            return YES_NO
        return tuple(choice.id for choice in self.choices)


@dataclass(frozen=True, slots=True, kw_only=True)
class Questionnaire:
    """All questions in their order, and the language that stands in for a missing one."""

    default: str = "en"
    questions: tuple[Question, ...] = ()


def spoken(texts: Texts, language: str, default: str) -> tuple[str, str]:
    """The text in that language, else in the default one, and the language it is in."""
    found = language if language in texts else default
    return texts.get(found, ""), found


def parse_questions(data: bytes) -> Questionnaire:
    """The questionnaire of a canonical JSON document.

    Raises:
        MalformedError: too long, not canonical JSON, or not a sound questionnaire.
    """
    value = parse_json(data, "questions", bytes_max=QUESTIONS_BYTES_MAX)
    questionnaire, complaints = read_questions(value)
    for complaint in complaints:
        if not complaint.warning:
            raise MalformedError(f"questions: {complaint.place}: {complaint.words}")
    return questionnaire


def format_questions(questionnaire: Questionnaire) -> bytes:
    """The canonical JSON of a questionnaire, for clients."""
    questions: list[Json] = [_question_json(question) for question in questionnaire.questions]
    return format_json({"default": questionnaire.default, "questions": questions})


def _question_json(question: Question) -> Json:
    value: dict[str, Json] = {
        "id": question.id,
        "kind": question.kind,
        "ask": dict(question.ask),
        "required": question.required,
        "length": question.length,
    }
    if question.hint:
        value["hint"] = dict(question.hint)
    if question.choices:
        value["choices"] = [
            {"id": choice.id, "say": dict(choice.say)} for choice in question.choices
        ]
    if question.when:
        value["if"] = [_condition_json(condition) for condition in question.when]
    return value


def _condition_json(condition: Condition) -> Json:
    answered = condition.test == "answered"
    value = condition.value == "yes" if answered else condition.value
    return {"question": condition.question, condition.test: value}


def read_questions(value: Json) -> tuple[Questionnaire, tuple[Complaint, ...]]:
    """The questionnaire that a value holds, and all that is wrong with it.

    It is of use only if no complaint is more than a warning.
    """
    reader = _Reader()
    questionnaire = reader.questionnaire(value)
    return questionnaire, tuple(reader.complaints)


def text_complaints(place: str, text: str, chars_max: int, *, lines: bool) -> list[Complaint]:
    """What is wrong with a text that sources will read; `lines` if it may have several."""
    complaints = []
    if not text.strip():
        complaints.append(Complaint(place=place, words="the text is empty"))
    if len(text) > chars_max:
        told = f"{len(text)} characters, but {chars_max} are the most"
        complaints.append(Complaint(place=place, words=told))
    hidden = sorted({c for c in text if not _is_plain(c, lines=lines)})
    if hidden:
        codes = ", ".join(f"U+{ord(character):04X}" for character in hidden)
        told = f"holds characters that nobody sees or that turn the text around: {codes}"
        complaints.append(Complaint(place=place, words=told))
    if link := _LINK.search(text):
        told = f"looks like an address ({link[0]}…): a source may open it in the wrong browser"
        complaints.append(Complaint(place=place, words=told, warning=True))
    return complaints


def _is_plain(character: str, *, lines: bool) -> bool:
    if character in _JOINERS or (lines and character == "\n"):
        return True
    return unicodedata.category(character)[0] != "C" and character not in "\u2028\u2029"


class _Reader:
    """Reads one questionnaire, and goes on after a complaint to find the next."""

    def __init__(self) -> None:
        self.complaints: list[Complaint] = []
        self._default = "en"

    def complain(self, place: str, words: str, *, warning: bool = False) -> None:
        self.complaints.append(Complaint(place=place, words=words, warning=warning))

    def questionnaire(self, value: Json) -> Questionnaire:
        table = self._table(value, "the file", {"default", "questions"})
        self._default = self._language(table.get("default", "en"), "default")
        listed = self._list(table.get("questions", []), "questions", QUESTIONS_MAX)
        questions = tuple(
            self._question(item, place) for place, item in enumerate(listed, start=1)
        )
        self._check_ids([question.id for question in questions], "question")
        self._check_conditions(questions)
        return Questionnaire(default=self._default, questions=questions)

    def _question(self, value: Json, place: int) -> Question:
        table = self._table(value, f"question {place}", _FIELDS)
        name = self._id(table.get("id"), f"question {place}: id")
        where = f"question {name or place}"
        kind = self._one_of(table.get("kind"), KINDS, f"{where}: kind")
        question = Question(
            id=name,
            kind=kind,
            ask=self._texts(table.get("ask"), f"{where}: ask", ASK_CHARS_MAX),
            hint=self._texts(table["hint"], f"{where}: hint", HINT_CHARS_MAX)
            if "hint" in table
            else {},
            required=self._flag(table.get("required", False), f"{where}: required"),
            choices=self._choices(table.get("choices"), kind, where),
            when=self._conditions(table.get("if", []), f"{where}: if"),
            length=self._length(table.get("length"), kind, where),
        )
        self._check_languages(question, where)
        return question

    def _choices(self, value: Json, kind: str, where: str) -> tuple[Choice, ...]:
        if kind not in {"choice", "many"}:
            if value is not None:
                self.complain(f"{where}: choices", f"a question of kind {kind} has no choices")
            return ()
        choices = []
        for item in self._list(value, f"{where}: choices", CHOICES_MAX):
            table = self._table(item, f"{where}: choices", {"id", "say"})
            name = self._id(table.get("id"), f"{where}: choices: id")
            say = self._texts(table.get("say"), f"{where}: choice {name}", SAY_CHARS_MAX)
            choices.append(Choice(id=name, say=say))
        if len(choices) < 2:
            self.complain(f"{where}: choices", "there are fewer than two")
        self._check_ids([choice.id for choice in choices], f"{where}: choice")
        return tuple(choices)

    def _conditions(self, value: Json, where: str) -> tuple[Condition, ...]:
        given: Json = [value] if isinstance(value, dict) else value
        conditions = []
        for item in self._list(given, where, CONDITIONS_MAX):
            table = self._table(item, where, {"question", *TESTS})
            tests = [test for test in TESTS if test in table]
            name = self._id(table.get("question"), f"{where}: question")
            if len(tests) != 1:
                self.complain(where, f"needs exactly one of {', '.join(TESTS)}")
                continue
            wanted = self._wanted(tests[0], table[tests[0]], where)
            conditions.append(Condition(question=name, test=tests[0], value=wanted))
        return tuple(conditions)

    def _wanted(self, test: str, value: Json, where: str) -> str:
        if isinstance(value, bool):
            return "yes" if value else "no"
        if test == "answered":
            self.complain(f"{where}: answered", "must be true or false")
        elif not isinstance(value, str):
            self.complain(f"{where}: {test}", "must be the id of a choice")
        return value if isinstance(value, str) else ""

    def _length(self, value: Json, kind: str, where: str) -> int:
        most = {"line": LINE_CHARS, "long": LONG_CHARS_MAX}.get(kind, LINE_CHARS)
        if value is None:
            return LONG_CHARS if kind == "long" else LINE_CHARS
        if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= most:
            self.complain(f"{where}: length", f"must be a number from 1 to {most}")
            return most
        return value

    def _check_conditions(self, questions: tuple[Question, ...]) -> None:
        earlier: dict[str, Question] = {}
        names = {question.id: question for question in questions}
        for question in questions:
            for condition in question.when:
                where = f"question {question.id}: if"
                told = _why_never(condition, question, earlier, names)
                if told:
                    self.complain(where, told)
            earlier[question.id] = question
        if all(complaint.warning for complaint in self.complaints):
            self._check_reach(questions)

    def _check_reach(self, questions: tuple[Question, ...]) -> None:
        names = {question.id: question for question in questions}
        for question in questions:
            if _contradicts(_needs(question, names), names):
                told = "can never be asked: its conditions contradict each other"
                self.complain(f"question {question.id}: if", told)

    def _check_ids(self, ids: list[str], what: str) -> None:
        for name in sorted({name for name in ids if name and ids.count(name) > 1}):
            self.complain(f"{what} {name}", "the id stands twice")

    def _check_languages(self, question: Question, where: str) -> None:
        """Say which languages of the question its hint or choices lack."""
        parts = [("hint", question.hint)] if question.hint else []
        parts += [(f"choice {choice.id}", choice.say) for choice in question.choices]
        for name, texts in parts:
            if missing := sorted(set(question.ask) - set(texts)):
                told = f"the question is asked in {', '.join(missing)}, but this is not"
                self.complain(f"{where}: {name}", told, warning=True)

    # Values.

    def _table(self, value: Json, place: str, known: set[str]) -> dict[str, Json]:
        if not isinstance(value, dict):
            self.complain(place, "must be a table of names and values")
            return {}
        for name in sorted(set(value) - known):
            self.complain(place, f"{name} is not known here; known: {', '.join(sorted(known))}")
        return value

    def _list(self, value: Json, place: str, count_max: int) -> list[Json]:
        if not isinstance(value, list):
            self.complain(place, "must be a list")
            return []
        if len(value) > count_max:
            self.complain(place, f"{len(value)} items, but {count_max} are the most")
        return value[:count_max]

    def _texts(self, value: Json, place: str, chars_max: int) -> Texts:
        if not isinstance(value, dict) or not value:
            self.complain(place, "must be a table of languages and texts: {en: …}")
            return {}
        texts: dict[str, str] = {}
        for language, text in value.items():
            here = f"{place}: {language}"
            self._language(language, here)
            if not isinstance(text, str):
                self.complain(here, "must be text")
                continue
            self.complaints += text_complaints(here, text, chars_max, lines=False)
            texts[language] = text.strip()
        if self._default not in value:
            self.complain(place, f"lacks the default language, {self._default}")
        return texts

    def _language(self, value: Json, place: str) -> str:
        if isinstance(value, str) and _LANGUAGE.fullmatch(value):
            return value
        self.complain(place, "a language is two or three small letters, such as en")
        return "en"

    def _id(self, value: Json, place: str) -> str:
        if isinstance(value, str) and _ID.fullmatch(value):
            return value
        self.complain(place, "an id is up to 40 of a–z, 0–9 and -, and begins with a letter")
        return ""

    def _flag(self, value: Json, place: str) -> bool:
        if not isinstance(value, bool):
            self.complain(place, "must be true or false")
        return value is True

    def _one_of(self, value: Json, known: tuple[str, ...], place: str) -> str:
        if isinstance(value, str) and value in known:
            return value
        self.complain(place, f"must be one of {', '.join(known)}")
        return known[0]


# Whether a question can be asked at all.


def _why_never(
    condition: Condition,
    question: Question,
    earlier: Mapping[str, Question],
    names: Mapping[str, Question],
) -> str:
    """Why this condition can never hold, or can never be decided; empty if it can."""
    about = earlier.get(condition.question)
    if about is None:
        if condition.question not in names:
            return f"there is no question {condition.question}"
        circle = condition.question == question.id or question.id in {
            name for name, _ in _chain(names[condition.question], names)
        }
        told = "depend on each other in a circle" if circle else "is asked later"
        return f"{condition.question} {told}; a condition is about an earlier question"
    if condition.test == "answered":
        return ""
    if not about.values:
        return f"{about.id} is typed: of it, only `answered` can be asked"
    if (condition.test == "includes") != (about.kind == "many"):
        return f"{about.id} is of kind {about.kind}: use {_fitting(about)}"
    if condition.value not in about.values:
        return f"can never hold: {about.id} has no choice {condition.value}"
    return ""


def _fitting(question: Question) -> str:
    return "includes" if question.kind == "many" else "is or is-not"


def _chain(question: Question, names: Mapping[str, Question]) -> set[tuple[str, Condition]]:
    """All conditions that must hold for a question to be asked, with what they speak of."""
    found: set[tuple[str, Condition]] = set()
    waiting = [question]
    while waiting:
        for condition in waiting.pop().when:
            pair = (condition.question, condition)
            if pair in found:
                continue
            found.add(pair)
            absent = condition.test == "answered" and condition.value == "no"
            if not absent and condition.question in names:
                waiting.append(names[condition.question])
    return found


def _needs(question: Question, names: Mapping[str, Question]) -> dict[str, list[Condition]]:
    needs: dict[str, list[Condition]] = {}
    for name, condition in _chain(question, names):
        needs.setdefault(name, []).append(condition)
    return needs


def _contradicts(needs: Mapping[str, list[Condition]], names: Mapping[str, Question]) -> bool:
    return any(not _possible(conditions, names[name]) for name, conditions in needs.items())


def _possible(conditions: list[Condition], about: Question) -> bool:
    """Whether some answer to `about`, or none, meets all of the conditions."""
    unanswered = [c for c in conditions if c.test == "answered" and c.value == "no"]
    if unanswered:
        always_answered = about.required and not about.when
        return len(unanswered) == len(conditions) and not always_answered
    if not about.values or about.kind == "many":
        return True
    return any(
        all((value == c.value) == (c.test == "is") for c in conditions if c.test != "answered")
        for value in about.values
    )
