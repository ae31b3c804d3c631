"""Dated duties that outsiders can see, and how each stands: met, due, missed.

    duty                                                due

    the desk has an open key, so that tips can be sent  when the newest epoch closes
    nothing is published before it is final             at the publication's `final`
    the board's count says no more than is published    with each count
    no more credits are redeemed than were issued       with each count of credits
    the door marks that a date of the law has passed    an hour after the date
    a standing against a person is reviewed             `final` and the law's `review_after`
    a listing is reviewed, and ends (with --public)     `review_on`, `ends_on` of its object

The law's own dates are nobody's duty; that one has passed is told once, and the door's mark of
it, the gate, is held against log and witnesses.

The witnesses' date of the Gazette counts as the present, not this machine's clock: what is
called missed here was missed for everybody.

Outsiders cannot see whether a claim waits, for no date is set for deciding one; whether a
decision was held back that the law lets stay unpublished; nor whether a review took place that
changed nothing and was not published. What says "nothing newer is published" says no more.

Spec: docs/3-protocol.md §8.2, §15.3, §15.4, §21.2.
"""

import hashlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from safeconduct.errors import MalformedError, SafeconductError, UnverifiedError
from safeconduct.parties.monitor.finding import Findings, reason, when
from safeconduct.parties.monitor.gazette import called, dates_of
from safeconduct.protocol.gate import GATE_SECONDS, Due, due_gates, verify_gate
from safeconduct.protocol.gazette import GazetteState
from safeconduct.protocol.listing import REGISTERED, check_listing, fold_register
from safeconduct.protocol.notice import Gate
from safeconduct.protocol.record import Record
from safeconduct.protocol.statute.instant import (
    DAY_SECONDS,
    INSTANT_AT_MAX,
    Duration,
    add,
    format_instant,
    parse_instant,
)
from safeconduct.protocol.statute.load import load_statute
from safeconduct.protocol.statute.text import Outcome, Statute
from safeconduct.protocol.tlog.policy import Policy

MET, DUE, MISSED = "met", "due", "missed"
SOON_SECONDS = 7 * DAY_SECONDS
DUTIES_MAX = 10_000

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Duty:
    """Something owed by a date; `key` tells it apart, `due_at` is None where no date is set."""

    key: str
    what: str
    due_at: int | None
    state: str
    soon: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Passed:
    """A date of the law that has passed."""

    key: str
    sentence: str


def read_duties(state: GazetteState, at: int, policy: Policy) -> list[Duty]:
    """Every duty that the Gazette itself dates, at the Gazette's own date."""
    duties = [_desk(state, at), *_finals(state, at), *_counts(state), *_credits(state)]
    duties += [_gate_due(due, at) for due in due_gates(state, at)]
    duties += [_gate(state, gate, policy) for gate in state.gates]
    duties += _reviews(state, at)
    if len(duties) > DUTIES_MAX:
        # Whoever makes ten thousand duties must not hide behind them one that was missed.
        duties.sort(key=lambda duty: (duty.state != MISSED, not duty.soon, duty.state == MET))
    return duties[:DUTIES_MAX]


def report(duties: list[Duty], findings: Findings) -> None:
    """A finding for each duty that was missed, or will be soon."""
    for duty in duties:
        checks = {"duty-missed": duty.state == MISSED, "duty-soon": duty.soon}
        for check, fails in checks.items():
            if fails:
                findings.find(check, duty.what, subject=duty.key)
            else:
                findings.hold(check, subject=duty.key)


def passed_dates(state: GazetteState, before: int, at: int) -> list[Passed]:
    """The dates of the newest law that passed after `before` and by `at`."""
    if not state.statutes:
        return []
    version = state.statutes[-1]
    return [
        Passed(
            key=f"{version.sha256.hex()[:12]}-{name}",
            sentence=f"The law's date {name}, {date.written}, has passed.",
        )
        for name, date in dates_of(load_statute(version.law)).items()
        if before < date.limit_at <= at
    ]


def _dated(key: str, what: str, due_at: int, at: int, missed: str) -> Duty:
    """A duty that nothing has met yet."""
    late = at >= due_at
    return Duty(
        key=key,
        what=missed if late else what,
        due_at=min(due_at, INSTANT_AT_MAX),
        state=MISSED if late else DUE,
        soon=not late and due_at - at <= SOON_SECONDS,
    )


def _desk(state: GazetteState, at: int) -> Duty:
    """Whether a source can send a tip: it MUST NOT seal while no desk key is open."""
    if not state.epochs:
        what = "The board has certified no desk key yet, so nobody can send a tip."
        return Duty(key="desk", what=what, due_at=None, state=DUE)
    opened = [epoch for epoch in state.epochs if epoch.opens <= at]
    ahead = [epoch.opens for epoch in state.epochs if epoch.opens > at]
    if ahead and not any(at < epoch.closes for epoch in opened):
        return _not_open(min(ahead), first=not opened)
    closes = max(epoch.closes for epoch in state.epochs)
    closing = when(closes)
    return _dated(
        "desk",
        f"A successor to the desk's key must be certified before it closes at {closing}.",
        closes,
        at,
        f"The desk's last key closed at {closing} and has no successor: nobody can send a tip.",
    )


def _not_open(opening: int, *, first: bool) -> Duty:
    """Before the first key a duty is only ahead; between two keys it is missed."""
    return Duty(
        key="desk",
        what=f"No desk key is open before {when(opening)}: nobody can send a tip until then.",
        due_at=min(opening, INSTANT_AT_MAX),
        state=DUE if first else MISSED,
    )


def _finals(state: GazetteState, at: int) -> Iterator[Duty]:
    """Publications dated before they were final; the others need no line."""
    for record in state.publications:
        number, final = record.number("number"), record.number("final")
        early = final > at
        yield Duty(
            key=f"final {number}",
            what=f"Publication {number} was made before it was final at {when(final)}."
            if early
            else f"Publication {number} was final before it was made.",
            due_at=min(final, INSTANT_AT_MAX),
            state=MISSED if early else MET,
        )


def _counts(state: GazetteState) -> Iterator[Duty]:
    """Whether the newest count says no more than what is published by now."""
    if not state.counts:
        return
    count = state.counts[-1]
    stated = count.number("published")
    decisions = [one for one in state.publications if one.word("standing") != REGISTERED]
    short = stated > len(decisions)
    yield Duty(
        key="count",
        what=f"Count {count.number('number')} says {stated} decisions are published, and the "
        f"Gazette holds {len(decisions)}.",
        due_at=None,
        state=MISSED if short else MET,
    )


def _credits(state: GazetteState) -> Iterator[Duty]:
    """Whether each newest count of credits is one that honest hands can have brought about."""
    newest = {count.group: count for count in state.credit_counts}
    for group, count in newest.items():
        stands = f"{count.redeemed} redeemed of {count.issued} issued"
        over = count.redeemed > count.issued
        yield Duty(
            key=f"credits {group.statute.hex()[:12]} {group.word} {group.period}",
            what=f"Of {called(group)} the board counts {stands}: it counts falsely, or "
            "somebody can make them."
            if over
            else f"Of {called(group)} the board counts {stands}.",
            due_at=None,
            state=MISSED if over else MET,
        )


def _gate_due(due: Due, at: int) -> Duty:
    """A date that has passed, and is not marked in the logs yet."""
    late, passed = at >= due.limit + GATE_SECONDS, when(due.limit)
    return Duty(
        key=_gate_key(due.statute, due.name),
        what=f"The law's date {due.name} passed at {passed}, and the door has not marked it in "
        "the logs: rely on the receipts."
        if late
        else f"The law's date {due.name} passed at {passed}; the door marks it within an hour.",
        due_at=min(due.limit + GATE_SECONDS, INSTANT_AT_MAX),
        state=MISSED if late else DUE,
    )


def _gate(state: GazetteState, gate: Gate, policy: Policy) -> Duty:
    """A gate that stands, held against log and witnesses."""
    ledger, name = state.programme.word("ledger"), f"gate of the law's date {gate.name}"
    try:
        bounds = verify_gate(gate, policy, ledger)
    except SafeconductError as error:
        what, met = f"The {name} does not hold: {reason(error)}.", False
    else:
        what = (
            f"The {name} holds: the first {bounds.in_time_below} entries of the Ledger are in "
            "time."
        )
        met = True
    return Duty(
        key=_gate_key(gate.statute, gate.name),
        what=what,
        due_at=min(gate.limit + GATE_SECONDS, INSTANT_AT_MAX),
        state=MET if met else MISSED,
    )


def _gate_key(statute: bytes, name: str) -> str:
    return f"gate {statute.hex()[:12]} {name}"


def _reviews(state: GazetteState, at: int) -> Iterator[Duty]:
    """The review that the law sets for each standing that does not favour the person."""
    laws = {version.sha256: load_statute(version.law) for version in state.statutes}
    records = {record.number("number"): record for record in state.publications}
    for line in fold_register(state.publications):
        outcome = _outcome(laws[line.statute], line.standing)
        if outcome is None or outcome.review_after is None or outcome.favours == "person":
            continue
        due_at = _after(records[line.number].number("final"), outcome.review_after)
        day = when(due_at)
        yield _dated(
            f"review {line.subject} {line.number}",
            f"{line.subject}, {line.standing}, is to be reviewed by {day}.",
            due_at,
            at,
            f"{line.subject}, {line.standing}, was to be reviewed by {day}; nothing newer "
            "about it is published.",
        )


def _after(at: int, period: Duration) -> int:
    """`at` and a period, or the end of all dates: the board signs numbers, not dates."""
    try:
        return add(min(at, INSTANT_AT_MAX), period)
    except MalformedError:
        return INSTANT_AT_MAX


def _outcome(law: Statute, standing: str) -> Outcome | None:
    """What the law says of a standing; whoever is registered stands under its default."""
    if standing == REGISTERED:
        return law.default
    named = {each.value: each for each in (*law.outcomes, law.default)}
    return named.get(standing)


# Listings: their objects lie in the public folder, which the keeper names.


def read_listings(
    state: GazetteState, fetch: Callable[[str], bytes], at: int, findings: Findings
) -> list[Duty]:
    """The days for review and end that the published listings themselves set.

    `fetch` reads a file of the public folder by its name.
    """
    records = {record.number("number"): record for record in state.publications}
    duties = list[Duty]()
    for line in fold_register(state.publications):
        if line.standing == REGISTERED:
            found = findings.attempt(
                "listing",
                f"The public folder does not hold the listing of {line.subject}",
                partial(_listing_days, records[line.number], fetch),
                subject=line.subject,
            )
            duties += _listing(line.subject, line.number, found or {}, at)
    return duties


def _listing_days(record: Record, fetch: Callable[[str], bytes]) -> dict[str, int]:
    sha256 = record.hash("object")
    data = fetch(f"listings/{sha256.hex()}.json")
    if hashlib.sha256(data).digest() != sha256:
        raise UnverifiedError("the file is not the object that was published")
    listing = check_listing(data, record)
    return {name: _day_after(str(listing[name]), name) for name in ("review_on", "ends_on")}


def _day_after(text: str, what: str) -> int:
    """POSIX seconds of the end of a day, in UTC."""
    if not _DAY.fullmatch(text):
        raise MalformedError(f"listing, {what}: not a day like 2027-06-01")
    return parse_instant(f"{text}T00:00:00Z", what) + DAY_SECONDS


_LISTING_DUTIES = {
    "review_on": ("is to be reviewed by the end of", "was to be reviewed by the end of"),
    "ends_on": ("is to end with", "was to end with"),
}


def _listing(subject: str, number: int, days: dict[str, int], at: int) -> Iterator[Duty]:
    for name, due_at in days.items():
        will, was = _LISTING_DUTIES[name]
        day = format_instant(due_at - DAY_SECONDS)[:10]
        yield _dated(
            f"{name} {subject} {number}",
            f"The listing of {subject} {will} {day} (UTC).",
            due_at,
            at,
            f"The listing of {subject} {was} {day} (UTC); nothing newer about it is published.",
        )
