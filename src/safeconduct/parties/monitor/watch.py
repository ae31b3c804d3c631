"""One round of watching: everybody is looked at once, then what changed is settled and told.

    1  the logs, side by side
    2  witnesses, mirrors, the Gazette's entries and duties, side by side; then the public
       folder and the keeper's tips
    3  this machine's clock, against the witnesses'
    4  alerts begin, go on and end in one transaction; telling comes after

Each place is looked at in a thread of its own and within a time limit, so that whoever answers
slowly, wrongly or never stops nobody else's check. What is fresh is judged by this machine's
clock; what is owed by the witnesses' date of the Gazette.
"""

import sys
import threading
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

from safeconduct.errors import RefusedError, UnverifiedError
from safeconduct.parties.monitor.duties import (
    Duty,
    passed_dates,
    read_duties,
    read_listings,
    report,
)
from safeconduct.parties.monitor.finding import EXIT_CODES, Findings, when, worst
from safeconduct.parties.monitor.gazette import Book, open_book, read_new
from safeconduct.parties.monitor.owed import find_leaves, owed_duties, read_tips
from safeconduct.parties.monitor.peers import (
    Shown,
    below,
    watch_mirror,
    watch_witness,
    witnesses_of,
)
from safeconduct.parties.monitor.places import (
    CLOCK_SECONDS_MAX,
    STALE_SECONDS,
    LogView,
    Look,
    tiles_within,
    watch_log,
)
from safeconduct.parties.monitor.store import Notice, Store
from safeconduct.parties.monitor.trees import Seat
from safeconduct.plumbing import clock
from safeconduct.plumbing.programme import Programme
from safeconduct.protocol.canonical import Json
from safeconduct.protocol.gazette import GazetteState
from safeconduct.protocol.statute.instant import INSTANT_AT_MAX

PHASE_SECONDS_MAX = 120.0
ANSWER_DAYS = 30
ENTRIES_PLACE = "the Gazette's entries"
PUBLIC_PLACE = "the public folder"
TIPS_PLACE = "your tips"
MACHINE_PLACE = "this machine"

Task: TypeAlias = Callable[[Findings], Any]
Views: TypeAlias = Mapping[Seat, LogView | None]
Done: TypeAlias = dict[str, tuple[Findings, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """What is watched, and by which limits."""

    programme: Programme
    mirrors: tuple[str, ...] = ()
    owed: Path | None = None
    public: Callable[[str], bytes] | None = None  # reads a file of the public folder
    stale_seconds: int = STALE_SECONDS
    answer_days: int = ANSWER_DAYS
    phase_seconds: float = PHASE_SECONDS_MAX

    @property
    def seats(self) -> tuple[Seat, ...]:
        """Both logs, with the policy's keys for them."""
        made = self.programme
        places = {
            "Gazette": (made.gazette_origin, made.gazette),
            "Ledger": (made.ledger_origin, made.ledger),
        }
        return tuple(
            Seat(
                name=name,
                origin=origin,
                url=url,
                keys=tuple(log.key for log in made.policy.logs if log.key.name == origin),
            )
            for name, (origin, url) in places.items()
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a round read of the Gazette: the book with it, its news, and the duties by now."""

    book: Book
    entries: tuple[bytes, ...]
    notices: tuple[Notice, ...]
    read_until: int
    duties: tuple[Duty, ...]


@dataclass(slots=True)
class Watch:
    """A monitor between its rounds."""

    watched: Watched
    store: Store
    book: Book
    _busy: dict[str, threading.Thread] = field(default_factory=dict)

    def round(self, at: int | None = None) -> None:
        """Look at everything once, at `at` POSIX seconds, by default now."""
        began = clock.monotonic()
        look = Look(
            policy=self.watched.programme.policy,
            store=self.store,
            at=clock.seconds() if at is None else at,
            stale_seconds=self.watched.stale_seconds,
        )
        done = self._side_by_side(self._log_tasks(look))
        views = {seat: done[seat.origin][1] for seat in self.watched.seats}
        done |= self._side_by_side(self._other_tasks(views, look))
        reading: Reading | None = done[ENTRIES_PLACE][1]
        duties = list(reading.duties) if reading else []
        later = self._later_tasks(reading.book if reading else self.book, views, look)
        done |= self._side_by_side(later)
        for place in later:
            duties += done[place][1] or []
        self._settle([findings for findings, _ in done.values()], done, views, look)
        self._remember(reading, look.at)
        shown = self._shown(done)
        took = clock.monotonic() - began
        self.store.put("round", _summary(look, views, shown, duties, self.watched, took))

    def exit_code(self) -> int:
        """0, or the code of the gravest alert that stands."""
        gravest = worst([alert.severity for alert in self.store.alerts()])
        return 0 if gravest is None else EXIT_CODES[gravest]

    def _log_tasks(self, look: Look) -> dict[str, Task]:
        """Looks at the logs; mirrors' tiles are spare ones."""
        tasks: dict[str, Task] = {}
        for seat in self.watched.seats:
            spare = [tiles_within(below(url, seat)) for url in self.watched.mirrors]
            tasks[seat.origin] = partial(watch_log, seat, spare, look)
        return tasks

    def _other_tasks(self, views: Views, look: Look) -> dict[str, Task]:
        """Looks at whoever else shows the logs, and at what the Gazette says."""
        tasks: dict[str, Task] = {
            witness.url: partial(watch_witness, witness, views, look)
            for witness in witnesses_of(look.policy)
        }
        tasks |= {url: partial(watch_mirror, url, views, look) for url in self.watched.mirrors}
        until = self.store.read_until()
        tasks[ENTRIES_PLACE] = partial(
            _read_gazette, self.watched, self.book, until, views, look
        )
        return tasks

    def _later_tasks(self, book: Book, views: Views, look: Look) -> dict[str, Task]:
        """What comes after the Gazette, which says what is owed and whose signatures count."""
        watched, tasks = self.watched, dict[str, Task]()
        if watched.public is not None:
            tasks[PUBLIC_PLACE] = partial(_read_public, watched, book.state, views, look)
        if watched.owed is not None:
            tasks[TIPS_PLACE] = partial(_read_owed, watched, self.store, book, views, look)
        return tasks

    def _shown(self, done: Done) -> dict[str, list[Shown]]:
        """What witnesses and mirrors showed, by address."""
        urls = [each.url for each in witnesses_of(self.watched.programme.policy)]
        return {url: list(done[url][1] or []) for url in [*urls, *self.watched.mirrors]}

    def _settle(
        self, all_findings: list[Findings], done: Done, views: Views, look: Look
    ) -> None:
        machine = _check_clock(views, self._shown(done), look)
        if machine.found:
            # If all witnesses lie ahead of us, it is not each of them that is wrong.
            for findings in all_findings:
                findings.drop("witness-clock")
        checked = [*all_findings, machine]
        self.store.settle(
            [finding for each in checked for finding in each.found.values()],
            set().union(*(each.held for each in checked)),
            look.at,
            {each.place for each in checked},
        )

    def _remember(self, reading: Reading | None, at: int) -> None:
        """Go on from the entries that were read.

        Only after what was found in them is settled: a crash in between reads them again.
        """
        if reading is None:
            return
        first = self.book.edge.size
        self.store.add_gazette(first, reading.entries, reading.notices, reading.read_until, at)
        self.book = reading.book

    def _side_by_side(self, tasks: Mapping[str, Task]) -> Done:
        """What each task found and returned; one that takes too long is left behind.

        A place that is still busy with an earlier round is not asked again before it ends.
        """
        done: Done = {}
        self._busy = {place: each for place, each in self._busy.items() if each.is_alive()}
        for place, task in tasks.items():
            if place not in self._busy:
                thread = threading.Thread(target=_run, args=(place, task, done), daemon=True)
                self._busy[place] = thread
                thread.start()
        deadline = clock.monotonic() + self.watched.phase_seconds
        for place in tasks:
            self._busy[place].join(max(0.0, deadline - clock.monotonic()))
        finished = dict(done)
        return {place: finished.get(place) or _too_slow(place) for place in tasks}


def _read_gazette(
    watched: Watched,
    book: Book,
    read_until: int,
    views: Views,
    look: Look,
    findings: Findings,
) -> Reading | None:
    """The new entries of the Gazette, and what is owed by now; None if nothing is dated."""
    view = _dated_view(views, "Gazette")
    if view is None or not view.grown:
        return None
    at = _date(view, look)
    after, entries = read_new(book, view, read_until, findings)
    notices = [
        Notice(id=f"gazette-{entry.number}", place=ENTRIES_PLACE, sentence=entry.sentence)
        for entry in entries
    ]
    if book.state is None:
        notices = [_beginning(after.edge.size, at)] if entries else []
    duties = list[Duty]()
    if after.state is not None:
        notices += _passed(after.state, read_until or at, at)
        duties = read_duties(after.state, at, look.policy)
        report(duties, findings)
    whole = after.edge.size == view.signed.tree.size
    return Reading(
        book=after,
        entries=tuple(entry.data for entry in entries),
        notices=tuple(notices),
        read_until=max(read_until, at) if whole else read_until,
        duties=tuple(duties),
    )


def _read_public(
    watched: Watched, state: GazetteState | None, views: Views, look: Look, findings: Findings
) -> list[Duty]:
    """The duties that listings set; apart, since whoever serves them may dawdle."""
    view = _dated_view(views, "Gazette")
    if view is None or state is None or watched.public is None:
        return []
    duties = read_listings(state, watched.public, _date(view, look), findings)
    report(duties, findings)
    return duties


def _passed(state: GazetteState, before: int, at: int) -> list[Notice]:
    return [
        Notice(id=f"date-{passed.key}", place=ENTRIES_PLACE, sentence=passed.sentence)
        for passed in passed_dates(state, before, at)
    ]


def _read_owed(
    watched: Watched, store: Store, book: Book, views: Views, look: Look, findings: Findings
) -> list[Duty]:
    """How door and desk stand with the keeper's own tips."""
    ledger = _dated_view(views, "Ledger")
    if ledger is None or book.state is None or watched.owed is None:
        return []
    tips = read_tips(watched.owed, book.state, findings)
    search = findings.attempt(
        "log-tiles",
        "The Ledger cannot be searched for your tips",
        lambda: find_leaves(tips, ledger, store),
    )
    if search is None:
        return []
    return owed_duties(tips, search, _date(ledger, look), watched.answer_days, findings)


def _dated_view(views: Views, name: str) -> LogView | None:
    """What a log shows, if the quorum has dated it."""
    [view] = [view for seat, view in views.items() if seat.name == name]
    return view if view is not None and view.dated is not None else None


def _date(view: LogView, look: Look) -> int:
    """The witnesses' date of a tree; one in the future counts as now."""
    assert view.dated is not None
    return min(view.dated.logged_by, look.at + CLOCK_SECONDS_MAX)


def open_watch(watched: Watched, store: Store) -> Watch:
    """A monitor that goes on where the last run of it ended.

    Raises:
        RefusedError: that run watched another programme.
    """
    try:
        book = open_book(store, watched.programme.hash)
    except UnverifiedError as error:
        raise RefusedError(
            f"{store.folder}: this folder watches another programme",
            hint="give each programme a folder of its own",
        ) from error
    return Watch(watched=watched, store=store, book=book)


def _run(place: str, task: Task, done: dict[str, tuple[Findings, Any]]) -> None:
    """Run one place's checks; whatever goes wrong in them is itself a finding."""
    findings, value = Findings(place), None
    findings.hold("unreachable", "fault")
    try:
        value = task(findings)
    except Exception as error:
        # A hostile server may find a way that no error family foresees. The type and the place
        # in our code are enough to mend it; a message might quote what it sent.
        trace = "".join(traceback.format_tb(error.__traceback__))
        sys.stderr.write(f"internal fault: {type(error).__name__}\n{trace}")
        findings.find("fault", f"A check of {place} failed: {type(error).__name__}.")
    done[place] = (findings, value)


def _too_slow(place: str) -> tuple[Findings, None]:
    findings = Findings(place)
    findings.find("unreachable", f"{place} cannot be read: it takes too long to answer.")
    return findings, None


def _beginning(size: int, at: int) -> Notice:
    sentence = f"The watch began: the Gazette held {size} entries, dated {when(at)}."
    return Notice(id="watch-began", place=ENTRIES_PLACE, sentence=sentence)


def _check_clock(views: Views, shown: Mapping[str, Sequence[Shown]], look: Look) -> Findings:
    """Whether every witness disagrees with this machine's clock, which then is the odd one."""
    findings = Findings(MACHINE_PLACE)
    dated = [view.dated for view in views.values() if view is not None and view.dated]
    seen = [pair for cosigned in dated for pair in cosigned.cosignatures]
    seen += [pair for each in shown.values() for one in each for pair in one.cosignatures]
    newest = dict(sorted(seen, key=lambda pair: pair[1]))
    apart = [at - look.at for at in newest.values()]
    # While no log answers, old cosignatures are what there is, and say nothing of our clock.
    if dated and apart and min(map(abs, apart)) > CLOCK_SECONDS_MAX:
        nearest = min(apart, key=abs)
        ahead = "behind" if nearest > 0 else "ahead"
        findings.find(
            "clock",
            f"This machine's clock may be wrong: it is at least {abs(nearest) // 60} minutes "
            f"{ahead} of all {len(apart)} witnesses.",
        )
    findings.hold("clock")
    return findings


def _summary(
    look: Look,
    views: Views,
    shown: Mapping[str, Sequence[Shown]],
    duties: Sequence[Duty],
    watched: Watched,
    took_seconds: float,
) -> Json:
    """What the page and the figures show of this round."""
    return {
        "at": look.at,
        "took_ms": int(took_seconds * 1000),
        "programme": watched.programme.name,
        "logs": [_log(seat, view) for seat, view in views.items()],
        "witnesses": [
            {
                "name": line.name,
                "log": seat.name,
                "cosigned_at": look.store.cosigned_at(seat.origin, line.name, look.at),
            }
            for line in look.policy.witnesses
            for seat in views
        ],
        "mirrors": [
            {"url": url, "log": seat.name, **_mirror(shown[url], seat)}
            for url in watched.mirrors
            for seat in views
        ],
        "duties": [asdict(duty) for duty in duties],
    }


def _log(seat: Seat, view: LogView | None) -> dict[str, Json]:
    return {
        "name": seat.name,
        "origin": seat.origin,
        "url": seat.url,
        "tree_size": view.signed.tree.size if view else None,
        "root_hash": view.signed.tree.root_hash.hex() if view else None,
        "logged_by": min(view.dated.logged_by, INSTANT_AT_MAX) if view and view.dated else None,
    }


def _mirror(shown: Sequence[Shown], seat: Seat) -> dict[str, Json]:
    seen = next((each for each in shown if each.origin == seat.origin), None)
    return {
        "tree_size": seen.tree_size if seen else None,
        "logged_by": min(seen.dated_at, INSTANT_AT_MAX) if seen else None,
    }
