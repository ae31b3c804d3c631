"""The console's pages: plain HTML and forms, and one script for the passkey.

    GET  /                list of cases        POST /pull                ask the register
    GET  /dockets/<hash>  one case             POST /dockets/<hash>/<act>  vote, draft, …
    GET  /you             passkeys, own log    POST /you/remove, /leave
    GET  /enter /enrol    sign in, enrol       POST /enter /enrol/begin /enrol

Who is not signed in learns nothing but that this is a console; who is of the other body, or has
declared a conflict, learns not even whether a case exists, or nothing of the file. No form says
who acts: the session does. Nothing uploaded is kept but signature lines that hold.
"""

from collections.abc import Callable, Mapping
from functools import partial

from safeconduct.errors import MalformedError, RefusedError, SafeconductError
from safeconduct.parties.board import console_sign_in as door
from safeconduct.parties.board import console_voting as voting
from safeconduct.parties.board.console import Console, File, fault_of, file_of
from safeconduct.parties.board.console_file import picture_of
from safeconduct.parties.board.console_page import Page, list_cases, show
from safeconduct.parties.board.console_pull import pull
from safeconduct.parties.board.console_sign_in import Session
from safeconduct.parties.board.console_store import EVENTS_SHOWN_MAX, PASSKEYS_MAX
from safeconduct.plumbing import pages, web
from safeconduct.plumbing.forms import Form
from safeconduct.protocol.canonical import parse_decimal, parse_hex
from safeconduct.protocol.decision import final_draft
from safeconduct.protocol.record import RECORD_BYTES_MAX
from safeconduct.protocol.votes import REASONS_CHARACTERS_MAX, Vote

FORM_BYTES_MAX = 64 << 10
UPLOAD_BYTES_MAX = RECORD_BYTES_MAX + FORM_BYTES_MAX
HASH_BYTES = 32
PULLED_SECONDS_MAX = 120  # after the last round, before the console counts as not well
CREDENTIAL_HEX_MAX = 2_046

_PACKAGE = __package__
_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'"
)
_HEADERS = {"content-security-policy": _POLICY, "referrer-policy": "same-origin"}
_CEREMONY = _HEADERS | {"content-security-policy": f"{_POLICY}; script-src 'self'"}
_IMAGE = {
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox; "
    "frame-ancestors 'none'"
}
_Act = Callable[[Console, Session, File, Form], str]

_SAID = {
    "voted": "Your vote is kept. You can change it until somebody makes the draft.",
    "conflict": "Your conflict of interest is kept; the others see it.",
    "draft": "The draft is made. Download it, sign it on your own machine, and bring it back.",
    "reopened": "The draft is taken back. Votes can be changed again.",
    "signed": "The signatures are kept.",
    "known": "Nothing new: these signatures were here already.",
    "settled": "Enough have signed. The decision goes to the register now.",
    "removed": "The passkey is removed, and whoever used it is signed out.",
    "enrolled": "The passkey is added. Sign in with it.",
    "left": "You are signed out.",
    "asked": "The register was asked.",
}
EVENT_WORDS: Mapping[str, str] = {
    "signed-in": "signed in",
    "signed-out": "signed out",
    "enrolled": "added a passkey",
    "removed": "removed a passkey",
    "vote": "voted",
    "conflict": "declared a conflict of interest",
    "draft": "made the draft",
    "reopened": "took the draft back",
    "line": "brought a signature",
}


def make_site(console: Console, lifespan: web.Lifespan | None = None) -> web.App:
    """The application of one console, for browsers that call it by its origin."""
    routes = [
        web.Route("GET", "/style.css", lambda _: web.data(pages.style(), "text/css")),
        web.Route("GET", "/passkey.js", _script),
        web.Route("GET", "/health", partial(_health, console)),
        _page("/enter", console, _enter_page),
        _page("/enrol", console, _enrol_page),
        _post("/enter", console, _enter),
        _post("/enrol/begin", console, _enrol_begin),
        _post("/enrol", console, _enrol),
        _page("/", console, _signed_in(_list_page)),
        _page("/you", console, _signed_in(_you_page)),
        _post("/leave", console, _own(_leave)),
        _post("/pull", console, _own(_pull)),
        _post("/you/remove", console, _own(_remove)),
        *_docket_routes(console),
        _page("/{rest:path}", console, _signed_in(_nothing)),
    ]
    return web.make_app(routes, hosts=[console.site.host], lifespan=lifespan, pages=True)


def _docket_routes(console: Console) -> list[web.Route]:
    parts: dict[str, Callable[[Console, Session, web.Request], web.Response]] = {
        "": _docket_page,
        "/proof.svg": _picture,
        "/decision.record": _record,
        "/decision.signed": _signed_record,
        "/votes.json": _votes,
    }
    acts: dict[str, _Act] = {
        "vote": _vote,
        "conflict": _conflict,
        "draft": _draft,
        "reopen": _reopen,
        "signed": _bring,
    }
    return [
        *(
            _page(f"/dockets/{{hash}}{path}", console, _signed_in(part))
            for path, part in parts.items()
        ),
        *(
            _post(f"/dockets/{{hash}}/{name}", console, _own(partial(_act, act)))
            for name, act in acts.items()
        ),
    ]


# Frames of handlers: what must hold before any of them runs.

_Shown = Callable[[Console, web.Request], web.Response]
_Posted = Callable[[Console, web.Request, Form], web.Response]
_Own = Callable[[Console, Session, web.Request, Form], web.Response]


def _page(path: str, console: Console, handler: _Shown) -> web.Route:
    def shown(request: web.Request) -> web.Response:
        try:
            return handler(console, request)
        except SafeconductError as error:
            return _problem(console, request, error)

    return web.Route("GET", path, shown, page=True)


def _post(path: str, console: Console, handler: _Posted) -> web.Route:
    async def posted(request: web.Request) -> web.Response:
        try:
            door.check_posted(console.access, request)
            form = await web.read_form(request, bytes_max=UPLOAD_BYTES_MAX)
            return await web.in_thread(handler, console, request, form)
        except SafeconductError as error:
            return await web.in_thread(_problem, console, request, error)

    return web.Route("POST", path, posted, page=True)


def _signed_in(
    handler: Callable[[Console, Session, web.Request], web.Response],
) -> _Shown:
    def shown(console: Console, request: web.Request) -> web.Response:
        session = door.session_of(console.access, request)
        return web.redirect("/enter") if session is None else handler(console, session, request)

    return shown


def _own(handler: _Own) -> _Posted:
    def posted(console: Console, request: web.Request, form: Form) -> web.Response:
        session = door.session_of(console.access, request)
        if session is None:
            return web.redirect("/enter")
        door.check_token(session, form.text("token", ""))
        return handler(console, session, request, form)

    return posted


def _problem(console: Console, request: web.Request, error: SafeconductError) -> web.Response:
    """What went wrong, as a page; of this machine no more than strangers may hear."""
    try:
        session = door.session_of(console.access, request)
    except SafeconductError:
        session = None
    content = _render(
        console,
        "console_problem.html",
        session,
        fault=fault_of(error),
        back=_back(request),
    )
    return web.html(content, status=error.http_status, headers=_HEADERS)


def _back(request: web.Request) -> str:
    parts = request.url.path.split("/")
    is_docket = parts[1:2] == ["dockets"] and len(parts) > 3 and parts[2].isalnum()
    return "/".join(parts[:3]) if is_docket else {"enrol": "/enrol"}.get(parts[1], "/")


def _render(console: Console, name: str, session: Session | None, **values: object) -> str:
    framed = {"site": console.site.name, "session": session, "here": "", "said": ""} | values
    return pages.render(_PACKAGE, name, language="en", **framed)


def _said(request: web.Request) -> str:
    return _SAID.get(request.query_params.get("said", ""), "")


# Coming in.


def _script(_: web.Request) -> web.Response:
    return web.data(pages.asset(_PACKAGE, "passkey.js"), "text/javascript; charset=utf-8")


def _health(console: Console, _: web.Request) -> web.Response:
    memory = console.memory
    late = console.seconds() - memory.pulled_at > PULLED_SECONDS_MAX
    word = "away" if memory.trouble or late else "ok"
    return web.text(f"{word} {memory.pulled_at}\n")


def _enter_page(console: Console, request: web.Request) -> web.Response:
    content = _render(
        console,
        "console_enter.html",
        None,
        options=door.sign_in_options(console.access),
        said=_said(request),
    )
    return web.html(content, headers=_CEREMONY)


def _enter(console: Console, request: web.Request, form: Form) -> web.Response:
    replaced = request.cookies.get(console.access.cookie, "")
    cookie = door.sign_in(console.access, form.text("response"), replaced)
    return door.set_cookie(console.access, web.redirect("/"), cookie)


def _enrol_page(console: Console, _: web.Request) -> web.Response:
    return web.html(_render(console, "console_enrol.html", None, options=""), headers=_HEADERS)


def _enrol_begin(console: Console, _: web.Request, form: Form) -> web.Response:
    code = form.text("code")
    member, options = door.enrolment(console.access, code)
    content = _render(
        console, "console_enrol.html", None, member=member, options=options, code=code
    )
    return web.html(content, headers=_CEREMONY)


def _enrol(console: Console, _: web.Request, form: Form) -> web.Response:
    door.enrol(console.access, form.text("code"), form.text("response"))
    return web.redirect("/enter?said=enrolled")


def _leave(console: Console, session: Session, _: web.Request, form: Form) -> web.Response:
    everywhere = form.text("everywhere", "") == "yes"
    console.store.sign_out(session.visit, console.seconds(), everywhere=everywhere)
    answer = web.redirect("/enter?said=left")
    answer.delete_cookie(console.access.cookie, path="/", secure=console.site.is_encrypted)
    return answer


# The member's own page.


def _you_page(console: Console, session: Session, request: web.Request) -> web.Response:
    content = _render(
        console,
        "console_you.html",
        session,
        here="/you",
        said=_said(request),
        passkeys=door.own_passkeys(console.access, session),
        passkeys_max=PASSKEYS_MAX,
        events=console.store.log(session.member),
        events_max=EVENTS_SHOWN_MAX,
        words=EVENT_WORDS,
    )
    return web.html(content, headers=_HEADERS)


def _remove(console: Console, session: Session, _: web.Request, form: Form) -> web.Response:
    text = form.text("passkey")
    if len(text) > CREDENTIAL_HEX_MAX:
        raise MalformedError("passkey: its id is too long")
    credential_id = parse_hex(text, len(text) // 2, "passkey")
    door.remove(console.access, session, credential_id)
    return web.redirect("/you?said=removed")


# Cases.


def _list_page(console: Console, session: Session, request: web.Request) -> web.Response:
    content = _render(
        console,
        "console_list.html",
        session,
        here="/",
        said=_said(request),
        faults=console.memory.faults,
        stuck=console.memory.stuck,
        pulled_at=console.memory.pulled_at,
        cases=list_cases(console, session.member),
    )
    return web.html(content, headers=_HEADERS)


def _pull(console: Console, _: Session, __: web.Request, ___: Form) -> web.Response:
    pull(console)
    return web.redirect("/?said=asked")


def _nothing(_: Console, __: Session, ___: web.Request) -> web.Response:
    raise web.missing("nothing at this address")


def _file(console: Console, session: Session, request: web.Request) -> File:
    """The docket at this address, if it is for this member's body.

    Raises:
        RefusedError: there is none, or it is for the other body: both look the same.
    """
    digest = parse_hex(request.path_params["hash"], HASH_BYTES, "address")
    kept = console.store.docket(digest)
    if kept is not None:
        file = file_of(console, kept)
        if session.member in file.question.seated:
            return file
    raise web.missing("no such case is before you")


def _docket_page(console: Console, session: Session, request: web.Request) -> web.Response:
    page = show(console, _file(console, session, request), session.member)
    content = _render(
        console,
        "console_docket.html",
        session,
        page=page,
        said=_said(request),
        reasons_max=REASONS_CHARACTERS_MAX,
    )
    return web.html(content, headers=_HEADERS)


def _open_page(console: Console, session: Session, request: web.Request) -> tuple[File, Page]:
    """The file, where it is not closed by a conflict of interest."""
    file = _file(console, session, request)
    page = show(console, file, session.member)
    if page.file is None:
        raise web.missing("the file is closed to you")
    return file, page


def _picture(console: Console, session: Session, request: web.Request) -> web.Response:
    file, _ = _open_page(console, session, request)
    return web.data(picture_of(file).encode("utf-8"), "image/svg+xml", headers=_IMAGE)


def _record(console: Console, session: Session, request: web.Request) -> web.Response:
    _, page = _open_page(console, session, request)
    if page.draft is None:
        raise web.missing("no draft is made yet")
    return _download(page.draft.record, f"decision-{page.number}.record")


def _signed_record(console: Console, session: Session, request: web.Request) -> web.Response:
    _, page = _open_page(console, session, request)
    if not page.signed:
        raise web.missing("not enough have signed yet")
    return _download(page.signed, f"decision-{page.number}.signed")


def _votes(console: Console, session: Session, request: web.Request) -> web.Response:
    _, page = _open_page(console, session, request)
    if page.draft is None:
        raise web.missing("no draft is made yet")
    return _download(page.draft.votes, f"decision-{page.number}.votes.json")


def _download(data: bytes, name: str) -> web.Response:
    disposition = f'attachment; filename="{name}"'
    return web.data(data, headers={"content-disposition": disposition})


# What members do.


def _act(
    act: _Act, console: Console, session: Session, request: web.Request, form: Form
) -> web.Response:
    file = _file(console, session, request)
    said = act(console, session, file, form)
    return web.redirect(f"/dockets/{file.kept.hash.hex()}?said={said}")


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _vote(console: Console, session: Session, file: File, form: Form) -> str:
    kind = form.text("vote")
    chosen = {"agree": file.question.yielded, "abstain": ""}
    vote = Vote(
        member=session.member,
        vote=kind,
        outcome=chosen.get(kind, form.text("outcome", "")),
        reasons=_one_line(form.text("reasons", "")),
    )
    after = parse_decimal(form.text("after"), "form: after")
    _check_offered(console, file)
    voting.cast(console.store, file.question, session.member, vote, after, console.seconds())
    return "voted"


def _conflict(console: Console, session: Session, file: File, form: Form) -> str:
    reasons = _one_line(form.text("conflict"))
    voting.declare(console.store, file.question, session.member, reasons, console.seconds())
    return "conflict"


def _draft(console: Console, session: Session, file: File, form: Form) -> str:
    _check_offered(console, file)
    voting.make_draft(
        console.store,
        file.question,
        session.member,
        form.text("outcome"),
        _one_line(form.text("departure", "")),
        console.seconds(),
        partial(final_draft, file.docket),
        without_all=form.text("without", "") == "yes",
    )
    return "draft"


def _reopen(console: Console, session: Session, file: File, _: Form) -> str:
    voting.reopen(console.store, file.question, session.member, console.seconds())
    return "reopened"


def _bring(console: Console, session: Session, file: File, form: Form) -> str:
    uploads = form.uploads("signed")
    if len(uploads) != 1:
        raise MalformedError("upload: choose the one file that you signed")
    return bring(console, file, session.member, uploads[0].data)


def bring(console: Console, file: File, member: str, data: bytes) -> str:
    """Take a signed copy; what is said of it: `signed`, `known` or `settled`.

    Raises:
        MalformedError, ConflictError, UnverifiedError, RefusedError: as `take_signed`.
    """
    at = console.seconds()
    new, _ = voting.take_signed(console.store, file.question, member, data, at)
    standing = voting.stand(file.question, console.store.events(file.question.claim))
    return "settled" if standing.signed else "signed" if new else "known"


def _check_offered(console: Console, file: File) -> None:
    offered = console.memory.offered
    if offered is not None and file.kept.hash not in offered:
        raise RefusedError(
            "the register does not offer this docket any more",
            hint="it was decided, or proposed anew: look at the list of cases",
        )
