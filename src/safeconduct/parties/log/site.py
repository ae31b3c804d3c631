"""The logs' HTTP interface: add an entry, read the tree.

POST /<name>/add                   the entry's bytes in, its tlog-proof out
GET  /<name>/checkpoint            c2sp.org/tlog-tiles
GET  /<name>/tile/…                c2sp.org/tlog-tiles
GET  /<name>/proof?index=N         or ?entry-hash=<hex leaf hash>: its tlog-proof
"""

import asyncio
from collections.abc import Sequence
from pathlib import Path

from safeconduct.errors import MalformedError, UnavailableError
from safeconduct.parties.log.sequence import Log
from safeconduct.plumbing import durable, web
from safeconduct.protocol.canonical import parse_decimal, parse_hex
from safeconduct.protocol.tlog.merkle import HASH_BYTES
from safeconduct.protocol.tlog.note import format_vkey
from safeconduct.protocol.tlog.tile import (
    BUNDLE_BYTES_MAX,
    ENTRIES,
    ENTRY_BYTES_MAX,
    TILE_HEIGHT,
    TILE_WIDTH,
    Tile,
    format_bundle,
    parse_bundle,
    parse_tile_path,
    tile_path,
)

WAIT_SECONDS = 20.0
_TEXT = "text/plain; charset=utf-8"
_IMMUTABLE = {"cache-control": "public, max-age=31536000, immutable"}
_SHORT = {"cache-control": "public, max-age=1"}


def make_site(logs: Sequence[Log]) -> web.App:
    """The application that serves all of `logs`, each below its name."""
    by_name = {log.config.name: log for log in logs}

    def find(request: web.Request) -> Log:
        name = request.path_params["name"]
        if name not in by_name:
            raise web.missing("no log of that name is here")
        return by_name[name]

    def about(_: web.Request) -> web.Response:
        return web.text("".join(f"{log.config.name} {format_vkey(log.key)}\n" for log in logs))

    async def add(request: web.Request) -> web.Response:
        log = find(request)
        entry = await web.read_body(request, bytes_max=ENTRY_BYTES_MAX)
        promise = await web.in_thread(log.submit, entry)
        try:
            index = await asyncio.wait_for(asyncio.wrap_future(promise), WAIT_SECONDS)
        except TimeoutError as error:
            raise UnavailableError(
                "the witnesses have not cosigned in time",
                hint="nothing is lost: send the same entry again later",
            ) from error
        return web.data(await web.in_thread(log.first_proof, index), _TEXT)

    def proof(request: web.Request) -> web.Response:
        log = find(request)
        return web.data(log.proof(_asked_index(log, dict(request.query_params))), _TEXT)

    def checkpoint(request: web.Request) -> web.Response:
        return web.data(find(request).published().checkpoint, _TEXT, headers=_SHORT)

    def tile(request: web.Request) -> web.Response:
        data = _read_public(find(request), f"tile/{request.path_params['rest']}")
        return web.data(data, headers=_IMMUTABLE)

    return web.make_app(
        [
            web.Route("GET", "/", about),
            web.Route("POST", "/{name}/add", add),
            web.Route("GET", "/{name}/proof", proof),
            web.Route("GET", "/{name}/checkpoint", checkpoint),
            web.Route("GET", "/{name}/tile/{rest:path}", tile),
        ]
    )


def _asked_index(log: Log, query: dict[str, str]) -> int:
    if query.keys() == {"index"}:
        return parse_decimal(query["index"], "index")
    if query.keys() == {"entry-hash"}:
        return log.index_of(parse_hex(query["entry-hash"], HASH_BYTES, "entry-hash"))
    raise MalformedError("ask for ?index=N or for ?entry-hash=HEX")


def _read_public(log: Log, path: str) -> bytes:
    """A tile of the published tree; larger trees are sequenced, but not yet the public's."""
    tile = parse_tile_path(path)
    height = 0 if tile.level == ENTRIES else tile.level * TILE_HEIGHT
    end = (tile.index * TILE_WIDTH + tile.width) << height
    if end > log.published().tree.size:
        raise web.missing("no such tile is published")
    file = log.public_folder / path
    if file.exists():
        return durable.read_file(file, bytes_max=BUNDLE_BYTES_MAX)
    return _beginning(log.public_folder, tile)


def _beginning(folder: Path, tile: Tile) -> bytes:
    """A partial tile cut from the full one, for which it was removed.

    Whoever holds the checkpoint from before needs it still, and the full tile is not the
    public's before the witnesses have seen the tree that filled it.
    """
    file = folder / tile_path(Tile(level=tile.level, index=tile.index))
    if not file.exists():
        raise web.missing("no such tile is published")
    data = durable.read_file(file, bytes_max=BUNDLE_BYTES_MAX)
    if tile.level == ENTRIES:
        return format_bundle(parse_bundle(data, TILE_WIDTH)[: tile.width])
    return data[: tile.width * HASH_BYTES]
