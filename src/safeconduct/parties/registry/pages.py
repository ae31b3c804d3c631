"""The register's pages: what anybody may look up, and the one page of each case.

The pages of the law are in `law_pages`; what all of them share is in `frame`.
"""

from collections.abc import Sequence
from functools import partial

from safeconduct.parties.registry import show
from safeconduct.parties.registry.book import Reader
from safeconduct.parties.registry.frame import draw, hash_in, sentence
from safeconduct.parties.registry.history import history
from safeconduct.parties.registry.law_pages import effect_words
from safeconduct.parties.registry.letter_files import LETTER_TYPES, answer
from safeconduct.parties.registry.ruling import find_decision, read_ruling
from safeconduct.parties.registry.search import QUERY_CHARACTERS_MAX, Answer, Searcher
from safeconduct.parties.registry.standing import Standing, standing_of, standings
from safeconduct.parties.registry.tongue import speaks
from safeconduct.parties.registry.unsealing import seal_of, seal_of_case, seals_about
from safeconduct.parties.registry.voted import tallies_about
from safeconduct.plumbing import web
from safeconduct.plumbing.languages import marked
from safeconduct.plumbing.tongues import language_of
from safeconduct.protocol.canonical import format_json, parse_decimal
from safeconduct.protocol.claim import GROUNDS

LINES_SHOWN = 100  # of the register, on one page
PAGE_DIGITS_MAX = 9
JSON_TYPE = "application/json"


def register(reader: Reader, request: web.Request) -> web.Response:
    """Who is listed, with which standing, under which sections, since when; 100 on a page."""
    book = reader.book()
    counts = book.view.state.counts
    number, last, subjects = _turned(book.subjects(), request.query_params.get("page", "1"))
    stands = standings(reader.registry, book, subjects)
    return draw(
        reader,
        request,
        "register.html",
        "/",
        lines=list(stands.values()),
        total=len(book.subjects()),
        number=number,
        last=last,
        longest=QUERY_CHARACTERS_MAX,
        count=counts[-1] if counts else None,
        law=book.laws[-1] if book.laws else None,
        cosigned=book.view.cosigned,
    )


def _turned(subjects: Sequence[str], page: str) -> tuple[int, int, Sequence[str]]:
    """The number of a page, of the last one, and who stands on it."""
    last = max(1, -(-len(subjects) // LINES_SHOWN))
    number = parse_decimal(page, "page") if len(page) <= PAGE_DIGITS_MAX else 0
    if not 1 <= number <= last:
        raise web.missing("the register has no such page", hint=f"it has {last}")
    return number, last, subjects[(number - 1) * LINES_SHOWN : number * LINES_SHOWN]


def search(searcher: Searcher, reader: Reader, request: web.Request) -> web.Response:
    """Who has this number, or a name like this one."""
    query = request.query_params.get("q", "")
    looked = searcher.look_up(query) if query.strip() else Answer()
    shown = "".join(each for each in query[:QUERY_CHARACTERS_MAX] if each.isprintable())
    return draw(
        reader,
        request,
        "search.html",
        "/search",
        status=400 if looked.refused else 200,
        query=shown,
        longest=QUERY_CHARACTERS_MAX,
        found=looked.found,
        missing=looked.missing,
        refused=sentence(looked.refused, speaks(language_of(request))),
    )


def person(reader: Reader, request: web.Request) -> web.Response:
    """All that may be told about one register number."""
    book, registry = reader.book(), reader.registry
    stands = standing_of(registry, book, request.path_params["subject"])
    if stands is None:
        raise web.missing(
            marked("nobody has this number"), hint=marked("look it up in the register")
        )
    return draw(
        reader,
        request,
        "person.html",
        "/",
        stands=stands,
        effect=partial(effect_words, book, language=language_of(request)),
        marks=history(registry, book, stands, language_of(request)),
        seals=seals_about(book, stands.subject, language_of(request)),
        shown=[each for each in reversed(stands.listings) if each.assessment],
        voted=tallies_about(book, stands.subject),
        fields=("ground", "role", "conduct", "harm", "time_since", "weight"),
    )


def decision(reader: Reader, request: web.Request) -> web.Response:
    """A published decision with its proof, computed again just now."""
    book = reader.book()
    sha256, language = hash_in(request, "sha256"), language_of(request)
    ruling = read_ruling(reader.registry, book, sha256, language)
    stands: Standing | None = standing_of(reader.registry, book, ruling.entry.subject)
    name = stands.name if stands else ""
    return draw(
        reader,
        request,
        "decision.html",
        "/",
        ruling=ruling,
        entry=ruling.entry,
        person=name,
        seal=seal_of(book, ruling.entry, language),
    )


def published(reader: Reader, request: web.Request) -> web.Response:
    """The object of a published decision, or the facts in it, for whoever computes it again."""
    entry = find_decision(reader.book(), hash_in(request, "sha256"))
    if request.path_params["part"] == "facts":
        return web.data(format_json(entry.value["facts"]), JSON_TYPE)
    if request.path_params["part"] != "object":
        raise web.missing("nothing at this address")
    return web.data(entry.data, JSON_TYPE)


def feeds(reader: Reader, request: web.Request) -> web.Response:
    """What programs can read of the register, and what each form holds."""
    tree = reader.book().view.cosigned.checkpoint.tree
    return draw(reader, request, "feeds.html", "/feeds", size=tree.size)


# A case, for the claimant alone.


def case(reader: Reader, request: web.Request) -> web.Response:
    """The claimant's own page; its address is the only key to it."""
    page = hash_in(request, "page")
    view = show.read_case(reader.registry, reader.book(), page, language_of(request))
    seal = seal_of_case(reader, page, language_of(request))
    return draw(reader, request, "case.html", "", case=view, grounds=sorted(GROUNDS), seal=seal)


def letter(reader: Reader, request: web.Request) -> web.Response:
    """A letter as it was served, as text, to print or as PDF; to print, if there is no PDF."""
    suffix, kind = f".{request.path_params['suffix']}", request.path_params.get("kind", "")
    if suffix not in LETTER_TYPES or kind not in show.LETTERS:
        raise web.missing("nothing at this address")
    page = hash_in(request, "page")
    content = show.read_letter(reader.registry, page, suffix, kind)
    if content is None and suffix == ".pdf":
        suffix, content = ".html", show.read_letter(reader.registry, page, ".html", kind)
    if content is None:
        raise web.missing("no letter was served in this case yet", hint="look again later")
    return answer(content, suffix)


def signed(reader: Reader, request: web.Request) -> web.Response:
    """The signed decision, for the claimant whose appeal must name it."""
    content = show.read_decision(reader.registry, hash_in(request, "page"))
    if content is None:
        raise web.missing("no decision was served in this case yet", hint="look again later")
    return web.data(content, "text/plain; charset=utf-8")
