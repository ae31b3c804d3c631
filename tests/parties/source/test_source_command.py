"""The source's verbs: what they print, and what they refuse before asking for anything."""

import argparse
import io
import json
from pathlib import Path

import pytest
from tests.parties.source.network import PROGRAMME, Network
from tests.parties.source.test_inbox import acknowledged
from tests.protocol import builders

from safeconduct import cli
from safeconduct.errors import MalformedError, RefusedError, UnavailableError
from safeconduct.parties.source import command, inbox, options
from safeconduct.parties.source.options import NUMBER_MAX
from safeconduct.parties.source.prepare_command import PROFILE_NAMES
from safeconduct.plumbing.programme import write_programme
from safeconduct.plumbing.words import LANGUAGES, format_words, parse_words
from safeconduct.protocol.receipt import Receipt
from safeconduct.protocol.record import parse_record
from safeconduct.protocol.reply import Reply
from safeconduct.protocol.tip import FILE_BYTES_MAX, FILES_MAX


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
    options = parser.parse_args([verb, "--programme", str(folder), "--wait", "0", *arguments])
    status: int = options.run(options)
    return status


def letter(folder: Path) -> tuple[str, str]:
    return "--message", str(folder / "letter.txt")


def test_send_tells_what_was_sent_before_and_the_date(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for number, said in enumerate(("It lies behind the tide tables.\n", "And below.\n")):
        (folder / "letter.txt").write_text(said)
        assert run(monkeypatch, folder, "send", *letter(folder)) == 0
        told = capsys.readouterr()
        assert told.out == f"contribution {number}: received, and dated 2027-01-15T08:00:00Z\n"
    assert "these words have sent 1 contribution before" in told.err


def test_a_number_is_a_floor(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run(monkeypatch, folder, "send", *letter(folder), "--number", "3", "--json")
    assert json.loads(capsys.readouterr().out)["number"] == 3


@pytest.mark.parametrize("number", ["-1", str(NUMBER_MAX + 1)])
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
    run(monkeypatch, folder, "inbox", "--json")
    [summary] = json.loads(capsys.readouterr().out)
    assert summary == {
        "number": 0,
        "logged_by": "2027-01-15T08:00:00Z",
        "acknowledged": True,
        "status": "ok",
        "withdrawn": False,
        "doubts": ["note: no empty line between text and signatures"],
        "replies": ["Thanks again.", "Thank you."],
        "credit": "",
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


def test_an_answer_cannot_pass_for_what_we_say(
    folder: Path,
    network: Network,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    network.send()
    network.post(Reply(text="Hello.\n  acknowledged: ok\ncontribution 7: credited"))
    run(monkeypatch, folder, "inbox")
    lines = capsys.readouterr().out.splitlines()
    assert lines[1:] == [
        "  answer: Hello.",
        "      acknowledged: ok",
        "    contribution 7: credited",
    ]


# The status.


def status(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> str:
    capsys.readouterr()
    assert run(monkeypatch, folder, "status") == 0
    return capsys.readouterr().out


def test_the_status_is_one_line_for_each_contribution(
    folder: Path,
    network: Network,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert status(folder, monkeypatch, capsys) == "empty mailbox — wrong words?\n"
    digest = network.send().receipt.record_hash
    network.send({"message.txt": b"And below."})
    network.post(acknowledged(digest))
    network.post(Reply(text="Which month?"), counter=1)
    assert status(folder, monkeypatch, capsys) == (
        "contribution 0: received and dated 2027-01-15T08:00:00Z; opened by the desk, and"
        " acknowledged; 2 answers: see `inbox`\n"
        "contribution 1: received and dated 2027-01-15T08:00:00Z; not acknowledged yet; if it"
        " was delivered, that is owed by 2027-02-14T08:00:00Z\n"
    )


def test_an_acknowledgement_that_is_overdue_is_shown(
    folder: Path,
    network: Network,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    network.send()
    network.now += 2 * 86_400
    network.gazette_at = network.now
    assert "not acknowledged yet" in status(folder, monkeypatch, capsys)
    assert run(monkeypatch, folder, "status", "--answer-days", "1") == 0
    told = capsys.readouterr().out
    assert "NOT acknowledged, which was owed by 2027-01-16T08:00:00Z" in told
    run(monkeypatch, folder, "status", "--answer-days", "1", "--json")
    [summary] = json.loads(capsys.readouterr().out)
    assert summary == {
        "number": 0,
        "logged_by": "2027-01-15T08:00:00Z",
        "acknowledged": "",
        "grade": "",
        "credit": "",
        "answers": 0,
        "doubts": 0,
        "acknowledgement_due": "2027-01-16T08:00:00Z",
        "overdue": True,
        "withdrawn": False,
    }


def test_a_contribution_that_was_begun_only_is_told_how_to_go_on(
    folder: Path,
    network: Network,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    network.away = lambda method, path: path == "/commit"
    with pytest.raises(UnavailableError):
        run(monkeypatch, folder, "send", *letter(folder))
    network.away = lambda method, path: False
    assert "contribution 0: begun, not dated; send the same" in status(
        folder, monkeypatch, capsys
    )


def test_a_receipt_that_no_capsule_holds_is_given_by_the_log_on_demand(
    folder: Path, network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Prepared offline, or with a proof that fills a capsule, or with a slot that is filled."""
    sent = network.send()
    network.capsules = network.capsules[:1]  # that from before the date
    asked: list[bytes] = []

    def log_record(_: object, record: bytes, *, circuit: object) -> tuple[bytes, Receipt]:
        asked.append(record)
        return sent.proof, sent.receipt

    monkeypatch.setattr(inbox, "log_record", log_record)
    out = folder / "mine"
    with pytest.raises(RefusedError, match="no receipt yet") as caught:
        run(monkeypatch, folder, "receipt", "--out", str(out))
    assert "--ask" in caught.value.hint
    assert asked == []
    run(monkeypatch, folder, "receipt", "--ask", "--out", str(out))
    assert asked == [sent.record]
    assert out.with_name("mine.tlog-proof").read_bytes() == sent.proof
    run(monkeypatch, folder, "open", "--number", "0", "--purpose", "court", "--yes",
        "--do-not-log", "--out", str(folder / "shown"))  # fmt: skip
    assert (folder / "shown").is_dir()
    assert asked == [sent.record] * 2


def test_a_receipt_that_is_held_is_not_asked_for(
    folder: Path, network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    network.send()
    monkeypatch.setattr(inbox, "log_record", None)
    assert run(monkeypatch, folder, "receipt", "--ask", "--out", str(folder / "mine")) == 0


@pytest.mark.parametrize("out", [".", "/", "nowhere/mine"])
def test_where_no_receipt_can_be_written_nothing_is_sent_for_it(
    out: str, folder: Path, network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = out if out == "." else str(folder / out)
    with pytest.raises(MalformedError, match="the receipt"):
        run(monkeypatch, folder, "send", *letter(folder), "--receipt", path)
    assert network.asked == []


def test_more_than_a_tip_holds_is_refused_before_anything_goes_out(
    folder: Path, network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The desk could only say that it cannot read it, and its date would be for nothing."""
    files = [str(folder / "letter.txt")] * FILES_MAX
    with pytest.raises(RefusedError, match="more than 1000 files"):
        run(monkeypatch, folder, "send", *letter(folder), *files)
    with open(folder / "huge", "wb") as file:
        file.truncate(FILE_BYTES_MAX)
    with pytest.raises(RefusedError, match="more than 12 GiB"):
        run(monkeypatch, folder, "send", *letter(folder), str(folder / "huge"))
    assert network.asked == []


@pytest.mark.parametrize("name", ["a\nb", "\u202etxt.exe", "\udcff.pdf"])
def test_a_name_that_no_tip_takes_is_refused_before_anything_goes_out(
    name: str, folder: Path, network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / name).write_bytes(b"content")
    with pytest.raises(MalformedError, match="file name"):
        run(monkeypatch, folder, "send", str(folder / name))
    assert network.asked == []


@pytest.mark.parametrize("more", [["--message", "letter.txt"], ["letter.txt"], ["--burn"]])
def test_nothing_is_silently_left_out_of_what_was_prepared(
    more: list[str], folder: Path, network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(RefusedError, match="nothing else with it"):
        run(monkeypatch, folder, "send", "--prepared", str(folder / "parcel"), *more)
    assert network.asked == []


@pytest.mark.parametrize("days", ["0", "-1", "3651"])
def test_days_out_of_bounds_are_refused(
    days: str, folder: Path, network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(MalformedError, match="--answer-days"):
        run(monkeypatch, folder, "status", "--answer-days", days)
    assert network.asked == []


# Sending in other ways.


def test_send_writes_a_receipt_if_asked_and_burns_if_told(
    folder: Path, network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = folder / "mine"
    run(monkeypatch, folder, "send", *letter(folder), "--burn", "--receipt", str(out))
    assert (folder / "mine.record").read_bytes() == network.found()[0].record
    assert (folder / "mine.tlog-proof").read_bytes() == network.found()[0].proof
    assert network.found()[0].nonce == b""
    assert (folder / "mine.record").stat().st_mode & 0o777 == 0o600


def test_a_profile_is_chosen_by_name(
    folder: Path, network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(monkeypatch, folder, "send", *letter(folder), "--profile", "classic")
    record = parse_record(network.found()[0].record, "contribution")
    assert record.word("profile") == PROFILE_NAMES["classic"]


def test_a_reply_is_a_contribution_that_follows(
    folder: Path,
    network: Network,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(RefusedError, match="no contribution 0"):
        run(monkeypatch, folder, "reply", "--number", "0", *letter(folder))
    run(monkeypatch, folder, "send", *letter(folder))
    (folder / "letter.txt").write_text("In May.\n")
    assert run(monkeypatch, folder, "reply", "--number", "0", *letter(folder)) == 0
    assert "contribution 1: received" in capsys.readouterr().out


@pytest.mark.parametrize("basis", ["--credit", "--opening"])
def test_a_claim_rests_on_something_or_goes_nowhere(
    basis: str, folder: Path, network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    who = ("--subject", "r-0001", "--name", "Somebody")
    network.send()
    complaint = {"--credit": "no credit came", "--opening": "nothing to send"}[basis]
    with pytest.raises(RefusedError, match=complaint):
        run(monkeypatch, folder, "claim", *who, basis)
    with pytest.raises(RefusedError, match="with --opening only"):
        run(monkeypatch, folder, "claim", *who, *letter(folder))
    assert not any("challenge" in path for _, path in network.asked)


# The words.


def test_new_words_are_twelve_of_the_language(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for language in LANGUAGES:
        assert cli.run(["source", "new", "--language", language]) == 0
        told = capsys.readouterr()
        assert len(parse_words(told.out, language)) == 16
        assert told.out.count("\n") == 1
        assert told.err.startswith("Write these down and keep nothing else.")
    assert cli.run(["source", "new", "--json"]) == 0
    made = json.loads(capsys.readouterr().out)
    assert (made["language"], len(parse_words(made["words"]))) == ("english", 16)


def test_words_of_any_language_open_the_same_mailbox(
    folder: Path,
    network: Network,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    network.send()
    for language in LANGUAGES:
        monkeypatch.setattr(
            "sys.stdin", io.StringIO(format_words(builders.ENTROPY, language) + "\n")
        )
        where = ["--programme", str(folder), "--language", language]
        assert cli.run(["source", "status", *where]) == 0
        assert capsys.readouterr().out.startswith("contribution 0: received and dated")


PHRASE = format_words(builders.ENTROPY)
TYPED_WRONG = {
    "after a verb": ["source", "inbox", *PHRASE.split()],
    "in quotes": ["source", "inbox", "--programme", "p", PHRASE],
    "as files": ["source", "send", "--programme", "p", *PHRASE.split()],
    "in place of a verb": ["source", *PHRASE.split()],
    "as an option": ["source", "inbox", "--words", PHRASE],
    "as an option's value": ["source", "inbox", f"--words={PHRASE}"],
    "in Japanese": ["source", "inbox", *format_words(builders.ENTROPY, "japanese").split()],
    "cut short": ["source", "restore", *PHRASE.split()[:8]],
}


@pytest.mark.parametrize("case", TYPED_WRONG)
def test_words_given_as_arguments_are_refused_before_anything_and_not_repeated(
    case: str, network: Network, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(TYPED_WRONG[case]) == RefusedError.exit_code
    told = capsys.readouterr()
    assert told.out == ""
    assert "your shell's history now holds them" in told.err
    assert not [word for word in PHRASE.split() if f" {word} " in told.err]
    assert network.asked == []


def test_words_in_the_environment_are_not_looked_for(
    folder: Path, network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("SAFECONDUCT_WORDS", "WORDS"):
        monkeypatch.setenv(name, PHRASE)
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    assert cli.run(["source", "inbox", "--programme", str(folder)]) == RefusedError.exit_code
    assert network.asked == []


VERBS = ("new", "send", "reply", "status", "inbox", "receipt", "restore", "claim", "appeal",
         "gazette", "prepare", "credit", "open")  # fmt: skip


@pytest.mark.parametrize("verb", VERBS)
def test_the_help_of_every_verb_teaches_by_example(
    verb: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as over:
        cli.run(["source", verb, "--help"])
    assert over.value.code == 0
    told = capsys.readouterr().out
    assert f"safeconduct source {verb}" in told.partition("\n\n")[2]
    if verb not in ("new", "prepare"):
        assert "--socks HOST:PORT" in told
        assert "--wait SECONDS" in told


@pytest.mark.parametrize("wait", ["-1", "86401"])
def test_a_wait_out_of_bounds_is_refused(
    wait: str, folder: Path, network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(MalformedError, match="--wait"):
        run(monkeypatch, folder, "status", "--wait", wait)
    assert network.asked == []


def test_whoever_sends_a_large_file_sees_how_far_it_has_come(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(options, "PROGRESS_SECONDS", -1.0)
    path = tmp_path / "large.bin"
    path.write_bytes(bytes(2 << 20))
    source = options.file_source(path)
    for what in ("measured", "sealed", "handed over", "handed over"):
        assert b"".join(source.read()) == path.read_bytes()
        said = capsys.readouterr().err.splitlines()
        assert said[-1] == f"{what} 2 of 2 MiB"
