"""Receipts: what existed by when, by the word of a quorum and of nobody's own clock."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from tests.protocol.builders import (
    GAZETTE,
    LEDGER,
    NOON,
    OUR_WITNESS,
    POLICY,
    POLICY_TEXT,
    STRANGER,
    THEIR_WITNESS,
    gazette_entries,
    prove,
    redated,
    statements,
)

from safeconduct.errors import MalformedError, SafeconductError, UnverifiedError
from safeconduct.protocol.receipt import check_before, slim_proof, verify_receipt
from safeconduct.protocol.record import record_hash
from safeconduct.protocol.tlog.note import SignatureLine, format_note, parse_note
from safeconduct.protocol.tlog.policy import parse_policy
from safeconduct.protocol.tlog.proof import format_proof, parse_proof

RECORD = statements().record
ENTRY = record_hash(RECORD)
PROOF = prove(ENTRY)


def test_a_receipt_dates_a_record_by_the_last_witness_that_was_needed() -> None:
    receipt = verify_receipt(RECORD, PROOF, POLICY, LEDGER.name)
    assert receipt.logged_by == NOON
    assert receipt.record_hash == ENTRY
    assert receipt.record.kind == "contribution"
    assert (receipt.logged.index, receipt.logged.tree.size) == (3, 6)


def test_a_signed_record_is_dated_with_its_signatures() -> None:
    signed = statements().acknowledgement
    assert verify_receipt(signed, prove(record_hash(signed)), POLICY).logged_by == NOON
    bare = signed.partition(b"\n\n")[0] + b"\n"
    with pytest.raises(SafeconductError):
        verify_receipt(bare, prove(record_hash(signed)), POLICY)


def test_without_an_origin_any_listed_log_will_do() -> None:
    entry = gazette_entries()[2]
    proof = prove(record_hash(entry), log=GAZETTE)
    assert verify_receipt(entry, proof, POLICY).logged.origin == GAZETTE.name
    with pytest.raises(UnverifiedError, match="not of log"):
        verify_receipt(entry, proof, POLICY, LEDGER.name)


PROOFS: dict[str, tuple[Callable[[], bytes], str]] = {
    "another entry's": (lambda: prove(b"another entry"), "does not lead to the root"),
    "of the bare record bytes": (lambda: prove(RECORD), "does not lead to the root"),
    "from an unlisted log": (lambda: prove(ENTRY, log=STRANGER), "not of log"),
    "from a log that took a listed one's name": (
        lambda: prove(ENTRY, log=type(LEDGER)(name=LEDGER.name, seed=STRANGER.seed)),
        "no listed log",
    ),
    "without a witness": (lambda: prove(ENTRY, witnesses=()), "quorum"),
    "with our witness only": (lambda: prove(ENTRY, witnesses=(OUR_WITNESS,)), "quorum"),
    "with their witness only": (lambda: prove(ENTRY, witnesses=(THEIR_WITNESS,)), "quorum"),
    "with a stranger for a witness": (
        lambda: prove(ENTRY, witnesses=(OUR_WITNESS, STRANGER)),
        "quorum",
    ),
    "with one witness twice": (
        lambda: prove(ENTRY, witnesses=(OUR_WITNESS, OUR_WITNESS)),
        "more than one",
    ),
    "dated back by an hour": (lambda: redated(PROOF, -3600), "bad signature"),
    "dated back by a second": (lambda: redated(PROOF, -1), "bad signature"),
    "dated forward": (lambda: redated(PROOF, 1), "bad signature"),
    "of another place": (
        lambda: PROOF.replace(b"index 3", b"index 2"),
        "does not lead to the root",
    ),
    "of a place outside": (lambda: PROOF.replace(b"index 3", b"index 7"), "no entry 7"),
    "of a smaller log": (lambda: PROOF.replace(b"\n6\n", b"\n5\n"), "bad signature"),
}


@pytest.mark.parametrize(("proof", "reason"), PROOFS.values(), ids=PROOFS)
def test_a_proof_that_proves_something_else_is_refused(
    proof: Callable[[], bytes], reason: str
) -> None:
    """[15] A date never rests on the log's clock, nor on one witness."""
    with pytest.raises((UnverifiedError, MalformedError), match=reason):
        verify_receipt(RECORD, proof(), POLICY, LEDGER.name)


@pytest.mark.parametrize("place", range(0, len(PROOF), 37))
def test_a_proof_with_a_bit_changed_is_refused(place: int) -> None:
    changed = bytearray(PROOF)
    changed[place] ^= 1
    with pytest.raises((UnverifiedError, MalformedError)):
        verify_receipt(RECORD, bytes(changed), POLICY, LEDGER.name)


@pytest.mark.parametrize("place", range(0, len(RECORD), 29))
def test_a_record_with_a_bit_changed_has_no_receipt(place: int) -> None:
    changed = bytearray(RECORD)
    changed[place] ^= 1
    with pytest.raises((UnverifiedError, MalformedError)):
        verify_receipt(bytes(changed), PROOF, POLICY, LEDGER.name)


def test_before_a_date_means_before_its_second() -> None:
    receipt = verify_receipt(RECORD, PROOF, POLICY)
    check_before(receipt, NOON + 1)
    for date in (NOON, NOON - 1):
        with pytest.raises(UnverifiedError, match="not before"):
            check_before(receipt, date)


def with_lines(proof: bytes, *more: SignatureLine) -> bytes:
    parsed = parse_proof(proof)
    note = parse_note(parsed.checkpoint)
    longer = replace(note, signatures=(*more, *note.signatures))
    return format_proof(replace(parsed, checkpoint=format_note(longer)))


def test_a_slim_proof_has_the_same_date_and_no_signature_that_it_can_do_without() -> None:
    other = SignatureLine(name="more.example", key_id=bytes(4), blob=bytes(2_428))
    assert slim_proof(RECORD, with_lines(PROOF, other), POLICY, LEDGER.name) == PROOF
    assert slim_proof(RECORD, PROOF, POLICY, LEDGER.name) == PROOF


def test_a_slim_proof_keeps_the_witness_that_dates_it_earlier() -> None:
    text = POLICY_TEXT.replace("group both all ours theirs", "group both any ours theirs")
    policy = parse_policy(text.encode())
    slim = slim_proof(RECORD, PROOF, policy)  # the second witness signed a minute before
    [_, line] = parse_note(parse_proof(slim).checkpoint).signatures
    assert line.name == THEIR_WITNESS.name
    date = verify_receipt(RECORD, PROOF, policy).logged_by
    assert verify_receipt(RECORD, slim, policy).logged_by == date


def test_a_proof_that_does_not_hold_is_not_made_slim() -> None:
    with pytest.raises(UnverifiedError):
        slim_proof(statements().acknowledgement, PROOF, POLICY)
