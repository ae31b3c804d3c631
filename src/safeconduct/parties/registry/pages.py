"""The register's pages: what anybody may look up, and the one page of each case.

Every page is whole by itself: no script, no cookie, nothing from elsewhere. What stands on it
was written by strangers and is shown as text, never obeyed.
"""

from collections.abc import Callable

from safeconduct.errors import MalformedError, SafeconductError, UnavailableError
from safeconduct.parties.registry import show
from safeconduct.parties.registry.book import Law, Reader
from safeconduct.parties.registry.compare import moved, side_by_side
from safeconduct.parties.registry.ruling import find_decision, read_ruling
from safeconduct.parties.registry.search import QUERY_CHARACTERS_MAX, Searcher
from safeconduct.plumbing import pages, web
from safeconduct.protocol.canonical import format_json, parse_decimal, parse_hex
from safeconduct.protocol.claim import GROUNDS
from safeconduct.protocol.statute.diff import diff

HASH_BYTES = 32
LINES_SHOWN = 100  # of the register, on one page
JSON_TYPE = "application/json"
LETTER_TYPES = {
    ".txt": "text/plain; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".pdf": "application/pdf",
}


def shown_errors(
    reader: Reader, page: Callable[[Reader, web.Request], web.Response]
) -> Callable[[web.Request], web.Response]:
    """A handler for `page` whose errors are pages that look like all others."""

    def handler(request: web.Request) -> web.Response:
        try:
            return page(reader, request)
        except SafeconductError as error:
            return _failed(reader, error)

    return handler


def register(reader: Reader, request: web.Request) -> web.Response:
    """Who is listed, with which standing, under which sections, since when; 100 on a page."""
    book = reader.book()
    counts = book.view.state.counts
    lines = book.lines()
    number = parse_decimal(request.query_params.get("page", "1"), "page")
    last = max(1, -(-len(lines) // LINES_SHOWN))
    if not 1 <= number <= last:
        raise web.missing("the register has no such page", hint=f"it has {last}")
    return _page(
        reader,
        "register.html",
        "/",
        lines=lines[(number - 1) * LINES_SHOWN : number * LINES_SHOWN],
        total=len(lines),
        number=number,
        last=last,
        longest=QUERY_CHARACTERS_MAX,
        names=book.names(),
        count=counts[-1] if counts else None,
        law=book.laws[-1] if book.laws else None,
        cosigned=book.view.cosigned,
        url=reader.registry.programme.register,
    )


def search(searcher: Searcher, reader: Reader, request: web.Request) -> web.Response:
    """Who has this number, or a name like this one."""
    query = request.query_params.get("q", "")
    found, refused = searcher.look_up(query) if query.strip() else ([], "")
    return _page(
        reader,
        "search.html",
        "/search",
        query=query[:QUERY_CHARACTERS_MAX],
        longest=QUERY_CHARACTERS_MAX,
        found=found,
        refused=_sentence(refused),
    )


def person(reader: Reader, request: web.Request) -> web.Response:
    """All that was ever published about one register number."""
    book = reader.book()
    entries = book.about(request.path_params["subject"])
    if not entries:
        raise web.missing("nobody has this number", hint="look it up in the register")
    return _page(
        reader,
        "person.html",
        "",
        entries=entries,
        subject=entries[0].subject,
        person=book.names().get(entries[0].subject, ""),
    )


def decision(reader: Reader, request: web.Request) -> web.Response:
    """A published decision with its proof, computed again just now."""
    book = reader.book()
    ruling = read_ruling(reader.registry, book, _hash(request, "sha256"))
    name = book.names().get(ruling.entry.subject, "")
    return _page(reader, "decision.html", "", ruling=ruling, entry=ruling.entry, person=name)


def laws(reader: Reader, _: web.Request) -> web.Response:
    """Every version of the statute, the newest first."""
    versions = [(law, show.words(law.statute.title)) for law in reversed(reader.book().laws)]
    return _page(reader, "laws.html", "/law", versions=versions)


def compare(reader: Reader, request: web.Request) -> web.Response:
    """Two versions of the statute side by side."""
    old = _law(reader, request.query_params.get("from", ""))
    new = _law(reader, request.query_params.get("to", ""))
    return _page(
        reader,
        "compare.html",
        "/law",
        old=old,
        new=new,
        numbers=[one.number for one in reader.book().laws],
        changes=[each.text for each in diff(old.statute, new.statute)],
        moved=moved(old.statute, new.statute),
        pairs=side_by_side(old.statute, new.statute),
    )


def statute(reader: Reader, request: web.Request) -> web.Response:
    """The very bytes of one version: canonical JSON, whose SHA-256 is its name."""
    number = _law(reader, request.path_params["number"]).number
    [law] = [one.law for one in reader.book().view.state.statutes if one.number == number]
    return web.data(law, JSON_TYPE)


def published(reader: Reader, request: web.Request) -> web.Response:
    """The object of a published decision, or the facts in it, for whoever computes it again."""
    entry = find_decision(reader.book(), _hash(request, "sha256"))
    if request.path_params["part"] == "facts":
        return web.data(format_json(entry.value["facts"]), JSON_TYPE)
    if request.path_params["part"] != "object":
        raise web.missing("nothing at this address")
    return web.data(entry.data, JSON_TYPE)


def _law(reader: Reader, number: str) -> Law:
    wanted = parse_decimal(number, "version")
    found = [one for one in reader.book().laws if one.number == wanted]
    if not found:
        raise web.missing("the law has no such version")
    return found[0]


def law(reader: Reader, request: web.Request) -> web.Response:
    """One version of the statute, section by section."""
    found = _law(reader, request.path_params["number"])
    statute = found.statute
    return _page(
        reader,
        "law.html",
        "/law",
        law=found,
        statute=statute,
        title=show.words(statute.title),
        dates=show.dates(statute),
        outcomes=[
            (one.value, show.words(one.text)) for one in (*statute.outcomes, statute.default)
        ],
        parts=show.law_parts(statute.sections),
        now=reader.registry.seconds(),
    )


def case(reader: Reader, request: web.Request) -> web.Response:
    """The claimant's own page; its address is the only key to it."""
    page = _hash(request, "page")
    view = show.read_case(reader.registry, reader.book(), page)
    return _page(reader, "case.html", "", case=view, grounds=sorted(GROUNDS))


def letter(reader: Reader, request: web.Request) -> web.Response:
    """The letter as it was served, as text or to print."""
    suffix = f".{request.path_params['suffix']}"
    if suffix not in LETTER_TYPES:
        raise web.missing("nothing at this address")
    content = show.read_letter(reader.registry, _hash(request, "page"), suffix)
    if content is None:
        raise web.missing("no letter was served in this case yet", hint="look again later")
    return web.data(content, LETTER_TYPES[suffix])


def signed(reader: Reader, request: web.Request) -> web.Response:
    """The signed decision, for the claimant whose appeal must name it."""
    content = show.read_decision(reader.registry, _hash(request, "page"))
    if content is None:
        raise web.missing("no decision was served in this case yet", hint="look again later")
    return web.data(content, "text/plain; charset=utf-8")


def _hash(request: web.Request, name: str) -> bytes:
    try:
        return parse_hex(request.path_params[name], HASH_BYTES, name)
    except MalformedError as error:
        raise web.missing(
            "nothing at this address", hint="check it to the last letter"
        ) from error


def _failed(reader: Reader, error: SafeconductError) -> web.Response:
    later = isinstance(error, UnavailableError)  # its message is for whoever runs the register
    message = "The register cannot be read now." if later else _sentence(error.message)
    hint = "Wait a minute and load this page again." if later else _sentence(error.hint)
    return _page(reader, "error.html", "", status=error.http_status, message=message, hint=hint)


def _page(
    reader: Reader, template: str, here: str, *, status: int = 200, **values: object
) -> web.Response:
    assert __package__ is not None
    site = f"{reader.registry.programme.name} register"
    content = pages.render(__package__, template, language="en", site=site, here=here, **values)
    return web.html(content, status=status)


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + "." if text else ""
