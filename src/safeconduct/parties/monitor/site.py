"""The monitor's own site: what is watched, what is wrong since when, and the evidence.

GET  /                    a page for people
GET  /alerts              the standing alerts, and those that ended, as JSON
GET  /evidence/<name>     a piece of evidence, byte for byte
GET  /metrics             figures for Prometheus
GET  /health              a line: when the last round ended

Everything shown was said by strangers, and is shown as text. The page fetches nothing.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from safeconduct.parties.monitor.duties import DUE, MET, MISSED
from safeconduct.parties.monitor.finding import EXIT_CODES, NOTICE, worst
from safeconduct.parties.monitor.store import Alert, Store
from safeconduct.plumbing import clock, figures, pages, web
from safeconduct.protocol.canonical import Json, format_json

ENDED_SHOWN = 20
NEWS_SHOWN = 20
ALERTS_MAX = 1_000
_MARKS = {"contradiction": "bad", "unverified": "bad", "missed": "bad"}
_HEADINGS = {
    "contradiction": "A log has told two stories, and that is proven.",
    "unverified": "Something does not hold.",
    "missed": "Something that was owed is missing.",
    "unreachable": "Somebody cannot be reached.",
    "due": "All is well. Something is due soon.",
}


def make_site(store: Store) -> web.App:
    """The application of one monitor."""

    def page(_: web.Request) -> web.Response:
        return web.html(_render(store))

    def alerts(_: web.Request) -> web.Response:
        return web.data(format_json(alerts_json(store)), "application/json")

    def evidence(request: web.Request) -> web.Response:
        data = store.evidence(request.path_params["name"])
        if data is None:
            raise web.missing("no such evidence is kept here")
        return web.data(data, headers={"content-disposition": "attachment"})

    def metrics(_: web.Request) -> web.Response:
        return web.data(figures.format_figures(_figures(store)), figures.CONTENT_TYPE)

    def health(_: web.Request) -> web.Response:
        last = store.value("round")
        return web.text("no round has ended yet\n" if last is None else f"ok {last['at']}\n")

    def style(_: web.Request) -> web.Response:
        return web.data(pages.style(), "text/css; charset=utf-8")

    return web.make_app(
        [
            web.Route("GET", "/", page, page=True),
            web.Route("GET", "/alerts", alerts),
            web.Route("GET", "/evidence/{name}", evidence),
            web.Route("GET", "/metrics", metrics),
            web.Route("GET", "/health", health),
            web.Route("GET", "/style.css", style),
        ]
    )


def alerts_json(store: Store) -> Json:
    """The standing alerts, gravest first, those that ended last, and the gravest of all."""
    standing = _by_gravity(store.alerts())
    return {
        "worst": worst([alert.severity for alert in standing]),
        "standing": [alert.message("ongoing") for alert in standing],
        "ended": [alert.message("ended") for alert in store.ended(ENDED_SHOWN)],
    }


def _by_gravity(alerts: Iterable[Alert]) -> list[Alert]:
    order = list(EXIT_CODES)
    return sorted(alerts, key=lambda alert: order.index(alert.severity))[:ALERTS_MAX]


def _render(store: Store) -> str:
    standing = _by_gravity(store.alerts())
    gravest = worst([alert.severity for alert in standing])
    last = store.value("round")
    duties = last["duties"] if last else []
    return pages.render(
        __package__,
        "monitor.html",
        site="Monitor",
        last=last,
        gravest=gravest,
        heading=_HEADINGS[gravest] if gravest else "All is well.",
        mark=_MARKS.get(gravest or "", "wait" if gravest else "ok"),
        marks=_MARKS,
        alerts=standing,
        ended=store.ended(ENDED_SHOWN),
        notices=[one for one in store.notices(NEWS_SHOWN) if one["severity"] == NOTICE],
        open_duties=[duty for duty in duties if duty["state"] != MET],
        met_count=sum(duty["state"] == MET for duty in duties),
    )


# Figures: sizes, ages and counts; no person, no entry, no hash.


def _figures(store: Store) -> list[figures.Figure]:
    alerts = [alert.severity for alert in store.alerts()]
    by_severity = {each: float(alerts.count(each)) for each in EXIT_CODES if each != NOTICE}
    shown = [
        figures.figure(
            "safeconduct_monitor_alerts", "Alerts that stand.", by_severity, "severity"
        )
    ]
    last = store.value("round")
    return shown if last is None else [*shown, *_round_figures(last, clock.seconds())]


def _round_figures(last: Mapping[str, Any], at: int) -> list[figures.Figure]:
    logs = {log["name"].lower(): log for log in last["logs"]}
    sizes = {name: log["tree_size"] for name, log in logs.items()}
    dates = {name: log["logged_by"] for name, log in logs.items()}
    states = [duty["state"] for duty in last["duties"]]
    return [
        figures.number(
            "safeconduct_monitor_round_age_seconds",
            "Seconds since the last round.",
            at - last["at"],
        ),
        figures.number(
            "safeconduct_monitor_round_seconds",
            "How long the last round took.",
            last["took_ms"] / 1000,
        ),
        figures.figure(
            "safeconduct_monitor_log_entries", "Entries of a log.", _known(sizes), "log"
        ),
        figures.figure(
            "safeconduct_monitor_log_age_seconds",
            "Seconds since a log's newest date.",
            {name: at - date for name, date in _known(dates).items()},
            "log",
        ),
        figures.figure(
            "safeconduct_monitor_duties",
            "Dated duties, by how they stand.",
            {state: states.count(state) for state in (MET, DUE, MISSED)},
            "state",
        ),
        _witness_figure(last, at),
    ]


def _witness_figure(last: Mapping[str, Any], at: int) -> figures.Figure:
    """The witnesses by their place in the policy: what they are called is not ours to judge."""
    names = list(dict.fromkeys(each["name"] for each in last["witnesses"]))
    samples = tuple(
        figures.Sample(
            value=at - each["cosigned_at"],
            labels={
                "log": each["log"].lower(),
                "witness": str(names.index(each["name"]) + 1),
            },
        )
        for each in last["witnesses"]
    )
    return figures.Figure(
        name="safeconduct_monitor_witness_age_seconds",
        about="Seconds since a witness, by its number in the policy, was seen to cosign.",
        samples=samples,
    )


def _known(values: Mapping[str, int | None]) -> dict[str, float]:
    return {name: float(value) for name, value in values.items() if value is not None}
