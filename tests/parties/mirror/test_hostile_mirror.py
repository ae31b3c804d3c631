"""What a lying log, a door or a passer-by may try with a mirror."""

import threading
from collections.abc import Iterator

import pytest
from tests.parties.mirror.ledger_steps import advance_ledger, lie
from tests.parties.mirror.mirror_world import World, capsule
from tests.protocol import builders

from safeconduct.errors import ConflictError, MalformedError, UnverifiedError
from safeconduct.parties.mirror import evidence, follow
from safeconduct.parties.mirror.folder import load_plan, new_mirror
from safeconduct.parties.mirror.shelf import copy_shelf
from safeconduct.plumbing import fetch
from safeconduct.protocol.capsule import SHELF_ENTRY_BYTES
from safeconduct.protocol.tlog.fork import parse_fork, verify_fork
from safeconduct.protocol.tlog.note import format_vkey


def test_old_checkpoints_shown_again_do_not_use_up_the_room_for_a_fork_proof(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evidence, "EVIDENCE_FILES_MAX", 3)
    world.ledger.grow(20)
    with world.open() as mirror:
        advance_ledger(world, mirror)
        for size in range(10, 16):
            world.ledger.size = size
            lie(world, mirror, ConflictError, "shows")
        assert len(world.evidence) == 3
        world.ledger.size = None
        world.ledger.entries[7] = b"another story"
        lie(world, mirror, ConflictError, "two histories")
    [proof] = [path for path in world.evidence if path.suffix == ".fork"]
    assert verify_fork(parse_fork(proof.read_bytes()), (builders.LEDGER.verifier(),))


def test_a_log_that_keeps_back_what_would_convict_it_leaves_its_signature_here(
    world: World,
) -> None:
    world.ledger.grow(300)
    with world.open() as mirror:
        advance_ledger(world, mirror)
        world.ledger.entries[7] = b"another story"
        world.ledger.grow(100)
        world.ledger.shown = _without_tiles
        lie(world, mirror, UnverifiedError, "not-after-300")
    [kept] = world.evidence
    assert builders.LEDGER.name.encode() in kept.read_bytes()
    assert kept.name.startswith("ledger-400-not-after-300-")


def _without_tiles(path: str, data: bytes) -> bytes:
    return data if path == "checkpoint" or path.startswith("tile/entries/") else b"none"


def test_a_fault_that_no_family_foresees_does_not_end_the_copying_and_is_seen(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    secret, seen = "what it sent", threading.Event()

    def fail(*_: object) -> None:
        if failures:
            raise OverflowError(failures.pop())
        seen.set()

    failures = [secret] * 3
    monkeypatch.setattr(follow, "advance", fail)
    with world.open() as mirror, follow.following(mirror, 0.01):
        assert seen.wait(5)
    told = capsys.readouterr().err
    assert "internal fault: OverflowError" in told
    assert secret not in told


@pytest.mark.parametrize("name", ["evidence", "writer", "key"])
def test_a_log_is_not_called_like_what_else_lies_in_the_folder(world: World, name: str) -> None:
    key = format_vkey(builders.LEDGER.verifier())
    policy = world.folder / "policy.txt"
    policy.write_text(f"log {key} {world.url}/{name}\nquorum none\n")
    new_mirror(world.folder / "another", [policy], None)
    [source] = load_plan(world.folder / "another").logs
    assert source.name != name


def test_the_shelf_is_copied_while_it_comes(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = list[int]()

    def drip(url: str, *, bytes_max: int) -> Iterator[bytes]:
        data = b"".join(capsule(number) for number in range(600))
        for start in range(0, len(data), 10_000):
            given.append(start)
            yield data[start : start + 10_000]

    monkeypatch.setattr(fetch, "pieces", drip)
    with world.open() as mirror:
        assert mirror.shelf is not None
        keep, rows = mirror.shelf._add_page, list[int]()

        def noting(page: list[bytes]) -> bool:
            rows.append(len(given) * 10_000)
            return keep(page)

        monkeypatch.setattr(mirror.shelf, "_add_page", noting)
        copy_shelf(mirror.shelf, world.url)
        held = b"".join(mirror.shelf.pieces())
    assert held == b"".join(capsule(number) for number in range(600))
    assert rows[0] <= 257 * SHELF_ENTRY_BYTES + 20_000


def test_of_a_shelf_that_is_cut_off_what_came_is_kept(world: World) -> None:
    world.door.shelf = [*map(capsule, range(300)), b"half"]
    with world.open() as mirror:
        assert mirror.shelf is not None
        with pytest.raises(MalformedError, match="whole number"):
            copy_shelf(mirror.shelf, world.url)
        assert b"".join(mirror.shelf.pieces()) == b"".join(map(capsule, range(256)))
