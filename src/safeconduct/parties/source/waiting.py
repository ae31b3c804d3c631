"""Wait for a random time between two contacts, so that their times do not tie them together.

A person at the door who sees a commitment and, two seconds later, an upload of 3 MB by another
circuit, needs no cryptography to know that the two are one. So there is a wait before each
contact that could be matched with the one before, drawn evenly from nothing to the most.

Spec: docs/3-protocol.md §27.
"""

from collections.abc import Callable

from safeconduct.plumbing import clock, terminal

WAIT_SECONDS_MAX = 900
WAIT_SECONDS_LIMIT = 86_400  # the delivery window is longer than that
_DRAWN_BYTES = 8

_WHY = {
    "capsule": "so that nobody can match your commit with your mailbox",
    "deliver": "so that nobody can match your commit with your upload",
    "ledger": "so that nobody can match your look into the mailbox with what you log",
    "register": "so that nobody can match your look into the mailbox with your claim",
}
_STOPPED = "stopped while waiting: the same command goes on, nothing is lost"
_STOPPED_BURNING = (
    "stopped while waiting: its key is burned, so that nobody can go on with it; the same"
    " command sends another one, with a later date"
)
_WHY_ELSE = "so that nobody can match what you did with what comes next"

Wait = Callable[[str], None]
Sleep = Callable[[float], None]


def make_wait(
    seconds_max: int,
    random_bytes: Callable[[int], bytes],
    sleep: Sleep | None = None,
    *,
    burns: bool = False,
) -> Wait:
    """What waits before a contact, whose purpose it is given: 0 to `seconds_max` seconds.

    It says on standard error how long and what for. Whoever breaks it off is told that nothing
    is lost; or, of what `burns`, that it is.
    """

    def wait(purpose: str) -> None:
        seconds = draw_seconds(seconds_max, random_bytes)
        if seconds > 0:
            why = _WHY.get(purpose, _WHY_ELSE)
            _wait(seconds, why, sleep or clock.sleep, _STOPPED_BURNING if burns else _STOPPED)

    return wait


def draw_seconds(seconds_max: int, random_bytes: Callable[[int], bytes]) -> float:
    """A time from 0 to `seconds_max` seconds, to the millisecond, each as likely."""
    drawn = int.from_bytes(random_bytes(_DRAWN_BYTES), "big")
    return drawn % (1_000 * seconds_max + 1) / 1_000


def _wait(seconds: float, why: str, sleep: Sleep, stopped: str) -> None:
    try:
        terminal.count_down(f"waiting {why}; --wait 0 to skip", seconds, sleep)
    except KeyboardInterrupt:
        terminal.note(stopped)
        raise
