"""A log that lies: nothing is believed, nothing goes back, and forks are proven."""

from collections.abc import Callable

import pytest
from tests.parties.mirror.ledger_steps import (
    advance_ledger,
    check_whole,
    full_disk,
    ledger,
    lie,
)
from tests.parties.mirror.mirror_world import (
    FakeLog,
    World,
    entry,
    serving,
)
from tests.protocol import builders

from safeconduct.errors import (
    ConflictError,
    SafeconductError,
    UnavailableError,
    UnverifiedError,
)
from safeconduct.plumbing import durable
from safeconduct.protocol.tlog.checkpoint import Checkpoint, format_checkpoint
from safeconduct.protocol.tlog.cosignature import cosign
from safeconduct.protocol.tlog.fork import parse_fork, verify_fork
from safeconduct.protocol.tlog.merkle import Tree, leaf_hash
from safeconduct.protocol.tlog.note import (
    Note,
    SigningKey,
    format_note,
    sign_note,
)

LOG_KEYS = (builders.LEDGER.verifier(),)


def flipped(number: int) -> Callable[[str, bytes], bytes]:
    """One bit of a bundle is another."""

    def shown(path: str, data: bytes) -> bytes:
        if path.startswith(f"tile/entries/{number:03}"):
            return data[:-1] + bytes([data[-1] ^ 1])
        return data

    return shown


@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_flipped_bundle_moves_nothing_and_a_log_that_mends_is_followed(
    world: World, number: int
) -> None:
    world.ledger.grow(300)
    with world.open() as mirror, serving(mirror) as url:
        advance_ledger(world, mirror)
        world.ledger.grow(600)
        world.ledger.shown = flipped(number)
        lie(world, mirror, UnverifiedError, "do not hash to the root|not what it was")
        check_whole(world, url, 300)
        assert ledger(mirror).proof(500) is None
        assert world.evidence == []
        world.ledger.shown = lambda path, data: data
        advance_ledger(world, mirror)
        check_whole(world, url, 900)
        assert ledger(mirror).index.find(leaf_hash(entry(899))) == 899


def test_what_a_lie_left_behind_is_never_served(world: World) -> None:
    world.ledger.grow(300)
    with world.open() as mirror, serving(mirror) as url:
        advance_ledger(world, mirror)
        world.ledger.grow(50)
        world.ledger.shown = flipped(1)
        lie(world, mirror, UnverifiedError, "hash")
        world.ledger.shown = lambda path, data: data
        world.ledger.grow(60)
        advance_ledger(world, mirror)
        for size in (301, 329, 349, 350, 351, 377, 409, 410):
            check_whole(world, url, size)


def test_a_hash_that_was_lied_about_is_not_found(world: World) -> None:
    world.ledger.grow(10)
    true = world.ledger.entries[9]
    world.ledger.shown = flipped(0)
    with world.open() as mirror:
        lie(world, mirror, UnverifiedError, "hash")
        assert ledger(mirror).index.find(leaf_hash(true[:-1] + bytes([true[-1] ^ 1]))) is None


UNSIGNED: dict[str, tuple[Callable[[FakeLog], None], str]] = {
    "one witness of two": (
        lambda log: setattr(log, "witnesses", (builders.OUR_WITNESS,)),
        "quorum",
    ),
    "another log's key": (lambda log: setattr(log, "key", builders.GAZETTE), "not of"),
    "a stranger's key": (
        lambda log: setattr(log, "key", SigningKey(name=builders.LEDGER.name, seed=bytes(32))),
        "no listed log",
    ),
}


@pytest.mark.parametrize("case", UNSIGNED)
def test_a_checkpoint_that_the_policy_does_not_accept_moves_nothing(
    world: World, case: str
) -> None:
    change, told = UNSIGNED[case]
    world.ledger.grow(5)
    with world.open() as mirror:
        advance_ledger(world, mirror)
        world.ledger.grow(5)
        change(world.ledger)
        lie(world, mirror, UnverifiedError, told)


def test_a_shorter_tree_is_told_and_kept_though_it_proves_no_fork(world: World) -> None:
    world.ledger.grow(300)
    with world.open() as mirror:
        advance_ledger(world, mirror)
        world.ledger.size = 200
        lie(world, mirror, ConflictError, "shows 200 entries after 300")
        [kept] = world.evidence
        assert kept.name == "ledger-200-after-300.checkpoint"
        assert kept.read_bytes() == world.ledger.checkpoint()


def test_a_log_that_is_empty_again_has_shrunk(world: World) -> None:
    world.ledger.grow(3)
    with world.open() as mirror:
        advance_ledger(world, mirror)
        world.ledger.size = 0
        lie(world, mirror, ConflictError, "shows 0 entries after 3")


def empty_with_a_root(log: FakeLog) -> bytes:
    """A signed tree without entries, whose root hash is not that of nothing."""
    text = format_checkpoint(
        Checkpoint(origin=log.key.name, tree=Tree(size=0, root_hash=bytes(32)))
    )
    cosignatures = [cosign(text, key, log.at) for key in log.witnesses]
    return format_note(Note(text=text, signatures=(sign_note(text, log.key), *cosignatures)))


def test_an_empty_tree_has_one_root_hash_only(world: World) -> None:
    lying = empty_with_a_root(world.ledger)
    world.ledger.shown = lambda path, data: lying
    with world.open() as mirror:
        lie(world, mirror, UnverifiedError, "another root hash")
        world.ledger.shown = lambda path, data: data
        world.ledger.grow(3)
        advance_ledger(world, mirror)
        world.ledger.shown = lambda path, data: lying
        lie(world, mirror, ConflictError, "signed two histories")
        [kept] = world.evidence
        assert verify_fork(parse_fork(kept.read_bytes()), LOG_KEYS).old.size == 0


FORKS = {"smaller": 250, "of equal size": 300, "larger": 700, "a power of two": 256}


@pytest.mark.parametrize("case", FORKS)
def test_a_fork_is_proven_and_our_branch_stays(world: World, case: str) -> None:
    world.ledger.grow(300)
    with world.open() as mirror, serving(mirror) as url:
        advance_ledger(world, mirror)
        true = list(world.ledger.entries)
        world.ledger.entries = [b"another history", *true[1:]]
        world.ledger.grow(FORKS["larger"] - 300)
        world.ledger.size = FORKS[case]
        lie(world, mirror, ConflictError, "signed two histories")
        [kept] = world.evidence
        fork = verify_fork(parse_fork(kept.read_bytes()), LOG_KEYS)
        assert {fork.old.size, fork.new.size} == {300, FORKS[case]}
        lie(world, mirror, ConflictError, "signed two histories")
        assert world.evidence == [kept]
        world.ledger.entries, world.ledger.size = true, None
        check_whole(world, url, 300)
        world.ledger.grow(100)
        advance_ledger(world, mirror)
        check_whole(world, url, 400)


def test_a_fork_is_told_even_if_the_disk_takes_no_evidence(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.ledger.grow(10)
    with world.open() as mirror:
        advance_ledger(world, mirror)
        world.ledger.entries[0] = b"another history"
        monkeypatch.setattr(durable, "write_file", full_disk)
        lie(world, mirror, ConflictError, "not kept: disk full")


@pytest.mark.parametrize("said", [ConflictError("so there"), UnverifiedError("so there")])
def test_a_log_that_claims_a_conflict_is_just_away(
    world: World, said: SafeconductError
) -> None:
    world.ledger.grow(3)

    def claim(path: str, data: bytes) -> bytes:
        raise said

    with world.open() as mirror:
        advance_ledger(world, mirror)
        world.ledger.shown = claim
        lie(world, mirror, UnavailableError, "the log answered: so there")
        assert world.evidence == []
