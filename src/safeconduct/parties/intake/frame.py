"""The frame of the door's pages: language, navigation, errors that read like pages.

Every page lives at `/<language>/…`; a page that was reached by a link can be had in any other
language by a link. Nothing about a visitor is remembered: the path says it all.

A form that was sent from a page of another site is refused. A browser carries no authority
here that could be borrowed, but it can be lent some: whoever got a visitor to write on with a
ticket that is not theirs could read along with a copy of it.

A handler is `(intake, request, language) -> Response`, plain or a coroutine. What it raises
becomes a page in the visitor's language.
"""

import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeAlias

from safeconduct.errors import RefusedError, SafeconductError, UnavailableError
from safeconduct.parties.intake.accept import Intake
from safeconduct.plumbing import languages, pages, tongues, web
from safeconduct.plumbing.tongues import Speak, language_of

PACKAGE = "safeconduct.parties.intake"
Handler: TypeAlias = Callable[
    [Intake, web.Request, str], web.Response | Awaitable[web.Response]
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Why something was not taken: sentences for the visitor, and the field they are about.

    `detail` is what the machine says of it, in English; `later` that trying again will do.
    """

    message: str
    hint: str = ""
    field: str = ""
    detail: str = ""
    later: bool = False


def routes_of(intake: Intake, method: str, table: dict[str, Handler]) -> list[web.Route]:
    """The routes for pages at `/{language}<path>`, for each path of `table`."""
    return [
        web.Route(method, "/{language}" + path, _shown(intake, handler), page=True)
        for path, handler in table.items()
    ]


def speaks(language: str) -> Speak:
    """`_("…")` for sentences that stand in code."""
    return tongues.speaks(PACKAGE, language)


def page(
    intake: Intake,
    language: str,
    template: str,
    here: str,
    *,
    status: int = 200,
    switch: bool = False,
    **values: object,
) -> web.Response:
    """A page at `/<language><here>`; `switch` offers it in the other languages too."""
    content = pages.render(
        PACKAGE,
        template,
        language=language,
        site=intake.programme.name,
        here=here,
        others=tongues.others(language, here) if switch else [],
        **values,
    )
    return web.html(content, status=status)


def problem_of(error: SafeconductError, language: str, *, field: str = "") -> Problem:
    """What a visitor is told about an error that no page has words of its own for."""
    _ = speaks(language)
    if isinstance(error, UnavailableError):  # its message is for whoever runs the door
        return Problem(
            message=_("Part of this service does not answer now."),
            hint=_("Nothing of yours is lost. Wait a minute and try again."),
            later=True,
        )
    return Problem(
        message=_("This could not be taken."),
        hint=_("Nothing was stored and nothing was sent. Go back and try again."),
        field=field,
        detail=f"{error.message}. {error.hint}".strip(),
    )


def error_page(intake: Intake, language: str, error: SafeconductError) -> web.Response:
    """The page for an error that no form could take up."""
    problem = problem_of(error, language)
    return page(intake, language, "error.html", "", status=error.http_status, problem=problem)


def elsewhere(path: str) -> Callable[[web.Request], web.Response]:
    """A handler that sends the browser to `path` in the language it asks for."""

    def handler(request: web.Request) -> web.Response:
        wanted = languages.preferred(request.headers.get("accept-language", ""))
        return web.redirect(f"/{wanted}{path}")

    return handler


def _shown(intake: Intake, handler: Handler) -> web.Handler:
    async def endpoint(request: web.Request) -> web.Response:
        language = language_of(request)
        try:
            _check_own(request)
            if inspect.iscoroutinefunction(handler):
                answer: web.Response = await handler(intake, request, language)
                return answer
            given = await web.in_thread(handler, intake, request, language)
            return await given if inspect.isawaitable(given) else given
        except SafeconductError as error:
            return error_page(intake, language, error)

    return endpoint


def _check_own(request: web.Request) -> None:
    if request.method == "POST" and web.is_from_elsewhere(request):
        raise RefusedError("this form was sent from a page of another site")


def ticket_void(error: RefusedError, language: str) -> Problem:
    """What to tell somebody whose page was open for too long."""
    _ = speaks(language)
    return Problem(
        message=_("This page was open for too long."),
        hint=_("Nothing was sent from it. Start again with the same words."),
        detail=error.message,
    )
