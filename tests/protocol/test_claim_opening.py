"""Claims in which the tip itself is shown, for want of the desk's acknowledgement."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from tests.protocol.age.chance import dice
from tests.protocol.builders import (
    DAY,
    DESK,
    FILES,
    NOON,
    POLICY,
    PROGRAMME,
    STRANGER,
    address,
    claimed,
    gazette_state,
    helped_bundle,
    helped_fields,
    prove,
    seal,
    sealed,
    signed_for,
    source_keys,
    sources,
    statements,
)
from tests.protocol.claiming import (
    delivery,
    inline,
    opened_bundle,
    opened_fields,
)
from tests.protocol.test_claim_evidence import NOTHING_FOUND, item

from safeconduct.errors import MalformedError, UnverifiedError
from safeconduct.protocol.address import Address
from safeconduct.protocol.canonical import format_json
from safeconduct.protocol.claim import (
    BUNDLE_BYTES_MAX,
    DELIVERY_GRACE_SECONDS,
    Examined,
    examine,
    format_bundle,
    parse_bundle,
)
from safeconduct.protocol.envelope import Envelope, acknowledgement, seal_envelope
from safeconduct.protocol.keys import file_key
from safeconduct.protocol.opening import INLINE_PAYLOAD_BYTES_MAX, format_inline
from safeconduct.protocol.record import format_record, record_hash, sign_record

STATE = gazette_state()
DIGEST = record_hash(statements().record)
STANDS = "the opening in the claim stands for the acknowledgement"
UNDATED = "without a delivery in time, what was opened has no date that counts"
LAST = NOON + STATE.programme.number("delivery-window") + DELIVERY_GRACE_SECONDS


def examined(data: bytes) -> Examined:
    return examine(parse_bundle(data), STATE, POLICY, NOTHING_FOUND)


def said(status: str) -> dict[str, str]:
    """The desk's acknowledgement with another word."""
    signed = sign_record(acknowledgement(PROGRAMME, DIGEST, status, 1), [DESK])
    proof = prove(record_hash(signed), NOON + DAY)
    return {"acknowledgement": signed.decode(), "acknowledgement_proof": proof.decode()}


def test_an_opened_tip_counts_as_acknowledged_and_the_reasons_say_by_what() -> None:
    found = examined(opened_bundle())
    assert item(found, "tips") == {
        "acknowledged": "ok",
        "author_proven": True,
        "grade": "useful",
        "logged": [None, NOON],
    }
    assert found.shortfalls == ("no acknowledgement was shown", STANDS)


@pytest.mark.parametrize("status", ["mismatch", "unreadable"])
def test_an_opening_shows_that_the_desk_could_have_read_the_tip(status: str) -> None:
    found = examined(opened_bundle(opened_fields(), **said(status)))
    assert item(found, "tips")["acknowledged"] == "ok"
    assert found.shortfalls == (STANDS,)


def test_an_opening_does_not_show_that_the_content_was_new() -> None:
    found = examined(opened_bundle(opened_fields(), **said("duplicate")))
    assert item(found, "tips")["acknowledged"] == "duplicate"


def test_an_opening_beside_an_acknowledgement_changes_nothing() -> None:
    both = format_json({**signed_for({**helped_fields(), **opened_fields()})})
    assert examined(both) == examined(helped_bundle())


# Openings that show nothing.


def _of_another_tip() -> str:
    other = seal({"other.txt": b"another tip\n"}, number=1)
    return format_inline(other.file_key, b"".join(other.payload()))


def _payload(change: Callable[[bytes], bytes]) -> str:
    return format_inline(sealed().file_key, change(b"".join(sealed().payload())))


WRONG: dict[str, Callable[[], str]] = {
    "another file key": lambda: format_inline(bytes(16), b"".join(sealed().payload())),
    "the payload and the key of another tip": _of_another_tip,
    "a payload cut short": lambda: _payload(lambda sealed: sealed[:-1]),
    "a payload with a byte more": lambda: _payload(lambda sealed: sealed + b"\0"),
    "a payload with a bit changed": lambda: _payload(lambda p: p[:-1] + bytes([p[-1] ^ 1])),
    "no payload": lambda: _payload(lambda _: b""),
    "no opening at all": lambda: "what was in it, says I",
    "a payload that is too large for a claim": lambda: inline().replace(
        '"payload":"', '"payload":"' + "AAAA" * (INLINE_PAYLOAD_BYTES_MAX // 3 + 1)
    )[: BUNDLE_BYTES_MAX - 40_000],
}


@pytest.mark.parametrize("what", WRONG)
def test_an_opening_that_does_not_hold_acknowledges_nothing_and_says_why(what: str) -> None:
    found = examined(opened_bundle(opened_fields(WRONG[what]())))
    assert item(found, "tips")["acknowledged"] == "none"
    assert found.shortfalls[1].startswith("the opening does not hold: ")
    assert FILES["message.txt"].decode().strip() not in " ".join(found.shortfalls)


def _claim_on(envelope: Envelope, file_key: bytes) -> Examined:
    """What a claim on that tip proves, which is opened with that key."""
    record = format_record(envelope.record)
    digest = record_hash(record)
    text = format_inline(file_key, b"".join(envelope.payload()))
    claim = claimed(record=digest, blind=source_keys().blind(envelope.pre))
    shown = opened_fields(text, delivery(record=digest))
    return examined(
        opened_bundle(
            shown, claim=claim, record=record.decode(), proof=prove(digest, NOON).decode()
        )
    )


@pytest.mark.parametrize(("burned", "status"), [(False, "ok"), (True, "none")])
def test_the_words_open_no_tip_whose_key_was_burned(burned: bool, status: str) -> None:
    envelope = seal_envelope(sources(), address(), source_keys(), dice(), burn=burned)
    nonce = b"".join(envelope.payload())[:16]  # for everybody who holds the payload
    found = _claim_on(envelope, file_key(source_keys(), nonce))
    assert item(found, "tips")["acknowledged"] == status
    assert item(found, "tips")["author_proven"] is True


def test_a_bundle_too_large_to_be_read_is_refused_before_it_is_parsed() -> None:
    with pytest.raises(MalformedError, match="longer than"):
        parse_bundle(opened_bundle(opened_fields("a" * BUNDLE_BYTES_MAX)))


def test_the_largest_opening_fits_a_bundle() -> None:
    text = format_inline(bytes(16), bytes(INLINE_PAYLOAD_BYTES_MAX))
    assert parse_bundle(opened_bundle(opened_fields(text))).fields["opening"] == text


def test_some_opened_files_beside_a_claim_prove_no_authorship() -> None:
    # A partial opening is another thing, and has no place in a claim.
    with pytest.raises(MalformedError, match="not the fields"):
        parse_bundle(format_json({**helped_fields(), "items": "[]"}))


def test_who_opens_a_tip_is_not_its_author_for_that() -> None:
    keys = format_json(
        {**signed_for({**helped_fields(), **opened_fields(), "claim": claimed(1)})}
    )
    found = examined(keys)
    assert item(found, "tips")["author_proven"] is False


# Hindsight: many guesses dated, none delivered, the one that came true opened.


def test_an_opened_tip_that_was_never_delivered_has_no_date() -> None:
    found = examined(opened_bundle(opened_fields(shown=b"")))
    assert "logged" not in item(found, "tips")
    assert found.shortfalls == (
        "no acknowledgement was shown",
        STANDS,
        "no delivery was shown",
        UNDATED,
    )


@pytest.mark.parametrize(("at", "counts"), [(LAST, True), (LAST + 1, False)])
def test_an_opened_tip_has_its_date_if_it_was_delivered_in_time(at: int, counts: bool) -> None:
    found = examined(opened_bundle(opened_fields(at=at)))
    assert ("logged" in item(found, "tips")) == counts
    late = "the delivery does not hold: it was made after the delivery window"
    assert (late in found.shortfalls) != counts


DELIVERIES: dict[str, Callable[[], bytes]] = {
    "by the desk instead of the door": lambda: delivery(DESK),
    "by a stranger": lambda: delivery(STRANGER),
    "of another tip": lambda: delivery(record=bytes(32)),
    "of another programme": lambda: delivery(programme=bytes(32)),
    "which is another record": lambda: statements().acknowledgement,
    "which is no record": lambda: b"delivered, says I",
}


@pytest.mark.parametrize("what", DELIVERIES)
def test_a_delivery_that_does_not_hold_gives_no_date(what: str) -> None:
    found = examined(opened_bundle(opened_fields(shown=DELIVERIES[what]())))
    assert "logged" not in item(found, "tips")
    assert found.shortfalls[-1] == UNDATED
    assert found.shortfalls[-2].startswith("the delivery does not hold: ")


# Locked to nobody: the desk could not have read it, and sees none of the other guesses.


def _sealed_to(to: Address, at: int = NOON) -> Examined:
    """What a claim proves on an opened tip, sealed to this address and logged at `at`."""
    envelope = seal_envelope(sources(), to, source_keys(), dice())
    record = format_record(envelope.record)
    digest = record_hash(record)
    text = format_inline(envelope.file_key, b"".join(envelope.payload()))
    shown = opened_fields(text, delivery(record=digest), at)
    claim = claimed(record=digest, blind=source_keys().blind(envelope.pre))
    proof = prove(digest, at).decode()
    return examined(opened_bundle(shown, claim=claim, record=record.decode(), proof=proof))


@pytest.mark.parametrize(
    ("to", "at", "reason"),
    [
        pytest.param(
            replace(address(), certificate=bytes(32)),
            NOON,
            "it was sealed to a desk key that nobody certified",
            id="a certificate of our own",
        ),
        pytest.param(
            replace(address(), epoch=7),
            NOON,
            "desk epoch 7 was never certified in the Gazette",
            id="an epoch that never was",
        ),
        pytest.param(
            address(),
            STATE.epochs[0].closes,
            "desk epoch 1 was not open when it was logged",
            id="the second in which the epoch closed",
        ),
        pytest.param(
            address(),
            STATE.epochs[0].opens - 1,
            "desk epoch 1 was not open when it was logged",
            id="before the epoch opened",
        ),
    ],
)
def test_an_opening_of_what_the_desk_could_not_read_acknowledges_nothing(
    to: Address, at: int, reason: str
) -> None:
    found = _sealed_to(to, at)
    assert item(found, "tips")["acknowledged"] == "none"
    assert f"the opening does not hold: {reason}" in found.shortfalls


# The form of the bundle.


@pytest.mark.parametrize("left_out", ["opening", "delivery", "delivery_proof"])
def test_opening_and_delivery_stand_in_a_bundle_together_or_not_at_all(left_out: str) -> None:
    fields = {**helped_fields(), **opened_fields()}
    del fields[left_out]
    with pytest.raises(MalformedError, match="not the fields of a claim on the helped limb"):
        parse_bundle(format_json({**fields}))


def test_an_empty_opening_is_left_out() -> None:
    empty = {**helped_fields(), "opening": "", "delivery": "", "delivery_proof": ""}
    with pytest.raises(MalformedError, match="not the fields"):
        parse_bundle(format_json({**empty}))
    with pytest.raises(TypeError):
        format_bundle("helped", empty)


@pytest.mark.parametrize("field", ["opening", "delivery", "delivery_proof"])
def test_who_forwards_a_claim_changes_nothing_of_an_opening(field: str) -> None:
    fields = dict(parse_bundle(opened_bundle()).fields)
    with pytest.raises(UnverifiedError, match="not what the claimant signed for"):
        parse_bundle(format_json({**fields, field: fields[field] + " "}))


def test_who_forwards_a_claim_cannot_leave_an_opening_out() -> None:
    fields = dict(parse_bundle(opened_bundle()).fields)
    for name in opened_fields():
        del fields[name]
    with pytest.raises(UnverifiedError, match="not what the claimant signed for"):
        parse_bundle(format_json({**fields}))


def test_a_bundle_without_an_opening_has_the_bytes_it_always_had() -> None:
    fields = dict(parse_bundle(helped_bundle()).fields)
    assert sorted(fields) == [
        "acknowledgement",
        "acknowledgement_proof",
        "assessment",
        "assessment_proof",
        "claim",
        "name",
        "name_salt",
        "proof",
        "record",
    ]
    assert format_record(sealed().record).decode() == fields["record"]
