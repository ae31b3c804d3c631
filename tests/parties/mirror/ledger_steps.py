"""Steps of the tests that copy a ledger."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.parties.mirror.mirror_world import (
    FakeLog,
    World,
)

from safeconduct.errors import (
    SafeconductError,
    UnavailableError,
)
from safeconduct.parties.mirror.copy import Copy, advance, open_copy
from safeconduct.parties.mirror.folder import load_plan
from safeconduct.parties.mirror.follow import Mirror
from safeconduct.plumbing.remote import RemoteLog
from safeconduct.protocol.tlog.tile import bundles_of, tile_path, tiles_of


def ledger(mirror: Mirror) -> Copy:
    [found] = [copy for copy in mirror.copies if copy.source.name == "ledger"]
    return found


def advance_ledger(world: World, mirror: Mirror) -> None:
    advance(ledger(mirror), RemoteLog(world.ledger_url))


@contextmanager
def ledger_alone(world: World) -> Iterator[Copy]:
    """The mirror's copy of the ledger, without the rest of the mirror."""
    plan = load_plan(world.mirror)
    [source] = [each for each in plan.logs if each.name == "ledger"]
    copy = open_copy(world.mirror, source, plan, ())
    try:
        yield copy
    finally:
        copy.close()


def copy_ledger(world: World) -> None:
    """Open the mirror, copy the ledger, close it."""
    with ledger_alone(world) as copy:
        advance(copy, RemoteLog(world.ledger_url))


def files(folder: Path) -> dict[str, bytes]:
    """All that is served, by name; partial tiles of trees in between left out."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def check_whole(world: World, url: str, size: int) -> None:
    """Ensure that a reader of a mirrored tree of `size` finds every file the log has."""
    ours, theirs = RemoteLog(f"{url}/ledger"), world.ledger
    for index, width in bundles_of(size):
        first = index * 256
        assert ours.bundle(index, width) == theirs.entries[first : first + width]
    truth = FakeLog(entries=theirs.entries[:size])
    for tile in tiles_of(size):
        assert ours.tile(tile) == truth.tile(tile_path(tile))


def lie(world: World, mirror: Mirror, family: type[SafeconductError], match: str) -> None:
    """Ensure that copying fails like that, and that what is shown and known stays."""
    copy = ledger(mirror)
    shown, known = copy.published, copy.known()
    with pytest.raises(family, match=match):
        advance_ledger(world, mirror)
    assert (copy.published, copy.known()) == (shown, known)


def full_disk(path: Path, data: bytes, *, mode: int = 0o644) -> None:
    raise UnavailableError("disk full", told="the server cannot use its disk now")
