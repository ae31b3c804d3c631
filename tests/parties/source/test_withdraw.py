"""Taking a tip back: told before, verified after, and shown from then on."""

import argparse
import hashlib
import io
import json
from pathlib import Path

import pytest
from tests.parties.source.network import PROGRAMME, Network
from tests.protocol import builders
from tests.protocol.builders import by_board

from safeconduct.errors import (
    MalformedError,
    RefusedError,
    SafeconductError,
    UnverifiedError,
)
from safeconduct.parties.source import command
from safeconduct.parties.source.client_command import verify_client
from safeconduct.parties.source.status import in_words, standing
from safeconduct.parties.source.withdraw import HANDED, withdraw
from safeconduct.plumbing.circuits import DIRECT
from safeconduct.plumbing.programme import write_programme
from safeconduct.plumbing.words import format_words
from safeconduct.protocol.canonical import Json
from safeconduct.protocol.gazette import GazetteState, fold_all
from safeconduct.protocol.record import make_record, record_hash
from safeconduct.protocol.withdrawal import sign_withdrawal, verify_withdrawal


def run(
    monkeypatch: pytest.MonkeyPatch, folder: Path, *arguments: str, typed: str = "yes"
) -> int:
    piped = io.StringIO(f"{format_words(builders.ENTROPY)}\n{typed}\n")
    monkeypatch.setattr("sys.stdin", piped)
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    verb, *others = arguments
    options = parser.parse_args([verb, "--programme", str(folder), "--wait", "0", *others])
    status: int = options.run(options)
    return status


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_programme(tmp_path, PROGRAMME)
    return tmp_path


def test_a_person_is_told_asked_and_told_again(
    network: Network,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    network.send()
    capsys.readouterr()
    assert run(monkeypatch, folder, "withdraw", "0") == 0
    told = capsys.readouterr()
    assert "it can have read it" in told.err
    assert "take back its date" in told.err
    assert told.out == (
        "contribution 0: withdrawn, dated 2027-01-15T08:00:00Z\n"
        "The desk had not fetched it. The door has erased it.\n"
    )
    [signed] = network.withdrawn.values()
    record = network.inbox()[0].capsule.record
    assert verify_withdrawal(signed, record).contribution == record_hash(record)


def test_status_and_inbox_show_it_and_nothing_is_owed_any_more(
    network: Network,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    network.send()
    assert not network.inbox()[0].withdrawn
    run(monkeypatch, folder, "withdraw", "0", "--yes")
    capsys.readouterr()
    [item] = network.inbox()
    stand = standing(item, network.now + 400 * builders.DAY)
    assert (stand.withdrawn, stand.due_at, stand.overdue) == (True, None, False)
    assert in_words(stand).endswith("dated 2027-01-15T08:00:00Z; withdrawn by you")
    run(monkeypatch, folder, "inbox")
    assert "withdrawn by you" in capsys.readouterr().out
    run(monkeypatch, folder, "inbox", "--json")
    assert json.loads(capsys.readouterr().out)[0]["withdrawn"] is True


@pytest.mark.parametrize("handed", HANDED)
def test_what_the_desk_was_given_is_said(
    handed: str,
    network: Network,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    network.send()
    network.handed = handed
    run(monkeypatch, folder, "withdraw", "0", "--yes", "--json")
    told = json.loads(capsys.readouterr().out)
    assert told == {
        "number": 0,
        "logged_by": "2027-01-15T08:00:00Z",
        "handed": handed,
        "noted": True,
    }


@pytest.mark.parametrize("typed", ["", "no", "YES", "y"])
def test_whoever_does_not_say_yes_withdraws_nothing(
    typed: str, network: Network, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    network.send()
    with pytest.raises(RefusedError, match="nothing was withdrawn"):
        run(monkeypatch, folder, "withdraw", "0", typed=typed)
    assert network.withdrawn == {}


def test_a_tip_that_was_never_sent_cannot_be_withdrawn(
    network: Network, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    network.send()
    with pytest.raises(RefusedError, match="no contribution 7"):
        run(monkeypatch, folder, "withdraw", "7", "--yes")
    with pytest.raises(MalformedError, match="--number"):
        run(monkeypatch, folder, "withdraw", "1000001", "--yes")
    assert network.withdrawn == {}


def test_again_is_no_error_and_tells_the_first(network: Network) -> None:
    network.send()
    for _ in range(2):
        [item] = network.inbox()
        taken = withdraw(PROGRAMME, item, DIRECT, network.chance)
        assert (taken.logged_by, taken.noted) == (network.now, True)
    assert len(network.withdrawn) == 1
    assert network.versions(0) == 3


def test_a_full_slot_keeps_no_note_and_the_withdrawal_stands(network: Network) -> None:
    network.send()
    [item] = network.inbox()
    slot = item.keys.slot()
    while network.versions(0) < 4:
        network.capsules.append(slot + bytes(8_192))
    taken = withdraw(PROGRAMME, item, DIRECT, network.chance)
    assert not taken.noted
    assert len(network.withdrawn) == 1


LIES: dict[str, dict[str, Json]] = {
    "no withdrawal": {"withdrawal": ""},
    "another proof": {"proof": builders.prove(bytes(32)).decode()},
    "no proof": {"proof": ""},
    "a word that nobody knows": {"handed": "maybe"},
    "a number": {"handed": 1},
    "a field more": {"more": "x"},
    "a withdrawal that is a number": {"withdrawal": 1},
}


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES)
def test_a_door_that_answers_anything_else_is_not_believed(
    lie: dict[str, Json], network: Network
) -> None:
    network.send()
    network.answers = lie
    with pytest.raises(SafeconductError):
        withdraw(PROGRAMME, network.inbox()[0], DIRECT, network.chance)
    assert not network.inbox()[0].withdrawn


def test_a_door_cannot_answer_with_another_s_withdrawal(network: Network) -> None:
    network.send()
    network.send({"message.txt": b"Another.\n"}, number=1)
    first, second = network.inbox()
    other = sign_withdrawal(
        second.keys,
        second.capsule.pre,
        programme=PROGRAMME.hash,
        record=record_hash(second.capsule.record),
    )
    network.answers = {"withdrawal": other.decode()}
    with pytest.raises(UnverifiedError, match="another contribution"):
        withdraw(PROGRAMME, first, DIRECT, network.chance)


# The client's file.

FILE = b"#!/usr/bin/env python3.11\nprint()\n"


def client_entry(number: int, data: bytes, version: str) -> bytes:
    record = make_record(
        "client",
        programme=builders.PROGRAMME,
        number=number,
        platform="linux-x86_64-cp311",
        version=version,
        size=len(data),
        sha256=hashlib.sha256(data).digest(),
    )
    return by_board(record)


ENTRIES = (*builders.gazette_entries(), client_entry(1, FILE, "0.1.0"))
NEWER: GazetteState = fold_all((*ENTRIES, client_entry(2, b"newer", "0.2.0")))


def test_a_file_that_the_board_has_published_is_named(
    network: Network,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    network.entries = ENTRIES
    (folder / "client.pyz").write_bytes(FILE)
    assert run(monkeypatch, folder, "verify-client", str(folder / "client.pyz")) == 0
    assert "client 0.1.0 for linux-x86_64-cp311, the newest" in capsys.readouterr().out
    assert {path.split("/")[1] for _, path in network.asked} == {"gazette"}


def test_another_file_and_an_old_one_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "client.pyz"
    path.write_bytes(FILE[:-1])
    with pytest.raises(UnverifiedError, match="not a client that this programme's board"):
        verify_client(NEWER, path)
    path.write_bytes(FILE)
    with pytest.raises(RefusedError, match=r"0\.2\.0 has replaced it"):
        verify_client(NEWER, path)
    path.write_bytes(b"newer")
    assert verify_client(NEWER, path).version == "0.2.0"
