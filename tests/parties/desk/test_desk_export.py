"""A tip given to assessors: another header, the same payload, read by stock tools."""

import argparse
import io
import os
import select
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from tests.parties.desk.desk_world import World
from tests.system_tools import need_tool

from safeconduct.errors import MalformedError, RefusedError, UnavailableError
from safeconduct.parties.desk import keys_command
from safeconduct.parties.desk.export import RECIPIENTS_MAX, export, passphrase_recipient
from safeconduct.protocol import age
from safeconduct.protocol.age.scrypt import WORK_FACTOR
from safeconduct.protocol.record import format_record

FILES = {"message.txt": b"the ledger of May is attached\n", "scan.bin": bytes(range(256))}
READER = age.x25519_identity(b"\x0c" * 32)
OTHER = age.x25519_identity(b"\x0d" * 32)
HYBRID = age.hybrid_identity(b"\x0e" * 32)
PASSPHRASE = "four words nobody guesses"
PATIENCE_SECONDS = 120


@pytest.fixture
def digest(world: World) -> bytes:
    made = world.send(0, FILES)
    world.run()
    return made


def _members(data: bytes) -> dict[str, bytes]:
    """What stock `tar` lists and holds, by member name."""
    tar = need_tool("tar", "tar")
    listed = subprocess.run([tar, "t"], input=data, capture_output=True, check=True).stdout
    names = listed.decode().split()
    return {
        name: subprocess.run(
            [tar, "xO", name], input=data, capture_output=True, check=True
        ).stdout
        for name in names
    }


def _opened(folder: Path, sealed: Path, identity: age.SecretIdentity) -> dict[str, bytes]:
    key = folder / "assessor.key"
    key.write_text(age.format_identity(identity) + "\n")
    command = [need_tool("age", "age"), "-d", "-i", str(key), str(sealed)]
    return _members(subprocess.run(command, capture_output=True, check=True).stdout)


@pytest.mark.parametrize("armor", [False, True])
def test_each_assessor_opens_it_with_stock_age_and_tar(
    world: World, digest: bytes, tmp_path: Path, armor: bool
) -> None:
    out = tmp_path / "tip.age"
    recipients = [READER.recipient(), OTHER.recipient()]
    export(world.desk, digest, recipients, out, armor=armor)
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    assert out.read_bytes().startswith(b"-----BEGIN" if armor else b"age-encryption.org/v1")
    for identity in (READER, OTHER):
        found = _opened(tmp_path, out, identity)
        assert list(found) == ["safeconduct.json", "f0001", "f0002"]
        assert [found["f0001"], found["f0002"]] == list(FILES.values())


def test_the_payload_is_the_one_that_was_committed_to(
    world: World, digest: bytes, tmp_path: Path
) -> None:
    export(world.desk, digest, [HYBRID.recipient()], tmp_path / "tip.age")
    header, payload = age.split_header([(tmp_path / "tip.age").read_bytes()])
    assert b"".join(payload) == world.door.payloads[digest]
    assert age.single_stanza(header).kind == "mlkem768x25519"


def test_a_passphrase_opens_it_in_stock_age(
    world: World, digest: bytes, tmp_path: Path
) -> None:
    recipient = passphrase_recipient(PASSPHRASE, PASSPHRASE)
    assert recipient.work_factor == WORK_FACTOR
    out = tmp_path / "tip.age"
    export(world.desk, digest, [recipient], out, armor=True)
    tar = tmp_path / "tip.tar"
    _typed([need_tool("age", "age"), "-d", "-o", str(tar), str(out)], PASSPHRASE)
    assert _members(tar.read_bytes())["f0001"] == FILES["message.txt"]


# Stock age asks for passphrases at its controlling terminal and nowhere else.
_AT_TERMINAL = """
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.argv[1], sys.argv[1:])
"""


def _typed(command: list[str], line: str) -> None:
    """Run a command that asks at its terminal, and type `line`."""
    ours, theirs = os.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", _AT_TERMINAL, *command],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    shown = b""
    while b"assphrase" not in shown:
        assert select.select([ours], [], [], PATIENCE_SECONDS)[0]
        shown += os.read(ours, 1_000)
    os.write(ours, line.encode() + b"\n")
    assert process.wait(PATIENCE_SECONDS) == 0
    os.close(ours)
    os.close(theirs)


class TestRefused:
    """What leaves no file."""

    def test_two_kinds_of_recipients(self, world: World, digest: bytes, tmp_path: Path) -> None:
        with pytest.raises(RefusedError, match="one kind"):
            export(
                world.desk,
                digest,
                [READER.recipient(), HYBRID.recipient()],
                tmp_path / "tip.age",
            )
        assert not (tmp_path / "tip.age").exists()

    @pytest.mark.parametrize("count", [0, RECIPIENTS_MAX + 1])
    def test_none_and_too_many(
        self, world: World, digest: bytes, tmp_path: Path, count: int
    ) -> None:
        with pytest.raises(RefusedError, match="needs 1 to"):
            export(world.desk, digest, [READER.recipient()] * count, tmp_path / "tip.age")

    def test_a_recipient_of_low_order(
        self, world: World, digest: bytes, tmp_path: Path
    ) -> None:
        with pytest.raises(MalformedError):
            export(
                world.desk,
                digest,
                [age.X25519Recipient(public=bytes(32))],
                tmp_path / "tip.age",
            )
        assert not (tmp_path / "tip.age").exists()

    def test_a_tip_that_was_never_opened_whole(self, world: World, tmp_path: Path) -> None:
        envelope = world.seal(0, FILES)
        stranger = age.seal_header(envelope.file_key, [READER.recipient()], world.chance)
        digest = world.door.deliver(
            format_record(envelope.record), stranger, b"".join(envelope.payload())
        )
        world.run()
        with pytest.raises(RefusedError, match="not opened whole"):
            export(world.desk, digest, [READER.recipient()], tmp_path / "tip.age")

    def test_a_tip_whose_epochs_keys_are_destroyed_is_the_custodians(
        self, world: World, digest: bytes, tmp_path: Path
    ) -> None:
        world.desk.keys.destroy(1)
        with pytest.raises(RefusedError, match="not on this machine") as caught:
            export(world.desk, digest, [READER.recipient()], tmp_path / "tip.age")
        assert "custodians" in caught.value.hint

    def test_a_payload_that_was_damaged_meanwhile(
        self, world: World, digest: bytes, tmp_path: Path
    ) -> None:
        path = world.desk.store.payload_path(digest)
        path.write_bytes(bytes([1]) + path.read_bytes()[1:])
        with pytest.raises(UnavailableError, match="damaged"):
            export(world.desk, digest, [READER.recipient()], tmp_path / "tip.age")
        assert list(tmp_path.glob("*.age*")) == list(tmp_path.glob(".*.tmp")) == []

    def test_a_name_that_is_taken(self, world: World, digest: bytes, tmp_path: Path) -> None:
        (tmp_path / "tip.age").symlink_to(tmp_path / "elsewhere")
        with pytest.raises(RefusedError, match="already exists"):
            export(world.desk, digest, [READER.recipient()], tmp_path / "tip.age")

    @pytest.mark.parametrize(
        ("first", "second", "reason"),
        [
            (PASSPHRASE, PASSPHRASE + "!", "differ"),
            ("abc!", "abc!", "shorter than 10 characters"),
        ],
    )
    def test_a_passphrase_with_a_slip_or_that_is_guessed(
        self, first: str, second: str, reason: str
    ) -> None:
        with pytest.raises(RefusedError, match=reason) as caught:
            passphrase_recipient(first, second)
        assert first not in f"{caught.value} {caught.value.hint}"


class TestCommand:
    """`safeconduct desk export`, as it is typed."""

    def _run(self, world: World, monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
        monkeypatch.setattr(keys_command, "open_desk", lambda _: world.desk)
        parser = argparse.ArgumentParser(prog="safeconduct desk")
        keys_command.add_verbs(parser.add_subparsers())
        arguments = parser.parse_args(["export", *words, "--dir", str(world.folder)])
        code: int = arguments.run(arguments)
        return code

    def test_the_passphrase_is_piped_twice_and_never_shown(
        self,
        world: World,
        digest: bytes,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        monkeypatch.setattr("sys.stdin", io.StringIO(f"{PASSPHRASE}\n" * 2))
        out = tmp_path / "tip.age"
        words = (digest.hex()[:9], "--passphrase", "--out", str(out))
        assert self._run(world, monkeypatch, *words) == 0
        told = capsys.readouterr()
        assert PASSPHRASE not in told.out + told.err
        parsed, payload = age.split_header([out.read_bytes()])
        key = age.unwrap(parsed, [age.ScryptIdentity(passphrase=PASSPHRASE)])
        assert b"the ledger of May" in b"".join(age.open_stream(key, payload))

    def test_recipients_are_given_one_by_one(
        self, world: World, digest: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        to = [
            word
            for identity in (READER, OTHER)
            for word in ("--to", age.format_recipient(identity.recipient()))
        ]
        out = tmp_path / "tip.age"
        assert self._run(world, monkeypatch, digest.hex(), *to, "--out", str(out)) == 0
        parsed, _ = age.split_header([out.read_bytes()])
        assert len(parsed.stanzas) == 2

    def test_a_reader_must_be_named(
        self, world: World, digest: bytes, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with pytest.raises(SystemExit, match="2"):
            self._run(world, monkeypatch, digest.hex(), "--out", "tip.age")
