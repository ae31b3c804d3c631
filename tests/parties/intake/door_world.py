"""A door at work, with everything real but the logs at the far end of the network."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import httpx
from tests.protocol import builders
from tests.protocol.age.chance import dice

from safeconduct.errors import UnavailableError
from safeconduct.parties.intake.accept import Intake
from safeconduct.parties.intake.commits import Commits
from safeconduct.parties.intake.site import make_site
from safeconduct.parties.intake.spool import Spools
from safeconduct.parties.intake.store import Store
from safeconduct.plumbing import web
from safeconduct.plumbing.logs import LEAVES_MAX, GazetteView, log_leaves
from safeconduct.plumbing.programme import Programme
from safeconduct.plumbing.words import format_words
from safeconduct.protocol.canonical import length_prefixed
from safeconduct.protocol.gazette import fold_all
from safeconduct.protocol.tlog.merkle import Frontier, leaf_hash
from safeconduct.protocol.tlog.note import format_note
from safeconduct.protocol.tlog.policy import open_checkpoint

WORDS = format_words(builders.ENTROPY)
NOW = builders.NOON
TEXT = "The minister signed it on the second of May."


@dataclass
class FakeLedger:
    """Proves whatever it is given, or is away."""

    away: bool = False
    at: int = NOW
    added: list[bytes] = field(default_factory=list)

    def app(self) -> web.App:
        async def add(request: web.Request) -> web.Response:
            entry = await web.read_body(request, bytes_max=32)
            if self.away:
                raise UnavailableError("no quorum")
            self.added.append(entry)
            return web.data(builders.prove(entry, self.at))

        async def add_all(request: web.Request) -> web.Response:
            body = await web.read_body(request, bytes_max=32 * LEAVES_MAX)
            if self.away:
                raise UnavailableError("no quorum")
            entries = [body[start : start + 32] for start in range(0, len(body), 32)]
            self.added += entries
            proofs = [builders.prove(entry, self.at) for entry in entries]
            return web.data(b"".join(map(length_prefixed, proofs)))

        return web.make_app(
            [web.Route("POST", "/add", add), web.Route("POST", "/add-all", add_all)]
        )


def gazette_view(entries: tuple[bytes, ...]) -> GazetteView:
    frontier, _ = Frontier.empty().extend([leaf_hash(entry) for entry in entries])
    checkpoint = format_note(builders.checkpoint_note(frontier, NOW, builders.GAZETTE))
    return GazetteView(
        state=fold_all(entries),
        cosigned=open_checkpoint(checkpoint, builders.POLICY),
        checkpoint=checkpoint,
        entries=entries,
    )


@dataclass
class World:
    """One door on a free port; tests move its clock and its Gazette."""

    folder: Path
    ledger: FakeLedger
    ledger_url: str
    now: int = NOW
    entries: tuple[bytes, ...] = builders.gazette_entries()
    gazette_away: bool = False
    intake: Intake = field(init=False)
    url: str = ""

    def __post_init__(self) -> None:
        programme = self._programme()
        self.intake = Intake(
            programme=programme,
            key=builders.SERVER,
            store=Store(self.folder),
            seconds=lambda: self.now,
            random_bytes=dice(),
            gazette=self.gazette,
            commits=Commits(partial(log_leaves, programme)),
            spools=Spools(self.folder / "spool", seconds=lambda: self.now),
        )

    def gazette(self) -> GazetteView:
        if self.gazette_away:
            raise UnavailableError("the Gazette cannot be reached")
        return gazette_view(self.entries)

    def _programme(self) -> Programme:
        return Programme(
            name=builders.NAME,
            gazette="http://127.0.0.1:9",  # never asked: the view is given
            gazette_origin=builders.GAZETTE.name,
            ledger=self.ledger_url,
            ledger_origin=builders.LEDGER.name,
            door="http://door.example",
            register="http://register.example",
            policy=builders.POLICY,
            policy_text=builders.POLICY_TEXT.encode(),
        )

    def held(self) -> tuple[object, ...]:
        """All that the door keeps: what a refused request must leave as it was."""
        store = self.intake.store
        files = sorted(str(path) for path in self.folder.rglob("*") if path.is_file())
        names = [path for path in files if "sqlite" not in path]
        return (
            names,
            b"".join(store.shelf()),
            b"".join(store.bulletin()),
            store.deliveries_after(0, 1_000),
            len(self.ledger.added),
        )


@contextmanager
def open_world(folder: Path) -> Iterator[World]:
    """A door that serves during the block."""
    ledger = FakeLedger()
    with web.running(ledger.app()) as ledger_url:
        world = World(folder=folder, ledger=ledger, ledger_url=ledger_url)
        with web.running(make_site(world.intake)) as world.url:
            yield world


def ask(
    world: World,
    method: str,
    path: str,
    body: bytes = b"",
    headers: dict[str, str] | None = None,
) -> httpx.Response:
    return httpx.request(
        method, world.url + path, content=body, headers=headers, timeout=30, trust_env=False
    )


def post_form(
    world: World, path: str, fields: dict[str, str], files: dict[str, bytes] | None = None
) -> httpx.Response:
    uploads = [("file", (name, data)) for name, data in (files or {}).items()]
    return httpx.post(
        world.url + path, data=fields, files=uploads or None, timeout=60, trust_env=False
    )
