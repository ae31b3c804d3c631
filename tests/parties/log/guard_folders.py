"""A log's folder as disks, crashes and backups leave it, and a mirror of it."""

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest
from tests.parties.log.guard_world import ORIGIN, Town, two_of_three

from safeconduct.parties.log import journal
from safeconduct.parties.log.admission import admit_hash
from safeconduct.parties.log.config import LogConfig, LogFolder, load_config, load_keys, new_log
from safeconduct.parties.log.sequence import Log, Pace, open_log
from safeconduct.plumbing import web
from safeconduct.protocol.tlog.note import VerifierKey

NAME = "ledger"
_SEGMENT_BYTES = 1 << 16  # copied faster than 16 MiB


def entries(start: int, end: int, kind: int = 0) -> list[bytes]:
    """Ledger entries, a kind for each history."""
    return [
        kind.to_bytes(16, "big") + number.to_bytes(16, "big") for number in range(start, end)
    ]


def found(folder: Path) -> LogFolder:
    """A new Ledger below `folder`."""
    new_log(folder, LogConfig(name=NAME, origin=ORIGIN, kind="ledger", pad=0))
    return LogFolder(path=folder / NAME)


@contextmanager
def running(paths: LogFolder, town: Town | None = None) -> Iterator[Log]:
    """The log of a folder, whose witnesses know it only if a town is given."""
    ask = (town or Town()).ask
    pace = Pace(reserve_bytes=0)
    config = load_config(paths.path)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(journal, "SEGMENT_BYTES", _SEGMENT_BYTES)
        with open_log(paths.path, config, two_of_three(), admit_hash, pace, ask=ask) as log:
            yield log


def grow(
    paths: LogFolder, batches: Sequence[Sequence[bytes]], town: Town | None = None
) -> None:
    """Append and publish batches, then stop the log cleanly."""
    with running(paths, town) as log:
        for batch in batches:
            log.append(batch)
        log.round()


def copy(paths: LogFolder, folder: Path) -> LogFolder:
    """The folder as a backup or a power cut would have it."""
    shutil.copytree(paths.path, folder / NAME)
    return LogFolder(path=folder / NAME)


def keys_of(paths: LogFolder) -> tuple[VerifierKey, ...]:
    return load_keys(paths).verifiers


@contextmanager
def mirror(public: Path) -> Iterator[str]:
    """Serve a tree of files as they are; gives the address."""

    def file(public: Path, request: web.Request) -> web.Response:
        path = public / request.path_params["rest"]
        if not path.is_file():
            raise web.missing("no such file")
        return web.data(path.read_bytes())

    app = web.make_app([web.Route("GET", "/{rest:path}", partial(file, public))])
    with web.running(app, "127.0.0.1:0") as url:
        yield url
