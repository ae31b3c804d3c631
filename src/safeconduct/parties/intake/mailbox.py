"""Coming back with the words: what became of each message, the answers, and the receipts.

    GET  mail           the one field for twelve words
    POST mail           how far each message has come      mail/message   one of them
         mail/receipt   one of its records and its proof   mail/more      say more
         mail/withdraw, mail/withdrawn                     take it back: `withdrawing`
         mail/claim, mail/claim/made, mail/claim/filed     claim: `claiming`

Words are typed once: each page carries them on in its ticket, for half an hour. Nothing is kept
here between two pages, and every post may be repeated without harm.

Words with a slip in them, words that nobody used and decoys are treated alike. All are
stretched and looked up, in the same order, before anything is said; those with a slip are
replaced by random ones for that. The answer is the same page.

Spec: docs/3-protocol.md §6.1, §11, §12, §14.
"""

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from safeconduct.errors import RefusedError, SafeconductError
from safeconduct.parties.intake.accept import Intake
from safeconduct.parties.intake.frame import (
    Handler,
    Problem,
    page,
    problem_of,
    routes_of,
    ticket_void,
)
from safeconduct.parties.intake.reading import (
    Answer,
    Letter,
    Mailbox,
    read_letter,
    read_mailbox,
    standing,
)
from safeconduct.parties.intake.telling import begin_more, entropy_of, field_of
from safeconduct.parties.intake.ticket import Ticket
from safeconduct.plumbing import web
from safeconduct.plumbing.forms import Form
from safeconduct.protocol.canonical import format_base64, parse_decimal
from safeconduct.protocol.gazette import GazetteState
from safeconduct.protocol.keys import ENTROPY_BYTES
from safeconduct.protocol.receipt import verify_receipt
from safeconduct.protocol.record import parse_record
from safeconduct.protocol.statute.load import load_statute
from safeconduct.protocol.statute.text import Provision, Statute, all_conditions

FORM_BYTES_MAX = 16 << 10
LETTERS = 8  # to a page
SHEET_BYTES = 6_000  # of answers, as HTML: so that a page with its style stays below 30 kB
PAPERS_MAX = 12  # acknowledgements of one message that can be saved
ACKNOWLEDGED = "tips.acknowledged"

_Escaped = {"&": 5, "<": 4, ">": 4, '"': 5, "'": 5}


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """A form that came with a ticket that holds."""

    form: Form = field(repr=False)
    ticket: Ticket
    flow: str = field(default="", repr=False)

    def number(self, name: str = "number") -> int:
        """The number in a field.

        Raises:
            MalformedError: it holds none.
        """
        return parse_decimal(field_of(self.form, name), name)


RECEIPT_CHARS_MAX = 5_200  # of a record and its proof: longer ones are saved, not shown as well

Show = Callable[[Intake, str, Visit], web.Response]


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """A record or a proof, as a `data:` address that a page without a script can save."""

    name: str
    text: str
    address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    """A record with its proof, which is empty before there is one; `name` is for the files."""

    kind: str
    name: str
    record: bytes
    proof: bytes
    doubt: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """An answer, or as much of one as there is room for."""

    text: str
    doubt: str


def routes(intake: Intake) -> list[web.Route]:
    """The pages of the mailbox, but those that act."""
    posted: dict[str, Handler] = {
        "/mail": opened,
        "/mail/message": visited(message),
        "/mail/receipt": visited(receipt),
        "/mail/more": visited(more),
    }
    return [
        *routes_of(intake, "GET", {"/mail": blank, "/mail/{rest:path}": astray}),
        *routes_of(intake, "POST", posted),
    ]


# What every page of the mailbox shares.


def visited(show: Show) -> Handler:
    """A handler that opens the ticket, waits for its turn, and shows something."""

    async def handler(intake: Intake, request: web.Request, language: str) -> web.Response:
        async def shown(visit: Visit) -> web.Response:
            async with intake.reading.turn(flow=web.flow_of(request)):
                return await web.in_thread(show, intake, language, visit)

        return await admit(intake, request, language, shown)

    return handler


async def admit(
    intake: Intake,
    request: web.Request,
    language: str,
    show: Callable[[Visit], Awaitable[web.Response]],
    *,
    bytes_max: int = FORM_BYTES_MAX,
) -> web.Response:
    """What `show` makes of a form whose ticket holds; else the field for the words again."""
    form = await web.read_form(request, bytes_max=bytes_max)
    try:
        ticket = _ticket_in(intake, form)
    except RefusedError as error:
        return _blank(intake, language, ticket_void(error, language), error.http_status)
    return await show(Visit(form=form, ticket=ticket, flow=web.flow_of(request)))


def _ticket_in(intake: Intake, form: Form) -> Ticket:
    ticket = intake.tickets.open(field_of(form, "ticket"))
    if not ticket.entropy:
        raise RefusedError("the ticket holds no words")
    return ticket


def carried(intake: Intake, visit: Visit) -> str:
    """The ticket for the next page, good for half an hour from now."""
    return intake.tickets.seal(replace(visit.ticket, opened_at=intake.tickets.seconds()))


def letter_of(intake: Intake, visit: Visit) -> Letter:
    """The message that the form is about.

    Raises:
        MalformedError: it names none.
        RefusedError: these words have none of this number (HTTP 404).
        UnavailableError: the Gazette cannot be read.
    """
    letter = read_letter(intake, visit.ticket.entropy, visit.number())
    if letter is None:
        raise web.missing("these words have no message of this number")
    return letter


def file_of(name: str, data: bytes) -> File:
    """A file to save and to look at."""
    address = f"data:application/octet-stream;base64,{format_base64(data)}"
    return File(name=name, text=data.decode("utf-8", "replace"), address=address)


def files_of(paper: Paper) -> list[File]:
    """The two files that make a receipt; one while the proof is missing."""
    record = file_of(f"{paper.name}.record", paper.record)
    proof = [file_of(f"{paper.name}.tlog-proof", paper.proof)] if paper.proof else []
    return [record, *proof]


# The words.


def blank(intake: Intake, _: web.Request, language: str) -> web.Response:
    """The one field that opens a mailbox."""
    return _blank(intake, language)


def astray(intake: Intake, _: web.Request, language: str) -> web.Response:
    """For who opens a page of the mailbox by its address: its words must be typed first."""
    del intake
    return web.redirect(f"/{language}/mail")


def _blank(
    intake: Intake, language: str, problem: Problem | None = None, status: int = 200
) -> web.Response:
    return page(
        intake,
        language,
        "mail.html",
        "/mail",
        status=status,
        switch=problem is None,
        problem=problem,
        typed="",
    )


async def opened(intake: Intake, request: web.Request, language: str) -> web.Response:
    """How far each message of these words has come, the newest first."""
    try:
        form = await web.read_form(request, bytes_max=FORM_BYTES_MAX)
        if form.texts("ticket"):
            ticket = _ticket_in(intake, form)
            below = field_of(form, "below")
            last = parse_decimal(below, "below") if below else None
            async with intake.reading.turn(flow=web.flow_of(request)):
                return await web.in_thread(_listed, intake, language, ticket, last)
        async with intake.reading.turn(flow=web.flow_of(request)):
            return await web.in_thread(look_up, intake, language, field_of(form, "words"))
    except RefusedError as error:
        return _blank(intake, language, ticket_void(error, language), error.http_status)
    except SafeconductError as error:
        return _blank(intake, language, problem_of(error, language), error.http_status)


def look_up(intake: Intake, language: str, typed: str) -> web.Response:
    """The mailbox of twelve words, after the same work whatever was typed."""
    dummy = intake.random_bytes(ENTROPY_BYTES)
    try:
        entropy = entropy_of(typed, language)
    except SafeconductError:
        entropy = b""
    mailbox = read_mailbox(intake, entropy or dummy, below=None, count=LETTERS)
    ticket = Ticket(opened_at=intake.tickets.seconds(), entropy=entropy or dummy)
    shown = mailbox if entropy else Mailbox()
    return _letters(intake, language, ticket, shown, typed)


def _listed(intake: Intake, language: str, ticket: Ticket, below: int | None) -> web.Response:
    mailbox = read_mailbox(intake, ticket.entropy, below=below, count=LETTERS)
    renewed = replace(ticket, opened_at=intake.tickets.seconds())
    return _letters(intake, language, renewed, mailbox, "")


def _letters(
    intake: Intake, language: str, ticket: Ticket, mailbox: Mailbox, typed: str
) -> web.Response:
    sealed = intake.tickets.seal(ticket)
    return page(
        intake,
        language,
        "letters.html",
        "/mail",
        mailbox=mailbox,
        ticket=sealed,
        typed="" if mailbox.standings else typed,
    )


# One message.


def message(intake: Intake, language: str, visit: Visit) -> web.Response:
    """How far one message has come, what the desk answers, and what can be done."""
    letter = letter_of(intake, visit)
    now = standing(letter, intake.seconds())
    sheets = sheets_of(letter.answers)
    wanted = visit.number("sheet") if visit.form.texts("sheet") else 1
    sheet = min(max(wanted, 1), len(sheets))
    return page(
        intake,
        language,
        "mail_message.html",
        "/mail",
        ticket=carried(intake, visit),
        number=letter.number,
        each=now,
        due_at=letter.due_at,
        sections=_sections(intake.gazette().state, letter) if now.overdue_since else (),
        pieces=sheets[sheet - 1],
        sheet=sheet,
        sheets=len(sheets),
        papers=_listed_papers(papers_of(letter)),
    )


def sheets_of(answers: Sequence[Answer]) -> list[list[Piece]]:
    """The answers in pages of a few thousand bytes, the newest first; never an empty list."""
    sheets: list[list[Piece]] = [[]]
    room = SHEET_BYTES
    for answer in reversed(answers):
        if not answer.text and not answer.doubt:
            continue
        for text in split_text(answer.text, SHEET_BYTES):
            size = _size(text)
            if size > room and sheets[-1]:
                sheets.append([])
                room = SHEET_BYTES
            room -= size
            sheets[-1].append(Piece(text=text, doubt=answer.doubt))
    return sheets


def split_text(text: str, size_bytes: int) -> Iterator[str]:
    """The text in pieces of at most so many bytes of HTML, cut between words if it can be."""
    start, room, gap = 0, size_bytes, 0
    for place, character in enumerate(text):
        cost = _cost(character)
        if cost > room:
            end = gap if gap > start else place
            yield text[start:end]
            room = size_bytes - _size(text[end:place])
            start = end
        room -= cost
        if character.isspace():
            gap = place + 1
    yield text[start:]


def _size(text: str) -> int:
    return sum(map(_cost, text))


def _cost(character: str) -> int:
    """How many bytes a character takes in a page."""
    return _Escaped.get(character) or len(character.encode("utf-8", "replace"))


def _sections(state: GazetteState, letter: Letter) -> tuple[str, ...]:
    """The sections of the message's law that speak of the desk's answer to a message."""
    sha256 = parse_record(letter.capsule.record, "contribution").hash("statute")
    statute = load_statute(state.statute(sha256).law)
    return tuple(part.number for part in _provisions(statute) if _speaks_of(part, ACKNOWLEDGED))


def _provisions(statute: Statute) -> list[Provision]:
    return [part for part in statute.sections if isinstance(part, Provision)]


def _speaks_of(provision: Provision, fact: str) -> bool:
    return any(each.fact == fact for each in all_conditions(provision))


def more(intake: Intake, language: str, visit: Visit) -> web.Response:
    """The form, for an answer or another message with the same words."""
    return begin_more(intake, language, visit.ticket.entropy)


# Receipts.


def papers_of(letter: Letter) -> dict[str, Paper]:
    """Every record that the message left, with its proof, by what a form calls it."""
    found: dict[str, Paper] = {}
    if letter.receipt:
        capsule = letter.capsule
        found["sent"] = Paper(
            kind="sent", name="receipt", record=capsule.record, proof=capsule.proof
        )
    if letter.delivered:
        record, proof = letter.delivered.delivery, letter.delivered.delivery_proof
        found["delivery"] = Paper(kind="delivery", name="delivery", record=record, proof=proof)
    if letter.withdrawn:
        found["withdrawal"] = withdrawal_paper(letter)
    for answer in [each for each in letter.answers if each.acknowledgement][-PAPERS_MAX:]:
        found[f"answer-{answer.counter}"] = _acknowledgement_paper(answer)
    return found


def _listed_papers(papers: Mapping[str, Paper]) -> list[tuple[str, str, int]]:
    """What to ask for, its kind, and which of several acknowledgements it is, else 0."""
    answers = [which for which, paper in papers.items() if paper.kind == "answer"]
    places = {which: place for place, which in enumerate(answers, 1) if len(answers) > 1}
    return [(which, paper.kind, places.get(which, 0)) for which, paper in papers.items()]


def withdrawal_paper(letter: Letter) -> Paper:
    """The signed withdrawal of a message that was taken back, and its proof."""
    assert letter.withdrawn is not None
    record, proof = letter.withdrawn.signed, letter.withdrawn.proof
    return Paper(kind="withdrawal", name="withdrawal", record=record, proof=proof)


def _acknowledgement_paper(answer: Answer) -> Paper:
    return Paper(
        kind="answer",
        name="acknowledgement",
        record=answer.acknowledgement,
        proof=answer.proof,
        doubt=answer.doubt,
    )


def receipt(intake: Intake, language: str, visit: Visit) -> web.Response:
    """One record with its proof, to look at and to save."""
    letter = letter_of(intake, visit)
    paper = papers_of(letter).get(field_of(visit.form, "which"))
    if paper is None:
        raise web.missing("this message has no such receipt")
    return page(
        intake,
        language,
        "mail_receipt.html",
        "/mail",
        ticket=carried(intake, visit),
        number=letter.number,
        kind=paper.kind,
        called=paper.name,
        doubt=paper.doubt,
        dated_at=dated_at(intake, paper),
        files=files_of(paper),
        shown=len(paper.record) + len(paper.proof) <= RECEIPT_CHARS_MAX,
    )


def dated_at(intake: Intake, paper: Paper) -> int | None:
    """By when the record existed, POSIX seconds; None while its proof is missing or is bad."""
    programme = intake.programme
    try:
        receipt = verify_receipt(
            paper.record, paper.proof, programme.policy, programme.ledger_origin
        )
    except SafeconductError:
        return None
    return None if paper.doubt else receipt.logged_by
