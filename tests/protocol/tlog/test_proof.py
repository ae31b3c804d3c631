"""The files that prove an entry to be in a log."""

import base64

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.protocol.tlog.sample_log import NOON, cosigned, near

from safeconduct.errors import MalformedError
from safeconduct.protocol.tlog.note import format_note
from safeconduct.protocol.tlog.proof import TlogProof, format_proof, parse_proof

SIGNED = format_note(cosigned({"W1": NOON}))
CHECKPOINT = SIGNED.decode()
HASH = base64.b64encode(bytes(range(32))).decode()
HEADER = "c2sp.org/tlog-proof@v1\n"
GOOD = f"{HEADER}extra AAEC\nindex 5\n{HASH}\n{HASH}\n\n{CHECKPOINT}"


def test_a_proof_is_read() -> None:
    assert parse_proof(GOOD.encode()) == TlogProof(
        index=5, hashes=(bytes(range(32)),) * 2, checkpoint=SIGNED, extra=b"\0\1\2"
    )


def test_the_single_entry_of_a_log_needs_no_hashes() -> None:
    proof = parse_proof(f"{HEADER}index 0\n\n{CHECKPOINT}".encode())
    assert proof == TlogProof(index=0, hashes=(), checkpoint=SIGNED, extra=None)


def test_a_proof_of_63_hashes_is_read() -> None:
    proof = parse_proof(f"{HEADER}index 0\n{(HASH + chr(10)) * 63}\n{CHECKPOINT}".encode())
    assert len(proof.hashes) == 63


MALFORMED = {
    "nothing": "",
    "a header alone": HEADER,
    "another version": GOOD.replace("@v1", "@v2"),
    "no header": GOOD.removeprefix(HEADER),
    "a blank after the header": GOOD.replace("@v1", "@v1 "),
    "an empty line after the header": GOOD.replace(HEADER, HEADER + "\n"),
    "carriage returns": GOOD.replace("\n", "\r\n"),
    "a byte-order mark": "\ufeff" + GOOD,
    "no index": GOOD.replace("index 5\n", ""),
    "two indices": GOOD.replace("index 5\n", "index 5\nindex 5\n"),
    "an index with a plus": GOOD.replace("index 5", "index +5"),
    "an index with two blanks": GOOD.replace("index 5", "index  5"),
    "an index with a leading zero": GOOD.replace("index 5", "index 05"),
    "a negative index": GOOD.replace("index 5", "index -5"),
    "an index of 2^63": GOOD.replace("index 5", f"index {2**63}"),
    "an index with a tab": GOOD.replace("index 5", "index\t5"),
    "an index in capitals": GOOD.replace("index", "Index"),
    "extra after the index": GOOD.replace("extra AAEC\nindex 5\n", "index 5\nextra AAEC\n"),
    "extra twice": GOOD.replace("extra AAEC\n", "extra AAEC\nextra AAEC\n"),
    "an empty extra": GOOD.replace("extra AAEC", "extra "),
    "extra without a blank": GOOD.replace("extra AAEC", "extra"),
    "extra that is not base64": GOOD.replace("AAEC", "A!EC"),
    "extra with bits beyond its end": GOOD.replace("AAEC", "AAF="),
    "extra of over 64 KiB": GOOD.replace("AAEC", "AAEC" * 22_000),
    "a hash of 31 bytes": GOOD.replace(HASH, base64.b64encode(bytes(31)).decode()),
    "a hash of 33 bytes": GOOD.replace(HASH, base64.b64encode(bytes(33)).decode()),
    "a hash with a blank behind": GOOD.replace(HASH, HASH + " "),
    "an empty line between hashes": GOOD.replace(f"{HASH}\n{HASH}", f"{HASH}\n\n{HASH}"),
    "a proof longer than 63 hashes": GOOD.replace(HASH, "\n".join([HASH] * 32)),
    "two empty lines before the checkpoint": GOOD.replace(
        f"\n\n{CHECKPOINT}", f"\n\n\n{CHECKPOINT}"
    ),
    "no empty line before the checkpoint": GOOD.replace(f"\n\n{CHECKPOINT}", f"\n{CHECKPOINT}"),
    "no checkpoint": GOOD.removesuffix(CHECKPOINT),
    "a checkpoint without signatures": GOOD.partition("\n—")[0],
    "a note that is no checkpoint": GOOD.replace("log.example/ledger\n7\n", "words\n"),
    "a line after the checkpoint": GOOD + "more\n",
    "an empty line after the checkpoint": GOOD + "\n",
    "a checkpoint cut short": GOOD[:-1],
    "an endless proof": GOOD.replace(HASH, HASH * 30_000),
}


@pytest.mark.parametrize("text", MALFORMED.values(), ids=MALFORMED)
def test_a_malformed_proof_is_refused(text: str) -> None:
    assert text != GOOD
    with pytest.raises(MalformedError):
        parse_proof(text.encode())


proofs = st.builds(
    TlogProof,
    index=st.integers(0, 2**63 - 1),
    hashes=st.lists(st.binary(min_size=32, max_size=32), max_size=63).map(tuple),
    checkpoint=st.just(SIGNED),
    extra=st.none() | st.binary(min_size=1, max_size=99),
)


@settings(max_examples=60)
@given(proofs)
def test_a_proof_is_read_back_as_it_was(proof: TlogProof) -> None:
    assert parse_proof(format_proof(proof)) == proof


@settings(max_examples=400)
@given(near(GOOD.encode()) | st.binary(max_size=60))
def test_a_proof_parses_in_one_spelling_or_not_at_all(data: bytes) -> None:
    try:
        proof = parse_proof(data)
    except MalformedError:
        return
    assert format_proof(proof) == data


def test_a_proof_that_could_not_be_read_is_not_written() -> None:
    for proof in (
        TlogProof(index=-1, hashes=(), checkpoint=SIGNED),
        TlogProof(index=0, hashes=(b"short",), checkpoint=SIGNED),
        TlogProof(index=0, hashes=(), checkpoint=b"unsigned\n"),
        TlogProof(index=0, hashes=(), checkpoint=SIGNED, extra=b""),
    ):
        with pytest.raises(MalformedError):
            format_proof(proof)
