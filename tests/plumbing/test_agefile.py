"""Age files on a disk: they are there whole, or they are not there."""

import errno
import hashlib
import os
import subprocess
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path

import pyrage
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.protocol.age.chance import dice, in_pieces
from tests.protocol.age.test_age_vectors import FILES, read_vector
from tests.system_tools import need_tool

from safeconduct.errors import RefusedError, SafeconductError, UnavailableError
from safeconduct.plumbing import durable
from safeconduct.plumbing.agefile import open_file, seal_file, swap_file
from safeconduct.protocol import age

CLASSIC = age.x25519_identity(b"\x11" * 32)
HYBRID = age.hybrid_identity(b"\x22" * 32)
PASSPHRASE = "correct horse battery staple"
CONTENT = dice(b"content")(200_001)


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    path = tmp_path / "plain"
    path.write_bytes(CONTENT)
    return path


@pytest.fixture
def sealed(plain: Path, tmp_path: Path) -> Path:
    seal_file(plain, tmp_path / "sealed.age", [CLASSIC.recipient()], dice())
    return tmp_path / "sealed.age"


OPENERS: dict[str, tuple[age.Recipient, age.Identity]] = {
    "X25519": (CLASSIC.recipient(), CLASSIC),
    "hybrid": (HYBRID.recipient(), HYBRID),
    "passphrase": (
        age.ScryptRecipient(passphrase=PASSPHRASE, work_factor=4),
        age.ScryptIdentity(passphrase=PASSPHRASE),
    ),
}


@pytest.mark.parametrize("armor", [False, True], ids=["bytes", "text"])
@pytest.mark.parametrize(("recipient", "identity"), OPENERS.values(), ids=OPENERS)
def test_a_sealed_file_opens_to_the_bytes_that_were_sealed(
    recipient: age.Recipient, identity: age.Identity, armor: bool, plain: Path, tmp_path: Path
) -> None:
    seal_file(plain, tmp_path / "sealed", [recipient], dice(), armor=armor)
    open_file(tmp_path / "sealed", tmp_path / "opened", [identity])
    assert (tmp_path / "opened").read_bytes() == CONTENT
    assert (tmp_path / "sealed").read_bytes().startswith(b"-----BEGIN AGE") == armor
    assert sorted(os.listdir(tmp_path)) == ["opened", "plain", "sealed"]


@settings(max_examples=30, suppress_health_check=list(HealthCheck))
@given(st.lists(st.binary(max_size=300) | st.integers(65_000, 70_000).map(bytes), max_size=8))
def test_pieces_of_any_sizes_are_sealed(tmp_path: Path, chunks: list[bytes]) -> None:
    seal_file(chunks, tmp_path / "sealed", [CLASSIC.recipient()], dice())
    file = (tmp_path / "sealed").read_bytes()
    assert b"".join(age.open_([CLASSIC], [file])) == b"".join(chunks)
    open_file(in_pieces(file, 9_999), tmp_path / "opened", [CLASSIC])
    assert (tmp_path / "opened").read_bytes() == b"".join(chunks)


def test_what_is_written_is_its_owners_alone(sealed: Path, tmp_path: Path) -> None:
    open_file(sealed, tmp_path / "opened", [CLASSIC])
    for path in (sealed, tmp_path / "opened"):
        assert path.stat().st_mode & 0o777 == 0o600


def test_a_swapped_file_has_the_same_payload_and_another_reader(
    sealed: Path, tmp_path: Path
) -> None:
    target = tmp_path / "archive.age"
    swap_file(sealed, target, CLASSIC, HYBRID.recipient(), dice())
    old, new = sealed.read_bytes(), target.read_bytes()
    assert old[age.parse_header(old)[1] :] == new[age.parse_header(new)[1] :]
    open_file(target, tmp_path / "opened", [HYBRID])
    assert (tmp_path / "opened").read_bytes() == CONTENT
    with pytest.raises(SafeconductError, match="no identity"):
        open_file(target, tmp_path / "again", [CLASSIC])


# With other people's tools.


@pytest.fixture
def key_file(tmp_path: Path) -> str:
    path = tmp_path / "key.txt"
    path.write_text(age.format_identity(CLASSIC) + "\n")
    return str(path)


def run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("armor", [[], ["--armor"]], ids=["bytes", "text"])
def test_the_age_tool_and_we_open_each_others_files(
    armor: list[str], plain: Path, tmp_path: Path, key_file: str
) -> None:
    tool, to_us = need_tool("age", "age"), age.format_recipient(CLASSIC.recipient())
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    seal_file(plain, ours, [CLASSIC.recipient()], dice(), armor=bool(armor))
    run(tool, "-r", to_us, *armor, "-o", str(theirs), str(plain))
    run(tool, "-d", "-i", key_file, "-o", str(tmp_path / "by-them"), str(ours))
    open_file(theirs, tmp_path / "by-us", [CLASSIC])
    assert (tmp_path / "by-them").read_bytes() == (tmp_path / "by-us").read_bytes() == CONTENT


def test_pyrage_and_we_open_each_others_files(plain: Path, tmp_path: Path) -> None:
    identity = pyrage.x25519.Identity.from_str(age.format_identity(CLASSIC))
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    seal_file(plain, ours, [CLASSIC.recipient()], dice())
    pyrage.encrypt_file(str(plain), str(theirs), [identity.to_public()])
    pyrage.decrypt_file(str(ours), str(tmp_path / "by-them"), [identity])
    open_file(theirs, tmp_path / "by-us", [CLASSIC])
    assert (tmp_path / "by-them").read_bytes() == (tmp_path / "by-us").read_bytes() == CONTENT


def test_pyrage_opens_what_is_sealed_with_a_passphrase(plain: Path, tmp_path: Path) -> None:
    recipient = age.ScryptRecipient(passphrase=PASSPHRASE, work_factor=10)
    seal_file(plain, tmp_path / "sealed", [recipient], dice())
    assert pyrage.passphrase.decrypt((tmp_path / "sealed").read_bytes(), PASSPHRASE) == CONTENT


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_published_file_opens_to_the_whole_of_its_content_or_to_no_file(
    path: Path, tmp_path: Path
) -> None:
    vector = read_vector(path)
    sealed, opened = tmp_path / "sealed", tmp_path / "opened"
    sealed.write_bytes(vector.file)
    if vector.fields["expect"] == "success":
        open_file(sealed, opened, vector.identities)
        assert hashlib.sha256(opened.read_bytes()).hexdigest() == vector.fields["payload"]
    else:
        with pytest.raises(SafeconductError):
            open_file(sealed, opened, vector.identities)
        assert os.listdir(tmp_path) == ["sealed"]


# Refusals leave nothing behind.

DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "nothing": lambda _: b"",
    "cut within the header": lambda file: file[:100],
    "cut within the nonce": lambda file: file[:210],
    "cut at a chunk": lambda file: file[: -(200_001 - 2 * 65_536 - 65_536) - 16],
    "its last byte missing": lambda file: file[:-1],
    "a byte more": lambda file: file + b"\0",
    "its last bit changed": lambda file: file[:-1] + bytes([file[-1] ^ 1]),
    "no age file": lambda _: b"dear desk\n" * 99,
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_file_opens_to_no_file(
    damage: Callable[[bytes], bytes], sealed: Path, tmp_path: Path
) -> None:
    """Not even to one that holds the true beginning, which was decrypted already."""
    sealed.write_bytes(damage(sealed.read_bytes()))
    with pytest.raises(SafeconductError):
        open_file(sealed, tmp_path / "opened", [CLASSIC])
    assert sorted(os.listdir(tmp_path)) == ["plain", "sealed.age"]


def test_a_file_for_somebody_else_leaves_an_old_target_as_it_is(
    sealed: Path, tmp_path: Path
) -> None:
    (tmp_path / "opened").write_bytes(b"old")
    with pytest.raises(SafeconductError, match="no identity"):
        open_file(sealed, tmp_path / "opened", [HYBRID])
    assert (tmp_path / "opened").read_bytes() == b"old"
    assert sorted(os.listdir(tmp_path)) == ["opened", "plain", "sealed.age"]


def test_what_a_source_raises_comes_through_and_leaves_nothing(tmp_path: Path) -> None:
    def chunks() -> Iterator[bytes]:
        yield CONTENT
        raise ConnectionError("the line broke")

    with pytest.raises(ConnectionError):
        seal_file(chunks(), tmp_path / "sealed", [CLASSIC.recipient()], dice())
    assert os.listdir(tmp_path) == []


ALIASES: dict[str, Callable[[Path, Path], object]] = {
    "the same path": lambda plain, alias: None,
    "a hard link": lambda plain, alias: alias.hardlink_to(plain),
    "a symbolic link": lambda plain, alias: alias.symlink_to(plain),
}


@pytest.mark.parametrize("make", ALIASES.values(), ids=ALIASES)
def test_the_input_is_never_overwritten(
    make: Callable[[Path, Path], object], plain: Path, tmp_path: Path
) -> None:
    alias = tmp_path / "alias"
    make(plain, alias)
    target = alias if alias.exists() else plain
    with pytest.raises(RefusedError, match="is the file to be read"):
        seal_file(plain, target, [CLASSIC.recipient()], dice())
    assert plain.read_bytes() == CONTENT


def test_a_source_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError, match="absent: no such file"):
        seal_file(tmp_path / "absent", tmp_path / "sealed", [CLASSIC.recipient()], dice())
    with pytest.raises(UnavailableError, match=r"nowhere/sealed: no such file"):
        seal_file([b""], tmp_path / "nowhere" / "sealed", [CLASSIC.recipient()], dice())
    assert os.listdir(tmp_path) == []


def test_a_large_file_is_sealed_and_opened_in_constant_memory(tmp_path: Path) -> None:
    def chunks() -> Iterator[bytes]:
        for _ in range(48):
            yield bytes(1 << 20)

    tracemalloc.start()
    try:
        seal_file(chunks(), tmp_path / "sealed", [CLASSIC.recipient()], dice())
        open_file(tmp_path / "sealed", tmp_path / "opened", [CLASSIC])
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert (tmp_path / "opened").stat().st_size == 48 << 20
    assert peak < 8 << 20


# Writing streams.


def test_the_bytes_are_on_the_medium_before_their_name_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []
    real_fsync, real_rename = os.fsync, os.rename

    def fsync(handle: int) -> None:
        calls.append("fsync folder" if Path(f"/proc/self/fd/{handle}").is_dir() else "fsync")
        real_fsync(handle)

    def rename(old: Path, new: Path) -> None:
        calls.append("rename")
        real_rename(old, new)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(os, "rename", rename)
    durable.write_stream(tmp_path / "file", [b"da", b"", b"ta"])
    assert calls == ["fsync", "rename", "fsync folder"]
    assert (tmp_path / "file").read_bytes() == b"data"


def test_the_kernel_is_asked_early_to_write_a_large_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[int, int]] = []
    monkeypatch.setattr(
        os, "posix_fadvise", lambda _, start, length, __: asked.append((start, length))
    )
    durable.write_stream(tmp_path / "file", (bytes(1 << 20) for _ in range(20)))
    assert asked == [(0, 8 << 20), (8 << 20, 8 << 20)]


def test_many_small_chunks_are_written_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    batches: list[int] = []
    real = os.writev

    def writev(handle: int, batch: list[bytes]) -> int:
        batches.append(len(batch))
        return real(handle, batch)

    monkeypatch.setattr(os, "writev", writev)
    durable.write_stream(tmp_path / "file", (b"%04d" % number for number in range(1200)))
    assert batches == [512, 512, 176]
    assert (tmp_path / "file").read_bytes()[-8:] == b"11981199"


@pytest.mark.parametrize(
    "call", ["open", "writev", "posix_fadvise", "fsync", "close", "rename"]
)
def test_each_step_that_the_disk_refuses_is_an_error_and_leaves_nothing(
    call: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")

    def refuse(*_: object) -> None:
        raise OSError(errno.EIO, "input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(os, call, refuse)
        with pytest.raises(UnavailableError, match=r"file: input/output error") as caught:
            durable.write_stream(path, (bytes(1 << 20) for _ in range(9)))
    assert "copy the data off" in caught.value.hint
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["file"]
