"""All benchmarks, one after the other, each in a process of its own; then the picture.

python -m benchmarks [--quick] [--json] [--dir FOLDER]
"""

import subprocess
import sys

from benchmarks.measure import ROOT

NAMES = (
    "append",
    "commits",
    "witness",
    "audit",
    "seal",
    "send",
    "door_commits",
    "door_surge",
    "door_tips",
    "door_files",
    "statutes",
    "search",
    "register_events",
    "curves",
)


def main() -> int:
    """Run them; the exit status is 1 if one of them could not be measured."""
    arguments, failed = sys.argv[1:], False
    for name in NAMES:
        failed |= _run(name, *arguments) != 0
    if "--quick" not in arguments:
        failed |= _run("draw") != 0
    return int(failed)


def _run(name: str, *arguments: str) -> int:
    command = [sys.executable, "-m", f"benchmarks.{name}", *arguments]
    return subprocess.run(command, cwd=ROOT, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
