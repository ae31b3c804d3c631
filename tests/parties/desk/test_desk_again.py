"""Each step may be run again, and a crash between any two of them harms nobody."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from tests.parties.desk.desk_world import Crash, World, make_world

from safeconduct.errors import UnavailableError
from safeconduct.parties.desk.assess import assess, assessment_for
from safeconduct.parties.desk.desk import Desk
from safeconduct.parties.desk.pull import pull
from safeconduct.parties.desk.reply import reply
from safeconduct.parties.desk.store import Store
from safeconduct.parties.desk.unseal import unseal_all
from safeconduct.parties.desk.vote import grade
from safeconduct.protocol.reply import Reply

FILES = {"message.txt": b"the ledger of May is attached\n", "scan.bin": bytes(range(256))}
WRITES = (
    "enter_tip",
    "enter_acknowledgement",
    "enter_acknowledgement_proof",
    "enter_reply",
    "mark_posted",
    "cast",
    "enter_assessment",
    "enter_assessment_proof",
)


@dataclass
class Fuse:
    """Lets `left` calls pass and crashes at the next, before or after it had its effect."""

    left: int
    after: bool
    passed: list[str] = field(default_factory=list)

    def wrap(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def fused(*asked: Any, **named: Any) -> Any:
            self.left -= 1
            if self.left == -1 and not self.after:
                raise Crash(name)
            result = call(*asked, **named)
            self.passed.append(name)
            if self.left == -1:
                raise Crash(name)
            return result

        return fused


def _journey(desk: Desk) -> None:
    """All that a desk does with a tip."""
    pull(desk)
    unseal_all(desk)
    for tip in desk.store.tips():
        for name in ("Anna", "Boris"):
            grade(
                desk.store, name, tip.hash, "B", 2, [], "plain", random_bytes=desk.random_bytes
            )
        assess(desk, tip.hash)
        if len(desk.store.replies(tip.hash)) < 2:
            reply(desk, tip.hash, "Which month?")
    unseal_all(desk)


def _fused(world: World, fuse: Fuse, monkeypatch: pytest.MonkeyPatch) -> Desk:
    for name in WRITES:
        monkeypatch.setattr(Store, name, fuse.wrap(name, getattr(Store, name)))
    return replace(
        world.desk,
        log=fuse.wrap("log", world.ledger.log),
        post=fuse.wrap("post", world.door.post),
        stream=fuse.wrap("stream", world.door.stream),
    )


def _steps(folder: Path) -> list[str]:
    """The names of the steps of one undisturbed journey, in order."""
    world, fuse = make_world(folder), Fuse(left=1_000, after=False)
    world.send(0, FILES)
    with pytest.MonkeyPatch.context() as monkeypatch:
        _journey(_fused(world, fuse, monkeypatch))
    return fuse.passed


def test_a_crash_at_any_step_is_harmless(tmp_path: Path) -> None:
    names = _steps(tmp_path / "whole")
    assert set(names) == {*WRITES, "log", "post", "stream"}
    for place in range(len(names)):
        for after in (False, True):
            world = make_world(tmp_path / f"{place}-{after}")
            digest = world.send(0, FILES)
            with pytest.MonkeyPatch.context() as monkeypatch:
                desk = _fused(world, Fuse(left=place, after=after), monkeypatch)
                with pytest.raises(Crash, match=names[place]):
                    _journey(desk)
            world.desk.store.close()
            _check_whole(world, replace(world.desk, store=Store(world.folder)), digest)


def _check_whole(world: World, desk: Desk, digest: bytes) -> None:
    """After the rest of the journey everything is there, and nothing twice."""
    _journey(desk)
    assert [reply.text[:5] for reply in world.inbox(0)] == ["Your ", "Which"]
    made = desk.store.acknowledged(digest)
    assert made is not None
    assert made.status == "ok"
    assert made.proof
    assert len(desk.store.votes(digest)) == 2
    assert len(desk.store.assessments(digest)) == 1
    assert assessment_for(desk, digest)[1]
    assert len(set(world.ledger.asked)) == 3  # the tip, one acknowledgement, one assessment
    desk.store.close()


def test_every_step_run_twice_gives_the_same(world: World) -> None:
    digest = world.send(0, FILES)
    assert pull(world.desk) == [digest]
    assert pull(world.desk) == []
    assert len(unseal_all(world.desk)) == 1
    assert unseal_all(world.desk) == []
    first = grade(world.desk.store, "Anna", digest, "B", 2, ["Igor B."], "plain")
    assert grade(world.desk.store, "Anna", digest, "B", 2, ["Igor B."], "plain") == first
    grade(world.desk.store, "Boris", digest, "B", 2, [], "plain")
    assert assess(world.desk, digest) == assess(world.desk, digest)


def test_a_reply_that_could_not_be_posted_goes_out_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    digest = world.tip(0, "the ledger of May")
    monkeypatch.setattr("safeconduct.parties.desk.door.PATIENCE_SECONDS", 0.0)
    world.door.away = True
    for _ in range(2):
        with pytest.raises(UnavailableError):
            reply(world.desk, digest, "Which month?")
    world.door.away = False
    unseal_all(world.desk)
    assert [said.text for said in world.inbox(0)][1:] == ["Which month?"]


def test_while_the_log_is_away_nothing_is_told_and_nothing_is_lost(world: World) -> None:
    digest = world.send(0, FILES)
    pull(world.desk)
    world.ledger.away = True
    with pytest.raises(UnavailableError):
        unseal_all(world.desk)
    assert world.inbox(0) == []
    world.ledger.away = False
    [step] = unseal_all(world.desk)
    assert step.hash == digest
    [told] = world.inbox(0)
    assert isinstance(told, Reply)
    assert told.acknowledgement


def test_replies_come_in_the_order_they_were_written(world: World) -> None:
    digest = world.tip(0, "the ledger of May")
    for text in ("one", "two", "three"):
        assert reply(world.desk, digest, text).posted
    assert [said.text for said in world.inbox(0)][1:] == ["one", "two", "three"]
