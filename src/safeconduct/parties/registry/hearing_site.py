"""The page of a person who is to be listed: the whole file, a form to reply, one to appeal.

Its address is the only key to it; it stands in the letter. Nothing here says whether a listing
exists to anybody who does not have it.

Spec: docs/3-protocol.md §16.1.
"""

from collections.abc import Callable, Mapping
from functools import partial

from safeconduct.errors import MalformedError, RefusedError, SafeconductError, UnavailableError
from safeconduct.parties.registry import hearing
from safeconduct.parties.registry.book import Reader
from safeconduct.parties.registry.hearing import Hearing, read_hearing
from safeconduct.parties.registry.letter_files import (
    LETTER_TYPES,
    LETTERS_FOLDER,
    answer,
    is_kept,
    read_kept,
)
from safeconduct.parties.registry.told import file_told, told_stem
from safeconduct.plumbing import pages, web
from safeconduct.plumbing.forms import Form
from safeconduct.plumbing.letter_text import blocks
from safeconduct.protocol.canonical import parse_hex
from safeconduct.protocol.claim import GROUNDS
from safeconduct.protocol.listing.dossier import format_dossier
from safeconduct.protocol.registration import Event

PAGE_BYTES = 32
FORM_BYTES_MAX = 256 << 10  # a text of 20,000 characters, written with %
RECORDS = {
    "notice.record": ("notified", "notice"),
    "notice.tlog-proof": ("notified", "proof"),
    "decision.record": ("decided", "decision"),
    "decision.tlog-proof": ("decided", "proof"),
    "appeal.record": ("appealed", "record"),
    "appeal-decision.record": ("appeal_decided", "decision"),
}
"""What the person may take away: the name of the file, the event and its field."""

DATED = {"reply.tlog-proof": "replied", "appeal.tlog-proof": "appealed"}
"""The Ledger's proofs of what the person handed in, and the event that each is of."""
REPLY = "reply.json"  # text, salt and hash: what opens the commitment that the Ledger dates

LETTERS = {
    "notice": "The notice",
    "decision": "The decision",
    "panel": "The appeal panel’s decision",
    "end": "The end of this listing",
}
"""By its kind, what a letter is called."""


def routes(reader: Reader) -> list[web.Route]:
    """Everything below `/listing/<page>`."""
    taken: dict[str, Callable[[Reader, bytes, Form], None]] = {
        "reply": _reply,
        "appeal": _appeal,
        "consent": _consent,
    }
    return [
        web.Route("GET", "/listing/{page}", partial(_shown, reader), page=True),
        web.Route("GET", "/listing/{page}/{name}", partial(_file, reader), page=True),
        *(
            web.Route("POST", f"/listing/{{page}}/{name}", partial(_take, reader, take))
            for name, take in taken.items()
        ),
    ]


def _shown(reader: Reader, request: web.Request) -> web.Response:
    try:
        return _page(reader, _hearing(reader, request))
    except SafeconductError as error:
        return _failed(reader, error)


def _hearing(reader: Reader, request: web.Request) -> Hearing:
    try:
        page = parse_hex(request.path_params["page"], PAGE_BYTES, "page")
        return read_hearing(reader.registry, page)
    except (MalformedError, RefusedError) as error:
        raise web.missing(
            "there is nothing at this address", hint="check it to the last letter"
        ) from error


async def _take(
    reader: Reader, take: Callable[[Reader, bytes, Form], None], request: web.Request
) -> web.Response:
    try:
        form = await web.read_form(request, bytes_max=FORM_BYTES_MAX)
        listed = (await web.in_thread(_hearing, reader, request)).listed
        await web.in_thread(take, reader, listed.page, form)
    except SafeconductError as error:
        return _failed(reader, error)
    return web.redirect(f"/listing/{listed.page.hex()}")


def _reply(reader: Reader, page: bytes, form: Form) -> None:
    hearing.reply(reader.registry, page, form.text("text"))


def _appeal(reader: Reader, page: bytes, form: Form) -> None:
    hearing.appeal(reader.registry, page, form.text("ground"), form.text("text"))


def _consent(reader: Reader, page: bytes, form: Form) -> None:
    hearing.consent(reader.registry, page, shown=form.text("shown") == "yes")


def _file(reader: Reader, request: web.Request) -> web.Response:
    """The file itself, every signed record about it and every letter, to take away."""
    found, name = _hearing(reader, request), request.path_params["name"]
    kind, dot, suffix = name.partition("-letter.")
    if dot and kind in LETTERS and f".{suffix}" in LETTER_TYPES:
        return _letter(reader, found, kind, f".{suffix}")
    if name == "file.json":
        return web.data(format_dossier(found.dossier), "application/json")
    latest = found.course.latest
    if name == REPLY and "replied" in latest:
        return web.data(latest["replied"].data, "application/json")
    if DATED.get(name) in latest:
        return web.text(hearing.dated(reader.registry, found.course, DATED[name]).decode())
    kind, field = RECORDS.get(name, ("", ""))
    event = found.course.latest.get(kind)
    if event is None:
        raise web.missing("nothing at this address", hint="look again later")
    return web.text(event.word(field))


def _letter(reader: Reader, found: Hearing, kind: str, suffix: str) -> web.Response:
    """A letter about this listing; to print, if there is no PDF."""
    folder, stem = reader.registry.folder / LETTERS_FOLDER, told_stem(found.listed.number, kind)
    content = read_kept(folder, stem, suffix)
    if content is None and suffix == ".pdf":
        suffix, content = ".html", read_kept(folder, stem, ".html")
    if content is None:
        raise web.missing("nothing at this address", hint="look again later")
    return answer(content, suffix)


def _letters(reader: Reader, found: Hearing) -> list[tuple[str, str]]:
    """What each letter is called that there is, and its name below this page."""
    folder, number = reader.registry.folder / LETTERS_FOLDER, found.listed.number
    return [
        (title, f"{kind}-letter")
        for kind, title in LETTERS.items()
        if is_kept(folder, told_stem(number, kind))
    ]


def _page(reader: Reader, found: Hearing) -> web.Response:
    latest = found.course.latest
    return _render(
        reader,
        "listing.html",
        hearing=found,
        told=file_told(found.dossier),
        files=["file.json", *_held(latest)],
        letters=_letters(reader, found),
        forms=sorted(LETTER_TYPES),
        decision=blocks(latest["decided"].word("letter")) if "decided" in latest else (),
        panel=blocks(latest["appeal_decided"].word("letter"))
        if "appeal_decided" in latest
        else (),
        grounds=sorted(GROUNDS),
        longest=hearing.TEXT_CHARACTERS_MAX,
    )


def _held(latest: Mapping[str, Event]) -> list[str]:
    """What there is to take away by now, beside the file itself."""
    named = {name: kind for name, (kind, _) in RECORDS.items()} | DATED | {REPLY: "replied"}
    return [name for name, kind in named.items() if kind in latest]


def _failed(reader: Reader, error: SafeconductError) -> web.Response:
    later = isinstance(error, UnavailableError)  # its message is for whoever runs the register
    message = "The register cannot do this now" if later else error.message
    hint = "Wait a minute and send it again: nothing was lost" if later else error.hint
    return _render(
        reader,
        "error.html",
        status=error.http_status,
        message=_sentence(message),
        hint=_sentence(hint),
    )


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + "." if text else ""


def _render(
    reader: Reader, template: str, *, status: int = 200, **values: object
) -> web.Response:
    assert __package__ is not None
    site = f"{reader.registry.programme.name} register"
    content = pages.render(__package__, template, language="en", site=site, here="", **values)
    return web.html(content, status=status)
