"""What a mirror serves, follows and signs: over real HTTP, and while everything goes wrong."""

import argparse
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import httpx
import pytest
from tests.parties.mirror.mirror_world import (
    MIRROR_NAME,
    NOW,
    World,
    capsule,
    entry,
    serving,
)
from tests.parties.servers import Server, run, start, stopped_at_the_end
from tests.protocol import builders

from safeconduct.errors import (
    ConflictError,
    MalformedError,
    RefusedError,
    SafeconductError,
    UnavailableError,
)
from safeconduct.parties.mirror import command, follow, shelf
from safeconduct.parties.mirror.copy import advance
from safeconduct.parties.mirror.folder import load_plan, new_mirror, origin_hash
from safeconduct.parties.mirror.follow import Mirror, copy_once, following
from safeconduct.plumbing import clock, durable
from safeconduct.plumbing.remote import RemoteLog
from safeconduct.protocol.tlog.cosignature import verify_cosignature
from safeconduct.protocol.tlog.fork import parse_fork, verify_fork
from safeconduct.protocol.tlog.merkle import leaf_hash
from safeconduct.protocol.tlog.note import parse_note, parse_vkey, signatures_by
from safeconduct.protocol.tlog.policy import open_checkpoint, verify_proof

COMMAND = "safeconduct.parties.mirror.command"
WAIT_SECONDS = 100.0


def ask(url: str) -> httpx.Response:
    return httpx.get(url, timeout=30, trust_env=False)


def wait_for(what: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while not what():
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(0.02)


def shown_size(mirror: Mirror, name: str = "ledger") -> int:
    [copy] = [each for each in mirror.copies if each.source.name == name]
    return copy.published.tree.size if copy.published else 0


def has_size(mirror: Mirror, size: int) -> bool:
    return shown_size(mirror) == size


# What is served.


def test_both_logs_are_served_by_their_names_and_by_the_hash_of_their_origins(
    world: World,
) -> None:
    world.ledger.grow(5)
    with world.open() as mirror, serving(mirror) as url:
        assert copy_once(mirror) == []
        for log, fake in (("ledger", world.ledger), ("gazette", world.gazette)):
            for name in (log, origin_hash(fake.key.name)):
                answer = ask(f"{url}/{name}/checkpoint")
                assert answer.content == fake.checkpoint()
                assert answer.headers["content-type"] == "text/plain; charset=utf-8"
        assert (
            ask(f"{url}/ledger/tile/0/000.p/5").headers["cache-control"].endswith("immutable")
        )


def test_a_proof_is_had_by_index_or_by_hash(world: World) -> None:
    world.ledger.grow(300)
    with world.open() as mirror, serving(mirror) as url:
        copy_once(mirror)
        by_hash = ask(f"{url}/ledger/proof?entry-hash={leaf_hash(entry(7)).hex()}").content
        assert ask(f"{url}/ledger/proof?index=7").content == by_hash
        assert verify_proof(by_hash, entry(7), builders.POLICY).index == 7


REFUSED: dict[str, tuple[str, int]] = {
    "a log that is not mirrored": ("/other/checkpoint", 404),
    "an entry beyond the tree": ("/ledger/proof?index=5", 404),
    "an unknown hash": (f"/ledger/proof?entry-hash={'00' * 32}", 404),
    "an index that is no number": ("/ledger/proof?index=+1", 400),
    "a huge index": (f"/ledger/proof?index={1 << 63}", 400),
    "the largest index": (f"/ledger/proof?index={(1 << 63) - 1}", 404),
    "a hash cut short": ("/ledger/proof?entry-hash=00", 400),
    "two questions": (f"/ledger/proof?index=1&entry-hash={'00' * 32}", 400),
    "no question": ("/ledger/proof", 400),
    "a tile beyond the tree": ("/ledger/tile/0/000.p/6", 404),
    "a bundle beyond the tree": ("/ledger/tile/entries/000", 404),
    "a path that climbs": ("/ledger/tile/..%2F..%2F..%2Fpolicy.txt", 400),
    "another spelling": ("/ledger/tile/0/0", 400),
    "a full tile spelt as a partial one": ("/ledger/tile/0/000.p/256", 400),
    "another file of the folder": ("/ledger/index.db", 404),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_not_there_is_refused(world: World, case: str) -> None:
    path, status = REFUSED[case]
    world.ledger.grow(5)
    with world.open() as mirror, serving(mirror) as url:
        copy_once(mirror)
        assert ask(url + path).status_code == status


def test_before_the_first_copy_there_is_nothing(world: World) -> None:
    with world.open() as mirror, serving(mirror) as url:
        assert ask(f"{url}/ledger/checkpoint").status_code == 404
        assert ask(f"{url}/ledger/tile/0/000.p/1").status_code == 404
        assert ask(f"{url}/ledger/proof?index=0").status_code == 404
        assert ask(f"{url}/capsules").content == b""


# Following.


def test_the_copies_follow_their_logs_and_outlive_them(world: World) -> None:
    with world.open() as mirror, serving(mirror) as url, following(mirror, 0.05):
        for size in (3, 200, 300):
            world.ledger.grow(size - len(world.ledger.entries))
            wait_for(partial(has_size, mirror, size))
        world.ledger.away = True
        wait_for(lambda: mirror.health.of("ledger")[0] != "")
        assert ask(f"{url}/ledger/proof?index=299").status_code == 200
        assert "ledger 300" in ask(f"{url}/health").text
        assert "ill" in ask(f"{url}/health").text
        world.ledger.away = False
        world.ledger.grow(1)
        wait_for(lambda: shown_size(mirror) == 301)
        wait_for(lambda: mirror.health.of("ledger")[0] == "")


def test_a_log_that_lies_is_told_once_and_holds_up_nobody(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.ledger.grow(10)
    with world.open() as mirror, following(mirror, 0.02):
        wait_for(lambda: shown_size(mirror) == 10)
        world.ledger.entries[0] = b"another history"
        wait_for(lambda: world.evidence != [])
        world.gazette.grow(5)
        wait_for(lambda: shown_size(mirror, "gazette") == 8)
        asked = len(world.ledger.asked)
        wait_for(lambda: len(world.ledger.asked) > asked + 3)
        assert shown_size(mirror) == 10
    assert capsys.readouterr().err.count("signed two histories") == 1


def test_a_full_disk_ends_the_copying_of_that_log_and_nothing_else(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    world.ledger.grow(10)
    write = durable.write_file

    def full(path: Path, data: bytes, *, mode: int = 0o644) -> None:
        if "/ledger/" in str(path):
            raise UnavailableError(f"{path}: no space left", told="cannot use its disk")
        write(path, data, mode=mode)

    with world.open() as mirror, serving(mirror) as url:
        copy_once(mirror)
        world.ledger.grow(10)
        monkeypatch.setattr(durable, "write_file", full)
        with following(mirror, 0.02):
            wait_for(lambda: mirror.health.of("ledger")[0] != "")
            world.gazette.grow(5)
            wait_for(lambda: shown_size(mirror, "gazette") == 8)
            asked = len(world.ledger.asked)
            time.sleep(0.2)
            assert len(world.ledger.asked) == asked
            assert ask(f"{url}/ledger/proof?index=9").status_code == 200
            assert ask(f"{url}/ledger/proof?index=10").status_code == 404
    assert "copying has stopped; the copy is still served" in capsys.readouterr().err


# The shelf.


def test_the_shelf_keeps_what_the_door_drops(world: World) -> None:
    world.door.shelf = [capsule(0), capsule(1)]
    with world.open() as mirror, serving(mirror) as url:
        assert copy_once(mirror) == []
        world.door.shelf = [capsule(2)]
        assert copy_once(mirror) == []
        assert ask(f"{url}/capsules").content == capsule(0) + capsule(1) + capsule(2)


def test_a_door_that_sends_no_shelf_adds_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.door.shelf = [capsule(0)]
    with world.open() as mirror, serving(mirror) as url:
        copy_once(mirror)
        world.door.shelf = [capsule(1), b"x"]
        [error] = copy_once(mirror)
        assert isinstance(error, MalformedError)
        monkeypatch.setattr(shelf, "SHELF_BYTES_MAX", 10_000)
        world.door.shelf = [capsule(1), capsule(2)]
        [error] = copy_once(mirror)
        assert isinstance(error, MalformedError)
        assert ask(f"{url}/capsules").content == capsule(0)


def test_the_shelf_is_fetched_less_often_than_the_logs(world: World) -> None:
    with world.open() as mirror:
        paces = {work.name: work.every_seconds for work in mirror.works(0.5)}
    assert paces == {"gazette": 0.5, "ledger": 0.5, "capsules": 6.0}


# Our own word.


@pytest.fixture
def signing(world: World) -> World:
    """A programme with a mirror that cosigns."""
    (world.mirror / "policy.txt").unlink()
    world.make_mirror(MIRROR_NAME)
    return world


def own_dates(world: World, mirror: Mirror) -> list[int]:
    """When our keys cosigned what is shown; verified."""
    [copy] = [each for each in mirror.copies if each.source.name == "ledger"]
    assert copy.published is not None
    note = parse_note(copy.published.checkpoint)
    open_checkpoint(copy.published.checkpoint, builders.POLICY)
    keys = [key.cosigner() for key in mirror.own_keys]
    assert {key.algorithm for key in keys} == {0x04, 0x06}
    return [verify_cosignature(note, key) for key in keys if signatures_by(note, key)]


def test_a_mirror_with_keys_cosigns_what_it_has_copied(
    signing: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clock, "seconds", lambda: NOW + 7)
    signing.ledger.grow(5)
    with signing.open() as mirror, serving(mirror) as url:
        assert copy_once(mirror) == []
        assert own_dates(signing, mirror) == [NOW + 7, NOW + 7]
        lines = ask(url).text.splitlines()
        keys = [parse_vkey(line.split()[1]) for line in lines if line.startswith("mirror ")]
        assert [key.name for key in keys] == [MIRROR_NAME, MIRROR_NAME]


def test_a_mirror_never_signs_an_earlier_date(
    signing: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    dates = {NOW: 2, NOW + 100: 2, NOW + 99: 2, NOW + 50: 0, NOW + 51: 0, NOW + 101: 2}
    with signing.open() as mirror:
        [copy] = [each for each in mirror.copies if each.source.name == "ledger"]
        signed = []
        for at, count in dates.items():
            monkeypatch.setattr(clock, "seconds", lambda at=at: at)
            signing.ledger.grow(1)
            advance(copy, RemoteLog(signing.ledger_url))
            assert len(own_dates(signing, mirror)) == count
            signed += own_dates(signing, mirror)
    assert signed == sorted(signed)


@pytest.mark.parametrize(
    "name", [builders.OUR_WITNESS.name, builders.LEDGER.name, builders.GAZETTE.name]
)
def test_a_mirror_is_not_called_like_a_witness_or_a_log(world: World, name: str) -> None:
    with pytest.raises(RefusedError, match="is called that"):
        new_mirror(world.folder / "second", [world.folder / "programme"], name)
    assert not (world.folder / "second").exists()


# Founding.


def test_any_log_that_a_policy_gives_an_address_can_be_mirrored(world: World) -> None:
    lines = builders.POLICY_TEXT.splitlines()
    lines[1] += f" {world.ledger_url}"
    policy = world.folder / "some-policy.txt"
    policy.write_text("\n".join(lines) + "\n")
    folder = world.folder / "second"
    new_mirror(folder, [policy], None)
    [source] = load_plan(folder).logs
    assert source.origin == builders.LEDGER.name
    assert source.name == "ledger"
    assert load_plan(folder).door == ""
    with follow.open_mirror(folder) as mirror, serving(mirror) as url:
        world.ledger.grow(3)
        assert copy_once(mirror) == []
        assert ask(f"{url}/{source.name}/checkpoint").content == world.ledger.checkpoint()
        assert ask(f"{url}/capsules").status_code == 404


def test_the_last_part_of_an_address_names_a_log(tmp_path: Path) -> None:
    lines = builders.POLICY_TEXT.splitlines()
    lines[0] += " https://log.example/some/gazette/"
    lines[1] += " https://other.example/gazette"
    (tmp_path / "policy.txt").write_text("\n".join(lines) + "\n")
    new_mirror(tmp_path / "mirror", [tmp_path / "policy.txt"], None)
    names = [source.name for source in load_plan(tmp_path / "mirror").logs]
    assert names == ["gazette", origin_hash(builders.LEDGER.name)]


WRONG: dict[str, tuple[list[str], type[SafeconductError]]] = {
    "a policy without an address": (["programme/policy.txt"], MalformedError),
    "two folders": (["programme", "mirror"], MalformedError),
    "nothing there": (["absent"], UnavailableError),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_mirror_of_nothing_is_refused_and_leaves_nothing(world: World, case: str) -> None:
    names, family = WRONG[case]
    with pytest.raises(family):
        new_mirror(world.folder / "second", [world.folder / name for name in names], None)
    assert not (world.folder / "second").exists()


def test_a_mirror_is_made_once(world: World) -> None:
    with pytest.raises(RefusedError, match="already"):
        world.make_mirror()


def test_a_folder_that_is_no_mirror_is_not_opened(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError, match="no mirror here"), follow.open_mirror(tmp_path):
        pass


# The verbs, as processes.


def test_copy_says_what_it_has_and_exits_with_the_reason(world: World) -> None:
    world.ledger.grow(300)
    done = run(COMMAND, "copy", "--dir", str(world.mirror))
    assert done.returncode == 0, done.stderr
    assert done.stdout == (
        "gazette: 3 entries, dated 2027-01-15T08:01:00Z\n"
        "ledger: 300 entries, dated 2027-01-15T08:01:00Z\n"
    )
    world.ledger.entries[5] = b"another history"
    told = run(COMMAND, "copy", "--dir", str(world.mirror))
    assert told.returncode != 0
    assert "signed two histories, of 300 and 300 entries" in told.stderr
    [kept] = world.evidence
    verify_fork(parse_fork(kept.read_bytes()), [builders.LEDGER.verifier()])


def test_a_contradiction_is_raised_before_any_other_trouble(world: World) -> None:
    world.ledger.grow(3)
    with world.open() as mirror:
        copy_once(mirror)
    world.gazette.away = True
    world.ledger.size = 2
    options = argparse.Namespace(dir=world.mirror)
    with pytest.raises(ConflictError, match="shows 2 entries after 3"):
        command._copy(options)


def test_a_serving_mirror_survives_kill_9_at_any_moment(world: World) -> None:
    servers: list[Server] = []
    arguments = ("serve", "--dir", str(world.mirror), "--every", "0.05")
    with stopped_at_the_end(servers):
        for _ in range(4):
            world.ledger.grow(700)
            server = start(COMMAND, *arguments, "--listen", "127.0.0.1:0")
            wait_for(lambda: any("entries/00" in path for path in world.ledger.asked))
            server.kill()
            world.ledger.asked.clear()
        servers.append(start(COMMAND, *arguments, "--listen", "127.0.0.1:0"))
        url = servers[0].url
        wait_for(lambda: ask(f"{url}/ledger/checkpoint").content == world.ledger.checkpoint())
        for index in (0, 699, 2_799):
            proof = ask(f"{url}/ledger/proof?index={index}").content
            assert verify_proof(proof, entry(index), builders.POLICY).index == index
        assert RemoteLog(f"{url}/ledger").edge(2_800).tree().size == 2_800
