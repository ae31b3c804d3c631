"""The door to `openssl`: keys made and used, and machines that make mistakes."""

import json
import os
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from tests.protocol.builders import PROGRAMME
from tests.protocol.credited import VECTORS, group, held, issuing_key, issuing_pem, vector
from tests.system_tools import need_tool

from safeconduct.errors import (
    MalformedError,
    RefusedError,
    SafeconductError,
    UnavailableError,
    UnverifiedError,
)
from safeconduct.plumbing import openssl
from safeconduct.protocol.canonical import parse_base64
from safeconduct.protocol.credit import credit_message
from safeconduct.protocol.record import parse_record

FIVE = bytes(511) + b"\x05"


@pytest.fixture(autouse=True)
def openssl_tool() -> str:
    """The path of the tool that these tests are about."""
    return need_tool("openssl", "openssl")


def kept(path: Path, pem: bytes) -> Path:
    path.touch(mode=0o600)
    path.write_bytes(pem)
    return path


@pytest.fixture
def key(tmp_path: Path) -> Path:
    return kept(tmp_path / "issuing.pem", issuing_pem())


def test_of_two_made_at_once_one_key_stands_and_the_other_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the board would certify a key that the second has replaced."""
    path, made = tmp_path / "key.pem", list[str]()

    def slowly() -> bytes:
        made.append("made")
        time.sleep(0.3)
        return issuing_pem()

    def make() -> None:
        try:
            openssl.new_rsa_key(path)
        except RefusedError as error:
            made.append(error.message)

    monkeypatch.setattr(openssl, "_new_pem", slowly)
    threads = [threading.Thread(target=make) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert made == ["made", f"{path}: already exists"]
    assert path.read_bytes() == issuing_pem()


def test_a_new_key_is_for_its_owner_alone_and_is_what_it_should_be(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "offline" / "key.pem"
    before = os.umask(0)
    try:
        openssl.new_rsa_key(path)
    finally:
        os.umask(before)
    assert path.stat().st_mode & 0o777 == 0o600
    assert [each.name for each in path.parent.iterdir()] == ["key.pem"]
    assert capfd.readouterr() == ("", "")
    made = load_pem_private_key(path.read_bytes(), None)
    assert isinstance(made, rsa.RSAPrivateKey)
    assert (made.key_size, made.public_key().public_numbers().e) == (4096, 65_537)
    number = int.from_bytes(openssl.raw_private(path, FIVE), "big")
    assert pow(number, 65_537, made.public_key().public_numbers().n) == 5


@pytest.mark.parametrize("name", sorted(path.stem for path in VECTORS.glob("*.json")))
def test_the_signers_part_of_the_rfcs_vectors_comes_out(name: str, key: Path) -> None:
    block = bytes.fromhex(vector(name)["blinded_msg"])
    assert openssl.raw_private(key, block).hex() == vector(name)["blind_sig"]


def test_the_public_half_is_the_one_that_is_published(key: Path) -> None:
    assert openssl.public_der(key) == issuing_key().der


def test_a_key_is_never_overwritten(key: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    for path in (key, tmp_path / "link", tmp_path):
        with pytest.raises(RefusedError, match="already exists"):
            openssl.new_rsa_key(path)
    assert key.read_bytes() == issuing_pem()


BLOCKS = {
    "nothing": b"",
    "a byte short": FIVE[1:],
    "a byte long": b"\x00" + FIVE,
    "zero": bytes(512),
    "one": bytes(511) + b"\x01",
    "n": issuing_key().modulus.to_bytes(512, "big"),
    "above n": b"\xff" * 512,
}


@pytest.mark.parametrize("block", BLOCKS.values(), ids=BLOCKS)
def test_the_key_is_not_used_on(block: bytes, key: Path) -> None:
    with pytest.raises(MalformedError, match="blinded message"):
        openssl.raw_private(key, block)


# Keys that are none.


def pem(private: rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey, secret: bytes = b"") -> bytes:
    cipher = BestAvailableEncryption(secret) if secret else NoEncryption()
    return private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, cipher)


def protected_pem() -> bytes:
    private = load_pem_private_key(issuing_pem(), None)
    assert isinstance(private, rsa.RSAPrivateKey)
    return pem(private, b"secret")


KEYS = {
    "nothing": b"",
    "no PEM": b"key",
    "cut short": issuing_pem()[:1000],
    "under a passphrase": protected_pem(),
    "an Ed25519 key": pem(ed25519.Ed25519PrivateKey.from_private_bytes(bytes(32))),
    "RSA of 2,048 bits": pem(rsa.generate_private_key(65_537, 2048)),
    "far too long": issuing_pem() + b"\n" * 20_000,
}


@pytest.mark.parametrize("data", KEYS.values(), ids=KEYS)
def test_no_issuing_key_is(data: bytes, tmp_path: Path) -> None:
    path = kept(tmp_path / "key.pem", data)
    with pytest.raises(MalformedError) as caught:
        openssl.public_der(path)
    assert "PRIVATE" not in str(caught.value)
    with pytest.raises(MalformedError):
        openssl.raw_private(path, FIVE)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o777])
def test_a_key_that_others_can_touch_is_refused(mode: int, key: Path) -> None:
    key.chmod(mode)
    with pytest.raises(RefusedError, match="other users") as caught:
        openssl.raw_private(key, FIVE)
    assert "chmod 600" in caught.value.hint


def test_a_link_to_a_key_is_refused_and_an_absent_one_is_not_there(
    key: Path, tmp_path: Path
) -> None:
    (tmp_path / "link").symlink_to(key)
    with pytest.raises(MalformedError, match="symbolic link"):
        openssl.raw_private(tmp_path / "link", FIVE)
    with pytest.raises(UnavailableError):
        openssl.public_der(tmp_path / "absent")


def test_a_name_that_looks_like_an_option_or_a_scheme_is_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("-out", "file:key", "pkcs11:key", "a key"):
        path = kept(Path(name), issuing_pem())
        assert openssl.public_der(path) == issuing_key().der
        assert len(openssl.raw_private(path, FIVE)) == 512


def test_the_openssl_command_verifies_a_credit_token(tmp_path: Path) -> None:
    """Whoever has no software of ours can check a token with what their system ships."""
    token = parse_record(held("blind"), "credit-token")
    key = token.hash("key")
    message = credit_message(PROGRAMME, group("blind"), key)
    (tmp_path / "key.der").write_bytes(issuing_key().der)
    signature = parse_base64(token.word("signature"), "signature")
    (tmp_path / "signature").write_bytes(signature)
    words = ["openssl", "dgst", "-sha384", "-verify", "key.der", "-keyform", "DER"]
    for option in ("rsa_padding_mode:pss", "rsa_pss_saltlen:48", "rsa_mgf1_md:sha384"):
        words += ["-sigopt", option]
    words += ["-signature", "signature"]
    for text, verified in ((message, True), (message[::-1], False)):
        told = subprocess.run(
            words, input=token.hash("prefix") + text, capture_output=True, cwd=tmp_path
        )
        assert (told.returncode == 0) is verified
        assert (told.stdout == b"Verified OK\n") is verified


# Machines that make mistakes, and such that have no openssl.

FAKE = """\
#!{python}
import json, os, subprocess, sys
data = sys.stdin.buffer.read()
with open({seen!r}, "a") as file:
    file.write(json.dumps([sys.argv[1:], dict(os.environ), data.hex()]) + "\\n")
done = subprocess.run([{real!r}, *sys.argv[1:]], input=data, stdout=subprocess.PIPE)
out = bytearray(done.stdout)
if sys.argv[1] == "pkeyutl":
    {fault}
sys.stdout.buffer.write(bytes(out))
sys.exit(done.returncode)
"""


def with_openssl(folder: Path, monkeypatch: pytest.MonkeyPatch, fault: str = "pass") -> Path:
    """Put an `openssl` first on PATH that notes what it is given and may be faulty."""
    real, seen = shutil.which("openssl"), folder / "seen"
    tool = folder / "bin" / "openssl"
    tool.parent.mkdir()
    tool.write_text(FAKE.format(python=sys.executable, seen=str(seen), real=real, fault=fault))
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(tool.parent))
    return seen


FAULTS = {
    "the last bit flipped": "out[-1] ^= 1",
    "a bit in the middle flipped": "out[200] ^= 16",
    "the first bit flipped": "out[0] ^= 128",
    "nothing": "out = b''",
    "a byte lost": "out = out[1:]",
    "zero": "out = bytes(512)",
    "what went in": "out = data",
    "the same number below minus": "out = bytes(b ^ 255 for b in out)",
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_a_faulted_result_never_leaves(
    fault: str, key: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_openssl(tmp_path, monkeypatch, fault)
    with pytest.raises(UnverifiedError) as caught:
        openssl.raw_private(key, FIVE)
    assert len(str(caught.value)) < 200


def test_neither_block_nor_key_nor_environment_reaches_the_tool_but_as_it_should(
    key: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET", "geheim")
    monkeypatch.setenv("OPENSSL_CONF", "/nowhere/evil.cnf")
    seen = with_openssl(tmp_path, monkeypatch)
    block = bytes.fromhex(vector("pss-randomized")["blinded_msg"])
    openssl.raw_private(key, block)
    calls = [json.loads(line) for line in seen.read_text().splitlines()]
    assert [words[0] for words, _, _ in calls] == ["pkey", "pkeyutl"]
    assert calls[1][2] == block.hex()
    for words, environment, _ in calls:
        assert block.hex() not in " ".join(words)
        assert not {"SECRET", "OPENSSL_CONF", "HOME", "PATH"} & environment.keys()


def test_a_tool_that_hangs_is_given_up(
    key: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_openssl(tmp_path, monkeypatch, "import time; time.sleep(60)")
    monkeypatch.setattr(openssl, "_USE_SECONDS_MAX", 0.5)
    with pytest.raises(UnavailableError, match="too long"):
        openssl.raw_private(key, FIVE)


def test_without_openssl_a_person_learns_what_to_install(
    key: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    for call in (
        lambda: openssl.raw_private(key, FIVE),
        lambda: openssl.new_rsa_key(tmp_path / "new"),
    ):
        with pytest.raises(UnavailableError, match="openssl") as caught:
            call()
        assert "apt install openssl" in caught.value.hint
    assert not (tmp_path / "new").exists()


def test_nothing_secret_stands_in_an_error(tmp_path: Path) -> None:
    path = kept(tmp_path / "key.pem", issuing_pem().replace(b"A", b"B", 3))
    with pytest.raises(SafeconductError) as caught:
        openssl.raw_private(path, FIVE)
    line = issuing_pem().decode().splitlines()[5]
    assert line not in str(caught.value) + repr(caught.value.__cause__)
