"""The pages of the law: every version, what it says, what it changes, and a form to try it.

Nothing that is typed into the form is kept: all of a trial lies in the form's own fields.
"""

from functools import partial

from safeconduct.parties.registry import show
from safeconduct.parties.registry.book import Book, Law, Reader
from safeconduct.parties.registry.compare import changes, moved, side_by_side
from safeconduct.parties.registry.feeds import FeedEntry
from safeconduct.parties.registry.frame import draw, get, post
from safeconduct.parties.registry.tongue import is_word, word
from safeconduct.plumbing import tongues, web
from safeconduct.plumbing.languages import DEFAULT, marked
from safeconduct.plumbing.statute_form import FORM_BYTES_MAX, Draft
from safeconduct.plumbing.statute_trial import Answer, Trial, press, values
from safeconduct.plumbing.tongues import language_of
from safeconduct.protocol.canonical import parse_decimal
from safeconduct.protocol.statute.govern import applied
from safeconduct.protocol.statute.whom import for_whom
from safeconduct.protocol.statute.wording.voice import voice

NUMBER_DIGITS_MAX = 9


def routes(reader: Reader) -> list[web.Route]:
    """Everything below `/law`."""
    return [
        get("/law", reader, laws),
        get("/law/compare", reader, compare),
        get("/law/{number}", reader, law),
        get("/law/{number}/try", reader, trial),
        post("/law/{number}/try", reader, tried),
        web.Route("GET", "/law/{number}/statute.json", partial(statute, reader)),
    ]


def laws(reader: Reader, request: web.Request) -> web.Response:
    """Every version of the statute, the newest first."""
    book, now, language = reader.book(), reader.registry.seconds(), language_of(request)
    versions = show.versions([one.statute for one in book.laws], now)
    return draw(
        reader,
        request,
        "laws.html",
        "/law",
        versions=list(zip(reversed(book.laws), reversed(versions), strict=True)),
        terms=show.governing_words(book.laws[-1].statute, language) if book.laws else (),
    )


def law(reader: Reader, request: web.Request) -> web.Response:
    """One version of the statute, section by section, with its own cases."""
    found, now = _law(reader, request.path_params["number"]), reader.registry.seconds()
    versions = [one.statute for one in reader.book().laws]
    [view] = [one for one in show.versions(versions, now) if one.number == found.number]
    statute, language = found.statute, language_of(request)
    return draw(
        reader,
        request,
        "law.html",
        "/law",
        law=found,
        statute=statute,
        view=view,
        title=show.words(statute.title, language),
        terms=show.governing_words(statute, language),
        dates=show.dates(statute),
        outcomes=[
            (one.value, show.words(one.text, language))
            for one in (*statute.outcomes, statute.default)
        ],
        parts=show.law_parts(statute.sections, language=language),
        cases=show.cases(statute, language),
        numbers=[one.number for one in reader.book().laws if one.number != found.number],
        now=now,
    )


def compare(reader: Reader, request: web.Request) -> web.Response:
    """Two versions of the statute side by side, and for whom they differ."""
    old = _law(reader, request.query_params.get("from", ""))
    new = _law(reader, request.query_params.get("to", ""))
    language = language_of(request)
    return draw(
        reader,
        request,
        "compare.html",
        "/law",
        old=old,
        new=new,
        numbers=[one.number for one in reader.book().laws],
        changes=changes(old.statute, new.statute),
        differences=for_whom(old.statute, new.statute),
        moved=moved(old.statute, new.statute, language),
        pairs=side_by_side(old.statute, new.statute, language),
    )


def statute(reader: Reader, request: web.Request) -> web.Response:
    """The very bytes of one version: canonical JSON, whose SHA-256 is its name."""
    number = _law(reader, request.path_params["number"]).number
    [found] = [one.law for one in reader.book().view.state.statutes if one.number == number]
    return web.data(found, "application/json")


def trial(reader: Reader, request: web.Request) -> web.Response:
    """A form made of the facts that the law asks for."""
    found = _law(reader, request.path_params["number"])
    return _trial_page(reader, request, found, Answer(draft=Draft()))


async def tried(reader: Reader, request: web.Request) -> web.Response:
    """What the law makes of what was typed."""
    form = await web.read_form(request, bytes_max=FORM_BYTES_MAX)
    found = await web.in_thread(_law, reader, request.path_params["number"])
    answer = await web.in_thread(press, _trial(reader, request, found), form)
    return await web.in_thread(_trial_page, reader, request, found, answer)


def _trial(reader: Reader, request: web.Request, found: Law) -> Trial:
    """The version with what courts have struck from it, as of now."""
    begins = found.statute.version.in_force_from
    at = max(reader.registry.seconds(), begins)
    versions = [one.statute for one in reader.book().laws]
    statute = applied(versions, found.statute, at)
    return Trial(statute=statute, language=language_of(request), as_of=at)


def _trial_page(
    reader: Reader, request: web.Request, found: Law, answer: Answer
) -> web.Response:
    shown = values(_trial(reader, request, found), answer)
    root = tongues.root(language_of(request), plain=DEFAULT)
    return draw(
        reader,
        request,
        "try.html",
        f"{root}/law/{found.number}/try",
        status=answer.fault.http_status if answer.fault else 200,
        law=found,
        **shown,
    )


def effect_words(book: Book, listing: FeedEntry, name: str, language: str = DEFAULT) -> str:
    """What an effect of a listing does, as the law it was made under says it."""
    [law] = [one.statute for one in book.laws if one.number == listing.law_version]
    text = law.effect_text(name)
    if is_word(name) and language not in text:
        return word(name, language)
    return voice(law, language).effect(name)


def _law(reader: Reader, number: str) -> Law:
    wanted = parse_decimal(number, "version") if len(number) <= NUMBER_DIGITS_MAX else 0
    found = [one for one in reader.book().laws if one.number == wanted]
    if not found:
        raise web.missing(marked("the law has no such version"))
    return found[0]
