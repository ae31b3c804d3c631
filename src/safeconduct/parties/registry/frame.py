"""What all pages of the register share: the frame they are drawn in, and how they fail.

Every page is whole by itself: no script, no cookie, nothing from elsewhere. What stands on it
was written by strangers and is shown as text, never obeyed. An error is a page like all others.
"""

from collections.abc import Awaitable, Callable
from functools import partial

from safeconduct.errors import MalformedError, SafeconductError, UnavailableError
from safeconduct.parties.registry.book import Reader
from safeconduct.plumbing import pages, web
from safeconduct.protocol.canonical import parse_hex
from safeconduct.protocol.statute.instant import parse_instant

HASH_BYTES = 32
LANGUAGE = "en"

Page = Callable[[Reader, web.Request], web.Response]
Posted = Callable[[Reader, web.Request], Awaitable[web.Response]]


def get(path: str, reader: Reader, page: Page) -> web.Route:
    """A route to a page whose errors look like all other pages."""

    def handler(request: web.Request) -> web.Response:
        try:
            return page(reader, request)
        except SafeconductError as error:
            return failed(reader, error)

    return web.Route("GET", path, handler, page=True)


def post(path: str, reader: Reader, page: Posted) -> web.Route:
    """A route that takes a form, and answers with a page either way."""

    async def handler(request: web.Request) -> web.Response:
        try:
            return await page(reader, request)
        except SafeconductError as error:
            return await web.in_thread(partial(failed, reader, error))

    return web.Route("POST", path, handler, page=True)


def failed(reader: Reader, error: SafeconductError) -> web.Response:
    """The page that tells of an error."""
    later = isinstance(error, UnavailableError)  # its message is for whoever runs the register
    message = "The register cannot be read now." if later else sentence(error.message)
    hint = "Wait a minute and load this page again." if later else sentence(error.hint)
    return draw(reader, "error.html", "", status=error.http_status, message=message, hint=hint)


def draw(
    reader: Reader, template: str, here: str, *, status: int = 200, **values: object
) -> web.Response:
    """A page of this site; `here` is the place among those in its head that it belongs to."""
    assert __package__ is not None
    site = f"{reader.registry.programme.name} register"
    content = pages.render(
        __package__, template, language=LANGUAGE, site=site, here=here, begin=begin, **values
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
            "nothing at this address", hint="check it to the last letter"
        ) from error


def sentence(text: str) -> str:
    """The text with a capital at its beginning and a full stop, or nothing."""
    return text[:1].upper() + text[1:] + "." if text else ""
