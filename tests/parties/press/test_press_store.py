"""Captures lie in folders named by what they publish, and are dated once, by the Ledger."""

import argparse
import json
import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest

from safeconduct.errors import (
    MalformedError,
    RefusedError,
    SafeconductError,
    UnavailableError,
    UnverifiedError,
)
from safeconduct.parties.press import command
from safeconduct.parties.press.capture import capture_file
from safeconduct.parties.press.store import keep, load, log_kept, names, unlogged
from safeconduct.protocol.evidence.capture import address_hash
from safeconduct.protocol.record import format_record, record_hash

NOW = datetime(2026, 5, 15, 12, tzinfo=UTC)
EXAMPLES = Path(__file__).resolve().parents[3] / "examples/press"
PROGRAMME = b"\x07" * 32


def _keep(folder: Path, page: str = "reprint.txt") -> str:
    capture, warc = capture_file(EXAMPLES / page, url=None, now=NOW)
    return keep(folder, PROGRAMME, capture, warc)


def _ledger(record: bytes) -> bytes:
    return b"proof of " + record_hash(record).hex().encode()


def test_a_capture_is_kept_then_logged_then_proven(tmp_path: Path) -> None:
    name = _keep(tmp_path)
    assert (names(tmp_path), unlogged(tmp_path)) == ([name], [name])
    kept = log_kept(tmp_path, name, _ledger)
    assert kept.proof == _ledger(format_record(kept.record))
    assert unlogged(tmp_path) == []
    assert sorted(path.name for path in (tmp_path / "captures" / name).iterdir()) == [
        "capture.record",
        "capture.tlog-proof",
        "page.warc.gz",
        "public.json",
    ]


def test_the_record_names_the_page_by_hashes_alone(tmp_path: Path) -> None:
    kept = load(tmp_path, _keep(tmp_path))
    assert kept.record.hash("programme") == PROGRAMME
    assert kept.record.hash("address") == address_hash("file:reprint.txt")
    assert kept.record.hash("raw") == kept.capture.raw_sha256
    assert kept.record.hash("public").hex() == kept.name
    assert kept.record.number("captured") == int(NOW.timestamp())


def test_the_copy_of_the_page_is_for_its_owner_alone(tmp_path: Path) -> None:
    place = tmp_path / "captures" / _keep(tmp_path)
    assert stat.S_IMODE((place / "page.warc.gz").stat().st_mode) == 0o600


def test_a_ledger_that_is_away_leaves_the_capture_to_be_logged_later(tmp_path: Path) -> None:
    def away(record: bytes) -> bytes:
        raise UnavailableError("the Ledger is away")

    name = _keep(tmp_path)
    with pytest.raises(UnavailableError):
        log_kept(tmp_path, name, away)
    assert unlogged(tmp_path) == [name]
    assert log_kept(tmp_path, name, _ledger).proof


def test_a_logged_capture_is_not_logged_again(tmp_path: Path) -> None:
    def never(record: bytes) -> bytes:
        raise AssertionError("logged twice")

    name = _keep(tmp_path)
    first = log_kept(tmp_path, name, _ledger)
    assert _keep(tmp_path) == name
    assert log_kept(tmp_path, name, never) == first


def test_a_public_part_changed_on_disk_is_found_out(tmp_path: Path) -> None:
    name = _keep(tmp_path)
    public = tmp_path / "captures" / name / "public.json"
    public.write_bytes(public.read_bytes().replace(b"denounce", b"supports"))
    with pytest.raises(UnverifiedError):
        load(tmp_path, name)


@pytest.mark.parametrize("name", ["", "../../etc/passwd", "A" * 64, "0" * 63])
def test_a_name_that_is_no_hash_reaches_no_file(tmp_path: Path, name: str) -> None:
    with pytest.raises(MalformedError):
        load(tmp_path, name)


def test_a_capture_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RefusedError):
        load(tmp_path, "0" * 64)


def _run(*arguments: str) -> int:
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    options = parser.parse_args(arguments)
    code = options.run(options)
    assert isinstance(code, int)
    return code


def test_the_terminal_shows_a_capture_with_its_statements(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name = _keep(tmp_path, "ministry-claims.html")
    assert _run("show", name, "--dir", str(tmp_path)) == 0
    shown = capsys.readouterr().out
    assert f"{name}  file:ministry-claims.html" in shown
    assert "Clara Oyelaran: “There is no list. There never was a list.”" in shown
    assert "not dated yet" in shown


def test_other_programs_are_told_the_same_as_json(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name = _keep(tmp_path)
    log_kept(tmp_path, name, _ledger)
    assert _run("show", "--dir", str(tmp_path), "--json") == 0
    (item,) = json.loads(capsys.readouterr().out)
    assert (item["capture"], item["logged"]) == (name, True)
    assert item["statements"][0]["speaker"] == "Anton Weller"


def test_one_bad_page_among_several_keeps_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Programme:
        hash = PROGRAMME

    monkeypatch.setattr(command, "load_programme", lambda folder: Programme)
    (tmp_path / "empty").touch()
    common = ("--programme", "x", "--dir", str(tmp_path), "--offline")
    with pytest.raises(SafeconductError):
        _run("capture", str(EXAMPLES / "reprint.txt"), str(tmp_path / "empty"), *common)
    assert names(tmp_path) == []
    assert _run("capture", str(EXAMPLES / "reprint.txt"), *common) == 0
    assert len(unlogged(tmp_path)) == 1
