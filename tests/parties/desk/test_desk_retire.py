"""An epoch's keys are destroyed when nothing depends on them, after that was said in public."""

import argparse
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from tests.parties.desk.desk_world import NOW, PROGRAMME, Crash, World

from safeconduct.errors import (
    ConflictError,
    RefusedError,
    SafeconductError,
    UnavailableError,
    UnverifiedError,
)
from safeconduct.parties.desk import keys_command
from safeconduct.parties.desk.archive import fill_archive
from safeconduct.parties.desk.epoch import rotate, standings
from safeconduct.parties.desk.export import export
from safeconduct.parties.desk.keys import Keyring
from safeconduct.parties.desk.pull import DISK_RESERVE_BYTES, NO_ROOM, pull
from safeconduct.parties.desk.retire import Retired, retire
from safeconduct.parties.desk.store import Store
from safeconduct.parties.desk.unseal import DELIVERY_GRACE_SECONDS, unseal_all
from safeconduct.protocol import age
from safeconduct.protocol.destruction import tips_root, verify_destruction
from safeconduct.protocol.gazette import Retirement
from safeconduct.protocol.receipt import verify_receipt
from safeconduct.protocol.record import NO_HASH, format_record, parse_signed, record_hash

FILES = {"message.txt": b"the ledger of May is attached\n"}
DUE = NOW + 1_000 + 86_400 + DELIVERY_GRACE_SECONDS + 1
DAY_SECONDS = 86_400


@pytest.fixture
def due(world: World) -> World:
    """A world whose first epoch has three answered and archived tips, and is over."""
    world.archive()
    for number in range(3):
        world.send(number, {"message.txt": b"%d" % number})
    world.run()
    world.certify(rotate(world.desk, DUE + 1_000))
    world.wait_until(DUE)
    return world


def _publish(world: World, made: Retired) -> None:
    assert made.draft is not None
    assert made.draft.number("number") == len(world.state.retirements) + 1
    assert made.draft.hash("certificate") == world.state.epoch(1).hash
    retirement = Retirement(
        epoch=made.draft.number("epoch"),
        destruction=made.draft.hash("destruction"),
        index=world.state.size,
    )
    world.publish(retirements=(*world.state.retirements, retirement))


def _key_files(world: World, number: int = 1) -> list[Path]:
    return list((world.folder / "keys").glob(f"*epoch-{number}.*"))


def test_what_was_said_is_signed_logged_and_borne_out_by_the_board(due: World) -> None:
    made = retire(due.desk, 1)
    policy, ledger = due.desk.programme.policy, due.desk.programme.ledger_origin
    assert verify_receipt(made.destruction, made.proof, policy, ledger).logged_by >= DUE
    assert _key_files(due) == []
    assert len(_key_files(due, 2)) == 3
    assert made.destruction in due.ledger.asked
    with pytest.raises(UnverifiedError, match="not retired"):
        verify_destruction(made.destruction, due.state)
    _publish(due, made)
    proven = verify_destruction(made.destruction, due.state)
    assert proven.epoch.number == 1
    assert proven.archive == due.state.archives[0]
    record = proven.record
    assert record.hash("programme") == PROGRAMME
    assert (record.number("tips"), record.number("destroyed")) == (3, DUE - DUE % DAY_SECONDS)
    assert record.hash("root") == tips_root(tip.hash for tip in due.desk.store.tips())
    assert record_hash(made.destruction) == due.state.retirements[0].destruction


def test_asked_again_it_says_the_same_until_the_board_has_published(due: World) -> None:
    first = retire(due.desk, 1)
    due.wait_until(DUE + 5 * DAY_SECONDS)
    assert retire(due.desk, 1) == first
    _publish(due, first)
    assert retire(due.desk, 1) == replace(first, draft=None)


def test_the_standing_tells_how_far_it_has_come(due: World) -> None:
    def word() -> str:
        return standings(due.desk)[0].word

    assert word() == "due"
    made = retire(due.desk, 1)
    assert word() == "destroyed-not-announced"
    _publish(due, made)
    assert word() == "destroyed"
    (due.folder / "keys" / "epoch-1.hybrid").write_text("from a backup")
    assert word() == "half-destroyed"
    retire(due.desk, 1)
    assert word() == "destroyed"


def _too_early(world: World) -> None:
    world.wait_until(DUE - 1)


def _not_opened(world: World) -> None:
    world.wait_until(NOW)
    world.send(7, FILES, epoch_number=1)
    pull(world.desk)
    world.wait_until(DUE)


def _not_logged(world: World) -> None:
    _not_opened(world)
    world.ledger.away = True
    with pytest.raises(UnavailableError):
        unseal_all(world.desk)
    world.ledger.away = False


def _not_fetched(world: World) -> None:
    world.send(7, FILES, epoch_number=1)


def _not_archived(world: World) -> None:
    world.archive(b"\x0b" * 32)


def _no_archive(world: World) -> None:
    world.publish(archives=())


def _a_key_is_missing(world: World) -> None:
    (world.folder / "keys" / "epoch-1.classic").unlink()


def _keys_of_another_desk(world: World) -> None:
    foreign = replace(world.state.epochs[0], statement=world.door.server.verifier())
    world.publish(epochs=(foreign, *world.state.epochs[1:]))


def _never_certified(world: World) -> None:
    world.publish(epochs=world.state.epochs[1:])


@pytest.mark.parametrize(
    ("spoil", "family", "reason"),
    [
        pytest.param(_too_early, RefusedError, "may still arrive until", id="in its grace"),
        pytest.param(_not_opened, RefusedError, "1 tips .* not opened", id="a tip unopened"),
        pytest.param(_not_logged, RefusedError, "answer is not logged", id="an answer unsaid"),
        pytest.param(_not_fetched, RefusedError, "not fetched", id="a tip at the door"),
        pytest.param(_not_archived, RefusedError, "3 tips .* no header", id="not archived"),
        pytest.param(_no_archive, RefusedError, "never be opened again", id="no archive"),
        pytest.param(_a_key_is_missing, RefusedError, "not all on this", id="a key missing"),
        pytest.param(_keys_of_another_desk, ConflictError, "another statement", id="not ours"),
        pytest.param(_never_certified, UnverifiedError, "never certified", id="not certified"),
    ],
)
def test_while_anything_depends_on_the_keys_nothing_is_said_and_nothing_destroyed(
    due: World, spoil: Callable[[World], None], family: type[SafeconductError], reason: str
) -> None:
    spoil(due)
    before, asked = sorted(_key_files(due)), len(due.ledger.asked)
    with pytest.raises(family, match=reason):
        retire(due.desk, 1)
    assert sorted(_key_files(due)) == before
    assert due.desk.store.destruction(1) is None
    assert len(due.ledger.asked) == asked


def test_a_missing_header_is_made_by_fill_and_then_the_keys_may_go(due: World) -> None:
    _not_archived(due)
    assert len(fill_archive(due.desk)) == 3
    retire(due.desk, 1)
    assert _key_files(due) == []


def test_without_an_archive_it_must_be_said(due: World) -> None:
    _no_archive(due)
    made = retire(due.desk, 1, without_archive=True)
    assert parse_signed(made.destruction).record.hash("archive") == NO_HASH
    _publish(due, made)
    assert verify_destruction(made.destruction, due.state).archive is None


def test_that_it_was_said_does_not_excuse_an_archive_that_is_there(due: World) -> None:
    _not_archived(due)
    with pytest.raises(RefusedError, match="no header"):
        retire(due.desk, 1, without_archive=True)


def test_an_epoch_without_tips_needs_no_archive(world: World) -> None:
    world.certify(rotate(world.desk, DUE + 1_000))
    world.wait_until(DUE)
    made = retire(world.desk, 1)
    record = parse_signed(made.destruction).record
    assert (record.number("tips"), record.hash("root")) == (0, tips_root([]))


def test_a_tip_that_comes_after_the_word_and_before_the_deed_is_answered_first(
    due: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(*_: object) -> None:
        raise Crash

    monkeypatch.setattr(Keyring, "destroy", crash)
    with pytest.raises(Crash):
        retire(due.desk, 1)
    monkeypatch.undo()
    due.ledger.at = NOW
    due.send(7, FILES, epoch_number=1)
    due.ledger.at = DUE
    pull(due.desk)
    with pytest.raises(RefusedError, match="not opened"):
        retire(due.desk, 1)
    assert len(_key_files(due)) == 3
    unseal_all(due.desk)
    retire(due.desk, 1)
    assert _key_files(due) == []


def test_opened_files_are_counted_and_cleared_only_on_request(due: World) -> None:
    assert retire(due.desk, 1).in_clear == 3
    [folder, *_] = [due.desk.store.tip_folder(tip.hash) for tip in due.desk.store.tips()]
    assert (folder / "opened").exists()
    assert retire(due.desk, 1, clear_opened=True).in_clear == 0
    assert sorted(path.name for path in folder.iterdir()) == ["payload"]


def test_requests_for_credits_are_taken_in_before_the_opened_files_go(
    due: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    trays = [due.desk.store.tip_folder(tip.hash) / "opened" for tip in due.desk.store.tips()]
    seen: list[bool] = []
    monkeypatch.setattr(
        "safeconduct.parties.desk.retire.requests",
        lambda desk: seen.append(all(tray.exists() for tray in trays)),
    )
    retire(due.desk, 1, clear_opened=True)
    assert seen == [True]
    assert not any(tray.exists() for tray in trays)


def test_offers_that_never_held_are_told_of_and_stop_nothing(due: World) -> None:
    due.send(7, FILES, epoch_number=1)
    due.door.forged[4] = {"delivery": due.door.deliveries[0]["delivery"]}
    assert pull(due.desk) == []
    assert retire(due.desk, 1).held_back == 1
    assert _key_files(due) == []


def test_a_tip_too_large_for_the_disk_waits_alone_and_keeps_its_keys_alive(
    due: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who sends a huge tip keeps no smaller one from the desk, and loses none by it."""
    large = due.send(7, {"message.txt": bytes(1 << 20)}, epoch_number=1)
    small = due.send(8, FILES, epoch_number=1)

    class Usage:
        free = DISK_RESERVE_BYTES + (1 << 20)

    with monkeypatch.context() as patch:
        patch.setattr("safeconduct.parties.desk.pull.shutil.disk_usage", lambda path: Usage)
        assert pull(due.desk) == [small]
    [held] = due.desk.store.held_back()
    assert held.reason == NO_ROOM
    unseal_all(due.desk)
    with pytest.raises(RefusedError, match="waits for room on the disk"):
        retire(due.desk, 1)
    assert len(_key_files(due)) == 3
    assert pull(due.desk) == [large]
    assert [step.hash for step in unseal_all(due.desk)] == [large]
    assert retire(due.desk, 1).held_back == 0


def test_after_the_end_export_names_the_custodians_and_the_archive_still_has_all(
    due: World, tmp_path: Path
) -> None:
    retire(due.desk, 1)
    digest = due.desk.store.tips()[0].hash
    with pytest.raises(RefusedError, match="destroyed"):
        export(due.desk, digest, [age.x25519_identity(bytes(32)).recipient()], tmp_path / "t")
    assert due.desk.store.archived_in(digest)
    assert [one.unarchived for one in standings(due.desk)] == [0, 0]


def test_the_bytes_of_the_keys_are_overwritten_before_their_names_go(
    due: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = {path.name: path.open("rb") for path in _key_files(due)}
    retire(due.desk, 1)
    for file in kept.values():
        with file:
            data = file.read()
            assert data
            assert set(data) == {0}


WRITES = ("enter_destruction", "enter_destruction_proof")


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("step", [*WRITES, "log", "destroy"])
def test_a_crash_around_any_step_is_mended_by_running_it_again(
    due: World, monkeypatch: pytest.MonkeyPatch, step: str, after: bool
) -> None:
    def crashing(call: Callable[..., object]) -> Callable[..., object]:
        def crash(*asked: object) -> object:
            if after:
                call(*asked)
            raise Crash(step)

        return crash

    desk = due.desk
    if step == "log":
        desk = replace(desk, log=crashing(desk.log))  # type: ignore[arg-type]
    else:
        place = Keyring if step == "destroy" else Store
        monkeypatch.setattr(place, step, crashing(getattr(place, step)))
    with pytest.raises(Crash):
        retire(desk, 1)
    monkeypatch.undo()
    said = due.desk.store.destruction(1)
    if len(_key_files(due)) < 3:
        assert said is not None
        assert said.proof
    made = retire(due.desk, 1)
    assert _key_files(due) == []
    assert said is None or said.record == made.destruction
    assert due.ledger.asked.count(made.destruction) <= 2


def test_the_verb_prints_the_boards_draft_and_no_key(
    due: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    secrets = [path.read_text().strip() for path in _key_files(due)]
    monkeypatch.setattr(keys_command, "open_desk", lambda _: due.desk)
    parser = argparse.ArgumentParser(prog="safeconduct desk")
    keys_command.add_verbs(parser.add_subparsers())
    arguments = parser.parse_args(["retire", "--epoch", "1", "--dir", str(due.folder)])
    assert arguments.run(arguments) == 0
    told = capsys.readouterr()
    made = retire(due.desk, 1)
    assert made.draft is not None
    assert told.out.encode() == format_record(made.draft)
    assert "3 of its tips still lie opened" in told.err
    assert "every other copy" in told.err
    assert not any(secret in told.out + told.err for secret in secrets)
