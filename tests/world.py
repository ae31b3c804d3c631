"""One whole play for all tests that need live servers: played once, its servers kept up.

While it is played, servers are killed hard between the scenes, so that everything which is
tested on it later has been through that. Tests may send more tips into it; they leave what they
make in `world.words`, so that the search for leaked secrets sees those too.

When it has come to its end, a monitor with its page is served beside it, which is no part of
the play; it is killed once, too.
"""

import io
import itertools
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import pytest
from tests.onlooker import looked_on

from safeconduct.demo import claiming, founding, tips
from safeconduct.demo.play import play
from safeconduct.demo.stage import HOST, Stage, free_port
from safeconduct.demo.watching import URL_FILE
from safeconduct.demo.world import World
from safeconduct.parties.desk import door as desk_door
from safeconduct.parties.source import door as source_door
from safeconduct.plumbing import clock, fetch, logs, register
from safeconduct.plumbing.logs import fetch_file, read_checkpoint
from safeconduct.plumbing.programme import Programme
from safeconduct.protocol.tlog.tile import (
    BUNDLE_BYTES_MAX,
    bundle_path,
    bundles_of,
    parse_bundle,
)

KILLED_AFTER: Mapping[str, tuple[str, ...]] = {
    "founding": ("door", "south"),
    "tips": ("log", "desk"),
    "desk": ("east", "register"),
    "press": ("north", "log"),
    "date": ("door", "register"),
    "claims": ("log", "east"),
    "audit": ("desk", "north", "south", "mirror"),
}
"""By scene, the servers that get a `kill -9` after it.

All of them stand here, each twice; once the mirror, which starts in the last scene.
"""
_ROUND_SECONDS = 86_400  # the monitor has one round, and then all that it keeps stays as it is
_WAIT_SECONDS = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """A play that came to its end, with all its servers up; `told` is what it printed.

    `seen` is what somebody else on the machine saw of its processes and temporary files.
    `watching` is the stage of the monitor, and `monitor` its address.
    """

    folder: Path
    stage: Stage
    watching: Stage
    monitor: str
    world: World
    told: str
    seen: Mapping[str, bytes]
    scenes: tuple[str, ...]

    @property
    def programme(self) -> Programme:
        return self.world.programme

    def url(self, server: str) -> str:
        """The base address of a server of the stage."""
        if server == "desk":
            port = self.world.path("programme", "desk.port").read_text()
            return f"http://127.0.0.1:{port}"
        addresses = {
            "log": self.programme.ledger.rpartition("/")[0],
            "door": self.programme.door,
            "register": self.programme.register,
            **{line.name: line.url for line in self.programme.policy.witnesses},
            "mirror": self.world.path(URL_FILE).read_text().strip(),
            "monitor": self.monitor,
        }
        return str(addresses[server])

    def stage_of(self, server: str) -> Stage:
        """The stage that keeps a server up."""
        return self.watching if server in self.watching.names() else self.stage

    def diagnostics(self) -> dict[str, str]:
        """By server, all that it wrote to its standard output and error."""
        files = (self.folder / "diagnostics").iterdir()
        return {path.stem: path.read_text(encoding="utf-8") for path in files}


_SHARED = pytest.StashKey[Played]()


@pytest.fixture(scope="session")
def played(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Played:
    """The one play of this test run, whichever folder's tests ask first."""
    stash = request.config.stash
    if _SHARED not in stash:
        stack = ExitStack()
        request.config.add_cleanup(stack.close)
        stash[_SHARED] = _play(tmp_path_factory.mktemp("played"), stack)
    return stash[_SHARED]


def _play(folder: Path, stack: ExitStack) -> Played:
    scenes: list[str] = []

    def between(scene: str, world: World) -> None:
        scenes.append(scene)
        for name in KILLED_AFTER[scene]:
            world.stage.kill(name)

    stage = stack.enter_context(Stage(folder))
    watching = stack.enter_context(Stage(folder))
    with looked_on(folder) as seen:
        with _heard() as heard, _the_same_everywhere():
            world = play(folder, stage, [], between)
        stage.wait_for(*stage.names())
        told = heard.getvalue().decode("utf-8")
        monitor = _watch(folder, world.path(URL_FILE).read_text().strip(), watching)
    return Played(
        folder=folder,
        stage=stage,
        watching=watching,
        monitor=monitor,
        world=world,
        told=told,
        seen=seen,
        scenes=tuple(scenes),
    )


@contextmanager
def _the_same_everywhere() -> Iterator[None]:
    """Let a play have the same words each time, and time enough on any machine.

    Words drawn by chance may be those of an honest sentence; the sources' tips must be in
    before the law's date, however slowly their servers start again.
    """
    numbers = itertools.count()
    with pytest.MonkeyPatch.context() as patch:
        for module in (tips, claiming):
            patch.setattr(
                module, "entropy", lambda: sha256(b"words %d" % next(numbers)).digest()[:16]
            )
        # A server that was killed may take long to be back where everything is slow.
        for module in (logs, register, desk_door, source_door):
            patch.setattr(module, "PATIENCE_SECONDS", 240.0)
        patch.setattr(founding, "WINDOW_SECONDS_MIN", 20)
        patch.setattr(founding, "WINDOW_SECONDS_MAX", 180)
        yield


def _watch(folder: Path, mirror: str, stage: Stage) -> str:
    """The address of a monitor that has one whole round behind it since it was killed."""
    port = free_port()
    monitor = (
        *("monitor", "run", "--programme", str(folder / "programme"), "--mirror", mirror),
        *("--dir", str(folder / "monitor"), "--public", str(folder / "public")),
        *("--listen", f"{HOST}:{port}", "--every", str(_ROUND_SECONDS)),
    )
    url = stage.start("monitor", port, monitor).url
    stage.wait_for("monitor")
    stage.kill("monitor")
    killed_at = clock.seconds()
    stage.wait_for("monitor")
    _wait_for_round(url, killed_at)
    return url


def _wait_for_round(monitor: str, since: int) -> None:
    """Return once the monitor has ended a round that began at POSIX second `since` or later."""
    deadline = clock.monotonic() + _WAIT_SECONDS
    while clock.monotonic() < deadline:
        said, _, at = fetch.get(f"{monitor}/health", bytes_max=1 << 10).decode().partition(" ")
        if said == "ok" and int(at) >= since:
            return
        clock.sleep(0.1)
    raise AssertionError(f"the monitor ended no round for {_WAIT_SECONDS} s")


@contextmanager
def _heard() -> Iterator[io.BytesIO]:
    """All that this process prints during the block, to either stream."""
    heard = io.BytesIO()
    stream = io.TextIOWrapper(heard, encoding="utf-8", write_through=True)
    with redirect_stdout(stream), redirect_stderr(stream):
        yield heard
    stream.detach()


def log_entries(programme: Programme, url: str, origin: str) -> list[bytes]:
    """Every entry of a log, as its newest cosigned checkpoint covers them."""
    _, cosigned = read_checkpoint(programme, url, origin)
    entries: list[bytes] = []
    for index, width in bundles_of(cosigned.checkpoint.tree.size):
        address = f"{url}/{bundle_path(index, width)}"
        entries += parse_bundle(fetch_file(address, bytes_max=BUNDLE_BYTES_MAX), width)
    return entries


def ledger_entries(programme: Programme) -> list[bytes]:
    """Every entry of the Ledger."""
    return log_entries(programme, programme.ledger, programme.ledger_origin)


def rows(path: Path, table: str) -> list[tuple[object, ...]]:
    """Every row of a party's table, read beside the server that owns it."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        return connection.execute(f"SELECT * FROM {table}").fetchall()


def tables(path: Path) -> dict[str, list[tuple[object, ...]]]:
    """Every table of a party's database with all its rows."""
    named = [str(row[1]) for row in rows(path, "sqlite_schema WHERE type = 'table'")]
    return {name: rows(path, name) for name in named}


def files(folder: Path) -> dict[str, tuple[int, int]]:
    """Every file below `folder` but databases: its size, and when it was written last."""
    found = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {
        str(path.relative_to(folder)): (path.stat().st_size, path.stat().st_mtime_ns)
        for path in found
        if ".sqlite" not in path.name and ".db" not in path.name
    }
