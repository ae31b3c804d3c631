"""The door's pages: what a frightened person on a phone reads and fills in.

Every page is whole by itself: no script, no cookie, no session, nothing from elsewhere, and
with its style under 30 kB, so that it works in Tor Browser at its safest and on a slow line.

There is no token against forged requests, because there is nothing to forge: a browser carries
no authority here that another site could borrow. All authority is in twelve words, typed anew
each time, and every post may be repeated without harm.
"""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from safeconduct.errors import MalformedError, SafeconductError, UnavailableError
from safeconduct.parties.intake import show
from safeconduct.parties.intake.accept import FormRoom, Intake
from safeconduct.parties.intake.tell import (
    FORM_BYTES_MAX,
    TEXT_CHARS_MAX,
    Told,
    read_mail,
    receipt_text,
    tell,
)
from safeconduct.plumbing import pages, web
from safeconduct.plumbing.forms import Form, parse_form
from safeconduct.plumbing.words import format_words, parse_words
from safeconduct.protocol.canonical import parse_decimal
from safeconduct.protocol.keys import ENTROPY_BYTES

FILE_BOXES = 3
MEGABYTES_MAX = (FORM_BYTES_MAX - (1 << 20)) // 1_000_000  # what is promised to the visitor
LONG_FORM_BYTES_MAX = 256 << 20  # read to the end and dropped, so that an answer can be shown
SHORT_FORM_BYTES_MAX = 320 << 10  # what words and the longest text need: there is always room
MAIL_FORM_BYTES_MAX = 8 << 10

_Take = Callable[[int], None]

OPENED = {
    "": ("Not opened yet.", "The desk opens by hand, so this can take days."),
    "ok": ("Opened.", "The desk signed that it is whole and readable."),
    "mismatch": ("Opened, with a fault.", "What was inside is not what its record promised."),
    "unreadable": ("Not readable.", "The desk signed that it cannot open it. Send it again."),
    "duplicate": ("Opened.", "The desk signed that it had the same from you before."),
}
"""The desk's signed word on a tip, as a visitor reads it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Why a form was not taken: sentences for the visitor, and the field they are about."""

    message: str
    hint: str
    field: str = ""
    later: bool = False  # trying again in a while will do


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What the visitor had typed: it goes back into the form and is kept nowhere."""

    words: str = field(default="", repr=False)
    text: str = field(default="", repr=False)


def shown_errors(
    intake: Intake, page: Callable[[Intake, web.Request], web.Response]
) -> Callable[[web.Request], web.Response]:
    """A handler for `page` whose errors are pages that look like all others."""

    def handler(request: web.Request) -> web.Response:
        try:
            return page(intake, request)
        except SafeconductError as error:
            problem = _problem(error)
            return _page(intake, "error.html", "", status=error.http_status, problem=problem)

    return handler


def home(intake: Intake, _: web.Request) -> web.Response:
    """What this is, what the law grants and until when, the ways in, and the proof."""
    offer = show.read_offer(intake)
    if offer is None:
        return _page(intake, "home.html", "/", offer=None)
    language = _language(offer.statute.languages, "")
    return _page(
        intake,
        "home.html",
        "/",
        offer=offer,
        language=language,
        grants=[(number, show.in_language(text, language)) for number, text in offer.grants],
        otherwise=show.in_language(offer.otherwise, language),
        cosigned=offer.view.cosigned,
    )


def law(intake: Intake, request: web.Request) -> web.Response:
    """The statute's text, section by section, a few thousand characters to a page."""
    offer = show.read_offer(intake)
    if offer is None:
        raise web.missing("no law has been published yet", hint="come back later")
    statute = offer.statute
    language = _language(statute.languages, request.query_params.get("lang", ""))
    sheets = show.law_pages(statute, language)
    number = parse_decimal(request.query_params.get("page", "1"), "page")
    if not 1 <= number <= len(sheets):
        raise web.missing(f"the law has {len(sheets)} pages")
    return _page(
        intake,
        "law.html",
        "/law",
        statute=statute,
        index=offer.version.index,
        title=show.in_language(statute.title, language),
        language=language,
        languages=statute.languages,
        dates=show.deadlines(statute, intake.seconds()),
        outcomes=[
            (each.value, show.in_language(each.text, language))
            for each in (*statute.outcomes, statute.default)
        ],
        page=number,
        pages=len(sheets),
        parts=[
            (part.number, show.in_language(part.text, language), min(part.depth, 2))
            for part in sheets[number - 1]
        ],
    )


def tell_form(intake: Intake, _: web.Request) -> web.Response:
    """Twelve fresh words, and the form."""
    return _form(intake, Draft(), None)


async def tell_sent(intake: Intake, request: web.Request) -> web.Response:
    """Seal, date and keep what was posted; on any error, the form again with all its text."""
    with _sharing(intake.form_room) as take:
        try:
            form, problem = await _read_form(request, take)
        except MalformedError as error:
            return _form(intake, Draft(), error)
        draft = Draft(words=_text(form, "words"), text=_text(form, "text"))
        if problem is not None:
            return _form(intake, draft, problem)
        async with intake.telling:
            return await web.in_thread(_tell, intake, form, draft)


def _tell(intake: Intake, form: Form, draft: Draft) -> web.Response:
    try:
        entropy = parse_words(draft.words)
    except SafeconductError as error:
        return _form(intake, draft, error, field="words")
    files = [(_plain_name(file.name), file.data) for file in form.uploads("file")]
    try:
        told = tell(intake, entropy, draft.text, files)
    except SafeconductError as error:
        return _form(intake, draft, error, field="text")
    return _told(intake, told)


def _told(intake: Intake, told: Told) -> web.Response:
    return _page(
        intake,
        "told.html",
        "/tell",
        receipt=told.receipt,
        downloads=receipt_text(told.record, told.proof),
        record=told.record.decode("utf-8"),
        proof=told.proof.decode("utf-8"),
    )


def mail_form(intake: Intake, _: web.Request) -> web.Response:
    """The one field that opens a mailbox."""
    return _mail_form(intake, None)


async def mail_opened(intake: Intake, request: web.Request) -> web.Response:
    """What these words have sent and were answered, newest first."""
    typed = ""
    try:
        form = await web.read_form(request, bytes_max=MAIL_FORM_BYTES_MAX)
        typed = _text(form, "words")
        async with intake.reading:
            return await web.in_thread(_letters, intake, typed, form.text("number", ""))
    except SafeconductError as error:
        return _mail_form(intake, error, typed)


def _letters(intake: Intake, typed: str, number: str) -> web.Response:
    only = parse_decimal(number, "number of the message") if number else None
    mails = read_mail(intake, parse_words(typed))
    chosen = tuple(mail for mail in mails if only is None or mail.number == only)
    letters = show.letters(intake, chosen)
    return _page(
        intake,
        "letters.html",
        "/mail",
        letters=letters,
        opened_words=OPENED,
        number=only,
        choose=any(not letter.shown for letter in letters),
        problem=None,
        typed="",
    )


def _form(
    intake: Intake, draft: Draft, error: SafeconductError | None, *, field: str = ""
) -> web.Response:
    """The form, with fresh words; after an error also with what is wrong and what was typed."""
    at_field = field if isinstance(error, MalformedError) else ""
    return _page(
        intake,
        "tell.html",
        "/tell",
        status=200 if error is None else error.http_status,
        words=format_words(intake.random_bytes(ENTROPY_BYTES)).split(),
        draft=draft,
        problem=None if error is None else _problem(error, at_field),
        files=FILE_BOXES,
        megabytes=MEGABYTES_MAX,
        text_chars_max=TEXT_CHARS_MAX,
    )


def _mail_form(intake: Intake, error: SafeconductError | None, typed: str = "") -> web.Response:
    status = 200 if error is None else error.http_status
    problem = None if error is None else _problem(error)
    return _page(
        intake, "mail.html", "/mail", status=status, problem=problem, typed=typed, choose=False
    )


def _page(
    intake: Intake, template: str, here: str, *, status: int = 200, **values: object
) -> web.Response:
    assert __package__ is not None
    content = pages.render(
        __package__, template, site=intake.programme.name, here=here, **values
    )
    return web.html(content, status=status)


def _problem(error: SafeconductError, field: str = "") -> Problem:
    if isinstance(error, UnavailableError):  # its message is for whoever runs the door
        return Problem(message="Part of this service does not answer now.", hint="", later=True)
    return Problem(message=_sentence(error.message), hint=_sentence(error.hint), field=field)


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + "." if text else ""


def _language(known: tuple[str, ...], wanted: str) -> str:
    if wanted in known:
        return wanted
    return show.DEFAULT_LANGUAGE if show.DEFAULT_LANGUAGE in known else known[0]


def _text(form: Form, name: str) -> str:
    """The field's text, or nothing: a browser's odd form must not cost the visitor the page."""
    return "".join(form.texts(name)[:1])


def _plain_name(name: str) -> str:
    """The last part of what a browser may send as a whole path."""
    return name.replace("\\", "/").rpartition("/")[2] or "file"


def _too_long() -> MalformedError:
    error = MalformedError(
        f"the files are larger than {MEGABYTES_MAX} MB together",
        hint="choose fewer files, or send them one after the other with the same words",
    )
    error.http_status = 413
    return error


@contextmanager
def _sharing(room: FormRoom) -> Iterator[_Take]:
    """Gives what takes a number of bytes of `room`, all of which are given back at the end."""
    taken = 0

    def take(size_bytes: int) -> None:
        nonlocal taken
        if size_bytes > room.left_bytes:
            raise UnavailableError("too many long forms at once")
        room.left_bytes -= size_bytes
        taken += size_bytes

    try:
        yield take
    finally:
        room.left_bytes += taken


async def _read_form(request: web.Request, take: _Take) -> tuple[Form, SafeconductError | None]:
    """The posted form, and why it is not all there is, if it is not.

    Of a form that is too long the beginning is kept, where words and text stand, and the rest
    is read and dropped: a server that hangs up in the middle leaves a visitor without a page.

    Raises:
        MalformedError: not a form, or endless.
    """
    content_type = request.headers.get("content-type", "")
    kept, problem = await _read_start(request.stream(), take)
    body = kept if problem is None else _closed(kept, content_type)
    return parse_form(content_type, body), problem


async def _read_start(
    pieces: AsyncIterator[bytes], take: _Take
) -> tuple[bytes, SafeconductError | None]:
    kept, size = bytearray(), 0
    problem: SafeconductError | None = None
    async for piece in pieces:
        size += len(piece)
        if size > LONG_FORM_BYTES_MAX:
            raise MalformedError("the form is far too long", hint="send smaller files")
        if problem is None and size > FORM_BYTES_MAX:
            problem = _too_long()
        if problem is None:
            try:
                take(max(0, min(len(piece), size - SHORT_FORM_BYTES_MAX)))
            except UnavailableError as error:
                problem = error
            else:
                kept += piece
    return bytes(kept), problem


def _closed(start: bytes, content_type: str) -> bytes:
    """The whole parts at the start of a multipart body, closed as if nothing had followed."""
    boundary = b"--" + content_type.rpartition("boundary=")[2].strip('"').encode()
    return start[: start.rfind(boundary)] + boundary + b"--\r\n"
