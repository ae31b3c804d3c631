"""The door's HTTP interface: bytes for the client, pages for all, three calls for the desk.

Nothing about a visitor is stored or printed: no address, no browser, no time finer than a day.

Spec: docs/3-protocol.md §13.
"""

from collections.abc import Awaitable, Callable
from functools import partial

from safeconduct.errors import MalformedError
from safeconduct.parties.intake import (
    claiming,
    client,
    handing,
    mailbox,
    questions,
    sending,
    staff,
    start,
    telling,
    uploading,
    withdraw,
    withdrawing,
    work,
)
from safeconduct.parties.intake.accept import (
    ANNOUNCEMENT_BYTES_MAX,
    PIECE_BYTES_MAX,
    Intake,
    announce,
    append,
    finish,
    held_header,
)
from safeconduct.parties.intake.health import health_word
from safeconduct.parties.intake.statistics import counted
from safeconduct.plumbing import web
from safeconduct.plumbing.pages import asset
from safeconduct.plumbing.programme import format_programme
from safeconduct.protocol.canonical import decode_text, parse_decimal, parse_hex
from safeconduct.protocol.capsule import CAPSULE_BYTES
from safeconduct.protocol.keys import SLOT_BYTES
from safeconduct.protocol.reply import BLOCK_BYTES

HASH_BYTES = 32
_OPENAPI = asset("safeconduct.parties.intake", "openapi.json")
NUMBER_BYTES_MAX = 19

_Taker = Callable[[Intake, web.Request], Awaitable[web.Response]]


PARTS: tuple[Callable[[Intake], list[web.Route]], ...] = (
    start.routes,
    telling.routes,
    sending.routes,
    uploading.routes,
    handing.routes,
    client.routes,
    questions.routes,
    mailbox.routes,
    withdraw.routes,
    withdrawing.routes,
    claiming.routes,
)
"""What each module of the door answers; the first that fits an address answers it."""


def make_site(intake: Intake) -> web.App:
    """The application of one door."""
    return counted(web.make_app(routes(intake)), intake.days, intake.seconds)


def routes(intake: Intake) -> list[web.Route]:
    """Every route of the door, in the order in which they are tried."""
    parts = [route for part in PARTS for route in part(intake)]
    return [*_client_routes(intake), *_desk_routes(intake), *parts]


def _client_routes(intake: Intake) -> list[web.Route]:
    takers: list[tuple[str, str, _Taker]] = [
        ("POST", "/deliver", _announce),
        ("GET", "/deliver/{hash}", _header),
        ("PATCH", "/deliver/{hash}", _append),
        ("POST", "/deliver/{hash}/finish", _finish),
        ("PUT", "/capsules/{slot}", _shelve),
    ]
    programme_file = format_programme(intake.programme).decode("utf-8")
    return [
        *work.routes(intake),
        *(web.Route(method, path, partial(taker, intake)) for method, path, taker in takers),
        web.Route("GET", "/capsules", lambda _: web.streaming(intake.store.shelf())),
        web.Route("GET", "/bulletin", lambda _: web.streaming(intake.store.bulletin())),
        web.Route("GET", "/programme.toml", lambda _: web.text(programme_file)),
        web.Route("GET", "/policy.txt", lambda _: _file(intake.programme.policy_text)),
        web.Route("GET", "/openapi.json", lambda _: web.data(_OPENAPI, "application/json")),
        web.Route("GET", "/health", lambda _: web.text(health_word(intake))),
    ]


def _desk_routes(intake: Intake) -> list[web.Route]:
    return [
        web.Route("POST", "/desk/deliveries", partial(_deliveries, intake)),
        web.Route("POST", "/desk/payload", partial(_payload, intake)),
        web.Route("POST", "/desk/replies", partial(_replies, intake)),
    ]


async def _announce(intake: Intake, request: web.Request) -> web.Response:
    body = await web.read_body(request, bytes_max=ANNOUNCEMENT_BYTES_MAX)
    async with intake.dating.turn(flow=web.flow_of(request)):
        return web.text(str(await web.in_thread(announce, intake, body)))


async def _header(intake: Intake, request: web.Request) -> web.Response:
    digest = await web.in_thread(intake.store.digest_of, _upload(request))
    return web.data(await web.in_thread(held_header, intake, digest))


async def _append(intake: Intake, request: web.Request) -> web.Response:
    upload = _upload(request)
    offset = parse_decimal(request.query_params.get("offset", ""), "offset")
    piece = await web.read_body(request, bytes_max=PIECE_BYTES_MAX)
    digest = await web.in_thread(intake.store.digest_of, upload)
    return web.text(str(await web.in_thread(append, intake, digest, offset, piece)))


async def _finish(intake: Intake, request: web.Request) -> web.Response:
    upload = _upload(request)
    await web.read_body(request, bytes_max=0)
    digest = await web.in_thread(intake.store.digest_of, upload)
    async with intake.dating.turn(flow=web.flow_of(request)):
        return _file(await web.in_thread(finish, intake, digest))


async def _shelve(intake: Intake, request: web.Request) -> web.Response:
    slot = parse_hex(request.path_params["slot"], SLOT_BYTES, "slot")
    blob = await web.read_body(request, bytes_max=CAPSULE_BYTES)
    if len(blob) != CAPSULE_BYTES:
        raise MalformedError(f"capsule: not {CAPSULE_BYTES} bytes")
    await web.in_thread(intake.store.shelve, slot, blob)
    return web.text("kept")


async def _deliveries(intake: Intake, request: web.Request) -> web.Response:
    body = await web.read_body(request, bytes_max=NUMBER_BYTES_MAX)
    await _from_desk(intake, request, "deliveries", body)
    number = parse_decimal(decode_text(body, "number"), "number")
    listed = await web.in_thread(staff.list_deliveries, intake, number)
    return web.data(listed, "application/json")


async def _payload(intake: Intake, request: web.Request) -> web.Response:
    digest = await web.read_body(request, bytes_max=HASH_BYTES)
    await _from_desk(intake, request, "payload", digest)
    return web.streaming(await web.in_thread(staff.read_payload, intake, digest))


async def _replies(intake: Intake, request: web.Request) -> web.Response:
    block = await web.read_body(request, bytes_max=BLOCK_BYTES)
    await _from_desk(intake, request, "replies", block)
    await web.in_thread(staff.post_reply, intake, block)
    return web.text("posted")


async def _from_desk(intake: Intake, request: web.Request, action: str, body: bytes) -> None:
    header = request.headers.get(staff.REQUEST_HEADER, "")
    await web.in_thread(staff.verify_request, intake, header, action, body)


def _upload(request: web.Request) -> bytes:
    return parse_hex(request.path_params["hash"], HASH_BYTES, "upload name")


def _file(content: bytes) -> web.Response:
    return web.data(content, "text/plain; charset=utf-8")
