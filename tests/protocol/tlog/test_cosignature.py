"""Cosignatures of types 0x04 and 0x06, and logs that sign their own checkpoints."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.protocol.tlog.sample_log import (
    LOG,
    LOG_44,
    NOON,
    ORIGIN,
    W1_44,
    WITNESSES,
    checkpoint_text,
    cosigned,
    with_line,
)

from safeconduct.errors import MalformedError, RefusedError, UnverifiedError
from safeconduct.protocol.canonical import u64
from safeconduct.protocol.signature import (
    sign_ed25519,
    sign_mldsa44,
    verify_ed25519,
    verify_mldsa44,
)
from safeconduct.protocol.tlog.checkpoint import parse_checkpoint
from safeconduct.protocol.tlog.cosignature import (
    cosign,
    sign_as_log,
    verify_cosignature,
    verify_log,
)
from safeconduct.protocol.tlog.note import (
    COSIGNATURE,
    Note,
    SignatureLine,
    SigningKey,
    VerifierKey,
    format_note,
    format_signature_line,
    parse_note,
    parse_vkey,
    sign_note,
)

W1, W2 = WITNESSES["W1"], WITNESSES["W2"]
KEY = W1.verifier(COSIGNATURE)

# The example of c2sp.org/tlog-cosignature; the standard does not tell the keys.
C2SP_EXAMPLE = (
    "example.com/behind-the-sofa\n"
    "20852163\n"
    "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
    "\n"
    "— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5"
    "/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n"
    "— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dl"
    "rDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n"
)


def test_the_standards_example_has_the_form_that_we_write() -> None:
    witness = parse_note(C2SP_EXAMPLE.encode()).signatures[1]
    ours = cosign(checkpoint_text(), W1, 1_679_315_147)
    assert int.from_bytes(witness.blob[:8], "big") == 1_679_315_147
    assert (len(ours.blob), ours.blob[:8]) == (len(witness.blob), witness.blob[:8])


def test_a_cosignature_tells_its_time() -> None:
    assert verify_cosignature(cosigned({"W1": NOON}), KEY) == NOON


def test_the_signed_message_is_the_standards() -> None:
    text = checkpoint_text()
    line = cosign(text, W1, NOON)
    message = f"cosignature/v1\ntime {NOON}\n{text}".encode()
    verify_ed25519(KEY.public, message, line.blob[8:])
    assert line.key_id == KEY.key_id


@settings(max_examples=30)
@given(st.integers(1, 2**63 - 1))
def test_every_time_is_told_back(at: int) -> None:
    assert verify_cosignature(cosigned({"W1": at}), KEY) == at


def line_with(blob: bytes) -> Note:
    return with_line(cosigned({}), SignatureLine(name=KEY.name, key_id=KEY.key_id, blob=blob))


GOOD_BLOB = cosign(checkpoint_text(), W1, NOON).blob
TIMELESS = sign_ed25519(W1.seed, f"cosignature/v1\ntime 0\n{checkpoint_text()}".encode())
LATE = sign_ed25519(W1.seed, f"cosignature/v1\ntime {2**63}\n{checkpoint_text()}".encode())

UNVERIFIED = {
    "nobody cosigned": cosigned({}),
    "another witness cosigned": cosigned({"W2": NOON}),
    "another time was written in": line_with((NOON - 1).to_bytes(8, "big") + GOOD_BLOB[8:]),
    "the time was left out": line_with(GOOD_BLOB[8:]),
    "a byte was left out": line_with(GOOD_BLOB[:-1]),
    "a byte was added": line_with(GOOD_BLOB + b"\0"),
    "it is the size of an ML-DSA-44 cosignature": line_with(GOOD_BLOB + bytes(2420 - 64)),
    "its time is 0, which claims nothing": line_with(bytes(8) + TIMELESS),
    "its time is 2^63": line_with((2**63).to_bytes(8, "big") + LATE),
    "another tree was cosigned": Note(
        text=checkpoint_text(8), signatures=cosigned({"W1": NOON}).signatures
    ),
    "an extension line was added": Note(
        text=checkpoint_text() + "more\n", signatures=cosigned({"W1": NOON}).signatures
    ),
    "the witness signed it as a note, without a time": line_with(
        sign_note(checkpoint_text(), W1).blob
    ),
    "it cosigned twice, at two times": with_line(
        cosigned({"W1": NOON}), cosign(checkpoint_text(), W1, NOON + 60)
    ),
    "it cosigned twice, the same": with_line(
        cosigned({"W1": NOON}), cosign(checkpoint_text(), W1, NOON)
    ),
}


@pytest.mark.parametrize("note", UNVERIFIED.values(), ids=UNVERIFIED)
def test_a_cosignature_that_does_not_hold_is_refused(note: Note) -> None:
    with pytest.raises(UnverifiedError):
        verify_cosignature(note, KEY)


def test_another_witness_cannot_take_a_cosignature_for_its_own() -> None:
    line = cosign(checkpoint_text(), W1, NOON)
    other = W2.verifier(COSIGNATURE)
    stolen = replace(line, name=other.name, key_id=other.key_id)
    with pytest.raises(UnverifiedError, match="bad signature"):
        verify_cosignature(with_line(cosigned({}), stolen), other)


def test_only_a_witness_key_verifies_cosignatures() -> None:
    with pytest.raises(ValueError, match="type COSIGNATURE"):
        verify_cosignature(cosigned({"W1": NOON}), W1.verifier())


def test_only_checkpoints_are_cosigned() -> None:
    with pytest.raises(MalformedError):
        cosign("anything else\n", W1, NOON)


@pytest.mark.parametrize("at", [0, -1, 2**63])
def test_a_time_that_is_none_is_not_signed(at: int) -> None:
    with pytest.raises(ValueError, match="time"):
        cosign(checkpoint_text(), W1, at)


@pytest.mark.parametrize("key", [W1, W1_44])
def test_a_signature_under_a_text_that_is_no_checkpoint_is_refused(key: SigningKey) -> None:
    line = cosign(checkpoint_text(), key, NOON)
    with pytest.raises(MalformedError):
        verify_cosignature(Note(text="words\n", signatures=(line,)), key.cosigner())


# ML-DSA-44, type 0x06.

KEY_44 = W1_44.verifier()
TREE = parse_checkpoint(checkpoint_text()).tree


def cosigned_message(
    *,
    label: bytes = b"subtree/v1\n\0",
    name: str = KEY_44.name,
    at: int = NOON,
    origin: str = ORIGIN,
    start: int = 0,
    end: int = TREE.size,
    root_hash: bytes = TREE.root_hash,
) -> bytes:
    """The standard's structure, written down a second time."""
    parts = [
        label,
        bytes([len(name.encode())]),
        name.encode(),
        at.to_bytes(8, "big"),
        bytes([len(origin.encode())]),
        origin.encode(),
        start.to_bytes(8, "big"),
        end.to_bytes(8, "big"),
        root_hash,
    ]
    return b"".join(parts)


def signed_44(message: bytes, at: int = NOON) -> Note:
    blob = u64(at) + sign_mldsa44(W1_44.seed, message)
    line = SignatureLine(name=KEY_44.name, key_id=KEY_44.key_id, blob=blob)
    return Note(text=checkpoint_text(), signatures=(line,))


def cosigned_44(at: int = NOON, text: str = checkpoint_text()) -> Note:
    return Note(text=text, signatures=(cosign(text, W1_44, at),))


def test_an_ml_dsa_cosignature_signs_the_standards_message() -> None:
    line = cosigned_44().signatures[0]
    assert (line.name, line.key_id) == (KEY_44.name, KEY_44.key_id)
    assert int.from_bytes(line.blob[:8], "big") == NOON
    message = cosigned_message()
    assert len(message) == 12 + 1 + len(KEY_44.name) + 8 + 1 + len(ORIGIN) + 8 + 8 + 32
    verify_mldsa44(KEY_44.public, message, line.blob[8:])
    assert verify_cosignature(signed_44(message), KEY_44) == NOON


def test_an_ml_dsa_line_is_3_kilobytes() -> None:
    line = cosigned_44().signatures[0]
    assert len(line.blob) == 8 + 2420
    assert len(format_signature_line(line).encode()) == 3_268


@settings(max_examples=10, deadline=None)
@given(st.integers(1, 2**63 - 1))
def test_every_time_is_told_back_by_ml_dsa(at: int) -> None:
    assert verify_cosignature(cosigned_44(at), KEY_44) == at


UNVERIFIED_44 = {
    "nobody cosigned": cosigned({}),
    "the witness's other key cosigned": cosigned({"W1": NOON}),
    "another label": signed_44(cosigned_message(label=b"subtree/v2\n\0")),
    "another cosigner's name": signed_44(cosigned_message(name=W2.name)),
    "another origin": signed_44(cosigned_message(origin="log.example/gazette")),
    "another time was written in": signed_44(cosigned_message(), NOON - 1),
    "no time": signed_44(cosigned_message(at=0), 0),
    "a time of 2^63": signed_44(cosigned_message(at=2**63), 2**63),
    "a subtree that starts later": signed_44(cosigned_message(start=1)),
    "another size": signed_44(cosigned_message(end=TREE.size + 1)),
    "another root hash": signed_44(cosigned_message(root_hash=bytes(32))),
    "the Ed25519 message": signed_44(
        f"cosignature/v1\ntime {NOON}\n{checkpoint_text()}".encode()
    ),
    "the text itself": signed_44(checkpoint_text().encode()),
    "a byte was left out": Note(
        text=checkpoint_text(),
        signatures=(
            replace(cosigned_44().signatures[0], blob=cosigned_44().signatures[0].blob[:-1]),
        ),
    ),
    "the size of an Ed25519 cosignature": Note(
        text=checkpoint_text(),
        signatures=(replace(cosigned_44().signatures[0], blob=bytes(72)),),
    ),
    "it cosigned twice": with_line(cosigned_44(), cosigned_44().signatures[0]),
    "an extension line was added": replace(
        cosigned_44(), text=checkpoint_text() + "anything\n"
    ),
}


@pytest.mark.parametrize("note", UNVERIFIED_44.values(), ids=UNVERIFIED_44)
def test_an_ml_dsa_cosignature_that_does_not_hold_is_refused(note: Note) -> None:
    with pytest.raises(UnverifiedError):
        verify_cosignature(note, KEY_44)


def test_extension_lines_are_dated_by_ed25519_only() -> None:
    text = checkpoint_text() + "anything\n"
    note = Note(text=text, signatures=(cosign(text, W1, NOON),))
    assert verify_cosignature(note, KEY) == NOON
    for sign in (cosign, sign_as_log):
        with pytest.raises(RefusedError, match="extension lines"):
            sign(text, W1_44, NOON)


def test_one_note_carries_both_lines_of_a_witness() -> None:
    both = with_line(cosigned({"W1": NOON}), cosign(checkpoint_text(), W1_44, NOON + 1))
    both = parse_note(format_note(both))
    assert W1.name == W1_44.name
    assert verify_cosignature(both, KEY) == NOON
    assert verify_cosignature(both, KEY_44) == NOON + 1


# Logs.

LOG_KEYS = {"Ed25519": LOG, "ML-DSA-44": LOG_44}


@pytest.mark.parametrize("key", LOG_KEYS.values(), ids=LOG_KEYS)
def test_a_log_signs_its_own_checkpoint(key: SigningKey) -> None:
    line = sign_as_log(checkpoint_text(), key, NOON)
    assert (line.name, line.key_id) == (ORIGIN, key.verifier().key_id)
    verify_log(Note(text=checkpoint_text(), signatures=(line,)), key.verifier())


def test_an_ed25519_log_signs_a_plain_note_and_an_ml_dsa_log_tells_its_time() -> None:
    text = checkpoint_text()
    assert sign_as_log(text, LOG, NOON) == sign_note(text, LOG)
    assert sign_as_log(text, LOG_44, NOON).blob[:8] == NOON.to_bytes(8, "big")


def test_a_log_may_leave_the_time_out_and_a_witness_may_not() -> None:
    note = signed_44(cosigned_message(at=0), 0)
    verify_log(note, KEY_44)
    with pytest.raises(UnverifiedError, match="no usable time"):
        verify_cosignature(note, KEY_44)


def test_the_checkpoint_that_another_implementation_signed_with_ml_dsa_holds() -> None:
    # Of the tests of litewitness, torchwood v0.10.0: cmd/litewitness/testdata/mldsa.txt.
    folder = Path(__file__).parents[2] / "vectors" / "foreign"
    note = parse_note((folder / "torchwood-mldsa.note").read_bytes())
    key = parse_vkey((folder / "torchwood-mldsa.vkey").read_text().removesuffix("\n"))
    assert note.signatures[0].blob[:8] == bytes(8)
    verify_log(note, key)
    with pytest.raises(UnverifiedError):
        verify_log(replace(note, text=note.text.replace("\n1\n", "\n2\n")), key)


@pytest.mark.parametrize("key", LOG_KEYS.values(), ids=LOG_KEYS)
def test_a_log_did_not_sign_what_it_did_not_sign(key: SigningKey) -> None:
    text, known = checkpoint_text(), key.verifier()
    line = sign_as_log(text, key, NOON)
    spoilt = replace(line, blob=line.blob[:-1] + bytes([line.blob[-1] ^ 1]))
    others = {
        "no line": Note(text=text, signatures=(sign_as_log(text, W2, NOON),)),
        "another tree": Note(text=checkpoint_text(8), signatures=(line,)),
        "an extension line": Note(text=text + "more\n", signatures=(line,)),
        "a good line and a bad one": Note(text=text, signatures=(line, spoilt)),
        "a line too short": Note(text=text, signatures=(replace(line, blob=line.blob[:-1]),)),
    }
    for note in others.values():
        with pytest.raises(UnverifiedError):
            verify_log(note, known)


@pytest.mark.parametrize("key", LOG_KEYS.values(), ids=LOG_KEYS)
def test_logs_sign_checkpoints_only(key: SigningKey) -> None:
    with pytest.raises(MalformedError):
        sign_as_log("anything else\n", key, NOON)
    note = Note(text="words\n", signatures=(sign_note("words\n", LOG),))
    with pytest.raises(MalformedError):
        verify_log(note, key.verifier())


def test_keys_of_other_types_are_a_mistake_of_ours() -> None:
    with pytest.raises(ValueError, match="takes a key of type"):
        verify_log(cosigned({}), LOG.verifier(COSIGNATURE))
    endless = VerifierKey(name="n" * 256, algorithm=KEY_44.algorithm, public=KEY_44.public)
    line = SignatureLine(name=endless.name, key_id=endless.key_id, blob=bytes(2428))
    with pytest.raises(ValueError, match="1 to 255 bytes"):
        verify_log(with_line(cosigned({}), line), endless)
