"""Claiming on the page, for who cannot use the client: made here, saved, perhaps handed in.

What is made is what the client makes, byte for byte of form. But here name and words meet on
one machine that is not the claimant's, which the page says before either is typed. A claim with
a credit is not made here at all: the credit is there so that nobody learns which message was
its claimant's, and this server would.

The register's challenge is fetched for each claim. Handing in goes through this server too, so
that the register sees no address of the claimant's.

Spec: docs/3-protocol.md §10, §14.
"""

import asyncio
import zlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial

from safeconduct.errors import MalformedError, SafeconductError, UnverifiedError
from safeconduct.parties.intake.accept import Intake
from safeconduct.parties.intake.frame import (
    Handler,
    Problem,
    page,
    problem_of,
    routes_of,
    speaks,
)
from safeconduct.parties.intake.mailbox import (
    Visit,
    admit,
    carried,
    letter_of,
    visited,
)
from safeconduct.parties.intake.reading import Letter, standing
from safeconduct.parties.intake.telling import field_of
from safeconduct.plumbing import web
from safeconduct.plumbing.forms import Form
from safeconduct.plumbing.languages import DEFAULT
from safeconduct.plumbing.register import RegisterDoor
from safeconduct.protocol.canonical import format_base64, parse_base64
from safeconduct.protocol.claim import BUNDLE_BYTES_MAX, Bundle, parse_bundle
from safeconduct.protocol.claim.make import Acknowledged, Terms, check_name, make_helped

REGISTER_AT_ONCE = 8  # who wait for the register, so that they do not hold all threads
REGISTER_SECONDS = 5.0
CLAIM_FILE = "claim.json"
FORM_BYTES_MAX = BUNDLE_BYTES_MAX * 4 // 3 + (16 << 10)

_Step = Callable[[Intake, str, asyncio.Semaphore, Visit], Awaitable[web.Response]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the claimant typed."""

    subject: str = ""
    name: str = field(default="", repr=False)
    disclosure: str = "open"


def routes(intake: Intake) -> list[web.Route]:
    """The question, the claim, and its way to the register."""
    waiting = asyncio.Semaphore(REGISTER_AT_ONCE)
    posted: dict[str, Handler] = {
        "/mail/claim": visited(question),
        "/mail/claim/made": _waiting(made, waiting),
        "/mail/claim/filed": _waiting(filed, waiting),
        "/mail/claim/saved": _waiting(saved, waiting),
    }
    return routes_of(intake, "POST", posted)


def _waiting(step: _Step, waiting: asyncio.Semaphore) -> Handler:
    """A handler for a step that speaks with the register."""

    async def handler(intake: Intake, request: web.Request, language: str) -> web.Response:
        show = partial(step, intake, language, waiting)
        return await admit(intake, request, language, show, bytes_max=FORM_BYTES_MAX)

    return handler


def _register(intake: Intake) -> RegisterDoor:
    return RegisterDoor(intake.programme.register, patience_seconds=REGISTER_SECONDS)


# The question.


def question(intake: Intake, language: str, visit: Visit) -> web.Response:
    """What a claim gives away, where it is better made, and the form for it."""
    return _question(intake, language, visit, Asked(), None)


def _question(
    intake: Intake, language: str, visit: Visit, asked: Asked, problem: Problem | None
) -> web.Response:
    letter = letter_of(intake, visit)
    if letter.receipt is None:
        raise web.missing("this message has no date yet, so nothing can be claimed with it")
    return page(
        intake,
        language,
        "mail_claim.html",
        "/mail",
        status=200 if problem is None else 422,
        ticket=carried(intake, visit),
        number=letter.number,
        each=standing(letter, intake.seconds()),
        problem=problem,
        subject=asked.subject,
        legal_name=asked.name,
        disclosure=asked.disclosure,
    )


# The claim.


async def made(
    intake: Intake, language: str, waiting: asyncio.Semaphore, visit: Visit
) -> web.Response:
    """The claim as a file, for the claimant to look at; nothing is handed in."""
    asked = _asked(visit.form)
    challenge: tuple[str, bytes] | None = None
    problem = _name_problem(asked, language)
    if problem is None:
        try:
            async with waiting:
                challenge = await web.in_thread(_register(intake).challenge)
        except SafeconductError as error:
            problem = problem_of(error, language)
    async with intake.reading.turn(flow=visit.flow):
        if challenge is None:
            return await web.in_thread(_question, intake, language, visit, asked, problem)
        return await web.in_thread(_made, intake, language, visit, asked, challenge)


def _asked(form: Form) -> Asked:
    return Asked(
        subject=field_of(form, "subject").strip(),
        name=" ".join(field_of(form, "name").split()),
        disclosure="sealed" if field_of(form, "disclosure") == "sealed" else "open",
    )


def _name_problem(asked: Asked, language: str) -> Problem | None:
    _ = speaks(language)
    try:
        check_name(asked.name)
    except MalformedError as error:
        message = _("The register does not take this as a name.")
        hint = _("Type your legal name on one line.")
        return Problem(message=message, hint=hint, field="name", detail=error.message)
    return None


def _made(
    intake: Intake, language: str, visit: Visit, asked: Asked, challenge: tuple[str, bytes]
) -> web.Response:
    letter = letter_of(intake, visit)
    try:
        bundle = parse_bundle(_bundle(intake, language, letter, asked, challenge))
    except MalformedError as error:
        _ = speaks(language)
        message = _("This cannot be a number in the register.")
        problem = Problem(message=message, field="subject", detail=error.message)
        return _question(intake, language, visit, asked, problem)
    return _made_page(intake, language, visit, bundle)


def _bundle(
    intake: Intake, language: str, letter: Letter, asked: Asked, challenge: tuple[str, bytes]
) -> bytes:
    """The claim on the message, as the client makes it."""
    audience, fresh = challenge
    terms = Terms(
        programme=intake.programme.hash,
        audience=audience,
        challenge=fresh,
        subject=asked.subject,
        name=asked.name,
        at=intake.seconds(),
        disclosure=asked.disclosure,
        language=language if language != DEFAULT else "",
    )
    said = letter.acknowledgement
    answer = (
        Acknowledged(record=said.acknowledgement, proof=said.proof) if said else Acknowledged()
    )
    return make_helped(letter.keys, letter.capsule, answer, terms, intake.random_bytes)


def _made_page(
    intake: Intake,
    language: str,
    visit: Visit,
    bundle: Bundle,
    problem: Problem | None = None,
    status: int = 200,
) -> web.Response:
    record = bundle.record
    return page(
        intake,
        language,
        "mail_claim_made.html",
        "/mail",
        status=status,
        ticket=carried(intake, visit),
        number=visit.number(),
        problem=problem,
        legal_name=bundle.fields["name"],
        subject=record.word("subject"),
        disclosure=record.word("disclosure"),
        register=intake.programme.register,
        bundle=format_base64(zlib.compress(bundle.data, level=9)),
    )


# Its way to the register.


async def filed(
    intake: Intake, language: str, waiting: asyncio.Semaphore, visit: Visit
) -> web.Response:
    """The register's answer; the same file again has the same answer."""
    bundle = await web.in_thread(_shown, intake, visit)
    register = _register(intake)
    try:
        async with waiting:
            told = await web.in_thread(register.file, bundle.data)
    except SafeconductError as error:
        problem, status = _refused(error, language), error.http_status
        return _made_page(intake, language, visit, bundle, problem, status)
    return page(
        intake,
        language,
        "mail_claim_filed.html",
        "/mail",
        ticket=carried(intake, visit),
        number=visit.number(),
        case=told.number,
        address=register.page(told.page),
    )


async def saved(
    intake: Intake, language: str, waiting: asyncio.Semaphore, visit: Visit
) -> web.Response:
    """The claim in the form, as a file; a `data:` address beside it would double the page."""
    del language, waiting
    bundle = await web.in_thread(_shown, intake, visit)
    headers = {"content-disposition": f'attachment; filename="{CLAIM_FILE}"'}
    return web.data(bundle.data, headers=headers)


def _shown(intake: Intake, visit: Visit) -> Bundle:
    """The claim in the form.

    Raises:
        MalformedError, UnverifiedError: it is none, or for another programme: this door
            carries nothing else to the register.
    """
    packed = parse_base64(field_of(visit.form, "bundle"), "claim")
    try:
        data = zlib.decompressobj().decompress(packed, BUNDLE_BYTES_MAX)
    except zlib.error as error:
        raise MalformedError("claim: cannot be unpacked") from error
    bundle = parse_bundle(data)
    if bundle.record.hash("programme") != intake.programme.hash:
        raise UnverifiedError("the claim is for another programme")
    return bundle


def _refused(error: SafeconductError, language: str) -> Problem:
    problem = problem_of(error, language)
    if problem.later:
        return problem
    _ = speaks(language)
    return Problem(
        message=_("The register gave the reason below."),
        hint=_("Your claim was not entered."),
        detail=f"{error.message}. {error.hint}".strip(),
    )
