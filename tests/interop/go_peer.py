"""The program in go/, built from Debian's packages of Go and golang.org/x/mod, and asked."""

import base64
import json
import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.system_tools import need_tool

SOURCES = Path(__file__).parent / "go"
GOPATH = Path("/usr/share/gocode")
"""Where Debian puts the sources of Go libraries."""
_MODULE = GOPATH / "src/golang.org/x/mod/sumdb/tlog"
_SECONDS = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What x/mod says of a note or a key; `error` is empty where it accepts."""

    error: str
    text: str
    verified: list[str]
    unverified: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A note, to be opened under `vkeys`, or the text of a key."""

    kind: str
    data: bytes
    vkeys: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """The built program."""

    path: Path

    def run(self, *arguments: str, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        """One verb of the program, to its end, whatever that is."""
        command = [str(self.path), *arguments]
        return subprocess.run(command, input=given, capture_output=True, timeout=_SECONDS)

    def ask(self, *arguments: str, given: bytes = b"") -> Any:
        """What a verb answers; it must not fail."""
        done = self.run(*arguments, given=given)
        assert done.returncode == 0, done.stderr.decode()
        return json.loads(done.stdout)

    def judge(self, questions: Sequence[Question]) -> list[Verdict]:
        """x/mod's verdicts, in the order of the questions."""
        asked = [
            {
                "kind": question.kind,
                "data": base64.b64encode(question.data).decode(),
                "vkeys": list(question.vkeys),
            }
            for question in questions
        ]
        answers = self.ask("judge", given=json.dumps(asked).encode())
        return [
            Verdict(
                error=answer["error"],
                text=answer["text"],
                verified=answer["verified"] or [],
                unverified=answer["unverified"] or [],
            )
            for answer in answers
        ]


def build(folder: Path) -> Peer:
    """The program, built in `folder` from Debian's packages alone."""
    go = need_tool("go", "golang-go")
    _need_module()
    path = folder / "peer"
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "GO111MODULE": "off",
        "GOPATH": str(GOPATH),
        "GOCACHE": str(folder / "cache"),
        "GOFLAGS": "",
        "GOPROXY": "off",
    }
    built = subprocess.run(
        [go, "build", "-o", str(path), *map(str, sorted(SOURCES.glob("*.go")))],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=_SECONDS,
    )
    assert built.returncode == 0, built.stderr
    return Peer(path=path)


def _need_module() -> None:
    if _MODULE.is_dir():
        return
    reason = f"NOT TESTED: no {_MODULE}; install the package golang-golang-x-mod-dev"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)
