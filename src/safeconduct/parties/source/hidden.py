"""Hidden data in the files of a tip: told before they are sealed, and removed on request.

Only where mat2 is installed. Files that are looked into are copied into memory, never onto
another disk.
"""

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path

from safeconduct.errors import RefusedError, UnavailableError
from safeconduct.plumbing import metadata, terminal
from safeconduct.plumbing.durable import read_stream
from safeconduct.protocol.envelope import Source

SHOWN_MAX = 6


def without_hidden_data(
    options: argparse.Namespace, sources: Sequence[Source]
) -> Sequence[Source]:
    """With `--clean`, sources of copies without hidden data; else the same, and a warning.

    Raises:
        RefusedError: hidden data cannot be removed from one of them.
        UnavailableError: `--clean` was given, and there is no mat2.
    """
    if not options.clean:
        warn_of_hidden_data(options, sources)
        return sources
    if not metadata.available():
        raise UnavailableError("--clean needs mat2", hint="install it: apt install mat2")
    pairs = zip(_paths(options), sources, strict=True)
    return [_cleaned(path, source) for path, source in pairs]


def warn_of_hidden_data(options: argparse.Namespace, sources: Sequence[Source]) -> None:
    """Note what was found in each file, as far as mat2 can tell."""
    for path, source in zip(_paths(options), sources, strict=True):
        for line in _warnings(path, source.name):
            terminal.note(line)


def _paths(options: argparse.Namespace) -> list[Path]:
    """The files in the order of their sources: the message first."""
    return [*([options.message] if options.message is not None else []), *options.files]


def _warnings(path: Path, name: str) -> Iterator[str]:
    found = metadata.found(path.name, read_stream(path))
    for field, value in found.fields[:SHOWN_MAX]:
        yield f"warning: {name} says inside: {field}: {value}"
    more = found.more + len(found.fields[SHOWN_MAX:])
    if more:
        yield f"warning: {name} says {more} more things inside"
    if found.fields:
        yield f"send copies without this by --clean, or clean {name} yourself"


def _cleaned(path: Path, source: Source) -> Source:
    """A source whose content was cleaned, in memory."""
    try:
        data = b"".join(metadata.cleaned(path.name, read_stream(path)))
    except RefusedError as error:
        raise RefusedError(
            f"{source.name}: {error.message}", hint="clean it yourself, or leave out --clean"
        ) from error
    return Source(name=source.name, read=lambda: [data])
