import argparse
import hashlib
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import httpx
import pytest
from tests.parties.intake.door_world import (
    NOW,
    TEXT,
    World,
    ask,
    open_world,
)
from tests.parties.intake.walking import tell_by_form
from tests.protocol import builders
from tests.protocol.age.chance import dice

from safeconduct.parties.intake import command, staff, store
from safeconduct.plumbing import durable
from safeconduct.plumbing.programme import load_programme, write_programme
from safeconduct.protocol import age
from safeconduct.protocol.canonical import format_base64, format_json, parse_json
from safeconduct.protocol.receipt import verify_receipt
from safeconduct.protocol.record import (
    Record,
    Value,
    format_record,
    make_record,
    parse_record,
    parse_signed,
    record_hash,
    sign_record,
    upload_name,
    verify_signer,
)
from safeconduct.protocol.reply import BLOCK_BYTES
from safeconduct.protocol.tlog.note import SigningKey, format_skey


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with open_world(tmp_path_factory.mktemp("door")) as world:
        yield world


@pytest.fixture
def world(opened: World) -> Iterator[World]:
    """The one door of this module, put back as it was after each test."""
    yield opened
    opened.now, opened.entries = NOW, builders.gazette_entries()
    opened.gazette_away = opened.ledger.away = False
    opened.ledger.at = NOW


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[World]:
    with open_world(tmp_path) as world:
        yield world


# The client's calls.


def announcement(**changes: str) -> bytes:
    record = format_record(builders.sealed().record)
    fields = {
        "record": record.decode(),
        "proof": builders.prove(record_hash(record)).decode(),
        "header": format_base64(builders.sealed().header),
    }
    return format_json({**fields, **changes})


RECORD = format_record(builders.sealed().record)
DIGEST = record_hash(RECORD)
UPLOAD = f"/deliver/{upload_name(RECORD).hex()}"
PAYLOAD = b"".join(builders.sealed().payload())


def test_an_envelope_is_dated_taken_in_by_pieces_and_signed_for(fresh: World) -> None:
    proof = ask(fresh, "POST", "/commit", DIGEST).content
    verify_receipt(
        format_record(builders.sealed().record), proof, builders.POLICY, builders.LEDGER.name
    )
    payload, path = PAYLOAD, UPLOAD
    assert ask(fresh, "POST", "/deliver", announcement()).content == b"0"
    assert ask(fresh, "PATCH", f"{path}?offset=0", payload[:70]).content == b"70"
    assert ask(fresh, "PATCH", f"{path}?offset=90", payload[90:]).status_code == 409
    assert ask(fresh, "POST", "/deliver", announcement()).content == b"70"
    size = str(len(payload)).encode()
    assert ask(fresh, "PATCH", f"{path}?offset=60", payload[60:]).content == size
    answers = [ask(fresh, "POST", f"{path}/finish").content for _ in range(2)]
    assert answers[0] == answers[1]
    delivery = verify_signer(parse_signed(answers[0], "delivery"), builders.SERVER.verifier())
    assert delivery.hash("record") == DIGEST
    assert ask(fresh, "POST", "/deliver", announcement()).content == size


def test_the_public_leaf_of_a_tip_is_answered_like_any_other_bytes(fresh: World) -> None:
    """Whoever reads the Ledger must not tell tips from padding, nor spoil an upload."""

    def told(leaf: str) -> list[tuple[int, str]]:
        asks = [("PATCH", f"/deliver/{leaf}?offset=0", b"\xff"),
                ("PATCH", f"/deliver/{leaf}?offset=9", b""),
                ("PATCH", f"/deliver/{leaf}?offset=0", PAYLOAD + b"x"),
                ("POST", f"/deliver/{leaf}/finish", b"")]  # fmt: skip
        answers = [ask(fresh, *each) for each in asks]
        return [(answer.status_code, answer.text) for answer in answers]

    before = told(DIGEST.hex())
    ask(fresh, "POST", "/deliver", announcement())
    begun = told(DIGEST.hex())
    assert ask(fresh, "PATCH", f"{UPLOAD}?offset=0", PAYLOAD).content == b"%d" % len(PAYLOAD)
    assert ask(fresh, "POST", f"{UPLOAD}/finish").status_code == 200
    assert told(DIGEST.hex()) == begun == before == told("5e" * 32)


def deliver(world: World, header: bytes = builders.sealed().header) -> Record:
    """Announce with `header`, hand over, finish; returns what the door signed."""
    announced = ask(world, "POST", "/deliver", announcement(header=format_base64(header)))
    assert announced.status_code == 200
    ask(world, "PATCH", f"{UPLOAD}?offset=0", PAYLOAD)
    answer = ask(world, "POST", f"{UPLOAD}/finish")
    return verify_signer(parse_signed(answer.content, "delivery"), builders.SERVER.verifier())


def test_until_it_is_delivered_an_envelope_takes_the_header_announced_last(
    fresh: World,
) -> None:
    ask(fresh, "POST", "/deliver", announcement())
    header = fresh_header()
    assert header != builders.sealed().header
    assert deliver(fresh, header).hash("header") == hashlib.sha256(header).digest()
    kept = fresh.intake.store.delivered(DIGEST)
    assert kept is not None
    assert kept.header == header


def test_a_header_announced_after_the_delivery_changes_nothing(fresh: World) -> None:
    first = deliver(fresh)
    assert deliver(fresh, fresh_header()) == first
    kept = fresh.intake.store.delivered(DIGEST)
    assert kept is not None
    assert kept.header == builders.sealed().header


def test_what_is_kept_is_the_header_that_was_signed_for(fresh: World) -> None:
    """Another announcement may come between the signature and the entry."""
    held = fresh.intake.store
    ask(fresh, "POST", "/deliver", announcement())
    ask(fresh, "PATCH", f"{UPLOAD}?offset=0", PAYLOAD)
    signed_for, _ = held.announced(DIGEST)
    ask(fresh, "POST", "/deliver", announcement(header=format_base64(fresh_header())))
    assert held.announced(DIGEST)[0] != signed_for
    assert held.keep(signed_for, b"delivery").header == signed_for.header


def fresh_header() -> bytes:
    """Our envelope's file key, sealed to the desk with other chance."""
    recipient = age.parse_recipient(builders.address().recipient)
    return age.seal_header(builders.sealed().file_key, [recipient], dice(b"again"))


WINDOW = builders.gazette_state().programme.number("delivery-window")


@pytest.mark.parametrize(("late", "status"), [(0, 200), (1, 403), (365 * builders.DAY, 403)])
def test_the_delivery_window_counts_at_the_end_too(
    late: int, status: int, fresh: World
) -> None:
    ask(fresh, "POST", "/deliver", announcement())
    fresh.now = NOW + WINDOW + late
    ask(fresh, "PATCH", f"{UPLOAD}?offset=0", PAYLOAD)
    answer = ask(fresh, "POST", f"{UPLOAD}/finish")
    assert answer.status_code == status
    assert ("delivery window" in answer.text) == (status == 403)
    assert (fresh.intake.store.delivered(DIGEST) is not None) == (status == 200)


def test_a_proof_under_a_later_checkpoint_opens_no_window_again(fresh: World) -> None:
    """Anybody can prove an old entry anew; what counts is when it was logged first."""
    fresh.now = later = NOW + WINDOW + 1
    proof = builders.prove(DIGEST, later).decode()
    answer = ask(fresh, "POST", "/deliver", announcement(proof=proof))
    assert answer.status_code == 403
    assert "delivery window" in answer.text


def test_of_several_announcements_the_earliest_window_counts(fresh: World) -> None:
    ask(fresh, "POST", "/deliver", announcement())
    fresh.ledger.at = fresh.now = NOW + WINDOW  # as if the log had forgotten the first date
    proof = builders.prove(DIGEST, fresh.now).decode()
    assert ask(fresh, "POST", "/deliver", announcement(proof=proof)).status_code == 200
    fresh.now += 1
    ask(fresh, "PATCH", f"{UPLOAD}?offset=0", PAYLOAD)
    assert ask(fresh, "POST", f"{UPLOAD}/finish").status_code == 403


def test_a_delivery_can_be_finished_while_the_gazette_is_away(fresh: World) -> None:
    ask(fresh, "POST", "/deliver", announcement())
    ask(fresh, "PATCH", f"{UPLOAD}?offset=0", PAYLOAD)
    fresh.gazette_away = True
    assert ask(fresh, "POST", f"{UPLOAD}/finish").status_code == 200


def test_a_finished_delivery_is_answered_alike_after_its_window(fresh: World) -> None:
    first = deliver(fresh)
    fresh.now = NOW + 365 * builders.DAY
    answer = ask(fresh, "POST", f"{UPLOAD}/finish")
    assert parse_signed(answer.content).record == first


EPOCH = builders.gazette_state().epochs[0]


@pytest.mark.parametrize(
    ("dated", "status"),
    [
        pytest.param(EPOCH.opens - 1, 403, id="before it opens"),
        pytest.param(EPOCH.opens, 200, id="as it opens"),
        pytest.param(EPOCH.closes - 1, 200, id="in its last second"),
        pytest.param(EPOCH.closes, 403, id="as it closes"),
        pytest.param(EPOCH.closes + 400 * builders.DAY, 403, id="a year after it closed"),
    ],
)
def test_a_tip_must_be_dated_while_its_desk_key_is_open(
    dated: int, status: int, world: World
) -> None:
    world.now = world.ledger.at = dated
    proof = builders.prove(DIGEST, dated).decode()
    answer = ask(world, "POST", "/deliver", announcement(proof=proof))
    assert answer.status_code == status
    assert ("was not open at its date" in answer.text) == (status == 403)


def test_a_piece_that_the_disk_has_no_room_for_is_refused(
    fresh: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask(fresh, "POST", "/deliver", announcement())
    free = store.DISK_RESERVE_BYTES + len(PAYLOAD)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=free))
    assert ask(fresh, "PATCH", f"{UPLOAD}?offset=0", PAYLOAD).status_code == 200
    free -= 1
    assert ask(fresh, "PATCH", f"{UPLOAD}?offset=0", PAYLOAD).status_code == 503
    assert ask(fresh, "POST", "/deliver", announcement()).status_code == 200
    free = store.DISK_RESERVE_BYTES - 1
    assert ask(fresh, "POST", "/deliver", announcement()).status_code == 503
    assert ask(fresh, "POST", "/commit", DIGEST).status_code == 200


def test_capsules_and_replies_are_given_to_everybody_alike(fresh: World) -> None:
    slot, capsule = bytes(range(16)), bytes(8_192)
    for _ in range(2):
        assert ask(fresh, "PUT", f"/capsules/{slot.hex()}", capsule).status_code == 200
    assert ask(fresh, "GET", "/capsules").content == slot + capsule
    block = bytes(BLOCK_BYTES)
    fresh.intake.store.post_reply(block[:16], block)
    assert ask(fresh, "GET", "/bulletin").content == block


def test_the_public_files_are_those_that_a_client_loads(world: World, tmp_path: Path) -> None:
    for name in ("programme.toml", "policy.txt"):
        (tmp_path / name).write_bytes(ask(world, "GET", f"/{name}").content)
    assert load_programme(tmp_path) == world.intake.programme
    assert ask(world, "GET", "/health").content == b"ok"


HUGE = bytes(17 << 20)
BAD_CALLS: dict[str, tuple[str, str, bytes, int]] = {
    "commit of nothing": ("POST", "/commit", b"", 400),
    "commit of 31 bytes": ("POST", "/commit", bytes(31), 400),
    "commit of 33 bytes": ("POST", "/commit", bytes(33), 413),
    "announcement of nothing": ("POST", "/deliver", b"", 400),
    "announcement that is huge": ("POST", "/deliver", HUGE, 413),
    "announcement cut short": ("POST", "/deliver", announcement()[:-9], 400),
    "announcement that is not UTF-8": ("POST", "/deliver", b"\xff" + announcement(), 400),
    "announcement of a list": ("POST", "/deliver", b"[]", 400),
    "announcement without its proof": ("POST", "/deliver", announcement(proof=""), 400),
    "announcement with another's proof": (
        "POST",
        "/deliver",
        announcement(proof=builders.prove(bytes(32)).decode()),
        403,
    ),
    "announcement of another kind": (
        "POST",
        "/deliver",
        announcement(record=builders.statements().assessment.decode()),
        400,
    ),
    "announcement with a header for two": (
        "POST",
        "/deliver",
        announcement(header=format_base64(builders.sealed().header * 2)),
        400,
    ),
    "piece of what was not announced": ("PATCH", f"/deliver/{'00' * 32}?offset=0", b"x", 403),
    "piece without its place": ("PATCH", f"/deliver/{'00' * 32}", b"x", 400),
    "piece at a negative place": ("PATCH", f"/deliver/{'00' * 32}?offset=-1", b"x", 400),
    "piece at a place beyond all": ("PATCH", f"/deliver/{'00' * 32}?offset={10**19}", b"", 400),
    "piece for no hash": ("PATCH", "/deliver/nonsense?offset=0", b"x", 400),
    "piece for a hash in capitals": ("PATCH", f"/deliver/{'AB' * 32}?offset=0", b"x", 400),
    "piece that is huge": ("PATCH", f"/deliver/{'00' * 32}?offset=0", HUGE, 413),
    "end of what was not announced": ("POST", f"/deliver/{'00' * 32}/finish", b"", 403),
    "end with something after it": ("POST", f"/deliver/{'00' * 32}/finish", b"x", 413),
    "capsule of nothing": ("PUT", f"/capsules/{'00' * 16}", b"", 400),
    "capsule cut short": ("PUT", f"/capsules/{'00' * 16}", bytes(8_191), 400),
    "capsule that is too long": ("PUT", f"/capsules/{'00' * 16}", bytes(8_193), 413),
    "capsule for no slot": ("PUT", "/capsules/00", bytes(8_192), 400),
    "another method": ("DELETE", "/capsules", b"", 405),
    "another address": ("GET", "/admin", b"", 404),
    "the desk's list without a request": ("POST", "/desk/deliveries", b"0", 400),
    "a payload without a request": ("POST", "/desk/payload", bytes(32), 400),
    "a reply without a request": ("POST", "/desk/replies", bytes(BLOCK_BYTES), 400),
}


@pytest.mark.parametrize("case", BAD_CALLS)
def test_a_bad_call_gets_one_clear_error_and_changes_nothing(case: str, world: World) -> None:
    method, path, body, status = BAD_CALLS[case]
    before = world.held()
    answer = ask(world, method, path, body)
    assert answer.status_code == status
    assert re.fullmatch(r"error: .+\n(hint: .+\n)?", answer.text)
    assert world.held() == before


# The desk's calls.


def request(action: str, body: bytes, **changes: Value) -> Record:
    fields: dict[str, Value] = {
        "programme": builders.PROGRAMME,
        "action": action,
        "body": hashlib.sha256(body).digest(),
        "at": NOW,
    }
    return make_record("request", **fields | changes)


def signed_header(record: Record, *keys: SigningKey) -> dict[str, str]:
    signed = sign_record(record, keys or [builders.DESK])
    return {"x-safeconduct-request": format_base64(signed)}


def from_desk(world: World, path: str, action: str, body: bytes) -> httpx.Response:
    return ask(world, "POST", path, body, signed_header(request(action, body)))


def test_the_desk_fetches_what_is_new_and_the_very_payload(fresh: World) -> None:
    tell_by_form(fresh, TEXT)
    tell_by_form(fresh, "Another tip.")
    listed = parse_json(
        from_desk(fresh, "/desk/deliveries", "deliveries", b"0").content, "listed"
    )
    assert isinstance(listed, list)
    assert [each["number"] for each in listed if isinstance(each, dict)] == [1, 2]
    first = listed[0]
    assert isinstance(first, dict)
    assert set(first) == {"number", "record", "proof", "header", "delivery", "delivery_proof"}
    digest = record_hash(str(first["record"]).encode())
    payload = from_desk(fresh, "/desk/payload", "payload", digest).content
    record = parse_record(str(first["record"]).encode(), "contribution")
    assert hashlib.sha256(payload).digest() == record.hash("payload")
    later = from_desk(fresh, "/desk/deliveries", "deliveries", b"1").content
    assert later == format_json(listed[1:])
    unknown = from_desk(fresh, "/desk/payload", "payload", bytes(32))
    assert unknown.status_code == 404


def test_a_list_too_long_for_one_document_ends_early_but_never_empty(
    fresh: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    tell_by_form(fresh, TEXT)
    tell_by_form(fresh, "Another tip.")
    monkeypatch.setattr(staff, "DELIVERIES_BYTES_MAX", 1)
    listed = parse_json(staff.list_deliveries(fresh.intake, 0), "listed")
    assert isinstance(listed, list)
    assert len(listed) == 1


def test_the_desk_puts_up_a_reply_once_and_cannot_replace_it(fresh: World) -> None:
    block = bytes(BLOCK_BYTES)
    for _ in range(2):
        assert from_desk(fresh, "/desk/replies", "replies", block).status_code == 200
    assert b"".join(fresh.intake.store.bulletin()) == block
    other = block[:-1] + b"x"
    assert from_desk(fresh, "/desk/replies", "replies", other).status_code == 409
    assert from_desk(fresh, "/desk/replies", "replies", block[:-1]).status_code == 400
    assert b"".join(fresh.intake.store.bulletin()) == block


BODY = b"0"
GOOD = request("deliveries", BODY)
STRANGE_REQUESTS: dict[str, tuple[dict[str, str], int]] = {
    "signed by a stranger": (signed_header(GOOD, builders.STRANGER), 403),
    "signed by the desk and a stranger": (
        signed_header(GOOD, builders.DESK, builders.STRANGER),
        403,
    ),
    "signed by another key of the desk's name": (
        signed_header(GOOD, SigningKey(name=builders.DESK.name, seed=bytes(32))),
        403,
    ),
    "for another programme": (
        signed_header(request("deliveries", BODY, programme=bytes(32))),
        403,
    ),
    "for another action": (signed_header(request("replies", BODY)), 403),
    "for another body": (signed_header(request("deliveries", b"1")), 403),
    "121 seconds old": (signed_header(request("deliveries", BODY, at=NOW - 121)), 403),
    "121 seconds ahead": (signed_header(request("deliveries", BODY, at=NOW + 121)), 403),
    "of another kind": (
        {"x-safeconduct-request": format_base64(builders.statements().assessment)},
        400,
    ),
    "not base64": ({"x-safeconduct-request": "%%%"}, 400),
    "not signed": ({"x-safeconduct-request": format_base64(format_record(GOOD))}, 400),
    "empty": ({"x-safeconduct-request": ""}, 400),
    "very long": ({"x-safeconduct-request": "A" * 9_000}, 400),
}


@pytest.mark.parametrize("case", STRANGE_REQUESTS)
def test_nobody_but_the_desk_is_answered(case: str, world: World) -> None:
    headers, status = STRANGE_REQUESTS[case]
    answer = ask(world, "POST", "/desk/deliveries", BODY, headers)
    assert answer.status_code == status
    assert answer.text.startswith("error: ")


@pytest.mark.parametrize("drift", [-120, 0, 120])
def test_two_minutes_of_drift_between_desk_and_door_are_allowed(
    drift: int, world: World
) -> None:
    headers = signed_header(request("deliveries", BODY, at=NOW + drift))
    assert ask(world, "POST", "/desk/deliveries", BODY, headers).status_code == 200


def test_a_desk_request_for_words_that_are_no_number_is_refused(world: World) -> None:
    assert from_desk(world, "/desk/deliveries", "deliveries", b"\xff").status_code == 400
    assert from_desk(world, "/desk/deliveries", "deliveries", b"01").status_code == 400


# The command.


def test_the_folder_of_a_door_opens_as_the_command_finds_it(tmp_path: Path) -> None:
    with open_world(tmp_path / "first") as world:
        write_programme(tmp_path, world.intake.programme)
        durable.write_secret(
            tmp_path / command.KEY_FILE, (format_skey(builders.SERVER) + "\n").encode()
        )
        assert command.open_intake(tmp_path).programme == world.intake.programme


def test_the_command_serves_the_folder_it_is_given() -> None:
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    options = parser.parse_args(["--dir", "door", "--listen", "127.0.0.1:0"])
    assert (options.dir, options.listen) == (Path("door"), "127.0.0.1:0")
    assert callable(options.run)
