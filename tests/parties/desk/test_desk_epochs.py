"""Epochs follow each other without a gap, and it can be seen where each one stands."""

import argparse
import json
import os
import threading
import time
from dataclasses import replace

import pytest
from tests.parties.desk.desk_world import NOW, PROGRAMME, World

from safeconduct.errors import RefusedError, UnavailableError
from safeconduct.parties.desk import keys_command
from safeconduct.parties.desk.epoch import Standing, rotate, standings
from safeconduct.parties.desk.keys import EpochKeys, Keyring
from safeconduct.parties.desk.pull import pull
from safeconduct.parties.desk.unseal import DELIVERY_GRACE_SECONDS, unseal_all
from safeconduct.protocol import age
from safeconduct.protocol.gazette import Retirement

FILES = {"message.txt": b"the ledger of May is attached\n"}
CLOSES = NOW + 1_000  # the first epoch of the desk's world
WINDOW = 86_400  # of its programme
GRACE_ENDS = CLOSES + WINDOW + DELIVERY_GRACE_SECONDS


def slow_chance(length: int) -> bytes:
    time.sleep(0.05)
    return os.urandom(length)


def _standing(world: World, number: int = 1) -> Standing:
    [found] = [one for one in standings(world.desk) if one.number == number]
    return found


class TestRotate:
    """The record of the next epoch."""

    def test_the_next_epoch_opens_as_the_last_closes_and_names_it(self, world: World) -> None:
        record = rotate(world.desk, CLOSES + 1_000)
        assert record.number("number") == 2
        assert record.hash("previous") == world.state.epochs[0].hash
        assert record.hash("programme") == PROGRAMME
        assert (record.number("opens"), record.number("closes")) == (CLOSES, CLOSES + 1_000)

    def test_asked_again_it_certifies_the_same_keys(self, world: World) -> None:
        first, second = rotate(world.desk, CLOSES + 1_000), rotate(world.desk, CLOSES + 9_000)
        for field in ("statement", "classic", "hybrid", "number", "previous"):
            assert first.values[field] == second.values[field]

    def test_asked_twice_at_once_it_certifies_the_keys_that_are_kept(
        self, world: World
    ) -> None:
        """Else the board would certify one whose other half was overwritten."""
        made: list[EpochKeys] = []
        threads = [
            threading.Thread(
                target=lambda: made.append(Keyring(world.folder).make(2, slow_chance))
            )
            for _ in range(2)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        kept = world.desk.keys.epoch(2)
        publics = {
            age.format_recipient(identity.recipient())
            for keys in (*made, kept)
            for identity in keys.identities
        }
        assert len(made) == 2
        assert len(publics) == 2

    def test_epochs_may_overlap(self, world: World) -> None:
        assert rotate(world.desk, CLOSES + 1, opens=NOW - 5).number("opens") == NOW - 5

    @pytest.mark.parametrize(
        ("opens", "closes", "reason"),
        [
            pytest.param(CLOSES + 1, CLOSES + 9, "no source could send", id="leaves a gap"),
            pytest.param(None, CLOSES, "of no use", id="closes with the last one"),
            pytest.param(NOW, NOW + 5, "of no use", id="closes before the last one"),
        ],
    )
    def test_an_epoch_that_helps_nobody_is_refused_and_no_keys_are_made(
        self, world: World, opens: int | None, closes: int, reason: str
    ) -> None:
        with pytest.raises(RefusedError, match=reason):
            rotate(world.desk, closes, opens)
        assert world.desk.keys.numbers() == [1]

    def test_an_epoch_that_is_over_already_is_refused(self, world: World) -> None:
        world.wait_until(CLOSES + 5_000)
        with pytest.raises(RefusedError, match="of no use"):
            rotate(world.desk, CLOSES + 5_000)

    def test_the_first_epoch_opens_now(self, world: World) -> None:
        world.publish(epochs=())
        record = rotate(world.desk, NOW + 50)
        assert (record.number("number"), record.number("opens")) == (1, NOW)
        assert record.hash("previous") == bytes(32)

    def test_tips_to_both_epochs_are_opened_while_both_keys_are_here(
        self, world: World
    ) -> None:
        early = world.send(0, FILES)
        world.certify(rotate(world.desk, CLOSES + 1_000, opens=NOW - 5))
        late = world.send(1, {"message.txt": b"another"})
        assert {step.hash: step.status for step in world.run()} == {early: "ok", late: "ok"}


class TestStandings:
    """Where an epoch stands."""

    @pytest.mark.parametrize(
        ("at", "word"),
        [
            (NOW - 1_001, "before"),
            (NOW - 1_000, "open"),
            (CLOSES - 1, "open"),
            (CLOSES, "grace"),
            (GRACE_ENDS, "grace"),
            (GRACE_ENDS + 1, "due"),
        ],
    )
    def test_time_alone_moves_it_on(self, world: World, at: int, word: str) -> None:
        world.wait_until(at)
        assert _standing(world).word == word

    def test_keys_that_nobody_certified_are_shown_as_such(self, world: World) -> None:
        rotate(world.desk, CLOSES + 1_000)
        assert _standing(world, 2).word == "not-certified"
        assert _standing(world, 2).keys == ("statement", "hybrid", "classic")

    def test_tips_are_counted_until_they_are_answered_and_archived(self, world: World) -> None:
        world.send(0, FILES)
        pull(world.desk)
        assert (_standing(world).tips, _standing(world).unopened) == (1, 1)
        unseal_all(world.desk)
        assert (_standing(world).unopened, _standing(world).unarchived) == (0, 0)
        world.archive()
        assert _standing(world).unarchived == 1

    def test_an_answer_that_is_not_logged_counts_as_none(self, world: World) -> None:
        world.send(0, FILES)
        pull(world.desk)
        world.ledger.away = True
        with pytest.raises(UnavailableError):
            unseal_all(world.desk)
        assert _standing(world).unopened == 1


class TestCommand:
    """The verbs, as they are typed."""

    def _run(self, world: World, monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
        monkeypatch.setattr(keys_command, "open_desk", lambda _: world.desk)
        parser = argparse.ArgumentParser(prog="safeconduct desk")
        keys_command.add_verbs(parser.add_subparsers())
        arguments = parser.parse_args([*words, "--dir", str(world.folder)])
        code: int = arguments.run(arguments)
        return code

    def test_rotate_prints_the_boards_draft_and_nothing_secret(
        self,
        world: World,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        assert self._run(world, monkeypatch, "rotate", "--closes", "2027-02-01T00:00:00Z") == 0
        told = capsys.readouterr()
        assert told.out.startswith("safeconduct/v1/epoch\n")
        assert "number 2\n" in told.out
        assert "SECRET" not in told.out + told.err
        assert "PRIVATE" not in told.out + told.err

    def test_epochs_are_listed_for_people_and_for_programs(
        self,
        world: World,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        world.tip(0, "the ledger of May")
        rotate(world.desk, CLOSES + 1_000)
        self._run(world, monkeypatch, "epochs")
        first, second = capsys.readouterr().out.splitlines()
        assert first.startswith("epoch-1  open  2027-01-15T07:43:20Z  2027-01-15T08:16:40Z")
        assert "tips 1, unopened 0, unarchived 0" in first
        assert second.startswith("epoch-2  not-certified  tips 0")
        self._run(world, monkeypatch, "epochs", "--json")
        [shown, _] = json.loads(capsys.readouterr().out)
        assert (shown["epoch"], shown["standing"], shown["tips"]) == (1, "open", 1)
        assert shown["keys"] == ["statement", "hybrid", "classic"]


def test_a_tip_to_destroyed_keys_is_unreadable_only_if_the_gazette_says_so(
    world: World,
) -> None:
    digest = world.send(0, FILES)
    world.certify(rotate(world.desk, CLOSES + 1_000, opens=NOW - 5))
    pull(world.desk)
    world.desk.keys.destroy(1)
    [step] = unseal_all(world.desk)
    assert (step.status, "epoch 1 are not on this machine" in step.trouble) == ("", True)
    world.publish(retirements=(Retirement(epoch=1, destruction=bytes(32), index=9),))
    [step] = unseal_all(world.desk)
    assert (step.hash, step.status) == (digest, "unreadable")
    made = world.desk.store.acknowledged(digest)
    assert made is not None
    assert "epoch 1, whose keys are destroyed" in made.reason


def test_a_damaged_key_file_is_our_own_fault_and_no_answer(world: World) -> None:
    digest = world.send(0, FILES)
    world.certify(rotate(world.desk, CLOSES + 1_000, opens=NOW - 5))
    pull(world.desk)
    (world.folder / "keys" / "epoch-1.hybrid").write_bytes(bytes(80))
    [step] = unseal_all(world.desk)
    assert (step.hash, step.status) == (digest, "")
    assert "epoch-1.hybrid" in step.trouble
    assert world.desk.store.acknowledged(digest) is None


def test_a_gazette_with_an_archive_that_is_no_key_stops_answers_and_blames_nobody(
    world: World,
) -> None:
    digest = world.send(0, FILES)
    world.archive()
    spoilt = replace(world.state.archives[0], recipient="age1nonsense")
    world.publish(archives=(spoilt,))
    [step] = world.run()
    assert (step.hash, step.status) == (digest, "")
    assert "archive 1 of the Gazette" in step.trouble
