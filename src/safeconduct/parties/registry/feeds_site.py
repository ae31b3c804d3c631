"""The feeds' addresses: /feeds/register.json, .ftm.jsonl, .csv, and /feeds/delta.json?since=N.

Anybody may read them from anywhere; each answer says what it was made from.

Spec: docs/3-protocol.md §16.2.
"""

from collections.abc import Callable
from functools import partial

from safeconduct.parties.registry.book import Reader
from safeconduct.parties.registry.feeds import (
    Feed,
    format_csv,
    format_delta,
    format_feed,
    format_ftm,
    read_feed,
)
from safeconduct.plumbing import web
from safeconduct.protocol.canonical import parse_decimal

_FORMS: dict[str, tuple[Callable[[Feed], bytes], str]] = {
    "register.json": (format_feed, "application/json"),
    "register.ftm.jsonl": (format_ftm, "application/x-ndjson; charset=utf-8"),
    "register.csv": (format_csv, "text/csv; charset=utf-8; header=present"),
}


def routes(reader: Reader) -> list[web.Route]:
    """One route for each feed."""
    return [
        *(web.Route("GET", f"/feeds/{name}", partial(_whole, reader, name)) for name in _FORMS),
        web.Route("GET", "/feeds/delta.json", partial(_delta, reader)),
    ]


def _whole(reader: Reader, name: str, _: web.Request) -> web.Response:
    form, media_type = _FORMS[name]
    feed = read_feed(reader.registry, reader.book())
    return web.data(form(feed), media_type)


def _delta(reader: Reader, request: web.Request) -> web.Response:
    since = parse_decimal(request.query_params.get("since", ""), "since")
    held_at = parse_decimal(request.query_params.get("at", "0"), "at")
    data = format_delta(reader.registry, reader.book(), since, held_at)
    return web.data(data, "application/json")
