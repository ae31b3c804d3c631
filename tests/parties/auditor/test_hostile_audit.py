"""What a folder may try with an auditor who resumes, and what it must not hide."""

import argparse
import json
import os
from pathlib import Path

import pytest
from tests.parties.auditor import public_folder as made

from safeconduct.errors import RefusedError
from safeconduct.parties.auditor import command
from safeconduct.parties.auditor.check import audit
from safeconduct.parties.auditor.course import Course
from safeconduct.parties.auditor.finding import Result
from safeconduct.parties.auditor.folder import Folder
from safeconduct.parties.auditor.fork import prove
from safeconduct.parties.auditor.logs import audit_logs
from safeconduct.parties.auditor.place import load_places
from safeconduct.parties.auditor.recompute import count_files
from safeconduct.parties.auditor.report import format_logs_text, format_text
from safeconduct.protocol.tlog.policy import format_policy
from safeconduct.protocol.tlog.tile import bundles_of, tiles_of

KEYS = [log.key for log in made.POLICY.logs]
LOGS = {"gazette": made.GAZETTE, "ledger": made.LEDGER}


def entries(count: int, word: bytes = b"e") -> list[bytes]:
    return [(word + b"%d" % place).ljust(32) for place in range(count)]


def put_logs(folder: Path, count: int, word: bytes = b"e") -> None:
    """Copies of both logs, without partial tiles of earlier trees."""
    for path in sorted(folder.rglob("*.p/*")):
        path.unlink()
    for name, log in LOGS.items():
        for file, data in made.make_log(log, entries(count, word)).files.items():
            made.put(folder / name / file, data)


def resumed(folder: Path, places: Path) -> list[Result]:
    course = Course(places=load_places(places, made.POLICY))
    return audit_logs(Folder(root=folder), made.POLICY, course)


def flat(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.parametrize("gone", ["tile/entries/001", "tile/0/000"])
def test_a_resumed_audit_misses_a_file_that_it_would_not_read_again(
    tmp_path: Path, gone: str
) -> None:
    folder, places = tmp_path / "copies", tmp_path / "places"
    put_logs(folder, 1000)
    assert all(result.holds for result in resumed(folder, places))
    before = places.read_bytes()
    (folder / "ledger" / gone).unlink()
    gazette, ledger = resumed(folder, places)
    assert gazette.holds
    assert not ledger.holds
    assert "ledger/tile" in ledger.failures[0].file
    places.write_bytes(before)


def test_a_resumed_audit_does_not_say_that_it_looked_at_everything(tmp_path: Path) -> None:
    folder, places = tmp_path / "copies", tmp_path / "places"
    put_logs(folder, 1000)
    assert "earlier audits" not in flat(format_logs_text(resumed(folder, places)))
    told = flat(format_logs_text(resumed(folder, places)))
    assert "But 1536 entries were looked at by earlier audits only" in told


def test_a_resumed_audit_of_a_published_folder_says_what_it_did_not_compute(
    tmp_path: Path,
) -> None:
    made.make_world().write(tmp_path / "public")
    folder, told = Folder(root=tmp_path / "public"), list[str]()
    for _ in range(2):
        course = Course(places=load_places(tmp_path / "places", made.POLICY))
        told.append(flat(format_text(audit(folder, made.POLICY, course))))
    assert "earlier audits only" not in told[0]
    assert "But 256 entries were looked at by earlier audits only" in told[1]


def test_the_proof_against_one_log_does_not_replace_that_against_the_other(
    tmp_path: Path,
) -> None:
    folder, places = tmp_path / "copies", tmp_path / "places"
    put_logs(folder, 1000)
    resumed(folder, places)
    put_logs(folder, 1000, b"f")
    assert not any(result.holds for result in resumed(folder, places))
    proofs = [prove(path.read_bytes(), KEYS) for path in tmp_path.glob("*.fork")]
    assert {proof.fork.origin for proof in proofs} == {log.name for log in LOGS.values()}


def test_the_files_of_a_tree_are_counted_as_they_are_named() -> None:
    for size in [*range(1100), 65_535, 65_536, 65_537, 70_000, 131_073]:
        assert count_files(size) == len(bundles_of(size)) + len(tiles_of(size))


def test_a_copy_behind_a_symbolic_link_is_not_audited_as_if_it_lay_here(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "copies"
    put_logs(folder, 300)
    (folder / "ledger").rename(tmp_path / "elsewhere")
    (folder / "ledger").symlink_to(tmp_path / "elsewhere")
    gazette, ledger = audit_logs(Folder(root=folder), made.POLICY)
    assert gazette.holds
    assert "symbolic link" in ledger.failures[0].found


def test_what_is_huge_and_sparse_takes_no_time_and_no_memory(tmp_path: Path) -> None:
    folder = tmp_path / "public"
    made.make_world().write(folder)
    for name in ("ledger/tile/entries/000", "register.json", "manifest", "gazette/checkpoint"):
        os.truncate(folder / name, 1 << 40)
    outcome = audit(Folder(root=folder), made.POLICY)
    failed = {result.name for result in outcome.results if not result.holds}
    assert {"folder", "manifest", "gazette", "ledger"} <= failed


def test_names_that_a_terminal_would_obey_are_shown_as_text(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "public"
    made.make_world().write(folder)
    (folder / "\x1b]0;evil\x07\u202e.json").write_bytes(b"{}")
    (folder / "line\nfeed").write_bytes(b"")
    (tmp_path / "policy").write_bytes(format_policy(made.POLICY))
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    for extra in ([], ["--json"]):
        words = [str(folder), "--policy", str(tmp_path / "policy"), *extra]
        options = parser.parse_args(words)
        assert options.run(options) == 10
        out = capsys.readouterr().out
        assert all(each.isprintable() or each == "\n" for each in out)
        assert "evil" in out
    assert not json.loads(out)["holds"]


def test_a_file_of_somebody_elses_is_not_written_over_however_large(tmp_path: Path) -> None:
    film, link = tmp_path / "film", tmp_path / "link"
    film.write_bytes(b"x" * (5 << 20))
    link.symlink_to(film)
    for path in (film, link, tmp_path):
        with pytest.raises(RefusedError, match="not a file that an audit kept"):
            load_places(path, made.POLICY)
