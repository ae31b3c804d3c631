"""A law that is tried out on a page: the form of its facts, and what follows from them.

The page has no script and keeps nothing: all of a trial lies in the form's own fields. What a
button makes of them is a value, `Answer`; `values` is what a template shows of it. The template
`statute_try.html` of this package draws the page; a site may extend it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date

from safeconduct.errors import MalformedError, SafeconductError
from safeconduct.plumbing.forms import Form
from safeconduct.plumbing.letter_text import blocks
from safeconduct.plumbing.statute_form import (
    FIELD_CHARS_MAX,
    Draft,
    draft_of,
    facts_document,
    read_draft,
    sheet,
    with_item,
    without_item,
    wrong_field,
)
from safeconduct.protocol.canonical import Json
from safeconduct.protocol.statute.calendar import begin_of_day, day_of
from safeconduct.protocol.statute.evaluate import Judgement, evaluate
from safeconduct.protocol.statute.explain import reasons
from safeconduct.protocol.statute.facts import read_facts
from safeconduct.protocol.statute.head import read_moment
from safeconduct.protocol.statute.instant import format_instant
from safeconduct.protocol.statute.picture import picture
from safeconduct.protocol.statute.steps import owed_steps
from safeconduct.protocol.statute.text import Statute
from safeconduct.protocol.statute.trial import case_day
from safeconduct.protocol.statute.wording.voice import Voice, voice

CASES_SHOWN_MAX = 200
BOXES_OPEN_MAX = 60  # a picture of more would hide the form far below it, and begins folded


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """A law that is tried out, in one language; `as_of` is what an empty form is judged at."""

    statute: Statute
    language: str
    as_of: int  # POSIX seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a form came to: the draft to show again, and a judgement, a fault, or neither.

    `case` is the number of the law's own case that was chosen, whether or not it is still that.
    """

    draft: Draft
    judgement: Judgement | None = None
    fault: SafeconductError | None = None
    case: int | None = None


def press(trial: Trial, form: Form) -> Answer:
    """What the button that was pressed makes of a form; a fault is told, not raised.

    Raises:
        MalformedError: the form is none of this page's.
    """
    draft = read_draft(form, trial.statute)
    pressed, _, rest = form.text("do", "judge").partition(".")
    case: int | None = None
    try:
        chosen = form.text("case") if pressed == "fill" else form.text("case", "")
        case = _case(trial, chosen) if chosen or pressed == "fill" else None
        if pressed == "add":
            return Answer(draft=with_item(draft, trial.statute, rest), case=case)
        if pressed == "remove":
            name, _, index = rest.rpartition(".")
            return Answer(draft=without_item(draft, name, _number(index)), case=case)
        if pressed == "fill" and case is not None:
            draft = _filled(trial, case)
        return replace(judged(trial, draft), case=case)
    except SafeconductError as fault:
        return Answer(draft=draft, fault=fault, case=case)


def judged(trial: Trial, draft: Draft) -> Answer:
    """What the law makes of the facts that a draft states.

    Raises:
        MalformedError: facts that the law cannot use; names their place.
        RefusedError: the law is not in force at the instant given.
    """
    statute, as_of = trial.statute, trial.as_of
    if draft.as_of:
        as_of = read_moment(draft.as_of, "as_of", statute.calendar)
    document = facts_document(draft, statute)
    facts = read_facts(document, statute.facts, calendar=statute.calendar)
    return Answer(draft=draft, judgement=evaluate(statute, facts, as_of))


def _case(trial: Trial, index: str) -> int:
    number = _number(index)
    if number >= len(trial.statute.cases):
        raise MalformedError("form: the law has no such case")
    return number


def _filled(trial: Trial, number: int) -> Draft:
    """The facts of one of the law's own cases, on the day on which it is judged."""
    statute = trial.statute
    case = statute.cases[number]
    document: Json = case.facts.document
    return draft_of(document, statute, _written(trial, case_day(statute, case)))


def _written(trial: Trial, at: int) -> str:
    """An instant for the form: a day, where it is the beginning of one at the law's place."""
    calendar = trial.statute.calendar
    if calendar is not None:
        number = day_of(at, calendar)
        if begin_of_day(number, calendar) == at:
            return date.fromordinal(number).isoformat()
    return format_instant(at)


def _number(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= 3):
        raise MalformedError("form: not a number of this page's")
    return int(text)


def told(trial: Trial, judgement: Judgement) -> str:
    """The letter's reasons, with the steps that are owed."""
    steps = owed_steps(trial.statute, judgement.given, judgement.as_of)
    return reasons(trial.statute, judgement, trial.language, steps=steps)


def values(trial: Trial, answer: Answer) -> Mapping[str, object]:
    """What a template shows: the form with what was typed, and what came of it.

    The page's language, where it lies (`here`) and its `site` are for the site to add.
    """
    spoken = voice(trial.statute, trial.language)
    fault = answer.fault.message if answer.fault else ""
    judgement, drawn, given = answer.judgement, "", ""
    if judgement is not None:
        drawn = picture(trial.statute, judgement, trial.language)
        given = told(trial, judgement)
    form = sheet(answer.draft, spoken, fault)
    return {
        "say": spoken.say,
        "heading": spoken.say("try title"),
        "title": spoken.say(
            "law",
            title=spoken.words(trial.statute.title),
            number=trial.statute.version.number,
        ),
        "form": form,
        "wrong": "as_of" if fault.startswith("as_of") else wrong_field(form),
        "as_of": answer.draft.as_of or _written(trial, trial.as_of),
        "as_of_wrong": fault.startswith("as_of"),
        "cases": [
            (n, each.name) for n, each in enumerate(trial.statute.cases[:CASES_SHOWN_MAX])
        ],
        "chosen": answer.case,
        "why": trial.statute.cases[answer.case].why if answer.case is not None else "",
        "item": spoken.item,
        "more": _more(spoken, judgement) if judgement else (),
        "chars_max": FIELD_CHARS_MAX,
        "outcome": spoken.outcome(judgement.outcome) if judgement else "",
        "favourable": judgement is not None and _is_favourable(trial.statute, judgement),
        "letter": blocks(given) if given else (),
        "picture": drawn,
        "folded": drawn.count("<rect") > BOXES_OPEN_MAX,
        "fault": fault,
        "hint": answer.fault.hint if answer.fault else "",
    }


def _more(spoken: Voice, judgement: Judgement) -> tuple[str, ...]:
    """What the result comes to beside its outcome: an amount, and what becomes of each item."""
    amount = judgement.amount
    lines = [spoken.say("amount", amount=spoken.amount(amount))] if amount else []
    for each in judgement.items:
        lines.append(f"{spoken.item(each.item)}: {spoken.outcome(each.outcome)}")
    return tuple(lines)


def _is_favourable(statute: Statute, judgement: Judgement) -> bool:
    """Whether the outcome is one that helps the person."""
    return judgement.outcome in {o.value for o in statute.outcomes if o.favours == "person"}
