"""A console at a real register over HTTP, with a claim that waits for the board."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from tests.parties.board.console_world import ORIGIN, ConsoleWorld
from tests.parties.registry.register_world import World, open_world
from tests.protocol.age.chance import dice

from safeconduct.parties.board.console import make_console
from safeconduct.parties.board.console_command import ask
from safeconduct.parties.registry.board_site import set_console_key
from safeconduct.parties.registry.site import make_site
from safeconduct.plumbing import web
from safeconduct.protocol.tlog.note import format_vkey


@contextmanager
def at_register(
    folder: Path, patch: pytest.MonkeyPatch, origin: str = ORIGIN
) -> Iterator[tuple[World, ConsoleWorld]]:
    """The register and its console, of which the register knows nothing yet."""
    (folder / "register").mkdir()
    register = open_world(folder / "register", patch)
    register.listed("r-0001")
    world = ConsoleWorld(folder=folder / "console", now=register.now, origin=origin)
    world.console.store.close()
    with web.running(make_site(register.registry)) as url:
        world.console = make_console(
            world.folder,
            replace(register.registry.programme, register=url),
            origin,
            seconds=lambda: register.now,
            random_bytes=dice(),
            read_state=lambda _: register.state(),
            ask=ask,
        )
        yield register, world


def proposed(register: World, world: ConsoleWorld) -> bytes:
    """A claim that is filed and proposed, and whose docket the console has; its hash."""
    claim = register.filed()
    register.proposed(claim)
    vkey = format_vkey(world.console.key.verifier())
    set_console_key(register.folder, vkey)
    world.pull()
    [kept] = world.console.store.dockets()
    world.register.dockets = [kept.data]
    return claim
