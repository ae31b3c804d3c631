"""The person at the terminal: what is said, asked and shown while they wait.

Answers go to standard output, everything else to standard error. Text from others is made
harmless first: a tip must not move the cursor or rename the window. Colour only on a terminal,
and never against NO_COLOR (no-color.org).
"""

import argparse
import getpass
import json
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from safeconduct.errors import MalformedError, RefusedError

_SECRET_CHARACTERS_MAX = 4096
_QUIET_SECONDS = 1.0

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
    if not answer:
        raise RefusedError("nothing was entered", hint="type it, or pipe it in as one line")
    if len(answer) > _SECRET_CHARACTERS_MAX:
        raise RefusedError(f"the input is longer than {_SECRET_CHARACTERS_MAX} characters")
    return answer


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
    verbs: "argparse._SubParsersAction[argparse.ArgumentParser]",
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
        if character.isprintable() or character in "\n\t"
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
