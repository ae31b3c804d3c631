"""The witness's HTTP interface: two addresses, and a line of text that says whose it is."""

from hashlib import sha256

from safeconduct.parties.witness.cosign import (
    REQUEST_BYTES_MAX,
    TEXT_CONTENT_TYPE,
    Keys,
    cosign,
)
from safeconduct.parties.witness.store import Store
from safeconduct.plumbing import clock, web
from safeconduct.protocol.tlog.note import COSIGNATURE, format_vkey


def make_site(store: Store, keys: Keys) -> web.App:
    """The application of one witness. Spec: c2sp.org/tlog-witness."""
    origins = {sha256(origin.encode()).hexdigest(): origin for origin in keys.logs}

    async def add_checkpoint(request: web.Request) -> web.Response:
        body = await web.read_body(request, bytes_max=REQUEST_BYTES_MAX)
        answer = await web.in_thread(cosign, body, store, keys, clock.seconds())
        return web.data(answer.body, answer.content_type, status=answer.status)

    def checkpoint(request: web.Request) -> web.Response:
        origin = origins.get(request.path_params["origin_hash"])
        latest = store.latest(origin).checkpoint if origin is not None else b""
        if not latest:
            raise web.missing("no checkpoint of such a log was cosigned here")
        return web.data(latest, TEXT_CONTENT_TYPE)

    def about(_: web.Request) -> web.Response:
        return web.text(f"witness {format_vkey(keys.own.verifier(COSIGNATURE))}\n")

    return web.make_app(
        [
            web.Route("GET", "/", about),
            web.Route("POST", "/add-checkpoint", add_checkpoint),
            web.Route("GET", "/{origin_hash}/checkpoint", checkpoint),
        ]
    )
