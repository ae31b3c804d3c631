"""The language of a page: its path says it, and nothing about a visitor is remembered.

    /de/person/r-0001      a page in German
    /person/r-0001         the same in English, where a site gives English the plain addresses

A page that was reached by a link can be had in every other language by a link; the template
`tongues.html` of this package draws them. What was sent as a form cannot be asked for again.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias
from urllib.parse import quote

from safeconduct.plumbing import web
from safeconduct.plumbing.languages import DEFAULT, NAMES, catalogue

Speak: TypeAlias = Callable[[str], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tongue:
    """A language that a page can be had in too: its code, its name, and where the page is."""

    code: str
    name: str
    address: str


def speaks(package: str, language: str) -> Speak:
    """`_("…")` for sentences that stand in the code of `package`."""
    return catalogue(package, language).gettext


def language_of(request: web.Request) -> str:
    """The language in the page's path; English where its address has none.

    Raises:
        RefusedError: none of ours (HTTP 404).
    """
    language: str = request.path_params.get("language", DEFAULT)
    if language not in NAMES:
        raise web.missing("nothing at this address")
    return language


def nearest(request: web.Request) -> str:
    """The language that any address begins with, one that leads nowhere too; else English."""
    path: str = request.scope["path"]
    first = path.removeprefix("/").partition("/")[0]
    return first if first in NAMES else DEFAULT


def plain_address(request: web.Request) -> str:
    """The address of a page without its language: path and query.

    Requires that a route has led to it, so that it is one of the site's own.
    """
    path: str = request.scope["path"]
    language = request.path_params.get("language", "")
    own = path.removeprefix(f"/{language}") if language else path
    # Not `request.url`, whose parts also depend on what the visitor calls this host.
    query = request.scope["query_string"].decode("latin-1")
    return quote(own) + (f"?{query}" if query else "")


def others(language: str, address: str, *, plain: str = "") -> list[Tongue]:
    """The page at `address` in the other languages; `plain` is the one without a prefix."""
    return [
        Tongue(code=code, name=name, address=root(code, plain=plain) + address)
        for code, name in NAMES.items()
        if code != language
    ]


def root(language: str, *, plain: str = "") -> str:
    """What every address in this language begins with; nothing for the language `plain`."""
    return "" if language == plain else f"/{language}"
