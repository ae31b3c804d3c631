"""The pages that a link leads to: what this is, what it risks, what it proves, and the ways in.

Every page is whole by itself: no script, no cookie, no session, nothing from elsewhere, and
with its style under 30 kB, so that it works in Tor Browser at its safest and on a slow line.
Each can be had in every language of the site; the law is shown in the reader's language if it
was published in it, and else marked as what it is.
"""

from typing import Any

from safeconduct.parties.intake import client as clients
from safeconduct.parties.intake import show
from safeconduct.parties.intake.accept import Intake
from safeconduct.parties.intake.frame import Handler, elsewhere, page, routes_of
from safeconduct.plumbing import web
from safeconduct.plumbing.languages import NAMES, direction
from safeconduct.plumbing.pages import style
from safeconduct.protocol.canonical import parse_decimal
from safeconduct.protocol.statute.text import Statute

BARE = ("/", "/law", "/tell", "/mail")
"""Addresses without a language: people know them by heart, and links elsewhere name them."""


def routes(intake: Intake) -> list[web.Route]:
    """The pages that need nothing but a link, the style sheet, and the addresses by heart."""
    shown: dict[str, Handler] = {
        "/": start,
        "/protection": protection,
        "/law": law,
        "/proof": proof,
        "/ways": ways,
        "/client": client,
    }
    return [
        *(web.Route("GET", path, elsewhere(path), page=True) for path in BARE),
        web.Route("GET", "/style.css", lambda _: web.data(style(), "text/css; charset=utf-8")),
        *routes_of(intake, "GET", shown),
    ]


def start(intake: Intake, _: web.Request, language: str) -> web.Response:
    """What this is, what the law grants and until when, and where to go from here."""
    offer = show.read_offer(intake)
    told = show.passages(intake, language)
    if offer is None:
        return page(intake, language, "start.html", "/", switch=True, offer=None, told=told)
    known = show.law_language(offer.statute, language)
    return page(
        intake,
        language,
        "start.html",
        "/",
        switch=True,
        offer=offer,
        told=told,
        grants=[(number, show.in_language(text, known)) for number, text in offer.grants],
        otherwise=show.in_language(offer.otherwise, known),
        **_tongue(offer.statute, language),
    )


def protection(intake: Intake, _: web.Request, language: str) -> web.Response:
    """All that protects a visitor and all that does not, before anything is typed."""
    return page(intake, language, "protection.html", "/protection", switch=True)


def law(intake: Intake, request: web.Request, language: str) -> web.Response:
    """The statute's text, section by section, a few thousand characters to a page."""
    offer = _offer(intake)
    statute = offer.statute
    known = show.law_language(statute, language)
    sheets = show.law_pages(statute, known)
    number = parse_decimal(request.query_params.get("page", "1"), "page")
    if not 1 <= number <= len(sheets):
        raise web.missing(f"the law has {len(sheets)} pages")
    return page(
        intake,
        language,
        "law.html",
        "/law",
        switch=True,
        statute=statute,
        index=offer.version.index,
        title=show.in_language(statute.title, known),
        dates=show.deadlines(statute, intake.seconds()),
        outcomes=[
            (each.value, show.in_language(each.text, known))
            for each in (*statute.outcomes, statute.default)
        ],
        page=number,
        pages=len(sheets),
        parts=[
            (part.number, show.in_language(part.text, known), min(part.depth, 2))
            for part in sheets[number - 1]
        ],
        **_tongue(statute, language),
    )


def proof(intake: Intake, _: web.Request, language: str) -> web.Response:
    """The values of the Gazette that this site relies on, and how anybody checks them."""
    offer = _offer(intake)
    return page(
        intake,
        language,
        "proof.html",
        "/proof",
        switch=True,
        offer=offer,
        cosigned=offer.view.cosigned,
        checkpoint=offer.view.checkpoint.decode("utf-8"),
    )


def ways(intake: Intake, _: web.Request, language: str) -> web.Response:
    """The three ways in, and what this server gets to read in each."""
    told = show.passages(intake, language)
    return page(intake, language, "ways.html", "/ways", switch=True, told=told)


def client(intake: Intake, _: web.Request, language: str) -> web.Response:
    """The program to download, its hash, and how to check and use it."""
    offered = clients.offered(intake)
    return page(
        intake,
        language,
        "client.html",
        "/client",
        switch=True,
        offered=offered,
        program=_file_name(offered[0]) if offered else "safeconduct.pyz",
    )


def _offer(intake: Intake) -> show.Offer:
    offer = show.read_offer(intake)
    if offer is None:
        raise web.missing("no law has been published yet", hint="come back later")
    return offer


def _tongue(statute: Statute, language: str) -> dict[str, Any]:
    known = show.law_language(statute, language)
    written = direction(known) if known in NAMES else "auto"  # a law may be in any language
    return {"law_language": known, "law_direction": written}


def _file_name(file: clients.Offered) -> str:
    """What the download is called, for the commands to type."""
    return f"safeconduct-source-{file.version}-{file.platform}.pyz"
