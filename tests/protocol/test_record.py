"""Records: one byte form each, and signatures by those who must have signed, nobody else."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.protocol.builders import (
    DESK,
    MEMBERS,
    PROGRAMME,
    STRANGER,
    claim_record,
    epoch_act,
    law,
    verifiers,
)
from tests.protocol.tlog.sample_log import near

from safeconduct.errors import MalformedError, UnverifiedError
from safeconduct.protocol.canonical import format_json
from safeconduct.protocol.envelope import acknowledgement
from safeconduct.protocol.kinds import (
    GAZETTE_KINDS,
    HASH,
    HEX16,
    KEY,
    KEYS,
    KINDS,
    LAW,
    LEDGER_KINDS,
    MEMBERS_MAX,
    MLDSA65,
    NO_NOTE,
    NOTE,
    NUMBER,
    TOKEN,
    UNSIGNED_KINDS,
    WORD,
)
from safeconduct.protocol.record import (
    RECORD_BYTES_MAX,
    Record,
    Value,
    format_record,
    make_record,
    parse_any,
    parse_record,
    parse_signed,
    record_hash,
    sign_record,
    verify_signer,
    verify_signers,
)
from safeconduct.protocol.tlog.note import (
    COSIGNATURE,
    Note,
    SigningKey,
    format_note,
    sign_note,
)

MALFORMED = sorted((Path(__file__).parent / "malformed_records").iterdir())

RECORD = acknowledgement(PROGRAMME, bytes(range(32)), "ok", 7)
VALID = format_record(RECORD)
SIGNED = sign_record(RECORD, [DESK])

SIGNING_KEYS = st.builds(
    SigningKey,
    name=st.from_regex(r"[a-z]{1,8}\.example(/[a-z0-9]{1,8})?", fullmatch=True),
    seed=st.binary(min_size=32, max_size=32),
)
VALUES: dict[object, st.SearchStrategy[Value]] = {
    HASH: st.binary(min_size=32, max_size=32),
    HEX16: st.binary(min_size=16, max_size=16),
    MLDSA65: st.integers(0, 255).map(lambda byte: bytes([byte]) * 1952),
    NUMBER: st.integers(0, 2**63 - 1),
    WORD: st.from_regex(r"[a-z0-9][a-z0-9._/-]{0,99}", fullmatch=True),
    TOKEN: st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1),
    KEY: SIGNING_KEYS.map(lambda key: key.verifier()),
    KEYS: st.lists(
        SIGNING_KEYS,
        min_size=1,
        max_size=4,
        unique_by=(lambda key: key.name, lambda key: key.seed),
    ).map(verifiers),
    NOTE: st.sampled_from([NO_NOTE, SIGNED]),
    LAW: st.dictionaries(
        st.text(st.characters(exclude_categories=["C"]), max_size=5), st.integers(0, 9)
    ).map(lambda table: format_json({**table})),
}


def a_record(kind: str) -> st.SearchStrategy[Record]:
    fields = {name.replace("-", "_"): VALUES[form] for name, form in KINDS[kind].items()}
    return st.fixed_dictionaries(fields).map(lambda values: make_record(kind, **values))


RECORDS = st.sampled_from(sorted(KINDS)).flatmap(a_record)


@settings(max_examples=20)
@pytest.mark.parametrize("kind", KINDS)
@given(st.data())
def test_a_record_of_each_kind_is_read_back_as_it_was(kind: str, data: st.DataObject) -> None:
    record = data.draw(a_record(kind))
    assert parse_record(format_record(record), kind) == record
    assert list(record.values) == list(KINDS[kind])


@given(RECORDS.map(format_record).flatmap(near))
def test_bytes_near_a_record_are_another_record_or_malformed(data: bytes) -> None:
    try:
        record = parse_record(data)
    except MalformedError:
        return
    assert format_record(record) == data


@given(st.binary(max_size=200))
def test_any_bytes_are_a_record_or_malformed(data: bytes) -> None:
    for parse in (parse_record, parse_signed, parse_any):
        with pytest.raises(MalformedError):
            parse(data)


@given(near(SIGNED))
def test_bytes_near_a_signed_record_are_malformed_or_of_one_form(data: bytes) -> None:
    try:
        signed = parse_signed(data)
    except MalformedError:
        return
    assert format_note(signed.note) == data


def test_the_records_that_the_failures_are_made_of_are_sound() -> None:
    assert parse_record(VALID) == RECORD
    assert verify_signer(parse_signed(SIGNED, "acknowledgement"), DESK.verifier()) == RECORD


@pytest.mark.parametrize("file", MALFORMED, ids=[file.name for file in MALFORMED])
def test_a_published_malformed_record_is_refused(file: Path) -> None:
    """One file, one failure, which its name tells: `.record` is bare, `.signed` is a note."""
    parse = {".record": parse_record, ".signed": parse_signed}[file.suffix]
    with pytest.raises(MalformedError):
        parse(file.read_bytes())


def test_the_malformed_records_are_all_there() -> None:
    assert [file.suffix for file in MALFORMED].count(".record") == 56
    assert [file.suffix for file in MALFORMED].count(".signed") == 16
    assert len({(file.suffix, file.read_bytes()) for file in MALFORMED}) == len(MALFORMED)


def test_a_record_that_passes_the_limit_is_refused_before_it_is_read() -> None:
    long = format_json({"text": "a" * RECORD_BYTES_MAX})
    statute = b"safeconduct/v1/statute\nlaw " + long + b"\n"
    for parse in (parse_record, parse_signed):
        with pytest.raises(MalformedError, match="longer than 65000 bytes"):
            parse(statute)


def test_a_longest_board_still_fits_a_record() -> None:
    keys = [SigningKey(name=f"m{number}.example", seed=bytes([number]) * 32) for number in
            range(MEMBERS_MAX + 1)]  # fmt: skip
    fields: dict[str, Value] = {
        "programme": bytes(32),
        "number": 1,
        "previous": bytes(32),
        "threshold": 20,
    }
    record = make_record("roster", **fields, members=verifiers(keys[:MEMBERS_MAX]))
    assert len(parse_record(format_record(record)).keys("members")) == MEMBERS_MAX
    with pytest.raises(MalformedError, match="1 to 32 keys"):
        make_record("roster", **fields, members=verifiers(keys))


NOT_A_BOARD = {
    "nobody": (),
    "the same key twice": (MEMBERS[0], MEMBERS[0]),
    "one key under two names": (
        MEMBERS[0],
        SigningKey(name="board.example/other", seed=MEMBERS[0].seed),
    ),
    "one name for two keys": (
        MEMBERS[0],
        SigningKey(name=MEMBERS[0].name, seed=STRANGER.seed),
    ),
}


@pytest.mark.parametrize("members", NOT_A_BOARD.values(), ids=NOT_A_BOARD)
def test_nobody_has_two_votes(members: tuple[SigningKey, ...]) -> None:
    with pytest.raises(MalformedError):
        make_record(
            "roster",
            programme=bytes(32),
            number=1,
            previous=bytes(32),
            threshold=1,
            members=verifiers(members),
        )


@pytest.mark.parametrize("algorithm", [COSIGNATURE, 0xFF])
def test_a_key_that_cannot_sign_records_stands_in_none(algorithm: int) -> None:
    with pytest.raises(MalformedError, match="Ed25519"):
        epoch_act(statement=DESK.verifier(algorithm))


MISFITS: dict[str, dict[str, Value]] = {
    "a word in upper case": {"status": "OK"},
    "a word of two lines": {"status": "ok\nother 00"},
    "a negative number": {"epoch": -1},
    "a number of 64 bits": {"epoch": 2**63},
    "a yes for a number": {"epoch": True},
    "a text for a number": {"epoch": "7"},
    "a hash too short": {"record": bytes(31)},
}


@pytest.mark.parametrize("changes", MISFITS.values(), ids=MISFITS)
def test_what_could_not_be_read_again_is_not_made(changes: dict[str, Value]) -> None:
    with pytest.raises(MalformedError):
        make_record("acknowledgement", **{**RECORD.values, **changes})


@pytest.mark.parametrize("token", ["", "age1 x", "age1é", "age1\n", "a" * 4097])
def test_a_token_is_one_printable_word(token: str) -> None:
    assert epoch_act(classic="a" * 4096).word("classic") == "a" * 4096
    with pytest.raises(MalformedError, match=r"classic|fields"):
        epoch_act(classic=token)


def test_a_record_is_made_of_exactly_its_fields() -> None:
    with pytest.raises(TypeError, match="exactly"):
        make_record("acknowledgement", programme=PROGRAMME)
    with pytest.raises(TypeError, match="exactly"):
        make_record("acknowledgement", **RECORD.values, note="hello")


def test_a_record_of_another_kind_does_not_pass() -> None:
    with pytest.raises(MalformedError, match="acknowledgement where delivery is due"):
        parse_record(VALID, "delivery")
    with pytest.raises(MalformedError, match="acknowledgement where delivery is due"):
        parse_signed(SIGNED, "delivery")


def test_a_signature_never_serves_another_kind_of_record() -> None:
    """The two kinds of claim have the same fields; only the first line tells them apart."""
    one, other = "claim-helped", "claim-denounced"
    assert KINDS[one] == KINDS[other]
    text = format_record(claim_record(one)).decode()
    line = sign_note(text, DESK)
    moved = Note(text=text.replace(one, other, 1), signatures=(line,))
    with pytest.raises(UnverifiedError, match="bad signature"):
        verify_signer(parse_signed(format_note(moved), other), DESK.verifier())


def test_every_kind_belongs_to_one_log_or_is_handed_over() -> None:
    assert not GAZETTE_KINDS & LEDGER_KINDS
    assert set(KINDS) - GAZETTE_KINDS - LEDGER_KINDS == {
        "request",
        "manifest",
        "credit-offer",
        "credit-request",
        "credit",
        "blind-signature",
        "credit-token",
    }
    assert not UNSIGNED_KINDS & GAZETTE_KINDS


def test_the_log_dates_the_signatures_too() -> None:
    assert record_hash(VALID) != record_hash(SIGNED)
    assert record_hash(SIGNED) != record_hash(sign_record(RECORD, [DESK, STRANGER]))


@settings(max_examples=20)
@given(RECORDS)
def test_a_record_is_found_with_or_without_signatures_by_its_kind(record: Record) -> None:
    bare, signed = format_record(record), sign_record(record, [DESK])
    good, bad = (bare, signed) if record.kind in UNSIGNED_KINDS else (signed, bare)
    assert parse_any(good) == record
    with pytest.raises(MalformedError):
        parse_any(bad)


ANNA, BORIS, CLARA = MEMBERS
RESIGNED = SigningKey(name=ANNA.name, seed=STRANGER.seed)

SIGNERS: dict[str, tuple[tuple[SigningKey, ...], bool]] = {
    "two of three": ((ANNA, BORIS), True),
    "two of three in another order": ((CLARA, ANNA), True),
    "all three": ((ANNA, BORIS, CLARA), True),
    "one of three": ((ANNA,), False),
    "one of three, twice": ((ANNA, ANNA), False),
    "two of three, one of them twice": ((ANNA, BORIS, BORIS), False),
    "two of three and a stranger": ((ANNA, BORIS, STRANGER), False),
    "a stranger alone": ((STRANGER,), False),
    "a stranger under a member's name": ((ANNA, RESIGNED), False),
}


@pytest.mark.parametrize(("keys", "enough"), SIGNERS.values(), ids=SIGNERS)
def test_a_board_of_three_decides_with_two(keys: tuple[SigningKey, ...], enough: bool) -> None:
    signed = parse_signed(sign_record(RECORD, keys))
    board = verifiers(MEMBERS)
    if enough:
        assert verify_signers(signed, board, 2) == tuple(key.name for key in keys)
    else:
        with pytest.raises(UnverifiedError):
            verify_signers(signed, board, 2)


def test_a_record_signed_by_two_is_not_signed_by_one_of_them_alone() -> None:
    with pytest.raises(UnverifiedError, match="no say"):
        verify_signer(parse_signed(sign_record(RECORD, [DESK, STRANGER])), DESK.verifier())


@pytest.mark.parametrize("bit", range(0, 8 * 64, 17))
def test_a_bit_changed_in_a_signature_is_noticed(bit: int) -> None:
    signed = parse_signed(SIGNED)
    line = signed.note.signatures[0]
    blob = (int.from_bytes(line.blob, "big") ^ 1 << bit).to_bytes(64, "big")
    changed = type(line)(name=line.name, key_id=line.key_id, blob=blob)
    data = format_note(Note(text=signed.note.text, signatures=(changed,)))
    with pytest.raises(UnverifiedError, match="bad signature"):
        verify_signer(parse_signed(data), DESK.verifier())


def test_a_statute_keeps_every_letter_of_its_text() -> None:
    fields: dict[str, Value] = {"programme": PROGRAMME, "number": 1, "previous": bytes(32)}
    record = make_record("statute", **fields, law=law())
    assert parse_record(format_record(record)).hash("law") == law()
    assert "über" in law().decode()
