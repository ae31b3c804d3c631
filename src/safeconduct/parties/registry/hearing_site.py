"""The page of a person who is to be listed: the whole file, a form to reply, one to appeal.

Its address is the only key to it; it stands in the letter. Nothing here says whether a listing
exists to anybody who does not have it.

Spec: docs/3-protocol.md §16.1.
"""

from collections.abc import Callable, Mapping
from functools import partial

from safeconduct.errors import MalformedError, RefusedError
from safeconduct.parties.registry import hearing
from safeconduct.parties.registry.book import Reader
from safeconduct.parties.registry.frame import draw, get, post
from safeconduct.parties.registry.hearing import Hearing, read_hearing
from safeconduct.parties.registry.letter_files import (
    LETTER_TYPES,
    LETTERS_FOLDER,
    answer,
    is_kept,
    read_kept,
)
from safeconduct.parties.registry.told import file_told, told_stem
from safeconduct.parties.registry.tongue import speaks
from safeconduct.parties.registry.voted import tallies_of
from safeconduct.plumbing import tongues, web
from safeconduct.plumbing.forms import Form
from safeconduct.plumbing.languages import DEFAULT, marked
from safeconduct.plumbing.letter_text import blocks
from safeconduct.plumbing.tongues import language_of
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
    "notice": marked("The notice"),
    "decision": marked("The decision"),
    "panel": marked("The appeal panel’s decision"),
    "end": marked("The end of this listing"),
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
        get("/listing/{page}", reader, _page),
        get("/listing/{page}/{name}", reader, _file),
        *(
            post(f"/listing/{{page}}/{name}", reader, partial(_take, take))
            for name, take in taken.items()
        ),
    ]


def _hearing(reader: Reader, request: web.Request) -> Hearing:
    try:
        page = parse_hex(request.path_params["page"], PAGE_BYTES, "page")
        return read_hearing(reader.registry, page)
    except (MalformedError, RefusedError) as error:
        raise web.missing(
            marked("there is nothing at this address"),
            hint=marked("check it to the last letter"),
        ) from error


async def _take(
    take: Callable[[Reader, bytes, Form], None], reader: Reader, request: web.Request
) -> web.Response:
    form = await web.read_form(request, bytes_max=FORM_BYTES_MAX)
    listed = (await web.in_thread(_hearing, reader, request)).listed
    await web.in_thread(take, reader, listed.page, form)
    root = tongues.root(language_of(request), plain=DEFAULT)
    return web.redirect(f"{root}/listing/{listed.page.hex()}")


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
        raise web.missing(marked("nothing at this address"), hint=marked("look again later"))
    return web.text(event.word(field))


def _letter(reader: Reader, found: Hearing, kind: str, suffix: str) -> web.Response:
    """A letter about this listing; to print, if there is no PDF."""
    folder, stem = reader.registry.folder / LETTERS_FOLDER, told_stem(found.listed.number, kind)
    content = read_kept(folder, stem, suffix)
    if content is None and suffix == ".pdf":
        suffix, content = ".html", read_kept(folder, stem, ".html")
    if content is None:
        raise web.missing(marked("nothing at this address"), hint=marked("look again later"))
    return answer(content, suffix)


def _letters(reader: Reader, found: Hearing, language: str) -> list[tuple[str, str]]:
    """What each letter is called that there is, and its name below this page."""
    folder, number = reader.registry.folder / LETTERS_FOLDER, found.listed.number
    _ = speaks(language)
    return [
        (_(title), f"{kind}-letter")
        for kind, title in LETTERS.items()
        if is_kept(folder, told_stem(number, kind))
    ]


def _page(reader: Reader, request: web.Request) -> web.Response:
    found, language = _hearing(reader, request), language_of(request)
    latest = found.course.latest
    return draw(
        reader,
        request,
        "listing.html",
        "",
        hearing=found,
        told=file_told(found.dossier, found.law, language),
        files=["file.json", *_held(latest)],
        letters=_letters(reader, found, language),
        forms=sorted(LETTER_TYPES),
        decision=blocks(latest["decided"].word("letter")) if "decided" in latest else (),
        panel=blocks(latest["appeal_decided"].word("letter"))
        if "appeal_decided" in latest
        else (),
        voted=tallies_of(latest),
        grounds=sorted(GROUNDS),
        longest=hearing.TEXT_CHARACTERS_MAX,
    )


def _held(latest: Mapping[str, Event]) -> list[str]:
    """What there is to take away by now, beside the file itself."""
    named = {name: kind for name, (kind, _) in RECORDS.items()} | DATED | {REPLY: "replied"}
    return [name for name, kind in named.items() if kind in latest]
