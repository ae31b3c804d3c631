"""The record that offers a client: about just this file, and one that the Gazette takes."""

import hashlib
from pathlib import Path

import pytest
from tests.protocol.builders import by_board, gazette_state

from safeconduct.errors import MalformedError, UnavailableError
from safeconduct.parties.board.programme_command import draft_client
from safeconduct.protocol.gazette import fold

STATE = gazette_state()


def test_a_draft_is_what_the_gazette_takes_once_it_is_signed(tmp_path: Path) -> None:
    path = tmp_path / "client.pyz"
    path.write_bytes(b"x" * 3_000_000)
    state = fold(STATE, by_board(draft_client(STATE, path, "linux-x86_64-cp311", "0.1.0")))
    client = state.client("linux-x86_64-cp311")
    assert client is not None
    assert (client.size, client.number) == (3_000_000, 1)
    assert client.sha256 == hashlib.sha256(path.read_bytes()).digest()
    assert draft_client(state, path, "macos-arm64", "0.1.0").number("number") == 2


@pytest.mark.parametrize(
    ("platform", "version", "data"),
    [
        ("Linux", "0.1.0", b"x"),
        ("a/b", "0.1.0", b"x"),
        ("linux", "0.1 beta", b"x"),
        ("linux", "0.1.0", b""),
    ],
    ids=["a platform in capitals", "a platform with a slash", "a blank", "an empty file"],
)
def test_what_the_gazette_would_not_take_is_not_drafted(
    platform: str, version: str, data: bytes, tmp_path: Path
) -> None:
    path = tmp_path / "client.pyz"
    path.write_bytes(data)
    with pytest.raises(MalformedError):
        draft_client(STATE, path, platform, version)


def test_a_file_that_is_not_there_is_not_drafted(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError):
        draft_client(STATE, tmp_path / "none", "linux", "0.1.0")
