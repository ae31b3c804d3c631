"""The client in a single file: built twice it is the same, and a bare Python runs it."""

import hashlib
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BARE = (
    Path(sys.base_prefix) / "bin" / f"python{sys.version_info.major}.{sys.version_info.minor}"
)
BUILD_SECONDS = 240


def build(target: Path, umask: int) -> Path:
    done = subprocess.run(
        [sys.executable, ROOT / "scripts" / "client", target],
        capture_output=True,
        timeout=BUILD_SECONDS,
        check=False,
        umask=umask,
        env={**os.environ, "TMPDIR": str(target.parent)},
    )
    assert done.returncode == 0, done.stderr.decode()[-2_000:]
    return target


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("first") / "client.pyz", 0o022)


def run(client: Path, folder: Path, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    """One run on a Python that sees no installed package, at home in an empty folder."""
    for name in ("home", "tmp"):
        (folder / name).mkdir(exist_ok=True)
    return subprocess.run(
        [BARE, "-I", "-S", client, *arguments],
        capture_output=True,
        timeout=60,
        check=False,
        stdin=subprocess.DEVNULL,
        env={
            "HOME": str(folder / "home"),
            "TMPDIR": str(folder / "tmp"),
            "PATH": "/usr/bin:/bin",
        },
    )


def left(folder: Path) -> list[Path]:
    return [path for name in ("home", "tmp") for path in (folder / name).rglob("*")]


def test_the_same_bytes_come_out_twice(built: Path, tmp_path: Path) -> None:
    again = build(tmp_path / "again.pyz", 0o077)
    first, second = (hashlib.sha256(path.read_bytes()).hexdigest() for path in (built, again))
    assert first == second


def test_a_bare_python_makes_words_and_nothing_is_left_behind(
    built: Path, tmp_path: Path
) -> None:
    done = run(built, tmp_path, "source", "new")
    assert done.returncode == 0, done.stderr.decode()
    assert len(done.stdout.split()) == 12
    assert left(tmp_path) == []


@pytest.mark.parametrize("verb", ["source", "programme", "receipt", "opening", "audit", "fork"])
def test_each_kept_verb_is_there(verb: str, built: Path, tmp_path: Path) -> None:
    done = run(built, tmp_path, verb, "--help")
    assert done.returncode == 0, done.stderr.decode()
    assert b"usage: safeconduct " + verb.encode() in done.stdout


@pytest.mark.parametrize("verb", ["door", "desk", "log", "witness", "register", "demo"])
def test_a_server_s_verb_is_not(verb: str, built: Path, tmp_path: Path) -> None:
    done = run(built, tmp_path, verb)
    assert done.returncode == 2
    assert b"invalid choice" in done.stderr
    assert left(tmp_path) == []


def test_the_help_says_what_is_written_where(built: Path, tmp_path: Path) -> None:
    told = " ".join(run(built, tmp_path, "--help").stdout.decode().split())
    assert "Nothing is written into your home folder" in told
    assert "stays behind: it holds this program, never your words or files" in told


def test_nothing_in_it_tells_where_or_by_whom_it_was_built(built: Path) -> None:
    with zipfile.ZipFile(built) as archive:
        names = archive.namelist()
        assert {entry.date_time[0] for entry in archive.infolist()} == {1980}
        for name in names:
            assert str(ROOT).encode() not in archive.read(name), name
    assert not [name for name in names if name.endswith(("/RECORD", ".pyc", "/INSTALLER"))]
