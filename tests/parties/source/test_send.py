"""Sending: dated before anything is shown, in the right place, and believed to nobody."""

import hashlib
from collections.abc import Callable
from dataclasses import replace
from itertools import count

import pytest
from tests.parties.source.network import MESSAGE, NOW, WINDOW, Network
from tests.protocol import builders

from safeconduct.errors import MalformedError, RefusedError, UnavailableError, UnverifiedError
from safeconduct.plumbing.logs import GAZETTE_AGE_SECONDS_MAX
from safeconduct.protocol.capsule import GAP_LIMIT
from safeconduct.protocol.record import Value, parse_signed, record_hash, upload_name
from safeconduct.protocol.tlog.note import SignatureLine, format_note, parse_note
from safeconduct.protocol.tlog.proof import format_proof, parse_proof

OTHERS = {"message.txt": b"Something else altogether.\n"}


def test_a_tip_is_dated_before_any_of_it_goes_out(network: Network) -> None:
    sent = network.send()
    assert sent.receipt.logged_by == NOW
    doing = [(method, path.split("/")[1]) for method, path in network.asked if method != "GET"]
    assert doing == [
        ("PUT", "capsules"),
        ("POST", "commit"),
        ("PUT", "capsules"),
        ("POST", "deliver"),
        ("PATCH", "deliver"),
        ("POST", "deliver"),
    ]
    [upload] = network.uploads.values()
    assert (upload.record, upload.proof) == (sent.record, sent.proof)
    [delivery] = network.delivered.values()
    header = parse_signed(delivery).record.hash("header")
    assert header == hashlib.sha256(upload.header).digest()


def test_an_upload_goes_under_a_name_that_no_log_tells(network: Network) -> None:
    sent = network.send()
    paths = [path for _, path in network.asked if path.startswith("/deliver/")]
    assert paths
    assert all(upload_name(sent.record).hex() in path for path in paths)
    assert not any(record_hash(sent.record).hex() in path for _, path in network.asked)


def test_words_go_on_counting_and_the_person_is_told(network: Network) -> None:
    contents = [{"message.txt": b"%d" % number} for number in range(3)]
    assert [network.send(files).number for files in contents] == [0, 1, 2]
    assert [text for text in network.told if "before" in text] == [
        "these words have sent 0 contributions before",
        "these words have sent 1 contribution before",
        "these words have sent 2 contributions before",
    ]


def test_a_floor_keeps_numbers_apart_that_a_door_hides(network: Network) -> None:
    network.send()
    network.shown = lambda _: []
    network.told.clear()
    assert network.send(OTHERS, number=1).number == 1
    assert "these words have sent 0 contributions before" in network.told
    network.shown = lambda capsules: capsules
    assert sorted(network.found()) == [0, 1]


def test_a_floor_below_what_was_sent_changes_nothing(network: Network) -> None:
    network.send()
    assert network.send(OTHERS, number=0).number == 1


SIGNED_OTHERWISE: dict[str, tuple[dict[str, Value], str]] = {
    "another header": ({"header": bytes(32)}, "another header"),
    "another tip": ({"record": bytes(32)}, "another record"),
    "another programme": ({"programme": bytes(32)}, "another programme"),
}


@pytest.mark.parametrize("case", SIGNED_OTHERWISE)
def test_a_door_that_signs_for_something_else_is_not_believed(
    case: str, network: Network
) -> None:
    network.signed, complaint = SIGNED_OTHERWISE[case]
    with pytest.raises(UnverifiedError, match=complaint):
        network.send()
    assert not any("delivered" in text for text in network.told)


def test_only_the_key_that_the_founding_names_signs_for_the_door(network: Network) -> None:
    network.signer = builders.STRANGER
    with pytest.raises(UnverifiedError, match="no say here"):
        network.send()


# What was begun and broken off.


def cut_at(network: Network, method: str, path: str, passed: int = 0) -> None:
    """From the request after `passed` such ones on, the door stays away."""
    calls = count()

    def away(asked: str, at: str) -> bool:
        return asked == method and at.startswith(path) and next(calls) >= passed

    network.away = away


def again(network: Network) -> None:
    network.away = lambda method, path: False
    network.told.clear()


def test_a_tip_that_got_no_date_is_gone_on_with_under_its_number(network: Network) -> None:
    cut_at(network, "POST", "/commit")
    for _ in range(6):  # more often than a slot has versions
        with pytest.raises(UnavailableError):
            network.send()
    assert network.versions(0) == 1
    again(network)
    sent = network.send()
    assert sent.number == 0
    assert network.versions(0) == 2
    assert network.found()[0].proof == sent.proof
    assert len(network.delivered) == 1


def test_other_files_than_those_begun_take_the_next_number(network: Network) -> None:
    cut_at(network, "POST", "/commit")
    with pytest.raises(UnavailableError):
        network.send()
    again(network)
    assert network.send(OTHERS).number == 1
    assert network.send(MESSAGE).number == 0


def test_a_floor_holds_for_what_was_begun_too(network: Network) -> None:
    cut_at(network, "POST", "/commit")
    with pytest.raises(UnavailableError):
        network.send()
    again(network)
    assert network.send(number=3).number == 3


def test_what_was_begun_under_an_older_law_is_sealed_anew_under_its_number(
    network: Network,
) -> None:
    cut_at(network, "POST", "/commit")
    with pytest.raises(UnavailableError):
        network.send()
    begun = network.found()[0]
    later = builders.epoch_act(
        number=2, previous=builders.gazette_state().epochs[0].hash, closes=NOW + builders.DAY
    )
    network.entries = (*network.entries, builders.by_board(later))
    again(network)
    sent = network.send()
    assert sent.number == 0
    assert sent.record != begun.record
    assert sent.receipt.record.number("epoch") == 2


def test_what_was_begun_and_dated_too_long_ago_is_sent_as_the_next(network: Network) -> None:
    """The log has its date, but the answer with the proof never came."""
    cut_at(network, "POST", "/commit")
    with pytest.raises(UnavailableError):
        network.send()
    leaf = record_hash(network.found()[0].record)
    network.proofs[leaf] = builders.prove(leaf, NOW)
    network.now = network.gazette_at = NOW + WINDOW + 1
    again(network)
    sent = network.send()
    assert (sent.number, sent.receipt.logged_by) == (1, network.now)
    [complaint] = [text for text in network.told if "cannot be gone on with" in text]
    assert "delivery window" in complaint


def test_what_another_process_delivered_already_is_not_sent_again(network: Network) -> None:
    """Its header is in nobody's hands any more, but the capsule tells which it was."""
    first = network.send()
    again(network)
    network.asked.clear()
    assert network.send() == first
    assert not [path for method, path in network.asked if method in ("PATCH", "PUT")]
    assert ("POST", "/commit") not in network.asked
    network.shown = lambda capsules: capsules[:1]  # the version with the proof is hidden
    assert network.send() == first


def test_the_header_is_noted_before_it_is_announced(network: Network) -> None:
    """Each process makes another; whichever the door signs for, the words can check it."""
    announced: list[bytes] = []

    def note_it(asked: str, at: str) -> bool:
        if (asked, at) == ("POST", "/deliver"):
            announced.extend(network.found()[0].headers)
        return bool(announced) and at.startswith("/deliver")

    network.away = note_it
    with pytest.raises(UnavailableError):
        network.send()
    assert announced == list(network.found()[0].headers)
    [first] = announced
    for _ in range(2):  # processes that die before the door knows of any header
        with pytest.raises(UnavailableError):
            network.send()
    again(network)
    sent = network.send()
    [delivery] = network.delivered.values()
    headers = network.found()[sent.number].headers
    assert first in headers
    assert parse_signed(delivery).record.hash("header") in headers


def test_the_header_that_the_door_holds_is_used_again(network: Network) -> None:
    cut_at(network, "PATCH", "/deliver")
    for _ in range(8):  # more often than a capsule names headers
        with pytest.raises(UnavailableError):
            network.send()
    again(network)
    assert network.send().number == 0
    assert (len(network.found()[0].headers), network.versions(0)) == (1, 2)


def test_a_door_that_signed_for_a_header_of_nobodys_is_not_believed_later_either(
    network: Network,
) -> None:
    network.signed = {"header": bytes(32)}
    with pytest.raises(UnverifiedError, match="another header"):
        network.send()
    again(network)
    network.signed = {}
    assert network.send().number == 1
    assert any("another header" in text for text in network.told)


def test_the_capsule_holds_what_words_need_to_derive_the_file_key(network: Network) -> None:
    network.send()
    capsule, [upload] = network.found()[0], network.uploads.values()
    assert capsule.nonce == bytes(upload.payload[:16])


def test_a_date_under_a_key_that_closed_since_is_delivered_with_that_key(
    network: Network,
) -> None:
    cut_at(network, "PATCH", "/deliver")
    with pytest.raises(UnavailableError):
        network.send()
    begun = network.found()[0]
    first = builders.gazette_state().epochs[0]
    later = builders.epoch_act(
        number=2, previous=first.hash, opens=NOW - 5, closes=NOW + builders.DAY
    )
    network.entries = (*network.entries, builders.by_board(later))
    again(network)
    sent = network.send()
    assert (sent.number, sent.record, sent.receipt.logged_by) == (0, begun.record, NOW)
    assert len(network.delivered) == 1


def test_a_door_that_lost_or_mixed_up_bytes_is_sent_all_again(network: Network) -> None:
    cut_at(network, "POST", "/deliver/")
    with pytest.raises(UnavailableError):
        network.send()
    [upload] = network.uploads.values()
    upload.payload[5] ^= 1
    again(network)
    assert network.send().number == 0
    assert len(network.delivered) == 1


# Burned tips.


def test_a_burned_tip_leaves_no_way_to_its_key(network: Network) -> None:
    sent = network.send(burn=True)
    capsule = network.found()[sent.number]
    assert (capsule.nonce, capsule.record) == (b"", sent.record)


@pytest.mark.parametrize("burn", [True, False])
def test_a_burned_tip_cannot_be_gone_on_with_and_the_person_is_told(
    burn: bool, network: Network
) -> None:
    cut_at(network, "POST", "/commit")
    with pytest.raises(UnavailableError):
        network.send(burn=True)
    again(network)
    assert network.send(burn=burn).number == 1
    assert any("cannot be gone on with" in text for text in network.told)


def test_a_tip_of_the_same_files_is_not_gone_on_with_as_a_burned_one(network: Network) -> None:
    first = network.send()
    second = network.send(burn=True)
    assert (first.number, second.number) == (0, 1)
    assert first.record != second.record


# Waiting, and profiles.


def test_each_contact_after_the_date_is_waited_for(network: Network) -> None:
    steps: list[str] = []

    def wait(step: str) -> None:
        steps.append(step)
        network.asked.append(("WAIT", f"/{step}"))

    network.send(wait=wait)
    assert steps == ["capsule", "deliver"]
    doing = [(method, path.split("/")[1]) for method, path in network.asked]
    dated = doing.index(("POST", "commit"))
    assert doing[dated + 1 :] == [
        ("WAIT", "capsule"), ("PUT", "capsules"), ("WAIT", "deliver"), ("POST", "deliver"),
        ("PATCH", "deliver"), ("POST", "deliver"),
    ]  # fmt: skip


def test_one_that_goes_on_waits_once_before_it_asks_for_its_header(network: Network) -> None:
    cut_at(network, "PATCH", "/deliver")
    with pytest.raises(UnavailableError):
        network.send()
    again(network)
    steps: list[str] = []
    network.send(wait=steps.append)
    assert steps == ["deliver"]


def test_the_classic_profile_makes_the_same_header_each_time(network: Network) -> None:
    cut_at(network, "POST", "/deliver")
    for _ in range(3):
        with pytest.raises(UnavailableError):
            network.send(profile="x25519")
    again(network)
    sent = network.send(profile="x25519")
    assert sent.receipt.record.word("profile") == "x25519"
    assert len(network.found()[0].headers) == 1


def test_words_that_sent_more_than_a_thousand_times_go_on_counting(
    network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("safeconduct.protocol.capsule.SLOTS_AHEAD", 3)
    contents = [{"message.txt": b"%d" % number} for number in range(5)]
    assert [network.send(files).number for files in contents] == [0, 1, 2, 3, 4]


def test_a_slot_filled_by_a_stranger_costs_no_date_and_no_delivery(network: Network) -> None:
    slot = builders.source_keys(0).slot()

    def fill(asked: str, at: str) -> bool:
        if at == "/commit":
            network.capsules += [slot + bytes([n]) * 8_192 for n in range(3)]
        return False

    network.away = fill
    sent = network.send()
    assert len(network.delivered) == 1
    assert network.found()[0].record == sent.record
    assert network.found()[0].proof == b""


def test_an_upload_that_breaks_off_goes_on_where_the_door_stopped(network: Network) -> None:
    big = {"scan.bin": bytes(range(256)) * 10_000}
    cut_at(network, "PATCH", "/deliver", passed=1)
    with pytest.raises(UnavailableError):
        network.send(big)
    [upload] = network.uploads.values()
    held = len(upload.payload)
    assert held > 0
    again(network)
    network.shown = lambda capsules: capsules[:1]  # as if the second capsule was not kept
    sent = network.send(big)
    assert sent.number == 0
    assert len(upload.payload) == sent.receipt.record.number("size") > held


# What the Gazette shows.


def old_gazette(network: Network) -> None:
    network.gazette_at = NOW - GAZETTE_AGE_SECONDS_MAX - 1


def closed_epoch(network: Network) -> None:
    network.now = network.gazette_at = builders.gazette_state().epochs[0].closes


def no_law(network: Network) -> None:
    network.entries = network.entries[:1]


REFUSED: dict[str, tuple[Callable[[Network], None], type[Exception], str]] = {
    "a stale Gazette": (old_gazette, UnavailableError, "stale"),
    "no open desk key": (closed_epoch, RefusedError, "no desk key is open"),
    "no statute": (no_law, RefusedError, "no statute"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_nothing_goes_out_before_law_and_desk_key_are_proven(
    case: str, network: Network
) -> None:
    spoil, error, complaint = REFUSED[case]
    spoil(network)
    with pytest.raises(error, match=complaint):
        network.send()
    assert {path.split("/")[1] for _, path in network.asked} == {"gazette"}


def test_a_commitment_for_something_else_is_no_date(network: Network) -> None:
    def swap(asked: str, at: str) -> bool:
        if at == "/commit":
            leaf = record_hash(network.found()[0].record)
            network.proofs[leaf] = builders.prove(bytes(32), NOW)
        return False

    network.away = swap
    with pytest.raises(UnverifiedError, match="does not lead to the root"):
        network.send()
    assert network.uploads == {}


@pytest.mark.parametrize("answer", [b"", b"-5", b"+1", b"1_0", b"\xff", b"9" * 5_000])
def test_a_door_that_does_not_answer_with_a_number_is_malformed(
    answer: bytes, network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(network, "_announce", lambda _: answer)
    with pytest.raises(MalformedError, match="the door's answer"):
        network.send()
    assert [path for method, path in network.asked if method == "PATCH"] == []


def test_the_same_sent_by_two_clients_at_once_is_one_contribution(network: Network) -> None:
    """Each has made a header; the door holds the one, the newest capsule names the other."""
    first = network.send()
    network.shown = lambda _: []  # the other looked at the shelf before the first had put any
    with pytest.raises(UnverifiedError, match="another header"):
        network.send()
    network.shown = lambda capsules: capsules
    assert network.send().record == first.record
    assert len(network.delivered) == 1


def test_a_proof_with_too_many_long_signatures_for_a_capsule_is_kept_slim(
    network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    prove = builders.prove

    def heavy(entry: bytes, at: int) -> bytes:
        parsed = parse_proof(prove(entry, at))
        note = parse_note(parsed.checkpoint)
        lines = [
            SignatureLine(name=f"more.example/{n}", key_id=bytes(4), blob=bytes(2_428))
            for n in range(3)
        ]
        longer = replace(note, signatures=(*note.signatures, *lines))
        return format_proof(replace(parsed, checkpoint=format_note(longer)))

    monkeypatch.setattr(builders, "prove", heavy)
    sent = network.send()
    assert len(sent.proof) > 8_192
    [found] = network.inbox()
    assert found.receipt == sent.receipt
    assert found.capsule.proof == prove(record_hash(sent.record), network.now)
    network.asked.clear()
    assert network.send().record == sent.record
    assert [path for method, path in network.asked if method == "PUT"] == []


def test_a_number_that_no_search_would_come_to_is_not_used(network: Network) -> None:
    """A slip of the finger: dated, delivered, and nowhere to be found from the words."""
    with pytest.raises(RefusedError, match="would not find your tip again"):
        network.send(number=GAP_LIMIT)
    assert (network.capsules, network.proofs) == ([], {})
    network.send(number=GAP_LIMIT - 1)
    [found] = network.inbox()
    assert found.keys.number == GAP_LIMIT - 1
