"""HTTP in: the one door to Starlette. What serves the sites made here is `serving`.

A party's site is a table of routes. A handler takes a `Request` and returns a `Response`; it
may be a coroutine, or a plain function, which then runs in a thread. It fails by raising one of
the error families: the visitor gets the family's status and

    error: <message> LF
    hint: <hint> LF            only if there is one

as text, or as a small page where the route is marked as one. Nothing else about a fault leaves
the process, and no request is written anywhere: there is no access log, and a traceback on
standard error names code, never values.
"""

import html as html_escaping
import inspect
import ipaddress
import sys
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import TypeAlias

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import RedirectResponse, Response, StreamingResponse
from starlette.routing import Route as StarletteRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from safeconduct.errors import MalformedError, RefusedError, SafeconductError
from safeconduct.plumbing.circuit_line import CIRCUIT_PREFIX
from safeconduct.plumbing.forms import Form, parse_form
from safeconduct.plumbing.serving import Site, running, serve, serve_all

__all__ = [
    "App",
    "Handler",
    "Request",
    "Response",
    "Route",
    "Site",
    "data",
    "flow_of",
    "html",
    "in_thread",
    "is_from_elsewhere",
    "make_app",
    "missing",
    "read_body",
    "read_form",
    "redirect",
    "running",
    "serve",
    "serve_all",
    "streaming",
    "text",
]

App: TypeAlias = ASGIApp
in_thread = run_in_threadpool
"""`await in_thread(function, *arguments)`: blocking work, out of the way of other visitors."""
Handler: TypeAlias = Callable[[Request], Response | Awaitable[Response]]
Lifespan: TypeAlias = Callable[[], AbstractAsyncContextManager[None]]

ERROR_FAMILY_HEADER = "x-error-family"
_IPV6_NETWORK_BITS = 64

_HEADERS = {
    "content-security-policy": "default-src 'none'; style-src 'self'; img-src 'self' data:; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "cache-control": "no-store",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), interest-cohort=()",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}

_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<main><h1>{title}</h1><p>{hint}</p><p><a href="/">Back to the first page</a></p></main></html>
"""


@dataclass(frozen=True, slots=True)
class Route:
    """One line of a site's table: `Route("POST", "/add/{name}", add)`.

    `path` is Starlette's (`{name}`, `{rest:path}`); errors of a `page` are shown as HTML.
    """

    method: str
    path: str
    handler: Handler
    page: bool = False


def make_app(
    routes: Sequence[Route],
    *,
    lifespan: Lifespan | None = None,
    hosts: Sequence[str] | None = None,
    pages: bool = False,
    lost: Callable[[Request, SafeconductError], Response] | None = None,
) -> App:
    """An application that serves `routes`, with the headers and error answers of this module.

    `lifespan` surrounds the serving. `hosts`, if given, are the only names (without port) a
    visitor may have used: it keeps foreign pages from reaching a server on the loopback
    interface by another name. One that begins with a dot stands for all names below it.
    `pages` shows unknown addresses as HTML too; `lost`, if given, draws that page.
    """

    async def unknown(request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 500
        found = _of_status(status)
        return _failure(found, page=pages) if lost is None else lost(request, found)

    app = Starlette(
        routes=[_starlette_route(route) for route in routes],
        lifespan=None if lifespan is None else lambda _: lifespan(),
        exception_handlers={HTTPException: unknown},
    )
    app.router.redirect_slashes = False
    return _guarded(app, hosts)


async def read_body(request: Request, *, bytes_max: int) -> bytes:
    """The whole body, of at most `bytes_max` bytes; reading stops at the first byte beyond.

    Raises:
        MalformedError: longer (HTTP 413).
    """
    announced = request.headers.get("content-length", "0")
    body = bytearray()
    if announced.isdecimal() and int(announced) > bytes_max:
        raise _too_long(bytes_max)
    async for piece in request.stream():
        body += piece
        if len(body) > bytes_max:
            raise _too_long(bytes_max)
    return bytes(body)


async def read_form(request: Request, *, bytes_max: int) -> Form:
    """The posted form, urlencoded or multipart, held in memory only.

    Raises:
        MalformedError: no form, not well-formed, or longer than `bytes_max` bytes in all.
    """
    body = await read_body(request, bytes_max=bytes_max)
    return parse_form(request.headers.get("content-type", ""), body)


def text(
    content: str,
    *,
    status: int = 200,
    content_type: str = "text/plain; charset=utf-8",
    headers: Mapping[str, str] | None = None,
) -> Response:
    """A plain-text answer."""
    return data(content.encode(), content_type, status=status, headers=headers)


def html(
    content: str, *, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """An HTML answer."""
    return data(content.encode(), "text/html; charset=utf-8", status=status, headers=headers)


def data(
    content: bytes,
    content_type: str = "application/octet-stream",
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """An answer of raw bytes."""
    return Response(content, status, {**(headers or {}), "content-type": content_type})


def streaming(
    pieces: Iterator[bytes] | AsyncIterator[bytes],
    content_type: str = "application/octet-stream",
    *,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """An answer sent piece by piece; plain iterators are run in a thread."""
    return StreamingResponse(pieces, 200, {**(headers or {}), "content-type": content_type})


def redirect(path: str) -> Response:
    """Send the browser on to another page of this site with a GET."""
    return RedirectResponse(path, status_code=303)


def missing(what: str, *, hint: str = "") -> RefusedError:
    """The error to raise when there is nothing at an address (HTTP 404)."""
    error = RefusedError(what, hint=hint)
    error.http_status = 404
    return error


def flow_of(request: Request) -> str:
    """Whose turn this request is on: all that share an answer share a place in the queue.

    A circuit, the peer's address, or its /64 network if that is IPv6. It is for deciding who
    comes next, in memory, and must never be stored or printed.
    """
    peer = request.client.host if request.client is not None else ""
    if peer.startswith(CIRCUIT_PREFIX):
        return peer
    try:
        address = ipaddress.ip_address(peer)
    except ValueError:
        return peer
    if address.version == 4:
        return peer
    return str(ipaddress.ip_network((address, _IPV6_NETWORK_BITS), strict=False))


def is_from_elsewhere(request: Request) -> bool:
    """Whether a browser says that a page of another site, or of none, made this request.

    A browser that says nothing is believed to be on a page of ours. `Origin` alone would not
    do: pages that send no referrer, ours among them, have the origin `null`.

    Spec: Fetch Metadata Request Headers; RFC 6454 §7.
    """
    site = request.headers.get("sec-fetch-site", "")
    origin = request.headers.get("origin", "null")
    host = request.headers.get("host", "")
    foreign = origin != "null" and origin.rpartition("://")[2].lower() != host.lower()
    return site in _ELSEWHERE or (foreign and site != "same-origin")


_ELSEWHERE = frozenset({"cross-site", "same-site"})


def _starlette_route(route: Route) -> StarletteRoute:
    async def endpoint(request: Request) -> Response:
        try:
            return await _answer(route.handler, request)
        except SafeconductError as error:
            return _failure(error, page=route.page)
        except ClientDisconnect:
            return Response(status_code=400)
        except Exception as error:
            _report(error)
            return _failure(SafeconductError("internal fault"), page=route.page)

    return StarletteRoute(route.path, endpoint, methods=[route.method])


async def _answer(handler: Handler, request: Request) -> Response:
    if inspect.iscoroutinefunction(handler):
        answer: Response = await handler(request)
        return answer
    given = await run_in_threadpool(handler, request)
    return await given if inspect.isawaitable(given) else given


def _failure(error: SafeconductError, *, page: bool) -> Response:
    family = type(error).__name__.removesuffix("Error").lower()
    headers = {ERROR_FAMILY_HEADER: family}
    message = error.told or error.message
    hint = "try again later" if error.told else error.hint
    if page:
        title, hint = (html_escaping.escape(part) for part in (message, hint))
        shown = _PAGE.format(title=title, hint=hint)
        return html(shown, status=error.http_status, headers=headers)
    lines = [f"error: {_one_line(message)}\n"]
    if hint:
        lines.append(f"hint: {_one_line(hint)}\n")
    return text("".join(lines), status=error.http_status, headers=headers)


def _of_status(status: int) -> SafeconductError:
    """The error for what the router itself refuses."""
    messages = {404: "nothing at this address", 405: "this address takes another method"}
    error = RefusedError(messages.get(status, "request refused"))
    error.http_status = status
    return error


def _too_long(bytes_max: int) -> MalformedError:
    error = MalformedError(f"the request is longer than {bytes_max} bytes")
    error.http_status = 413
    return error


def _one_line(message: str) -> str:
    return " ".join(message.splitlines())


def _report(error: Exception) -> None:
    """Where it happened and the error's type; its message might quote the request."""
    places = "".join(traceback.format_tb(error.__traceback__))
    sys.stderr.write(f"internal fault: {type(error).__name__}\n{places}")
    sys.stderr.flush()


def _guarded(app: App, hosts: Sequence[str] | None) -> App:
    """`app` behind the Host check, with the security headers on every answer."""

    async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                present = {name.lower() for name, _ in message["headers"]}
                message["headers"] = [
                    *message["headers"],
                    *(pair for pair in _RAW_HEADERS if pair[0] not in present),
                ]
            await send(message)

        allowed = hosts is None or _is_called(_host(scope), hosts)
        answer = app if allowed else _failure(_WRONG_HOST, page=False)
        await answer(scope, receive, send_with_headers)

    return guarded


def _is_called(host: str, hosts: Sequence[str]) -> bool:
    """Whether `host` is one of the names, or below one that begins with a dot."""
    return any(host == name or (name[:1] == "." and host.endswith(name)) for name in hosts)


_RAW_HEADERS = [(name.encode(), value.encode()) for name, value in _HEADERS.items()]
_WRONG_HOST = RefusedError("this server is not called by that name")


def _host(scope: Scope) -> str:
    """The Host header without its port, or nothing."""
    named = [value for name, value in scope["headers"] if name == b"host"]
    host = named[0].decode("latin-1").lower() if len(named) == 1 else ""
    return host.rsplit(":", 1)[0] if not host.endswith("]") else host
