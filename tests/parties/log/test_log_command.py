import argparse
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.parties.log.guard_folders import (
    copy,
    entries,
    found,
    grow,
    keys_of,
    mirror,
    running,
)
from tests.parties.log.guard_world import two_of_three

from safeconduct.errors import (
    ConflictError,
    MalformedError,
    RefusedError,
    UnavailableError,
    UnverifiedError,
)
from safeconduct.parties.log import command
from safeconduct.parties.log.config import LogFolder
from safeconduct.protocol.tlog.note import ED25519, MLDSA44, parse_vkey
from safeconduct.protocol.tlog.policy import LogLine, Policy, format_policy, parse_policy

SIZE = 300


def log(*arguments: str) -> int:
    """Run `safeconduct log` in this process."""
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    options = parser.parse_args(arguments)
    code: int = options.run(options)
    return code


def new(folder: Path, *more: str) -> int:
    return log(
        *("new", "--dir", str(folder), "--name", "ledger", "--kind", "ledger"),
        *("--origin", "log.example/ledger", *more),
    )


def test_new_prints_both_keys_a_line_each_ed25519_first(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert new(tmp_path) == 0
    keys = [parse_vkey(line) for line in capsys.readouterr().out.splitlines()]
    assert [key.algorithm for key in keys] == [ED25519, MLDSA44]
    assert {key.name for key in keys} == {"log.example/ledger"}
    lines = Policy(logs=tuple(LogLine(key=key) for key in keys), quorum="none")
    assert parse_policy(format_policy(lines)) == lines
    for name in ("key", "key-mldsa44"):
        assert (tmp_path / "ledger" / name).stat().st_mode & 0o777 == 0o600


def test_a_classic_log_has_an_ed25519_key_only(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert new(tmp_path, "--classic") == 0
    (line,) = capsys.readouterr().out.splitlines()
    assert parse_vkey(line).algorithm == ED25519
    assert not (tmp_path / "ledger/key-mldsa44").exists()


def test_new_for_programs_is_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    new(tmp_path, "--json")
    told = json.loads(capsys.readouterr().out)
    assert told["name"] == "ledger"
    assert [parse_vkey(key).name for key in told["keys"]] == ["log.example/ledger"] * 2


def test_a_log_is_founded_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    new(tmp_path)
    keys = (tmp_path / "ledger/key").read_bytes()
    with pytest.raises(RefusedError, match="already"):
        new(tmp_path, "--classic")
    assert (tmp_path / "ledger/key").read_bytes() == keys
    assert (tmp_path / "ledger/key-mldsa44").exists()


PACES: dict[str, tuple[str, ...]] = {
    "--every: not 0.02": ("--every", "0.01"),
    "--every: not 0.02 to 10": ("--every", "11"),
    "--every": ("--every", "nan"),
    "--republish": ("--republish", "0.5"),
    "--republish: not --every to 86400": ("--republish", "86401"),
    "--reserve: not 0": ("--reserve", "-1"),
}


@pytest.mark.parametrize("reason", PACES)
def test_a_pace_that_makes_no_sense_is_refused_before_anything_starts(
    reason: str, tmp_path: Path
) -> None:
    policy = tmp_path / "policy.txt"
    policy.write_bytes(format_policy(two_of_three()))
    with pytest.raises(MalformedError, match=reason):
        log(
            *("serve", "--dir", str(tmp_path), "--listen", "127.0.0.1:0"),
            *("--policy", str(policy), *PACES[reason]),
        )


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> LogFolder:
    paths = found(tmp_path_factory.mktemp("whole"))
    grow(paths, [entries(0, 100)])
    return paths


@pytest.fixture
def paths(whole: LogFolder, tmp_path: Path) -> LogFolder:
    return copy(whole, tmp_path)


@pytest.fixture
def later(whole: LogFolder, tmp_path: Path) -> Iterator[tuple[LogFolder, str]]:
    """The log as it went on, and a mirror of it."""
    grown = copy(whole, tmp_path / "later")
    grow(grown, [entries(100, SIZE)])
    with mirror(grown.public) as url:
        yield grown, url


def test_fsck_says_that_a_log_holds(
    paths: LogFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    assert log("fsck", "--dir", str(paths.path.parent)) == 0
    told = "ledger: holds: 100 entries signed, 100 settled, 100 published\n"
    assert capsys.readouterr().out == told


def test_fsck_names_what_does_not_hold_and_what_to_do(
    paths: LogFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    (paths.public / "tile/0/000.p/100").unlink()
    code = log("fsck", "--dir", str(paths.path.parent), "--name", "ledger")
    assert code == UnverifiedError.exit_code == 10
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("ledger: public/tile/0/000.p/100: ")
    assert "log repair --from-mirror" in lines[1]
    assert lines[2].startswith("ledger: does not hold")


def test_fsck_for_programs_is_json(
    paths: LogFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    (paths.public / "stray").write_bytes(b"")
    assert log("fsck", "--dir", str(paths.path.parent), "--json") == 10
    (told,) = json.loads(capsys.readouterr().out)
    assert (told["log"], told["holds"], told["signed_size"]) == ("ledger", False, 100)
    assert told["findings"] == [
        {
            "file": "public/stray",
            "what": "does not belong here",
            "do": "look at it, then delete it",
            "mends": False,
        }
    ]


@pytest.mark.parametrize("name", ["other", "..", "ledger/public", ""])
def test_a_log_that_is_not_there_is_refused(name: str, paths: LogFolder) -> None:
    folder = str(paths.path.parent)
    with pytest.raises(RefusedError, match="no log here"):
        log("fsck", "--dir", folder, "--name", name)
    with pytest.raises(RefusedError, match="no log here"):
        log("repair", "--dir", folder, "--name", name, "--from-mirror", "http://127.0.0.1:9")


def test_a_running_log_is_neither_checked_nor_repaired(paths: LogFolder) -> None:
    folder = str(paths.path.parent)
    with running(paths):
        with pytest.raises(UnavailableError, match="another process") as caught:
            log("fsck", "--dir", folder)
        assert caught.value.exit_code == 75
        with pytest.raises(UnavailableError):
            log("repair", "--dir", folder, "--name", "ledger", "--from-mirror", "http://x")


def repair(paths: LogFolder, url: str, *more: str) -> int:
    return log(
        *("repair", "--dir", str(paths.path.parent), "--name", paths.path.name),
        *("--from-mirror", url, *more),
    )


def test_repair_brings_a_backup_to_where_the_mirror_is(
    paths: LogFolder,
    later: tuple[LogFolder, str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    policy = tmp_path / "policy.txt"
    policy.write_bytes(format_policy(two_of_three(keys_of(paths))))
    assert repair(paths, later[1], "--policy", str(policy)) == 0
    first, last = capsys.readouterr().out.splitlines()
    assert first.startswith("ledger: signed 100 entries before, the mirror has 300; ")
    assert "is where the mirror is" in last
    assert log("fsck", "--dir", str(paths.path.parent)) == 0
    assert "300 entries signed, 300 settled, 300 published" in capsys.readouterr().out


def test_repair_for_programs_is_json(
    paths: LogFolder, later: tuple[LogFolder, str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert repair(paths, later[1], "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["signed_before"], told["mirror_size"]) == (100, 300)
    assert (told["lost"], told["set_aside"], told["missing"]) == (0, None, 0)


def test_repair_says_what_the_mirror_does_not_have_either(
    whole: LogFolder, later: tuple[LogFolder, str], capsys: pytest.CaptureFixture[str]
) -> None:
    with mirror(whole.public) as behind:
        assert repair(later[0], behind) == 0
    told = capsys.readouterr()
    assert "200 entries that were signed are beyond the mirror's tree" in told.err
    assert "is where the mirror is" not in told.out


def test_repair_refuses_a_fork_and_says_where_its_proof_is(
    paths: LogFolder, later: tuple[LogFolder, str]
) -> None:
    grow(paths, [entries(100, 150, kind=1)])
    with pytest.raises(ConflictError, match=r"100|150.*\.fork") as caught:
        repair(paths, later[1])
    assert caught.value.exit_code == 11
    assert [path.name for path in paths.path.glob("*.fork")] == ["150-300.fork"]


def test_repair_needs_the_keys(paths: LogFolder, later: tuple[LogFolder, str]) -> None:
    paths.key.unlink()
    with pytest.raises(UnavailableError, match="key"):
        repair(paths, later[1])
    shutil.copyfile(later[0].key, paths.key)
    paths.key.chmod(0o600)
    assert repair(paths, later[1]) == 0


def test_each_verb_teaches_by_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    for verb in ("new", "serve", "fsck", "repair"):
        with pytest.raises(SystemExit):
            log(verb, "--help")
        assert f"$ safeconduct log {verb}" in capsys.readouterr().out
