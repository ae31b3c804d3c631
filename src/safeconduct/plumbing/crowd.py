"""The crowd at a server: who may stay, who has to go, and who goes first when it is full.

A connection is idle until the head of a request is complete, and again when its answer is
written; else it is busy.

    idle   for `head_seconds`                                  it is closed
    busy   its body or its answer does not advance             it is ended, with 408 if can be
    full   a new one comes                                     the one idle for longest goes

It goes of the origin that has most of them, be it a circuit or an address. So connections that
are only held open never lock out anybody. Where none is idle, the slowest upload goes, again of
the origin that has most. Where all wait for us, the new one waits, unread, until one of them is
answered; only when as many wait does it go.
"""

import asyncio
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Protocol

HEAD_SECONDS = 20.0
KEEP_ALIVE_SECONDS = 5
PROGRESS_SECONDS = 60.0
BODY_BYTES_PER_SECOND_MIN = 512
CONNECTIONS_MAX = 1_000
SETTLE_SECONDS = 2.0
"""How long one who waited and was let in is left alone, to send the head of a request."""

_SWEEPS_PER_LIMIT = 4
_SWEEP_SECONDS_MAX = 1.0
_INSTANT_SECONDS = 0.001  # shorter lives than this have no measurable pace


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a server puts up with; tests make it impatient."""

    head_seconds: float = HEAD_SECONDS
    keep_alive_seconds: int = KEEP_ALIVE_SECONDS
    progress_seconds: float = PROGRESS_SECONDS
    bytes_per_second_min: int = BODY_BYTES_PER_SECOND_MIN
    connections_max: int = CONNECTIONS_MAX
    settle_seconds: float = SETTLE_SECONDS

    @property
    def sweep_seconds(self) -> float:
        """How often the crowd is looked through."""
        shortest = min(self.head_seconds, self.progress_seconds)
        return min(_SWEEP_SECONDS_MAX, shortest / _SWEEPS_PER_LIMIT)

    @property
    def progress_bytes(self) -> int:
        """By how much a body or an answer advances in `progress_seconds`, at least."""
        return int(self.progress_seconds * self.bytes_per_second_min)


LIMITS = Limits()


class Guest(Protocol):
    """A connection, as the crowd sees it."""

    def origin(self) -> str:
        """Whose it is, as far as that is known: an address or a circuit."""
        ...

    def received_bytes(self) -> int:
        """How much of the request's body has come in."""
        ...

    def unsent_bytes(self) -> int:
        """How much waits for the visitor to take it."""
        ...

    def drained_times(self) -> int:
        """How often what waited was taken."""
        ...

    def owes_body(self) -> bool:
        """Whether we wait for the visitor, who announced a body that is not all there."""
        ...

    def is_answered(self) -> bool:
        """Whether nothing that it asked for is still to be written."""
        ...

    def hold(self) -> None:
        """Read nothing from it for now."""
        ...

    def go_on(self) -> None:
        """Read from it again."""
        ...

    def close(self) -> None:
        """Close once it has taken what was written."""
        ...

    def end(self) -> None:
        """Close at once."""
        ...

    def end_slow(self) -> None:
        """Say that it took too long, and close."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class _Mark:
    """How far a busy connection was when it was last found to advance."""

    began_at: float
    at: float
    received: int
    unsent: int
    drained: int


@dataclass(slots=True, kw_only=True)
class Crowd:
    """All connections of one server. It lives in the server's event loop."""

    limits: Limits = LIMITS
    _idle: dict[Guest, float] = field(default_factory=dict)  # since when; the longest first
    _busy: dict[Guest, _Mark] = field(default_factory=dict)
    _waiting: dict[Guest, None] = field(default_factory=dict)  # to be let in; the first first
    _sweeping: bool = False

    def enter(self, guest: Guest) -> None:
        """Take in a new connection: at the cost of another one, or later, if all is full."""
        if not self._waiting and self._make_room():
            self._idle[guest] = _now()
        elif len(self._waiting) < self.limits.connections_max:
            guest.hold()
            self._waiting[guest] = None
        else:
            guest.end()
        self._keep_sweeping()

    def begin(self, guest: Guest) -> None:
        """The head of a request is complete."""
        if self._idle.pop(guest, None) is not None:
            self._busy[guest] = _mark(guest, _now())

    def rest(self, guest: Guest) -> None:
        """The answer is written, and no further request waits."""
        if self._busy.pop(guest, None) is not None:
            self._idle[guest] = _now()
            if self._waiting:
                guest.close()

    def leave(self, guest: Guest) -> None:
        """The connection is gone."""
        self._idle.pop(guest, None)
        self._busy.pop(guest, None)
        self._waiting.pop(guest, None)
        self._admit()

    def _admit(self) -> None:
        """Let those in who waited, in the order in which they came."""
        while self._waiting and self._make_room(self.limits.settle_seconds):
            guest = next(iter(self._waiting))
            del self._waiting[guest]
            self._idle[guest] = _now()
            guest.go_on()

    def _make_room(self, idle_seconds: float = 0.0) -> bool:
        """Whether there is room for one more; whoever has least reason to stay goes for it.

        Nobody goes who was idle for less than `idle_seconds`: it may just have been let in.
        """
        if len(self._idle) + len(self._busy) < self.limits.connections_max:
            return True
        least = self._least(idle_seconds)
        if least is None:
            return False
        self._idle.pop(least, None)
        self._busy.pop(least, None)
        least.end()
        return True

    def _keep_sweeping(self) -> None:
        if not self._sweeping and (self._idle or self._busy):
            self._sweeping = True
            loop = asyncio.get_running_loop()
            loop.call_later(self.limits.sweep_seconds, self._sweep)

    def _sweep(self) -> None:
        self._sweeping = False
        now = _now()
        for guest in self._overdue(now):
            self._end_idle(guest, now)
        for guest, mark in list(self._busy.items()):
            if now - mark.at >= self.limits.progress_seconds:
                self._check(guest, mark, now)
        self._admit()
        self._keep_sweeping()

    def _overdue(self, now: float) -> list[Guest]:
        overdue = []
        for guest, since in self._idle.items():
            if now - since < self.limits.head_seconds:
                break
            overdue.append(guest)
        return overdue

    def _end_idle(self, guest: Guest, now: float) -> None:
        """Its time is over, unless it still takes its last answer: then that must advance."""
        del self._idle[guest]
        if guest.unsent_bytes():
            self._busy[guest] = _mark(guest, now)
        else:
            guest.end()

    def _check(self, guest: Guest, mark: _Mark, now: float) -> None:
        least = self.limits.progress_bytes
        if guest.owes_body() and guest.received_bytes() - mark.received < least:
            del self._busy[guest]
            guest.end_slow()
        elif _stuck(guest, mark, least) or _is_done(guest):
            del self._busy[guest]
            guest.end()
        else:
            self._busy[guest] = _mark(guest, now, mark.began_at)

    def _least(self, idle_seconds: float) -> Guest | None:
        """Who goes first; nobody, if all wait for us."""
        now = _now()
        idle = _of_largest_origin(
            guest
            for guest, since in self._idle.items()
            if now - since >= idle_seconds and not guest.unsent_bytes()
        )
        if idle:
            return idle[0]
        uploads = _of_largest_origin(guest for guest in self._busy if guest.owes_body())
        return min(uploads, key=lambda guest: self._bytes_per_second(guest, now), default=None)

    def _bytes_per_second(self, guest: Guest, now: float) -> float:
        lived_seconds = max(now - self._busy[guest].began_at, _INSTANT_SECONDS)
        return guest.received_bytes() / lived_seconds


def _now() -> float:
    return asyncio.get_running_loop().time()


def _mark(guest: Guest, now: float, began_at: float | None = None) -> _Mark:
    return _Mark(
        began_at=now if began_at is None else began_at,
        at=now,
        received=guest.received_bytes(),
        unsent=guest.unsent_bytes(),
        drained=guest.drained_times(),
    )


def _of_largest_origin(guests: Iterable[Guest]) -> list[Guest]:
    """Those of the origin that has most of them, in their order."""
    owners = [(guest, guest.origin()) for guest in guests]
    largest = dict(Counter(origin for _, origin in owners).most_common(1))
    return [guest for guest, origin in owners if origin in largest]


def _is_done(guest: Guest) -> bool:
    return guest.is_answered() and not guest.unsent_bytes()


def _stuck(guest: Guest, mark: _Mark, least: int) -> bool:
    """Whether an answer that waited at the mark waits still, and hardly any of it was taken."""
    unsent = guest.unsent_bytes()
    untouched = guest.drained_times() == mark.drained and mark.unsent - unsent < least
    return bool(mark.unsent and unsent and untouched)
