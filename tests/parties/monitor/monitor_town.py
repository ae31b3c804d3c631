"""A programme whose logs, witnesses and mirror are dicts of files on one real HTTP server.

Whoever holds the dict can make anybody lie: every tree is signed with the true keys.
"""

import hashlib
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.parties.auditor.public_folder import (
    BOARD,
    DAY_SECONDS,
    GAZETTE,
    LEDGER,
    LOGGED_AT,
    NAME,
    PROGRAMME,
    WITNESSES,
    Log,
    board_signed,
    checkpoint,
    founding,
    key,
    make_log,
    statute_entry,
)
from tests.parties.auditor.short_act import law

from safeconduct.parties.monitor.store import open_store
from safeconduct.parties.monitor.tell import tell
from safeconduct.parties.monitor.watch import Watched, open_watch
from safeconduct.plumbing import web
from safeconduct.plumbing.programme import Programme, write_programme
from safeconduct.protocol.record import NO_HASH, make_record, record_hash
from safeconduct.protocol.tlog.checkpoint import parse_checkpoint
from safeconduct.protocol.tlog.note import COSIGNATURE, SigningKey, parse_note
from safeconduct.protocol.tlog.policy import (
    GroupLine,
    LogLine,
    Policy,
    WitnessLine,
    format_policy,
)

AT = LOGGED_AT
ORIGINS = {"gazette": GAZETTE.name, "ledger": LEDGER.name}
KEYS = {"gazette": GAZETTE, "ledger": LEDGER}
NAMES = ("w1", "w2")
RECIPIENT = "age1example"
OPENS, CLOSES = AT - DAY_SECONDS, AT + 30 * DAY_SECONDS


def epoch_entry(
    number: int, previous: bytes, opens: int = OPENS, closes: int = CLOSES
) -> bytes:
    record = make_record(
        "epoch",
        programme=PROGRAMME,
        number=number,
        previous=previous,
        opens=opens,
        closes=closes,
        statement=desk_key(number).verifier(),
        classic=RECIPIENT,
        hybrid=RECIPIENT,
    )
    return board_signed(record)


def roster_entry(number: int, previous: bytes) -> bytes:
    members = tuple(one.verifier() for one in BOARD[:2])
    record = make_record(
        "roster",
        programme=PROGRAMME,
        number=number,
        previous=previous,
        threshold=2,
        members=members,
    )
    return board_signed(record)


def desk_key(number: int) -> SigningKey:
    return key(f"desk-epoch-{number}")


FOUNDED = [founding(), statute_entry(law()), epoch_entry(1, NO_HASH)]
HASHES = [hashlib.sha256(str(number).encode()).digest() for number in range(600)]
OTHERS = [hashlib.sha256(f"other {number}".encode()).digest() for number in range(600)]


def origin_hash(name: str) -> str:
    return hashlib.sha256(ORIGINS[name].encode()).hexdigest()


@dataclass
class Town:
    """What everybody serves, by path; a value may be a whole answer instead of bytes."""

    url: str
    folder: Path
    files: dict[str, bytes | web.Response]
    mirrors: tuple[str, ...] = ()
    told: list[dict[str, Any]] = field(default_factory=list)
    code: int = 0

    @property
    def policy(self) -> Policy:
        witnesses = tuple(
            WitnessLine(name=name, key=one.verifier(COSIGNATURE), url=f"{self.url}/{name}")
            for name, one in zip(NAMES, WITNESSES, strict=True)
        )
        return Policy(
            logs=tuple(LogLine(key=one.verifier()) for one in KEYS.values()),
            witnesses=witnesses,
            groups=(GroupLine(name="one", threshold=1, members=NAMES),),
            quorum="one",
        )

    @property
    def programme(self) -> Programme:
        return Programme(
            name=NAME,
            gazette=f"{self.url}/gazette",
            gazette_origin=GAZETTE.name,
            ledger=f"{self.url}/ledger",
            ledger_origin=LEDGER.name,
            door=self.url,
            register=self.url,
            policy=self.policy,
            policy_text=format_policy(self.policy),
        )

    def serve(self, prefix: str, log: Log) -> None:
        """Put a log's files at a place, instead of what was there."""
        for path in [path for path in self.files if path.startswith(f"{prefix}/")]:
            del self.files[path]
        self.files |= {f"{prefix}/{path}": data for path, data in log.files.items()}

    def show(self, name: str, entries: Sequence[bytes], at: int = AT) -> Log:
        """Let a log, and both witnesses, show these entries."""
        log = make_log(KEYS[name], entries, at)
        self.serve(name, log)
        for witness in NAMES:
            self.witnessed(witness, name, log)
        return log

    def show_us(self, name: str, entries: Sequence[bytes], at: int = AT) -> Log:
        """Let a log show us these entries; its witnesses show what they showed before."""
        log = make_log(KEYS[name], entries, at)
        self.serve(name, log)
        return log

    def redate(self, name: str, at: int) -> None:
        """Let log and witnesses show the same tree under a newer date."""
        self.dated(name, at, WITNESSES)
        for witness in NAMES:
            path = f"{witness}/{origin_hash(name)}/checkpoint"
            self.files[path] = self.files[f"{name}/checkpoint"]

    def dated(self, name: str, at: int, witnesses: Sequence[SigningKey]) -> None:
        """Let only these witnesses cosign what a log shows us."""
        shown = parse_checkpoint(parse_note(self._bytes(f"{name}/checkpoint")).text)
        path = f"{name}/checkpoint"
        self.files[path] = checkpoint(KEYS[name], shown.tree, at, witnesses)

    def _bytes(self, path: str) -> bytes:
        found = self.files[path]
        assert isinstance(found, bytes)
        return found

    def witnessed(self, witness: str, name: str, log: Log) -> None:
        """Let a witness show the checkpoint of a log."""
        self.files[f"{witness}/{origin_hash(name)}/checkpoint"] = log.checkpoint

    def mirror(self, place: str = "mirror") -> None:
        """Let a mirror serve what the logs serve now."""
        self.mirrors = (f"{self.url}/{place}",)
        for name in ORIGINS:
            copied = {
                path.removeprefix(f"{name}/"): data
                for path, data in self.files.items()
                if path.startswith(f"{name}/")
            }
            self.files |= {
                f"{place}/{origin_hash(name)}/{path}": data for path, data in copied.items()
            }

    def watch(
        self, at: int = AT, *, folder: Path | None = None, **limits: Any
    ) -> dict[str, Any]:
        """One round of a monitor that is started for it; returns the standing alerts by check.

        What it tells is added to `told`.
        """
        store = open_store(folder or self.folder)
        try:
            watched = Watched(programme=self.programme, mirrors=self.mirrors, **limits)
            watch = open_watch(watched, store)
            watch.round(at)
            tell(store, lambda message: self.told.append(dict(message)), None)
            self.code = watch.exit_code()
            return {_check(alert.id): alert for alert in store.alerts()}
        finally:
            store.close()

    def evidence(self, alert: Any, suffix: str) -> list[bytes]:
        """The bytes of an alert's evidence of one kind."""
        folder = self.folder / "evidence"
        return [(folder / name).read_bytes() for name in alert.evidence if suffix in name]

    def sentences(self, state: str) -> list[str]:
        """What was told of one state so far."""
        return [str(one["sentence"]) for one in self.told if one["state"] == state]


@contextmanager
def open_town(folder: Path) -> Iterator[Town]:
    """A town where all is well at `AT`."""
    files: dict[str, bytes | web.Response] = {}

    def answer(request: web.Request) -> web.Response:
        found = files.get(request.path_params["path"])
        if found is None:
            raise web.missing("nothing here")
        return web.data(found) if isinstance(found, bytes) else found

    with web.running(web.make_app([web.Route("GET", "/{path:path}", answer)])) as url:
        town = Town(url=url, folder=folder / "watch", files=files)
        town.show("gazette", FOUNDED)
        town.show("ledger", HASHES[:300])
        yield town


def last_hash(entries: Sequence[bytes]) -> bytes:
    """The record hash of the last entry, which its successor names."""
    return record_hash(entries[-1])


def write_programme_files(town: Town, folder: Path) -> Path:
    """The programme's two public files, for the command line."""
    folder.mkdir()
    write_programme(folder, town.programme)
    return folder


def _check(alert_id: str) -> str:
    return alert_id.rpartition("-")[0]


def as_json(data: bytes) -> Any:
    return json.loads(data)
