"""Three honest witnesses, one who lies, and the clocks they go by; all without a network."""

import shutil
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Any, cast

from tests.crash.liars_books import ORIGIN, Truth, tree_of
from tests.parties.log.guard_world import key_of

from safeconduct.errors import RefusedError, SafeconductError, UnavailableError
from safeconduct.parties.witness import rewind
from safeconduct.parties.witness.catch_up import catch_up
from safeconduct.parties.witness.cosign import SIZE_CONTENT_TYPE, Keys, Witness
from safeconduct.parties.witness.logs import logs_of
from safeconduct.parties.witness.memory import Memory, open_memory
from safeconduct.parties.witness.store import Latest, Store
from safeconduct.plumbing.fetch import Response
from safeconduct.plumbing.remote import RemoteLog
from safeconduct.protocol.tlog.checkpoint import Checkpoint, format_checkpoint
from safeconduct.protocol.tlog.cosignature import cosign, verify_cosignature
from safeconduct.protocol.tlog.merkle import Tree
from safeconduct.protocol.tlog.note import (
    Note,
    SigningKey,
    VerifierKey,
    format_note,
    format_signature_line,
    parse_note,
    parse_signature_lines,
)

ORIGIN_HASH = sha256(ORIGIN.encode()).hexdigest()
HONEST = ("anna", "boris", "clara")
LIAR = "mallory"
START_AT = 1_790_000_000


@dataclass
class Clock:
    """The time of day as each party believes it to be; it stands still between steps."""

    now_ms: int = START_AT * 1000
    ticks: float = 0.0
    skew_seconds: dict[str, int] = field(default_factory=dict)

    def tick(self, seconds: int = 5) -> None:
        self.now_ms += 1000 * seconds
        self.ticks += seconds

    def milliseconds(self, who: str = "log") -> int:
        return self.now_ms + 1000 * self.skew_seconds.get(who, 0)

    def seconds(self, who: str = "log") -> int:
        return self.milliseconds(who) // 1000

    def monotonic(self) -> float:
        return self.ticks

    def sleep(self, duration_seconds: float) -> None:
        """Nothing moves on: this is how a clock that stands still looks."""


class InTurn:
    """Stands in for a pool of threads: what is submitted is done at once."""

    def __init__(self, *_: object, **__: object) -> None:
        pass

    def submit(self, call: Callable[..., Any], *args: object) -> "Future[Any]":
        future: Future[Any] = Future()
        try:
            future.set_result(call(*args))
        except Exception as error:
            future.set_exception(error)
        return future

    def shutdown(self, **_: object) -> None:
        pass


class StalledStore:
    """A witness's store in which another request may come between check and write."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.meanwhile: Callable[[], object] | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def advance(self, origin: str, old: Latest, new: Latest) -> bool:
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile is not None:
            meanwhile()
        return self._store.advance(origin, old, new)


@dataclass
class House:
    """An honest witness, all that it ever cosigned, and old copies of its folder."""

    name: str
    folder: Path
    log_keys: Sequence[VerifierKey]
    clock: Clock
    truth: Truth
    complain: Callable[[str], None]
    cosigned: dict[Tree, int] = field(default_factory=dict)
    last: tuple[Tree, int] | None = None
    is_up: bool = True
    has_forgotten: bool = False
    is_old: bool = False
    """Whether all of its folder was put back, and it has signed nothing since."""
    witness: Witness | None = None
    stalled: StalledStore | None = None
    copies: list[Path] = field(default_factory=list)
    refused: int = 0
    _memory: Memory | None = None

    @property
    def key(self) -> SigningKey:
        return key_of(self.name)

    @property
    def keys(self) -> Keys:
        return Keys(own=[self.key], logs=logs_of(self.log_keys))

    @property
    def latest(self) -> Latest | None:
        return None if self.witness is None else self.witness.store.latest(ORIGIN)

    def __call__(self, path: str, body: bytes | None) -> Response:
        if not self.is_up or self.witness is None:
            raise UnavailableError("cannot be reached")
        if body is None:
            return self._show(path)
        try:
            answer = self.witness.cosign(body, self.clock.seconds(self.name))
        except SafeconductError as error:
            return Response(status=error.http_status, body=f"error: {error}\n".encode())
        if answer.status == 200:
            self._write_down(body, answer.body)
        elif answer.content_type != SIZE_CONTENT_TYPE:
            self.complain(f"{self.name} answers {answer.status} without a size")
        headers = {"content-type": answer.content_type}
        return Response(status=answer.status, headers=headers, body=answer.body)

    def start(self, found: Sequence[tuple[str, bytes]], log: RemoteLog) -> bool:
        """Whether it starts, as `safeconduct witness serve` would; what refuses it may say.

        If it refuses, its keeper runs `witness catch-up` and tries once more.
        """
        memory = open_memory(self.folder, [ORIGIN])
        self._memory = memory
        found = [*memory.published.notes(), *found]
        for attempt in range(2):
            try:
                for seen in rewind.sightings(self.keys, found, lambda _: None):
                    rewind.refuse_if_behind(memory, seen, self.clock.seconds(self.name))
                break
            except RefusedError:
                self.refused += 1
                if attempt or not self._catch_up(memory, found, log):
                    self.stop()
                    return False
        self.witness = Witness(keys=self.keys, memory=memory)
        self.stalled = StalledStore(memory.store)
        self.witness.store = cast(Store, self.stalled)
        self.has_forgotten |= self._lacks(memory.store.latest(ORIGIN))
        return True

    def stop(self) -> None:
        self.witness = None
        if self._memory is not None:
            self._memory.store.close()
        self._memory = None

    def copy(self, to: Path) -> None:
        """Keep a copy of the folder of a witness that is stopped."""
        shutil.copytree(self.folder, to)
        self.copies.append(to)

    def put_back(self, copy: Path, *, whole: bool) -> None:
        """Put an old copy in place of the folder, or of its database alone."""
        if whole:
            self.is_old = True
            shutil.rmtree(self.folder)
            shutil.copytree(copy, self.folder)
            return
        for old in self.folder.glob("witness.db*"):
            old.unlink()
        for file in copy.glob("witness.db*"):
            shutil.copyfile(file, self.folder / file.name)

    def is_behind(self) -> bool:
        """Whether its memory lacks something that it has signed."""
        store = open_memory(self.folder, [ORIGIN]).store
        latest = store.latest(ORIGIN)
        store.close()
        return self._lacks(latest)

    def _catch_up(
        self, memory: Memory, found: Sequence[tuple[str, bytes]], log: RemoteLog
    ) -> bool:
        origin_log = self.keys.logs[ORIGIN]
        with suppress(SafeconductError):
            sightings = rewind.sightings(self.keys, found, lambda _: None)
            catch_up(memory, origin_log, log, sightings, self.clock.seconds(self.name))
            return True
        return False

    def _lacks(self, latest: Latest) -> bool:
        if self.last is None:
            return False
        tree, at = self.last
        known = latest.tree.size >= tree.size and self.truth.joined(latest.tree, tree)
        return not known or latest.cosigned_at < at

    def _show(self, path: str) -> Response:
        assert self.witness is not None
        if path != f"/{ORIGIN_HASH}/checkpoint":
            return Response(status=404)
        latest = self.witness.store.latest(ORIGIN).checkpoint
        return Response(status=200 if latest else 404, body=latest)

    def forks(self) -> dict[str, bytes]:
        """The proofs that it serves."""
        assert self.witness is not None
        return self.witness.store.forks(ORIGIN)

    def _write_down(self, body: bytes, answer: bytes) -> None:
        """Compare what it signs now with all that it signed before."""
        data = body.partition(b"\n\n")[2]
        note = parse_note(data)
        lines = Note(text=note.text, signatures=parse_signature_lines(answer))
        at, tree = verify_cosignature(lines, self.key.cosigner()), tree_of(data)
        if not self.has_forgotten:
            if any(self.truth.contradictions(tree, self.cosigned)):
                self.complain(f"{self.name} has cosigned two histories")
            if self.last is not None and tree.size < self.last[0].size:
                self.complain(f"{self.name} has cosigned a smaller tree than before")
            if self.last is not None and at < self.last[1]:
                self.complain(f"{self.name} has gone back in time")
        self.cosigned.setdefault(tree, at)
        self.last, self.is_old = (tree, at), False


LIES = (
    *("back-dates", "post-dates", "junk", "larger", "replays", "others' lines", "empty"),
    *("refuses", "silent", "busy", "breaks"),
)
"""What a liar answers every other time; between them it signs whatever it is given."""
SIGHTS = ("nothing", "old", "junk", "forged", "latest", "breaks")
"""What it shows of the log in turn."""


@dataclass
class Liar:
    """A witness that says whatever does most harm. All it cannot do is sign for others."""

    clock: Clock
    counts: Counter[str]
    asked: int = 0
    looked_at: int = 0
    notes: list[bytes] = field(default_factory=list)
    lines: list[bytes] = field(default_factory=list)

    @property
    def key(self) -> SigningKey:
        return key_of(LIAR)

    def __call__(self, path: str, body: bytes | None) -> Response:
        if body is None:
            self.looked_at += 1
            shows = SIGHTS[self.looked_at % len(SIGHTS)]
            self.counts[f"shows: {shows}"] += 1
            return self._shown(shows)
        self.asked += 1
        says = "signs" if self.asked % 2 else LIES[self.asked // 2 % len(LIES)]
        self.counts[f"says: {says}"] += 1
        note = body.partition(b"\n\n")[2]
        answer = self._said(says, parse_note(note).text)
        self.notes.append(note)
        return answer

    def line(self, text: str, at: int) -> bytes:
        return format_signature_line(cosign(text, self.key, at)).encode()

    def _said(self, says: str, text: str) -> Response:
        now = self.clock.seconds()
        size = {"content-type": SIZE_CONTENT_TYPE}
        fresh = self.line(text, now)
        replayed = self.lines[-1] if self.lines else fresh
        self.lines.append(fresh)
        if says == "silent":
            raise UnavailableError("cannot be reached")
        named = fresh.replace(b"mallory.example", b"anna.example")
        answers = {
            "signs": Response(status=200, body=fresh),
            "back-dates": Response(status=200, body=self.line(text, START_AT - 10**6)),
            "post-dates": Response(status=200, body=self.line(text, now + 10**6)),
            "junk": Response(status=200, body=b"\xff" * 99),
            "larger": Response(status=409, headers=size, body=b"999999\n"),
            "replays": Response(status=200, body=replayed),
            "others' lines": Response(status=200, body=named),
            "empty": Response(status=200),
            "refuses": Response(status=422, body=b"error: two roots for one size\n"),
            "busy": Response(status=429, headers={"retry-after": "3"}),
            "breaks": Response(status=500, body=b"\x00" * 99),
        }
        return answers[says]

    def _shown(self, shows: str) -> Response:
        notes = self.notes or [b""]
        shown = {
            "nothing": Response(status=404),
            "old": Response(status=200, body=notes[0]),
            "junk": Response(status=200, body=b"\x00" * 99),
            "forged": Response(status=200, body=_enlarged(notes[-1])),
            "latest": Response(status=200, body=notes[-1]),
            "breaks": Response(status=503),
        }
        return shown[shows]


def _enlarged(note: bytes) -> bytes:
    """The note with more entries than were signed."""
    if not note:
        return b""
    true = parse_note(note)
    tree = replace(tree_of(note), size=tree_of(note).size + 5)
    text = format_checkpoint(Checkpoint(origin=ORIGIN, tree=tree))
    return format_note(replace(true, text=text))
