"""Scene 7: a judge and custodians read a tip each, with stock tools and without the desk."""

import hashlib
import re
import subprocess
from pathlib import Path

import pytest
from tests.journey.test_1_a_programme_is_founded import gazette
from tests.system_tools import need_tool

from safeconduct.demo.showing import CUSTODIANS, ENOUGH
from safeconduct.demo.tips import CLERK_TEXT, ENGINEER_TEXT
from safeconduct.protocol.record import parse_record

FILES = {
    "judge": ("court/tip.age", CLERK_TEXT),
    "custodians": ("custodians/engineer.age", ENGINEER_TEXT),
}
JARGON = ("merkle", "leaf", "cosign", "ed25519", "ml-dsa", "stanza", "ciphertext")


def unlock(
    played: Path, sealed: str, reader: str, out: Path
) -> subprocess.CompletedProcess[bytes]:
    """Debian's `age`, given the identity file of a reader."""
    tool = need_tool("age", "age")
    identity = played / "read" / reader / "identity.txt"
    command = [tool, "--decrypt", "-i", str(identity), "-o", str(out), str(played / sealed)]
    return subprocess.run(command, capture_output=True, check=False)


@pytest.mark.parametrize("reader", FILES)
def test_a_tip_opens_with_age_and_tar(played: Path, tmp_path: Path, reader: str) -> None:
    sealed, text = FILES[reader]
    done = unlock(played, sealed, reader, tmp_path / "tip.tar")
    assert done.returncode == 0, done.stderr
    subprocess.run(["tar", "--extract", "--file", "tip.tar"], cwd=tmp_path, check=True)
    assert (tmp_path / "f0001").read_text() == text


@pytest.mark.parametrize("reader", FILES)
def test_nobody_opens_what_was_locked_for_another(
    played: Path, tmp_path: Path, reader: str
) -> None:
    [sealed] = [path for other, (path, _) in FILES.items() if other != reader]
    assert unlock(played, sealed, reader, tmp_path / "tip.tar").returncode != 0
    assert not (tmp_path / "tip.tar").exists()


def test_the_archives_key_is_certified_with_how_many_custodians_it_takes(played: Path) -> None:
    [archive] = gazette(played).archives
    assert (archive.threshold, archive.shares) == (ENOUGH, CUSTODIANS)
    shares = list((played / "custodians").glob("share-*.txt"))
    assert len(shares) == CUSTODIANS
    assert all(archive.recipient in path.read_text() for path in shares)


def test_what_a_judge_gets_holds_the_dated_bytes(played: Path) -> None:
    court = played / "court"
    record = parse_record((court / "tip.record").read_bytes(), "contribution")
    sealed = (court / "tip.age").read_bytes()
    payload = sealed[-record.number("size") :]
    assert hashlib.sha256(payload).digest() == record.hash("payload")
    assert (court / "tip.record").read_bytes() == (
        played / "receipts" / "clerk.record"
    ).read_bytes()


def test_the_page_for_a_judge_is_in_plain_words_and_its_checks_come_out(played: Path) -> None:
    court = played / "court"
    text = (court / "explanation.txt").read_text()
    page = (court / "explanation.html").read_text()
    for heading in ("What is certain", "What is not proven", "How to read it"):
        assert heading in text
        assert heading in page
    assert not [word for word in JARGON if word in text.lower()]
    commands = re.findall(
        r"^    (sha256sum .*|tail .*)\n    ([0-9a-f]{64})$", text, re.MULTILINE
    )
    assert len(commands) == 2
    for command, digest in commands:
        done = subprocess.run(["sh", "-c", command], cwd=court, capture_output=True, check=True)
        assert done.stdout.decode().split()[0] == digest, command
