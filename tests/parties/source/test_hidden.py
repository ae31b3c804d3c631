"""A source is told what files say inside, and sends copies without it on request."""

import argparse
import zlib
from pathlib import Path

import pytest

from safeconduct.errors import RefusedError, UnavailableError
from safeconduct.parties.source.hidden import warn_of_hidden_data, without_hidden_data
from safeconduct.parties.source.options import read_sources
from safeconduct.plumbing import metadata

AUTHOR = b"Ada Example"


def chunk(kind: bytes, data: bytes) -> bytes:
    total = zlib.crc32(kind + data).to_bytes(4, "big")
    return len(data).to_bytes(4, "big") + kind + data + total


PICTURE = (
    b"\x89PNG\r\n\x1a\n"
    + chunk(b"IHDR", b"\0\0\0\1\0\0\0\1\x08\2\0\0\0")
    + chunk(b"tEXt", b"Author\0" + AUTHOR)
    + chunk(b"IDAT", zlib.compress(b"\0\1\2\3"))
    + chunk(b"IEND", b"")
)


@pytest.fixture
def options(tmp_path: Path) -> argparse.Namespace:
    (tmp_path / "letter.txt").write_bytes(b"hello")
    (tmp_path / "me.png").write_bytes(PICTURE)
    return argparse.Namespace(
        message=tmp_path / "letter.txt", files=[tmp_path / "me.png"], clean=False
    )


def contents(options: argparse.Namespace) -> dict[str, bytes]:
    found = without_hidden_data(options, read_sources(options))
    return {source.name: b"".join(source.read()) for source in found}


def test_what_files_say_inside_is_told_and_they_are_sent_as_they_are(
    options: argparse.Namespace, capsys: pytest.CaptureFixture[str]
) -> None:
    assert contents(options) == {"message.txt": b"hello", "me.png": PICTURE}
    told = capsys.readouterr().err
    assert "me.png says inside: Author: Ada Example" in told
    assert "--clean" in told
    assert "message.txt says" not in told


def test_copies_without_it_are_sent_on_request(
    options: argparse.Namespace, capsys: pytest.CaptureFixture[str]
) -> None:
    options.clean = True
    sent = contents(options)
    assert sent["message.txt"] == b"hello"
    assert sent["me.png"].startswith(b"\x89PNG")
    assert AUTHOR not in sent["me.png"]
    assert options.files[0].read_bytes() == PICTURE
    assert capsys.readouterr().err == ""


def test_what_cannot_be_cleaned_is_not_sent_by_mistake(
    options: argparse.Namespace, tmp_path: Path
) -> None:
    (tmp_path / "film.xyz").write_bytes(b"?")
    options.clean, options.files = True, [tmp_path / "film.xyz"]
    with pytest.raises(RefusedError, match=r"film\.xyz"):
        contents(options)


def test_without_mat2_nothing_is_told_and_nothing_can_be_cleaned(
    options: argparse.Namespace,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(metadata, "available", lambda: False)
    warn_of_hidden_data(options, read_sources(options))
    assert capsys.readouterr().err == ""
    options.clean = True
    with pytest.raises(UnavailableError, match="mat2"):
        contents(options)
