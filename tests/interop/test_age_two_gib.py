"""Two gibibytes through us and Debian's `age`, each way, by pipes: nothing is kept whole."""

import hashlib
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from tests.protocol.age.chance import dice
from tests.system_tools import need_tool

from safeconduct.protocol import age

PIECE = dice(b"two gibibytes")(1 << 20)
PIECES = 2_048
READ_BYTES = 1 << 20
KEY = age.x25519_identity(b"\x11" * 32)


def content() -> Iterator[bytes]:
    """2 GiB of which no two MiB are alike."""
    for number in range(PIECES):
        yield number.to_bytes(8, "big") + PIECE[8:]


def digest(chunks: Iterator[bytes]) -> str:
    found = hashlib.sha256()
    for chunk in chunks:
        found.update(chunk)
    return found.hexdigest()


def read_from(pipe: IO[bytes]) -> Iterator[bytes]:
    while chunk := pipe.read(READ_BYTES):
        yield chunk


def feed(pipe: IO[bytes], chunks: Iterator[bytes]) -> threading.Thread:
    def write() -> None:
        with pipe:
            for chunk in chunks:
                pipe.write(chunk)

    thread = threading.Thread(target=write, daemon=True)
    thread.start()
    return thread


def test_two_gibibytes_pass_between_us_and_the_age_tool_both_ways(tmp_path: Path) -> None:
    tool = need_tool("age", "age")
    identity = tmp_path / "key.txt"
    identity.write_text(age.format_identity(KEY) + "\n")
    ours = age.seal([KEY.recipient()], content(), dice())
    theirs = [tool, "--encrypt", "--recipient", age.format_recipient(KEY.recipient())]
    whole = digest(content())
    pipe = subprocess.PIPE

    with subprocess.Popen(
        [tool, "--decrypt", "--identity", str(identity)], stdin=pipe, stdout=pipe
    ) as opening:
        assert opening.stdin is not None
        assert opening.stdout is not None
        feed(opening.stdin, ours)
        assert digest(read_from(opening.stdout)) == whole
    assert opening.returncode == 0

    with subprocess.Popen(theirs, stdin=pipe, stdout=pipe) as sealing:
        assert sealing.stdin is not None
        assert sealing.stdout is not None
        feed(sealing.stdin, content())
        assert digest(age.open_([KEY], read_from(sealing.stdout))) == whole
    assert sealing.returncode == 0
