"""Progress: how far the audit is, how fast, and how long it will still take.

    ledger: 12,345,600 of 40,000,000 entries, 610,000 a second, 45 s left

On a terminal one line is written over and over; elsewhere there is a line every few seconds,
for those who asked for it. Nothing is said in the first second.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TextIO

from safeconduct.plumbing import clock
from safeconduct.plumbing.terminal import printable

QUIET_SECONDS = 1.0
REDRAW_SECONDS = 0.2
LINE_SECONDS = 5.0

_CLEAR_LINE = "\r\x1b[K"


@dataclass(slots=True, kw_only=True)
class Progress:
    """Where it is told, or nowhere; `stream` is a terminal where lines are written over."""

    stream: TextIO | None = None
    monotonic: Callable[[], float] = clock.monotonic
    _what: str = field(default="", init=False)
    _started: float = field(default=0.0, init=False)
    _next: float = field(default=0.0, init=False)
    _shown: bool = field(default=False, init=False)

    def begin(self, what: str) -> None:
        """Count what follows under the name `what`, from now on."""
        self._what, self._started = what, self.monotonic()
        self._next = self._started + QUIET_SECONDS

    def tick(self, done: int, total: int | None, noun: str, *, since: int = 0) -> None:
        """Tell, if it is time to, that `done` of `total` are done; `since` were so at first."""
        if self.stream is None:
            return
        now = self.monotonic()
        if now < self._next:
            return
        terminal = self.stream.isatty()
        self._next = now + (REDRAW_SECONDS if terminal else LINE_SECONDS)
        rate = (done - since) / max(now - self._started, 1e-9)
        line = _line(printable(self._what), done, total, noun, rate)
        self.stream.write(f"{_CLEAR_LINE}{line}" if terminal else f"{line}\n")
        self.stream.flush()
        self._shown = terminal

    def say(self, line: str) -> None:
        """Tell a whole line, however it is called for."""
        if self.stream is not None:
            self.end()
            self.stream.write(f"{printable(line)}\n")
            self.stream.flush()

    def end(self) -> None:
        """Leave the terminal's line empty for what comes next."""
        if self.stream is not None and self._shown:
            self.stream.write(_CLEAR_LINE)
            self.stream.flush()
            self._shown = False


def _line(what: str, done: int, total: int | None, noun: str, rate: float) -> str:
    count = f"{done:,}" if total is None else f"{done:,} of {total:,}"
    line = f"{what}: {count} {noun}, {rate:,.0f} a second"
    if total is None or rate <= 0:
        return line
    return f"{line}, {_duration((total - done) / rate)} left"


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
