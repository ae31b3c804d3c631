"""A whole programme of real processes with a mortal door, and people who do not give up.

People do as real ones do: a connection that breaks, a page that is void and a service that is
away are tried again from the start, with the same words and the same content.
"""

import base64
import io
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, redirect_stdout
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path
from typing import TypeVar

import httpx
import pytest
from tests.crash.besieged_door import CLOCK_FILE, DEATHS_FILE
from tests.parties.servers import SOURCES

from safeconduct.demo import founding
from safeconduct.demo.stage import Stage
from safeconduct.demo.world import World
from safeconduct.errors import UnavailableError
from safeconduct.parties.source.door import Door
from safeconduct.parties.source.send import Sent, send
from safeconduct.plumbing import clock, dice
from safeconduct.plumbing.words import format_words
from safeconduct.protocol.envelope import Source
from safeconduct.protocol.record import record_hash

ROOT = Path(__file__).parents[2]
PATIENCE_SECONDS = 150
ANSWER_SECONDS = 120
TICKET = re.compile(r'name="ticket" value="([^"]*)"')
SAVED = re.compile(r'href="data:application/octet-stream;base64,([^"]*)"')
Done = TypeVar("Done")
RECEIVED, DATED_ONLY = "Received and dated", "Dated, but not received yet"


class Siege(Stage):
    """A stage whose door is mortal; its folder is `<folder>/door`."""

    def _spawn(self, name: str, arguments: Sequence[str]) -> "subprocess.Popen[bytes]":
        if name != "door":
            return super()._spawn(name, arguments)
        with open(self._diagnostics / f"{name}.txt", "ab") as output:
            return subprocess.Popen(
                [sys.executable, "-m", "tests.crash.besieged_door", *arguments],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=ROOT,
                env=_environment(),
                start_new_session=True,
            )

    def pid(self, name: str) -> int:
        """The process of a server now."""
        return self._servers[name].process.pid


def _environment() -> dict[str, str]:
    return {"PYTHONPATH": f"{SOURCES}:{ROOT}", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}


@dataclass
class Town:
    """The programme at work, and all that was acknowledged to anybody."""

    folder: Path
    stage: Siege
    world: World
    committed: dict[bytes, bytes] = field(default_factory=dict)  # leaf → proof
    told: list["Told"] = field(default_factory=list)
    sent: list[Sent] = field(default_factory=list)
    kills: Mapping[int, str] = field(default_factory=dict)
    killed: list[str] = field(default_factory=list)
    pages: list[tuple[int, str]] = field(default_factory=list)  # that were no answer
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _count: int = 0

    @property
    def url(self) -> str:
        return self.world.programme.door

    @property
    def door_folder(self) -> Path:
        return self.folder / "door"

    def acknowledged(self) -> None:
        """One more was answered; whoever is to be killed after so many is killed now."""
        with self._lock:
            self._count += 1
            name = self.kills.get(self._count)
            if name:
                self.killed.append(name)
                self.stage.kill(name)

    def dies_at(self, *steps: str) -> None:
        (self.door_folder / DEATHS_FILE).write_text("".join(f"{step}\n" for step in steps))

    def deaths_left(self) -> list[str]:
        path = self.door_folder / DEATHS_FILE
        return path.read_text().splitlines() if path.exists() else []

    def set_clock(self, ahead_seconds: int) -> None:
        new = self.door_folder / f"{CLOCK_FILE}.new"
        new.write_text(str(ahead_seconds))
        new.replace(self.door_folder / CLOCK_FILE)

    def commit(self, leaf: bytes) -> bytes:
        """As the client commits, and again until it is answered."""
        proof = until_done(lambda: Door(self.url).commit(leaf))
        with self._lock:
            self.committed[leaf] = proof
        self.acknowledged()
        return proof

    def deliver(self, content: bytes) -> Sent:
        """As the client sends."""
        words = dice.random_bytes(16)
        sent = until_done(
            lambda: send(
                self.world.programme,
                words,
                [Source(name="scan.bin", read=lambda: [content])],
                at=clock.seconds(),
                random_bytes=dice.random_bytes,
                report=lambda _: None,
            )
        )
        with self._lock:
            self.sent.append(sent)
        self.acknowledged()
        return sent

    def tell(self, text: str, file: bytes = b"", words: bytes = b"") -> "Told":
        """As somebody with a browser sends, and again until there is a receipt."""
        person = Person(url=self.url, entropy=words or dice.random_bytes(16), pages=self.pages)
        told = until_done(lambda: person.tell(text, file))
        with self._lock:
            self.told.append(told)
        self.acknowledged()
        return told

    def diagnostics(self, name: str) -> str:
        return (self.folder / "diagnostics" / f"{name}.txt").read_text()


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What the receipt's page said, and when it was asked for and had, in POSIX seconds."""

    entropy: bytes
    text: str
    file: bytes
    parts: tuple[tuple[bytes, bytes], ...]
    """Record and proof of each contribution: shortly before the date, text and file."""
    delivered: bool
    began_at: int
    ended_at: int

    @property
    def hashes(self) -> list[bytes]:
        return [record_hash(record) for record, _ in self.parts]


def _browser() -> httpx.Client:
    # A browser keeps a connection; one that was killed with its door is of no use any more.
    limits = httpx.Limits(max_keepalive_connections=0)
    return httpx.Client(timeout=ANSWER_SECONDS, trust_env=False, limits=limits)


@dataclass
class Person:
    """Somebody with twelve words and a browser without JavaScript."""

    url: str
    entropy: bytes
    pages: list[tuple[int, str]] = field(default_factory=list)
    ticket: str = ""
    page: str = ""
    began_at: int = 0
    """When the first attempt to tell began, in POSIX seconds."""
    http: httpx.Client = field(default_factory=_browser)

    def begin(self) -> None:
        """To the text step."""
        self.ask("GET", "/tell")
        self.press("/tell/words", words=format_words(self.entropy))

    def press(self, path: str, **fields: str) -> None:
        self.ask("POST", path, data={"ticket": self.ticket, **fields})

    def attach(self, name: str, data: bytes) -> None:
        """Hand in a file, and decide that it goes as it is."""
        parts = [("ticket", (None, self.ticket.encode())), ("file", (name, data))]
        self.ask("POST", "/tell/files", files=parts)

    def finish(self) -> str:
        """Press the last button; the receipt's page."""
        self.press("/tell/send", sure="1")
        return self.page

    def tell(self, text: str, file: bytes = b"") -> Told:
        """The whole way once."""
        self.began_at = self.began_at or clock.seconds()
        self.begin()
        self.press("/tell/text", text=text)
        if file:
            self.attach("scan.bin", file)
        page = self.finish()
        if RECEIVED not in page and DATED_ONLY not in page:
            raise UnavailableError("no receipt")
        saved = [base64.b64decode(unescape(each)) for each in SAVED.findall(page)]
        return Told(
            entropy=self.entropy,
            text=text,
            file=file,
            parts=tuple(zip(saved[1::2], saved[::2], strict=True)),
            delivered=RECEIVED in page,
            began_at=self.began_at,
            ended_at=clock.seconds(),
        )

    def ask(self, method: str, path: str, **given: object) -> int:
        """One page; what is no answer is noted, and ends this attempt."""
        status, self.page = self.look(method, path, **given)
        if status != 200:
            self.pages.append((status, self.page))
            raise UnavailableError(f"{path}: {status}")
        found = TICKET.search(self.page)
        self.ticket = unescape(found[1]) if found else ""
        return status

    def look(self, method: str, path: str, **given: object) -> tuple[int, str]:
        """One page, whatever it is."""
        try:
            answer = self.http.request(
                method,
                f"{self.url}/en{path}",
                **given,  # type: ignore[arg-type]  # what httpx takes: data, files
            )
        except httpx.TransportError as error:
            raise UnavailableError("the door does not answer") from error
        return answer.status_code, answer.text


def until_done(deed: Callable[[], Done]) -> Done:
    """What the deed gives, tried again for as long as people try."""
    until = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return deed()
        except UnavailableError:
            if time.monotonic() > until:
                raise
            time.sleep(0.2)


def wait_for(happened: Callable[[], bool]) -> None:
    """Return once it happened; that it does is the test, and when is not."""
    until = time.monotonic() + PATIENCE_SECONDS
    while not happened():
        assert time.monotonic() < until, "it did not happen"
        time.sleep(0.1)


@contextmanager
def open_town(folder: Path, *, window_seconds: int) -> Iterator[Town]:
    """A town whose law's date is so many seconds after its founding."""
    with pytest.MonkeyPatch.context() as patch, ExitStack() as stack:
        siege = Siege(folder)
        stack.enter_context(siege)
        patch.setattr(founding, "WINDOW_SECONDS_MIN", window_seconds)
        patch.setattr(founding, "WINDOW_SECONDS_MAX", window_seconds)
        # An idle Gazette is dated anew this often, and its date is what a gate waits for.
        patch.setattr(founding, "PACE", (*founding.PACE, "--republish", "3"))
        with redirect_stdout(io.StringIO()):
            world = founding.found(folder, siege)
        yield Town(folder=folder, stage=siege, world=world)
