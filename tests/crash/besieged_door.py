"""A door as it is served, but mortal: it dies at the steps it is told, and has a bad clock.

    <folder>/deaths         one step on each line; a line is gone once the door has died there
    <folder>/clock-offset   seconds that its clock is ahead, read at each look
    <folder>/no-room        while it is there, no envelope finds room on the disk

Run as `python -m tests.crash.besieged_door`, with the arguments of `safeconduct`.
"""

import os
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from functools import wraps
from pathlib import Path
from typing import Any

from safeconduct.cli import run
from safeconduct.parties.intake import gate, tell
from safeconduct.parties.intake.store import Store
from safeconduct.plumbing.blobs import Blobs

DEATHS_FILE, CLOCK_FILE, NO_ROOM_FILE = "deaths", "clock-offset", "no-room"
Deed = Callable[..., Any]

GATE_STEPS = ("gate signed", "gate kept", "gate in the Ledger", "gate in the Gazette")
TIP_STEPS = ("tip sealed", "tip dated", "payload kept", "delivery entered")


def _dying(step: str, folder: Path, deed: Deed, *, first: bool = False) -> Deed:
    """`deed`, but the process ends behind it, or in front of it."""

    @wraps(deed)
    def dying(*given: Any, **named: Any) -> Any:
        if first:
            _die(step, folder)
        done = deed(*given, **named)
        if not first:
            _die(step, folder)
        return done

    return dying


def _die(step: str, folder: Path) -> None:
    path = folder / DEATHS_FILE
    steps = path.read_text().splitlines() if path.exists() else []
    if step in steps:
        steps.remove(step)
        path.write_text("".join(f"{each}\n" for each in steps))
        os.kill(os.getpid(), signal.SIGKILL)


def _arm(folder: Path) -> None:
    deeds: list[tuple[str, Any, str, bool]] = [
        ("gate signed", Store, "keep_gate", True),
        ("gate kept", Store, "keep_gate", False),
        ("gate in the Ledger", gate, "log_record", False),
        ("gate in the Gazette", gate, "log_notice", False),
        ("tip sealed", tell, "_sealed", False),
        ("tip dated", tell, "_enter", True),
        ("payload kept", Store, "take_in", True),
        ("delivery entered", Store, "take_in", False),
    ]
    for step, place, name, first in deeds:
        setattr(place, name, _dying(step, folder, getattr(place, name), first=first))


def _bend_clock(folder: Path) -> None:
    true_time, true_time_ns = time.time, time.time_ns

    def ahead() -> int:
        with suppress(OSError, ValueError):
            return int((folder / CLOCK_FILE).read_text())
        return 0

    time.time = lambda: true_time() + ahead()
    time.time_ns = lambda: true_time_ns() + ahead() * 1_000_000_000


def _fill_disk(folder: Path) -> None:
    place: Any = Blobs
    check = Blobs.check_room

    def checked(blobs: Blobs, size: int, reserve: int) -> None:
        full = (folder / NO_ROOM_FILE).exists()
        check(blobs, size, 1 << 62 if full else reserve)

    place.check_room = checked


def main() -> None:
    """Serve as the arguments say."""
    folder = Path(sys.argv[sys.argv.index("--dir") + 1])
    _bend_clock(folder)
    _arm(folder)
    _fill_disk(folder)
    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
