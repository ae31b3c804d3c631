"""Telling: what has changed is printed, and handed to the keeper's own command.

Both happen after the change is on the disk. A crash in between tells it at the next start; a
crash between telling and noting that it was told tells it twice, under the same number.
"""

import json
import shlex
import subprocess
from collections.abc import Callable, Mapping
from typing import Any

from safeconduct.errors import MalformedError
from safeconduct.parties.monitor.finding import (
    CONTRADICTION,
    DUE,
    MISSED,
    UNREACHABLE,
    UNVERIFIED,
)
from safeconduct.parties.monitor.store import Store
from safeconduct.plumbing import terminal

COMMAND_SECONDS_MAX = 60
_COLOURS = {CONTRADICTION: "red", UNVERIFIED: "red", MISSED: "red", UNREACHABLE: "yellow"}
_COLOURS[DUE] = "yellow"
_MARKS = {"new": "ALERT", "ended": "over", "notice": "note"}

Say = Callable[[Mapping[str, Any]], None]


def split_command(text: str) -> list[str]:
    """The argument list of a command, as a shell would part it; no shell ever runs it.

    Raises:
        MalformedError: a quote is open, or there is nothing.
    """
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise MalformedError(f"--on-alert: {error}") from error
    if not words:
        raise MalformedError("--on-alert: no command")
    return words


def tell(store: Store, say: Say, command: list[str] | None) -> None:
    """Tell everything that was not told yet, in order.

    A command that fails is asked again after the next round, 20 times; what comes after is not
    held up by it.
    """
    for news in store.news():
        if not news.said:
            say(news.message)
            store.said(news.number)
        if not news.handed:
            store.handed(news.number, taken=command is None or _hand(command, news.message))


def say_line(message: Mapping[str, Any]) -> None:
    """One line for people, and what to do; evidence is named by its files."""
    state, severity = message["state"], message["severity"]
    colour = _COLOURS.get(severity) if state == "new" else None
    kind = f" ({severity})" if state == "new" else ""
    terminal.say(f"{_MARKS[state]}{kind}: {message['sentence']}", colour=colour)
    if state == "new":
        terminal.say(f"  next: {message['next']}")
        for name in message["evidence"]:
            terminal.say(f"  evidence: evidence/{name}")


def _hand(command: list[str], message: Mapping[str, Any]) -> bool:
    """Whether the command took the message, as JSON on its standard input."""
    try:
        done = subprocess.run(
            command,
            input=json.dumps(message).encode(),
            stdout=subprocess.DEVNULL,
            timeout=COMMAND_SECONDS_MAX,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        terminal.warn(f"--on-alert: {type(error).__name__}; it is tried again")
        return False
    if done.returncode:
        terminal.warn(f"--on-alert: exit status {done.returncode}; it is tried again")
    return done.returncode == 0
