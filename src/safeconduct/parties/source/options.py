"""What all verbs of a source share: the words, the files, and the way over the network.

Words come from a prompt or a pipe. They are never an argument, since a shell keeps a history of
those and every process on the machine can read them, and never in the environment.
"""

import argparse
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from safeconduct.errors import MalformedError, RefusedError, UnavailableError
from safeconduct.parties.source.waiting import (
    WAIT_SECONDS_LIMIT,
    WAIT_SECONDS_MAX,
    Wait,
    make_wait,
)
from safeconduct.plumbing import clock, dice, fetch, terminal
from safeconduct.plumbing.circuits import DIRECT, Circuits, draw_circuits
from safeconduct.plumbing.durable import naming
from safeconduct.plumbing.words import LANGUAGES, looks_like_words, parse_words
from safeconduct.protocol.envelope import MESSAGE_NAME, Source
from safeconduct.protocol.tip import FILE_BYTES_MAX, FILES_MAX, check_file_name

SOCKS_VARIABLE = "SAFECONDUCT_SOCKS"
READ_BYTES = 1 << 18
NUMBER_MAX = 1_000_000
EMPTY = "empty mailbox — wrong words?"
"""What is said to words that find nothing, be they mistyped, a decoy or new."""

Run = Callable[[argparse.Namespace], int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Travel:
    """How one run goes over the network; a verb finds it in its options as `travel`."""

    circuits: Circuits
    wait: Wait


def check_arguments(arguments: Sequence[str]) -> None:
    """Return unless somebody's words are among the arguments, or look as if they were.

    Raises:
        RefusedError: they are; what can be done about it is the hint.
    """
    if looks_like_words(" ".join(arguments).replace("=", " ")):
        raise RefusedError(
            "words are never given as an argument: your shell's history now holds them, and"
            " other programs could read them",
            hint="delete that line of the history, or better, use new words; they are asked"
            " for, or read from standard input",
        )


def add_common(parser: argparse.ArgumentParser) -> None:
    """Add what every verb but `new` takes."""
    parser.add_argument(
        "--programme",
        type=Path,
        required=True,
        metavar="DIR",
        help="programme.toml, policy.txt",
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    add_language(parser, None, "the language of your words, where they fit several")


def add_language(parser: argparse.ArgumentParser, default: str | None, summary: str) -> None:
    """Add `--language`."""
    parser.add_argument(
        "--language", choices=LANGUAGES, default=default, metavar="LANGUAGE", help=summary
    )


def add_files(parser: argparse.ArgumentParser) -> None:
    """Add what is sent."""
    parser.add_argument("--message", type=Path, help="a text file with what you want to say")
    parser.add_argument("files", nargs="*", type=Path, metavar="FILE", help="files to attach")


def add_travel(parser: argparse.ArgumentParser) -> None:
    """Add how a verb goes over the network, to one that does, and see to it when it runs."""
    parser.add_argument(
        "--socks",
        metavar="HOST:PORT",
        default=os.environ.get(SOCKS_VARIABLE) or None,
        help=f"go through Tor's SOCKS port, 127.0.0.1:9050, and never past it (or set"
        f" {SOCKS_VARIABLE})",
    )
    parser.add_argument(
        "--wait",
        type=int,
        metavar="SECONDS",
        default=WAIT_SECONDS_MAX,
        help=f"the most to wait between two contacts that could be matched (default"
        f" {WAIT_SECONDS_MAX}; 0 for not at all)",
    )
    parser.set_defaults(run=partial(_over_the_network, parser.get_default("run")))


def _over_the_network(run: Run, options: argparse.Namespace) -> int:
    """Run a verb with its circuits drawn; with any, nothing it does goes past them."""
    if not 0 <= options.wait <= WAIT_SECONDS_LIMIT:
        raise MalformedError(f"--wait: not between 0 and {WAIT_SECONDS_LIMIT}")
    # An empty one is no leave to go without: a variable in somebody's script was not set.
    proxied = options.socks is not None
    circuits = draw_circuits(options.socks, dice.random_bytes) if proxied else DIRECT
    circuits.check()
    burns = getattr(options, "burn", False)
    wait = make_wait(options.wait, dice.random_bytes, burns=burns)
    options.travel = Travel(circuits=circuits, wait=wait)
    with fetch.circuits_only() if proxied else nullcontext():
        return run(options)


def ask_words(options: argparse.Namespace) -> bytes:
    """The sixteen bytes of the words a person types or pipes in."""
    return parse_words(terminal.ask_secret("your twelve words: "), options.language)


def read_sources(options: argparse.Namespace) -> list[Source]:
    """The message and the files to send, as they were given.

    Raises:
        MalformedError: one has a name that no tip takes.
        RefusedError: none was given, or more than a tip holds.
        UnavailableError: one is not there.
    """
    sources = [file_source(path) for path in options.files]
    if options.message is not None:
        sources.insert(0, file_source(options.message, MESSAGE_NAME))
    if not sources:
        raise RefusedError("nothing to send", hint="give --message FILE, or files")
    if len(sources) > FILES_MAX:
        raise RefusedError(
            f"more than {FILES_MAX} files", hint="pack them into one, or send several tips"
        )
    if sum(path.stat().st_size for path in _paths(options)) > FILE_BYTES_MAX:
        raise RefusedError(
            f"more than {FILE_BYTES_MAX >> 30} GiB",
            hint="no door takes that: send several tips",
        )
    return sources


def _paths(options: argparse.Namespace) -> list[Path]:
    return [*options.files, *([options.message] if options.message is not None else [])]


PROGRESS_SECONDS = 2.0
_PASSES = ("measured", "sealed", "handed over")  # what a file is read for, in this order


def file_source(path: Path, name: str | None = None) -> Source:
    """A file to seal, read in pieces each time it is needed.

    Raises:
        MalformedError: its name is none that a tip takes.
        UnavailableError: it cannot be read.
    """

    passes = iter(_PASSES)

    def read() -> Iterator[bytes]:
        what = next(passes, _PASSES[-1])
        with naming(path), open(path, "rb") as file:
            size, told_at = path.stat().st_size, clock.monotonic()
            while piece := file.read(READ_BYTES):
                yield piece
                if clock.monotonic() - told_at > PROGRESS_SECONDS:
                    told_at = clock.monotonic()
                    terminal.note(f"{what} {file.tell() >> 20} of {size >> 20} MiB")

    if not path.is_file():
        raise UnavailableError(f"{path}: no such file")
    return Source(name=check_file_name(name or path.name), read=read)


def check_receipt_path(out: Path | None) -> None:
    """Return if a receipt can be written there, before something is sent for it.

    Raises:
        MalformedError: it has no name, or lies in no folder.
    """
    if out is not None and not (out.name and out.parent.is_dir()):
        raise MalformedError("the receipt: not a name in a folder that is there")


def check_number(number: int) -> None:
    """Return if it can be a contribution's number.

    Raises:
        MalformedError: it cannot.
    """
    if not 0 <= number <= NUMBER_MAX:
        raise MalformedError(f"--number: not between 0 and {NUMBER_MAX}")
