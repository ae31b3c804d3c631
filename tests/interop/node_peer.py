"""npm's `age-encryption`, run by the Node that the locked requirements bring, and asked."""

import base64
import json
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests import npm

SOURCES = Path(__file__).parent / "node"


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
            [str(npm.NODE), "peer.mjs"],
            cwd=self.folder,
            input=json.dumps(list(questions)).encode(),
            capture_output=True,
            timeout=npm.SECONDS,
        )
        assert done.returncode == 0, done.stderr.decode()
        return [
            Answer(ok=one.get("ok", ""), error=one.get("error", ""))
            for one in json.loads(done.stdout)
        ]


def install(folder: Path) -> NodePeer:
    """The peer, installed in `folder` from its lock file: every package by its hash."""
    npm.install(SOURCES, folder, ["peer.mjs"])
    return NodePeer(folder=folder)
