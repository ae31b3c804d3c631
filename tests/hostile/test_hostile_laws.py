"""Verbs that read laws are given laws made to do harm: one error, at its line, and soon."""

import os
import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.hostile.console import Console, check_refused
from tests.hostile.hostile_laws import FACTS, LAWS, written
from tests.protocol.statute.laws import small_law
from tests.protocol.statute.test_hostile_statutes import X

from safeconduct.errors import MalformedError

SECONDS_MAX = 60.0  # on the slowest machine; what explodes takes for ever
MESSAGE_MAX = 1_500  # characters
GOOD = "statutes/example/acquittal/statute.yaml"
VERBS = (
    "statute lint law.yaml",
    "statute lint --json law.yaml",
    "statute test law.yaml",
    "statute compile law.yaml",
    "statute eval law.yaml facts.json",
    "statute eval law.yaml facts.json --as-of 2027-06-01T00:00:00Z",
    f"statute eval {GOOD} facts.json --beside law.yaml",
    "statute try law.yaml",
    "statute try law.yaml --listen 127.0.0.1:nowhere",
    f"statute diff law.yaml {GOOD}",
    f"statute diff {GOOD} law.yaml",
    "statute publish law.yaml --programme programme --out made",
    "board statute --law law.yaml --programme programme --out made",
)
MENDED = {"shaped: a version before itself", "shaped: a version of another hash"}
"""Whoever publishes a law need not write what it follows: the Gazette says that."""
OF_FOLDERS = (
    "statute lint laws",
    "statute test laws",
    "statute eval laws facts.json",
    "statute try laws",
    "statute diff laws",
)
OF_FACTS = (
    f"statute eval {GOOD} bad.yaml",
    f"statute eval {GOOD} bad.yaml --as-of 2027-06-01T00:00:00Z --json",
    f"statute try {GOOD} --facts bad.yaml",
    f"statute try {GOOD} --facts bad.yaml --listen 127.0.0.1:nowhere",
)


def refused_at(console: Console, command: str, kind: str, file: str) -> None:
    """One error, soon, which names the file and, unless the whole of it is wrong, the line."""
    began = time.monotonic()
    code = console.run(command)
    assert time.monotonic() - began < SECONDS_MAX, kind
    check_refused(console, f"{command} ({kind})", code)
    assert code == MalformedError.exit_code, f"{kind}: {console.said}"
    message = console.said.splitlines()[0]
    assert len(message) < MESSAGE_MAX, kind
    where = rf"error: {re.escape(file)}(:[1-9][0-9]*:[1-9][0-9]*)?: \S"
    assert re.match(where, message), f"{kind}: {message[:300]}"


@pytest.mark.parametrize("command", VERBS)
def test_a_hostile_law_is_refused_at_its_line(console: Console, command: str) -> None:
    before = console.held()
    for kind, data in LAWS.items():
        if kind not in MENDED or " --programme " not in command:
            (console.folder / "law.yaml").write_bytes(data)
            refused_at(console, command, kind, "law.yaml")
    assert console.held() == before


@pytest.mark.parametrize("command", OF_FOLDERS)
def test_a_hostile_version_is_refused_at_its_line(console: Console, command: str) -> None:
    before = console.held()
    (console.folder / "laws").mkdir()
    for kind, data in LAWS.items():
        (console.folder / "laws" / "1.yaml").write_bytes(data)
        refused_at(console, command, kind, "laws/1.yaml")
    assert console.held() == before


@pytest.mark.parametrize("command", OF_FACTS)
def test_hostile_facts_are_refused_at_their_line(console: Console, command: str) -> None:
    before = console.held()
    for kind, data in FACTS.items():
        (console.folder / "bad.yaml").write_bytes(data)
        refused_at(console, command, kind, "bad.yaml")
    assert console.held() == before


def _version(number: int, supersedes: str = "previous") -> bytes:
    document = small_law(X)
    document["version"]["number"] = number
    if number > 1:
        document["version"]["supersedes"] = supersedes
    return written(document)


def _gap(folder: Path) -> None:
    (folder / "1.yaml").write_bytes(_version(1))
    (folder / "3.yaml").write_bytes(_version(3))


def _twice(folder: Path) -> None:
    (folder / "1.yaml").write_bytes(_version(1))
    (folder / "1.json").write_bytes(_version(1))


def _circle(folder: Path) -> None:
    """The first follows the second, which follows the first."""
    first = small_law(X)
    first["version"]["supersedes"] = "previous"
    (folder / "1.yaml").write_bytes(written(first))
    (folder / "2.yaml").write_bytes(_version(2))


def _same_number(folder: Path) -> None:
    (folder / "1.yaml").write_bytes(_version(1))
    (folder / "2.yaml").write_bytes(_version(1))


def _another_past(folder: Path) -> None:
    (folder / "1.yaml").write_bytes(_version(1))
    (folder / "2.yaml").write_bytes(_version(2, "ab" * 32))


def _folder_for_a_file(folder: Path) -> None:
    (folder / "1.yaml").write_bytes(_version(1))
    (folder / "2.yaml").mkdir()


def _link_to_itself(folder: Path) -> None:
    (folder / "1.yaml").write_bytes(_version(1))
    (folder / "2.yaml").symlink_to("2.yaml")


def _pipe(folder: Path) -> None:
    (folder / "1.yaml").write_bytes(_version(1))
    os.mkfifo(folder / "2.yaml")


def _thousands(folder: Path) -> None:
    for number in range(1, 200):
        (folder / f"{number}.yaml").write_bytes(b"{}")


FOLDERS: dict[str, Callable[[Path], None]] = {
    "nothing in it": lambda _: None,
    "a version missing": _gap,
    "a version in two files": _twice,
    "versions in a circle": _circle,
    "two of one number": _same_number,
    "a version of another past": _another_past,
    "a folder for a file": _folder_for_a_file,
    "a link to itself": _link_to_itself,
    "a pipe that nobody writes to": _pipe,
    "too many versions": _thousands,
}


@pytest.mark.parametrize("kind", FOLDERS)
def test_a_hostile_folder_of_versions_is_refused(console: Console, kind: str) -> None:
    (console.folder / "laws").mkdir()
    FOLDERS[kind](console.folder / "laws")
    before = console.held()
    for command in OF_FOLDERS:
        began = time.monotonic()
        code = console.run(command)
        assert time.monotonic() - began < SECONDS_MAX
        check_refused(console, f"{command} ({kind})", code)
        assert "laws" in console.said
    assert console.held() == before
