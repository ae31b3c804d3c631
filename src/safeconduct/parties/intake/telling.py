"""The form, one small page for each step; nothing is sent before the last button.

    GET  tell           twelve fresh words, shown once; opening it holds a place
    POST tell/check     asks for three of them             tell/confirm   compares them
         tell/words     all twelve, of somebody who has been here before
         tell/nothing   for who keeps nothing: what that costs, then random words that are lost
         tell/answers   the body's questions, if it asks any
         tell/text      the message      tell/files   its files
         tell/send      a look, then away                  tell/stop      forget all of it
         tell/again     an earlier step once more

What a visitor has done so far is in the ticket that each page carries, and in a spool that only
the ticket opens. So no address carries a state, "back" shows a page that still works, and a
step that is posted twice does what it did.

There is no token against forged requests: a browser carries no authority here that another
site could borrow. All authority is in twelve words or in a ticket, and no other site can read
either. That none lends its own to a visitor, `frame` sees to.

Words that were used before, words that nobody used and decoys are treated alike: no step looks
any of them up.

Spec: docs/3-protocol.md §14.
"""

from collections.abc import Callable
from dataclasses import replace

from safeconduct.errors import RefusedError, SafeconductError
from safeconduct.parties.intake import questions
from safeconduct.parties.intake.accept import Intake
from safeconduct.parties.intake.frame import (
    Handler,
    Problem,
    page,
    problem_of,
    routes_of,
    speaks,
    ticket_void,
)
from safeconduct.parties.intake.looking import look_page
from safeconduct.parties.intake.spool import MESSAGE
from safeconduct.parties.intake.steps import ANSWERS, CHECK, FILES, TEXT, WORDS, at_step
from safeconduct.parties.intake.ticket import Ticket
from safeconduct.plumbing import web
from safeconduct.plumbing.forms import Form
from safeconduct.plumbing.words import ENGLISH, format_words, parse_words, same_word
from safeconduct.protocol.envelope import MESSAGE_NAME
from safeconduct.protocol.keys import ENTROPY_BYTES

TEXT_CHARS_MAX = 100_000
FORM_BYTES_MAX = 16 << 10
TEXT_FORM_BYTES_MAX = 448 << 10  # the longest text, in any script, and a ticket
ASKED = 3
WORDS_ASKED_FROM = 12
WORD_LISTS = {"en": ENGLISH, "fr": "french", "es": "spanish", "ru": "russian"}
"""The BIP39 list of the visitor's language, where there is one."""

_Step = Callable[[Intake, str, Form, Ticket], web.Response]


def routes(intake: Intake) -> list[web.Route]:
    """Every step but the files, which come streamed, and the end."""
    posted: dict[str, Handler] = {
        "/tell/check": _step(check),
        "/tell/confirm": _step(confirm),
        "/tell/words": _step(returning),
        "/tell/nothing": _step(nothing),
        "/tell/answers": _step(answers, bytes_max=TEXT_FORM_BYTES_MAX),
        "/tell/text": text,
        "/tell/again": _step(again),
    }
    return [
        *routes_of(intake, "GET", {"/tell": words, "/tell/{step}": astray}),
        *routes_of(intake, "POST", posted),
    ]


def _step(take: _Step, *, bytes_max: int = FORM_BYTES_MAX) -> Handler:
    """A handler that opens the ticket first; without one that holds, it says what to do."""

    async def taken(intake: Intake, request: web.Request, language: str) -> web.Response:
        form = await web.read_form(request, bytes_max=bytes_max)
        try:
            ticket = intake.tickets.open(field_of(form, "ticket"))
        except RefusedError as error:
            return void_page(intake, language, error)
        return await web.in_thread(take, intake, language, form, ticket)

    return taken


def field_of(form: Form, name: str) -> str:
    """The field's text, or nothing: a browser's odd form must not cost the visitor the page."""
    return "".join(form.texts(name)[:1])


def void_page(intake: Intake, language: str, error: RefusedError) -> web.Response:
    """What is shown to somebody whose ticket does not hold any more."""
    problem = ticket_void(error, language)
    return page(intake, language, "error.html", "", status=error.http_status, problem=problem)


def astray(intake: Intake, request: web.Request, language: str) -> web.Response:
    """For who opens a step by its address: it is no page of its own."""
    _ = speaks(language)
    problem = Problem(
        message=_("This address is a step of the form."),
        hint=_("Opening it sends nothing and shows nothing. Start again with the same words."),
    )
    return page(intake, language, "error.html", "", status=404, problem=problem)


# Words.


def words(intake: Intake, _: web.Request, language: str) -> web.Response:
    """Twelve fresh words and what they are for."""
    entropy = intake.random_bytes(ENTROPY_BYTES)
    # From here on others may come later, but not before: a place in the queue is held.
    ticket = Ticket(
        opened_at=intake.tickets.seconds(),
        entropy=entropy,
        place=intake.sealing.place(),
        asked=_drawn(intake),
    )
    return _words_page(intake, language, ticket, "/tell", switch=True)


def _words_page(
    intake: Intake, language: str, ticket: Ticket, here: str = "", *, switch: bool = False
) -> web.Response:
    listed = WORD_LISTS.get(language, ENGLISH)
    return page(
        intake,
        language,
        "words.html",
        here,
        switch=switch,
        words=format_words(ticket.entropy, listed).split(),
        words_language=language if language in WORD_LISTS else "en",
        **at_step(intake, WORDS, ticket),
    )


def check(intake: Intake, language: str, _: Form, ticket: Ticket) -> web.Response:
    """Three of the words are asked for, by number; they are not shown any more."""
    return _check_page(intake, language, replace(ticket, asked=_drawn(intake)))


def _drawn(intake: Intake) -> tuple[int, ...]:
    """The places of the words to confirm; until they are, a ticket leads no further."""
    places = sorted(range(1, WORDS_ASKED_FROM + 1), key=lambda _: intake.random_bytes(8))
    return tuple(sorted(places[:ASKED]))


def _check_page(
    intake: Intake, language: str, ticket: Ticket, wrong: tuple[int, ...] = ()
) -> web.Response:
    problem = None
    if wrong:
        _ = speaks(language)
        message = _("These do not fit: word %(places)s.")
        problem = Problem(
            message=message % {"places": ", ".join(map(str, wrong))},
            hint=_(
                "Compare them with your paper and type them again, or look at the words again."
            ),
            field=f"word-{wrong[0]}",
        )
    return page(
        intake,
        language,
        "check.html",
        "",
        status=422 if wrong else 200,
        asked=ticket.asked,
        wrong=wrong,
        **at_step(intake, CHECK, ticket, problem),
    )


def confirm(intake: Intake, language: str, form: Form, ticket: Ticket) -> web.Response:
    """On to the next step, if the three words are right; else which ones are not."""
    if not ticket.asked:
        return check(intake, language, form, ticket)
    shown = format_words(ticket.entropy, WORD_LISTS.get(language, ENGLISH)).split()
    wrong = tuple(
        place
        for place in ticket.asked
        if not same_word(field_of(form, f"word-{place}"), shown[place - 1])
    )
    if wrong:
        return _check_page(intake, language, ticket, wrong)
    return _begin(intake, language, replace(ticket, asked=()))


def returning(intake: Intake, language: str, form: Form, ticket: Ticket) -> web.Response:
    """All twelve words of somebody who has them; asked for, if none were typed yet."""
    typed = field_of(form, "words")
    if not typed.strip():
        return _returning_page(intake, language, ticket, None, "")
    try:
        entropy = entropy_of(typed, language)
    except SafeconductError as error:
        return _returning_page(intake, language, ticket, error, typed)
    return _begin(intake, language, replace(ticket, entropy=entropy, asked=(), kept=True))


def entropy_of(typed: str, language: str) -> bytes:
    """The 16 bytes of twelve typed words; words of two lists are read as the visitor's.

    Raises:
        MalformedError: not twelve words that belong together.
    """
    try:
        return parse_words(typed)
    except RefusedError:
        return parse_words(typed, WORD_LISTS.get(language, ENGLISH))


def words_problem(error: SafeconductError, language: str) -> Problem:
    """What is told of twelve words that do not belong together; never which words they are."""
    _ = speaks(language)
    return Problem(
        message=_("These are not twelve words that belong together."),
        hint=_("Compare each word and their order with your paper."),
        field="words",
        detail=error.message,
    )


def _returning_page(
    intake: Intake, language: str, ticket: Ticket, error: SafeconductError | None, typed: str
) -> web.Response:
    problem = None if error is None else words_problem(error, language)
    return page(
        intake,
        language,
        "returning.html",
        "",
        status=200 if error is None else 422,
        typed=typed,
        **at_step(intake, CHECK, ticket, problem),
    )


def nothing(intake: Intake, language: str, form: Form, ticket: Ticket) -> web.Response:
    """What it costs to keep nothing; once that is clear, words that nobody ever sees."""
    if not field_of(form, "sure"):
        return page(intake, language, "nothing.html", "", **at_step(intake, CHECK, ticket))
    entropy = intake.random_bytes(ENTROPY_BYTES)
    return _begin(intake, language, replace(ticket, entropy=entropy, asked=(), kept=False))


# Answers and text.


def _begin(intake: Intake, language: str, ticket: Ticket) -> web.Response:
    """The first step after the words, with a place for what is handed in."""
    ticket = with_spool(intake, ticket)
    if questions.asks(intake):
        return questions.first(intake, language, ticket)
    return text_page(intake, language, ticket)


def begin_more(intake: Intake, language: str, entropy: bytes) -> web.Response:
    """The text step for somebody whose words were typed in the mailbox just now."""
    ticket = Ticket(opened_at=intake.tickets.seconds(), entropy=entropy)
    return text_page(intake, language, with_spool(intake, ticket))


def with_spool(intake: Intake, ticket: Ticket) -> Ticket:
    """The ticket with a spool that is there: a fresh one, if it has none or lost it.

    Raises:
        UnavailableError: there are far too many spools, or the disk refused.
    """
    if ticket.spool and intake.spools.is_there(ticket.spool):
        return ticket
    spool, key = intake.spools.begin(intake.random_bytes)
    return replace(ticket, spool=spool, spool_key=key)


def answers(intake: Intake, language: str, form: Form, ticket: Ticket) -> web.Response:
    """The next question page, or the text step once all is answered."""
    if not ticket.confirmed:
        return _words_page(intake, language, ticket)
    ticket = with_spool(intake, ticket)
    asked = questions.take(intake, language, ticket, form)
    return text_page(intake, language, ticket) if asked is None else asked


def text_page(
    intake: Intake,
    language: str,
    ticket: Ticket | None,
    problem: Problem | None = None,
    *,
    typed: str | None = None,
    status: int = 200,
) -> web.Response:
    """The text step; without a ticket it asks for the words too, and loses no text."""
    if typed is None:
        typed = "" if ticket is None else _message(intake, ticket)
    return page(
        intake,
        language,
        "text.html",
        "",
        status=status,
        typed=typed,
        told=intake.definition.text("writing", language),
        text_chars_max=TEXT_CHARS_MAX,
        **at_step(intake, TEXT, ticket, problem),
    )


def _message(intake: Intake, ticket: Ticket) -> str:
    """The text that lies in the spool, to be changed."""
    item = intake.spools.item(ticket.spool, ticket.spool_key, MESSAGE)
    if item is None:
        return ""
    data = intake.spools.read_small(ticket.spool, ticket.spool_key, item)
    return data.decode("utf-8").rstrip("\n")


async def text(intake: Intake, request: web.Request, language: str) -> web.Response:
    """Keep the text for sending; if the page was open for too long, give it back instead."""
    form = await web.read_form(request, bytes_max=TEXT_FORM_BYTES_MAX)
    return await web.in_thread(_text, intake, language, form)


def _text(intake: Intake, language: str, form: Form) -> web.Response:
    typed = field_of(form, "text")
    try:
        ticket = intake.tickets.open(field_of(form, "ticket"))
    except RefusedError as error:
        return _text_rescued(intake, language, form, typed, error)
    if not ticket.confirmed:
        return _words_page(intake, language, ticket)
    return _text_kept(intake, language, ticket, typed)


def _text_rescued(
    intake: Intake, language: str, form: Form, typed: str, error: RefusedError
) -> web.Response:
    """The ticket is void: go on with words that were typed anew, or ask for them."""
    fresh = Ticket(opened_at=intake.tickets.seconds())
    if field_of(form, "nothing"):
        entropy = intake.random_bytes(ENTROPY_BYTES)
        return _text_kept(intake, language, replace(fresh, entropy=entropy, kept=False), typed)
    problem = replace(ticket_void(error, language), detail="", hint=_rescued(language))
    if again := field_of(form, "words"):
        try:
            entropy = entropy_of(again, language)
        except SafeconductError as wrong:
            problem = words_problem(wrong, language)
        else:
            return _text_kept(intake, language, replace(fresh, entropy=entropy), typed)
    return text_page(intake, language, None, problem, typed=typed, status=403)


def _rescued(language: str) -> str:
    _ = speaks(language)
    return _("Nothing was sent. Your text is still here: type your words and go on.")


def _text_kept(intake: Intake, language: str, ticket: Ticket, typed: str) -> web.Response:
    body = typed.strip()
    if len(body) > TEXT_CHARS_MAX:
        _ = speaks(language)
        problem = Problem(
            message=_("This text is too long."),
            hint=_("Send it in two messages with the same words, or as a file."),
            field="text",
        )
        return text_page(intake, language, ticket, problem, typed=typed, status=413)
    ticket = with_spool(intake, ticket)
    try:
        _put_message(intake, ticket, body)
    except SafeconductError as error:
        problem = problem_of(error, language)
        status = error.http_status
        return text_page(intake, language, ticket, problem, typed=typed, status=status)
    return look_page(intake, language, ticket)


def _put_message(intake: Intake, ticket: Ticket, body: str) -> None:
    spools, spool, key = intake.spools, ticket.spool, ticket.spool_key
    if body:
        spools.put(spool, key, MESSAGE, MESSAGE_NAME, (body + "\n").encode("utf-8"))
    elif item := spools.item(spool, key, MESSAGE):
        spools.remove(spool, key, item)


# From any step.


def again(intake: Intake, language: str, form: Form, ticket: Ticket) -> web.Response:
    """An earlier step once more, with what was entered there."""
    wanted = field_of(form, "to")
    if not ticket.confirmed or wanted == WORDS:
        return _words_page(intake, language, ticket)
    ticket = with_spool(intake, ticket)
    if wanted == ANSWERS and questions.asks(intake):
        return questions.first(intake, language, ticket)
    if wanted == FILES:
        return look_page(intake, language, ticket)
    return text_page(intake, language, ticket)
