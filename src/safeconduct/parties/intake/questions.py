"""The body's questions, asked on one page that grows with the answers.

A page shows every question whose conditions are decided. Each time it comes back, the server
works out anew from the answers alone what is to be asked; a hidden `asked` only says which
questions the visitor has seen already, so that a new optional one is not passed over. What was
typed stays on the page, whatever was wrong with it.

Sound answers go into the visitor's spool as `answers.json` and are sealed like a file.

Spec: docs/3-protocol.md §14.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from safeconduct.errors import SafeconductError
from safeconduct.parties.intake.accept import Intake
from safeconduct.parties.intake.frame import page, problem_of, speaks
from safeconduct.parties.intake.steps import ANSWERS, at_step
from safeconduct.parties.intake.ticket import Ticket
from safeconduct.plumbing import languages, web
from safeconduct.plumbing.forms import Form
from safeconduct.protocol.answered import Settled, format_answers, parse_answers, settle
from safeconduct.protocol.envelope import ANSWERS_NAME
from safeconduct.protocol.questions import Question, Texts, spoken

ACTION = "/tell/answers"  # where the page is posted to, after its language
SPOOL_KIND = "answers"
FIELD_PREFIX = "q-"
UNSOUND_STATUS = 422
EXAMPLES = {
    "year": "\u20662027\u2069",
    "month": "\u20662027-05\u2069",
    "day": "\u20662027-05-31\u2069",
}
"""Dates as they are typed, isolated: in Arabic text they would be turned around."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A text of the body as it is shown: in which language, and which way that is written."""

    text: str
    language: str
    direction: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One answer to choose."""

    value: str
    said: Said
    chosen: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One question as a field of the page: `fault` is why its answer was not taken."""

    field: str
    kind: str
    ask: Said
    hint: Said | None
    required: bool
    options: tuple[Option, ...]
    typed: str
    length: int
    fault: str
    fresh: bool


def routes(intake: Intake) -> list[web.Route]:
    """`GET /questions.json`: what the client asks; the steps of the form post the page."""
    content = intake.definition.questions_json()
    return [
        web.Route("GET", "/questions.json", lambda _: web.data(content, "application/json"))
    ]


def asks(intake: Intake) -> bool:
    """Whether the body asks anything."""
    return bool(intake.definition.questionnaire.questions)


def first(intake: Intake, language: str, ticket: Ticket) -> web.Response:
    """The page with the questions that come first, or all that were answered before."""
    if not ticket.spool:
        spool, key = intake.spools.begin(intake.random_bytes)
        ticket = replace(ticket, spool=spool, spool_key=key)
    typed = _kept(intake, ticket)
    settled = settle(intake.definition.questionnaire, typed)
    return _page(intake, language, ticket, replace(settled, faults={}), typed, None)


def _kept(intake: Intake, ticket: Ticket) -> dict[str, list[str]]:
    """The answers that lie in the spool, to be changed."""
    spools, spool, key = intake.spools, ticket.spool, ticket.spool_key
    item = spools.item(spool, key, SPOOL_KIND)
    if item is None:
        return {}
    answered = parse_answers(b"".join(spools.read(spool, key, item)))
    return {each.id: list(each.answer) for each in answered.answers}


def take(intake: Intake, language: str, ticket: Ticket, form: Form) -> web.Response | None:
    """None if all is answered, and the answers lie in the spool; else the page once more.

    If they cannot be kept now, the page comes back too, with all that was typed.
    """
    questionnaire = intake.definition.questionnaire
    typed = {
        question.id: form.texts(FIELD_PREFIX + question.id)
        for question in questionnaire.questions
    }
    settled = settle(questionnaire, typed)
    seen = set(form.texts("asked"))
    fresh = {question.id for question in settled.asked} - seen
    if settled.faults or fresh:
        shown = _known_faults(settled, seen)
        return _page(intake, language, ticket, shown, typed, seen)
    data = format_answers(questionnaire, language, settled)
    try:
        intake.spools.put(ticket.spool, ticket.spool_key, SPOOL_KIND, ANSWERS_NAME, data)
    except SafeconductError as error:
        return _page(intake, language, ticket, settled, typed, seen, error)
    return None


def whole_page(intake: Intake, language: str) -> web.Response:
    """The page with every question there is, new and unanswered: the largest it can be."""
    questionnaire = intake.definition.questionnaire
    faults = {question.id: "required" for question in questionnaire.questions}
    settled = Settled(asked=questionnaire.questions, answers={}, faults=faults)
    ticket = Ticket(opened_at=intake.tickets.seconds())
    return _page(intake, language, ticket, settled, {}, set())


def _known_faults(settled: Settled, seen: set[str]) -> Settled:
    """Without the faults of questions that nobody has seen yet."""
    faults = {name: fault for name, fault in settled.faults.items() if name in seen}
    return replace(settled, faults=faults)


def _page(
    intake: Intake,
    language: str,
    ticket: Ticket,
    settled: Settled,
    typed: Mapping[str, list[str]],
    seen: set[str] | None,
    error: SafeconductError | None = None,
) -> web.Response:
    """The page after `typed`; `seen` is None when nothing on it is to be called new."""
    problem = None if error is None else problem_of(error, language)
    step: dict[str, Any] = at_step(intake, ANSWERS, ticket, problem)
    status = UNSOUND_STATUS if settled.faults else 200
    return page(
        intake,
        language,
        "questions.html",
        "",
        status=status if error is None else error.http_status,
        questions=asked(intake, language, settled, typed, seen),
        passage=intake.definition.text("questions", language),
        action=f"/{language}{ACTION}",
        examples=EXAMPLES,
        **step,
    )


def asked(
    intake: Intake,
    language: str,
    settled: Settled,
    typed: Mapping[str, list[str]],
    seen: set[str] | None,
) -> tuple[Asked, ...]:
    """The fields of a page, in order."""
    default = intake.definition.questionnaire.default
    return tuple(
        Asked(
            field=FIELD_PREFIX + question.id,
            kind=question.kind,
            ask=_said(question.ask, language, default),
            hint=_said(question.hint, language, default) if question.hint else None,
            required=question.required,
            options=_options(question, language, default, typed.get(question.id, [])),
            typed=next(iter(typed.get(question.id, [])), ""),
            length=question.length,
            fault=_fault(question, settled.faults.get(question.id, ""), language),
            fresh=seen is not None and question.id not in seen,
        )
        for question in settled.asked
    )


def _options(
    question: Question, language: str, default: str, typed: list[str]
) -> tuple[Option, ...]:
    if question.kind == "yes-no":
        _ = speaks(language)
        said = {"yes": _("Yes"), "no": _("No")}
        return tuple(
            Option(value=value, said=_own(word, language), chosen=value in typed)
            for value, word in said.items()
        )
    return tuple(
        Option(
            value=choice.id,
            said=_said(choice.say, language, default),
            chosen=choice.id in typed,
        )
        for choice in question.choices
    )


def _said(texts: Texts, language: str, default: str) -> Said:
    text, found = spoken(texts, language, default)
    known = found in languages.LANGUAGES
    way = languages.direction(found) if known else "auto"
    return Said(text=text, language=found, direction=way)


def _own(text: str, language: str) -> Said:
    return Said(text=text, language=language, direction=languages.direction(language))


def _fault(question: Question, fault: str, language: str) -> str:
    """What is told of a fault, in the visitor's language; empty if there is none."""
    _ = speaks(language)
    too_long = _("This answer is too long. The most is %(count)s characters.")
    like = _("Please write a year, a month or a day, like %(year)s, %(month)s or %(day)s.")
    told = {
        "": "",
        "required": _("Please answer this question."),
        "length": too_long % {"count": languages.number(question.length, language)},
        "choice": _("Please choose one of the answers shown."),
        "date": like % EXAMPLES,
        "number": _("Please write a whole number, in digits only."),
    }
    return told[fault]
