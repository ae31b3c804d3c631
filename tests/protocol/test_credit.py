"""Credits: offered, asked for, granted, unblinded; and every way in which one is not one."""

import hashlib
from collections.abc import Callable
from dataclasses import replace

import pytest
from tests.protocol import credited
from tests.protocol.builders import (
    DESK,
    NOON,
    PROGRAMME,
    STRANGER,
    THE_DATE,
    author_seeds,
    by_board,
    master,
    source_keys,
    statute_act,
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

from safeconduct.errors import MalformedError, RefusedError, UnverifiedError
from safeconduct.protocol import blind, credit
from safeconduct.protocol.canonical import (
    derive_key,
    format_base64,
    format_json,
    parse_base64,
    tagged_hash,
)
from safeconduct.protocol.dual import opened_author, sign_dual
from safeconduct.protocol.gazette import CreditGroup, GazetteState, fold, fold_all
from safeconduct.protocol.keys import ContributionKeys, contribution_keys
from safeconduct.protocol.record import (
    NO_HASH,
    Record,
    Value,
    format_record,
    parse_record,
    parse_signed,
    record_hash,
    sign_record,
)
from safeconduct.protocol.signature import ed25519_public, mldsa65_public
from safeconduct.protocol.statute.load import with_version

KEYS = source_keys()
SCHEMES = ("plain", "blind")
KNOWN = {  # for statute 00 01 … 1f, class `useful`, period 2, and seed_0 of the known answers
    "group": "6025e9a8907baf9eb0549b2210b71980d59e755f192200f784b86c6e2bd6c119",
    "serial": "1a5e293a4b910f13f3daccb829d0b9b1",
    "key": "e559c742439049ddd1cd8cd0aca00c8cf45ee1d0ecd5e268dacfb04e927614a0",
    "nullifier": "4a0c8dfd7dcf0b9b9c932b4bc1cf0b341c0ef5f69e80fbe95414d6b7a36d49a0",
    "message": "26760ba944b538d2b937f855806a6a43eedbd1075a50d43e65cca89c8c4594b5",
}
each_scheme = pytest.mark.parametrize("scheme", SCHEMES)


# Everything as it must be.


@each_scheme
def test_a_credit_says_which_key_holds_it_and_until_when_its_tip_was_logged(
    scheme: str,
) -> None:
    opened = credit.open_credit(held(scheme), state(scheme))
    serial = credit.serial_of(KEYS, group(scheme))
    assert opened.group == group(scheme)
    assert opened.period_end == THE_DATE
    assert opened.key == credit.redemption_key(KEYS, serial)
    assert opened.nullifier == tagged_hash("nullifier", opened.key)


@each_scheme
def test_the_holder_opens_the_key_of_the_credit_and_the_author_of_the_tip_does_not(
    scheme: str,
) -> None:
    serial = credit.serial_of(KEYS, group(scheme))
    redeeming = KEYS.redemption(serial)
    ed25519, mldsa65 = redeeming.author_public()
    shown = {"ed25519": ed25519, "mldsa65": mldsa65, "blind": redeeming.blind(serial)}
    claim = Record(kind="claim-credited", values=shown)
    key = credit.open_credit(held(scheme), state(scheme)).key
    assert opened_author(claim) == key
    assert key != tip(scheme).record.hash("author")
    assert ed25519 != KEYS.author_public()[0]


@each_scheme
def test_words_alone_give_the_same_request_and_the_same_token_again(scheme: str) -> None:
    fresh = contribution_keys(master(), 0)
    again = credit.make_request(
        fresh, tip(scheme).pre, tip_hash(scheme), group(scheme), state(scheme)
    )
    assert parse_signed(again).record == opened_request(scheme).record
    assert again != credited.request(scheme)  # ML-DSA signatures are hedged …
    assert opened_request(scheme).hash == credit.text_hash(parse_signed(again).record)  # … so
    if scheme == "blind":
        answer = credited.blind_answer()
        token = credit.finish_blind(fresh, group("blind"), answer, state("blind"))
        assert token == held("blind")


def test_each_tip_and_each_group_has_a_serial_and_a_key_of_its_own() -> None:
    groups = [group("plain"), group("blind"), group("plain", "corroborated")]
    groups += [replace(group("plain"), period=2)]
    serials = {
        credit.serial_of(source_keys(number), each) for number in range(3) for each in groups
    }
    assert len(serials) == 12
    assert len({credit.redemption_key(KEYS, serial) for serial in serials}) == 12
    assert len({credit.group_hash(each) for each in groups}) == 4


def test_what_derives_from_the_words_has_known_answers() -> None:
    fixed = CreditGroup(statute=bytes(range(32)), word="useful", period=2)
    serial = credit.serial_of(KEYS, fixed)
    key = credit.redemption_key(KEYS, serial)
    assert {
        "group": credit.group_hash(fixed).hex(),
        "serial": serial.hex(),
        "key": key.hex(),
        "nullifier": credit.nullifier(key).hex(),
        "message": credit.credit_message(PROGRAMME, fixed, key).hex(),
    } == KNOWN


def test_a_blind_request_is_made_as_the_specification_says() -> None:
    """docs/3-protocol.md §24.4, step by step, from the redemption seed on."""
    issuing = credited.issuing_key()
    n = issuing.modulus
    serial = credit.serial_of(KEYS, group("blind"))
    seed = derive_key(KEYS.seed, "redeem", serial)
    context = hashlib.sha256(issuing.der).digest()
    prefix = derive_key(seed, "credit-prefix", context)
    salt = derive_key(seed, "credit-salt", context, 48)
    chance = int.from_bytes(derive_key(seed, "credit-factor", context, 528), "big")
    key = credit.redemption_key(KEYS, serial)
    message = credit.credit_message(PROGRAMME, group("blind"), key)
    encoded = int.from_bytes(blind.encode(prefix + message, salt), "big")
    ask = encoded * pow(1 + chance % (n - 1), 65_537, n) % n
    assert opened_request("blind").ask == ask.to_bytes(512, "big")
    assert parse_record(held("blind")).hash("prefix") == prefix


def test_a_token_says_nothing_that_the_board_has_seen() -> None:
    asked, token = opened_request("blind"), parse_record(held("blind"))
    seen = format_record(asked.record) + credited.blind_answer()
    for name in ("key", "prefix"):
        assert token.hash(name).hex().encode() not in seen
    assert token.word("signature").encode() not in seen
    assert credit.serial_of(KEYS, group("blind")).hex().encode() not in seen
    assert asked.record.hash("serial") == credit.NO_SERIAL


def test_the_token_is_a_plain_rsa_signature_of_the_published_key() -> None:
    token = parse_record(held("blind"))
    message = credit.credit_message(PROGRAMME, group("blind"), token.hash("key"))
    signature = parse_base64(token.word("signature"), "signature")
    blind.verify(credited.issuing_key(), token.hash("prefix") + message, signature)


@each_scheme
def test_the_board_links_tip_and_request_and_names_no_key_if_it_saw_none(scheme: str) -> None:
    link = credit.open_link(by_board(credit.link_record(opened_request(scheme))), state(scheme))
    assert link.hash("record") == tip_hash(scheme)
    assert link.hash("request") == opened_request(scheme).hash
    granted = NO_HASH
    if scheme == "plain":
        granted = credit.text_hash(parse_signed(held("plain")).record)
    assert link.hash("credit") == granted


def test_a_tip_belongs_to_the_period_that_ends_first_after_it_was_logged() -> None:
    law = credited.credited_law(periods=["2027-01-01T00:00:00Z", "the_date"])
    periods = fold_all([*entries()[:1], by_board(statute_act(law=law))])
    statute = periods.statutes[0].sha256
    ends = (1_798_761_600, THE_DATE)
    for logged_by, period in ((ends[0] - 1, 1), (ends[0], 2), (ends[1] - 1, 2)):
        found = credit.group_for(periods, statute, "useful", logged_by)
        assert found.period == period
    with pytest.raises(RefusedError, match="after the last period"):
        credit.group_for(periods, statute, "useful", ends[1])
    with pytest.raises(RefusedError, match="no credits of this class"):
        credit.group_for(periods, statute, "worthless", NOON)
    with pytest.raises(UnverifiedError):
        credit.group_for(periods, bytes(32), "useful", NOON)


# Offers.


def offer(scheme: str = "plain") -> Record:
    return credit.make_offer(state(scheme), tip_hash(scheme), group(scheme), 1)


@each_scheme
def test_an_offer_by_the_desk_is_taken(scheme: str) -> None:
    data = sign_record(offer(scheme), [DESK])
    assert credit.open_offer(data, state(scheme)) == offer(scheme)


OFFERS: dict[str, tuple[Callable[[], bytes], str]] = {
    "signed by a stranger": (lambda: sign_record(offer(), [STRANGER]), "no say here"),
    "signed by the board": (lambda: by_board(offer()), "no say here"),
    "signed by others as well": (lambda: sign_record(offer(), [DESK, STRANGER]), "no say"),
    "of another programme": (
        lambda: sign_record(changed(offer(), programme=bytes(32)), [DESK]),
        "another programme",
    ),
    "of an epoch that never was": (
        lambda: sign_record(changed(offer(), epoch=2), [DESK]),
        "never certified",
    ),
    "under a law that never was": (
        lambda: sign_record(changed(offer(), statute=bytes(32)), [DESK]),
        "never published",
    ),
    "of a class without credits": (
        lambda: sign_record(changed(offer(), **{"class": "worthless"}), [DESK]),
        "no credits of this class",
    ),
    "of a period before the first": (
        lambda: sign_record(changed(offer(), period=0), [DESK]),
        "no such period",
    ),
    "of a period after the last": (
        lambda: sign_record(changed(offer(), period=2), [DESK]),
        "no such period",
    ),
    "of another scheme than the law's": (
        lambda: sign_record(changed(offer(), scheme="blind"), [DESK]),
        "credits are plain",
    ),
    "unsigned": (lambda: format_record(offer()), "no empty line"),
    "a request": (lambda: credited.request(), "credit-offer is due"),
}


@pytest.mark.parametrize(("data", "reason"), OFFERS.values(), ids=OFFERS)
def test_no_offer_is_one_that_is(data: Callable[[], bytes], reason: str) -> None:
    with pytest.raises((MalformedError, UnverifiedError), match=reason):
        credit.open_offer(data(), state())


def test_nothing_is_offered_or_asked_for_while_the_group_has_no_key() -> None:
    without = fold_all(entries("blind")[:3])
    lacking = group("blind", "corroborated")
    for call in (
        lambda: credit.make_offer(without, tip_hash("blind"), group("blind"), 1),
        lambda: credit.make_offer(state("blind"), tip_hash("blind"), lacking, 1),
        lambda: credit.open_offer(sign_record(offer("blind"), [DESK]), without),
        lambda: credit.make_request(
            KEYS, tip("blind").pre, tip_hash("blind"), group("blind"), without
        ),
    ):
        with pytest.raises(UnverifiedError, match="no key for these credits"):
            call()


# Requests.


def asked(keys: ContributionKeys = KEYS, under: str = "plain", /, **changes: Value) -> bytes:
    """Our request with these fields changed, signed by the keys that it names."""
    ed25519, mldsa65 = author_seeds(keys)
    named = {"ed25519": ed25519_public(ed25519), "mldsa65": mldsa65_public(mldsa65)}
    record = changed(opened_request(under).record, **named | changes)
    return sign_dual(record, ed25519, mldsa65)


def opened(data: bytes, scheme: str = "plain") -> credit.Request:
    return credit.open_request(data, tip(scheme).record, tip_hash(scheme), state(scheme))


def grafted() -> bytes:
    """Our request under the signatures of another text of ours."""
    text, _, lines = credited.request().rpartition(b"\n\n")
    other, _, _ = asked(period=2).rpartition(b"\n\n")
    assert text != other
    return other + b"\n\n" + lines


def with_low_order_key() -> bytes:
    ours = KEYS.author_public()[0].hex().encode()
    low = (bytes([1]) + bytes(31)).hex().encode()
    assert ours in credited.request()
    return credited.request().replace(ours, low)


REQUESTS: dict[str, tuple[Callable[[], bytes], str]] = {
    "by the author of another tip": (
        lambda: asked(source_keys(1), blind=source_keys(1).blind(tip().pre)),
        "not by the author",
    ),
    "by another author who names our blind": (
        lambda: asked(source_keys(1)),
        "not by the author",
    ),
    "by the author with another blind": (lambda: asked(blind=bytes(16)), "not by the author"),
    "by redemption keys": (
        lambda: asked(KEYS.redemption(credit.serial_of(KEYS, group()))),
        "not by the author",
    ),
    "about another tip": (lambda: asked(record=tip_hash("plain", 1)), "another contribution"),
    "of another programme": (lambda: asked(programme=bytes(32)), "another programme"),
    "under a law that never was": (lambda: asked(statute=bytes(32)), "never published"),
    "of a class without credits": (
        lambda: asked(**{"class": "unproven"}),
        "no credits of this class",
    ),
    "of a period without credits": (lambda: asked(period=2), "no such period"),
    "of another scheme": (lambda: asked(scheme="blind"), "credits are plain"),
    "for no key": (lambda: asked(ask="=" * 4), "base64"),
    "for a key too short": (lambda: asked(ask=format_base64(bytes(31))), "32 bytes"),
    "for a key too long": (lambda: asked(ask=format_base64(bytes(33))), "32 bytes"),
    "with signatures of another text": (grafted, "does not verify"),
    "with an Ed25519 key of low order": (with_low_order_key, "prime-order"),
    "an offer": (lambda: sign_record(offer(), [DESK]), "not credit-request"),
    "unsigned": (lambda: format_record(opened_request().record), "no empty line"),
}
NUMBER = credited.issuing_key().modulus


def blindly_asked(number: int, length: int = 512) -> Callable[[], bytes]:
    ask = format_base64(number.to_bytes(length, "big"))
    return lambda: asked(KEYS, "blind", ask=ask)


BLIND_REQUESTS: dict[str, tuple[Callable[[], bytes], str]] = {
    "for zero": (blindly_asked(0), "no number"),
    "for one": (blindly_asked(1), "no number"),
    "for n - 1": (blindly_asked(NUMBER - 1), "no number"),
    "for n": (blindly_asked(NUMBER), "no number"),
    "for more than n": (blindly_asked(NUMBER + 2), "no number"),
    "for 511 bytes": (blindly_asked(5, 511), "512 bytes"),
    "for 513 bytes": (blindly_asked(5, 513), "512 bytes"),
    "for a key, as if it were plain": (
        lambda: asked(KEYS, "blind", ask=format_base64(bytes(32))),
        "512 bytes",
    ),
    "with a serial to know it by": (
        lambda: asked(KEYS, "blind", serial=bytes([1]) * 16),
        "names no serial",
    ),
}


@pytest.mark.parametrize(("data", "reason"), REQUESTS.values(), ids=REQUESTS)
def test_the_desk_takes_no_request(data: Callable[[], bytes], reason: str) -> None:
    with pytest.raises((MalformedError, UnverifiedError), match=reason):
        opened(data())


@pytest.mark.parametrize(("data", "reason"), BLIND_REQUESTS.values(), ids=BLIND_REQUESTS)
def test_the_desk_takes_no_blind_request(data: Callable[[], bytes], reason: str) -> None:
    with pytest.raises((MalformedError, UnverifiedError), match=reason):
        opened(data(), "blind")


def newer_laws() -> GazetteState:
    """The programme of the plain credits with a second version of the law."""
    law = with_version(
        credited.document(),
        number=2,
        published="2026-12-01T00:00:00Z",
        in_force_from="2026-12-01T00:00:00Z",
        supersedes=group().statute,
    )
    act = statute_act(number=2, previous=group().statute, law=format_json(law))
    return fold(state(), by_board(act))


def test_a_credit_may_be_of_a_later_law_than_the_tip_and_not_of_an_older_one() -> None:
    laws = newer_laws()
    later = replace(group(), statute=laws.statutes[1].sha256)
    data = credit.make_request(KEYS, tip().pre, tip_hash(), later, laws)
    assert credit.open_request(data, tip().record, tip_hash(), laws).group == later

    recent = changed(tip().record, statute=later.statute)
    digest = record_hash(format_record(recent))
    older = credit.make_request(KEYS, tip().pre, digest, group(), laws)
    with pytest.raises(UnverifiedError, match="older than the contribution"):
        credit.open_request(older, recent, digest, laws)
