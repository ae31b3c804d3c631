"""`safeconduct statute try`: facts are put to a law, and what follows is told and drawn.

    safeconduct statute try law.yaml --facts case.yaml --out proof.svg     letter, and a picture
    safeconduct statute try law.yaml --listen 127.0.0.1:8020               the same as a page

The page has no script, keeps nothing, and is for this machine only: all of a trial lies in the
form's own fields.
"""

import argparse
from dataclasses import dataclass
from pathlib import Path

from safeconduct.errors import MalformedError, RefusedError, SafeconductError
from safeconduct.parties.board.statute_files import Law, read_case, read_law, read_versions
from safeconduct.plumbing import web
from safeconduct.plumbing.clock import seconds
from safeconduct.plumbing.durable import write_file
from safeconduct.plumbing.forms import Form
from safeconduct.plumbing.letter_text import blocks
from safeconduct.plumbing.pages import SHARED, render, style
from safeconduct.plumbing.statute_form import (
    FIELD_CHARS_MAX,
    FORM_BYTES_MAX,
    Draft,
    draft_of,
    facts_document,
    read_draft,
    sheet,
    with_item,
    without_item,
    wrong_field,
)
from safeconduct.plumbing.terminal import Verbs, add_verb, note, say
from safeconduct.protocol.canonical import Json
from safeconduct.protocol.statute.evaluate import Judgement, evaluate
from safeconduct.protocol.statute.explain import reasons
from safeconduct.protocol.statute.facts import Facts, read_facts
from safeconduct.protocol.statute.head import read_moment
from safeconduct.protocol.statute.instant import format_instant
from safeconduct.protocol.statute.picture import picture
from safeconduct.protocol.statute.steps import owed_steps
from safeconduct.protocol.statute.text import Statute
from safeconduct.protocol.statute.wording import LANGUAGES
from safeconduct.protocol.statute.wording.voice import voice

LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
HERE = "/"
CASES_SHOWN_MAX = 200
UNDETERMINED_EXIT = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """A law that is tried out, in one language; `as_of` is what an empty form is judged at."""

    statute: Statute
    language: str
    as_of: int  # POSIX seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a form came to: the draft to show again, and a judgement, a fault, or neither."""

    draft: Draft
    judgement: Judgement | None = None
    fault: SafeconductError | None = None


_EPILOG = """\
The letter is printed, and its proof drawn as SVG; or both are shown on a page of this machine,
with a form of the law's own facts. The page keeps nothing.

exit codes: 0 decided · 3 undetermined · 65 malformed, with the place

examples:
  safeconduct statute try statute.yaml --facts facts.yaml --out proof.svg
  safeconduct statute try statute.yaml --facts facts.yaml --language pl
  safeconduct statute try statute.yaml --listen 127.0.0.1:8020
"""


def add_try_verb(verbs: Verbs) -> None:
    """Add the verb `try`."""
    verb = add_verb(verbs, "try", "put a case to a law: a letter, a picture, a page", _EPILOG)
    verb.add_argument("statute", type=Path, metavar="STATUTE", help=".yaml, .json or folder")
    verb.add_argument("--facts", type=Path, metavar="FACTS", help=".yaml or .json")
    verb.add_argument("--as-of", metavar="T", help="the moment or day to judge at (now)")
    verb.add_argument("--language", choices=LANGUAGES, default="en", help="of letter and page")
    where = verb.add_mutually_exclusive_group()
    where.add_argument("--listen", metavar="HOST:PORT", help="show a page, on loopback")
    where.add_argument("--out", type=Path, metavar="SVG", help="where to draw the proof")
    verb.set_defaults(run=run_try)


def run_try(options: argparse.Namespace) -> int:
    """Tell and draw what follows, or serve the page; 0 if decided, 3 if facts are open."""
    statute, as_of = _chosen(options)
    trial = Trial(statute=statute, language=options.language, as_of=as_of)
    facts = _stated(options.facts, statute)
    if options.listen is not None:
        return _serve(trial, options.listen, draft_of(facts.document, statute))
    judgement = evaluate(statute, facts, as_of)
    say(told(trial, judgement).rstrip("\n"))
    if options.out is not None:
        drawn = picture(statute, judgement, trial.language)
        write_file(options.out, drawn.encode("utf-8"))
        note(f"the proof is drawn in {options.out}")
    return 0 if judgement.decided else UNDETERMINED_EXIT


def _chosen(options: argparse.Namespace) -> tuple[Statute, int]:
    """The version in force, and the instant to judge at: the one asked for, or the first."""
    laws = read_versions(options.statute) if options.statute.is_dir() else None
    law = read_law(options.statute) if laws is None else laws[-1]
    if options.as_of is not None:
        as_of = read_moment(options.as_of, "--as-of", law.statute.calendar)
        return _in_force(laws or (law,), as_of), as_of
    statute = _in_force(laws or (law,), seconds())
    return statute, max(seconds(), statute.version.in_force_from)


def _in_force(laws: tuple[Law, ...], as_of: int) -> Statute:
    """The last version that is in force by then, or the first there is."""
    begun = [each for each in laws if each.statute.version.in_force_from <= as_of]
    return (begun or laws)[-1 if begun else 0].statute


def _stated(path: Path | None, statute: Statute) -> Facts:
    if path is None:
        return read_facts({}, statute.facts, calendar=statute.calendar)
    _, facts = read_case(path, statute)
    return facts


def told(trial: Trial, judgement: Judgement) -> str:
    """The letter's reasons, with the steps that are owed."""
    steps = owed_steps(trial.statute, judgement.given, judgement.as_of)
    return reasons(trial.statute, judgement, trial.language, steps=steps)


def _serve(trial: Trial, listen: str, draft: Draft) -> int:
    host = listen.rpartition(":")[0]
    if host not in LOOPBACK:
        raise RefusedError(
            f"the law is tried out on this machine only, not on {host or 'every address'}",
            hint="listen on 127.0.0.1",
        )
    site = make_site(trial, draft)
    web.serve(site, listen, ready=lambda url: say(f"listening on {url}"))
    return 0


def make_site(trial: Trial, draft: Draft | None = None) -> web.App:
    """The page as an application; `draft` is what its form holds at first."""

    async def posted(request: web.Request) -> web.Response:
        form = await web.read_form(request, bytes_max=FORM_BYTES_MAX)
        answer = await web.in_thread(press, trial, form)
        return web.html(
            page(trial, answer), status=answer.fault.http_status if answer.fault else 200
        )

    def shown(_: web.Request) -> web.Response:
        return web.html(page(trial, Answer(draft=draft or Draft())))

    def look(_: web.Request) -> web.Response:
        return web.data(style(), "text/css; charset=utf-8")

    routes = (
        web.Route("GET", HERE, shown, page=True),
        web.Route("POST", HERE, posted, page=True),
        web.Route("GET", "/style.css", look),
    )
    return web.make_app(routes, hosts=LOOPBACK, pages=True)


def press(trial: Trial, form: Form) -> Answer:
    """What the button that was pressed makes of a form; a fault is told, not raised.

    Raises:
        MalformedError: the form is none of this page's.
    """
    draft = read_draft(form, trial.statute)
    pressed, _, rest = form.text("do", "judge").partition(".")
    try:
        if pressed == "fill":
            return Answer(draft=_filled(trial, form.text("case")))
        if pressed == "add":
            return Answer(draft=with_item(draft, trial.statute, rest))
        if pressed == "remove":
            name, _, index = rest.rpartition(".")
            return Answer(draft=without_item(draft, name, _number(index)))
        return judged(trial, draft)
    except SafeconductError as fault:
        return Answer(draft=draft, fault=fault)


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


def _filled(trial: Trial, index: str) -> Draft:
    cases, number = trial.statute.cases, _number(index)
    if number >= len(cases):
        raise MalformedError("form: the law has no such case")
    at = cases[number].as_of
    document: Json = cases[number].facts.document
    return draft_of(document, trial.statute, "" if at is None else format_instant(at))


def _number(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= 3):
        raise MalformedError("form: not a number of this page's")
    return int(text)


def page(trial: Trial, answer: Answer) -> str:
    """The page: the form with what was typed, and what came of it."""
    spoken = voice(trial.statute, trial.language)
    fault = answer.fault.message if answer.fault else ""
    judgement, drawn, given = answer.judgement, "", ""
    if judgement is not None:
        drawn = picture(trial.statute, judgement, trial.language)
        given = told(trial, judgement)
    form = sheet(answer.draft, spoken, fault)
    return render(
        SHARED,
        "statute_try.html",
        language=trial.language,
        site="Safeconduct",
        here=HERE,
        say=spoken.say,
        heading=spoken.say("try title"),
        title=spoken.words(trial.statute.title),
        form=form,
        wrong="as_of" if fault.startswith("as_of") else wrong_field(form),
        as_of=answer.draft.as_of or format_instant(trial.as_of),
        as_of_wrong=fault.startswith("as_of"),
        cases=[(n, each.name) for n, each in enumerate(trial.statute.cases[:CASES_SHOWN_MAX])],
        chars_max=FIELD_CHARS_MAX,
        outcome=spoken.outcome(judgement.outcome) if judgement else "",
        favourable=judgement is not None and _is_favourable(trial.statute, judgement),
        letter=blocks(given) if given else (),
        picture=drawn,
        fault=fault,
        hint=answer.fault.hint if answer.fault else "",
    )


def _is_favourable(statute: Statute, judgement: Judgement) -> bool:
    """Whether the outcome is one that helps the person."""
    return judgement.outcome in {o.value for o in statute.outcomes if o.favours == "person"}
