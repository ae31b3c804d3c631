"""Whole age files: ours among ourselves, with pyrage, and with the `age` tool."""

import subprocess
from collections.abc import Callable, Iterable
from itertools import product
from pathlib import Path

import pyrage
import pytest
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.protocol.age.chance import dice, in_pieces
from tests.system_tools import need_tool

from safeconduct.errors import MalformedError, SafeconductError, UnverifiedError
from safeconduct.protocol import age
from safeconduct.protocol.age.failures import NoIdentityMatchError

CLASSIC = age.x25519_identity(b"\x11" * 32)
HYBRID = age.hybrid_identity(b"\x22" * 32)
ASSESSOR = age.x25519_identity(b"\x33" * 32)
CONTENTS = {
    "nothing": b"",
    "a line": b"They cut the brake line.\n",
    "one full chunk": dice(b"full")(1 << 16),
    "several chunks": dice(b"several")(200_001),
}
OPENERS: dict[str, tuple[age.Recipient, age.Identity]] = {
    "X25519": (CLASSIC.recipient(), CLASSIC),
    "hybrid": (HYBRID.recipient(), HYBRID),
    "scrypt": (
        age.ScryptRecipient(passphrase="correct horse", work_factor=4),
        age.ScryptIdentity(passphrase="correct horse"),
    ),
}


def sealed(content: bytes, recipient: age.Recipient) -> bytes:
    return b"".join(age.seal([recipient], [content], dice()))


def opened(file: bytes, identity: age.Identity) -> bytes:
    return b"".join(age.open_([identity], [file]))


def swapped(file: bytes, identity: age.Identity, recipient: age.Recipient) -> bytes:
    """The same payload under a new header."""
    header, offset = age.parse_header(file)
    return age.swap_header(header, identity, recipient, dice()) + file[offset:]


@pytest.mark.parametrize(("recipient", "identity"), OPENERS.values(), ids=OPENERS)
@given(content=st.binary(max_size=300), piece_bytes=st.integers(1, 400))
@settings(max_examples=25)
def test_a_sealed_file_opens_to_its_content(
    recipient: age.Recipient, identity: age.Identity, content: bytes, piece_bytes: int
) -> None:
    chunks = age.seal([recipient], in_pieces(content, piece_bytes), dice())
    file = b"".join(chunks)

    assert b"".join(age.open_([identity], in_pieces(file, piece_bytes))) == content


@pytest.mark.parametrize("identity", [CLASSIC, HYBRID], ids=["X25519", "hybrid"])
@given(data=st.data())
def test_a_damaged_file_is_refused_and_releases_a_prefix(
    identity: age.SecretIdentity, data: st.DataObject
) -> None:
    content = b"They cut the brake line.\n"
    file = sealed(content, identity.recipient())
    length = data.draw(st.integers(0, len(file) - 1), label="cut at")
    flipped = bytearray(file)
    flipped[length] ^= 1 << data.draw(st.integers(0, 7), label="bit")

    for damaged in (file[:length], bytes(flipped)):
        with pytest.raises(SafeconductError):
            opened(damaged, identity)


@pytest.mark.parametrize("identity", [CLASSIC, HYBRID], ids=["X25519", "hybrid"])
def test_every_truncation_of_a_small_file_is_refused(identity: age.SecretIdentity) -> None:
    file = sealed(b"tip", identity.recipient())

    for length in range(len(file)):
        with pytest.raises(SafeconductError):
            opened(file[:length], identity)


@pytest.mark.parametrize(
    ("identity", "bits"),
    [(CLASSIC, range(8)), (HYBRID, [0])],
    ids=["X25519: each bit", "hybrid: one bit of each byte"],
)
def test_every_flipped_bit_of_a_small_file_is_refused(
    identity: age.SecretIdentity, bits: Iterable[int]
) -> None:
    file = sealed(b"tip", identity.recipient())

    for place, bit in product(range(len(file)), bits):
        flipped = bytearray(file)
        flipped[place] ^= 1 << bit
        with pytest.raises(SafeconductError):
            opened(bytes(flipped), identity)


def test_a_header_swap_gives_the_same_payload_to_another_reader() -> None:
    file = sealed(CONTENTS["several chunks"], HYBRID.recipient())
    payload = file[age.parse_header(file)[1] :]

    passed_on = swapped(file, HYBRID, ASSESSOR.recipient())

    assert passed_on.endswith(payload)
    assert opened(passed_on, ASSESSOR) == CONTENTS["several chunks"]
    with pytest.raises(NoIdentityMatchError):
        opened(passed_on, HYBRID)


@pytest.mark.parametrize("piece_bytes", [1, 100, 1 << 20])
def test_a_swapped_stream_is_the_file_with_its_header_swapped(piece_bytes: int) -> None:
    file = sealed(CONTENTS["a line"], HYBRID.recipient())

    pieces = in_pieces(file, piece_bytes)
    passed_on = b"".join(age.swapped(HYBRID, ASSESSOR.recipient(), pieces, dice()))

    assert passed_on == swapped(file, HYBRID, ASSESSOR.recipient())


def test_a_swap_reads_no_payload_before_its_header_has_opened() -> None:
    file = sealed(b"", CLASSIC.recipient())
    header = file[: age.parse_header(file)[1]]

    def chunks() -> Iterable[bytes]:
        yield header
        raise AssertionError("the payload was asked for")

    with pytest.raises(NoIdentityMatchError):
        age.swapped(ASSESSOR, ASSESSOR.recipient(), chunks(), dice())


@pytest.mark.parametrize("form", [age.armored, lambda chunks: chunks], ids=["text", "bytes"])
def test_a_file_is_taken_in_either_form(form: Callable[[list[bytes]], Iterable[bytes]]) -> None:
    file = sealed(b"tip", CLASSIC.recipient())

    assert b"".join(age.unarmored(form([file]))) == file


def test_text_that_is_no_armor_is_left_to_the_header_to_refuse() -> None:
    assert b"".join(age.unarmored([b"dear", b" desk"])) == b"dear desk"
    assert b"".join(age.unarmored([])) == b""


# The header that follows from the file key.

FILE_KEY = dice(b"file key")(16)


def ephemeral_by_the_library(file_key: bytes, recipient: bytes) -> bytes:
    info = b"safeconduct/v1/age-x25519-eph"
    return HKDF(algorithm=SHA256(), length=32, salt=recipient, info=info).derive(file_key)


def test_a_provable_header_is_that_of_an_ephemeral_key_drawn_from_the_file_key() -> None:
    drawn = ephemeral_by_the_library(FILE_KEY, CLASSIC.recipient().public)

    header = age.seal_provable_header(FILE_KEY, CLASSIC.recipient())

    assert header == age.seal_header(FILE_KEY, [CLASSIC.recipient()], lambda _: drawn)
    age.verify_provable_header(header, FILE_KEY, CLASSIC.recipient())


def test_a_provable_header_opens_with_the_stock_libraries() -> None:
    identity = pyrage.x25519.Identity.from_str(age.format_identity(CLASSIC))
    payload = b"".join(age.seal_stream(FILE_KEY, bytes(16), [b"tip"]))

    header = age.seal_provable_header(FILE_KEY, CLASSIC.recipient())

    assert pyrage.decrypt(header + payload, [identity]) == b"tip"


def test_two_file_keys_or_readers_share_no_ephemeral_key() -> None:
    headers = {
        age.seal_provable_header(file_key, identity.recipient())
        for file_key in (FILE_KEY, bytes(16))
        for identity in (CLASSIC, ASSESSOR)
    }
    shares = {age.parse_header(header)[0].stanzas[0].arguments for header in headers}
    assert len(shares) == 4


UNPROVEN = {
    "drawn by chance": age.seal_header(FILE_KEY, [CLASSIC.recipient()], dice()),
    "to another reader": age.seal_provable_header(FILE_KEY, ASSESSOR.recipient()),
    "of another file key": age.seal_provable_header(bytes(16), CLASSIC.recipient()),
    "to two readers": age.seal_header(
        FILE_KEY, [CLASSIC.recipient(), ASSESSOR.recipient()], dice()
    ),
    "hybrid": age.seal_header(FILE_KEY, [HYBRID.recipient()], dice()),
    "none": b"",
}


@pytest.mark.parametrize("header", UNPROVEN.values(), ids=UNPROVEN)
def test_a_header_that_does_not_follow_from_the_file_key_is_told(header: bytes) -> None:
    with pytest.raises(UnverifiedError):
        age.verify_provable_header(header, FILE_KEY, CLASSIC.recipient())


def test_nothing_is_sealed_provably_to_a_point_of_low_order() -> None:
    with pytest.raises(MalformedError):
        age.seal_provable_header(FILE_KEY, age.X25519Recipient(public=bytes(32)))


def test_a_header_is_checked_before_any_content_is_asked_for() -> None:
    file = sealed(b"", CLASSIC.recipient())

    with pytest.raises(NoIdentityMatchError):
        age.open_([ASSESSOR], [file])


@pytest.mark.parametrize("content", CONTENTS.values(), ids=CONTENTS)
def test_pyrage_opens_what_we_seal(content: bytes) -> None:
    identity = pyrage.x25519.Identity.from_str(age.format_identity(CLASSIC))

    file = sealed(content, CLASSIC.recipient())

    assert pyrage.decrypt(file, [identity]) == content
    assert pyrage.decrypt(b"".join(age.armored([file])), [identity]) == content


@pytest.mark.parametrize("content", CONTENTS.values(), ids=CONTENTS)
def test_we_open_what_pyrage_seals(content: bytes) -> None:
    recipient = pyrage.x25519.Recipient.from_str(age.format_recipient(CLASSIC.recipient()))

    file = pyrage.encrypt(content, [recipient])
    armored = pyrage.encrypt(content, [recipient], armored=True)

    assert opened(file, CLASSIC) == content
    assert opened(b"".join(age.dearmored([armored])), CLASSIC) == content


@pytest.fixture
def age_tool() -> str:
    """The path of the stock `age` tool, a programme of its own that a clone may lack."""
    return need_tool("age", "age")


def run_age(tool: str, arguments: list[str], stdin: bytes) -> bytes:
    done = subprocess.run([tool, *arguments], input=stdin, capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def key_file(folder: Path, identity: age.SecretIdentity) -> str:
    path = folder / "key.txt"
    path.write_text(age.format_identity(identity) + "\n")
    return str(path)


@pytest.mark.parametrize("content", CONTENTS.values(), ids=CONTENTS)
def test_the_age_tool_opens_what_we_seal(age_tool: str, tmp_path: Path, content: bytes) -> None:
    decrypt = ["--decrypt", "--identity", key_file(tmp_path, CLASSIC)]

    file = sealed(content, CLASSIC.recipient())

    assert run_age(age_tool, decrypt, file) == content
    assert run_age(age_tool, decrypt, b"".join(age.armored([file]))) == content


@pytest.mark.parametrize("content", CONTENTS.values(), ids=CONTENTS)
def test_we_open_what_the_age_tool_seals(age_tool: str, content: bytes) -> None:
    encrypt = ["--encrypt", "--recipient", age.format_recipient(CLASSIC.recipient())]

    file = run_age(age_tool, encrypt, content)
    armored = run_age(age_tool, [*encrypt, "--armor"], content)

    assert opened(file, CLASSIC) == content
    assert opened(b"".join(age.dearmored([armored])), CLASSIC) == content


def test_the_age_tool_opens_a_hybrid_file_after_a_header_swap(
    age_tool: str, tmp_path: Path
) -> None:
    content = CONTENTS["several chunks"]
    file = sealed(content, HYBRID.recipient())

    passed_on = swapped(file, HYBRID, ASSESSOR.recipient())

    decrypt = ["--decrypt", "--identity", key_file(tmp_path, ASSESSOR)]
    assert run_age(age_tool, decrypt, passed_on) == content
