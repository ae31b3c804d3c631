"""`safeconduct board new-issuing-key`: a key for one group, once, and a draft to sign."""

import argparse
from pathlib import Path
from types import SimpleNamespace

import pytest
from tests.protocol.builders import by_board
from tests.protocol.credited import entries, group, issuing_pem, state
from tests.system_tools import need_tool

from safeconduct.errors import MalformedError, RefusedError, UnverifiedError
from safeconduct.parties.board import issuing_command
from safeconduct.parties.board.sign import read_draft
from safeconduct.plumbing import openssl
from safeconduct.protocol.canonical import parse_base64
from safeconduct.protocol.gazette import CreditGroup, GazetteState, fold, fold_all

BLIND = fold_all(entries("blind")[:3])
"""A law with blind credits, before any key was published."""


@pytest.fixture(autouse=True)
def openssl_tool() -> str:
    """The path of the tool that these tests are about."""
    return need_tool("openssl", "openssl")


@pytest.fixture(autouse=True)
def gazette(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """What the verb will find in the Gazette."""
    view = SimpleNamespace(state=BLIND)
    monkeypatch.setattr(issuing_command, "load_programme", lambda folder: folder)
    monkeypatch.setattr(issuing_command, "read_gazette", lambda programme: view)
    return view


@pytest.fixture
def key(tmp_path: Path) -> Path:
    path = tmp_path / "issuing.pem"
    path.touch(mode=0o600)
    path.write_bytes(issuing_pem())
    return path


def run(path: Path, *more: str, wanted: CreditGroup | None = None) -> int:
    wanted = wanted or group("blind")
    parser = argparse.ArgumentParser()
    issuing_command.add_verbs(parser.add_subparsers())
    words = ["new-issuing-key", "--programme", "p", "--key", str(path), *more]
    words += ["--statute-hash", wanted.statute.hex()]
    words += ["--class", wanted.word, "--period", str(wanted.period)]
    options = parser.parse_args(words)
    return int(options.run(options))


def test_the_key_is_made_and_the_gazette_takes_its_draft(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "offline" / "useful-1.pem"
    assert run(path) == 0
    draft, told = capsys.readouterr()
    assert path.stat().st_mode & 0o777 == 0o600
    record, _ = read_draft(draft.encode())
    published = parse_base64(record.word("key"), "key")
    assert published == openssl.public_der(path)
    after = fold(BLIND, by_board(record))
    assert after.issuing_key(group("blind")).key.der == published
    for line in path.read_text().splitlines()[1:-1]:
        assert line not in draft + told


def test_a_key_made_before_gets_the_same_draft_again(
    key: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    drafts = []
    for _ in range(2):
        assert run(key, "--existing") == 0
        drafts.append(capsys.readouterr().out.encode())
    assert drafts[0] == drafts[1]
    record, _ = read_draft(drafts[0])
    assert by_board(record) == entries("blind")[3]


REFUSED: dict[str, tuple[GazetteState, CreditGroup, type[Exception], str]] = {
    "a group that has its key": (state("blind"), group("blind"), RefusedError, "no other"),
    "plain credits": (state(), group(), RefusedError, "not blind"),
    "a class without credits": (
        BLIND,
        group("blind", "worthless"),
        MalformedError,
        "no credits of this class",
    ),
    "a period without credits": (
        BLIND,
        group("blind", period=2),
        MalformedError,
        "no such period",
    ),
    "a law that never was": (
        BLIND,
        CreditGroup(statute=bytes(32), word="useful", period=1),
        UnverifiedError,
        "never published",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_no_key_is_made_for(name: str, tmp_path: Path, gazette: SimpleNamespace) -> None:
    gazette.state, wanted, error, reason = REFUSED[name]
    with pytest.raises(error, match=reason):
        run(tmp_path / "key", wanted=wanted)
    assert list(tmp_path.iterdir()) == []


def test_no_key_is_overwritten(key: Path) -> None:
    with pytest.raises(RefusedError, match="already exists"):
        run(key)
    assert key.read_bytes() == issuing_pem()
