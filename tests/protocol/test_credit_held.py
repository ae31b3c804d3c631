"""Credits: what the board hands out, what a source makes of it, and what counts as one."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.protocol import credited
from tests.protocol.builders import (
    DESK,
    MEMBERS,
    PROGRAMME,
    STRANGER,
    by_board,
    signing_key,
    source_keys,
    statute_act,
    verifiers,
)
from tests.protocol.credited import (
    changed,
    entries,
    group,
    held,
    opened_request,
    state,
    tip,
    tip_hash,
)

from safeconduct.errors import MalformedError, UnverifiedError
from safeconduct.protocol import blind, credit
from safeconduct.protocol.canonical import format_base64, parse_base64
from safeconduct.protocol.gazette import GazetteState, fold, fold_all
from safeconduct.protocol.record import (
    NO_HASH,
    Record,
    Value,
    format_record,
    make_record,
    parse_record,
    parse_signed,
    sign_record,
)
from safeconduct.protocol.tlog.note import SigningKey

ANNA, BORIS, _ = MEMBERS
KEYS = source_keys()


# What the board hands out.


def test_a_faulted_blind_signature_makes_no_record() -> None:
    right = credited.sign_blindly(opened_request("blind").ask)
    for bit in (0, 100, 4000):
        wrong = (int.from_bytes(right, "big") ^ (1 << bit)).to_bytes(512, "big")
        with pytest.raises((UnverifiedError, MalformedError)):
            credit.blind_signature_record(opened_request("blind"), wrong, state("blind"))


def answered(**changes: Value) -> bytes:
    return format_record(changed(parse_record(credited.blind_answer()), **changes))


def answer_to(block: bytes) -> bytes:
    return answered(signature=format_base64(credited.sign_blindly(block)))


ANSWERS: dict[str, tuple[Callable[[], bytes], str]] = {
    "to another tip's request": (
        lambda: credited.blind_answer(1),
        "does not verify",
    ),
    "to another number": (lambda: answer_to(bytes(511) + b"\x07"), "does not verify"),
    "of another programme": (lambda: answered(programme=bytes(32)), "another programme"),
    "about another class": (lambda: answered(**{"class": "corroborated"}), "other credits"),
    "about another period": (lambda: answered(period=2), "other credits"),
    "with a signature too short": (
        lambda: answered(signature=format_base64(bytes(511))),
        "512 bytes",
    ),
    "with a signature out of range": (
        lambda: answered(signature=format_base64(b"\xff" * 512)),
        "no number",
    ),
    "with a signature that is no base64": (lambda: answered(signature="!"), "base64"),
    "a token": (lambda: held("blind"), "blind-signature is due"),
}


@pytest.mark.parametrize(("data", "reason"), ANSWERS.values(), ids=ANSWERS)
def test_the_source_makes_no_token_of_an_answer(data: Callable[[], bytes], reason: str) -> None:
    with pytest.raises((MalformedError, UnverifiedError), match=reason):
        credit.finish_blind(KEYS, group("blind"), data(), state("blind"))


def test_two_issuing_keys_never_see_one_message_blinded_alike() -> None:
    """A server that shows another key gets other numbers, prefix and salt."""
    act = credited.issuing_key_act(
        state("blind"), key=blind.format_public_key(credited.issuing_key(1))
    )
    elsewhere = fold_all([*entries("blind")[:3], by_board(act)])
    data = credit.make_request(
        KEYS, tip("blind").pre, tip_hash("blind"), group("blind"), elsewhere
    )
    ask = parse_base64(parse_signed(data).record.word("ask"), "ask")
    ours, theirs = (int.from_bytes(each, "big") for each in (opened_request("blind").ask, ask))
    assert ours != theirs
    assert ours % 2**256 != theirs % 2**256


LINKS: dict[str, tuple[Callable[[], Record], str, str]] = {
    "plain, that names no credit": (
        lambda: changed(credit.link_record(opened_request()), credit=NO_HASH),
        "plain",
        "names a credit",
    ),
    "blind, that names a credit": (
        lambda: changed(credit.link_record(opened_request("blind")), credit=b"\x01" * 32),
        "blind",
        "names a credit",
    ),
    "of another scheme": (
        lambda: changed(credit.link_record(opened_request()), scheme="blind"),
        "plain",
        "credits are plain",
    ),
    "of another programme": (
        lambda: changed(credit.link_record(opened_request()), programme=bytes(32)),
        "plain",
        "another programme",
    ),
}


@pytest.mark.parametrize(("record", "scheme", "reason"), LINKS.values(), ids=LINKS)
def test_no_link_is_one_that_is(record: Callable[[], Record], scheme: str, reason: str) -> None:
    with pytest.raises((MalformedError, UnverifiedError), match=reason):
        credit.open_link(by_board(record()), state(scheme))


def test_a_link_needs_as_many_of_the_board_as_anything_else() -> None:
    record = credit.link_record(opened_request())
    with pytest.raises(UnverifiedError, match="1 of 2"):
        credit.open_link(sign_record(record, [ANNA]), state())


# What counts as a credit.


@cache
def plain() -> Record:
    return parse_signed(held("plain")).record


@cache
def token() -> Record:
    return parse_record(held("blind"))


def tokened(**changes: Value) -> bytes:
    return format_record(changed(token(), **changes))


def signed_by(*keys: SigningKey, **changes: Value) -> Callable[[], bytes]:
    return lambda: sign_record(changed(plain(), **changes), keys)


CREDITS: dict[str, tuple[str, Callable[[], bytes], str]] = {
    "plain, signed by one of two": ("plain", signed_by(ANNA), "1 of 2"),
    "plain, signed by one of the board twice": (
        "plain",
        signed_by(ANNA, ANNA),
        "signed twice",
    ),
    "plain, signed by the desk": ("plain", signed_by(DESK), "no say here"),
    "plain, signed by a stranger as well": (
        "plain",
        signed_by(ANNA, BORIS, STRANGER),
        "no say here",
    ),
    "plain, of another programme": (
        "plain",
        signed_by(ANNA, BORIS, programme=bytes(32)),
        "another programme",
    ),
    "plain, under a law that never was": (
        "plain",
        signed_by(ANNA, BORIS, statute=bytes(32)),
        "never published",
    ),
    "plain, of a class without credits": (
        "plain",
        signed_by(ANNA, BORIS, **{"class": "false"}),
        "no credits of this class",
    ),
    "plain, of period 0": ("plain", signed_by(ANNA, BORIS, period=0), "no such period"),
    "plain, of a period after the last": (
        "plain",
        signed_by(ANNA, BORIS, period=2),
        "no such period",
    ),
    "plain, where the law's are blind": (
        "blind",
        lambda: sign_record(changed(plain(), statute=group("blind").statute), (ANNA, BORIS)),
        "credits are blind",
    ),
    "a token where the law's are plain": (
        "plain",
        lambda: tokened(statute=group().statute),
        "no key for these credits",
    ),
    "a token of another programme": (
        "blind",
        lambda: tokened(programme=bytes(32)),
        "another programme",
    ),
    "a token of a class without a key": (
        "blind",
        lambda: tokened(**{"class": "corroborated"}),
        "no key for these credits",
    ),
    "a token of another period": (
        "blind",
        lambda: tokened(period=2),
        "no key for these credits",
    ),
    "a token for another key": ("blind", lambda: tokened(key=bytes(32)), "does not verify"),
    "a token with another prefix": (
        "blind",
        lambda: tokened(prefix=bytes(32)),
        "does not verify",
    ),
    "a token with the blind signature for its signature": (
        "blind",
        lambda: tokened(signature=parse_record(credited.blind_answer()).word("signature")),
        "does not verify",
    ),
    "a token with no number for its signature": (
        "blind",
        lambda: tokened(signature=format_base64(b"\xff" * 512)),
        "no number",
    ),
    "a blind signature": ("blind", lambda: credited.blind_answer(), "not a credit"),
    "a request": ("plain", lambda: credited.request(), "not a credit"),
    "a link": (
        "plain",
        lambda: by_board(credit.link_record(opened_request())),
        "not a credit",
    ),
    "nothing": ("plain", lambda: b"", "no empty line"),
}


@pytest.mark.parametrize(("scheme", "data", "reason"), CREDITS.values(), ids=CREDITS)
def test_no_credit_is(scheme: str, data: Callable[[], bytes], reason: str) -> None:
    with pytest.raises((MalformedError, UnverifiedError), match=reason):
        credit.open_credit(data(), state(scheme))


OPENERS: dict[str, Callable[[bytes], object]] = {
    "plain": lambda data: credit.open_credit(data, state()),
    "blind": lambda data: credit.open_credit(data, state("blind")),
    "request": lambda data: credit.open_request(
        data, tip("blind").record, tip_hash("blind"), state("blind")
    ),
}


@pytest.mark.parametrize("kind", OPENERS)
@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_with_any_bit_changed_it_is_refused(kind: str, data: st.DataObject) -> None:
    good = credited.request("blind") if kind == "request" else held(kind)
    bad = bytearray(good)
    bad[data.draw(st.integers(0, len(bad) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    OPENERS[kind](good)
    with pytest.raises((MalformedError, UnverifiedError)):
        OPENERS[kind](bytes(bad))


# Boards come and go.

NEW_MEMBERS = tuple(signing_key(f"board.example/{name}") for name in ("dora", "emil", "fania"))


def roster_act(previous: GazetteState, members: Sequence[SigningKey], number: int) -> Record:
    return make_record(
        "roster",
        programme=PROGRAMME,
        number=number,
        previous=previous.roster.hash,
        threshold=2,
        members=verifiers(members),
    )


def replaced_board() -> GazetteState:
    return fold(state(), by_board(roster_act(state(), NEW_MEMBERS, 1)))


def test_a_body_takes_no_credit_back_by_changing_its_board() -> None:
    after = replaced_board()
    assert credit.open_credit(held("plain"), after).key == plain().hash("key")
    by_new = sign_record(plain(), NEW_MEMBERS[:2])
    assert credit.open_credit(by_new, after).key == plain().hash("key")
    with pytest.raises(UnverifiedError, match="no say here"):
        credit.open_credit(by_new, state())


def test_members_of_two_boards_make_no_board_together() -> None:
    with pytest.raises(UnverifiedError, match="no say here"):
        credit.open_credit(sign_record(plain(), [ANNA, NEW_MEMBERS[0]]), replaced_board())


def test_a_board_that_was_gone_before_the_law_was_made_issues_nothing_under_it() -> None:
    founded = fold(None, entries()[0])
    replaced = fold(founded, by_board(roster_act(founded, NEW_MEMBERS, 1)))
    act = statute_act(law=credited.credited_law())
    lawful = fold(replaced, sign_record(act, NEW_MEMBERS[:2]))
    with pytest.raises(UnverifiedError, match="no say here"):
        credit.open_credit(sign_record(plain(), [ANNA, BORIS]), lawful)
    assert credit.open_credit(sign_record(plain(), NEW_MEMBERS[1:]), lawful)


# Known mistakes with blind credits (docs/4-threat-model.md).


def test_a_token_whose_message_names_a_better_class_than_its_key_is_worth_nothing() -> None:
    """One key for all classes, and the class in the message: who signs cannot see which."""
    better = replace(group("blind"), word="corroborated")
    key = credit.redemption_key(KEYS, credit.serial_of(KEYS, better))
    prefix, salt = bytes(32), bytes(48)
    prepared = blind.prepare(credit.credit_message(PROGRAMME, better, key), prefix)
    public = credited.issuing_key()
    blinded = blind.blind(public, prepared, salt, 77)
    signature = blind.finalize(
        public, prepared, credited.sign_blindly(blinded.message), blinded.inverse
    )
    forged: dict[str, Value] = {
        "key": key,
        "prefix": prefix,
        "signature": format_base64(signature),
    }
    for word in ("corroborated", "useful"):
        with pytest.raises(UnverifiedError):
            credit.open_credit(tokened(**forged | {"class": word}), state("blind"))


def second_key(**changes: Value) -> bytes:
    fields: dict[str, Value] = {"number": 2} | changes
    return by_board(credited.issuing_key_act(state("blind"), **fields))


def test_no_holder_is_given_a_key_of_their_own() -> None:
    """A second key for a group would mark whoever got it."""
    other = blind.format_public_key(credited.issuing_key(1))
    with pytest.raises(MalformedError, match="the group has a key"):
        fold(state("blind"), second_key(key=other))


def test_no_key_serves_two_groups() -> None:
    with pytest.raises(MalformedError, match="or the key a group"):
        fold(state("blind"), second_key(**{"class": "corroborated"}))
    other = blind.format_public_key(credited.issuing_key(1))
    taken = fold(state("blind"), second_key(key=other, **{"class": "corroborated"}))
    assert taken.issuing_key(group("blind", "corroborated")).key == credited.issuing_key(1)
