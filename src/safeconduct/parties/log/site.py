"""The logs' HTTP interface: add an entry, read the tree.

POST /<name>/add                   the entry's bytes in, its tlog-proof out
POST /<name>/add-all               a Ledger's: many entries in, for each u32 length ‖ tlog-proof
GET  /<name>/checkpoint            c2sp.org/tlog-tiles
GET  /<name>/tile/…                c2sp.org/tlog-tiles
GET  /<name>/proof?index=N         or ?entry-hash=<hex leaf hash>: its tlog-proof
GET  /<name>/health                canonical JSON: whether it takes entries, sizes, ages
"""

from collections.abc import Sequence

from safeconduct.errors import MalformedError
from safeconduct.parties.log.config import HASH_ENTRY_BYTES, LEDGER
from safeconduct.parties.log.counter import Counter
from safeconduct.parties.log.parts import Health
from safeconduct.parties.log.sequence import Log
from safeconduct.parties.log.tiles import read_tile
from safeconduct.plumbing import clock, web
from safeconduct.protocol.canonical import (
    format_json,
    length_prefixed,
    parse_decimal,
    parse_hex,
)
from safeconduct.protocol.tlog.merkle import HASH_BYTES
from safeconduct.protocol.tlog.note import format_vkey
from safeconduct.protocol.tlog.tile import (
    ENTRIES,
    ENTRY_BYTES_MAX,
    TILE_HEIGHT,
    TILE_WIDTH,
    parse_tile_path,
)

WAIT_SECONDS = 20.0
ADD_ALL_MAX = 1_024
"""How many entries one `add-all` may bring."""

_ALL_BYTES_MAX = ADD_ALL_MAX * HASH_ENTRY_BYTES
_TEXT = "text/plain; charset=utf-8"
_IMMUTABLE = {"cache-control": "public, max-age=31536000, immutable"}
_SHORT = {"cache-control": "public, max-age=1"}


def make_site(logs: Sequence[Log]) -> web.App:
    """The application that serves all of `logs`, each below its name."""
    by_name = {log.config.name: log for log in logs}
    counters = {log.config.name: Counter(log, WAIT_SECONDS) for log in logs}

    def find(request: web.Request) -> Log:
        name = request.path_params["name"]
        if name not in by_name:
            raise web.missing("no log of that name is here")
        return by_name[name]

    def about(_: web.Request) -> web.Response:
        lines = [f"{log.config.name} {format_vkey(key)}\n" for log in logs for key in log.keys]
        return web.text("".join(lines))

    async def add(request: web.Request) -> web.Response:
        counter = counters[find(request).config.name]
        entry = await web.read_body(request, bytes_max=ENTRY_BYTES_MAX)
        return web.data(await counter.proof_of(entry), _TEXT)

    async def add_all(request: web.Request) -> web.Response:
        log = find(request)
        if log.config.kind != LEDGER:
            raise web.missing("only a Ledger takes many entries at once")
        entries = _split(await web.read_body(request, bytes_max=_ALL_BYTES_MAX))
        proofs = await counters[log.config.name].proofs_of(entries)
        return web.data(b"".join(map(length_prefixed, proofs)))

    def proof(request: web.Request) -> web.Response:
        log = find(request)
        return web.data(log.proof(_asked_index(log, dict(request.query_params))), _TEXT)

    def checkpoint(request: web.Request) -> web.Response:
        return web.data(find(request).published().checkpoint, _TEXT, headers=_SHORT)

    def tile(request: web.Request) -> web.Response:
        data = _read_public(find(request), f"tile/{request.path_params['rest']}")
        return web.data(data, headers=_IMMUTABLE)

    def health(request: web.Request) -> web.Response:
        return web.data(_format_health(find(request).health()), "application/json")

    return web.make_app(
        [
            web.Route("GET", "/", about),
            web.Route("POST", "/{name}/add", add),
            web.Route("POST", "/{name}/add-all", add_all),
            web.Route("GET", "/{name}/proof", proof),
            web.Route("GET", "/{name}/checkpoint", checkpoint),
            web.Route("GET", "/{name}/tile/{rest:path}", tile),
            web.Route("GET", "/{name}/health", health),
        ]
    )


def _split(body: bytes) -> list[bytes]:
    """Entries of 32 bytes, one after the other; at least one."""
    if not body or len(body) % HASH_ENTRY_BYTES:
        raise MalformedError(f"add-all: not one or more entries of {HASH_ENTRY_BYTES} bytes")
    starts = range(0, len(body), HASH_ENTRY_BYTES)
    return [body[start : start + HASH_ENTRY_BYTES] for start in starts]


def _asked_index(log: Log, query: dict[str, str]) -> int:
    if query.keys() == {"index"}:
        return parse_decimal(query["index"], "index")
    if query.keys() == {"entry-hash"}:
        return log.index_of(parse_hex(query["entry-hash"], HASH_BYTES, "entry-hash"))
    raise MalformedError("ask for ?index=N or for ?entry-hash=HEX")


def _format_health(health: Health) -> bytes:
    """What monitors read; an age is null if there is nothing that has one."""
    now = clock.seconds()
    ages = {
        f"{name}_age_seconds": max(0, now - at) if at else None
        for name, at in (("signed", health.signed_at), ("published", health.published_at))
    }
    return format_json(
        {
            "accepting": health.accepting,
            "reason": health.reason,
            "tree_size": health.tree_size,
            "published_size": health.published_size,
            "free_bytes": health.free_bytes,
            **ages,
        }
    )


def _read_public(log: Log, path: str) -> bytes:
    """A tile of the published tree; larger trees are sequenced, but not yet the public's."""
    tile = parse_tile_path(path)
    height = 0 if tile.level == ENTRIES else tile.level * TILE_HEIGHT
    end = (tile.index * TILE_WIDTH + tile.width) << height
    if end > log.published().tree.size:
        raise web.missing("no such tile is published")
    # Whoever holds a checkpoint from before may ask for a width that was removed since, and a
    # full tile is not the public's before the witnesses have seen the tree that filled it.
    return read_tile(log.public_folder, tile)
