"""The real program's log on disk, written to in this process, with witnesses in it as well."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.sample import ORIGIN, WITNESSES, policy
from safeconduct.parties.log.admission import Admit, admit_hash
from safeconduct.parties.log.config import GAZETTE, LEDGER, LogConfig, new_log
from safeconduct.parties.log.parts import Pace
from safeconduct.parties.log.sequence import Log, open_log
from safeconduct.plumbing import clock, fetch
from safeconduct.protocol.tlog.cosignature import cosign
from safeconduct.protocol.tlog.note import format_signature_line, parse_note
from safeconduct.protocol.tlog.policy import Policy

_NAME = "bench"


def answer(url: str, body: bytes | None) -> fetch.Response:
    """What a witness of the sample says: it saw nothing before, and cosigns everything."""
    if body is None:
        return fetch.Response(status=404, headers={}, body=b"")
    name = url.removeprefix("http://").partition("/")[0]
    text = parse_note(body.partition(b"\n\n")[2]).text
    line = cosign(text, WITNESSES[name], clock.seconds())
    return fetch.Response(status=200, headers={}, body=format_signature_line(line).encode())


@dataclass(frozen=True, slots=True, kw_only=True)
class Founded:
    """A log on disk that can be opened again and again, with the real program's writer."""

    folder: Path
    config: LogConfig
    policy: Policy

    @contextmanager
    def open(self) -> Iterator[Log]:
        """The log, recovered and ready to be appended to; rounds are made by the caller."""
        with open_log(
            *(self.folder, self.config, self.policy, _GATES[self.config.kind], Pace()),
            ask=answer,
        ) as log:
            yield log


def found(folder: Path, kind: str = GAZETTE) -> Founded:
    """A new log: a Gazette takes entries of any size here, a Ledger those of 32 bytes."""
    config = LogConfig(name=_NAME, origin=ORIGIN, kind=kind, pad=0)
    key = new_log(folder, config)
    return Founded(folder=folder / _NAME, config=config, policy=policy(key))


def _admit_all(_: bytes) -> None:
    """What entries say is no part of what is measured."""


_GATES: dict[str, Admit] = {GAZETTE: _admit_all, LEDGER: admit_hash}


def used_bytes(folder: Path, *names: str) -> int:
    """What the files take up on disk, in whole blocks: of all in `folder`, or of these."""
    places: Sequence[Path] = [folder / name for name in names] or [folder]
    found = {path for place in places for path in (place, *place.rglob("*"))}
    return sum(512 * path.lstat().st_blocks for path in found)


def content_bytes(folder: Path) -> int:
    """The lengths of all files in `folder` together."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
