"""The source's verbs: what they print, and what they refuse before asking for anything."""

import argparse
import io
import json
from pathlib import Path

import pytest
from tests.parties.source.network import PROGRAMME, Network
from tests.parties.source.test_inbox import acknowledged
from tests.protocol import builders

from safeconduct.errors import MalformedError, RefusedError, UnavailableError
from safeconduct.parties.source import command
from safeconduct.plumbing.programme import write_programme
from safeconduct.plumbing.words import format_words
from safeconduct.protocol.reply import Reply


@pytest.fixture
def folder(tmp_path: Path, network: Network) -> Path:
    """The public files and a letter, for somebody whose network is `network`."""
    write_programme(tmp_path, PROGRAMME)
    (tmp_path / "letter.txt").write_text("It lies behind the tide tables.\n")
    return tmp_path


def run(monkeypatch: pytest.MonkeyPatch, folder: Path, verb: str, *arguments: str) -> int:
    """One verb, with our words piped in."""
    monkeypatch.setattr("sys.stdin", io.StringIO(format_words(builders.ENTROPY) + "\n"))
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    options = parser.parse_args([verb, "--programme", str(folder), *arguments])
    status: int = options.run(options)
    return status


def letter(folder: Path) -> tuple[str, str]:
    return "--message", str(folder / "letter.txt")


def test_send_tells_what_was_sent_before_and_the_date(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in range(2):
        assert run(monkeypatch, folder, "send", *letter(folder)) == 0
        told = capsys.readouterr()
        assert told.out == f"contribution {number}: received, and dated 2027-01-15T08:00:00Z\n"
    assert "these words have sent 1 contribution before" in told.err


def test_a_number_is_a_floor(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run(monkeypatch, folder, "send", *letter(folder), "--number", "3", "--json")
    assert json.loads(capsys.readouterr().out)["number"] == 3


@pytest.mark.parametrize("number", ["-1", str(command.NUMBER_MAX + 1)])
def test_a_number_out_of_bounds_is_refused_before_anything_goes_out(
    number: str, folder: Path, network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(MalformedError, match="--number"):
        run(monkeypatch, folder, "send", *letter(folder), "--number", number)
    assert network.asked == []


def test_nothing_and_what_is_not_there_cannot_be_sent(
    folder: Path, network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(RefusedError, match="nothing to send"):
        run(monkeypatch, folder, "send")
    with pytest.raises(UnavailableError, match="no such file"):
        run(monkeypatch, folder, "send", str(folder / "absent"))
    assert network.asked == []


def test_the_inbox_tells_what_holds_from_what_does_not(
    folder: Path,
    network: Network,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    digest = network.send().receipt.record_hash
    network.post(Reply(text="Thanks again.", acknowledgement=b"we owe you nothing"))
    run(monkeypatch, folder, "inbox")
    told = capsys.readouterr().out
    assert "an acknowledgement came that does not hold" in told
    assert "acknowledged: ok" not in told
    network.post(acknowledged(digest), counter=1)
    run(monkeypatch, folder, "inbox")
    assert "  acknowledged: ok\n" in capsys.readouterr().out
    run(monkeypatch, folder, "status", "--json")
    [summary] = json.loads(capsys.readouterr().out)
    assert summary == {
        "number": 0,
        "logged_by": "2027-01-15T08:00:00Z",
        "acknowledged": True,
        "status": "ok",
        "replies": ["Thanks again.", "Thank you."],
    }


def test_a_receipt_is_written_only_when_asked_for(
    folder: Path, network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = sorted(folder.iterdir())
    sent = network.send()
    run(monkeypatch, folder, "inbox")
    assert sorted(folder.iterdir()) == before
    run(monkeypatch, folder, "receipt", "--out", str(folder / "mine"))
    assert (folder / "mine.record").read_bytes() == sent.record
    assert (folder / "mine.tlog-proof").read_bytes() == sent.proof
    with pytest.raises(RefusedError, match="no contribution 1"):
        run(monkeypatch, folder, "receipt", "--number", "1", "--out", str(folder / "other"))
