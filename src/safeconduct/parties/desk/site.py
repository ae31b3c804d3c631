"""The assessors' console: a few pages on this machine's loopback, for one who has the code.

    GET  /            tips                    POST /tips/<hash>/votes     hand in a vote
    GET  /tips/<hash> one tip                 POST /tips/<hash>/assess    weigh and log
    GET  /enter       sign in                 POST /tips/<hash>/replies   answer the source
    POST /enter       the code                POST /pull                  fetch and open
    POST /leave       sign out

Nothing but the style sheet and the sign-in page is shown to anybody else, not even whether a
page exists. No file of a tip is served: it is opened with tools of the assessor's choice.
"""

from collections.abc import Awaitable, Callable

from safeconduct.errors import RefusedError
from safeconduct.parties.desk import console, picture
from safeconduct.parties.desk.assess import assess
from safeconduct.parties.desk.console import Session, Sessions
from safeconduct.parties.desk.desk import Desk
from safeconduct.parties.desk.pull import pull
from safeconduct.parties.desk.reply import reply
from safeconduct.parties.desk.store import Tip
from safeconduct.parties.desk.unseal import unseal_all
from safeconduct.parties.desk.view import show, summarise
from safeconduct.parties.desk.vote import grade
from safeconduct.plumbing import pages, web
from safeconduct.plumbing.forms import Form
from safeconduct.protocol.assessment.grade import CREDIBILITY, RELIABILITY
from safeconduct.protocol.canonical import parse_hex
from safeconduct.protocol.reply import TEXT_CHARS_MAX

LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
FORM_BYTES_MAX = 256 << 10

_PACKAGE = "safeconduct.parties.desk"
_DIGITS = {str(number): number for number in CREDIBILITY}
_Page = Callable[[Desk, Session, web.Request], str]
_Act = Callable[[Desk, Tip, Form], object]


def make_site(desk: Desk, code: str) -> web.App:
    """The console of `desk` for whoever knows `code`."""
    sessions = Sessions(code=code, seconds=desk.seconds, random_bytes=desk.random_bytes)
    routes = [
        web.Route("GET", "/style.css", _style),
        web.Route("GET", "/enter", _enter_page(desk), page=True),
        web.Route("POST", "/enter", _enter(sessions), page=True),
        web.Route("POST", "/leave", _leave(sessions), page=True),
        web.Route("POST", "/pull", _pull(desk, sessions), page=True),
        web.Route("GET", "/", _shown(desk, sessions, _list_page), page=True),
        web.Route("GET", "/tips/{hash}", _shown(desk, sessions, _tip_page), page=True),
    ]
    acts: dict[str, _Act] = {"votes": _vote, "assess": _assess, "replies": _reply}
    for name, act in acts.items():
        handler = _acting(desk, sessions, act)
        routes.append(web.Route("POST", f"/tips/{{hash}}/{name}", handler, page=True))
    routes.append(web.Route("GET", "/{rest:path}", _shown(desk, sessions, _nothing), page=True))
    return web.make_app(routes, hosts=LOOPBACK, pages=True)


# Signing in and out.


def _style(_: web.Request) -> web.Response:
    return web.data(pages.style(), "text/css; charset=utf-8")


def _enter_page(desk: Desk) -> web.Handler:
    def handler(_: web.Request) -> web.Response:
        return web.html(pages.render(_PACKAGE, "enter.html", site=_name(desk), token=""))

    return handler


def _enter(sessions: Sessions) -> web.Handler:
    async def handler(request: web.Request) -> web.Response:
        form = await web.read_form(request, bytes_max=FORM_BYTES_MAX)
        return console.set_cookie(web.redirect("/"), sessions.enter(form.text("code")))

    return handler


def _leave(sessions: Sessions) -> web.Handler:
    async def handler(request: web.Request) -> web.Response:
        await _own_form(sessions, request)
        sessions.leave(request)
        return web.redirect("/enter")

    return handler


async def _own_form(sessions: Sessions, request: web.Request) -> Form:
    """The posted form, if it was posted from a page of a session that is open.

    Raises:
        RefusedError: nobody is signed in, or the form is another session's.
    """
    session = sessions.session(request)
    if session is None:
        raise RefusedError("sign in first")
    form = await web.read_form(request, bytes_max=FORM_BYTES_MAX)
    console.check_form(session, form.text("token", ""))
    return form


# Pages.


def _shown(desk: Desk, sessions: Sessions, page: _Page) -> web.Handler:
    def handler(request: web.Request) -> web.Response:
        session = sessions.session(request)
        if session is None:
            return web.redirect("/enter")
        return web.html(page(desk, session, request))

    return handler


def _list_page(desk: Desk, session: Session, _: web.Request) -> str:
    return pages.render(
        _PACKAGE,
        "list.html",
        site=_name(desk),
        token=session.form_token,
        tips=[summarise(desk, tip) for tip in reversed(desk.store.tips())],
        held_back=desk.store.held_back(),
    )


def _tip_page(desk: Desk, session: Session, request: web.Request) -> str:
    page = show(desk, _tip(desk, request))
    return pages.render(
        _PACKAGE,
        "tip.html",
        site=_name(desk),
        token=session.form_token,
        page=page,
        picture=picture.draw(page),
        geometry=picture.GEOMETRY,
        reliability=RELIABILITY,
        credibility=CREDIBILITY,
        reply_chars_max=TEXT_CHARS_MAX,
    )


def _nothing(_: Desk, __: Session, ___: web.Request) -> str:
    raise web.missing("nothing at this address")


def _tip(desk: Desk, request: web.Request) -> Tip:
    return desk.store.tip(parse_hex(request.path_params["hash"], 32, "address"))


def _name(desk: Desk) -> str:
    return f"Desk of {desk.programme.name}"


# Actions.


def _acting(desk: Desk, sessions: Sessions, act: _Act) -> web.Handler:
    async def handler(request: web.Request) -> web.Response:
        form = await _own_form(sessions, request)
        tip = _tip(desk, request)
        await web.in_thread(act, desk, tip, form)
        return web.redirect(f"/tips/{tip.hash.hex()}")

    return handler


def _pull(desk: Desk, sessions: Sessions) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def handler(request: web.Request) -> web.Response:
        await _own_form(sessions, request)
        await web.in_thread(pull, desk)
        await web.in_thread(unseal_all, desk)
        return web.redirect("/")

    return handler


def _vote(desk: Desk, tip: Tip, form: Form) -> bytes:
    return grade(
        desk.store,
        form.text("assessor"),
        tip.hash,
        form.text("reliability"),
        _DIGITS.get(form.text("credibility"), 0),
        _lines(form, "accuses"),
        form.text("reasons"),
        by=form.text("by", ""),
        supported_by=_lines(form, "supported_by"),
        denied_by=_lines(form, "denied_by"),
        random_bytes=desk.random_bytes,
    )


def _lines(form: Form, name: str) -> list[str]:
    return [line for line in form.text(name, "").split("\n") if line.strip()]


def _assess(desk: Desk, tip: Tip, _: Form) -> object:
    return assess(desk, tip.hash)


def _reply(desk: Desk, tip: Tip, form: Form) -> object:
    return reply(desk, tip.hash, form.text("text"))
