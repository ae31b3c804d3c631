"""`safeconduct audit` and `safeconduct receipt`, as a person at a terminal meets them."""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from tests.parties.auditor import public_folder as made

from safeconduct.errors import MalformedError, UnavailableError, UnverifiedError
from safeconduct.parties.auditor import command
from safeconduct.protocol.tlog.cosignature import cosign
from safeconduct.protocol.tlog.note import Note, format_note, parse_note

WORLD = made.make_world()
(CAPTURE,) = WORLD.captures.values()
RECORD, PROOF = CAPTURE[1:]


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    """A folder with a published folder, a policy, a record and its receipt."""
    WORLD.write(tmp_path / "public")
    (tmp_path / "policy.txt").write_bytes(made.POLICY_TEXT)
    (tmp_path / "mine.record").write_bytes(RECORD)
    (tmp_path / "mine.tlog-proof").write_bytes(PROOF)
    return tmp_path


def run_audit(desk: Path, *options: str) -> int:
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    return _run(parser, [str(desk / "public"), "--policy", str(desk / "policy.txt"), *options])


def run_receipt(*words: str) -> int:
    parser = argparse.ArgumentParser()
    command.add_receipt_arguments(parser)
    return _run(parser, words)


def verify(desk: Path, *options: str) -> int:
    receipt, record = desk / "mine.tlog-proof", desk / "mine.record"
    policy = desk / "policy.txt"
    given = ["verify", str(receipt), "--record", str(record), "--policy", str(policy)]
    return run_receipt(*given, *options)


def _run(parser: argparse.ArgumentParser, words: Sequence[str]) -> int:
    options = parser.parse_args(words)
    code: int = options.run(options)
    return code


def test_an_honest_folder_exits_with_0_and_numbers_its_checks(
    desk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_audit(desk) == 0
    told = capsys.readouterr().out
    assert " 1  ok      the folder is exactly what SHA256SUMS lists" in told
    assert "11  ok      " in told
    assert "All 14 checks hold" in told
    assert max(map(len, told.splitlines())) <= 96


def test_a_failed_check_exits_with_10_and_says_what_that_proves(
    desk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (desk / "public/register.json").write_bytes(b"{}")
    made.sign(desk / "public")
    assert run_audit(desk) == 10
    told = capsys.readouterr().out
    assert "10  FAILED  the register is what the publications make it" in told
    assert "file      register.json" in told
    assert "evidence against the registry" in told
    assert "1 of 14 checks failed: 10." in told
    assert "The registry signed for exactly these bytes" in told


def test_the_same_report_comes_as_json(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (desk / "public/register.json").unlink()
    assert run_audit(desk, "--json") == 10
    report = json.loads(capsys.readouterr().out)
    assert (report["holds"], report["signed"]) == (False, False)
    failed = {check["name"]: check["failures"] for check in report["checks"]}
    assert failed["register"][0]["file"] == "register.json"
    assert failed["statutes"] == []
    assert [check["number"] for check in report["checks"]] == list(range(1, 15))


def test_names_from_the_folder_cannot_drive_the_terminal(
    desk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (desk / "public/\x1b[2J\n 2  ok").write_bytes(b"")
    assert run_audit(desk) == 10
    told = capsys.readouterr().out
    assert "\x1b" not in told
    assert "\n 2  ok\n" not in told


def test_a_folder_or_a_policy_that_cannot_be_read_is_no_failed_check(desk: Path) -> None:
    (desk / "policy.txt").write_bytes(b"quorum\n")
    with pytest.raises(MalformedError, match="policy line 1"):
        run_audit(desk)
    (desk / "policy.txt").unlink()
    with pytest.raises(UnavailableError, match=r"policy\.txt"):
        run_audit(desk)


def test_a_receipt_says_by_when_and_by_whose_word(
    desk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert verify(desk) == 0
    told = capsys.readouterr().out
    assert "logged by    2027-01-15T08:00:00Z" in told
    assert "cosigned by  W1 at 2027-01-15T08:00:00Z" in told
    assert "cosigned by  W2 at 2027-01-15T08:00:00Z" in told
    assert "log          log.example/ledger, entry 150 of 201" in told


def test_only_the_cosignatures_that_were_needed_are_named(
    desk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = made.make_log(made.LEDGER, WORLD.ledger.entries[:201])
    text = parse_note(log.checkpoint).text
    late = cosign(text, made.THIRD_WITNESS, made.LOGGED_AT + 9)
    note = parse_note(log.checkpoint)
    signed = format_note(Note(text=text, signatures=(*note.signatures, late)))
    (desk / "mine.tlog-proof").write_bytes(PROOF.replace(log.checkpoint, signed))
    assert verify(desk, "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert [line["witness"] for line in told["cosignatures"]] == ["W1", "W2"]
    assert told["logged_by"] == "2027-01-15T08:00:00Z"
    assert told["index"] == 150


def test_a_receipt_is_held_against_a_date(desk: Path) -> None:
    assert verify(desk, "--before", "2027-01-15T08:00:01Z") == 0
    assert verify(desk, "--before", "2027-01-15T10:00:01+02:00") == 0
    with pytest.raises(UnverifiedError, match="not before"):
        verify(desk, "--before", "2027-01-15T08:00:00Z")
    with pytest.raises(MalformedError, match="--before"):
        verify(desk, "--before", "tomorrow")


def test_a_receipt_of_another_record_does_not_verify(desk: Path) -> None:
    (desk / "mine.record").write_bytes(RECORD.replace(b"captured 1", b"captured 2"))
    with pytest.raises(UnverifiedError):
        verify(desk)


def test_a_receipt_that_does_not_parse_is_malformed(desk: Path) -> None:
    (desk / "mine.tlog-proof").write_bytes(PROOF[:-1])
    with pytest.raises(MalformedError):
        verify(desk)


def test_show_tells_in_plain_words_what_stands_in_a_receipt(
    desk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_receipt("show", str(desk / "mine.tlog-proof")) == 0
    told = capsys.readouterr().out
    assert "entry 150 of the log log.example/ledger stands in its tree of 201 entries" in told
    assert "signed       by log.example/ledger, the log" in told
    assert "cosigned     by witness.example/w1, at 2027-01-15T08:00:00Z" in told
    assert "nothing here is verified yet" in told


def test_show_survives_a_time_that_no_calendar_has(
    desk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    note = parse_note(WORLD.ledger.checkpoint)
    line = cosign(note.text, made.THIRD_WITNESS, (1 << 63) - 1)
    signed = format_note(Note(text=note.text, signatures=(note.signatures[0], line)))
    proof = WORLD.ledger.proof(0).replace(WORLD.ledger.checkpoint, signed)
    (desk / "mine.tlog-proof").write_bytes(proof)
    assert run_receipt("show", str(desk / "mine.tlog-proof")) == 0
    assert f"at {(1 << 63) - 1} seconds after 1970" in capsys.readouterr().out


def run_logs(folder: Path, desk: Path, *options: str) -> int:
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    policy = str(desk / "policy.txt")
    return _run(parser, [str(folder), "--policy", policy, "--logs-only", *options])


def test_both_logs_of_a_published_folder_are_audited_alone(
    desk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (desk / "public/register.json").unlink()  # which is another question
    assert run_logs(desk / "public", desk) == 0
    told = capsys.readouterr().out
    assert " 1  ok      gazette is the tree that log and witnesses signed" in told
    assert " 2  ok      ledger is the tree that log and witnesses signed" in told
    assert "2 copies of a log: whole." in told
    assert "Nothing was asked about what the entries say" in told


def test_the_copy_of_one_log_is_audited_alone(
    desk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_logs(desk / "public/ledger", desk, "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["holds"]
    assert [log["name"] for log in told["logs"]] == ["log"]


def test_a_copy_alone_that_differs_speaks_against_nobody(
    desk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (desk / "public/ledger/tile/0/000").write_bytes(bytes(8192))
    assert run_logs(desk / "public/ledger", desk) == 10
    told = " ".join(capsys.readouterr().out.split())
    assert "file tile/0/000" in told
    assert "It proves nothing against the log: get another copy." in told
    assert "1 of 1 copy of a log failed." in told


def test_one_log_that_is_missing_beside_the_other_is_a_failure(desk: Path) -> None:
    (desk / "public/ledger/checkpoint").unlink()
    assert run_logs(desk / "public", desk) == 10


def test_a_folder_without_any_log_is_unavailable(desk: Path) -> None:
    with pytest.raises(UnavailableError, match="no log's copy"):
        run_logs(desk, desk)


def test_without_the_option_the_copy_of_a_log_is_no_published_folder(desk: Path) -> None:
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    words = [str(desk / "public/ledger"), "--policy", str(desk / "policy.txt")]
    assert _run(parser, words) == 10


def test_an_audit_is_resumed_from_a_file(
    desk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    places = desk / "my.places"
    assert run_audit(desk, "--resume", str(places)) == 0
    assert "earlier audits" not in capsys.readouterr().out
    assert run_audit(desk, "--resume", str(places)) == 0
    assert "computed by earlier audits" in " ".join(capsys.readouterr().out.split())


def test_progress_asked_for_says_why_an_audit_begins_anew(
    desk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    places = desk / "my.places"
    assert run_audit(desk, "--resume", str(places)) == 0
    places.chmod(0o644)
    assert run_audit(desk, "--resume", str(places), "--progress") == 0
    assert "ledger: begun at entry 0, because" in capsys.readouterr().err
