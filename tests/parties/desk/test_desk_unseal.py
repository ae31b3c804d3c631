"""What each kind of envelope is acknowledged as, and what is never acknowledged."""

import hashlib
import stat
from collections.abc import Callable
from dataclasses import replace

import pytest
from tests.parties.desk.desk_world import NOW, POLICY, PROGRAMME, World

from safeconduct.errors import MalformedError, UnavailableError, UnverifiedError
from safeconduct.parties.desk.desk import statement_key
from safeconduct.parties.desk.door import OFFER_BYTES_MAX
from safeconduct.parties.desk.keys import Keyring
from safeconduct.parties.desk.pull import pull
from safeconduct.parties.desk.tray import opened_path
from safeconduct.parties.desk.unseal import DELIVERY_GRACE_SECONDS, unseal_all
from safeconduct.protocol import age
from safeconduct.protocol.receipt import verify_receipt
from safeconduct.protocol.record import (
    Record,
    format_record,
    make_record,
    parse_signed,
    record_hash,
    verify_signer,
)
from safeconduct.protocol.tlog.note import SignatureLine

FILES = {"message.txt": b"the ledger of May is attached\n", "scan.bin": bytes(range(256))}


def _changed(record: Record, **fields: bytes | int) -> bytes:
    values = {name.replace("-", "_"): value for name, value in record.values.items()}
    return format_record(make_record(record.kind, **{**values, **fields}))


def _send_whole(world: World) -> bytes:
    return world.send(0, FILES)


def _send_two_stanzas(world: World) -> bytes:
    envelope = world.seal(0, FILES)
    other = age.hybrid_identity(b"\x09" * 32).recipient()
    desk = age.parse_recipient(world.address().recipient)
    header = age.seal_header(envelope.file_key, [desk, other], world.chance)
    payload = b"".join(envelope.payload())
    return world.door.deliver(format_record(envelope.record), header, payload)


def _send_another_author(world: World) -> bytes:
    envelope = world.seal(0, FILES)
    record = _changed(envelope.record, author=b"\x33" * 32)
    return world.door.deliver(record, envelope.header, b"".join(envelope.payload()))


def _send_another_content(world: World) -> bytes:
    envelope = world.seal(0, FILES)
    record = _changed(envelope.record, content=b"\x33" * 32)
    return world.door.deliver(record, envelope.header, b"".join(envelope.payload()))


def _send_another_key(world: World) -> bytes:
    envelope = world.seal(0, FILES)
    record = _changed(envelope.record, keycommit=b"\x33" * 32)
    return world.door.deliver(record, envelope.header, b"".join(envelope.payload()))


def _send_unknown_certificate(world: World) -> bytes:
    envelope = world.seal(0, FILES)
    record = _changed(envelope.record, certificate=b"\x33" * 32)
    return world.door.deliver(record, envelope.header, b"".join(envelope.payload()))


def _send_unknown_statute(world: World) -> bytes:
    envelope = world.seal(0, FILES)
    record = _changed(envelope.record, statute=b"\x33" * 32)
    return world.door.deliver(record, envelope.header, b"".join(envelope.payload()))


def _send_to_somebody_else(world: World) -> bytes:
    envelope = world.seal(0, FILES)
    stranger = age.hybrid_identity(b"\x09" * 32).recipient()
    header = age.seal_header(envelope.file_key, [stranger], world.chance)
    payload = b"".join(envelope.payload())
    return world.door.deliver(format_record(envelope.record), header, payload)


def _send_noise(world: World) -> bytes:
    envelope = world.seal(0, FILES)
    payload = b"".join(envelope.payload())[:16] + bytes(envelope.record.number("size") - 16)
    record = _changed(envelope.record, payload=hashlib.sha256(payload).digest())
    return world.door.deliver(record, envelope.header, payload)


@pytest.mark.parametrize(
    ("send", "status"),
    [
        pytest.param(_send_whole, "ok", id="all inside is what the record says"),
        pytest.param(_send_another_author, "mismatch", id="another author inside"),
        pytest.param(_send_another_content, "mismatch", id="another content root outside"),
        pytest.param(_send_another_key, "mismatch", id="another file key than committed to"),
        pytest.param(_send_unknown_certificate, "mismatch", id="a certificate of nobody"),
        pytest.param(_send_unknown_statute, "mismatch", id="a statute nobody published"),
        pytest.param(_send_two_stanzas, "unreadable", id="two stanzas"),
        pytest.param(_send_to_somebody_else, "unreadable", id="sealed to somebody else"),
        pytest.param(_send_noise, "unreadable", id="noise under a true hash"),
    ],
)
def test_each_kind_of_envelope_is_acknowledged_as_what_it_is(
    world: World, send: Callable[[World], bytes], status: str
) -> None:
    digest = send(world)
    [step] = world.run()
    assert (step.hash, step.status, step.trouble) == (digest, status, "")
    made = world.desk.store.acknowledged(digest)
    assert made is not None
    signed = verify_signer(
        parse_signed(made.record, "acknowledgement"), world.state.epochs[0].statement
    )
    assert signed.word("status") == status
    assert signed.hash("record") == digest
    assert signed.hash("programme") == PROGRAMME
    assert made.record in world.ledger.asked
    assert made.proof


def test_the_files_of_a_tip_that_does_not_hold_are_not_kept(world: World) -> None:
    digest = _send_another_author(world)
    world.run()
    assert sorted(path.name for path in world.desk.store.tip_folder(digest).iterdir()) == [
        "payload"
    ]


def test_opened_files_have_our_names_and_only_their_owner_reads_them(world: World) -> None:
    digest = _send_whole(world)
    world.run()
    folder = world.desk.store.tip_folder(digest)
    opened = sorted((folder / "opened").iterdir())
    assert [path.name for path in opened] == ["f0001", "f0002"]
    assert [path.read_bytes() for path in opened] == list(FILES.values())
    modes = [stat.S_IMODE(path.stat().st_mode) for path in (folder, folder / "opened", *opened)]
    assert modes == [0o700, 0o700, 0o600, 0o600]


def test_empty_and_equal_files_come_out_each_in_its_place(world: World) -> None:
    digest = world.send(0, {"a": b"", "b": b"", "c": b"same", "d": b"same", "e": b""})
    world.run()
    folder = world.desk.store.tip_folder(digest)
    found = [opened_path(folder, place).read_bytes() for place in range(1, 6)]
    assert found == [b"", b"", b"same", b"same", b""]


def test_large_files_are_not_split_where_the_reader_pauses(world: World) -> None:
    files = {"a.bin": bytes(200_000), "b.bin": b"\x01" * 131_072}
    digest = world.send(0, files)
    world.run()
    folder = world.desk.store.tip_folder(digest)
    found = [opened_path(folder, place).read_bytes() for place in (1, 2)]
    assert found == list(files.values())


def test_the_same_content_sent_anew_is_a_duplicate_that_names_the_first(world: World) -> None:
    first = world.send(0, FILES)
    world.run()
    envelope = world.seal(0, FILES)
    # Another statute version in between: the record differs, the content root does not.
    law = replace(world.state.statutes[0], number=2, sha256=b"\x44" * 32)
    world.state = replace(world.state, statutes=(*world.state.statutes, law))
    world.desk = replace(world.desk, gazette=lambda: world.state)
    assert world.seal(0, FILES).record.hash("content") == envelope.record.hash("content")
    second = world.send(0, FILES)
    assert second != first
    [step] = world.run()
    assert step.status == "duplicate"
    made = world.desk.store.acknowledged(second)
    assert made is not None
    assert parse_signed(made.record).record.hash("other") == first
    told = [parse_signed(reply.acknowledgement).record for reply in world.inbox(0)]
    assert [record.word("status") for record in told] == ["ok", "duplicate"]


def test_the_source_finds_the_acknowledgement_as_reply_zero(world: World) -> None:
    digest = world.send(3, FILES)
    world.run()
    [reply] = world.inbox(3)
    made = world.desk.store.acknowledged(digest)
    assert made is not None
    assert (reply.acknowledgement, reply.proof) == (made.record, made.proof)
    assert "arrived whole" in reply.text


def test_a_source_is_answered_however_many_long_signatures_there_are(world: World) -> None:
    """Six witnesses with keys of ML-DSA-44 sign more than a block holds."""
    world.ledger.more = tuple(
        SignatureLine(name=f"more.example/{n}", key_id=bytes(4), blob=bytes(2_428))
        for n in range(6)
    )
    digest = world.send(0, FILES)
    [step] = world.run()
    assert (step.status, step.trouble) == ("ok", "")
    [answer] = world.inbox(0)
    receipt = verify_receipt(answer.acknowledgement, answer.proof, POLICY)
    assert receipt.record.hash("record") == digest
    world.ledger.more = ()
    assert answer.proof == world.ledger.proof(record_hash(answer.acknowledgement))


def test_a_damaged_payload_is_never_acknowledged_and_is_fetched_anew(world: World) -> None:
    digest = world.send(0, FILES)
    pull(world.desk)
    path = world.desk.store.payload_path(digest)
    path.write_bytes(b"\x00" * path.stat().st_size)
    [step] = unseal_all(world.desk)
    assert step.status == ""
    assert "damaged" in step.trouble
    assert world.desk.store.acknowledged(digest) is None
    [mended] = world.run()
    assert mended.status == "ok"


def test_without_the_epochs_keys_nothing_is_called_unreadable(world: World) -> None:
    digest = world.send(0, FILES)
    pull(world.desk)
    first = world.state.epochs[0]
    epoch = replace(first, number=2, hash=b"\x05" * 32, statement=world.door.server.verifier())
    world.state = replace(world.state, epochs=(*world.state.epochs, epoch))
    world.desk = replace(world.desk, gazette=lambda: world.state)
    envelope = world.seal(1, FILES)
    later = world.door.deliver(
        format_record(envelope.record), envelope.header, b"".join(envelope.payload())
    )
    pull(world.desk)
    steps = {step.hash: step for step in unseal_all(world.desk)}
    assert steps[digest].status == "ok"
    assert "epoch 2 are not on this machine" in steps[later].trouble
    assert world.desk.store.acknowledged(later) is None


def test_a_source_with_nonsense_for_a_reply_key_is_acknowledged_and_not_answered(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    format_recipient = age.format_recipient
    monkeypatch.setattr(age, "format_recipient", lambda _: "age1nonsense")
    digest = world.send(0, FILES)
    monkeypatch.setattr(age, "format_recipient", format_recipient)
    [step] = world.run()
    assert (step.status, step.trouble) == ("ok", "")
    assert world.desk.store.replies(digest) == []
    assert unseal_all(world.desk) == []


WINDOW = 86_400  # of the desk world's programme


@pytest.mark.parametrize(
    ("late", "status"),
    [
        pytest.param(WINDOW, "ok", id="logged at the end of the window"),
        pytest.param(WINDOW + DELIVERY_GRACE_SECONDS, "ok", id="logged a day later"),
        pytest.param(WINDOW + DELIVERY_GRACE_SECONDS + 1, "mismatch", id="logged after that"),
        pytest.param(365 * 86_400, "mismatch", id="logged a year later"),
    ],
)
def test_a_tip_that_was_handed_over_late_is_answered_so(
    world: World, late: int, status: str
) -> None:
    """By the quorum's time: the door itself may be in league with a source that waited."""
    digest = world.send(0, FILES)
    delivery = world.door.deliveries[0]
    world.ledger.at = NOW + late
    logged = world.ledger.proof(record_hash(str(delivery["delivery"]).encode()))
    delivery["delivery_proof"] = logged.decode()
    [step] = world.run()
    assert (step.hash, step.status, step.trouble) == (digest, status, "")
    assert world.desk.store.held_back() == []
    made = world.desk.store.acknowledged(digest)
    assert made is not None
    assert ("delivery window" in made.reason) == (status == "mismatch")


@pytest.mark.parametrize(
    ("dated", "status"),
    [
        pytest.param(NOW - 1_001, "mismatch", id="before the epoch opens"),
        pytest.param(NOW - 1_000, "ok", id="as it opens"),
        pytest.param(NOW + 999, "ok", id="in its last second"),
        pytest.param(NOW + 1_000, "mismatch", id="as it closes"),
    ],
)
def test_a_tip_dated_outside_its_epoch_is_answered_so_whoever_has_the_keys(
    world: World, dated: int, status: str
) -> None:
    world.ledger.at = dated
    digest = world.send(0, FILES)
    [step] = world.run()
    assert (step.hash, step.status) == (digest, status)


def test_a_policy_that_was_changed_meanwhile_is_not_held_against_the_source(
    world: World,
) -> None:
    digest = world.send(0, FILES)
    pull(world.desk)
    silent = replace(world.desk.programme, policy=replace(POLICY, witnesses=(), quorum="none"))
    [step] = unseal_all(replace(world.desk, programme=silent))
    assert (step.hash, step.status) == (digest, "")
    assert "does not hold any more" in step.trouble
    [step] = unseal_all(world.desk)
    assert step.status == "ok"


class TestPull:
    """What the desk takes from a door it does not trust."""

    def test_deliveries_come_over_several_answers_in_order(self, world: World) -> None:
        sent = [world.send(number, {"n": b"%d" % number}) for number in range(7)]
        assert pull(world.desk) == sent
        assert [tip.hash for tip in world.desk.store.tips()] == sent
        assert pull(world.desk) == []

    def test_the_date_is_the_witnesses(self, world: World) -> None:
        digest = world.send(0, FILES)
        pull(world.desk)
        assert world.desk.store.tip(digest).logged_by == NOW

    def test_a_proof_under_a_later_checkpoint_makes_no_tip_younger(self, world: World) -> None:
        digest = world.send(0, FILES)
        world.ledger.at = NOW + 500
        world.door.deliveries[0]["proof"] = world.ledger.proof(digest).decode()
        world.ledger.at = NOW
        pull(world.desk)
        assert world.desk.store.tip(digest).logged_by == NOW

    def test_while_the_log_is_away_no_tip_is_taken_and_none_held_back(
        self, world: World
    ) -> None:
        digest = world.send(0, FILES)
        world.ledger.away = True
        with pytest.raises(UnavailableError):
            pull(world.desk)
        assert world.desk.store.held_back() == []
        world.ledger.away = False
        assert pull(world.desk) == [digest]

    @pytest.mark.parametrize(
        ("fields", "reason"),
        [
            ({"proof"}, "does not lead to the root"),
            ({"delivery"}, "does not lead to the root"),
            ({"delivery", "delivery_proof"}, "another tip"),
            ({"header"}, "another header"),
        ],
    )
    def test_what_does_not_hold_is_held_back_and_stops_no_other(
        self, world: World, fields: set[str], reason: str
    ) -> None:
        world.send(0, FILES)
        good = world.send(1, FILES)
        world.door.forged[1] = {name: world.door.deliveries[1][name] for name in fields}
        assert pull(world.desk) == [good]
        [held] = world.desk.store.held_back()
        assert held.place == 1
        assert reason in held.reason

    def test_a_door_cannot_fill_the_disk_with_offers_that_do_not_hold(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("safeconduct.parties.desk.pull.HELD_BACK_MAX", 3)
        world.send(0, FILES)
        world.door.deliveries *= 20
        for place in range(1, 21):
            world.door.forged[place] = {"number": place, "header": ""}
        for _ in range(3):
            with pytest.raises(UnverifiedError, match="more than 3 offers"):
                pull(world.desk)
        assert len(world.desk.store.held_back()) < 8

    def test_an_offer_of_endless_bytes_is_not_kept(self, world: World) -> None:
        world.send(0, FILES)
        world.door.forged[1] = {"proof": "x" * OFFER_BYTES_MAX}
        with pytest.raises(MalformedError, match="longer than"):
            pull(world.desk)
        assert world.desk.store.held_back() == []

    def test_a_payload_other_than_committed_to_is_held_back_until_it_is_right(
        self, world: World
    ) -> None:
        digest = world.send(0, FILES)
        right = world.door.payloads[digest]
        world.door.payloads[digest] = right[:-1] + b"\x00"
        assert pull(world.desk) == []
        assert "payload is not the one" in world.desk.store.held_back()[0].reason
        world.door.payloads[digest] = right
        assert pull(world.desk) == [digest]
        assert world.desk.store.held_back() == []

    def test_a_record_without_a_quorum_has_no_date(self, world: World) -> None:
        world.send(0, FILES)
        silent = replace(POLICY, witnesses=(), quorum="none")
        programme = replace(world.desk.programme, policy=silent)
        assert pull(replace(world.desk, programme=programme)) == []

    def test_two_desks_cannot_pull_into_one_folder_at_once(self, world: World) -> None:
        world.send(0, FILES)
        refused: list[str] = []

        def post(*asked: object) -> object:
            try:
                pull(world.again())
            except Exception as error:
                refused.append(str(error))
            return world.door.post(*asked)  # type: ignore[arg-type]

        pull(replace(world.desk, post=post))  # type: ignore[arg-type]
        assert all("another process" in message for message in refused)
        assert refused


class TestKeys:
    """An epoch's keys."""

    def test_keys_are_readable_by_their_owner_alone(self, world: World) -> None:
        paths = sorted((world.folder / "keys").iterdir())
        assert [path.name for path in paths] == [
            "epoch-1.classic",
            "epoch-1.hybrid",
            "epoch-1.statement",
        ]
        assert {stat.S_IMODE(path.stat().st_mode) for path in paths} == {0o600}

    def test_a_key_that_others_can_read_is_refused(self, world: World) -> None:
        (world.folder / "keys" / "epoch-1.hybrid").chmod(0o644)
        with pytest.raises(Exception, match="other users can read this key"):
            Keyring(world.folder).epoch(1)

    def test_keys_of_an_epoch_are_never_made_twice(self, world: World) -> None:
        made = Keyring(world.folder).epoch(1)
        again = Keyring(world.folder).make(1, world.chance)
        assert again.hybrid == made.hybrid
        assert again.statement == made.statement

    def test_the_repr_of_the_keys_shows_none(self, world: World) -> None:
        shown = repr(Keyring(world.folder).epoch(1))
        for path in (world.folder / "keys").iterdir():
            assert path.read_text().strip().removeprefix("AGE-SECRET-KEY") not in shown

    def test_the_key_of_an_epoch_that_is_not_open_yet_signs_nothing(self, world: World) -> None:
        made = Keyring(world.folder).make(2, world.chance).statement
        first = world.state.epochs[0]
        second = replace(first, number=2, opens=NOW + 1, statement=made.verifier())
        state = replace(world.state, epochs=(first, second))
        assert statement_key(world.desk, state)[0] == 1
        later = replace(world.desk, seconds=lambda: NOW + 1)
        assert statement_key(later, state) == (2, made)
        with pytest.raises(UnavailableError, match="open"):
            statement_key(world.desk, replace(state, epochs=(second,)))

    def test_a_gazette_with_another_statement_key_is_a_conflict(self, world: World) -> None:
        foreign = replace(world.state.epochs[0], statement=world.door.server.verifier())
        state = replace(world.state, epochs=(foreign,))
        with pytest.raises(Exception, match="another statement key"):
            pull(replace(world.desk, gazette=lambda: state))


def test_a_record_hash_covers_what_was_delivered(world: World) -> None:
    envelope = world.seal(0, FILES)
    payload = b"".join(envelope.payload())
    digest = world.door.deliver(format_record(envelope.record), envelope.header, payload)
    assert digest == record_hash(format_record(envelope.record))
    with pytest.raises(UnverifiedError):
        world.state.epoch(9)
