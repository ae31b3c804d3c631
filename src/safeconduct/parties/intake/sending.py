"""The end of the form: a look at what will be sent, one button, and the receipt; or no more.

Until that button nothing has left the visitor's spool. Pressing it again gives the same
receipt; if a part of the programme is away, the page comes back and all is still there. Who
stops has sent nothing, and what they handed in is gone; who stops too late gets the receipt.

Spec: docs/3-protocol.md §14.
"""

from contextlib import suppress
from dataclasses import dataclass

from safeconduct.errors import RefusedError, SafeconductError
from safeconduct.parties.intake.accept import Intake
from safeconduct.parties.intake.frame import page, problem_of, routes_of
from safeconduct.parties.intake.spool import ANSWERS, FILE, MESSAGE, Item
from safeconduct.parties.intake.steps import SEND, at_step
from safeconduct.parties.intake.tell import Told, receipt_text, send_tip, sent_before
from safeconduct.parties.intake.telling import FORM_BYTES_MAX, again, field_of, void_page
from safeconduct.parties.intake.ticket import Ticket
from safeconduct.plumbing import web
from safeconduct.protocol.receipt import Receipt

RECEIPT_CHARS_MAX = 5_200  # of records and proofs: longer ones are saved, not shown as well


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One dated contribution as its page shows it; `ending` sets its files' names apart."""

    receipt: Receipt
    record: str
    proof: str
    downloads: tuple[str, str]
    ending: str
    shown: bool


def routes(intake: Intake) -> list[web.Route]:
    """The look and the button, which post to one address, and the way out."""
    return routes_of(intake, "POST", {"/tell/send": send, "/tell/stop": stop})


async def send(intake: Intake, request: web.Request, language: str) -> web.Response:
    """Show what would be sent; once the visitor is sure, send it and show the receipt."""
    form = await web.read_form(request, bytes_max=FORM_BYTES_MAX)
    try:
        ticket = intake.tickets.open(field_of(form, "ticket"))
    except RefusedError as error:
        return void_page(intake, language, error)
    if not ticket.confirmed or not ticket.spool:
        return await web.in_thread(again, intake, language, form, ticket)
    if not field_of(form, "sure"):
        return await web.in_thread(look_page, intake, language, ticket)
    try:
        told = await send_tip(intake, ticket, flow=web.flow_of(request))
    except SafeconductError as error:
        return await web.in_thread(look_page, intake, language, ticket, error)
    return await web.in_thread(told_page, intake, language, ticket, told)


async def stop(intake: Intake, request: web.Request, language: str) -> web.Response:
    """Forget what was handed in; a ticket that is void already has lost it anyway."""
    form = await web.read_form(request, bytes_max=FORM_BYTES_MAX)
    return await web.in_thread(_stop, intake, language, field_of(form, "ticket"))


def _stop(intake: Intake, language: str, sealed: str) -> web.Response:
    with suppress(RefusedError):
        ticket = intake.tickets.open(sealed)
        if told := sent_before(intake, ticket):
            return told_page(intake, language, ticket, told)
        if ticket.spool:
            intake.spools.drop(ticket.spool)
    return page(intake, language, "stopped.html", "")


def look_page(
    intake: Intake, language: str, ticket: Ticket, error: SafeconductError | None = None
) -> web.Response:
    """What lies in the spool and would be sent now; the receipt, if it was sent already."""
    if error is None and (told := sent_before(intake, ticket)):
        return told_page(intake, language, ticket, told)
    problem = None if error is None else problem_of(error, language)
    items = intake.spools.items(ticket.spool, ticket.spool_key)
    texts = [item for item in items if item.kind == MESSAGE]
    return page(
        intake,
        language,
        "send.html",
        "",
        status=200 if error is None else error.http_status,
        characters=sum(_characters(intake, ticket, item) for item in texts),
        answered=any(item.kind == ANSWERS for item in items),
        files=[(item.name, item.size) for item in items if item.kind == FILE],
        kept=ticket.kept,
        **at_step(intake, SEND, ticket, problem),
    )


def _characters(intake: Intake, ticket: Ticket, item: Item) -> int:
    data = intake.spools.read_small(ticket.spool, ticket.spool_key, item)
    return len(data.decode("utf-8").strip())


def told_page(intake: Intake, language: str, ticket: Ticket, told: Told) -> web.Response:
    """The receipt: date, place in the log, and the files to save."""
    every = told.parts or (told,)
    shown = sum(len(part.record) + len(part.proof) for part in every) <= RECEIPT_CHARS_MAX
    parts = [
        _part(part, number if len(every) > 1 else 0, shown=shown)
        for number, part in enumerate(every, start=1)
    ]
    return page(
        intake,
        language,
        "told.html",
        "",
        parts=parts,
        delivered=told.delivered,
        until=None if told.delivered else _until(intake, told),
        kept=ticket.kept,
        told=intake.definition.text("after_sending", language),
    )


def _until(intake: Intake, told: Told) -> int:
    window = intake.gazette().state.programme.number("delivery-window")
    return told.receipt.logged_by + window


def _part(part: Told, number: int, *, shown: bool) -> Part:
    return Part(
        receipt=part.receipt,
        record=part.record.decode("utf-8"),
        proof=part.proof.decode("utf-8"),
        downloads=receipt_text(part.record, part.proof),
        ending=f"-{number}" if number else "",
        shown=shown,
    )
