"""What all pages of the register share: the frame they are drawn in, and how they fail.

Every page is whole by itself: no script, no cookie, nothing from elsewhere. What stands on it
was written by strangers and is shown as text, never obeyed. An error is a page like all others.

In English a page lives at its plain address, where letters and other programs look for it; in
another language, at `/<language>` and the same. What a form sends keeps to the language.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from functools import partial

from safeconduct.errors import MalformedError, SafeconductError, UnavailableError
from safeconduct.parties.registry.book import Reader
from safeconduct.parties.registry.tongue import PACKAGE, is_word, speaks, titled, word
from safeconduct.plumbing import pages, tongues, web
from safeconduct.plumbing.languages import DEFAULT, marked
from safeconduct.plumbing.tongues import Speak, language_of
from safeconduct.protocol.canonical import parse_hex
from safeconduct.protocol.statute.instant import parse_instant

HASH_BYTES = 32
_LOAD_AGAIN = marked("Wait a minute and load this page again.")
_SEND_AGAIN = marked("Wait a minute and send it again: nothing was lost.")

Page = Callable[[Reader, web.Request], web.Response]
Posted = Callable[[Reader, web.Request], Awaitable[web.Response]]


def get(path: str, reader: Reader, page: Page) -> web.Route:
    """A route to a page whose errors look like all other pages."""

    def handler(request: web.Request) -> web.Response:
        try:
            language_of(request)
            return page(reader, request)
        except SafeconductError as error:
            return failed(reader, request, error)

    return web.Route("GET", path, handler, page=True)


def post(path: str, reader: Reader, page: Posted) -> web.Route:
    """A route that takes a form, and answers with a page either way."""

    async def handler(request: web.Request) -> web.Response:
        try:
            language_of(request)
            return await page(reader, request)
        except SafeconductError as error:
            return await web.in_thread(partial(failed, reader, request, error))

    return web.Route("POST", path, handler, page=True)


def in_languages(routes: Sequence[web.Route]) -> list[web.Route]:
    """The routes, and for each that leads to a page, one to it in other languages."""
    others = [replace(one, path="/{language}" + one.path) for one in routes if one.page]
    return [*routes, *others]


def failed(reader: Reader, request: web.Request, error: SafeconductError) -> web.Response:
    """The page that tells of an error, in the language of the address that led to it."""
    language = tongues.nearest(request)
    _ = speaks(language)
    message, hint, detail = sentence(error.message, _), sentence(error.hint, _), ""
    if isinstance(error, UnavailableError):  # its message is for whoever runs the register
        message, hint = _("The register cannot be read now."), _(_LOAD_AGAIN)
        if request.method == "POST":
            message, hint = _("The register cannot do this now."), _(_SEND_AGAIN)
    elif language != DEFAULT and message == sentence(error.message):
        detail, message, hint = f"{message} {hint}".strip(), _("This cannot be shown."), ""
    return _drawn(
        reader,
        language,
        "error.html",
        status=error.http_status,
        here="",
        others=[],
        message=message,
        hint=hint,
        detail=detail,
    )


def draw(
    reader: Reader,
    request: web.Request,
    template: str,
    here: str,
    *,
    status: int = 200,
    **values: object,
) -> web.Response:
    """A page of this site; `here` is the place among those in its head that it belongs to.

    Raises:
        RefusedError: it is asked for in a language that is none of ours (HTTP 404).
    """
    language, others = language_of(request), []
    if request.method == "GET" and status < 400:  # what was refused is not offered again
        others = tongues.others(language, tongues.plain_address(request), plain=DEFAULT)
    return _drawn(reader, language, template, status=status, here=here, others=others, **values)


def _drawn(
    reader: Reader, language: str, template: str, *, status: int, **values: object
) -> web.Response:
    _, named = speaks(language), {"programme": reader.registry.programme.name}
    content = pages.render(
        PACKAGE,
        template,
        language=language,
        site=_("%(programme)s register") % named,
        root=tongues.root(language, plain=DEFAULT),
        begin=begin,
        word=partial(word, language=language),
        titled=partial(titled, language=language),
        is_word=is_word,
        **values,
    )
    return web.html(content, status=status)


def begin(day: str) -> int:
    """POSIX seconds: the first of a day in UTC such as 2027-06-01."""
    return parse_instant(f"{day}T00:00:00Z", "day")


def hash_in(request: web.Request, name: str) -> bytes:
    """The 32 bytes in the address, in hex.

    Raises:
        RefusedError: there are none (HTTP 404).
    """
    try:
        return parse_hex(request.path_params[name], HASH_BYTES, name)
    except MalformedError as error:
        raise web.missing(
            marked("nothing at this address"), hint=marked("check it to the last letter")
        ) from error


def sentence(text: str, say: Speak = str) -> str:
    """The text as `say` tells it, with a capital first and a full stop; or nothing."""
    told = say(text) if text else ""
    return told[:1].upper() + told[1:] + "." if told else ""
