"""One audit of one log's copy in a process of its own, so that its memory can be read.

    python -m benchmarks.audit_once FOLDER POLICY

Prints JSON: the seconds that the audit took, and the peak memory of the process in KiB.
"""

import json
import sys
from pathlib import Path

from benchmarks.measure import timed
from safeconduct.parties.auditor.folder import Folder
from safeconduct.parties.auditor.logs import audit_logs
from safeconduct.protocol.tlog.policy import parse_policy


def main() -> None:
    """Audit, and tell what it took."""
    folder, policy = (
        Folder(root=Path(sys.argv[1])),
        parse_policy(Path(sys.argv[2]).read_bytes()),
    )
    took, results = timed(lambda: audit_logs(folder, policy))
    if not all(result.holds for result in results):
        raise SystemExit(f"the audit did not pass: {results}")
    sys.stdout.write(json.dumps({"seconds": took, "peak_kib": _peak_kib()}) + "\n")


def _peak_kib() -> int:
    """The most memory that this process had; getrusage would tell its parent's as well."""
    for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1])
    raise SystemExit("the system does not tell a process's peak memory")


if __name__ == "__main__":
    main()
