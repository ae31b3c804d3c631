"""The person at the terminal: what is said, asked and shown while they wait.

Answers go to standard output, everything else to standard error. Text from others is made
harmless first: a tip must not move the cursor or rename the window. Colour only on a terminal,
and never against NO_COLOR (no-color.org).
"""

import argparse
import getpass
import json
import math
import os
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TextIO, TypeAlias

from safeconduct.errors import MalformedError, RefusedError

Verbs: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"

_SECRET_CHARACTERS_MAX = 4096
_QUIET_SECONDS = 1.0

_HARMLESS = "\n\t\u3000"  # the last joins Japanese words
_OTHER_SCREEN, _FORMER_SCREEN = "\x1b[?1049h\x1b[H\x1b[2J", "\x1b[2J\x1b[?1049l"
_LINE_AGAIN = "\r\x1b[K"

_COLOURS = {"bold": "1", "red": "31", "green": "32", "yellow": "33", "dim": "2"}


def say(text: str, *, colour: str | None = None) -> None:
    """Print an answer to standard output."""
    _print(text, sys.stdout, colour)


def note(text: str, *, colour: str | None = None) -> None:
    """Print something about the answer to standard error."""
    _print(text, sys.stderr, colour)


def warn(text: str) -> None:
    """Print a warning to standard error."""
    _print(f"warning: {text}", sys.stderr, "yellow")


def print_json(value: object) -> None:
    """Print a value as indented JSON with sorted keys, for other programs."""
    sys.stdout.write(json.dumps(value, indent=2, sort_keys=True, ensure_ascii=True) + "\n")
    sys.stdout.flush()


def ask_secret(prompt: str) -> str:
    """What the person typed unseen or, without a terminal, the next line of standard input.

    Raises:
        RefusedError: nothing was given, or far too much.
        MalformedError: what was piped in is not UTF-8.
    """
    try:
        if sys.stdin.isatty():
            answer = getpass.getpass(prompt)
        else:
            answer = sys.stdin.readline(_SECRET_CHARACTERS_MAX + 2).rstrip("\r\n")
    except UnicodeDecodeError:
        # Not chained: the error holds the bytes that were entered.
        raise MalformedError(
            "the input is not text", hint="type it, or pipe in UTF-8"
        ) from None
    except EOFError:
        answer = ""  # the end of input at a prompt
    if not answer:
        raise RefusedError("nothing was entered", hint="type it, or pipe it in as one line")
    if len(answer) > _SECRET_CHARACTERS_MAX:
        raise RefusedError(f"the input is longer than {_SECRET_CHARACTERS_MAX} characters")
    return answer


def show_secret(lines: Sequence[str], more: Sequence[str], prompt: str) -> None:
    """Print what must not stay behind; `more` of it, and no trace, where a person looks.

    On a terminal it is shown on a screen of its own until Enter, so that the window does not
    keep it. Elsewhere only `lines` are printed.
    """
    on_screen = sys.stdin.isatty() and sys.stdout.isatty()
    if not on_screen or os.environ.get("TERM", "dumb") == "dumb":
        for line in (*lines, *more) if sys.stdout.isatty() else lines:
            say(line)
        return
    sys.stdout.write(_OTHER_SCREEN)
    try:
        for line in (*lines, *more):
            say(line)
        note(prompt)
        sys.stdin.readline()
    finally:
        sys.stdout.write(_FORMER_SCREEN)
        sys.stdout.flush()


def count_down(text: str, seconds: float, sleep: Callable[[float], None]) -> None:
    """Let `seconds` pass, and say on standard error how many are left: on a terminal all the
    time, in one line that is gone in the end.
    """
    if not sys.stderr.isatty():
        note(f"{text}: {_minutes(seconds)}")
        sleep(seconds)
        return
    try:
        while seconds > 0:
            sys.stderr.write(f"{_LINE_AGAIN}{printable(text)}: {_minutes(seconds)}")
            sys.stderr.flush()
            sleep(min(seconds, 1.0))
            seconds -= 1.0
    finally:
        sys.stderr.write(_LINE_AGAIN)
        sys.stderr.flush()


def _minutes(seconds: float) -> str:
    minutes, rest = divmod(math.ceil(seconds), 60)
    return f"{minutes}:{rest:02}"


@contextmanager
def waiting(what: str) -> Iterator[None]:
    """Say on standard error what is being waited for, if it takes longer than a second."""
    timer = threading.Timer(_QUIET_SECONDS, note, [f"{what} …"], {"colour": "dim"})
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def add_verb(
    verbs: Verbs,
    name: str,
    summary: str,
    example: str,
) -> argparse.ArgumentParser:
    """A verb's parser, whose help ends with `example` as it is written."""
    return verbs.add_parser(
        name,
        help=summary,
        description=f"{summary[:1].upper()}{summary[1:]}.",
        epilog=example,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def printable(text: str) -> str:
    """`text` without anything a terminal would obey: controls become their code point."""
    return "".join(
        character
        if character.isprintable() or character in _HARMLESS
        else f"\\u{{{ord(character):x}}}"
        for character in text
    )


def _print(text: str, stream: TextIO, colour: str | None) -> None:
    shown = printable(text)
    if colour is not None and stream.isatty() and "NO_COLOR" not in os.environ:
        shown = f"\x1b[{_COLOURS[colour]}m{shown}\x1b[0m"
    encoding = stream.encoding or "ascii"
    stream.write(shown.encode(encoding, "backslashreplace").decode(encoding) + "\n")
    stream.flush()
