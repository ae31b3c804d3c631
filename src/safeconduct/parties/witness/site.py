"""The witness's HTTP interface: one address to ask at, and three to read from.

    GET  /                               whose this is: its vkeys
    POST /add-checkpoint                 see `cosign`
    GET  /<origin hash>/checkpoint       the latest cosigned checkpoint of a log
    GET  /<origin hash>/forks            names of the proofs against a log, one a line
    GET  /<origin hash>/forks/<name>     one of them, a `.fork` file

The origin hash is SHA-256 of the log's origin, 64 hex digits.

Spec: c2sp.org/tlog-witness, whose submission and monitoring prefix are the same here.
"""

from safeconduct.parties.witness.cosign import TEXT_CONTENT_TYPE, Witness
from safeconduct.parties.witness.limits import InWork, PushBackError
from safeconduct.parties.witness.published import origin_hash
from safeconduct.parties.witness.request import REQUEST_BYTES_MAX
from safeconduct.plumbing import clock, web
from safeconduct.protocol.tlog.note import format_vkey


def make_site(witness: Witness) -> web.App:
    """The application of one witness."""
    origins = {origin_hash(origin): origin for origin in witness.keys.logs}
    in_work = InWork()

    async def add_checkpoint(request: web.Request) -> web.Response:
        body = await web.read_body(request, bytes_max=REQUEST_BYTES_MAX)
        try:
            with in_work.one_more():
                answer = await web.in_thread(witness.cosign, body, clock.seconds())
        except PushBackError as error:
            return _push_back(error)
        return web.data(answer.body, answer.content_type, status=answer.status)

    def checkpoint(request: web.Request) -> web.Response:
        latest = witness.store.latest(_origin(request)).checkpoint
        if not latest:
            raise web.missing("no checkpoint of such a log was cosigned here")
        return web.data(latest, TEXT_CONTENT_TYPE)

    def forks(request: web.Request) -> web.Response:
        names = witness.store.forks(_origin(request))
        return web.text("".join(f"{name}\n" for name in names))

    def fork(request: web.Request) -> web.Response:
        proof = witness.store.forks(_origin(request)).get(request.path_params["name"])
        if proof is None:
            raise web.missing("no such proof is kept here")
        return web.data(proof, TEXT_CONTENT_TYPE)

    def about(_: web.Request) -> web.Response:
        vkeys = (format_vkey(key.cosigner()) for key in witness.keys.own)
        return web.text("".join(f"witness {vkey}\n" for vkey in vkeys))

    def _origin(request: web.Request) -> str:
        origin = origins.get(request.path_params["origin_hash"])
        if origin is None:
            raise web.missing("this witness does not serve that log")
        return origin

    return web.make_app(
        [
            web.Route("GET", "/", about),
            web.Route("POST", "/add-checkpoint", add_checkpoint),
            web.Route("GET", "/{origin_hash}/checkpoint", checkpoint),
            web.Route("GET", "/{origin_hash}/forks", forks),
            web.Route("GET", "/{origin_hash}/forks/{name}", fork),
        ]
    )


def _push_back(error: PushBackError) -> web.Response:
    """The answer that tells when to come again. Spec: RFC 6585 §4."""
    return web.text(
        f"error: {error.message}\nhint: {error.hint}\n",
        status=error.http_status,
        headers={"retry-after": str(error.retry_seconds)},
    )
