"""The staff site: is the door well, how much came on which day, what do sources read.

    GET /                    what is well and what is not
    GET /statistics          per day, for days that are over
    GET /texts[/<language>]  the body's texts and questions, and what is wrong with the files

A site of its own, reached through a second onion service with client authorisation. It shows
and never acts: there is no form and no button, so that nobody can be led to press one. Nothing
of a message or a visitor is here; messages are the desk's.

Spec: docs/6-operating.md (Door).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from safeconduct.parties.intake.accept import Intake
from safeconduct.parties.intake.definition import PASSAGES, Remark, read_definition
from safeconduct.parties.intake.frame import PACKAGE
from safeconduct.parties.intake.health import signs
from safeconduct.parties.intake.statistics import COUNTED, FEW_MAX, Day, shown
from safeconduct.plumbing import pages, web
from safeconduct.plumbing.languages import NAMES
from safeconduct.protocol.questions import Condition, Question, spoken

DAYS_SHOWN = 60
HOSTS = ("127.0.0.1", "localhost", "[::1]", ".onion")
"""What the staff site is called: no page of elsewhere can have a browser reach it by a name."""
BAR_WIDTH, CHART_HEIGHT = 12, 120
_DELIVERED = ("delivered-source", "delivered-server")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One day of the chart, in units of the drawing; `told` is what it stands for."""

    x: int
    y: int
    height: int
    told: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A question as staff read it."""

    id: str
    kind: str
    ask: str
    hint: str
    language: str
    required: bool
    choices: tuple[tuple[str, str], ...]
    when: tuple[str, ...]


def make_staff_site(intake: Intake) -> web.App:
    """The application for staff of one door."""
    return web.make_app(routes(intake), hosts=HOSTS, pages=True)


def routes(intake: Intake) -> Sequence[web.Route]:
    """Every page of the staff site."""
    shown_pages: dict[str, Callable[[Intake, web.Request], str]] = {
        "/": _health,
        "/statistics": _statistics,
        "/texts": _texts,
        "/texts/{language}": _texts,
    }
    return [
        *(
            web.Route("GET", path, partial(_page, intake, content), page=True)
            for path, content in shown_pages.items()
        ),
        web.Route("GET", "/style.css", lambda _: web.data(pages.style(), "text/css")),
    ]


def _page(
    intake: Intake, content: Callable[[Intake, web.Request], str], request: web.Request
) -> web.Response:
    return web.html(content(intake, request))


def _render(intake: Intake, template: str, here: str, **values: object) -> str:
    site = f"Staff of {intake.programme.name}"
    return pages.render(PACKAGE, template, language="en", site=site, here=here, **values)


def _health(intake: Intake, _: web.Request) -> str:
    return _render(intake, "staff_health.html", "/", signs=signs(intake), at=intake.seconds())


def _statistics(intake: Intake, _: web.Request) -> str:
    days = intake.days.days(intake.seconds(), DAYS_SHOWN)
    return _render(
        intake,
        "staff_statistics.html",
        "/statistics",
        days=days,
        counted=COUNTED,
        shown=shown,
        few_max=FEW_MAX,
        bars=bars(days),
        chart=(max(len(days), 1) * BAR_WIDTH, CHART_HEIGHT),
    )


def bars(days: Sequence[Day]) -> tuple[Bar, ...]:
    """The chart of messages per day, oldest first; small numbers are drawn alike."""
    told = [(day, sum(_drawn(day.counts[name]) for name in _DELIVERED)) for day in days]
    most = max((count for _, count in told), default=0) or 1
    return tuple(
        Bar(
            x=place * BAR_WIDTH,
            y=CHART_HEIGHT - round(count * CHART_HEIGHT / most),
            height=round(count * CHART_HEIGHT / most),
            told=f"{pages.utc(day.at).partition(',')[0]}: "
            + ", ".join(f"{shown(day.counts[name])} {COUNTED[name]}" for name in _DELIVERED),
        )
        for place, (day, count) in enumerate(reversed(told))
    )


def _drawn(count: int) -> int:
    return FEW_MAX // 2 + 1 if 0 < count <= FEW_MAX else count


def _texts(intake: Intake, request: web.Request) -> str:
    language = request.path_params.get("language", intake.definition.default)
    if language not in NAMES:
        raise web.missing("nothing at this address")
    on_disk, remarks = read_definition(intake.store.folder)
    questionnaire = intake.definition.questionnaire
    return _render(
        intake,
        "staff_texts.html",
        "/texts",
        shown_language=language,
        names=NAMES,
        passages=[(name, intake.definition.text(name, language)) for name in PASSAGES],
        questions=[
            _shown(question, language, questionnaire.default)
            for question in questionnaire.questions
        ],
        remarks=_sorted(remarks),
        changed=on_disk != intake.definition,
    )


def _sorted(remarks: Sequence[Remark]) -> list[Remark]:
    return sorted(remarks, key=lambda remark: remark.complaint.warning)


def _shown(question: Question, language: str, default: str) -> Shown:
    ask, found = spoken(question.ask, language, default)
    return Shown(
        id=question.id,
        kind=question.kind,
        ask=ask,
        hint=spoken(question.hint, language, default)[0],
        language=found,
        required=question.required,
        choices=tuple(
            (choice.id, spoken(choice.say, language, default)[0]) for choice in question.choices
        ),
        when=tuple(_in_words(condition) for condition in question.when),
    )


def _in_words(condition: Condition) -> str:
    if condition.test == "answered":
        said = "was answered" if condition.value == "yes" else "was not answered"
        return f"{condition.question} {said}"
    return f"{condition.question} {condition.test.replace('-', ' ')} {condition.value}"
