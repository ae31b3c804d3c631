"""The clock: the one place that asks the operating system what time it is."""

import time
from datetime import UTC, datetime


def now() -> datetime:
    """The present instant, aware, in UTC."""
    return datetime.now(UTC)


def seconds() -> int:
    """The present instant in whole POSIX seconds."""
    return int(time.time())


def milliseconds() -> int:
    """The present instant in whole POSIX milliseconds."""
    return time.time_ns() // 1_000_000


def monotonic() -> float:
    """Seconds on a clock that never goes back: for waiting, never for dates."""
    return time.monotonic()


def steady_seconds() -> int:
    """Whole seconds on the clock of `monotonic`: for how long something lies here."""
    return int(time.monotonic())


def sleep(duration_seconds: float) -> None:
    """Let at least that much time pass in this thread."""
    time.sleep(duration_seconds)
