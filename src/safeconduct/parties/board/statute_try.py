"""`safeconduct statute try`: facts are put to a law, and what follows is told and drawn.

    safeconduct statute try law.yaml --facts case.yaml --out proof.svg     letter, and a picture
    safeconduct statute try law.yaml --listen 127.0.0.1:8020               the same as a page

The page has no script, keeps nothing, and is for this machine only: all of a trial lies in the
form's own fields.
"""

import argparse
from pathlib import Path

from safeconduct.errors import RefusedError
from safeconduct.parties.board.statute_files import Law, read_case, read_law, read_versions
from safeconduct.plumbing import web
from safeconduct.plumbing.clock import seconds
from safeconduct.plumbing.durable import write_file
from safeconduct.plumbing.pages import SHARED, render, style
from safeconduct.plumbing.statute_form import FORM_BYTES_MAX, Draft, draft_of
from safeconduct.plumbing.statute_trial import Answer, Trial, press, told, values
from safeconduct.plumbing.terminal import Verbs, add_verb, note, say
from safeconduct.protocol.statute.evaluate import evaluate
from safeconduct.protocol.statute.facts import Facts, read_facts
from safeconduct.protocol.statute.govern import applied
from safeconduct.protocol.statute.head import read_moment
from safeconduct.protocol.statute.picture import picture
from safeconduct.protocol.statute.text import Statute
from safeconduct.protocol.statute.wording import LANGUAGES

LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
HERE = "/"
UNDETERMINED_EXIT = 3


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
    """The last version that is in force by then, or the first; without what courts struck."""
    begun = [each for each in laws if each.statute.version.in_force_from <= as_of]
    chosen = (begun or laws)[-1 if begun else 0].statute
    return applied([law.statute for law in laws], chosen, as_of)


def _stated(path: Path | None, statute: Statute) -> Facts:
    if path is None:
        return read_facts({}, statute.facts, calendar=statute.calendar)
    _, facts = read_case(path, statute)
    return facts


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


def page(trial: Trial, answer: Answer) -> str:
    """The page: the form with what was typed, and what came of it."""
    shown = values(trial, answer)
    return render(
        SHARED,
        "statute_try.html",
        language=trial.language,
        site="Safeconduct",
        here=HERE,
        **shown,
    )
