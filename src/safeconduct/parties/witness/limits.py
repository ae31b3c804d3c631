"""How much is asked of a witness: requests at once, and cosignatures per log and day.

Nobody logs in to a witness, so a limit must not be one that strangers can use up for a log. A
log gets so many larger trees a day (UTC), which only it can sign, and as many other texts for
the tree that is known; the count begins anew when the witness is started. Fresh dates, which
anybody can ask for, are not counted: a limited log is given one in so many seconds, and who
asks sooner gets the last.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from safeconduct.errors import UnavailableError

IN_WORK_MAX = 64
"""Requests in work or waiting for the disk; more than a quarter of a second of it."""
IN_WORK_RETRY_SECONDS = 1
_DAY_SECONDS = 86_400


class PushBackError(UnavailableError):
    """HTTP 429: too much at once; `retry_seconds` is when to come again."""

    http_status = 429

    def __init__(self, message: str, *, retry_seconds: int) -> None:
        super().__init__(message, hint="come again later")
        self.retry_seconds = retry_seconds


class Allowance:
    """What the logs have used up today; safe between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._day = 0
        self._used: dict[tuple[str, bool], int] = {}

    def take(self, origin: str, per_day: int | None, *, grows: bool, now: int) -> None:
        """Count one cosignature, of a larger tree or of another text.

        Raises:
            PushBackError: the log has had `per_day` of this kind; None is no limit.
        """
        if per_day is None:
            return
        with self._lock:
            day, seconds = divmod(now, _DAY_SECONDS)
            if day != self._day:
                self._day = day
                self._used.clear()
            used = self._used.get((origin, grows), 0)
            if used >= per_day:
                raise PushBackError(
                    "this log's requests of today are used up",
                    retry_seconds=_DAY_SECONDS - seconds,
                )
            self._used[origin, grows] = used + 1


def refresh_seconds(per_day: int | None) -> int:
    """How old a log's last date must be for a fresh one; None is no limit."""
    return 0 if per_day is None else -(-_DAY_SECONDS // per_day)


class InWork:
    """A count of the requests in work. Only for the thread of the server's event loop."""

    def __init__(self, most: int = IN_WORK_MAX) -> None:
        self._most = most
        self._now = 0

    @contextmanager
    def one_more(self) -> Iterator[None]:
        """Count one request during the block.

        Raises:
            PushBackError: there are too many already.
        """
        if self._now >= self._most:
            raise PushBackError(
                "too many requests at once", retry_seconds=IN_WORK_RETRY_SECONDS
            )
        self._now += 1
        try:
            yield
        finally:
            self._now -= 1
