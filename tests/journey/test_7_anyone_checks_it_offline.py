"""Scene 7: the audit holds, says from what, and every single byte of public/ is under it."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

AUDIT = (sys.executable, "-m", "safeconduct", "audit")
LIES = ("date-moved", "tile-flipped", "tip-dropped")


def audit(folder: Path, policy: Path) -> tuple[int, dict[str, object]]:
    done = subprocess.run(
        [*AUDIT, str(folder), "--policy", str(policy), "--json"],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, json.loads(done.stdout)


def test_the_audit_of_the_play_holds(played: Path) -> None:
    code, report = audit(played / "public", played / "policy.txt")
    assert code == 0, report
    checks = report["checks"]
    assert isinstance(checks, list)
    assert [each["number"] for each in checks if each["holds"]] == list(range(1, 15))


@pytest.mark.parametrize("lie", LIES)
def test_a_lie_with_all_the_liars_keys_is_still_caught(played: Path, lie: str) -> None:
    code, _ = audit(played / "tampered" / lie, played / "policy.txt")
    assert code == 10


def test_a_byte_changed_in_any_file_is_caught_and_the_file_is_named(
    played: Path, tmp_path: Path
) -> None:
    public = tmp_path / "public"
    shutil.copytree(played / "public", public)
    files = sorted(path for path in public.rglob("*") if path.is_file())
    for path in files[:: max(1, len(files) // 12)]:
        original = path.read_bytes()
        middle = len(original) // 2
        path.write_bytes(
            original[:middle] + bytes([original[middle] ^ 1]) + original[middle + 1 :]
        )
        code, report = audit(public, played / "policy.txt")
        assert code == 10, path
        assert path.relative_to(public).as_posix() in json.dumps(report), path
        path.write_bytes(original)


def test_stock_tools_read_the_list_of_files(played: Path) -> None:
    done = subprocess.run(
        ["sha256sum", "-c", "--quiet", "SHA256SUMS"],
        cwd=played / "public",
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
