"""The desk opens a tip to a court: signed, on the record, and only what holds."""

import argparse
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest
from tests.parties.desk.desk_world import NOW, World

from safeconduct.errors import (
    MalformedError,
    RefusedError,
    SafeconductError,
    UnavailableError,
    UnverifiedError,
)
from safeconduct.parties.desk import open_command
from safeconduct.parties.desk.open import open_tip
from safeconduct.parties.desk.pull import pull
from safeconduct.plumbing.durable import read_stream
from safeconduct.protocol import age
from safeconduct.protocol.age.header import make_header
from safeconduct.protocol.gazette import GazetteState, Retirement
from safeconduct.protocol.opening import Opened, parse_opening, verify_opening
from safeconduct.protocol.record import format_record, parse_signed, record_hash
from safeconduct.protocol.tip import member_name

FILES = {"message.txt": b"the ledger of May", "a.txt": b"", "b.txt": b"x" * 70_000}


def tip(world: World) -> bytes:
    """The record hash of a tip that was acknowledged as ok."""
    digest = world.send(0, FILES)
    world.run()
    return digest


def verified(world: World, folder: Path, state: GazetteState | None = None) -> Opened:
    """What a court makes of the folder."""
    bundle = parse_opening((folder / "opening.json").read_bytes())

    def item(place: int) -> Iterable[bytes]:
        return read_stream(folder / "items" / member_name(place))

    payload = folder / "payload"
    return verify_opening(
        bundle,
        state or world.state,
        world.desk.programme.policy,
        payload=(lambda: read_stream(payload)) if payload.exists() else None,
        files=item,
    )


def test_a_whole_tip_is_opened_signed_and_logged(world: World, tmp_path: Path) -> None:
    digest = tip(world)
    open_tip(world.desk, digest, "court", tmp_path / "out")
    opened = verified(world, tmp_path / "out")
    assert (opened.opener, opened.scope, opened.purpose) == ("desk", "all", "court")
    assert [each.file.name for each in opened.files] == list(FILES)
    assert opened.by_key
    assert opened.status == "ok"
    assert opened.logged is not None
    assert opened.logged.logged_by == NOW
    logged = world.ledger.asked[-1]
    assert parse_signed(logged).record.kind == "opening-desk"
    assert record_hash(logged) == opened.logged.record_hash


def test_some_files_are_opened_without_the_file_key(world: World, tmp_path: Path) -> None:
    open_tip(world.desk, tip(world), "inquiry", tmp_path / "out", [3, 1, 3])
    opened = verified(world, tmp_path / "out")
    assert [(each.place, each.file.name) for each in opened.files] == [
        (1, "message.txt"),
        (3, "b.txt"),
    ]
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"items", "opening.json"}
    assert not parse_opening((tmp_path / "out/opening.json").read_bytes()).file_key


def test_what_is_handed_over_only_its_owner_reads(world: World, tmp_path: Path) -> None:
    open_tip(world.desk, tip(world), "court", tmp_path / "out", [1])
    made = [tmp_path / "out", *(tmp_path / "out").rglob("*")]
    assert [path for path in made if path.stat().st_mode & 0o077] == []


def test_a_tip_that_was_acknowledged_as_a_duplicate_opens_whole_only(
    world: World, tmp_path: Path
) -> None:
    digest = tip(world)
    acknowledged = world.desk.store.acknowledged(digest)
    assert acknowledged is not None
    made = replace(acknowledged, status="duplicate")
    store = world.desk.store

    class Store:
        """The desk's, which remembers another answer."""

        def __getattr__(self, name: str) -> object:
            return getattr(store, name)

        def acknowledged(self, _: bytes) -> object:
            return made

    desk = replace(world.desk, store=Store())  # type: ignore[arg-type]  # all that it is asked
    with pytest.raises(RefusedError, match="acknowledged as ok"):
        open_tip(desk, digest, "court", tmp_path / "some", [1])
    open_tip(desk, digest, "court", tmp_path / "whole")
    assert (tmp_path / "whole" / "payload").exists()


def test_a_tip_that_nobody_has_answered_yet_opens_whole(world: World, tmp_path: Path) -> None:
    digest = world.send(0, FILES)
    pull(world.desk)
    open_tip(world.desk, digest, "court", tmp_path / "out")
    assert verified(world, tmp_path / "out").status == ""


def test_without_its_epochs_keys_the_desk_says_who_could_open_it(
    world: World, tmp_path: Path
) -> None:
    digest = tip(world)
    world.desk.keys.destroy(1)
    with pytest.raises(RefusedError, match="not on this machine"):
        open_tip(world.desk, digest, "court", tmp_path / "out")
    retired = replace(
        world.state, retirements=(Retirement(epoch=1, destruction=bytes(32), index=4),)
    )
    desk = replace(world.desk, gazette=lambda: retired)
    with pytest.raises(RefusedError, match="destroyed, and no archive"):
        open_tip(desk, digest, "court", tmp_path / "out")
    world.desk.store.enter_archive_header(digest, bytes(32), b"header")
    with pytest.raises(RefusedError, match="custodians of the archive"):
        open_tip(desk, digest, "court", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_header_that_wraps_two_keys_opens_nothing(world: World, tmp_path: Path) -> None:
    """[6] Split stanzas: the desk would read one content, and the other reader another."""
    envelope = world.seal(0, FILES)
    recipient = age.parse_recipient(world.state.epochs[0].hybrid)
    one, two = (
        age.wrap(key, recipient, world.chance) for key in (envelope.file_key, bytes(16))
    )
    split = age.format_header(make_header([one, two], envelope.file_key))
    payload = b"".join(envelope.payload())
    digest = world.door.deliver(format_record(envelope.record), split, payload)
    world.run()
    with pytest.raises(RefusedError, match="does not open"):
        open_tip(world.desk, digest, "court", tmp_path / "out")


def test_a_damaged_disk_is_noticed_before_anything_is_signed(
    world: World, tmp_path: Path
) -> None:
    digest = tip(world)
    asked = len(world.ledger.asked)
    for path, places in (
        (world.desk.store.payload_path(digest), []),
        (world.desk.store.tip_folder(digest) / "opened" / "f0001", [1]),
    ):
        path.write_bytes(b"y" + path.read_bytes()[1:])
        with pytest.raises((UnavailableError, UnverifiedError)):
            open_tip(world.desk, digest, "court", tmp_path / "out", places)
    assert len(world.ledger.asked) == asked
    assert not list(tmp_path.glob("out*")) + list(tmp_path.glob(".out*"))


def test_nothing_is_handed_over_that_is_not_on_record(world: World, tmp_path: Path) -> None:
    digest = tip(world)
    world.ledger.away = True
    with pytest.raises(UnavailableError, match="log is away"):
        open_tip(world.desk, digest, "court", tmp_path / "out")
    assert not list(tmp_path.glob("out*")) + list(tmp_path.glob(".out*"))


REFUSED: dict[str, tuple[str, list[int], type[SafeconductError]]] = {
    "a purpose outside the list": ("gossip", [], MalformedError),
    "a file that there is not": ("court", [4], MalformedError),
    "a place before the first": ("court", [0], MalformedError),
}


@pytest.mark.parametrize(("purpose", "places", "error"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_opened_is_refused(
    world: World, tmp_path: Path, purpose: str, places: list[int], error: type[SafeconductError]
) -> None:
    with pytest.raises(error):
        open_tip(world.desk, tip(world), purpose, tmp_path / "out", places)
    assert not (tmp_path / "out").exists()


def test_an_opening_of_a_key_long_closed_does_not_count(world: World, tmp_path: Path) -> None:
    """Whoever finds the statement key later cannot date what they sign with it."""
    digest = tip(world)
    world.ledger.at = NOW + 1_000 + 31 * 86_400
    open_tip(world.desk, digest, "court", tmp_path / "out")
    with pytest.raises(UnverifiedError, match="long after desk epoch 1"):
        verified(world, tmp_path / "out")


def test_the_verb_opens_by_the_first_digits_of_a_hash(
    world: World,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    digest = tip(world).hex()
    monkeypatch.setattr(open_command, "open_desk", lambda folder: world.desk)
    parser = argparse.ArgumentParser()
    open_command.add_verbs(parser.add_subparsers())
    words = ["open", digest[:10], "--dir", str(world.folder), "--purpose", "press"]
    options = parser.parse_args([*words, "--item", "2", "--out", str(tmp_path / "out")])
    assert options.run(options) == 0
    assert capsys.readouterr().out == f"{tmp_path / 'out'}\n"
    assert [each.place for each in verified(world, tmp_path / "out").files] == [2]
