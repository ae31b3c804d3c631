"""Attacks on what is hashed and signed: mistake 12, played and refused."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from itertools import permutations

import pytest
from tests.hostile.mistakes.hostile_bytes import (
    changed,
    lines_of,
    with_lines,
)
from tests.protocol import builders, credited
from tests.protocol.opening_builders import by_desk, by_source, verify

from safeconduct.errors import MalformedError, SafeconductError, UnverifiedError
from safeconduct.protocol import age
from safeconduct.protocol.canonical import tagged_hash
from safeconduct.protocol.claim import LIMBS, open_claim, sign_claim
from safeconduct.protocol.credit import make_offer, open_link, open_offer
from safeconduct.protocol.destruction import draft_destruction, verify_destruction
from safeconduct.protocol.dual import open_dual, sign_dual
from safeconduct.protocol.envelope import acknowledgement
from safeconduct.protocol.gazette import fold
from safeconduct.protocol.keys import attempt_tag
from safeconduct.protocol.opening import sign_source_opening
from safeconduct.protocol.record import (
    Record,
    format_record,
    make_record,
    parse_record,
    parse_signed,
    record_hash,
    sign_record,
    verify_signer,
)
from safeconduct.protocol.signature import sign_mldsa65
from safeconduct.protocol.tip import format_manifest, parse_manifest
from safeconduct.protocol.tlog.note import (
    SignatureLine,
)

# Mistake 12.


def manifest() -> bytes:
    sealed = builders.sealed()
    content = b"".join(age.open_stream(sealed.file_key, sealed.payload()))
    return content[512:].split(b"\0", 1)[0]


SPELLINGS: dict[str, Callable[[bytes], bytes]] = {
    "a blank": lambda data: data.replace(b'":', b'": ', 1),
    "a line end": lambda data: data + b"\n",
    "fields in another order": lambda data: (
        b'{"tag_key":'
        + data.rsplit(b'"tag_key":', 1)[1][:-1]
        + b","
        + data[1:].rsplit(b',"tag_key":', 1)[0]
        + b"}"
    ),
    "a field twice": lambda data: data[:-1] + b',"tag_key":"' + b"0" * 64 + b'"}',
    "a letter written as an escape": lambda data: data.replace(b"message", b"m\\u0065ssage"),
    "a number as a fraction": lambda data: data.replace(b'"size":0', b'"size":0.0'),
    "a field more": lambda data: data[:-1] + b',"zzz":1}',
    "a byte-order mark": lambda data: b"\xef\xbb\xbf" + data,
}


@pytest.mark.parametrize("spelling", SPELLINGS.values(), ids=SPELLINGS)
def test_a_manifest_has_one_spelling(spelling: Callable[[bytes], bytes]) -> None:
    """Mistake 12: what two readers take for the same JSON has two hashes."""
    data = manifest()
    assert format_manifest(parse_manifest(data)) == data
    assert spelling(data) != data
    with pytest.raises(MalformedError):
        parse_manifest(spelling(data))


RECORDS: dict[str, Callable[[list[bytes]], list[bytes]]] = {
    "two fields exchanged": lambda lines: [*lines[:2], lines[3], lines[2], *lines[4:]],
    "a field twice": lambda lines: [*lines[:2], *lines[1:]],
    "a field missing": lambda lines: [*lines[:2], *lines[3:]],
    "a field more": lambda lines: [*lines[:-1], b"note none", b""],
    "upper case": lambda lines: [lines[0], lines[1].upper(), *lines[2:]],
    "a leading zero": lambda lines: [line.replace(b"epoch 1", b"epoch 01") for line in lines],
    "a blank at the end": lambda lines: [lines[0] + b" ", *lines[1:]],
    "no line end": lambda lines: lines[:-1],
    "other line ends": lambda lines: [line + b"\r" for line in lines],
}


@pytest.mark.parametrize("change", RECORDS.values(), ids=RECORDS)
def test_a_record_has_one_order_and_one_spelling(
    change: Callable[[list[bytes]], list[bytes]],
) -> None:
    """Mistake 12: whoever may reorder what was hashed may also say something else with it."""
    lines = format_record(builders.sealed().record).split(b"\n")
    assert change(lines) != lines
    with pytest.raises(MalformedError):
        parse_record(b"\n".join(change(lines)))


def test_what_is_hashed_together_cannot_be_cut_elsewhere() -> None:
    """Mistake 12: without lengths, a file "ab" of "c" is a file "a" of "bc"."""
    keys, digest = builders.source_keys(), bytes(32)
    assert attempt_tag(keys, [("ab", 1, digest)]) != attempt_tag(
        keys, [("a", 1, b"b" + digest)]
    )
    assert tagged_hash("item", b"ab", b"c") != tagged_hash("item", b"a", b"bc")
    assert tagged_hash("item", b"abc") != tagged_hash("item", b"abc", b"")
    assert tagged_hash("item", b"a") != tagged_hash("ite", b"m", b"a")


DUAL_KINDS = (*LIMBS, "credit-request", "opening")


@cache
def dual_records() -> dict[str, Record]:
    """One record of each kind that an author signs twice, all with the same author's keys."""
    mine = parse_signed(builders.signed_claim()).record
    same = {name: mine.values[name] for name in ("ed25519", "mldsa65", "blind")}
    found = {kind: builders.claim_record(kind) for kind in LIMBS}
    others = (by_source().opening, credited.request())
    for record in (parse_signed(data).record for data in others):
        found[record.kind] = Record(kind=record.kind, values={**record.values, **same})
    return found


@pytest.mark.parametrize(("made", "shown"), list(permutations(DUAL_KINDS, 2)))
def test_what_an_author_signed_is_of_one_kind(made: str, shown: str) -> None:
    """Mistake 12: an author's one signature, asked for as this, is used as that.

    Once its lines are put under the other text, once it is handed in where that is due.
    """
    signed = sign_dual(dual_records()[made], *builders.author_seeds(builders.source_keys()))
    assert open_dual(signed, {made}) == dual_records()[made]
    with pytest.raises(UnverifiedError):
        open_dual(with_lines(dual_records()[shown], lines_of(signed)), {shown})
    with pytest.raises(MalformedError, match=f"not {shown}"):
        open_dual(signed, {shown})


def test_a_signature_of_the_right_text_in_another_kinds_context_is_none() -> None:
    """Mistake 12: the younger scheme binds the kind once more, apart from the text."""
    record = dual_records()["opening"]
    seeds = builders.author_seeds(builders.source_keys())
    right = lines_of(sign_dual(record, *seeds))
    text = format_record(record)
    wrong = sign_mldsa65(seeds[1], text, b"safeconduct/v1/claim-helped")
    line = SignatureLine(name=right[1].name, key_id=right[1].key_id, blob=wrong)
    with pytest.raises(UnverifiedError, match="ML-DSA-65"):
        open_dual(with_lines(record, [right[0], line]), {"opening"})


STATED_KINDS = (
    "acknowledgement",
    "assessment",
    "credit-offer",
    "destruction",
    "opening-desk",
    "request",
)


@cache
def statements() -> dict[str, Record]:
    """One record of each kind that a desk's statement key signs, all about one tip."""
    state, tip = credited.state(), credited.tip_hash()
    epoch = state.epochs[0]
    return {
        "acknowledgement": acknowledgement(builders.PROGRAMME, tip, "ok", 1),
        "assessment": builders.assessment(tip),
        "credit-offer": make_offer(state, tip, credited.group(), 1),
        "destruction": draft_destruction(
            builders.PROGRAMME, epoch, None, [tip], epoch.closes + 100_000
        ),
        "opening-desk": changed(parse_signed(by_desk().opening).record, record=tip),
        "request": make_record(
            "request", programme=builders.PROGRAMME, action="deliveries", body=tip, at=1
        ),
    }


@pytest.mark.parametrize(("made", "shown"), list(permutations(STATED_KINDS, 2)))
def test_what_a_desk_signed_is_of_one_kind(made: str, shown: str) -> None:
    """Mistake 12: one statement key signs them all, and each signature is good for one."""
    key = builders.DESK.verifier()
    signed = sign_record(statements()[made], [builders.DESK])
    assert verify_signer(parse_signed(signed, made), key) == statements()[made]
    with pytest.raises(MalformedError, match=f"{made} where {shown} is due"):
        parse_signed(signed, shown)
    moved = with_lines(statements()[shown], lines_of(signed))
    with pytest.raises(UnverifiedError):
        verify_signer(parse_signed(moved, shown), key)


READERS: dict[str, Callable[[bytes], object]] = {
    "an offer": lambda data: open_offer(data, credited.state()),
    "a destruction": lambda data: verify_destruction(data, credited.state()),
    "a link": lambda data: open_link(data, credited.state()),
    "a claim": open_claim,
    "a Gazette entry": lambda data: fold(builders.gazette_state(), data),
}


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("made", ["acknowledgement", "assessment", "request"])
def test_no_reader_takes_another_kind(made: str, reader: str) -> None:
    """Mistake 12: each reader says which kind it waits for, and looks before it verifies."""
    with pytest.raises(SafeconductError):
        READERS[reader](sign_record(statements()[made], [builders.DESK]))


def test_an_opening_is_no_claim_on_what_it_opens() -> None:
    """Mistake 12: who opened a tip in court has not claimed with it, whatever a clerk says."""
    record = builders.statements().record
    opening = sign_source_opening(
        builders.source_keys(),
        builders.sealed().pre,
        programme=builders.PROGRAMME,
        record=record_hash(record),
        purpose="court",
    )
    with pytest.raises(MalformedError):
        open_claim(opening)
    claim = sign_claim(builders.claim_record(), *builders.author_seeds(builders.source_keys()))
    with pytest.raises(SafeconductError):
        verify(replace(by_source(), opening=claim, opening_proof=b""))
