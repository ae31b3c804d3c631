"""Copying a log: everything is there, and every entry is proven under its best date."""

from pathlib import Path

import pytest
from tests.parties.mirror.ledger_steps import (
    advance_ledger,
    check_whole,
    copy_ledger,
    ledger,
    ledger_alone,
)
from tests.parties.mirror.mirror_world import (
    World,
    entry,
    serving,
)
from tests.protocol import builders

from safeconduct.errors import (
    MalformedError,
)
from safeconduct.parties.mirror import copy as copying
from safeconduct.parties.mirror.copy import Copy
from safeconduct.parties.mirror.store import Index
from safeconduct.plumbing import durable
from safeconduct.plumbing.remote import RemoteLog
from safeconduct.protocol.tlog.merkle import leaf_hash
from safeconduct.protocol.tlog.note import (
    COSIGNATURE,
    format_vkey,
)
from safeconduct.protocol.tlog.policy import Policy, parse_policy, verify_proof


@pytest.mark.parametrize("size", [0, 1, 255, 256, 257, 600])
def test_a_copy_is_the_log_file_by_file(world: World, size: int) -> None:
    world.ledger.grow(size)
    with world.open() as mirror, serving(mirror) as url:
        advance_ledger(world, mirror)
        assert RemoteLog(f"{url}/ledger").checkpoint() == world.ledger.checkpoint()
        check_whole(world, url, size)


def test_a_copy_grows_with_the_log_and_serves_the_files_of_every_tree_it_showed(
    world: World,
) -> None:
    sizes = [1, 1, 254, 1, 43, 212, 300]
    with world.open() as mirror, serving(mirror) as url:
        seen = []
        for count in sizes:
            world.ledger.grow(count)
            advance_ledger(world, mirror)
            seen.append(len(world.ledger.entries))
            for size in seen:
                check_whole(world, url, size)


def test_a_copy_goes_on_after_a_restart_without_reading_again_what_it_has(
    world: World,
) -> None:
    world.ledger.grow(600)
    copy_ledger(world)
    world.ledger.grow(300)
    world.ledger.asked.clear()
    copy_ledger(world)
    assert world.ledger.asked == ["checkpoint", "tile/entries/002", "tile/entries/003.p/132"]


def test_no_more_than_one_bundle_is_held_at_a_time(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.ledger.grow(1_200)
    events: list[str] = []
    write = durable.write_file

    def noted(path: Path, data: bytes, *, mode: int = 0o644) -> None:
        if "tile/entries" in str(path):
            events.append(f"wrote {path.name}")
        write(path, data, mode=mode)

    def asked(path: str, data: bytes) -> bytes:
        if path.startswith("tile/entries"):
            events.append(f"asked {path.removeprefix('tile/entries/')}")
        return data

    monkeypatch.setattr(durable, "write_file", noted)
    monkeypatch.setattr(world.ledger, "shown", asked)
    copy_ledger(world)
    full = [f"{verb} 00{number}" for number in range(4) for verb in ("asked", "wrote")]
    assert events == [*full, "asked 004.p/176", "wrote 176"]


def test_how_far_copying_has_come_is_recorded_in_batches_of_bounded_size(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(copying, "BATCH_BUNDLES", 2)
    world.ledger.grow(1_200)
    batches: list[int] = []
    extend = Index.extend

    def noted(self: Index, leaf_hashes: list[bytes]) -> None:
        batches.append(len(leaf_hashes))
        extend(self, leaf_hashes)

    monkeypatch.setattr(Index, "extend", noted)
    copy_ledger(world)
    assert batches == [512, 512, 176]


def test_a_log_that_breaks_off_is_taken_up_where_it_stopped(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(copying, "BATCH_BUNDLES", 1)
    world.ledger.grow(1_200)

    def broken(path: str, data: bytes) -> bytes:
        return data if path != "tile/entries/003" else data[:-1]

    world.ledger.shown = broken
    with world.open() as mirror:
        with pytest.raises(MalformedError):
            advance_ledger(world, mirror)
        assert ledger(mirror).published is None
    world.ledger.shown = lambda path, data: data
    world.ledger.asked.clear()
    copy_ledger(world)
    assert world.ledger.asked == ["checkpoint", "tile/entries/003", "tile/entries/004.p/176"]


# Every entry can be proven, under the date that was first.


def test_every_entry_is_proven_by_its_hash_under_the_earliest_checkpoint_that_covers_it(
    world: World,
) -> None:
    with world.open() as mirror:
        copy, dates = ledger(mirror), list[int]()
        for count in (1, 2, 253, 1, 300):
            world.ledger.grow(count)
            dates += [world.ledger.at] * count
            advance_ledger(world, mirror)
        for number, at in enumerate(dates):
            index = copy.index.find(leaf_hash(entry(number)))
            assert index == number
            proof = copy.proof(index)
            assert proof is not None
            logged = verify_proof(proof, entry(number), builders.POLICY, builders.LEDGER.name)
            assert (logged.index, logged.logged_by) == (number, at)


def test_a_larger_tree_that_is_dated_earlier_dates_the_entries_of_a_smaller_one(
    world: World,
) -> None:
    with world.open() as mirror:
        world.ledger.grow(5, at=builders.NOON + 500)
        advance_ledger(world, mirror)
        world.ledger.grow(5, at=builders.NOON + 100)
        advance_ledger(world, mirror)
        proof = ledger(mirror).proof(2)
        assert proof is not None
        assert verify_proof(proof, entry(2), builders.POLICY).logged_by == builders.NOON + 100


def test_of_an_entry_logged_twice_the_first_place_counts(world: World) -> None:
    world.ledger.entries += [entry(0), entry(1), entry(0)]
    with world.open() as mirror:
        advance_ledger(world, mirror)
        assert ledger(mirror).index.find(leaf_hash(entry(0))) == 0


def test_fresher_cosignatures_are_shown_and_the_first_date_is_kept(world: World) -> None:
    world.ledger.grow(4)
    first = world.ledger.at
    with world.open() as mirror:
        advance_ledger(world, mirror)
        world.ledger.at += 3_600
        advance_ledger(world, mirror)
        copy = ledger(mirror)
        assert copy.published is not None
        assert copy.published.checkpoint == world.ledger.checkpoint()
        proof = copy.proof(0)
        assert proof is not None
        assert verify_proof(proof, entry(0), builders.POLICY).logged_by == first


def repolicy(world: World, *replaced: tuple[str, str]) -> None:
    """The operator puts another policy in place."""
    text = builders.POLICY_TEXT
    for old, new in replaced:
        assert old in text
        text = text.replace(old, new)
    (world.mirror / "policy.txt").write_text(text)


def dates(copy: Copy, policy: Policy) -> list[int | None]:
    """By when each entry was logged, as the mirror's proofs say under `policy`."""
    proofs = [copy.proof(index) for index in range(copy.known().tree.size)]
    return [
        None if proof is None else verify_proof(proof, entry(index), policy).logged_by
        for index, proof in enumerate(proofs)
    ]


def test_a_new_policy_dates_again_what_was_kept(world: World) -> None:
    at = builders.NOON
    stranger = format_vkey(builders.STRANGER.verifier(COSIGNATURE))
    theirs = format_vkey(builders.THEIR_WITNESS.verifier(COSIGNATURE))
    for step in range(3):
        world.ledger.grow(1, at=at + 100 * step)
        copy_ledger(world)
    # Their witness signs a minute before ours; alone it dates everything that much earlier.
    for replaced, expected in (
        (("quorum both", "quorum theirs"), [at - 60, at + 40, at + 140]),
        ((theirs, stranger), [None, None, None]),
        (("quorum both", "quorum both"), [at, at + 100, at + 200]),
    ):
        repolicy(world, replaced)
        policy = parse_policy((world.mirror / "policy.txt").read_bytes())
        with ledger_alone(world) as copy:
            assert dates(copy, policy) == expected
    repolicy(world, (theirs, stranger))
    world.ledger.witnesses = (builders.OUR_WITNESS, builders.STRANGER)
    world.ledger.at += 1_000
    copy_ledger(world)
    policy = parse_policy((world.mirror / "policy.txt").read_bytes())
    with ledger_alone(world) as copy:
        assert dates(copy, policy) == [at + 1_200] * 3


def test_signatures_of_strangers_are_left_out(world: World) -> None:
    world.ledger.grow(2)
    clean = world.ledger.checkpoint()
    world.ledger.witnesses = (*world.ledger.witnesses, builders.STRANGER)
    with world.open() as mirror:
        advance_ledger(world, mirror)
        published = ledger(mirror).published
        assert published is not None
        assert published.checkpoint == clean
