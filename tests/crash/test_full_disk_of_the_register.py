"""The register's disk is full at each step: an error says what to do, nothing is half done."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from tests.crash import test_listings_fail as listing
from tests.crash.board_rig import Journey, started
from tests.crash.test_board_and_register import DECIDED, filed, found, refused
from tests.crash.test_console_fails import before_board, sitting
from tests.parties.registry.appealing import WHY
from tests.parties.registry.register_world import World
from tests.protocol.builders import MEMBERS

from safeconduct.errors import UnavailableError

DISK_BYTES = 8 << 20
LEFT_BYTES = (0, 6 << 12)  # nothing at all; room for an event, and for no letter

PLACES: dict[str, tuple[Callable[[Path, pytest.MonkeyPatch], World], Journey]] = {
    "a decision": (filed, DECIDED),
    "an appeal": (refused, found("remit", WHY, {})),
    "a listing": (listing.opened, listing.LISTED),
    "an import": (listing.opened, listing.IMPORTED),
    "a sitting": (before_board, sitting(MEMBERS, "acquitted")),
}


TOLD = (
    "free some space",
    "is full",
    "cannot reach its own records",  # to a console, which is another party, and no more of it
)


@contextmanager
def full(disk: Path, left: int) -> Iterator[None]:
    """Somebody else's file takes all but `left` bytes during the block."""
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file, suppress(OSError):
        while (free := os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize) > left:
            file.write(bytes(min(1 << 16, free - left)))
    try:
        yield
    finally:
        ballast.unlink()


@pytest.mark.parametrize("left", LEFT_BYTES)
@pytest.mark.parametrize("what", PLACES)
def test_a_full_disk_stops_a_step_with_one_error_that_says_what_to_do(
    small_disk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str, left: int
) -> None:
    begin, journey = PLACES[what]
    due = undisturbed(tmp_path / "due", monkeypatch, what)
    (small_disk / "register").mkdir()
    rig = started(begin(small_disk / "register", monkeypatch), journey)
    for text in (listing.LIST, listing.CHANGED):
        listing.written(rig, text)
    stopped: list[UnavailableError] = []
    for name, step in journey.items():
        with full(small_disk, left):
            try:
                rig.done[name] = step(rig)
            except UnavailableError as error:
                stopped.append(error)
        rig.check()
        if name not in rig.done:
            rig.done[name] = step(rig)
    rig.check()
    assert rig.outcome() == due
    assert len(stopped) >= (1 if left else len(journey) // 3)
    told = [f"{one.message}: {one.hint}" for one in stopped]
    assert [one for one in told if not any(words in one for words in TOLD)] == []
    assert not list(rig.world.folder.rglob("*.tmp"))


def undisturbed(folder: Path, patch: pytest.MonkeyPatch, what: str) -> tuple[object, ...]:
    begin, journey = PLACES[what]
    (folder / "register").mkdir(parents=True)
    rig = started(begin(folder / "register", patch), journey)
    rig.play()
    return rig.outcome()
