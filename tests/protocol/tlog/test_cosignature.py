"""Cosignatures of type 0x04."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.protocol.tlog.sample_log import (
    NOON,
    WITNESSES,
    checkpoint_text,
    cosigned,
    with_line,
)

from safeconduct.errors import MalformedError, UnverifiedError
from safeconduct.protocol.signature import sign_ed25519, verify_ed25519
from safeconduct.protocol.tlog.cosignature import cosign, verify_cosignature
from safeconduct.protocol.tlog.note import (
    COSIGNATURE,
    Note,
    SignatureLine,
    parse_note,
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
