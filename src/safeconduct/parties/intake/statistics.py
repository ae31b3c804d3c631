"""How much came on each day: counters for staff, without content and never finer than a day.

What is counted is what a body needs to see that its door works. What is not, and why:

    pages seen, mailboxes opened,      "on Tuesday one visitor read Polish and opened a mailbox"
    languages, sizes, words typed      is a person, to whoever saw one person go to a computer
    a day that is not over             whoever looks twice would see what came in between
    numbers from 1 to 9, as such       a quiet door has no crowd to hide in: they are "1 to 9"

Commits, deliveries and replies stand in public logs by their hashes and times in any case; how
they were sealed, and what was refused, does not, and only becomes a number here. The counters
live in a database of their own, and losing it loses nothing else.

Spec: docs/6-operating.md (Door).
"""

import threading
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any, TypeAlias

from safeconduct.plumbing.database import Database, open_database
from safeconduct.plumbing.web import ERROR_FAMILY_HEADER, App

_Message: TypeAlias = MutableMapping[str, Any]  # as ASGI passes them
_Receive: TypeAlias = Callable[[], Awaitable[_Message]]
_Send: TypeAlias = Callable[[_Message], Awaitable[None]]

DAYS_FILE = "days.sqlite"
DAY_SECONDS = 86_400
KEPT_DAYS = 400
FLUSH_SECONDS = 600.0
FEW_MAX = 9
COUNTED = {
    "commits": "dated for clients",
    "delivered-source": "messages sealed by the source",
    "delivered-server": "messages sealed here",
    "replies": "replies put up by the desk",
    "refused-malformed": "refused: not well-formed",
    "refused-unverified": "refused: did not verify",
    "refused-refused": "refused: by a rule",
    "refused-conflict": "refused: contradicted something",
    "refused-unavailable": "put off: something was away",
    "refused-fault": "failed: a fault in this program",
}
"""The names of all counters, and what staff read."""

_ADD = """
INSERT INTO days (day, name, count) VALUES (?, ?, ?)
ON CONFLICT (day, name) DO UPDATE SET count = count + excluded.count
"""
_FAMILY_OF_STATUS = {400: "malformed", 413: "malformed", 415: "malformed", 403: "refused"}
_FAMILY_OF_STATUS |= {409: "conflict", 500: "fault", 503: "unavailable"}
_TAKEN = {"/commit": "commits", "/desk/replies": "replies"}
_WRITING = {"POST", "PUT", "PATCH"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """One UTC day that is over: POSIX seconds of its beginning, and its counters."""

    at: int
    counts: Mapping[str, int]


class Days:
    """The counters. Any thread may count; what was counted is written every ten minutes.

    Without a path nothing is ever written: for tests and previews.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._database: Database | None = None
        if path is not None:
            schema = resources.files(__package__).joinpath("days.sql").read_text()
            self._database = open_database(path, schema)
        self._lock = threading.Lock()
        self._fresh: Counter[tuple[int, str]] = Counter()

    def count(self, name: str, at: int) -> None:
        """Add one to the counter `name` of the day of `at`, in POSIX seconds."""
        assert name in COUNTED
        with self._lock:
            self._fresh[at // DAY_SECONDS, name] += 1

    def flush(self, now: int) -> None:
        """Write what was counted; forget days that are older than 400 days at `now`.

        Raises:
            UnavailableError: the disk refused; it is written the next time.
        """
        if self._database is None:
            return
        with self._lock:
            fresh, self._fresh = self._fresh, Counter()
        try:
            with self._database.write() as transaction:
                for (day, name), count in sorted(fresh.items()):
                    transaction.execute(_ADD, (day, name, count))
                oldest = now // DAY_SECONDS - KEPT_DAYS
                transaction.execute("DELETE FROM days WHERE day < ?", (oldest,))
        except BaseException:
            with self._lock:
                self._fresh.update(fresh)
            raise

    def days(self, now: int, limit: int = KEPT_DAYS) -> tuple[Day, ...]:
        """The last `limit` days that are over at `now`, the newest first, none left out.

        Begins with the first day that anything was counted on.
        """
        held: Counter[tuple[int, str]] = Counter()
        with self._lock:
            held.update(self._fresh)
        if self._database is not None:
            for day, name, count in self._database.read("SELECT day, name, count FROM days"):
                held[day, name] += count
        today = now // DAY_SECONDS
        first = max(min((day for day, _ in held), default=today), today - limit)
        return tuple(
            Day(
                at=day * DAY_SECONDS,
                counts={name: held[day, name] for name in COUNTED},
            )
            for day in range(today - 1, first - 1, -1)
        )


def shown(count: int) -> str:
    """The count as staff see it: small ones are not told apart."""
    return f"1 to {FEW_MAX}" if 0 < count <= FEW_MAX else str(count)


def keep_days(days: Days, seconds: Callable[[], int], stop: threading.Event) -> None:
    """Write the counters now and then, until `stop` is set; for a thread of its own.

    It writes whether or not anything came: when the file changed says nothing.
    """
    while not stop.wait(FLUSH_SECONDS):
        days.flush(seconds())
    days.flush(seconds())


def counted(app: App, days: Days, seconds: Callable[[], int]) -> App:
    """`app`, with its answers counted by what they are; nothing of a request is looked at."""

    async def counting(scope: _Message, receive: _Receive, send: _Send) -> None:
        async def told(message: _Message) -> None:
            if message["type"] == "http.response.start":
                name = _name_of(scope["method"], scope["path"], message)
                if name:
                    days.count(name, seconds())
            await send(message)

        await app(scope, receive, told if scope["type"] == "http" else send)

    return counting


def _name_of(method: str, path: str, message: _Message) -> str:
    """The counter that an answer belongs to; empty for most."""
    if method not in _WRITING or "/mail" in path:  # a mailbox is nobody's business
        return ""
    status = message["status"]
    if status < 400:
        return _TAKEN.get(path, "") if status == 200 else ""
    headers = dict(message["headers"])
    told: bytes = headers.get(ERROR_FAMILY_HEADER.encode(), b"")
    name = f"refused-{told.decode('latin-1') or _FAMILY_OF_STATUS.get(status, '')}"
    if status == 500:
        name = "refused-fault"
    return name if name in COUNTED else ""
