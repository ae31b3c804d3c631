"""The mirror's HTTP interface: what the logs and the door serve, from the copy.

GET  /<log>/checkpoint             c2sp.org/tlog-tiles; with our cosignature, if we have a key
GET  /<log>/tile/…                 c2sp.org/tlog-tiles
GET  /<log>/proof?index=N          or ?entry-hash=<hex leaf hash>: its tlog-proof, best dated
GET  /capsules                     the door's shelf, and what was ever on it
GET  /health                       a line for each copy

<log> is a log's short name here, or the hex SHA-256 of its origin (c2sp.org/tlog-mirror).
"""

from safeconduct.errors import MalformedError
from safeconduct.parties.mirror.copy import Copy
from safeconduct.parties.mirror.folder import origin_hash
from safeconduct.parties.mirror.follow import SHELF, Mirror
from safeconduct.parties.mirror.tiles import read_tile, tile_end
from safeconduct.plumbing import web
from safeconduct.protocol.canonical import parse_decimal, parse_hex
from safeconduct.protocol.tlog.merkle import HASH_BYTES
from safeconduct.protocol.tlog.note import format_vkey
from safeconduct.protocol.tlog.tile import parse_tile_path

_TEXT = "text/plain; charset=utf-8"
_IMMUTABLE = {"cache-control": "public, max-age=31536000, immutable"}
_SHORT = {"cache-control": "public, max-age=1"}


def make_site(mirror: Mirror) -> web.App:
    """The application that serves all copies of a mirror."""
    by_name = {copy.source.name: copy for copy in mirror.copies}
    by_name |= {origin_hash(copy.source.origin): copy for copy in mirror.copies}

    def find(request: web.Request) -> Copy:
        name = request.path_params["name"]
        if name not in by_name:
            raise web.missing("no log of that name is mirrored here")
        return by_name[name]

    def about(_: web.Request) -> web.Response:
        keys = [f"mirror {format_vkey(key.cosigner())}\n" for key in mirror.own_keys]
        logs = [f"{copy.source.name} {copy.source.origin}\n" for copy in mirror.copies]
        return web.text("".join(keys + logs))

    def checkpoint(request: web.Request) -> web.Response:
        published = find(request).published
        if published is None:
            raise web.missing("nothing of that log is copied yet")
        return web.data(published.checkpoint, _TEXT, headers=_SHORT)

    def tile(request: web.Request) -> web.Response:
        data = _read_public(find(request), f"tile/{request.path_params['rest']}")
        return web.data(data, headers=_IMMUTABLE)

    def proof(request: web.Request) -> web.Response:
        return web.data(_prove(find(request), dict(request.query_params)), _TEXT)

    def capsules(_: web.Request) -> web.Response:
        if mirror.shelf is None:
            raise web.missing("this mirror copies no door")
        return web.streaming(mirror.shelf.pieces())

    def health(_: web.Request) -> web.Response:
        return web.text("".join(_health_lines(mirror)))

    return web.make_app(
        [
            web.Route("GET", "/", about),
            web.Route("GET", "/capsules", capsules),
            web.Route("GET", "/health", health),
            web.Route("GET", "/{name}/checkpoint", checkpoint),
            web.Route("GET", "/{name}/proof", proof),
            web.Route("GET", "/{name}/tile/{rest:path}", tile),
        ]
    )


def _read_public(copy: Copy, path: str) -> bytes:
    """A tile of the published tree; what lies beyond is not verified yet."""
    tile, published = parse_tile_path(path), copy.published
    if published is None or tile_end(tile) > published.tree.size:
        raise web.missing("no such tile is copied yet")
    return read_tile(copy.public, tile, published.tree.size)


def _prove(copy: Copy, query: dict[str, str]) -> bytes:
    proof = None
    if query.keys() == {"index"}:
        proof = copy.proof(parse_decimal(query["index"], "index"))
    elif query.keys() == {"entry-hash"}:
        leaf_hash = parse_hex(query["entry-hash"], HASH_BYTES, "entry-hash")
        index = copy.index.find(leaf_hash)
        proof = copy.proof(index) if index is not None else None
    else:
        raise MalformedError("ask for ?index=N or for ?entry-hash=HEX")
    if proof is None:
        raise web.missing("no such entry is copied yet")
    return proof


def _health_lines(mirror: Mirror) -> list[str]:
    """`<name> <entries> <POSIX seconds of the last look that went well> <ok|ill>`."""
    names = [*(copy.source.name for copy in mirror.copies), *([SHELF] if mirror.shelf else [])]
    sizes = {
        copy.source.name: copy.published.tree.size for copy in mirror.copies if copy.published
    }
    lines = []
    for name in names:
        trouble, copied_at = mirror.health.of(name)
        # What ails it names paths of this machine: it is told on standard error only.
        lines.append(f"{name} {sizes.get(name, 0)} {copied_at} {'ill' if trouble else 'ok'}\n")
    return lines
