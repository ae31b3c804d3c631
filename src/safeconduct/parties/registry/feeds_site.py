"""The feeds' addresses: /feeds/register.json, .ftm.jsonl, .csv, and /feeds/delta.json?since=N.

Anybody may read them from anywhere; each answer says what it was made from. Whoever asks again
and says what they have (`If-None-Match`, or `If-Modified-Since`) gets 304 and no bytes, as long
as nothing has changed.

Spec: docs/3-protocol.md §16.2; RFC 9110 §13.
"""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial

from safeconduct.parties.registry.book import Book, Reader
from safeconduct.parties.registry.feed_files import FeedFiles, Made
from safeconduct.parties.registry.feeds import (
    Feed,
    csv_pieces,
    format_delta,
    ftm_pieces,
    json_pieces,
    read_feed,
)
from safeconduct.plumbing import web
from safeconduct.protocol.canonical import parse_decimal

_JSON = "application/json"
_HTTP_DATE = "%a, %d %b %Y %H:%M:%S GMT"
_FORMS: dict[str, tuple[Callable[[Feed], Iterator[bytes]], str]] = {
    "register.json": (json_pieces, _JSON),
    "register.ftm.jsonl": (ftm_pieces, "application/x-ndjson; charset=utf-8"),
    "register.csv": (csv_pieces, "text/csv; charset=utf-8; header=present"),
}


def routes(reader: Reader) -> list[web.Route]:
    """One route for each feed."""
    whole = partial(_whole, reader, FeedFiles(reader))
    deltas = FeedFiles(reader)  # of its own: who asks for many puts out no whole feed
    return [
        *(web.Route("GET", f"/feeds/{name}", partial(whole, name)) for name in _FORMS),
        web.Route("GET", "/feeds/delta.json", partial(_delta, reader, deltas)),
    ]


def _whole(reader: Reader, files: FeedFiles, name: str, request: web.Request) -> web.Response:
    form, media_type = _FORMS[name]
    made = files.made(name, lambda book: form(read_feed(reader.registry, book)))
    return _answer(request, made, media_type)


def _delta(reader: Reader, files: FeedFiles, request: web.Request) -> web.Response:
    since = parse_decimal(request.query_params.get("since", ""), "since")
    held_at = parse_decimal(request.query_params.get("at", "0"), "at")

    def pieces(book: Book) -> Iterator[bytes]:
        yield format_delta(reader.registry, book, since, held_at)

    made = files.made(f"delta since {since} at {held_at}", pieces)
    return _answer(request, made, _JSON)


def _answer(request: web.Request, made: Made, media_type: str) -> web.Response:
    headers = {
        "cache-control": "public, no-cache",  # may be kept, but must be asked about
        "etag": made.etag,
        "last-modified": _instant(made).strftime(_HTTP_DATE),
    }
    if _has(request, made):
        return web.data(b"", media_type, status=304, headers=headers)
    headers["content-length"] = str(made.content.length_bytes)
    return web.streaming(made.content.read(), media_type, headers=headers)


def _has(request: web.Request, made: Made) -> bool:
    """Whether who asks says that they have these bytes.

    A date is compared for being just this one: one that lies ahead, of a server whose clock
    had been wrong, must not keep a name alive that has vanished since.

    Spec: RFC 9110 §13.1.2, §13.1.3.
    """
    tags = request.headers.get("if-none-match")
    if tags is not None:
        named = {tag.strip().removeprefix("W/") for tag in tags.split(",")}
        return bool(named & {made.etag, "*"})
    since = request.headers.get("if-modified-since", "")
    try:
        return datetime.strptime(f"{since} +0000", f"{_HTTP_DATE} %z") == _instant(made)
    except ValueError:
        return False  # A date that cannot be read counts as none.


def _instant(made: Made) -> datetime:
    return datetime.fromtimestamp(made.made_at, UTC)
