"""A programme's logs and door, served over real HTTP from memory, which can lie and be away."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from hashlib import sha256
from pathlib import Path

from tests.protocol import builders

from safeconduct.errors import UnavailableError
from safeconduct.parties.mirror.folder import new_mirror
from safeconduct.parties.mirror.follow import Mirror, open_mirror
from safeconduct.parties.mirror.site import make_site
from safeconduct.plumbing import web
from safeconduct.plumbing.programme import Programme, write_programme
from safeconduct.protocol.capsule import CAPSULE_BYTES
from safeconduct.protocol.tlog.merkle import Frontier, Subtree, leaf_hash
from safeconduct.protocol.tlog.note import SigningKey, format_note
from safeconduct.protocol.tlog.tile import (
    ENTRIES,
    TILE_HEIGHT,
    TILE_WIDTH,
    format_bundle,
    parse_tile_path,
)

NOW = builders.NOON
MIRROR_NAME = "mirror.example/ours"


def entry(number: int) -> bytes:
    return b"entry %d" % number


def entries(count: int, first: int = 0) -> list[bytes]:
    return [entry(number) for number in range(first, first + count)]


@dataclass
class FakeLog:
    """A log whose checkpoints carry whatever signatures it is told to make.

    `shown(path, data)` is what it serves in place of `data`; `asked` are the paths asked for.
    """

    key: SigningKey = builders.LEDGER
    at: int = NOW
    entries: list[bytes] = field(default_factory=list)
    size: int | None = None
    witnesses: tuple[SigningKey, ...] = (builders.OUR_WITNESS, builders.THEIR_WITNESS)
    away: bool = False
    shown: Callable[[str, bytes], bytes] = lambda path, data: data
    asked: list[str] = field(default_factory=list)

    def grow(self, count: int, at: int | None = None) -> None:
        """Add entries, and date the new tree."""
        self.entries += entries(count, len(self.entries))
        self.at = self.at + 60 if at is None else at

    def checkpoint(self) -> bytes:
        """The signed and cosigned note of the tree that is shown."""
        frontier, _ = self._tree()
        return format_note(
            builders.checkpoint_note(frontier, self.at, self.key, self.witnesses, apart=60)
        )

    def answer(self, request: web.Request) -> web.Response:
        """What it shows at an address below its own."""
        path = request.path_params["rest"]
        self.asked.append(path)
        if self.away:
            raise UnavailableError("gone fishing")
        data = self.checkpoint() if path == "checkpoint" else self.tile(path)
        return web.data(self.shown(path, data))

    def tile(self, path: str) -> bytes:
        """The true bytes of a tile or bundle."""
        tile = parse_tile_path(path)
        first = tile.index * TILE_WIDTH
        if tile.level == ENTRIES:
            return format_bundle(self._held()[first : first + tile.width])
        _, stored = self._tree()
        level = tile.level * TILE_HEIGHT
        places = range(first, first + tile.width)
        return b"".join(stored[level, place] for place in places)

    def _held(self) -> list[bytes]:
        return self.entries if self.size is None else self.entries[: self.size]

    def _tree(self) -> tuple[Frontier, dict[Subtree, bytes]]:
        return _tree_of(tuple(self._held()))


@cache
def _tree_of(held: tuple[bytes, ...]) -> tuple[Frontier, dict[Subtree, bytes]]:
    return Frontier.empty().extend([leaf_hash(each) for each in held])


@dataclass
class FakeDoor:
    """A shelf."""

    shelf: list[bytes] = field(default_factory=list)

    def answer(self, _: web.Request) -> web.Response:
        """All of it."""
        return web.streaming(iter(list(self.shelf)))


def capsule(number: int) -> bytes:
    """A shelf entry that nobody can open."""
    slot = sha256(b"slot %d" % number).digest()[:16]
    return slot + bytes([number % 256]) * CAPSULE_BYTES


@dataclass
class World:
    """The programme's servers, its public files, and a mirror's folder."""

    folder: Path
    ledger: FakeLog
    gazette: FakeLog
    door: FakeDoor
    url: str

    @property
    def ledger_url(self) -> str:
        return f"{self.url}/ledger"

    @property
    def programme(self) -> Programme:
        return Programme(
            name=builders.NAME,
            gazette=f"{self.url}/gazette",
            gazette_origin=builders.GAZETTE.name,
            ledger=self.ledger_url,
            ledger_origin=builders.LEDGER.name,
            door=self.url,
            register="http://register.example",
            policy=builders.POLICY,
            policy_text=builders.POLICY_TEXT.encode(),
        )

    @property
    def mirror(self) -> Path:
        return self.folder / "mirror"

    @property
    def evidence(self) -> list[Path]:
        return sorted((self.mirror / "evidence").glob("*"))

    def make_mirror(self, name: str | None = None) -> None:
        """Found a mirror of the programme."""
        new_mirror(self.mirror, [self.folder / "programme"], name)

    @contextmanager
    def open(self) -> Iterator[Mirror]:
        """The mirror as at a start of the process; the test says when it copies."""
        with open_mirror(self.mirror) as mirror:
            yield mirror


@contextmanager
def make_world(folder: Path) -> Iterator[World]:
    """A programme whose ledger, gazette and door serve during the block."""
    ledger, gazette, door = FakeLog(), FakeLog(key=builders.GAZETTE), FakeDoor()
    gazette.grow(3)
    app = web.make_app(
        [
            web.Route("GET", "/ledger/{rest:path}", ledger.answer),
            web.Route("GET", "/gazette/{rest:path}", gazette.answer),
            web.Route("GET", "/capsules", door.answer),
        ]
    )
    with web.running(app) as url:
        world = World(folder=folder, ledger=ledger, gazette=gazette, door=door, url=url)
        (folder / "programme").mkdir()
        write_programme(folder / "programme", world.programme)
        yield world


@contextmanager
def serving(mirror: Mirror) -> Iterator[str]:
    """The mirror's site during the block; gives its address."""
    with web.running(make_site(mirror)) as url:
        yield url


class KilledError(BaseException):
    """The process ends here."""


@dataclass
class Killer:
    """Ends the process at the n-th durable step, before it or just after it was done."""

    step: int = -1
    after: bool = False
    steps: list[str] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def around(self, name: str, call: Callable[..., object]) -> Callable[..., object]:
        """`call`, which may be the last thing that happens."""

        def killable(*arguments: object, **options: object) -> object:
            with self._lock:
                number = len(self.steps)
                self.steps.append(name)
            if number == self.step and not self.after:
                raise KilledError
            result = call(*arguments, **options)
            if number == self.step:
                raise KilledError
            return result

        return killable
