"""What a body writes itself: texts and questions, as two files in the door's folder.

    texts.yaml       default: en
                     title: {en: "Tell us about the port contracts", de: "…"}
                     about: {en: "First paragraph.\\n\\nSecond paragraph."}
    questions.yaml   default: en
                     questions: [{id: how, kind: choice, ask: {en: "How do you know?"}, …}]

Both are optional. Texts are plain: nothing in them is ever read as HTML, and paragraphs are
divided by empty lines. A text that is not there in the visitor's language is shown in the
default one, and marked as being in it.

Spec: docs/6-operating.md (Door); docs/3-protocol.md §14.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias, TypeVar

from safeconduct.errors import MalformedError
from safeconduct.plumbing.authored import AUTHORED_BYTES_MAX, parse_authored
from safeconduct.plumbing.durable import read_file
from safeconduct.plumbing.languages import LANGUAGES, direction
from safeconduct.protocol.canonical import Json
from safeconduct.protocol.questions import (
    Complaint,
    Questionnaire,
    Texts,
    format_questions,
    read_questions,
    spoken,
    text_complaints,
)

TEXTS_FILE = "texts.yaml"
QUESTIONS_FILE = "questions.yaml"
PASSAGES = {
    "title": 80,
    "lead": 400,
    "about": 2_000,
    "ways": 600,
    "questions": 600,
    "writing": 600,
    "contact": 600,
    "closing": 600,
    "after_sending": 600,
}
"""The passages that a body can write, with the most characters that each may have."""

_T = TypeVar("_T")
_Written: TypeAlias = tuple[str, Mapping[str, Texts]]  # default language, passages


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """One text as it is shown: its paragraphs, and the language and direction they are in."""

    paragraphs: tuple[str, ...]
    language: str
    direction: str

    @property
    def text(self) -> str:
        """All of it on one line, for a title."""
        return " ".join(self.paragraphs)


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """A body's own texts and questions; empty if it wrote none."""

    default: str = "en"
    texts: Mapping[str, Texts] = field(default_factory=dict)
    questionnaire: Questionnaire = field(default_factory=Questionnaire)

    def text(self, name: str, language: str) -> Passage | None:
        """The passage called `name`, one of `PASSAGES`; None if the body did not write it."""
        text, found = spoken(self.texts.get(name, {}), language, self.default)
        if not text:
            return None
        return Passage(
            paragraphs=tuple(part.strip() for part in text.split("\n\n") if part.strip()),
            language=found,
            direction=_direction(found),
        )

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages in which the body wrote anything, in the order of the site's."""
        written = {language for texts in self.texts.values() for language in texts}
        for question in self.questionnaire.questions:
            written |= set(question.ask)
        return tuple(language for language in LANGUAGES if language in written)

    def questions_json(self) -> bytes:
        """What `GET /questions.json` answers."""
        return format_questions(self.questionnaire)


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """A complaint and the file that it is about."""

    file: str
    complaint: Complaint

    def __str__(self) -> str:
        kind = "warning: " if self.complaint.warning else ""
        place = f"{self.complaint.place}: " if self.complaint.place else ""
        return f"{self.file}: {place}{kind}{self.complaint.words}"


def load_definition(folder: Path) -> Definition:
    """The texts and questions in `folder`; empty where there is no file.

    Raises:
        MalformedError: a file cannot be used; says which, and where in it.
        UnavailableError: a file is there and cannot be read.
    """
    definition, remarks = read_definition(folder)
    for remark in remarks:
        if not remark.complaint.warning:
            raise MalformedError(str(remark), hint="`safeconduct door lint` lists all faults")
    return definition


def read_definition(folder: Path) -> tuple[Definition, tuple[Remark, ...]]:
    """What can be read of a body's files, and all that is wrong with them.

    Raises:
        UnavailableError: a file is there and cannot be read.
    """
    nothing: _Written = ("en", {})
    (default, texts), of_texts = _read(folder / TEXTS_FILE, _texts_of, nothing)
    questionnaire, of_questions = _read(
        folder / QUESTIONS_FILE, read_questions, Questionnaire()
    )
    definition = Definition(default=default, texts=texts, questionnaire=questionnaire)
    remarks = [*of_texts, *of_questions, *_language_remarks(definition)]
    return definition, tuple(remarks)


def _read(
    path: Path, reader: Callable[[Json], tuple[_T, tuple[Complaint, ...]]], empty: _T
) -> tuple[_T, list[Remark]]:
    if not path.exists():
        return empty, []
    try:
        value = parse_authored(read_file(path, bytes_max=AUTHORED_BYTES_MAX), path.name)
    except MalformedError as error:
        words = error.message.removeprefix(f"{path.name}: ")
        return empty, [Remark(file=path.name, complaint=Complaint(place="", words=words))]
    found, complaints = reader(value)
    return found, [Remark(file=path.name, complaint=complaint) for complaint in complaints]


def _texts_of(value: Json) -> tuple[_Written, tuple[Complaint, ...]]:
    if not isinstance(value, dict):
        return ("en", {}), (Complaint(place="", words="must be a table of passages"),)
    complaints: list[Complaint] = []
    default = value.get("default", "en")
    if not isinstance(default, str) or default not in LANGUAGES:
        complaints.append(Complaint(place="default", words=_NOT_OURS))
        default = "en"
    texts: dict[str, Texts] = {}
    for name, said in value.items():
        if name != "default":
            texts[name] = _passage(name, said, default, complaints)
    return (default, texts), tuple(complaints)


_NOT_OURS = f"must be one of the site's languages: {', '.join(LANGUAGES)}"


def _passage(name: str, said: Json, default: str, complaints: list[Complaint]) -> Texts:
    if name not in PASSAGES:
        known = ", ".join(PASSAGES)
        complaints.append(Complaint(place=name, words=f"is not known; known: {known}"))
        return {}
    if not isinstance(said, dict):
        complaints.append(Complaint(place=name, words="must be a table: {en: …, de: …}"))
        return {}
    texts: dict[str, str] = {}
    for language, text in said.items():
        place = f"{name}: {language}"
        if language not in LANGUAGES:
            complaints.append(Complaint(place=place, words=_NOT_OURS))
        elif not isinstance(text, str):
            complaints.append(Complaint(place=place, words="must be text"))
        else:
            lines = name != "title"
            complaints += text_complaints(place, text, PASSAGES[name], lines=lines)
            texts[language] = text.strip()
    if default not in texts:
        complaints.append(Complaint(place=name, words=f"lacks the default language, {default}"))
    return texts


def _language_remarks(definition: Definition) -> list[Remark]:
    """Which of the languages that the body writes in are missing somewhere."""
    remarks = []
    written = definition.languages
    parts = [(TEXTS_FILE, name, texts) for name, texts in definition.texts.items()]
    parts += [
        (QUESTIONS_FILE, f"question {question.id}: ask", question.ask)
        for question in definition.questionnaire.questions
    ]
    for file, place, texts in parts:
        if missing := [language for language in written if language not in texts]:
            words = f"is not there in {', '.join(missing)}; shown in {definition.default}"
            complaint = Complaint(place=place, words=words, warning=True)
            remarks.append(Remark(file=file, complaint=complaint))
    return remarks


def _direction(language: str) -> str:
    return direction(language) if language in LANGUAGES else "auto"
