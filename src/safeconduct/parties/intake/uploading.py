"""Files of the form come in: streamed into the visitor's spool, and looked into.

    POST /{language}/tell/files    multipart: ticket, choices file-<place>, go, file, file, …

The ticket stands first in the form, so that it is known whose the files are before they come;
from then on each piece is sealed as it arrives. One address takes new files and decisions about
those that are there already, so that neither costs the other.

Spec: docs/3-protocol.md §14.
"""

import threading

from safeconduct.errors import RefusedError, SafeconductError
from safeconduct.parties.intake import looking, sending
from safeconduct.parties.intake.accept import Intake
from safeconduct.parties.intake.frame import Problem, routes_of, speaks
from safeconduct.parties.intake.spool import Item, Writer
from safeconduct.parties.intake.telling import field_of, void_page
from safeconduct.parties.intake.ticket import Ticket
from safeconduct.plumbing import web
from safeconduct.plumbing.forms import Form, Sink, stream_form

FIELDS_BYTES_MAX = 16 << 10
SWEEP_SECONDS = 60.0


def sweep_spools(intake: Intake, stop: threading.Event) -> None:
    """Until `stop`, drop what visitors handed in and left; on a quiet day nobody else would."""
    while not stop.wait(SWEEP_SECONDS):
        intake.spools.sweep()


def routes(intake: Intake) -> list[web.Route]:
    """The one address of the files step."""
    return routes_of(intake, "POST", {"/tell/files": files})


class _Upload:
    """What came in with one form: if it does not end well, none of it stays."""

    def __init__(self, intake: Intake) -> None:
        self._intake = intake
        self.ticket: Ticket | None = None
        self.items: list[Item] = []
        self._before: set[int] = set()

    def open(self, form: Form) -> Ticket:
        """The ticket of the form.

        Raises:
            RefusedError: there is none that holds, or its words are not confirmed.
        """
        if self.ticket is None:
            ticket = self._intake.tickets.open(field_of(form, "ticket"))
            if not ticket.confirmed or not ticket.spool:
                raise RefusedError("the twelve words were not confirmed", hint="start again")
            held = self._intake.spools.items(ticket.spool, ticket.spool_key)
            self.ticket, self._before = ticket, {item.place for item in held}
        return self.ticket

    def sink(self, form: Form, name: str) -> Sink:
        """Where the next file goes."""
        ticket = self.open(form)
        writer = self._intake.spools.writer(ticket.spool, ticket.spool_key, name)
        return _Entering(writer, self.items)

    def undo(self) -> None:
        """Take out what came in with this form."""
        for item in self.items:
            if self.ticket is not None and item.place not in self._before:
                spools = self._intake.spools
                spools.remove(self.ticket.spool, self.ticket.spool_key, item)


class _Entering:
    """A file on its way into the spool; at its end it is noted as one of the form's."""

    def __init__(self, writer: Writer, items: list[Item]) -> None:
        self.write, self.abort = writer.write, writer.abort
        self._writer, self._items = writer, items

    def end(self) -> None:
        """Enter the file."""
        self._items.append(self._writer.end())


async def files(intake: Intake, request: web.Request, language: str) -> web.Response:
    """Take files and decisions; on to sending, once nothing is left to decide."""
    upload = _Upload(intake)
    try:
        form = await stream_form(request, upload.sink, fields_bytes_max=FIELDS_BYTES_MAX)
        ticket = upload.open(form)
    except SafeconductError as error:
        return await web.in_thread(_refused, intake, language, upload, error)
    except BaseException:
        await web.in_thread(upload.undo)
        raise
    async with intake.looking.turn(flow=web.flow_of(request)):
        return await web.in_thread(_taken, intake, language, ticket, form, bool(upload.items))


def _refused(
    intake: Intake, language: str, upload: _Upload, error: SafeconductError
) -> web.Response:
    if upload.ticket is None:
        void = error if isinstance(error, RefusedError) else RefusedError(error.message)
        return void_page(intake, language, void)
    if not intake.spools.is_there(upload.ticket.spool):
        return void_page(intake, language, RefusedError(error.message))
    upload.undo()
    problem = looking.upload_problem(error, language)
    status = error.http_status
    return looking.look_page(intake, language, upload.ticket, problem, status=status)


def _taken(
    intake: Intake, language: str, ticket: Ticket, form: Form, came: bool
) -> web.Response:
    problem = looking.apply_choices(intake, ticket, form, language)
    goes_on = bool(field_of(form, "go")) and not came
    if problem is None and goes_on:
        problem = looking.undecided(intake, ticket, language)
    if problem is None and goes_on:
        return sending.look_page(intake, language, ticket)
    if problem is None and not came and not looking.has_files(intake, ticket):
        problem = _none(language)
    status = 200 if problem is None else 422
    return looking.look_page(intake, language, ticket, problem, status=status)


def _none(language: str) -> Problem:
    _ = speaks(language)
    return Problem(
        message=_("No file was chosen."),
        hint=_("Choose files and attach them, or go on without."),
        field="file",
    )
