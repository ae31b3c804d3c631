"""The register's HTTP interface: pages for everybody, endpoints for claimants.

A public page shows what the Gazette has published, and nothing of a case before it is final. A
case has one page, at 32 bytes that only claimant and registry can make; the hash of its claim,
which stands in the Ledger, leads nowhere.

Spec: docs/3-protocol.md §15.5.
"""

from collections.abc import Awaitable, Callable
from functools import partial

from safeconduct.parties.registry import (
    board_site,
    feeds_site,
    frame,
    hearing_site,
    law_pages,
    pages,
    unsealing,
)
from safeconduct.parties.registry.book import Reader
from safeconduct.parties.registry.decide import appeal
from safeconduct.parties.registry.receive import Registry, challenge, receive
from safeconduct.parties.registry.search import Searcher
from safeconduct.plumbing import web
from safeconduct.plumbing.pages import style
from safeconduct.protocol.canonical import format_json, parse_hex
from safeconduct.protocol.claim import BUNDLE_BYTES_MAX
from safeconduct.protocol.record import RECORD_BYTES_MAX

HASH_BYTES = 32

_Taker = Callable[[Registry, web.Request], Awaitable[web.Response]]


def make_site(registry: Registry, searcher: Searcher | None = None) -> web.App:
    """The application of one register; `searcher` is one that was made ready before."""
    searcher = searcher or Searcher(Reader(registry))
    reader = searcher.reader
    parts = (
        partial(_page_routes, searcher),
        law_pages.routes,
        unsealing.routes,
        _claim_routes,
        board_site.routes,
        hearing_site.routes,
        feeds_site.routes,
    )
    routes = [route for part in parts for route in part(reader)]
    return web.make_app(frame.in_languages(routes), lost=partial(frame.failed, reader))


def _page_routes(searcher: Searcher, reader: Reader) -> list[web.Route]:
    shown: dict[str, frame.Page] = {
        "/": pages.register,
        "/search": partial(pages.search, searcher),
        "/person/{subject}": pages.person,
        "/decision/{sha256}": pages.decision,
        "/feeds": pages.feeds,
        "/case/{page}": pages.case,
    }
    return [
        *(frame.get(path, reader, page) for path, page in shown.items()),
        web.Route("GET", "/style.css", lambda _: web.data(style(), "text/css; charset=utf-8")),
        web.Route("GET", "/health", lambda _: web.text("ok")),
    ]


def _claim_routes(reader: Reader) -> list[web.Route]:
    takers: dict[str, _Taker] = {
        "/challenge": _challenge,
        "/claims": _file,
        "/appeals/{claim}": _appeal,
    }
    registry = reader.registry
    return [
        *(web.Route("POST", path, partial(taker, registry)) for path, taker in takers.items()),
        web.Route("GET", "/statute", partial(_statute, reader)),
        web.Route("GET", "/decision/{sha256}/{part}.json", partial(pages.published, reader)),
        web.Route("GET", "/case/{page}/letter.{suffix}", partial(pages.letter, reader)),
        web.Route("GET", "/case/{page}/{kind}-letter.{suffix}", partial(pages.letter, reader)),
        web.Route("GET", "/case/{page}/decision.record", partial(pages.signed, reader)),
    ]


async def _challenge(registry: Registry, request: web.Request) -> web.Response:
    await web.read_body(request, bytes_max=0)
    fresh = await web.in_thread(challenge, registry)
    return _json({"audience": registry.key.name, "challenge": fresh.hex()})


async def _file(registry: Registry, request: web.Request) -> web.Response:
    bundle = await web.read_body(request, bytes_max=BUNDLE_BYTES_MAX)
    filed = await web.in_thread(receive, registry, bundle)
    return _json({"case": filed.number, "claim": filed.claim.hex(), "page": filed.page.hex()})


async def _appeal(registry: Registry, request: web.Request) -> web.Response:
    claim = _claim(request)
    signed = await web.read_body(request, bytes_max=RECORD_BYTES_MAX)
    await web.in_thread(appeal, registry, claim, signed)
    return web.text("ok")


def _statute(reader: Reader, _: web.Request) -> web.Response:
    versions = reader.book().view.state.statutes
    if not versions:
        raise web.missing("no statute has been published yet")
    return web.text(versions[-1].sha256.hex())


def _claim(request: web.Request) -> bytes:
    return parse_hex(request.path_params["claim"], HASH_BYTES, "claim hash")


def _json(value: dict[str, str | int]) -> web.Response:
    return web.data(format_json(dict(value)), "application/json")
